// SPDX-License-Identifier: BSD-3-Clause
// The standard campaign: which program runs, which figures of its JSON become rows of the table, what is drawn.
import { at, short } from './summary.mjs';

const AES = 'AES_CM_128_HMAC_SHA1_80';
const GCM = 'AEAD_AES_128_GCM';

/** id, and the command line without the common options. `wide`: not in a quick run. */
export function steps({ quick }) {
  const seconds = `--seconds=${quick ? 2 : 4}`;
  const media = (calls, suite, ...more) => ['load', 'media', `--calls=${calls}`, `--suite=${suite}`, seconds, ...more];
  const n = quick ? 200 : 1000;
  const all = [
    { id: 'media-100', argv: media(100, AES) },
    { id: 'media-300', argv: media(300, AES), wide: true },
    { id: 'media-500', argv: media(500, AES), wide: true },
    { id: 'gcm-300', argv: media(300, GCM), wide: true },
    { id: 'plain-300', argv: media(300, AES, '--kind=rtp-rtp'), wide: true },
    { id: 'video-60', argv: media(60, AES, '--media=video'), wide: true },
    { id: 'search', argv: ['load', 'search', '--calls=300', '--seconds=2', '--step-percent=8', `--suite=${AES}`], wide: true },
    { id: 'setup-passive', argv: ['load', 'setup', `--calls=${n}`, '--in-flight=32', `--suite=${AES}`] },
    { id: 'setup-active', argv: ['load', 'setup', `--calls=${n}`, '--in-flight=32', `--suite=${AES}`, '--gateway-dtls=active'], wide: true },
    { id: 'ng', argv: ['load', 'ng', `--calls=${n}`, '--in-flight=32', `--suite=${AES}`] },
    { id: 'idle', argv: ['load', 'idle', `--calls=${n}`, seconds, `--suite=${AES}`] },
    { id: 'storm', argv: ['load', 'storm', '--calls=300', '--rate=40', seconds, `--suite=${AES}`] },
    { id: 'churn', argv: ['load', 'churn', '--rate=50', seconds, `--suite=${AES}`] },
  ];
  return all.filter((s) => !quick || !s.wide);
}

const key = (path) => (j) => at(j, path);
const us = (path) => (j) => at(j, path) / 1e3;
const ms = (path) => (j) => at(j, path) / 1e6;
const perCall = (after, before) => (j) => (at(j, after) - at(j, before)) / j.calls;
const kB = (path) => (j) => at(j, path) / 1e3;
const PACKET = 'gateway_cpu_ns_per_packet';

const group = (name, ...rows) => rows.map(([id, text, unit, step, read]) => ({ id, group: name, text, unit, step, read }));

const CALLS = { 'media-100': '10,000', 'media-300': '30,000', 'media-500': '50,000' };
const eachLoad = (make) => Object.entries(CALLS).flatMap(([step, pps]) => make(step, pps));

