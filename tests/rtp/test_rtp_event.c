/* SPDX-License-Identifier: BSD-3-Clause
 * Telephone events (RFC 4733): payload, one digit of many packets, packets of one digit. */
#include "rtp/event.h"
#include "tests/rtp/libwebrtc_dtmf.h"
#include "unit.h"

#include <string.h>

enum { SSRC = 7, HZ = 8000, STEP = 160 };

/* --- payload -----------------------------------------------------------------------------------
 */

static void test_rtp_event_rfc4733_2_3_payload(void)
{
    static const uint8_t PAYLOAD[] = {11, 0x80 | 0x40 | 10, 0x07, 0xd0}; /* R bit is ignored */
    agw_rtp_event e;
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, PAYLOAD, sizeof PAYLOAD), AGW_OK);
    CU_ASSERT_TRUE(e.event == 11 && e.end && e.volume == 10 && e.duration == 2000);
    uint8_t out[AGW_RTP_EVENT_BYTES];
    agw_rtp_event_write(&e, out);
    CU_ASSERT_EQUAL(out[1], 0x80 | 10);
    CU_ASSERT_EQUAL(memcmp(out + 2, PAYLOAD + 2, 2), 0);
    CU_ASSERT_EQUAL(agw_rtp_event_parse(&e, PAYLOAD, 3), AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(agw_rtp_event_parse(&e, PAYLOAD, 0), AGW_ERR_TRUNCATED);
}

static void test_rtp_event_rfc4733_3_2_digits_have_characters(void)
{
    static const char CHARS[] = "0123456789*#ABCD";
    for (uint8_t i = 0; i < AGW_RTP_EVENT_DIGITS; i++) {
        CU_ASSERT_EQUAL(agw_rtp_event_char(i), CHARS[i]);
        CU_ASSERT_EQUAL(agw_rtp_event_of_char(CHARS[i]), i);
    }
    CU_ASSERT_EQUAL(agw_rtp_event_of_char('d'), 15);
    CU_ASSERT_EQUAL(agw_rtp_event_of_char('e'), -1);
    CU_ASSERT_EQUAL(agw_rtp_event_of_char('\0'), -1);
    CU_ASSERT_EQUAL(agw_rtp_event_char(16), '?');
}

/* --- hearing -----------------------------------------------------------------------------------
 */

typedef struct ear {
    agw_rtp_event_in in;
    agw_ns now;
    uint32_t hz;
    agw_rtp_digit last;
    unsigned told;
} ear;

static ear new_ear(uint32_t hz)
{
    return (ear){.hz = hz, .now = AGW_S(1)};
}

static void hear(ear *e, uint32_t timestamp, uint8_t event, uint16_t duration, bool end)
{
    const agw_rtp_event ev = {.event = event, .end = end, .volume = 9, .duration = duration};
    e->now += AGW_MS(20);
    e->told += agw_rtp_event_take(&e->in, &ev, SSRC, timestamp, e->hz, e->now, &e->last);
}

static void press(ear *e, uint32_t timestamp, uint8_t event, unsigned packets)
{
    for (unsigned i = 1; i <= packets; i++)
        hear(e, timestamp, event, (uint16_t)(i * e->hz / 50), i == packets);
    hear(e, timestamp, event, (uint16_t)(packets * e->hz / 50), true);
    hear(e, timestamp, event, (uint16_t)(packets * e->hz / 50), true);
}

static void test_rtp_event_rfc4733_2_5_2_3_one_digit_is_told_once(void)
{
    static const uint32_t CLOCKS[] = {8000, 16000, 48000};
    for (size_t i = 0; i < sizeof CLOCKS / sizeof CLOCKS[0]; i++) {
        ear e = new_ear(CLOCKS[i]);
        press(&e, 1000, 5, 10);
        CU_ASSERT_EQUAL(e.told, 1);
        CU_ASSERT_TRUE(e.last.event == 5 && e.last.volume == 9 && e.last.duration_ms == 200);
        press(&e, 100000, 5, 5);
        CU_ASSERT_EQUAL(e.told, 2); /* the same digit again */
        CU_ASSERT_EQUAL(e.last.duration_ms, 100);
    }
}

