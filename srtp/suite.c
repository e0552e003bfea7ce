/* SPDX-License-Identifier: BSD-3-Clause
 * The table of SRTP protection suites. */
#include "srtp/suite.h"

#include "base/err.h"

#include <string.h>
#include <strings.h>

/* RFC 4568 section 6.2 and RFC 6188 section 7.2: the _32 suites shorten the tag of SRTP only. */
static const agw_srtp_suite_info suites[AGW_SRTP_SUITES] = {
    [AGW_SRTP_AES_CM_128_80] = {"AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 0x0001, 16, 14,
                                10, 10},
    [AGW_SRTP_AES_CM_128_32] = {"AES_CM_128_HMAC_SHA1_32", "SRTP_AES128_CM_SHA1_32", 0x0002, 16, 14,
                                4, 10},
    [AGW_SRTP_AES_256_CM_80] = {"AES_256_CM_HMAC_SHA1_80", NULL, 0, 32, 14, 10, 10},
    [AGW_SRTP_AES_256_CM_32] = {"AES_256_CM_HMAC_SHA1_32", NULL, 0, 32, 14, 4, 10},
    [AGW_SRTP_AEAD_128_GCM] = {"AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 0x0007, 16, 12, 16, 16},
    [AGW_SRTP_AEAD_256_GCM] = {"AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM", 0x0008, 32, 12, 16, 16},
};

const agw_srtp_suite_info *agw_srtp_suite_get(agw_srtp_suite suite)
{
    AGW_ASSERT((unsigned)suite < AGW_SRTP_SUITES);
    return &suites[suite];
}

agw_srtp_suite agw_srtp_suite_by_sdes(const char *name, size_t len)
{
    for (unsigned i = 1; i < AGW_SRTP_SUITES; i++) {
        if (strlen(suites[i].sdes) == len && strncasecmp(suites[i].sdes, name, len) == 0)
            return (agw_srtp_suite)i;
    }
    return AGW_SRTP_NONE;
}

agw_srtp_suite agw_srtp_suite_by_use_srtp(const char *name)
{
    for (unsigned i = 1; i < AGW_SRTP_SUITES; i++) {
        if (suites[i].use_srtp != NULL && strcasecmp(suites[i].use_srtp, name) == 0)
            return (agw_srtp_suite)i;
    }
    return AGW_SRTP_NONE;
}

agw_srtp_suite agw_srtp_suite_by_use_srtp_id(uint16_t id)
{
    for (unsigned i = 1; i < AGW_SRTP_SUITES && id != 0; i++) {
        if (suites[i].use_srtp_id == id)
            return (agw_srtp_suite)i;
    }
    return AGW_SRTP_NONE;
}

void agw_srtp_suite_list_add(agw_srtp_suite_list *list, agw_srtp_suite suite)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i] == suite)
            return;
    }
    AGW_ASSERT(list->n < sizeof list->at);
    list->at[list->n++] = (uint8_t)suite;
}

bool agw_srtp_suite_list_read(agw_srtp_suite_list *list, const char *names)
{
    bool all = true;
    while (*names != '\0') {
        const size_t n = strcspn(names, ";:,");
        const agw_srtp_suite suite = agw_srtp_suite_by_sdes(names, n);
        if (suite != AGW_SRTP_NONE)
            agw_srtp_suite_list_add(list, suite);
        else
            all = false;
        names += names[n] != '\0' ? n + 1 : n;
    }
    return all;
}
