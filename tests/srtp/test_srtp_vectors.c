/* SPDX-License-Identifier: BSD-3-Clause
 * The published packets of GCM on every engine. They come with session keys, not with a master key:
 * these are put into a session from behind. AES-CM's are in test_srtp_session.c. */
#include "packets.h"
#include "srtp/inside.h"
#include "unit.h"

/* RFC 7714 sections 16 and 17: session key 00 01 02 ..., salt "Quid pro quo". */
static const uint8_t rfc7714_salt[12] = {0x51, 0x75, 0x69, 0x64, 0x20, 0x70,
                                         0x72, 0x6f, 0x20, 0x71, 0x75, 0x6f};
static const uint8_t rfc7714_16_header[12] = {0x80, 0x40, 0xf1, 0x7b, 0x80, 0x41,
                                              0xf8, 0xd3, 0x55, 0x01, 0xa0, 0xb2};
static const char rfc7714_16_plain[] = "Gallia est omnis divisa in partes tres";
static const uint8_t rfc7714_16_1[] = {
    0xf2, 0x4d, 0xe3, 0xa3, 0xfb, 0x34, 0xde, 0x6c, 0xac, 0xba, 0x86, 0x1c, 0x9d, 0x7e,
    0x4b, 0xca, 0xbe, 0x63, 0x3b, 0xd5, 0x0d, 0x29, 0x4e, 0x6f, 0x42, 0xa5, 0xf4, 0x7a,
    0x51, 0xc7, 0xd1, 0x9b, 0x36, 0xde, 0x3a, 0xdf, 0x88, 0x33, 0x89, 0x9d, 0x7f, 0x27,
    0xbe, 0xb1, 0x6a, 0x91, 0x52, 0xcf, 0x76, 0x5e, 0xe4, 0x39, 0x0c, 0xce};
static const uint8_t rfc7714_16_2[] = {
    0x32, 0xb1, 0xde, 0x78, 0xa8, 0x22, 0xfe, 0x12, 0xef, 0x9f, 0x78, 0xfa, 0x33, 0x2e,
    0x33, 0xaa, 0xb1, 0x80, 0x12, 0x38, 0x9a, 0x58, 0xe2, 0xf3, 0xb5, 0x0b, 0x2a, 0x02,
    0x76, 0xff, 0xae, 0x0f, 0x1b, 0xa6, 0x37, 0x99, 0xb8, 0x7b, 0x7a, 0xa3, 0xdb, 0x36,
    0xdf, 0xff, 0xd6, 0xb0, 0xf9, 0xbb, 0x78, 0x78, 0xd7, 0xa7, 0x6c, 0x13};

/* SRTCP: index 0x5d4, encrypted. */
static const uint8_t rfc7714_17_header[8] = {0x81, 0xc8, 0x00, 0x0d, 0x4d, 0x61, 0x72, 0x73};
static const uint8_t rfc7714_17_plain[] = {
    0x4e, 0x54, 0x50, 0x31, 0x4e, 0x54, 0x50, 0x32, 0x52, 0x54, 0x50, 0x20, 0x00, 0x00, 0x04,
    0x2a, 0x00, 0x00, 0xe9, 0x30, 0x4c, 0x75, 0x6e, 0x61, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad,
    0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef};
static const uint8_t rfc7714_17_1[] = {
    0x63, 0xe9, 0x48, 0x85, 0xdc, 0xda, 0xb6, 0x7c, 0xa7, 0x27, 0xd7, 0x66, 0x2f, 0x6b, 0x7e,
    0x99, 0x7f, 0xf5, 0xc0, 0xf7, 0x6c, 0x06, 0xf3, 0x2d, 0xc6, 0x76, 0xa5, 0xf1, 0x73, 0x0d,
    0x6f, 0xda, 0x4c, 0xe0, 0x9b, 0x46, 0x86, 0x30, 0x3d, 0xed, 0x0b, 0xb9, 0x27, 0x5b, 0xc8,
    0x4a, 0xa4, 0x58, 0x96, 0xcf, 0x4d, 0x2f, 0xc5, 0xab, 0xf8, 0x72, 0x45, 0xd9, 0xea, 0xde};

static agw_srtp_engine *engines[2]; /* [0]: OpenSSL */
static size_t n_engines = 1;

static agw_srtp_session *session_with(agw_srtp_engine *e, agw_srtp_suite suite, bool egress)
{
    agw_srtp_session *s = test_session_on(e, suite, egress);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    agw_srtp_keys keys = {.salt = {0}};
    for (size_t i = 0; i < sizeof keys.cipher; i++)
        keys.cipher[i] = (uint8_t)i;
    memcpy(keys.salt, rfc7714_salt, sizeof rfc7714_salt);
    s->backend->drop_keys(s->keys, s);
    CU_ASSERT_TRUE_FATAL(s->backend->set_keys(s->keys, s, &keys));
    memcpy(s->salt, keys.salt, sizeof s->salt);
    s->rtcp->keys = keys;
    return s;
}

