/* SPDX-License-Identifier: BSD-3-Clause
 * Wide fuzz of the control port (messages: wide_message.c) about calls of the case's own. Every
 * message with a cookie must be answered, with a document in its encoding that has a result. In a
 * long run the gateway's heap may not grow while the calls stand, some of which no command ends,
 * and nothing may be left of it when they are deleted. */
#include "tests/attack/wide.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PER_S = 300,
    WINDOW = 32, /* messages that may wait for their answers: no socket buffer overflows */
    REPLY_MAX = 65536,
    GROWTH_MAX = 1024 * 1024,
    LEFT_MAX = 512 * 1024,
    LIST_MAX = 500, /* the most that list names */
    NOBODYS_PORT = 30000,
};
static const agw_ns LOST_AFTER = AGW_S(2); /* without an answer for so long */
static const agw_ns LOOK_EVERY = AGW_S(5);
static const agw_ns HEAP_SETTLED = AGW_S(60); /* all calls and kept replies are there by then */
static const agw_ns FORGOTTEN = AGW_S(15);    /* replies are kept for 10 s */

typedef struct wide {
    int fd;
    wide_names names;
    uint64_t asked, answered, errors, odd; /* odd: what is no reply */
    bool waits[WINDOW];                    /* by number modulo WINDOW */
    agw_ns asked_at[WINDOW];
    agw_ns began_at, looked_at;
    int64_t heap_before, heap_first, heap_last, heap_after; /* bytes; 0 = not known */
    uint64_t strays; /* calls under ids that bits turned over have made */
} wide;

/* --- what is answered --------------------------------------------------------------------------
 */

static int64_t heap_of(const agw_doc *reply)
{
    int64_t used = 0;
    const agw_doc *memory = agw_doc_get(agw_doc_get(reply, "statistics"), "memory");
    return agw_doc_int(memory, "heap used", &used) ? used : 0;
}

static void take_heap(wide *w, const agw_doc *reply)
{
    const int64_t used = heap_of(reply);
    if (w->heap_first == 0 && agw_clock_now() - w->began_at >= HEAP_SETTLED)
        w->heap_first = used;
    w->heap_last = used;
}

static bool is_judged(const char *call_id)
{
    return g_str_has_suffix(call_id, "@kit.invalid");
}

static bool is_own(const char *call_id)
{
    char id[40];
    for (unsigned i = 0; i < WIDE_CALLS; i++) {
        snprintf(id, sizeof id, "%s%u", WIDE_ID, i);
        if (strcmp(id, call_id) == 0)
            return true;
    }
    return false;
}

static agw_doc *delete_now(const char *call_id)
{
    agw_doc *command = kit_ng_command("delete", call_id);
    agw_doc_set_int(command, "delete-delay", 0);
    return command;
}

static void ask(wide *w, char cookie, agw_doc *command)
{
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%c%llu ", cookie, (unsigned long long)agw_clock_now());
    agw_ng_write(text, command, AGW_NG_BENCODE);
    agw_doc_free(command);
    (void)send(w->fd, text->str, text->len, 0);
    g_string_free(text, TRUE);
}

/* Nobody knows what turned bits have made of a call-id: such calls would stand until their
 * timeouts, and be taken for growth. */
static void end_strays(wide *w, const agw_doc *reply)
{
    const agw_doc *calls = agw_doc_get(reply, "calls");
    for (size_t i = 0; i < agw_doc_count(calls); i++) {
        const char *call_id = agw_doc_text(agw_doc_at(calls, i));
        if (call_id == NULL || is_judged(call_id) || is_own(call_id))
            continue;
        w->strays++;
        ask(w, 'd', delete_now(call_id));
    }
}

static void take_reply(wide *w, const char *text, size_t len)
{
    agw_ng_message parts;
    agw_ng_format format;
    const char *why;
    if (agw_ng_split(&parts, text, len) != AGW_OK) {
        w->odd++;
        return;
    }
    agw_doc *reply = agw_ng_parse(parts.body, parts.body_len, &format, &why);
    const char *result = agw_doc_str(reply, "result");
    if (result == NULL)
        w->odd++;
    else if (parts.cookie[0] == 'h')
        take_heap(w, reply);
    else if (parts.cookie[0] == 'l')
        end_strays(w, reply);
    else if (strcmp(result, "error") == 0)
        w->errors++;
    if (parts.cookie[0] == 'w') {
        const uint64_t n = g_ascii_strtoull(parts.cookie + 1, NULL, 10);
        w->answered += w->waits[n % WINDOW];
        w->waits[n % WINDOW] = false;
    }
    agw_doc_free(reply);
}

static void read_replies(wide *w)
{
    static char reply[REPLY_MAX];
    for (ssize_t n; (n = recv(w->fd, reply, sizeof reply, 0)) > 0;)
        take_reply(w, reply, (size_t)n);
}

/* --- the case ----------------------------------------------------------------------------------
 */

static agw_doc *list_command(void)
{
    agw_doc *command = kit_ng_command("list", NULL);
    agw_doc_set_int(command, "limit", LIST_MAX);
    return command;
}

static agw_doc *heap_command(void)
{
    agw_doc *command = kit_ng_command("statistics", NULL), *flags = agw_doc_new_list();
    agw_doc_add_str(flags, "memory");
    agw_doc_set(command, "flags", flags);
    return command;
}

