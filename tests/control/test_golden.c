/* SPDX-License-Identifier: BSD-3-Clause
 * Runs every case of tests/control/golden/ through agw_negotiate() on the fake gateway: the written
 * descriptions must be those expected, and obey sdp_rules.h. An argument runs that case alone and
 * shows what was written. */
#include "codecs/codec.h"
#include "control/fake_gateway.h"
#include "control/flags.h"
#include "control/golden_file.h"
#include "control/negotiate.h"
#include "control/ng.h"
#include "control/sdp_rules.h"

#include <stdio.h>
#include <string.h>

static const uint8_t SEED[16] = {7};

typedef struct run {
    const golden_case *c;
    bool show;
    agw_config config;
    agw_gateway *gw;
    agw_call_ref *call;
    agw_session *session;
    GHashTable *bindings;
    char *said[2];  /* last message of A and B */
    char *told[2];  /* last description written for A and B */
    char *stood[2]; /* the same, of the last exchange that was completed */
    GString *out;   /* what is wrong */
} run;

static const char *const ERR_NAMES[] = {[-AGW_ERR_MALFORMED] = "malformed",
                                        [-AGW_ERR_UNSUPPORTED] = "unsupported",
                                        [-AGW_ERR_STATE] = "state",
                                        [-AGW_ERR_LIMIT] = "limit",
                                        [-AGW_ERR_NOT_FOUND] = "not-found"};

static const char *err_name(agw_err err)
{
    const size_t i = (size_t)-err;
    return i < G_N_ELEMENTS(ERR_NAMES) && ERR_NAMES[i] != NULL ? ERR_NAMES[i] : agw_err_text(err);
}

static void set_realm(agw_config *config, const char *prefix, size_t interface)
{
    agw_realm_prefix *realm = &config->realms[config->n_realms++];
    AGW_ASSERT(agw_prefix_parse(&realm->prefix, prefix) == AGW_OK);
    realm->interface = interface;
}

/* "opus PCMA" as bits, whatever this build can convert. */
static uint32_t transcode_of(const char *codecs)
{
    char **names = g_strsplit(codecs != NULL ? codecs : "", " ", -1);
    uint32_t bits = 0;
    for (int id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        const char *name = agw_codec_info_of((agw_codec_id)id)->name;
        if (g_strv_contains((const char *const *)names, name))
            bits |= UINT32_C(1) << id;
    }
    g_strfreev(names);
    return bits;
}

