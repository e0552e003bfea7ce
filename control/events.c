/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events.h"

#include "base/log.h"
#include "control/json.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct agw_events {
    int fd; /* -1 = nobody listens */
    struct sockaddr_storage to;
    socklen_t to_len;
    uint64_t seq, lost;
};

agw_events *agw_events_new(const agw_addr *to)
{
    agw_events *events = g_new0(agw_events, 1);
    events->fd = -1;
    if (!agw_addr_is_set(to))
        return events;
    events->to_len = agw_addr_to_sockaddr(to, &events->to);
    events->fd = socket(events->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (events->fd < 0)
        agw_log(AGW_LOG_WARN, NULL, "no socket for events: %s", g_strerror(errno));
    return events;
}

void agw_events_free(agw_events *events)
{
    if (events == NULL)
        return;
    if (events->fd >= 0)
        close(events->fd);
    g_free(events);
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static agw_doc *make_doc(const agw_notice *n, uint64_t seq, int64_t wall_us)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "event", n->event);
    agw_doc_set_int(doc, "seq", (int64_t)seq);
    agw_doc_set_str(doc, "call-id", text_or_empty(n->call_id));
    agw_doc_set_str(doc, "from-tag", text_or_empty(n->from_tag));
    agw_doc_set_str(doc, "to-tag", text_or_empty(n->to_tag));
    agw_doc_set_int(doc, "media", n->media);
    agw_doc_set_str(doc, "mid", text_or_empty(n->mid));
    agw_doc_set_str(doc, "reason", text_or_empty(n->reason));
    agw_doc_set_str(doc, "detail", text_or_empty(n->detail));
    agw_doc_set_int(doc, "time", wall_us / 1000);
    return doc;
}

void agw_events_send(agw_events *events, const agw_notice *notice, int64_t wall_us)
{
    events->seq++;
    if (events->fd < 0)
        return;
    agw_doc *doc = make_doc(notice, events->seq, wall_us);
    GString *text = g_string_new(NULL);
    agw_json_write(text, doc);
    const ssize_t sent = sendto(events->fd, text->str, text->len, 0,
                                (const struct sockaddr *)&events->to, events->to_len);
    if (sent < 0)
        events->lost++;
    g_string_free(text, TRUE);
    agw_doc_free(doc);
}

uint64_t agw_events_count(const agw_events *events)
{
    return events->seq;
}

uint64_t agw_events_lost(const agw_events *events)
{
    return events->lost;
}
