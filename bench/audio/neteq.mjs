// SPDX-License-Identifier: BSD-3-Clause
// libwebrtc's NetEq, fed with traces: plain RTP goes through the gateway's relay into a peer connection of @roamhq/wrtc, whose audio is written down 10 ms
// by 10 ms. Every trace is a call of its own and all run at once, in real time.
//
//   unshare -n node bench/audio/neteq.mjs --agwd FILE --wrtc FOLDER TRACE...     writes CELL.neteq.pcm (16000 Hz) beside each CELL.trace
import dgram from 'node:dgram';
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { NgClient } from '../../tests/e2e/lib/ng.mjs';
import { destination, parseSdp } from '../../tests/e2e/lib/sdp.mjs';
import { resample } from './speech.mjs';
import { parse } from './trace.mjs';

const { values: opts, positionals: files } = parseArgs({ allowPositionals: true, options: { agwd: { type: 'string' }, wrtc: { type: 'string' } } });
const { RTCPeerConnection, nonstandard: { RTCAudioSink } } = createRequire(import.meta.url)(opts.wrtc);

const PHONE = '10.99.0.1', ACCESS = '10.99.0.2', HZ = 16000, STEP_MS = 10, TAIL_MS = 800;
const MAPS = { opus: ['96', 'a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1'], pcma: ['8', 'a=rtpmap:8 PCMA/8000'] };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function sh(...argv) {
  const r = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${argv.join(' ')}: ${r.stderr}`);
}

class Call {
  constructor(file, ng) {
    this.file = file;
    this.ng = ng;
    this.packets = parse(readFileSync(file, 'utf8'));
    [this.codec] = basename(file).split('-');
    this.frames = [];
  }

  async open() {
    this.socket = dgram.createSocket('udp4');
    await new Promise((done) => this.socket.bind(0, PHONE, done));
    this.socket.on('message', () => {});
    const id = { 'call-id': this.file, 'from-tag': 'a', 'received-from': ['IP4', PHONE] };
    const [pt, map] = MAPS[this.codec];
    this.pt = Number(pt);
    const sdp = `v=0\r\no=- 1 1 IN IP4 ${PHONE}\r\ns=-\r\nc=IN IP4 ${PHONE}\r\nt=0 0\r\nm=audio ${this.socket.address().port} RTP/AVP ${pt}\r\n${map}\r\na=ptime:20\r\na=sendrecv\r\n`;
    const offer = await this.ng.cmd({ ...id, sdp, direction: ['core', 'access'], command: 'offer' });
    this.pc = new RTCPeerConnection();
    this.pc.ontrack = ({ track }) => {
      this.sink = new RTCAudioSink(track);
      this.sink.ondata = (d) => this.frames.push({ at: performance.now(), hz: d.sampleRate, channels: d.channelCount, pcm: Int16Array.from(d.samples) });
    };
    await this.pc.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    while (this.pc.iceGatheringState !== 'complete') await sleep(5);
    const answer = await this.ng.cmd({ ...id, 'to-tag': 'b', sdp: this.pc.localDescription.sdp, command: 'answer' });
    const toPhone = parseSdp(answer.sdp);
    this.to = destination(toPhone, toPhone.medias[0]);
    while (this.pc.connectionState !== 'connected') await sleep(5);
  }

  send(p) {
    const payload = Buffer.from(p.hex, 'hex');
    const rtp = Buffer.alloc(12 + payload.length);
    rtp.writeUInt16BE(0x8000 | this.pt, 0);
    rtp.writeUInt16BE(p.seq & 0xffff, 2);
    rtp.writeUInt32BE(p.timestamp >>> 0, 4);
    rtp.writeUInt32BE(0x11223344, 8);
    payload.copy(rtp, 12);
    this.socket.send(rtp, this.to.port, this.to.ip);
  }

  async run(from) {
    for (const p of this.packets) {
      const wait = from + p.at / 1000 - performance.now();
      if (wait > 0.5) await sleep(wait);
      this.send(p);
    }
  }

  /** What was played, from the time at which the first packet was sent on: steps are laid end to end where the quickest callbacks say they are. */
  write(from) {
    const steps = this.frames;
    const shift = Math.min(...steps.map((f, i) => f.at - i * STEP_MS)) - from;
    const { hz, channels } = steps.at(-1);
    const n = hz / 100;
    const skip = Math.max(0, Math.ceil(-shift / STEP_MS));
    const pad = Math.round((shift + skip * STEP_MS) * hz / 1000);
    const pcm = new Int16Array(pad + (steps.length - skip) * n);
    steps.slice(skip).forEach((f, i) => { for (let k = 0; k < n && f.hz === hz; k++) pcm[pad + i * n + k] = f.pcm[k * channels]; });
    const last = Math.max(...steps.slice(skip).map((f, i) => f.at - from - shift - (i + skip) * STEP_MS));
    writeFileSync(this.file.replace(/\.trace$/, '.neteq.pcm'), resample(Buffer.from(pcm.buffer), hz, HZ));
    console.log(`${basename(this.file)}: ${steps.length} steps at ${hz} Hz, the latest callback ${last.toFixed(1)} ms late`);
  }
}

sh('ip', 'link', 'set', 'lo', 'up');
sh('ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
sh('ip', 'addr', 'add', `${PHONE}/24`, 'dev', 'd0');
sh('ip', 'addr', 'add', `${ACCESS}/24`, 'dev', 'd0');
sh('ip', 'link', 'set', 'd0', 'up');
sh('ip', 'link', 'set', 'd1', 'up');
const gateway = spawn(opts.agwd, ['--foreground', `--interface=access/${ACCESS}`, `--interface=core/${PHONE}`, '--listen-ng=127.0.0.1:2223', '--max-cpu=0', '--port-min=20000', '--port-max=29999', '--access-port=19000'],
  { stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore'] });
const ng = await NgClient.open(2223);
for (let i = 0; i < 50 && !(await ng.ping().catch(() => null)); i++) await sleep(50);
const calls = files.map((f) => new Call(f, ng));
for (const c of calls) await c.open();
console.log(`${calls.length} calls stand`);
await sleep(1000);
const from = performance.now() + 100;
await Promise.all(calls.map((c) => c.run(from)));
await sleep(TAIL_MS);
for (const c of calls) c.sink.stop();
for (const c of calls) c.write(from);
gateway.kill('SIGTERM');
process.exit(0);
