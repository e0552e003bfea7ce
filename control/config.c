/* SPDX-License-Identifier: BSD-3-Clause
 * The table of options and how it is read. What must hold between options is checked in
 * config_check.c. */
#include "control/config.h"

#include "base/rand.h"
#include "codecs/codec.h"
#include "control/events.h"
#include "control/flags.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

typedef struct option option;
typedef agw_err setter(agw_config *config, const option *opt, const char *value, char *why,
                       size_t size);

struct option {
    const char *name;
    char letter;
    setter *set;
    bool repeats;        /* adds instead of replacing; a value may be a list */
    bool flag;           /* no value needed */
    size_t offset, size; /* of the field, for the plain kinds */
    int64_t min, max;
    const char *const *words; /* of an enumeration, by value; NULL ends */
    const char *fallback;     /* the default, as text; NULL = none */
    const char *arg, *help;
};

static setter set_bool, set_int, set_seconds, set_percent, set_word, set_text, set_interface,
    set_profile, set_prefix, set_listen_ng, set_listen_tcp, set_listen_http, set_mode, set_allow,
    set_notify, set_dtmf_dest, set_log_level, set_access_port, set_tos, set_demo, set_suites,
    set_codecs, set_outputs;

static const char *const IO_WORDS[] = {"udp", "xdp", "auto", NULL};
static const char *const ICE_WORDS[] = {"lite", "full", NULL};
static const char *const LEARNING_WORDS[] = {"off", "once", NULL};

#define FIELD(f) offsetof(agw_config, f), sizeof(((agw_config *)NULL)->f)
#define NO_FIELD 0, 0
#define YEARS_S  (10 * 365 * 86400L)

