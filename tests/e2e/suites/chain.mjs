// SPDX-License-Identifier: BSD-3-Clause
// Two networks, each with its gateway: Chromium and JsSIP - DTLS - ours - SDES or DTLS - Kamailio and rtpengine - plain RTP - SIPp.
// SIPp plays a tone of its own; what arrives at it is judged packet by packet.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { FAR, Kamailio, NOTIFY } from '../lib/kamailio.mjs';
import { FarGateway } from '../lib/far.mjs';
import { Sipp } from '../lib/sipp.mjs';
import { play, recv, reply, scenario, send, want } from '../lib/sipp-flow.mjs';
import { Browser } from '../lib/browser.mjs';
import { SipPage } from '../lib/sip-phone.mjs';
import { Capture } from '../lib/pcap.mjs';
import { NET } from '../lib/sandbox.mjs';
import { connected, pageHears, PAGE_HZ, PHONE_HZ } from '../lib/call.mjs';
import { alawToLinear, linearToAlaw, toneShare } from '../lib/tone.mjs';
import { sleep, until } from '../lib/wait.mjs';

const LISTEN_MS = 2000;
const PHONE = { ip: NET.phone.v4, port: 5070 };
const MIDDLE = {
  sdes: { keys: 'RTP/SAVP DTLS=off', tag: 4 }, // the shortest tag that SDES may choose
  dtls: { keys: 'UDP/TLS/RTP/SAVP SDES-off', tag: 10 },
};
const ONLY_AGWD = { rtpengine: 'it is the far gateway here' };
let people = 0;

/** A second of sound that follows itself, as SIPp's rtp_stream reads it. */
function toneFile(out) {
  const file = join(out, 'tone.alaw');
  writeFileSync(file, Buffer.from(Array.from({ length: 8000 }, (_, i) => linearToAlaw(Math.round(8000 * Math.sin((2 * Math.PI * PHONE_HZ * i) / 8000))))));
  return file;
}

const sdp = (n, more = '') => `v=0\no=sipp 4712 ${n} IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\nm=audio [rtpstream_audio_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=ptime:20\n${more}`;
const held = [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(2, 'a=recvonly\n') }), recv('ACK'), recv('INVITE'), reply('INVITE', 200, { sdp: sdp(3) }), recv('ACK')];
const ended = [recv('BYE', { ms: 40000 }), reply('BYE', 200)];

for (const [kind, middle] of Object.entries(MIDDLE)) {
  suite(`chain ${kind}`, {
    async before(ctx) {
      const out = join(ctx.opts.out, `chain-${kind}`);
      ctx.gateway = await new Gateway({ ...ctx.opts, out }).start([NOTIFY], [`access/${NET.access.v4}`, `core/${NET.core.v4}`]);
      ctx.kamailio = await Kamailio.start({ gateway: ctx.gateway, flags: kind, out });
      ctx.far = await FarGateway.start(ctx.net.core, out);
      ctx.border = await Kamailio.startScript('far', { gateway: ctx.far, ns: ctx.net.core, listen: FAR, out,
        words: { NG_IP: NET.stranger.v4, HOME_IP: NET.core.v4, HOME: ctx.kamailio.sip, PHONE: `${PHONE.ip}:${PHONE.port}`, SECURED: middle.keys } });
      ctx.browser = await Browser.launch(`chain-${kind}`, ctx.net.br, out);
      ctx.tone = toneFile(out);
    },
    async after(ctx) {
      await ctx.browser?.close();
      await ctx.border?.stop();
      await ctx.far?.stop();
      await ctx.kamailio?.stop();
      const result = await ctx.gateway?.stop();
      ctx.browser = ctx.border = ctx.far = ctx.kamailio = ctx.gateway = null;
      if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
    },
  });

  test('browser calls SIPp behind the other gateway, holds, resumes, hangs up', async (t, ctx) => {
    const peer = await phone(t, ctx, [recv('INVITE'), reply('INVITE', 200, { sdp: sdp(1) }), recv('ACK'), play(ctx.tone), ...held, ...ended], { caller: false });
    const page = await alice(t, ctx);
    await page.call('sip:far@e2e.test');
    await page.state('confirmed');
    await isHeard(t, ctx, page, middle);
    await page.hold(true);
    await page.hold(false);
    await isHeard(t, ctx, page, middle);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  }, { timeout: 60000, known: ONLY_AGWD });

  test('SIPp behind the other gateway calls browser, which hangs up', async (t, ctx) => {
    const page = await alice(t, ctx);
    const peer = await phone(t, ctx, [send('INVITE', { sdp: sdp(1) }), want(200), send('ACK'), play(ctx.tone), ...ended], { caller: true, user: page.user });
    await page.state('confirmed');
    await isHeard(t, ctx, page, middle);
    await page.bye();
    await peer.done();
    await forgotten(ctx);
  }, { timeout: 60000, known: ONLY_AGWD });
}

