/* SPDX-License-Identifier: BSD-3-Clause
 * What an offer/answer session remembers, and one exchange while it is worked on. Private to
 * negotiate*.c.
 *
 * A state is a value: an exchange copies what stands, works on the copy, and the copy takes over
 * only when all went well. `current` stands since the last answer; `pending` belongs to an open
 * offer. Lines are m= lines in the order of the last SDP; both parties see the same order. */
#ifndef AGW_CONTROL_NEGOTIATE_STATE_H
#define AGW_CONTROL_NEGOTIATE_STATE_H

#include "control/negotiate.h"
#include "control/sdp.h"
#include "srtp/sdes.h"

enum {
    AGW_ROWS_MAX = 96,      /* codecs that one line remembers */
    AGW_LINE_TYPE_MAX = 16, /* "application" and its kin */
    AGW_CNAME_LEN = AGW_PLAN_CNAME_MAX,
    AGW_CANDIDATES_MAX = 64, /* of one transport's peer */
    AGW_EXT_ID_MAX = 14,     /* one-byte header extensions, RFC 8285 section 4.2 */
};

/** An a=crypto line of ours in an offer. */
typedef struct agw_offered_key {
    agw_sdes line;
    bool used; /* by a session: nothing else may begin with it (RFC 3711 section 9.1) */
} agw_offered_key;

/** Our end of one transport, and what SDP has settled about it. */
typedef struct agw_link {
    agw_transport_info info;
    agw_transport_kind kind;
    agw_transport_plan now;   /* zeroed but for id and side until its party has spoken; its
                                 fingerprints are the link's */
    char *tls_id;             /* the party's; NULL = none */
    char *remote;             /* now.remote_ufrag and, behind it, now.remote_pwd; NULL = none */
    agw_addr *sources;        /* now.sources, with room for all; NULL = none ever */
    GArray *candidates;       /* of agw_candidate_plan, of now.remote_ufrag; NULL = none */
    uint32_t crypto_tag;      /* of the a=crypto that both keys belong to */
    agw_offered_key *offered; /* of our last offer with SDES, best first */
    size_t n_offered;
    bool settled; /* in the exchange that is worked on */
} agw_link;

/** One codec of one line and its numbers on both sides. */
typedef struct agw_row {
    char name[32];
    uint32_t clock_hz;
    uint8_t channels;
    uint8_t encoding;   /* as agw_sdp_codec has it */
    uint8_t pt[2];      /* what we call it toward that side, so what that side sends */
    uint8_t want[2];    /* what that side's own SDP calls it, so what that side receives */
    uint16_t modes[2];  /* AMR, AMR-WB: its mode-set in that side's own SDP; 0 = all */
    bool named[2];      /* pt and want of that side mean something */
    bool octet_aligned; /* AMR, AMR-WB: RFC 4867 section 8.1 */
    bool hf_only;       /* EVS: TS 26.445 annex A.3.1 */
    bool offered;       /* in the last offer */
    bool added;         /* by us: who made that offer does not have it, or another form of it */
    bool active;        /* in its answer, too: it passes */
    uint8_t chained;    /* 1 << side: that party speaks it, and the other one something else */
    bool aux;           /* only accompanies another */
} agw_row;

/** One side of one line. */
typedef struct agw_line_end {
    char *mid;              /* NULL = none */
    bool linked;            /* link is meaningful */
    uint32_t link;          /* id of the transport */
    bool bundled;           /* in the BUNDLE group that this party agreed to */
    bool hidden;            /* this party's descriptions do not have the line (sdp-media-remove) */
    agw_sdp_proto proto;    /* of the m= line toward this party; AGW_SDP_OTHER = not yet */
    agw_security security;  /* until the answer of an `osrtp` end: what it may become */
    bool osrtp;             /* RTP/AVP with keys, which may end as plain RTP (RFC 8643) */
    agw_sdp_direction said; /* what this party wants to do */
    uint32_t ssrc;          /* the SSRC that we send toward it; 0 = unchanged */
} agw_line_end;

