#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Loss and jitter: distance and mouth-to-ear delay of the gateway, beside libwebrtc's NetEq and Debian's rtpengine fed with the same traces. See README.md.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { spawnSync } from 'node:child_process';
import { HZ } from './distance.mjs';
import { CODECS } from './judge.mjs';
import { heard, table } from './report.mjs';
import { VOICES, resample, run, speech } from './speech.mjs';
import { NETWORKS, format, parse, pass } from './trace.mjs';

const HELP = `usage: ./dev bench loss [OPTIONS]

  --seeds=LIST      of the networks; default 2,3. 1 is what the playout was tuned on
  --only=REGEX      cells CODEC_VOICE_NETWORK_SEED
  --beside=LIST     agwd (the program as a whole), rtpengine, neteq; default all. Each takes 33 s of real time a batch
  --calls=N         at once with NetEq, three times as many with the others; default 14. A busy machine makes all worse
  --keep            what others made of the traces is there from the run before: only judge it
  --wrtc=FOLDER     @roamhq/wrtc; default: fetched by npm to build/npm
  --build=DIR --out=DIR   default build/bench, OUT = BUILD/audio: traces, what became of them, rows.json,
                    heard.inc (rows of tests/control/heard.inc)`;

const TREE = fileURLToPath(new URL('../..', import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const WRTC = '@roamhq/wrtc@0.10.0';

const { values: opts } = parseArgs({ options: {
  seeds: { type: 'string', default: '2,3' }, only: { type: 'string', default: '.' }, beside: { type: 'string', default: 'agwd,rtpengine,neteq' }, calls: { type: 'string', default: '14' },
  keep: { type: 'boolean', default: false }, wrtc: { type: 'string', default: '' }, build: { type: 'string', default: join(TREE, 'build/bench') }, out: { type: 'string', default: '' },
  help: { type: 'boolean', default: false },
} });
if (opts.help) {
  console.log(HELP);
  process.exit(0);
}
const build = resolve(opts.build), out = resolve(opts.out || join(build, 'audio'));
const program = join(build, 'bench/audio/audio'), agwd = join(build, 'agwd');
mkdirSync(out, { recursive: true });

/** Packets of a voice, and the file of what they are without a network. */
function source(codec, voice) {
  const { hz } = CODECS[codec];
  const text = run([program, 'encode', codec, `${hz}`], speech(voice, hz, out)).stdout;
  const clean = join(out, `${codec}_${voice}.clean.pcm`);
  writeFileSync(clean, resample(run([program, 'decode', codec, `${hz}`], text).stdout, hz, HZ));
  return { packets: parse(text.toString()), clean };
}

function makeCells() {
  const cells = [];
  for (const codec of Object.keys(CODECS)) {
    for (const voice of Object.keys(VOICES)) {
      const of = opts.seeds.split(',').flatMap((seed) => Object.keys(NETWORKS).map((network) => ({ codec, voice, network, seed, cell: `${codec}_${voice}_${network}_${seed}` })))
        .filter(({ cell }) => new RegExp(opts.only).test(cell));
      if (of.length === 0) continue;
      const { packets, clean } = source(codec, voice);
      for (const c of of) {
        const file = join(out, c.cell);
        writeFileSync(`${file}.trace`, format(pass(packets, NETWORKS[c.network], Number(c.seed))));
        cells.push({ ...c, file, clean });
      }
    }
  }
  return cells;
}

/** In a network of its own, and before all others on the CPU where that is allowed: a late packet or a late ear would be the machine's fault. */
function inNetwork(argv) {
  const first = spawnSync('chrt', ['-r', '1', 'true']).status === 0 ? ['chrt', '-r', '1'] : [];
  const [command, ...rest] = [...first, 'unshare', process.getuid() === 0 ? '-n' : '-Urn', process.execPath, ...argv];
  if (spawnSync(command, rest, { stdio: 'inherit' }).status !== 0) throw new Error(`${argv[0]} failed`);
}

function inBatches(n, cells, script, ...args) {
  for (let i = 0; i < cells.length; i += n) inNetwork([here(script), `--agwd=${agwd}`, ...args, ...cells.slice(i, i + n).map((c) => `${c.file}.trace`)]);
}

/** The folder of libwebrtc for node; '' = it cannot be had. */
function wrtc() {
  const to = join(TREE, 'build/npm'), at = opts.wrtc || join(to, 'node_modules/@roamhq/wrtc');
  try {
    if (!existsSync(at)) run(['npm', 'install', '--no-save', '--prefix', to, WRTC]);
    createRequire(import.meta.url)(at);
    return at;
  } catch (e) {
    console.error(`NetEq is left out: ${e.message}`);
    return '';
  }
}

async function judge(cells) {
  const rows = [], left = [...cells];
  await Promise.all(cpus().map(() => new Promise((done, fail) => {
    const worker = new Worker(here('judge.mjs'));
    const next = () => { const c = left.shift(); if (c) worker.postMessage({ ...c, program }); else done(worker.terminate()); };
    worker.on('message', (row) => { rows.push(row); next(); });
    worker.on('error', fail);
    next();
  })));
  const order = cells.map((c) => c.cell);
  return rows.sort((a, b) => order.indexOf(a.cell) - order.indexOf(b.cell));
}

const cells = makeCells();
const beside = opts.keep ? [] : opts.beside.split(',');
for (const engine of ['agwd', 'rtpengine']) if (beside.includes(engine)) inBatches(3 * opts.calls, cells, 'relay.mjs', `--engine=${engine}`);
const folder = beside.includes('neteq') ? wrtc() : '';
if (folder) inBatches(Number(opts.calls), cells.filter((c) => CODECS[c.codec].neteq), 'neteq.mjs', `--wrtc=${folder}`);
const rows = await judge(cells);
writeFileSync(join(out, 'rows.json'), `${JSON.stringify(rows, null, 1)}\n`);
writeFileSync(join(out, 'heard.inc'), heard(rows));
console.log(table(rows));
