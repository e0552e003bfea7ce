/* SPDX-License-Identifier: BSD-3-Clause
 * OpenSSL with the algorithms that DTLS-SRTP needs and no others. To read a public key OpenSSL 3.0
 * goes through all decoders and all kinds of keys that its provider has, each time: 150 us of a
 * handshake. Here it finds a handful. */
#ifndef AGW_DTLS_LIBRARY_H
#define AGW_DTLS_LIBRARY_H

/** An OSSL_LIB_CTX, made on the first call and kept until the process ends; any thread. NULL, which
 * stands for all of OpenSSL: it cannot be made. */
void *agw_dtls_library(void);

#endif
