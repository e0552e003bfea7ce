/* SPDX-License-Identifier: BSD-3-Clause
 * Events: targets, the queue on virtual time, what is written and read, and evapi and RPC against
 * small nodes on loopback. */
#include "control/events.h"

#include "control/evapi.h"
#include "control/http.h"
#include "control/json.h"
#include "control/links.h"
#include "unit.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The monotonic clock, GLib's, too, is ahead by that much. */
static agw_ns clock_ahead;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, ts);
    if (failed == 0 && clock == CLOCK_MONOTONIC)
        ts->tv_sec += clock_ahead / AGW_S(1);
    return failed;
}

/* --- targets -----------------------------------------------------------------------------------
 */

static void test_events_targets_are_told_apart(void)
{
    agw_target t;
    CU_ASSERT_EQUAL_FATAL(agw_target_parse(&t, "10.0.0.1:9000"), AGW_OK);
    CU_ASSERT_EQUAL(t.kind, AGW_TARGET_UDP);
    CU_ASSERT_EQUAL_FATAL(agw_target_parse(&t, "udp:[fd00::1]:9000"), AGW_OK);
    CU_ASSERT_EQUAL(t.kind, AGW_TARGET_UDP);
    CU_ASSERT_EQUAL(t.addr.family, AGW_FAMILY_IP6);
    CU_ASSERT_EQUAL_FATAL(agw_target_parse(&t, "evapi:10.0.0.1:8448"), AGW_OK);
    CU_ASSERT_EQUAL(t.kind, AGW_TARGET_EVAPI);
    CU_ASSERT_EQUAL(t.addr.port, 8448);
    CU_ASSERT_EQUAL_FATAL(agw_target_parse(&t, "jsonrpc:http://10.0.0.1/RPC"), AGW_OK);
    CU_ASSERT_EQUAL(t.form, AGW_RPC_JSON);
    CU_ASSERT_STRING_EQUAL(t.url, "http://10.0.0.1/RPC");
    CU_ASSERT_EQUAL_FATAL(agw_target_parse(&t, "xmlrpc:http://node:5060/RPC"), AGW_OK);
    CU_ASSERT_EQUAL(t.form, AGW_RPC_XML_KAMAILIO);
}

static void test_events_bad_targets_are_refused(void)
{
    static const char *const BAD[] = {"",
                                      "10.0.0.1",
                                      "evapi:node:8448",
                                      "10.0.0.1:0",
                                      "jsonrpc:node",
                                      "jsonrpc:http://",
                                      "tcp:1.2.3.4:5",
                                      "xmlrpc:ftp://a/"};
    agw_target t;
    for (size_t i = 0; i < G_N_ELEMENTS(BAD); i++)
        CU_ASSERT_EQUAL(agw_target_parse(&t, BAD[i]), AGW_ERR_MALFORMED);
    char *longest = g_strnfill(AGW_EVENTS_TARGET_MAX, 'a');
    memcpy(longest, "jsonrpc:http://", strlen("jsonrpc:http://"));
    char *longer = g_strconcat(longest, "a", NULL);
    CU_ASSERT_EQUAL(agw_target_parse(&t, longest), AGW_OK);
    CU_ASSERT_EQUAL(agw_target_parse(&t, longer), AGW_ERR_MALFORMED);
    g_free(longest);
    g_free(longer);
}

/* --- the queue ---------------------------------------------------------------------------------
 */

static void push(agw_event_queue *q, uint64_t seq, const char *call, bool last, agw_ns now)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%d", (int)seq);
    agw_event_queue_push(q, seq, call, last, text, now);
}

/* The number of the next event that is due, 0 = none. */
static int next(agw_event_queue *q, agw_ns now)
{
    const GString *text = agw_event_queue_next(q, now);
    return text != NULL ? (int)strtol(text->str, NULL, 10) : 0;
}