export const ROWS = [
  ...group('CPU of the gateway per relayed packet, audio, SRTP AES-CM to RTP',
    ...eachLoad((step, pps) => [[`cpu-${step}`, `${pps} packets/s`, 'us', step, us(PACKET)]])),
  ...group('The same at 30,000 packets/s, other media',
    ['cpu-gcm', 'SRTP AES-GCM to RTP', 'us', 'gcm-300', us(PACKET)],
    ['cpu-plain', 'RTP to RTP', 'us', 'plain-300', us(PACKET)],
    ['cpu-video', 'video, 1200 bytes in bursts of 10, AES-CM to RTP', 'us', 'video-60', us(PACKET)]),
  ...group('CPU of the whole machine per relayed packet, interrupts included (on one machine: generator included)',
    ...eachLoad((step, pps) => [[`machine-${step}`, `${pps} packets/s`, 'us', step, us('machine_cpu_ns_per_packet')]])),
  ...group('Largest load on one worker',
    ['max-loss', 'loss below 0.1 %', 'packets/s', 'search', (j) => at(j, 'loss_only.calls') * 100],
    ['max-p99', 'loss below 0.1 % and p99 below 20 ms', 'packets/s', 'search', (j) => at(j, 'loss_and_p99.calls') * 100],
    ['max-generator', 'the latter was not ended by the gateway: a lower bound', '1 = yes', 'search', (j) => (at(j, 'loss_and_p99.bounded_by') === 'gateway' ? 0 : 1)]),
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
  ...group('ng reply while 300 calls talk (30,000 packets/s), 40 set-ups/s',
    ['offer99', 'offer, p99', 'ms', 'storm', ms('storm.offer.p99_ns')],
    ['answer99', 'answer, p99', 'ms', 'storm', ms('storm.answer.p99_ns')],
    ['storm-p99', 'media latency meanwhile, p99', 'us', 'storm', us('latency.p99_ns')]),
  ...group('Memory of the gateway per call (resident set)',
    ['rss-ng', 'offer and answer, no handshake', 'kB', 'ng', (j) => perCall('gateway_with.rss_bytes', 'gateway_before.rss_bytes')(j) / 1e3],
    ['rss-idle', 'after the handshake, idle', 'kB', 'idle', kB('rss_bytes_per_call')],
    ['rss-media', 'with media (500 calls)', 'kB', 'media-500', kB('rss_bytes_per_call')],
    ['rss-kept', 'still held 2 s after all calls were deleted', 'kB', 'idle', (j) => perCall('gateway_after.rss_bytes', 'gateway_before.rss_bytes')(j) / 1e3],
    ['fds-idle', 'descriptors per idle call', 'number', 'idle', perCall('gateway_held.fds', 'gateway_before.fds')]),
  ...group('Churn: 50 calls/s, each talks for 2 s (10,000 packets/s)',
    ['churn-cpu', 'CPU of the gateway per call, all in', 'us', 'churn', us('gateway_cpu_ns_per_call')],
    ['churn-p99', 'offer to keys, p99', 'ms', 'churn', ms('total.p99_ns')],
    ['churn-loss', 'loss', 'ppm', 'churn', key('loss_ppm')]),
];

const load = (row, label) => ({ row, label });

export const PICTURES = [
  { file: 'cpu', kind: 'line', title: 'CPU of the gateway per relayed packet (userspace, one worker / one thread)', unit: 'us per packet',
    xlabel: 'load, thousand packets per second', points: [10, 30, 50].map((x) => ({ row: `cpu-media-${x * 10}`, x })) },
  { file: 'capacity', kind: 'bar', title: 'Largest load on one worker / one thread (userspace)', unit: 'packets per second',
    points: [load('max-loss', 'loss below 0.1 %'), load('max-p99', 'loss below 0.1 % and p99 below 20 ms')] },
  { file: 'latency', kind: 'bar', log: true, title: 'Latency through the gateway (userspace)', unit: 'us',
    points: [10, 30, 50].flatMap((x) => [['p50', 'p50'], ['p99', 'p99'], ['p999', 'p99.9']].map(([p, text]) => load(`${p}-media-${x * 10}`, `${x}k ${text}`))) },
  { file: 'setup', kind: 'bar', title: 'CPU of the gateway per call set-up (userspace)', unit: 'us per set-up',
    points: [load('setup-ng', 'offer and answer only'), load('setup-passive', 'with handshake, passive'), load('setup-active', 'with handshake, active')] },
  { file: 'memory', kind: 'bar', title: 'Memory of the gateway per call (userspace)', unit: 'kB per call',
    points: [load('rss-ng', 'no handshake'), load('rss-idle', 'idle, after handshake'), load('rss-media', 'with media')] },
];

/** One line for the person who watches. */
export function tell(step, json) {
  return ROWS.filter((r) => r.step === step).slice(0, 4).map((r) => `${short(r.read(json))} ${r.unit}`).join(', ');
}
