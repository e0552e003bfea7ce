/* SPDX-License-Identifier: BSD-3-Clause
 * Reading and proving STUN messages. Not by libnice's STUN library: it trusts the length of
 * MESSAGE-INTEGRITY, compares tags with memcmp and wants to know every transaction id itself. */
#include "ice/stun.h"

#include "base/hmac.h"
#include "base/secret.h"
#include "base/wire.h"
#include "ice/stun_wire.h"

#include <string.h>
#include <zlib.h>

enum {
    INTEGRITY_LEN = AGW_HMAC_LEN,
    USERNAME_MAX = 2 * AGW_STUN_UFRAG_MAX + 1,
};

/* One attribute; value is borrowed. */
typedef struct attribute {
    uint16_t type;
    uint16_t len; /* without padding */
    size_t at;    /* offset of its header */
    const uint8_t *value;
} attribute;

static agw_err read_head(const uint8_t *buf, size_t len, agw_stun_head *head)
{
    *head = (agw_stun_head){0};
    if (len < AGW_STUN_HEADER || len % 4 != 0 || (buf[0] & 0xC0) != 0)
        return AGW_ERR_MALFORMED;
    if (agw_get32(buf + 4) != AGW_STUN_COOKIE || agw_get16(buf + 2) != len - AGW_STUN_HEADER)
        return AGW_ERR_MALFORMED;
    const unsigned type = agw_get16(buf); /* RFC 8489 section 5: class bits inside the method */
    head->msg_class = (agw_stun_class)((type >> 7 & 2) | (type >> 4 & 1));
    head->method = (uint16_t)((type >> 2 & 0xF80) | (type >> 1 & 0x70) | (type & 0xF));
    head->id = buf + 8;
    return AGW_OK;
}

/* The attribute at *at, and *at moves behind it. The caller stops when *at == len; len is a
 * multiple of four, so a header is whole. */
static agw_err next_attribute(const uint8_t *buf, size_t len, size_t *at, attribute *out)
{
    *out = (attribute){.type = agw_get16(buf + *at),
                       .len = agw_get16(buf + *at + 2),
                       .at = *at,
                       .value = buf + *at + AGW_STUN_ATTRIBUTE_HEADER};
    const size_t padded = (out->len + 3u) & ~(size_t)3;
    if (padded > len - *at - AGW_STUN_ATTRIBUTE_HEADER)
        return AGW_ERR_TRUNCATED;
    *at += AGW_STUN_ATTRIBUTE_HEADER + padded;
    return AGW_OK;
}

static agw_err take_username(agw_stun_head *head, const attribute *a)
{
    if (head->local_ufrag != NULL)
        return AGW_OK;
    if (a->len > USERNAME_MAX)
        return AGW_ERR_MALFORMED;
    const char *const text = (const char *)a->value;
    const char *const colon = memchr(text, ':', a->len);
    head->local_ufrag = text;
    head->local_ufrag_len = colon == NULL ? a->len : (size_t)(colon - text);
    if (colon != NULL) {
        head->remote_ufrag = colon + 1;
        head->remote_ufrag_len = a->len - head->local_ufrag_len - 1;
    }
    const bool fits =
        head->local_ufrag_len <= AGW_STUN_UFRAG_MAX && head->remote_ufrag_len <= AGW_STUN_UFRAG_MAX;
    return fits ? AGW_OK : AGW_ERR_MALFORMED;
}

agw_err agw_stun_peek(const uint8_t *buf, size_t len, agw_stun_head *head)
{
    agw_err err = read_head(buf, len, head);
    for (size_t at = AGW_STUN_HEADER; err == AGW_OK && at < len;) {
        attribute a;
        err = next_attribute(buf, len, &at, &a);
        if (err != AGW_OK || a.type == AGW_STUN_MESSAGE_INTEGRITY)
            break;
        if (a.type == AGW_STUN_USERNAME)
            return take_username(head, &a);
    }
    return err;
}

/* RFC 8489 section 14.2. */
static agw_err take_mapped(agw_stun_msg *msg, const attribute *a)
{
    if (a->len != 8 && a->len != 20)
        return AGW_ERR_MALFORMED;
    const uint8_t family = a->len == 8 ? 1 : 2;
    if (a->value[1] != family)
        return AGW_ERR_MALFORMED;
    uint8_t pad[16];
    agw_put32(pad, AGW_STUN_COOKIE);
    memcpy(pad + 4, msg->head.id, AGW_STUN_ID);
    msg->mapped = (agw_addr){0};
    msg->mapped.family = family == 1 ? AGW_FAMILY_IP4 : AGW_FAMILY_IP6;
    msg->mapped.port = agw_get16(a->value + 2) ^ (AGW_STUN_COOKIE >> 16);
    for (size_t i = 0; i < a->len - 4u; i++)
        msg->mapped.ip[i] = a->value[4 + i] ^ pad[i];
    return AGW_OK;
}

static agw_err take_role(agw_stun_msg *msg, const attribute *a)
{
    if (a->len != 8)
        return AGW_ERR_MALFORMED;
    if (msg->is_controlled || msg->is_controlling)
        return AGW_OK;
    msg->is_controlled = a->type == AGW_STUN_ICE_CONTROLLED;
    msg->is_controlling = a->type == AGW_STUN_ICE_CONTROLLING;
    msg->tie_breaker = agw_get64(a->value);
    return AGW_OK;
}

