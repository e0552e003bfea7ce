/* SPDX-License-Identifier: BSD-3-Clause
 * Which realm each party is in and what its leg is: browser-like (DTLS-SRTP, ICE, rtcp-mux) or
 * plain RTP. A key of the request wins, then what the leg was, then the realm's profile, then what
 * rtpengine does without profiles. */
#include "control/negotiate_state.h"

#define WORD(name) (UINT64_C(1) << AGW_WORD_##name)

static const uint64_t WORDS_LATCH = WORD(LEARN_IMMEDIATE) | WORD(LEARN_DELAYED) |
                                    WORD(LEARN_HEURISTIC) | WORD(PORT_LATCHING) | WORD(SYMMETRIC) |
                                    WORD(MEDIA_HANDOVER);
static const uint64_t WORDS_NO_LATCH = WORD(ASYMMETRIC) | WORD(LEARN_OFF) | WORD(NO_PORT_LATCHING);

/* --- realms ------------------------------------------------------------------------------- */

static size_t default_interface(const agw_config *config)
{
    const int unnamed = agw_config_interface(config, NULL);
    return unnamed >= 0 ? (size_t)unnamed : 0;
}

static int plain_interface(const agw_config *config)
{
    const int ims = agw_config_interface_of_profile(config, AGW_REALM_IMS);
    return ims >= 0 ? ims : agw_config_interface_of_profile(config, AGW_REALM_SIP);
}

static size_t sender_interface(const agw_exchange *x)
{
    const agw_config *config = x->s->config;
    const agw_flags *f = x->flags;
    int at = f->direction[0] != NULL ? agw_config_interface(config, f->direction[0]) : -1;
    if (at < 0 && agw_addr_is_set(&f->received_from))
        at = agw_config_realm_of(config, &f->received_from);
    const int web = agw_config_interface_of_profile(config, AGW_REALM_WEBRTC);
    if (at < 0 && web >= 0)
        at = x->browser ? web : plain_interface(config);
    return at >= 0 ? (size_t)at : default_interface(config);
}

static size_t other_interface(const agw_config *config, size_t interface)
{
    int at = -1;
    if (config->profiles[interface] == AGW_REALM_WEBRTC)
        at = plain_interface(config);
    else if (config->profiles[interface] != AGW_REALM_NONE)
        at = agw_config_interface_of_profile(config, AGW_REALM_WEBRTC);
    return at >= 0 ? (size_t)at : interface;
}

static size_t receiver_interface(const agw_exchange *x)
{
    const agw_config *config = x->s->config;
    const agw_flags *f = x->flags;
    const int at = f->direction[1] != NULL ? agw_config_interface(config, f->direction[1]) : -1;
    return at >= 0 ? (size_t)at : other_interface(config, x->next->leg[x->from].interface);
}

static void place(const agw_exchange *x, agw_leg *leg, size_t interface)
{
    leg->interface = interface;
    leg->profile = x->s->config->profiles[interface];
    leg->ice_mode = x->s->config->ice;
}

/* --- keys that both messages may bring ---------------------------------------------------- */

static void take_words(agw_exchange *x)
{
    const agw_flags *f = x->flags;
    agw_leg *from = &x->next->leg[x->from], *to = &x->next->leg[x->to];
    if ((f->words & WORDS_LATCH) != 0)
        from->latch_asked = to->latch_asked = true;
    if (agw_flags_has(f, AGW_WORD_MEDIA_HANDOVER))
        from->handover = to->handover = true;
    if ((f->words & WORDS_NO_LATCH) != 0)
        from->latch_refused = true;
    if (agw_flags_has(f, AGW_WORD_STRICT_SOURCE))
        from->strict = to->strict = true;
    if (agw_flags_has(f, AGW_WORD_NAT_WAIT))
        from->nat_wait = true;
    if (agw_flags_has(f, AGW_WORD_SIP_SOURCE_ADDRESS))
        from->use_source = true;
    if (agw_flags_has(f, AGW_WORD_TRUST_ADDRESS))
        from->use_source = false;
    if (agw_addr_is_set(&f->received_from))
        from->source = f->received_from;
    to->words |= f->words;
    to->replace |= f->replace;
    if (f->tos >= 0 && x->is_offer)
        from->tos = to->tos = f->tos;
    if (agw_flags_has(f, AGW_WORD_GENERATE_RTCP) || f->pass_rtcp)
        from->own_rtcp = to->own_rtcp = !f->pass_rtcp;
    if (f->police >= 0)
        from->police = to->police = f->police;
    if (agw_addr_is_set(&f->media_address))
        to->media_address = f->media_address;
    if (f->address_family != AGW_FAMILY_NONE)
        to->family = f->address_family;
    if ((f->bundle & AGW_BUNDLE_REJECT) != 0)
        to->no_bundle = true;
}

