/* SPDX-License-Identifier: BSD-3-Clause
 * A call as `query` and `delete` show it: rtpengine's keys as its clients read them, then ours
 * ("transports", and what a media has beyond packets and bytes). */
#include "control/calls.h"

#include <stdio.h>
#include <string.h>

/* What is the same for the whole document. */
typedef struct scene {
    const agw_ng_call *call;
    agw_ns now;
    int64_t wall_us;
} scene;

static int64_t count(const agw_counter *counter)
{
    return (int64_t)agw_counter_get(counter);
}

/* A time of the worker's clock as seconds since 1970; 0 = never. */
static int64_t wall_seconds(const scene *s, const agw_counter *at)
{
    const agw_ns then = (agw_ns)agw_counter_get(at);
    return then == 0 ? 0 : (s->wall_us - (s->now - then) / 1000) / 1000000;
}

static const char *family_text(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP6 ? "IPv6" : "IPv4";
}

static void set_endpoint(agw_doc *out, const char *key, const agw_addr *addr)
{
    char text[AGW_ADDR_TEXT];
    if (!agw_addr_is_set(addr))
        return;
    agw_doc *endpoint = agw_doc_set(out, key, agw_doc_new_dict());
    agw_doc_set_str(endpoint, "family", family_text(addr));
    agw_doc_set_str(endpoint, "address", agw_addr_ip_text(addr, text, sizeof text));
    agw_doc_set_int(endpoint, "port", addr->port);
}

static void set_traffic(agw_doc *out, const char *key, int64_t packets, int64_t bytes,
                        int64_t errors)
{
    agw_doc *stats = agw_doc_set(out, key, agw_doc_new_dict());
    agw_doc_set_int(stats, "packets", packets);
    agw_doc_set_int(stats, "bytes", bytes);
    agw_doc_set_int(stats, "errors", errors);
}

static const agw_transport_view *transport_of(const agw_ng_call *call, uint32_t id)
{
    for (guint i = 0; i < call->transports->len; i++) {
        const agw_transport_view *t = &g_array_index(call->transports, agw_transport_view, i);
        if (t->id == id)
            return t;
    }
    return NULL;
}

/* A role conflict may have changed what SDP had settled. */
static bool is_controlling(const agw_media_view *view, const agw_transport_view *t)
{
    const bool has_pair = t != NULL && agw_addr_is_set(&t->remote);
    return view->ice_full && (has_pair ? t->controlling : view->ice_controlling);
}

/* Where we send to: the selected pair or latched address, else the signalled one. */
static agw_addr remote_of(const scene *s, const agw_media_view *view, bool rtcp)
{
    const agw_transport_view *t = transport_of(s->call, view->transport_id);
    if (!rtcp && t != NULL && agw_addr_is_set(&t->remote))
        return t->remote;
    return rtcp ? view->remote_rtcp : view->remote_rtp;
}

static void add_stream(const scene *s, agw_doc *streams, const agw_media_view *view,
                       const agw_end_stats *end, bool rtcp)
{
    const agw_traffic *in = rtcp ? &end->rtcp_in : &end->rtp_in;
    const agw_traffic *sent = rtcp ? &end->rtcp_out : &end->rtp_out;
    const agw_addr *local = rtcp ? &view->local_rtcp : &view->local_rtp;
    const agw_addr remote = remote_of(s, view, rtcp);
    char text[AGW_ADDR_TEXT];
    agw_doc *stream = agw_doc_add(streams, agw_doc_new_dict());
    agw_doc_set_int(stream, "local port", local->port);
    agw_doc_set_str(stream, "local address", agw_addr_ip_text(local, text, sizeof text));
    agw_doc_set_str(stream, "family", family_text(local));
    set_endpoint(stream, "endpoint", &remote);
    set_endpoint(stream, "advertised endpoint", rtcp ? &view->remote_rtcp : &view->remote_rtp);
    agw_doc_set_int(stream, "last packet", wall_seconds(s, &in->last_at));
    if (!rtcp)
        agw_doc_set_int(stream, "SSRC", count(&end->ssrc_in));
    agw_doc *flags = agw_doc_set(stream, "flags", agw_doc_new_list());
    if (!rtcp)
        agw_doc_add_str(flags, "RTP");
    if (rtcp || view->rtcp_mux)
        agw_doc_add_str(flags, "RTCP");
    if (agw_addr_is_set(&remote))
        agw_doc_add_str(flags, "filled");
    if (count(&in->packets) > 0)
        agw_doc_add_str(flags, "confirmed");
    set_traffic(stream, "stats", count(&in->packets), count(&in->bytes),
                rtcp ? 0 : count(&end->dropped));
    set_traffic(stream, "stats_out", count(&sent->packets), count(&sent->bytes), 0);
}

