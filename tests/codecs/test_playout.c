/* SPDX-License-Identifier: BSD-3-Clause
 * The playout on virtual time, with a decoder of the test's own: a payload is any number of frames
 * of 20 ms, each an octet that says what it is and one that says how loud. So a test sees what was
 * decoded, what was made up, and in which order. */
#include "codecs/playout.h"
#include "unit.h"

#include <math.h>
#include <string.h>

enum { HZ = 8000, STEP = HZ / 100, FRAME = HZ / 50, PT = 96, OTHER_PT = 97 };
enum { SPEECH = 's', SPEECH_FEC = 'f', SID = 'd' };

/* ---------------------------------------------------------------- the decoder */

struct agw_decoder {
    size_t at; /* of the tone */
    int level;
    unsigned decoded, concealed, by_fec, noise, resets;
};

static agw_decoder *made[8]; /* what agw_playout_add() made last, for the tests to look at */
static unsigned n_made;

agw_decoder *agw_decoder_new(const agw_codec_format *format, uint32_t rate_hz)
{
    if (format->id == AGW_CODEC_NONE || rate_hz != HZ)
        return NULL;
    agw_decoder *d = calloc(1, sizeof *d);
    made[n_made++ % 8] = d;
    return d;
}

void agw_decoder_free(agw_decoder *d)
{
    free(d);
}

agw_err agw_decoder_split(const agw_decoder *d, const uint8_t *payload, size_t len,
                          agw_payload *out)
{
    (void)d;
    out->n_frames = 0;
    for (size_t i = 0; i + 2 <= len && out->n_frames < AGW_DECODER_FRAMES_MAX; i += 2)
        out->frames[out->n_frames++] =
            (agw_frame){.kind = payload[i] == SID ? AGW_FRAME_SID : AGW_FRAME_SPEECH,
                        .has_fec = payload[i] == SPEECH_FEC,
                        .duration_ms_x10 = 200,
                        .len = 1,
                        .data = payload + i + 1};
    return len % 2 == 0 ? AGW_OK : AGW_ERR_MALFORMED;
}

/* A tone of 125 Hz that goes on over frames. */
static size_t tone(agw_decoder *d, int16_t *pcm, size_t room)
{
    const size_t n = FRAME < room ? FRAME : room;
    for (size_t i = 0; i < n; i++)
        pcm[i] =
            (int16_t)(d->level * 100 * sin(2 * 3.14159265358979 * (double)(d->at++ % 64) / 64));
    return n;
}

size_t agw_decoder_decode(agw_decoder *d, const agw_frame *frame, int16_t *pcm, size_t room)
{
    if (frame->kind == AGW_FRAME_SPEECH) {
        d->decoded++;
        d->level = frame->data[0];
        return tone(d, pcm, room);
    }
    d->noise++;
    d->level = 1;
    return tone(d, pcm, room);
}

size_t agw_decoder_conceal(agw_decoder *d, const agw_frame *next, int16_t *pcm, size_t room)
{
    d->concealed++;
    d->by_fec += next != NULL && next->has_fec;
    return tone(d, pcm, room);
}

void agw_decoder_reset(agw_decoder *d)
{
    d->resets++;
}

/* ---------------------------------------------------------------- the two ends */

typedef struct scene {
    agw_playout *p;
    agw_decoder *d;
    agw_ns now;
    uint16_t seq;
    uint32_t timestamp;
    unsigned takes, spoken; /* steps of 10 ms, and those that were audio */
    int loudest, roughest;  /* sample, and second difference */
    int16_t last[2 + STEP];
} scene;

static const agw_codec_format format = {
    .id = AGW_CODEC_L16, .channels = 1, .ptime_ms = 20, .clock_hz = HZ};

static scene begin(void)
{
    scene s = {.p = agw_playout_new(HZ), .now = AGW_S(50), .seq = 65530, .timestamp = 0xfffffc00};
    CU_ASSERT_PTR_NOT_NULL_FATAL(s.p);
    CU_ASSERT_EQUAL_FATAL(agw_playout_add(s.p, PT, &format), AGW_OK);
    s.d = made[(n_made - 1) % 8];
    return s;
}

static void put_frames(scene *s, uint8_t kind, uint8_t level, unsigned frames)
{
    uint8_t payload[2 * AGW_DECODER_FRAMES_MAX];
    for (unsigned i = 0; i < frames; i++) {
        payload[2 * i] = kind;
        payload[2 * i + 1] = level;
    }
    CU_ASSERT_EQUAL(agw_playout_put(s->p, PT, s->seq, s->timestamp, payload, 2 * frames, s->now),
                    AGW_OK);
}

