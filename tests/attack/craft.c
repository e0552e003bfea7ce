/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/attack/craft.h"

#include "base/wire.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    STUN_HEADER = 20,
    STUN_COOKIE = 0x2112a442,
    STUN_INTEGRITY = 0x0008,
    STUN_FINGERPRINT = 0x8028,
    STUN_FINGERPRINT_XOR = 0x5354554e,
    SHA1_BYTES = 20,
    HANDSHAKE_HEADER = 12,
    CLIENT_HELLO = 1,
};

/* --- random ------------------------------------------------------------------------------------
 */

uint32_t craft_rand(craft_rng *rng)
{
    uint64_t x = rng->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    rng->state = x;
    return (uint32_t)((x * 0x2545f4914f6cdd1dULL) >> 32);
}

uint32_t craft_below(craft_rng *rng, uint32_t n)
{
    return (uint32_t)((uint64_t)craft_rand(rng) * n >> 32);
}

void craft_fill(craft_rng *rng, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)craft_rand(rng);
}

/* --- bytes -------------------------------------------------------------------------------------
 */

void craft_clear(craft *c)
{
    c->len = 0;
}

static uint8_t *room(craft *c, size_t len)
{
    if (len > CRAFT_MAX - c->len)
        return NULL;
    c->len += len;
    return c->data + c->len - len;
}

void craft_add(craft *c, const void *bytes, size_t len)
{
    uint8_t *at = room(c, len);
    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

void craft_add8(craft *c, unsigned value)
{
    uint8_t *at = room(c, 1);
    if (at != NULL)
        *at = (uint8_t)value;
}

void craft_add16(craft *c, unsigned value)
{
    uint8_t *at = room(c, 2);
    if (at != NULL)
        agw_put16(at, (uint16_t)value);
}

void craft_add24(craft *c, uint32_t value)
{
    uint8_t *at = room(c, 3);
    if (at != NULL)
        agw_put24(at, value);
}

void craft_add32(craft *c, uint32_t value)
{
    uint8_t *at = room(c, 4);
    if (at != NULL)
        agw_put32(at, value);
}

void craft_add_random(craft *c, craft_rng *rng, size_t len)
{
    uint8_t *at = room(c, len);
    if (at != NULL)
        craft_fill(rng, at, len);
}

/* --- STUN --------------------------------------------------------------------------------------
 */

static void stun_set_length(craft *c)
{
    agw_put16(c->data + 2, (uint16_t)(c->len - STUN_HEADER));
}

void craft_stun(craft *c, craft_rng *rng, unsigned type)
{
    craft_clear(c);
    craft_add16(c, type);
    craft_add16(c, 0);
    craft_add32(c, STUN_COOKIE);
    craft_add_random(c, rng, 12);
}

void craft_stun_attr(craft *c, unsigned type, const void *value, size_t len)
{
    static const uint8_t PADDING[3] = {0};
    craft_add16(c, type);
    craft_add16(c, (unsigned)len);
    craft_add(c, value, len);
    craft_add(c, PADDING, -len & 3);
    stun_set_length(c);
}

void craft_stun_username(craft *c, const char *first, const char *second)
{
    char text[600];
    const size_t a = strnlen(first, 256), b = strnlen(second, 256);
    memcpy(text, first, a);
    text[a] = ':';
    memcpy(text + a + 1, second, b);
    craft_stun_attr(c, STUN_USERNAME, text, a + 1 + b);
}

/* RFC 8489 section 14.5: the HMAC covers a header whose length counts the attribute itself. */
void craft_stun_integrity(craft *c, const char *key)
{
    uint8_t mac[SHA1_BYTES] = {0};
    const size_t before = c->len;
    craft_stun_attr(c, STUN_INTEGRITY, mac, sizeof mac);
    HMAC(EVP_sha1(), key, (int)strlen(key), c->data, before, mac, NULL);
    memcpy(c->data + before + 4, mac, sizeof mac);
}

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    return ~crc;
}

void craft_stun_fingerprint(craft *c)
{
    uint8_t value[4] = {0};
    const size_t before = c->len;
    craft_stun_attr(c, STUN_FINGERPRINT, value, sizeof value);
    agw_put32(c->data + before + 4, crc32_of(c->data, before) ^ STUN_FINGERPRINT_XOR);
}

void craft_check(craft *c, craft_rng *rng, const char *first, const char *second, const char *key,
                 bool nominate)
{
    uint8_t number[8];
    craft_stun(c, rng, STUN_REQUEST);
    craft_stun_username(c, first, second);
    craft_fill(rng, number, sizeof number);
    craft_stun_attr(c, STUN_CONTROLLING, number, sizeof number);
    if (nominate)
        craft_stun_attr(c, STUN_USE_CANDIDATE, NULL, 0);
    agw_put32(number, 0x7effffff); /* better than any candidate that the browser has */
    craft_stun_attr(c, STUN_PRIORITY, number, 4);
    if (key != NULL)
        craft_stun_integrity(c, key);
    craft_stun_fingerprint(c);
}

/* --- DTLS --------------------------------------------------------------------------------------
 */

