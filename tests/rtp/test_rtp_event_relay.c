/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events (RFC 4733) told again at another pace and clock. */
#include "rtp/event_relay.h"
#include "tests/rtp/libwebrtc_dtmf.h"
#include "unit.h"

enum { STEP_MS = 20, IN_HZ = 48000, OUT_HZ = 8000, STEPS_MAX = 400 };

typedef struct told {
    agw_rtp_event event;
    bool marker;
    uint32_t offset;
} told;

static told heard[STEPS_MAX];
static size_t n_heard;

static void note(const agw_rtp_event_packet *packet)
{
    CU_ASSERT_TRUE_FATAL(n_heard < STEPS_MAX);
    told *t = &heard[n_heard++];
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&t->event, packet->payload, 4), AGW_OK);
    t->marker = packet->marker;
    t->offset = packet->offset;
}

static agw_err put(agw_event_relay *r, uint8_t event, bool end, uint16_t duration,
                   uint32_t timestamp, agw_ns now)
{
    uint8_t payload[4];
    const agw_rtp_event e = {.event = event, .end = end, .volume = 10, .duration = duration};
    agw_rtp_event_write(&e, payload);
    return agw_event_relay_put(r, payload, sizeof payload, timestamp, IN_HZ, now);
}

/* One step of 20 ms; audio: whose turn it is. */
static void step(agw_event_relay *r, uint32_t audio, agw_ns now)
{
    agw_rtp_event_packet packet;
    if (agw_event_relay_repeat(r, &packet))
        note(&packet);
    if (!agw_event_relay_is_due(r, audio, now))
        return;
    agw_event_relay_next(r, STEP_MS, OUT_HZ, now, &packet);
    note(&packet);
}

/* A digit of so many ms with a packet every 20 ms and three ends, told at the same pace with so
 * many steps of delay. */
static void press(agw_event_relay *r, uint8_t event, uint32_t timestamp, unsigned ms, agw_ns *now,
                  unsigned steps_behind)
{
    const unsigned n = ms / STEP_MS;
    for (unsigned i = 1; i <= n + 2 + steps_behind + 3; i++, *now += AGW_MS(STEP_MS)) {
        const unsigned at = i < n ? i : n;
        if (i <= n + 2)
            CU_ASSERT_EQUAL(
                put(r, event, i >= n, (uint16_t)(at * STEP_MS * IN_HZ / 1000), timestamp, *now),
                AGW_OK);
        step(r, timestamp + (i - 1 - steps_behind) * STEP_MS * (IN_HZ / 1000), *now);
    }
}

static void test_rtp_event_relay_rfc4733_2_5_1_one_digit(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    n_heard = 0;
    press(&r, 5, 1000, 100, &now, 2);
    CU_ASSERT_EQUAL_FATAL(n_heard, 7); /* 4 that go on, 3 ends */
    for (size_t i = 0; i < n_heard; i++) {
        CU_ASSERT_EQUAL(heard[i].event.event, 5);
        CU_ASSERT_EQUAL(heard[i].event.volume, 10);
        CU_ASSERT_EQUAL(heard[i].event.end, i >= 4);
        CU_ASSERT_EQUAL(heard[i].marker, i == 0);
        CU_ASSERT_EQUAL(heard[i].event.duration, (i < 4 ? i + 1 : 5) * 160);
        CU_ASSERT_EQUAL(heard[i].offset, 0);
    }
}

static void test_rtp_event_relay_waits_for_the_audio_before_it(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    CU_ASSERT_EQUAL(put(&r, 1, false, 960, 5000, now), AGW_OK);
    CU_ASSERT_FALSE(agw_event_relay_is_due(&r, 4999, now));
    CU_ASSERT_TRUE(agw_event_relay_is_due(&r, 5000, now));
    CU_ASSERT_TRUE(agw_event_relay_is_due(&r, 4999, now + AGW_MS(200)));
    /* another clock: nothing can be said of its place */
    CU_ASSERT_TRUE(agw_event_relay_is_due(&r, (uint32_t)(5000 - IN_HZ - 1), now));
}

