#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Every sample capture through every gateway: node bench/replay/matrix.mjs [--gateways=LIST] [--speeds=LIST] [--only=REGEX] [--write]
// Prints a table; --write also puts it into docs/BENCH.md. Ends with 1 unless every run is equal and in time.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const RUN = join(HERE, '../run.mjs');
const PAGE = join(HERE, '../../docs/BENCH.md');
const BEGIN = '<!-- replay results -->';
const END = '<!-- end of replay results -->';
const KINDS = ['webrtc-rtp', 'rtp-webrtc', 'rtp-rtp'];
const TRIES = 3; // of what was late: in a capture of 130 packets one stall of this machine is the 99th percentile

function options(argv) {
  const opts = { gateways: 'agwd,agwd_xdp,rtpengine', speeds: '1', only: '.', write: false };
  for (const a of argv) {
    const [, name, value] = /^--([a-z]+)(?:=(.+))?$/.exec(a) ?? [];
    if (!(name in opts) || (typeof opts[name] === 'boolean') !== (value === undefined)) throw new Error(`unknown option ${a}`);
    opts[name] = value ?? true;
  }
  return opts;
}

function replay(gateway, file, kind, speed) {
  const args = [RUN, `--gateway=${gateway}`, '--', 'replay', file, `--kind=${kind}`, `--speed=${speed}`];
  for (let attempt = 1; ; attempt++) {
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    let result;
    try {
      result = JSON.parse(stdout);
    } catch {
      return { verdict: `no result (exit ${status}): ${stderr.trim().split('\n').pop()}`, attempt };
    }
    if (!['unsure', 'late'].includes(result.verdict) || attempt === TRIES) return { ...result, attempt };
  }
}

const FAULTS = /_differs$|^lost$|^duplicates$|^reordered$|^foreign$/;
const faults = ({ packets }) => Object.entries(packets ?? {}).filter(([name]) => FAULTS.test(name)).reduce((sum, [, n]) => sum + n, 0);
const ms = (ns) => (ns / 1e6).toFixed(2);

function row(gateway, file, kind, speed) {
  const r = replay(gateway, file, kind, speed);
  const cells = [basename(file), kind, `${speed}x`, gateway, r.packets?.sent ?? '-', r.packets ? faults(r) : '-', r.timing_error ? ms(r.timing_error.p99_ns) : '-', r.attempt, r.verdict];
  console.log(`| ${cells.join(' | ')} |`);
  return { text: `| ${cells.join(' | ')} |`, equal: r.verdict === 'equal' };
}

const opts = options(process.argv.slice(2));
const samples = readdirSync(join(HERE, 'samples')).filter((f) => /\.pcap(ng)?$/.test(f) && new RegExp(opts.only).test(f)).map((f) => join(HERE, 'samples', f));
const head = ['| capture | call | speed | gateway | packets | faults | timing error p99, ms | tries | verdict |', '|---|---|---|---|---|---|---|---|---|'];
console.log(head.join('\n'));
const rows = [];
for (const file of samples)
  for (const kind of KINDS)
    for (const speed of opts.speeds.split(','))
      for (const gateway of opts.gateways.split(',')) rows.push(row(gateway, file, kind, speed));
const equal = rows.filter((r) => r.equal).length;
console.log(`${equal} of ${rows.length} equal and in time`);
if (opts.write) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END) + END.length)];
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${[...head, ...rows.map((r) => r.text)].join('\n')}\n\n${equal} of ${rows.length} equal and in time.\n\n${END}${rest}`);
}
process.exitCode = equal === rows.length ? 0 : 1;
