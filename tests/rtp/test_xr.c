/* SPDX-License-Identifier: BSD-3-Clause
 * RTCP extended reports: blocks as written and read, bursts and gaps. */
#include "base/wire.h"
#include "rtp/xr.h"
#include "unit.h"

#include <string.h>

static const agw_xr_voip VOIP = {
    .ssrc = 0x11223344,
    .loss_rate = 12,
    .discard_rate = 3,
    .burst_density = 100,
    .gap_density = 2,
    .burst_ms = 240,
    .gap_ms = 4321,
    .round_trip_ms = 81,
    .end_system_delay_ms = 65,
    .signal_level = -20,
    .noise_level = AGW_XR_UNKNOWN,
    .rerl = AGW_XR_UNKNOWN,
    .gmin = AGW_XR_GMIN,
    .r_factor = 88,
    .ext_r_factor = AGW_XR_UNKNOWN,
    .mos_lq = 43,
    .mos_cq = 41,
    .rx_config = AGW_XR_PLC_ENHANCED | AGW_XR_JB_ADAPTIVE,
    .jb_nominal_ms = 40,
    .jb_max_ms = 60,
    .jb_abs_max_ms = 240,
};

/* The one packet in w, in memory of exactly its size; free p->whole. */
static void read_back(const agw_rtcp_writer *w, agw_rtcp_packet *p)
{
    uint8_t *copy = malloc(w->len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, w->buf, w->len);
    agw_rtcp_iter it;
    CU_ASSERT_EQUAL_FATAL(agw_rtcp_begin(&it, copy, w->len), AGW_OK);
    CU_ASSERT_TRUE_FATAL(agw_rtcp_next(&it, p));
    CU_ASSERT_EQUAL(p->type, AGW_RTCP_XR);
}

static void done(const agw_rtcp_packet *p)
{
    free((void *)(uintptr_t)p->whole);
}

/* The packet as section 4.7 draws it. */
static void test_xr_rfc3611_4_7_voip_metrics_on_the_wire(void)
{
    static const uint8_t WANT[] = {0x80, 207,  0,    10,   0,    0,  0,    5,   7,   0,  0,
                                   8,    0x11, 0x22, 0x33, 0x44, 12, 3,    100, 2,   0,  240,
                                   0x10, 0xe1, 0,    81,   0,    65, 0xec, 127, 127, 16, 88,
                                   127,  43,   41,   0xb0, 0,    0,  40,   0,   60,  0,  240};
    uint8_t buf[64];
    agw_rtcp_writer w;
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_voip(&w, 5, &VOIP), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(w.len, sizeof WANT);
    CU_ASSERT_EQUAL(memcmp(buf, WANT, sizeof WANT), 0);
}

static void test_xr_rfc3611_4_7_voip_metrics_read_back(void)
{
    uint8_t buf[64], second[64];
    agw_rtcp_writer w, again;
    agw_rtcp_packet p;
    agw_xr_block block;
    agw_xr_voip voip;
    size_t at = 0;
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_voip(&w, 5, &VOIP), AGW_OK);
    read_back(&w, &p);
    CU_ASSERT_EQUAL(agw_xr_sender(&p), 5);
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL(block.type, AGW_XR_VOIP);
    agw_xr_read_voip(&block, &voip);
    CU_ASSERT_FALSE(agw_xr_next(&p, &at, &block));
    agw_rtcp_writer_init(&again, second, sizeof second);
    CU_ASSERT_EQUAL(agw_xr_write_voip(&again, 5, &voip), AGW_OK);
    CU_ASSERT_EQUAL(memcmp(second, buf, w.len), 0);
    done(&p);
}

static void test_xr_rfc3611_4_4_rrtr_and_4_5_dlrr(void)
{
    uint8_t buf[128];
    agw_rtcp_writer w;
    agw_rtcp_packet p;
    agw_xr_block block;
    agw_xr_dlrr got;
    size_t at = 0;
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_rrtr(&w, 9, 0x0102030405060708u), AGW_OK);
    read_back(&w, &p);
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL(block.type, AGW_XR_RRTR);
    CU_ASSERT_EQUAL(agw_xr_read_rrtr(&block), 0x03040506u);
    done(&p);
    const agw_xr_dlrr two[] = {{1, 2, 3}, {4, 5, 6}};
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_dlrr(&w, 9, two, 2), AGW_OK);
    read_back(&w, &p);
    at = 0;
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL_FATAL(agw_xr_count_dlrr(&block), 2);
    agw_xr_read_dlrr(&block, 1, &got);
    CU_ASSERT_EQUAL(memcmp(&got, &two[1], sizeof got), 0);
    done(&p);
}

/* Unknown blocks and those of a wrong length are passed over; one that runs past the end ends it.
 */
static void test_xr_rfc3611_3_blocks_are_walked(void)
{
    static const uint8_t XR[] = {
        0x80, 207, 0, 11, 0, 0, 0, 1, 99, 0, 0, 1, 1, 2, 3, 4, /* unknown */
        4,    0,   0, 1,  0, 0, 0, 0,                          /* RRTR, 4 octets short */
        5,    0,   0, 0,                                       /* DLRR of nobody */
        4,    0,   0, 2,  1, 2, 3, 4, 5,  6, 7, 8,             /* RRTR */
        7,    0,   0, 8,  0, 0, 0, 1,                          /* VoIP metrics, cut */
    };
    uint8_t buf[sizeof XR];
    agw_rtcp_writer w = {buf, sizeof buf, sizeof buf};
    agw_rtcp_packet p;
    agw_xr_block block;
    size_t at = 0;
    memcpy(buf, XR, sizeof XR);
    read_back(&w, &p);
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL(block.type, 99);
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL(block.type, AGW_XR_DLRR);
    CU_ASSERT_EQUAL(agw_xr_count_dlrr(&block), 0);
    CU_ASSERT_TRUE_FATAL(agw_xr_next(&p, &at, &block));
    CU_ASSERT_EQUAL(agw_xr_read_rrtr(&block), 0x03040506u);
    CU_ASSERT_FALSE(agw_xr_next(&p, &at, &block));
    CU_ASSERT_FALSE(agw_xr_next(&p, &at, &block));
    done(&p);
}

