// SPDX-License-Identifier: BSD-3-Clause
// Debian's Kamailio beside the gateway with deploy/kamailio/kamailio.cfg, one process a role: the eP-CSCF, and an S-CSCF behind it.
// Only local.cfg and breakout.cfg are the rig's.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { Proc, fatal } from './proc.mjs';
import { NET, sh } from './sandbox.mjs';
import { until } from './wait.mjs';

const CONFIG = fileURLToPath(new URL('../../../deploy/kamailio/kamailio.cfg', import.meta.url));
const PORT = { wss: 8443, access: 5080, pcscf: 5060, scscf: 5062, events: 8448 };
/** Where the border of the other network (far.cfg) takes calls. */
export const FAR = `${NET.stranger.v4}:5064`;
/** What makes the gateway tell the eP-CSCF of its events. */
export const NOTIFY = `--notify=evapi:127.0.0.1:${PORT.events}`;
const host = (ip) => (ip.includes(':') ? `[${ip}]` : ip);
const exactly = (ip) => `^${host(ip).replace(/[.[\]]/g, '\\$&')}$`;

/** What rtpengine_manage() is given, by way of asking: toward the core, toward browsers; `first`: in first offers only. */
function mediaKeys(flags, access, core) {
  const replace = 'replace-origin replace-session-connection';
  if (flags === 'bare') return {};
  if (flags === 'ims')
    return { toCore: `flags=loop-protect ${replace} ICE=remove RTP AVP`, toBrowser: `flags=loop-protect ${replace} ICE=force SRTP AVPF DTLS=passive`, bareInDialog: true };
  if (flags === 'dtls') // an offer with DTLS looks like a browser's, so the realms are named
    return { toCore: `UDP/TLS/RTP/SAVP ICE=remove SDES-off ${replace}`, bareInDialog: true, firstToCore: 'direction=access direction=core', firstToBrowser: 'direction=core direction=access' };
  if (flags === 'sdes') return { toCore: `RTP/SAVP ICE=remove rtcp-mux-demux DTLS=off ${replace}`, bareInDialog: true };
  const family = core === access ? ['', ''] : core === 'v6' ? [' address-family=IP6', ' address-family=IP4'] : [' address-family=IP4', ' address-family=IP6'];
  const secured = flags === 'rtpengine-sdes' ? 'RTP/SAVP ICE=remove rtcp-mux-demux SDES-pad' : 'RTP/AVP ICE=remove rtcp-mux-demux SDES-off';
  return {
    toCore: `${secured} DTLS-reverse=passive ${replace}${family[0]}`,
    toBrowser: `UDP/TLS/RTP/SAVPF ICE=force rtcp-mux-require SDES-off generate-mid DTLS=passive ${replace}${family[1]}`,
    firstToCore: 'direction=access direction=core', firstToBrowser: 'direction=core direction=access',
  };
}

function localCfg({ gateway, access, core, dir, keys, switches }) {
  const a = NET.access[access], c = NET.core[core];
  const text = {
    MY_DOMAIN: 'e2e.test', TLS_CERTIFICATE: join(dir, 'cert.pem'), TLS_KEY: join(dir, 'key.pem'), ALLOWED_ORIGIN: '^http://localhost:[0-9]+$', ALLOWED_HOST: exactly(a),
    CORE_URI: `sip:${host(c)}:${PORT.pcscf}`, SCSCF_URI: `sip:${host(c)}:${PORT.scscf}`, ECSCF_URI: `sip:${host(c)}:${PORT.scscf}`, CORE_PEERS: exactly(c).replace(/\\[[\]]/g, ''),
    GATEWAY: `udp:127.0.0.1:${gateway.ngPort}`, EVENTS: `127.0.0.1:${PORT.events}`, PASSWORD: 'secret',
    MEDIA_TO_CORE: keys.toCore ?? '', MEDIA_TO_BROWSER: keys.toBrowser ?? '', MEDIA_FIRST_TO_CORE: keys.firstToCore ?? '', MEDIA_FIRST_TO_BROWSER: keys.firstToBrowser ?? '',
  };
  const words = {
    LISTEN_ACCESS: `tls:${host(a)}:${PORT.wss}`, LISTEN_ACCESS_UDP: `udp:${host(a)}:${PORT.access}`, LISTEN_CORE: `udp:${host(c)}:${PORT.pcscf}`, LISTEN_SCSCF: `udp:${host(c)}:${PORT.scscf}`,
    ACCESS_UDP: PORT.access, OWN_BREAKOUT: 1, ...(keys.bareInDialog ? { MEDIA_BARE_IN_DIALOG: 1 } : {}), ...switches,
  };
  return [...Object.entries(text).map(([k, v]) => `#!define ${k} "${v}"`), ...Object.entries(words).map(([k, v]) => `#!define ${k} ${v}`), ''].join('\n');
}