/* --- offers ------------------------------------------------------------------------------- */

static const agw_sdp_media *first_alive(const agw_sdp *sdp)
{
    for (size_t i = 0; i < sdp->n_medias; i++) {
        const agw_sdp_media *m = &sdp->medias[i];
        if (m->proto != AGW_SDP_OTHER && m->port != 0)
            return m;
    }
    return NULL;
}

/* What the sender's own description says about its leg; read again when it is the receiver. */
static void learn_sender(agw_exchange *x)
{
    agw_leg *leg = &x->next->leg[x->from];
    const agw_sdp_media *m = first_alive(x->sdp);
    if (m == NULL)
        return;
    const agw_sdp_media *tm = agw_in_transport_media(x->sdp, m);
    leg->web = x->browser;
    leg->ice = tm->ice_ufrag != NULL && !agw_flags_has(x->flags, AGW_WORD_REJECT_ICE);
    leg->mux = m->rtcp_mux || m->rtcp_mux_only;
    if (!leg->ice && leg->family == AGW_FAMILY_NONE)
        leg->family = m->conn.ip.family;
}

static void take_role(agw_leg *leg, agw_dtls_flag role)
{
    if (role == AGW_DTLS_BE_PASSIVE || role == AGW_DTLS_BE_ACTIVE)
        leg->role = role;
}

/* What Kamailio's "SRTP AVPF" writes is meant for a browser, if anything says so; else for a phone
 * with SDES. A DTLS role is the sender's matter, so toward an IMS it says nothing. */
static bool means_browser(const agw_exchange *x, const agw_leg *to, bool was_web)
{
    const agw_flags *f = x->flags;
    if (to->profile == AGW_REALM_WEBRTC)
        return true;
    if (f->dtls == AGW_DTLS_OFF)
        return false;
    const bool role = f->dtls == AGW_DTLS_BE_PASSIVE || f->dtls == AGW_DTLS_BE_ACTIVE;
    return was_web || f->ice == AGW_ICE_FORCE || (role && to->profile != AGW_REALM_IMS);
}

static void shape_profile(agw_exchange *x, agw_leg *to, bool first)
{
    if (x->next->passes) { /* both parties are of one kind */
        to->web = x->browser;
        to->transport = AGW_SDP_OTHER;
        return;
    }
    agw_sdp_proto asked = x->flags->transport;
    if (asked == AGW_SDP_OTHER && agw_flags_has(x->flags, AGW_WORD_WEBRTC))
        asked = AGW_SDP_TLS_SAVPF;
    const bool was_web = !first && to->web;
    if (asked != AGW_SDP_OTHER) {
        const bool either =
            agw_sdp_proto_is_secure(asked) && !agw_sdp_proto_is_dtls(asked); /* DTLS or SDES */
        const bool convert = either && means_browser(x, to, was_web);
        to->web = agw_sdp_proto_is_dtls(asked) || convert || (either && to->sdes.off);
        to->transport = convert ? AGW_SDP_TLS_SAVPF : asked;
    } else if (first) {
        to->web = to->profile == AGW_REALM_WEBRTC;
    }
    x->converted = x->browser && !to->web && asked == AGW_SDP_OTHER;
}

static void shape_agent(const agw_exchange *x, agw_leg *leg, agw_ice_lite_flag lite)
{
    if (x->flags->ice_lite != AGW_ICE_LITE_ABSENT)
        leg->ice_mode = (x->flags->ice_lite & lite) != 0 ? AGW_ICE_MODE_LITE : AGW_ICE_MODE_FULL;
}

