/* SPDX-License-Identifier: BSD-3-Clause
 * DTLS that nobody asked for: what killed handshakes in CVE-2023-51275, CVE-2023-49786 and
 * CVE-2023-51443, and a stranger who does it right. */
#include "tests/attack/attack.h"

#include "base/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    FLOOD = 100000, /* a second */
    RECORD_HEADER = 13,
    HANDSHAKE_HEADER = 12,
    LEVEL_WARNING = 1,
    LEVEL_FATAL = 2,
    CLOSE_NOTIFY = 0,
    STRANGER_TRIES = 50, /* packets until the stranger begins anew */
    OWN_FLIGHTS = 8,
};

static void hello_null(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    craft_hello(&a->packet, &a->rng, &CRAFT_HELLO_NULL, n);
    attack_send_packet(a);
}

static void hello_good(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    craft_hello(&a->packet, &a->rng, &CRAFT_HELLO_GOOD, n);
    attack_send_packet(a);
}

/* The datagram ends early; every second one says so in its record. */
static void hello_cut(attack *a, uint64_t n)
{
    craft_clear(&a->packet);
    craft_hello(&a->packet, &a->rng, &CRAFT_HELLO_GOOD, n);
    const size_t len = a->packet.len;
    a->packet.len = 1 + (n / 2) % (len - 1);
    if (n % 2 == 0 && a->packet.len > RECORD_HEADER)
        agw_put16(a->packet.data + 11, (uint16_t)(a->packet.len - RECORD_HEADER));
    attack_send_packet(a);
}

/* Fragments: never complete, overlapping, contradicting each other about the length, of a message
 * of 16 MB, of messages far ahead. */
static void hello_fragments(attack *a, uint64_t n)
{
    craft message;
    craft_clear(&message);
    craft_hello_message(&message, &a->rng, &CRAFT_HELLO_GOOD);
    const uint32_t body = (uint32_t)message.len - HANDSHAKE_HEADER;
    uint32_t offset = craft_below(&a->rng, body);
    const uint32_t len = 1 + craft_below(&a->rng, body - offset);
    memmove(message.data + HANDSHAKE_HEADER, message.data + HANDSHAKE_HEADER + offset, len);
    if (n % 5 == 1) /* the whole is said to be shorter */
        agw_put24(message.data + 1, body / 2);
    if (n % 5 == 2)
        agw_put24(message.data + 1, 0xffffff);
    if (n % 5 == 3)
        offset = 0xfffff0;
    if (n % 5 == 4)
        agw_put16(message.data + 4, (uint16_t)(1 + craft_below(&a->rng, 0xffff)));
    agw_put24(message.data + 6, offset);
    agw_put24(message.data + 9, len);
    craft_clear(&a->packet);
    craft_record(&a->packet, DTLS_HANDSHAKE, DTLS_12, 0, n, message.data, HANDSHAKE_HEADER + len,
                 HANDSHAKE_HEADER + len);
    attack_send_packet(a);
}

static void hello_version(attack *a, uint64_t n)
{
    static const uint16_t VERSIONS[] = {0xfefc, 0x0101, 0x0303, 0x0304, 0x0000, 0xffff, 0x0100};
    craft_hello_shape shape = CRAFT_HELLO_GOOD;
    const uint16_t version = VERSIONS[n % (sizeof VERSIONS / sizeof VERSIONS[0])];
    if (n % 2 == 0)
        shape.record_version = version;
    else
        shape.client_version = version;
    craft_clear(&a->packet);
    craft_hello(&a->packet, &a->rng, &shape, n);
    attack_send_packet(a);
}

static void alert(attack *a, uint64_t n, unsigned level, unsigned description)
{
    craft_clear(&a->packet);
    craft_alert(&a->packet, 0, n, level, description);
    attack_send_packet(a);
}

static void alert_fatal(attack *a, uint64_t n)
{
    alert(a, n, LEVEL_FATAL, craft_below(&a->rng, 120));
}

static void alert_goodbye(attack *a, uint64_t n)
{
    alert(a, n, LEVEL_WARNING, CLOSE_NOTIFY);
}

/* ChangeCipherSpec too early, and what would be a Finished behind it. */
static void change_cipher(attack *a, uint64_t n)
{
    uint8_t finished[40];
    craft_clear(&a->packet);
    craft_record(&a->packet, DTLS_CCS, DTLS_12, 0, n, "\1", 1, 1);
    craft_fill(&a->rng, finished, sizeof finished);
    if (n % 2 == 0)
        craft_record(&a->packet, DTLS_HANDSHAKE, DTLS_12, 1, n, finished, sizeof finished,
                     sizeof finished);
    attack_send_packet(a);
}

