/* SPDX-License-Identifier: BSD-3-Clause
 * The SRTP protection suites: names, numbers and lengths (RFC 3711, 4568, 5764, 6188, 7714). */
#ifndef AGW_SRTP_SUITE_H
#define AGW_SRTP_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum agw_srtp_suite {
    AGW_SRTP_NONE = 0, /* plain RTP */
    AGW_SRTP_AES_CM_128_80,
    AGW_SRTP_AES_CM_128_32,
    AGW_SRTP_AES_256_CM_80,
    AGW_SRTP_AES_256_CM_32,
    AGW_SRTP_AEAD_128_GCM,
    AGW_SRTP_AEAD_256_GCM,
    AGW_SRTP_SUITES /* how many, AGW_SRTP_NONE included */
} agw_srtp_suite;

enum {
    AGW_SRTP_KEY_MAX = 32 + 14,   /* master key and salt of any suite */
    AGW_SRTP_TRAILER_MAX = 16 + 4 /* what protecting adds at most: tag, SRTCP index */
};

typedef struct agw_srtp_suite_info {
    const char *sdes;     /* name in a=crypto; NULL for NONE */
    const char *use_srtp; /* OpenSSL's name for SSL_CTX_set_tlsext_use_srtp; NULL = none */
    uint16_t use_srtp_id; /* DTLS-SRTP protection profile; 0 = none */
    size_t key_len, salt_len;
    size_t rtp_tag_len, rtcp_tag_len;
} agw_srtp_suite_info;

/** Suites in an order, none of them twice. */
typedef struct agw_srtp_suite_list {
    uint8_t n, at[AGW_SRTP_SUITES - 1]; /* agw_srtp_suite */
} agw_srtp_suite_list;

/** Never NULL; the entry of AGW_SRTP_NONE is all zero. */
const agw_srtp_suite_info *agw_srtp_suite_get(agw_srtp_suite suite);

/** Look-ups; AGW_SRTP_NONE when unknown. Names are compared without case (RFC 4568 writes them in
 * capitals); name need not be NUL-terminated. */
agw_srtp_suite agw_srtp_suite_by_sdes(const char *name, size_t len);
agw_srtp_suite agw_srtp_suite_by_use_srtp(const char *name);
agw_srtp_suite agw_srtp_suite_by_use_srtp_id(uint16_t id);

/** At the end, unless it is there. */
void agw_srtp_suite_list_add(agw_srtp_suite_list *list, agw_srtp_suite suite);
/** Adds the suites of "A;B;C" (or ":" or ","), names as in a=crypto; those that are not known are
 * passed over.
 * @return false: there was one of these */
bool agw_srtp_suite_list_read(agw_srtp_suite_list *list, const char *names);

#endif
