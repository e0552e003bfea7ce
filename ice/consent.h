/* SPDX-License-Identifier: BSD-3-Clause
 * Consent to send (RFC 7675): when to check, and when to stop. A full agent sends checks and is
 * renewed by their responses; a lite agent sends none and is renewed by the peer's checks. */
#ifndef AGW_ICE_CONSENT_H
#define AGW_ICE_CONSENT_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum agw_consent_state {
    AGW_CONSENT_UNWATCHED = 0, /* lite: the peer has sent no check since nomination: no limit */
    AGW_CONSENT_GIVEN,
    AGW_CONSENT_EXPIRED,
} agw_consent_state;

typedef enum agw_consent_action {
    AGW_CONSENT_IDLE = 0,
    AGW_CONSENT_SEND_CHECK, /* full agent only */
    AGW_CONSENT_STOP_MEDIA, /* told once */
} agw_consent_action;

/** Zeroed = unwatched; agw_consent_deadline() of a zeroed one is AGW_NEVER. */
typedef struct agw_consent {
    agw_consent_state state;
    bool sends_checks;
    agw_ns expires_at;
    agw_ns next_check_at;
} agw_consent;

/** Full agent: consent is given now; rnd spreads the first check. */
void agw_consent_init(agw_consent *c, agw_ns now, uint32_t rnd);
/** Lite agent: unwatched until agw_consent_renew(). */
void agw_consent_init_lite(agw_consent *c);

/** An authentic response to our check (full) or an authentic check of the peer (lite) came.
 * @return true: consent had expired and is back. A full agent must not use the old credentials
 *         again after expiry (RFC 7675 section 5.1): it calls agw_consent_init() after a restart.
 */
bool agw_consent_renew(agw_consent *c, agw_ns now);

/** AGW_NEVER when nothing is due. */
agw_ns agw_consent_deadline(const agw_consent *c);
agw_consent_action agw_consent_on_deadline(agw_consent *c, agw_ns now, uint32_t rnd);

static inline bool agw_consent_may_send(const agw_consent *c)
{
    return c->state != AGW_CONSENT_EXPIRED;
}

#endif
