/* SPDX-License-Identifier: BSD-3-Clause
 * play media, stop media and digits as tones: what reaches the gateway, and what is refused. */
#include "codecs/audio.h"
#include "codecs/tones.h"
#include "control/rig.h"
#include "tests/codecs/wav.h"

#include <glib/gstdio.h>

#define PLAY "{'command':'play media','call-id':'c'"
#define STOP "{'command':'stop media','call-id':'c'"

static void fails(rig *r, const char *request, const char *reason)
{
    char *reply = g_strdup_printf("{'result':'error','error-reason':'%s'}", reason);
    CU_ASSERT_TRUE(rig_says(r, request, reply));
    g_free(reply);
}

/* A WAV of that length on the disk; its name, to be freed. */
static char *new_file(unsigned ms)
{
    size_t len;
    uint8_t *w = wav(1, 8000, ms * 8, &len);
    char *path = NULL;
    const int fd = g_file_open_tmp("agw-play-XXXXXX", &path, NULL);
    AGW_ASSERT(fd >= 0 && write(fd, w, len) == (ssize_t)len);
    close(fd);
    free(w);
    return path;
}

static void forget(char *path)
{
    (void)g_unlink(path);
    g_free(path);
}

/* Runs the main loop until so many orders have reached the gateway. */
static void wait_for(rig *r, size_t plays, agw_play_order *last)
{
    while (fake_gateway_plays(r->gateway, last) < plays)
        (void)g_main_context_iteration(NULL, TRUE);
    CU_ASSERT_EQUAL(fake_gateway_plays(r->gateway, last), plays);
}

/* Until nothing is decoded any more. */
static void settle(rig *r)
{
    while (agw_audio_files_running(r->ctl.audio_files) != 0)
        (void)g_main_context_iteration(NULL, TRUE);
}

static void asks(rig *r, const char *path, const char *rest, const char *reply)
{
    char *request = g_strdup_printf(PLAY ",'file':'%s'%s}", path, rest);
    CU_ASSERT_TRUE(rig_says(r, request, reply));
    g_free(request);
}

static void test_play_ng_4_the_party_hears_the_file_in_its_codec(void)
{
    rig r;
    agw_play_order o;
    char *path = new_file(1500);
    rig_init(&r, NULL);
    rig_call(&r);
    asks(&r, path, ",'from-tag':'b'", "{'result':'ok','duration':1500}");
    wait_for(&r, 1, &o);
    CU_ASSERT_TRUE(o.to == AGW_SIDE_B && o.pt == 8 && o.format.id == AGW_CODEC_PCMA);
    CU_ASSERT_TRUE(o.audio->rate_hz == 8000 && o.audio->n_samples == 12000);
    CU_ASSERT_TRUE(o.start_ms == 0 && o.limit_ms == 0 && o.times == 0 && !o.is_tone);
    asks(&r, path, ",'from-tag':'a','start-pos':'200','repeat-times':3,'repeat-duration':9000",
         "{'result':'ok','duration':1500}");
    wait_for(&r, 2, &o);
    CU_ASSERT_TRUE(o.to == AGW_SIDE_A && o.pt == 111 && o.format.id == AGW_CODEC_OPUS);
    CU_ASSERT_TRUE(o.audio->rate_hz == 48000 && o.start_ms == 200 && o.times == 3);
    CU_ASSERT_EQUAL(o.limit_ms, 9000);
    asks(&r, path, ",'flags':['all']", "{'result':'ok','duration':1500}");
    wait_for(&r, 4, &o);
    rig_fini(&r);
    forget(path);
}

static void test_play_the_same_file_is_decoded_once(void)
{
    rig r;
    agw_play_order first, second;
    char *path = new_file(100);
    rig_init(&r, NULL);
    rig_call(&r);
    asks(&r, path, ",'from-tag':'b'", "{'result':'ok','duration':100}");
    wait_for(&r, 1, &first);
    asks(&r, path, ",'from-tag':'b'", "{'result':'ok','duration':100}");
    CU_ASSERT_EQUAL(fake_gateway_plays(r.gateway, &second), 2); /* without waiting */
    CU_ASSERT_PTR_EQUAL(first.audio, second.audio);
    rig_fini(&r);
    forget(path);
}

static void test_play_ng_4_a_blob_is_played(void)
{
    rig r;
    agw_play_order o;
    size_t len;
    uint8_t *w = wav(1, 8000, 800, &len);
    char *blob = g_base64_encode(w, len);
    char *request = g_strdup_printf(PLAY ",'from-tag':'b','blob64':'%s'}", blob);
    rig_init(&r, NULL);
    rig_call(&r);
    CU_ASSERT_TRUE(rig_says(&r, request, "{'result':'ok','duration':100}"));
    wait_for(&r, 1, &o);
    CU_ASSERT_EQUAL(o.audio->n_samples, 800);
    agw_doc *bytes = agw_doc_new_dict();
    agw_doc_set_str(bytes, "command", "play media");
    agw_doc_set_str(bytes, "call-id", "c");
    agw_doc_set_str(bytes, "from-tag", "b");
    agw_doc_set_bytes(bytes, "blob", (const char *)w, len);
    agw_doc *reply = agw_command_run(&r.ctl, bytes, NULL, r.now);
    CU_ASSERT_STRING_EQUAL(agw_doc_str(reply, "duration"), "100");
    agw_doc_free(reply);
    agw_doc_free(bytes);
    wait_for(&r, 2, &o);
    rig_fini(&r);
    g_free(request);
    g_free(blob);
    free(w);
}

