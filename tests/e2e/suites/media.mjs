// SPDX-License-Identifier: BSD-3-Clause
// Commands that act on the media of a call between a phone and Chromium, by Kamailio's own functions.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { AgentClient } from '../lib/agent-client.mjs';
import { Browser } from '../lib/browser.mjs';
import { Kamailio } from '../lib/kamailio.mjs';
import { ask } from '../lib/sip-udp.mjs';
import { EventListener } from '../lib/ng.mjs';
import { Capture } from '../lib/pcap.mjs';
import { NET } from '../lib/sandbox.mjs';
import { audioBothWays, Call, pageHears, PAGE_HZ, parts, Phone, phoneCallsBrowser, phoneHears, PHONE_HZ } from '../lib/call.mjs';
import { destination, parseSdp, ptOf } from '../lib/sdp.mjs';
import { alawToLinear, readWav, rms, toneShare, writeToneWav } from '../lib/tone.mjs';
import { until } from '../lib/wait.mjs';

const EDGE = { host: '127.0.0.1', port: 5066 }; // Kamailio, as a remote control
const EVENT_PT = 101; // what our phones call telephone-event
const VECTORS = join(dirname(fileURLToPath(import.meta.url)), '../../vectors'); // tone.mp3: 1000 Hz for 0.5 s; tone.awb: 2000 Hz for 1 s
const FILE_HZ = 1700;
const NOT_OURS = { rtpengine: 'the events, query and file that are looked at are ours' };

suite('media', {
  async before(ctx) {
    const out = join(ctx.opts.out, 'media');
    ctx.recordings = join(out, 'recordings');
    mkdirSync(ctx.recordings, { recursive: true });
    ctx.digits = await EventListener.open();
    ctx.gateway = await new Gateway({ ...ctx.opts, out }).start([`--recording-dir=${ctx.recordings}`, `--dtmf-log-dest=${ctx.digits.address}`]);
    ctx.kamailio = await Kamailio.startScript('flags', { gateway: ctx.gateway, listen: `${EDGE.host}:${EDGE.port}`, out });
    ctx.core = new AgentClient(ctx.net.core, join(out, 'agent-core.log'));
    ctx.browser = await Browser.launch('media', ctx.net.br, out);
  },
  async after(ctx) {
    await ctx.browser?.close();
    await ctx.core?.stop();
    await ctx.kamailio?.stop();
    ctx.digits?.close();
    const result = await ctx.gateway?.stop();
    ctx.browser = ctx.core = ctx.kamailio = ctx.gateway = null;
    if (result && ctx.opts.gateway === 'agwd') assert.deepEqual(result, { code: 0, signal: null }, 'clean stop on SIGTERM');
  },
});

/** The phone calls the browser, so that both have telephone-event. */
async function talk(t, ctx, how = {}) {
  const p = await parts(t, ctx, { ...how, page: { answerer: true, ...how.page } });
  t.sdps = await phoneCallsBrowser(p.call, p.page, p.phone);
  await audioBothWays(p.page, p.phone);
  return p;
}

/** Runs a function of Kamailio's module about the call, as its caller. */
async function run(call, what, flags) {
  const headers = [`X-Op: ${what}`, ...(flags ? [`X-Flags: ${flags}`] : [])];
  assert.equal((await ask(EDGE, { callId: call.id, fromTag: call.tags.a, headers, method: 'INFO' }, 6000)).status, 200, `${what}("${flags ?? ''}")`);
}

const eventsAt = async (phone) => (await phone.audio.stats()).rx.pts[EVENT_PT] ?? 0;
const press = (page, digits) => page.page.evaluate((d) => rig.pc.getSenders().find((s) => s.track?.kind === 'audio').dtmf.insertDTMF(d, 200, 100), digits);
const pagePackets = async (page) => (await page.stats()).audio.rxPackets;
const partyOf = async (call, tag) => (await call.query()).tags[tag];

/** The page gets no packet of the phone any more. */
const pageIsCutOff = (page) => until('no packet reaches the page for 300 ms', async () => {
  const before = await pagePackets(page);
  await new Promise((done) => setTimeout(done, 300)); // the time that is measured
  return (await pagePackets(page)) === before;
}, 5000);