static void shape_ice(agw_exchange *x, agw_leg *to, bool first)
{
    shape_agent(x, &x->next->leg[x->from], AGW_ICE_LITE_BACKWARD);
    shape_agent(x, to, AGW_ICE_LITE_FORWARD);

    const bool theirs = x->next->leg[x->from].ice;
    if (x->flags->ice == AGW_ICE_FORCE || agw_flags_has(x->flags, AGW_WORD_WEBRTC))
        to->ice = true;
    else if (x->flags->ice == AGW_ICE_REMOVE)
        to->ice = false;
    else if (x->flags->ice == AGW_ICE_DEFAULT)
        to->ice = theirs;
    else if (first && to->profile == AGW_REALM_WEBRTC)
        to->ice = to->web;
    else if (first && to->profile == AGW_REALM_NONE)
        to->ice = theirs && !x->converted;
    else if (first)
        to->ice = to->web && theirs;
}

static void shape_mux(agw_exchange *x, agw_leg *to, bool first)
{
    const uint32_t mux = x->flags->rtcp_mux;
    const bool theirs = x->next->leg[x->from].mux;
    if (mux != 0)
        x->next->leg[x->from].no_mux = (mux & AGW_MUX_REJECT) != 0;
    if (agw_flags_has(x->flags, AGW_WORD_WEBRTC)) {
        to->mux = to->mux_only = true;
    } else if (mux != 0) {
        to->mux = (mux & (AGW_MUX_OFFER | AGW_MUX_REQUIRE)) != 0 ||
                  ((mux & AGW_MUX_ACCEPT) != 0 && theirs);
        to->mux_only = (mux & AGW_MUX_REQUIRE) != 0;
    } else if (first) {
        const bool as_received = to->profile == AGW_REALM_NONE && !x->browser && theirs;
        to->mux = to->web || as_received;
    }
}

static void free_text(gpointer text)
{
    g_free(text);
}

/* Codec rules of a request replace the former ones as a whole; none keeps them. */
static void take_codec_rules(agw_leg *to, const agw_flags *f)
{
    bool any = false;
    for (size_t i = 0; i < AGW_CODEC_LISTS; i++)
        any = any || f->codecs[i] != NULL;
    for (size_t i = 0; any && i < AGW_CODEC_LISTS; i++) {
        g_clear_pointer(&to->codecs[i], g_ptr_array_unref);
        if (f->codecs[i] == NULL)
            continue;
        to->codecs[i] = g_ptr_array_new_with_free_func(free_text);
        for (guint k = 0; k < f->codecs[i]->len; k++)
            g_ptr_array_add(to->codecs[i], g_strdup(g_ptr_array_index(f->codecs[i], k)));
    }
}

/* sdes: it counts where both are offered. */
static bool from_browser(const agw_sdp *sdp, bool sdes)
{
    for (size_t i = 0; i < sdp->n_medias; i++) {
        const agw_sdp_media *m = &sdp->medias[i];
        const bool alive = m->port != 0 || m->bundle_only;
        const agw_sdp_media *tm = agw_in_transport_media(sdp, m);
        if (alive && agw_in_security(m->proto, tm, sdes) == AGW_SECURITY_DTLS)
            return true;
    }
    return false;
}

/* The receiver is another device than before (RFC 3264 section 8: no media of the old one is kept):
 * what it could do is forgotten, where it is stays. */
static void unlearn_receiver(agw_exchange *x)
{
    agw_leg *to = &x->next->leg[x->to];
    to->web = to->ice = to->mux = to->mux_only = false;
    to->transport = AGW_SDP_OTHER;
    for (guint i = 0; i < x->next->lines->len; i++) {
        agw_line_end *end = &agw_state_line(x->next, i)->end[x->to];
        end->proto = AGW_SDP_OTHER;
        end->linked = end->bundled = end->osrtp = false;
    }
}

