/* SPDX-License-Identifier: BSD-3-Clause
 * Questions about a parsed description, and the memory it lives in. sdp_parse.c fills it. */
#include "control/sdp.h"

#include "base/secret.h"
#include "control/sdp_arena.h"

#include <stdio.h>
#include <string.h>

/* --- memory --- */

enum { BLOCK_BYTES = 8192 }; /* a browser's audio offer needs 6 KB */

typedef struct block {
    struct block *next;
    size_t used, size;
    max_align_t data[];
} block;

struct agw_sdp_arena {
    block *first;
};

agw_sdp_arena *agw_sdp_arena_new(void)
{
    return g_new0(agw_sdp_arena, 1);
}

static block *block_new(block *next, size_t size)
{
    block *b = g_malloc(sizeof *b + size);
    *b = (block){.next = next, .size = size};
    return b;
}

void *agw_sdp_arena_alloc(agw_sdp_arena *arena, size_t n, size_t size)
{
    const size_t align = size == 1 ? 1 : sizeof(max_align_t); /* text needs none */
    AGW_ASSERT(size != 0 && n <= SIZE_MAX / 2 / size);
    block *b = arena->first;
    size_t at = b != NULL ? (b->used + align - 1) / align * align : 0;
    if (b == NULL || at > b->size || b->size - at < n * size) {
        b = arena->first = block_new(b, n * size > BLOCK_BYTES ? n * size : BLOCK_BYTES);
        at = 0;
    }
    b->used = at + n * size;
    return memset((uint8_t *)b->data + at, 0, n * size);
}

void agw_sdp_arena_free(agw_sdp_arena *arena)
{
    if (arena == NULL)
        return;
    for (block *b = arena->first; b != NULL;) {
        block *next = b->next;
        agw_secret_wipe(b->data, b->used);
        g_free(b);
        b = next;
    }
    g_free(arena);
}

void agw_sdp_free(agw_sdp *sdp)
{
    if (sdp == NULL)
        return;
    agw_sdp_arena_free(sdp->arena);
    g_clear_pointer(&sdp->by_mid, g_hash_table_destroy);
    g_free(sdp);
}

/* --- words --- */

static const char *const PROTO_TEXT[] = {
    [AGW_SDP_OTHER] = "",
    [AGW_SDP_RTP_AVP] = "RTP/AVP",
    [AGW_SDP_RTP_AVPF] = "RTP/AVPF",
    [AGW_SDP_RTP_SAVP] = "RTP/SAVP",
    [AGW_SDP_RTP_SAVPF] = "RTP/SAVPF",
    [AGW_SDP_TLS_SAVP] = "UDP/TLS/RTP/SAVP",
    [AGW_SDP_TLS_SAVPF] = "UDP/TLS/RTP/SAVPF",
};

const char *agw_sdp_proto_text(agw_sdp_proto proto)
{
    return PROTO_TEXT[proto];
}

agw_sdp_proto agw_sdp_proto_parse(const char *text)
{
    for (agw_sdp_proto p = AGW_SDP_RTP_AVP; p <= AGW_SDP_TLS_SAVPF; p++) {
        if (g_ascii_strcasecmp(text, PROTO_TEXT[p]) == 0)
            return p;
    }
    return AGW_SDP_OTHER;
}

bool agw_sdp_proto_is_avpf(agw_sdp_proto proto)
{
    return proto == AGW_SDP_RTP_AVPF || proto == AGW_SDP_RTP_SAVPF || proto == AGW_SDP_TLS_SAVPF;
}

bool agw_sdp_proto_is_secure(agw_sdp_proto proto)
{
    return proto >= AGW_SDP_RTP_SAVP;
}

bool agw_sdp_proto_is_dtls(agw_sdp_proto proto)
{
    return proto >= AGW_SDP_TLS_SAVP;
}

agw_sdp_proto agw_sdp_proto_with_avpf(agw_sdp_proto proto, bool avpf)
{
    if (proto == AGW_SDP_OTHER || agw_sdp_proto_is_avpf(proto) == avpf)
        return proto;
    return avpf ? proto + 1 : proto - 1; /* the pairs stand side by side */
}

const char *agw_sdp_direction_text(agw_sdp_direction dir)
{
    static const char *const TEXT[] = {
        [AGW_SDP_INACTIVE] = "inactive",
        [AGW_SDP_SENDONLY] = "sendonly",
        [AGW_SDP_RECVONLY] = "recvonly",
        [AGW_SDP_SENDRECV] = "sendrecv",
    };
    return TEXT[dir];
}

