/* SPDX-License-Identifier: BSD-3-Clause
 * The lite agent on virtual time, against checks written by libnice. */
#include "ice/agent.h"

#include "checks.h"
#include "unit.h"
#include "vectors/vector.h"

#include <stun/usages/ice.h>

#define UFRAG      "gateWAY1"
#define PWD        "gatewaypasswordofgeneration1"
#define PEER_UFRAG "peer"
#define PEER_PWD   "peerpasswordofgenerationone"
#define NAME       UFRAG ":" PEER_UFRAG
#define UFRAG2     "gateWAY2"
#define PWD2       "gatewaypasswordofgeneration2"
#define PEER2      "pee2"
#define NAME2      UFRAG2 ":" PEER2

enum { PORT = 7 };

static agw_addr address(unsigned n)
{
    agw_addr a;
    char text[AGW_ADDR_TEXT];
    snprintf(text, sizeof text, "192.0.2.%u:%u", n, 5000 + n);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&a, text), AGW_OK);
    return a;
}

static agw_ice *agent(agw_ns now)
{
    agw_ice *ice = agw_ice_new(&(agw_ice_config){.lite = true,
                                                 .local_ufrag = UFRAG,
                                                 .local_pwd = PWD,
                                                 .remote_ufrag = PEER_UFRAG,
                                                 .remote_pwd = PEER_PWD,
                                                 .now = now});
    CU_ASSERT_PTR_NOT_NULL_FATAL(ice);
    return ice;
}

static agw_ice_result give_bytes(agw_ice *ice, agw_ns now, unsigned from, const uint8_t *buf,
                                 size_t len)
{
    const agw_addr a = address(from);
    uint8_t reply[AGW_STUN_REPLY_MAX];
    agw_ice_result res;
    agw_ice_on_stun(ice, now, PORT, &a, buf, len, reply, sizeof reply, &res);
    if (res.reply_len > 0) {
        agw_stun_msg msg;
        CU_ASSERT_EQUAL(agw_stun_parse(&msg, reply, res.reply_len), AGW_OK);
        CU_ASSERT_TRUE(agw_stun_fingerprint_ok(&msg, reply, res.reply_len));
    }
    return res;
}

static agw_ice_result give(agw_ice *ice, agw_ns now, unsigned from, const check *c)
{
    uint8_t buf[1024];
    return give_bytes(ice, now, from, buf, check_write(c, buf, sizeof buf));
}

/* A good check of address n; each has its own transaction. */
static agw_ice_result check_from(agw_ice *ice, agw_ns now, unsigned n, bool nominate,
                                 uint32_t priority)
{
    static uint32_t id = 1;
    id++;
    return give(ice, now, n,
                &(check){.username = NAME,
                         .pwd = PWD,
                         .use_candidate = nominate,
                         .priority = priority,
                         .id = id});
}

static unsigned selected(const agw_ice *ice)
{
    agw_ice_pair pair;
    return agw_ice_selected(ice, &pair) ? pair.remote.ip[3] : 0;
}

/* The peer of the capture: its real check, our credentials of that call. */
static void test_ice_chromium_check_is_answered(void)
{
    agw_ice *ice = agw_ice_new(&(agw_ice_config){.lite = true,
                                                 .local_ufrag = "06xRYpJm",
                                                 .local_pwd = "70Ag2hcT5W3Nxcv1I2O5MuX1Nc",
                                                 .remote_ufrag = "S37V",
                                                 .remote_pwd = "w1Repjd8CDAWpDFYzn6Zz53w"});
    CU_ASSERT_PTR_NOT_NULL_FATAL(ice);
    uint8_t buf[512];
    const size_t len = vector_read("stun/chromium156-check.bin", buf, sizeof buf);
    const agw_ice_result res = give_bytes(ice, AGW_S(1), 1, buf, len);
    CU_ASSERT_EQUAL(res.drop, AGW_ICE_DROP_NONE);
    CU_ASSERT_TRUE(res.reply_len > 0 && res.new_remote && res.selected_changed && res.connected);
    CU_ASSERT_EQUAL(res.selected.port_id, PORT);
    CU_ASSERT_EQUAL(selected(ice), 1);
    agw_ice_free(ice);
}

