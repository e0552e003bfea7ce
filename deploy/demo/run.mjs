#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// A whole access node on this machine: the gateway, Kamailio with ../kamailio/kamailio.cfg (eP-CSCF and S-CSCF role), coturn, two
// phones and a web server with a page that registers and calls. Ctrl-C ends all of it. Everything is on loopback; with --address=
// browsers of other machines may come, too.
//
//   browser --http, SIP over WebSocket--> [web server] --TLS--> [eP-CSCF] --UDP--> [S-CSCF] --> phones "echo" and "tone"
//      |                                                          | ng
//      +----ICE, DTLS-SRTP, or by TURN over [coturn]--------> [agwd] <---------RTP----------------+
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { daemon, daemonEnv } from '../../tests/e2e/lib/gateway.mjs';
import { Proc, stopAll } from '../../tests/e2e/lib/proc.mjs';
import { sh } from '../../tests/e2e/lib/sandbox.mjs';
import { until } from '../../tests/e2e/lib/wait.mjs';
import { freePort, isOpen } from './ports.mjs';
import { serve } from './web.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const CONFIG = join(HERE, '../kamailio/kamailio.cfg');
const DOMAIN = 'demo.ims.example';
const CORE = '127.0.0.1'; // the gateway's core side, S-CSCF and phones

const USAGE = `usage: ./dev demo [OPTIONS]
  --port=N         port of the page (default: 8080)
  --address=IP     for browsers of other machines: the page by HTTPS, media and TURN on that address (default: 127.0.0.1)
  --ice=lite|full  ICE agent of the gateway (default: as agwd has it)
  --build=DIR      where agwd is (default: build/release)
  --out=DIR        logs, certificate and configuration (default: build/demo)`;

function options(argv) {
  const o = { port: '8080', address: '127.0.0.1', ice: '', build: resolve(HERE, '../../build/release'), out: resolve(HERE, '../../build/demo'), io: '' };
  for (const a of argv) {
    const [, name, value] = /^--(port|address|ice|build|out)=(.+)$/.exec(a) ?? [];
    if (!name) { console.error(USAGE); process.exit(2); }
    o[name] = ['build', 'out'].includes(name) ? resolve(value) : value;
  }
  if (!isIP(o.address)) { console.error(`--address wants an IP address, not ${o.address}`); process.exit(2); }
  return { ...o, port: Number(o.port), local: o.address === '127.0.0.1' };
}

const host = (ip) => (ip.includes(':') ? `[${ip}]` : ip);
const pattern = (text) => text.replace(/[.[\]]/g, '\\$&');

/** One free port for everything that listens; what stands beside the demo keeps its own. */
async function choosePorts(address) {
  const at = { ng: '127.0.0.1', events: '127.0.0.1', wss: address, access: address, turn: address, pcscf: CORE, scscf: CORE, phones: CORE };
  const ports = {};
  for (const [name, ip] of Object.entries(at)) ports[name] = await freePort(ip);
  return ports;
}

function startGateway(o, ports) {
  return new Proc('agwd', daemon(o, '--foreground', `--interface=access/${o.address}`, `--interface=core/${CORE}`, `--listen-ng=127.0.0.1:${ports.ng}`,
    `--access-port=${ports.access}`, `--notify=evapi:127.0.0.1:${ports.events}`, '--delete-delay=0'), { env: daemonEnv(o), log: join(o.out, 'agwd.log') });
}

/** Who may connect: our own page, by the web server in front. */
function localCfg(o, ports, origin) {
  const text = {
    MY_DOMAIN: DOMAIN, PASSWORD: o.password, TLS_CERTIFICATE: join(o.out, 'cert.pem'), TLS_KEY: join(o.out, 'key.pem'),
    ALLOWED_ORIGIN: `^${pattern(origin)}$`, ALLOWED_HOST: `^${pattern(new URL(origin).hostname)}$`,
    CORE_URI: `sip:${CORE}:${ports.pcscf}`, SCSCF_URI: `sip:${CORE}:${ports.scscf}`, ECSCF_URI: `sip:${CORE}:${ports.scscf}`, CORE_PEERS: `^${pattern(CORE)}$`,
    GATEWAY: `udp:127.0.0.1:${ports.ng}`, EVENTS: `127.0.0.1:${ports.events}`,
  };
  const words = { LISTEN_ACCESS: `tls:${host(o.address)}:${ports.wss}`, LISTEN_CORE: `udp:${CORE}:${ports.pcscf}`, LISTEN_SCSCF: `udp:${CORE}:${ports.scscf}` };
  return [...Object.entries(text).map(([k, v]) => `#!define ${k} "${v}"`), ...Object.entries(words).map(([k, v]) => `#!define ${k} ${v}`), ''].join('\n');
}

function startKamailio(o, role) {
  const run = join(o.out, role.toLowerCase());
  mkdirSync(run, { recursive: true });
  return new Proc(`kamailio ${role}`, ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(o.out, 'kamailio.cfg'), '-Y', run, '-w', run, '-A', `ROLE_${role}`],
    { log: join(o.out, `${role.toLowerCase()}.log`) });
}

