/* SPDX-License-Identifier: BSD-3-Clause
 * The gateway as control sees it: workers behind a few calls that never wait for media.
 * Everything here is for one thread, the control thread. */
#ifndef AGW_AGW_GATEWAY_H
#define AGW_AGW_GATEWAY_H

#include "agw/load.h"
#include "agw/plan.h"
#include "agw/stats.h"
#include "base/clock.h"
#include "codecs/codec.h"

enum {
    AGW_INTERFACE_MAX = 16,
    AGW_INTERFACE_NAME_MAX = 31,
    AGW_WORKERS_MAX = 64,
    AGW_ACCESS_SOCKETS_MAX = 16,
};

/** A named interface (realm) with at most one address of each family. */
typedef struct agw_interface {
    char name[AGW_INTERFACE_NAME_MAX + 1]; /* "" = unnamed */
    agw_addr ip4, ip6;                     /* what we bind; family none = not there; port unused */
    agw_addr advertised4, advertised6;     /* what SDP says; equal to the former by default */
    bool core_only; /* no browsers are expected here: no shared access ports are opened on it */
} agw_interface;

/** AUTO: XDP where it is possible, else UDP, said in the log once. */
typedef enum agw_io_choice {
    AGW_IO_CHOICE_UDP,
    AGW_IO_CHOICE_XDP,
    AGW_IO_CHOICE_AUTO
} agw_io_choice;

typedef struct agw_gateway_config {
    agw_interface interfaces[AGW_INTERFACE_MAX];
    size_t n_interfaces;
    uint16_t port_min, port_max; /* core ports, inclusive */
    int32_t access_port;         /* base of the shared access ports; 0 = from the range; -1 = off */
    bool ice_tcp;                /* browsers may come to shared access ports by TCP, too */
    uint32_t workers;            /* threads; 0 = one a core */
    uint32_t access_sockets;     /* shared access ports a worker, interface and family; 0 = 1 */
    uint32_t handshake_threads;  /* 0 = 1 */
    uint32_t tick_us;            /* pacing tick; 0 = off */
    agw_io_choice io;            /* how packets come in and go out */
    uint32_t stun_rate;        /* plain Binding requests that a worker answers a second; 0 = none */
    const char *recording_dir; /* folder of recordings; NULL or "" = none can be made */
    const char *srtp_profiles; /* use_srtp order as OpenSSL names it; NULL = default */
    agw_ns certificate_lifetime; /* then new calls get a new one; 0 = as long as we run */
    uint32_t load_limit;         /* no new calls above it, of AGW_LOAD_FULL; 0 = no limit */
    bool pin;                    /* pin worker i to core i */
} agw_gateway_config;

typedef struct agw_gateway agw_gateway;
typedef struct agw_call_ref agw_call_ref; /* control's handle of a call */

/** Opens the ports and starts the threads. On failure why (size bytes) says what is wrong in one
 * sentence. */
AGW_NODISCARD agw_err agw_gateway_new(agw_gateway **out, const agw_gateway_config *config,
                                      char *why, size_t size);
/** Ends calls, threads and ports. */
void agw_gateway_free(agw_gateway *gw);

/** Whether one more call fits, by what threads have to do and by core ports. urgent calls may use
 * what is kept back for them. NULL: it does; else why not, in rtpengine's words. Calls that stand
 * are never asked about. */
const char *agw_gateway_refusal(agw_gateway *gw, bool urgent);

/** The call's first offer is sent on with codecs of ours: its own may have to be changed. The same
 * for urgent ones and while the worker has room; where nearly all such calls are answered with
 * ours, the room for codecs ends before that for calls that only pass. */
const char *agw_gateway_refuse_open(agw_gateway *gw, agw_call_ref *call, bool urgent);
/** The call's first answer makes codecs change, for so many us of CPU a second by the codec table.
 */
const char *agw_gateway_refuse_chains(agw_gateway *gw, const agw_call_ref *call, uint64_t us,
                                      bool urgent);

/** Places a call on the least loaded worker. tag (the call-id) is copied for the log. owner comes
 * back with the call's events. AGW_ERR_LIMIT: no worker takes calls now. */
