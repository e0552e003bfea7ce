/* SPDX-License-Identifier: BSD-3-Clause
 * Unprotecting foreign bytes: suite and operation from the first byte, then the packet; with bit 7
 * set the packet is protected by the same key first and damaged after it, so that the fuzzer gets
 * behind the tag.
 *
 * With bit 5 set the rest is a batch of RTP packets of all suites, which must come out the same on
 * every engine and one by one. A packet: suite (and bit 7: protect it first, bit 6: the one before
 * it once more), its length, where to damage it, its bytes. */
#include "base/wire.h"
#include "srtp/batch.h"

#include <stdlib.h>
#include <string.h>

enum { LANES = 3, BATCH_MAX = 80, PACKET_HEAD = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static agw_srtp_session *session(agw_srtp_engine *e, agw_srtp_suite suite, bool egress)
{
    const uint8_t key[AGW_SRTP_KEY_MAX] = {1, 2, 3};
    const agw_srtp_suite_info *info = agw_srtp_suite_get(suite);
    agw_srtp_session *s =
        agw_srtp_session_new_on(e, suite, key, info->key_len + info->salt_len, egress);
    AGW_ASSERT(s != NULL);
    return s;
}

static agw_srtp_suite suite_of(uint8_t byte)
{
    return (agw_srtp_suite)(1 + byte % (AGW_SRTP_SUITES - 1));
}

/* --- one packet --------------------------------------------------------------------------------
 */

/* In memory of exactly the right size. */
static void unprotect(agw_srtp_session *rx, const uint8_t *data, size_t len, bool rtcp)
{
    uint8_t *buf = malloc(len > 0 ? len : 1);
    AGW_ASSERT(buf != NULL);
    memcpy(buf, data, len);
    size_t n = len;
    const agw_err err =
        rtcp ? agw_srtp_unprotect_rtcp(rx, buf, &n) : agw_srtp_unprotect(rx, buf, &n);
    AGW_ASSERT(err != AGW_OK || n < len);
    free(buf);
}

static void one_packet(const uint8_t *data, size_t size)
{
    const bool rtcp = data[0] & 0x40, sign = data[0] & 0x80;
    agw_srtp_session *rx = session(NULL, suite_of(data[0]), false),
                     *tx = session(NULL, suite_of(data[0]), true);
    uint8_t pkt[1600];
    size_t len = size - 3;
    memcpy(pkt, data + 3, len);
    if (sign) {
        const agw_err err = rtcp ? agw_srtp_protect_rtcp(tx, pkt, &len, AGW_SRTP_TRAILER_MAX)
                                 : agw_srtp_protect(tx, pkt, &len, AGW_SRTP_TRAILER_MAX);
        if (err == AGW_OK && agw_get16(data + 1) < len)
            pkt[agw_get16(data + 1)] ^= 0x10;
    }
    unprotect(rx, pkt, len, rtcp);
    unprotect(rx, pkt, len, rtcp); /* again: replay */
    agw_srtp_session_free(rx);
    agw_srtp_session_free(tx);
}

/* --- a batch -----------------------------------------------------------------------------------
 */

/* The same packets, each lane in its own way: engine, OpenSSL, one by one. */
typedef struct lane {
    agw_srtp_engine *engine;
    bool alone;
    agw_srtp_session *tx[AGW_SRTP_SUITES], *rx[AGW_SRTP_SUITES];
    agw_srtp_op ops[BATCH_MAX];
    size_t n;
} lane;

static agw_srtp_session *lane_session(lane *l, agw_srtp_suite suite, bool egress)
{
    agw_srtp_session **s = egress ? &l->tx[suite] : &l->rx[suite];
    if (*s == NULL)
        *s = session(l->engine, suite, egress);
    return *s;
}

/* room: just what the tag needs, behind a packet in memory of exactly the right size. */
static void lane_add(lane *l, agw_srtp_suite suite, const uint8_t *data, size_t len, bool egress)
{
    const size_t room = egress ? agw_srtp_suite_get(suite)->rtp_tag_len : 0;
    uint8_t *buf = malloc(len + room > 0 ? len + room : 1);
    AGW_ASSERT(buf != NULL);
    memcpy(buf, data, len);
    l->ops[l->n] = (agw_srtp_op){
        .session = lane_session(l, suite, egress), .data = buf, .len = len, .room = room};
    l->n++;
}

static void lane_run(lane *l, void (*run)(agw_srtp_engine *e, agw_srtp_op ops[], size_t n))
{
    const size_t step = l->alone ? 1 : l->n;
    for (size_t at = 0; at < l->n; at += step)
        run(l->engine, l->ops + at, step);
}

static void lane_clear(lane *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->ops[i].data);
    l->n = 0;
}

