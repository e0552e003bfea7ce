/* SPDX-License-Identifier: BSD-3-Clause
 * Texts of errors are rtpengine's where it has the same error. */
#include "control/play_acts.h"

#include "codecs/tones.h"
#include "control/media_acts.h"
#include "control/negotiate.h"
#include "control/passes.h"

#include <string.h>

enum {
    MS_MAX = 24 * 3600 * 1000, /* of places and lengths */
    TIMES_MAX = 1000000,
    MS_PER_S = 1000,
};

static agw_doc *ok(void)
{
    agw_doc *reply = agw_doc_new_dict();
    agw_doc_set_str(reply, "result", "ok");
    return reply;
}

static uint32_t number(const agw_doc *request, const char *key, uint32_t max)
{
    int64_t v = 0;
    (void)agw_doc_int(request, key, &v);
    return (uint32_t)CLAMP(v, 0, (int64_t)max);
}

/* --- what is to be played ----------------------------------------------------------------------
 */

typedef struct source {
    GBytes *content;
    char *key; /* of a file */
    uint32_t duration_ms;
} source;

static void source_fini(source *s)
{
    if (s->content != NULL)
        g_bytes_unref(s->content);
    g_free(s->key);
}

static const char *from_file(source *s, const agw_ng_call *call, const char *path)
{
    const char *why;
    s->content = agw_audio_files_load(path, &s->key, &why);
    if (s->content != NULL)
        return NULL;
    agw_log(AGW_LOG_WARN, call->call_id, "file %.200s cannot be played: %s", path, why);
    return "Failed to start media playback from file";
}

static const char *from_blob(source *s, const agw_doc *request)
{
    size_t len = 0;
    const agw_doc *blob = agw_doc_get(request, "blob");
    const char *bytes = blob != NULL ? agw_doc_bytes(blob, &len) : NULL;
    const char *text = agw_doc_str(request, "blob64");
    if (bytes != NULL)
        s->content = g_bytes_new(bytes, len);
    else if (text != NULL && *text != '\0') {
        guchar *plain = g_base64_decode(text, &len);
        s->content = g_bytes_new_take(plain, len);
    }
    return s->content != NULL ? NULL : "Failed to start media playback from blob";
}

/* NULL: *s is it. */
static const char *find_source(source *s, const agw_ng_call *call, const agw_doc *request)
{
    const char *path = agw_doc_str(request, "file"), *why = "No media file specified";
    const bool is_file = path != NULL && *path != '\0';
    if (is_file)
        why = from_file(s, call, path);
    else if (agw_doc_get(request, "blob") != NULL || agw_doc_get(request, "blob64") != NULL)
        why = from_blob(s, request);
    else if (agw_doc_get(request, "db-id") != NULL)
        why = "Media playback from a database (db-id) is not supported";
    if (why != NULL)
        return why;
    gsize len;
    const uint8_t *content = g_bytes_get_data(s->content, &len);
    const agw_err err = agw_audio_probe(content, len, &s->duration_ms);
    if (err == AGW_OK)
        return NULL;
    agw_log(AGW_LOG_WARN, call->call_id, "%.200s cannot be played: %s", is_file ? path : "a blob",
            err == AGW_ERR_LIMIT ? "it is too long" : "its format is not known");
    return is_file ? "Failed to start media playback from file"
                   : "Failed to start media playback from blob";
}

/* --- orders ------------------------------------------------------------------------------------
 */

/* Waits for its audio; meanwhile the call may end, or something else be played. */
typedef struct order {
    agw_control *ctl;
    char *call_id;
    uint64_t number; /* of agw_ng_call.play */
    agw_play_order play;
} order;

static void free_order(gpointer data)
{
    order *o = data;
    g_free(o->call_id);
    g_free(o);
}

static agw_ng_call *find_again(const order *o)
{
    agw_ng_call *call = agw_calls_find(o->ctl->calls, o->call_id);
    if (call != NULL && o->play.to == AGW_SIDE_B)
        call = agw_passes_last(call);
    return call != NULL && call->play[o->play.to] == o->number ? call : NULL;
}

static void on_ready(void *user, agw_audio *audio)
{
    order *o = user;
    const agw_ng_call *call = find_again(o);
    if (call == NULL)
        return;
    if (audio == NULL) {
        agw_log(AGW_LOG_WARN, o->call_id, "what is to be played cannot be decoded");
        return;
    }
    o->play.audio = audio;
    agw_gateway_play_media(o->ctl->gateway, call->ref, &o->play);
}

