/* SPDX-License-Identifier: BSD-3-Clause
 * Writing STUN messages: header, attributes, and at the end the two proofs, MESSAGE-INTEGRITY and
 * FINGERPRINT. Four bytes of padding at most and no length that a stranger chooses. */
#include "ice/stun.h"

#include "base/hmac.h"
#include "base/secret.h"
#include "base/wire.h"
#include "ice/stun_wire.h"

#include <string.h>

/* A message under construction. Once something did not fit, len stays 0. */
typedef struct writer {
    uint8_t *buf;
    size_t room, len;
} writer;

/* id: the transaction's, AGW_STUN_ID bytes. */
static void begin(writer *w, agw_stun_class msg_class, unsigned method, const uint8_t *id,
                  uint8_t *out, size_t room)
{
    *w = (writer){.buf = out, .room = room};
    if (room < AGW_STUN_HEADER)
        return;
    const unsigned c = msg_class;
    agw_put16(out, (uint16_t)((method & 0xF80) << 2 | (c & 2) << 7 | (method & 0x70) << 1 |
                              (c & 1) << 4 | (method & 0xF)));
    agw_put32(out + 4, AGW_STUN_COOKIE);
    memcpy(out + 8, id, AGW_STUN_ID);
    w->len = AGW_STUN_HEADER;
}

static void begin_reply(writer *w, const agw_stun_msg *request, agw_stun_class msg_class,
                        uint8_t *out, size_t room)
{
    begin(w, msg_class, request->head.method, request->head.id, out, room);
}

/* Appends an attribute; its value of len bytes is the caller's to fill, padding is zero.
 * NULL: no room. */
static uint8_t *append(writer *w, uint16_t type, size_t len)
{
    const size_t padded = (len + 3) & ~(size_t)3;
    if (w->len == 0 || w->room - w->len < AGW_STUN_ATTRIBUTE_HEADER + padded) {
        w->len = 0;
        return NULL;
    }
    uint8_t *const at = w->buf + w->len;
    agw_put16(at, type);
    agw_put16(at + 2, (uint16_t)len);
    memset(at + AGW_STUN_ATTRIBUTE_HEADER + len, 0, padded - len);
    w->len += AGW_STUN_ATTRIBUTE_HEADER + padded;
    agw_put16(w->buf + 2, (uint16_t)(w->len - AGW_STUN_HEADER));
    return at + AGW_STUN_ATTRIBUTE_HEADER;
}

/* RFC 8489 section 14.2. */
static void append_mapped(writer *w, const agw_addr *mapped)
{
    const bool is_ip4 = mapped->family == AGW_FAMILY_IP4;
    const size_t len = is_ip4 ? 4 : 16;
    uint8_t *const value = append(w, AGW_STUN_XOR_MAPPED_ADDRESS, 4 + len);
    if (value == NULL)
        return;
    const uint8_t *const pad = w->buf + 4; /* cookie and transaction id */
    value[0] = 0;
    value[1] = is_ip4 ? 1 : 2;
    agw_put16(value + 2, mapped->port ^ (AGW_STUN_COOKIE >> 16));
    for (size_t i = 0; i < len; i++)
        value[4 + i] = mapped->ip[i] ^ pad[i];
}

static size_t append_fingerprint(writer *w)
{
    const size_t proven = w->len;
    uint8_t *const crc = append(w, AGW_STUN_FINGERPRINT, 4);
    if (crc != NULL)
        agw_put32(crc, agw_stun_crc32(w->buf, proven) ^ AGW_STUN_FINGERPRINT_XOR);
    return w->len;
}

/* RFC 8489 sections 14.5 and 14.7: each proof covers what stands before it, with a header length
 * that ends behind it. */
