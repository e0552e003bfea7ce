/* SPDX-License-Identifier: BSD-3-Clause
 * The control port: garbage, bombs, absurd descriptions, cookies that collide, commands from where
 * none may come from. Clients here are ordinary sockets of the generator's own address, which the
 * gateway allows. */
#include "tests/attack/attack.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPLY_MAX = 65536,
    MEDIAS = 120,
    OFFERS_PER_S =
        200, /* a busy signalling node; a flood of what must be answered is another test */
    BIG_PER_S = 20,
    LIST_MAX = 500,
};
static const agw_ns ANSWER_WITHIN = AGW_S(2);
static const char OURS[] = "attack-"; /* call-ids that a case makes up */

/* Two clients with a port each. */
typedef struct clients {
    int fd[2];
    uint64_t asked, answered; /* by the second one */
    uint64_t wrong;           /* replies that belong to the other client */
} clients;

static void clients_come(attack *a)
{
    clients *c = calloc(1, sizeof *c);
    AGW_ASSERT(c != NULL);
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(&a->target, &sa);
    for (int i = 0; i < 2; i++) {
        c->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        AGW_ASSERT(c->fd[i] >= 0);
        if (connect(c->fd[i], (const struct sockaddr *)&sa, len) != 0)
            attack_fail(a, "no way to the control port");
    }
    a->own = c;
}

static void client_sends(attack *a, int who, const void *bytes, size_t len)
{
    const clients *c = a->own;
    (void)send(c->fd[who], bytes, len, 0);
    a->fired++;
    a->fired_bytes += len;
}

static void client_sends_packet(attack *a)
{
    client_sends(a, 0, a->packet.data, a->packet.len);
}

/* Nobody reads what the first client is told; the second one counts. */
static void client_reads(attack *a)
{
    static char reply[REPLY_MAX];
    clients *c = a->own;
    while (recv(c->fd[0], reply, sizeof reply, 0) > 0)
        continue;
    for (ssize_t n; (n = recv(c->fd[1], reply, sizeof reply - 1, 0)) > 0;) {
        reply[n] = '\0';
        c->answered++;
        if (strstr(reply, "pong") != NULL)
            c->wrong++;
    }
}

/* --- leaving nothing behind --------------------------------------------------------------------
 */

static bool is_of_the_set(const attack *a, const char *call_id)
{
    return strcmp(call_id, a->victim.call.call_id) == 0 ||
           strcmp(call_id, a->bystander->call.call_id) == 0;
}

static void delete_call(attack *a, const char *call_id)
{
    agw_doc *command = kit_ng_command("delete", call_id);
    agw_doc_set_int(command, "delete-delay", 0);
    agw_doc_free(kit_ng_ask(a->world->ng, command, ANSWER_WITHIN));
}

/* Every call that is neither the attacked one nor the bystander; returns how many those were. */
static size_t delete_others(attack *a)
{
    size_t deleted = 0;
    agw_doc *command = kit_ng_command("list", NULL);
    agw_doc_set_int(command, "limit", LIST_MAX);
    agw_doc *reply = kit_ng_ask(a->world->ng, command, ANSWER_WITHIN);
    const agw_doc *calls = agw_doc_get(reply, "calls");
    for (size_t i = 0; calls != NULL && i < agw_doc_count(calls); i++) {
        const char *call_id = agw_doc_text(agw_doc_at(calls, i));
        if (call_id == NULL || is_of_the_set(a, call_id))
            continue;
        delete_call(a, call_id);
        deleted++;
    }
    agw_doc_free(reply);
    return deleted;
}

static void clients_leave(attack *a)
{
    clients *c = a->own;
    if (c == NULL)
        return;
    close(c->fd[0]);
    close(c->fd[1]);
    for (int rounds = 0; rounds < 16 && delete_others(a) > 0; rounds++)
        continue;
}

/* --- bytes -------------------------------------------------------------------------------------
 */

