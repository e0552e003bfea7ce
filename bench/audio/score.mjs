// SPDX-License-Identifier: BSD-3-Clause
// How much of what went in is in what came out, laid over each other to a fraction of a sample: segmental SNR of the waveform, and the same by the ear's
// bands (Hu and Loizou, 2008: weights are the magnitudes of the clean band to the power of 0.2). Both are clipped to -10 to 35 dB in each frame, over the
// frames that hold speech.
import { largest } from '../../tests/e2e/lib/tone.mjs';
import { fft } from './distance.mjs';

const LEAST_DB = -10, MOST_DB = 35;
const ACTIVE_DB = 35; // below the loudest frame: what lies deeper is a pause
const REACH_MS = 40; // of a second's lag around that of the whole
const TAPS = 32; // to each side, of the filter that moves audio by a part of a sample

const db = (x) => 10 * Math.log10(x);
const clip = (x) => Math.min(MOST_DB, Math.max(LEAST_DB, x));
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const power2 = (n) => 2 ** Math.ceil(Math.log2(n));

/** Whole samples by which `out` is behind `ref`: where the product of both is largest. */
function coarseLag(ref, out) {
  const n = power2(ref.length + out.length);
  const [a, ai, b, bi] = [0, 0, 0, 0].map(() => new Float64Array(n));
  ref.forEach((v, i) => { a[i] = v; });
  out.forEach((v, i) => { b[i] = v; });
  fft(a, ai);
  fft(b, bi);
  for (let i = 0; i < n; i++) {
    const re = a[i] * b[i] + ai[i] * bi[i], im = ai[i] * b[i] - a[i] * bi[i]; // conj(A) * B, and its conjugate back: an inverse transform
    a[i] = re;
    ai[i] = im;
  }
  fft(a, ai);
  let top = 0;
  for (let i = 1; i < n; i++) if (a[i] > a[top]) top = i;
  return top < n / 2 ? top : top - n;
}

/** `n` samples of `x` from `at` on, which is no whole number. */
function shifted(x, at, n) {
  const whole = Math.floor(at), part = at - whole;
  const taps = Float64Array.from({ length: 2 * TAPS }, (_, k) => {
    const t = k - TAPS + 1 - part;
    const window = 0.5 + 0.5 * Math.cos(Math.PI * t / (TAPS + 1));
    return Math.abs(t) < 1e-9 ? 1 : window * Math.sin(Math.PI * t) / (Math.PI * t);
  });
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const from = whole + i - TAPS + 1;
    let sum = 0;
    for (let k = 0; k < 2 * TAPS; k++) sum += taps[k] * (x[from + k] ?? 0);
    out[i] = sum;
  }
  return out;
}

/** Starts of the frames of `ref` that hold speech. */
function active(ref, length, hop) {
  const frames = [];
  for (let at = 0; at + length <= ref.length; at += hop) {
    let sum = 1;
    for (let i = 0; i < length; i++) sum += ref[at + i] ** 2;
    frames.push({ at, power: db(sum) });
  }
  const top = frames.reduce((a, f) => Math.max(a, f.power), 0);
  return frames.filter((f) => f.power > top - ACTIVE_DB).map((f) => f.at);
}

/** dB of each active frame: { at, db }. */
function segments(ref, pcm, hz) {
  const length = hz / 50;
  return active(ref, length, length).map((at) => {
    let signal = 1e-9, noise = 1e-9;
    for (let i = at; i < at + length; i++) {
      signal += ref[i] ** 2;
      noise += (ref[i] - pcm[i]) ** 2;
    }
    return { at, db: clip(db(signal / noise)) };
  });
}

const meanDb = (frames) => mean(frames.map((f) => f.db));

