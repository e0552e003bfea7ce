/* SPDX-License-Identifier: BSD-3-Clause
 * Record and fragment filters, and messages put together from fragments. */
#include "dtls/assemble.h"

#include "unit.h"
#include "vectors/vector.h"

#include <string.h>

enum { LENGTH = 1413 };

static uint8_t MESSAGE[LENGTH]; /* written by fill() alone */

static void fill(void)
{
    for (size_t i = 0; i < LENGTH; i++)
        MESSAGE[i] = (uint8_t)(i * 7 + i / 256);
}

static agw_fragment piece(uint32_t offset, uint32_t len)
{
    return (agw_fragment){.type = 1,
                          .seq = 0,
                          .length = LENGTH,
                          .offset = offset,
                          .len = len,
                          .body = MESSAGE + offset};
}

/* How many whole messages come out now; *good counts those equal to MESSAGE. */
static int taken(agw_assembler *a, int *good)
{
    int n = 0;
    agw_fragment f;
    void *given;
    while (agw_assembler_take(a, &f, &given)) {
        n++;
        *good += f.length == LENGTH && f.len == LENGTH && memcmp(f.body, MESSAGE, LENGTH) == 0;
        free(given);
    }
    return n;
}

static void in_order_of(const agw_fragment *pieces, size_t n)
{
    agw_assembler a = {0};
    int good = 0;
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL(taken(&a, &good), 0);
        agw_assembler_add(&a, &pieces[i]);
    }
    CU_ASSERT_EQUAL(taken(&a, &good), 1);
    CU_ASSERT_EQUAL(good, 1);
    agw_assembler_clear(&a);
}

static void test_assemble_rfc6347_4_2_3_any_order_overlap_and_repetition(void)
{
    fill();
    const agw_fragment first = piece(0, 1175), second = piece(1175, LENGTH - 1175);
    const agw_fragment left = piece(0, 900), right = piece(600, LENGTH - 600);
    in_order_of((agw_fragment[]){first, second}, 2);
    in_order_of((agw_fragment[]){second, first}, 2);
    in_order_of((agw_fragment[]){first, first, second}, 3);
    in_order_of((agw_fragment[]){left, right}, 2);
    in_order_of((agw_fragment[]){piece(1, LENGTH - 1), piece(0, 1)}, 2);
    in_order_of((agw_fragment[]){piece(0, LENGTH - 1), piece(LENGTH - 1, 1)}, 2);
    in_order_of((agw_fragment[]){piece(0, LENGTH)}, 1);
}

static void test_assemble_contradicting_fragments_do_not_shut_the_message_out(void)
{
    fill();
    uint8_t forged[LENGTH];
    memset(forged, 0xEE, sizeof forged);
    agw_assembler a = {0};
    int good = 0;
    agw_fragment bad = piece(0, 1175), shorter = piece(0, 10);
    bad.body = shorter.body = forged;
    shorter.length = 20;
    agw_assembler_add(&a, &bad);
    agw_assembler_add(&a, &shorter);
    const agw_fragment first = piece(0, 1175), second = piece(1175, LENGTH - 1175);
    agw_assembler_add(&a, &first);
    agw_assembler_add(&a, &second); /* completes the forged one, too */
    CU_ASSERT_EQUAL(taken(&a, &good), 2);
    CU_ASSERT_EQUAL(good, 1);
    agw_assembler_clear(&a);
}

static void test_assemble_keeps_at_most_four_attempts_and_the_youngest(void)
{
    fill();
    agw_assembler a = {0};
    int good = 0;
    const agw_fragment first = piece(0, 1175), second = piece(1175, LENGTH - 1175);
    for (int gap = 3; gap <= 4; gap++) {
        agw_assembler_add(&a, &first);
        for (int i = 0; i < gap; i++) {
            agw_fragment other = piece(0, 1);
            other.seq = (uint16_t)(i + 1);
            agw_assembler_add(&a, &other);
        }
        agw_assembler_add(&a, &second);
        CU_ASSERT_EQUAL(taken(&a, &good), gap == 3 ? 1 : 0);
        agw_assembler_clear(&a);
    }
    CU_ASSERT_EQUAL(good, 1);
}

static agw_dtls_drop record_of(const uint8_t *buf, size_t len, size_t *at)
{
    uint8_t *copy = must(malloc(len > 0 ? len : 1));
    memcpy(copy, buf, len);
    agw_record r;
    *at = 0;
    const agw_dtls_drop drop = agw_record_next(copy, len, at, &r);
    CU_ASSERT_TRUE(*at <= len);
    free(copy);
    return drop;
}