static void test_xr_no_room_writes_nothing(void)
{
    uint8_t buf[43];
    agw_rtcp_writer w;
    const agw_xr_dlrr one = {1, 2, 3};
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    CU_ASSERT_EQUAL(agw_xr_write_voip(&w, 5, &VOIP), AGW_ERR_NO_SPACE);
    agw_rtcp_writer_init(&w, buf, 23);
    CU_ASSERT_EQUAL(agw_xr_write_dlrr(&w, 5, &one, 1), AGW_ERR_NO_SPACE);
    agw_rtcp_writer_init(&w, buf, 19);
    CU_ASSERT_EQUAL(agw_xr_write_rrtr(&w, 5, 1), AGW_ERR_NO_SPACE);
    CU_ASSERT_EQUAL(w.len, 0);
}

/* text: one packet a letter, x = lost, times over. */
static agw_xr_bursts heard(const char *text, unsigned times)
{
    agw_xr_bursts b = {0};
    uint32_t seq = 1000, lost = 0;
    agw_xr_bursts_count(&b, seq, 0);
    for (unsigned n = 0; n < times; n++) {
        for (const char *c = text; *c != '\0'; c++) {
            seq++;
            if (*c == 'x') {
                lost++;
                continue;
            }
            if (lost != 0)
                agw_xr_bursts_count(&b, seq, lost);
            lost = 0;
        }
    }
    agw_xr_bursts_count(&b, seq, 0);
    return b;
}

static agw_xr_voip told(const agw_xr_bursts *b)
{
    agw_xr_voip v = {0};
    agw_xr_bursts_report(b, 20, &v);
    return v;
}

static void test_xr_rfc3611_4_7_2_nothing_lost_is_one_gap(void)
{
    const agw_xr_bursts b = heard("..................................................", 10);
    const agw_xr_voip v = told(&b);
    CU_ASSERT_EQUAL(v.gmin, 16);
    CU_ASSERT_EQUAL(v.burst_density, 0);
    CU_ASSERT_EQUAL(v.burst_ms, 0);
    CU_ASSERT_EQUAL(v.gap_density, 0);
    CU_ASSERT_EQUAL(v.gap_ms, 501 * 20);
}

/* A loss with at least 16 packets on both sides belongs to its gap. */
static void test_xr_rfc3611_4_7_2_single_losses_are_of_the_gap(void)
{
    const agw_xr_bursts b = heard("x...................", 100); /* one of 20 */
    const agw_xr_voip v = told(&b);
    CU_ASSERT_TRUE(v.gap_density >= 11 && v.gap_density <= 13); /* 256 / 20 */
    CU_ASSERT_EQUAL(v.burst_ms, 0);
    CU_ASSERT_EQUAL(agw_xr_bursts_runs(&b), 100);
}

/* Sections of 8 packets with every second one lost, between gaps of 93: the last and first packets
 * of a burst are lost ones, so that it is 7 long, 4 of them lost. */
static void test_xr_rfc3611_4_7_2_bursts_and_gaps(void)
{
    const agw_xr_bursts b =
        heard(".............................................................................."
              "...............x.x.x.x",
              50);
    const agw_xr_voip v = told(&b);
    CU_ASSERT_TRUE(v.burst_density > 256 * 45 / 100 && v.burst_density < 256 * 60 / 100);
    CU_ASSERT_EQUAL(v.gap_density, 0);
    CU_ASSERT_TRUE(v.burst_ms >= 100 && v.burst_ms <= 160);
    CU_ASSERT_TRUE(v.gap_ms >= 1840 && v.gap_ms <= 1900);
    CU_ASSERT_EQUAL(agw_xr_bursts_runs(&b), 200 - 1); /* the last of all was not seen */
}

/* 15 packets do not end a burst, 16 do. */
static void test_xr_rfc3611_4_7_2_gmin_on_both_sides(void)
{
    const agw_xr_bursts with = heard("x...............", 20),
                        without = heard("x................", 20);
    CU_ASSERT_TRUE(told(&with).burst_ms > 0);
    CU_ASSERT_EQUAL(told(&without).burst_ms, 0);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_xr_rfc3611_4_7_voip_metrics_on_the_wire),
    AGW_CASE(test_xr_rfc3611_4_7_voip_metrics_read_back),
    AGW_CASE(test_xr_rfc3611_4_4_rrtr_and_4_5_dlrr),
    AGW_CASE(test_xr_rfc3611_3_blocks_are_walked),
    AGW_CASE(test_xr_no_room_writes_nothing),
    AGW_CASE(test_xr_rfc3611_4_7_2_nothing_lost_is_one_gap),
    AGW_CASE(test_xr_rfc3611_4_7_2_single_losses_are_of_the_gap),
    AGW_CASE(test_xr_rfc3611_4_7_2_bursts_and_gaps),
    AGW_CASE(test_xr_rfc3611_4_7_2_gmin_on_both_sides),
};

AGW_UNIT_MAIN("xr", CASES)