agw_sdp_direction agw_sdp_direction_reverse(agw_sdp_direction dir)
{
    if (dir == AGW_SDP_SENDONLY)
        return AGW_SDP_RECVONLY;
    return dir == AGW_SDP_RECVONLY ? AGW_SDP_SENDONLY : dir;
}

const char *agw_sdp_setup_text(agw_sdp_setup setup)
{
    static const char *const TEXT[] = {
        [AGW_SDP_SETUP_NONE] = "",
        [AGW_SDP_SETUP_ACTPASS] = "actpass",
        [AGW_SDP_SETUP_ACTIVE] = "active",
        [AGW_SDP_SETUP_PASSIVE] = "passive",
        [AGW_SDP_SETUP_HOLDCONN] = "holdconn",
    };
    return TEXT[setup];
}

/* --- finding --- */

const agw_sdp_media *agw_sdp_by_mid(const agw_sdp *sdp, const char *mid)
{
    return mid != NULL && sdp->by_mid != NULL ? g_hash_table_lookup(sdp->by_mid, mid) : NULL;
}

const agw_sdp_group *agw_sdp_group_of(const agw_sdp *sdp, const char *semantics)
{
    for (size_t i = 0; i < sdp->n_groups; i++) {
        if (g_ascii_strcasecmp(sdp->groups[i].semantics, semantics) == 0)
            return &sdp->groups[i];
    }
    return NULL;
}

const agw_sdp_attr *agw_sdp_attr_of(const agw_sdp_media *media, agw_sdp_attr_kind kind)
{
    const size_t at = media->attr_of_kind[kind];
    return at != 0 ? &media->attrs[at - 1] : NULL;
}

const agw_sdp_codec *agw_sdp_codec_of(const agw_sdp_media *media, unsigned pt)
{
    if (pt >= sizeof media->codec_of_pt)
        return NULL;
    const size_t at = media->codec_of_pt[pt];
    return at != 0 ? &media->codecs[at - 1] : NULL;
}

bool agw_sdp_codec_is(const agw_sdp_codec *codec, const char *name)
{
    return g_ascii_strcasecmp(codec->name, name) == 0;
}

agw_sdp_encoding agw_sdp_encoding_of(const char *name)
{
    static const struct {
        char name[16];
        agw_sdp_encoding encoding;
    } OTHERS[] = {
        {"telephone-event", AGW_SDP_ENC_EVENT},
        {"cn", AGW_SDP_ENC_CN},
        {"red", AGW_SDP_ENC_RED},
        {"rtx", AGW_SDP_ENC_RTX},
        {"ulpfec", AGW_SDP_ENC_ULPFEC},
        {"flexfec", AGW_SDP_ENC_FLEXFEC},
        {"flexfec-03", AGW_SDP_ENC_FLEXFEC_03},
        {"parityfec", AGW_SDP_ENC_PARITYFEC},
        {"h264", AGW_SDP_ENC_H264},
        {"h265", AGW_SDP_ENC_H265},
        {"vp9", AGW_SDP_ENC_VP9},
        {"av1", AGW_SDP_ENC_AV1},
    };
    const char first = g_ascii_tolower(name[0]); /* looking at it first saves most comparisons */
    for (size_t i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
        if (first == OTHERS[i].name[0] && g_ascii_strcasecmp(name, OTHERS[i].name) == 0)
            return OTHERS[i].encoding;
    }
    return (agw_sdp_encoding)agw_codec_named(name);
}

void agw_sdp_codec_known(agw_sdp_codec *codec)
{
    char value[4];
    codec->encoding = (uint8_t)agw_sdp_encoding_of(codec->name);
    codec->octet_aligned =
        (codec->encoding == AGW_CODEC_AMR || codec->encoding == AGW_CODEC_AMR_WB) &&
        agw_sdp_fmtp_get(codec->fmtp, "octet-align", value, sizeof value) &&
        strcmp(value, "1") == 0;
}

bool agw_sdp_codec_has_fb(const agw_sdp_codec *codec, const char *value)
{
    for (const agw_sdp_fb *fb = codec->fb; fb != NULL; fb = fb->next) {
        if (g_ascii_strcasecmp(fb->value, value) == 0)
            return true;
    }
    return false;
}

