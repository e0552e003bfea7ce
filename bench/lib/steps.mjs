// SPDX-License-Identifier: BSD-3-Clause
// The standard campaign: which program runs, which figures of its JSON become rows of the table, what is drawn.
import { at, short } from './summary.mjs';

const AES = 'AES_CM_128_HMAC_SHA1_80';
const GCM = 'AEAD_AES_128_GCM';

const OURS = ['agwd', 'agwd_xdp'];

/** id, and the command line without the common options, or a function that gives it for a gateway. `wide`: not in a quick
 *  run; `once`: in the first round only, for time; `variant`: how the gateway is started (VARIANTS
 *  of gateway.mjs); `not`: gateways it says nothing about; `delivery`: as of bench/run.mjs; `mayFail`: more than some gateways carry. */
export function steps({ quick }) {
  const seconds = `--seconds=${quick ? 2 : 4}`;
  const media = (calls, ...more) => ['load', 'media', `--calls=${calls}`, `--suite=${AES}`, seconds, ...more];
  const setUp = (mode, n, ...more) => ['load', mode, `--calls=${n}`, '--in-flight=32', `--suite=${AES}`, ...more];
  const coming = (mode, ...more) => ['load', mode, seconds, `--suite=${AES}`, ...more];
  const overload = (calls, times) => ['load', 'overload', `--calls=${calls}`, `--times=${times}`, `--suite=${AES}`];
  const n = quick ? 200 : 1000;
  const all = [
    { id: 'media-10', argv: media(10), wide: true },
    { id: 'media-100', argv: media(100) },
    { id: 'media-300', argv: media(300), wide: true },
    { id: 'media-500', argv: media(500), wide: true },
    { id: 'media-1000', argv: media(1000), delivery: 'sender', wide: true, mayFail: true },
    { id: 'gcm-300', argv: media(300, `--suite=${GCM}`), wide: true },
    { id: 'plain-300', argv: media(300, '--kind=rtp-rtp'), wide: true },
    { id: 'sdes-300', argv: media(300, '--kind=webrtc-sdes'), wide: true },
    { id: 'sdes-gcm-300', argv: media(300, '--kind=webrtc-sdes', `--suite=${GCM}`), wide: true },
    { id: 'video-60', argv: media(60, '--media=video'), wide: true },
    { id: 'streams-100', argv: media(50, '--pps=30000'), variant: 'fast', wide: true },
    { id: 'streams-8000', argv: media(4000, '--pps=30000'), variant: 'fast', wide: true, mayFail: true },
    { id: 'one-worker', argv: media(300), variant: 'one-anywhere', not: ['agwd_xdp'], once: true, wide: true },
    { id: 'two-workers', argv: media(300), variant: 'two-anywhere', not: ['agwd_xdp'], once: true, wide: true },
    { id: 'setup-passive', argv: setUp('setup', n) },
    { id: 'setup-active', argv: setUp('setup', n, '--gateway-dtls=active'), wide: true },
    { id: 'ng', argv: setUp('ng', n) },
    { id: 'idle', argv: ['load', 'idle', `--calls=${n}`, seconds, `--suite=${AES}`] },
    { id: 'storm', argv: coming('storm', '--calls=300', '--rate=40') },
    { id: 'storm-500', argv: coming('storm', '--calls=300', '--rate=500'), delivery: 'sender', wide: true, mayFail: true },
    { id: 'churn', argv: coming('churn', '--rate=50') },
    { id: 'churn-400', argv: coming('churn', '--rate=400', '--p99-limit-us=100000'), delivery: 'sender', wide: true, mayFail: true },
    { id: 'search', argv: ['load', 'search', '--calls=400', '--seconds=2', '--step-percent=8', '--p99-limit-us=5000,20000', `--suite=${AES}`], delivery: 'sender', once: true, wide: true, limitMs: 400000 },
    { id: 'search-quarter', argv: ['load', 'search', '--calls=120', '--seconds=2', '--step-percent=8', '--p99-limit-us=5000', `--suite=${AES}`], variant: 'quarter-core', once: true, wide: true, limitMs: 400000 },
    { id: 'churn-search', argv: ['load', 'churn-search', '--rate=150', '--seconds=3', '--step-percent=15', `--suite=${AES}`], delivery: 'sender', once: true, wide: true, limitMs: 400000 },
    { id: 'overload', delivery: 'sender', argv: (kind) => (OURS.includes(kind) ? overload(600, 6) : overload(400, 3)), variant: 'sheds', once: true, wide: true },
    { id: 'overload-stock', delivery: 'sender', argv: overload(600, 6), variant: 'sheds-stock', not: ['agwd_xdp', 'rtpengine', 'rtpengine-kernel'], once: true, wide: true },
  ];
  return all.filter((s) => !quick || !s.wide);
}

