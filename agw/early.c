/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/early.h"

#include <stdlib.h>
#include <string.h>

typedef struct held {
    uint16_t next; /* in its list, or among the free ones; 1-based, 0 = the last one */
    uint16_t len;
    uint8_t tos, kind, why;
    agw_ns at;
    struct agw_port *port;
    agw_addr remote;
    uint8_t data[AGW_PKT_MAX];
} held;

struct agw_early {
    uint16_t free; /* the first free place */
    held places[AGW_EARLY_POOL];
    uint16_t used; /* places that were ever used: those behind have not been touched */
};

agw_early *agw_early_new(void)
{
    return calloc(1, sizeof(agw_early));
}

void agw_early_free(agw_early *early)
{
    free(early);
}

static held *place_at(agw_early *early, uint16_t place)
{
    return &early->places[place - 1];
}

/* 0: none is left. */
static uint16_t take_place(agw_early *early)
{
    const uint16_t place = early->free;
    if (place != 0)
        early->free = place_at(early, place)->next;
    else if (early->used < AGW_EARLY_POOL)
        return ++early->used;
    return place;
}

bool agw_early_hold(agw_early *early, agw_early_list *list, size_t room, const agw_pkt *pkt,
                    agw_drop why, agw_ns now)
{
    const uint16_t place = list->n < room ? take_place(early) : 0;
    if (place == 0)
        return false;
    held *h = place_at(early, place);
    h->next = 0;
    h->len = (uint16_t)pkt->len;
    h->tos = pkt->tos;
    h->kind = pkt->kind;
    h->why = (uint8_t)why;
    h->at = now;
    h->port = pkt->port;
    h->remote = pkt->remote;
    memcpy(h->data, pkt->data, pkt->len);
    if (list->n == 0)
        list->first = place;
    else
        place_at(early, list->last)->next = place;
    list->last = place;
    list->n++;
    return true;
}

/* before: the one in front of place, 0 = none. */
static void remove_place(agw_early *early, agw_early_list *list, uint16_t before, uint16_t place)
{
    held *h = place_at(early, place);
    if (before == 0)
        list->first = h->next;
    else
        place_at(early, before)->next = h->next;
    if (list->last == place)
        list->last = before;
    list->n--;
    h->next = early->free;
    early->free = place;
}

agw_ns agw_early_deadline(const agw_early *early, const agw_early_list *list)
{
    return list->n != 0 ? early->places[list->first - 1].at + AGW_EARLY_FOR : AGW_NEVER;
}

void agw_early_expire(agw_early *early, agw_early_list *list, agw_ns now, agw_counter drops[])
{
    while (list->n != 0 && agw_early_deadline(early, list) <= now) {
        agw_counter_add(&drops[place_at(early, list->first)->why], 1);
        remove_place(early, list, 0, list->first);
    }
}

static void restore(agw_pkt *pkt, const held *h)
{
    agw_pkt_reset(pkt);
    memcpy(pkt->data, h->data, h->len);
    pkt->len = h->len;
    pkt->tos = h->tos;
    pkt->kind = h->kind;
    pkt->port = h->port;
    pkt->remote = h->remote;
}

size_t agw_early_take(agw_early *early, agw_early_list *list, agw_early_is_let_in *is_let_in,
                      const void *owner, agw_pkt *const pkts[], size_t n)
{
    size_t taken = 0;
    uint16_t before = 0;
    for (uint16_t place = list->first; place != 0 && taken < n;) {
        const held *h = place_at(early, place);
        const uint16_t next = h->next;
        restore(pkts[taken], h);
        if (is_let_in(owner, pkts[taken])) {
            taken++;
            remove_place(early, list, before, place);
        } else {
            before = place;
        }
        place = next;
    }
    return taken;
}
