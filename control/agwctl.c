/* SPDX-License-Identifier: BSD-3-Clause
 * agwctl: asks a running gateway over ng and prints tables for people, or JSON. */
#include "base/addr.h"
#include "control/agwctl_top.h"
#include "control/client.h"
#include "control/json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    COLUMNS_MAX = 8,
    LIST_MAX = 500, /* a reply has no more */
};

typedef struct options {
    agw_client client;
    gint limit;
    gboolean json, version;
    agw_top_options top;
} options;

static agw_doc *request_new(const char *command)
{
    agw_doc *request = agw_doc_new_dict();
    agw_doc_set_str(request, "command", command);
    return request;
}

static agw_doc *ask_about(options *o, const char *call_id)
{
    agw_doc *request = request_new("query");
    agw_doc_set_str(request, "call-id", call_id);
    return agw_client_ask(&o->client, request);
}

/* --- printing ----------------------------------------------------------------------------------
 */

static int print_json(const agw_doc *reply)
{
    GString *text = g_string_new(NULL);
    agw_json_write(text, reply);
    printf("%s\n", text->str);
    g_string_free(text, TRUE);
    return AGW_EXIT_OK;
}

/* Rows of cells, printed in columns as wide as they need to be; the first row is the head. */
typedef struct table {
    size_t columns;
    GPtrArray *cells;
    bool right[COLUMNS_MAX];
} table;

static void table_init(table *t, size_t columns)
{
    memset(t, 0, sizeof *t);
    t->columns = columns;
    t->cells = g_ptr_array_new_with_free_func(g_free);
}

/* What strangers chose (call-ids, tags) must not steer the terminal. */
static char *clean_text(const char *fmt, va_list args) AGW_PRINTF(1, 0);

static char *clean_text(const char *fmt, va_list args)
{
    char *text = g_strdup_vprintf(fmt, args);
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    }
    return text;
}

static void cell(table *t, const char *fmt, ...) AGW_PRINTF(2, 3);

static void cell(table *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    g_ptr_array_add(t->cells, clean_text(fmt, args));
    va_end(args);
}

static void print_line(const char *fmt, ...) AGW_PRINTF(1, 2);

static void print_line(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = clean_text(fmt, args);
    va_end(args);
    printf("%s\n", text);
    g_free(text);
}

static int width_of(const table *t, size_t column)
{
    glong width = 0;
    for (size_t i = column; i < t->cells->len; i += t->columns)
        width = MAX(width, g_utf8_strlen(g_ptr_array_index(t->cells, i), -1));
    return (int)width;
}

static void table_print(table *t)
{
    for (size_t i = 0; i < t->cells->len; i++) {
        const size_t column = i % t->columns;
        const bool last = column == t->columns - 1;
        const int width = t->right[column] ? width_of(t, column) : -width_of(t, column);
        printf("%*s%s", last && width < 0 ? 0 : width, (char *)g_ptr_array_index(t->cells, i),
               last ? "\n" : "  ");
    }
    g_ptr_array_free(t->cells, TRUE);
}

static int64_t number(const agw_doc *dict, const char *key)
{
    int64_t n = 0;
    (void)agw_doc_int(dict, key, &n);
    return n;
}

static const char *text_of(const agw_doc *dict, const char *key, const char *otherwise)
{
    const char *text = agw_doc_str(dict, key);
    return text != NULL && *text != '\0' ? text : otherwise;
}

static char *span_text(int64_t seconds)
{
    if (seconds < 60)
        return g_strdup_printf("%d s", (int)seconds);
    if (seconds < 3600)
        return g_strdup_printf("%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    return g_strdup_printf("%" G_GINT64_FORMAT " h %02d min", seconds / 3600,
                           (int)(seconds / 60 % 60));
}

static void cell_span(table *t, int64_t seconds)
{
    char *text = span_text(MAX(seconds, 0));
    cell(t, "%s", text);
    g_free(text);
}

static void cell_bytes(table *t, int64_t bytes)
{
    static const char *const UNITS[] = {"B", "kB", "MB", "GB", "TB"};
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 1000 && unit + 1 < G_N_ELEMENTS(UNITS)) {
        n /= 1000;
        unit++;
    }
    cell(t, unit == 0 ? "%.0f %s" : "%.1f %s", n, UNITS[unit]);
}

