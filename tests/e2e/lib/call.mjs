// SPDX-License-Identifier: BSD-3-Clause
// One call driven over ng without SIP, and the checks every call is put to.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Endpoint } from './browser.mjs';
import { flagsFor } from './gateway.mjs';
import { destination, leaksTowardIms, parseSdp, phoneAnswer, phoneOffer } from './sdp.mjs';
import { NET } from './sandbox.mjs';
import { sleep, until } from './wait.mjs';

export const PHONE_HZ = 1000; // what plain phones send
export const PAGE_HZ = 440; // what pages send

export class Call {
  constructor(gateway, { style = 'realm' } = {}) {
    this.gateway = gateway;
    this.ng = gateway.ng;
    this.style = style;
    this.id = `e2e-${randomBytes(6).toString('hex')}`;
    this.tags = { a: randomBytes(4).toString('hex'), b: randomBytes(4).toString('hex') };
    this.answered = false;
  }

  static #from(address) {
    return [address.includes(':') ? 'IP6' : 'IP4', address];
  }

  /** `from`: 'a' (caller) or 'b'; `toward`: core or browser; `at`: the sender's signalling address. */
  async offer(sdp, { from = 'a', toward, at, keys = {}, browserToBrowser = false }) {
    const [me, other] = from === 'a' ? [this.tags.a, this.tags.b] : [this.tags.b, this.tags.a];
    const flags = this.answered && this.gateway.realms ? {} : flagsFor(this.gateway, this.style, toward, { browserToBrowser, answer: this.answered });
    const reply = await this.ng.cmd({
      supports: ['load limit'], sdp, ...flags, ...keys, 'call-id': this.id, 'received-from': Call.#from(at), 'from-tag': me,
      'to-tag': this.answered ? other : undefined, command: 'offer',
    });
    return reply.sdp;
  }

  async answer(sdp, { from = 'b', toward, at, keys = {}, browserToBrowser = false }) {
    const [me, other] = from === 'b' ? [this.tags.b, this.tags.a] : [this.tags.a, this.tags.b];
    const reply = await this.ng.cmd({
      supports: ['load limit'], sdp, ...flagsFor(this.gateway, this.style, toward, { answer: true, browserToBrowser }), ...keys,
      'call-id': this.id, 'received-from': Call.#from(at), 'from-tag': other, 'to-tag': me, command: 'answer',
    });
    this.answered = true;
    return reply.sdp;
  }

  /** The other party refused the re-offer of `from` with that via-branch. */
  refuse(branch, from = 'a') {
    const [me, other] = from === 'a' ? [this.tags.a, this.tags.b] : [this.tags.b, this.tags.a];
    return this.ng.cmd({ 'call-id': this.id, 'from-tag': me, 'to-tag': other, 'via-branch': branch, command: 'delete' });
  }

  query() { return this.ng.query(this.id); }

  async remove() {
    if (this.removed) return null;
    this.removed = true;
    return this.ng.remove(this.id, this.tags.a);
  }
}

/** A phone of the core with an audio and, when asked, a video socket. */
export class Phone {
  static async open(agent, { ip = NET.phone.v4, mode = 'tone', tone = PHONE_HZ, video = false, seq, pt, keep, reports } = {}) {
    const p = new Phone();
    p.ip = ip;
    p.audio = await agent.phone({ address: ip, mode, tone, seq, pt, keep, reports });
    if (video) p.video = await agent.phone({ address: ip, mode: 'echo', video: true });
    return p;
  }

  get ports() { return { audio: this.audio.port, video: this.video?.port ?? 0 }; }

  /** Takes an offer or answer's addresses and starts to send. */
  async connect(sdpText) {
    const sdp = parseSdp(sdpText);
    for (const kind of ['audio', 'video']) {
      const m = sdp.medias.find((x) => x.kind === kind && x.port);
      if (!m || !this[kind]) continue;
      await this[kind].setRemote(destination(sdp, m));
      await this[kind].start();
    }
  }

  answerTo(offer, o) { return phoneAnswer(offer, this.ip, this.ports, o); }
  offer(o) { return phoneOffer(this.ip, this.ports, o); }

  async close() {
    await this.audio.close();
    await this.video?.close();
  }
}

