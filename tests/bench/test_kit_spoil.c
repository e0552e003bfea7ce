/* SPDX-License-Identifier: BSD-3-Clause
 * A sender, a spoiler and a checker in one process: what is found is what was spoilt. */
#include "bench/kit/spoil.h"

#include "unit.h"

#include <string.h>

enum { PACKETS = 200000, PAYLOAD = 160 };

static kit_sender sender;
static kit_checker checker;
static kit_spoiler spoiler;

static void begin(unsigned per_mille)
{
    sender = (kit_sender){.stream = 1, .ssrc = 5, .first_seq = 65000, .payload = PAYLOAD};
    sender.timestamp_step = 160;
    checker = (kit_checker){.stream = 1, .payload = PAYLOAD, .timestamp_step = 160};
    checker.spoiler = &spoiler;
    spoiler = (kit_spoiler){.random = 42, .per_mille = per_mille};
}

static void send_packets(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t packet[12 + PAYLOAD];
        const size_t len = kit_sender_write(&sender, packet, i);
        (void)kit_checker_take(&checker, packet, len, i);
    }
    kit_spoiler_end(&spoiler, &checker);
}

static void test_spoil_everything_spoilt_is_found_and_nothing_else(void)
{
    begin(10);
    send_packets(PACKETS);
    uint64_t all = 0;
    for (unsigned i = 0; i < KIT_SPOILS; i++) {
        CU_ASSERT(spoiler.done[i] > PACKETS / 100 / KIT_SPOILS / 2);
        all += spoiler.done[i];
    }
    CU_ASSERT(all > PACKETS / 120 && all < PACKETS / 80);
    CU_ASSERT_EQUAL(checker.arrived, PACKETS);
    CU_ASSERT_EQUAL(checker.found[KIT_CORRUPT], spoiler.done[KIT_SPOIL_CORRUPT]);
    CU_ASSERT_EQUAL(checker.found[KIT_HEADER], spoiler.done[KIT_SPOIL_HEADER]);
    CU_ASSERT_EQUAL(checker.found[KIT_DUPLICATE], spoiler.done[KIT_SPOIL_DUPLICATE]);
    CU_ASSERT_EQUAL(checker.found[KIT_LATE], spoiler.done[KIT_SPOIL_SWAP]);
    CU_ASSERT_EQUAL(checker.found[KIT_FOREIGN], 0);
    CU_ASSERT_EQUAL(kit_checker_lost(&checker, sender.sent), spoiler.done[KIT_SPOIL_CORRUPT] +
                                                                 spoiler.done[KIT_SPOIL_HEADER] +
                                                                 spoiler.done[KIT_SPOIL_DROP]);
}

static void test_spoil_nothing_at_zero(void)
{
    begin(0);
    send_packets(1000);
    CU_ASSERT_EQUAL(checker.found[KIT_GOOD], 1000);
}

static void test_spoil_leaves_the_first_packet_alone(void)
{
    for (uint64_t random = 1; random <= 50; random++) {
        begin(1000);
        spoiler.random = random;
        send_packets(1);
        CU_ASSERT_EQUAL(checker.found[KIT_GOOD], 1);
    }
}

/* The last packet was to be swapped with one that never comes. */
static void test_spoil_gives_back_what_it_holds(void)
{
    begin(1000);
    unsigned n = 0;
    while (spoiler.held_len == 0) {
        uint8_t packet[12 + PAYLOAD];
        const size_t len = kit_sender_write(&sender, packet, n);
        (void)kit_checker_take(&checker, packet, len, n++);
    }
    const uint64_t good = checker.found[KIT_GOOD];
    kit_spoiler_end(&spoiler, &checker);
    CU_ASSERT_EQUAL(checker.found[KIT_GOOD], good + 1);
    kit_spoiler_end(&spoiler, &checker);
    CU_ASSERT_EQUAL(checker.found[KIT_GOOD], good + 1);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_spoil_everything_spoilt_is_found_and_nothing_else),
        AGW_CASE(test_spoil_nothing_at_zero),
        AGW_CASE(test_spoil_leaves_the_first_packet_alone),
        AGW_CASE(test_spoil_gives_back_what_it_holds),
    };
    return agw_unit_run("spoiler", cases, sizeof cases / sizeof cases[0]);
}
