/* SPDX-License-Identifier: BSD-3-Clause
 * The attack set: what one attack is, what it may use while it runs, and how it is judged. A case
 * says who sends what to which port, and when; the stage (stage.c) makes a fresh call for it, keeps
 * media running both ways, fires the case's packets at ten times the call's rate and judges. */
#ifndef AGW_ATTACK_ATTACK_H
#define AGW_ATTACK_ATTACK_H

#include "bench/kit/call.h"
#include "tests/attack/craft.h"

/** When the packets are sent; a case names all that it runs in. */
typedef enum attack_when {
    ATTACK_BEFORE = 1, /* both descriptions are known, no party has sent anything yet */
    ATTACK_DURING = 2, /* from then on until well after ICE and DTLS are done */
    ATTACK_AFTER = 4,  /* the call is up and talks */
    ATTACK_EVER = 7,
} attack_when;

/** Who sends them. */
typedef enum attack_from {
    ATTACK_STRANGER = 1, /* off path: an address that nobody named, reads only what comes to it */
    ATTACK_BROWSER = 2,  /* off path, with the browser's own address and port as source */
    ATTACK_PHONE = 4,    /* the same with the phone's */
    ATTACK_PEER = 8,     /* the browser itself, authenticated for its call */
    ATTACK_CLIENT = 16,  /* a client that may use the control port */
    ATTACK_OUTSIDE = ATTACK_STRANGER | ATTACK_BROWSER,
} attack_from;

typedef enum attack_target {
    ATTACK_ACCESS = 0, /* the port of the browser's leg */
    ATTACK_CORE,       /* the RTP port of the phone's leg */
    ATTACK_CORE_RTCP,  /* the one behind it */
    ATTACK_CONTROL,    /* ng */
} attack_target;

/** How a case is judged; 0 = strictly. */
enum {
    /* Plain RTP carries no proof: what has the phone's own source cannot be told from the phone's.
     * Judged by liveness alone: media flows both ways after the attack. */
    ATTACK_NO_PROOF = 1,
    /* No media may flow at all. */
    ATTACK_NO_MEDIA = 2,
    /* While the attack lasts, fire() sends what side A sends, not the stage. */
    ATTACK_OWN_MEDIA = 4,
    /* Other SSRCs of the party itself: they may arrive, and renumber. */
    ATTACK_PARTY_MEDIA = 8,
    /* Packets with the bystander's address: answers go there, and only its media is judged. */
    ATTACK_AT_BYSTANDER = 16,
    /* The peer harms its own call, which is not judged. */
    ATTACK_OWN_HARM = 32,
    /* Descriptions of the case name addresses where nobody is: what goes there is asked for. */
    ATTACK_NAMES_NOBODY = 64,
};

typedef struct attack attack;

/** One row of the set. */
typedef struct attack_case {
    const char *name;
    const char *what;    /* one line for people */
    unsigned when, from; /* masks: one run for each pair */
    attack_target target;
    kit_call_kind kind;
    unsigned judged;
    unsigned per_s;           /* packets a second where the call's rate is no measure; 0 */
    uint16_t payload;         /* bytes of media; 0 = 160 */
    bool gateway_client;      /* the gateway has the active role in DTLS */
    void (*begin)(attack *a); /* NULL; addresses are known, the first packet is next */
    void (*fire)(attack *a, uint64_t n); /* NULL; sends packet n = 0, 1, ... */
    void (*stop)(attack *a);             /* NULL; the last packet was fired */
    const char *(*judge)(attack *a);     /* NULL; what is wrong, or NULL */
    void (*end)(attack *a);              /* NULL; closes what `own` has opened */
} attack_case;

/** Ends with an entry without a name. */
extern const attack_case ATTACK_STUN_CASES[], ATTACK_DTLS_CASES[], ATTACK_SRTP_CASES[],
    ATTACK_SDES_CASES[], ATTACK_RTP_CASES[], ATTACK_JUNK_CASES[], ATTACK_NG_CASES[],
    ATTACK_FLOOD_CASES[], ATTACK_WIDE_CASES[];

typedef struct attack_options {
    kit_world_config world;
    agw_ns attack_for, after; /* lengths of the attack and of the talk behind it */
    unsigned times;           /* the call's packet rate */
    uint64_t seed;

} attack_options;

/* --- what a run knows --------------------------------------------------------------------------
 */

enum {
    ATTACK_HEARD_MAX = 256, /* packets that an eavesdropper keeps */
    ATTACK_HEARD_BYTES = 1280,
    ATTACK_PACKETS_PER_S = 100, /* of one call, both ways together */
};

/** A datagram of the party whose leg is attacked, as it was on the wire. */
typedef struct attack_heard {
    size_t len;
    uint8_t data[ATTACK_HEARD_BYTES];
} attack_heard;

/** A call that talks, and what was sent in it. */
typedef struct attack_talk {
    kit_call call;
    bool talks;                             /* the media clock sends for it */
    uint64_t sent[2];                       /* packets of sides A, B that must arrive */
    uint64_t sent_then[2], arrived_then[2]; /* when the attack ended: liveness counts from here */
    kit_histogram quiet, attacked;          /* of the bystander: latency without and with */
    uint64_t forged_rtcp;                   /* RTCP packets at a party that its peer did not send */
} attack_talk;

