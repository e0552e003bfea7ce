/* SPDX-License-Identifier: BSD-3-Clause
 * A chain on virtual time: what goes in by a jittery network comes out by a clock, with numbers of
 * its own, with digits and silence in their places. */
#include "base/wire.h"
#include "codecs/chain.h"
#include "codecs/g711.h"
#include "codecs/noise.h"
#include "codecs/tones.h"
#include "rtp/event.h"
#include "rtp/header.h"
#include "signal.h"
#include "unit.h"

#include <string.h>

enum {
    OPUS_PT = 111,
    EVENT_IN = 101,
    EVENT_OUT = 96,
    RED_PT = 63,
    NOISE_PT = 13,
    OUT_SSRC = 0xabc,
    OUT_MAX = 2000,
    AUDIO_MAX = 40000,
};

typedef struct out_packet {
    agw_rtp_header h;
    agw_ns at;
    size_t len;
    uint8_t payload[400];
} out_packet;

typedef struct rig {
    agw_chain_plan plan;
    agw_chain *chain;
    agw_ns now;
    uint16_t seq;
    uint32_t timestamp, ssrc;
    unsigned in_ms;
    size_t sample; /* of the tone that goes in */
    out_packet out[OUT_MAX];
    size_t n_out;
} rig;

static rig r;

static agw_codec_format format_of(agw_codec_id id, uint8_t ptime_ms)
{
    agw_codec_format f = agw_codec_plain(id);
    f.ptime_ms = ptime_ms;
    return f;
}

static void add_input(uint8_t pt, agw_codec_format format, bool event, bool noise, bool red)
{
    r.plan.inputs[r.plan.n_inputs++] = (agw_chain_input){
        .pt = pt, .is_event = event, .is_noise = noise, .is_red = red, .format = format};
}

static void open_chain(agw_codec_format out, uint8_t out_pt)
{
    agw_codec_format clock = {.clock_hz = 8000};
    memset(&r, 0, sizeof r);
    r.now = AGW_S(100);
    r.seq = 500;
    r.timestamp = 7000;
    r.ssrc = 0x11;
    r.in_ms = 20;
    add_input(AGW_PCMA_PT, format_of(AGW_CODEC_PCMA, 20), false, false, false);
    add_input(EVENT_IN, clock, true, false, false);
    add_input(NOISE_PT, clock, false, true, false);
    add_input(RED_PT, clock, false, false, true);
    r.plan.out = out;
    r.plan.out_pt = out_pt;
    r.plan.event_pt = EVENT_OUT;
    r.plan.event_hz = out.clock_hz;
    r.chain = agw_chain_new(&r.plan, OUT_SSRC, 65530, 0xffffff00);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.chain);
}

static void open_pcmu(uint8_t ptime_ms)
{
    open_chain(format_of(AGW_CODEC_PCMU, ptime_ms), AGW_PCMU_PT);
}

static void close_chain(void)
{
    agw_chain_free(r.chain);
}

static void note(const uint8_t *rtp, size_t len)
{
    CU_ASSERT_TRUE_FATAL(r.n_out < OUT_MAX);
    out_packet *p = &r.out[r.n_out++];
    CU_ASSERT_EQUAL_FATAL(agw_rtp_parse(&p->h, rtp, len), AGW_OK);
    p->at = r.now;
    p->len = p->h.payload_len < sizeof p->payload ? p->h.payload_len : sizeof p->payload;
    memcpy(p->payload, rtp + p->h.header_len, p->len);
}

/* The clock goes on to then; what is due comes out at its time. */
static void run_until(agw_ns then)
{
    uint8_t rtp[1500];
    for (agw_ns at; (at = agw_chain_deadline(r.chain)) <= then;) {
        r.now = at > r.now ? at : r.now;
        const size_t len = agw_chain_take(r.chain, r.now, rtp, sizeof rtp);
        if (len != 0)
            note(rtp, len);
    }
    r.now = then;
}

static size_t write_rtp(uint8_t *rtp, uint8_t pt, uint32_t timestamp, const void *payload,
                        size_t len)
{
    rtp[0] = 0x80;
    rtp[1] = pt;
    agw_put16(rtp + 2, r.seq++);
    agw_put32(rtp + 4, timestamp);
    agw_put32(rtp + 8, r.ssrc);
    memcpy(rtp + 12, payload, len);
    return 12 + len;
}

