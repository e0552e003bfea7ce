// SPDX-License-Identifier: BSD-3-Clause
// A small ng client (UDP, bencode or JSON) and a listener for the gateway's event datagrams.
import dgram from 'node:dgram';
import { encode, decode } from './bencode.mjs';
import { until } from './wait.mjs';

export const BENCODE_FORM = { encode, decode };
export const JSON_FORM = { encode: (dict) => Buffer.from(JSON.stringify(dict)), decode: (buf) => JSON.parse(buf.toString()) };

export class NgClient {
  static async open(port, host = '127.0.0.1', form = BENCODE_FORM) {
    const c = new NgClient();
    c.form = form;
    c.pending = new Map();
    c.seq = 0;
    c.prefix = `e2e${process.pid}_${Math.floor(Math.random() * 1e6)}`;
    c.socket = dgram.createSocket('udp4');
    c.socket.on('message', (msg) => c.#reply(msg));
    c.socket.on('error', () => {}); // a refused port shows as a timeout of the command
    await new Promise((done) => c.socket.connect(port, host, done));
    return c;
  }

  #reply(msg) {
    const space = msg.indexOf(0x20);
    const waiter = this.pending.get(msg.subarray(0, space).toString());
    waiter?.(this.form.decode(msg.subarray(space + 1)));
  }

  /** Sends one command; resolves with the reply dictionary, rejects after `ms` without one. */
  raw(dict, ms = 2000) {
    const cookie = `${this.prefix}_${this.seq++}`;
    const sentAt = performance.now();
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.pending.delete(cookie);
        fail(new Error(`ng: no reply to ${dict.command} within ${ms} ms`));
      }, ms);
      this.pending.set(cookie, (reply) => {
        clearTimeout(timer);
        this.pending.delete(cookie);
        this.lastMs = performance.now() - sentAt;
        done(reply);
      });
      this.socket.send(Buffer.concat([Buffer.from(`${cookie} `), this.form.encode(dict)]), (e) => {
        if (e) this.sendError = e;
      });
    });
  }

  /** As raw(), but anything else than ok or pong is thrown. */
  async cmd(dict, ms) {
    const reply = await this.raw(dict, ms);
    if (reply.result !== 'ok' && reply.result !== 'pong')
      throw new Error(`ng ${dict.command}: ${reply.result} ${reply['error-reason'] ?? reply.message ?? ''}`);
    return reply;
  }

  ping(ms = 300) { return this.cmd({ command: 'ping' }, ms); }
  query(callId) { return this.cmd({ command: 'query', 'call-id': callId }); }
  remove(callId, fromTag) { return this.cmd({ 'delete-delay': 0, 'call-id': callId, 'from-tag': fromTag, command: 'delete' }); }
  async statistics() { return (await this.cmd({ command: 'statistics' })).statistics; }
  async calls() { return (await this.cmd({ command: 'list', limit: 10000 })).calls; }

  close() { this.socket.close(); }
}

export class EventListener {
  static async open() {
    const l = new EventListener();
    l.events = [];
    l.socket = dgram.createSocket('udp4');
    l.socket.on('message', (m) => {
      try {
        l.events.push({ ...JSON.parse(m.toString()), at: Date.now() });
      } catch {
        l.events.push({ event: 'unreadable', text: m.toString(), at: Date.now() });
      }
    });
    await new Promise((done) => l.socket.bind(0, '127.0.0.1', done));
    l.address = `127.0.0.1:${l.socket.address().port}`;
    return l;
  }

  of(callId) { return this.events.filter((e) => e['call-id'] === callId); }

  /** Waits for an event of this call whose name, reason or detail matches. */
  wait(callId, re, ms) {
    return until(`event ${re} of the call`, () =>
      this.of(callId).find((e) => re.test(`${e.event} ${e.reason ?? ''} ${e.detail ?? ''}`)), ms);
  }

  close() { this.socket.close(); }
}