void agw_legs_offer(agw_exchange *x)
{
    agw_leg *from = &x->next->leg[x->from], *to = &x->next->leg[x->to];
    const bool reset = agw_flags_has(x->flags, AGW_WORD_RESET);
    const bool first = !to->known || reset;
    if (x->flags->sdes.given)
        to->sdes = x->flags->sdes;
    if (x->flags->osrtp != 0)
        to->osrtp = x->flags->osrtp;
    if (x->flags->dtls_hash != 0)
        to->dtls_hash = x->flags->dtls_hash;
    x->browser = from_browser(x->sdp, to->sdes.prefer);
    if (!from->known)
        place(x, from, sender_interface(x));
    if (!to->known)
        place(x, to, receiver_interface(x));
    if (reset)
        unlearn_receiver(x);
    x->next->passes = agw_flags_has(x->flags, AGW_WORD_PASSTHROUGH) || (x->next->passes && !reset);
    from->known = to->known = true;
    take_words(x);
    learn_sender(x);
    take_role(from, x->flags->dtls);
    take_role(from, x->flags->dtls_reverse);
    shape_profile(x, to, first);
    shape_ice(x, to, first);
    shape_mux(x, to, first);
    take_codec_rules(to, x->flags);
    if (x->flags->ptime > 0)
        to->ptime = x->flags->ptime;
    if (x->flags->ptime_reverse > 0)
        from->ptime_back = x->flags->ptime_reverse;
}

void agw_legs_answer(agw_exchange *x)
{
    take_words(x);
    take_role(&x->next->leg[x->to], x->flags->dtls);
    if (x->flags->dtls_hash != 0)
        x->next->leg[x->to].dtls_hash = x->flags->dtls_hash;
}

static agw_sdp_proto proto_for(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *to = &x->next->leg[x->to];
    const agw_line_end *end = &w->line->end[x->to];
    const bool sdes_off = agw_sdp_proto_is_secure(w->m->proto) && to->sdes.off;
    if (to->web)
        return agw_sdp_proto_is_secure(to->transport) ? to->transport : AGW_SDP_TLS_SAVPF;
    if (x->flags->transport != AGW_SDP_OTHER)
        return x->flags->transport;
    if (end->proto != AGW_SDP_OTHER && !agw_end_is_web(end))
        return end->proto;
    if (to->transport != AGW_SDP_OTHER && !agw_sdp_proto_is_dtls(to->transport))
        return to->transport;
    if (to->profile == AGW_REALM_IMS)
        return w->line->kind == AGW_MEDIA_VIDEO ? AGW_SDP_RTP_AVPF : AGW_SDP_RTP_AVP;
    if (to->profile == AGW_REALM_SIP || x->browser || sdes_off)
        return AGW_SDP_RTP_AVP;
    return w->m->proto;
}

/* RFC 8643: asked for, in force already, or handed on as rtpengine does. */
static bool offers_osrtp(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *to = &x->next->leg[x->to];
    const agw_line_end *end = &w->line->end[x->to];
    if ((to->osrtp & (AGW_OSRTP_OFF | AGW_OSRTP_OFFER)) != 0)
        return (to->osrtp & AGW_OSRTP_OFF) == 0;
    if (end->osrtp)
        return end->security != AGW_SECURITY_PLAIN;
    return w->line->end[x->from].osrtp && to->profile == AGW_REALM_NONE;
}

void agw_legs_secure(const agw_exchange *x, const agw_work *w)
{
    const agw_leg *to = &x->next->leg[x->to];
    agw_line_end *end = &w->line->end[x->to];
    if (w->line->passes) {
        end->osrtp = false;
        end->proto = w->m->proto;
        end->security = w->line->end[x->from].security;
        return;
    }
    end->proto = proto_for(x, w);
    const bool secure = agw_sdp_proto_is_secure(end->proto);
    end->osrtp = !secure && offers_osrtp(x, w);
    if (!secure && !end->osrtp)
        end->security = AGW_SECURITY_PLAIN;
    else if (secure ? to->web : to->sdes.off)
        end->security = AGW_SECURITY_DTLS;
    else
        end->security = AGW_SECURITY_SDES;
}
