/* SPDX-License-Identifier: BSD-3-Clause
 * A WebRTC party on the wire: SDP as Chromium writes it, a full ICE agent with one candidate pair
 * (aggressive nomination; controlled only when it answers another full agent), consent checks, DTLS
 * in either role, SRTP, rtcp-mux; one address, no BUNDLE. Everything that it does can also be done
 * for it by hand, which is what the attacks are made of: the fields are public. */
#ifndef AGW_BENCH_KIT_BROWSER_H
#define AGW_BENCH_KIT_BROWSER_H

#include "bench/kit/sdp.h"
#include "bench/kit/srtp.h"
#include "bench/kit/world.h"
#include "dtls/session.h"

typedef enum kit_browser_state {
    KIT_BROWSER_NEW = 0,
    KIT_BROWSER_CHECKING,
    KIT_BROWSER_HANDSHAKING, /* a check was answered */
    KIT_BROWSER_READY,       /* keys */
    KIT_BROWSER_FAILED,      /* see `failure` */
} kit_browser_state;

typedef struct kit_browser_config {
    agw_dtls_ctx *dtls;       /* borrowed; its profiles are the suites that are offered */
    bool video;               /* one H.264/VP8 line instead of audio */
    const kit_codecs *codecs; /* copied; NULL = the usual ones */
    bool dtls_server;         /* when the gateway offers actpass: be the passive side */
    agw_ns dtls_pause; /* before DTLS begins and before each answer in it: as from far away */
    /* All may be NULL. rtp and rtcp are authentic and plain; on_ready tells once that the browser
     * is ready or has failed. Each may end the browser. */
    void (*on_ready)(void *owner);
    void (*on_rtp)(void *owner, const uint8_t *rtp, size_t len, agw_ns at);
    void (*on_rtcp)(void *owner, const uint8_t *rtcp, size_t len, agw_ns at);
    void *owner;
} kit_browser_config;

typedef struct kit_browser_stats {
    uint64_t checks_sent, checks_answered; /* ours */
    uint64_t checks_taken;                 /* the gateway's, answered by us */
    uint64_t stun_bad, dtls_dropped;
    uint64_t unknown;      /* neither STUN, DTLS nor RTP; or media before there were keys */
    uint64_t other_source; /* from another address than the gateway's: an error of the gateway */
} kit_browser_stats;

typedef struct kit_browser {
    kit_world *world;
    kit_browser_config config;
    kit_browser_state state;
    const char *failure;
    agw_addr local, remote; /* remote: the gateway's candidate */
    agw_addr next, former;  /* of an ICE restart: local once a check is answered; local before */
    char ufrag[16], pwd[40], remote_ufrag[64], remote_pwd[128];
    char mid[KIT_SDP_MID], cname[20];
    uint32_t ssrc;         /* in our SDP; random, may be set before that is written */
    uint8_t pt_out, pt_in; /* PCMU or VP8: what the gateway expects, what it was told to send */
    int pt_more;           /* telephone-event or H.264, -1 = none */
    kit_codecs codecs;     /* those of the configuration, as they were agreed */
    agw_fingerprint remote_fingerprint;
    bool offered;     /* the first description was ours */
    bool controlling; /* ICE role */
    uint64_t tie_breaker;
    bool dtls_client; /* role in force */
    agw_dtls *dtls;   /* from the first answered check on */
    uint8_t *early;   /* a DTLS datagram that came before; owned */
    size_t early_len;
    kit_srtp srtp;
    kit_timer check_timer, dtls_timer;
    agw_ns pause_until;   /* of dtls_pause, the latest one */
    uint8_t check_id[12]; /* of the check under way */
    bool check_open;      /* it has no answer yet */
    unsigned check_sends; /* of the first one */
    agw_ns started_at, connected_at, ready_at;
    kit_browser_stats stats;
} kit_browser;

/** Takes a host of the world and binds it. */
void kit_browser_init(kit_browser *b, kit_world *world, const kit_browser_config *config);
void kit_browser_fini(kit_browser *b);

/** The SDP of an offer (setup:actpass), in the form Chromium 156 gives it; returns its length. */
size_t kit_browser_write_offer(kit_browser *b, char out[KIT_SDP_MAX]);
/** The SDP of an answer to what kit_browser_take() read. */
size_t kit_browser_write_answer(kit_browser *b, char out[KIT_SDP_MAX]);
/** Reads the gateway's SDP (offer or answer). AGW_ERR_MALFORMED: `failure` says what is missing. */
AGW_NODISCARD agw_err kit_browser_take(kit_browser *b, const char *sdp, size_t len);
/** To be called once both descriptions are exchanged. Begins checks; DTLS follows by itself as soon
 * as one is answered, on_ready when the keys are there, or after 10 s without. Afterwards consent
 * checks go every 5 s, times 0.8 to 1.2 (RFC 7675 section 5.1); unanswered ones are for the caller
 * to see in `stats`. A gateway that ends DTLS later makes the state KIT_BROWSER_FAILED, and nobody
 * is told. */
void kit_browser_start(kit_browser *b);

/** An ICE restart (RFC 8445 section 2.4) as Chromium does it: new credentials and a new port, which
 * the next description carries. DTLS and keys stay. When that is answered, kit_browser_start()
 * begins checks from the new port; media leaves from the old one until a check is answered, and is
 * taken on both. Only when ready. */
void kit_browser_restart(kit_browser *b);

/** Protects (in place; 32 bytes of room behind len) and sends. false: no keys, or refused. */
bool kit_browser_send_rtp(kit_browser *b, uint8_t *rtp, size_t len);
bool kit_browser_send_rtcp(kit_browser *b, uint8_t *rtcp, size_t len);
/** Protects without sending: what an eavesdropper has seen, or what is to be tampered with.
 * Returns the new length, 0 = refused. */
size_t kit_browser_protect(kit_browser *b, uint8_t *rtp, size_t len, bool rtcp);
/** The same for RTP that stands in the wire's room and is going to be committed: protected at the
 * latest when it leaves. */
size_t kit_browser_protect_room(kit_browser *b, uint8_t *rtp, size_t len);

/** A connectivity check as this browser would send it now, for tampering; returns its length. */
size_t kit_browser_write_check(kit_browser *b, uint8_t out[256], bool nominate);

#endif