static void test_rtp_event_rfc4733_2_5_2_3_lost_ends_are_told_by_the_next_digit(void)
{
    ear e = new_ear(HZ);
    hear(&e, 1000, 1, STEP, false);
    hear(&e, 1000, 1, 2 * STEP, false);
    hear(&e, 5000, 2, STEP, true); /* only ends of the second came */
    CU_ASSERT_TRUE(e.told == 1 && e.last.event == 1 && e.last.duration_ms == 40);
    hear(&e, 5000, 2, STEP, true);
    CU_ASSERT_TRUE(e.told == 2 && e.last.event == 2);
    hear(&e, 5000, 2, STEP, true);
    CU_ASSERT_EQUAL(e.told, 2);
}

static void test_rtp_event_lost_ends_are_told_when_audio_goes_on(void)
{
    ear e = new_ear(HZ);
    agw_rtp_digit digit;
    hear(&e, 1000, 1, STEP, false);
    CU_ASSERT_FALSE(agw_rtp_event_ended(&e.in, e.now + AGW_MS(199), &digit));
    CU_ASSERT_TRUE(agw_rtp_event_ended(&e.in, e.now + AGW_MS(200), &digit));
    CU_ASSERT_EQUAL(digit.event, 1);
    CU_ASSERT_FALSE(agw_rtp_event_ended(&e.in, e.now + AGW_MS(300), &digit));
}

static void test_rtp_event_late_packets_of_a_former_digit_tell_nothing(void)
{
    ear e = new_ear(HZ);
    press(&e, 1000, 1, 3);
    hear(&e, 5000, 2, STEP, false);
    hear(&e, 1000, 1, 3 * STEP, true);
    CU_ASSERT_EQUAL(e.told, 1);
    hear(&e, 5000, 2, 2 * STEP, true);
    CU_ASSERT_TRUE(e.told == 2 && e.last.event == 2);
}

static void test_rtp_event_rfc4733_2_5_1_3_segments_are_one_digit(void)
{
    ear e = new_ear(HZ);
    hear(&e, 0xfffff000, 3, 0xff00, false);
    hear(&e, 0xfffff000, 3, 0xffff, false);
    hear(&e, 0xfffff000 + 0xffff, 3, 800, false); /* and the timestamp wraps */
    hear(&e, 0xfffff000 + 0xffff, 3, 8001, true);
    CU_ASSERT_EQUAL(e.told, 1);
    CU_ASSERT_EQUAL(e.last.duration_ms, (0xffff + 8001) / 8);
}

/* insertDTMF at 48 kHz, of so many ms; what says that a segment is full may be lost. */
static void insert_dtmf(ear *e, uint8_t event, uint32_t begin, uint32_t ms, uint32_t packet_ms,
                        bool full_is_lost)
{
    libwebrtc_dtmf d = {.event = event, .begin = begin, .left = ms * 48, .step = packet_ms * 48};
    libwebrtc_packet packets[2 * LIBWEBRTC_ENDS];
    for (size_t n; (n = libwebrtc_next(&d, packets)) != 0;) {
        for (size_t i = 0; i < n; i++) {
            const agw_rtp_event *ev = &packets[i].event;
            if (!full_is_lost || ev->duration != LIBWEBRTC_SEGMENT)
                hear(e, packets[i].timestamp, ev->event, ev->duration, ev->end);
        }
    }
}

/* Longest of the API: 6 s. The sender's own count is off by up to a packet a segment. */
static void test_rtp_event_rfc4733_2_5_1_3_chromium_segments_are_one_digit(void)
{
    static const uint32_t LENGTHS_MS[] = {1360, 1366, 1370, 1400, 2750, 3000, 6000};
    static const uint32_t PACKETS_MS[] = {10, 20, 60, 120};
    for (size_t i = 0; i < sizeof LENGTHS_MS / sizeof LENGTHS_MS[0]; i++) {
        for (size_t k = 0; k < 2 * sizeof PACKETS_MS / sizeof PACKETS_MS[0]; k++) {
            const uint32_t ms = LENGTHS_MS[i], packet_ms = PACKETS_MS[k / 2];
            ear e = new_ear(48000);
            insert_dtmf(&e, 5, 0xffff0000, ms, packet_ms, k % 2 != 0);
            CU_ASSERT_EQUAL(e.told, 1);
            CU_ASSERT_EQUAL(e.last.event, 5);
            CU_ASSERT_TRUE(e.last.duration_ms + packet_ms >= ms);
            CU_ASSERT_TRUE(e.last.duration_ms <= ms + 5 * packet_ms);
            insert_dtmf(&e, 5, 0xffff0000 + (ms + 6 * packet_ms) * 48, 100, packet_ms, false);
            CU_ASSERT_EQUAL(e.told, 2);
        }
    }
}

