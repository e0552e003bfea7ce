// SPDX-License-Identifier: BSD-3-Clause
// The ways between gateway and signalling node, with unmodified Kamailio between two SIPp phones: ng over every transport that it
// speaks, events by evapi, ends of calls by JSON-RPC and XML-RPC, and a node that is frozen.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { suite, test } from '../lib/runner.mjs';
import { Gateway, UNIT_ENV, daemon, daemonEnv } from '../lib/gateway.mjs';
import { NgClient } from '../lib/ng.mjs';
import { Proc, fatal } from '../lib/proc.mjs';
import { Sipp } from '../lib/sipp.mjs';
import { NET, sh } from '../lib/sandbox.mjs';
import { decode, encode } from '../lib/bencode.mjs';
import { until } from '../lib/wait.mjs';

const RPC = 8060, EVAPI = 8448, HTTP = 8061, TCP = 8062;
const TIMEOUT_S = 2;
const ONLY_AGWD = { known: { rtpengine: 'has no such events or transports' }, timeout: 60000 };
let runs = 0;

suite('wire', {});

/** A gateway of its own for a case, Kamailio beside it, and an established call without media between two phones. */
async function call(t, ctx, { ng = (gw) => `udp:127.0.0.1:${gw.ngPort}`, options = [], flags = '', defs = [], established = true } = {}) {
  const out = join(ctx.opts.out, `wire-${++runs}`);
  mkdirSync(join(out, 'run'), { recursive: true });
  const unix = join(out, 'ng.sock');
  const gateway = await new Gateway({ ...ctx.opts, out }).start([`--listen-unix=${unix}`, '--listen-ng=[::1]:22222', `--listen-http=127.0.0.1:${HTTP}`,
    `--listen-tcp-ng=127.0.0.1:${TCP}`, ...options], [`core/${NET.core.v4}`]);
  gateway.unix = unix;
  t.cleanup(async () => assert.deepEqual(await gateway.stop(), { code: 0, signal: null }, 'clean stop'));
  const sip = `${NET.core.v4}:5060`;
  const words = { NG: ng(gateway), SIP: sip, RPC, EVAPI, CORE: NET.stranger.v4, FLAGS: flags };
  const cfg = readFileSync(fileURLToPath(new URL('../kamailio/wire.cfg', import.meta.url)), 'utf8').replace(/@([A-Z]+)@/g, (_, w) => words[w]);
  writeFileSync(join(out, 'kamailio.cfg'), cfg);
  const kamailio = new Proc('kamailio', ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(out, 'kamailio.cfg'), '-Y', join(out, 'run'), '-w', out,
    ...defs.flatMap((d) => ['-A', d])], { log: join(out, 'kamailio.log') });
  t.cleanup(() => { thaw(kamailio); return kamailio.stop('SIGTERM', 5000); });
  await until('kamailio listens', () => {
    if (!kamailio.alive) throw fatal(`kamailio ended\n${kamailio.output.slice(-2000)}`);
    return new Promise((done, fail) => {
      const s = net.connect(RPC, '127.0.0.1', () => { s.destroy(); done(true); });
      s.on('error', fail);
    });
  }, 8000);
  const uas = await Sipp.start({ scenario: 'uas', ns: ctx.net.core, out, host: 'stranger' });
  t.cleanup(() => uas.stop());
  const uac = await Sipp.start({ scenario: 'uac', ns: ctx.net.core, out, host: 'phone', remote: sip });
  t.cleanup(() => uac.stop());
  if (established) await kamailio.printed(/wire: query/, 8000);
  return { gateway, kamailio, uac, uas, out };
}

/** Both phones got their BYE. */
const ended = (c, ms = 8000) => Promise.all([c.uac.done(ms), c.uas.done(ms)]);
const messages = (c) => readdirSync(c.out).filter((f) => f.endsWith('.msg')).map((f) => readFileSync(join(c.out, f), 'utf8')).join('\n');
const byes = (c) => messages(c).match(/^BYE /gm)?.length ?? 0;

function tree(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(tree)];
}
const signalAll = (proc, signal) => tree(proc.pid).forEach((pid) => process.kill(pid, signal));
const freeze = (proc) => signalAll(proc, 'SIGSTOP');
function thaw(proc) {
  if (proc.alive) signalAll(proc, 'SIGCONT');
}

// ---- ng by every transport ----

