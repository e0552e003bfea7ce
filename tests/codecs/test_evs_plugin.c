/* SPDX-License-Identifier: BSD-3-Clause
 * EVS with and without a plug-in. The cases stand in the order of a process' life: what is loaded
 * stays. */
#include "base/wire.h"
#include "codecs/chain.h"
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "codecs/evs.h"
#include "codecs/evs_payload.h"
#include "unit.h"

#include <string.h>

enum { PACKET = 512, SAMPLES_MAX = 960, LEVEL = 0x1234 };

static void test_evs_plugin_without_one_nothing_is_coded(void)
{
    const agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    CU_ASSERT_FALSE(agw_codec_can_encode(AGW_CODEC_EVS) || agw_codec_can_decode(AGW_CODEC_EVS));
    CU_ASSERT_PTR_NULL(agw_encoder_new(&format, 16000));
    CU_ASSERT_PTR_NULL(agw_decoder_new(&format, 16000));
}

static void test_evs_plugin_what_is_none_is_refused(void)
{
    CU_ASSERT_EQUAL(agw_evs_load("/nonexistent.so"), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(agw_evs_load("libm.so.6"), AGW_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(agw_evs_load(EVS_DUMMY_OTHER), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_FALSE(agw_codec_can_encode(AGW_CODEC_EVS));
}

static int16_t pcm[SAMPLES_MAX * 2];

static size_t encode(agw_encoder *e, size_t samples, int16_t level, uint8_t *packet)
{
    for (size_t i = 0; i < samples; i++)
        pcm[i] = level;
    return agw_encoder_encode(e, pcm, samples, -1, packet, PACKET);
}

static void test_evs_plugin_codes_at_every_rate(void)
{
    static const uint32_t RATES[] = {8000, 16000, 48000};
    const agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    CU_ASSERT_EQUAL_FATAL(agw_evs_load(EVS_DUMMY), AGW_OK);
    CU_ASSERT_TRUE(agw_codec_can_encode(AGW_CODEC_EVS) && agw_codec_can_decode(AGW_CODEC_EVS));
    for (unsigned i = 0; i < 3; i++) {
        agw_encoder *e = agw_encoder_new(&format, RATES[i]);
        agw_decoder *d = agw_decoder_new(&format, RATES[i]);
        CU_ASSERT_TRUE_FATAL(e != NULL && d != NULL);
        uint8_t packet[PACKET];
        agw_payload payload;
        const size_t len = encode(e, RATES[i] / 50, LEVEL, packet);
        CU_ASSERT_EQUAL(len, 34); /* table of contents and 13.2 kbit/s */
        CU_ASSERT_EQUAL_FATAL(agw_decoder_split(d, packet, len, &payload), AGW_OK);
        CU_ASSERT_EQUAL(agw_decoder_decode(d, &payload.frames[0], pcm, SAMPLES_MAX), RATES[i] / 50);
        CU_ASSERT_EQUAL(pcm[RATES[i] / 50 - 1], LEVEL);
        CU_ASSERT_EQUAL(agw_decoder_conceal(d, NULL, pcm, SAMPLES_MAX), RATES[i] / 50);
        CU_ASSERT_EQUAL(pcm[0], -1);
        const agw_frame nothing = {.kind = AGW_FRAME_NO_DATA};
        CU_ASSERT_EQUAL(agw_decoder_decode(d, &nothing, pcm, SAMPLES_MAX), RATES[i] / 50);
        CU_ASSERT_EQUAL(pcm[0], 0);
        agw_decoder_reset(d);
        agw_encoder_free(e);
        agw_decoder_free(d);
    }
}

static void test_evs_plugin_26445_a_2_requests_and_limits_set_the_rate(void)
{
    const agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    agw_encoder *e = agw_encoder_new(&format, 16000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    uint8_t packet[PACKET];
    agw_encoder_adapt(e, &(agw_encoder_wish){.mode_request = 0x20 | 7}); /* WB, 32 kbit/s */
    CU_ASSERT_EQUAL(encode(e, 320, LEVEL, packet), 81);
    agw_encoder_adapt(e, &(agw_encoder_wish){.mode_request = 0x20 | 7, .max_bps = 13200});
    CU_ASSERT_EQUAL(encode(e, 320, LEVEL, packet), 34);
    agw_encoder_adapt(e, &(agw_encoder_wish){.mode_request = AGW_EVS_REQUEST_IO | 2});
    CU_ASSERT_EQUAL(encode(e, 320, LEVEL, packet), 34); /* 33, and one not to be Compact */
    CU_ASSERT_EQUAL(packet[0], AGW_EVS_IO | 0x10 | 2);
    agw_encoder_free(e);
}

static agw_encoder *encoder_of(const char *fmtp)
{
    agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    CU_ASSERT_EQUAL_FATAL(agw_codec_read_fmtp(&format, fmtp), AGW_OK);
    agw_encoder *e = agw_encoder_new(&format, 16000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    return e;
}

static void test_evs_plugin_26445_a_3_1_fmtp_sets_rate_mode_and_dtx(void)
{
    static const struct {
        const char *fmtp;
        int16_t level;
        size_t len;
    } CASES[] = {
        {"br=5.9-24.4", LEVEL, 34},       /* the usual one: 13.2 */
        {"br=5.9-9.6", LEVEL, 25},        /* 9.6 */
        {"br=24.4-64", LEVEL, 62},        /* 24.4: no less is taken */
        {"evs-mode-switch=1", LEVEL, 34}, /* AMR-WB IO 12.65 */
        {"dtx=1", 0, 0},
        {"dtx=0", 0, 34},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        uint8_t packet[PACKET];
        agw_encoder *e = encoder_of(CASES[i].fmtp);
        CU_ASSERT_EQUAL(encode(e, 320, CASES[i].level, packet), CASES[i].len);
        if (i == 3)
            CU_ASSERT_EQUAL(packet[0], AGW_EVS_IO | 0x10 | 2);
        agw_encoder_free(e);
    }
}

static void test_evs_plugin_no_data_is_not_sent(void)
{
    agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    format.ptime_ms = 40;
    agw_encoder *e = agw_encoder_new(&format, 16000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    uint8_t packet[PACKET];
    CU_ASSERT_EQUAL(encode(e, 640, 0, packet), 0);
    CU_ASSERT_EQUAL(encode(e, 640, LEVEL, packet), 2 * 34);
    agw_encoder_free(e);
}

/* What the chain has understood of a packet with this payload. */
static int request_in(agw_chain *c, uint8_t pt, uint16_t seq, const char *payload, size_t len)
{
    uint8_t rtp[PACKET] = {0x80, pt};
    agw_put16(rtp + 2, seq);
    agw_put32(rtp + 4, seq * UINT32_C(320));
    memcpy(rtp + 12, payload, len);
    CU_ASSERT_EQUAL(agw_chain_put(c, rtp, 12 + len, AGW_MS(20 * (agw_ns)seq)), AGW_OK);
    return agw_chain_mode_request(c, AGW_CODEC_EVS);
}

/* Header-Full with and without a request, of EVS, and an AMR-WB packet that asks for a mode of its
 * own. */
static void test_evs_plugin_26445_a_2_2_1_1_requests_are_heard(void)
{
    agw_chain_plan plan = {.n_inputs = 2, .out = agw_codec_plain(AGW_CODEC_PCMU)};
    plan.inputs[0] = (agw_chain_input){.pt = 96, .format = agw_codec_plain(AGW_CODEC_EVS)};
    plan.inputs[1] = (agw_chain_input){.pt = 97, .format = agw_codec_plain(AGW_CODEC_AMR_WB)};
    agw_chain *c = agw_chain_new(&plan, 1, 1, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(request_in(c, 96, 1, "\x0f", 1), -1);
    CU_ASSERT_EQUAL(request_in(c, 96, 2, "\xa7\x0f", 2), 0x27);
    CU_ASSERT_EQUAL(request_in(c, 96, 3, "\x0f", 1), 0x27);
    CU_ASSERT_EQUAL(request_in(c, 96, 4, "\x92\x0f", 2), AGW_EVS_REQUEST_IO | 2);
    CU_ASSERT_EQUAL(agw_chain_mode_request(c, AGW_CODEC_AMR_WB), -1);
    CU_ASSERT_EQUAL(request_in(c, 97, 5, "\x17\xc0", 2), -1);
    CU_ASSERT_EQUAL(agw_chain_mode_request(c, AGW_CODEC_AMR_WB), 1);
    CU_ASSERT_EQUAL(request_in(c, 96, 6, "\x0f", 1), -1);
    agw_chain_free(c);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_evs_plugin_without_one_nothing_is_coded),
    AGW_CASE(test_evs_plugin_what_is_none_is_refused),
    AGW_CASE(test_evs_plugin_codes_at_every_rate),
    AGW_CASE(test_evs_plugin_26445_a_2_requests_and_limits_set_the_rate),
    AGW_CASE(test_evs_plugin_26445_a_3_1_fmtp_sets_rate_mode_and_dtx),
    AGW_CASE(test_evs_plugin_no_data_is_not_sent),
    AGW_CASE(test_evs_plugin_26445_a_2_2_1_1_requests_are_heard),
};

AGW_UNIT_MAIN("evs_plugin", cases)
