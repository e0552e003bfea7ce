// SPDX-License-Identifier: BSD-3-Clause
// Ports of the demo: free ones, and who listens.
import dgram from 'node:dgram';
import net from 'node:net';
import { readFileSync } from 'node:fs';

const bound = (server, ...listen) => new Promise((done, fail) => {
  server.once('error', fail);
  server[server instanceof net.Server ? 'listen' : 'bind'](...listen, () => done(server.address().port));
});

/** A port that nobody has on this address, neither by UDP nor by TCP. */
export async function freePort(address, tries = 20) {
  const tcp = net.createServer(), udp = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    const port = await bound(tcp, 0, address);
    await bound(udp, port, address);
    return port;
  } catch (e) {
    if (e.code !== 'EADDRINUSE' || tries === 0) throw new Error(`no free port on ${address}: ${e.message}`);
  } finally {
    tcp.close();
    udp.close();
  }
  return freePort(address, tries - 1);
}

/** Whether somebody of this machine listens on that port. */
export function isOpen(kind, port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const state = kind === 'tcp' ? '0A' : '07';
  return ['', '6'].some((v) => readFileSync(`/proc/net/${kind}${v}`, 'utf8').split('\n').some((l) => {
    const [, local, , st] = l.trim().split(/\s+/);
    return local?.endsWith(`:${hex}`) && st === state;
  }));
}
