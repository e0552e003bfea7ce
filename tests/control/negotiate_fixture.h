/* SPDX-License-Identifier: BSD-3-Clause
 * One call between "access" (webrtc, 10.0.0.1) and "core" (ims, 10.1.0.1) on the fake gateway, and
 * the descriptions that its parties say. What was written is in `told`, of the last message. */
#ifndef AGW_TESTS_CONTROL_NEGOTIATE_FIXTURE_H
#define AGW_TESTS_CONTROL_NEGOTIATE_FIXTURE_H

#include "control/encoding.h"
#include "control/fake_gateway.h"
#include "control/negotiate.h"
#include "control/ng.h"
#include "unit.h"

#include <string.h>

typedef struct fixture {
    agw_config config;
    agw_gateway *gw;
    agw_call_ref *call;
    agw_session *session;
    GString *told;
    const char *why;
} fixture;

static const uint8_t SEED[16] = {7};

static inline void fixture_open(fixture *f)
{
    char why[128];
    CU_ASSERT_EQUAL_FATAL(agw_gateway_new(&f->gw, &f->config.gateway, why, sizeof why), AGW_OK);
    CU_ASSERT_EQUAL_FATAL(agw_gateway_call_new(f->gw, "call", f, &f->call), AGW_OK);
    f->session = agw_session_new(&f->config, f->gw, f->call, SEED);
    f->told = g_string_new(NULL);
    f->why = "";
}

/* Only the settings; change them, then fixture_open(). */
static inline void fixture_config(fixture *f)
{
    agw_config_init(&f->config);
    f->config.transcode = 0; /* what this build can convert is not what is tested */
    fake_gateway_config(&f->config.gateway);
    f->config.profiles[0] = AGW_REALM_WEBRTC;
    f->config.profiles[1] = AGW_REALM_IMS;
}

static inline void fixture_init(fixture *f)
{
    fixture_config(f);
    fixture_open(f);
}

static inline void fixture_fini(fixture *f)
{
    agw_session_free(f->session);
    agw_gateway_call_free(f->gw, f->call);
    agw_gateway_free(f->gw);
    agw_config_fini(&f->config);
    g_string_free(f->told, TRUE);
}

/* keys: a JSON object, "" = none. sdp: lines end in \n. */
static inline agw_err say(fixture *f, agw_side from, bool is_offer, const char *keys,
                          const char *sdp)
{
    agw_flags flags;
    agw_ng_format format;
    agw_flags_init(&flags);
    agw_doc *doc = keys[0] != '\0' ? agw_ng_parse(keys, strlen(keys), &format, &f->why) : NULL;
    CU_ASSERT_FATAL(keys[0] == '\0' || doc != NULL);
    if (doc != NULL) {
        doc = in_encoding(doc);
        agw_flags_parse(&flags, doc);
    }
    agw_doc_free(doc);
    g_string_truncate(f->told, 0);
    const agw_err err =
        agw_negotiate(f->session, from, is_offer, &flags, sdp, strlen(sdp), f->told, &f->why);
    agw_flags_fini(&flags);
    return err;
}

#define OFFER(f, from, keys, sdp)  CU_ASSERT_EQUAL_FATAL(say(f, from, true, keys, sdp), AGW_OK)
#define ANSWER(f, from, keys, sdp) CU_ASSERT_EQUAL_FATAL(say(f, from, false, keys, sdp), AGW_OK)

static inline const agw_plan *plan_of(const fixture *f)
{
    const agw_plan *plan = fake_gateway_plan(f->call);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plan);
    return plan;
}

/* The transport of one end of media i. */
static inline const agw_transport_plan *transport_of(const fixture *f, size_t i, agw_side side)
{
    const agw_plan *plan = plan_of(f);
    CU_ASSERT_FATAL(i < plan->n_medias);
    for (size_t k = 0; k < plan->n_transports; k++) {
        if (plan->transports[k].id == plan->medias[i].end[side].transport_id)
            return &plan->transports[k];
    }
    CU_FAIL_FATAL("a media without its transport");
    return NULL;
}

static inline const agw_end_plan *end_of(const fixture *f, size_t i, agw_side side)
{
    const agw_plan *plan = plan_of(f);
    CU_ASSERT_FATAL(i < plan->n_medias);
    return &plan->medias[i].end[side];
}

