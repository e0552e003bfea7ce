#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A WebRTC endpoint of aiortc (its own ICE, full): sends 440 Hz, measures what it hears.

One JSON object a line on stdin, one reply a line on stdout:
  {"do": "offer"} -> {"sdp"}; {"do": "answer", "sdp"} -> {}; {"do": "accept", "sdp"} -> {"sdp"};
  {"do": "stats", "hz"} -> {"state", "frames", "tone"}   tone: 0 to 1, the share of hz in what came
"""
import asyncio
import fractions
import json
import math
import re
import sys

import numpy
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame

RATE, SAMPLES = 8000, 160


def readable(sdp):
    """aiortc 1.4 wants an address in a=rtcp, which RFC 3605 leaves open."""
    return re.sub(r"(?m)^(a=rtcp:\d+)\r?$", r"\1 IN IP4 0.0.0.0\r", sdp)


class Tone(MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.sent = 0
        self.began = None

    async def recv(self):
        loop = asyncio.get_event_loop()
        self.began = self.began or loop.time()
        await asyncio.sleep(max(0, self.began + self.sent / RATE - loop.time()))
        at = (self.sent + numpy.arange(SAMPLES)) / RATE
        wave = (8000 * numpy.sin(2 * math.pi * 440 * at)).astype(numpy.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = self.sent, RATE, fractions.Fraction(1, RATE)
        self.sent += SAMPLES
        return frame


class Peer:
    def __init__(self):
        self.pc = RTCPeerConnection()
        self.pc.addTrack(Tone())
        self.frames = 0
        self.heard = None
        self.pc.on("track", lambda track: asyncio.ensure_future(self.listen(track)))

    async def listen(self, track):
        while True:
            frame = await track.recv()
            samples = frame.to_ndarray().reshape(-1).astype(float)[:: len(frame.layout.channels)]
            self.frames += 1
            self.heard = samples, frame.sample_rate

    def tone(self, hz):
        if self.heard is None:
            return 0
        samples, rate = self.heard
        energy = float(numpy.mean(samples**2))
        at = numpy.arange(len(samples)) / rate
        part = numpy.abs(numpy.mean(samples * numpy.exp(-2j * math.pi * hz * at)))
        return 0 if energy < 100 else float(2 * part**2 / energy)

    async def run(self, ask):
        do = ask["do"]
        if do == "offer":
            await self.pc.setLocalDescription(await self.pc.createOffer())
            return {"sdp": self.pc.localDescription.sdp}
        if do == "answer":
            await self.pc.setRemoteDescription(RTCSessionDescription(readable(ask["sdp"]), "answer"))
            return {}
        if do == "accept":
            await self.pc.setRemoteDescription(RTCSessionDescription(readable(ask["sdp"]), "offer"))
            await self.pc.setLocalDescription(await self.pc.createAnswer())
            return {"sdp": self.pc.localDescription.sdp}
        return {"state": self.pc.connectionState, "frames": self.frames, "tone": self.tone(ask["hz"])}


async def main():
    loop = asyncio.get_event_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    peer = Peer()
    while line := await reader.readline():
        print(json.dumps(await peer.run(json.loads(line))), flush=True)
    await peer.pc.close()


asyncio.run(main())