test('block_media and unblock_media of one party, over a re-offer', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await run(call, 'block_media', 'directional');
  await pageIsCutOff(page);
  assert.deepEqual((await partyOf(call, call.tags.a)).blocked, ['media']);
  await phoneHears(phone, PAGE_HZ);
  const toBrowser = await call.offer(phone.offer(), { toward: 'browser', at: phone.ip });
  await call.answer(await page.accept(toBrowser), { toward: 'core', at: NET.browser.v4 });
  await pageIsCutOff(page);
  await run(call, 'unblock_media', 'directional');
  await pageHears(page, PHONE_HZ);
  assert.equal((await partyOf(call, call.tags.a)).blocked, undefined);
}, { known: NOT_OURS });

test('block_media of the whole call', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await run(call, 'block_media');
  await pageIsCutOff(page);
  await until('the phone hears nothing', async () => (await phone.audio.stats()).silentMs > 300, 5000);
  assert.deepEqual((await call.query()).blocked, ['media']);
  await run(call, 'unblock_media');
  await audioBothWays(page, phone);
  assert.equal((await phone.audio.stats()).rx.seqGaps, 0, 'no number is missing for what was blocked');
}, { known: NOT_OURS });

test('insertDTMF of Chromium is an event each, reaches the phone, and does not while DTMF is blocked', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await press(page, '5#');
  await until('the phone gets telephone events', async () => (await eventsAt(phone)) >= 6, 5000);
  for (const digit of ['5', '#']) {
    const e = await ctx.gateway.events.wait(call.id, new RegExp(`^dtmf .*digit ${digit},`), 5000);
    assert.match(e.detail, new RegExp(`, from tag ${call.tags.b}$`));
    const ms = Number(/, (\d+) ms/.exec(e.detail)[1]);
    assert.ok(ms >= 150 && ms <= 250, `${ms} ms of 200`);
  }
  assert.equal(ctx.gateway.events.of(call.id).filter((e) => e.event === 'dtmf').length, 2, 'one event for each digit');
  const logged = ctx.digits.events.filter((e) => e.callid === call.id);
  assert.deepEqual(logged.map((e) => [e.type, e.event, e.source_tag, e.source_ip]), [['DTMF', 5, call.tags.b, NET.browser.v4], ['DTMF', 11, call.tags.b, NET.browser.v4]]);

  await run(call, 'block_dtmf');
  const before = await eventsAt(phone);
  await press(page, '9');
  await ctx.gateway.events.wait(call.id, /digit 9,/, 5000);
  await phoneHears(phone, PAGE_HZ);
  assert.equal(await eventsAt(phone), before, 'no event passes');
  assert.equal((await phone.audio.stats()).rx.seqGaps, 0, 'and no number is missing in its place');
  await run(call, 'unblock_dtmf');
  await press(page, '1');
  await until('events pass again', async () => (await eventsAt(phone)) > before, 5000);
}, { known: NOT_OURS });

test('block_dtmf with DTMF-security: Chromium\'s digit is another one, a tone, or silence to the phone', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  const told = (digit) => ctx.gateway.events.wait(call.id, new RegExp(`digit ${digit},`), 5000);
  await run(call, 'block_dtmf', 'DTMF-security=zero');
  await phone.audio.fresh();
  await press(page, '5');
  await told(5);
  const digits = (await phone.audio.heard()).filter((p) => p.pt === EVENT_PT).map((p) => p.hex.slice(0, 2));
  assert.ok(digits.length > 3, `${digits.length} events`);
  assert.deepEqual([...new Set(digits)], ['00']);
  for (const [mode, digit, hz] of [['tone', '6', 1500], ['silence', '7', 0]]) {
    await run(call, 'block_dtmf', `DTMF-security=${mode} frequency=1500 trigger=9`);
    await phone.audio.mark();
    await press(page, digit);
    await told(digit);
    const { rx } = await phone.audio.stats();
    assert.equal(rx.pts[EVENT_PT], undefined, `${mode}: no event passes`);
    const pcm = (await phone.audio.heard()).map(({ hex }) => [...Buffer.from(hex, 'hex')].map(alawToLinear));
    const is = (share, p) => (hz ? toneShare(p, 8000, hz) > share : rms(p) < 20);
    assert.ok(pcm.filter((p) => is(0.8, p)).length >= 3, `${mode}: ${pcm.filter((p) => is(0.8, p)).length} packets of ${pcm.length}`);
  }
  await phoneHears(phone, PAGE_HZ);
}, { known: NOT_OURS });

