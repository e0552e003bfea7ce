/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng_stream.h"

#include "control/ng_frame.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 65536, BACKLOG = 64, PROBE_AFTER_S = 60, TURN_PAIRS = 8 };

typedef struct stream_listener {
    agw_streams *streams;
    agw_addr addr; /* family none: the UNIX socket */
    int fd;
    guint source;
} stream_listener;

typedef struct connection {
    agw_subscriber subscriber;
    agw_streams *streams;
    GList link;
    int fd;
    guint reader, writer; /* sources; 0 = not waited for */
    agw_asker asker;
    bool plain, last; /* no cookie; nothing is read any more, closed once all is written */
    agw_ng_frame frame;
    agw_ns heard_at; /* last whole message; 0 = none yet */
    agw_ns begun_at; /* of the message that is not whole, or of the connection; 0 = none is */
    GString *in, *out;
} connection;

struct agw_streams {
    agw_server *server;
    agw_control *ctl;
    agw_log_limit limit;
    char unix_path[AGW_CONFIG_PATH_MAX + 1]; /* "" = none */
    size_t n;
    stream_listener listeners[AGW_CONFIG_LISTEN_MAX + 1];
    GQueue connections;
    char buffer[READ_BYTES];
};

/* --- connections -------------------------------------------------------------------------------
 */

static void remove_source(guint *source)
{
    if (*source != 0)
        g_source_remove(*source);
    *source = 0;
}

static void connection_close(connection *c)
{
    agw_server_forget(c->streams->server, &c->subscriber);
    g_queue_unlink(&c->streams->connections, &c->link);
    remove_source(&c->reader);
    remove_source(&c->writer);
    close(c->fd);
    g_string_free(c->in, TRUE);
    g_string_free(c->out, TRUE);
    g_free(c);
}

static void note_close(const connection *c, uint64_t *counter, const char *why)
{
    uint32_t left_out;
    char text[AGW_ADDR_TEXT];
    (*counter)++;
    if (agw_log_allow(&c->streams->limit, agw_clock_now(), &left_out))
        agw_log(AGW_LOG_WARN, NULL, "ng connection of %s is closed: %s (%u more like it)",
                c->plain ? "a local process" : agw_log_addr(&c->asker.from, text), why, left_out);
}

static void close_for(connection *c, uint64_t *counter, const char *why)
{
    note_close(c, counter, why);
    connection_close(c);
}

static void await(connection *c);

/* false: the connection is gone. */
static bool flush(connection *c)
{
    const ssize_t n = send(c->fd, c->out->str, c->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        connection_close(c);
        return false;
    }
    g_string_erase(c->out, 0, MAX(n, 0));
    if (c->out->len == 0 && c->last) {
        connection_close(c);
        return false;
    }
    await(c);
    return true;
}

static void reply_to(connection *c, const char *msg, size_t len, agw_ns now)
{
    agw_server *server = c->streams->server;
    if (c->plain) {
        (void)agw_server_take_plain(server, &c->asker, msg, len, now, c->out);
        c->last = true;
        return;
    }
    const GString *reply = agw_server_take(server, &c->asker, msg, len, now);
    if (reply != NULL)
        g_string_append_len(c->out, reply->str, (gssize)reply->len);
}

/* Runs every whole message. AGW_ERR_MALFORMED: the stream cannot go on. */
static agw_err take_messages(connection *c, agw_ns now)
{
    agw_err err = AGW_ERR_AGAIN;
    size_t at = 0;
    while (at < c->in->len && !c->last) {
        err = agw_ng_frame_scan(&c->frame, c->in->str + at, c->in->len - at, c->plain);
        if (err != AGW_OK)
            break;
        reply_to(c, c->in->str + at, c->frame.at, now);
        at += c->frame.at;
        c->frame = (agw_ng_frame){0};
        c->heard_at = now;
        c->begun_at = 0;
    }
    g_string_erase(c->in, 0, (gssize)at);
    if (c->in->len > 0 && c->begun_at == 0)
        c->begun_at = now;
    return err == AGW_ERR_MALFORMED ? err : AGW_OK;
}

