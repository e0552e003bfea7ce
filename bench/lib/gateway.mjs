// SPDX-License-Identifier: BSD-3-Clause
// The gateway in its namespace: agwd of a build folder, or Debian's rtpengine in user space (or, on hardware only, with
// its kernel module). Same addresses, ports,
// one worker against one thread, same CPUs. rtpengine reads no file of this machine.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UNIT_ENV, daemon, daemonEnv } from '../../tests/e2e/lib/gateway.mjs';
import { Proc, fatal } from '../../tests/e2e/lib/proc.mjs';
import { limitCpu } from './quota.mjs';

const PING = fileURLToPath(new URL('./ping.mjs', import.meta.url));

export const GATEWAYS = ['agwd', 'agwd_xdp', 'rtpengine', 'rtpengine-kernel'];

function common({ access, core, ngPort }) {
  return [`--interface=access/${access}`, `--interface=core/${core}`, `--listen-ng=${access}:${ngPort}`, '--port-min=20000', '--port-max=59998',
    '--delete-delay=0', '--timeout=3600'];
}

/** How a step may want its gateway, by name, besides the usual way: workers; anywhere = bound to no CPU; sheds = new calls
 *  are refused when there are too many (the limit of AF_XDP is the generator's); stock = socket buffers as they are on
 *  a machine with Linux's own net.core.rmem_max (208 KiB); quota = per cent of a core that it may use. */
export const VARIANTS = {
  usual: {},
  'one-anywhere': { workers: '1', anywhere: true },
  'two-anywhere': { workers: '2', anywhere: true },
  'quarter-core': { quota: 25 },
  // policed, too, but six times a voice's packets pass
  fast: { args: { agwd: ['--police=10'], agwd_xdp: ['--police=10'] } },
  // Opus as we encode it: complexity 5, 20 kbit/s of what is heard at 8 kHz
  'equal-opus': { preload: { rtpengine: 'equal_opus.so', 'rtpengine-kernel': 'equal_opus.so' } },
  sheds: { args: { agwd: ['--max-cpu=80'], agwd_xdp: ['--max-cpu=50'] } },
  'sheds-stock': { args: { agwd: ['--max-cpu=80'] }, stock: true },
};

/** The command line; opts: build, net (as NET), workers. Like rtpengine by default, agwd takes every call; extra can change that. */
export function commandLine(kind, opts, extra = []) {
  const { net } = opts;
  const workers = opts.workers ?? 1;
  if (kind.startsWith('rtpengine')) {
    const table = kind === 'rtpengine' ? ['--table=-1'] : ['--table=0', '--no-fallback'];
    return ['rtpengine', '--config-file=none', '--foreground', '--log-stderr', '--log-level=3', ...table, `--num-threads=${workers}`, ...common(net), ...extra];
  }
  const io = kind === 'agwd_xdp' ? ['--io=xdp'] : [];
  return daemon(opts, '--foreground', '--log-level=warn', '--max-cpu=0', ...io, ...net.allow.map((a) => `--ng-allow=${a}`), `--workers=${workers}`, ...common(net), ...extra);
}

export const pinned = (cpus, argv) => (cpus ? ['taskset', '-c', cpus, ...argv] : argv);

export class BenchGateway {
  constructor(kind, opts, variant = 'usual') {
    if (!GATEWAYS.includes(kind)) throw new Error(`gateway is ${GATEWAYS.join(' or ')}, not ${kind}`);
    if (!(variant in VARIANTS)) throw new Error(`a gateway can be ${Object.keys(VARIANTS).join(', ')}, not ${variant}`);
    const { workers = opts.workers, anywhere, args, stock, quota, preload } = VARIANTS[variant];
    this.kind = kind;
    this.opts = { ...opts, workers, 'gateway-cpus': anywhere ? '' : opts['gateway-cpus'], 'stock-buffers': stock ?? opts['stock-buffers'] };
    this.extra = args?.[kind] ?? [];
    this.quota = quota;
    this.preload = this.opts['stock-buffers'] ? 'stock_buffers.so' : preload?.[kind];
  }

  get pid() { return this.proc.pid; }
  get usageOption() { return `--gateway-pid=${this.pid}`; }
  get alive() { return this.proc.alive; }

  /** Starts it and waits until it answers ping; the asker lives in the generator's namespace. */
  async start(extra = []) {
    const { net, out } = this.opts;
    mkdirSync(out, { recursive: true });
    const log = join(out, `${this.kind}.log`);
    rmSync(log, { force: true });
    const command = commandLine(this.kind, this.opts, [...this.extra, ...extra]);
    const env = this.preload ? { LD_PRELOAD: join(this.opts.build, 'bench', this.preload) } : {};
    this.proc = new Proc(this.kind, pinned(this.opts['gateway-cpus'], command), { ns: net.gw, log, env: { ...(this.kind.startsWith('agwd') ? UNIT_ENV : {}), ...daemonEnv(this.opts), ...env } });
    const ask = new Proc('ping', [process.execPath, PING, net.access, String(net.ngPort), '10000'], { ns: net.gen });
    await Promise.race([ask.exited, this.proc.exited]);
    if (!this.alive) await ask.stop();
    if (!this.alive || ask.result?.code !== 0)
      throw fatal(`${this.kind} does not answer ping (log: ${log}): ${JSON.stringify(this.proc.result ?? this.proc.error?.message ?? 'silent')}\n${this.proc.output.slice(-1500)}`);
    if (this.quota) this.unlimit = limitCpu(this.pid, this.quota);
    return this;
  }

  /** Ends it; says what was wrong with its end, or null. */
  async stop() {
    if (!this.proc) return null;
    const early = !this.alive;
    const result = await this.proc.stop('SIGTERM', 8000);
    this.unlimit?.();
    if (this.proc.forced) return `${this.kind} did not end on SIGTERM`;
    if (!early && (result.code === 0 || (this.kind.startsWith('rtpengine') && result.signal === 'SIGTERM'))) return null;
    return `${this.kind} ended ${early ? 'by itself ' : ''}with ${JSON.stringify(result ?? this.proc.error?.message)}\n${this.proc.output.slice(-3000)}`;
  }
}

