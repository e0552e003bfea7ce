/* SPDX-License-Identifier: BSD-3-Clause
 * Audio files as strangers write them: what is short enough is read, and is as long as it says. */
#include "codecs/audio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MS_MAX = 5000 }; /* a header of a few octets may claim minutes of silence */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t ms = 0;
    agw_audio *audio = NULL;
    const agw_err err = agw_audio_probe(data, size, &ms);
    if (err == AGW_OK && ms > MS_MAX)
        return 0;
    if (agw_audio_read(data, size, 8000, &audio) != AGW_OK)
        return 0;
    AGW_ASSERT(err == AGW_OK);
    AGW_ASSERT(audio->n_samples <= (size_t)(ms + 1) * 8 + 8);
    agw_audio_unref(audio);
    return 0;
}