/* What a header extension is called on the other side; 0 = it is removed. */
static inline unsigned ext_of(const agw_end_plan *end, unsigned id)
{
    for (size_t i = 0; i < end->n_exts; i++) {
        if (end->exts[i].ingress == id)
            return end->exts[i].egress;
    }
    return 0;
}

/* A copy that outlives the plan. */
static inline agw_transport_plan kept_transport(const fixture *f, size_t media, agw_side side)
{
    agw_transport_plan t = *transport_of(f, media, side);
    t.remote_ufrag = g_intern_string(t.remote_ufrag);
    t.remote_pwd = g_intern_string(t.remote_pwd);
    static agw_fingerprint kept[8]; /* of the last few */
    static size_t last;
    CU_ASSERT_FATAL(t.n_fingerprints <= 1);
    last = (last + 1) % G_N_ELEMENTS(kept);
    if (t.n_fingerprints == 1)
        kept[last] = t.fingerprints[0];
    t.fingerprints = &kept[last];
    t.sources = NULL;
    t.candidates = NULL;
    return t;
}

/* Nothing that the worker acts upon differs. */
static inline bool same_transport(const agw_transport_plan *a, const agw_transport_plan *b)
{
    bool same = a->id == b->id && a->side == b->side && a->security == b->security &&
                a->rtcp_mux == b->rtcp_mux && a->tos == b->tos && a->ice == b->ice &&
                a->dtls == b->dtls && a->dtls_epoch == b->dtls_epoch &&
                a->n_fingerprints == b->n_fingerprints && a->source_rule == b->source_rule &&
                a->latch_rule == b->latch_rule;
    for (size_t i = 0; same && i < a->n_fingerprints; i++)
        same = agw_fingerprint_equal(&a->fingerprints[i], &b->fingerprints[i]);
    return same && strcmp(a->local_ufrag, b->local_ufrag) == 0 &&
           strcmp(a->local_pwd, b->local_pwd) == 0 &&
           g_strcmp0(a->remote_ufrag, b->remote_ufrag) == 0 &&
           g_strcmp0(a->remote_pwd, b->remote_pwd) == 0 &&
           agw_addr_equal(&a->remote_rtp, &b->remote_rtp) &&
           agw_addr_equal(&a->remote_rtcp, &b->remote_rtcp);
}

static inline const char *last_line(const fixture *f, const char *begin)
{
    const char *found = NULL;
    for (const char *p = f->told->str; (p = strstr(p, begin)) != NULL; p++) {
        if (p == f->told->str || p[-1] == '\n')
            found = p;
    }
    return found;
}

/* Whether a whole line, or one that begins so, was written. */
static inline bool has(const fixture *f, const char *line)
{
    return last_line(f, line) != NULL;
}

/* How many lines begin so. */
static inline size_t count(const fixture *f, const char *begin)
{
    size_t n = 0;
    for (const char *p = f->told->str; (p = strstr(p, begin)) != NULL; p++)
        n += p == f->told->str || p[-1] == '\n';
    return n;
}

/* The port of the m= line number i (from 0). */
static inline unsigned port_of(const fixture *f, size_t i)
{
    const char *p = f->told->str;
    for (size_t k = 0; (p = strstr(p, "\nm=")) != NULL && k < i; k++)
        p++;
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    return (unsigned)strtoul(strchr(p, ' '), NULL, 10);
}

/* The version in o=. */
static inline unsigned long long version_of(const fixture *f)
{
    const char *p = strstr(f->told->str, "\no=");
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    p = strchr(strchr(p, ' ') + 1, ' ');
    return strtoull(p, NULL, 10);
}

/* --- what the parties say ----------------------------------------------------------------- */

#define FP_1                                                                                       \
    "sha-256 5F:09:11:90:E4:56:62:6C:1D:EB:E3:69:73:BA:93:E9:"                                     \
    "8D:F0:E3:DE:37:B1:C2:0D:B1:DD:6C:14:38:8C:B3:11"
#define FP_2                                                                                       \
    "sha-256 FC:63:6F:D1:67:13:77:C7:3B:D5:54:24:93:7D:04:DB:"                                     \
    "E6:09:9B:C0:41:08:40:D3:43:5E:AF:C6:62:66:B9:41"