test('play_dtmf is telephone-event in the stream toward the browser, and toward the phone', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  const cap = await Capture.start(ctx.net.br, join(ctx.opts.out, `dtmf-${Date.now()}.pcap`));
  t.cleanup(() => cap.proc.stop());
  await run(call, 'play_dtmf', 'code=7 duration=250'); // as if the phone had pressed it
  await until('the digit is over', async () => (await call.query()).tags[call.tags.b].medias[0]['digits out'] === 1, 5000);
  const heard = await pagePackets(page);
  await until('audio goes on', async () => (await pagePackets(page)) > heard + 40, 5000);
  await pageHears(page, PHONE_HZ);
  const rtp = (await cap.stop()).filter((d) => d.kind === 'rtp' && d.dst === NET.browser.v4);
  const events = rtp.filter((d) => (d.data[1] & 0x7f) === EVENT_PT);
  assert.equal(events.length, 15, '12 packets of 250 ms and three ends'); // the last one of the digit is the first end
  assert.equal(events.filter((d) => d.data[1] & 0x80).length, 1, 'one marker');
  assert.equal(new Set(events.map((d) => d.data.readUInt32BE(4))).size, 1, 'one timestamp');
  assert.equal(new Set(rtp.map((d) => d.data.readUInt32BE(8))).size, 1, 'one SSRC');
  const seqs = rtp.map((d) => d.data.readUInt16BE(2));
  assert.ok(seqs.every((s, i) => i === 0 || ((s - seqs[i - 1]) & 0xffff) === 1), 'no gap in the numbers');

  await run(call, 'play_dtmf', `code=# duration=100 from-tag=${call.tags.b}`);
  await until('the phone gets the digit', async () => (await eventsAt(phone)) === 7, 5000);
  await phoneHears(phone, PAGE_HZ);
  assert.equal((await phone.audio.stats()).rx.seqGaps, 0, 'no gap toward the phone');
}, { known: NOT_OURS });

const tshark = (file, ...args) => {
  const r = spawnSync('tshark', ['-r', file, '-o', 'rtp.heuristic_rtp:TRUE', '-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', ...args], { encoding: 'utf8' });
  assert.equal(r.status, 0, r.stderr);
  return r.stdout.trim().split('\n').filter(Boolean);
};

test('start_recording and stop_recording: tshark reads both directions in the clear', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await run(call, 'start_recording', 'metadata=case7');
  const { file } = (await call.query()).recording;
  assert.ok(file.startsWith(call.id), file);
  await until('a second of both is written', async () => (await call.query()).recording.packets > 100, 6000);
  await run(call, 'stop_recording');
  await ctx.gateway.events.wait(call.id, /^recording-ended .*, 0 lost/, 5000);
  assert.equal((await call.query()).recording, undefined);
  await audioBothWays(page, phone);

  const path = join(ctx.recordings, file);
  assert.deepEqual(readdirSync(ctx.recordings).filter((f) => f.startsWith(call.id)), [file]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const rows = tshark(path, '-Y', 'rtp', '-T', 'fields', '-e', 'ip.src', '-e', 'rtp.p_type', '-e', 'frame.interface_name', '-e', 'frame.time_epoch').map((r) => r.split('\t'));
  for (const ip of [NET.browser.v4, NET.phone.v4]) {
    const mine = rows.filter(([src, pt]) => src === ip && pt === '8');
    assert.ok(mine.length > 40, `${mine.length} packets from ${ip}`);
    assert.equal(new Set(mine.map((r) => r[2])).size, 1, 'an interface for each direction');
  }
  assert.ok(Math.abs(Number(rows[0][3]) - Date.now() / 1000) < 60, 'wall time');
  assert.deepEqual(tshark(path, '-Y', 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || _ws.malformed'), []);
  const info = spawnSync('capinfos', [path], { encoding: 'utf8' }).stdout;
  assert.match(info, new RegExp(`call-id: ${call.id}`));
  assert.match(info, /metadata: case7/);
  assert.match(info, new RegExp(`from tag ${call.tags.a}`));
  t.note(`${rows.length} RTP packets read by tshark`);
}, { known: NOT_OURS });

test('start_recording with recording-output=stereo: a WAV with the phone on the left and Chromium, which speaks Opus, on the right', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx, { style: 'zero', page: { codecs: ['opus'] } });
  await run(call, 'start_recording', 'recording-output=stereo output-destination=both');
  await until('a second of both is written', async () => (await call.query()).recording.packets > 110, 6000);
  await run(call, 'stop_recording');
  const ended = await ctx.gateway.events.wait(call.id, /^recording-ended .*, 0 lost/, 5000);
  assert.match(ended.detail, /^both\.wav: /);
  const file = join(ctx.recordings, 'both.wav');
  for (const [channel, hz, other] of [[0, PHONE_HZ, PAGE_HZ], [1, PAGE_HZ, PHONE_HZ]]) {
    const { rate, samples } = readWav(file, channel);
    assert.equal(rate, 16000);
    assert.ok(samples.length > 15000, `${samples.length} samples`);
    const middle = samples.slice(4000, -2000); // behind what a jitter buffer does at first
    assert.ok(toneShare(middle, rate, hz) > 0.8, `channel ${channel}: ${toneShare(middle, rate, hz)} at ${hz} Hz`);
    assert.ok(toneShare(middle, rate, other) < 0.01, `channel ${channel} is not the other one`);
  }
  await run(call, 'start_recording', 'recording-output=mono recording-file=gone');
  await until('it is written', async () => (await call.query()).recording.packets > 20, 6000);
  assert.deepEqual((await call.query()).recording.files, ['gone-a.wav', 'gone-b.wav']);
  await run(call, 'stop_recording', 'discard-recording');
  await ctx.gateway.events.wait(call.id, /^recording-ended .*, discarded/, 5000);
  assert.deepEqual(readdirSync(ctx.recordings).filter((f) => f.startsWith('gone')), []);
  await audioBothWays(page, phone);
}, { known: NOT_OURS });