/* --- list --------------------------------------------------------------------------------------
 */

static int64_t wall_seconds(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static const agw_doc *element(const agw_doc *list, size_t i)
{
    return list != NULL && i < agw_doc_count(list) ? agw_doc_at(list, i) : NULL;
}

/* "connected / established" of the transport that has the most to tell. */
static char *transport_states(const agw_doc *call)
{
    const agw_doc *list = agw_doc_get(call, "transports");
    for (size_t i = 0; list != NULL && i < agw_doc_count(list); i++) {
        const agw_doc *t = agw_doc_at(list, i);
        const agw_doc *ice = agw_doc_get(t, "ICE"), *dtls = agw_doc_get(t, "DTLS");
        if (ice != NULL || dtls != NULL)
            return g_strdup_printf("%s / %s", text_of(ice, "state", "-"),
                                   text_of(dtls, "state", "-"));
    }
    return g_strdup("-");
}

static const char *first_codec(const agw_doc *call)
{
    const agw_doc *tags = agw_doc_get(call, "tags");
    const agw_doc *media = element(agw_doc_get(element(tags, 0), "medias"), 0);
    return text_of(media, "codec", "-");
}

static void list_row(table *t, const char *call_id, const agw_doc *call)
{
    char *states = transport_states(call);
    const agw_doc *rtp = agw_doc_get(agw_doc_get(call, "totals"), "RTP");
    cell(t, "%s", call_id);
    cell_span(t, wall_seconds() - number(call, "created"));
    cell(t, "%s", states);
    cell(t, "%s", first_codec(call));
    cell(t, "%" G_GINT64_FORMAT, number(rtp, "packets"));
    cell_bytes(t, number(rtp, "bytes"));
    cell(t, "%" G_GINT64_FORMAT, number(rtp, "errors"));
    g_free(states);
}

static void list_head(table *t)
{
    static const char *const HEAD[] = {"CALL",    "AGE",   "ICE / DTLS", "CODEC",
                                       "PACKETS", "BYTES", "DROPPED"};
    table_init(t, G_N_ELEMENTS(HEAD));
    for (size_t i = 0; i < G_N_ELEMENTS(HEAD); i++) {
        cell(t, "%s", HEAD[i]);
        t->right[i] = i >= 4;
    }
}

/* What stands behind the number of calls when not all are shown: one more than the limit was asked
 * for. */
static const char *list_end(size_t count, gint limit)
{
    if (count > (size_t)limit)
        return ", the oldest of more (--limit)";
    return count == LIST_MAX ? ", the oldest, there may be more" : "";
}

static void list_table(options *o, const agw_doc *ids)
{
    table t;
    list_head(&t);
    const size_t count = ids != NULL ? agw_doc_count(ids) : 0;
    size_t shown = 0;
    for (size_t i = 0; i < count && i < (size_t)o->limit; i++) {
        const char *id = agw_doc_text(agw_doc_at(ids, i));
        agw_doc *request = request_new("query");
        agw_doc_set_str(request, "call-id", id != NULL ? id : "");
        agw_doc *call = agw_client_try(&o->client, request);
        agw_doc_free(request);
        if (id != NULL && call != NULL && agw_doc_get(call, "created") != NULL) {
            list_row(&t, id, call);
            shown++;
        }
        agw_doc_free(call);
    }
    table_print(&t);
    printf("%zu call%s%s\n", shown, shown == 1 ? "" : "s", list_end(count, o->limit));
}

static int run_list(options *o, const char *arg)
{
    (void)arg;
    agw_doc *request = request_new("list");
    agw_doc_set_int(request, "limit", (int64_t)o->limit + (o->limit > 0 && !o->json));
    agw_doc *reply = agw_client_ask(&o->client, request);
    if (reply == NULL)
        return o->client.status;
    if (o->json)
        (void)print_json(reply);
    else
        list_table(o, agw_doc_get(reply, "calls"));
    agw_doc_free(reply);
    return AGW_EXIT_OK;
}

/* --- show --------------------------------------------------------------------------------------
 */

static char *endpoint_text(const agw_doc *dict, const char *key)
{
    const agw_doc *endpoint = agw_doc_get(dict, key);
    agw_addr addr;
    char text[AGW_ADDR_TEXT];
    if (endpoint == NULL || agw_addr_parse_ip(&addr, text_of(endpoint, "address", "")) != AGW_OK)
        return g_strdup("-");
    addr.port = (uint16_t)number(endpoint, "port");
    return g_strdup(agw_addr_text(&addr, text, sizeof text));
}

static void show_transport(const agw_doc *t)
{
    const agw_doc *ice = agw_doc_get(t, "ICE"), *dtls = agw_doc_get(t, "DTLS");
    const agw_doc *sdes = agw_doc_get(t, "SDES");
    print_line("  transport %" G_GINT64_FORMAT ", interface %s, party %s", number(t, "id"),
               text_of(t, "interface", "(unnamed)"), text_of(t, "tag", "(no tag yet)"));
    if (ice != NULL) {
        char *local = endpoint_text(ice, "local"), *remote = endpoint_text(ice, "remote");
        print_line("    ICE   %s, local %s, remote %s", text_of(ice, "state", "-"), local, remote);
        g_free(local);
        g_free(remote);
    }
    if (dtls != NULL)
        print_line("    DTLS  %s %s %s %s%s", text_of(dtls, "state", "-"),
                   text_of(dtls, "version", ""), text_of(dtls, "cipher", ""),
                   text_of(dtls, "SRTP", ""), text_of(dtls, "reason", ""));
    if (sdes != NULL)
        print_line("    SDES  %s", text_of(sdes, "SRTP", ""));
}

static void stream_row(table *t, const agw_doc *media, const agw_doc *stream)
{
    const agw_doc *in = agw_doc_get(stream, "stats"), *sent = agw_doc_get(stream, "stats_out");
    char *remote = endpoint_text(stream, "endpoint");
    const bool rtp = agw_doc_list_has(stream, "flags", "RTP");
    cell(t, "    %" G_GINT64_FORMAT " %s %s", number(media, "index"), text_of(media, "type", "?"),
         rtp ? "RTP" : "RTCP");
    cell(t, "%s", rtp ? text_of(media, "codec", "-") : "-");
    cell(t, "%s", rtp ? text_of(media, "direction", "-") : "-");
    cell(t, "%" G_GINT64_FORMAT, number(stream, "local port"));
    cell(t, "%s", remote);
    cell(t, "%" G_GINT64_FORMAT, number(in, "packets"));
    cell(t, "%" G_GINT64_FORMAT, number(sent, "packets"));
    if (rtp)
        cell(t,
             "lost %" G_GINT64_FORMAT ", dropped %" G_GINT64_FORMAT ", jitter %.1f ms, rtt %.1f ms",
             number(media, "packets lost"), number(media, "dropped"),
             (double)number(media, "jitter us") / 1000,
             (double)number(media, "round-trip time") / 1000);
    else
        cell(t, "%s", "");
    g_free(remote);
}

static void show_party(const agw_doc *party)
{
    static const char *const HEAD[] = {"    MEDIA", "CODEC", "DIRECTION", "PORT",
                                       "REMOTE",    "IN",    "OUT",       "QUALITY"};
    const agw_doc *medias = agw_doc_get(party, "medias");
    print_line("  party %s%s%s", text_of(party, "tag", "(no tag yet)"),
               agw_doc_get(party, "label") != NULL ? ", label " : "", text_of(party, "label", ""));
    if (medias == NULL || agw_doc_count(medias) == 0)
        return;
    table t;
    table_init(&t, G_N_ELEMENTS(HEAD));
    for (size_t i = 0; i < G_N_ELEMENTS(HEAD); i++) {
        cell(&t, "%s", HEAD[i]);
        t.right[i] = i == 3 || i == 5 || i == 6;
    }
    for (size_t i = 0; i < agw_doc_count(medias); i++) {
        const agw_doc *media = agw_doc_at(medias, i), *streams = agw_doc_get(media, "streams");
        for (size_t k = 0; streams != NULL && k < agw_doc_count(streams); k++)
            stream_row(&t, media, agw_doc_at(streams, k));
    }
    table_print(&t);
}

static void show_legs(const agw_doc *call)
{
    const agw_doc *tags = agw_doc_get(call, "tags"), *list = agw_doc_get(call, "transports");
    for (size_t i = 0; tags != NULL && i < agw_doc_count(tags); i++)
        show_party(agw_doc_at(tags, i));
    for (size_t i = 0; list != NULL && i < agw_doc_count(list); i++)
        show_transport(agw_doc_at(list, i));
}

static void show_call(const char *call_id, const agw_doc *call)
{
    const int64_t now = wall_seconds();
    char *age = span_text(MAX(now - number(call, "created"), 0));
    char *signal_age = span_text(MAX(now - number(call, "last signal"), 0));
    print_line("call %s", call_id);
    print_line("  age %s, last signalling %s ago", age, signal_age);
    g_free(age);
    g_free(signal_age);
    show_legs(call);
    const agw_doc *passes = agw_doc_get(call, "passes");
    for (size_t i = 0; passes != NULL && i < agw_doc_count(passes); i++) {
        print_line("  pass %zu", i + 2);
        show_legs(agw_doc_at(passes, i));
    }
}

static int run_show(options *o, const char *arg)
{
    agw_doc *reply = ask_about(o, arg);
    if (reply == NULL)
        return o->client.status;
    if (o->json)
        (void)print_json(reply);
    else
        show_call(arg, reply);
    agw_doc_free(reply);
    return AGW_EXIT_OK;
}

/* --- stats, top and ping
 * ----------------------------------------------------------------------------
 */

static void print_dict(const char *title, const agw_doc *dict, bool zeros)
{
    table t;
    table_init(&t, 2);
    t.right[1] = true;
    for (size_t i = 0; dict != NULL && i < agw_doc_count(dict); i++) {
        int64_t n;
        if (!agw_doc_number(agw_doc_at(dict, i), &n) || (n == 0 && !zeros))
            continue;
        cell(&t, "  %s", agw_doc_key_at(dict, i));
        cell(&t, "%" G_GINT64_FORMAT, n);
    }
    printf("%s%s\n", title, t.cells->len == 0 ? ": none" : "");
    table_print(&t);
}

/* One column a worker, as many as a line holds. */
static void show_workers(const agw_doc *workers)
{
    const size_t n = workers != NULL ? MIN(agw_doc_count(workers), COLUMNS_MAX - 1) : 0;
    const agw_doc *first = element(workers, 0);
    table t;
    table_init(&t, n + 1);
    cell(&t, "%s", "workers");
    for (size_t i = 0; i < n; i++) {
        t.right[i + 1] = true;
        cell(&t, "%zu", i);
    }
    for (size_t row = 0; first != NULL && row < agw_doc_count(first); row++) {
        const char *key = agw_doc_key_at(first, row);
        if (agw_doc_kind_of(agw_doc_at(first, row)) != AGW_DOC_INT)
            continue;
        cell(&t, "  %s", key);
        for (size_t i = 0; i < n; i++)
            cell(&t, "%" G_GINT64_FORMAT, number(agw_doc_at(workers, i), key));
    }
    table_print(&t);
}

static void show_stats(const agw_doc *stats)
{
    print_dict("now", agw_doc_get(stats, "currentstatistics"), true);
    print_dict("since start (uptime in s)", agw_doc_get(stats, "totalstatistics"), true);
    print_dict("ports", agw_doc_get(stats, "ports"), true);
    print_dict("load (%)", agw_doc_get(stats, "load"), true);
    print_dict("memory (bytes)", agw_doc_get(stats, "memory"), true);
    show_workers(agw_doc_get(stats, "workers"));
    print_dict("dropped packets by reason", agw_doc_get(stats, "drops"), false);
    print_dict("commands", agw_doc_get(agw_doc_get(stats, "control"), "commands"), true);
}

static int run_stats(options *o, const char *arg)
{
    (void)arg;
    agw_doc *request = request_new("statistics");
    agw_doc_set_str(request, "flags", "memory");
    agw_doc *reply = agw_client_ask(&o->client, request);
    if (reply == NULL)
        return o->client.status;
    if (o->json)
        (void)print_json(reply);
    else
        show_stats(agw_doc_get(reply, "statistics"));
    agw_doc_free(reply);
    return AGW_EXIT_OK;
}

static int run_top(options *o, const char *arg)
{
    (void)arg;
    return agw_top_run(&o->client, &o->top);
}

static int run_ping(options *o, const char *arg)
{
    (void)arg;
    const gint64 before = g_get_monotonic_time();
    agw_doc *reply = agw_client_ask(&o->client, request_new("ping"));
    if (reply == NULL)
        return o->client.status;
    if (o->json)
        (void)print_json(reply);
    else
        printf("pong from %s in %.1f ms\n", o->client.server,
               (double)(g_get_monotonic_time() - before) / 1000);
    agw_doc_free(reply);
    return AGW_EXIT_OK;
}

/* --- main --------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    bool wants_arg;
    int (*run)(options *o, const char *arg);
} COMMANDS[] = {
    {"list", false, run_list}, {"show", true, run_show},  {"stats", false, run_stats},
    {"top", false, run_top},   {"ping", false, run_ping},
};

static int usage(const char *what)
{
    fprintf(stderr,
            "agwctl: %s\nusage: agwctl [--server ADDRESS:PORT] [--json] "
            "list | show CALL | stats | top | ping\n",
            what);
    return AGW_EXIT_USAGE;
}

static int run(options *o, char **words)
{
    const guint n = g_strv_length(words);
    for (size_t i = 0; n > 0 && i < G_N_ELEMENTS(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, words[0]) != 0)
            continue;
        if (n != (COMMANDS[i].wants_arg ? 2u : 1u))
            return usage(COMMANDS[i].wants_arg ? "show wants one call-id" : "too many words");
        if (!agw_client_open(&o->client))
            return o->client.status;
        return COMMANDS[i].run(o, words[1]);
    }
    return usage(n > 0 ? "no such command" : "a command is missing");
}

static bool parse_options(options *o, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"server", 's', 0, G_OPTION_ARG_STRING, &o->client.server, "where agwd listens for ng",
         "ADDRESS:PORT"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &o->json, "print the reply as JSON", NULL},
        {"limit", 'l', 0, G_OPTION_ARG_INT, &o->limit,
         "most calls to list (default 100, at most 500)", "N"},
        {"timeout", 't', 0, G_OPTION_ARG_INT, &o->client.timeout_ms,
         "wait so long for each of 3 tries (default 1000)", "MILLISECONDS"},
        {"interval", 'i', 0, G_OPTION_ARG_DOUBLE, &o->top.interval,
         "top looks so often, 0.1 to 3600 (default 2)", "SECONDS"},
        {"once", 'o', 0, G_OPTION_ARG_NONE, &o->top.once, "top shows one screen and ends", NULL},
        {"version", 'v', 0, G_OPTION_ARG_NONE, &o->version, "print the version", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionContext *context = g_option_context_new("list | show CALL | stats | top | ping");
    GError *error = NULL;
    g_option_context_set_summary(context, "Asks a running media gateway. The address is "
                                          "127.0.0.1:22222 unless told.");
    g_option_context_add_main_entries(context, entries, NULL);
    bool good = g_option_context_parse(context, argc, argv, &error);
    if (!good) {
        (void)usage(error->message);
    } else if (!(o->top.interval >= 0.1 && o->top.interval <= 3600)) {
        (void)usage("--interval wants 0.1 to 3600 seconds");
        good = false;
    }
    g_clear_error(&error);
    g_option_context_free(context);
    return good;
}

int main(int argc, char **argv)
{
    options o = {.client = {.timeout_ms = 1000, .fd = -1}, .limit = 100, .top = {.interval = 2}};
    int status = AGW_EXIT_USAGE;
    const bool good = parse_options(&o, &argc, &argv);
    if (o.client.server == NULL)
        o.client.server = g_strdup("127.0.0.1:22222");
    if (good && o.version) {
        printf("agwctl of eims-agw %s\n", AGW_VERSION);
        status = AGW_EXIT_OK;
    } else if (good) {
        status = run(&o, argv + 1);
    }
    if (o.client.fd >= 0)
        close(o.client.fd);
    g_free(o.client.server);
    return status;
}
