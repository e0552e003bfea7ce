/* SPDX-License-Identifier: BSD-3-Clause
 * Drives one SSL object. Until the handshake is done OpenSSL gets neither datagrams nor fragments,
 * but whole messages in records that we number, and the peer's flight only when it is proven: a
 * forged record can then neither move its replay window nor spoil a reassembly, a forged message
 * not end the handshake. Once the keys are out the SSL object goes: what an association
 * still needs is the last flight (kept as bytes), close_notify (written in advance) and the key
 * that reads the peer's alerts. */
#include "dtls/session.h"

#include "base/secret.h"
#include "base/wire.h"
#include "dtls/assemble.h"
#include "dtls/bio.h"
#include "dtls/flight.h"
#include "dtls/keys.h"
#include "dtls/request.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANDOM_AT = 2, /* in ClientHello: behind client_version */
    RANDOM = 32,
    SESSION_ID_AT = RANDOM_AT + RANDOM,
    HELLO_VERIFY_REQUEST = 3,
    EARLY_MAX = 8, /* protected records held by OpenSSL, 17 KB each, before it has keys */
    /* Header, verify data and tag: no record of a handshake is shorter. OpenSSL 3.0.19 ends a
     * handshake on those shorter than nonce and tag, which it ought to drop. */
    FINISHED_MIN = 12 + 12 + 16,
    /* The path is validated and short: faster than RFC 6347 section 4.2.4.1 begins. OpenSSL gives
     * up after 12 timeouts without progress: these spread them over our 30 s. */
    FIRST_TIMEOUT_US = 100000,
    LONGEST_TIMEOUT_US = 3700000,
    ALERT_WARNING = 1,
    ALERT_CLOSE_NOTIFY = 0,
    REPEATS = 3,         /* of a server's last flight, unasked */
    LAST_FLIGHT_MAX = 4, /* datagrams; ChangeCipherSpec and Finished are two, or one */
};
/* A server that got no answer to its flight for so long listens to another ClientHello. */
static const agw_ns STALLED = AGW_S(3);
/* A client whose handshake was ruined waits so long before its next ClientHello. */
static const agw_ns PAUSE = AGW_MS(200);
/* A client asked for a cookie waits so long for a flight: if there is one, the request was false.
 * Its hello has gone out three times by then. */
static const agw_ns ANSWER_AFTER = AGW_MS(600);
/* An answer that gets no flight for so long was to a false request: the client begins anew. */
static const agw_ns ANSWER_VOID = AGW_S(2);
/* The last flight is repeated no faster than this, whoever asks for it. */
static const agw_ns REPEAT_GAP = AGW_MS(50);
/* The cookie is asked for no faster than this, however many hellos come. */
static const agw_ns ASK_GAP = AGW_MS(20);

struct agw_dtls {
    agw_dtls_ctx *ctx;
    agw_dtls_role role;
    agw_dtls_state state;
    bool started;
    SSL *ssl; /* NULL: no ClientHello yet, or its handshake was ruined */
    agw_bio_queue queue;
    agw_assembler assembler;
    agw_flight flight;
    agw_requests *requests;       /* client: NULL = nobody has asked for a cookie */
    bool answered;                /* client: this handshake shows a cookie */
    agw_ns answer_at;             /* client: when it may; AGW_NEVER: no */
    uint8_t hello_random[RANDOM]; /* server: of the ClientHello that ssl answers */
    bool asks_cookie;
    uint8_t cookie[AGW_DTLS_COOKIE];
    agw_ns asked_at;   /* the latest HelloVerifyRequest */
    uint64_t next_seq; /* of the next epoch 0 record for ssl */
    unsigned early;    /* protected records given before ssl had keys */
    agw_ns timeout;
    agw_ns give_up_at;  /* AGW_NEVER: established, or not started */
    agw_ns resend_at;   /* OpenSSL's timer, later ours for the last flight */
    agw_ns again_at;    /* client: the next attempt */
    agw_ns progress_at; /* the latest message that ssl took */
    bool established;
    agw_bio_datagram last_flight[LAST_FLIGHT_MAX]; /* server: as it was sent */
    size_t n_last_flight;
    unsigned repeats;
    agw_ns repeated_at;
    agw_bio_datagram farewell; /* close_notify */
    agw_alert_reader alerts;
    agw_dtls_result *result; /* NULL: not established, or forgotten */
    agw_dtls_stats stats;
    char reason[96];
};

