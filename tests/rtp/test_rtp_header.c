/* SPDX-License-Identifier: BSD-3-Clause
 * RTP headers and header extensions. */
#include "base/wire.h"
#include "rtp/header.h"
#include "unit.h"

#include <string.h>

/* Parses in memory of exactly len bytes, so that AddressSanitizer sees one byte too many. */
static agw_err parse(agw_rtp_header *h, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, len);
    const agw_err err = agw_rtp_parse(h, copy, len);
    free(copy);
    return err;
}

/* An audio packet as Chromium sends it: PT 111, one-byte form: 1 = audio level, 4 = MID "0". */
static const uint8_t chromium[] = {0x90, 0x6f, 0x12, 0x34, 0x00, 0x00, 0x03, 0xc0,
                                   0xca, 0xfe, 0xba, 0xbe, 0xbe, 0xde, 0x00, 0x01,
                                   0x10, 0xaa, 0x40, 0x30, 0xf8, 0xff, 0xfe};

static void test_rtp_header_rfc3550_5_1_fields(void)
{
    agw_rtp_header h;
    CU_ASSERT_EQUAL_FATAL(parse(&h, chromium, sizeof chromium), AGW_OK);
    CU_ASSERT_EQUAL(h.pt, 111);
    CU_ASSERT_FALSE(h.marker);
    CU_ASSERT_EQUAL(h.seq, 0x1234);
    CU_ASSERT_EQUAL(h.timestamp, 960);
    CU_ASSERT_EQUAL(h.ssrc, 0xcafebabe);
    CU_ASSERT_EQUAL(h.csrc_count, 0);
    CU_ASSERT_TRUE(h.has_ext);
    CU_ASSERT_EQUAL(h.ext_profile, 0xbede);
    CU_ASSERT_EQUAL(h.ext_at, 16);
    CU_ASSERT_EQUAL(h.ext_len, 4);
    CU_ASSERT_EQUAL(h.header_len, 20);
    CU_ASSERT_EQUAL(h.payload_len, 3);
    CU_ASSERT_EQUAL(h.padding_len, 0);
}

static void test_rtp_header_rfc3550_5_1_fixed_header_needs_twelve_bytes(void)
{
    const uint8_t pkt[12] = {0x80, 0x80};
    agw_rtp_header h;
    for (size_t n = 0; n < 12; n++)
        CU_ASSERT_EQUAL(parse(&h, pkt, n), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse(&h, pkt, 12), AGW_OK);
    CU_ASSERT_TRUE(h.marker);
    CU_ASSERT_EQUAL(h.pt, 0);
    CU_ASSERT_EQUAL(h.payload_len, 0);
}

static void test_rtp_header_rfc3550_5_1_only_version_two(void)
{
    agw_rtp_header h;
    for (unsigned version = 0; version < 4; version++) {
        const uint8_t pkt[12] = {(uint8_t)(version << 6)};
        CU_ASSERT_EQUAL(parse(&h, pkt, 12), version == 2 ? AGW_OK : AGW_ERR_MALFORMED);
    }
}

static void test_rtp_header_rfc3550_5_1_csrcs_must_fit(void)
{
    uint8_t pkt[12 + 60] = {0x8f};
    agw_rtp_header h;
    CU_ASSERT_EQUAL(parse(&h, pkt, 71), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse(&h, pkt, 72), AGW_OK);
    CU_ASSERT_EQUAL(h.csrc_count, 15);
    CU_ASSERT_EQUAL(h.header_len, 72);
}

