/* SPDX-License-Identifier: BSD-3-Clause
 * `agwctl top`: asks again and again and shows rates (control/top.h), on a terminal in place. */
#ifndef AGW_CONTROL_AGWCTL_TOP_H
#define AGW_CONTROL_AGWCTL_TOP_H

#include "control/client.h"

typedef struct agw_top_options {
    double interval; /* seconds between two looks, 0.1 to 3600 */
    int once;        /* show one screen and end */
} agw_top_options;

/** Until Ctrl-C or q (or the first screen). Returns what to exit with. */
int agw_top_run(agw_client *client, const agw_top_options *options);

#endif
