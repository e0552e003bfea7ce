/* SPDX-License-Identifier: BSD-3-Clause
 * The codec table, parameters of fmtp, bandwidth. */
#include "codecs/codec.h"
#include "unit.h"

#include <string.h>

static void test_codec_table_names_every_codec(void)
{
    for (unsigned id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        const agw_codec_info *info = agw_codec_info_of((agw_codec_id)id);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info->name);
        CU_ASSERT_EQUAL(agw_codec_find(info->name, info->clock_hz, info->channels), id);
        const agw_codec_format plain = agw_codec_plain((agw_codec_id)id);
        CU_ASSERT_EQUAL(plain.id, id);
        CU_ASSERT_EQUAL(plain.ptime_ms % info->frame_ms, id == AGW_CODEC_ILBC ? 10 : 0);
    }
    CU_ASSERT_PTR_NULL(agw_codec_info_of(AGW_CODEC_NONE));
    CU_ASSERT_PTR_NULL(agw_codec_info_of(AGW_CODEC_COUNT));
}

static void test_codec_find_wants_name_clock_and_channels(void)
{
    CU_ASSERT_EQUAL(agw_codec_find("OPUS", 48000, 2), AGW_CODEC_OPUS);
    CU_ASSERT_EQUAL(agw_codec_find("opus", 48000, 1), AGW_CODEC_NONE); /* RFC 7587 section 7 */
    CU_ASSERT_EQUAL(agw_codec_find("opus", 16000, 2), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("pcma", 8000, 0), AGW_CODEC_PCMA);
    CU_ASSERT_EQUAL(agw_codec_find("PCMA", 8000, 2), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("PCMA", 16000, 1), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("G722", 8000, 1), AGW_CODEC_G722); /* RFC 3551 section 4.5.2 */
    CU_ASSERT_EQUAL(agw_codec_find("G722", 16000, 1), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("amr-wb", 16000, 1), AGW_CODEC_AMR_WB);
    CU_ASSERT_EQUAL(agw_codec_find("L16", 48000, 1), AGW_CODEC_L16);
    CU_ASSERT_EQUAL(agw_codec_find("L16", 44100, 1), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("speex", 16000, 1), AGW_CODEC_SPEEX);
    CU_ASSERT_EQUAL(agw_codec_find("telephone-event", 8000, 1), AGW_CODEC_NONE);
    CU_ASSERT_EQUAL(agw_codec_find("", 8000, 1), AGW_CODEC_NONE);
}

static agw_err read_as(agw_codec_id id, const char *fmtp, agw_codec_format *format)
{
    *format = agw_codec_plain(id);
    return agw_codec_read_fmtp(format, fmtp);
}

static bool writes(const agw_codec_format *format, const char *expected)
{
    char text[200];
    const size_t len = agw_codec_write_fmtp(format, text, sizeof text);
    return len == strlen(text) && strcmp(text, expected) == 0;
}

static agw_err options(const char *text, agw_codec_format *format)
{
    *format = agw_codec_plain(AGW_CODEC_OPUS);
    return agw_codec_read_options(format, text);
}

static void test_codec_options_of_opus(void)
{
    agw_codec_format f, plain;
    CU_ASSERT_EQUAL(options("complexity=0 vbr=off;fec=1,dtx=1:packet_loss=100,", &f), AGW_OK);
    CU_ASSERT(f.opus.effort == 1 && f.opus.cbr && f.opus.fec && f.opus.dtx);
    CU_ASSERT_EQUAL(f.opus.loss_percent, 100);
    CU_ASSERT_EQUAL(options("compression_level=10 vbr=constrained application=LowDelay", &f),
                    AGW_OK);
    CU_ASSERT(f.opus.effort == 11 && !f.opus.cbr && f.opus.application == AGW_OPUS_LOW_DELAY);
    CU_ASSERT_EQUAL(options("", &plain), AGW_OK);
    static const char *const BAD[] = {
        "complexity=11", "complexity=-1",   "complexity=", "packet_loss=101",
        "vbr=perhaps",   "application=fax", "fec=2"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CU_ASSERT_EQUAL(options(BAD[i], &f), AGW_ERR_MALFORMED);
        CU_ASSERT_TRUE(agw_codec_format_equal(&f, &plain));
    }
    char longest[300];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    CU_ASSERT_EQUAL(options(longest, &f), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(options("frob=1 complexity=3", &f), AGW_ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(f.opus.effort, 4);
    f = agw_codec_plain(AGW_CODEC_PCMA);
    CU_ASSERT_EQUAL(agw_codec_read_options(&f, "complexity=3"), AGW_ERR_UNSUPPORTED);
}

static void test_codec_rfc7587_6_1_every_parameter(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS,
                            "minptime=10; MaxPlaybackRate=16000;maxaveragebitrate=20000; stereo=1;"
                            "cbr=1 ;useinbandfec=1;usedtx=1;sprop-maxcapturerate=16000",
                            &f),
                    AGW_OK);
    CU_ASSERT_EQUAL(f.opus.max_playback_hz, 16000);
    CU_ASSERT_EQUAL(f.opus.max_average_bps, 20000);
    CU_ASSERT(f.opus.stereo && f.opus.cbr && f.opus.fec && f.opus.dtx);
    CU_ASSERT(writes(&f, "maxplaybackrate=16000;maxaveragebitrate=20000;stereo=1;cbr=1;"
                         "useinbandfec=1;usedtx=1"));
}

