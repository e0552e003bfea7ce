/* SPDX-License-Identifier: BSD-3-Clause
 * ng messages: cookies, duplicates, who may ask; once over real loopback sockets. */
#include "control/replies.h"
#include "control/rig.h"
#include "control/server.h"
#include "control/trim.h"

#include <sys/socket.h>
#include <unistd.h>

typedef struct server_rig {
    rig r;
    agw_server *server;
    agw_addr from;
} server_rig;

static void start(server_rig *s, const char *listen)
{
    char why[200];
    rig_init(&s->r, NULL);
    if (listen != NULL)
        CU_ASSERT_EQUAL_FATAL(agw_config_set(&s->r.config, "listen-ng", listen, why, sizeof why),
                              AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_server_new(&s->server, &s->r.config, &s->r.ctl, why, sizeof why),
                          AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&s->from, "127.0.0.1:5060"), AGW_OK);
}

static void stop(server_rig *s)
{
    agw_server_free(s->server);
    rig_fini(&s->r);
}

static bool says(server_rig *s, const char *msg, const char *reply)
{
    const GString *got =
        agw_server_take(s->server, &(agw_asker){.from = s->from, .reply_max = AGW_NG_DATAGRAM_MAX},
                        msg, strlen(msg), s->r.now);
    if (got == NULL || reply == NULL)
        return got == NULL && reply == NULL;
    if (strcmp(got->str, reply) != 0)
        printf("\n    got %s\n", got->str);
    return strcmp(got->str, reply) == 0;
}

static uint64_t pings(const server_rig *s)
{
    return s->r.ctl.requests[0];
}

static void test_server_ng_9_captured_messages(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_TRUE(says(&s, "0_32593_0 d7:command4:pinge", "0_32593_0 d6:result4:ponge"));
    CU_ASSERT_TRUE(says(&s, "x2 d7:command3:flye",
                        "x2 d6:result5:error12:error-reason20:Unrecognized commande"));
    CU_ASSERT_TRUE(says(&s, "x8 d7:call-id2:zz8:from-tag1:a7:command6:deletee",
                        "x8 d7:warning38:Call-ID not found or tags didn't match6:result2:oke"));
    CU_ASSERT_TRUE(says(&s, "q1 {\"command\":\"ping\"}", "q1 {\"result\":\"pong\"}"));
    CU_ASSERT_TRUE(says(&s,
                        "0_1_2 d8:supportsl10:load limite12:delete delayi0e12:delete-delay1:0"
                        "7:call-id2:zz8:from-tag1:a6:to-tag1:b7:command6:deletee",
                        "0_1_2 d7:warning38:Call-ID not found or tags didn't match6:result2:oke"));
    stop(&s);
}

static void test_server_ng_3_broken_documents_are_answered(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_TRUE(
        says(&s, "c ", "c d6:result5:error12:error-reason25:Invalid data (no payload)e"));
    CU_ASSERT_TRUE(says(&s, "c x", "c d6:result5:error12:error-reason22:Invalid NG data formate"));
    CU_ASSERT_TRUE(says(&s, "c {]",
                        "c {\"result\":\"error\",\"error-reason\":\"Invalid JSON: a string is "
                        "due\"}"));
    CU_ASSERT_TRUE(says(&s, "c d",
                        "c d6:result5:error12:error-reason36:Dictionary contains no key "
                        "\"command\"e"));
    stop(&s);
}

static void test_server_ng_3_no_cookie_no_reply(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_TRUE(says(&s, "d7:command4:pinge", NULL));
    CU_ASSERT_TRUE(says(&s, "", NULL));
    CU_ASSERT_EQUAL(agw_server_stats(s.server)->no_cookie, 2);
    stop(&s);
}

static void test_server_ctl_5_strangers_are_not_answered(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&s.from, "10.1.2.3:5060"), AGW_OK);
    CU_ASSERT_TRUE(says(&s, "a d7:command4:pinge", NULL));
    CU_ASSERT_EQUAL(agw_server_stats(s.server)->not_allowed, 1);
    CU_ASSERT_EQUAL(pings(&s), 0);
    stop(&s);
}