/* Request and response by libnice's ICE usage: another implementation on both ways. */
static void test_ice_rfc8445_7_3_libnice_peer_connects(void)
{
    agw_ice *ice = agent(0);
    static StunAgent nice;
    stun_agent_init(&nice, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    StunMessage request, response;
    static const uint8_t USER[] = NAME, KEY[] = PWD;
    uint8_t buf[1024], reply[AGW_STUN_REPLY_MAX];
    const size_t len = stun_usage_ice_conncheck_create(
        &nice, &request, buf, sizeof buf, USER, sizeof USER - 1, KEY, sizeof KEY - 1, true, true,
        99, 12345, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    const agw_addr from = address(3);
    agw_ice_result res;
    agw_ice_on_stun(ice, 0, PORT, &from, buf, len, reply, sizeof reply, &res);
    CU_ASSERT_TRUE(res.connected);
    CU_ASSERT_EQUAL(stun_agent_validate(&nice, &response, reply, res.reply_len, NULL, NULL),
                    STUN_VALIDATION_SUCCESS);
    struct sockaddr_storage addr;
    socklen_t addr_len = sizeof addr;
    agw_addr mapped;
    CU_ASSERT_EQUAL(stun_usage_ice_conncheck_process(&response, &addr, &addr_len,
                                                     STUN_USAGE_ICE_COMPATIBILITY_RFC5245),
                    STUN_USAGE_ICE_RETURN_SUCCESS);
    CU_ASSERT_EQUAL(agw_addr_from_sockaddr(&mapped, (const struct sockaddr *)&addr), AGW_OK);
    CU_ASSERT_TRUE(agw_addr_equal(&mapped, &from));
    agw_ice_free(ice);
}

static void test_ice_rfc8445_7_3_check_validates_and_nomination_selects(void)
{
    agw_ice *ice = agent(0);
    const agw_addr a = address(1), b = address(2);
    agw_ice_result res = check_from(ice, AGW_S(1), 1, false, 10);
    CU_ASSERT_TRUE(res.reply_len > 0 && res.new_remote);
    CU_ASSERT_FALSE(res.selected_changed || res.connected || res.evicted);
    CU_ASSERT_TRUE(agw_ice_is_valid(ice, PORT, &a));
    CU_ASSERT_FALSE(agw_ice_is_valid(ice, PORT + 1, &a));
    CU_ASSERT_FALSE(agw_ice_is_valid(ice, PORT, &b));
    CU_ASSERT_EQUAL(selected(ice), 0);
    CU_ASSERT_FALSE(agw_ice_may_send(ice));
    res = check_from(ice, AGW_S(1), 1, true, 10);
    CU_ASSERT_TRUE(res.selected_changed && res.connected && !res.new_remote && !res.restarted);
    CU_ASSERT_TRUE(agw_ice_may_send(ice));
    res = check_from(ice, AGW_S(2), 1, true, 10);
    CU_ASSERT_FALSE(res.selected_changed || res.connected);
    res = check_from(ice, AGW_S(9), 2, true, 1); /* the peer moves */
    CU_ASSERT_TRUE(res.selected_changed && !res.connected && res.new_remote);
    CU_ASSERT_EQUAL(selected(ice), 2);
    CU_ASSERT_TRUE(agw_ice_is_valid(ice, PORT, &a));
    agw_ice_free(ice);
}

/* Nothing moves, nothing is answered, and the reason is told. */
static void refused(const check *c, agw_ice_drop why)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 10);
    const agw_ns deadline = agw_ice_deadline(ice);
    const agw_addr b = address(2);
    const agw_ice_result res = give(ice, AGW_S(2), 2, c);
    CU_ASSERT_EQUAL(res.drop, why);
    CU_ASSERT_EQUAL(res.reply_len, 0);
    CU_ASSERT_FALSE(res.new_remote || res.selected_changed || res.restarted);
    CU_ASSERT_FALSE(agw_ice_is_valid(ice, PORT, &b));
    CU_ASSERT_EQUAL(selected(ice), 1);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), deadline);
    agw_ice_free(ice);
}

static void test_ice_rfc8489_9_1_forged_integrity_changes_nothing(void)
{
    refused(&(check){.username = NAME, .pwd = PWD "x", .use_candidate = true},
            AGW_ICE_DROP_INTEGRITY);
    refused(&(check){.username = NAME, .use_candidate = true}, AGW_ICE_DROP_INTEGRITY);
}

