# SPDX-License-Identifier: BSD-3-Clause
# gnuplot -e "samples='FILE.csv'; image='FILE.svg'" bench/soak/plot.gp: the curves of a soak run.
set terminal svg size 900,900 dynamic font 'DejaVu Sans,11' background 'white'
set output image
set datafile separator ','
set multiplot layout 4,1 margins 0.10,0.97,0.06,0.96 spacing 0.05
set grid back lc rgb '#dddddd'
set key top left horizontal samplen 2
set yrange [0:]
set format x ''
hours = 3600.0
MB = 1e6
# an idle point is a line of its own, marked in column 5
idle(v) = column(5) == 1 ? v : NaN

set ylabel 'MB'
plot samples using (column('seconds')/hours):(column('rss_bytes')/MB) with lines lc rgb '#1f77b4' title 'resident set', \
     '' using (column('seconds')/hours):(column('heap_used_bytes')/MB) with lines lc rgb '#2ca02c' title 'heap in use', \
     '' using (column('seconds')/hours):(idle(column('rss_bytes')/MB)) with points pt 7 ps 0.7 lc rgb '#d62728' title 'idle points', \
     '' using (column('seconds')/hours):(idle(column('heap_used_bytes')/MB)) with points pt 7 ps 0.7 lc rgb '#d62728' notitle

set ylabel 'descriptors, sockets'
plot samples using (column('seconds')/hours):(column('fds')) with lines lc rgb '#1f77b4' title 'descriptors', \
     '' using (column('seconds')/hours):(column('udp_sockets')) with lines lc rgb '#2ca02c' title 'UDP sockets', \
     '' using (column('seconds')/hours):(idle(column('fds'))) with points pt 7 ps 0.7 lc rgb '#d62728' title 'idle points'

set ylabel 'ports, calls'
plot samples using (column('seconds')/hours):(column('ports_used')) with lines lc rgb '#1f77b4' title 'ports in use', \
     '' using (column('seconds')/hours):(column('sessions')) with lines lc rgb '#2ca02c' title 'calls', \
     '' using (column('seconds')/hours):(column('up')) with lines lc rgb '#ff7f0e' title 'calls with media'

set format x '%g'
set xlabel 'hours'
set ylabel 'thousand calls, million packets'
plot samples using (column('seconds')/hours):(column('ended')/1e3) with lines lc rgb '#1f77b4' title 'thousand calls ended', \
     '' using (column('seconds')/hours):(column('relayed')/1e6) with lines lc rgb '#2ca02c' title 'million packets relayed'
unset multiplot
