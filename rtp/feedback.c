/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP translation. The stages write reports, description, feedback and BYE in this order, each
 * with its own walk over the datagram: RTCP is rare, and the order of a compound comes out right
 * whatever was taken out of it. */
#include "rtp/feedback.h"

#include "base/wire.h"

#include <string.h>

enum {
    SR_BLOCKS_AT = 24, /* in the body */
    RR_BLOCKS_AT = 4,
    FCI_AT = 8,
    FIR_ENTRY = 8, /* FIR, TMMBR and TMMBN: SSRC and 4 bytes */
    REMB_SSRCS_AT = 8,
};

/** One translation on its way. */
typedef struct job {
    const agw_rtcp_map *map;
    agw_rtcp_iter begin; /* the datagram from its first packet on */
    agw_rtcp_writer w;
    agw_rtcp_info *info;
    uint32_t sender; /* SSRC of the datagram's sender as d knows it */
    bool key_frame;  /* asked for, not yet written */
    bool by_fir;
    uint8_t fir_seq;
} job;

/* RTP s -> d that we forward at this moment. Transparent means any SSRC, but of one media only. */
static bool is_forwarded(const agw_rtcp_map *map, uint32_t ssrc)
{
    if (agw_rewrite_transparent(map->forward) && map->sole)
        return true;
    return map->forward->started && ssrc == map->forward->ssrc;
}

static bool is_our_sender(const agw_rtcp_map *map, uint32_t ssrc)
{
    return map->sole || is_forwarded(map, ssrc);
}

static uint32_t egress_sender(const agw_rtcp_map *map, uint32_t ssrc)
{
    return agw_rewrite_transparent(map->forward) ? ssrc : map->forward->egress_ssrc;
}

/* SSRC that s gives to the stream from d -> SSRC that d sends. */
static bool media_back(const agw_rtcp_map *map, uint32_t ssrc, uint32_t *out)
{
    return agw_rewrite_ingress_ssrc(map->reverse, ssrc, out);
}

static void note_report(agw_rtcp_info *info, const agw_rtcp_report *report)
{
    if (info->has_report)
        return;
    info->has_report = true;
    info->report = *report;
}

static void note_sr(agw_rtcp_info *info, const agw_rtcp_sender *sr)
{
    info->has_sr = true;
    info->sr_ssrc = sr->ssrc;
    info->sr_ntp_middle = agw_rtcp_ntp_middle(sr->ntp);
}

/* The report blocks about our stream, as d must see them. */
static size_t translate_blocks(job *j, const agw_rtcp_packet *p, size_t at,
                               agw_rtcp_report out[AGW_RTCP_REPORT_MAX])
{
    size_t n = 0;
    for (unsigned i = 0; i < p->count; i++, at += AGW_RTCP_REPORT_LEN) {
        agw_rtcp_report *b = &out[n];
        agw_rtcp_report_parse(b, p->body + at);
        uint32_t ssrc = 0;
        if (!media_back(j->map, b->ssrc, &ssrc))
            continue;
        note_report(j->info, b);
        if (!agw_rewrite_ingress_ext_seq(j->map->reverse, b->ext_seq, &b->ext_seq))
            continue; /* still about the stream before */
        if (b->lsr == j->map->own_lsr)
            b->lsr = b->dlsr = 0;
        b->ssrc = ssrc;
        n++;
    }
    return n;
}

static agw_err write_sender_report(job *j, agw_rtcp_sender *sr, const agw_rtcp_report *blocks,
                                   size_t n)
{
    const agw_rewrite *forward = j->map->forward;
    note_sr(j->info, sr);
    if (!agw_rewrite_transparent(forward)) {
        sr->rtp_timestamp = agw_rewrite_egress_timestamp(forward, sr->rtp_timestamp);
        sr->packets = forward->packets; /* those of s begin again with each of its SSRCs */
        sr->octets = forward->octets;
    }
    sr->ssrc = j->sender;
    return agw_rtcp_write_sr(&j->w, sr, blocks, n);
}

