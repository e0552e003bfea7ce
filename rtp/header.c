/* SPDX-License-Identifier: BSD-3-Clause
 * RTP header and header extensions. */
#include "rtp/header.h"

#include "base/wire.h"

#include <string.h>

enum {
    EXT_HEADER = 4,
    PROFILE_ONE_BYTE = 0xbede, /* RFC 8285 section 4.2 */
    PROFILE_TWO_BYTE = 0x1000, /* section 4.3; the low 4 bits are the application's */
    ONE_BYTE_ID_MAX = 14,
    ONE_BYTE_LEN_MAX = 16,
    X_BIT = 0x10,
    P_BIT = 0x20,
};

static bool is_one_byte(uint16_t profile)
{
    return profile == PROFILE_ONE_BYTE;
}

static bool is_two_byte(uint16_t profile)
{
    return (profile & 0xfff0u) == PROFILE_TWO_BYTE;
}

static size_t pad4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

agw_err agw_rtp_parse_protected(agw_rtp_header *out, const uint8_t *buf, size_t len)
{
    if (len < AGW_RTP_HEADER_MIN)
        return AGW_ERR_TRUNCATED;
    if (buf[0] >> 6 != 2)
        return AGW_ERR_MALFORMED;
    *out = (agw_rtp_header){
        .pt = buf[1] & 0x7f,
        .marker = (buf[1] & 0x80) != 0,
        .csrc_count = buf[0] & 0x0f,
        .has_ext = (buf[0] & X_BIT) != 0,
        .seq = agw_get16(buf + 2),
        .timestamp = agw_get32(buf + 4),
        .ssrc = agw_get32(buf + 8),
    };
    size_t at = AGW_RTP_HEADER_MIN + 4u * out->csrc_count;
    if (out->has_ext) {
        if (at + EXT_HEADER > len)
            return AGW_ERR_TRUNCATED;
        out->ext_profile = agw_get16(buf + at);
        out->ext_at = at + EXT_HEADER;
        out->ext_len = 4u * agw_get16(buf + at + 2);
        at = out->ext_at + out->ext_len;
    }
    if (at > len)
        return AGW_ERR_TRUNCATED;
    out->header_len = at;
    out->payload_len = len - at;
    return AGW_OK;
}

agw_err agw_rtp_parse(agw_rtp_header *out, const uint8_t *buf, size_t len)
{
    const agw_err err = agw_rtp_parse_protected(out, buf, len);
    if (err != AGW_OK || (buf[0] & P_BIT) == 0)
        return err;
    /* RFC 3550 section 5.1: the last byte counts the padding, itself included. */
    const size_t padding = out->payload_len > 0 ? buf[len - 1] : 0;
    if (padding == 0 || padding > out->payload_len)
        return AGW_ERR_MALFORMED;
    out->padding_len = padding;
    out->payload_len -= padding;
    return AGW_OK;
}

bool agw_rtp_is_rtcp(const uint8_t *buf, size_t len)
{
    return len >= 2 && buf[1] >= 192 && buf[1] <= 223;
}

void agw_rtp_ext_begin(agw_rtp_ext_iter *it, const uint8_t *buf, const agw_rtp_header *h)
{
    const bool known = h->has_ext && (is_one_byte(h->ext_profile) || is_two_byte(h->ext_profile));
    *it = (agw_rtp_ext_iter){
        .body = buf + h->ext_at,
        .len = known ? h->ext_len : 0,
        .two_byte = is_two_byte(h->ext_profile),
    };
}

/* Takes one element whose header is head bytes long. */
static bool take(agw_rtp_ext_iter *it, agw_rtp_ext *out, size_t at, size_t head, uint8_t id,
                 size_t len)
{
    if (at + head + len > it->len)
        return false;
    *out = (agw_rtp_ext){.id = id, .data = it->body + at + head, .len = len};
    it->at = at + head + len;
    return true;
}

bool agw_rtp_ext_next(agw_rtp_ext_iter *it, agw_rtp_ext *out)
{
    size_t at = it->at;
    while (at < it->len && it->body[at] == 0)
        at++; /* padding */
    if (at >= it->len)
        return false;
    if (it->two_byte)
        return at + 2 <= it->len && take(it, out, at, 2, it->body[at], it->body[at + 1]);
    const uint8_t id = it->body[at] >> 4;
    if (id == 0 || id > ONE_BYTE_ID_MAX)
        return false; /* section 4.2: the rest is to be ignored */
    return take(it, out, at, 1, id, (it->body[at] & 0x0fu) + 1u);
}

const uint8_t *agw_rtp_ext_get(const uint8_t *buf, const agw_rtp_header *h, uint8_t id, size_t *len)
{
    agw_rtp_ext_iter it;
    agw_rtp_ext ext;
    agw_rtp_ext_begin(&it, buf, h);
    while (agw_rtp_ext_next(&it, &ext)) {
        if (ext.id != id)
            continue;
        *len = ext.len;
        return ext.data;
    }
    return NULL;
}

