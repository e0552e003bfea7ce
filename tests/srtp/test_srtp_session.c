/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP sessions: published vectors, round trips, roll-over, replay, damage, bounds. */
#include "packets.h"
#include "srtp/session.h"
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const agw_srtp_suite all_suites[] = {AGW_SRTP_AES_CM_128_80, AGW_SRTP_AES_CM_128_32,
                                            AGW_SRTP_AES_256_CM_80, AGW_SRTP_AES_256_CM_32,
                                            AGW_SRTP_AEAD_128_GCM,  AGW_SRTP_AEAD_256_GCM};
enum { SUITES = sizeof all_suites / sizeof *all_suites };

typedef struct pair {
    agw_srtp_session *tx, *rx;
} pair;

static pair pair_open(agw_srtp_suite suite)
{
    const pair p = {test_session(suite, true), test_session(suite, false)};
    CU_ASSERT_TRUE_FATAL(p.tx != NULL && p.rx != NULL);
    return p;
}

static void pair_close(pair *p)
{
    agw_srtp_session_free(p->tx);
    agw_srtp_session_free(p->rx);
}

static size_t protected_rtp(pair *p, uint8_t *out, uint32_t ssrc, uint16_t seq)
{
    size_t len = test_rtp(out, ssrc, seq, 20);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(p->tx, out, &len, AGW_SRTP_TRAILER_MAX), AGW_OK);
    return len;
}

static agw_err receive(pair *p, const uint8_t *data, size_t len)
{
    uint8_t copy[ROOM];
    memcpy(copy, data, len);
    return agw_srtp_unprotect(p->rx, copy, &len);
}

/* RFC 3711 appendix B.3: this master key and salt give these session keys. */
static const uint8_t rfc3711_b3_master[30] = {
    0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41,
    0x39, 0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};
static const uint8_t rfc3711_b3_cipher_key[16] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f, 0x39, 0xee,
                                                  0x10, 0x73, 0x4a, 0xfe, 0x3f, 0xf7, 0xa0, 0x87};
static const uint8_t rfc3711_b3_salt[14] = {0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c,
                                            0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1};
static const uint8_t rfc3711_b3_auth_key[20] = {0xce, 0xbe, 0x32, 0x1f, 0x6f, 0xf7, 0x71,
                                                0x6b, 0x6f, 0xd4, 0xab, 0x49, 0xaf, 0x25,
                                                0x6a, 0x15, 0x6d, 0x38, 0xba, 0xa4};

/* The packet of libsrtp's own test driver. */
static size_t reference_rtp(uint8_t *out)
{
    static const uint8_t header[12] = {0x80, 0x0f, 0x12, 0x34, 0xde, 0xca,
                                       0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe};
    memcpy(out, header, sizeof header);
    memset(out + 12, 0xab, 16);
    return 28;
}

static void test_srtp_session_rfc3711_b_3_published_keys_make_the_packet(void)
{
    uint8_t pkt[ROOM], want[ROOM], iv[16] = {0}, tag[EVP_MAX_MD_SIZE];
    size_t len = reference_rtp(pkt);
    agw_srtp_session *tx =
        agw_srtp_session_new(AGW_SRTP_AES_CM_128_80, rfc3711_b3_master, 30, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT_EQUAL_FATAL(agw_srtp_protect(tx, pkt, &len, 10), AGW_OK);

    /* section 4.1.1: IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16, by OpenSSL alone */
    (void)reference_rtp(want);
    memcpy(iv, rfc3711_b3_salt, 14);
    for (size_t i = 0; i < 4; i++)
        iv[4 + i] ^= want[8 + i];
    iv[12] ^= want[2];
    iv[13] ^= want[3];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    CU_ASSERT_EQUAL(EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, rfc3711_b3_cipher_key, iv), 1);
    CU_ASSERT_EQUAL(EVP_EncryptUpdate(ctx, want + 12, &n, want + 12, 16), 1);
    EVP_CIPHER_CTX_free(ctx);
    agw_put32(want + 28, 0); /* ROC */
    CU_ASSERT_PTR_NOT_NULL(HMAC(EVP_sha1(), rfc3711_b3_auth_key, 20, want, 32, tag, NULL));
    memcpy(want + 28, tag, 10);
    CU_ASSERT_EQUAL(len, 38);
    CU_ASSERT_EQUAL(memcmp(pkt, want, 38), 0);
    agw_srtp_session_free(tx);
}

