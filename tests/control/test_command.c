/* SPDX-License-Identifier: BSD-3-Clause
 * Commands as clients of ng send them: error texts to the byte, who is who, admission, deletion. */
#include "control/fragments.h"
#include "control/rig.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* A call that has been offered. */
static void ring(rig *r)
{
    rig_init(r, NULL);
    CU_ASSERT_TRUE(rig_says(r, OFFER, OFFERED));
}

/* A call that stands. */
static void talk(rig *r)
{
    rig_init(r, NULL);
    rig_call(r);
}

static void fails(rig *r, const char *request, const char *reason)
{
    char *reply = g_strdup_printf("{'result':'error','error-reason':'%s'}", reason);
    CU_ASSERT_TRUE(rig_says(r, request, reply));
    g_free(reply);
}

static void test_command_ng_3_error_texts(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, "{'command':'ping'}", "{'result':'pong'}"));
    fails(&r, "{'command':'fly'}", "Unrecognized command");
    fails(&r, "{'command':'start forwarding','call-id':'c'}", "Unrecognized command");
    char *reply = rig_ask(&r, "{'call-id':'c'}");
    CU_ASSERT_STRING_EQUAL(
        reply, "{'result':'error','error-reason':'Dictionary contains no key \\'command\\''}");
    g_free(reply);
    fails(&r, "{'command':'offer','call-id':'c','from-tag':'a'}", "No SDP body in message");
    fails(&r, "{'command':'offer','sdp':'v=0','from-tag':'a'}", "No call-id in message");
    fails(&r, "{'command':'offer','sdp':'v=0','call-id':''}", "No call-id in message");
    fails(&r, "{'command':'offer','sdp':'v=0','call-id':'c'}", "No from-tag in message");
    fails(&r, "{'command':'answer','sdp':'v=0','call-id':'c','from-tag':'a'}",
          "No to-tag in message");
    fails(&r, ANSWER, "Unknown call-id");
    fails(&r, "{'command':'query','call-id':'c'}", "Unknown call-id");
    fails(&r, "{'command':'query'}", "No call-id in message");
    fails(&r, "{'command':'delete'}", "No call-id in message");
    CU_ASSERT_EQUAL(r.ctl.errors, 12);
    rig_fini(&r);
}

static void test_command_ng_8_1_offer_answer_and_reverse_reoffer(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(
        &r, "{'command':'offer','call-id':'c','from-tag':'a','to-tag':'b','sdp':'v=0'}", OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'offer','call-id':'c','from-tag':'b','to-tag':'a','sdp':'v=0'}",
                 "{'sdp':'offer to A','result':'ok'}"));
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'answer','call-id':'c','from-tag':'b','to-tag':'a','sdp':'v=0'}",
                 "{'sdp':'answer to B','result':'ok'}"));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

static void test_command_ng_5_late_offer_has_its_tags_swapped(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(
        &r, "{'command':'offer','call-id':'c','from-tag':'b','to-tag':'a','sdp':'v=0'}", OFFERED));
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'answer','call-id':'c','from-tag':'b','to-tag':'a','sdp':'v=0'}",
                 ANSWERED));
    rig_fini(&r);
}

static void test_command_ng_8_2_an_unseen_to_tag_is_the_same_party(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b2','sdp':'v=0'}",
                 ANSWERED));
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(agw_calls_find(r.calls, "c"), AGW_SIDE_B), "b2");
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'offer','call-id':'c','from-tag':'b','to-tag':'a','sdp':'v=0'}",
                 "{'sdp':'offer to A','result':'ok'}"));
    CU_ASSERT_EQUAL(fake_gateway_transports(r.gateway), 2);
    rig_fini(&r);
}

/* Its tag is known from then on, but the dialogue is the other one's. */
static void test_command_ims_6_a_branch_that_lost_is_not_the_one_in_use(void)
{
    rig r;
    talk(&r);
    fake_session.stood = true;
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b2','sdp':'v=0'}",
                 ANSWERED));
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(agw_calls_find(r.calls, "c"), AGW_SIDE_B), "b");
    agw_side side;
    CU_ASSERT_TRUE(agw_calls_side_of(agw_calls_find(r.calls, "c"), "b2", &side));
    rig_fini(&r);
}

static void test_command_ng_3_strangers_tags_are_refused(void)
{
    rig r;
    talk(&r);
    fails(&r, "{'command':'offer','call-id':'c','from-tag':'z','sdp':'v=0'}",
          "Invalid dialogue association");
    fails(&r, "{'command':'answer','call-id':'c','from-tag':'y','to-tag':'z','sdp':'v=0'}",
          "Invalid dialogue association");
    fails(&r, "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'a','sdp':'v=0'}",
          "Invalid dialogue association");
    rig_fini(&r);
}

static void test_command_ng_3_failed_first_offer_leaves_nothing(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_session.fail = AGW_ERR_MALFORMED;
    fake_session.why = "Failed to parse SDP";
    fails(&r, OFFER, "Failed to parse SDP");
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 0);
    rig_fini(&r);
}

static void test_command_ng_3_failed_reoffer_leaves_the_call(void)
{
    rig r;
    talk(&r);
    fake_session.fail = AGW_ERR_MALFORMED;
    fake_session.why = "Failed to parse SDP";
    fails(&r, OFFER, "Failed to parse SDP");
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

#define NEW_OFFER "'command':'offer','call-id':'n','from-tag':'a','sdp':'v=0'"

static void test_command_ng_3_only_new_calls_meet_the_session_limit(void)
{
    rig r;
    rig_init(&r, NULL);
    r.config.max_sessions = 1;
    rig_call(&r);
    fails(&r, "{" NEW_OFFER "}", "Parallel session limit reached");
    CU_ASSERT_TRUE(rig_says(&r, "{'supports':['load limit']," NEW_OFFER "}",
                            "{'result':'load limit','message':'Parallel session limit reached'}"));
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED)); /* a known one goes on */
    CU_ASSERT_EQUAL(r.ctl.refused, 2);
    r.config.max_sessions = 2;
    CU_ASSERT_TRUE(rig_says(&r, "{" NEW_OFFER "}", OFFERED));
    rig_fini(&r);
}

