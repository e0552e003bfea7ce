/* SPDX-License-Identifier: BSD-3-Clause
 * Frames put together byte by byte, given to the dissector in memory of exactly their size. */
#include "base/wire.h"
#include "bench/replay/dissect.h"
#include "unit.h"

#include <string.h>

enum { FRAME_MAX = 512, PAYLOAD = 20 };

/* A frame under construction. */
typedef struct frame {
    uint8_t data[FRAME_MAX];
    size_t len;
} frame;

static void put(frame *f, const void *bytes, size_t len)
{
    CU_ASSERT_FATAL(f->len + len <= sizeof f->data);
    memcpy(f->data + f->len, bytes, len);
    f->len += len;
}

static void put16(frame *f, uint16_t v)
{
    uint8_t b[2];
    agw_put16(b, v);
    put(f, b, 2);
}

static void put_zeros(frame *f, size_t n)
{
    static const uint8_t zeros[64];
    put(f, zeros, n);
}

static void put_ethernet(frame *f, uint16_t type)
{
    put_zeros(f, 12);
    put16(f, type);
}

/* UDP 4000 -> 5000 with PAYLOAD bytes 1, 2, 3... */
static void put_udp(frame *f)
{
    put16(f, 4000);
    put16(f, 5000);
    put16(f, 8 + PAYLOAD);
    put16(f, 0);
    for (uint8_t i = 1; i <= PAYLOAD; i++)
        put(f, &i, 1);
}

/* fragment: flags and offset; options: bytes of them, a multiple of 4. */
static void put_ip4(frame *f, uint8_t protocol, uint16_t fragment, size_t options)
{
    const uint8_t begin[2] = {(uint8_t)(0x45 + options / 4), 0};
    const uint8_t ttl[2] = {64, protocol};
    const uint8_t addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};
    put(f, begin, 2);
    put16(f, (uint16_t)(20 + options + 8 + PAYLOAD));
    put16(f, 7);
    put16(f, fragment);
    put(f, ttl, 2);
    put16(f, 0);
    put(f, addresses, 8);
    put_zeros(f, options);
}

/* extensions: bytes of them that follow. */
static void put_ip6(frame *f, uint8_t next, size_t extensions)
{
    const uint8_t begin[4] = {0x60};
    const uint8_t limit[2] = {next, 64};
    uint8_t address[16] = {0xfd, [15] = 1};
    put(f, begin, 4);
    put16(f, (uint16_t)(extensions + 8 + PAYLOAD));
    put(f, limit, 2);
    put(f, address, 16);
    address[15] = 2;
    put(f, address, 16);
}

static void put_ip6_extension(frame *f, uint8_t next, uint8_t units)
{
    put(f, &next, 1);
    put(f, &units, 1);
    put_zeros(f, 6 + 8u * units);
}

static void put_ip6_fragment(frame *f, uint16_t offset_and_more)
{
    const uint8_t begin[2] = {17, 0};
    put(f, begin, 2);
    put16(f, offset_and_more);
    put_zeros(f, 4);
}

/* The first `len` bytes in memory of their own, which the sanitizer watches. */
static kit_frame dissect_part(kit_udp *out, kit_link link, const frame *f, size_t len)
{
    static uint8_t payload[PAYLOAD]; /* out must not point into freed memory */
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, f->data, len);
    const kit_frame found = kit_frame_dissect(out, link, copy, len);
    if (found == KIT_FRAME_UDP || found == KIT_FRAME_CUT) {
        CU_ASSERT_FATAL(out->len <= PAYLOAD);
        memcpy(payload, out->data, out->len);
        out->data = payload;
    }
    free(copy);
    return found;
}

static void check_udp(kit_link link, const frame *f, uint8_t family)
{
    kit_udp udp;
    CU_ASSERT_EQUAL_FATAL(dissect_part(&udp, link, f, f->len), KIT_FRAME_UDP);
    CU_ASSERT_EQUAL(udp.from.port, 4000);
    CU_ASSERT_EQUAL(udp.to.port, 5000);
    CU_ASSERT_EQUAL(udp.from.family, family);
    const size_t last = family == AGW_FAMILY_IP4 ? 3 : 15;
    CU_ASSERT_EQUAL(udp.from.ip[last], 1);
    CU_ASSERT_EQUAL(udp.to.ip[last], 2);
    CU_ASSERT_EQUAL_FATAL(udp.len, PAYLOAD);
    CU_ASSERT(udp.data[0] == 1 && udp.data[PAYLOAD - 1] == PAYLOAD);
}

