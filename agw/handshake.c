/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/handshake.h"

#include "base/counter.h"
#include "base/heap.h"
#include "base/rand.h"
#include "base/timerq.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    MAILBOX_SLOTS = 8192,
    DATAGRAM_MAX = 2048,
    MAIL_BUDGET = 64, /* messages between two looks at the timers */
};

struct agw_assoc {
    size_t worker;
    agw_transport_name whose;
    agw_dtls *dtls;
    agw_timer timer;
    bool reported; /* established or failed was told */
    bool over;
    agw_assoc *prev, *next; /* all that live, for the end of the thread */
};

struct agw_handshake {
    pthread_t thread;
    agw_ring *mailbox;
    int event_fd;
    bool stop;
    agw_counter busy_ns;
    agw_counter drops[AGW_DTLS_DROP_COUNT];
    agw_timerq timers;
    agw_assoc *assocs;
    size_t ended; /* since freed memory was last settled */
    size_t n_workers;
    agw_outbox *outboxes;
};

agw_assoc *agw_assoc_new(size_t worker, agw_transport_name whose)
{
    agw_assoc *a = calloc(1, sizeof *a);
    AGW_ASSERT(a != NULL);
    a->worker = worker;
    a->whose = whose;
    a->timer.owner = a;
    return a;
}

static void wake(void *owner)
{
    const agw_handshake *h = owner;
    const uint64_t one = 1;
    /* a full counter wakes as well */
    if (write(h->event_fd, &one, sizeof one) < 0)
        return;
}

static void tell(agw_handshake *h, const agw_assoc *a, agw_mail *mail)
{
    mail->whose = a->whose;
    agw_outbox_post(&h->outboxes[a->worker], mail);
}

static void send_datagrams(agw_handshake *h, agw_assoc *a)
{
    uint8_t buf[DATAGRAM_MAX];
    size_t len;
    while (agw_dtls_take(a->dtls, buf, sizeof buf, &len))
        tell(h, a, agw_mail_new(AGW_MAIL_DTLS_SEND, buf, len));
}

static void tell_done(agw_handshake *h, agw_assoc *a)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_DONE, NULL, 0);
    mail->result = calloc(1, sizeof *mail->result);
    AGW_ASSERT(mail->result != NULL);
    if (agw_dtls_get_result(a->dtls, mail->result) == AGW_OK) {
        agw_dtls_forget_result(a->dtls);
        tell(h, a, mail);
        return;
    }
    agw_mail_free(mail);
    static const char NO_PROFILE[] = "no common SRTP profile";
    tell(h, a, agw_mail_new(AGW_MAIL_DTLS_FAILED, NO_PROFILE, sizeof NO_PROFILE));
    a->over = true;
}

static void tell_failed(agw_handshake *h, agw_assoc *a)
{
    const char *reason = agw_dtls_reason(a->dtls);
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_FAILED, reason, strlen(reason) + 1);
    tell(h, a, mail);
    a->over = true;
}

/* After anything that may have moved the association: tell, send, re-arm. The keys are with the
 * worker before the last flight leaves, for it is what lets the peer send media. */
static void settle(agw_handshake *h, agw_assoc *a)
{
    const agw_dtls_state state = agw_dtls_state_of(a->dtls);
    if (state == AGW_DTLS_ESTABLISHED && !a->reported) {
        tell_done(h, a);
        a->reported = true;
    }
    send_datagrams(h, a);
    switch (state) {
    case AGW_DTLS_HANDSHAKING:
    case AGW_DTLS_ESTABLISHED:
        break;
    case AGW_DTLS_FAILED:
        tell_failed(h, a);
        break;
    case AGW_DTLS_CLOSED:
        tell(h, a, agw_mail_new(AGW_MAIL_DTLS_CLOSED, NULL, 0));
        a->over = true;
        break;
    }
    agw_timerq_set(&h->timers, &a->timer, a->over ? AGW_NEVER : agw_dtls_deadline(a->dtls));
}

static void ask_cookie(agw_dtls *dtls)
{
    uint8_t cookie[AGW_DTLS_COOKIE];
    agw_rand_bytes(cookie, sizeof cookie);
    agw_dtls_ask_cookie(dtls, cookie);
}

static void start(agw_handshake *h, agw_mail *mail, agw_ns now)
{
    agw_assoc *a = mail->assoc;
    mail->assoc = NULL; /* ours from here on */
    a->next = h->assocs;
    if (a->next != NULL)
        a->next->prev = a;
    h->assocs = a;
    a->dtls = agw_dtls_new(mail->context, mail->role, now);
    if (a->dtls == NULL) {
        static const char NO_MEMORY[] = "out of memory";
        tell(h, a, agw_mail_new(AGW_MAIL_DTLS_FAILED, NO_MEMORY, sizeof NO_MEMORY));
        a->over = true;
        return;
    }
    if (mail->role == AGW_DTLS_CLIENT)
        agw_dtls_start(a->dtls, now);
    else if (mail->ask_cookie)
        ask_cookie(a->dtls);
    settle(h, a);
}

static void end(agw_handshake *h, agw_assoc *a, agw_ns now)
{
    if (a->dtls != NULL && !a->over) {
        agw_dtls_close(a->dtls, now);
        send_datagrams(h, a);
    }
    agw_timerq_cancel(&h->timers, &a->timer);
    if (a->prev != NULL)
        a->prev->next = a->next;
    else
        h->assocs = a->next;
    if (a->next != NULL)
        a->next->prev = a->prev;
    agw_dtls_free(a->dtls);
    free(a);
    agw_heap_ended(&h->ended, h->assocs == NULL);
}

