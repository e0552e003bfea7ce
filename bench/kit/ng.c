/* SPDX-License-Identifier: BSD-3-Clause
 * Requests wait in a queue by their next deadline; since each waits the same second, a request that
 * is sent (again) goes to the end of it. Replies find theirs by the number in the cookie. */
#include "bench/kit/ng.h"

#include "base/map.h"
#include "base/rand.h"
#include "bench/kit/stamp.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 5, SOCKET_BYTES = 8 << 20 };
static const agw_ns PATIENCE = AGW_S(1);

typedef struct request {
    struct request *before, *after;
    uint64_t number;
    kit_ng_taker taker; /* NULL: forgotten */
    void *owner;
    agw_doc **keep; /* the reply goes there instead, given */
    kit_ng_kind kind;
    unsigned tries;
    agw_ns first_at, due;
    GString *message;
} request;

struct kit_ng {
    int fd;
    char prefix[9]; /* of the cookies; another one each run */
    uint64_t next_number;
    agw_map *requests; /* by number */
    request *first, *last;
    kit_histogram times[KIT_NG_KINDS];
    kit_ng_stats stats;
    char reply[AGW_NG_DATAGRAM_MAX];
};

static void append(kit_ng *ng, request *r)
{
    r->before = ng->last;
    r->after = NULL;
    if (ng->last != NULL)
        ng->last->after = r;
    else
        ng->first = r;
    ng->last = r;
}

static void unlink_request(kit_ng *ng, request *r)
{
    if (r->before != NULL)
        r->before->after = r->after;
    else
        ng->first = r->after;
    if (r->after != NULL)
        r->after->before = r->before;
    else
        ng->last = r->before;
}

/* It is not under way any more; the memory stays for request_free(). */
static void take_out(kit_ng *ng, request *r)
{
    unlink_request(ng, r);
    agw_map_remove(ng->requests, &r->number);
}

static void request_free(request *r)
{
    g_string_free(r->message, TRUE);
    free(r);
}

kit_ng *kit_ng_open(const agw_addr *gateway, const char **why)
{
    struct sockaddr_storage sa;
    const socklen_t sa_len = agw_addr_to_sockaddr(gateway, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sa_len) != 0) {
        *why = "no socket toward the control address";
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    const int bytes = SOCKET_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    uint8_t seed[16];
    agw_rand_bytes(seed, sizeof seed);
    kit_ng *ng = calloc(1, sizeof *ng);
    AGW_ASSERT(ng != NULL);
    ng->fd = fd;
    snprintf(ng->prefix, sizeof ng->prefix, "%08" PRIx32, agw_rand32());
    ng->requests = agw_map_new(sizeof(uint64_t), seed);
    AGW_ASSERT(ng->requests != NULL);
    return ng;
}

void kit_ng_close(kit_ng *ng)
{
    if (ng == NULL)
        return;
    for (request *r = ng->first, *next; r != NULL; r = next) {
        next = r->after;
        request_free(r);
    }
    agw_map_free(ng->requests);
    close(ng->fd);
    free(ng);
}

static kit_ng_kind kind_of(const agw_doc *command)
{
    static const char *const names[] = {"offer", "answer", "delete"};
    const char *name = agw_doc_str(command, "command");
    for (unsigned i = 0; name != NULL && i < KIT_NG_OTHER; i++) {
        if (strcmp(name, names[i]) == 0)
            return (kit_ng_kind)i;
    }
    return KIT_NG_OTHER;
}