/* A tone of 400 Hz goes on in it. */
static void fill_pcma(uint8_t *payload, size_t samples)
{
    for (size_t i = 0; i < samples; i++, r.sample++)
        payload[i] =
            agw_pcma_encode((int16_t)lrint(8000 * sin(2 * M_PI * 400 * (double)r.sample / 8000)));
}

static agw_err put_audio(void)
{
    uint8_t payload[480], rtp[500];
    const size_t samples = r.in_ms * 8;
    fill_pcma(payload, samples);
    const size_t len = write_rtp(rtp, AGW_PCMA_PT, r.timestamp, payload, samples);
    r.timestamp += (uint32_t)samples;
    return agw_chain_put(r.chain, rtp, len, r.now);
}

static void lose_audio(void)
{
    uint8_t payload[480];
    fill_pcma(payload, r.in_ms * 8);
    r.seq++;
    r.timestamp += r.in_ms * 8;
}

static agw_err put_event(uint8_t event, bool end, uint16_t duration)
{
    uint8_t payload[4], rtp[16];
    const agw_rtp_event e = {.event = event, .end = end, .volume = 10, .duration = duration};
    agw_rtp_event_write(&e, payload);
    return agw_chain_put(r.chain, rtp, write_rtp(rtp, EVENT_IN, r.timestamp, payload, 4), r.now);
}

/* So many packets of tone at their times. */
static void talk(unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        CU_ASSERT_EQUAL(put_audio(), AGW_OK);
        run_until(r.now + AGW_MS((agw_ns)r.in_ms));
    }
}

/* What came out as PCMU from the first of these packets on. */
static size_t decode_pcmu(size_t first, int16_t *pcm)
{
    size_t n = 0;
    for (size_t i = first; i < r.n_out; i++) {
        for (size_t k = 0; k < r.out[i].len && n < AUDIO_MAX && r.out[i].h.pt == AGW_PCMU_PT; k++)
            pcm[n++] = agw_pcmu_decode(r.out[i].payload[k]);
    }
    return n;
}

static void check_tone(size_t first)
{
    static int16_t pcm[AUDIO_MAX];
    const size_t n = decode_pcmu(first, pcm);
    CU_ASSERT_TRUE_FATAL(n >= 1600);
    CU_ASSERT_TRUE(signal_share(pcm, n, 400, 8000) > 0.98);
}

static void check_numbers(size_t first, agw_ns every, uint32_t units)
{
    for (size_t i = first + 1; i < r.n_out; i++) {
        const out_packet *p = &r.out[i], *before = &r.out[i - 1];
        CU_ASSERT_EQUAL(p->h.ssrc, OUT_SSRC);
        CU_ASSERT_EQUAL(p->h.seq, (uint16_t)(before->h.seq + 1));
        CU_ASSERT_EQUAL(p->h.timestamp - before->h.timestamp, units);
        CU_ASSERT_EQUAL(p->at - before->at, every);
        CU_ASSERT_FALSE(p->h.marker);
    }
}

/* --- pace --------------------------------------------------------------------------------------
 */

static void test_chain_numbers_are_its_own(void)
{
    open_pcmu(20);
    talk(100);
    CU_ASSERT_TRUE_FATAL(r.n_out >= 90);
    CU_ASSERT_EQUAL(r.out[0].h.seq, 65530);
    CU_ASSERT_TRUE(r.out[0].h.marker);
    CU_ASSERT_TRUE(r.out[0].h.timestamp - 0xffffff00u < 1600);
    check_numbers(0, AGW_MS(20), 160);
    check_tone(20);
    close_chain();
}

/* Packets come by up to 30 ms late, also in another order; they leave every 20 ms to the
 * nanosecond. */
static void test_chain_jitter_ends_here(void)
{
    enum { PACKETS = 300 };
    static struct {
        agw_ns at;
        size_t len;
        uint8_t rtp[172];
    } net[PACKETS];
    uint32_t lot = 1;
    open_pcmu(20);
    for (unsigned i = 0; i < PACKETS; i++) {
        uint8_t payload[160];
        lot = lot * 1664525 + 1013904223;
        net[i].at = r.now + AGW_MS(20 * (agw_ns)i) + AGW_US((agw_ns)(lot >> 8) % 30000);
        fill_pcma(payload, sizeof payload);
        net[i].len = write_rtp(net[i].rtp, AGW_PCMA_PT, r.timestamp, payload, sizeof payload);
        r.timestamp += 160;
    }
    for (unsigned taken = 0; taken < PACKETS; taken++) {
        unsigned next = 0;
        for (unsigned i = 0; i < PACKETS; i++)
            next = net[i].at < net[next].at ? i : next;
        run_until(net[next].at);
        CU_ASSERT_EQUAL(agw_chain_put(r.chain, net[next].rtp, net[next].len, r.now), AGW_OK);
        net[next].at = AGW_NEVER;
    }
    CU_ASSERT_TRUE_FATAL(r.n_out >= PACKETS - 20);
    check_numbers(0, AGW_MS(20), 160);
    close_chain();
}

