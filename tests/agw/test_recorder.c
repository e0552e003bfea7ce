/* SPDX-License-Identifier: BSD-3-Clause
 * Recordings: taps of a call on virtual time, the recorder's real thread and real files, read back
 * block by block. That other programs read them, too, the end-to-end suite asks tshark. */
#include "agw/recorder.h"

#include "agw/pcapng.h"
#include "codecs/encoder.h"
#include "tests/agw/lab.h"
#include "unit.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, PATIENCE_MS = 20000, SSRC_BROWSER = 0x11, SSRC_PHONE = 0x22 };

/* --- a recorder with a folder of its own -------------------------------------------------------
 */

typedef struct studio {
    char folder[64];
    agw_ring *mailbox; /* what it tells control */
    int event_fd;
    agw_recorder *recorder;
    agw_outbox box;
} studio;

static void studio_wake(void *owner)
{
    const studio *s = owner;
    CU_ASSERT_EQUAL(eventfd_write(s->event_fd, 1), 0);
}

static void studio_open(studio *s)
{
    char why[200];
    snprintf(s->folder, sizeof s->folder, "/tmp/agw-recorder-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(s->folder));
    s->mailbox = agw_ring_new(64);
    s->event_fd = eventfd(0, EFD_NONBLOCK);
    const agw_outbox control = {.ring = s->mailbox, .wake = studio_wake, .owner = s};
    s->recorder = agw_recorder_new(s->folder, 1, &control, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->recorder);
    s->box = agw_recorder_outbox(s->recorder);
}

static void path_of(const studio *s, const char *name, char out[300])
{
    snprintf(out, 300, "%s/%s", s->folder, name);
}

static const char *name_of(const agw_recording *rec)
{
    agw_record_view view;
    agw_recording_get_view(rec, &view);
    return view.name;
}

static void studio_close(studio *s)
{
    agw_recorder_free(s->recorder);
    for (agw_mail *mail; (mail = agw_ring_pop(s->mailbox)) != NULL;)
        agw_mail_free(mail);
    agw_ring_free(s->mailbox);
    close(s->event_fd);
    CU_ASSERT_EQUAL(rmdir(s->folder), 0); /* every file was expected */
}

static agw_recording *studio_record_as(studio *s, const char *name, uint32_t outputs)
{
    const agw_record_config config = {.call_id = "call/1",
                                      .outputs = outputs,
                                      .name = name,
                                      .metadata = "case 7",
                                      .tags = {"alice", "bob"}};
    agw_recording *rec = agw_recording_new(&config);
    agw_mail *mail = agw_mail_new(AGW_MAIL_RECORD, NULL, 0);
    mail->recording = rec;
    agw_outbox_post(&s->box, mail);
    CU_ASSERT_TRUE(agw_outbox_flush(&s->box));
    return rec;
}

static agw_recording *studio_record(studio *s, const char *name)
{
    return studio_record_as(s, name, 0);
}

/* The next message of the recorder; event's kind for AGW_MAIL_RECORDING, -1 for the last. */
static int hear(studio *s, agw_event *event)
{
    for (;;) {
        agw_mail *mail = agw_ring_pop(s->mailbox);
        if (mail != NULL) {
            const int kind = mail->kind == AGW_MAIL_RECORDING ? (int)mail->event.kind : -1;
            *event = mail->event;
            agw_mail_free(mail);
            return kind;
        }
        struct pollfd pfd = {s->event_fd, POLLIN, 0};
        eventfd_t n;
        CU_ASSERT_EQUAL_FATAL(poll(&pfd, 1, PATIENCE_MS), 1);
        (void)eventfd_read(s->event_fd, &n);
    }
}

/* Until the recorder has let go of it. */
static void finish(studio *s, agw_recording *rec)
{
    agw_event event;
    agw_recording_done(rec);
    while (hear(s, &event) != -1)
        continue;
    agw_recording_free(rec);
}

/* --- reading a file ----------------------------------------------------------------------------
 */

static uint8_t file[FILE_MAX];

static size_t read_file(const char *path)
{
    const int fd = open(path, O_RDONLY);
    size_t len = 0;
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    for (ssize_t n; (n = read(fd, file + len, sizeof file - len)) > 0;)
        len += (size_t)n;
    close(fd);
    return len;
}

static uint32_t u32(size_t at)
{
    uint32_t v;
    memcpy(&v, file + at, sizeof v);
    return v;
}

/* The n-th block of that type (from 0): its offset; 0 = none, or the file is broken. */
static size_t block(size_t len, uint32_t type, size_t n, size_t *count)
{
    size_t found = SIZE_MAX;
    *count = 0;
    for (size_t at = 0; at < len; at += u32(at + 4)) {
        CU_ASSERT_TRUE_FATAL(at + 12 <= len && u32(at + 4) >= 12 && at + u32(at + 4) <= len);
        CU_ASSERT_EQUAL_FATAL(u32(at + u32(at + 4) - 4), u32(at + 4));
        if (u32(at) == type && (*count)++ == n)
            found = at;
    }
    return found;
}

static bool holds(size_t len, const void *bytes, size_t n)
{
    return memmem(file, len, bytes, n) != NULL;
}

static uint16_t folded(const uint8_t *bytes, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* --- a call that is recorded -------------------------------------------------------------------
 */

static agw_addr browser(void)
{
    return lab_addr(50, 6000);
}

static void tap_both(lab_call *c, agw_recording *rec)
{
    c->recording = rec;
    c->plan->medias[0].end[AGW_SIDE_A].acts = rec != NULL ? AGW_ACT_TAP : 0;
    c->plan->medias[0].end[AGW_SIDE_B].acts = rec != NULL ? AGW_ACT_TAP : 0;
}

static void test_recorder_a_call_is_written_in_the_clear(void)
{
    studio s;
    lab l;
    char path[300];
    size_t count;
    studio_open(&s);
    lab_open(&l);
    lab_call *c = &l.calls[0];
    lab_call_open(&l, c);
    lab_apply(&l, c);
    lab_connect(&l, c, browser());
    l.w->tap = agw_recorder_tap(s.recorder, 0);
    agw_recording *rec = studio_record(&s, NULL);
    path_of(&s, name_of(rec), path);
    tap_both(c, rec);
    lab_apply(&l, c);
    for (uint16_t seq = 1; seq <= 10; seq++) {
        l.now += AGW_MS(20);
        lab_browser_rtp(&l, c, browser(), LAB_PT_AUDIO, SSRC_BROWSER, seq);
        lab_phone_rtp(&l, c, 0, lab_phone(&l, c, 0), LAB_PT_AUDIO, SSRC_PHONE, seq);
        lab_turn(&l);
    }
    tap_both(c, NULL); /* stop: the worker lets go with this plan */
    lab_apply(&l, c);
    lab_browser_rtp(&l, c, browser(), LAB_PT_AUDIO, SSRC_BROWSER, 11);
    lab_turn(&l);
    agw_event event;
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_STARTED);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_ENDED);
    CU_ASSERT_PTR_NOT_NULL(strstr(event.detail, "20 packets, 0 lost"));
    CU_ASSERT_EQUAL(hear(&s, &event), -1);
    agw_recording_free(rec);

    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    const size_t len = read_file(path);
    CU_ASSERT_EQUAL(block(len, 0x0a0d0d0a, 0, &count), 0);
    CU_ASSERT_TRUE(holds(len, "call-id: call/1\nmetadata: case 7", 32));
    (void)block(len, 1, 0, &count);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_TRUE(holds(len, "audio-1-a", 9) && holds(len, "audio 1 from tag bob", 20));
    const size_t at = block(len, 6, 0, &count);
    CU_ASSERT_EQUAL_FATAL(count, 20);
    const uint8_t *ip = file + at + 28;
    CU_ASSERT_EQUAL(u32(at + 8), 0);
    CU_ASSERT_EQUAL(u32(at + 20), 20 + 8 + 32);
    CU_ASSERT_EQUAL(ip[0], 0x45);
    CU_ASSERT_EQUAL(folded(ip, 20, 0), 0xffff);
    CU_ASSERT_EQUAL(memcmp(ip + 12, browser().ip, 4), 0);
    CU_ASSERT_EQUAL(memcmp(ip + 16, l.access.local.ip, 4), 0);
    CU_ASSERT_EQUAL(agw_get16(ip + 20), 6000);
    CU_ASSERT_EQUAL(agw_get16(ip + 22), 3000);
    CU_ASSERT_EQUAL(folded(ip + 12, 8 + 40, 17 + 40), 0xffff); /* pseudo header and all */
    CU_ASSERT_EQUAL(agw_get32(ip + 28 + 8), SSRC_BROWSER);
    CU_ASSERT_EQUAL(ip[28 + 12], 'b'); /* not SRTP */
    uint8_t key[30];
    lab_session_key(key, 1, true);
    CU_ASSERT_FALSE(holds(len, key, 16));
    lab_session_key(key, 1, false);
    CU_ASSERT_FALSE(holds(len, key, 16));
    CU_ASSERT_EQUAL(unlink(path), 0);
    lab_close(&l);
    studio_close(&s);
}

