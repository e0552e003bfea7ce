/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server.h"

#include "base/heap.h"
#include "base/rand.h"
#include "control/calls.h"
#include "control/metrics.h"
#include "control/replies.h"
#include "control/trim.h"

#include <errno.h>
#include <glib-unix.h>
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TURN_MAX = 32,        /* datagrams of one listener in one turn of the loop */
    TURN_PAIRS = 8,       /* pairs of ports opened or closed after that */
    BUFFER_BYTES = 65536, /* more than any UDP datagram */
    SOCKET_BUFFER = 4 * 1024 * 1024,
};

typedef struct listener {
    agw_server *server;
    agw_addr addr;
    int fd;
    guint source;
} listener;

struct agw_server {
    agw_control *ctl;
    agw_replies *replies;
    agw_trim trim;
    agw_server_counters counters;
    agw_log_limit limit_cookie, limit_allowed;
    size_t n;
    listener listeners[AGW_CONFIG_LISTEN_MAX];
    char buffer[BUFFER_BYTES];
};

/* --- messages ----------------------------------------------------------------------------------
 */

static void write_reply(GString *out, const agw_ng_message *msg, const agw_doc *reply,
                        agw_ng_format format)
{
    g_string_append_len(out, msg->cookie, (gssize)msg->cookie_len);
    g_string_append_c(out, ' ');
    agw_ng_write(out, reply, format);
}

static bool is_subscription(const agw_doc *request)
{
    const char *command = agw_doc_str(request, "command");
    return command != NULL && strcmp(command, "subscribe events") == 0;
}

