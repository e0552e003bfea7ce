/* SPDX-License-Identifier: BSD-3-Clause
 * ng on streams: where messages end; then TCP and UNIX connections over loopback. */
#include "control/ng_stream.h"

#include "control/ng_frame.h"
#include "control/rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- frames ------------------------------------------------------------------------------------
 */

/* The length of the message, fed byte by byte; -1 = not found, -2 = no message. */
static int scan(const char *bytes, size_t len, bool plain)
{
    agw_ng_frame frame = {0};
    for (size_t n = 1; n <= len; n++) {
        const agw_err err = agw_ng_frame_scan(&frame, bytes, n, plain);
        if (err == AGW_OK)
            return frame.at == n ? (int)n : -3;
        if (err == AGW_ERR_MALFORMED)
            return -2;
    }
    return -1;
}

static bool found(const char *msg, bool plain)
{
    agw_ng_frame frame = {0};
    char *two = g_strconcat(msg, msg, NULL);
    const bool whole =
        agw_ng_frame_scan(&frame, two, strlen(two), plain) == AGW_OK && frame.at == strlen(msg);
    g_free(two);
    return whole && scan(msg, strlen(msg), plain) == (int)strlen(msg);
}

static void test_ng_frame_ends_with_its_document(void)
{
    CU_ASSERT_TRUE(found("0_1_2 d7:command4:pinge", false));
    CU_ASSERT_TRUE(found("d7:command4:pinge", true));
    CU_ASSERT_TRUE(found("c d1:al1:eli-12ed0:0:eeee", false));
    CU_ASSERT_TRUE(found("c {\"a\":[{\"b\":\"}\\\"]\\\\\"}],\"c\":1}", false));
    CU_ASSERT_TRUE(found("{}", true));
    CU_ASSERT_EQUAL(scan("c d7:command4:ping", 18, false), -1);
    CU_ASSERT_EQUAL(scan("c {\"a\":\"}", 9, false), -1);
}

static bool refused(const char *msg)
{
    return scan(msg, strlen(msg), false) == -2;
}

static void test_ng_frame_bad_streams_are_refused(void)
{
    CU_ASSERT_TRUE(refused(" d7:command4:pinge"));
    CU_ASSERT_TRUE(refused("c hello"));
    CU_ASSERT_TRUE(refused("c l1:ae"));
    CU_ASSERT_TRUE(refused("c dx"));
    CU_ASSERT_TRUE(refused("c d12345678:x"));
    CU_ASSERT_TRUE(refused("c d262145:x"));
    CU_ASSERT_TRUE(refused("c d1:ai1234567890123456789012e"));
    CU_ASSERT_TRUE(refused("c dllllllllllllllll"));
    CU_ASSERT_TRUE(refused("c {[[[[[[[[[[[[[[[["));
    char cookie[AGW_NG_COOKIE_MAX + 1];
    memset(cookie, 'c', sizeof cookie);
    CU_ASSERT_EQUAL(scan(cookie, sizeof cookie - 1, false), -1);
    CU_ASSERT_EQUAL(scan(cookie, sizeof cookie, false), -2);
}

static void test_ng_frame_length_is_bounded(void)
{
    const size_t len = AGW_NG_FRAME_MAX + 1;
    char *text = g_malloc(len);
    memset(text, 'x', len);
    memcpy(text, "c {\"", 4);
    agw_ng_frame frame = {0};
    CU_ASSERT_EQUAL(agw_ng_frame_scan(&frame, text, len - 1, false), AGW_ERR_AGAIN);
    CU_ASSERT_EQUAL(agw_ng_frame_scan(&frame, text, len, false), AGW_ERR_MALFORMED);
    g_free(text);
}

/* --- connections -------------------------------------------------------------------------------
 */

enum { TURNS_MAX = 20000 };

typedef struct stream_rig {
    rig r;
    agw_server *server;
    agw_streams *streams;
    char folder[64], path[96];
} stream_rig;

