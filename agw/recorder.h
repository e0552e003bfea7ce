/* SPDX-License-Identifier: BSD-3-Clause
 * Taps and the thread that writes what they take into files. A worker copies packets of a tapped
 * call into its tap, a ring of bytes, and never waits: what does not fit is counted. The recorder
 * thread writes them as pcapng, or what is said in them as WAV (agw/voices.h). */
#ifndef AGW_AGW_RECORDER_H
#define AGW_AGW_RECORDER_H

#include "agw/mail.h"
#include "base/counter.h"
#include "base/prefetch.h"
#include "codecs/codec.h"

enum {
    AGW_RECORDING_NAME_MAX = 200, /* bytes of a file's name */
    AGW_RECORDING_TAG_MAX = 64,   /* bytes kept of a party's tag */
};

typedef struct agw_recorder agw_recorder;
/** One worker's ring. */
typedef struct agw_tap agw_tap;
/** One file: made by control, handed to the recorder thread and, in a plan, to a worker. */
typedef struct agw_recording agw_recording;

/** Opens the folder and starts the thread.
 *
 * @param n_taps   workers
 * @param control  how to tell control; copied
 * @return NULL with the reason in why (size bytes) */
AGW_NODISCARD agw_recorder *agw_recorder_new(const char *folder, size_t n_taps,
                                             const agw_outbox *control, char *why, size_t size);
/** After the workers have ended: writes what is left. Recordings are freed by their owner. */
void agw_recorder_free(agw_recorder *r);
/** Borrowed; tap i belongs to one thread. */
agw_tap *agw_recorder_tap(agw_recorder *r, size_t i);
agw_outbox agw_recorder_outbox(agw_recorder *r);

/** Never NULL. The file is made by the recorder thread once it has AGW_MAIL_RECORD about it. */
agw_recording *agw_recording_new(const agw_record_config *config);
/** After AGW_MAIL_RECORDING_GONE, or when the recorder thread has ended. NULL is fine. */
void agw_recording_free(agw_recording *rec);

/** The files' name in out, without what stands behind the dot, that stays in its folder whatever
 * wanted or call_id are: letters, digits and "-_.+@" only, no dot in front. */
void agw_recording_name(char out[AGW_RECORDING_NAME_MAX + 1], const char *call_id,
                        const char *wanted);

/** What has become of it, at any time. */
void agw_recording_get_view(const agw_recording *rec, agw_record_view *out);

/** Control's own note of the call, NULL once that is gone. */
void agw_recording_set_owner(agw_recording *rec, agw_call_ref *ref);
agw_call_ref *agw_recording_owner(const agw_recording *rec);

/* --- a worker's ------------------------------------------------------------------------------
 */

/** One packet of a party, in the clear. */
typedef struct agw_tapped {
    uint32_t media_id;
    uint8_t side;            /* agw_side of the party that sent it */
    uint8_t kind;            /* agw_media_kind */
    bool is_red;             /* RED of that format */
    agw_codec_format format; /* of audio; AGW_CODEC_NONE: it is none, or not known */
    agw_ns at;
    agw_addr from, to;
    const uint8_t *data;
    size_t len;
} agw_tapped;

/** Copies the packet, or counts it as lost. */
void agw_tap_put(agw_tap *tap, agw_recording *rec, const agw_tapped *packet);
/** From any thread, while it is not done: its files are removed when it ends. */
void agw_recording_discard(agw_recording *rec);
/** No packet of it comes any more; rec may be gone afterwards. */
void agw_recording_done(agw_recording *rec);

#endif