static void test_events_queue_repeats_with_growing_pauses(void)
{
    static const int DUE_S[] = {0, 1, 3, 7, 15, 23, 31, 39, 47, 55};
    const agw_ns start = AGW_S(100);
    agw_event_queue *q = agw_event_queue_new();
    push(q, 7, "c", false, start);
    for (size_t i = 0; i < G_N_ELEMENTS(DUE_S); i++) {
        const agw_ns at = start + AGW_S(DUE_S[i]);
        CU_ASSERT_EQUAL(agw_event_queue_deadline(q), at);
        CU_ASSERT_EQUAL(next(q, at - 1), 0);
        CU_ASSERT_EQUAL(next(q, at), 7);
        CU_ASSERT_EQUAL(next(q, at), 0);
    }
    CU_ASSERT_EQUAL(agw_event_queue_deadline(q), start + AGW_S(60));
    CU_ASSERT_EQUAL(next(q, start + AGW_S(60) - 1), 0);
    CU_ASSERT_EQUAL(agw_event_queue_count(q), 1);
    CU_ASSERT_EQUAL(next(q, start + AGW_S(60)), 0);
    CU_ASSERT_EQUAL(agw_event_queue_count(q), 0);
    CU_ASSERT_EQUAL(agw_event_queue_lost(q), 1);
    CU_ASSERT_EQUAL(agw_event_queue_deadline(q), AGW_NEVER);
    agw_event_queue_free(q);
}

static void test_events_queue_acknowledged_is_gone(void)
{
    agw_event_queue *q = agw_event_queue_new();
    push(q, 1, "c", false, 0);
    push(q, 2, "c", false, 0);
    CU_ASSERT_EQUAL(next(q, 0), 1);
    CU_ASSERT_EQUAL(next(q, 0), 2);
    CU_ASSERT_TRUE(agw_event_queue_ack(q, 1));
    CU_ASSERT_FALSE(agw_event_queue_ack(q, 1));
    CU_ASSERT_EQUAL(next(q, AGW_S(1)), 2);
    CU_ASSERT_EQUAL(next(q, AGW_S(1)), 0);
    CU_ASSERT_EQUAL(agw_event_queue_lost(q), 0);
    agw_event_queue_free(q);
}

static void test_events_queue_of_an_ended_call_keeps_the_last_only(void)
{
    agw_event_queue *q = agw_event_queue_new();
    push(q, 1, "c", false, 0);
    push(q, 2, "other", false, 0);
    push(q, 3, "c", true, 0);
    agw_event_queue_end_call(q, "c");
    CU_ASSERT_EQUAL(next(q, 0), 2);
    CU_ASSERT_EQUAL(next(q, 0), 3);
    CU_ASSERT_EQUAL(next(q, 0), 0);
    agw_event_queue_free(q);
}

static void test_events_queue_is_sent_anew_on_a_new_connection(void)
{
    agw_event_queue *q = agw_event_queue_new();
    push(q, 1, "c", false, 0);
    CU_ASSERT_EQUAL(next(q, 0), 1);
    agw_event_queue_restart(q, AGW_MS(10));
    CU_ASSERT_EQUAL(next(q, AGW_MS(10)), 1);
    CU_ASSERT_EQUAL(agw_event_queue_deadline(q), AGW_MS(1010));
    agw_event_queue_free(q);
}

/* Without a connection nobody asks for the next one. */
static void test_events_queue_loses_what_is_too_old(void)
{
    agw_event_queue *q = agw_event_queue_new();
    push(q, 1, "c", true, AGW_S(100));
    push(q, 2, "c", true, AGW_S(101));
    agw_event_queue_expire(q, AGW_S(160) - 1);
    CU_ASSERT_EQUAL(agw_event_queue_count(q), 2);
    agw_event_queue_expire(q, AGW_S(160));
    CU_ASSERT_EQUAL(agw_event_queue_count(q), 1);
    agw_event_queue_expire(q, AGW_S(161));
    CU_ASSERT_EQUAL(agw_event_queue_count(q), 0);
    CU_ASSERT_EQUAL(agw_event_queue_lost(q), 2);
    agw_event_queue_free(q);
}

