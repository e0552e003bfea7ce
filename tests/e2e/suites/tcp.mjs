// SPDX-License-Identifier: BSD-3-Clause
// ICE over TCP: browsers for which UDP does not pass, full and lite agents; a connection that is lost; UDP first where it passes.
import assert from 'node:assert/strict';
import { suite, test } from '../lib/runner.mjs';
import { stage } from '../lib/stage.mjs';
import { nsRun } from '../lib/sandbox.mjs';
import { audioBothWays, browserCallsPhone, parts, phoneCallsBrowser } from '../lib/call.mjs';
import { until } from '../lib/wait.mjs';

const FULL = { 'ICE-lite': 'off' }, LITE = { 'ICE-lite': 'both' };
const KNOWN = { known: { rtpengine: 'a suite of this gateway' } };

suite('tcp', stage('tcp', { options: () => ['--ice-tcp'] }));

/** No UDP between browser and gateway, either way, until the case ends. */
function dropUdp(t, ctx) {
  nsRun(ctx.net.br, 'nft', 'add table inet noudp; add chain inet noudp out { type filter hook output priority 0; }; add chain inet noudp in { type filter hook input priority 0; }; add rule inet noudp out meta l4proto udp drop; add rule inet noudp in meta l4proto udp drop');
  t.cleanup(() => nsRun(ctx.net.br, 'nft', 'delete table inet noudp'));
}

const iceOf = async (call) => (await call.query()).transports.find((x) => x.ICE).ICE;
const tcpOpen = async (ctx) => (await ctx.gateway.ng.statistics()).workers.reduce((sum, w) => sum + w['TCP connections'], 0);
const told = (ctx, call, kind) => ctx.gateway.events.of(call.id).filter((e) => e.event === kind);

for (const mode of ['full', 'lite'])
  for (const who of ['Chromium calls', 'Chromium is called'])
    test(`${mode}: ${who}, UDP dropped`, async (t, ctx) => {
      dropUdp(t, ctx);
      const { call, page, phone } = await parts(t, ctx, { page: { answerer: who !== 'Chromium calls' } });
      t.sdps = await (who === 'Chromium calls' ? browserCallsPhone : phoneCallsBrowser)(call, page, phone, { keys: mode === 'full' ? FULL : LITE });
      assert.match(t.sdps.toBrowser, /a=candidate:\d+ 1 tcp \d+ \S+ 190\d\d typ host tcptype passive/);
      await audioBothWays(page, phone);
      const ice = await iceOf(call);
      assert.deepEqual([ice.agent, ice.state, ice.transport], [mode, 'connected', 'tcp']);
      assert.match(told(ctx, call, 'ice-connected')[0].detail, / tcp$/);
      assert.ok(await tcpOpen(ctx) >= 1);
      await call.remove();
      await until('no connection is left', async () => await tcpOpen(ctx) === 0, 8000);
    }, KNOWN);

for (const mode of ['full', 'lite'])
  test(`${mode}: UDP is taken where it passes`, async (t, ctx) => {
    const { call, page, phone } = await parts(t, ctx);
    t.sdps = await browserCallsPhone(call, page, phone, { keys: mode === 'full' ? FULL : LITE });
    await audioBothWays(page, phone);
    assert.equal((await iceOf(call)).transport, 'udp');
    assert.match(told(ctx, call, 'ice-connected')[0].detail, / udp$/);
  }, KNOWN);

for (const mode of ['full', 'lite'])
  test(`${mode}: a lost connection is replaced by another`, async (t, ctx) => {
    dropUdp(t, ctx);
    const { call, page, phone } = await parts(t, ctx);
    t.sdps = await browserCallsPhone(call, page, phone, { keys: mode === 'full' ? FULL : LITE });
    await audioBothWays(page, phone);
    const before = await iceOf(call);
    const port = Number(before.remote.port ?? String(before.remote).split(':').pop());
    t.note(`connection of port ${port}`);
    // The kernel answers the browser's next segment with a reset.
    nsRun(ctx.net.br, 'nft', `add table inet cut; add chain inet cut out { type filter hook output priority 0; }; add rule inet cut out tcp sport ${port} reject with tcp reset`);
    t.cleanup(() => nsRun(ctx.net.br, 'nft', 'delete table inet cut'));
    const at = Date.now();
    await until('media goes to another connection', () => told(ctx, call, 'ice-selected').some((e) => / tcp$/.test(e.detail) && !e.detail.includes(`:${port} `)), 25000);
    t.note(`selected ${Date.now() - at} ms after the reset`);
    await audioBothWays(page, phone);
  }, { ...KNOWN, timeout: 60000 });
