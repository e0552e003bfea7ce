/* SPDX-License-Identifier: BSD-3-Clause
 * One a=crypto line (RFC 4568): a suite and one master key with its salt, written into SDP. Which
 * line of several is taken, and when, is the negotiation's. */
#ifndef AGW_SRTP_SDES_H
#define AGW_SRTP_SDES_H

#include "base/err.h"
#include "srtp/suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_SDES_TEXT = 128, /* room for any line that we write, with its NUL */
};

typedef struct agw_sdes {
    uint32_t tag; /* at most nine digits */
    agw_srtp_suite suite;
    bool lifetime; /* to write: a lifetime behind the key, the longest that SRTCP allows */
    uint8_t key[AGW_SRTP_KEY_MAX]; /* master key, then salt: as long as the suite wants */
} agw_sdes;

/** Bytes of key and salt of a suite. */
size_t agw_sdes_key_len(agw_srtp_suite suite);

/** Reads the value of one a=crypto attribute: "1 AES_CM_128_HMAC_SHA1_80 inline:...".
 *
 * What would change how packets look is not served, so a line that says it cannot be used: an MKI,
 * several keys, a key derivation rate, FEC, UNENCRYPTED_*, UNAUTHENTICATED_*, and whatever we do
 * not know (RFC 4568 section 6.3.7), unless its sender marked it with "-". A lifetime binds the
 * sender of the key alone; WSH asks for a window that ours is not smaller than.
 *
 * @param out  wipe it with agw_sdes_wipe(); zeroed on every error
 * @param why  on error a constant text, fit for a log
 * @return AGW_OK; AGW_ERR_UNSUPPORTED: a good line that we do not serve; AGW_ERR_MALFORMED */
AGW_NODISCARD agw_err agw_sdes_parse(agw_sdes *out, const char *value, size_t len,
                                     const char **why);

/** Writes the value of an a=crypto attribute; base64 with its padding (RFC 4568 section 6.1). */
void agw_sdes_write(const agw_sdes *line, char out[AGW_SDES_TEXT]);

void agw_sdes_wipe(agw_sdes *line);

#endif