const TRANSPORTS = {
  udp: {},
  udp6: { ng: () => 'udp6:[::1]:22222' },
  WebSocket: { ng: () => `ws://127.0.0.1:${HTTP}/`, defs: ['WITH_LWSC'] },
  UNIX: { ng: (gw) => `unix:${gw.unix}` },
};
for (const [name, how] of Object.entries(TRANSPORTS)) {
  test(`Kamailio drives a call over ${name}`, async (t, ctx) => {
    const c = await call(t, ctx, { ...how, options: [`--timeout=${TIMEOUT_S}`, `--notify=jsonrpc:http://127.0.0.1:${RPC}/RPC`] });
    assert.equal((await c.gateway.ng.calls()).length, 1);
    const { commands } = (await c.gateway.ng.statistics()).control;
    assert.equal(commands.offer, 1, 'the offer came once');
    assert.ok(commands.answer >= 1 && commands.query >= 1, 'answer and query came');
    await ended(c);
  }, ONLY_AGWD);
}

test('ng over TCP: messages back to back, JSON and bencode, events pushed', async (t, ctx) => {
  const c = await call(t, ctx, { options: [`--timeout=${TIMEOUT_S}`, `--notify=jsonrpc:http://127.0.0.1:${RPC}/RPC`] });
  const s = net.connect(TCP, '127.0.0.1');
  t.cleanup(() => s.destroy());
  let text = '';
  s.on('data', (d) => { text += d; });
  s.write(Buffer.concat([Buffer.from('a '), encode({ command: 'ping' }), Buffer.from('b {"command":"ping"}c '), encode({ command: 'subscribe events' })]));
  await until('three replies', () => text === 'a d6:result4:ponge' + 'b {"result":"pong"}' + 'c d6:result2:oke', 3000, 20);
  text = '';
  await ended(c);
  const pushed = await until('the end is pushed', () => /[0-9a-f]{16} (d5:event10:call-ended.*)$/.exec(text), 3000, 20);
  assert.equal(decode(Buffer.from(pushed[1])).reason, 'inactivity');
}, ONLY_AGWD);

const DEBIAN_CONF = '/etc/rtpengine/rtpengine.conf';

test("Debian's rtpengine.conf and start line, unchanged", async (t, ctx) => {
  if (!existsSync(DEBIAN_CONF)) t.skip('the package rtpengine-daemon is not installed');
  const conf = Object.fromEntries(readFileSync(DEBIAN_CONF, 'utf8').split('[rtpengine-testing]')[0].split('\n').map((l) => l.split(/\s*=\s*/)).filter((p) => p.length === 2));
  mkdirSync('/run/rtpengine', { recursive: true });
  const pidfile = '/run/rtpengine/rtpengine-daemon.pid';
  const proc = new Proc('agwd', daemon(ctx.opts, '-f', '-E', '--no-log-timestamps', '--pidfile', pidfile, '--config-file', DEBIAN_CONF),
    { log: join(ctx.opts.out, 'debian.log'), env: { ...UNIT_ENV, ...daemonEnv(ctx.opts) } });
  t.cleanup(() => proc.stop());
  await proc.printed(/listening for ng on udp/, 5000);
  const ng = await NgClient.open(Number(conf['listen-ng'].split(':').pop()));
  t.cleanup(() => ng.close());
  await ng.ping(2000);
  const sdp = ['v=0', `o=- 1 1 IN IP4 ${NET.phone.v4}`, 's=-', `c=IN IP4 ${NET.phone.v4}`, 't=0 0', 'm=audio 30000 RTP/AVP 8', ''].join('\r\n');
  const reply = await ng.cmd({ command: 'offer', 'call-id': 'debian', 'from-tag': 'f', sdp });
  const port = Number(/^m=audio (\d+)/m.exec(reply.sdp)[1]);
  assert.ok(port >= Number(conf['port-min']) && port <= Number(conf['port-max']), `port ${port} is of the file's range`);
  assert.equal(readFileSync(pidfile, 'utf8').trim(), String(proc.pid));
  const http = await fetch(`http://127.0.0.1:${conf['listen-http'].split(':').pop()}/ping`);
  assert.equal(await http.text(), 'pong');
}, ONLY_AGWD);

// ---- ends of calls ----

test('JSON-RPC: dlg.terminate_dlg ends the dialogue, once', async (t, ctx) => {
  const c = await call(t, ctx, { options: [`--timeout=${TIMEOUT_S}`, `--notify=jsonrpc:http://127.0.0.1:${RPC}/RPC`] });
  const event = await until('call-ended', () => c.gateway.events.events.find((e) => e.event === 'call-ended'), 8000);
  await ended(c);
  t.note(`both phones had their BYE ${Date.now() - event.at} ms after the event`);
  assert.ok(Date.now() - event.at < 2000);
  assert.equal(event.reason, 'inactivity');
  assert.match(c.gateway.proc.output, /RPC was told of the end: 200/);
  assert.equal(c.gateway.proc.output.match(/was told of the end/g).length, 1);
}, ONLY_AGWD);