static void test_srtp_session_rfc3711_b_3_libsrtp_reference_packet(void)
{
    static const uint8_t want[38] = {0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe,
                                     0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c, 0xe7, 0x99, 0x78, 0xd8,
                                     0x8c, 0xa4, 0xd2, 0x15, 0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d,
                                     0x6a, 0xcc, 0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb};
    uint8_t pkt[ROOM];
    memcpy(pkt, want, sizeof want);
    size_t len = sizeof want;
    agw_srtp_session *rx =
        agw_srtp_session_new(AGW_SRTP_AES_CM_128_80, rfc3711_b3_master, 30, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rx);
    CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, pkt, &len), AGW_OK);
    uint8_t plain[ROOM];
    CU_ASSERT_EQUAL_FATAL(len, reference_rtp(plain));
    CU_ASSERT_EQUAL(memcmp(pkt, plain, len), 0);
    agw_srtp_session_free(rx);
}

static void test_srtp_session_rfc3711_b_3_libsrtp_reference_srtcp_packet(void)
{
    static const uint8_t plain[24] = {0x81, 0xc8, 0x00, 0x0b, 0xca, 0xfe, 0xba, 0xbe,
                                      0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab,
                                      0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab, 0xab};
    static const uint8_t want[38] = {0x81, 0xc8, 0x00, 0x0b, 0xca, 0xfe, 0xba, 0xbe, 0x71, 0x28,
                                     0x03, 0x5b, 0xe4, 0x87, 0xb9, 0xbd, 0xbe, 0xf8, 0x90, 0x41,
                                     0xf9, 0x77, 0xa5, 0xa8, 0x80, 0x00, 0x00, 0x01, 0x99, 0x3e,
                                     0x08, 0xcd, 0x54, 0xd6, 0xc1, 0x23, 0x07, 0x98};
    uint8_t pkt[ROOM];
    memcpy(pkt, plain, sizeof plain);
    size_t len = sizeof plain;
    agw_srtp_session *tx =
        agw_srtp_session_new(AGW_SRTP_AES_CM_128_80, rfc3711_b3_master, 30, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(tx, pkt, &len, 14), AGW_OK);
    CU_ASSERT_EQUAL(len, sizeof want);
    CU_ASSERT_EQUAL(memcmp(pkt, want, sizeof want), 0);
    agw_srtp_session_free(tx);
}

/* RFC 7714 section 11: the session keys come from the AES-CM derivation; the packet of libsrtp's
 * test driver under master key 00 01 .. 0f, salt a0 .. ab. */
static void test_srtp_session_rfc7714_11_libsrtp_reference_gcm_packet(void)
{
    static const uint8_t master[28] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
                                       0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0xa0, 0xa1, 0xa2, 0xa3,
                                       0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab};
    static const uint8_t want[44] = {
        0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe, 0xc5, 0x00, 0x2e,
        0xde, 0x04, 0xcf, 0xdd, 0x2e, 0xb9, 0x11, 0x59, 0xe0, 0x88, 0x0a, 0xa0, 0x6e, 0xd2, 0x97,
        0x68, 0x26, 0xf7, 0x96, 0xb2, 0x01, 0xdf, 0x31, 0x31, 0xa1, 0x27, 0xe8, 0xa3, 0x92};
    uint8_t pkt[ROOM];
    size_t len = reference_rtp(pkt);
    agw_srtp_session *tx = agw_srtp_session_new(AGW_SRTP_AEAD_128_GCM, master, 28, true);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tx);
    CU_ASSERT_EQUAL(agw_srtp_protect(tx, pkt, &len, 16), AGW_OK);
    CU_ASSERT_EQUAL(len, sizeof want);
    CU_ASSERT_EQUAL(memcmp(pkt, want, sizeof want), 0);
    agw_srtp_session_free(tx);
}