AGW_NODISCARD agw_err agw_gateway_call_new(agw_gateway *gw, const char *tag, void *owner,
                                           agw_call_ref **out);
/** Ends the call: the last plan's transports stop, then its resources return. The handle is gone at
 * once. */
void agw_gateway_call_free(agw_gateway *gw, agw_call_ref *call);

typedef enum agw_transport_kind {
    AGW_TRANSPORT_SHARED, /* the worker's shared access port: ICE with rtcp-mux only */
    AGW_TRANSPORT_MUXED,  /* a port of its own, RTCP on it */
    AGW_TRANSPORT_PAIR,   /* an even port for RTP and the next one for RTCP */
} agw_transport_kind;

/** What SDP needs to know of a transport that control has reserved. */
typedef struct agw_transport_info {
    uint32_t id;              /* unique in the call; for agw_transport_plan.id */
    size_t interface;         /* index into the configuration */
    agw_addr rtp[2], rtcp[2]; /* advertised: [0] the family asked for, [1] the other one or none */
    bool tcp;                 /* the same addresses take ICE over TCP */
    char ufrag[AGW_UFRAG_LEN + 1], pwd[AGW_PWD_LEN + 1]; /* always filled; for ICE */
} agw_transport_info;

/** Reserves a transport of a call. family: AGW_FAMILY_NONE takes what the interface has, IPv4
 * first. Shared transports get both families where the interface has both, the others only one.
 * AGW_ERR_LIMIT: ran out of ports; AGW_ERR_UNSUPPORTED: the interface has no address of that
 * family. */
AGW_NODISCARD agw_err agw_gateway_reserve(agw_gateway *gw, agw_call_ref *call, size_t interface,
                                          agw_family family, agw_transport_kind kind,
                                          agw_transport_info *out);
/** New credentials of a transport for an ICE restart; the address stays. */
AGW_NODISCARD agw_err agw_gateway_new_credentials(agw_gateway *gw, agw_call_ref *call, uint32_t id,
                                                  agw_transport_info *out);
/** Gives a reserved transport back as soon as no plan has it any more (or never had it); it does
 * not come back into a later plan, nor does one that left without this. */
void agw_gateway_release(agw_gateway *gw, agw_call_ref *call, uint32_t id);

/** Fingerprint of the certificate that this call has for all its life, as SDP says it:
 * "sha-256 AA:BB:...". Returns out. */
const char *agw_gateway_fingerprint(const agw_call_ref *call, agw_hash hash,
                                    char out[AGW_FINGERPRINT_TEXT]);

/** Statistics of a media of the call; made on first use, lives until agw_gateway_call_free(). */
agw_media_stats *agw_gateway_media_stats(agw_call_ref *call, uint32_t media_id);

/** Puts the whole wanted state into the worker's mailbox; plan is given. Transports that were in
 * the former plan and are not in this one stop. A worker takes its mail before the packets that
 * came later; one that sleeps is woken by agw_gateway_wake_workers(). */
void agw_gateway_apply(agw_gateway *gw, agw_call_ref *call, agw_plan *plan);

/** A digit to be played; out of range values are the caller's bug. */
typedef struct agw_dtmf_order {
    uint32_t media_id;
    agw_side from;        /* the party that seems to press it */
    uint8_t event;        /* 0 to 15 */
    uint8_t volume;       /* 0 to 63 dB below 0 dBm0 */
    uint16_t duration_ms; /* > 0 */
    uint16_t pause_ms;    /* at least, before the next digit */
} agw_dtmf_order;

/** Queues a digit toward the other party. The worker drops it (logged) when 32 are waiting, or the
 * other party takes no telephone events. */
void agw_gateway_play_dtmf(agw_gateway *gw, agw_call_ref *call, const agw_dtmf_order *order);

/** Audio to be played to a party; times and places are those of the file. */
typedef struct agw_play_order {
    struct agw_audio *audio;
    uint32_t media_id;
    agw_side to;
    uint8_t pt;              /* that the party takes ... */
    agw_codec_format format; /* ... and what it is; ptime_ms 10 to 120 */
    bool is_tone;            /* beside a file, not in its place */
    uint32_t start_ms;
    uint32_t times;    /* 0 and 1: once */
    uint32_t limit_ms; /* no longer than that in all; 0 = no limit */
} agw_play_order;