static void test_server_ng_1_duplicates_run_once(void)
{
    server_rig s;
    start(&s, NULL);
    const char *offer =
        "1_2_3 d3:sdp3:v=07:call-id1:c8:from-tag1:a7:command5:offere"; /* as Kamailio sends it */
    for (int i = 0; i < 5; i++)
        CU_ASSERT_TRUE(says(&s, offer, "1_2_3 d3:sdp10:offer to B6:result2:oke"));
    CU_ASSERT_EQUAL(s.r.ctl.requests[1], 1);
    CU_ASSERT_EQUAL(agw_server_stats(s.server)->duplicates, 4);
    stop(&s);
}

static void test_server_ng_1_same_cookie_other_payload_or_client_runs(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_TRUE(says(&s, "1 d7:command4:pinge", "1 d6:result4:ponge"));
    CU_ASSERT_TRUE(says(&s, "1 d7:command3:flye",
                        "1 d6:result5:error12:error-reason20:Unrecognized commande"));
    s.from.port++;
    CU_ASSERT_TRUE(says(&s, "1 d7:command4:pinge", "1 d6:result4:ponge"));
    CU_ASSERT_EQUAL(pings(&s), 2);
    CU_ASSERT_EQUAL(agw_server_stats(s.server)->duplicates, 0);
    stop(&s);
}

static void test_server_ng_1_replies_are_kept_ten_seconds(void)
{
    server_rig s;
    start(&s, NULL);
    CU_ASSERT_TRUE(says(&s, "1 d7:command4:pinge", "1 d6:result4:ponge"));
    s.r.now += AGW_S(10) - 1;
    CU_ASSERT_TRUE(says(&s, "1 d7:command4:pinge", "1 d6:result4:ponge"));
    CU_ASSERT_EQUAL(pings(&s), 1);
    s.r.now += 1;
    CU_ASSERT_TRUE(says(&s, "1 d7:command4:pinge", "1 d6:result4:ponge"));
    CU_ASSERT_EQUAL(pings(&s), 2);
    stop(&s);
}

/* --- the store ---------------------------------------------------------------------------------
 */

static agw_reply_key key_of(const agw_replies *replies, const char *cookie)
{
    const agw_addr from = {.family = AGW_FAMILY_IP4};
    const agw_ng_message msg = {cookie, strlen(cookie), "x", 1};
    return agw_replies_key(replies, &from, &msg);
}

static void keep(agw_replies *replies, const char *cookie, size_t len)
{
    const agw_reply_key key = key_of(replies, cookie);
    GString *text = g_string_sized_new(len);
    g_string_set_size(text, len);
    memset(text->str, 'r', len);
    agw_replies_keep(replies, &key, text, AGW_S(1));
}

static bool has(agw_replies *replies, const char *cookie)
{
    const agw_reply_key key = key_of(replies, cookie);
    return agw_replies_find(replies, &key, AGW_S(1)) != NULL;
}

static void test_replies_count_is_bounded(void)
{
    agw_replies *replies = agw_replies_new(2, 1000);
    keep(replies, "a", 1);
    keep(replies, "b", 1);
    CU_ASSERT_TRUE(has(replies, "a") && has(replies, "b"));
    keep(replies, "c", 1);
    CU_ASSERT_FALSE(has(replies, "a"));
    CU_ASSERT_TRUE(has(replies, "b") && has(replies, "c"));
    CU_ASSERT_EQUAL(agw_replies_count(replies), 2);
    agw_replies_free(replies);
}

static void test_replies_expire_by_themselves(void)
{
    agw_replies *replies = agw_replies_new(10, 1000);
    keep(replies, "a", 1);
    agw_replies_expire(replies, AGW_S(11) - 1);
    CU_ASSERT_EQUAL(agw_replies_count(replies), 1);
    agw_replies_expire(replies, AGW_S(11));
    CU_ASSERT_EQUAL(agw_replies_count(replies), 0);
    agw_replies_free(replies);
}

