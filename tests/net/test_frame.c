/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/frame.h"

#include "base/wire.h"
#include "unit.h"

#include <string.h>

static const agw_route WAY = {
    .ifindex = 2, .local_mac = {2, 0, 0, 0, 0, 1}, .next_mac = {2, 0, 0, 0, 0, 2}, .mtu = 1500};

static agw_addr address(const char *text)
{
    agw_addr a;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&a, text), AGW_OK);
    return a;
}

/* From 10.77.2.2:5004 to 10.77.2.1:20000, without a UDP checksum. */
static const uint8_t HELLO[] = {
    0x02, 0,    0,    0,    0,    2,    0x02, 0,    0,    0,    0,    1,
    0x08, 0x00,                                                             /* Ethernet */
    0x45, 0xb8, 0x00, 0x21, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0x0f, 0x48, /* IPv4 */
    10,   77,   2,    2,    10,   77,   2,    1,                            /* addresses */
    0x13, 0x8c, 0x4e, 0x20, 0x00, 0x0d, 0x00, 0x00,                         /* UDP */
    'h',  'e',  'l',  'l',  'o',
};

/* Header checksum by the plain definition (RFC 1071), to have a second opinion. */
static uint16_t plain_sum(const uint8_t *data, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void repair_ip4(uint8_t *frame)
{
    agw_put16(frame + 24, 0);
    agw_put16(frame + 24, (uint16_t)~plain_sum(frame + 14, 20, 0));
}

static void test_frame_rfc768_datagram_without_checksum_is_read(void)
{
    uint8_t frame[sizeof HELLO];
    agw_frame f;
    memcpy(frame, HELLO, sizeof frame);
    repair_ip4(frame);
    CU_ASSERT_EQUAL_FATAL(agw_frame_read(&f, frame, sizeof frame), AGW_OK);
    const agw_addr from = address("10.77.2.2:5004"), to = address("10.77.2.1:20000");
    CU_ASSERT_TRUE(agw_addr_equal(&f.from, &from));
    CU_ASSERT_TRUE(agw_addr_equal(&f.to, &to));
    CU_ASSERT_EQUAL(f.len, 5);
    CU_ASSERT_EQUAL(memcmp(f.payload, "hello", 5), 0);
}

static void write_and_read(const char *from_text, const char *to_text, size_t len)
{
    uint8_t frame[AGW_FRAME_HEADERS_MAX + 1500], payload[1500];
    const agw_addr from = address(from_text), to = address(to_text);
    agw_frame f;
    for (size_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(i * 7 + len);
    const agw_frame out = {
        .from = from, .to = to, .payload = payload, .len = len, .tos = 0xb8, .id = 0x1234};
    const size_t n = agw_frame_write(frame, &WAY, &out);
    CU_ASSERT_EQUAL(n, agw_frame_headers(&to) + len);
    CU_ASSERT_EQUAL(memcmp(frame, WAY.next_mac, 6), 0);
    CU_ASSERT_EQUAL(memcmp(frame + 6, WAY.local_mac, 6), 0);
    CU_ASSERT_EQUAL_FATAL(agw_frame_read(&f, frame, n), AGW_OK);
    CU_ASSERT_TRUE(agw_addr_equal(&f.from, &from) && agw_addr_equal(&f.to, &to));
    CU_ASSERT_EQUAL(f.tos, 0xb8);
    CU_ASSERT_EQUAL(f.id, to.family == AGW_FAMILY_IP4 ? 0x1234 : 0);
    CU_ASSERT_EQUAL_FATAL(f.len, len);
    CU_ASSERT_EQUAL(memcmp(f.payload, payload, len), 0);
    if (len == 0)
        return;
    frame[n - 1] ^= 1; /* the checksum covers the last byte, odd lengths too */
    CU_ASSERT_EQUAL(agw_frame_read(&f, frame, n), AGW_ERR_MALFORMED);
}

static void test_frame_what_is_written_can_be_read(void)
{
    for (size_t len = 0; len <= 1472; len += len < 20 ? 1 : 97) {
        write_and_read("192.0.2.10:19000", "198.51.100.7:61234", len);
        write_and_read("[2001:db8::10]:19000", "[2001:db8:1::7]:61234", len);
    }
}

static void test_frame_rfc1071_sums_are_those_of_the_definition(void)
{
    uint8_t frame[AGW_FRAME_HEADERS_MAX + 7], pseudo[12 + 15];
    const agw_frame out = {.from = address("192.0.2.10:19000"),
                           .to = address("198.51.100.7:61234"),
                           .payload = (const uint8_t *)"seven77",
                           .len = 7};
    const size_t n = agw_frame_write(frame, &WAY, &out);
    CU_ASSERT_EQUAL(plain_sum(frame + 14, 20, 0), 0xffff);
    CU_ASSERT_EQUAL(agw_get16(frame + 20), 0); /* neither DF nor a fragment */
    memcpy(pseudo, frame + 26, 8);
    pseudo[8] = 0;
    pseudo[9] = 17;
    agw_put16(pseudo + 10, 15);
    memcpy(pseudo + 12, frame + 34, n - 34);
    CU_ASSERT_EQUAL(plain_sum(pseudo, sizeof pseudo, 0), 0xffff);
}

/* The kernel of the same machine leaves the sum of the pseudo header for a card to complete. */
static void test_frame_unfinished_checksum_of_this_machine_passes(void)
{
    uint8_t frame[sizeof HELLO], pseudo[12];
    agw_frame f;
    memcpy(frame, HELLO, sizeof frame);
    repair_ip4(frame);
    memcpy(pseudo, frame + 26, 8);
    pseudo[8] = 0;
    pseudo[9] = 17;
    agw_put16(pseudo + 10, 13);
    agw_put16(frame + 40, plain_sum(pseudo, sizeof pseudo, 0));
    CU_ASSERT_EQUAL(agw_frame_read(&f, frame, sizeof frame), AGW_OK);
    frame[40] ^= 1;
    CU_ASSERT_EQUAL(agw_frame_read(&f, frame, sizeof frame), AGW_ERR_MALFORMED);
}

static void test_frame_every_truncation_is_refused(void)
{
    uint8_t frame[sizeof HELLO];
    memcpy(frame, HELLO, sizeof frame);
    repair_ip4(frame);
    for (size_t len = 0; len < sizeof frame; len++) {
        uint8_t *cut = malloc(len); /* exactly, so that AddressSanitizer sees one byte too many */
        CU_ASSERT_FATAL(cut != NULL || len == 0);
        if (len != 0)
            memcpy(cut, frame, len);
        agw_frame f;
        CU_ASSERT_EQUAL(agw_frame_read(&f, cut, len), AGW_ERR_MALFORMED);
        free(cut);
    }
}

static void test_frame_padding_is_no_payload(void)
{
    uint8_t frame[sizeof HELLO + 13] = {0}; /* Ethernet's least length is 60 */
    agw_frame f;
    memcpy(frame, HELLO, sizeof HELLO);
    repair_ip4(frame);
    CU_ASSERT_EQUAL_FATAL(agw_frame_read(&f, frame, sizeof frame), AGW_OK);
    CU_ASSERT_EQUAL(f.len, 5);
}

static agw_err read_changed(size_t at, uint8_t value, bool repair)
{
    uint8_t frame[sizeof HELLO];
    agw_frame f;
    memcpy(frame, HELLO, sizeof frame);
    frame[at] = value;
    if (repair)
        repair_ip4(frame);
    return agw_frame_read(&f, frame, sizeof frame);
}

static void test_frame_what_is_not_ours_is_refused(void)
{
    CU_ASSERT_EQUAL(read_changed(13, 0x06, true), AGW_ERR_UNSUPPORTED); /* ARP */
    CU_ASSERT_EQUAL(read_changed(12, 0x81, true), AGW_ERR_UNSUPPORTED); /* VLAN */
    CU_ASSERT_EQUAL(read_changed(14, 0x46, true), AGW_ERR_UNSUPPORTED); /* options */
    CU_ASSERT_EQUAL(read_changed(14, 0x65, true), AGW_ERR_MALFORMED);   /* version */
    CU_ASSERT_EQUAL(read_changed(23, 6, true), AGW_ERR_UNSUPPORTED);    /* TCP */
    CU_ASSERT_EQUAL(read_changed(20, 0x20, true), AGW_ERR_UNSUPPORTED); /* more fragments */
    CU_ASSERT_EQUAL(read_changed(21, 0x01, true), AGW_ERR_UNSUPPORTED); /* a later fragment */
    CU_ASSERT_EQUAL(read_changed(17, 0x22, true), AGW_ERR_MALFORMED);   /* longer than the frame */
    CU_ASSERT_EQUAL(read_changed(22, 0x3f, false), AGW_ERR_MALFORMED);  /* header checksum */
    CU_ASSERT_EQUAL(read_changed(39, 0x0e, true), AGW_ERR_MALFORMED);   /* UDP longer than IP */
    CU_ASSERT_EQUAL(read_changed(39, 0x07, true), AGW_ERR_MALFORMED); /* shorter than its header */
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_frame_rfc768_datagram_without_checksum_is_read),
    AGW_CASE(test_frame_what_is_written_can_be_read),
    AGW_CASE(test_frame_rfc1071_sums_are_those_of_the_definition),
    AGW_CASE(test_frame_unfinished_checksum_of_this_machine_passes),
    AGW_CASE(test_frame_every_truncation_is_refused),
    AGW_CASE(test_frame_padding_is_no_payload),
    AGW_CASE(test_frame_what_is_not_ours_is_refused),
};

AGW_UNIT_MAIN("frame", CASES)
