#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// The standard campaign: every step against every gateway, in rounds, the gateways taking turns at being first.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopAll } from '../tests/e2e/lib/proc.mjs';
import { runInside } from '../tests/e2e/lib/sandbox.mjs';
import { describeBuild, describeCommit, describeMachine, describeVersions } from './lib/machine.mjs';
import { runProgram } from './lib/program.mjs';
import { write } from './lib/report.mjs';
import { speech } from './audio/speech.mjs';
import * as relay from './lib/steps.mjs';
import { describeStep, forGateway, tell } from './lib/steps.mjs';
import * as transcode from './lib/transcode.mjs';

const HELP = `usage: ./dev bench [OPTIONS]

  --rounds=N            default 3; 1 in a quick run
  --quick               few short steps: does it work here? Its figures mean little
  --only=REGEX          only these steps
  --transcode           codecs that the gateway changes, instead of what it passes; agwd and rtpengine beside the codecs alone
  --gateways=LIST       default agwd,agwd_xdp,rtpengine; the last one is what the others are compared with
  --out=DIR             all results go there instead of bench/baselines/ and docs/

./dev bench micro --help: single operations.

On two machines (docs/bench-on-your-NIC.md): ./dev bench serve --help, and here
  --machine=ADDRESS     where the gateways are; results go to build/bench/report
  --interface=NAME      our card toward it`;

const TREE = fileURLToPath(new URL('..', import.meta.url));
const many = cpus().length > 1;
const { CODECS } = transcode;

function parse(argv) {
  const opts = { rounds: '', quick: false, transcode: false, only: '.', gateways: '', build: join(TREE, 'build/bench'), out: '', workers: '1', machine: '', interface: '',
    'gateway-cpus': many ? '1' : '', 'generator-cpus': many ? '0' : '', inner: false, help: false };
  for (const a of argv) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(a) ?? [];
    if (!(name in opts)) throw new Error(`unknown option ${a}\n${HELP}`);
    if ((typeof opts[name] === 'boolean') !== (value === undefined)) throw new Error(`--${name} ${value === undefined ? 'wants a' : 'takes no'} value\n${HELP}`);
    opts[name] = value ?? true;
  }
  opts.rounds = Number(opts.rounds || (opts.quick ? 1 : 3));
  if (!(opts.rounds >= 1)) throw new Error(`--rounds wants a number\n${HELP}`);
  opts.sheet = opts.transcode ? transcode : relay;
  opts.gateways = (opts.gateways || (opts.transcode ? `agwd,agwd_xdp,rtpengine,${CODECS}` : 'agwd,agwd_xdp,rtpengine')).split(',');
  return opts;
}

const ATTEMPTS = 3;
const BLAMED = { generator: 'the generator itself', others: 'others on this machine' };

/** failure: why it says nothing; null = it does. */
function judge(step, { status, signal, json, stdout, output }) {
  if (!json) return { reached: true, failure: status === 0 ? `it printed no JSON: ${stdout.slice(-300)}` : `it ended with ${signal ?? status}: ${output.slice(-600)}` };
  const boundBy = json.carried === false ? json.bounded_by : null;
  if (step.mayFail && boundBy === 'gateway') return { reached: false, failure: null };
  if (status !== 0) return { reached: true, failure: json.doubt ?? `it ended with ${signal ?? status}` };
  return { reached: true, failure: boundBy in BLAMED ? `the load was not carried, and ${BLAMED[boundBy]} had the CPU that was missing` : null };
}

/** One step against one gateway, freshly started. A measurement that says of itself that it is not valid (most often: this
 *  machine had other things to do) is made again; what stays wrong is told, not hidden. A load that is meant to be too much
 *  for some is "not reached" by a gateway that did not carry it, which is no failure and not made again. */
async function measure(step, kind, opts, place) {
  for (let attempt = 1; ; attempt++) {
    const alone = kind === CODECS; // a program, in the gateway's place
    const gateway = alone ? null : place.gateway(kind, step.variant);
    const began = { at: Date.now(), stolen: stolenMs() };
    let done = null;
    let failure = null;
    let reached = true;
    try {
      place.prepare?.(step);
      await gateway?.start();
      const where = alone ? { ...opts, 'generator-cpus': opts['gateway-cpus'] } : opts;
      done = await runProgram(step.argv, where, gateway, { bare: alone, quiet: true, limitMs: step.limitMs ?? 120000 });
      ({ failure, reached } = judge(step, done));
    } catch (e) {
      failure = e.message;
    }
    failure = (await gateway?.stop()) ?? failure;
    if (!failure || attempt === ATTEMPTS)
      return { step: step.id, gateway: kind, attempt, failure, reached, seconds: Math.round((Date.now() - began.at) / 1000), backlog_drops: done?.backlogDrops ?? 0, stolen_ms: stolenMs() - began.stolen, result: done?.json ?? null };
    console.log(`       again: ${step.id} ${kind}: ${failure.split('\n')[0]}`);
  }
}

