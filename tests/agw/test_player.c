/* SPDX-License-Identifier: BSD-3-Clause
 * Files and tones that a party hears in place of the other one, on virtual time: what is in the
 * packets, their numbers, and what comes before and behind. */
#include "codecs/audio.h"
#include "codecs/g711.h"
#include "codecs/tones.h"
#include "tests/agw/lab.h"
#include "unit.h"

#include <math.h>

enum {
    SSRC_BROWSER = 0x11,
    SSRC_PHONE = 0x22,
    EVENT = 101,
    UNITS = 160, /* of 20 ms */
    HZ = 8000,
    LEVEL = 8000,
};

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static lab_call *first(lab *l)
{
    return &l->calls[0];
}

static lab *talk(void)
{
    lab *l = lab_new();
    for (int side = 0; side < 2; side++) {
        agw_end_plan *end = &first(l)->plan->medias[0].end[side];
        end->pts[end->n_pts++] =
            (agw_pt_plan){.ingress = EVENT, .egress = EVENT, .is_event = true, .clock_hz = HZ};
    }
    lab_apply(l, first(l));
    lab_connect(l, first(l), browser());
    return l;
}

static void browser_says(lab *l, uint16_t seq)
{
    l->now += AGW_MS(20);
    lab_browser_rtp(l, first(l), browser(), LAB_PT_AUDIO, SSRC_BROWSER, seq);
    lab_turn(l);
}

static void phone_says(lab *l, uint16_t seq)
{
    l->now += AGW_MS(20);
    lab_phone_rtp(l, first(l), 0, lab_phone(l, first(l), 0), LAB_PT_AUDIO, SSRC_PHONE, seq);
    lab_turn(l);
}

static void silence(lab *l)
{
    l->now += AGW_MS(20);
    lab_turn(l);
}

static const lab_out *out_to_phone(lab *l)
{
    return lab_sent(l, &first(l)->core[0], AGW_PKT_RTP, 0);
}

static const uint8_t *to_phone(lab *l)
{
    const lab_out *out = out_to_phone(l);
    return out != NULL ? out->data : NULL;
}

static const uint8_t *to_browser(lab *l)
{
    const lab_out *out = lab_to_browser(l, first(l));
    return out != NULL ? out->data : NULL;
}

/* Steps of 20 ms, each with a level of its own: 1, 2, 3 ... times LEVEL / 10. */
static agw_audio *stairs(size_t packets)
{
    agw_audio *a = agw_audio_new(HZ, packets * UNITS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    for (size_t i = 0; i < a->n_samples; i++)
        a->samples[i] = (int16_t)(LEVEL / 10 * (int)(i / UNITS + 1));
    return a;
}

/* Which stair a packet is; 0 = none. */
static int stair(const uint8_t *rtp)
{
    if (rtp == NULL || (rtp[1] & 0x7f) != LAB_PT_AUDIO)
        return 0;
    const int first_sample = agw_pcma_decode(rtp[AGW_RTP_HEADER_MIN]);
    const int last_sample = agw_pcma_decode(rtp[AGW_RTP_HEADER_MIN + UNITS - 1]);
    return first_sample == last_sample ? (first_sample * 10 + LEVEL / 2) / LEVEL : 0;
}

static uint64_t position(lab *l, agw_side to)
{
    return agw_counter_get(&first(l)->stats[0].end[to].played_ms);
}

static void play(lab *l, agw_side to, agw_play_order order)
{
    lab_play_media(l, first(l), to, order);
}

/* --- files -------------------------------------------------------------------------------------
 */

static void test_player_a_file_takes_the_place_of_the_browsers_audio(void)
{
    lab *l = talk();
    for (uint16_t seq = 1; seq <= 5; seq++)
        browser_says(l, seq);
    play(l, AGW_SIDE_B, (agw_play_order){.audio = stairs(4)});
    CU_ASSERT_PTR_NULL(to_phone(l)); /* it waits for a packet to follow */
    browser_says(l, 6);
    CU_ASSERT_EQUAL_FATAL(agw_get16(to_phone(l) + 2), 6);
    for (uint16_t i = 1; i <= 4; i++) {
        browser_says(l, (uint16_t)(6 + i));
        const lab_out *out = out_to_phone(l);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(out->len, AGW_RTP_HEADER_MIN + UNITS);
        CU_ASSERT_EQUAL(stair(out->data), i);
        CU_ASSERT_EQUAL(out->data[1] >> 7, i == 1); /* the marker */
        CU_ASSERT_EQUAL(agw_get16(out->data + 2), 6 + i);
        CU_ASSERT_EQUAL(agw_get32(out->data + 4), (6u + i) * UNITS);
        CU_ASSERT_EQUAL(agw_get32(out->data + 8), SSRC_BROWSER);
        CU_ASSERT_EQUAL(position(l, AGW_SIDE_B), 20u * i);
        if (i < 4)
            CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_PLAYING), i);
    }
    CU_ASSERT_EQUAL(first(l)->played, 1); /* control has it back */
    const uint16_t seq = 11;
    browser_says(l, seq); /* its audio goes on behind it, in its own time */
    CU_ASSERT_PTR_NOT_NULL_FATAL(to_phone(l));
    CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 4), seq * (uint32_t)UNITS);
    lab_end(l);
}

