/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http_ng.h"

#include "control/metrics.h"

#include <string.h>

enum { FORBIDDEN = 403, BAD_REQUEST = 400 };

static void on_ping(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    (void)request, (void)arg;
    g_string_append(reply->body, "pong");
}

static void on_ng(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    const agw_asker asker = {.from = request->from};
    const GString *text =
        agw_server_take(arg, &asker, request->body, request->body_len, agw_clock_now());
    if (text == NULL) {
        reply->status = BAD_REQUEST;
        return;
    }
    reply->type = "application/x-rtpengine-ng";
    g_string_append_len(reply->body, text->str, (gssize)text->len);
}

static void on_ng_plain(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    const agw_asker asker = {.from = request->from};
    if (!agw_server_take_plain(arg, &asker, request->body, request->body_len, agw_clock_now(),
                               reply->body)) {
        reply->status = FORBIDDEN;
        return;
    }
    reply->type = reply->body->str[0] == '{' ? "application/json" : "application/x-rtpengine-ng";
}

static void on_metrics(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    if (agw_server_write_metrics(arg, &request->from, agw_clock_now(), reply->body))
        reply->type = AGW_METRICS_TYPE;
    else
        reply->status = FORBIDDEN;
}

/* --- WebSockets --------------------------------------------------------------------------------
 */

static const char *const PROTOCOLS[] = {"ng.rtpengine.com", "ng-plain.rtpengine.com", NULL};

typedef struct ng_socket {
    agw_subscriber subscriber;
    agw_server *server;
    agw_websocket *ws;
    agw_asker asker;
    bool plain; /* no cookies */
    bool text;  /* its last frame was text, so are ours */
} ng_socket;

static void on_push(agw_subscriber *subscriber, const agw_doc *event)
{
    const ng_socket *s = (const ng_socket *)(const void *)subscriber;
    GString *out = g_string_new(NULL);
    agw_server_write_push(out, subscriber, s->plain, event);
    agw_websocket_send(s->ws, out->str, out->len, s->text);
    g_string_free(out, TRUE);
}

static void on_opened(agw_websocket *ws, void *arg)
{
    agw_addr from;
    agw_websocket_remote(ws, &from);
    if (!agw_server_admits(arg, &from, agw_clock_now())) {
        agw_websocket_close(ws);
        return;
    }
    ng_socket *s = g_new0(ng_socket, 1);
    s->subscriber.push = on_push;
    s->server = arg;
    s->ws = ws;
    s->asker = (agw_asker){.from = from, .subscriber = &s->subscriber};
    s->plain = strcmp(agw_websocket_protocol(ws), PROTOCOLS[1]) == 0;
    agw_websocket_set_state(ws, s);
}

static void on_message(agw_websocket *ws, const char *data, size_t len, bool text, void *arg)
{
    ng_socket *s = agw_websocket_state(ws);
    const agw_ns now = agw_clock_now();
    if (s == NULL)
        return;
    s->text = text;
    if (!s->plain) {
        const GString *reply = agw_server_take(arg, &s->asker, data, len, now);
        if (reply != NULL)
            agw_websocket_send(ws, reply->str, reply->len, text);
        return;
    }
    GString *out = g_string_new(NULL);
    if (agw_server_take_plain(arg, &s->asker, data, len, now, out))
        agw_websocket_send(ws, out->str, out->len, text);
    g_string_free(out, TRUE);
}

static void on_closed(agw_websocket *ws, void *arg)
{
    ng_socket *s = agw_websocket_state(ws);
    if (s != NULL)
        agw_server_forget(arg, &s->subscriber);
    g_free(s);
}

static const agw_websocket_handler HANDLER = {on_opened, on_message, on_closed};

void agw_http_ng_mount(agw_http *http, agw_server *server)
{
    agw_http_on_get(http, "/ping", on_ping, NULL);
    agw_http_on_get(http, "/metrics", on_metrics, server);
    agw_http_on_post(http, "/ng", on_ng, server);
    agw_http_on_post(http, "/ng-plain", on_ng_plain, server);
    agw_http_on_websocket(http, NULL, PROTOCOLS, &HANDLER, server);
}
