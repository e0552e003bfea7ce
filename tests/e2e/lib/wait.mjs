// SPDX-License-Identifier: BSD-3-Clause
// Waiting for conditions with a deadline; the only place where the rig sleeps.

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Polls `cond` until it returns something truthy and returns that; throws with `what` after `ms`. */
export async function until(what, cond, ms = 5000, every = 50) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await cond();
      if (last) return last;
    } catch (e) {
      if (e.fatal) throw e;
      last = e;
    }
    if (Date.now() >= deadline) break;
    await sleep(every);
  }
  const seen = last instanceof Error ? last.message : JSON.stringify(last);
  throw new Error(`not within ${ms} ms: ${what}${seen === undefined || seen === 'false' ? '' : ` (last: ${seen})`}`);
}

/** True when `cond` stays truthy for the whole of `ms` (for "nothing happens" checks). */
export async function holds(cond, ms, every = 100) {
  const deadline = Date.now() + ms;
  while (Date.now() < deadline) {
    if (!(await cond())) return false;
    await sleep(every);
  }
  return true;
}

export function withTimeout(promise, ms, what) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`timeout after ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