static agw_err translate_report(job *j, const agw_rtcp_packet *p)
{
    agw_rtcp_report blocks[AGW_RTCP_REPORT_MAX];
    const bool is_sr = p->type == AGW_RTCP_SR;
    const uint32_t ssrc = agw_get32(p->body);
    const size_t n = translate_blocks(j, p, is_sr ? SR_BLOCKS_AT : RR_BLOCKS_AT, blocks);
    if (n == 0 && !is_our_sender(j->map, ssrc)) {
        j->info->other_media++;
        return AGW_OK;
    }
    j->sender = egress_sender(j->map, ssrc);
    if (!is_sr || !is_forwarded(j->map, ssrc))
        return agw_rtcp_write_rr(&j->w, j->sender, blocks, n);
    agw_rtcp_sender sr;
    agw_rtcp_sender_parse(&sr, p->body);
    return write_sender_report(j, &sr, blocks, n);
}

static agw_err write_reports(job *j)
{
    agw_rtcp_packet p;
    agw_err err = AGW_OK;
    for (agw_rtcp_iter it = j->begin; err == AGW_OK && agw_rtcp_next(&it, &p);) {
        j->info->packets++;
        if (p.type == AGW_RTCP_SR || p.type == AGW_RTCP_RR)
            err = translate_report(j, &p);
    }
    return err;
}

/* The CNAME that s gave to our stream; with sole, the first one. */
static bool find_cname(const job *j, agw_rtcp_sdes_chunk *out)
{
    agw_rtcp_packet p;
    for (agw_rtcp_iter it = j->begin; agw_rtcp_next(&it, &p);) {
        if (p.type != AGW_RTCP_SDES)
            continue;
        for (size_t at = 0; agw_rtcp_sdes_next(&p, &at, out);) {
            if (out->cname != NULL && is_our_sender(j->map, out->ssrc))
                return true;
        }
    }
    return false;
}

/* RFC 3550 section 6.1: every compound carries a CNAME. Only CNAME: NAME, EMAIL, TOOL and so on
 * are nobody else's business. */
static agw_err write_cname(job *j)
{
    agw_rtcp_sdes_chunk chunk;
    if (j->map->cname != NULL)
        return agw_rtcp_write_cname(&j->w, j->sender, j->map->cname, strlen(j->map->cname));
    if (find_cname(j, &chunk))
        return agw_rtcp_write_cname(&j->w, j->sender, (const char *)chunk.cname, chunk.cname_len);
    return AGW_OK;
}

/* Appends a feedback packet with the FCI as it came; *fci points at the copy, to be changed in
 * place, and finish_fb() sets what is left of it. */
static agw_err begin_fb(job *j, const agw_rtcp_packet *p, uint32_t media, uint8_t **fci,
                        size_t *fci_len)
{
    *fci_len = p->body_len - FCI_AT;
    const agw_err err =
        agw_rtcp_write_fb(&j->w, p->type, p->count, egress_sender(j->map, agw_get32(p->body)),
                          media, p->body + FCI_AT, *fci_len);
    if (err == AGW_OK)
        *fci = j->w.buf + j->w.len - *fci_len;
    return err;
}

static void finish_fb(job *j, size_t fci_len, size_t kept_len)
{
    uint8_t *packet = j->w.buf + j->w.len - fci_len - FCI_AT - 4;
    j->w.len -= fci_len - kept_len;
    agw_put16(packet + 2, (uint16_t)((FCI_AT + kept_len) / 4));
}

/* Takes the packet back: nothing of it was about this media. */
static void cancel_fb(job *j, size_t fci_len)
{
    j->w.len -= 4 + FCI_AT + fci_len;
    j->info->other_media++;
}

/* RFC 4585 section 6.2.1 */
static agw_err translate_nack(job *j, const agw_rtcp_packet *p)
{
    uint32_t media = 0;
    uint8_t *fci = NULL;
    size_t fci_len = 0, kept = 0;
    if (!media_back(j->map, agw_get32(p->body + 4), &media)) {
        j->info->other_media++;
        return AGW_OK;
    }
    const agw_err err = begin_fb(j, p, media, &fci, &fci_len);
    if (err != AGW_OK)
        return err;
    for (size_t at = 0; at + 4 <= fci_len; at += 4) {
        uint16_t pid = 0;
        if (!agw_rewrite_ingress_seq(j->map->reverse, agw_get16(fci + at), &pid))
            continue;
        const uint16_t mask = agw_get16(fci + at + 2);
        agw_put16(fci + kept, pid);
        agw_put16(fci + kept + 2, mask);
        kept += 4;
    }
    if (kept == 0)
        cancel_fb(j, fci_len);
    else
        finish_fb(j, fci_len, kept);
    return AGW_OK;
}

