#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// Makes the sample captures anew from real parts, in namespaces of its own: node make.mjs OUTPUT-FOLDER
// As root; needs build/release/agwd, the packages of tests/e2e/packages.txt, tcpdump, and dumpcap (wireshark-common).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AgentClient } from '../../../tests/e2e/lib/agent-client.mjs';
import { Browser, Endpoint } from '../../../tests/e2e/lib/browser.mjs';
import { Call, connected } from '../../../tests/e2e/lib/call.mjs';
import { Gateway } from '../../../tests/e2e/lib/gateway.mjs';
import { Proc, stopAll, udpSockets } from '../../../tests/e2e/lib/proc.mjs';
import { INNER, makeNetwork, NET, runInside, sh } from '../../../tests/e2e/lib/sandbox.mjs';
import { destination, parseSdp } from '../../../tests/e2e/lib/sdp.mjs';
import { sleep, until } from '../../../tests/e2e/lib/wait.mjs';

const SIPP = fileURLToPath(new URL('../../../tests/e2e/sipp/uas.xml', import.meta.url));

/** Captures until stop(); `argv`: tcpdump or dumpcap with its options. */
async function capture(ns, argv) {
  const proc = new Proc(argv[0], argv, { ns });
  await proc.printed(/listening on|Capturing on|File:/);
  return proc;
}
const tcpdump = (ns, dev, file, filter) => capture(ns, ['tcpdump', '-Z', 'root', '--immediate-mode', '-U', '-i', dev, '-w', file, filter]);
const dumpcap = (ns, dev, file, filter) => capture(ns, ['dumpcap', '-q', '-i', dev, '-f', filter, '-w', file]);

/** Sound that never repeats: a sweep whose loudness swells and fades as speech does. 8 kHz mono. */
function writeSweep(file, seconds) {
  const n = 8000 * seconds;
  const b = Buffer.alloc(44 + 2 * n);
  b.write('RIFF', 0);
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVEfmt ', 8);
  for (const [at, v] of [[16, 16], [24, 8000], [28, 16000], [40, 2 * n]]) b.writeUInt32LE(v, at);
  for (const [at, v] of [[20, 1], [22, 1], [32, 2], [34, 16]]) b.writeUInt16LE(v, at);
  b.write('data', 36);
  for (let i = 0; i < n; i++) {
    const t = i / 8000;
    b.writeInt16LE(Math.round(9000 * Math.sin(2 * Math.PI * (200 * t + 180 * t * t)) * Math.abs(Math.sin(7 * t))), 44 + 2 * i);
  }
  writeFileSync(file, b);
}

/** baresip calls SIPp and talks PCMA for `ms`; captured where it arrives. */
async function baresip(ctx, file, ms) {
  const dir = join(ctx.out, 'baresip');
  mkdirSync(dir, { recursive: true });
  writeSweep(join(dir, 'sweep.wav'), 20);
  writeFileSync(join(dir, 'accounts'), `<sip:bob@${NET.phone.v4}>;regint=0;audio_codecs=pcma;ptime=20\n`);
  writeFileSync(join(dir, 'contacts'), '');
  writeFileSync(join(dir, 'config'), [`sip_listen ${NET.phone.v4}:5060`, 'net_interface eth0', `audio_source aufile,${join(dir, 'sweep.wav')}`,
    'audio_player aubridge,rx', 'audio_alert aubridge,alert', 'ausrc_srate 8000', 'ausrc_channels 1', 'ausrc_format s16', 'auenc_format s16',
    'rtp_ports 10000-10999', 'module_path /usr/lib/baresip/modules', 'module g711.so', 'module aufile.so', 'module aubridge.so',
    'module_tmp account.so', 'module_app menu.so', ''].join('\n'));
  const peer = new Proc('sipp', ['sipp', '-sf', SIPP, '-i', NET.core.v4, '-mi', NET.core.v4, '-p', '5070', '-mp', '16000', '-m', '1', '-nostdin'],
    { cwd: dir, env: { TERM: 'dumb' } });
  await until('sipp listens', () => peer.alive && udpSockets().some((s) => s.endsWith(':13CE')), 4000); // 5070
  const dump = await tcpdump(null, 'cor0', file, `udp and src host ${NET.phone.v4} and dst port 16000`);
  const phone = new Proc('baresip', ['baresip', '-f', dir, '-e', `/dial sip:uas@${NET.core.v4}:5070`], { ns: ctx.net.core, cwd: dir });
  await phone.printed(/Call established/, 8000);
  await sleep(ms); // the length of the sample
  await dump.stop('SIGINT');
  await phone.stop();
  await peer.stop();
}

