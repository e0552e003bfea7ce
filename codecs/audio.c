/* SPDX-License-Identifier: BSD-3-Clause */
#include "codecs/audio.h"

#include "codecs/amr_payload.h"
#include "codecs/decoder.h"

#include <samplerate.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 4096, /* frames that are read at a time */
    CHANNELS_MAX = 8,
    RATE_MIN = 4000,
    RATE_MAX = 192000,
    AMR_FRAME_MS = 20,
};

agw_audio *agw_audio_new(uint32_t rate_hz, size_t n_samples)
{
    agw_audio *a = calloc(1, sizeof *a + n_samples * sizeof a->samples[0]);
    if (a != NULL)
        *a = (agw_audio){.refs = 1, .rate_hz = rate_hz, .n_samples = n_samples};
    return a;
}

agw_audio *agw_audio_ref(agw_audio *a)
{
    (void)__atomic_add_fetch(&a->refs, 1, __ATOMIC_RELAXED);
    return a;
}

void agw_audio_unref(agw_audio *a)
{
    if (a != NULL && __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(a);
}

/* --- a file in memory, for libsndfile ----------------------------------------------------------
 */

typedef struct reader {
    const uint8_t *data;
    sf_count_t len, at;
    SF_INFO info;
    SNDFILE *file;
} reader;

static sf_count_t get_len(void *user)
{
    return ((const reader *)user)->len;
}

static sf_count_t seek(sf_count_t offset, int whence, void *user)
{
    reader *r = user;
    const sf_count_t from = whence == SEEK_CUR ? r->at : whence == SEEK_END ? r->len : 0;
    if (offset >= -from && offset <= r->len - from)
        r->at = from + offset;
    return r->at;
}

static sf_count_t read_at(void *out, sf_count_t n, void *user)
{
    reader *r = user;
    const sf_count_t there = n < r->len - r->at ? n : r->len - r->at;
    memcpy(out, r->data + r->at, (size_t)there);
    r->at += there;
    return there;
}

static sf_count_t tell(void *user)
{
    return ((const reader *)user)->at;
}

/* The file's own number of frames need not be true: what is read counts. */
static agw_err open_reader(reader *r, const uint8_t *file, size_t len)
{
    SF_VIRTUAL_IO io = {.get_filelen = get_len, .seek = seek, .read = read_at, .tell = tell};
    *r = (reader){.data = file, .len = (sf_count_t)len};
    if (len > AGW_AUDIO_FILE_MAX)
        return AGW_ERR_LIMIT;
    r->file = sf_open_virtual(&io, SFM_READ, &r->info, r);
    if (r->file == NULL)
        return AGW_ERR_UNSUPPORTED;
    if (r->info.channels >= 1 && r->info.channels <= CHANNELS_MAX &&
        r->info.samplerate >= RATE_MIN && r->info.samplerate <= RATE_MAX && r->info.frames > 0) {
        if (r->info.frames <= (sf_count_t)AGW_AUDIO_SECONDS_MAX * r->info.samplerate &&
            r->info.frames <= AGW_AUDIO_SAMPLES_MAX)
            return AGW_OK;
        (void)sf_close(r->file);
        return AGW_ERR_LIMIT;
    }
    (void)sf_close(r->file);
    return AGW_ERR_UNSUPPORTED;
}

/* --- AMR, of which libsndfile knows nothing -----------------------------------------------------
 */

typedef struct amr_file {
    bool wide;
    const uint8_t *at; /* the next frame */
    size_t left;
} amr_file;

static bool open_amr(amr_file *f, const uint8_t *file, size_t len)
{
    static const char NARROW[] = "#!AMR\n", WIDE[] = "#!AMR-WB\n";
    f->wide = len >= sizeof WIDE - 1 && memcmp(file, WIDE, sizeof WIDE - 1) == 0;
    const size_t magic = f->wide ? sizeof WIDE - 1 : sizeof NARROW - 1;
    if (len < magic || (!f->wide && memcmp(file, NARROW, magic) != 0))
        return false;
    f->at = file + magic;
    f->left = len - magic;
    return true;
}

/* false: the end, or what is no frame. */
static bool next_frame(amr_file *f, agw_frame *out)
{
    if (agw_amr_load(f->wide, f->at, f->left, out) != AGW_OK)
        return false;
    f->at += 1 + out->len;
    f->left -= 1 + (size_t)out->len;
    return true;
}

static agw_err probe_amr(amr_file f, uint32_t *duration_ms)
{
    agw_frame frame;
    size_t n = 0;
    while (next_frame(&f, &frame))
        n++;
    *duration_ms = (uint32_t)n * AMR_FRAME_MS;
    if (n > (size_t)AGW_AUDIO_SECONDS_MAX * 1000 / AMR_FRAME_MS)
        return AGW_ERR_LIMIT;
    return n != 0 ? AGW_OK : AGW_ERR_UNSUPPORTED;
}

static agw_err read_amr(amr_file f, uint32_t rate_hz, agw_audio **out)
{
    uint32_t ms = 0;
    const agw_err err = probe_amr(f, &ms);
    if (err != AGW_OK)
        return err;
    const agw_codec_format format = agw_codec_plain(f.wide ? AGW_CODEC_AMR_WB : AGW_CODEC_AMR);
    agw_decoder *decoder = agw_decoder_new(&format, rate_hz);
    agw_audio *a = agw_audio_new(rate_hz, (size_t)ms * rate_hz / 1000);
    const bool can = decoder != NULL && a != NULL;
    size_t n = 0;
    for (agw_frame frame; can && next_frame(&f, &frame);)
        n += agw_decoder_decode(decoder, &frame, a->samples + n, a->n_samples - n);
    agw_decoder_free(decoder);
    if (!can) {
        free(a);
        return AGW_ERR_UNSUPPORTED;
    }
    a->n_samples = n;
    *out = a;
    return AGW_OK;
}

agw_err agw_audio_probe(const uint8_t *file, size_t len, uint32_t *duration_ms)
{
    reader r;
    amr_file amr;
    if (open_amr(&amr, file, len))
        return probe_amr(amr, duration_ms);
    const agw_err err = open_reader(&r, file, len);
    if (err != AGW_OK)
        return err;
    *duration_ms = (uint32_t)(r.info.frames * 1000 / r.info.samplerate);
    (void)sf_close(r.file);
    return AGW_OK;
}

/* --- decoding ----------------------------------------------------------------------------------
 */

/* One channel of all that is there; returns frames. */
static size_t read_mono(const reader *r, float *out, size_t room)
{
    float frames[CHUNK * CHANNELS_MAX];
    const int channels = r->info.channels;
    size_t n = 0;
    for (sf_count_t got = 1; got > 0 && n < room;) {
        const size_t left = room - n;
        got = sf_readf_float(r->file, frames, (sf_count_t)(left < CHUNK ? left : CHUNK));
        for (sf_count_t i = 0; i < got; i++, n++) {
            out[n] = 0;
            for (int c = 0; c < channels; c++)
                out[n] += frames[i * channels + c] / (float)channels;
        }
    }
    return n;
}

static agw_err convert(const float *in, size_t n, uint32_t from_hz, uint32_t to_hz, agw_audio **out)
{
    const double ratio = (double)to_hz / from_hz;
    const size_t room = (size_t)((double)n * ratio) + 1;
    float *wanted = calloc(room, sizeof *wanted);
    agw_audio *a = agw_audio_new(to_hz, room);
    SRC_DATA work = {.data_in = in,
                     .data_out = wanted,
                     .input_frames = (long)n,
                     .output_frames = (long)room,
                     .src_ratio = ratio};
    agw_err err = wanted != NULL && a != NULL ? AGW_OK : AGW_ERR_LIMIT;
    if (err == AGW_OK && src_simple(&work, SRC_SINC_MEDIUM_QUALITY, 1) != 0)
        err = AGW_ERR_UNSUPPORTED;
    if (err == AGW_OK) {
        a->n_samples = (size_t)work.output_frames_gen;
        src_float_to_short_array(wanted, a->samples, (int)a->n_samples);
        *out = a;
    } else {
        free(a);
    }
    free(wanted);
    return err;
}

agw_err agw_audio_read(const uint8_t *file, size_t len, uint32_t rate_hz, agw_audio **out)
{
    reader r;
    amr_file amr;
    if (open_amr(&amr, file, len))
        return read_amr(amr, rate_hz, out);
    agw_err err = open_reader(&r, file, len);
    if (err != AGW_OK)
        return err;
    float *mono = calloc((size_t)r.info.frames, sizeof *mono);
    const size_t n = mono != NULL ? read_mono(&r, mono, (size_t)r.info.frames) : 0;
    if (mono == NULL)
        err = AGW_ERR_LIMIT;
    else
        err = n == 0 ? AGW_ERR_UNSUPPORTED
                     : convert(mono, n, (uint32_t)r.info.samplerate, rate_hz, out);
    (void)sf_close(r.file);
    free(mono);
    return err;
}
