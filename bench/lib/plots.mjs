// SPDX-License-Identifier: BSD-3-Clause
// SVG pictures by gnuplot. Fonts are the reader's own (sans-serif), the ground is white.
import { spawnSync } from 'node:child_process';

const COLOURS = { agwd: '#0072b2', agwd_xdp: '#009e73', rtpengine: '#e69f00' };

function gnuplot(script) {
  const r = spawnSync('gnuplot', ['-'], { input: script, encoding: 'utf8' });
  if (r.error || r.status !== 0) throw new Error(`gnuplot: ${r.error?.message ?? r.stderr}`);
}

const quoted = (text) => `"${text.replace(/["\\]/g, '')}"`;

function head(file, { title, unit, log }) {
  return `set terminal svg noenhanced size 900,440 font "sans-serif,14" background "#ffffff" linewidth 1.2
set output ${quoted(file)}
set label 1 ${quoted(title)} at screen 0.5,0.95 center font ",15"
set ylabel ${quoted(unit)}
set grid ytics linecolor "#dddddd"
set border 3
set tics nomirror out
set tmargin 5
set key at screen 0.5,0.87 center horizontal samplen 2
set style fill solid 1.0 noborder
${log ? 'set logscale y' : 'set yrange [0:*]'}
set offsets graph 0, graph 0, graph ${log ? 0 : 0.08}, graph 0
`;
}

const shortLabel = (v) => (v >= 100 ? v.toFixed(0) : Number(v.toPrecision(3)).toString());

/** Median with least and most over a numeric x. series: { gateway: [{ x, median, least, most }] }. */
export function linePlot(file, { title, unit, xlabel, names, series }) {
  const kinds = Object.keys(series).filter((k) => series[k].some((p) => p.median !== null));
  const xs = kinds.flatMap((k) => series[k].map((p) => p.x));
  const data = kinds.map((k) => `$${k} << EOD\n${series[k].filter((p) => p.median !== null).map((p) => `${p.x} ${p.median} ${p.least} ${p.most}`).join('\n')}\nEOD`);
  const plots = kinds.map((k) => `$${k} using 1:3:(0):($4-$3) with vectors nohead linecolor rgb "${COLOURS[k]}" notitle, \
  $${k} using 1:2 with linespoints title ${quoted(names[k])} pointtype 7 pointsize 0.8 linewidth 2 linecolor rgb "${COLOURS[k]}", \
  $${k} using 1:4:(sprintf("%.3g", $2)) with labels notitle offset 0,0.8 textcolor "${COLOURS[k]}"`);
  gnuplot(`${data.join('\n')}\n${head(file, { title, unit })}set xlabel ${quoted(xlabel)}
set xrange [0:${Math.max(...xs) * 1.1}]
plot ${plots.join(', ')}\n`);
}

/** Clusters of bars, one bar a gateway, the median written above, a line from least to most.
 *  clusters: [{ label, figures: { gateway: { median, least, most } } }] */
export function barPlot(file, { title, unit, names, clusters, log = false }) {
  const kinds = Object.keys(clusters[0].figures).filter((k) => clusters.some((c) => c.figures[k].median !== null));
  const width = 0.8 / kinds.length;
  const data = kinds.map((k, i) => {
    const lines = clusters.map((c, n) => [n + (i - (kinds.length - 1) / 2) * width, c.figures[k]]).filter(([, f]) => f.median !== null)
      .map(([x, f]) => `${x.toFixed(3)} ${f.median} ${f.least} ${f.most} ${shortLabel(f.median)}`);
    return `$${k} << EOD\n${lines.join('\n')}\nEOD`;
  });
  const plots = kinds.map((k) => `$${k} using 1:2:(${(width * 0.92).toFixed(3)}) with boxes title ${quoted(names[k])} linecolor rgb "${COLOURS[k]}", \
  $${k} using 1:3:(0):($4-$3) with vectors nohead linecolor rgb "#000000" notitle, \
  $${k} using 1:4:5 with labels notitle offset 0,0.7 font ",12"`);
  const tics = clusters.map((c, n) => `${quoted(c.label.replaceAll('%', '%%'))} ${n}`).join(', '); // a label is a format
  gnuplot(`${data.join('\n')}\n${head(file, { title, unit, log })}set xtics (${tics}) scale 0
set xrange [-0.6:${clusters.length - 0.4}]
plot ${plots.join(', ')}\n`);
}