static void test_srtp_session_new_checks_suite_and_key_length(void)
{
    const uint8_t key[AGW_SRTP_KEY_MAX + 1] = {0};
    CU_ASSERT_PTR_NULL(agw_srtp_session_new(AGW_SRTP_NONE, key, 0, true));
    for (size_t i = 0; i < SUITES; i++) {
        const agw_srtp_suite_info *info = agw_srtp_suite_get(all_suites[i]);
        const size_t len = info->key_len + info->salt_len;
        CU_ASSERT_PTR_NULL(agw_srtp_session_new(all_suites[i], key, len - 1, true));
        CU_ASSERT_PTR_NULL(agw_srtp_session_new(all_suites[i], key, len + 1, false));
    }
    agw_srtp_session_free(NULL);
}

static void test_srtp_session_rfc3711_3_1_round_trip_of_every_suite(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        const agw_srtp_suite_info *info = agw_srtp_suite_get(all_suites[i]);
        static const size_t payloads[] = {0, 1, 15, 16, 17, 160, 1200};
        for (size_t k = 0; k < sizeof payloads / sizeof *payloads; k++) {
            uint8_t pkt[ROOM], plain[ROOM];
            size_t len = test_rtp(pkt, 7, (uint16_t)k, payloads[k]);
            const size_t plain_len = test_rtp(plain, 7, (uint16_t)k, payloads[k]);
            CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, info->rtp_tag_len), AGW_OK);
            CU_ASSERT_EQUAL(len, plain_len + info->rtp_tag_len);
            CU_ASSERT_EQUAL(memcmp(pkt, plain, 12), 0);
            CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_OK);
            CU_ASSERT_EQUAL(len, plain_len);
            CU_ASSERT_EQUAL(memcmp(pkt, plain, plain_len), 0);
        }
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_4_rtcp_round_trip_of_every_suite(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        const agw_srtp_suite_info *info = agw_srtp_suite_get(all_suites[i]);
        for (unsigned k = 0; k < 3; k++) {
            uint8_t pkt[ROOM], plain[ROOM];
            size_t len = test_rtcp(pkt, 7);
            const size_t plain_len = test_rtcp(plain, 7);
            CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, info->rtcp_tag_len + 4), AGW_OK);
            CU_ASSERT_EQUAL(len, plain_len + info->rtcp_tag_len + 4);
            CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, pkt, &len), AGW_OK);
            CU_ASSERT_EQUAL(len, plain_len);
            CU_ASSERT_EQUAL(memcmp(pkt, plain, plain_len), 0);
        }
        pair_close(&p);
    }
}

