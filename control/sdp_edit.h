/* SPDX-License-Identifier: BSD-3-Clause
 * The key sdp-attr: a= lines that a script adds to, takes from or exchanges in a finished
 * description. Text only: what it says binds the parties, not us. */
#ifndef AGW_CONTROL_SDP_EDIT_H
#define AGW_CONTROL_SDP_EDIT_H

#include <glib.h>
#include <stdbool.h>

enum {
    AGW_SDP_EDITS_MAX = 64,   /* of one message; further ones are left out */
    AGW_SDP_EDIT_TEXT = 1024, /* bytes of a value */
};

typedef enum agw_sdp_edit_kind {
    AGW_SDP_EDIT_ADD,        /* unless the level has that very line */
    AGW_SDP_EDIT_REMOVE,     /* every line that is the value, or begins with it at a ':' or blank */
    AGW_SDP_EDIT_SUBSTITUTE, /* every line that is the value */
} agw_sdp_edit_kind;

/** One change. Values are what stands behind "a=". */
typedef struct agw_sdp_edit {
    agw_sdp_edit_kind kind;
    const char *type;  /* "audio", "video" ...: each media of that type; NULL = session level */
    const char *value; /* borrowed from the flags, like the others */
    const char *with;  /* substitute: the new line; NULL for others */
} agw_sdp_edit;

/** Whether a text may stand behind "a=": not empty, not too long, no control characters. */
bool agw_sdp_edit_is_line(const char *text);

/** The description with all edits (of agw_sdp_edit) in effect; to be freed with g_free(). text has
 * CRLF line ends, as agw_sdp_write_end() gives it. What is added stands at the end of its level. */
char *agw_sdp_edit_apply(const GArray *edits, const char *text);

#endif
