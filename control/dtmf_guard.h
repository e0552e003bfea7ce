/* SPDX-License-Identifier: BSD-3-Clause
 * What "block DTMF" says of one party's digits, or of both parties': whether and how they are
 * hidden (DTMF-security), and which digits switch that on and off (trigger). Plain values, no clock
 * of its own. */
#ifndef AGW_CONTROL_DTMF_GUARD_H
#define AGW_CONTROL_DTMF_GUARD_H

#include "agw/plan.h"
#include "base/clock.h"
#include "control/ng.h"

enum { AGW_GUARD_DIGITS_MAX = 32 }; /* of a trigger */

/** Hidden or not; shield says how. */
typedef struct agw_guard_mode {
    bool on;
    uint8_t shield; /* agw_shield_mode */
    bool zero;      /* AGW_SHIELD_DIGIT: 0, whatever digit is given */
} agw_guard_mode;

typedef struct agw_dtmf_guard {
    agw_guard_mode mode;    /* in force */
    agw_shield_plan shield; /* digit, volume and tones, of all modes */

    char begin[AGW_GUARD_DIGITS_MAX + 1]; /* "" = there is no trigger */
    char end[AGW_GUARD_DIGITS_MAX + 1];
    agw_guard_mode at_begin, at_end;
    uint32_t end_digits; /* so many digits later it ends, too; 0 = whatever comes */
    agw_ns end_after;    /* 0 = for any time */

    bool begun;
    uint32_t digits; /* since then */
    agw_ns ends_at;  /* AGW_NEVER */
    char heard[AGW_GUARD_DIGITS_MAX + 1];
} agw_dtmf_guard;

/** The digit of a request, key "code" or "digit": a number is the event's, any other text its
 * character.
 *
 * @return NULL; or the error's text */
const char *agw_dtmf_read_digit(const agw_doc *request, uint8_t *event);

/** Takes the keys of a request "block DTMF": DTMF-security, digit (code), volume, frequency,
 * trigger and its kin.
 *
 * @return NULL; or the error's text, and nothing has changed */
const char *agw_dtmf_guard_read(agw_dtmf_guard *g, const agw_doc *request);
/** Digits pass, and no trigger counts. */
void agw_dtmf_guard_clear(agw_dtmf_guard *g);

/** A digit was pressed, or time has gone on (digit 0). true: the mode is another one. */
bool agw_dtmf_guard_hear(agw_dtmf_guard *g, char digit, agw_ns now);
/** When to say so again; AGW_NEVER. */
agw_ns agw_dtmf_guard_deadline(const agw_dtmf_guard *g);

/** What the worker is to do of it. */
agw_shield_plan agw_dtmf_guard_shield(const agw_dtmf_guard *g);

#endif
