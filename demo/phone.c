/* SPDX-License-Identifier: BSD-3-Clause */
#include "demo/phone.h"

#include "base/clock.h"
#include "base/rand.h"
#include "base/wire.h"
#include "codecs/g711.h"
#include "control/sdp.h"
#include "rtp/header.h"
#include "rtp/rtcp.h"
#include "rtp/seq.h"

#include <glib-unix.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TICK_MS = 10,
    FRAME_MS = 20,
    DATAGRAM_MAX = 1600,
    PAYLOAD_MAX = 480, /* 60 ms of PCMA */
    ECHO_SLOTS = 64,   /* more than ECHO_DELAY holds at 20 ms a packet */
    NOTE_MS = 260,
    PAUSE_MS = 40,
    AMPLITUDE = 9000,
    FADE_SAMPLES = 80, /* 10 ms: no clicks */
    RTCP_EVERY_MS = 2500,
};

static const agw_ns ECHO_DELAY = AGW_MS(500);
static const char CNAME[] = "phone@ims.invalid";

/* Notes in Hz; 0 is a rest. */
static const double MELODY[] = {392.0, 523.25, 783.99, 1046.5, 0, 783.99, 1046.5, 0};

typedef struct echo_slot {
    agw_ns due_at;
    size_t len;
    uint32_t timestamp; /* as received */
    uint8_t payload[PAYLOAD_MAX];
} echo_slot;

struct agw_phone {
    int rtp_fd, rtcp_fd;
    agw_addr local_rtp, local_rtcp;
    agw_addr remote_rtp, remote_rtcp;
    guint rtp_source, rtcp_source, tick_source;
    agw_phone_stats stats;

    uint32_t ssrc;
    uint16_t seq;
    uint32_t timestamp;   /* of the next tone frame, or of the last echoed packet */
    agw_ns next_frame_at; /* tones */
    size_t sample;        /* position in the melody */
    agw_ns next_report_at;
    uint32_t octets_out;

    uint32_t remote_ssrc;
    agw_rtp_receiver receiver;
    bool has_echo_timestamp;
    uint32_t echo_timestamp; /* last received one that was echoed */
    echo_slot echo[ECHO_SLOTS];
    size_t echo_first, echo_count;
};

/* --- sending -------------------------------------------------------------------------------------
 */

static void send_to(int fd, const agw_addr *to, const uint8_t *buf, size_t len)
{
    struct sockaddr_storage ss;
    const socklen_t ss_len = agw_addr_to_sockaddr(to, &ss);
    if (sendto(fd, buf, len, MSG_DONTWAIT, (const struct sockaddr *)&ss, ss_len) < 0)
        return; /* lost like any datagram */
}

static void send_audio(agw_phone *p, const uint8_t *payload, size_t len, bool marker)
{
    uint8_t buf[AGW_RTP_HEADER_MIN + PAYLOAD_MAX];
    buf[0] = 0x80;
    buf[1] = (uint8_t)((marker ? 0x80 : 0) | AGW_PCMA_PT);
    agw_put16(buf + 2, p->seq);
    agw_put32(buf + 4, p->timestamp);
    agw_put32(buf + 8, p->ssrc);
    memcpy(buf + AGW_RTP_HEADER_MIN, payload, len);
    send_to(p->rtp_fd, &p->remote_rtp, buf, AGW_RTP_HEADER_MIN + len);
    p->seq++;
    p->octets_out += (uint32_t)len;
    p->stats.rtp_out++;
}

static void send_report(agw_phone *p, agw_ns now)
{
    uint8_t buf[256];
    agw_rtcp_writer w;
    agw_rtcp_report block;
    const agw_rtcp_sender sender = {
        .ssrc = p->ssrc,
        .ntp = agw_rtcp_ntp(agw_clock_wall_us()),
        .rtp_timestamp = p->timestamp,
        .packets = (uint32_t)p->stats.rtp_out,
        .octets = p->octets_out,
    };
    const size_t blocks = p->receiver.started ? 1 : 0;
    if (blocks != 0)
        agw_rtp_receiver_report(&p->receiver, p->remote_ssrc, now, &block);
    agw_rtcp_writer_init(&w, buf, sizeof buf);
    if (agw_rtcp_write_sr(&w, &sender, &block, blocks) != AGW_OK ||
        agw_rtcp_write_cname(&w, p->ssrc, CNAME, sizeof CNAME - 1) != AGW_OK)
        return;
    send_to(p->rtcp_fd, &p->remote_rtcp, buf, w.len);
    p->stats.rtcp_out++;
}