static void advance(scene *s)
{
    s->seq++;
    s->timestamp += FRAME;
}

static void take(scene *s)
{
    memmove(s->last, s->last + STEP, 2 * sizeof s->last[0]);
    s->spoken += agw_playout_take(s->p, s->now, s->last + 2);
    s->takes++;
    for (unsigned i = 2; i < 2 + STEP; i++) {
        const int bend = abs(s->last[i] - 2 * s->last[i - 1] + s->last[i - 2]);
        s->loudest = abs(s->last[i]) > s->loudest ? abs(s->last[i]) : s->loudest;
        s->roughest = bend > s->roughest ? bend : s->roughest;
    }
}

static void forget(scene *s)
{
    s->loudest = s->roughest = 0;
    s->takes = s->spoken = 0;
}

/* 20 ms pass. */
static void pass(scene *s)
{
    for (unsigned i = 0; i < 2; i++) {
        s->now += AGW_MS(10);
        take(s);
    }
}

static void talk(scene *s, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++) {
        put_frames(s, SPEECH, 100, 1);
        advance(s);
        pass(s);
    }
}

/* Packets of the network's own order: at[i] is when (in ms after now) packet i comes; -1 = never.
 */
static void talk_late(scene *s, const int *late_ms, unsigned n)
{
    const agw_ns from = s->now;
    const scene first = *s;
    for (unsigned ms = 0; ms < 20 * n; ms++) {
        s->now = from + AGW_MS(ms);
        for (unsigned i = 0; i < n; i++) {
            scene one = first;
            if (late_ms[i] < 0 || 20 * (int)i + late_ms[i] != (int)ms)
                continue;
            one.seq = (uint16_t)(first.seq + i);
            one.timestamp += i * FRAME;
            one.now = s->now;
            put_frames(&one, SPEECH, 100, 1);
        }
        if (ms % 10 == 9) {
            s->now += AGW_MS(1);
            take(s);
        }
    }
    s->now = from + AGW_MS(20) * n;
    s->seq = (uint16_t)(first.seq + n);
    s->timestamp = first.timestamp + n * FRAME;
}

static agw_playout_stats stats_of(const scene *s)
{
    agw_playout_stats stats;
    agw_playout_get_stats(s->p, &stats);
    return stats;
}

static void end(scene *s)
{
    agw_playout_free(s->p);
}

/* The tone itself bends by (2 pi 125 / 8000)^2 of its level. */
enum { LEVEL = 10000, SMOOTH = 700 };

/* ---------------------------------------------------------------- tests */

static void test_playout_is_silent_until_the_first_packet(void)
{
    scene s = begin();
    pass(&s);
    CU_ASSERT_EQUAL(s.loudest, 0);
    CU_ASSERT_EQUAL(s.spoken, 0);
    end(&s);
}

static void test_playout_an_even_stream_is_played_whole_with_little_delay(void)
{
    scene s = begin();
    talk(&s, 10);
    forget(&s);
    talk(&s, 190);
    CU_ASSERT_EQUAL(s.d->concealed, 0);
    CU_ASSERT(s.d->decoded >= 198);
    CU_ASSERT(s.roughest < SMOOTH);
    CU_ASSERT(stats_of(&s).delay_us <= 24000); /* 4 of the histogram, 8 ahead, 12 behind */
    CU_ASSERT(s.timestamp - agw_playout_timestamp(s.p) <=
              FRAME);                         /* what has come and was not played */
    CU_ASSERT(stats_of(&s).shortened_ms > 0); /* from the delay of a stream that nobody knows */
    end(&s);
}

static void test_playout_order_is_made_and_duplicates_are_counted(void)
{
    static const int late[] = {0, 0, 25, 0, 0, 25, 0, 0, 25, 0, 0, 25, 0, 0, 25, 0, 0, 25, 0, 0};
    scene s = begin();
    for (unsigned i = 0; i < 10; i++)
        talk_late(&s, late, 20);
    forget(&s);
    const unsigned made_up = s.d->concealed;
    talk_late(&s, late, 20);
    CU_ASSERT_EQUAL(s.d->concealed, made_up);
    CU_ASSERT(s.roughest < SMOOTH);
    put_frames(&s, SPEECH, 100, 1);
    put_frames(&s, SPEECH, 100, 1);
    CU_ASSERT_EQUAL(stats_of(&s).duplicate, 1);
    end(&s);
}

