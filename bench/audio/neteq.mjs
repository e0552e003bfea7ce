// SPDX-License-Identifier: BSD-3-Clause
// libwebrtc's NetEq, fed with traces: plain RTP goes through the gateway's relay into a peer connection of @roamhq/wrtc, whose audio is written down 10 ms
// by 10 ms, CELL.neteq.pcm (16000 Hz). Every trace is a call of its own and all run at once, in real time. In a network of its own:
//
//   unshare -n node bench/audio/neteq.mjs --wrtc=FOLDER [--agwd=FILE] TRACE...
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { HZ } from './distance.mjs';
import { Feed, engine, sdp, sleep, udp } from './feed.mjs';
import { resample } from './speech.mjs';

const { values: opts, positionals: files } = parseArgs({ allowPositionals: true, options: { agwd: { type: 'string', default: 'build/bench/agwd' }, wrtc: { type: 'string' } } });
const { RTCPeerConnection, nonstandard: { RTCAudioSink } } = createRequire(import.meta.url)(opts.wrtc);
const PHONE = '10.99.0.1', ACCESS = '10.99.0.2', NG = 2223, STEP_MS = 10;

class Call extends Feed {
  async open(ng) {
    this.frames = [];
    const id = { 'call-id': this.file, 'from-tag': 'a', 'received-from': ['IP4', PHONE] };
    const offer = await ng.cmd({ ...id, sdp: sdp(this.socket, this.codec), direction: ['core', 'access'], command: 'offer' });
    this.pc = new RTCPeerConnection();
    this.pc.ontrack = ({ track }) => {
      this.sink = new RTCAudioSink(track);
      this.sink.ondata = (d) => this.frames.push({ at: performance.now(), hz: d.sampleRate, channels: d.channelCount, pcm: Int16Array.from(d.samples) });
    };
    await this.pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    while (this.pc.iceGatheringState !== 'complete') await sleep(5);
    this.sendTo((await ng.cmd({ ...id, 'to-tag': 'b', sdp: this.pc.localDescription.sdp, command: 'answer' })).sdp);
    while (this.pc.connectionState !== 'connected') await sleep(5);
  }

  /** What was played, from the time at which the first packet was sent on: steps are laid end to end where the quickest callbacks say they are. How late
   * the latest of them was in ms: more than a few, and the machine was too busy to judge by. */
  write(from) {
    this.sink.stop();
    const steps = this.frames;
    const shift = Math.min(...steps.map((f, i) => f.at - i * STEP_MS)) - from;
    const { hz, channels } = steps.at(-1);
    const n = hz / 100;
    const skip = Math.max(0, Math.ceil(-shift / STEP_MS));
    const pad = Math.round((shift + skip * STEP_MS) * hz / 1000);
    const pcm = new Int16Array(pad + (steps.length - skip) * n);
    steps.slice(skip).forEach((f, i) => { for (let k = 0; k < n && f.hz === hz; k++) pcm[pad + i * n + k] = f.pcm[k * channels]; });
    writeFileSync(this.beside('neteq.pcm'), resample(Buffer.from(pcm.buffer), hz, HZ));
    return steps.slice(skip).map((f, i) => f.at - from - shift - (i + skip) * STEP_MS);
  }
}

spawnSync('ip', ['link', 'set', 'lo', 'up']);
for (const argv of ['link add d0 type veth peer name d1', `addr add ${PHONE}/24 dev d0`, `addr add ${ACCESS}/24 dev d0`, 'link set d0 up', 'link set d1 up'])
  if (spawnSync('ip', argv.split(' ')).status !== 0) throw new Error(`ip ${argv}`);
const { ng, stop } = await engine([opts.agwd, '--foreground', `--interface=access/${ACCESS}`, `--interface=core/${PHONE}`, `--listen-ng=127.0.0.1:${NG}`, '--max-cpu=0',
  '--access-port=19000', '--port-min=20000', '--port-max=29999'], NG);
const calls = [];
for (const f of files) calls.push(new Call(f, await udp(PHONE)));
for (const c of calls) await c.open(ng);
await sleep(1000);
const from = performance.now() + 100;
await Promise.all(calls.map((c) => c.run(from)));
const late = calls.flatMap((c) => c.write(from)).sort((a, b) => a - b);
stop();
console.log(`neteq: ${calls.length} calls; audio was given ${late[Math.floor(late.length * 0.99)].toFixed(1)} ms late at the 99th percentile, ${late.at(-1).toFixed(1)} ms at most`);
process.exit(0);