void craft_record(craft *c, unsigned type, unsigned version, unsigned epoch, uint64_t seq,
                  const void *body, size_t len, unsigned claimed)
{
    craft_add8(c, type);
    craft_add16(c, version);
    craft_add16(c, epoch);
    craft_add16(c, (unsigned)(seq >> 32));
    craft_add32(c, (uint32_t)seq);
    craft_add16(c, claimed);
    craft_add(c, body, len);
}

void craft_alert(craft *c, unsigned epoch, uint64_t seq, unsigned level, unsigned description)
{
    const uint8_t body[2] = {(uint8_t)level, (uint8_t)description};
    craft_record(c, DTLS_ALERT, DTLS_12, epoch, seq, body, sizeof body, sizeof body);
}

static const uint16_t GOOD_SUITES[] = {0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc00a, 0xc009};
static const uint16_t NULL_SUITES[] = {0x0000};

const craft_hello_shape CRAFT_HELLO_GOOD = {
    .record_version = DTLS_10,
    .client_version = DTLS_12,
    .suites = GOOD_SUITES,
    .suite_count = sizeof GOOD_SUITES / sizeof GOOD_SUITES[0],
};
const craft_hello_shape CRAFT_HELLO_NULL = {
    .record_version = DTLS_12,
    .client_version = DTLS_12,
    .suites = NULL_SUITES,
    .suite_count = 1,
};

/* supported_groups, ec_point_formats, signature_algorithms, extended_master_secret,
 * renegotiation_info, use_srtp */
static const uint8_t EXTENSIONS[] = {
    0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x1d, 0x00, 0x17, 0x00, 0x18, 0x00,
    0x0b, 0x00, 0x02, 0x01, 0x00, 0x00, 0x0d, 0x00, 0x0a, 0x00, 0x08, 0x04, 0x03,
    0x08, 0x04, 0x04, 0x01, 0x05, 0x03, 0x00, 0x17, 0x00, 0x00, 0xff, 0x01, 0x00,
    0x01, 0x00, 0x00, 0x0e, 0x00, 0x07, 0x00, 0x04, 0x00, 0x01, 0x00, 0x07, 0x00,
};

void craft_hello_message(craft *c, craft_rng *rng, const craft_hello_shape *shape)
{
    const size_t body = 2 + 32 + 1 + 1 + 2 + 2 * shape->suite_count + 2 + 2 + sizeof EXTENSIONS;
    craft_add8(c, CLIENT_HELLO);
    craft_add24(c, (uint32_t)body);
    craft_add16(c, shape->message_seq);
    craft_add24(c, 0);
    craft_add24(c, (uint32_t)body);
    craft_add16(c, shape->client_version);
    craft_add_random(c, rng, 32);
    craft_add16(c, 0); /* no session, no cookie */
    craft_add16(c, (unsigned)(2 * shape->suite_count));
    for (size_t i = 0; i < shape->suite_count; i++)
        craft_add16(c, shape->suites[i]);
    craft_add16(c, 0x0100); /* one compression method: none */
    craft_add16(c, sizeof EXTENSIONS);
    craft_add(c, EXTENSIONS, sizeof EXTENSIONS);
}

void craft_hello(craft *c, craft_rng *rng, const craft_hello_shape *shape, uint64_t seq)
{
    const size_t at = c->len;
    craft_record(c, DTLS_HANDSHAKE, shape->record_version, 0, seq, NULL, 0, 0);
    const size_t body = c->len;
    craft_hello_message(c, rng, shape);
    agw_put16(c->data + at + 11, (uint16_t)(c->len - body));
}

/* --- RTP and RTCP ------------------------------------------------------------------------------
 */

void craft_rtp(craft *c, craft_rng *rng, unsigned pt, uint16_t seq, uint32_t timestamp,
               uint32_t ssrc, size_t payload)
{
    craft_add8(c, 0x80);
    craft_add8(c, pt);
    craft_add16(c, seq);
    craft_add32(c, timestamp);
    craft_add32(c, ssrc);
    craft_add_random(c, rng, payload);
}

static void rtcp_head(craft *c, unsigned count, unsigned type, unsigned words, uint32_t ssrc)
{
    craft_add8(c, 0x80 | count);
    craft_add8(c, type);
    craft_add16(c, words - 1);
    craft_add32(c, ssrc);
}

void craft_sr(craft *c, craft_rng *rng, uint32_t ssrc)
{
    rtcp_head(c, 0, 200, 7, ssrc);
    craft_add_random(c, rng, 20);
}

void craft_sdes(craft *c, uint32_t ssrc, const char *cname)
{
    const size_t len = strnlen(cname, 255);
    const size_t words = 2 + (2 + len) / 4 + 1; /* at least one byte 0 ends the chunk */
    rtcp_head(c, 1, 202, (unsigned)words, ssrc);
    craft_add8(c, 1);
    craft_add8(c, (unsigned)len);
    craft_add(c, cname, len);
    for (size_t i = 8 + 2 + len; i < 4 * words; i++)
        craft_add8(c, 0);
}

void craft_bye(craft *c, uint32_t ssrc)
{
    rtcp_head(c, 1, 203, 2, ssrc);
}

void craft_app(craft *c, uint32_t ssrc)
{
    rtcp_head(c, 0, 204, 3, ssrc);
    craft_add(c, "ATCK", 4);
}
