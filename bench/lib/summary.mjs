// SPDX-License-Identifier: BSD-3-Clause
// From rounds to one figure: medians, spreads, ratios, and the table.

/** Median of the numbers among `values`; null when there is none. */
export function median(values) {
  const v = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (v.length === 0) return null;
  const mid = v.length >> 1;
  return v.length % 2 ? v[mid] : (v[mid - 1] + v[mid]) / 2;
}

/** The value at a dotted path ("latency.a.p99_ns"), or undefined. */
export function at(object, path) {
  return path.split('.').reduce((o, k) => o?.[k], object);
}

/** { median, least, most, rounds } of one figure over the rounds of one gateway. */
export function figure(rounds, read) {
  const v = rounds.map((r) => r && read(r)).filter(Number.isFinite);
  return { median: median(v), least: v.length ? Math.min(...v) : null, most: v.length ? Math.max(...v) : null, rounds: v.length };
}

/** Three figures that mean something, no more: 0.123, 4.56, 78.9, 1234. */
export function short(x) {
  if (x === null || x === undefined) return '-';
  if (x === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(x))));
  return Number(x.toFixed(Math.min(digits, 6))).toString();
}

/** Median and, of several rounds, least to most; and how often the load was not reached. */
export function cell({ unreached = 0, ...f }) {
  if (unreached && !f.rounds) return 'not reached';
  return unreached ? `${spread(f)}, ${unreached} x not reached` : spread(f);
}

function spread({ median: m, least, most, rounds }) {
  return rounds > 1 && short(least) !== short(most) ? `${short(m)} (${short(least)}-${short(most)})` : short(m);
}

/** Rows { group, text, unit, figures: { agwd, rtpengine } } as a Markdown table; the last gateway is what the others are
 *  compared with. */
export function markdown(rows, gateways, names) {
  const ours = gateways.slice(0, -1);
  const other = gateways.at(-1);
  const heads = [...gateways.map((g) => names[g]), ...ours.map((g) => (ours.length === 1 ? 'ratio' : `ratio, ${names[g]}`))];
  const line = (first, cells) => `| ${first} | ${cells.join(' | ')} |`;
  const lines = [line('', heads).replace('|  |', '| |'), `|---|${'---|'.repeat(heads.length)}`];
  let group = '';
  for (const r of rows) {
    if (r.group !== group) lines.push(line(`**${r.group}**`, heads.map(() => '')));
    group = r.group;
    const base = r.figures[other].median;
    const ratio = (g) => (r.figures[g].median !== null && base ? short(r.figures[g].median / base) : '-');
    lines.push(line(`${r.text}, ${r.unit}`, [...gateways.map((g) => cell(r.figures[g])), ...ours.map(ratio)]));
  }
  return lines.join('\n');
}
