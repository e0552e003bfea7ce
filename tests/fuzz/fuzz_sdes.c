/* SPDX-License-Identifier: BSD-3-Clause
 * Any bytes as the value of a=crypto: no crash, no key left behind what is refused, and what is
 * accepted is read again as it is written. */
#include "srtp/sdes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const agw_sdes none;
    const char *why = NULL;
    agw_sdes line, back;
    if (agw_sdes_parse(&line, (const char *)data, size, &why) != AGW_OK) {
        AGW_ASSERT(why != NULL && why[0] != '\0');
        AGW_ASSERT(memcmp(line.key, none.key, sizeof none.key) == 0);
        return 0;
    }
    char text[AGW_SDES_TEXT];
    AGW_ASSERT(line.suite != AGW_SRTP_NONE && line.tag <= 999999999);
    agw_sdes_write(&line, text);
    AGW_ASSERT(agw_sdes_parse(&back, text, strlen(text), &why) == AGW_OK);
    AGW_ASSERT(line.tag == back.tag && line.suite == back.suite);
    AGW_ASSERT(memcmp(line.key, back.key, sizeof line.key) == 0);
    return 0;
}