static void add_text(craft *c, const char *text)
{
    craft_add(c, text, strlen(text));
}

static void begin_message(attack *a, uint64_t n)
{
    char cookie[40];
    snprintf(cookie, sizeof cookie, "%llx_%llu ", (unsigned long long)a->rng.state,
             (unsigned long long)n);
    craft_clear(&a->packet);
    add_text(&a->packet, cookie);
}

static void garbage(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    if (n % 2 == 0)
        begin_message(a, n);
    if (n % 4 == 0)
        add_text(&a->packet, n % 8 == 0 ? "d7:command" : "{\"command\":");
    craft_add_random(&a->packet, &a->rng, craft_below(&a->rng, 1400));
    client_sends_packet(a);
}

/* An offer as a phone makes it, and its call-id. */
static void add_offer(attack *a, uint64_t n, const char *sdp, size_t len)
{
    char call_id[64];
    snprintf(call_id, sizeof call_id, "%s%llx-%llu", OURS, (unsigned long long)a->options->seed,
             (unsigned long long)n);
    agw_doc *command = kit_ng_command("offer", call_id);
    agw_doc_set_str(command, "from-tag", "attacker");
    kit_call_flags(&a->victim.call, command, KIT_B, false);
    agw_doc_set_bytes(command, "sdp", sdp, len);
    GString *text = g_string_new(NULL);
    agw_ng_write(text, command, AGW_NG_BENCODE);
    craft_add(&a->packet, text->str, text->len);
    g_string_free(text, TRUE);
    agw_doc_free(command);
}

static size_t phone_sdp(attack *a, char out[KIT_SDP_MAX])
{
    kit_phone phone = *attack_phone(a);
    return kit_phone_write_sdp(&phone, out);
}

/* A real offer with some bits turned over or its end missing. */
static void flipped(attack *a, uint64_t n)
{
    char sdp[KIT_SDP_MAX];
    const size_t len = phone_sdp(a, sdp);
    begin_message(a, n);
    const size_t head = a->packet.len;
    add_offer(a, n % 16, sdp, len);
    for (unsigned i = 0; i < 1 + n % 8; i++)
        a->packet.data[head + craft_below(&a->rng, (uint32_t)(a->packet.len - head))] ^=
            (uint8_t)(1U << craft_below(&a->rng, 8));
    if (n % 4 == 3)
        a->packet.len = head + craft_below(&a->rng, (uint32_t)(a->packet.len - head));
    client_sends_packet(a);
}

static void repeat(craft *c, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        add_text(c, text);
}

/* Lengths that are not there, nesting without end, numbers without end. */
static void bomb(attack *a, uint64_t n)
{
    begin_message(a, n);
    switch (n % 10) {
    case 0:
        repeat(&a->packet, "l", 60000);
        break;
    case 1:
        repeat(&a->packet, "d1:a", 15000);
        break;
    case 2:
        add_text(&a->packet, "d7:command99999999999:offere");
        break;
    case 3:
        add_text(&a->packet, "d7:command-1:offere");
        break;
    case 4:
        add_text(&a->packet, "d7:commandi99999999999999999999999999ee");
        break;
    case 5:
        add_text(&a->packet, "d5:flagsl");
        repeat(&a->packet, "i1e", 20000);
        add_text(&a->packet, "e7:command4:pinge");
        break;
    case 6:
        repeat(&a->packet, "[", 60000);
        break;
    case 7:
        repeat(&a->packet, "{\"a\":", 12000);
        break;
    case 8:
        add_text(&a->packet, "d3:sdp4294967295:v=0\r\n7:command5:offere");
        break;
    default:
        add_text(&a->packet, "d");
        repeat(&a->packet, "7:command4:ping", 4000);
        add_text(&a->packet, "e");
        break;
    }
    client_sends_packet(a);
}

/* --- descriptions ------------------------------------------------------------------------------
 */

