/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fake_gateway.h"

#include "codecs/audio.h"

#include <glib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    FAKE_SHARED_PORT = 20000,
    FAKE_FIRST_PORT = 30000,
    FAKE_TRANSPORT_MAX = 64,
    FAKE_DIGITS = 8
};

struct agw_call_ref {
    char *tag;
    void *owner;
    agw_plan *plan;
    uint32_t next_id;
    size_t n_transports;
    agw_transport_info transports[FAKE_TRANSPORT_MAX];
    agw_transport_kind kinds[FAKE_TRANSPORT_MAX];
    GHashTable *stats; /* media id -> agw_media_stats */
    char recording[128];
    uint32_t outputs; /* of it */
};

struct agw_gateway {
    agw_gateway_config config;
    GPtrArray *calls;
    GArray *events;
    uint16_t next_port;
    uint32_t credentials;
    size_t applied;
    bool calls_full, ports_full;
    const char *refusal[2]; /* [1]: of urgent calls */
    const char *open_refusal[2];
    uint64_t chains_max_us; /* more is refused */
    int fd;
    agw_worker_stats stats[AGW_WORKERS_MAX];
    size_t n_workers;
    agw_dtmf_order digits[FAKE_DIGITS];
    agw_play_order play;
    size_t n_plays, n_stops, discarded;
    size_t n_digits;
};

static void set_ip(agw_addr *out, agw_addr *advertised, const char *text)
{
    AGW_ASSERT(agw_addr_parse_ip(out, text) == AGW_OK);
    *advertised = *out;
}

void fake_gateway_config(agw_gateway_config *config)
{
    *config = (agw_gateway_config){.n_interfaces = 2, .port_min = 30000, .port_max = 39999};
    agw_interface *access = &config->interfaces[0], *core = &config->interfaces[1];
    g_strlcpy(access->name, "access", sizeof access->name);
    g_strlcpy(core->name, "core", sizeof core->name);
    set_ip(&access->ip4, &access->advertised4, "10.0.0.1");
    set_ip(&access->ip6, &access->advertised6, "fd00:a::1");
    set_ip(&core->ip4, &core->advertised4, "10.1.0.1");
    set_ip(&core->ip6, &core->advertised6, "fd00:c::1");
}

agw_err agw_gateway_new(agw_gateway **out, const agw_gateway_config *config, char *why, size_t size)
{
    if (config->n_interfaces == 0) {
        g_strlcpy(why, "no interface", size);
        return AGW_ERR_STATE;
    }
    agw_gateway *gw = g_new0(agw_gateway, 1);
    gw->n_workers = 1;
    gw->chains_max_us = UINT64_MAX;
    gw->config = *config;
    gw->calls = g_ptr_array_new();
    gw->events = g_array_new(FALSE, FALSE, sizeof(agw_event));
    gw->next_port = FAKE_FIRST_PORT;
    gw->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    *out = gw;
    return AGW_OK;
}

void agw_gateway_free(agw_gateway *gw)
{
    if (gw == NULL)
        return;
    while (gw->calls->len > 0)
        agw_gateway_call_free(gw, g_ptr_array_index(gw->calls, 0));
    g_ptr_array_free(gw->calls, TRUE);
    g_array_free(gw->events, TRUE);
    close(gw->fd);
    agw_audio_unref(gw->play.audio);
    g_free(gw);
}

agw_err agw_gateway_call_new(agw_gateway *gw, const char *tag, void *owner, agw_call_ref **out)
{
    if (gw->calls_full)
        return AGW_ERR_LIMIT;
    agw_call_ref *call = g_new0(agw_call_ref, 1);
    call->tag = g_strdup(tag);
    call->owner = owner;
    call->stats = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    g_ptr_array_add(gw->calls, call);
    *out = call;
    return AGW_OK;
}

static void drop_events(agw_gateway *gw, const void *owner)
{
    for (guint i = gw->events->len; i-- > 0;) {
        if (g_array_index(gw->events, agw_event, i).owner == owner)
            g_array_remove_index(gw->events, i);
    }
}

void agw_gateway_call_free(agw_gateway *gw, agw_call_ref *call)
{
    AGW_ASSERT(g_ptr_array_remove(gw->calls, call));
    drop_events(gw, call->owner);
    agw_plan_free(call->plan);
    g_hash_table_destroy(call->stats);
    g_free(call->tag);
    g_free(call);
}

static agw_family choose(const agw_interface *i, agw_family family)
{
    if (family != AGW_FAMILY_NONE)
        return family;
    return agw_addr_is_set(&i->ip4) ? AGW_FAMILY_IP4 : AGW_FAMILY_IP6;
}

