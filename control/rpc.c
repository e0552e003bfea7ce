/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rpc.h"

#include "base/log.h"
#include "control/json.h"

#include <libsoup/soup.h>
#include <string.h>

enum {
    UNDER_WAY_MAX = 1024,
    TRIES_MAX = 6,
    PATIENCE_S = 5, /* for one reply */
    CONNECTIONS_MAX = 16,
};

struct agw_rpc {
    SoupSession *session;
    GCancellable *stop;
    GQueue under_way; /* of request */
    bool stopping;
    uint64_t lost;
};

typedef struct request {
    agw_rpc *rpc;
    GList link;
    char *url, *call_id;
    char *shown; /* of url, without user and password, for the log */
    const char *type;
    GBytes *body;
    SoupMessage *msg; /* of the present try */
    guint tries, timer;
} request;

/* --- bodies ------------------------------------------------------------------------------------
 */

static const char TERMINATE[] = "dlg.terminate_dlg";

static void write_json(GString *out, const agw_rpc_dialog *dialog, uint64_t id)
{
    agw_doc *doc = agw_doc_new_dict();
    agw_doc_set_str(doc, "jsonrpc", "2.0");
    agw_doc_set_str(doc, "method", TERMINATE);
    agw_doc *params = agw_doc_set(doc, "params", agw_doc_new_list());
    agw_doc_add_str(params, dialog->call_id);
    agw_doc_add_str(params, dialog->from_tag);
    agw_doc_add_str(params, dialog->to_tag);
    agw_doc_set_int(doc, "id", (int64_t)id);
    agw_json_write(out, doc);
    agw_doc_free(doc);
}

static void write_xml(GString *out, const char *method, const char *const *params)
{
    g_string_append_printf(out,
                           "<?xml version=\"1.0\"?>\r\n<methodCall><methodName>%s</methodName>"
                           "<params>",
                           method);
    for (; *params != NULL; params++) {
        char *text = g_utf8_make_valid(*params, -1);
        char *escaped = g_markup_escape_text(text, -1);
        g_string_append_printf(out, "<param><value><string>%s</string></value></param>", escaped);
        g_free(escaped);
        g_free(text);
    }
    g_string_append(out, "</params></methodCall>\r\n");
}

