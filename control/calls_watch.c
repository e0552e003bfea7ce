/* SPDX-License-Identifier: BSD-3-Clause
 * What is looked at while a call lives, on the control thread's clock and from the workers' public
 * numbers: streams that fall silent (TS 23.334 section 5.10) or become poor, and whether the
 * signalling node still knows the call (hanging termination detection, TS 23.334 section 5.7). */
#include "control/calls.h"

#include <inttypes.h>
#include <string.h>

enum { HEARTBEATS = 3 }; /* unanswered, then the call ends */

static const agw_ns SILENT_LOOK = AGW_S(1), QUALITY_LOOK = AGW_S(10);

/* --- pure --------------------------------------------------------------------------------------
 */

bool agw_watch_is_silent(bool was, agw_ns since, agw_ns last_at, agw_ns limit, agw_ns now,
                         agw_ns *deadline)
{
    *deadline = AGW_NEVER;
    if (since == 0)
        return false;
    if (was && last_at < since) { /* a re-offer alone brings no packets */
        *deadline = now + SILENT_LOOK;
        return true;
    }
    const agw_ns at = MAX(since, last_at) + limit;
    *deadline = now < at ? at : now + SILENT_LOOK;
    return now >= at;
}

/* --- heartbeat ---------------------------------------------------------------------------------
 */

static void forget_heartbeat(agw_ng_call *call)
{
    if (call->watch.heartbeat_seq != 0)
        agw_events_forget(agw_calls_events(call->calls), call->watch.heartbeat_seq);
    call->watch.heartbeat_seq = 0;
}

static void restart_heartbeat(agw_ng_call *call, agw_ns now)
{
    const agw_ns every = call->notify.heartbeat;
    forget_heartbeat(call);
    call->watch.unanswered = 0;
    call->watch.heartbeat_at = every > 0 ? now + every : AGW_NEVER;
}

static void beat(agw_ng_call *call, agw_ns now)
{
    agw_watch *w = &call->watch;
    agw_events *events = agw_calls_events(call->calls);
    if (now < w->heartbeat_at)
        return;
    const bool missing = w->heartbeat_seq != 0 && agw_events_awaits(events, w->heartbeat_seq);
    w->unanswered = missing ? w->unanswered + 1 : 0;
    forget_heartbeat(call);
    if (w->unanswered == HEARTBEATS) {
        call->clock.hung_at = now;
        w->heartbeat_at = AGW_NEVER;
        return;
    }
    w->heartbeat_at = now + call->notify.heartbeat;
    w->heartbeat_seq = agw_calls_tell(call, (agw_notice){.event = "heartbeat"});
    agw_events_await(events, w->heartbeat_seq);
}

void agw_calls_known(agw_ng_call *call)
{
    forget_heartbeat(call);
    call->watch.unanswered = 0;
}

/* --- streams -----------------------------------------------------------------------------------
 */

/* One direction of one media while it is looked at. */
typedef struct look {
    agw_ng_call *call;
    agw_side side;
    agw_media_view view;
    const agw_end_stats *stats;
    agw_stream_watch *watch;
    agw_ns now;
} look;

static agw_stream_watch *stream_at(agw_ng_call *call, size_t media, agw_side side)
{
    agw_watch *w = &call->watch;
    const size_t n = 2 * agw_session_n_medias(call->session);
    if (n > w->n_streams) {
        w->streams = g_renew(agw_stream_watch, w->streams, n);
        memset(w->streams + w->n_streams, 0, (n - w->n_streams) * sizeof *w->streams);
        w->n_streams = n;
    }
    return &w->streams[2 * media + side];
}

/* reason: whose stream it is. */
static void tell_of_stream(const look *l, const char *event, const char *detail)
{
    const agw_notice notice = {.event = event,
                               .media = (int)l->view.index + 1,
                               .mid = l->view.mid,
                               .reason = l->side == AGW_SIDE_A ? "from-tag" : "to-tag",
                               .detail = detail};
    (void)agw_calls_tell(l->call, notice);
}

static agw_ns look_for_silence(const look *l)
{
    const agw_call_clock *clock = &l->call->clock;
    const bool expected = clock->answered && l->view.live && l->view.may_send;
    agw_ns deadline;
    const bool silent = agw_watch_is_silent(l->watch->silent, expected ? clock->signalled_at : 0,
                                            (agw_ns)agw_counter_get(&l->stats->rtp_in.last_at),
                                            l->call->notify.inactivity, l->now, &deadline);
    if (silent && !l->watch->silent)
        tell_of_stream(l, "inactivity", "");
    else if (!silent && l->watch->silent && expected)
        tell_of_stream(l, "resumed", "");
    l->watch->silent = silent;
    return deadline;
}

static void tell_of_quality(const look *l, const agw_quality_sample *s)
{
    char detail[96];
    g_snprintf(detail, sizeof detail,
               "MOS %d.%d loss %d.%d %% jitter %" PRId64 " ms round trip %" PRId64 " ms",
               (int)s->mos_x10 / 10, (int)s->mos_x10 % 10, (int)s->loss_1000 / 10,
               (int)s->loss_1000 % 10, s->jitter_us / 1000, s->round_trip_us / 1000);
    tell_of_stream(l, l->watch->poor ? "quality" : "quality-back", detail);
}