static const agw_addr *advertised(const agw_interface *i, agw_family family)
{
    return family == AGW_FAMILY_IP4 ? &i->advertised4 : &i->advertised6;
}

static agw_addr with_port(agw_addr addr, unsigned port)
{
    if (agw_addr_is_set(&addr))
        addr.port = (uint16_t)port;
    return addr;
}

static void fill_credentials(agw_gateway *gw, agw_transport_info *info)
{
    const uint32_t n = gw->credentials++;
    memcpy(info->ufrag, "AAAAaaaa", AGW_UFRAG_LEN + 1);
    memcpy(info->pwd, "PPPPPPPPPPPPPPPPPPPPPPPP", AGW_PWD_LEN + 1);
    info->ufrag[2] = info->pwd[2] = (char)('A' + n / 26 % 26);
    info->ufrag[3] = info->pwd[3] = (char)('A' + n % 26);
    info->ufrag[6] = (char)('a' + n / 26 % 26);
    info->ufrag[7] = (char)('a' + n % 26);
}

agw_err agw_gateway_reserve(agw_gateway *gw, agw_call_ref *call, size_t interface,
                            agw_family family, agw_transport_kind kind, agw_transport_info *out)
{
    AGW_ASSERT(interface < gw->config.n_interfaces);
    if (gw->ports_full || call->n_transports == FAKE_TRANSPORT_MAX)
        return AGW_ERR_LIMIT;
    const agw_interface *i = &gw->config.interfaces[interface];
    family = choose(i, family);
    const agw_family other = family == AGW_FAMILY_IP4 ? AGW_FAMILY_IP6 : AGW_FAMILY_IP4;
    if (!agw_addr_is_set(advertised(i, family)))
        return AGW_ERR_UNSUPPORTED;
    *out = (agw_transport_info){.id = ++call->next_id, .interface = interface};
    unsigned port = FAKE_SHARED_PORT;
    if (kind != AGW_TRANSPORT_SHARED) {
        port = gw->next_port;
        gw->next_port = (uint16_t)(gw->next_port + 2);
    }
    out->rtp[0] = with_port(*advertised(i, family), port);
    out->tcp = kind == AGW_TRANSPORT_SHARED && gw->config.ice_tcp;
    if (kind == AGW_TRANSPORT_SHARED)
        out->rtp[1] = with_port(*advertised(i, other), port);
    for (int k = 0; k < 2; k++)
        out->rtcp[k] = with_port(out->rtp[k], port + (kind == AGW_TRANSPORT_PAIR ? 1 : 0));
    fill_credentials(gw, out);
    call->kinds[call->n_transports] = kind;
    call->transports[call->n_transports++] = *out;
    return AGW_OK;
}

static agw_transport_info *find_transport(agw_call_ref *call, uint32_t id)
{
    for (size_t i = 0; i < call->n_transports; i++) {
        if (call->transports[i].id == id)
            return &call->transports[i];
    }
    return NULL;
}

agw_err agw_gateway_new_credentials(agw_gateway *gw, agw_call_ref *call, uint32_t id,
                                    agw_transport_info *out)
{
    agw_transport_info *info = find_transport(call, id);
    if (info == NULL)
        return AGW_ERR_NOT_FOUND;
    fill_credentials(gw, info);
    *out = *info;
    return AGW_OK;
}

void agw_gateway_release(agw_gateway *gw, agw_call_ref *call, uint32_t id)
{
    (void)gw;
    const agw_transport_info *info = find_transport(call, id);
    AGW_ASSERT(info != NULL);
    const size_t at = (size_t)(info - call->transports), last = --call->n_transports;
    call->transports[at] = call->transports[last];
    call->kinds[at] = call->kinds[last];
}

const char *agw_gateway_fingerprint(const agw_call_ref *call, agw_hash hash,
                                    char out[AGW_FINGERPRINT_TEXT])
{
    (void)call;
    const char *const digest = strchr(FAKE_FINGERPRINT, ' ');
    g_snprintf(out, AGW_FINGERPRINT_TEXT, "sha-%u%s",
               hash == AGW_HASH_SHA512   ? 512u
               : hash == AGW_HASH_SHA384 ? 384u
                                         : 256u,
               digest);
    return out;
}

agw_media_stats *agw_gateway_media_stats(agw_call_ref *call, uint32_t media_id)
{
    agw_media_stats *stats = g_hash_table_lookup(call->stats, GUINT_TO_POINTER(media_id));
    if (stats == NULL) {
        stats = g_new0(agw_media_stats, 1);
        g_hash_table_insert(call->stats, GUINT_TO_POINTER(media_id), stats);
    }
    return stats;
}

