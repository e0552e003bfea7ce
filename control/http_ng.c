/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http_ng.h"

#include "control/metrics.h"

enum { FORBIDDEN = 403, BAD_REQUEST = 400 };

static void on_ping(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    (void)request, (void)arg;
    g_string_append(reply->body, "pong");
}

static void on_ng(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    const GString *text =
        agw_server_take(arg, &request->from, request->body, request->body_len, agw_clock_now());
    if (text == NULL) {
        reply->status = BAD_REQUEST;
        return;
    }
    reply->type = "application/x-rtpengine-ng";
    g_string_append_len(reply->body, text->str, (gssize)text->len);
}

static void on_ng_plain(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    agw_ng_format format;
    if (!agw_server_take_plain(arg, &request->from, request->body, request->body_len,
                               agw_clock_now(), reply->body, &format)) {
        reply->status = FORBIDDEN;
        return;
    }
    reply->type = format == AGW_NG_JSON ? "application/json" : "application/x-rtpengine-ng";
}

static void on_metrics(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    if (agw_server_write_metrics(arg, &request->from, agw_clock_now(), reply->body))
        reply->type = AGW_METRICS_TYPE;
    else
        reply->status = FORBIDDEN;
}

void agw_http_ng_mount(agw_http *http, agw_server *server)
{
    agw_http_on_get(http, "/ping", on_ping, NULL);
    agw_http_on_get(http, "/metrics", on_metrics, server);
    agw_http_on_post(http, "/ng", on_ng, server);
    agw_http_on_post(http, "/ng-plain", on_ng_plain, server);
}
