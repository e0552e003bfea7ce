/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/options.h"

#include <stdlib.h>
#include <string.h>

static bool take_number(kit_value kind, void *field, const char *value)
{
    char *end;
    const double number = strtod(value, &end);
    if (end == value || *end != '\0' || !(number >= 0 && number <= INT32_MAX))
        return false;
    const uint32_t count = (uint32_t)number;
    const agw_ns time = (agw_ns)(number * (kind == KIT_VALUE_SECONDS ? 1e9 : 1e3));
    if (kind == KIT_VALUE_COUNT)
        memcpy(field, &count, sizeof count);
    else if (kind == KIT_VALUE_NUMBER)
        memcpy(field, &number, sizeof number);
    else
        memcpy(field, &time, sizeof time);
    return kind != KIT_VALUE_COUNT || number == count;
}

static bool take_value(const kit_option_row *row, void *options, const char *value)
{
    uint8_t *field = (uint8_t *)options + row->at;
    switch (row->kind) {
    case KIT_VALUE_OWN:
        return row->take(options, value);
    case KIT_VALUE_ADDRESS:
        return agw_addr_parse((agw_addr *)(void *)field, value) == AGW_OK;
    case KIT_VALUE_TEXT:
        memcpy(field, &value, sizeof value);
        return *value != '\0';
    default:
        return take_number(row->kind, field, value);
    }
}

static bool take(const kit_option_list *list, void *options, kit_world_config *world,
                 const char *arg)
{
    const kit_option common = kit_world_option(world, arg);
    if (common != KIT_OPTION_OTHER)
        return common == KIT_OPTION_TAKEN;
    const char *equals = strchr(arg, '=');
    if (strncmp(arg, "--", 2) != 0 || equals == NULL)
        return false;
    const size_t len = (size_t)(equals - arg) - 2;
    for (size_t i = 0; i < list->n; i++) {
        const kit_option_row *row = &list->rows[i];
        if (strlen(row->name) == len && strncmp(arg + 2, row->name, len) == 0)
            return take_value(row, options, equals + 1);
    }
    return false;
}

bool kit_option_list_read(const kit_option_list *list, void *options, kit_world_config *world,
                          int first, int argc, char *argv[])
{
    for (int i = first; i < argc; i++) {
        if (!take(list, options, world, argv[i])) {
            fprintf(stderr, "%s: %s is not understood\n", list->program, argv[i]);
            return false;
        }
    }
    return true;
}

void kit_option_list_help(const kit_option_list *list, FILE *out)
{
    for (size_t i = 0; i < list->n; i++)
        fprintf(out, "  --%-16s %s\n", list->rows[i].name, list->rows[i].help);
}