/** The step with the command line for that gateway. */
export function forGateway(step, kind) {
  return { ...step, argv: typeof step.argv === 'function' ? step.argv(kind) : step.argv };
}

/** The command lines in words for the results: one, or one a gateway. */
export function describeStep(step, gateways) {
  const lines = gateways.filter((g) => !step.not?.includes(g)).map((g) => [g, forGateway(step, g).argv.join(' ')]);
  const same = lines.every(([, l]) => l === lines[0][1]);
  return `${same ? lines[0]?.[1] : lines.map(([g, l]) => `${g}: ${l}`).join('; ')}${step.variant ? ` (gateway: ${step.variant})` : ''}`;
}

const key = (path) => (j) => at(j, path);
const us = (path) => (j) => at(j, path) / 1e3;
const ms = (path) => (j) => at(j, path) / 1e6;
const perCall = (after, before) => (j) => (at(j, after) - at(j, before)) / j.calls;
const kB = (path) => (j) => at(j, path) / 1e3;
const PACKET = 'gateway_cpu_ns_per_packet';

const percent = (part, whole) => (j) => (100 * at(j, part)) / at(j, whole);
const carried = (goal) => (j) => at(j, `${goal}.calls`) * 100;
const lowerBound = (goal) => (j) => (at(j, `${goal}.bounded_by`) === 'gateway' ? 0 : 1);
const othersAt = (goal) => (j) => (at(j, `${goal}.cpu.generator_per_mille_of_a_core`) + at(j, `${goal}.cpu.others_per_mille_of_a_core`)) / 10;
const busyGenerator = (j) => at(j, 'cpu.generator_per_mille_of_a_core') / 10;
const LOWER = 'which the gateway did not end: a lower bound';

/** per: id of the row by which this one is divided. */
const group = (name, ...rows) => rows.map(([id, text, unit, step, read, per]) => ({ id, group: name, text, unit, step, read, per }));

const CALLS = { 'media-10': '1,000', 'media-100': '10,000', 'media-300': '30,000', 'media-500': '50,000', 'media-1000': '100,000' };
const STORMS = [['storm', 40], ['storm-500', 500]];
const CHURNS = [['churn', 50, '10,000'], ['churn-400', 400, '80,000']];
const OVERLOADS = [['overload', 'agwd refuses at --max-cpu=80 (AF_XDP: 50, what the generator can load), rtpengine refuses none'],
  ['overload-stock', 'with stock socket buffers']];
const eachLoad = (make) => Object.entries(CALLS).flatMap(([step, pps]) => make(step, pps));

