/* SPDX-License-Identifier: BSD-3-Clause
 * The asking side of ng over UDP, for agwctl: one socket, requests in JSON. */
#ifndef AGW_CONTROL_CLIENT_H
#define AGW_CONTROL_CLIENT_H

#include "control/ng.h"

/** What agwctl exits with. */
enum {
    AGW_EXIT_OK = 0,
    AGW_EXIT_REFUSED = 1, /* the gateway said no */
    AGW_EXIT_USAGE = 2,
    AGW_EXIT_NO_ANSWER = 3,
};

typedef struct agw_client {
    char *server;   /* "ADDRESS:PORT"; the caller's */
    int timeout_ms; /* of each of three tries */
    int fd;         /* -1 = not open; the caller closes it */
    int status;     /* what to exit with */
} agw_client;

/** false: the reason was printed, and status tells. */
bool agw_client_open(agw_client *c);
/** The reply to be freed; NULL: none came. */
agw_doc *agw_client_try(const agw_client *c, const agw_doc *request);
/** The reply of a command that went well, to be freed; NULL: the reason was printed, and status
 * tells. Takes request. */
agw_doc *agw_client_ask(agw_client *c, agw_doc *request);

#endif