static void test_chain_ptime_is_the_receivers(void)
{
    static const uint8_t PTIMES[] = {10, 20, 30, 40, 60};
    for (size_t in = 0; in < 3; in++) {
        for (size_t out = 0; out < sizeof PTIMES; out++) {
            open_pcmu(PTIMES[out]);
            r.in_ms = in == 0 ? 10 : in == 1 ? 20 : 60;
            talk(3000 / r.in_ms);
            CU_ASSERT_TRUE_FATAL(r.n_out >= 2700u / PTIMES[out]);
            CU_ASSERT_EQUAL(r.out[1].h.payload_len, 8u * PTIMES[out]);
            check_numbers(0, AGW_MS((agw_ns)PTIMES[out]), 8u * PTIMES[out]);
            check_tone(600 / PTIMES[out]);
            close_chain();
        }
    }
}

static void test_chain_rfc7587_4_2_opus_counts_at_48000(void)
{
    open_chain(format_of(AGW_CODEC_OPUS, 20), OPUS_PT);
    talk(50);
    CU_ASSERT_TRUE_FATAL(r.n_out >= 40);
    CU_ASSERT_EQUAL(r.out[1].h.pt, OPUS_PT);
    check_numbers(0, AGW_MS(20), 960);
    close_chain();
}

static void test_chain_a_worker_that_was_away_makes_no_burst(void)
{
    open_pcmu(20);
    talk(20);
    const size_t before = r.n_out;
    const agw_ns until = r.now + AGW_S(1);
    r.now = until; /* nobody asked meanwhile */
    CU_ASSERT_EQUAL(put_audio(), AGW_OK);
    run_until(until);
    CU_ASSERT_TRUE(r.n_out <= before + 1);
    run_until(until + AGW_MS(40));
    CU_ASSERT_TRUE_FATAL(r.n_out > before);
    CU_ASSERT_TRUE(r.out[before].h.marker);
    const uint32_t units = r.out[before].h.timestamp - r.out[before - 1].h.timestamp;
    CU_ASSERT_TRUE(units % 160 == 0 && units >= 8000 && units <= 8000 + 480);
    close_chain();
}

/* --- sources -----------------------------------------------------------------------------------
 */

static void test_chain_another_source_is_the_same_stream(void)
{
    open_pcmu(20);
    talk(50);
    const uint16_t old_seq = r.seq;
    const uint32_t old_timestamp = r.timestamp;
    r.ssrc = 0x22;
    r.seq = 9;
    r.timestamp = 0x80000000;
    talk(50);
    r.ssrc = 0x11; /* late */
    r.seq = old_seq;
    r.timestamp = old_timestamp;
    CU_ASSERT_EQUAL(put_audio(), AGW_ERR_NOT_FOUND);
    run_until(r.now + AGW_MS(200));
    CU_ASSERT_EQUAL(put_audio(), AGW_OK); /* the other one has fallen silent */
    check_numbers(0, AGW_MS(20), 160);
    close_chain();
}

static void test_chain_hold_ends_and_resumes_the_stream(void)
{
    open_pcmu(20);
    talk(50);
    run_until(r.now + AGW_S(10));
    CU_ASSERT_EQUAL(agw_chain_deadline(r.chain), AGW_NEVER);
    const size_t before = r.n_out;
    CU_ASSERT_TRUE(r.out[before - 1].at < AGW_S(104));
    talk(50);
    CU_ASSERT_TRUE_FATAL(r.n_out >= before + 40);
    CU_ASSERT_TRUE(r.out[before].h.marker);
    CU_ASSERT_EQUAL(r.out[before].h.seq, (uint16_t)(r.out[before - 1].h.seq + 1));
    const agw_ns passed = r.out[before].at - r.out[before - 1].at;
    const int64_t units = r.out[before].h.timestamp - r.out[before - 1].h.timestamp;
    CU_ASSERT_TRUE(llabs(units - passed / AGW_US(125)) <= 320);
    check_numbers(before, AGW_MS(20), 160);
    check_tone(before + 20);
    close_chain();
}

