/* SPDX-License-Identifier: BSD-3-Clause
 * Whole ng messages from strangers, through cookies, both encodings, commands, SDP and flags down
 * to a gateway without sockets. Byte 0xff separates the messages of one input; each is answered or
 * has no cookie. */
#include "control/calls.h"
#include "control/fake_gateway.h"
#include "control/server.h"

#include <string.h>

enum { MESSAGES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct world {
    agw_config config;
    agw_gateway *gateway;
    agw_events *events;
    agw_calls *calls;
    agw_control ctl;
    agw_server *server;
} world;

static void world_init(world *w)
{
    char why[100];
    memset(w, 0, sizeof *w);
    agw_log_init(AGW_LOG_ERROR, NULL);
    agw_config_init(&w->config);
    fake_gateway_config(&w->config.gateway);
    w->config.profiles[0] = AGW_REALM_WEBRTC;
    w->config.profiles[1] = AGW_REALM_IMS;
    AGW_ASSERT(agw_config_set(&w->config, "ng-allow", "127.0.0.0/8", why, sizeof why) == AGW_OK);
    AGW_ASSERT(agw_gateway_new(&w->gateway, &w->config.gateway, why, sizeof why) == AGW_OK);
    w->events = agw_events_new();
    w->calls = agw_calls_new(&w->config, w->gateway, w->events);
    agw_control_init(&w->ctl, &w->config, w->gateway, w->calls, w->events);
    AGW_ASSERT(agw_server_new(&w->server, &w->config, &w->ctl, why, sizeof why) == AGW_OK);
}

static void world_fini(world *w)
{
    agw_server_free(w->server);
    agw_control_fini(&w->ctl);
    agw_calls_free(w->calls);
    agw_events_free(w->events);
    agw_gateway_free(w->gateway);
    agw_config_fini(&w->config);
}

static void take(world *w, const char *msg, size_t len, agw_ns now)
{
    agw_addr from;
    agw_ng_message parts;
    char *exact = g_malloc(len); /* a sanitizer sees one byte too many */
    if (len > 0)
        memcpy(exact, msg, len);
    AGW_ASSERT(agw_addr_parse(&from, "127.0.0.1:5060") == AGW_OK);
    const GString *reply =
        agw_server_take(w->server, &(agw_asker){.from = from, .reply_max = AGW_NG_DATAGRAM_MAX},
                        exact != NULL ? exact : "", len, now);
    const bool has_cookie = agw_ng_split(&parts, exact != NULL ? exact : "", len) == AGW_OK;
    AGW_ASSERT((reply != NULL) == has_cookie);
    AGW_ASSERT(reply == NULL || reply->len <= AGW_NG_DATAGRAM_MAX);
    g_free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w;
    world_init(&w);
    const char *at = (const char *)data, *const end = at + size;
    agw_ns now = AGW_S(1000);
    for (int i = 0; i < MESSAGES_MAX && at < end; i++) {
        const char *stop = memchr(at, 0xff, (size_t)(end - at));
        const size_t len = (size_t)((stop != NULL ? stop : end) - at);
        take(&w, at, len, now);
        at += len + 1;
        now += AGW_S(7);
        agw_calls_on_deadline(w.calls, now);
    }
    world_fini(&w);
    return 0;
}