/* What only looks like a segment: the same digit again, a second and a half later. */
static void test_rtp_event_rfc4733_2_5_1_3_what_is_not_full_does_not_go_on(void)
{
    const agw_rtp_event open = {.event = 5, .duration = 60000};
    const agw_rtp_event full = {.event = 5, .duration = 0xffff};
    const agw_rtp_event full_end = {.event = 5, .end = true, .duration = 0xffff};
    const agw_rtp_event next = {.event = 5, .duration = 705};
    const agw_rtp_event next_end = {.event = 5, .end = true, .duration = 705};
    const agw_rtp_event other = {.event = 6, .duration = 705};
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&full, &next, 0xffff, 48000));
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&full, &next, 66240, 48000));
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&full, &next, 0xffff + 6000, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(&full, &next, 0xffff + 6001, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(&full, &next, 0xfffe, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(&full, &other, 0xffff, 48000));
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&open, &next, 66240, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(&(agw_rtp_event){.event = 5, .duration = 59534}, &next,
                                          66240, 48000));
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&(agw_rtp_event){.event = 5, .duration = 59535}, &next,
                                         66240, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(&full_end, &next, 66240, 48000));
    CU_ASSERT_TRUE(agw_rtp_event_goes_on(&full_end, &next_end, 66240, 48000));
    CU_ASSERT_FALSE(agw_rtp_event_goes_on(
        &(agw_rtp_event){.event = 5, .end = true, .duration = 62400}, &next_end, 67200, 48000));
}

static void test_rtp_event_other_events_are_not_digits(void)
{
    ear e = new_ear(HZ);
    press(&e, 1000, 16, 3); /* flash hook */
    CU_ASSERT_EQUAL(e.told, 0);
    press(&e, 1000, 15, 3);
    CU_ASSERT_EQUAL(e.told, 1);
}

static void test_rtp_event_another_ssrc_begins_anew(void)
{
    ear e = new_ear(HZ);
    agw_rtp_digit digit;
    press(&e, 100000, 1, 3);
    const agw_rtp_event ev = {.event = 1, .end = true, .duration = STEP};
    CU_ASSERT_TRUE(agw_rtp_event_take(&e.in, &ev, SSRC + 1, 5, HZ, e.now, &digit));
}

/* --- playing -----------------------------------------------------------------------------------
 */

static const agw_rtp_event_order FIVE = {
    .event = 5, .volume = 8, .duration_ms = 100, .pause_ms = 100};

static void test_rtp_event_rfc4733_2_5_1_a_digit_is_played(void)
{
    agw_rtp_event_out out = {0};
    agw_rtp_event_packet p;
    agw_rtp_event e;
    agw_ns now = AGW_S(9);
    CU_ASSERT_EQUAL(agw_rtp_event_deadline(&out), AGW_NEVER);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_push(&out, &FIVE, now), AGW_OK);
    for (unsigned i = 1; i <= 7; i++) { /* 4 that go on, 3 ends */
        CU_ASSERT_EQUAL(agw_rtp_event_deadline(&out), now);
        CU_ASSERT_TRUE_FATAL(agw_rtp_event_next(&out, HZ, now, &p));
        CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, p.payload, sizeof p.payload), AGW_OK);
        CU_ASSERT_TRUE(e.event == 5 && e.volume == 8 && p.offset == 0);
        CU_ASSERT_EQUAL(p.marker, i == 1);
        CU_ASSERT_EQUAL(e.end, i >= 5);
        CU_ASSERT_EQUAL(e.duration, i < 5 ? i * STEP : 5 * STEP);
        CU_ASSERT_FALSE(agw_rtp_event_next(&out, HZ, now, &p)); /* one at a time */
        now += AGW_MS(20);
    }
    CU_ASSERT_EQUAL(agw_rtp_event_deadline(&out), AGW_NEVER);
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_push(&out, &FIVE, now), AGW_OK); /* 20 ms after the end */
    CU_ASSERT_EQUAL(agw_rtp_event_deadline(&out), now + AGW_MS(80));
}