/** Browser calls phone; resolves with the SDPs once the page has its answer. */
export async function browserCallsPhone(call, page, phone, { keys = {}, answerKeys = {}, offerOptions, at = NET.browser.v4, answerDelayMs = 0, tamper = (s) => s } = {}) {
  const offer = await page.offer(offerOptions);
  const toCore = await call.offer(offer, { toward: 'core', at, keys });
  if (call.gateway.realms) assert.deepEqual(leaksTowardIms(toCore), [], 'lines that must not reach the core');
  const coreAnswer = phone.answerTo(toCore);
  await phone.connect(toCore);
  if (answerDelayMs) await sleep(answerDelayMs);
  const toBrowser = tamper(await call.answer(coreAnswer, { toward: 'browser', at: phone.ip, keys: answerKeys }));
  await page.answer(toBrowser);
  return { offer, toCore, coreAnswer, toBrowser };
}

/** Phone calls browser. */
export async function phoneCallsBrowser(call, page, phone, { keys = {}, answerKeys = {}, at = NET.browser.v4 } = {}) {
  const coreOffer = phone.offer();
  const toBrowser = await call.offer(coreOffer, { toward: 'browser', at: phone.ip, keys });
  const answer = await page.accept(toBrowser);
  const toCore = await call.answer(answer, { toward: 'core', at, keys: answerKeys });
  if (call.gateway.realms) assert.deepEqual(leaksTowardIms(toCore), [], 'lines that must not reach the core');
  await phone.connect(toCore);
  return { coreOffer, toBrowser, answer, toCore };
}

export async function connected(page, ms = 8000) {
  return until('peer connection connected, DTLS up', async () => {
    const s = await page.stats();
    if (s.state === 'failed') throw Object.assign(new Error(`connection failed: ${JSON.stringify(s.log)}`), { fatal: true });
    return s.state === 'connected' && s.transports.every((t) => t.dtls === 'connected') && s;
  }, ms);
}

/** The page hears `hz`: packets decoded to sound, energy, and the tone itself. */
export async function pageHears(page, hz, ms = 6000) {
  return until(`page hears ${hz} Hz`, async () => {
    const s = await page.stats();
    const t = await page.tones([hz]);
    page.lastHeard = { hz, ...t, rxPackets: s.audio.rxPackets, energy: s.audio.energy };
    return t.tones[hz] > 0.5 && t.rms > 0.005 && s.audio.rxPackets > 20 && s.audio.energy > 0 ? page.lastHeard : (() => { throw new Error(JSON.stringify(page.lastHeard)); })();
  }, ms);
}

export async function phoneHears(phone, hz, ms = 6000) {
  await phone.audio.fresh();
  return until(`phone hears ${hz} Hz`, async () => {
    const s = await phone.audio.stats([hz]);
    if (s.tones[hz] > 0.5 && s.rms > 100 && s.silentMs < 200) return s;
    throw new Error(JSON.stringify({ ...s.tones, rms: s.rms, rx: s.rx.packets, pts: s.rx.pts }));
  }, ms);
}

export async function audioBothWays(page, phone, { pageHz = PAGE_HZ, phoneHz = PHONE_HZ } = {}) {
  await connected(page);
  await Promise.all([pageHears(page, phoneHz), phoneHears(phone, pageHz)]);
}

/** What most cases need: a call, a page, a phone, all put away afterwards. */
export async function parts(t, ctx, { style, page = {}, phone = {}, browser = ctx.browser } = {}) {
  await ctx.gateway.ensure();
  const call = t.call = new Call(ctx.gateway, { style });
  t.cleanup(() => call.remove());
  const ep = await Endpoint.open(browser, { tone: PAGE_HZ, ...page });
  t.pages = [...(t.pages ?? []), ep];
  t.cleanup(() => ep.close());
  if (phone === null) return { call, page: ep };
  const ph = await Phone.open(ctx.core, phone);
  t.cleanup(() => ph.close());
  return { call, page: ep, phone: ph };
}

/** The page offers again with this direction; `answer`: see phoneAnswer(). */
export async function renegotiate(call, page, phone, direction, t, answer = {}) {
  await page.direction('audio', direction);
  const offer = await page.offer();
  const toCore = await call.offer(offer, { toward: 'core', at: NET.browser.v4 });
  const toBrowser = await call.answer(phone.answerTo(toCore, answer), { toward: 'browser', at: phone.ip });
  Object.assign(t.sdps, { offer, toCore, toBrowser });
  await page.answer(toBrowser);
}
