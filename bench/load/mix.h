/* SPDX-License-Identifier: BSD-3-Clause
 * Calls of three kinds at once: codecs changed, audio passed on, video passed on. */
#ifndef AGW_BENCH_LOAD_MIX_H
#define AGW_BENCH_LOAD_MIX_H

#include "bench/load/window.h"

typedef enum kit_mix_kind {
    KIT_MIX_CODED = 0,
    KIT_MIX_PASSED,
    KIT_MIX_VIDEO,
    KIT_MIX_KINDS
} kit_mix_kind;

typedef struct kit_mix {
    kit_options options[KIT_MIX_KINDS];
    kit_fleet fleet[KIT_MIX_KINDS];
    unsigned calls[KIT_MIX_KINDS];
} kit_mix;

/** Splits the calls by --coded-percent and --video-percent, at least one of each that has a share.
 */
void kit_mix_init(kit_mix *m, kit_load *l, unsigned calls);
void kit_mix_fini(kit_mix *m);
/** Coded calls first. false: not all came up. */
bool kit_mix_set_up(kit_mix *m);
/** Warm-up and window as kit_window_run(), then silence. */
void kit_mix_run(kit_mix *m, kit_load *l, kit_window *w);
void kit_mix_end(kit_mix *m);

#endif