/* A session counts for itself and ends; here nothing is forgotten. */
static void give_datagram(agw_handshake *h, agw_assoc *a, const agw_mail *mail, agw_ns now)
{
    agw_dtls_stats before, after;
    agw_dtls_get_stats(a->dtls, &before);
    (void)agw_dtls_on_datagram(a->dtls, now, mail->data, mail->len);
    agw_dtls_get_stats(a->dtls, &after);
    for (size_t i = 0; i < AGW_DTLS_DROP_COUNT; i++)
        agw_counter_add(&h->drops[i], after.drops[i] - before.drops[i]);
}

static void take(agw_handshake *h, agw_mail *mail, agw_ns now)
{
    agw_assoc *a = mail->assoc;
    switch (mail->kind) {
    case AGW_MAIL_DTLS_START:
        start(h, mail, now);
        break;
    case AGW_MAIL_DTLS_DATA:
        if (a->over)
            break;
        give_datagram(h, a, mail, now);
        settle(h, a);
        break;
    case AGW_MAIL_DTLS_END:
        end(h, a, now);
        break;
    case AGW_MAIL_STOP:
        h->stop = true;
        break;
    default:
        AGW_ASSERT(!"a message that handshake threads do not take");
    }
    agw_mail_free(mail);
}

static void run_timers(agw_handshake *h, agw_ns now)
{
    for (agw_timer *t; (t = agw_timerq_pop(&h->timers, now)) != NULL;) {
        agw_assoc *a = t->owner;
        agw_dtls_on_deadline(a->dtls, now);
        settle(h, a);
    }
}

static bool flush(agw_handshake *h)
{
    bool empty = true;
    for (size_t i = 0; i < h->n_workers; i++)
        empty &= agw_outbox_flush(&h->outboxes[i]);
    return empty;
}

static void wait_for_work(agw_handshake *h, agw_ns until)
{
    const agw_ns left = until == AGW_NEVER ? AGW_NEVER : until - agw_clock_now();
    const struct timespec ts = {left / AGW_S(1), left % AGW_S(1)};
    struct pollfd pfd = {h->event_fd, POLLIN, 0};
    uint64_t count;
    if (left > 0 && ppoll(&pfd, 1, left == AGW_NEVER ? NULL : &ts, NULL) <= 0)
        return;
    if (read(h->event_fd, &count, sizeof count) < 0)
        return; /* woken by the timer: nothing to clear */
}

static void *run(void *arg)
{
    agw_handshake *h = arg;
    pthread_setname_np(pthread_self(), "agw-dtls");
    for (agw_ns from = agw_clock_now(); !h->stop;) {
        agw_mail *mail = NULL;
        agw_ns now = from;
        for (int i = 0; i < MAIL_BUDGET && !h->stop && (mail = agw_ring_pop(h->mailbox)) != NULL;
             i++) {
            take(h, mail, now);
            now = agw_clock_now();
        }
        run_timers(h, now);
        const bool flushed = flush(h);
        now = agw_clock_now();
        agw_counter_add(&h->busy_ns, (uint64_t)(now - from));
        if (mail == NULL && !h->stop)
            wait_for_work(h, flushed ? agw_timerq_next(&h->timers) : now + AGW_MS(1));
        from = agw_clock_now();
    }
    return NULL;
}

agw_handshake *agw_handshake_new(const agw_outbox *outboxes, size_t n_workers)
{
    agw_handshake *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    h->mailbox = agw_ring_new(MAILBOX_SLOTS);
    h->outboxes = calloc(n_workers, sizeof *h->outboxes);
    agw_timerq_init(&h->timers);
    if (h->event_fd < 0 || h->mailbox == NULL || h->outboxes == NULL)
        goto fail;
    memcpy(h->outboxes, outboxes, n_workers * sizeof *outboxes);
    h->n_workers = n_workers;
    if (pthread_create(&h->thread, NULL, run, h) == 0)
        return h;
fail:
    if (h->event_fd >= 0)
        close(h->event_fd);
    agw_ring_free(h->mailbox);
    free(h->outboxes);
    free(h);
    return NULL;
}

void agw_handshake_free(agw_handshake *h)
{
    if (h == NULL)
        return;
    agw_outbox box = agw_handshake_outbox(h);
    agw_outbox_post(&box, agw_mail_new(AGW_MAIL_STOP, NULL, 0));
    while (!agw_outbox_flush(&box))
        sched_yield();
    pthread_join(h->thread, NULL);
    for (agw_mail *mail; (mail = agw_ring_pop(h->mailbox)) != NULL;)
        agw_mail_free(mail);
    while (h->assocs != NULL) {
        h->assocs->over = true; /* workers are gone: no goodbye */
        end(h, h->assocs, 0);
    }
    for (size_t i = 0; i < h->n_workers; i++)
        agw_outbox_fini(&h->outboxes[i]);
    agw_timerq_fini(&h->timers);
    close(h->event_fd);
    agw_ring_free(h->mailbox);
    free(h->outboxes);
    free(h);
}

uint64_t agw_handshake_busy_ns(const agw_handshake *h)
{
    return agw_counter_get(&h->busy_ns);
}

uint64_t agw_handshake_drops(const agw_handshake *h, agw_dtls_drop reason)
{
    AGW_ASSERT(reason < AGW_DTLS_DROP_COUNT);
    return agw_counter_get(&h->drops[reason]);
}

agw_outbox agw_handshake_outbox(agw_handshake *h)
{
    return (agw_outbox){.ring = h->mailbox, .wake = wake, .owner = h};
}

void agw_handshake_get_use(const agw_handshake *h, agw_thread_use *out)
{
    out->cpu = agw_clock_cpu_of(h->thread);
    out->mail = agw_ring_count(h->mailbox);
}
