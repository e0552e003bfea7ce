// SPDX-License-Identifier: BSD-3-Clause
// What the ear and the far machine notice of a conversion: digits, and changes amid a call. Chromium is the judge of what it gets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { AgentClient } from '../lib/agent-client.mjs';
import { Browser } from '../lib/browser.mjs';
import { attrs, parseSdp, ptOf } from '../lib/sdp.mjs';
import { NET } from '../lib/sandbox.mjs';
import { alawToLinear, digitsIn, tonesOf } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';
import { browserCallsPhone, connected, pageHears, PAGE_HZ, parts, phoneCallsBrowser, phoneHears, PHONE_HZ } from '../lib/call.mjs';

const DIGITS = '0123456789*#ABCD'; // in the order of their events (RFC 4733 section 3.2)
const DIGIT_MS = 100;
const PAUSE_MS = 60;
const LONG_MS = 3000; // three segments of telephone-event/48000 (RFC 4733 section 2.5.1.3)
const OFF_MS = 20;
const PACKET_MS = 20;
const VECTORS = join(dirname(fileURLToPath(import.meta.url)), '../../vectors');
const AWB_HZ = 2000; // in tone.awb
const NOT_OURS = { rtpengine: 'transcodes only when asked' };

suite('continuity', {
  async before(ctx) {
    const out = join(ctx.opts.out, 'continuity');
    ctx.gateway = await new Gateway({ ...ctx.opts, out }).start();
    ctx.core = new AgentClient(ctx.net.core, join(out, 'agent-core.log'));
    ctx.browser = await Browser.launch('continuity', ctx.net.br, out);
  },
  async after(ctx) {
    await ctx.browser?.close();
    await ctx.core?.stop();
    const result = await ctx.gateway?.stop();
    ctx.browser = ctx.core = ctx.gateway = null;
    if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
  },
});

/** Octet-aligned payloads (RFC 4867 section 4.4) of tone.awb, but for its beginning and end. */
function wideband() {
  const b = readFileSync(join(VECTORS, 'tone.awb'));
  const octets = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5];
  const out = [];
  for (let at = '#!AMR-WB\n'.length; at < b.length;) {
    const len = 1 + octets[(b[at] >> 3) & 15];
    out.push(Buffer.concat([Buffer.from([0xf0]), b.subarray(at, at + len)]).toString('hex'));
    at += len;
  }
  return out.slice(10, -5);
}

/** How a phone speaks: its lines of SDP, what its packets hold, the number of its telephone-event and what is heard of it. */
const PCMA = { lines: ['a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'], pts: '8 101', how: { pt: 8 }, eventPt: 101, eventHz: 8000, hz: PHONE_HZ };
const PCMA_ALONE = { lines: ['a=rtpmap:8 PCMA/8000'], pts: '8', how: { pt: 8 }, hz: PHONE_HZ };
const AMR_WB = {
  lines: ['a=rtpmap:104 AMR-WB/16000', 'a=fmtp:104 octet-align=1', 'a=rtpmap:105 telephone-event/16000', 'a=fmtp:105 0-15'], pts: '104 105',
  how: { pt: 104, clock: 16000, frames: wideband() }, eventPt: 105, eventHz: 16000, hz: AWB_HZ,
};

/** A call of that phone to a page, or the reverse; Opus alone and payloads that are kept, unless `page` says otherwise. */
async function talk(t, ctx, voice, { page = { codecs: ['opus'], payloads: true }, phone = {}, keys = {}, answerer = true } = {}) {
  const p = await parts(t, ctx, { style: 'zero', page: { answerer, ...page }, phone });
  speakAs(p.phone, voice);
  await p.phone.audio.speak(voice.how);
  const sdps = await (answerer ? phoneCallsBrowser : browserCallsPhone)(p.call, p.page, p.phone, { keys });
  await connected(p.page);
  await pageHears(p.page, voice.hz);
  t.sdps = sdps;
  p.toBrowser = sdps.toBrowser;
  return p;
}

