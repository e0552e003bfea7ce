/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
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

/* The first line of a file of /proc, without its first word; an empty text when there is none. */
static const char *first_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    if (f == NULL || fgets(line, (int)size, f) == NULL)
        line[0] = '\0';
    if (f != NULL)
        fclose(f);
    return line + strcspn(line, " ");
}

/* The next number of a line; moves on. */
static uint64_t next_number(const char **at)
{
    char *end;
    const uint64_t value = strtoull(*at, &end, 10);
    *at = end;
    return value;
}

static uint64_t resident_bytes(pid_t pid)
{
    char path[64];
    char line[256];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    const char *at = first_line(path, line, sizeof line); /* behind the total size */
    return next_number(&at) * (uint64_t)sysconf(_SC_PAGESIZE);
}

agw_err kit_usage_of(kit_usage *out, pid_t pid)
{
    const agw_err err = kit_usage_quick(out, pid);
    if (err == AGW_OK)
        out->fds = count_entries(pid, "fd");
    return err;
}

agw_err kit_usage_quick(kit_usage *out, pid_t pid)
{
    memset(out, 0, sizeof *out);
    clockid_t id;
    if (clock_getcpuclockid(pid, &id) != 0)
        return AGW_ERR_NOT_FOUND;
    out->cpu = read_clock(id);
    out->rss_bytes = resident_bytes(pid);
    out->threads = count_entries(pid, "task");
    return out->threads != 0 ? AGW_OK : AGW_ERR_NOT_FOUND;
}

/* Sends an empty datagram; the reply as a text, "" = none in time. */
static const char *ask_service(const agw_addr *service, char *reply, size_t size)
{
    reply[0] = '\0';
    struct sockaddr_storage sa;
    const socklen_t sa_len = agw_addr_to_sockaddr(service, &sa);
    const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return reply;
    const struct timeval patience = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&sa, sa_len) == 0 && send(fd, "?", 1, 0) == 1) {
        const ssize_t n = recv(fd, reply, size - 1, 0);
        reply[n > 0 ? n : 0] = '\0';
    }
    close(fd);
    return reply;
}

agw_err kit_usage_ask(kit_usage *out, agw_ns *machine_cpu, const agw_addr *service)
{
    char reply[256];
    const char *at = ask_service(service, reply, sizeof reply);
    if (*at == '\0')
        return AGW_ERR_AGAIN;
    out->cpu = (agw_ns)next_number(&at);
    out->rss_bytes = next_number(&at);
    out->fds = (uint32_t)next_number(&at);
    out->threads = (uint32_t)next_number(&at);
    *machine_cpu = (agw_ns)next_number(&at);
    return out->threads != 0 ? AGW_OK : AGW_ERR_NOT_FOUND;
}

agw_ns kit_usage_own_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* What is not idle, since only idle time is measured to the microsecond: the rest of /proc/stat is
 * sampled by a clock tick. Its numbers: user nice system idle iowait irq softirq steal. */
agw_ns kit_usage_machine_cpu(void)
{
    char line[256];
    const char *at = first_line("/proc/stat", line, sizeof line);
    uint64_t idle_ticks = 0;
    for (int i = 0; i < 8; i++) {
        const uint64_t value = next_number(&at);
        idle_ticks += i == 3 || i == 4 || i == 7 ? value : 0;
    }
    const agw_ns idle = (agw_ns)(idle_ticks * (uint64_t)AGW_S(1) / (uint64_t)sysconf(_SC_CLK_TCK));
    return read_clock(CLOCK_BOOTTIME) * sysconf(_SC_NPROCESSORS_ONLN) - idle;
}

uint64_t kit_usage_backlog_drops(void)
{
    FILE *f = fopen("/proc/net/softnet_stat", "re");
    char line[256];
    uint64_t drops = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL) /* the second number of each CPU */
        drops += strtoull(line + strcspn(line, " "), NULL, 16);
    if (f != NULL)
        fclose(f);
    return drops;
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
