/* SPDX-License-Identifier: BSD-3-Clause
 * Where one ng message ends on a stream: found by the structure of its document, for nothing else
 * tells. Pure; what the message says is looked at later. */
#ifndef AGW_CONTROL_NG_FRAME_H
#define AGW_CONTROL_NG_FRAME_H

#include "control/ng.h"

enum { AGW_NG_FRAME_MAX = AGW_NG_COOKIE_MAX + 1 + AGW_DOC_SIZE_MAX }; /* bytes of a message */

/** How far a message has been looked at; zeroed at its beginning. */
typedef struct agw_ng_frame {
    size_t at; /* bytes that are understood */
    unsigned depth;
    bool has_document; /* behind the cookie */
    bool json, in_string, escaped;
} agw_ng_frame;

/** Goes on where it stopped, so that a message that comes in pieces is read once.
 *
 * @param bytes  from the beginning of the message, len in all
 * @param plain  there is no cookie
 * @return AGW_OK: the message has frame->at bytes; AGW_ERR_AGAIN: more has to come;
 *         AGW_ERR_MALFORMED: this is no message, or one longer than AGW_NG_FRAME_MAX: close the
 *         stream, as nothing behind it can be found */
AGW_NODISCARD agw_err agw_ng_frame_scan(agw_ng_frame *frame, const char *bytes, size_t len,
                                        bool plain);

#endif
