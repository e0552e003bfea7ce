/* SPDX-License-Identifier: BSD-3-Clause
 * This process is the one that is measured: it burns, allocates and opens what must be seen. */
#include "bench/kit/usage.h"

#include "unit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static kit_usage own(void)
{
    kit_usage u;
    CU_ASSERT_EQUAL_FATAL(kit_usage_of(&u, getpid()), AGW_OK);
    return u;
}

static void *burn(void *cpu)
{
    const agw_ns until = kit_usage_own_cpu() + *(const agw_ns *)cpu;
    while (kit_usage_own_cpu() < until)
        continue;
    return NULL;
}

/* Exact to far below a tick of the scheduler, and a thread that has ended stays in it. */
static void test_usage_cpu_counts_threads_that_ended(void)
{
    agw_ns work = AGW_MS(3);
    const agw_ns outer = kit_usage_own_cpu();
    const kit_usage before = own();
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, burn, &work), 0);
    pthread_join(thread, NULL);
    const kit_usage after = own();
    CU_ASSERT(after.cpu - before.cpu >= work);
    CU_ASSERT(after.cpu - before.cpu <= kit_usage_own_cpu() - outer);
    CU_ASSERT_EQUAL(after.threads, 1);
}

static void test_usage_rss_grows_by_what_is_touched(void)
{
    const size_t bytes = 64 << 20;
    const kit_usage before = own();
    uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(p != MAP_FAILED);
    memset(p, 1, bytes);
    const kit_usage after = own();
    munmap(p, bytes);
    CU_ASSERT(after.rss_bytes > before.rss_bytes + bytes * 9 / 10);
    CU_ASSERT(after.rss_bytes < before.rss_bytes + bytes * 11 / 10);
}

static void test_usage_fds_and_sockets_are_counted(void)
{
    const kit_usage before = own();
    int fd[3];
    for (int i = 0; i < 3; i++) {
        fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
        const struct sockaddr_in any = {.sin_family = AF_INET};
        CU_ASSERT_EQUAL_FATAL(bind(fd[i], (const struct sockaddr *)&any, sizeof any), 0);
    }
    CU_ASSERT_EQUAL(own().fds, before.fds + 3);
    kit_usage quick;
    CU_ASSERT_EQUAL(kit_usage_quick(&quick, getpid()), AGW_OK);
    CU_ASSERT_EQUAL(quick.fds, 0);
    CU_ASSERT_EQUAL(quick.threads, before.threads);
    CU_ASSERT(kit_usage_udp_sockets(getpid()) >= 3);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    CU_ASSERT_EQUAL(own().fds, before.fds);
}

static void test_usage_of_nobody_is_not_found(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    CU_ASSERT_FATAL(pid > 0);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    kit_usage u;
    CU_ASSERT_EQUAL(kit_usage_of(&u, pid), AGW_ERR_NOT_FOUND);
}

static void test_usage_machine_is_busy_while_we_are(void)
{
    agw_ns work = AGW_MS(100); /* ten ticks */
    const agw_ns before = kit_usage_machine_cpu();
    burn(&work);
    CU_ASSERT(kit_usage_machine_cpu() - before >= work / 2);
}

/* Answers one question. */
static void *serve(void *arg)
{
    const int fd = *(const int *)arg;
    char question[16];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    static const char reply[] = "1234567890123 47185920 88 4 987650000000\n";
    if (recvfrom(fd, question, sizeof question, 0, (struct sockaddr *)&from, &from_len) > 0)
        sendto(fd, reply, sizeof reply - 1, 0, (const struct sockaddr *)&from, from_len);
    return NULL;
}

static void test_usage_of_another_machine_is_asked_for(void)
{
    agw_addr service;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&service, "127.0.0.1"), AGW_OK);
    struct sockaddr_storage sa;
    socklen_t sa_len = agw_addr_to_sockaddr(&service, &sa);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)&sa, sa_len), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&sa, &sa_len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&service, (const struct sockaddr *)&sa), AGW_OK);
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, serve, &fd), 0);
    kit_usage u;
    agw_ns machine;
    CU_ASSERT_EQUAL(kit_usage_ask(&u, &machine, &service), AGW_OK);
    CU_ASSERT_EQUAL(u.cpu, 1234567890123);
    CU_ASSERT_EQUAL(u.rss_bytes, 47185920);
    CU_ASSERT_EQUAL(u.fds, 88);
    CU_ASSERT_EQUAL(u.threads, 4);
    CU_ASSERT_EQUAL(machine, 987650000000);
    pthread_join(thread, NULL);
    close(fd);
    CU_ASSERT_EQUAL(kit_usage_ask(&u, &machine, &service), AGW_ERR_AGAIN);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_usage_cpu_counts_threads_that_ended),
        AGW_CASE(test_usage_rss_grows_by_what_is_touched),
        AGW_CASE(test_usage_fds_and_sockets_are_counted),
        AGW_CASE(test_usage_of_nobody_is_not_found),
        AGW_CASE(test_usage_machine_is_busy_while_we_are),
        AGW_CASE(test_usage_of_another_machine_is_asked_for),
    };
    return agw_unit_run("usage", cases, sizeof cases / sizeof cases[0]);
}
