/* SPDX-License-Identifier: BSD-3-Clause
 * Control without a network: configuration, fake gateway, calls, commands, on virtual time. */
#ifndef AGW_TESTS_CONTROL_RIG_H
#define AGW_TESTS_CONTROL_RIG_H

#include "control/calls.h"
#include "control/command.h"
#include "control/encoding.h"
#include "control/fake_gateway.h"
#include "control/fake_session.h"
#include "control/json.h"
#include "unit.h"

#include <string.h>

typedef struct rig {
    agw_config config;
    agw_gateway *gateway;
    agw_events *events;
    agw_calls *calls;
    agw_control ctl;
    agw_ns now;
} rig;

static inline void rig_init(rig *r, const agw_addr *notify)
{
    char why[100];
    memset(r, 0, sizeof *r);
    agw_log_init(AGW_LOG_ERROR, NULL);
    fake_session_reset();
    agw_config_init(&r->config);
    fake_gateway_config(&r->config.gateway);
    AGW_ASSERT(agw_config_set(&r->config, "ng-allow", "127.0.0.0/8", why, sizeof why) == AGW_OK);
    AGW_ASSERT(agw_gateway_new(&r->gateway, &r->config.gateway, why, sizeof why) == AGW_OK);
    char text[AGW_ADDR_TEXT];
    r->events = agw_events_new();
    if (notify != NULL)
        AGW_ASSERT(agw_events_add(r->events, agw_addr_text(notify, text, sizeof text)) == AGW_OK);
    r->calls = agw_calls_new(&r->config, r->gateway, r->events);
    agw_control_init(&r->ctl, &r->config, r->gateway, r->calls, r->events);
    r->now = AGW_S(1000);
}

static inline void rig_fini(rig *r)
{
    agw_control_fini(&r->ctl);
    agw_calls_free(r->calls);
    agw_events_free(r->events);
    agw_gateway_free(r->gateway);
    agw_config_fini(&r->config);
}

/** Runs a request written as JSON with ' for "; the reply as JSON with ', to be freed. */
static inline char *rig_ask(rig *r, const char *request)
{
    const char *why;
    char *json = g_strdelimit(g_strdup(request), "'", '"');
    agw_doc *doc = agw_json_parse(json, strlen(json), &why);
    g_free(json);
    AGW_ASSERT(doc != NULL);
    doc = in_encoding(doc);
    agw_doc *reply = agw_command_run(&r->ctl, doc, NULL, r->now);
    agw_doc_free(doc);
    GString *text = g_string_new(NULL);
    agw_json_write(text, reply);
    agw_doc_free(reply);
    return g_strdelimit(g_string_free(text, FALSE), "\"", '\'');
}

static inline bool rig_says(rig *r, const char *request, const char *reply)
{
    char *got = rig_ask(r, request);
    const bool same = strcmp(got, reply) == 0;
    if (!same)
        printf("\n    asked %s\n    got %s\n", request, got);
    g_free(got);
    return same;
}

/** Moves the clock and lets what is due happen. */
static inline void rig_at(rig *r, agw_ns at)
{
    r->now = at;
    agw_calls_on_events(r->calls, at);
    agw_calls_on_deadline(r->calls, at);
}

#define OFFER                                                                                      \
    "{'command':'offer','call-id':'c','from-tag':'a','via-branch':'b1','sdp':'v=0','flags':['x']}"
#define ANSWER   "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b','sdp':'v=0'}"
#define OFFERED  "{'sdp':'offer to B','result':'ok'}"
#define ANSWERED "{'sdp':'answer to A','result':'ok'}"
#define OK       "{'result':'ok'}"

static inline void rig_call(rig *r)
{
    CU_ASSERT_TRUE(rig_says(r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(r, ANSWER, ANSWERED));
}

#endif