static void test_playout_a_packet_after_its_place_is_late(void)
{
    scene s = begin();
    talk(&s, 100);
    const scene lost = s;
    advance(&s);
    talk(&s, 10);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    CU_ASSERT_EQUAL(stats_of(&s).concealed_ms, 20);
    const scene now = s;
    s.seq = lost.seq;
    s.timestamp = lost.timestamp;
    put_frames(&s, SPEECH, 100, 1);
    CU_ASSERT_EQUAL(stats_of(&s).late, 1);
    s.seq = now.seq;
    s.timestamp = now.timestamp;
    talk(&s, 2);
    end(&s);
}

static void test_playout_a_lost_packet_is_one_frame_of_concealment(void)
{
    scene s = begin();
    talk(&s, 100);
    const uint32_t before = agw_playout_timestamp(s.p);
    for (unsigned i = 0; i < 50; i++) {
        advance(&s);
        pass(&s);
        talk(&s, 9);
    }
    const uint32_t passed = agw_playout_timestamp(s.p) - before;
    CU_ASSERT(abs((int)passed - 500 * FRAME) <= 4 * FRAME);
    CU_ASSERT(stats_of(&s).concealed_ms >= 900 && stats_of(&s).concealed_ms <= 1100);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    end(&s);
}

/* The first of them runs the buffer dry: what was made up then is part of the 60 ms. */
static void test_playout_three_lost_packets_are_three_frames_of_concealment(void)
{
    scene s = begin();
    talk(&s, 100);
    for (unsigned i = 0; i < 3; i++) {
        advance(&s);
        pass(&s);
    }
    talk(&s, 50);
    CU_ASSERT(stats_of(&s).concealed_ms >= 50 && stats_of(&s).concealed_ms <= 70);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    end(&s);
}

static void test_playout_waits_a_frame_for_fec_where_there_is_loss(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 1000; i++) {
        if (i % 10 != 3)
            put_frames(&s, SPEECH_FEC, 100, 1);
        advance(&s);
        pass(&s);
    }
    CU_ASSERT(s.d->by_fec >= 95);
    CU_ASSERT(stats_of(&s).by_fec_ms >= 1900);
    CU_ASSERT(stats_of(&s).delay_us > 23000); /* 4 are enough for an even stream */
    end(&s);
}

/* The encoder leaves it out where there is little to say. */
static void test_playout_frames_without_fec_do_not_move_the_delay(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 1000; i++) {
        if (i % 10 != 3)
            put_frames(&s, i / 30 % 2 == 0 ? SPEECH_FEC : SPEECH, 100, 1);
        advance(&s);
        pass(&s);
    }
    CU_ASSERT(stats_of(&s).stretched_ms + stats_of(&s).shortened_ms <= 100);
    CU_ASSERT(stats_of(&s).delay_us > 23000);
    end(&s);
}

/* All that was waited for them counts as loss: the delay that FEC needs lasts until the next ones.
 */
static void test_playout_of_three_lost_packets_the_last_is_restored(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 2000; i++) {
        if (i % 100 < 10 || i % 100 > 12)
            put_frames(&s, SPEECH_FEC, 100, 1);
        advance(&s);
        pass(&s);
    }
    CU_ASSERT(s.d->by_fec >= 18 && s.d->by_fec <= 20);
    CU_ASSERT(stats_of(&s).concealed_ms >= 1100 && stats_of(&s).concealed_ms <= 1300);
    CU_ASSERT(stats_of(&s).delay_us > 23000);
    end(&s);
}

static void test_playout_a_long_gap_ends_in_noise_and_speech_comes_back(void)
{
    scene s = begin();
    talk(&s, 100);
    for (unsigned i = 0; i < 15; i++) { /* 300 ms */
        advance(&s);
        pass(&s);
    }
    forget(&s);
    pass(&s);
    CU_ASSERT_EQUAL(s.spoken, 0);
    advance(&s);
    talk(&s, 50);
    CU_ASSERT(s.spoken >= 90);
    CU_ASSERT(s.loudest >= LEVEL * 9 / 10);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    end(&s);
}

