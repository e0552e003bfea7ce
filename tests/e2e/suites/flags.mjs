// SPDX-License-Identifier: BSD-3-Clause
// Every flag of section 5.2 of Kamailio 5.6.3's README as its own parser sends it: what it does to the SDP, without profiles.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { join } from 'node:path';
import { suite, test } from '../lib/runner.mjs';
import { Gateway } from '../lib/gateway.mjs';
import { Kamailio } from '../lib/kamailio.mjs';
import { NET } from '../lib/sandbox.mjs';
import { ask } from '../lib/sip-udp.mjs';
import { until } from '../lib/wait.mjs';

const SIP = { host: NET.access.v4, port: 5062 };
let script = null, gateway = null, calls = 0;

suite('flags', {
  async before(ctx) {
    const interfaces = ['in', 'out', 'internal', 'external'].flatMap((name, i) => {
      const side = i % 2 ? NET.core : NET.access;
      return [`${name}/${side.v4}`, `${name}/${side.v6}`];
    });
    gateway = await new Gateway({ ...ctx.opts, out: join(ctx.opts.out, 'flags') }).start([], interfaces);
    script = await Kamailio.startScript('flags', { gateway, listen: `${SIP.host}:${SIP.port}`, out: ctx.opts.out });
  },
  async after() {
    await script?.stop();
    await gateway?.stop();
  },
});

const crlf = (...lines) => `${lines.filter((l) => l).join('\r\n')}\r\n`;
const A = (...more) => crlf('v=0', 'o=alice 77 3 IN IP4 198.51.100.101', 's=tester', 'c=IN IP4 198.51.100.1', 't=0 0', 'm=audio 2000 RTP/AVP 0 8 101',
  'a=rtpmap:101 telephone-event/8000', ...more);
const B = (...more) => crlf('v=0', 'o=bob 88 5 IN IP4 198.51.100.4', 's=-', 'c=IN IP4 198.51.100.4', 't=0 0', 'm=audio 3000 RTP/AVP 8 101',
  'a=rtpmap:101 telephone-event/8000', ...more);
const newCall = () => `flags-${process.pid}-${calls++}`;
const op = (callId, name, flags, body, tags = { fromTag: 'a' }, method = 'INVITE') =>
  ask(SIP, { method, callId, ...tags, body, headers: [`X-Op: ${name}`, `X-Flags: ${flags || ' '}`] });
const offer = (callId, flags, sdp = A()) => op(callId, 'offer', flags, sdp);
/** An answer in a request (PRACK, ACK) has its tags swapped by the module. */
const answer = (callId, flags, sdp = B()) => op(callId, 'answer', flags, sdp, { fromTag: 'b', toTag: 'a' }, 'PRACK');

