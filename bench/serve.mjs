#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// The gateway's side of a bench on two machines (docs/bench-on-your-NIC.md): starts and stops gateways when the
// generator's machine asks for it, and tells it what they use.
//
// TCP, HTTP:  POST /start?gateway=KIND&variant=NAME  POST /stop  GET /about        JSON replies
// UDP, same port:  any datagram is answered with "CPU_NS RSS_BYTES FDS THREADS MACHINE_CPU_NS", zeros = none runs
import dgram from 'node:dgram';
import http from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchGateway, commandLine, GATEWAYS } from './lib/gateway.mjs';
import { NET } from './lib/net.mjs';
import { SERVICE_PORT as PORT } from './lib/remote.mjs';
import { describeBuild, describeMachine, describeVersions } from './lib/machine.mjs';
import { stopAll } from '../tests/e2e/lib/proc.mjs';

const HELP = `usage: ./dev bench serve --listen=ADDRESS --generator=ADDRESS [OPTIONS]

  --listen=ADDRESS       this machine's address on the bench link: media, ng (port 2223) and this service (port 2224)
  --generator=ADDRESS    the other machine's: only it is answered, and callers (10.99.0.0/16) are routed to it
  --core=ADDRESS         a second address for the core side; default the same
  --workers=N            default 1
  --gateway-cpus=LIST    default: not pinned
  --hosts=PREFIX         default 10.99.0.0/16`;

const opts = { listen: '', generator: '', core: '', workers: '1', 'gateway-cpus': '', hosts: NET.hosts };
for (const a of process.argv.slice(2)) {
  const [, name, value] = /^--([a-z-]+)=(.*)$/.exec(a) ?? [];
  if (!(name in opts)) die(HELP);
  opts[name] = value;
}
if (!opts.listen || !opts.generator) die(HELP);

const build = fileURLToPath(new URL('../build/bench', import.meta.url));
const net = { ...NET, gw: null, gen: null, access: opts.listen, core: opts.core || opts.listen, generator: opts.generator, allow: [`${opts.generator}/32`, `${opts.listen}/32`], hosts: opts.hosts };
const gatewayOptions = { ...opts, net, build, out: join(build, 'out') };
let gateway = null;

function die(text) {
  console.error(text);
  process.exit(2);
}

function route(verb) {
  const r = spawnSync('ip', ['route', verb, net.hosts, 'via', net.generator], { encoding: 'utf8' });
  if (r.status !== 0 && verb === 'add') die(`ip route ${verb} ${net.hosts} via ${net.generator}: ${r.stderr || r.error}`);
}

/** Run time of all threads in ns (schedstat), memory, descriptors; and the busy time of all CPUs, interrupts included. */
function usage(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const cpu = threads.reduce((sum, t) => sum + Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]), 0);
  const [, user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/).map(Number);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  const machine = (user + nice + system + irq + softirq) * 1e7;
  return [cpu, rss, readdirSync(`/proc/${pid}/fd`).length, threads.length, machine].join(' ');
}

const service = {
  'GET /about': async () => ({ machine: describeMachine(), versions: describeVersions(build), build: describeBuild(build), workers: opts.workers, cpus: opts['gateway-cpus'], access: net.access, core: net.core, hosts: net.hosts,
    commands: Object.fromEntries(GATEWAYS.map((g) => [g, commandLine(g, gatewayOptions).join(' ')])) }),
  'POST /start': async (query) => {
    await service['POST /stop']();
    gateway = new BenchGateway(query.get('gateway'), gatewayOptions, query.get('variant') ?? undefined);
    await gateway.start();
    return { started: gateway.kind };
  },
  'POST /stop': async () => {
    const wrong = await gateway?.stop();
    gateway = null;
    return { wrong: wrong ?? null };
  },
};

const server = http.createServer(async (request, response) => {
  const url = new URL(request.url, 'http://bench');
  const act = request.socket.remoteAddress === net.generator ? service[`${request.method} ${url.pathname}`] : null;
  try {
    const reply = act ? await act(url.searchParams) : null;
    response.writeHead(reply ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  } catch (e) {
    response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify({ wrong: e.message }));
  }
});

const udp = dgram.createSocket('udp4');
udp.on('message', (_, from) => {
  if (from.address !== net.generator) return;
  let reply = '0 0 0 0 0'; // no gateway
  try {
    if (gateway?.alive) reply = usage(gateway.pid);
  } catch { /* it ended meanwhile */ }
  udp.send(reply, from.port, from.address);
});

async function end() {
  await stopAll();
  route('del');
  process.exit(0);
}
for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(sig, end);
server.on('error', (e) => { route('del'); die(e.message); });
udp.on('error', (e) => { route('del'); die(e.message); });

route('add');
udp.bind(PORT, opts.listen);
server.listen(PORT, opts.listen, () => console.log(`serving ${opts.generator} on ${opts.listen}:${PORT}; Ctrl-C ends it`));
