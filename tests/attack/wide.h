/* SPDX-License-Identifier: BSD-3-Clause
 * Messages of the wide fuzz: random commands with random keys, flags, descriptions and ICE
 * fragments in both encodings, every fifth with bits turned over or cut. */
#ifndef AGW_ATTACK_WIDE_H
#define AGW_ATTACK_WIDE_H

#include "tests/attack/attack.h"

#define WIDE_ID "attack-wide-" /* call-ids of the messages; a number follows */

enum {
    WIDE_CALLS = 24,
    WIDE_MORTAL_CALLS = 20, /* the first of them; no delete names the others, which grow old */
    WIDE_PARTIES = 4,
};

typedef struct wide_names {
    agw_addr nobody;                           /* where the messages' phone is */
    char parties[WIDE_PARTIES][AGW_ADDR_TEXT]; /* IP addresses of the judged calls */
} wide_names;

/** a->packet becomes message n, behind the cookie "wN".
 *
 * Whoever may command may have media sent to any address: what a party of a judged call gets
 * because a message names it, by turned bits too, is no harm that the gateway does. So none does.
 */
void wide_make_message(attack *a, const wide_names *names, uint64_t n);

#endif
