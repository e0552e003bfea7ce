// SPDX-License-Identifier: BSD-3-Clause
// What a network does to packets that left at an even pace: loss, bursts of loss, jitter. By a seed, so that each receiver gets the same.

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function numbers(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const normal = (rnd) => Math.sqrt(-2 * Math.log(1 - rnd())) * Math.cos(2 * Math.PI * rnd());

/** `jitter`: standard deviation in ms, as netem's (normal distribution, cut at 3 of them; packets may overtake each other). */
export const NETWORKS = {
  clean: {},
  'loss-5': { loss: 0.05 },
  'loss-10': { loss: 0.1 },
  'bursts-3': { loss: 0.02, burst: 3 },
  'jitter-30': { jitter: 30 },
  'jitter-80': { jitter: 80 },
  'jitter-30-loss-5': { jitter: 30, loss: 0.05 },
};

export const BASE_MS = 5; // the quickest packet is under way for

export function parse(text) {
  return text.trim().split('\n').map((l) => l.split(' ')).map(([at, seq, timestamp, hex]) => ({ at: Number(at), seq: Number(seq), timestamp: Number(timestamp), hex }));
}

export const format = (packets) => packets.map((p) => `${p.at} ${p.seq} ${p.timestamp} ${p.hex}\n`).join('');

/** The packets that arrive, in order of arrival. The first is never lost. */
export function pass(packets, { loss = 0, burst = 1, jitter = 0 }, seed) {
  const rnd = numbers(seed);
  const out = [];
  let losing = 0;
  for (const p of packets) {
    const late = jitter * Math.max(-3, Math.min(3, normal(rnd))) + 3 * jitter;
    if (rnd() < loss && losing === 0) losing = burst;
    if (losing > 0 && p !== packets[0]) losing--;
    else out.push({ ...p, at: Math.round(p.at + 1000 * (BASE_MS + late)) });
  }
  return out.sort((a, b) => a.at - b.at || a.seq - b.seq);
}
