/* SPDX-License-Identifier: BSD-3-Clause
 * The head of a WAV file (RIFF, 16 bit PCM). Bytes only. */
#ifndef AGW_AGW_WAV_H
#define AGW_AGW_WAV_H

#include <stddef.h>
#include <stdint.h>

enum {
    AGW_WAV_HEAD = 44,
    AGW_WAV_SAMPLE = 2, /* octets */
};

/** What a file's samples may take: its sizes have 32 bits. */
#define AGW_WAV_MAX (UINT32_MAX - AGW_WAV_HEAD)

/** Writes the head of a file whose samples take so many octets by now, at most AGW_WAV_MAX. */
void agw_wav_head(uint8_t out[AGW_WAV_HEAD], unsigned channels, uint32_t rate_hz, uint32_t octets);
/** Writes n samples as they stand in the file, 2 octets each; step: from one of pcm to the next in
 * out, in samples (2 = every other one). */
void agw_wav_samples(uint8_t *out, size_t step, const int16_t *pcm, size_t n);

#endif
