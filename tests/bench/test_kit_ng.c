/* SPDX-License-Identifier: BSD-3-Clause
 * The ng client against a socket of ours that plays the gateway; time is handed in. */
#include "bench/kit/ng.h"

#include "unit.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 }; /* only reached when something is broken */

typedef struct peer {
    int fd;
    kit_ng *ng;
    char last[4096]; /* request */
    ssize_t len;
    struct sockaddr_storage from;
    socklen_t from_len;
} peer;

static void open_peer(peer *p)
{
    memset(p, 0, sizeof *p);
    agw_addr local;
    struct sockaddr_storage sa;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&local, "127.0.0.1"), AGW_OK);
    const socklen_t len = agw_addr_to_sockaddr(&local, &sa);
    p->fd = socket(AF_INET, SOCK_DGRAM, 0);
    CU_ASSERT_EQUAL_FATAL(bind(p->fd, (struct sockaddr *)&sa, len), 0);
    socklen_t room = sizeof sa;
    CU_ASSERT_EQUAL_FATAL(getsockname(p->fd, (struct sockaddr *)&sa, &room), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&local, (struct sockaddr *)&sa), AGW_OK);
    const char *why = NULL;
    p->ng = kit_ng_open(&local, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->ng);
}

static void close_peer(peer *p)
{
    kit_ng_close(p->ng);
    close(p->fd);
}

static bool comes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) == 1;
}