static void test_codec_rfc7587_6_1_defaults(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, NULL, &f), AGW_OK);
    CU_ASSERT_EQUAL(f.opus.max_playback_hz, 0);
    CU_ASSERT(!f.opus.stereo && !f.opus.cbr && !f.opus.fec && !f.opus.dtx);
    CU_ASSERT(writes(&f, ""));
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "stereo=0;useinbandfec=0", &f), AGW_OK);
    CU_ASSERT(!f.opus.stereo && !f.opus.fec);
}

static void test_codec_rfc7587_6_1_limits_are_moved_into_range(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "maxaveragebitrate=5999;maxplaybackrate=7999", &f),
                    AGW_OK);
    CU_ASSERT_EQUAL(f.opus.max_average_bps, 6000);
    CU_ASSERT_EQUAL(f.opus.max_playback_hz, 8000);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "maxaveragebitrate=510001;maxplaybackrate=96000", &f),
                    AGW_OK);
    CU_ASSERT_EQUAL(f.opus.max_average_bps, 510000);
    CU_ASSERT_EQUAL(f.opus.max_playback_hz, 48000);
}

static void test_codec_rfc7587_6_1_what_is_no_number_is_refused(void)
{
    static const char *const BAD[] = {
        "useinbandfec=2",
        "useinbandfec=",
        "useinbandfec",
        "stereo=yes",
        "maxaveragebitrate=",
        "maxaveragebitrate=-1",
        "maxplaybackrate=48000x",
        "maxplaybackrate=99999999999999999999999",
        "usedtx=00000000000000000000000000000000000001",
    };
    agw_codec_format f;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, BAD[i], &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, " ; ;; x;=;==1;y= ;usedtx = 1 ", &f), AGW_OK);
    CU_ASSERT(f.opus.dtx);
}

static void test_codec_rfc4867_8_1_every_parameter(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR,
                            "octet-align=1;mode-set=0,2,4,7; mode-change-period=2;"
                            "mode-change-neighbor=1;mode-change-capability=2;max-red=220;crc=0;"
                            "robust-sorting=0",
                            &f),
                    AGW_OK);
    CU_ASSERT(f.amr.octet_aligned && f.amr.mode_change_neighbor && !f.amr.unusable);
    CU_ASSERT_EQUAL(f.amr.mode_set, 0x95);
    CU_ASSERT_EQUAL(f.amr.mode_change_period, 2);
    CU_ASSERT(writes(&f, "octet-align=1;mode-set=0,2,4,7;mode-change-period=2;"
                         "mode-change-neighbor=1;mode-change-capability=2"));
}

static void test_codec_rfc4867_8_1_defaults(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR_WB, "", &f), AGW_OK);
    CU_ASSERT(!f.amr.octet_aligned && !f.amr.mode_change_neighbor);
    CU_ASSERT_EQUAL(f.amr.mode_set, 0);
    CU_ASSERT_EQUAL(f.amr.mode_change_period, 1);
    CU_ASSERT(writes(&f, "mode-change-capability=2"));
}

static void test_codec_rfc4867_8_1_mode_set_stays_in_its_range(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=7", &f), AGW_OK);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=8", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR_WB, "mode-set=0 , 8", &f), AGW_OK);
    CU_ASSERT_EQUAL(f.amr.mode_set, 0x101);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR_WB, "mode-set=9", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=0,,1", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=12", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-change-period=3", &f), AGW_ERR_MALFORMED);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-change-period=0", &f), AGW_ERR_MALFORMED);
}

