// SPDX-License-Identifier: BSD-3-Clause
// How far what came out is from what went in, when both are laid over each other: log-spectral distance in dB and delay, along the time of what went in
// (so what was left out counts). PCM is Int16Array at 16000 Hz.
export const HZ = 16000;

const FRAME = 512; // 32 ms
const HOP = 320; // 20 ms
const FLOOR_DB = 45; // below the loudest frame: what lies deeper is silence on both sides
const COARSE = 8; // alignment is searched at 2000 Hz first
const WINDOW = 320; // at 2000 Hz: 160 ms
const MAX_LAG = 1400; // at 2000 Hz: 700 ms
const LAG_STEP = 1;

function decimate(pcm) {
  const out = new Float32Array(Math.floor(pcm.length / COARSE));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = -COARSE / 2; k < COARSE * 1.5; k++) sum += pcm[COARSE * i + k] ?? 0;
    out[i] = sum / (2 * COARSE);
  }
  return out;
}

/** Peaks as high as they are between the grid's points. */
function between(r) {
  return r.map((b, k) => {
    const [a, c] = [r[k - 1] ?? b, r[k + 1] ?? b];
    return b > a && b >= c ? b - (a - c) ** 2 / (8 * (a - 2 * b + c)) : b;
  });
}

/** Likeness of a window of `ref` with `out` at every lag. */
function likeness(ref, out, from) {
  const n = MAX_LAG / LAG_STEP;
  const r = new Float32Array(n);
  let rr = 1;
  for (let i = 0; i < WINDOW; i++) rr += ref[from + i] ** 2;
  for (let k = 0; k < n; k++) {
    const at = from + k * LAG_STEP;
    if (at + WINDOW > out.length) break;
    let ro = 0, oo = 1;
    for (let i = 0; i < WINDOW; i++) {
      ro += ref[from + i] * out[at + i];
      oo += out[at + i] ** 2;
    }
    r[k] = ro / Math.sqrt(rr * oo) * Math.min(1, rr / 1e6); // silence says nothing
  }
  return between(r);
}

/** The lag of each hop: the path that is like most, where a step of 1 ms costs a little. */
function path(scores) {
  const n = scores[0].length;
  const cost = 0.05, reach = 60;
  let best = Float32Array.from(scores[0]);
  const from = [];
  for (let t = 1; t < scores.length; t++) {
    const next = new Float32Array(n), back = new Int16Array(n);
    for (let k = 0; k < n; k++) {
      let top = -1e9, at = k;
      for (let d = -reach; d <= reach; d++) {
        const j = k + d;
        if (j < 0 || j >= n) continue;
        const v = best[j] - cost * Math.abs(d);
        if (v > top) { top = v; at = j; }
      }
      next[k] = top + scores[t][k];
      back[k] = at;
    }
    from.push(back);
    best = next;
  }
  let k = best.indexOf(best.reduce((a, b) => Math.max(a, b)));
  const lags = [k];
  for (let t = from.length - 1; t >= 0; t--) lags.unshift((k = from[t][k]));
  return lags.map((l) => l * LAG_STEP * COARSE);
}

function refine(ref, out, from, lag) {
  let top = -1e99, at = lag;
  for (let l = Math.max(0, lag - 24); l <= lag + 24; l++) {
    let ro = 0, oo = 1;
    for (let i = 0; i < FRAME; i++) {
      const o = out[from + l + i] ?? 0;
      ro += ref[from + i] * o;
      oo += o * o;
    }
    const v = ro / Math.sqrt(oo);
    if (v > top) { top = v; at = l; }
  }
  return at;
}

const HANN = Float64Array.from({ length: FRAME }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / FRAME));

const TURNS = {};

/** In place; a power of two long. */
export function fft(re, im) {
  const n = re.length;
  const cos = TURNS[n] ??= Float64Array.from({ length: n }, (_, k) => Math.cos(-2 * Math.PI * k / n));
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let len = 2; len <= n; len <<= 1) {
    for (let k = 0; k < len / 2; k++) {
      const turn = k * (n / len), c = cos[turn], s = cos[(turn + n / 4) & (n - 1)];
      for (let a = k; a < n; a += len) {
        const b = a + len / 2;
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y;
        re[a] += x; im[a] += y;
      }
    }
  }
}

/** Power in bins from 100 Hz to `top` Hz, two by two. */
function spectrum(pcm, from, top) {
  const re = new Float64Array(FRAME), im = new Float64Array(FRAME);
  for (let i = 0; i < FRAME; i++) re[i] = (pcm[from + i] ?? 0) * HANN[i];
  fft(re, im);
  const out = [];
  for (let k = 4; k + 1 < top / HZ * FRAME; k += 2) out.push(re[k] ** 2 + im[k] ** 2 + re[k + 1] ** 2 + im[k + 1] ** 2);
  return out;
}

/** { lsd: dB, delay: ms (mean), delay95: ms } of `out` against `ref`. `top`: Hz that the codec has. */
export function distance(ref, out, top) {
  const [r4, o4] = [decimate(ref), decimate(out)];
  const scores = [], starts = [];
  for (let at = 0; at + FRAME <= ref.length && at / COARSE + WINDOW <= r4.length; at += HOP) {
    scores.push(likeness(r4, o4, Math.max(0, at / COARSE - (WINDOW - FRAME / COARSE) / 2)));
    starts.push(at);
  }
  const lags = path(scores);
  const spectra = starts.map((at) => spectrum(ref, at, top));
  const loudest = Math.max(...spectra.map((s) => s.reduce((a, b) => a + b)));
  const floor = loudest / spectra[0].length * 10 ** (-FLOOR_DB / 10);
  let sum = 0;
  const delays = [];
  starts.forEach((at, t) => {
    const lag = refine(ref, out, at, lags[t]);
    const other = spectrum(out, at + lag, top);
    const square = spectra[t].reduce((a, p, k) => a + (10 * Math.log10((p + floor) / (other[k] + floor))) ** 2, 0) / other.length;
    sum += Math.sqrt(square);
    if (spectra[t].reduce((a, b) => a + b) > loudest / 1000) delays.push(lag / HZ * 1000);
  });
  delays.sort((a, b) => a - b);
  return { lsd: sum / starts.length, delay: delays.reduce((a, b) => a + b, 0) / delays.length, delay95: delays[Math.floor(delays.length * 0.95)] };
}
