/* SPDX-License-Identifier: BSD-3-Clause
 * Within the audio of a party, on virtual time: silence in its place, and digits heard as tones. */
#include "codecs/g711.h"
#include "codecs/tones.h"
#include "tests/agw/lab.h"
#include "unit.h"

enum {
    SSRC_PHONE = 0x22,
    EVENT = 101,
    OTHER_AUDIO = 111,
    UNITS = 160,
    HZ = 8000,
    SILENCE = 0xd5, /* of PCMA */
};

static const agw_audio_plan PCMA = {
    .pt = LAB_PT_AUDIO,
    .silence_len = 1,
    .silence_repeats = true,
    .silence = {SILENCE},
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

static agw_end_plan *phones_end(lab *l)
{
    return &first(l)->plan->medias[0].end[AGW_SIDE_B];
}

/* acts: on what the phone sends. */
static lab *talk(uint8_t acts)
{
    lab *l = lab_new();
    agw_end_plan *end = phones_end(l);
    end->pts[end->n_pts++] =
        (agw_pt_plan){.ingress = EVENT, .egress = EVENT, .is_event = true, .clock_hz = HZ};
    end->pts[end->n_pts++] =
        (agw_pt_plan){.ingress = OTHER_AUDIO, .egress = OTHER_AUDIO, .clock_hz = HZ};
    end->acts = acts != 0 ? acts | AGW_ACT_INBAND : 0;
    end->n_audios = 1;
    end->audios = &PCMA;
    lab_apply(l, first(l));
    lab_connect(l, first(l), browser());
    return l;
}

/* A packet of 20 ms of the phone. */
static void phone_sends(lab *l, uint8_t pt, uint16_t seq, const uint8_t *payload, size_t len)
{
    uint8_t rtp[AGW_RTP_HEADER_MIN + UNITS] = {0x80, pt};
    agw_put16(rtp + 2, seq);
    agw_put32(rtp + 4, (uint32_t)seq * UNITS);
    agw_put32(rtp + 8, SSRC_PHONE);
    memcpy(rtp + AGW_RTP_HEADER_MIN, payload, len);
    l->now += AGW_MS(20);
    lab_say(l, &first(l)->core[0], lab_phone(l, first(l), 0), rtp, AGW_RTP_HEADER_MIN + len);
    lab_turn(l);
}

static lab_out *to_browser(lab *l)
{
    return lab_to_browser(l, first(l));
}

static void test_inband_silence_takes_the_place_of_audio_packet_by_packet(void)
{
    uint8_t speech[UNITS];
    lab *l = talk(0);
    memset(speech, 0x11, sizeof speech);
    phone_sends(l, LAB_PT_AUDIO, 1, speech, UNITS);
    CU_ASSERT_EQUAL(to_browser(l)->data[AGW_RTP_HEADER_MIN], 0x11);
    phones_end(l)->acts = AGW_ACT_SILENCE | AGW_ACT_INBAND;
    lab_apply(l, first(l));
    for (uint16_t seq = 2; seq < 5; seq++) {
        const size_t len = seq == 3 ? UNITS / 2 : UNITS; /* another packet time */
        phone_sends(l, LAB_PT_AUDIO, seq, speech, len);
        const lab_out *out = to_browser(l);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        CU_ASSERT_EQUAL(out->len, AGW_RTP_HEADER_MIN + len);
        CU_ASSERT_EQUAL(agw_get16(out->data + 2), seq);
        for (size_t i = AGW_RTP_HEADER_MIN; i < out->len; i++)
            CU_ASSERT_EQUAL(out->data[i], SILENCE);
    }
    phones_end(l)->acts = 0;
    lab_apply(l, first(l));
    phone_sends(l, LAB_PT_AUDIO, 5, speech, UNITS);
    CU_ASSERT_EQUAL(to_browser(l)->data[AGW_RTP_HEADER_MIN], 0x11);
    lab_end(l);
}

static void test_inband_what_cannot_be_silenced_is_blocked(void)
{
    uint8_t speech[UNITS] = {0x11};
    lab *l = talk(AGW_ACT_SILENCE);
    phone_sends(l, OTHER_AUDIO, 1, speech, UNITS);
    CU_ASSERT_PTR_NULL(to_browser(l));
    CU_ASSERT_EQUAL(lab_drops(l, AGW_DROP_BLOCKED), 1);
    phone_sends(l, EVENT, 2, speech, 4); /* digits are no audio */
    CU_ASSERT_PTR_NOT_NULL(to_browser(l));
    lab_end(l);
}

/* Codecs whose payload is a frame: another length, and no padding any more. */
static void test_inband_a_frame_of_silence_is_a_whole_payload(void)
{
    uint8_t speech[20] = {0x11};
    agw_audio_plan frames = PCMA;
    lab *l = talk(AGW_ACT_SILENCE);
    frames.silence_repeats = false;
    frames.silence_len = 33;
    memset(frames.silence, 0x77, sizeof frames.silence);
    phones_end(l)->audios = &frames;
    lab_apply(l, first(l));
    phone_sends(l, LAB_PT_AUDIO, 1, speech, sizeof speech);
    const lab_out *out = to_browser(l);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(out->len, AGW_RTP_HEADER_MIN + 33);
    CU_ASSERT_EQUAL(out->data[out->len - 1], 0x77);
    lab_end(l);
}

static size_t digits_told(lab *l, agw_dtmf *last)
{
    size_t n = 0;
    for (size_t i = 0; i < first(l)->n_events; i++) {
        if (first(l)->events[i].kind != AGW_EVENT_DTMF)
            continue;
        *last = first(l)->events[i].dtmf;
        n++;
    }
    return n;
}

/* The phone presses within its audio: 100 ms and a pause. */
static void press(lab *l, uint8_t event, uint16_t *seq)
{
    int16_t pcm[10 * UNITS] = {0};
    agw_tones_write(event, 10, HZ, 0, pcm, 5 * UNITS);
    for (size_t p = 0; p < 10; p++) {
        uint8_t payload[UNITS];
        for (size_t i = 0; i < UNITS; i++)
            payload[i] = agw_pcma_encode(pcm[p * UNITS + i]);
        phone_sends(l, LAB_PT_AUDIO, (*seq)++, payload, UNITS);
        CU_ASSERT_PTR_NOT_NULL(to_browser(l)); /* it is passed on all the same */
    }
}

static void test_inband_tones_are_told_once_when_asked_for(void)
{
    uint16_t seq = 1;
    agw_dtmf d = {0};
    lab *l = talk(0);
    press(l, 3, &seq);
    CU_ASSERT_EQUAL(digits_told(l, &d), 0);
    phones_end(l)->acts = AGW_ACT_DETECT | AGW_ACT_INBAND;
    lab_apply(l, first(l));
    press(l, 11, &seq);
    CU_ASSERT_EQUAL(digits_told(l, &d), 1);
    CU_ASSERT_TRUE(d.digit == '#' && d.event == 11 && d.side == AGW_SIDE_B);
    CU_ASSERT_TRUE(abs((int)d.duration_ms - 100) <= 20 && abs(d.volume - 10) <= 2);
    for (uint8_t event = 0; event < 16; event++) {
        lab_apply(l, first(l)); /* the same plan again changes nothing */
        press(l, event, &seq);
        CU_ASSERT_EQUAL(digits_told(l, &d), 2u + event);
        CU_ASSERT_EQUAL(d.event, event);
    }
    lab_end(l);
}

/* Some phones send both: then the events count. */
static void test_inband_who_sends_events_is_not_listened_to(void)
{
    uint16_t seq = 1;
    agw_dtmf d = {0};
    uint8_t payload[4];
    lab *l = talk(AGW_ACT_DETECT);
    const agw_rtp_event e = {.event = 7, .end = true, .volume = 10, .duration = 5 * UNITS};
    agw_rtp_event_write(&e, payload);
    phone_sends(l, EVENT, seq++, payload, sizeof payload);
    CU_ASSERT_EQUAL(digits_told(l, &d), 1);
    press(l, 7, &seq);
    CU_ASSERT_EQUAL(digits_told(l, &d), 1);
    lab_end(l);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_inband_silence_takes_the_place_of_audio_packet_by_packet),
    AGW_CASE(test_inband_what_cannot_be_silenced_is_blocked),
    AGW_CASE(test_inband_a_frame_of_silence_is_a_whole_payload),
    AGW_CASE(test_inband_tones_are_told_once_when_asked_for),
    AGW_CASE(test_inband_who_sends_events_is_not_listened_to),
};

AGW_UNIT_MAIN("inband", cases)