static void test_chain_rest_is_at_once(void)
{
    open_pcmu(20);
    talk(20);
    agw_chain_rest(r.chain);
    CU_ASSERT_EQUAL(agw_chain_deadline(r.chain), AGW_NEVER);
    talk(20);
    CU_ASSERT_NOT_EQUAL(agw_chain_deadline(r.chain), AGW_NEVER);
    close_chain();
}

/* Packets wait and a frame is half played when the source is put on hold; behind it the source is
 * silent. */
static void test_chain_what_was_before_a_hold_is_not_heard_behind_it(void)
{
    static int16_t pcm[AUDIO_MAX];
    uint8_t payload[160], rtp[172];
    open_pcmu(20);
    talk(50);
    for (unsigned i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(put_audio(), AGW_OK);
    agw_chain_rest(r.chain);
    r.now += AGW_S(5);
    r.timestamp += 5 * 8000;
    const size_t before = r.n_out;
    memset(payload, agw_pcma_encode(0), sizeof payload);
    for (unsigned i = 0; i < 50; i++) {
        const size_t len = write_rtp(rtp, AGW_PCMA_PT, r.timestamp, payload, sizeof payload);
        CU_ASSERT_EQUAL(agw_chain_put(r.chain, rtp, len, r.now), AGW_OK);
        r.timestamp += 160;
        run_until(r.now + AGW_MS(20));
    }
    const size_t n = decode_pcmu(before, pcm);
    CU_ASSERT_TRUE_FATAL(n >= 40 * 160);
    for (size_t i = 0; i < n; i++)
        CU_ASSERT_TRUE(abs(pcm[i]) <= 16);
    check_numbers(before, AGW_MS(20), 160);
    close_chain();
}

static void test_chain_a_plan_changes_the_codec_not_the_stream(void)
{
    open_pcmu(20);
    talk(50);
    r.plan.out = format_of(AGW_CODEC_OPUS, 20);
    r.plan.out_pt = OPUS_PT;
    CU_ASSERT_EQUAL_FATAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
    const size_t before = r.n_out;
    talk(50);
    CU_ASSERT_EQUAL(r.out[before].h.pt, OPUS_PT);
    CU_ASSERT_TRUE(r.out[before].h.marker);
    CU_ASSERT_EQUAL(r.out[before].h.seq, (uint16_t)(r.out[before - 1].h.seq + 1));
    CU_ASSERT_EQUAL(r.out[before].at - r.out[before - 1].at, AGW_MS(20));
    check_numbers(before, AGW_MS(20), 960);
    r.plan.out.id = AGW_CODEC_EVS; /* which we have not: all stays as it was */
    CU_ASSERT_EQUAL(agw_chain_apply(r.chain, &r.plan), AGW_ERR_UNSUPPORTED);
    talk(10);
    check_numbers(before, AGW_MS(20), 960);
    close_chain();
}

/* --- digits ------------------------------------------------------------------------------------
 */

/* Its i-th packet, from 1 on: the fifth says that it has ended. */
static void put_press(uint8_t digit, unsigned i)
{
    const unsigned at = i < 5 ? i : 5;
    CU_ASSERT_EQUAL(put_event(digit, i >= 5, (uint16_t)(at * 160)), AGW_OK);
    run_until(r.now + AGW_MS(20));
}

/* 100 ms of a digit in place of the audio; its timestamp stays. */
static void press(uint8_t digit)
{
    for (unsigned i = 1; i <= 7; i++)
        put_press(digit, i);
    r.timestamp += 7 * 160;
}

static void test_chain_rfc4733_2_5_digits_stand_between_the_audio(void)
{
    open_chain(format_of(AGW_CODEC_OPUS, 20), OPUS_PT);
    for (uint8_t digit = 0; digit < 16; digit++) {
        talk(10);
        press(digit);
    }
    talk(20);
    size_t n = 0;
    uint32_t begin = 0;
    for (size_t i = 1; i < r.n_out; i++) {
        agw_rtp_event e;
        CU_ASSERT_EQUAL(r.out[i].h.seq, (uint16_t)(r.out[i - 1].h.seq + 1));
        if (r.out[i].h.pt != EVENT_OUT)
            continue;
        CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, r.out[i].payload, r.out[i].len), AGW_OK);
        if (n % 7 == 0)
            begin = r.out[i].h.timestamp;
        CU_ASSERT_EQUAL(e.event, n / 7);
        CU_ASSERT_EQUAL(r.out[i].h.marker, n % 7 == 0);
        CU_ASSERT_EQUAL(r.out[i].h.timestamp, begin);
        CU_ASSERT_EQUAL(e.end, n % 7 >= 4);
        CU_ASSERT_EQUAL(e.duration, (n % 7 < 4 ? n % 7 + 1 : 5) * 960);
        n++;
    }
    CU_ASSERT_EQUAL(n, 16 * 7);
    close_chain();
}

