// SPDX-License-Identifier: BSD-3-Clause
// Holds that are longer than the media timeout, all forms side by side: 12 s against 4 s, or 90 s against 15 s with --hold=90
// (./dev soak hold). Nobody plays music: the parties are silent unless the form says so.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { NOTIFY } from '../lib/kamailio.mjs';
import { Capture } from '../lib/pcap.mjs';
import { NET } from '../lib/sandbox.mjs';
import { SipPage } from '../lib/sip-phone.mjs';
import { Sipp } from '../lib/sipp.mjs';
import { recv, reply, scenario } from '../lib/sipp-flow.mjs';
import { audioBothWays, browserCallsPhone, connected, pageHears, PAGE_HZ, parts, renegotiate } from '../lib/call.mjs';
import { sleep } from '../lib/wait.mjs';

const RTCP_EVERY_MS = 5000;
const LATE_MS = 200; // a machine that is busy with other tests
const RESUME_MS = 200;
const timeoutS = (ctx) => Math.min(15, Math.floor(ctx.opts.hold / 3));

suite('hold', stage('hold', { apart: true, options: (ctx) => [NOTIFY, `--timeout=${timeoutS(ctx)}`], kamailio: { flags: 'bare' } }));

/** The phone offers this direction, or the old 0.0.0.0, and the page answers. */
async function phoneOffers({ call, page, phone }, direction) {
  const sdp = direction === '0.0.0.0' ? phone.offer().replace(/c=IN IP4 .*/g, 'c=IN IP4 0.0.0.0') : phone.offer({ direction });
  const toBrowser = await call.offer(sdp, { from: 'b', toward: 'browser', at: phone.ip });
  await call.answer(await page.accept(toBrowser), { from: 'a', toward: 'core', at: NET.browser.v4 });
}

/** Who holds, how, and who ends it: each step is told to one party. */
const FORMS = {
  'phone, sendonly': { hold: [['phone', 'sendonly']], resume: [['phone', 'sendrecv']] },
  'phone, inactive': { hold: [['phone', 'inactive']], resume: [['phone', 'sendrecv']] },
  'phone, 0.0.0.0': { hold: [['phone', '0.0.0.0']], resume: [['phone', 'sendrecv']], noAddress: true },
  'browser, sendonly': { hold: [['page', 'sendonly']], resume: [['page', 'sendrecv']] },
  'browser, inactive': { hold: [['page', 'inactive']], resume: [['page', 'sendrecv']] },
  'both, sendonly': { hold: [['phone', 'sendonly'], ['page', 'sendonly']], resume: [['page', 'sendrecv'], ['phone', 'sendrecv']] },
  'both, inactive': { hold: [['phone', 'inactive'], ['page', 'inactive']], resume: [['page', 'sendrecv'], ['phone', 'sendrecv']] },
};

/** One call of a form over ng. */
async function overNg(t, ctx, name) {
  const form = FORMS[name];
  const p = await parts(t, ctx);
  t.sdps = await browserCallsPhone(p.call, p.page, p.phone);
  await audioBothWays(p.page, p.phone);
  let wish = 'sendrecv'; // the phone's, which it does not forget while the page offers
  const say = async ([who, direction]) => {
    if (who === 'page') return renegotiate(p.call, p.page, p.phone, direction, t, wish === 'sendrecv' ? {} : { direction: direction === 'sendrecv' ? wish : 'inactive' });
    wish = direction;
    return phoneOffers(p, direction);
  };
  return {
    name, id: p.call.id, page: p.page, phonePort: p.phone.audio.port, noAddress: form.noAddress,
    async hold() {
      for (const step of form.hold) await say(step);
      await p.page.silent(true);
      await p.phone.audio.stopSending();
    },
    async resume() {
      await p.page.silent(false);
      await p.phone.audio.start();
      for (const step of form.resume) await say(step);
    },
    heard: () => audioBothWays(p.page, p.phone),
  };
}

/** JsSIP's own hold: sendonly, and silence goes on being sent, which SIPp echoes. */
async function byJsSip(t, ctx) {
  const sdp = (n, more = '') => `v=0\no=phone 4712 ${n} IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\n${more}`;
  const ms = ctx.opts.hold * 1000 + 60000;
  const peer = await Sipp.start({ scenario: 'hold', uas: true, ns: ctx.net.core, out: ctx.opts.out, timeoutS: ctx.opts.hold + 90,
    xml: scenario('hold', [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1) }), recv('ACK'), recv('INVITE', { ms }), reply('INVITE', 200, { sdp: sdp(2, 'a=recvonly\n') }), recv('ACK'),
      recv('INVITE', { ms }), reply('INVITE', 200, { sdp: sdp(3) }), recv('ACK'), recv('BYE', { ms }), reply('BYE', 200)], { caller: false }) });
  t.cleanup(() => peer.stop());
  const page = await SipPage.open(ctx.browser, { ws: ctx.kamailio.ws, password: 'secret', tone: PAGE_HZ, user: 'holder' });
  t.pages.push(page);
  t.cleanup(() => page.close());
  await page.registered();
  const before = await ctx.gateway.ng.calls();
  await page.call('sip:uas@e2e.test');
  await page.state('confirmed');
  await connected(page);
  const heard = () => pageHears(page, PAGE_HZ);
  await heard();
  const [id] = (await ctx.gateway.ng.calls()).filter((c) => !before.includes(c));
  return { name: 'browser, JsSIP', id, page, phonePort: peer.mediaPort, sends: true, hold: () => page.hold(true), resume: () => page.hold(false), heard,
    async end() { await page.bye(); await peer.done(); } };
}

