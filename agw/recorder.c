/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/recorder.h"

#include "agw/pcapng.h"
#include "agw/record_file.h"
#include "agw/voices.h"
#include "agw/wav.h"
#include "base/log.h"
#include "base/pkt.h"
#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    MAILBOX_SLOTS = 4096,
    TAP_BYTES = 4 * 1024 * 1024, /* 20 ms of 200 MB/s */
    LOOK_MS = 20,
    RECORD_ALIGN = 8,
    WAYS_MAX = 2 * AGW_PLAN_MEDIA_MAX + 2,
    COMMENT_MAX = AGW_PCAPNG_TEXT_MAX,
    NAME_PART = 120, /* bytes of a name that strangers may choose */
};

static const agw_ns WRITE_EVERY = AGW_S(1);

_Static_assert(AGW_RECORD_ROOM_MAX >= AGW_PCAPNG_BLOCK_MAX + AGW_PKT_MAX, "a packet fits");

/* --- taps: a ring of bytes with one writer and one reader --------------------------------------
 */

/* What stands in front of a packet's bytes. */
typedef struct record {
    size_t size;        /* of all, padded */
    agw_recording *rec; /* NULL: nothing up to the ring's end */
    agw_tapped packet;
} record;

struct agw_tap {
    alignas(AGW_CACHE_LINE) atomic_size_t written; /* bytes since the start, by the worker */
    size_t taken_seen;                             /* by the worker: `taken` as it was last read */
    alignas(AGW_CACHE_LINE) atomic_size_t taken;   /* by the recorder */
    uint8_t *bytes;
};

static size_t padded(size_t len)
{
    return (len + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static bool has_room(agw_tap *tap, size_t end)
{
    if (end - tap->taken_seen > TAP_BYTES)
        tap->taken_seen = atomic_load_explicit(&tap->taken, memory_order_acquire);
    return end - tap->taken_seen <= TAP_BYTES;
}

/* One file of a recording. */
typedef enum output_kind { PACKETS, STEREO, OF_A, OF_B, OUTPUTS } output_kind;

typedef struct output {
    char name[AGW_RECORDING_NAME_MAX + 1]; /* "" = there is none */
    agw_record_file *file;                 /* NULL = not open, or failed */
} output;

struct agw_recording {
    output outputs[OUTPUTS];
    const char *name; /* of the first */
    char *call_id, *comment;
    char tags[2][AGW_RECORDING_TAG_MAX + 1];
    agw_counter packets, bytes; /* by the recorder */
    agw_counter lost;           /* by the worker */
    atomic_bool done;           /* by the worker, the last thing that it does */
    agw_call_ref *owner;        /* control's */

    atomic_bool discard;

    /* the recorder's */
    bool is_open; /* all outputs are */
    int64_t wall_offset_ns;
    struct {
        uint32_t media_id;
        uint8_t side;
    } ways[WAYS_MAX]; /* the packets' file's interfaces */
    size_t n_ways;
    agw_voices *voices;   /* NULL = no output wants them */
    uint32_t voice_media; /* whose they are; 0 = none has spoken yet */
    agw_ns written_at;
    bool has_begun, is_ending;
    agw_recording *next;
};

void agw_tap_put(agw_tap *tap, agw_recording *rec, const agw_tapped *packet)
{
    record head = {.size = padded(sizeof head + packet->len), .rec = rec, .packet = *packet};
    const size_t at = atomic_load_explicit(&tap->written, memory_order_relaxed);
    const size_t left = TAP_BYTES - at % TAP_BYTES;
    const size_t skipped = left < head.size ? left : 0;
    if (!has_room(tap, at + skipped + head.size)) {
        agw_counter_add(&rec->lost, 1);
        return;
    }
    if (skipped >= sizeof head) {
        const record nothing = {.size = skipped};
        memcpy(tap->bytes + at % TAP_BYTES, &nothing, sizeof nothing);
    }
    uint8_t *to = tap->bytes + (at + skipped) % TAP_BYTES;
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, packet->data, packet->len);
    atomic_store_explicit(&tap->written, at + skipped + head.size, memory_order_release);
}

void agw_recording_discard(agw_recording *rec)
{
    atomic_store_explicit(&rec->discard, true, memory_order_relaxed);
}

void agw_recording_done(agw_recording *rec)
{
    atomic_store_explicit(&rec->done, true, memory_order_release);
}

/* --- recordings --------------------------------------------------------------------------------
 */

static bool is_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-_.+@", c) != NULL;
}