/** A phone's answer with the codecs `wanted` of the offer, as "name/rate". */
function answer(offerText, ip, ports, wanted) {
  const offer = parseSdp(offerText);
  const family = ip.includes(':') ? 'IP6' : 'IP4';
  const out = ['v=0', `o=- 1 1 IN ${family} ${ip}`, 's=-', `c=IN ${family} ${ip}`, 't=0 0'];
  for (const m of offer.medias) {
    const pts = wanted.map((w) => m.lines.map((l) => /^a=rtpmap:(\d+) (.*)$/.exec(l)).find((x) => x && x[2].startsWith(w))?.[1]).filter(Boolean);
    if (pts.length === 0 || !ports[m.kind]) out.push(`m=${m.kind} 0 ${m.proto} ${m.pts[0]}`);
    else out.push(`m=${m.kind} ${ports[m.kind]} ${m.proto} ${pts.join(' ')}`, ...m.lines.filter((l) => pts.some((pt) => l.startsWith(`a=rtpmap:${pt} `))), 'a=sendrecv');
  }
  return `${out.join('\r\n')}\r\n`;
}

/** Chromium calls a phone through agwd; `record(page)` runs once it is connected. */
async function chromium(ctx, { page: pageOptions, ip = NET.phone.v4, wanted, kind, keys = {} }, record) {
  const gateway = await new Gateway({ gateway: 'agwd', build: ctx.build, out: ctx.out }).start();
  const agent = new AgentClient(ctx.net.core, join(ctx.out, 'agent.log'));
  const browser = await Browser.launch('br', ctx.net.br, ctx.out);
  const page = await Endpoint.open(browser, pageOptions);
  const phone = await agent.phone({ address: ip, mode: 'echo', video: kind === 'video' });
  const call = new Call(gateway);
  const toCore = await call.offer(await page.offer(), { toward: 'core', at: NET.browser.v4, keys });
  const sdp = parseSdp(toCore);
  await phone.setRemote(destination(sdp, sdp.medias.find((m) => m.kind === kind)));
  await page.answer(await call.answer(answer(toCore, ip, { [kind]: phone.port }, wanted), { toward: 'browser', at: ip }));
  await connected(page);
  await until('media arrives', async () => (await phone.stats()).rx.packets > 0, 8000);
  await record(page, phone);
  await page.close();
  await browser.close();
  await agent.stop();
  await gateway.stop();
}

async function inner(out) {
  const net = makeNetwork();
  const ctx = { net, out: join(out, 'work'), build: fileURLToPath(new URL('../../../build/release', import.meta.url)) };
  mkdirSync(ctx.out, { recursive: true });
  const fromGateway = (ip) => `udp and src host ${ip} and src portrange 20000-29999`;

  await baresip(ctx, join(out, 'pcma-baresip.pcap'), 5000);

  await chromium(ctx, { page: { tone: 440, video: 'camera' }, wanted: ['VP8/90000'], kind: 'video' }, async () => {
    const dump = await dumpcap(net.core, 'eth0', join(out, 'vp8-chromium.pcapng'), fromGateway(NET.core.v4));
    await sleep(8000);
    await dump.stop('SIGINT');
  });

  await chromium(ctx, { page: { tone: 440 }, wanted: ['PCMU/8000', 'telephone-event/8000'], kind: 'audio' }, async (page) => {
    const dump = await tcpdump(net.core, 'any', join(out, 'dtmf-chromium.pcap'), fromGateway(NET.core.v4));
    await page.page.evaluate(() => rig.pc.getSenders()[0].dtmf.insertDTMF('159D#', 100, 70));
    await sleep(2500);
    await dump.stop('SIGINT');
  });

  // 5 % of what the browser sends is lost on its way to the gateway: the numbers have gaps
  sh('nft', 'add table inet loss; add chain inet loss in { type filter hook input priority 0; }; add rule inet loss in iifname acc0 udp length > 60 numgen random mod 100 < 5 drop');
  await chromium(ctx, { page: { tone: 'mic' }, ip: NET.phone.v6, keys: { 'address-family': 'IP6' }, wanted: ['opus/48000'], kind: 'audio' }, async () => {
    const dump = await tcpdump(net.core, 'eth0', join(out, 'opus-ipv6-loss.pcap'), fromGateway(NET.core.v6));
    await sleep(6000);
    await dump.stop('SIGINT');
  });
  await stopAll();
  return 0;
}

const [first, ...rest] = process.argv.slice(2);
if (first === INNER) process.exit(await inner(resolve(rest[0])));
if (!first) throw new Error('where to?');
mkdirSync(first, { recursive: true });
process.exit(await runInside(fileURLToPath(import.meta.url), [first]));
