/* SPDX-License-Identifier: BSD-3-Clause
 * What every description that we write must obey, whoever reads it. Written against the standards
 * with a reader of its own, so that it does not repeat a mistake of control/sdp.c. Every broken
 * rule appends one line to out; an untouched out means that all is well. */
#ifndef AGW_TESTS_CONTROL_SDP_RULES_H
#define AGW_TESTS_CONTROL_SDP_RULES_H

#include <glib.h>
#include <stdbool.h>

/** RFC 8866: order of lines, one of each, CRLF, formats and their attributes, numeric addresses. */
void sdp_rules_syntax(const char *sdp, GString *out);
/** Toward an IMS entity: nothing of WebRTC. mux_asked: rtcp-mux was asked for by a key. */
void sdp_rules_ims(const char *sdp, bool mux_asked, GString *out);
/** Toward a browser: what RFC 8829 wants and nothing that belongs to the IMS. */
void sdp_rules_webrtc(const char *sdp, bool is_answer, GString *out);
/** RFC 3264 section 6: answer, which we wrote, against offer, which that party sent. */
void sdp_rules_answer(const char *offer, const char *answer, GString *out);
/** RFC 3264 section 8: next, which we wrote to the same party after previous, which it read last.
 */
void sdp_rules_version(const char *previous, const char *next, GString *out);
/** The same, but previous is what stood between the two before next. */
void sdp_rules_succession(const char *previous, const char *next, GString *out);

#endif