static void add_media_flags(const scene *s, agw_doc *media, const agw_media_view *view)
{
    agw_doc *flags = agw_doc_set(media, "flags", agw_doc_new_list());
    agw_doc_add_str(flags, "initialized");
    if (view->may_send)
        agw_doc_add_str(flags, "send");
    if (view->may_receive)
        agw_doc_add_str(flags, "recv");
    if (view->rtcp_mux)
        agw_doc_add_str(flags, "rtcp-mux");
    if (view->dtls)
        agw_doc_add_str(flags, "DTLS-SRTP");
    if (view->dtls && view->dtls_role != AGW_DTLS_WAIT)
        agw_doc_add_str(flags, view->dtls_role == AGW_DTLS_ACTIVE ? "DTLS role active"
                                                                  : "DTLS role passive");
    if (view->sdes != NULL)
        agw_doc_add_str(flags, "SDES");
    if (view->passes)
        agw_doc_add_str(flags, "passthrough");
    if (view->ice)
        agw_doc_add_str(flags, "ICE");
    if (view->ice && is_controlling(view, transport_of(s->call, view->transport_id)))
        agw_doc_add_str(flags, "ICE controlling");
}

/* What RTP and RTCP tell about the way between this party and us. */
static void set_quality(agw_doc *media, const agw_end_stats *end)
{
    agw_doc_set_int(media, "payload type", count(&end->pt_in));
    agw_doc_set_int(media, "packets lost", count(&end->lost_in));
    agw_doc_set_int(media, "jitter us", count(&end->jitter_in_us));
    agw_doc_set_int(media, "round-trip time", count(&end->rtt_us));
    agw_doc_set_int(media, "reported loss 1/256", count(&end->loss_out_256));
    agw_doc_set_int(media, "reported jitter us", count(&end->jitter_out_us));
    agw_doc_set_int(media, "dropped", count(&end->dropped));
    agw_doc_set_int(media, "digits in", count(&end->dtmf_in));
    agw_doc_set_int(media, "digits out", count(&end->dtmf_out));
}

static const agw_end_stats *stats_of(const agw_ng_call *call, const agw_media_view *view,
                                     agw_side side)
{
    return &agw_gateway_media_stats(call->ref, view->media_id)->end[side];
}

static void add_media(const scene *s, agw_doc *medias, agw_side side, size_t index)
{
    agw_media_view view;
    agw_session_media(s->call->session, side, index, &view);
    agw_doc *media = agw_doc_add(medias, agw_doc_new_dict());
    agw_doc_set_int(media, "index", (int64_t)index + 1);
    agw_doc_set_str(media, "type", view.type);
    agw_doc *streams = agw_doc_new_list();
    if (!view.live) {
        agw_doc_set(media, "streams", streams);
        agw_doc_set(media, "flags", agw_doc_new_list());
        return;
    }
    agw_doc_set_str(media, "protocol", view.protocol);
    if (view.codec[0] != '\0')
        agw_doc_set_str(media, "codec", view.codec);
    const agw_end_stats *end = stats_of(s->call, &view, side);
    add_stream(s, streams, &view, end, false);
    if (!view.rtcp_mux)
        add_stream(s, streams, &view, end, true);
    agw_doc_set(media, "streams", streams);
    add_media_flags(s, media, &view);
    if (view.mid[0] != '\0')
        agw_doc_set_str(media, "mid", view.mid);
    agw_doc_set_str(media, "direction", view.direction);
    agw_doc_set_str(media, "interface", view.interface);
    agw_doc_set_int(media, "transport", view.transport_id);
    set_quality(media, end);
}

