/* SPDX-License-Identifier: BSD-3-Clause
 * What a message of the wide fuzz is made of. */
#include "tests/attack/wide.h"

#include <stdio.h>
#include <string.h>

enum { SPOIL_ONE_IN = 5 };

#define PICK(a, list) ((list)[craft_below(&(a)->rng, sizeof(list) / sizeof((list)[0]))])

static const char *const COMMANDS[] = {"offer",
                                       "offer",
                                       "offer",
                                       "offer",
                                       "answer",
                                       "answer",
                                       "answer",
                                       "delete",
                                       "query",
                                       "list",
                                       "statistics",
                                       "ping",
                                       "capabilities",
                                       "play DTMF",
                                       "block media",
                                       "unblock media",
                                       "silence media",
                                       "block DTMF",
                                       "unblock DTMF",
                                       "start recording",
                                       "start forwarding",
                                       "stop recording",
                                       "subscribe request",
                                       "unsubscribe",
                                       "publish",
                                       "play media",
                                       "stop media",
                                       "fly",
                                       ""};

static const char *const KEYS[] = {"ICE",
                                   "DTLS",
                                   "SDES",
                                   "rtcp-mux",
                                   "replace",
                                   "direction",
                                   "transport-protocol",
                                   "transport protocol",
                                   "address-family",
                                   "address family",
                                   "media-address",
                                   "codec",
                                   "ptime",
                                   "ptime-reverse",
                                   "TOS",
                                   "label",
                                   "set-label",
                                   "to-label",
                                   "sdp-attr",
                                   "sdp-media-remove",
                                   "extmap",
                                   "bundle",
                                   "delete-delay",
                                   "delete delay",
                                   "via-branch",
                                   "received-from",
                                   "rtpp-flags",
                                   "supports",
                                   "OSRTP",
                                   "T.38",
                                   "priority",
                                   "endpoint-learning",
                                   "limit",
                                   "DTLS-fingerprint",
                                   "ICE-lite",
                                   "generate RTCP",
                                   "record call",
                                   "metadata",
                                   "code",
                                   "duration",
                                   "volume",
                                   "address",
                                   "all",
                                   "DTMF-security",
                                   "drop-traffic",
                                   "sip-message-type",
                                   "interface",
                                   "from-interface",
                                   "nonsense"};

static const char *const WORDS[] = {"force",
                                    "remove",
                                    "passive",
                                    "active",
                                    "off",
                                    "offer",
                                    "require",
                                    "demux",
                                    "accept",
                                    "reject",
                                    "origin",
                                    "session-connection",
                                    "SDP-version",
                                    "zero-address",
                                    "username",
                                    "access",
                                    "core",
                                    "RTP/AVP",
                                    "RTP/SAVPF",
                                    "UDP/TLS/RTP/SAVPF",
                                    "SRTP",
                                    "AVPF",
                                    "IP4",
                                    "IP6",
                                    "10.99.1.9",
                                    "::1",
                                    "trust-address",
                                    "SIP-source-address",
                                    "asymmetric",
                                    "strict-source",
                                    "port-latching",
                                    "media-handover",
                                    "generate-mid",
                                    "loop-protect",
                                    "reset",
                                    "trickle-ICE",
                                    "reject-ICE",
                                    "fragment",
                                    "fatal",
                                    "fast",
                                    "to-tag",
                                    "directional",
                                    "all",
                                    "single-codec",
                                    "strip-extmap",
                                    "original-sendrecv",
                                    "allow-no-codec-media",
                                    "reuse-codecs",
                                    "WebRTC",
                                    "codec-strip-PCMA",
                                    "codec-mask-all",
                                    "codec-offer-opus",
                                    "transcode-PCMU",
                                    "sdp-attr-add-audio-x:1",
                                    "sdp-attr-remove-none-group",
                                    "sdp-media-remove-audio",
                                    "extmap-strip-all",
                                    "SDES-off",
                                    "SDES-only-AEAD_AES_256_GCM",
                                    "rtcp-mux-require",
                                    "bundle-reject",
                                    "memory",
                                    "histograms",
                                    "emergency",
                                    "endpoint-learning-off",
                                    "T38-decode",
                                    "0",
                                    "-1",
                                    "30",
                                    "4294967296",
                                    "audio",
                                    "opus/48000/2",
                                    "urn:ietf:params:rtp-hdrext:sdes:mid",
                                    "[a=[b] c=[d [e]]]",
                                    "k=[a b",
                                    "=",
                                    "]["};

