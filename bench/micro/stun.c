/* SPDX-License-Identifier: BSD-3-Clause
 * What a connectivity check costs, a captured one of Chromium 156: finding whose it is, reading it,
 * reading it and proving where it comes from, answering it. The proofs are HMAC-SHA1, which OpenSSL
 * does in another way on each CPU: only the first two can be counted in instructions. */
#include "ice/stun.h"
#include "base/err.h"
#include "bench/micro/micro.h"
#include "vectors/vector.h"

#include <string.h>

static const char PWD[] = "70Ag2hcT5W3Nxcv1I2O5MuX1Nc"; /* the gateway's, tests/vectors/stun */

static uint8_t check[512];
static size_t check_len;
static const agw_addr from = {.family = AGW_FAMILY_IP4, .port = 49110, .ip = {10, 77, 1, 2}};

static void run_peek(size_t n)
{
    agw_stun_head head;
    while (n-- > 0)
        AGW_ASSERT(agw_stun_peek(check, check_len, &head) == AGW_OK && head.local_ufrag_len == 8);
}

static void run_parse(size_t n)
{
    agw_stun_msg msg;
    while (n-- > 0)
        AGW_ASSERT(agw_stun_parse(&msg, check, check_len) == AGW_OK && msg.use_candidate);
}

static void run_check(size_t n)
{
    agw_stun_msg msg;
    while (n-- > 0)
        AGW_ASSERT(agw_stun_parse(&msg, check, check_len) == AGW_OK &&
                   agw_stun_fingerprint_ok(&msg, check, check_len) &&
                   agw_stun_verify(&msg, check, check_len, PWD, sizeof PWD - 1) == AGW_OK);
}

static void run_reply(size_t n)
{
    agw_stun_msg msg;
    uint8_t reply[AGW_STUN_REPLY_MAX];
    AGW_ASSERT(agw_stun_parse(&msg, check, check_len) == AGW_OK);
    while (n-- > 0)
        AGW_ASSERT(agw_stun_write_success(&msg, &from, PWD, reply, sizeof reply) != 0);
}

int main(int argc, char *argv[])
{
    static const micro list[] = {
        {"stun_peek", "STUN: whose check it is", run_peek},
        {"stun_parse", "STUN: a check read", run_parse},
        {"stun_check", "STUN: a check read, FINGERPRINT and MESSAGE-INTEGRITY proven", run_check},
        {"stun_reply", "STUN: a success response written", run_reply},
    };
    check_len = vector_read("stun/chromium156-check.bin", check, sizeof check);
    AGW_ASSERT(check_len != 0);
    return micro_main(list, sizeof list / sizeof list[0], argc, argv);
}
