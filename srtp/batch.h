/* SPDX-License-Identifier: BSD-3-Clause
 * SRTP for a whole batch of RTP packets, of any sessions, suites and lengths at once: the way that
 * media takes. The result is as if the packets had been given one after another. SRTCP and single
 * packets: session.h.
 *
 * An engine computes with libipsec-mb, which works on many packets in one go; NULL in its place
 * stands for OpenSSL, packet by packet. */
#ifndef AGW_SRTP_BATCH_H
#define AGW_SRTP_BATCH_H

#include "srtp/session.h"

typedef struct agw_srtp_engine agw_srtp_engine;

/** One for each thread; takes about half a megabyte. NULL when this build or this processor has not
 * got what it needs, or memory is short: OpenSSL serves. */
agw_srtp_engine *agw_srtp_engine_new(void);
/** After the last of its sessions. NULL is allowed. */
void agw_srtp_engine_free(agw_srtp_engine *e);
/** For the log; never NULL. */
const char *agw_srtp_engine_name(const agw_srtp_engine *e);

/** agw_srtp_session_new() for sessions that are used on engine e, in its thread. */
AGW_NODISCARD agw_srtp_session *agw_srtp_session_new_on(agw_srtp_engine *e, agw_srtp_suite suite,
                                                        const uint8_t *key_and_salt, size_t len,
                                                        bool egress);

/** One packet of a batch. Sessions and packets are borrowed during the call. */
typedef struct agw_srtp_op {
    agw_srtp_session *session; /* made on the engine of the call */
    uint8_t *data;
    size_t len;  /* in/out */
    size_t room; /* writable bytes behind data + len; to protect only */
    agw_err err; /* out: as agw_srtp_protect() and agw_srtp_unprotect() return it */
} agw_srtp_op;

/** No lock and no allocation, but for the first packet of a session's third SSRC and of some after
 * it. len has changed only where err is AGW_OK. */
void agw_srtp_batch_protect(agw_srtp_engine *e, agw_srtp_op ops[], size_t n);
void agw_srtp_batch_unprotect(agw_srtp_engine *e, agw_srtp_op ops[], size_t n);

#endif
