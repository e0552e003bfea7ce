/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/flight.h"

#include "base/wire.h"
#include "dtls/proof.h"

#include <stdlib.h>
#include <string.h>

enum {
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_HELLO_DONE = 14,
    CERTIFICATE_VERIFY = 15,
    CLIENT_KEY_EXCHANGE = 16,

    SIGNED = 3,  /* the first places: what the signature proves */
    REQUEST = 3, /* place of CertificateRequest, which it does not */

    CHECKS_PER_S = 1000, /* of either kind; 90 us each with P-256 */
    CHECK = 1000000,
    FULL = 128 * CHECK,
    RESERVE = 96 * CHECK, /* from here on one mixture a datagram is tried, the newest */
};

static const struct {
    uint8_t type;
    uint16_t min, max; /* of the body */
} PLACES[2][AGW_FLIGHT_PLACES] = {
    [AGW_DTLS_SERVER] = {{CERTIFICATE, 3, AGW_HANDSHAKE_MAX},
                         {CLIENT_KEY_EXCHANGE, 1 + 32, 1 + 133},
                         {CERTIFICATE_VERIFY, 4 + 8, 4 + 1024}},
    [AGW_DTLS_CLIENT] = {{SERVER_HELLO, 38, 1024},
                         {CERTIFICATE, 3, AGW_HANDSHAKE_MAX},
                         {SERVER_KEY_EXCHANGE, 4 + 32 + 4 + 8, 4 + 133 + 4 + 1024},
                         {CERTIFICATE_REQUEST, 5, AGW_HANDSHAKE_MAX},
                         {SERVER_HELLO_DONE, 0, 0}},
};

/* --- keeping -----------------------------------------------------------------------------------
 */

static void forget(agw_flight_message *m)
{
    free(m->bytes);
    *m = (agw_flight_message){0};
}

static void forget_place(agw_flight *f, size_t place)
{
    for (size_t i = 0; i < AGW_FLIGHT_KEPT; i++)
        forget(&f->places[place][i]);
}

void agw_flight_clear(agw_flight *f)
{
    for (size_t place = 0; place < AGW_FLIGHT_PLACES; place++)
        forget_place(f, place);
    free(f->signed_before);
    f->signed_before = NULL;
    f->signed_before_len = 0;
    f->open = f->given = f->proven = false;
}

void agw_flight_begin(agw_flight *f, agw_dtls_role role, bool later)
{
    agw_flight_clear(f);
    f->role = role;
    f->first_seq = (uint16_t)((role == AGW_DTLS_SERVER ? 1 : 0) + (later ? 1 : 0));
    f->open = true;
}

void agw_flight_next_datagram(agw_flight *f)
{
    f->datagram++;
    f->is_false = false;
}

static void write_header(uint8_t *out, const agw_fragment *message)
{
    out[0] = message->type;
    agw_put24(out + 1, message->length);
    agw_put16(out + 4, message->seq);
    agw_put24(out + 6, 0);
    agw_put24(out + 9, message->length);
}

static void sign_over(agw_flight *f, const uint8_t *data, size_t len)
{
    uint8_t *longer = realloc(f->signed_before, f->signed_before_len + len);
    if (longer == NULL) {
        f->open = false; /* nothing can be proven any more: the peer's next hello begins anew */
        return;
    }
    if (len > 0)
        memcpy(longer + f->signed_before_len, data, len);
    f->signed_before = longer;
    f->signed_before_len += len;
}

void agw_flight_sent_random(agw_flight *f, const uint8_t random[AGW_FLIGHT_RANDOM])
{
    sign_over(f, random, AGW_FLIGHT_RANDOM);
}

/* A message is signed as if it had travelled in one piece (RFC 6347 section 4.2.6). */
void agw_flight_took_hello(agw_flight *f, const agw_fragment *hello)
{
    uint8_t header[AGW_HANDSHAKE_HEADER];
    if (hello->offset == 0) {
        write_header(header, hello);
        sign_over(f, header, sizeof header);
    }
    sign_over(f, hello->body, hello->len);
}

void agw_flight_sent(agw_flight *f, const uint8_t *datagram, size_t len)
{
    agw_record record;
    for (size_t at = 0; at < len;) {
        if (agw_record_next(datagram, len, &at, &record) != AGW_DTLS_DROP_NONE)
            return;
        for (size_t in = 0; in < record.len;) {
            agw_fragment piece;
            if (agw_fragment_next(&record, AGW_DTLS_CLIENT, f->first_seq > 1, &in, &piece) ==
                AGW_DTLS_DROP_NONE)
                agw_flight_took_hello(f, &piece);
        }
    }
}

/* What comes with a signed message that is not the proven one is of the same author. */
static agw_dtls_drop on_proven(agw_flight *f, size_t place, const agw_fragment *message)
{
    const agw_flight_message *m = f->places[place];
    f->is_false = m->len != AGW_HANDSHAKE_HEADER + (size_t)message->length ||
                  memcmp(m->bytes + AGW_HANDSHAKE_HEADER, message->body, message->length) != 0;
    return AGW_DTLS_DROP_EPOCH;
}

