#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A WebRTC endpoint of GStreamer (webrtcbin; ICE by libnice, full): sends 440 Hz, measures what it hears.

One JSON object a line on stdin, one reply a line on stdout:
  {"do": "offer"} -> {"sdp"}; {"do": "answer", "sdp"} -> {}; {"do": "accept", "sdp"} -> {"sdp"};
  {"do": "candidates"} -> {"candidates": [{"mline", "candidate"}], "complete"}
  {"do": "stats", "hz"} -> {"state", "frames", "tone"}
SDPs go out at once when "trickle" is true, else with all candidates.
"""
import array
import json
import math
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

SEND = (
    "webrtcbin name=w bundle-policy=max-bundle latency=40 "
    "audiotestsrc is-live=true wave=sine freq=440 volume=0.3 samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1 ! "
    "alawenc ! rtppcmapay pt=8 min-ptime=20000000 max-ptime=20000000 ! application/x-rtp,media=audio,encoding-name=PCMA,payload=8,clock-rate=8000 ! w."
)


def sdp_of(text, kind):
    _, msg = GstSdp.SDPMessage.new_from_text(text)
    return GstWebRTC.WebRTCSessionDescription.new(kind, msg)


class Peer:
    def __init__(self):
        self.pipe = Gst.parse_launch(SEND)
        self.w = self.pipe.get_by_name("w")
        self.candidates, self.frames, self.heard = [], 0, b""
        self.w.connect("on-ice-candidate", lambda _, line, text: self.candidates.append({"mline": line, "candidate": text}))
        self.w.connect("pad-added", self.on_pad)
        self.pipe.set_state(Gst.State.PLAYING)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        sink = Gst.parse_bin_from_description("rtppcmadepay ! alawdec ! audioconvert ! audio/x-raw,format=S16LE,channels=1 ! fakesink name=f sync=false signal-handoffs=true", True)
        sink.get_by_name("f").connect("handoff", self.on_buffer)
        self.pipe.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))

    def on_buffer(self, _, buffer, __):
        self.frames += 1
        self.heard = buffer.extract_dup(0, buffer.get_size())

    def tone(self, hz):
        samples = array.array("h", self.heard[: len(self.heard) // 2 * 2])
        if not samples or sum(s * s for s in samples) / len(samples) < 100:
            return 0
        energy = sum(s * s for s in samples) / len(samples)
        part = sum(s * complex(math.cos(2 * math.pi * hz * i / 8000), -math.sin(2 * math.pi * hz * i / 8000)) for i, s in enumerate(samples)) / len(samples)
        return 2 * abs(part) ** 2 / energy

    def call(self, name, *args):
        promise = Gst.Promise.new()
        self.w.emit(name, *args, promise)
        promise.wait()
        return promise.get_reply()

    def take_local(self, reply, field, trickle):
        description = reply.get_value(field)
        self.call("set-local-description", description)
        done = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        while not trickle and self.w.get_property("ice-gathering-state") != done:
            GLib.usleep(10000)
        return {"sdp": (description if trickle else self.w.get_property("local-description")).sdp.as_text()}

    def run(self, ask):
        do, trickle = ask["do"], ask.get("trickle", False)
        if do == "offer":
            while not self.w.get_static_pad("sink_0").has_current_caps():
                GLib.usleep(10000)
            return self.take_local(self.call("create-offer", None), "offer", trickle)
        if do == "answer":
            self.call("set-remote-description", sdp_of(ask["sdp"], GstWebRTC.WebRTCSDPType.ANSWER))
            return {}
        if do == "accept":
            self.call("set-remote-description", sdp_of(ask["sdp"], GstWebRTC.WebRTCSDPType.OFFER))
            return self.take_local(self.call("create-answer", None), "answer", trickle)
        if do == "candidates":
            new, self.candidates = self.candidates, []
            complete = self.w.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE
            return {"candidates": new, "complete": complete}
        return {"state": self.w.get_property("connection-state").value_nick, "frames": self.frames, "tone": self.tone(ask["hz"])}


def serve(loop):
    peer = Peer()
    for line in sys.stdin:
        print(json.dumps(peer.run(json.loads(line))), flush=True)
    peer.pipe.set_state(Gst.State.NULL)
    loop.quit()


Gst.init(None)
LOOP = GLib.MainLoop()
threading.Thread(target=serve, args=(LOOP,), daemon=True).start()
LOOP.run()