/** One m= line. */
typedef struct agw_line {
    uint32_t id;
    char type[AGW_LINE_TYPE_MAX + 1];
    agw_media_kind kind; /* with served */
    bool served;         /* RTP audio or video */
    bool offered;        /* alive in the last offer, and we pass it on */
    bool live;           /* answered, too: `now` is in force */
    bool passes;         /* secured between the parties, not by us (TS 23.334 section 5.11.3) */
    agw_line_end end[2];
    /* of a line that one party does not see, as the other one wrote them; else NULL */
    char *shown_proto, *shown_format;
    GArray *rows;        /* of agw_row */
    agw_media_plan *now; /* NULL unless live */
    /* what becomes of the chained codecs of what that side sends; NULL = it has none */
    agw_chain_plan *chain[2];
    /* the one chained codec is the same, in another form, on both sides: what that side receives */
    uint8_t form[2], form_pt[2]; /* agw_form, NONE = there is no such; its payload type */
} agw_line;

/** What we know of one party apart from its medias. Keys of a request stay until others come. */
typedef struct agw_leg {
    bool known; /* its interface is chosen */
    size_t interface;
    agw_realm_profile profile;
    bool web; /* DTLS-SRTP */
    bool ice;
    agw_ice_mode ice_mode;   /* of transports that are still to be made */
    bool mux;                /* rtcp-mux is offered to it, or was offered by it */
    bool mux_only;           /* a=rtcp-mux-only in offers to it */
    bool no_bundle, no_mux;  /* its offers of these are refused, by key */
    agw_family family;       /* asked for by key, or NONE */
    agw_sdp_proto transport; /* asked for by key, or AGW_SDP_OTHER */
    agw_dtls_flag role;      /* asked for by key */
    agw_sdes_words sdes;     /* the last that were given in an offer to it */
    uint32_t osrtp;          /* the same: AGW_OSRTP_* */
    uint8_t dtls_hash;       /* agw_hash of the fingerprint that it is shown; 0 = SHA-256 */
    bool latch_asked, latch_refused, handover, strict;
    bool nat_wait;   /* it is sent to once it has sent */
    bool use_source; /* SIP-source-address */
    bool own_rtcp;   /* generate-RTCP; of both legs the same */
    agw_addr source; /* received-from of its last message */
    agw_addr media_address;
    uint64_t words;
    int32_t tos, ptime, police;         /* -1 = by default */
    int32_t ptime_back;                 /* in answers to it */
    uint32_t replace;                   /* AGW_REPLACE bits of all messages to it */
    GPtrArray *codecs[AGW_CODEC_LISTS]; /* reference counted; of char * */

    uint8_t ext_mid, ext_orientation; /* ids of the two extensions that we use toward it */
} agw_leg;

typedef struct agw_state {
    agw_leg leg[2];
    GPtrArray *links; /* of agw_link * */
    GPtrArray *lines; /* of agw_line * */
    uint32_t next_media_id;
    uint32_t kind; /* of the branches that it was offered to; others than the first have a number */
    bool passes;   /* passthrough was asked for: what is secured by the offerer stays so */
} agw_state;

/** The o= line that one party sees. It belongs to what was sent, so an exchange that is given up
 * does not take it back. */
typedef struct agw_origin {
    char *username, *id; /* NULL before the first description */
    char *name;          /* s= */
    uint64_t version;
    bool counts;   /* the version is ours to count; else it is the sender's */
    uint64_t told; /* hash of the last description that it got; 0 = none */
} agw_origin;

/** An offer, kept beyond its answer for those that follow it (183 then 200, forks). */
typedef struct agw_offer {
    agw_side from;
    char *text; /* NULL = none */
    size_t len;
    agw_sdp *sdp;       /* as it was parsed, until the first answer */
    agw_state *pending; /* what it would change; NULL unless it is open */
} agw_offer;

