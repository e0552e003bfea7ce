/* SPDX-License-Identifier: BSD-3-Clause
 * What SRTP costs: picoseconds of one thread for a packet of 160 bytes of payload, by suite,
 * engine, direction and batch size, with 2000 streams that send one packet each in turn.
 *
 *   taskset -c 1 build/bench/bench/micro/micro_srtp [--payload=160] [--streams=2000]
 *
 * Groups of 64 packets are made outside the timed part, as they lie in the cache after a receive
 * call, and given in batches. Told are the medians over all groups, which a machine that does
 * something else in between does not move. */
#include "bench/kit/report.h"
#include "srtp/batch.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    GROUP = 64, /* packets that are timed together */
    GROUPS = 4000,
    PACKET_MAX = 1600,
};

typedef struct stream {
    agw_srtp_session *in, *out;
    uint16_t seq;
} stream;

typedef struct bench {
    agw_srtp_engine *engine;
    agw_srtp_suite suite;
    stream *streams;
    size_t n_streams, next, payload;
    uint8_t packets[GROUP][PACKET_MAX];
    agw_srtp_op ops[GROUP];
} bench;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static agw_srtp_session *session(const bench *b, bool egress)
{
    const uint8_t key[AGW_SRTP_KEY_MAX] = {1, 2, 3};
    const agw_srtp_suite_info *info = agw_srtp_suite_get(b->suite);
    agw_srtp_session *s =
        agw_srtp_session_new_on(b->engine, b->suite, key, info->key_len + info->salt_len, egress);
    AGW_ASSERT(s != NULL);
    return s;
}

static void make_streams(bench *b)
{
    b->next = 0;
    for (size_t i = 0; i < b->n_streams; i++)
        b->streams[i] = (stream){session(b, false), session(b, true), 0};
}

static void free_streams(bench *b)
{
    for (size_t i = 0; i < b->n_streams; i++) {
        agw_srtp_session_free(b->streams[i].in);
        agw_srtp_session_free(b->streams[i].out);
    }
}

static void make_packets(bench *b)
{
    for (size_t i = 0; i < GROUP; i++) {
        stream *s = &b->streams[(b->next + i) % b->n_streams];
        uint8_t *p = b->packets[i];
        memset(p, (int)i, 12 + b->payload);
        p[0] = 0x80;
        p[1] = 8;
        p[2] = (uint8_t)(s->seq >> 8);
        p[3] = (uint8_t)s->seq;
        memset(p + 8, 7, 4);
        s->seq++;
        b->ops[i] = (agw_srtp_op){
            .session = s->out, .data = p, .len = 12 + b->payload, .room = AGW_SRTP_TRAILER_MAX};
    }
}

static void turn_round(bench *b)
{
    for (size_t i = 0; i < GROUP; i++) {
        AGW_ASSERT(b->ops[i].err == AGW_OK);
        b->ops[i].session = b->streams[(b->next + i) % b->n_streams].in;
    }
}

typedef void operation(agw_srtp_engine *e, agw_srtp_op ops[], size_t n);

static uint32_t timed(bench *b, operation *run, size_t batch)
{
    const uint64_t begin = now_ns();
    for (size_t at = 0; at < GROUP; at += batch)
        run(b->engine, b->ops + at, batch);
    return (uint32_t)(now_ns() - begin);
}

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int64_t median_ps(uint32_t times[GROUPS])
{
    qsort(times, GROUPS, sizeof *times, by_value);
    return (int64_t)times[GROUPS / 2] * 1000 / GROUP;
}

static void measure(bench *b, size_t batch, kit_report *r)
{
    static uint32_t protect[GROUPS], unprotect[GROUPS];
    for (size_t g = 0; g < GROUPS; g++) {
        make_packets(b);
        protect[g] = timed(b, agw_srtp_batch_protect, batch);
        turn_round(b);
        unprotect[g] = timed(b, agw_srtp_batch_unprotect, batch);
        for (size_t i = 0; i < GROUP; i++)
            AGW_ASSERT(b->ops[i].err == AGW_OK);
        b->next = (b->next + GROUP) % b->n_streams;
    }
    char name[16];
    snprintf(name, sizeof name, "batch_%zu", batch);
    kit_report_open(r, name);
    kit_report_int(r, "protect_ps_per_packet", median_ps(protect));
    kit_report_int(r, "unprotect_ps_per_packet", median_ps(unprotect));
    kit_report_close(r);
}

static void measure_engine(bench *b, agw_srtp_engine *engine, kit_report *r)
{
    static const size_t batches[] = {1, 8, 32, 64};
    b->engine = engine;
    make_streams(b);
    kit_report_open(r, agw_srtp_engine_name(engine));
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        measure(b, batches[i], r);
    kit_report_close(r);
    free_streams(b);
}

static void measure_suite(bench *b, agw_srtp_suite suite, agw_srtp_engine *engine, kit_report *r)
{
    b->suite = suite;
    kit_report_open(r, agw_srtp_suite_get(suite)->sdes);
    measure_engine(b, NULL, r);
    if (engine != NULL)
        measure_engine(b, engine, r);
    kit_report_close(r);
}

static bool read_options(bench *b, int argc, char **argv)
{
    static const struct option options[] = {
        {"payload", required_argument, NULL, 'p'}, {"streams", required_argument, NULL, 's'}, {0}};
    b->payload = 160;
    b->n_streams = 2000;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'p')
            b->payload = strtoul(optarg, NULL, 10);
        else if (c == 's')
            b->n_streams = strtoul(optarg, NULL, 10);
        else
            return false;
    }
    return b->n_streams > 0 && b->payload <= PACKET_MAX - 12 - AGW_SRTP_TRAILER_MAX;
}

int main(int argc, char **argv)
{
    static bench b;
    if (!read_options(&b, argc, argv))
        return 2;
    b.streams = calloc(b.n_streams, sizeof *b.streams);
    agw_srtp_engine *engine = agw_srtp_engine_new();
    if (b.streams == NULL)
        return 2;
    kit_report r;
    kit_report_begin(&r, stdout);
    kit_report_int(&r, "payload_bytes", (int64_t)b.payload);
    kit_report_int(&r, "streams", (int64_t)b.n_streams);
    for (unsigned suite = 1; suite < AGW_SRTP_SUITES; suite++)
        measure_suite(&b, (agw_srtp_suite)suite, engine, &r);
    kit_report_end(&r);
    agw_srtp_engine_free(engine);
    free(b.streams);
    return 0;
}
