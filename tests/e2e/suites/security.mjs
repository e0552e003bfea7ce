// SPDX-License-Identifier: BSD-3-Clause
// DTLS-SRTP, SDES and plain RTP in every pair of legs. The peer of a leg is Debian's rtpengine, with a plain phone behind it:
// phone - rtpengine - X - gateway - Y - rtpengine - phone; toward browsers Chromium itself.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { AgentClient } from '../lib/agent-client.mjs';
import { Browser, Endpoint } from '../lib/browser.mjs';
import { Call, Phone, connected, pageHears, PAGE_HZ, PHONE_HZ, phoneHears } from '../lib/call.mjs';
import { FarGateway, OFFERED } from '../lib/far.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { NET } from '../lib/sandbox.mjs';
import { parseSdp } from '../lib/sdp.mjs';

const OTHER_HZ = 700;
const NEAR_THE_WRAP = 65400;
const TWO_WRAPS = 66000; // packets from there
const LONG_HOLD = 70000;
const KINDS = ['dtls', 'sdes', 'plain'];
const ONLY_AGWD = { rtpengine: 'it is the far gateway here' };

suite('security', {
  async before(ctx) {
    const interfaces = [`access/${NET.access.v4}`, `far/${NET.core.v4}`];
    // bursts are what wraps the numbers: they are to pass
    ctx.gateway = await new Gateway(ctx.opts).start(['--profile=far=none', '--police=0'], interfaces);
    ctx.core = new AgentClient(ctx.net.core, join(ctx.opts.out, 'agent-far.log'));
    ctx.far = await FarGateway.start(ctx.net.core, ctx.opts.out);
    ctx.browser = await Browser.launch('br-security', ctx.net.br, ctx.opts.out);
  },
  async after(ctx) {
    await ctx.browser?.close();
    await ctx.far?.stop();
    await ctx.core?.stop();
    const result = await ctx.gateway?.stop();
    ctx.browser = ctx.far = ctx.core = ctx.gateway = null;
    if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
  },
});

/** Both phones, far calls and ours; `offer()` and `answer()` carry one SDP all the way. */
async function chain(t, ctx, x, y) {
  await ctx.gateway.ensure();
  const [a, b] = [await Phone.open(ctx.core, { seq: NEAR_THE_WRAP }), await Phone.open(ctx.core, { tone: OTHER_HZ, seq: NEAR_THE_WRAP })];
  let left = ctx.far.call();
  const right = ctx.far.call();
  const id = { 'call-id': `e2e-${randomBytes(6).toString('hex')}`, 'from-tag': 'left' };
  t.call = { query: () => ctx.gateway.ng.query(id['call-id']) };
  const ours = async (command, sdp, keys) => (await ctx.gateway.ng.cmd({ ...id, ...(command === 'answer' ? { 'to-tag': 'right' } : {}), command, sdp, ...keys })).sdp;
  t.cleanup(async () => {
    await ctx.gateway.ng.remove(id['call-id'], id['from-tag']);
    await Promise.all([left.remove(), right.remove(), a.close(), b.close()]);
  });
  t.sdps = {};
  const direction = ['far', 'far'];
  const offer = async ({ keys, ...o } = {}) => {
    const sdps = t.sdps;
    sdps.x = await left.offer(a.offer(o), x);
    sdps.y = await ours('offer', sdps.x, { ...OFFERED[y], direction, ...keys });
    sdps.toB = await right.offer(sdps.y, 'plain');
  };
  const answer = async (o) => {
    const sdps = t.sdps;
    sdps.yAnswer = await right.answer(b.answerTo(sdps.toB, o));
    sdps.xAnswer = await ours('answer', sdps.yAnswer);
    sdps.toA = await left.answer(sdps.xAnswer);
  };
  /** Another gateway at the left: address and keys are others. */
  const move = async () => {
    await left.remove();
    left = ctx.far.call();
    await offer();
    await answer();
    await a.connect(t.sdps.toA);
  };
  return { a, b, offer, answer, move };
}

const heard = (a, b) => Promise.all([phoneHears(a, OTHER_HZ, 10000), phoneHears(b, PHONE_HZ, 10000)]);

async function setUp(t, ctx, x, y) {
  const c = await chain(t, ctx, x, y);
  await c.offer();
  await c.answer();
  await c.a.connect(t.sdps.toA);
  await c.b.connect(t.sdps.toB);
  await heard(c.a, c.b);
  return c;
}

/** Both ways at once, past two wraps; nothing but what a socket may lose is missing. */
async function wrapTwice(a, b) {
  await Promise.all([a.audio.mark(), b.audio.mark()]);
  await Promise.all([a.audio.burst(TWO_WRAPS, b.audio), b.audio.burst(TWO_WRAPS, a.audio)]);
  await heard(a, b);
  const [atA, atB] = [await a.audio.stats(), await b.audio.stats()];
  for (const s of [atA, atB]) assert.ok(s.rx.packets > 0.98 * TWO_WRAPS, `${s.rx.packets} of ${TWO_WRAPS} packets came`);
  return [atA.rx.packets, atB.rx.packets];
}

