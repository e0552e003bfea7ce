// SPDX-License-Identifier: BSD-3-Clause
// Processes of a run: every one is started here, written to a log file of its own and ended by its pid.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { until } from './wait.mjs';

const running = new Set();

export class Proc {
  /** `ns`: name of a network namespace, or null for the gateway's own. */
  constructor(name, argv, { ns = null, log, env = {}, stdio, cwd } = {}) {
    this.name = name;
    this.output = '';
    const full = ns ? ['nsenter', `--net=/run/netns/${ns}`, '--', ...argv] : argv;
    this.child = spawn(full[0], full.slice(1), {
      stdio: stdio ?? ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd,
    });
    this.pid = this.child.pid;
    this.exited = new Promise((done) => {
      this.child.once('error', (e) => { this.error = e; done({ code: null, signal: null }); });
      this.child.once('exit', (code, signal) => { this.result = { code, signal }; done(this.result); });
    });
    this.exited.then(() => running.delete(this));
    running.add(this);
    if (log) {
      mkdirSync(dirname(log), { recursive: true });
      this.logFile = log;
      const out = createWriteStream(log, { flags: 'a' });
      out.write(`# ${full.join(' ')}\n`);
      for (const s of [this.child.stdout, this.child.stderr]) s?.pipe(out, { end: false });
    }
    for (const s of [this.child.stdout, this.child.stderr])
      s?.on('data', (d) => { this.output = (this.output + d).slice(-400000); });
  }

  get alive() { return !this.result && !this.error; }

  /** Waits until the process has printed `re`. */
  async printed(re, ms = 5000) {
    return until(`${this.name} prints ${re}`, () => {
      const m = re.exec(this.output);
      if (!m && !this.alive) throw fatal(`${this.name} ended: ${JSON.stringify(this.result ?? this.error?.message)}\n${this.output.slice(-1500)}`);
      return m;
    }, ms, 20);
  }

  async stop(signal = 'SIGTERM', ms = 4000) {
    if (this.alive) this.child.kill(signal);
    const timer = setTimeout(() => { this.forced = true; this.child.kill('SIGKILL'); }, ms);
    await this.exited;
    clearTimeout(timer);
    return this.result;
  }
}

export function fatal(message) {
  return Object.assign(new Error(message), { fatal: true });
}

export async function stopAll() {
  await Promise.all([...running].map((p) => p.stop('SIGTERM', 2000)));
}

/** RSS and descriptor count of a process, from /proc. */
export function procUsage(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    rssKb: Number(/VmRSS:\s+(\d+)/.exec(status)[1]),
    threads: Number(/Threads:\s+(\d+)/.exec(status)[1]),
    fds: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** Local UDP sockets of this namespace as "address:port" strings in kernel's hex form: enough to compare sets. */
export function udpSockets() {
  const rows = [];
  for (const f of ['/proc/net/udp', '/proc/net/udp6'])
    for (const line of readFileSync(f, 'utf8').trim().split('\n').slice(1))
      rows.push(line.trim().split(/\s+/)[1]);
  return rows.sort();
}

/** Processes that descend from pid, or only those of this name. */
export function pidsBelow(pid, name) {
  const rows = readdirSync('/proc').filter((f) => /^\d+$/.test(f)).flatMap((f) => {
    try {
      const [, comm, ppid] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${f}/stat`, 'utf8'));
      return [{ pid: Number(f), comm, ppid: Number(ppid) }];
    } catch { return []; /* it has just ended */ }
  });
  const below = [];
  for (const of = [pid]; of.length > 0;) {
    const parent = of.pop();
    for (const r of rows) if (r.ppid === parent) { below.push(r); of.push(r.pid); }
  }
  return below.filter((r) => !name || r.comm === name).map((r) => r.pid);
}