struct agw_session {
    const agw_config *config;
    agw_gateway *gw;
    agw_call_ref *call;
    agw_state *current; /* NULL before the first answer */
    agw_offer offer;    /* the last one */
    agw_offer crossed;  /* the other party's that was open when it came, and still is; else empty */
    agw_offer answered; /* in an early dialogue: the last answered one, while a later one is open */
    GArray *others;     /* of agw_offer, all open: of other kinds of branches; NULL = none */
    GArray *names;      /* branches of the last offers, until it is decided; NULL = none */
    uint32_t last_kind;
    agw_origin origin[2];
    bool looped; /* the last message was one of our own */
    bool urgent; /* an emergency or priority call */
    /* of the answers to the last offer */
    bool early;                  /* the last one that told was provisional */
    bool decided;                /* one was final */
    bool stood;                  /* the last one changed nothing but who else may be heard */
    agw_early_media early_media; /* of the one that stands */
    uint8_t acts[2];             /* AGW_ACT_* by side */
    agw_shield_plan shield[2];   /* of blocked digits, by side */
    uint8_t seed[16];            /* of SSRCs and CNAMEs */
    char view[64];               /* text of the last view */
};

/** A codec on its way into the description that is written. */
typedef struct agw_out_codec {
    const agw_sdp_codec *codec;   /* as its party wrote it */
    const agw_sdp_codec *offered; /* in an answer: as the offerer wrote it; NULL in an offer */
    uint8_t pt;                   /* as the other party reads it */
    bool added;                   /* in an offer: by us */
} agw_out_codec;

/** One line of an exchange. */
typedef struct agw_work {
    agw_line *line;                /* in x->next */
    const agw_sdp_media *m;        /* as the sender of this message wrote it; NULL = left out */
    const agw_sdp_media *tm;       /* where its transport attributes stand (RFC 9143) */
    const agw_sdp_media *om;       /* in an answer: as the offerer had written it */
    const agw_sdp_media *otm;      /* and its transport attributes */
    bool go;                       /* the line is alive in what we write */
    GArray *codecs;                /* of agw_out_codec, in the order they are written */
    bool own_ptime;                /* AMR that we added, or answered for: we say its packet time */
    bool converted;                /* in an answer: the parties do not speak the same */
    uint32_t told_fb;              /* AGW_FB bits that we wrote toward the receiver */
    uint32_t acfg, acfg_transport; /* potential configuration taken; 0 = none */
} agw_work;

typedef struct agw_exchange {
    agw_session *s;
    const agw_flags *flags;
    agw_side from, to; /* sender and receiver of this message */
    bool is_offer;
    agw_sdp *sdp;             /* the message */
    agw_sdp *offer;           /* in an answer: the offer that it answers; NULL in an offer */
    const agw_state *current; /* what stands, or NULL */
    agw_state *next;
    GArray *work;        /* of agw_work, one a line */
    GPtrArray *made;     /* of agw_sdp_codec * that we wrote ourselves */
    GStringChunk *texts; /* theirs */
    bool browser;        /* the message comes from a browser */
    bool converted;      /* a browser's offer goes to a plain leg without being told so */
    bool looped;         /* we wrote the message ourselves toward this very realm */
    bool apart;          /* an offer to a branch of a kind that no open one has */
    const char *refused; /* why a line could not be served, or NULL */
    const char *why;
} agw_exchange;

/** Sends the plan of what stands to the worker. */
void agw_session_apply(agw_session *s);
/** Gives up the offers to branches of other kinds than the one that stands. */
void agw_session_end_branches(agw_session *s);

/* --- negotiate_state.c: memory and finding --- */

agw_state *agw_state_new(void);
GPtrArray *agw_state_new_lines(void);
agw_state *agw_state_copy(const agw_state *state);
void agw_state_free(agw_state *state);
agw_line *agw_state_line(const agw_state *state, size_t i);
/** NULL when there is none, or state is NULL. */
agw_link *agw_state_link(const agw_state *state, uint32_t id);
/** Nothing is known of that side any more: neither its leg nor its ends. */
void agw_state_forget_side(agw_state *state, agw_side side);
/** The link of one end of a line, or NULL. */
agw_link *agw_state_end_link(const agw_state *state, const agw_line *line, agw_side side);
/** Wipes and forgets the party's credentials. */
void agw_link_forget_remote(agw_link *link);
agw_line *agw_line_new(agw_state *state, const char *type);
void agw_line_set_mid(agw_line *line, agw_side side, const char *mid);
/** Keeps what a refusal of the line repeats of m. */
void agw_line_keep_shown(agw_line *line, const agw_sdp_media *m);
agw_row *agw_line_row(const agw_line *line, size_t i);
/** true if a line that is offered or alive uses the link. */
bool agw_state_uses(const agw_state *state, uint32_t link);
/** The line has no transports any more. */
void agw_line_unlink(agw_line *line);
/** Frees links that no offered or living line uses; their reservation is the caller's matter. */
void agw_state_sweep(agw_state *state);