static void test_codec_rfc4867_8_1_what_we_refuse(void)
{
    static const char *const REFUSED[] = {"crc=1", "octet-align=1;robust-sorting=1",
                                          "interleaving=30", "interleaving"};
    agw_codec_format f;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, REFUSED[i], &f), AGW_ERR_UNSUPPORTED);
        CU_ASSERT(f.amr.unusable);
    }
    f = agw_codec_plain(AGW_CODEC_AMR_WB);
    f.channels = 2;
    CU_ASSERT_EQUAL(agw_codec_read_fmtp(&f, NULL), AGW_ERR_UNSUPPORTED);
}

static void test_codec_rfc3952_4_2_mode(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_ILBC, NULL, &f), AGW_OK);
    CU_ASSERT_EQUAL(f.ilbc_mode_ms, 30);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_ILBC, "mode=20", &f), AGW_OK);
    CU_ASSERT_EQUAL(f.ilbc_mode_ms, 20);
    CU_ASSERT(writes(&f, "mode=20"));
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_ILBC, "mode=25", &f), AGW_ERR_MALFORMED);
}

static void test_codec_rfc4856_2_1_9_annex_b(void)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_G729, NULL, &f), AGW_OK);
    CU_ASSERT(f.g729_annex_b && writes(&f, ""));
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_G729, "annexb=no", &f), AGW_OK);
    CU_ASSERT(!f.g729_annex_b && writes(&f, "annexb=no"));
}

static void test_codec_write_fmtp_stays_in_its_room(void)
{
    agw_codec_format f;
    char text[64];
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "maxplaybackrate=16000;usedtx=1", &f), AGW_OK);
    for (size_t size = 0; size <= sizeof text; size++) {
        memset(text, 'x', sizeof text);
        const size_t len = agw_codec_write_fmtp(&f, text, size);
        CU_ASSERT(size == 0 ? len == 0 && text[0] == 'x' : len < size && text[len] == '\0');
    }
}

static unsigned fitted(agw_codec_id id, unsigned wanted_ms)
{
    const agw_codec_format format = agw_codec_plain(id);
    return agw_codec_fit_ptime(&format, wanted_ms);
}

static void test_codec_fit_ptime_is_what_the_codec_can_make(void)
{
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_PCMA, 0), 20);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_PCMA, 30), 30);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_PCMA, 5), 10);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_PCMA, 2000), 120);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_OPUS, 10), 10);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_OPUS, 19), 10);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_OPUS, 30), 20);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_OPUS, 60), 60);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_AMR, 10), 20);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_AMR, 50), 40);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_L16, 60), 40);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_ILBC, 20), 30);
    CU_ASSERT_EQUAL(fitted(AGW_CODEC_ILBC, 60), 60);
}

static unsigned kbps(agw_codec_id id, const char *fmtp, bool ipv6)
{
    agw_codec_format f;
    CU_ASSERT_EQUAL(read_as(id, fmtp, &f), AGW_OK);
    return agw_codec_bandwidth_kbps(&f, ipv6);
}

/* TS 26.114 annex K's values for AMR and AMR-WB; the rest is RFC 3551's octets. */
static void test_codec_ts26114_k_bandwidth(void)
{
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR, NULL, false), 29);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR, NULL, true), 37);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR, "octet-align=1", false), 30);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR_WB, NULL, false), 41);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR_WB, NULL, true), 49);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR_WB, "mode-set=0,1,2", false), 30);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_AMR_WB, "mode-set=0,1,2", true), 38);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_PCMA, NULL, false), 80);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_G722, NULL, true), 88);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_OPUS, "maxaveragebitrate=24000", false), 40);
    CU_ASSERT_EQUAL(kbps(AGW_CODEC_G729, NULL, false), 24);
}

