/* SPDX-License-Identifier: BSD-3-Clause
 * Preloaded into a gateway that encodes Opus in another way than ours does: the same complexity,
 * and AGW_BENCH_OPUS_BPS, whatever it asks of libopus. So both are measured doing the same. */
#include <dlfcn.h>
#include <opus/opus_multistream.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

enum { COMPLEXITY = 5, USUAL_BPS = 20000 };

typedef int (*control)(void *encoder, int request, void *argument);

static control find(const char *name)
{
    union {
        void *object;
        control function;
    } found = {.object = dlsym(RTLD_NEXT, name)};
    return found.function;
}

/* All of libopus' requests have one argument, a number or a pointer, or none. */
static void *wanted(int request, void *argument)
{
    const char *bps = getenv("AGW_BENCH_OPUS_BPS");
    if (request == OPUS_SET_COMPLEXITY_REQUEST)
        return (void *)(intptr_t)COMPLEXITY;
    if (request == OPUS_SET_BITRATE_REQUEST)
        return (void *)(intptr_t)(bps != NULL ? strtol(bps, NULL, 10) : USUAL_BPS);
    return argument;
}

int opus_encoder_ctl(OpusEncoder *st, int request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    return find("opus_encoder_ctl")(st, request, wanted(request, argument));
}

int opus_multistream_encoder_ctl(OpusMSEncoder *st, int request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    return find("opus_multistream_encoder_ctl")(st, request, wanted(request, argument));
}