static inline agw_side agw_side_other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
}

/** A browser-like end of a line. */
static inline bool agw_end_is_web(const agw_line_end *end)
{
    return end->security == AGW_SECURITY_DTLS;
}

/** What the transport of an end is secured by, as far as we have to do with it. */
static inline uint8_t agw_line_security(const agw_line *line, agw_side side)
{
    return (uint8_t)(line->passes ? AGW_SECURITY_PASS : line->end[side].security);
}

/** The leg is neither a browser's nor in a realm that has a profile: what rtpengine does, to the
 * letter. */
bool agw_exchange_is_literal(const agw_exchange *x);

static inline agw_work *agw_work_at(const agw_exchange *x, size_t i)
{
    return &g_array_index(x->work, agw_work, i);
}

/* --- negotiate_legs.c: realms, profiles, keys --- */

/** Chooses interfaces and what each leg is, from keys, profiles and what was. */
void agw_legs_offer(agw_exchange *x);
/** Keys that an answer may still change. */
void agw_legs_answer(agw_exchange *x);
/** Chooses the profile of the m= line toward the receiver of an offer, and what it is secured by.
 */
void agw_legs_secure(const agw_exchange *x, const agw_work *w);

/* --- negotiate_in.c: what was read --- */

/** Finds each m= line of an offer among what stands, and decides which ones we pass on. */
AGW_NODISCARD agw_err agw_in_offer(agw_exchange *x);
/** Finds each answered line and decides which ones are accepted. */
void agw_in_answer(agw_exchange *x);
/** The line that the message (or, in an answer, the offer) has as m; NULL: none. */
agw_work *agw_in_work_of(const agw_exchange *x, const agw_sdp_media *m);
/** Where the transport attributes of m stand in its description. */
const agw_sdp_media *agw_in_transport_media(const agw_sdp *sdp, const agw_sdp_media *m);
/** What an offered line of this profile, with these transport attributes, is secured by. sdes: it
 * counts where both DTLS and SDES are offered. */
agw_security agw_in_security(agw_sdp_proto proto, const agw_sdp_media *tm, bool sdes);

/* --- negotiate_codecs.c: payload types --- */

/** Chooses the codecs of an offered line and their numbers toward the receiver; false: none. */
bool agw_codecs_offer(agw_exchange *x, agw_work *w);
/** Matches the answered codecs with the offered ones; false: none in common. */
bool agw_codecs_answer(agw_exchange *x, agw_work *w);
/** The receiver's number of the sender's payload type, or -1: not passed on. */
int agw_codecs_renumber(const agw_work *w, unsigned pt);

/** Whether a row is that codec. */
bool agw_row_is(const agw_row *row, const agw_sdp_codec *codec);
/** Whether the script lets a codec of the offer be spoken by who offers it: neither stripped nor
 * ignored, and among those that may be left. */
bool agw_codecs_may_stay(const agw_leg *to, const agw_sdp_codec *codec);
/** What that side's own description says of how it wants to receive a row's codec. */
void agw_codecs_note_wishes(agw_row *row, agw_side side, const agw_sdp_codec *codec);
/** A new row without numbers; NULL: the line has no room for it. */
agw_row *agw_codecs_new_row(agw_line *line, const agw_sdp_codec *codec);

/* --- negotiate_transcode.c: codecs that one party alone has --- */

/** Whether codecs are added by profile to what the sender of an offer has. */
bool agw_transcode_by_profile(const agw_exchange *x, const agw_line *line);
/** Puts the codecs that the sender of an offer lacks, by profile or by key, among w->codecs. */
void agw_transcode_offer(agw_exchange *x, agw_work *w);
/** Decides what is converted once the answered codecs are known: those that pass are in w->codecs,
 * rows that we had added and that are answered have chained. What then is written is in w->codecs.
 */