static void test_rtp_header_rfc3550_5_3_1_extension_must_fit(void)
{
    uint8_t pkt[24] = {0x90};
    agw_rtp_header h;
    pkt[15] = 2; /* words */
    CU_ASSERT_EQUAL(parse(&h, pkt, 15), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse(&h, pkt, 16), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse(&h, pkt, 23), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(parse(&h, pkt, 24), AGW_OK);
    CU_ASSERT_EQUAL(h.ext_len, 8);
    pkt[14] = pkt[15] = 0xff;
    CU_ASSERT_EQUAL(parse(&h, pkt, 24), AGW_ERR_TRUNCATED);
}

static void test_rtp_header_rfc3550_5_1_padding_count(void)
{
    uint8_t pkt[20] = {0xa0};
    agw_rtp_header h;
    CU_ASSERT_EQUAL(parse(&h, pkt, 12), AGW_ERR_MALFORMED); /* no byte to count with */
    CU_ASSERT_EQUAL(parse(&h, pkt, 20), AGW_ERR_MALFORMED); /* zero */
    pkt[19] = 9;
    CU_ASSERT_EQUAL(parse(&h, pkt, 20), AGW_ERR_MALFORMED); /* reaches into the header */
    pkt[19] = 8;
    CU_ASSERT_EQUAL(parse(&h, pkt, 20), AGW_OK);
    CU_ASSERT_EQUAL(h.payload_len, 0);
    CU_ASSERT_EQUAL(h.padding_len, 8);
    pkt[19] = 1;
    CU_ASSERT_EQUAL(parse(&h, pkt, 20), AGW_OK);
    CU_ASSERT_EQUAL(h.payload_len, 7);
}

static void test_rtp_header_protected_packet_keeps_its_hidden_padding(void)
{
    const uint8_t pkt[20] = {0xa0};
    agw_rtp_header h;
    CU_ASSERT_EQUAL(agw_rtp_parse_protected(&h, pkt, 20), AGW_OK);
    CU_ASSERT_EQUAL(h.payload_len, 8);
    CU_ASSERT_EQUAL(h.padding_len, 0);
}

static void test_rtp_header_rfc5761_4_rtcp_is_192_to_223(void)
{
    uint8_t pkt[2] = {0x80, 0};
    for (unsigned pt = 0; pt < 256; pt++) {
        pkt[1] = (uint8_t)pt;
        CU_ASSERT_EQUAL(agw_rtp_is_rtcp(pkt, 2), pt >= 192 && pt <= 223);
    }
    pkt[1] = 200;
    CU_ASSERT_FALSE(agw_rtp_is_rtcp(pkt, 1));
}

static void test_rtp_header_set_pt_keeps_the_marker(void)
{
    uint8_t pkt[12] = {0x80, 0xef};
    agw_rtp_set_pt(pkt, 8);
    CU_ASSERT_EQUAL(pkt[1], 0x88);
    pkt[1] = 111;
    agw_rtp_set_pt(pkt, 0xff);
    CU_ASSERT_EQUAL(pkt[1], 0x7f);
}

/* A packet with this extension body and a payload of "voice". */
static size_t with_ext(uint8_t *out, uint16_t profile, const uint8_t *body, size_t body_len)
{
    memset(out, 0, 12);
    out[0] = 0x90;
    agw_put16(out + 12, profile);
    agw_put16(out + 14, (uint16_t)(body_len / 4));
    memcpy(out + 16, body, body_len);
    memcpy(out + 16 + body_len, "voice", 5);
    return 16 + body_len + 5;
}

/* "id:length,..." of what the walk finds. */
static const char *walk(uint16_t profile, const uint8_t *body, size_t body_len)
{
    static char text[256];
    uint8_t pkt[512];
    const size_t len = with_ext(pkt, profile, body, body_len);
    agw_rtp_header h;
    agw_rtp_ext_iter it;
    agw_rtp_ext ext;
    size_t at = 0;
    text[0] = '\0';
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, pkt, len), AGW_OK);
    agw_rtp_ext_begin(&it, pkt, &h);
    while (agw_rtp_ext_next(&it, &ext))
        at += (size_t)snprintf(text + at, sizeof text - at, "%u:%zu,", ext.id, ext.len);
    return text;
}

