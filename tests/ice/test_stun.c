/* SPDX-License-Identifier: BSD-3-Clause
 * STUN reading against published and captured messages, and our writers against libnice. */
#include "ice/stun.h"

#include "base/wire.h"
#include "unit.h"
#include "vectors/vector.h"

#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#define RFC_PWD     "VOkJxbRl1RmTxUk/WvJxBt"
#define GATEWAY_PWD "70Ag2hcT5W3Nxcv1I2O5MuX1Nc"
#define BROWSER_PWD "w1Repjd8CDAWpDFYzn6Zz53w"

typedef struct message {
    uint8_t buf[2048];
    size_t len;
} message;

static message vector(const char *name)
{
    message m;
    m.len = vector_read(name, m.buf, sizeof m.buf);
    CU_ASSERT_FATAL(m.len > 0);
    return m;
}

/* A copy of exactly len bytes, so that a sanitizer sees one byte too many. */
static agw_err parse_exact(const uint8_t *buf, size_t len, agw_stun_msg *msg)
{
    uint8_t *copy = must(malloc(len > 0 ? len : 1));
    memcpy(copy, buf, len);
    agw_stun_head head;
    const agw_err peeked = agw_stun_peek(copy, len, &head);
    const agw_err err = agw_stun_parse(msg, copy, len);
    CU_ASSERT_TRUE(err != AGW_OK || peeked == AGW_OK); /* the cheap look is never the stricter */
    free(copy);
    return err;
}

static bool proves(const message *m, const char *pwd)
{
    agw_stun_msg msg;
    return agw_stun_parse(&msg, m->buf, m->len) == AGW_OK &&
           agw_stun_fingerprint_ok(&msg, m->buf, m->len) &&
           agw_stun_verify(&msg, m->buf, m->len, pwd, strlen(pwd)) == AGW_OK;
}

static void test_stun_rfc5769_2_1_sample_request(void)
{
    const message m = vector("stun/rfc5769-2-1.bin");
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, m.buf, m.len), AGW_OK);
    CU_ASSERT_EQUAL(msg.head.msg_class, AGW_STUN_REQUEST);
    CU_ASSERT_EQUAL(msg.head.method, AGW_STUN_METHOD_BINDING);
    CU_ASSERT_EQUAL(msg.priority, 0x6e0001ffu);
    CU_ASSERT_TRUE(msg.is_controlled && !msg.is_controlling);
    CU_ASSERT_EQUAL(msg.tie_breaker, 0x932ff9b151263b36u);
    CU_ASSERT_FALSE(msg.use_candidate);
    CU_ASSERT_EQUAL(msg.head.local_ufrag_len, 4);
    CU_ASSERT_NSTRING_EQUAL(msg.head.local_ufrag, "evtj", 4);
    CU_ASSERT_EQUAL(msg.head.remote_ufrag_len, 4);
    CU_ASSERT_NSTRING_EQUAL(msg.head.remote_ufrag, "h6vY", 4);
    CU_ASSERT_TRUE(proves(&m, RFC_PWD));
    CU_ASSERT_FALSE(proves(&m, RFC_PWD "x"));
}

static void sample_response(const char *name, const char *address)
{
    const message m = vector(name);
    agw_stun_msg msg;
    char text[AGW_ADDR_TEXT];
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, m.buf, m.len), AGW_OK);
    CU_ASSERT_EQUAL(msg.head.msg_class, AGW_STUN_RESPONSE);
    CU_ASSERT_STRING_EQUAL(agw_addr_text(&msg.mapped, text, sizeof text), address);
    CU_ASSERT_PTR_NULL(msg.head.local_ufrag);
    CU_ASSERT_TRUE(proves(&m, RFC_PWD));
}

static void test_stun_rfc5769_2_2_sample_ipv4_response(void)
{
    sample_response("stun/rfc5769-2-2.bin", "192.0.2.1:32853");
}

static void test_stun_rfc5769_2_3_sample_ipv6_response(void)
{
    sample_response("stun/rfc5769-2-3.bin", "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void test_stun_chromium_check_and_response_prove(void)
{
    const message check = vector("stun/chromium156-check.bin");
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, check.buf, check.len), AGW_OK);
    CU_ASSERT_TRUE(msg.is_controlling && msg.use_candidate && msg.has_priority);
    CU_ASSERT_EQUAL(msg.unknown_count, 0); /* 0xC057 is comprehension-optional */
    CU_ASSERT_TRUE(proves(&check, GATEWAY_PWD));
    CU_ASSERT_FALSE(proves(&check, BROWSER_PWD));
    const message response = vector("stun/chromium156-response.bin");
    CU_ASSERT_TRUE(proves(&response, BROWSER_PWD));
}