static void test_player_a_silent_party_is_played_for_all_the_same(void)
{
    lab *l = talk();
    play(l, AGW_SIDE_B, (agw_play_order){.audio = stairs(3)});
    for (int i = 0; i < 4; i++) {
        silence(l);
        CU_ASSERT_PTR_NULL(to_phone(l));
    }
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 1);
    const uint32_t ssrc = agw_get32(to_phone(l) + 8), timestamp = agw_get32(to_phone(l) + 4);
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 2);
    CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 8), ssrc);
    CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 4), timestamp + UNITS);
    silence(l);
    silence(l);
    CU_ASSERT_PTR_NULL(to_phone(l));
    lab_end(l);
}

static void test_player_the_browser_hears_one_ssrc(void)
{
    lab *l = talk();
    phone_says(l, 1);
    phone_says(l, 2);
    const uint8_t *rtp = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
    const uint32_t ssrc = agw_get32(rtp + 8), timestamp = agw_get32(rtp + 4);
    const uint16_t seq = agw_get16(rtp + 2);
    play(l, AGW_SIDE_A, (agw_play_order){.audio = stairs(3)}); /* its stream has numbers of ours */
    CU_ASSERT_PTR_NULL(to_browser(l)); /* the last packet is heard to its end */
    for (uint16_t i = 1; i <= 4; i++) {
        phone_says(l, (uint16_t)(2 + i));
        rtp = to_browser(l);
        CU_ASSERT_PTR_NOT_NULL_FATAL(rtp);
        CU_ASSERT_TRUE(i == 4 || stair(rtp) == i); /* the fourth is the phone's */
        CU_ASSERT_EQUAL(agw_get32(rtp + 8), ssrc);
        CU_ASSERT_EQUAL(agw_get16(rtp + 2), seq + i);
        CU_ASSERT_EQUAL(agw_get32(rtp + 4), timestamp + i * (uint32_t)UNITS);
    }
    lab_end(l);
}

/* What the phone hears, one character a packet: a stair, or '-'. */
static const char *heard(lab *l, agw_play_order order, int packets)
{
    static char out[64];
    browser_says(l, 1);
    order.audio = order.audio != NULL ? order.audio : stairs(4);
    play(l, AGW_SIDE_B, order);
    browser_says(l, 2);
    for (int i = 0; i < packets; i++) {
        silence(l);
        out[i] = (char)(stair(to_phone(l)) + '0');
        out[i] = out[i] == '0' ? '-' : out[i];
    }
    out[packets] = '\0';
    return out;
}

static void test_player_ng_4_start_pos_repeat_times_repeat_duration(void)
{
    static const struct {
        agw_play_order order;
        const char *heard;
    } CASES[] = {
        {{.times = 2}, "12341234--"},
        {{.start_ms = 40}, "34--------"},
        {{.start_ms = 40, .times = 2}, "341234----"},
        {{.limit_ms = 60}, "123-------"},
        {{.times = 9, .limit_ms = 120}, "123412----"},
        {{.start_ms = 1000}, "----------"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        lab *l = talk();
        CU_ASSERT_STRING_EQUAL(heard(l, CASES[i].order, 10), CASES[i].heard);
        lab_end(l);
    }
}

static void test_player_ng_4_stop_media_and_the_source_goes_on(void)
{
    lab *l = talk();
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 2), "12");
    lab_stop_media(l, first(l), AGW_SIDE_B);
    CU_ASSERT_EQUAL(position(l, AGW_SIDE_B), 40);
    silence(l);
    CU_ASSERT_PTR_NULL(to_phone(l));
    browser_says(l, 6);
    CU_ASSERT_PTR_NOT_NULL_FATAL(to_phone(l));
    CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 4), 6u * UNITS);
    lab_stop_media(l, first(l), AGW_SIDE_B);
    lab_stop_media(l, first(l), AGW_SIDE_A); /* nothing is played there */
    lab_end(l);
}

static void test_player_another_file_takes_the_place_of_the_first(void)
{
    lab *l = talk();
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 2), "12");
    play(l, AGW_SIDE_B, (agw_play_order){.audio = stairs(2)});
    CU_ASSERT_EQUAL(first(l)->played, 1);
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 1);
    lab_end(l);
    /* what was played when the call ended has come back: the address sanitizer says so */
}

static void test_player_a_new_answer_without_the_codec_ends_it(void)
{
    lab *l = talk();
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 2), "12");
    lab_apply(l, first(l));
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 3);
    first(l)->plan->medias[0].end[AGW_SIDE_A].pts[0].egress = 0;
    lab_apply(l, first(l));
    silence(l);
    CU_ASSERT_PTR_NULL(to_phone(l));
    CU_ASSERT_EQUAL(first(l)->played, 1);
    lab_end(l);
}