static const option OPTIONS[] = {
    {"config-file", 0, set_text, false, false, FIELD(config_file), 0, 0, NULL, NULL, "FILE",
     "read options from this file, too"},
    {"config-section", 0, set_text, false, false, FIELD(config_section), 0, 0, NULL, "rtpengine",
     "NAME", "section of that file"},
    {"interface", 'i', set_interface, true, false, NO_FIELD, 0, 0, NULL, NULL,
     "[NAME/]ADDRESS[!ADVERTISED]", "where media is taken; repeatable; any = all but loopback"},
    {"profile", 0, set_profile, true, false, NO_FIELD, 0, 0, NULL, NULL, "NAME=webrtc|ims|sip|none",
     "what an interface faces; access is webrtc and core is ims by themselves"},
    {"realm-prefix", 0, set_prefix, true, false, NO_FIELD, 0, 0, NULL, NULL, "NAME=CIDR",
     "signalling from there belongs to that interface"},
    {"listen-ng", 'n', set_listen_ng, true, false, NO_FIELD, 0, 0, NULL, NULL, "[ADDRESS:]PORT",
     "UDP address of the control protocol; repeatable"},
    {"listen-tcp-ng", 'N', set_listen_tcp, true, false, NO_FIELD, 0, 0, NULL, NULL,
     "[ADDRESS:]PORT", "TCP address of the control protocol; repeatable"},
    {"listen-unix", 0, set_text, false, false, FIELD(unix_listen), 0, 0, NULL, NULL, "PATH",
     "UNIX stream socket of the control protocol, without cookies"},
    {"unix-mode", 0, set_mode, false, false, FIELD(unix_mode), 0, 0, NULL, "0660", "OCTAL",
     "permissions of that socket"},
    {"listen-http", 0, set_listen_http, false, false, NO_FIELD, 0, 0, NULL, NULL, "[ADDRESS:]PORT",
     "HTTP address: /ping, /metrics, ng by POST to /ng and /ng-plain and by WebSocket"},
    {"ng-allow", 0, set_allow, true, false, NO_FIELD, 0, 0, NULL, NULL, "CIDR",
     "who may speak ng, instead of loopback and, with an ng listener elsewhere, private ranges"},
    {"port-min", 'm', set_int, false, false, FIELD(gateway.port_min), 1024, 65535, NULL, "20000",
     "PORT", "lowest media port"},
    {"port-max", 'M', set_int, false, false, FIELD(gateway.port_max), 1024, 65535, NULL, "32767",
     "PORT", "highest media port"},
    {"access-port", 0, set_access_port, false, false, NO_FIELD, 0, 0, NULL, "from the range",
     "PORT|off", "base of the ports that browsers share"},
    {"access-sockets", 0, set_int, false, false, FIELD(gateway.access_sockets), 1, 16, NULL, "1",
     "N", "shared ports a worker"},
    {"workers", 0, set_int, false, false, FIELD(gateway.workers), 0, AGW_WORKERS_MAX, NULL, "0",
     "N", "media threads; 0 = one a core"},
    {"num-threads", 0, set_int, false, false, FIELD(gateway.workers), 0, AGW_WORKERS_MAX, NULL,
     NULL, "N", "the same as --workers"},
    {"handshake-threads", 0, set_int, false, false, FIELD(gateway.handshake_threads), 0, 16, NULL,
     "1", "N", "threads for DTLS handshakes"},
    {"tick-us", 0, set_int, false, false, FIELD(gateway.tick_us), 0, 20000, NULL, "750",
     "MICROSECONDS", "a busy worker wakes so often; 0 = for every packet"},
    {"pin-workers", 0, set_bool, false, true, FIELD(gateway.pin), 0, 0, NULL, "false", NULL,
     "bind worker i to core i"},
    {"srtp-profiles", 0, set_text, false, false, FIELD(srtp_profiles), 0, 0, NULL, NULL, "LIST",
     "use_srtp order as OpenSSL names it"},
    {"sdes-suites", 0, set_suites, false, false, FIELD(sdes_suites), 0, 0, NULL,
     "AEAD_AES_256_GCM:AEAD_AES_128_GCM:AES_CM_128_HMAC_SHA1_80:AES_CM_128_HMAC_SHA1_32", "LIST",
     "suites that are offered in a=crypto, best first"},
    {"certificate-lifetime", 0, set_seconds, false, false, FIELD(gateway.certificate_lifetime), 0,
     YEARS_S, NULL, "2592000", "SECONDS",
     "new calls get a new DTLS certificate so often; 0 = never"},
    {"io", 0, set_word, false, false, FIELD(gateway.io), 0, 0, IO_WORDS, "udp", "udp|xdp|auto",
     "how packets come in and go out"},
    {"ice", 0, set_word, false, false, FIELD(ice), 0, 0, ICE_WORDS, "full", "lite|full",
     "ICE agent where the key ICE-lite does not say it"},
    {"ice-tcp", 0, set_bool, false, true, FIELD(gateway.ice_tcp), 0, 0, NULL, "false", NULL,
     "browsers may come by TCP, too, to the same numbers as their shared ports (RFC 6544)"},
    {"stun-rate", 0, set_int, false, false, FIELD(gateway.stun_rate), 0, 100000, NULL, "500", "N",
     "plain STUN requests that each access port's worker answers a second; 0 = none"},
    {"core-learning", 0, set_word, false, false, FIELD(core_learning), 0, 0, LEARNING_WORDS, "off",
     "off|once", "learn the address of peers without ICE from their first packet"},
    {"tos", 'T', set_tos, false, false, FIELD(tos), -1, 255, NULL, "-1", "BYTE|copy",
     "DSCP and ECN of all media; -1 = EF for audio, AF41 for video; copy = as it came"},
    {"tos-urgent", 0, set_int, false, false, FIELD(tos_urgent), -1, 255, NULL, "-1", "BYTE",
     "the same for emergency and priority calls; -1 = as other calls"},
    {"police", 0, set_int, false, false, FIELD(police), 0, 1000, NULL, "4", "N",
     "a stream may send N times its bandwidth by SDP and codec; 0 = anything"},
    {"transcode", 0, set_codecs, false, false, FIELD(transcode), 0, 0, NULL, "all", "LIST",
     "codecs that are converted, as opus,PCMA,AMR-WB; all; none"},
    {"evs-plugin", 0, set_text, false, false, FIELD(evs_plugin), 0, 0, NULL, NULL, "FILE",
     "shared object that codes EVS (codecs/evs_plugin.h); without one it only passes"},
    {"timeout", 'o', set_seconds, false, false, FIELD(timeout), 1, YEARS_S, NULL, "60", "SECONDS",
     "end a call that has no media for so long"},
    {"silent-timeout", 's', set_seconds, false, false, FIELD(silent_timeout), 1, YEARS_S, NULL,
     "3600", "SECONDS", "the same for a call on hold"},
    {"offer-timeout", 0, set_seconds, false, false, FIELD(offer_timeout), 1, YEARS_S, NULL, "3600",
     "SECONDS", "end a call whose offer nobody answers"},
    {"delete-delay", 'd', set_seconds, false, false, FIELD(delete_delay), 0, YEARS_S, NULL, "30",
     "SECONDS", "keep a deleted call for so long"},
    {"consent-grace", 0, set_seconds, false, false, FIELD(consent_grace), 0, 3600, NULL, "20",
     "SECONDS", "wait so long for a browser that stopped answering"},
    {"final-timeout", 'a', set_seconds, false, false, FIELD(final_timeout), 0, YEARS_S, NULL, "0",
     "SECONDS", "end every call that is so old; 0 = no limit"},
    {"heartbeat", 0, set_seconds, false, false, FIELD(heartbeat), 0, 86400, NULL, "0", "SECONDS",
     "ask the signalling node so often whether it knows the call; after three without answer the "
     "call ends; 0 = never"},
    {"inactivity", 0, set_seconds, false, false, FIELD(inactivity), 0, 86400, NULL, "0", "SECONDS",
     "tell of streams that are silent for so long; 0 = never"},
    {"max-sessions", 0, set_int, false, false, FIELD(max_sessions), -1, 1000000, NULL, "-1", "N",
     "most calls at a time; -1 = no limit"},
    {"max-cpu", 0, set_percent, false, false, FIELD(gateway.load_limit), 0, 100, NULL, "80",
     "PERCENT", "refuse new calls while every worker is so busy; 0 = no limit"},
    {"recording-dir", 0, set_text, false, false, FIELD(recording_dir), 0, 0, NULL, NULL, "FOLDER",
     "recordings go there; it must exist"},
    {"recording-output", 0, set_outputs, false, false, FIELD(record_outputs), 0, 0, NULL, "pcapng",
     "LIST", "files of a recording: pcapng, stereo (WAV), mono (a WAV of each party)"},
    {"notify", 0, set_notify, true, false, NO_FIELD, 0, 0, NULL, NULL, "TARGET",
     "send events there: [udp:]ADDRESS:PORT, evapi:ADDRESS:PORT, jsonrpc:URL, xmlrpc:URL; "
     "repeatable"},
    {"b2b-url", 'b', set_text, false, false, FIELD(b2b_url), 0, 0, NULL, NULL, "URL",
     "tell the end of a call there by XML-RPC; %% is the signalling node's address"},
    {"xmlrpc-format", 'x', set_int, false, false, FIELD(xmlrpc_format), 0, 2, NULL, "0", "0|1|2",
     "what is called there: 0 SEMS, 1 teardown(call-id), 2 Kamailio's dlg.terminate_dlg"},
    {"dtmf-log-dest", 0, set_dtmf_dest, false, false, NO_FIELD, 0, 0, NULL, NULL, "ADDRESS:PORT",
     "send pressed digits there, one JSON datagram each"},
    {"dtmf-log-ng-tcp", 0, set_bool, false, true, FIELD(dtmf_log_ng_tcp), 0, 0, NULL, "false", NULL,
     "and to ng connections that asked for events"},
    {"log-level", 'L', set_log_level, false, false, NO_FIELD, 0, 0, NULL, "info", "LEVEL",
     "error, warn, info, debug, trace, or 0 to 7"},
    {"foreground", 'f', set_bool, false, true, FIELD(foreground), 0, 0, NULL, "false", NULL,
     "do not go to the background"},
    {"pidfile", 'p', set_text, false, false, FIELD(pidfile), 0, 0, NULL, NULL, "FILE",
     "write the process id there"},
    {"demo", 0, set_demo, false, true, NO_FIELD, 0, 0, NULL, NULL, "ADDRESS",
     "serve the demonstration page; without an address on loopback"},
};

