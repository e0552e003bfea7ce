/* SPDX-License-Identifier: BSD-3-Clause
 * Ends a dialogue at the signalling node by a remote procedure call over HTTP: JSON-RPC (Kamailio's
 * jsonrpcs) or XML-RPC (rtpengine's b2b-url). The reply is looked at for its status alone. */
#ifndef AGW_CONTROL_RPC_H
#define AGW_CONTROL_RPC_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum agw_rpc_form {
    AGW_RPC_XML_SEMS,     /* di(sbc, postControlCmd, TAG, teardown); xmlrpc-format=0 */
    AGW_RPC_XML_CALL_ID,  /* teardown(CALL-ID); xmlrpc-format=1 */
    AGW_RPC_XML_KAMAILIO, /* dlg.terminate_dlg(CALL-ID, FROM-TAG, TO-TAG); xmlrpc-format=2 */
    AGW_RPC_JSON,         /* the same as JSON-RPC 2.0 */
} agw_rpc_form;

/** The dialogue; borrowed, never NULL. */
typedef struct agw_rpc_dialog {
    const char *call_id, *from_tag, *to_tag;
} agw_rpc_dialog;

/** The body of one request; id is for JSON-RPC. To be freed with g_string_free(). */
GString *agw_rpc_write(agw_rpc_form form, const agw_rpc_dialog *dialog, uint64_t id);

typedef struct agw_rpc agw_rpc;

/** Never NULL. */
agw_rpc *agw_rpc_new(void);
/** What is under way is given up. NULL is fine. */
void agw_rpc_free(agw_rpc *rpc);

/** Sends it in the default main context; a node that does not answer, or with a 5xx status, is
 * asked again after 1, 2, 4, 8 and 16 s, then it is lost. At most 1024 are under way at a time.
 * url: "http://10.0.0.1:5060/RPC". */
void agw_rpc_send(agw_rpc *rpc, const char *url, agw_rpc_form form, const agw_rpc_dialog *dialog,
                  uint64_t id);
uint64_t agw_rpc_lost(const agw_rpc *rpc);
/** Requests under way. */
size_t agw_rpc_count(const agw_rpc *rpc);

#endif
