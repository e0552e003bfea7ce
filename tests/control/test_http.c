/* SPDX-License-Identifier: BSD-3-Clause
 * The HTTP server with libsoup's own client, both in one main loop over loopback. */
#include "control/http.h"
#include "unit.h"

#include <libsoup/soup.h>
#include <string.h>

enum { TURNS_MAX = 20000 };

typedef struct answer {
    guint status;
    char *body;
    char *header; /* X-Test */
    bool done;
} answer;

static agw_http *http;
static SoupSession *session;

static void start(void)
{
    agw_addr addr;
    char why[200];
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, "127.0.0.1:0"), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_http_new(&http, &addr, NULL, why, sizeof why), AGW_OK);
    session = soup_session_new_with_options("proxy-resolver", NULL, NULL);
}

static void stop(void)
{
    soup_session_abort(session);
    g_object_unref(session);
    agw_http_free(http);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* Waits in the loop (its turns block until something happens or the time is up). */
static void run_until(const bool *done)
{
    for (int i = 0; i < TURNS_MAX && !*done; i++)
        g_main_context_iteration(NULL, TRUE);
}

static void on_body(GObject *source, GAsyncResult *result, gpointer data)
{
    answer *a = data;
    GBytes *bytes = soup_session_send_and_read_finish(SOUP_SESSION(source), result, NULL);
    a->body = bytes != NULL ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
                            : g_strdup("");
    g_bytes_unref(bytes);
    a->done = true;
}

static bool chunked; /* send bodies without Content-Length */

static void set_body(SoupMessage *msg, const char *body, size_t len)
{
    GBytes *bytes = g_bytes_new(body, len);
    if (chunked) {
        GInputStream *stream = g_memory_input_stream_new_from_bytes(bytes);
        soup_message_set_request_body(msg, "text/plain", stream, -1);
        g_object_unref(stream);
    } else {
        soup_message_set_request_body_from_bytes(msg, "text/plain", bytes);
    }
    g_bytes_unref(bytes);
}

static answer ask(const char *method, const char *path, const char *body, size_t len,
                  const char *origin)
{
    answer a = {0};
    char *url = g_strdup_printf("http://127.0.0.1:%u%s", agw_http_port(http), path);
    SoupMessage *msg = soup_message_new(method, url);
    if (body != NULL)
        set_body(msg, body, len);
    if (origin != NULL)
        soup_message_headers_replace(soup_message_get_request_headers(msg), "Origin", origin);
    soup_session_send_and_read_async(session, msg, G_PRIORITY_DEFAULT, NULL, on_body, &a);
    run_until(&a.done);
    CU_ASSERT_TRUE_FATAL(a.done);
    a.status = soup_message_get_status(msg);
    a.header =
        g_strdup(soup_message_headers_get_one(soup_message_get_response_headers(msg), "X-Test"));
    g_object_unref(msg);
    g_free(url);
    return a;
}

static void answer_clear(answer *a)
{
    g_free(a->body);
    g_free(a->header);
}

static bool answers(const char *method, const char *path, const char *body, const char *origin,
                    guint status, const char *expected)
{
    answer a = ask(method, path, body, body != NULL ? strlen(body) : 0, origin);
    const bool same = a.status == status && (expected == NULL || strcmp(a.body, expected) == 0);
    if (!same)
        printf("\n    got %u %s\n", a.status, a.body);
    answer_clear(&a);
    return same;
}

static void echo(const agw_http_request *request, agw_http_reply *reply, void *arg)
{
    g_string_append_printf(reply->body, "%s|%s|%s|%.*s|%s", request->path, request->query,
                           request->type, (int)request->body_len, request->body, (const char *)arg);
    if (!agw_addr_is_loopback(&request->from))
        reply->status = 500;
}

static void test_http_get_and_post_reach_their_handlers(void)
{
    start();
    static char a[] = "get", b[] = "post";
    agw_http_on_get(http, "/x", echo, a);
    agw_http_on_post(http, "/x", echo, b);
    CU_ASSERT_TRUE(answers("GET", "/x?q=1", NULL, NULL, 200, "/x|q=1|||get"));
    CU_ASSERT_TRUE(answers("POST", "/x", "body", NULL, 200, "/x||text/plain|body|post"));
    CU_ASSERT_TRUE(answers("POST", "/x", "", NULL, 200, NULL));
    CU_ASSERT_TRUE(answers("PUT", "/x", "body", NULL, 405, NULL));
    stop();
}

static void test_http_paths_are_exact(void)
{
    start();
    static char a[] = "get";
    agw_http_on_get(http, "/", echo, a);
    agw_http_on_get(http, "/x", echo, a);
    CU_ASSERT_TRUE(answers("GET", "/", NULL, NULL, 200, "/||||get"));
    CU_ASSERT_TRUE(answers("GET", "/x/y", NULL, NULL, 404, NULL));
    CU_ASSERT_TRUE(answers("GET", "/y", NULL, NULL, 404, NULL));
    stop();
}

static void test_http_static_content_and_headers(void)
{
    start();
    agw_http_static(http, "/page", "text/html", "<p>", 3);
    agw_http_header(http, "X-Test", "yes");
    answer a = ask("GET", "/page", NULL, 0, NULL);
    CU_ASSERT_EQUAL(a.status, 200);
    CU_ASSERT_STRING_EQUAL(a.body, "<p>");
    CU_ASSERT_PTR_NOT_NULL(a.header);
    answer_clear(&a);
    CU_ASSERT_TRUE(answers("POST", "/page", "x", NULL, 405, NULL));
    stop();
}

static void body_size_is_bounded(void)
{
    start();
    static char b[] = "post";
    agw_http_on_post(http, "/x", echo, b);
    char *body = g_malloc0(AGW_HTTP_BODY_MAX + 1);
    memset(body, 'x', AGW_HTTP_BODY_MAX + 1);
    answer a = ask("POST", "/x", body, AGW_HTTP_BODY_MAX, NULL);
    CU_ASSERT_EQUAL(a.status, 200);
    answer_clear(&a);
    a = ask("POST", "/x", body, AGW_HTTP_BODY_MAX + 1, NULL);
    CU_ASSERT_NOT_EQUAL(a.status, 200);
    answer_clear(&a);
    g_free(body);
    stop();
}

static void test_http_body_size_is_bounded(void)
{
    body_size_is_bounded();
}

static void test_http_chunked_body_size_is_bounded(void)
{
    chunked = true;
    body_size_is_bounded();
    chunked = false;
}

static void test_http_cross_site_posts_are_refused(void)
{
    start();
    static char b[] = "post";
    agw_http_on_post(http, "/x", echo, b);
    char *own = g_strdup_printf("http://127.0.0.1:%u", agw_http_port(http));
    CU_ASSERT_TRUE(answers("POST", "/x", "b", own, 200, NULL));
    CU_ASSERT_TRUE(answers("POST", "/x", "b", "http://evil.example", 403, NULL));
    CU_ASSERT_TRUE(answers("POST", "/x", "b", "null", 403, NULL));
    g_free(own);
    stop();
}

/* --- WebSockets --------------------------------------------------------------------------------
 */

typedef struct socket_log {
    int opened, messages, closed;
    bool got_reply, closed_seen;
    SoupWebsocketConnection *connection;
    bool connected;
} socket_log;

static void ws_opened(agw_websocket *ws, void *arg)
{
    ((socket_log *)arg)->opened++;
    agw_websocket_set_state(ws, arg);
}

static void ws_message(agw_websocket *ws, const char *data, size_t len, bool text, void *arg)
{
    CU_ASSERT_TRUE(text);
    CU_ASSERT_PTR_EQUAL(agw_websocket_state(ws), arg);
    ((socket_log *)arg)->messages++;
    agw_websocket_send(ws, data, len, text);
}

static void ws_closed(agw_websocket *ws, void *arg)
{
    (void)ws;
    ((socket_log *)arg)->closed++;
    ((socket_log *)arg)->closed_seen = true;
}

static const agw_websocket_handler WS = {ws_opened, ws_message, ws_closed};

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
    socket_log *log = data;
    log->connection = soup_session_websocket_connect_finish(SOUP_SESSION(source), result, NULL);
    log->connected = true;
}