/* Opus takes all that there is, others what they have. */
static uint32_t rate_of(const agw_hearing *h)
{
    const agw_codec_info *info = agw_codec_info_of(h->format.id);
    return info != NULL ? info->audio_hz : AGW_TONES_HEARD_HZ;
}

static agw_play_order to_be_played(const agw_hearing *h, agw_side to)
{
    return (agw_play_order){.media_id = h->media_id, .to = to, .pt = h->pt, .format = h->format};
}

static const char *play(agw_control *ctl, agw_ng_call *call, agw_side to, const source *s,
                        const agw_doc *request)
{
    agw_hearing h;
    if (!agw_session_hears(call->session, to, &h))
        return "Monologue has no media capable of media playback";
    order *o = g_new0(order, 1);
    o->ctl = ctl;
    o->call_id = g_strdup(call->call_id);
    o->number = call->play[to] = ++ctl->plays;
    o->play = to_be_played(&h, to);
    o->play.start_ms = number(request, "start-pos", MS_MAX);
    o->play.times = number(request, "repeat-times", TIMES_MAX);
    o->play.limit_ms = number(request, "repeat-duration", MS_MAX);
    if (agw_audio_files_decode(ctl->audio_files, s->key, s->content, rate_of(&h), on_ready, o,
                               free_order))
        return NULL;
    free_order(o);
    return "Too many files are being read";
}

agw_doc *agw_acts_play_media(agw_control *ctl, const agw_flags *flags, const agw_doc *request)
{
    agw_ng_call *call = NULL;
    int side = AGW_ACTS_WHOLE_CALL;
    source s = {0};
    const char *why = agw_acts_find(ctl->calls, flags, &call, &side);
    if (why == NULL && side == AGW_ACTS_WHOLE_CALL && !agw_flags_has(flags, AGW_WORD_ALL))
        why = "No participant party specified";
    if (why == NULL)
        why = find_source(&s, call, request);
    for (int to = AGW_SIDE_A; to <= AGW_SIDE_B && why == NULL; to++) {
        if (side == to || side == AGW_ACTS_WHOLE_CALL)
            why = play(ctl, call, (agw_side)to, &s, request);
    }
    source_fini(&s);
    if (why != NULL)
        return agw_ng_error(why);
    agw_doc *reply = ok();
    agw_doc_set_int(reply, "duration", s.duration_ms);
    return reply;
}

static void stop(agw_control *ctl, agw_ng_call *call, agw_side to, agw_doc *reply)
{
    agw_hearing h;
    if (call->play[to] == 0 || !agw_session_hears(call->session, to, &h))
        return;
    call->play[to] = 0;
    agw_gateway_stop_media(ctl->gateway, call->ref, h.media_id, to);
    const agw_media_stats *stats = agw_gateway_media_stats(call->ref, h.media_id);
    if (agw_doc_get(reply, "last-frame-pos") == NULL)
        agw_doc_set_int(reply, "last-frame-pos",
                        (int64_t)agw_counter_get(&stats->end[to].played_ms));
}

agw_doc *agw_acts_stop_media(agw_control *ctl, const agw_flags *flags)
{
    agw_ng_call *call = NULL;
    int side = AGW_ACTS_WHOLE_CALL;
    const char *why = agw_acts_find(ctl->calls, flags, &call, &side);
    if (why == NULL && side == AGW_ACTS_WHOLE_CALL && !agw_flags_has(flags, AGW_WORD_ALL))
        why = "No participant party specified";
    if (why != NULL)
        return agw_ng_error(why);
    agw_doc *reply = ok();
    for (int to = AGW_SIDE_A; to <= AGW_SIDE_B; to++) {
        if (side == to || side == AGW_ACTS_WHOLE_CALL)
            stop(ctl, call, (agw_side)to, reply);
    }
    return reply;
}

/* --- tones -------------------------------------------------------------------------------------
 */

bool agw_acts_play_tone(agw_gateway *gateway, const agw_ng_call *call, agw_side to,
                        const agw_dtmf_order *digit)
{
    agw_hearing h;
    if (!agw_session_hears(call->session, to, &h))
        return false;
    const uint32_t hz = rate_of(&h);
    const size_t n = (size_t)digit->duration_ms * hz / MS_PER_S;
    agw_audio *audio = agw_audio_new(hz, n + (size_t)digit->pause_ms * hz / MS_PER_S);
    if (audio == NULL)
        return false;
    agw_tones_write(digit->event, digit->volume, hz, 0, audio->samples, n);
    agw_play_order tone = to_be_played(&h, to);
    tone.audio = audio;
    tone.is_tone = true;
    agw_gateway_play_media(gateway, call->ref, &tone);
    agw_audio_unref(audio);
    return true;
}