/* What commands have said about this party's media. */
static void set_blocks(const agw_ng_call *call, agw_doc *party, agw_side side)
{
    const agw_call_acts *acts = &call->acts;
    agw_doc *list = agw_doc_new_list();
    if (acts->block_media[side])
        agw_doc_add_str(list, "media");
    if (acts->dtmf[side].mode.on)
        agw_doc_add_str(list, "DTMF");
    if (acts->silence_media[side])
        agw_doc_add_str(list, "silence");
    if (acts->block_egress[side])
        agw_doc_add_str(list, "egress");
    if (agw_doc_count(list) != 0)
        agw_doc_set(party, "blocked", list);
    else
        agw_doc_free(list);
}

/* And about the whole call. */
static void set_call_acts(const agw_ng_call *call, agw_doc *out)
{
    enum { WHOLE_CALL = 2 };
    agw_record_view view;
    agw_doc *list = agw_doc_new_list();
    if (call->acts.block_media[WHOLE_CALL] || call->acts.drop_traffic)
        agw_doc_add_str(list, "media");
    if (call->acts.dtmf[WHOLE_CALL].mode.on)
        agw_doc_add_str(list, "DTMF");
    if (call->acts.silence_media[WHOLE_CALL])
        agw_doc_add_str(list, "silence");
    if (agw_doc_count(list) != 0)
        agw_doc_set(out, "blocked", list);
    else
        agw_doc_free(list);
    if (!agw_gateway_get_record(call->ref, &view))
        return;
    agw_doc *recording = agw_doc_set(out, "recording", agw_doc_new_dict());
    agw_doc_set_str(recording, "state", call->acts.paused ? "paused" : "on");
    agw_doc_set_str(recording, "file", view.name);
    agw_doc *files = agw_doc_set(recording, "files", agw_doc_new_list());
    for (size_t i = 0; i < view.n_names; i++)
        agw_doc_add_str(files, view.names[i]);
    agw_doc_set_int(recording, "packets", (int64_t)view.packets);
    agw_doc_set_int(recording, "bytes", (int64_t)view.bytes);
    agw_doc_set_int(recording, "lost", (int64_t)view.lost);
}

static void add_party(const scene *s, agw_doc *tags, agw_side side, guint at)
{
    const agw_ng_call *call = s->call;
    const agw_party_tag *tag = &g_array_index(call->tags[side], agw_party_tag, at);
    agw_doc *party = agw_doc_set(tags, tag->tag, agw_doc_new_dict());
    agw_doc_set_str(party, "tag", tag->tag);
    if (tag->via_branch[0] != '\0')
        agw_doc_set_str(party, "via-branch", tag->via_branch);
    if (call->label[side][0] != '\0' && at == call->current[side])
        agw_doc_set_str(party, "label", call->label[side]);
    agw_doc_set_int(party, "created", tag->created_us / 1000000);
    agw_doc_set_str(party, "in dialogue with",
                    agw_calls_tag(call, side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A));
    if (at == call->current[side])
        set_blocks(call, party, side);
    agw_doc *medias = agw_doc_set(party, "medias", agw_doc_new_list());
    if (at != call->current[side])
        return; /* a branch that is not the one in use */
    for (size_t i = 0; i < agw_session_n_medias(call->session); i++)
        add_media(s, medias, side, i);
}

