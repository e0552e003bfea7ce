// SPDX-License-Identifier: BSD-3-Clause
// Full and lite agents: roles, trickle, independent clients, a way that changes under a call, the STUN server. Both agents by the key ICE-lite, whatever --ice says.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { PORTS } from '../lib/gateway.mjs';
import { Capture, maxGap } from '../lib/pcap.mjs';
import { Peer } from '../lib/peer.mjs';
import { NET, nsRun } from '../lib/sandbox.mjs';
import { attrs, parseSdp } from '../lib/sdp.mjs';
import { audioBothWays, browserCallsPhone, Call, PAGE_HZ, parts, Phone, PHONE_HZ, phoneCallsBrowser, phoneHears } from '../lib/call.mjs';
import { until } from '../lib/wait.mjs';

const FULL = { 'ICE-lite': 'off' }, LITE = { 'ICE-lite': 'both' };
const KNOWN = { known: { rtpengine: 'a suite of this gateway' } };

suite('ice', stage('ice'));

const checksSent = async (ctx) => (await ctx.gateway.ng.statistics()).workers.reduce((sum, w) => sum + w['STUN checks'], 0);

/** What query says of the browser's transport. */
async function iceOf(call) {
  const q = await call.query();
  return q.transports.find((t) => t.ICE).ICE;
}

// ---- roles, with Chromium ----

test('full: Chromium offers and controls, we are controlled and ask for consent', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  const cap = await Capture.start(ctx.net.br, join(ctx.opts.out, 'consent-full.pcap'));
  t.cleanup(() => cap.proc.stop());
  t.sdps = await browserCallsPhone(call, page, phone, { keys: FULL });
  assert.doesNotMatch(t.sdps.toBrowser, /a=ice-lite/);
  assert.match(t.sdps.toBrowser, /a=ice-options:trickle/);
  await audioBothWays(page, phone);
  const ice = await iceOf(call);
  assert.deepEqual([ice.agent, ice.role, ice.state], ['full', 'controlled', 'connected']);
  const from = await checksSent(ctx);
  await until('two consent checks of ours', async () => await checksSent(ctx) >= from + 2, 14000, 200);
  await audioBothWays(page, phone);
  const ours = (await cap.stop()).filter((d) => d.src === NET.access.v4 && d.data[0] === 0 && d.data[1] === 1);
  t.note(`${ours.length} checks of ours on the wire`);
  assert.ok(ours.length >= 3);
}, KNOWN);

test('full: we offer and control, Chromium is controlled', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx, { page: { answerer: true } });
  t.sdps = await phoneCallsBrowser(call, page, phone, { keys: FULL });
  await audioBothWays(page, phone);
  const ice = await iceOf(call);
  assert.deepEqual([ice.agent, ice.role, ice.state], ['full', 'controlling', 'connected']);
  const q = await call.query();
  const flags = Object.values(q.tags).flatMap((tag) => tag.medias).map((m) => m.flags);
  assert.ok(flags.some((f) => f.includes('ICE controlling')), JSON.stringify(flags));
}, KNOWN);

test('lite by call: a=ice-lite, and no check of ours', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  const from = await checksSent(ctx);
  t.sdps = await browserCallsPhone(call, page, phone, { keys: LITE });
  assert.match(t.sdps.toBrowser, /a=ice-lite/);
  await audioBothWays(page, phone);
  assert.equal((await iceOf(call)).agent, 'lite');
  assert.equal(await checksSent(ctx), from);
}, KNOWN);

// ---- other clients ----

for (const kind of ['aiortc', 'webrtcbin'])
  for (const mode of ['full', 'lite'])
    for (const dir of ['calls', 'is called'])
      test(`${mode}: ${kind} ${dir}`, async (t, ctx) => {
        const keys = mode === 'full' ? FULL : LITE;
        const { call, peer, phone } = await peerParts(t, ctx, kind);
        if (dir === 'calls') {
          t.sdps = await browserCallsPhone(call, peer, phone, { keys });
        } else {
          t.sdps = await phoneCallsBrowser(call, peer, phone, { keys });
        }
        await Promise.all([peer.hears(PHONE_HZ), phoneHears(phone, PAGE_HZ, 10000)]);
        const ice = await iceOf(call);
        assert.equal(ice.state, 'connected');
        assert.equal(ice.role, mode === 'full' && dir !== 'calls' ? 'controlling' : 'controlled');
      }, KNOWN);

