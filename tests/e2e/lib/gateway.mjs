// SPDX-License-Identifier: BSD-3-Clause
// The gateway under test: agwd, or Debian's rtpengine to try the rig itself.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proc, procUsage } from './proc.mjs';
import { EventListener, NgClient } from './ng.mjs';
import { until } from './wait.mjs';
import { NET } from './sandbox.mjs';

export const PORTS = { min: 20000, max: 29999, access: 19000 };

const SUPPRESSIONS = fileURLToPath(new URL('../lsan.supp', import.meta.url));

export const instrumented = (opts) => /asan|tsan|ubsan/.test(opts.build);

/** Command line of the daemon; opts: build, io and ice ('' = as they are by default). Sanitizers of clang 14 cannot live with the address layout that newer kernels choose. */
export function daemon(opts, ...args) {
  const bin = join(opts.build, 'agwd');
  if (!existsSync(bin)) throw new Error(`${bin} is not there: build it first`);
  return [...(instrumented(opts) ? ['setarch', '-R'] : []), bin, ...(opts.io ? [`--io=${opts.io}`] : []), ...(opts.ice ? [`--ice=${opts.ice}`] : []), ...args];
}

/** What deploy/eims-agw.service gives agwd; rtpengine's unit does not. */
export const UNIT_ENV = { G_SLICE: 'always-malloc' };

/** Sanitizers' options; `deep`: whole call stacks of allocations, which the suppressions need, at the price of time. */
export function daemonEnv(opts, { deep = false } = {}) {
  if (!instrumented(opts)) return {};
  const asan = process.env.ASAN_OPTIONS ?? 'detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1';
  return {
    ASAN_OPTIONS: deep ? `${asan}:fast_unwind_on_malloc=0` : asan,
    LSAN_OPTIONS: `suppressions=${SUPPRESSIONS}:print_suppressions=0`,
    UBSAN_OPTIONS: process.env.UBSAN_OPTIONS ?? 'print_stacktrace=1',
    G_SLICE: 'always-malloc',
  };
}

const both = (name, a) => [`${name}/${a.v4}`, `${name}/${a.v6}`];
const ALL_INTERFACES = [...both('access', NET.access), ...both('core', NET.core)];

export class Gateway {
  constructor(opts) {
    this.opts = opts;
    this.kind = opts.gateway;
    this.starts = 0;
  }

  get realms() { return this.kind === 'agwd'; }
  get pid() { return this.proc.pid; }

  /** Every call is taken: a machine that is busy with other tests is not what is tested. */
  #argv(ngPort, extra, ifaces, shift) {
    const ports = [`--port-min=${PORTS.min + shift}`, `--port-max=${PORTS.max + shift}`];
    if (this.kind === 'rtpengine')
      return ['rtpengine', '--foreground', '--log-stderr', '--log-level=6', '--table=-1', ...ifaces.map((i) => `--interface=${i}`),
        `--listen-ng=127.0.0.1:${ngPort}`, '--delete-delay=0', '--timeout=60', ...ports, ...extra];
    return daemon(this.opts, '--foreground', '--log-level=debug', '--max-cpu=0', ...ifaces.map((i) => `--interface=${i}`), `--listen-ng=127.0.0.1:${ngPort}`,
      `--access-port=${PORTS.access}`, `--notify=${this.events.address}`, '--delete-delay=0', ...ports, ...extra);
  }

  /** Starts it and waits until it answers ping. `ports`: how much higher its ports are than usual, beside another gateway. */
  async start(extra = [], interfaces = ALL_INTERFACES, { ports = 0 } = {}) {
    mkdirSync(this.opts.out, { recursive: true });
    this.startedWith = [extra, interfaces, { ports }];
    this.events = await EventListener.open();
    this.ngPort = 22222 + ports + this.starts++;
    const log = join(this.opts.out, `gateway-${this.starts}.log`);
    this.proc = new Proc(this.kind, this.#argv(this.ngPort, this.realms ? extra : [], interfaces, ports), { log, env: { ...(this.realms ? UNIT_ENV : {}), ...daemonEnv(this.opts) } });
    this.ng = await NgClient.open(this.ngPort);
    await until(`${this.kind} answers ping`, async () => {
      if (!this.proc.alive) throw Object.assign(new Error(`${this.kind} ended: ${JSON.stringify(this.proc.result ?? this.proc.error?.message)}\n${this.proc.output.slice(-1500)}`), { fatal: true });
      return this.ng.ping();
    }, 8000);
    return this;
  }

  /** The same process, or a new one when the last case killed it. */
  async ensure() {
    if (this.proc?.alive) return;
    await this.stop();
    await this.start(...this.startedWith);
  }

  usage() { return procUsage(this.pid); }

  async stop() {
    const result = await this.proc?.stop('SIGTERM', 8000);
    this.ng?.close();
    this.events?.close();
    return result;
  }
}

/** ng keys for an offer or answer which goes `toward` 'core' or 'browser', in one of three ways of asking:
 *  zero: nothing but what Kamailio always sends; realm: direction only; ims: the flags of Kamailio's IMS example.
 *  rtpengine knows no profiles and gets the flags with which it is known to work. */
export function flagsFor(gateway, style, toward, { answer = false, browserToBrowser = false } = {}) {
  const direction = toward === 'core' ? ['access', 'core'] : browserToBrowser ? ['access', 'access'] : ['core', 'access'];
  if (!gateway.realms) return { ...rtpengineFlags(toward, answer, direction), ...(browserToBrowser && !answer ? { 'DTLS-reverse': 'passive' } : {}) };
  if (style === 'zero') return browserToBrowser && !answer ? { direction } : {};
  if (style === 'realm') return answer ? {} : { direction };
  const common = { ...(answer ? {} : { direction }), flags: 'loop-protect', replace: ['origin', 'session-connection'] };
  return toward === 'core'
    ? { ...common, ICE: 'remove', 'transport-protocol': 'RTP/AVP' }
    : { ...common, ICE: 'force', DTLS: 'passive', 'transport-protocol': 'UDP/TLS/RTP/SAVPF' };
}

function rtpengineFlags(toward, answer, direction) {
  const common = { replace: ['origin', 'session-connection'], SDES: ['off'], ...(answer ? {} : { direction }) };
  if (toward === 'core')
    return { ...common, ICE: 'remove', 'DTLS-reverse': 'passive', 'transport-protocol': 'RTP/AVP', 'rtcp-mux': ['demux'] };
  return { ...common, ICE: 'force', DTLS: 'passive', flags: ['generate-mid'], 'transport-protocol': 'UDP/TLS/RTP/SAVPF', 'rtcp-mux': ['require'] };
}