/* Any command may say it, and take it back. */
static void test_command_334_5_14_priority_changes_in_a_call(void)
{
    rig r;
    talk(&r);
    const agw_ng_call *call = agw_calls_find(r.calls, "c");
    CU_ASSERT_PTR_NOT_NULL_FATAL(call);
    CU_ASSERT_FALSE(fake_session_urgent);
    g_free(rig_ask(&r, "{'command':'query','call-id':'c','priority':3}"));
    CU_ASSERT_TRUE(fake_session_urgent && call->clock.protected);
    rig_at(&r, r.now + AGW_S(7200));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    g_free(rig_ask(&r, "{'command':'query','call-id':'c','priority':0}"));
    CU_ASSERT_FALSE(fake_session_urgent || call->clock.protected);
    rig_at(&r, r.now + AGW_S(60));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_command_ims_11_emergency_calls_have_a_share_of_their_own(void)
{
    rig r;
    rig_init(&r, NULL);
    r.config.max_sessions = 1;
    rig_call(&r);
    CU_ASSERT_TRUE(rig_says(&r, "{'flags':['emergency']," NEW_OFFER "}", OFFERED));
    fails(&r, "{'flags':['emergency'],'command':'offer','call-id':'m','from-tag':'a','sdp':'v=0'}",
          "Parallel session limit reached");
    rig_fini(&r);
}

static void test_command_ng_3_out_of_ports_is_told(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_gateway_full(r.gateway, false, true);
    fails(&r, "{" NEW_OFFER "}", "Ran out of ports");
    CU_ASSERT_TRUE(rig_says(&r, "{'supports':['load limit']," NEW_OFFER "}",
                            "{'result':'load limit','message':'Ran out of ports'}"));
    fake_gateway_full(r.gateway, true, false);
    fails(&r, "{" NEW_OFFER "}", "Load limit exceeded");
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static int next_event(int fd, char *out, size_t size)
{
    const ssize_t n = recv(fd, out, size - 1, MSG_DONTWAIT);
    out[n > 0 ? n : 0] = '\0';
    return (int)n;
}

static void test_command_ctl_6_a_full_gateway_takes_urgent_calls_only(void)
{
    rig r;
    talk(&r);
    fake_gateway_refuse(r.gateway, "CPU usage limit exceeded", NULL);
    fails(&r, "{" NEW_OFFER "}", "CPU usage limit exceeded");
    fails(&r, "{'priority':0," NEW_OFFER "}", "CPU usage limit exceeded");
    CU_ASSERT_TRUE(rig_says(&r, "{'supports':['load limit']," NEW_OFFER "}",
                            "{'result':'load limit','message':'CPU usage limit exceeded'}"));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, "{'flags':['emergency']," NEW_OFFER "}", OFFERED));
    CU_ASSERT_TRUE(rig_says(
        &r, "{'priority':3,'command':'offer','call-id':'m','from-tag':'a','sdp':'v=0'}", OFFERED));
    CU_ASSERT_EQUAL(r.ctl.refused, 3);
    CU_ASSERT_EQUAL(r.ctl.refused_urgent, 0);
    fake_gateway_refuse(r.gateway, "CPU usage limit exceeded", "CPU usage limit exceeded");
    fails(&r, "{'flags':['emergency'],'command':'offer','call-id':'o','from-tag':'a','sdp':'v=0'}",
          "CPU usage limit exceeded");
    CU_ASSERT_EQUAL(r.ctl.refused_urgent, 1);
    rig_fini(&r);
}

/* Negotiation finds that there is no room for what the answer makes of the call. */
static void test_command_ctl_6_an_answer_may_be_too_much(void)
{
    rig r;
    ring(&r);
    fake_session.fail = AGW_ERR_LIMIT;
    fake_session.why = "CPU usage limit exceeded";
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'supports':['load limit'],'command':'answer','call-id':'c',"
                            "'from-tag':'a','to-tag':'b','sdp':'v=0'}",
                            "{'result':'load limit','message':'CPU usage limit exceeded'}"));
    CU_ASSERT_EQUAL(r.ctl.refused, 1);
    fake_session.fail = AGW_OK;
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    fake_session.fail = AGW_ERR_LIMIT;
    fails(&r, ANSWER, "CPU usage limit exceeded"); /* the call stands: no refusal of a new one */
    CU_ASSERT_EQUAL(r.ctl.refused, 1);
    rig_fini(&r);
}

static void test_command_ctl_6_calls_that_stand_are_never_refused(void)
{
    rig r;
    ring(&r);
    fake_gateway_refuse(r.gateway, "CPU usage limit exceeded", "CPU usage limit exceeded");
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_EQUAL(r.ctl.refused, 0);
    rig_fini(&r);
}

static void test_command_ctl_6_refusals_are_told_when_they_begin_and_end(void)
{
    rig r;
    char text[400];
    agw_addr to;
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sin;
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&to, (struct sockaddr *)&sin), AGW_OK);
    rig_init(&r, &to);
    fake_gateway_refuse(r.gateway, "CPU usage limit exceeded", NULL);
    fails(&r, "{" NEW_OFFER "}", "CPU usage limit exceeded");
    CU_ASSERT_TRUE(next_event(fd, text, sizeof text) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"event\":\"overload\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"reason\":\"CPU usage limit exceeded\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "load is up to 83 %"));
    r.now += AGW_S(2);
    fails(&r, "{" NEW_OFFER "}", "CPU usage limit exceeded");
    r.now += AGW_S(5) - 1;
    agw_control_idle(&r.ctl, r.now);
    CU_ASSERT_TRUE(next_event(fd, text, sizeof text) < 0); /* once, however many there are */
    r.now++;
    agw_control_idle(&r.ctl, r.now);
    CU_ASSERT_TRUE(next_event(fd, text, sizeof text) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"event\":\"overload-over\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2 refused in 2.0 s, 0 of them urgent"));
    agw_control_idle(&r.ctl, r.now + AGW_S(60));
    CU_ASSERT_TRUE(next_event(fd, text, sizeof text) < 0);
    close(fd);
    rig_fini(&r);
}

#define FRAGMENT(from)                                                                             \
    "{'command':'offer','call-id':'c','from-tag':'" from "','flags':['fragment'],"                 \
    "'sdp':'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host'}"

static void test_command_ng_4_fragment_needs_no_answer_sdp(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, FRAGMENT("b"), OK));
    CU_ASSERT_EQUAL(fake_session_fragments, 1);
    CU_ASSERT_EQUAL(fake_session_fragment_side, AGW_SIDE_B);
    fake_session.trickle = AGW_ERR_MALFORMED;
    fails(&r, FRAGMENT("a"), "Failed to parse SDP");
    rig_fini(&r);
}

static void test_command_rfc8840_fragment_before_its_call_is_kept_for_10_s(void)
{
    for (int late = 0; late < 2; late++) {
        rig r;
        rig_init(&r, NULL);
        CU_ASSERT_TRUE(rig_says(&r, FRAGMENT("a"), OK));
        CU_ASSERT_TRUE(rig_says(&r, FRAGMENT("somebody"), OK));
        CU_ASSERT_EQUAL(agw_calls_count(r.calls), 0);
        r.now += AGW_S(10) - 1 + late;
        rig_call(&r);
        CU_ASSERT_EQUAL(fake_session_fragments, late ? 0 : 1);
        rig_fini(&r);
    }
}

