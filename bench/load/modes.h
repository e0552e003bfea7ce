/* SPDX-License-Identifier: BSD-3-Clause
 * The modes. Each runs once and writes its part of the report. */
#ifndef AGW_BENCH_LOAD_MODES_H
#define AGW_BENCH_LOAD_MODES_H

#include "bench/load/window.h"

void kit_mode_media(kit_load *l);
void kit_mode_selftest(kit_load *l);
void kit_mode_storm(kit_load *l);
void kit_mode_overload(kit_load *l);
void kit_mode_search(kit_load *l);
void kit_mode_setup(kit_load *l);
void kit_mode_ng(kit_load *l);
void kit_mode_idle(kit_load *l);
void kit_mode_churn(kit_load *l);
void kit_mode_churn_search(kit_load *l);
void kit_mode_mix(kit_load *l);
void kit_mode_mix_search(kit_load *l);
void kit_mode_delay(kit_load *l);

/** New calls a second, as told or 50: of churn, churn-search and storm. */
unsigned kit_churn_rate(const kit_options *o);
/** Calls come at that rate, talk for --hold and end, all within. The window opens when as many end
 * as begin. f is made here and the caller's to end (kit_fleet_fini()); all calls are gone, and what
 * they saw counts from their first packet to their last. */
void kit_churn_run(kit_load *l, kit_fleet *f, unsigned rate, kit_window *w);

#endif
