/* SPDX-License-Identifier: BSD-3-Clause
 * A stream that was played and what a gateway made of it: each kind of fault is seen, once, and as
 * what it is; a gateway that renumbers alike is not at fault. */
#include "base/wire.h"
#include "bench/replay/compare.h"
#include "unit.h"

#include <string.h>

enum { PACKETS = 150, PAYLOAD = 30, LEN = 12 + PAYLOAD, SPACING_MS = 20, TRANSIT_MS = 3 };

typedef struct lab {
    uint8_t in[PACKETS][LEN], out[PACKETS + 1][LEN + 4];
    kit_capture_packet packets[PACKETS];
    kit_played played[PACKETS];
    kit_arrival arrivals[PACKETS + 1];
    size_t arrived;
    uint8_t expected[128];
    kit_comparison result;
} lab;

static void write_packet(uint8_t *rtp, size_t i, uint16_t first_seq)
{
    memset(rtp, 0, 12);
    rtp[0] = 0x80;
    rtp[1] = (uint8_t)(i % 7 == 0 ? 0x80 | 96 : 96);
    agw_put16(rtp + 2, (uint16_t)(first_seq + i));
    agw_put32(rtp + 4, (uint32_t)(0xffffff00u + 160 * i));
    agw_put32(rtp + 8, 0x11223344);
    for (size_t k = 0; k < PAYLOAD; k++)
        rtp[12 + k] = (uint8_t)(i * 5 + k);
}

/* All that was sent arrives, each packet TRANSIT_MS later. The numbers wrap on their way. */
static void lab_init(lab *l)
{
    memset(l, 0, sizeof *l);
    for (size_t i = 0; i < PACKETS; i++) {
        const agw_ns at = AGW_MS(1000 + SPACING_MS * (agw_ns)i);
        write_packet(l->in[i], i, 65520);
        kit_capture_packet *p = &l->packets[i];
        *p = (kit_capture_packet){.ext_seq = 131056 + i, .rtp = l->in[i], .len = LEN};
        CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&p->header, l->in[i], LEN), AGW_OK);
        l->played[i] = (kit_played){.packet = p, .due = at, .sent_at = at};
        memcpy(l->out[i], l->in[i], LEN);
        l->arrivals[i] = (kit_arrival){.rtp = l->out[i], .len = LEN, .at = at + AGW_MS(TRANSIT_MS)};
    }
    l->arrived = PACKETS;
    memset(l->expected, 0xff, sizeof l->expected);
    l->expected[96] = 96;
}

static const kit_faults *compare(lab *l)
{
    kit_compare(&l->result, l->played, PACKETS, l->arrivals, l->arrived, l->expected);
    return &l->result.faults;
}

static void leave_out(lab *l, size_t i)
{
    l->arrived--;
    memmove(&l->arrivals[i], &l->arrivals[i + 1], (l->arrived - i) * sizeof l->arrivals[0]);
}

static uint64_t sum(const kit_faults *f)
{
    return f->lost + f->duplicates + f->reordered + f->payload + f->marker + f->pt + f->timestamp +
           f->sequence + f->ssrc + f->foreign;
}

/* One fault, and it is the one that `which` points to. */
#define CHECK_ONE(l, which)                                                                        \
    do {                                                                                           \
        const kit_faults *faults = compare(l);                                                     \
        CU_ASSERT_EQUAL(faults->which, 1);                                                         \
        CU_ASSERT_EQUAL(sum(faults), 1);                                                           \
        CU_ASSERT(!kit_comparison_is_equal(&(l)->result));                                         \
    } while (0)

