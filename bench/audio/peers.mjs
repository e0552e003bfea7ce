#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// The same as matrix.mjs with a real browser and a running gateway: Chromium says a text with its own Opus, a phone says it in its codec, and both are kept
// as they were encoded, on both sides of agwd. Offline, ffmpeg makes of what was sent what the gateway should have. See README.md.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AgentClient } from '../../tests/e2e/lib/agent-client.mjs';
import { Browser } from '../../tests/e2e/lib/browser.mjs';
import { browserCallsPhone, connected, parts } from '../../tests/e2e/lib/call.mjs';
import { Gateway } from '../../tests/e2e/lib/gateway.mjs';
import { stopAll } from '../../tests/e2e/lib/proc.mjs';
import { INNER, makeNetwork, runInside } from '../../tests/e2e/lib/sandbox.mjs';
import { numberOf, oneCodec, toFile, toPackets } from '../../tests/e2e/lib/streams.mjs';
import { sleep } from '../../tests/e2e/lib/wait.mjs';
import { BROWSER, CORE, Offline, back, top } from './offline.mjs';
import { middle, score } from './score.mjs';
import { VOICES, samples, speech } from './speech.mjs';

const TREE = fileURLToPath(new URL('../../', import.meta.url));
const opts = { gateway: 'agwd', io: '', ice: '', build: join(TREE, 'build/release'), audio: join(TREE, 'build/bench/bench/audio'), out: join(TREE, 'build/audio/peers'), voice: 'woman', seconds: '15', only: '', libs: '', inner: false };
for (const a of process.argv.slice(2)) {
  const [, name, value] = /^--([a-z]+)(?:=(.*))?$/.exec(a) ?? [];
  if (!(name in opts)) throw new Error(`unknown option ${a}`);
  opts[name] = value ?? true;
}

const LIMIT_DB = 0.5, SETTLE_MS = 3000, TAIL_MS = 1500, LEAD_S = 4;
const OPUS = { name: 'opus' };
const HEAD = `| from, to | segmental SNR, dB: gateway | offline | difference, the middle second | weighted, dB: gateway | offline | difference, the middle second | packets |
|---|---|---|---|---|---|---|---|`;

/** What the phone plays: the end of the text while all settles, then the text. */
function script(offline, core, pcm) {
  const lead = pcm.subarray(pcm.length - 2 * 48000 * LEAD_S);
  const file = offline.encode(core, offline.resample(Buffer.concat([lead, pcm, lead]), core.hz), core.hz);
  const packets = toPackets(file, core), units = core.clock / 50;
  const frames = Array(packets.at(-1).timestamp / units + 1).fill('');
  for (const p of packets) frames[p.timestamp / units] = p.hex;
  return { file, frames };
}

/** What was sent and what came, in both directions: packets. */
async function record(ctx, core, pcm, plays) {
  const t = { cleanup: (f) => ends.push(f) }, ends = [];
  try {
    const { call: c, page, phone } = await parts(t, ctx, { style: 'zero', page: { codecs: ['opus'], tone: 0, speech: pcm.toString('base64'), payloads: true, octets: 1500 },
      phone: { keep: 1e5 } });
    let spoken;
    phone.answerTo = (offer) => {
      const pt = numberOf(offer, core);
      spoken = phone.audio.speak({ pt, clock: core.clock, frames: plays.frames });
      return oneCodec(phone, core, pt);
    };
    await browserCallsPhone(c, page, phone, { keys: { codec: { transcode: ['G722'] } } });
    await spoken;
    await connected(page);
    await sleep(SETTLE_MS);
    await page.say();
    await sleep(pcm.length / 96 + TAIL_MS);
    const opus = (list) => list.map(({ ts, octets }) => ({ timestamp: ts, hex: Buffer.from(octets).toString('hex') }));
    const { sent, received } = await page.kept();
    return { sent: opus(sent), received: opus(received), heard: await phone.audio.heard() };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Both directions: their names, { gateway, offline } and a note. */
function judged(offline, label, core, pcm, { file, sent, received, heard }) {
  const { hz } = core;
  const ref = samples(offline.resample(pcm, hz));
  const scored = (form, of) => score(ref, samples(offline.decode(form, of, hz)), hz, top(hz));
  const again = (from, of, to) => offline.encode(to, offline.decode(from, of, hz), hz);
  return [
    [`Opus, ${label}`, { gateway: scored(core, toFile(heard, core)), offline: scored(core, again(BROWSER, toFile(sent, OPUS), core)) }, `${sent.length} encoded, ${heard.length} came`],
    [`${label}, Opus`, { gateway: scored(OPUS, toFile(received, OPUS)), offline: scored(OPUS, again(core, file, back(hz, 0))) }, `${received.length} came`],
  ];
}

async function inner() {
  mkdirSync(opts.out, { recursive: true });
  const ctx = { opts, net: makeNetwork(), offline: new Offline({ build: opts.audio, libs: opts.libs }) };
  process.on('disconnect', () => stopAll().then(() => process.exit(130)));
  ctx.gateway = await new Gateway(opts).start();
  ctx.core = new AgentClient(ctx.net.core, join(opts.out, 'agent-core.log'));
  ctx.browser = await Browser.launch('br', ctx.net.br, opts.out);
  const pcm = speech(opts.voice, 48000, opts.out).subarray(0, 2 * 48000 * Number(opts.seconds));
  const codecs = Object.entries(CORE).filter(([label]) => label.match(opts.only));
  const scripts = codecs.map(([, core]) => script(ctx.offline, core, pcm));
  const kept = [];
  const began = Date.now();
  for (const [i, [, core]] of codecs.entries()) kept.push({ ...scripts[i], ...(await record(ctx, core, pcm, scripts[i])) });
  await stopAll();
  console.log(`${opts.seconds} s, ${opts.voice}; calls took ${Math.round((Date.now() - began) / 1000)} s\n\n${HEAD}`);
  const rows = [];
  for (const [i, [label, core]] of codecs.entries()) {
    for (const [name, v, note] of judged(ctx.offline, label, core, pcm, kept[i])) {
      const m = middle(v), { gateway: g, offline: o } = v;
      rows.push({ name, ...v, middle: m, failed: Math.min(m.snr, m.weighted) < -LIMIT_DB });
      console.log(`| ${name} | ${[g.snr, o.snr, m.snr, g.weighted, o.weighted, m.weighted].map((x) => x.toFixed(2)).join(' | ')} | ${note}${rows.at(-1).failed ? ' FAILED' : ''} |`);
    }
  }
  writeFileSync(join(opts.out, 'peers.json'), JSON.stringify(rows, null, 1));
  const failed = rows.filter((r) => r.failed).length;
  console.log(`${rows.length} cells, ${failed} failed`);
  return failed || rows.length === 0 ? 1 : 0;
}

process.exit(opts.inner ? await inner() : await runInside(fileURLToPath(import.meta.url), process.argv.slice(2)));