static void test_events_queue_is_bounded(void)
{
    agw_event_queue *q = agw_event_queue_new();
    for (uint64_t i = 1; i <= AGW_EVENT_QUEUE_MAX; i++)
        push(q, i, "c", false, 0);
    CU_ASSERT_EQUAL(agw_event_queue_lost(q), 0);
    push(q, AGW_EVENT_QUEUE_MAX + 1, "c", false, 0);
    CU_ASSERT_EQUAL(agw_event_queue_count(q), AGW_EVENT_QUEUE_MAX);
    CU_ASSERT_EQUAL(agw_event_queue_lost(q), 1);
    CU_ASSERT_EQUAL(next(q, 0), 2);
    agw_event_queue_free(q);
}

/* --- what comes back ---------------------------------------------------------------------------
 */

static agw_err netstring(const char *text, size_t *used)
{
    const char *body;
    size_t len;
    return agw_netstring_parse(text, strlen(text), &body, &len, used);
}

static void test_events_netstrings_are_found_at_every_length(void)
{
    static const char TEXT[] = "11:{\"ack\":12 },3:abc,";
    const char *body;
    size_t len, used;
    for (size_t n = 0; n < strlen("11:{\"ack\":12 },"); n++)
        CU_ASSERT_EQUAL(agw_netstring_parse(TEXT, n, &body, &len, &used), AGW_ERR_AGAIN);
    CU_ASSERT_EQUAL(agw_netstring_parse(TEXT, sizeof TEXT - 1, &body, &len, &used), AGW_OK);
    CU_ASSERT_EQUAL(used, 15);
    CU_ASSERT_EQUAL(len, 11);
    CU_ASSERT_EQUAL(memcmp(body, "{\"ack\":12 }", 11), 0);
}

