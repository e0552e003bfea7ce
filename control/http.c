/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/http.h"

#include "base/log.h"

#include <libsoup/soup.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What stands at one path. */
typedef struct route {
    agw_http_handler *get, *post;
    void *get_arg, *post_arg;
    const char *type; /* of the static content */
    const void *data;
    size_t len;
} route;

typedef struct websocket_route {
    agw_http *http;
    const agw_websocket_handler *handler;
    void *arg;
    char *path; /* NULL = every path */
    bool has_protocols;
} websocket_route;

struct agw_http {
    SoupServer *server;
    GHashTable *routes; /* path -> route */
    GPtrArray *websocket_routes;
    bool any_websocket; /* there is a handler for every path */
    GList *open;        /* agw_websocket */
    GPtrArray *headers; /* name, value, name, value ... */
    char *url;
    uint16_t port;
};

struct agw_websocket {
    agw_http *http;
    SoupWebsocketConnection *connection;
    const agw_websocket_handler *handler;
    void *arg, *state;
    agw_addr from;
    size_t stalled; /* bytes given to a connection that took none */
};

/* --- requests ----------------------------------------------------------------------------------
 */

static void set_remote(agw_addr *out, GSocketAddress *address)
{
    struct sockaddr_storage sa;
    memset(out, 0, sizeof *out);
    if (address == NULL || !g_socket_address_to_native(address, &sa, sizeof sa, NULL) ||
        agw_addr_from_sockaddr(out, (const struct sockaddr *)&sa) != AGW_OK)
        memset(out, 0, sizeof *out);
}

/* A page of another site may not speak to us through its visitor's browser. */
static bool is_cross_site(SoupServerMessage *msg)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    const char *origin = soup_message_headers_get_one(headers, "Origin");
    const char *host = soup_message_headers_get_one(headers, "Host");
    if (origin == NULL)
        return false;
    const char *authority = strstr(origin, "://");
    return authority == NULL || host == NULL || g_ascii_strcasecmp(authority + 3, host) != 0;
}

static void add_headers(const agw_http *http, SoupServerMessage *msg)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(msg);
    for (guint i = 0; i + 1 < http->headers->len; i += 2)
        soup_message_headers_replace(headers, g_ptr_array_index(http->headers, i),
                                     g_ptr_array_index(http->headers, i + 1));
}

static void refuse(SoupServerMessage *msg, guint status)
{
    const char *text = soup_status_get_phrase(status);
    soup_server_message_set_status(msg, status, NULL);
    soup_server_message_set_response(msg, "text/plain", SOUP_MEMORY_COPY, text, strlen(text));
}

static void run_handler(SoupServerMessage *msg, const char *path, agw_http_handler *handler,
                        void *arg)
{
    GUri *uri = soup_server_message_get_uri(msg);
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    SoupMessageBody *body = soup_server_message_get_request_body(msg);
    GBytes *bytes = soup_message_body_flatten(body);
    const char *type = soup_message_headers_get_content_type(headers, NULL);
    agw_http_request request = {
        .path = path,
        .query = g_uri_get_query(uri) != NULL ? g_uri_get_query(uri) : "",
        .type = type != NULL ? type : "",
    };
    gsize len;
    const char *data = g_bytes_get_data(bytes, &len);
    request.body = data != NULL ? data : "";
    request.body_len = len;
    set_remote(&request.from, soup_server_message_get_remote_address(msg));
    agw_http_reply reply = {.status = 200, .type = "text/plain", .body = g_string_new(NULL)};
    handler(&request, &reply, arg);
    soup_server_message_set_status(msg, reply.status, NULL);
    soup_server_message_set_response(msg, reply.type, SOUP_MEMORY_COPY, reply.body->str,
                                     reply.body->len);
    g_string_free(reply.body, TRUE);
    g_bytes_unref(bytes);
}

static void run_get(SoupServerMessage *msg, const char *path, const route *at)
{
    if (at->get != NULL) {
        run_handler(msg, path, at->get, at->get_arg);
        return;
    }
    if (at->data == NULL) {
        refuse(msg, SOUP_STATUS_METHOD_NOT_ALLOWED);
        return;
    }
    soup_server_message_set_status(msg, SOUP_STATUS_OK, NULL);
    soup_server_message_set_response(msg, at->type, SOUP_MEMORY_STATIC, at->data, at->len);
}

