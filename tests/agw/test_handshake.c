/* SPDX-License-Identifier: BSD-3-Clause
 * The handshake thread and one browser; the test is the worker. */
#include "agw/handshake.h"

#include "unit.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static agw_ring *mailbox; /* the worker's */
static int woken;

static void wake(void *owner)
{
    (void)owner;
    const uint64_t one = 1;
    CU_ASSERT_EQUAL(write(woken, &one, sizeof one), (ssize_t)sizeof one);
}

/* The next message of the thread. */
static agw_mail *next_mail(void)
{
    for (;;) {
        agw_mail *mail = agw_ring_pop(mailbox);
        if (mail != NULL)
            return mail;
        struct pollfd p = {.fd = woken, .events = POLLIN};
        uint64_t count;
        CU_ASSERT_EQUAL_FATAL(poll(&p, 1, PATIENCE_MS), 1);
        CU_ASSERT_EQUAL(read(woken, &count, sizeof count), (ssize_t)sizeof count);
    }
}

static void send_flight(agw_outbox *thread, agw_assoc *assoc, agw_dtls *browser)
{
    uint8_t buf[AGW_DTLS_MTU];
    size_t len;
    while (agw_dtls_take(browser, buf, sizeof buf, &len)) {
        agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_DATA, buf, len);
        mail->assoc = assoc;
        agw_outbox_post(thread, mail);
    }
    agw_outbox_flush(thread);
}

static void post(agw_outbox *thread, agw_assoc *assoc, agw_mail *mail)
{
    mail->assoc = assoc;
    agw_outbox_post(thread, mail);
    agw_outbox_flush(thread);
}

static void post_start(agw_outbox *thread, agw_assoc *assoc, agw_dtls_ctx *ctx)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_DTLS_START, NULL, 0);
    mail->context = agw_dtls_ctx_ref(ctx);
    mail->role = AGW_DTLS_SERVER;
    post(thread, assoc, mail);
}

static bool dropped(const agw_handshake *h, agw_dtls_drop reason, uint64_t n)
{
    const agw_ns until = agw_clock_now() + AGW_MS(PATIENCE_MS);
    while (agw_handshake_drops(h, reason) < n && agw_clock_now() < until)
        poll(NULL, 0, 1);
    return agw_handshake_drops(h, reason) == n;
}

/* A handshake thread of a worker that only has a mailbox. */
static agw_handshake *begin(agw_dtls_ctx **ctx)
{
    mailbox = agw_ring_new(64);
    woken = eventfd(0, EFD_CLOEXEC);
    const agw_outbox worker = {.ring = mailbox, .wake = wake};
    agw_handshake *h = agw_handshake_new(&worker, 1);
    *ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
    CU_ASSERT_FATAL(mailbox != NULL && woken >= 0 && h != NULL && *ctx != NULL);
    return h;
}

/* Messages are taken in order: what the second one raises comes behind the end of the first. */
static void test_handshake_drops_of_an_ended_association_stay_counted(void)
{
    static const uint8_t SSL3[] = {22, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
    static const uint8_t SHORT[] = {22, 0xfe, 0xfd};
    agw_dtls_ctx *ctx;
    agw_handshake *h = begin(&ctx);
    agw_outbox thread = agw_handshake_outbox(h);
    agw_assoc *first = agw_assoc_new(0, (agw_transport_name){7, 1});
    post_start(&thread, first, ctx);
    post(&thread, first, agw_mail_new(AGW_MAIL_DTLS_DATA, SSL3, sizeof SSL3));
    CU_ASSERT_TRUE(dropped(h, AGW_DTLS_DROP_VERSION, 1));
    post(&thread, first, agw_mail_new(AGW_MAIL_DTLS_END, NULL, 0));

    agw_assoc *second = agw_assoc_new(0, (agw_transport_name){7, 2});
    post_start(&thread, second, ctx);
    post(&thread, second, agw_mail_new(AGW_MAIL_DTLS_DATA, SHORT, sizeof SHORT));
    CU_ASSERT_TRUE(dropped(h, AGW_DTLS_DROP_LENGTH, 1));
    for (int reason = 0; reason < AGW_DTLS_DROP_COUNT; reason++)
        CU_ASSERT_EQUAL(agw_handshake_drops(h, (agw_dtls_drop)reason),
                        reason == AGW_DTLS_DROP_VERSION || reason == AGW_DTLS_DROP_LENGTH);
    agw_handshake_free(h);
    agw_dtls_ctx_unref(ctx);
    agw_ring_free(mailbox);
    close(woken);
}

/* The browser may send media as soon as it has the last flight: the worker must have its keys
 * then, or the first words of a call are cut off (RFC 5764 section 5.1.2). */
static void test_handshake_rfc5764_keys_come_before_the_last_flight_leaves(void)
{
    agw_dtls_ctx *ctx;
    agw_handshake *h = begin(&ctx);
    agw_outbox thread = agw_handshake_outbox(h);
    agw_assoc *assoc = agw_assoc_new(0, (agw_transport_name){7, 1});
    post_start(&thread, assoc, ctx);

    agw_dtls *browser = agw_dtls_new(ctx, AGW_DTLS_CLIENT, agw_clock_now());
    CU_ASSERT_PTR_NOT_NULL_FATAL(browser);
    agw_dtls_start(browser, agw_clock_now());
    bool has_keys = false;
    while (agw_dtls_state_of(browser) == AGW_DTLS_HANDSHAKING) {
        send_flight(&thread, assoc, browser);
        agw_mail *mail = next_mail();
        if (mail->kind == AGW_MAIL_DTLS_DONE) {
            has_keys = true;
        } else {
            CU_ASSERT_EQUAL_FATAL(mail->kind, AGW_MAIL_DTLS_SEND);
            (void)agw_dtls_on_datagram(browser, agw_clock_now(), mail->data, mail->len);
        }
        agw_mail_free(mail);
    }
    CU_ASSERT_EQUAL(agw_dtls_state_of(browser), AGW_DTLS_ESTABLISHED);
    CU_ASSERT_TRUE(has_keys);

    agw_mail *end = agw_mail_new(AGW_MAIL_DTLS_END, NULL, 0);
    end->assoc = assoc;
    agw_outbox_post(&thread, end);
    agw_outbox_flush(&thread);
    agw_handshake_free(h);
    for (agw_mail *mail; (mail = agw_ring_pop(mailbox)) != NULL;)
        agw_mail_free(mail);
    agw_dtls_free(browser);
    agw_dtls_ctx_unref(ctx);
    agw_ring_free(mailbox);
    close(woken);
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_handshake_drops_of_an_ended_association_stay_counted),
    AGW_CASE(test_handshake_rfc5764_keys_come_before_the_last_flight_leaves),
};

AGW_UNIT_MAIN("handshake", CASES)