const MUX = A('a=rtcp-mux');
const HELD = A().replace('198.51.100.1\r\nt', '0.0.0.0\r\nt');
/** flags, what the offer must have, what it must not have, the SDP that goes in. */
const OFFERS = [
  ['', /o=alice 77 3 IN IP4 198\.51\.100\.101/, /a=ice-ufrag/],
  ['replace-origin', /o=alice 77 3 IN IP4 10\.77/],
  ['replace-session-connection', /c=IN IP4 10\.77/, /198\.51\.100\.1\r/],
  ['replace-zero-address', /c=IN IP4 10\.77/, /0\.0\.0\.0/, HELD],
  ['direction=in direction=out', /c=IN IP4 10\.77\.2\.1/],
  ['internal external', /c=IN IP4 10\.77\.2\.1/],
  ['external internal', /c=IN IP4 10\.77\.1\.1/],
  ['address-family=IP6', /c=IN IP6 fd77:/],
  ['media-address=203.0.113.5', /c=IN IP4 203\.0\.113\.5/],
  ['ICE=force', /a=ice-ufrag:/],
  ['ICE=remove', /m=audio/, /a=ice/, A('a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901')],
  ['RTP AVPF', /m=audio \d+ RTP\/AVPF /],
  ['SRTP AVP DTLS=off', /m=audio \d+ RTP\/SAVP [\s\S]*a=crypto:/],
  ['RTP/AVP', /m=audio \d+ RTP\/AVP /],
  ['RTP/SAVP', /m=audio \d+ RTP\/SAVP /],
  ['RTP/AVPF', /m=audio \d+ RTP\/AVPF /],
  ['RTP/SAVPF', /m=audio \d+ RTP\/SAVPF /],
  ['UDP/TLS/RTP/SAVPF', /m=audio \d+ UDP\/TLS\/RTP\/SAVPF [\s\S]*a=fingerprint:/],
  ['RTP/SAVP SDES-off', /a=fingerprint:/, /a=crypto:/],
  ['rtcp-mux-offer', /a=rtcp-mux\r/],
  ['rtcp-mux-demux', /m=audio/, /a=rtcp-mux/, MUX],
  ['rtcp-mux-accept', /a=rtcp-mux\r/, null, MUX],
  ['rtcp-mux-require', /a=rtcp-mux-only\r/],
  ['codec-strip-PCMU', /m=audio \d+ RTP\/AVP 8 101\r/],
  ['codec-strip=PCMU', /m=audio \d+ RTP\/AVP 8 101\r/],
  ['codec-strip-all codec-offer-PCMA codec-offer-PCMU', /m=audio \d+ RTP\/AVP 8 0\r/],
  ['codec-strip-all codec-except-PCMA', /m=audio \d+ RTP\/AVP 8\r/],
  ['codec-mask-PCMU', /m=audio \d+ RTP\/AVP 8 101\r/],
  ['generate-mid', /a=mid:0\r/],
  ['loop-protect', /a=eims-agw:/],
  ['flags=loop-protect', /a=eims-agw:/],
  ['original-sendrecv', /m=audio/, /a=sendrecv/],
  ['no-rtcp-attribute', /m=audio/, /a=rtcp:/],
  ['full-rtcp-attribute', /a=rtcp:\d+ IN IP4 10\.77/],
  ['strip-extmap', /m=audio/, /a=extmap/, A('a=extmap:1 urn:one')],
  ['sdp-attr-add-audio-x-new:1', /a=x-new:1\r/],
  ['sdp-media-remove-video', /m=audio/, /m=video/, `${A()}m=video 4000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n`],
  ['via-branch=1', /m=audio/], ['via-branch=auto', /m=audio/], ['via-branch=extra', /m=audio/], ['via-branch=next', /m=audio/],
  ['asymmetric', /m=audio/], ['symmetric', /m=audio/], ['trust-address', /m=audio/], ['SIP-source-address', /m=audio/],
  ['strict-source', /m=audio/], ['media-handover', /m=audio/], ['TOS=40', /m=audio/], ['force', /m=audio/], ['no-redis-update', /m=audio/],
  ['unidirectional', /m=audio/], ['repacketize=20', /m=audio/], ['record-call=off', /m=audio/], ['metadata=a:b', /m=audio/],
  ['T.38=decode', /m=audio/], ['codec-transcode=PCMU', /m=audio/], ['codec-set=opus/48000/1/32000', /m=audio/],
];

for (const [flags, has, hasNot, sdp] of OFFERS)
  test(`offer with ${flags || 'none'}`, async (t) => {
    const id = newCall();
    t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
    const { status, body } = await offer(id, flags, sdp);
    assert.equal(status, 200);
    assert.match(body, has);
    if (hasNot) assert.doesNotMatch(body, hasNot);
  });

test('rtcp-mux-reject with rtcp-mux-offer, and what the offerer reads', async (t) => {
  const id = newCall();
  t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
  assert.match((await offer(id, 'rtcp-mux-reject rtcp-mux-offer', MUX)).body, /a=rtcp-mux\r/);
  const { status, body } = await answer(id, '', B('a=rtcp-mux'));
  assert.equal(status, 200);
  assert.doesNotMatch(body, /a=rtcp-mux/);
});