/* Options of rtpengine that have no meaning here: accepted with a warning, so that its start lines
 * and files work. "name" or "name/letter". */
static const char IGNORED_WITH_VALUE[] =
    "log-facility log-level-core log-level-spandsp log-level-ffmpeg log-level-transcoding "
    "log-level-codec log-level-rtcp log-level-ice log-level-crypto log-level-srtp "
    "log-level-internals log-level-http log-level-control log-level-dtx max-log-line-length "
    "log-mark-prefix log-mark-suffix thread-stack table/t subscribe-keyspace/k listen-tcp/l "
    "listen-udp/u listen-cli/c graphite/g graphite-interval/G graphite-prefix "
    "graphite-timeout control-tos redis/r redis-write/w redis-num-threads "
    "redis-expires redis-allowed-errors redis-disable-time redis-cmd-timeout "
    "redis-connect-timeout redis-delete-async-interval log-facility-cdr "
    "log-facility-rtcp log-facility-dtmf dtmf-digit-delay log-format "
    "media-num-threads num-media-threads max-load max-bandwidth "
    "homer homer-protocol homer-id recording-method recording-format "
    "iptables-chain scheduling priority idle-scheduling idle-priority mysql-host mysql-port "
    "mysql-user mysql-pass mysql-query endpoint-learning jitter-buffer dtls-rsa-key-size "
    "dtls-cert-cipher dtls-mtu dtls-ciphers dtls-signature listen-https https-cert https-key "
    "http-threads software-id dtx-delay max-dtx dtx-buffer dtx-lag dtx-shift dtx-cn-params "
    "amr-dtx silence-detect cn-payload mqtt-host mqtt-port mqtt-id mqtt-keepalive mqtt-user "
    "mqtt-pass mqtt-cafile mqtt-capath mqtt-certfile mqtt-keyfile mqtt-publish-qos "
    "mqtt-publish-topic mqtt-publish-interval mqtt-publish-scope mos socket-cpu-affinity "
    "janus-secret";
static const char IGNORED_FLAGS[] =
    "log-stderr/E split-logs no-log-timestamps no-fallback/F save-interface-ports/S "
    "no-redis-required/q redis-delete-async/y active-switchover "
    "dtmf-no-suppress sip-source dtls-passive log-srtp-keys jb-clock-drift debug-srtp "
    "reject-invalid-sdp poller-per-thread";

static const option *find_option(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        if (strcmp(OPTIONS[i].name, name) == 0)
            return &OPTIONS[i];
    }
    return NULL;
}

static const option *find_letter(char letter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        if (OPTIONS[i].letter == letter)
            return &OPTIONS[i];
    }
    return NULL;
}

/* The name in list with that name or letter (0 = none), to be freed; NULL when there is none. */
static char *find_ignored(const char *list, const char *name, char letter)
{
    char **words = g_strsplit(list, " ", -1), *found = NULL;
    for (size_t i = 0; words[i] != NULL && found == NULL; i++) {
        char *slash = strchr(words[i], '/');
        if (slash != NULL)
            *slash = '\0';
        const bool same_letter = slash != NULL && letter != 0 && slash[1] == letter;
        if (same_letter || (name != NULL && strcmp(words[i], name) == 0))
            found = g_strdup(words[i]);
    }
    g_strfreev(words);
    return found;
}

static char *find_any_ignored(const char *name, char letter)
{
    char *found = find_ignored(IGNORED_WITH_VALUE, name, letter);
    return found != NULL ? found : find_ignored(IGNORED_FLAGS, name, letter);
}

static void warn(agw_config *config, const char *fmt, ...) AGW_PRINTF(2, 3);

static void warn(agw_config *config, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    g_ptr_array_add(config->warnings, g_strdup_vprintf(fmt, args));
    va_end(args);
}

static agw_err refuse(char *why, size_t size, const char *fmt, ...) AGW_PRINTF(3, 4);

static agw_err refuse(char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return AGW_ERR_MALFORMED;
}

/* --- setters -----------------------------------------------------------------------------------
 */

static void *field(agw_config *config, const option *opt)
{
    return (char *)config + opt->offset;
}

