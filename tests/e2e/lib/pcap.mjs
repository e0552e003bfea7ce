// SPDX-License-Identifier: BSD-3-Clause
// Captures with capture.pl, and reads them back: UDP over IPv4 and IPv6 on Ethernet only.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Proc } from './proc.mjs';

const SCRIPT = fileURLToPath(new URL('capture.pl', import.meta.url));

export class Capture {
  static async start(ns, file, { dev = 'eth0' } = {}) {
    const c = new Capture();
    c.file = file;
    c.proc = new Proc('capture', ['perl', SCRIPT, dev, file], { ns });
    await c.proc.printed(/listening on/);
    return c;
  }

  /** Ends the capture and returns its datagrams. */
  async stop() {
    await this.proc.stop('SIGINT');
    return readPcap(this.file);
  }
}

export function readPcap(file) {
  const b = readFileSync(file);
  if (b.length < 24) return [];
  const le = b.readUInt32LE(0) === 0xa1b2c3d4;
  const u32 = (at) => (le ? b.readUInt32LE(at) : b.readUInt32BE(at));
  const out = [];
  for (let at = 24; at + 16 <= b.length;) {
    const len = u32(at + 8);
    if (at + 16 + len > b.length) break; // still being written
    const frame = b.subarray(at + 16, at + 16 + len);
    const d = datagram(frame);
    if (d) out.push({ at: u32(at) * 1000 + u32(at + 4) / 1000, ...d });
    at += 16 + len;
  }
  return out;
}

function datagram(f) {
  const type = f.length > 14 ? f.readUInt16BE(12) : 0;
  let udp;
  let src;
  let dst;
  let tos;
  if (type === 0x0800 && f[23] === 17 && (f.readUInt16BE(20) & 0x1fff) === 0) {
    udp = 14 + 4 * (f[14] & 15);
    src = f.subarray(26, 30).join('.');
    dst = f.subarray(30, 34).join('.');
    tos = f[15];
  } else if (type === 0x86dd && f[20] === 17) {
    udp = 54;
    src = v6(f.subarray(22, 38));
    dst = v6(f.subarray(38, 54));
    tos = (f.readUInt16BE(14) >> 4) & 0xff;
  } else return null;
  const data = f.subarray(udp + 8);
  return { src, dst, tos, sport: f.readUInt16BE(udp), dport: f.readUInt16BE(udp + 2), data, kind: kindOf(data) };
}

function v6(b) {
  const words = [];
  for (let i = 0; i < 16; i += 2) words.push(b.readUInt16BE(i).toString(16));
  return words.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** RFC 7983 classes, with DTLS handshake records told apart. */
export function kindOf(d) {
  if (d.length === 0) return 'empty';
  if (d[0] < 4) return 'stun';
  if (d[0] === 22) return 'dtls-handshake';
  if (d[0] >= 20 && d[0] < 64) return 'dtls';
  if (d[0] >= 64 && d[0] < 80) return 'turn-channel';
  if (d[0] >= 128 && d[0] < 192) return d[1] >= 192 && d[1] <= 223 ? 'rtcp' : 'rtp';
  return 'other';
}

/** Longest pause between datagrams (ms) of those which `pick` chooses. */
export function maxGap(datagrams, pick) {
  let last = null;
  let gap = 0;
  for (const d of datagrams.filter(pick)) {
    if (last !== null) gap = Math.max(gap, d.at - last);
    last = d.at;
  }
  return gap;
}