/** Plays to a party, in place of what the other one sends and of what was played before. A
 * reference of the audio is taken. It ends early when the party takes the codec no more. */
void agw_gateway_play_media(agw_gateway *gw, agw_call_ref *call, const agw_play_order *order);
/** agw_end_stats.played_ms says where it was. */
void agw_gateway_stop_media(agw_gateway *gw, agw_call_ref *call, uint32_t media_id, agw_side to);

/** The files of a recording; bits. */
enum {
    AGW_RECORD_PACKETS = 1 << 0, /* NAME.pcapng */
    AGW_RECORD_STEREO = 1 << 1,  /* NAME.wav: side A on the left, side B on the right */
    AGW_RECORD_MONO = 1 << 2,    /* NAME-a.wav and NAME-b.wav: a party each */
    AGW_RECORD_FILES_MAX = 4,
};

/** What a recording is to be called and to say about itself; texts are copied. */
typedef struct agw_record_config {
    const char *call_id;
    uint32_t outputs;     /* AGW_RECORD_*; 0 = packets */
    const char *name;     /* of the files, made safe; NULL = from the call-id and a random number */
    const char *metadata; /* kept in the file; NULL = none */
    const char *tags[2];  /* of the parties, by agw_side: they name the ways in the file */
} agw_record_config;

/** Begins a file for the call. It is filled by what the plans applied from now on tap
 * (AGW_ACT_TAP).
 *
 * @return AGW_OK; AGW_ERR_UNSUPPORTED: no folder is configured; AGW_ERR_EXISTS: the call has one */
AGW_NODISCARD agw_err agw_gateway_record(agw_gateway *gw, agw_call_ref *call,
                                         const agw_record_config *config);
/** The files end with the next plan. discard: they are removed then. */
void agw_gateway_end_record(agw_gateway *gw, agw_call_ref *call, bool discard);

/** A recording as query shows it; names are borrowed until the call ends. */
typedef struct agw_record_view {
    const char *name; /* of the first file, by which events call it */
    const char *names[AGW_RECORD_FILES_MAX];
    size_t n_names;
    uint64_t packets, bytes; /* written; bytes of all files */
    uint64_t lost;           /* packets that found no room */
} agw_record_view;

/** false: the call is not recorded. */
bool agw_gateway_get_record(const agw_call_ref *call, agw_record_view *out);

/** What a worker tells. */
typedef enum agw_event_kind {
    AGW_EVENT_ICE_CONNECTED,    /* remote: the nominated address; detail: "udp" or "tcp" */
    AGW_EVENT_ICE_SELECTED,     /* the selected pair moved to remote; detail: the same */
    AGW_EVENT_ICE_FAILED,       /* no valid check in time */
    AGW_EVENT_CONSENT_LOST,     /* sending has stopped */
    AGW_EVENT_CONSENT_BACK,     /* sending goes on */
    AGW_EVENT_ICE_PEER,         /* an authentic check came from remote for the first time; detail:
                                   which component. Control tells whether SDP names it */
    AGW_EVENT_DTLS_ESTABLISHED, /* detail: "DTLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 AEAD_AES_128_GCM"
                                 */
    AGW_EVENT_DTLS_FAILED,      /* detail: why */
    AGW_EVENT_DTLS_CLOSED,      /* the peer said goodbye (authentic close_notify) */
    AGW_EVENT_BEARER_REFUSED, /* ICMP unreachable from remote; at most one a transport and second */
    AGW_EVENT_LATCHED,        /* a core leg learned remote */
    AGW_EVENT_DTMF,           /* a party pressed a digit: dtmf; remote: from where */
    AGW_EVENT_RECORDING_STARTED, /* detail: the file's name; transport_id 0 in all three */
    AGW_EVENT_RECORDING_ENDED,   /* detail: and how many packets */
    AGW_EVENT_RECORDING_FAILED,  /* detail: and why; the call goes on without */
} agw_event_kind;

const char *agw_event_kind_text(agw_event_kind kind); /* "ice-connected" ... */