static agw_err set_bool(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    static const char *const YES[] = {"true", "yes", "on", "1", ""}, *const NO[] = {"false", "no",
                                                                                    "off", "0"};
    bool *out = field(config, opt);
    for (size_t i = 0; i < G_N_ELEMENTS(YES); i++) {
        if (g_ascii_strcasecmp(value, YES[i]) == 0) {
            *out = true;
            return AGW_OK;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(NO); i++) {
        if (g_ascii_strcasecmp(value, NO[i]) == 0) {
            *out = false;
            return AGW_OK;
        }
    }
    return refuse(why, size, "%s is neither true nor false: %s", opt->name, value);
}

static agw_err parse_int(const option *opt, const char *value, int64_t *out, char *why, size_t size)
{
    gint64 n;
    if (!g_ascii_string_to_signed(value, 10, opt->min, opt->max, &n, NULL))
        return refuse(why, size,
                      "%s must be a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                      ", not %s",
                      opt->name, (gint64)opt->min, (gint64)opt->max, value);
    *out = n;
    return AGW_OK;
}

static agw_err set_int(agw_config *config, const option *opt, const char *value, char *why,
                       size_t size)
{
    int64_t n = 0;
    const agw_err err = parse_int(opt, value, &n, why, size);
    if (err != AGW_OK)
        return err;
    void *out = field(config, opt);
    if (opt->size == sizeof(uint16_t))
        *(uint16_t *)out = (uint16_t)n;
    else if (opt->size == sizeof(int32_t))
        *(int32_t *)out = (int32_t)n;
    else
        *(int64_t *)out = n;
    return AGW_OK;
}

static agw_err set_seconds(agw_config *config, const option *opt, const char *value, char *why,
                           size_t size)
{
    int64_t n = 0;
    const agw_err err = parse_int(opt, value, &n, why, size);
    if (err == AGW_OK)
        *(agw_ns *)field(config, opt) = AGW_S(n);
    return err;
}

/* rtpengine's has a fraction; kept in parts of AGW_LOAD_FULL. */
static agw_err set_percent(agw_config *config, const option *opt, const char *value, char *why,
                           size_t size)
{
    char *end;
    const double n = g_ascii_strtod(value, &end);
    if (end == value || *end != '\0' || !(n >= (double)opt->min && n <= (double)opt->max))
        return refuse(why, size, "%s must be a percentage, not %s", opt->name, value);
    *(uint32_t *)field(config, opt) = (uint32_t)(n * AGW_LOAD_FULL / 100 + 0.5);
    return AGW_OK;
}

static agw_err set_word(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    for (int i = 0; opt->words[i] != NULL; i++) {
        if (strcmp(opt->words[i], value) != 0)
            continue;
        if (opt->size == sizeof(int))
            *(int *)field(config, opt) = i;
        return AGW_OK;
    }
    return refuse(why, size, "%s can be %s, not %s", opt->name, opt->arg, value);
}

static agw_err set_text(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    if (g_strlcpy(field(config, opt), value, opt->size) >= opt->size)
        return refuse(why, size, "%s is too long", opt->name);
    return AGW_OK;
}

static agw_err set_suites(agw_config *config, const option *opt, const char *value, char *why,
                          size_t size)
{
    agw_srtp_suite_list list = {0};
    if (!agw_srtp_suite_list_read(&list, value) || list.n == 0)
        return refuse(why, size, "%s has a suite that is not known: %s", opt->name, value);
    *(agw_srtp_suite_list *)field(config, opt) = list;
    return AGW_OK;
}

/* Codecs of which a library can do one direction only are of no use to a call. Whether there is one
 * for EVS is known when the plug-in is loaded. */
static uint32_t codec_bit(agw_codec_id id)
{
    if (id == AGW_CODEC_EVS)
        return UINT32_C(1) << id;
    return agw_codec_can_encode(id) && agw_codec_can_decode(id) ? UINT32_C(1) << id : 0;
}

static agw_err set_codecs(agw_config *config, const option *opt, const char *value, char *why,
                          size_t size)
{
    const bool all = strcmp(value, "all") == 0;
    char **names = g_strsplit(all || strcmp(value, "none") == 0 ? "" : value, ",", -1);
    uint32_t set = 0, known = 0;
    for (int id = AGW_CODEC_NONE + 1; id < AGW_CODEC_COUNT; id++) {
        const agw_codec_info *info = agw_codec_info_of((agw_codec_id)id);
        bool named = all;
        for (char **name = names; *name != NULL; name++)
            named = named || g_ascii_strcasecmp(*name, info->name) == 0;
        known += named && !all;
        set |= named ? codec_bit((agw_codec_id)id) : 0;
    }
    const bool good = known == g_strv_length(names);
    g_strfreev(names);
    if (!good)
        return refuse(why, size, "%s has a codec that is not known: %s", opt->name, value);
    *(uint32_t *)field(config, opt) = set;
    return AGW_OK;
}

static agw_err set_outputs(agw_config *config, const option *opt, const char *value, char *why,
                           size_t size)
{
    char **words = g_strsplit(value, ",", -1);
    uint32_t set = 0;
    bool good = *words != NULL;
    for (char **word = words; *word != NULL; word++) {
        good = good && agw_flags_record_output(*word) != 0;
        set |= agw_flags_record_output(*word);
    }
    g_strfreev(words);
    if (!good)
        return refuse(why, size, "%s can be pcapng, stereo and mono, not %s", opt->name, value);
    *(uint32_t *)field(config, opt) = set;
    return AGW_OK;
}

static agw_err set_demo(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    agw_addr addr;
    if (*value != '\0' && agw_addr_parse_ip(&addr, value) != AGW_OK)
        return refuse(why, size, "%s wants a numeric address, not %s", opt->name, value);
    config->demo = true;
    g_strlcpy(config->demo_address, value, sizeof config->demo_address);
    return AGW_OK;
}

static agw_err set_log_level(agw_config *config, const option *opt, const char *value, char *why,
                             size_t size)
{
    if (agw_log_level_parse(value, &config->log_level))
        return AGW_OK;
    return refuse(why, size, "%s can be %s, not %s", opt->name, opt->help, value);
}

static agw_err set_tos(agw_config *config, const option *opt, const char *value, char *why,
                       size_t size)
{
    if (strcmp(value, "copy") != 0)
        return set_int(config, opt, value, why, size);
    config->tos = AGW_TOS_COPY;
    return AGW_OK;
}

static agw_err set_access_port(agw_config *config, const option *opt, const char *value, char *why,
                               size_t size)
{
    gint64 n = -1;
    if (strcmp(value, "off") != 0 && !g_ascii_string_to_signed(value, 10, 1024, 65535, &n, NULL))
        return refuse(why, size, "%s can be off or a port from 1024 to 65535, not %s", opt->name,
                      value);
    config->gateway.access_port = (int32_t)n;
    return AGW_OK;
}

/* "[HOST:]PORT"; HOST is numeric or "localhost"; without it *any is set and addr has the port. */
static agw_err parse_listen(agw_addr *out, bool *any, const char *value)
{
    gint64 port;
    *any = false;
    if (g_ascii_string_to_signed(value, 10, 0, 65535, &port, NULL)) {
        *any = true;
        *out = (agw_addr){.port = (uint16_t)port, .family = AGW_FAMILY_IP4};
        return AGW_OK;
    }
    if (g_str_has_prefix(value, "localhost:")) {
        char *numeric = g_strconcat("127.0.0.1:", value + strlen("localhost:"), NULL);
        const agw_err err = agw_addr_parse(out, numeric);
        g_free(numeric);
        return err;
    }
    return agw_addr_parse(out, value);
}

static bool system_has_ip6(void)
{
    return g_file_test("/proc/net/if_inet6", G_FILE_TEST_EXISTS);
}

/* A bare port is two listeners, one of each family. */
static agw_err add_listen(agw_addr list[AGW_CONFIG_LISTEN_MAX], size_t *n, const option *opt,
                          const char *value, char *why, size_t size)
{
    bool any;
    agw_addr addr;
    if (parse_listen(&addr, &any, value) != AGW_OK)
        return refuse(why, size, "%s wants ADDRESS:PORT with a numeric address, not %s", opt->name,
                      value);
    if (*n + 2 > AGW_CONFIG_LISTEN_MAX)
        return refuse(why, size, "too many values of %s", opt->name);
    list[(*n)++] = addr;
    if (any && addr.port != 0 && system_has_ip6()) {
        addr.family = AGW_FAMILY_IP6;
        list[(*n)++] = addr;
    }
    return AGW_OK;
}

static agw_err set_listen_ng(agw_config *config, const option *opt, const char *value, char *why,
                             size_t size)
{
    return add_listen(config->ng_listen, &config->n_ng_listen, opt, value, why, size);
}

static agw_err set_listen_tcp(agw_config *config, const option *opt, const char *value, char *why,
                              size_t size)
{
    return add_listen(config->tcp_listen, &config->n_tcp_listen, opt, value, why, size);
}

static agw_err set_listen_http(agw_config *config, const option *opt, const char *value, char *why,
                               size_t size)
{
    bool any;
    if (parse_listen(&config->http_listen, &any, value) != AGW_OK)
        return refuse(why, size, "%s wants ADDRESS:PORT with a numeric address, not %s", opt->name,
                      value);
    return AGW_OK;
}

static agw_err set_mode(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    guint64 mode;
    if (!g_ascii_string_to_unsigned(value, 8, 0, 0777, &mode, NULL))
        return refuse(why, size, "%s wants octal permissions, not %s", opt->name, value);
    *(int64_t *)field(config, opt) = (int64_t)mode;
    return AGW_OK;
}

static agw_err set_notify(agw_config *config, const option *opt, const char *value, char *why,
                          size_t size)
{
    agw_target target;
    if (agw_target_parse(&target, value) != AGW_OK)
        return refuse(why, size, "%s wants %s with a numeric address, or a URL, not %s", opt->name,
                      "ADDRESS:PORT", value);
    if (config->notify->len == AGW_EVENTS_SINKS_MAX)
        return refuse(why, size, "too many values of %s", opt->name);
    g_ptr_array_add(config->notify, g_strdup(value));
    return AGW_OK;
}

static agw_err set_dtmf_dest(agw_config *config, const option *opt, const char *value, char *why,
                             size_t size)
{
    bool any;
    if (parse_listen(&config->dtmf_log_dest, &any, value) != AGW_OK || any ||
        config->dtmf_log_dest.port == 0)
        return refuse(why, size, "%s wants ADDRESS:PORT with a numeric address, not %s", opt->name,
                      value);
    return AGW_OK;
}

static agw_err set_allow(agw_config *config, const option *opt, const char *value, char *why,
                         size_t size)
{
    if (config->n_ng_allow == AGW_CONFIG_ALLOW_MAX)
        return refuse(why, size, "too many values of %s", opt->name);
    if (agw_prefix_parse(&config->ng_allow[config->n_ng_allow], value) != AGW_OK)
        return refuse(why, size, "%s wants ADDRESS/BITS, not %s", opt->name, value);
    config->n_ng_allow++;
    return AGW_OK;
}

/* Profiles and prefixes wait for the interfaces they name. */
static agw_err keep_for_later(agw_config *config, const option *opt, const char *value, char *why,
                              size_t size)
{
    if (strchr(value, '=') == NULL)
        return refuse(why, size, "%s wants %s, not %s", opt->name, opt->arg, value);
    g_ptr_array_add(config->later, g_strconcat(opt->name, "=", value, NULL));
    return AGW_OK;
}

static agw_err set_profile(agw_config *config, const option *opt, const char *value, char *why,
                           size_t size)
{
    return keep_for_later(config, opt, value, why, size);
}

static agw_err set_prefix(agw_config *config, const option *opt, const char *value, char *why,
                          size_t size)
{
    return keep_for_later(config, opt, value, why, size);
}

/* --- interfaces --------------------------------------------------------------------------------
 */

static agw_interface *interface_of_name(agw_config *config, const char *name)
{
    const int at = agw_config_interface(config, name);
    if (at >= 0)
        return &config->gateway.interfaces[at];
    if (config->gateway.n_interfaces == AGW_INTERFACE_MAX)
        return NULL;
    agw_interface *interface = &config->gateway.interfaces[config->gateway.n_interfaces++];
    g_strlcpy(interface->name, name, sizeof interface->name);
    return interface;
}

static agw_err add_address(agw_config *config, const char *name, const agw_addr *addr,
                           const agw_addr *advertised, char *why, size_t size)
{
    agw_interface *interface = interface_of_name(config, name);
    if (interface == NULL)
        return refuse(why, size, "more than %d interfaces", AGW_INTERFACE_MAX);
    const bool ip4 = addr->family == AGW_FAMILY_IP4;
    agw_addr *slot = ip4 ? &interface->ip4 : &interface->ip6;
    if (agw_addr_is_set(slot))
        return refuse(why, size,
                      "interface \"%s\" has two IPv%d addresses: give one of them "
                      "another name",
                      name, ip4 ? 4 : 6);
    *slot = *addr;
    *(ip4 ? &interface->advertised4 : &interface->advertised6) = *advertised;
    return AGW_OK;
}

static bool is_ip6_link_local(const agw_addr *addr)
{
    return addr->family == AGW_FAMILY_IP6 && addr->ip[0] == 0xfe && (addr->ip[1] & 0xc0) == 0x80;
}

static bool usable(const struct ifaddrs *ifa, const char *device, agw_addr *addr)
{
    if (ifa->ifa_addr == NULL || agw_addr_from_sockaddr(addr, ifa->ifa_addr) != AGW_OK ||
        is_ip6_link_local(addr))
        return false;
    addr->port = 0;
    if (device != NULL)
        return strcmp(device, ifa->ifa_name) == 0;
    return (ifa->ifa_flags & IFF_UP) != 0 && !agw_addr_is_loopback(addr);
}

/* One IPv4 and one IPv6 address of a device (NULL: of any but loopback) become the interface. */
static agw_err add_device(agw_config *config, const char *name, const char *device, char *why,
                          size_t size)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return refuse(why, size, "the system does not tell its addresses");
    bool found4 = false, found6 = false;
    agw_err err = AGW_OK;
    for (const struct ifaddrs *ifa = all; ifa != NULL && err == AGW_OK; ifa = ifa->ifa_next) {
        agw_addr addr;
        if (!usable(ifa, device, &addr))
            continue;
        bool *found = addr.family == AGW_FAMILY_IP4 ? &found4 : &found6;
        char text[AGW_ADDR_TEXT];
        if (*found)
            warn(config, "interface %s: %s is not used, as there is another one before it",
                 device != NULL ? device : "any", agw_addr_ip_text(&addr, text, sizeof text));
        else
            err = add_address(config, name, &addr, &addr, why, size);
        *found = true;
    }
    freeifaddrs(all);
    if (err == AGW_OK && !found4 && !found6)
        return refuse(why, size, "interface %s: no such address or device on this machine",
                      device != NULL ? device : "any");
    return err;
}