GString *agw_rpc_write(agw_rpc_form form, const agw_rpc_dialog *dialog, uint64_t id)
{
    GString *out = g_string_new(NULL);
    const char *const sems[] = {"sbc", "postControlCmd", dialog->from_tag, "teardown", NULL};
    const char *const kamailio[] = {dialog->call_id, dialog->from_tag, dialog->to_tag, NULL};
    const char *const call_id[] = {dialog->call_id, NULL};
    switch (form) {
    case AGW_RPC_XML_SEMS:
        write_xml(out, "di", sems);
        break;
    case AGW_RPC_XML_CALL_ID:
        write_xml(out, "teardown", call_id);
        break;
    case AGW_RPC_XML_KAMAILIO:
        write_xml(out, TERMINATE, kamailio);
        break;
    case AGW_RPC_JSON:
        write_json(out, dialog, id);
        break;
    }
    return out;
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void start_try(request *r);

static void request_free(request *r)
{
    g_queue_unlink(&r->rpc->under_way, &r->link);
    if (r->timer != 0)
        g_source_remove(r->timer);
    g_clear_object(&r->msg);
    g_bytes_unref(r->body);
    g_free(r->call_id);
    g_free(r->url);
    g_free(r->shown);
    g_free(r);
}

static gboolean on_timer(gpointer data)
{
    request *r = data;
    r->timer = 0;
    start_try(r);
    return G_SOURCE_REMOVE;
}

static void try_failed(request *r, const char *why)
{
    g_clear_object(&r->msg);
    if (r->tries < TRIES_MAX) {
        r->timer = g_timeout_add_seconds(1U << (r->tries - 1), on_timer, r);
        return;
    }
    r->rpc->lost++;
    agw_log(AGW_LOG_WARN, r->call_id, "%s was not told of the end: %s", r->shown, why);
    request_free(r);
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
    request *r = data;
    GError *error = NULL;
    GInputStream *stream = soup_session_send_finish(SOUP_SESSION(source), result, &error);
    if (stream != NULL)
        g_object_unref(stream); /* closes the connection: nobody reads the reply */
    const guint status = stream != NULL ? soup_message_get_status(r->msg) : 0;
    if (r->rpc->stopping) {
        request_free(r);
    } else if (status == 0 || SOUP_STATUS_IS_SERVER_ERROR(status)) {
        try_failed(r, error != NULL ? error->message : soup_status_get_phrase(status));
    } else {
        agw_log(AGW_LOG_INFO, r->call_id, "%s was told of the end: %u", r->shown, status);
        request_free(r);
    }
    g_clear_error(&error);
}

static void start_try(request *r)
{
    r->tries++;
    r->msg = soup_message_new("POST", r->url);
    soup_message_set_request_body_from_bytes(r->msg, r->type, r->body);
    soup_message_add_flags(r->msg, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
    soup_message_headers_replace(soup_message_get_request_headers(r->msg), "Connection", "close");
    soup_session_send_async(r->rpc->session, r->msg, G_PRIORITY_DEFAULT, r->rpc->stop, on_reply, r);
}

static bool is_http(GUri *uri)
{
    return strcmp(g_uri_get_scheme(uri), "http") == 0 && g_uri_get_host(uri) != NULL &&
           *g_uri_get_host(uri) != '\0';
}

/* As the log may show it; NULL: it is no http URL. */
static char *shown_url(const char *url)
{
    GUri *uri = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    if (uri == NULL)
        return NULL;
    char *shown = is_http(uri) ? g_uri_to_string_partial(uri, G_URI_HIDE_USERINFO) : NULL;
    g_uri_unref(uri);
    return shown;
}

void agw_rpc_send(agw_rpc *rpc, const char *url, agw_rpc_form form, const agw_rpc_dialog *dialog,
                  uint64_t id)
{
    char *shown = rpc->under_way.length < UNDER_WAY_MAX ? shown_url(url) : NULL;
    if (shown == NULL) {
        rpc->lost++;
        return;
    }
    request *r = g_new0(request, 1);
    r->rpc = rpc;
    r->link.data = r;
    r->url = g_strdup(url);
    r->shown = shown;
    r->call_id = g_strdup(dialog->call_id);
    r->type = form == AGW_RPC_JSON ? "application/json" : "text/xml";
    r->body = g_string_free_to_bytes(agw_rpc_write(form, dialog, id));
    g_queue_push_tail_link(&rpc->under_way, &r->link);
    start_try(r);
}

agw_rpc *agw_rpc_new(void)
{
    agw_rpc *rpc = g_new0(agw_rpc, 1);
    g_queue_init(&rpc->under_way);
    rpc->stop = g_cancellable_new();
    rpc->session =
        soup_session_new_with_options("timeout", PATIENCE_S, "max-conns", CONNECTIONS_MAX,
                                      "max-conns-per-host", CONNECTIONS_MAX, NULL);
    soup_session_set_user_agent(rpc->session, "eims-agw");
    soup_session_set_proxy_resolver(rpc->session, NULL);
    return rpc;
}

/* A request that waits for its reply ends when the library has let go of it. */
void agw_rpc_free(agw_rpc *rpc)
{
    if (rpc == NULL)
        return;
    rpc->stopping = true;
    g_cancellable_cancel(rpc->stop);
    for (request *r; (r = g_queue_peek_head(&rpc->under_way)) != NULL;) {
        if (r->timer != 0)
            request_free(r);
        else
            (void)g_main_context_iteration(NULL, TRUE);
    }
    g_object_unref(rpc->stop);
    g_object_unref(rpc->session);
    g_free(rpc);
}

uint64_t agw_rpc_lost(const agw_rpc *rpc)
{
    return rpc->lost;
}

size_t agw_rpc_count(const agw_rpc *rpc)
{
    return rpc->under_way.length;
}
