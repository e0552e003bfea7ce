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

#endif
