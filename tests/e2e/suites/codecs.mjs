// SPDX-License-Identifier: BSD-3-Clause
// A browser that has Opus alone and phones that have G.711 or AMR alone, without a flag: what the gateway makes of the one's codec is heard
// by the other, AMR by ffmpeg's own decoder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { AgentClient } from '../lib/agent-client.mjs';
import { Browser } from '../lib/browser.mjs';
import { destination, parseSdp } from '../lib/sdp.mjs';
import { toneShare } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';
import { audioBothWays, browserCallsPhone, connected, pageHears, PAGE_HZ, parts, phoneCallsBrowser } from '../lib/call.mjs';

suite('codecs', {
  async before(ctx) {
    ctx.gateway = await new Gateway(ctx.opts).start();
    ctx.core = new AgentClient(ctx.net.core, join(ctx.opts.out, 'agent-core.log'));
    ctx.browser = await Browser.launch('br', ctx.net.br, ctx.opts.out);
  },
  async after(ctx) {
    await ctx.browser?.close();
    await ctx.core?.stop();
    await ctx.gateway?.stop();
    ctx.browser = ctx.core = ctx.gateway = null;
  },
});

const OPUS = { codecs: ['opus'] };
const KNOWN = { known: { rtpengine: 'transcodes only when asked' } };

test('Opus alone calls a PCMA phone', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: OPUS });
  t.sdps = await browserCallsPhone(call, page, phone);
  assert.match(t.sdps.toCore, /AMR-WB\/16000/);
  assert.match(t.sdps.toBrowser, /m=audio \d+ \S+ 111/);
  await audioBothWays(page, phone);
  const { audio } = await page.stats();
  assert.equal(audio.codec, 'audio/opus');
  t.note(`${audio.rxPackets} packets came, ${audio.concealed} samples of ${audio.samples} were concealed`);
}, KNOWN);

test('a PCMA phone calls Opus alone', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: { answerer: true, ...OPUS } });
  t.sdps = await phoneCallsBrowser(call, page, phone);
  await audioBothWays(page, phone);
}, KNOWN);

test('a browser that prefers RED calls a PCMA phone', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: { codecs: ['red', 'opus'] } });
  t.sdps = await browserCallsPhone(call, page, phone);
  assert.doesNotMatch(t.sdps.toCore, /red/);
  assert.match(t.sdps.toBrowser, /m=audio \d+ \S+ 63 111/);
  await audioBothWays(page, phone);
  const { medias } = (await call.query()).tags[call.tags.a]; // Chromium's statistics say opus
  assert.equal(medias[0]['payload type'], 63);
}, KNOWN);

test('each leg of a converted call has reports of its own', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: OPUS });
  phone.answerTo = (offer) => `${Object.getPrototypeOf(phone).answerTo.call(phone, offer)}a=rtcp-xr:voip-metrics\r\n`;
  t.sdps = await browserCallsPhone(call, page, phone);
  await connected(page);
  const { audio, a, b } = await until('both legs have a round trip', async () => {
    const [{ audio: seen }, { tags }] = await Promise.all([page.stats(), call.query()]);
    const [one, two] = [tags[call.tags.a].medias[0], tags[call.tags.b].medias[0]];
    return seen.rtt > 0 && seen.remoteSr > 0 && one['round-trip time'] > 0 && two['round-trip time'] > 0 && { audio: seen, a: one, b: two };
  }, 15000);
  assert.ok(audio.rtt < 0.5 && audio.jitter < 0.1 && audio.remoteLost === 0, JSON.stringify(audio));
  for (const leg of [a, b]) {
    assert.ok(leg['round-trip time'] < 500000 && leg['jitter us'] < 100000 && leg['packets lost'] === 0, JSON.stringify(leg));
    assert.ok(leg['reported jitter us'] < 100000 && leg['reported loss 1/256'] === 0, JSON.stringify(leg));
  }
  assert.deepEqual([a['payload type'], b['payload type']], [111, 8]);
  const { rtcp, rx } = await phone.audio.stats();
  assert.ok(rtcp.sr > 0 && rtcp.other > 0, `SR and XR: ${JSON.stringify(rtcp)}`);
  assert.equal(Object.keys(rx.ssrcs).length, 1);
  t.note(`browser: ${(audio.rtt * 1000).toFixed(1)} ms by itself, ${a['round-trip time']} us by us; phone: ${b['round-trip time']} us`);
}, KNOWN);

