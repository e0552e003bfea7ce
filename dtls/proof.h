/* SPDX-License-Identifier: BSD-3-Clause
 * One signature of a handshake and the certificate whose key made it (RFC 5246 sections 4.7 and
 * 7.4.2), both still strangers' bytes. */
#ifndef AGW_DTLS_PROOF_H
#define AGW_DTLS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct agw_slice {
    const uint8_t *data; /* borrowed */
    size_t len;
} agw_slice;

typedef struct agw_proof {
    agw_slice leaf;  /* the peer's own certificate, DER */
    uint16_t scheme; /* RFC 8446 section 4.2.3 */
    agw_slice signature;
} agw_proof;

/** Finds them; cheap.
 * @param p           out, borrowed from the others
 * @param certificate body of a Certificate message
 * @param signature   what stands behind that which is signed, to the end of its message */
bool agw_proof_parse(agw_proof *p, agw_slice certificate, agw_slice signature);

/** true: the certificate's key has signed the text.
 * @param price out: how many checks with P-256 (90 us) this one was worth */
bool agw_proof_verify(const agw_proof *p, agw_slice text, int *price);

#endif
