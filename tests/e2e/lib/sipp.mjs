// SPDX-License-Identifier: BSD-3-Clause
// SIPp as a second, independent SIP peer on the core side: one call per run, RTP echoed.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proc } from './proc.mjs';
import { NET, nsRun } from './sandbox.mjs';
import { until } from './wait.mjs';

let runs = 0;

export class Sipp {
  static async start({ scenario, ns, out, family = 'v4', remote, service = 'uas', host = 'stranger' }) {
    const s = new Sipp();
    const ip = NET[host][family];
    const sf = fileURLToPath(new URL(`../sipp/${scenario}.xml`, import.meta.url));
    const tag = `sipp-${++runs}-${scenario}`;
    const uas = scenario.startsWith('uas');
    s.proc = new Proc(tag, ['sipp', '-sf', sf, '-i', ip, '-mi', ip, '-p', '5070', '-mp', String(16000 + 10 * runs), '-rtp_echo', '-m', '1', '-nostdin', '-s', service,
      '-timeout', '60s', '-timeout_error', '-trace_err', '-error_file', join(out, `${tag}.err`), '-trace_msg', '-message_file', join(out, `${tag}.msg`), ...(remote ? [remote] : [])],
    { ns, cwd: out, log: join(out, `${tag}.log`), env: { TERM: 'dumb' } });
    if (uas) await until('sipp listens', () => s.proc.alive && /:5070\s/.test(nsRun(ns, 'ss', '-lunH')), 4000);
    return s;
  }

  /** The scenario ran to its end: exit code 0. */
  async done(ms = 15000) {
    await until(`${this.proc.name} ends`, () => !this.proc.alive, ms);
    if (this.proc.result.code !== 0) throw new Error(`${this.proc.name} exit code ${this.proc.result.code}, see its .err and .msg files`);
  }

  stop() { return this.proc.stop('SIGTERM', 1000); }
}