static bool name_is_valid(const char *name)
{
    return strlen(name) <= AGW_INTERFACE_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") ==
               strlen(name);
}

static agw_err add_interface(agw_config *config, const char *name, const char *address,
                             const char *advertised, char *why, size_t size)
{
    if (!name_is_valid(name))
        return refuse(why, size,
                      "interface name \"%s\" is not 1 to %d letters, digits or -_.:", name,
                      AGW_INTERFACE_NAME_MAX);
    agw_addr addr, shown;
    if (agw_addr_parse_ip(&addr, address) != AGW_OK)
        return add_device(config, name, strcmp(address, "any") == 0 ? NULL : address, why, size);
    shown = addr;
    if (advertised != NULL && agw_addr_parse_ip(&shown, advertised) != AGW_OK)
        return refuse(why, size, "advertised address is not numeric: %s", advertised);
    if (shown.family != addr.family)
        return refuse(why, size, "%s and its advertised address %s are of different families",
                      address, advertised);
    return add_address(config, name, &addr, &shown, why, size);
}

static agw_err set_interface(agw_config *config, const option *opt, const char *value, char *why,
                             size_t size)
{
    (void)opt;
    char *text = g_strdup(value);
    char *address = text, *slash = strchr(text, '/'), *mark = strchr(text, '!');
    const char *name = "";
    if (slash != NULL) {
        *slash = '\0';
        name = text;
        address = slash + 1;
    }
    if (mark != NULL)
        *mark = '\0';
    const agw_err err =
        add_interface(config, name, address, mark != NULL ? mark + 1 : NULL, why, size);
    g_free(text);
    return err;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static agw_err set_list(agw_config *config, const option *opt, const char *value, char *why,
                        size_t size)
{
    char **parts = g_strsplit_set(value, ";,", -1);
    agw_err err = AGW_OK;
    for (size_t i = 0; parts[i] != NULL && err == AGW_OK; i++) {
        if (*g_strstrip(parts[i]) != '\0')
            err = opt->set(config, opt, parts[i], why, size);
    }
    g_strfreev(parts);
    return err;
}

static agw_err set_option(agw_config *config, const option *opt, const char *value, char *why,
                          size_t size)
{
    if (opt->repeats)
        return set_list(config, opt, value, why, size);
    return opt->set(config, opt, value, why, size);
}

agw_err agw_config_set(agw_config *config, const char *name, const char *value, char *why,
                       size_t size)
{
    const option *opt = find_option(name);
    if (opt != NULL)
        return set_option(config, opt, value, why, size);
    char *ignored = find_any_ignored(name, 0);
    if (ignored != NULL) {
        warn(config, "option %s of rtpengine has no meaning here and is ignored", name);
        g_free(ignored);
        return AGW_OK;
    }
    (void)refuse(why, size, "there is no option %s", name);
    return AGW_ERR_NOT_FOUND;
}

void agw_config_init(agw_config *config)
{
    memset(config, 0, sizeof *config);
    agw_rand_bytes((uint8_t *)&config->instance, sizeof config->instance);
    config->warnings = g_ptr_array_new_with_free_func(g_free);
    config->later = g_ptr_array_new_with_free_func(g_free);
    config->notify = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        const option *opt = &OPTIONS[i];
        char why[200];
        if (opt->fallback != NULL && opt->set != set_access_port)
            AGW_ASSERT(set_option(config, opt, opt->fallback, why, sizeof why) == AGW_OK);
    }
}

