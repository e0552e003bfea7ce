// SPDX-License-Identifier: BSD-3-Clause
// `./dev demo` as a person uses it: everything that deploy/demo/run.mjs starts, and its page in Chromium.
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, test } from '../lib/runner.mjs';
import { Proc, pidsBelow } from '../lib/proc.mjs';
import { Browser, MIC_HZ } from '../lib/browser.mjs';
import { NET } from '../lib/sandbox.mjs';
import { writeToneWav } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';

const RUN = fileURLToPath(new URL('../../../deploy/demo/run.mjs', import.meta.url));
const RIG = fileURLToPath(new URL('../page/rig.js', import.meta.url));
const TONE_HZ = 440, OTHER_HZ = 990;

suite('demo node');

async function startNode(t, ctx, ...args) {
  if (ctx.opts.gateway !== 'agwd') t.skip('the demo starts agwd');
  const out = join(ctx.opts.out, `node-${args.join('').replace(/\W+/g, '')}`);
  const node = new Proc('demo', [process.execPath, RUN, `--out=${out}`, `--build=${ctx.opts.build}`, ...args], { log: `${out}.log` });
  t.cleanup(() => node.stop('SIGINT', 8000));
  const [, url] = await node.printed(/Open +(https?:\S+)/, 30000);
  return { node, url };
}

/** A page of its own, with ears; `hz`: what its microphone hears. */
async function open(t, ctx, url, { name = 'node', ns = null, hz = MIC_HZ, relay = false } = {}) {
  const micFile = join(ctx.opts.out, `mic-${name}.wav`);
  writeToneWav(micFile, hz);
  const browser = await Browser.launch(name, ns, ctx.opts.out, { micFile });
  t.cleanup(() => browser.close());
  const page = await browser.page('', { url: 'about:blank' });
  await page.addInitScript({ path: RIG });
  await page.goto(url);
  t.pages = [...(t.pages ?? []), { page, stats: () => page.evaluate(() => { rig.pc = phone.pc; rig.log ??= []; return rig.stats(); }) }];
  await state(page, 'registered');
  if (relay) await page.check('#relay');
  return page;
}

const state = (page, want, ms = 10000) => until(`the page is ${want}`, async () => {
  const is = await page.locator('#state').getAttribute('data-state');
  if (is === 'failed') throw Object.assign(new Error(await page.locator('#log').textContent()), { fatal: true });
  return is === want;
}, ms);

async function hears(page, hz) {
  await page.evaluate(() => {
    rig.audio ??= new AudioContext();
    rig.onTrack({ track: document.getElementById('remote-audio').srcObject.getAudioTracks()[0] });
  });
  await until(`the page hears ${hz} Hz`, async () => {
    const { tones, rms } = await page.evaluate((f) => rig.tones([f]), hz);
    if (tones[hz] > 0.5 && rms > 0.003) return true;
    throw new Error(JSON.stringify({ tones, rms }));
  }, 10000);
}

/** What the selected pair's ends are: host, srflx, prflx or relay. */
const pairOf = async (page) => (await page.locator('#fact-ice').textContent()).match(/\b(host|srflx|prflx|relay)\b/g) ?? [];

const relayed = (page) => until('the pair goes through coturn', async () => (await pairOf(page))[0] === 'relay', 5000);

async function callPhone(page, name, hz) {
  await page.click(`[data-call=${name}]`);
  await state(page, 'connected');
  await hears(page, hz);
}

async function hangUp(page) {
  await page.click('#hangup');
  await state(page, 'ended');
}

for (const ice of ['lite', 'full']) {
  test(`${ice}: echo and tone, direct and through coturn only`, async (t, ctx) => {
    const { url } = await startNode(t, ctx, `--ice=${ice}`);
    const page = await open(t, ctx, url);
    await callPhone(page, 'echo', MIC_HZ); // there and back
    await until('the pair is direct', async () => (await pairOf(page))[0] === 'host', 5000);
    await hangUp(page);
    await callPhone(page, 'tone', TONE_HZ);
    await hangUp(page);
    await page.check('#relay');
    await callPhone(page, 'echo', MIC_HZ);
    await relayed(page);
    await page.screenshot({ path: join(ctx.opts.out, `node-${ice}.png`), fullPage: true });
    await hangUp(page);
  }, { timeout: 90000 });
}

for (const relay of [false, true]) {
  test(`two browsers call each other${relay ? ' through coturn only' : ''}`, async (t, ctx) => {
    const { url } = await startNode(t, ctx);
    const alice = await open(t, ctx, url, { name: 'node-a', relay });
    const bob = await open(t, ctx, url, { name: 'node-b', hz: OTHER_HZ, relay });
    await alice.fill('#whom', await bob.locator('#me').textContent());
    await alice.press('#whom', 'Enter');
    await state(bob, 'ringing');
    await bob.click('#answer');
    await Promise.all([state(alice, 'connected'), state(bob, 'connected')]);
    await hears(alice, OTHER_HZ);
    await hears(bob, MIC_HZ);
    if (relay) await Promise.all([relayed(alice), relayed(bob)]);
    await hangUp(bob);
    await state(alice, 'ended');
  }, { timeout: 90000 });
}

test('from another host, by HTTPS, through coturn only', async (t, ctx) => {
  const { url } = await startNode(t, ctx, `--address=${NET.access.v4}`);
  assert.match(url, /^https:/);
  const page = await open(t, ctx, url, { name: 'node-https', ns: ctx.net.br, relay: true });
  await callPhone(page, 'echo', MIC_HZ);
  await relayed(page);
}, { timeout: 90000 });

test('a page of another origin is refused', async (t, ctx) => {
  const { url } = await startNode(t, ctx);
  assert.match(await upgrade(url, new URL(url).origin), /101/);
  assert.match(await upgrade(url, 'https://evil.example'), /403/);
}, { timeout: 60000 });

/** First line of the answer to a WebSocket request with this Origin. */
const upgrade = (url, origin) => new Promise((done, fail) => {
  const { hostname, port } = new URL(url);
  const s = net.connect(port, hostname, () =>
    s.write(['GET /ws HTTP/1.1', `Host: ${hostname}:${port}`, `Origin: ${origin}`, 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: sip', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''].join('\r\n')));
  s.once('data', (d) => { s.destroy(); done(d.toString().split('\r\n')[0]); });
  s.once('error', fail);
});

test('Ctrl-C ends all of it; the death of one part, too', async (t, ctx) => {
  const { node } = await startNode(t, ctx);
  const children = pidsBelow(node.pid);
  assert.ok(children.length >= 5, `${children.length} processes`);
  assert.deepEqual(await node.stop('SIGINT', 8000), { code: 0, signal: null });
  for (const pid of children) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, `process ${pid}`);
  const again = await startNode(t, ctx);
  const turn = pidsBelow(again.node.pid, 'turnserver');
  assert.equal(turn.length, 1);
  process.kill(turn[0], 'SIGKILL');
  assert.equal((await again.node.exited).code, 1);
  assert.match(again.node.output, /turnserver has ended/);
}, { timeout: 60000 });