static kit_frame kind_of(kit_link link, const frame *f)
{
    kit_udp udp;
    return dissect_part(&udp, link, f, f->len);
}

static void test_dissect_ethernet_ip4(void)
{
    frame f = {.len = 0};
    put_ethernet(&f, 0x0800);
    put_ip4(&f, 17, 0x4000, 0); /* don't fragment */
    put_udp(&f);
    check_udp(KIT_LINK_ETHERNET, &f, AGW_FAMILY_IP4);
    put_zeros(&f, 6); /* padding to the smallest frame */
    check_udp(KIT_LINK_ETHERNET, &f, AGW_FAMILY_IP4);
}

static void test_dissect_ip4_options_are_skipped(void)
{
    frame f = {.len = 0};
    put_ethernet(&f, 0x0800);
    put_ip4(&f, 17, 0, 40);
    put_udp(&f);
    check_udp(KIT_LINK_ETHERNET, &f, AGW_FAMILY_IP4);
}

static void test_dissect_vlan_tags_are_skipped(void)
{
    for (unsigned outer = 0; outer < 3; outer++) {
        static const uint16_t types[] = {0x8100, 0x88a8, 0x9100};
        frame f = {.len = 0};
        put_ethernet(&f, types[outer]);
        put16(&f, 42);
        put16(&f, 0x8100);
        put16(&f, 43);
        put16(&f, 0x0800);
        put_ip4(&f, 17, 0, 0);
        put_udp(&f);
        check_udp(KIT_LINK_ETHERNET, &f, AGW_FAMILY_IP4);
    }
}

static void test_dissect_linux_cooked(void)
{
    frame f = {.len = 0};
    put_zeros(&f, 14);
    put16(&f, 0x0800);
    put_ip4(&f, 17, 0, 0);
    put_udp(&f);
    check_udp(KIT_LINK_SLL, &f, AGW_FAMILY_IP4);
    frame g = {.len = 0};
    put16(&g, 0x86dd);
    put_zeros(&g, 18);
    put_ip6(&g, 17, 0);
    put_udp(&g);
    check_udp(KIT_LINK_SLL2, &g, AGW_FAMILY_IP6);
}

static void test_dissect_raw_ip(void)
{
    frame f = {.len = 0}, g = {.len = 0};
    put_ip4(&f, 17, 0, 0);
    put_udp(&f);
    check_udp(KIT_LINK_IP, &f, AGW_FAMILY_IP4);
    put_ip6(&g, 17, 0);
    put_udp(&g);
    check_udp(KIT_LINK_IP, &g, AGW_FAMILY_IP6);
}

static void test_dissect_rfc8200_4_extension_headers_are_skipped(void)
{
    frame f = {.len = 0};
    put_ethernet(&f, 0x86dd);
    put_ip6(&f, 0, 8 + 24 + 8 + 8);
    put_ip6_extension(&f, 43, 0); /* hop by hop, then routing, destination, fragment */
    put_ip6_extension(&f, 60, 2);
    put_ip6_extension(&f, 44, 0);
    put_ip6_fragment(&f, 0); /* atomic: whole */
    put_udp(&f);
    check_udp(KIT_LINK_ETHERNET, &f, AGW_FAMILY_IP6);
}

static void test_dissect_fragments_are_told(void)
{
    static const uint16_t ip4[] = {0x2000, 0x0001, 0x1fff}, ip6[] = {0x0001, 0x0008, 0xfff8};
    for (size_t i = 0; i < 3; i++) {
        frame f = {.len = 0}, g = {.len = 0};
        put_ip4(&f, 17, ip4[i], 0);
        put_udp(&f);
        CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &f), KIT_FRAME_FRAGMENT);
        put_ip6(&g, 44, 8);
        put_ip6_fragment(&g, ip6[i]);
        put_udp(&g);
        CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_FRAGMENT);
    }
}