const isSecuredBy = (sdp, kind) => {
  const m = parseSdp(sdp).medias[0];
  assert.equal(m.proto, OFFERED[kind]['transport-protocol']);
  assert.equal(m.lines.some((l) => l.startsWith('a=crypto:')), kind === 'sdes');
};

for (const x of KINDS) {
  for (const y of KINDS) {
    test(`${x} to ${y}: audio, two wraps, another SSRC`, async (t, ctx) => {
      const { a, b } = await setUp(t, ctx, x, y);
      isSecuredBy(t.sdps.y, y);
      isSecuredBy(t.sdps.xAnswer, x);
      const came = await wrapTwice(a, b);
      await Promise.all([a.audio.changeSsrc(NEAR_THE_WRAP), b.audio.changeSsrc(NEAR_THE_WRAP)]);
      await heard(a, b);
      t.note(`${came.join(' and ')} of ${TWO_WRAPS} packets`);
    }, { timeout: 60000, known: ONLY_AGWD });
  }
}

test(`sdes to dtls: a hold in which ${LONG_HOLD} packets come in`, async (t, ctx) => {
  const { a, b, offer, answer } = await setUp(t, ctx, 'sdes', 'dtls');
  await offer({ direction: 'inactive' });
  await answer();
  await b.audio.mark();
  await a.audio.burst(LONG_HOLD);
  assert.ok((await b.audio.stats()).rx.packets < 20, 'the gate is closed');
  await offer({ direction: 'sendrecv' });
  await answer();
  await heard(a, b);
}, { timeout: 60000, known: ONLY_AGWD });

/** The gateway's drops, by reason. */
const drops = async (ctx) => (await ctx.gateway.ng.statistics()).drops;

/** rtpengine takes a new key with the offer that brings it, and refuses what comes with the old one until the answer to it has
 *  reached us: a packet or two a change, more on a busy machine. The gateway refuses what rtpengine sends with its new key while the
 *  answer that brings it is still on its way: a packet each way at most. */
const LOST_AT_THE_FAR_END = 3, UNDER_WAY = 2;
const KEY_CHANGES = ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_32'];
test('sdes to sdes: keys change in re-offers, and the gateway drops only what was under way', async (t, ctx) => {
  const { a, b, offer, answer, move } = await setUp(t, ctx, 'sdes', 'sdes');
  const before = await drops(ctx);
  await Promise.all([a.audio.mark(), b.audio.mark()]);
  for (const suite of KEY_CHANGES) {
    await offer({ keys: { SDES: [`only-${suite}`] } });
    await answer();
    await heard(a, b);
    const { transports } = await t.call.query();
    assert.equal(transports[1].SDES.SRTP, suite);
  }
  const [atA, atB] = [await a.audio.stats(), await b.audio.stats()];
  const gaps = atA.rx.seqGaps + atB.rx.seqGaps, dropped = await drops(ctx);
  const more = (reason) => dropped[reason] - before[reason];
  const refused = Object.keys(dropped).filter((reason) => /srtp|replay|auth|source|key/.test(reason) && more(reason) !== 0);
  assert.ok(refused.every((reason) => reason === 'srtp-auth' && more(reason) <= UNDER_WAY * KEY_CHANGES.length), refused.map((r) => `${r} ${more(r)}`).join(', '));
  assert.ok(gaps <= LOST_AT_THE_FAR_END * KEY_CHANGES.length, `${gaps} gaps`);
  t.note(`${gaps} gaps at the phones; ${more('srtp-auth')} packets refused by the gateway`);
  await move();
  await heard(a, b);
}, { timeout: 30000, known: ONLY_AGWD });

for (const y of KINDS) {
  test(`Chromium to ${y} at a far rtpengine`, async (t, ctx) => {
    await ctx.gateway.ensure();
    const call = t.call = new Call(ctx.gateway);
    const page = await Endpoint.open(ctx.browser, { tone: PAGE_HZ });
    t.pages = [page];
    const phone = await Phone.open(ctx.core, { seq: NEAR_THE_WRAP });
    const right = ctx.far.call();
    t.cleanup(() => Promise.all([call.remove(), page.close(), phone.close(), right.remove()]));
    const offer = await page.offer();
    const toFar = await call.offer(offer, { toward: 'core', at: NET.browser.v4, keys: { ...OFFERED[y], direction: ['access', 'far'] } });
    isSecuredBy(toFar, y);
    const toPhone = await right.offer(toFar, 'plain');
    const farAnswer = await right.answer(phone.answerTo(toPhone));
    const toBrowser = await call.answer(farAnswer, { toward: 'browser', at: NET.stranger.v4 });
    t.sdps = { offer, toFar, toPhone, farAnswer, toBrowser };
    await page.answer(toBrowser);
    await phone.connect(toPhone);
    await connected(page);
    const both = () => Promise.all([pageHears(page, PHONE_HZ), phoneHears(phone, PAGE_HZ)]);
    await both();
    if (y === 'sdes') { // the cases above have wraps of every kind; one is enough with Chromium
      await phone.audio.burst(TWO_WRAPS);
      await both();
    }
    await phone.audio.changeSsrc(NEAR_THE_WRAP);
    await both();
  }, { timeout: 60000, known: ONLY_AGWD });
}