/* Be it by parse, FINGERPRINT or MESSAGE-INTEGRITY. */
static void test_stun_rfc8489_14_5_every_flipped_bit_is_noticed(void)
{
    const message good = vector("stun/chromium156-check.bin");
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        message m = good;
        m.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(proves(&m, GATEWAY_PWD));
    }
}

/* FINGERPRINT left aside: up to its own end, MESSAGE-INTEGRITY alone notices every bit. */
static void test_stun_rfc8489_14_5_integrity_alone_notices_every_bit(void)
{
    const message good = vector("stun/chromium156-check.bin");
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, good.buf, good.len), AGW_OK);
    const agw_stun_msg offsets = msg;
    for (size_t bit = 0; bit < (offsets.integrity_at + 24) * 8; bit++) {
        message m = good;
        m.buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const bool in_length = bit / 8 == 2 || bit / 8 == 3; /* replaced for the HMAC */
        const bool in_header =
            bit / 8 >= offsets.integrity_at && bit / 8 < offsets.integrity_at + 4;
        if (!in_length && !in_header)
            CU_ASSERT_EQUAL(
                agw_stun_verify(&offsets, m.buf, m.len, GATEWAY_PWD, strlen(GATEWAY_PWD)),
                AGW_ERR_AUTH);
    }
}

static void test_stun_rfc8489_5_header_is_checked(void)
{
    const message good = vector("stun/rfc5769-2-1.bin");
    agw_stun_msg msg;
    message m = good;
    m.buf[0] |= 0x80; /* RTP */
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_ERR_MALFORMED);
    m = good;
    m.buf[4] ^= 1; /* cookie */
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_ERR_MALFORMED);
    m = good;
    agw_put16(m.buf + 2, (uint16_t)(m.len - 20 + 4));
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_ERR_MALFORMED);
    agw_put16(m.buf + 2, (uint16_t)(m.len - 20 - 4));
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_ERR_MALFORMED);
    m = good;
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len + 1, &msg), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_OK);
}

static void test_stun_rfc8489_5_short_inputs_are_refused(void)
{
    const message good = vector("stun/rfc5769-2-1.bin");
    agw_stun_msg msg;
    for (size_t len = 0; len <= 64; len++) {
        message m = good;
        CU_ASSERT_EQUAL(parse_exact(m.buf, len, &msg), AGW_ERR_MALFORMED);
        if (len >= 20)
            agw_put16(m.buf + 2, (uint16_t)(len - 20));
        const agw_err err = parse_exact(m.buf, len, &msg);
        CU_ASSERT_TRUE(len >= 20 || err == AGW_ERR_MALFORMED);
        memset(m.buf, 0, sizeof m.buf);
        CU_ASSERT_EQUAL(parse_exact(m.buf, len, &msg), AGW_ERR_MALFORMED);
    }
}

/* The header length is repaired, so that the attribute check is the one that must fire. */
static void test_stun_rfc8489_14_attribute_past_the_end_is_truncated(void)
{
    message m = vector("stun/rfc5769-2-1.bin");
    const size_t cut_at = 44; /* inside PRIORITY, which ends at 48 */
    agw_put16(m.buf + 2, (uint16_t)(cut_at - 20));
    agw_stun_msg msg;
    CU_ASSERT_EQUAL(parse_exact(m.buf, cut_at, &msg), AGW_ERR_TRUNCATED);
    agw_put16(m.buf + 2, 48 - 20);
    CU_ASSERT_EQUAL(parse_exact(m.buf, 48, &msg), AGW_OK);
}

/* A message of given attributes, without proofs. */
static message made(const uint16_t *types, const uint16_t *lens, size_t n)
{
    message m = {.len = 20};
    agw_put16(m.buf, 1);
    agw_put32(m.buf + 4, 0x2112A442);
    for (size_t i = 0; i < n; i++) {
        agw_put16(m.buf + m.len, types[i]);
        agw_put16(m.buf + m.len + 2, lens[i]);
        m.len += 4 + ((lens[i] + 3u) & ~3u);
    }
    agw_put16(m.buf + 2, (uint16_t)(m.len - 20));
    return m;
}

static agw_err one_attribute(uint16_t type, uint16_t len)
{
    const message m = made(&type, &len, 1);
    agw_stun_msg msg;
    return parse_exact(m.buf, m.len, &msg);
}