/* --- tones
 * ----------------------------------------------------------------------------------------- */

static size_t melody_samples(void)
{
    return G_N_ELEMENTS(MELODY) * (NOTE_MS + PAUSE_MS) * (AGW_G711_CLOCK_HZ / 1000);
}

static int16_t melody_at(size_t sample)
{
    const size_t note_len = (size_t)(NOTE_MS + PAUSE_MS) * (AGW_G711_CLOCK_HZ / 1000);
    const size_t sounding = (size_t)NOTE_MS * (AGW_G711_CLOCK_HZ / 1000);
    const double hz = MELODY[sample / note_len];
    const size_t at = sample % note_len;
    if (hz == 0 || at >= sounding)
        return 0;
    const size_t edge = MIN(at, sounding - at);
    const double fade = edge < FADE_SAMPLES ? (double)edge / FADE_SAMPLES : 1.0;
    return (int16_t)(AMPLITUDE * fade * sin(2 * G_PI * hz * (double)at / AGW_G711_CLOCK_HZ));
}

static void send_tone_frame(agw_phone *p)
{
    uint8_t frame[AGW_G711_FRAME];
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = agw_pcma_encode(melody_at(p->sample + i));
    send_audio(p, frame, sizeof frame, p->sample == 0);
    p->sample += sizeof frame;
    p->timestamp += sizeof frame;
}

static void play_tones(agw_phone *p, agw_ns now)
{
    while (p->stats.stage == AGW_PHONE_TONES && now >= p->next_frame_at) {
        send_tone_frame(p);
        p->next_frame_at += AGW_MS(FRAME_MS);
        if (p->sample + AGW_G711_FRAME > melody_samples())
            p->stats.stage = AGW_PHONE_ECHO;
    }
}

/* --- echo
 * ------------------------------------------------------------------------------------------- */

static void remember(agw_phone *p, const agw_rtp_header *h, const uint8_t *payload, agw_ns now)
{
    if (p->echo_count == ECHO_SLOTS || h->payload_len > PAYLOAD_MAX)
        return;
    echo_slot *slot = &p->echo[(p->echo_first + p->echo_count) % ECHO_SLOTS];
    slot->due_at = now + ECHO_DELAY;
    slot->len = h->payload_len;
    slot->timestamp = h->timestamp;
    memcpy(slot->payload, payload, h->payload_len);
    p->echo_count++;
}

static void play_echo(agw_phone *p, agw_ns now)
{
    for (; p->echo_count > 0 && p->echo[p->echo_first].due_at <= now; p->echo_count--) {
        const echo_slot *slot = &p->echo[p->echo_first];
        const bool first = !p->has_echo_timestamp;
        p->timestamp += first ? (uint32_t)(ECHO_DELAY / AGW_MS(1)) * (AGW_G711_CLOCK_HZ / 1000)
                              : slot->timestamp - p->echo_timestamp;
        p->echo_timestamp = slot->timestamp;
        p->has_echo_timestamp = true;
        send_audio(p, slot->payload, slot->len, first);
        p->echo_first = (p->echo_first + 1) % ECHO_SLOTS;
    }
}

static double level_of(const uint8_t *payload, size_t len)
{
    double sum = 0;
    for (size_t i = 0; i < len; i++) {
        const double s = agw_pcma_decode(payload[i]) / 32768.0;
        sum += s * s;
    }
    return len != 0 ? sqrt(sum / (double)len) : 0;
}

/* --- receiving
 * -------------------------------------------------------------------------------------- */