#define FINGERPRINT                                                                                \
    ("a=fingerprint:sha-256 5F:09:11:90:E4:56:62:6C:1D:EB:E3:69:73:BA:93:E9:"                      \
     "8D:F0:E3:DE:37:B1:C2:0D:B1:DD:6C:14:38:8C:B3:11")

static const char *const LINES[] = {
    "m=audio 20000 RTP/AVP 0 8 101",
    "m=video 20002 RTP/AVPF 96",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0",
    "m=audio 20004 RTP/SAVP 0",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "m=audio 0 RTP/AVP 0",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:111 opus/48000/2",
    "a=sendonly",
    "a=inactive",
    "a=mid:0",
    "a=mid:1",
    "a=group:BUNDLE 0 1",
    "a=rtcp-mux",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa",
    "a=candidate:1 1 udp 2130706431 10.99.255.1 20000 typ host",
    "a=candidate:2 1 tcp 1 10.99.255.1 9 typ host tcptype active",
    "a=end-of-candidates",
    "a=setup:actpass",
    "a=setup:active",
    FINGERPRINT,
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz",
    "a=crypto:2 AEAD_AES_256_GCM inline:%%%",
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
    "a=rtcp-fb:96 nack pli",
    "a=fmtp:96 apt=97",
    "a=ssrc:12345 cname:x",
    "a=curr:qos local none",
    "b=AS:64",
    "c=IN IP4 0.0.0.0",
    "c=IN IP6 ::1",
    "o=- 1 1 IN IP4 10.99.255.1",
    "a=x-nothing",
    "t=0 0",
    "=",
};

/* One value in each of the shapes that clients have. */
static agw_doc *random_value(attack *a, int depth)
{
    const uint32_t shape = craft_below(&a->rng, depth < 3 ? 8 : 5);
    if (shape == 0)
        return agw_doc_new_int((int32_t)craft_rand(&a->rng) >> craft_below(&a->rng, 32));
    if (shape < 5)
        return agw_doc_new_str(PICK(a, WORDS));
    agw_doc *out = shape == 7 ? agw_doc_new_dict() : agw_doc_new_list();
    for (uint32_t n = craft_below(&a->rng, 4); n > 0; n--) {
        static const char *const NAMES[] = {"strip", "mask",  "offer", "except",     "add",
                                            "audio", "video", "none",  "substitute", "remove"};
        if (shape == 7)
            agw_doc_set(out, PICK(a, NAMES), random_value(a, depth + 1));
        else
            agw_doc_add(out, random_value(a, depth + 1));
    }
    return out;
}

static void set_numbered(attack *a, agw_doc *out, const char *key, const char *text, uint32_t n)
{
    char value[40];
    snprintf(value, sizeof value, "%s%u", text, craft_below(&a->rng, n));
    agw_doc_set_str(out, key, value);
}

static void add_random_lines(attack *a, GString *sdp)
{
    for (uint32_t n = craft_below(&a->rng, 24); n > 0; n--)
        g_string_append_printf(sdp, "%s\r\n", PICK(a, LINES));
}

