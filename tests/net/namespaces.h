/* SPDX-License-Identifier: BSD-3-Clause
 * Helpers of the net tests that need networks of their own: network namespaces, commands of ip(8)
 * in them, and a way to do without when nobody allows it. */
#ifndef AGW_TESTS_NET_NAMESPACES_H
#define AGW_TESTS_NET_NAMESPACES_H

#include "base/addr.h"

#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static inline agw_addr ip(const char *text)
{
    agw_addr a;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&a, text), AGW_OK);
    return a;
}

/** ip(8) reads its commands from a file of ours. */
static inline bool run_batch(int script)
{
    char *const args[] = {(char[]){"ip"}, (char[]){"-batch"}, (char[]){"-"}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = -1;
    if (lseek(script, 0, SEEK_SET) != 0 || posix_spawn_file_actions_init(&actions) != 0)
        return false;
    const bool ended = posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO) == 0 &&
                       posix_spawnp(&pid, "ip", &actions, NULL, args, environ) == 0 &&
                       waitpid(pid, &status, 0) == pid;
    posix_spawn_file_actions_destroy(&actions);
    return ended && status == 0;
}

/** In the present namespace; one command a line. */
static inline AGW_PRINTF(1, 2) bool ip_commands(const char *format, ...)
{
    const int script = memfd_create("ip", MFD_CLOEXEC);
    if (script < 0)
        return false;
    va_list args;
    va_start(args, format);
    const bool written = vdprintf(script, format, args) > 0;
    va_end(args);
    const bool ok = written && run_batch(script);
    close(script);
    return ok;
}

static inline void enter(int namespace)
{
    CU_ASSERT_EQUAL_FATAL(setns(namespace, CLONE_NEWNET), 0);
}

/** Enters it, too. ip(8) opens the namespace by this descriptor: it stays open across exec. */
static inline int new_namespace(void)
{
    CU_ASSERT_EQUAL_FATAL(unshare(CLONE_NEWNET), 0);
    /* NOLINTNEXTLINE(android-cloexec-open) */
    const int fd = open("/proc/self/ns/net", O_RDONLY);
    CU_ASSERT_FATAL(fd >= 0);
    return fd;
}

static inline bool write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    const bool written = fputs(text, f) >= 0;
    return fclose(f) == 0 && written;
}

#endif