static void test_compare_equal(void)
{
    lab l;
    lab_init(&l);
    const kit_faults *f = compare(&l);
    CU_ASSERT_EQUAL(sum(f), 0);
    CU_ASSERT_EQUAL(f->sent, PACKETS);
    CU_ASSERT_EQUAL(f->arrived, PACKETS);
    CU_ASSERT(kit_comparison_is_equal(&l.result));
    CU_ASSERT(!l.result.ssrc_mapped && !l.result.seq_mapped && !l.result.timestamp_mapped);
    CU_ASSERT_EQUAL(l.result.latency.count, PACKETS);
    CU_ASSERT_EQUAL(l.result.latency.most, AGW_MS(TRANSIT_MS));
    CU_ASSERT_EQUAL(l.result.timing_error.count, PACKETS - 1);
    CU_ASSERT_EQUAL(l.result.timing_error.most, 0);
}

static void test_compare_renumbered_alike_is_equal(void)
{
    lab l;
    lab_init(&l);
    for (size_t i = 0; i < PACKETS; i++) {
        agw_put16(l.out[i] + 2, (uint16_t)(agw_get16(l.out[i] + 2) + 40000));
        agw_put32(l.out[i] + 4, agw_get32(l.out[i] + 4) + 123456789);
        agw_put32(l.out[i] + 8, 0x55667788);
        l.out[i][1] = (uint8_t)((l.out[i][1] & 0x80) | 120);
    }
    l.expected[96] = 120;
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    CU_ASSERT(kit_comparison_is_equal(&l.result));
    CU_ASSERT(l.result.ssrc_mapped && l.result.seq_mapped && l.result.timestamp_mapped);
    CU_ASSERT_EQUAL(l.result.pt_out[96], 120);
    CU_ASSERT_EQUAL(l.result.pt_out[0], 0xff);
}

/* A capture that lacks packets and has others out of order is played as it is. */
static void test_compare_order_of_the_capture_counts(void)
{
    lab l;
    lab_init(&l);
    const kit_capture_packet third = l.packets[3];
    l.packets[3] = l.packets[4];
    l.packets[4] = third;
    memcpy(l.out[3], l.in[4], LEN);
    memcpy(l.out[4], l.in[3], LEN);
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    CU_ASSERT(kit_comparison_is_equal(&l.result));
}

static void test_compare_sees_loss(void)
{
    static const size_t which[] = {0, 1, 20, PACKETS - 1};
    for (size_t i = 0; i < 4; i++) {
        lab l;
        lab_init(&l);
        leave_out(&l, which[i]);
        CHECK_ONE(&l, lost);
    }
}

static void test_compare_sees_total_loss(void)
{
    lab l;
    lab_init(&l);
    l.arrived = 0;
    CU_ASSERT_EQUAL(compare(&l)->lost, PACKETS);
    CU_ASSERT(!kit_comparison_is_equal(&l.result));
}

static void test_compare_sees_a_duplicate(void)
{
    lab l;
    lab_init(&l);
    l.arrivals[PACKETS] = l.arrivals[PACKETS - 3];
    l.arrived++;
    CHECK_ONE(&l, duplicates);
}

static void test_compare_sees_reordering(void)
{
    lab l;
    lab_init(&l);
    const kit_arrival a = l.arrivals[11];
    l.arrivals[11] = l.arrivals[12];
    l.arrivals[12] = a;
    CHECK_ONE(&l, reordered);
}

static void test_compare_sees_a_changed_byte(void)
{
    static const size_t which[] = {0, 17, PACKETS - 1};
    for (size_t i = 0; i < 3; i++) {
        lab l;
        lab_init(&l);
        l.out[which[i]][LEN - 1] ^= 1;
        CHECK_ONE(&l, payload);
    }
}

static void test_compare_sees_a_changed_length(void)
{
    lab l;
    lab_init(&l);
    l.arrivals[5].len--;
    CHECK_ONE(&l, payload);
    lab_init(&l);
    l.arrivals[5].len++;
    CHECK_ONE(&l, payload);
}

static void test_compare_padding_is_no_payload(void)
{
    lab l;
    lab_init(&l);
    l.out[5][0] |= 0x20;
    l.out[5][LEN + 3] = 4;
    l.arrivals[5].len = LEN + 4;
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
}

