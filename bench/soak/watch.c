/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/soak/watch.h"

#include "bench/kit/usage.h"

#include <inttypes.h>
#include <string.h>

static const agw_ns EVERY = AGW_S(1);

static const char HEADING[] = "seconds,begun,ended,up,idle,rss_bytes,heap_used_bytes,heap_held_"
                              "bytes,fds,udp_sockets,sessions,"
                              "transports,ports_used,ports_free,relayed,dropped,kernel_drops\n";

static void write_row(const soak_watch *w, const soak_sample *s)
{
    if (w->out == NULL)
        return;
    fprintf(w->out,
            "%.3f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d,%" PRIu64 ",%" PRIu64 ",%" PRIu64
            ",%u,%u,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
            ",%" PRId64 "\n",
            (double)s->at / 1e9, s->begun, s->ended, s->up, s->idle, s->rss_bytes,
            s->heap_used_bytes, s->heap_held_bytes, s->fds, s->sockets, s->sessions, s->transports,
            s->ports_used, s->ports_free, s->relayed, s->dropped, s->kernel_drops);
    fflush(w->out);
}

static int64_t number(const agw_doc *dict, const char *key)
{
    int64_t value = 0;
    return agw_doc_int(dict, key, &value) ? value : 0;
}

static int64_t kernel_drops(const agw_doc *workers)
{
    int64_t sum = 0;
    for (size_t i = 0; workers != NULL && i < agw_doc_count(workers); i++)
        sum += number(agw_doc_at(workers, i), "kernel drops");
    return sum;
}

static void take_statistics(soak_sample *s, const agw_doc *statistics)
{
    static const char *const ENDS[SOAK_ENDS] = {"regularterminatedsessions", "offertimeoutsessions",
                                                "timeoutsessions", "silenttimeoutsessions",
                                                "consentlostsessions"};
    const agw_doc *current = agw_doc_get(statistics, "currentstatistics");
    const agw_doc *total = agw_doc_get(statistics, "totalstatistics");
    const agw_doc *ports = agw_doc_get(statistics, "ports");
    const agw_doc *memory = agw_doc_get(statistics, "memory");
    const agw_doc *commands = agw_doc_get(agw_doc_get(statistics, "control"), "commands");
    s->sessions = number(current, "sessionstotal");
    s->transports = number(current, "transports");
    s->ports_used = number(ports, "used");
    s->ports_free = number(ports, "free");
    s->heap_used_bytes = (uint64_t)number(memory, "heap used");
    s->heap_held_bytes = (uint64_t)number(memory, "heap held");
    s->relayed = number(total, "relayedpackets");
    s->dropped = number(total, "relayedpacketerrors");
    s->kernel_drops = kernel_drops(agw_doc_get(statistics, "workers"));
    for (size_t i = 0; i < SOAK_ENDS; i++)
        s->ends[i] = number(total, ENDS[i]);
    s->offers = number(commands, "offer");
    s->answers = number(commands, "answer");
    s->deletes = number(commands, "delete");
}

/* Those that have happened. */
static void keep_drops(soak_watch *w, const agw_doc *drops)
{
    agw_doc_free(w->drops);
    w->drops = agw_doc_new_dict();
    for (size_t i = 0; drops != NULL && i < agw_doc_count(drops); i++) {
        const char *reason = agw_doc_key_at(drops, i);
        if (number(drops, reason) != 0)
            agw_doc_set_int(w->drops, reason, number(drops, reason));
    }
}

/* Running, asleep, stopped or gone: whose fault silence is. */
static char state_of(pid_t pid)
{
    char path[32], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return '-';
    const char *name_end = fgets(line, sizeof line, f) != NULL ? strrchr(line, ')') : NULL;
    fclose(f);
    return name_end != NULL && name_end[1] == ' ' ? name_end[2] : '-';
}

static void note_silence(soak_watch *w)
{
    w->silent = true;
    w->state = state_of(w->soak->options.gateway_pid);
}

static void look(soak_watch *w, const agw_doc *statistics)
{
    const soak *s = w->soak;
    kit_usage usage;
    if (kit_usage_of(&usage, s->options.gateway_pid) != AGW_OK) {
        note_silence(w);
        return;
    }
    const soak_sample before = w->now;
    w->now = (soak_sample){.at = s->world.now - w->began_at,
                           .begun = s->books.begun,
                           .ended = s->books.ended,
                           .up = s->books.up,
                           .rss_bytes = usage.rss_bytes,
                           .fds = usage.fds,
                           .sockets = (uint32_t)kit_usage_udp_sockets(s->options.gateway_pid)};
    take_statistics(&w->now, statistics);
    const bool same = w->now.fds == before.fds && w->now.sockets == before.sockets;
    w->steady = same ? w->steady + 1 : 0;
    w->looks++;
    keep_drops(w, agw_doc_get(statistics, "drops"));
    write_row(w, &w->now);
}

static void on_statistics(void *owner, const agw_doc *reply)
{
    soak_watch *w = owner;
    const agw_doc *statistics = agw_doc_get(reply, "statistics");
    if (statistics != NULL)
        look(w, statistics);
    else
        note_silence(w);
}

static void on_timer(void *owner)
{
    soak_watch *w = owner;
    agw_doc *command = kit_ng_command("statistics", NULL);
    agw_doc_set_str(command, "flags", "memory");
    kit_ng_send(w->soak->world.ng, command, on_statistics, w);
    kit_world_at(&w->soak->world, &w->timer, w->timer.timer.at + EVERY, on_timer, w);
}

bool kit_soak_watch_start(soak_watch *w, soak *s)
{
    memset(w, 0, sizeof *w);
    w->soak = s;
    w->began_at = s->world.now;
    if (s->options.samples != NULL) {
        w->out = fopen(s->options.samples, "we");
        if (w->out == NULL)
            return false;
        fputs(HEADING, w->out);
    }
    kit_world_at(&s->world, &w->timer, s->world.now, on_timer, w);
    return true;
}

void kit_soak_watch_stop(soak_watch *w)
{
    kit_world_cancel(&w->soak->world, &w->timer);
    kit_ng_forget(w->soak->world.ng, w);
    agw_doc_free(w->drops);
    if (w->out != NULL)
        fclose(w->out);
    w->out = NULL;
}

void kit_soak_watch_mark(soak_watch *w)
{
    soak_sample point = w->now;
    point.idle = true;
    write_row(w, &point);
}