static agw_doc *subscribe(agw_server *server, agw_subscriber *subscriber, agw_ng_format format)
{
    if (subscriber == NULL)
        return agw_ng_error("Events need a connection that stays");
    subscriber->format = format;
    agw_events_subscribe(server->ctl->events, subscriber);
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static agw_doc *run_body(agw_server *server, const agw_ng_message *msg, const agw_asker *asker,
                         agw_ns now, agw_ng_format *format)
{
    const char *why;
    agw_doc *request = agw_ng_parse(msg->body, msg->body_len, format, &why), *reply;
    if (request == NULL)
        reply = agw_ng_error(why);
    else if (is_subscription(request))
        reply = subscribe(server, asker->subscriber, *format);
    else
        reply = agw_command_run(server->ctl, request, asker->local ? NULL : &asker->from, now);
    agw_doc_free(request);
    return reply;
}

static GString *make_reply(agw_server *server, const agw_ng_message *msg, const agw_asker *asker,
                           agw_ns now)
{
    agw_ng_format format;
    agw_doc *reply = run_body(server, msg, asker, now, &format);
    enum { USUAL_BYTES = 1024 };
    GString *out = g_string_sized_new(USUAL_BYTES);
    write_reply(out, msg, reply, format);
    agw_doc_free(reply);
    if (asker->reply_max == 0 || out->len <= asker->reply_max)
        return out;
    g_string_truncate(out, 0);
    reply = agw_ng_error("Reply does not fit a datagram");
    write_reply(out, msg, reply, format);
    agw_doc_free(reply);
    return out;
}

static void tell_stranger(agw_log_limit *limit, const agw_addr *from, const char *what, agw_ns now)
{
    uint32_t left_out;
    char text[AGW_ADDR_TEXT];
    if (agw_log_allow(limit, now, &left_out))
        agw_log(AGW_LOG_WARN, NULL, "ng message from %s is ignored: %s (%u more like it)",
                agw_log_addr(from, text), what, left_out);
}

bool agw_server_admits(agw_server *server, const agw_addr *from, agw_ns now)
{
    if (agw_config_ng_allowed(server->ctl->config, from))
        return true;
    server->counters.not_allowed++;
    tell_stranger(&server->limit_allowed, from, "not in ng-allow", now);
    return false;
}

static bool may_ask(agw_server *server, const agw_asker *asker, agw_ns now)
{
    server->counters.messages++;
    return asker->local || agw_server_admits(server, &asker->from, now);
}

const GString *agw_server_take(agw_server *server, const agw_asker *asker, const char *msg,
                               size_t len, agw_ns now)
{
    if (!may_ask(server, asker, now))
        return NULL;
    agw_ng_message parts;
    if (agw_ng_split(&parts, msg, len) != AGW_OK) {
        server->counters.no_cookie++;
        tell_stranger(&server->limit_cookie, &asker->from, "no cookie", now);
        return NULL;
    }
    const agw_reply_key key = agw_replies_key(server->replies, &asker->from, &parts);
    const GString *kept = agw_replies_find(server->replies, &key, now);
    if (kept != NULL) {
        server->counters.duplicates++;
        return kept;
    }
    GString *reply = make_reply(server, &parts, asker, now);
    agw_replies_keep(server->replies, &key, reply, now);
    return reply;
}

bool agw_server_take_plain(agw_server *server, const agw_asker *asker, const char *body, size_t len,
                           agw_ns now, GString *out)
{
    if (!may_ask(server, asker, now))
        return false;
    agw_ng_format format;
    const agw_ng_message msg = {.body = body, .body_len = len};
    agw_doc *reply = run_body(server, &msg, asker, now, &format);
    agw_ng_write(out, reply, format);
    agw_doc_free(reply);
    return true;
}

void agw_server_write_push(GString *out, const agw_subscriber *subscriber, bool plain,
                           const agw_doc *event)
{
    uint64_t cookie;
    agw_rand_bytes((uint8_t *)&cookie, sizeof cookie);
    if (!plain)
        g_string_append_printf(out, "%016" G_GINT64_MODIFIER "x ", cookie);
    agw_ng_write(out, event, subscriber->format);
}

void agw_server_forget(agw_server *server, agw_subscriber *subscriber)
{
    agw_events_unsubscribe(server->ctl->events, subscriber);
}

bool agw_server_write_metrics(agw_server *server, const agw_addr *from, agw_ns now, GString *out)
{
    server->counters.messages++;
    if (!agw_server_admits(server, from, now))
        return false;
    agw_metrics_write(out, server->ctl, now);
    return true;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

/* One datagram in or out, with the local address in its control message. */
typedef struct datagram {
    struct msghdr msg;
    struct iovec iov;
    struct sockaddr_storage peer;
    _Alignas(size_t) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} datagram;

static void datagram_init(datagram *d, void *bytes, size_t len)
{
    memset(d, 0, sizeof *d);
    d->iov = (struct iovec){.iov_base = bytes, .iov_len = len};
    d->msg = (struct msghdr){.msg_name = &d->peer,
                             .msg_namelen = sizeof d->peer,
                             .msg_iov = &d->iov,
                             .msg_iovlen = 1,
                             .msg_control = d->control,
                             .msg_controllen = sizeof d->control};
}

/* The reply leaves from where the request came to: only the outgoing device is left open. */
static void keep_local_address(datagram *d)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&d->msg);
    if (cmsg == NULL) {
        d->msg.msg_controllen = 0;
        return;
    }
    if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(cmsg), sizeof info);
        info.ipi_ifindex = 0;
        memcpy(CMSG_DATA(cmsg), &info, sizeof info);
    } else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(cmsg), sizeof info);
        if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) /* that one is of a device alone */
            info.ipi6_ifindex = 0;
        memcpy(CMSG_DATA(cmsg), &info, sizeof info);
    }
}

static void send_reply(agw_server *server, const listener *l, datagram *d, const GString *reply)
{
    keep_local_address(d);
    d->iov = (struct iovec){.iov_base = reply->str, .iov_len = reply->len};
    if (sendmsg(l->fd, &d->msg, MSG_DONTWAIT) < 0)
        server->counters.unsent++;
}

