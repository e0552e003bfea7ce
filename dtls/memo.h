/* SPDX-License-Identifier: BSD-3-Clause
 * A signature that was verified a moment ago is not computed again. A peer's flight is proven
 * before OpenSSL gets it (docs/adr/0011), and OpenSSL then verifies the same signature: of the same
 * text, with the same key. Each thread remembers its last good one, all three of it. */
#ifndef AGW_DTLS_MEMO_H
#define AGW_DTLS_MEMO_H

#include <stdint.h>

/** @param ecdsa  OSSL_DISPATCH of a provider's ECDSA
 *  @param keys   OSSL_DISPATCH of the same provider's EC keys
 *  @return ecdsa with memory, of the process; NULL: not with this version of OpenSSL */
const void *agw_memo_of(const void *ecdsa, const void *keys);

/** How many verifications of this thread were answered from memory. */
uint64_t agw_memo_used(void);

#endif