/* Writes an element at out and returns its size. out may lie on or before data. */
static size_t put_element(uint8_t *out, bool two_byte, uint8_t id, const uint8_t *data, size_t len)
{
    const size_t head = two_byte ? 2 : 1;
    if (len > 0)
        memmove(out + head, data, len);
    if (two_byte) {
        out[0] = id;
        out[1] = (uint8_t)len;
    } else {
        out[0] = (uint8_t)((unsigned)id << 4 | (unsigned)(len - 1));
    }
    return head + len;
}

/* Removes the bytes [at, at + n) of the packet. */
static void cut(uint8_t *rtp, size_t *len, size_t at, size_t n)
{
    if (n == 0)
        return;
    memmove(rtp + at, rtp + at + n, *len - at - n);
    *len -= n;
}

agw_err agw_rtp_ext_rewrite(uint8_t *rtp, size_t *len, const uint8_t map[256])
{
    agw_rtp_header h;
    const agw_err err = agw_rtp_parse(&h, rtp, *len);
    if (err != AGW_OK || !h.has_ext)
        return err;
    agw_rtp_ext_iter it;
    agw_rtp_ext ext;
    agw_rtp_ext_begin(&it, rtp, &h);
    uint8_t *body = rtp + h.ext_at;
    size_t used = 0; /* never passes what has been read */
    while (agw_rtp_ext_next(&it, &ext)) {
        const uint8_t id = map[ext.id];
        if (id != 0 && (it.two_byte || id <= ONE_BYTE_ID_MAX))
            used += put_element(body + used, it.two_byte, id, ext.data, ext.len);
    }
    if (used == 0) {
        rtp[0] &= (uint8_t)~X_BIT;
        cut(rtp, len, h.ext_at - EXT_HEADER, EXT_HEADER + h.ext_len);
        return AGW_OK;
    }
    const size_t body_len = pad4(used);
    memset(body + used, 0, body_len - used);
    agw_put16(body - 2, (uint16_t)(body_len / 4));
    cut(rtp, len, h.ext_at + body_len, h.ext_len - body_len);
    return AGW_OK;
}

/* Builds the extension body with the new element; 0 when it does not fit. */
static size_t build_body(uint8_t out[AGW_RTP_EXT_BODY_MAX], const uint8_t *rtp,
                         const agw_rtp_header *h, bool two_byte, const agw_rtp_ext *added)
{
    agw_rtp_ext_iter it;
    agw_rtp_ext ext;
    size_t used = 0;
    agw_rtp_ext_begin(&it, rtp, h);
    while (agw_rtp_ext_next(&it, &ext)) {
        if (ext.id == added->id)
            continue;
        if (used + 2 + ext.len > AGW_RTP_EXT_BODY_MAX)
            return 0;
        used += put_element(out + used, two_byte, ext.id, ext.data, ext.len);
    }
    if (used + 2 + added->len > AGW_RTP_EXT_BODY_MAX)
        return 0;
    used += put_element(out + used, two_byte, added->id, added->data, added->len);
    memset(out + used, 0, pad4(used) - used);
    return pad4(used);
}

agw_err agw_rtp_ext_add(uint8_t **rtp, size_t *len, size_t headroom, uint8_t id,
                        const uint8_t *data, size_t data_len)
{
    AGW_ASSERT(id != 0 && data_len <= UINT8_MAX);
    agw_rtp_header h;
    const agw_err err = agw_rtp_parse(&h, *rtp, *len);
    if (err != AGW_OK)
        return err;
    const bool old_two = h.has_ext && is_two_byte(h.ext_profile);
    if (h.has_ext && !old_two && !is_one_byte(h.ext_profile))
        return AGW_ERR_UNSUPPORTED;
    const bool two_byte =
        old_two || id > ONE_BYTE_ID_MAX || data_len == 0 || data_len > ONE_BYTE_LEN_MAX;
    uint8_t body[AGW_RTP_EXT_BODY_MAX];
    const agw_rtp_ext added = {.id = id, .data = data, .len = data_len};
    const size_t body_len = build_body(body, *rtp, &h, two_byte, &added);
    if (body_len == 0)
        return AGW_ERR_NO_SPACE;

    /* The payload stays, what is in front of the body moves. */
    const size_t fixed = AGW_RTP_HEADER_MIN + 4u * h.csrc_count;
    const size_t header_len = fixed + EXT_HEADER + body_len;
    if (header_len > h.header_len + headroom)
        return AGW_ERR_NO_SPACE;
    uint8_t *begin = *rtp + h.header_len - header_len;
    const uint16_t profile = old_two    ? h.ext_profile
                             : two_byte ? PROFILE_TWO_BYTE
                                        : PROFILE_ONE_BYTE;
    memmove(begin, *rtp, fixed);
    begin[0] |= X_BIT;
    agw_put16(begin + fixed, profile);
    agw_put16(begin + fixed + 2, (uint16_t)(body_len / 4));
    memcpy(begin + fixed + EXT_HEADER, body, body_len);
    *len = *len + header_len - h.header_len;
    *rtp = begin;
    return AGW_OK;
}
