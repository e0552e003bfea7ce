/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/sealer.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 64,
    SPARED = 8, /* every so manieth party */
};

typedef struct waiting {
    kit_sealer_taker take; /* NULL = nobody wants it any more */
    void *owner;
    agw_ns at;
} waiting;

struct kit_sealer {
    agw_srtp_engine *engine; /* NULL: OpenSSL serves */
    unsigned parties;
    size_t n_out, n_in;
    agw_srtp_op out[ROOM], in[ROOM];
    waiting waits[ROOM]; /* for in[] */
};

static void protect_all(void *sealer)
{
    kit_sealer *s = sealer;
    const size_t n = s->n_out;
    s->n_out = 0;
    if (n != 0)
        agw_srtp_batch_protect(s->engine, s->out, n);
    for (size_t i = 0; i < n; i++) /* our own packets, and the wire knows their lengths already */
        AGW_ASSERT(s->out[i].err == AGW_OK);
}

/* Takes out what nobody waits for, in order. */
static size_t close_gaps(kit_sealer *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_in; i++) {
        if (s->waits[i].take == NULL)
            continue;
        s->in[n] = s->in[i];
        s->waits[n] = s->waits[i];
        n++;
    }
    return n;
}

/* n_in is kept meanwhile, for a taker that forgets another one. */
static void unprotect_all(void *sealer)
{
    kit_sealer *s = sealer;
    s->n_in = close_gaps(s);
    if (s->n_in == 0)
        return;
    agw_srtp_batch_unprotect(s->engine, s->in, s->n_in);
    for (size_t i = 0; i < s->n_in; i++) {
        const waiting *w = &s->waits[i];
        if (w->take != NULL)
            w->take(w->owner, s->in[i].err, s->in[i].data, s->in[i].len, w->at);
    }
    s->n_in = 0;
}

void kit_sealer_open(kit_world *world)
{
    kit_sealer *s = calloc(1, sizeof *s);
    AGW_ASSERT(s != NULL);
    s->engine = agw_srtp_engine_new();
    world->sealer = s;
    const kit_wire_batch batch = {
        .before_leaving = protect_all, .after_taking = unprotect_all, .owner = s};
    kit_wire_set_batch(world->wire, &batch);
}

void kit_sealer_close(kit_world *world)
{
    kit_sealer *s = world->sealer;
    if (s == NULL)
        return;
    kit_wire_set_batch(world->wire, NULL);
    agw_srtp_engine_free(s->engine);
    free(s);
    world->sealer = NULL;
}

bool kit_sealer_spares(kit_sealer *s)
{
    return s->parties++ % SPARED == 0;
}

agw_srtp_engine *kit_sealer_engine(const kit_sealer *s)
{
    return s->engine;
}

void kit_sealer_protect(kit_sealer *s, agw_srtp_session *session, uint8_t *rtp, size_t len)
{
    if (s->n_out == ROOM)
        protect_all(s);
    s->out[s->n_out++] =
        (agw_srtp_op){.session = session, .data = rtp, .len = len, .room = AGW_SRTP_TRAILER_MAX};
}

void kit_sealer_unprotect(kit_sealer *s, agw_srtp_session *session, const kit_datagram *d,
                          kit_sealer_taker take, void *owner)
{
    if (s->n_in == ROOM)
        unprotect_all(s);
    s->in[s->n_in] = (agw_srtp_op){.session = session, .data = d->data, .len = d->len};
    s->waits[s->n_in] = (waiting){.take = take, .owner = owner, .at = d->at};
    s->n_in++;
}

void kit_sealer_forget(kit_sealer *s, const void *owner)
{
    protect_all(s);
    for (size_t i = 0; i < s->n_in; i++) {
        if (s->waits[i].owner == owner)
            s->waits[i].take = NULL;
    }
}
