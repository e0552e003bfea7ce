/* SPDX-License-Identifier: BSD-3-Clause
 * Which HelloVerifyRequest a client answers. Nothing in one is proof, and the answer to a false one
 * ends the handshake of a server that asked for nothing. But who asks in earnest asks every hello
 * for the same cookie; so a client sends its hello again, and answers a cookie that came twice. */
#ifndef AGW_DTLS_REQUEST_H
#define AGW_DTLS_REQUEST_H

#include "dtls/record.h"

enum {
    AGW_REQUEST_MAX = 2 + 1 + 255,
    AGW_REQUEST_SEEN = 512, /* so many false ones between two true ones mostly do no harm */
};

/** Zeroed = empty. */
typedef struct agw_requests {
    uint32_t seen[AGW_REQUEST_SEEN]; /* digests of bodies, 0 = none */
    uint8_t body[AGW_REQUEST_MAX];   /* the latest that came twice */
    uint32_t len;                    /* 0 = none has */
} agw_requests;

/** AGW_DTLS_DROP_NONE: this one came before, and is kept; AGW_DTLS_DROP_PROOF: it did not;
 * AGW_DTLS_DROP_HANDSHAKE: it is none. */
agw_dtls_drop agw_requests_add(agw_requests *r, const agw_fragment *request);

#endif
