/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/voices.h"

#include "base/err.h"
#include "codecs/playout.h"
#include "rtp/header.h"
#include "rtp/red.h"

#include <stdlib.h>
#include <string.h>

enum { FORMATS = 8 }; /* that a playout takes */

static const agw_ns PIECE = AGW_MS(10);
/* As in codecs/chain.h: who comes a little late finds its place free; who is silent so long rests.
 */
static const agw_ns PHASE = AGW_MS(3), OVER_AFTER = AGW_S(2);
/* What a jitter buffer may still hold behind the last packet. */
static const agw_ns TAIL = AGW_MS(60);

typedef struct known {
    uint8_t pt;
    agw_codec_format format;
} known;

typedef struct voice {
    agw_playout *playout;
    size_t n_known;
    known known[FORMATS];
    bool heard;
    uint32_t ssrc;
    agw_ns heard_at;
} voice;

struct agw_voices {
    bool begun;
    agw_ns next_at; /* when the next piece begins */
    voice voices[2];
};

agw_voices *agw_voices_new(void)
{
    agw_voices *v = calloc(1, sizeof *v);
    AGW_ASSERT(v != NULL);
    return v;
}

void agw_voices_free(agw_voices *v)
{
    if (v == NULL)
        return;
    agw_playout_free(v->voices[0].playout);
    agw_playout_free(v->voices[1].playout);
    free(v);
}

static bool is_resting(const voice *o, agw_ns now)
{
    return o->playout == NULL || !o->heard || now - o->heard_at > OVER_AFTER;
}

/* --- in ----------------------------------------------------------------------------------------
 */

static void start_anew(voice *o)
{
    agw_playout_free(o->playout);
    o->playout = agw_playout_new(AGW_VOICES_HZ);
    AGW_ASSERT(o->playout != NULL);
    o->n_known = 0;
}

/* false: it cannot be decoded. */
static bool learn(voice *o, uint8_t pt, const agw_codec_format *format)
{
    size_t i = 0;
    while (i < o->n_known && o->known[i].pt != pt)
        i++;
    if (i < o->n_known && agw_codec_format_equal(&o->known[i].format, format))
        return true;
    if (o->playout == NULL || i < o->n_known || i == FORMATS)
        start_anew(o); /* the number means something else now */
    if (agw_playout_add(o->playout, pt, format) != AGW_OK)
        return false;
    o->known[o->n_known++] = (known){pt, *format};
    return true;
}

static void follow(voice *o, uint32_t ssrc, agw_ns at)
{
    if (o->heard && (o->ssrc != ssrc || is_resting(o, at)))
        agw_playout_switch(o->playout);
    o->heard = true;
    o->ssrc = ssrc;
    o->heard_at = at;
}

/* What the packet itself is about; earlier audio beside it has come before, or is lost. */
static agw_err unwrap(const agw_voices_packet *p, const agw_rtp_header *h, agw_red_block *out)
{
    agw_red red;
    *out = (agw_red_block){
        .pt = h->pt, .len = (uint16_t)h->payload_len, .data = p->rtp + h->header_len};
    if (!p->is_red)
        return AGW_OK;
    const agw_err err = agw_red_parse(&red, out->data, h->payload_len);
    if (err == AGW_OK)
        *out = red.blocks[red.n - 1];
    return err;
}

void agw_voices_put(agw_voices *v, const agw_voices_packet *p)
{
    voice *o = &v->voices[p->side];
    agw_rtp_header h;
    agw_red_block own;
    if (agw_rtp_parse(&h, p->rtp, p->len) != AGW_OK || unwrap(p, &h, &own) != AGW_OK ||
        !learn(o, own.pt, &p->format))
        return;
    if (!v->begun)
        v->next_at = p->at + PHASE;
    v->begun = true;
    follow(o, h.ssrc, p->at);
    if (agw_playout_put(o->playout, own.pt, h.seq, h.timestamp, own.data, own.len, p->at) != AGW_OK)
        return; /* late, or malformed: as if it had not come */
}

/* --- out ---------------------------------------------------------------------------------------
 */

uint64_t agw_voices_take(agw_voices *v, agw_ns until, agw_voices_piece *piece)
{
    if (!v->begun || v->next_at >= until)
        return 0;
    const agw_ns now = v->next_at;
    uint64_t n = 1;
    memset(piece, 0, sizeof *piece);
    if (is_resting(&v->voices[0], now) && is_resting(&v->voices[1], now))
        n = (uint64_t)((until - now + PIECE - 1) / PIECE);
    for (unsigned side = 0; side < 2; side++) {
        if (!is_resting(&v->voices[side], now))
            (void)agw_playout_take(v->voices[side].playout, now, piece->pcm[side]);
    }
    v->next_at += (agw_ns)n * PIECE;
    return n;
}

agw_ns agw_voices_end(const agw_voices *v)
{
    const agw_ns a = v->voices[0].heard_at, b = v->voices[1].heard_at;
    return v->begun ? (a > b ? a : b) + TAIL : 0;
}