void agw_config_fini(agw_config *config)
{
    g_ptr_array_free(config->warnings, TRUE);
    g_ptr_array_free(config->later, TRUE);
    g_ptr_array_free(config->notify, TRUE);
    config->warnings = config->later = config->notify = NULL;
}

/* What the command line says, in its order, until the file has been read. */
typedef struct command_line {
    GPtrArray *names, *values; /* of char * */
    bool help, version;
} command_line;

/* "--name" or "-n" to the name, to be freed. */
static char *name_of(const char *given)
{
    if (g_str_has_prefix(given, "--"))
        return g_strdup(given + 2);
    if (given[1] == 'h' || given[1] == 'v')
        return g_strdup(given[1] == 'h' ? "help" : "version");
    const option *opt = find_letter(given[1]);
    return opt != NULL ? g_strdup(opt->name) : find_any_ignored(NULL, given[1]);
}

static gboolean take_option(const gchar *given, const gchar *value, gpointer data, GError **error)
{
    (void)error;
    command_line *line = data;
    char *name = name_of(given);
    AGW_ASSERT(name != NULL); /* only options that we entered come here */
    line->help = line->help || strcmp(name, "help") == 0;
    line->version = line->version || strcmp(name, "version") == 0;
    g_ptr_array_add(line->names, name);
    g_ptr_array_add(line->values, g_strdup(value != NULL ? value : ""));
    return TRUE;
}

