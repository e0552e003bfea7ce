/* SPDX-License-Identifier: BSD-3-Clause
 * The audio rooms run offline, for bench/audio/run.mjs and matrix.mjs: speech to packets, packets
 * with the times of a network to audio or to packets of another codec. PCM is 16 bit, mono, of the
 * machine's byte order.
 *
 *   audio encode CODEC RATE         < PCM    > TRACE     packets that leave at an even pace
 *   audio decode CODEC RATE         < TRACE  > PCM       each of them, as if there were no network
 *   audio play CODEC RATE           < TRACE  > PCM       through the jitter buffer, from time 0 on
 *   audio chain CODEC CODEC         < TRACE  > TRACE     what the gateway makes of a stream
 *
 * CODEC: a name, or "NAME;FMTP". TRACE: a line a packet, "ARRIVAL_US SEQ TIMESTAMP HEX", in the
 * order of arrival. */
#include "base/wire.h"
#include "codecs/chain.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "codecs/playout.h"
#include "rtp/header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PT = 96, PTIME_MS = 20, RATE_MAX = 48000, STEP_MAX = RATE_MAX / 100, END_MS = 800 };
enum { LOSS_PERCENT = 10 }; /* what the encoder is told: it spends some of its bits on FEC */

typedef struct packet {
    agw_ns at;
    uint16_t seq;
    uint32_t timestamp;
    size_t len;
    uint8_t payload[AGW_DECODER_FRAME_BYTES];
} packet;

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "audio: %s\n", why);
    exit(2);
}

static agw_codec_format plain_of(const char *name, size_t len)
{
    for (int id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        const agw_codec_info *info = agw_codec_info_of((agw_codec_id)id);
        if (info != NULL && strlen(info->name) == len && strncasecmp(info->name, name, len) == 0)
            return agw_codec_plain((agw_codec_id)id);
    }
    die("no such codec");
}

static agw_codec_format format_of(const char *codec)
{
    const size_t name_len = strcspn(codec, ";");
    agw_codec_format f = plain_of(codec, name_len);
    if (f.id == AGW_CODEC_OPUS)
        f.opus.fec = true;
    if (codec[name_len] != '\0' && agw_codec_read_fmtp(&f, codec + name_len + 1) != AGW_OK)
        die("no such format");
    return f;
}

static void print_packet(agw_ns at, uint16_t seq, uint32_t timestamp, const uint8_t *payload,
                         size_t len)
{
    printf("%" PRId64 " %u %" PRIu32 " ", (int64_t)(at / AGW_US(1)), seq, timestamp);
    for (size_t i = 0; i < len; i++)
        printf("%02x", payload[i]);
    printf("\n");
}

static void encode(const agw_codec_format *format, uint32_t rate_hz)
{
    agw_encoder *e = agw_encoder_new(format, rate_hz);
    if (e == NULL)
        die("no such encoder");
    agw_encoder_adapt(e, &(agw_encoder_wish){.mode_request = -1, .loss_percent = LOSS_PERCENT});
    int16_t pcm[2 * STEP_MAX];
    uint8_t out[AGW_DECODER_FRAME_BYTES];
    const size_t n = rate_hz / 1000 * PTIME_MS;
    uint16_t seq = 1000;
    for (uint32_t i = 0; fread(pcm, sizeof *pcm, n, stdin) == n; i++) {
        const size_t len = agw_encoder_encode(e, pcm, n, -1, out, sizeof out);
        if (len != 0) /* else a pause (DTX) */
            print_packet(AGW_MS(i * PTIME_MS), seq++, i * format->clock_hz / 1000 * PTIME_MS, out,
                         len);
    }
    agw_encoder_free(e);
}

static bool read_packet(packet *p)
{
    char hex[2 * AGW_DECODER_FRAME_BYTES + 2];
    char us[24], seq[8], timestamp[16];
    if (scanf("%23s %7s %15s %3000s", us, seq, timestamp, hex) != 4)
        return false;
    p->at = AGW_US(strtoll(us, NULL, 10));
    p->seq = (uint16_t)strtoul(seq, NULL, 10);
    p->timestamp = (uint32_t)strtoul(timestamp, NULL, 10);
    p->len = strlen(hex) / 2;
    for (size_t i = 0; i < p->len; i++) {
        const char octet[3] = {hex[2 * i], hex[2 * i + 1], 0};
        p->payload[i] = (uint8_t)strtoul(octet, NULL, 16);
    }
    return true;
}

static void write_frame(agw_decoder *d, const agw_frame *frame)
{
    int16_t pcm[RATE_MAX / 1000 * AGW_DECODER_FRAME_MS_MAX];
    const size_t n = agw_decoder_decode(d, frame, pcm, sizeof pcm / sizeof pcm[0]);
    fwrite(pcm, sizeof *pcm, n, stdout);
}

