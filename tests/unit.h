/* SPDX-License-Identifier: BSD-3-Clause
 * CUnit with one way to list the tests of a file and one exit status. */
#ifndef AGW_TESTS_UNIT_H
#define AGW_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct agw_unit_case {
    const char *name;
    CU_TestFunc run;
} agw_unit_case;

#define AGW_CASE(fn)                                                                               \
    {                                                                                              \
#fn, fn                                                                                    \
    }

/** Runs every case; the last line is "N passed, N failed, 0 skipped". */
static inline int agw_unit_run(const char *suite, const agw_unit_case *cases, size_t n)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite s = CU_add_suite(suite, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        if (s == NULL || CU_add_test(s, cases[i].name, cases[i].run) == NULL)
            return 2;
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    const unsigned failed = CU_get_number_of_tests_failed();
    const unsigned run = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    printf("%u passed, %u failed, 0 skipped\n", run - failed, failed + (unsigned)(n - run));
    return failed != 0 || run != n;
}

#define AGW_UNIT_MAIN(suite, cases)                                                                \
    int main(void)                                                                                 \
    {                                                                                              \
        return agw_unit_run(suite, cases, sizeof(cases) / sizeof((cases)[0]));                     \
    }

#endif
