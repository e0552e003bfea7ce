/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/srtp.h"

static agw_srtp_session *session(const kit_srtp *s, const uint8_t *key, bool egress)
{
    const agw_srtp_suite_info *info = agw_srtp_suite_get(s->suite);
    agw_srtp_engine *engine = s->spared ? NULL : kit_sealer_engine(s->world->sealer);
    return agw_srtp_session_new_on(engine, s->suite, key, info->key_len + info->salt_len, egress);
}

static void drop(kit_srtp *s)
{
    agw_srtp_session_free(s->in);
    agw_srtp_session_free(s->out);
    s->in = s->out = NULL;
}

bool kit_srtp_open(kit_srtp *s, kit_world *world, agw_srtp_suite suite, const uint8_t *key_in,
                   const uint8_t *key_out)
{
    drop(s);
    s->world = world;
    s->suite = suite;
    s->spared = world->sealer == NULL || kit_sealer_spares(world->sealer);
    s->in = session(s, key_in, false);
    s->out = session(s, key_out, true);
    return s->in != NULL && s->out != NULL;
}

void kit_srtp_close(kit_srtp *s, const void *owner)
{
    if (s->world != NULL && s->world->sealer != NULL)
        kit_sealer_forget(s->world->sealer, owner);
    drop(s);
}

size_t kit_srtp_protect(kit_srtp *s, uint8_t *data, size_t len, bool rtcp)
{
    const agw_err err = rtcp ? agw_srtp_protect_rtcp(s->out, data, &len, AGW_SRTP_TRAILER_MAX)
                             : agw_srtp_protect(s->out, data, &len, AGW_SRTP_TRAILER_MAX);
    return err == AGW_OK ? len : 0;
}

size_t kit_srtp_protect_room(kit_srtp *s, uint8_t *rtp, size_t len)
{
    if (s->spared)
        return kit_srtp_protect(s, rtp, len, false);
    kit_sealer_protect(s->world->sealer, s->out, rtp, len);
    return len + agw_srtp_suite_get(s->suite)->rtp_tag_len;
}

bool kit_srtp_is_authentic(kit_srtp *s, agw_err err)
{
    if (err == AGW_ERR_REPLAY)
        s->replayed++;
    else if (err != AGW_OK)
        s->auth_failed++;
    return err == AGW_OK;
}

void kit_srtp_take(kit_srtp *s, const kit_datagram *d, kit_sealer_taker take, void *owner)
{
    if (!s->spared) {
        kit_sealer_unprotect(s->world->sealer, s->in, d, take, owner);
        return;
    }
    size_t len = d->len;
    const agw_err err = agw_srtp_unprotect(s->in, d->data, &len);
    take(owner, err, d->data, len, d->at);
}

size_t kit_srtp_take_rtcp(kit_srtp *s, const kit_datagram *d)
{
    size_t len = d->len;
    return kit_srtp_is_authentic(s, agw_srtp_unprotect_rtcp(s->in, d->data, &len)) ? len : 0;
}