/** What this phone offers from now on. */
function speakAs(phone, voice, { direction = 'sendrecv', ptime = 20 } = {}) {
  phone.answerTo = phone.offer = () => ['v=0', `o=phone 1 ${(phone.version = (phone.version ?? 0) + 1)} IN IP4 ${phone.ip}`, 's=-', `c=IN IP4 ${phone.ip}`, 't=0 0',
    `m=audio ${phone.audio.port} RTP/AVP ${voice.pts}`, ...voice.lines, `a=ptime:${ptime}`, `a=${direction}`, ''].join('\r\n');
}

const press = (page, digits, ms = DIGIT_MS) => page.page.evaluate((o) => rig.pc.getSenders().find((s) => s.track?.kind === 'audio').dtmf.insertDTMF(...o), [digits, ms, PAUSE_MS]);

/** Digits of telephone events, in order: [{ digit, ms, ends, markers }]. */
function digitsOf(events, hz) {
  const out = [];
  for (const e of events) {
    let d = out.at(-1);
    if (d?.ts !== e.ts) out.push(d = { ts: e.ts, digit: DIGITS[e.event], ms: 0, ends: 0, markers: 0 });
    assert.equal(DIGITS[e.event], d.digit, 'one event a timestamp');
    d.ms = Math.max(d.ms, (e.duration * 1000) / hz);
    d.ends += e.end ? 1 : 0;
    d.markers += e.marker ? 1 : 0;
  }
  return out;
}

/** Chromium counts its digits in packets, and on a busy machine in one too many: `sent` says what came of it. */
function judge(digits, what, sent = digits.map(() => ({ ms: DIGIT_MS }))) {
  assert.equal(digits.map((d) => d.digit).join(''), DIGITS, `${what}: all in order`);
  const off = digits.map((d, i) => Math.abs(d.ms - sent[i].ms));
  assert.ok(Math.max(...off) <= OFF_MS, `${what}: ${digits.map((d) => d.ms)} ms of ${sent.map((d) => d.ms)}`);
  return Math.max(...off);
}

/** What the page got under that payload type, as events. */
const pageEvents = async (page, pt) => (await page.page.evaluate((n) => rig.payloads.filter((p) => p.pt === n && p.octets), pt))
  .map(({ ts, octets: [event, flags, high, low] }) => ({ ts, event, end: flags >> 7 === 1, duration: 256 * high + low }));

const complete = (digits) => digits.length === DIGITS.length && digits.at(-1).ends >= 3 && digits;

/** Digits of that party as control was told of them. */
const toldOf = (ctx, call, tag) => ctx.gateway.events.of(call.id).filter((e) => e.event === 'dtmf' && e.detail.endsWith(`from tag ${tag}`))
  .map((e) => /digit (.), (\d+) ms/.exec(e.detail)).map(([, digit, ms]) => ({ digit, ms: Number(ms) }));

for (const [name, voice] of [['PCMA', PCMA], ['AMR-WB', AMR_WB]]) {
  test(`sixteen digits of insertDTMF reach an ${name} phone at ${voice.eventHz / 1000} kHz, and its sixteen Chromium at 48 kHz`, async (t, ctx) => {
    const { call, page, phone } = await talk(t, ctx, voice);
    const pagePt = ptOf(parseSdp(t.sdps.answer).medias[0], 'telephone-event');
    assert.match(t.sdps.answer, new RegExp(`a=rtpmap:${pagePt} telephone-event/48000`));
    await phone.audio.mark();
    await press(page, DIGITS);
    await phone.audio.dial([...DIGITS].map((_, event) => ({ event, pt: voice.eventPt })), DIGIT_MS / PACKET_MS, PAUSE_MS / PACKET_MS);
    const there = await until('the phone has all digits', async () => complete(digitsOf(await phone.audio.eventsOf(voice.eventPt), voice.eventHz)), 10000);
    const back = await until('the page has all digits', async () => complete(digitsOf(await pageEvents(page, pagePt), 48000)), 10000);
    const off = [judge(there, 'toward the phone', toldOf(ctx, call, call.tags.b)), judge(back, 'toward the browser')];
    for (const d of there) assert.deepEqual([d.ends, d.markers], [3, 1], `${d.digit}: three ends, one marker`);
    assert.equal((await phone.audio.stats()).rx.seqGaps, 0, 'no gap in the numbers');
    t.note(`off by ${off[0]} ms at most toward the phone, ${off[1]} ms toward the browser`);

    const passed = (await phone.audio.eventsOf(voice.eventPt)).length;
    await ctx.gateway.ng.cmd({ command: 'block DTMF', 'call-id': call.id });
    await press(page, '5');
    await until('one more digit is told', () => toldOf(ctx, call, call.tags.b).length > DIGITS.length, 5000);
    await pageHears(page, voice.hz);
    assert.equal((await phone.audio.eventsOf(voice.eventPt)).length, passed, 'no event passes while DTMF is blocked');
  }, { known: NOT_OURS });
}