agw_dtls_drop agw_flight_add(agw_flight *f, const agw_fragment *message)
{
    const size_t place = (size_t)message->seq - f->first_seq;
    if (!f->open || f->is_false)
        return AGW_DTLS_DROP_EPOCH;
    if (message->seq < f->first_seq || place >= AGW_FLIGHT_PLACES ||
        PLACES[f->role][place].type != message->type ||
        message->length < PLACES[f->role][place].min ||
        message->length > PLACES[f->role][place].max)
        return AGW_DTLS_DROP_HANDSHAKE;
    if (message->type == CERTIFICATE && message->length == 3)
        return AGW_DTLS_DROP_CERTIFICATE;
    if (f->proven && place < SIGNED)
        return on_proven(f, place, message);
    agw_flight_message m = {.bytes = malloc(AGW_HANDSHAKE_HEADER + (size_t)message->length),
                            .len = AGW_HANDSHAKE_HEADER + (size_t)message->length,
                            .datagram = f->datagram};
    if (m.bytes == NULL)
        return AGW_DTLS_DROP_STATE;
    write_header(m.bytes, message);
    if (message->length > 0)
        memcpy(m.bytes + AGW_HANDSHAKE_HEADER, message->body, message->length);
    agw_flight_message *const kept = f->places[place];
    forget(&kept[AGW_FLIGHT_KEPT - 1]);
    memmove(kept + 1, kept, (AGW_FLIGHT_KEPT - 1) * sizeof *kept);
    kept[0] = m;
    return AGW_DTLS_DROP_NONE;
}

/* --- the flight --------------------------------------------------------------------------------
 */

static agw_slice body_of(const agw_flight_message *m)
{
    return (agw_slice){m->bytes + AGW_HANDSHAKE_HEADER, m->len - AGW_HANDSHAKE_HEADER};
}

/* What is signed, in three parts, and the signature behind it. false: this cannot be a flight. */
static bool signed_parts(const agw_flight *f, agw_flight_message *const set[SIGNED],
                         agw_slice parts[3], agw_slice *signature)
{
    const agw_slice last = body_of(set[2]);
    parts[0] = (agw_slice){f->signed_before, f->signed_before_len};
    if (f->role == AGW_DTLS_SERVER) {
        parts[1] = (agw_slice){set[0]->bytes, set[0]->len};
        parts[2] = (agw_slice){set[1]->bytes, set[1]->len};
        *signature = last;
        return true;
    }
    const size_t params = 4 + (size_t)last.data[3]; /* named curve (3), public key */
    if (last.data[0] != 3 || params > last.len)
        return false;
    parts[1] = (agw_slice){body_of(set[0]).data + 2, AGW_FLIGHT_RANDOM};
    parts[2] = (agw_slice){last.data, params};
    *signature = (agw_slice){last.data + params, last.len - params};
    return true;
}

static bool verify(const agw_proof *proof, const agw_slice parts[3], int *price)
{
    size_t len = 0;
    uint8_t *text = malloc(parts[0].len + parts[1].len + parts[2].len);
    for (size_t i = 0; i < 3 && text != NULL; len += parts[i++].len)
        memcpy(text + len, parts[i].data, parts[i].len);
    const bool ok = text != NULL && agw_proof_verify(proof, (agw_slice){text, len}, price);
    free(text);
    return ok;
}

static bool may_check(agw_flight_budget *budget, agw_ns now, int64_t reserve)
{
    const int64_t gained = budget->at == 0 ? FULL : (now - budget->at) / 1000 * CHECKS_PER_S;
    if (gained > 0) {
        budget->left = gained < FULL - budget->left ? budget->left + gained : FULL;
        budget->at = now;
    }
    if (budget->left <= reserve)
        return false;
    budget->left -= CHECK;
    return true;
}

/* What is cheap to see comes first. */
static bool proves(const agw_flight *f, agw_ns now, agw_flight_message *const set[SIGNED],
                   agw_flight_budget *budget, int64_t reserve)
{
    const agw_flight_message *certificate = set[f->role == AGW_DTLS_SERVER ? 0 : 1];
    agw_slice parts[3], signature;
    agw_proof proof;
    int price = 1;
    if (!signed_parts(f, set, parts, &signature) ||
        !agw_proof_parse(&proof, body_of(certificate), signature) ||
        !may_check(budget, now, reserve))
        return false;
    const bool ok = verify(&proof, parts, &price);
    budget->left -= (int64_t)(price - 1) * CHECK; /* may become a debt */
    return ok;
}

static bool is_new(const agw_flight *f, const agw_flight_message *m)
{
    return m->bytes != NULL && m->datagram == f->datagram;
}

