// SPDX-License-Identifier: BSD-3-Clause
// How calls end when nobody says so, and what must not end them: consent, goodbye, media timeout. Short limits in the gateway; holds have a suite of their own.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { Browser } from '../lib/browser.mjs';
import { Capture } from '../lib/pcap.mjs';
import { NET, nsRun } from '../lib/sandbox.mjs';
import { audioBothWays, browserCallsPhone, parts } from '../lib/call.mjs';
import { sleep, until } from '../lib/wait.mjs';

const TIMEOUT_S = 4;
const GRACE_S = 4;

suite('life', stage('life', { apart: true, options: () => [`--timeout=${TIMEOUT_S}`, '--silent-timeout=60', `--consent-grace=${GRACE_S}`] }));

/** Drops everything that leaves the browsers' host from these ports; returns the way back. */
function cutOff(ctx, ports) {
  nsRun(ctx.net.br, 'nft', `add table inet cut; add chain inet cut out { type filter hook output priority 0; }; ${ports.map((p) => `add rule inet cut out udp sport ${p} drop`).join('; ')}`);
  let cut = true;
  return () => {
    if (cut) nsRun(ctx.net.br, 'nft', 'delete table inet cut');
    cut = false;
  };
}

const localPort = async (page) => (await page.stats()).pairs[0].local.split(':').pop();
const listed = async (ctx, call) => (await ctx.gateway.ng.calls()).includes(call.id);
const mediaAfter = (grams, at) => grams.filter((d) => d.kind === 'rtp' && d.dst === NET.browser.v4 && d.at > at).length;

function checkEvent(e, call) {
  for (const k of ['event', 'seq', 'call-id', 'from-tag', 'to-tag', 'media', 'mid', 'reason', 'detail', 'time']) assert.ok(k in e, `event has ${k}: ${JSON.stringify(e)}`);
  assert.equal(e['call-id'], call.id);
}

test('consent loss: media stops, an event is raised, a killed browser is given up, one that was cut off comes back', async (t, ctx) => {
  const victim = await Browser.launch('victim', ctx.net.br, ctx.opts.out);
  t.cleanup(() => victim.close());
  const killed = await parts(t, ctx, { browser: victim });
  t.pages = [];
  const cut = await parts(t, ctx);
  for (const c of [killed, cut]) {
    await browserCallsPhone(c.call, c.page, c.phone);
    await audioBothWays(c.page, c.phone);
  }
  const mend = cutOff(ctx, [await localPort(cut.page)]);
  t.cleanup(mend);
  const cap = await Capture.start(ctx.net.br, join(ctx.opts.out, 'consent.pcap'));
  t.cleanup(() => cap.proc.stop());
  const lostAt = Date.now();
  victim.kill();
  const seen = await Promise.all([killed, cut].map((c) => ctx.gateway.events.wait(c.call.id, /consent-lost/, 40000)));
  seen.forEach((e, i) => checkEvent(e, [killed, cut][i].call));
  t.note(`consent-lost after ${seen.map((e) => ((e.at - lostAt) / 1000).toFixed(1)).join(' and ')} s (killed, cut off)`);
  for (const e of seen) assert.ok(e.at - lostAt <= 31500, 'within 30 s of the last check');

  // The one that was cut off restarts ICE within the grace.
  const quietFrom = Date.now() + 200;
  await sleep(1200); // silence is what is looked for
  assert.equal(mediaAfter(await cap.stop(), quietFrom), 0, 'media packets toward browsers without consent');
  mend();
  const offer = await cut.page.offer({ iceRestart: true });
  const toCore = await cut.call.offer(offer, { toward: 'core', at: NET.browser.v4 });
  await cut.page.answer(await cut.call.answer(cut.phone.answerTo(toCore), { toward: 'browser', at: cut.phone.ip }));
  await audioBothWays(cut.page, cut.phone);
  await until('the killed one is given up after the grace', async () => !(await listed(ctx, killed.call)), (GRACE_S + 4) * 1000);
  assert.ok(ctx.gateway.events.of(killed.call.id).length > 1, 'a final event for the killed one');
  assert.ok(await listed(ctx, cut.call), 'the one that came back lives');
}, { timeout: 80000, known: { rtpengine: 'knows no consent' } });

test('goodbye: a closed page (DTLS close_notify) gets no more media', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  t.sdps = await browserCallsPhone(call, page, phone);
  await audioBothWays(page, phone);
  const cap = await Capture.start(ctx.net.br, join(ctx.opts.out, 'goodbye.pcap'));
  t.cleanup(() => cap.proc.stop());
  await page.hangup();
  const closedAt = Date.now();
  checkEvent(await ctx.gateway.events.wait(call.id, /dtls-closed/, 3000), call);
  await sleep(800); // silence is what is looked for
  const late = mediaAfter(await cap.stop(), closedAt + 300);
  assert.equal(late, 0, `${late} media packets after the goodbye`);
}, { known: { rtpengine: 'goes on sending' } });

test('media timeout: a call that is silent on both sides ends with an event', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  t.sdps = await browserCallsPhone(call, page, phone);
  await audioBothWays(page, phone);
  t.cleanup(cutOff(ctx, [await localPort(page)]));
  await phone.audio.stopSending();
  const silentAt = Date.now();
  await until('the call is gone', async () => !(await listed(ctx, call)), (TIMEOUT_S + 4) * 1000, 100);
  const after = (Date.now() - silentAt) / 1000;
  t.note(`ended ${after.toFixed(1)} s after the last packet (timeout ${TIMEOUT_S} s)`);
  assert.ok(after >= TIMEOUT_S - 1, 'not too early');
  if (ctx.gateway.realms) checkEvent(await ctx.gateway.events.wait(call.id, /timeout|call-ended|inactiv/, 2000), call);
}, { timeout: 40000, known: { rtpengine: 'its timer is coarser' } });