static agw_err take_error(agw_stun_msg *msg, const attribute *a)
{
    if (a->len < 4)
        return AGW_ERR_MALFORMED;
    const unsigned hundreds = a->value[2] & 7u, rest = a->value[3];
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return AGW_ERR_MALFORMED;
    msg->error_code = (uint16_t)(hundreds * 100 + rest);
    return AGW_OK;
}

static void note_unknown(agw_stun_msg *msg, uint16_t type)
{
    if (type < 0x8000 && msg->unknown_count < AGW_STUN_UNKNOWN_MAX)
        msg->unknown[msg->unknown_count++] = type;
}

static agw_err take_attribute(agw_stun_msg *msg, const attribute *a)
{
    switch (a->type) {
    case AGW_STUN_USERNAME:
        return take_username(&msg->head, a);
    case AGW_STUN_PRIORITY:
        if (a->len != 4)
            return AGW_ERR_MALFORMED;
        if (!msg->has_priority)
            msg->priority = agw_get32(a->value);
        msg->has_priority = true;
        return AGW_OK;
    case AGW_STUN_USE_CANDIDATE:
        msg->use_candidate = true;
        return a->len == 0 ? AGW_OK : AGW_ERR_MALFORMED;
    case AGW_STUN_ICE_CONTROLLED:
    case AGW_STUN_ICE_CONTROLLING:
        return take_role(msg, a);
    case AGW_STUN_XOR_MAPPED_ADDRESS:
        return agw_addr_is_set(&msg->mapped) ? AGW_OK : take_mapped(msg, a);
    case AGW_STUN_ERROR_CODE:
        return take_error(msg, a);
    case AGW_STUN_MESSAGE_INTEGRITY:
        msg->integrity_at = a->at;
        return a->len == INTEGRITY_LEN ? AGW_OK : AGW_ERR_MALFORMED;
    case AGW_STUN_MAPPED_ADDRESS:
    case AGW_STUN_UNKNOWN_ATTRIBUTES:
    case AGW_STUN_REALM:
    case AGW_STUN_NONCE:
    case AGW_STUN_MESSAGE_INTEGRITY_SHA256:
        return AGW_OK;
    default:
        note_unknown(msg, a->type);
        return AGW_OK;
    }
}

agw_err agw_stun_parse(agw_stun_msg *msg, const uint8_t *buf, size_t len)
{
    *msg = (agw_stun_msg){0};
    agw_err err = read_head(buf, len, &msg->head);
    for (size_t at = AGW_STUN_HEADER; err == AGW_OK && at < len;) {
        attribute a;
        err = next_attribute(buf, len, &at, &a);
        if (err != AGW_OK)
            break;
        if (a.type == AGW_STUN_FINGERPRINT) { /* always the last one, RFC 8489 section 14.7 */
            msg->fingerprint_at = a.at;
            err = a.len == 4 && at == len ? AGW_OK : AGW_ERR_MALFORMED;
        } else if (msg->integrity_at == 0) {
            err = take_attribute(msg, &a);
        }
    }
    return err;
}

uint32_t agw_stun_crc32(const uint8_t *p, size_t len)
{
    return (uint32_t)crc32_z(0, p, len);
}

bool agw_stun_fingerprint_ok(const agw_stun_msg *msg, const uint8_t *buf, size_t len)
{
    const size_t at = msg->fingerprint_at;
    if (at == 0 || at + AGW_STUN_ATTRIBUTE_HEADER + 4 != len)
        return false;
    return agw_get32(buf + at + AGW_STUN_ATTRIBUTE_HEADER) ==
           (agw_stun_crc32(buf, at) ^ AGW_STUN_FINGERPRINT_XOR);
}

/* The HMAC runs over the message up to its own attribute, with a header length that ends behind
 * that attribute (RFC 8489 section 14.5). */
agw_err agw_stun_verify(const agw_stun_msg *msg, const uint8_t *buf, size_t len, const void *key,
                        size_t key_len)
{
    const size_t at = msg->integrity_at;
    if (at == 0 || at + AGW_STUN_ATTRIBUTE_HEADER + INTEGRITY_LEN > len)
        return AGW_ERR_NOT_FOUND;
    uint8_t text[AGW_STUN_SIGNED_MAX];
    if (at > sizeof text)
        return AGW_ERR_AUTH;
    memcpy(text, buf, at);
    agw_put16(text + 2,
              (uint16_t)(at + AGW_STUN_ATTRIBUTE_HEADER + INTEGRITY_LEN - AGW_STUN_HEADER));
    uint8_t tag[AGW_HMAC_LEN];
    agw_hmac hmac;
    agw_hmac_init(&hmac, key, key_len);
    agw_hmac_of(&hmac, text, at, tag);
    agw_secret_wipe(&hmac, sizeof hmac);
    const bool same = agw_secret_equal(tag, buf + at + AGW_STUN_ATTRIBUTE_HEADER, INTEGRITY_LEN);
    return same ? AGW_OK : AGW_ERR_AUTH;
}