/** A digit that was pressed (RFC 4733). */
typedef struct agw_dtmf {
    uint32_t media_id;
    uint8_t side;   /* agw_side of the party */
    char digit;     /* '0' to '9', '*', '#', 'A' to 'D' */
    uint8_t event;  /* 0 to 15 */
    uint8_t volume; /* so many dB below 0 dBm0 */
    uint32_t duration_ms;
    bool unheard; /* nothing of it has reached the other party: a tone is due */
} agw_dtmf;

typedef struct agw_event {
    agw_event_kind kind;
    void *owner; /* of the call */
    uint32_t transport_id;
    agw_ns at;
    agw_addr local, remote;
    bool tcp;         /* local is a port of ICE over TCP */
    bool controlling; /* a full agent's role at that moment */
    char detail[120];
    agw_dtmf dtmf; /* with AGW_EVENT_DTMF */
} agw_event;

/** Becomes readable when events wait (eventfd; agw_gateway_next_event() clears it). */
int agw_gateway_event_fd(const agw_gateway *gw);
/** The next event of a call that still lives; false when there is none. Also lets finished calls'
 * resources return, so call it until false. */
bool agw_gateway_next_event(agw_gateway *gw, agw_event *out);

/** Idle work of the control thread: opens or closes up to so many pairs of ports for each address,
 * toward the number that is kept ready. 20 us a pair. */
void agw_gateway_idle(agw_gateway *gw, size_t pairs);

/** Wakes the workers that have new mail, once for all of it, and sends what their mailboxes had no
 * room for. To be called before the control thread waits. */
void agw_gateway_wake_workers(agw_gateway *gw);

size_t agw_gateway_workers(const agw_gateway *gw);
/** The numbers of worker i, live. */
const agw_worker_stats *agw_gateway_worker_stats(const agw_gateway *gw, size_t i);
/** Shares are of AGW_LOAD_FULL. */
typedef struct agw_worker_load {
    uint32_t busy;       /* of its time, over the last 300 ms */
    uint32_t shared;     /* of what its access ports are good for */
    uint32_t expected;   /* the larger of both when the silent calls talk, too */
    size_t silent;       /* calls begun a moment ago that have sent nothing yet */
    uint64_t shared_pps; /* packets a second that its access ports are good for; 0 = has none */
    uint32_t coding;     /* of its time that codecs take */
    uint32_t coding_permille; /* of what the codec table says that they take */
} agw_worker_load;

typedef struct agw_gateway_load {
    uint32_t limit, urgent_limit; /* 0 = no limit */
    bool closed;                  /* new calls that are not urgent are refused now */
    uint32_t coding_limit;        /* of calls whose codecs are changed ... */
    bool coding_closed;           /* ... and whether those are refused now */
    uint32_t control, handshakes; /* busy; of several handshake threads the busiest */
} agw_gateway_load;

void agw_gateway_get_load(agw_gateway *gw, agw_gateway_load *out);
void agw_gateway_get_worker_load(const agw_gateway *gw, size_t i, agw_worker_load *out);
/** What a worker's thread has used, and what waits for it. */
void agw_gateway_get_worker_use(const agw_gateway *gw, size_t i, agw_thread_use *out);
/** The sum of all handshake threads. */
void agw_gateway_get_handshake_use(const agw_gateway *gw, agw_thread_use *out);
/** Why ICE did not act on STUN messages that came to worker: reason i, from 0 on, and how many
 * since the start, of ended calls too. NULL: there are no more reasons. */
const char *agw_gateway_ice_drops(const agw_gateway *gw, size_t worker, size_t i,
                                  uint64_t *messages);
/** The same of DTLS records, of all handshake threads. */
const char *agw_gateway_dtls_drops(const agw_gateway *gw, size_t i, uint64_t *records);
/** Core ports free and in use over all interfaces. */
void agw_gateway_ports(const agw_gateway *gw, size_t *free_ports, size_t *used_ports);
/** How many local addresses there are; interfaces may share one. Each has core ports of its own. */
size_t agw_gateway_addresses(const agw_gateway *gw);
/** The same of address i below that number; ip without a port. */
void agw_gateway_ports_of(const agw_gateway *gw, size_t i, agw_addr *ip, size_t *free_ports,
                          size_t *used_ports);

#endif
