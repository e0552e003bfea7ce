// SPDX-License-Identifier: BSD-3-Clause
// The bench network, which a run makes for itself and which vanishes with it:
//
//   namespace gw                                   namespace gen
//   eth0  10.98.0.1  interface access, ng   ----   eth0  10.98.0.9
//         10.98.0.2  interface core         veth
//   route 10.99.0.0/16 via 10.98.0.10              blackhole 10.99.0.0/16: its kernel stays silent,
//   10.98.0.10 is at a MAC that nobody has         the generator sees all by AF_PACKET
//
// The gateway's send call puts a frame into the ring of the generator's end, and that is all of the delivery that is
// counted as the gateway's (deliverBy()). The generator's kernel drops a frame for a foreign MAC right behind
// the packet socket, unrouted.
//
// Segmentation, receive and checksum offloads are off on both ends: a veth pair would pass whole bundles of
// packets through for nothing, which no cable does.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { nsRun, sh } from '../../tests/e2e/lib/sandbox.mjs';

/** Where gateway and generator are: namespaces, or null for the machine itself (bench/lib/remote.mjs). */
export const NET = {
  gw: 'agw-bench-gw',
  gen: 'agw-bench-gen',
  interface: 'eth0',
  access: '10.98.0.1',
  core: '10.98.0.2',
  generator: '10.98.0.9',
  nextHop: '10.98.0.10',
  allow: ['10.98.0.0/24'], // who may speak ng
  hosts: '10.99.0.0/16',
  ngPort: 2223,
};

const POLL_NS = 50000; // how often the generator's end is looked at

const OFFLOADS = ['tso', 'gso', 'gro', 'tx', 'rx', 'tx-udp-segmentation', 'rx-udp-gro-forwarding', 'rx-gro-list'];

/** Makes both namespaces. Only inside runInside(): the names must be seen by nobody else. receiveCpus: as in taskset, who
 *  takes what arrives at the gateway through its kernel; '' = whoever sent it, which is the generator's CPU. */
export function makeBenchNetwork({ receiveCpus = '' } = {}) {
  sh('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  for (const ns of [NET.gw, NET.gen]) {
    sh('ip', 'netns', 'add', ns);
    sh('ip', '-n', ns, 'link', 'set', 'lo', 'up');
  }
  sh('ip', '-n', NET.gw, 'link', 'add', 'name', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NET.gen);
  for (const a of [NET.access, NET.core]) sh('ip', '-n', NET.gw, 'addr', 'add', `${a}/24`, 'dev', 'eth0');
  sh('ip', '-n', NET.gen, 'addr', 'add', `${NET.generator}/24`, 'dev', 'eth0');
  for (const ns of [NET.gw, NET.gen]) {
    sysctl(ns, 'net/ipv6/conf/all/disable_ipv6', '1');
    sysctl(ns, 'net/ipv4/conf/all/rp_filter', '0');
    sysctl(ns, 'net/ipv4/conf/eth0/rp_filter', '0');
    sysctl(ns, 'net/ipv4/ip_local_port_range', '60000 65535'); // above the gateway's media ports
    offloadsOff(ns);
    sh('ip', '-n', ns, 'link', 'set', 'eth0', 'up');
  }
  if (receiveCpus) receiveOn(NET.gw, receiveCpus);
  sh('ip', '-n', NET.gw, 'neigh', 'add', NET.nextHop, 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0', 'nud', 'permanent');
  sh('ip', '-n', NET.gw, 'route', 'add', NET.hosts, 'via', NET.nextHop);
  sh('ip', '-n', NET.gen, 'route', 'add', 'blackhole', NET.hosts);
}

/** Asks the scheduler to take us and all that we start before others; the kernel's autogroups count by session, so ours
 *  must be one of its own (runInside). Without the right to do so everything works, only noisier. */
export function goFirst() {
  for (const ask of [() => setPriority(0, -15), () => writeFileSync('/proc/self/autogroup', '-15')])
    try {
      ask();
    } catch { /* not root, or no autogroups here */ }
}

function sysctl(ns, path, value) {
  if (existsSync(`/proc/sys/${path.replace('eth0', 'lo')}`)) nsRun(ns, 'sh', '-c', `echo '${value}' > /proc/sys/${path}`);
}

/** Receive packet steering. /sys shows the namespace in which it was mounted. */
function receiveOn(ns, cpuList) {
  const cpus = cpuList.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const mask = cpus.reduce((m, cpu) => m | (1n << BigInt(cpu)), 0n).toString(16);
  nsRun(ns, 'unshare', '--mount', 'sh', '-c', `mount -t sysfs sysfs /sys && echo ${mask} > /sys/class/net/eth0/queues/rx-0/rps_cpus`);
}

/** Who takes what arrives at the generator's end. cpuList, as in taskset: a timer on the generator's own CPU, as a network
 *  card with interrupt moderation does; it stays on the CPU of the first poll, and that runs where the first frame came
 *  from. '': whoever sent it, within the gateway's send call: a load on the gateway that is not its own, but the generator
 *  reaches further. Where the kernel has no such timer it is always the sender, and we say so. */
export function deliverBy(cpuList) {
  const dir = '/sys/class/net/eth0';
  const [polls, ns] = cpuList ? [2 ** 31 - 1, POLL_NS] : [0, 0];
  try {
    nsRun(NET.gen, 'ethtool', '-K', 'eth0', 'gro', 'on'); // gives the end of a veth pair a NAPI context
    nsRun(NET.gen, 'unshare', '--mount', 'sh', '-c', `mount -t sysfs sysfs /sys && echo ${polls} > ${dir}/napi_defer_hard_irqs && echo ${ns} > ${dir}/gro_flush_timeout`);
  } catch (e) {
    if (cpuList) console.error(`packets are delivered within the gateway's send call: ${e.message.trim().split('\n').pop()}`);
    return;
  }
  if (cpuList) nsRun(NET.gw, 'taskset', '-c', cpuList, 'bash', '-c', `for i in 1 2; do echo > /dev/udp/${NET.generator}/9; done`);
}

/** Not every kernel has every feature: each is asked for alone, and the result is looked at. */
function offloadsOff(ns) {
  for (const f of OFFLOADS) {
    try {
      nsRun(ns, 'ethtool', '-K', 'eth0', f, 'off');
    } catch (e) {
      if (/ENOENT/.test(e.message)) throw new Error('ethtool is missing (tools/packages.txt, section bench)');
    }
  }
  const on = nsRun(ns, 'ethtool', '-k', 'eth0').match(/^(tcp-segmentation-offload|generic-segmentation-offload|generic-receive-offload|tx-udp-segmentation): on.*/gm);
  if (on?.some((l) => !l.includes('[fixed]'))) throw new Error(`offloads stay on in ${ns}: ${on.join(', ')}`);
}

/** Packets that the kernel's own input queues had no room for, all CPUs, since the machine started: such loss is
 *  neither the gateway's nor the generator's. */
export function backlogDrops() {
  return readFileSync('/proc/net/softnet_stat', 'utf8').trim().split('\n').reduce((sum, l) => sum + parseInt(l.split(/\s+/)[1], 16), 0);
}
