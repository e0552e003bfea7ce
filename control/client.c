/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/client.h"

#include "base/addr.h"
#include "base/rand.h"
#include "control/json.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TRIES = 3,
    REPLY_BYTES = 65536,
    COOKIE_CHARS = 12,
};

bool agw_client_open(agw_client *c)
{
    agw_addr addr;
    struct sockaddr_storage sa;
    if (agw_addr_parse(&addr, c->server) != AGW_OK) {
        fprintf(stderr, "agwctl: --server wants ADDRESS:PORT with a numeric address, not %s\n",
                c->server);
        c->status = AGW_EXIT_USAGE;
        return false;
    }
    const socklen_t len = agw_addr_to_sockaddr(&addr, &sa);
    c->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&sa, len) == 0)
        return true;
    fprintf(stderr, "agwctl: %s: %s\n", c->server, g_strerror(errno));
    c->status = AGW_EXIT_NO_ANSWER;
    return false;
}

/* The reply document behind the cookie; NULL: not ours, or not a document. */
static agw_doc *parse_reply(const char *cookie, const char *text, size_t len)
{
    const size_t skip = strlen(cookie) + 1;
    const char *why;
    if (len < skip || memcmp(text, cookie, skip - 1) != 0 || text[skip - 1] != ' ')
        return NULL;
    return agw_json_parse(text + skip, len - skip, &why);
}

static agw_doc *receive(const agw_client *c, const char *cookie)
{
    char *text = g_malloc(REPLY_BYTES);
    agw_doc *reply = NULL;
    struct pollfd ready = {.fd = c->fd, .events = POLLIN};
    while (reply == NULL && poll(&ready, 1, c->timeout_ms) > 0) {
        const ssize_t len = recv(c->fd, text, REPLY_BYTES, 0);
        if (len < 0)
            break; /* nobody listens there */
        reply = parse_reply(cookie, text, (size_t)len);
    }
    g_free(text);
    return reply;
}

agw_doc *agw_client_try(const agw_client *c, const agw_doc *request)
{
    char cookie[COOKIE_CHARS + 1];
    agw_rand_text(cookie, COOKIE_CHARS);
    GString *message = g_string_new(cookie);
    g_string_append_c(message, ' ');
    agw_json_write(message, request);
    agw_doc *reply = NULL;
    for (int i = 0; i < TRIES && reply == NULL; i++) {
        if (send(c->fd, message->str, message->len, 0) < 0 && errno != ECONNREFUSED)
            break;
        reply = receive(c, cookie);
    }
    g_string_free(message, TRUE);
    return reply;
}

agw_doc *agw_client_ask(agw_client *c, agw_doc *request)
{
    agw_doc *reply = agw_client_try(c, request);
    agw_doc_free(request);
    if (reply == NULL) {
        fprintf(stderr, "agwctl: no answer from %s: is agwd running, and does --listen-ng match?\n",
                c->server);
        c->status = AGW_EXIT_NO_ANSWER;
        return NULL;
    }
    const char *result = agw_doc_str(reply, "result");
    if (result != NULL && (strcmp(result, "ok") == 0 || strcmp(result, "pong") == 0))
        return reply;
    const char *reason = agw_doc_str(reply, "error-reason");
    fprintf(stderr, "agwctl: %s\n", reason != NULL ? reason : "the gateway refused");
    agw_doc_free(reply);
    c->status = AGW_EXIT_REFUSED;
    return NULL;
}
