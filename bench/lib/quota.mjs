// SPDX-License-Identifier: BSD-3-Clause
// A part of one core for a process and its threads, by a control group of the CPU controller, version 2 or 1.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PERIOD_US = 4000; // short: who has used his part waits for the next one at most so long

/** Where groups are made, or null. */
function controller() {
  const v2 = '/sys/fs/cgroup';
  if (existsSync(join(v2, 'cgroup.controllers')))
    return readFileSync(join(v2, 'cgroup.subtree_control'), 'utf8').includes('cpu') ? { root: v2, v2: true } : null;
  const v1 = '/sys/fs/cgroup/cpu';
  return existsSync(join(v1, 'cgroup.procs')) ? { root: v1, v2: false } : null;
}

/** Limits process pid to `percent` of a core. Returns how to end that, once the process has ended; throws with the reason
 *  when this machine cannot. */
export function limitCpu(pid, percent) {
  const where = controller();
  if (!where) throw new Error('no CPU controller of control groups is mounted here');
  const group = join(where.root, `agw-bench-${pid}`);
  const set = (file, value) => writeFileSync(join(group, file), String(value));
  const quota = (PERIOD_US * percent) / 100;
  mkdirSync(group);
  if (where.v2) {
    set('cpu.max', `${quota} ${PERIOD_US}`);
  } else {
    set('cpu.cfs_period_us', PERIOD_US);
    set('cpu.cfs_quota_us', quota);
  }
  set('cgroup.procs', pid);
  return () => rmdirSync(group);
}
