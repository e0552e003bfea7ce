#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Do the instruments measure, and do they notice? ./dev test bench. No figure is judged here: that is ./dev bench.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runAll, suite, test } from '../tests/e2e/lib/runner.mjs';
import { HZ, distance } from './audio/distance.mjs';
import { resample, samples, speech } from './audio/speech.mjs';
import { NETWORKS, format, parse, pass } from './audio/trace.mjs';
import { summarize } from './lib/report.mjs';
import * as relay from './lib/steps.mjs';
import * as transcode from './lib/transcode.mjs';
import { cell, figure, markdown, median, short } from './lib/summary.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OUT = join(HERE, '../build/bench/smoke');

/** node bench/run.mjs ...: { status, stdout, stderr }. */
function bench(t, ...argv) {
  const child = spawn(process.execPath, [join(HERE, 'run.mjs'), `--out=${OUT}`, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.cleanup(() => child.exitCode ?? child.kill('SIGTERM'));
  const said = { stdout: '', stderr: '' };
  for (const s of ['stdout', 'stderr']) child[s].on('data', (d) => { said[s] += d; });
  return new Promise((done) => child.once('close', (status) => done({ status, ...said })));
}

function equal(what, is, wanted) {
  if (JSON.stringify(is) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
}

function script(name, text) {
  const path = join(OUT, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

suite('figures');

test('median, spread and short numbers', async () => {
  equal('odd', median([5, 1, 3]), 3);
  equal('even', median([4, 1, 3, 2]), 2.5);
  equal('holes', median([undefined, 7, NaN, null]), 7);
  equal('none', median([]), null);
  equal('short', [0, 0.0123456, 4.5678, 78.94, 1234.4, null].map(short), ['0', '0.0123', '4.57', '78.9', '1234', '-']);
  const f = figure([{ a: 3 }, null, { a: 1 }, { a: 2 }, {}], (r) => r.a);
  equal('figure', f, { median: 2, least: 1, most: 3, rounds: 3 });
  equal('cell', cell(f), '2 (1-3)');
});

test('the table has a ratio, ours to theirs', async () => {
  const one = (m) => ({ median: m, least: m, most: m, rounds: 1 });
  const table = markdown([{ group: 'G', text: 'x', unit: 'us', figures: { agwd: one(2), rtpengine: one(8) } },
    { group: 'G', text: 'y', unit: 'us', figures: { agwd: one(2), rtpengine: one(null) } }], ['agwd', 'rtpengine'], { agwd: 'A', rtpengine: 'R' });
  equal('rows', table.split('\n').slice(3), ['| x, us | 2 | 8 | 0.25 |', '| y, us | 2 | - | - |']);
});

test('a load that was not reached is told, and a row by another one', async () => {
  const f = figure([{ a: 3 }], (r) => r.a);
  equal('once', cell({ ...f, unreached: 1 }), '3, 1 x not reached');
  equal('never', cell({ ...figure([], (r) => r.a), unreached: 2 }), 'not reached');
  const run = (step, gateway_cpu_ns_per_packet, reached = true) => ({ step, gateway: 'agwd', failure: null, reached, result: { gateway_cpu_ns_per_packet } });
  const rows = summarize({ commands: { agwd: '' }, steps: { 'streams-100': '', 'streams-8000': '', 'media-1000': '' },
    runs: [run('streams-100', 4000), run('streams-8000', 6000), run('media-1000', 9000, false)] });
  const of = (id) => rows.find((r) => r.id === id).figures.agwd;
  equal('quotient', of('streams-growth').median, 1.5);
  equal('not reached', cell(of('cpu-media-1000')), 'not reached');
});

for (const { ROWS, steps } of [relay, transcode])
  test('every row has its step, and no two rows one name', async () => {
  const known = new Set(steps({ quick: false }).map((s) => s.id));
  equal('rows without a step', ROWS.filter((r) => !known.has(r.step)).map((r) => r.id), []);
  equal('names', new Set(ROWS.map((r) => r.id)).size, ROWS.length);
  const per = ROWS.filter((r) => r.per).map((r) => r.per);
  equal('divisors', per.filter((id) => !ROWS.some((r) => r.id === id)), []);
});

suite('runner');

test('output and exit status of the program come through', async (t) => {
  const r = await bench(t, '--gateway=none', '--', script('says', 'echo "$@"; exit 7'), 'mode', '--x=1');
  equal('status', r.status, 7);
  equal('output', r.stdout, 'mode --interface=eth0 --ng=10.98.0.1:2223 --gateway=10.98.0.1 --hosts=10.99.0.0/16 --x=1\n');
});

test('a gateway that does not start, or dies, is told', async (t) => {
  const refused = await bench(t, '--gateway-arg=--no-such-option=1', '--', '/bin/true');
  equal('status of a refused start', refused.status, 3);
  const killed = await bench(t, '--', script('kills', 'for a; do case $a in --gateway-pid=*) kill -9 ${a#*=};; esac; done'));
  equal('status of a death', killed.status, 3);
  if (!/SIGKILL/.test(killed.stderr)) throw new Error(`nothing is said of the death: ${killed.stderr}`);
});

/** The JSON of a program that ended well. A generator that was not given its CPU in time says so and may try again: other
 *  programs run on the machines where tests run. */
async function measured(t, gateway, ...argv) {
  for (let attempt = 1; ; attempt++) {
    const r = await bench(t, `--gateway=${gateway}`, '--', ...argv);
    if (r.status === 0) return JSON.parse(r.stdout);
    if (attempt === 3 || r.status !== 1 || !/schedule/.test(r.stderr)) throw new Error(`${argv.join(' ')}: status ${r.status}\n${r.stderr}`);
    t.note(`again: ${r.stderr.trim().split('\n').pop()}`);
  }
}

suite('load');

test('finds exactly what it spoils itself', async (t) => {
  const j = await measured(t, 'agwd', 'load', 'selftest', '--calls=20', '--seconds=2');
  t.note(`of ${j.packets_due} packets spoilt: ${JSON.stringify(j.spoilt)}`);
});

for (const gateway of ['agwd', 'agwd_xdp', 'rtpengine'])
  test(`20 calls through ${gateway}: all packets, each once, CPU and memory told`, async (t) => {
    const j = await measured(t, gateway, 'load', 'media', '--calls=20', '--seconds=2');
    equal('findings', [j.lost, j.duplicate, j.corrupt, j.foreign, j.header], [0, 0, 0, 0, 0]);
    if (!(j.packets_relayed > 3600 && j.gateway_cpu_ns_per_packet > 500 && j.rss_bytes_per_call > 0 && j.latency.p50_ns > 1000))
      throw new Error(`figures that cannot be: ${JSON.stringify(j)}`);
    t.note(`${(j.gateway_cpu_ns_per_packet / 1000).toFixed(1)} us/packet, p50 ${(j.latency.p50_ns / 1000).toFixed(0)} us (nobody judges this here)`);
  });

test('codecs that the gateway changes: what leaves is whole and in order, and costs what it costs', async (t) => {
  const file = join(OUT, 'speech.pcm');
  writeFileSync(file, speech('man', 16000, OUT));
  const j = await measured(t, 'agwd', 'load', 'media', '--pair=opus-amr-wb', `--speech=${file}`, '--calls=4', '--seconds=1');
  equal('findings', [j.lost, j.duplicate, j.foreign, j.header], [0, 0, 0, 0]);
  const alone = JSON.parse(execFileSync(join(HERE, '../build/bench/bench/micro/micro_transcode'), ['--pair=pcma-pcmu', `--speech=${file}`]));
  if (!(j.packets_relayed > 100 && j.gateway_cpu_ns_per_frame > 1000 && alone.ns_per_frame > 50)) throw new Error(`figures that cannot be: ${JSON.stringify([j, alone])}`);
  t.note(`${j.gateway_cpu_ns_per_frame / 1000} us a frame (nobody judges this here)`);
});

for (const gateway of ['agwd', 'rtpengine'])
  test(`SRTP to SRTP through ${gateway}: both suites, RTCP too`, async (t) => {
    for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM']) {
      const j = await measured(t, gateway, 'load', 'media', '--calls=10', '--seconds=1', '--kind=webrtc-sdes', `--suite=${suite}`);
      equal('findings', [j.lost, j.duplicate, j.corrupt, j.foreign, j.header, j.srtp_auth_failed, j.srtp_replayed], [0, 0, 0, 0, 0, 0, 0]);
      equal('RTCP', [j.rtcp_to_a.bad, j.rtcp_to_b.bad], [0, 0]);
    }
  });

/** Every call that was started is told of, no packet is wrong, and "carried" is what the figures say. */
function consistent(what, j, calls) {
  equal(`${what}: calls`, [calls.came_up > 0, calls.came_up + calls.failed], [true, calls.started]);
  equal(`${what}: findings`, [j.duplicate, j.corrupt, j.foreign, j.header], [0, 0, 0, 0]);
  equal(`${what}: carried`, j.carried, calls.came_up === calls.started && j.loss_ppm < 1000 && j.latency.p99_ns < 20e6);
  equal(`${what}: bounded by`, j.carried || ['gateway', 'generator', 'others'].includes(j.bounded_by), true);
}

test('new calls beside those that talk', async (t) => {
  const storm = await measured(t, 'agwd', 'load', 'storm', '--calls=10', '--rate=40', '--seconds=1');
  consistent('storm', storm, storm.storm);
});

test('calls that come, talk and end', async (t) => {
  const churn = await measured(t, 'rtpengine', 'load', 'churn', '--rate=10', '--seconds=1', '--hold=0.5', '--pps=2000');
  consistent('churn', churn, churn);
});

suite('micro');

test('operations are timed, and can be counted', async (t) => {
  const program = join(HERE, '../build/bench/bench/micro/micro_classify');
  const timed = JSON.parse(execFileSync(program, ['--only=classify_core']));
  if (!(timed.classify_core.cpu_ps_per_operation > 500)) throw new Error(JSON.stringify(timed));
  t.note(`${timed.classify_core.cpu_ps_per_operation / 1000} ns`);
  equal('counted', JSON.parse(execFileSync(program, ['--only=classify_core', '--count=100'])).classify_core.operations, 100);
});

suite('audio');

test('the distance of what is played late, early or stretched: next to none where the very same samples are', (t) => {
  const program = join(HERE, '../build/bench/bench/audio/audio'), SPAN = 512, REACH = 1000, RATE = 8000;
  const packets = execFileSync(program, ['encode', 'pcma', `${RATE}`], { input: speech('man', RATE, OUT), maxBuffer: 1 << 26 });
  const pcm = (mode, trace) => samples(resample(execFileSync(program, [mode, 'pcma', `${RATE}`], { input: trace, maxBuffer: 1 << 26, stdio: ['pipe', 'pipe', 'ignore'] }), RATE, HZ));
  const ref = pcm('decode', packets), out = pcm('play', format(pass(parse(packets.toString()), NETWORKS['jitter-80'], 8)));
  const isSame = (at, to) => {
    let apart = 0, all = 1;
    for (let i = 0; i < SPAN; i++) { apart += (ref[at + i] - out[to + i]) ** 2; all += ref[at + i] ** 2; }
    return apart < 1e-4 * all;
  };
  const { hops } = distance(ref, out, RATE / 2);
  const differ = hops.map((h, i) => ({ ...h, at: Math.round(i * HZ / 50) })).filter((h) => h.lsd > 1);
  const wrong = differ.filter(({ at, delay }) => Array.from({ length: 2 * REACH }, (_, i) => at + Math.round(delay * HZ / 1000) - REACH + i).some((to) => isSame(at, to)));
  t.note(`of ${hops.length} hops ${differ.length} differ, ${wrong.length} of them are somewhere near as they were`);
  if (!(hops.length > 1400 && differ.length > 10 && wrong.length < hops.length / 100)) throw new Error('audio is not found where it is');
});

// Here a figure is judged, as it depends on no machine.
test('the chain is as good as ffmpeg with the same libraries, cell by cell', async (t) => {
  const argv = [join(HERE, 'audio/matrix.mjs'), `--build=${join(HERE, '../build/bench/bench/audio')}`, `--out=${join(OUT, 'audio')}`, '--voices=woman', '--seconds=6'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.cleanup(() => child.exitCode ?? child.kill('SIGTERM'));
  let table = '';
  child.stdout.on('data', (d) => { table += d; });
  const status = await new Promise((done) => child.once('close', done));
  if (status !== 0 || !table.endsWith('14 cells, 0 failed\n')) throw new Error(table);
}, { timeout: 120000 });

suite('replay');

for (const gateway of ['agwd', 'rtpengine'])
  test(`a captured stream with digits comes through ${gateway} as it was`, async (t) => {
    await measured(t, gateway, 'replay', join(HERE, 'replay/samples/dtmf-chromium.pcap'), '--p99-limit-us=50000');
  });

mkdirSync(OUT, { recursive: true });
const only = process.argv.slice(2).map((a) => /^--only=(.*)$/.exec(a)?.[1]).find(Boolean) ?? '.';
const total = await runAll({ opts: { gateway: 'agwd' } }, new RegExp(only));
if (total.failures.length) console.log(`failed:\n${total.failures.map((f) => `  ${f}`).join('\n')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed || total.passed + total.skipped === 0 ? 1 : 0);
