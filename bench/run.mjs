#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Runs one program of the bench against one gateway, in a network of their own.
import { mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INNER, runInside } from '../tests/e2e/lib/sandbox.mjs';

const HELP = `usage: node bench/run.mjs [OPTIONS] -- PROGRAM [ARGUMENTS]

  --gateway=NAME                  agwd (default), agwd_xdp, rtpengine or none
  --build=DIR                     where agwd and the programs are; default build/bench
  --gateway-build=DIR             another build of agwd, e.g. build/asan; default --build
  --gateway-arg=ARGUMENT          one more argument for the gateway; repeatable
  --workers=N                     threads for media; default 1
  --stock-buffers=1               the gateway gets socket buffers as with Linux's own net.core.rmem_max (208 KiB)
  --gateway-cpus=LIST             default 1, or none where there is one CPU; "" = not pinned
  --generator-cpus=LIST           default 0
  --receive-cpus=LIST             who takes packets through the gateway's kernel; default: the generator's CPU, which sent
                                  them. Not for agwd_xdp
  --delivery=timer|sender         who takes packets at the generator's end: a timer on the generator's CPU, or the gateway's
                                  send call (for loads near the generator's own limit)
  --out=DIR                       logs; default BUILD/out

PROGRAM is load, replay, soak or attack of the build folder, or a path. It runs in the generator's namespace with
--interface --ng --gateway --hosts --gateway-pid put before ARGUMENTS (behind the mode). Its output and its exit status
become ours; 3 = the gateway did not start or did not end well.`;

const HERE = fileURLToPath(new URL('.', import.meta.url));
const many = cpus().length > 1;

export function parse(argv) {
  const opts = { gateway: 'agwd', build: join(HERE, '../build/bench'), 'gateway-build': '', 'gateway-arg': [], workers: '1', 'stock-buffers': '',
    'gateway-cpus': many ? '1' : '', 'generator-cpus': many ? '0' : '', 'receive-cpus': '', delivery: 'timer', out: '', inner: false, program: [] };
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') {
      opts.program = argv.slice(i + 1);
      break;
    }
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(argv[i]) ?? [];
    if (!(name in opts) || name === 'program') throw new Error(`unknown option ${argv[i]}\n${HELP}`);
    if (name === 'inner') opts.inner = true;
    else if (value === undefined) throw new Error(`--${name} wants a value`);
    else if (name === 'gateway-arg') opts[name].push(value);
    else opts[name] = value;
  }
  if (opts.program.length === 0) throw new Error(HELP);
  if (!['timer', 'sender'].includes(opts.delivery)) throw new Error(`--delivery is timer or sender\n${HELP}`);
  opts.build = resolve(opts.build);
  opts.out = resolve(opts.out || join(opts.build, 'out'));
  opts['gateway-build'] = resolve(opts['gateway-build'] || opts.build);
  return opts;
}

async function inner(opts) {
  const { deliverBy, goFirst, makeBenchNetwork, NET } = await import('./lib/net.mjs');
  const { BenchGateway } = await import('./lib/gateway.mjs');
  const { runProgram } = await import('./lib/program.mjs');
  const { stopAll } = await import('../tests/e2e/lib/proc.mjs');
  const end = async (why) => {
    console.error(`stopped: ${why}`);
    await stopAll();
    process.exit(130);
  };
  process.on('disconnect', () => end('the starter is gone'));
  for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(sig, () => end(sig));
  mkdirSync(opts.out, { recursive: true });
  goFirst();
  makeBenchNetwork({ receiveCpus: opts['receive-cpus'] });
  deliverBy(opts.delivery === 'timer' ? opts['generator-cpus'] : '');
  let gateway = null;
  let status = 3;
  try {
    if (opts.gateway !== 'none') {
      gateway = new BenchGateway(opts.gateway, { ...opts, net: NET, build: opts['gateway-build'] });
      await gateway.start(opts['gateway-arg']);
    }
    const done = await runProgram(opts.program, { ...opts, net: NET }, gateway, { echo: true });
    await new Promise((written) => process.stdout.write('', written));
    if (done.backlogDrops) console.error(`the kernel's input queues dropped ${done.backlogDrops} packets (net.core.netdev_max_backlog)`);
    status = done.status;
  } catch (e) {
    console.error(e.message);
  }
  const wrong = await gateway?.stop();
  if (wrong && status !== 3) {
    console.error(wrong);
    status ||= 3;
  }
  await stopAll();
  return status;
}

let opts;
try {
  opts = parse(process.argv.slice(2));
} catch (e) {
  console.error(e.message);
  process.exit(2);
}
process.exit(opts.inner ? await inner(opts) : await runInside(fileURLToPath(import.meta.url), process.argv.slice(2), { detached: true }));