/** A file of speech for calls whose codec is changed. */
function saySomething(out) {
  mkdirSync(out, { recursive: true });
  const file = join(out, 'speech.pcm');
  writeFileSync(file, speech('man', 16000, out));
  return file;
}

/** What the hypervisor kept from this machine's CPUs, in all. */
function stolenMs() {
  return Number(readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/)[8] ?? 0) * 10;
}

function said(run, rows) {
  if (run.failure) return `NOT VALID ${run.failure}`;
  return `${run.reached ? '' : 'not reached: '}${tell(run.step, run.result, rows)} (${run.seconds} s)`;
}

async function rounds(opts, plan, place) {
  const runs = [];
  for (let round = 1; round <= opts.rounds; round++)
    for (const step of plan.filter((s) => round === 1 || !s.once)) {
      const order = round % 2 ? opts.gateways : [...opts.gateways].reverse();
      for (const kind of order.filter((k) => !step.not?.includes(k))) {
        const run = { round, ...(await measure(forGateway(step, kind), kind, opts, place)) };
        runs.push(run);
        console.log(`${round}/${opts.rounds} ${step.id} ${kind}: ${said(run, opts.sheet.ROWS)}`);
      }
    }
  return runs;
}

/** Where gateways are started: in namespaces of our own, or on another machine. */
async function openPlace(opts) {
  if (opts.machine) return (await import('./lib/remote.mjs')).openRemote(opts.machine, opts.interface);
  const { deliverBy, goFirst, makeBenchNetwork, NET } = await import('./lib/net.mjs');
  const { BenchGateway, commandLine } = await import('./lib/gateway.mjs');
  goFirst();
  makeBenchNetwork();
  const full = { ...opts, net: NET, out: join(opts.build, 'out') };
  return {
    about: { machine: describeMachine(), versions: describeVersions(opts.build), build: describeBuild(opts.build), workers: opts.workers, cpus: opts['gateway-cpus'] },
    net: NET,
    gateway: (kind, variant) => new BenchGateway(kind, full, variant),
    command: (kind) => commandLine(kind, full).map((w) => w.replace(TREE, '')).join(' '),
    prepare: (step) => deliverBy(step.delivery === 'sender' ? '' : opts['generator-cpus']),
    close: () => {},
  };
}

async function campaign(opts) {
  const place = await openPlace(opts);
  const end = async (why) => {
    console.log(`stopped: ${why}`);
    await stopAll();
    place.close();
    process.exit(130);
  };
  process.on('disconnect', () => end('the starter is gone'));
  for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(sig, () => end(sig));
  try {
    if (opts.transcode) opts.speech = saySomething(join(opts.build, 'out'));
    const plan = opts.sheet.steps(opts).filter((s) => new RegExp(opts.only).test(s.id));
    const results = {
      date: new Date().toISOString(),
      ...describeCommit(TREE),
      gateway: place.about,
      generator: { machine: describeMachine(), build: describeBuild(opts.build), cpus: opts['generator-cpus'], interface: opts.interface || 'veth' },
      load_average: loadavg(),
      rounds: opts.rounds,
      quick: opts.quick,
      commands: Object.fromEntries(opts.gateways.map((g) => [g, g === CODECS ? 'micro_transcode' : place.command(g)])),
      steps: Object.fromEntries(plan.map((s) => [s.id, describeStep(s, opts.gateways).replaceAll(TREE, '')])),
    };
    results.runs = await rounds({ ...opts, net: place.net, out: join(opts.build, 'out') }, plan, place);
    results.seconds = Math.round((Date.now() - Date.parse(results.date)) / 1000);
    console.log(`\n${write(results, TREE, opts.out || (opts.quick || opts.machine ? join(opts.build, 'report') : ''), opts.sheet)}`);
    const bad = results.runs.filter((r) => r.failure);
    for (const r of bad) console.log(`not valid: round ${r.round}, ${r.step}, ${r.gateway}: ${r.failure.split('\n')[0]}`);
    return bad.length ? 1 : 0;
  } finally {
    place.close();
  }
}

let opts;
try {
  opts = parse(process.argv.slice(2));
} catch (e) {
  console.error(e.message);
  process.exit(2);
}
if (opts.help) console.log(HELP);
else process.exit(opts.inner || opts.machine ? await campaign(opts) : await runInside(fileURLToPath(import.meta.url), process.argv.slice(2), { detached: true }));
