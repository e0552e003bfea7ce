/* SPDX-License-Identifier: BSD-3-Clause
 * A chain that is fed by a stranger: RTP packets as he likes (length, how far the clock moves, then
 * the packet), of PCMA, Opus, AMR, AMR-WB, RED, telephone events and CN. A length of 0 is another
 * plan at that moment, of the octet behind it. What comes out is RTP in sequence. */
#include "base/wire.h"
#include "codecs/chain.h"
#include "rtp/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_audio(agw_chain_plan *plan, uint8_t pt, agw_codec_id id)
{
    plan->inputs[plan->n_inputs++] = (agw_chain_input){.pt = pt, .format = agw_codec_plain(id)};
}

/* Its low bits choose the codec that comes out and the clock of its events, the others what comes
 * in and how. */
static agw_chain_plan make_plan(uint8_t kind)
{
    static const agw_codec_id OUT[] = {AGW_CODEC_PCMU, AGW_CODEC_OPUS, AGW_CODEC_L16, AGW_CODEC_AMR,
                                       AGW_CODEC_AMR_WB};
    static const uint32_t EVENT_HZ[] = {8000, 48000, 16000, 8000};
    const agw_codec_format clock = {.clock_hz = 48000};
    agw_chain_plan plan = {.n_inputs = 4,
                           .out_pt = 0,
                           .event_pt = 96,
                           .event_hz = EVENT_HZ[(kind & 0xf) / 5],
                           .noise_pt = 13};
    if (kind & 0x80)
        plan.event_hz = 0; /* digits become tones */
    plan.out = agw_codec_plain(OUT[(kind & 0xf) % 5]);
    plan.out.ptime_ms = (uint8_t)(kind & 0x10 ? 60 : 20);
    plan.has_noise = kind & 0x20;
    plan.inputs[0] = (agw_chain_input){.pt = 8, .format = agw_codec_plain(AGW_CODEC_PCMA)};
    plan.inputs[1] = (agw_chain_input){.pt = 101, .is_event = true, .format = clock};
    plan.inputs[2] = (agw_chain_input){.pt = 13, .is_noise = true, .format = clock};
    plan.inputs[3] = (agw_chain_input){.pt = 63, .is_red = true, .format = clock};
    add_audio(&plan, 111, kind & 0x40 ? AGW_CODEC_AMR : AGW_CODEC_OPUS);
    if (kind & 0x40) {
        add_audio(&plan, 105, AGW_CODEC_AMR_WB);
        plan.inputs[plan.n_inputs - 1].format.amr.octet_aligned = true;
    }
    return plan;
}

static void take_due(agw_chain *c, agw_ns now, uint16_t *seq)
{
    uint8_t rtp[1500];
    while (agw_chain_deadline(c) <= now) {
        agw_rtp_header h;
        const size_t len = agw_chain_take(c, now, rtp, sizeof rtp);
        if (len == 0)
            continue;
        AGW_ASSERT(agw_rtp_parse(&h, rtp, len) == AGW_OK);
        AGW_ASSERT(h.seq == *seq && h.ssrc == 7);
        (*seq)++;
    }
}

static void change_plan(agw_chain *c, uint8_t kind)
{
    const agw_chain_plan plan = make_plan(kind);
    const agw_err err = agw_chain_apply(c, &plan);
    AGW_ASSERT(err == AGW_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const agw_chain_plan plan = make_plan(data[0]);
    agw_chain *c = agw_chain_new(&plan, 7, 1, 1);
    AGW_ASSERT(c != NULL);
    agw_ns now = AGW_S(1);
    uint16_t seq = 1;
    for (data++, size--; size > 2;) {
        const size_t len = data[0] < size - 2 ? data[0] : size - 2;
        now += AGW_MS(data[1] & 0x3f) << (data[1] >> 6);
        take_due(c, now, &seq);
        if (len == 0)
            change_plan(c, data[1]);
        else if (agw_chain_put(c, data + 2, len, now) == AGW_OK)
            take_due(c, now, &seq);
        data += 2 + len;
        size -= 2 + len;
    }
    take_due(c, now + AGW_S(1), &seq);
    agw_chain_free(c);
    return 0;
}
