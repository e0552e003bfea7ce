// SPDX-License-Identifier: BSD-3-Clause
// ./dev bench --transcode: codecs that the gateway changes. Which program runs, which figures become rows. Beside the gateways a column "codecs": the same
// packets through the same libraries, with nothing around them (bench/micro/transcode.c), on the gateway's CPU and in the same rounds: as many calls as the gateway
// has, and one alone.
import { at } from './summary.mjs';

export const CODECS = 'codecs';
export const MARKS = ['<!-- transcode results: written by ./dev bench --transcode -->', '<!-- /transcode results -->'];

/** Calls at which agwd needs some half of a core or more, and what rtpengine 10.5 carries. Its libraries have no AMR encoder. */
const PAIRS = {
  'pcma-pcmu': { text: 'PCMA, PCMU', calls: 400, theirs: 400, goal: 10 },
  'pcma-g722': { text: 'PCMA, G722', calls: 300, theirs: 300 },
  'opus-pcma': { text: 'Opus, PCMA', calls: 80, theirs: 20 },
  'opus-amr': { text: 'Opus, AMR 12.2', calls: 56, theirs: 0 },
  'opus-amr-wb': { text: 'Opus, AMR-WB 12.65; 40 % pauses, 2 % loss', calls: 32, theirs: 0 },
};
const OURS = ['agwd', 'agwd_xdp'], THEIRS = ['rtpengine', 'rtpengine-kernel'];
const WAYS = { a: 'Opus to PCMA', b: 'PCMA to Opus' };

/** speech: the file that they all send. */
export function steps({ quick, speech, build }) {
  const seconds = `--seconds=${quick ? 2 : 4}`;
  const said = (pair) => [`--pair=${pair}`, `--speech=${speech}`];
  const alone = (pair, calls) => [`${build}/bench/micro/micro_transcode`, ...said(pair), `--calls=${calls}`];
  const media = (pair, ...more) => (kind) => (kind === CODECS ? alone(pair, PAIRS[pair].calls)
    : ['load', 'media', ...said(pair), `--calls=${THEIRS.includes(kind) ? PAIRS[pair].theirs : PAIRS[pair].calls}`, seconds, '--warm-up=2', '--p99-limit-us=20000', ...more]);
  const not = (pair) => (PAIRS[pair].theirs ? [] : THEIRS);
  const clean = ['--pause-percent=0', '--loss-percent=0'];
  const mix = (coded, calls) => ['load', 'mix', ...said('opus-amr-wb'), `--calls=${calls}`, `--coded-percent=${coded}`, '--video-percent=0', seconds, '--warm-up=2'];
  const search = (mode, calls) => ['load', mode, ...said('opus-amr-wb'), `--calls=${calls}`, '--seconds=3', '--warm-up=1', '--step-percent=5', '--p99-limit-us=20000'];
  const others = ['agwd_xdp', ...THEIRS, CODECS];
  const all = [
    ...Object.keys(PAIRS).map((pair) => ({ id: `frame-${pair}`, argv: media(pair), not: not(pair), variant: 'equal-opus', wide: !['pcma-pcmu', 'opus-amr-wb'].includes(pair) })),
    ...Object.keys(PAIRS).map((pair) => ({ id: `one-${pair}`, argv: alone(pair, 1), not: [...OURS, ...THEIRS], wide: true })),
    { id: 'mix-idle', argv: mix(0, 100), not: others, once: true },
    { id: 'mix-over', argv: mix(50, 200), not: others, once: true },
    { id: 'mix-sheds', argv: mix(50, 200), not: others, variant: 'sheds', once: true },
    ...Object.keys(WAYS).map((side) => ({ id: `way-${side}`, argv: media('opus-pcma', `--talkers=${side}`), variant: 'equal-opus', wide: true })),
    ...Object.keys(PAIRS).map((pair) => ({ id: `delay-${pair}`, argv: ['load', 'delay', ...said(pair), ...clean], not: ['agwd_xdp', CODECS, ...not(pair)], once: true, wide: pair !== 'opus-pcma' })),
    { id: 'search-coded', argv: search('search', 40), not: others, once: true, wide: true, limitMs: 300000 },
    { id: 'search-mix', argv: search('mix-search', 60), not: others, once: true, wide: true, limitMs: 300000 },
  ];
  return all.filter((s) => !quick || !s.wide);
}