static void test_stun_rfc8489_14_attributes_of_wrong_length_are_malformed(void)
{
    static const struct {
        uint16_t type, good;
    } FIXED[] = {{0x0024, 4}, {0x0025, 0}, {0x8029, 8}, {0x802A, 8}, {0x0008, 20}, {0x8028, 4}};
    for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++) {
        const uint16_t good = FIXED[i].good;
        CU_ASSERT_EQUAL(one_attribute(FIXED[i].type, good), AGW_OK);
        CU_ASSERT_EQUAL(one_attribute(FIXED[i].type, (uint16_t)(good + 1)), AGW_ERR_MALFORMED);
        if (good > 0)
            CU_ASSERT_EQUAL(one_attribute(FIXED[i].type, (uint16_t)(good - 1)), AGW_ERR_MALFORMED);
    }
    CU_ASSERT_EQUAL(one_attribute(0x0020, 7), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(one_attribute(0x0009, 3), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(one_attribute(0x0006, 513), AGW_ERR_MALFORMED); /* one half above 256 */
    CU_ASSERT_EQUAL(one_attribute(0x0006, 514), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(one_attribute(0x0006, 257), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(one_attribute(0x0006, 256), AGW_OK);
    CU_ASSERT_EQUAL(one_attribute(0xC057, 7), AGW_OK);
}

static void test_stun_rfc8489_14_unknown_required_attributes_are_listed(void)
{
    uint16_t types[20], lens[20] = {0};
    for (uint16_t i = 0; i < 20; i++)
        types[i] = (uint16_t)(0x7000 + i);
    message m = made(types, lens, 2);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_OK);
    CU_ASSERT_EQUAL(msg.unknown_count, 2);
    CU_ASSERT_EQUAL(msg.unknown[1], 0x7001);
    m = made(types, lens, 20);
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_OK);
    CU_ASSERT_EQUAL(msg.unknown_count, AGW_STUN_UNKNOWN_MAX);
}

static void test_stun_rfc8489_14_5_nothing_counts_behind_integrity(void)
{
    static const uint16_t TYPES[] = {0x0008, 0x0025, 0x0006}, LENS[] = {20, 0, 4};
    const message m = made(TYPES, LENS, 3);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_OK);
    CU_ASSERT_FALSE(msg.use_candidate);
    CU_ASSERT_PTR_NULL(msg.head.local_ufrag);
    agw_stun_head head;
    CU_ASSERT_EQUAL(agw_stun_peek(m.buf, m.len, &head), AGW_OK);
    CU_ASSERT_PTR_NULL(head.local_ufrag);
}

static void test_stun_rfc8489_14_7_fingerprint_is_last(void)
{
    static const uint16_t TYPES[] = {0x8028, 0x0025}, LENS[] = {4, 0};
    const message m = made(TYPES, LENS, 2);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL(parse_exact(m.buf, m.len, &msg), AGW_ERR_MALFORMED);
}

static void test_stun_rfc8489_14_5_absent_integrity_is_not_found(void)
{
    static const uint16_t TYPES[] = {0x0025}, LENS[] = {0};
    const message m = made(TYPES, LENS, 1);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, m.buf, m.len), AGW_OK);
    CU_ASSERT_EQUAL(agw_stun_verify(&msg, m.buf, m.len, "x", 1), AGW_ERR_NOT_FOUND);
    CU_ASSERT_FALSE(agw_stun_fingerprint_ok(&msg, m.buf, m.len));
}

static void test_stun_rfc8445_7_2_2_username_is_split_at_its_first_colon(void)
{
    static const uint16_t TYPES[] = {0x0006}, LENS[] = {9};
    message m = made(TYPES, LENS, 1);
    agw_stun_head head;
    memcpy(m.buf + 24, "abcd:ef:g", 9);
    CU_ASSERT_EQUAL(agw_stun_peek(m.buf, m.len, &head), AGW_OK);
    CU_ASSERT_EQUAL(head.local_ufrag_len, 4);
    CU_ASSERT_EQUAL(head.remote_ufrag_len, 4);
    memcpy(m.buf + 24, "abcdefghi", 9);
    CU_ASSERT_EQUAL(agw_stun_peek(m.buf, m.len, &head), AGW_OK);
    CU_ASSERT_EQUAL(head.local_ufrag_len, 9);
    CU_ASSERT_PTR_NULL(head.remote_ufrag);
    memcpy(m.buf + 24, ":bcdefgh:", 9);
    CU_ASSERT_EQUAL(agw_stun_peek(m.buf, m.len, &head), AGW_OK);
    CU_ASSERT_EQUAL(head.local_ufrag_len, 0);
}

