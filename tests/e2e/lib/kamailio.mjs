// SPDX-License-Identifier: BSD-3-Clause
// Debian's Kamailio beside the gateway, with kamailio/edge.cfg.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { Proc, fatal } from './proc.mjs';
import { NET } from './sandbox.mjs';
import { until } from './wait.mjs';

export class Kamailio {
  /** flags: ims | bare | sdes; access, core: 'v4' or 'v6'. */
  static async start({ gateway, flags, access = 'v4', core = 'v4', out }) {
    const k = new Kamailio();
    const host = (ip) => (ip.includes(':') ? `[${ip}]` : ip);
    const ws = `${host(NET.access[access])}:8080`;
    k.ws = `ws://${ws}`;
    k.sip = `${host(NET.core[core])}:5060`;
    const dir = join(out, `kamailio-${flags}-${access}-${core}`);
    mkdirSync(join(dir, 'run'), { recursive: true });
    const cfg = readFileSync(fileURLToPath(new URL('../kamailio/edge.cfg', import.meta.url)), 'utf8')
      .replace('@NG@', gateway.ngPort).replace('@LISTEN@', `listen=tcp:${ws}\nlisten=udp:${k.sip}`)
      .replace('@CORE4@', NET.stranger.v4).replace('@CORE6@', NET.stranger.v6);
    writeFileSync(join(dir, 'kamailio.cfg'), cfg);
    const defs = [gateway.realms ? `FLAGS_${flags.toUpperCase()}` : 'FLAGS_RTPENGINE'];
    if (flags === 'sdes') defs.push('CORE_IS_SDES');
    if (core === 'v6') defs.push('CORE_IS_V6');
    if (access === 'v6') defs.push('ACCESS_IS_V6');
    k.proc = new Proc('kamailio', ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(dir, 'kamailio.cfg'), '-Y', join(dir, 'run'), '-w', dir,
      ...defs.flatMap((d) => ['-A', d])], { log: join(dir, 'log') });
    await until('kamailio listens', () => {
      if (!k.proc.alive) throw fatal(`kamailio ended\n${k.proc.output.slice(-2000)}`);
      return new Promise((done, fail) => {
        const s = net.connect(8080, NET.access[access], () => { s.destroy(); done(true); });
        s.on('error', fail);
      });
    }, 8000);
    await k.proc.printed(/rtpengine instance .* found|selecting rtpengine|instance <udp:127/, 1500).catch(() => {});
    return k;
  }

  /** kamailio/NAME.cfg with nothing but one UDP listener, "address:port". */
  static async startScript(name, { gateway, listen, out }) {
    const k = new Kamailio();
    const dir = join(out, `kamailio-${name}`);
    mkdirSync(join(dir, 'run'), { recursive: true });
    const cfg = readFileSync(fileURLToPath(new URL(`../kamailio/${name}.cfg`, import.meta.url)), 'utf8')
      .replace('@NG@', gateway.ngPort).replace('@LISTEN@', `listen=udp:${listen}`);
    writeFileSync(join(dir, 'kamailio.cfg'), cfg);
    k.proc = new Proc('kamailio', ['kamailio', '-DD', '-E', '-m', '32', '-M', '4', '-f', join(dir, 'kamailio.cfg'), '-Y', join(dir, 'run'), '-w', dir],
      { log: join(dir, 'log') });
    await k.proc.printed(/rtpengine instance .* found|selecting rtpengine|instance <udp:127/, 5000);
    return k;
  }

  stop() { return this.proc.stop('SIGTERM', 5000); }
}