test('force-answer makes an offer an answer', async (t) => {
  const id = newCall();
  t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
  await offer(id, '');
  const { status, body } = await op(id, 'offer', 'force-answer', B(), { fromTag: 'b', toTag: 'a' });
  assert.equal(status, 200);
  assert.match(body, /m=audio \d+ RTP\/AVP 8 101\r/);
  assert.deepEqual(Object.keys((await gateway.ng.query(id)).tags).sort(), ['a', 'b']);
});

test('call-id=, from-tag= and to-tag= of the script', async (t) => {
  const id = newCall();
  t.cleanup(() => gateway.ng.remove(id));
  await offer(newCall(), `call-id=${id} from-tag=mine`);
  assert.equal((await answer(newCall(), `call-id=${id} from-tag=mine to-tag=theirs`)).status, 200);
  const { tags } = await gateway.ng.query(id);
  assert.deepEqual(Object.keys(tags).sort(), ['mine', 'theirs']);
});

test('delete-delay=0 and the flag to-tag', async () => {
  const id = newCall();
  await offer(id, '');
  await answer(id, '');
  assert.equal((await op(id, 'delete', 'to-tag delete-delay=0', '', { fromTag: 'a', toTag: 'b' })).status, 200);
  assert.equal((await gateway.ng.raw({ command: 'query', 'call-id': id }))['error-reason'], 'Unknown call-id');
});

test('rtpengine_info passes a fragment', async (t) => {
  const id = newCall();
  t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
  await offer(id, 'ICE=force');
  const { status } = await ask(SIP, { callId: id, fromTag: 'a', type: 'application/trickle-ice-sdpfrag', headers: ['X-Op: info', 'X-Flags: ICE=force'],
    body: crlf('a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'm=audio 9 RTP/AVP 0', 'a=candidate:1 1 udp 1 198.51.100.1 2000 typ host') });
  assert.equal(status, 200);
});

test('$rtpestat and rtpengine_query_v read the reply', async (t) => {
  const id = newCall();
  t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
  await offer(id, 'label=A');
  await answer(id, 'label=B');
  const { headers } = await op(id, 'query', '', '');
  assert.match(headers['x-stat'], /^RTP: \d+ bytes, \d+ packets, \d+ errors; RTCP: \d+ bytes, \d+ packets, \d+ errors$/);
  const doc = JSON.parse(headers['x-json']);
  assert.deepEqual(Object.keys(doc.totals).sort(), ['RTCP', 'RTP']);
  assert.deepEqual(Object.values(doc.tags).map((p) => p.label).sort(), ['A', 'B']);
  assert.ok(Object.values(doc.tags).every((p) => Number.isInteger(p.medias[0].streams[0].SSRC)));
});

test('what was measured comes to $rtpestat and the MOS variables', async (t) => {
  const id = newCall();
  t.cleanup(() => op(id, 'delete', 'delete-delay=0', ''));
  const socket = dgram.createSocket('udp4');
  t.cleanup(() => socket.close());
  await new Promise((done) => socket.bind(0, SIP.host, done));
  const own = A().replaceAll('198.51.100.1\r', `${SIP.host}\r`).replace('audio 2000', `audio ${socket.address().port}`);
  await offer(id, 'label=A', own);
  const { body } = await answer(id, 'label=B');
  const port = Number(/m=audio (\d+)/.exec(body)[1]);
  for (let seq = 0; seq < 50; seq++) {
    const rtp = Buffer.alloc(172);
    rtp[0] = 0x80;
    rtp[1] = 8;
    rtp.writeUInt16BE(seq, 2);
    rtp.writeUInt32BE(seq * 160, 4);
    rtp.writeUInt32BE(0x1234, 8);
    socket.send(rtp, port, SIP.host);
  }
  await until('50 packets are counted', async () => /^RTP: 8\d{3} bytes, 50 packets, 0 errors/.test((await op(id, 'query', '', '')).headers['x-stat']), 5000);
  const { headers } = await op(id, 'query', '', '');
  assert.match(headers['x-mos'], /^(4\.\d) 0 \1 \1 \1 \d+:\d\d$/);
});

test('no flag of the README is unknown', async () => {
  const unknown = gateway.proc.output.split('\n').filter((l) => l.includes('unknown key or flag'));
  assert.deepEqual(unknown, []);
});