static void test_rtp_ext_rfc8285_4_2_one_byte_walk(void)
{
    const uint8_t body[12] = {0x10, 1, 0, 0x2f, 1, 1, 1, 1, 0xe0, 7, 0, 0}; /* 2: 16 bytes, cut */
    CU_ASSERT_STRING_EQUAL(walk(0xbede, body, 12), "1:1,");
    const uint8_t good[12] = {0x10, 1, 0, 0x22, 1, 1, 1, 0, 0xe0, 7, 0, 0};
    CU_ASSERT_STRING_EQUAL(walk(0xbede, good, 12), "1:1,2:3,14:1,");
    CU_ASSERT_STRING_EQUAL(walk(0xbede, good, 0), "");
}

static void test_rtp_ext_rfc8285_4_2_id_15_and_padding_with_length_end_the_walk(void)
{
    const uint8_t fifteen[8] = {0x10, 1, 0xf0, 1, 0x20, 1, 0, 0};
    CU_ASSERT_STRING_EQUAL(walk(0xbede, fifteen, 8), "1:1,");
    const uint8_t zero[8] = {0x10, 1, 0x01, 1, 0x20, 1, 0, 0};
    CU_ASSERT_STRING_EQUAL(walk(0xbede, zero, 8), "1:1,");
}

static void test_rtp_ext_rfc8285_4_3_two_byte_walk(void)
{
    const uint8_t body[12] = {1, 0, 0, 200, 3, 9, 9, 9, 15, 1, 7, 0};
    CU_ASSERT_STRING_EQUAL(walk(0x1000, body, 12), "1:0,200:3,15:1,");
    CU_ASSERT_STRING_EQUAL(walk(0x100f, body, 12), "1:0,200:3,15:1,"); /* appbits */
    CU_ASSERT_STRING_EQUAL(walk(0x1010, body, 12), "");                /* another profile */
    const uint8_t cut[4] = {1, 1, 0xff, 2};                            /* no length byte */
    CU_ASSERT_STRING_EQUAL(walk(0x1000, cut, 4), "1:1,");
    const uint8_t beyond[4] = {1, 3, 0, 0};
    CU_ASSERT_STRING_EQUAL(walk(0x1000, beyond, 4), "");
    const uint8_t exact[4] = {1, 2, 0, 0};
    CU_ASSERT_STRING_EQUAL(walk(0x1000, exact, 4), "1:2,");
}

/* The payload begins with 0, which must not be taken for the length of element 2. */
static void test_rtp_ext_rfc8285_4_3_length_byte_is_inside_the_body(void)
{
    const uint8_t pkt[] = {0x90, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 1, 1, 0xff, 2, 0};
    agw_rtp_header h;
    size_t len = 0;
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, pkt, sizeof pkt), AGW_OK);
    CU_ASSERT_PTR_NOT_NULL(agw_rtp_ext_get(pkt, &h, 1, &len));
    CU_ASSERT_PTR_NULL(agw_rtp_ext_get(pkt, &h, 2, &len));
}

static void test_rtp_ext_get_finds_the_mid(void)
{
    agw_rtp_header h;
    size_t len = 0;
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, chromium, sizeof chromium), AGW_OK);
    const uint8_t *mid = agw_rtp_ext_get(chromium, &h, 4, &len);
    CU_ASSERT_PTR_EQUAL(mid, chromium + 19);
    CU_ASSERT_EQUAL(len, 1);
    CU_ASSERT_PTR_NULL(agw_rtp_ext_get(chromium, &h, 3, &len));
    const uint8_t plain[12] = {0x80};
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, plain, 12), AGW_OK);
    CU_ASSERT_PTR_NULL(agw_rtp_ext_get(plain, &h, 4, &len));
}

/* Rewrites, parses the result, and compares extension body and payload. */
static void rewritten(uint16_t profile, const uint8_t *in, size_t in_len, const uint8_t *map,
                      const uint8_t *want, size_t want_len)
{
    uint8_t pkt[512];
    size_t len = with_ext(pkt, profile, in, in_len);
    agw_rtp_header h;
    CU_ASSERT_EQUAL(agw_rtp_ext_rewrite(pkt, &len, map), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, pkt, len), AGW_OK);
    CU_ASSERT_EQUAL(h.has_ext, want_len > 0);
    CU_ASSERT_EQUAL_FATAL(h.ext_len, want_len);
    if (want_len > 0) {
        CU_ASSERT_EQUAL(h.ext_profile, profile);
        CU_ASSERT_EQUAL(memcmp(pkt + h.ext_at, want, want_len), 0);
    }
    CU_ASSERT_EQUAL_FATAL(h.payload_len, 5);
    CU_ASSERT_EQUAL(memcmp(pkt + h.header_len, "voice", 5), 0);
}

