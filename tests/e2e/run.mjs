#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// End-to-end tests: node tests/e2e/run.mjs [--gateway=agwd|rtpengine] [--only=regex] [--io=udp|xdp|auto] [--ice=lite|full] [--hold=SECONDS] [--build=DIR] [--out=DIR] [--list] [--capture]
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { INNER, makeNetwork, runInside } from './lib/sandbox.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

function options(argv) {
  const opts = { gateway: 'agwd', io: '', ice: '', only: '.', hold: 12, build: resolve(HERE, '../../build/release'), out: join(HERE, 'out'), list: false, capture: false, inner: false };
  for (const a of argv) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(a) ?? [];
    if (!(name in opts)) throw new Error(`unknown option ${a}`);
    opts[name] = typeof opts[name] === 'boolean' ? true : name === 'hold' ? Number(value) : name === 'build' || name === 'out' ? resolve(value) : value;
  }
  if (!['agwd', 'rtpengine'].includes(opts.gateway)) throw new Error('--gateway is agwd or rtpengine');
  return opts;
}

async function inner(opts) {
  const { listTests, runAll } = await import('./lib/runner.mjs');
  const { stopAll } = await import('./lib/proc.mjs');
  const { Capture } = await import('./lib/pcap.mjs');
  for (const s of ['literal', 'flags', 'direct', 'codecs', 'continuity', 'media', 'life', 'hold', 'limit', 'sip', 'chain', 'flows', 'wire', 'ice', 'tcp', 'security', 'node', 'demo', 'many']) await import(`./suites/${s}.mjs`);
  const filter = new RegExp(opts.only);
  if (opts.list) {
    for (const n of listTests()) if (filter.test(n)) console.log(n);
    return 0;
  }
  rmSync(opts.out, { recursive: true, force: true });
  mkdirSync(opts.out, { recursive: true });
  let ended = false;
  const end = async (why) => {
    if (ended) return;
    ended = true;
    console.log(`stopped: ${why}`);
    await stopAll();
    process.exit(130);
  };
  process.on('disconnect', () => end('the starter is gone'));
  for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(sig, () => end(sig));
  const { onFailure, afterCase } = await import('./lib/evidence.mjs');
  const ctx = { opts, net: makeNetwork(), onFailure, afterCase };
  if (opts.capture)
    for (const dev of ['acc0', 'cor0']) await Capture.start(null, join(opts.out, `${dev}.pcap`), { dev });
  const started = Date.now();
  const total = await runAll(ctx, filter);
  await stopAll();
  if (total.failures.length) console.log(`failed:\n${total.failures.map((f) => `  ${f}`).join('\n')}`);
  console.log(`end-to-end with ${opts.gateway}, ${Math.round((Date.now() - started) / 1000)} s`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed || total.passed + total.skipped === 0 ? 1 : 0;
}

const opts = options(process.argv.slice(2));
process.exit(opts.inner ? await inner(opts) : await runInside(fileURLToPath(import.meta.url), process.argv.slice(2)));