void agw_gateway_apply(agw_gateway *gw, agw_call_ref *call, agw_plan *plan)
{
    for (size_t i = 0; i < plan->n_transports; i++)
        AGW_ASSERT(find_transport(call, plan->transports[i].id) != NULL);
    agw_plan_free(call->plan);
    call->plan = plan;
    gw->applied++;
}

const char *agw_event_kind_text(agw_event_kind kind)
{
    static const char *const TEXTS[] = {
        "ice-connected",     "ice-selected",       "ice-failed",       "consent-lost",
        "consent-back",      "ice-peer-reflexive", "dtls-established", "dtls-failed",
        "dtls-closed",       "bearer-refused",     "latched",          "dtmf",
        "recording-started", "recording-ended",    "recording-failed"};
    return TEXTS[kind];
}

void agw_gateway_play_dtmf(agw_gateway *gw, agw_call_ref *call, const agw_dtmf_order *order)
{
    (void)call;
    gw->digits[gw->n_digits % FAKE_DIGITS] = *order;
    gw->n_digits++;
}

size_t fake_gateway_digits(const agw_gateway *gw, agw_dtmf_order *last)
{
    if (gw->n_digits != 0)
        *last = gw->digits[(gw->n_digits - 1) % FAKE_DIGITS];
    return gw->n_digits;
}

void agw_gateway_play_media(agw_gateway *gw, agw_call_ref *call, const agw_play_order *order)
{
    (void)call;
    agw_audio *before = gw->play.audio;
    gw->play = *order;
    agw_audio_ref(gw->play.audio);
    agw_audio_unref(before);
    gw->n_plays++;
}

void agw_gateway_stop_media(agw_gateway *gw, agw_call_ref *call, uint32_t media_id, agw_side to)
{
    (void)call, (void)media_id, (void)to;
    gw->n_stops++;
}

size_t fake_gateway_plays(const agw_gateway *gw, agw_play_order *last)
{
    *last = gw->play;
    return gw->n_plays;
}

size_t fake_gateway_stops(const agw_gateway *gw)
{
    return gw->n_stops;
}

agw_err agw_gateway_record(agw_gateway *gw, agw_call_ref *call, const agw_record_config *config)
{
    if (gw->config.recording_dir == NULL)
        return AGW_ERR_UNSUPPORTED;
    if (call->recording[0] != '\0')
        return AGW_ERR_EXISTS;
    call->outputs = config->outputs;
    g_snprintf(call->recording, sizeof call->recording, "%s|%s|%s|%s", config->call_id,
               config->name != NULL ? config->name : "-",
               config->metadata != NULL ? config->metadata : "-", config->tags[0]);
    return AGW_OK;
}

void agw_gateway_end_record(agw_gateway *gw, agw_call_ref *call, bool discard)
{
    gw->discarded += discard && call->recording[0] != '\0';
    call->recording[0] = '\0';
}

uint32_t fake_call_outputs(const agw_call_ref *call)
{
    return call->outputs;
}

size_t fake_gateway_discarded(const agw_gateway *gw)
{
    return gw->discarded;
}

bool agw_gateway_get_record(const agw_call_ref *call, agw_record_view *out)
{
    *out = (agw_record_view){.name = call->recording,
                             .names = {call->recording},
                             .n_names = 1,
                             .packets = 1,
                             .bytes = 2,
                             .lost = 3};
    return call->recording[0] != '\0';
}

int agw_gateway_event_fd(const agw_gateway *gw)
{
    return gw->fd;
}

bool agw_gateway_next_event(agw_gateway *gw, agw_event *out)
{
    if (gw->events->len == 0) {
        eventfd_t n;
        (void)eventfd_read(gw->fd, &n);
        return false;
    }
    *out = g_array_index(gw->events, agw_event, 0);
    g_array_remove_index(gw->events, 0);
    return true;
}

void agw_gateway_idle(agw_gateway *gw, size_t pairs)
{
    (void)pairs;
    (void)gw;
}

void agw_gateway_wake_workers(agw_gateway *gw)
{
    (void)gw;
}

const char *agw_gateway_refusal(agw_gateway *gw, bool urgent)
{
    return gw->refusal[urgent];
}

const char *agw_gateway_refuse_open(agw_gateway *gw, agw_call_ref *call, bool urgent)
{
    (void)call;
    return gw->open_refusal[urgent];
}

const char *agw_gateway_refuse_chains(agw_gateway *gw, const agw_call_ref *call, uint64_t us,
                                      bool urgent)
{
    (void)call;
    return urgent || us <= gw->chains_max_us ? NULL : "CPU usage limit exceeded";
}

