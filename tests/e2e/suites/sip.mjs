// SPDX-License-Identifier: BSD-3-Clause
// Whole calls: JsSIP in Chromium - Kamailio - baresip or SIPp, media through the gateway.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { Kamailio, NOTIFY } from '../lib/kamailio.mjs';
import { Baresip, BARESIP_HZ } from '../lib/baresip.mjs';
import { Sipp } from '../lib/sipp.mjs';
import { Browser } from '../lib/browser.mjs';
import { SipPage } from '../lib/sip-phone.mjs';
import { NET } from '../lib/sandbox.mjs';
import { directionOf, parseSdp } from '../lib/sdp.mjs';
import { connected, pageHears, PAGE_HZ } from '../lib/call.mjs';
import { Capture, readPcap } from '../lib/pcap.mjs';
import { alawToLinear, frequency, toneShare } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';

const ALICE = { password: 'secret', tone: PAGE_HZ };
let people = 0; // every page is another subscriber: contacts of closed pages stay in the registrar

/** One suite per way of asking and pair of IP versions: its own gateway (with interfaces of these versions only) and Kamailio. */
function edge(flags, access, core, extra, fill) {
  const name = `sip ${flags}${access + core === 'v4v4' ? '' : ` ${access}-${core}`}${extra.length ? ' video' : ''}`;
  suite(name, {
    async before(ctx) {
      const interfaces = [`access/${NET.access[access]}`, `core/${NET.core[core]}`];
      ctx.gateway = await new Gateway({ ...ctx.opts, out: join(ctx.opts.out, name.replace(/ /g, '-')) }).start([NOTIFY, ...extra], interfaces);
      ctx.kamailio = await Kamailio.start({ gateway: ctx.gateway, flags, access, core, out: ctx.opts.out });
      const ns = access === 'v4' ? ctx.net.br : ctx.net.br6;
      ctx.browser = await Browser.launch(`sip-${access}`, ns, ctx.opts.out);
    },
    async after(ctx) {
      await ctx.browser?.close();
      await ctx.kamailio?.stop();
      const result = await ctx.gateway?.stop();
      ctx.browser = ctx.kamailio = ctx.gateway = null;
      if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
    },
  });
  fill(core);
}

async function alice(t, ctx, o = {}) {
  const user = `alice${++people}`;
  const page = await SipPage.open(ctx.browser, { ws: ctx.kamailio.ws, ...ALICE, user, ...o });
  page.user = user;
  t.pages = [...(t.pages ?? []), page];
  t.cleanup(() => page.close());
  await page.registered();
  return page;
}

async function bob(t, ctx, core, o = {}) {
  const phone = await Baresip.start({ name: `baresip-${ctx.kamailio.sip.replace(/\W/g, '')}-${Date.now() % 1e6}`, ns: ctx.net.core, out: ctx.opts.out, registrar: ctx.kamailio.sip, family: core, ...o });
  t.cleanup(() => phone.stop());
  return phone;
}

async function sipp(t, ctx, core, scenario, page) {
  const s = await Sipp.start({ scenario, ns: ctx.net.core, out: ctx.opts.out, family: core, service: page?.user, remote: scenario.startsWith('uac') ? ctx.kamailio.sip : undefined });
  t.cleanup(() => s.stop());
  return s;
}

const uasName = (core) => (core === 'v6' ? 'uas6' : 'uas');

/** Nothing of the call is left in the gateway. */
const forgotten = (ctx) => until('the gateway has forgotten the call', async () => (await ctx.gateway.ng.calls()).length === 0, 5000);

async function heardAtBothEnds(page, phone) {
  await connected(page);
  await Promise.all([pageHears(page, BARESIP_HZ), phone.hears(PAGE_HZ)]);
}

/** After a hold baresip 1.0.0's aubridge player stands still, so its recording does not grow: look at what arrives at it. */
async function heardAgain(t, ctx, page, phone) {
  await connected(page);
  await Promise.all([pageHears(page, BARESIP_HZ), toneOnWire(t, ctx, phone.ip.includes(':') ? NET.core.v6 : NET.core.v4, PAGE_HZ)]);
}

async function toneOnWire(t, ctx, src, hz) {
  const cap = await Capture.start(ctx.net.core, join(ctx.opts.out, `wire-${Date.now()}.pcap`));
  t.cleanup(() => cap.proc.stop());
  await until(`${hz} Hz in the RTP from ${src}`, () => {
    const rtp = readPcap(cap.file).filter((d) => d.kind === 'rtp' && d.src === src && (d.data[1] & 0x7f) === 8).slice(-25);
    const sound = rtp.flatMap((d) => [...d.data.subarray(12)].map(alawToLinear));
    if (rtp.length === 25 && toneShare(sound, 8000, hz) > 0.5) return true;
    throw new Error(`${rtp.length} packets, share ${toneShare(sound, 8000, hz).toFixed(3)}`);
  }, 6000, 200);
  await cap.stop();
}

