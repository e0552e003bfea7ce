/* SPDX-License-Identifier: BSD-3-Clause
 * A call that passes twice (hairpin): real offers and answers, on the fake gateway. */
#include "control/passes.h"

#include "control/command.h"
#include "control/negotiate_fixture.h"

typedef struct rig {
    agw_config config;
    agw_gateway *gw;
    agw_events *events;
    agw_calls *calls;
    agw_control ctl;
    agw_doc *reply; /* the last one */
} rig;

static void rig_open(rig *r)
{
    char why[128];
    memset(r, 0, sizeof *r);
    agw_log_init(AGW_LOG_ERROR, NULL);
    agw_config_init(&r->config);
    fake_gateway_config(&r->config.gateway);
    r->config.profiles[0] = AGW_REALM_WEBRTC;
    r->config.profiles[1] = AGW_REALM_IMS;
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&r->gw, &r->config.gateway, why, sizeof why), AGW_OK);
    r->events = agw_events_new();
    r->calls = agw_calls_new(&r->config, r->gw, r->events);
    agw_control_init(&r->ctl, &r->config, r->gw, r->calls, r->events);
}

static void rig_close(rig *r)
{
    agw_doc_free(r->reply);
    agw_control_fini(&r->ctl);
    agw_calls_free(r->calls);
    agw_events_free(r->events);
    agw_gateway_free(r->gw);
    agw_config_fini(&r->config);
}

static const char *result(const rig *r)
{
    const char *why = agw_doc_str(r->reply, "error-reason");
    return why != NULL ? why : agw_doc_str(r->reply, "result");
}

/* to and sdp: NULL = not there. Returns the result, or the error. */
static const char *ask(rig *r, const char *command, const char *from, const char *to,
                       const char *sdp)
{
    agw_doc *request = agw_doc_new_dict();
    agw_doc_set_str(request, "command", command);
    agw_doc_set_str(request, "call-id", "c");
    if (from != NULL)
        agw_doc_set_str(request, "from-tag", from);
    if (to != NULL)
        agw_doc_set_str(request, "to-tag", to);
    if (sdp != NULL)
        agw_doc_set_str(request, "sdp", sdp);
    agw_doc *reply = agw_command_run(&r->ctl, request, NULL, AGW_S(1000));
    agw_doc_free(request);
    agw_doc_free(r->reply);
    r->reply = reply;
    return result(r);
}

