/* SPDX-License-Identifier: BSD-3-Clause
 * The pacer on virtual time: every stream once a period, at its slot's time and never before. */
#include "bench/kit/pacer.h"

#include "unit.h"

#include "fake_wire.h"

/* The pacer reads the clock itself, since its turns are long: here it is the world's. */
agw_ns agw_clock_now(void)
{
    return fake_world.now;
}

int64_t agw_clock_wall_us(void)
{
    return 0;
}

enum { STREAMS = 8, SENT_MAX = 1000 };

typedef struct stream {
    unsigned sent;
    agw_ns at[SENT_MAX];
    size_t slot;
    agw_ns costs; /* time that passes while it sends */
} stream;

static stream streams[STREAMS];
static kit_pacer pacer;

static void send_one(void *owner)
{
    stream *s = owner;
    CU_ASSERT_FATAL(s->sent < SENT_MAX);
    s->at[s->sent++] = fake_world.now;
    fake_world.now += s->costs;
}

static void begin(size_t slots, agw_ns tick)
{
    fake_begin();
    memset(streams, 0, sizeof streams);
    const kit_pacer_config config = {
        .period = AGW_MS(20), .slots = slots, .tick = tick, .send = send_one};
    kit_pacer_init(&pacer, &fake_world, &config);
}

static void join(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        streams[i].slot = kit_pacer_join(&pacer, &streams[i]);
}

static void end(void)
{
    kit_pacer_fini(&pacer);
    fake_end();
}

static void test_pacer_all_slots_are_evenly_spaced(void)
{
    begin(STREAMS, 0);
    join(STREAMS);
    const agw_ns began = fake_world.now;
    fake_run(AGW_MS(200) - 1);
    for (unsigned i = 0; i < STREAMS; i++) {
        CU_ASSERT_EQUAL(streams[i].sent, 10);
        for (unsigned k = 0; k < streams[i].sent; k++)
            CU_ASSERT_EQUAL(streams[i].at[k], began + AGW_MS(20) * k +
                                                  AGW_MS(20) * (agw_ns)streams[i].slot / STREAMS);
    }
    CU_ASSERT_EQUAL(pacer.lateness.most, 0);
    end();
}

static void test_pacer_few_streams_stand_far_apart(void)
{
    begin(100, 0);
    join(2);
    const size_t apart = (streams[1].slot + 100 - streams[0].slot) % 100;
    CU_ASSERT(apart > 30 && apart < 70);
    end();
}

/* What falls due within a tick leaves at its end: late by up to a tick, never early. */
static void test_pacer_tick_gathers_and_is_never_early(void)
{
    begin(STREAMS, AGW_MS(5)); /* slots are 2.5 ms apart */
    join(STREAMS);
    const agw_ns began = fake_world.now;
    fake_run(AGW_MS(100));
    for (unsigned i = 0; i < STREAMS; i++) {
        CU_ASSERT(streams[i].sent >= 5);
        for (unsigned k = 0; k < streams[i].sent; k++) {
            const agw_ns due =
                began + AGW_MS(20) * k + AGW_MS(20) * (agw_ns)streams[i].slot / STREAMS;
            CU_ASSERT(streams[i].at[k] >= due && streams[i].at[k] <= due + AGW_MS(5));
        }
    }
    CU_ASSERT(pacer.lateness.most > 0);
    end();
}

/* Nothing is left out when sending takes longer than there is time, and lateness tells. */
static void test_pacer_catches_up_and_says_how_late_it_was(void)
{
    begin(STREAMS, 0);
    streams[0].costs = AGW_MS(50);
    join(STREAMS);
    fake_run(AGW_MS(20)); /* one slow turn, which takes until 50 ms at least */
    streams[0].costs = 0;
    fake_run(AGW_MS(200));
    for (unsigned i = 1; i < STREAMS; i++)
        CU_ASSERT(streams[i].sent + 1 >= streams[0].sent && streams[i].sent <= streams[0].sent + 1);
    CU_ASSERT(pacer.lateness.most > AGW_MS(25));
    end();
}

static void test_pacer_who_leaves_is_silent_and_the_slot_is_free_again(void)
{
    begin(2, 0);
    join(2);
    fake_run(AGW_MS(100));
    kit_pacer_leave(&pacer, streams[0].slot);
    const unsigned sent = streams[0].sent;
    fake_run(AGW_MS(100));
    CU_ASSERT_EQUAL(streams[0].sent, sent);
    CU_ASSERT_EQUAL(kit_pacer_join(&pacer, &streams[2]), streams[0].slot);
    fake_run(AGW_MS(100));
    CU_ASSERT(streams[2].sent >= 5);
    kit_pacer_leave(&pacer, streams[1].slot);
    kit_pacer_leave(&pacer, streams[0].slot);
    fake_run(AGW_MS(40)); /* nobody is left: the timer ends */
    CU_ASSERT_EQUAL(agw_timerq_next(&fake_world.timers), AGW_NEVER);
    fake_run(AGW_S(5));
    streams[0].sent = 0;
    join(1);
    fake_run(AGW_MS(100));
    CU_ASSERT(streams[0].sent >= 5 && streams[0].sent <= 6); /* and makes up for nothing */
    end();
}

static void test_pacer_many_joins_and_leaves_keep_all_slots(void)
{
    begin(STREAMS, 0);
    join(STREAMS);
    for (unsigned i = 0; i < 1000; i++) {
        const unsigned a = i * 7 % STREAMS;
        const unsigned b = (i * 7 + 3) % STREAMS;
        kit_pacer_leave(&pacer, streams[a].slot);
        kit_pacer_leave(&pacer, streams[b].slot);
        streams[b].slot = kit_pacer_join(&pacer, &streams[b]);
        streams[a].slot = kit_pacer_join(&pacer, &streams[a]);
    }
    bool taken[STREAMS] = {false};
    for (unsigned i = 0; i < STREAMS; i++) {
        CU_ASSERT_FALSE(taken[streams[i].slot]);
        taken[streams[i].slot] = true;
    }
    end();
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_pacer_all_slots_are_evenly_spaced),
        AGW_CASE(test_pacer_few_streams_stand_far_apart),
        AGW_CASE(test_pacer_tick_gathers_and_is_never_early),
        AGW_CASE(test_pacer_catches_up_and_says_how_late_it_was),
        AGW_CASE(test_pacer_who_leaves_is_silent_and_the_slot_is_free_again),
        AGW_CASE(test_pacer_many_joins_and_leaves_keep_all_slots),
    };
    return agw_unit_run("pacer", cases, sizeof cases / sizeof cases[0]);
}