static void test_ice_rfc8489_9_1_wrong_username_changes_nothing(void)
{
    refused(&(check){.pwd = PWD, .use_candidate = true}, AGW_ICE_DROP_USERNAME);
    refused(&(check){.username = UFRAG ":pee", .pwd = PWD, .use_candidate = true},
            AGW_ICE_DROP_USERNAME);
    refused(&(check){.username = UFRAG, .pwd = PWD, .use_candidate = true}, AGW_ICE_DROP_USERNAME);
    refused(&(check){.username = PEER_UFRAG ":" UFRAG, .pwd = PWD, .use_candidate = true},
            AGW_ICE_DROP_USERNAME);
    refused(&(check){.username = NAME2, .pwd = PWD2, .use_candidate = true}, AGW_ICE_DROP_USERNAME);
}

static void test_ice_rfc8445_7_1_absent_fingerprint_changes_nothing(void)
{
    refused(&(check){.username = NAME, .pwd = PWD, .use_candidate = true, .no_fingerprint = true},
            AGW_ICE_DROP_FINGERPRINT);
}

static void test_ice_rfc8445_11_indications_are_counted_only(void)
{
    refused(&(check){.username = NAME, .pwd = PWD, .indication = true}, AGW_ICE_DROP_INDICATION);
}

static void test_ice_rfc8489_6_other_methods_are_dropped(void)
{
    refused(&(check){.username = NAME, .pwd = PWD, .method = 3}, AGW_ICE_DROP_METHOD);
}

static void test_ice_rfc8489_6_3_responses_of_nobody_are_dropped(void)
{
    agw_ice *ice = agent(0);
    uint8_t buf[512];
    size_t len = vector_read("stun/chromium156-response.bin", buf, sizeof buf);
    CU_ASSERT_EQUAL(give_bytes(ice, 0, 1, buf, len).drop, AGW_ICE_DROP_UNEXPECTED);
    for (len = 0; len <= 64; len++)
        CU_ASSERT_TRUE(give_bytes(ice, 0, 1, buf, len).drop != AGW_ICE_DROP_NONE);
    agw_ice_free(ice);
}

/* Authentic, so they are answered; but the address is not validated. */
static void answered_with(const check *c, agw_ice_drop why, unsigned code)
{
    agw_ice *ice = agent(0);
    uint8_t buf[1024], reply[AGW_STUN_REPLY_MAX];
    const agw_addr a = address(1);
    agw_ice_result res;
    agw_ice_on_stun(ice, 0, PORT, &a, buf, check_write(c, buf, sizeof buf), reply, sizeof reply,
                    &res);
    CU_ASSERT_EQUAL(res.drop, why);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, reply, res.reply_len), AGW_OK);
    CU_ASSERT_EQUAL(msg.error_code, code);
    CU_ASSERT_EQUAL(agw_stun_verify(&msg, reply, res.reply_len, PWD, sizeof PWD - 1), AGW_OK);
    CU_ASSERT_FALSE(res.new_remote || res.selected_changed || agw_ice_is_valid(ice, PORT, &a));
    agw_ice_free(ice);
}

static void test_ice_rfc8445_7_3_1_1_controlled_peer_gets_487(void)
{
    answered_with(&(check){.username = NAME, .pwd = PWD, .controlled = true, .use_candidate = true},
                  AGW_ICE_DROP_ROLE, 487);
}

static void test_ice_rfc8489_6_3_1_unknown_attribute_gets_420(void)
{
    answered_with(&(check){.username = NAME, .pwd = PWD, .extra = 0x7FFF}, AGW_ICE_DROP_ATTRIBUTE,
                  420);
    agw_ice *ice = agent(0);
    const agw_ice_result res =
        give(ice, 0, 1, &(check){.username = NAME, .pwd = PWD, .extra = 0x8000});
    CU_ASSERT_EQUAL(res.drop, AGW_ICE_DROP_NONE);
    agw_ice_free(ice);
}

static void test_ice_rfc8445_7_1_1_check_without_priority_or_role_gets_400(void)
{
    answered_with(&(check){.username = NAME, .pwd = PWD, .no_priority = true},
                  AGW_ICE_DROP_PRIORITY, 400);
    answered_with(&(check){.username = NAME, .pwd = PWD, .no_role = true}, AGW_ICE_DROP_PRIORITY,
                  400);
}

