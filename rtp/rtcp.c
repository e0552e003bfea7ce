/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP: walk and writers. */
#include "rtp/rtcp.h"

#include "base/wire.h"

#include <string.h>

enum {
    HEADER = 4,
    SENDER_LEN = 24, /* SSRC and sender information of an SR */
    SDES_CNAME = 1,
    P_BIT = 0x20,
};

/* Walks the items of one chunk, whose SSRC is at `at`. Returns where the next chunk begins, 0 when
 * the chunk is not complete. RFC 3550 section 6.5: a zero byte ends it, then it is padded to 4. */
static size_t sdes_chunk(const uint8_t *body, size_t len, size_t at, agw_rtcp_sdes_chunk *out)
{
    if (at + 4 > len)
        return 0;
    *out = (agw_rtcp_sdes_chunk){.ssrc = agw_get32(body + at)};
    at += 4;
    while (at < len && body[at] != 0) {
        if (at + 2 > len || at + 2 + body[at + 1] > len)
            return 0;
        if (body[at] == SDES_CNAME && out->cname == NULL) {
            out->cname = body + at + 2;
            out->cname_len = body[at + 1];
        }
        at += 2u + body[at + 1];
    }
    at = (at + 4) & ~(size_t)3; /* behind the zero byte; past len when there was none */
    return at <= len ? at : 0;
}

bool agw_rtcp_sdes_next(const agw_rtcp_packet *sdes, size_t *at, agw_rtcp_sdes_chunk *out)
{
    const size_t next = sdes->count > 0 ? sdes_chunk(sdes->body, sdes->body_len, *at, out) : 0;
    if (next == 0)
        return false;
    *at = next;
    return true;
}

static bool body_complete(const agw_rtcp_packet *p)
{
    switch (p->type) {
    case AGW_RTCP_SR:
        return p->body_len >= SENDER_LEN + (size_t)p->count * AGW_RTCP_REPORT_LEN;
    case AGW_RTCP_RR:
        return p->body_len >= 4 + (size_t)p->count * AGW_RTCP_REPORT_LEN;
    case AGW_RTCP_BYE:
        return p->body_len >= (size_t)p->count * 4;
    case AGW_RTCP_APP:
    case AGW_RTCP_RTPFB:
    case AGW_RTCP_PSFB:
        return p->body_len >= 8;
    case AGW_RTCP_XR:
    case AGW_RTCP_FIR_RFC2032:
    case AGW_RTCP_NACK_RFC2032:
        return p->body_len >= 4;
    default:
        return true;
    }
}

/* One packet at the front of buf. */
static agw_err parse_packet(agw_rtcp_packet *out, const uint8_t *buf, size_t len)
{
    if (len < HEADER)
        return AGW_ERR_TRUNCATED;
    if (buf[0] >> 6 != 2 || buf[1] < 192 || buf[1] > 223)
        return AGW_ERR_MALFORMED;
    const size_t whole_len = HEADER + 4u * agw_get16(buf + 2);
    if (whole_len > len)
        return AGW_ERR_TRUNCATED;
    *out = (agw_rtcp_packet){
        .type = buf[1],
        .count = buf[0] & 0x1f,
        .body = buf + HEADER,
        .body_len = whole_len - HEADER,
        .whole = buf,
        .whole_len = whole_len,
    };
    if (buf[0] & P_BIT) {
        /* RFC 3550 section 6.4.1: padding is in the last packet only and a multiple of four */
        const size_t padding = out->body_len > 0 ? buf[whole_len - 1] : 0;
        if (whole_len != len || padding == 0 || padding % 4 != 0 || padding > out->body_len)
            return AGW_ERR_MALFORMED;
        out->body_len -= padding;
    }
    return body_complete(out) ? AGW_OK : AGW_ERR_MALFORMED;
}

agw_err agw_rtcp_begin(agw_rtcp_iter *it, const uint8_t *buf, size_t len)
{
    agw_rtcp_packet p;
    size_t at = 0;
    do {
        const agw_err err = parse_packet(&p, buf + at, len - at);
        if (err != AGW_OK)
            return err;
        at += p.whole_len;
    } while (at < len);
    *it = (agw_rtcp_iter){.buf = buf, .at = 0, .len = len};
    return AGW_OK;
}

bool agw_rtcp_next(agw_rtcp_iter *it, agw_rtcp_packet *out)
{
    if (it->at >= it->len)
        return false;
    const agw_err err = parse_packet(out, it->buf + it->at, it->len - it->at);
    AGW_ASSERT(err == AGW_OK); /* agw_rtcp_begin() has seen every packet */
    it->at += out->whole_len;
    return true;
}

void agw_rtcp_report_parse(agw_rtcp_report *out, const uint8_t *p)
{
    const uint32_t lost = agw_get24(p + 5);
    *out = (agw_rtcp_report){
        .ssrc = agw_get32(p),
        .fraction_lost = p[4],
        .lost = (lost & 0x800000) ? (int32_t)lost - 0x1000000 : (int32_t)lost,
        .ext_seq = agw_get32(p + 8),
        .jitter = agw_get32(p + 12),
        .lsr = agw_get32(p + 16),
        .dlsr = agw_get32(p + 20),
    };
}

void agw_rtcp_sender_parse(agw_rtcp_sender *out, const uint8_t *body)
{
    *out = (agw_rtcp_sender){
        .ssrc = agw_get32(body),
        .ntp = agw_get64(body + 4),
        .rtp_timestamp = agw_get32(body + 12),
        .packets = agw_get32(body + 16),
        .octets = agw_get32(body + 20),
    };
}

uint64_t agw_rtcp_ntp(int64_t wall_us)
{
    const uint64_t us = (uint64_t)wall_us;
    const uint64_t seconds = us / 1000000 + 2208988800u; /* 1900 to 1970 */
    return seconds << 32 | ((us % 1000000) << 32) / 1000000;
}

