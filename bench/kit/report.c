/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/kit/report.h"

#include <inttypes.h>

static void quote(kit_report *r, const char *text)
{
    putc('"', r->out);
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20) {
            fprintf(r->out, "\\u%04x", (unsigned)*c);
            continue;
        }
        if (*c == '"' || *c == '\\')
            putc('\\', r->out);
        putc(*c, r->out);
    }
    putc('"', r->out);
}

static void name_member(kit_report *r, const char *name)
{
    fprintf(r->out, "%s\n%*s", r->begun ? "," : "", (int)(2 * r->depth), "");
    quote(r, name);
    fputs(": ", r->out);
    r->begun = true;
}

void kit_report_begin(kit_report *r, FILE *out)
{
    *r = (kit_report){.out = out, .depth = 1};
    putc('{', out);
}

void kit_report_open(kit_report *r, const char *name)
{
    name_member(r, name);
    putc('{', r->out);
    r->depth++;
    r->begun = false;
}

void kit_report_close(kit_report *r)
{
    r->depth--;
    fprintf(r->out, "\n%*s}", (int)(2 * r->depth), "");
    r->begun = true;
}

void kit_report_int(kit_report *r, const char *name, int64_t value)
{
    name_member(r, name);
    fprintf(r->out, "%" PRId64, value);
}

void kit_report_bool(kit_report *r, const char *name, bool value)
{
    name_member(r, name);
    fputs(value ? "true" : "false", r->out);
}

void kit_report_text(kit_report *r, const char *name, const char *value)
{
    name_member(r, name);
    if (value != NULL)
        quote(r, value);
    else
        fputs("null", r->out);
}

void kit_report_times(kit_report *r, const char *name, const kit_histogram *h)
{
    kit_report_open(r, name);
    kit_report_int(r, "count", (int64_t)h->count);
    kit_report_int(r, "p50_ns", kit_histogram_at(h, 500));
    kit_report_int(r, "p99_ns", kit_histogram_at(h, 990));
    kit_report_int(r, "p999_ns", kit_histogram_at(h, 999));
    kit_report_int(r, "max_ns", h->most);
    kit_report_close(r);
}

void kit_report_end(kit_report *r)
{
    while (r->depth > 0)
        kit_report_close(r);
    putc('\n', r->out);
    fflush(r->out);
}