static void test_ice_reply_without_room_leaves_state(void)
{
    agw_ice *ice = agent(0);
    uint8_t buf[1024], reply[16];
    const agw_addr a = address(1);
    agw_ice_result res;
    const check c = {.username = NAME, .pwd = PWD, .use_candidate = true};
    agw_ice_on_stun(ice, 0, PORT, &a, buf, check_write(&c, buf, sizeof buf), reply, sizeof reply,
                    &res);
    CU_ASSERT_EQUAL(res.drop, AGW_ICE_DROP_ROOM);
    CU_ASSERT_EQUAL(selected(ice), 0);
    agw_ice_free(ice);
}

static void test_ice_check_before_the_answer_is_answered_then_the_peer_is_fixed(void)
{
    agw_ice *ice = agw_ice_new(&(agw_ice_config){
        .lite = true, .local_ufrag = UFRAG, .local_pwd = PWD, .remote_ufrag = ""});
    CU_ASSERT_PTR_NOT_NULL_FATAL(ice);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_NEVER);
    const check other = {.username = UFRAG ":other", .pwd = PWD};
    CU_ASSERT_EQUAL(give(ice, 0, 1, &other).drop, AGW_ICE_DROP_NONE);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_NEVER);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(60), "abc", PEER_PWD), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(60), PEER_UFRAG, "short"), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(60), PEER_UFRAG, PEER_PWD), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(61), PEER_UFRAG, PEER_PWD), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(61), "other", PEER_PWD), AGW_ERR_STATE);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_MS(60000 + 39500));
    CU_ASSERT_EQUAL(give(ice, AGW_S(62), 1, &other).drop, AGW_ICE_DROP_USERNAME);
    agw_ice_free(ice);
}

static void test_ice_configuration_bounds(void)
{
    static const char LONG[] = "0123456789012345678901234567890123456789012345678901234567890123"
                               "0123456789012345678901234567890123456789012345678901234567890123"
                               "0123456789012345678901234567890123456789012345678901234567890123"
                               "0123456789012345678901234567890123456789012345678901234567890123+";
    const char *const at64 = LONG + sizeof LONG - 1 - 64, *const at65 = at64 - 1;
    const char *const at256 = LONG + 1;
    agw_ice_config c = {.lite = true, .local_ufrag = at64, .local_pwd = at64};
    c.remote_ufrag = c.remote_pwd = at256;
    agw_ice *ice = agw_ice_new(&c);
    CU_ASSERT_PTR_NOT_NULL(ice);
    agw_ice_free(ice);
    agw_ice_config bad = c;
    bad.local_ufrag = at65;
    CU_ASSERT_PTR_NULL(agw_ice_new(&bad));
    bad = c;
    bad.local_pwd = at65;
    CU_ASSERT_PTR_NULL(agw_ice_new(&bad));
    bad = c;
    bad.remote_ufrag = LONG;
    CU_ASSERT_PTR_NULL(agw_ice_new(&bad));
    bad = c;
    bad.remote_pwd = NULL;
    CU_ASSERT_PTR_NULL(agw_ice_new(&bad));
    bad = c;
    bad.local_pwd = "0123456789ABCDEFGHIJK"; /* 21 */
    CU_ASSERT_PTR_NULL(agw_ice_new(&bad));
    agw_ice_free(NULL);
}

static void test_ice_sixteen_remotes_and_the_stalest_goes(void)
{
    agw_ice *ice = agent(0);
    for (unsigned n = 1; n <= AGW_ICE_REMOTES; n++) {
        const agw_ice_result res = check_from(ice, AGW_S(n), n, n == 1, 1);
        CU_ASSERT_TRUE(res.new_remote && !res.evicted);
    }
    check_from(ice, AGW_S(20), 2, false, 1);                        /* 2 is fresh again */
    agw_ice_result res = check_from(ice, AGW_S(21), 100, false, 1); /* 1 is selected: 3 goes */
    CU_ASSERT_TRUE(res.new_remote && res.evicted);
    CU_ASSERT_EQUAL(res.gone.remote.ip[3], 3);
    CU_ASSERT_EQUAL(res.gone.port_id, PORT);
    for (unsigned n = 1; n <= AGW_ICE_REMOTES; n++) {
        const agw_addr remote = address(n);
        CU_ASSERT_EQUAL(agw_ice_is_valid(ice, PORT, &remote), n != 3);
    }
    agw_ice_free(ice);
}

