// SPDX-License-Identifier: BSD-3-Clause
// The web server of the demo (WWSF of TS 23.228 annex U): the page, what it must know to register and to find TURN, and its WebSocket,
// handed on byte by byte to the eP-CSCF over TLS, so that the browser has one address and one certificate to trust.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tls from 'node:tls';
import { bundleJssip } from '../../tests/e2e/lib/jssip.mjs';

const PAGE = fileURLToPath(new URL('page/', import.meta.url));
const STYLE = fileURLToPath(new URL('../../demo/page/demo.css', import.meta.url));
const TURN_SECONDS = 3600;
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];

/** A user name that is good for an hour, and its password: base64(HMAC-SHA1(secret, name)), as coturn's --use-auth-secret computes it. */
function turnAccount(secret, name) {
  const username = `${Math.floor(Date.now() / 1000) + TURN_SECONDS}:${name}`;
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
}

/** What a page asks for when it opens: who it is, and whom it may ask for its way. STUN by coturn, not by the gateway's access port:
 *  Chromium takes nothing else from an address that is its STUN server. */
function account(o, name) {
  const at = o.address.includes(':') ? `[${o.address}]` : o.address;
  return {
    name, domain: o.domain, password: o.password,
    iceServers: [{ urls: `stun:${at}:${o.ports.turn}` }, { urls: `turn:${at}:${o.ports.turn}?transport=udp`, ...turnAccount(o.secret, name) }],
  };
}

function answerer(o) {
  const script = bundleJssip();
  const files = {
    '/': ['text/html; charset=utf-8', () => readFileSync(join(PAGE, 'index.html'))],
    '/phone.js': ['text/javascript; charset=utf-8', () => readFileSync(join(PAGE, 'phone.js'))],
    '/jssip.js': ['text/javascript; charset=utf-8', () => script],
    '/style.css': ['text/css', () => readFileSync(STYLE)],
    '/account': ['application/json', (n) => JSON.stringify(account(o, NAMES[n] ?? `guest${n}`))],
  };
  let pages = 0;
  return (req, res) => {
    const path = req.url.split('?')[0];
    if (req.method !== 'GET' || !files[path]) { res.writeHead(404).end(); return; }
    res.writeHead(200, { 'content-type': files[path][0], 'cache-control': 'no-store' });
    res.end(files[path][1](path === '/account' ? pages++ : 0));
  };
}

/** The request as it came: the eP-CSCF looks at Origin and Host itself. Its certificate is our own, so nothing is to be checked. */
function handOn(o, req, socket, head) {
  const lines = [`${req.method} ${req.url} HTTP/1.1`];
  for (let i = 0; i < req.rawHeaders.length; i += 2) lines.push(`${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}`);
  const far = tls.connect({ host: o.address, port: o.ports.wss, rejectUnauthorized: false }, () => {
    far.write(`${lines.join('\r\n')}\r\n\r\n`);
    far.write(head);
    socket.pipe(far).pipe(socket);
  });
  far.on('error', () => socket.destroy());
  socket.on('error', () => far.destroy());
}

/** o: origin, local, address, port, domain, password, secret, ports, out. Resolves when it listens. */
export function serve(o) {
  const answer = answerer(o);
  const server = o.local ? http.createServer(answer)
    : https.createServer({ key: readFileSync(join(o.out, 'key.pem')), cert: readFileSync(join(o.out, 'cert.pem')) }, answer);
  server.on('upgrade', (req, socket, head) => handOn(o, req, socket, head));
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(o.port, o.local ? 'localhost' : o.address, () => done(server));
  });
}