function basics(core) {
  test('a wrong password is refused', async (t, ctx) => {
    const page = await SipPage.open(ctx.browser, { ws: ctx.kamailio.ws, ...ALICE, user: 'mallory', password: 'wrong' });
    t.cleanup(() => page.close());
    await until('registration fails', async () => (await page.look()).events.some(([e]) => e === 'registrationFailed'), 6000);
  });

  test('browser calls baresip, holds, resumes, hangs up', async (t, ctx) => {
    const [page, phone] = await Promise.all([alice(t, ctx), bob(t, ctx, core)]);
    await page.call('sip:bob@e2e.test');
    await page.state('confirmed');
    await heardAtBothEnds(page, phone);
    phone.mark();
    await page.hold(true);
    await phone.event('CALL_REMOTE_SDP', 4000).catch(() => {}); // older versions tell nothing; the SDP below does
    const held = (await page.sdps()).filter(([who]) => who === 'remote').pop()[2];
    assert.match(directionOf(parseSdp(held), parseSdp(held).medias[0]), /recvonly|inactive/, "baresip's answer to the hold");
    await page.hold(false);
    await heardAgain(t, ctx, page, phone);
    phone.mark();
    await page.bye();
    await phone.event('CALL_CLOSED');
    await forgotten(ctx);
  }, { timeout: 60000 });

  test('baresip calls browser, holds, resumes, hangs up', async (t, ctx) => {
    const [page, phone] = await Promise.all([alice(t, ctx), bob(t, ctx, core)]);
    await phone.command('dial', `sip:${page.user}@${ctx.kamailio.sip}`);
    await page.state('confirmed');
    await heardAtBothEnds(page, phone);
    await phone.command('hold');
    await until('page sees the hold', async () => (await page.look()).onHold?.remote === true, 5000);
    await until('baresip stops to send', async () => {
      const s = await page.tones([BARESIP_HZ]);
      return s.rms < 0.001;
    }, 5000);
    await phone.command('resume');
    await until('page sees the end of the hold', async () => (await page.look()).onHold?.remote === false, 5000);
    await heardAgain(t, ctx, page, phone);
    await phone.command('hangup');
    await page.state('ended');
    await forgotten(ctx);
  }, { timeout: 60000 });
}

/** The browser has nothing but Opus; baresip codes AMR itself, octet-aligned, SIPp sends PCMA back as it came. */
function transcoded(core) {
  const soundOfPage = async (page, hz) => {
    await connected(page);
    await pageHears(page, hz);
    const { pcm, hz: rate } = await page.sound();
    assert.equal((await page.stats()).audio.codec, 'audio/opus');
    return frequency(pcm, rate, hz);
  };

  for (const codec of ['AMR', 'AMR-WB']) {
    test(`browser with Opus alone calls baresip with ${codec} alone`, async (t, ctx) => {
      const [page, phone] = await Promise.all([alice(t, ctx, { onlyOpus: true }), bob(t, ctx, core, { codec })]);
      await page.call('sip:bob@e2e.test');
      await page.state('confirmed');
      const [atPage, { hz }] = await Promise.all([soundOfPage(page, BARESIP_HZ), phone.hears(PAGE_HZ)]);
      t.note(`baresip hears ${hz.toFixed(2)} Hz, the page ${atPage.toFixed(2)} Hz`);
      assert.ok(Math.abs(hz - PAGE_HZ) < 2, `baresip hears ${hz} Hz`);
      await page.bye();
      await forgotten(ctx);
    }, { timeout: 45000, known: { rtpengine: 'transcodes only when asked' } });
  }

  test('browser with Opus alone calls SIPp with PCMA, hears its own echo', async (t, ctx) => {
    const page = await alice(t, ctx, { onlyOpus: true });
    const peer = await sipp(t, ctx, core, 'uas');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await page.state('confirmed');
    t.note(`the page hears ${(await soundOfPage(page, PAGE_HZ)).toFixed(2)} Hz`);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  }, { known: { rtpengine: 'transcodes only when asked' } });
}

function withSipp(core) {
  test('browser calls SIPp, hears its own echo, browser hangs up', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uas');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await page.state('confirmed');
    await connected(page);
    await pageHears(page, PAGE_HZ);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  });

  test('browser calls SIPp, SIPp hangs up', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uas-bye');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await page.state('confirmed');
    await pageHears(page, PAGE_HZ, 3500);
    await page.state('ended');
    await peer.done();
    await forgotten(ctx);
  });

  test('SIPp calls browser, hears and is heard, SIPp hangs up', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uac-bye', page);
    await page.state('confirmed');
    await connected(page);
    await pageHears(page, PAGE_HZ, 3500);
    await page.state('ended');
    await peer.done();
    await forgotten(ctx);
  });

  test('SIPp calls browser, browser hangs up', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uac', page);
    await page.state('confirmed');
    await pageHears(page, PAGE_HZ);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  });
}