// Two phones of the core. offer: what A offers, and speaks the first of; answer: what B answers of that, and speaks; b, a: the formats that each
// reads; hears: [payload type, octets] of what comes to B and to A.
const NAMES = { 0: 'PCMU/8000', 8: 'PCMA/8000', 9: 'G722/8000', 111: 'opus/48000/2' };
const G711 = (pt, ms = 20) => [pt, 8 * ms];
const KEYS = [
  ['codec-strip', { codec: { strip: ['PCMA'] } }, { offer: [8, 0], answer: [0], b: [0], a: [0], hears: [G711(0), G711(0)], speaks: 0 }],
  ['codec-offer', { codec: { strip: ['all'], offer: ['PCMU', 'PCMA'] } }, { offer: [8, 0], answer: [0], b: [0, 8], a: [0], hears: [G711(0), G711(0)], speaks: 0 }],
  ['codec-except', { codec: { strip: ['all'], except: ['PCMA'] } }, { offer: [0, 8, 9], answer: [8], b: [8], a: [8], hears: [G711(8), G711(8)], speaks: 8 }],
  ['codec-transcode and codec-mask', { codec: { transcode: ['PCMU'], mask: ['PCMA'] } }, { offer: [8], answer: [0], b: [0], a: [8], hears: [G711(0), G711(8)] }],
  ['codec-consume', { codec: { consume: ['PCMA'] } }, { offer: [8, 0], answer: [0], b: [0], a: [8], hears: [G711(0), G711(8)] }],
  ['codec-accept', { codec: { accept: ['PCMA'] } }, { offer: [8, 0], answer: [0], b: [8, 0], a: [8], hears: [G711(0), G711(8)] }],
  ['always-transcode', { flags: ['always-transcode'] }, { offer: [8, 0], answer: [0], b: [8, 0], a: [8], hears: [G711(0), G711(8)] }],
  ['single-codec', {}, { offer: [8, 0], answer: [8, 0], b: [8, 0], a: [8], hears: [G711(8), G711(8)], answerKeys: { flags: ['single-codec'] } }],
  ['ptime', { ptime: 40 }, { offer: [8], answer: [8], b: [8], a: [8], hears: [G711(8, 40), G711(8)] }],
  ['ptime-reverse', { 'ptime-reverse': 10 }, { offer: [8], answer: [8], b: [8], a: [8], hears: [G711(8), G711(8, 10)] }],
  ['codec-transcode with a bit rate and options', { codec: { transcode: ['opus/48000/2/16000/40//vbr=off'], mask: ['PCMA'] } }, { offer: [8], answer: ['opus'], b: ['opus'], a: [8], hears: [['opus', 80], null] }],
  ['codec-set', { codec: { accept: ['opus'], set: ['opus/48000/2/24000///vbr=off'] } }, { offer: [111, 8], answer: [8], b: [111, 8], a: [111], hears: [null, [111, 60]] }],
];