/* As rtpengine's clients read it; the rest is ours. */
static agw_doc *set_sample(agw_doc *entry, const char *key, const agw_quality_sample *s)
{
    agw_doc *mos = agw_doc_set(entry, key, agw_doc_new_dict());
    agw_doc_set_int(mos, "MOS", s->mos_x10);
    agw_doc_set_int(mos, "round-trip time", s->round_trip_us);
    agw_doc_set_int(mos, "round-trip time leg", s->leg_us);
    agw_doc_set_int(mos, "jitter", s->jitter_us / 1000);
    agw_doc_set_int(mos, "packet loss", s->loss_1000 / 10);
    agw_doc_set_int(mos, "R x10", s->r_x10);
    agw_doc_set_int(mos, "MOS LQ", s->mos_lq_x10);
    agw_doc_set_int(mos, "R LQ x10", s->r_lq_x10);
    return mos;
}

/* What calls_watch.c has sampled; until then the whole call is the one sample. */
static void set_mos(const scene *s, agw_doc *entry, const agw_media_view *view, agw_side side)
{
    const size_t at = 2 * view->index + side;
    const agw_end_stats *end = stats_of(s->call, view, side);
    const agw_watch *w = &s->call->watch;
    agw_quality whole = {0};
    agw_quality_sample sample;
    const agw_quality *q = at < w->n_streams ? &w->streams[at].quality : &whole;
    if (q->samples == 0 || q->ssrc != count(&end->ssrc_in)) {
        if (!agw_quality_take(&whole, end, stats_of(s->call, view, (agw_side)!side), view->codec,
                              s->wall_us / 1000000, &sample))
            return;
        q = &whole;
    }
    sample = agw_quality_average(q);
    agw_doc_set_int(set_sample(entry, "average MOS", &sample), "samples", q->samples);
    agw_doc_set_int(set_sample(entry, "lowest MOS", &q->lowest), "reported at", q->lowest.at_s);
    agw_doc_set_int(set_sample(entry, "highest MOS", &q->highest), "reported at", q->highest.at_s);
}

static void add_ssrc(const scene *s, agw_doc *ssrcs, const agw_media_view *view, agw_side side)
{
    char key[16];
    const agw_end_stats *end = stats_of(s->call, view, side);
    if (count(&end->ssrc_in) == 0)
        return;
    snprintf(key, sizeof key, "%u", (unsigned)count(&end->ssrc_in));
    agw_doc *entry = agw_doc_set(ssrcs, key, agw_doc_new_dict());
    agw_doc_set_int(entry, "bytes", count(&end->rtp_in.bytes));
    agw_doc_set_int(entry, "packets", count(&end->rtp_in.packets));
    agw_doc_set_int(entry, "cumulative loss", count(&end->lost_in));
    if (strcmp(view->type, "audio") == 0)
        set_mos(s, entry, view, side);
}

typedef struct sums {
    int64_t packets, bytes, errors;
} sums;

static void add_sums(sums *sum, const agw_traffic *in, int64_t errors)
{
    sum->packets += count(&in->packets);
    sum->bytes += count(&in->bytes);
    sum->errors += errors;
}

static void set_totals(const scene *s, agw_doc *ssrcs, agw_doc *totals)
{
    sums rtp = {0}, rtcp = {0};
    for (size_t i = 0; i < 2 * agw_session_n_medias(s->call->session); i++) {
        const agw_side side = (agw_side)(i % 2);
        agw_media_view view;
        agw_session_media(s->call->session, side, i / 2, &view);
        if (!view.live)
            continue;
        const agw_end_stats *end = stats_of(s->call, &view, side);
        add_ssrc(s, ssrcs, &view, side);
        add_sums(&rtp, &end->rtp_in, count(&end->dropped));
        add_sums(&rtcp, &end->rtcp_in, 0);
    }
    set_traffic(totals, "RTP", rtp.packets, rtp.bytes, rtp.errors);
    set_traffic(totals, "RTCP", rtcp.packets, rtcp.bytes, rtcp.errors);
}