static void test_command_rfc8840_fragment_waits_for_the_answer_of_its_credentials(void)
{
    rig r;
    talk(&r);
    fake_session.trickle = AGW_ERR_NOT_FOUND;
    CU_ASSERT_TRUE(rig_says(&r, FRAGMENT("b"), OK));
    CU_ASSERT_EQUAL(agw_fragments_count(r.ctl.fragments), 1);
    fake_session.trickle = AGW_OK;
    rig_call(&r);
    CU_ASSERT_EQUAL(fake_session_fragments, 1);
    CU_ASSERT_EQUAL(agw_fragments_count(r.ctl.fragments), 0);
    rig_fini(&r);
}

static void test_command_fragments_kept_are_bounded(void)
{
    agw_fragments *kept = agw_fragments_new();
    char text[AGW_FRAGMENT_BYTES + 1];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < AGW_FRAGMENTS_MAX + 9; i++)
        agw_fragments_keep(kept, 0, "c", "a", text, 1);
    CU_ASSERT_EQUAL(agw_fragments_count(kept), AGW_FRAGMENTS_MAX);
    agw_fragments_keep(kept, 0, "c", "a", text, AGW_FRAGMENT_BYTES + 1);
    CU_ASSERT_EQUAL(agw_fragments_count(kept), AGW_FRAGMENTS_MAX);
    for (int i = 0; i < 17; i++)
        agw_fragments_keep(kept, 0, "c", "a", text, AGW_FRAGMENT_BYTES);
    CU_ASSERT_EQUAL(agw_fragments_count(kept), 16);
    agw_fragments_free(kept);
}

/* --- delete ------------------------------------------------------------------------------------
 */

#define WARNING "{'warning':'Call-ID not found or tags didn't match','result':'ok'}"
#define DELETE  "{'command':'delete','call-id':'c','from-tag':'a','flags':['fast']}"
#define DELETE_NOW                                                                                 \
    "{'command':'delete','call-id':'c','from-tag':'a','flags':['fast'],'delete-delay':0}"

static void test_command_ng_8_16_delete_of_an_unknown_call_warns(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, DELETE, WARNING));
    rig_call(&r);
    CU_ASSERT_TRUE(rig_says(
        &r, "{'command':'delete','call-id':'c','from-tag':'z','flags':['fast']}", WARNING));
    fails(&r, "{'command':'delete','call-id':'c','from-tag':'z','flags':['fatal']}",
          "Call-ID not found or tags didn't match");
    CU_ASSERT_TRUE(rig_says(
        &r, "{'command':'delete','call-id':'c','from-tag':'a','to-tag':'z','flags':['fast']}",
        WARNING));
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 1);
    rig_fini(&r);
}

static void test_command_ng_8_16_delete_waits_for_its_delay(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE, OK));
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 0); /* no longer counts against max-sessions */
    rig_at(&r, r.now + AGW_S(30) - 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_at(&r, r.now + 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_command_ng_5_delete_delay_has_two_spellings(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_NOW, OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_call(&r);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'delete','call-id':'c','from-tag':'a','flags':['fast'],"
                            "'delete delay':0,'delete-delay':'0'}",
                            OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_command_ng_8_16_a_new_offer_revives_a_deleted_call(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE, OK));
    rig_call(&r);
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 1);
    rig_at(&r, r.now + AGW_S(31));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

static void test_command_ng_8_16_a_retry_with_another_tag_is_a_new_call(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE, OK));
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'offer','call-id':'c','from-tag':'a9','sdp':'v=0'}", OFFERED));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(agw_calls_find(r.calls, "c"), AGW_SIDE_A), "a9");
    rig_fini(&r);
}

/* Of a dialogue that has ended, but whose delay has not. While it stands it is a stranger's. */
static void test_command_ng_8_16_a_new_caller_after_the_end_is_a_new_call(void)
{
    static const char *const NEW = "{'command':'offer','call-id':'c','from-tag':'a9','sdp':'v=0'}";
    rig r;
    talk(&r);
    fails(&r, NEW, "Invalid dialogue association");
    CU_ASSERT_TRUE(rig_says(&r, DELETE, OK));
    CU_ASSERT_TRUE(rig_says(&r, NEW, OFFERED));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_EQUAL(agw_calls_started(r.calls), 2);
    rig_at(&r, r.now + AGW_S(31));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

static void test_command_ng_8_16_a_retry_after_a_refusal_starts_anew(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE, OK));
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_EQUAL(agw_calls_started(r.calls), 2);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED)); /* but not while it stands */
    CU_ASSERT_EQUAL(agw_calls_started(r.calls), 2);
    rig_fini(&r);
}

#define OFFER_B2 "{'command':'offer','call-id':'c','from-tag':'a','via-branch':'b2','sdp':'v=0'}"
#define DELETE_BRANCH(b)                                                                           \
    "{'command':'delete','call-id':'c','from-tag':'a','via-branch':'" b                            \
    "','flags':['fast'],'delete-delay':0}"

static void test_command_ng_8_16_the_call_goes_with_its_last_branch(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, OFFER_B2, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("b1"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("b2"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_command_ng_8_16_an_unanswered_call_goes_at_once(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'delete','call-id':'c','from-tag':'a','to-tag':'refuser',"
                            "'flags':['fast'],'delete-delay':0}",
                            OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

static void test_command_ims_7_refused_reoffer_restores_what_stood(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'offer','call-id':'c','from-tag':'a','to-tag':'b',"
                            "'via-branch':'re','sdp':'v=0'}",
                            OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
    CU_ASSERT_EQUAL(fake_session_rollbacks, 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("bye"), OK));
    CU_ASSERT_EQUAL(fake_session_rollbacks, 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

#define REOFFER(from, to, branch)                                                                  \
    "{'command':'offer','call-id':'c','from-tag':'" from "','to-tag':'" to                         \
    "','via-branch':'" branch "','sdp':'v=0'}"

static void test_command_rfc6337_crossing_reoffers_are_refused_one_by_one(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "x"), OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, REOFFER("b", "a", "y"), "{'sdp':'offer to A','result':'ok'}"));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("x"), OK));
    CU_ASSERT_EQUAL(fake_session_rollbacks, 0);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("y"), OK));
    CU_ASSERT_EQUAL(fake_session_rollbacks, 1);
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    rig_fini(&r);
}

