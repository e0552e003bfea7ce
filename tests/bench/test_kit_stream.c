/* SPDX-License-Identifier: BSD-3-Clause
 * A sender's packets, what a gateway may make of them, and what it must not. */
#include "bench/kit/stream.h"

#include "base/wire.h"
#include "unit.h"

#include <string.h>

enum { PAYLOAD = 160, PACKET = 12 + PAYLOAD, STREAM = 77 };

typedef struct packet {
    uint8_t bytes[PACKET + 64];
    size_t len;
} packet;

static kit_sender sender;
static kit_checker checker;

static void begin(void)
{
    sender = (kit_sender){.stream = STREAM,
                          .ssrc = 0xabcdef01,
                          .first_seq = 65530,
                          .first_timestamp = 0xffffff00,
                          .timestamp_step = 160,
                          .pt = 0,
                          .payload = PAYLOAD};
    checker = (kit_checker){.stream = STREAM, .payload = PAYLOAD, .timestamp_step = 160};
}

static packet next_at(agw_ns at)
{
    packet p = {.len = 0};
    p.len = kit_sender_write(&sender, p.bytes, at);
    CU_ASSERT_EQUAL(p.len, 12u + sender.payload);
    return p;
}

static packet next(void)
{
    return next_at(AGW_MS(20) * (agw_ns)sender.sent);
}

static kit_finding take(const packet *p)
{
    return kit_checker_take(&checker, p->bytes, p->len, AGW_S(1));
}

static void expect_good(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const packet p = next();
        CU_ASSERT_EQUAL(take(&p), KIT_GOOD);
    }
}

static void test_stream_good_over_many_wraps_of_seq(void)
{
    begin();
    expect_good(200000);
    CU_ASSERT_EQUAL(checker.accepted, 200000);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 0);
}

static void test_stream_packets_differ_in_every_part_of_the_body(void)
{
    begin();
    const packet a = next_at(5);
    const packet b = next_at(5);
    for (size_t i = 12 + KIT_STREAM_PAYLOAD_MIN; i + 8 <= PACKET; i += 8)
        CU_ASSERT_NOT_EQUAL(memcmp(a.bytes + i, b.bytes + i, 8), 0);
}

static void test_stream_renumbered_by_a_constant_is_good(void)
{
    begin();
    for (int i = 0; i < 70000; i++) {
        packet p = next();
        agw_put16(p.bytes + 2, (uint16_t)(agw_get16(p.bytes + 2) + 12345));
        agw_put32(p.bytes + 4, agw_get32(p.bytes + 4) + 0x7fffffff);
        agw_put32(p.bytes + 8, 0x11223344);
        CU_ASSERT_EQUAL(take(&p), KIT_GOOD);
    }
    CU_ASSERT_EQUAL(checker.ssrc, 0x11223344);
}

static void test_stream_csrcs_extension_and_padding_are_stepped_over(void)
{
    begin();
    const packet p = next();
    packet q = {.len = PACKET + 4 + 8 + 3};
    memcpy(q.bytes, p.bytes, 12);
    q.bytes[0] |= 0x20 | 0x10 | 1;       /* padding, extension, one CSRC */
    agw_put32(q.bytes + 16, 0xbede0001); /* 4 bytes of extension */
    memcpy(q.bytes + 24, p.bytes + 12, PAYLOAD);
    q.bytes[q.len - 1] = 3;
    CU_ASSERT_EQUAL(take(&q), KIT_GOOD);
}

static void test_stream_shapes_that_are_no_rtp_are_foreign(void)
{
    begin();
    const packet p = next();
    packet q = p;
    for (q.len = 0; q.len < 12; q.len++)
        CU_ASSERT_EQUAL(take(&q), KIT_FOREIGN);
    q = p;
    q.bytes[0] = 0x40;
    CU_ASSERT_EQUAL(take(&q), KIT_FOREIGN);
    q = p;
    q.bytes[0] |= 0x10; /* an extension that runs past the end */
    agw_put16(q.bytes + 14, 0xffff);
    CU_ASSERT_EQUAL(take(&q), KIT_FOREIGN);
    q = p;
    q.bytes[0] |= 0x20; /* more padding than packet */
    q.bytes[q.len - 1] = 255;
    CU_ASSERT_EQUAL(take(&q), KIT_FOREIGN);
    CU_ASSERT_EQUAL(checker.accepted, 0);
}