static void run_post(SoupServerMessage *msg, const char *path, const route *at)
{
    if (at->post == NULL)
        refuse(msg, SOUP_STATUS_METHOD_NOT_ALLOWED);
    else if (is_cross_site(msg))
        refuse(msg, SOUP_STATUS_FORBIDDEN);
    else
        run_handler(msg, path, at->post, at->post_arg);
}

/* The library looks for WebSocket handlers of a path when no other one has set a status. They begin
 * with a GET (RFC 6455 section 4.1), also where a page stands. */
static bool is_for_any_websocket(const agw_http *http, SoupServerMessage *msg)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    const char *upgrade = soup_message_headers_get_one(headers, "Upgrade");
    return http->any_websocket && upgrade != NULL &&
           g_ascii_strcasecmp(upgrade, "websocket") == 0 &&
           strcmp(soup_server_message_get_method(msg), "GET") == 0;
}

static void on_request(SoupServer *server, SoupServerMessage *msg, const char *path,
                       GHashTable *query, gpointer data)
{
    (void)server, (void)query;
    const agw_http *http = data;
    add_headers(http, msg);
    if (soup_server_message_get_status(msg) != SOUP_STATUS_NONE)
        return; /* refused already: the body was too large */
    const route *at = g_hash_table_lookup(http->routes, path);
    const char *method = soup_server_message_get_method(msg);
    if (is_for_any_websocket(http, msg))
        return;
    if (at == NULL)
        refuse(msg, SOUP_STATUS_NOT_FOUND);
    else if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        run_get(msg, path, at);
    else if (strcmp(method, "POST") == 0)
        run_post(msg, path, at);
    else
        refuse(msg, SOUP_STATUS_METHOD_NOT_ALLOWED);
}

static void on_chunk(SoupServerMessage *msg, GBytes *chunk, gpointer data)
{
    (void)chunk, (void)data;
    SoupMessageBody *body = soup_server_message_get_request_body(msg);
    if (body->length <= AGW_HTTP_BODY_MAX)
        return;
    soup_message_body_set_accumulate(body, FALSE);
    soup_message_body_truncate(body);
    refuse(msg, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE);
}

/* Before the body comes. */
static void on_headers(SoupServer *server, SoupServerMessage *msg, const char *path,
                       GHashTable *query, gpointer data)
{
    (void)server, (void)path, (void)query;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        soup_message_headers_get_content_length(headers) > AGW_HTTP_BODY_MAX) {
        add_headers(data, msg);
        refuse(msg, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE);
        return;
    }
    g_signal_connect(msg, "got-chunk", G_CALLBACK(on_chunk), NULL);
}

static route *route_at(agw_http *http, const char *path)
{
    route *at = g_hash_table_lookup(http->routes, path);
    if (at == NULL) {
        at = g_new0(route, 1);
        g_hash_table_insert(http->routes, g_strdup(path), at);
    }
    return at;
}

void agw_http_on_get(agw_http *http, const char *path, agw_http_handler *handler, void *arg)
{
    route *at = route_at(http, path);
    at->get = handler;
    at->get_arg = arg;
}

void agw_http_on_post(agw_http *http, const char *path, agw_http_handler *handler, void *arg)
{
    route *at = route_at(http, path);
    at->post = handler;
    at->post_arg = arg;
}

void agw_http_static(agw_http *http, const char *path, const char *type, const void *data,
                     size_t len)
{
    route *at = route_at(http, path);
    at->type = g_intern_string(type);
    at->data = data;
    at->len = len;
}

void agw_http_header(agw_http *http, const char *name, const char *value)
{
    g_ptr_array_add(http->headers, g_strdup(name));
    g_ptr_array_add(http->headers, g_strdup(value));
}

/* --- WebSockets --------------------------------------------------------------------------------
 */

