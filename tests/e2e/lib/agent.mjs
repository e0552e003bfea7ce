// SPDX-License-Identifier: BSD-3-Clause
// Helper process inside one network namespace: plain RTP phones, browser stand-ins and a tiny web server, driven over IPC by AgentClient.
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { RtpPhone } from './rtp.mjs';
import { FakeBrowser } from './fake-browser.mjs';

const phones = new Map();
const files = new Map();
let nextId = 1;

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };

const verbs = {
  async phoneOpen(opts) {
    const id = nextId++;
    phones.set(id, await RtpPhone.open(opts));
    return id;
  },
  async fakeOpen(opts) {
    const id = nextId++;
    const f = await FakeBrowser.open(opts);
    phones.set(id, f);
    return { id, port: f.port };
  },
  burst(id, packets, peer) { return phones.get(id).burst(packets, phones.get(peer)); },
  phone(id, method, ...args) {
    const p = phones.get(id);
    if (method === 'close') phones.delete(id);
    return p?.[method](...args);
  },
  /** Serves the given files ({ '/name': path or { text } }) on localhost; resolves with the port. */
  serve(map) {
    for (const [url, what] of Object.entries(map)) files.set(url, what);
    const server = http.createServer((req, res) => {
      const path = req.url.split('?')[0];
      const what = files.get(path);
      if (what === undefined) { res.writeHead(404).end(); return; }
      res.writeHead(200, { 'content-type': TYPES[path.split('.').pop()] ?? 'application/octet-stream', 'cache-control': 'no-store' });
      res.end(what.text ?? readFileSync(what));
    });
    return new Promise((done) => server.listen(0, 'localhost', () => done(server.address().port)));
  },
};

process.on('message', async ({ id, verb, args }) => {
  try {
    process.send({ id, value: await verbs[verb](...args) });
  } catch (e) {
    process.send({ id, error: String(e.stack ?? e) });
  }
});
process.on('disconnect', () => process.exit(0));