static void test_recorder_a_call_that_ends_ends_its_file(void)
{
    studio s;
    lab l;
    char path[300];
    agw_event event;
    studio_open(&s);
    lab_open(&l);
    lab_call *c = &l.calls[0];
    lab_call_open(&l, c);
    l.w->tap = agw_recorder_tap(s.recorder, 0);
    agw_recording *rec = studio_record(&s, "wanted");
    CU_ASSERT_STRING_EQUAL(name_of(rec), "wanted.pcapng");
    path_of(&s, name_of(rec), path);
    tap_both(c, rec);
    lab_apply(&l, c);
    lab_close(&l);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_STARTED);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_ENDED);
    CU_ASSERT_EQUAL(hear(&s, &event), -1);
    agw_recording_free(rec);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

/* --- what is said ------------------------------------------------------------------------------
 */

enum { PCMA_PT = 8, FRAME = 160, WAV_HEAD = 44, WAV_HZ = 16000 };

/* A party that whistles, in PCMA. */
typedef struct whistler {
    uint8_t side;
    unsigned hz;
    uint32_t ssrc, timestamp;
    uint16_t seq;
    size_t at; /* samples */
    bool red;  /* every packet has the one before it, too, RFC 2198 */
} whistler;

static void whistle(studio *s, agw_recording *rec, agw_encoder *e, whistler *w, agw_ns at,
                    bool is_lost)
{
    enum { RED_PT = 63, RED_HEAD = 5 };
    uint8_t rtp[12 + RED_HEAD + 2 * FRAME] = {0x80, w->red ? RED_PT : PCMA_PT};
    uint8_t *payload = rtp + 12;
    int16_t pcm[FRAME];
    if (w->red) {
        agw_put32(payload, (uint32_t)(0x80 | PCMA_PT) << 24 | FRAME << 10 | FRAME);
        payload[4] = PCMA_PT;
        payload += RED_HEAD + FRAME; /* noise of the worst kind stands before it */
        memset(payload - FRAME, 0x55, FRAME);
    }
    for (size_t i = 0; i < FRAME; i++)
        pcm[i] = (int16_t)lrint(8000 * sin(2 * M_PI * w->hz * (double)(w->at + i) / 8000));
    agw_put16(rtp + 2, w->seq++);
    agw_put32(rtp + 4, w->timestamp);
    agw_put32(rtp + 8, w->ssrc);
    w->at += FRAME;
    w->timestamp += FRAME;
    const size_t len = agw_encoder_encode(e, pcm, FRAME, -1, payload, FRAME);
    const agw_tapped packet = {.media_id = 1,
                               .side = w->side,
                               .kind = AGW_MEDIA_AUDIO,
                               .is_red = w->red,
                               .format = agw_codec_plain(AGW_CODEC_PCMA),
                               .at = at,
                               .from = lab_addr(1, 2),
                               .to = lab_addr(3, 4),
                               .data = rtp,
                               .len = (size_t)(payload - rtp) + len};
    CU_ASSERT_EQUAL(len, FRAME);
    if (!is_lost)
        agw_tap_put(agw_recorder_tap(s->recorder, 0), rec, &packet);
}

