/* SPDX-License-Identifier: BSD-3-Clause */
#include "codecs/repack.h"

#include "codecs/amr_payload.h"
#include "codecs/evs_payload.h"

typedef enum family { FAMILY_NONE, FAMILY_NARROW, FAMILY_WIDE } family;

static family family_of(agw_form form)
{
    if (form == AGW_FORM_NONE)
        return FAMILY_NONE;
    return form <= AGW_FORM_AMR_OCTETS ? FAMILY_NARROW : FAMILY_WIDE;
}

static bool is_evs(agw_form form)
{
    return form == AGW_FORM_EVS || form == AGW_FORM_EVS_HF;
}

static bool is_octets(agw_form form)
{
    return form == AGW_FORM_AMR_OCTETS || form == AGW_FORM_AMR_WB_OCTETS;
}

agw_form agw_form_of(const agw_codec_format *format)
{
    switch (format->id) {
    case AGW_CODEC_AMR:
        return format->amr.octet_aligned ? AGW_FORM_AMR_OCTETS : AGW_FORM_AMR;
    case AGW_CODEC_AMR_WB:
        return format->amr.octet_aligned ? AGW_FORM_AMR_WB_OCTETS : AGW_FORM_AMR_WB;
    default:
        return AGW_FORM_NONE;
    }
}

/* What a wants to receive is what b was told, or nothing. */
static bool is_known(const agw_amr_params *a, const agw_amr_params *b)
{
    return (a->mode_set == 0 || a->mode_set == b->mode_set) &&
           (a->mode_change_period <= 1 || a->mode_change_period == b->mode_change_period) &&
           (!a->mode_change_neighbor || b->mode_change_neighbor);
}

bool agw_repack_is_possible(const agw_codec_format *a, const agw_codec_format *b)
{
    const agw_form fa = agw_form_of(a), fb = agw_form_of(b);
    return fa != fb && family_of(fa) != FAMILY_NONE && family_of(fa) == family_of(fb) &&
           is_known(&a->amr, &b->amr);
}

static agw_err repack_amr(agw_form in, agw_form out_form, const uint8_t *payload, size_t len,
                          uint8_t *out, size_t *len_io)
{
    const bool wide = family_of(in) == FAMILY_WIDE;
    agw_payload frames;
    const agw_err err =
        agw_amr_split(&(agw_amr_layout){wide, is_octets(in)}, payload, len, &frames);
    if (err != AGW_OK)
        return err;
    *len_io = agw_amr_write(&(agw_amr_layout){wide, is_octets(out_form)}, &frames, out, *len_io);
    return *len_io != 0 ? AGW_OK : AGW_ERR_NO_SPACE;
}

agw_err agw_repack(agw_form in, agw_form out_form, const uint8_t *payload, size_t len, uint8_t *out,
                   size_t *len_io)
{
    if (family_of(in) == FAMILY_NONE || family_of(in) != family_of(out_form) ||
        (is_evs(in) && is_evs(out_form)))
        return AGW_ERR_UNSUPPORTED;
    if (is_evs(in))
        return agw_evs_to_amr_wb(in == AGW_FORM_EVS_HF, payload, len, is_octets(out_form), out,
                                 len_io);
    if (is_evs(out_form))
        return agw_evs_from_amr_wb(is_octets(in), payload, len, out_form == AGW_FORM_EVS, out,
                                   len_io);
    return repack_amr(in, out_form, payload, len, out, len_io);
}
