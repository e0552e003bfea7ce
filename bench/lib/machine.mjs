// SPDX-License-Identifier: BSD-3-Clause
// What a figure was measured with: without these words it is worth nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

function said(...argv) {
  const r = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  return r.status === 0 ? r.stdout.trim() : null;
}

const debian = (name) => said('dpkg-query', '-W', '-f', '${Version}', name) ?? 'unknown';

export function describeMachine() {
  const virt = said('systemd-detect-virt', '--vm') ?? (/^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')) ? 'a hypervisor' : 'none seen');
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_mib: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
    virtualization: virt,
  };
}

export function describeVersions(build) {
  return { agwd: /[\d.]+/.exec(said(join(build, 'agwd'), '--version') ?? '')?.[0] ?? 'unknown', rtpengine: debian('rtpengine-daemon'), openssl: debian('libssl3'), libsrtp2: debian('libsrtp2-1'), node: process.versions.node };
}

function cached(cache, name) {
  return new RegExp(`^${name}:[A-Z]+=(.*)$`, 'm').exec(cache)?.[1] ?? '';
}

/** Compiler and flags out of the build folder's cache. */
export function describeBuild(build) {
  const cache = readFileSync(join(build, 'CMakeCache.txt'), 'utf8');
  const type = cached(cache, 'CMAKE_BUILD_TYPE');
  const compiler = cached(cache, 'CMAKE_C_COMPILER');
  return {
    type,
    compiler: said(compiler, '--version')?.split('\n')[0] ?? compiler,
    flags: [cached(cache, 'CMAKE_C_FLAGS'), cached(cache, `CMAKE_C_FLAGS_${type.toUpperCase()}`)].join(' ').trim(),
    sanitize: cached(cache, 'AGW_SANITIZE'),
  };
}

/** What the results change themselves does not count as changed. */
export function describeCommit(tree) {
  const git = (...a) => said('git', '-C', tree, ...a);
  const commit = git('rev-parse', 'HEAD');
  if (!commit) return { commit: 'unknown', changed: false };
  const changed = git('status', '--porcelain', '--', '.', ':!docs', ':!bench/baselines');
  return { commit, changed: changed !== '' };
}