static void add_entry(GArray *entries, GStringChunk *texts, const char *name, char letter,
                      GOptionFlags flags, const char *arg, const char *help)
{
    const union {
        GOptionArgFunc function;
        gpointer data; /* what GOption wants; POSIX allows it, ISO C has no word for it */
    } callback = {.function = take_option};
    const GOptionEntry entry = {
        .long_name = name,
        .short_name = letter,
        .flags = (gint)flags,
        .arg = G_OPTION_ARG_CALLBACK,
        .arg_data = callback.data,
        .description = help != NULL ? g_string_chunk_insert(texts, help) : NULL,
        .arg_description = arg,
    };
    g_array_append_val(entries, entry);
}

static void add_ignored(GArray *entries, GStringChunk *texts, const char *list, GOptionFlags flags)
{
    char **words = g_strsplit(list, " ", -1);
    for (size_t i = 0; words[i] != NULL; i++) {
        char *slash = strchr(words[i], '/');
        if (slash != NULL)
            *slash = '\0';
        add_entry(entries, texts, g_string_chunk_insert(texts, words[i]),
                  slash != NULL ? slash[1] : 0, flags | G_OPTION_FLAG_HIDDEN, "VALUE", NULL);
    }
    g_strfreev(words);
}

static GArray *make_entries(GStringChunk *texts)
{
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (size_t i = 0; i < G_N_ELEMENTS(OPTIONS); i++) {
        const option *opt = &OPTIONS[i];
        char *help = opt->fallback != NULL
                         ? g_strdup_printf("%s (default: %s)", opt->help, opt->fallback)
                         : g_strdup(opt->help);
        const GOptionFlags flags = !opt->flag         ? G_OPTION_FLAG_NONE
                                   : opt->arg == NULL ? G_OPTION_FLAG_NO_ARG
                                                      : G_OPTION_FLAG_OPTIONAL_ARG;
        add_entry(entries, texts, opt->name, opt->letter, flags, opt->arg, help);
        g_free(help);
    }
    add_entry(entries, texts, "version", 'v', G_OPTION_FLAG_NO_ARG, NULL, "print the version");
    add_entry(entries, texts, "help", 'h', G_OPTION_FLAG_NO_ARG, NULL, "print this");
    add_ignored(entries, texts, IGNORED_WITH_VALUE, G_OPTION_FLAG_NONE);
    add_ignored(entries, texts, IGNORED_FLAGS, G_OPTION_FLAG_NO_ARG);
    return entries;
}

