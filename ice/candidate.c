/* SPDX-License-Identifier: BSD-3-Clause */
#include "ice/candidate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { COMPONENT_MAX = 256, COMPONENT_USED = 2 };

/* A piece of the line between blanks; borrowed. */
typedef struct token {
    const char *at;
    size_t len;
} token;

static token next_token(token *rest)
{
    while (rest->len > 0 && (*rest->at == ' ' || *rest->at == '\t')) {
        rest->at++;
        rest->len--;
    }
    token t = {rest->at, 0};
    while (t.len < rest->len && t.at[t.len] != ' ' && t.at[t.len] != '\t')
        t.len++;
    rest->at += t.len;
    rest->len -= t.len;
    return t;
}

static bool token_is(token t, const char *word)
{
    return t.len == strlen(word) && strncasecmp(t.at, word, t.len) == 0;
}

static bool token_number(token t, uint64_t max, uint64_t *out)
{
    if (t.len == 0 || t.len > 10)
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(t.at[i] - '0');
    }
    *out = v;
    return v <= max;
}

static bool is_ice_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

/* Browsers and phones write other characters too, "-" and "_" above all; only blanks end it. */
static bool take_foundation(agw_candidate *c, token t)
{
    if (t.len == 0 || t.len >= sizeof c->foundation)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (!is_ice_char(t.at[i]) && strchr("-_=.", t.at[i]) == NULL)
            return false;
    }
    memcpy(c->foundation, t.at, t.len);
    return true;
}

static agw_candidate_transport transport_of(token t)
{
    if (token_is(t, "udp"))
        return AGW_CANDIDATE_UDP;
    return token_is(t, "tcp") ? AGW_CANDIDATE_TCP : AGW_CANDIDATE_OTHER_TRANSPORT;
}

static agw_candidate_type type_of(token t)
{
    for (int i = AGW_CANDIDATE_HOST; i < AGW_CANDIDATE_OTHER; i++) {
        if (token_is(t, agw_candidate_type_text((agw_candidate_type)i)))
            return (agw_candidate_type)i;
    }
    return AGW_CANDIDATE_OTHER;
}

static agw_candidate_tcptype tcptype_of(token t)
{
    if (token_is(t, "active"))
        return AGW_CANDIDATE_TCP_ACTIVE;
    if (token_is(t, "passive"))
        return AGW_CANDIDATE_TCP_PASSIVE;
    return token_is(t, "so") ? AGW_CANDIDATE_TCP_SO : AGW_CANDIDATE_TCP_NONE;
}

/* A fully qualified name: letters, digits, '-' and '.', with at least one letter. */
static bool looks_like_name(token t)
{
    bool letter = false;
    for (size_t i = 0; i < t.len; i++) {
        const char c = t.at[i];
        const bool alpha = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alpha && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
            return false;
        letter = letter || alpha;
    }
    return letter && t.len <= 255;
}

static bool ends_with_local(token t)
{
    static const char LOCAL[] = ".local";
    const size_t n = sizeof LOCAL - 1;
    return t.len > n && strncasecmp(t.at + t.len - n, LOCAL, n) == 0;
}

/* AGW_ERR_UNSUPPORTED: a name. */
static agw_err take_address(agw_addr *out, token t)
{
    char text[AGW_ADDR_TEXT];
    if (t.len == 0)
        return AGW_ERR_MALFORMED;
    if (t.len < sizeof text) {
        memcpy(text, t.at, t.len);
        text[t.len] = '\0';
        if (agw_addr_parse_ip(out, text) == AGW_OK)
            return AGW_OK;
    }
    *out = (agw_addr){0};
    return looks_like_name(t) ? AGW_ERR_UNSUPPORTED : AGW_ERR_MALFORMED;
}

/* Pairs of name and value after the type; a lone name at the end is forgiven. */
static agw_err take_extensions(agw_candidate *c, token rest)
{
    for (;;) {
        const token name = next_token(&rest);
        const token value = next_token(&rest);
        if (name.len == 0 || value.len == 0)
            return AGW_OK;
        uint64_t v = 0;
        if (token_is(name, "raddr")) {
            const uint16_t port = c->related.port;
            if (take_address(&c->related, value) == AGW_ERR_MALFORMED)
                return AGW_ERR_MALFORMED;
            if (agw_addr_is_set(&c->related))
                c->related.port = port;
        } else if (token_is(name, "rport")) {
            if (!token_number(value, UINT16_MAX, &v))
                return AGW_ERR_MALFORMED;
            if (agw_addr_is_set(&c->related))
                c->related.port = (uint16_t)v;
        } else if (token_is(name, "tcptype")) {
            c->tcptype = (uint8_t)tcptype_of(value);
        } else if (token_is(name, "generation") && token_number(value, UINT32_MAX, &v)) {
            c->generation = (uint32_t)v;
        }
    }
}

static token strip_prefix(token t)
{
    static const char PREFIX[] = "candidate:";
    const size_t n = sizeof PREFIX - 1;
    while (t.len > 0 && (t.at[t.len - 1] == '\r' || t.at[t.len - 1] == '\n'))
        t.len--;
    if (t.len >= n && strncasecmp(t.at, PREFIX, n) == 0)
        return (token){t.at + n, t.len - n};
    return t;
}