static int64_t ask_heap(attack *a)
{
    agw_doc *reply = kit_ng_ask(a->world->ng, heap_command(), LOST_AFTER);
    const int64_t used = heap_of(reply);
    agw_doc_free(reply);
    return used;
}

static void note_parties(attack *a)
{
    wide *w = a->own;
    const kit_call *calls[] = {&a->victim.call, &a->bystander->call};
    for (size_t i = 0; i < WIDE_PARTIES; i++) {
        const kit_call *call = calls[i / 2];
        const agw_addr *ip =
            call->is_browser[i % 2] ? &call->browser.local : &call->phone[i % 2].local;
        agw_addr_ip_text(ip, w->names.parties[i], sizeof w->names.parties[i]);
    }
}

static void begin(attack *a)
{
    wide *w = calloc(1, sizeof *w);
    AGW_ASSERT(w != NULL);
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(&a->target, &sa);
    w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    AGW_ASSERT(w->fd >= 0);
    const int room = 8 * 1024 * 1024;
    (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(w->fd, (const struct sockaddr *)&sa, len) != 0)
        attack_fail(a, "no way to the control port");
    w->names.nobody = kit_world_host(a->world);
    w->names.nobody.port = NOBODYS_PORT;
    w->heap_before = ask_heap(a);
    w->began_at = w->looked_at = agw_clock_now();
    a->own = w;
    note_parties(a);
}

static void look(wide *w, agw_ns now)
{
    if (now - w->looked_at < LOOK_EVERY)
        return;
    w->looked_at = now;
    ask(w, 'l', list_command());
    ask(w, 'h', heap_command());
}

static void fire(attack *a, uint64_t n)
{
    (void)n;
    wide *w = a->own;
    const agw_ns now = agw_clock_now();
    read_replies(w);
    look(w, now);
    const size_t slot = w->asked % WINDOW;
    if (w->waits[slot]) {
        if (now - w->asked_at[slot] > LOST_AFTER)
            attack_fail(a, "message %llu was not answered",
                        (unsigned long long)(w->asked - WINDOW));
        return;
    }
    wide_make_message(a, &w->names, w->asked);
    w->waits[slot] = true;
    w->asked_at[slot] = now;
    w->asked++;
    (void)send(w->fd, a->packet.data, a->packet.len, 0);
    a->fired++;
    a->fired_bytes += a->packet.len;
}

/* All calls but the judged ones; false: there may be more. */
static bool end_calls(attack *a)
{
    agw_doc *reply = kit_ng_ask(a->world->ng, list_command(), LOST_AFTER);
    const agw_doc *calls = agw_doc_get(reply, "calls");
    bool done = reply != NULL;
    for (size_t i = 0; i < agw_doc_count(calls); i++) {
        const char *call_id = agw_doc_text(agw_doc_at(calls, i));
        if (call_id == NULL || is_judged(call_id))
            continue;
        done = false;
        agw_doc_free(kit_ng_ask(a->world->ng, delete_now(call_id), LOST_AFTER));
    }
    agw_doc_free(reply);
    return done;
}

static void end_all_calls(attack *a)
{
    const agw_ns until = agw_clock_now() + FORGOTTEN;
    while (!end_calls(a) && agw_clock_now() < until)
        continue;
}

static void take_answers(wide *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    while (w->answered < w->asked && poll(&p, 1, (int)(LOST_AFTER / AGW_MS(1))) > 0)
        read_replies(w);
}

static const char *judge_heap(attack *a)
{
    wide *w = a->own;
    if (w->heap_first == 0)
        return NULL; /* too short to tell */
    end_all_calls(a);
    attack_run_for(a, FORGOTTEN);
    w->heap_after = ask_heap(a);
    printf("    heap %lld KB before, %lld KB after a minute, %lld KB in the end, %lld KB without "
           "the calls\n",
           (long long)w->heap_before / 1024, (long long)w->heap_first / 1024,
           (long long)w->heap_last / 1024, (long long)w->heap_after / 1024);
    if (w->heap_last > w->heap_first + GROWTH_MAX)
        return "the heap grows";
    return w->heap_after > w->heap_before + LEFT_MAX ? "calls leave something behind" : NULL;
}

static const char *judge(attack *a)
{
    wide *w = a->own;
    take_answers(w);
    printf("    %llu messages, %llu answered, %llu of them errors; %llu stray calls\n",
           (unsigned long long)w->asked, (unsigned long long)w->answered,
           (unsigned long long)w->errors, (unsigned long long)w->strays);
    if (w->odd != 0)
        return "a reply that is none";
    return w->answered < w->asked ? "a command was not answered" : judge_heap(a);
}

static void end(attack *a)
{
    const wide *w = a->own;
    if (w == NULL)
        return;
    close(w->fd);
    end_all_calls(a);
}

const attack_case ATTACK_WIDE_CASES[] = {
    {.name = "ng-wide",
     .what = "random commands, keys, flags and fragments, every fifth spoilt; each is answered",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .judged = ATTACK_NAMES_NOBODY,
     .per_s = PER_S,
     .begin = begin,
     .fire = fire,
     .judge = judge,
     .end = end},
    {0},
};
