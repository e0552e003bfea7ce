/* SPDX-License-Identifier: BSD-3-Clause
 * Everything that a STUN datagram meets: the cheap look, the parse, the proofs, and agents with
 * fixed credentials, lite and full. An agent is fed the datagram as it is and once more with proofs
 * repaired, so that the fuzzer gets behind the HMAC; a full one that waits for a response gets it
 * with the transaction id of its check. */
#include "base/wire.h"
#include "ice/agent.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define UFRAG "06xRYpJm"
#define PWD   "70Ag2hcT5W3Nxcv1I2O5MuX1Nc"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give(agw_ice *ice, agw_ns now, const uint8_t *data, size_t size)
{
    const agw_addr from = {.ip = {192, 0, 2, (uint8_t)size}, .port = 9, .family = AGW_FAMILY_IP4};
    uint8_t reply[AGW_STUN_REPLY_MAX];
    agw_ice_result res;
    agw_ice_on_stun(ice, now, 1, &from, data, size, reply, sizeof reply, &res);
    AGW_ASSERT(res.reply_len <= sizeof reply);
    AGW_ASSERT(res.drop == AGW_ICE_DROP_NONE || !(res.new_remote || res.selected_changed));
    agw_stun_msg msg;
    AGW_ASSERT(res.reply_len == 0 || agw_stun_parse(&msg, reply, res.reply_len) == AGW_OK);
}

/* Writes the right MESSAGE-INTEGRITY where the message has one, and cuts what follows it. */
static size_t repair_integrity(uint8_t *buf, size_t len)
{
    agw_stun_msg msg;
    if (agw_stun_parse(&msg, buf, len) != AGW_OK || msg.integrity_at == 0)
        return 0;
    const size_t at = msg.integrity_at;
    uint8_t tag[EVP_MAX_MD_SIZE];
    unsigned tag_len = 0;
    agw_put16(buf + 2, (uint16_t)(at + 24 - 20));
    HMAC(EVP_sha1(), PWD, (int)strlen(PWD), buf, at, tag, &tag_len);
    memcpy(buf + at + 4, tag, 20);
    return at + 24;
}

static uint32_t crc32_slow(const uint8_t *p, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len * 8; i++) {
        crc ^= i % 8 == 0 ? p[i / 8] : 0u;
        crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
    }
    return ~crc;
}

static size_t append_fingerprint(uint8_t *buf, size_t len)
{
    agw_put16(buf + 2, (uint16_t)(len + 8 - 20));
    agw_put16(buf + len, 0x8028);
    agw_put16(buf + len + 2, 4);
    agw_put32(buf + len + 4, crc32_slow(buf, len) ^ 0x5354554E);
    return len + 8;
}

/* Sends what is due. The last check's transaction id replaces the one in buf, if there is one. */
static void run_full(agw_ice *ice, agw_ns now, uint8_t *buf, size_t len)
{
    agw_ice_check due;
    for (int turns = 0; agw_ice_deadline(ice) <= now; turns++) {
        AGW_ASSERT(turns < 1000);
        (void)agw_ice_on_deadline(ice, now);
        while (agw_ice_next_check(ice, now, &due)) {
            agw_stun_msg msg;
            AGW_ASSERT(agw_stun_parse(&msg, due.data, due.len) == AGW_OK);
            if (len >= AGW_STUN_HEADER)
                memcpy(buf + 8, msg.head.id, AGW_STUN_ID);
        }
    }
}

/* Its own password is the peer's, too, so that one repair serves checks and responses. */
static void give_full(const uint8_t *data, size_t size, bool controlling)
{
    uint8_t copy[2048];
    if (size > sizeof copy - 8)
        return;
    memcpy(copy, data, size);
    agw_ice *ice = agw_ice_new(&(agw_ice_config){.controlling = controlling,
                                                 .id_prefix = 5,
                                                 .local_ufrag = UFRAG,
                                                 .local_pwd = PWD,
                                                 .remote_ufrag = "S37V",
                                                 .remote_pwd = PWD});
    AGW_ASSERT(ice != NULL);
    AGW_ASSERT(agw_ice_add_local(ice, 1, AGW_FAMILY_IP4, 9, 5) == AGW_OK);
    const size_t len = repair_integrity(copy, size);
    for (agw_ns now = AGW_MS(1); now < AGW_S(90); now *= 3) {
        /* where it comes from depends on its length, see give() */
        const agw_addr from = {
            .ip = {192, 0, 2, (uint8_t)(len + 8)}, .port = 9, .family = AGW_FAMILY_IP4};
        if (now == AGW_MS(27))
            (void)agw_ice_add_remote(ice, &from, 7);
        run_full(ice, now, copy, len);
        if (len == 0)
            continue;
        agw_put16(copy + 2, (uint16_t)(len - AGW_STUN_HEADER));
        const size_t again = repair_integrity(copy, len);
        AGW_ASSERT(again == len);
        give(ice, now, copy, append_fingerprint(copy, len));
    }
    agw_ice_free(ice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t copy[2048];
    agw_stun_head head;
    if (agw_stun_peek(data, size, &head) == AGW_OK && head.local_ufrag != NULL)
        AGW_ASSERT(head.local_ufrag_len + head.remote_ufrag_len <= 2 * AGW_STUN_UFRAG_MAX);
    agw_ice *ice = agw_ice_new(
        &(agw_ice_config){.lite = true, .local_ufrag = UFRAG, .local_pwd = PWD, .now = 0});
    AGW_ASSERT(ice != NULL);
    give(ice, AGW_S(1), data, size);
    if (size <= sizeof copy - 8) {
        memcpy(copy, data, size);
        const size_t len = repair_integrity(copy, size);
        if (len > 0)
            give(ice, AGW_S(2), copy, append_fingerprint(copy, len));
    }
    (void)agw_ice_on_deadline(ice, agw_ice_deadline(ice));
    agw_ice_free(ice);
    give_full(data, size, false);
    give_full(data, size, true);
    return 0;
}
