// SPDX-License-Identifier: BSD-3-Clause
// What an IMS does to a dialogue: preconditions, PRACK, UPDATE, offers that cross or are refused, forks; and what the gateway's
// events do to it. SIPp on both sides, or JsSIP in Chromium, through deploy/kamailio.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import tls from 'node:tls';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { Kamailio, NOTIFY } from '../lib/kamailio.mjs';
import { Sipp } from '../lib/sipp.mjs';
import { pause, recv, reply, scenario, send, want } from '../lib/sipp-flow.mjs';
import { Browser } from '../lib/browser.mjs';
import { SipPage } from '../lib/sip-phone.mjs';
import { NET, nsRun } from '../lib/sandbox.mjs';
import { Capture, kindOf } from '../lib/pcap.mjs';
import { destination, parseSdp } from '../lib/sdp.mjs';
import { connected, pageHears, PAGE_HZ } from '../lib/call.mjs';
import { sleep, until } from '../lib/wait.mjs';

const GRACE_S = 8;

suite('flows', stage('flows', {
  apart: true,
  options: () => [NOTIFY, `--consent-grace=${GRACE_S}`, '--heartbeat=2'],
  interfaces: [`access/${NET.access.v4}`, `core/${NET.core.v4}`],
  kamailio: { flags: 'bare', switches: { CLIENTS_DO_100REL: 1 } },
}));

const known = { rtpengine: 'needs flags for all of this' };
const forgotten = (ctx) => until('the gateway has forgotten the call', async () => (await ctx.gateway.ng.calls()).length === 0, 5000);

// ---------------------------------------------------------------------------------------------- SIPp on both sides

const qos = (mine, theirs) => `a=curr:qos local ${mine}\na=curr:qos remote ${theirs}\na=des:qos mandatory local sendrecv\na=des:qos mandatory remote sendrecv\n`;

/** What a browser's client says, version n; more: attributes of its media. */
const web = (n, more = '', setup = 'actpass') => `v=0
o=- 4711 ${n} IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 8 101
c=IN IP4 0.0.0.0
a=ice-ufrag:wEb1
a=ice-pwd:OxrJglqSUkHiimH8DIbixQpy
a=fingerprint:sha-256 5F:09:11:90:E4:56:62:6C:1D:EB:E3:69:73:BA:93:E9:8D:F0:E3:DE:37:B1:C2:0D:B1:DD:6C:14:38:8C:B3:11
a=setup:${setup}
a=mid:0
a=rtcp-mux
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
${more}`;

/** And a phone of the core. */
const core = (n, more = '') => `v=0
o=phone 4712 ${n} IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
${more}`;

const RELIABLE = ['Supported: 100rel, precondition'];

/** Both ends play their steps; resolves with what each has sent and received. `byBrowser`: who calls. */
async function play(t, ctx, name, byBrowser, callerSteps, calleeSteps, during) {
  const [callerSdp, calleeSdp] = byBrowser ? [web, core] : [core, web];
  const make = (steps, sdp, o) => scenario(name, steps(sdp), o);
  const onAccess = { ns: ctx.net.br, ip: NET.browser.v4, port: 5090 };
  const onCore = { ns: ctx.net.core, ip: NET.stranger.v4, port: 5070 };
  const base = { scenario: name, out: ctx.opts.out };
  if (!byBrowser) {
    const r = await Sipp.start({ ...base, ...onAccess, scenario: 'register', uas: false, service: 'webuser', remote: ctx.kamailio.access });
    await r.done();
  }
  const user = byBrowser ? 'uas' : 'webuser';
  const callee = await Sipp.start({ ...base, ...(byBrowser ? onCore : onAccess), uas: true, service: user, xml: make(calleeSteps, calleeSdp, { caller: false, tag: 'callee' }) });
  t.cleanup(() => callee.stop());
  const caller = await Sipp.start({ ...base, ...(byBrowser ? onAccess : onCore), uas: false, service: 'caller', remote: byBrowser ? ctx.kamailio.access : ctx.kamailio.sip, xml: make(callerSteps, callerSdp, { caller: true, user, tag: 'caller' }) });
  t.cleanup(() => caller.stop());
  const before = (await ctx.gateway.ng.statistics()).control?.errors ?? 0;
  await during?.();
  await Promise.all([caller.done(30000), callee.done(30000)]);
  await forgotten(ctx);
  assert.equal((await ctx.gateway.ng.statistics()).control?.errors ?? 0, before, 'no command was refused');
  const [browser, phone] = byBrowser ? [caller, callee] : [callee, caller];
  return { browser: browser.messages(), phone: phone.messages() };
}

