/* SPDX-License-Identifier: BSD-3-Clause
 * The RTCP walk and the writers. */
#include "base/wire.h"
#include "rtp/rtcp.h"
#include "unit.h"

#include <string.h>

/* Begins a walk in memory of exactly len bytes and lists "type/count/body_len," in text. */
static agw_err walk(const uint8_t *data, size_t len, char *text, size_t size)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, len);
    agw_rtcp_iter it;
    agw_rtcp_packet p;
    size_t at = 0;
    const agw_err err = agw_rtcp_begin(&it, copy, len);
    text[0] = '\0';
    while (err == AGW_OK && agw_rtcp_next(&it, &p))
        at += (size_t)snprintf(text + at, size - at, "%u/%u/%zu,", p.type, p.count, p.body_len);
    free(copy);
    return err;
}

static agw_err check(const uint8_t *data, size_t len)
{
    char text[1024];
    return walk(data, len, text, sizeof text);
}

static void test_rtp_rtcp_rfc3550_6_1_compound_walk(void)
{
    uint8_t buf[256];
    char text[256];
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    const agw_rtcp_sender sr = {.ssrc = 1, .ntp = 0x0102030405060708u, .rtp_timestamp = 9};
    const agw_rtcp_report block = {.ssrc = 2};
    CU_ASSERT_EQUAL(agw_rtcp_write_sr(&w, &sr, &block, 1), AGW_OK);
    CU_ASSERT_EQUAL(agw_rtcp_write_cname(&w, 1, "a@b", 3), AGW_OK);
    CU_ASSERT_EQUAL(agw_rtcp_write_pli(&w, 1, 2), AGW_OK);
    CU_ASSERT_EQUAL(agw_rtcp_write_bye(&w, 1), AGW_OK);
    CU_ASSERT_EQUAL(walk(buf, w.len, text, sizeof text), AGW_OK);
    CU_ASSERT_STRING_EQUAL(text, "200/1/48,202/1/12,206/1/8,203/1/4,");
}

static void test_rtp_rtcp_rfc5506_3_4_reduced_size_walk(void)
{
    const uint8_t pli[12] = {0x81, 206, 0, 2};
    char text[64];
    CU_ASSERT_EQUAL(walk(pli, 12, text, sizeof text), AGW_OK);
    CU_ASSERT_STRING_EQUAL(text, "206/1/8,");
}

static void test_rtp_rtcp_rfc3550_a_2_lengths_must_add_up(void)
{
    uint8_t rr[16] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 201, 0, 1, 0, 0, 0, 2};
    for (size_t n = 0; n < 16; n++)
        CU_ASSERT_EQUAL(check(rr, n), n == 8 ? AGW_OK : AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(check(rr, 16), AGW_OK);
    rr[11] = 2;
    CU_ASSERT_EQUAL(check(rr, 16), AGW_ERR_TRUNCATED);
    rr[11] = 0; /* RR without SSRC */
    CU_ASSERT_EQUAL(check(rr, 16), AGW_ERR_MALFORMED);
}

static void test_rtp_rtcp_rfc3550_a_2_version_and_type_of_every_packet(void)
{
    uint8_t rr[16] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0x40, 201, 0, 1, 0, 0, 0, 2};
    CU_ASSERT_EQUAL(check(rr, 16), AGW_ERR_MALFORMED);
    rr[8] = 0x80;
    rr[9] = 191;
    CU_ASSERT_EQUAL(check(rr, 16), AGW_ERR_MALFORMED);
    rr[9] = 192;
    CU_ASSERT_EQUAL(check(rr, 16), AGW_OK);
    rr[9] = 223;
    CU_ASSERT_EQUAL(check(rr, 16), AGW_OK);
    rr[9] = 224;
    CU_ASSERT_EQUAL(check(rr, 16), AGW_ERR_MALFORMED);
}