void agw_transcode_answer(agw_exchange *x, agw_work *w);
/** A party's row as a format, as far as the row knows it; AGW_CODEC_NONE: no codec of ours. */
agw_codec_format agw_row_format(const agw_row *row, agw_side side);
/** What is done to payloads of a chained row of that side without a chain, for the plan
 * (agw_pt_plan.repack); 0: nothing can be. */
uint8_t agw_transcode_repack(const agw_line *line, agw_side side, const agw_row *row);
/** Whether a chain can have it as an input. */
bool agw_transcode_takes(const agw_row *row);
/** Whether a line of the offer goes on with codecs of ours. */
bool agw_transcode_is_open(const agw_exchange *x);
/** CPU of a second of what the lines convert, in us, by the codec table. */
uint64_t agw_transcode_cost_us(const agw_state *state);
/** The chain of what a side sends, for the plan; NULL = none. offered: it may send all that was
 * offered to it. */
const agw_chain_plan *agw_transcode_plan(agw_plan *plan, const agw_line *line, agw_side side,
                                         bool offered);

/* --- negotiate_links.c: transports --- */

/** Reserves what an offer needs on both sides. */
AGW_NODISCARD agw_err agw_links_offer(agw_exchange *x);
/** Settles addresses, credentials, roles and bundles once there is an answer. */
AGW_NODISCARD agw_err agw_links_answer(agw_exchange *x);

/* --- negotiate_forks.c: branches of a fork --- */

/** Whether another branch is heard, so that this answer only adds its own to those that may be. */
bool agw_forks_stand(const agw_exchange *x);
/** Adds it to what stands. */
void agw_forks_note(const agw_exchange *x);
/** The answer takes over: what it says about the session. */
void agw_forks_taken(const agw_exchange *x);
/** Who may be heard on an end of it; before: where its party was. */
void agw_forks_settle(const agw_exchange *x, agw_link *link, const agw_addr *before);
/** An offer begins: what is known of branches ends unless they are known to be early dialogs. */
void agw_forks_offer(const agw_exchange *x, agw_transport_plan *from, agw_transport_plan *to);

/* --- negotiate_branches.c: branches of different kinds --- */

/** All states of a session, those that there are not as NULL. */
size_t agw_session_n_states(const agw_session *s);
agw_state *agw_session_state(const agw_session *s, size_t i);
/** An offer to another branch goes on with x->next of its kind; AGW_ERR_LIMIT: too many kinds. */
AGW_NODISCARD agw_err agw_branches_offer(agw_exchange *x);
/** It is written: room in s->offer, and its branch is noted. */
void agw_branches_offered(agw_exchange *x);
/** Makes the offer that went to the branch of an answer s->offer. The one whose answer stands may
 * be among the others then, without a state of its own, until one of the next two. */
void agw_branches_choose(agw_session *s, const agw_flags *flags);
/** What stands will be another branch's: its own is kept, it may still win. */
void agw_branches_leave(agw_session *s);
/** What stands is still the same. */
void agw_branches_rest(agw_session *s);
/** Whether another kind of branch is heard, and stays it. */
bool agw_branches_stand(const agw_exchange *x);
/** It is decided who answers: returns the other offers, or NULL. */
GArray *agw_branches_end(agw_session *s);

/* --- negotiate_ice.c: full agents --- */

/** Decides agent and role of a new transport; tm: transport attributes of the offer. */
void agw_ice_begin(const agw_exchange *x, agw_link *link, const agw_sdp_media *tm);
/** Takes a party's credentials and candidates. */
void agw_ice_take(agw_link *link, const agw_sdp_media *tm);
/** Copies what the link points to into the plan, which has the room, for t. */
void agw_link_add_to_plan(agw_plan *plan, agw_transport_plan *t, const agw_link *link);
/** That room. */
size_t agw_link_room(const agw_link *link);

/* --- negotiate_keys.c: a=crypto --- */

