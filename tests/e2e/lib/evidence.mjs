// SPDX-License-Identifier: BSD-3-Clause
// What a failed case leaves in out/ for the reader: page states, console, the gateway's last lines, its query reply.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export async function onFailure(t, error) {
  const ctx = t.ctx ?? {};
  const dir = join(ctx.opts?.out ?? 'out', 'failures');
  mkdirSync(dir, { recursive: true });
  const parts = [`${t.name}\n${error.stack ?? error}`];
  for (const [i, p] of (t.pages ?? []).entries()) {
    const stats = await Promise.race([p.stats?.().catch((e) => e.message), new Promise((d) => setTimeout(d, 1000, 'page does not answer'))]);
    parts.push(`page ${i}: ${JSON.stringify(stats, null, 1)}`, `console ${i}: ${(p.page ?? p).console?.join('\n')}`);
  }
  for (const [i, p] of (t.pages ?? []).entries())
    for (const [who, type, sdp] of (await p.sdps?.().catch(() => [])) ?? []) parts.push(`--- page ${i}, ${who} ${type}\n${sdp}`);
  if (t.sdps) for (const [k, v] of Object.entries(t.sdps)) parts.push(`--- ${k}\n${v}`);
  if (t.call) parts.push(`query: ${JSON.stringify(await t.call.query().catch((e) => e.message), null, 1)}`);
  if (ctx.gateway) parts.push(`gateway's last lines:\n${ctx.gateway.proc.output.slice(-8000)}`);
  const file = join(dir, `${t.name.replace(/[^\w.-]+/g, '_')}.txt`);
  writeFileSync(file, parts.join('\n\n'));
  t.note(`evidence: ${file}`);
}

/** A gateway which died during the case fails the case, whatever else it saw. */
export async function afterCase(t) {
  const gw = t.ctx?.gateway;
  if (!gw?.proc || gw.proc.alive) return null;
  const e = new Error(`${gw.kind} ended during the case: ${JSON.stringify(gw.proc.result)}\n${gw.proc.output.slice(-3000)}`);
  await gw.ensure();
  return e;
}