static void test_play_ng_4_error_texts(void)
{
    rig r;
    char *path = new_file(100);
    rig_init(&r, NULL);
    fails(&r, PLAY ",'from-tag':'b','file':'x'}", "Unknown call-ID");
    rig_call(&r);
    fails(&r, PLAY ",'file':'x'}", "No participant party specified");
    fails(&r, PLAY ",'from-tag':'x','file':'x'}", "From-tag given, but no such tag exists");
    fails(&r, PLAY ",'from-tag':'b'}", "No media file specified");
    fails(&r, PLAY ",'from-tag':'b','file':'/no/such/file'}",
          "Failed to start media playback from file");
    fails(&r, PLAY ",'from-tag':'b','file':'/dev/zero'}",
          "Failed to start media playback from file");
    fails(&r, PLAY ",'from-tag':'b','file':'/'}", "Failed to start media playback from file");
    fails(&r, PLAY ",'from-tag':'b','blob':'hello'}", "Failed to start media playback from blob");
    fails(&r, PLAY ",'from-tag':'b','blob64':'!'}", "Failed to start media playback from blob");
    fails(&r, PLAY ",'from-tag':'b','db-id':1}",
          "Media playback from a database (db-id) is not supported");
    fails(&r, STOP "}", "No participant party specified");
    fake_session.deaf = true;
    char *request = g_strdup_printf(PLAY ",'from-tag':'b','file':'%s'}", path);
    fails(&r, request, "Monologue has no media capable of media playback");
    g_free(request);
    rig_fini(&r);
    forget(path);
}

static void test_play_ng_4_stop_media_says_where_it_was(void)
{
    rig r;
    agw_play_order o;
    char *path = new_file(100);
    rig_init(&r, NULL);
    rig_call(&r);
    CU_ASSERT_TRUE(rig_says(&r, STOP ",'from-tag':'b'}", OK)); /* nothing is played */
    asks(&r, path, ",'from-tag':'b'", "{'result':'ok','duration':100}");
    wait_for(&r, 1, &o);
    agw_media_stats *stats = agw_gateway_media_stats(fake_gateway_last_call(r.gateway), 1);
    agw_counter_set(&stats->end[AGW_SIDE_B].played_ms, 60);
    CU_ASSERT_TRUE(rig_says(&r, STOP ",'from-tag':'b'}", "{'result':'ok','last-frame-pos':60}"));
    CU_ASSERT_EQUAL(fake_gateway_stops(r.gateway), 1);
    CU_ASSERT_TRUE(rig_says(&r, STOP ",'from-tag':'b'}", OK));
    rig_fini(&r);
    forget(path);
}

/* The files of both are decoded when the first command's turn comes: it must see that it is late.
 */
static void test_play_what_was_stopped_while_it_was_decoded_is_not_played(void)
{
    rig r;
    agw_play_order o;
    char *path = new_file(100), *other = new_file(200);
    rig_init(&r, NULL);
    rig_call(&r);
    asks(&r, path, ",'from-tag':'a'", "{'result':'ok','duration':100}");
    CU_ASSERT_TRUE(rig_says(&r, STOP ",'from-tag':'a'}", "{'result':'ok','last-frame-pos':0}"));
    asks(&r, other, ",'from-tag':'b'", "{'result':'ok','duration':200}");
    asks(&r, other, ",'from-tag':'b'", "{'result':'ok','duration':200}");
    settle(&r);
    CU_ASSERT_EQUAL(fake_gateway_plays(r.gateway, &o), 1); /* of three */
    CU_ASSERT_TRUE(o.to == AGW_SIDE_B && o.audio->n_samples == 1600);
    asks(&r, path, ",'from-tag':'b'", "{'result':'ok','duration':100}");
    g_free(rig_ask(&r, "{'command':'delete','call-id':'c','delete-delay':0}"));
    settle(&r); /* and nobody of a call that is gone */
    rig_fini(&r);
    forget(path);
    forget(other);
}

static void test_play_dtmf_without_events_is_a_tone(void)
{
    rig r;
    agw_play_order o;
    agw_dtmf_order d;
    agw_tones_digit heard = {0};
    rig_init(&r, NULL);
    rig_call(&r);
    fake_session.no_dtmf = true;
    CU_ASSERT_TRUE(rig_says(&r,
                            "{'command':'play DTMF','call-id':'c','from-tag':'a','code':'9',"
                            "'duration':200,'pause':120,'volume':12}",
                            OK));
    CU_ASSERT_EQUAL(fake_gateway_digits(r.gateway, &d), 0);
    CU_ASSERT_EQUAL_FATAL(fake_gateway_plays(r.gateway, &o), 1);
    CU_ASSERT_TRUE(o.is_tone && o.to == AGW_SIDE_B && o.pt == 8);
    CU_ASSERT_EQUAL(o.audio->n_samples, 320 * 8);
    agw_tones *t = agw_tones_new();
    CU_ASSERT_EQUAL(agw_tones_hear(t, o.audio->samples, o.audio->n_samples, &heard, 1), 1);
    agw_tones_free(t);
    CU_ASSERT_TRUE(heard.event == 9 && abs(heard.volume - 12) <= 2);
    CU_ASSERT_TRUE(abs((int)heard.duration_ms - 200) <= 20);
    rig_fini(&r);
}

int main(void)
{
    static const agw_unit_case cases[] = {
        AGW_CASE(test_play_ng_4_the_party_hears_the_file_in_its_codec),
        AGW_CASE(test_play_the_same_file_is_decoded_once),
        AGW_CASE(test_play_ng_4_a_blob_is_played),
        AGW_CASE(test_play_ng_4_error_texts),
        AGW_CASE(test_play_ng_4_stop_media_says_where_it_was),
        AGW_CASE(test_play_what_was_stopped_while_it_was_decoded_is_not_played),
        AGW_CASE(test_play_dtmf_without_events_is_a_tone),
    };
    return agw_unit_run("play_acts", cases, sizeof cases / sizeof cases[0]);
}