static void test_srtp_session_one_byte_less_room_is_no_space(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        const agw_srtp_suite_info *info = agw_srtp_suite_get(all_suites[i]);
        uint8_t pkt[ROOM];
        size_t len = test_rtp(pkt, 1, 1, 20);
        CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, info->rtp_tag_len - 1), AGW_ERR_NO_SPACE);
        CU_ASSERT_EQUAL(len, 32);
        CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, info->rtp_tag_len), AGW_OK);
        len = test_rtcp(pkt, 1);
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, info->rtcp_tag_len + 3),
                        AGW_ERR_NO_SPACE);
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, info->rtcp_tag_len + 4), AGW_OK);
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_3_1_roll_over_with_reordering_across_it(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkts[8][ROOM];
        size_t lens[8];
        for (uint16_t k = 0; k < 8; k++)
            lens[k] = protected_rtp(&p, pkts[k], 9, (uint16_t)(65532 + k));
        static const size_t order[8] = {0, 1, 4, 3,
                                        5, 2, 7, 6}; /* 65532 65533 0 65535 1 65534 .. */
        for (size_t k = 0; k < 8; k++)
            CU_ASSERT_EQUAL(receive(&p, pkts[order[k]], lens[order[k]]), AGW_OK);
        uint32_t roc = 0;
        CU_ASSERT_EQUAL(agw_srtp_session_roc(p.tx, 9, &roc), AGW_OK);
        CU_ASSERT_EQUAL(roc, 1);
        CU_ASSERT_EQUAL(agw_srtp_session_roc(p.rx, 9, &roc), AGW_OK);
        CU_ASSERT_EQUAL(roc, 1);
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_3_1_roll_over_counts_every_cycle(void)
{
    pair p = pair_open(AGW_SRTP_AEAD_128_GCM);
    uint8_t pkt[ROOM];
    for (uint32_t n = 0; n < 5 * 65536; n += 8192) {
        const size_t len = protected_rtp(&p, pkt, 9, (uint16_t)n);
        CU_ASSERT_EQUAL(receive(&p, pkt, len), AGW_OK);
    }
    uint32_t roc = 0;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(p.rx, 9, &roc), AGW_OK);
    CU_ASSERT_EQUAL(roc, 4);
    pair_close(&p);
}

static void test_srtp_session_rfc3711_3_3_2_replay_inside_and_behind_the_window(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t first[ROOM], second[ROOM], pkt[ROOM];
        const size_t first_len = protected_rtp(&p, first, 9, 1000);
        const size_t second_len = protected_rtp(&p, second, 9, 1001);
        CU_ASSERT_EQUAL(receive(&p, second, second_len), AGW_OK);
        CU_ASSERT_EQUAL(receive(&p, second, second_len), AGW_ERR_REPLAY);
        size_t len = 0;
        for (unsigned seq = 1002; seq <= 1000 + AGW_SRTP_REPLAY_WINDOW - 1; seq++)
            len = protected_rtp(&p, pkt, 9, (uint16_t)seq);
        CU_ASSERT_EQUAL(receive(&p, pkt, len), AGW_OK);
        CU_ASSERT_EQUAL(receive(&p, first, first_len), AGW_OK); /* the last place of the window */
        CU_ASSERT_EQUAL(receive(&p, first, first_len), AGW_ERR_REPLAY);
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_3_2_one_behind_the_window_is_too_old(void)
{
    pair p = pair_open(AGW_SRTP_AES_CM_128_80);
    uint8_t first[ROOM], pkt[ROOM];
    const size_t first_len = protected_rtp(&p, first, 9, 1000);
    const size_t len = protected_rtp(&p, pkt, 9, 1000 + AGW_SRTP_REPLAY_WINDOW);
    CU_ASSERT_EQUAL(receive(&p, pkt, len), AGW_OK);
    CU_ASSERT_EQUAL(receive(&p, first, first_len), AGW_ERR_REPLAY);
    pair_close(&p);
}

static void test_srtp_session_rfc3711_3_4_srtcp_replay_is_refused(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkt[ROOM], copy[ROOM];
        size_t len = test_rtcp(pkt, 9);
        CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, 20), AGW_OK);
        for (unsigned k = 0; k < 2; k++) {
            size_t n = len;
            memcpy(copy, pkt, len);
            CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, copy, &n), k ? AGW_ERR_REPLAY : AGW_OK);
        }
        pair_close(&p);
    }
}

