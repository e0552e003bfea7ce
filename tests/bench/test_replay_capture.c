/* SPDX-License-Identifier: BSD-3-Clause
 * Streams in capture files: in those shipped (what tshark -z rtp,streams says of them is the
 * measure), and in files written here with every trouble a stream can have. */
#include "base/wire.h"
#include "bench/replay/capture.h"
#include "unit.h"

#include <pcap/pcap.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES AGW_TEST_DIR "/../bench/replay/samples/"

static kit_capture *must_open(const char *path)
{
    char why[KIT_CAPTURE_WHY] = "";
    kit_capture *c = kit_capture_open(path, why);
    if (c == NULL)
        printf("%s: %s\n", path, why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(why, "");
    return c;
}

typedef struct sample {
    const char *path;
    uint32_t ssrc;
    size_t packets;
    uint64_t lost;
    agw_ns duration_ms;
    uint32_t clock_hz;
    size_t pt_count;
    uint8_t pts[2];
    const char *codecs[2];
    uint8_t family;
} sample;

static void test_capture_shipped_samples_as_tshark_sees_them(void)
{
    static const sample samples[] = {
        {SAMPLES "pcma-baresip.pcap", 0x8c90b33a, 251, 0, 4996, 8000, 1, {8}, {"PCMA/8000"}, 4},
        {SAMPLES "vp8-chromium.pcapng", 0xaf54f360, 225, 0, 7933, 90000, 1, {96}, {"VP8/90000"}, 4},
        {SAMPLES "dtmf-chromium.pcap",
         0x2962af01,
         131,
         0,
         2497,
         8000,
         2,
         {0, 126},
         {"PCMU/8000", "telephone-event/8000"},
         4},
        {SAMPLES "opus-ipv6-loss.pcap",
         0x20502ca5,
         286,
         15,
         5997,
         48000,
         1,
         {111},
         {"opus/48000/2"},
         6},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const sample *want = &samples[i];
        kit_capture *c = must_open(want->path);
        CU_ASSERT_EQUAL_FATAL(kit_capture_count(c), 1);
        const kit_capture_stream *s = kit_capture_at(c, 0);
        CU_ASSERT_EQUAL(s->ssrc, want->ssrc);
        CU_ASSERT_EQUAL(s->packet_count, want->packets);
        CU_ASSERT_EQUAL(s->lost, want->lost);
        CU_ASSERT_EQUAL(s->duration / AGW_MS(1), want->duration_ms);
        CU_ASSERT_EQUAL(s->clock_hz, want->clock_hz);
        CU_ASSERT_EQUAL(s->from.family, want->family);
        CU_ASSERT_EQUAL_FATAL(s->pt_count, want->pt_count);
        for (size_t k = 0; k < want->pt_count; k++) {
            bool guessed;
            CU_ASSERT_EQUAL(s->pts[k].pt, want->pts[k]);
            CU_ASSERT_STRING_EQUAL(kit_capture_codec(s, &s->pts[k], &guessed), want->codecs[k]);
            CU_ASSERT_EQUAL(guessed, want->pts[k] >= 96);
        }
        kit_capture_close(c);
    }
}

/* A capture file under construction. */
typedef struct file {
    char path[64];
    pcap_t *pcap;
    pcap_dumper_t *dump;
    unsigned frames;
} file;

static void file_begin(file *f, int link)
{
    strcpy(f->path, "/tmp/test_replay_XXXXXX");
    const int fd = mkstemp(f->path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    f->frames = 0;
    f->pcap = pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->pcap);
    f->dump = pcap_dump_open(f->pcap, f->path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->dump);
}

enum { HEADERS = 28, PAYLOAD = 4, FRAME = HEADERS + 12 + PAYLOAD };

/* One RTP packet over UDP over IPv4 without a link header, 20 ms after the one before; only the
 * first `kept` bytes are captured. */
static void file_rtp_to(file *f, uint16_t port, uint16_t to, uint32_t ssrc, uint16_t seq,
                        size_t kept)
{
    uint8_t frame[FRAME] = {0x45, [8] = 64, [9] = 17, 10, 0, 0, 1, 10, 0, 0, 2};
    memcpy(frame + 12, (const uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
    agw_put16(frame + 2, FRAME);
    agw_put16(frame + 20, port);
    agw_put16(frame + 22, to);
    agw_put16(frame + 24, FRAME - 20);
    uint8_t *rtp = frame + HEADERS;
    rtp[0] = 0x80;
    rtp[1] = 97;
    agw_put16(rtp + 2, seq);
    agw_put32(rtp + 4, 320u * f->frames);
    agw_put32(rtp + 8, ssrc);
    const struct pcap_pkthdr ph = {.ts = {.tv_sec = 100, .tv_usec = 20000000 * (long)f->frames + 7},
                                   .caplen = (bpf_u_int32)kept,
                                   .len = FRAME};
    f->frames++;
    pcap_dump((u_char *)f->dump, &ph, frame);
}

static void file_rtp(file *f, uint16_t port, uint32_t ssrc, uint16_t seq, size_t kept)
{
    file_rtp_to(f, port, 5000, ssrc, seq, kept);
}

static kit_capture *file_read(file *f)
{
    pcap_dump_close(f->dump);
    pcap_close(f->pcap);
    kit_capture *c = must_open(f->path);
    unlink(f->path);
    return c;
}

/* 40 numbers around the wrap; one is lost, one comes twice, two change places, one is cut. */
static void test_capture_troubles_of_a_stream(void)
{
    file f;
    file_begin(&f, DLT_RAW);
    for (unsigned i = 0; i < 40; i++) {
        const uint16_t seq = (uint16_t)(65520 + i);
        if (i == 5)
            continue;
        if (i == 20 || i == 21)
            file_rtp(&f, 4000, 7, (uint16_t)(seq ^ 1), FRAME);
        else
            file_rtp(&f, 4000, 7, seq, i == 30 ? FRAME - 1 : FRAME);
        if (i == 10)
            file_rtp(&f, 4000, 7, seq, FRAME);
    }
    kit_capture *c = file_read(&f);
    CU_ASSERT_EQUAL_FATAL(kit_capture_count(c), 1);
    const kit_capture_stream *s = kit_capture_at(c, 0);
    CU_ASSERT_EQUAL(s->packet_count, 38);
    CU_ASSERT_EQUAL(s->lost, 2); /* the cut one is not there either */
    CU_ASSERT_EQUAL(s->duplicates, 1);
    CU_ASSERT_EQUAL(s->reordered, 1); /* the second of the pair */
    CU_ASSERT_EQUAL(s->cut, 1);
    CU_ASSERT_EQUAL(s->clock_hz, 16000);
    CU_ASSERT_EQUAL(s->packets[0].ext_seq + 39, s->packets[37].ext_seq);
    CU_ASSERT_EQUAL(s->packets[1].at, AGW_MS(20));
    CU_ASSERT_EQUAL(s->packets[0].header.payload_len, PAYLOAD);
    const kit_capture_stats stats = kit_capture_get_stats(c);
    CU_ASSERT_EQUAL(stats.frames, 40);
    CU_ASSERT_EQUAL(stats.rtp, 40);
    CU_ASSERT_EQUAL(stats.cut, 1);
    kit_capture_close(c);
}

static void test_capture_nine_packets_are_no_stream_ten_are(void)
{
    file f;
    file_begin(&f, DLT_RAW);
    for (uint16_t i = 0; i < 10; i++) {
        file_rtp(&f, 4000, 7, i, FRAME);
        if (i != 3)
            file_rtp(&f, 4002, 8, i, FRAME);
    }
    kit_capture *c = file_read(&f);
    CU_ASSERT_EQUAL_FATAL(kit_capture_count(c), 1);
    CU_ASSERT_EQUAL(kit_capture_at(c, 0)->ssrc, 7);
    kit_capture_close(c);
}

/* Same SSRC from another port, or both ways, are streams of their own; the longest is the first. */
static void test_capture_streams_are_told_apart_and_sorted(void)
{
    file f;
    file_begin(&f, DLT_RAW);
    for (uint16_t i = 0; i < 12; i++) {
        if (i < 11)
            file_rtp(&f, 4000, 7, i, FRAME);
        file_rtp(&f, 4002, 7, (uint16_t)(i + 9000), FRAME);
        if (i < 10)
            file_rtp(&f, 4000, 8, (uint16_t)(i + 3000), FRAME);
        if (i < 10)
            file_rtp_to(&f, 4000, 4000, 8, (uint16_t)(i + 3000), FRAME);
    }
    kit_capture *c = file_read(&f);
    CU_ASSERT_EQUAL_FATAL(kit_capture_count(c), 4);
    CU_ASSERT_EQUAL(kit_capture_at(c, 0)->packet_count, 12);
    CU_ASSERT_EQUAL(kit_capture_at(c, 0)->from.port, 4002);
    CU_ASSERT_EQUAL(kit_capture_at(c, 1)->packet_count, 11);
    CU_ASSERT_EQUAL(kit_capture_at(c, 2)->ssrc, 8);
    kit_capture_close(c);
}

static void test_capture_random_numbers_are_no_stream(void)
{
    file f;
    file_begin(&f, DLT_RAW);
    for (unsigned i = 0; i < 100; i++)
        file_rtp(&f, 4000, 7, (uint16_t)(i * 20001u), FRAME);
    kit_capture *c = file_read(&f);
    CU_ASSERT_EQUAL(kit_capture_count(c), 0);
    kit_capture_close(c);
}

static void test_capture_what_cannot_be_read(void)
{
    char why[KIT_CAPTURE_WHY] = "";
    CU_ASSERT_PTR_NULL(kit_capture_open("/nowhere.pcap", why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nowhere.pcap"));
    CU_ASSERT_PTR_NULL(kit_capture_open(AGW_TEST_DIR "/unit.h", why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "format"));
    file f;
    file_begin(&f, DLT_IEEE802_11);
    pcap_dump_close(f.dump);
    pcap_close(f.pcap);
    CU_ASSERT_PTR_NULL(kit_capture_open(f.path, why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "IEEE802_11"));
    unlink(f.path);
}

/* What was written before the capture was killed in mid-frame is used, and the user is told. */
static void test_capture_file_cut_in_mid_frame_is_used_up_to_there(void)
{
    file f;
    file_begin(&f, DLT_RAW);
    for (uint16_t i = 0; i < 20; i++)
        file_rtp(&f, 4000, 7, i, FRAME);
    pcap_dump_close(f.dump);
    pcap_close(f.pcap);
    CU_ASSERT_EQUAL_FATAL(truncate(f.path, 24 + 20 * (16 + FRAME) - 5), 0);
    char why[KIT_CAPTURE_WHY] = "";
    kit_capture *c = kit_capture_open(f.path, why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "truncated"));
    CU_ASSERT_EQUAL_FATAL(kit_capture_count(c), 1);
    CU_ASSERT_EQUAL(kit_capture_at(c, 0)->packet_count, 19);
    kit_capture_close(c);
    unlink(f.path);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_capture_shipped_samples_as_tshark_sees_them),
    AGW_CASE(test_capture_troubles_of_a_stream),
    AGW_CASE(test_capture_nine_packets_are_no_stream_ten_are),
    AGW_CASE(test_capture_streams_are_told_apart_and_sorted),
    AGW_CASE(test_capture_random_numbers_are_no_stream),
    AGW_CASE(test_capture_what_cannot_be_read),
    AGW_CASE(test_capture_file_cut_in_mid_frame_is_used_up_to_there),
};

AGW_UNIT_MAIN("replay: capture", cases)