/* Relayed as it came, say, and refused by the far end as well (T.38: m=image alone). */
static void test_command_ims_7_a_reoffer_that_we_refused_or_passed_on_can_be_given_up(void)
{
    for (int looped = 0; looped < 2; looped++) {
        rig r;
        talk(&r);
        fake_session.looped = looped;
        fake_session.fail = looped ? AGW_OK : AGW_ERR_UNSUPPORTED;
        fake_session.why = "Error rewriting SDP";
        char *reply = rig_ask(&r, REOFFER("b", "a", "re"));
        CU_ASSERT_EQUAL(strstr(reply, "'result':'ok'") != NULL, looped);
        g_free(reply);
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
        CU_ASSERT_EQUAL(agw_calls_count(r.calls), 1);
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK)); /* once */
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
        rig_fini(&r);
    }
}

#define ANSWER_AS(code)                                                                            \
    "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b','sip-code':" code ",'sdp':'v="  \
    "0'}"

static void test_command_rfc3261_14_1_a_reoffer_is_refused_after_its_183(void)
{
    for (int accepted = 0; accepted < 2; accepted++) {
        rig r;
        talk(&r);
        CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "re"), OFFERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
        if (accepted)
            CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("200"), ANSWERED));
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), accepted ? 0 : 1);
        rig_fini(&r);
    }
}

/* An UPDATE while a re-INVITE has its 183: what it has settled stands when the re-INVITE is
 * refused, and what it asks for is still asked then (RFC 6141 section 3). */
static void test_command_rfc6141_3_a_reinvite_is_refused_after_an_update(void)
{
    enum { ANSWERED_BEFORE, REFUSED_BEFORE, REFUSED_BEHIND, ANSWERED_BEHIND, ORDERS };
    for (int order = 0; order < ORDERS; order++) {
        rig r;
        rig_init(&r, NULL);
        rig_call(&r);
        CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "re"), OFFERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
        CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "up"), OFFERED));
        if (order == ANSWERED_BEFORE)
            CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
        if (order == REFUSED_BEFORE)
            CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("up"), OK));
        const size_t rollbacks = fake_session_rollbacks;
        CU_ASSERT_EQUAL(rollbacks, order == REFUSED_BEFORE ? 1 : 0);
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
        CU_ASSERT_EQUAL(fake_session_rollbacks, rollbacks); /* the UPDATE's is not taken back */
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
        CU_ASSERT_EQUAL(agw_calls_count(r.calls), 1);
        if (order == ANSWERED_BEHIND)
            CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
        if (order == REFUSED_BEHIND)
            CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("up"), OK));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK)); /* once */
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
        rig_fini(&r);
    }
}

#define QUERY_AS(code, from, to)                                                                   \
    "{'command':'query','call-id':'c','from-tag':'" from "','to-tag':'" to "','sip-code':" code "}"

/* Any command may tell it, with the tags either way round. */
static void test_command_rfc3262_5_a_200_without_sdp_is_told_by_any_command(void)
{
    static const char *const NOT[] = {QUERY_AS("180", "a", "b"), QUERY_AS("200", "a", "z"),
                                      QUERY_AS("200", "a", "a"), QUERY_AS("200", "a", ""),
                                      "{'command':'query','call-id':'c','sip-code':200}"};
    rig r;
    rig_init(&r, NULL);
    g_free(rig_ask(&r, QUERY_AS("200", "a", "b"))); /* there is no such call */
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
    for (size_t i = 0; i < G_N_ELEMENTS(NOT); i++)
        g_free(rig_ask(&r, NOT[i]));
    CU_ASSERT_EQUAL(fake_session_accepted, 0);
    g_free(rig_ask(&r, QUERY_AS("200", "a", "b")));
    CU_ASSERT_EQUAL(fake_session_accepted, 1);
    g_free(rig_ask(&r, QUERY_AS("202", "b", "a")));
    CU_ASSERT_EQUAL(fake_session_accepted, 2);
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("200"), ANSWERED)); /* it has its SDP */
    CU_ASSERT_EQUAL(fake_session_accepted, 2);
    rig_fini(&r);
}

#define ANSWER_OF(tag, code, sdp)                                                                  \
    "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'" tag "'," code "'sdp':'" sdp "'}"
#define EARLY "'sip-code':183,"

static const char *in_use(const rig *r)
{
    return agw_calls_tag(agw_calls_find(r->calls, "c"), AGW_SIDE_B);
}

/* What it has answered last counts, as if it came with the 200. */
static void test_command_rfc3262_5_an_older_branch_has_the_call_without_sdp(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b1", EARLY, "one"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b1", "u"), OFFERED)); /* an UPDATE */
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b1", "", "one again"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b2", EARLY, "two"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b3", "", "three"), ANSWERED));
    g_free(rig_ask(&r, QUERY_AS("200", "b1", "a")));
    CU_ASSERT_STRING_EQUAL(fake_session_said, "one again");
    CU_ASSERT_STRING_EQUAL(in_use(&r), "b1");
    CU_ASSERT_EQUAL(fake_session_accepted, 1);
    g_free(rig_ask(&r, QUERY_AS("200", "b2", "a"))); /* the other one's is too late */
    CU_ASSERT_STRING_EQUAL(fake_session_said, "one again");
    CU_ASSERT_STRING_EQUAL(in_use(&r), "b1");
    CU_ASSERT_EQUAL(fake_session_accepted, 1);
    rig_fini(&r);
}

/* With its 200 the re-INVITE is over; so is one that has the UPDATE's via-branch, as a script may
 * give all of them the same. */
static void test_command_rfc6141_3_a_reinvite_is_accepted_after_an_update(void)
{
    for (int same = 0; same < 2; same++) {
        rig r;
        rig_init(&r, NULL);
        rig_call(&r);
        CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "re"), OFFERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
        CU_ASSERT_TRUE(
            rig_says(&r, same ? REOFFER("a", "b", "re") : REOFFER("a", "b", "up"), OFFERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
        if (!same)
            CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("200"), ANSWERED));
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
        rig_fini(&r);
    }
}

/* An UPDATE of either side in another branch is open: it is given up, and what becomes of it in the
 * end changes nothing. */
static void test_command_rfc3262_5_an_older_branch_has_the_call_while_an_offer_is_open(void)
{
    static const char *const OPEN[] = {REOFFER("a", "b2", "u"), REOFFER("b2", "a", "u")};
    for (size_t i = 0; i < G_N_ELEMENTS(OPEN); i++) {
        rig r;
        rig_init(&r, NULL);
        CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b1", EARLY, "one"), ANSWERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b2", EARLY, "two"), ANSWERED));
        g_free(rig_ask(&r, OPEN[i]));
        g_free(rig_ask(&r, QUERY_AS("200", "b1", "a")));
        CU_ASSERT_EQUAL(fake_session_rollbacks, 1);
        CU_ASSERT_STRING_EQUAL(fake_session_said, "one");
        CU_ASSERT_STRING_EQUAL(in_use(&r), "b1");
        CU_ASSERT_EQUAL(fake_session_accepted, 1);
        CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("u"), OK));
        CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
        CU_ASSERT_EQUAL(agw_calls_count(r.calls), 1);
        rig_fini(&r);
    }
}