/* With GCM a second packet under one index gives the key stream away (RFC 7714 section 8.2). */
static void test_srtp_session_rfc7714_8_2_repeated_number_is_not_sent_again(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkt[ROOM];
        (void)protected_rtp(&p, pkt, 9, 500);
        (void)protected_rtp(&p, pkt, 9, 501);
        size_t len = test_rtp(pkt, 9, 500, 20);
        CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, 16), AGW_ERR_REPLAY);
        len = test_rtp(pkt, 9, 501, 20);
        CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, 16), AGW_ERR_REPLAY);
        (void)protected_rtp(&p, pkt, 9, 502); /* and it goes on */
        (void)protected_rtp(&p, pkt, 9, 499); /* late, but never sent */
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_3_damage_anywhere_fails_authentication(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkt[ROOM], bad[ROOM];
        const size_t len = protected_rtp(&p, pkt, 9, 77);
        for (size_t at = 1; at < len; at++) { /* payload type to the last byte of the tag */
            memcpy(bad, pkt, len);
            bad[at] ^= 0x01;
            CU_ASSERT_EQUAL(receive(&p, bad, len), AGW_ERR_AUTH);
        }
        memcpy(bad, pkt, len);
        bad[0] ^= 0x20; /* the padding bit */
        CU_ASSERT_EQUAL(receive(&p, bad, len), AGW_ERR_AUTH);
        CU_ASSERT_EQUAL(receive(&p, pkt, len), AGW_OK); /* none of them moved any state */
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_4_srtcp_damage_anywhere_fails_authentication(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkt[ROOM], bad[ROOM];
        size_t len = test_rtcp(pkt, 9);
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, 20), AGW_OK);
        for (size_t at = 1; at < len; at++) {
            size_t n = len;
            memcpy(bad, pkt, len);
            bad[at] ^= 0x01;
            CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, bad, &n), AGW_ERR_AUTH);
        }
        CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, pkt, &len), AGW_OK);
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_4_cleared_e_bit_is_refused(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t pkt[ROOM];
        size_t len = test_rtcp(pkt, 9);
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, 20), AGW_OK);
        const bool gcm = i >= 4;
        const size_t index_at = gcm ? len - 4 : len - 14;
        CU_ASSERT_EQUAL(agw_get32(pkt + index_at), 0x80000001);
        pkt[index_at] &= 0x7f;
        size_t n = len;
        CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, pkt, &n), AGW_ERR_AUTH);
        pair_close(&p);
    }
}

static void test_srtp_session_other_key_fails_authentication(void)
{
    uint8_t key[AGW_SRTP_KEY_MAX] = {0}, pkt[ROOM];
    pair p = pair_open(AGW_SRTP_AEAD_128_GCM);
    agw_srtp_session *rx = agw_srtp_session_new(AGW_SRTP_AEAD_128_GCM, key, 28, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(rx);
    size_t len = protected_rtp(&p, pkt, 9, 77);
    CU_ASSERT_EQUAL(agw_srtp_unprotect(rx, pkt, &len), AGW_ERR_AUTH);
    uint32_t roc;
    CU_ASSERT_EQUAL(agw_srtp_session_roc(rx, 9, &roc), AGW_ERR_NOT_FOUND);
    agw_srtp_session_free(rx);
    pair_close(&p);
}

/* Every length, in memory of exactly that length. */
static void test_srtp_session_rfc3711_3_1_short_inputs_are_refused(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        uint8_t rtp[ROOM], rtcp[ROOM];
        const size_t rtp_len = protected_rtp(&p, rtp, 9, 77);
        size_t rtcp_len = test_rtcp(rtcp, 9);
        CU_ASSERT_EQUAL_FATAL(agw_srtp_protect_rtcp(p.tx, rtcp, &rtcp_len, 20), AGW_OK);
        for (size_t n = 0; n <= 64; n++) {
            uint8_t *buf = malloc(n > 0 ? n : 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(buf);
            size_t len = n;
            memcpy(buf, rtp, n);
            CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, buf, &len) == AGW_OK, n == rtp_len);
            len = n;
            memcpy(buf, rtcp, n);
            CU_ASSERT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, buf, &len) == AGW_OK, n == rtcp_len);
            for (unsigned first = 0; first < 256; first++) {
                memset(buf, 0xff, n);
                if (n > 0)
                    buf[0] = (uint8_t)first;
                len = n;
                CU_ASSERT_NOT_EQUAL(agw_srtp_unprotect(p.rx, buf, &len), AGW_OK);
                len = n;
                CU_ASSERT_NOT_EQUAL(agw_srtp_unprotect_rtcp(p.rx, buf, &len), AGW_OK);
            }
            free(buf);
        }
        pair_close(&p);
    }
}