static void decode(const agw_codec_format *format, uint32_t rate_hz)
{
    static const agw_frame nothing = {.kind = AGW_FRAME_NO_DATA, .duration_ms_x10 = 10 * PTIME_MS};
    agw_decoder *d = agw_decoder_new(format, rate_hz);
    if (d == NULL)
        die("no such decoder");
    const uint32_t frame = format->clock_hz / 1000 * PTIME_MS;
    packet in;
    for (uint32_t next = 0, n = 0; read_packet(&in); n++) {
        agw_payload parts;
        if (agw_decoder_split(d, in.payload, in.len, &parts) != AGW_OK)
            die("a payload that cannot be split");
        for (; n != 0 && (int32_t)(in.timestamp - next) >= (int32_t)frame; next += frame)
            write_frame(d, &nothing); /* a pause */
        next = in.timestamp;
        for (unsigned i = 0; i < parts.n_frames; i++) {
            write_frame(d, &parts.frames[i]);
            next += parts.frames[i].duration_ms_x10 * (format->clock_hz / 1000) / 10;
        }
    }
    agw_decoder_free(d);
}

static void play(const agw_codec_format *format, uint32_t rate_hz)
{
    agw_playout *p = agw_playout_new(rate_hz);
    if (p == NULL || agw_playout_add(p, PT, format) != AGW_OK)
        die("no such decoder");
    packet in;
    bool has_more = read_packet(&in);
    agw_ns end = AGW_NEVER;
    agw_playout_stats s;
    uint64_t delay_us = 0, n = 0; /* of the steps of speech */
    for (agw_ns now = 0; now < end; now += AGW_MS(10)) {
        for (; has_more && in.at <= now; has_more = read_packet(&in)) {
            if (agw_playout_put(p, PT, in.seq, in.timestamp, in.payload, in.len, in.at) != AGW_OK)
                die("a packet was refused");
        }
        if (!has_more && end == AGW_NEVER)
            end = now + AGW_MS(END_MS);
        int16_t pcm[STEP_MAX];
        const bool speaks = agw_playout_take(p, now, pcm);
        fwrite(pcm, sizeof *pcm, rate_hz / 100, stdout);
        agw_playout_get_stats(p, &s);
        delay_us += speaks && has_more ? s.delay_us : 0;
        n += speaks && has_more;
    }
    fprintf(stderr,
            "{\"concealed_ms\": %" PRIu64 ", \"by_fec_ms\": %" PRIu64 ", \"stretched_ms\": %" PRIu64
            ", \"shortened_ms\": %" PRIu64 ", \"late\": %" PRIu64 ", \"delay_us\": %" PRIu64 "}\n",
            s.concealed_ms, s.by_fec_ms, s.stretched_ms, s.shortened_ms, s.late,
            n != 0 ? delay_us / n : 0);
    agw_playout_free(p);
}

/* RTP of p, as it came. Returns its octets. */
static size_t write_rtp(const packet *p, uint8_t *rtp)
{
    static const uint8_t BEGIN[AGW_RTP_HEADER_MIN] = {0x80, PT};
    memcpy(rtp, BEGIN, sizeof BEGIN);
    agw_put16(rtp + 2, p->seq);
    agw_put32(rtp + 4, p->timestamp);
    memcpy(rtp + sizeof BEGIN, p->payload, p->len);
    return sizeof BEGIN + p->len;
}

/* Prints what is due until then. */
static void take_until(agw_chain *c, agw_ns then)
{
    for (agw_ns at; (at = agw_chain_deadline(c)) <= then;) {
        uint8_t rtp[AGW_RTP_HEADER_MIN + AGW_DECODER_FRAME_BYTES];
        agw_rtp_header h;
        const size_t len = agw_chain_take(c, at, rtp, sizeof rtp);
        if (len != 0 && agw_rtp_parse(&h, rtp, len) == AGW_OK)
            print_packet(at, h.seq, h.timestamp, rtp + h.header_len, h.payload_len);
    }
}

static void chain(const agw_codec_format *from, const agw_codec_format *to)
{
    agw_chain_plan plan = {.n_inputs = 1, .out = *to, .out_pt = PT + 1};
    plan.inputs[0] = (agw_chain_input){.pt = PT, .format = *from};
    agw_chain *c = agw_chain_new(&plan, 1, 0, 0);
    if (c == NULL)
        die("no such chain");
    packet in = {.at = 0};
    while (read_packet(&in)) {
        uint8_t rtp[AGW_RTP_HEADER_MIN + AGW_DECODER_FRAME_BYTES];
        take_until(c, in.at);
        if (agw_chain_put(c, rtp, write_rtp(&in, rtp), in.at) != AGW_OK)
            die("a packet was refused");
    }
    take_until(c, in.at + AGW_MS(END_MS));
    agw_chain_stats s;
    agw_chain_get_stats(c, &s);
    fprintf(stderr, "{\"concealed_ms\": %" PRIu64 ", \"late\": %" PRIu64 "}\n", s.concealed_ms,
            s.late);
    agw_chain_free(c);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "chain") == 0) {
        const agw_codec_format from = format_of(argv[2]), to = format_of(argv[3]);
        chain(&from, &to);
        return 0;
    }
    const uint32_t rate_hz = argc == 4 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    if (rate_hz != 8000 && rate_hz != 16000 && rate_hz != RATE_MAX)
        die("usage: audio encode|decode|play CODEC 8000|16000|48000, audio chain CODEC CODEC");
    const agw_codec_format format = format_of(argv[2]);
    if (strcmp(argv[1], "encode") == 0)
        encode(&format, rate_hz);
    else if (strcmp(argv[1], "decode") == 0)
        decode(&format, rate_hz);
    else if (strcmp(argv[1], "play") == 0)
        play(&format, rate_hz);
    else
        die("encode, decode or play");
    return 0;
}
