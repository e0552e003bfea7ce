/* SPDX-License-Identifier: BSD-3-Clause
 * A call on its worker: transports of both legs and the medias between them, brought to what the
 * plan says. */
#ifndef AGW_AGW_CALL_H
#define AGW_AGW_CALL_H

#include "agw/bridge.h"
#include "agw/transport.h"

typedef struct agw_call {
    agw_worker *worker;
    agw_call_ref *ref;               /* control's handle, for messages only */
    char tag[64];                    /* beginning of the call-id, for the log */
    agw_dtls_ctx *dtls_ctx;          /* of all its associations; one reference */
    struct agw_recording *recording; /* what its taps fill; NULL = none */
    struct agw_call *prev, *next;
    size_t n_transports, n_medias;
    agw_transport **transports;
    agw_media **medias;
} agw_call;

/** Made by the control thread; from the first AGW_MAIL_APPLY on it is the worker's. dtls_ctx: one
 * more reference is taken. */
AGW_NODISCARD agw_call *agw_call_new(agw_call_ref *ref, const char *tag, agw_dtls_ctx *dtls_ctx);
/** Of a call that no worker has been given. */
void agw_call_free(agw_call *call);

/** Applies the plan that the message carries. */
void agw_call_apply(agw_worker *w, agw_call *call, const agw_mail *mail);
/** How many packets wait for their source to be named. */
size_t agw_call_count_early(const agw_call *call);
/** Up to n packets that the last plan has named the sources of; 0 = no more. */
size_t agw_call_take_early(const agw_call *call, agw_pkt *const pkts[], size_t n);
/** Plays the digit that the message carries. */
void agw_call_play(agw_call *call, const agw_mail *mail);
/** Plays the audio that the message carries, which is taken out of it. */
void agw_call_play_media(agw_call *call, agw_mail *mail);
void agw_call_stop_media(agw_call *call, const agw_mail *mail);
/** Ends the call and frees it. */
void agw_call_close(agw_worker *w, agw_call *call);

#endif
