/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/codec_match.h"

#include <stdlib.h>
#include <string.h>

enum { PARAM_MAX = 64 };

bool agw_codec_same(const agw_sdp_codec *a, const agw_sdp_codec *b)
{
    return a->encoding == b->encoding && a->clock_hz == b->clock_hz && a->channels == b->channels &&
           (a->encoding != AGW_SDP_ENC_OTHER || g_ascii_strcasecmp(a->name, b->name) == 0);
}

/* A parameter of one codec must be equal on both sides, else packets of one mean nothing to the
 * other. `missing` is what leaving it out means. */
typedef struct param_rule {
    uint8_t encoding;
    const char *key, *missing;
    size_t len; /* only so many characters count; 0 = all */
} param_rule;

static const param_rule PARAMS[] = {
    {AGW_SDP_ENC_H264, "packetization-mode", "0", 0}, /* RFC 6184 section 8.2.2 */
    {AGW_SDP_ENC_H264, "profile-level-id", "420010", 4},
    {AGW_SDP_ENC_H265, "profile-id", "1", 0}, /* RFC 7798 section 7.2.2 */
    {AGW_CODEC_AMR, "octet-align", "0", 0},   /* RFC 4867 section 8.3.1 */
    {AGW_CODEC_AMR, "crc", "0", 0},
    {AGW_CODEC_AMR, "interleaving", "", 0},
    {AGW_CODEC_AMR_WB, "octet-align", "0", 0},
    {AGW_CODEC_AMR_WB, "crc", "0", 0},
    {AGW_CODEC_AMR_WB, "interleaving", "", 0},
    {AGW_SDP_ENC_VP9, "profile-id", "0", 0}, /* RFC 9628 section 6.1 */
    {AGW_SDP_ENC_AV1, "profile", "0", 0},
    {AGW_CODEC_ILBC, "mode", "30", 0}, /* RFC 3952 section 5 */
};

static bool param_equal(const param_rule *rule, const agw_sdp_codec *a, const agw_sdp_codec *b)
{
    char va[PARAM_MAX], vb[PARAM_MAX];
    if (!agw_sdp_fmtp_get(a->fmtp, rule->key, va, sizeof va))
        g_strlcpy(va, rule->missing, sizeof va);
    if (!agw_sdp_fmtp_get(b->fmtp, rule->key, vb, sizeof vb))
        g_strlcpy(vb, rule->missing, sizeof vb);
    return g_ascii_strncasecmp(va, vb, rule->len != 0 ? rule->len : sizeof va) == 0;
}

bool agw_codec_compatible(const agw_sdp_codec *a, const agw_sdp_codec *b)
{
    if (!agw_codec_same(a, b))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(PARAMS); i++) {
        if (a->encoding == PARAMS[i].encoding && !param_equal(&PARAMS[i], a, b))
            return false;
    }
    return true;
}

bool agw_codec_is_repair(const agw_sdp_codec *codec)
{
    return codec->encoding >= AGW_SDP_ENC_RED && codec->encoding <= AGW_SDP_ENC_PARITYFEC;
}

bool agw_codec_is_aux(const agw_sdp_codec *codec)
{
    return codec->encoding >= AGW_SDP_ENC_EVENT && codec->encoding <= AGW_SDP_ENC_PARITYFEC;
}

static bool number_part_equal(const char *part, uint32_t value)
{
    return part == NULL || *part == '\0' || strtoul(part, NULL, 10) == value;
}

bool agw_codec_in_spec(const agw_sdp_codec *codec, const char *spec)
{
    if (strcmp(spec, "all") == 0 || strcmp(spec, "full") == 0)
        return true;
    char **parts = g_strsplit(spec, "/", 4);
    bool found = parts[0] != NULL && agw_sdp_codec_is(codec, parts[0]);
    if (found && parts[1] != NULL)
        found = number_part_equal(parts[1], codec->clock_hz) &&
                number_part_equal(parts[2], codec->channels);
    g_strfreev(parts);
    return found;
}

int agw_codec_in_list(const agw_sdp_codec *codec, const GPtrArray *specs)
{
    for (guint i = 0; specs != NULL && i < specs->len; i++) {
        if (agw_codec_in_spec(codec, g_ptr_array_index(specs, i)))
            return (int)i;
    }
    return -1;
}