const us = (...paths) => (j) => paths.map((p) => at(j, p)).find((v) => v !== undefined) / 1e3;
const key = (path) => (j) => at(j, path);
const group = (name, ...rows) => rows.map(([id, text, unit, step, read]) => ({ id, group: name, text, unit, step, read }));
const calls = (j) => at(j, 'p99_below_20000_us.calls');
const pairs = Object.entries(PAIRS);

export const ROWS = [
  ...group('CPU of the gateway per frame of 20 ms, mean of both directions',
    ...pairs.map(([id, p]) => [`cpu-${id}`, p.text, 'us', `frame-${id}`, us('gateway_cpu_ns_per_frame', 'ns_per_frame')])),
  ...group('The same of one direction',
    ...Object.entries(WAYS).map(([side, text]) => [`cpu-way-${side}`, text, 'us', `way-${side}`,
      us('gateway_cpu_ns_per_frame', side === 'a' ? 'a_to_b_ns_per_frame' : 'b_to_a_ns_per_frame')])),
  ...group('The codecs with one call alone, whose state stays in the nearest cache',
    ...pairs.map(([id, p]) => [`one-${id}`, p.text, 'us', `one-${id}`, us('ns_per_frame')]),
    ...Object.entries(WAYS).map(([side, text]) => [`one-way-${side}`, text, 'us', 'one-opus-pcma', us(side === 'a' ? 'a_to_b_ns_per_frame' : 'b_to_a_ns_per_frame')])),
  ...group('Largest load on one worker, loss below 0.1 % and every 99 of 100 packets less than 20 ms behind the quickest',
    ['max-coded', 'calls Opus to AMR-WB, 40 % pauses, 2 % loss', 'calls', 'search-coded', calls],
    ['max-mix', 'the same 70 %, audio that passes 25 %, video that passes 5 %', 'calls', 'search-mix', calls],
    ['max-coded-cpu', 'CPU of the gateway in the former', '% of a core', 'search-coded', (j) => at(j, 'p99_below_20000_us.cpu.gateway_per_mille_of_a_core') / 10]),
  ...group('Heard later than it left, clean network (packet\'s own 20 ms not counted)',
    ...pairs.flatMap(([id, p]) => [['a_to_b', 'there'], ['b_to_a', 'back']].map(([way, text]) =>
      [`delay-${id}-${way}`, `${p.text.split(';')[0]}, ${text}`, 'ms', `delay-${id}`, us(`${way}.heard_us`)])),
    ...pairs.map(([id, p]) => [`beyond-${id}`, `${p.text.split(';')[0]}, there, of it beyond the codecs' own`, 'ms', `delay-${id}`, us('a_to_b.added_beyond_codecs_us')])),
  ...group('100 calls that pass, beside 100 calls Opus to AMR-WB, which is twice what the worker can code',
    ['p99-idle', 'latency of those that pass with nothing beside them, p99', 'us', 'mix-idle', us('passed.latency.p99_ns')],
    ['p99-over', 'with all 100 taken (--max-cpu=0), p99', 'us', 'mix-over', us('passed.latency.p99_ns')],
    ['loss-over', 'their loss', 'ppm', 'mix-over', key('passed.loss_ppm')],
    ['p99-sheds', 'with --max-cpu=80, p99', 'us', 'mix-sheds', us('passed.latency.p99_ns')],
    ['loss-sheds', 'their loss', 'ppm', 'mix-sheds', key('passed.loss_ppm')],
    ['in-sheds', 'of 100 that pass came in', 'calls', 'mix-sheds', key('passed.up')],
    ['coded-sheds', 'of 100 Opus to AMR-WB came in, the rest is refused with load limit', 'calls', 'mix-sheds', key('coded.up')],
    ['coded-p99-sheds', 'how far packets of these are behind, p99', 'us', 'mix-sheds', us('coded.latency.p99_ns')]),
];

export const PICTURES = [];
export const SUFFIX = '-transcode';
