/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/record.h"

#include "base/wire.h"

agw_dtls_drop agw_record_next(const uint8_t *buf, size_t len, size_t *at, agw_record *out)
{
    const uint8_t *const p = buf + *at;
    const size_t left = len - *at;
    *at = len;
    if (left < AGW_RECORD_HEADER)
        return AGW_DTLS_DROP_LENGTH;
    if (p[0] < AGW_RECORD_CHANGE_CIPHER_SPEC || p[0] > 25)
        return AGW_DTLS_DROP_TYPE;
    if (p[1] != 0xFE || (p[2] != 0xFF && p[2] != 0xFD))
        return AGW_DTLS_DROP_VERSION;
    const size_t body = agw_get16(p + 11);
    if (body == 0 || body > AGW_RECORD_MAX || body > left - AGW_RECORD_HEADER)
        return AGW_DTLS_DROP_LENGTH;
    *at = len - left + AGW_RECORD_HEADER + body;
    *out = (agw_record){.type = p[0],
                        .epoch = agw_get16(p + 3),
                        .body = p + AGW_RECORD_HEADER,
                        .len = body,
                        .raw = p,
                        .raw_len = AGW_RECORD_HEADER + body};
    return AGW_DTLS_DROP_NONE;
}

/* Both ask for a certificate: messages have fixed places, one later behind a HelloVerifyRequest.
 * Shortest ClientHello: version, random, empty session id and cookie, one suite, one compression
 * method. */
static bool from_client(const agw_fragment *f, unsigned later)
{
    switch (f->type) {
    case AGW_HANDSHAKE_CLIENT_HELLO:
        return f->seq <= later && f->length >= 42;
    case 11: /* Certificate */
        return f->seq == 1 + later;
    case 16: /* ClientKeyExchange */
        return f->seq == 2 + later;
    case 15: /* CertificateVerify */
        return f->seq == 3 + later;
    default:
        return false;
    }
}

static bool from_server(const agw_fragment *f, unsigned later)
{
    switch (f->type) {
    case 3: /* HelloVerifyRequest */
        return f->seq == 0;
    case 2: /* ServerHello */
        return f->seq == later && f->length >= 38;
    case 11: /* Certificate */
        return f->seq == 1 + later;
    case 12: /* ServerKeyExchange */
        return f->seq == 2 + later;
    case 13: /* CertificateRequest, RFC 5763 section 5 */
        return f->seq == 3 + later;
    case 14: /* ServerHelloDone */
        return f->seq == 4 + later && f->length == 0;
    default:
        return false;
    }
}

agw_dtls_drop agw_fragment_next(const agw_record *record, agw_dtls_role role, bool cookie,
                                size_t *at, agw_fragment *out)
{
    const uint8_t *const p = record->body + *at;
    const size_t left = record->len - *at;
    *at = record->len;
    if (left < AGW_HANDSHAKE_HEADER)
        return AGW_DTLS_DROP_HANDSHAKE;
    const agw_fragment f = {.type = p[0],
                            .seq = agw_get16(p + 4),
                            .length = agw_get24(p + 1),
                            .offset = agw_get24(p + 6),
                            .len = agw_get24(p + 9),
                            .body = p + AGW_HANDSHAKE_HEADER};
    if (f.len > left - AGW_HANDSHAKE_HEADER || f.length > AGW_HANDSHAKE_MAX ||
        f.offset > f.length || f.len > f.length - f.offset || (f.len == 0 && f.length != 0))
        return AGW_DTLS_DROP_HANDSHAKE;
    const unsigned later = cookie ? 1 : 0;
    if (role == AGW_DTLS_SERVER ? !from_client(&f, later) : !from_server(&f, later))
        return AGW_DTLS_DROP_HANDSHAKE;
    *at = record->len - left + AGW_HANDSHAKE_HEADER + f.len;
    *out = f;
    return AGW_DTLS_DROP_NONE;
}