/* How strong a tone is in the file (1 = as whistled), of n frames from `from` on. */
static double strength(unsigned hz, unsigned channels, unsigned channel, size_t from, size_t n)
{
    double re = 0, im = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t at = WAV_HEAD + 2 * ((from + i) * channels + channel);
        const double v = (int16_t)(file[at] | file[at + 1] << 8),
                     a = 2 * M_PI * hz * (double)i / WAV_HZ;
        re += v * cos(a);
        im += v * sin(a);
    }
    return 2 * hypot(re, im) / (double)n / 8000;
}

/* A begins, B joins half a second later; both end after two seconds. Every tenth packet of A is
 * lost. */
static void whistle_both(studio *s, agw_recording *rec)
{
    const agw_codec_format pcma = agw_codec_plain(AGW_CODEC_PCMA);
    agw_encoder *a = agw_encoder_new(&pcma, 8000), *b = agw_encoder_new(&pcma, 8000);
    whistler alice = {.side = AGW_SIDE_A, .hz = 440, .ssrc = 1, .timestamp = 0xfffff000},
             bob = {.side = AGW_SIDE_B, .hz = 1250, .ssrc = 2, .seq = 0xfff0};
    for (int i = 0; i < 100; i++) {
        const agw_ns at = AGW_S(7) + AGW_MS(20) * i;
        whistle(s, rec, a, &alice, at, i % 10 == 9);
        if (i >= 25)
            whistle(s, rec, b, &bob, at + AGW_MS(5), false);
    }
    agw_encoder_free(a);
    agw_encoder_free(b);
}

