/* SPDX-License-Identifier: BSD-3-Clause
 * The payload, big-endian up to the check value:
 *
 *   0        4        8                16               24       28
 *   | "AGWb" | stream |     number     |  time, ns      | check  | body ...
 *
 * check and body follow from stream, number and time. The body is read and written by one machine,
 * so its words are in that machine's order. */
#include "bench/kit/stream.h"

#include "base/wire.h"
#include "bench/kit/spoil.h"

#include <string.h>

enum {
    RTP_HEADER = 12,
    MARK = 0x41475762, /* "AGWb" */
    AT_STREAM = 4,
    AT_NUMBER = 8,
    AT_TIME = 16,
    AT_CHECK = 24,
};
static const uint64_t STEP = 0x9e3779b97f4a7c15u; /* odd, no pattern in its bits: 2^64 / phi */

static uint64_t mix(uint64_t v) /* the end of splitmix64 */
{
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

static uint64_t seed_of(uint32_t stream, uint64_t number, uint64_t time)
{
    return mix(mix(number + stream * STEP) + time);
}

static void write_body(uint8_t *out, size_t len, uint64_t seed)
{
    uint64_t word = seed;
    size_t at = 0;
    for (; at + sizeof word <= len; at += sizeof word) {
        word += STEP;
        memcpy(out + at, &word, sizeof word);
    }
    word += STEP;
    memcpy(out + at, &word, len - at);
}

static bool is_body(const uint8_t *body, size_t len, uint64_t seed)
{
    uint64_t word = seed;
    uint64_t differences = 0;
    size_t at = 0;
    for (; at + sizeof word <= len; at += sizeof word) {
        uint64_t found;
        memcpy(&found, body + at, sizeof found);
        word += STEP;
        differences |= found ^ word;
    }
    word += STEP;
    return differences == 0 && memcmp(body + at, &word, len - at) == 0;
}

static uint32_t timestamp_at(uint64_t number, uint32_t step, uint32_t burst)
{
    return (uint32_t)(number / (burst > 1 ? burst : 1)) * step;
}

static bool marked_at(uint64_t number, uint32_t burst)
{
    return burst > 1 && number % burst == burst - 1;
}

static size_t write_voice(kit_sender *s, uint8_t *out)
{
    const uint64_t number = s->sent++;
    const kit_voice_piece *piece = &s->voice->pieces[(s->stream * 97 + number) % s->voice->n];
    const bool marked = s->paused;
    s->paused = piece->len == 0;
    if (piece->len == 0)
        return 0;
    const uint16_t seq = (uint16_t)(s->first_seq + s->packets++);
    if (kit_voice_is_lost(&s->random, s->loss_percent))
        return 0;
    out[0] = 2 << 6;
    out[1] = (uint8_t)(s->pt | (marked ? 0x80 : 0));
    agw_put16(out + 2, seq);
    agw_put32(out + 4, s->first_timestamp + (uint32_t)number * s->timestamp_step);
    agw_put32(out + 8, s->ssrc);
    memcpy(out + RTP_HEADER, s->voice->bytes + piece->at, piece->len);
    return RTP_HEADER + (size_t)piece->len;
}

size_t kit_sender_write(kit_sender *s, uint8_t *out, agw_ns now)
{
    if (s->voice != NULL)
        return write_voice(s, out);
    const uint64_t number = s->sent++;
    out[0] = 2 << 6;
    out[1] = (uint8_t)(s->pt | (marked_at(number, s->burst) ? 0x80 : 0));
    agw_put16(out + 2, (uint16_t)(s->first_seq + number));
    agw_put32(out + 4, s->first_timestamp + timestamp_at(number, s->timestamp_step, s->burst));
    agw_put32(out + 8, s->ssrc);
    uint8_t *payload = out + RTP_HEADER;
    const uint64_t seed = seed_of(s->stream, number, (uint64_t)now);
    agw_put32(payload, MARK);
    agw_put32(payload + AT_STREAM, s->stream);
    agw_put64(payload + AT_NUMBER, number);
    agw_put64(payload + AT_TIME, (uint64_t)now);
    agw_put32(payload + AT_CHECK, (uint32_t)(seed >> 32));
    write_body(payload + KIT_STREAM_PAYLOAD_MIN, s->payload - (size_t)KIT_STREAM_PAYLOAD_MIN, seed);
    return RTP_HEADER + (size_t)s->payload;
}

const char *kit_finding_text(kit_finding finding)
{
    static const char *const texts[KIT_FINDINGS] = {"good",    "late",    "duplicate",
                                                    "corrupt", "foreign", "header"};
    return finding < KIT_FINDINGS ? texts[finding] : "?";
}

/* Where the payload of an RTP packet is (RFC 3550 section 5.1); NULL: it is none. */
static const uint8_t *payload_of(const uint8_t *rtp, size_t len, size_t *payload_len)
{
    if (len < RTP_HEADER || rtp[0] >> 6 != 2)
        return NULL;
    size_t at = RTP_HEADER + (size_t)(rtp[0] & 0x0f) * 4;
    if ((rtp[0] & 0x10) != 0) {
        if (at + 4 > len)
            return NULL;
        at += 4 + (size_t)agw_get16(rtp + at + 2) * 4;
    }
    const size_t padding = (rtp[0] & 0x20) != 0 ? rtp[len - 1] : 0;
    if (at + padding > len)
        return NULL;
    *payload_len = len - at - padding;
    return rtp + at;
}

/* What the payload alone tells; number and time are valid with KIT_GOOD. */
static kit_finding judge_payload(const kit_checker *c, const uint8_t *rtp, size_t len,
                                 uint64_t *number, agw_ns *time)
{
    size_t n = 0;
    const uint8_t *p = payload_of(rtp, len, &n);
    if (p == NULL)
        return KIT_FOREIGN;
    if (n < KIT_STREAM_PAYLOAD_MIN || agw_get32(p) != MARK) /* ours that was damaged, or not ours */
        return c->begun && agw_get32(rtp + 8) == c->ssrc ? KIT_CORRUPT : KIT_FOREIGN;
    const uint32_t stream = agw_get32(p + AT_STREAM);
    *number = agw_get64(p + AT_NUMBER);
    const uint64_t stamp = agw_get64(p + AT_TIME);
    *time = (agw_ns)stamp;
    const uint64_t seed = seed_of(stream, *number, stamp);
    if (agw_get32(p + AT_CHECK) != (uint32_t)(seed >> 32))
        return KIT_CORRUPT;
    if (stream != c->stream)
        return KIT_FOREIGN;
    const size_t body = n - KIT_STREAM_PAYLOAD_MIN;
    return n == c->payload && is_body(p + KIT_STREAM_PAYLOAD_MIN, body, seed) ? KIT_GOOD
                                                                              : KIT_CORRUPT;
}

/* Behind packets that the gateway held back on purpose its numbers go on, audio with a marker;
 * of video one is left out. Its time goes on, too: a sender's clock stands still while it does not
 * send. */
static bool goes_on(kit_checker *c, uint16_t seq_0, uint32_t timestamp_0, uint64_t number)
{
    const uint16_t left_out = (uint16_t)(seq_0 + number - (uint16_t)(c->seq_0 + c->next));
    if (number <= c->next || left_out != (c->burst > 1))
        return false;
    c->seq_0 = seq_0;
    c->timestamp_0 = timestamp_0;
    return true;
}

/* The first packet teaches what the gateway made of SSRC, sequence number and timestamp. */
static bool header_fits(kit_checker *c, const uint8_t *rtp, uint64_t number)
{
    const bool is_marked = rtp[1] >> 7 != 0, as_sent = is_marked == marked_at(number, c->burst);
    const uint32_t ssrc = agw_get32(rtp + 8);
    const uint16_t seq_0 = (uint16_t)(agw_get16(rtp + 2) - number);
    const uint32_t timestamp_0 =
        agw_get32(rtp + 4) - timestamp_at(number, c->timestamp_step, c->burst);
    if ((rtp[1] & 0x7f) != c->pt)
        return false;
    if (!c->begun) {
        c->begun = true;
        c->ssrc = ssrc;
        c->seq_0 = seq_0;
        c->timestamp_0 = timestamp_0;
        if (!c->restarted)
            c->first = c->next = number;
        return as_sent || c->burst <= 1;
    }
    if (ssrc != c->ssrc)
        return false;
    if (seq_0 == c->seq_0)
        return as_sent && timestamp_0 == c->timestamp_0;
    return goes_on(c, seq_0, timestamp_0, number) && (as_sent || c->burst <= 1);
}

static bool is_seen(const kit_checker *c, uint64_t number)
{
    return (c->seen[number % KIT_STREAM_WINDOW / 64] >> number % 64 & 1) != 0;
}

static void set_seen(kit_checker *c, uint64_t number, bool seen)
{
    uint64_t *word = &c->seen[number % KIT_STREAM_WINDOW / 64];
    const uint64_t bit = (uint64_t)1 << number % 64;
    *word = seen ? *word | bit : *word & ~bit;
}

/* Good, late or a duplicate. */
static kit_finding judge_order(kit_checker *c, uint64_t number)
{
    if (number >= c->next) {
        for (uint64_t skipped = c->next; skipped < number; skipped++)
            set_seen(c, skipped, false);
        set_seen(c, number, true);
        c->next = number + 1;
        return KIT_GOOD;
    }
    if (c->next - number > KIT_STREAM_WINDOW || is_seen(c, number))
        return KIT_DUPLICATE;
    set_seen(c, number, true);
    if (number < c->first)
        c->first = number;
    return KIT_LATE;
}

static void note_arrival(kit_checker *c, agw_ns sent_at, agw_ns at)
{
    if (c->accepted != 0 && at - c->last_at > c->longest_gap)
        c->longest_gap = at - c->last_at;
    c->last_at = at;
    c->accepted++;
    if (c->latency != NULL)
        kit_histogram_add(c->latency, at - sent_at);
}

static void begin_voice(kit_checker *c, const uint8_t *rtp, agw_ns at)
{
    c->begun = true;
    c->ssrc = agw_get32(rtp + 8);
    c->seq_0 = agw_get16(rtp + 2);
    c->timestamp_0 = agw_get32(rtp + 4);
    c->quickest = at;
}

/* Behind the quickest: what it would be for the first packet. */
static agw_ns lateness(kit_checker *c, const uint8_t *rtp, agw_ns at)
{
    const int32_t units = (int32_t)(agw_get32(rtp + 4) - c->timestamp_0);
    const agw_ns first = at - units * AGW_S(1) / (agw_ns)c->voice_hz;
    c->quickest = agw_earlier(first, c->quickest);
    return first - c->quickest;
}

static kit_finding judge_voice(kit_checker *c, const uint8_t *rtp, size_t len, agw_ns at)
{
    size_t n = 0;
    if (payload_of(rtp, len, &n) == NULL || n == 0) {
        c->found[KIT_FOREIGN]++;
        return KIT_FOREIGN;
    }
    if (!c->begun)
        begin_voice(c, rtp, at);
    const uint16_t ahead = (uint16_t)(agw_get16(rtp + 2) - (uint16_t)(c->seq_0 + c->next));
    const uint64_t number = c->next + (uint64_t)(int64_t)(int16_t)ahead;
    const bool fits = (rtp[1] & 0x7f) == c->pt && agw_get32(rtp + 8) == c->ssrc;
    const agw_ns late = lateness(c, rtp, at);
    if (number < c->from)
        return KIT_GOOD;
    if (fits && kit_voice_is_lost(&c->random, c->loss_percent)) {
        c->unseen += judge_order(c, number) != KIT_DUPLICATE;
        return KIT_GOOD;
    }
    const kit_finding finding = fits ? judge_order(c, number) : KIT_HEADER;
    if (finding == KIT_GOOD || finding == KIT_LATE)
        note_arrival(c, at - late, at);
    c->found[finding]++;
    return finding;
}

kit_finding kit_checker_judge(kit_checker *c, const uint8_t *rtp, size_t len, agw_ns at)
{
    if (c->voice_hz != 0)
        return judge_voice(c, rtp, len, at);
    uint64_t number = UINT64_MAX;
    agw_ns sent_at = 0;
    kit_finding finding = judge_payload(c, rtp, len, &number, &sent_at);
    if (finding == KIT_GOOD && !header_fits(c, rtp, number))
        finding = KIT_HEADER;
    if (finding != KIT_CORRUPT && finding != KIT_FOREIGN && number < c->from)
        return finding;
    if (finding == KIT_GOOD)
        finding = judge_order(c, number);
    if (finding == KIT_GOOD || finding == KIT_LATE)
        note_arrival(c, sent_at, at);
    c->found[finding]++;
    return finding;
}

kit_finding kit_checker_take(kit_checker *c, const uint8_t *rtp, size_t len, agw_ns at)
{
    c->arrived++;
    if (c->spoiler != NULL)
        return kit_spoiler_pass(c->spoiler, c, rtp, len, at);
    return kit_checker_judge(c, rtp, len, at);
}

void kit_checker_restart(kit_checker *c, uint64_t from)
{
    if (c->voice_hz != 0)
        from = c->next; /* the stream's own numbers */
    memset(c->found, 0, sizeof c->found);
    c->accepted = 0;
    c->unseen = 0;
    c->longest_gap = 0;
    c->restarted = true;
    c->from = c->first = from;
    if (c->next < from)
        c->next = from;
}

uint64_t kit_checker_lost(const kit_checker *c, uint64_t sent)
{
    if (c->voice_hz != 0)
        sent = c->next > c->unseen ? c->next - c->unseen : 0;
    if (sent <= c->first)
        return 0;
    const uint64_t due = sent - c->first;
    return due > c->accepted ? due - c->accepted : 0;
}
