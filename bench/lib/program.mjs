// SPDX-License-Identifier: BSD-3-Clause
// The C programs: where they are, how they are started, what they print.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Proc } from '../../tests/e2e/lib/proc.mjs';
import { backlogDrops } from './net.mjs';
import { pinned } from './gateway.mjs';

/** A name (load, replay, soak, attack) means the program of the build folder, anything with a slash is a path. */
export function findProgram(build, name) {
  if (name.includes('/')) return resolve(name);
  const places = [`bench/${name}/${name}`, `tests/${name}/${name}`, `bench/${name}`, name].map((p) => join(build, p));
  const found = places.find((p) => existsSync(p) && !existsSync(join(p, 'CMakeFiles')));
  if (!found) throw new Error(`${name} is not in ${build}: build it with cmake --preset release -B ${build} -DAGW_BENCH=ON && ninja -C ${build}`);
  return found;
}

/** What every program is told: where it is, whom it talks to. */
export function commonOptions(net, gateway) {
  const all = [`--interface=${net.interface}`, `--ng=${net.access}:${net.ngPort}`, `--gateway=${net.access}`, `--hosts=${net.hosts}`];
  return gateway ? [...all, gateway.usageOption] : all;
}

/** A mode comes first, then the common options, then the rest, which may overrule them. */
export function fullArguments([first, ...rest], common) {
  if (first === undefined) return common;
  return first.startsWith('-') ? [...common, first, ...rest] : [first, ...common, ...rest];
}

/** Runs one program to its end. `bare`: it is told nothing of networks. `quiet`: what it says on standard error goes to the log only; `echo`: what it says on
 *  standard output is seen at once. */
export async function runProgram(argv, opts, gateway, { bare = false, quiet = false, echo = false, limitMs = 0 } = {}) {
  const drops = backlogDrops();
  const full = [findProgram(opts.build, argv[0]), ...(bare ? argv.slice(1) : fullArguments(argv.slice(1), commonOptions(opts.net, gateway)))];
  const proc = new Proc(basename(argv[0]), pinned(opts['generator-cpus'], full), {
    ns: opts.net.gen,
    log: join(opts.out, `${basename(argv[0])}.log`),
    stdio: ['ignore', 'pipe', quiet ? 'pipe' : 'inherit'],
  });
  const chunks = [];
  proc.child.stdout.on('data', (d) => {
    chunks.push(d);
    if (echo) process.stdout.write(d);
  });
  const closed = new Promise((done) => proc.child.once('close', done));
  const timer = limitMs ? setTimeout(() => proc.stop(), limitMs) : null;
  const result = await proc.exited;
  clearTimeout(timer);
  if (proc.error) throw proc.error;
  await closed;
  const stdout = Buffer.concat(chunks).toString();
  return { status: result.code ?? 128, signal: result.signal, stdout, json: asJson(stdout), output: proc.output, backlogDrops: backlogDrops() - drops };
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