/** Magnitudes of the ear's bands, equally wide in Bark, to `top` Hz. */
function bands(pcm, at, length, hz, top) {
  const n = power2(length);
  const re = new Float64Array(n), im = new Float64Array(n);
  for (let i = 0; i < length; i++) re[i] = pcm[at + i] * (0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / length));
  fft(re, im);
  const bark = (f) => 26.81 * f / (1960 + f) - 0.53;
  const out = new Float64Array(Math.ceil(bark(top)));
  for (let k = 1; k * hz / n < top; k++) {
    const z = bark(k * hz / n);
    for (let b = Math.max(0, Math.floor(z - 1)); b < Math.min(out.length, z + 1); b++)
      out[b] += Math.exp(-6 * (z - b - 0.5) ** 2) * Math.hypot(re[k], im[k]); // gaussian, one Bark wide
  }
  return out;
}

/** The same by the ear. */
function weightedSegments(ref, pcm, hz, top) {
  const length = hz * 32 / 1000;
  return active(ref, length, length / 2).map((at) => {
    const [a, b] = [ref, pcm].map((x) => bands(x, at, length, hz, top));
    let sum = 0, weights = 0;
    a.forEach((v, k) => {
      const w = v ** 0.2;
      weights += w;
      sum += w * clip(db(v ** 2 / ((v - b[k]) ** 2 + 1e-9)));
    });
    return { at, db: sum / weights };
  });
}

/** `n` samples from `at` on, silence where there are none. */
const part = (x, at, n) => Float64Array.from({ length: n }, (_, i) => x[at + i] ?? 0);

/** `out` as it lies over `ref`, second by second where the segmental SNR is best: a jitter buffer may become shorter in a pause. */
function laidOver(ref, out, hz) {
  const pcm = new Float64Array(ref.length);
  const whole = coarseLag(ref, out), reach = REACH_MS * hz / 1000;
  for (let at = 0; at < ref.length; at += hz) {
    const piece = ref.subarray(at, at + hz);
    const from = at + whole + Math.max(-reach, Math.min(reach, coarseLag(piece, part(out, at + whole - reach, piece.length + 2 * reach)) - reach));
    const moved = (lag) => shifted(out, from + lag, piece.length);
    pcm.set(moved(largest((lag) => meanDb(segments(piece, moved(lag), hz)), -1, 1, 0.01)), at);
  }
  return pcm;
}

const LEAST_FRAMES = 10;

/** Means of the seconds that hold some speech, by number. */
function bySecond(frames, hz) {
  const numbers = [...new Set(frames.map(({ at }) => Math.floor(at / hz)))];
  return new Map(numbers.map((n) => [n, frames.filter(({ at }) => Math.floor(at / hz) === n)]).filter(([, list]) => list.length >= LEAST_FRAMES).map(([i, list]) => [i, meanDb(list)]));
}

/** { snr, weighted: dB; of each second: seconds, weightedSeconds } of `out` against `ref`, both at `hz`; `top`: Hz that are compared. */
export function score(ref, out, hz, top) {
  const pcm = laidOver(ref, out, hz);
  const plain = segments(ref, pcm, hz), weighted = weightedSegments(ref, pcm, hz, top);
  return { snr: meanDb(plain), weighted: meanDb(weighted), seconds: bySecond(plain, hz), weightedSeconds: bySecond(weighted, hz) };
}

/** dB that the gateway's way is better than the other in the second that is the middle one of all. */
export function middle({ gateway: g, offline: o }) {
  const of = (name) => {
    const all = [...o[name]].map(([i, v]) => g[name].get(i) - v).sort((a, b) => a - b);
    return all[all.length >> 1];
  };
  return { snr: of('seconds'), weighted: of('weightedSeconds') };
}

// ---------------------------------------------------------------- a table of two

const f = (v) => v.toFixed(2);

export const HEAD = `| from, to | voice | segmental SNR, dB: gateway | offline | difference | weighted, dB: gateway | offline | difference | tone, Hz |
|---|---|---|---|---|---|---|---|---|`;
export const columns = ({ gateway: g, offline: o }) => `${f(g.snr)} | ${f(o.snr)} | ${f(g.snr - o.snr)} | ${f(g.weighted)} | ${f(o.weighted)} | ${f(g.weighted - o.weighted)}`;
export const worst = ({ gateway: g, offline: o }) => Math.min(g.snr - o.snr, g.weighted - o.weighted);