static void on_reply(SoupWebsocketConnection *connection, gint type, GBytes *bytes, gpointer data)
{
    (void)connection, (void)type;
    CU_ASSERT_EQUAL(g_bytes_get_size(bytes), 5);
    ((socket_log *)data)->got_reply = true;
}

static void connect_to(socket_log *log, const char *path, const char *origin)
{
    char *url = g_strdup_printf("ws://127.0.0.1:%u%s", agw_http_port(http), path);
    SoupMessage *msg = soup_message_new("GET", url);
    soup_session_websocket_connect_async(session, msg, origin, NULL, G_PRIORITY_DEFAULT, NULL,
                                         on_connected, log);
    run_until(&log->connected);
    g_object_unref(msg);
    g_free(url);
}

static void test_http_websocket_echoes_and_closes(void)
{
    start();
    socket_log log = {0};
    agw_http_on_websocket(http, "/ws", NULL, &WS, &log);
    connect_to(&log, "/ws", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log.connection);
    g_signal_connect(log.connection, "message", G_CALLBACK(on_reply), &log);
    soup_websocket_connection_send_text(log.connection, "hello");
    run_until(&log.got_reply);
    CU_ASSERT_EQUAL(log.opened, 1);
    CU_ASSERT_EQUAL(log.messages, 1);
    CU_ASSERT_TRUE(log.got_reply);
    soup_websocket_connection_close(log.connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
    run_until(&log.closed_seen);
    CU_ASSERT_EQUAL(log.closed, 1);
    g_object_unref(log.connection);
    stop();
    CU_ASSERT_EQUAL(log.closed, 1);
}

static void test_http_free_closes_websockets(void)
{
    start();
    socket_log log = {0};
    agw_http_on_websocket(http, "/ws", NULL, &WS, &log);
    connect_to(&log, "/ws", NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log.connection);
    g_object_unref(log.connection);
    stop();
    CU_ASSERT_EQUAL(log.closed, log.opened);
}

static void test_http_cross_site_websockets_are_closed(void)
{
    start();
    socket_log log = {0};
    agw_http_on_websocket(http, "/ws", NULL, &WS, &log);
    connect_to(&log, "/ws", "http://evil.example");
    CU_ASSERT_EQUAL(log.opened, 0);
    g_clear_object(&log.connection);
    stop();
    CU_ASSERT_EQUAL(log.closed, 0);
}

static void test_http_websockets_of_any_path_need_their_protocol(void)
{
    static const char *const PROTOCOLS[] = {"a.example", "b.example", NULL};
    char wanted[] = "b.example", other[] = "c.example";
    char *good[] = {wanted, NULL}, *bad[] = {other, NULL};
    start();
    socket_log log = {0};
    agw_http_on_websocket(http, NULL, PROTOCOLS, &WS, &log);
    char *url = g_strdup_printf("ws://127.0.0.1:%u/any/path", agw_http_port(http));
    for (int i = 0; i < 3; i++) {
        char **protocols = i == 0 ? good : i == 1 ? bad : NULL;
        log.connected = false;
        SoupMessage *msg = soup_message_new("GET", url);
        soup_session_websocket_connect_async(session, msg, NULL, protocols, G_PRIORITY_DEFAULT,
                                             NULL, on_connected, &log);
        run_until(&log.connected);
        CU_ASSERT_EQUAL(log.connection != NULL, i != 1); /* the last one is closed at once */
        g_clear_object(&log.connection);
        g_object_unref(msg);
    }
    CU_ASSERT_EQUAL(log.opened, 1);
    CU_ASSERT_TRUE(answers("GET", "/any/path", NULL, NULL, 404, NULL));
    g_free(url);
    stop();
}

static void test_http_websockets_of_any_path_where_something_else_stands(void)
{
    static const char *const PATHS[] = {"/page", "/get", "/post"};
    static char a[] = "get", b[] = "post";
    start();
    socket_log log = {0};
    agw_http_static(http, "/page", "text/html", "<p>", 3);
    agw_http_on_get(http, "/get", echo, a);
    agw_http_on_post(http, "/post", echo, b);
    agw_http_on_websocket(http, NULL, NULL, &WS, &log);
    for (int i = 0; i < 3; i++) {
        log.connected = false;
        connect_to(&log, PATHS[i], NULL);
        CU_ASSERT_PTR_NOT_NULL(log.connection);
        g_clear_object(&log.connection);
    }
    CU_ASSERT_EQUAL(log.opened, 3);
    CU_ASSERT_TRUE(answers("GET", "/page", NULL, NULL, 200, "<p>"));
    CU_ASSERT_TRUE(answers("POST", "/post", "body", NULL, 200, NULL));
    stop();
}

static void test_http_address_in_use_is_told(void)
{
    start();
    agw_addr addr;
    char why[200] = "";
    agw_http *second = NULL;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&addr, "127.0.0.1:0"), AGW_OK);
    addr.port = agw_http_port(http);
    CU_ASSERT_EQUAL(agw_http_new(&second, &addr, NULL, why, sizeof why), AGW_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot listen"));
    CU_ASSERT_PTR_NOT_NULL(strstr(agw_http_url(http), "http://127.0.0.1:"));
    stop();
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_http_get_and_post_reach_their_handlers),
    AGW_CASE(test_http_paths_are_exact),
    AGW_CASE(test_http_static_content_and_headers),
    AGW_CASE(test_http_body_size_is_bounded),
    AGW_CASE(test_http_chunked_body_size_is_bounded),
    AGW_CASE(test_http_cross_site_posts_are_refused),
    AGW_CASE(test_http_websocket_echoes_and_closes),
    AGW_CASE(test_http_free_closes_websockets),
    AGW_CASE(test_http_cross_site_websockets_are_closed),
    AGW_CASE(test_http_websockets_of_any_path_need_their_protocol),
    AGW_CASE(test_http_websockets_of_any_path_where_something_else_stands),
    AGW_CASE(test_http_address_in_use_is_told),
};

AGW_UNIT_MAIN("http", CASES)