static void test_replies_bytes_are_bounded(void)
{
    agw_replies *replies = agw_replies_new(10, 100);
    keep(replies, "a", 50);
    keep(replies, "b", 50);
    CU_ASSERT_TRUE(has(replies, "a"));
    keep(replies, "c", 1);
    CU_ASSERT_FALSE(has(replies, "a"));
    CU_ASSERT_TRUE(has(replies, "b"));
    keep(replies, "d", 500); /* the newest always stays: it is being sent */
    CU_ASSERT_TRUE(has(replies, "d"));
    CU_ASSERT_EQUAL(agw_replies_count(replies), 1);
    agw_replies_free(replies);
}

/* --- memory ------------------------------------------------------------------------------------
 */

static bool trim_due(agw_trim *trim, size_t calls, size_t replies, agw_ns now)
{
    return agw_trim_due(trim, (const size_t[]){calls, replies}, now);
}

static void test_trim_after_load_has_fallen_far(void)
{
    agw_trim trim = {0};
    CU_ASSERT_FALSE(trim_due(&trim, 4000, 0, AGW_S(100)));
    CU_ASSERT_FALSE(trim_due(&trim, 1001, 0, AGW_S(101)));
    CU_ASSERT_FALSE(trim_due(&trim, 1001, 0, AGW_S(102)));
    CU_ASSERT_FALSE(trim_due(&trim, 1000, 0, AGW_S(103))); /* it may fall further */
    CU_ASSERT_TRUE(trim_due(&trim, 1000, 0, AGW_S(104)));
    CU_ASSERT_FALSE(trim_due(&trim, 251, 0, AGW_S(200))); /* the peak is 1000 now */
    CU_ASSERT_FALSE(trim_due(&trim, 251, 0, AGW_S(201)));
    CU_ASSERT_FALSE(trim_due(&trim, 250, 0, AGW_S(202)));
    CU_ASSERT_TRUE(trim_due(&trim, 250, 0, AGW_S(203)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(300)));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 0, AGW_S(301))); /* 250 were still many */
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(400)));
}

/* Replies outlive their calls by ten seconds: what calls held is given back before, what replies
 * held when they are gone. */
static void test_trim_calls_and_replies_fall_by_themselves(void)
{
    agw_trim trim = {0};
    CU_ASSERT_FALSE(trim_due(&trim, 1000, 3000, AGW_S(100)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 3000, AGW_S(101)));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 3000, AGW_S(102)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(112)));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 0, AGW_S(113)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(200)));
}

/* A monitor that asks each second keeps one or two replies stored for ever. */
static void test_trim_goes_on_under_a_monitor(void)
{
    agw_trim trim = {0};
    (void)trim_due(&trim, 0, 16000, AGW_S(100));
    (void)trim_due(&trim, 0, 10, AGW_S(101));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 11, AGW_S(102)));
}

static void test_trim_rests_between(void)
{
    agw_trim trim = {0};
    (void)trim_due(&trim, 100000, 0, AGW_S(100));
    (void)trim_due(&trim, 20000, 0, AGW_S(100));
    CU_ASSERT_TRUE(trim_due(&trim, 20000, 0, AGW_S(100)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(109)));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(110) - 1));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 0, AGW_S(110)));
}

static void test_trim_leaves_small_loads_alone(void)
{
    agw_trim trim = {0};
    (void)trim_due(&trim, 511, 511, AGW_S(100));
    (void)trim_due(&trim, 0, 0, AGW_S(200));
    CU_ASSERT_FALSE(trim_due(&trim, 0, 0, AGW_S(200)));
    (void)trim_due(&trim, 512, 0, AGW_S(300));
    (void)trim_due(&trim, 0, 0, AGW_S(400));
    CU_ASSERT_TRUE(trim_due(&trim, 0, 0, AGW_S(400)));
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static int client_to(const agw_addr *to, const char *bind_to)
{
    struct sockaddr_storage sa;
    agw_addr own;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&own, bind_to), AGW_OK);
    socklen_t len = agw_addr_to_sockaddr(&own, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&sa, len), 0);
    len = agw_addr_to_sockaddr(to, &sa);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

