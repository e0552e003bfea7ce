/* SPDX-License-Identifier: BSD-3-Clause
 * What `agwctl top` shows: rates between two `statistics` documents, as lines of text. */
#ifndef AGW_CONTROL_TOP_H
#define AGW_CONTROL_TOP_H

#include "control/ng.h"

typedef struct agw_top_style {
    const char *server;     /* who was asked */
    unsigned columns, rows; /* of the terminal; rows 0 = as many as it takes */
    bool ansi;              /* headings stand out */
} agw_top_style;

/** Whether rates can be taken between two documents (`statistics` itself): the same run of the
 * gateway, and some time lies between. */
bool agw_top_follows(const agw_doc *before, const agw_doc *now);

/** Appends one screen, each line ended by '\n'. Transit times need documents with histograms. */
void agw_top_render(GString *out, const agw_doc *before, const agw_doc *now,
                    const agw_top_style *style);

#endif