/* The session has another offer then. */
static void test_command_rfc3262_5_answers_are_not_kept_beyond_an_answered_offer_back(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b1", EARLY, "one"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b2", EARLY, "two"), ANSWERED));
    g_free(rig_ask(&r, REOFFER("b2", "a", "u")));
    g_free(
        rig_ask(&r, "{'command':'answer','call-id':'c','from-tag':'b2','to-tag':'a','sdp':'x'}"));
    g_free(rig_ask(&r, QUERY_AS("200", "b1", "a")));
    CU_ASSERT_STRING_EQUAL(fake_session_said, "x");
    CU_ASSERT_STRING_EQUAL(in_use(&r), "b2");
    CU_ASSERT_EQUAL(fake_session_accepted, 0);
    rig_fini(&r);
}

/* It answers the offer that went there. */
static void test_command_rfc3262_5_an_older_branch_is_accepted_by_its_via_branch(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, OFFER_B2, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("t1", EARLY "'via-branch':'b1',", "one"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("t2", EARLY "'via-branch':'b2',", "two"), ANSWERED));
    CU_ASSERT_STRING_EQUAL(fake_session_via, "b2");
    g_free(rig_ask(&r, QUERY_AS("200", "t1", "a")));
    CU_ASSERT_STRING_EQUAL(fake_session_said, "one");
    CU_ASSERT_STRING_EQUAL(fake_session_via, "b1");
    rig_fini(&r);
}

/* It was not told to be provisional, is over, or the branch has offered since. */
static void test_command_rfc3262_5_answers_that_are_not_kept(void)
{
    static const char *const LAST[] = {ANSWER_OF("b2", "", "two"),
                                       ANSWER_OF("b2", "'sip-code':200,", "two"),
                                       REOFFER("b1", "a", "u")};
    for (size_t i = 0; i < G_N_ELEMENTS(LAST); i++) {
        rig r;
        ring(&r);
        CU_ASSERT_TRUE(rig_says(
            &r, i == 0 ? ANSWER_OF("b1", "", "one") : ANSWER_OF("b1", EARLY, "one"), ANSWERED));
        CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b2", "", "two"), ANSWERED));
        g_free(rig_ask(&r, LAST[i]));
        if (i == 2)
            CU_ASSERT_TRUE(rig_says(&r, ANSWER_OF("b2", "", "two"), ANSWERED));
        g_free(rig_ask(&r, QUERY_AS("200", "b1", "a")));
        CU_ASSERT_STRING_EQUAL(fake_session_said, "two");
        CU_ASSERT_EQUAL(fake_session_accepted, 0);
        rig_fini(&r);
    }
}

static void test_command_rfc3262_5_a_reoffer_is_accepted_by_a_200_without_sdp(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, REOFFER("a", "b", "re"), OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
    g_free(rig_ask(&r, QUERY_AS("200", "b", "a")));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("re"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

/* The next place is tried after early media of one before: an offer without to-tag is of no
 * dialogue, and its refusal ends what it began. */
static void test_command_ng_8_16_a_refused_branch_is_no_reoffer(void)
{
    rig r;
    ring(&r);
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("b1"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, ANSWER_AS("183"), ANSWERED));
    CU_ASSERT_TRUE(rig_says(&r, OFFER_B2, OFFERED));
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("b1"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_BRANCH("b2"), OK));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gateway), 0);
    rig_fini(&r);
}

/* --- query, list, statistics -------------------------------------------------------------------
 */

static agw_doc *query(rig *r)
{
    const char *why;
    const char *request = "{\"command\":\"query\",\"call-id\":\"c\"}";
    agw_doc *doc = agw_json_parse(request, strlen(request), &why);
    agw_doc *reply = agw_command_run(&r->ctl, doc, NULL, r->now);
    agw_doc_free(doc);
    return reply;
}

static int64_t number(const agw_doc *dict, const char *key)
{
    int64_t n = -1;
    CU_ASSERT_TRUE(agw_doc_int(dict, key, &n));
    return n;
}

static void fill_stats(rig *r)
{
    agw_media_stats *stats = agw_gateway_media_stats(fake_gateway_last_call(r->gateway), 1);
    agw_counter_set(&stats->end[0].rtp_in.packets, 100);
    agw_counter_set(&stats->end[0].rtp_in.bytes, 17200);
    agw_counter_set(&stats->end[0].rtp_in.last_at, (uint64_t)r->now);
    agw_counter_set(&stats->end[0].ssrc_in, 4000000000u);
    agw_counter_set(&stats->end[0].dropped, 3);
    agw_counter_set(&stats->end[1].rtp_in.packets, 50);
    agw_counter_set(&stats->end[1].rtcp_in.packets, 5);
    agw_counter_set(&stats->end[1].rtcp_in.bytes, 500);
}

static void test_command_ng_7_query_has_what_kamailio_reads(void)
{
    rig r;
    talk(&r);
    fill_stats(&r);
    agw_doc *reply = query(&r);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(reply, "result"), "ok");
    CU_ASSERT_TRUE(number(reply, "created") > 1500000000);
    CU_ASSERT_TRUE(number(reply, "last signal") > 1500000000);
    const agw_doc *totals = agw_doc_get(reply, "totals");
    const agw_doc *rtp = agw_doc_get(totals, "RTP"), *rtcp = agw_doc_get(totals, "RTCP");
    CU_ASSERT_EQUAL(number(rtp, "packets"), 150);
    CU_ASSERT_EQUAL(number(rtp, "bytes"), 17200);
    CU_ASSERT_EQUAL(number(rtp, "errors"), 3);
    CU_ASSERT_EQUAL(number(rtcp, "packets"), 5);
    CU_ASSERT_EQUAL(number(rtcp, "bytes"), 500);
    CU_ASSERT_EQUAL(number(rtcp, "errors"), 0);
    const agw_doc *ssrc = agw_doc_get(agw_doc_get(reply, "SSRC"), "4000000000");
    CU_ASSERT_EQUAL(number(ssrc, "packets"), 100);
    CU_ASSERT_EQUAL(number(ssrc, "bytes"), 17200);
    CU_ASSERT_EQUAL(agw_doc_count(agw_doc_get(reply, "SSRC")), 1);
    const agw_doc *mos = agw_doc_get(ssrc, "average MOS");
    CU_ASSERT_TRUE(number(mos, "MOS") >= 10 && number(mos, "MOS") <= 45);
    CU_ASSERT_EQUAL(number(mos, "samples"), 1);
    static const char *const KEYS[] = {"MOS",    "round-trip time", "round-trip time leg",
                                       "jitter", "packet loss",     "reported at"};
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        int64_t n;
        CU_ASSERT_TRUE(agw_doc_int(agw_doc_get(ssrc, "lowest MOS"), KEYS[i], &n));
        CU_ASSERT_TRUE(agw_doc_int(agw_doc_get(ssrc, "highest MOS"), KEYS[i], &n));
    }
    CU_ASSERT_EQUAL(number(mos, "packet loss"), number(ssrc, "cumulative loss") * 100 /
                                                    (number(ssrc, "cumulative loss") + 100));
    agw_doc_free(reply);
    rig_fini(&r);
}