static void test_compare_sees_a_changed_marker(void)
{
    lab l;
    lab_init(&l);
    l.out[7][1] ^= 0x80;
    CHECK_ONE(&l, marker);
}

static void test_compare_sees_a_wrong_payload_type(void)
{
    lab l;
    lab_init(&l);
    l.out[7][1] ^= 1;
    CHECK_ONE(&l, pt);
}

static void test_compare_sees_a_changed_timestamp(void)
{
    lab l;
    lab_init(&l);
    agw_put32(l.out[9] + 4, agw_get32(l.out[9] + 4) + 1);
    CHECK_ONE(&l, timestamp);
}

static void test_compare_sees_a_changed_sequence_number(void)
{
    lab l;
    lab_init(&l);
    agw_put16(l.out[9] + 2, (uint16_t)(agw_get16(l.out[9] + 2) + 1));
    CHECK_ONE(&l, sequence);
    lab_init(&l);
    agw_put16(l.out[9] + 2, (uint16_t)(agw_get16(l.out[9] + 2) + 9000));
    CHECK_ONE(&l, sequence);
}

static void test_compare_sees_a_shift_on_the_way(void)
{
    lab l;
    lab_init(&l);
    for (size_t i = 100; i < PACKETS; i++)
        agw_put16(l.out[i] + 2, (uint16_t)(agw_get16(l.out[i] + 2) + 1));
    CU_ASSERT_EQUAL(compare(&l)->sequence, PACKETS - 100);
    CU_ASSERT_EQUAL(sum(&l.result.faults), PACKETS - 100);
}

static void test_compare_sees_another_ssrc(void)
{
    lab l;
    lab_init(&l);
    agw_put32(l.out[0] + 8, 1);
    CHECK_ONE(&l, ssrc);
}

static void test_compare_sees_what_is_foreign(void)
{
    lab l;
    lab_init(&l);
    l.arrivals[PACKETS] = (kit_arrival){.rtp = l.out[PACKETS], .len = LEN, .at = AGW_MS(5000)};
    l.arrived++;
    CHECK_ONE(&l, foreign); /* all zero: no RTP */
    memcpy(l.out[PACKETS], l.in[3], LEN);
    l.out[PACKETS][20] ^= 1;
    agw_put16(l.out[PACKETS] + 2, 9000);
    CHECK_ONE(&l, foreign);
}

/* What has come already cannot come again under another number. */
static void test_compare_sees_a_copy_with_a_new_number(void)
{
    lab l;
    lab_init(&l);
    memcpy(l.out[PACKETS], l.in[PACKETS - 3], LEN);
    agw_put16(l.out[PACKETS] + 2, 9000);
    l.arrivals[PACKETS] = (kit_arrival){.rtp = l.out[PACKETS], .len = LEN, .at = AGW_MS(5000)};
    l.arrived++;
    CHECK_ONE(&l, foreign);
}

static void test_compare_nothing_of_ours(void)
{
    lab l;
    lab_init(&l);
    for (size_t i = 0; i < PACKETS; i++)
        memset(l.out[i] + 12, 0xee, PAYLOAD);
    const kit_faults *f = compare(&l);
    CU_ASSERT_EQUAL(f->foreign, PACKETS);
    CU_ASSERT_EQUAL(f->arrived, PACKETS);
    CU_ASSERT_EQUAL(f->lost, PACKETS);
    CU_ASSERT_EQUAL(sum(f), 2 * PACKETS);
}

/* Numbers far apart, as in a call that was held: 16 bits of distance would not tell them. */
static void test_compare_numbers_wrap_many_times(void)
{
    lab l;
    lab_init(&l);
    for (size_t i = 0; i < PACKETS; i++) {
        l.packets[i].ext_seq = 131056 + 2000 * i;
        agw_put16(l.in[i] + 2, (uint16_t)l.packets[i].ext_seq);
        agw_put16(l.out[i] + 2, (uint16_t)(l.packets[i].ext_seq + 100));
        l.packets[i].header.seq = (uint16_t)l.packets[i].ext_seq;
    }
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    CU_ASSERT(kit_comparison_is_equal(&l.result));
}

