// SPDX-License-Identifier: BSD-3-Clause
// AMR payloads as Wireshark's dissector reads them.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const PT = 96, PORT = 5004;

/** A capture of raw IPv4 (link type 228) with a UDP datagram each. */
function pcap(datagrams) {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(228, 20);
  return Buffer.concat([head, ...datagrams.flatMap((d, i) => {
    const record = Buffer.alloc(16 + 28);
    record.writeUInt32LE(i, 0);
    record.writeUInt32LE(28 + d.length, 8);
    record.writeUInt32LE(28 + d.length, 12);
    const ip = record.subarray(16);
    ip[0] = 0x45;
    ip.writeUInt16BE(28 + d.length, 2);
    ip[8] = 64;
    ip[9] = 17;
    ip.writeUInt32BE(0x0a000001, 12);
    ip.writeUInt32BE(0x0a000002, 16);
    ip.writeUInt16BE(PORT, 20);
    ip.writeUInt16BE(PORT, 22);
    ip.writeUInt16BE(8 + d.length, 24);
    return [record, d];
  })]);
}

function rtp(payload, i) {
  const head = Buffer.alloc(12);
  head[0] = 0x80;
  head[1] = PT;
  head.writeUInt16BE(i, 2);
  head.writeUInt32BE(1, 8);
  return Buffer.concat([head, payload]);
}

/** Of each payload (a Buffer): { request, types, good: bits Q }; throws where the dissector finds fault. */
export function dissectAmr(payloads, { wide, octetAligned, file }) {
  writeFileSync(file, pcap(payloads.map((p, i) => rtp(p, i))));
  const band = wide ? 'wb' : 'nb';
  const fields = [`amr.${band}.cmr`, `amr.${band}.toc.ft`, 'amr.toc.q', 'amr.not_enough_data_for_frames', 'amr.superfluous_data', 'amr.padding_bits_not0', 'amr.reserved.not_zero', '_ws.malformed'];
  const out = execFileSync('tshark', ['-r', file, '-d', `udp.port==${PORT},rtp`, '-d', `rtp.pt==${PT},amr`, '-o', `amr.encoding.version:RFC 3267 ${octetAligned ? 'octet aligned' : 'BW-efficient'}`,
    '-o', `amr.mode:${wide ? 'Wideband' : 'Narrowband'} AMR`, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return out.replace(/\n$/, '').split('\n').map((line, i) => {
    const [request, types, good, ...faults] = line.split('\t');
    if (faults.some(Boolean) || types === '') throw new Error(`payload ${i}, ${payloads[i].toString('hex')}: ${line}`);
    const numbers = (text) => text.split(',').map(Number);
    return { request: Number(request), types: numbers(types), good: numbers(good) };
  });
}