void agw_gateway_get_load(agw_gateway *gw, agw_gateway_load *out)
{
    *out = (agw_gateway_load){.limit = 800,
                              .urgent_limit = AGW_LOAD_URGENT,
                              .closed = gw->refusal[0] != NULL,
                              .control = 30};
}

void agw_gateway_get_worker_load(const agw_gateway *gw, size_t i, agw_worker_load *out)
{
    (void)i;
    *out = (agw_worker_load){.busy = 700, .expected = 830, .silent = gw->calls->len};
}

void fake_gateway_refuse_codecs(agw_gateway *gw, const char *open, uint64_t chains_max_us)
{
    gw->open_refusal[0] = open;
    gw->chains_max_us = chains_max_us;
}

void fake_gateway_refuse(agw_gateway *gw, const char *normal, const char *urgent)
{
    gw->refusal[0] = normal;
    gw->refusal[1] = urgent;
}

size_t agw_gateway_workers(const agw_gateway *gw)
{
    return gw->n_workers;
}

const agw_worker_stats *agw_gateway_worker_stats(const agw_gateway *gw, size_t i)
{
    return &gw->stats[i];
}

void agw_gateway_get_worker_use(const agw_gateway *gw, size_t i, agw_thread_use *out)
{
    (void)gw, (void)i;
    *out = (agw_thread_use){.cpu = AGW_MS(1500), .mail = 3};
}

void agw_gateway_get_handshake_use(const agw_gateway *gw, agw_thread_use *out)
{
    (void)gw;
    *out = (agw_thread_use){.cpu = AGW_MS(400), .mail = 2};
}

const char *agw_gateway_ice_drops(const agw_gateway *gw, size_t worker, size_t i,
                                  uint64_t *messages)
{
    static const char *const REASONS[] = {"integrity", "role"};
    (void)gw;
    *messages = 10 * (worker + 1) + i;
    return i < G_N_ELEMENTS(REASONS) ? REASONS[i] : NULL;
}

const char *agw_gateway_dtls_drops(const agw_gateway *gw, size_t i, uint64_t *records)
{
    static const char *const REASONS[] = {"alert", "proof"};
    (void)gw;
    *records = 7 * i;
    return i < G_N_ELEMENTS(REASONS) ? REASONS[i] : NULL;
}

void agw_gateway_ports(const agw_gateway *gw, size_t *free_ports, size_t *used_ports)
{
    *used_ports = fake_gateway_transports(gw) * 2;
    *free_ports = (size_t)gw->config.port_max - gw->config.port_min + 1 - *used_ports;
}

/* Each interface has an address of its own, with numbers to tell it by. */
size_t agw_gateway_addresses(const agw_gateway *gw)
{
    return gw->config.n_interfaces;
}

void agw_gateway_ports_of(const agw_gateway *gw, size_t i, agw_addr *ip, size_t *free_ports,
                          size_t *used_ports)
{
    *ip = gw->config.interfaces[i].ip4;
    *free_ports = 100 * (i + 1);
    *used_ports = i;
}

void fake_gateway_set_workers(agw_gateway *gw, size_t n)
{
    gw->n_workers = n;
}

agw_worker_stats *fake_gateway_stats(agw_gateway *gw)
{
    return gw->stats;
}

void fake_gateway_full(agw_gateway *gw, bool calls, bool ports)
{
    gw->calls_full = calls;
    gw->ports_full = ports;
}

size_t fake_gateway_calls(const agw_gateway *gw)
{
    return gw->calls->len;
}

size_t fake_gateway_transports(const agw_gateway *gw)
{
    size_t n = 0;
    for (guint i = 0; i < gw->calls->len; i++)
        n += fake_call_transports(g_ptr_array_index(gw->calls, i));
    return n;
}

size_t fake_gateway_applied(const agw_gateway *gw)
{
    return gw->applied;
}

agw_call_ref *fake_gateway_last_call(const agw_gateway *gw)
{
    return gw->calls->len > 0 ? g_ptr_array_index(gw->calls, gw->calls->len - 1) : NULL;
}

const agw_plan *fake_gateway_plan(const agw_call_ref *call)
{
    return call->plan;
}

size_t fake_call_transports(const agw_call_ref *call)
{
    return call->n_transports;
}

void fake_gateway_push(agw_gateway *gw, const agw_call_ref *call, const agw_event *event)
{
    agw_event copy = *event;
    copy.owner = call->owner;
    g_array_append_val(gw->events, copy);
    (void)eventfd_write(gw->fd, 1);
}