static void on_rtp(agw_phone *p, const uint8_t *buf, size_t len, agw_ns now)
{
    agw_rtp_header h;
    if (agw_rtp_parse(&h, buf, len) != AGW_OK || h.pt != AGW_PCMA_PT)
        return;
    if (!p->receiver.started || h.ssrc != p->remote_ssrc)
        agw_rtp_receiver_init(&p->receiver, AGW_G711_CLOCK_HZ);
    p->remote_ssrc = h.ssrc;
    agw_rtp_receiver_on_packet(&p->receiver, h.seq, h.timestamp, len, now);
    p->stats.rtp_in++;
    p->stats.lost_in = agw_rtp_receiver_lost(&p->receiver);
    p->stats.level_in = level_of(buf + h.header_len, h.payload_len);
    if (p->stats.stage == AGW_PHONE_ECHO)
        remember(p, &h, buf + h.header_len, now);
}

static void on_rtcp(agw_phone *p, const uint8_t *buf, size_t len, agw_ns now)
{
    agw_rtcp_iter it;
    agw_rtcp_packet packet;
    if (agw_rtcp_begin(&it, buf, len) != AGW_OK)
        return;
    p->stats.rtcp_in++;
    while (agw_rtcp_next(&it, &packet)) {
        agw_rtcp_sender sender;
        if (packet.type != AGW_RTCP_SR)
            continue;
        agw_rtcp_sender_parse(&sender, packet.body);
        agw_rtp_receiver_on_sr(&p->receiver, agw_rtcp_ntp_middle(sender.ntp), now);
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer arg)
{
    (void)condition;
    agw_phone *p = arg;
    uint8_t buf[DATAGRAM_MAX];
    const agw_ns now = agw_clock_now();
    for (ssize_t n; (n = recv(fd, buf, sizeof buf, MSG_DONTWAIT)) >= 0;) {
        if (fd == p->rtp_fd)
            on_rtp(p, buf, (size_t)n, now);
        else
            on_rtcp(p, buf, (size_t)n, now);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_tick(gpointer arg)
{
    agw_phone *p = arg;
    const agw_ns now = agw_clock_now();
    play_tones(p, now);
    play_echo(p, now);
    if (now >= p->next_report_at) {
        send_report(p, now);
        p->next_report_at = now + AGW_MS(RTCP_EVERY_MS);
    }
    return G_SOURCE_CONTINUE;
}

/* --- life
 * -------------------------------------------------------------------------------------------- */

static agw_err open_port(const agw_addr *ip, int *fd, agw_addr *local)
{
    struct sockaddr_storage ss;
    socklen_t len = agw_addr_to_sockaddr(ip, &ss);
    *fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || bind(*fd, (const struct sockaddr *)&ss, len) != 0)
        return AGW_ERR_SYSTEM;
    len = sizeof ss;
    if (getsockname(*fd, (struct sockaddr *)&ss, &len) != 0)
        return AGW_ERR_SYSTEM;
    return agw_addr_from_sockaddr(local, (const struct sockaddr *)&ss);
}

agw_err agw_phone_new(agw_phone **out, const agw_addr *ip)
{
    agw_phone *p = g_new0(agw_phone, 1);
    agw_addr any_port = *ip;
    any_port.port = 0;
    p->rtp_fd = p->rtcp_fd = -1;
    if (open_port(&any_port, &p->rtp_fd, &p->local_rtp) != AGW_OK ||
        open_port(&any_port, &p->rtcp_fd, &p->local_rtcp) != AGW_OK) {
        agw_phone_free(p);
        return AGW_ERR_SYSTEM;
    }
    p->ssrc = agw_rand32();
    p->seq = (uint16_t)agw_rand32();
    p->timestamp = agw_rand32();
    *out = p;
    return AGW_OK;
}

void agw_phone_free(agw_phone *p)
{
    if (p == NULL)
        return;
    if (p->rtp_source != 0)
        g_source_remove(p->rtp_source);
    if (p->rtcp_source != 0)
        g_source_remove(p->rtcp_source);
    if (p->tick_source != 0)
        g_source_remove(p->tick_source);
    if (p->rtp_fd >= 0)
        close(p->rtp_fd);
    if (p->rtcp_fd >= 0)
        close(p->rtcp_fd);
    g_free(p);
}

static bool is_for_us(const agw_sdp_media *media)
{
    return media->port != 0 && strcmp(media->kind, "audio") == 0 &&
           (media->proto == AGW_SDP_RTP_AVP || media->proto == AGW_SDP_RTP_AVPF) &&
           agw_addr_is_set(&media->conn.ip) && agw_sdp_codec_of(media, AGW_PCMA_PT) != NULL;
}

static void write_audio(const agw_phone *p, agw_sdp_writer *w, const agw_sdp_media *media)
{
    static const char *const FORMATS[] = {"8"};
    agw_sdp_write_media(w, "audio", p->local_rtp.port, media->proto_text, FORMATS, 1);
    agw_sdp_write_attr(w, "rtpmap", "8 PCMA/8000");
    agw_sdp_write_attr(w, "ptime", "20");
    agw_sdp_write_attrf(w, "rtcp", "%u", p->local_rtcp.port);
    agw_sdp_write_attr(w, "sendrecv", NULL);
}

static char *write_answer(const agw_phone *p, const agw_sdp *offer, const agw_sdp_media *chosen)
{
    char ip[AGW_ADDR_TEXT];
    agw_sdp_writer w;
    const agw_sdp_origin origin = {
        "phone",
        "1",
        "1",
        "IN",
        p->local_rtp.family == AGW_FAMILY_IP6 ? "IP6" : "IP4",
        agw_addr_ip_text(&p->local_rtp, ip, sizeof ip),
    };
    agw_sdp_write_begin(&w);
    agw_sdp_write_origin(&w, &origin);
    agw_sdp_write_name(&w, "-");
    agw_sdp_write_conn(&w, &p->local_rtp);
    agw_sdp_write_time(&w, "0 0");
    for (size_t i = 0; i < offer->n_medias; i++) {
        const agw_sdp_media *m = &offer->medias[i];
        if (m == chosen)
            write_audio(p, &w, m);
        else
            agw_sdp_write_media(&w, m->kind, 0, m->proto_text, m->formats.v, MIN(m->formats.n, 1));
    }
    size_t len;
    return agw_sdp_write_end(&w, &len);
}

static void begin(agw_phone *p, const agw_sdp_media *media)
{
    p->remote_rtp = media->conn.ip;
    p->remote_rtp.port = media->port;
    p->remote_rtcp = agw_addr_is_set(&media->rtcp_conn.ip) ? media->rtcp_conn.ip : media->conn.ip;
    p->remote_rtcp.port = media->rtcp_port != 0 ? media->rtcp_port : (uint16_t)(media->port + 1);
    p->stats.stage = AGW_PHONE_TONES;
    p->next_frame_at = agw_clock_now() + AGW_S(1); /* time for the browser's ICE and DTLS */
    p->next_report_at = p->next_frame_at + AGW_MS(200);
    p->rtp_source = g_unix_fd_add(p->rtp_fd, G_IO_IN, on_readable, p);
    p->rtcp_source = g_unix_fd_add(p->rtcp_fd, G_IO_IN, on_readable, p);
    p->tick_source = g_timeout_add(TICK_MS, on_tick, p);
}

char *agw_phone_answer(agw_phone *p, const char *text)
{
    agw_sdp *offer;
    char *answer = NULL;
    if (p->tick_source != 0 || agw_sdp_parse(&offer, text, strlen(text), NULL) != AGW_OK)
        return NULL;
    for (size_t i = 0; i < offer->n_medias && answer == NULL; i++) {
        if (!is_for_us(&offer->medias[i]))
            continue;
        begin(p, &offer->medias[i]);
        answer = write_answer(p, offer, &offer->medias[i]);
    }
    agw_sdp_free(offer);
    return answer;
}

void agw_phone_get_stats(const agw_phone *p, agw_phone_stats *out)
{
    *out = p->stats;
}
