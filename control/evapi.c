/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/evapi.h"

#include "base/log.h"
#include "control/json.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX = 1024 * 1024, /* bytes that the peer has not taken; no more are written before */
    READ_BYTES = 4096,
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 5000,
    PEER_SILENT_MS = 20000, /* a host that is gone is not waited for longer */
    LENGTH_DIGITS_MAX = 6,
};

struct agw_evapi {
    agw_addr to;
    agw_evapi_acked *acked;
    void *arg;
    agw_event_queue *queue;
    int fd; /* -1 = none */
    bool open, told;
    guint reader, writer, timer, pause_ms;
    GString *in, *out;
};

/* --- what comes back ---------------------------------------------------------------------------
 */

agw_err agw_netstring_parse(const char *bytes, size_t len, const char **body, size_t *body_len,
                            size_t *used)
{
    size_t n = 0, at = 0;
    while (at < len && g_ascii_isdigit(bytes[at])) {
        if (at == LENGTH_DIGITS_MAX)
            return AGW_ERR_MALFORMED;
        n = n * 10 + (size_t)(bytes[at] - '0');
        at++;
    }
    if (n > AGW_EVAPI_MESSAGE_MAX)
        return AGW_ERR_MALFORMED;
    if (at == len)
        return AGW_ERR_AGAIN;
    if (at == 0 || bytes[at] != ':')
        return AGW_ERR_MALFORMED;
    at++;
    if (len - at <= n)
        return AGW_ERR_AGAIN;
    if (bytes[at + n] != ',')
        return AGW_ERR_MALFORMED;
    *body = bytes + at;
    *body_len = n;
    *used = at + n + 1;
    return AGW_OK;
}

bool agw_ack_parse(agw_ack *out, const char *json, size_t len)
{
    const char *why;
    agw_doc *doc = agw_json_parse(json, len, &why);
    int64_t seq = 0;
    const bool is_ack = agw_doc_int(doc, "ack", &seq) && seq > 0;
    if (is_ack) {
        const char *gateway = agw_doc_str(doc, "gateway");
        out->seq = (uint64_t)seq;
        g_strlcpy(out->gateway, gateway != NULL ? gateway : "", sizeof out->gateway);
    }
    agw_doc_free(doc);
    return is_ack;
}

/* --- the connection ----------------------------------------------------------------------------
 */

static void begin(agw_evapi *evapi);
static void pump(agw_evapi *evapi);

static void remove_source(guint *source)
{
    if (*source != 0)
        g_source_remove(*source);
    *source = 0;
}

static void disconnect(agw_evapi *evapi)
{
    remove_source(&evapi->reader);
    remove_source(&evapi->writer);
    if (evapi->fd >= 0)
        close(evapi->fd);
    evapi->fd = -1;
    evapi->open = false;
    g_string_truncate(evapi->in, 0);
    g_string_truncate(evapi->out, 0);
}

static gboolean on_timer(gpointer data)
{
    agw_evapi *evapi = data;
    evapi->timer = 0;
    if (evapi->fd < 0)
        begin(evapi);
    else
        pump(evapi);
    return G_SOURCE_REMOVE;
}

static void set_timer(agw_evapi *evapi, guint ms)
{
    remove_source(&evapi->timer);
    evapi->timer = g_timeout_add(ms, on_timer, evapi);
}

/* One line in the log for a peer that is away, not one for each attempt. */
static void fail(agw_evapi *evapi, const char *why)
{
    char text[AGW_ADDR_TEXT];
    if (!evapi->told)
        agw_log(AGW_LOG_WARN, NULL, "events do not reach evapi:%s: %s",
                agw_log_addr(&evapi->to, text), why);
    evapi->told = true;
    disconnect(evapi);
    set_timer(evapi, evapi->pause_ms);
    evapi->pause_ms = MIN(2 * evapi->pause_ms, (guint)PAUSE_MAX_MS);
}

static void take_message(const agw_evapi *evapi, const char *body, size_t len)
{
    agw_ack ack;
    if (agw_ack_parse(&ack, body, len))
        evapi->acked(evapi->arg, ack.gateway, ack.seq);
}

static agw_err take_all(agw_evapi *evapi)
{
    const char *body;
    size_t len, used, at = 0;
    agw_err err;
    while ((err = agw_netstring_parse(evapi->in->str + at, evapi->in->len - at, &body, &len,
                                      &used)) == AGW_OK) {
        take_message(evapi, body, len);
        at += used;
    }
    g_string_erase(evapi->in, 0, (gssize)at);
    return err == AGW_ERR_AGAIN ? AGW_OK : err;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    agw_evapi *evapi = data;
    char bytes[READ_BYTES];
    const ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n > 0) {
        g_string_append_len(evapi->in, bytes, n);
        if (take_all(evapi) == AGW_OK)
            return G_SOURCE_CONTINUE;
    }
    evapi->reader = 0;
    fail(evapi, n > 0 ? "it sends no netstrings" : n == 0 ? "it closed" : g_strerror(errno));
    return G_SOURCE_REMOVE;
}

