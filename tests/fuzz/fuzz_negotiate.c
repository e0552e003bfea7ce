/* SPDX-License-Identifier: BSD-3-Clause
 * A conversation of descriptions through one session on the fake gateway: no crash, what is written
 * is SDP with all m= lines, plans are sound, transports do not leak.
 *
 * Input: messages between lines "%%". The first line of a message is its side (A or B), its kind
 * (o, a, or t: a fragment of trickle ICE) and flags as one string; the rest is SDP. "%r" in front
 * gives up an offer of A, "%rB" one of B. */
#include "control/fake_gateway.h"
#include "control/negotiate.h"

#include <string.h>

enum { MESSAGES_MAX = 12 };

static const uint8_t SEED[16] = "negotiate";

/* A media that stands has both keys, of one suite. */
static void check_keys(const agw_transport_plan *t)
{
    if (t->security != AGW_SECURITY_SDES)
        return;
    AGW_ASSERT(t->key_in.epoch != 0 && t->key_out.epoch != 0);
    AGW_ASSERT(t->key_in.suite != AGW_SRTP_NONE && t->key_in.suite == t->key_out.suite);
}

static void check_end(const agw_plan *plan, const agw_end_plan *end, size_t side)
{
    size_t found = 0;
    for (size_t i = 0; i < plan->n_transports; i++) {
        const agw_transport_plan *t = &plan->transports[i];
        if (t->id != end->transport_id || t->side != side)
            continue;
        found++;
        check_keys(t);
        AGW_ASSERT(t->n_open <= t->n_sources && t->n_sources <= AGW_PLAN_SOURCES_MAX);
    }
    AGW_ASSERT(found == 1 && end->n_pts <= AGW_PLAN_PT_MAX && end->n_ssrcs <= AGW_PLAN_SSRC_MAX);
    for (size_t i = 0; i < end->n_pts; i++)
        AGW_ASSERT(end->pts[i].ingress < 128 && end->pts[i].egress < 128);
}

static void check_plan(const agw_call_ref *call)
{
    const agw_plan *plan = fake_gateway_plan(call);
    AGW_ASSERT(plan != NULL && plan->n_medias <= AGW_PLAN_MEDIA_MAX);
    AGW_ASSERT(plan->n_transports == fake_call_transports(call));
    for (size_t i = 0; i < plan->n_medias; i++) {
        for (size_t side = 0; side < 2; side++)
            check_end(plan, &plan->medias[i].end[side], side);
    }
}

/* What a script writes into it with sdp-attr is the script's. */
static void check_written(const agw_session *s, const agw_flags *flags, const GString *text)
{
    agw_sdp *told = NULL;
    const agw_err err = agw_sdp_parse(&told, text->str, text->len, NULL);
    AGW_ASSERT(err == AGW_OK || flags->edits != NULL);
    if (err != AGW_OK)
        return;
    /* before the first answer, or after it, the session's lines are those of the last message, but
     * for those that a party does not see */
    AGW_ASSERT(agw_session_open(s) || told->n_medias <= agw_session_n_medias(s));
    agw_sdp_free(told);
}

static void take_message(agw_session *s, const agw_call_ref *call, const char *text)
{
    const char *end = strchr(text, '\n');
    if (end == NULL || end - text < 2)
        return;
    if (text[1] == 't') { /* a fragment */
        (void)!agw_session_trickle(s, text[0] == 'B' ? AGW_SIDE_B : AGW_SIDE_A, end + 1,
                                   strlen(end + 1));
        return;
    }
    agw_flags flags;
    const char *why = NULL;
    agw_flags_init(&flags);
    char *words = g_strndup(text + 2, (gsize)(end - text - 2));
    agw_flags_parse_text(&flags, words);
    g_free(words);
    GString *out = g_string_new(NULL);
    const agw_err err = agw_negotiate(s, text[0] == 'B' ? AGW_SIDE_B : AGW_SIDE_A, text[1] == 'o',
                                      &flags, end + 1, strlen(end + 1), out, &why);
    AGW_ASSERT(err == AGW_OK || (why != NULL && out->len == 0));
    if (err == AGW_OK && out->len > 0 && !agw_session_looped(s)) {
        check_written(s, &flags, out);
        check_plan(call);
    }
    g_string_free(out, TRUE);
    agw_flags_fini(&flags);
}

static void look(agw_session *s)
{
    for (size_t i = 0; i < agw_session_n_medias(s); i++) {
        agw_media_view view;
        agw_session_media(s, AGW_SIDE_A, i, &view);
        agw_session_media(s, AGW_SIDE_B, i, &view);
        AGW_ASSERT(view.codec != NULL && view.protocol != NULL && view.interface != NULL);
    }
}

static void converse(agw_session *s, const agw_call_ref *call, const char *text)
{
    char **messages = g_strsplit(text, "%%\n", MESSAGES_MAX);
    for (char **m = messages; *m != NULL; m++) {
        if (g_str_has_prefix(*m, "%r"))
            agw_session_rollback(s, (*m)[2] == 'B' ? AGW_SIDE_B : AGW_SIDE_A);
        else
            take_message(s, call, *m);
        look(s);
    }
    g_strfreev(messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    agw_config config;
    agw_gateway *gw = NULL;
    agw_call_ref *call = NULL;
    char why[128];
    if (size == 0)
        return 0;
    agw_config_init(&config);
    fake_gateway_config(&config.gateway);
    if (data[0] != 'n') { /* else without profiles */
        config.profiles[0] = AGW_REALM_WEBRTC;
        config.profiles[1] = data[0] == 's' ? AGW_REALM_SIP : AGW_REALM_IMS;
    }
    AGW_ASSERT(agw_gateway_new(&gw, &config.gateway, why, sizeof why) == AGW_OK);
    AGW_ASSERT(agw_gateway_call_new(gw, "fuzz", NULL, &call) == AGW_OK);
    agw_session *s = agw_session_new(&config, gw, call, SEED);
    char *text = g_strndup((const char *)data + 1, size - 1);
    converse(s, call, text);
    g_free(text);
    agw_session_free(s);
    agw_gateway_free(gw);
    agw_config_fini(&config);
    return 0;
}
