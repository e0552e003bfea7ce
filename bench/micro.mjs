#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// The microbenches: single operations of the packet's way and of set-up, CPU time and, where it means something,
// instructions; a table for docs/BENCH.md and a JSON file.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinned } from './lib/gateway.mjs';
import { describeBuild, describeCommit, describeMachine, describeVersions } from './lib/machine.mjs';
import { goFirst } from './lib/net.mjs';
import { replaceBetweenMarks, writeJson } from './lib/report.mjs';
import { short } from './lib/summary.mjs';

const HELP = `usage: ./dev bench micro [OPTIONS]

  --only=REGEX     only these operations; nothing is written then
  --out=DIR        the JSON file goes there, docs/ and bench/baselines/ stay as they are
  --cpu=N          default 1, or none where there is one CPU`;

const TREE = fileURLToPath(new URL('..', import.meta.url));
const BUILD = join(TREE, 'build/bench');

/** program, and what its operations cost in instructions: so many of them are counted. The others use code that is another
 *  one on each CPU (OpenSSL), where a count says little. */
const PROGRAMS = [
  { name: 'amr', counted: {} },
  { name: 'classify', counted: { classify_access: 64000, classify_core: 64000 } },
  { name: 'codecs', counted: {} },
  { name: 'stun', counted: { stun_peek: 10000, stun_parse: 10000 } },
  { name: 'negotiate', counted: { negotiate_audio: 100, negotiate_video: 100 } },
];

const opts = { only: '.', out: '', cpu: cpus().length > 1 ? '1' : '' };
for (const a of process.argv.slice(2)) {
  const [, name, value] = /^--([a-z]+)=(.*)$/s.exec(a) ?? [];
  if (!(name in opts)) {
    console.log(HELP);
    process.exit(a === '--help' ? 0 : 2);
  }
  opts[name] = value;
}

function run(argv) {
  const r = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (r.error || r.status !== 0) throw new Error(`${argv.join(' ')}: ${r.error?.message ?? `${r.status} ${r.stderr.slice(-600)}`}`);
  return r.stdout;
}

const program = (name) => join(BUILD, 'bench/micro', `micro_${name}`);
const measure = (name, ...args) => JSON.parse(run(pinned(opts.cpu, [program(name), ...args])));

/** Instructions of one operation, by callgrind. */
function instructions(name, operation, n) {
  const folder = mkdtempSync(join(tmpdir(), 'agw-micro-'));
  try {
    const out = join(folder, 'callgrind.out');
    run(['valgrind', '--tool=callgrind', `--callgrind-out-file=${out}`, '--collect-atstart=no', '--toggle-collect=micro_counted',
      program(name), `--only=${operation}`, `--count=${n}`]);
    return Math.round(Number(/^summary: (\d+)/m.exec(readFileSync(out, 'utf8'))[1]) / n);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** { id: { operation, ns, instructions } } */
function measureAll(wanted) {
  const all = {};
  for (const { name, counted } of PROGRAMS)
    for (const [id, r] of Object.entries(measure(name)).filter(([i]) => wanted.test(i))) {
      all[id] = { operation: r.operation, cpu_ns: r.cpu_ps_per_operation / 1e3, instructions: id in counted ? instructions(name, id, counted[id]) : null };
      console.log(`${id}: ${short(all[id].cpu_ns)} ns${all[id].instructions ? `, ${all[id].instructions} instructions` : ''}`);
    }
  return all;
}

function srtpRows(srtp) {
  const rows = [];
  for (const [suite, engines] of Object.entries(srtp).filter(([, v]) => typeof v === 'object'))
    for (const [engine, batches] of Object.entries(engines))
      rows.push([suite, engine, ...Object.values(batches).map((b) => `${short(b.protect_ps_per_packet / 1e3)} / ${short(b.unprotect_ps_per_packet / 1e3)}`)]);
  return rows;
}

function markdown(results) {
  const m = results.machine;
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const single = Object.values(results.operations).map((o) => line([o.operation, short(o.cpu_ns), o.instructions ?? '-']));
  return [`${results.date.slice(0, 10)}, commit ${results.commit.slice(0, 10)}${results.changed ? ' with changes' : ''}; ${m.cpu}, Linux ${m.kernel}; ${results.build.compiler}, \`${results.build.flags}\`; median of 101 rounds.`,
    '', line(['operation', 'CPU, ns', 'instructions']), '|---|---|---|', ...single,
    '', line(['SRTP, 160 bytes, protect / unprotect, ns a packet', 'engine', 'one by one', 'batches of 8', '32', '64']), `|${'---|'.repeat(6)}`,
    ...srtpRows(results.srtp).map(line)].join('\n');
}

goFirst();
const results = {
  date: new Date().toISOString(), ...describeCommit(TREE), machine: describeMachine(), build: describeBuild(BUILD), versions: describeVersions(BUILD), cpu: opts.cpu,
  operations: measureAll(new RegExp(opts.only)),
  srtp: new RegExp(opts.only).test('srtp') ? measure('srtp') : {},
};
const table = markdown(results);
console.log(`\n${table}`);
if (opts.only === '.') {
  console.log(`\nwritten: ${writeJson(results, TREE, opts.out, '-micro')}`);
  if (!opts.out) replaceBetweenMarks(join(TREE, 'docs/BENCH.md'), ['<!-- micro results: written by ./dev bench micro -->', '<!-- /micro results -->'], table);
}