static void start(stream_rig *s, const char *allow)
{
    char why[200];
    rig_init(&s->r, NULL);
    if (allow != NULL) {
        s->r.config.n_ng_allow = 0;
        CU_ASSERT_EQUAL_FATAL(agw_config_set(&s->r.config, "ng-allow", allow, why, sizeof why),
                              AGW_OK);
    }
    g_strlcpy(s->folder, "/tmp/agw-test-XXXXXX", sizeof s->folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/ng", s->folder);
    CU_ASSERT_EQUAL(agw_config_set(&s->r.config, "listen-tcp-ng", "127.0.0.1:0", why, sizeof why),
                    AGW_OK);
    CU_ASSERT_EQUAL(agw_config_set(&s->r.config, "listen-unix", s->path, why, sizeof why), AGW_OK);
    CU_ASSERT_EQUAL(agw_server_new(&s->server, &s->r.config, &s->r.ctl, why, sizeof why), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_streams_new(&s->streams, &s->r.config, s->server, why, sizeof why),
                          AGW_OK);
}

static void stop(stream_rig *s)
{
    agw_streams_free(s->streams);
    agw_server_free(s->server);
    rig_fini(&s->r);
    CU_ASSERT_EQUAL(rmdir(s->folder), 0); /* the socket's file is gone */
}

static int connect_tcp(const stream_rig *s)
{
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(agw_streams_addr(s->streams, 0), &sa);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static int connect_unix(const stream_rig *s)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    g_strlcpy(sun.sun_path, s->path, sizeof sun.sun_path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

static void turn(void)
{
    if (!g_main_context_iteration(NULL, FALSE))
        g_usleep(100);
}

static void say(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until as much as expected is there, or the end. */
static bool hears(int fd, const char *expected)
{
    char text[4096] = "";
    size_t len = 0;
    for (int i = 0; i < TURNS_MAX && len < strlen(expected); i++) {
        const ssize_t n = recv(fd, text + len, strlen(expected) - len, MSG_DONTWAIT);
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
        turn();
    }
    text[len] = '\0';
    if (strcmp(text, expected) != 0)
        printf("\n    got %s\n", text);
    return strcmp(text, expected) == 0;
}

static bool is_closed(int fd)
{
    char byte;
    for (int i = 0; i < TURNS_MAX; i++) {
        const ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n >= 0)
            return n == 0;
        if (errno == ECONNRESET)
            return true;
        turn();
    }
    return false;
}

static void test_ng_stream_tcp_messages_back_to_back(void)
{
    stream_rig s;
    start(&s, NULL);
    const int fd = connect_tcp(&s);
    say(fd, "1 d7:command4:pinge2 {\"command\":\"ping\"}3 d7:comm");
    CU_ASSERT_TRUE(hears(fd, "1 d6:result4:ponge2 {\"result\":\"pong\"}"));
    say(fd, "and4:pinge");
    CU_ASSERT_TRUE(hears(fd, "3 d6:result4:ponge"));
    say(fd, "1 d7:command4:pinge"); /* a duplicate */
    CU_ASSERT_TRUE(hears(fd, "1 d6:result4:ponge"));
    CU_ASSERT_EQUAL(s.r.ctl.requests[0], 3);
    CU_ASSERT_EQUAL(agw_server_stats(s.server)->duplicates, 1);
    shutdown(fd, SHUT_WR);
    CU_ASSERT_TRUE(is_closed(fd));
    CU_ASSERT_EQUAL(agw_streams_count(s.streams), 0);
    close(fd);
    stop(&s);
}

static void test_ng_stream_bad_bytes_close_the_connection(void)
{
    stream_rig s;
    start(&s, NULL);
    const int fd = connect_tcp(&s);
    say(fd, "1 d7:command4:pinge2 GET / HTTP/1.1\r\n\r\n");
    CU_ASSERT_TRUE(hears(fd, "1 d6:result4:ponge")); /* what stood before them is answered */
    CU_ASSERT_TRUE(is_closed(fd));
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->malformed, 1);
    CU_ASSERT_EQUAL(s.r.ctl.requests[0], 1);
    close(fd);
    stop(&s);
}

static void test_ng_stream_ctl_5_strangers_are_closed_at_once(void)
{
    stream_rig s;
    start(&s, "10.0.0.0/8");
    const int fd = connect_tcp(&s);
    CU_ASSERT_TRUE(is_closed(fd));
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->not_allowed, 1);
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->accepted, 0);
    close(fd);
    const int local = connect_unix(&s); /* its permissions decide */
    say(local, "d7:command4:pinge");
    CU_ASSERT_TRUE(hears(local, "d6:result4:ponge"));
    close(local);
    stop(&s);
}