const coreSdp = (phone, pts, names = NAMES) => [
  'v=0', `o=- 1 1 IN IP4 ${phone.ip}`, 's=-', `c=IN IP4 ${phone.ip}`, 't=0 0', `m=audio ${phone.audio.port} RTP/AVP ${pts.join(' ')}`,
  ...pts.map((pt) => `a=rtpmap:${pt} ${names[pt]}`), 'a=sendrecv', '',
].join('\r\n');

/** Formats of the first line by number, those of Opus by name where a number of its own is ours to choose. */
function formats(sdp, own) {
  const [m] = parseSdp(sdp).medias;
  const opus = ptOf(m, 'opus');
  return m.pts.map(Number).map((pt) => (pt === opus && !own.includes(pt) ? 'opus' : pt));
}

async function keyCase(t, ctx, [name, keys, want]) {
  const call = new Call(ctx.gateway);
  const direction = ['core', 'core'];
  const speaks = [want.speaks ?? want.offer.find((pt) => pt < 9) ?? 8, typeof want.answer[0] === 'number' ? want.answer[0] : 8];
  const [a, b] = await Promise.all(speaks.map((pt, i) => Phone.open(ctx.core, { pt, tone: [600, PHONE_HZ][i] })));
  t.cleanup(async () => { await call.remove(); await a.close(); await b.close(); });
  const toB = await call.offer(coreSdp(a, want.offer), { toward: 'core', at: a.ip, keys: { ...keys, direction } });
  assert.deepEqual(formats(toB, want.offer), want.b, `${name}: B reads`);
  const opus = ptOf(parseSdp(toB).medias[0], 'opus');
  const number = (pt) => (pt === 'opus' ? opus : pt);
  const toA = await call.answer(coreSdp(b, want.answer.map(number), { ...NAMES, [opus]: NAMES[111] }), { toward: 'core', at: b.ip, keys: want.answerKeys });
  assert.deepEqual(formats(toA, want.offer), want.a, `${name}: A reads`);
  await a.connect(toA);
  await b.connect(toB);
  for (const [i, phone] of [b, a].entries()) {
    if (!want.hears[i]) continue;
    const [pt, octets] = want.hears[i];
    const heard = await until(`${name}: ${'BA'[i]} hears`, async () => {
      const all = await phone.audio.heard();
      return all.length > 20 && all.slice(-10);
    }, 5000);
    assert.deepEqual([...new Set(heard.map((p) => `${p.pt}: ${p.hex.length / 2}`))], [`${number(pt)}: ${octets}`], `${name}: what ${'BA'[i]} hears`);
    if (pt === 0 || pt === 8) await phoneHears(phone, [600, PHONE_HZ][i]);
  }
}

test('codec-strip, -offer, -except, -transcode, -mask, -consume, -accept, -set, always-transcode, single-codec, ptime: what two phones read and hear', async (t, ctx) => {
  await ctx.gateway.ensure();
  await Promise.all(KEYS.map((k) => keyCase(t, ctx, k)));
}, { known: NOT_OURS });

test('AMR-WB of a phone that has it bandwidth-efficient, and of one that has it octet-aligned: the same frames, rewritten', async (t, ctx) => {
  await ctx.gateway.ensure();
  const call = new Call(ctx.gateway);
  const [a, b] = await Promise.all([0, 1].map(() => Phone.open(ctx.core, { mode: 'silent' })));
  t.cleanup(async () => { await call.remove(); await a.close(); await b.close(); });
  const keys = { direction: ['core', 'core'], codec: { transcode: ['AMR-WB/16000////octet-align--1'] } };
  const toB = await call.offer(coreSdp(a, [96], { 96: 'AMR-WB/16000' }), { toward: 'core', at: a.ip, keys });
  const [, octets] = /a=fmtp:(\d+) octet-align=1/.exec(toB);
  const toA = await call.answer(`${coreSdp(b, [octets], { [octets]: 'AMR-WB/16000' })}a=fmtp:${octets} octet-align=1\r\n`, { toward: 'core', at: b.ip });
  assert.deepEqual([formats(toA, []), /octet-align/.test(toA)], [[96], false]);
  for (const [from, to, sdp, pt, sent, wanted] of [[a, b, toA, 96, 'wb-be', 'wb-oa'], [b, a, toB, Number(octets), 'wb-oa', 'wb-be']]) {
    const { ip, port } = destination(parseSdp(sdp), parseSdp(sdp).medias[0]);
    const rtp = Buffer.concat([Buffer.from([0x80, pt, 0, 1, 0, 0, 0, 1, 0, 0, 0, pt]), readFileSync(join(VECTORS, 'amr', `${sent}.bin`))]);
    await from.audio.sendRaw(rtp.toString('hex'), ip, port);
    const [{ hex }] = await until(`${wanted} comes`, async () => (await to.audio.heard()).length > 0 && to.audio.heard(), 5000);
    assert.equal(hex, readFileSync(join(VECTORS, 'amr', `${wanted}.bin`)).toString('hex'));
  }
}, { known: NOT_OURS });

