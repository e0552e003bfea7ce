/* SPDX-License-Identifier: BSD-3-Clause
 * agwctl: asks a running gateway over ng and prints tables for people, or JSON. */
#include "base/addr.h"
#include "base/rand.h"
#include "control/json.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EXIT_OK = 0,
    EXIT_REFUSED = 1, /* the gateway said no */
    EXIT_USAGE = 2,
    EXIT_NO_ANSWER = 3,
    TRIES = 3,
    REPLY_BYTES = 65536,
    COOKIE_CHARS = 12,
    COLUMNS_MAX = 8,
};

typedef struct client {
    char *server;
    gint timeout_ms, limit;
    gboolean json, version;
    int fd;
    int status; /* what to exit with */
} client;

/* --- asking ------------------------------------------------------------------------------------
 */

static bool open_socket(client *c)
{
    agw_addr addr;
    struct sockaddr_storage sa;
    if (agw_addr_parse(&addr, c->server) != AGW_OK) {
        fprintf(stderr, "agwctl: --server wants ADDRESS:PORT with a numeric address, not %s\n",
                c->server);
        c->status = EXIT_USAGE;
        return false;
    }
    const socklen_t len = agw_addr_to_sockaddr(&addr, &sa);
    c->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&sa, len) == 0)
        return true;
    fprintf(stderr, "agwctl: %s: %s\n", c->server, g_strerror(errno));
    c->status = EXIT_NO_ANSWER;
    return false;
}

/* The reply document behind the cookie; NULL: not ours, or not a document. */
static agw_doc *parse_reply(const char *cookie, const char *text, size_t len)
{
    const size_t skip = strlen(cookie) + 1;
    const char *why;
    if (len < skip || memcmp(text, cookie, skip - 1) != 0 || text[skip - 1] != ' ')
        return NULL;
    return agw_json_parse(text + skip, len - skip, &why);
}

static agw_doc *receive(const client *c, const char *cookie)
{
    char *text = g_malloc(REPLY_BYTES);
    agw_doc *reply = NULL;
    struct pollfd ready = {.fd = c->fd, .events = POLLIN};
    while (reply == NULL && poll(&ready, 1, c->timeout_ms) > 0) {
        const ssize_t len = recv(c->fd, text, REPLY_BYTES, 0);
        if (len < 0)
            break; /* nobody listens there */
        reply = parse_reply(cookie, text, (size_t)len);
    }
    g_free(text);
    return reply;
}

static agw_doc *exchange(const client *c, const agw_doc *request)
{
    char cookie[COOKIE_CHARS + 1];
    agw_rand_text(cookie, COOKIE_CHARS);
    GString *message = g_string_new(cookie);
    g_string_append_c(message, ' ');
    agw_json_write(message, request);
    agw_doc *reply = NULL;
    for (int i = 0; i < TRIES && reply == NULL; i++) {
        if (send(c->fd, message->str, message->len, 0) < 0 && errno != ECONNREFUSED)
            break;
        reply = receive(c, cookie);
    }
    g_string_free(message, TRUE);
    return reply;
}

/* The reply of a command that went well; NULL: the reason has been printed. Takes request. */
static agw_doc *ask(client *c, agw_doc *request)
{
    agw_doc *reply = exchange(c, request);
    agw_doc_free(request);
    if (reply == NULL) {
        fprintf(stderr, "agwctl: no answer from %s: is agwd running, and does --listen-ng match?\n",
                c->server);
        c->status = EXIT_NO_ANSWER;
        return NULL;
    }
    const char *result = agw_doc_str(reply, "result");
    if (result != NULL && (strcmp(result, "ok") == 0 || strcmp(result, "pong") == 0))
        return reply;
    const char *reason = agw_doc_str(reply, "error-reason");
    fprintf(stderr, "agwctl: %s\n", reason != NULL ? reason : "the gateway refused");
    agw_doc_free(reply);
    c->status = EXIT_REFUSED;
    return NULL;
}

static agw_doc *request_new(const char *command)
{
    agw_doc *request = agw_doc_new_dict();
    agw_doc_set_str(request, "command", command);
    return request;
}

static agw_doc *ask_about(client *c, const char *call_id)
{
    agw_doc *request = request_new("query");
    agw_doc_set_str(request, "call-id", call_id);
    return ask(c, request);
}

/* --- printing ----------------------------------------------------------------------------------
 */

