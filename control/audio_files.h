/* SPDX-License-Identifier: BSD-3-Clause
 * Audio to be played, from files and from what a command carries: decoded by threads of a pool,
 * kept for the next call that plays the same. For the control thread alone. */
#ifndef AGW_CONTROL_AUDIO_FILES_H
#define AGW_CONTROL_AUDIO_FILES_H

#include "codecs/audio.h"

#include <glib.h>
#include <stdbool.h>

typedef struct agw_audio_files agw_audio_files;

/** Gets the audio (borrowed), NULL = it could not be decoded. In the control thread's main loop, or
 * before agw_audio_files_decode() returns. */
typedef void agw_audio_ready(void *user, agw_audio *audio);

agw_audio_files *agw_audio_files_new(void);
/** What is still being decoded is told to nobody, its user is freed. NULL is fine. */
void agw_audio_files_free(agw_audio_files *files);

/** Reads a file whole; what is no regular file, or larger than AGW_AUDIO_FILE_MAX, is refused.
 *
 * @param key  out: names file and version; of the same key the content is the same
 * @return NULL: *why (static) says why */
GBytes *agw_audio_files_load(const char *path, char **key, const char **why);

/** Decodes to rate_hz and tells ready().
 *
 * @param key   from agw_audio_files_load(), NULL = not to be kept
 * @param user  given; freed with free_user after ready() or without it
 * @return false: too many are being decoded; nothing was taken */
bool agw_audio_files_decode(agw_audio_files *files, const char *key, GBytes *content,
                            uint32_t rate_hz, agw_audio_ready *ready, void *user,
                            GDestroyNotify free_user);

/** How many are being decoded. */
size_t agw_audio_files_running(const agw_audio_files *files);

#endif