static const agw_doc *media_of(const agw_doc *reply, const char *tag)
{
    const agw_doc *party = agw_doc_get(agw_doc_get(reply, "tags"), tag);
    const agw_doc *medias = agw_doc_get(party, "medias");
    CU_ASSERT_PTR_NOT_NULL_FATAL(medias);
    CU_ASSERT_FATAL(agw_doc_count(medias) > 0);
    return agw_doc_at(medias, 0);
}

static void test_command_ng_7_query_shows_parties_and_streams(void)
{
    rig r;
    talk(&r);
    fill_stats(&r);
    agw_doc *reply = query(&r);
    const agw_doc *access = media_of(reply, "a"), *core = media_of(reply, "b");
    CU_ASSERT_EQUAL(number(access, "index"), 1);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(access, "protocol"), "UDP/TLS/RTP/SAVPF");
    CU_ASSERT_TRUE(agw_doc_list_has(access, "flags", "DTLS role passive"));
    CU_ASSERT_EQUAL(agw_doc_count(agw_doc_get(access, "streams")), 1); /* rtcp-mux */
    const agw_doc *streams = agw_doc_get(core, "streams");
    CU_ASSERT_EQUAL_FATAL(agw_doc_count(streams), 2);
    const agw_doc *rtp = agw_doc_at(streams, 0), *rtcp = agw_doc_at(streams, 1);
    CU_ASSERT_EQUAL(number(rtp, "local port"), 30000);
    CU_ASSERT_EQUAL(number(rtcp, "local port"), 30001);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(rtp, "local address"), "10.1.0.1");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(rtp, "family"), "IPv4");
    CU_ASSERT_EQUAL(number(rtp, "SSRC"), 0);
    CU_ASSERT_EQUAL(number(agw_doc_get(rtp, "endpoint"), "port"), 4000);
    CU_ASSERT_EQUAL(number(agw_doc_get(rtp, "stats"), "packets"), 50);
    CU_ASSERT_TRUE(agw_doc_list_has(rtp, "flags", "RTP"));
    CU_ASSERT_FALSE(agw_doc_list_has(rtp, "flags", "RTCP"));
    CU_ASSERT_TRUE(agw_doc_list_has(rtcp, "flags", "RTCP"));
    CU_ASSERT_EQUAL(number(agw_doc_at(agw_doc_get(access, "streams"), 0), "SSRC"), 4000000000);
    agw_doc_free(reply);
    rig_fini(&r);
}

static void test_command_ng_7_query_shows_ice_and_dtls(void)
{
    rig r;
    talk(&r);
    agw_event event = {.kind = AGW_EVENT_ICE_CONNECTED, .transport_id = 1, .at = r.now};
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&event.remote, "10.0.0.77:5000"), AGW_OK);
    fake_gateway_push(r.gateway, fake_gateway_last_call(r.gateway), &event);
    event.kind = AGW_EVENT_DTLS_ESTABLISHED;
    g_strlcpy(event.detail, "DTLSv1.2 ECDHE-X AEAD_AES_128_GCM", sizeof event.detail);
    fake_gateway_push(r.gateway, fake_gateway_last_call(r.gateway), &event);
    rig_at(&r, r.now);
    agw_doc *reply = query(&r);
    const agw_doc *list = agw_doc_get(reply, "transports");
    CU_ASSERT_EQUAL_FATAL(agw_doc_count(list), 2);
    const agw_doc *t = agw_doc_at(list, 0);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(agw_doc_get(t, "ICE"), "state"), "connected");
    CU_ASSERT_EQUAL(number(agw_doc_get(agw_doc_get(t, "ICE"), "remote"), "port"), 5000);
    const agw_doc *dtls = agw_doc_get(t, "DTLS");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(dtls, "state"), "established");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(dtls, "version"), "DTLSv1.2");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(dtls, "cipher"), "ECDHE-X");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(dtls, "SRTP"), "AEAD_AES_128_GCM");
    CU_ASSERT_PTR_NULL(agw_doc_get(agw_doc_at(list, 1), "ICE"));
    agw_doc_free(reply);
    rig_fini(&r);
}

static void test_command_ng_7_largest_query_fits_a_datagram(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_session.medias = 128;
    rig_call(&r);
    for (int i = 0; i < 100; i++) {
        char *offer =
            g_strdup_printf("{'command':'offer','call-id':'c','from-tag':'a','sdp':'v=0',"
                            "'via-branch':'z9hG4bK4c2e.dc65945810dd900a51205eb350530.%d'}",
                            i);
        CU_ASSERT_TRUE(rig_says(&r, offer, OFFERED));
        g_free(offer);
    }
    char *reply = rig_ask(&r, "{'command':'query','call-id':'c'}");
    CU_ASSERT_TRUE(strlen(reply) < AGW_NG_DATAGRAM_MAX - AGW_NG_COOKIE_MAX);
    g_free(reply);
    rig_fini(&r);
}

static void test_command_ng_5_labels_belong_to_who_speaks(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(
        &r, "{'command':'offer','call-id':'c','from-tag':'a','label':'A','sdp':'v=0'}", OFFERED));
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'answer','call-id':'c','from-tag':'a','to-tag':'b',"
                            "'label':'B','sdp':'v=0'}",
                            ANSWERED));
    agw_doc *reply = query(&r);
    const agw_doc *tags = agw_doc_get(reply, "tags");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(agw_doc_get(tags, "a"), "label"), "A");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(agw_doc_get(tags, "b"), "label"), "B");
    CU_ASSERT_STRING_EQUAL(agw_doc_str(agw_doc_get(tags, "b"), "in dialogue with"), "a");
    agw_doc_free(reply);
    rig_fini(&r);
}

