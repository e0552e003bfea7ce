/* SPDX-License-Identifier: BSD-3-Clause
 * What backends share: the choice among them, port numbers, the list of ports
 * with ICMP errors. */
#include "net/io.h"

agw_io *agw_io_open(const agw_io_config *config)
{
    const agw_io_backend *backend = config->backend != NULL ? config->backend : &agw_io_udp;
    return backend->open(config);
}

uint32_t agw_io_new_id(agw_io *io)
{
    if (++io->last_id == 0)
        io->last_id = 1;
    return io->last_id;
}

void agw_io_note_icmp(agw_io *io, agw_port *port, const agw_icmp *icmp)
{
    port->icmp = *icmp;
    agw_counter_add(&port->icmp_errors, 1);
    agw_counter_add(&io->icmp_errors, 1);
    if (port->icmp_listed)
        return;
    port->icmp_listed = true;
    port->icmp_next = io->icmp_ports;
    io->icmp_ports = port;
}

agw_port *agw_io_take_icmp(agw_io *io)
{
    agw_port *port = io->icmp_ports;
    if (port == NULL)
        return NULL;
    io->icmp_ports = port->icmp_next;
    port->icmp_next = NULL;
    port->icmp_listed = false;
    return port;
}

void agw_io_forget_icmp(agw_io *io, agw_port *port)
{
    if (!port->icmp_listed)
        return;
    agw_port **link = &io->icmp_ports;
    while (*link != port)
        link = &(*link)->icmp_next;
    *link = port->icmp_next;
    port->icmp_next = NULL;
    port->icmp_listed = false;
}