static void test_ng_stream_connections_are_bounded(void)
{
    stream_rig s;
    int fds[AGW_STREAMS_MAX];
    start(&s, NULL);
    for (size_t i = 0; i < AGW_STREAMS_MAX; i++) {
        fds[i] = connect_tcp(&s);
        while (agw_streams_count(s.streams) <= i)
            turn();
    }
    const int more = connect_tcp(&s);
    CU_ASSERT_TRUE(is_closed(more));
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->too_many, 1);
    close(more);
    for (size_t i = 0; i < AGW_STREAMS_MAX; i++)
        close(fds[i]);
    stop(&s);
}

static void test_ng_stream_slow_readers_are_closed(void)
{
    stream_rig s;
    start(&s, NULL);
    const int fd = connect_tcp(&s);
    say(fd, "1 d7:command16:subscribe eventse");
    CU_ASSERT_TRUE(hears(fd, "1 d6:result2:oke"));
    char *detail = g_strnfill(60000, 'x');
    const agw_notice notice = {.event = "overload", .detail = detail};
    for (int i = 0; i < 1000 && agw_streams_count(s.streams) > 0; i++) {
        (void)agw_events_send(s.r.events, &notice, 0);
        turn();
    }
    CU_ASSERT_EQUAL(agw_streams_count(s.streams), 0);
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->slow, 1);
    g_free(detail);
    close(fd);
    stop(&s);
}

static void test_ng_stream_who_says_nothing_is_closed(void)
{
    stream_rig s;
    start(&s, NULL);
    const int silent = connect_tcp(&s), half = connect_tcp(&s), asker = connect_tcp(&s);
    say(half, "1 d7:command4:pinge2 d");
    CU_ASSERT_TRUE(hears(half, "1 d6:result4:ponge"));
    say(asker, "1 d7:command4:pinge");
    CU_ASSERT_TRUE(hears(asker, "1 d6:result4:ponge"));
    const agw_ns now = agw_clock_now();
    agw_streams_idle(s.streams, now + AGW_S(AGW_STREAM_MESSAGE_S) - AGW_S(5));
    CU_ASSERT_EQUAL(agw_streams_count(s.streams), 3);
    agw_streams_idle(s.streams, now + AGW_S(AGW_STREAM_MESSAGE_S));
    CU_ASSERT_EQUAL(agw_streams_count(s.streams), 1);
    say(asker, "2 d7:command16:subscribe eventse");
    CU_ASSERT_TRUE(hears(asker, "2 d6:result2:oke"));
    agw_streams_idle(s.streams, now + AGW_S(2 * AGW_STREAM_IDLE_S));
    CU_ASSERT_EQUAL(agw_streams_count(s.streams), 1); /* it waits for events */
    CU_ASSERT_EQUAL(agw_streams_stats(s.streams)->idle, 2);
    close(silent);
    close(half);
    close(asker);
    stop(&s);
}