static void test_command_ng_4_list_is_limited(void)
{
    rig r;
    rig_init(&r, NULL);
    CU_ASSERT_TRUE(rig_says(&r, "{'command':'list'}", "{'calls':[],'result':'ok'}"));
    for (int i = 0; i < 3; i++) {
        char *offer =
            g_strdup_printf("{'command':'offer','call-id':'c%d','from-tag':'a','sdp':'v=0'}", i);
        CU_ASSERT_TRUE(rig_says(&r, offer, OFFERED));
        g_free(offer);
    }
    CU_ASSERT_TRUE(rig_says(&r, "{'command':'list'}", "{'calls':['c0','c1','c2'],'result':'ok'}"));
    CU_ASSERT_TRUE(
        rig_says(&r, "{'command':'list','limit':'2'}", "{'calls':['c0','c1'],'result':'ok'}"));
    fails(&r, "{'command':'list','limit':-1}", "invalid limit, must be >= 0");
    rig_fini(&r);
}

static void test_command_ctl_7_capabilities(void)
{
    static const char *const PARTS[] = {"{'commands':['ping','offer',",
                                        "'capabilities'",
                                        "{'name':'access','profile':'none','IPv4':'10.0.0.1',",
                                        "'transport protocols':['RTP/AVP',",
                                        "'SDES suites':['AES_CM_128_HMAC_SHA1_80',",
                                        "'DTLS-SRTP profiles':['SRTP",
                                        "'result':'ok'}"};
    rig r;
    rig_init(&r, NULL);
    char *reply = rig_ask(&r, "{'command':'capabilities'}");
    for (size_t i = 0; i < G_N_ELEMENTS(PARTS); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(reply, PARTS[i]));
    CU_ASSERT_PTR_NULL(strstr(reply, "NULL_HMAC"));
    g_free(reply);
    rig_fini(&r);
}

/* Nothing was negotiated: no call stands for it, and a call that stands does not hear of it. */
static void test_command_ng_6_looped_messages_leave_no_trace(void)
{
    rig r;
    rig_init(&r, NULL);
    fake_session.looped = true;
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 0);
    fake_session.looped = false;
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    fake_session.looped = true;
    CU_ASSERT_TRUE(rig_says(&r, ANSWER, ANSWERED));
    CU_ASSERT_STRING_EQUAL(agw_calls_tag(agw_calls_find(r.calls, "c"), AGW_SIDE_B), "");
    rig_fini(&r);
}

static void test_command_ng_4_statistics_count(void)
{
    rig r;
    talk(&r);
    CU_ASSERT_TRUE(rig_says(&r, DELETE_NOW, OK));
    rig_call(&r);
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "command", "statistics");
    agw_doc *reply = agw_command_run(&r.ctl, doc, NULL, r.now);
    const agw_doc *stats = agw_doc_get(reply, "statistics");
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "currentstatistics"), "sessionsown"), 1);
    const agw_doc *worker = agw_doc_at(agw_doc_get(stats, "workers"), 0);
    CU_ASSERT_EQUAL(number(worker, "busy %"), 70);
    CU_ASSERT_EQUAL(number(worker, "expected %"), 83);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "load"), "limit"), 80);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "load"), "urgent limit"), 125);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "load"), "refusing"), 0);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "totalstatistics"), "managedsessions"), 2);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "totalstatistics"), "regularterminatedsessions"), 1);
    CU_ASSERT_EQUAL(number(agw_doc_get(stats, "drops"), "srtp-auth"), 0);
    CU_ASSERT_EQUAL(agw_doc_count(agw_doc_get(stats, "drops")), AGW_DROP_COUNT - 1);
    const agw_doc *commands = agw_doc_get(agw_doc_get(stats, "control"), "commands");
    CU_ASSERT_EQUAL(number(commands, "offer"), 2);
    agw_doc_free(reply);
    agw_doc_free(doc);
    rig_fini(&r);
}