static void test_rtp_event_relay_all_digits_keep_order_and_length(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    n_heard = 0;
    for (uint8_t digit = 0; digit < 16; digit++)
        press(&r, digit, 1000 + digit * 20000u, 60, &now, 3);
    CU_ASSERT_EQUAL_FATAL(n_heard, 16 * 5);
    for (size_t i = 0; i < n_heard; i++) {
        CU_ASSERT_EQUAL(heard[i].event.event, i / 5);
        CU_ASSERT_EQUAL(heard[i].event.end, i % 5 >= 2);
        CU_ASSERT_EQUAL(heard[i].event.duration, (i % 5 < 2 ? i % 5 + 1 : 3) * 160);
    }
}

/* Section 2.5.1.3: at 48 kHz a segment is full after 1365 ms; at 8 kHz the same digit is one. */
static void test_rtp_event_relay_rfc4733_2_5_1_3_long_digits_change_segments(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    const uint32_t all = 3 * IN_HZ; /* 3 s */
    n_heard = 0;
    for (uint32_t units = 960; units < all + 4 * 960; units += 960, now += AGW_MS(20)) {
        const uint32_t at = units < all ? units : all, segment = at / 0xffff * 0xffff;
        if (units <= all)
            CU_ASSERT_EQUAL(put(&r, 2, at == all, (uint16_t)(at - segment), 1000 + segment, now),
                            AGW_OK);
        step(&r, 1000 + units, now);
    }
    CU_ASSERT_EQUAL_FATAL(n_heard, 150 + 2);
    CU_ASSERT_EQUAL(heard[n_heard - 1].event.duration, 3 * OUT_HZ);
    CU_ASSERT_TRUE(heard[n_heard - 1].event.end && !heard[148].event.end);
}

/* Three segments of Chromium, and one event of 3 s at 8 kHz. */
static void test_rtp_event_relay_rfc4733_2_5_1_3_chromium_segments_are_one_event(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    libwebrtc_dtmf d = {.event = 2, .begin = 1000, .left = 3 * IN_HZ, .step = 960};
    libwebrtc_packet packets[2 * LIBWEBRTC_ENDS];
    n_heard = 0;
    for (uint32_t steps = 1; steps < 160; steps++, now += AGW_MS(20)) {
        const size_t n = libwebrtc_next(&d, packets);
        for (size_t i = 0; i < n; i++) {
            const agw_rtp_event *e = &packets[i].event;
            CU_ASSERT_EQUAL(put(&r, e->event, e->end, e->duration, packets[i].timestamp, now),
                            AGW_OK);
        }
        step(&r, 1000 + steps * 960, now);
    }
    CU_ASSERT_TRUE_FATAL(n_heard >= 150 + 2 && n_heard <= 155);
    for (size_t i = 0; i < n_heard; i++) {
        CU_ASSERT_EQUAL(heard[i].marker, i == 0);
        CU_ASSERT_EQUAL(heard[i].event.end, i >= n_heard - 3);
        CU_ASSERT_EQUAL(heard[i].offset, 0);
        CU_ASSERT_TRUE(i == 0 || heard[i].event.duration >= heard[i - 1].event.duration);
    }
    const uint16_t all = heard[n_heard - 1].event.duration;
    CU_ASSERT_TRUE(all >= 3 * OUT_HZ && all <= 3 * OUT_HZ + 3 * 160);
}