/* Two interfaces as in the fake gateway; the IMS is 10.2.0.0/16 and fd00:2::/32. */
static void start(run *r)
{
    char why[128] = "";
    agw_config_init(&r->config);
    r->config.transcode = transcode_of(r->c->codecs);
    fake_gateway_config(&r->config.gateway);
    r->config.profiles[0] = AGW_REALM_WEBRTC;
    r->config.profiles[1] = AGW_REALM_IMS;
    set_realm(&r->config, "10.2.0.0/16", 1);
    set_realm(&r->config, "fd00:2::/32", 1);
    AGW_ASSERT(agw_gateway_new(&r->gw, &r->config.gateway, why, sizeof why) == AGW_OK);
    AGW_ASSERT(agw_gateway_call_new(r->gw, r->c->name, NULL, &r->call) == AGW_OK);
    r->session = agw_session_new(&r->config, r->gw, r->call, SEED);
    r->bindings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void stop(run *r)
{
    g_free(r->said[0]);
    g_free(r->said[1]);
    g_free(r->told[0]);
    g_free(r->told[1]);
    g_free(r->stood[0]);
    g_free(r->stood[1]);
    g_hash_table_destroy(r->bindings);
    agw_session_free(r->session);
    agw_gateway_call_free(r->gw, r->call);
    agw_gateway_free(r->gw);
    agw_config_fini(&r->config);
}

static bool read_flags(agw_flags *flags, const golden_step *s, GString *out)
{
    agw_ng_format format;
    const char *why = NULL;
    agw_doc *doc = agw_ng_parse(s->request, strlen(s->request), &format, &why);
    if (doc == NULL) {
        g_string_append_printf(out, "  request: %s\n", why);
        return false;
    }
    agw_flags_init(flags);
    agw_flags_parse(flags, doc);
    agw_doc_free(doc);
    return true;
}

static void check_rules(run *r, const golden_step *s, int to, const char *sdp)
{
    sdp_rules_syntax(sdp, r->out);
    if (strcmp(r->c->realm[to], "access") == 0)
        sdp_rules_webrtc(sdp, !s->reads_offer, r->out);
    else
        sdp_rules_ims(sdp, strstr(s->request, "rtcp-mux") != NULL, r->out);
    if (!s->reads_offer && r->said[to] != NULL)
        sdp_rules_answer(r->said[to], sdp, r->out);
    if (r->told[to] != NULL)
        sdp_rules_version(r->told[to], sdp, r->out);
    if (r->stood[to] != NULL)
        sdp_rules_succession(r->stood[to], sdp, r->out);
}

static void check_written(run *r, const golden_step *s, int to, const char *sdp)
{
    golden_compare(s->expect, sdp, r->bindings, r->out);
    check_rules(r, s, to, sdp);
    g_free(r->told[to]);
    r->told[to] = g_strdup(sdp);
    for (int side = 0; side < 2 && !s->reads_offer; side++) {
        g_free(r->stood[side]);
        r->stood[side] = g_strdup(r->told[side]);
    }
}

static void run_message(run *r, const golden_step *s)
{
    agw_flags flags;
    const char *why = "";
    const int from = s->side - 'A';
    if (!read_flags(&flags, s, r->out))
        return;
    GString *written = g_string_new(NULL);
    char *sdp = golden_fill(s->sdp, r->bindings);
    const agw_err err = agw_negotiate(r->session, (agw_side)from, s->is_offer, &flags, sdp,
                                      strlen(sdp), written, &why);
    const char *result = err == AGW_OK ? "ok" : err_name(err);
    if (r->show)
        printf("--- %s from %c: %s %s\n%s", s->is_offer ? "offer" : "answer", s->side, result,
               err != AGW_OK ? why : "", written->str);
    if (strcmp(result, s->refused != NULL ? s->refused : "ok") != 0)
        g_string_append_printf(r->out, "  result %s (%s)\n", result, why);
    if (err == AGW_OK) {
        g_free(r->said[from]);
        r->said[from] = g_strdup(sdp);
        if (s->refused == NULL)
            check_written(r, s, 1 - from, written->str);
    }
    g_free(sdp);
    g_string_free(written, TRUE);
    agw_flags_fini(&flags);
}

static bool run_case(const char *path, bool show)
{
    run r = {.show = show, .out = g_string_new(NULL)};
    golden_case *c = golden_read(path, r.out);
    r.c = c;
    if (c != NULL) {
        start(&r);
        for (guint i = 0; i < c->steps->len; i++) {
            const golden_step *s = g_ptr_array_index(c->steps, i);
            const gsize before = r.out->len;
            if (s->rollback) {
                agw_session_rollback(r.session, AGW_SIDE_A);
                agw_session_rollback(r.session, AGW_SIDE_B);
            } else {
                run_message(&r, s);
            }
            if (r.out->len != before)
                g_string_append_printf(r.out, "    (%s:%u)\n", c->name, s->line);
        }
        stop(&r);
    }
    const bool good = r.out->len == 0;
    if (!good)
        printf("FAILED %s\n%s", path, r.out->str);
    g_string_free(r.out, TRUE);
    golden_free(c);
    return good;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    const char *folder = AGW_TEST_DIR "/control/golden";
    GDir *dir = g_dir_open(folder, 0, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    unsigned passed = 0, failed = 0;
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (g_str_has_suffix(name, ".golden") && (argc < 2 || strstr(name, argv[1]) != NULL))
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++) {
        if (run_case(g_ptr_array_index(names, i), argc > 1))
            passed++;
        else
            failed++;
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_ptr_array_free(names, TRUE);
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
    return passed == 0 || failed != 0;
}