/* What the system does not take is repeated like what the network loses. */
static void transmit(kit_ng *ng, request *r, agw_ns now)
{
    if (send(ng->fd, r->message->str, r->message->len, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED)
        send(ng->fd, r->message->str, r->message->len, MSG_DONTWAIT); /* told of an earlier one */
    r->tries++;
    r->due = now + PATIENCE;
    append(ng, r);
}

static request *begin(kit_ng *ng, agw_doc *command)
{
    request *r = calloc(1, sizeof *r);
    AGW_ASSERT(r != NULL);
    r->number = ng->next_number++;
    r->kind = kind_of(command);
    r->message = g_string_new(NULL);
    g_string_printf(r->message, "%s_%" PRIu64 " ", ng->prefix, r->number);
    agw_ng_write(r->message, command, AGW_NG_BENCODE);
    agw_doc_free(command);
    agw_map_put(ng->requests, &r->number, r);
    ng->stats.sent++;
    r->first_at = agw_clock_now();
    transmit(ng, r, r->first_at);
    return r;
}

void kit_ng_send(kit_ng *ng, agw_doc *command, kit_ng_taker taker, void *owner)
{
    request *r = begin(ng, command);
    r->taker = taker;
    r->owner = owner;
}

void kit_ng_again(kit_ng *ng)
{
    const request *r = ng->last;
    if (r != NULL)
        (void)send(ng->fd, r->message->str, r->message->len, MSG_DONTWAIT);
}

void kit_ng_forget(kit_ng *ng, const void *owner)
{
    for (request *r = ng->first; r != NULL; r = r->after) {
        if (r->owner == owner)
            r->taker = NULL;
    }
}

/* The request that a reply is for, taken out; NULL = none (answered before, or not ours). */
static request *find(kit_ng *ng, const agw_ng_message *m)
{
    char cookie[32];
    const size_t prefix = strlen(ng->prefix) + 1; /* and '_' */
    if (m->cookie_len <= prefix || m->cookie_len >= sizeof cookie ||
        memcmp(m->cookie, ng->prefix, prefix - 1) != 0)
        return NULL;
    memcpy(cookie, m->cookie, m->cookie_len);
    cookie[m->cookie_len] = '\0';
    const uint64_t number = strtoull(cookie + prefix, NULL, 10);
    request *r = agw_map_get(ng->requests, &number);
    if (r != NULL)
        take_out(ng, r);
    return r;
}

/* at: when the reply came */
static void finish(kit_ng *ng, request *r, agw_doc *reply, agw_ns at)
{
    if (reply != NULL) {
        ng->stats.replies++;
        kit_histogram_add(&ng->times[r->kind], at - r->first_at);
    } else {
        ng->stats.given_up++;
    }
    if (r->keep != NULL)
        *r->keep = reply;
    else if (r->taker != NULL)
        r->taker(r->owner, reply);
    if (r->keep == NULL)
        agw_doc_free(reply);
    request_free(r);
}

static void take_reply(kit_ng *ng, size_t len, agw_ns at)
{
    agw_ng_message m;
    agw_ng_format format;
    const char *why;
    if (agw_ng_split(&m, ng->reply, len) != AGW_OK)
        return;
    agw_doc *reply = agw_ng_parse(m.body, m.body_len, &format, &why);
    request *r = reply != NULL ? find(ng, &m) : NULL;
    if (r != NULL)
        finish(ng, r, reply, at);
    else
        agw_doc_free(reply);
}

/* When the kernel got it, by the wall clock; now where it does not tell. */
static agw_ns arrival_of(struct msghdr *m, agw_ns now, agw_ns offset)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        struct timespec wall;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&wall, CMSG_DATA(c), sizeof wall);
        return AGW_S(wall.tv_sec) + wall.tv_nsec + offset;
    }
    return now;
}

/* A generator with much to do comes late to its replies, which is not the gateway's time. */
static void take_replies(kit_ng *ng)
{
    const agw_ns now = agw_clock_now();
    const agw_ns offset = kit_stamp_offset(now);
    for (;;) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
        struct iovec iov = {.iov_base = ng->reply, .iov_len = sizeof ng->reply};
        struct msghdr m = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        const ssize_t len = recvmsg(ng->fd, &m, MSG_DONTWAIT);
        if (len < 0)
            return;
        take_reply(ng, (size_t)len, arrival_of(&m, now, offset));
    }
}

void kit_ng_turn(kit_ng *ng, agw_ns now)
{
    take_replies(ng);
    while (ng->first != NULL && ng->first->due <= now) {
        request *r = ng->first;
        AGW_ASSERT(r->before == NULL);
        if (r->tries < TRIES) {
            unlink_request(ng, r);
            ng->stats.repeats++;
            transmit(ng, r, now);
        } else {
            take_out(ng, r);
            finish(ng, r, NULL, 0);
        }
    }
}

agw_ns kit_ng_deadline(const kit_ng *ng)
{
    return ng->first != NULL ? ng->first->due : AGW_NEVER;
}

int kit_ng_fd(const kit_ng *ng)
{
    return ng->fd;
}

size_t kit_ng_under_way(const kit_ng *ng)
{
    return agw_map_count(ng->requests);
}

agw_doc *kit_ng_ask(kit_ng *ng, agw_doc *command, agw_ns patience)
{
    AGW_ASSERT(ng->first == NULL);
    agw_doc *reply = NULL;
    request *r = begin(ng, command);
    r->keep = &reply;
    const agw_ns give_up = r->first_at + patience;
    for (agw_ns now = r->first_at; ng->first != NULL && now < give_up; now = agw_clock_now()) {
        const agw_ns wait = agw_earlier(give_up, kit_ng_deadline(ng)) - now;
        struct pollfd p = {.fd = ng->fd, .events = POLLIN};
        if (wait > 0)
            poll(&p, 1, (int)(wait / AGW_MS(1)) + 1);
        kit_ng_turn(ng, agw_clock_now());
    }
    if (ng->first != NULL) {
        r = ng->first;
        take_out(ng, r);
        finish(ng, r, NULL, 0);
    }
    return reply;
}

agw_doc *kit_ng_command(const char *name, const char *call_id)
{
    agw_doc *command = agw_doc_new_dict();
    agw_doc_set_str(command, "command", name);
    if (call_id != NULL)
        agw_doc_set_str(command, "call-id", call_id);
    return command;
}

kit_histogram *kit_ng_times(kit_ng *ng, kit_ng_kind kind)
{
    return &ng->times[kind];
}

kit_ng_stats kit_ng_get_stats(const kit_ng *ng)
{
    return ng->stats;
}
