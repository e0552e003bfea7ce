/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/world.h"

#include "base/wire.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const agw_ns SLICE = AGW_US(100); /* the least that the kernel gives */

/* Beside busy neighbours a wake-up waits until the running one's slice is over, some 3 ms, unless
 * our own slice is shorter (Linux 6.12 and later). Where that is unknown nothing changes. */
static void ask_for_short_slices(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = sizeof attributes, .policy = SCHED_OTHER};
    attributes.nice = getpriority(PRIO_PROCESS, 0);
    attributes.runtime = (uint64_t)SLICE;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static void prepare(kit_world *w, const kit_world_config *config)
{
    memset(w, 0, sizeof *w);
    w->hosts = config->hosts;
    w->spin = config->spin;
    agw_timerq_init(&w->timers);
    prctl(PR_SET_TIMERSLACK, 1UL); /* sleep to the nanosecond, not to the next 50 us */
    ask_for_short_slices();
    w->now = agw_clock_now();
}

static bool answers(kit_ng *ng)
{
    agw_doc *reply = kit_ng_ask(ng, kit_ng_command("ping", NULL), AGW_S(5));
    const char *result = agw_doc_str(reply, "result");
    const bool ok = result != NULL && strcmp(result, "pong") == 0;
    agw_doc_free(reply);
    return ok;
}

agw_err kit_world_open(kit_world *w, const kit_world_config *config, const char **why)
{
    prepare(w, config);
    w->ng = kit_ng_open(&config->ng, why);
    if (w->ng != NULL && !answers(w->ng)) {
        *why = "the gateway does not answer a ping";
    } else if (w->ng != NULL) {
        w->wire = kit_wire_open(config->interface, &config->hosts, &config->gateway, why);
        if (w->wire != NULL)
            return AGW_OK;
    }
    kit_world_close(w);
    return AGW_ERR_SYSTEM;
}

void kit_world_close(kit_world *w)
{
    kit_wire_close(w->wire);
    kit_ng_close(w->ng);
    agw_timerq_fini(&w->timers);
    w->wire = NULL;
    w->ng = NULL;
}

static bool option_value(const char *arg, const char *name, const char **value)
{
    const size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0 || arg[len] != '=')
        return false;
    *value = arg + len + 1;
    return true;
}

kit_option kit_world_option(kit_world_config *config, const char *arg)
{
    const char *value = NULL;
    agw_err err = AGW_OK;
    if (strcmp(arg, "--spin") == 0)
        config->spin = true;
    else if (option_value(arg, "--interface", &value))
        config->interface = value;
    else if (option_value(arg, "--ng", &value))
        err = agw_addr_parse(&config->ng, value);
    else if (option_value(arg, "--gateway", &value))
        err = agw_addr_parse_ip(&config->gateway, value);
    else if (option_value(arg, "--hosts", &value))
        err = agw_prefix_parse(&config->hosts, value);
    else
        return KIT_OPTION_OTHER;
    return err == AGW_OK ? KIT_OPTION_TAKEN : KIT_OPTION_WRONG;
}

bool kit_world_config_complete(const kit_world_config *config)
{
    return config->interface != NULL && config->ng.port != 0 &&
           config->gateway.family == AGW_FAMILY_IP4 && config->hosts.addr.family == AGW_FAMILY_IP4;
}

agw_addr kit_world_host(kit_world *w)
{
    const unsigned free_bits = 32u - w->hosts.bits;
    const uint32_t last = free_bits < 32 ? ((uint32_t)1 << free_bits) - 1 : UINT32_MAX;
    const uint32_t base = agw_get32(w->hosts.addr.ip) & ~last;
    w->last_host++;
    if (w->last_host >= last) /* neither the network's own address nor its broadcast */
        w->last_host = 1;
    agw_addr host = {.family = AGW_FAMILY_IP4};
    agw_put32(host.ip, base | w->last_host);
    return host;
}

void kit_world_at(kit_world *w, kit_timer *timer, agw_ns at, void (*fire)(void *owner), void *owner)
{
    timer->fire = fire;
    timer->owner = owner;
    timer->timer.owner = timer;
    agw_timerq_set(&w->timers, &timer->timer, at);
}

void kit_world_cancel(kit_world *w, kit_timer *timer)
{
    agw_timerq_cancel(&w->timers, &timer->timer);
}

static void fire_timers(kit_world *w)
{
    for (const agw_timer *t; (t = agw_timerq_pop(&w->timers, w->now)) != NULL;) {
        const kit_timer *timer = t->owner;
        timer->fire(timer->owner);
    }
}

/* With a tick, arrivals wake nobody: a wake-up costs the sender's CPU, that is the gateway's, more
 * than the packet, and the kernel's stamp tells when it came. */
static void sleep_until(const kit_world *w, agw_ns until)
{
    if (w->tick != 0)
        until = agw_earlier(until, w->now + w->tick);
    const struct timespec at = {.tv_sec = until / AGW_S(1), .tv_nsec = until % AGW_S(1)};
    if (w->tick != 0) {
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        return;
    }
    const agw_ns wait = until - agw_clock_now();
    if (wait <= 0)
        return;
    struct pollfd p[2] = {{.fd = kit_wire_fd(w->wire), .events = POLLIN},
                          {.fd = kit_ng_fd(w->ng), .events = POLLIN}};
    const struct timespec length = {.tv_sec = wait / AGW_S(1), .tv_nsec = wait % AGW_S(1)};
    ppoll(p, 2, &length, NULL);
}

void kit_world_turn(kit_world *w, agw_ns until)
{
    kit_wire_flush(w->wire); /* what was queued outside of turns */
    w->now = agw_clock_now();
    until = agw_earlier(until, agw_earlier(agw_timerq_next(&w->timers), kit_ng_deadline(w->ng)));
    if (!w->spin && !w->more && until > w->now) {
        sleep_until(w, until);
        w->now = agw_clock_now();
    }
    fire_timers(w);
    kit_wire_take(w->wire);
    w->more = kit_wire_has_more(w->wire);
    kit_ng_turn(w->ng, w->now);
    kit_wire_flush(w->wire);
    w->now = agw_clock_now();
}

void kit_world_for(kit_world *w, agw_ns length)
{
    const agw_ns until = agw_clock_now() + length;
    do
        kit_world_turn(w, until);
    while (w->now < until);
}

bool kit_world_until(kit_world *w, bool (*done)(void *owner), void *owner, agw_ns patience)
{
    const agw_ns give_up = agw_clock_now() + patience;
    while (!done(owner)) {
        if (w->now >= give_up)
            return false;
        kit_world_turn(w, give_up);
    }
    return true;
}