static void test_ice_rfc5245_8_1_1_2_aggressive_peer_stays_on_its_best_pair(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_MS(0), 1, true, 100);
    check_from(ice, AGW_MS(50), 2, true, 200);
    CU_ASSERT_EQUAL(selected(ice), 2);
    check_from(ice, AGW_MS(100), 1, true, 100); /* A, B, A */
    CU_ASSERT_EQUAL(selected(ice), 2);
    check_from(ice, AGW_MS(150), 3, true, 150);
    CU_ASSERT_EQUAL(selected(ice), 2);
    check_from(ice, AGW_MS(200), 4, true, 300);
    CU_ASSERT_EQUAL(selected(ice), 4);
    for (int i = 1; i <= 20; i++) { /* all are kept alive, the best one serves */
        check_from(ice, AGW_MS(200 + 2500 * i), 1, true, 100);
        check_from(ice, AGW_MS(210 + 2500 * i), 4, true, 300);
        check_from(ice, AGW_MS(220 + 2500 * i), 2, true, 200);
        CU_ASSERT_EQUAL(selected(ice), 4);
    }
    agw_ice_free(ice);
}

static void test_ice_rfc5245_8_1_1_2_dead_best_pair_is_left_after_6_5_s(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, 0, 1, true, 100);
    check_from(ice, 1, 2, true, 200);
    check_from(ice, 2, 1, true, 100);
    check_from(ice, AGW_MS(6500) + 1, 1, true, 100);
    CU_ASSERT_EQUAL(selected(ice), 2);
    check_from(ice, AGW_MS(6500) + 2, 1, true, 100);
    CU_ASSERT_EQUAL(selected(ice), 1);
    agw_ice_free(ice);
}

static void test_ice_rfc8445_8_1_1_peer_that_moves_and_later_returns_is_followed(void)
{
    agw_ice *ice = agent(0);
    for (int i = 0; i < 4; i++)
        check_from(ice, AGW_MS(2500 * i), 1, true, 200);
    for (int i = 4; i < 8; i++)
        check_from(ice, AGW_MS(2500 * i), 2, true, 100);
    CU_ASSERT_EQUAL(selected(ice), 2);
    const agw_ice_result res = check_from(ice, AGW_MS(2500 * 8), 1, true, 200);
    CU_ASSERT_TRUE(res.selected_changed);
    CU_ASSERT_EQUAL(selected(ice), 1);
    agw_ice_free(ice);
}

static void test_ice_rfc8445_9_restart_keeps_the_old_pair_until_the_new_is_nominated(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 10);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), UFRAG2, PWD2, NULL, NULL), AGW_OK);
    CU_ASSERT_EQUAL(selected(ice), 1);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(3), 1, true, 10).drop, AGW_ICE_DROP_NONE);
    const check fresh = {.username = NAME2, .pwd = PWD2};
    agw_ice_result res = give(ice, AGW_S(3), 2, &fresh);
    CU_ASSERT_TRUE(res.new_remote && !res.restarted && !res.selected_changed);
    CU_ASSERT_EQUAL(agw_ice_set_remote(ice, AGW_S(3), PEER2, PEER_PWD), AGW_OK);
    CU_ASSERT_EQUAL(selected(ice), 1);
    const check mixed = {.username = NAME2, .pwd = PWD, .use_candidate = true};
    CU_ASSERT_EQUAL(give(ice, AGW_S(3), 2, &mixed).drop, AGW_ICE_DROP_INTEGRITY);
    const check nominating = {.username = NAME2, .pwd = PWD2, .use_candidate = true, .id = 9};
    res = give(ice, AGW_S(4), 2, &nominating);
    CU_ASSERT_TRUE(res.restarted && res.selected_changed && !res.connected && !res.new_remote);
    CU_ASSERT_EQUAL(selected(ice), 2);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(5), 1, true, 10).drop, AGW_ICE_DROP_USERNAME);
    const agw_addr old = address(1);
    CU_ASSERT_TRUE(agw_ice_is_valid(ice, PORT, &old)); /* packets on their way still count */
    agw_ice_free(ice);
}

