/* SPDX-License-Identifier: BSD-3-Clause
 * One WebSocket is one call. From the page: {"type":"call","sdp":...}, {"type":"hangup"}.
 * To the page: "answer" (all four SDPs), "stats" twice a second, "error". */
#include "demo/demo.h"

#include "base/rand.h"
#include "control/http.h"
#include "control/json.h"
#include "demo/phone.h"

#include <stdio.h>
#include <string.h>

enum {
    STATS_EVERY_MS = 500,
    ID_LEN = 16,
    MESSAGE_MAX = 65536,
    CALLS_MAX = 8,
};

typedef struct call {
    agw_demo *demo;
    agw_websocket *ws;
    agw_phone *phone;
    char call_id[ID_LEN + 8], from_tag[ID_LEN + 1], to_tag[ID_LEN + 1];
    bool placed; /* the gateway knows it */
    guint stats_source;
} call;

struct agw_demo {
    agw_control *ctl;
    agw_http *http;
    GPtrArray *pages; /* GBytes that the server lends out */
    const char *access, *core;
    agw_addr core_ip;
    unsigned n_calls;
};

static void send_doc(call *c, agw_doc *doc)
{
    GString *text = g_string_new(NULL);
    agw_json_write(text, doc);
    agw_websocket_send(c->ws, text->str, text->len, true);
    g_string_free(text, TRUE);
    agw_doc_free(doc);
}

static void send_error(call *c, const char *reason)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "type", "error");
    agw_doc_set_str(doc, "reason", reason);
    send_doc(c, doc);
}

/* --- as a signalling node would
 * ------------------------------------------------------------------- */

static agw_doc *command(const call *c, const char *name)
{
    agw_doc *request = agw_doc_new_dict();
    agw_doc_set_str(request, "command", name);
    agw_doc_set_str(request, "call-id", c->call_id);
    agw_doc_set_str(request, "from-tag", c->from_tag);
    return request;
}

static agw_doc *run(const call *c, agw_doc *request)
{
    agw_doc *reply = agw_command_run(c->demo->ctl, request, NULL, agw_clock_now());
    agw_doc_free(request);
    return reply;
}

/* The rewritten SDP; NULL: *reply says why. */
static const char *exchange(const call *c, const char *name, const char *sdp, agw_doc **reply)
{
    agw_doc *request = command(c, name);
    agw_doc_set_str(request, "sdp", sdp);
    if (strcmp(name, "answer") == 0)
        agw_doc_set_str(request, "to-tag", c->to_tag);
    agw_doc *direction = agw_doc_set(request, "direction", agw_doc_new_list());
    agw_doc_add_str(direction, c->demo->access);
    agw_doc_add_str(direction, c->demo->core);
    *reply = run(c, request);
    return agw_doc_str(*reply, "sdp");
}

static gboolean push_stats(gpointer arg)
{
    call *c = arg;
    static const char *const STAGES[] = {"ringing", "tones", "echo"};
    agw_phone_stats stats;
    agw_phone_get_stats(c->phone, &stats);
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "type", "stats");
    agw_doc *phone = agw_doc_set(doc, "phone", agw_doc_new_dict());
    agw_doc_set_str(phone, "stage", STAGES[stats.stage]);
    agw_doc_set_int(phone, "rtp-in", (int64_t)stats.rtp_in);
    agw_doc_set_int(phone, "rtp-out", (int64_t)stats.rtp_out);
    agw_doc_set_int(phone, "rtcp-in", (int64_t)stats.rtcp_in);
    agw_doc_set_int(phone, "rtcp-out", (int64_t)stats.rtcp_out);
    agw_doc_set_int(phone, "lost", stats.lost_in);
    agw_doc_set_int(phone, "level", (int64_t)(stats.level_in * 1000));
    agw_doc_set(doc, "query", run(c, command(c, "query")));
    send_doc(c, doc);
    return G_SOURCE_CONTINUE;
}

static void send_answer(call *c, const char *answer, const char *core_offer,
                        const char *core_answer)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "type", "answer");
    agw_doc_set_str(doc, "call-id", c->call_id);
    agw_doc_set_str(doc, "sdp", answer);
    agw_doc_set_str(doc, "core-offer", core_offer);
    agw_doc_set_str(doc, "core-answer", core_answer);
    send_doc(c, doc);
}

static const char *reason_of(const agw_doc *reply)
{
    const char *reason = agw_doc_str(reply, "error-reason");
    return reason != NULL ? reason : "the gateway refused the call";
}

static void answer_with_phone(call *c, const char *core_offer)
{
    agw_doc *reply = NULL;
    char *core_answer = NULL;
    if (agw_phone_new(&c->phone, &c->demo->core_ip) == AGW_OK)
        core_answer = agw_phone_answer(c->phone, core_offer);
    if (core_answer == NULL) {
        send_error(c, "the phone speaks PCMA only, and the offer has none");
        return;
    }
    const char *answer = exchange(c, "answer", core_answer, &reply);
    if (answer != NULL) {
        send_answer(c, answer, core_offer, core_answer);
        c->stats_source = g_timeout_add(STATS_EVERY_MS, push_stats, c);
    } else {
        send_error(c, reason_of(reply));
    }
    agw_doc_free(reply);
    g_free(core_answer);
}

