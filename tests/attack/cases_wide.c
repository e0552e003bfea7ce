/* SPDX-License-Identifier: BSD-3-Clause
 * Wide fuzz of the control port: random commands with random keys, flags, descriptions and ICE
 * fragments in both encodings, every fifth with bits turned over or cut, about calls of the case's
 * own. Every message with a cookie must be answered, with a document in its encoding that has a
 * result; in a long run the gateway's heap may not grow. */
#include "tests/attack/attack.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PER_S = 300,
    WINDOW = 32, /* messages that may wait for their answers: no socket buffer overflows */
    CALLS = 24,
    REPLY_MAX = 65536,
    SPOIL_ONE_IN = 5,
    GROWTH_MAX = 4 * 1024 * 1024,
};
static const agw_ns LOST_AFTER = AGW_S(2); /* without an answer for so long */
static const agw_ns HEAP_EVERY = AGW_S(5);
static const agw_ns HEAP_SETTLED = AGW_S(60); /* all calls and kept replies are there by then */

typedef struct wide {
    int fd;
    uint64_t asked, answered, errors, odd; /* odd: what is no reply */
    bool waits[WINDOW];                    /* by number modulo WINDOW */
    agw_ns asked_at[WINDOW];
    agw_ns began_at, heap_at;
    int64_t heap_first, heap_last; /* bytes; 0 = not known */
} wide;

/* --- what is sent ------------------------------------------------------------------------------
 */

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
static void set_sdp(attack *a, agw_doc *out)
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

static agw_doc *random_command(attack *a)
{
    agw_doc *out = agw_doc_new_dict();
    set_sdp(a, out);
    for (uint32_t n = craft_below(&a->rng, 5); n > 0; n--)
        agw_doc_set(out, PICK(a, KEYS), random_value(a, 0));
    if (craft_below(&a->rng, 2) == 0)
        set_flags(a, out);
    if (craft_below(&a->rng, 16) != 0)
        set_numbered(a, out, "call-id", "attack-wide-", CALLS);
    if (craft_below(&a->rng, 16) != 0)
        set_numbered(a, out, "from-tag", "t", 3);
    if (craft_below(&a->rng, 2) == 0)
        set_numbered(a, out, "to-tag", "t", 4);
    const char *command = PICK(a, COMMANDS);
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

static void make_message(attack *a, uint64_t n)
{
    char cookie[40];
    GString *text = g_string_new(NULL);
    agw_doc *command = random_command(a);
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

/* --- what is answered --------------------------------------------------------------------------
 */

static void take_heap(wide *w, const agw_doc *reply)
{
    int64_t used = 0;
    if (!agw_doc_int(agw_doc_get(agw_doc_get(reply, "statistics"), "memory"), "heap used", &used))
        return;
    if (w->heap_first == 0 && agw_clock_now() - w->began_at >= HEAP_SETTLED)
        w->heap_first = used;
    w->heap_last = used;
}

static void take_reply(wide *w, const char *text, size_t len)
{
    agw_ng_message parts;
    agw_ng_format format;
    const char *why;
    if (agw_ng_split(&parts, text, len) != AGW_OK) {
        w->odd++;
        return;
    }
    agw_doc *reply = agw_ng_parse(parts.body, parts.body_len, &format, &why);
    const char *result = agw_doc_str(reply, "result");
    if (result == NULL)
        w->odd++;
    else if (parts.cookie[0] == 'h')
        take_heap(w, reply);
    else if (strcmp(result, "error") == 0)
        w->errors++;
    if (parts.cookie[0] == 'w') {
        const uint64_t n = g_ascii_strtoull(parts.cookie + 1, NULL, 10);
        w->answered += w->waits[n % WINDOW];
        w->waits[n % WINDOW] = false;
    }
    agw_doc_free(reply);
}

static void read_replies(wide *w)
{
    static char reply[REPLY_MAX];
    for (ssize_t n; (n = recv(w->fd, reply, sizeof reply, 0)) > 0;)
        take_reply(w, reply, (size_t)n);
}

/* --- the case ----------------------------------------------------------------------------------
 */

static void begin(attack *a)
{
    wide *w = calloc(1, sizeof *w);
    AGW_ASSERT(w != NULL);
    struct sockaddr_storage sa;
    const socklen_t len = agw_addr_to_sockaddr(&a->target, &sa);
    w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    AGW_ASSERT(w->fd >= 0);
    const int room = 8 * 1024 * 1024;
    (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (connect(w->fd, (const struct sockaddr *)&sa, len) != 0)
        attack_fail(a, "no way to the control port");
    w->began_at = w->heap_at = agw_clock_now();
    a->own = w;
}

static void ask_heap(wide *w, agw_ns now)
{
    char text[80];
    const int len = snprintf(text, sizeof text, "h%llu d5:flagsl6:memorye7:command10:statisticse",
                             (unsigned long long)now);
    w->heap_at = now;
    (void)send(w->fd, text, (size_t)len, 0);
}

static void fire(attack *a, uint64_t n)
{
    (void)n;
    wide *w = a->own;
    const agw_ns now = agw_clock_now();
    read_replies(w);
    if (now - w->heap_at >= HEAP_EVERY)
        ask_heap(w, now);
    const size_t slot = w->asked % WINDOW;
    if (w->waits[slot]) {
        if (now - w->asked_at[slot] > LOST_AFTER)
            attack_fail(a, "message %llu was not answered",
                        (unsigned long long)(w->asked - WINDOW));
        return;
    }
    make_message(a, w->asked);
    w->waits[slot] = true;
    w->asked_at[slot] = now;
    w->asked++;
    (void)send(w->fd, a->packet.data, a->packet.len, 0);
    a->fired++;
    a->fired_bytes += a->packet.len;
}

static const char *judge(attack *a)
{
    wide *w = a->own;
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    while (w->answered < w->asked && poll(&p, 1, (int)(LOST_AFTER / AGW_MS(1))) > 0)
        read_replies(w);
    printf("    %llu messages, %llu answered, %llu of them errors; heap %lld KB, then %lld KB\n",
           (unsigned long long)w->asked, (unsigned long long)w->answered,
           (unsigned long long)w->errors, (long long)w->heap_first / 1024,
           (long long)w->heap_last / 1024);
    if (w->odd != 0)
        return "a reply that is none";
    if (w->answered < w->asked)
        return "a command was not answered";
    return w->heap_first != 0 && w->heap_last > w->heap_first + GROWTH_MAX ? "the heap grows"
                                                                           : NULL;
}

static void end(attack *a)
{
    wide *w = a->own;
    if (w == NULL)
        return;
    close(w->fd);
    for (int i = 0; i < CALLS; i++) {
        char call_id[40];
        snprintf(call_id, sizeof call_id, "attack-wide-%d", i);
        agw_doc *command = kit_ng_command("delete", call_id);
        agw_doc_set_int(command, "delete-delay", 0);
        agw_doc_free(kit_ng_ask(a->world->ng, command, LOST_AFTER));
    }
}

const attack_case ATTACK_WIDE_CASES[] = {
    {.name = "ng-wide",
     .what = "random commands, keys, flags and fragments, every fifth spoilt; each is answered",
     .when = ATTACK_AFTER,
     .from = ATTACK_CLIENT,
     .target = ATTACK_CONTROL,
     .judged = ATTACK_NAMES_NOBODY,
     .per_s = PER_S,
     .begin = begin,
     .fire = fire,
     .judge = judge,
     .end = end},
    {0},
};
