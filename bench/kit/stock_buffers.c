/* SPDX-License-Identifier: BSD-3-Clause
 * For LD_PRELOAD: socket buffers as on a machine whose net.core.rmem_max and wmem_max are what
 * Linux has by itself, for a program without CAP_NET_ADMIN; the machine's own settings stay. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { STOCK_BYTES = 212992 };

typedef int set_option(int fd, int level, int name, const void *value, socklen_t len);

static set_option *next_setsockopt(void)
{
    set_option *next;
    void *symbol = dlsym(RTLD_NEXT, "setsockopt");
    memcpy(&next, &symbol, sizeof next); /* C has no conversion between the two */
    return next;
}

/* The linker's name is setsockopt; another one here, as the C library's own declaration stands. */
int stock_setsockopt(int fd, int level, int name, const void *value,
                     socklen_t len) __asm__("setsockopt");

int stock_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    static const int most = STOCK_BYTES;
    int wanted = 0;
    if (level == SOL_SOCKET && (name == SO_RCVBUFFORCE || name == SO_SNDBUFFORCE)) {
        errno = EPERM;
        return -1;
    }
    if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF) && len == sizeof wanted) {
        memcpy(&wanted, value, sizeof wanted);
        if (wanted > most)
            value = &most;
    }
    return next_setsockopt()(fd, level, name, value, len);
}
