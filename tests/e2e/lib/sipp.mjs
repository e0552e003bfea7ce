// SPDX-License-Identifier: BSD-3-Clause
// SIPp as a second, independent SIP peer on the core side: one call per run, RTP echoed.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proc } from './proc.mjs';
import { NET, nsRun } from './sandbox.mjs';
import { messages } from './sipp-flow.mjs';
import { until } from './wait.mjs';

let runs = 0;

export class Sipp {
  /** `xml`: a scenario by its text instead of a file's name; `uas`: it waits for a call; `echo`: it sends back what it hears. */
  static async start({ scenario, xml, uas = scenario.startsWith('uas'), ns, out, family = 'v4', host = 'stranger', ip = NET[host][family], port = 5070, remote, service = 'uas', timeoutS = 90, echo = true }) {
    const s = new Sipp();
    const tag = `sipp-${++runs}-${scenario}`;
    const sf = xml ? join(out, `${tag}.xml`) : fileURLToPath(new URL(`../sipp/${scenario}.xml`, import.meta.url));
    if (xml) writeFileSync(sf, xml);
    s.messageFile = join(out, `${tag}.msg`);
    s.mediaPort = 16000 + 10 * runs;
    s.proc = new Proc(tag, ['sipp', '-sf', sf, '-i', ip, '-mi', ip, '-p', String(port), '-mp', String(s.mediaPort), ...(echo ? ['-rtp_echo'] : []), '-m', '1', '-nostdin', '-s', service, '-au', service, '-ap', 'secret',
      '-timeout', `${timeoutS}s`, '-timeout_error', '-trace_err', '-error_file', join(out, `${tag}.err`), '-trace_msg', '-message_file', s.messageFile, ...(remote ? [remote] : [])],
    { ns, cwd: out, log: join(out, `${tag}.log`), env: { TERM: 'dumb' } });
    if (uas) await until('sipp listens', () => s.proc.alive && new RegExp(`:${port}\\s`).test(nsRun(ns, 'ss', '-lunH')), 4000);
    return s;
  }

  /** The scenario ran to its end: exit code 0. */
  async done(ms = 15000) {
    await until(`${this.proc.name} ends`, () => !this.proc.alive, ms);
    if (this.proc.result.code !== 0) throw new Error(`${this.proc.name} exit code ${this.proc.result.code}, see its .err and .msg files`);
  }

  /** What went over the wire so far, in order. */
  messages() { return messages(readFileSync(this.messageFile, 'utf8')); }

  stop() { return this.proc.stop('SIGTERM', 1000); }
}