/* Random bodies under every content type, epochs 0 to 2, sometimes twenty records a datagram. */
static void garbage(attack *a, uint64_t n)
{
    uint8_t body[64];
    craft_clear(&a->packet);
    for (unsigned i = 0; i < (n % 8 == 0 ? 20U : 1U); i++) {
        const unsigned len = craft_below(&a->rng, sizeof body);
        craft_fill(&a->rng, body, sizeof body);
        craft_record(&a->packet, 20 + craft_below(&a->rng, 44), n % 4 == 0 ? DTLS_10 : DTLS_12,
                     craft_below(&a->rng, 3), craft_rand(&a->rng), body, len, len);
    }
    attack_send_packet(a);
}

static void record_length(attack *a, uint64_t n)
{
    static const uint16_t CLAIMS[] = {0, 1, 0xffff, 0x4001, 0x8000, 41, 39};
    uint8_t body[40];
    craft_clear(&a->packet);
    craft_fill(&a->rng, body, sizeof body);
    body[0] = 1; /* as of a ClientHello */
    craft_record(&a->packet, DTLS_HANDSHAKE, DTLS_12, 0, n, body, sizeof body,
                 CLAIMS[n % (sizeof CLAIMS / sizeof CLAIMS[0])]);
    attack_send_packet(a);
}

/* What only a server sends: for a gateway that is the client. */
static void server_flight(attack *a, uint64_t n)
{
    uint8_t body[HANDSHAKE_HEADER + 80] = {n % 2 == 0 ? 3
                                                      : 2}; /* HelloVerifyRequest, ServerHello */
    const size_t len = n % 2 == 0 ? 2 + 1 + 20 : 2 + 32 + 1 + 2 + 1;
    agw_put24(body + 1, (uint32_t)len);
    agw_put24(body + 9, (uint32_t)len);
    uint8_t *at = body + HANDSHAKE_HEADER;
    craft_fill(&a->rng, at, len);
    agw_put16(at, n % 2 == 0 ? DTLS_10 : DTLS_12);
    if (n % 2 == 0) {
        at[2] = 20; /* cookie */
    } else {
        at[34] = 0; /* no session id */
        agw_put16(at + 35, 0xc02b);
        at[37] = 0;
    }
    craft_clear(&a->packet);
    craft_record(&a->packet, DTLS_HANDSHAKE, DTLS_12, 0, n, body, HANDSHAKE_HEADER + len,
                 (unsigned)(HANDSHAKE_HEADER + len));
    attack_send_packet(a);
}

/* Certificate, ClientKeyExchange, CertificateVerify in the places that they have with and without a
 * cookie. */
static void client_flight(attack *a, uint64_t n)
{
    static const uint8_t TYPES[] = {11, 16, 15};
    uint8_t body[HANDSHAKE_HEADER + 66];
    const size_t len = n % 3 == 1 ? 66 : 40;
    craft_fill(&a->rng, body, sizeof body);
    body[0] = TYPES[n % 3];
    agw_put24(body + 1, (uint32_t)len);
    agw_put16(body + 4, (uint16_t)(1 + n % 3 + n / 3 % 2));
    agw_put24(body + 6, 0);
    agw_put24(body + 9, (uint32_t)len);
    body[HANDSHAKE_HEADER] = (uint8_t)(len - 1); /* an ECDH key says its length */
    craft_clear(&a->packet);
    craft_record(&a->packet, DTLS_HANDSHAKE, DTLS_12, 0, n, body, HANDSHAKE_HEADER + len,
                 (unsigned)(HANDSHAKE_HEADER + len));
    attack_send_packet(a);
}

/* --- somebody with a certificate of his own ----------------------------------------------------
 */

static agw_dtls_ctx *other_certificate(void)
{
    static agw_dtls_ctx *ctx;
    if (ctx == NULL)
        ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
    AGW_ASSERT(ctx != NULL);
    return ctx;
}

/* Flights as they should be, each with a certificate of its own: the forger's handshakes with
 * himself. Nothing is wrong with them but what their signatures cover. */
typedef struct own_flights {
    struct {
        uint8_t data[AGW_DTLS_MTU];
        size_t len;
    } flights[OWN_FLIGHTS];
} own_flights;