static void set_reason(agw_dtls *d, const char *text)
{
    snprintf(d->reason, sizeof d->reason, "%s", text != NULL ? text : "unknown");
}

agw_dtls *agw_dtls_new(agw_dtls_ctx *ctx, agw_dtls_role role, agw_ns now)
{
    agw_dtls *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->ctx = agw_dtls_ctx_ref(ctx);
    d->role = role;
    d->timeout = AGW_MS(AGW_DTLS_HANDSHAKE_MS);
    d->started = role == AGW_DTLS_SERVER;
    d->give_up_at = d->started ? now + d->timeout : AGW_NEVER;
    d->resend_at = d->again_at = d->answer_at = AGW_NEVER;
    return d;
}

void agw_dtls_ask_cookie(agw_dtls *d, const uint8_t cookie[AGW_DTLS_COOKIE])
{
    AGW_ASSERT(d->role == AGW_DTLS_SERVER && d->ssl == NULL);
    d->asks_cookie = true;
    memcpy(d->cookie, cookie, AGW_DTLS_COOKIE);
}

static void drop_ssl(agw_dtls *d)
{
    SSL_free(d->ssl); /* frees the BIO, too; says nothing to the peer */
    d->ssl = NULL;
    d->queue.in = NULL;
    d->resend_at = d->answer_at = AGW_NEVER;
}

/* What a handshake has collected. */
static void forget_messages(agw_dtls *d)
{
    agw_assembler_clear(&d->assembler);
    agw_flight_clear(&d->flight);
    free(d->requests);
    d->requests = NULL;
}

void agw_dtls_free(agw_dtls *d)
{
    if (d == NULL)
        return;
    drop_ssl(d);
    forget_messages(d);
    agw_bio_truncate(&d->queue, 0);
    for (size_t i = 0; i < d->n_last_flight; i++)
        free(d->last_flight[i].data);
    free(d->farewell.data);
    agw_dtls_forget_result(d);
    agw_dtls_ctx_unref(d->ctx);
    agw_secret_wipe(d, sizeof *d);
    free(d);
}

void agw_dtls_set_timeout(agw_dtls *d, agw_ns timeout)
{
    if (d->give_up_at != AGW_NEVER)
        d->give_up_at += timeout - d->timeout;
    d->timeout = timeout;
}

static unsigned next_timeout_us(SSL *ssl, unsigned before_us)
{
    (void)ssl;
    if (before_us == 0)
        return FIRST_TIMEOUT_US;
    return before_us < LONGEST_TIMEOUT_US / 2 ? 2 * before_us : LONGEST_TIMEOUT_US;
}