static size_t without_suffix(const char *name, size_t len)
{
    static const char *const SUFFIXES[] = {".pcapng", ".wav"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        const size_t n = strlen(SUFFIXES[i]);
        if (len > n && strcmp(name + len - n, SUFFIXES[i]) == 0)
            return len - n;
    }
    return len;
}

void agw_recording_name(char out[AGW_RECORDING_NAME_MAX + 1], const char *call_id,
                        const char *wanted)
{
    const bool is_wanted = wanted != NULL && *wanted != '\0';
    const char *from = is_wanted ? wanted : call_id;
    size_t n = 0;
    for (; n < NAME_PART && from[n] != '\0'; n++)
        out[n] = is_safe(from[n]) && !(n == 0 && from[n] == '.') ? from[n] : '_';
    out[n] = '\0';
    if (is_wanted)
        out[without_suffix(out, n)] = '\0';
    else
        snprintf(out + n, AGW_RECORDING_NAME_MAX + 1 - n, "-%08" PRIx32 "%08" PRIx32, agw_rand32(),
                 agw_rand32());
}

static void name_outputs(agw_recording *rec, const agw_record_config *config)
{
    static const struct {
        uint32_t wanted;
        const char *suffix;
    } KINDS[OUTPUTS] = {[PACKETS] = {AGW_RECORD_PACKETS, ".pcapng"},
                        [STEREO] = {AGW_RECORD_STEREO, ".wav"},
                        [OF_A] = {AGW_RECORD_MONO, "-a.wav"},
                        [OF_B] = {AGW_RECORD_MONO, "-b.wav"}};
    char name[AGW_RECORDING_NAME_MAX + 1];
    const uint32_t outputs = config->outputs != 0 ? config->outputs : AGW_RECORD_PACKETS;
    agw_recording_name(name, config->call_id, config->name);
    for (int kind = OUTPUTS - 1; kind >= 0; kind--) {
        if ((outputs & KINDS[kind].wanted) == 0)
            continue;
        snprintf(rec->outputs[kind].name, sizeof rec->outputs[kind].name, "%.*s%s",
                 AGW_RECORDING_NAME_MAX - 8, name, KINDS[kind].suffix);
        rec->name = rec->outputs[kind].name;
        if (kind != PACKETS && rec->voices == NULL)
            rec->voices = agw_voices_new();
    }
}

static char *comment_of(const agw_record_config *config)
{
    char *out = malloc(COMMENT_MAX);
    AGW_ASSERT(out != NULL);
    if (config->metadata != NULL && *config->metadata != '\0')
        snprintf(out, COMMENT_MAX, "call-id: %s\nmetadata: %s", config->call_id, config->metadata);
    else
        snprintf(out, COMMENT_MAX, "call-id: %s", config->call_id);
    return out;
}

agw_recording *agw_recording_new(const agw_record_config *config)
{
    agw_recording *rec = calloc(1, sizeof *rec);
    AGW_ASSERT(rec != NULL);
    name_outputs(rec, config);
    rec->call_id = strdup(config->call_id);
    AGW_ASSERT(rec->call_id != NULL);
    rec->comment = comment_of(config);
    for (size_t side = 0; side < 2; side++)
        snprintf(rec->tags[side], sizeof rec->tags[side], "%s", config->tags[side]);
    return rec;
}

static void close_outputs(agw_recording *rec)
{
    for (size_t i = 0; i < OUTPUTS; i++) {
        agw_record_file_free(rec->outputs[i].file);
        rec->outputs[i].file = NULL;
    }
    rec->is_open = false;
}

void agw_recording_free(agw_recording *rec)
{
    if (rec == NULL)
        return;
    close_outputs(rec);
    agw_voices_free(rec->voices);
    free(rec->call_id);
    free(rec->comment);
    free(rec);
}

