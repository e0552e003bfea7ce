/* SPDX-License-Identifier: BSD-3-Clause
 * What one direction of one SSRC remembers: its packet index and which ones it has seen (RFC 3711
 * sections 3.3.1 and 3.3.2). The results are those of libsrtp2, which the identity test holds it
 * to. */
#ifndef AGW_SRTP_STREAM_H
#define AGW_SRTP_STREAM_H

#include "srtp/session.h"

#include <stdbool.h>
#include <stdint.h>

/** All zero but for ssrc is a stream without packets. */
typedef struct agw_srtp_stream {
    uint64_t index;  /* the highest so far: ROC * 2^16 + sequence number */
    uint64_t recent; /* bit i: index - i is used */
    uint64_t older;  /* bit i: index - 64 - i is used */
    uint32_t ssrc;
    uint32_t next_roc; /* of the next packet, when has_next_roc */
    bool has_next_roc;
} agw_srtp_stream;

static const uint64_t AGW_SRTP_INDEX_MAX = ((uint64_t)1 << 48) - 1;

/** Which index a packet has, going by its sequence number. AGW_ERR_LIMIT: one behind the last that
 * a key may protect. */
static inline agw_err agw_srtp_stream_guess(const agw_srtp_stream *s, uint16_t seq, uint64_t *index)
{
    const int32_t half = 1 << 15;
    uint64_t roc = s->index >> 16;
    const int32_t ahead = seq - (uint16_t)s->index;
    if (s->has_next_roc)
        roc = s->next_roc;
    else if (s->index <= (uint64_t)half)
        roc = 0; /* there is no cycle before the first */
    else if (ahead > half)
        roc--;
    else if (ahead < -half)
        roc++;
    *index = roc << 16 | seq;
    return *index <= AGW_SRTP_INDEX_MAX ? AGW_OK : AGW_ERR_LIMIT;
}

/** false: used before, or behind the window. */
static inline bool agw_srtp_stream_is_new(const agw_srtp_stream *s, uint64_t index)
{
    if (index > s->index)
        return true;
    const uint64_t back = s->index - index;
    if (back >= AGW_SRTP_REPLAY_WINDOW)
        return false;
    return back < 64 ? (s->recent >> back & 1) == 0 : (s->older >> (back - 64) & 1) == 0;
}

/** Only for the index of an authentic packet, or of one that we send, that is new. */
static inline void agw_srtp_stream_note(agw_srtp_stream *s, uint64_t index)
{
    s->has_next_roc = false;
    if (index <= s->index) {
        const uint64_t back = s->index - index;
        if (back < 64)
            s->recent |= (uint64_t)1 << back;
        else
            s->older |= (uint64_t)1 << (back - 64);
        return;
    }
    const uint64_t ahead = index - s->index;
    if (ahead < 64)
        s->older = s->older << ahead | s->recent >> (64 - ahead);
    else
        s->older = ahead < AGW_SRTP_REPLAY_WINDOW ? s->recent << (ahead - 64) : 0;
    s->recent = (ahead < 64 ? s->recent << ahead : 0) | 1;
    s->index = index;
}

#endif
