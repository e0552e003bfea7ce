/* SPDX-License-Identifier: BSD-3-Clause
 * The core ports of one local address: a range, handed out as RTP/RTCP pairs or singly, with some
 * sockets open in advance (opening one costs 13-18 us). One thread owns it (control). */
#ifndef AGW_NET_PORTS_H
#define AGW_NET_PORTS_H

#include "base/addr.h"
#include "base/err.h"
#include "net/port.h"

#include <stddef.h>
#include <stdint.h>

typedef struct agw_ports agw_ports;

typedef struct agw_ports_config {
    agw_addr address;            /* the port in it is ignored */
    uint16_t port_min, port_max; /* both included */
    size_t low, high;            /* pairs kept open in advance: refilled to high when below low */
    uint8_t tos;                 /* of a port that is handed out */
    size_t buffer_bytes;         /* receive buffer of each; 0 = the system's */
} agw_ports_config;

typedef struct agw_ports_stats {
    size_t total;        /* ports that the range holds in pairs */
    size_t used;         /* handed out now */
    size_t free;         /* total - used; somebody else may hold some of them */
    size_t ready;        /* whole pairs that are open and free */
    uint64_t foreign;    /* times a port was skipped because somebody else holds it */
    uint64_t opened;     /* sockets opened so far */
    uint64_t in_a_hurry; /* of these: while taking, as nothing was ready (raise low) */
} agw_ports_stats;

/** Opens nothing yet: call agw_ports_refill(). seed: random; decides the order of ports.
 * AGW_ERR_LIMIT: no even port with its odd neighbour in the range, or memory is short. */
AGW_NODISCARD agw_err agw_ports_new(agw_ports **out, const agw_ports_config *config, uint32_t seed);
/** Closes every socket, those handed out too: their users must have stopped. */
void agw_ports_free(agw_ports *ports);

/** An even port and the odd one above it, both or none, both given to the caller until
 * agw_ports_give(); each may be given back alone. Nothing that came before is in them. The least
 * recently used ones come first.
 * @return AGW_OK; AGW_ERR_LIMIT when the range is used up or descriptors are short: refuse the
 * call; AGW_ERR_SYSTEM when the system refuses to bind there at all (errno tells) */
AGW_NODISCARD agw_err agw_ports_take_pair(agw_ports *ports, agw_port **rtp, agw_port **rtcp);
/** One port, even or odd, for RTP with multiplexed RTCP. Errors as above. */
AGW_NODISCARD agw_err agw_ports_take(agw_ports *ports, agw_port **port);
/** Must not be in an agw_io any more. */
void agw_ports_give(agw_ports *ports, agw_port *port);

/** Opens or closes up to budget pairs towards the marks; to be called when there is nothing better
 * to do. @return pairs opened or closed; 0 = all is well, or nothing more can be opened. */
size_t agw_ports_refill(agw_ports *ports, size_t budget);

void agw_ports_get_stats(const agw_ports *ports, agw_ports_stats *out);

#endif