/* Says the last word about ws and frees it. */
static void websocket_end(agw_websocket *ws)
{
    agw_http *http = ws->http;
    http->open = g_list_remove(http->open, ws);
    g_signal_handlers_disconnect_by_data(ws->connection, ws);
    if (ws->handler->closed != NULL)
        ws->handler->closed(ws, ws->arg);
    g_object_unref(ws->connection);
    g_free(ws);
}

static void on_message(SoupWebsocketConnection *connection, gint type, GBytes *bytes, gpointer data)
{
    agw_websocket *ws = data;
    gsize len;
    const char *text = g_bytes_get_data(bytes, &len);
    if (ws->handler->message == NULL)
        return;
    g_object_ref(connection); /* the handler may close */
    ws->handler->message(ws, text != NULL ? text : "", len, type == SOUP_WEBSOCKET_DATA_TEXT,
                         ws->arg);
    g_object_unref(connection);
}

static void on_closed(SoupWebsocketConnection *connection, gpointer data)
{
    (void)connection;
    websocket_end(data);
}

static void on_websocket(SoupServer *server, SoupServerMessage *msg, const char *path,
                         SoupWebsocketConnection *connection, gpointer data)
{
    (void)server;
    const websocket_route *at = data;
    const bool wrong =
        (at->path != NULL && strcmp(path, at->path) != 0) ||
        (at->has_protocols && soup_websocket_connection_get_protocol(connection) == NULL);
    if (wrong || is_cross_site(msg) || g_list_length(at->http->open) >= AGW_WEBSOCKETS_MAX) {
        soup_websocket_connection_close(connection, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION, NULL);
        return;
    }
    agw_websocket *ws = g_new0(agw_websocket, 1);
    ws->http = at->http;
    ws->connection = g_object_ref(connection);
    ws->handler = at->handler;
    ws->arg = at->arg;
    set_remote(&ws->from, soup_server_message_get_remote_address(msg));
    at->http->open = g_list_prepend(at->http->open, ws);
    soup_websocket_connection_set_max_incoming_payload_size(connection, AGW_HTTP_BODY_MAX);
    soup_websocket_connection_set_keepalive_interval(connection, 15);
    g_signal_connect(connection, "message", G_CALLBACK(on_message), ws);
    g_signal_connect(connection, "closed", G_CALLBACK(on_closed), ws);
    if (ws->handler->opened != NULL)
        ws->handler->opened(ws, ws->arg);
}

void agw_http_on_websocket(agw_http *http, const char *path, const char *const *protocols,
                           const agw_websocket_handler *handler, void *arg)
{
    websocket_route *at = g_new0(websocket_route, 1);
    *at = (websocket_route){http, handler, arg, g_strdup(path), protocols != NULL};
    g_ptr_array_add(http->websocket_routes, at);
    http->any_websocket = http->any_websocket || path == NULL;
    GStrvBuilder *names = g_strv_builder_new();
    for (const char *const *p = protocols; p != NULL && *p != NULL; p++)
        g_strv_builder_add(names, *p);
    char **copy = protocols != NULL ? g_strv_builder_end(names) : NULL;
    g_strv_builder_unref(names);
    soup_server_add_websocket_handler(http->server, path, NULL, copy, on_websocket, at, NULL);
    g_strfreev(copy);
}

static bool is_open(const agw_websocket *ws)
{
    return soup_websocket_connection_get_state(ws->connection) == SOUP_WEBSOCKET_STATE_OPEN;
}

/* The library queues without a bound: what it was given while the socket took nothing counts. */
static bool is_slow(agw_websocket *ws, size_t len)
{
    GIOStream *stream = soup_websocket_connection_get_io_stream(ws->connection);
    GOutputStream *out = g_io_stream_get_output_stream(stream);
    const bool takes = G_IS_POLLABLE_OUTPUT_STREAM(out) &&
                       g_pollable_output_stream_is_writable(G_POLLABLE_OUTPUT_STREAM(out));
    ws->stalled = takes ? 0 : ws->stalled + len;
    return ws->stalled > AGW_WEBSOCKET_OUT_MAX;
}

