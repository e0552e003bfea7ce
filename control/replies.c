/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/replies.h"

#include "base/map.h"
#include "base/rand.h"
#include "base/secret.h"

#include <string.h>

typedef struct kept {
    agw_reply_key key;
    GString *text;
    agw_ns until;
} kept;

struct agw_replies {
    agw_map *by_key;
    GQueue order; /* of kept, the oldest first */
    size_t bytes, bytes_max, count_max;
    uint8_t seed[16];
};

agw_replies *agw_replies_new(size_t count_max, size_t bytes_max)
{
    agw_replies *replies = g_new0(agw_replies, 1);
    agw_rand_bytes(replies->seed, sizeof replies->seed);
    replies->by_key = agw_map_new(sizeof(agw_reply_key), replies->seed);
    AGW_ASSERT(replies->by_key != NULL);
    g_queue_init(&replies->order);
    replies->count_max = count_max != 0 ? count_max : AGW_REPLIES_COUNT_MAX;
    replies->bytes_max = bytes_max != 0 ? bytes_max : AGW_REPLIES_BYTES_MAX;
    return replies;
}

static void forget_oldest(agw_replies *replies)
{
    kept *oldest = g_queue_pop_head(&replies->order);
    replies->bytes -= oldest->text->len;
    (void)agw_map_remove(replies->by_key, &oldest->key);
    agw_secret_wipe(oldest->text->str, oldest->text->len); /* ICE passwords, keys of a=crypto */
    g_string_free(oldest->text, TRUE);
    g_free(oldest);
}

void agw_replies_free(agw_replies *replies)
{
    if (replies == NULL)
        return;
    while (replies->order.head != NULL)
        forget_oldest(replies);
    agw_map_free(replies->by_key);
    g_free(replies);
}

agw_reply_key agw_replies_key(const agw_replies *replies, const agw_addr *from,
                              const agw_ng_message *msg)
{
    agw_reply_key key;
    memset(&key, 0, sizeof key);
    key.cookie = agw_siphash(replies->seed, msg->cookie, msg->cookie_len);
    key.body = agw_siphash(replies->seed, msg->body, msg->body_len);
    key.from = *from;
    return key;
}

static void forget_old(agw_replies *replies, agw_ns now)
{
    while (replies->order.head != NULL && ((kept *)replies->order.head->data)->until <= now)
        forget_oldest(replies);
}

void agw_replies_expire(agw_replies *replies, agw_ns now)
{
    forget_old(replies, now);
}

const GString *agw_replies_find(agw_replies *replies, const agw_reply_key *key, agw_ns now)
{
    forget_old(replies, now);
    const kept *found = agw_map_get(replies->by_key, key);
    return found != NULL ? found->text : NULL;
}

/* A text that has grown has up to twice the room it needs. */
static void fit(GString *text)
{
    text->str = g_realloc(text->str, text->len + 1);
    text->allocated_len = text->len + 1;
}

void agw_replies_keep(agw_replies *replies, const agw_reply_key *key, GString *reply, agw_ns now)
{
    kept *entry = g_new0(kept, 1);
    entry->key = *key;
    AGW_ASSERT(agw_map_get(replies->by_key, &entry->key) == NULL);
    fit(reply);
    entry->text = reply;
    entry->until = now + AGW_S(AGW_REPLIES_KEEP_S);
    agw_map_put(replies->by_key, &entry->key, entry);
    g_queue_push_tail(&replies->order, entry);
    replies->bytes += reply->len;
    while (replies->order.length > 1 &&
           (replies->order.length > replies->count_max || replies->bytes > replies->bytes_max))
        forget_oldest(replies); /* never the one that is just being sent */
}

size_t agw_replies_count(const agw_replies *replies)
{
    return replies->order.length;
}