static bool new_ssl(agw_dtls *d, agw_ns now)
{
    SSL *ssl = SSL_new(agw_dtls_ctx_ssl(d->ctx));
    BIO *bio = ssl == NULL ? NULL : agw_bio_new(agw_dtls_ctx_bio(d->ctx), &d->queue);
    if (bio == NULL) {
        SSL_free(ssl);
        return false;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_mtu(ssl, AGW_DTLS_MTU);
    DTLS_set_timer_cb(ssl, next_timeout_us);
    if (d->asks_cookie) {
        SSL_set_options(ssl, SSL_OP_COOKIE_EXCHANGE);
        SSL_set_app_data(ssl, d->cookie);
    }
    if (d->role == AGW_DTLS_SERVER)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    d->ssl = ssl;
    d->next_seq = 0;
    d->early = 0;
    d->progress_at = now;
    return true;
}

static void end(agw_dtls *d, agw_dtls_state state, const char *reason)
{
    d->state = state;
    d->give_up_at = d->again_at = AGW_NEVER;
    set_reason(d, reason);
    drop_ssl(d);
    forget_messages(d);
}

/* The last flight was written behind the first `before` datagrams. */
static void keep_last_flight(agw_dtls *d, agw_ns now, size_t before)
{
    for (size_t i = before; i < d->queue.out_count && d->n_last_flight < LAST_FLIGHT_MAX; i++) {
        const agw_bio_datagram *sent = agw_bio_at(&d->queue, i);
        uint8_t *copy = malloc(sent->len);
        if (copy == NULL)
            break; /* as if it were lost on the way, each time */
        memcpy(copy, sent->data, sent->len);
        d->last_flight[d->n_last_flight++] = (agw_bio_datagram){copy, sent->len};
    }
    d->repeated_at = now;
}

/* OpenSSL writes close_notify now, it is sent when the session ends. */
static void keep_farewell(agw_dtls *d)
{
    const size_t before = d->queue.out_count;
    SSL_shutdown(d->ssl);
    if (d->queue.out_count == before + 1)
        d->farewell = agw_bio_pull_newest(&d->queue);
}

static const char *take_keys(agw_dtls *d)
{
    d->result = calloc(1, sizeof *d->result);
    if (d->result == NULL)
        return "no memory";
    const agw_err err = agw_keys_result(d->ssl, d->role, d->result);
    if (err != AGW_OK)
        return err == AGW_ERR_NOT_FOUND ? "no SRTP profile in common" : "peer without certificate";
    if (agw_alert_reader_init(&d->alerts, d->ssl, d->role) != AGW_OK)
        return "no keys";
    return NULL;
}

static void establish(agw_dtls *d, agw_ns now, size_t out_before)
{
    const char *const why_not = take_keys(d);
    if (why_not != NULL) {
        end(d, AGW_DTLS_FAILED, why_not);
        return;
    }
    if (d->role == AGW_DTLS_SERVER)
        keep_last_flight(d, now, out_before);
    keep_farewell(d);
    drop_ssl(d);
    forget_messages(d);
    d->state = AGW_DTLS_ESTABLISHED;
    d->established = true;
    d->give_up_at = d->again_at = AGW_NEVER;
    d->reason[0] = '\0';
    d->resend_at = d->role == AGW_DTLS_SERVER ? now + AGW_US(FIRST_TIMEOUT_US) : AGW_NEVER;
}

static void note_timer(agw_dtls *d, agw_ns now)
{
    struct timeval left;
    if (d->state != AGW_DTLS_HANDSHAKING)
        return;
    d->resend_at = AGW_NEVER;
    if (d->ssl != NULL && DTLSv1_get_timeout(d->ssl, &left) == 1)
        d->resend_at = now + AGW_S(left.tv_sec) + AGW_US(left.tv_usec);
}

/* What a dying handshake says would end the peer's: it is not sent. The next ClientHello (server)
 * or pause (client) begins anew. */
static void ruined(agw_dtls *d, agw_ns now, size_t out_before)
{
    const unsigned long e = ERR_peek_last_error();
    set_reason(d, e != 0 ? ERR_reason_error_string(e) : "handshake ended");
    agw_bio_truncate(&d->queue, out_before);
    drop_ssl(d);
    d->stats.restarts++;
    if (d->role == AGW_DTLS_CLIENT)
        d->again_at = now + PAUSE;
}

/* false: OpenSSL ended this handshake. */
static bool advance(agw_dtls *d, agw_ns now)
{
    const size_t out_before = d->queue.out_count;
    ERR_clear_error();
    const int r = SSL_do_handshake(d->ssl);
    const int why = SSL_get_error(d->ssl, r);
    d->queue.in = NULL;
    if (r == 1)
        establish(d, now, out_before);
    else if (why != SSL_ERROR_WANT_READ)
        ruined(d, now, out_before);
    ERR_clear_error();
    note_timer(d, now);
    return r == 1 || why == SSL_ERROR_WANT_READ;
}

/* Gives one whole handshake message or ChangeCipherSpec to OpenSSL in a record of our own. */
static bool give_plain(agw_dtls *d, agw_ns now, uint8_t type, const agw_fragment *f,
                       const uint8_t *body, size_t len)
{
    uint8_t record[AGW_RECORD_HEADER + AGW_HANDSHAKE_HEADER + AGW_HANDSHAKE_MAX];
    const size_t head = f != NULL ? AGW_HANDSHAKE_HEADER : 0;
    record[0] = type;
    agw_put16(record + 1, 0xFEFD);
    agw_put64(record + 3, d->next_seq++); /* epoch 0 in its upper 16 bits */
    agw_put16(record + 11, (uint16_t)(head + len));
    uint8_t *p = record + AGW_RECORD_HEADER;
    if (f != NULL) {
        p[0] = f->type;
        agw_put24(p + 1, f->length);
        agw_put16(p + 4, f->seq);
        agw_put24(p + 6, 0);
        agw_put24(p + 9, f->length);
        p += AGW_HANDSHAKE_HEADER;
    }
    if (len > 0)
        memcpy(p, body, len);
    d->queue.in = record;
    d->queue.in_len = AGW_RECORD_HEADER + head + len;
    return advance(d, now);
}

/* The same bytes for everybody and as often as asked, but not oftener than anybody needs: a client
 * takes the first one. Its record is number 0, the handshake goes on with number 1. */
static agw_dtls_drop ask_for_cookie(agw_dtls *d, agw_ns now)
{
    uint8_t datagram[AGW_RECORD_HEADER + AGW_HANDSHAKE_HEADER + 3 + AGW_DTLS_COOKIE] = {
        AGW_RECORD_HANDSHAKE, 0xFE, 0xFF};
    uint8_t *message = datagram + AGW_RECORD_HEADER, *body = message + AGW_HANDSHAKE_HEADER;
    if (d->asked_at != 0 && now - d->asked_at < ASK_GAP)
        return AGW_DTLS_DROP_EPOCH;
    d->asked_at = now;
    agw_put16(datagram + 11, sizeof datagram - AGW_RECORD_HEADER);
    message[0] = HELLO_VERIFY_REQUEST;
    agw_put24(message + 1, 3 + AGW_DTLS_COOKIE);
    agw_put24(message + 9, 3 + AGW_DTLS_COOKIE);
    agw_put16(body, 0xFEFF); /* RFC 6347 section 4.2.1: whatever is negotiated later */
    body[2] = AGW_DTLS_COOKIE;
    memcpy(body + 3, d->cookie, AGW_DTLS_COOKIE);
    agw_bio_put(&d->queue, datagram, sizeof datagram);
    return AGW_DTLS_DROP_NONE;
}

/* Where the length of the ClientHello's cookie stands; 0: it is not ours. */
static size_t cookie_at(const agw_dtls *d, const agw_fragment *f)
{
    const size_t at = SESSION_ID_AT + 1u + f->body[SESSION_ID_AT];
    const bool whole = at + 1 + AGW_DTLS_COOKIE <= f->length && f->body[at] == AGW_DTLS_COOKIE;
    return whole && agw_secret_equal(f->body + at + 1, d->cookie, AGW_DTLS_COOKIE) ? at : 0;
}

/* OpenSSL must have asked for the cookie itself, or it does not take the answer: it hears the same
 * hello without one first, and what it says to that is not sent. */
static bool ask_in_private(agw_dtls *d, agw_ns now, const agw_fragment *f, size_t at)
{
    uint8_t body[AGW_HANDSHAKE_MAX];
    const size_t before = d->queue.out_count;
    agw_fragment first = *f;
    first.seq = 0;
    first.length -= AGW_DTLS_COOKIE;
    memcpy(body, f->body, at);
    body[at] = 0;
    memcpy(body + at + 1, f->body + at + 1 + AGW_DTLS_COOKIE, first.length - at - 1);
    const bool goes_on = give_plain(d, now, AGW_RECORD_HANDSHAKE, &first, body, first.length);
    agw_bio_truncate(&d->queue, before);
    return goes_on;
}

/* Server: what follows is signed over the hello and what OpenSSL has just said to it. */
static void expect_client(agw_dtls *d, const agw_fragment *hello, size_t out_before)
{
    agw_flight_begin(&d->flight, AGW_DTLS_SERVER, d->asks_cookie);
    agw_flight_took_hello(&d->flight, hello);
    for (size_t i = out_before; i < d->queue.out_count; i++) {
        const agw_bio_datagram *sent = agw_bio_at(&d->queue, i);
        agw_flight_sent(&d->flight, sent->data, sent->len);
    }
}

/* Server: a ClientHello opens a handshake; repeated it is a sign of loss that our timer answers; a
 * different one is heard when the first got no further. */
static agw_dtls_drop on_hello(agw_dtls *d, agw_ns now, const agw_fragment *f)
{
    const size_t cookie = f->seq == 1 ? cookie_at(d, f) : 0;
    if (d->ssl != NULL && memcmp(d->hello_random, f->body + RANDOM_AT, RANDOM) == 0)
        return AGW_DTLS_DROP_NONE;
    if (d->ssl != NULL && now - d->progress_at < STALLED)
        return AGW_DTLS_DROP_EPOCH;
    if (d->asks_cookie && f->seq == 0)
        return ask_for_cookie(d, now);
    if (d->asks_cookie && cookie == 0)
        return AGW_DTLS_DROP_HANDSHAKE;
    if (d->ssl != NULL)
        d->stats.restarts++;
    drop_ssl(d);
    if (!new_ssl(d, now))
        return AGW_DTLS_DROP_STATE;
    memcpy(d->hello_random, f->body + RANDOM_AT, RANDOM);
    if (d->asks_cookie && !ask_in_private(d, now, f, cookie))
        return AGW_DTLS_DROP_REFUSED;
    const size_t before = d->queue.out_count;
    if (!give_plain(d, now, AGW_RECORD_HANDSHAKE, f, f->body, f->length))
        return AGW_DTLS_DROP_REFUSED;
    expect_client(d, f, before);
    return AGW_DTLS_DROP_NONE;
}

/* Client: the same random number before and behind a HelloVerifyRequest. */
static void expect_server(agw_dtls *d)
{
    uint8_t random[AGW_FLIGHT_RANDOM];
    SSL_get_client_random(d->ssl, random, sizeof random);
    agw_flight_begin(&d->flight, AGW_DTLS_CLIENT, d->answered);
    agw_flight_sent_random(&d->flight, random);
}

static void begin_client(agw_dtls *d, agw_ns now)
{
    drop_ssl(d);
    forget_messages(d);
    d->answered = false;
    d->again_at = now + PAUSE;
    if (!new_ssl(d, now) || !advance(d, now))
        return;
    d->again_at = AGW_NEVER;
    expect_server(d);
}

static agw_dtls_drop on_request(agw_dtls *d, const agw_fragment *f)
{
    if (d->answered || d->flight.proven || d->flight.given)
        return AGW_DTLS_DROP_EPOCH;
    if (d->requests == NULL)
        d->requests = calloc(1, sizeof *d->requests);
    if (d->requests == NULL)
        return AGW_DTLS_DROP_STATE;
    const agw_dtls_drop drop = agw_requests_add(d->requests, f);
    if (drop == AGW_DTLS_DROP_NONE)
        d->answer_at = d->progress_at + ANSWER_AFTER;
    return drop;
}

static void answer_request(agw_dtls *d, agw_ns now)
{
    AGW_ASSERT(d->requests != NULL && d->ssl != NULL);
    const agw_fragment f = {.type = HELLO_VERIFY_REQUEST, .length = d->requests->len};
    d->answer_at = AGW_NEVER;
    if (d->flight.proven || d->flight.given ||
        !give_plain(d, now, AGW_RECORD_HANDSHAKE, &f, d->requests->body, f.length))
        return;
    d->answered = true;
    d->again_at = now + ANSWER_VOID;
    expect_server(d);
}

static agw_dtls_drop on_message(agw_dtls *d, agw_ns now, const agw_fragment *f)
{
    if (d->state != AGW_DTLS_HANDSHAKING)
        return AGW_DTLS_DROP_EPOCH;
    if (f->type == AGW_HANDSHAKE_CLIENT_HELLO)
        return on_hello(d, now, f);
    if (d->ssl == NULL)
        return AGW_DTLS_DROP_EPOCH;
    if (f->type == HELLO_VERIFY_REQUEST)
        return on_request(d, f);
    const agw_dtls_drop drop = agw_flight_add(&d->flight, f);
    if (drop == AGW_DTLS_DROP_CERTIFICATE)
        set_reason(d, "peer without certificate");
    return drop;
}

/* Behind the messages of a datagram. */
static void give_proven(agw_dtls *d, agw_ns now)
{
    agw_fragment set[AGW_FLIGHT_PLACES];
    size_t n;
    if (d->state != AGW_DTLS_HANDSHAKING || d->ssl == NULL)
        return;
    const agw_dtls_drop drop = agw_flight_prove(&d->flight, now, set, &n);
    if (drop != AGW_DTLS_DROP_NONE)
        d->stats.drops[drop]++;
    if (n == 0)
        return;
    d->progress_at = now;
    d->again_at = AGW_NEVER;
    for (size_t i = 0; i < n && d->ssl != NULL; i++) {
        if (!give_plain(d, now, AGW_RECORD_HANDSHAKE, &set[i], set[i].body, set[i].length))
            d->stats.drops[AGW_DTLS_DROP_REFUSED]++;
    }
}

static agw_dtls_drop on_fragment(agw_dtls *d, agw_ns now, const agw_fragment *f)
{
    if (f->offset == 0 && f->len == f->length)
        return on_message(d, now, f);
    agw_dtls_drop drop = AGW_DTLS_DROP_NONE;
    agw_fragment whole;
    void *given;
    agw_assembler_add(&d->assembler, f);
    while (agw_assembler_take(&d->assembler, &whole, &given)) {
        drop = on_message(d, now, &whole);
        free(given);
    }
    return drop;
}

static agw_dtls_drop on_handshake_record(agw_dtls *d, agw_ns now, const agw_record *record)
{
    for (size_t at = 0; at < record->len;) {
        agw_fragment f;
        agw_dtls_drop drop =
            agw_fragment_next(record, d->role, d->asks_cookie || d->answered, &at, &f);
        if (drop == AGW_DTLS_DROP_NONE)
            drop = on_fragment(d, now, &f);
        if (drop != AGW_DTLS_DROP_NONE)
            return drop;
    }
    return AGW_DTLS_DROP_NONE;
}

static void repeat_last_flight(agw_dtls *d, agw_ns now)
{
    for (size_t i = 0; i < d->n_last_flight; i++)
        agw_bio_put(&d->queue, d->last_flight[i].data, d->last_flight[i].len);
    d->repeated_at = now;
}

/* A client that repeats its last flight has not got ours (RFC 6347 section 4.2.4). The same bytes
 * do: what it has not got is no replay to it. Anybody can ask, so not too often. */
static agw_dtls_drop on_repetition(agw_dtls *d, agw_ns now)
{
    if (now - d->repeated_at >= REPEAT_GAP)
        repeat_last_flight(d, now);
    return AGW_DTLS_DROP_EPOCH;
}

static agw_dtls_drop on_plain_record(agw_dtls *d, agw_ns now, const agw_record *record)
{
    if (record->type == AGW_RECORD_ALERT)
        return AGW_DTLS_DROP_ALERT; /* anybody can write it */
    if (d->state != AGW_DTLS_HANDSHAKING)
        return on_repetition(d, now);
    if (record->type == AGW_RECORD_HANDSHAKE)
        return on_handshake_record(d, now, record);
    if (record->type != AGW_RECORD_CHANGE_CIPHER_SPEC)
        return AGW_DTLS_DROP_TYPE;
    if (record->len != 1 || record->body[0] != 1)
        return AGW_DTLS_DROP_HANDSHAKE;
    give_proven(d, now);
    if (d->ssl == NULL || !d->flight.given)
        return AGW_DTLS_DROP_EPOCH;
    return give_plain(d, now, AGW_RECORD_CHANGE_CIPHER_SPEC, NULL, record->body, 1)
               ? AGW_DTLS_DROP_NONE
               : AGW_DTLS_DROP_REFUSED;
}

static void say_farewell(agw_dtls *d)
{
    if (d->farewell.data != NULL)
        agw_bio_put(&d->queue, d->farewell.data, d->farewell.len);
}

static agw_dtls_drop on_alert(agw_dtls *d, const agw_record *record)
{
    uint8_t alert[2];
    if (agw_alert_open(&d->alerts, record, alert) != AGW_OK)
        return AGW_DTLS_DROP_ALERT;
    if (alert[1] == ALERT_CLOSE_NOTIFY) {
        say_farewell(d);
        end(d, AGW_DTLS_CLOSED, "close_notify");
    } else if (alert[0] != ALERT_WARNING) {
        char why[64];
        snprintf(why, sizeof why, "alert %s", SSL_alert_desc_string_long(alert[1]));
        end(d, AGW_DTLS_FAILED, why);
    }
    return AGW_DTLS_DROP_NONE;
}

static agw_dtls_drop on_established(agw_dtls *d, agw_ns now, const agw_record *record)
{
    switch (record->type) {
    case AGW_RECORD_ALERT:
        return on_alert(d, record);
    case AGW_RECORD_HANDSHAKE:
        return on_repetition(d, now);
    case AGW_RECORD_DATA:
        return AGW_DTLS_DROP_DATA;
    default:
        return AGW_DTLS_DROP_TYPE;
    }
}

/* OpenSSL keeps what comes before its keys, a record in 17 KB. */
static bool has_read_keys(const agw_dtls *d)
{
    const OSSL_HANDSHAKE_STATE at = SSL_get_state(d->ssl);
    return at == TLS_ST_SR_CHANGE || at == TLS_ST_CR_CHANGE;
}

static agw_dtls_drop on_protected_record(agw_dtls *d, agw_ns now, const agw_record *record)
{
    if (record->type > AGW_RECORD_DATA)
        return AGW_DTLS_DROP_TYPE; /* heartbeat, connection id: never agreed */
    if (record->epoch != 1)
        return AGW_DTLS_DROP_EPOCH;
    if (d->state == AGW_DTLS_ESTABLISHED)
        return on_established(d, now, record);
    if (d->ssl == NULL || record->len < FINISHED_MIN ||
        (!has_read_keys(d) && d->early++ >= EARLY_MAX))
        return AGW_DTLS_DROP_EPOCH;
    d->queue.in = record->raw;
    d->queue.in_len = record->raw_len;
    return advance(d, now) ? AGW_DTLS_DROP_NONE : AGW_DTLS_DROP_REFUSED;
}

static agw_dtls_drop on_record(agw_dtls *d, agw_ns now, const agw_record *record)
{
    return record->epoch == 0 ? on_plain_record(d, now, record)
                              : on_protected_record(d, now, record);
}

agw_dtls_drop agw_dtls_on_datagram(agw_dtls *d, agw_ns now, const uint8_t *buf, size_t len)
{
    agw_dtls_drop first = len == 0 ? AGW_DTLS_DROP_LENGTH : AGW_DTLS_DROP_NONE;
    bool used = false;
    agw_flight_next_datagram(&d->flight);
    if (len == 0)
        d->stats.drops[first]++;
    for (size_t at = 0; at < len;) {
        agw_record record;
        agw_dtls_drop drop = agw_record_next(buf, len, &at, &record);
        if (drop == AGW_DTLS_DROP_NONE && (!d->started || d->state > AGW_DTLS_ESTABLISHED))
            drop = AGW_DTLS_DROP_STATE;
        if (drop == AGW_DTLS_DROP_NONE)
            drop = on_record(d, now, &record);
        used = used || drop == AGW_DTLS_DROP_NONE;
        if (drop == AGW_DTLS_DROP_NONE)
            continue;
        d->stats.drops[drop]++;
        first = first == AGW_DTLS_DROP_NONE ? drop : first;
    }
    give_proven(d, now);
    return used ? AGW_DTLS_DROP_NONE : first;
}

void agw_dtls_start(agw_dtls *d, agw_ns now)
{
    if (d->role != AGW_DTLS_CLIENT || d->started)
        return;
    d->started = true;
    d->give_up_at = now + d->timeout;
    d->again_at = now;
    agw_dtls_on_deadline(d, now);
}

bool agw_dtls_take(agw_dtls *d, uint8_t *buf, size_t room, size_t *len)
{
    AGW_ASSERT(room >= AGW_DTLS_MTU);
    return agw_bio_take(&d->queue, buf, room, len);
}

agw_ns agw_dtls_deadline(const agw_dtls *d)
{
    return agw_earlier(agw_earlier(d->give_up_at, d->answer_at),
                       agw_earlier(d->resend_at, d->again_at));
}

static void resend(agw_dtls *d, agw_ns now)
{
    if (d->state == AGW_DTLS_ESTABLISHED) {
        repeat_last_flight(d, now);
        d->resend_at =
            ++d->repeats < REPEATS ? now + (AGW_US(FIRST_TIMEOUT_US) << d->repeats) : AGW_NEVER;
        return;
    }
    const size_t out_before = d->queue.out_count;
    ERR_clear_error();
    const long r = DTLSv1_handle_timeout(d->ssl);
    if (r < 0 && d->state == AGW_DTLS_HANDSHAKING)
        ruined(d, now, out_before);
    ERR_clear_error();
    note_timer(d, now);
}

void agw_dtls_on_deadline(agw_dtls *d, agw_ns now)
{
    if (now >= d->give_up_at) {
        char why[sizeof d->reason];
        const bool known = d->reason[0] != '\0';
        snprintf(why, sizeof why, "handshake timeout%s%.60s", known ? ": " : "", d->reason);
        end(d, AGW_DTLS_FAILED, why);
        return;
    }
    if (now >= d->again_at) {
        d->stats.restarts += d->ssl != NULL;
        begin_client(d, now);
    }
    if (now >= d->answer_at)
        answer_request(d, now);
    if (now >= d->resend_at)
        resend(d, now);
}

agw_dtls_state agw_dtls_state_of(const agw_dtls *d)
{
    return d->state;
}

const char *agw_dtls_reason(const agw_dtls *d)
{
    return d->reason;
}

void agw_dtls_close(agw_dtls *d, agw_ns now)
{
    (void)now;
    if (d->state > AGW_DTLS_ESTABLISHED)
        return;
    if (d->state == AGW_DTLS_ESTABLISHED)
        say_farewell(d);
    end(d, AGW_DTLS_CLOSED, "closed by us");
}

agw_err agw_dtls_get_result(const agw_dtls *d, agw_dtls_result *out)
{
    if (!d->established || d->result == NULL)
        return AGW_ERR_STATE;
    *out = *d->result;
    return AGW_OK;
}

void agw_dtls_forget_result(agw_dtls *d)
{
    if (d->result != NULL)
        agw_dtls_result_wipe(d->result);
    free(d->result);
    d->result = NULL;
}

void agw_dtls_result_wipe(agw_dtls_result *result)
{
    agw_secret_wipe(result, sizeof *result);
}

void agw_dtls_get_stats(const agw_dtls *d, agw_dtls_stats *out)
{
    *out = d->stats;
    out->lost_out = d->queue.lost;
}

const char *agw_dtls_drop_text(agw_dtls_drop drop)
{
    static const char *const TEXTS[AGW_DTLS_DROP_COUNT] = {
        "none",      "length", "type",        "version", "epoch",   "alert",
        "handshake", "data",   "certificate", "proof",   "refused", "state",
    };
    return (unsigned)drop < AGW_DTLS_DROP_COUNT ? TEXTS[drop] : "unknown";
}