static void test_events_bad_netstrings_are_refused(void)
{
    size_t used;
    CU_ASSERT_EQUAL(netstring("x", &used), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(netstring(":", &used), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(netstring("3;abc,", &used), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(netstring("3:abcd", &used), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(netstring("0:,", &used), AGW_OK);
    CU_ASSERT_EQUAL(netstring("65536", &used), AGW_ERR_AGAIN);
    CU_ASSERT_EQUAL(netstring("65537", &used), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(netstring("0000001", &used), AGW_ERR_MALFORMED);
}

static bool ack(const char *json, uint64_t seq, const char *gateway)
{
    agw_ack a;
    return agw_ack_parse(&a, json, strlen(json)) && a.seq == seq && strcmp(a.gateway, gateway) == 0;
}

static void test_events_acknowledgements(void)
{
    CU_ASSERT_TRUE(ack("{\"ack\":12}", 12, ""));
    CU_ASSERT_TRUE(ack("{\"gateway\":\"ab\",\"ack\":\"3\"}", 3, "ab"));
    CU_ASSERT_FALSE(ack("{\"ack\":0}", 0, ""));
    CU_ASSERT_FALSE(ack("{\"ack\":-1}", 0, ""));
    CU_ASSERT_FALSE(ack("{\"seq\":1}", 1, ""));
    CU_ASSERT_FALSE(ack("[1]", 1, ""));
    CU_ASSERT_FALSE(ack("hello", 1, ""));
}

/* --- bodies ------------------------------------------------------------------------------------
 */

static bool writes(agw_rpc_form form, const char *expected)
{
    const agw_rpc_dialog dialog = {"c<1>", "a&b", "t\"2"};
    GString *body = agw_rpc_write(form, &dialog, 5);
    const bool same = strcmp(body->str, expected) == 0;
    if (!same)
        printf("\n    got %s\n", body->str);
    g_string_free(body, TRUE);
    return same;
}

#define XML(method, params)                                                                        \
    "<?xml version=\"1.0\"?>\r\n<methodCall><methodName>" method "</methodName><params>" params    \
    "</params></methodCall>\r\n"
#define PARAM(text) "<param><value><string>" text "</string></value></param>"

static void test_events_rpc_bodies(void)
{
    CU_ASSERT_TRUE(writes(AGW_RPC_JSON, "{\"jsonrpc\":\"2.0\",\"method\":\"dlg.terminate_dlg\","
                                        "\"params\":[\"c<1>\",\"a&b\",\"t\\\"2\"],\"id\":5}"));
    CU_ASSERT_TRUE(
        writes(AGW_RPC_XML_KAMAILIO,
               XML("dlg.terminate_dlg", PARAM("c&lt;1&gt;") PARAM("a&amp;b") PARAM("t&quot;2"))));
    CU_ASSERT_TRUE(writes(AGW_RPC_XML_CALL_ID, XML("teardown", PARAM("c&lt;1&gt;"))));
    CU_ASSERT_TRUE(writes(AGW_RPC_XML_SEMS, XML("di", PARAM("sbc") PARAM("postControlCmd")
                                                          PARAM("a&amp;b") PARAM("teardown"))));
}

/* --- over loopback -----------------------------------------------------------------------------
 */

enum { TURNS_MAX = 20000 };

/* A node that listens; connections are taken by hand. */
typedef struct node {
    int listener, fd;
    char target[AGW_ADDR_TEXT + 16];
    char got[4000];
    size_t len;
} node;

static void local_address(int fd, char *out, size_t size)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&addr, (struct sockaddr *)&sa), AGW_OK);
    (void)agw_addr_text(&addr, out, size);
}

static int bound_socket(int type)
{
    struct sockaddr_storage sa;
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, "127.0.0.1:0"), AGW_OK);
    const socklen_t len = agw_addr_to_sockaddr(&addr, &sa);
    const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static void node_listen(node *n)
{
    char text[AGW_ADDR_TEXT];
    *n = (node){.fd = -1, .listener = bound_socket(SOCK_STREAM)};
    CU_ASSERT_EQUAL_FATAL(listen(n->listener, 4), 0);
    local_address(n->listener, text, sizeof text);
    snprintf(n->target, sizeof n->target, "evapi:%s", text);
}

static void node_close(node *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

/* Turns the loop until the node has a connection and on it what ends in `end`. */
static bool node_gets(node *n, const char *end)
{
    n->len = 0;
    for (int i = 0; i < TURNS_MAX; i++) {
        if (n->fd < 0)
            n->fd = accept4(n->listener, NULL, NULL, SOCK_NONBLOCK);
        const ssize_t got =
            n->fd >= 0 ? recv(n->fd, n->got + n->len, sizeof n->got - 1 - n->len, 0) : 0;
        n->len += got > 0 ? (size_t)got : 0;
        n->got[n->len] = '\0';
        if (n->fd >= 0 && g_str_has_suffix(n->got, end))
            return true;
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(100);
    }
    return false;
}

static void node_says(const node *n, const char *text)
{
    CU_ASSERT_EQUAL(send(n->fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static bool turn_until_forgotten(agw_events *events, uint64_t seq)
{
    for (int i = 0; i < TURNS_MAX && agw_events_awaits(events, seq); i++) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(100);
    }
    return !agw_events_awaits(events, seq);
}

static uint64_t tell(agw_events *events, const char *event)
{
    return agw_events_send(
        events, &(agw_notice){.event = event, .call_id = "c", .from_tag = "a", .to_tag = "b"}, 0);
}

static void test_events_evapi_gets_netstrings_and_acknowledges(void)
{
    node n;
    node_listen(&n);
    agw_events *events = agw_events_new();
    CU_ASSERT_EQUAL_FATAL(agw_events_add(events, n.target), AGW_OK);
    const uint64_t seq = tell(events, "heartbeat");
    agw_events_await(events, seq);
    CU_ASSERT_TRUE(node_gets(&n, "},"));
    const char *body;
    size_t len, used;
    CU_ASSERT_EQUAL_FATAL(agw_netstring_parse(n.got, n.len, &body, &len, &used), AGW_OK);
    CU_ASSERT_EQUAL(used, n.len);
    const char *why;
    agw_doc *doc = agw_json_parse(body, len, &why);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(doc, "event"), "heartbeat");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(doc, "seq"), "1");
    agw_doc_free(doc);
    node_says(&n, "10:{\"ack\":99},");
    node_says(&n, "33:{\"ack\":1,\"gateway\":\"another one\"},"); /* another gateway's */
    node_says(&n, "9:{\"ack\":1},");
    CU_ASSERT_TRUE(turn_until_forgotten(events, seq));
    agw_events_free(events);
    node_close(&n);
    close(n.listener);
}

static void test_events_evapi_sends_again_on_a_new_connection(void)
{
    node n;
    node_listen(&n);
    agw_events *events = agw_events_new();
    CU_ASSERT_EQUAL_FATAL(agw_events_add(events, n.target), AGW_OK);
    (void)tell(events, "consent-lost");
    CU_ASSERT_TRUE(node_gets(&n, "},"));
    char *first = g_strdup(n.got);
    node_close(&n);
    CU_ASSERT_TRUE(node_gets(&n, "},"));
    CU_ASSERT_STRING_EQUAL(n.got, first);
    node_says(&n, "no netstring");
    node_close(&n);
    CU_ASSERT_TRUE(node_gets(&n, "},"));
    g_free(first);
    agw_events_free(events);
    node_close(&n);
    close(n.listener);
}

static void tell_node(agw_events *events, const char *target)
{
    (void)agw_events_send(
        events,
        &(agw_notice){.event = "call-ended", .call_id = "c", .target = target, .last = true}, 0);
}

/* Addresses of notify-url at which nobody is keep their places only as long as their events. */
static void test_events_evapi_nodes_that_are_gone_make_room_for_another(void)
{
    int gone[AGW_EVENTS_EVAPI_MAX]; /* refuse connections */
    char text[AGW_ADDR_TEXT], target[AGW_ADDR_TEXT + 16];
    node n;
    node_listen(&n);
    agw_events *events = agw_events_new();
    for (size_t i = 0; i < AGW_EVENTS_EVAPI_MAX; i++) {
        gone[i] = bound_socket(SOCK_STREAM);
        local_address(gone[i], text, sizeof text);
        snprintf(target, sizeof target, "evapi:%s", text);
        tell_node(events, target);
    }
    clock_ahead = AGW_S(40);
    tell_node(events, n.target);
    CU_ASSERT_EQUAL(agw_events_lost(events), 1);
    clock_ahead = AGW_S(60);
    tell_node(events, n.target);
    CU_ASSERT_TRUE(node_gets(&n, "},"));
    CU_ASSERT_EQUAL(agw_events_lost(events), 2); /* and the one that made room */
    clock_ahead = 0;
    agw_events_free(events);
    for (size_t i = 0; i < AGW_EVENTS_EVAPI_MAX; i++)
        close(gone[i]);
    node_close(&n);
    close(n.listener);
}

static void test_events_another_gateways_acknowledgement_counts_for_nothing(void)
{
    agw_events *events = agw_events_new();
    const uint64_t seq = tell(events, "heartbeat");
    agw_events_await(events, seq);
    CU_ASSERT_FALSE(agw_events_ack(events, "another one", seq));
    CU_ASSERT_TRUE(agw_events_awaits(events, seq));
    CU_ASSERT_TRUE(agw_events_ack(events, "", seq));
    CU_ASSERT_FALSE(agw_events_awaits(events, seq));
    agw_events_free(events);
}

typedef struct rpc_node {
    agw_http *http;
    int requests, errors; /* errors: still to be answered with 500 */
    char *body, *type;
} rpc_node;

static void on_rpc(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    rpc_node *n = arg;
    n->requests++;
    g_free(n->body);
    g_free(n->type);
    n->body = g_strndup(request->body, request->body_len);
    n->type = g_strdup(request->type);
    if (n->errors > 0) {
        n->errors--;
        reply->status = 500;
    }
}

static void rpc_node_open(rpc_node *n)
{
    agw_addr addr;
    char why[200];
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, "127.0.0.1:0"), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_http_new(&n->http, &addr, NULL, why, sizeof why), AGW_OK);
    agw_http_on_post(n->http, "/RPC", on_rpc, n);
}

