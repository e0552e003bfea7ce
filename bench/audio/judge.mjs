// SPDX-License-Identifier: BSD-3-Clause
// One cell: plays its trace through the gateway's playout and lays what comes out, and what others made of the same trace, over what the packets are
// without a network. A worker thread of run.mjs, as the distance takes a second.
import { existsSync, readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { HZ, distance } from './distance.mjs';
import { resample, run, samples } from './speech.mjs';
import { parse } from './trace.mjs';

export const CODECS = {
  opus: { hz: 48000, clock: 48000, top: 7600, neteq: true }, pcma: { hz: 8000, clock: 8000, top: 3400, neteq: true }, g722: { hz: 16000, clock: 8000, top: 7000, neteq: true },
  amr: { hz: 8000, clock: 8000, top: 3400 }, 'amr-wb': { hz: 16000, clock: 16000, top: 6400 },
};
const PHONE_TOP = 3400; // what a phone with PCMU hears

const means = ({ lsd, delay }) => ({ lsd, delay });
const pcmOf = (buf, hz) => samples(resample(buf, hz, HZ));

/** What the gateway counts on the way in: RFC 3550 section 6.4.1, and runs of losses. */
function counted(packets, clock) {
  const seqs = new Set(packets.map((p) => p.seq));
  let lost = 0, runs = 0, jitter = 0, before = null;
  for (let seq = Math.min(...seqs); seq <= Math.max(...seqs); seq++) {
    if (seqs.has(seq)) continue;
    lost++;
    if (seqs.has(seq - 1)) runs++;
  }
  for (const p of packets) {
    const transit = p.at - p.timestamp / clock * 1e6;
    if (before !== null) jitter += (Math.abs(transit - before) - jitter) / 16;
    before = transit;
  }
  return { came: packets.length, lost, runs, jitter_us: Math.round(jitter) };
}

/** What a phone makes of a gateway's PCMU, with a jitter buffer as ours; and what that gateway says of the stream that came. */
function relayed(program, clean, trace) {
  if (!existsSync(trace)) return undefined;
  const heard = run([program, 'play', 'pcmu', '8000'], readFileSync(trace)).stdout;
  const said = trace.replace(/\.trace$/, '.json');
  const mos = existsSync(said) ? Object.values(JSON.parse(readFileSync(said))).map((s) => s['average MOS']).find((m) => m) : undefined;
  return { ...means(distance(clean, pcmOf(heard, 8000), PHONE_TOP)), mos };
}

parentPort?.on('message', ({ program, clean: cleanFile, file, codec, ...cell }) => {
  const { hz, clock, top } = CODECS[codec];
  const clean = samples(readFileSync(cleanFile)), trace = readFileSync(`${file}.trace`);
  const played = run([program, 'play', codec, `${hz}`], trace);
  const row = { ...cell, codec, ...counted(parse(trace.toString()), clock), playout: JSON.parse(played.stderr.toString()), gateway: means(distance(clean, pcmOf(played.stdout, hz), top)) };
  if (existsSync(`${file}.neteq.pcm`)) row.neteq = means(distance(clean, samples(readFileSync(`${file}.neteq.pcm`)), top));
  for (const engine of ['agwd', 'rtpengine']) row[engine] = relayed(program, clean, `${file}.${engine}.trace`);
  parentPort.postMessage(row);
});
