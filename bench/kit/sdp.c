/* SPDX-License-Identifier: BSD-3-Clause
 * Templates and a line reader. The browser's templates are Chromium 156's own lines (captures are
 * in tests/vectors/sdp), so that reading them costs a gateway what a real browser costs it. */
#include "bench/kit/sdp.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE = 512 };

/* --- writing: "$x" in a template is replaced by a field --- */

#define SESSION                                                                                    \
    "v=0\r\n"                                                                                      \
    "o=- $i 2 IN IP4 127.0.0.1\r\n"                                                                \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"
#define STREAM "cf72f7f4-313a-44aa-beea-bd10c2a1ab56"
#define TRACK  STREAM " 960e14b6-08cd-4f9e-9325-8afc63b22874"
#define TRANSPORT                                                                                  \
    "c=IN IP4 $a\r\n"                                                                              \
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"                                                                  \
    "a=candidate:561500007 1 udp 2122194687 $a $p typ host generation 0 network-id 1\r\n"
#define TCP_CANDIDATE                                                                              \
    "a=candidate:1605905919 1 tcp 1518214911 $a 9 typ host tcptype active generation 0 "           \
    "network-id 1\r\n"
#define SECURITY                                                                                   \
    "a=ice-ufrag:$u\r\n"                                                                           \
    "a=ice-pwd:$w\r\n"                                                                             \
    "a=ice-options:trickle\r\n"                                                                    \
    "a=fingerprint:$f\r\n"                                                                         \
    "a=setup:$s\r\n"                                                                               \
    "a=mid:$m\r\n"
#define FEEDBACK(pt)                                                                               \
    "a=rtcp-fb:" pt " goog-remb\r\n"                                                               \
    "a=rtcp-fb:" pt " transport-cc\r\n"                                                            \
    "a=rtcp-fb:" pt " ccm fir\r\n"                                                                 \
    "a=rtcp-fb:" pt " nack\r\n"                                                                    \
    "a=rtcp-fb:" pt " nack pli\r\n"

static const char AUDIO_OFFER[] = SESSION
    "a=group:BUNDLE $m\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS " STREAM "\r\n"
    "m=audio $p UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n" TRANSPORT TCP_CANDIDATE SECURITY
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    "a=extmap:3 "
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=sendrecv\r\n"
    "a=msid:" TRACK "\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=rtcp-xr:rcvr-rtt=all\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:63 red/48000/2\r\n"
    "a=fmtp:63 111/111\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:13 CN/8000\r\n"
    "a=rtpmap:110 telephone-event/48000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\n"
    "a=ssrc:$r cname:$c\r\n"
    "a=ssrc:$r msid:" TRACK "\r\n";

static const char VIDEO_OFFER[] = SESSION
    "a=group:BUNDLE $m\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS " STREAM "\r\n"
    "m=video $p UDP/TLS/RTP/SAVPF 96 97 102 103 108 109 118 119 120\r\n" TRANSPORT TCP_CANDIDATE
        SECURITY "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset\r\n"
    "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
    "a=extmap:13 urn:3gpp:video-orientation\r\n"
    "a=extmap:3 "
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n"
    "a=extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/video-content-type\r\n"
    "a=extmap:7 http://www.webrtc.org/experiments/rtp-hdrext/video-timing\r\n"
    "a=extmap:8 http://www.webrtc.org/experiments/rtp-hdrext/color-space\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
    "a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\n"
    "a=sendrecv\r\n"
    "a=msid:" TRACK "\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=rtcp-xr:rcvr-rtt=all\r\n"
    "a=rtpmap:96 VP8/90000\r\n" FEEDBACK(
        "96") "a=rtpmap:97 rtx/90000\r\n"
              "a=fmtp:97 apt=96\r\n"
              "a=rtpmap:102 H264/90000\r\n" FEEDBACK(
                  "102") "a=fmtp:102 "
                         "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id="
                         "42001f\r\n"
                         "a=rtpmap:103 rtx/90000\r\n"
                         "a=fmtp:103 apt=102\r\n"
                         "a=rtpmap:108 H264/90000\r\n" FEEDBACK(
                             "108") "a=fmtp:108 "
                                    "level-asymmetry-allowed=1;packetization-mode=1;profile-level-"
                                    "id=42e01f\r\n"
                                    "a=rtpmap:109 rtx/90000\r\n"
                                    "a=fmtp:109 apt=108\r\n"
                                    "a=rtpmap:118 red/90000\r\n"
                                    "a=rtpmap:119 rtx/90000\r\n"
                                    "a=fmtp:119 apt=118\r\n"
                                    "a=rtpmap:120 ulpfec/90000\r\n"
                                    "a=ssrc-group:FID $r $x\r\n"
                                    "a=ssrc:$r cname:$c\r\n"
                                    "a=ssrc:$r msid:" TRACK "\r\n"
                                    "a=ssrc:$x cname:$c\r\n"
                                    "a=ssrc:$x msid:" TRACK "\r\n";

