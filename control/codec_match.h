/* SPDX-License-Identifier: BSD-3-Clause
 * When two codecs of two descriptions are the same, and which codecs only accompany another. */
#ifndef AGW_CONTROL_CODEC_MATCH_H
#define AGW_CONTROL_CODEC_MATCH_H

#include "control/sdp.h"

/** Same encoding name (case does not matter), clock rate and channels. */
bool agw_codec_same(const agw_sdp_codec *a, const agw_sdp_codec *b);
/** Same, and the parameters that make two formats of one name differ are equal: H.264
 * packetization-mode and profile, AMR octet-align and its kin, VP9 and AV1 profile, apt of rtx. */
bool agw_codec_compatible(const agw_sdp_codec *a, const agw_sdp_codec *b);

/** Carries no media of its own: telephone-event, CN, red, rtx, FEC. */
bool agw_codec_is_aux(const agw_sdp_codec *codec);
/** Repair and redundancy as browsers use them: red, rtx, ulpfec, flexfec. */
bool agw_codec_is_repair(const agw_sdp_codec *codec);

/** Whether the codec is the one of a script's list: "PCMA", "opus/48000", "opus/48000/2", "all",
 * "full". Further parts (bitrate, options) are left aside. */
bool agw_codec_in_spec(const agw_sdp_codec *codec, const char *spec);
/** Place of the first spec that names the codec, or -1. NULL = an empty list. */
int agw_codec_in_list(const agw_sdp_codec *codec, const GPtrArray *specs);

#endif
