// SPDX-License-Identifier: BSD-3-Clause
// Without profiles the gateway writes what Debian's rtpengine 10.5 writes: the same messages go to both, ports and keys are
// taken away, and what is left must be equal but for what each case lists, with its reason. "-" is rtpengine's line, "+" ours.
// Each case is played in JSON, too, which must come to the same.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { JSON_FORM, NgClient } from '../lib/ng.mjs';
import { NET } from '../lib/sandbox.mjs';
import { difference, plainLines } from '../lib/literal-sdp.mjs';

const both = {};
let json = null;

suite('literal', {
  async before(ctx) {
    const out = join(ctx.opts.out, 'literal');
    for (const kind of ['rtpengine', 'agwd'])
      both[kind] = await new Gateway({ ...ctx.opts, gateway: kind, out: join(out, kind) }).start([], [NET.access.v4, NET.access.v6], { ports: kind === 'agwd' ? 0 : 15000 });
    json = await NgClient.open(both.agwd.ngPort, '127.0.0.1', JSON_FORM);
  },
  async after() {
    json?.close();
    for (const g of Object.values(both)) await g.stop();
  },
});

const crlf = (lines) => lines.filter((l) => l).join('\r\n') + '\r\n';
const A = (...more) => crlf(['v=0', 'o=alice 1545997027 1 IN IP4 198.51.100.101', 's=tester', 'c=IN IP4 198.51.100.1', 't=0 0',
  'm=audio 2000 RTP/AVP 0 8 101', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', ...more]);
const B = (...more) => crlf(['v=0', 'o=bob 99 7 IN IP4 198.51.100.4', 's=-', 'c=IN IP4 198.51.100.4', 't=0 0', 'm=audio 3000 RTP/AVP 8 101',
  'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15', ...more]);

/** An answer over SRTP to the first offered line of this suite. */
const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const sdesB = (told) => {
  const [, tag] = new RegExp(`a=crypto:(\\d+) ${SUITE} `).exec(told[0]) ?? [];
  return B(`a=crypto:${tag} ${SUITE} inline:NHKBQ5TATLnXM7+J7LrQ2dF0ORbvMdVmaXZ8rQfK`).replace('RTP/AVP', 'RTP/SAVP');
};
const FINGERPRINT = `a=fingerprint:sha-256 ${Array(32).fill('5F').join(':')}`;
const dtlsB = (told) => B(FINGERPRINT, 'a=setup:active', ...(told[0].includes('a=rtcp-mux') ? ['a=rtcp-mux'] : []))
  .replace('RTP/AVP', /m=audio \d+ (\S+)/.exec(told[0])[1]);

let calls = 0;

/** Plays [side, keys, sdp] messages on one gateway: the SDP texts, or the refusals, that came back. */
async function play(ng, messages) {
  const id = `literal-${process.pid}-${calls++}`;
  const told = [];
  for (const [command, keys, sdp] of messages) {
    const text = typeof sdp === 'function' ? sdp(told) : sdp;
    const tags = command === 'answer' ? { 'from-tag': 'a', 'to-tag': 'b' } : { 'from-tag': 'a' };
    const reply = await ng.raw({ command, 'call-id': id, ...tags, 'received-from': ['IP4', '198.51.100.1'], sdp: text, ...keys });
    told.push(reply.sdp ?? `${reply.result}: ${reply['error-reason']}`);
  }
  await ng.raw({ command: 'delete', 'call-id': id, 'from-tag': 'a', 'delete-delay': 0 });
  return told;
}

/** differs: for each message that is not the same the lines that differ; ignoring: lines of no interest. why: the reason. */
function same(name, messages, { differs = {}, ignoring = [], why } = {}) {
  test(name, async (t) => {
    const theirs = await play(both.rtpengine.ng, messages);
    const ours = await play(both.agwd.ng, messages);
    const twin = await play(json, messages);
    ours.forEach((sdp, i) => assert.deepEqual(difference(plainLines(sdp), plainLines(twin[i])), [], 'the same in JSON'));
    const found = {};
    theirs.forEach((sdp, i) => {
      const lines = difference(plainLines(sdp), plainLines(ours[i])).filter((l) => !ignoring.some((re) => re.test(l)));
      if (lines.length > 0) found[i] = lines;
    });
    if (why) t.note(why);
    assert.deepEqual(found, differs, `rtpengine:\n${theirs.join('\n')}\nours:\n${ours.join('\n')}`);
  });
}

const flag = (name, keys, opts, a = A(), b = B()) => same(name, [['offer', keys, a], ['answer', {}, b]], opts);

flag('no flags', {});
flag('replace origin and session-connection', { replace: ['origin', 'session-connection'] });
flag('original-sendrecv', { flags: ['original-sendrecv'] });
flag('original-sendrecv, recvonly', { flags: ['original-sendrecv'] }, {}, A('a=recvonly'), B('a=sendonly'));
flag('an answer that says more than was offered', {}, { differs: { 1: ['-a=sendrecv', '+a=sendonly'] }, why: 'RFC 3264 section 6.1: recvonly is answered with sendonly' }, A('a=recvonly'));
flag('generate-mid', { flags: ['generate-mid'] });
flag('no-rtcp-attribute', { flags: ['no-rtcp-attribute'] });
flag('full-rtcp-attribute', { flags: ['full-rtcp-attribute'] });
flag('trust-address', { flags: ['trust-address'] });
flag('SIP-source-address', { flags: ['SIP-source-address'] });
flag('strict-source and media-handover', { flags: ['strict-source', 'media-handover'] });
flag('asymmetric and symmetric', { flags: ['asymmetric'] });
flag('an unknown key and an unknown flag', { nonsense: 'x', flags: ['frobnicate'] });
flag('address-family IP6', { 'address-family': 'IP6' });
flag('media-address', { 'media-address': '203.0.113.9' });
flag('transport RTP/AVPF', { 'transport-protocol': 'RTP/AVPF' });
const SUITES = { ignoring: [/^-a=crypto:/, /^\+a=crypto:\d+ (AES_CM|AES_256_CM|AEAD)/], why: 'never NULL or F8, and an order of our own' };
flag('transport RTP/SAVP', { 'transport-protocol': 'RTP/SAVP', DTLS: 'off' }, SUITES, A(), sdesB);
flag('transport RTP/SAVPF', { 'transport-protocol': 'RTP/SAVPF', DTLS: 'off' }, SUITES, A(), (told) => sdesB(told).replace('RTP/SAVP', 'RTP/SAVPF'));
const BROWSER = { differs: { 0: ['-o=alice 1545997027 1 IN IP4 198.51.100.101', '-s=tester', '+a=group:BUNDLE 0', '+a=msid-semantic:WMS *',
  `+o=- 1545997027 1 IN IP4 ${NET.access.v4}`, '+s=-', '+a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid', '+a=mid:*', '+a=msid:*', '+a=rtcp-mux',
  '+a=rtcp-rsize', '+a=ssrc:*'], 1: ['-o=bob 99 7 IN IP4 198.51.100.4', `+o=- 99 7 IN IP4 ${NET.access.v4}`] }, why: 'DTLS means a browser, which gets all that it needs without further flags' };
flag('transport RTP/SAVP, SDES off', { 'transport-protocol': 'RTP/SAVP', SDES: ['off'] }, BROWSER, A(), dtlsB);
flag('transport UDP/TLS/RTP/SAVPF', { 'transport-protocol': 'UDP/TLS/RTP/SAVPF', SDES: ['off'] }, BROWSER, A(), dtlsB);
flag('ICE force', { ICE: 'force' }, { ignoring: [/^-a=candidate:. udp fd77:/, /a=ice-lite/, /a=ice-options:trickle/, /a=end-of-candidates/], why: 'a lite agent says so, a full one that it takes trickled candidates; the second address family only with rtcp-mux' });
flag('ICE remove', { ICE: 'remove' });
flag('ICE default, none received', { ICE: 'default' });
flag('rtcp-mux received', {}, {}, A('a=rtcp-mux'), B('a=rtcp-mux'));
flag('rtcp-mux received, not answered', {}, { differs: { 1: ['-a=rtcp:+1', '+a=rtcp-mux', '+a=rtcp:+0'] }, why: 'a browser refuses an answer without it, so it is demultiplexed here' }, A('a=rtcp-mux'));
flag('rtcp-mux offer', { 'rtcp-mux': ['offer'] }, {}, A(), B('a=rtcp-mux'));
flag('rtcp-mux require', { 'rtcp-mux': ['require'] }, { differs: { 0: ['-a=rtcp:+0', '+a=rtcp-mux-only'] }, why: 'RFC 8858 says it so' }, A(), B('a=rtcp-mux'));
flag('rtcp-mux demux', { 'rtcp-mux': ['demux'] }, {}, A('a=rtcp-mux'));
flag('rtcp-mux accept', { 'rtcp-mux': ['accept'] }, {}, A('a=rtcp-mux'), B('a=rtcp-mux'));
flag('rtcp-mux reject and offer', { 'rtcp-mux': ['reject', 'offer'] }, {}, A('a=rtcp-mux'), B('a=rtcp-mux'));
flag('codec strip', { codec: { strip: ['PCMU'] } });
flag('codec strip all, offer', { codec: { strip: ['all'], offer: ['PCMA', 'PCMU'] } });
flag('codec except', { codec: { strip: ['all'], except: ['PCMA'] } });
flag('codec offer', { codec: { offer: ['PCMA', 'PCMU'] } }, { differs: {
  0: ['-m=audio PORT RTP/AVP 0 8 101', '-a=fmtp:101 0-15', '-a=rtpmap:101 telephone-event/8000', '+m=audio PORT RTP/AVP 8 0'],
  1: ['-m=audio PORT RTP/AVP 8 101', '-a=fmtp:101 0-15', '-a=rtpmap:101 telephone-event/8000', '+m=audio PORT RTP/AVP 8'],
}, why: 'a list and an order, as it is documented, also without strip' });
flag('codec except that matches nothing', { codec: { strip: ['all'], except: ['G729'] } });
flag('codec strip that leaves nothing', { codec: { strip: ['all'] } });
flag('strip-extmap', { flags: ['strip-extmap'] }, {}, A('a=extmap:1 urn:one', 'a=extmap:2 urn:two'), B('a=extmap:1 urn:one'));
flag('extmap passes', {}, {}, A('a=extmap:1 urn:one', 'a=extmap:2 urn:two'), B('a=extmap:1 urn:one'));
flag('unknown attributes pass', {}, {}, A('a=x-vendor:1', 'a=foo'), B('a=x-other'));
flag('ptime', { ptime: 30 }, {}, A('a=ptime:20'));
flag('ptime-reverse', { 'ptime-reverse': 40 }, {}, A('a=ptime:20'), B('a=ptime:20'));
flag('single-codec in the answer', {}, {}, A(), A());
same('single-codec', [['offer', {}, A()], ['answer', { flags: ['single-codec'] }, A()]]);
flag('bandwidth lines', {}, {}, A('').replace('t=0 0', 'b=AS:80\r\nt=0 0'), B());
flag('session attributes pass', {}, {}, A('').replace('t=0 0', 't=0 0\r\na=tool:x\r\na=x-session'), B());
flag('hold by zero address', {}, {}, A().replace('198.51.100.1\r\nt', '0.0.0.0\r\nt'), B('a=recvonly'));
flag('hold by zero address, replaced', { replace: ['zero-address'] }, {}, A().replace('198.51.100.1\r\nt', '0.0.0.0\r\nt'), B('a=recvonly'));
for (const dir of ['sendonly', 'recvonly', 'inactive']) flag(`a=${dir}`, {}, {}, A(`a=${dir}`), B(`a=${{ sendonly: 'recvonly', recvonly: 'sendonly' }[dir] ?? dir}`));
flag('port 0 stays 0', {}, {}, `${A()}m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n`, `${B()}m=video 0 RTP/AVP 97\r\n`);
flag('audio and video', {}, {}, `${A()}m=video 2010 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n`, `${B()}m=video 3010 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n`);
flag('a=rtcp of the sender', {}, {}, A('a=rtcp:2333'), B('a=rtcp:3444 IN IP4 198.51.100.5'));
flag('SDES passes', { DTLS: 'off' }, SUITES,
  A('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:DVM+BTeYX2UI1LaA9bgXrcBEDBxoItA9/39fSoRF').replace('RTP/AVP', 'RTP/SAVP'),
  (told) => B(`a=crypto:${/^a=crypto:(\d+) AES_CM_128_HMAC_SHA1_80 /m.exec(told[0])[1]} AES_CM_128_HMAC_SHA1_80 inline:NHKBQ5TATLnXM7+J7LrQ2dF0ORbvMdVmaXZ8rQfK`)
    .replace('RTP/AVP', 'RTP/SAVP'));
const opusB = (told) => { // an answer with the Opus of the offer, and its events if there are any
  const pt = (name) => new RegExp(`a=rtpmap:(\\d+) ${name}`).exec(told[0])?.[1];
  const [opus, event] = [pt('opus/48000'), pt('telephone-event/48000')];
  return crlf(['v=0', 'o=bob 99 7 IN IP4 198.51.100.4', 's=-', 'c=IN IP4 198.51.100.4', 't=0 0', `m=audio 3000 RTP/AVP ${[opus, event].filter(Boolean).join(' ')}`,
    `a=rtpmap:${opus} opus/48000/2`, event && `a=rtpmap:${event} telephone-event/48000`]);
};
const A_OPUS = crlf(['v=0', 'o=alice 1545997027 1 IN IP4 198.51.100.101', 's=tester', 'c=IN IP4 198.51.100.1', 't=0 0', 'm=audio 2000 RTP/AVP 111 9 0 8 13 110 126',
  'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;useinbandfec=1', 'a=rtpmap:9 G722/8000', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:13 CN/8000',
  'a=rtpmap:110 telephone-event/48000', 'a=rtpmap:126 telephone-event/8000']);
const B_126 = B().replaceAll('101', '126');
flag('codec transcode to Opus', { codec: { transcode: ['opus'] } }, {}, A(), opusB);
flag('codec transcode to Opus, G.711 answered', { codec: { transcode: ['opus'] } });
flag('codec mask and transcode', { codec: { mask: ['PCMA', 'PCMU'], transcode: ['opus'] } }, {}, A(), opusB);
flag('codec consume and transcode', { flags: ['codec-consume-opus'], codec: { strip: ['PCMU', 'G722', 'CN'], transcode: ['PCMA'] } }, {}, A_OPUS, B_126);
const ONE_EVENT = { differs: { 1: ['-m=audio PORT RTP/AVP 111 126 110', '-a=fmtp:126 0-15', '-a=rtpmap:126 telephone-event/8000', '+m=audio PORT RTP/AVP 111 110'] }, why: 'one codec, and the events of its clock' };
flag('codec consume', { flags: ['codec-consume-opus'] }, ONE_EVENT, A_OPUS, B_126);
flag('codec mask', { codec: { mask: ['opus'] } }, {}, A_OPUS, B_126);
flag('codec accept', { codec: { accept: ['opus'] } }, ONE_EVENT, A_OPUS, B_126);
flag('always-transcode', { flags: ['always-transcode'] }, {}, A_OPUS, B_126);
flag('always-transcode, single-codec', { flags: ['always-transcode', 'single-codec'] }, {}, A_OPUS, B_126);
flag('codec transcode with a fmtp', { codec: { strip: ['all'], transcode: ['opus/48000/2/16000//maxaveragebitrate--16000'] } }, {
  differs: { 1: ['-m=audio PORT RTP/AVP 0', '+m=audio PORT RTP/AVP 0 101', '+a=fmtp:101 0-15', '+a=rtpmap:101 telephone-event/8000'] },
  why: 'digits become tones for a party without telephone-event' }, A(), opusB);
flag('codec transcode to what is there', { codec: { transcode: ['PCMA'] } });
flag('codec transcode to what nobody knows', { codec: { transcode: ['foo'] } });
flag('codec set', { codec: { transcode: ['opus'], set: ['opus/48000/2/16000'] } }, {}, A(), opusB);
same('loop-protect', [['offer', { flags: ['loop-protect'] }, A()], ['offer', { flags: ['loop-protect'] }, (told) => told[0]], ['answer', { flags: ['loop-protect'] }, B()]]);
same('replace SDP-version', [['offer', { replace: ['SDP-version'] }, A()], ['offer', { replace: ['SDP-version'] }, A()], ['offer', { replace: ['SDP-version'] }, A('a=sendonly')]]);
same('replace username and session-name', [['offer', { replace: ['username', 'session-name'] }, A()],
  ['offer', { replace: ['username', 'session-name'] }, A().replace('alice', 'other').replace('tester', 'new')]]);
same('an offer again', [['offer', {}, A()], ['offer', {}, A()], ['answer', {}, B()]]);
same('a re-offer', [['offer', {}, A()], ['answer', {}, B()], ['offer', { 'to-tag': 'b' }, A('a=sendonly')], ['answer', {}, B('a=recvonly')]]);
same('hold and resume by the other side', [['offer', {}, A()], ['answer', {}, B()],
  ['offer', { 'from-tag': 'b', 'to-tag': 'a' }, B('a=sendonly')], ['answer', { 'from-tag': 'b', 'to-tag': 'a' }, A('a=recvonly')]]);
same('a missing key', [['offer', { sdp: undefined }, undefined], ['answer', {}, B()], ['offer', { 'call-id': undefined }, A()]]);
same('no SDP at all', [['offer', {}, 'nonsense']]);
same('tags that do not belong', [['offer', {}, A()], ['answer', {}, B()], ['answer', { 'from-tag': 'x', 'to-tag': 'y' }, B()]],
  { ignoring: [/^-/], differs: { 2: ['+error: Invalid dialogue association'] }, why: 'rtpengine opens ports for strangers' });