static void test_rtp_rtcp_rfc3550_6_4_1_padding_only_in_the_last(void)
{
    uint8_t rr[24] = {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4};
    char text[64];
    CU_ASSERT_EQUAL(walk(rr, 12, text, sizeof text), AGW_OK);
    CU_ASSERT_STRING_EQUAL(text, "201/0/4,");
    const uint8_t bad[] = {0, 1, 2, 3, 5, 12, 255};
    for (size_t i = 0; i < sizeof bad; i++) {
        rr[11] = bad[i];
        CU_ASSERT_EQUAL(check(rr, 12), AGW_ERR_MALFORMED);
    }
    rr[11] = 8; /* eats the SSRC */
    CU_ASSERT_EQUAL(check(rr, 12), AGW_ERR_MALFORMED);
    rr[11] = 4;
    memcpy(rr + 12, rr, 12);
    CU_ASSERT_EQUAL(check(rr, 24), AGW_ERR_MALFORMED); /* the first is not the last */
    const uint8_t empty[4] = {0xa0, 203, 0, 0};
    CU_ASSERT_EQUAL(check(empty, 4), AGW_ERR_MALFORMED);
}

static void test_rtp_rtcp_rfc3550_6_4_body_is_as_long_as_the_count_says(void)
{
    static const struct {
        uint8_t type, count;
        uint8_t words; /* fewest body words */
    } types[] = {{200, 0, 6}, {200, 1, 12}, {200, 31, 192}, {201, 0, 1}, {201, 1, 7},
                 {203, 0, 0}, {203, 2, 2},  {204, 0, 2},    {205, 1, 2}, {206, 4, 2},
                 {207, 0, 1}, {192, 0, 1},  {193, 0, 1}};
    uint8_t buf[1024];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        memset(buf, 0, sizeof buf);
        buf[0] = (uint8_t)(0x80 | types[i].count);
        buf[1] = types[i].type;
        const size_t words = types[i].words;
        buf[3] = (uint8_t)words;
        CU_ASSERT_EQUAL(check(buf, 4 + 4 * words), AGW_OK);
        if (words == 0)
            continue;
        buf[3]--;
        CU_ASSERT_EQUAL(check(buf, 4 * words), AGW_ERR_MALFORMED);
    }
}

static bool sdes(const uint8_t *body, size_t body_len, uint8_t count, const char *want)
{
    char text[256] = "";
    size_t used = 0, at = 0;
    uint8_t *copy = malloc(body_len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, body, body_len);
    const agw_rtcp_packet p = {
        .type = AGW_RTCP_SDES, .count = count, .body = copy, .body_len = body_len};
    agw_rtcp_sdes_chunk c;
    while (agw_rtcp_sdes_next(&p, &at, &c))
        used += (size_t)snprintf(text + used, sizeof text - used, "%u=%.*s,", (unsigned)c.ssrc,
                                 (int)c.cname_len, c.cname ? (const char *)c.cname : "");
    free(copy);
    return strcmp(text, want) == 0;
}

static void test_rtp_rtcp_rfc3550_6_5_sdes_chunks(void)
{
    static const uint8_t two[] = {0, 0, 0, 5,   6, 2, 't', 'l', 1, 3, 'a', '@', 'b', 0, 0, 0,
                                  0, 0, 0, 255, 1, 1, 'x', 0,   0, 0, 0,   7,   0,   0, 0, 0};
    CU_ASSERT_TRUE(sdes(two, sizeof two, 3, "5=a@b,255=x,7=,"));
    CU_ASSERT_TRUE(sdes(two, 16, 1, "5=a@b,"));
    CU_ASSERT_TRUE(sdes(two, sizeof two, 0, ""));
    for (size_t n = 0; n < 16; n += 4)
        CU_ASSERT_TRUE(sdes(two, n, 1, "")); /* not complete */
    const uint8_t beyond[] = {0, 0, 0, 5, 1, 200, 'x', 0};
    CU_ASSERT_TRUE(sdes(beyond, sizeof beyond, 1, ""));
    const uint8_t open[] = {0, 0, 0, 5, 1, 2, 'x', 'y'}; /* no zero byte at the end */
    CU_ASSERT_TRUE(sdes(open, sizeof open, 1, ""));
}