static void test_ice_rfc8445_9_restart_on_the_same_pair_changes_no_path(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 10);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), UFRAG2, PWD2, PEER2, PEER_PWD), AGW_OK);
    const check nominating = {.username = NAME2, .pwd = PWD2, .use_candidate = true};
    const agw_ice_result res = give(ice, AGW_S(3), 1, &nominating);
    CU_ASSERT_TRUE(res.restarted && !res.selected_changed && !res.connected);
    agw_ice_free(ice);
}

/* An old generation that nominated lately must not hold the new one back. */
static void test_ice_rfc8445_9_restart_forgets_aggressive_nominations(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, 0, 1, true, 300);
    check_from(ice, 1, 2, true, 200);
    check_from(ice, 2, 1, true, 300);
    check_from(ice, 3, 2, true, 200);
    CU_ASSERT_EQUAL(selected(ice), 1);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, 4, UFRAG2, PWD2, PEER2, PEER_PWD), AGW_OK);
    const check nominating = {.username = NAME2, .pwd = PWD2, .use_candidate = true, .priority = 1};
    CU_ASSERT_TRUE(give(ice, 5, 3, &nominating).selected_changed);
    CU_ASSERT_EQUAL(selected(ice), 3);
    agw_ice_free(ice);
}

static void test_ice_rfc8445_9_second_restart_replaces_the_pending_one(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 10);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), "pending1", PWD2, NULL, NULL), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), "bad", PWD2, NULL, NULL), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(3), UFRAG2, PWD2, PEER2, PEER_PWD), AGW_OK);
    const check pending = {.username = "pending1:" PEER2, .pwd = PWD2};
    CU_ASSERT_EQUAL(give(ice, AGW_S(4), 2, &pending).drop, AGW_ICE_DROP_USERNAME);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(4), 1, true, 10).drop, AGW_ICE_DROP_NONE);
    const check fresh = {.username = NAME2, .pwd = PWD2, .use_candidate = true};
    CU_ASSERT_TRUE(give(ice, AGW_S(4), 2, &fresh).restarted);
    agw_ice_free(ice);
}

static void test_ice_rfc8445_9_restart_that_is_taken_back_goes_on_as_before(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 10);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), UFRAG2, PWD2, PEER2, PEER_PWD), AGW_OK);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(2), UFRAG, PWD, PEER_UFRAG, PEER_PWD), AGW_OK);
    const check fresh = {.username = NAME2, .pwd = PWD2, .use_candidate = true};
    CU_ASSERT_EQUAL(give(ice, AGW_S(3), 2, &fresh).drop, AGW_ICE_DROP_USERNAME);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(3), 1, true, 10).drop, AGW_ICE_DROP_NONE);
    CU_ASSERT_EQUAL(selected(ice), 1);
    agw_ice_free(ice);
}

static void test_ice_rfc8863_4_fails_at_39_5_s_not_before(void)
{
    agw_ice *ice = agent(AGW_S(100));
    const agw_ns at = AGW_S(100) + AGW_MS(39500);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), at);
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, at - 1), AGW_ICE_NOTHING);
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, at), AGW_ICE_FAILED);
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, at + 1), AGW_ICE_NOTHING);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_NEVER);
    CU_ASSERT_TRUE(check_from(ice, at + 2, 1, true, 1).connected); /* late, but welcome */
    agw_ice_free(ice);
}

static void test_ice_rfc8863_4_an_authentic_check_extends_the_patience(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(30), 1, false, 1);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_MS(30000 + 39500));
    const check forged = {.username = NAME, .pwd = PWD "x"};
    give(ice, AGW_S(31), 1, &forged);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_MS(30000 + 39500));
    check_from(ice, AGW_S(32), 1, true, 1);
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, AGW_S(1000)), AGW_ICE_NOTHING);
    agw_ice_free(ice);
}