test("XML-RPC: rtpengine's b2b-url with the node's address put in", async (t, ctx) => {
  const c = await call(t, ctx, { options: [`--timeout=${TIMEOUT_S}`, `--b2b-url=http://%%:${RPC}/XML`, '--xmlrpc-format=2'] });
  await ended(c);
  assert.match(c.gateway.proc.output, /127.0.0.1:8060\/XML was told of the end: 200/);
}, ONLY_AGWD);

test('evapi: events reach the script, are acknowledged, and end the dialogue with a Reason', async (t, ctx) => {
  const c = await call(t, ctx, { options: [`--timeout=${TIMEOUT_S + 1}`, `--notify=evapi:127.0.0.1:${EVAPI}`], flags: 'notify=[inactivity=1]' });
  await c.kamailio.printed(/wire: event inactivity from-tag/, 5000);
  await ended(c);
  assert.match(c.kamailio.output, /wire: event call-ended inactivity/);
  assert.match(messages(c), /Reason: SIP;cause=480;text="inactivity"/);
  const seqs = [...c.kamailio.output.matchAll(/wire: event \S+ \S* ?seq (\d+)/g)].map((m) => m[1]);
  assert.equal(new Set(seqs).size, seqs.length, 'each event once: all were acknowledged');
  assert.equal((await c.gateway.ng.statistics()).control['events lost'], 0);
}, ONLY_AGWD);

test('evapi: what is not acknowledged comes again, also to a Kamailio that was started anew', async (t, ctx) => {
  const c = await call(t, ctx, { options: ['--timeout=30', `--notify=evapi:127.0.0.1:${EVAPI}`], flags: 'notify=[inactivity=1]', defs: ['NO_ACK'] });
  await until('the same event three times', () => {
    const seqs = [...c.kamailio.output.matchAll(/wire: event inactivity from-tag seq (\d+)/g)].map((m) => m[1]);
    return seqs.length >= 3 && new Set(seqs).size === 1;
  }, 15000);
}, ONLY_AGWD);

// ---- a node that is frozen ----

test('Kamailio is frozen: no call outlives its heartbeats', async (t, ctx) => {
  const c = await call(t, ctx, { options: ['--timeout=60', `--notify=evapi:127.0.0.1:${EVAPI}`], flags: 'notify=[heartbeat=1]' });
  await until('six heartbeats are answered', () => (c.kamailio.output.match(/wire: event heartbeat/g) ?? []).length >= 6, 12000);
  assert.equal((await c.gateway.ng.calls()).length, 1);
  freeze(c.kamailio);
  const frozenAt = Date.now();
  await until('the call is gone', async () => (await c.gateway.ng.calls()).length === 0, 8000, 50);
  const ms = Date.now() - frozenAt;
  t.note(`gone ${ms} ms after the freeze (3 heartbeats of 1 s unanswered)`);
  assert.ok(ms > 2500 && ms < 5500);
  thaw(c.kamailio);
  await ended(c); // the last event is delivered then, and ends the dialogue
  assert.match(c.kamailio.output, /wire: event call-ended heartbeat/);
}, ONLY_AGWD);

test('no call outlives final-timeout, whatever the node does', async (t, ctx) => {
  const c = await call(t, ctx, { options: ['--timeout=60', '--final-timeout=3'] });
  const startedAt = Date.now();
  freeze(c.kamailio);
  await until('the call is gone', async () => (await c.gateway.ng.calls()).length === 0, 6000, 50);
  t.note(`gone ${Date.now() - startedAt} ms after it was seen`);
  assert.equal(c.gateway.events.events.find((e) => e.event === 'call-ended').reason, 'final-timeout');
}, ONLY_AGWD);

// ---- this machine ----

test('an interface that is lost, and its return, are told', async (t, ctx) => {
  sh('ip', 'link', 'add', 'lost0', 'type', 'veth', 'peer', 'name', 'lost1');
  sh('ip', 'link', 'set', 'lost1', 'up');
  t.cleanup(() => sh('ip', 'link', 'del', 'lost0'));
  sh('ip', 'addr', 'add', '10.77.9.1/24', 'dev', 'lost0');
  sh('ip', 'link', 'set', 'lost0', 'up');
  const gateway = await new Gateway({ ...ctx.opts, out: join(ctx.opts.out, 'wire-lost') }).start([], [`access/${NET.access.v4}`, 'core/10.77.9.1']);
  t.cleanup(() => gateway.stop());
  sh('ip', 'link', 'set', 'lost0', 'down');
  const lost = await gateway.events.wait('', /interface-lost core 10.77.9.1/, 3000);
  sh('ip', 'link', 'set', 'lost0', 'up');
  await gateway.events.wait('', /interface-back core 10.77.9.1/, 3000);
  assert.equal(gateway.events.events.filter((e) => e.event.startsWith('interface')).length, 2);
  assert.ok(lost.seq > 0);
}, ONLY_AGWD);
