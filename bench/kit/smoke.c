/* SPDX-License-Identifier: BSD-3-Clause
 * One call of every kind through a real gateway, media and RTCP both ways, every packet checked:
 * says whether this kit and that gateway understand each other, measures nothing.
 *
 *   node bench/run.mjs --gateway=agwd|rtpengine -- kit_smoke */
#include "bench/kit/call.h"
#include "bench/kit/sealer.h"

#include <stdio.h>
#include <string.h>

enum {
    PACKETS = 20, /* of each side, one every 20 ms */
    RTCP_MS = 100,
    SETTLE_MS = 200,
};

typedef struct scenario {
    kit_call_kind kind;
    bool video, gateway_dtls_client;
    agw_srtp_suite suite;
} scenario;

static const char *const KINDS[] = {"webrtc-rtp", "rtp-webrtc", "rtp-rtp", "webrtc-sdes"};

static bool is_decided(void *owner)
{
    const kit_call *call = owner;
    return call->state == KIT_CALL_UP || call->state == KIT_CALL_FAILED;
}

static bool is_gone(void *owner)
{
    const kit_call *call = owner;
    return call->state == KIT_CALL_GONE;
}

static bool never(void *owner)
{
    (void)owner;
    return false;
}

/* The first packets come one packet time after the handshake: directly behind it a gateway that
 * leaves handshakes to another thread may not have the keys yet. */
static void talk(kit_call *call)
{
    kit_world_until(call->world, never, NULL, AGW_MS(20));
    for (unsigned i = 0; i < PACKETS; i++) {
        kit_call_send(call, KIT_A);
        kit_call_send(call, KIT_B);
        kit_world_until(call->world, never, NULL, AGW_MS(20));
    }
    kit_world_until(call->world, never, NULL, AGW_MS(SETTLE_MS));
}

/* NULL, or what is wrong with what arrived at that side. */
static const char *hears(const kit_call *call, kit_side at)
{
    const kit_checker *c = &call->checker[at];
    if (c->found[KIT_GOOD] != PACKETS)
        return "not every packet came, once, in order and unharmed";
    for (kit_finding f = KIT_LATE; f < KIT_FINDINGS; f++) {
        if (c->found[f] != 0)
            return kit_finding_text(f);
    }
    if (call->sr_seen[at] == 0)
        return "no SR came";
    return call->rtcp_bad[at] == 0 ? NULL : "RTCP came that is not of this call";
}

/* NULL, or what is wrong with the browser's side of the call. */
static const char *is_secure(const kit_call *call, const scenario *s)
{
    const kit_browser *b = &call->browser;
    const kit_browser_stats *stats = &b->stats;
    if (b->srtp.suite != s->suite)
        return "another SRTP suite than asked for";
    if (b->dtls_client == s->gateway_dtls_client)
        return "another DTLS role than asked for";
    if (b->srtp.auth_failed + b->srtp.replayed + stats->unknown != 0)
        return "media that is not authentic";
    if (stats->checks_answered != stats->checks_sent || stats->stun_bad != 0)
        return "checks without a good answer";
    return stats->other_source == 0 ? NULL : "datagrams from elsewhere";
}

static const char *run(kit_call *call, const scenario *s)
{
    kit_call_start(call);
    kit_world_until(call->world, is_decided, call, AGW_S(15));
    const char *why = call->failure;
    if (call->state == KIT_CALL_UP) {
        talk(call);
        why = hears(call, KIT_A);
        if (why == NULL)
            why = hears(call, KIT_B);
        if (why == NULL && s->kind != KIT_CALL_RTP_RTP)
            why = is_secure(call, s);
    }
    kit_call_delete(call);
    kit_world_until(call->world, is_gone, call, AGW_S(10));
    return why != NULL ? why : call->failure;
}

static bool passes(kit_world *world, const scenario *s, uint32_t number)
{
    const agw_srtp_suite_info *suite = agw_srtp_suite_get(s->suite);
    agw_dtls_ctx *dtls = agw_dtls_ctx_new(agw_cert_new(), suite->use_srtp);
    const kit_call_config config = {.kind = s->kind,
                                    .video = s->video,
                                    .gateway_dtls_client = s->gateway_dtls_client,
                                    .dtls = dtls,
                                    .sdes = s->suite,
                                    .payload = s->video ? 1200 : 160,
                                    .timestamp_step = s->video ? 3600 : 160,
                                    .burst = s->video ? 5 : 1,
                                    .rtcp_every = AGW_MS(RTCP_MS)};
    static kit_call call;
    memset(&call, 0, sizeof call);
    kit_call_init(&call, world, &config, number);
    const char *why = run(&call, s);
    printf("%s  %-10s  %s", why == NULL ? "ok    " : "FAILED", KINDS[s->kind],
           s->video ? "video" : "audio");
    if (s->kind != KIT_CALL_RTP_RTP)
        printf("  gateway %-7s  %s", s->gateway_dtls_client ? "active" : "passive", suite->sdes);
    if (why != NULL)
        printf("  %s%s%s", why, call.error_reason[0] != '\0' ? ": " : "", call.error_reason);
    printf("\n");
    kit_call_fini(&call);
    agw_dtls_ctx_unref(dtls);
    return why == NULL;
}

int main(int argc, char *argv[])
{
    kit_world_config config = {.interface = NULL};
    for (int i = 1; i < argc; i++)
        if (kit_world_option(&config, argv[i]) == KIT_OPTION_WRONG)
            return 2;
    kit_world world;
    const char *why = "an option is missing";
    if (!kit_world_config_complete(&config) || kit_world_open(&world, &config, &why) != AGW_OK) {
        fprintf(stderr, "kit_smoke: %s\n", why);
        return 2;
    }
    kit_sealer_open(&world);
    static const agw_srtp_suite SUITES[] = {AGW_SRTP_AES_CM_128_80, AGW_SRTP_AEAD_128_GCM};
    unsigned passed = 0, run_all = 0;
    for (unsigned i = 0; i < 32; i++) {
        const scenario s = {.kind = (kit_call_kind)(i / 8),
                            .video = (i & 1) != 0,
                            .gateway_dtls_client = (i & 2) != 0,
                            .suite = SUITES[i / 4 % 2]};
        if (s.kind == KIT_CALL_RTP_RTP && (i & 6) != 0)
            continue; /* there is neither DTLS nor SRTP */
        passed += passes(&world, &s, i);
        run_all++;
    }
    printf("%u passed, %u failed, 0 skipped\n", passed, run_all - passed);
    kit_sealer_close(&world);
    kit_world_close(&world);
    return passed != run_all;
}