/* Silence: all payloads alike, the first packet lost. The numbers must still not be taken for wrong
 * ones, whatever packet is taken for the lost one. */
static void test_compare_equal_payloads(void)
{
    lab l;
    lab_init(&l);
    for (size_t i = 0; i < PACKETS; i++) {
        memset(l.in[i] + 12, 0xd5, PAYLOAD);
        memset(l.out[i] + 12, 0xd5, PAYLOAD);
        l.in[i][1] = l.out[i][1] = 96;
        l.packets[i].header.marker = false;
    }
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    leave_out(&l, 0);
    CHECK_ONE(&l, lost);
}

static void test_compare_timing(void)
{
    lab l;
    lab_init(&l);
    l.arrivals[10].at += AGW_MS(5); /* the gateway's delay: two distances are wrong */
    compare(&l);
    CU_ASSERT_EQUAL(l.result.timing_error.most, AGW_MS(5));
    CU_ASSERT_EQUAL(l.result.total_error.most, AGW_MS(5));
    CU_ASSERT_EQUAL(l.result.sender_error.most, 0);
    CU_ASSERT_EQUAL(kit_histogram_at(&l.result.timing_error, 900), 0);
    lab_init(&l);
    l.played[10].sent_at += AGW_MS(5); /* our own */
    l.arrivals[10].at += AGW_MS(5);
    compare(&l);
    CU_ASSERT_EQUAL(l.result.timing_error.most, 0);
    CU_ASSERT_EQUAL(l.result.total_error.most, AGW_MS(5));
    CU_ASSERT_EQUAL(l.result.sender_error.most, AGW_MS(5));
}

static void test_compare_what_was_not_sent_is_not_lost(void)
{
    lab l;
    lab_init(&l);
    l.played[PACKETS - 1].sent_at = 0;
    l.arrived--;
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    CU_ASSERT_EQUAL(l.result.faults.sent, PACKETS - 1);
    for (size_t i = 0; i < PACKETS; i++)
        l.played[i].sent_at = 0;
    l.arrived = 0;
    CU_ASSERT_EQUAL(sum(compare(&l)), 0);
    CU_ASSERT(!kit_comparison_is_equal(&l.result)); /* nothing was tried */
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_compare_equal),
    AGW_CASE(test_compare_renumbered_alike_is_equal),
    AGW_CASE(test_compare_order_of_the_capture_counts),
    AGW_CASE(test_compare_sees_loss),
    AGW_CASE(test_compare_sees_total_loss),
    AGW_CASE(test_compare_sees_a_duplicate),
    AGW_CASE(test_compare_sees_reordering),
    AGW_CASE(test_compare_sees_a_changed_byte),
    AGW_CASE(test_compare_sees_a_changed_length),
    AGW_CASE(test_compare_padding_is_no_payload),
    AGW_CASE(test_compare_sees_a_changed_marker),
    AGW_CASE(test_compare_sees_a_wrong_payload_type),
    AGW_CASE(test_compare_sees_a_changed_timestamp),
    AGW_CASE(test_compare_sees_a_changed_sequence_number),
    AGW_CASE(test_compare_sees_a_shift_on_the_way),
    AGW_CASE(test_compare_sees_another_ssrc),
    AGW_CASE(test_compare_sees_what_is_foreign),
    AGW_CASE(test_compare_sees_a_copy_with_a_new_number),
    AGW_CASE(test_compare_nothing_of_ours),
    AGW_CASE(test_compare_numbers_wrap_many_times),
    AGW_CASE(test_compare_equal_payloads),
    AGW_CASE(test_compare_timing),
    AGW_CASE(test_compare_what_was_not_sent_is_not_lost),
};

AGW_UNIT_MAIN("replay: compare", cases)
