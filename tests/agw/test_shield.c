/* SPDX-License-Identifier: BSD-3-Clause
 * What the browser hears of the phone's digits while they are blocked: nothing, other digits,
 * silence, a tone. */
#include "codecs/g711.h"
#include "tests/agw/lab.h"
#include "tests/rtp/libwebrtc_dtmf.h"
#include "unit.h"

#include <math.h>

enum {
    SSRC_PHONE = 0x22,
    EVENT = 101,
    OTHER_EVENT = 102, /* of another clock */
    UNITS = 160,
    HZ = 8000,
    PACKETS = 6, /* of a digit: five of 20 ms and another end */
};

static const agw_audio_plan PCMA = {
    .pt = LAB_PT_AUDIO,
    .format = {.id = AGW_CODEC_PCMA, .channels = 1, .ptime_ms = 20, .clock_hz = HZ},
};

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static lab_call *first(lab *l)
{
    return &l->calls[0];
}

static lab *talk(const agw_shield_plan *shield)
{
    lab *l = lab_new();
    agw_end_plan *end = &first(l)->plan->medias[0].end[AGW_SIDE_B];
    end->pts[end->n_pts++] =
        (agw_pt_plan){.ingress = EVENT, .egress = EVENT, .is_event = true, .clock_hz = HZ};
    end->pts[end->n_pts++] = (agw_pt_plan){
        .ingress = OTHER_EVENT, .egress = OTHER_EVENT, .is_event = true, .clock_hz = 48000};
    end->acts = AGW_ACT_BLOCK_DTMF;
    end->shield = *shield;
    end->n_audios = 1;
    end->audios = &PCMA;
    lab_apply(l, first(l));
    lab_connect(l, first(l), browser());
    return l;
}

static void phone_sends(lab *l, uint8_t pt, uint16_t seq, uint32_t timestamp,
                        const uint8_t *payload, size_t len)
{
    uint8_t rtp[AGW_RTP_HEADER_MIN + UNITS] = {0x80, pt};
    agw_put16(rtp + 2, seq);
    agw_put32(rtp + 4, timestamp);
    agw_put32(rtp + 8, SSRC_PHONE);
    memcpy(rtp + AGW_RTP_HEADER_MIN, payload, len);
    l->now += AGW_MS(20);
    lab_say(l, &first(l)->core[0], lab_phone(l, first(l), 0), rtp, AGW_RTP_HEADER_MIN + len);
    lab_turn(l);
}

static void phone_speaks(lab *l, uint16_t seq, uint32_t timestamp)
{
    uint8_t speech[UNITS];
    memset(speech, 0x11, sizeof speech);
    phone_sends(l, LAB_PT_AUDIO, seq, timestamp, speech, UNITS);
}

/* Packet i of a digit, which lasts 100 ms. */
static void phone_presses(lab *l, uint8_t pt, uint8_t digit, uint16_t seq, uint32_t timestamp,
                          size_t i)
{
    uint8_t payload[AGW_RTP_EVENT_BYTES];
    const size_t n = i < 4 ? i + 1 : 5;
    const agw_rtp_event event = {
        .event = digit, .end = n == 5, .volume = 3, .duration = (uint16_t)(n * UNITS)};
    agw_rtp_event_write(&event, payload);
    phone_sends(l, pt, seq, timestamp, payload, sizeof payload);
}

static lab_out *to_browser(lab *l)
{
    return lab_to_browser(l, first(l));
}

static void test_shield_drop_lets_nothing_through(void)
{
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_DROP});
    phone_speaks(l, 1, 0);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    for (size_t i = 0; i < PACKETS; i++) {
        phone_presses(l, EVENT, 5, (uint16_t)(2 + i), UNITS, i);
        CU_ASSERT_PTR_NULL(to_browser(l));
    }
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_BLOCKED_DTMF), PACKETS);
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1); /* control is told all the same */
    lab_end(l);
}

/* Every packet of the digit says another one, at another volume; the rest is as it was. */
static void test_shield_another_digit_takes_its_place(void)
{
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_DIGIT, .digit = 0, .volume = 12});
    phone_speaks(l, 1, 0);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    for (size_t i = 0; i < PACKETS; i++) {
        phone_presses(l, EVENT, 5, (uint16_t)(2 + i), UNITS, i);
        const lab_out *out = to_browser(l);
        agw_rtp_event event;
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(out->data[1] & 0x7f, EVENT);
        CU_ASSERT_EQUAL(agw_get16(out->data + 2), 2 + i);
        CU_ASSERT_EQUAL(agw_rtp_event_parse(&event, out->data + 12, out->len - 12), AGW_OK);
        CU_ASSERT_EQUAL(event.event, 0);
        CU_ASSERT_EQUAL(event.volume, 12);
        CU_ASSERT_EQUAL(event.end, i >= 4);
        CU_ASSERT_EQUAL(event.duration, (i < 4 ? i + 1 : 5) * UNITS);
    }
    CU_ASSERT_EQUAL(lab_events(first(l), AGW_EVENT_DTMF), 1);
    CU_ASSERT_EQUAL(first(l)->events[first(l)->n_events - 1].dtmf.digit, '5');
    lab_end(l);
}

