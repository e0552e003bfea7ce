// SPDX-License-Identifier: BSD-3-Clause
// The gateway in its namespace: agwd of a build folder, or Debian's rtpengine in user space. Same addresses, ports,
// one worker against one thread, same CPUs. rtpengine reads no file of this machine.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { daemon, daemonEnv } from '../../tests/e2e/lib/gateway.mjs';
import { Proc, fatal, procUsage } from '../../tests/e2e/lib/proc.mjs';
import { NET } from './net.mjs';

export const GATEWAYS = ['agwd', 'rtpengine'];

function common({ access, core, ng }) {
  return [`--interface=access/${access}`, `--interface=core/${core}`, `--listen-ng=${ng}`, '--port-min=20000', '--port-max=59998',
    '--delete-delay=0', '--timeout=3600'];
}

/** The command line. `where`: addresses; `workers`: threads for media. */
export function commandLine(kind, opts, where, extra = []) {
  const workers = opts.workers ?? 1;
  if (kind === 'rtpengine')
    return ['rtpengine', '--config-file=none', '--foreground', '--log-stderr', '--log-level=3', '--table=-1', `--num-threads=${workers}`, ...common(where), ...extra];
  return daemon(opts, '--foreground', '--log-level=warn', `--ng-allow=${where.allow}`, `--workers=${workers}`, ...common(where), ...extra);
}

export const pinned = (cpus, argv) => (cpus ? ['taskset', '-c', cpus, ...argv] : argv);

export const WHERE = { access: NET.access, core: NET.core, ng: `${NET.access}:${NET.ngPort}`, allow: NET.prefix };

export class BenchGateway {
  constructor(kind, opts) {
    if (!GATEWAYS.includes(kind)) throw new Error(`gateway is ${GATEWAYS.join(' or ')}, not ${kind}`);
    this.kind = kind;
    this.opts = opts;
  }

  get pid() { return this.proc.pid; }
  get alive() { return this.proc.alive; }
  usage() { return procUsage(this.pid); }

  /** Starts it and waits until it answers ping; the asker lives in the generator's namespace. */
  async start(extra = []) {
    mkdirSync(this.opts.out, { recursive: true });
    const log = join(this.opts.out, `${this.kind}.log`);
    this.proc = new Proc(this.kind, pinned(this.opts['gateway-cpus'], commandLine(this.kind, this.opts, WHERE, extra)),
      { ns: NET.gw, log, env: daemonEnv(this.opts) });
    const ask = new Proc('ping', [process.execPath, new URL('./ping.mjs', import.meta.url).pathname, NET.access, String(NET.ngPort), '10000'], { ns: NET.gen });
    await Promise.race([ask.exited, this.proc.exited]);
    if (!this.alive) await ask.stop();
    if (!this.alive || ask.result?.code !== 0)
      throw fatal(`${this.kind} does not answer ping (log: ${log}): ${JSON.stringify(this.proc.result ?? this.proc.error?.message ?? 'silent')}\n${this.proc.output.slice(-1500)}`);
    return this;
  }

  /** Ends it; says what was wrong with its end, or null. */
  async stop() {
    if (!this.proc) return null;
    const early = !this.alive;
    const result = await this.proc.stop('SIGTERM', 8000);
    if (this.proc.forced) return `${this.kind} did not end on SIGTERM`;
    if (!early && (result.code === 0 || (this.kind === 'rtpengine' && result.signal === 'SIGTERM'))) return null;
    return `${this.kind} ended ${early ? 'by itself ' : ''}with ${JSON.stringify(result ?? this.proc.error?.message)}\n${this.proc.output.slice(-3000)}`;
  }
}

