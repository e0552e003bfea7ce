/* SPDX-License-Identifier: BSD-3-Clause
 * Pairs of ports stand in one of three lists, or in none when both halves are out:
 *
 *     cold   closed                      head: longest unused
 *     ready  both halves open and free   head: longest unused
 *     half   one half is out             head: to be taken first as a single port */
#include "net/ports.h"

#include "base/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_TRIES = 64, /* ports held by others that one call may run into */
    BOTH = 3,        /* pair.used */
};

typedef struct pair {
    struct pair *prev, *next;
    agw_port *ports;   /* both, while they are open */
    uint64_t given_at; /* ports.takes when a half came back last */
    uint16_t rtp;      /* the even port number */
    uint8_t used;      /* bit 0: RTP is out, bit 1: RTCP is out */
} pair;

typedef struct list {
    pair end; /* end.next is the head, end.prev the tail */
    size_t count;
} list;

struct agw_ports {
    agw_ports_config config;
    size_t pair_count, used;
    uint64_t takes, foreign, opened, in_a_hurry;
    uint64_t quarantine; /* takes that must pass before a port is used again, if
                            others are left */
    bool filling;
    list cold, ready, half;
    pair *pairs;
};

/* ---- lists ---- */

static void list_init(list *l)
{
    l->end.next = l->end.prev = &l->end;
    l->count = 0;
}

static pair *list_head(const list *l)
{
    return l->count != 0 ? l->end.next : NULL;
}

static void insert(list *l, pair *p, pair *before)
{
    AGW_ASSERT(before != NULL && p->next == NULL); /* the list is set up, p is in none */
    p->next = before;
    p->prev = before->prev;
    p->prev->next = p;
    before->prev = p;
    l->count++;
}

static void push_tail(list *l, pair *p)
{
    insert(l, p, &l->end);
}

static void push_head(list *l, pair *p)
{
    insert(l, p, l->end.next);
}

static void unlink_from(list *l, pair *p)
{
    p->prev->next = p->next;
    p->next->prev = p->prev;
    p->prev = p->next = NULL;
    l->count--;
}

/* ---- life ---- */

/* xorshift32: the order of ports need not be unpredictable, only different from
 * start to start. */