static void test_player_nothing_passes_a_closed_gate(void)
{
    lab *l = talk();
    first(l)->plan->medias[0].end[AGW_SIDE_B].may_receive = false;
    lab_apply(l, first(l));
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 8), "--------");
    lab_end(l);
}

static void test_player_a_worker_that_was_held_up_sends_no_burst(void)
{
    lab *l = talk();
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 1), "1");
    const uint32_t timestamp = agw_get32(to_phone(l) + 4);
    l->now += AGW_S(3);
    lab_turn(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 2);
    CU_ASSERT_PTR_NULL(lab_sent(l, &first(l)->core[0], AGW_PKT_RTP, 1));
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 3);
    CU_ASSERT_EQUAL(agw_get32(to_phone(l) + 4), timestamp + 151 * UNITS);
    lab_end(l);
}

/* --- tones -------------------------------------------------------------------------------------
 */

static agw_audio *tone(uint8_t event, size_t packets)
{
    agw_audio *a = agw_audio_new(HZ, 2 * packets * UNITS); /* as long a pause */
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    agw_tones_write(event, 10, HZ, 0, a->samples, packets * UNITS);
    return a;
}

/* Digits heard by the phone in so many packets. */
static size_t hear_tones(lab *l, int packets, agw_tones_digit *out, size_t room)
{
    size_t n = 0;
    agw_tones *t = agw_tones_new();
    for (int i = 0; i < packets; i++) {
        int16_t pcm[UNITS] = {0};
        silence(l);
        const uint8_t *rtp = to_phone(l);
        for (size_t s = 0; rtp != NULL && s < UNITS; s++)
            pcm[s] = agw_pcma_decode(rtp[AGW_RTP_HEADER_MIN + s]);
        n += agw_tones_hear(t, pcm, UNITS, out + n, room - n);
    }
    agw_tones_free(t);
    return n;
}

static void test_player_tones_wait_for_each_other_and_the_file_for_them(void)
{
    lab *l = talk();
    agw_tones_digit digits[8];
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 2), "12");
    play(l, AGW_SIDE_B, (agw_play_order){.audio = tone(7, 5), .is_tone = true});
    play(l, AGW_SIDE_B, (agw_play_order){.audio = tone(11, 5), .is_tone = true});
    CU_ASSERT_EQUAL_FATAL(hear_tones(l, 20, digits, 8), 2);
    CU_ASSERT_EQUAL(digits[0].event, 7);
    CU_ASSERT_EQUAL(digits[1].event, 11);
    CU_ASSERT_TRUE(abs((int)digits[0].duration_ms - 100) <= 20);
    silence(l);
    CU_ASSERT_EQUAL(stair(to_phone(l)), 3);
    lab_end(l);
}

static void test_player_tones_that_may_wait_are_bounded(void)
{
    lab *l = talk();
    for (unsigned i = 0; i < 33; i++) {
        play(l, AGW_SIDE_B, (agw_play_order){.audio = tone(1, 50), .is_tone = true});
        CU_ASSERT_EQUAL(first(l)->played, i == 32);
    }
    lab_end(l);
}

/* Telephone events and a file at once: the file pauses. */
static void test_player_a_file_makes_room_for_events(void)
{
    lab *l = talk();
    CU_ASSERT_STRING_EQUAL(heard(l, (agw_play_order){0}, 2), "12");
    lab_play(l, first(l), AGW_SIDE_A, 5, 60);
    char all[32] = "";
    for (int i = 0; i < 10; i++) {
        const lab_out *out;
        for (size_t nth = 0;
             (out = lab_sent(l, &first(l)->core[0], AGW_PKT_RTP, nth)) != NULL && nth < 3; nth++)
            snprintf(all + strlen(all), 2, "%d", stair(out->data));
        silence(l);
    }
    CU_ASSERT_STRING_EQUAL(all, "0000034"); /* five events, then the rest */
    browser_says(l, 40);
    CU_ASSERT_PTR_NOT_NULL(to_phone(l));
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_player_a_file_takes_the_place_of_the_browsers_audio),
    AGW_CASE(test_player_a_silent_party_is_played_for_all_the_same),
    AGW_CASE(test_player_the_browser_hears_one_ssrc),
    AGW_CASE(test_player_ng_4_start_pos_repeat_times_repeat_duration),
    AGW_CASE(test_player_ng_4_stop_media_and_the_source_goes_on),
    AGW_CASE(test_player_another_file_takes_the_place_of_the_first),
    AGW_CASE(test_player_a_new_answer_without_the_codec_ends_it),
    AGW_CASE(test_player_nothing_passes_a_closed_gate),
    AGW_CASE(test_player_a_worker_that_was_held_up_sends_no_burst),
    AGW_CASE(test_player_tones_wait_for_each_other_and_the_file_for_them),
    AGW_CASE(test_player_tones_that_may_wait_are_bounded),
    AGW_CASE(test_player_a_file_makes_room_for_events),
};

AGW_UNIT_MAIN("player", cases)
