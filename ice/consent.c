/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/consent.h"

enum {
    CHECK_MIN_MS = 4000, /* RFC 7675 section 5.1: every 5 s, times 0.8 to 1.2 */
    CHECK_SPAN_MS = 2000,
};
static const agw_ns EXPIRY = AGW_MS(30000); /* RFC 7675 section 5.1 */

static agw_ns next_check(agw_ns now, uint32_t rnd)
{
    return now + AGW_MS(CHECK_MIN_MS + rnd % (CHECK_SPAN_MS + 1));
}

void agw_consent_init(agw_consent *c, agw_ns now, uint32_t rnd)
{
    *c = (agw_consent){.state = AGW_CONSENT_GIVEN,
                       .sends_checks = true,
                       .expires_at = now + EXPIRY,
                       .next_check_at = next_check(now, rnd)};
}

void agw_consent_init_lite(agw_consent *c)
{
    *c = (agw_consent){.state = AGW_CONSENT_UNWATCHED};
}

bool agw_consent_renew(agw_consent *c, agw_ns now)
{
    const bool back = c->state == AGW_CONSENT_EXPIRED;
    if (back && c->sends_checks)
        return false; /* a late response to an old check: only a restart brings consent back */
    c->state = AGW_CONSENT_GIVEN;
    c->expires_at = now + EXPIRY;
    return back;
}

agw_ns agw_consent_deadline(const agw_consent *c)
{
    if (c->state != AGW_CONSENT_GIVEN)
        return AGW_NEVER;
    return c->sends_checks ? agw_earlier(c->expires_at, c->next_check_at) : c->expires_at;
}

agw_consent_action agw_consent_on_deadline(agw_consent *c, agw_ns now, uint32_t rnd)
{
    if (c->state != AGW_CONSENT_GIVEN)
        return AGW_CONSENT_IDLE;
    if (now >= c->expires_at) {
        c->state = AGW_CONSENT_EXPIRED;
        return AGW_CONSENT_STOP_MEDIA;
    }
    if (!c->sends_checks || now < c->next_check_at)
        return AGW_CONSENT_IDLE;
    c->next_check_at = next_check(now, rnd);
    return AGW_CONSENT_SEND_CHECK;
}
