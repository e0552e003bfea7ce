/* SPDX-License-Identifier: BSD-3-Clause
 * A session without SDP for tests of calls and commands: control/negotiate.h with one audio media
 * between an ICE/DTLS leg (side A) and a plain leg (side B). The SDP written is "offer to A",
 * "answer to B" and so on. Link it in front of agw_control. */
#ifndef AGW_TESTS_CONTROL_FAKE_SESSION_H
#define AGW_TESTS_CONTROL_FAKE_SESSION_H

#include "control/negotiate.h"

/** What the sessions do from now on; zeroed at each fake_session_reset(). */
typedef struct fake_session_plan {
    agw_err fail;                 /* every negotiation fails with this ... */
    const char *why;              /* ... and this text */
    bool held;                    /* no party may send */
    bool one_way;                 /* only side A may */
    bool muxed;                   /* side B has rtcp-mux */
    size_t medias;                /* 0 = 1 */
    bool looped;                  /* every message is one of our own */
    bool stood;                   /* every answer is of a branch that is not heard */
    agw_err trickle;              /* every fragment ends with this */
    bool no_dtmf;                 /* telephone-event was not negotiated */
    bool deaf;                    /* nobody has a codec that we can encode */
    agw_candidate_view candidate; /* of every address */
} fake_session_plan;

extern fake_session_plan fake_session;
extern size_t fake_session_rollbacks, fake_session_accepted;
extern char fake_session_said[64]; /* the last description that was negotiated ... */
extern char fake_session_via[32];  /* ... and the via-branch that it came with */
/** Fragments taken, and the side of the last one. */
extern size_t fake_session_fragments;
extern agw_side fake_session_fragment_side;
/** AGW_ACT_* by side, as set last, in any session. */
extern uint8_t fake_session_acts[2];
extern agw_shield_plan fake_session_shield[2];
extern bool fake_session_urgent; /* the last session that was told */
void fake_session_reset(void);

#endif
