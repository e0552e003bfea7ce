// SPDX-License-Identifier: BSD-3-Clause
// `agwd --demo` as a person uses it: open the printed URL, press the button, hear the tones and the own voice. See demo.md.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { daemon, daemonEnv } from '../lib/gateway.mjs';
import { Proc } from '../lib/proc.mjs';
import { Browser, MIC_HZ } from '../lib/browser.mjs';
import { NET } from '../lib/sandbox.mjs';
import { until } from '../lib/wait.mjs';

const MELODY_HZ = [392, 523.25, 783.99, 1046.5];

suite('demo');

/** XDP does not go with loopback, where the demo is at home. */
const demoOpts = ({ opts }) => ({ ...opts, io: opts.io && 'auto' });

async function startDemo(t, ctx, ns, option) {
  if (ctx.opts.gateway !== 'agwd') t.skip('the demo is part of agwd');
  const name = option.replace(/\W+/g, '');
  const gw = new Proc('agwd', daemon(demoOpts(ctx), option), { env: daemonEnv(ctx.opts, { deep: true }), log: join(ctx.opts.out, `gateway-${name}.log`) });
  t.cleanup(async () => {
    const result = await gw.stop();
    assert.deepEqual(result, { code: 0, signal: null }, `clean stop on SIGTERM\n${gw.output.slice(-3000)}`);
  });
  const [url] = await gw.printed(/https?:\/\/[^\s"'>]+/, 8000);
  const browser = await Browser.launch(name, ns, ctx.opts.out);
  t.cleanup(() => browser.close());
  return { gw, url, browser };
}

async function openPage(t, browser, url, viewport) {
  const page = await browser.page('', { url: 'about:blank', viewport });
  page.foreign = [];
  page.on('request', (r) => {
    if (!['data:', 'blob:'].includes(new URL(r.url()).protocol) && new URL(r.url()).host !== new URL(url).host) page.foreign.push(r.url());
  });
  await page.addInitScript({ path: new URL('../page/rig.js', import.meta.url).pathname });
  await page.goto(url);
  t.pages = [...(t.pages ?? []), { page, stats: () => page.evaluate(() => { rig.pc = agwDemo.pc; rig.log ??= []; return rig.stats(); }) }];
  t.cleanup(() => page.context().close());
  return page;
}

const state = (page) => page.locator('#state').getAttribute('data-state');

/** Ears on what #remote-audio plays. */
const listen = (page) => page.evaluate(() => {
  rig.audio = new AudioContext();
  rig.onTrack({ track: document.getElementById('remote-audio').srcObject.getAudioTracks()[0] });
});

/** onTrack() gives the element a stream of its own; both name the same track. */
const tones = (page, freqs) => page.evaluate((f) => rig.tones(f), freqs);

const inbound = (page) => page.evaluate(async () => {
  let r = null;
  (await agwDemo.pc.getStats()).forEach((s) => { if (s.type === 'inbound-rtp' && s.kind === 'audio') r = { packets: s.packetsReceived, energy: s.totalAudioEnergy }; });
  return r;
});

const plots = (page) => page.evaluate(() => [...document.querySelectorAll('.plot canvas, .plot svg')].map((el) => {
  if (el.tagName !== 'CANVAS') return { id: el.id, marks: el.querySelectorAll('path[d], polyline[points], rect').length, picture: el.outerHTML };
  const d = el.width && el.height ? el.getContext('2d').getImageData(0, 0, el.width, el.height).data : [];
  let marks = 0;
  for (let i = 3; i < d.length; i += 4) if (d[i]) marks++;
  return { id: el.id, marks, picture: el.toDataURL() };
}));

async function callThroughDemo(t, ctx, page, name) {
  assert.equal(await state(page), 'idle');
  await page.click('#call');
  await until('state is connected', async () => {
    const s = await state(page);
    if (s === 'failed') throw Object.assign(new Error('state is failed'), { fatal: true });
    return s === 'connected';
  }, 10000);
  await listen(page);
  const heard = new Set();
  await until('notes of the tone sequence are heard', async () => {
    const { tones: share, rms } = await tones(page, MELODY_HZ);
    for (const f of MELODY_HZ) if (share[f] > 0.5 && rms > 0.003) heard.add(f);
    return heard.size >= 3;
  }, 12000, 25);
  const before = await inbound(page);
  await until('inbound-rtp and its energy grow', async () => {
    const now = await inbound(page);
    return now.packets > before.packets + 20 && now.energy > before.energy && now.energy > 0;
  }, 4000);
  await until('the own tone comes back', async () => {
    const own = await tones(page, [MIC_HZ]);
    if (own.tones[MIC_HZ] > 0.5 && own.rms > 0.003) return true;
    throw new Error(JSON.stringify(own));
  }, 15000);
  const first = await plots(page);
  assert.ok(first.length >= 3, `${first.length} plots`);
  for (const p of first) assert.ok(p.marks > 0, `plot ${p.id} is empty`);
  await until('a plot moves', async () => (await plots(page)).some((p, i) => p.picture !== first[i].picture), 4000);
  for (const id of ['sdp-local', 'sdp-remote']) assert.match(await page.locator(`#${id}`).textContent(), /m=audio/, id);
  t.note(`heard ${[...heard].join(', ')} Hz, then the own ${MIC_HZ} Hz`);
  await page.screenshot({ path: join(ctx.opts.out, `${name}.png`), fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
  assert.deepEqual(page.foreign, [], 'requests to other hosts');
  assert.deepEqual(page.console.filter((l) => /^error|Uncaught/i.test(l)), [], 'errors on the console');
}

for (const [name, viewport] of Object.entries({ desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } })) {
  test(`tones, echo and plots at ${name} width`, async (t, ctx) => {
    const { url, browser } = await startDemo(t, ctx, null, '--demo');
    const page = await openPage(t, browser, url, viewport);
    await callThroughDemo(t, ctx, page, `demo-${name}`);
    await page.click('#hangup');
    await until('state is ended', async () => (await state(page)) === 'ended', 4000);
    await page.click('#call'); // a second call from the same page
    await until('state is connected again', async () => (await state(page)) === 'connected', 10000);
    await page.click('#hangup');
    await page.screenshot({ path: join(ctx.opts.out, `demo-${name}-ended.png`), fullPage: true });
  }, { timeout: 70000 });
}

test('from another host, over HTTPS', async (t, ctx) => {
  const { url, browser } = await startDemo(t, ctx, ctx.net.br, `--demo=${NET.access.v4}`);
  assert.match(url, /^https:/);
  const page = await openPage(t, browser, url, { width: 1440, height: 900 });
  await callThroughDemo(t, ctx, page, 'demo-https');
}, { timeout: 60000 });

test('its control port may lie within the core ports', async (t, ctx) => {
  if (ctx.opts.gateway !== 'agwd') t.skip('the demo is part of agwd');
  const range = ['--port-min=22200', '--port-max=22263']; // so few that all are opened at the start
  const gw = new Proc('agwd', daemon(demoOpts(ctx), '--demo', ...range), { env: daemonEnv(ctx.opts), log: join(ctx.opts.out, 'gateway-range.log') });
  t.cleanup(() => gw.stop());
  await gw.printed(/listening for ng on udp 127\.0\.0\.1:22222/, 8000);
});