static void rpc_node_close(rpc_node *n)
{
    agw_http_free(n->http);
    g_free(n->body);
    g_free(n->type);
}

static void turn_until_idle(const agw_rpc *rpc)
{
    for (int i = 0; i < TURNS_MAX && agw_rpc_count(rpc) > 0; i++)
        g_main_context_iteration(NULL, TRUE);
}

static void test_events_rpc_is_repeated_until_it_is_taken(void)
{
    const agw_rpc_dialog dialog = {"c", "a", "b"};
    rpc_node n = {.errors = 1};
    rpc_node_open(&n);
    char *url = g_strconcat(agw_http_url(n.http), "RPC", NULL);
    char *nowhere = g_strconcat(agw_http_url(n.http), "nowhere", NULL);
    agw_rpc *rpc = agw_rpc_new();
    agw_rpc_send(rpc, url, AGW_RPC_JSON, &dialog, 1);
    turn_until_idle(rpc);
    CU_ASSERT_EQUAL(n.requests, 2); /* 500, then 200 */
    CU_ASSERT_STRING_EQUAL(n.type, "application/json");
    CU_ASSERT_PTR_NOT_NULL(strstr(n.body, "[\"c\",\"a\",\"b\"]"));
    agw_rpc_send(rpc, nowhere, AGW_RPC_JSON, &dialog, 2); /* 404: taken, whatever it means */
    turn_until_idle(rpc);
    CU_ASSERT_EQUAL(agw_rpc_lost(rpc), 0);
    agw_rpc_send(rpc, "http://", AGW_RPC_JSON, &dialog, 3);
    CU_ASSERT_EQUAL(agw_rpc_lost(rpc), 1);
    agw_rpc_send(rpc, url, AGW_RPC_JSON, &dialog, 4); /* under way at the end */
    agw_rpc_free(rpc);
    rpc_node_close(&n);
    g_free(url);
    g_free(nowhere);
}