const sdpsOf = (messages, dir) => messages.filter((m) => m.dir === dir && m.sdp && !/^(INVITE|PRACK|UPDATE).*retrans/.test(m.first)).map((m) => m.sdp);
const distinct = (sdps, re) => [...new Set(sdps.map((s) => re.exec(s)?.[1]))];

/** However often SDP came: one transport toward the browser, one port toward the core. */
function oneTransport({ browser, phone }) {
  const toBrowser = sdpsOf(browser, 'received'), toPhone = sdpsOf(phone, 'received');
  assert.ok(toBrowser.length > 0 && toPhone.length > 0, 'SDP came through');
  for (const re of [/a=ice-ufrag:(\S+)/, /a=ice-pwd:(\S+)/, /a=fingerprint:(.*)/, /m=audio (\d+)/]) {
    const values = distinct(toBrowser, re);
    assert.equal(values.length, 1, `the browser sees one ${re}: ${values}`);
    assert.ok(values[0], `${re} is there`);
  }
  const ports = distinct(toPhone, /m=audio (\d+)/);
  assert.equal(ports.length, 1, `the core sees one port: ${ports}`);
  assert.ok(Number(ports[0]) > 0);
  for (const s of toPhone) assert.doesNotMatch(s, /ice-ufrag|fingerprint|UDP\/TLS/);
  return { toBrowser, toPhone };
}

// An offer of a side's own, what becomes of it, and what becomes of the other's, by either method.
const offer = (m, sdp) => [send(m, { sdp, once: true }), ...(m === 'INVITE' ? [want(100)] : [])];
const refused = (m) => () => (m === 'INVITE' ? [want(491), send('ACK', { refused: true })] : [want(491, { plain: true })]);
const accepted = (m) => () => (m === 'INVITE' ? [want(200), send('ACK')] : [want(200, { plain: true })]);
const refuse = (m) => () => [reply(m, 491), ...(m === 'INVITE' ? [recv('ACK')] : [])];
const accept = (m) => (sdp) => [reply(m, 200, { sdp }), ...(m === 'INVITE' ? [recv('ACK')] : [])];