/* The tones of what came out, as a detector hears them. */
static size_t hear_digits(size_t first, agw_tones_digit *out, size_t room)
{
    static int16_t pcm[AUDIO_MAX];
    agw_tones *tones = agw_tones_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(tones);
    const size_t n = decode_pcmu(first, pcm);
    size_t heard = 0;
    for (size_t at = 0; at + 160 <= n && heard < room; at += 160)
        heard += agw_tones_hear(tones, pcm + at, 160, out + heard, room - heard);
    agw_tones_free(tones);
    return heard;
}

static void test_chain_digits_that_nobody_takes_are_tones(void)
{
    agw_tones_digit digits[20];
    open_pcmu(20);
    r.plan.event_hz = 0;
    CU_ASSERT_EQUAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
    for (uint8_t digit = 0; digit < 16; digit++) {
        talk(5);
        press(digit);
    }
    talk(5);
    for (size_t i = 0; i < r.n_out; i++)
        CU_ASSERT_EQUAL(r.out[i].h.pt, AGW_PCMU_PT);
    check_numbers(0, AGW_MS(20), 160);
    CU_ASSERT_EQUAL_FATAL(hear_digits(0, digits, 20), 16);
    for (uint8_t i = 0; i < 16; i++) {
        CU_ASSERT_EQUAL(digits[i].event, i);
        CU_ASSERT_TRUE(abs((int)digits[i].duration_ms - 100) <= 20);
    }
    close_chain();
}

/* Its end is lost. */
static void test_chain_a_digit_without_an_end_is_a_tone_that_ends(void)
{
    agw_tones_digit digits[2];
    open_pcmu(40);
    r.plan.event_hz = 0;
    CU_ASSERT_EQUAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
    talk(10);
    for (unsigned i = 1; i <= 50; i++) {
        CU_ASSERT_EQUAL(put_event(7, false, (uint16_t)(i * 160)), AGW_OK);
        run_until(r.now + AGW_MS(20));
    }
    run_until(r.now + AGW_MS(500));
    CU_ASSERT_EQUAL_FATAL(hear_digits(0, digits, 2), 1);
    CU_ASSERT_EQUAL(digits[0].event, 7);
    CU_ASSERT_TRUE(digits[0].duration_ms >= 1000 && digits[0].duration_ms <= 1240);
    check_numbers(0, AGW_MS(40), 320);
    close_chain();
}

/* A hook flash has no tone. */
static void test_chain_events_that_are_no_digits_are_silence(void)
{
    agw_tones_digit digits[2];
    open_pcmu(20);
    r.plan.event_hz = 0;
    CU_ASSERT_EQUAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
    talk(10);
    press(16);
    talk(10);
    CU_ASSERT_EQUAL(hear_digits(0, digits, 2), 0);
    check_numbers(0, AGW_MS(20), 160);
    close_chain();
}

static agw_rtp_event event_at(size_t i)
{
    agw_rtp_event e = {0};
    CU_ASSERT_EQUAL_FATAL(agw_rtp_event_parse(&e, r.out[i].payload, r.out[i].len), AGW_OK);
    return e;
}

/* 100 ms of a digit, whose end has come out once. */
static void press_until_told(uint8_t digit)
{
    bool told = false;
    for (unsigned i = 1; i <= 10 && !told; i++) {
        put_press(digit, i);
        told = r.out[r.n_out - 1].h.pt == EVENT_OUT && event_at(r.n_out - 1).end;
    }
    CU_ASSERT_TRUE_FATAL(told);
    r.timestamp += 10 * 160;
}

