/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fake_session.h"

#include <string.h>

fake_session_plan fake_session;
size_t fake_session_rollbacks, fake_session_accepted, fake_session_fragments;
agw_side fake_session_fragment_side;
char fake_session_said[64], fake_session_via[32];
uint8_t fake_session_acts[2];
agw_shield_plan fake_session_shield[2];
bool fake_session_urgent;

struct agw_session {
    agw_gateway *gw;
    agw_call_ref *call;
    bool open, established, urgent;
    agw_side offerer;
    size_t medias;
    agw_transport_info transports[2];
};

void fake_session_reset(void)
{
    memset(&fake_session, 0, sizeof fake_session);
    fake_session_rollbacks = fake_session_accepted = fake_session_fragments = 0;
    memset(fake_session_acts, 0, sizeof fake_session_acts);
    fake_session_urgent = false;
}

agw_session *agw_session_new(const agw_config *config, agw_gateway *gw, agw_call_ref *call,
                             const uint8_t seed[16])
{
    (void)config, (void)seed;
    agw_session *session = g_new0(agw_session, 1);
    session->gw = gw;
    session->call = call;
    return session;
}

void agw_session_free(agw_session *session)
{
    g_free(session);
}

static agw_err reserve(agw_session *s)
{
    if (s->medias > 0)
        return AGW_OK;
    agw_err err = agw_gateway_reserve(s->gw, s->call, 0, AGW_FAMILY_IP4, AGW_TRANSPORT_SHARED,
                                      &s->transports[0]);
    if (err == AGW_OK)
        err = agw_gateway_reserve(s->gw, s->call, 1, AGW_FAMILY_IP4, AGW_TRANSPORT_PAIR,
                                  &s->transports[1]);
    if (err == AGW_OK)
        s->medias = fake_session.medias != 0 ? fake_session.medias : 1;
    return err;
}

agw_err agw_negotiate(agw_session *s, agw_side from, bool is_offer, const agw_flags *flags,
                      const char *sdp, size_t len, GString *out, const char **why)
{
    g_strlcpy(fake_session_via, flags->via_branch != NULL ? flags->via_branch : "",
              sizeof fake_session_via);
    g_snprintf(fake_session_said, sizeof fake_session_said, "%.*s", (int)len, sdp);
    if (fake_session.fail != AGW_OK) {
        *why = fake_session.why;
        return fake_session.fail;
    }
    if (reserve(s) != AGW_OK) {
        *why = "Ran out of ports";
        return AGW_ERR_LIMIT;
    }
    if (is_offer)
        s->offerer = from;
    s->open = is_offer;
    s->established = s->established || !is_offer;
    g_string_append_printf(out, "%s to %c", is_offer ? "offer" : "answer",
                           from == AGW_SIDE_A ? 'B' : 'A');
    return AGW_OK;
}

agw_err agw_session_trickle(agw_session *s, agw_side side, const char *text, size_t len)
{
    (void)s, (void)text, (void)len;
    if (fake_session.trickle == AGW_OK) {
        fake_session_fragments++;
        fake_session_fragment_side = side;
    }
    return fake_session.trickle;
}

agw_candidate_view agw_session_candidate(const agw_session *s, uint32_t transport_id,
                                         const agw_addr *addr)
{
    (void)s, (void)transport_id, (void)addr;
    return fake_session.candidate;
}

void agw_session_set_urgent(agw_session *s, bool urgent)
{
    s->urgent = urgent;
    fake_session_urgent = urgent;
}

void agw_session_rollback(agw_session *s, agw_side offerer)
{
    if (!s->open || s->offerer != offerer)
        return;
    s->open = false;
    fake_session_rollbacks++;
}

void agw_session_accept(agw_session *s)
{
    (void)s;
    fake_session_accepted++;
}

void agw_session_set_shield(agw_session *s, agw_side side, const agw_shield_plan *shield)
{
    (void)s;
    fake_session_shield[side] = *shield;
}

void agw_session_set_acts(agw_session *s, const uint8_t acts[2])
{
    (void)s;
    memcpy(fake_session_acts, acts, sizeof fake_session_acts);
}

bool agw_session_open(const agw_session *s)
{
    return s->open;
}

bool agw_session_stood(const agw_session *s)
{
    (void)s;
    return fake_session.stood;
}

bool agw_session_looped(const agw_session *s)
{
    (void)s;
    return fake_session.looped;
}

bool agw_session_established(const agw_session *s)
{
    return s->established;
}

bool agw_session_owns(const agw_session *s, const agw_addr *addr, agw_side *leg)
{
    *leg = AGW_SIDE_B;
    return s->medias > 0 && agw_addr_equal(&s->transports[AGW_SIDE_B].rtp[0], addr);
}

size_t agw_session_n_medias(const agw_session *s)
{
    return s->medias;
}

static void fill_live(const agw_session *s, agw_side side, agw_media_view *out)
{
    const bool access = side == AGW_SIDE_A;
    const agw_transport_info *t = &s->transports[side];
    out->live = true;
    out->media_id = 1;
    out->mid = access ? "0" : "";
    out->protocol = access ? "UDP/TLS/RTP/SAVPF" : "RTP/AVP";
    out->codec = access ? "opus/48000/2" : "PCMA/8000";
    out->direction = fake_session.held ? "inactive" : "sendrecv";
    out->transport_id = t->id;
    out->interface = access ? "access" : "core";
    out->local_rtp = t->rtp[0];
    out->local_rtcp = t->rtcp[0];
    out->ice = out->dtls = access;
    out->rtcp_mux = access || fake_session.muxed;
    out->dtls_role = AGW_DTLS_PASSIVE;
    out->dtmf = !fake_session.no_dtmf;
    out->may_send = !fake_session.held && (access || !fake_session.one_way);
    out->may_receive = !fake_session.held && (!access || !fake_session.one_way);
    if (!access) {
        AGW_ASSERT(agw_addr_parse(&out->remote_rtp, "10.9.0.9:4000") == AGW_OK);
        AGW_ASSERT(agw_addr_parse(&out->remote_rtcp, "10.9.0.9:4001") == AGW_OK);
    }
}

void agw_session_media(agw_session *s, agw_side side, size_t index, agw_media_view *out)
{
    memset(out, 0, sizeof *out);
    out->index = index;
    out->type = index == 0 ? "audio" : "application";
    out->mid = out->protocol = out->codec = out->direction = out->interface = "";
    if (index == 0)
        fill_live(s, side, out);
}

bool agw_session_hears(const agw_session *s, agw_side side, agw_hearing *out)
{
    (void)s;
    *out = (agw_hearing){.media_id = 1, .pt = side == AGW_SIDE_A ? 111 : 8};
    out->format = agw_codec_plain(side == AGW_SIDE_A ? AGW_CODEC_OPUS : AGW_CODEC_PCMA);
    return !fake_session.deaf;
}
