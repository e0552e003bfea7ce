/* SPDX-License-Identifier: BSD-3-Clause
 * An RTP party on the wire, plain or with keys in SDP: one address, RTP on an even port, RTCP on
 * the next. */
#ifndef AGW_BENCH_KIT_PHONE_H
#define AGW_BENCH_KIT_PHONE_H

#include "bench/kit/browser.h"

typedef struct kit_phone_config {
    bool video;
    const kit_codecs *codecs; /* copied; NULL = the usual ones */
    agw_srtp_suite suite;     /* SRTP with a=crypto of this suite, and nothing else */
    /* May be NULL. Only what came from the addresses that the gateway's SDP names. */
    void (*on_rtp)(void *owner, const uint8_t *rtp, size_t len, agw_ns at);
    void (*on_rtcp)(void *owner, const uint8_t *rtcp, size_t len, agw_ns at);
    void *owner;
} kit_phone_config;

typedef struct kit_phone {
    kit_world *world;
    kit_phone_config config;
    agw_addr local, local_rtcp, remote, remote_rtcp;
    uint8_t pt_out, pt_in; /* PCMU or VP8: what the gateway expects, what it was told to send */
    int pt_more;           /* telephone-event or H.264, -1 = none */
    kit_codecs codecs;     /* those of the configuration, as they were agreed */
    bool described;        /* our SDP was written */
    uint32_t session_id;
    kit_crypto crypto; /* ours, and below what the gateway's SDP says */
    kit_crypto gateway_crypto;
    kit_srtp srtp;
    const char *failure;
    uint64_t other_source; /* datagrams from elsewhere than the gateway's ports */
} kit_phone;

void kit_phone_init(kit_phone *p, kit_world *world, const kit_phone_config *config);
void kit_phone_fini(kit_phone *p);

/** Offer and answer look the same: PCMU and telephone-event, or VP8 and H.264, RTP/AVP or, with one
 * a=crypto, RTP/SAVP; with the payload types and the tag of the gateway's offer if that was taken
 * before. Returns the length. */
size_t kit_phone_write_sdp(kit_phone *p, char out[KIT_SDP_MAX]);
AGW_NODISCARD agw_err kit_phone_take(kit_phone *p, const char *sdp, size_t len);

bool kit_phone_send_rtp(kit_phone *p, const uint8_t *rtp, size_t len);
bool kit_phone_send_rtcp(kit_phone *p, const uint8_t *rtcp, size_t len);
/** RTP in the wire's room that is going to be committed: protected if it has to be. Returns the new
 * length, 0 = refused. */
size_t kit_phone_protect_room(kit_phone *p, uint8_t *rtp, size_t len);

#endif
