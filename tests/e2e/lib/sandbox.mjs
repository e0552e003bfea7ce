// SPDX-License-Identifier: BSD-3-Clause
// The little network every run makes for itself and that vanishes with it:
//
//   namespace br   10.77.1.2        --+
//   namespace br6           fd77:1::6 -+- bridge acc0 10.77.1.1 fd77:1::1 [gateway, Kamailio] cor0 10.77.2.1 fd77:2::1 -- namespace core
//   namespace tu   10.77.1.4        --+                                                              10.77.2.2, .3  fd77:2::2, ::3
//
// A case that asks for it (makeHome) has a phone behind a NAT: namespace home 192.168.77.2 -- 192.168.77.1 namespace router 10.77.2.5 -- cor0.
//
// The runner re-executes itself in new network, mount and pid namespaces (with a user namespace when it is not root),
// so names made with `ip netns add` are seen by nobody else and the kernel ends whatever a killed run leaves behind.
import { spawn, spawnSync } from 'node:child_process';

export const INNER = '--inner';

export const NET = {
  access: { v4: '10.77.1.1', v6: 'fd77:1::1' },
  core: { v4: '10.77.2.1', v6: 'fd77:2::1' },
  browser: { v4: '10.77.1.2' },
  browser6: { v6: 'fd77:1::6' },
  turn: { v4: '10.77.1.4' },
  phone: { v4: '10.77.2.2', v6: 'fd77:2::2' },
  stranger: { v4: '10.77.2.3', v6: 'fd77:2::3' },
  router: { v4: '10.77.2.5' },
  home: { v4: '192.168.77.2', router: '192.168.77.1' },
};

/** Outer half: starts the inner half in its namespaces; resolves with its exit code. `detached`: in a session of its own. */
export async function runInside(script, args, { detached = false } = {}) {
  const base = process.getuid() === 0 ? '-nm' : '-Urnm';
  const choices = [[`${base}pf`, '--mount-proc', '--kill-child'], [base]];
  const flags = choices.find((f) => spawnSync('unshare', [...f, 'true']).status === 0);
  if (!flags) {
    console.log('0 passed, 1 failed, 0 skipped (cannot make network namespaces: need root or user namespaces)');
    return 1;
  }
  const child = spawn('unshare', [...flags, process.execPath, script, INNER, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached,
  });
  for (const sig of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(sig, () => { if (child.connected) child.disconnect(); }); // the inner half cleans up and ends
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
}

export function sh(...argv) {
  const r = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`${argv.join(' ')}: ${r.stderr || r.error}`);
  return r.stdout;
}

/** Runs a short command in a namespace, e.g. `nsRun(net.br, 'nft', 'add', ...)`. */
export function nsRun(ns, ...argv) {
  return sh('nsenter', `--net=/run/netns/${ns}`, '--', ...argv);
}

export function makeNetwork() {
  const id = process.ppid.toString(36) + Date.now().toString(36).slice(-4);
  const net = Object.fromEntries(['br', 'br6', 'tu', 'core'].map((n) => [n, `agw-${id}-${n}`]));
  sh('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  sh('ip', 'link', 'set', 'lo', 'up');
  bridge('acc0', NET.access);
  bridge('cor0', NET.core);
  host(net.br, 'acc0', [NET.browser.v4], []);
  host(net.br6, 'acc0', [], [NET.browser6.v6]);
  host(net.tu, 'acc0', [NET.turn.v4], []);
  host(net.core, 'cor0', [NET.phone.v4, NET.stranger.v4], [NET.phone.v6, NET.stranger.v6]);
  return net;
}

/** Bursts of one message (UDP_SEGMENT) are cut before anybody captures them: a capture would show the first packet alone. */
function bridge(name, { v4, v6 }) {
  sh('ip', 'link', 'add', name, 'gso_max_segs', '1', 'type', 'bridge');
  sh('ip', 'addr', 'add', `${v4}/24`, 'dev', name);
  sh('ip', 'addr', 'add', `${v6}/64`, 'dev', name, 'nodad');
  sh('ip', 'link', 'set', name, 'up');
}

/** A network at home behind a router of the core: what leaves it has the router's address and other ports, and only answers come in. */
export function makeHome(net) {
  const [router, home] = ['router', 'home'].map((n) => `${net.core}-${n}`);
  host(router, 'cor0', [NET.router.v4], []);
  sh('ip', 'netns', 'add', home);
  sh('ip', '-n', router, 'link', 'add', 'home0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', home);
  for (const [ns, dev, address] of [[router, 'home0', NET.home.router], [home, 'eth0', NET.home.v4]]) {
    sh('ip', '-n', ns, 'addr', 'add', `${address}/24`, 'dev', dev);
    sh('ip', '-n', ns, 'link', 'set', dev, 'up');
  }
  sh('ip', '-n', home, 'route', 'add', 'default', 'via', NET.home.router);
  nsRun(router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  nsRun(router, 'nft', `add table ip nat; add chain ip nat out { type nat hook postrouting priority srcnat; }; add rule ip nat out oifname "eth0" meta l4proto udp masquerade to :50000-59999`);
  return { ns: home, remove: () => [home, router].forEach((n) => sh('ip', 'netns', 'del', n)) };
}

let veths = 0;
function host(ns, bridgeName, v4s, v6s) {
  const mine = `veth${veths++}`;
  sh('ip', 'netns', 'add', ns);
  sh('ip', '-n', ns, 'link', 'set', 'lo', 'up');
  sh('ip', 'link', 'add', mine, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
  for (const a of v4s) sh('ip', '-n', ns, 'addr', 'add', `${a}/24`, 'dev', 'eth0');
  for (const a of v6s) sh('ip', '-n', ns, 'addr', 'add', `${a}/64`, 'dev', 'eth0', 'nodad');
  if (v6s.length === 0) nsRun(ns, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6 2>/dev/null || true');
  sh('ip', 'link', 'set', mine, 'master', bridgeName, 'up');
  sh('ip', '-n', ns, 'link', 'set', 'eth0', 'up');
}
