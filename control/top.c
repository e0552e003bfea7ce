/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/top.h"

#include "base/histogram.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 240,
    REASONS = 6,      /* of drops that are named */
    ROWS_AROUND = 14, /* on the screen, with that about a silent gateway */
};

/* One screen being written. */
typedef struct screen {
    GString *out;
    const agw_top_style *style;
    const agw_doc *before, *now;
    double seconds; /* between them */
} screen;

/* --- numbers -----------------------------------------------------------------------------------
 */

static int64_t number(const agw_doc *dict, const char *key)
{
    int64_t n = 0;
    (void)agw_doc_int(dict, key, &n);
    return n;
}

static int64_t growth(const agw_doc *before, const agw_doc *now, const char *key)
{
    return number(now, key) - number(before, key);
}

static int64_t sum_of(const agw_doc *dict)
{
    int64_t sum = 0, n;
    for (size_t i = 0; dict != NULL && i < agw_doc_count(dict); i++)
        sum += agw_doc_number(agw_doc_at(dict, i), &n) ? n : 0;
    return sum;
}

/* Of all numbers of a dictionary within two. */
static int64_t growth_of_sum(const agw_doc *before, const agw_doc *now, const char *dict)
{
    return sum_of(agw_doc_get(now, dict)) - sum_of(agw_doc_get(before, dict));
}

/* A second, of a key in one of the document's dictionaries. */
static double rate(const screen *s, const char *dict, const char *key)
{
    return (double)growth(agw_doc_get(s->before, dict), agw_doc_get(s->now, dict), key) /
           s->seconds;
}

static const agw_doc *worker_at(const agw_doc *stats, size_t i)
{
    const agw_doc *list = agw_doc_get(stats, "workers");
    return list != NULL && i < agw_doc_count(list) ? agw_doc_at(list, i) : NULL;
}

static size_t workers_of(const agw_doc *stats)
{
    const agw_doc *list = agw_doc_get(stats, "workers");
    return list != NULL ? agw_doc_count(list) : 0;
}

/* --- transit -----------------------------------------------------------------------------------
 */

/* whose: a worker, or the whole document. */
static void add_buckets(agw_histogram_view *view, const agw_doc *whose, bool subtract)
{
    const agw_doc *list = agw_doc_get(agw_doc_get(whose, "transit"), "buckets");
    for (size_t i = 0; list != NULL && i + 1 < agw_doc_count(list); i += 2) {
        int64_t edge, n;
        if (!agw_doc_number(agw_doc_at(list, i), &edge) || edge < 0 ||
            !agw_doc_number(agw_doc_at(list, i + 1), &n) || n < 0)
            continue;
        uint64_t *bucket = &view->buckets[agw_histogram_bucket((uint64_t)edge)];
        *bucket += subtract ? 0 - (uint64_t)n : (uint64_t)n;
        view->count += subtract ? 0 - (uint64_t)n : (uint64_t)n;
    }
}

static agw_histogram_view transit_between(const agw_doc *before, const agw_doc *now)
{
    agw_histogram_view view = {0};
    add_buckets(&view, now, false);
    add_buckets(&view, before, true);
    return view;
}

/* --- text --------------------------------------------------------------------------------------
 */

/* One line, cut to the screen. title: it stands out. */
static void put_line(screen *s, bool title, const char *fmt, ...) AGW_PRINTF(3, 4);
static void put_line(screen *s, bool title, const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    g_vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (s->style->columns < sizeof line)
        line[s->style->columns] = '\0';
    g_strchomp(line);
    if (title && s->style->ansi)
        g_string_append_printf(s->out, "\033[1m%s\033[0m\n", line);
    else
        g_string_append_printf(s->out, "%s\n", line);
}

/* At most six characters up to a billion. */
static const char *short_text(char text[16], double n)
{
    if (n < 99999.5)
        g_snprintf(text, 16, n < 99.95 && n > 0 ? "%.1f" : "%.0f", n);
    else if (n < 9999.5e3)
        g_snprintf(text, 16, "%.0fk", n / 1e3);
    else
        g_snprintf(text, 16, "%.0fM", n / 1e6);
    return text;
}