/* libnice's own agent, which remembers its request, reads our answer. */
static void answered(const char *mapped)
{
    static StunAgent agent;
    static uint8_t buf[1024];
    static const uint8_t PWD[] = GATEWAY_PWD;
    stun_agent_init(&agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    StunMessage request, response;
    const size_t len = stun_usage_ice_conncheck_create(
        &agent, &request, buf, sizeof buf, (const uint8_t *)"gate:peer", 9, PWD, sizeof PWD - 1,
        true, true, 7, 8, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    agw_stun_msg msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, buf, len), AGW_OK);
    CU_ASSERT_TRUE(msg.use_candidate && msg.is_controlling);
    CU_ASSERT_EQUAL(agw_stun_verify(&msg, buf, len, PWD, sizeof PWD - 1), AGW_OK);

    agw_addr from, read;
    uint8_t reply[AGW_STUN_REPLY_MAX];
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&from, mapped), AGW_OK);
    size_t reply_len = agw_stun_write_success(&msg, &from, GATEWAY_PWD, reply, sizeof reply);
    CU_ASSERT_FATAL(reply_len > 0);
    CU_ASSERT_EQUAL(agw_stun_write_success(&msg, &from, GATEWAY_PWD, reply, reply_len - 1), 0);
    reply_len = agw_stun_write_success(&msg, &from, GATEWAY_PWD, reply, reply_len);
    CU_ASSERT_EQUAL_FATAL(stun_agent_validate(&agent, &response, reply, reply_len, NULL, NULL),
                          STUN_VALIDATION_SUCCESS);
    struct sockaddr_storage addr;
    socklen_t addr_len = sizeof addr;
    CU_ASSERT_EQUAL(stun_usage_ice_conncheck_process(&response, &addr, &addr_len,
                                                     STUN_USAGE_ICE_COMPATIBILITY_RFC5245),
                    STUN_USAGE_ICE_RETURN_SUCCESS);
    CU_ASSERT_EQUAL(agw_addr_from_sockaddr(&read, (const struct sockaddr *)&addr), AGW_OK);
    CU_ASSERT_TRUE(agw_addr_equal(&read, &from));
}

static void test_stun_rfc8489_14_2_libnice_reads_our_response(void)
{
    answered("203.0.113.7:49152");
    answered("[2001:db8::5]:1");
}

static void test_stun_rfc8489_14_8_errors_carry_code_and_unknown_attributes(void)
{
    const message m = vector("stun/rfc5769-2-1.bin");
    agw_stun_msg request, msg;
    CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&request, m.buf, m.len), AGW_OK);
    static const unsigned CODES[] = {400, 420, 487};
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        message out;
        for (request.unknown_count = 0; request.unknown_count < AGW_STUN_UNKNOWN_MAX;
             request.unknown_count++)
            request.unknown[request.unknown_count] = 0x7777;
        out.len = agw_stun_write_error(&request, CODES[i], RFC_PWD, out.buf, AGW_STUN_REPLY_MAX);
        CU_ASSERT_FATAL(out.len > 0);
        CU_ASSERT_EQUAL(agw_stun_write_error(&request, CODES[i], RFC_PWD, out.buf, out.len - 1), 0);
        out.len = agw_stun_write_error(&request, CODES[i], RFC_PWD, out.buf, out.len);
        CU_ASSERT_EQUAL_FATAL(agw_stun_parse(&msg, out.buf, out.len), AGW_OK);
        CU_ASSERT_EQUAL(msg.head.msg_class, AGW_STUN_ERROR);
        CU_ASSERT_EQUAL(msg.error_code, CODES[i]);
        CU_ASSERT_EQUAL(memcmp(msg.head.id, request.head.id, AGW_STUN_ID), 0);
        CU_ASSERT_TRUE(proves(&out, RFC_PWD));
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_stun_rfc5769_2_1_sample_request),
    AGW_CASE(test_stun_rfc5769_2_2_sample_ipv4_response),
    AGW_CASE(test_stun_rfc5769_2_3_sample_ipv6_response),
    AGW_CASE(test_stun_chromium_check_and_response_prove),
    AGW_CASE(test_stun_rfc8489_14_5_every_flipped_bit_is_noticed),
    AGW_CASE(test_stun_rfc8489_14_5_integrity_alone_notices_every_bit),
    AGW_CASE(test_stun_rfc8489_5_header_is_checked),
    AGW_CASE(test_stun_rfc8489_5_short_inputs_are_refused),
    AGW_CASE(test_stun_rfc8489_14_attribute_past_the_end_is_truncated),
    AGW_CASE(test_stun_rfc8489_14_attributes_of_wrong_length_are_malformed),
    AGW_CASE(test_stun_rfc8489_14_unknown_required_attributes_are_listed),
    AGW_CASE(test_stun_rfc8489_14_5_nothing_counts_behind_integrity),
    AGW_CASE(test_stun_rfc8489_14_7_fingerprint_is_last),
    AGW_CASE(test_stun_rfc8489_14_5_absent_integrity_is_not_found),
    AGW_CASE(test_stun_rfc8445_7_2_2_username_is_split_at_its_first_colon),
    AGW_CASE(test_stun_rfc8489_14_2_libnice_reads_our_response),
    AGW_CASE(test_stun_rfc8489_14_8_errors_carry_code_and_unknown_attributes),
};
AGW_UNIT_MAIN("stun", CASES)