/* RFC 5104 sections 4.2.1 and 4.2.2: entries name the stream that is limited (TMMBR) or the
 * receiver that owns a limit (TMMBN); for s both are the SSRC that we send. An empty TMMBN says
 * that no limit is left. */
static agw_err translate_tmmb(job *j, const agw_rtcp_packet *p)
{
    uint8_t *fci = NULL;
    size_t fci_len = 0, kept = 0;
    const agw_err err = begin_fb(j, p, 0, &fci, &fci_len);
    if (err != AGW_OK)
        return err;
    for (size_t at = 0; at + FIR_ENTRY <= fci_len; at += FIR_ENTRY) {
        uint32_t ssrc = 0;
        if (!media_back(j->map, agw_get32(fci + at), &ssrc))
            continue;
        const uint32_t limit = agw_get32(fci + at + 4);
        agw_put32(fci + kept, ssrc);
        agw_put32(fci + kept + 4, limit);
        kept += FIR_ENTRY;
    }
    const bool empty_tmmbn =
        p->count == AGW_RTPFB_TMMBN && fci_len == 0 && is_our_sender(j->map, agw_get32(p->body));
    if (kept == 0 && !empty_tmmbn)
        cancel_fb(j, fci_len);
    else
        finish_fb(j, fci_len, kept);
    return AGW_OK;
}

/* draft-alvestrand-rmcat-remb section 2.2: "REMB", number of SSRCs, bit rate, SSRCs. */
static bool is_remb(const agw_rtcp_packet *p)
{
    const size_t fci_len = p->body_len - FCI_AT;
    const uint8_t *fci = p->body + FCI_AT;
    return p->type == AGW_RTCP_PSFB && p->count == AGW_PSFB_AFB && fci_len >= REMB_SSRCS_AT &&
           memcmp(fci, "REMB", 4) == 0 && REMB_SSRCS_AT + 4u * fci[4] <= fci_len;
}

static agw_err translate_remb(job *j, const agw_rtcp_packet *p)
{
    uint8_t *fci = NULL;
    size_t fci_len = 0;
    const agw_err err = begin_fb(j, p, 0, &fci, &fci_len);
    if (err != AGW_OK)
        return err;
    uint8_t kept = 0;
    for (size_t i = 0; i < p->body[FCI_AT + 4]; i++) {
        uint32_t ssrc = 0;
        if (media_back(j->map, agw_get32(fci + REMB_SSRCS_AT + 4 * i), &ssrc))
            agw_put32(fci + REMB_SSRCS_AT + 4u * kept++, ssrc);
    }
    fci[4] = kept;
    if (kept == 0)
        cancel_fb(j, fci_len);
    else
        finish_fb(j, fci_len, REMB_SSRCS_AT + 4u * kept);
    return AGW_OK;
}

/* Transport-wide: the media SSRC is one of many, the numbers belong to the transport. */
static agw_err translate_tcc(job *j, const agw_rtcp_packet *p)
{
    uint8_t *fci = NULL;
    size_t fci_len = 0;
    uint32_t media = 0;
    const agw_rewrite *reverse = j->map->reverse;
    if (!media_back(j->map, agw_get32(p->body + 4), &media)) {
        if (!j->map->sole || !reverse->started) {
            j->info->other_media++;
            return AGW_OK;
        }
        media = reverse->ssrc;
    }
    return begin_fb(j, p, media, &fci, &fci_len);
}

/* Whether a FIR names our stream. Where s can mean only one media, any SSRC is good enough: a
 * request too many costs less than a frozen picture. */
static bool fir_is_ours(const job *j, const agw_rtcp_packet *p, uint8_t *seq_nr)
{
    for (size_t at = FCI_AT; at + FIR_ENTRY <= p->body_len; at += FIR_ENTRY) {
        uint32_t ssrc = 0;
        *seq_nr = p->body[at + 4];
        if (j->map->sole || media_back(j->map, agw_get32(p->body + at), &ssrc))
            return true;
    }
    return false;
}

