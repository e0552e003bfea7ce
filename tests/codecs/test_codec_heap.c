/* SPDX-License-Identifier: BSD-3-Clause
 * Once an encoder or decoder is made, coding allocates nothing: a call to the heap ends the test,
 * whose own functions stand in front of libc's here. Under a sanitizer, which has its own, there is
 * only the coding. */
#include "codecs/decoder.h"
#include "codecs/encoder.h"
#include "signal.h"
#include "unit.h"

#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

static bool is_hot;
static size_t heap_calls;

#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

static void on_heap_call(void)
{
    heap_calls++;
    if (is_hot)
        abort();
}

void *malloc(size_t size)
{
    on_heap_call();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    on_heap_call();
    return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    on_heap_call();
    return __libc_realloc(old, size);
}

void free(void *p)
{
    on_heap_call();
    __libc_free(p);
}
#endif

enum { HZ = 16000, FRAMES = 60, MAX = HZ * 3, ROOM = 1500 };

typedef struct coder {
    agw_codec_format format;
    agw_encoder *e;
    agw_decoder *d;
    size_t made;
} coder;

/* Packets there and back; every fifth is lost. */
static void code(coder *c, const int16_t *in, int16_t *out)
{
    const size_t step = HZ / 1000 * c->format.ptime_ms;
    for (size_t i = 0; i < FRAMES / (c->format.ptime_ms / 10); i++) {
        uint8_t packet[ROOM];
        agw_payload payload;
        agw_encoder_adapt(c->e, &(agw_encoder_wish){.mode_request = -1, .loss_percent = 10});
        const size_t len = agw_encoder_encode(c->e, in + i * step, step, -1, packet, sizeof packet);
        if (len == 0 || agw_decoder_split(c->d, packet, len, &payload) != AGW_OK)
            return;
        for (unsigned k = 0; k < payload.n_frames; k++)
            c->made += i % 5 == 4 ? agw_decoder_conceal(c->d, NULL, out, MAX)
                                  : agw_decoder_decode(c->d, &payload.frames[k], out, MAX);
    }
}

static void test_codec_heap_is_not_touched_after_new(void)
{
    static int16_t in[MAX], out[MAX];
    signal_voice(in, MAX, HZ);
    for (unsigned id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        if (!agw_codec_can_encode((agw_codec_id)id) || !agw_codec_can_decode((agw_codec_id)id))
            continue;
        coder c = {.format = agw_codec_plain((agw_codec_id)id)};
        if (id == AGW_CODEC_OPUS)
            c.format.opus.fec = true;
        const size_t before = heap_calls;
        c.e = agw_encoder_new(&c.format, HZ);
        c.d = agw_decoder_new(&c.format, HZ);
        CU_ASSERT_FATAL(c.e != NULL && c.d != NULL);
#ifndef SANITIZED
        CU_ASSERT(heap_calls > before); /* ours are the functions that are called */
#endif
        is_hot = true;
        code(&c, in, out);
        is_hot = false;
        CU_ASSERT(c.made > 0);
        agw_encoder_free(c.e);
        agw_decoder_free(c.d);
        (void)before;
    }
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_codec_heap_is_not_touched_after_new),
};

AGW_UNIT_MAIN("codec_heap", cases)