static void end_well(studio *s, agw_recording *rec)
{
    agw_event event;
    agw_recording_done(rec);
    CU_ASSERT_EQUAL(hear(s, &event), AGW_EVENT_RECORDING_STARTED);
    CU_ASSERT_EQUAL(hear(s, &event), AGW_EVENT_RECORDING_ENDED);
    CU_ASSERT_EQUAL(hear(s, &event), -1);
}

static void head_is(size_t len, unsigned channels)
{
    CU_ASSERT_EQUAL_FATAL(memcmp(file, "RIFF", 4), 0);
    CU_ASSERT_EQUAL(u32(4), len - 8);
    CU_ASSERT_EQUAL(memcmp(file + 8, "WAVEfmt ", 8), 0);
    CU_ASSERT_EQUAL(u32(20), 1 | channels << 16);
    CU_ASSERT_EQUAL(u32(24), WAV_HZ);
    CU_ASSERT_EQUAL(u32(28), WAV_HZ * channels * 2);
    CU_ASSERT_EQUAL(u32(40), len - WAV_HEAD);
}

static void test_recorder_stereo_has_a_party_on_each_side_in_its_time(void)
{
    studio s;
    char path[300];
    studio_open(&s);
    agw_recording *rec = studio_record_as(&s, "duet", AGW_RECORD_STEREO);
    CU_ASSERT_STRING_EQUAL(name_of(rec), "duet.wav");
    path_of(&s, name_of(rec), path);
    whistle_both(&s, rec);
    end_well(&s, rec);
    agw_recording_free(rec);
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    const size_t len = read_file(path);
    head_is(len, 2);
    const double seconds = (double)(len - WAV_HEAD) / (4.0 * WAV_HZ);
    CU_ASSERT_TRUE(seconds > 1.95 && seconds < 2.2);
    const size_t ms = WAV_HZ / 1000;
    CU_ASSERT_TRUE(strength(440, 2, 0, 200 * ms, 1600 * ms) >
                   0.75); /* what was lost is concealed */
    CU_ASSERT_TRUE(strength(440, 2, 1, 200 * ms, 1600 * ms) < 0.01);
    CU_ASSERT_TRUE(strength(1250, 2, 1, 700 * ms, 1200 * ms) > 0.95);
    CU_ASSERT_TRUE(strength(1250, 2, 1, 0, 480 * ms) < 0.01); /* not before its time */
    CU_ASSERT_TRUE(strength(1250, 2, 0, 700 * ms, 1200 * ms) < 0.01);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

static void test_recorder_mono_is_a_file_of_each_party_beside_the_packets(void)
{
    static const char *const NAMES[] = {"trio.pcapng", "trio-a.wav", "trio-b.wav"};
    static const unsigned TONES[] = {0, 440, 1250};
    studio s;
    agw_record_view view;
    char path[300];
    size_t count;
    studio_open(&s);
    agw_recording *rec = studio_record_as(&s, "trio", AGW_RECORD_PACKETS | AGW_RECORD_MONO);
    agw_recording_get_view(rec, &view);
    CU_ASSERT_EQUAL_FATAL(view.n_names, 3);
    whistle_both(&s, rec);
    end_well(&s, rec);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(view.names[i], NAMES[i]);
        path_of(&s, view.names[i], path);
        const size_t len = read_file(path);
        CU_ASSERT_EQUAL(unlink(path), 0);
        if (TONES[i] == 0) {
            (void)block(len, 6, 0, &count);
            CU_ASSERT_EQUAL(count, 90 + 75);
            continue;
        }
        head_is(len, 1);
        CU_ASSERT_TRUE(strength(TONES[i], 1, 0, 12000, 12000) > 0.75);
        CU_ASSERT_TRUE(strength(TONES[3 - i], 1, 0, 12000, 12000) < 0.01);
    }
    agw_recording_free(rec);
    studio_close(&s);
}

