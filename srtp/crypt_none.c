/* SPDX-License-Identifier: BSD-3-Clause
 * In place of crypt_ipsec.c where libipsec-mb is not there: OpenSSL serves alone. */
#include "srtp/inside.h"

agw_srtp_engine *agw_srtp_engine_new(void)
{
    return NULL;
}

void agw_srtp_engine_free(agw_srtp_engine *e)
{
    (void)e;
}

const char *agw_srtp_engine_name(const agw_srtp_engine *e)
{
    return agw_srtp_backend_of(e)->name;
}