/* PLI, FIR or the FIR of RFC 2032: noted here, written once by write_key_frame(). */
static void note_key_frame(job *j, const agw_rtcp_packet *p)
{
    uint32_t ssrc = 0;
    bool ours = false;
    if (p->type == AGW_RTCP_FIR_RFC2032) {
        ours = is_our_sender(j->map, agw_get32(p->body)); /* it names no stream */
    } else if (p->count == AGW_PSFB_PLI) {
        ours = j->map->sole || media_back(j->map, agw_get32(p->body + 4), &ssrc);
    } else if (fir_is_ours(j, p, &j->fir_seq)) {
        ours = j->by_fir = true;
    }
    if (ours)
        j->key_frame = j->info->key_frame = true;
    else
        j->info->other_media++;
}

/* In the form that d negotiated; a peer without any (AVP) still understands PLI. */
static agw_err write_key_frame(job *j)
{
    const agw_rtcp_map *map = j->map;
    const bool pli = map->allow & AGW_FB_PLI, fir = map->allow & AGW_FB_FIR;
    const bool as_fir = fir && (j->by_fir || (!pli && map->fir_seq != NULL));
    if (!map->reverse->started)
        return AGW_OK; /* nothing has come from d: the first frame will be one */
    if (!as_fir)
        return agw_rtcp_write_pli(&j->w, j->sender, map->reverse->ssrc);
    uint8_t seq_nr = j->fir_seq;
    if (map->fir_seq != NULL) {
        if (!j->by_fir)
            seq_nr = (uint8_t)(*map->fir_seq + 1);
        *map->fir_seq = seq_nr;
    }
    return agw_rtcp_write_fir(&j->w, j->sender, map->reverse->ssrc, seq_nr);
}

static bool is_key_frame(const agw_rtcp_packet *p)
{
    return p->type == AGW_RTCP_FIR_RFC2032 ||
           (p->type == AGW_RTCP_PSFB && (p->count == AGW_PSFB_PLI || p->count == AGW_PSFB_FIR));
}

typedef agw_err translate_fb(job *j, const agw_rtcp_packet *p);

/* What translates this packet; NULL when d did not negotiate it or nobody knows it. */
static translate_fb *find_translation(const job *j, const agw_rtcp_packet *p)
{
    const uint32_t allow = j->map->allow;
    if (is_remb(p))
        return (allow & AGW_FB_REMB) ? translate_remb : NULL;
    if (p->type != AGW_RTCP_RTPFB)
        return NULL;
    switch (p->count) {
    case AGW_RTPFB_NACK:
        return (allow & AGW_FB_NACK) ? translate_nack : NULL;
    case AGW_RTPFB_TMMBR:
    case AGW_RTPFB_TMMBN:
        return (allow & AGW_FB_TMMBR) ? translate_tmmb : NULL;
    case AGW_RTPFB_TCC:
        return (allow & AGW_FB_TCC) ? translate_tcc : NULL;
    default:
        return NULL;
    }
}

static agw_err write_feedback(job *j)
{
    agw_rtcp_packet p;
    agw_err err = AGW_OK;
    for (agw_rtcp_iter it = j->begin; err == AGW_OK && agw_rtcp_next(&it, &p);) {
        if ((p.type >= AGW_RTCP_SR && p.type <= AGW_RTCP_BYE))
            continue;
        translate_fb *translate = find_translation(j, &p);
        if (is_key_frame(&p))
            note_key_frame(j, &p);
        else if (translate != NULL)
            err = translate(j, &p);
        else
            j->info->dropped++;
    }
    return err == AGW_OK && j->key_frame ? write_key_frame(j) : err;
}

static bool says_goodbye(const job *j, const agw_rtcp_packet *p)
{
    for (size_t at = 0; at < 4u * p->count; at += 4) {
        if (is_forwarded(j->map, agw_get32(p->body + at)))
            return true;
    }
    return false;
}