static void test_playout_a_pause_is_noise_without_a_burst(void)
{
    scene s = begin();
    talk(&s, 100);
    put_frames(&s, SID, 1, 1);
    advance(&s);
    for (unsigned i = 0; i < 5; i++) {
        s.timestamp += FRAME;
        pass(&s);
    }
    forget(&s);
    const unsigned made_up = s.d->concealed;
    for (unsigned i = 0; i < 200; i++) { /* 4 s, one SID in 160 ms */
        if (i % 8 == 0) {
            put_frames(&s, SID, 1, 1);
            s.seq++;
        }
        s.timestamp += FRAME;
        pass(&s);
    }
    CU_ASSERT(s.loudest <= 150);
    CU_ASSERT(s.d->noise >= 190); /* the decoder knows what it is like */
    CU_ASSERT_EQUAL(s.spoken, 0);
    CU_ASSERT_EQUAL(s.d->concealed, made_up);
    const unsigned decoded = s.d->decoded;
    talk(&s, 50);
    CU_ASSERT(s.d->decoded >= decoded + 47);
    CU_ASSERT(stats_of(&s).delay_us <= 40000);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    end(&s);
}

/* G.711 without CN: the sequence numbers say that nothing was lost. */
static void test_playout_a_gap_in_time_alone_is_a_pause(void)
{
    scene s = begin();
    talk(&s, 100);
    s.timestamp += 100 * FRAME;
    for (unsigned i = 0; i < 100; i++)
        pass(&s);
    CU_ASSERT(s.d->concealed > 0);
    talk(&s, 50);
    CU_ASSERT_EQUAL(stats_of(&s).concealed_ms, 0);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    end(&s);
}

static const int LATE_80[20] = {[3] = 80, [7] = 80, [11] = 80, [15] = 80};

static void test_playout_jitter_makes_the_delay_longer_without_a_break(void)
{
    scene s = begin();
    talk(&s, 100);
    for (unsigned i = 0; i < 5; i++)
        talk_late(&s, LATE_80, 20);
    CU_ASSERT(stats_of(&s).stretched_ms >= 30);
    const unsigned made_up = s.d->concealed;
    forget(&s);
    for (unsigned i = 0; i < 5; i++)
        talk_late(&s, LATE_80, 20);
    CU_ASSERT_EQUAL(s.d->concealed, made_up);
    CU_ASSERT(s.roughest < SMOOTH);
    end(&s);
}

/* So short, and with so much audio before it, that nothing runs dry. */
static void test_playout_a_short_pause_is_not_taken_for_loss(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 10; i++)
        talk_late(&s, LATE_80, 20);
    const unsigned made_up = s.d->concealed;
    s.timestamp += 2 * FRAME;
    pass(&s);
    pass(&s);
    talk(&s, 20);
    CU_ASSERT_EQUAL(s.d->concealed, made_up);
    end(&s);
}

static void test_playout_a_spike_is_played_and_the_delay_comes_back(void)
{
    scene s = begin();
    talk(&s, 200);
    int late[20] = {0};
    for (int i = 0; i < 8; i++)
        late[i] = 160 - 20 * i; /* all of them come together */
    talk_late(&s, late, 20);
    const unsigned decoded = s.d->decoded;
    talk(&s, 1000);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    CU_ASSERT(stats_of(&s).concealed_ms >= 100); /* nothing is lost, and yet there was a gap */
    CU_ASSERT(s.d->decoded >= decoded + 1000);
    CU_ASSERT(stats_of(&s).delay_us <= 40000);
    end(&s);
}

static void test_playout_a_jump_of_timestamps_goes_on_at_once(void)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        scene s = begin();
        talk(&s, 100);
        s.timestamp += (uint32_t)(sign * 1000000);
        s.seq += 1000;
        const unsigned decoded = s.d->decoded;
        talk(&s, 50);
        CU_ASSERT(s.d->decoded >= decoded + 46);
        CU_ASSERT_EQUAL(stats_of(&s).late, 0);
        CU_ASSERT(stats_of(&s).concealed_ms <= 60);
        end(&s);
    }
}

static void test_playout_another_source_follows_the_old_ones_last_packets(void)
{
    scene s = begin();
    talk(&s, 100);
    put_frames(&s, SPEECH, 100, 1);
    advance(&s);
    agw_playout_switch(s.p);
    s.seq = (uint16_t)(s.seq - 5); /* as if they were late, and had been there before */
    s.timestamp -= 5 * FRAME;
    const unsigned decoded = s.d->decoded, resets = s.d->resets;
    talk(&s, 50);
    CU_ASSERT(s.d->decoded >= decoded + 46);
    CU_ASSERT_EQUAL(s.d->resets, resets + 1);
    CU_ASSERT_EQUAL(stats_of(&s).late + stats_of(&s).duplicate, 0);
    end(&s);
}

