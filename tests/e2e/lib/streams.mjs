// SPDX-License-Identifier: BSD-3-Clause
// Streams as files hold them (Ogg of RFC 7845, AMR of RFC 4867 section 5, octets) and as RTP packets carry them, { at (us), seq, timestamp, hex }: by
// another hand than the gateway's, bit by bit; and how SDP says which they are.

const FRAME_MS = 20;

/** Octets that stand for themselves, 160 a packet: G.711, G.722. */
function octetsToPackets(file) {
  return Array.from({ length: Math.floor(file.length / 160) }, (_, i) => packet(i, 8, file.subarray(160 * i, 160 * (i + 1))));
}

/** The i-th piece of 20 ms of a stream whose timestamp counts so many units a ms. */
const packet = (i, units, payload) => ({ at: 1000 * FRAME_MS * i, seq: i & 0xffff, timestamp: FRAME_MS * units * i, hex: payload.toString('hex') });

// ---------------------------------------------------------------- AMR

const AMR = {
  'AMR': { magic: '#!AMR\n', units: 8, bits: [95, 103, 118, 134, 148, 159, 204, 244, 39] },
  'AMR-WB': { magic: '#!AMR-WB\n', units: 16, bits: [132, 177, 253, 285, 317, 365, 397, 461, 477, 40] },
};
const NO_DATA = 15;
const bitsOf = (buffer) => [...buffer].map((b) => b.toString(2).padStart(8, '0')).join('');

function octetsOf(bits) {
  const out = Buffer.alloc(Math.ceil(bits.length / 8));
  for (let i = 0; i < out.length; i++) out[i] = parseInt(bits.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2);
  return out;
}

/** RFC 4867 sections 4.3 and 4.4 of one frame: no mode request, then its place in the table, then its bits. */
function amrPayload(head, body, bits, octetAligned) {
  const toc = (head & 0x7c).toString(2).padStart(8, '0');
  const speech = bitsOf(body).slice(0, bits);
  return octetsOf(octetAligned ? `11110000${toc}${speech}` : `1111${toc.slice(0, 6)}${speech}`);
}

/** Frames with nothing in them are not sent, unless `all` are wanted. */
function amrToPackets(file, { name, octetAligned, all }) {
  const { magic, units, bits } = AMR[name];
  const out = [];
  for (let at = magic.length, i = 0; at < file.length; i++) {
    const type = file[at] >> 3 & 15;
    const len = Math.ceil((bits[type] ?? 0) / 8);
    if (all || type !== NO_DATA) out.push(packet(i, units, amrPayload(file[at], file.subarray(at + 1, at + 1 + len), bits[type] ?? 0, octetAligned)));
    at += 1 + len;
  }
  return out;
}

/** One frame a packet. Where none came there is no data. */
function packetsToAmr(packets, { name, octetAligned }) {
  const { magic, units, bits } = AMR[name];
  const frames = [];
  for (const p of packets) {
    const all = bitsOf(Buffer.from(p.hex, 'hex'));
    const toc = octetAligned ? all.slice(8, 16) : `${all.slice(4, 10)}00`;
    const type = parseInt(toc.slice(1, 5), 2);
    const n = type === NO_DATA ? 0 : bits[type];
    if (toc[0] !== '0' || n === undefined) throw new Error(`not one frame of ${name}: ${p.hex}`);
    const from = octetAligned ? 16 : 10;
    const at = Math.round((p.timestamp - packets[0].timestamp >>> 0) / (FRAME_MS * units));
    while (frames.length < at) frames.push(Buffer.of(NO_DATA << 3 | 4));
    frames.push(Buffer.concat([Buffer.of(parseInt(toc, 2) & 0x7c), octetsOf(all.slice(from, from + n))]));
  }
  return Buffer.concat([Buffer.from(magic), ...frames]);
}

// ---------------------------------------------------------------- Opus in Ogg

const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  let r = i << 24;
  for (let k = 0; k < 8; k++) r = r & 0x80000000 ? r << 1 ^ 0x04c11db7 : r << 1;
  return r;
});

function page(flags, granule, sequence, payload) {
  const lacing = [...Array(Math.floor(payload.length / 255)).fill(255), payload.length % 255];
  const head = Buffer.alloc(27);
  head.write('OggS');
  head[5] = flags;
  head.writeBigUInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = lacing.length;
  const out = Buffer.concat([head, Buffer.from(lacing), payload]);
  let crc = 0;
  for (const b of out) crc = CRC[crc >>> 24 ^ b] ^ crc << 8;
  out.writeUInt32LE(crc >>> 0, 22);
  return out;
}

/** 20 ms a packet, each of them played. */
function packetsToOgg(packets) {
  const head = Buffer.from('OpusHead\x01\x01\0\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(48000, 12);
  const tags = Buffer.from('OpusTags\0\0\0\0\0\0\0\0', 'latin1');
  const pages = packets.map((p, i) => page(i === packets.length - 1 ? 4 : 0, 960 * (i + 1), i + 2, Buffer.from(p.hex, 'hex')));
  return Buffer.concat([page(2, 0, 0, head), page(0, 0, 1, tags), ...pages]);
}

function oggToPackets(file) {
  const packets = [];
  let parts = [];
  for (let at = 0; at < file.length;) {
    const lacing = file.subarray(at + 27, at + 27 + file[at + 26]);
    at += 27 + lacing.length;
    for (const n of lacing) {
      parts.push(file.subarray(at, at + n));
      at += n;
      if (n === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return packets.slice(2).map((p, i) => packet(i, 48, p)); // behind head and tags
}

// ---------------------------------------------------------------- one table

/** form: { name, octetAligned, all }. */
export function toPackets(file, form) {
  if (form.name === 'opus') return oggToPackets(file);
  return form.name in AMR ? amrToPackets(file, form) : octetsToPackets(file);
}

export function toFile(packets, form) {
  if (form.name === 'opus') return packetsToOgg(packets);
  return form.name in AMR ? packetsToAmr(packets, form) : Buffer.concat(packets.map((p) => Buffer.from(p.hex, 'hex')));
}

// ---------------------------------------------------------------- in SDP

/** What a phone says that has this codec alone. */
export const oneCodec = (phone, { name, clock, octetAligned }, pt) => ['v=0', `o=rue 1 1 IN IP4 ${phone.ip}`, 's=-', `c=IN IP4 ${phone.ip}`, 't=0 0', `m=audio ${phone.audio.port} RTP/AVP ${pt}`,
  `a=rtpmap:${pt} ${name}/${clock}`, ...(octetAligned ? [`a=fmtp:${pt} octet-align=1`] : []), 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');

/** The number under which `offer` has the codec in this layout. */
export function numberOf(offer, { name, clock, octetAligned }) {
  const numbers = [...offer.matchAll(new RegExp(`a=rtpmap:(\\d+) ${name}/${clock}`, 'g'))].map((m) => m[1]);
  return Number(numbers.find((n) => new RegExp(`a=fmtp:${n} .*octet-align=1`).test(offer) === !!octetAligned));
}