static void look_at_quality(const look *l)
{
    const agw_end_stats *to = &agw_gateway_media_stats(l->call->ref, l->view.media_id)
                                   ->end[l->side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A];
    agw_quality_sample sample;
    if (!agw_quality_take(&l->watch->quality, l->stats, to, l->view.codec,
                          agw_clock_wall_us() / 1000000, &sample))
        return;
    if (strcmp(l->view.type, "audio") == 0)
        agw_quality_count(agw_calls_quality(l->call->calls), &sample);
    const bool poor = sample.mos_x10 < l->call->notify.quality_x10;
    if (poor == l->watch->poor)
        return;
    l->watch->poor = poor;
    tell_of_quality(l, &sample);
}

static agw_ns look_at_streams(agw_ng_call *call, agw_ns now, bool quality)
{
    agw_ns deadline = AGW_NEVER;
    const size_t n = agw_session_n_medias(call->session);
    for (size_t i = 0; i < 2 * n; i++) {
        look l = {.call = call, .side = (agw_side)(i % 2), .now = now};
        agw_session_media(call->session, l.side, i / 2, &l.view);
        if (!l.view.live)
            continue;
        l.stats = &agw_gateway_media_stats(call->ref, l.view.media_id)->end[l.side];
        l.watch = stream_at(call, i / 2, l.side);
        if (call->notify.inactivity > 0)
            deadline = agw_earlier(deadline, look_for_silence(&l));
        if (quality)
            look_at_quality(&l);
    }
    return deadline;
}

agw_ns agw_calls_watch(agw_ng_call *call, agw_ns now)
{
    agw_watch *w = &call->watch;
    if (call->clock.delete_at != AGW_NEVER)
        return AGW_NEVER;
    beat(call, now);
    const bool quality = now >= w->quality_at;
    if (quality)
        w->quality_at = now + QUALITY_LOOK;
    agw_ns deadline = agw_earlier(w->heartbeat_at, w->quality_at);
    if (quality || (call->notify.inactivity > 0 && call->clock.answered))
        deadline = agw_earlier(deadline, look_at_streams(call, now, quality));
    return deadline;
}

void agw_calls_watch_signalled(agw_ng_call *call, agw_ns now)
{
    restart_heartbeat(call, now);
    call->clock.hung_at = AGW_NEVER;
    if (call->watch.quality_at == AGW_NEVER)
        call->watch.quality_at = now + QUALITY_LOOK;
}

void agw_calls_watch_fini(agw_ng_call *call)
{
    forget_heartbeat(call);
    g_free(call->watch.streams);
}

/* --- what is told, and to whom -----------------------------------------------------------------
 */

static void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

/* "%%" in the URL is the address of the signalling node. */
static void set_rpc_url(agw_ng_call *call, const char *host)
{
    const char *url = agw_calls_config(call->calls)->b2b_url;
    const char *gap = strstr(url, "%%");
    g_free(call->notify.rpc_url);
    call->notify.rpc_url = gap == NULL
                               ? g_strdup(url)
                               : g_strdup_printf("%.*s%s%s", (int)(gap - url), url, host, gap + 2);
}

static void set_host(agw_ng_call *call, const agw_flags *flags, const agw_addr *from)
{
    char text[AGW_ADDR_TEXT];
    agw_addr addr;
    const bool given = flags->xmlrpc_callback != NULL &&
                       agw_addr_parse_ip(&addr, flags->xmlrpc_callback) == AGW_OK;
    if (!given && from == NULL)
        return;
    if (!given)
        addr = *from;
    agw_addr_ip_text(&addr, text, sizeof text);
    char *host = g_strdup_printf(addr.family == AGW_FAMILY_IP6 ? "[%s]" : "%s", text);
    set_rpc_url(call, host);
    g_free(host);
}

static void set_words(agw_ng_call *call, const agw_notify_words *words)
{
    const agw_config *config = agw_calls_config(call->calls);
    agw_call_notify *n = &call->notify;
    set_text(&n->events, words->events);
    n->inactivity = words->inactivity_s >= 0 ? AGW_S(words->inactivity_s) : config->inactivity;
    n->heartbeat = words->heartbeat_s >= 0 ? AGW_S(words->heartbeat_s) : config->heartbeat;
    n->quality_x10 = words->quality_x10;
}

static void set_target(agw_ng_call *call, const char *url)
{
    agw_target target;
    if (agw_target_parse(&target, url) == AGW_OK)
        set_text(&call->notify.target, url);
    else
        agw_log(AGW_LOG_WARN, call->call_id, "notify-url is no target and is ignored");
}

void agw_calls_set_notify(agw_ng_call *call, const agw_flags *flags, const agw_addr *from)
{
    if (flags->notify.given)
        set_words(call, &flags->notify);
    if (flags->notify_url != NULL)
        set_target(call, flags->notify_url);
    if (agw_addr_is_set(&flags->dtmf_log_dest))
        call->notify.dtmf_log_dest = flags->dtmf_log_dest;
    set_host(call, flags, from);
}
