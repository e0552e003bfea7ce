// SPDX-License-Identifier: BSD-3-Clause
// Starts agent.mjs in a namespace and calls it.
import { fileURLToPath } from 'node:url';
import { Proc } from './proc.mjs';

export class AgentClient {
  constructor(ns, log) {
    const script = fileURLToPath(new URL('agent.mjs', import.meta.url));
    this.waiting = new Map();
    this.id = 0;
    this.port = 30000;
    this.proc = new Proc(`agent ${ns}`, [process.execPath, script], { ns, log, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.proc.child.on('message', ({ id, value, error }) => {
      const w = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) w.fail(new Error(error));
      else w.done(value);
    });
    this.proc.exited.then(() => {
      for (const w of this.waiting.values()) w.fail(new Error(`agent in ${ns} ended`));
    });
  }

  call(verb, ...args) {
    return new Promise((done, fail) => {
      this.waiting.set(++this.id, { done, fail });
      this.proc.child.send({ id: this.id, verb, args });
    });
  }

  /** Opens a plain RTP phone on the next free port pair; see RtpPhone.open() for the options. */
  async phone(opts) {
    const port = opts.port ?? (this.port += 2);
    const id = await this.call('phoneOpen', { ...opts, port });
    const p = { ...opts, port };
    for (const m of ['mark', 'fresh', 'setRemote', 'start', 'stopSending', 'mute', 'changeSsrc', 'dial', 'speak', 'stats', 'heard', 'eventsOf', 'sentLog', 'sendPli', 'sendRaw', 'close'])
      p[m] = (...args) => this.call('phone', id, m, ...args);
    p.id = id;
    p.burst = (packets, peer) => this.call('burst', id, packets, peer?.id);
    return p;
  }

  /** A stand-in for a browser, see FakeBrowser. */
  async fakeBrowser(opts) {
    const { id, port } = await this.call('fakeOpen', opts);
    const f = { port };
    for (const m of ['check', 'handshake', 'forge', 'counts', 'close']) f[m] = (...args) => this.call('phone', id, m, ...args);
    return f;
  }

  stop() { return this.proc.stop(); }
}