static size_t count_out(size_t first, uint8_t pt)
{
    size_t n = 0;
    for (size_t i = first; i < r.n_out; i++)
        n += r.out[i].h.pt == pt;
    return n;
}

static void plan_events(uint8_t pt, uint32_t hz)
{
    r.plan.event_pt = pt;
    r.plan.event_hz = hz;
    CU_ASSERT_EQUAL_FATAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
}

/* The party takes no events any more, or at another clock: what is left of the end is not for it.
 */
static void test_chain_a_plan_between_a_digit_and_its_repeats(void)
{
    static const uint32_t CLOCKS[] = {0, 16000};
    for (size_t i = 0; i < 2; i++) {
        open_pcmu(20);
        talk(10);
        press_until_told(5);
        plan_events(EVENT_OUT, CLOCKS[i]);
        const size_t before = r.n_out;
        talk(10);
        CU_ASSERT_EQUAL(count_out(before, EVENT_OUT), 0);
        CU_ASSERT_TRUE(count_out(before, AGW_PCMU_PT) >= 8);
        close_chain();
    }
}

static void test_chain_rfc4733_2_5_1_4_repeats_go_under_the_number_of_the_plan(void)
{
    open_pcmu(20);
    talk(10);
    press_until_told(5);
    plan_events(EVENT_OUT + 1, 8000);
    const size_t before = r.n_out;
    talk(10);
    CU_ASSERT_EQUAL(count_out(before, EVENT_OUT), 0);
    CU_ASSERT_EQUAL(count_out(before, EVENT_OUT + 1), 2);
    close_chain();
}

enum { TOLD_BEFORE = 2 };

/* Whether the packet is of a 5, as an event or as its tone of 770 Hz. */
static bool is_of_five(const out_packet *p)
{
    int16_t pcm[160];
    if (p->h.pt != AGW_PCMU_PT || p->len != 160)
        return p->h.pt == EVENT_OUT;
    for (size_t i = 0; i < 160; i++)
        pcm[i] = agw_pcmu_decode(p->payload[i]);
    return signal_share(pcm, 160, 770, 8000) > 0.2;
}

/* 100 ms of a 5; when so many steps of it have come out, the plan changes. */
static void press_with_plan(uint8_t pt, uint32_t hz)
{
    size_t seen = r.n_out;
    unsigned told = 0;
    for (unsigned i = 1; i <= 15; i++) {
        put_press(5, i);
        for (; seen < r.n_out && told < TOLD_BEFORE; seen++) {
            told += is_of_five(&r.out[seen]);
            if (told == TOLD_BEFORE)
                plan_events(pt, hz);
        }
    }
    CU_ASSERT_EQUAL(told, TOLD_BEFORE);
    r.timestamp += 15 * 160;
    talk(10);
}

/* Of a digit that is being told at 48000 Hz and then at 8000 Hz. */
static void test_chain_a_plan_with_another_clock_within_a_digit(void)
{
    open_chain(format_of(AGW_CODEC_OPUS, 20), OPUS_PT);
    talk(10);
    const size_t first = r.n_out;
    press_with_plan(EVENT_OUT + 1, 8000);
    size_t begin = first, last = first;
    while (begin < r.n_out && r.out[begin].h.pt != EVENT_OUT)
        begin++;
    CU_ASSERT_EQUAL(count_out(first, EVENT_OUT), TOLD_BEFORE);
    for (size_t i = begin; i < r.n_out; i++) {
        if (r.out[i].h.pt == OPUS_PT)
            continue;
        CU_ASSERT_EQUAL(r.out[i].h.timestamp, r.out[begin].h.timestamp);
        CU_ASSERT_EQUAL(r.out[i].h.marker, i == begin);
        CU_ASSERT_EQUAL(event_at(i).duration % (r.out[i].h.pt == EVENT_OUT ? 960 : 160), 0);
        last = i;
    }
    CU_ASSERT_EQUAL(r.out[last].h.pt, EVENT_OUT + 1);
    CU_ASSERT_TRUE(event_at(last).end);
    CU_ASSERT_EQUAL(event_at(last).duration, 5 * 160);
    close_chain();
}

