// SPDX-License-Identifier: BSD-3-Clause
// A browser that has Opus alone and phones that have one other codec alone, nearly without a flag. The phones play what ffmpeg has encoded; what they hear is
// decoded by ffmpeg. Tones must come out at their frequency.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { AgentClient } from '../lib/agent-client.mjs';
import { Browser } from '../lib/browser.mjs';
import { destination, parseSdp } from '../lib/sdp.mjs';
import { frequency, toneShare } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';
import { numberOf, oneCodec, toFile, toPackets } from '../lib/streams.mjs';
import { dissectAmr } from '../lib/dissect.mjs';
import { audioBothWays, browserCallsPhone, connected, PAGE_HZ, parts, PHONE_HZ, phoneCallsBrowser } from '../lib/call.mjs';

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
const VECTORS = join(dirname(fileURLToPath(import.meta.url)), '../../vectors/amr');

/** ffmpeg: its encoder and format; `vector`: a second of PHONE_HZ that Debian's ffmpeg cannot encode. `pt`: where the phone may choose. `keys`: of an
 *  offer toward the phone, where what is usual in an IMS has it not. */
const CODECS = {
  'PCMA': { pt: 8, clock: 8000, hz: 8000, ffmpeg: ['pcm_alaw', 'alaw'] },
  'PCMU': { pt: 0, clock: 8000, hz: 8000, ffmpeg: ['pcm_mulaw', 'mulaw'] },
  'G722': { pt: 9, clock: 8000, hz: 16000, ffmpeg: ['g722', 'g722'], keys: { codec: { transcode: ['G722'] } } },
  'AMR, bandwidth-efficient': { name: 'AMR', pt: 97, clock: 8000, hz: 8000, vector: 'tone-1000.amr' },
  'AMR, octet-aligned': { name: 'AMR', octetAligned: true, pt: 98, clock: 8000, hz: 8000, vector: 'tone-1000.amr' },
  'AMR-WB, bandwidth-efficient': { name: 'AMR-WB', pt: 99, clock: 16000, hz: 16000, vector: 'tone-1000.awb' },
  'AMR-WB, octet-aligned': { name: 'AMR-WB', octetAligned: true, pt: 104, clock: 16000, hz: 16000, vector: 'tone-1000.awb' },
};

// Its AMR decoder does not know "no data" and says so of every such frame.
const ffmpeg = (args, input) => execFileSync('ffmpeg', ['-v', 'quiet', ...args.map(String), '-'], { input, maxBuffer: 1 << 26 });

/** A second of PHONE_HZ, as packets. */
function playable(codec) {
  const file = codec.vector ? readFileSync(join(VECTORS, codec.vector))
    : ffmpeg(['-f', 'lavfi', '-i', `sine=frequency=${PHONE_HZ}:sample_rate=48000:duration=1,volume=2`, '-ar', codec.hz, '-c:a', codec.ffmpeg[0], '-f', codec.ffmpeg[1]]);
  return toPackets(file, codec).map(({ hex }) => hex);
}

/** The samples that ffmpeg reads from payloads. */
function decoded(payloads, codec) {
  const from = codec.vector ? ['-f', 'amr'] : ['-f', codec.ffmpeg[1], ...(codec.name === 'G722' ? [] : ['-ar', codec.hz])];
  const pcm = ffmpeg([...from, '-i', '-', '-f', 's16le'], toFile(payloads, codec));
  return Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(2 * i));
}

/** Wireshark finds no fault in what the phone heard, and in each packet one good frame of the usual mode, or SID where the page was silent. */
function isAmr(ctx, payloads, { name, octetAligned }) {
  const read = dissectAmr(payloads.map(({ hex }) => Buffer.from(hex, 'hex')), { wide: name === 'AMR-WB', octetAligned, file: join(ctx.opts.out, 'amr.pcap') });
  const usual = name === 'AMR-WB' ? [2, 9] : [7, 8]; // 12.65 and 12.2 kbit/s
  assert.ok(read.every(({ types, good }) => types.length === 1 && usual.includes(types[0]) && good[0] === 1), JSON.stringify(read));
}

/** One packet of the phone without a frame, octet-aligned, with a mode request (RFC 4867 section 4.3.1): what it hears becomes the lowest mode. */
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