static void test_stream_late_counts_once_then_is_a_duplicate(void)
{
    begin();
    expect_good(3);
    const packet late = next();
    expect_good(KIT_STREAM_WINDOW - 1);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 1);
    CU_ASSERT_EQUAL(take(&late), KIT_LATE);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 0);
    CU_ASSERT_EQUAL(take(&late), KIT_DUPLICATE);
    CU_ASSERT_EQUAL(checker.found[KIT_LATE], 1);
    CU_ASSERT_EQUAL(checker.accepted, sender.sent);
}

static void test_stream_later_than_the_window_is_not_accepted(void)
{
    begin();
    expect_good(3);
    const packet late = next();
    expect_good(KIT_STREAM_WINDOW);
    CU_ASSERT_EQUAL(take(&late), KIT_DUPLICATE);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 1);
}

static void test_stream_a_gap_wider_than_the_window_forgets_what_was_seen(void)
{
    begin();
    expect_good(1);
    for (int i = 0; i < KIT_STREAM_WINDOW; i++)
        (void)next();
    const packet before = next();
    expect_good(1);
    CU_ASSERT_EQUAL(take(&before), KIT_LATE);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), KIT_STREAM_WINDOW);
}

static void test_stream_earlier_than_the_first_moves_the_beginning(void)
{
    begin();
    const packet zero = next();
    (void)next();
    expect_good(1);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 0);
    CU_ASSERT_EQUAL(take(&zero), KIT_LATE);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 1);
}

static void test_stream_every_changed_payload_byte_is_corrupt(void)
{
    begin();
    expect_good(1);
    for (size_t i = 12; i < PACKET; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            packet p = next();
            p.bytes[i] = (uint8_t)(p.bytes[i] ^ 1u << bit);
            CU_ASSERT_EQUAL(take(&p), KIT_CORRUPT);
        }
    }
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), PAYLOAD * 8);
}

static void test_stream_other_length_is_corrupt(void)
{
    begin();
    expect_good(1);
    packet p = next();
    p.len--;
    CU_ASSERT_EQUAL(take(&p), KIT_CORRUPT);
    p.len += 2;
    CU_ASSERT_EQUAL(take(&p), KIT_CORRUPT);
    p.len = 12;
    CU_ASSERT_EQUAL(take(&p), KIT_CORRUPT);
}

static void test_stream_of_another_sender_is_foreign_and_teaches_nothing(void)
{
    begin();
    sender.stream = STREAM + 1;
    const packet other = next();
    CU_ASSERT_EQUAL(take(&other), KIT_FOREIGN);
    CU_ASSERT_FALSE(checker.begun);
    begin();
    expect_good(1);
    CU_ASSERT_EQUAL(take(&other), KIT_FOREIGN);
    packet noise = {.bytes = {0x80, 13}, .len = 13}; /* comfort noise with an SSRC of its own */
    CU_ASSERT_EQUAL(take(&noise), KIT_FOREIGN);
    CU_ASSERT_EQUAL(checker.accepted, 1);
}

/* The payload is good, the header is not what the first packet taught. */
static void expect_header(size_t at, uint8_t flip)
{
    packet p = next();
    p.bytes[at] = (uint8_t)(p.bytes[at] ^ flip);
    CU_ASSERT_EQUAL(take(&p), KIT_HEADER);
}

static void test_stream_header_that_does_not_fit_is_found(void)
{
    begin();
    expect_good(1);
    expect_header(1, 0x01); /* payload type */
    expect_header(1, 0x80); /* marker */
    expect_header(2, 0x01); /* sequence number */
    expect_header(3, 0x01);
    expect_header(4, 0x80); /* timestamp */
    expect_header(7, 0x01);
    expect_header(8, 0x01); /* SSRC */
    expect_header(11, 0x80);
    CU_ASSERT_EQUAL(checker.found[KIT_HEADER], 8);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 8);
    expect_good(1);
}

static void test_stream_wrong_payload_type_teaches_nothing(void)
{
    begin();
    expect_header(1, 0x08);
    CU_ASSERT_FALSE(checker.begun);
    expect_good(1);
}

static void test_stream_bursts_share_a_timestamp_and_mark_the_last(void)
{
    begin();
    sender.burst = checker.burst = 3;
    sender.payload = checker.payload = 43; /* no multiple of a word */
    sender.first_timestamp = 1000;
    for (unsigned i = 0; i < 9; i++) {
        const packet p = next();
        CU_ASSERT_EQUAL(agw_get32(p.bytes + 4), 1000 + i / 3 * 160);
        CU_ASSERT_EQUAL(p.bytes[1] >> 7, i % 3 == 2);
        CU_ASSERT_EQUAL(take(&p), KIT_GOOD);
    }
}