void agw_recording_get_view(const agw_recording *rec, agw_record_view *out)
{
    *out = (agw_record_view){.name = rec->name,
                             .packets = agw_counter_get(&rec->packets),
                             .bytes = agw_counter_get(&rec->bytes),
                             .lost = agw_counter_get(&rec->lost)};
    for (size_t i = 0; i < OUTPUTS; i++) {
        if (rec->outputs[i].name[0] != '\0')
            out->names[out->n_names++] = rec->outputs[i].name;
    }
}

void agw_recording_set_owner(agw_recording *rec, agw_call_ref *ref)
{
    rec->owner = ref;
}

agw_call_ref *agw_recording_owner(const agw_recording *rec)
{
    return rec->owner;
}

/* --- the thread --------------------------------------------------------------------------------
 */

struct agw_recorder {
    pthread_t thread;
    agw_ring *mailbox;
    int event_fd, folder;
    bool stop;
    agw_recording *recordings;
    agw_tap *taps;
    size_t n_taps;
    agw_outbox control;
};

static void tell(agw_recorder *r, agw_recording *rec, agw_event_kind kind, const char *detail)
{
    agw_mail *mail = agw_mail_new(AGW_MAIL_RECORDING, NULL, 0);
    mail->recording = rec;
    mail->event = (agw_event){.kind = kind, .at = agw_clock_now()};
    snprintf(mail->event.detail, sizeof mail->event.detail, "%.*s%s%s", NAME_PART / 2, rec->name,
             *detail != '\0' ? ": " : "", detail);
    agw_outbox_post(&r->control, mail);
}

static void fail(agw_recorder *r, agw_recording *rec, const output *o, int error)
{
    char detail[AGW_RECORDING_NAME_MAX + 64];
    agw_log(AGW_LOG_ERROR, rec->call_id, "recording %s cannot be written: %s", o->name,
            strerror(error));
    snprintf(detail, sizeof detail, "%s", strerror(error));
    tell(r, rec, AGW_EVENT_RECORDING_FAILED, detail);
    close_outputs(rec);
}

/* Whether all goes well; else it is told and over. */
static bool check(agw_recorder *r, agw_recording *rec)
{
    uint64_t bytes = 0;
    for (size_t i = 0; rec->is_open && i < OUTPUTS; i++) {
        const output *o = &rec->outputs[i];
        if (o->file == NULL)
            continue;
        if (agw_record_file_error(o->file) != 0)
            fail(r, rec, o, agw_record_file_error(o->file));
        else
            bytes += agw_record_file_len(o->file);
    }
    if (rec->is_open)
        agw_counter_set(&rec->bytes, bytes);
    return rec->is_open;
}

/* Those that this recording has made. */
static void remove_files(const agw_recorder *r, const agw_recording *rec)
{
    for (size_t i = 0; i < OUTPUTS; i++) {
        if (rec->outputs[i].file != NULL)
            (void)unlinkat(r->folder, rec->outputs[i].name, 0);
    }
}

static bool open_outputs(agw_recorder *r, agw_recording *rec)
{
    for (size_t i = 0; i < OUTPUTS; i++) {
        output *o = &rec->outputs[i];
        if (o->name[0] == '\0')
            continue;
        o->file = agw_record_file_new(r->folder, o->name);
        if (o->file == NULL) {
            const int error = errno;
            remove_files(r, rec);
            fail(r, rec, o, error);
            return false;
        }
        if (i != PACKETS) { /* the head is written when it is known */
            memset(agw_record_file_room(o->file, AGW_WAV_HEAD), 0, AGW_WAV_HEAD);
            agw_record_file_add(o->file, AGW_WAV_HEAD);
        }
    }
    rec->is_open = true;
    return true;
}

static void begin(agw_recorder *r, agw_recording *rec)
{
    rec->next = r->recordings;
    r->recordings = rec;
    rec->has_begun = true;
    rec->wall_offset_ns = agw_clock_wall_us() * 1000 - agw_clock_now();
    if (!open_outputs(r, rec))
        return;
    agw_record_file *packets = rec->outputs[PACKETS].file;
    if (packets != NULL)
        agw_record_file_add(packets,
                            agw_pcapng_section(agw_record_file_room(packets, AGW_PCAPNG_BLOCK_MAX),
                                               "eims-agw " AGW_VERSION, rec->comment));
    agw_log(AGW_LOG_INFO, rec->call_id, "recording %s begins", rec->name);
    tell(r, rec, AGW_EVENT_RECORDING_STARTED, "");
}