static agw_err write_bye(job *j)
{
    agw_rtcp_packet p;
    for (agw_rtcp_iter it = j->begin; agw_rtcp_next(&it, &p);) {
        if (p.type != AGW_RTCP_BYE)
            continue;
        if (says_goodbye(j, &p))
            j->info->bye = true;
        else
            j->info->other_media++;
    }
    return j->info->bye ? agw_rtcp_write_bye(&j->w, j->sender) : AGW_OK;
}

/* The SSRC under which d knows the sender, until a report says better. */
static uint32_t first_sender(const agw_rtcp_map *map, agw_rtcp_iter it)
{
    agw_rtcp_packet p;
    if (!agw_rewrite_transparent(map->forward))
        return map->forward->egress_ssrc;
    if (!map->sole && map->forward->started)
        return map->forward->ssrc;
    while (agw_rtcp_next(&it, &p)) {
        if (p.body_len >= 4)
            return agw_get32(p.body);
    }
    return map->forward->ssrc;
}

static agw_err translate(job *j)
{
    agw_err err = write_reports(j);
    const bool bare = j->w.len == 0;
    if (err == AGW_OK && bare && !j->map->reduced_size)
        err = agw_rtcp_write_rr(&j->w, j->sender, NULL, 0);
    if (err == AGW_OK && j->w.len > 0)
        err = write_cname(j);
    const size_t front = j->w.len;
    if (err == AGW_OK)
        err = write_feedback(j);
    if (err == AGW_OK)
        err = write_bye(j);
    if (bare && j->w.len == front)
        j->w.len = 0; /* a front with nothing behind it */
    return err;
}

/* Both ways transparent: nothing is changed, but the caller still wants to know. */
static void observe(job *j)
{
    agw_rtcp_packet p;
    for (agw_rtcp_iter it = j->begin; agw_rtcp_next(&it, &p);) {
        agw_rtcp_report report;
        const bool is_sr = p.type == AGW_RTCP_SR;
        j->info->packets++;
        j->info->bye = j->info->bye || p.type == AGW_RTCP_BYE;
        j->info->key_frame = j->info->key_frame || is_key_frame(&p);
        if (is_sr && !j->info->has_sr) {
            agw_rtcp_sender sr;
            agw_rtcp_sender_parse(&sr, p.body);
            note_sr(j->info, &sr);
        }
        if ((is_sr || p.type == AGW_RTCP_RR) && p.count > 0) {
            agw_rtcp_report_parse(&report, p.body + (is_sr ? SR_BLOCKS_AT : RR_BLOCKS_AT));
            note_report(j->info, &report);
        }
    }
}

agw_err agw_rtcp_translate(const agw_rtcp_map *map, const uint8_t *in, size_t in_len, uint8_t *out,
                           size_t *out_len, agw_rtcp_info *info)
{
    *info = (agw_rtcp_info){0};
    job j = {.map = map, .info = info};
    agw_err err = agw_rtcp_begin(&j.begin, in, in_len);
    if (err != AGW_OK)
        return err;
    if (agw_rewrite_transparent(map->forward) && agw_rewrite_transparent(map->reverse)) {
        if (*out_len < in_len)
            return AGW_ERR_NO_SPACE;
        observe(&j);
        memcpy(out, in, in_len);
        *out_len = in_len;
        return AGW_OK;
    }
    agw_rtcp_writer_init(&j.w, out, *out_len);
    j.sender = first_sender(map, j.begin);
    err = translate(&j);
    *out_len = j.w.len;
    return err;
}

agw_err agw_rtcp_key_frame_request(const agw_rtcp_map *map, uint8_t *out, size_t *out_len)
{
    agw_rtcp_info info;
    job j = {.map = map, .info = &info};
    if (!map->reverse->started)
        return AGW_ERR_STATE;
    agw_rtcp_writer_init(&j.w, out, *out_len);
    j.sender = egress_sender(map, map->forward->ssrc);
    agw_err err = AGW_OK;
    if (!map->reduced_size)
        err = agw_rtcp_write_rr(&j.w, j.sender, NULL, 0);
    if (err == AGW_OK && !map->reduced_size && map->cname != NULL)
        err = agw_rtcp_write_cname(&j.w, j.sender, map->cname, strlen(map->cname));
    if (err == AGW_OK)
        err = write_key_frame(&j);
    *out_len = j.w.len;
    return err;
}