static bool nothing_waits(const peer *p)
{
    char c;
    return recv(p->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/* The next request; its cookie is written to cookie. */
static void take_request(peer *p, char cookie[64])
{
    CU_ASSERT_FATAL(comes(p->fd));
    p->from_len = sizeof p->from;
    p->len =
        recvfrom(p->fd, p->last, sizeof p->last - 1, 0, (struct sockaddr *)&p->from, &p->from_len);
    CU_ASSERT_FATAL(p->len > 0);
    p->last[p->len] = '\0';
    const size_t n = strcspn(p->last, " ");
    CU_ASSERT_FATAL(n < 64);
    memcpy(cookie, p->last, n);
    cookie[n] = '\0';
}

static void say(const peer *p, const char *cookie, const char *document)
{
    char reply[256];
    const int n = snprintf(reply, sizeof reply, "%s %s", cookie, document);
    CU_ASSERT_EQUAL_FATAL(
        sendto(p->fd, reply, (size_t)n, 0, (const struct sockaddr *)&p->from, p->from_len), n);
}

typedef struct taken {
    unsigned calls, nulls;
    char result[32];
} taken;

static void take(void *owner, const agw_doc *reply)
{
    taken *t = owner;
    t->calls++;
    t->nulls += reply == NULL;
    const char *result = agw_doc_str(reply, "result");
    snprintf(t->result, sizeof t->result, "%s", result != NULL ? result : "");
}

static void turn_when_readable(peer *p, agw_ns now)
{
    CU_ASSERT_FATAL(comes(kit_ng_fd(p->ng)));
    kit_ng_turn(p->ng, now);
}

static void test_ng_request_is_bencode_behind_a_cookie(void)
{
    peer p;
    char cookie[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("delete", "abc"), NULL, NULL);
    take_request(&p, cookie);
    CU_ASSERT_STRING_EQUAL(p.last + strlen(cookie), " d7:command6:delete7:call-id3:abce");
    close_peer(&p);
}

static void test_ng_replies_out_of_order_find_their_takers(void)
{
    peer p;
    taken a = {0};
    taken b = {0};
    char first[64];
    char second[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("offer", "a"), take, &a);
    kit_ng_send(p.ng, kit_ng_command("answer", "b"), take, &b);
    take_request(&p, first);
    take_request(&p, second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    CU_ASSERT_EQUAL(kit_ng_under_way(p.ng), 2);
    say(&p, second, "d6:result3:twoe");
    turn_when_readable(&p, agw_clock_now());
    CU_ASSERT_EQUAL(a.calls, 0);
    CU_ASSERT_STRING_EQUAL(b.result, "two");
    say(&p, first, "d6:result3:onee");
    turn_when_readable(&p, agw_clock_now());
    CU_ASSERT_STRING_EQUAL(a.result, "one");
    CU_ASSERT_EQUAL(kit_ng_under_way(p.ng), 0);
    CU_ASSERT_EQUAL(kit_ng_deadline(p.ng), AGW_NEVER);
    CU_ASSERT_EQUAL(kit_ng_times(p.ng, KIT_NG_OFFER)->count, 1);
    CU_ASSERT_EQUAL(kit_ng_times(p.ng, KIT_NG_ANSWER)->count, 1);
    CU_ASSERT_EQUAL(kit_ng_times(p.ng, KIT_NG_DELETE)->count, 0);
    close_peer(&p);
}

static void test_ng_strange_replies_are_left_alone(void)
{
    peer p;
    taken a = {0};
    char cookie[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("ping", NULL), take, &a);
    take_request(&p, cookie);
    say(&p, "other_0", "d6:result4:ponge");
    turn_when_readable(&p, agw_clock_now());
    say(&p, cookie, "d6:result"); /* not a document */
    turn_when_readable(&p, agw_clock_now());
    say(&p, "", "");
    turn_when_readable(&p, agw_clock_now());
    CU_ASSERT_EQUAL(a.calls, 0);
    say(&p, cookie, "d6:result4:ponge");
    say(&p, cookie, "d6:result4:ponge"); /* again: there is nobody left for it */
    turn_when_readable(&p, agw_clock_now());
    while (recv(kit_ng_fd(p.ng), cookie, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
        kit_ng_turn(p.ng, agw_clock_now());
    CU_ASSERT_EQUAL(a.calls, 1);
    CU_ASSERT_EQUAL(kit_ng_get_stats(p.ng).replies, 1);
    close_peer(&p);
}

static void test_ng_silence_is_repeated_with_the_same_cookie_then_given_up(void)
{
    peer p;
    taken a = {0};
    char first[64];
    char again[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("offer", "a"), take, &a);
    take_request(&p, first);
    for (int i = 0; i < 4; i++) {
        const agw_ns due = kit_ng_deadline(p.ng);
        kit_ng_turn(p.ng, due - 1);
        CU_ASSERT(nothing_waits(&p));
        kit_ng_turn(p.ng, due);
        take_request(&p, again);
        CU_ASSERT_STRING_EQUAL(again, first);
        CU_ASSERT_EQUAL(kit_ng_deadline(p.ng), due + AGW_S(1));
    }
    CU_ASSERT_EQUAL(a.calls, 0);
    kit_ng_turn(p.ng, kit_ng_deadline(p.ng));
    CU_ASSERT_EQUAL(a.nulls, 1);
    CU_ASSERT(nothing_waits(&p));
    const kit_ng_stats s = kit_ng_get_stats(p.ng);
    CU_ASSERT_EQUAL(s.sent, 1);
    CU_ASSERT_EQUAL(s.repeats, 4);
    CU_ASSERT_EQUAL(s.given_up, 1);
    CU_ASSERT_EQUAL(kit_ng_under_way(p.ng), 0);
    close_peer(&p);
}

static void test_ng_again_repeats_the_latest_at_once(void)
{
    peer p;
    taken a = {0};
    char first[64];
    char again[64];
    open_peer(&p);
    kit_ng_again(p.ng); /* there is none */
    kit_ng_send(p.ng, kit_ng_command("offer", "a"), take, &a);
    kit_ng_again(p.ng);
    take_request(&p, first);
    take_request(&p, again);
    CU_ASSERT_STRING_EQUAL(again, first);
    CU_ASSERT(nothing_waits(&p));
    say(&p, first, "d6:result2:oke");
    say(&p, first, "d6:result2:oke");
    while (kit_ng_under_way(p.ng) != 0)
        turn_when_readable(&p, agw_clock_now());
    CU_ASSERT_EQUAL(a.calls, 1);
    CU_ASSERT_EQUAL(kit_ng_get_stats(p.ng).repeats, 0);
    close_peer(&p);
}

static void test_ng_a_forgotten_owner_hears_nothing(void)
{
    peer p;
    taken a = {0};
    taken b = {0};
    char first[64];
    char second[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("offer", "a"), take, &a);
    kit_ng_send(p.ng, kit_ng_command("offer", "b"), take, &b);
    take_request(&p, first);
    take_request(&p, second);
    kit_ng_forget(p.ng, &a);
    say(&p, first, "d6:result2:oke");
    say(&p, second, "d6:result2:oke");
    while (kit_ng_under_way(p.ng) != 0)
        turn_when_readable(&p, agw_clock_now());
    CU_ASSERT_EQUAL(a.calls, 0);
    CU_ASSERT_EQUAL(b.calls, 1);
    close_peer(&p);
}

/* A taker may send the next command, as calls do. */
static void send_next(void *owner, const agw_doc *reply)
{
    CU_ASSERT_PTR_NOT_NULL(reply);
    peer *p = owner;
    kit_ng_send(p->ng, kit_ng_command("answer", "a"), NULL, NULL);
}

static void test_ng_a_taker_may_send(void)
{
    peer p;
    char cookie[64];
    open_peer(&p);
    kit_ng_send(p.ng, kit_ng_command("offer", "a"), send_next, &p);
    take_request(&p, cookie);
    say(&p, cookie, "d6:result2:oke");
    turn_when_readable(&p, agw_clock_now());
    take_request(&p, cookie);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.last, "6:answer"));
    close_peer(&p);
}

static void test_ng_ask_gives_up_when_patience_ends(void)
{
    peer p;
    open_peer(&p);
    const agw_ns before = agw_clock_now();
    CU_ASSERT_PTR_NULL(kit_ng_ask(p.ng, kit_ng_command("ping", NULL), AGW_MS(20)));
    CU_ASSERT(agw_clock_now() - before >= AGW_MS(20));
    CU_ASSERT_EQUAL(kit_ng_under_way(p.ng), 0);
    CU_ASSERT_EQUAL(kit_ng_get_stats(p.ng).given_up, 1);
    close_peer(&p);
}

static void test_ng_ask_returns_a_reply_that_is_ours(void)
{
    peer p;
    open_peer(&p);
    /* The cookies count up, so the second one can be answered before it is sent. */
    char cookie[64];
    kit_ng_send(p.ng, kit_ng_command("ping", NULL), NULL, NULL);
    take_request(&p, cookie);
    say(&p, cookie, "d6:result4:ponge");
    turn_when_readable(&p, agw_clock_now());
    cookie[strlen(cookie) - 1]++;
    say(&p, cookie, "d6:result5:earlye");
    agw_doc *reply = kit_ng_ask(p.ng, kit_ng_command("ping", NULL), AGW_S(5));
    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(reply, "result"), "early");
    agw_doc_free(reply);
    close_peer(&p);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_ng_request_is_bencode_behind_a_cookie),
        AGW_CASE(test_ng_replies_out_of_order_find_their_takers),
        AGW_CASE(test_ng_strange_replies_are_left_alone),
        AGW_CASE(test_ng_silence_is_repeated_with_the_same_cookie_then_given_up),
        AGW_CASE(test_ng_again_repeats_the_latest_at_once),
        AGW_CASE(test_ng_a_forgotten_owner_hears_nothing),
        AGW_CASE(test_ng_a_taker_may_send),
        AGW_CASE(test_ng_ask_gives_up_when_patience_ends),
        AGW_CASE(test_ng_ask_returns_a_reply_that_is_ours),
    };
    return agw_unit_run("ng client", cases, sizeof cases / sizeof cases[0]);
}