function unusual(core) {
  test('early media: 183 with SDP is heard before the 200', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uas-early');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await page.state('progress');
    await pageHears(page, PAGE_HZ, 1900);
    assert.equal((await page.look()).state, 'progress', 'heard before the 200');
    await page.state('confirmed');
    await pageHears(page, PAGE_HZ);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  });

  test('CANCEL while it rings', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uas-ring');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await page.state('progress');
    assert.equal((await ctx.gateway.ng.calls()).length, 1);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  });

  test('busy', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await sipp(t, ctx, core, 'uas-busy');
    await page.call(`sip:${uasName(core)}@e2e.test`);
    await peer.done();
    await until('call failed', async () => (await page.look()).state === 'failed', 5000);
    await forgotten(ctx);
  });
}

/** Two browsers of one gateway: the call passes it twice, and nobody says so. */
function hairpin() {
  const both = async (a, b) => {
    await Promise.all([connected(a), connected(b)]);
    await Promise.all([pageHears(a, b.hz), pageHears(b, a.hz)]);
  };
  const pair = async (t, ctx, o = {}) => {
    const pages = [await alice(t, ctx, o), await alice(t, ctx, { ...o, tone: 880 })];
    [PAGE_HZ, 880].forEach((hz, i) => { pages[i].hz = hz; });
    await pages[0].call(`sip:${pages[1].user}@e2e.test`);
    await Promise.all(pages.map((p) => p.state('confirmed')));
    return pages;
  };

  test('browser calls browser of the same gateway, both hold and resume, caller hangs up', async (t, ctx) => {
    const [a, b] = await pair(t, ctx);
    await both(a, b);
    const [id, ...more] = await ctx.gateway.ng.calls();
    assert.equal(more.length, 0, 'listed once');
    const { passes } = await ctx.gateway.ng.query(id);
    assert.equal(passes.length, 1, 'a second pass');
    for (const [who, other] of [[a, b], [b, a]]) {
      await who.hold(true);
      await until('the other sees the hold', async () => (await other.look()).onHold?.remote === true, 5000);
      await who.hold(false);
      await both(a, b);
    }
    await a.bye();
    await b.state('ended');
    await forgotten(ctx);
  }, { timeout: 60000 });

  test('browser calls browser of the same gateway, callee hangs up', async (t, ctx) => {
    const [a, b] = await pair(t, ctx);
    await both(a, b);
    await b.bye();
    await a.state('ended');
    await forgotten(ctx);
  });

  test('browser calls browser of the same gateway, nobody answers, CANCEL', async (t, ctx) => {
    const [a, b] = [await alice(t, ctx), await alice(t, ctx, { answer: false })];
    await a.call(`sip:${b.user}@e2e.test`);
    await b.state('progress');
    await a.bye();
    await b.state('failed');
    await forgotten(ctx);
  });

  test('browser calls browser of the same gateway, refused', async (t, ctx) => {
    const [a, b] = [await alice(t, ctx), await alice(t, ctx, { answer: false })];
    await a.call(`sip:${b.user}@e2e.test`);
    await b.state('progress');
    await b.bye();
    await until('call failed', async () => (await a.look()).state === 'failed', 5000);
    await forgotten(ctx);
  });
}

function video(core) {
  for (const codec of ['H264', 'VP8']) {
    test(`${codec} from baresip is decoded within 1 s of connection, and the other way round`, async (t, ctx) => {
      const [page, phone] = await Promise.all([alice(t, ctx, { video: true, oneH264: true }), bob(t, ctx, core, { video: codec })]);
      await page.call('sip:bob@e2e.test');
      await page.state('confirmed');
      await connected(page);
      const early = pictureAt(phone, 1000).then(() => true, () => false);
      const look = await until('frames decoded', async () => (await page.look()).firstFrameMs !== null && page.look(), 8000);
      const v = await until('ten frames', async () => {
        const s = (await page.stats()).video;
        return s.decoded >= 10 && s;
      }, 8000);
      t.note(`first frame ${look.firstFrameMs} ms after connection, ${v.codec}, PLI sent ${v.pliSent}`);
      assert.match(v.codec, new RegExp(codec, 'i'));
      assert.match(v.txCodec, new RegExp(codec, 'i'));
      assert.ok(look.firstFrameMs <= 1000, `first frame after ${look.firstFrameMs} ms`);
      assert.ok(await early, 'baresip decodes within 1 s of connection');
      await heardAtBothEnds(page, phone);
      await page.bye();
      await forgotten(ctx);
    }, { timeout: 45000, known: { rtpengine: 'key frame requests are dropped' } });

    test(`${codec}: baresip calls browser`, async (t, ctx) => {
      const [page, phone] = await Promise.all([alice(t, ctx, { video: true }), bob(t, ctx, core, { video: codec })]);
      await phone.command('dial', `sip:${page.user}@${ctx.kamailio.sip}`);
      await page.state('confirmed');
      await connected(page);
      const early = pictureAt(phone, 1000).then(() => true, () => false);
      const look = await until('frames decoded', async () => (await page.look()).firstFrameMs !== null && page.look(), 8000);
      t.note(`first frame ${look.firstFrameMs} ms after connection`);
      assert.ok(await early, 'baresip decodes within 1 s of connection');
      assert.ok(look.firstFrameMs <= 1000, `first frame after ${look.firstFrameMs} ms`);
      await heardAtBothEnds(page, phone);
      await page.bye();
      await forgotten(ctx);
    }, { timeout: 45000, known: { rtpengine: 'key frame requests are dropped' } });
  }
}