#define ANSWER_SESSION SESSION "a=msid-semantic: WMS " STREAM "\r\n"
#define ANSWER_MEDIA                                                                               \
    "a=sendrecv\r\n"                                                                               \
    "a=msid:" TRACK "\r\n"                                                                         \
    "a=rtcp-mux\r\n"                                                                               \
    "a=rtcp-rsize\r\n"

static const char AUDIO_ANSWER[] =
    ANSWER_SESSION "m=audio $p UDP/TLS/RTP/SAVPF $1$+\r\n" TRANSPORT SECURITY ANSWER_MEDIA
                   "a=rtpmap:$1 PCMU/8000\r\n"
                   "$?a=rtpmap:$2 telephone-event/8000\r\n"
                   "a=ssrc:$r cname:$c\r\n";

static const char VIDEO_ANSWER[] =
    ANSWER_SESSION "m=video $p UDP/TLS/RTP/SAVPF $1\r\n" TRANSPORT SECURITY ANSWER_MEDIA
                   "a=rtpmap:$1 VP8/90000\r\n" FEEDBACK("$1") "a=ssrc:$r cname:$c\r\n";

#define PHONE_SESSION                                                                              \
    "v=0\r\n"                                                                                      \
    "o=- $i 1 IN IP4 $a\r\n"                                                                       \
    "s=-\r\n"                                                                                      \
    "c=IN IP4 $a\r\n"                                                                              \
    "t=0 0\r\n"

static const char AUDIO_PHONE[] = PHONE_SESSION "m=audio $p $v $1$+\r\n$y"
                                                "a=rtpmap:$1 PCMU/8000\r\n"
                                                "$?a=rtpmap:$2 telephone-event/8000\r\n"
                                                "$?a=fmtp:$2 0-15\r\n"
                                                "a=sendrecv\r\n"
                                                "a=rtcp:$q\r\n"
                                                "a=ptime:20\r\n";

static const char VIDEO_PHONE[] =
    PHONE_SESSION "m=video $p $v $1$+\r\n$y"
                  "a=rtpmap:$1 VP8/90000\r\n"
                  "$?a=rtpmap:$2 H264/90000\r\n"
                  "$?a=fmtp:$2 packetization-mode=1;profile-level-id=42e01f\r\n"
                  "a=sendrecv\r\n"
                  "a=rtcp:$q\r\n";

/* Any codecs: the lines that a gateway needs, and no more. */
static const char CODECS_BROWSER[] =
    ANSWER_SESSION "m=$k $p UDP/TLS/RTP/SAVPF$l\r\n" TRANSPORT SECURITY ANSWER_MEDIA "$e"
                   "a=ssrc:$r cname:$c\r\n";

static const char CODECS_PHONE[] = PHONE_SESSION "m=$k $p $v$l\r\n$y"
                                                 "$e"
                                                 "a=sendrecv\r\n"
                                                 "a=rtcp:$q\r\n";

static const char *setup_text(kit_setup setup)
{
    static const char *const TEXT[] = {"holdconn", "active", "passive", "actpass"};
    return TEXT[setup];
}

static bool has_codecs(const kit_sdp_fields *f)
{
    return f->codecs != NULL && f->codecs->count > 0;
}

