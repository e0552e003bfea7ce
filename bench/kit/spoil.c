/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/spoil.h"

#include <string.h>

const char *kit_spoil_text(kit_spoil spoil)
{
    static const char *const texts[KIT_SPOILS] = {"corrupt", "header", "drop", "duplicate", "swap"};
    return spoil < KIT_SPOILS ? texts[spoil] : "?";
}

static uint32_t draw(kit_spoiler *s, uint32_t below) /* xorshift64* */
{
    s->random ^= s->random >> 12;
    s->random ^= s->random << 25;
    s->random ^= s->random >> 27;
    return (uint32_t)((s->random * 0x2545f4914f6cdd1du >> 32) % below);
}

static kit_finding flip_bit(kit_spoiler *s, kit_checker *c, const uint8_t *rtp, size_t len,
                            size_t byte, agw_ns at)
{
    uint8_t copy[sizeof s->held];
    memcpy(copy, rtp, len);
    copy[byte] = (uint8_t)(copy[byte] ^ 1u << draw(s, 8));
    return kit_checker_judge(c, copy, len, at);
}

static kit_finding spoil(kit_spoiler *s, kit_checker *c, kit_spoil how, const uint8_t *rtp,
                         size_t len, agw_ns at)
{
    switch (how) {
    case KIT_SPOIL_CORRUPT: /* no padding: the payload is what the packet ends with */
        return flip_bit(s, c, rtp, len, len - 1 - draw(s, c->payload), at);
    case KIT_SPOIL_HEADER:
        return flip_bit(s, c, rtp, len, 8 + draw(s, 4), at);
    case KIT_SPOIL_DUPLICATE:
        (void)kit_checker_judge(c, rtp, len, at);
        return kit_checker_judge(c, rtp, len, at);
    case KIT_SPOIL_SWAP:
        memcpy(s->held, rtp, len);
        s->held_len = len;
        s->held_at = at;
        return KIT_DUPLICATE;
    case KIT_SPOIL_DROP:
    case KIT_SPOILS:
        break;
    }
    return KIT_DUPLICATE;
}

kit_finding kit_spoiler_pass(kit_spoiler *s, kit_checker *c, const uint8_t *rtp, size_t len,
                             agw_ns at)
{
    if (s->held_len != 0) {
        (void)kit_checker_judge(c, rtp, len, at);
        const kit_finding finding = kit_checker_judge(c, s->held, s->held_len, s->held_at);
        s->held_len = 0;
        s->done[KIT_SPOIL_SWAP]++;
        return finding;
    }
    const bool whole = c->begun && len >= 12u + c->payload && len <= sizeof s->held;
    if (!whole || draw(s, 1000) >= s->per_mille)
        return kit_checker_judge(c, rtp, len, at);
    const kit_spoil how = (kit_spoil)draw(s, KIT_SPOILS);
    if (how != KIT_SPOIL_SWAP) /* that one is done when the next packet comes */
        s->done[how]++;
    return spoil(s, c, how, rtp, len, at);
}

void kit_spoiler_end(kit_spoiler *s, kit_checker *c)
{
    if (s->held_len != 0)
        (void)kit_checker_judge(c, s->held, s->held_len, s->held_at);
    s->held_len = 0;
}
