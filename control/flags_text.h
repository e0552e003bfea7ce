/* SPDX-License-Identifier: BSD-3-Clause
 * The text form of a request's keys and flags, rtpp-flags: "loop-protect ICE=force
 * codec=[strip=[PCMU G722] offer=[opus]]". */
#ifndef AGW_CONTROL_FLAGS_TEXT_H
#define AGW_CONTROL_FLAGS_TEXT_H

#include "control/ng.h"

enum {
    AGW_FLAGS_TEXT_TOKENS = 1024, /* of one text, brackets included; the rest is left out */
    AGW_FLAGS_TEXT_DEPTH = 8,     /* brackets inside each other; deeper ones are plain text */
};

/** Reads such a text as the dictionary that it stands for: key=value is a pair, k=[a b] has a list,
 * k=[x=[a] y=[b]] a dictionary, words without "=" are gathered under "flags". Inside brackets ".."
 * stands for a blank and "--" for "=". Never NULL; to be freed with agw_doc_free(). */
agw_doc *agw_flags_text_doc(const char *text);

/** The same two escapes in one text; to be freed with g_free(). */
char *agw_flags_unescape(const char *text);

#endif