/* The payload type of the m= line, or the codec's own lines. Returns the length. */
static size_t codec_text(const kit_sdp_codec *c, bool lines, char *out, size_t room)
{
    if (!lines)
        return (size_t)snprintf(out, room, " %u", c->pt);
    if (c->fmtp[0] == '\0')
        return (size_t)snprintf(out, room, "a=rtpmap:%u %s\r\n", c->pt, c->name);
    return (size_t)snprintf(out, room, "a=rtpmap:%u %s\r\na=fmtp:%u %s\r\n", c->pt, c->name, c->pt,
                            c->fmtp);
}

static void codecs_text(const kit_codecs *codecs, bool lines, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < codecs->count && len < LINE; i++)
        len += codec_text(&codecs->codec[i], lines, out + len, LINE - len);
    AGW_ASSERT(len < LINE);
}

/* The line of our key, or nothing. */
static void crypto_text(const kit_crypto *crypto, char *out)
{
    unsigned char key[4 * ((AGW_SRTP_KEY_MAX + 2) / 3) + 1];
    const agw_srtp_suite_info *info = agw_srtp_suite_get(crypto->suite);
    if (info->sdes == NULL)
        return;
    EVP_EncodeBlock(key, crypto->key, (int)(info->key_len + info->salt_len));
    snprintf(out, LINE, "a=crypto:%u %s inline:%s\r\n", crypto->tag, info->sdes, key);
}

/* The text of one field; out has LINE bytes. */
static void field_text(const kit_sdp_fields *f, char key, char *out)
{
    *out = '\0';
    switch (key) {
    case 'a':
        agw_addr_ip_text(&f->local, out, LINE);
        break;
    case 'c':
        snprintf(out, LINE, "%s", f->cname);
        break;
    case 'e':
        codecs_text(f->codecs, true, out);
        break;
    case 'f':
        agw_fingerprint_text(f->fingerprint, out, LINE);
        break;
    case 'i':
        snprintf(out, LINE, "1271219%010" PRIu32, f->ssrc);
        break;
    case 'k':
        snprintf(out, LINE, "%s", f->video ? "video" : "audio");
        break;
    case 'l':
        codecs_text(f->codecs, false, out);
        break;
    case 'm':
        snprintf(out, LINE, "%s", f->mid);
        break;
    case 'p':
        snprintf(out, LINE, "%u", f->local.port);
        break;
    case 'q':
        snprintf(out, LINE, "%u", f->local.port + 1u);
        break;
    case 'r':
        snprintf(out, LINE, "%" PRIu32, f->ssrc);
        break;
    case 's':
        snprintf(out, LINE, "%s", setup_text(f->setup));
        break;
    case 'u':
        snprintf(out, LINE, "%s", f->ufrag);
        break;
    case 'v':
        snprintf(out, LINE, "%s", f->crypto.suite != AGW_SRTP_NONE ? "RTP/SAVP" : "RTP/AVP");
        break;
    case 'w':
        snprintf(out, LINE, "%s", f->pwd);
        break;
    case 'x':
        snprintf(out, LINE, "%" PRIu32, f->ssrc + 1);
        break;
    case 'y':
        crypto_text(&f->crypto, out);
        break;
    case '1':
        snprintf(out, LINE, "%u", f->pt);
        break;
    case '2':
        snprintf(out, LINE, "%d", f->pt_more);
        break;
    case '+': /* the second payload type of the m= line */
        if (f->pt_more >= 0)
            snprintf(out, LINE, " %d", f->pt_more);
        break;
    default:
        AGW_ASSERT(!"a field that is in the list above");
    }
}

static void append(char out[KIT_SDP_MAX], size_t *len, const char *text, size_t n)
{
    AGW_ASSERT(*len + n < KIT_SDP_MAX);
    memcpy(out + *len, text, n);
    *len += n;
}

