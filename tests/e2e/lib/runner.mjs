// SPDX-License-Identifier: BSD-3-Clause
// A small test runner: named tests in order, clean-up that always runs, one summary line at the end.
import { withTimeout } from './wait.mjs';

const tests = [];
let currentSuite = '';

export class Skip extends Error {}

export function suite(name, { before, after } = {}) {
  currentSuite = name;
  tests.push({ suite: name, before, after, cases: [] });
}

/** `known`: { rtpengine: 'reason' } marks a case which that gateway is known to fail; it then counts as skipped. */
export function test(name, fn, { timeout = 30000, known = {}, only } = {}) {
  tests.at(-1).cases.push({ name: `${currentSuite}: ${name}`, fn, timeout, known, only });
}

export function listTests() {
  return tests.flatMap((s) => s.cases.map((c) => c.name));
}

export async function runAll(ctx, filter) {
  const total = { passed: 0, failed: 0, skipped: 0, failures: [] };
  for (const s of tests) {
    const cases = s.cases.filter((c) => filter.test(c.name));
    if (cases.length === 0) continue;
    let broken = null;
    try {
      await s.before?.(ctx);
    } catch (e) {
      broken = e;
    }
    if (broken) console.log(`${s.suite} did not start: ${broken.stack ?? broken}`);
    for (const c of cases) await runCase(ctx, c, broken && new Error(`suite did not start: ${firstLine(broken)}`), total);
    try {
      await s.after?.(ctx);
    } catch (e) {
      report(total, `${s.suite}: end of suite`, 'failed', 0, e);
    }
  }
  return total;
}

async function runCase(ctx, c, broken, total) {
  const cleanups = [];
  const notes = [];
  const t = {
    name: c.name,
    ctx,
    cleanup: (fn) => cleanups.push(fn),
    skip: (why) => { throw new Skip(why); },
    note: (text) => notes.push(text),
  };
  const started = Date.now();
  let error = broken;
  if (!error) {
    try {
      await withTimeout(c.fn(t, ctx), c.timeout, c.name);
    } catch (e) {
      error = e;
    }
  }
  if (error && !broken && !(error instanceof Skip)) await ctx.onFailure?.(t, error);
  for (const fn of cleanups.reverse()) {
    try {
      await withTimeout(Promise.resolve(fn()), 10000, 'clean-up');
    } catch (e) {
      error ??= e;
    }
  }
  const after = broken ? null : await ctx.afterCase?.(t);
  if (after) error = error ? new Error(`${error.stack}\n${after.message}`) : after;
  const known = c.known[ctx.opts.gateway];
  const ms = Date.now() - started;
  if (error instanceof Skip) report(total, c.name, 'skipped', ms, error, notes);
  else if (error && known) report(total, c.name, 'skipped', ms, new Error(`known of ${ctx.opts.gateway}: ${known} [${firstLine(error)}]`), notes);
  else report(total, c.name, error ? 'failed' : 'passed', ms, error, notes);
}

const firstLine = (e) => String(e.message).split('\n')[0].slice(0, 160);

function report(total, name, verdict, ms, error, notes = []) {
  total[verdict]++;
  const word = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[verdict];
  const tail = verdict === 'skipped' ? ` - ${error.message}` : '';
  console.log(`${word} ${name} (${(ms / 1000).toFixed(1)} s)${tail}`);
  for (const n of notes) console.log(`       ${n}`);
  if (verdict !== 'failed') return;
  total.failures.push(name);
  console.log(String(error.stack ?? error).split('\n').map((l) => `       ${l}`).join('\n'));
}