static void show_help(GOptionContext *context)
{
    char *text = g_option_context_get_help(context, TRUE, NULL);
    printf("%s", text);
    g_free(text);
}

static agw_err read_command_line(command_line *line, int argc, char **argv, char *why, size_t size)
{
    GStringChunk *texts = g_string_chunk_new(4096);
    GArray *entries = make_entries(texts);
    GOptionContext *context = g_option_context_new("- media gateway between WebRTC and IMS");
    GOptionGroup *group = g_option_group_new("main", "", "", line, NULL);
    g_option_group_add_entries(group, (const GOptionEntry *)(const void *)entries->data);
    g_option_context_set_main_group(context, group);
    g_option_context_set_help_enabled(context, FALSE);
    char **copy = g_new0(char *, (gsize)argc + 1);
    for (int i = 0; i < argc; i++)
        copy[i] = g_strdup(argv[i]);
    GError *error = NULL;
    agw_err err = AGW_OK;
    if (!g_option_context_parse_strv(context, &copy, &error))
        err = refuse(why, size, "%s", error->message);
    else if (!line->help && copy[0] != NULL && copy[1] != NULL)
        err = refuse(why, size, "what is %s?", copy[1]);
    if (err == AGW_OK && line->help)
        show_help(context);
    g_clear_error(&error);
    g_strfreev(copy);
    g_option_context_free(context);
    g_array_free(entries, TRUE);
    g_string_chunk_free(texts);
    return err;
}

static const char *last_value(const command_line *line, const char *name)
{
    for (guint i = line->names->len; i-- > 0;) {
        if (strcmp(g_ptr_array_index(line->names, i), name) == 0)
            return g_ptr_array_index(line->values, i);
    }
    return NULL;
}

static agw_err read_section(agw_config *config, const command_line *line, GKeyFile *file,
                            const char *path, char *why, size_t size)
{
    char **keys = g_key_file_get_keys(file, config->config_section, NULL, NULL);
    if (keys == NULL)
        return refuse(why, size, "%s has no section [%s]", path, config->config_section);
    agw_err err = AGW_OK;
    for (size_t i = 0; keys[i] != NULL && err == AGW_OK; i++) {
        if (last_value(line, keys[i]) != NULL)
            continue; /* the command line wins */
        char *value = g_key_file_get_value(file, config->config_section, keys[i], NULL);
        char reason[256];
        err = agw_config_set(config, keys[i], g_strstrip(value), reason, sizeof reason);
        if (err != AGW_OK)
            (void)refuse(why, size, "%s: %s", path, reason);
        g_free(value);
    }
    g_strfreev(keys);
    return err;
}

static agw_err read_file(agw_config *config, const command_line *line, char *why, size_t size)
{
    const char *path = last_value(line, "config-file");
    if (path == NULL || strcmp(path, "none") == 0)
        return AGW_OK;
    const char *section = last_value(line, "config-section");
    if (section != NULL)
        g_strlcpy(config->config_section, section, sizeof config->config_section);
    GKeyFile *file = g_key_file_new();
    GError *error = NULL;
    agw_err err;
    if (g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &error))
        err = read_section(config, line, file, path, why, size);
    else
        err = refuse(why, size, "cannot read %s: %s", path, error->message);
    g_clear_error(&error);
    g_key_file_free(file);
    return err;
}

static agw_err apply_command_line(agw_config *config, const command_line *line, char *why,
                                  size_t size)
{
    agw_err err = AGW_OK;
    for (guint i = 0; i < line->names->len && err == AGW_OK; i++) {
        const char *name = g_ptr_array_index(line->names, i);
        err = agw_config_set(config, name, g_ptr_array_index(line->values, i), why, size);
    }
    return err;
}

static agw_config_result load(agw_config *config, command_line *line, int argc, char **argv,
                              char *why, size_t size)
{
    agw_err err = read_command_line(line, argc, argv, why, size);
    if (err == AGW_OK && line->help)
        return AGW_CONFIG_SHOWN;
    if (err == AGW_OK && line->version) {
        printf("eims-agw %s\n", AGW_VERSION);
        return AGW_CONFIG_SHOWN;
    }
    if (err == AGW_OK)
        err = read_file(config, line, why, size);
    if (err == AGW_OK)
        err = apply_command_line(config, line, why, size);
    if (err == AGW_OK)
        err = agw_config_finish(config, why, size);
    return err == AGW_OK ? AGW_CONFIG_RUN : AGW_CONFIG_REFUSED;
}

agw_config_result agw_config_load(agw_config *config, int argc, char **argv, char *why, size_t size)
{
    agw_config_init(config);
    command_line line = {.names = g_ptr_array_new_with_free_func(g_free),
                         .values = g_ptr_array_new_with_free_func(g_free)};
    const agw_config_result result = load(config, &line, argc, argv, why, size);
    g_ptr_array_free(line.names, TRUE);
    g_ptr_array_free(line.values, TRUE);
    return result;
}