/** One run: a case at one time from one place. */
struct attack {
    kit_world *world;
    const attack_options *options;
    const attack_case *c;
    attack_when when;
    attack_from from;
    craft_rng rng;
    craft packet; /* scratch of fire() */
    attack_talk victim;
    attack_talk *bystander;           /* another call of the same gateway */
    agw_addr stranger;                /* the attacker's own address and port */
    agw_addr source, target;          /* of the case; chosen by from and target */
    agw_addr access, core, core_rtcp; /* the gateway's ports of this call; none where it has none */
    attack_heard
        heard[ATTACK_HEARD_MAX]; /* SRTP of the browser, or of the phone with SDES; a ring */
    uint64_t heard_count;
    bool fires; /* the attack is under way */
    void *own;  /* the case's own; freed behind end() */
    /* results */
    uint64_t fired, fired_bytes;
    uint64_t answers, answer_bytes; /* STUN that came to the attacker */
    uint64_t bled;                  /* everything else that came to the attacker */
    uint64_t stray;                 /* what came for nobody */
    agw_ns went_at, up_at;
    agw_ns held_up; /* the longest that this program itself was late: the machine stood still */
    char why[160];  /* "" = passed */
};

/* --- what a case may do ------------------------------------------------------------------------
 */

/** The browser of the attacked call; only where the call has one. */
kit_browser *attack_browser(attack *a);
/** The first phone of the attacked call, and the side it is on. */
kit_phone *attack_phone(attack *a);
kit_side attack_phone_side(const attack *a);

/** Sends a datagram from the case's source to its target. */
void attack_send(attack *a, const void *bytes, size_t len);
void attack_send_to(attack *a, const agw_addr *to, const void *bytes, size_t len);
void attack_send_from(attack *a, const agw_addr *from, const agw_addr *to, const void *bytes,
                      size_t len);
/** a->packet. */
void attack_send_packet(attack *a);

/** The next media packet of the browser, protected, in out (ATTACK_HEARD_BYTES bytes), not sent;
 * returns its length. Whoever calls it sends it, or media is lost. skip: numbers that are left out
 * before it. */
size_t attack_next_media(attack *a, uint8_t *out, unsigned skip);
/** Sends what attack_next_media() made, as the browser. */
void attack_send_media(attack *a, const uint8_t *bytes, size_t len);
/** What an eavesdropper has heard: 0 = the newest SRTP packet. NULL: not so many. */
const attack_heard *attack_heard_at(const attack *a, uint64_t back);

/** SRTP with the keys of the attacked call's browser (or of the gateway) in another session than
 * the browser's own. Free it with agw_srtp_session_free(). */
agw_srtp_session *attack_session(attack *a, bool of_gateway);

/** The phone with SDES announces another key in an offer and answer that the browser begins, and
 * uses it from then on. Media goes on meanwhile. */
void attack_change_key(attack *a);

/** Media goes on for so long; for begin(). */
void attack_run_for(attack *a, agw_ns length);

/** For judge(): the bystander's p99 latency was more than 1 ms longer in the attack than without;
 * NULL: it was not, or there were too few packets to tell (10 s with --seconds and --after are
 * enough). */
const char *attack_slower(attack *a);

/** Fails the run; the first reason stays. */
void attack_fail(attack *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- datagrams that no UDP socket sends --------------------------------------------------------
 */

/** An IPv4 packet with any source, in fragments if it must be. false: the system refused. */
bool attack_raw_send(const agw_addr *from, const agw_addr *to, uint8_t protocol,
                     const uint8_t *data, size_t len);
/** A UDP datagram of up to 65507 bytes, in fragments. */
bool attack_raw_udp(const agw_addr *from, const agw_addr *to, const uint8_t *data, size_t len);
/** "What you sent from `to` to `from` did not get there": ICMP type 3. value: of its last word, the
 * MTU with code 4. */
bool attack_raw_unreachable(const agw_addr *from, const agw_addr *to, uint8_t code, uint16_t value);

/* --- the stage ---------------------------------------------------------------------------------
 */

/** Plays one run to its end. false: it failed, a->why says why. a is zeroed by the caller but for
 * world, options, c, when, from, bystander. */
bool attack_play(attack *a);
/** A call that stands beside all attacks, up and talking. false: it did not come up. */
bool attack_bystander_open(attack_talk *t, kit_world *world);
void attack_bystander_close(attack_talk *t, kit_world *world);

/* --- judgement (judge.c), for the stage ---------------------------------------------------------
 */

/** Everything that was sent has arrived, in both calls; owner: the attack. */
bool attack_all_arrived(void *owner);
/** From now on liveness is measured. */
void attack_mark(attack_talk *t);
/** Each fails the run with what it finds. */
void attack_judge_attacker(attack *a); /* what came to him */
void attack_judge_calls(attack *a);
void attack_judge_control(attack *a); /* the gateway answers query; not while media flows */

#endif