static size_t fill(const kit_sdp_fields *f, const char *text, char out[KIT_SDP_MAX])
{
    size_t len = 0;
    while (*text != '\0') {
        const size_t plain = strcspn(text, "$");
        append(out, &len, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        const char key = text[1];
        text += 2;
        if (key == '?') { /* the whole line is for the second codec */
            if (f->pt_more < 0)
                text = strchr(text, '\n') + 1;
            continue;
        }
        char field[LINE];
        field_text(f, key, field);
        append(out, &len, field, strlen(field));
    }
    out[len] = '\0';
    return len;
}

size_t kit_sdp_write_browser(const kit_sdp_fields *f, char out[KIT_SDP_MAX])
{
    if (has_codecs(f))
        return fill(f, CODECS_BROWSER, out);
    if (f->answer)
        return fill(f, f->video ? VIDEO_ANSWER : AUDIO_ANSWER, out);
    return fill(f, f->video ? VIDEO_OFFER : AUDIO_OFFER, out);
}

size_t kit_sdp_write_phone(const kit_sdp_fields *f, char out[KIT_SDP_MAX])
{
    if (has_codecs(f))
        return fill(f, CODECS_PHONE, out);
    return fill(f, f->video ? VIDEO_PHONE : AUDIO_PHONE, out);
}

/* --- reading --- */

typedef struct reader {
    kit_sdp *sdp;
    const char *media; /* "audio" or "video" */
    bool found;        /* the m= line was there */
    bool skip;         /* inside another m= section */
    uint32_t priority; /* of the candidate that stands */
    const char *why;   /* the first thing that was wrong */
} reader;

/* What follows prefix, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    const size_t len = strlen(prefix);
    return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

/* A decimal number up to max; *end behind it. */
static bool number(const char *text, unsigned long max, unsigned long *out, const char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    char *stop;
    *out = strtoul(text, &stop, 10);
    *end = stop;
    return *out <= max && (*stop == '\0' || *stop == ' ' || *stop == '/');
}

/* The next word of *at into out; false: none, or too long. */
static bool word(const char **at, char *out, size_t room)
{
    *at += strspn(*at, " ");
    const size_t len = strcspn(*at, " ");
    if (len == 0 || len >= room)
        return false;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return true;
}

static void blame(reader *r, const char *why)
{
    if (r->why == NULL)
        r->why = why;
}

static void read_media(reader *r, const char *text)
{
    r->skip = r->found || after(text, r->media) == NULL;
    if (r->skip)
        return;
    r->found = true;
    text += strlen(r->media);
    text += strspn(text, " ");
    unsigned long value;
    if (!number(text, UINT16_MAX, &value, &text)) {
        blame(r, "the port of the m= line");
        return;
    }
    r->sdp->connection.port = (uint16_t)value;
    char profile[32];
    if (!word(&text, profile, sizeof profile)) {
        blame(r, "the profile of the m= line");
        return;
    }
    r->sdp->savp = after(profile, "RTP/SAVP") != NULL;
    while (*(text += strspn(text, " ")) != '\0' && r->sdp->codec_count < KIT_SDP_CODECS) {
        if (!number(text, 127, &value, &text)) {
            blame(r, "a payload type of the m= line");
            return;
        }
        r->sdp->codecs[r->sdp->codec_count++].pt = (uint8_t)value;
    }
}

static void read_connection(reader *r, const char *text)
{
    agw_addr ip;
    if (agw_addr_parse_ip(&ip, text) != AGW_OK) {
        blame(r, "the address of the c= line");
        return;
    }
    ip.port = r->sdp->connection.port;
    r->sdp->connection = ip;
}

/* "40001" or "40001 IN IP4 10.0.0.1" */
static void read_rtcp(reader *r, const char *text)
{
    unsigned long port;
    if (!number(text, UINT16_MAX, &port, &text)) {
        blame(r, "the port of a=rtcp");
        return;
    }
    const char *ip = after(text, " IN IP4 ");
    r->sdp->rtcp = (agw_addr){0};
    if (ip != NULL && agw_addr_parse_ip(&r->sdp->rtcp, ip) != AGW_OK)
        blame(r, "the address of a=rtcp");
    r->sdp->rtcp.port = (uint16_t)port;
}

/* "foundation component transport priority address port typ ..."; what we cannot use is skipped. */
static void read_candidate(reader *r, const char *text)
{
    char foundation[33], component[4], transport[8], priority[16], ip[AGW_ADDR_TEXT], port[8];
    unsigned long prio, number_of_port;
    const char *end;
    if (!word(&text, foundation, sizeof foundation) || !word(&text, component, sizeof component) ||
        !word(&text, transport, sizeof transport) || !word(&text, priority, sizeof priority) ||
        !word(&text, ip, sizeof ip) || !word(&text, port, sizeof port) ||
        !number(priority, UINT32_MAX, &prio, &end) ||
        !number(port, UINT16_MAX, &number_of_port, &end)) {
        blame(r, "a candidate");
        return;
    }
    agw_addr addr;
    if (strcmp(component, "1") != 0 || strcasecmp(transport, "udp") != 0 ||
        agw_addr_parse_ip(&addr, ip) != AGW_OK || addr.family != AGW_FAMILY_IP4 ||
        number_of_port == 0)
        return;
    if (agw_addr_is_set(&r->sdp->candidate) && prio <= r->priority)
        return;
    r->priority = (uint32_t)prio;
    r->sdp->candidate = addr;
    r->sdp->candidate.port = (uint16_t)number_of_port;
}

static void read_fingerprint(reader *r, const char *text)
{
    agw_fingerprint fp;
    const agw_err err = agw_fingerprint_parse(&fp, text, strlen(text));
    if (err == AGW_OK && (fp.hash == AGW_HASH_SHA256 || r->sdp->fingerprint.len == 0))
        r->sdp->fingerprint = fp;
    else if (err == AGW_ERR_MALFORMED)
        blame(r, "a=fingerprint");
}

static void read_setup(reader *r, const char *text)
{
    for (kit_setup s = KIT_SETUP_ACTIVE; s <= KIT_SETUP_ACTPASS; s++) {
        if (strcmp(text, setup_text(s)) == 0) {
            r->sdp->setup = s;
            return;
        }
    }
    blame(r, "a=setup");
}

static void read_rtpmap(reader *r, const char *text)
{
    unsigned long pt;
    if (!number(text, 127, &pt, &text)) {
        blame(r, "the payload type of a=rtpmap");
        return;
    }
    char name[sizeof r->sdp->codecs[0].name];
    if (!word(&text, name, sizeof name))
        return;
    for (size_t i = 0; i < r->sdp->codec_count; i++) {
        if (r->sdp->codecs[i].pt == pt)
            memcpy(r->sdp->codecs[i].name, name, sizeof name);
    }
}

/* The key's text, without or with its padding, into out; false: not that of the suite. */
static bool read_key(const char *text, const agw_srtp_suite_info *info, uint8_t *out)
{
    unsigned char padded[4 * ((AGW_SRTP_KEY_MAX + 2) / 3) + 4], key[sizeof padded];
    const size_t len = info->key_len + info->salt_len, digits = strcspn(text, "=|");
    const size_t wanted = (len * 8 + 5) / 6, whole = (len + 2) / 3 * 4;
    if (digits != wanted)
        return false;
    memset(padded, '=', sizeof padded);
    memcpy(padded, text, digits);
    if (EVP_DecodeBlock(key, padded, (int)whole) < (int)len)
        return false;
    memcpy(out, key, len);
    return true;
}

/* "1 AES_CM_128_HMAC_SHA1_80 inline:KEY"; the first that we understand stays. */
static void read_crypto(reader *r, const char *text)
{
    kit_crypto *c = &r->sdp->crypto;
    unsigned long tag;
    char suite[40], key[160];
    r->sdp->crypto_count++;
    if (c->suite != AGW_SRTP_NONE || !number(text, 999999999, &tag, &text) ||
        !word(&text, suite, sizeof suite) || !word(&text, key, sizeof key))
        return;
    const agw_srtp_suite which = agw_srtp_suite_by_sdes(suite, strlen(suite));
    const char *base64 = after(key, "inline:");
    if (which == AGW_SRTP_NONE || base64 == NULL ||
        !read_key(base64, agw_srtp_suite_get(which), c->key))
        return;
    c->tag = (unsigned)tag;
    c->suite = which;
}

static void read_text(reader *r, char *out, size_t room, const char *text)
{
    if (*text == '\0' || strlen(text) >= room)
        blame(r, "a text that is empty or too long");
    else
        snprintf(out, room, "%s", text);
}

static void read_attribute(reader *r, const char *line)
{
    kit_sdp *s = r->sdp;
    const char *text;
    if ((text = after(line, "candidate:")) != NULL)
        read_candidate(r, text);
    else if ((text = after(line, "rtpmap:")) != NULL)
        read_rtpmap(r, text);
    else if ((text = after(line, "rtcp:")) != NULL)
        read_rtcp(r, text);
    else if ((text = after(line, "ice-ufrag:")) != NULL)
        read_text(r, s->ufrag, sizeof s->ufrag, text);
    else if ((text = after(line, "ice-pwd:")) != NULL)
        read_text(r, s->pwd, sizeof s->pwd, text);
    else if ((text = after(line, "mid:")) != NULL)
        read_text(r, s->mid, sizeof s->mid, text);
    else if ((text = after(line, "fingerprint:")) != NULL)
        read_fingerprint(r, text);
    else if ((text = after(line, "setup:")) != NULL)
        read_setup(r, text);
    else if ((text = after(line, "crypto:")) != NULL)
        read_crypto(r, text);
    else if (strcmp(line, "rtcp-mux") == 0)
        s->rtcp_mux = true;
    else if (strcmp(line, "ice-lite") == 0)
        s->ice_lite = true;
}

static void read_line(reader *r, const char *line)
{
    const char *text;
    if ((text = after(line, "m=")) != NULL)
        read_media(r, text);
    else if (r->skip)
        return;
    else if ((text = after(line, "c=IN IP4 ")) != NULL)
        read_connection(r, text);
    else if ((text = after(line, "a=")) != NULL)
        read_attribute(r, text);
}

static void settle_rtcp(kit_sdp *s)
{
    const agw_addr said = s->rtcp;
    s->rtcp = s->connection;
    if (s->rtcp_mux)
        return;
    s->rtcp.port = said.port != 0 ? said.port : (uint16_t)(s->connection.port + 1u);
    if (agw_addr_is_set(&said))
        s->rtcp = said;
}

agw_err kit_sdp_read(kit_sdp *out, const char *sdp, size_t len, bool video, const char **why)
{
    *out = (kit_sdp){.codec_count = 0};
    reader r = {.sdp = out, .media = video ? "video " : "audio "};
    for (size_t at = 0; at < len;) {
        const char *end = memchr(sdp + at, '\n', len - at);
        size_t n = end != NULL ? (size_t)(end - sdp) - at : len - at;
        const size_t next = at + n + 1;
        if (n > 0 && sdp[at + n - 1] == '\r')
            n--;
        char line[LINE];
        if (n > 0 && n < sizeof line && memchr(sdp + at, '\0', n) == NULL) {
            memcpy(line, sdp + at, n);
            line[n] = '\0';
            read_line(&r, line);
        }
        at = next;
    }
    if (!r.found)
        blame(&r, "no m= line");
    else if (out->connection.port == 0)
        blame(&r, "the m= line was refused");
    else if (!agw_addr_is_set(&out->connection))
        blame(&r, "no c= line");
    settle_rtcp(out);
    *why = r.why;
    return r.why == NULL ? AGW_OK : AGW_ERR_MALFORMED;
}

int kit_sdp_pt(const kit_sdp *sdp, const char *codec)
{
    const size_t len = strlen(codec);
    for (size_t i = 0; i < sdp->codec_count; i++) {
        const kit_sdp_codec *c = &sdp->codecs[i];
        const char *name = c->name[0] == '\0' && c->pt == 0 ? "PCMU/8000" : c->name;
        if (strncasecmp(name, codec, len) == 0 && name[len] == '/')
            return c->pt;
    }
    return -1;
}

/* The payload type of exactly this codec, clock rate and channels included. A line may leave out
 * a=rtpmap for a static payload type (RFC 3551). */
static int pt_of(const kit_sdp *sdp, const kit_sdp_codec *codec)
{
    for (size_t i = 0; i < sdp->codec_count; i++) {
        const kit_sdp_codec *c = &sdp->codecs[i];
        if (strcasecmp(c->name, codec->name) == 0 ||
            (c->name[0] == '\0' && c->pt == codec->pt && c->pt < 35))
            return c->pt;
    }
    return -1;
}

int kit_codecs_take(kit_codecs *codecs, const kit_sdp *sdp, bool answering)
{
    for (size_t i = 0; i < codecs->count; i++) {
        const int pt = pt_of(sdp, &codecs->codec[i]);
        if (pt < 0)
            return -1;
        codecs->pt_out[i] = (uint8_t)pt;
        if (answering)
            codecs->codec[i].pt = (uint8_t)pt;
    }
    return codecs->pt_out[0];
}
