/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fragments.h"

#include "base/secret.h"

#include <glib.h>
#include <string.h>

static const agw_ns KEPT_FOR = AGW_S(10);

typedef struct fragment {
    agw_ns came_at;
    char *call_id, *from_tag, *text;
    size_t len;
} fragment;

struct agw_fragments {
    GQueue queue; /* of fragment *, the oldest first */
    size_t bytes;
};

agw_fragments *agw_fragments_new(void)
{
    agw_fragments *kept = g_new0(agw_fragments, 1);
    g_queue_init(&kept->queue);
    return kept;
}

static void forget(agw_fragments *kept, GList *link)
{
    fragment *f = link->data;
    kept->bytes -= f->len;
    g_queue_delete_link(&kept->queue, link);
    agw_secret_wipe(f->text, f->len); /* an ICE password */
    g_free(f->call_id);
    g_free(f->from_tag);
    g_free(f->text);
    g_free(f);
}

void agw_fragments_free(agw_fragments *kept)
{
    if (kept == NULL)
        return;
    while (kept->queue.head != NULL)
        forget(kept, kept->queue.head);
    g_free(kept);
}

static void forget_old(agw_fragments *kept, agw_ns now)
{
    while (kept->queue.head != NULL &&
           now - ((const fragment *)kept->queue.head->data)->came_at >= KEPT_FOR)
        forget(kept, kept->queue.head);
}

void agw_fragments_keep(agw_fragments *kept, agw_ns now, const char *call_id, const char *from_tag,
                        const char *text, size_t len)
{
    forget_old(kept, now);
    if (len > AGW_FRAGMENT_BYTES)
        return;
    fragment *f = g_new0(fragment, 1);
    *f = (fragment){.came_at = now,
                    .call_id = g_strdup(call_id),
                    .from_tag = g_strdup(from_tag),
                    .text = g_strndup(text, len),
                    .len = len};
    g_queue_push_tail(&kept->queue, f);
    kept->bytes += len;
    while (kept->queue.length > AGW_FRAGMENTS_MAX || kept->bytes > AGW_FRAGMENTS_BYTES)
        forget(kept, kept->queue.head);
}

void agw_fragments_try(agw_fragments *kept, agw_ns now, const char *call_id, agw_fragment_use use,
                       void *arg)
{
    forget_old(kept, now);
    for (GList *link = kept->queue.head, *next; link != NULL; link = next) {
        const fragment *f = link->data;
        next = link->next;
        if (strcmp(f->call_id, call_id) == 0 && use(arg, f->from_tag, f->text, f->len))
            forget(kept, link);
    }
}

size_t agw_fragments_count(const agw_fragments *kept)
{
    return kept->queue.length;
}