#define SESSION(version) "v=0\no=- 78139168 " version " IN IP4 127.0.0.1\ns=-\nt=0 0\n"
#define BUNDLE(mids)     "a=group:BUNDLE " mids "\n"
#define WEB_TRANSPORT(ufrag, pwd, fp, setup)                                                       \
    "c=IN IP4 198.51.100.7\na=rtcp:9 IN IP4 0.0.0.0\na=ice-ufrag:" ufrag "\na=ice-pwd:" pwd        \
    "\na=fingerprint:" fp "\na=setup:" setup "\na=rtcp-mux\na=rtcp-rsize\n"
#define PWD_1 "OxrJglqSUkHiimH8DIbixQpy"
#define PWD_2 "f4rVykR51DfMmamgdmGiycdT"
#define WEB_1 WEB_TRANSPORT("r1kG", PWD_1, FP_1, "actpass")

#define WEB_AUDIO_CODECS                                                                           \
    "a=rtpmap:111 opus/48000/2\na=rtcp-fb:111 transport-cc\n"                                      \
    "a=fmtp:111 minptime=10;useinbandfec=1\na=rtpmap:63 red/48000/2\na=fmtp:63 111/111\n"          \
    "a=rtpmap:8 PCMA/8000\na=rtpmap:110 telephone-event/48000\n"                                   \
    "a=rtpmap:126 telephone-event/8000\n"
#define WEB_AUDIO_EXT                                                                              \
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"                                     \
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n"
#define WEB_AUDIO(port, mid, transport)                                                            \
    "m=audio " port " UDP/TLS/RTP/SAVPF 111 63 8 110 126\n" transport "a=mid:" mid                 \
    "\n" WEB_AUDIO_EXT "a=sendrecv\na=msid:s a\n" WEB_AUDIO_CODECS "a=ssrc:1001 cname:x\n"
#define WEB_VIDEO_CODECS                                                                           \
    "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 goog-remb\na=rtcp-fb:96 transport-cc\n"                   \
    "a=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\n"                             \
    "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\na=rtpmap:102 H264/90000\n"                           \
    "a=rtcp-fb:102 ccm fir\na=rtcp-fb:102 nack\na=rtcp-fb:102 nack pli\n"                          \
    "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\n"          \
    "a=rtpmap:118 red/90000\na=rtpmap:120 ulpfec/90000\n"
#define WEB_VIDEO(port, mid, transport)                                                            \
    "m=video " port " UDP/TLS/RTP/SAVPF 96 97 102 118 120\n" transport "a=mid:" mid "\n"           \
    "a=extmap:13 urn:3gpp:video-orientation\n"                                                     \
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=sendrecv\na=msid:s v\n" WEB_VIDEO_CODECS    \
    "a=ssrc-group:FID 2001 2002\na=ssrc:2001 cname:x\na=ssrc:2002 cname:x\n"

#define WEB_OFFER_A SESSION("2") BUNDLE("0") WEB_AUDIO("9", "0", WEB_1)
#define WEB_OFFER_AV                                                                               \
    SESSION("2") BUNDLE("0 1") WEB_AUDIO("9", "0", WEB_1) WEB_VIDEO("9", "1", WEB_1)

#define CORE_SESSION(version)                                                                      \
    "v=0\no=mgcf 55 " version " IN IP4 10.2.0.9\ns=-\nc=IN IP4 10.2.0.9\nt=0 0\n"
#define CORE_AUDIO(port)                                                                           \
    "m=audio " port " RTP/AVP 8 126\na=rtpmap:8 PCMA/8000\n"                                       \
    "a=rtpmap:126 telephone-event/8000\na=ptime:20\n"
#define CORE_VIDEO(port)                                                                           \
    "m=video " port " RTP/AVPF 102\na=rtpmap:102 H264/90000\n"                                     \
    "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\na=rtcp-fb:102 nack pli\n"
#define CORE_A  CORE_SESSION("1") CORE_AUDIO("16000")
#define CORE_AV CORE_SESSION("1") CORE_AUDIO("16000") CORE_VIDEO("16010")

#define WEB_ANSWER_A(ufrag, pwd, fp, setup)                                                        \
    SESSION("2")                                                                                   \
    BUNDLE("0")                                                                                    \
    "m=audio 9 UDP/TLS/RTP/SAVPF 8 126\n" WEB_TRANSPORT(                                           \
        ufrag, pwd, fp, setup) "a=mid:0\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\n"         \
                               "a=sendrecv\na=rtpmap:8 PCMA/8000\n"                                \
                               "a=rtpmap:126 telephone-event/8000\n"

#endif