static void add_session(craft *c)
{
    add_text(c, "v=0\r\no=- 1 1 IN IP4 10.99.255.1\r\ns=-\r\nc=IN IP4 10.99.255.1\r\nt=0 0\r\n");
}

static void medias(attack *a, uint64_t n)
{
    static craft sdp;
    char line[64];
    craft_clear(&sdp);
    add_session(&sdp);
    for (int i = 0; i < MEDIAS; i++) {
        snprintf(line, sizeof line, "m=%s %d RTP/AVP 0\r\n", i % 2 == 0 ? "audio" : "video",
                 20000 + 2 * i);
        add_text(&sdp, line);
    }
    begin_message(a, n);
    add_offer(a, n, (const char *)sdp.data, sdp.len);
    client_sends_packet(a);
}

/* 60 KB of lines that mean nothing, of one line, of one line's attributes. */
static void big_sdp(attack *a, uint64_t n)
{
    static craft sdp;
    craft_clear(&sdp);
    add_session(&sdp);
    add_text(&sdp, "m=audio 20000 RTP/AVP 0\r\n");
    if (n % 3 == 0)
        repeat(&sdp, "a=x-nothing:whatever\r\n", 2700);
    else if (n % 3 == 1)
        repeat(&sdp, "a=candidate:1 1 UDP 1 10.99.255.1 9 typ host\r\n", 1250);
    if (n % 3 == 2) {
        add_text(&sdp, "a=fmtp:0 ");
        repeat(&sdp, "abcdefgh", 7400);
        add_text(&sdp, "\r\n");
    }
    begin_message(a, n);
    add_offer(a, n, (const char *)sdp.data, sdp.len);
    client_sends_packet(a);
}

static void bad_sdp(attack *a, uint64_t n)
{
    static const char *const LINES[] = {
        "m=audio 99999 RTP/AVP 0\r\n",
        "m=audio -1 RTP/AVP 0\r\n",
        "m=audio 20000 RTP/AVP 999 -1 x\r\n",
        "m=\r\n",
        "c=IN IP4 999.1.1.1\r\n",
        "c=IN IP6 10.0.0.1\r\n",
        "c=IN IP4 \r\n",
        "a=rtpmap:0 PCMU/0\r\n",
        "a=rtpmap:0 PCMU/99999999999\r\n",
        "a=ice-ufrag:\r\n",
        "a=fingerprint:sha-256 ZZ:00\r\n",
        "a=setup:nobody\r\n",
        "a=candidate:\r\n",
        "a=rtcp:99999 IN IP4 1.2.3.4\r\n",
        "a=group:BUNDLE a a a a\r\n",
        "a=extmap:99999 urn:x\r\n",
        "a=ssrc:99999999999999 cname:x\r\n",
        "b=AS:-1\r\n",
        "a=mid:\r\n",
        "=\r\n",
        "m=audio 20000/9999 RTP/AVP 0\r\n",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%%\r\n",
    };
    static craft sdp;
    craft_clear(&sdp);
    if (n % 8 != 0)
        add_session(&sdp);
    add_text(&sdp, "m=audio 20000 RTP/AVP 0\r\n");
    for (int i = 0; i < 4; i++)
        add_text(&sdp, LINES[craft_below(&a->rng, sizeof LINES / sizeof LINES[0])]);
    begin_message(a, n);
    add_offer(a, n, (const char *)sdp.data, sdp.len);
    client_sends_packet(a);
}

static void offer_flood(attack *a, uint64_t n)
{
    char sdp[KIT_SDP_MAX];
    const size_t len = phone_sdp(a, sdp);
    begin_message(a, n);
    add_offer(a, n, sdp, len);
    client_sends_packet(a);
}