/* A phone's own, one in disorder, a fragment, or none. */
static void set_sdp(attack *a, const wide_names *names, agw_doc *out)
{
    char own[KIT_SDP_MAX];
    GString *sdp = g_string_new(NULL);
    const uint32_t kind = craft_below(&a->rng, 8);
    if (kind == 0) {
        g_string_free(sdp, TRUE);
        return;
    }
    if (kind < 4) {
        kit_phone phone = *attack_phone(a);
        phone.local = names->nobody;
        g_string_append_len(sdp, own, (gssize)kit_phone_write_sdp(&phone, own));
    } else if (kind < 7) {
        g_string_append(sdp, "v=0\r\no=- 1 1 IN IP4 10.99.255.1\r\ns=-\r\nc=IN IP4 10.99.255.1\r\n"
                             "t=0 0\r\nm=audio 20000 RTP/AVP 0\r\n");
    }
    if (kind > 2)
        add_random_lines(a, sdp);
    agw_doc_set_bytes(out, "sdp", sdp->str, sdp->len);
    g_string_free(sdp, TRUE);
}

static void set_flags(attack *a, agw_doc *out)
{
    agw_doc *list = agw_doc_new_list();
    for (uint32_t n = craft_below(&a->rng, 5); n > 0; n--)
        agw_doc_add_str(list, PICK(a, WORDS));
    agw_doc_set(out, "flags", list);
}

static agw_doc *random_command(attack *a, const wide_names *names)
{
    agw_doc *out = agw_doc_new_dict();
    set_sdp(a, names, out);
    for (uint32_t n = craft_below(&a->rng, 5); n > 0; n--)
        agw_doc_set(out, PICK(a, KEYS), random_value(a, 0));
    if (craft_below(&a->rng, 2) == 0)
        set_flags(a, out);
    const char *command = PICK(a, COMMANDS);
    if (craft_below(&a->rng, 16) != 0)
        set_numbered(a, out, "call-id", WIDE_ID,
                     strcmp(command, "delete") == 0 ? WIDE_MORTAL_CALLS : WIDE_CALLS);
    if (craft_below(&a->rng, 16) != 0)
        set_numbered(a, out, "from-tag", "t", 3);
    if (craft_below(&a->rng, 2) == 0)
        set_numbered(a, out, "to-tag", "t", 4);
    if (*command != '\0')
        agw_doc_set_str(out, "command", command);
    return out;
}

/* Bits turned over, or the end missing; the cookie in front stays. */
static void spoil(attack *a, size_t head)
{
    craft *p = &a->packet;
    const uint32_t len = (uint32_t)(p->len - head);
    if (len == 0)
        return;
    if (craft_below(&a->rng, 4) == 0) {
        p->len = head + craft_below(&a->rng, len);
        return;
    }
    for (uint32_t n = 1 + craft_below(&a->rng, 8); n > 0; n--)
        p->data[head + craft_below(&a->rng, len)] ^= (uint8_t)(1U << craft_below(&a->rng, 8));
}

static void write_message(attack *a, const wide_names *names, uint64_t n)
{
    char cookie[40];
    GString *text = g_string_new(NULL);
    agw_doc *command = random_command(a, names);
    agw_ng_write(text, command, craft_below(&a->rng, 2) == 0 ? AGW_NG_BENCODE : AGW_NG_JSON);
    agw_doc_free(command);
    craft_clear(&a->packet);
    const int head = snprintf(cookie, sizeof cookie, "w%llu ", (unsigned long long)n);
    craft_add(&a->packet, cookie, (size_t)head);
    craft_add(&a->packet, text->str, text->len);
    g_string_free(text, TRUE);
    if (craft_below(&a->rng, SPOIL_ONE_IN) == 0)
        spoil(a, (size_t)head);
}

static bool names_a_party(const attack *a, const wide_names *names)
{
    for (size_t i = 0; i < WIDE_PARTIES; i++) {
        const char *ip = names->parties[i];
        if (memmem(a->packet.data, a->packet.len, ip, strlen(ip)) != NULL)
            return true;
    }
    return false;
}

void wide_make_message(attack *a, const wide_names *names, uint64_t n)
{
    do
        write_message(a, names, n);
    while (names_a_party(a, names));
}