static gboolean on_data(gint fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    connection *c = data;
    agw_streams *streams = c->streams;
    const agw_ns now = agw_clock_now();
    const ssize_t n = recv(fd, streams->buffer, sizeof streams->buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    c->reader = 0; /* this source ends here; await() makes the next one */
    if (n <= 0 && c->plain && c->in->len > 0)
        reply_to(c, c->in->str, c->in->len, now); /* a document without its end */
    else if (n <= 0)
        c->last = true;
    else
        g_string_append_len(c->in, streams->buffer, n);
    if (n > 0 && take_messages(c, now) != AGW_OK) {
        note_close(c, &streams->ctl->streams.malformed, "this is not ng");
        c->last = true; /* once what stood before it is answered */
    }
    (void)flush(c);
    agw_gateway_idle(streams->ctl->gateway, TURN_PAIRS);
    return G_SOURCE_REMOVE;
}

static gboolean on_room(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd, (void)condition;
    connection *c = data;
    c->writer = 0;
    (void)flush(c);
    return G_SOURCE_REMOVE;
}

/* One who does not take his replies is not asked for more requests. */
static void await(connection *c)
{
    if (c->out->len > 0) {
        remove_source(&c->reader);
        if (c->writer == 0)
            c->writer = g_unix_fd_add(c->fd, G_IO_OUT, on_room, c);
    } else if (c->reader == 0) {
        c->reader = g_unix_fd_add(c->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_data, c);
    }
}

/* It may be called while the connection's own request runs: on_room() finds the socket shut down
 * and closes it. */
static void on_push(agw_subscriber *subscriber, const agw_doc *event)
{
    connection *c = (connection *)(void *)subscriber;
    if (c->out->len <= AGW_STREAM_OUT_MAX)
        agw_server_write_push(c->out, subscriber, c->plain, event);
    else if (!c->last) {
        c->last = true;
        c->streams->ctl->streams.slow++;
        (void)shutdown(c->fd, SHUT_RDWR);
    }
    if (c->writer == 0)
        c->writer = g_unix_fd_add(c->fd, G_IO_OUT, on_room, c);
}

/* --- listeners ---------------------------------------------------------------------------------
 */

static void keep_alive(int fd)
{
    const int on = 1, after = PROBE_AFTER_S;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &after, sizeof after);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void connection_open(agw_streams *streams, int fd, const agw_addr *from)
{
    connection *c = g_new0(connection, 1);
    c->subscriber.push = on_push;
    c->streams = streams;
    c->link.data = c;
    c->fd = fd;
    c->plain = from == NULL;
    c->asker.local = c->plain;
    if (from != NULL)
        c->asker.from = *from;
    if (!c->plain)
        c->asker.subscriber = &c->subscriber;
    c->begun_at = agw_clock_now();
    c->in = g_string_new(NULL);
    c->out = g_string_new(NULL);
    g_queue_push_tail_link(&streams->connections, &c->link);
    streams->ctl->streams.accepted++;
    await(c);
}

static bool is_welcome(agw_streams *streams, const agw_addr *from)
{
    if (from != NULL && !agw_server_admits(streams->server, from, agw_clock_now())) {
        streams->ctl->streams.not_allowed++;
        return false;
    }
    const bool room = streams->connections.length < AGW_STREAMS_MAX;
    streams->ctl->streams.too_many += !room;
    return room;
}

static gboolean on_connection(gint listen_fd, GIOCondition condition, gpointer data)
{
    (void)condition;
    const stream_listener *l = data;
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    const int fd = accept4(listen_fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return G_SOURCE_CONTINUE;
    agw_addr addr;
    const bool local = !agw_addr_is_set(&l->addr);
    if (!local && agw_addr_from_sockaddr(&addr, (const struct sockaddr *)&sa) != AGW_OK) {
        close(fd);
        return G_SOURCE_CONTINUE;
    }
    if (!is_welcome(l->streams, local ? NULL : &addr)) {
        close(fd);
        return G_SOURCE_CONTINUE;
    }
    if (!local)
        keep_alive(fd);
    connection_open(l->streams, fd, local ? NULL : &addr);
    return G_SOURCE_CONTINUE;
}

static int listen_on(const struct sockaddr *sa, socklen_t len)
{
    const int on = 1;
    const int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (sa->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (sa->sa_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    const int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static void listener_start(agw_streams *streams, int fd, const agw_addr *addr)
{
    stream_listener *l = &streams->listeners[streams->n++];
    *l = (stream_listener){.streams = streams, .fd = fd, .addr = *addr};
    l->source = g_unix_fd_add(fd, G_IO_IN, on_connection, l);
}

static agw_err open_tcp(agw_streams *streams, const agw_addr *addr, char *why, size_t size)
{
    struct sockaddr_storage sa;
    socklen_t len = agw_addr_to_sockaddr(addr, &sa);
    char text[AGW_ADDR_TEXT];
    const int fd = listen_on((const struct sockaddr *)&sa, len);
    if (fd < 0) {
        snprintf(why, size, "cannot listen for ng on tcp %s: %s",
                 agw_addr_text(addr, text, sizeof text), g_strerror(errno));
        return AGW_ERR_SYSTEM;
    }
    agw_addr at;
    len = sizeof sa;
    AGW_ASSERT(getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
               agw_addr_from_sockaddr(&at, (const struct sockaddr *)&sa) == AGW_OK);
    listener_start(streams, fd, &at);
    return AGW_OK;
}

/* The file of a process that is gone; one that is served is left alone. */
static void remove_old_socket(const struct sockaddr_un *sun)
{
    struct stat st;
    if (lstat(sun->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)sun, sizeof *sun) != 0 &&
        errno == ECONNREFUSED)
        (void)unlink(sun->sun_path);
    if (fd >= 0)
        close(fd);
}

static agw_err open_unix(agw_streams *streams, const agw_config *config, char *why, size_t size)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const agw_addr local = {.family = AGW_FAMILY_NONE};
    g_strlcpy(sun.sun_path, config->unix_listen, sizeof sun.sun_path);
    remove_old_socket(&sun);
    const mode_t before = umask(0777); /* nobody comes in before chmod() */
    const int fd = listen_on((const struct sockaddr *)&sun, sizeof sun);
    const int reason = errno;
    (void)umask(before);
    if (fd < 0 || chmod(sun.sun_path, (mode_t)config->unix_mode) != 0) {
        snprintf(why, size, "cannot listen for ng on unix:%s: %s", sun.sun_path,
                 g_strerror(fd < 0 ? reason : errno));
        if (fd >= 0)
            close(fd);
        return AGW_ERR_SYSTEM;
    }
    g_strlcpy(streams->unix_path, sun.sun_path, sizeof streams->unix_path);
    listener_start(streams, fd, &local);
    return AGW_OK;
}

agw_err agw_streams_new(agw_streams **out, const agw_config *config, agw_server *server, char *why,
                        size_t size)
{
    agw_streams *streams = g_new0(agw_streams, 1);
    streams->server = server;
    streams->ctl = agw_server_control(server);
    g_queue_init(&streams->connections);
    agw_err err = AGW_OK;
    for (size_t i = 0; i < config->n_tcp_listen && err == AGW_OK; i++)
        err = open_tcp(streams, &config->tcp_listen[i], why, size);
    if (err == AGW_OK && config->unix_listen[0] != '\0')
        err = open_unix(streams, config, why, size);
    if (err != AGW_OK) {
        agw_streams_free(streams);
        return err;
    }
    *out = streams;
    return AGW_OK;
}

void agw_streams_free(agw_streams *streams)
{
    if (streams == NULL)
        return;
    for (connection *c; (c = g_queue_peek_head(&streams->connections)) != NULL;)
        connection_close(c);
    for (size_t i = 0; i < streams->n; i++) {
        g_source_remove(streams->listeners[i].source);
        close(streams->listeners[i].fd);
    }
    if (streams->unix_path[0] != '\0')
        (void)unlink(streams->unix_path);
    g_free(streams);
}

size_t agw_streams_listeners(const agw_streams *streams)
{
    return streams->n - (streams->unix_path[0] != '\0');
}

const agw_addr *agw_streams_addr(const agw_streams *streams, size_t i)
{
    AGW_ASSERT(i < agw_streams_listeners(streams));
    return &streams->listeners[i].addr;
}

static bool is_idle(const connection *c, agw_ns now)
{
    if (c->begun_at != 0 || c->last)
        return now - MAX(c->begun_at, c->heard_at) >= AGW_S(AGW_STREAM_MESSAGE_S);
    return !c->subscriber.on && now - c->heard_at >= AGW_S(AGW_STREAM_IDLE_S);
}

void agw_streams_idle(agw_streams *streams, agw_ns now)
{
    for (GList *l = streams->connections.head, *next; l != NULL; l = next) {
        connection *c = l->data;
        next = l->next;
        if (is_idle(c, now))
            close_for(c, &streams->ctl->streams.idle, "it says nothing");
    }
}

const agw_streams_counters *agw_streams_stats(const agw_streams *streams)
{
    return &streams->ctl->streams;
}

size_t agw_streams_count(const agw_streams *streams)
{
    return streams->connections.length;
}