static void test_shield_random_digits_are_one_a_press(void)
{
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_RANDOM});
    uint32_t seen = 0;
    uint16_t seq = 0;
    for (uint32_t press = 0; press < 40; press++) {
        int digit = -1;
        for (size_t i = 0; i < PACKETS; i++) {
            phone_presses(l, EVENT, 5, ++seq, press * 10 * UNITS, i);
            const lab_out *out = to_browser(l);
            CU_ASSERT_PTR_NOT_NULL_FATAL(out);
            CU_ASSERT_TRUE(digit == -1 || digit == out->data[12]);
            digit = out->data[12];
        }
        CU_ASSERT_TRUE(digit >= 0 && digit < AGW_RTP_EVENT_DIGITS);
        seen |= 1u << digit;
    }
    CU_ASSERT_TRUE(__builtin_popcount(seen) > 3); /* never in 16^36 */
    lab_end(l);
}

/* One press of six seconds, in segments as RFC 4733 section 2.5.1.3 has them and as Chromium has
 * them: one stand-in. */
static void test_shield_rfc4733_2_5_1_3_a_long_press_keeps_its_stand_in(void)
{
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_RANDOM});
    libwebrtc_packet packets[2 * LIBWEBRTC_ENDS];
    uint16_t seq = 0;
    for (uint32_t press = 0; press < 20; press++) {
        libwebrtc_dtmf d = {
            .event = 5, .begin = press * 7 * 48000, .left = 6 * 48000, .step = 20 * 48};
        int digit = -1;
        for (size_t n; (n = libwebrtc_next(&d, packets)) != 0;) {
            for (size_t i = 0; i < n; i++) {
                uint8_t payload[AGW_RTP_EVENT_BYTES];
                agw_rtp_event_write(&packets[i].event, payload);
                const uint32_t shift = packets[i].timestamp - d.begin;
                const uint32_t conforming = d.begin + shift / 66240 * 0xffff;
                phone_sends(l, OTHER_EVENT, ++seq,
                            press % 2 != 0 ? packets[i].timestamp : conforming, payload,
                            sizeof payload);
                const lab_out *out = to_browser(l);
                CU_ASSERT_PTR_NOT_NULL_FATAL(out);
                CU_ASSERT_TRUE(digit == -1 || digit == out->data[12]);
                digit = out->data[12];
            }
        }
        CU_ASSERT_TRUE(d.segment > 3 * 0xffff);
    }
    lab_end(l);
}

/* Five packets of audio, one after the other in time, for the 100 ms of the digit; what repeats the
 * end is left out, and takes no number. Returns the loudest sample; sound: of 100 ms. */
static int presses_sound(lab *l, uint16_t seq, uint16_t egress_seq, uint32_t timestamp,
                         int16_t sound[5 * UNITS])
{
    int loudest = 0;
    for (size_t i = 0; i < PACKETS; i++) {
        phone_presses(l, EVENT, 5, (uint16_t)(seq + i), timestamp, i);
        const lab_out *out = to_browser(l);
        CU_ASSERT_EQUAL(out == NULL, i >= 5);
        if (out == NULL)
            continue;
        CU_ASSERT_EQUAL(out->data[1] & 0x7f, LAB_PT_AUDIO);
        CU_ASSERT_EQUAL(agw_get16(out->data + 2), egress_seq + i);
        CU_ASSERT_EQUAL(agw_get32(out->data + 4), timestamp + i * UNITS);
        CU_ASSERT_EQUAL_FATAL(out->len, AGW_RTP_HEADER_MIN + UNITS);
        for (size_t k = 0; k < UNITS; k++) {
            const int16_t v = agw_pcma_decode(out->data[AGW_RTP_HEADER_MIN + k]);
            sound[i * UNITS + k] = v;
            loudest = abs(v) > loudest ? abs(v) : loudest;
        }
    }
    return loudest;
}

static void test_shield_silence_is_audio(void)
{
    int16_t sound[5 * UNITS];
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_SILENCE});
    phone_speaks(l, 1, 0);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    CU_ASSERT_TRUE(presses_sound(l, 2, 2, UNITS, sound) <= 8);
    phone_speaks(l, 8, 6 * UNITS);
    const lab_out *out = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(out->data[AGW_RTP_HEADER_MIN], 0x11);
    CU_ASSERT_EQUAL(agw_get16(out->data + 2), 7);
    CU_ASSERT_EQUAL(out->data[1], LAB_PT_AUDIO); /* no pause, no marker */
    lab_end(l);
}