/* --- packets as they are ------------------------------------------------------------------------
 */

static uint32_t new_way(agw_recording *rec, const agw_tapped *p)
{
    char name[64], description[AGW_RECORDING_TAG_MAX + 64];
    const char *kind = p->kind == AGW_MEDIA_VIDEO ? "video" : "audio";
    snprintf(name, sizeof name, "%s-%" PRIu32 "-%c", kind, p->media_id,
             p->side == AGW_SIDE_A ? 'a' : 'b');
    snprintf(description, sizeof description, "%s %" PRIu32 " from tag %s", kind, p->media_id,
             rec->tags[p->side]);
    rec->ways[rec->n_ways].media_id = p->media_id;
    rec->ways[rec->n_ways].side = p->side;
    agw_record_file *file = rec->outputs[PACKETS].file;
    uint8_t *out = agw_record_file_room(file, AGW_PCAPNG_BLOCK_MAX);
    agw_record_file_add(file, agw_pcapng_interface(out, name, description));
    return (uint32_t)rec->n_ways++;
}

/* The file's interface of that media and direction; the last one takes what is too many. */
static uint32_t way_of(agw_recording *rec, const agw_tapped *p)
{
    for (size_t i = 0; i < rec->n_ways; i++) {
        if ((rec->ways[i].media_id == p->media_id && rec->ways[i].side == p->side) ||
            i == WAYS_MAX - 1)
            return (uint32_t)i;
    }
    return new_way(rec, p);
}

static void write_packet(agw_recording *rec, const agw_tapped *p)
{
    agw_record_file *file = rec->outputs[PACKETS].file;
    const agw_pcapng_packet packet = {
        .interface = way_of(rec, p),
        .wall_ns = (uint64_t)(p->at + rec->wall_offset_ns),
        .from = p->from,
        .to = p->to,
        .data = p->data,
        .len = p->len,
    };
    uint8_t *out = agw_record_file_room(file, AGW_PCAPNG_BLOCK_MAX + p->len);
    agw_record_file_add(file, agw_pcapng_packet_write(out, &packet));
}

/* --- what is said -------------------------------------------------------------------------------
 */

static unsigned channels_of(size_t kind)
{
    return kind == STEREO ? 2 : 1;
}

static void write_piece(agw_recording *rec, const agw_voices_piece *piece)
{
    for (size_t kind = STEREO; kind < OUTPUTS; kind++) {
        agw_record_file *file = rec->outputs[kind].file;
        const size_t step = channels_of(kind), len = step * AGW_VOICES_PIECE * AGW_WAV_SAMPLE;
        if (file == NULL)
            continue;
        uint8_t *out = agw_record_file_room(file, len);
        agw_wav_samples(out, step, piece->pcm[kind == OF_B], AGW_VOICES_PIECE);
        if (kind == STEREO)
            agw_wav_samples(out + AGW_WAV_SAMPLE, step, piece->pcm[1], AGW_VOICES_PIECE);
        agw_record_file_add(file, len);
    }
}

static void skip_pieces(agw_recording *rec, uint64_t n)
{
    for (size_t kind = STEREO; kind < OUTPUTS; kind++) {
        if (rec->outputs[kind].file != NULL)
            agw_record_file_skip(rec->outputs[kind].file,
                                 n * channels_of(kind) * AGW_VOICES_PIECE * AGW_WAV_SAMPLE);
    }
}

static void write_voices(agw_recording *rec, agw_ns until)
{
    agw_voices_piece piece;
    for (uint64_t n; (n = agw_voices_take(rec->voices, until, &piece)) != 0;) {
        if (n == 1)
            write_piece(rec, &piece);
        else
            skip_pieces(rec, n);
    }
}

/* The first audio that speaks is the one that is heard. */
static void hear(agw_recording *rec, const agw_tapped *p)
{
    if (rec->voice_media == 0)
        rec->voice_media = p->media_id;
    if (p->media_id != rec->voice_media)
        return;
    write_voices(rec, p->at);
    const agw_voices_packet packet = {p->side, p->is_red, p->format, p->data, p->len, p->at};
    agw_voices_put(rec->voices, &packet);
}