static void place(call *c, const char *sdp)
{
    agw_doc *reply;
    snprintf(c->call_id, sizeof c->call_id, "demo-");
    agw_rand_text(c->call_id + strlen("demo-"), ID_LEN);
    agw_rand_text(c->from_tag, ID_LEN);
    agw_rand_text(c->to_tag, ID_LEN);
    const char *core_offer = exchange(c, "offer", sdp, &reply);
    if (core_offer != NULL) {
        c->placed = true;
        answer_with_phone(c, core_offer);
    } else {
        send_error(c, reason_of(reply));
    }
    agw_doc_free(reply);
}

static void hang_up(call *c)
{
    if (c->stats_source != 0)
        g_source_remove(c->stats_source);
    c->stats_source = 0;
    agw_phone_free(c->phone);
    c->phone = NULL;
    if (!c->placed)
        return;
    c->placed = false;
    agw_doc *request = command(c, "delete");
    agw_doc_set_int(request, "delete-delay", 0);
    agw_doc_free(run(c, request));
}

/* --- the page's WebSocket
 * ------------------------------------------------------------------------------ */

static void on_opened(agw_websocket *ws, void *arg)
{
    agw_demo *demo = arg;
    if (demo->n_calls == CALLS_MAX) {
        agw_websocket_close(ws);
        return;
    }
    call *c = g_new0(call, 1);
    c->demo = demo;
    c->ws = ws;
    demo->n_calls++;
    agw_websocket_set_state(ws, c);
}

static void on_message(agw_websocket *ws, const char *data, size_t len, bool text, void *arg)
{
    (void)arg;
    call *c = agw_websocket_state(ws);
    const char *why;
    if (c == NULL || !text || len > MESSAGE_MAX)
        return;
    agw_doc *doc = agw_json_parse(data, len, &why);
    const char *type = agw_doc_str(doc, "type");
    const char *sdp = agw_doc_str(doc, "sdp");
    if (g_strcmp0(type, "hangup") == 0)
        hang_up(c);
    else if (g_strcmp0(type, "call") == 0 && sdp != NULL && !c->placed)
        place(c, sdp);
    else
        send_error(c, "not a message of the demo");
    agw_doc_free(doc);
}

static void on_closed(agw_websocket *ws, void *arg)
{
    agw_demo *demo = arg;
    call *c = agw_websocket_state(ws);
    if (c == NULL)
        return;
    hang_up(c);
    g_free(c);
    demo->n_calls--;
}

static const agw_websocket_handler HANDLER = {on_opened, on_message, on_closed};

/* --- life
 * ------------------------------------------------------------------------------------------------
 */

static agw_err pick_interfaces(agw_demo *demo, char *why, size_t size)
{
    const agw_config *config = demo->ctl->config;
    const int access = agw_config_interface_of_profile(config, AGW_REALM_WEBRTC);
    const int core = agw_config_interface_of_profile(config, AGW_REALM_IMS);
    if (access < 0 || core < 0) {
        snprintf(why, size,
                 "the demo needs an interface with profile webrtc and one with profile ims");
        return AGW_ERR_NOT_FOUND;
    }
    const agw_interface *i = &config->gateway.interfaces[core];
    demo->access = config->gateway.interfaces[access].name;
    demo->core = i->name;
    demo->core_ip = agw_addr_is_set(&i->ip4) ? i->ip4 : i->ip6;
    return AGW_OK;
}

static agw_err add_page(agw_demo *demo, const char *path, const char *type, const char *resource)
{
    GBytes *bytes = g_resources_lookup_data(resource, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (bytes == NULL)
        return AGW_ERR_NOT_FOUND;
    gsize len;
    const void *data = g_bytes_get_data(bytes, &len);
    g_ptr_array_add(demo->pages, bytes);
    agw_http_static(demo->http, path, type, data, len);
    return AGW_OK;
}

static agw_err add_pages(agw_demo *demo)
{
    static const char *const PAGES[][3] = {
        {"/", "text/html; charset=utf-8", "/demo/index.html"},
        {"/demo.css", "text/css; charset=utf-8", "/demo/demo.css"},
        {"/demo.js", "text/javascript; charset=utf-8", "/demo/demo.js"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(PAGES); i++) {
        const agw_err err = add_page(demo, PAGES[i][0], PAGES[i][1], PAGES[i][2]);
        if (err != AGW_OK)
            return err;
    }
    agw_http_header(demo->http, "Content-Security-Policy",
                    "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; "
                    "media-src 'self' blob: mediastream:");
    agw_http_header(demo->http, "X-Content-Type-Options", "nosniff");
    agw_http_on_websocket(demo->http, "/call", NULL, &HANDLER, demo);
    return AGW_OK;
}

agw_err agw_demo_start(agw_demo **out, agw_control *ctl, const agw_addr *addr,
                       GTlsCertificate *certificate, char *why, size_t size)
{
    agw_demo *demo = g_new0(agw_demo, 1);
    demo->ctl = ctl;
    demo->pages = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    agw_err err = pick_interfaces(demo, why, size);
    if (err == AGW_OK)
        err = agw_http_new(&demo->http, addr, certificate, why, size);
    if (err == AGW_OK) {
        err = add_pages(demo);
        if (err != AGW_OK)
            snprintf(why, size, "the page is missing from the program");
    }
    if (err != AGW_OK) {
        agw_demo_stop(demo);
        return err;
    }
    *out = demo;
    return AGW_OK;
}

void agw_demo_stop(agw_demo *demo)
{
    if (demo == NULL)
        return;
    agw_http_free(demo->http);
    g_ptr_array_unref(demo->pages);
    g_free(demo);
}

const char *agw_demo_url(const agw_demo *demo)
{
    return agw_http_url(demo->http);
}