/** Who is not registered: SIPp's users behind the S-CSCF. forkN reaches N of them at once, on ports 5070, 5071 ... */
function breakoutCfg() {
  const at = (i) => `sip:${NET.stranger.v4}:${5070 + i}`;
  const forks = [2, 5].map((n) => [`    if ($rU == "fork${n}") {`, ...Array.from({ length: n }, (_, i) => (i === 0 ? `        $ru = "sip:fork${n}@${NET.stranger.v4}:5070";` : `        append_branch("sip:fork${n}@${NET.stranger.v4}:${5070 + i}");`)), '        return;', '    }'].join('\n'));
  return `route[BREAKOUT] {
    if ($rU =~ "^(uas|112)$") { $du = "${at(0)}"; return; }
    if ($rU == "far") { $du = "sip:${FAR}"; return; }
    if ($rU == "uas6") { $du = "sip:[${NET.stranger.v6}]:5070"; return; }
${forks.join('\n')}
    sl_send_reply("404", "Not Found");
    exit;
}
`;
}

export class Kamailio {
  /** flags: ims | bare | sdes | dtls (toward the core); access, core: 'v4' or 'v6'; switches: more #!defines. */
  static async start({ gateway, flags, access = 'v4', core = 'v4', out, switches = {} }) {
    const k = new Kamailio();
    k.ws = `wss://${host(NET.access[access])}:${PORT.wss}`;
    k.sip = `${host(NET.core[core])}:${PORT.scscf}`; // where phones register and call: the S-CSCF
    k.access = `${host(NET.access[access])}:${PORT.access}`; // SIPp as a browser
    const dir = join(out, `kamailio-${flags}-${access}-${core}-${Object.keys(switches).join('-')}`);
    mkdirSync(dir, { recursive: true });
    const asked = gateway.realms ? flags : flags === 'sdes' ? 'rtpengine-sdes' : 'rtpengine';
    sh('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=e2e.test', '-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem'));
    copyFileSync(CONFIG, join(dir, 'kamailio.cfg'));
    writeFileSync(join(dir, 'local.cfg'), localCfg({ gateway, access, core, dir, keys: mediaKeys(asked, access, core), switches }));
    writeFileSync(join(dir, 'breakout.cfg'), breakoutCfg());
    const role = (name) => {
      const run = join(dir, name.toLowerCase());
      mkdirSync(run, { recursive: true });
      return new Proc(`kamailio-${name.toLowerCase()}`, ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(dir, 'kamailio.cfg'), '-Y', run, '-w', run, '-A', `ROLE_${name}`], { log: join(dir, `${name.toLowerCase()}.log`) });
    };
    k.scscf = role('SCSCF');
    k.proc = role('PCSCF');
    await until('kamailio listens', () => {
      for (const p of [k.proc, k.scscf]) if (!p.alive) throw fatal(`${p.name} ended\n${p.output.slice(-2000)}`);
      return new Promise((done, fail) => {
        const s = net.connect(PORT.wss, NET.access[access], () => { s.destroy(); done(true); });
        s.on('error', fail);
      });
    }, 8000);
    await k.proc.printed(/rtpengine instance .* found|selecting rtpengine|instance <udp:127/, 1500).catch(() => {});
    return k;
  }

  /** kamailio/NAME.cfg with nothing but one UDP listener, "address:port"; words: what else stands between at signs. */
  static async startScript(name, { gateway, listen, out, ns = null, words = {} }) {
    const k = new Kamailio();
    const dir = join(out, `kamailio-${name}`);
    mkdirSync(join(dir, 'run'), { recursive: true });
    const all = { NG: gateway.ngPort, LISTEN: `listen=udp:${listen}`, ...words };
    const cfg = readFileSync(fileURLToPath(new URL(`../kamailio/${name}.cfg`, import.meta.url)), 'utf8').replace(/@([A-Z_]+)@/g, (_, word) => all[word]);
    writeFileSync(join(dir, 'kamailio.cfg'), cfg);
    k.proc = new Proc('kamailio', ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(dir, 'kamailio.cfg'), '-Y', join(dir, 'run'), '-w', dir],
      { ns, log: join(dir, 'log') });
    await k.proc.printed(/rtpengine instance .* found|selecting rtpengine|instance <udp:127/, 5000);
    return k;
  }

  /** SIGSTOP to the eP-CSCF, its workers too; returns the way back. */
  freeze() {
    const pids = sh('ps', '-o', 'pid=', '--ppid', String(this.proc.pid)).trim().split(/\s+/).map(Number);
    const tell = (signal) => [this.proc.pid, ...pids].forEach((pid) => process.kill(pid, signal));
    tell('SIGSTOP');
    return () => { if (this.proc.alive) tell('SIGCONT'); };
  }

  async stop() {
    await Promise.all([this.proc, this.scscf].map((p) => p?.stop('SIGTERM', 5000)));
  }
}