/* At any time, so that what is there can be played whatever becomes of the process. */
static void write_heads(agw_recording *rec)
{
    uint8_t head[AGW_WAV_HEAD];
    for (size_t kind = STEREO; kind < OUTPUTS; kind++) {
        agw_record_file *file = rec->outputs[kind].file;
        if (file == NULL)
            continue;
        agw_record_file_flush(file);
        const uint64_t octets = agw_record_file_len(file) - AGW_WAV_HEAD;
        agw_wav_head(head, channels_of(kind), AGW_VOICES_HZ,
                     octets < AGW_WAV_MAX ? (uint32_t)octets : AGW_WAV_MAX);
        agw_record_file_set_head(file, head, sizeof head);
    }
}

/* --- taps ---------------------------------------------------------------------------------------
 */

static void take_mail(agw_recorder *r)
{
    for (agw_mail *mail; (mail = agw_ring_pop(r->mailbox)) != NULL;) {
        if (mail->kind == AGW_MAIL_STOP)
            r->stop = true;
        else
            begin(r, mail->recording);
        agw_mail_free(mail);
    }
}

static void take_packet(agw_recorder *r, agw_recording *rec, const agw_tapped *p)
{
    if (!rec->has_begun)
        take_mail(r); /* it was posted before the worker heard of the recording */
    if (!rec->is_open)
        return;
    if (rec->outputs[PACKETS].file != NULL)
        write_packet(rec, p);
    if (rec->voices != NULL && p->format.id != AGW_CODEC_NONE)
        hear(rec, p);
    if (check(r, rec))
        agw_counter_add(&rec->packets, 1);
}

static void empty_tap(agw_recorder *r, agw_tap *tap)
{
    const size_t end = atomic_load_explicit(&tap->written, memory_order_acquire);
    size_t at = atomic_load_explicit(&tap->taken, memory_order_relaxed);
    while (at != end) {
        const size_t left = TAP_BYTES - at % TAP_BYTES;
        record head = {.size = left};
        if (left >= sizeof head)
            memcpy(&head, tap->bytes + at % TAP_BYTES, sizeof head);
        if (head.rec != NULL) {
            head.packet.data = tap->bytes + at % TAP_BYTES + sizeof head;
            take_packet(r, head.rec, &head.packet);
        }
        at += head.size;
        atomic_store_explicit(&tap->taken, at, memory_order_release);
    }
}

static void write_all(agw_recorder *r, agw_recording *rec)
{
    if (rec->outputs[PACKETS].file != NULL)
        agw_record_file_flush(rec->outputs[PACKETS].file);
    write_heads(rec);
    (void)check(r, rec);
}

static void end(agw_recorder *r, agw_recording *rec)
{
    char detail[64];
    const bool discarded = atomic_load_explicit(&rec->discard, memory_order_relaxed);
    if (rec->is_open && rec->voices != NULL)
        write_voices(rec, agw_voices_end(rec->voices));
    write_all(r, rec);
    const uint64_t packets = agw_counter_get(&rec->packets), lost = agw_counter_get(&rec->lost);
    snprintf(detail, sizeof detail, "%" PRIu64 " packets, %" PRIu64 " lost%s", packets, lost,
             discarded ? ", discarded" : "");
    if (discarded)
        remove_files(r, rec);
    if (rec->is_open) {
        agw_log(AGW_LOG_INFO, rec->call_id, "recording %s ends: %s", rec->name, detail);
        tell(r, rec, AGW_EVENT_RECORDING_ENDED, detail);
        close_outputs(rec);
    }
    agw_mail *gone = agw_mail_new(AGW_MAIL_RECORDING_GONE, NULL, 0);
    gone->recording = rec;
    agw_outbox_post(&r->control, gone); /* from here on it is control's */
}

static void end_some(agw_recorder *r)
{
    agw_recording **at = &r->recordings;
    while (*at != NULL) {
        agw_recording *rec = *at;
        if (!rec->is_ending) {
            at = &rec->next;
            continue;
        }
        *at = rec->next;
        end(r, rec);
    }
}

