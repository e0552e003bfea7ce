// SPDX-License-Identifier: BSD-3-Clause
// Rows of run.mjs as a table: a line a codec and network, means of voices and seeds.
const mean = (rows, who, what) => rows.reduce((sum, r) => sum + r[who][what], 0) / rows.length;

/** What is asked of a cell: NetEq's distance + 10 % at NetEq's delay + 10 ms at most, and closer than rtpengine. What is wrong, or ''. */
function faults(rows) {
  const wrong = [];
  const has = (who) => rows.every((r) => r[who]);
  if (has('neteq') && mean(rows, 'gateway', 'lsd') > 1.1 * mean(rows, 'neteq', 'lsd')) wrong.push('distance');
  if (has('neteq') && mean(rows, 'gateway', 'delay') > mean(rows, 'neteq', 'delay') + 10) wrong.push('delay');
  if (has('agwd') && has('rtpengine') && mean(rows, 'agwd', 'lsd') >= mean(rows, 'rtpengine', 'lsd')) wrong.push('rtpengine');
  return wrong.join(', ');
}

const groupBy = (rows, key) => Object.values(Object.groupBy ? Object.groupBy(rows, key) : rows.reduce((all, r) => ({ ...all, [key(r)]: [...(all[key(r)] ?? []), r] }), {}));

export function table(rows) {
  const groups = groupBy(rows, (r) => `${r.codec} ${r.network}`);
  const figure = (g, who) => (g.every((r) => r[who]) ? `${mean(g, who, 'lsd').toFixed(2)} dB, ${mean(g, who, 'delay').toFixed(0)} ms` : '-');
  const lines = groups.map((g) => `| ${g[0].codec} | ${g[0].network} | ${['gateway', 'neteq', 'agwd', 'rtpengine'].map((who) => figure(g, who)).join(' | ')} | ${faults(g) || 'yes'} |`);
  const single = rows.filter((r) => faults([r]));
  return ['| codec | network | playout | NetEq | agwd | rtpengine | as asked |', '|---|---|---|---|---|---|---|', ...lines, '',
    `${groups.filter((g) => !faults(g)).length} of ${groups.length} cells as asked; of their ${rows.length} single runs ${rows.length - single.length}${single.length ? `, not: ${single.map((r) => `${r.cell} (${faults([r])})`).join(', ')}` : ''}`].join('\n');
}

const NAMES = { opus: 'opus/48000/2', pcma: 'PCMA/8000', g722: 'G722/8000', amr: 'AMR/8000', 'amr-wb': 'AMR-WB/16000' };

/** Rows for tests/control/heard.inc: what the gateway counts of each stream, and the distance that was measured. */
export function heard(rows) {
  return rows.map((r) => `    {"${NAMES[r.codec]}", "${r.voice} ${r.network} ${r.seed}", ${[r.came, r.lost, r.runs, r.playout.late, r.playout.concealed_ms, r.playout.by_fec_ms, r.playout.delay_us,
    r.gateway.lsd.toFixed(3)].join(', ')}},\n`).join('');
}