static void test_record_rfc6347_4_1_headers_are_checked(void)
{
    const uint8_t good[] = {22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2};
    uint8_t bad[sizeof good];
    size_t at;
    CU_ASSERT_EQUAL(record_of(good, sizeof good, &at), AGW_DTLS_DROP_NONE);
    CU_ASSERT_EQUAL(at, sizeof good);
    for (size_t len = 0; len < sizeof good; len++)
        CU_ASSERT_EQUAL(record_of(good, len, &at), AGW_DTLS_DROP_LENGTH);
    static const struct {
        size_t at;
        uint8_t value;
        agw_dtls_drop drop;
    } TABLE[] = {
        {0, 19, AGW_DTLS_DROP_TYPE},      {0, 20, AGW_DTLS_DROP_NONE},
        {0, 25, AGW_DTLS_DROP_NONE},      {0, 26, AGW_DTLS_DROP_TYPE},
        {1, 3, AGW_DTLS_DROP_VERSION},    {2, 0xFC, AGW_DTLS_DROP_VERSION},
        {2, 0xFE, AGW_DTLS_DROP_VERSION}, {2, 0xFF, AGW_DTLS_DROP_NONE},
        {12, 0, AGW_DTLS_DROP_LENGTH},    {12, 3, AGW_DTLS_DROP_LENGTH},
        {12, 1, AGW_DTLS_DROP_NONE},      {11, 0x40, AGW_DTLS_DROP_LENGTH},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        memcpy(bad, good, sizeof good);
        bad[TABLE[i].at] = TABLE[i].value;
        CU_ASSERT_EQUAL(record_of(bad, sizeof bad, &at), TABLE[i].drop);
    }
}

static bool cookie; /* the client was asked for one */

static agw_dtls_drop fragment_of(agw_dtls_role role, uint8_t type, uint8_t seq, uint32_t length,
                                 uint32_t offset, uint32_t len, size_t present)
{
    uint8_t *body = must(calloc(1, AGW_HANDSHAKE_HEADER + present));
    const uint8_t head[AGW_HANDSHAKE_HEADER] = {type,
                                                (uint8_t)(length >> 16),
                                                (uint8_t)(length >> 8),
                                                (uint8_t)length,
                                                0,
                                                seq,
                                                (uint8_t)(offset >> 16),
                                                (uint8_t)(offset >> 8),
                                                (uint8_t)offset,
                                                (uint8_t)(len >> 16),
                                                (uint8_t)(len >> 8),
                                                (uint8_t)len};
    memcpy(body, head, sizeof head);
    const agw_record r = {.type = 22, .body = body, .len = AGW_HANDSHAKE_HEADER + present};
    agw_fragment f;
    size_t at = 0;
    const agw_dtls_drop drop = agw_fragment_next(&r, role, cookie, &at, &f);
    CU_ASSERT_TRUE(at <= r.len);
    free(body);
    return drop;
}

static void test_record_rfc6347_4_2_2_fragments_are_checked(void)
{
    const agw_dtls_drop BAD = AGW_DTLS_DROP_HANDSHAKE, GOOD = AGW_DTLS_DROP_NONE;
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 0, 42, 42), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 41, 0, 41, 41), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 0, 42, 41), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 1, 42, 42), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 41, 1, 1), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 43, 1, 1), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 0, 0, 0), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 1, 42, 0, 42, 42), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, AGW_HANDSHAKE_MAX, 0, 9, 9), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, AGW_HANDSHAKE_MAX + 1, 0, 9, 9), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 2, 0, 42, 0, 42, 42), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 0, 0, 0, 0, 0, 0), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 16, 2, 33, 0, 33, 33), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 16, 1, 33, 0, 33, 33), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_CLIENT, 2, 0, 42, 0, 42, 42), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_CLIENT, 1, 0, 42, 0, 42, 42), BAD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_CLIENT, 14, 4, 0, 0, 0, 0), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_CLIENT, 14, 4, 1, 0, 1, 1), BAD);
    const agw_record tiny = {.type = 22, .body = MESSAGE, .len = AGW_HANDSHAKE_HEADER - 1};
    agw_fragment f;
    size_t at = 0;
    CU_ASSERT_EQUAL(agw_fragment_next(&tiny, AGW_DTLS_SERVER, false, &at, &f), BAD);
}

static void test_record_rfc6347_4_2_1_a_cookie_moves_the_clients_messages(void)
{
    const agw_dtls_drop BAD = AGW_DTLS_DROP_HANDSHAKE, GOOD = AGW_DTLS_DROP_NONE;
    cookie = true;
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 0, 42, 0, 42, 42), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 1, 42, 0, 42, 42), GOOD);
    CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, 1, 2, 42, 0, 42, 42), BAD);
    for (uint8_t i = 0; i < 3; i++) {
        static const uint8_t TYPES[] = {11, 16, 15};
        CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, TYPES[i], i + 1, 33, 0, 33, 33), BAD);
        CU_ASSERT_EQUAL(fragment_of(AGW_DTLS_SERVER, TYPES[i], i + 2, 33, 0, 33, 33), GOOD);
    }
    cookie = false;
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_assemble_rfc6347_4_2_3_any_order_overlap_and_repetition),
    AGW_CASE(test_assemble_contradicting_fragments_do_not_shut_the_message_out),
    AGW_CASE(test_assemble_keeps_at_most_four_attempts_and_the_youngest),
    AGW_CASE(test_record_rfc6347_4_1_headers_are_checked),
    AGW_CASE(test_record_rfc6347_4_2_2_fragments_are_checked),
    AGW_CASE(test_record_rfc6347_4_2_1_a_cookie_moves_the_clients_messages),
};
AGW_UNIT_MAIN("assemble", CASES)