static void test_rtp_rtcp_rfc3550_6_5_cname_is_padded_and_ended(void)
{
    for (size_t n = 0; n <= 260; n++) {
        uint8_t buf[300];
        char cname[261];
        agw_rtcp_writer w;
        memset(cname, 'c', n);
        agw_rtcp_writer_init(&w, buf, sizeof buf);
        CU_ASSERT_EQUAL(agw_rtcp_write_cname(&w, 9, cname, n), AGW_OK);
        agw_rtcp_iter it;
        agw_rtcp_packet p;
        agw_rtcp_sdes_chunk c = {0};
        size_t at = 0;
        CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, buf, w.len), AGW_OK);
        CU_ASSERT_TRUE_FATAL(agw_rtcp_next(&it, &p));
        CU_ASSERT_TRUE_FATAL(agw_rtcp_sdes_next(&p, &at, &c));
        CU_ASSERT_EQUAL(c.ssrc, 9);
        CU_ASSERT_EQUAL(c.cname_len, n < 255 ? n : 255);
        CU_ASSERT_FALSE(agw_rtcp_sdes_next(&p, &at, &c));
    }
}

static void test_rtp_rtcp_rfc3550_6_4_1_report_and_sender_round_trip(void)
{
    static const int32_t lost[] = {0, 1, -1, 0x7fffff, -0x800000};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        const agw_rtcp_sender sr = {1, 0x1122334455667788u, 3, 4, 5};
        const agw_rtcp_report in = {6, 7, lost[i], 8, 9, 10, 11};
        uint8_t buf[64];
        agw_rtcp_writer w;
        agw_rtcp_writer_init(&w, buf, 52);
        CU_ASSERT_EQUAL(agw_rtcp_write_sr(&w, &sr, &in, 1), AGW_OK);
        agw_rtcp_sender sr_out;
        agw_rtcp_report out;
        agw_rtcp_sender_parse(&sr_out, buf + 4);
        agw_rtcp_report_parse(&out, buf + 28);
        CU_ASSERT_EQUAL(sr_out.ssrc, 1);
        CU_ASSERT_EQUAL(sr_out.ntp, 0x1122334455667788u);
        CU_ASSERT_EQUAL(agw_rtcp_ntp_middle(sr_out.ntp), 0x33445566u);
        CU_ASSERT_EQUAL(sr_out.rtp_timestamp, 3);
        CU_ASSERT_EQUAL(sr_out.packets, 4);
        CU_ASSERT_EQUAL(sr_out.octets, 5);
        CU_ASSERT_EQUAL(out.ssrc, 6);
        CU_ASSERT_EQUAL(out.fraction_lost, 7);
        CU_ASSERT_EQUAL(out.lost, lost[i]);
        CU_ASSERT_EQUAL(out.ext_seq, 8);
        CU_ASSERT_EQUAL(out.jitter, 9);
        CU_ASSERT_EQUAL(out.lsr, 10);
        CU_ASSERT_EQUAL(out.dlsr, 11);
    }
}

static void test_rtp_rtcp_rfc3550_4_ntp_timestamp(void)
{
    CU_ASSERT_EQUAL(agw_rtcp_ntp(0), (uint64_t)2208988800u << 32);
    CU_ASSERT_EQUAL(agw_rtcp_ntp(1500000), (uint64_t)2208988801u << 32 | 0x80000000u);
}

static void test_rtp_rtcp_rfc5104_4_3_1_fir(void)
{
    const uint8_t want[20] = {0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 77, 0, 0, 0};
    uint8_t buf[20];
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, buf, 20);
    CU_ASSERT_EQUAL(agw_rtcp_write_fir(&w, 1, 2, 77), AGW_OK);
    CU_ASSERT_EQUAL(memcmp(buf, want, 20), 0);
}

