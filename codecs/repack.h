/* SPDX-License-Identifier: BSD-3-Clause
 * Payloads of one codec in another form, bit for bit and without a coder: AMR and AMR-WB between
 * bandwidth-efficient and octet-aligned (RFC 4867), AMR-WB and EVS AMR-WB IO (TS 26.445 annex A.2).
 */
#ifndef AGW_CODECS_REPACK_H
#define AGW_CODECS_REPACK_H

#include "codecs/codec.h"

enum { AGW_REPACK_MAX = 768 }; /* octets of the longest payload that comes out */

/** Where forms are of one family, one can be written as the other. */
typedef enum agw_form {
    AGW_FORM_NONE,
    AGW_FORM_AMR,
    AGW_FORM_AMR_OCTETS, /* octet-aligned */
    AGW_FORM_AMR_WB,
    AGW_FORM_AMR_WB_OCTETS,
    AGW_FORM_EVS,    /* AMR-WB IO, Compact where that is possible */
    AGW_FORM_EVS_HF, /* hf-only: always Header-Full */
} agw_form;

/** AGW_FORM_NONE: it has but one form, or one that this cannot write. */
agw_form agw_form_of(const agw_codec_format *format);
/** Whether payloads of one party can be those of the other: both of one family and not in the same
 * form, and what each wants to receive (mode-set, changes of mode) the other knows: a party that
 * wants nothing is told what the other wants. */
bool agw_repack_is_possible(const agw_codec_format *a, const agw_codec_format *b);

/** Writes a payload in another form of its family.
 *
 * @param len_io  in: room of out, AGW_REPACK_MAX is enough; out: octets
 * @return AGW_ERR_TRUNCATED, AGW_ERR_MALFORMED: not a payload of that form; AGW_ERR_UNSUPPORTED: a
 *         frame that only a decoder can turn (EVS Primary), or no such pair. Count and drop. */
AGW_NODISCARD agw_err agw_repack(agw_form in, agw_form out_form, const uint8_t *payload, size_t len,
                                 uint8_t *out, size_t *len_io);

#endif