for (const byBrowser of [true, false]) {
  const who = byBrowser ? 'browser calls phone' : 'phone calls browser';
  for (const withSdp of [false, true]) {
    test(`preconditions, ${who}: 183, PRACK ${withSdp ? 'with' : 'without'} SDP, UPDATE, 200 without SDP`, async (t, ctx) => {
      const caller = (sdp) => [
        send('INVITE', { sdp: sdp(1, qos('none', 'none')), headers: RELIABLE }), want(183),
        send('PRACK', { headers: ['RAck: 1 1 INVITE'], sdp: withSdp ? sdp(2, qos('none', 'sendrecv')) : '' }), want(200, { plain: true }),
        send('UPDATE', { sdp: sdp(3, qos('sendrecv', 'none')) }), want(200, { plain: true }),
        want(200), send('ACK'), pause(200), send('BYE'), want(200, { plain: true }),
      ];
      const callee = (sdp) => [
        recv('INVITE'), reply('INVITE', 183, { sdp: sdp(1, `${qos('none', 'none')}a=conf:qos remote sendrecv\n`, 'active'), headers: ['Require: 100rel', 'RSeq: 1', 'P-Early-Media: inactive'] }),
        recv('PRACK'), reply('PRACK', 200, { sdp: withSdp ? sdp(2, qos('none', 'none'), 'active') : '' }),
        recv('UPDATE'), reply('UPDATE', 200, { sdp: sdp(3, qos('sendrecv', 'sendrecv'), 'active') }), pause(100),
        reply('INVITE', 200), recv('ACK'), recv('BYE'), reply('BYE', 200),
      ];
      const accepted = () => (ctx.gateway.proc.output.match(/accepted without SDP/g) ?? []).length;
      const before = accepted();
      const all = await play(t, ctx, `qos${withSdp ? '-sdp' : ''}`, byBrowser, caller, callee);
      assert.equal(accepted(), before + 1, 'the gateway knows that it is the final answer');
      const { toBrowser, toPhone } = oneTransport(all);
      assert.equal(toBrowser.length, withSdp ? 3 : 2);
      assert.equal(toPhone.length, withSdp ? 3 : 2);
      for (const s of toBrowser) assert.doesNotMatch(s, /^a=(curr|des|conf):/m, 'no preconditions in what a browser reads');
    }, { timeout: 60000, known });
  }

  for (const m of ['INVITE', 'UPDATE']) {
    const name = m === 'INVITE' ? 're-INVITE' : m;
    test(`${name}s cross, ${who}: 491 to both or to either, and again`, async (t, ctx) => {
      // the callee's offer is the earlier one in the gateway; then what happens to both, in this order
      const rounds = [
        { caller: [refused(m), refuse(m)], callee: [refuse(m), refused(m)], held: true },
        { caller: [refused(m), accept(m)], callee: [refuse(m), accepted(m)] },
        { caller: [accepted(m), refuse(m)], callee: [accept(m), refused(m)] },
        { caller: [() => [pause(50)], accept(m), refused(m)], callee: [accepted(m), refuse(m)] }, // a 200 at once would overtake the offer in Kamailio
      ];
      const version = (i) => 2 + 2 * i;
      const more = (r) => (r.held ? 'a=sendonly\n' : '');
      const caller = (sdp) => [send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'),
        ...rounds.flatMap((r, i) => [recv(m), ...offer(m, sdp(version(i), more(r))), ...r.caller.flatMap((f) => f(sdp(version(i) + 1, '', 'active')))]),
        pause(1000), send('BYE'), want(200, { plain: true })];
      const callee = (sdp) => [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1, '', 'active') }), recv('ACK'),
        ...rounds.flatMap((r, i) => [pause(300), ...offer(m, sdp(version(i), more(r))), recv(m), ...r.callee.flatMap((f) => f(sdp(version(i) + 1, '', 'active')))]),
        recv('BYE'), reply('BYE', 200)];
      const all = await play(t, ctx, `cross-${m}`, byBrowser, caller, callee, () => standsAfter(ctx, 5));
      oneTransport(all);
      for (const { first, sdp } of all.browser.filter((x) => x.dir === 'received' && x.sdp))
        assert.match(sdp, first.startsWith('SIP/2.0') ? /^a=setup:(active|passive)\r$/m : /^a=setup:actpass\r$/m, `an answer is one, an offer is one: ${first}`);
    }, { timeout: 60000, known });
  }

  for (const code of [488, 500]) {
    test(`refused UPDATEs and re-INVITEs of both, ${who}, ${code}: what stood stands`, async (t, ctx) => {
      const asks = (sdp) => [send('UPDATE', { sdp: sdp(2, 'a=inactive\n') }), want(code, { plain: true }), pause(100),
        send('INVITE', { sdp: sdp(3, 'a=inactive\n') }), want(code), send('ACK', { refused: true })];
      const refuses = [recv('UPDATE'), reply('UPDATE', code), recv('INVITE'), reply('INVITE', code), recv('ACK')];
      const caller = (sdp) => [send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'), ...asks(sdp), ...refuses, pause(1000), send('BYE'), want(200, { plain: true })];
      const callee = (sdp) => [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1, '', 'active') }), recv('ACK'), ...refuses, pause(100), ...asks(sdp), recv('BYE'), reply('BYE', 200)];
      oneTransport(await play(t, ctx, `refused-${code}`, byBrowser, caller, callee, () => standsAfter(ctx, 4)));
    }, { timeout: 60000, known });
  }

  test(`a re-INVITE is refused behind its 183 and an UPDATE, ${who}: what the UPDATE settled stands`, async (t, ctx) => {
    const caller = (sdp) => [send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'), pause(100),
      send('INVITE', { sdp: sdp(2, 'a=inactive\n'), headers: RELIABLE }), want(183), send('PRACK', { headers: ['RAck: 1 2 INVITE'] }), want(200, { plain: true }),
      send('UPDATE', { sdp: sdp(3) }), want(200, { plain: true }), want(488), send('ACK', { refused: true }), pause(1000), send('BYE'), want(200, { plain: true })];
    const callee = (sdp) => [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1, '', 'active') }), recv('ACK'),
      recv('INVITE'), reply('INVITE', 183, { sdp: sdp(2, 'a=inactive\n', 'active'), headers: ['Require: 100rel', 'RSeq: 1'] }), recv('PRACK'), reply('PRACK', 200),
      recv('UPDATE'), reply('UPDATE', 200, { sdp: sdp(3, '', 'active') }), pause(100), reply('INVITE', 488), recv('ACK'), recv('BYE'), reply('BYE', 200)];
    oneTransport(await play(t, ctx, 'refused-late', byBrowser, caller, callee, () => standsAfter(ctx, 1)));
  }, { timeout: 60000, known });

  test(`session timer, ${who}: the same SDP again touches nothing`, async (t, ctx) => {
    const again = (sdp, setup) => [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1, '', setup) }), recv('ACK')];
    const caller = (sdp) => [send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'), pause(100), send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'),
      send('UPDATE'), want(200, { plain: true }), pause(100), send('BYE'), want(200, { plain: true })];
    const callee = (sdp) => [...again(sdp, 'active'), ...again(sdp, 'active'), recv('UPDATE'), reply('UPDATE', 200), recv('BYE'), reply('BYE', 200)];
    const { toBrowser, toPhone } = oneTransport(await play(t, ctx, 'refresh', byBrowser, caller, callee));
    for (const sdps of [toBrowser, toPhone]) assert.deepEqual(sdps, [sdps[0], sdps[0]], 'the same text, its version included');
  }, { timeout: 60000, known });
}

