/* SPDX-License-Identifier: BSD-3-Clause
 * The embedded IMS phone: answers an RTP/AVP offer with PCMA, plays a short tone sequence, then
 * echoes what it hears. It lives in the control thread's main loop and talks to the gateway over
 * UDP like any phone. */
#ifndef AGW_DEMO_PHONE_H
#define AGW_DEMO_PHONE_H

#include "base/addr.h"
#include "base/err.h"

#include <glib.h>

typedef struct agw_phone agw_phone;

typedef enum agw_phone_stage { AGW_PHONE_RINGING, AGW_PHONE_TONES, AGW_PHONE_ECHO } agw_phone_stage;

/** What the phone has seen of the media, for the page. */
typedef struct agw_phone_stats {
    agw_phone_stage stage;
    uint64_t rtp_in, rtp_out, rtcp_in, rtcp_out;
    int64_t lost_in;
    double level_in; /* of the last packet, 0 to 1 of full scale */
} agw_phone_stats;

/** Opens an RTP and an RTCP port at ip. */
AGW_NODISCARD agw_err agw_phone_new(agw_phone **out, const agw_addr *ip);
void agw_phone_free(agw_phone *phone);

/** Takes the call: parses text, the offer, starts to play, and returns the answer (free with
 * g_free()); NULL: no PCMA audio over plain RTP in it. */
char *agw_phone_answer(agw_phone *phone, const char *text);
void agw_phone_get_stats(const agw_phone *phone, agw_phone_stats *out);

#endif
