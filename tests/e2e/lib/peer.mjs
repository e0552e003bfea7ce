// SPDX-License-Identifier: BSD-3-Clause
// WebRTC endpoints that are no browser (tests/e2e/peers): one process each, a JSON line for a question and one for its answer.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Proc } from './proc.mjs';
import { until } from './wait.mjs';

const HERE = fileURLToPath(new URL('../peers/', import.meta.url));

export class Peer {
  /** `kind`: aiortc or webrtcbin. */
  static open(kind, ns, out) {
    const p = new Peer();
    p.kind = kind;
    p.proc = new Proc(kind, ['/usr/bin/python3', join(HERE, `${kind}_peer.py`)], { ns, log: join(out, `${kind}.log`), stdio: ['pipe', 'pipe', 'pipe'] });
    p.waiting = [];
    createInterface({ input: p.proc.child.stdout }).on('line', (l) => p.waiting.shift()?.(JSON.parse(l)));
    return p;
  }

  async ask(question) {
    const reply = new Promise((done) => this.waiting.push(done));
    this.proc.child.stdin.write(`${JSON.stringify(question)}\n`);
    return Promise.race([reply, this.proc.exited.then(() => { throw new Error(`${this.kind} ended: ${this.proc.output.slice(-1500)}`); })]);
  }

  async offer(o = {}) { return (await this.ask({ do: 'offer', ...o })).sdp; }
  answer(sdp) { return this.ask({ do: 'answer', sdp }); }
  async accept(sdp, o = {}) { return (await this.ask({ do: 'accept', sdp, ...o })).sdp; }
  candidates() { return this.ask({ do: 'candidates' }); }
  stats(hz = 1000) { return this.ask({ do: 'stats', hz }); }

  async hears(hz, ms = 10000) {
    return until(`${this.kind} hears ${hz} Hz`, async () => {
      const s = await this.stats(hz);
      if (s.tone > 0.5 && s.frames > 20) return s;
      throw new Error(JSON.stringify(s));
    }, ms);
  }

  close() { return this.proc.stop(); }
}