const agw_sdp_extmap *agw_sdp_extmap_of(const agw_sdp_media *media, const char *uri)
{
    for (size_t i = 0; i < media->n_extmaps; i++) {
        if (strcmp(media->extmaps[i].uri, uri) == 0)
            return &media->extmaps[i];
    }
    return NULL;
}

int64_t agw_sdp_bandwidth_of(const agw_sdp_media *media, const char *type)
{
    for (size_t i = 0; i < media->n_bandwidths; i++) {
        if (g_ascii_strcasecmp(media->bandwidths[i].type, type) == 0)
            return media->bandwidths[i].value;
    }
    return -1;
}

/* --- values read on demand --- */

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " ");
}

/* Length of text without the spaces at its end. */
static size_t trimmed(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len;
}

bool agw_sdp_fmtp_get(const char *fmtp, const char *key, char *out, size_t size)
{
    const size_t key_len = strlen(key);
    for (const char *p = fmtp; p != NULL && *p != '\0';) {
        p = skip_spaces(p);
        const size_t len = strcspn(p, ";");
        const size_t name = strcspn(p, "=;");
        if (trimmed(p, name) == key_len && g_ascii_strncasecmp(p, key, key_len) == 0) {
            const char *value = name < len ? skip_spaces(p + name + 1) : p + len;
            const size_t n = value < p + len ? trimmed(value, (size_t)(p + len - value)) : 0;
            if (n >= size)
                return false;
            memcpy(out, value, n);
            out[n] = '\0';
            return true;
        }
        p += len + (p[len] == ';');
    }
    return false;
}

static const agw_sdp_tcap *tcap_in(const agw_sdp_media *media, uint32_t number)
{
    for (size_t i = 0; i < media->n_tcaps; i++) {
        if (media->tcaps[i].number == number)
            return &media->tcaps[i];
    }
    return NULL;
}

const agw_sdp_tcap *agw_sdp_tcap_of(const agw_sdp *sdp, const agw_sdp_media *media, uint32_t number)
{
    const agw_sdp_tcap *tcap = tcap_in(media, number);
    return tcap != NULL ? tcap : tcap_in(&sdp->session, number);
}

static bool pcfg_offers(const agw_sdp *sdp, const agw_sdp_media *media, const agw_sdp_pcfg *pcfg,
                        agw_sdp_proto proto, uint32_t *transport)
{
    for (size_t i = 0; i < pcfg->n_transports; i++) {
        const agw_sdp_tcap *tcap = agw_sdp_tcap_of(sdp, media, pcfg->transports[i]);
        if (tcap != NULL && agw_sdp_proto_parse(tcap->proto_text) == proto) {
            *transport = tcap->number;
            return true;
        }
    }
    return false;
}

/* A lower number is preferred (RFC 5939 section 3.5.1), wherever the line stands. */
const agw_sdp_pcfg *agw_sdp_pcfg_for(const agw_sdp *sdp, const agw_sdp_media *media,
                                     agw_sdp_proto proto, uint32_t *transport)
{
    const agw_sdp_pcfg *best = NULL;
    uint32_t t = 0;
    for (size_t i = 0; i < media->n_pcfgs; i++) {
        const agw_sdp_pcfg *pcfg = &media->pcfgs[i];
        if (!pcfg->only_transport || (best != NULL && best->number <= pcfg->number))
            continue;
        if (pcfg_offers(sdp, media, pcfg, proto, &t)) {
            best = pcfg;
            *transport = t;
        }
    }
    return best;
}

agw_err agw_sdp_precondition_parse(agw_sdp_precondition *out, const agw_sdp_attr *attr)
{
    const bool des = attr->kind == AGW_SDP_A_DES;
    if (!des && attr->kind != AGW_SDP_A_CURR && attr->kind != AGW_SDP_A_CONF)
        return AGW_ERR_UNSUPPORTED;
    if (attr->value == NULL)
        return AGW_ERR_MALFORMED;
    *out = (agw_sdp_precondition){0};
    const int n =
        des ? sscanf(attr->value, "%15s %15s %15s %15s", out->type, out->strength, out->status,
                     out->direction)
            : sscanf(attr->value, "%15s %15s %15s", out->type, out->status, out->direction);
    return n == (des ? 4 : 3) ? AGW_OK : AGW_ERR_MALFORMED;
}