static const char *us_text(char text[16], const agw_histogram_view *view, unsigned permille)
{
    const double us = (double)agw_histogram_at(view, permille) / 1e3;
    if (view->count == 0)
        g_snprintf(text, 16, "-");
    else
        g_snprintf(text, 16, us < 9.95 ? "%.1f" : "%.0f", us);
    return text;
}

static const char *span_text(char text[24], int64_t seconds)
{
    if (seconds < 60)
        g_snprintf(text, 24, "%d s", (int)seconds);
    else if (seconds < 3600)
        g_snprintf(text, 24, "%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    else if (seconds < 86400)
        g_snprintf(text, 24, "%d h %02d min", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    else
        g_snprintf(text, 24, "%d d %02d h", (int)(seconds / 86400), (int)(seconds / 3600 % 24));
    return text;
}

/* --- above the table ---------------------------------------------------------------------------
 */

static void put_top(screen *s)
{
    char up[24];
    put_line(s, true, "agwd at %s   up %s   tick %d us   over the last %.1f s", s->style->server,
             span_text(up, number(agw_doc_get(s->now, "totalstatistics"), "uptime")),
             (int)number(s->now, "tick us"), s->seconds);
}

static void put_calls(screen *s)
{
    static const char TOTALS[] = "totalstatistics";
    const agw_doc *current = agw_doc_get(s->now, "currentstatistics");
    const agw_doc *ports = agw_doc_get(s->now, "ports");
    const int64_t used = number(ports, "used");
    put_line(s, false,
             "calls       %" G_GINT64_FORMAT
             "   set up %.1f/s   refused %.1f/s   ports %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT,
             number(current, "sessionsown"), rate(s, TOTALS, "managedsessions"),
             rate(s, TOTALS, "rejectedsessions"), used, used + number(ports, "free"));
}

/* The next call goes where the least is to be expected: that is compared with the limit. */
static int64_t least_expected(const agw_doc *stats)
{
    int64_t least = number(worker_at(stats, 0), "expected %");
    for (size_t i = 1; i < workers_of(stats); i++)
        least = MIN(least, number(worker_at(stats, i), "expected %"));
    return least;
}

static void put_load(screen *s)
{
    const agw_doc *load = agw_doc_get(s->now, "load");
    const int64_t limit = number(load, "limit");
    char text[40] = "no limit";
    if (limit != 0)
        g_snprintf(text, sizeof text, "%slimit %d %%",
                   number(load, "refusing") != 0 ? "REFUSING CALLS   " : "", (int)limit);
    put_line(s, false, "load        %d %%   %s   control %d %%   handshakes %d %%",
             (int)least_expected(s->now), text, (int)number(load, "control"),
             (int)number(load, "handshakes"));
}

static int64_t sum_growth(const screen *s, const char *key)
{
    int64_t sum = 0;
    for (size_t i = 0; i < workers_of(s->now); i++)
        sum += growth(worker_at(s->before, i), worker_at(s->now, i), key);
    return sum;
}

static double sum_rate(const screen *s, const char *key)
{
    return (double)sum_growth(s, key) / s->seconds;
}

static void put_handshakes(screen *s)
{
    put_line(s, false, "handshakes  %.1f/s   failed %.1f/s   waiting %" G_GINT64_FORMAT,
             sum_rate(s, "handshakes done"), sum_rate(s, "handshakes failed"),
             number(agw_doc_get(s->now, "handshake threads"), "mailbox"));
}

static void put_commands(screen *s)
{
    const int64_t sum = growth_of_sum(agw_doc_get(s->before, "control"),
                                      agw_doc_get(s->now, "control"), "commands");
    put_line(s, false, "commands    %.1f/s   errors %.1f/s   events %.1f/s   lost %.1f/s",
             (double)sum / s->seconds, rate(s, "control", "errors"), rate(s, "control", "events"),
             rate(s, "control", "events lost"));
}

static void put_transit(screen *s)
{
    char a[16], b[16], c[16], d[16];
    const agw_histogram_view view = transit_between(s->before, s->now);
    put_line(s, false,
             "transit us  p50 %s   p99 %s   p99.9 %s   max %s   of %" G_GUINT64_FORMAT " samples",
             us_text(a, &view, 500), us_text(b, &view, 990), us_text(c, &view, 999),
             us_text(d, &view, 1000), view.count);
}

/* --- the table ---------------------------------------------------------------------------------
 */

/* One worker, or all: what grew, and what is. */
typedef struct row {
    char name[12];
    int64_t cpu_us, busy_us, in, out, turns, calls, mail;
    int64_t dropped; /* < 0: not told */
    agw_histogram_view transit;
} row;

static void add_worker(row *r, const screen *s, size_t i)
{
    const agw_doc *before = worker_at(s->before, i), *now = worker_at(s->now, i);
    r->cpu_us += growth(before, now, "CPU us");
    r->busy_us += growth(before, now, "busy us");
    r->in += growth(before, now, "packets in");
    r->out += growth(before, now, "packets out");
    r->turns += growth_of_sum(before, now, "batches");
    r->calls += number(now, "calls");
    r->mail += number(now, "mailbox");
}

static const char *quotient_text(char text[16], int64_t a, int64_t b)
{
    if (b > 0)
        g_snprintf(text, 16, "%.1f", (double)a / (double)b);
    else
        g_snprintf(text, 16, "-");
    return text;
}

static const char *percent_text(const screen *s, char text[16], int64_t us)
{
    return short_text(text, (double)us / s->seconds / 1e4);
}

static void put_row(screen *s, const row *r)
{
    char t[10][16];
    put_line(s, false,
             "%-6s %5s %5s %6s %5s %5s %5s %5s %5s %5s %6s %5" G_GINT64_FORMAT
             " %4" G_GINT64_FORMAT,
             r->name, percent_text(s, t[8], r->busy_us), percent_text(s, t[9], r->cpu_us),
             quotient_text(t[0], r->cpu_us, r->in), short_text(t[1], (double)r->in / s->seconds),
             short_text(t[2], (double)r->out / s->seconds), quotient_text(t[3], r->in, r->turns),
             us_text(t[4], &r->transit, 500), us_text(t[5], &r->transit, 990),
             us_text(t[6], &r->transit, 999),
             r->dropped < 0 ? "-" : short_text(t[7], (double)r->dropped / s->seconds), r->calls,
             r->mail);
}

static size_t rows_that_fit(const screen *s, size_t workers)
{
    const unsigned rows = s->style->rows;
    if (rows == 0 || workers + ROWS_AROUND <= rows)
        return workers;
    return rows > ROWS_AROUND ? rows - ROWS_AROUND : 1;
}

static int by_busy(const void *a, const void *b)
{
    const int64_t x = ((const row *)a)->busy_us, y = ((const row *)b)->busy_us;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void read_row(row *r, const screen *s, size_t i)
{
    const agw_doc *before = worker_at(s->before, i), *now = worker_at(s->now, i);
    g_snprintf(r->name, sizeof r->name, "%zu", i);
    r->transit = transit_between(before, now);
    r->dropped = -1;
    if (agw_doc_get(now, "drops") != NULL)
        r->dropped = growth_of_sum(before, now, "drops") + growth(before, now, "kernel drops");
    add_worker(r, s, i);
}

/* In their order; when not all fit, the busiest. */
static void put_workers(screen *s)
{
    const size_t n = workers_of(s->now), shown = rows_that_fit(s, n);
    row all = {.name = "all",
               .transit = transit_between(s->before, s->now),
               .dropped =
                   growth_of_sum(s->before, s->now, "drops") + sum_growth(s, "kernel drops")};
    if (n == 0)
        return;
    row *rows = g_new0(row, n);
    for (size_t i = 0; i < n; i++) {
        read_row(&rows[i], s, i);
        add_worker(&all, s, i);
    }
    if (shown < n)
        qsort(rows, n, sizeof *rows, by_busy);
    put_line(s, true, "%-6s %5s %5s %6s %5s %5s %5s %5s %5s %5s %6s %5s %4s", "WORKER", "BUSY%",
             "CPU%", "US/PKT", "IN/S", "OUT/S", "BATCH", "P50us", "P99us", "P99.9", "DROP/S",
             "CALLS", "MAIL");
    for (size_t i = 0; i < shown; i++)
        put_row(s, &rows[i]);
    if (shown < n)
        put_line(s, false, "and %zu less busy", n - shown);
    put_row(s, &all);
    g_free(rows);
}

/* --- below the table ---------------------------------------------------------------------------
 */

typedef struct reason {
    const char *text;
    double rate;
} reason;

static gint by_rate(gconstpointer a, gconstpointer b)
{
    const double x = ((const reason *)a)->rate, y = ((const reason *)b)->rate;
    return x < y ? 1 : x > y ? -1 : 0;
}

static GArray *reasons_of(const screen *s)
{
    const agw_doc *drops = agw_doc_get(s->now, "drops");
    GArray *list = g_array_new(FALSE, FALSE, sizeof(reason));
    for (size_t i = 0; drops != NULL && i < agw_doc_count(drops); i++) {
        const char *key = agw_doc_key_at(drops, i);
        const reason r = {key, rate(s, "drops", key)};
        if (r.rate > 0)
            g_array_append_val(list, r);
    }
    const reason kernel = {"(kernel)", sum_rate(s, "kernel drops")};
    if (kernel.rate > 0)
        g_array_append_val(list, kernel);
    g_array_sort(list, by_rate);
    return list;
}

static void put_drops(screen *s)
{
    GArray *list = reasons_of(s);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < list->len && i < REASONS; i++) {
        const reason *r = &g_array_index(list, reason, i);
        char n[16];
        g_string_append_printf(text, "   %s %s", r->text, short_text(n, r->rate));
    }
    if (list->len > REASONS)
        g_string_append_printf(text, "   and %u more", list->len - REASONS);
    put_line(s, false, "drops/s  %s", text->len != 0 ? text->str : "   none");
    g_string_free(text, TRUE);
    g_array_free(list, TRUE);
}

static void put_rings(screen *s)
{
    const double in = sum_rate(s, "packets in"), out = sum_rate(s, "packets out");
    const double ring_in = sum_rate(s, "AF_XDP in"), ring_out = sum_rate(s, "AF_XDP out");
    if (ring_in > 0 || ring_out > 0)
        put_line(s, false, "AF_XDP      %.1f %% of the packets in   %.1f %% out",
                 in > 0 ? 100 * ring_in / in : 0, out > 0 ? 100 * ring_out / out : 0);
}

/* --- all ---------------------------------------------------------------------------------------
 */

static int64_t between_us(const agw_doc *before, const agw_doc *now)
{
    return growth(agw_doc_get(before, "totalstatistics"), agw_doc_get(now, "totalstatistics"),
                  "uptime us");
}

bool agw_top_follows(const agw_doc *before, const agw_doc *now)
{
    return between_us(before, now) > 0 && workers_of(before) == workers_of(now);
}

void agw_top_render(GString *out, const agw_doc *before, const agw_doc *now,
                    const agw_top_style *style)
{
    AGW_ASSERT(agw_top_follows(before, now));
    screen s = {out, style, before, now, (double)between_us(before, now) / 1e6};
    put_top(&s);
    put_calls(&s);
    put_load(&s);
    put_handshakes(&s);
    put_commands(&s);
    put_transit(&s);
    g_string_append_c(out, '\n');
    put_workers(&s);
    g_string_append_c(out, '\n');
    put_drops(&s);
    put_rings(&s);
}
