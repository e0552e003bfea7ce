/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP packets (RFC 3550 section 6, RFC 4585, RFC 5104, RFC 5506): a validated walk over one
 * datagram, and writers. What is passed on between two legs is decided in rtp/feedback.h. */
#ifndef AGW_RTP_RTCP_H
#define AGW_RTP_RTCP_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_RTCP_FIR_RFC2032 = 192,  /* legacy full intra request */
    AGW_RTCP_NACK_RFC2032 = 193, /* legacy H.261 NACK */
    AGW_RTCP_SR = 200,
    AGW_RTCP_RR = 201,
    AGW_RTCP_SDES = 202,
    AGW_RTCP_BYE = 203,
    AGW_RTCP_APP = 204,
    AGW_RTCP_RTPFB = 205, /* RFC 4585 section 6.2 */
    AGW_RTCP_PSFB = 206,  /* RFC 4585 section 6.3 */
    AGW_RTCP_XR = 207,    /* RFC 3611 */
};

/** FMT of RTPFB and PSFB. */
enum {
    AGW_RTPFB_NACK = 1,
    AGW_RTPFB_TMMBR = 3, /* RFC 5104 */
    AGW_RTPFB_TMMBN = 4,
    AGW_RTPFB_TCC = 15, /* transport-wide congestion control */
    AGW_PSFB_PLI = 1,
    AGW_PSFB_FIR = 4, /* RFC 5104 */
    AGW_PSFB_AFB = 15 /* application layer feedback; REMB */
};

enum {
    AGW_RTCP_REPORT_LEN = 24,  /* one report block */
    AGW_RTCP_REPORT_MAX = 31,  /* blocks in one SR or RR */
    AGW_RTCP_CNAME_MAX = 255,  /* RFC 3550 section 6.5 */
    AGW_RTCP_NACK_SEQ_MAX = 64 /* sequence numbers one agw_rtcp_write_nack() takes */
};

/** One packet of a compound; pointers are borrowed from the datagram. */
typedef struct agw_rtcp_packet {
    uint8_t type;
    uint8_t count; /* RC, SC, subtype or FMT */
    const uint8_t
        *body;       /* behind the 4-byte header: begins with the sender SSRC, but in SDES, BYE */
    size_t body_len; /* without padding */
    const uint8_t *whole; /* with header and padding */
    size_t whole_len;
} agw_rtcp_packet;

typedef struct agw_rtcp_iter {
    const uint8_t *buf;
    size_t at, len;
} agw_rtcp_iter;

/** Checks a whole datagram, compound or reduced-size: version and length of every packet, the sum,
 * padding only in the last, and the shortest body that type and count allow (RFC 3550 section 6.1
 * and A.2, RFC 5506 section 3.4).
 *
 * @return AGW_OK; AGW_ERR_TRUNCATED when a packet runs past len; else AGW_ERR_MALFORMED. */
AGW_NODISCARD agw_err agw_rtcp_begin(agw_rtcp_iter *it, const uint8_t *buf, size_t len);

/** false: no more. Body lengths promised: SR 24 + 24 * count, RR 4 + 24 * count, BYE 4 * count,
 * APP, RTPFB and PSFB 8, XR and the RFC 2032 types 4. */
bool agw_rtcp_next(agw_rtcp_iter *it, agw_rtcp_packet *out);

/** A walk over the chunks of an SDES packet: the SSRC and its CNAME (NULL when it has none). */
typedef struct agw_rtcp_sdes_chunk {
    uint32_t ssrc;
    const uint8_t *cname; /* not NUL-terminated */
    size_t cname_len;
} agw_rtcp_sdes_chunk;
/** at: 0 to begin with; false: no more, or the next chunk is not complete. */
bool agw_rtcp_sdes_next(const agw_rtcp_packet *sdes, size_t *at, agw_rtcp_sdes_chunk *out);

/** A report block (RFC 3550 section 6.4.1). */
typedef struct agw_rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256 */
    int32_t lost;          /* cumulative, 24 bits with sign */
    uint32_t ext_seq;      /* extended highest sequence number */
    uint32_t jitter;       /* timestamp units */
    uint32_t lsr, dlsr;    /* dlsr in 1/65536 s */
} agw_rtcp_report;

/** The sender part of an SR. */
typedef struct agw_rtcp_sender {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_timestamp;
    uint32_t packets, octets;
} agw_rtcp_sender;

/** p: AGW_RTCP_REPORT_LEN bytes. */
void agw_rtcp_report_parse(agw_rtcp_report *out, const uint8_t *p);
/** body: of an SR. */
void agw_rtcp_sender_parse(agw_rtcp_sender *out, const uint8_t *body);

/** NTP timestamp of a wall time in microseconds since 1970; its middle 32 bits. */
uint64_t agw_rtcp_ntp(int64_t wall_us);
static inline uint32_t agw_rtcp_ntp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

/** Collects packets of one datagram in the caller's memory. */
typedef struct agw_rtcp_writer {
    uint8_t *buf;
    size_t room, len;
} agw_rtcp_writer;

static inline void agw_rtcp_writer_init(agw_rtcp_writer *w, uint8_t *buf, size_t room)
{
    w->buf = buf;
    w->room = room;
    w->len = 0;
}

/* Each appends one packet: AGW_OK, or AGW_ERR_NO_SPACE and nothing is written. */
AGW_NODISCARD agw_err agw_rtcp_write_sr(agw_rtcp_writer *w, const agw_rtcp_sender *sender,
                                        const agw_rtcp_report *blocks, size_t n);
AGW_NODISCARD agw_err agw_rtcp_write_rr(agw_rtcp_writer *w, uint32_t ssrc,
                                        const agw_rtcp_report *blocks, size_t n);
/** cname: cut at 255 bytes. */
AGW_NODISCARD agw_err agw_rtcp_write_cname(agw_rtcp_writer *w, uint32_t ssrc, const char *cname,
                                           size_t cname_len);
AGW_NODISCARD agw_err agw_rtcp_write_bye(agw_rtcp_writer *w, uint32_t ssrc);
AGW_NODISCARD agw_err agw_rtcp_write_pli(agw_rtcp_writer *w, uint32_t sender, uint32_t media);
/** RFC 5104 section 4.3.1; seq_nr counts new requests, a repetition keeps it. */
AGW_NODISCARD agw_err agw_rtcp_write_fir(agw_rtcp_writer *w, uint32_t sender, uint32_t media,
                                         uint8_t seq_nr);
/** Generic NACK of n sequence numbers in ascending order (modulo 2^16), at most
 * AGW_RTCP_NACK_SEQ_MAX. */
AGW_NODISCARD agw_err agw_rtcp_write_nack(agw_rtcp_writer *w, uint32_t sender, uint32_t media,
                                          const uint16_t *seqs, size_t n);
/** A feedback packet with ready FCI; fci_len is a multiple of 4. */
AGW_NODISCARD agw_err agw_rtcp_write_fb(agw_rtcp_writer *w, uint8_t type, uint8_t fmt,
                                        uint32_t sender, uint32_t media, const uint8_t *fci,
                                        size_t fci_len);

#endif
