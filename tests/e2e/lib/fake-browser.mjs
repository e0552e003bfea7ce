// SPDX-License-Identifier: BSD-3-Clause
// A cheap stand-in for a browser where thousands of calls are wanted: ICE checks made here, DTLS by `openssl s_client` through a relay,
// media only counted. Runs in the agent of the browsers' namespace.
import dgram from 'node:dgram';
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';

const COOKIE = 0x2112a442;

function crc32(buf) {
  let crc = ~0;
  for (const b of buf) {
    crc ^= b;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function attribute(type, value) {
  const b = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  b.writeUInt16BE(type, 0);
  b.writeUInt16BE(value.length, 2);
  value.copy(b, 4);
  return b;
}

/** Header, attributes, MESSAGE-INTEGRITY and FINGERPRINT. */
function stun(type, id, attributes, password) {
  const body = [...attributes];
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt32BE(COOKIE, 4);
  id.copy(head, 8);
  const upTo = (extra) => head.writeUInt16BE(body.reduce((n, a) => n + a.length, 0) + extra, 2);
  upTo(24);
  body.push(attribute(0x0008, createHmac('sha1', password).update(Buffer.concat([head, ...body])).digest()));
  upTo(8);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE((crc32(Buffer.concat([head, ...body])) ^ 0x5354554e) >>> 0);
  body.push(attribute(0x8028, crc));
  return Buffer.concat([head, ...body]);
}

/** A nominating connectivity check of a controlling agent (RFC 8445 section 7.2.2). */
function bindingRequest({ username, password, id }) {
  return stun(0x0001, id, [attribute(0x0006, Buffer.from(username)), attribute(0x802a, randomBytes(8)), attribute(0x0025, Buffer.alloc(0)),
    attribute(0x0024, Buffer.from('6e7f1eff', 'hex'))], password);
}

function bindingResponse(request, from, password) {
  const mapped = Buffer.alloc(8);
  mapped[1] = 1;
  mapped.writeUInt16BE(from.port ^ (COOKIE >>> 16), 2);
  const ip = Buffer.from(from.address.split('.').map(Number)).readUInt32BE();
  mapped.writeUInt32BE((ip ^ COOKIE) >>> 0, 4);
  return stun(0x0101, request.subarray(8, 20), [attribute(0x0020, mapped)], password);
}

export class FakeBrowser {
  static async open({ address, cert, key }) {
    const f = new FakeBrowser();
    Object.assign(f, { cert, key, rx: { srtp: 0, rtcp: 0, dtls: 0 } });
    f.socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
    f.socket.on('message', (m, from) => f.#message(m, from));
    f.socket.on('error', () => {});
    await new Promise((done) => f.socket.bind(0, address, done));
    f.port = f.socket.address().port;
    return f;
  }

  #message(m, from) {
    if (m.length >= 20 && m.readUInt16BE(0) === 0x0001) {
      if (this.localPwd) this.socket.send(bindingResponse(m, from, this.localPwd), from.port, from.address);
    } else if (m.length >= 20 && m[0] < 2) this.onStun?.(m);
    else if (m[0] >= 20 && m[0] < 64) {
      this.rx.dtls++;
      if (this.client) this.relay.send(m, this.client);
    } else if (m[0] >= 128 && m[0] < 192) this.rx[m[1] >= 192 && m[1] <= 223 ? 'rtcp' : 'srtp']++;
  }

  /** Checks until a success response comes; resolves with the number of requests it took, or 0. */
  async check({ ip, port, ufrag, pwd, localUfrag, localPwd }) {
    this.localPwd = localPwd;
    this.remote = { ip, port };
    for (let n = 1; n <= 20; n++) {
      const id = randomBytes(12);
      const answered = new Promise((done) => {
        const timer = setTimeout(done, 50, false);
        this.onStun = (m) => {
          if (m.readUInt16BE(0) !== 0x0101 || m.compare(id, 0, 12, 8, 20) !== 0) return;
          clearTimeout(timer);
          done(true);
        };
      });
      this.socket.send(bindingRequest({ username: `${ufrag}:${localUfrag}`, password: pwd, id }), port, ip);
      if (await answered) return n;
    }
    return 0;
  }

  /** A DTLS handshake as client; resolves with s_client's word about SRTP, or throws with its output. */
  async handshake(ms = 5000) {
    this.relay = dgram.createSocket('udp4');
    this.relay.on('message', (m, from) => {
      this.client = from.port;
      this.socket.send(m, this.remote.port, this.remote.ip);
    });
    await new Promise((done) => this.relay.bind(0, '127.0.0.1', done));
    this.openssl = spawn('openssl', ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${this.relay.address().port}`, '-cert', this.cert, '-key', this.key,
      '-use_srtp', 'SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no DTLS within ${ms} ms\n${output.slice(-600)}`)), ms);
      const look = (d) => {
        output += d;
        const m = /SRTP Extension negotiated, profile=(\S+)/.exec(output);
        if (m && /Verify return code/.test(output)) { clearTimeout(timer); done(m[1]); }
      };
      this.openssl.stdout.on('data', look);
      this.openssl.stderr.on('data', look);
      this.openssl.once('exit', () => { clearTimeout(timer); fail(new Error(`s_client ended\n${output.slice(-600)}`)); });
    });
  }

  /** One datagram which looks like SRTP but is not authentic. */
  forge() {
    this.socket.send(Buffer.concat([Buffer.from('80080001000000a0deadbeef', 'hex'), randomBytes(170)]), this.remote.port, this.remote.ip);
  }

  counts() { return this.rx; }

  async close() {
    if (this.openssl) {
      const gone = new Promise((done) => this.openssl.once('exit', done));
      this.openssl.kill('SIGKILL');
      await gone;
    }
    this.relay?.close();
    this.socket.close();
  }
}
