/* SPDX-License-Identifier: BSD-3-Clause
 * Each function reads only what the one before it asked for. */
#include "agw/warm.h"

#include "agw/bridge.h"
#include "agw/transport.h"
#include "base/prefetch.h"

enum { WARM_PTS = 4 }; /* payload types of a media of audio */

static bool is_on_its_way(const agw_pkt *pkt)
{
    return pkt->verdict == AGW_UNDECIDED && (pkt->kind == AGW_PKT_RTP || pkt->kind == AGW_PKT_RTCP);
}

enum {
    HOT_TRANSPORT = offsetof(agw_transport, component) + offsetof(agw_component, signalled),
};
_Static_assert(HOT_TRANSPORT <= 2 * AGW_CACHE_LINE, "agw/transport.h says so");

static void warm_transport(const agw_transport *t)
{
    agw_prefetch_span(t, HOT_TRANSPORT);
}

void agw_warm_transports(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_on_its_way(pkts[i]))
            continue;
        warm_transport(pkts[i]->transport);
        agw_prefetch(&pkts[i]->transport->medias[0]);
    }
}

static void warm_end(const agw_end *end)
{
    agw_prefetch_span(end, offsetof(agw_end, pts) + WARM_PTS * sizeof end->pts[0]);
}

void agw_warm_medias(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_on_its_way(pkts[i]))
            continue;
        const agw_transport *t = pkts[i]->transport;
        if (t->srtp_in != NULL)
            agw_srtp_session_prefetch(t->srtp_in);
        if (t->n_medias != 1)
            continue; /* which one, only the packet itself tells */
        const agw_media *m = t->medias[0];
        agw_prefetch(m);
        warm_end(&m->end[AGW_SIDE_A]);
        warm_end(&m->end[AGW_SIDE_B]);
    }
}

void agw_warm_other_side(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const agw_transport *t = pkts[i]->transport;
        if (!is_on_its_way(pkts[i]) || t->n_medias != 1)
            continue;
        const agw_media *m = t->medias[0];
        const agw_end *other = &m->end[t->side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A];
        agw_prefetch_span(m->stats, sizeof *m->stats);
        if (other->transport != NULL)
            warm_transport(other->transport);
    }
}

void agw_warm_way_out(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const agw_pkt *pkt = pkts[i];
        if (pkt->verdict != AGW_FORWARD || pkt->transport == NULL)
            continue;
        if (pkt->transport->srtp_out != NULL)
            agw_srtp_session_prefetch(pkt->transport->srtp_out);
        agw_prefetch_span(pkt->port, offsetof(agw_port, buffer_bytes));
    }
}