/* The clock passes the pauses between the tries. */
static void turn_until_given_up(const agw_rpc *rpc)
{
    for (int i = 0; i < TURNS_MAX && agw_rpc_count(rpc) > 0; i++) {
        if (g_main_context_iteration(NULL, FALSE))
            continue;
        g_usleep(100);
        clock_ahead += i % 50 == 0 ? AGW_S(1) : 0;
    }
    clock_ahead = 0;
}

static GString *logged;

static void keep_log(agw_log_level level, const char *text)
{
    (void)level;
    g_string_append_printf(logged, "%s\n", text);
}

/* As keys and passwords. */
static void test_events_rpc_users_and_passwords_are_not_logged(void)
{
    const agw_rpc_dialog dialog = {"c", "a", "b"};
    rpc_node n = {.errors = 0};
    rpc_node_open(&n);
    const unsigned port = agw_http_port(n.http);
    char *url = g_strdup_printf("http://joe:secret@127.0.0.1:%u/RPC", port);
    char *told = g_strdup_printf("http://127.0.0.1:%u/RPC was told", port);
    char *not_told = g_strdup_printf("http://127.0.0.1:%u/RPC was not told", port);
    logged = g_string_new(NULL);
    agw_log_init(AGW_LOG_TRACE, keep_log);
    agw_rpc *rpc = agw_rpc_new();
    agw_rpc_send(rpc, url, AGW_RPC_JSON, &dialog, 1);
    turn_until_idle(rpc);
    n.errors = TURNS_MAX;
    agw_rpc_send(rpc, url, AGW_RPC_JSON, &dialog, 2);
    turn_until_given_up(rpc);
    agw_log_init(AGW_LOG_INFO, NULL);
    CU_ASSERT_EQUAL(agw_rpc_lost(rpc), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(logged->str, told));
    CU_ASSERT_PTR_NOT_NULL(strstr(logged->str, not_told));
    CU_ASSERT_PTR_NULL(strstr(logged->str, "joe"));
    CU_ASSERT_PTR_NULL(strstr(logged->str, "secret"));
    g_string_free(logged, TRUE);
    agw_rpc_free(rpc);
    rpc_node_close(&n);
    g_free(url);
    g_free(told);
    g_free(not_told);
}