/* Nothing is played of what waited, and its room is free again. */
static void test_playout_another_time_begins_with_silence(void)
{
    scene s = begin();
    talk(&s, 100);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 60; i++) {
            put_frames(&s, SPEECH, 100, 1);
            advance(&s);
        }
        take(&s);
        agw_playout_begin_anew(s.p);
        forget(&s);
        const unsigned decoded = s.d->decoded;
        for (unsigned i = 0; i < 5; i++)
            pass(&s);
        CU_ASSERT_EQUAL(s.d->decoded, decoded);
        CU_ASSERT_EQUAL(s.loudest + (int)s.spoken, 0);
    }
    CU_ASSERT_EQUAL(stats_of(&s).overflow, 0);
    const unsigned decoded = s.d->decoded;
    talk(&s, 50);
    CU_ASSERT(s.d->decoded >= decoded + 46);
    CU_ASSERT_EQUAL(stats_of(&s).late + stats_of(&s).duplicate, 0);
    end(&s);
}

static void test_playout_drift_of_200_ppm_is_followed_without_a_break(void)
{
    for (int ppm = -200; ppm <= 200; ppm += 400) {
        scene s = begin();
        talk(&s, 100);
        forget(&s);
        const agw_ns from = s.now;
        unsigned put = 0;
        for (unsigned i = 0; i < 12000; i++) { /* two minutes */
            for (; AGW_MS(20) * put + AGW_MS(20) * put / 1000000 * ppm <= s.now - from; put++) {
                put_frames(&s, SPEECH, 100, 1);
                advance(&s);
            }
            s.now += AGW_MS(10);
            take(&s);
        }
        const agw_playout_stats stats = stats_of(&s);
        CU_ASSERT(stats.concealed_ms <= 60);
        CU_ASSERT(stats.delay_us <= 50000);
        CU_ASSERT_EQUAL(stats.overflow + stats.late, 0);
        CU_ASSERT(s.roughest < SMOOTH);
        end(&s);
    }
}

static void test_playout_packets_of_three_frames_and_an_encoder_of_60_ms(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 300; i++) {
        put_frames(&s, SPEECH, 100, 3);
        s.seq++;
        s.timestamp += 3 * FRAME;
        s.now += AGW_MS(60);
        for (unsigned k = 0; k < 6; k++)
            take(&s); /* at one time */
        if (i == 10)
            forget(&s);
    }
    CU_ASSERT(s.d->decoded >= 890);
    CU_ASSERT_EQUAL(stats_of(&s).late, 0);
    CU_ASSERT(stats_of(&s).concealed_ms <= 80);
    CU_ASSERT(s.roughest < SMOOTH);
    end(&s);
}

static void test_playout_another_payload_type_takes_over(void)
{
    scene s = begin();
    CU_ASSERT_EQUAL(agw_playout_add(s.p, PT, &format), AGW_ERR_EXISTS);
    CU_ASSERT_EQUAL(agw_playout_add(s.p, OTHER_PT, &format), AGW_OK);
    const agw_decoder *other = made[(n_made - 1) % 8];
    talk(&s, 100);
    for (unsigned i = 0; i < 50; i++) {
        const uint8_t payload[] = {SPEECH, 100};
        CU_ASSERT_EQUAL(agw_playout_put(s.p, OTHER_PT, s.seq, s.timestamp, payload, 2, s.now),
                        AGW_OK);
        advance(&s);
        pass(&s);
    }
    CU_ASSERT(other->decoded >= 47);
    CU_ASSERT_EQUAL(stats_of(&s).concealed_ms, 0);
    end(&s);
}

