/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/usage.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static agw_ns read_clock(clockid_t id)
{
    struct timespec ts;
    return clock_gettime(id, &ts) == 0 ? AGW_S(ts.tv_sec) + ts.tv_nsec : 0;
}

/* Entries of /proc/PID/what; 0 when it cannot be read. */
static uint32_t count_entries(pid_t pid, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    uint32_t n = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) /* NOLINT(concurrency-mt-unsafe) */
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static uint64_t resident_bytes(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return 0;
    uint64_t size = 0;
    uint64_t resident = 0;
    const bool ok = fscanf(f, "%" SCNu64 " %" SCNu64, &size, &resident) == 2;
    fclose(f);
    return ok ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

agw_err kit_usage_of(kit_usage *out, pid_t pid)
{
    memset(out, 0, sizeof *out);
    clockid_t id;
    if (clock_getcpuclockid(pid, &id) != 0)
        return AGW_ERR_NOT_FOUND;
    out->cpu = read_clock(id);
    out->rss_bytes = resident_bytes(pid);
    out->fds = count_entries(pid, "fd");
    out->threads = count_entries(pid, "task");
    return out->threads != 0 ? AGW_OK : AGW_ERR_NOT_FOUND;
}

agw_ns kit_usage_own_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

agw_ns kit_usage_machine_cpu(void)
{
    FILE *f = fopen("/proc/stat", "re");
    if (f == NULL)
        return 0;
    uint64_t user = 0;
    uint64_t nice = 0;
    uint64_t system = 0;
    uint64_t irq = 0;
    uint64_t softirq = 0;
    const bool ok =
        fscanf(f, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64, &user,
               &nice, &system, &irq, &softirq) == 5;
    fclose(f);
    const uint64_t ticks = user + nice + system + irq + softirq;
    return ok ? (agw_ns)(ticks * (uint64_t)AGW_S(1) / (uint64_t)sysconf(_SC_CLK_TCK)) : 0;
}

/* Lines behind the heading. */
static size_t count_sockets(pid_t pid, const char *table)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/net/%s", (int)pid, table);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return 0;
    size_t lines = 0;
    for (int c; (c = getc_unlocked(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    return lines != 0 ? lines - 1 : 0;
}

size_t kit_usage_udp_sockets(pid_t pid)
{
    return count_sockets(pid, "udp") + count_sockets(pid, "udp6");
}