/** Whether an offered line has an a=crypto that we can use; else *why. */
bool agw_keys_offered(const agw_sdp_media *tm, const char **why);
/** Whether an answered line takes the a=crypto that link offered; else *why. */
bool agw_keys_answered(const agw_link *link, const agw_sdp_media *tm, const char **why);
/** Keys toward a party that is offered something: a line for each suite; what is in use stays, and
 * is the first. */
void agw_keys_for_offer(const agw_exchange *x, const agw_work *w, agw_link *link);
/** Keys of a party that has offered, or answered; a line was found usable before. rather: in an
 * offer these suites before its own order, unless one is in use. */
void agw_keys_take_offer(agw_link *link, const agw_sdp_media *tm,
                         const agw_srtp_suite_list *rather);
void agw_keys_take_answer(agw_link *link, const agw_sdp_media *tm);
/** Without SDES now: should it come back, the keys are others. A session that begins anew under an
 * old key would repeat its key stream. */
void agw_keys_forget(agw_link *link);
/** Writes our a=crypto: all lines of an offer, or the one that was taken. */
void agw_keys_write(const agw_exchange *x, const agw_link *link, agw_sdp_writer *out);
/** Wipes and frees what was offered. */
void agw_keys_drop_offered(agw_link *link);

/* --- negotiate_out.c, negotiate_attrs.c, negotiate_bandwidth.c: what is written --- */

/** Writes the description for the receiver. */
void agw_out_write(agw_exchange *x, GString *out);
/** Whether the message has the mark that we write toward the receiver with loop-protect. */
bool agw_out_is_looped(const agw_exchange *x);
void agw_out_session_attrs(agw_exchange *x, agw_sdp_writer *out);
void agw_out_media_attrs(agw_exchange *x, agw_work *w, agw_sdp_writer *out);
void agw_out_bandwidth(const agw_exchange *x, const agw_work *w, agw_sdp_writer *out);
/** What we encode for that side takes no more than its description lets us (b=AS, b=TIAS). */
void agw_bandwidth_limit(const agw_exchange *x, const agw_work *w, agw_side side,
                         agw_codec_format *format);
/** What each side of an answered line may send at most. */
void agw_bandwidth_police(const agw_exchange *x, const agw_work *w, agw_media_plan *plan);
/** b= of this type that m says or, being an answer, takes over from its offer; -1 = none. */
int64_t agw_bandwidth_kept(const agw_work *w, const agw_sdp_media *m, const char *type);
/** Our address as the receiver reads it: i 0 the one of c=, 1 the other family's or none. */
agw_addr agw_out_addr(const agw_exchange *x, const agw_link *link, bool rtcp, unsigned i);
/** Random to others, the same for the same place in the same session. */
uint64_t agw_out_random(const agw_session *s, uint32_t place);
/** The CNAME of ours that a party sees. */
const char *agw_out_cname(const agw_session *s, agw_side side, char out[AGW_CNAME_LEN + 1]);

/** Ids of header extensions toward a browser: what it uses itself, else ours. sdp: its own, or
 * NULL.
 */
void agw_attrs_learn_ids(agw_leg *leg, const agw_sdp *sdp);
/** Id of the MID extension in m; 0 = none. */
uint8_t agw_attrs_mid_id(const agw_sdp_media *m);
/** Whether an extension of the sender means anything to the receiver. */
bool agw_attrs_extension_passes(const agw_exchange *x, const agw_work *w, const agw_sdp_extmap *e);
/** In an answer: whether the answerer took the offered extension. */
bool agw_attrs_extension_answered(const agw_exchange *x, const agw_work *w,
                                  const agw_sdp_extmap *offered);

/* --- negotiate_plan.c: what is done --- */

/** Fills line->now of every accepted line. */
void agw_plan_medias(agw_exchange *x);
/** The whole call: what stands, and the reserved transports of open offers. */
agw_plan *agw_plan_of(const agw_session *s);
/** What the workers must know of audio whose inside matters (AGW_ACT_SILENCE, AGW_ACT_DETECT). */
void agw_plan_audios(const agw_session *s, agw_plan *plan);
/** Bits of AGW_FB_* (rtp/feedback.h) of one a=rtcp-fb value; 0 = none of them. */
uint32_t agw_plan_fb_bit(const char *value);

#endif
