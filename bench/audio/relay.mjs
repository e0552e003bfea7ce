// SPDX-License-Identifier: BSD-3-Clause
// A whole gateway, agwd or Debian's rtpengine, fed with traces: it turns what comes into PCMU for a phone. What the phone gets is written down as a trace,
// CELL.ENGINE.trace; and what `query` then says of the stream, CELL.ENGINE.json. Every trace is a call of its own and all run at once, in real time.
// In a network of its own:
//
//   unshare -n node bench/audio/relay.mjs --engine=agwd|rtpengine [--agwd=FILE] TRACE...
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Feed, engine, sdp, sleep, udp } from './feed.mjs';
import { format } from './trace.mjs';

const { values: opts, positionals: files } = parseArgs({ allowPositionals: true, options: { engine: { type: 'string' }, agwd: { type: 'string', default: 'build/bench/agwd' } } });
const HERE = '127.0.0.1', NG = 2223, PORTS = ['--port-min=20000', '--port-max=29999'];
const ENGINES = {
  agwd: [opts.agwd, '--foreground', `--interface=${HERE}`, `--listen-ng=${HERE}:${NG}`, '--max-cpu=0', '--access-port=19000', ...PORTS],
  rtpengine: ['rtpengine', '--foreground', '--log-stderr', '--log-level=3', '--table=-1', `--interface=${HERE}`, `--listen-ng=${HERE}:${NG}`, ...PORTS],
};

class Call extends Feed {
  async open(ng) {
    this.phone = await udp(HERE);
    this.heard = [];
    this.phone.on('message', (m) => (m[1] & 0x7f) === 0 && this.heard.push({ when: performance.now(), seq: m.readUInt16BE(2), timestamp: m.readUInt32BE(4), hex: m.subarray(12).toString('hex') }));
    this.ng = ng;
    const id = { 'call-id': this.file, 'from-tag': 'a', 'transport-protocol': 'RTP/AVP', ICE: 'remove' };
    await ng.cmd({ ...id, sdp: sdp(this.socket, this.codec), codec: { strip: ['all'], transcode: ['PCMU'] }, command: 'offer' });
    this.sendTo((await ng.cmd({ ...id, 'to-tag': 'b', sdp: sdp(this.phone, 'pcmu'), command: 'answer' })).sdp);
  }

  /** A gateway that hands on what it cannot convert leaves no trace. */
  async write(from) {
    if (this.heard.length === 0) return;
    writeFileSync(this.beside(`${opts.engine}.trace`), format(this.heard.map((h) => ({ ...h, at: Math.max(0, Math.round((h.when - from) * 1000)) }))));
    const said = await this.ng.query(this.file);
    writeFileSync(this.beside(`${opts.engine}.json`), JSON.stringify(said.SSRC ?? {}));
  }
}

spawnSync('ip', ['link', 'set', 'lo', 'up']);
const { ng, stop } = await engine(ENGINES[opts.engine], NG);
const calls = [];
for (const f of files) calls.push(new Call(f, await udp(HERE)));
for (const c of calls) await c.open(ng);
await sleep(200);
const from = performance.now() + 100;
await Promise.all(calls.map((c) => c.run(from)));
for (const c of calls) await c.write(from);
stop();
console.log(`${opts.engine}: ${calls.length} calls, ${calls.reduce((n, c) => n + c.packets.length, 0)} packets in, ${calls.reduce((n, c) => n + c.heard.length, 0)} out`);
process.exit(0);