/* Room for one packet with its header written; NULL when it does not fit. */
static uint8_t *begin(agw_rtcp_writer *w, uint8_t type, size_t count, size_t body_len)
{
    const size_t len = HEADER + body_len;
    if (w->room - w->len < len)
        return NULL;
    uint8_t *p = w->buf + w->len;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = type;
    agw_put16(p + 2, (uint16_t)(body_len / 4));
    w->len += len;
    return p + HEADER;
}

static void put_reports(uint8_t *p, const agw_rtcp_report *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++, p += AGW_RTCP_REPORT_LEN) {
        const agw_rtcp_report *b = &blocks[i];
        agw_put32(p, b->ssrc);
        p[4] = b->fraction_lost;
        agw_put24(p + 5, (uint32_t)b->lost & 0xffffff);
        agw_put32(p + 8, b->ext_seq);
        agw_put32(p + 12, b->jitter);
        agw_put32(p + 16, b->lsr);
        agw_put32(p + 20, b->dlsr);
    }
}

agw_err agw_rtcp_write_sr(agw_rtcp_writer *w, const agw_rtcp_sender *sender,
                          const agw_rtcp_report *blocks, size_t n)
{
    AGW_ASSERT(n <= AGW_RTCP_REPORT_MAX);
    uint8_t *p = begin(w, AGW_RTCP_SR, n, SENDER_LEN + n * AGW_RTCP_REPORT_LEN);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put32(p, sender->ssrc);
    agw_put64(p + 4, sender->ntp);
    agw_put32(p + 12, sender->rtp_timestamp);
    agw_put32(p + 16, sender->packets);
    agw_put32(p + 20, sender->octets);
    put_reports(p + SENDER_LEN, blocks, n);
    return AGW_OK;
}

agw_err agw_rtcp_write_rr(agw_rtcp_writer *w, uint32_t ssrc, const agw_rtcp_report *blocks,
                          size_t n)
{
    AGW_ASSERT(n <= AGW_RTCP_REPORT_MAX);
    uint8_t *p = begin(w, AGW_RTCP_RR, n, 4 + n * AGW_RTCP_REPORT_LEN);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put32(p, ssrc);
    put_reports(p + 4, blocks, n);
    return AGW_OK;
}

agw_err agw_rtcp_write_cname(agw_rtcp_writer *w, uint32_t ssrc, const char *cname, size_t cname_len)
{
    const size_t n = cname_len < AGW_RTCP_CNAME_MAX ? cname_len : AGW_RTCP_CNAME_MAX;
    const size_t items = (4 + 2 + n + 1 + 3) & ~(size_t)3; /* at least one zero byte ends them */
    uint8_t *p = begin(w, AGW_RTCP_SDES, 1, items);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    memset(p, 0, items);
    agw_put32(p, ssrc);
    p[4] = SDES_CNAME;
    p[5] = (uint8_t)n;
    memcpy(p + 6, cname, n);
    return AGW_OK;
}

agw_err agw_rtcp_write_bye(agw_rtcp_writer *w, uint32_t ssrc)
{
    uint8_t *p = begin(w, AGW_RTCP_BYE, 1, 4);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put32(p, ssrc);
    return AGW_OK;
}

agw_err agw_rtcp_write_fb(agw_rtcp_writer *w, uint8_t type, uint8_t fmt, uint32_t sender,
                          uint32_t media, const uint8_t *fci, size_t fci_len)
{
    AGW_ASSERT(fci_len % 4 == 0 && fmt < 32);
    uint8_t *p = begin(w, type, fmt, 8 + fci_len);
    if (p == NULL)
        return AGW_ERR_NO_SPACE;
    agw_put32(p, sender);
    agw_put32(p + 4, media);
    if (fci_len > 0)
        memcpy(p + 8, fci, fci_len);
    return AGW_OK;
}

agw_err agw_rtcp_write_pli(agw_rtcp_writer *w, uint32_t sender, uint32_t media)
{
    return agw_rtcp_write_fb(w, AGW_RTCP_PSFB, AGW_PSFB_PLI, sender, media, NULL, 0);
}

agw_err agw_rtcp_write_fir(agw_rtcp_writer *w, uint32_t sender, uint32_t media, uint8_t seq_nr)
{
    /* RFC 5104 section 4.3.1.2: the media source of the header is 0, the target is in the FCI. */
    uint8_t fci[8] = {0};
    agw_put32(fci, media);
    fci[4] = seq_nr;
    return agw_rtcp_write_fb(w, AGW_RTCP_PSFB, AGW_PSFB_FIR, sender, 0, fci, sizeof fci);
}

agw_err agw_rtcp_write_nack(agw_rtcp_writer *w, uint32_t sender, uint32_t media,
                            const uint16_t *seqs, size_t n)
{
    AGW_ASSERT(n > 0 && n <= AGW_RTCP_NACK_SEQ_MAX);
    uint8_t fci[4 * AGW_RTCP_NACK_SEQ_MAX];
    size_t len = 0;
    for (size_t i = 0; i < n;) {
        const uint16_t pid = seqs[i++];
        uint16_t mask = 0; /* RFC 4585 section 6.2.1: bit k is pid + k + 1 */
        for (; i < n && (uint16_t)(seqs[i] - pid - 1) < 16; i++)
            mask |= (uint16_t)(1u << (uint16_t)(seqs[i] - pid - 1));
        agw_put16(fci + len, pid);
        agw_put16(fci + len + 2, mask);
        len += 4;
    }
    return agw_rtcp_write_fb(w, AGW_RTCP_RTPFB, AGW_RTPFB_NACK, sender, media, fci, len);
}