void agw_websocket_send(agw_websocket *ws, const char *data, size_t len, bool text)
{
    if (!is_open(ws))
        return;
    if (is_slow(ws, len)) {
        agw_log(AGW_LOG_WARN, NULL, "a WebSocket is closed: it does not read");
        agw_websocket_close(ws);
        return;
    }
    GBytes *bytes = g_bytes_new(data, len);
    const bool valid = text && g_utf8_validate_len(data, (gsize)len, NULL);
    soup_websocket_connection_send_message(
        ws->connection, valid ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY, bytes);
    g_bytes_unref(bytes);
}

const char *agw_websocket_protocol(const agw_websocket *ws)
{
    const char *protocol = soup_websocket_connection_get_protocol(ws->connection);
    return protocol != NULL ? protocol : "";
}

void agw_websocket_remote(const agw_websocket *ws, agw_addr *out)
{
    *out = ws->from;
}

void agw_websocket_close(agw_websocket *ws)
{
    if (is_open(ws))
        soup_websocket_connection_close(ws->connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}

void agw_websocket_set_state(agw_websocket *ws, void *state)
{
    ws->state = state;
}

void *agw_websocket_state(const agw_websocket *ws)
{
    return ws->state;
}

/* --- life --------------------------------------------------------------------------------------
 */

static void free_websocket_route(void *data)
{
    websocket_route *at = data;
    g_free(at->path);
    g_free(at);
}

static agw_http *http_alloc(GTlsCertificate *certificate)
{
    agw_http *http = g_new0(agw_http, 1);
    http->server = certificate != NULL ? soup_server_new("tls-certificate", certificate, NULL)
                                       : soup_server_new(NULL, NULL);
    http->routes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    http->websocket_routes = g_ptr_array_new_with_free_func(free_websocket_route);
    http->headers = g_ptr_array_new_with_free_func(g_free);
    soup_server_add_early_handler(http->server, NULL, on_headers, http, NULL);
    soup_server_add_handler(http->server, NULL, on_request, http, NULL);
    return http;
}

static void set_url(agw_http *http, const agw_addr *addr, bool tls)
{
    GSList *uris = soup_server_get_uris(http->server);
    AGW_ASSERT(uris != NULL);
    http->port = (uint16_t)g_uri_get_port(uris->data);
    g_slist_free_full(uris, (GDestroyNotify)g_uri_unref);
    agw_addr at = *addr;
    at.port = http->port;
    char text[AGW_ADDR_TEXT];
    http->url =
        g_strdup_printf("%s://%s/", tls ? "https" : "http", agw_addr_text(&at, text, sizeof text));
}

agw_err agw_http_new(agw_http **out, const agw_addr *addr, GTlsCertificate *certificate, char *why,
                     size_t size)
{
    agw_http *http = http_alloc(certificate);
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(addr, &sa);
    GSocketAddress *address = g_socket_address_new_from_native(&sa, len);
    GError *error = NULL;
    const bool listens = soup_server_listen(
        http->server, address, certificate != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0, &error);
    g_object_unref(address);
    if (!listens) {
        char text[AGW_ADDR_TEXT];
        snprintf(why, size, "cannot listen for HTTP on %s: %s",
                 agw_addr_text(addr, text, sizeof text), error->message);
        g_error_free(error);
        agw_http_free(http);
        return AGW_ERR_SYSTEM;
    }
    set_url(http, addr, certificate != NULL);
    *out = http;
    return AGW_OK;
}

static void websocket_abandon(void *data)
{
    agw_websocket *ws = data;
    g_signal_handlers_disconnect_by_data(ws->connection, ws);
    agw_websocket_close(ws);
    websocket_end(ws);
}

void agw_http_free(agw_http *http)
{
    if (http == NULL)
        return;
    GList *open = http->open;
    http->open = NULL;
    g_list_free_full(open, websocket_abandon);
    soup_server_disconnect(http->server);
    g_object_unref(http->server);
    g_hash_table_destroy(http->routes);
    g_ptr_array_free(http->websocket_routes, TRUE);
    g_ptr_array_free(http->headers, TRUE);
    g_free(http->url);
    g_free(http);
}

uint16_t agw_http_port(const agw_http *http)
{
    return http->port;
}

const char *agw_http_url(const agw_http *http)
{
    return http->url;
}
