/* SPDX-License-Identifier: BSD-3-Clause
 * The table of a command line: each kind of value, and what is none. */
#include "bench/kit/options.h"

#include "unit.h"

#include <string.h>

typedef struct sample {
    unsigned count;
    double number;
    agw_ns seconds, micros;
    const char *text;
    agw_addr address;
    char own[8];
} sample;

static bool take_own(void *options, const char *value)
{
    sample *s = options;
    snprintf(s->own, sizeof s->own, "%s", value);
    return strcmp(value, "red") == 0 || strcmp(value, "green") == 0;
}

#define ROW(name, kind, field) KIT_OPTION_ROW(name, kind, sample, field, "help")
static const kit_option_row ROWS[] = {
    ROW("count", COUNT, count),
    ROW("number", NUMBER, number),
    ROW("seconds", SECONDS, seconds),
    ROW("micros", MICROSECONDS, micros),
    ROW("text", TEXT, text),
    ROW("address", ADDRESS, address),
    KIT_OPTION_ROW_OWN("own", take_own, "help"),
};
static const kit_option_list LIST = {"test", ROWS, sizeof ROWS / sizeof ROWS[0]};

static bool reads(sample *s, char *arg)
{
    kit_world_config world = {.interface = NULL};
    char *argv[] = {arg};
    return kit_option_list_read(&LIST, s, &world, 0, 1, argv);
}

static void test_options_every_kind_reaches_its_field(void)
{
    char args[][32] = {"--count=7",   "--number=0.5",         "--seconds=0.25", "--micros=1.5",
                       "--text=word", "--address=10.0.0.1:5", "--own=green"};
    sample s = {.count = 0};
    for (size_t i = 0; i < sizeof args / sizeof args[0]; i++)
        CU_ASSERT_TRUE(reads(&s, args[i]));
    CU_ASSERT_EQUAL(s.count, 7);
    CU_ASSERT_EQUAL(s.number, 0.5);
    CU_ASSERT_EQUAL(s.seconds, AGW_MS(250));
    CU_ASSERT_EQUAL(s.micros, 1500);
    CU_ASSERT_STRING_EQUAL(s.text, "word");
    CU_ASSERT_EQUAL(s.address.port, 5);
    CU_ASSERT_STRING_EQUAL(s.own, "green");
}

static void test_options_what_is_no_value_is_refused(void)
{
    char args[][32] = {"--count=1.5", "--count=-1",   "--count=", "--count=4294967296",
                       "--count=5x",  "--number=nan", "--text=",  "--address=10.0.0.1.2",
                       "--own=blue",  "--count",      "count=5",  "--unknown=1",
                       "--coun=1",    "--counts=1",   "--seconds"};
    for (size_t i = 0; i < sizeof args / sizeof args[0]; i++) {
        sample s = {.count = 0};
        if (reads(&s, args[i]))
            fprintf(stderr, "%s was taken\n", args[i]);
        CU_ASSERT_FALSE(reads(&s, args[i]));
    }
}

static void test_options_common_ones_are_the_worlds(void)
{
    sample s = {.count = 0};
    kit_world_config world = {.interface = NULL};
    char interface[] = "--interface=eth7", spin[] = "--spin", skipped[] = "?";
    char *argv[] = {skipped, interface, spin};
    CU_ASSERT_TRUE(kit_option_list_read(&LIST, &s, &world, 1, 3, argv));
    CU_ASSERT_STRING_EQUAL(world.interface, "eth7");
    CU_ASSERT_TRUE(world.spin);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_options_every_kind_reaches_its_field),
    AGW_CASE(test_options_what_is_no_value_is_refused),
    AGW_CASE(test_options_common_ones_are_the_worlds),
};

AGW_UNIT_MAIN("kit options", cases)