/** The samples that ffmpeg reads from octet-aligned AMR payloads (RFC 4867 section 4.4), one frame each, by way of its file format. */
function decoded(payloads, wide, out) {
  const file = join(out, `heard.${wide ? 'awb' : 'amr'}`);
  const frames = payloads.map(({ hex }) => Buffer.from(hex, 'hex').subarray(1)).filter((b) => b.length > 1);
  for (const f of frames) f[0] &= 0x7c;
  writeFileSync(file, Buffer.concat([Buffer.from(wide ? '#!AMR-WB\n' : '#!AMR\n'), ...frames]));
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', file, '-f', 's16le', `${file}.pcm`]);
  const pcm = readFileSync(`${file}.pcm`);
  return Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(2 * i));
}

/** What an AMR phone says: its codec, octet-aligned, under the number it has. */
const amrLines = (phone, name, clock, pt) => ['v=0', `o=rue 1 1 IN IP4 ${phone.ip}`, 's=-', `c=IN IP4 ${phone.ip}`, 't=0 0', `m=audio ${phone.audio.port} RTP/AVP ${pt}`,
  `a=rtpmap:${pt} ${name}/${clock}`, `a=fmtp:${pt} octet-align=1`, 'a=ptime:20', 'a=sendrecv', ''].join('\r\n');

for (const [name, clock] of [['AMR-WB', 16000], ['AMR', 8000]]) {
  /** The phone returns what it hears: AMR of the gateway is decoded by ffmpeg, and by the gateway again for the page. */
  const heardByBoth = async (t, ctx, page, phone) => {
    await connected(page);
    await pageHears(page, PAGE_HZ, 10000);
    await phone.audio.fresh();
    const payloads = await until('100 payloads', async () => {
      const all = await phone.audio.heard();
      return all.length >= 100 && all;
    }, 6000);
    const share = toneShare(decoded(payloads, name === 'AMR-WB', ctx.opts.out), clock, PAGE_HZ);
    assert.ok(share > 0.5, `${name} read by ffmpeg holds the page's tone: ${share}`);
    t.note(`${(share * 100).toFixed(0)} % of what ffmpeg reads is the page's tone`);
  };

  /** One packet of the phone without a frame, with a mode request (RFC 4867 section 4.3.1): what it hears becomes the lowest mode. */
  const asksForLowest = async (phone, { toCore, coreAnswer }) => {
    const [pt] = parseSdp(coreAnswer).medias[0].pts;
    const sdp = parseSdp(toCore);
    const { ip, port } = destination(sdp, sdp.medias[0]);
    await phone.audio.mute(true);
    const { ssrc } = await phone.audio.stats();
    const rtp = Buffer.from([0x80, Number(pt), 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x7c]);
    rtp.writeUInt32BE(ssrc, 8);
    await phone.audio.sendRaw(rtp.toString('hex'), ip, port);
    await until('speech in mode 0', async () => (await phone.audio.heard()).some(({ hex }) => (parseInt(hex.slice(2, 4), 16) >> 3 & 15) === 0), 5000);
  };

  test(`Opus alone calls an ${name} phone`, async (t, ctx) => {
    const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: OPUS, phone: { mode: 'echo' } });
    phone.answerTo = (offer) => {
      const numbers = [...offer.matchAll(/a=fmtp:(\d+) octet-align=1/g)].map((m) => m[1]);
      const pt = numbers.find((n) => offer.includes(`a=rtpmap:${n} ${name}/`));
      return amrLines(phone, name, clock, pt);
    };
    t.sdps = await browserCallsPhone(call, page, phone);
    await heardByBoth(t, ctx, page, phone);
    await asksForLowest(phone, t.sdps);
  }, KNOWN);

  test(`an ${name} phone calls Opus alone`, async (t, ctx) => {
    const { call, page, phone } = await parts(t, ctx, { style: 'zero', page: { answerer: true, ...OPUS }, phone: { mode: 'echo' } });
    phone.offer = () => amrLines(phone, name, clock, 104);
    t.sdps = await phoneCallsBrowser(call, page, phone);
    assert.match(t.sdps.toCore, /m=audio \d+ RTP\/AVP 104\r/);
    await heardByBoth(t, ctx, page, phone);
  }, KNOWN);
}