static void test_srtp_session_rfc3711_3_1_header_and_tag_must_fit(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair p = pair_open(all_suites[i]);
        const size_t tag_len = agw_srtp_suite_get(all_suites[i])->rtp_tag_len;
        uint8_t pkt[ROOM] = {0x80};
        size_t len = 12 + tag_len - 1;
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_MALFORMED);
        len = 12 + tag_len;
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_AUTH);
        pkt[0] = 0x81; /* one CSRC */
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_MALFORMED);
        len += 4;
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_AUTH);
        pkt[0] = 0x90; /* an extension of one word */
        agw_put16(pkt + 14, 1);
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_MALFORMED);
        len += 4;
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_AUTH);
        pkt[0] = 0x40; /* version 1 */
        CU_ASSERT_EQUAL(agw_srtp_unprotect(p.rx, pkt, &len), AGW_ERR_MALFORMED);
        pair_close(&p);
    }
}

static void test_srtp_session_protect_refuses_what_is_not_rtp(void)
{
    pair p = pair_open(AGW_SRTP_AES_CM_128_80);
    uint8_t pkt[ROOM] = {0x80};
    size_t len = 11;
    CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, 100), AGW_ERR_MALFORMED);
    len = 7;
    CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, 100), AGW_ERR_MALFORMED);
    len = 65536;
    CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, 100), AGW_ERR_MALFORMED);
    pkt[0] = 0;
    len = 100;
    CU_ASSERT_EQUAL(agw_srtp_protect(p.tx, pkt, &len, 100), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(agw_srtp_protect_rtcp(p.tx, pkt, &len, 100), AGW_ERR_MALFORMED);
    pair_close(&p);
}

/* An authentic peer must not grow our memory; strangers must not use the places up. */
static void test_srtp_session_number_of_ssrcs_is_bounded(void)
{
    uint8_t pkt[ROOM];
    pair a = pair_open(AGW_SRTP_AES_CM_128_80), b = pair_open(AGW_SRTP_AES_CM_128_80);
    for (uint32_t ssrc = 1000; ssrc < 2000; ssrc++) { /* forged */
        const size_t len = test_rtp(pkt, ssrc, 1, 40);
        CU_ASSERT_EQUAL(receive(&a, pkt, len), AGW_ERR_AUTH);
    }
    for (uint32_t ssrc = 1; ssrc <= AGW_SRTP_SSRC_MAX; ssrc++) {
        const size_t len = protected_rtp(&a, pkt, ssrc, 1);
        CU_ASSERT_EQUAL(receive(&a, pkt, len), AGW_OK);
    }
    size_t len = protected_rtp(&b, pkt, AGW_SRTP_SSRC_MAX + 1, 1);
    CU_ASSERT_EQUAL(receive(&a, pkt, len), AGW_ERR_LIMIT);
    len = test_rtp(pkt, AGW_SRTP_SSRC_MAX + 1, 1, 20);
    CU_ASSERT_EQUAL(agw_srtp_protect(a.tx, pkt, &len, 16), AGW_ERR_LIMIT);
    len = protected_rtp(&a, pkt, AGW_SRTP_SSRC_MAX, 2); /* the known ones go on */
    CU_ASSERT_EQUAL(receive(&a, pkt, len), AGW_OK);
    pair_close(&a);
    pair_close(&b);
}

