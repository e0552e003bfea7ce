/* SPDX-License-Identifier: BSD-3-Clause
 * Starts libsrtp2 and puts OpenSSL's AES and SHA-1 under it: Debian builds it on NSS, which costs
 * 16 us a packet with 2000 sessions. */
#ifndef AGW_SRTP_HOOKS_H
#define AGW_SRTP_HOOKS_H

#include "base/err.h"

/** To be called once before other threads start and before any session; again is harmless.
 * AGW_ERR_SYSTEM: the library or one of the hooks was refused, or an OpenSSL routine failed
 * libsrtp2's known-answer tests; end the program, for it would run, many times slower. */
AGW_NODISCARD agw_err agw_srtp_init(void);

#endif