test('extended reports: VoIP metrics for the phone that asks, a round trip for a browser that only listens', async (t, ctx) => {
  const { call, page, phone } = await parts(t, ctx);
  await page.direction('audio', 'recvonly');
  const offer = await page.offer();
  const toCore = await call.offer(offer, { toward: 'core', at: NET.browser.v4 });
  assert.doesNotMatch(toCore, /rtcp-xr/);
  await phone.connect(toCore);
  const coreAnswer = `${phone.answerTo(toCore)}a=rtcp-xr:voip-metrics\r\n`;
  const toBrowser = await call.answer(coreAnswer, { toward: 'browser', at: phone.ip });
  t.sdps = { offer, toCore, coreAnswer, toBrowser };
  assert.match(offer, /a=rtcp-xr:rcvr-rtt=all/);
  assert.match(toBrowser, /a=rtcp-xr:rcvr-rtt=all/);
  const cap = await Capture.start(ctx.net.core, join(ctx.opts.out, 'xr.pcap'));
  t.cleanup(() => cap.proc.stop());
  await page.answer(toBrowser);
  await pageHears(page, PHONE_HZ);
  const audio = await until('the browser has a round trip from our DLRR', async () => {
    const { audio: a } = await page.stats();
    return a.dlrr > 0 && a;
  }, 25000);
  assert.ok(audio.dlrrRtt > 0 && audio.dlrrRtt < 0.5, `${audio.dlrrRtt} s`);
  await until('the phone gets extended reports', async () => (await phone.audio.stats()).rtcp.other > 0, 15000);
  await cap.stop();
  const field = (name) => ['-e', `rtcp.xr.voipmetrics.${name}`];
  const rtcp = ['-d', `udp.port==${phone.audio.port + 1},rtcp`];
  const rows = tshark(cap.file, ...rtcp, '-Y', `rtcp.xr.bt == 7 && ip.dst == ${phone.ip}`, '-T', 'fields', '-e', 'rtcp.ssrc.identifier', ...['gmin', 'rfactor', 'moslq', 'moscq', 'burstduration', 'gapduration'].flatMap(field));
  assert.ok(rows.length > 0, 'tshark reads VoIP metrics');
  const [, gmin, r, lq, cq, burst, gap] = rows.at(-1).split('\t');
  assert.equal(Number(gmin), 16);
  assert.ok(Number(r) > 85 && Number(r) <= 94, `R ${r}`);
  assert.ok(Number(lq) >= 4.3 && Number(cq) >= 4.2, `MOS ${lq} ${cq}`);
  assert.equal(Number(burst), 0);
  assert.ok(Number(gap) > 0);
  assert.deepEqual(tshark(cap.file, ...rtcp, '-Y', `rtcp && (_ws.malformed || rtcp.length_check == 0) && ip.dst == ${phone.ip}`), []);
  const mos = Object.values((await call.query()).SSRC).map((e) => e['average MOS']?.MOS).filter(Boolean);
  assert.ok(mos.length === 1 && mos[0] >= 43, `MOS of query: ${mos}`);
  t.note(`R ${r}, MOS ${lq} and ${cq} by tshark; ${(audio.dlrrRtt * 1000).toFixed(1)} ms by the browser`);
}, { known: NOT_OURS });

/** A WAV of FILE_HZ, at a rate that no codec has. */
function wav(ctx, seconds) {
  const file = join(ctx.opts.out, `play-${seconds}.wav`);
  writeToneWav(file, FILE_HZ, { rate: 44100, channels: 2, seconds });
  return file;
}

const hearsBoth = (phone, tones) => until(`phone hears ${tones.join(' and ')} Hz`, async () => {
  const s = await phone.audio.stats(tones);
  return tones.every((hz) => s.tones[hz] > 0.25) || (() => { throw new Error(JSON.stringify(s.tones)); })();
}, 5000);

