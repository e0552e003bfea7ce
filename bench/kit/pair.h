/* SPDX-License-Identifier: BSD-3-Clause
 * Codecs that the two parties of a call speak when the gateway has to change one into the other. */
#ifndef AGW_BENCH_KIT_PAIR_H
#define AGW_BENCH_KIT_PAIR_H

#include "bench/kit/call.h"
#include "bench/kit/voice.h"

/** Plain values of the table in pair.c. */
typedef struct kit_pair {
    const char *name; /* "opus-amr-wb" */
    kit_call_kind kind;
    kit_codecs codecs[2]; /* one each, of A and B */
    agw_codec_id id[2];
    unsigned pause_percent, loss_percent; /* of each network: toward the gateway and from it */
} kit_pair;

/** NULL: there is none of that name. */
const kit_pair *kit_pair_find(const char *name);
/** As the party on that side speaks it. */
agw_codec_format kit_pair_format(const kit_pair *pair, kit_side side);
/** What both say; AGW_ERR_SYSTEM: the speech cannot be read. The caller's, to be freed. */
AGW_NODISCARD agw_err kit_pair_voices(const kit_pair *pair, const char *speech, kit_voice *out[2]);

#endif