static void test_rtp_ext_rewrite_renumbers_and_removes(void)
{
    const uint8_t map[256] = {[1] = 3, [4] = 14};
    const uint8_t in[8] = {0x10, 0xaa, 0x21, 1, 2, 0x40, '0', 0};
    const uint8_t want[4] = {0x30, 0xaa, 0xe0, '0'};
    rewritten(0xbede, in, 8, map, want, 4);
}

static void test_rtp_ext_rewrite_removes_an_empty_extension(void)
{
    const uint8_t map[256] = {0};
    const uint8_t in[8] = {0x10, 0xaa, 0x21, 1, 2, 0x40, '0', 0};
    rewritten(0xbede, in, 8, map, NULL, 0);
    rewritten(0xbede, in, 0, map, NULL, 0);
    const uint8_t all[256] = {[1] = 1, [0x10] = 1};
    rewritten(0x4242, in, 8, all, NULL, 0); /* nobody can have negotiated that one */
}

static void test_rtp_ext_rewrite_rebuilds_padding(void)
{
    const uint8_t map[256] = {[1] = 1, [2] = 2};
    const uint8_t in[12] = {0, 0, 0, 0x10, 5, 0, 0, 0x20, 6, 0, 0, 0};
    const uint8_t want[4] = {0x10, 5, 0x20, 6};
    rewritten(0xbede, in, 12, map, want, 4);
    const uint8_t odd[4] = {0x11, 5, 6, 0};
    rewritten(0xbede, odd, 4, map, odd, 4);
}

static void test_rtp_ext_rewrite_keeps_the_form(void)
{
    uint8_t map[256] = {[1] = 14, [2] = 15};
    const uint8_t one[4] = {0x10, 5, 0x20, 6}; /* 15 has no place in one-byte form */
    const uint8_t want_one[4] = {0xe0, 5, 0, 0};
    rewritten(0xbede, one, 4, map, want_one, 4);
    const uint8_t two[8] = {1, 0, 2, 3, 7, 8, 9, 0};
    const uint8_t want_two[8] = {14, 0, 15, 3, 7, 8, 9, 0};
    rewritten(0x1000, two, 8, map, want_two, 8);
}

static void test_rtp_ext_rewrite_leaves_others_alone(void)
{
    const uint8_t map[256] = {0};
    uint8_t pkt[16] = {0x80, 8, 0, 1};
    size_t len = 16;
    CU_ASSERT_EQUAL(agw_rtp_ext_rewrite(pkt, &len, map), AGW_OK);
    CU_ASSERT_EQUAL(len, 16);
    len = 11;
    CU_ASSERT_EQUAL(agw_rtp_ext_rewrite(pkt, &len, map), AGW_ERR_TRUNCATED);
    pkt[0] = 0x40;
    len = 16;
    CU_ASSERT_EQUAL(agw_rtp_ext_rewrite(pkt, &len, map), AGW_ERR_MALFORMED);
}

/* A packet inside a buffer with headroom in front. */
enum { HEADROOM = 32 };
typedef struct roomy {
    uint8_t buf[HEADROOM + 512];
    uint8_t *rtp;
    size_t len;
} roomy;

static void roomy_init(roomy *r, const uint8_t *pkt, size_t len)
{
    memset(r->buf, 0xee, sizeof r->buf);
    r->rtp = r->buf + HEADROOM;
    r->len = len;
    memcpy(r->rtp, pkt, len);
}

