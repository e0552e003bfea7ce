/* SPDX-License-Identifier: BSD-3-Clause
 * `agwd --demo`: a page that calls the embedded IMS phone through the real gateway. It speaks to
 * the gateway with the same commands as a signalling node. */
#ifndef AGW_DEMO_DEMO_H
#define AGW_DEMO_DEMO_H

#include "control/command.h"

#include <gio/gio.h>

typedef struct agw_demo agw_demo;

/** Serves the page at addr (port 0: any free one). The call's access and core legs are the first
 * interfaces with the profiles webrtc and ims. certificate: NULL for plain HTTP, which browsers
 * accept on loopback only (getUserMedia wants a secure context). On failure why says the reason. */
AGW_NODISCARD agw_err agw_demo_start(agw_demo **out, agw_control *ctl, const agw_addr *addr,
                                     GTlsCertificate *certificate, char *why, size_t size);
/** Ends its calls, too. NULL is fine. */
void agw_demo_stop(agw_demo *demo);
/** "http://127.0.0.1:8080/" */
const char *agw_demo_url(const agw_demo *demo);

#endif
