/* SPDX-License-Identifier: BSD-3-Clause
 * A small HTTP(S) and WebSocket server in the control thread (libsoup-3.0); the demo, ng over
 * HTTP and metrics mount on it. Handlers must not wait. */
#ifndef AGW_CONTROL_HTTP_H
#define AGW_CONTROL_HTTP_H

#include "base/addr.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct agw_http agw_http;
typedef struct agw_websocket agw_websocket;

enum {
    AGW_HTTP_BODY_MAX = 262144,
    AGW_WEBSOCKETS_MAX = 256,            /* of one server */
    AGW_WEBSOCKET_OUT_MAX = 1024 * 1024, /* bytes that a slow reader may leave */
};

/** Borrowed while the handler runs. */
typedef struct agw_http_request {
    const char *path;
    const char *query; /* after '?', undecoded; "" = none */
    const char *type;  /* Content-Type without parameters; "" = none */
    const char *body;
    size_t body_len;
    agw_addr from;
} agw_http_request;

/** Filled by the handler; starts as 200, text/plain, empty. */
typedef struct agw_http_reply {
    unsigned status;
    const char *type; /* borrowed until the handler's return */
    GString *body;
} agw_http_reply;

typedef void agw_http_handler(const agw_http_request *request, agw_http_reply *reply, void *arg);

/** What to do with the WebSockets of one path. All run in the control thread; any may be NULL. */
typedef struct agw_websocket_handler {
    void (*opened)(agw_websocket *ws, void *arg);
    void (*message)(agw_websocket *ws, const char *data, size_t len, bool text, void *arg);
    /** The last word about ws: it must not be used afterwards. */
    void (*closed)(agw_websocket *ws, void *arg);
} agw_websocket_handler;

/** Listens on addr (port 0 = any free one). certificate: borrowed (a reference is taken); NULL =
 * plain HTTP. On failure why says the reason. */
AGW_NODISCARD agw_err agw_http_new(agw_http **out, const agw_addr *addr,
                                   GTlsCertificate *certificate, char *why, size_t size);
/** Closes every connection (their closed handlers run). NULL is fine. */
void agw_http_free(agw_http *http);
/** The port that is listened on. */
uint16_t agw_http_port(const agw_http *http);
/** "https://[::1]:8443/"; lives as long as http. */
const char *agw_http_url(const agw_http *http);

/** Paths are exact; "/" is the root only. Adding a path again replaces it. */
void agw_http_on_get(agw_http *http, const char *path, agw_http_handler *handler, void *arg);
void agw_http_on_post(agw_http *http, const char *path, agw_http_handler *handler, void *arg);
/** handler is borrowed as long as http lives. path NULL: every path without a handler of its own;
 * protocols: one of them is required, NULL ends; NULL = none is. */
void agw_http_on_websocket(agw_http *http, const char *path, const char *const *protocols,
                           const agw_websocket_handler *handler, void *arg);
/** data is borrowed as long as http lives. */
void agw_http_static(agw_http *http, const char *path, const char *type, const void *data,
                     size_t len);
/** Sets a header on every reply, e.g. Content-Security-Policy. */
void agw_http_header(agw_http *http, const char *name, const char *value);

/** A text frame, or a binary one. One who does not read is closed. */
void agw_websocket_send(agw_websocket *ws, const char *data, size_t len, bool text);
/** The subprotocol; "" = none. */
const char *agw_websocket_protocol(const agw_websocket *ws);
void agw_websocket_remote(const agw_websocket *ws, agw_addr *out);
void agw_websocket_close(agw_websocket *ws);
/** A place for the handler's own pointer; NULL at first. */
void agw_websocket_set_state(agw_websocket *ws, void *state);
void *agw_websocket_state(const agw_websocket *ws);

#endif