const toPhone = (h, kind) => (d) => d.kind === kind && d.src === NET.core.v4 && d.dport === h.phonePort + (kind === 'rtcp' ? 1 : 0);
const toPage = (h, kind) => (d) => d.kind === kind && d.src === NET.access.v4 && d.dst === NET.browser.v4 && d.dport === h.pagePort;

/** Longest time without such a datagram from the hold to its end, in ms. */
function longestGap(grams, pick, { from, to }) {
  const at = [from, ...grams.filter((d) => pick(d) && d.at > from && d.at < to).map((d) => d.at), to];
  return Math.round(Math.max(...at.slice(1).map((x, i) => x - at[i])));
}

/** From the moment when both parties have their answer to the first RTP, in ms. */
function resumedAfter(grams, pick, h) {
  const first = grams.find((d) => pick(d) && d.at > h.to);
  return first ? Math.round(Math.max(0, first.at - h.resumed)) : Infinity;
}

function judge(t, h, atCore, atAccess) {
  const rtcp = { core: longestGap(atCore, toPhone(h, 'rtcp'), h), access: longestGap(atAccess, toPage(h, 'rtcp'), h) };
  const back = { phone: resumedAfter(atCore, toPhone(h, 'rtp'), h), browser: resumedAfter(atAccess, toPage(h, 'rtp'), h) };
  t.note(`${h.name}: without RTCP at most ${rtcp.core} ms on the core, ${rtcp.access} ms on the access; RTP ${back.phone} ms after the end toward the phone, ${back.browser} ms toward the browser`);
  const during = (grams, pick) => grams.filter((d) => pick(d) && d.at > h.from + 500 && d.at < h.to).length;
  assert.equal(during(atAccess, toPage(h, 'rtp')), 0, `${h.name}: no RTP toward the browser`);
  if (!h.sends) assert.equal(during(atCore, toPhone(h, 'rtp')), 0, `${h.name}: no RTP toward the phone`);
  assert.ok(rtcp.access <= RTCP_EVERY_MS + LATE_MS, `${h.name}: ${rtcp.access} ms without RTCP on the access leg`);
  if (h.noAddress) assert.equal(rtcp.core, h.to - h.from, `${h.name}: no RTCP where there is no address (RFC 3264 section 8.4)`);
  else assert.ok(rtcp.core <= RTCP_EVERY_MS + LATE_MS, `${h.name}: ${rtcp.core} ms without RTCP on the core leg`);
  for (const [who, ms] of Object.entries(back)) assert.ok(ms <= RESUME_MS, `${h.name}: RTP toward the ${who} after ${ms} ms`);
}

test('by the phone, the browser and both, without music: longer than the media timeout, RTCP every 5 s, resumed within 200 ms', async (t, ctx) => {
  const calls = [];
  for (const name of Object.keys(FORMS)) calls.push(await overNg(t, ctx, name));
  calls.push(await byJsSip(t, ctx));
  for (const h of calls) h.pagePort = Number((await h.page.stats()).pairs[0].local.split(':').pop());
  const [core, access] = await Promise.all([Capture.start(ctx.net.core, join(ctx.opts.out, 'hold-core.pcap')), Capture.start(ctx.net.br, join(ctx.opts.out, 'hold-access.pcap'))]);
  t.cleanup(() => Promise.all([core.proc.stop(), access.proc.stop()]));
  for (const h of calls) {
    await h.hold();
    h.from = Date.now();
  }
  await sleep(ctx.opts.hold * 1000); // the hold is the test
  const live = await ctx.gateway.ng.calls();
  for (const h of calls) {
    assert.ok(live.includes(h.id), `${h.name}: the call lives`);
    assert.deepEqual(ctx.gateway.events.of(h.id).filter((e) => /ended|timeout/.test(e.event)), [], `${h.name}: no event`);
    h.to = Date.now();
    await h.resume();
    h.resumed = Date.now();
    await h.heard();
  }
  const [atCore, atAccess] = [await core.stop(), await access.stop()];
  t.note(`${ctx.opts.hold} s of hold, --timeout=${timeoutS(ctx)}`);
  for (const h of calls) judge(t, h, atCore, atAccess);
  for (const h of calls) await h.end?.();
}, { timeout: 300000, known: { rtpengine: 'sends no RTCP of its own during a hold' } });