agw_err agw_candidate_parse(agw_candidate *out, const char *text, size_t len)
{
    *out = (agw_candidate){0};
    token rest = strip_prefix((token){text, len});
    if (memchr(rest.at, '\0', rest.len) != NULL || !take_foundation(out, next_token(&rest)))
        return AGW_ERR_MALFORMED;

    uint64_t component, priority, port;
    if (!token_number(next_token(&rest), COMPONENT_MAX, &component) || component == 0)
        return AGW_ERR_MALFORMED;
    const token transport = next_token(&rest);
    if (transport.len == 0 || !token_number(next_token(&rest), UINT32_MAX, &priority))
        return AGW_ERR_MALFORMED;
    const token address = next_token(&rest);
    const agw_err address_err = take_address(&out->addr, address);
    if (address_err == AGW_ERR_MALFORMED || !token_number(next_token(&rest), UINT16_MAX, &port))
        return AGW_ERR_MALFORMED;
    const token typ = next_token(&rest), type = next_token(&rest);
    if (!token_is(typ, "typ") || type.len == 0)
        return AGW_ERR_MALFORMED;

    out->component = (uint16_t)component;
    out->transport = (uint8_t)transport_of(transport);
    out->priority = (uint32_t)priority;
    out->is_mdns = address_err != AGW_OK && ends_with_local(address);
    if (address_err == AGW_OK)
        out->addr.port = (uint16_t)port;
    out->type = (uint8_t)type_of(type);
    if (take_extensions(out, rest) != AGW_OK)
        return AGW_ERR_MALFORMED;

    const bool usable = address_err == AGW_OK && out->transport == AGW_CANDIDATE_UDP &&
                        out->type != AGW_CANDIDATE_OTHER && out->component <= COMPONENT_USED &&
                        port != 0;
    return usable ? AGW_OK : AGW_ERR_UNSUPPORTED;
}

static const char *tcptype_text(uint8_t tcptype)
{
    switch (tcptype) {
    case AGW_CANDIDATE_TCP_ACTIVE:
        return " tcptype active";
    case AGW_CANDIDATE_TCP_PASSIVE:
        return " tcptype passive";
    case AGW_CANDIDATE_TCP_SO:
        return " tcptype so";
    default:
        return "";
    }
}

agw_err agw_candidate_write(const agw_candidate *candidate, char *out, size_t size)
{
    char ip[AGW_ADDR_TEXT], raddr[AGW_ADDR_TEXT], related[AGW_ADDR_TEXT + 32] = "";
    if (agw_addr_is_set(&candidate->related))
        snprintf(related, sizeof related, " raddr %s rport %u",
                 agw_addr_ip_text(&candidate->related, raddr, sizeof raddr),
                 candidate->related.port);
    const int n =
        snprintf(out, size, "%s %u %s %u %s %u typ %s%s%s", candidate->foundation,
                 candidate->component, candidate->transport == AGW_CANDIDATE_TCP ? "tcp" : "udp",
                 candidate->priority, agw_addr_ip_text(&candidate->addr, ip, sizeof ip),
                 candidate->addr.port, agw_candidate_type_text((agw_candidate_type)candidate->type),
                 related, tcptype_text(candidate->tcptype));
    return n > 0 && (size_t)n < size ? AGW_OK : AGW_ERR_NO_SPACE;
}

uint32_t agw_candidate_priority(agw_candidate_type type, uint16_t local_preference,
                                uint16_t component)
{
    static const uint32_t PREFERENCE[] = {126, 100, 110, 0, 0}; /* RFC 8445 section 5.1.2.2 */
    return PREFERENCE[type] << 24 | (uint32_t)local_preference << 8 | (256u - component);
}

uint32_t agw_candidate_tcp_priority(agw_candidate_type type, agw_family family, uint16_t component)
{
    enum { HOST = 90, PRFLX = 80, PASSIVE = 4 << 13, OTHER_MAX = (1 << 13) - 1 };
    const uint32_t preference = type == AGW_CANDIDATE_HOST ? HOST : PRFLX;
    const uint32_t other = OTHER_MAX - (family == AGW_FAMILY_IP4); /* RFC 8421 section 4 */
    return preference << 24 | (PASSIVE + other) << 8 | (256u - component);
}

const char *agw_candidate_foundation(char out[AGW_CANDIDATE_FOUNDATION], agw_candidate_type type,
                                     const agw_addr *base, agw_candidate_transport transport)
{
    uint32_t h = 2166136261u; /* FNV-1a: short, stable between runs, and it hides the address */
    const uint8_t head[3] = {(uint8_t)type, (uint8_t)transport, base->family};
    for (size_t i = 0; i < sizeof head; i++)
        h = (h ^ head[i]) * 16777619u;
    for (size_t i = 0; i < sizeof base->ip; i++)
        h = (h ^ base->ip[i]) * 16777619u;
    snprintf(out, AGW_CANDIDATE_FOUNDATION, "%u", h);
    return out;
}

const char *agw_candidate_type_text(agw_candidate_type type)
{
    static const char *const TEXTS[] = {"host", "srflx", "prflx", "relay", "other"};
    return TEXTS[type];
}