const forgotten = (ctx) => until('the gateway has forgotten the call', async () => (await ctx.gateway.ng.calls()).length === 0, 5000);

async function phone(t, ctx, steps, o) {
  const s = await Sipp.start({ scenario: 'chain', xml: scenario('chain', steps, o), uas: !o.caller, echo: false, ns: ctx.net.core, out: ctx.opts.out, ip: PHONE.ip, port: PHONE.port, service: o.caller ? 'caller' : 'far', remote: o.caller ? FAR : undefined });
  t.cleanup(() => s.stop());
  return s;
}

async function alice(t, ctx) {
  const user = `alina${++people}`;
  const page = await SipPage.open(ctx.browser, { ws: ctx.kamailio.ws, password: 'secret', tone: PAGE_HZ, user });
  page.user = user;
  t.pages = [page];
  t.cleanup(() => page.close());
  await page.registered();
  return page;
}

const rtpBetween = (grams, src, dst) => grams.filter((d) => d.kind === 'rtp' && d.src === src && d.dst === dst);
const seqOf = (d) => d.data.readUInt16BE(2);
const toneIn = (grams, hz) => toneShare(grams.flatMap((d) => [...d.data.subarray(12, 172)].map(alawToLinear)), 8000, hz);

/** What the other gateway and the capture may lose on a busy machine, of 100 packets. */
const GAPS = 5;
/** A whole stream of sound: one source, every number once, 50 a second, the tone in it. */
function judge(grams, hz) {
  const once = grams.filter((d, i) => i === 0 || seqOf(d) !== seqOf(grams[i - 1])); // lo shows each packet going and coming
  assert.ok(once.length > (0.9 * LISTEN_MS) / 20, `${once.length} packets in ${LISTEN_MS} ms`);
  assert.equal(new Set(once.map((d) => d.data.readUInt32BE(8))).size, 1, 'one SSRC');
  assert.ok(once.every((d) => (d.data[1] & 0x7f) === 8 && d.data.length === 172), '20 ms of A-law in each packet');
  const gaps = once.filter((d, i) => i > 0 && ((seqOf(d) - seqOf(once[i - 1])) & 0xffff) !== 1).length;
  assert.ok(gaps <= GAPS, `${gaps} gaps in the numbers`);
  const share = toneIn(once, hz);
  assert.ok(share > 0.5, `${hz} Hz is ${share.toFixed(3)} of the sound`);
  return `${once.length} packets, ${gaps} gaps, ${hz} Hz is ${(100 * share).toFixed(0)} % of the sound`;
}

/** The page hears SIPp, and for two seconds everything that reaches SIPp is the page's; between the gateways nobody can listen. */
async function isHeard(t, ctx, page, { tag }) {
  await connected(page);
  await pageHears(page, PHONE_HZ);
  const file = (dev) => join(ctx.opts.out, `chain-${dev}-${Date.now()}.pcap`);
  const [inside, between] = await Promise.all(['lo', 'eth0'].map((dev) => Capture.start(ctx.net.core, file(dev), { dev })));
  t.cleanup(() => Promise.all([inside.proc.stop(), between.proc.stop()]));
  await sleep(LISTEN_MS);
  const [atPhone, wire] = await Promise.all([inside.stop(), between.stop()]);
  t.note(`at SIPp: ${judge(rtpBetween(atPhone, NET.stranger.v4, PHONE.ip), PAGE_HZ)}`);
  for (const [src, dst, hz] of [[NET.core.v4, NET.stranger.v4, PAGE_HZ], [NET.stranger.v4, NET.core.v4, PHONE_HZ]]) {
    const rtp = rtpBetween(wire, src, dst);
    assert.ok(rtp.length > 50 && rtp.every((d) => d.data.length >= 172 + tag), 'an authentication tag on each packet between the gateways');
    assert.ok(toneIn(rtp, hz) < 0.1, 'and the tone is not in the clear');
  }
}