static void delete_unknown(attack *a, uint64_t n)
{
    char text[160];
    begin_message(a, n);
    const int len = snprintf(text, sizeof text, "%u:%s%08x%s", (unsigned)sizeof OURS - 1 + 8, OURS,
                             craft_rand(&a->rng), "7:command6:delete");
    add_text(&a->packet, "d7:call-id");
    craft_add(&a->packet, text, (size_t)len);
    add_text(&a->packet, "e");
    client_sends_packet(a);
    client_reads(a);
}

/* --- cookies -----------------------------------------------------------------------------------
 */

/* The first client pings, the second asks for something else under the same cookie. */
static void same_cookie(attack *a, uint64_t n)
{
    clients *c = a->own;
    char text[160];
    int len = snprintf(text, sizeof text, "same_%llu d7:command4:pinge", (unsigned long long)n);
    client_sends(a, 0, text, (size_t)len);
    len = snprintf(text, sizeof text, "same_%llu d7:call-id6:nobody7:command5:querye",
                   (unsigned long long)n);
    client_sends(a, 1, text, (size_t)len);
    c->asked++;
    client_reads(a);
}

static const char *own_replies(attack *a)
{
    const clients *c = a->own;
    if (c == NULL)
        return NULL;
    struct pollfd p = {.fd = c->fd[1], .events = POLLIN};
    while (c->answered < c->asked && poll(&p, 1, 500) > 0)
        client_reads(a);
    if (c->wrong != 0)
        return "a client got the reply of another one";
    return c->answered < c->asked ? "a command was not answered" : NULL;
}

/* --- not allowed -------------------------------------------------------------------------------
 */

static void stranger_commands(attack *a, uint64_t n)
{
    const char *call_id = a->victim.call.call_id;
    char text[160];
    begin_message(a, n);
    snprintf(text, sizeof text, "d7:call-id%zu:%s7:command%s", strlen(call_id), call_id,
             n % 3 == 0   ? "6:deletee"
             : n % 3 == 1 ? "5:querye"
                          : "4:pinge");
    add_text(&a->packet, text);
    attack_send_packet(a);
}

const attack_case ATTACK_NG_CASES[] = {
    {.name = "ng-garbage",
     .what = "random bytes, with and without a cookie",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .begin = clients_come,
     .fire = garbage,
     .end = clients_leave},
    {.name = "ng-flipped",
     .what = "real offers with bits turned over, or cut",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = OFFERS_PER_S,
     .begin = clients_come,
     .fire = flipped,
     .end = clients_leave},
    {.name = "ng-bomb",
     .what = "nesting of 60,000, lengths of 4 GB, 20,000 numbers",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = OFFERS_PER_S,
     .begin = clients_come,
     .fire = bomb,
     .end = clients_leave},
    {.name = "ng-medias",
     .what = "offers with 120 medias",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = BIG_PER_S,
     .begin = clients_come,
     .fire = medias,
     .end = clients_leave},
    {.name = "ng-sdp-big",
     .what = "descriptions of 60 KB",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = BIG_PER_S,
     .begin = clients_come,
     .fire = big_sdp,
     .end = clients_leave},
    {.name = "ng-sdp-bad",
     .what = "descriptions with absurd lines",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = OFFERS_PER_S,
     .begin = clients_come,
     .fire = bad_sdp,
     .end = clients_leave},
    {.name = "ng-offers",
     .what = "200 offers a second that nobody ever answers",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .per_s = OFFERS_PER_S,
     .begin = clients_come,
     .fire = offer_flood,
     .end = clients_leave},
    {.name = "ng-delete",
     .what = "deletes of calls that do not exist",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .begin = clients_come,
     .fire = delete_unknown,
     .end = clients_leave},
    {.name = "ng-cookie",
     .what = "two clients with the same cookies",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .begin = clients_come,
     .fire = same_cookie,
     .judge = own_replies,
     .end = clients_leave},
    {.name = "ng-stranger",
     .what = "ping, query and delete of the call from an address that may not",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .target = ATTACK_CONTROL,
     .fire = stranger_commands},
    {0},
};