static void test_rtp_event_rfc4733_2_5_1_3_a_long_digit_has_segments(void)
{
    const agw_rtp_event_order order = {.event = 1, .duration_ms = 5000, .pause_ms = 100};
    agw_rtp_event_out out = {0};
    agw_rtp_event_packet p;
    agw_rtp_event_in in = {0};
    agw_rtp_event e;
    agw_rtp_digit digit = {0};
    unsigned told = 0, segments = 0;
    uint32_t last = 0;
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_push(&out, &order, AGW_S(1)), AGW_OK);
    for (agw_ns at; (at = agw_rtp_event_deadline(&out)) != AGW_NEVER;) {
        CU_ASSERT_TRUE_FATAL(agw_rtp_event_next(&out, 48000, at, &p));
        CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, p.payload, sizeof p.payload), AGW_OK);
        segments += p.offset != last;
        last = p.offset;
        told += agw_rtp_event_take(&in, &e, SSRC, 77 + p.offset, 48000, at, &digit);
    }
    CU_ASSERT_EQUAL(segments, 3); /* 240000 units */
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(digit.duration_ms, 5000);
}

static void test_rtp_event_queue_is_bounded(void)
{
    agw_rtp_event_out out = {0};
    agw_rtp_event_packet p;
    for (int i = 0; i < AGW_RTP_EVENT_QUEUE; i++)
        CU_ASSERT_EQUAL(agw_rtp_event_push(&out, &FIVE, AGW_S(1)), AGW_OK);
    CU_ASSERT_EQUAL(agw_rtp_event_push(&out, &FIVE, AGW_S(1)), AGW_ERR_LIMIT);
    unsigned markers = 0;
    for (agw_ns at; (at = agw_rtp_event_deadline(&out)) != AGW_NEVER;)
        markers += agw_rtp_event_next(&out, HZ, at, &p) && p.marker;
    CU_ASSERT_EQUAL(markers, AGW_RTP_EVENT_QUEUE);
}

static void test_rtp_event_a_late_turn_makes_no_burst(void)
{
    agw_rtp_event_out out = {0};
    agw_rtp_event_packet p;
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_push(&out, &FIVE, AGW_S(1)), AGW_OK);
    CU_ASSERT_TRUE(agw_rtp_event_next(&out, HZ, AGW_S(1), &p));
    CU_ASSERT_TRUE(agw_rtp_event_next(&out, HZ, AGW_S(2), &p));
    CU_ASSERT_EQUAL(agw_rtp_event_deadline(&out), AGW_S(2) + AGW_MS(20));
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_rtp_event_rfc4733_2_3_payload),
    AGW_CASE(test_rtp_event_rfc4733_3_2_digits_have_characters),
    AGW_CASE(test_rtp_event_rfc4733_2_5_2_3_one_digit_is_told_once),
    AGW_CASE(test_rtp_event_rfc4733_2_5_2_3_lost_ends_are_told_by_the_next_digit),
    AGW_CASE(test_rtp_event_lost_ends_are_told_when_audio_goes_on),
    AGW_CASE(test_rtp_event_late_packets_of_a_former_digit_tell_nothing),
    AGW_CASE(test_rtp_event_rfc4733_2_5_1_3_segments_are_one_digit),
    AGW_CASE(test_rtp_event_rfc4733_2_5_1_3_chromium_segments_are_one_digit),
    AGW_CASE(test_rtp_event_rfc4733_2_5_1_3_what_is_not_full_does_not_go_on),
    AGW_CASE(test_rtp_event_other_events_are_not_digits),
    AGW_CASE(test_rtp_event_another_ssrc_begins_anew),
    AGW_CASE(test_rtp_event_rfc4733_2_5_1_a_digit_is_played),
    AGW_CASE(test_rtp_event_rfc4733_2_5_1_3_a_long_digit_has_segments),
    AGW_CASE(test_rtp_event_queue_is_bounded),
    AGW_CASE(test_rtp_event_a_late_turn_makes_no_burst),
};

AGW_UNIT_MAIN("rtp_event", cases)
