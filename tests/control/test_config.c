/* SPDX-License-Identifier: BSD-3-Clause
 * Options from the command line and from rtpengine's configuration file. */
#include "codecs/codec.h"
#include "control/config.h"
#include "unit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static char why[400];
static agw_config config;

/* Words of the command line behind the program's name, separated by blanks. */
static agw_config_result load(const char *words)
{
    char *line = g_strconcat("agwd ", words, NULL);
    char **argv = g_strsplit(g_strchomp(line), " ", -1);
    why[0] = '\0';
    const agw_config_result result =
        agw_config_load(&config, (int)g_strv_length(argv), argv, why, sizeof why);
    g_strfreev(argv);
    g_free(line);
    return result;
}

#define GOOD "--interface=127.0.0.1 --listen-ng=127.0.0.1:0 "

static bool runs(const char *words)
{
    const bool is = load(words) == AGW_CONFIG_RUN;
    if (!is)
        printf("\n    refused: %s\n", why);
    return is;
}

static bool refuses(const char *words, const char *reason)
{
    const bool is = load(words) == AGW_CONFIG_REFUSED && strstr(why, reason) != NULL;
    if (!is)
        printf("\n    %s: %s\n", words, why);
    agw_config_fini(&config);
    return is;
}

static bool warned(const char *text)
{
    for (guint i = 0; i < config.warnings->len; i++) {
        if (strstr(g_ptr_array_index(config.warnings, i), text) != NULL)
            return true;
    }
    return false;
}