async function peerParts(t, ctx, kind) {
  await ctx.gateway.ensure();
  const call = t.call = new Call(ctx.gateway);
  t.cleanup(() => call.remove());
  const peer = Peer.open(kind, ctx.net.br, ctx.opts.out);
  t.cleanup(() => peer.close());
  const phone = await Phone.open(ctx.core, {});
  t.cleanup(() => phone.close());
  return { call, peer, phone };
}

// ---- trickle ----

/** What a SIP INFO would carry, RFC 8840. */
function fragment(sdp, candidates, end) {
  const first = parseSdp(sdp);
  const own = (name) => (attrs(first, first.medias[0], name)[0] ?? attrs(first, null, name)[0]);
  return [`a=ice-ufrag:${own('ice-ufrag')}`, `a=ice-pwd:${own('ice-pwd')}`, 'm=audio 9 RTP/AVP 0', `a=mid:${own('mid')}`,
    ...candidates.map((c) => `a=${c}`), ...(end ? ['a=end-of-candidates'] : []), ''].join('\r\n');
}

for (const early of [false, true])
  test(`full: webrtcbin trickles, ${early ? 'fragments before the offer' : 'fragments after it'}, and cannot reach us first`, async (t, ctx) => {
    const { call, peer, phone } = await peerParts(t, ctx, 'webrtcbin');
    // Its own checks are held back until ours have come: only trickled candidates can lead there.
    nsRun(ctx.net.br, 'nft', `add table inet hold; add chain inet hold out { type filter hook output priority 0; }; add rule inet hold out udp dport ${PORTS.access}-${PORTS.access + 9} @th,64,16 0x0001 drop`);
    t.cleanup(() => nsRun(ctx.net.br, 'nft', 'delete table inet hold'));
    const trickle = async (sdp) => {
      let complete = false, told = [];
      while (!complete) {
        const c = await peer.candidates();
        told.push(...c.candidates.map((x) => x.candidate));
        complete = c.complete;
      }
      await call.ng.cmd({ sdp: fragment(sdp, told, true), flags: ['fragment'], 'call-id': call.id, 'from-tag': call.tags.a, command: 'offer' });
      return told.length;
    };
    const from = await checksSent(ctx);
    const offer = await peer.offer({ trickle: true });
    assert.doesNotMatch(offer, /a=candidate/);
    let told = early ? await trickle(offer) : 0;
    const toCore = await call.offer(offer, { toward: 'core', at: NET.browser.v4, keys: FULL });
    await phone.connect(toCore);
    const toBrowser = await call.answer(phone.answerTo(toCore), { toward: 'browser', at: phone.ip });
    t.sdps = { offer, toCore, toBrowser };
    if (!early) told = await trickle(offer);
    await until('a check of ours left', async () => await checksSent(ctx) > from, 5000);
    nsRun(ctx.net.br, 'nft', 'flush chain inet hold out');
    await peer.answer(toBrowser);
    await Promise.all([peer.hears(PHONE_HZ), phoneHears(phone, PAGE_HZ, 10000)]);
    t.note(`${told} candidates in a fragment`);
  }, KNOWN);

// ---- another way, nobody signals ----

const STUN_ONLY = '@th,64,8 <= 3';

/** Packets of the browser from `port` leave from `other`, and come back so: STUN alone, or all. */
function moveTo(ctx, port, other, what) {
  nsRun(ctx.net.br, 'nft', `add rule inet move out udp sport ${port} ${what} udp sport set ${other}`);
}

