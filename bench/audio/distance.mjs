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
const STEP_COST = 0.025; // of likeness, for a lag that is 0.5 ms off the one before
const ALIKE = 0.1; // 1 - correlation below which two pieces are the same

/** A low pass at `cut` of the rate, hann-windowed, of 2 * half + 1 taps. */
const lowPass = (half, cut) => Float64Array.from({ length: 2 * half + 1 }, (_, i) => {
  const t = i - half, x = 2 * Math.PI * cut * t;
  return (t === 0 ? 2 * cut : Math.sin(x) / (Math.PI * t)) * (0.5 + 0.5 * Math.cos(Math.PI * t / (half + 1)));
});

const HALF = 6 * COARSE, LOW = lowPass(HALF, 0.4 / COARSE); // 800 Hz: nothing folds back, so that what lies between the grid's points is known

function decimate(pcm) {
  const out = new Float32Array(Math.floor(pcm.length / COARSE));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = -HALF; k <= HALF; k++) sum += LOW[k + HALF] * (pcm[COARSE * i + k] ?? 0);
    out[i] = sum;
  }
  return out;
}

const NEAR = 6; // points on each side that tell what is between two
const PEAK = 0.3; // below, nothing is alike
const BETWEEN = [-0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4].map((at) => Float64Array.from({ length: 2 * NEAR + 1 }, (_, i) => {
  const x = Math.PI * (i - NEAR - at);
  return Math.sin(x) / x * (0.5 + 0.5 * Math.cos(x / (NEAR + 1)));
}));

/** Peaks as high as they are between the grid's points. */
function between(r) {
  const out = Float32Array.from(r);
  for (let k = NEAR; k + NEAR < r.length; k++) {
    if (r[k] < PEAK || r[k] < r[k - 1] || r[k] < r[k + 1]) continue;
    for (const taps of BETWEEN) {
      let sum = 0;
      for (let i = 0; i <= 2 * NEAR; i++) sum += taps[i] * r[k - NEAR + i];
      if (sum > out[k]) out[k] = sum;
    }
  }
  return out;
}

/** A pitch period off, voiced speech has a correlation of 0.98 with itself: not the same, all the same. 1 for 1, 0.93 for 0.98, 0.25 for 0.5, 0 for none. */
function sharpen(correlation) {
  const apart = (r) => Math.max(1 - r, 0) + ALIKE;
  return Math.log(apart(0) / apart(correlation)) / Math.log(apart(0) / ALIKE);
}

/** Likeness of the windows of `ref` that begin at `starts` with `out`, at every lag: likeness[t][lag]. Sums of products run along a lag, so a window is a
 * difference of two of them. */
function likeness(ref, out, starts) {
  const sums = (f) => { const s = new Float64Array(ref.length + MAX_LAG + 1); for (let i = 0; i < s.length - 1; i++) s[i + 1] = s[i] + f(i); return s; };
  const rr = sums((i) => (ref[i] ?? 0) ** 2), oo = sums((i) => (out[i] ?? 0) ** 2);
  const r = starts.map(() => new Float32Array(MAX_LAG));
  const ro = new Float64Array(ref.length + 1);
  for (let lag = 0; lag < MAX_LAG; lag++) {
    for (let i = 0; i < ref.length; i++) ro[i + 1] = ro[i] + (i + lag < out.length ? ref[i] * out[i + lag] : 0);
    starts.forEach((at, t) => {
      const a = 1 + rr[at + WINDOW] - rr[at], b = 1 + oo[at + lag + WINDOW] - oo[at + lag];
      if (at + lag + WINDOW <= out.length) r[t][lag] = (ro[at + WINDOW] - ro[at]) / Math.sqrt(a * b);
    });
  }
  return r.map((lags, t) => between(lags).map((v) => sharpen(v) * Math.min(1, (rr[starts[t] + WINDOW] - rr[starts[t]]) / 1e6))); // silence says nothing
}

/** best[k] - cost * |k - j|, the best of all j, and that j. */
function reach(best) {
  const n = best.length, next = Float32Array.from(best), back = Int16Array.from(best, (_, k) => k);
  const from = (k, j) => { if (next[j] - STEP_COST > next[k]) { next[k] = next[j] - STEP_COST; back[k] = back[j]; } };
  for (let k = 1; k < n; k++) from(k, k - 1);
  for (let k = n - 2; k >= 0; k--) from(k, k + 1);
  return { next, back };
}

/** The lag of each hop: the path that is like most, where each step to another lag costs a little. */
function path(scores) {
  let best = Float32Array.from(scores[0]);
  const from = [];
  for (let t = 1; t < scores.length; t++) {
    const { next, back } = reach(best);
    from.push(back);
    best = next.map((v, k) => v + scores[t][k]);
  }
  let k = best.indexOf(best.reduce((a, b) => Math.max(a, b)));
  const lags = [k];
  for (let t = from.length - 1; t >= 0; t--) lags.unshift((k = from[t][k]));
  return lags.map((l) => l * COARSE);
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

/** { lsd: dB, delay: ms, where something is said } of `out` against `ref`, means of all hops, and the hops. `top`: Hz that the codec has. */
export function distance(ref, out, top) {
  const [r4, o4] = [decimate(ref), decimate(out)];
  const starts = [];
  for (let at = 0; at + FRAME <= ref.length && at / COARSE + WINDOW <= r4.length; at += HOP) starts.push(at);
  const scores = likeness(r4, o4, starts.map((at) => Math.max(0, at / COARSE - (WINDOW - FRAME / COARSE) / 2)));
  const lags = path(scores);
  const spectra = starts.map((at) => spectrum(ref, at, top));
  const loudest = Math.max(...spectra.map((s) => s.reduce((a, b) => a + b)));
  const floor = loudest / spectra[0].length * 10 ** (-FLOOR_DB / 10);
  const hops = [], delays = [];
  starts.forEach((at, t) => {
    const lag = refine(ref, out, at, lags[t]);
    const other = spectrum(out, at + lag, top);
    const square = spectra[t].reduce((a, p, k) => a + (10 * Math.log10((p + floor) / (other[k] + floor))) ** 2, 0) / other.length;
    hops.push({ lsd: Math.sqrt(square), delay: lag / HZ * 1000 });
    if (spectra[t].reduce((a, b) => a + b) > loudest / 1000) delays.push(lag / HZ * 1000);
  });
  return { lsd: hops.reduce((a, h) => a + h.lsd, 0) / hops.length, delay: delays.reduce((a, b) => a + b, 0) / delays.length, hops };
}
