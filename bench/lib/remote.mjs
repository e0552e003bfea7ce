// SPDX-License-Identifier: BSD-3-Clause
// The generator's side of a bench on two machines; bench/serve.mjs is the other one.
import http from 'node:http';
import { networkInterfaces } from 'node:os';
import { fatal } from '../../tests/e2e/lib/proc.mjs';
import { sh } from '../../tests/e2e/lib/sandbox.mjs';
import { NET } from './net.mjs';

export const SERVICE_PORT = 2224;

function ask(machine, method, path) {
  return new Promise((done, fail) => {
    const request = http.request({ host: machine, port: SERVICE_PORT, method, path, timeout: 30000 }, (response) => {
      let text = '';
      response.on('data', (d) => { text += d; });
      response.on('end', () => {
        const reply = response.statusCode === 404 ? { wrong: `${machine} refuses ${path}: started with another --generator?` } : JSON.parse(text);
        if (response.statusCode !== 200) fail(fatal(reply.wrong));
        else done(reply);
      });
    });
    request.on('timeout', () => request.destroy(fatal(`${machine} does not answer ${path}`)));
    request.on('error', fail);
    request.end();
  });
}

class RemoteGateway {
  constructor(machine, kind, variant = 'usual') {
    this.machine = machine;
    this.kind = kind;
    this.variant = variant;
    this.usageOption = `--gateway-usage=${machine}:${SERVICE_PORT}`;
  }

  async start() { await ask(this.machine, 'POST', `/start?gateway=${this.kind}&variant=${this.variant}`); }
  async stop() { return (await ask(this.machine, 'POST', '/stop')).wrong; }
}

/** Looks who is there and keeps our kernel silent for the callers' addresses; close() takes that back. */
export async function openRemote(machine, device) {
  if (!networkInterfaces()[device]) throw fatal(`there is no interface ${device}`);
  const about = await ask(machine, 'GET', '/about');
  sh('ip', 'route', 'add', 'blackhole', about.hosts);
  return {
    about,
    net: { ...NET, gw: null, gen: null, interface: device, access: about.access, core: about.core, hosts: about.hosts },
    command: (kind) => about.commands[kind],
    gateway: (kind, variant) => new RemoteGateway(machine, kind, variant),
    close: () => sh('ip', 'route', 'del', 'blackhole', about.hosts),
  };
}