static void added(roomy *r, uint8_t id, const char *value, uint16_t profile, const uint8_t *want,
                  size_t want_len)
{
    agw_rtp_header h;
    size_t n = 0;
    const size_t value_len = strlen(value);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_ext_add(&r->rtp, &r->len, (size_t)(r->rtp - r->buf), id,
                                          (const uint8_t *)value, value_len),
                          AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&h, r->rtp, r->len), AGW_OK);
    CU_ASSERT_EQUAL(h.ext_profile, profile);
    CU_ASSERT_EQUAL_FATAL(h.ext_len, want_len);
    CU_ASSERT_EQUAL(memcmp(r->rtp + h.ext_at, want, want_len), 0);
    const uint8_t *got = agw_rtp_ext_get(r->rtp, &h, id, &n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_EQUAL(n, value_len);
    CU_ASSERT_EQUAL(memcmp(got, value, value_len), 0);
    CU_ASSERT_EQUAL_FATAL(h.payload_len, 5);
    CU_ASSERT_EQUAL(memcmp(r->rtp + h.header_len, "voice", 5), 0);
}

static void test_rtp_ext_add_without_extension(void)
{
    const uint8_t pkt[] = {0x81, 0x88, 0x12, 0x34, 0, 0,   0,   1,   0,   0,  0,
                           2,    9,    9,    9,    9, 'v', 'o', 'i', 'c', 'e'};
    roomy r;
    roomy_init(&r, pkt, sizeof pkt);
    const uint8_t want[4] = {0x30, 'a', 0, 0};
    added(&r, 3, "a", 0xbede, want, 4);
    CU_ASSERT_PTR_EQUAL(r.rtp, r.buf + HEADROOM - 8);
    CU_ASSERT_EQUAL(r.len, sizeof pkt + 8);
    CU_ASSERT_EQUAL(r.rtp[0], 0x91);
    CU_ASSERT_EQUAL(memcmp(r.rtp + 1, pkt + 1, 15), 0); /* all but the X bit, CSRC included */
}

static void test_rtp_ext_add_beside_others(void)
{
    uint8_t pkt[64];
    const uint8_t body[4] = {0x10, 0xaa, 0, 0};
    roomy r;
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 4));
    const uint8_t want[4] = {0x10, 0xaa, 0x40, '0'}; /* fits into the padding */
    added(&r, 4, "0", 0xbede, want, 4);
    CU_ASSERT_PTR_EQUAL(r.rtp, r.buf + HEADROOM);
    const uint8_t more[12] = {0x10, 0xaa, 0x40, '0', 0x54, 'v', 'i', 'd', 'e', 'o', 0, 0};
    added(&r, 5, "video", 0xbede, more, 12);
}

static void test_rtp_ext_add_replaces_the_same_id(void)
{
    uint8_t pkt[64];
    const uint8_t body[8] = {0x43, 'o', 'l', 'd', '!', 0x10, 0xaa, 0};
    roomy r;
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 8));
    const uint8_t want[4] = {0x10, 0xaa, 0x40, '1'};
    added(&r, 4, "1", 0xbede, want, 4);
    CU_ASSERT_PTR_EQUAL(r.rtp, r.buf + HEADROOM + 4); /* shorter: up */
}

static void test_rtp_ext_add_rfc8285_4_3_two_byte_form_when_needed(void)
{
    uint8_t pkt[64];
    const uint8_t body[4] = {0x10, 0xaa, 0, 0};
    roomy r;
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 4));
    const uint8_t want[8] = {1, 1, 0xaa, 15, 1, 'x', 0, 0};
    added(&r, 15, "x", 0x1000, want, 8);
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 4));
    const uint8_t long_one[24] = "\1\1\xaa\2\21seventeen bytes..";
    added(&r, 2, "seventeen bytes..", 0x1000, long_one, 24);
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 4));
    const uint8_t sixteen[20] = "\x10\xaa\x2fsixteen bytes...";
    added(&r, 2, "sixteen bytes...", 0xbede, sixteen, 20);
    roomy_init(&r, pkt, with_ext(pkt, 0xbede, body, 4));
    const uint8_t empty[8] = {1, 1, 0xaa, 2, 0, 0, 0, 0};
    added(&r, 2, "", 0x1000, empty, 8);
    const uint8_t two[4] = {1, 1, 0xaa, 0};
    roomy_init(&r, pkt, with_ext(pkt, 0x1005, two, 4)); /* stays what it is */
    const uint8_t both[8] = {1, 1, 0xaa, 3, 1, 'y', 0, 0};
    added(&r, 3, "y", 0x1005, both, 8);
}

