// SPDX-License-Identifier: BSD-3-Clause
// Loss and jitter: distance and mouth-to-ear delay of the gateway's jitter buffer, beside others that were fed the same traces. See README.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { HZ, distance } from './distance.mjs';
import { VOICES, resample, run, samples, speech } from './speech.mjs';
import { NETWORKS, format, parse, pass } from './trace.mjs';

export const CODECS = { opus: { hz: 48000, top: 7600 }, pcma: { hz: 8000, top: 3600 } };

const { values: opts } = parseArgs({ options: {
  build: { type: 'string', default: 'build/dev/bench/audio' },
  out: { type: 'string', default: 'build/audio' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  beside: { type: 'string', multiple: true, default: [] },
} });
const program = join(opts.build, 'audio');
mkdirSync(opts.out, { recursive: true });

/** Packets of a voice and what they are without a network. */
function source(codec, voice) {
  const { hz } = CODECS[codec];
  const text = run([program, 'encode', codec, `${hz}`], speech(voice, hz, opts.out)).stdout;
  const clean = run([program, 'decode', codec, `${hz}`], text).stdout;
  return { packets: parse(text.toString()), clean: samples(resample(clean, hz, HZ)) };
}

function gateway(codec, trace) {
  const { hz } = CODECS[codec];
  const r = run([program, 'play', codec, `${hz}`], trace);
  return { pcm: samples(resample(r.stdout, hz, HZ)), stats: JSON.parse(r.stderr.toString()) };
}

const fixed = (v, n = 1) => v.toFixed(n).padStart(6);
const rows = [];
for (const codec of Object.keys(CODECS)) {
  for (const voice of Object.keys(VOICES)) {
    const { packets, clean } = source(codec, voice);
    for (const [name, network] of Object.entries(NETWORKS)) {
      const cell = `${codec}-${voice}-${name}`;
      if (!cell.match(opts.only)) continue;
      const trace = format(pass(packets, network, Number(opts.seed)));
      writeFileSync(join(opts.out, `${cell}.trace`), trace);
      const { pcm, stats } = gateway(codec, trace);
      const row = { cell, gateway: distance(clean, pcm, CODECS[codec].top), stats };
      let line = `${cell.padEnd(30)} gateway ${fixed(row.gateway.lsd, 2)} dB ${fixed(row.gateway.delay)} ms`;
      const relayed = join(opts.out, `${cell}.rtpengine.trace`);
      if (existsSync(relayed)) { // its far end hears 8 kHz: compared up to there, and with a jitter buffer as ours
        const out = run([program, 'play', 'pcmu', '8000'], readFileSync(relayed));
        const ours = distance(clean, pcm, CODECS.pcma.top);
        row.rtpengine = { ...distance(clean, samples(resample(out.stdout, 8000, HZ)), CODECS.pcma.top), gateway: ours };
        line += `   rtpengine ${fixed(row.rtpengine.lsd, 2)} dB ${fixed(row.rtpengine.delay)} ms (gateway to 3.6 kHz ${fixed(ours.lsd, 2)} dB)`;
      }
      for (const other of opts.beside) {
        const file = join(opts.out, `${cell}.${other}.pcm`);
        if (!existsSync(file)) continue;
        row[other] = distance(clean, samples(readFileSync(file)), CODECS[codec].top);
        line += `   ${other} ${fixed(row[other].lsd, 2)} dB ${fixed(row[other].delay)} ms`;
      }
      console.log(`${line}   ${JSON.stringify(stats)}`);
      rows.push(row);
    }
  }
}
writeFileSync(join(opts.out, 'rows.json'), JSON.stringify(rows, null, 1));
