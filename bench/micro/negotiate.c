/* SPDX-License-Identifier: BSD-3-Clause
 * What offer and answer of one call cost in negotiation alone: Chromium 156's offer (audio, or
 * audio and video) and a phone's answer, from SDP in to SDP out and the plan of the call. No
 * sockets, no ng: the gateway behind it is the one of the unit tests. */
#include "control/negotiate.h"
#include "bench/micro/micro.h"
#include "control/fake_gateway.h"
#include "vectors/vector.h"

#include <string.h>

enum { SDP_MAX = 16384 };

#define PHONE "v=0\r\no=- 1 1 IN IP4 10.2.0.9\r\ns=-\r\nc=IN IP4 10.2.0.9\r\nt=0 0\r\n"
#define PHONE_AUDIO                                                                                \
    "m=audio 16000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"                                      \
    "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
#define PHONE_VIDEO                                                                                \
    "m=video 16010 RTP/AVPF 102\r\na=rtpmap:102 H264/90000\r\n"                                    \
    "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\na=rtcp-fb:102 nack pli\r\n"

static agw_config config;
static agw_gateway *gateway;
static agw_flags flags;
static GString *told;
static char audio_offer[SDP_MAX], video_offer[SDP_MAX];

static void say(agw_session *session, agw_side from, bool is_offer, const char *sdp)
{
    const char *why = "";
    g_string_truncate(told, 0);
    const agw_err err =
        agw_negotiate(session, from, is_offer, &flags, sdp, strlen(sdp), told, &why);
    if (err != AGW_OK)
        fprintf(stderr, "negotiate: %s\n", why);
    AGW_ASSERT(err == AGW_OK && told->len != 0);
}

static void negotiate(const char *offer, const char *answer)
{
    static const uint8_t SEED[16] = {7};
    agw_call_ref *call;
    AGW_ASSERT(agw_gateway_call_new(gateway, "call", NULL, &call) == AGW_OK);
    agw_session *session = agw_session_new(&config, gateway, call, SEED);
    say(session, AGW_SIDE_A, true, offer);
    say(session, AGW_SIDE_B, false, answer);
    agw_session_free(session);
    agw_gateway_call_free(gateway, call);
}

static void run_audio(size_t n)
{
    while (n-- > 0)
        negotiate(audio_offer, PHONE PHONE_AUDIO);
}

static void run_video(size_t n)
{
    while (n-- > 0)
        negotiate(video_offer, PHONE PHONE_AUDIO PHONE_VIDEO);
}

static void read_offer(const char *name, char out[SDP_MAX])
{
    const size_t len = vector_read(name, (uint8_t *)out, SDP_MAX - 1);
    AGW_ASSERT(len != 0);
    out[len] = '\0';
}

int main(int argc, char *argv[])
{
    static const micro list[] = {
        {"negotiate_audio", "negotiate: offer and answer, audio", run_audio},
        {"negotiate_video", "negotiate: offer and answer, audio and video", run_video},
    };
    char why[128];
    agw_config_init(&config);
    fake_gateway_config(&config.gateway);
    config.profiles[0] = AGW_REALM_WEBRTC;
    config.profiles[1] = AGW_REALM_IMS;
    AGW_ASSERT(agw_gateway_new(&gateway, &config.gateway, why, sizeof why) == AGW_OK);
    agw_flags_init(&flags);
    told = g_string_new(NULL);
    read_offer("sdp/chromium156-opus-offer.sdp", audio_offer);
    read_offer("sdp/chromium156-av-offer.sdp", video_offer);
    const int status = micro_main(list, sizeof list / sizeof list[0], argc, argv);
    g_string_free(told, TRUE);
    agw_flags_fini(&flags);
    agw_gateway_free(gateway);
    agw_config_fini(&config);
    return status;
}
