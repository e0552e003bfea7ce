/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events.h"

#include "base/log.h"
#include "base/rand.h"
#include "control/evapi.h"
#include "control/json.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AWAITED_MAX = 1000000 };

struct agw_events {
    char gateway[17];
    uint64_t seq, lost;
    int fd[2];          /* UDP by family, IPv4 first; -1 = not opened yet */
    GPtrArray *sinks;   /* char * */
    GHashTable *evapis; /* target text -> agw_evapi */
    agw_rpc *rpc;       /* NULL until it is needed */
    GQueue subscribers;
    GHashTable *awaited; /* of uint64_t */
    agw_addr dtmf_to;
    bool dtmf_push;
};

/* --- targets -----------------------------------------------------------------------------------
 */

static const char *behind(const char *text, const char *prefix)
{
    return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : NULL;
}

static agw_err parse_rpc(agw_target *out, const char *url, agw_rpc_form form)
{
    *out = (agw_target){.kind = AGW_TARGET_RPC, .url = url, .form = form};
    const bool good = g_str_has_prefix(url, "http://") && url[strlen("http://")] != '\0';
    return good ? AGW_OK : AGW_ERR_MALFORMED;
}

static agw_err parse_address(agw_target *out, const char *text, agw_target_kind kind)
{
    *out = (agw_target){.kind = kind};
    const agw_err err = agw_addr_parse(&out->addr, text);
    return err == AGW_OK && out->addr.port != 0 ? AGW_OK : AGW_ERR_MALFORMED;
}

agw_err agw_target_parse(agw_target *out, const char *text)
{
    const char *rest;
    if (strlen(text) > AGW_EVENTS_TARGET_MAX)
        return AGW_ERR_MALFORMED;
    if ((rest = behind(text, "jsonrpc:")) != NULL)
        return parse_rpc(out, rest, AGW_RPC_JSON);
    if ((rest = behind(text, "xmlrpc:")) != NULL)
        return parse_rpc(out, rest, AGW_RPC_XML_KAMAILIO);
    if ((rest = behind(text, "evapi:")) != NULL)
        return parse_address(out, rest, AGW_TARGET_EVAPI);
    rest = behind(text, "udp:");
    return parse_address(out, rest != NULL ? rest : text, AGW_TARGET_UDP);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void free_evapi(void *data)
{
    agw_evapi_free(data);
}

agw_events *agw_events_new(void)
{
    agw_events *events = g_new0(agw_events, 1);
    uint64_t name;
    agw_rand_bytes((uint8_t *)&name, sizeof name);
    g_snprintf(events->gateway, sizeof events->gateway, "%016" G_GINT64_MODIFIER "x", name);
    events->fd[0] = events->fd[1] = -1;
    events->sinks = g_ptr_array_new_with_free_func(g_free);
    events->evapis = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_evapi);
    events->awaited = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_queue_init(&events->subscribers);
    return events;
}

void agw_events_free(agw_events *events)
{
    if (events == NULL)
        return;
    for (size_t i = 0; i < 2; i++) {
        if (events->fd[i] >= 0)
            close(events->fd[i]);
    }
    agw_rpc_free(events->rpc);
    g_hash_table_destroy(events->evapis);
    g_hash_table_destroy(events->awaited);
    g_ptr_array_free(events->sinks, TRUE);
    g_free(events);
}

/* --- acknowledgements --------------------------------------------------------------------------
 */

void agw_events_await(agw_events *events, uint64_t seq)
{
    if (g_hash_table_size(events->awaited) == AWAITED_MAX)
        return; /* counts as acknowledged: no call ends because of us */
    uint64_t *key = g_new(uint64_t, 1);
    *key = seq;
    g_hash_table_add(events->awaited, key);
}

bool agw_events_awaits(const agw_events *events, uint64_t seq)
{
    return g_hash_table_contains(events->awaited, &seq);
}

void agw_events_forget(agw_events *events, uint64_t seq)
{
    g_hash_table_remove(events->awaited, &seq);
}

bool agw_events_ack(agw_events *events, const char *gateway, uint64_t seq)
{
    if (gateway != NULL && *gateway != '\0' && strcmp(gateway, events->gateway) != 0)
        return false;
    GHashTableIter i;
    gpointer evapi;
    g_hash_table_iter_init(&i, events->evapis);
    while (g_hash_table_iter_next(&i, NULL, &evapi))
        agw_evapi_ack(evapi, seq);
    agw_events_forget(events, seq);
    return true;
}