static void test_recorder_rfc2198_red_is_heard(void)
{
    const agw_codec_format pcma = agw_codec_plain(AGW_CODEC_PCMA);
    studio s;
    char path[300];
    studio_open(&s);
    agw_recording *rec = studio_record_as(&s, "red", AGW_RECORD_STEREO);
    path_of(&s, name_of(rec), path);
    agw_encoder *e = agw_encoder_new(&pcma, 8000);
    whistler alice = {.side = AGW_SIDE_A, .hz = 440, .ssrc = 1, .red = true};
    for (int i = 0; i < 100; i++)
        whistle(&s, rec, e, &alice, AGW_MS(20) * i, false);
    agw_encoder_free(e);
    end_well(&s, rec);
    agw_recording_free(rec);
    (void)read_file(path);
    CU_ASSERT_TRUE(strength(440, 2, 0, WAV_HZ / 4, WAV_HZ) > 0.95);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

/* An hour on hold is no hour of work, and takes no room on the disk. */
static void test_recorder_a_long_silence_is_a_hole_in_the_file(void)
{
    const agw_codec_format pcma = agw_codec_plain(AGW_CODEC_PCMA);
    studio s;
    char path[300];
    studio_open(&s);
    agw_recording *rec = studio_record_as(&s, "hold", AGW_RECORD_STEREO);
    path_of(&s, name_of(rec), path);
    agw_encoder *e = agw_encoder_new(&pcma, 8000);
    whistler alice = {.side = AGW_SIDE_A, .hz = 440, .ssrc = 1};
    for (int i = 0; i < 100; i++)
        whistle(&s, rec, e, &alice, AGW_MS(20) * i + (i >= 50 ? AGW_S(3600) : 0), false);
    agw_encoder_free(e);
    end_well(&s, rec);
    agw_recording_free(rec);
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_TRUE(st.st_size > 3601 * 4L * WAV_HZ && st.st_size < 3603 * 4L * WAV_HZ);
    CU_ASSERT_TRUE(st.st_blocks * 512 < 10 * 4 * WAV_HZ);
    const int fd = open(path, O_RDONLY);
    CU_ASSERT_EQUAL(pread(fd, file, WAV_HEAD, 0), WAV_HEAD);
    const ssize_t n = pread(fd, file + WAV_HEAD, 4L * WAV_HZ, st.st_size - 4L * WAV_HZ);
    close(fd);
    CU_ASSERT_EQUAL(u32(40), st.st_size - WAV_HEAD);
    CU_ASSERT_EQUAL(n, 4L * WAV_HZ);
    CU_ASSERT_TRUE(strength(440, 2, 0, WAV_HZ / 4, WAV_HZ / 2) > 0.9);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

static void test_recorder_what_is_discarded_is_removed(void)
{
    studio s;
    studio_open(&s);
    agw_recording *rec =
        studio_record_as(&s, "gone", AGW_RECORD_PACKETS | AGW_RECORD_STEREO | AGW_RECORD_MONO);
    whistle_both(&s, rec);
    agw_recording_discard(rec);
    end_well(&s, rec);
    agw_recording_free(rec);
    studio_close(&s); /* the folder is empty */
}

/* --- trouble -----------------------------------------------------------------------------------
 */

static void test_recorder_what_finds_no_room_is_counted(void)
{
    static uint8_t data[1400];
    studio s;
    char path[300];
    studio_open(&s);
    agw_recording *rec = studio_record(&s, "full");
    path_of(&s, name_of(rec), path);
    const agw_tapped packet = {.media_id = 1,
                               .at = AGW_S(1),
                               .from = lab_addr(1, 2),
                               .to = lab_addr(3, 4),
                               .data = data,
                               .len = sizeof data};
    agw_record_view view = {0};
    uint64_t put = 0;
    for (; view.lost == 0 && put < 1000000; put++) { /* faster than anybody looks */
        agw_tap_put(agw_recorder_tap(s.recorder, 0), rec, &packet);
        agw_recording_get_view(rec, &view);
    }
    CU_ASSERT_EQUAL(view.lost, 1);
    agw_event event;
    agw_recording_done(rec);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_STARTED);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_ENDED);
    CU_ASSERT_EQUAL(hear(&s, &event), -1);
    agw_recording_get_view(rec, &view);
    CU_ASSERT_EQUAL(view.packets, put - 1);
    agw_recording_free(rec);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

static void test_recorder_a_full_disk_is_told(void)
{
    static uint8_t data[1400];
    studio s;
    char path[300];
    agw_event event;
    struct rlimit before;
    studio_open(&s);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {10000, before.rlim_max};
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    agw_recording *rec = studio_record(&s, "disk");
    path_of(&s, name_of(rec), path);
    const agw_tapped packet = {.media_id = 1,
                               .from = lab_addr(1, 2),
                               .to = lab_addr(3, 4),
                               .data = data,
                               .len = sizeof data};
    for (int i = 0; i < 100; i++)
        agw_tap_put(agw_recorder_tap(s.recorder, 0), rec, &packet);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_STARTED);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_FAILED);
    CU_ASSERT_STRING_EQUAL(event.detail, "disk.pcapng: File too large");
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    agw_tap_put(agw_recorder_tap(s.recorder, 0), rec, &packet); /* goes nowhere */
    finish(&s, rec);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s);
}