const WITHOUT_EVENTS = { converted: { answerer: false }, relayed: { page: {} } };

for (const [name, o] of Object.entries(WITHOUT_EVENTS)) test(`a phone without telephone-event hears tones, and its tones are events to control: ${name}`, async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx, PCMA_ALONE, { phone: { keep: 500 }, keys: { flags: ['detect-DTMF'] }, ...o });
  assert.match(t.sdps.toBrowser, /telephone-event/);
  await phoneHears(phone, PAGE_HZ);
  await phone.audio.mark();
  await press(page, DIGITS);
  await phone.audio.dial([...DIGITS].map((d) => ({ tones: tonesOf(d) })), DIGIT_MS / PACKET_MS, PAUSE_MS / PACKET_MS);
  const events = await until('all digits of both are told', () => {
    const both = (name === 'converted' ? [call.tags.b, call.tags.a] : [call.tags.a, call.tags.b]).map((tag) => toldOf(ctx, call, tag));
    return both.every((digits) => digits.length >= DIGITS.length) && both;
  }, 10000);
  await until('the page is heard behind the last digit', async () => (await phone.audio.stats([PAGE_HZ])).tones[PAGE_HZ] > 0.5, 6000);
  const heard = digitsIn((await phone.audio.heard()).flatMap(({ hex }) => [...Buffer.from(hex, 'hex')].map(alawToLinear)));
  const off = [judge(heard, 'heard by the phone', events[1]), judge(events[0], 'told of the phone')];
  assert.equal(events[1].map((d) => d.digit).join(''), DIGITS, 'told of the browser: all in order');
  t.note(`off by ${off[0]} ms at most in the phone's ear, ${off[1]} ms where the phone's tones are told`);

  const browser = name === 'converted' ? call.tags.a : call.tags.b;
  await phone.audio.mark();
  await press(page, '7', LONG_MS);
  await until('the page is heard behind a long digit', async () => {
    const told = toldOf(ctx, call, browser).length > DIGITS.length;
    return told && (await phone.audio.stats([PAGE_HZ])).tones[PAGE_HZ] > 0.5;
  }, LONG_MS + 5000);
  const long = digitsIn((await phone.audio.heard()).flatMap(({ hex }) => [...Buffer.from(hex, 'hex')].map(alawToLinear)));
  for (const [what, digits] of [['told', toldOf(ctx, call, browser).slice(DIGITS.length)], ['heard', long]]) {
    assert.deepEqual(digits.map((d) => d.digit), ['7'], `${what}: one digit`);
    assert.ok(Math.abs(digits[0].ms - LONG_MS) <= 4 * PACKET_MS, `${what}: ${digits[0].ms} ms of ${LONG_MS}`);
  }
}, { known: NOT_OURS });

/** The page plays so many seconds more. */
async function plays(page, seconds) {
  const { playedS } = (await page.stats()).audio;
  await until(`${seconds} s more are played`, async () => (await page.stats()).audio.playedS >= playedS + seconds, 10000);
}

/** How much later than its time the phone has sent its packets since then, in ms: that is not the gateway's doing, and Chromium on the same
 *  machine is as late. */
async function lateOf(phone, since, packetMs) {
  const at = (await phone.audio.sentLog()).map((p) => p.at).filter((x) => x >= since);
  return at.slice(1).reduce((sum, x, i) => sum + Math.max(0, x - at[i] - packetMs - 5), 0);
}

/** What the page makes up meanwhile, in samples, and how late the phone was. `silent`: its silence for want of packets is no fault, as none
 *  were sent (silentConcealedSamples). A sample is as long as the codec of the moment says. */