static double share_of(const int16_t *pcm, size_t n, unsigned hz)
{
    double re = 0, im = 0, power = 0;
    for (size_t i = 0; i < n; i++) {
        re += pcm[i] * cos(2 * M_PI * hz * (double)i / HZ);
        im += pcm[i] * sin(2 * M_PI * hz * (double)i / HZ);
        power += (double)pcm[i] * pcm[i];
    }
    return 2 * (re * re + im * im) / (power * (double)n);
}

/* 10 dB below 0 dBm0, which is 3.14 dB below full scale; the next digit has the next tone, and the
 * third the first again. */
static void test_shield_tones_take_turns(void)
{
    static const unsigned TONES[] = {400, 1000, 400};
    int16_t sound[5 * UNITS];
    lab *l =
        talk(&(agw_shield_plan){.mode = AGW_SHIELD_TONE, .volume = 10, .tones_hz = {400, 1000}});
    phone_speaks(l, 1, 0);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    for (uint16_t i = 0; i < 3; i++) {
        const uint32_t timestamp = (1 + 10U * i) * UNITS;
        const int loudest = presses_sound(l, (uint16_t)(2 + i * PACKETS),
                                          (uint16_t)(2 + i * (PACKETS - 1)), timestamp, sound);
        CU_ASSERT_TRUE(loudest > 6800 && loudest < 7600);
        CU_ASSERT_TRUE(share_of(sound, 5 * UNITS, TONES[i]) > 0.99);
    }
    lab_end(l);
}

/* The tone of a press of 9 s at 8 kHz, in two segments; the next press has the next one. */
static void test_shield_rfc4733_2_5_1_3_a_long_press_keeps_its_tone(void)
{
    static const uint32_t SEGMENTS[] = {0, 0xffff, 1000000};
    static const unsigned TONES[] = {400, 400, 1000};
    int16_t sound[5 * UNITS];
    lab *l =
        talk(&(agw_shield_plan){.mode = AGW_SHIELD_TONE, .volume = 10, .tones_hz = {400, 1000}});
    uint8_t payload[AGW_RTP_EVENT_BYTES];
    uint16_t seq = 1;
    phone_speaks(l, seq, 0);
    for (size_t i = 0; i < 3; i++) {
        size_t heard = 0;
        for (uint16_t n = 1; n <= 5; n++) {
            agw_rtp_event event = {.event = 5, .duration = (uint16_t)(n * UNITS)};
            agw_rtp_event_write(&event, payload);
            phone_sends(l, EVENT, ++seq, SEGMENTS[i], payload, sizeof payload);
            const lab_out *out = to_browser(l);
            CU_ASSERT_PTR_NOT_NULL_FATAL(out);
            CU_ASSERT_EQUAL_FATAL(out->len, AGW_RTP_HEADER_MIN + UNITS);
            for (size_t k = 0; k < UNITS; k++)
                sound[heard++] = agw_pcma_decode(out->data[AGW_RTP_HEADER_MIN + k]);
        }
        CU_ASSERT_TRUE(share_of(sound, 5 * UNITS, TONES[i]) > 0.99);
        agw_rtp_event_write(&(agw_rtp_event){.event = 5, .end = i != 0, .duration = 0xffff},
                            payload);
        phone_sends(l, EVENT, ++seq, SEGMENTS[i], payload, sizeof payload);
    }
    lab_end(l);
}

/* Audio cannot stand at another clock's timestamps. */
static void test_shield_no_audio_in_place_of_another_clock(void)
{
    lab *l = talk(&(agw_shield_plan){.mode = AGW_SHIELD_SILENCE});
    phone_speaks(l, 1, 0);
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    phone_presses(l, OTHER_EVENT, 5, 2, UNITS, 4);
    CU_ASSERT_PTR_NULL(to_browser(l));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_BLOCKED_DTMF), 1);
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_shield_drop_lets_nothing_through),
    AGW_CASE(test_shield_another_digit_takes_its_place),
    AGW_CASE(test_shield_random_digits_are_one_a_press),
    AGW_CASE(test_shield_rfc4733_2_5_1_3_a_long_press_keeps_its_stand_in),
    AGW_CASE(test_shield_silence_is_audio),
    AGW_CASE(test_shield_tones_take_turns),
    AGW_CASE(test_shield_rfc4733_2_5_1_3_a_long_press_keeps_its_tone),
    AGW_CASE(test_shield_no_audio_in_place_of_another_clock),
};

AGW_UNIT_MAIN("shield", cases)