static bool datagram(int fd, const char *expected)
{
    char text[2000];
    const ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    if (strcmp(text, expected) != 0)
        printf("\n    got %s\n", text);
    return strcmp(text, expected) == 0;
}

static void test_events_evt_8_digits_as_rtpengine_logs_them(void)
{
    static const char *const TAGS[] = {"a", "b", NULL};
    const int fd = bound_socket(SOCK_DGRAM), own = bound_socket(SOCK_DGRAM);
    char text[AGW_ADDR_TEXT];
    agw_addr to, of_call;
    const agw_addr nobody = {.family = AGW_FAMILY_NONE};
    local_address(fd, text, sizeof text);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&to, text), AGW_OK);
    local_address(own, text, sizeof text);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&of_call, text), AGW_OK);
    agw_events *events = agw_events_new();
    agw_events_set_dtmf(events, &to, false);
    agw_dtmf_notice d = {.call_id = "c", .source_tag = "a", .source_label = "A", .tags = TAGS};
    d.event = 11, d.duration_ms = 100, d.volume = 8;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&d.source, "10.0.0.9"), AGW_OK);
    static const char *const EXPECTED =
        "{\"callid\":\"c\",\"source_tag\":\"a\",\"source_label\":\"A\",\"tags\":[\"a\",\"b\"],"
        "\"type\":\"DTMF\",\"timestamp\":5,\"source_ip\":\"10.0.0.9\",\"event\":11,"
        "\"duration\":100,\"volume\":8}";
    agw_events_dtmf(events, &nobody, &d, 5000000);
    CU_ASSERT_TRUE(datagram(fd, EXPECTED));
    agw_events_dtmf(events, &of_call, &d, 5000000);
    CU_ASSERT_TRUE(datagram(own, EXPECTED));
    CU_ASSERT_TRUE(datagram(fd, ""));
    agw_events_free(events);
    close(fd);
    close(own);
}

typedef struct listener {
    agw_subscriber subscriber;
    int pushed;
} listener;

static void on_push(agw_subscriber *subscriber, const agw_doc *event)
{
    CU_ASSERT_STRING_EQUAL(agw_doc_str(event, "event"), "x");
    ((listener *)(void *)subscriber)->pushed++;
}

static void test_events_are_pushed_to_who_asked(void)
{
    agw_events *events = agw_events_new();
    listener l = {.subscriber = {.push = on_push}};
    agw_events_unsubscribe(events, &l.subscriber); /* never asked: nothing happens */
    (void)tell(events, "x");
    agw_events_subscribe(events, &l.subscriber);
    agw_events_subscribe(events, &l.subscriber);
    (void)tell(events, "x");
    CU_ASSERT_EQUAL(l.pushed, 1);
    agw_events_unsubscribe(events, &l.subscriber);
    (void)tell(events, "x");
    CU_ASSERT_EQUAL(l.pushed, 1);
    agw_events_free(events);
}