static void test_dissect_other_protocols_are_told(void)
{
    frame f = {.len = 0}, g = {.len = 0}, arp = {.len = 0};
    put_ip4(&f, 6, 0, 0);
    put_udp(&f);
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &f), KIT_FRAME_OTHER);
    put_ip6(&g, 58, 0);
    put_udp(&g);
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_OTHER);
    put_ethernet(&arp, 0x0806);
    put_zeros(&arp, 46);
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_ETHERNET, &arp), KIT_FRAME_OTHER);
}

static void test_dissect_impossible_lengths_are_refused(void)
{
    frame f = {.len = 0};
    put_ip4(&f, 17, 0, 0);
    put_udp(&f);
    frame g = f;
    g.data[0] = 0x44; /* a header of 16 bytes */
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_OTHER);
    g = f;
    agw_put16(g.data + 2, 19); /* a whole shorter than its header */
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_OTHER);
    g = f;
    agw_put16(g.data + 24, 7); /* UDP shorter than its header */
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_OTHER);
    g = f;
    agw_put16(g.data + 24, 8 + PAYLOAD + 1); /* UDP longer than IP says */
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_CUT);
    put_zeros(&g, 6); /* what follows is the link's padding */
    CU_ASSERT_EQUAL(kind_of(KIT_LINK_IP, &g), KIT_FRAME_CUT);
}

/* Wherever the capture ended, the address is right or nothing is said, and no byte is read behind.
 * headers: bytes in front of the payload. */
static void check_cuts(kit_link link, const frame *f, size_t headers)
{
    for (size_t len = 0; len < f->len; len++) {
        kit_udp udp;
        const bool has_udp = len >= headers;
        CU_ASSERT_EQUAL(dissect_part(&udp, link, f, len),
                        has_udp ? KIT_FRAME_CUT : KIT_FRAME_OTHER);
        CU_ASSERT(!has_udp || (udp.from.port == 4000 && udp.len == len - headers));
    }
}

static void test_dissect_cut_everywhere(void)
{
    frame f = {.len = 0}, g = {.len = 0};
    put_ethernet(&f, 0x8100);
    put16(&f, 42);
    put16(&f, 0x0800);
    put_ip4(&f, 17, 0, 8);
    put_udp(&f);
    check_cuts(KIT_LINK_ETHERNET, &f, 18 + 28 + 8);
    put_ip6(&g, 0, 24 + 8);
    put_ip6_extension(&g, 44, 2);
    put_ip6_fragment(&g, 0);
    put_udp(&g);
    check_cuts(KIT_LINK_IP, &g, 40 + 24 + 8 + 8);
}

static bool is_rtp(const uint8_t *bytes, size_t len)
{
    agw_rtp_header h;
    const kit_udp udp = {.data = bytes, .len = len};
    return kit_udp_is_rtp(&udp, &h);
}

static void test_dissect_what_is_rtp(void)
{
    uint8_t rtp[16] = {0x80, 8, 0, 1};
    CU_ASSERT(is_rtp(rtp, 12));
    CU_ASSERT(!is_rtp(rtp, 11));
    rtp[1] = 0x88; /* marker */
    CU_ASSERT(is_rtp(rtp, 16));
    rtp[1] = 200; /* sender report */
    CU_ASSERT(!is_rtp(rtp, 16));
    rtp[1] = 8;
    rtp[0] = 0xa0; /* padding that makes no sense is cipher text */
    CU_ASSERT(is_rtp(rtp, 16));
    rtp[0] = 0x82; /* two CSRCs do not fit */
    CU_ASSERT(!is_rtp(rtp, 16));
    rtp[0] = 0x40;
    CU_ASSERT(!is_rtp(rtp, 16));
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_dissect_ethernet_ip4),
    AGW_CASE(test_dissect_ip4_options_are_skipped),
    AGW_CASE(test_dissect_vlan_tags_are_skipped),
    AGW_CASE(test_dissect_linux_cooked),
    AGW_CASE(test_dissect_raw_ip),
    AGW_CASE(test_dissect_rfc8200_4_extension_headers_are_skipped),
    AGW_CASE(test_dissect_fragments_are_told),
    AGW_CASE(test_dissect_other_protocols_are_told),
    AGW_CASE(test_dissect_impossible_lengths_are_refused),
    AGW_CASE(test_dissect_cut_everywhere),
    AGW_CASE(test_dissect_what_is_rtp),
};

AGW_UNIT_MAIN("replay: dissect", cases)