export const ROWS = [
  ...group('CPU of the gateway per relayed packet, audio, SRTP AES-CM to RTP',
    ...eachLoad((step, pps) => [[`cpu-${step}`, `${pps} packets/s${step === 'media-1000' ? ', with the delivery to the generator' : ''}`, 'us', step, us(PACKET)]])),
  ...group('The same at 30,000 packets/s, other media',
    ['cpu-gcm', 'SRTP AES-GCM to RTP', 'us', 'gcm-300', us(PACKET)],
    ['cpu-sdes', 'SRTP AES-CM to SRTP AES-CM (SDES)', 'us', 'sdes-300', us(PACKET)],
    ['cpu-sdes-gcm', 'SRTP AES-GCM to SRTP AES-GCM (SDES)', 'us', 'sdes-gcm-300', us(PACKET)],
    ['cpu-plain', 'RTP to RTP', 'us', 'plain-300', us(PACKET)],
    ['cpu-video', 'video, 1200 bytes in bursts of 10, AES-CM to RTP', 'us', 'video-60', us(PACKET)]),
  ...group('CPU of the whole machine per relayed packet, interrupts included (on one machine: generator included)',
    ...eachLoad((step, pps) => [[`machine-${step}`, `${pps} packets/s`, 'us', step, us('machine_cpu_ns_per_packet')]])),
  ...group('Many calls, few packets each: 30,000 packets/s, audio, AES-CM to RTP',
    ['cpu-streams-100', 'CPU of the gateway per packet, 50 calls (100 RTP streams)', 'us', 'streams-100', us(PACKET)],
    ['cpu-streams-8000', 'CPU of the gateway per packet, 4,000 calls (8,000 RTP streams)', 'us', 'streams-8000', us(PACKET)],
    ['streams-growth', 'the latter by the former', 'times', 'streams-8000', us(PACKET), 'cpu-streams-100'],
    ['p99-streams-8000', 'latency, 4,000 calls, p99', 'us', 'streams-8000', us('latency.p99_ns')]),
  ...group('One worker and two, 30,000 packets/s, gateway bound to no CPU (it shares both with the generator)',
    ['cpu-one-worker', 'CPU of the gateway per packet, one', 'us', 'one-worker', us(PACKET)],
    ['cpu-two-workers', 'CPU of the gateway per packet, two', 'us', 'two-workers', us(PACKET)],
    ['workers-growth', 'the latter by the former', 'times', 'two-workers', us(PACKET), 'cpu-one-worker']),
  ...group('Largest load on one worker',
    ['max-loss', 'loss below 0.1 %', 'packets/s', 'search', carried('loss_only')],
    ['max-p99', 'loss below 0.1 % and p99 below 20 ms', 'packets/s', 'search', carried('p99_below_20000_us')],
    ['max-generator', LOWER, '1 = yes', 'search', lowerBound('p99_below_20000_us')],
    ['max-p99-5ms', 'loss below 0.1 % and p99 below 5 ms', 'packets/s', 'search', carried('p99_below_5000_us')],
    ['max-generator-5ms', LOWER, '1 = yes', 'search', lowerBound('p99_below_5000_us')],
    ['max-gateway-5ms', 'CPU of the gateway in it', '% of a core', 'search', (j) => at(j, 'p99_below_5000_us.cpu.gateway_per_mille_of_a_core') / 10],
    ['max-others-5ms', 'CPU of generator and neighbours in it', '% of a core', 'search', othersAt('p99_below_5000_us')]),
  ...group('Largest load with a quarter of a core for the gateway, the far end as a network card delivers',
    ['max-quarter', 'loss below 0.1 % and p99 below 5 ms', 'packets/s', 'search-quarter', carried('p99_below_5000_us')],
    ['max-quarter-generator', LOWER, '1 = yes', 'search-quarter', lowerBound('p99_below_5000_us')],
    ['max-quarter-gateway', 'CPU of the gateway in it', '% of a core', 'search-quarter', (j) => at(j, 'p99_below_5000_us.cpu.gateway_per_mille_of_a_core') / 10],
    ['max-quarter-others', 'CPU of generator and neighbours in it', '% of a core', 'search-quarter', othersAt('p99_below_5000_us')]),
  ...group('Latency, audio, AES-CM to RTP and back',
    ...eachLoad((step, pps) => [
      [`p50-${step}`, `${pps} packets/s, p50`, 'us', step, us('latency.p50_ns')],
      [`p99-${step}`, `${pps} packets/s, p99`, 'us', step, us('latency.p99_ns')],
      [`p999-${step}`, `${pps} packets/s, p99.9`, 'us', step, us('latency.p999_ns')]])),
  ...group('Loss',
    ...eachLoad((step, pps) => [[`loss-${step}`, `${pps} packets/s`, 'ppm', step, key('loss_ppm')]])),
  ...group('CPU of the gateway per call set-up',
    ['setup-passive', 'with handshake, gateway passive', 'us', 'setup-passive', us('gateway_cpu_ns_per_setup')],
    ['setup-active', 'with handshake, gateway active', 'us', 'setup-active', us('gateway_cpu_ns_per_setup')],
    ['setup-ng', 'offer and answer, no handshake', 'us', 'ng', us('gateway_cpu_ns_per_setup')],
    ['delete-ng', 'delete', 'us', 'ng', us('deletes.gateway_cpu_ns_per_delete')]),
  ...group('Set-ups, 32 under way at once',
    ['rate-passive', 'with handshake, gateway passive', 'calls/s', 'setup-passive', key('setups_per_s')],
    ['rate-active', 'with handshake, gateway active', 'calls/s', 'setup-active', key('setups_per_s')],
    ['rate-ng', 'offer and answer', 'calls/s', 'ng', key('setups_per_s')],
    ['total-passive', 'offer to keys, gateway passive, p50', 'ms', 'setup-passive', ms('total.p50_ns')],
    ['total99-passive', 'offer to keys, gateway passive, p99', 'ms', 'setup-passive', ms('total.p99_ns')]),
  ...STORMS.flatMap(([step, rate]) => group(`ng reply while 300 calls talk (30,000 packets/s), ${rate} set-ups/s with handshake`,
    [`offer99-${step}`, 'offer, p99', 'ms', step, ms('storm.offer.p99_ns')],
    [`answer99-${step}`, 'answer, p99', 'ms', step, ms('storm.answer.p99_ns')],
    [`p99-${step}`, 'media latency meanwhile, p99', 'us', step, us('latency.p99_ns')],
    [`loss-${step}`, 'media loss meanwhile', 'ppm', step, key('loss_ppm')],
    [`up-${step}`, 'calls that came up', 'calls/s', step, key('storm.calls_up_per_s')],
    [`generator-${step}`, 'CPU of the generator', '% of a core', step, busyGenerator])),
  ...group('Memory of the gateway per call (resident set)',
    ['rss-ng', 'offer and answer, no handshake', 'kB', 'ng', (j) => perCall('gateway_with.rss_bytes', 'gateway_before.rss_bytes')(j) / 1e3],
    ['rss-idle', 'after the handshake, idle', 'kB', 'idle', kB('rss_bytes_per_call')],
    ['rss-media', 'with media (500 calls)', 'kB', 'media-500', kB('rss_bytes_per_call')],
    ['rss-kept', 'still held 2 s after all calls were deleted', 'kB', 'idle', (j) => perCall('gateway_after.rss_bytes', 'gateway_before.rss_bytes')(j) / 1e3],
    ['rss-left', 'still held 25 s after', 'kB', 'idle', (j) => perCall('gateway_later.rss_bytes', 'gateway_before.rss_bytes')(j) / 1e3],
    ['fds-idle', 'descriptors per idle call', 'number', 'idle', perCall('gateway_held.fds', 'gateway_before.fds')]),
  ...CHURNS.flatMap(([step, rate, pps]) => group(`Churn: ${rate} calls/s, each talks for 2 s (${pps} packets/s)`,
    [`cpu-${step}`, 'CPU of the gateway per call, all in', 'us', step, us('gateway_cpu_ns_per_call')],
    [`p99-${step}`, 'offer to keys, p99', 'ms', step, ms('total.p99_ns')],
    [`latency-${step}`, 'media latency, p99', 'us', step, us('latency.p99_ns')],
    [`loss-${step}`, 'loss', 'ppm', step, key('loss_ppm')],
    [`lost-${step}`, 'packets lost', 'number', step, key('lost')],
    [`generator-${step}`, 'CPU of the generator', '% of a core', step, busyGenerator])),
  ...group('Largest churn, calls of 2 s',
    ['max-churn', 'no packet lost, all calls up', 'calls/s', 'churn-search', key('no_loss.calls_per_s')],
    ['max-churn-generator', LOWER, '1 = yes', 'churn-search', lowerBound('no_loss')],
    ['max-churn-loss', 'loss below 0.1 %, all calls up', 'calls/s', 'churn-search', key('little_loss.calls_per_s')],
    ['max-churn-loss-generator', LOWER, '1 = yes', 'churn-search', lowerBound('little_loss')]),
  ...OVERLOADS.flatMap(([step, how]) => group(`Overload for 20 s and back: ${how}`,
    [`talk-${step}`, 'calls that talk before', 'calls', step, key('calls')],
    [`tried-${step}`, 'calls tried', 'calls', step, key('attempts.started')],
    [`in-${step}`, 'came in', 'calls', step, key('attempts.came_up')],
    [`urgent-${step}`, 'of the emergency calls came in', '%', step, percent('attempts.urgent_up', 'attempts.urgent')],
    [`loss-${step}`, 'loss of those that talked before, all the time', 'ppm', step, key('talkers.loss_ppm')],
    [`p99-${step}`, 'their latency meanwhile, p99', 'us', step, us('over.latency.p99_ns')],
    [`recovery-${step}`, 'latency as before and calls taken again after (-: not in 30 s)', 'ms', step, (j) => (at(j, 'recovery.after_ns') < 0 ? NaN : at(j, 'recovery.after_ns') / 1e6)])),
];