static bool receive_one(agw_server *server, const listener *l)
{
    datagram d;
    datagram_init(&d, server->buffer, sizeof server->buffer);
    const ssize_t len = recvmsg(l->fd, &d.msg, MSG_DONTWAIT);
    if (len < 0)
        return errno == EINTR || errno == ECONNREFUSED; /* of an earlier reply */
    agw_asker asker = {.reply_max = AGW_NG_DATAGRAM_MAX};
    if ((d.msg.msg_flags & MSG_TRUNC) != 0) {
        server->counters.oversize++;
        return true;
    }
    if (agw_addr_from_sockaddr(&asker.from, (const struct sockaddr *)&d.peer) != AGW_OK)
        return true;
    const GString *reply =
        agw_server_take(server, &asker, server->buffer, (size_t)len, agw_clock_now());
    if (reply != NULL)
        send_reply(server, l, &d, reply);
    return true;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd, (void)condition;
    const listener *l = data;
    int left = TURN_MAX;
    while (left > 0 && receive_one(l->server, l))
        left--;
    agw_gateway_idle(l->server->ctl->gateway, TURN_PAIRS);
    return G_SOURCE_CONTINUE;
}

static int open_socket(const agw_addr *addr)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(addr, &sa);
    const int on = 1, buffer = SOCKET_BUFFER;
    const bool ip6 = sa.ss_family == AF_INET6;
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    const bool set = ip6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0 &&
                               setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0
                         : setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
    if (set && bind(fd, (const struct sockaddr *)&sa, len) == 0)
        return fd;
    const int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static agw_err listener_open(listener *l, agw_server *server, const agw_addr *addr, char *why,
                             size_t size)
{
    char text[AGW_ADDR_TEXT];
    l->server = server;
    l->fd = open_socket(addr);
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    if (l->fd < 0) {
        snprintf(why, size, "cannot listen for ng on %s: %s",
                 agw_addr_text(addr, text, sizeof text), g_strerror(errno));
        return AGW_ERR_SYSTEM;
    }
    AGW_ASSERT(getsockname(l->fd, (struct sockaddr *)&sa, &len) == 0 &&
               agw_addr_from_sockaddr(&l->addr, (const struct sockaddr *)&sa) == AGW_OK);
    l->source = g_unix_fd_add(l->fd, G_IO_IN, on_readable, l);
    return AGW_OK;
}

agw_err agw_server_new(agw_server **out, const agw_config *config, agw_control *ctl, char *why,
                       size_t size)
{
    agw_server *server = g_new0(agw_server, 1);
    server->ctl = ctl;
    server->replies = agw_replies_new(0, 0);
    for (size_t i = 0; i < config->n_ng_listen; i++) {
        const agw_err err =
            listener_open(&server->listeners[i], server, &config->ng_listen[i], why, size);
        if (err != AGW_OK) {
            agw_server_free(server);
            return err;
        }
        server->n++;
    }
    *out = server;
    return AGW_OK;
}

void agw_server_free(agw_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->n; i++) {
        g_source_remove(server->listeners[i].source);
        close(server->listeners[i].fd);
    }
    agw_replies_free(server->replies);
    g_free(server);
}

agw_control *agw_server_control(const agw_server *server)
{
    return server->ctl;
}

size_t agw_server_listeners(const agw_server *server)
{
    return server->n;
}

const agw_addr *agw_server_addr(const agw_server *server, size_t i)
{
    AGW_ASSERT(i < server->n);
    return &server->listeners[i].addr;
}

void agw_server_idle(agw_server *server, agw_ns now)
{
    agw_replies_expire(server->replies, now);
    const size_t held[AGW_TRIM_KINDS] = {
        [AGW_TRIM_CALLS] = agw_calls_count(server->ctl->calls),
        [AGW_TRIM_REPLIES] = agw_replies_count(server->replies),
    };
    if (!agw_trim_due(&server->trim, held, now))
        return;
    agw_heap_settle();
    (void)malloc_trim(0);
}

const agw_server_counters *agw_server_stats(const agw_server *server)
{
    return &server->counters;
}