async function madeUp({ page, phone }, during, { silent = false, packetMs = PACKET_MS } = {}) {
  const before = (await page.stats()).audio;
  const since = Date.now();
  await during();
  const after = (await page.stats()).audio;
  const more = (name) => after[name] - before[name];
  const late = silent ? 0 : await lateOf(phone, since, packetMs);
  const concealed = more('concealed') - (silent ? more('silentConcealed') : 0);
  return { concealed, samples: more('samples'), late: (late / 1000 / more('playedS')) * more('samples'), ms: Math.round((1000 * concealed * more('playedS')) / more('samples')) };
}

/** A re-INVITE of the phone; the stream toward the browser is the one that its SDP names. */
async function phoneReoffers(p, voice, o) {
  const { call, page, phone } = p;
  speakAs(phone, voice, o);
  const toBrowser = await call.offer(phone.offer(), { toward: 'browser', at: phone.ip });
  const answer = await page.accept(toBrowser);
  await call.answer(answer, { toward: 'core', at: NET.browser.v4 });
  p.toBrowser = toBrowser;
}

async function agrees({ page, toBrowser }) {
  const sdp = parseSdp(toBrowser);
  const named = attrs(sdp, sdp.medias[0], 'ssrc').map((l) => Number(l.split(' ')[0]));
  assert.ok(named.includes((await page.stats()).audio.rxSsrc), `a=ssrc ${named} and the stream agree`);
}

const STEPS = {
  async 'as it was'(p) { await plays(p.page, 1); },
  async 'another SSRC'(p) {
    await p.phone.audio.changeSsrc();
    await plays(p.page, 2);
  },
  async '60 ms'(p) {
    await p.phone.audio.speak({ ...PCMA.how, frame: 480 });
    await plays(p.page, 3);
  },
  async '20 ms again'(p) {
    await p.phone.audio.speak({ ...PCMA.how, frame: 160 });
    await plays(p.page, 2);
  },
  async 'hold and resume'(p) {
    await phoneReoffers(p, PCMA, { direction: 'inactive' });
    await p.phone.audio.mute(true);
    let last = { rxPackets: -1 };
    await until('the page gets nothing for half a second', async () => {
      const { rxPackets } = (await p.page.stats()).audio;
      if (rxPackets !== last.rxPackets) last = { rxPackets, at: performance.now() };
      return performance.now() - last.at > 500;
    }, 5000);
    await p.phone.audio.mute(false);
    await phoneReoffers(p, PCMA);
    await plays(p.page, 3);
  },
  async 'AMR-WB'(p) {
    await phoneReoffers(p, AMR_WB);
    await p.phone.audio.speak({ ...AMR_WB.how, frame: 160 });
    await plays(p.page, 3);
    await pageHears(p.page, AWB_HZ);
  },
  async 'PCMA again'(p) {
    await phoneReoffers(p, PCMA);
    await p.phone.audio.speak({ ...PCMA.how, frame: 160 });
    await plays(p.page, 3);
    await pageHears(p.page, PHONE_HZ);
  },
};

const CALLS = { relayed: {}, converted: { codecs: ['opus'] } };

test('calls over hold, another codec, SSRC and packet time: Chromium makes up less than 1 %', async (t, ctx) => {
  await Promise.all(Object.entries(CALLS).map(async ([name, page]) => {
    const p = await talk(t, ctx, PCMA, { page });
    const all = { concealed: 0, samples: 0, late: 0 };
    const steps = [];
    for (const [step, run] of Object.entries(STEPS)) {
      const made = await madeUp(p, () => run(p), { silent: step === 'hold and resume', packetMs: step === '60 ms' ? 60 : PACKET_MS });
      steps.push(`${step} ${made.ms}`);
      for (const key of Object.keys(all)) all[key] += made[key];
      await agrees(p);
    }
    const percent = (n) => (100 * n / all.samples).toFixed(2);
    t.note(`${name}: ${percent(all.concealed)} % made up, ${percent(all.late)} % the phone was late; ms: ${steps.join(', ')}`);
    assert.ok(all.concealed < all.samples / 100 + 2 * all.late, `${name}: ${all.concealed} of ${all.samples} samples made up, as long as ${all.late} of them the phone was late`);
  }));
}, { known: NOT_OURS });