static void on_acked(void *arg, const char *gateway, uint64_t seq)
{
    (void)agw_events_ack(arg, gateway, seq);
}

/* --- sinks -------------------------------------------------------------------------------------
 */

static void send_datagram(agw_events *events, const agw_addr *to, const GString *text)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(to, &sa);
    int *fd = &events->fd[to->family == AGW_FAMILY_IP6];
    if (*fd < 0)
        *fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 ||
        sendto(*fd, text->str, text->len, MSG_DONTWAIT, (const struct sockaddr *)&sa, len) < 0)
        events->lost++;
}

/* A connection to a node that has taken all there was makes room for one to another. */
static bool make_room(agw_events *events)
{
    if (g_hash_table_size(events->evapis) < AGW_EVENTS_EVAPI_MAX)
        return true;
    GHashTableIter i;
    gpointer text, evapi;
    g_hash_table_iter_init(&i, events->evapis);
    while (g_hash_table_iter_next(&i, &text, &evapi)) {
        if (!agw_evapi_is_idle(evapi) ||
            g_ptr_array_find_with_equal_func(events->sinks, text, g_str_equal, NULL))
            continue;
        events->lost += agw_evapi_lost(evapi);
        g_hash_table_iter_remove(&i);
        return true;
    }
    return false;
}

/* NULL: there are too many. */
static agw_evapi *evapi_of(agw_events *events, const char *text, const agw_addr *to)
{
    agw_evapi *evapi = g_hash_table_lookup(events->evapis, text);
    if (evapi != NULL || !make_room(events))
        return evapi;
    evapi = agw_evapi_new(to, on_acked, events);
    g_hash_table_insert(events->evapis, g_strdup(text), evapi);
    return evapi;
}

agw_err agw_events_add(agw_events *events, const char *text)
{
    agw_target target;
    const agw_err err = agw_target_parse(&target, text);
    if (err != AGW_OK)
        return err;
    if (events->sinks->len == AGW_EVENTS_SINKS_MAX)
        return AGW_ERR_LIMIT;
    g_ptr_array_add(events->sinks, g_strdup(text));
    if (target.kind == AGW_TARGET_EVAPI)
        (void)evapi_of(events, text, &target.addr);
    return AGW_OK;
}

void agw_events_terminate(agw_events *events, const char *url, agw_rpc_form form,
                          const agw_rpc_dialog *dialog)
{
    if (events->rpc == NULL)
        events->rpc = agw_rpc_new();
    agw_rpc_send(events->rpc, url, form, dialog, events->seq);
}

/* --- events ------------------------------------------------------------------------------------
 */

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static agw_doc *make_doc(const agw_events *events, const agw_notice *n, int64_t wall_us)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "event", n->event);
    agw_doc_set_int(doc, "seq", (int64_t)events->seq);
    agw_doc_set_str(doc, "call-id", text_or_empty(n->call_id));
    agw_doc_set_str(doc, "from-tag", text_or_empty(n->from_tag));
    agw_doc_set_str(doc, "to-tag", text_or_empty(n->to_tag));
    agw_doc_set_int(doc, "media", n->media);
    agw_doc_set_str(doc, "mid", text_or_empty(n->mid));
    agw_doc_set_str(doc, "reason", text_or_empty(n->reason));
    agw_doc_set_str(doc, "detail", text_or_empty(n->detail));
    agw_doc_set_int(doc, "time", wall_us / 1000);
    agw_doc_set_str(doc, "gateway", events->gateway);
    return doc;
}

static void send_evapi(agw_events *events, const agw_notice *n, const agw_addr *to,
                       const char *text, const GString *json)
{
    agw_evapi *evapi = evapi_of(events, text, to);
    if (evapi == NULL)
        events->lost++;
    else
        agw_evapi_send(evapi, events->seq, text_or_empty(n->call_id), n->last, json);
}

static void deliver(agw_events *events, const agw_notice *n, const char *text, const GString *json)
{
    agw_target target;
    if (agw_target_parse(&target, text) != AGW_OK)
        events->lost++;
    else if (target.kind == AGW_TARGET_UDP)
        send_datagram(events, &target.addr, json);
    else if (target.kind == AGW_TARGET_EVAPI)
        send_evapi(events, n, &target.addr, text, json);
    else if (n->terminate)
        agw_events_terminate(events, target.url, target.form,
                             &(agw_rpc_dialog){text_or_empty(n->call_id),
                                               text_or_empty(n->from_tag),
                                               text_or_empty(n->to_tag)});
}

