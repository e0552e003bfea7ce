/* SPDX-License-Identifier: BSD-3-Clause
 * Where ICE, DTLS and SRTP meet: the addresses, credentials, association and keys that the medias
 * of a BUNDLE group (or one media) share toward one party. */
#ifndef AGW_AGW_TRANSPORT_H
#define AGW_AGW_TRANSPORT_H

#include "agw/branches.h"
#include "agw/early.h"
#include "agw/handshake.h"
#include "agw/worker.h"
#include "base/prefetch.h"
#include "ice/agent.h"
#include "srtp/session.h"

#include <stdalign.h>

enum {
    AGW_TCP_PORTS = 2,      /* where those of ICE over TCP begin in agw_component.ports */
    AGW_RTP_COMPONENT = 0,  /* component 1 of RFC 8445 */
    AGW_RTCP_COMPONENT = 1, /* component 2; unused with rtcp-mux */
    /* What a transport, and with all its transports a source, may cost in a second: datagrams that
     * are handed to a handshake thread, checks that fail their proof. A handshake needs ten, an
     * honest peer fails seldom; the rest is for what a stranger with the peer's address mixes in:
     * twenty times a call's packets. */
    AGW_UNPROVEN_PER_SECOND = 2000,
    /* Of either, what each transport may cost however much its source does: whoever floods in one
     * call does not hold up others behind the same address. */
    AGW_UNPROVEN_FREE = 50,
};

/** One component: our ports, and where the party is. */
typedef struct agw_component {
    /* what every packet needs: one line of the cache */
    alignas(AGW_CACHE_LINE) agw_port *port; /* sends: the selected pair's, or the only one */
    struct agw_way *way;                    /* the I/O's, from port to remote */
    agw_addr remote;                        /* destination; family none = nothing is sent */
    agw_addr source;                        /* without ICE: who may send to us */
    bool has_consent; /* to send (RFC 7675), as `ice` says; a signalled address needs none */
    bool latched;

    agw_ice *ice;
    agw_port *ports[4];          /* by family: [0] IPv4, [1] IPv6; the same of TCP, or NULL */
    agw_addr signalled;          /* without ICE: what the plan said */
    agw_ns heard_at, latched_at; /* when latched: its last packet; when it was learned */
    agw_early_list early;        /* packets of sources that nobody has named yet */
    agw_budget peers_told;       /* addresses of the peer that control was told of */
    /* What the I/O was told of: media between these two may take its faster way. */
    agw_port *flow_port; /* NULL = nothing */
    agw_addr flow_remote;
} agw_component;