static void lane_close(lane *l)
{
    lane_clear(l);
    for (size_t i = 0; i < AGW_SRTP_SUITES; i++) {
        agw_srtp_session_free(l->tx[i]);
        agw_srtp_session_free(l->rx[i]);
    }
}

static void must_agree(const lane *a, const lane *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const agw_srtp_op *x = &a->ops[i], *y = &b->ops[i];
        AGW_ASSERT(x->err == y->err && x->len == y->len);
        AGW_ASSERT(x->err != AGW_OK || memcmp(x->data, y->data, x->len) == 0);
    }
}

typedef struct piece {
    agw_srtp_suite suite;
    bool sign;
    uint8_t damage_at;
    uint8_t data[255 + AGW_SRTP_TRAILER_MAX];
    size_t len;
} piece;

static size_t cut(piece pieces[BATCH_MAX], const uint8_t *data, size_t size)
{
    size_t n = 0;
    for (size_t at = 0; n < BATCH_MAX && size - at >= PACKET_HEAD; n++) {
        const uint8_t *head = data + at;
        const size_t left = size - at - PACKET_HEAD;
        piece *p = &pieces[n];
        at += PACKET_HEAD;
        if ((head[0] & 0x40) && n > 0) {
            *p = pieces[n - 1];
            continue;
        }
        p->suite = suite_of(head[0]);
        p->sign = head[0] & 0x80;
        p->len = head[1] < left ? head[1] : left;
        p->damage_at = head[2];
        memcpy(p->data, data + at, p->len);
        at += p->len;
    }
    return n;
}

static void protect_all(lane lanes[LANES], piece pieces[BATCH_MAX], size_t n)
{
    piece *signed_ones[BATCH_MAX];
    size_t n_signed = 0;
    for (size_t i = 0; i < n; i++) {
        if (!pieces[i].sign)
            continue;
        signed_ones[n_signed] = &pieces[i];
        n_signed++;
        for (size_t k = 0; k < LANES; k++)
            lane_add(&lanes[k], pieces[i].suite, pieces[i].data, pieces[i].len, true);
    }
    for (size_t k = 0; k < LANES; k++)
        lane_run(&lanes[k], agw_srtp_batch_protect);
    must_agree(&lanes[0], &lanes[1]);
    must_agree(&lanes[0], &lanes[2]);
    for (size_t i = 0; i < n_signed; i++) {
        const agw_srtp_op *op = &lanes[0].ops[i];
        signed_ones[i]->len = op->len;
        if (op->err == AGW_OK)
            memcpy(signed_ones[i]->data, op->data, op->len);
    }
    for (size_t k = 0; k < LANES; k++)
        lane_clear(&lanes[k]);
}

static void unprotect_all(lane lanes[LANES], piece pieces[BATCH_MAX], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        piece *p = &pieces[i];
        if (p->damage_at < p->len)
            p->data[p->damage_at] ^= 0x10;
        for (size_t k = 0; k < LANES; k++)
            lane_add(&lanes[k], p->suite, p->data, p->len, false);
    }
    for (size_t k = 0; k < LANES; k++)
        lane_run(&lanes[k], agw_srtp_batch_unprotect);
    must_agree(&lanes[0], &lanes[1]);
    must_agree(&lanes[0], &lanes[2]);
}

static void batch(agw_srtp_engine *engine, const uint8_t *data, size_t size)
{
    static piece pieces[BATCH_MAX];
    static lane lanes[LANES];
    const size_t n = cut(pieces, data, size);
    memset(lanes, 0, sizeof lanes);
    lanes[0].engine = engine;
    lanes[2].alone = true;
    protect_all(lanes, pieces, n);
    unprotect_all(lanes, pieces, n);
    for (size_t k = 0; k < LANES; k++)
        lane_close(&lanes[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    static agw_srtp_engine *engine;
    if (!started)
        engine = agw_srtp_engine_new();
    started = true;
    if (size < 3)
        return 0;
    if (data[0] & 0x20)
        batch(engine, data + 1, size - 1);
    else if (size <= 1500)
        one_packet(data, size);
    return 0;
}