static int print_json(const agw_doc *reply)
{
    GString *text = g_string_new(NULL);
    agw_json_write(text, reply);
    printf("%s\n", text->str);
    g_string_free(text, TRUE);
    return EXIT_OK;
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

static void list_table(client *c, const agw_doc *ids)
{
    table t;
    list_head(&t);
    size_t shown = 0;
    for (size_t i = 0; ids != NULL && i < agw_doc_count(ids); i++) {
        const char *id = agw_doc_text(agw_doc_at(ids, i));
        agw_doc *request = request_new("query");
        agw_doc_set_str(request, "call-id", id != NULL ? id : "");
        agw_doc *call = exchange(c, request);
        agw_doc_free(request);
        if (id != NULL && call != NULL && agw_doc_get(call, "created") != NULL) {
            list_row(&t, id, call);
            shown++;
        }
        agw_doc_free(call);
    }
    table_print(&t);
    printf("%zu call%s\n", shown, shown == 1 ? "" : "s");
}

static int run_list(client *c, const char *arg)
{
    (void)arg;
    agw_doc *request = request_new("list");
    agw_doc_set_int(request, "limit", c->limit);
    agw_doc *reply = ask(c, request);
    if (reply == NULL)
        return c->status;
    if (c->json)
        (void)print_json(reply);
    else
        list_table(c, agw_doc_get(reply, "calls"));
    agw_doc_free(reply);
    return EXIT_OK;
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

static void show_call(const char *call_id, const agw_doc *call)
{
    const int64_t now = wall_seconds();
    char *age = span_text(MAX(now - number(call, "created"), 0));
    char *signal_age = span_text(MAX(now - number(call, "last signal"), 0));
    print_line("call %s", call_id);
    print_line("  age %s, last signalling %s ago", age, signal_age);
    g_free(age);
    g_free(signal_age);
    const agw_doc *tags = agw_doc_get(call, "tags"), *list = agw_doc_get(call, "transports");
    for (size_t i = 0; tags != NULL && i < agw_doc_count(tags); i++)
        show_party(agw_doc_at(tags, i));
    for (size_t i = 0; list != NULL && i < agw_doc_count(list); i++)
        show_transport(agw_doc_at(list, i));
}

static int run_show(client *c, const char *arg)
{
    agw_doc *reply = ask_about(c, arg);
    if (reply == NULL)
        return c->status;
    if (c->json)
        (void)print_json(reply);
    else
        show_call(arg, reply);
    agw_doc_free(reply);
    return EXIT_OK;
}

/* --- stats and ping ----------------------------------------------------------------------------
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

static int run_stats(client *c, const char *arg)
{
    (void)arg;
    agw_doc *request = request_new("statistics");
    agw_doc_set_str(request, "flags", "memory");
    agw_doc *reply = ask(c, request);
    if (reply == NULL)
        return c->status;
    if (c->json)
        (void)print_json(reply);
    else
        show_stats(agw_doc_get(reply, "statistics"));
    agw_doc_free(reply);
    return EXIT_OK;
}

static int run_ping(client *c, const char *arg)
{
    (void)arg;
    const gint64 before = g_get_monotonic_time();
    agw_doc *reply = ask(c, request_new("ping"));
    if (reply == NULL)
        return c->status;
    if (c->json)
        (void)print_json(reply);
    else
        printf("pong from %s in %.1f ms\n", c->server,
               (double)(g_get_monotonic_time() - before) / 1000);
    agw_doc_free(reply);
    return EXIT_OK;
}

/* --- main --------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    bool wants_arg;
    int (*run)(client *c, const char *arg);
} COMMANDS[] = {
    {"list", false, run_list},
    {"show", true, run_show},
    {"stats", false, run_stats},
    {"ping", false, run_ping},
};

static int usage(const char *what)
{
    fprintf(stderr,
            "agwctl: %s\nusage: agwctl [--server ADDRESS:PORT] [--json] "
            "list | show CALL | stats | ping\n",
            what);
    return EXIT_USAGE;
}

static int run(client *c, char **words)
{
    const guint n = g_strv_length(words);
    for (size_t i = 0; n > 0 && i < G_N_ELEMENTS(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, words[0]) != 0)
            continue;
        if (n != (COMMANDS[i].wants_arg ? 2u : 1u))
            return usage(COMMANDS[i].wants_arg ? "show wants one call-id" : "too many words");
        if (!open_socket(c))
            return c->status;
        return COMMANDS[i].run(c, words[1]);
    }
    return usage(n > 0 ? "no such command" : "a command is missing");
}

static bool parse_options(client *c, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"server", 's', 0, G_OPTION_ARG_STRING, &c->server, "where agwd listens for ng",
         "ADDRESS:PORT"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &c->json, "print the reply as JSON", NULL},
        {"limit", 'l', 0, G_OPTION_ARG_INT, &c->limit, "most calls to list (default 100)", "N"},
        {"timeout", 't', 0, G_OPTION_ARG_INT, &c->timeout_ms,
         "wait so long for each of 3 tries (default 1000)", "MILLISECONDS"},
        {"version", 'v', 0, G_OPTION_ARG_NONE, &c->version, "print the version", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionContext *context = g_option_context_new("list | show CALL | stats | ping");
    GError *error = NULL;
    g_option_context_set_summary(context, "Asks a running media gateway. The address is "
                                          "127.0.0.1:22222 unless told.");
    g_option_context_add_main_entries(context, entries, NULL);
    const bool good = g_option_context_parse(context, argc, argv, &error);
    if (!good)
        (void)usage(error->message);
    g_clear_error(&error);
    g_option_context_free(context);
    return good;
}

int main(int argc, char **argv)
{
    client c = {.timeout_ms = 1000, .limit = 100, .fd = -1};
    int status = EXIT_USAGE;
    const bool good = parse_options(&c, &argc, &argv);
    if (c.server == NULL)
        c.server = g_strdup("127.0.0.1:22222");
    if (good) {
        if (c.version) {
            printf("agwctl of eims-agw %s\n", AGW_VERSION);
            status = EXIT_OK;
        } else {
            status = run(&c, argv + 1);
        }
    }
    if (c.fd >= 0)
        close(c.fd);
    g_free(c.server);
    return status;
}