/* The other way: what one segment of 8 kHz holds, takes several at 48 kHz. */
static void test_rtp_event_relay_rfc4733_2_5_1_3_segments_are_made(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    agw_rtp_event_packet packet;
    uint32_t last = 0;
    for (unsigned ms = 20; ms <= 2000; ms += 20, now += AGW_MS(20)) {
        uint8_t payload[4];
        agw_rtp_event e = {.event = 3, .end = ms == 2000, .duration = (uint16_t)(ms * 8)};
        agw_rtp_event_write(&e, payload);
        CU_ASSERT_EQUAL(agw_event_relay_put(&r, payload, 4, 77, 8000, now), AGW_OK);
        agw_event_relay_next(&r, 20, 48000, now, &packet);
        CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, packet.payload, 4), AGW_OK);
        CU_ASSERT_EQUAL(packet.offset % 0xffff, 0);
        CU_ASSERT_TRUE(packet.offset + e.duration >= last);
        CU_ASSERT_EQUAL(e.end, ms == 2000);
        last = packet.offset + e.duration;
    }
    CU_ASSERT_EQUAL(last, 2 * 48000);
    CU_ASSERT_EQUAL(packet.offset, 0xffff);
}

static void test_rtp_event_relay_lost_ends_end_it(void)
{
    agw_event_relay r = {0};
    agw_ns now = AGW_S(1);
    n_heard = 0;
    for (unsigned i = 1; i <= 3; i++, now += AGW_MS(20)) {
        CU_ASSERT_EQUAL(put(&r, 9, false, (uint16_t)(i * 960), 1000, now), AGW_OK);
        step(&r, 1000 + i * 960, now);
    }
    for (unsigned i = 0; i < 15; i++, now += AGW_MS(20))
        step(&r, 9000, now);
    CU_ASSERT_TRUE_FATAL(n_heard > 3);
    CU_ASSERT_TRUE(heard[n_heard - 1].event.end && heard[n_heard - 3].event.end);
    CU_ASSERT_FALSE(heard[n_heard - 4].event.end);
    CU_ASSERT_EQUAL(heard[n_heard - 1].event.duration, 480);
    CU_ASSERT_FALSE(agw_event_relay_is_due(&r, 9000, now));
}

static void test_rtp_event_relay_repeated_ends_are_no_new_digit(void)
{
    agw_event_relay r = {0};
    const agw_ns now = AGW_S(1);
    CU_ASSERT_EQUAL(put(&r, 9, true, 960, 1000, now), AGW_OK);
    n_heard = 0;
    step(&r, 1000, now);
    CU_ASSERT_EQUAL(put(&r, 9, true, 960, 1000, now + AGW_MS(60)), AGW_OK);
    CU_ASSERT_FALSE(agw_event_relay_is_due(&r, 2000, now + AGW_MS(60)));
}

static void test_rtp_event_relay_queue_is_bounded(void)
{
    agw_event_relay r = {0};
    const agw_ns now = AGW_S(1);
    for (unsigned i = 0; i < AGW_EVENT_RELAY_QUEUE - 1; i++)
        CU_ASSERT_EQUAL(put(&r, 9, true, 960, 1000 + i * 5000, now), AGW_OK);
    CU_ASSERT_EQUAL(put(&r, 9, true, 960, 900000, now), AGW_ERR_LIMIT);
    CU_ASSERT_EQUAL(agw_event_relay_put(&r, (const uint8_t *)"\1\2\3", 3, 0, IN_HZ, now),
                    AGW_ERR_TRUNCATED);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_event_relay_rfc4733_2_5_1_one_digit),
    AGW_CASE(test_rtp_event_relay_waits_for_the_audio_before_it),
    AGW_CASE(test_rtp_event_relay_all_digits_keep_order_and_length),
    AGW_CASE(test_rtp_event_relay_rfc4733_2_5_1_3_long_digits_change_segments),
    AGW_CASE(test_rtp_event_relay_rfc4733_2_5_1_3_chromium_segments_are_one_event),
    AGW_CASE(test_rtp_event_relay_rfc4733_2_5_1_3_segments_are_made),
    AGW_CASE(test_rtp_event_relay_lost_ends_end_it),
    AGW_CASE(test_rtp_event_relay_repeated_ends_are_no_new_digit),
    AGW_CASE(test_rtp_event_relay_queue_is_bounded),
};

AGW_UNIT_MAIN("rtp_event_relay", cases)