const EXACT_HZ = 1;

/** Hz of a tone near `near` that is most of what there is, or an error. */
function heardTone(pcm, hz, near) {
  const share = toneShare(pcm, hz, near), at = frequency(pcm, hz, near);
  if (share > 0.5 && Math.abs(at - near) < EXACT_HZ) return at;
  throw new Error(`${pcm.length} samples, ${(100 * share).toFixed(0)} % of them ${near} Hz, top at ${at.toFixed(2)} Hz`);
}

async function bothHear(t, page, phone, codec) {
  await connected(page);
  await phone.audio.fresh();
  const [atPage, atPhone] = await Promise.all([
    until('the page hears the phone', async () => {
      const { hz, pcm } = await page.sound();
      return heardTone(pcm, hz, PHONE_HZ);
    }, 10000),
    until('the phone hears the page', async () => {
      const last = (await phone.audio.heard()).slice(-60);
      if (last.length < 60) throw new Error(`${last.length} payloads`);
      return heardTone(decoded(last, codec).slice(codec.hz / 5), codec.hz, PAGE_HZ);
    }, 10000),
  ]);
  const { audio } = await page.stats();
  assert.equal(audio.codec, 'audio/opus');
  t.note(`page ${atPage.toFixed(2)} Hz, phone ${atPhone.toFixed(2)} Hz; ${audio.concealed} samples of ${audio.samples} were concealed`);
}

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

for (const [label, more] of Object.entries(CODECS)) {
  const codec = { name: label, ...more };
  const open = async (t, ctx, page) => {
    const all = await parts(t, ctx, { style: 'zero', page: { ...OPUS, ...page } });
    all.speak = (pt) => all.phone.audio.speak({ pt, clock: codec.clock, frames: playable(codec) });
    return all;
  };

  test(`Opus alone calls a phone of ${label}`, async (t, ctx) => {
    const { call, page, phone, speak } = await open(t, ctx);
    let spoken;
    phone.answerTo = (offer) => {
      const pt = numberOf(offer, codec);
      spoken = speak(pt);
      return oneCodec(phone, codec, pt);
    };
    t.sdps = await browserCallsPhone(call, page, phone, { keys: codec.keys });
    await spoken;
    assert.match(t.sdps.toBrowser, /m=audio \d+ \S+ 111/);
    await bothHear(t, page, phone, codec);
    if (codec.vector) isAmr(ctx, await phone.audio.heard(), codec);
    if (codec.octetAligned) await asksForLowest(phone, t.sdps);
  }, KNOWN);

  test(`a phone of ${label} calls Opus alone`, async (t, ctx) => {
    const { call, page, phone, speak } = await open(t, ctx, { answerer: true });
    await speak(codec.pt);
    phone.offer = () => oneCodec(phone, codec, codec.pt);
    t.sdps = await phoneCallsBrowser(call, page, phone);
    assert.match(t.sdps.toCore, new RegExp(`m=audio \\d+ RTP/AVP ${codec.pt}\\r`));
    await bothHear(t, page, phone, codec);
  }, KNOWN);
}

test("AMR's vectors: every frame type is read by Wireshark, every mode is decoded by ffmpeg", async (t, ctx) => {
  for (const [wide, name, magic, modes] of [[false, 'AMR', '#!AMR\n', 8], [true, 'AMR-WB', '#!AMR-WB\n', 9]]) {
    const band = wide ? 'wb' : 'nb';
    const types = [...Array(modes + 1).keys(), ...(wide ? [14] : []), 15];
    const stored = Buffer.concat([Buffer.from(magic), readFileSync(join(VECTORS, `${band}-stored.bin`))]);
    for (const octetAligned of [false, true]) {
      const vector = readFileSync(join(VECTORS, `${band}-${octetAligned ? 'oa' : 'be'}.bin`));
      assert.deepEqual(dissectAmr([vector], { wide, octetAligned, file: join(ctx.opts.out, 'amr.pcap') }), [{ request: wide ? 2 : 6, types, good: types.map(() => 1) }]);
      const form = { name, octetAligned }, hz = wide ? 16000 : 8000;
      const speech = toPackets(stored, form).slice(0, modes);
      assert.equal(decoded(speech, { ...form, vector: true, hz }).length, modes * hz / 50);
    }
  }
});