static size_t finish(writer *w, const char *key)
{
    const size_t text = w->len;
    uint8_t *const tag = append(w, AGW_STUN_MESSAGE_INTEGRITY, AGW_HMAC_LEN);
    if (tag != NULL) {
        agw_hmac hmac;
        agw_hmac_init(&hmac, (const uint8_t *)key, strlen(key));
        agw_hmac_of(&hmac, w->buf, text, tag);
        agw_secret_wipe(&hmac, sizeof hmac);
    }
    return append_fingerprint(w);
}
size_t agw_stun_write_success(const agw_stun_msg *request, const agw_addr *mapped, const char *key,
                              uint8_t *out, size_t room)
{
    if (mapped->family != AGW_FAMILY_IP4 && mapped->family != AGW_FAMILY_IP6)
        return 0;
    writer w;
    begin_reply(&w, request, AGW_STUN_RESPONSE, out, room);
    append_mapped(&w, mapped);
    return finish(&w, key);
}

/* RFC 8489 section 14.8; the phrases are those of sections 14.8 and RFC 8445 section 7.3.1.1. */
static void append_error(writer *w, unsigned code)
{
    const char *const phrase = code == 400   ? "Bad Request"
                               : code == 420 ? "Unknown Attribute"
                               : code == 487 ? "Role Conflict"
                                             : "";
    const size_t len = strlen(phrase);
    uint8_t *const value = append(w, AGW_STUN_ERROR_CODE, 4 + len);
    if (value == NULL)
        return;
    agw_put32(value, code / 100 << 8 | code % 100);
    memcpy(value + 4, phrase, len);
}

static void append_unknown(writer *w, const agw_stun_msg *request)
{
    uint8_t *const value = append(w, AGW_STUN_UNKNOWN_ATTRIBUTES, 2 * request->unknown_count);
    for (size_t i = 0; value != NULL && i < request->unknown_count; i++)
        agw_put16(value + 2 * i, request->unknown[i]);
}

size_t agw_stun_write_error(const agw_stun_msg *request, unsigned code, const char *key,
                            uint8_t *out, size_t room)
{
    writer w;
    begin_reply(&w, request, AGW_STUN_ERROR, out, room);
    append_error(&w, code);
    if (code == 420)
        append_unknown(&w, request);
    return finish(&w, key);
}

size_t agw_stun_write_mapped(const agw_stun_msg *request, const agw_addr *mapped, uint8_t *out,
                             size_t room)
{
    if (mapped->family != AGW_FAMILY_IP4 && mapped->family != AGW_FAMILY_IP6)
        return 0;
    writer w;
    begin_reply(&w, request, AGW_STUN_RESPONSE, out, room);
    append_mapped(&w, mapped);
    return request->fingerprint_at != 0 ? append_fingerprint(&w) : w.len;
}

static void append_username(writer *w, const agw_stun_check *check)
{
    const size_t theirs = strlen(check->their_ufrag), ours = strlen(check->our_ufrag);
    uint8_t *const value = append(w, AGW_STUN_USERNAME, theirs + 1 + ours);
    if (value == NULL)
        return;
    memcpy(value, check->their_ufrag, theirs);
    value[theirs] = ':';
    memcpy(value + theirs + 1, check->our_ufrag, ours);
}

static void append_role(writer *w, const agw_stun_check *check)
{
    const uint16_t type = check->controlling ? AGW_STUN_ICE_CONTROLLING : AGW_STUN_ICE_CONTROLLED;
    uint8_t *const value = append(w, type, 8);
    if (value != NULL)
        agw_put64(value, check->tie_breaker);
}

size_t agw_stun_write_check(const agw_stun_check *check, uint8_t *out, size_t room)
{
    writer w;
    begin(&w, AGW_STUN_REQUEST, AGW_STUN_METHOD_BINDING, check->id, out, room);
    append_username(&w, check);
    uint8_t *const priority = append(&w, AGW_STUN_PRIORITY, 4);
    if (priority != NULL)
        agw_put32(priority, check->priority);
    append_role(&w, check);
    if (check->use_candidate)
        (void)append(&w, AGW_STUN_USE_CANDIDATE, 0);
    return finish(&w, check->key);
}
