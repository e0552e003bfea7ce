// SPDX-License-Identifier: BSD-3-Clause
// Tones: A-law and mu-law, Goertzel detection, WAV files for Chromium's fake microphone.
import { readFileSync, writeFileSync } from 'node:fs';

export function linearToAlaw(s) {
  const sign = s < 0 ? 0 : 0x80;
  let m = Math.min(Math.abs(s), 32635);
  let exp = 7;
  for (let mask = 0x4000; exp > 0 && !(m & mask); mask >>= 1) exp--;
  m = exp === 0 ? (m >> 4) & 15 : (m >> (exp + 3)) & 15;
  return (sign | (exp << 4) | m) ^ 0x55;
}

export function alawToLinear(a) {
  a ^= 0x55;
  const exp = (a >> 4) & 7;
  const m = a & 15;
  const v = exp === 0 ? (m << 4) + 8 : ((m << 4) + 0x108) << (exp - 1);
  return a & 0x80 ? v : -v;
}

export function linearToUlaw(s) {
  const sign = s < 0 ? 0x80 : 0;
  const m = Math.min(Math.abs(s), 32635) + 132;
  let exp = 7;
  for (let mask = 0x4000; exp > 0 && !(m & mask); mask >>= 1) exp--;
  return ~(sign | (exp << 4) | ((m >> (exp + 3)) & 15)) & 0xff;
}

export function ulawToLinear(u) {
  u = ~u & 0xff;
  const v = ((((u & 15) << 3) + 0x84) << ((u >> 4) & 7)) - 0x84;
  return u & 0x80 ? -v : v;
}

/** Share of the signal's power which lies at `freq` (0..1), for samples at `rate` Hz. */
export function toneShare(samples, rate, freq) {
  const n = samples.length;
  if (n === 0) return 0;
  const k = (2 * Math.PI * freq) / rate;
  let re = 0;
  let im = 0;
  let power = 0;
  for (let i = 0; i < n; i++) {
    const w = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n);
    const x = samples[i] * w;
    re += x * Math.cos(k * i);
    im += x * Math.sin(k * i);
    power += x * x;
  }
  if (power < 1) return 0;
  return Math.min(1, (2 * (re * re + im * im)) / (power * n) * 1.5);
}

const KEYPAD = '123A456B789C*0#D';
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];

/** Both tones of a digit (ITU-T Q.23). */
export function tonesOf(digit) {
  const at = KEYPAD.indexOf(digit);
  return [ROWS[at >> 2], COLUMNS[at & 3]];
}

/** Digits within audio at `rate` Hz: [{ digit, ms }]. Looks at 30 ms every 5 ms, so that an edge is known to some 5 ms. */
export function digitsIn(samples, rate = 8000) {
  const size = 0.03 * rate;
  const hop = 0.005 * rate;
  const found = [];
  let last = null;
  for (let at = 0; at + size <= samples.length; at += hop) {
    const digit = digitAt(samples.slice(at, at + size), rate);
    if (digit && digit === last?.digit) last.ms += 5;
    else if (digit) found.push(last = { digit, ms: 5 });
    else last = null;
  }
  return found.filter((d) => d.ms >= 30);
}

function digitAt(x, rate) {
  if (rms(x) < 300) return null;
  const strongest = (all) => all.map((hz, i) => ({ i, share: toneShare(x, rate, hz) })).sort((a, b) => b.share - a.share)[0];
  const row = strongest(ROWS);
  const column = strongest(COLUMNS);
  return row.share > 0.3 && column.share > 0.3 ? KEYPAD[4 * row.i + column.i] : null;
}

export function rms(samples) {
  let sum = 0;
  for (const s of samples) sum += s * s;
  return samples.length ? Math.sqrt(sum / samples.length) : 0;
}

/** Where f, which has one top between a and b, is largest. */
export function largest(f, a, b, exact) {
  const G = (Math.sqrt(5) - 1) / 2;
  let [c, d] = [b - G * (b - a), a + G * (b - a)], [fc, fd] = [f(c), f(d)];
  while (b - a > exact) {
    if (fc > fd) { b = d; d = c; fd = fc; c = b - G * (b - a); fc = f(c); }
    else { a = c; c = d; fc = fd; d = a + G * (b - a); fd = f(d); }
  }
  return (a + b) / 2;
}

/** Hz of the tone in `pcm` that lies near `near`, by the top of its spectrum. */
export function frequency(pcm, hz, near) {
  const power = (f) => {
    const k = 2 * Math.PI * f / hz;
    let re = 0, im = 0;
    pcm.forEach((v, i) => {
      const w = v * (0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / pcm.length));
      re += w * Math.cos(k * i);
      im += w * Math.sin(k * i);
    });
    return re * re + im * im;
  };
  const reach = 1.5 * hz / pcm.length; // half of the main lobe, nearly
  return largest(power, near - reach, near + reach, 0.001);
}

/** 16-bit WAV: `freq` Hz, `channels` equal channels. */
export function writeToneWav(file, freq, { rate = 48000, seconds = 10, channels = 1, amplitude = 8000 } = {}) {
  const n = rate * seconds;
  const b = Buffer.alloc(44 + n * 2 * channels);
  b.write('RIFF', 0);
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVEfmt ', 8);
  b.writeUInt32LE(16, 16);
  b.writeUInt16LE(1, 20);
  b.writeUInt16LE(channels, 22);
  b.writeUInt32LE(rate, 24);
  b.writeUInt32LE(rate * 2 * channels, 28);
  b.writeUInt16LE(2 * channels, 32);
  b.writeUInt16LE(16, 34);
  b.write('data', 36);
  b.writeUInt32LE(n * 2 * channels, 40);
  for (let i = 0; i < n; i++) {
    const v = Math.round(amplitude * Math.sin((2 * Math.PI * freq * i) / rate));
    for (let c = 0; c < channels; c++) b.writeInt16LE(v, 44 + 2 * (i * channels + c));
  }
  writeFileSync(file, b);
}

/** Samples of one channel of a 16-bit WAV file (also one still being written). */
export function readWav(file, channel = 0) {
  const b = readFileSync(file);
  if (b.length < 44 || b.toString('latin1', 0, 4) !== 'RIFF') return { rate: 0, samples: [] };
  let at = 12;
  let channels = 1;
  let rate = 8000;
  while (at + 8 <= b.length) {
    const id = b.toString('latin1', at, at + 4);
    let len = b.readUInt32LE(at + 4);
    if (id === 'fmt ') {
      channels = b.readUInt16LE(at + 10);
      rate = b.readUInt32LE(at + 12);
    }
    if (id === 'data') {
      if (len === 0 || at + 8 + len > b.length) len = b.length - at - 8;
      const samples = [];
      for (let i = 0; i + 2 * channels <= len; i += 2 * channels) samples.push(b.readInt16LE(at + 8 + i + 2 * channel));
      return { rate, samples };
    }
    at += 8 + len + (len & 1);
  }
  return { rate, samples: [] };
}
