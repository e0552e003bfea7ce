/* SPDX-License-Identifier: BSD-3-Clause
 * The program's settings: one typed table of options, read from the command line and from
 * rtpengine's style of configuration file, checked before anything starts. */
#ifndef AGW_CONTROL_CONFIG_H
#define AGW_CONTROL_CONFIG_H

#include "agw/gateway.h"
#include "base/clock.h"
#include "base/log.h"
#include "srtp/suite.h"

#include <glib.h>

enum {
    AGW_CONFIG_LISTEN_MAX = 8,
    AGW_CONFIG_ALLOW_MAX = 32,
    AGW_CONFIG_REALM_MAX = 32,
    AGW_CONFIG_ADDRESS_MAX = 63,
    AGW_CONFIG_PATH_MAX = 107, /* of a UNIX socket, sun_path */
};

/** What a named interface faces; decides what an SDP toward it looks like (docs/CONTROL.md). */
typedef enum agw_realm_profile {
    AGW_REALM_NONE,
    AGW_REALM_WEBRTC,
    AGW_REALM_IMS,
    AGW_REALM_SIP,
} agw_realm_profile;

/** Parties whose signalling comes from prefix belong to that interface. */
typedef struct agw_realm_prefix {
    agw_prefix prefix;
    size_t interface;
} agw_realm_prefix;

typedef enum agw_ice_mode { AGW_ICE_MODE_LITE, AGW_ICE_MODE_FULL } agw_ice_mode;
typedef enum agw_learning { AGW_LEARNING_OFF, AGW_LEARNING_ONCE } agw_learning;

typedef struct agw_config {
    agw_gateway_config gateway;
    agw_realm_profile profiles[AGW_INTERFACE_MAX]; /* of gateway.interfaces, same index */
    agw_realm_prefix realms[AGW_CONFIG_REALM_MAX];
    size_t n_realms;

    agw_addr ng_listen[AGW_CONFIG_LISTEN_MAX];
    size_t n_ng_listen;
    agw_prefix ng_allow[AGW_CONFIG_ALLOW_MAX];
    size_t n_ng_allow;
    agw_addr http_listen; /* family none = off */
    agw_addr tcp_listen[AGW_CONFIG_LISTEN_MAX];
    size_t n_tcp_listen;
    char unix_listen[AGW_CONFIG_PATH_MAX + 1]; /* "" = off */
    int64_t unix_mode;                         /* permissions of that socket */

    agw_ns timeout;        /* no media on any leg */
    agw_ns silent_timeout; /* the same while every media is held */
    agw_ns offer_timeout;  /* an offer without answer */
    agw_ns delete_delay;
    agw_ns consent_grace; /* consent lost, then so long for an ICE restart */
    agw_ns final_timeout; /* longest life of a call; 0 = no limit */
    agw_ns heartbeat;     /* of calls that do not say; 0 = none */
    agw_ns inactivity;    /* of streams of calls that do not say; 0 = not told */
    int64_t max_sessions; /* -1 = no limit; 0 = no new calls */

    agw_ice_mode ice;
    agw_learning core_learning;
    int32_t tos; /* DSCP and ECN byte for all media; -1 = by kind of media; or AGW_TOS_COPY */
    int32_t tos_urgent;              /* the same for urgent calls; -1 = as others */
    int32_t police;                  /* times its bandwidth that a stream may send; 0 = anything */
    uint32_t transcode;              /* codecs that are converted: bits 1 << agw_codec_id */
    uint32_t record_outputs;         /* AGW_RECORD_*: of recordings that do not say */
    agw_srtp_suite_list sdes_suites; /* offered in a=crypto, best first */

    GPtrArray *notify;      /* char *: targets of events */
    char b2b_url[256];      /* "" = off; may have %% */
    int32_t xmlrpc_format;  /* agw_rpc_form */
    agw_addr dtmf_log_dest; /* family none = off */
    bool dtmf_log_ng_tcp;
    agw_log_level log_level;
    bool foreground;
    bool demo;
    char demo_address[AGW_CONFIG_ADDRESS_MAX + 1]; /* "" = loopback */
    char config_file[256];                         /* as given; "" = none */
    char pidfile[256];

    uint64_t instance;   /* random: by it this process knows what it has written itself */
    GPtrArray *warnings; /* char *: what was accepted with a doubt */

    /* private */
    char srtp_profiles[128];
    char recording_dir[256];
    char evs_plugin[256];
    char config_section[32];
    GPtrArray *later; /* char *: profile and realm-prefix values, until all interfaces are known */
} agw_config;

typedef enum agw_config_result {
    AGW_CONFIG_RUN,
    AGW_CONFIG_SHOWN,   /* --help or --version was printed: exit 0 */
    AGW_CONFIG_REFUSED, /* why says what is wrong: exit 1 */
} agw_config_result;

/** Defaults with no interface and no listener; for tests and the demo. End with
 * agw_config_fini(). */
void agw_config_init(agw_config *config);
/** Reads the command line and the file it names (the command line wins), then checks everything.
 * config is initialised in every case. */
agw_config_result agw_config_load(agw_config *config, int argc, char **argv, char *why,
                                  size_t size);
/** Sets one option as if it stood in the file: name without dashes; repeatable ones add. */
AGW_NODISCARD agw_err agw_config_set(agw_config *config, const char *name, const char *value,
                                     char *why, size_t size);
/** Fills what depends on other options and refuses the impossible. agw_config_load() ends with
 * it. */
AGW_NODISCARD agw_err agw_config_finish(agw_config *config, char *why, size_t size);
void agw_config_fini(agw_config *config);

/** Index of the interface of that name, or -1. NULL and "" find the unnamed one. */
int agw_config_interface(const agw_config *config, const char *name);
/** Index of the first interface with that profile, or -1. */
int agw_config_interface_of_profile(const agw_config *config, agw_realm_profile profile);
/** Interface of the longest realm prefix that holds addr, or -1. */
int agw_config_realm_of(const agw_config *config, const agw_addr *addr);
const char *agw_realm_profile_text(agw_realm_profile profile); /* "none" "webrtc" "ims" "sip" */

/** true if addr may speak ng to us. */
bool agw_config_ng_allowed(const agw_config *config, const agw_addr *addr);

#endif