static void write_late(agw_recorder *r, agw_ns now)
{
    for (agw_recording *rec = r->recordings; rec != NULL; rec = rec->next) {
        if (!rec->is_open || now - rec->written_at < WRITE_EVERY)
            continue;
        write_all(r, rec);
        rec->written_at = now;
    }
}

/* What a worker has put into its tap before it was done is there by now. */
static void look(agw_recorder *r)
{
    for (agw_recording *rec = r->recordings; rec != NULL; rec = rec->next)
        rec->is_ending = atomic_load_explicit(&rec->done, memory_order_acquire);
    for (size_t i = 0; i < r->n_taps; i++)
        empty_tap(r, &r->taps[i]);
    end_some(r);
    write_late(r, agw_clock_now());
}

static void *run(void *arg)
{
    agw_recorder *r = arg;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ); /* a limit of the process is an error of write() */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_setname_np(pthread_self(), "agw-recorder");
    while (!r->stop) {
        struct pollfd pfd = {r->event_fd, POLLIN, 0};
        uint64_t count;
        const bool flushed = agw_outbox_flush(&r->control);
        const bool idle = r->recordings == NULL && flushed;
        if (poll(&pfd, 1, idle ? -1 : LOOK_MS) > 0 && read(r->event_fd, &count, sizeof count) < 0)
            continue;
        take_mail(r);
        look(r);
    }
    look(r); /* the workers have ended: all are done */
    agw_outbox_flush(&r->control);
    return NULL;
}

static void wake(void *owner)
{
    const agw_recorder *r = owner;
    const uint64_t one = 1;
    if (write(r->event_fd, &one, sizeof one) < 0)
        return; /* a full counter wakes as well */
}

static bool make_taps(agw_recorder *r, size_t n)
{
    r->taps = aligned_alloc(AGW_CACHE_LINE, n * sizeof *r->taps);
    if (r->taps == NULL)
        return false;
    memset(r->taps, 0, n * sizeof *r->taps);
    for (r->n_taps = 0; r->n_taps < n; r->n_taps++) {
        r->taps[r->n_taps].bytes = malloc(TAP_BYTES);
        if (r->taps[r->n_taps].bytes == NULL)
            return false;
    }
    return true;
}

static void release(agw_recorder *r)
{
    if (r->folder >= 0)
        close(r->folder);
    if (r->event_fd >= 0)
        close(r->event_fd);
    for (size_t i = 0; i < r->n_taps; i++)
        free(r->taps[i].bytes);
    free(r->taps);
    agw_ring_free(r->mailbox);
    agw_outbox_fini(&r->control);
    free(r);
}

agw_recorder *agw_recorder_new(const char *folder, size_t n_taps, const agw_outbox *control,
                               char *why, size_t size)
{
    agw_recorder *r = calloc(1, sizeof *r);
    AGW_ASSERT(r != NULL);
    r->control = *control;
    r->mailbox = agw_ring_new(MAILBOX_SLOTS);
    r->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder < 0 || faccessat(r->folder, ".", W_OK | X_OK, 0) != 0) {
        snprintf(why, size, "the recording folder %s cannot be used: %s", folder, strerror(errno));
    } else if (r->mailbox != NULL && r->event_fd >= 0 && make_taps(r, n_taps) &&
               pthread_create(&r->thread, NULL, run, r) == 0) {
        return r;
    } else {
        snprintf(why, size, "the recorder thread cannot be started");
    }
    release(r);
    return NULL;
}

void agw_recorder_free(agw_recorder *r)
{
    if (r == NULL)
        return;
    agw_outbox box = agw_recorder_outbox(r);
    agw_outbox_post(&box, agw_mail_new(AGW_MAIL_STOP, NULL, 0));
    while (!agw_outbox_flush(&box))
        sched_yield();
    pthread_join(r->thread, NULL);
    for (agw_mail *mail; (mail = agw_ring_pop(r->mailbox)) != NULL;)
        agw_mail_free(mail);
    release(r);
}

agw_tap *agw_recorder_tap(agw_recorder *r, size_t i)
{
    AGW_ASSERT(i < r->n_taps);
    return &r->taps[i];
}

agw_outbox agw_recorder_outbox(agw_recorder *r)
{
    return (agw_outbox){.ring = r->mailbox, .wake = wake, .owner = r};
}