/** Once n refusals are through, both parties still may send and receive. */
async function standsAfter(ctx, n) {
  const refused = () => (ctx.gateway.proc.output.match(/ng delete from/g) ?? []).length;
  const before = refused();
  await until(`${n} refusals`, () => refused() >= before + n, 12000);
  const [id] = await ctx.gateway.ng.calls();
  assert.ok(id, 'the call lives');
  const { tags } = await ctx.gateway.ng.query(id);
  assert.deepEqual(Object.values(tags).map((p) => p.medias[0].direction), ['sendrecv', 'sendrecv']);
}

// ---------------------------------------------------------------------------------------------- Chromium: events, emergency, Origin

let people = 0;
async function alice(t, ctx, { browser = ctx.browser } = {}) {
  const page = await SipPage.open(browser, { ws: ctx.kamailio.ws, password: 'secret', tone: PAGE_HZ, user: `flora${++people}` });
  t.pages = [...(t.pages ?? []), page];
  t.cleanup(() => page.close().catch(() => {}));
  await page.registered();
  return page;
}

/** A call to SIPp, which echoes, and plays `steps` once it has answered. */
async function callSipp(t, ctx, page, steps, target = 'uas') {
  const sdp = core(1);
  const peer = await Sipp.start({ scenario: 'echo', uas: true, ns: ctx.net.core, out: ctx.opts.out, service: 'uas',
    xml: scenario('echo', [recv('INVITE'), reply('INVITE', 200, { sdp }), recv('ACK'), ...steps], { caller: false, tag: 'echo' }) });
  t.cleanup(() => peer.stop());
  const before = await ctx.gateway.ng.calls();
  await page.call(`sip:${target}@e2e.test`);
  await page.state('confirmed');
  await connected(page);
  await pageHears(page, PAGE_HZ);
  const [id] = (await ctx.gateway.ng.calls()).filter((c) => !before.includes(c));
  return { peer, id };
}

const BYE = [recv('BYE', { ms: 80000 }), reply('BYE', 200)];
const byeOf = (peer) => peer.messages().find((m) => m.dir === 'received' && m.first.startsWith('BYE'));

