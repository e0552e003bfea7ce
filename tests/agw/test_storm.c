/* SPDX-License-Identifier: BSD-3-Clause
 * Random legal and illegal events on a worker, on virtual time; tests/agw/storm.h knows what must
 * never happen. */
#include "base/rand.h"
#include "tests/agw/storm.h"
#include "unit.h"

enum { STORMS = 60, BYTES = 20000 };

static const uint32_t AGAIN = 0; /* a printed seed, to see a storm once more; 0 = a new one */

/* splitmix32: any seed is good, and the row is the same everywhere. */
static uint32_t next_random(uint32_t *state)
{
    *state += 0x9e3779b9u;
    uint32_t z = *state;
    z = (z ^ z >> 16) * 0x21f0aaadu;
    z = (z ^ z >> 15) * 0x735a2d97u;
    return z ^ z >> 15;
}

static void test_storm_media_never_goes_astray(void)
{
    static uint8_t bytes[BYTES];
    for (int i = 0; i < (AGAIN != 0 ? 1 : STORMS); i++) {
        const uint32_t seed = AGAIN != 0 ? AGAIN : agw_rand32();
        uint32_t state = seed;
        printf("storm seed %u\n", seed);
        fflush(stdout);
        for (size_t k = 0; k < BYTES; k++)
            bytes[k] = (uint8_t)next_random(&state);
        storm_run(bytes, BYTES);
    }
    CU_PASS("no promise was broken");
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_storm_media_never_goes_astray),
};

AGW_UNIT_MAIN("storm", cases)
