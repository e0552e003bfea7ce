/* SPDX-License-Identifier: BSD-3-Clause
 * In place of xdp.c and io_xdp.c where libxdp, libbpf or clang was missing at build time. */
#include "net/io.h"
#include "net/xdp.h"

#include <stdio.h>

agw_err agw_xdp_open(agw_xdp **out, const agw_addr *addresses, size_t n, size_t workers, char *why,
                     size_t size)
{
    (void)out, (void)addresses, (void)n, (void)workers;
    snprintf(why, size, "built without libxdp");
    return AGW_ERR_UNSUPPORTED;
}

void agw_xdp_close(agw_xdp *xdp)
{
    (void)xdp;
}

const agw_io_backend *agw_io_xdp(void)
{
    return NULL;
}