/* Turns the main loop until something can be read; an empty loop is 1000 turns away. */
static ssize_t receive(int fd, char *out, size_t size)
{
    for (int i = 0; i < 1000; i++) {
        const ssize_t len = recv(fd, out, size, 0);
        if (len >= 0)
            return len;
        g_main_context_iteration(NULL, FALSE);
    }
    return -1;
}

static void test_server_ng_1_reply_leaves_from_the_address_asked(void)
{
    server_rig s;
    start(&s, "0.0.0.0:0");
    agw_addr to = *agw_server_addr(s.server, 0);
    agw_addr ip;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&ip, "127.0.0.3"), AGW_OK);
    memcpy(to.ip, ip.ip, sizeof to.ip);
    const int fd = client_to(&to, "127.0.0.1"); /* connected: only 127.0.0.3 may answer */
    static const char MSG[] = "1 d7:command4:pinge";
    char reply[100];
    CU_ASSERT_EQUAL(send(fd, MSG, sizeof MSG - 1, 0), (ssize_t)sizeof MSG - 1);
    const ssize_t len = receive(fd, reply, sizeof reply);
    CU_ASSERT_EQUAL(len, 18);
    CU_ASSERT_EQUAL(memcmp(reply, "1 d6:result4:ponge", 18), 0);
    close(fd);
    stop(&s);
}

static void test_server_ng_1_largest_datagram_is_taken(void)
{
    server_rig s;
    start(&s, "127.0.0.1:0");
    const int fd = client_to(agw_server_addr(s.server, 0), "127.0.0.1");
    char *msg = g_malloc(AGW_NG_DATAGRAM_MAX);
    memset(msg, 'x', AGW_NG_DATAGRAM_MAX);
    const int head = snprintf(msg, 100, "1 d7:command4:ping1:x%d:", AGW_NG_DATAGRAM_MAX - 28);
    msg[head] = 'x';
    msg[AGW_NG_DATAGRAM_MAX - 1] = 'e';
    char reply[100];
    CU_ASSERT_EQUAL(send(fd, msg, AGW_NG_DATAGRAM_MAX, 0), AGW_NG_DATAGRAM_MAX);
    const ssize_t len = receive(fd, reply, sizeof reply);
    CU_ASSERT_TRUE(len > 0);
    g_free(msg);
    close(fd);
    stop(&s);
}

static void test_server_port_in_use_is_told(void)
{
    server_rig s;
    start(&s, "127.0.0.1:0");
    char why[200] = "", text[AGW_ADDR_TEXT];
    agw_addr_text(agw_server_addr(s.server, 0), text, sizeof text);
    CU_ASSERT_EQUAL_FATAL(agw_config_set(&s.r.config, "listen-ng", text, why, sizeof why), AGW_OK);
    agw_server *second = NULL;
    CU_ASSERT_EQUAL(agw_server_new(&second, &s.r.config, &s.r.ctl, why, sizeof why),
                    AGW_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot listen"));
    stop(&s);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_server_ng_9_captured_messages),
    AGW_CASE(test_server_ng_3_broken_documents_are_answered),
    AGW_CASE(test_server_ng_3_no_cookie_no_reply),
    AGW_CASE(test_server_ctl_5_strangers_are_not_answered),
    AGW_CASE(test_server_ng_1_duplicates_run_once),
    AGW_CASE(test_server_ng_1_same_cookie_other_payload_or_client_runs),
    AGW_CASE(test_server_ng_1_replies_are_kept_ten_seconds),
    AGW_CASE(test_replies_count_is_bounded),
    AGW_CASE(test_replies_expire_by_themselves),
    AGW_CASE(test_replies_bytes_are_bounded),
    AGW_CASE(test_trim_after_load_has_fallen_far),
    AGW_CASE(test_trim_calls_and_replies_fall_by_themselves),
    AGW_CASE(test_trim_goes_on_under_a_monitor),
    AGW_CASE(test_trim_rests_between),
    AGW_CASE(test_trim_leaves_small_loads_alone),
    AGW_CASE(test_server_ng_1_reply_leaves_from_the_address_asked),
    AGW_CASE(test_server_ng_1_largest_datagram_is_taken),
    AGW_CASE(test_server_port_in_use_is_told),
};

AGW_UNIT_MAIN("server", CASES)