typedef struct agw_transport {
    /* what every packet needs: one line of the cache, and one of a component */
    alignas(AGW_CACHE_LINE) agw_worker *worker;
    agw_srtp_session *srtp_in, *srtp_out; /* NULL = no keys (yet), or plain; also see below */
    agw_ns last_rx_at;                    /* last authentic packet */
    uint32_t peer; /* whom we send to: never the same number for another receiver */
    uint8_t side, security, tos;
    bool shared, rtcp_mux, is_ice;
    uint8_t source_rule, latch_rule;
    uint8_t n_medias;
    bool forked;                                  /* `branches` decide who is heard */
    bool hold_strangers;                          /* see agw_transport_plan */
    struct agw_media *medias[AGW_PLAN_MEDIA_MAX]; /* whose packets share this transport; the first
                                                     is in the line */
    agw_component component[2];

    struct agw_call *call;
    uint32_t id;
    agw_transport_name name;
    agw_timer timer;

    agw_budget selected_told; /* pairs that control was told of */
    bool selected_untold;     /* the present one is told by the timer */
    uint16_t rtcp_per_second; /* 0 = any number */
    agw_budget rtcp_budget;
    agw_branches branches; /* without ICE */

    /* addresses that authentic checks came from, as they stand in the worker's map */
    agw_remote_key *remotes;
    size_t n_remotes, remotes_room;

    char local_ufrag[AGW_UFRAG_LEN +
                     1]; /* of the newest credentials; another one is an ICE restart */

    /* DTLS: the association lives in a handshake thread */
    uint8_t dtls_plan; /* agw_dtls_plan */
    uint32_t dtls_epoch;
    agw_assoc *assoc; /* NULL = none */
    agw_dtls_role dtls_role;
    bool dtls_done;                  /* the association has given its keys */
    bool dtls_over;                  /* ended: wait for new SDP */
    agw_budget dtls_budget;          /* datagrams that are handed over */
    agw_budget dtls_free, stun_free; /* AGW_UNPROVEN_FREE */
    agw_budget dtls_failed;          /* associations that a peer has begun */
    agw_addr dtls_remote; /* where the peer's last datagram came from; a validated address */
    agw_port *dtls_port;
    agw_dtls_result *result; /* keys that wait for the peer's fingerprint */
    uint8_t n_fingerprints;
    agw_fingerprint *fingerprints;

    /* SDES: which keys of the plan are in use. While the peer changes its key srtp_in is NULL and
     * both of these are set, so that only then every packet is tried with the one and the other. */
    uint32_t key_in_epoch, key_out_epoch;
    agw_srtp_session *srtp_next, *srtp_last;
    agw_ns srtp_last_until;
    bool srtp_next_heard;
    /* Our next key while the answer with it is on its way: in use as soon as the peer uses its own,
     * or then. */
    agw_srtp_session *srtp_out_next; /* NULL = none */
    agw_ns srtp_out_at;

    agw_ns icmp_told_at;
} agw_transport;

/** Makes a transport as the plan says. If the system refuses a port (logged) it stays without:
 * nothing comes in or goes out. */
agw_transport *agw_transport_new(agw_worker *w, struct agw_call *call,
                                 const agw_transport_plan *plan, const agw_resource *resource);
void agw_transport_apply(agw_transport *t, const agw_transport_plan *plan);
/** Takes it off the wire and frees it; tells control that its ports are free. No packet may name it
 * any more. */
void agw_transport_free(agw_transport *t);

/* Stages of a turn: each looks at the packets that are still undecided. */
void agw_transport_take_stun(agw_worker *w, agw_pkt *const pkts[], size_t n);
void agw_transport_take_dtls(agw_worker *w, agw_pkt *const pkts[], size_t n);
void agw_transport_unprotect(agw_worker *w, agw_pkt *const pkts[], size_t n);
void agw_transport_protect(agw_worker *w, agw_pkt *const pkts[], size_t n);

/** Whether media can leave now; else the reason in *why. */
bool agw_transport_can_send(const agw_transport *t, agw_drop *why);
/** Whether media that comes in can be read. */
bool agw_transport_can_take(const agw_transport *t);
/** Its packets shall tell the DSCP and ECN byte with which they came. */
void agw_transport_want_tos(agw_transport *t);
/** Whether a packet of a forked transport, authentic, is of the branch that is heard. If not it has
 * its verdict: RTP is kept for a moment while that may change, or dropped. */
bool agw_transport_hears(agw_transport *t, agw_pkt *pkt);
/** Whether one more RTCP datagram is taken in this second. */
bool agw_transport_may_take_rtcp(agw_transport *t);
/** Gives a packet of a media its way out, or drops it; RTCP takes the RTCP component where there is
 * one. */
void agw_transport_address(agw_transport *t, agw_pkt *pkt);

/** Takes out up to n packets that were kept until their source was named, and now is; to be called
 * after a plan, until it returns 0 or as many as waited have been taken. */
size_t agw_transport_take_early(agw_transport *t, agw_pkt *const pkts[], size_t n);

/** After a change of anything that has a deadline. */
void agw_transport_set_timer(agw_transport *t);
void agw_transport_on_timer(agw_transport *t);
/** A message of the handshake thread about this transport. */
void agw_transport_on_mail(agw_transport *t, agw_mail *mail);
/** An ICMP error about something we sent. */
void agw_transport_on_icmp(agw_transport *t, const agw_icmp *icmp);

#endif