static void test_rtp_rtcp_rfc4585_6_2_1_nack_packs_neighbours(void)
{
    static const uint16_t seqs[] = {65534, 65535, 0, 14, 15, 100};
    /* 65534 + 16 = 14 is the last of the first mask; 15 begins the next */
    const uint8_t want[24] = {0x81, 205,  0,    5,    0,    0,  0, 1, 0, 0,   0, 2,
                              0xff, 0xfe, 0x80, 0x03, 0x00, 15, 0, 0, 0, 100, 0, 0};
    uint8_t buf[64];
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_rtcp_write_nack(&w, 1, 2, seqs, 6), AGW_OK);
    CU_ASSERT_EQUAL(w.len, 24);
    CU_ASSERT_EQUAL(memcmp(buf, want, 24), 0);
}

static void test_rtp_rtcp_writers_leave_nothing_behind_without_room(void)
{
    uint8_t buf[64];
    const agw_rtcp_sender sr = {0};
    const uint16_t seq = 1;
    const agw_rtcp_report block = {0};
    static const size_t needs[] = {28, 32, 12, 8, 12, 20, 16};
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        for (size_t room = needs[i] - 1; room <= needs[i]; room++) {
            agw_rtcp_writer w;
            agw_rtcp_writer_init(&w, buf, room);
            memset(buf, 0xee, sizeof buf);
            const agw_err errs[] = {i == 0   ? agw_rtcp_write_sr(&w, &sr, NULL, 0)
                                    : i == 1 ? agw_rtcp_write_rr(&w, 1, &block, 1)
                                    : i == 2 ? agw_rtcp_write_cname(&w, 1, "", 0)
                                    : i == 3 ? agw_rtcp_write_bye(&w, 1)
                                    : i == 4 ? agw_rtcp_write_pli(&w, 1, 2)
                                    : i == 5 ? agw_rtcp_write_fir(&w, 1, 2, 3)
                                             : agw_rtcp_write_nack(&w, 1, 2, &seq, 1)};
            CU_ASSERT_EQUAL(errs[0], room == needs[i] ? AGW_OK : AGW_ERR_NO_SPACE);
            CU_ASSERT_EQUAL(w.len, room == needs[i] ? room : 0);
            CU_ASSERT_EQUAL(buf[room], 0xee);
        }
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_rtcp_rfc3550_6_1_compound_walk),
    AGW_CASE(test_rtp_rtcp_rfc5506_3_4_reduced_size_walk),
    AGW_CASE(test_rtp_rtcp_rfc3550_a_2_lengths_must_add_up),
    AGW_CASE(test_rtp_rtcp_rfc3550_a_2_version_and_type_of_every_packet),
    AGW_CASE(test_rtp_rtcp_rfc3550_6_4_1_padding_only_in_the_last),
    AGW_CASE(test_rtp_rtcp_rfc3550_6_4_body_is_as_long_as_the_count_says),
    AGW_CASE(test_rtp_rtcp_rfc3550_6_5_sdes_chunks),
    AGW_CASE(test_rtp_rtcp_rfc3550_6_5_cname_is_padded_and_ended),
    AGW_CASE(test_rtp_rtcp_rfc3550_6_4_1_report_and_sender_round_trip),
    AGW_CASE(test_rtp_rtcp_rfc3550_4_ntp_timestamp),
    AGW_CASE(test_rtp_rtcp_rfc5104_4_3_1_fir),
    AGW_CASE(test_rtp_rtcp_rfc4585_6_2_1_nack_packs_neighbours),
    AGW_CASE(test_rtp_rtcp_writers_leave_nothing_behind_without_room),
};
AGW_UNIT_MAIN("rtp rtcp", cases)
