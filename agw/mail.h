/* SPDX-License-Identifier: BSD-3-Clause
 * Messages between the control thread, workers and handshake threads. Each thread owns one mailbox;
 * each sender keeps an outbox per mailbox, which holds what did not fit, in order. */
#ifndef AGW_AGW_MAIL_H
#define AGW_AGW_MAIL_H

#include "agw/gateway.h"
#include "agw/plan.h"
#include "base/ring.h"
#include "dtls/context.h"
#include "dtls/session.h"
#include "rtp/event.h"

struct agw_call;
struct agw_assoc;
struct agw_recording;

typedef enum agw_mail_kind {
    /* control -> worker */
    AGW_MAIL_APPLY,      /* call, plan, resources */
    AGW_MAIL_CLOSE,      /* call */
    AGW_MAIL_PLAY,       /* call, id of the media, side, digit */
    AGW_MAIL_PLAY_MEDIA, /* call, play: with a reference of its audio */
    AGW_MAIL_STOP_MEDIA, /* call, id of the media, side */
    AGW_MAIL_STOP,       /* end of the thread; also control -> handshake thread */
    /* worker -> handshake thread */
    AGW_MAIL_DTLS_START, /* assoc, context, role, ask_cookie */
    AGW_MAIL_DTLS_DATA,  /* assoc, data */
    AGW_MAIL_DTLS_END,   /* assoc: the last message about it */
    /* handshake thread -> worker */
    AGW_MAIL_DTLS_SEND,   /* whose, data */
    AGW_MAIL_DTLS_DONE,   /* whose, result */
    AGW_MAIL_DTLS_FAILED, /* whose, text */
    AGW_MAIL_DTLS_CLOSED, /* whose */
    /* worker -> control */
    AGW_MAIL_EVENT,          /* ref, event */
    AGW_MAIL_TRANSPORT_GONE, /* ref, id */
    AGW_MAIL_CALL_GONE,      /* ref */
    AGW_MAIL_AUDIO_GONE,     /* ref, play: a reference of its audio */
    /* control -> recorder */
    AGW_MAIL_RECORD, /* recording: begin */
    /* recorder -> control */
    AGW_MAIL_RECORDING,      /* recording, event */
    AGW_MAIL_RECORDING_GONE, /* recording: the recorder has let go of it */
} agw_mail_kind;

/** Names a transport without pointing at it: it may be gone when the message arrives. */
typedef struct agw_transport_name {
    uint32_t slot, generation;
} agw_transport_name;

/** What control has reserved for a transport, resolved for the worker. */
typedef struct agw_resource {
    uint32_t id, slot;
    struct agw_port *rtp[2]; /* by family: [0] IPv4, [1] IPv6; NULL = none */
    struct agw_port *rtcp[2];
    struct agw_port *tcp[2]; /* beside shared ones: ICE over TCP */
    bool shared;
} agw_resource;

typedef struct agw_mail {
    agw_mail_kind kind;
    struct agw_mail *next; /* in an outbox */
    struct agw_call *call;
    agw_call_ref *ref;
    agw_plan *plan;
    agw_resource *resources;        /* as many as the plan has transports, same order */
    struct agw_media_stats **stats; /* as many as the plan has medias, same order */
    agw_dtls_ctx *context;          /* one reference */
    struct agw_assoc *assoc;        /* given with AGW_MAIL_DTLS_START, else only named */
    agw_transport_name whose;
    agw_dtls_role role;
    bool ask_cookie; /* with AGW_MAIL_DTLS_START, for servers */
    uint32_t id;
    struct agw_recording *recording; /* also with AGW_MAIL_APPLY: of the call, NULL = none */
    uint8_t side;                    /* agw_side */
    agw_rtp_event_order digit;
    agw_play_order play; /* a reference of its audio, or NULL */
    agw_event event;
    agw_dtls_result *result;
    size_t len;
    uint8_t data[];
} agw_mail;

/** A zeroed message with room for len bytes of data, which are copied (data may be NULL).
 * Memory that runs out ends the process. */
agw_mail *agw_mail_new(agw_mail_kind kind, const void *data, size_t len);
/** Frees the message and what it still carries. */
void agw_mail_free(agw_mail *mail);

/** The sender's side of one mailbox. Not shared between threads. */
typedef struct agw_outbox {
    agw_ring *ring;            /* the receiver's mailbox, borrowed */
    void (*wake)(void *owner); /* wakes the receiver; any thread may call it */
    void *owner;
    bool posted; /* something was sent since the receiver was last woken */
    agw_mail *first, *last;
} agw_outbox;

/** Sends in order; what does not fit waits. mail is given. The receiver is woken by
 * agw_outbox_flush(). */
void agw_outbox_post(agw_outbox *box, agw_mail *mail);
/** Once per turn: sends what waited and wakes the receiver if there is something new.
 * true: nothing waits any more. */
bool agw_outbox_flush(agw_outbox *box);
/** Frees what waits. */
void agw_outbox_fini(agw_outbox *box);

#endif