/* Another digit was sounded before, so that its length is not taken for this one's. */
static void test_chain_a_plan_without_events_within_a_digit_makes_it_a_tone(void)
{
    agw_tones_digit digits[3];
    open_pcmu(20);
    plan_events(EVENT_OUT, 0);
    talk(10);
    press(7);
    talk(10);
    plan_events(EVENT_OUT, 8000);
    press_with_plan(EVENT_OUT, 0);
    CU_ASSERT_EQUAL(count_out(0, EVENT_OUT), TOLD_BEFORE);
    CU_ASSERT_EQUAL_FATAL(hear_digits(0, digits, 3), 2);
    CU_ASSERT_EQUAL(digits[0].event, 7);
    CU_ASSERT_EQUAL(digits[1].event, 5);
    CU_ASSERT_TRUE(abs((int)digits[1].duration_ms - 100) <= 20);
    close_chain();
}

static void test_chain_a_plan_with_events_within_a_digit_tells_it(void)
{
    open_pcmu(20);
    plan_events(EVENT_OUT, 0);
    talk(10);
    press_with_plan(EVENT_OUT, 8000);
    size_t begin = 1;
    while (begin < r.n_out && r.out[begin].h.pt != EVENT_OUT)
        begin++;
    CU_ASSERT_TRUE_FATAL(begin < r.n_out);
    CU_ASSERT_TRUE(r.out[begin].h.marker);
    CU_ASSERT_EQUAL(r.out[begin].h.timestamp, r.out[begin - 1].h.timestamp + 160);
    size_t last = begin;
    for (size_t i = begin; i < r.n_out; i++)
        last = r.out[i].h.pt == EVENT_OUT ? i : last;
    CU_ASSERT_TRUE(event_at(last).end);
    CU_ASSERT_EQUAL(event_at(last).duration, 5 * 160);
    close_chain();
}

/* --- silence -----------------------------------------------------------------------------------
 */

static agw_err put_noise(uint8_t level)
{
    uint8_t rtp[16];
    return agw_chain_put(r.chain, rtp, write_rtp(rtp, NOISE_PT, r.timestamp, &level, 1), r.now);
}

static void test_chain_rfc3389_noise_stands_for_silence(void)
{
    static int16_t pcm[AUDIO_MAX];
    open_pcmu(20);
    talk(50);
    CU_ASSERT_EQUAL(put_noise(50), AGW_OK);
    run_until(r.now + AGW_MS(200));
    const size_t from = r.n_out;
    run_until(r.now + AGW_S(4));
    r.timestamp += 4200 * 8;
    CU_ASSERT_EQUAL(decode_pcmu(from, pcm), 4000 * 8);
    CU_ASSERT_EQUAL(agw_noise_level(pcm, 4000 * 8), 50);
    const size_t again = r.n_out;
    talk(50);
    check_numbers(0, AGW_MS(20), 160);
    check_tone(again + 25);
    close_chain();
}

static void test_chain_rfc3389_silence_is_told_as_noise(void)
{
    open_pcmu(20);
    r.plan.has_noise = true;
    r.plan.noise_pt = NOISE_PT;
    CU_ASSERT_EQUAL(agw_chain_apply(r.chain, &r.plan), AGW_OK);
    talk(50);
    CU_ASSERT_EQUAL(put_noise(60), AGW_OK);
    run_until(r.now + AGW_MS(200));
    const size_t from = r.n_out;
    run_until(r.now + AGW_S(2));
    r.timestamp += 2200 * 8;
    CU_ASSERT_TRUE(r.n_out - from >= 4 && r.n_out - from <= 6);
    for (size_t i = from; i < r.n_out; i++) {
        CU_ASSERT_EQUAL(r.out[i].h.pt, NOISE_PT);
        CU_ASSERT_TRUE(r.out[i].len == 1 && abs(r.out[i].payload[0] - 60) <= 1);
    }
    talk(50);
    size_t i = from;
    while (i < r.n_out && r.out[i].h.pt == NOISE_PT)
        i++;
    CU_ASSERT_TRUE_FATAL(i < r.n_out);
    CU_ASSERT_TRUE(r.out[i].h.marker); /* RFC 3551 section 4.1 */
    close_chain();
}

/* --- redundancy --------------------------------------------------------------------------------
 */

