// SPDX-License-Identifier: BSD-3-Clause
// Writes what a campaign found: JSON, a table, pictures; and puts the table into docs/BENCH.md.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { figure, markdown, median, short } from './summary.mjs';
import { barPlot, linePlot } from './plots.mjs';
import * as relay from './steps.mjs';

/** Rows with a figure for each gateway; of a sheet of rows. */
export function summarize(results, { ROWS } = relay) {
  const gateways = Object.keys(results.commands);
  const runs = (step, g) => results.runs.filter((r) => r.step === step && r.gateway === g && !r.failure);
  const of = (row, g) => {
    const all = runs(row.step, g);
    const reached = all.filter((r) => r.reached !== false);
    return { ...figure(reached.map((r) => r.result), row.read), unreached: all.length - reached.length };
  };
  const full = (row, g) => (row.per ? quotient(of(row, g), of(ROWS.find((r) => r.id === row.per), g)) : of(row, g));
  return ROWS.filter((row) => row.step in results.steps).map((row) => ({
    id: row.id, group: row.group, text: row.text, unit: row.unit,
    figures: Object.fromEntries(gateways.map((g) => [g, full(row, g)])),
  }));
}

/** Of two medians: each is of the same rounds, but not of the same moments. */
function quotient(a, b) {
  const q = a.median !== null && b.median ? a.median / b.median : null;
  return { median: q, least: q, most: q, rounds: q === null ? 0 : 1, unreached: a.rounds ? 0 : a.unreached };
}

export function displayNames({ gateway: { versions: v } }) {
  const theirs = `rtpengine ${v.rtpengine.replace(/-.*/, '')}`;
  return { agwd: `eims-agw ${v.agwd}`, agwd_xdp: `eims-agw ${v.agwd}, AF_XDP`, codecs: 'the codecs alone', rtpengine: `${theirs}, userspace`, 'rtpengine-kernel': `${theirs}, kernel module` };
}

/** How much of a core neither gateway nor generator used, in percent: what the neighbours took. */
function neighbours(runs) {
  const used = median(runs.map((r) => r.result?.others_cpu_per_mille_of_a_core));
  return used === null ? '' : `; others used ${short(used / 10)} % of a core (median of all runs)`;
}

function heading(r) {
  const { machine: m, build, versions: v, workers, cpus } = r.gateway;
  return `${r.date.slice(0, 10)}, commit ${r.commit.slice(0, 10)}${r.changed ? ' with changes' : ''}; ${m.cpu}, ${m.cores} cores (${m.virtualization}), Linux ${m.kernel};
${build.compiler}, ${build.type} \`${build.flags}\`; rtpengine ${v.rtpengine}, OpenSSL ${v.openssl}, libsrtp2 ${v.libsrtp2};
userspace, ${workers} worker / thread, gateway on CPU ${cpus || 'any'}, generator on CPU ${r.generator.cpus || 'any'}, ${r.generator.interface}${neighbours(r.runs)};
${r.rounds} interleaved round${r.rounds > 1 ? 's: median (least-most)' : ''}${r.quick ? '; **quick run: the figures mean little**' : ''}.`;
}

function draw(summary, folder, names, pictures) {
  const by = Object.fromEntries(summary.map((row) => [row.id, row]));
  const drawn = [];
  for (const p of pictures) {
    const points = p.points.filter((x) => x.row in by);
    if (points.length === 0 || !points.every((x) => Object.values(by[x.row].figures).some((f) => f.median !== null))) continue;
    const gateways = Object.keys(by[points[0].row].figures);
    const base = { title: p.title, unit: p.unit, names, log: p.log, xlabel: p.xlabel };
    const file = join(folder, `${p.file}.svg`);
    if (p.kind === 'line') linePlot(file, { ...base, series: Object.fromEntries(gateways.map((g) => [g, points.map((x) => ({ x: x.x, ...by[x.row].figures[g] }))])) });
    else barPlot(file, { ...base, clusters: points.map((x) => ({ label: x.label, figures: by[x.row].figures })) });
    drawn.push({ file, title: p.title });
  }
  return drawn;
}

/** marks: the lines before and behind what is replaced. */
export function replaceBetweenMarks(file, marks, text) {
  const old = readFileSync(file, 'utf8');
  const [from, to] = marks.map((m) => old.indexOf(m));
  if (from < 0 || to < from) throw new Error(`${file} has no place for the results (${marks[0]})`);
  writeFileSync(file, `${old.slice(0, from + marks[0].length)}\n\n${text}\n\n${old.slice(to)}`);
}

/** Into `out`, or among the baselines when that is ''. Returns the file's name. */
export function writeJson(results, tree, out, suffix = '') {
  const folder = out || join(tree, 'bench/baselines');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.date.slice(0, 10)}-${results.commit.slice(0, 7)}${suffix}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
  return file;
}

/** Writes everything below `out`, or into the tree when `out` is ''. sheet: rows, pictures and where the table stands. Returns what a person wants to read
 *  at once. */
export function write(results, tree, out, sheet = relay) {
  const folder = out || join(tree, 'docs/bench');
  mkdirSync(folder, { recursive: true });
  results.summary = summarize(results, sheet);
  const json = writeJson(results, tree, out, sheet.SUFFIX ?? '');
  const names = displayNames(results);
  const table = `${heading(results)}\n\n${markdown(results.summary, Object.keys(results.commands), names)}`;
  const drawn = draw(results.summary, folder, names, sheet.PICTURES);
  const file = join(folder, `table${sheet.SUFFIX ?? ''}.md`);
  writeFileSync(file, `${table}\n`);
  const page = join(tree, 'docs/BENCH.md');
  if (!out && existsSync(page))
    replaceBetweenMarks(page, sheet.MARKS, `${table}\n\n${drawn.map((d) => `![${d.title}](${relative(join(tree, 'docs'), d.file)})`).join('\n\n')}`);
  return `${table}\n\nwritten: ${[json, file, ...drawn.map((d) => d.file)].join(' ')}`;
}