static uint32_t scramble(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Everything begins cold, in random order. */
static bool fill_cold(agw_ports *ports, uint32_t seed)
{
    const size_t n = ports->pair_count;
    size_t *order = calloc(n, sizeof *order);
    if (order == NULL)
        return false;
    uint32_t state = seed != 0 ? seed : 1;
    for (size_t i = 0; i < n; i++) {
        const size_t j = scramble(&state) % (i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < n; i++)
        push_tail(&ports->cold, &ports->pairs[order[i]]);
    free(order);
    return true;
}

static void number_pairs(agw_ports *ports, unsigned first)
{
    for (size_t i = 0; i < ports->pair_count; i++)
        ports->pairs[i].rtp = (uint16_t)(first + 2 * i);
}

agw_err agw_ports_new(agw_ports **out, const agw_ports_config *config, uint32_t seed)
{
    const unsigned first = (config->port_min + 1u) & ~1u;
    const size_t n =
        first + 1 <= config->port_max && first != 0 ? (config->port_max - first + 1u) / 2 : 0;
    agw_ports *ports = n != 0 ? calloc(1, sizeof *ports) : NULL;
    pair *pairs = n != 0 ? calloc(n, sizeof *pairs) : NULL;
    if (ports == NULL || pairs == NULL) {
        free(ports);
        free(pairs);
        return AGW_ERR_LIMIT;
    }
    ports->config = *config;
    if (ports->config.high < config->low)
        ports->config.high = config->low;
    ports->pairs = pairs;
    ports->pair_count = n;
    ports->quarantine = config->low != 0 ? config->low : 1;
    ports->takes = ports->quarantine; /* what was never used may be taken at once */
    list_init(&ports->cold);
    list_init(&ports->ready);
    list_init(&ports->half);
    number_pairs(ports, first);
    if (fill_cold(ports, seed)) {
        *out = ports;
        return AGW_OK;
    }
    agw_ports_free(ports);
    return AGW_ERR_LIMIT;
}

static void close_pair(pair *p)
{
    if (p->ports == NULL)
        return;
    agw_port_close(&p->ports[0]);
    agw_port_close(&p->ports[1]);
    free(p->ports);
    p->ports = NULL;
}

void agw_ports_free(agw_ports *ports)
{
    if (ports == NULL)
        return;
    for (size_t i = 0; i < ports->pair_count; i++)
        close_pair(&ports->pairs[i]);
    free(ports->pairs);
    free(ports);
}

/* ---- opening ---- */

static agw_port_config port_config(const agw_ports *ports)
{
    return (agw_port_config){.local = ports->config.address,
                             .tos = ports->config.tos,
                             .buffer_bytes = ports->config.buffer_bytes};
}

static bool is_sampled(const pair *p, unsigned i)
{
    return i == 0 && p->rtp / 2 % AGW_PORT_SAMPLED_EVERY == 0;
}

static agw_err open_half(agw_ports *ports, pair *p, unsigned i, bool parked)
{
    agw_port_config config = port_config(ports);
    config.local.port = (uint16_t)(p->rtp + i);
    config.parked = parked;
    config.sampled = is_sampled(p, i) ? AGW_PORT_SAMPLED_STREAM : 0;
    const agw_err err = agw_port_open(&p->ports[i], &config);
    if (err != AGW_OK)
        return err;
    p->ports[i].pair = p;
    ports->opened++;
    return AGW_OK;
}

static agw_err open_pair(agw_ports *ports, pair *p, bool parked)
{
    p->ports = agw_heap_lines(2 * sizeof *p->ports);
    if (p->ports == NULL)
        return AGW_ERR_LIMIT;
    agw_err err = open_half(ports, p, 0, parked);
    if (err == AGW_OK)
        err = open_half(ports, p, 1, parked);
    if (err != AGW_OK) {
        const int cause = errno;
        close_pair(p);
        errno = cause;
    }
    return err;
}

/* Opens the longest unused closed pair that nobody else holds; it is in no list then. */
static agw_err open_cold(agw_ports *ports, bool parked, pair **out)
{
    agw_err err = AGW_ERR_LIMIT;
    for (size_t tries = 0; tries < OPEN_TRIES && tries < ports->cold.count; tries++) {
        pair *p = list_head(&ports->cold);
        err = open_pair(ports, p, parked);
        if (err != AGW_OK && err != AGW_ERR_EXISTS)
            return err;
        unlink_from(&ports->cold, p);
        if (err == AGW_OK) {
            *out = p;
            return AGW_OK;
        }
        ports->foreign++;
        push_tail(&ports->cold, p);
    }
    return err == AGW_ERR_EXISTS ? AGW_ERR_LIMIT : err;
}

/* ---- taking ---- */

static bool rested(const agw_ports *ports, const pair *p)
{
    return ports->takes - p->given_at >= ports->quarantine;
}

/* A whole open pair, in no list. A rested one that is ready; else one newly
 * opened; else any. */
static agw_err obtain(agw_ports *ports, pair **out)
{
    pair *p = list_head(&ports->ready);
    if (p == NULL || !rested(ports, p)) {
        const uint64_t before = ports->opened;
        const agw_err err = open_cold(ports, false, out);
        ports->in_a_hurry += ports->opened - before;
        if (err == AGW_OK || p == NULL)
            return err;
    }
    unlink_from(&ports->ready, p);
    *out = p;
    return AGW_OK;
}

static agw_port *hand_out(agw_ports *ports, pair *p, unsigned i)
{
    const agw_port_config config = port_config(ports);
    p->used |= (uint8_t)(1u << i);
    ports->used++;
    agw_port_unpark(&p->ports[i], &config);
    return &p->ports[i];
}

agw_err agw_ports_take_pair(agw_ports *ports, agw_port **rtp, agw_port **rtcp)
{
    pair *p;
    const agw_err err = obtain(ports, &p);
    if (err != AGW_OK)
        return err;
    ports->takes++;
    *rtp = hand_out(ports, p, 0);
    *rtcp = hand_out(ports, p, 1);
    return AGW_OK;
}

agw_err agw_ports_take(agw_ports *ports, agw_port **port)
{
    pair *p = list_head(&ports->half);
    if (p == NULL || !rested(ports, p)) {
        pair *whole;
        const agw_err err = obtain(ports, &whole);
        if (err == AGW_OK) {
            ports->takes++;
            push_head(&ports->half, whole);
            *port = hand_out(ports, whole, 0);
            if (!whole->ports[1].parked)
                agw_port_park(&whole->ports[1]);
            return AGW_OK;
        }
        if (p == NULL)
            return err;
    }
    ports->takes++;
    unlink_from(&ports->half, p);
    *port = hand_out(ports, p, p->used == 1 ? 1 : 0);
    return AGW_OK;
}

void agw_ports_give(agw_ports *ports, agw_port *port)
{
    pair *p = port->pair;
    const unsigned i = port == &p->ports[1] ? 1 : 0;
    AGW_ASSERT(port == &p->ports[i] && (p->used >> i & 1) != 0);
    agw_port_park(port);
    if (p->used != BOTH)
        unlink_from(&ports->half, p);
    p->used &= (uint8_t) ~(1u << i);
    p->given_at = ports->takes;
    ports->used--;
    push_tail(p->used == 0 ? &ports->ready : &ports->half, p);
}

/* ---- keeping the marks ---- */

static bool refill_one(agw_ports *ports)
{
    pair *p;
    if (ports->ready.count > ports->config.high) {
        p = ports->ready.end.prev; /* used last: it shall rest longest */
        unlink_from(&ports->ready, p);
        close_pair(p);
        push_tail(&ports->cold, p);
        return true;
    }
    if (ports->ready.count < ports->config.low)
        ports->filling = true;
    if (ports->ready.count == ports->config.high)
        ports->filling = false;
    if (!ports->filling || open_cold(ports, true, &p) != AGW_OK)
        return false;
    push_tail(&ports->ready, p);
    return true;
}

size_t agw_ports_refill(agw_ports *ports, size_t budget)
{
    size_t done = 0;
    while (done < budget && refill_one(ports))
        done++;
    return done;
}

void agw_ports_get_stats(const agw_ports *ports, agw_ports_stats *out)
{
    const size_t total = ports->pair_count * 2;
    *out = (agw_ports_stats){.total = total,
                             .used = ports->used,
                             .free = total - ports->used,
                             .ready = ports->ready.count,
                             .foreign = ports->foreign,
                             .opened = ports->opened,
                             .in_a_hurry = ports->in_a_hurry};
}
