/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/framer.h"

#include "base/wire.h"

#include <string.h>

uint8_t *agw_framer_room(agw_framer *f, size_t *room)
{
    if (f->from != 0)
        memmove(f->bytes, f->bytes + f->from, f->to - f->from);
    f->to -= f->from;
    f->from = 0;
    *room = sizeof f->bytes - f->to;
    return f->bytes + f->to;
}

void agw_framer_add(agw_framer *f, size_t len)
{
    AGW_ASSERT(len <= sizeof f->bytes - f->to);
    f->to += len;
}

static void leave_out(agw_framer *f)
{
    const size_t there = f->to - f->from;
    const size_t n = f->skip < there ? f->skip : there;
    f->from += n;
    f->skip -= n;
}

agw_framer_result agw_framer_next(agw_framer *f, const uint8_t **data, size_t *len)
{
    for (;;) {
        leave_out(f);
        if (f->to - f->from < AGW_FRAMER_HEAD)
            return AGW_FRAMER_MORE;
        *len = agw_get16(f->bytes + f->from);
        if (*len > AGW_PKT_MAX) {
            f->from += AGW_FRAMER_HEAD;
            f->skip = *len;
            return AGW_FRAMER_CUT;
        }
        if (f->to - f->from < AGW_FRAMER_HEAD + *len)
            return AGW_FRAMER_MORE;
        *data = f->bytes + f->from + AGW_FRAMER_HEAD;
        f->from += AGW_FRAMER_HEAD + *len;
        if (*len != 0)
            return AGW_FRAMER_PACKET;
    }
}