for (const who of ['Chromium controls', 'we control'])
  for (const mode of who === 'we control' ? ['full'] : ['full', 'lite'])
    test(`${mode}: ${who}, its address changes under the call`, async (t, ctx) => {
      const { call, page, phone } = await parts(t, ctx, { page: { answerer: who === 'we control' } });
      const keys = mode === 'full' ? FULL : LITE;
      t.sdps = await (who === 'we control' ? phoneCallsBrowser : browserCallsPhone)(call, page, phone, { keys });
      await audioBothWays(page, phone);
      const port = Number((await page.stats()).pairs[0].local.split(':').pop()), other = port > 40000 ? port - 5000 : port + 5000;
      const before = ctx.gateway.events.of(call.id).length;
      nsRun(ctx.net.br, 'nft', `add table inet move; add chain inet move out { type route hook output priority -300; }; add chain inet move in { type filter hook prerouting priority -300; }; add rule inet move in udp dport ${other} udp dport set ${port}`);
      t.cleanup(() => nsRun(ctx.net.br, 'nft', 'delete table inet move'));
      const cap = await Capture.start(null, join(ctx.opts.out, 'move.pcap'), { dev: 'acc0' });
      t.cleanup(() => cap.proc.stop());
      await phone.audio.mark();
      const movedAt = Date.now();
      moveTo(ctx, port, other, STUN_ONLY); // checks go first, as a client does that tries a new network
      if (who === 'we control') nsRun(ctx.net.br, 'nft', `insert rule inet move in udp dport ${port} @th,64,8 <= 3 drop`); // and the old one is silent
      await until('media goes to the new address', () => ctx.gateway.events.of(call.id).slice(before).some((e) => e.event === 'ice-selected' && e.detail.includes(`:${other}`)), 15000);
      const tookMs = Date.now() - movedAt;
      const unnamed = ctx.gateway.events.of(call.id).filter((e) => e.event === 'ice-peer-reflexive').map((e) => e.detail);
      assert.deepEqual(unnamed, [`${NET.browser.v4}:${other} component 1`], 'the one address that no candidate names');
      moveTo(ctx, port, other, ''); // its media follows
      const sent = (await phone.audio.stats()).rx.packets;
      await until('two seconds of media after the move', async () => (await phone.audio.stats()).rx.packets > sent + 100, 8000);
      await audioBothWays(page, phone);
      const grams = await cap.stop();
      const toPage = maxGap(grams, (d) => d.kind === 'rtp' && d.dst === NET.browser.v4);
      const toCore = (await phone.audio.stats()).rx.maxGapMs;
      t.note(`selected ${tookMs} ms after the change; longest gap toward the browser ${toPage.toFixed(0)} ms, toward the core ${toCore.toFixed(0)} ms`);
      assert.ok(toPage > 0 && toPage < 200, `gap toward the browser ${toPage} ms`);
      assert.ok(toCore < 200, `gap toward the core ${toCore} ms`);
    }, { ...KNOWN, timeout: 45000 });

// ---- the STUN server ----

test('a plain Binding request at the access port is answered, floods are not', async (t, ctx) => {
  await ctx.gateway.ensure();
  const ask = (n) => new Promise((done) => {
    const s = createSocket('udp4');
    const got = [];
    s.on('message', (m) => got.push(m));
    const request = Buffer.from('000100002112a442000000000000000000000001', 'hex');
    for (let i = 0; i < n; i++) s.send(request, PORTS.access, NET.access.v4);
    setTimeout(() => { const { port } = s.address(); s.close(); done({ got, port }); }, 400);
  });
  const { got, port } = await ask(1);
  assert.equal(got.length, 1);
  assert.equal(got[0].readUInt16BE(0), 0x0101);
  assert.equal(got[0].readUInt16BE(26) ^ 0x2112, port, 'XOR-MAPPED-ADDRESS');
  assert.ok(got[0].length <= 40, 'at most twice the request');
  const flood = await ask(5000);
  t.note(`${flood.got.length} of 5000 answered`);
  assert.ok(flood.got.length <= 100, 'one source gets 50 a second');
}, KNOWN);