static void test_playout_refuses_what_it_does_not_know(void)
{
    scene s = begin();
    const uint8_t odd[3] = {SPEECH, 100, SPEECH};
    static const uint8_t huge[4000];
    CU_ASSERT_EQUAL(agw_playout_put(s.p, 1, 0, 0, odd, 2, s.now), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(agw_playout_put(s.p, PT, 0, 0, odd, 3, s.now), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_playout_put(s.p, PT, 0, 0, odd, 0, s.now), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_playout_put(s.p, PT, 0, 0, huge, sizeof huge, s.now), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(stats_of(&s).malformed, 3);
    const agw_codec_format none = {.id = AGW_CODEC_NONE};
    CU_ASSERT_EQUAL(agw_playout_add(s.p, 5, &none), AGW_ERR_UNSUPPORTED);
    for (uint8_t pt = 1; pt < 8; pt++)
        CU_ASSERT_EQUAL(agw_playout_add(s.p, pt, &format), AGW_OK);
    CU_ASSERT_EQUAL(agw_playout_add(s.p, 99, &format), AGW_ERR_LIMIT);
    end(&s);
}

/* Memory is bounded: the oldest go, and what is left is played. */
static void test_playout_a_flood_drops_the_oldest(void)
{
    scene s = begin();
    for (unsigned i = 0; i < 1000; i++) {
        put_frames(&s, SPEECH, 100, AGW_DECODER_FRAMES_MAX);
        s.seq++;
        s.timestamp += AGW_DECODER_FRAMES_MAX * FRAME;
    }
    CU_ASSERT(stats_of(&s).overflow > 900);
    for (unsigned i = 0; i < 100; i++)
        pass(&s);
    CU_ASSERT(s.d->decoded > 50);
    end(&s);
}

/* What a hostile sender may do with numbers and times; sanitizers and our own promises look on. */
static void test_playout_any_numbers_and_times_do_no_harm(void)
{
    uint32_t seed = 20260;
    scene s = begin();
    CU_ASSERT_EQUAL(agw_playout_add(s.p, OTHER_PT, &format), AGW_OK);
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * 1664525u + 1013904223u;
        const unsigned r = seed >> 8;
        const uint8_t kinds[] = {SPEECH, SPEECH_FEC, SID};
        const uint8_t payload[] = {kinds[r % 3], 100, kinds[r / 3 % 3], 100};
        s.seq = (uint16_t)(s.seq + (r % 97 == 0 ? r : 1));
        s.timestamp += r % 89 == 0 ? seed : r % 7 == 0 ? r % 400 : FRAME;
        if (r % 5 != 0 && agw_playout_put(s.p, r % 61 == 0 ? OTHER_PT : PT, s.seq, s.timestamp,
                                          payload, r % 4, s.now) == AGW_ERR_NO_SPACE)
            CU_FAIL("no space");
        if (r % 1009 == 0)
            agw_playout_switch(s.p);
        if (r % 1013 == 1)
            agw_playout_begin_anew(s.p);
        s.now += AGW_MS(r % 1013 == 0 ? 3000 : r % 30);
        for (unsigned k = r % 4; k > 0; k--)
            take(&s);
    }
    CU_ASSERT(s.spoken > 0);
    end(&s);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_playout_is_silent_until_the_first_packet),
    AGW_CASE(test_playout_an_even_stream_is_played_whole_with_little_delay),
    AGW_CASE(test_playout_order_is_made_and_duplicates_are_counted),
    AGW_CASE(test_playout_a_packet_after_its_place_is_late),
    AGW_CASE(test_playout_a_lost_packet_is_one_frame_of_concealment),
    AGW_CASE(test_playout_three_lost_packets_are_three_frames_of_concealment),
    AGW_CASE(test_playout_waits_a_frame_for_fec_where_there_is_loss),
    AGW_CASE(test_playout_frames_without_fec_do_not_move_the_delay),
    AGW_CASE(test_playout_of_three_lost_packets_the_last_is_restored),
    AGW_CASE(test_playout_a_long_gap_ends_in_noise_and_speech_comes_back),
    AGW_CASE(test_playout_a_pause_is_noise_without_a_burst),
    AGW_CASE(test_playout_a_gap_in_time_alone_is_a_pause),
    AGW_CASE(test_playout_jitter_makes_the_delay_longer_without_a_break),
    AGW_CASE(test_playout_a_short_pause_is_not_taken_for_loss),
    AGW_CASE(test_playout_a_spike_is_played_and_the_delay_comes_back),
    AGW_CASE(test_playout_a_jump_of_timestamps_goes_on_at_once),
    AGW_CASE(test_playout_another_source_follows_the_old_ones_last_packets),
    AGW_CASE(test_playout_another_time_begins_with_silence),
    AGW_CASE(test_playout_drift_of_200_ppm_is_followed_without_a_break),
    AGW_CASE(test_playout_packets_of_three_frames_and_an_encoder_of_60_ms),
    AGW_CASE(test_playout_another_payload_type_takes_over),
    AGW_CASE(test_playout_refuses_what_it_does_not_know),
    AGW_CASE(test_playout_a_flood_drops_the_oldest),
    AGW_CASE(test_playout_any_numbers_and_times_do_no_harm),
};

AGW_UNIT_MAIN("playout", cases)