export const MARKS = ['<!-- results: written by ./dev bench -->', '<!-- /results -->'];

const load = (row, label) => ({ row, label });

export const PICTURES = [
  { file: 'cpu', kind: 'line', title: 'CPU of the gateway per relayed packet (userspace, one worker / one thread)', unit: 'us per packet',
    xlabel: 'load, thousand packets per second', points: [10, 30, 50, 100].map((x) => ({ row: `cpu-media-${x * 10}`, x })) },
  { file: 'capacity', kind: 'bar', title: 'Largest load on one worker / one thread (userspace)', unit: 'packets per second',
    points: [load('max-loss', 'loss below 0.1 %'), load('max-p99', 'loss below 0.1 % and p99 below 20 ms'), load('max-p99-5ms', 'and p99 below 5 ms')] },
  { file: 'latency', kind: 'bar', log: true, title: 'Latency through the gateway (userspace)', unit: 'us',
    points: [10, 30, 50].flatMap((x) => [['p50', 'p50'], ['p99', 'p99'], ['p999', 'p99.9']].map(([p, text]) => load(`${p}-media-${x * 10}`, `${x}k ${text}`))) },
  { file: 'setup', kind: 'bar', title: 'CPU of the gateway per call set-up (userspace)', unit: 'us per set-up',
    points: [load('setup-ng', 'offer and answer only'), load('setup-passive', 'with handshake, passive'), load('setup-active', 'with handshake, active')] },
  { file: 'memory', kind: 'bar', title: 'Memory of the gateway per call (userspace)', unit: 'kB per call',
    points: [load('rss-ng', 'no handshake'), load('rss-idle', 'idle, after handshake'), load('rss-media', 'with media')] },
];

/** One line for the person who watches. */
export function tell(step, json, rows = ROWS) {
  return rows.filter((r) => r.step === step && !r.per).slice(0, 4).map((r) => `${short(r.read(json))} ${r.unit}`).join(', ');
}