static char *write_file(const char *text)
{
    char *path = NULL;
    const int fd = g_file_open_tmp("agw-config-XXXXXX", &path, NULL);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void test_config_defaults(void)
{
    CU_ASSERT_TRUE_FATAL(runs(GOOD));
    CU_ASSERT_EQUAL(config.timeout, AGW_S(60));
    CU_ASSERT_EQUAL(config.silent_timeout, AGW_S(3600));
    CU_ASSERT_EQUAL(config.offer_timeout, AGW_S(3600));
    CU_ASSERT_EQUAL(config.delete_delay, AGW_S(30));
    CU_ASSERT_EQUAL(config.consent_grace, AGW_S(20));
    CU_ASSERT_EQUAL(config.max_sessions, -1);
    CU_ASSERT_EQUAL(config.gateway.load_limit, 800);
    CU_ASSERT_EQUAL(config.gateway.certificate_lifetime, AGW_S(30 * 86400));
    CU_ASSERT_EQUAL(config.sdes_suites.n, 4);
    CU_ASSERT_EQUAL(config.sdes_suites.at[0], AGW_SRTP_AEAD_256_GCM);
    CU_ASSERT_EQUAL(config.tos, -1);
    CU_ASSERT_EQUAL(config.gateway.port_min, 20000);
    CU_ASSERT_EQUAL(config.gateway.port_max, 32767);
    CU_ASSERT_EQUAL(config.gateway.access_port, 0);
    CU_ASSERT_EQUAL(config.gateway.tick_us, 750);
    CU_ASSERT_FALSE(config.foreground);
    CU_ASSERT_EQUAL(config.warnings->len, 0);
    agw_config_fini(&config);
}

static void test_config_short_options_of_rtpengine(void)
{
    CU_ASSERT_TRUE_FATAL(
        runs("-i 127.0.0.1 -n 127.0.0.1:2223 -m 21000 -M 22000 -L 7 -f -p /tmp/x -o 30 -s 99 -d 0 "
             "-T 184 -t -1 -E -F --no-log-timestamps --num-threads=3"));
    CU_ASSERT_EQUAL(config.gateway.port_min, 21000);
    CU_ASSERT_EQUAL(config.gateway.port_max, 22000);
    CU_ASSERT_EQUAL(config.log_level, AGW_LOG_DEBUG);
    CU_ASSERT_TRUE(config.foreground);
    CU_ASSERT_STRING_EQUAL(config.pidfile, "/tmp/x");
    CU_ASSERT_EQUAL(config.timeout, AGW_S(30));
    CU_ASSERT_EQUAL(config.silent_timeout, AGW_S(99));
    CU_ASSERT_EQUAL(config.delete_delay, 0);
    CU_ASSERT_EQUAL(config.tos, 184);
    CU_ASSERT_EQUAL(config.gateway.workers, 3);
    CU_ASSERT_TRUE(warned("table"));
    CU_ASSERT_TRUE(warned("no-fallback"));
    CU_ASSERT_EQUAL(config.warnings->len, 4);
    agw_config_fini(&config);
}

static void test_config_every_other_option_of_rtpengine_warns(void)
{
    CU_ASSERT_TRUE_FATAL(runs(GOOD "--log-level-ffmpeg=1 --redis-expires=5 --mos=CQ -G 3 -q "
                                   "--poller-per-thread --homer-id=3 --janus-secret=x"));
    CU_ASSERT_EQUAL(config.warnings->len, 8);
    agw_config_fini(&config);
}

static void test_config_misspelt_options_are_errors(void)
{
    CU_ASSERT_TRUE(refuses(GOOD "--timeot=3", "timeot"));
    CU_ASSERT_TRUE(refuses(GOOD "stray", "stray"));
    CU_ASSERT_TRUE(refuses(GOOD "--port-min", "port-min"));
}

static void test_config_debian_file_is_accepted_as_it_is(void)
{
    char *path = write_file("[rtpengine]\n\ntable = 0\n# no-fallback = false\n"
                            "interface = access/127.0.0.1;core/127.0.0.2!192.0.2.9\n"
                            "listen-ng = localhost:2223\nlisten-http = localhost:2225\n"
                            "listen-cli = localhost:2224\n\ntimeout = 61\nsilent-timeout = 3601\n"
                            "tos = 184\nport-min = 30000\nport-max = 40000\n"
                            "recording-dir = /var/spool/rtpengine\nrecording-method = proc\n"
                            "\n[rtpengine-testing]\ntable = -1\nforeground = true\n");
    char *words = g_strdup_printf("-f -E --no-log-timestamps --pidfile /run/x.pid --config-file %s "
                                  "--port-max=39999",
                                  path);
    CU_ASSERT_TRUE_FATAL(runs(words));
    CU_ASSERT_EQUAL(config.gateway.n_interfaces, 2);
    CU_ASSERT_EQUAL(config.profiles[0], AGW_REALM_WEBRTC);
    CU_ASSERT_EQUAL(config.profiles[1], AGW_REALM_IMS);
    char text[AGW_ADDR_TEXT];
    CU_ASSERT_STRING_EQUAL(agw_addr_ip_text(&config.gateway.interfaces[1].ip4, text, sizeof text),
                           "127.0.0.2");
    CU_ASSERT_STRING_EQUAL(
        agw_addr_ip_text(&config.gateway.interfaces[1].advertised4, text, sizeof text),
        "192.0.2.9");
    CU_ASSERT_EQUAL(config.n_ng_listen, 1);
    CU_ASSERT_EQUAL(config.ng_listen[0].port, 2223);
    CU_ASSERT_EQUAL(config.http_listen.port, 2225);
    CU_ASSERT_EQUAL(config.timeout, AGW_S(61));
    CU_ASSERT_EQUAL(config.gateway.port_max, 39999); /* the command line wins */
    CU_ASSERT_TRUE(warned("listen-cli"));
    CU_ASSERT_TRUE(warned("recording-method"));
    agw_config_fini(&config);
    g_free(words);
    g_unlink(path);
    g_free(path);
}

static void test_config_command_line_replaces_lists_of_the_file(void)
{
    char *path = write_file("[rtpengine]\ninterface = a/127.0.0.1\nlisten-ng = 127.0.0.1:1\n");
    char *words = g_strdup_printf("--config-file %s -n 127.0.0.1:2", path);
    CU_ASSERT_TRUE_FATAL(runs(words));
    CU_ASSERT_EQUAL(config.n_ng_listen, 1);
    CU_ASSERT_EQUAL(config.ng_listen[0].port, 2);
    CU_ASSERT_EQUAL(config.gateway.n_interfaces, 1);
    agw_config_fini(&config);
    g_free(words);
    g_unlink(path);
    g_free(path);
}

static void test_config_file_errors_are_told(void)
{
    char *path = write_file("[rtpengine]\ntimeot = 3\n");
    char *words = g_strdup_printf(GOOD "--config-file=%s", path);
    CU_ASSERT_TRUE(refuses(words, "timeot"));
    g_free(words);
    words = g_strdup_printf(GOOD "--config-file=%s --config-section=other", path);
    CU_ASSERT_TRUE(refuses(words, "[other]"));
    g_free(words);
    CU_ASSERT_TRUE(refuses(GOOD "--config-file=/nonexistent", "/nonexistent"));
    CU_ASSERT_TRUE(runs(GOOD "--config-file=none"));
    agw_config_fini(&config);
    g_unlink(path);
    g_free(path);
}

static void test_config_numbers_keep_their_range(void)
{
    CU_ASSERT_TRUE(runs(GOOD "--timeout=1 --max-sessions=-1 --tos=255 --consent-grace=0"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE(refuses(GOOD "--timeout=0", "timeout"));
    CU_ASSERT_TRUE(refuses(GOOD "--max-sessions=-2", "max-sessions"));
    CU_ASSERT_TRUE(refuses(GOOD "--tos=256", "tos"));
    CU_ASSERT_TRUE(runs(GOOD "--max-cpu=0"));
    CU_ASSERT_EQUAL(config.gateway.load_limit, 0);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(runs(GOOD "--max-cpu=72.5")); /* rtpengine's has a fraction */
    CU_ASSERT_EQUAL(config.gateway.load_limit, 725);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(runs(GOOD "--max-cpu=100"));
    CU_ASSERT_EQUAL(config.gateway.load_limit, 1000);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(refuses(GOOD "--max-cpu=100.1", "max-cpu"));
    CU_ASSERT_TRUE(refuses(GOOD "--max-cpu=-1", "max-cpu"));
    CU_ASSERT_TRUE(refuses(GOOD "--max-cpu=nan", "max-cpu"));
    CU_ASSERT_TRUE(refuses(GOOD "--max-cpu=8o", "max-cpu"));
    CU_ASSERT_TRUE(runs(GOOD "--sdes-suites=AES_CM_128_HMAC_SHA1_80:AEAD_AES_128_GCM"));
    CU_ASSERT_EQUAL(config.sdes_suites.n, 2);
    CU_ASSERT_EQUAL(config.sdes_suites.at[0], AGW_SRTP_AES_CM_128_80);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(
        refuses(GOOD "--sdes-suites=AES_CM_128_HMAC_SHA1_80:NULL_HMAC_SHA1_80", "NULL_"));
    CU_ASSERT_TRUE(refuses(GOOD "--sdes-suites=", "sdes-suites"));
    CU_ASSERT_TRUE(refuses(GOOD "--certificate-lifetime=-1", "certificate-lifetime"));
    CU_ASSERT_TRUE(refuses(GOOD "--port-min=1023", "port-min"));
    CU_ASSERT_TRUE(refuses(GOOD "--port-max=65536", "port-max"));
    CU_ASSERT_TRUE(refuses(GOOD "--timeout=1x", "timeout"));
    CU_ASSERT_TRUE(refuses(GOOD "--io=ring", "io"));
    CU_ASSERT_TRUE(refuses(GOOD "--log-level=loud", "loud"));
}

static void test_config_impossible_port_ranges_are_refused(void)
{
    CU_ASSERT_TRUE(refuses(GOOD "-m 21000 -M 20999", "above"));
    CU_ASSERT_TRUE(refuses(GOOD "-m 21000 -M 21008 --workers=2", "at least 10"));
    CU_ASSERT_TRUE(runs(GOOD "-m 21000 -M 21009 --workers=2"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE(runs(GOOD "-m 21000 -M 21007 --workers=2 --access-port=off"));
    CU_ASSERT_EQUAL(config.gateway.access_port, -1);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(refuses(GOOD "-m 21000 -M 21006 --access-port=off", "at least 8"));
}

static void test_config_access_ports_stay_out_of_the_core_range(void)
{
    CU_ASSERT_TRUE(refuses(GOOD "-m 21000 -M 22000 --workers=2 --access-port=20999", "core range"));
    CU_ASSERT_TRUE(refuses(GOOD "-m 21000 -M 22000 --workers=2 --access-port=22000", "core range"));
    CU_ASSERT_TRUE(refuses(GOOD "--workers=2 --access-port=65535", "past 65535"));
    CU_ASSERT_TRUE(runs(GOOD "-m 21000 -M 22000 --workers=2 --access-port=20998"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE(runs(GOOD "-m 21000 -M 22000 --workers=2 --access-port=22001"));
    agw_config_fini(&config);
}

static void test_config_range_that_overlaps_the_systems_warns(void)
{
    CU_ASSERT_TRUE_FATAL(runs(GOOD "-m 1024 -M 65535"));
    CU_ASSERT_TRUE(warned("ip_local_port_range"));
    agw_config_fini(&config);
}

static void test_config_interfaces_must_be_ours(void)
{
    CU_ASSERT_TRUE(refuses("-n 2223 -i 192.0.2.1", "192.0.2.1"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i 0.0.0.0", "0.0.0.0"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i nosuchdevice9", "nosuchdevice9"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i a/127.0.0.1!::1", "different families"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i a/127.0.0.1!name", "name"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i a/127.0.0.1;a/127.0.0.2", "two IPv4"));
    CU_ASSERT_TRUE(refuses("-n 2223 -i a$/127.0.0.1", "a$"));
    CU_ASSERT_TRUE(refuses("-n 2223", "no interface"));
    CU_ASSERT_TRUE(refuses("-i 127.0.0.1", "listens"));
}

static void test_config_device_names_and_bare_ports_work(void)
{
    CU_ASSERT_TRUE_FATAL(runs("-i core/lo -n 2223"));
    CU_ASSERT_TRUE(agw_addr_is_loopback(&config.gateway.interfaces[0].ip4));
    CU_ASSERT_TRUE(config.n_ng_listen >= 1);
    CU_ASSERT_TRUE(agw_addr_is_any(&config.ng_listen[0]));
    agw_config_fini(&config);
}

static void test_config_profiles_and_prefixes_name_interfaces(void)
{
    CU_ASSERT_TRUE_FATAL(runs("--profile=b=sip --realm-prefix=a=10.1.0.0/16;b=10.0.0.0/8 "
                              "-i a/127.0.0.1 -i b/127.0.0.2 -n 127.0.0.1:0"));
    CU_ASSERT_EQUAL(config.profiles[0], AGW_REALM_NONE);
    CU_ASSERT_EQUAL(config.profiles[1], AGW_REALM_SIP);
    CU_ASSERT_EQUAL(agw_config_interface_of_profile(&config, AGW_REALM_SIP), 1);
    CU_ASSERT_EQUAL(agw_config_interface_of_profile(&config, AGW_REALM_IMS), -1);
    CU_ASSERT_EQUAL(agw_config_interface(&config, "b"), 1);
    CU_ASSERT_EQUAL(agw_config_interface(&config, ""), -1);
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&addr, "10.2.0.1"), AGW_OK);
    CU_ASSERT_EQUAL(agw_config_realm_of(&config, &addr), 1);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&addr, "10.1.0.1"), AGW_OK);
    CU_ASSERT_EQUAL(agw_config_realm_of(&config, &addr), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&addr, "11.1.0.1"), AGW_OK);
    CU_ASSERT_EQUAL(agw_config_realm_of(&config, &addr), -1);
    agw_config_fini(&config);
    CU_ASSERT_TRUE(refuses(GOOD "--profile=x=ims", "\"x\""));
    CU_ASSERT_TRUE(refuses(GOOD "-i a/127.0.0.2 --profile=a=nonsense", "nonsense"));
    CU_ASSERT_TRUE(refuses(GOOD "--profile=ims", "profile"));
    CU_ASSERT_TRUE(refuses(GOOD "-i a/127.0.0.2 --realm-prefix=a=10.0.0.0/33", "realm-prefix"));
}

static bool allowed(const char *ip)
{
    agw_addr addr;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse_ip(&addr, ip), AGW_OK);
    return agw_config_ng_allowed(&config, &addr);
}

static void test_config_ng_is_for_loopback_or_private_addresses(void)
{
    CU_ASSERT_TRUE_FATAL(runs(GOOD));
    CU_ASSERT_TRUE(allowed("127.0.0.9") && allowed("::1"));
    CU_ASSERT_FALSE(allowed("10.0.0.1"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE_FATAL(runs("-i 127.0.0.1 -n 2223"));
    CU_ASSERT_TRUE(allowed("127.0.0.1") && allowed("10.0.0.1") && allowed("fd00::1"));
    CU_ASSERT_FALSE(allowed("8.8.8.8"));
    CU_ASSERT_TRUE(warned("ng-allow"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE_FATAL(runs("-i 127.0.0.1 -n 2223 --ng-allow=192.0.2.0/24,8.8.8.8"));
    CU_ASSERT_TRUE(allowed("192.0.2.77") && allowed("8.8.8.8"));
    CU_ASSERT_FALSE(allowed("127.0.0.1"));
    CU_ASSERT_FALSE(warned("ng-allow"));
    agw_config_fini(&config);
}

/* /metrics for others than loopback is a decision of its own: HTTP elsewhere opens nothing. */
static void test_config_http_off_loopback_opens_nothing_and_says_so(void)
{
    CU_ASSERT_TRUE_FATAL(runs(GOOD "--listen-http=8080"));
    CU_ASSERT_TRUE(allowed("127.0.0.1"));
    CU_ASSERT_FALSE(allowed("10.0.0.1"));
    CU_ASSERT_TRUE(warned("http is not on loopback"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE_FATAL(runs(GOOD "--listen-http=127.0.0.1:8080"));
    CU_ASSERT_FALSE(warned("http is not on loopback"));
    agw_config_fini(&config);
    CU_ASSERT_TRUE_FATAL(runs(GOOD "--listen-http=8080 --ng-allow=127.0.0.0/8;10.0.0.0/24"));
    CU_ASSERT_TRUE(allowed("127.0.0.1") && allowed("10.0.0.1"));
    CU_ASSERT_FALSE(warned("http is not on loopback"));
    agw_config_fini(&config);
}

static void test_config_demo_needs_nothing_else(void)
{
    CU_ASSERT_TRUE_FATAL(runs("--demo"));
    CU_ASSERT_TRUE(config.demo && config.foreground);
    CU_ASSERT_STRING_EQUAL(config.demo_address, "");
    CU_ASSERT_EQUAL(agw_config_interface_of_profile(&config, AGW_REALM_WEBRTC), 0);
    CU_ASSERT_EQUAL(agw_config_interface_of_profile(&config, AGW_REALM_IMS), 1);
    CU_ASSERT_EQUAL(config.ng_listen[0].port, 22222);
    agw_config_fini(&config);
    CU_ASSERT_TRUE_FATAL(runs("--demo=127.0.0.3"));
    CU_ASSERT_STRING_EQUAL(config.demo_address, "127.0.0.3");
    agw_config_fini(&config);
    CU_ASSERT_TRUE(refuses("--demo=here", "here"));
}

static void test_config_codecs_that_are_converted(void)
{
    const uint32_t g711 = UINT32_C(1) << AGW_CODEC_PCMA | UINT32_C(1) << AGW_CODEC_PCMU;
    CU_ASSERT(runs(GOOD));
    CU_ASSERT_EQUAL(config.transcode & g711, g711);
    agw_config_fini(&config);
    CU_ASSERT(runs(GOOD "--transcode=pcma,PCMU"));
    CU_ASSERT_EQUAL(config.transcode, g711);
    agw_config_fini(&config);
    CU_ASSERT(runs(GOOD "--transcode=none"));
    CU_ASSERT_EQUAL(config.transcode, 0);
    agw_config_fini(&config);
    CU_ASSERT(refuses(GOOD "--transcode=PCMA,foo", "not known"));
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_config_codecs_that_are_converted),
    AGW_CASE(test_config_defaults),
    AGW_CASE(test_config_short_options_of_rtpengine),
    AGW_CASE(test_config_every_other_option_of_rtpengine_warns),
    AGW_CASE(test_config_misspelt_options_are_errors),
    AGW_CASE(test_config_debian_file_is_accepted_as_it_is),
    AGW_CASE(test_config_command_line_replaces_lists_of_the_file),
    AGW_CASE(test_config_file_errors_are_told),
    AGW_CASE(test_config_numbers_keep_their_range),
    AGW_CASE(test_config_impossible_port_ranges_are_refused),
    AGW_CASE(test_config_access_ports_stay_out_of_the_core_range),
    AGW_CASE(test_config_range_that_overlaps_the_systems_warns),
    AGW_CASE(test_config_interfaces_must_be_ours),
    AGW_CASE(test_config_device_names_and_bare_ports_work),
    AGW_CASE(test_config_profiles_and_prefixes_name_interfaces),
    AGW_CASE(test_config_ng_is_for_loopback_or_private_addresses),
    AGW_CASE(test_config_http_off_loopback_opens_nothing_and_says_so),
    AGW_CASE(test_config_demo_needs_nothing_else),
};

AGW_UNIT_MAIN("config", CASES)