static void test_codec_formats_are_equal_by_what_they_say(void)
{
    agw_codec_format a, b;
    memset(&a, 0xff, sizeof a); /* what stands between the members is not looked at */
    memset(&b, 0, sizeof b);
    for (agw_codec_id id = AGW_CODEC_PCMU; id < AGW_CODEC_COUNT; id++) {
        const agw_codec_format plain = agw_codec_plain(id);
        if (id == AGW_CODEC_OPUS || id == AGW_CODEC_AMR || id == AGW_CODEC_AMR_WB ||
            id == AGW_CODEC_ILBC || id == AGW_CODEC_G729 || id == AGW_CODEC_EVS)
            continue; /* these have parameters, see below */
        a.id = b.id = plain.id;
        a.channels = b.channels = plain.channels;
        a.ptime_ms = b.ptime_ms = plain.ptime_ms;
        a.clock_hz = b.clock_hz = plain.clock_hz;
        a.bitrate_bps = b.bitrate_bps = plain.bitrate_bps;
        CU_ASSERT_TRUE(agw_codec_format_equal(&a, &b));
        b.bitrate_bps++;
        CU_ASSERT_FALSE(agw_codec_format_equal(&a, &b));
    }
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "octet-align=1;mode-set=0,2", &a), AGW_OK);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_AMR, "mode-set=0,2;octet-align=1", &b), AGW_OK);
    CU_ASSERT_TRUE(agw_codec_format_equal(&a, &b));
    b.amr.mode_set = 1;
    CU_ASSERT_FALSE(agw_codec_format_equal(&a, &b));
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "useinbandfec=1", &a), AGW_OK);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_OPUS, "useinbandfec=1;usedtx=1", &b), AGW_OK);
    CU_ASSERT_FALSE(agw_codec_format_equal(&a, &b));
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_EVS, "bw=nb-swb", &a), AGW_OK);
    CU_ASSERT_EQUAL(read_as(AGW_CODEC_EVS, "bw=swb", &b), AGW_OK);
    CU_ASSERT_TRUE(agw_codec_format_equal(&a, &b));
    b.evs.max_bps = 13200;
    CU_ASSERT_FALSE(agw_codec_format_equal(&a, &b));
}

/* --- EVS ---------------------------------------------------------------------------------------
 */

static void test_codec_26445_a_3_1_evs_is_read_and_written(void)
{
    static const struct {
        const char *fmtp, *ours;
        uint32_t audio_hz;
    } CASES[] = {
        {"br=5.9-24.4;bw=nb-swb;max-red=220", "br=5.9-24.4;bw=nb-swb", 48000},
        {"br=13.2; bw=wb; cmr=-1; ch-aw-recv=-1", "br=13.2;bw=nb-wb;cmr=-1;ch-aw-recv=-1", 16000},
        {"evs-mode-switch=1;hf-only=1;dtx=0;mode-set=0,1,2", "evs-mode-switch=1;hf-only=1;dtx=0",
         16000},
        {"bw=nb;ch-aw-recv=3;cmr=1;br-recv=9.6-128;br-send=9.6",
         "br=9.6-128;bw=nb;cmr=1;ch-aw-recv=3", 8000},
        {"bw-recv=fb;ch-send=2", "bw=nb-fb", 48000},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
        char ours[128];
        CU_ASSERT_EQUAL(agw_codec_read_fmtp(&format, CASES[i].fmtp), AGW_OK);
        agw_codec_write_fmtp(&format, ours, sizeof ours);
        CU_ASSERT_STRING_EQUAL(ours, CASES[i].ours);
        CU_ASSERT_EQUAL(agw_codec_audio_hz(&format), CASES[i].audio_hz);
    }
}

static void test_codec_26445_a_3_1_evs_nonsense_is_refused(void)
{
    static const char *const BAD[] = {"br=13",     "br=24.4-5.9", "br=5.9-", "bw=wide",
                                      "bw=swb-nb", "cmr=2",       "dtx=2",   "ch-aw-recv=4",
                                      "hf-only=",  "channels=7"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
        CU_ASSERT_EQUAL(agw_codec_read_fmtp(&format, BAD[i]), AGW_ERR_MALFORMED);
    }
    agw_codec_format format = agw_codec_plain(AGW_CODEC_EVS);
    CU_ASSERT_EQUAL(agw_codec_read_fmtp(&format, "ch-recv=2"), AGW_ERR_UNSUPPORTED);
}

/* --- limits ------------------------------------------------------------------------------------
 */

static uint32_t limited(agw_codec_id id, unsigned kbps, bool ipv6)
{
    agw_codec_format format = agw_codec_plain(id);
    agw_codec_limit_bandwidth(&format, kbps, ipv6);
    return id == AGW_CODEC_OPUS ? format.opus.max_average_bps : format.bitrate_bps;
}

