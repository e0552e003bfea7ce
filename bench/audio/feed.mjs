// SPDX-License-Identifier: BSD-3-Clause
// A trace as RTP in real time, and what its sender says in SDP. A trace's name begins with its codec: CODEC_VOICE_NETWORK_SEED.trace.
import dgram from 'node:dgram';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { NgClient } from '../../tests/e2e/lib/ng.mjs';
import { destination, parseSdp } from '../../tests/e2e/lib/sdp.mjs';
import { parse } from './trace.mjs';

export const TAIL_MS = 800;

const SSRC = 0x11223344;
const FORMATS = {
  opus: [96, 'opus/48000/2', 'useinbandfec=1'], pcma: [8, 'PCMA/8000'], pcmu: [0, 'PCMU/8000'], g722: [9, 'G722/8000'], amr: [97, 'AMR/8000'],
  'amr-wb': [98, 'AMR-WB/16000'],
};

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function udp(address) {
  const socket = dgram.createSocket('udp4');
  await new Promise((done) => socket.bind(0, address, done));
  return socket;
}

/** What a phone at `socket` offers or answers. */
export function sdp(socket, codec) {
  const { address, port } = socket.address();
  const [pt, map, fmtp] = FORMATS[codec];
  return ['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', `m=audio ${port} RTP/AVP ${pt}`, `a=rtpmap:${pt} ${map}`,
    ...(fmtp ? [`a=fmtp:${pt} ${fmtp}`] : []), 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');
}

/** A trace on its way from `socket`. */
export class Feed {
  constructor(file, socket) {
    this.file = file;
    this.socket = socket;
    this.codec = basename(file).split('_')[0];
    this.packets = parse(readFileSync(file, 'utf8'));
  }

  sendTo(answer) {
    const parsed = parseSdp(answer);
    this.to = destination(parsed, parsed.medias[0]);
  }

  send(p) {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(0x8000 | FORMATS[this.codec][0], 0);
    header.writeUInt16BE(p.seq & 0xffff, 2);
    header.writeUInt32BE(p.timestamp >>> 0, 4);
    header.writeUInt32BE(SSRC, 8);
    this.socket.send(Buffer.concat([header, Buffer.from(p.hex, 'hex')]), this.to.port, this.to.ip);
  }

  async run(from) {
    for (const p of this.packets) {
      const wait = from + p.at / 1000 - performance.now();
      if (wait > 0.5) await sleep(wait);
      this.send(p);
    }
    await sleep(TAIL_MS);
  }

  /** The file beside the trace that ends with `ending`. */
  beside(ending) { return this.file.replace(/\.trace$/, `.${ending}`); }
}

/** A program that speaks ng at `port`; resolves when it does. */
export async function engine(argv, port) {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'ignore', process.env.VERBOSE ? 'inherit' : 'ignore'] });
  const ng = await NgClient.open(port);
  for (let i = 0; !(await ng.ping().catch(() => null)); i++) {
    if (i === 50 || child.exitCode !== null) throw new Error(`${argv[0]} does not answer`);
    await sleep(100);
  }
  return { ng, stop: () => child.kill('SIGTERM') };
}