static void test_ice_rfc7675_5_1_consent_is_lost_at_30_s_not_before(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 1);
    check_from(ice, AGW_S(3), 1, true, 1);
    check_from(ice, AGW_S(20), 2, false, 1); /* another pair proves nothing about this one */
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_S(33));
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, AGW_S(33) - 1), AGW_ICE_NOTHING);
    CU_ASSERT_TRUE(agw_ice_may_send(ice));
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, AGW_S(33)), AGW_ICE_CONSENT_LOST);
    CU_ASSERT_FALSE(agw_ice_may_send(ice));
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, AGW_S(34)), AGW_ICE_NOTHING);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(35), 2, false, 1).event, AGW_ICE_NOTHING);
    CU_ASSERT_EQUAL(check_from(ice, AGW_S(35), 1, true, 1).event, AGW_ICE_CONSENT_BACK);
    CU_ASSERT_TRUE(agw_ice_may_send(ice));
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_S(65));
    agw_ice_free(ice);
}

static void test_ice_rfc7675_5_1_nomination_elsewhere_brings_consent_back(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 1);
    check_from(ice, AGW_S(2), 1, true, 1);
    CU_ASSERT_EQUAL(agw_ice_on_deadline(ice, AGW_S(32)), AGW_ICE_CONSENT_LOST);
    CU_ASSERT_EQUAL(agw_ice_restart(ice, AGW_S(33), UFRAG2, PWD2, PEER2, PEER_PWD), AGW_OK);
    const check nominating = {.username = NAME2, .pwd = PWD2, .use_candidate = true};
    const agw_ice_result res = give(ice, AGW_S(34), 9, &nominating);
    CU_ASSERT_EQUAL(res.event, AGW_ICE_CONSENT_BACK);
    CU_ASSERT_TRUE(res.restarted && agw_ice_may_send(ice));
    agw_ice_free(ice);
}

/* A peer without consent checks is not cut off; its repeated nomination is not such a check. */
static void test_ice_rfc5245_peer_without_consent_checks_is_not_watched(void)
{
    agw_ice *ice = agent(0);
    const check once = {.username = NAME, .pwd = PWD, .use_candidate = true, .id = 5};
    give(ice, AGW_S(1), 1, &once);
    give(ice, AGW_S(2), 1, &once);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_NEVER);
    const check again = {.username = NAME, .pwd = PWD, .id = 6};
    give(ice, AGW_S(3), 1, &again);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_S(33));
    agw_ice_free(ice);
}

/* Whoever has overheard a check can send it from his own address: RFC 8489 section 14.5 does not
 * cover that. */
static void test_ice_replayed_check_moves_nothing_from_elsewhere(void)
{
    agw_ice *ice = agent(0);
    const check heard = {.username = NAME, .pwd = PWD, .use_candidate = true, .id = 900};
    CU_ASSERT_TRUE(give(ice, AGW_S(1), 1, &heard).connected);
    const agw_ice_result res = give(ice, AGW_S(2), 2, &heard);
    CU_ASSERT_EQUAL(res.drop, AGW_ICE_DROP_REPLAY);
    CU_ASSERT_EQUAL(res.reply_len, 0);
    CU_ASSERT_FALSE(res.new_remote || res.selected_changed);
    const agw_addr elsewhere = address(2);
    CU_ASSERT_FALSE(agw_ice_is_valid(ice, PORT, &elsewhere));
    CU_ASSERT_EQUAL(selected(ice), 1);
    agw_ice_free(ice);
}

/* An address that the peer has left is still valid: a replay does not lead media back there. */
static void test_ice_replayed_check_does_not_nominate_again(void)
{
    agw_ice *ice = agent(0);
    const check heard = {.username = NAME, .pwd = PWD, .use_candidate = true, .id = 901};
    give(ice, AGW_S(1), 1, &heard);
    check_from(ice, AGW_S(10), 2, true, 1);
    CU_ASSERT_EQUAL(selected(ice), 2);
    CU_ASSERT_NOT_EQUAL(give(ice, AGW_S(11), 1, &heard).reply_len, 0);
    CU_ASSERT_EQUAL(selected(ice), 2);
    agw_ice_free(ice);
}

/* The same request again because its response was lost is answered again, and is no consent. */
static void test_ice_rfc8489_6_2_1_retransmission_is_answered_and_renews_nothing(void)
{
    agw_ice *ice = agent(0);
    check_from(ice, AGW_S(1), 1, true, 1);
    const check heard = {.username = NAME, .pwd = PWD, .use_candidate = true, .id = 902};
    give(ice, AGW_S(2), 1, &heard);
    const agw_ice_result res = give(ice, AGW_S(20), 1, &heard);
    CU_ASSERT_EQUAL(res.drop, AGW_ICE_DROP_NONE);
    CU_ASSERT_NOT_EQUAL(res.reply_len, 0);
    CU_ASSERT_EQUAL(agw_ice_deadline(ice), AGW_S(32));
    agw_ice_free(ice);
}

