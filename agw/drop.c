/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/drop.h"

#include "base/err.h"

static const char *const TEXTS[] = {
#define TEXT(name, text, meaning) text,
    AGW_DROP_LIST(TEXT)
#undef TEXT
};

static const char *const MEANINGS[] = {
#define MEANING(name, text, meaning) meaning,
    AGW_DROP_LIST(MEANING)
#undef MEANING
};

const char *agw_drop_text(agw_drop reason)
{
    AGW_ASSERT(reason < AGW_DROP_COUNT);
    return TEXTS[reason];
}

const char *agw_drop_meaning(agw_drop reason)
{
    AGW_ASSERT(reason < AGW_DROP_COUNT);
    return MEANINGS[reason];
}