static void test_command_ng_4_statistics_of_a_worker(void)
{
    rig r;
    rig_init(&r, NULL);
    agw_worker_stats *stats = fake_gateway_stats(r.gateway);
    r.config.gateway.tick_us = 500;
    agw_counter_set(&stats->busy_ns, (uint64_t)AGW_MS(2500));
    agw_counter_set(&stats->waits, 20);
    agw_counter_set(&stats->paced_waits, 15);
    agw_counter_set(&stats->batches[0], 4);
    agw_counter_set(&stats->batches[6], 2);
    agw_counter_set(&stats->drops[AGW_DROP_OVERSIZE], 7);
    agw_histogram_add(&stats->transit, 100);
    agw_histogram_add(&stats->transit, 300);
    char *plain = rig_ask(&r, "{'command':'statistics'}");
    CU_ASSERT_PTR_NOT_NULL(strstr(plain,
                                  "'waits':20,'paced waits':15,'CPU us':1500000,"
                                  "'mailbox':3,'busy us':2500000,'busy %':70,"
                                  "'access ports %':0,'expected %':83,"
                                  "'silent calls':0,'coding %':0,'batches':{'1':4,'2 to 3':0,"
                                  "'4 to 7':0,'8 to 15':0,'16 to 31':0,'32 to 63':0,'64':2},"
                                  "'drops':{'oversize':7},'transit':{'samples':2,"
                                  "'mean ns':200,'p50 ns':103,'p99 ns':303,'p99.9 ns':303,"
                                  "'max ns':303}}]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(plain, "'tick us':500,'workers':[{"));
    CU_ASSERT_PTR_NOT_NULL(strstr(plain, "'handshake threads':{'CPU us':400000,'mailbox':2}"));
    g_free(plain);
    char *with = rig_ask(&r, "{'command':'statistics','flags':['histograms']}");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(with, "'max ns':303,'buckets':[103,1,303,1]}}],'transit':{'samples':2,"));
    CU_ASSERT_EQUAL(g_hash_table_size(r.ctl.seen_unknown), 0);
    g_free(with);
    rig_fini(&r);
}

static size_t bytes_of_statistics(rig *r, size_t workers)
{
    fake_gateway_set_workers(r->gateway, workers);
    char *reply = rig_ask(r, "{'command':'statistics','flags':['histograms']}");
    const size_t len = strlen(reply);
    g_free(reply);
    return len;
}

/* After years, and with transit times of every size from a microsecond to eight seconds. */
static void test_command_ng_4_statistics_of_many_workers_fit_a_datagram(void)
{
    enum { DATAGRAM = 65507 - 300, FIRST_BUCKET = 112 };
    rig r;
    rig_init(&r, NULL);
    agw_worker_stats *stats = fake_gateway_stats(r.gateway);
    const size_t plain = offsetof(agw_worker_stats, transit) / sizeof(agw_counter);
    for (size_t workers = 1; workers <= AGW_WORKERS_MAX; workers++, stats++) {
        for (size_t i = 0; i < plain; i++)
            agw_counter_set((agw_counter *)(void *)stats + i, (uint64_t)1e12);
        for (size_t i = FIRST_BUCKET; i < AGW_HISTOGRAM_BUCKETS; i++)
            agw_counter_set(&stats->transit.buckets[i], (uint64_t)1e7);
        CU_ASSERT_TRUE(bytes_of_statistics(&r, workers) < DATAGRAM);
    }
    rig_fini(&r);
}

/* Only who asks for it pays for it. */
static void test_command_ng_4_statistics_of_memory_by_flag(void)
{
    rig r;
    rig_init(&r, NULL);
    char *plain = rig_ask(&r, "{'command':'statistics'}");
    CU_ASSERT_PTR_NULL(strstr(plain, "'memory'"));
    g_free(plain);
    char *with = rig_ask(&r, "{'command':'statistics','flags':['memory']}");
    CU_ASSERT_PTR_NOT_NULL(strstr(with, "'memory':{'heap used':"));
    CU_ASSERT_PTR_NOT_NULL(strstr(with, "'heap held':"));
    g_free(with);
    CU_ASSERT_EQUAL(g_hash_table_size(r.ctl.seen_unknown), 0);
    rig_fini(&r);
}

static void test_command_ng_2_unknown_words_are_noted_once(void)
{
    rig r;
    ring(&r);
    const guint once = g_hash_table_size(r.ctl.seen_unknown);
    CU_ASSERT_EQUAL(once, 1);
    CU_ASSERT_TRUE(rig_says(&r, OFFER, OFFERED));
    CU_ASSERT_EQUAL(g_hash_table_size(r.ctl.seen_unknown), once);
    rig_fini(&r);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_command_ng_3_error_texts),
    AGW_CASE(test_command_ng_8_1_offer_answer_and_reverse_reoffer),
    AGW_CASE(test_command_ng_5_late_offer_has_its_tags_swapped),
    AGW_CASE(test_command_ng_8_2_an_unseen_to_tag_is_the_same_party),
    AGW_CASE(test_command_ims_6_a_branch_that_lost_is_not_the_one_in_use),
    AGW_CASE(test_command_ng_3_strangers_tags_are_refused),
    AGW_CASE(test_command_ng_3_failed_first_offer_leaves_nothing),
    AGW_CASE(test_command_ng_3_failed_reoffer_leaves_the_call),
    AGW_CASE(test_command_ng_3_only_new_calls_meet_the_session_limit),
    AGW_CASE(test_command_334_5_14_priority_changes_in_a_call),
    AGW_CASE(test_command_ims_11_emergency_calls_have_a_share_of_their_own),
    AGW_CASE(test_command_ng_3_out_of_ports_is_told),
    AGW_CASE(test_command_ctl_6_a_full_gateway_takes_urgent_calls_only),
    AGW_CASE(test_command_ctl_6_an_answer_may_be_too_much),
    AGW_CASE(test_command_ctl_6_calls_that_stand_are_never_refused),
    AGW_CASE(test_command_ctl_6_refusals_are_told_when_they_begin_and_end),
    AGW_CASE(test_command_ng_4_fragment_needs_no_answer_sdp),
    AGW_CASE(test_command_rfc8840_fragment_before_its_call_is_kept_for_10_s),
    AGW_CASE(test_command_rfc8840_fragment_waits_for_the_answer_of_its_credentials),
    AGW_CASE(test_command_fragments_kept_are_bounded),
    AGW_CASE(test_command_ng_8_16_delete_of_an_unknown_call_warns),
    AGW_CASE(test_command_ng_8_16_delete_waits_for_its_delay),
    AGW_CASE(test_command_ng_5_delete_delay_has_two_spellings),
    AGW_CASE(test_command_ng_8_16_a_new_offer_revives_a_deleted_call),
    AGW_CASE(test_command_ng_8_16_a_retry_with_another_tag_is_a_new_call),
    AGW_CASE(test_command_ng_8_16_a_new_caller_after_the_end_is_a_new_call),
    AGW_CASE(test_command_ng_8_16_a_retry_after_a_refusal_starts_anew),
    AGW_CASE(test_command_ng_8_16_the_call_goes_with_its_last_branch),
    AGW_CASE(test_command_ng_8_16_an_unanswered_call_goes_at_once),
    AGW_CASE(test_command_ims_7_refused_reoffer_restores_what_stood),
    AGW_CASE(test_command_rfc6337_crossing_reoffers_are_refused_one_by_one),
    AGW_CASE(test_command_ims_7_a_reoffer_that_we_refused_or_passed_on_can_be_given_up),
    AGW_CASE(test_command_rfc3261_14_1_a_reoffer_is_refused_after_its_183),
    AGW_CASE(test_command_rfc6141_3_a_reinvite_is_refused_after_an_update),
    AGW_CASE(test_command_rfc6141_3_a_reinvite_is_accepted_after_an_update),
    AGW_CASE(test_command_rfc3262_5_a_200_without_sdp_is_told_by_any_command),
    AGW_CASE(test_command_rfc3262_5_an_older_branch_has_the_call_without_sdp),
    AGW_CASE(test_command_rfc3262_5_an_older_branch_has_the_call_while_an_offer_is_open),
    AGW_CASE(test_command_rfc3262_5_answers_are_not_kept_beyond_an_answered_offer_back),
    AGW_CASE(test_command_rfc3262_5_an_older_branch_is_accepted_by_its_via_branch),
    AGW_CASE(test_command_rfc3262_5_answers_that_are_not_kept),
    AGW_CASE(test_command_rfc3262_5_a_reoffer_is_accepted_by_a_200_without_sdp),
    AGW_CASE(test_command_ng_8_16_a_refused_branch_is_no_reoffer),
    AGW_CASE(test_command_ng_7_query_has_what_kamailio_reads),
    AGW_CASE(test_command_ng_7_query_shows_parties_and_streams),
    AGW_CASE(test_command_ng_7_query_shows_ice_and_dtls),
    AGW_CASE(test_command_ng_7_largest_query_fits_a_datagram),
    AGW_CASE(test_command_ng_5_labels_belong_to_who_speaks),
    AGW_CASE(test_command_ng_4_list_is_limited),
    AGW_CASE(test_command_ctl_7_capabilities),
    AGW_CASE(test_command_ng_6_looped_messages_leave_no_trace),
    AGW_CASE(test_command_ng_4_statistics_count),
    AGW_CASE(test_command_ng_4_statistics_of_a_worker),
    AGW_CASE(test_command_ng_4_statistics_of_many_workers_fit_a_datagram),
    AGW_CASE(test_command_ng_4_statistics_of_memory_by_flag),
    AGW_CASE(test_command_ng_2_unknown_words_are_noted_once),
};

AGW_UNIT_MAIN("command", CASES)