static void forget_at(agw_flight *f, size_t place, size_t i)
{
    agw_flight_message *const kept = f->places[place];
    forget(&kept[i]);
    memmove(kept + i, kept + i + 1, (AGW_FLIGHT_KEPT - 1 - i) * sizeof *kept);
    kept[AGW_FLIGHT_KEPT - 1] = (agw_flight_message){0};
}

/* Only these are left in their places, and what came with the last of them. */
static void settle(agw_flight *f, agw_flight_message *const set[SIGNED])
{
    const uint32_t datagram = set[SIGNED - 1]->datagram;
    for (size_t place = 0; place < SIGNED; place++) {
        const agw_flight_message chosen = *set[place];
        set[place]->bytes = NULL;
        forget_place(f, place);
        f->places[place][0] = chosen;
    }
    for (size_t place = SIGNED; place < AGW_FLIGHT_PLACES; place++) {
        for (size_t i = AGW_FLIGHT_KEPT; i-- > 0;) {
            if (f->places[place][i].datagram != datagram)
                forget_at(f, place, i);
        }
    }
    f->proven = true;
}

static bool try_mixtures(agw_flight *f, agw_ns now)
{
    int64_t reserve = 0;
    for (unsigned n = 0; n < AGW_FLIGHT_KEPT * AGW_FLIGHT_KEPT * AGW_FLIGHT_KEPT; n++) {
        agw_flight_message *const set[SIGNED] = {
            &f->places[0][n / AGW_FLIGHT_KEPT / AGW_FLIGHT_KEPT],
            &f->places[1][n / AGW_FLIGHT_KEPT % AGW_FLIGHT_KEPT],
            &f->places[2][n % AGW_FLIGHT_KEPT],
        };
        if (set[0]->bytes == NULL || set[1]->bytes == NULL || set[2]->bytes == NULL ||
            (!is_new(f, set[0]) && !is_new(f, set[1]) && !is_new(f, set[2])))
            continue;
        if (proves(f, now, set, &f->mixed, reserve)) {
            settle(f, set);
            return true;
        }
        reserve = RESERVE;
    }
    return false;
}

static bool try_alone(agw_flight *f, agw_ns now)
{
    agw_flight_message *const set[SIGNED] = {f->places[0], f->places[1], f->places[2]};
    if (proves(f, now, set, &f->alone, 0)) {
        settle(f, set);
        return true;
    }
    for (size_t place = 0; place < AGW_FLIGHT_PLACES; place++) {
        while (is_new(f, &f->places[place][0]))
            forget_at(f, place, 0);
    }
    return false;
}

/* Nothing signs a CertificateRequest: the one that came with the proven key is believed, else one
 * that no other contradicts. NULL: the peer has to repeat it. */
static const agw_flight_message *request_of(agw_flight *f)
{
    agw_flight_message *const kept = f->places[REQUEST];
    bool same = true;
    for (size_t i = 0; i < AGW_FLIGHT_KEPT && kept[i].bytes != NULL; i++) {
        if (kept[i].datagram == f->places[SIGNED - 1][0].datagram)
            return &kept[i];
        same = same && kept[i].len == kept[0].len &&
               memcmp(kept[i].bytes, kept[0].bytes, kept[0].len) == 0;
    }
    if (!same)
        forget_place(f, REQUEST);
    return kept[0].bytes != NULL ? kept : NULL;
}

static size_t whole_set(agw_flight *f, agw_fragment set[AGW_FLIGHT_PLACES])
{
    const size_t n = f->role == AGW_DTLS_SERVER ? SIGNED : AGW_FLIGHT_PLACES;
    for (size_t place = 0; place < n; place++) {
        const agw_flight_message *m = place == REQUEST ? request_of(f) : f->places[place];
        if (m == NULL || m->bytes == NULL)
            return 0;
        const agw_slice body = body_of(m);
        set[place] = (agw_fragment){.type = m->bytes[0],
                                    .seq = agw_get16(m->bytes + 4),
                                    .length = (uint32_t)body.len,
                                    .len = (uint32_t)body.len,
                                    .body = body.data};
    }
    return n;
}

agw_dtls_drop agw_flight_prove(agw_flight *f, agw_ns now, agw_fragment set[AGW_FLIGHT_PLACES],
                               size_t *n)
{
    unsigned fresh = 0, missing = 0;
    *n = 0;
    for (size_t place = 0; place < SIGNED; place++) {
        fresh += is_new(f, &f->places[place][0]);
        missing += f->places[place][0].bytes == NULL;
    }
    if (!f->open)
        return AGW_DTLS_DROP_NONE;
    if (!f->proven && (fresh == 0 || missing > 0))
        return AGW_DTLS_DROP_NONE;
    if (!f->proven && !(fresh == SIGNED ? try_alone(f, now) : try_mixtures(f, now)))
        return AGW_DTLS_DROP_PROOF;
    *n = whole_set(f, set);
    if (*n > 0) {
        f->open = false;
        f->given = true;
    }
    return AGW_DTLS_DROP_NONE;
}