/** The first frame which baresip decodes makes it tell the size. */
/** The leg of the core is protected: nobody hears the browser's tone on the wire. */
async function isSecure(t, ctx) {
  const cap = await Capture.start(ctx.net.core, join(ctx.opts.out, `secure-${Date.now()}.pcap`));
  t.cleanup(() => cap.proc.stop());
  const heard = await until('half a second of packets from the gateway', () => {
    const rtp = readPcap(cap.file).filter((d) => d.kind === 'rtp' && d.src === NET.core.v4).slice(-25);
    if (rtp.length === 25) return rtp;
    throw new Error(`${rtp.length} packets`);
  }, 6000, 200);
  await cap.stop();
  assert.ok(heard.every((d) => d.data.length >= 12 + 160 + 4), 'an authentication tag on each packet');
  const sound = heard.flatMap((d) => [...d.data.subarray(12, 172)].map(alawToLinear));
  assert.ok(toneShare(sound, 8000, PAGE_HZ) < 0.1, 'the tone is not in the clear');
  if (ctx.opts.gateway !== 'agwd') return;
  const [call] = await ctx.gateway.ng.calls();
  const { transports } = await ctx.gateway.ng.query(call);
  assert.equal(transports.filter((x) => /^A/.test(x.SDES?.SRTP ?? '')).length, 1, 'query names the suite of the one leg');
}

function sdes(core) {
  test('browser calls baresip, holds, resumes, hangs up', async (t, ctx) => {
    const [page, phone] = await Promise.all([alice(t, ctx), bob(t, ctx, core, { srtp: true })]);
    await page.call('sip:bob@e2e.test');
    await page.state('confirmed');
    await heardAtBothEnds(page, phone);
    await isSecure(t, ctx);
    await page.hold(true);
    await page.hold(false);
    await pageHears(page, BARESIP_HZ);
    await isSecure(t, ctx);
    phone.mark();
    await page.bye();
    await phone.event('CALL_CLOSED');
    await forgotten(ctx);
  }, { timeout: 60000 });

  test('baresip calls browser, holds, resumes, hangs up', async (t, ctx) => {
    const [page, phone] = await Promise.all([alice(t, ctx), bob(t, ctx, core, { srtp: true })]);
    await phone.command('dial', `sip:${page.user}@${ctx.kamailio.sip}`);
    await page.state('confirmed');
    await heardAtBothEnds(page, phone);
    await isSecure(t, ctx);
    await phone.command('hold');
    await until('page sees the hold', async () => (await page.look()).onHold?.remote === true, 5000);
    await phone.command('resume');
    await until('page sees the end of the hold', async () => (await page.look()).onHold?.remote === false, 5000);
    await pageHears(page, BARESIP_HZ);
    await phone.command('hangup');
    await page.state('ended');
    await forgotten(ctx);
  }, { timeout: 60000 });
}

const pictureAt = (phone, ms) => phone.proc.printed(/video: receiving with resolution 320 x 240/, ms);

edge('ims', 'v4', 'v4', [], (core) => { basics(core); withSipp(core); unusual(core); });
edge('bare', 'v4', 'v4', [], (core) => { basics(core); transcoded(core); withSipp(core); unusual(core); hairpin(); });
edge('bare', 'v4', 'v6', [], (core) => { basics(core); });
edge('bare', 'v6', 'v4', [], (core) => { basics(core); });
edge('ims', 'v4', 'v6', [], (core) => { withSipp(core); });
edge('ims', 'v6', 'v4', [], (core) => { withSipp(core); });
edge('sdes', 'v4', 'v4', [], (core) => { sdes(core); });
edge('ims', 'v4', 'v4', ['--profile=core=ims'], (core) => { video(core); });
edge('bare', 'v4', 'v4', ['--profile=core=sip'], (core) => { video(core); });
