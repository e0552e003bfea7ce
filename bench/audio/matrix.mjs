#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Opus into every codec of the phones and back, without loss: what the gateway makes of a stream beside what ffmpeg makes of it with the same libraries.
// See README.md. The last line is "N cells, N failed".
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toFile, toPackets } from '../../tests/e2e/lib/streams.mjs';
import { frequency } from '../../tests/e2e/lib/tone.mjs';
import { BROWSER, CORE, Offline, back, top } from './offline.mjs';
import { HEAD, columns, score, worst } from './score.mjs';
import { VOICES, run, samples, speech } from './speech.mjs';
import { format, parse } from './trace.mjs';

const { values: opts } = parseArgs({ options: {
  build: { type: 'string', default: 'build/bench/bench/audio' },
  out: { type: 'string', default: 'build/audio' },
  voices: { type: 'string', default: Object.keys(VOICES).join(',') },
  seconds: { type: 'string', default: '30' },
  only: { type: 'string', default: '' },
  libs: { type: 'string', default: '' },
} });
mkdirSync(opts.out, { recursive: true });

const LIMIT_DB = 0.5; // that the gateway's way may be worse
const SETTLED_S = 3; // by then the jitter buffer has found that there is no jitter
const TONE_HZ = 997, TONE_EXACT_HZ = 0.05, TONE_SECONDS = 2.5;

const offline = new Offline(opts);
const made = new Map();

/** What was made under this name already, or f's. */
function once(name, f) {
  if (!made.has(name)) made.set(name, f());
  return made.get(name);
}

/** `source` through `from` and `to` by ffmpeg, and by the gateway: samples at `hz`. Both codecs' layouts are the gateway's affair alone. */
function both({ name, pcm }, from, to, hz) {
  const rate = from.name === 'opus' ? 48000 : hz;
  const file = once(`${name} ${from.name}`, () => offline.encode(from, offline.resample(pcm, rate), rate));
  const beside = once(`${name} ${from.name} ${to.name} ${hz}`, () => samples(offline.decode(to, offline.encode(to, offline.decode(from, file, hz), hz), hz)));
  const chain = run([offline.program, 'chain', Offline.gatewayName(from), Offline.gatewayName(to)], format(toPackets(file, from)));
  return { beside, gateway: samples(offline.decode(to, toFile(parse(chain.stdout.toString()), to), hz)) };
}

/** { gateway, offline } of what was said, and Hz of the tone behind it as the gateway gives it. */
function judged(source, from, to, hz) {
  const [begin, end] = [SETTLED_S * hz, spoken * hz];
  const said = (x) => x.subarray(begin, end);
  const tone = (x) => frequency(x.subarray(end + hz / 2, end + hz * (TONE_SECONDS - 0.5)), hz, TONE_HZ);
  const ref = once(`${source.name} ${hz}`, () => samples(offline.resample(source.pcm, hz)));
  const scored = (x) => score(said(ref), said(x), hz, top(hz));
  const { gateway, beside } = both(source, from, to, hz);
  return { gateway: scored(gateway), offline: once(`score ${source.name} ${from.name} ${to.name} ${hz}`, () => scored(beside)), tone: tone(gateway) };
}

/** Samples in which the gateway's decoder and ffmpeg's are not equal. */
function different(codec, pcm) {
  const hz = codec.hz ?? 48000;
  const packets = toPackets(offline.encode(codec, offline.resample(pcm, hz), hz), { ...codec, all: true });
  const beside = samples(offline.decode(codec, toFile(packets, codec), hz));
  const ours = samples(run([offline.program, 'decode', Offline.gatewayName(codec), `${hz}`], format(packets)).stdout);
  return Math.abs(ours.length - beside.length) + beside.reduce((n, v, i) => n + (v !== ours[i]), 0);
}

const isBad = (v) => worst(v) < -LIMIT_DB || Math.abs(v.tone - TONE_HZ) > TONE_EXACT_HZ;

const spoken = Number(opts.seconds);
const tone = Buffer.from(Int16Array.from({ length: 48000 * TONE_SECONDS }, (_, i) => 8000 * Math.sin(2 * Math.PI * TONE_HZ * i / 48000)).buffer);
const sources = opts.voices.split(',').map((name) => ({ name, pcm: Buffer.concat([speech(name, 48000, opts.out).subarray(0, 2 * 48000 * spoken), tone]) }));
const decoders = Object.entries({ Opus: BROWSER, ...CORE }).filter(([, c]) => offline.hasAmr || !/AMR/.test(c.name));
const unequal = decoders.filter(([, codec]) => different(codec, sources[0].pcm) !== 0).map(([label]) => label);
console.log(`Decoders that give the samples of ffmpeg, all of them: ${decoders.map(([label]) => label).filter((l) => !unequal.includes(l)).join(', ')}`);
if (unequal.length) console.log(`and that do not: ${unequal.join(', ')}`);
const rows = [];
console.log(`${opts.seconds} s a voice; AMR and AMR-WB by ${offline.hasAmr ? "ffmpeg's libraries" : 'the same libraries without ffmpeg'}\n\n${HEAD}`);
for (const [label, core] of Object.entries(CORE)) {
  for (const [name, from, to] of [[`Opus, ${label}`, BROWSER, core], [`${label}, Opus`, core, back(core.hz)]]) {
    if (!name.match(opts.only)) continue;
    for (const source of sources) {
      const v = judged(source, from, to, core.hz);
      rows.push({ name, voice: source.name, ...v });
      console.log(`| ${name} | ${source.name} | ${columns(v)} | ${v.tone.toFixed(2)}${isBad(v) ? ' FAILED' : ''} |`);
    }
  }
}
writeFileSync(join(opts.out, 'matrix.json'), JSON.stringify(rows, null, 1));
const failed = rows.filter(isBad).length;
console.log(`${rows.length} cells, ${failed} failed`);
process.exit(failed || unequal.length || rows.length === 0 ? 1 : 0);
