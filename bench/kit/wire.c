/* SPDX-License-Identifier: BSD-3-Clause
 * Receiving: a TPACKET_V2 ring. Its frames can be read one by one as they come, without waiting for
 * a block to fill or to time out, so that a check or a handshake is answered at once; and while
 * nobody sleeps on the socket a frame costs its sender no wake-up.
 * Sending: complete frames, written one behind the other into a small area, up to QUEUE of them in
 * one sendmmsg() past the queueing discipline. */
#include "bench/kit/wire.h"

#include "base/map.h"
#include "base/rand.h"
#include "base/wire.h"
#include "bench/kit/stamp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUE = 64,
    ETH_BYTES = 14,
    IP_BYTES = 20,
    UDP_BYTES = 8,
    HEADERS = ETH_BYTES + IP_BYTES + UDP_BYTES,
    ROOM = 3 * KIT_DATAGRAM_MAX, /* the largest datagram, and once more as fragments */
    AREA = QUEUE * 2048 + ROOM,
    RING_BYTES = 64 << 20, /* 32768 frames: a third of a second at 100 000 packets/s */
    RING_BLOCK = 1 << 20,
    FRAME_MIN = 2048,
    FRAME_MAX = 16384,
    RING_OVERHEAD = 128, /* the kernel's header, addresses, alignment */
    CACHE_LINE = 64,
    TAKE_BATCH = 32, /* frames that are looked up together, so that their memory comes together */
    LOOKUP_MS = 2000,
    LOOKUP_STEP_MS = 2,
};

static const agw_ns TAKE_TIME = AGW_US(300);

typedef struct binding {
    kit_taker taker;
    void *owner;
    struct binding *before, *after;
} binding;

struct kit_wire {
    int rx, tx;
    char interface[IF_NAMESIZE];
    unsigned mtu;
    uint8_t ethernet[ETH_BYTES]; /* the header of all that leaves */
    uint16_t next_id;

    uint8_t *ring;
    size_t frame_bytes, frames, at_frame;
    agw_map *bound; /* agw_addr -> binding */
    binding *first; /* all bindings */
    binding rest;
    uint64_t unbound;     /* how often a binding ended */
    kit_wire_batch batch; /* functions may be NULL */

    size_t queued, used;
    struct mmsghdr messages[QUEUE];
    struct iovec parts[QUEUE];
    uint8_t *area;

    kit_wire_stats stats;
    uint64_t drops_at_open; /* of the interface */
};

/* --- opening -----------------------------------------------------------------------------------
 */

static bool interface_facts(kit_wire *w, int *index, bool *loopback)
{
    struct ifreq r = {.ifr_flags = 0};
    memcpy(r.ifr_name, w->interface, sizeof w->interface);
    if (ioctl(w->tx, SIOCGIFMTU, &r) != 0)
        return false;
    w->mtu = (unsigned)r.ifr_mtu;
    if (ioctl(w->tx, SIOCGIFHWADDR, &r) != 0)
        return false;
    memcpy(w->ethernet + ETH_ALEN, r.ifr_hwaddr.sa_data, ETH_ALEN);
    if (ioctl(w->tx, SIOCGIFFLAGS, &r) != 0)
        return false;
    *loopback = (r.ifr_flags & IFF_LOOPBACK) != 0;
    if (ioctl(w->tx, SIOCGIFINDEX, &r) != 0)
        return false;
    *index = r.ifr_ifindex;
    return true;
}

/* The kernel's ARP table knows a neighbour once something was sent to it. */
static bool look_up_mac(const kit_wire *w, const agw_addr *gateway, uint8_t mac[ETH_ALEN])
{
    agw_addr discard = *gateway;
    discard.port = 9;
    struct sockaddr_storage to;
    const socklen_t to_len = agw_addr_to_sockaddr(&discard, &to);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = false;
    for (int ms = 0; fd >= 0 && !found && ms < LOOKUP_MS; ms += LOOKUP_STEP_MS) {
        struct arpreq r = {.arp_flags = 0};
        memcpy(&r.arp_pa, &to, sizeof r.arp_pa);
        ((struct sockaddr_in *)(void *)&r.arp_pa)->sin_port = 0;
        memcpy(r.arp_dev, w->interface, sizeof r.arp_dev);
        found = ioctl(fd, SIOCGARP, &r) == 0 && (r.arp_flags & ATF_COM) != 0;
        memcpy(mac, r.arp_ha.sa_data, ETH_ALEN);
        if (!found && ms % 100 == 0)
            sendto(fd, "", 0, 0, (const struct sockaddr *)&to, to_len);
        if (!found)
            poll(NULL, 0, LOOKUP_STEP_MS);
    }
    if (fd >= 0)
        close(fd);
    return found;
}