static void test_ng_stream_subscribed_events_are_pushed(void)
{
    stream_rig s;
    start(&s, NULL);
    const int fd = connect_tcp(&s);
    say(fd, "1 {\"command\":\"subscribe events\"}");
    CU_ASSERT_TRUE(hears(fd, "1 {\"result\":\"ok\"}"));
    (void)agw_events_send(s.r.events, &(agw_notice){.event = "overload"}, 7000);
    char cookie[18] = "";
    for (size_t len = 0; len < sizeof cookie - 1;) {
        const ssize_t n = recv(fd, cookie + len, sizeof cookie - 1 - len, MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
        turn();
    }
    CU_ASSERT_EQUAL(strspn(cookie, "0123456789abcdef"), 16);
    CU_ASSERT_EQUAL(cookie[16], ' ');
    CU_ASSERT_TRUE(hears(fd, "{\"event\":\"overload\",\"seq\":1,\"call-id\":\"\","));
    close(fd);
    stop(&s);
}

static void test_ng_stream_unix_takes_one_document_without_cookie(void)
{
    stream_rig s;
    struct stat st;
    start(&s, NULL);
    CU_ASSERT_EQUAL(stat(s.path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0660);
    const int fd = connect_unix(&s);
    say(fd, "d7:command4:pi");
    turn();
    say(fd, "nge");
    CU_ASSERT_TRUE(hears(fd, "d6:result4:ponge"));
    CU_ASSERT_TRUE(is_closed(fd));
    close(fd);
    const int json = connect_unix(&s);
    say(json, "{\"command\":\"ping\"}");
    CU_ASSERT_TRUE(hears(json, "{\"result\":\"pong\"}"));
    close(json);
    const int cut = connect_unix(&s); /* without its last 'e' */
    say(cut, "d7:command4:ping");
    shutdown(cut, SHUT_WR);
    CU_ASSERT_TRUE(hears(cut, "d6:result4:ponge"));
    close(cut);
    const int asker = connect_unix(&s);
    say(asker, "d7:command16:subscribe eventse");
    CU_ASSERT_TRUE(hears(asker, "d6:result5:error12:error-reason35:Events need a connection that"));
    close(asker);
    stop(&s);
}

static void test_ng_stream_an_old_socket_file_is_replaced_a_served_one_is_not(void)
{
    stream_rig s;
    char why[200] = "";
    agw_streams *second = NULL;
    start(&s, NULL);
    s.r.config.n_tcp_listen = 0;
    CU_ASSERT_EQUAL(agw_streams_new(&second, &s.r.config, s.server, why, sizeof why),
                    AGW_ERR_SYSTEM);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot listen for ng on unix:"));
    char *path = g_strconcat(s.folder, "/old", NULL);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    g_strlcpy(sun.sun_path, path, sizeof sun.sun_path);
    const int old = socket(AF_UNIX, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(old, (struct sockaddr *)&sun, sizeof sun), 0);
    close(old);
    g_strlcpy(s.r.config.unix_listen, path, sizeof s.r.config.unix_listen);
    CU_ASSERT_EQUAL_FATAL(agw_streams_new(&second, &s.r.config, s.server, why, sizeof why), AGW_OK);
    agw_streams_free(second);
    g_free(path);
    stop(&s);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_ng_frame_ends_with_its_document),
    AGW_CASE(test_ng_frame_bad_streams_are_refused),
    AGW_CASE(test_ng_frame_length_is_bounded),
    AGW_CASE(test_ng_stream_tcp_messages_back_to_back),
    AGW_CASE(test_ng_stream_bad_bytes_close_the_connection),
    AGW_CASE(test_ng_stream_ctl_5_strangers_are_closed_at_once),
    AGW_CASE(test_ng_stream_connections_are_bounded),
    AGW_CASE(test_ng_stream_slow_readers_are_closed),
    AGW_CASE(test_ng_stream_who_says_nothing_is_closed),
    AGW_CASE(test_ng_stream_subscribed_events_are_pushed),
    AGW_CASE(test_ng_stream_unix_takes_one_document_without_cookie),
    AGW_CASE(test_ng_stream_an_old_socket_file_is_replaced_a_served_one_is_not),
};

AGW_UNIT_MAIN("ng_stream", CASES)