static void test_recorder_a_file_that_exists_is_not_touched(void)
{
    studio s;
    char path[300], link[300];
    agw_event event;
    studio_open(&s);
    path_of(&s, "victim", path);
    path_of(&s, "link.pcapng", link);
    CU_ASSERT_EQUAL_FATAL(symlink(path, link), 0);
    agw_recording *rec = studio_record(&s, "link");
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(event.detail, "File exists"));
    finish(&s, rec);
    CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
    CU_ASSERT_EQUAL(unlink(link), 0);
    studio_close(&s);
}

/* One of several: none is left half made. */
static void test_recorder_all_files_or_none(void)
{
    studio s;
    char path[300];
    agw_event event;
    studio_open(&s);
    path_of(&s, "some-b.wav", path);
    const int fd = open(path, O_WRONLY | O_CREAT, S_IRUSR | S_IWUSR);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    agw_recording *rec = studio_record_as(&s, "some", AGW_RECORD_PACKETS | AGW_RECORD_MONO);
    CU_ASSERT_EQUAL(hear(&s, &event), AGW_EVENT_RECORDING_FAILED);
    finish(&s, rec);
    CU_ASSERT_EQUAL(unlink(path), 0);
    studio_close(&s); /* the folder is empty */
}

static void test_recorder_a_folder_that_is_none_is_refused(void)
{
    char why[200];
    const agw_outbox nobody = {0};
    CU_ASSERT_PTR_NULL(agw_recorder_new("/nonexistent/folder", 1, &nobody, why, sizeof why));
    CU_ASSERT_STRING_EQUAL(why, "the recording folder /nonexistent/folder cannot be used: No such "
                                "file or directory");
    CU_ASSERT_PTR_NULL(agw_recorder_new("/etc/passwd", 1, &nobody, why, sizeof why));
}