/* "interface-lost core" of the event that came, "" = none. */
static char *link_event(int fd)
{
    char text[2000];
    const char *why;
    const ssize_t n = recv(fd, text, sizeof text, 0);
    if (n <= 0)
        return g_strdup("");
    agw_doc *doc = agw_json_parse(text, (size_t)n, &why);
    char *out = g_strjoin(" ", agw_doc_str(doc, "event"), agw_doc_str(doc, "reason"),
                          agw_doc_str(doc, "detail"), NULL);
    agw_doc_free(doc);
    return out;
}

static bool tells(int fd, const char *expected)
{
    char *got = link_event(fd);
    const bool same = strcmp(got, expected) == 0;
    if (!same)
        printf("\n    got %s\n", got);
    g_free(got);
    return same;
}

static void test_events_evt_7_a_lost_interface_and_its_return_are_told_once(void)
{
    const int fd = bound_socket(SOCK_DGRAM);
    char text[AGW_ADDR_TEXT], why[200];
    local_address(fd, text, sizeof text);
    agw_events *events = agw_events_new();
    CU_ASSERT_EQUAL_FATAL(agw_events_add(events, text), AGW_OK);
    agw_config config;
    agw_config_init(&config);
    CU_ASSERT_EQUAL(agw_config_set(&config, "interface", "access/127.0.0.1", why, sizeof why),
                    AGW_OK);
    CU_ASSERT_EQUAL(agw_config_set(&config, "interface", "core/127.0.0.2", why, sizeof why),
                    AGW_OK);
    agw_links *links = agw_links_new(&config, events);
    agw_addr usable[2];
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&usable[0], "127.0.0.1"), AGW_OK);
    CU_ASSERT_EQUAL(agw_addr_parse_ip(&usable[1], "127.0.0.2"), AGW_OK);
    agw_links_take(links, usable, 2);
    CU_ASSERT_TRUE(tells(fd, ""));
    agw_links_take(links, usable, 1);
    CU_ASSERT_TRUE(tells(fd, "interface-lost core 127.0.0.2"));
    agw_links_take(links, usable, 1);
    CU_ASSERT_TRUE(tells(fd, ""));
    agw_links_take(links, usable, 2);
    CU_ASSERT_TRUE(tells(fd, "interface-back core 127.0.0.2"));
    agw_links_free(links);
    agw_events_free(events);
    agw_config_fini(&config);
    close(fd);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_events_targets_are_told_apart),
    AGW_CASE(test_events_bad_targets_are_refused),
    AGW_CASE(test_events_queue_repeats_with_growing_pauses),
    AGW_CASE(test_events_queue_acknowledged_is_gone),
    AGW_CASE(test_events_queue_of_an_ended_call_keeps_the_last_only),
    AGW_CASE(test_events_queue_is_sent_anew_on_a_new_connection),
    AGW_CASE(test_events_queue_loses_what_is_too_old),
    AGW_CASE(test_events_queue_is_bounded),
    AGW_CASE(test_events_netstrings_are_found_at_every_length),
    AGW_CASE(test_events_bad_netstrings_are_refused),
    AGW_CASE(test_events_acknowledgements),
    AGW_CASE(test_events_rpc_bodies),
    AGW_CASE(test_events_evapi_gets_netstrings_and_acknowledges),
    AGW_CASE(test_events_evapi_sends_again_on_a_new_connection),
    AGW_CASE(test_events_evapi_nodes_that_are_gone_make_room_for_another),
    AGW_CASE(test_events_another_gateways_acknowledgement_counts_for_nothing),
    AGW_CASE(test_events_rpc_is_repeated_until_it_is_taken),
    AGW_CASE(test_events_rpc_users_and_passwords_are_not_logged),
    AGW_CASE(test_events_evt_8_digits_as_rtpengine_logs_them),
    AGW_CASE(test_events_are_pushed_to_who_asked),
    AGW_CASE(test_events_evt_7_a_lost_interface_and_its_return_are_told_once),
};

AGW_UNIT_MAIN("events", CASES)