static void push_to_all(agw_events *events, const agw_doc *doc)
{
    for (const GList *l = events->subscribers.head; l != NULL; l = l->next) {
        agw_subscriber *subscriber = l->data;
        subscriber->push(subscriber, doc);
    }
}

uint64_t agw_events_send(agw_events *events, const agw_notice *notice, int64_t wall_us)
{
    events->seq++;
    const bool own = notice->target != NULL && *notice->target != '\0';
    if (!own && events->sinks->len == 0 && events->subscribers.head == NULL)
        return events->seq;
    agw_doc *doc = make_doc(events, notice, wall_us);
    GString *json = g_string_new(NULL);
    agw_json_write(json, doc);
    if (own)
        deliver(events, notice, notice->target, json);
    for (guint i = 0; !own && i < events->sinks->len; i++)
        deliver(events, notice, g_ptr_array_index(events->sinks, i), json);
    push_to_all(events, doc);
    g_string_free(json, TRUE);
    agw_doc_free(doc);
    return events->seq;
}

void agw_events_end_call(agw_events *events, const char *call_id)
{
    GHashTableIter i;
    gpointer evapi;
    g_hash_table_iter_init(&i, events->evapis);
    while (g_hash_table_iter_next(&i, NULL, &evapi))
        agw_evapi_end_call(evapi, call_id);
}

/* --- connections that asked for events ---------------------------------------------------------
 */

void agw_events_subscribe(agw_events *events, agw_subscriber *subscriber)
{
    if (subscriber->on)
        return;
    subscriber->on = true;
    subscriber->link.data = subscriber;
    g_queue_push_tail_link(&events->subscribers, &subscriber->link);
}

void agw_events_unsubscribe(agw_events *events, agw_subscriber *subscriber)
{
    if (!subscriber->on)
        return;
    subscriber->on = false;
    g_queue_unlink(&events->subscribers, &subscriber->link);
}

/* --- digits ------------------------------------------------------------------------------------
 */

void agw_events_set_dtmf(agw_events *events, const agw_addr *to, bool push)
{
    events->dtmf_to = *to;
    events->dtmf_push = push;
}

static agw_doc *make_dtmf(const agw_dtmf_notice *d, int64_t wall_us)
{
    char text[AGW_ADDR_TEXT];
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "callid", text_or_empty(d->call_id));
    agw_doc_set_str(doc, "source_tag", text_or_empty(d->source_tag));
    agw_doc_set_str(doc, "source_label", text_or_empty(d->source_label));
    agw_doc *tags = agw_doc_set(doc, "tags", agw_doc_new_list());
    for (size_t i = 0; d->tags != NULL && d->tags[i] != NULL; i++)
        agw_doc_add_str(tags, d->tags[i]);
    agw_doc_set_str(doc, "type", "DTMF");
    agw_doc_set_int(doc, "timestamp", wall_us / 1000000);
    agw_doc_set_str(doc, "source_ip", agw_addr_ip_text(&d->source, text, sizeof text));
    agw_doc_set_int(doc, "event", d->event);
    agw_doc_set_int(doc, "duration", d->duration_ms);
    agw_doc_set_int(doc, "volume", d->volume);
    return doc;
}

void agw_events_dtmf(agw_events *events, const agw_addr *to, const agw_dtmf_notice *dtmf,
                     int64_t wall_us)
{
    const agw_addr *dest = agw_addr_is_set(to) ? to : &events->dtmf_to;
    agw_doc *doc = make_dtmf(dtmf, wall_us);
    if (agw_addr_is_set(dest)) {
        GString *json = g_string_new(NULL);
        agw_json_write(json, doc);
        send_datagram(events, dest, json);
        g_string_free(json, TRUE);
    }
    if (events->dtmf_push)
        push_to_all(events, doc);
    agw_doc_free(doc);
}

uint64_t agw_events_count(const agw_events *events)
{
    return events->seq;
}

uint64_t agw_events_lost(const agw_events *events)
{
    uint64_t lost = events->lost + (events->rpc != NULL ? agw_rpc_lost(events->rpc) : 0);
    GHashTableIter i;
    gpointer evapi;
    g_hash_table_iter_init(&i, events->evapis);
    while (g_hash_table_iter_next(&i, NULL, &evapi))
        lost += agw_evapi_lost(evapi);
    return lost;
}