/* The usual mode of AMR-WB is 30 kbit/s over IPv4, 38 over IPv6 (TS 26.114 table K.1). */
static void test_codec_26114_6_2_5_bandwidth_limits_what_we_send(void)
{
    CU_ASSERT_EQUAL(limited(AGW_CODEC_AMR_WB, 30, false), 0);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_AMR_WB, 29, false), 0); /* rounded down */
    CU_ASSERT_EQUAL(limited(AGW_CODEC_AMR_WB, 38, true), 0);
    const uint32_t bps = limited(AGW_CODEC_AMR_WB, 26, false);
    CU_ASSERT(bps >= 8850 && bps < 12650);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_AMR_WB, 30, true), 6600);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_AMR_WB, 1, false), 6600);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_OPUS, 48, false), 0);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_OPUS, 39, false), 24000);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_OPUS, 1, false), 6000);
    CU_ASSERT_EQUAL(limited(AGW_CODEC_PCMA, 1, false), 0);
    agw_codec_format format = agw_codec_plain(AGW_CODEC_AMR);
    format.bitrate_bps = 7950;
    agw_codec_limit_rate(&format, 10000); /* never more than was set */
    CU_ASSERT_EQUAL(format.bitrate_bps, 7950);
    agw_codec_limit_rate(&format, 5900);
    CU_ASSERT_EQUAL(format.bitrate_bps, 5900);
}

static void test_codec_rfc4867_8_1_mode_within_the_set(void)
{
    agw_codec_format format = agw_codec_plain(AGW_CODEC_AMR_WB);
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 12650), 2);
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 12649), 1);
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 0), 0);
    format.amr.mode_set = 1 << 1 | 1 << 8;
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 23849), 1);
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 0), 1);
    CU_ASSERT_EQUAL(agw_codec_mode_bps(&format, 9), 0);
    format = agw_codec_plain(AGW_CODEC_PCMA);
    CU_ASSERT_EQUAL(agw_codec_mode_within(&format, 64000), -1);
}

static void test_codec_costs_less_at_a_lower_rate_of_its_own(void)
{
    const agw_codec_info *opus = agw_codec_info_of(AGW_CODEC_OPUS);
    const agw_codec_info *amr = agw_codec_info_of(AGW_CODEC_AMR);
    CU_ASSERT_EQUAL(agw_codec_encode_us(AGW_CODEC_OPUS, 48000), opus->encode_cost_us);
    CU_ASSERT_TRUE(agw_codec_encode_us(AGW_CODEC_OPUS, 8000) < opus->encode_cost_us / 2u);
    CU_ASSERT_TRUE(agw_codec_decode_us(AGW_CODEC_OPUS, 8000) < opus->decode_cost_us);
    CU_ASSERT_EQUAL(agw_codec_encode_us(AGW_CODEC_AMR, 8000), amr->encode_cost_us);
    CU_ASSERT_EQUAL(agw_codec_decode_us(AGW_CODEC_NONE, 8000), 0);
}

static const agw_unit_case cases[] = {
    AGW_CASE(test_codec_costs_less_at_a_lower_rate_of_its_own),
    AGW_CASE(test_codec_table_names_every_codec),
    AGW_CASE(test_codec_find_wants_name_clock_and_channels),
    AGW_CASE(test_codec_options_of_opus),
    AGW_CASE(test_codec_rfc7587_6_1_every_parameter),
    AGW_CASE(test_codec_rfc7587_6_1_defaults),
    AGW_CASE(test_codec_rfc7587_6_1_limits_are_moved_into_range),
    AGW_CASE(test_codec_rfc7587_6_1_what_is_no_number_is_refused),
    AGW_CASE(test_codec_rfc4867_8_1_every_parameter),
    AGW_CASE(test_codec_rfc4867_8_1_defaults),
    AGW_CASE(test_codec_rfc4867_8_1_mode_set_stays_in_its_range),
    AGW_CASE(test_codec_rfc4867_8_1_what_we_refuse),
    AGW_CASE(test_codec_rfc3952_4_2_mode),
    AGW_CASE(test_codec_rfc4856_2_1_9_annex_b),
    AGW_CASE(test_codec_write_fmtp_stays_in_its_room),
    AGW_CASE(test_codec_fit_ptime_is_what_the_codec_can_make),
    AGW_CASE(test_codec_ts26114_k_bandwidth),
    AGW_CASE(test_codec_formats_are_equal_by_what_they_say),
    AGW_CASE(test_codec_26114_6_2_5_bandwidth_limits_what_we_send),
    AGW_CASE(test_codec_rfc4867_8_1_mode_within_the_set),
    AGW_CASE(test_codec_26445_a_3_1_evs_is_read_and_written),
    AGW_CASE(test_codec_26445_a_3_1_evs_nonsense_is_refused),
};

AGW_UNIT_MAIN("codec", cases)