/* Every other packet is lost; the next one brings its audio. */
static void test_chain_rfc2198_lost_audio_comes_with_the_next_packet(void)
{
    uint8_t before[160], own[160], red[400], rtp[500];
    agw_chain_stats stats;
    open_pcmu(20);
    for (unsigned i = 0; i < 100; i++) {
        memcpy(before, own, sizeof before);
        fill_pcma(own, sizeof own);
        agw_put32(red, 0x80000000u | AGW_PCMA_PT << 24 | 160 << 10 | 160);
        red[4] = AGW_PCMA_PT;
        memcpy(red + 5, before, 160);
        memcpy(red + 165, own, 160);
        const size_t len = write_rtp(rtp, RED_PT, r.timestamp, red, 325);
        r.timestamp += 160;
        if (i % 2 == 1)
            CU_ASSERT_EQUAL(agw_chain_put(r.chain, rtp, len, r.now), AGW_OK);
        run_until(r.now + AGW_MS(20));
    }
    agw_chain_get_stats(r.chain, &stats);
    check_numbers(0, AGW_MS(20), 160);
    check_tone(30);
    close_chain();
}

/* --- the rest ----------------------------------------------------------------------------------
 */

static void test_chain_what_it_does_not_know_is_refused(void)
{
    uint8_t rtp[20];
    agw_chain_stats stats;
    open_pcmu(20);
    CU_ASSERT_EQUAL(agw_chain_put(r.chain, rtp, write_rtp(rtp, 99, 0, "x", 1), r.now),
                    AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_chain_put(r.chain, rtp, write_rtp(rtp, EVENT_IN, 0, "x", 1), r.now),
                    AGW_ERR_TRUNCATED);
    CU_ASSERT_EQUAL(agw_chain_deadline(r.chain), AGW_NEVER);
    agw_chain_get_stats(r.chain, &stats);
    CU_ASSERT_EQUAL(stats.malformed, 2);
    close_chain();
}

static void test_chain_loss_is_counted(void)
{
    agw_chain_stats stats;
    open_pcmu(20);
    talk(50);
    lose_audio();
    run_until(r.now + AGW_MS(20));
    talk(50);
    agw_chain_get_stats(r.chain, &stats);
    CU_ASSERT_EQUAL(stats.packets_in, 100);
    CU_ASSERT_EQUAL(stats.packets_out, r.n_out);
    CU_ASSERT_TRUE(stats.concealed_ms >= 10 && stats.concealed_ms <= 40);
    CU_ASSERT_TRUE(stats.delay_us > 0 && stats.delay_us < 100000);
    check_numbers(0, AGW_MS(20), 160);
    close_chain();
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_chain_numbers_are_its_own),
    AGW_CASE(test_chain_jitter_ends_here),
    AGW_CASE(test_chain_ptime_is_the_receivers),
    AGW_CASE(test_chain_rfc7587_4_2_opus_counts_at_48000),
    AGW_CASE(test_chain_a_worker_that_was_away_makes_no_burst),
    AGW_CASE(test_chain_another_source_is_the_same_stream),
    AGW_CASE(test_chain_hold_ends_and_resumes_the_stream),
    AGW_CASE(test_chain_rest_is_at_once),
    AGW_CASE(test_chain_what_was_before_a_hold_is_not_heard_behind_it),
    AGW_CASE(test_chain_a_plan_changes_the_codec_not_the_stream),
    AGW_CASE(test_chain_rfc4733_2_5_digits_stand_between_the_audio),
    AGW_CASE(test_chain_digits_that_nobody_takes_are_tones),
    AGW_CASE(test_chain_a_digit_without_an_end_is_a_tone_that_ends),
    AGW_CASE(test_chain_events_that_are_no_digits_are_silence),
    AGW_CASE(test_chain_a_plan_between_a_digit_and_its_repeats),
    AGW_CASE(test_chain_rfc4733_2_5_1_4_repeats_go_under_the_number_of_the_plan),
    AGW_CASE(test_chain_a_plan_with_another_clock_within_a_digit),
    AGW_CASE(test_chain_a_plan_without_events_within_a_digit_makes_it_a_tone),
    AGW_CASE(test_chain_a_plan_with_events_within_a_digit_tells_it),
    AGW_CASE(test_chain_rfc3389_noise_stands_for_silence),
    AGW_CASE(test_chain_rfc3389_silence_is_told_as_noise),
    AGW_CASE(test_chain_rfc2198_lost_audio_comes_with_the_next_packet),
    AGW_CASE(test_chain_what_it_does_not_know_is_refused),
    AGW_CASE(test_chain_loss_is_counted),
};

AGW_UNIT_MAIN("chain", cases)
