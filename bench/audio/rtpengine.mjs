// SPDX-License-Identifier: BSD-3-Clause
// Debian's rtpengine, fed with traces: it turns Opus and PCMA into PCMU as the packets come and leaves jitter and loss to who hears it. What it sends is
// written down as a trace, which the far end plays with the same jitter buffer that the gateway has (CELL.rtpengine.trace).
//
//   unshare -n node bench/audio/rtpengine.mjs TRACE...
import dgram from 'node:dgram';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NgClient } from '../../tests/e2e/lib/ng.mjs';
import { destination, parseSdp } from '../../tests/e2e/lib/sdp.mjs';
import { format, parse } from './trace.mjs';

const MAPS = { opus: ['96', 'a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1'], pcma: ['8', 'a=rtpmap:8 PCMA/8000'] };
const HERE = '127.0.0.1', TAIL_MS = 800;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const open = () => new Promise((done) => { const s = dgram.createSocket('udp4'); s.bind(0, HERE, () => done(s)); });
const sdp = (port, pt, map) => `v=0\r\no=- 1 1 IN IP4 ${HERE}\r\ns=-\r\nc=IN IP4 ${HERE}\r\nt=0 0\r\nm=audio ${port} RTP/AVP ${pt}\r\n${map}\r\na=ptime:20\r\na=sendrecv\r\n`;

async function call(file, ng) {
  const packets = parse(readFileSync(file, 'utf8'));
  const [pt, map] = MAPS[basename(file).split('-')[0]];
  const [a, b] = [await open(), await open()];
  const id = { 'call-id': file, 'from-tag': 'a' };
  const heard = [];
  b.on('message', (m) => heard.push({ when: performance.now(), seq: m.readUInt16BE(2), timestamp: m.readUInt32BE(4), hex: m.subarray(12).toString('hex') }));
  await ng.cmd({ ...id, sdp: sdp(a.address().port, pt, map), codec: { strip: ['all'], transcode: ['PCMU'] }, command: 'offer' });
  const answer = await ng.cmd({ ...id, 'to-tag': 'b', sdp: sdp(b.address().port, '0', 'a=rtpmap:0 PCMU/8000'), command: 'answer' });
  const toA = parseSdp(answer.sdp);
  const to = destination(toA, toA.medias[0]);
  const run = async (from) => {
    for (const p of packets) {
      const wait = from + p.at / 1000 - performance.now();
      if (wait > 0.5) await sleep(wait);
      const payload = Buffer.from(p.hex, 'hex'), rtp = Buffer.alloc(12);
      rtp.writeUInt16BE(0x8000 | Number(pt), 0);
      rtp.writeUInt16BE(p.seq & 0xffff, 2);
      rtp.writeUInt32BE(p.timestamp >>> 0, 4);
      rtp.writeUInt32BE(0x11223344, 8);
      a.send(Buffer.concat([rtp, payload]), to.port, to.ip);
    }
  };
  const write = (from) => {
    writeFileSync(file.replace(/\.trace$/, '.rtpengine.trace'), format(heard.map((h) => ({ ...h, at: Math.max(0, Math.round((h.when - from) * 1000)) }))));
    console.log(`${basename(file)}: ${packets.length} in, ${heard.length} out`);
  };
  return { run, write };
}

spawnSync('ip', ['link', 'set', 'lo', 'up']);
const engine = spawn('rtpengine', ['--foreground', '--log-stderr', '--log-level=3', '--table=-1', `--interface=${HERE}`, `--listen-ng=${HERE}:2224`, '--port-min=20000', '--port-max=29999'], { stdio: 'ignore' });
const ng = await NgClient.open(2224);
for (let i = 0; i < 50 && !(await ng.ping().catch(() => null)); i++) await sleep(100);
const calls = [];
for (const f of process.argv.slice(2)) calls.push(await call(f, ng));
const from = performance.now() + 500;
await Promise.all(calls.map((c) => c.run(from)));
await sleep(TAIL_MS);
for (const c of calls) c.write(from);
engine.kill('SIGTERM');
process.exit(0);