static void test_srtp_session_rfc3711_3_3_1_roc_is_handed_over_to_a_new_session(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        pair old = pair_open(all_suites[i]), next = pair_open(all_suites[i]);
        uint8_t pkt[ROOM];
        size_t len = 0;
        for (uint32_t n = 0; n <= 3 * 65536; n += 16384) {
            len = protected_rtp(&old, pkt, 9, (uint16_t)n);
            CU_ASSERT_EQUAL(receive(&old, pkt, len), AGW_OK);
        }
        uint32_t roc = 0;
        CU_ASSERT_EQUAL(agw_srtp_session_roc(old.tx, 9, &roc), AGW_OK);
        CU_ASSERT_EQUAL(roc, 3);
        CU_ASSERT_EQUAL(agw_srtp_session_set_roc(next.tx, 9, roc), AGW_OK);
        CU_ASSERT_EQUAL(agw_srtp_session_set_roc(next.rx, 9, roc), AGW_OK);
        len = protected_rtp(&next, pkt, 9, 1); /* new sender, old receiver */
        CU_ASSERT_EQUAL(receive(&old, pkt, len), AGW_OK);
        len = protected_rtp(&old, pkt, 9, 2); /* and the reverse */
        CU_ASSERT_EQUAL(receive(&next, pkt, len), AGW_OK);
        pair_close(&old);
        pair_close(&next);
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_srtp_session_rfc3711_b_3_published_keys_make_the_packet),
    AGW_CASE(test_srtp_session_rfc3711_b_3_libsrtp_reference_packet),
    AGW_CASE(test_srtp_session_rfc3711_b_3_libsrtp_reference_srtcp_packet),
    AGW_CASE(test_srtp_session_rfc7714_11_libsrtp_reference_gcm_packet),
    AGW_CASE(test_srtp_session_new_checks_suite_and_key_length),
    AGW_CASE(test_srtp_session_rfc3711_3_1_round_trip_of_every_suite),
    AGW_CASE(test_srtp_session_rfc3711_3_4_rtcp_round_trip_of_every_suite),
    AGW_CASE(test_srtp_session_one_byte_less_room_is_no_space),
    AGW_CASE(test_srtp_session_rfc3711_3_3_1_roll_over_with_reordering_across_it),
    AGW_CASE(test_srtp_session_rfc3711_3_3_1_roll_over_counts_every_cycle),
    AGW_CASE(test_srtp_session_rfc3711_3_3_2_replay_inside_and_behind_the_window),
    AGW_CASE(test_srtp_session_rfc3711_3_3_2_one_behind_the_window_is_too_old),
    AGW_CASE(test_srtp_session_rfc3711_3_4_srtcp_replay_is_refused),
    AGW_CASE(test_srtp_session_rfc7714_8_2_repeated_number_is_not_sent_again),
    AGW_CASE(test_srtp_session_rfc3711_3_3_damage_anywhere_fails_authentication),
    AGW_CASE(test_srtp_session_rfc3711_3_4_srtcp_damage_anywhere_fails_authentication),
    AGW_CASE(test_srtp_session_rfc3711_3_4_cleared_e_bit_is_refused),
    AGW_CASE(test_srtp_session_other_key_fails_authentication),
    AGW_CASE(test_srtp_session_rfc3711_3_1_short_inputs_are_refused),
    AGW_CASE(test_srtp_session_rfc3711_3_1_header_and_tag_must_fit),
    AGW_CASE(test_srtp_session_protect_refuses_what_is_not_rtp),
    AGW_CASE(test_srtp_session_number_of_ssrcs_is_bounded),
    AGW_CASE(test_srtp_session_rfc3711_3_3_1_roc_is_handed_over_to_a_new_session),
};

int main(void)
{
    return agw_unit_run("srtp session", cases, sizeof cases / sizeof *cases);
}