/* The first datagram is kept in out, AGW_DTLS_MTU bytes. */
static size_t passes(agw_dtls *from, agw_dtls *to, agw_ns now, uint8_t *out)
{
    uint8_t datagram[AGW_DTLS_MTU];
    size_t len, first = 0;
    while (agw_dtls_take(from, datagram, sizeof datagram, &len)) {
        if (first == 0)
            memcpy(out, datagram, first = len);
        (void)agw_dtls_on_datagram(to, now, datagram, len);
    }
    AGW_ASSERT(first > 0);
    return first;
}

static void signs_flights(attack *a)
{
    own_flights *own = a->own = calloc(1, sizeof *own);
    const agw_ns now = a->world->now;
    AGW_ASSERT(own != NULL);
    for (size_t i = 0; i < OWN_FLIGHTS; i++) {
        agw_dtls_ctx *ctx = agw_dtls_ctx_new(agw_cert_new(), NULL);
        AGW_ASSERT(ctx != NULL);
        agw_dtls *server = agw_dtls_new(ctx, AGW_DTLS_SERVER, now);
        agw_dtls *client = agw_dtls_new(ctx, AGW_DTLS_CLIENT, now);
        AGW_ASSERT(server != NULL && client != NULL);
        agw_dtls_start(client, now);
        uint8_t *const kept = own->flights[i].data;
        (void)passes(client, server, now, kept);
        own->flights[i].len = passes(server, client, now, kept);
        if (!a->c->gateway_client)
            own->flights[i].len = passes(client, server, now, kept);
        agw_dtls_free(client);
        agw_dtls_free(server);
        agw_dtls_ctx_unref(ctx);
    }
}

/* Where the record at `at` ends; its message takes the next place, as behind a cookie, if asked. */
static size_t record_end(craft *c, size_t at, bool later)
{
    uint8_t *const r = c->data + at;
    if (later && r[0] == DTLS_HANDSHAKE && agw_get16(r + 3) == 0)
        agw_put16(r + RECORD_HEADER + 4, (uint16_t)(agw_get16(r + RECORD_HEADER + 4) + 1));
    return at + RECORD_HEADER + agw_get16(r + 11);
}

/* The whole of one, or one record of it. */
static void signed_flight(attack *a, uint64_t n)
{
    const own_flights *own = a->own;
    const uint64_t set = n / 8 % OWN_FLIGHTS, records = n % 8;
    size_t at = 0, from = 0;
    craft_clear(&a->packet);
    craft_add(&a->packet, own->flights[set].data, own->flights[set].len);
    for (uint64_t i = 0; at < a->packet.len && (records == 0 || i < records); i++) {
        from = records == 0 ? 0 : at;
        at = record_end(&a->packet, at, n / 64 % 2 != 0);
    }
    attack_send(a, a->packet.data + from, at - from);
}

typedef struct stranger {
    agw_dtls *dtls;
    uint8_t latest[AGW_DTLS_MTU];
    size_t latest_len;
} stranger;

/* Whatever the gateway answers to the stranger is one packet too many; he reads it all the same. */
static void stranger_takes(void *owner, const kit_datagram *d)
{
    attack *a = owner;
    stranger *s = a->own;
    a->bled++;
    if (s->dtls == NULL)
        return;
    (void)agw_dtls_on_datagram(s->dtls, a->world->now, d->data, d->len);
    if (agw_dtls_state_of(s->dtls) == AGW_DTLS_ESTABLISHED)
        attack_fail(a, "a stranger has completed the handshake");
}

static void stranger_comes(attack *a)
{
    a->own = calloc(1, sizeof(stranger));
    AGW_ASSERT(a->own != NULL);
    if (a->from == ATTACK_STRANGER)
        kit_wire_bind(a->world->wire, &a->stranger, stranger_takes, a);
}

static void stranger_knocks(attack *a, uint64_t n)
{
    stranger *s = a->own;
    if (n % STRANGER_TRIES == 0) {
        agw_dtls_free(s->dtls);
        s->dtls = agw_dtls_new(other_certificate(), AGW_DTLS_CLIENT, a->world->now);
        AGW_ASSERT(s->dtls != NULL);
        agw_dtls_start(s->dtls, a->world->now);
    }
    size_t len;
    if (agw_dtls_take(s->dtls, s->latest, sizeof s->latest, &len))
        s->latest_len = len;
    attack_send(a, s->latest, s->latest_len);
}