/* UDP over IPv4 (the socket's protocol) whose destination is in the prefix. */
static bool attach_filter(int fd, const agw_prefix *hosts)
{
    const uint32_t mask = hosts->bits == 0 ? 0 : UINT32_MAX << (32 - hosts->bits);
    const uint32_t net = agw_get32(hosts->addr.ip) & mask;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ETH_BYTES + 9), /* protocol */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ETH_BYTES + 16), /* destination */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, net, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool make_ring(kit_wire *w)
{
    w->frame_bytes = FRAME_MIN;
    while (w->frame_bytes < w->mtu + (size_t)RING_OVERHEAD && w->frame_bytes < FRAME_MAX)
        w->frame_bytes *= 2;
    w->frames = RING_BYTES / w->frame_bytes;
    const int version = TPACKET_V2;
    const struct tpacket_req request = {
        .tp_block_size = RING_BLOCK,
        .tp_block_nr = RING_BYTES / RING_BLOCK,
        .tp_frame_size = (unsigned)w->frame_bytes,
        .tp_frame_nr = (unsigned)w->frames,
    };
    if (setsockopt(w->rx, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(w->rx, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
        return false;
    void *ring =
        mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, w->rx, 0);
    w->ring = ring != MAP_FAILED ? ring : NULL;
    return w->ring != NULL;
}

static bool bind_to(int fd, int index, uint16_t protocol)
{
    const struct sockaddr_ll ll = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = index};
    return bind(fd, (const struct sockaddr *)&ll, sizeof ll) == 0;
}

static bool open_rx(kit_wire *w, int index, const agw_prefix *hosts)
{
    const int yes = 1;
    w->rx = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* hears nothing until it is bound */
    return w->rx >= 0 && attach_filter(w->rx, hosts) && make_ring(w) &&
           setsockopt(w->rx, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) == 0 &&
           bind_to(w->rx, index, ETH_P_IP);
}

static bool open_tx(kit_wire *w)
{
    const int yes = 1;
    const int bytes = 8 << 20;
    w->tx = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (w->tx < 0 || setsockopt(w->tx, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0)
        return false;
    if (setsockopt(w->tx, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(w->tx, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return true;
}

/* Frames that the interface dropped on their way out: the 12th number behind its name. */
static uint64_t interface_drops(const kit_wire *w)
{
    FILE *f = fopen("/proc/thread-self/net/dev", "re");
    char line[512];
    uint64_t dropped = 0;
    const size_t len = strlen(w->interface);
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *name = line + strspn(line, " ");
        if (strncmp(name, w->interface, len) != 0 || name[len] != ':')
            continue;
        char *at = line + (name - line) + len + 1;
        for (int i = 0; i < 12; i++)
            dropped = strtoull(at, &at, 10);
    }
    if (f != NULL)
        fclose(f);
    return dropped;
}

static const char *open_all(kit_wire *w, const agw_prefix *hosts, const agw_addr *gateway)
{
    int index = 0;
    bool loopback = false;
    if (!open_tx(w))
        return "no packet socket (CAP_NET_RAW?)";
    if (!interface_facts(w, &index, &loopback))
        return "no such interface";
    if (!bind_to(w->tx, index, 0) || !open_rx(w, index, hosts))
        return "no packet ring on the interface";
    if (!loopback && !look_up_mac(w, gateway, w->ethernet))
        return "nobody answers ARP for the gateway's address";
    agw_put16(w->ethernet + 2 * ETH_ALEN, ETH_P_IP);
    w->drops_at_open = interface_drops(w);
    return NULL;
}

kit_wire *kit_wire_open(const char *interface, const agw_prefix *hosts, const agw_addr *gateway,
                        const char **why)
{
    kit_wire *w = calloc(1, sizeof *w);
    AGW_ASSERT(w != NULL);
    w->rx = w->tx = -1;
    snprintf(w->interface, sizeof w->interface, "%s", interface);
    uint8_t seed[16];
    agw_rand_bytes(seed, sizeof seed);
    w->bound = agw_map_new(sizeof(agw_addr), seed);
    w->area = malloc(AREA);
    AGW_ASSERT(w->bound != NULL && w->area != NULL);
    for (size_t i = 0; i < QUEUE; i++)
        w->messages[i].msg_hdr = (struct msghdr){.msg_iov = &w->parts[i], .msg_iovlen = 1};
    *why = open_all(w, hosts, gateway);
    if (*why == NULL)
        return w;
    kit_wire_close(w);
    return NULL;
}

void kit_wire_close(kit_wire *wire)
{
    if (wire == NULL)
        return;
    if (wire->ring != NULL)
        munmap(wire->ring, RING_BYTES);
    if (wire->rx >= 0)
        close(wire->rx);
    if (wire->tx >= 0)
        close(wire->tx);
    agw_map_free(wire->bound);
    for (binding *b = wire->first, *after; b != NULL; b = after) {
        after = b->after;
        free(b);
    }
    free(wire->area);
    free(wire);
}

/* --- who gets what -----------------------------------------------------------------------------
 */

void kit_wire_bind(kit_wire *wire, const agw_addr *local, kit_taker taker, void *owner)
{
    binding *b = agw_map_get(wire->bound, local);
    if (b == NULL) {
        b = calloc(1, sizeof *b);
        AGW_ASSERT(b != NULL);
        agw_map_put(wire->bound, local, b);
        b->after = wire->first;
        if (b->after != NULL)
            b->after->before = b;
        wire->first = b;
    }
    b->taker = taker;
    b->owner = owner;
}

void kit_wire_unbind(kit_wire *wire, const agw_addr *local)
{
    binding *b = agw_map_remove(wire->bound, local);
    if (b == NULL)
        return;
    wire->unbound++;
    if (b->before != NULL)
        b->before->after = b->after;
    else
        wire->first = b->after;
    if (b->after != NULL)
        b->after->before = b->before;
    free(b);
}

void kit_wire_bind_rest(kit_wire *wire, kit_taker taker, void *owner)
{
    wire->rest = (binding){.taker = taker, .owner = owner};
}

void kit_wire_set_batch(kit_wire *wire, const kit_wire_batch *batch)
{
    wire->batch = batch != NULL ? *batch : (kit_wire_batch){.owner = NULL};
}

/* --- sending -----------------------------------------------------------------------------------
 */

static uint16_t ip_checksum(const uint8_t *ip)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < IP_BYTES; i += 2)
        sum += agw_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

/* Ethernet and IPv4 (RFC 791 section 3.1) in front of len bytes of IP payload. */
static void write_frame(const kit_wire *w, uint8_t *frame, const uint8_t from[4],
                        const uint8_t to[4], uint16_t id, uint16_t fragment, size_t len)
{
    memcpy(frame, w->ethernet, ETH_BYTES);
    uint8_t *ip = frame + ETH_BYTES;
    ip[0] = 0x45;
    ip[1] = 0;
    agw_put16(ip + 2, (uint16_t)(IP_BYTES + len));
    agw_put16(ip + 4, id);
    agw_put16(ip + 6, fragment);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    agw_put16(ip + 10, 0);
    memcpy(ip + 12, from, 4);
    memcpy(ip + 16, to, 4);
    agw_put16(ip + 10, ip_checksum(ip));
}

static void queue_frame(kit_wire *w, size_t bytes)
{
    w->parts[w->queued++] = (struct iovec){.iov_base = w->area + w->used, .iov_len = bytes};
    w->used += (bytes + 63) / 64 * 64;
    if (w->queued == QUEUE)
        kit_wire_flush(w);
}

static void queue_fragments(kit_wire *w, const uint8_t from[4], const uint8_t to[4],
                            const uint8_t *udp, size_t len)
{
    const size_t step = (w->mtu - IP_BYTES) / 8 * 8;
    for (size_t at = 0; at < len; at += step) {
        const size_t n = len - at < step ? len - at : step;
        const unsigned more = at + n < len ? 0x2000 : 0;
        uint8_t *frame = w->area + w->used;
        write_frame(w, frame, from, to, w->next_id, (uint16_t)(at / 8 | more), n);
        memcpy(frame + ETH_BYTES + IP_BYTES, udp + at, n);
        queue_frame(w, ETH_BYTES + IP_BYTES + n);
    }
    w->next_id++;
}

uint8_t *kit_wire_room(kit_wire *wire)
{
    if (wire->used + ROOM > AREA)
        kit_wire_flush(wire);
    return wire->area + wire->used + HEADERS;
}

void kit_wire_commit(kit_wire *wire, const agw_addr *from, const agw_addr *to, size_t len)
{
    AGW_ASSERT(len <= KIT_DATAGRAM_MAX);
    uint8_t *frame = wire->area + wire->used;
    uint8_t *udp = frame + ETH_BYTES + IP_BYTES;
    agw_put16(udp, from->port);
    agw_put16(udp + 2, to->port);
    agw_put16(udp + 4, (uint16_t)(UDP_BYTES + len));
    agw_put16(udp + 6, 0);
    if (IP_BYTES + UDP_BYTES + len <= wire->mtu) {
        write_frame(wire, frame, from->ip, to->ip, 0, 0x4000, UDP_BYTES + len);
        queue_frame(wire, HEADERS + len);
        return;
    }
    kit_wire_flush(
        wire); /* fragments are written from the front on, the datagram moves to the end */
    uint8_t *aside = wire->area + AREA - KIT_DATAGRAM_MAX - UDP_BYTES;
    memmove(aside, udp, UDP_BYTES + len);
    queue_fragments(wire, from->ip, to->ip, aside, UDP_BYTES + len);
}

void kit_wire_send(kit_wire *wire, const agw_addr *from, const agw_addr *to, const uint8_t *data,
                   size_t len)
{
    AGW_ASSERT(len <= KIT_DATAGRAM_MAX);
    uint8_t *room = kit_wire_room(wire);
    if (len != 0)
        memcpy(room, data, len);
    kit_wire_commit(wire, from, to, len);
}

void kit_wire_flush(kit_wire *wire)
{
    if (wire->batch.before_leaving != NULL)
        wire->batch.before_leaving(wire->batch.owner);
    for (size_t at = 0; at < wire->queued;) {
        const int n = sendmmsg(wire->tx, wire->messages + at, (unsigned)(wire->queued - at), 0);
        if (n > 0) {
            wire->stats.sent += (unsigned)n;
            at += (unsigned)n;
        } else {
            wire->stats.send_failed++; /* that one */
            at++;
        }
    }
    wire->queued = wire->used = 0;
}

/* --- receiving ---------------------------------------------------------------------------------
 */

/* The UDP datagram in an IPv4 packet; false: none, or a part of one. */
static bool parse_ip(kit_datagram *d, uint8_t *ip, size_t len)
{
    if (len < IP_BYTES)
        return false;
    const size_t header = (size_t)(ip[0] & 0x0f) * 4;
    const size_t total = agw_get16(ip + 2);
    const bool whole = (agw_get16(ip + 6) & 0x3fff) == 0; /* no offset, no more to come */
    if (header < IP_BYTES || total > len || header + UDP_BYTES > total || !whole)
        return false;
    uint8_t *udp = ip + header;
    const size_t datagram = agw_get16(udp + 4);
    if (datagram < UDP_BYTES || header + datagram > total)
        return false;
    *d = (kit_datagram){.data = udp + UDP_BYTES, .len = datagram - UDP_BYTES, .tos = ip[1]};
    d->from = (agw_addr){.family = AGW_FAMILY_IP4, .port = agw_get16(udp)};
    d->to = (agw_addr){.family = AGW_FAMILY_IP4, .port = agw_get16(udp + 2)};
    memcpy(d->from.ip, ip + 12, 4);
    memcpy(d->to.ip, ip + 16, 4);
    return true;
}

/* The n-th frame from the next one on. */
static struct tpacket2_hdr *frame_ahead(const kit_wire *w, size_t n)
{
    return (void *)(w->ring + (w->at_frame + n) % w->frames * w->frame_bytes);
}

static bool is_ours(const struct tpacket2_hdr *h)
{
    return (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) != 0;
}

bool kit_wire_has_more(const kit_wire *wire)
{
    return is_ours(frame_ahead(wire, 0));
}

typedef struct taken_frame {
    kit_datagram d;
    const binding *bound; /* NULL = nobody's */
    bool is_read;
} taken_frame;

/* Headers and first bytes of the payload. */
static void prefetch_frame(const kit_wire *w, size_t n)
{
    const uint8_t *frame = (const uint8_t *)frame_ahead(w, n);
    for (size_t at = 0; at < 5 * (size_t)CACHE_LINE; at += CACHE_LINE)
        __builtin_prefetch(frame + at);
}

static void read_frame(kit_wire *w, taken_frame *f, struct tpacket2_hdr *h, agw_ns offset)
{
    const size_t len = h->tp_snaplen - (size_t)(h->tp_net - h->tp_mac);
    f->bound = NULL;
    f->is_read = parse_ip(&f->d, (uint8_t *)h + h->tp_net, len);
    if (!f->is_read)
        return;
    f->d.at = AGW_S(h->tp_sec) + h->tp_nsec + offset;
    f->bound = agw_map_get(w->bound, &f->d.to);
    if (f->bound != NULL)
        __builtin_prefetch(f->bound);
}

static void deliver(kit_wire *w, const taken_frame *f, uint64_t unbound_before)
{
    w->stats.received++;
    if (!f->is_read) {
        w->stats.unread++;
        return;
    }
    /* Who was found may have gone since. */
    const binding *found =
        w->unbound == unbound_before ? f->bound : agw_map_get(w->bound, &f->d.to);
    const binding b = found != NULL ? *found : w->rest; /* a copy: the taker may unbind */
    if (found == NULL)
        w->stats.unbound++;
    if (b.taker != NULL)
        b.taker(b.owner, &f->d);
}

/* In passes, so that the processor waits for the memory of all frames at once. */
static size_t take_batch(kit_wire *w, agw_ns offset)
{
    taken_frame frames[TAKE_BATCH];
    size_t n = 0;
    for (; n < TAKE_BATCH && is_ours(frame_ahead(w, n)); n++)
        prefetch_frame(w, n);
    const uint64_t unbound_before = w->unbound;
    for (size_t i = 0; i < n; i++)
        read_frame(w, &frames[i], frame_ahead(w, i), offset);
    for (size_t i = 0; i < n; i++) {
        if (frames[i].bound != NULL)
            __builtin_prefetch(frames[i].bound->owner);
    }
    for (size_t i = 0; i < n; i++)
        deliver(w, &frames[i], unbound_before);
    if (w->batch.after_taking != NULL)
        w->batch.after_taking(w->batch.owner);
    for (size_t i = 0; i < n; i++)
        __atomic_store_n(&frame_ahead(w, i)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    w->at_frame = (w->at_frame + n) % w->frames;
    return n;
}

size_t kit_wire_take(kit_wire *wire)
{
    if (!kit_wire_has_more(wire))
        return 0;
    const agw_ns began = agw_clock_now();
    const agw_ns offset = kit_stamp_offset(began);
    size_t taken = 0;
    do
        taken += take_batch(wire, offset);
    while (taken < KIT_TAKE_MAX && kit_wire_has_more(wire) && agw_clock_now() - began < TAKE_TIME);
    return taken;
}

int kit_wire_fd(const kit_wire *wire)
{
    return wire->rx;
}

kit_wire_stats kit_wire_get_stats(kit_wire *wire)
{
    struct tpacket_stats s = {0};
    socklen_t len = sizeof s;
    if (getsockopt(wire->rx, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0)
        wire->stats.missed += s.tp_drops; /* reading sets the kernel's counter to zero */
    kit_wire_stats out = wire->stats;
    out.send_failed += interface_drops(wire) - wire->drops_at_open;
    return out;
}