static void test_recorder_names_stay_in_their_folder(void)
{
    static const struct {
        const char *call_id, *wanted, *begins;
    } CASES[] = {
        {"../../etc/passwd", NULL, "_._.._etc_passwd-"},
        {"x", "z.wav", "z"},
        {"x", ".wav", "_wav"},
        {"a b\n\x01\xc3\xa9@host", NULL, "a_b____@host-"},
        {"", NULL, "-"},
        {"x", "../y", "_._y"},
        {"x", "/etc/cron.d/z.pcapng", "_etc_cron.d_z"},
        {"x", ".hidden", "_hidden"},
        {"id-1", "", "id-1-"},
    };
    char out[AGW_RECORDING_NAME_MAX + 1], again[AGW_RECORDING_NAME_MAX + 1], longest[1000];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        agw_recording_name(out, CASES[i].call_id, CASES[i].wanted);
        CU_ASSERT_EQUAL(strncmp(out, CASES[i].begins, strlen(CASES[i].begins)), 0);
        CU_ASSERT_PTR_NULL(strchr(out, '/'));
        CU_ASSERT_EQUAL(strlen(out) - strlen(CASES[i].begins), /* and a random number */
                        CASES[i].begins[strlen(CASES[i].begins) - 1] == '-' ? 16 : 0);
    }
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    agw_recording_name(out, longest, NULL);
    agw_recording_name(again, longest, NULL);
    CU_ASSERT_TRUE(strlen(out) < 160 && strcmp(out, again) != 0);
}

static void test_pcapng_ipv6_packets_have_a_checksum(void)
{
    static const uint8_t DATA[] = {1, 2, 3}; /* an odd length */
    const agw_pcapng_packet p = {.interface = 3,
                                 .wall_ns = UINT64_C(0x123456789abcdef0),
                                 .from = lab_addr6(1, 5000),
                                 .to = lab_addr6(2, 6000),
                                 .data = DATA,
                                 .len = sizeof DATA};
    const size_t len = agw_pcapng_packet_write(file, &p);
    size_t count;
    CU_ASSERT_EQUAL(block(len, 6, 0, &count), 0);
    CU_ASSERT_EQUAL(len % 4, 0);
    CU_ASSERT_EQUAL(u32(12), 0x12345678);
    CU_ASSERT_EQUAL(u32(16), 0x9abcdef0);
    const uint8_t *ip = file + 28;
    CU_ASSERT_EQUAL(ip[0], 0x60);
    CU_ASSERT_EQUAL(agw_get16(ip + 4), 8 + 3);
    CU_ASSERT_EQUAL(folded(ip + 8, 32 + 8 + 3, 17 + 11), 0xffff);
}

static void test_pcapng_long_texts_are_cut(void)
{
    static char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    size_t count;
    uint8_t *out = malloc(AGW_PCAPNG_BLOCK_MAX); /* its exact size, for the sanitizer */
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    const size_t section = agw_pcapng_section(out, longest, longest);
    CU_ASSERT_TRUE(section <= AGW_PCAPNG_BLOCK_MAX);
    const size_t interface = agw_pcapng_interface(out, longest, longest);
    memcpy(file, out, interface);
    CU_ASSERT_EQUAL(block(interface, 1, 0, &count), 0);
    free(out);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_recorder_a_call_is_written_in_the_clear),
    AGW_CASE(test_recorder_a_call_that_ends_ends_its_file),
    AGW_CASE(test_recorder_stereo_has_a_party_on_each_side_in_its_time),
    AGW_CASE(test_recorder_mono_is_a_file_of_each_party_beside_the_packets),
    AGW_CASE(test_recorder_rfc2198_red_is_heard),
    AGW_CASE(test_recorder_a_long_silence_is_a_hole_in_the_file),
    AGW_CASE(test_recorder_what_is_discarded_is_removed),
    AGW_CASE(test_recorder_what_finds_no_room_is_counted),
    AGW_CASE(test_recorder_a_full_disk_is_told),
    AGW_CASE(test_recorder_a_file_that_exists_is_not_touched),
    AGW_CASE(test_recorder_all_files_or_none),
    AGW_CASE(test_recorder_a_folder_that_is_none_is_refused),
    AGW_CASE(test_recorder_names_stay_in_their_folder),
    AGW_CASE(test_pcapng_ipv6_packets_have_a_checksum),
    AGW_CASE(test_pcapng_long_texts_are_cut),
};

AGW_UNIT_MAIN("recorder", cases)