static void test_rtp_ext_add_needs_its_headroom(void)
{
    const uint8_t pkt[17] = {0x80};
    roomy r;
    roomy_init(&r, pkt, sizeof pkt);
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, 7, 1, (const uint8_t *)"0", 1),
                    AGW_ERR_NO_SPACE);
    CU_ASSERT_EQUAL(r.len, 17);
    CU_ASSERT_PTR_EQUAL(r.rtp, r.buf + HEADROOM);
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, 8, 1, (const uint8_t *)"0", 1), AGW_OK);
    CU_ASSERT_EQUAL(r.buf[HEADROOM - 9], 0xee);
}

static void test_rtp_ext_add_refuses_what_it_cannot_extend(void)
{
    uint8_t pkt[512];
    uint8_t body[256] = {0};
    roomy r;
    roomy_init(&r, pkt, with_ext(pkt, 0x4242, body, 4));
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, HEADROOM, 1, body, 1), AGW_ERR_UNSUPPORTED);
    body[0] = 7;
    body[1] = 250;
    roomy_init(&r, pkt, with_ext(pkt, 0x1000, body, 256));
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, HEADROOM, 1, body, 3), AGW_ERR_NO_SPACE);
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, HEADROOM, 1, body, 2), AGW_OK);
    r.len = 11;
    CU_ASSERT_EQUAL(agw_rtp_ext_add(&r.rtp, &r.len, HEADROOM, 1, body, 1), AGW_ERR_TRUNCATED);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_header_rfc3550_5_1_fields),
    AGW_CASE(test_rtp_header_rfc3550_5_1_fixed_header_needs_twelve_bytes),
    AGW_CASE(test_rtp_header_rfc3550_5_1_only_version_two),
    AGW_CASE(test_rtp_header_rfc3550_5_1_csrcs_must_fit),
    AGW_CASE(test_rtp_header_rfc3550_5_3_1_extension_must_fit),
    AGW_CASE(test_rtp_header_rfc3550_5_1_padding_count),
    AGW_CASE(test_rtp_header_protected_packet_keeps_its_hidden_padding),
    AGW_CASE(test_rtp_header_rfc5761_4_rtcp_is_192_to_223),
    AGW_CASE(test_rtp_header_set_pt_keeps_the_marker),
    AGW_CASE(test_rtp_ext_rfc8285_4_2_one_byte_walk),
    AGW_CASE(test_rtp_ext_rfc8285_4_2_id_15_and_padding_with_length_end_the_walk),
    AGW_CASE(test_rtp_ext_rfc8285_4_3_two_byte_walk),
    AGW_CASE(test_rtp_ext_rfc8285_4_3_length_byte_is_inside_the_body),
    AGW_CASE(test_rtp_ext_get_finds_the_mid),
    AGW_CASE(test_rtp_ext_rewrite_renumbers_and_removes),
    AGW_CASE(test_rtp_ext_rewrite_removes_an_empty_extension),
    AGW_CASE(test_rtp_ext_rewrite_rebuilds_padding),
    AGW_CASE(test_rtp_ext_rewrite_keeps_the_form),
    AGW_CASE(test_rtp_ext_rewrite_leaves_others_alone),
    AGW_CASE(test_rtp_ext_add_without_extension),
    AGW_CASE(test_rtp_ext_add_beside_others),
    AGW_CASE(test_rtp_ext_add_replaces_the_same_id),
    AGW_CASE(test_rtp_ext_add_rfc8285_4_3_two_byte_form_when_needed),
    AGW_CASE(test_rtp_ext_add_needs_its_headroom),
    AGW_CASE(test_rtp_ext_add_refuses_what_it_cannot_extend),
};
AGW_UNIT_MAIN("rtp header", cases)
