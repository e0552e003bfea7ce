/* SPDX-License-Identifier: BSD-3-Clause
 * Each function reads only what the one before it asked for. */
#include "agw/warm.h"

#include "agw/bridge.h"
#include "agw/transport.h"
#include "base/prefetch.h"

static bool is_on_its_way(const agw_pkt *pkt)
{
    return pkt->verdict == AGW_UNDECIDED && (pkt->kind == AGW_PKT_RTP || pkt->kind == AGW_PKT_RTCP);
}

_Static_assert(offsetof(agw_transport, medias[1]) <= AGW_CACHE_LINE, "agw/transport.h says so");
_Static_assert(offsetof(agw_component, ice) <= AGW_CACHE_LINE, "agw/transport.h says so");
_Static_assert(offsetof(agw_end, pts[AGW_END_PTS]) <= AGW_CACHE_LINE, "agw/bridge.h says so");
_Static_assert(offsetof(agw_rtp_receiver, duplicates) <= AGW_CACHE_LINE, "rtp/seq.h says so");
_Static_assert(offsetof(agw_rewrite, old_ssrcs) <= AGW_CACHE_LINE, "rtp/rewrite.h says so");
_Static_assert(offsetof(agw_port, buffer_bytes) <= AGW_CACHE_LINE, "net/port.h says so");

static void warm_transport(const agw_transport *t)
{
    agw_prefetch(t);
    agw_prefetch(&t->component[AGW_RTP_COMPONENT]);
}

void agw_warm_transports(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_on_its_way(pkts[i]))
            warm_transport(pkts[i]->transport);
    }
}

static agw_side other(agw_side side)
{
    return side == AGW_SIDE_A ? AGW_SIDE_B : AGW_SIDE_A;
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
        const agw_end *from = &m->end[t->side], *to = &m->end[other(t->side)];
        agw_prefetch(m);
        agw_prefetch(from);
        agw_prefetch(&from->in);
        agw_prefetch(&to->transport);
        agw_prefetch(&to->out);
    }
}

void agw_warm_other_side(agw_pkt *const pkts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const agw_transport *t = pkts[i]->transport;
        if (!is_on_its_way(pkts[i]) || t->n_medias != 1)
            continue;
        const agw_media *m = t->medias[0];
        const agw_end *to = &m->end[other(t->side)];
        agw_prefetch(&m->stats->end[t->side].rtp_in);
        agw_prefetch(&m->stats->end[other(t->side)].rtp_out);
        if (to->transport != NULL)
            warm_transport(to->transport);
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
        agw_prefetch(pkt->port);
        agw_prefetch(pkt->way);
    }
}
