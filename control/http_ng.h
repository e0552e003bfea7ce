/* SPDX-License-Identifier: BSD-3-Clause
 * The ng protocol over HTTP: POST /ng (cookie and document), POST /ng-plain (document only), GET
 * /ping; GET /metrics, for the same askers; and WebSockets on every path with rtpengine's two
 * subprotocols, on which subscribed events are pushed. */
#ifndef AGW_CONTROL_HTTP_NG_H
#define AGW_CONTROL_HTTP_NG_H

#include "control/http.h"
#include "control/server.h"

/** server is borrowed as long as http lives. */
void agw_http_ng_mount(agw_http *http, agw_server *server);

#endif