/* The SDP of the last reply, to be freed. */
static char *told(const rig *r)
{
    const char *sdp = agw_doc_str(r->reply, "sdp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(sdp);
    return g_strdup(sdp);
}

/* The same message comes past once more, as the gateway has just written it. */
static const char *again(rig *r, const char *command, const char *from, const char *to)
{
    char *sdp = told(r);
    const char *said = ask(r, command, from, to, sdp);
    g_free(sdp);
    return said;
}

static bool says(const rig *r, const char *part)
{
    const char *sdp = agw_doc_str(r->reply, "sdp");
    return sdp != NULL && strstr(sdp, part) != NULL;
}

#define B_ANSWERS WEB_ANSWER_A("Bb1G", PWD_2, FP_2, "active")

#define OK(call) CU_ASSERT_STRING_EQUAL_FATAL(call, "ok")

static void set_up(rig *r)
{
    OK(ask(r, "offer", "a", NULL, WEB_OFFER_A));
    CU_ASSERT_TRUE(says(r, "RTP/AVP") && !says(r, "ice-ufrag"));
    OK(again(r, "offer", "a", NULL));
    CU_ASSERT_TRUE(says(r, "UDP/TLS/RTP/SAVPF") && says(r, "ice-ufrag"));
    OK(ask(r, "answer", "a", "b", B_ANSWERS));
    CU_ASSERT_TRUE(says(r, "RTP/AVP") && !says(r, "ice-ufrag"));
    OK(again(r, "answer", "a", "b"));
    CU_ASSERT_TRUE(says(r, "UDP/TLS/RTP/SAVPF") && says(r, "ice-ufrag"));
}

static const agw_transport_plan *core_leg(const agw_ng_call *pass)
{
    const agw_plan *plan = fake_gateway_plan(pass->ref);
    for (size_t i = 0; i < plan->n_transports; i++) {
        if (!plan->transports[i].ice)
            return &plan->transports[i];
    }
    return NULL;
}

static bool sends_to(const agw_ng_call *from, const agw_ng_call *to)
{
    agw_side leg;
    const agw_transport_plan *t = core_leg(from);
    return t != NULL && agw_session_owns(to->session, &t->remote_rtp, &leg);
}

static void test_passes_ims_10_the_second_pass_has_a_call_of_its_own(void)
{
    rig r;
    rig_open(&r);
    set_up(&r);
    const agw_ng_call *first = agw_calls_find(r.calls, "c");
    CU_ASSERT_EQUAL_FATAL(agw_passes_count(first), 2);
    CU_ASSERT_EQUAL(agw_calls_count(r.calls), 2);
    CU_ASSERT_TRUE(sends_to(first, first->next_pass));
    CU_ASSERT_TRUE(sends_to(first->next_pass, first));
    rig_close(&r);
}

static void test_passes_ims_10_a_repeated_offer_begins_nothing(void)
{
    rig r;
    rig_open(&r);
    OK(ask(&r, "offer", "a", NULL, WEB_OFFER_A));
    char *between = told(&r);
    OK(ask(&r, "offer", "a", NULL, between));
    OK(ask(&r, "offer", "a", NULL, between));
    g_free(between);
    CU_ASSERT_EQUAL(agw_passes_count(agw_calls_find(r.calls, "c")), 2);
    rig_close(&r);
}

static void test_passes_ims_10_reoffers_of_both_ends_find_their_pass(void)
{
    rig r;
    rig_open(&r);
    set_up(&r);
    OK(ask(&r, "offer", "b", "a", SESSION("3") BUNDLE("0") WEB_AUDIO("9", "0", WEB_1)));
    CU_ASSERT_TRUE(says(&r, "RTP/AVP"));
    OK(again(&r, "offer", "b", "a"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    OK(ask(&r, "answer", "b", "a", WEB_ANSWER_A("Aa1G", PWD_1, FP_1, "active")));
    OK(again(&r, "answer", "b", "a"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    OK(ask(&r, "offer", "a", "b", WEB_OFFER_A));
    OK(again(&r, "offer", "a", "b"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    OK(ask(&r, "answer", "a", "b", B_ANSWERS));
    OK(again(&r, "answer", "a", "b"));
    const agw_ng_call *first = agw_calls_find(r.calls, "c");
    CU_ASSERT_EQUAL_FATAL(agw_passes_count(first), 2);
    CU_ASSERT_TRUE(sends_to(first, first->next_pass) && sends_to(first->next_pass, first));
    rig_close(&r);
}

/* INVITE without SDP: the offer is in the 200, the answer in the ACK (tags are swapped). */
static void test_passes_ims_10_a_late_offer_passes_twice_too(void)
{
    rig r;
    rig_open(&r);
    OK(ask(&r, "offer", "b", "a", WEB_OFFER_A));
    OK(again(&r, "offer", "b", "a"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    OK(ask(&r, "answer", "b", "a", B_ANSWERS));
    OK(again(&r, "answer", "b", "a"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    const agw_ng_call *first = agw_calls_find(r.calls, "c");
    CU_ASSERT_EQUAL_FATAL(agw_passes_count(first), 2);
    CU_ASSERT_TRUE(sends_to(first, first->next_pass) && sends_to(first->next_pass, first));
    rig_close(&r);
}

static void test_passes_ims_10_each_delete_ends_one_pass(void)
{
    rig r;
    rig_open(&r);
    r.config.delete_delay = 0;
    set_up(&r);
    agw_ng_call *first = agw_calls_find(r.calls, "c");
    OK(ask(&r, "delete", "a", NULL, NULL));
    CU_ASSERT_PTR_EQUAL(agw_calls_find(r.calls, "c"), first);
    CU_ASSERT_EQUAL(agw_passes_count(first), 1);
    OK(ask(&r, "delete", "a", NULL, NULL));
    CU_ASSERT_PTR_NULL(agw_calls_find(r.calls, "c"));
    CU_ASSERT_EQUAL(fake_gateway_calls(r.gw), 0);
    rig_close(&r);
}

/* A re-INVITE of the first pass whose 183 and UPDATE are behind it is refused. */
static void test_passes_ims_10_a_refusal_that_changes_nothing_finds_its_pass(void)
{
    rig r;
    rig_open(&r);
    set_up(&r);
    agw_ng_call *first = agw_calls_find(r.calls, "c");
    g_free(first->moot_branch[AGW_SIDE_A]);
    first->moot_branch[AGW_SIDE_A] = g_strdup("re");
    CU_ASSERT_PTR_EQUAL(agw_passes_to_delete(first, "re"), first);
    CU_ASSERT_PTR_EQUAL(agw_passes_to_delete(first, "bye"), first->next_pass);
    rig_close(&r);
}

static void test_passes_ims_10_the_first_pass_may_end_first(void)
{
    rig r;
    rig_open(&r);
    set_up(&r);
    agw_ng_call *first = agw_calls_find(r.calls, "c"), *second = first->next_pass;
    agw_calls_end(first, AGW_CALL_INACTIVE);
    CU_ASSERT_PTR_EQUAL(agw_calls_find(r.calls, "c"), second);
    agw_calls_end(second, AGW_CALL_INACTIVE);
    CU_ASSERT_PTR_NULL(agw_calls_find(r.calls, "c"));
    rig_close(&r);
}

/* A refusal of the first target, then another one: the first pass goes on, the second starts anew.
 */
static void test_passes_ims_10_a_refused_target_is_followed_by_another(void)
{
    rig r;
    rig_open(&r);
    OK(ask(&r, "offer", "a", NULL, WEB_OFFER_A));
    char *between = told(&r);
    OK(ask(&r, "offer", "a", NULL, between));
    agw_ng_call *first = agw_calls_find(r.calls, "c");
    OK(ask(&r, "answer", "a", "b1", B_ANSWERS));
    OK(ask(&r, "delete", "a", NULL, NULL));
    CU_ASSERT_NOT_EQUAL(first->next_pass->clock.delete_at, AGW_NEVER);
    OK(ask(&r, "offer", "a", NULL, between));
    g_free(between);
    CU_ASSERT_EQUAL_FATAL(agw_passes_count(first), 2);
    CU_ASSERT_FALSE(first->next_pass->clock.answered);
    CU_ASSERT_EQUAL(first->clock.delete_at, AGW_NEVER);
    rig_close(&r);
}

/* A peer that says our own address back to us is no second pass. */
static void test_passes_ims_10_an_echoed_answer_begins_nothing(void)
{
    rig r;
    rig_open(&r);
    OK(ask(&r, "offer", "a", NULL, WEB_OFFER_A));
    OK(again(&r, "answer", "a", "b"));
    CU_ASSERT_TRUE(says(&r, "UDP/TLS/RTP/SAVPF"));
    CU_ASSERT_EQUAL(agw_passes_count(agw_calls_find(r.calls, "c")), 1);
    rig_close(&r);
}

static void test_passes_ims_10_an_address_of_another_call_begins_nothing(void)
{
    rig r;
    rig_open(&r);
    OK(ask(&r, "offer", "a", NULL, WEB_OFFER_A));
    OK(ask(&r, "offer", "a", NULL, WEB_OFFER_A));
    CU_ASSERT_EQUAL(agw_passes_count(agw_calls_find(r.calls, "c")), 1);
    rig_close(&r);
}

static void test_passes_ims_10_a_loop_has_an_end(void)
{
    rig r;
    rig_open(&r);
    r.config.profiles[0] = r.config.profiles[1] = AGW_REALM_NONE;
    OK(ask(&r, "offer", "a", NULL, CORE_A));
    for (int i = 1; i < AGW_PASSES_MAX; i++)
        OK(again(&r, "offer", "a", NULL));
    CU_ASSERT_STRING_EQUAL(again(&r, "offer", "a", NULL), "Call loops through this gateway");
    CU_ASSERT_EQUAL(agw_passes_count(agw_calls_find(r.calls, "c")), AGW_PASSES_MAX);
    rig_close(&r);
}

static void test_passes_ims_10_listed_once_and_queried_as_one(void)
{
    rig r;
    rig_open(&r);
    set_up(&r);
    OK(ask(&r, "list", NULL, NULL, NULL));
    CU_ASSERT_EQUAL(agw_doc_count(agw_doc_get(r.reply, "calls")), 1);
    OK(ask(&r, "query", NULL, NULL, NULL));
    const agw_doc *passes = agw_doc_get(r.reply, "passes");
    CU_ASSERT_PTR_NOT_NULL_FATAL(passes);
    CU_ASSERT_EQUAL_FATAL(agw_doc_count(passes), 1);
    CU_ASSERT_PTR_NOT_NULL(agw_doc_get(agw_doc_at(passes, 0), "totals"));
    rig_close(&r);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_passes_ims_10_the_second_pass_has_a_call_of_its_own),
    AGW_CASE(test_passes_ims_10_a_repeated_offer_begins_nothing),
    AGW_CASE(test_passes_ims_10_reoffers_of_both_ends_find_their_pass),
    AGW_CASE(test_passes_ims_10_a_late_offer_passes_twice_too),
    AGW_CASE(test_passes_ims_10_each_delete_ends_one_pass),
    AGW_CASE(test_passes_ims_10_a_refusal_that_changes_nothing_finds_its_pass),
    AGW_CASE(test_passes_ims_10_the_first_pass_may_end_first),
    AGW_CASE(test_passes_ims_10_a_refused_target_is_followed_by_another),
    AGW_CASE(test_passes_ims_10_an_echoed_answer_begins_nothing),
    AGW_CASE(test_passes_ims_10_an_address_of_another_call_begins_nothing),
    AGW_CASE(test_passes_ims_10_a_loop_has_an_end),
    AGW_CASE(test_passes_ims_10_listed_once_and_queried_as_one),
};

AGW_UNIT_MAIN("passes", CASES)