static void opened(agw_evapi *evapi)
{
    char text[AGW_ADDR_TEXT];
    evapi->open = true;
    evapi->told = false;
    evapi->pause_ms = PAUSE_MIN_MS;
    evapi->reader = g_unix_fd_add(evapi->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, evapi);
    agw_log(AGW_LOG_INFO, NULL, "events go to evapi:%s", agw_log_addr(&evapi->to, text));
    agw_event_queue_restart(evapi->queue, agw_clock_now());
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    agw_evapi *evapi = data;
    evapi->writer = 0;
    int reason = 0;
    socklen_t len = sizeof reason;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
        reason = errno;
    if (reason != 0) {
        fail(evapi, g_strerror(reason));
        return G_SOURCE_REMOVE;
    }
    if (!evapi->open)
        opened(evapi);
    pump(evapi);
    return G_SOURCE_REMOVE;
}

static void await_writable(agw_evapi *evapi)
{
    if (evapi->writer == 0)
        evapi->writer =
            g_unix_fd_add(evapi->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_writable, evapi);
}

static void begin(agw_evapi *evapi)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(&evapi->to, &sa);
    const unsigned patience_ms = PEER_SILENT_MS;
    evapi->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)setsockopt(evapi->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
    if (evapi->fd >= 0 &&
        (connect(evapi->fd, (const struct sockaddr *)&sa, len) == 0 || errno == EINPROGRESS))
        await_writable(evapi);
    else
        fail(evapi, g_strerror(errno));
}

static agw_err write_out(agw_evapi *evapi)
{
    if (evapi->out->len == 0)
        return AGW_OK;
    const ssize_t n =
        send(evapi->fd, evapi->out->str, evapi->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return AGW_ERR_SYSTEM;
    g_string_erase(evapi->out, 0, MAX(n, 0));
    if (evapi->out->len > 0)
        await_writable(evapi);
    return AGW_OK;
}

/* Writes what is due and comes back when something is again. */
static void pump(agw_evapi *evapi)
{
    const agw_ns now = agw_clock_now();
    const GString *text;
    if (!evapi->open)
        return;
    while (evapi->out->len < OUT_MAX && (text = agw_event_queue_next(evapi->queue, now)) != NULL) {
        g_string_append_printf(evapi->out, "%zu:", (size_t)text->len);
        g_string_append_len(evapi->out, text->str, (gssize)text->len);
        g_string_append_c(evapi->out, ',');
    }
    if (write_out(evapi) != AGW_OK) {
        fail(evapi, g_strerror(errno));
        return;
    }
    const agw_ns due = agw_event_queue_deadline(evapi->queue);
    if (due != AGW_NEVER && evapi->writer == 0) /* else on_writable() comes back */
        set_timer(evapi, (guint)(MAX(due - now, 0) / AGW_MS(1)) + 1);
}

/* --- for events.c ------------------------------------------------------------------------------
 */

agw_evapi *agw_evapi_new(const agw_addr *to, agw_evapi_acked *acked, void *arg)
{
    agw_evapi *evapi = g_new0(agw_evapi, 1);
    *evapi = (agw_evapi){.to = *to,
                         .acked = acked,
                         .arg = arg,
                         .queue = agw_event_queue_new(),
                         .fd = -1,
                         .pause_ms = PAUSE_MIN_MS,
                         .in = g_string_new(NULL),
                         .out = g_string_new(NULL)};
    begin(evapi);
    return evapi;
}

void agw_evapi_free(agw_evapi *evapi)
{
    if (evapi == NULL)
        return;
    disconnect(evapi);
    remove_source(&evapi->timer);
    agw_event_queue_free(evapi->queue);
    g_string_free(evapi->in, TRUE);
    g_string_free(evapi->out, TRUE);
    g_free(evapi);
}

void agw_evapi_send(agw_evapi *evapi, uint64_t seq, const char *call_id, bool last,
                    const GString *json)
{
    agw_event_queue_push(evapi->queue, seq, call_id, last,
                         g_string_new_len(json->str, (gssize)json->len), agw_clock_now());
    pump(evapi);
}

void agw_evapi_ack(agw_evapi *evapi, uint64_t seq)
{
    (void)agw_event_queue_ack(evapi->queue, seq);
}

void agw_evapi_end_call(agw_evapi *evapi, const char *call_id)
{
    agw_event_queue_end_call(evapi->queue, call_id);
}

/* Without a connection nobody else looks whether what waits is too old. */
bool agw_evapi_is_idle(agw_evapi *evapi)
{
    agw_event_queue_expire(evapi->queue, agw_clock_now());
    return agw_event_queue_count(evapi->queue) == 0;
}

bool agw_evapi_is_open(const agw_evapi *evapi)
{
    return evapi->open;
}

uint64_t agw_evapi_lost(const agw_evapi *evapi)
{
    return agw_event_queue_lost(evapi->queue);
}