async function byeWithin(peer, ms, what) {
  const from = Date.now();
  await until(`BYE ${what}`, () => byeOf(peer), ms, 20);
  assert.match(byeOf(peer).text, /^Reason: Q\.850;cause=41;text="media: /m, 'the far end learns why');
  return Date.now() - from;
}

// ---------------------------------------------------------------------------------------------- forks

const CODECS = [[0, 'PCMU/8000'], [8, 'PCMA/8000'], [9, 'G722/8000']];
const TONES = [600, 800, 1000, 1200, 1400];
const FIRST_MS = 200; // of the winner, from its 200 on

/** One branch: 183 with a codec of its own; the winner answers with 200 after a while, the others are cancelled. */
function branch(i, winner, phone) {
  const [pt, name] = CODECS[i % CODECS.length];
  const sdp = `v=0\no=branch${i} 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 ${phone.address}\nt=0 0\nm=audio ${phone.port} RTP/AVP ${pt}\na=rtpmap:${pt} ${name}\n`;
  const end = i === winner ? [pause(3000), reply('INVITE', 200, { sdp }), recv('ACK'), recv('BYE'), reply('BYE', 200)]
    : [recv('CANCEL'), reply('CANCEL', 200), reply('INVITE', 487), recv('ACK')];
  return [recv('INVITE'), pause(300 + 100 * i), reply('INVITE', 183, { sdp }), ...end];
}

/** The RTP of a datagram: a burst is captured as one, before it is segmented; only its last packet may be shorter, and RTCP. */
function segments(data, phones, tagBytes) {
  const sizes = phones.filter((p) => p.pt === (data[1] & 0x7f)).map((p) => 12 + p.frame + tagBytes);
  const ssrcAt = (at) => at + 12 <= data.length && data.readUInt32BE(at) === data.readUInt32BE(8);
  const begins = (at) => at === data.length || ssrcAt(at + 8) || ssrcAt(at + 4);
  const size = sizes.find((b) => b <= data.length && begins(b)) ?? data.length;
  return Array.from({ length: Math.ceil(data.length / size) }, (_, k) => data.subarray(k * size, (k + 1) * size)).filter((s) => kindOf(s) === 'rtp');
}

/** RTP toward the browser as [{ at, branch, ts }]: branches differ in payload type and packet length, which encryption does not hide. */
function heardOf(datagrams, phones, tagBytes) {
  return datagrams.filter((d) => d.kind === 'rtp' && d.dst === NET.browser.v4).flatMap((d) => segments(d.data, phones, tagBytes).map((rtp) => {
    const of = phones.findIndex((p) => p.pt === (rtp[1] & 0x7f) && rtp.length === 12 + p.frame + tagBytes);
    assert.ok(of >= 0, `a packet of nobody: ${rtp.length} bytes, payload type ${rtp[1] & 0x7f}`);
    return { at: d.at, branch: of, ts: rtp.readUInt32BE(4) };
  }));
}

/** What the egress adds to the timestamps of a phone: a packet comes within some ms of its sending. */
function offsetOf(heard, sent) {
  const votes = new Map();
  for (const h of heard) {
    const last = sent.findLast((x) => x.at <= h.at + 1);
    const offset = last && (h.ts - last.ts) >>> 0;
    votes.set(offset, (votes.get(offset) ?? 0) + 1);
  }
  return [...votes].sort((a, b) => b[1] - a[1])[0][0];
}

for (const [n, winner] of [[2, 0], [5, 3]]) {
  test(`a fork of ${n}, all talking with other codecs, 200 from number ${winner + 1}: one answer, and its first ${FIRST_MS} ms are heard`, async (t, ctx) => {
    const page = await alice(t, ctx);
    const phones = [];
    const peers = [];
    for (let i = 0; i < n; i++) { // all behind one address
      const phone = await ctx.core.phone({ address: NET.stranger.v4, tone: TONES[i], pt: CODECS[i % CODECS.length][0], frame: 160 + 8 * i });
      const s = await Sipp.start({ scenario: `branch${i}`, uas: true, ns: ctx.net.core, out: ctx.opts.out, port: 5070 + i, service: `fork${n}`,
        xml: scenario(`branch${i}`, branch(i, winner, phone), { caller: false, tag: `branch${i}` }) });
      t.cleanup(() => Promise.all([s.stop(), phone.close()]));
      phones.push(phone);
      peers.push(s);
    }
    const cap = await Capture.start(ctx.net.br, join(ctx.opts.out, `fork${n}.pcap`));
    t.cleanup(() => cap.stop());
    await page.call(`sip:fork${n}@e2e.test`);
    const inviteOf = (p) => p.messages().find((m) => m.first.startsWith('INVITE'));
    for (const [i, phone] of phones.entries()) {
      await until('the branch is called', () => inviteOf(peers[i]), 5000, 10);
      const offer = parseSdp(inviteOf(peers[i]).sdp);
      await phone.setRemote(destination(offer, offer.medias[0]));
      await phone.start(); // before its 183
    }
    await pageHears(page, TONES[n - 1]); // the newest branch
    await page.state('confirmed');
    await pageHears(page, TONES[winner]);
    await sleep(500); // the losers talk on
    const { transports: [{ srtp }] } = await page.stats();
    const heard = heardOf(await cap.stop(), phones, /GCM/.test(srtp) ? 16 : 10);
    const sent = await phones[winner].sentLog();
    const wonAt = peers[winner].messages().find((m) => m.dir === 'sent' && m.first.startsWith('SIP/2.0 200') && /CSeq:.*INVITE/.test(m.text)).at;

    assert.ok(heard.some((h) => h.branch === n - 1 && h.at < wonAt), 'the newest branch was heard before');
    const lastLoser = heard.findLastIndex((h) => h.branch !== winner);
    const after = heard.slice(lastLoser + 1);
    t.note(`the last packet of a loser ${Math.round(heard[lastLoser].at - wonAt)} ms after the 200, the winner's first one ${Math.round(after[0].at - wonAt)} ms`);
    assert.ok(after.length > 30, 'only the winner is left');
    assert.ok(heard[lastLoser].at - wonAt < 250, 'no loser is heard when the 200 is there');
    const offset = offsetOf(after.filter((h) => h.at > wonAt + 500), sent);
    const came = new Set(after.map((h) => h.ts));
    const firsts = sent.filter((p) => p.at >= wonAt && p.at <= wonAt + FIRST_MS);
    const missing = firsts.filter((p) => !came.has((p.ts + offset) >>> 0));
    t.note(`${firsts.length - missing.length} of ${firsts.length} packets of the winner's first ${FIRST_MS} ms, ${sent.filter((p) => p.at < wonAt && came.has((p.ts + offset) >>> 0)).length} of those before`);
    assert.ok(firsts.length >= 3, `a phone sends ten packets in ${FIRST_MS} ms, less on a busy machine: ${firsts.length}`);
    assert.equal(missing.length, 0, `missing of the winner's first ${FIRST_MS} ms`);

    const answers = (await page.sdps()).filter(([who]) => who === 'remote').map(([,, sdp]) => sdp);
    assert.ok(answers.length >= n, `${answers.length} answers`);
    for (const re of [/a=ice-ufrag:(\S+)/, /a=ice-pwd:(\S+)/, /a=fingerprint:(.*)/, /m=audio (\d+)/])
      assert.equal(distinct(answers, re).length, 1, `one ${re}`);
    assert.equal(distinct(peers.map((p) => inviteOf(p).sdp), /m=audio (\d+)/).length, 1, 'one core port');
    const [id] = await ctx.gateway.ng.calls();
    const { tags } = await ctx.gateway.ng.query(id);
    const codecs = Object.values(tags).flatMap((p) => p.medias.map((m) => m.codec));
    assert.ok(codecs.includes(CODECS[winner % CODECS.length][1]), `the winner's codec: ${codecs}`);
    await page.bye();
    await Promise.all(peers.map((p) => p.done()));
    await forgotten(ctx);
  }, { timeout: 40000, known });
}

test('SIGKILL of the browser: sending stops, then a BYE with a Reason', async (t, ctx) => {
  const victim = await Browser.launch('flows-victim', ctx.net.br, ctx.opts.out);
  t.cleanup(() => victim.close());
  const lost = await callSipp(t, ctx, await alice(t, ctx, { browser: victim }), BYE);
  t.pages = [];
  const killedAt = Date.now();
  victim.kill();
  const consent = await ctx.gateway.events.wait(lost.id, /consent-lost/, 33000);
  assert.ok(consent.at - killedAt <= 31500, `consent lost after ${consent.at - killedAt} ms`);
  await ctx.gateway.events.wait(lost.id, /call-ended/, (GRACE_S + 3) * 1000);
  const ms = await byeWithin(lost.peer, 2000, 'after the final event');
  t.note(`consent lost ${((consent.at - killedAt) / 1000).toFixed(1)} s after SIGKILL, BYE ${ms} ms after the final event`);
  await lost.peer.done();
  await forgotten(ctx);
}, { timeout: 90000, known });

test('media cut both ways for 35 s, then restartIce(): the call lives', async (t, ctx) => {
  const page = await alice(t, ctx);
  const { peer, id } = await callSipp(t, ctx, page, [recv('INVITE', { ms: 60000 }), reply('INVITE', 200, { sdp: core(1) }), recv('ACK'), ...BYE]);
  nsRun(ctx.net.br, 'nft', `add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut out meta l4proto udp drop; add rule inet cut in meta l4proto udp drop`);
  let cut = true;
  const mend = () => { if (cut) nsRun(ctx.net.br, 'nft', 'delete table inet cut'); cut = false; };
  t.cleanup(mend);
  await sleep(35000); // the silence is the test
  mend();
  assert.ok(ctx.gateway.events.of(id).some((e) => e.event === 'consent-lost'), 'consent was lost meanwhile');
  await page.restartIce();
  await pageHears(page, PAGE_HZ);
  await page.bye();
  await peer.done();
  await forgotten(ctx);
}, { timeout: 90000, known });

test('a closed page ends the call at once: close_notify, BYE with a Reason', async (t, ctx) => {
  const page = await alice(t, ctx);
  const { peer, id } = await callSipp(t, ctx, page, BYE);
  t.pages = [];
  const closedAt = Date.now();
  await page.page.close({ runBeforeUnload: true });
  const e = await ctx.gateway.events.wait(id, /dtls-closed/, 2000);
  assert.ok(e.at - closedAt <= 1000, `close_notify after ${e.at - closedAt} ms`);
  const ms = await byeWithin(peer, 1000, 'after the goodbye');
  t.note(`dtls-closed after ${e.at - closedAt} ms, BYE ${ms} ms after it`);
  await peer.done();
  await forgotten(ctx);
}, { timeout: 30000, known });

test('a page that closes its connection and then hangs up: one BYE, its own', async (t, ctx) => {
  const page = await alice(t, ctx);
  const { peer, id } = await callSipp(t, ctx, page, [...BYE, pause(1000)]); // where another BYE is a mistake
  await page.page.evaluate(() => rig.pc.close());
  await ctx.gateway.events.wait(id, /dtls-closed/, 2000);
  await page.bye();
  await peer.done();
  assert.doesNotMatch(byeOf(peer).text, /^Reason: Q\.850/m, 'nothing has gone wrong');
  await forgotten(ctx);
}, { known });

test('Kamailio is frozen: three heartbeats without an answer end the call', async (t, ctx) => {
  const page = await alice(t, ctx);
  const { id } = await callSipp(t, ctx, page, BYE);
  await sleep(7000); // three heartbeats that are answered
  assert.ok((await ctx.gateway.ng.calls()).includes(id), 'a call that Kamailio knows lives');
  const thaw = ctx.kamailio.freeze();
  t.cleanup(thaw);
  const frozenAt = Date.now();
  await until('the call is gone', async () => !(await ctx.gateway.ng.calls()).includes(id), 12000, 100);
  t.note(`gone ${((Date.now() - frozenAt) / 1000).toFixed(1)} s after the freeze (heartbeat 2 s)`);
  thaw();
  await page.state('ended'); // the browser lives, and is told
}, { timeout: 40000, known });

test('an emergency call is marked', async (t, ctx) => {
  const page = await alice(t, ctx);
  const { peer, id } = await callSipp(t, ctx, page, BYE, '112');
  assert.match(ctx.gateway.proc.output, new RegExp(`\\[${id}\\] the call is urgent now`), 'the gateway knows');
  await page.bye();
  await peer.done();
  await forgotten(ctx);
}, { known });

test('wrong Origin or Host: 403', async (t, ctx) => {
  const ask = (headers) => new Promise((done, fail) => {
    const s = tls.connect({ host: NET.access.v4, port: 8443, rejectUnauthorized: false }, () =>
      s.write(['GET / HTTP/1.1', ...headers, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: sip', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n')));
    s.once('data', (d) => { s.destroy(); done(d.toString().split('\r\n')[0]); });
    s.once('error', fail);
  });
  const host = `Host: ${NET.access.v4}:8443`;
  assert.match(await ask([host, 'Origin: http://localhost:8080']), /101/);
  assert.match(await ask([host, 'Origin: https://evil.example']), /403/);
  assert.match(await ask([host]), /403/, 'no Origin');
  assert.match(await ask(['Host: other.example', 'Origin: http://localhost:8080']), /403/);
}, { known });