static void rtp_vector(agw_srtp_suite suite, const uint8_t *expected)
{
    const size_t text_len = sizeof rfc7714_16_plain - 1;
    for (size_t e = 0; e < n_engines; e++) {
        agw_srtp_session *tx = session_with(engines[e], suite, true);
        agw_srtp_session *rx = session_with(engines[e], suite, false);
        uint8_t buf[12 + sizeof rfc7714_16_1];
        size_t len = 12 + text_len;
        memcpy(buf, rfc7714_16_header, 12);
        memcpy(buf + 12, rfc7714_16_plain, text_len);
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(tx, buf, &len, 16), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(len, sizeof buf);
        CU_ASSERT_EQUAL(memcmp(buf + 12, expected, sizeof rfc7714_16_1), 0);
        buf[1] ^= 1; /* of the header */
        CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, buf, &len), AGW_ERR_AUTH);
        memcpy(buf, rfc7714_16_header, 12);
        memcpy(buf + 12, expected, sizeof rfc7714_16_1);
        CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, buf, &len), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(len, 12 + text_len);
        CU_ASSERT_EQUAL(memcmp(buf + 12, rfc7714_16_plain, text_len), 0);
        agw_srtp_session_free(tx);
        agw_srtp_session_free(rx);
    }
}

static void test_srtp_vectors_rfc7714_16_1_aes_128_gcm(void)
{
    rtp_vector(AGW_SRTP_AEAD_128_GCM, rfc7714_16_1);
}

static void test_srtp_vectors_rfc7714_16_2_aes_256_gcm(void)
{
    rtp_vector(AGW_SRTP_AEAD_256_GCM, rfc7714_16_2);
}

static void test_srtp_vectors_rfc7714_17_1_srtcp(void)
{
    static const uint8_t index[4] = {0x80, 0x00, 0x05, 0xd4};
    for (size_t e = 0; e < n_engines; e++) {
        agw_srtp_session *tx = session_with(engines[e], AGW_SRTP_AEAD_128_GCM, true);
        agw_srtp_session *rx = session_with(engines[e], AGW_SRTP_AEAD_128_GCM, false);
        agw_srtp_stream *stream;
        CU_ASSERT_EQUAL_FATAL(agw_srtp_session_add(tx, agw_get32(rfc7714_17_header + 4), &stream),
                              AGW_OK);
        tx->rtcp->streams[0].index = 0x5d4 - 1;
        uint8_t buf[8 + sizeof rfc7714_17_1 + 4];
        size_t len = 8 + sizeof rfc7714_17_plain;
        memcpy(buf, rfc7714_17_header, 8);
        memcpy(buf + 8, rfc7714_17_plain, sizeof rfc7714_17_plain);
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(tx, buf, &len, 20), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(len, sizeof buf);
        CU_ASSERT_EQUAL(memcmp(buf + 8, rfc7714_17_1, sizeof rfc7714_17_1), 0);
        CU_ASSERT_EQUAL(memcmp(buf + len - 4, index, 4), 0);
        CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(rx, buf, &len), AGW_OK);
        CU_ASSERT_EQUAL_FATAL(len, 8 + sizeof rfc7714_17_plain);
        CU_ASSERT_EQUAL(memcmp(buf + 8, rfc7714_17_plain, sizeof rfc7714_17_plain), 0);
        agw_srtp_session_free(tx);
        agw_srtp_session_free(rx);
    }
}

/* RFC 3711 section 3.4: 2^31 packets, then another key. */
static void test_srtp_vectors_rfc3711_3_4_srtcp_index_does_not_pass_its_31_bits(void)
{
    for (size_t e = 0; e < n_engines; e++) {
        agw_srtp_session *tx = test_session_on(engines[e], AGW_SRTP_AES_CM_128_80, true);
        CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
        agw_srtp_stream *stream;
        CU_ASSERT_EQUAL_FATAL(agw_srtp_session_add(tx, 9, &stream), AGW_OK);
        tx->rtcp->streams[0].index = INT32_MAX - 1;
        uint8_t buf[ROOM];
        size_t len = test_rtcp(buf, 9);
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(tx, buf, &len, 20), AGW_OK);
        CU_ASSERT_EQUAL(agw_get32(buf + len - 14), UINT32_MAX);
        len = test_rtcp(buf, 9);
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(tx, buf, &len, 20), AGW_ERR_LIMIT);
        agw_srtp_session_free(tx);
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_vectors_rfc7714_16_1_aes_128_gcm),
    AGW_CASE(test_srtp_vectors_rfc7714_16_2_aes_256_gcm),
    AGW_CASE(test_srtp_vectors_rfc7714_17_1_srtcp),
    AGW_CASE(test_srtp_vectors_rfc3711_3_4_srtcp_index_does_not_pass_its_31_bits),
};

int main(void)
{
    engines[1] = agw_srtp_engine_new();
    n_engines = engines[1] != NULL ? 2 : 1;
    const int status = agw_unit_run("srtp vectors", cases, sizeof cases / sizeof *cases);
    agw_srtp_engine_free(engines[1]);
    return status;
}