test('play_media: a WAV to the phone and to the browser, each in the place of the other one, who is heard again behind it', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await phone.audio.mark();
  await run(call, 'play_media', `file=${wav(ctx, 3)}`); // the caller hears it: the phone
  await phoneHears(phone, FILE_HZ);
  await phoneHears(phone, PAGE_HZ);
  const { rx } = await phone.audio.stats();
  assert.equal(Object.keys(rx.ssrcs).length, 1, 'one SSRC');
  assert.equal(rx.seqGaps, 0, 'no gap in the numbers');
  await run(call, 'play_media', `file=${wav(ctx, 3)} from-tag=${call.tags.b}`);
  await pageHears(page, FILE_HZ);
  await pageHears(page, PHONE_HZ);
}, { known: NOT_OURS });

test('play_media: MP3 and AMR-WB, over and over, until stop_media', async (t, ctx) => {
  const { call, phone } = await talk(t, ctx);
  for (const [name, hz, ms] of [['tone.mp3', 1000, [500, 620]], ['tone.awb', 2000, [1000, 1000]]]) {
    const reply = await ctx.gateway.ng.cmd({ command: 'play media', 'call-id': call.id, 'from-tag': call.tags.a, file: join(VECTORS, name), 'repeat-times': 50 });
    assert.ok(reply.duration >= ms[0] && reply.duration <= ms[1], `${name}: ${reply.duration} ms`);
    await phoneHears(phone, hz);
    const stopped = await ctx.gateway.ng.cmd({ command: 'stop media', 'call-id': call.id, 'from-tag': call.tags.a });
    assert.ok(stopped['last-frame-pos'] >= 0 && stopped['last-frame-pos'] <= ms[1], `${stopped['last-frame-pos']} ms`);
    await phoneHears(phone, PAGE_HZ);
  }
}, { known: NOT_OURS });

test('silence_media is silence, not nothing', async (t, ctx) => {
  const { call, page, phone } = await talk(t, ctx);
  await run(call, 'silence_media', `from-tag=${call.tags.b}`);
  await phone.audio.mark();
  await until('packets of silence reach the phone', async () => {
    const s = await phone.audio.stats();
    await phone.audio.fresh();
    return s.rx.packets > 50 && s.rms < 20 && s.silentMs < 200;
  }, 5000);
  assert.deepEqual((await partyOf(call, call.tags.b)).blocked, ['silence']);
  await pageHears(page, PHONE_HZ);
  await run(call, 'unsilence_media', `from-tag=${call.tags.b}`);
  await audioBothWays(page, phone);
}, { known: NOT_OURS });

test('play_dtmf toward a phone without telephone-event is two tones within its audio', async (t, ctx) => {
  const p = await parts(t, ctx, { page: { answerer: true } });
  const phone = Object.assign(p.phone, { offer: () => Object.getPrototypeOf(p.phone).offer.call(p.phone).replace(/ 101\r/, '\r').replace(/a=(rtpmap|fmtp):101.*\r\n/g, '') });
  await phoneCallsBrowser(p.call, p.page, phone);
  await audioBothWays(p.page, phone);
  await run(p.call, 'play_dtmf', `code=5 duration=3000 from-tag=${p.call.tags.b}`);
  await hearsBoth(phone, [770, 1336]);
  await phoneHears(phone, PAGE_HZ);
}, { known: NOT_OURS });

test('detect-DTMF: digits within the phone\'s audio are events, each once', async (t, ctx) => {
  const p = await parts(t, ctx, { page: { answerer: true } });
  await phoneCallsBrowser(p.call, p.page, p.phone, { keys: { flags: ['detect-DTMF'] } });
  await audioBothWays(p.page, p.phone);
  for (const [digit, tones] of [['5', [770, 1336]], ['#', [941, 1477]]]) {
    await p.phone.audio.dial([{ tones }], 10);
    const e = await ctx.gateway.events.wait(p.call.id, new RegExp(`^dtmf .*digit ${digit},`), 5000);
    const ms = Number(/, (\d+) ms/.exec(e.detail)[1]);
    assert.ok(ms >= 180 && ms <= 220, `${ms} ms of 200`);
  }
  assert.equal(ctx.gateway.events.of(p.call.id).filter((e) => e.event === 'dtmf').length, 2, 'one event for each digit');
}, { known: NOT_OURS });