static void test_ice_replay_is_known_among_the_latest_64_checks(void)
{
    for (int others = AGW_ICE_SEEN - 1; others <= AGW_ICE_SEEN; others++) {
        agw_ice *ice = agent(0);
        const check heard = {.username = NAME, .pwd = PWD, .id = 903};
        give(ice, AGW_S(1), 1, &heard);
        for (int i = 0; i < others; i++)
            check_from(ice, AGW_S(2), 1, true, 1);
        const agw_ice_drop drop = give(ice, AGW_S(3), 2, &heard).drop;
        CU_ASSERT_EQUAL(drop, others < AGW_ICE_SEEN ? AGW_ICE_DROP_REPLAY : AGW_ICE_DROP_NONE);
        agw_ice_free(ice);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_ice_chromium_check_is_answered),
    AGW_CASE(test_ice_rfc8445_7_3_libnice_peer_connects),
    AGW_CASE(test_ice_rfc8445_7_3_check_validates_and_nomination_selects),
    AGW_CASE(test_ice_rfc8489_9_1_forged_integrity_changes_nothing),
    AGW_CASE(test_ice_rfc8489_9_1_wrong_username_changes_nothing),
    AGW_CASE(test_ice_rfc8445_7_1_absent_fingerprint_changes_nothing),
    AGW_CASE(test_ice_rfc8445_11_indications_are_counted_only),
    AGW_CASE(test_ice_rfc8489_6_other_methods_are_dropped),
    AGW_CASE(test_ice_rfc8489_6_3_responses_of_nobody_are_dropped),
    AGW_CASE(test_ice_rfc8445_7_3_1_1_controlled_peer_gets_487),
    AGW_CASE(test_ice_rfc8489_6_3_1_unknown_attribute_gets_420),
    AGW_CASE(test_ice_rfc8445_7_1_1_check_without_priority_or_role_gets_400),
    AGW_CASE(test_ice_reply_without_room_leaves_state),
    AGW_CASE(test_ice_check_before_the_answer_is_answered_then_the_peer_is_fixed),
    AGW_CASE(test_ice_configuration_bounds),
    AGW_CASE(test_ice_sixteen_remotes_and_the_stalest_goes),
    AGW_CASE(test_ice_rfc5245_8_1_1_2_aggressive_peer_stays_on_its_best_pair),
    AGW_CASE(test_ice_rfc5245_8_1_1_2_dead_best_pair_is_left_after_6_5_s),
    AGW_CASE(test_ice_rfc8445_8_1_1_peer_that_moves_and_later_returns_is_followed),
    AGW_CASE(test_ice_rfc8445_9_restart_keeps_the_old_pair_until_the_new_is_nominated),
    AGW_CASE(test_ice_rfc8445_9_restart_on_the_same_pair_changes_no_path),
    AGW_CASE(test_ice_rfc8445_9_restart_forgets_aggressive_nominations),
    AGW_CASE(test_ice_rfc8445_9_second_restart_replaces_the_pending_one),
    AGW_CASE(test_ice_rfc8445_9_restart_that_is_taken_back_goes_on_as_before),
    AGW_CASE(test_ice_rfc8863_4_fails_at_39_5_s_not_before),
    AGW_CASE(test_ice_rfc8863_4_an_authentic_check_extends_the_patience),
    AGW_CASE(test_ice_rfc7675_5_1_consent_is_lost_at_30_s_not_before),
    AGW_CASE(test_ice_rfc7675_5_1_nomination_elsewhere_brings_consent_back),
    AGW_CASE(test_ice_rfc5245_peer_without_consent_checks_is_not_watched),
    AGW_CASE(test_ice_replayed_check_moves_nothing_from_elsewhere),
    AGW_CASE(test_ice_replayed_check_does_not_nominate_again),
    AGW_CASE(test_ice_rfc8489_6_2_1_retransmission_is_answered_and_renews_nothing),
    AGW_CASE(test_ice_replay_is_known_among_the_latest_64_checks),
};
AGW_UNIT_MAIN("ice", CASES)