/* "DTLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 AEAD_AES_128_GCM" in its parts. */
static void set_dtls(agw_doc *out, const agw_transport_view *t)
{
    static const char *const KEYS[] = {"version", "cipher", "SRTP"};
    agw_doc *dtls = agw_doc_set(out, "DTLS", agw_doc_new_dict());
    const agw_dtls_view state = t != NULL ? t->dtls : AGW_DTLS_VIEW_NEW;
    agw_doc_set_str(dtls, "state", agw_dtls_view_text(state));
    if (t == NULL || t->dtls_detail[0] == '\0')
        return;
    if (state == AGW_DTLS_VIEW_FAILED) {
        agw_doc_set_str(dtls, "reason", t->dtls_detail);
        return;
    }
    char **parts = g_strsplit(t->dtls_detail, " ", 3);
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS) && parts[i] != NULL; i++)
        agw_doc_set_str(dtls, KEYS[i], parts[i]);
    g_strfreev(parts);
}

static void set_ice(agw_doc *out, const agw_media_view *view, const agw_transport_view *t)
{
    agw_doc *ice = agw_doc_set(out, "ICE", agw_doc_new_dict());
    agw_doc_set_str(ice, "state", agw_ice_view_text(t != NULL ? t->ice : AGW_ICE_VIEW_NEW));
    agw_doc_set_str(ice, "agent", view->ice_full ? "full" : "lite");
    agw_doc_set_str(ice, "role", is_controlling(view, t) ? "controlling" : "controlled");
    if (t == NULL)
        return;
    set_endpoint(ice, "local", &t->local);
    set_endpoint(ice, "remote", &t->remote);
    if (agw_addr_is_set(&t->remote))
        agw_doc_set_str(ice, "transport", t->tcp ? "tcp" : "udp");
}

static void add_transport(const scene *s, agw_doc *list, const agw_media_view *view, agw_side side)
{
    const agw_transport_view *t = transport_of(s->call, view->transport_id);
    agw_doc *out = agw_doc_add(list, agw_doc_new_dict());
    agw_doc_set_int(out, "id", view->transport_id);
    agw_doc_set_str(out, "tag", agw_calls_tag(s->call, side));
    agw_doc_set_str(out, "interface", view->interface);
    if (view->ice)
        set_ice(out, view, t);
    if (view->dtls)
        set_dtls(out, t);
    if (view->sdes != NULL)
        agw_doc_set_str(agw_doc_set(out, "SDES", agw_doc_new_dict()), "SRTP", view->sdes);
}

static bool is_listed(const agw_doc *list, uint32_t id)
{
    for (size_t i = 0; i < agw_doc_count(list); i++) {
        int64_t known;
        if (agw_doc_int(agw_doc_at(list, i), "id", &known) && known == id)
            return true;
    }
    return false;
}

static void add_transports(const scene *s, agw_doc *out)
{
    agw_doc *list = agw_doc_set(out, "transports", agw_doc_new_list());
    for (size_t i = 0; i < agw_session_n_medias(s->call->session); i++) {
        for (int side = 0; side < 2; side++) {
            agw_media_view view;
            agw_session_media(s->call->session, (agw_side)side, i, &view);
            if (view.live && !is_listed(list, view.transport_id))
                add_transport(s, list, &view, (agw_side)side);
        }
    }
}

void agw_calls_describe(const agw_ng_call *call, agw_doc *out, agw_ns now)
{
    const scene s = {.call = call, .now = now, .wall_us = agw_clock_wall_us()};
    agw_doc_set_int(out, "created", call->created_us / 1000000);
    agw_doc_set_int(out, "created_us", call->created_us % 1000000);
    agw_doc_set_int(out, "last signal", call->signalled_us / 1000000);
    agw_doc *ssrcs = agw_doc_set(out, "SSRC", agw_doc_new_dict());
    agw_doc *tags = agw_doc_set(out, "tags", agw_doc_new_dict());
    for (int side = 0; side < 2; side++) {
        for (guint i = 0; i < call->tags[side]->len; i++)
            add_party(&s, tags, (agw_side)side, i);
    }
    set_totals(&s, ssrcs, agw_doc_set(out, "totals", agw_doc_new_dict()));
    add_transports(&s, out);
    set_call_acts(call, out);
}