static void stranger_leaves(attack *a)
{
    const stranger *s = a->own;
    if (a->from == ATTACK_STRANGER)
        kit_wire_unbind(a->world->wire, &a->stranger);
    if (s != NULL)
        agw_dtls_free(s->dtls);
}

/* The browser's SDP named another certificate than the one it comes with. */
static void changes_certificate(attack *a)
{
    attack_browser(a)->config.dtls = other_certificate();
}

const attack_case ATTACK_DTLS_CASES[] = {
    {.name = "dtls-hello-null",
     .what = "ClientHello with TLS_NULL_WITH_NULL_NULL (CVE-2023-51275 and its kin)",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = hello_null},
    {.name = "dtls-hello",
     .what = "well-formed ClientHello, another one each time",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = hello_good},
    {.name = "dtls-hello-flood",
     .what = "100,000 of them a second",
     .when = ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .per_s = FLOOD,
     .fire = hello_good},
    {.name = "dtls-hello-cut",
     .what = "ClientHello cut at every length",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = hello_cut},
    {.name = "dtls-hello-fragments",
     .what = "fragments: incomplete, overlapping, contradicting, of 16 MB, far ahead",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = hello_fragments},
    {.name = "dtls-hello-version",
     .what = "ClientHello of DTLS 1.3, 0.9, TLS and nonsense",
     .when = ATTACK_DURING,
     .from = ATTACK_OUTSIDE,
     .fire = hello_version},
    {.name = "dtls-alert-fatal",
     .what = "fatal alerts, epoch 0",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = alert_fatal},
    {.name = "dtls-alert-goodbye",
     .what = "close_notify, epoch 0",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = alert_goodbye},
    {.name = "dtls-change-cipher",
     .what = "ChangeCipherSpec and a false Finished",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = change_cipher},
    {.name = "dtls-garbage",
     .what = "random records of every content type, one or twenty a datagram",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .fire = garbage},
    {.name = "dtls-record-length",
     .what = "records that say they are empty, or far longer than the datagram",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_OUTSIDE,
     .fire = record_length},
    {.name = "dtls-server-flight",
     .what = "HelloVerifyRequest and ServerHello to a gateway that is the client",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .gateway_client = true,
     .fire = server_flight},
    {.name = "dtls-server-flight-spoofed",
     .what = "the same from the browser's address",
     .when = ATTACK_DURING,
     .from = ATTACK_BROWSER,
     .gateway_client = true,
     .fire = server_flight},
    {.name = "dtls-server-flight-signed",
     .what = "ServerHello to ServerHelloDone, signed with other keys, whole and piece by piece",
     .when = ATTACK_DURING,
     .from = ATTACK_BROWSER,
     .gateway_client = true,
     .begin = signs_flights,
     .fire = signed_flight},
    {.name = "dtls-client-flight",
     .what = "Certificate, ClientKeyExchange, CertificateVerify of nobody",
     .when = ATTACK_DURING | ATTACK_AFTER,
     .from = ATTACK_STRANGER,
     .fire = client_flight},
    {.name = "dtls-client-flight-spoofed",
     .what = "the same from the browser's address, in the right places",
     .when = ATTACK_DURING,
     .from = ATTACK_BROWSER,
     .fire = client_flight},
    {.name = "dtls-client-flight-signed",
     .what = "Certificate to Finished, signed with other keys, whole and piece by piece",
     .when = ATTACK_DURING,
     .from = ATTACK_BROWSER,
     .begin = signs_flights,
     .fire = signed_flight},
    {.name = "dtls-alert-to-client",
     .what = "fatal alerts, epoch 0, to a gateway that is the client",
     .when = ATTACK_DURING,
     .from = ATTACK_OUTSIDE,
     .gateway_client = true,
     .fire = alert_fatal},
    {.name = "dtls-stranger",
     .what = "a whole handshake by somebody with a certificate of his own",
     .when = ATTACK_EVER,
     .from = ATTACK_OUTSIDE,
     .begin = stranger_comes,
     .fire = stranger_knocks,
     .end = stranger_leaves},
    {.name = "dtls-certificate",
     .what = "a peer with another certificate than its description names",
     .when = ATTACK_BEFORE,
     .from = ATTACK_PEER,
     .judged = ATTACK_NO_MEDIA,
     .begin = changes_certificate},
    {.name = "dtls-core",
     .what = "ClientHello to the core leg",
     .when = ATTACK_AFTER,
     .from = ATTACK_STRANGER | ATTACK_PHONE,
     .target = ATTACK_CORE,
     .fire = hello_good},
    {0},
};