static void test_stream_smallest_payload_is_checked(void)
{
    begin();
    sender.payload = checker.payload = KIT_STREAM_PAYLOAD_MIN;
    expect_good(2);
}

static void test_stream_latency_and_gap_are_between_arrivals(void)
{
    static kit_histogram latency;
    begin();
    checker.latency = &latency;
    static const agw_ns sent_at[] = {1000, 2000, 3000};
    static const agw_ns came_at[] = {1010, 2005, 9007};
    for (size_t i = 0; i < 3; i++) {
        const packet p = next_at(sent_at[i]);
        CU_ASSERT_EQUAL(kit_checker_take(&checker, p.bytes, p.len, came_at[i]), KIT_GOOD);
        CU_ASSERT_EQUAL(kit_checker_take(&checker, p.bytes, p.len, came_at[i]), KIT_DUPLICATE);
    }
    CU_ASSERT_EQUAL(latency.count, 3);
    CU_ASSERT_EQUAL(latency.least, 5);
    CU_ASSERT_EQUAL(latency.most, 6007);
    CU_ASSERT_EQUAL(checker.longest_gap, 9007 - 2005);
}

static void test_stream_nothing_came_is_all_lost(void)
{
    begin();
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, 5), 5);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, 0), 0);
}

/* What was on its way at the restart is counted nowhere, neither when it comes nor when not. */
static void test_stream_restart_counts_from_a_number_on(void)
{
    begin();
    expect_good(10);
    const packet on_its_way = next();
    (void)next(); /* never comes */
    kit_checker_restart(&checker, sender.sent);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 0);
    CU_ASSERT_EQUAL(take(&on_its_way), KIT_GOOD);
    CU_ASSERT_EQUAL(checker.accepted, 0);
    CU_ASSERT_EQUAL(checker.found[KIT_GOOD], 0);
    const packet late = next();
    expect_good(3);
    (void)next();
    CU_ASSERT_EQUAL(take(&late), KIT_LATE);
    CU_ASSERT_EQUAL(take(&late), KIT_DUPLICATE);
    CU_ASSERT_EQUAL(checker.accepted, 4);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 1);
    CU_ASSERT_EQUAL(checker.arrived, 16);
}

static void test_stream_restart_before_anything_came_loses_nothing(void)
{
    begin();
    (void)next();
    kit_checker_restart(&checker, sender.sent);
    (void)next();
    expect_good(2);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), 1);
    CU_ASSERT_EQUAL(checker.found[KIT_GOOD], 2);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_stream_good_over_many_wraps_of_seq),
        AGW_CASE(test_stream_packets_differ_in_every_part_of_the_body),
        AGW_CASE(test_stream_renumbered_by_a_constant_is_good),
        AGW_CASE(test_stream_csrcs_extension_and_padding_are_stepped_over),
        AGW_CASE(test_stream_shapes_that_are_no_rtp_are_foreign),
        AGW_CASE(test_stream_late_counts_once_then_is_a_duplicate),
        AGW_CASE(test_stream_later_than_the_window_is_not_accepted),
        AGW_CASE(test_stream_a_gap_wider_than_the_window_forgets_what_was_seen),
        AGW_CASE(test_stream_earlier_than_the_first_moves_the_beginning),
        AGW_CASE(test_stream_every_changed_payload_byte_is_corrupt),
        AGW_CASE(test_stream_other_length_is_corrupt),
        AGW_CASE(test_stream_of_another_sender_is_foreign_and_teaches_nothing),
        AGW_CASE(test_stream_header_that_does_not_fit_is_found),
        AGW_CASE(test_stream_wrong_payload_type_teaches_nothing),
        AGW_CASE(test_stream_bursts_share_a_timestamp_and_mark_the_last),
        AGW_CASE(test_stream_smallest_payload_is_checked),
        AGW_CASE(test_stream_latency_and_gap_are_between_arrivals),
        AGW_CASE(test_stream_nothing_came_is_all_lost),
        AGW_CASE(test_stream_restart_counts_from_a_number_on),
        AGW_CASE(test_stream_restart_before_anything_came_loses_nothing),
    };
    return agw_unit_run("stream", cases, sizeof cases / sizeof cases[0]);
}