/** Passwords by time (TURN REST API): the web server makes them from the same secret. */
function startCoturn(o, ports) {
  return new Proc('turnserver', ['turnserver', '-n', `--listening-ip=${o.address}`, `--relay-ip=${o.address}`, `--listening-port=${ports.turn}`, '--use-auth-secret',
    `--static-auth-secret=${o.secret}`, `--realm=${DOMAIN}`, '--no-tls', '--no-dtls', '--no-cli', ...(o.local ? ['--allow-loopback-peers'] : []), '--min-port=49152', '--max-port=49999',
    '--log-file=stdout', '--simple-log', `--pidfile=${join(o.out, 'turn.pid')}`, `--userdb=${join(o.out, 'turn.db')}`], { log: join(o.out, 'turnserver.log') });
}

/** Two subscribers behind the S-CSCF: "echo" gives back what it hears, "tone" plays 440 Hz. */
function startPhones(o, ports) {
  const dir = join(o.out, 'phones');
  mkdirSync(dir, { recursive: true });
  const account = (user, sound) => `<sip:${user}@${DOMAIN}>;outbound="sip:${CORE}:${ports.scscf}";auth_user=${user};auth_pass=${o.password};answermode=auto;audio_codecs=pcma;ptime=20;regint=300;${sound}\n`;
  writeFileSync(join(dir, 'accounts'), account('echo', 'audio_source=aubridge,echo;audio_player=aubridge,echo') + account('tone', 'audio_source=ausine,440;audio_player=aubridge,nobody'));
  writeFileSync(join(dir, 'contacts'), '');
  writeFileSync(join(dir, 'config'), [`sip_listen ${CORE}:${ports.phones}`, `net_interface ${CORE}`, 'call_max_calls 4', 'ausrc_srate 48000', 'auplay_srate 48000', 'ausrc_channels 2', 'auplay_channels 2',
    'ausrc_format s16', 'auplay_format s16', 'auenc_format s16', 'audec_format s16', 'audio_buffer 20-160', 'audio_alert aubridge,alert', 'rtp_ports 10000-10999', 'jitter_buffer_delay 2-5',
    'module_path /usr/lib/baresip/modules', ...['g711', 'ausine', 'aubridge'].map((m) => `module ${m}.so`), 'module_tmp uuid.so', 'module_tmp account.so', 'module_app menu.so', ''].join('\n'));
  return new Proc('baresip', ['baresip', '-f', dir], { log: join(o.out, 'phones.log'), cwd: dir });
}

function certificate(o) {
  sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', `/CN=${DOMAIN}`,
    '-addext', `subjectAltName=IP:${o.address}`, '-keyout', join(o.out, 'key.pem'), '-out', join(o.out, 'cert.pem'));
}

/** In the order in which they need each other; each is waited for. */
async function startAll(o) {
  const ports = await choosePorts(o.address);
  const origin = o.local ? `http://localhost:${o.port}` : `https://${host(o.address)}:${o.port}`;
  const parts = [];
  const up = async (proc, what, ready) => {
    parts.push(proc);
    await until(`${proc.name} listens`, () => {
      if (!proc.alive) throw Object.assign(new Error(`${proc.name} ended: ${proc.error?.message ?? proc.output.slice(-1500)}`), { fatal: true });
      return ready(proc);
    }, 10000);
    console.log(`  ${proc.name.padEnd(14)} ${what}`);
  };
  certificate(o);
  copyFileSync(CONFIG, join(o.out, 'kamailio.cfg'));
  writeFileSync(join(o.out, 'local.cfg'), localCfg(o, ports, origin));
  await up(startGateway(o, ports), `access ${host(o.address)}:${ports.access}, core ${CORE}, ng 127.0.0.1:${ports.ng}`, (p) => /listening for ng/.test(p.output));
  await up(startKamailio(o, 'SCSCF'), `S-CSCF role, udp ${CORE}:${ports.scscf}`, () => isOpen('udp', ports.scscf));
  await up(startKamailio(o, 'PCSCF'), `eP-CSCF, wss ${host(o.address)}:${ports.wss}, udp ${CORE}:${ports.pcscf}`, () => isOpen('tcp', ports.wss));
  await up(startCoturn(o, ports), `TURN ${host(o.address)}:${ports.turn}`, () => isOpen('udp', ports.turn));
  await up(startPhones(o, ports), 'phones "echo" and "tone"', (p) => (p.output.match(/200 OK/g) ?? []).length >= 2);
  await serve({ ...o, origin, domain: DOMAIN, ports });
  console.log(`  ${'web server'.padEnd(14)} the page, and its WebSocket to the eP-CSCF`);
  return { origin, parts };
}

function tell(o, origin) {
  console.log(`
Open    ${origin}/
Press   "Call echo": you hear yourself. "Call tone": 440 Hz.
Or      open it in a second window and call that one by its name.
TURN    tick "through TURN only": all media goes through coturn.
${o.local ? '' : 'The certificate is self-signed: the browser asks once.\n'}Logs    ${o.out}
Ctrl-C ends everything.`);
}

async function main() {
  const o = { ...options(process.argv.slice(2)), password: randomBytes(9).toString('hex'), secret: randomBytes(16).toString('hex') };
  let ending = false;
  const end = async (code, why) => {
    if (ending) return;
    ending = true;
    if (why) console.log(why);
    await stopAll();
    process.exit(code);
  };
  for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(sig, () => end(0, '\nended'));
  rmSync(o.out, { recursive: true, force: true });
  mkdirSync(o.out, { recursive: true });
  try {
    const { origin, parts } = await startAll(o);
    for (const p of parts) p.exited.then(() => end(1, `${p.name} has ended, see ${p.logFile}`));
    tell(o, origin);
  } catch (e) {
    await end(1, `demo: ${e.message}`);
  }
}

await main();
