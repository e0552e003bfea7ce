/* SPDX-License-Identifier: BSD-3-Clause
 * attack: plays the attack set against any ng gateway and judges each case. One line a case on
 * stdout, "N passed, N failed, N skipped" at the end. */
#include "tests/attack/attack.h"

#include <inttypes.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMES = 10, /* the call's packet rate */
    NAME_ROOM = 64,
    RUNS_MAX = 512,
    TRIES = 3,
};

static const char HELP[] =
    "usage: attack --interface=IF --ng=IP:PORT --gateway=IP --hosts=PREFIX [OPTIONS]\n"
    "  --list           names of the cases\n"
    "  --only=REGEX     of these names\n"
    "  --skip=REGEX     but not these\n"
    "  --short          0.15 s of attack and 0.15 s of talk behind it, instead of 2 s and 1 s\n"
    "  --seconds=S      of attack\n"
    "  --after=S        of talk behind it\n"
    "  --rate=N         times the packet rate of a call (100 packets a second), default 10\n"
    "  --seed=N         of what is random in the attacks\n"
    "  --json=FILE      the table\n"
    "node bench/run.mjs -- attack ... gives the first four and a gateway.\n";

typedef struct options {
    attack_options set;
    const char *json, *only, *skip;
    bool list;
} options;

/* One line of the table. */
typedef struct run {
    const attack_case *c;
    attack_when when;
    attack_from from;
    char name[NAME_ROOM];
} run;

static const char *when_text(attack_when when)
{
    return when == ATTACK_BEFORE ? "before" : when == ATTACK_DURING ? "during" : "after";
}

static const char *from_text(attack_from from)
{
    switch (from) {
    case ATTACK_STRANGER:
        return "stranger";
    case ATTACK_BROWSER:
        return "browser";
    case ATTACK_PHONE:
        return "phone";
    case ATTACK_PEER:
        return "peer";
    default:
        return "client";
    }
}

static const char *target_text(attack_target target)
{
    static const char *const TEXTS[] = {"access", "core", "core RTCP", "control"};
    return TEXTS[target];
}

static const char *judged_text(unsigned judged)
{
    if ((judged & ATTACK_NO_PROOF) != 0)
        return "liveness";
    if ((judged & ATTACK_NO_MEDIA) != 0)
        return "silence";
    if ((judged & ATTACK_OWN_HARM) != 0)
        return "bystander";
    return (judged & ATTACK_PARTY_MEDIA) != 0 ? "liveness" : "strict";
}

typedef struct filter {
    regex_t only, skip;
} filter;

static bool matches(const regex_t *regex, const char *name)
{
    return regexec(regex, name, 0, NULL, 0) == 0;
}

/* --- which runs --------------------------------------------------------------------------------
 */

static size_t add_runs(const attack_case *c, const filter *f, run *runs, size_t n)
{
    for (unsigned when = ATTACK_BEFORE; when <= ATTACK_AFTER; when <<= 1) {
        for (unsigned from = ATTACK_STRANGER; from <= ATTACK_CLIENT; from <<= 1) {
            if ((c->when & when) == 0 || (c->from & from) == 0)
                continue;
            AGW_ASSERT(n < RUNS_MAX);
            run *r = &runs[n];
            *r = (run){.c = c, .when = (attack_when)when, .from = (attack_from)from};
            snprintf(r->name, sizeof r->name, "%s/%s/%s", c->name, when_text(r->when),
                     from_text(r->from));
            if (matches(&f->only, r->name) && !matches(&f->skip, r->name))
                n++;
        }
    }
    return n;
}

static size_t all_runs(const filter *f, run runs[RUNS_MAX])
{
    const attack_case *const tables[] = {ATTACK_JUNK_CASES, ATTACK_STUN_CASES,  ATTACK_DTLS_CASES,
                                         ATTACK_SRTP_CASES, ATTACK_SDES_CASES,  ATTACK_RTP_CASES,
                                         ATTACK_NG_CASES,   ATTACK_FLOOD_CASES, ATTACK_WIDE_CASES};
    size_t n = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const attack_case *c = tables[i]; c->name != NULL; c++)
            n = add_runs(c, f, runs, n);
    }
    return n;
}

/* --- what was found ----------------------------------------------------------------------------
 */

static void print_line(const run *r, const attack *a)
{
    const attack_talk *t = &a->victim;
    if (a->why[0] != '\0') {
        printf("FAILED  %s  %s (%" PRIu64 " packets)\n", r->name, a->why, a->fired);
        return;
    }
    printf("ok      %s  %" PRIu64 " packets, ", r->name, a->fired);
    if (t->call.up_at != 0)
        printf("up in %" PRId64 " ms, ", (a->up_at - a->went_at) / AGW_MS(1));
    printf("media %" PRIu64 " and %" PRIu64, t->sent[KIT_A], t->sent[KIT_B]);
    if (r->c->judge != NULL || r->c->per_s != 0)
        printf(", bystander's p99 %.2f ms, in the attack %.2f ms",
               (double)kit_histogram_at(&a->bystander->quiet, 990) / 1e6,
               (double)kit_histogram_at(&a->bystander->attacked, 990) / 1e6);
    if (a->answers != 0)
        printf(", %" PRIu64 " STUN answers", a->answers);
    if ((r->c->judged & ATTACK_NO_PROOF) != 0)
        printf(", plain RTP has no proof: alive is all that is asked");
    if ((r->c->judged & ATTACK_OWN_HARM) != 0)
        printf(", judged by the bystander");
    printf("\n");
}

static void write_findings(FILE *f, const char *side, const attack_talk *t, kit_side from)
{
    const kit_checker *c = &t->call.checker[1 - from];
    fprintf(f, ", \"%s\": {\"sent\": %" PRIu64 ", \"accepted\": %" PRIu64, side, t->sent[from],
            c->accepted);
    for (int i = KIT_DUPLICATE; i < KIT_FINDINGS; i++)
        fprintf(f, ", \"%s\": %" PRIu64, kit_finding_text((kit_finding)i), c->found[i]);
    fprintf(f, "}");
}

/* Our own words only: nothing needs escaping. */
static void write_row(FILE *f, const run *r, const attack *a, bool first)
{
    fprintf(f,
            "%s\n    {\"name\": \"%s\", \"what\": \"%s\", \"when\": \"%s\", \"from\": \"%s\", "
            "\"target\": \"%s\", \"judged\": \"%s\", \"passed\": %s, \"why\": \"%s\", "
            "\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"up_ms\": %" PRId64
            ", \"bled\": %" PRIu64 ", \"stun_answers\": %" PRIu64
            ", \"stun_answer_bytes\": %" PRIu64,
            first ? "" : ",", r->c->name, r->c->what, when_text(r->when), from_text(r->from),
            target_text(r->c->target), judged_text(r->c->judged),
            a->why[0] == '\0' ? "true" : "false", a->why, a->fired, a->fired_bytes,
            (a->up_at - a->went_at) / AGW_MS(1), a->bled, a->answers, a->answer_bytes);
    write_findings(f, "a_to_b", &a->victim, KIT_A);
    write_findings(f, "b_to_a", &a->victim, KIT_B);
    fprintf(f, "}");
}

/* A machine that stands still for so long fails cases, or passes them, for nothing: again. */
static const agw_ns HELD_UP = AGW_MS(200);
static const agw_ns LONG_RUN = AGW_S(60);

/* --- playing -----------------------------------------------------------------------------------
 */

typedef struct set {
    kit_world world;
    const options *o;
    attack_talk bystander;
    attack attack;
    FILE *json;
    unsigned passed, failed;
} set;

static bool play_once(set *s, const run *r)
{
    attack *a = &s->attack;
    memset(a, 0, sizeof *a);
    a->world = &s->world;
    a->options = &s->o->set;
    a->c = r->c;
    a->when = r->when;
    a->from = r->from;
    a->bystander = &s->bystander;
    a->rng.state = s->o->set.seed | 1;
    return attack_play(a);
}

/* What the attack has done to the bystander must not be told twice. */
static void renew_bystander(set *s, const run *r)
{
    attack_bystander_close(&s->bystander, &s->world);
    if (!attack_bystander_open(&s->bystander, &s->world))
        fprintf(stderr, "attack: no call comes up any more behind %s\n", r->name);
}

static void play(set *s, const run *r)
{
    const attack *a = &s->attack;
    const bool is_long = s->o->set.attack_for >= LONG_RUN; /* the machine will stand still once */
    bool passed = play_once(s, r);
    for (int tries = 1; tries < TRIES && a->held_up > HELD_UP && !(is_long && passed); tries++) {
        fprintf(stderr, "attack: %s again, we were held up for %" PRId64 " ms (%s)\n", r->name,
                a->held_up / AGW_MS(1), a->why);
        if (!passed)
            renew_bystander(s, r);
        passed = play_once(s, r);
    }
    s->passed += passed;
    s->failed += !passed;
    print_line(r, a);
    fflush(stdout);
    if (s->json != NULL)
        write_row(s->json, r, a, s->passed + s->failed == 1);
    if (!passed || (r->c->judged & ATTACK_AT_BYSTANDER) != 0)
        renew_bystander(s, r);
}

static void play_all(set *s, const run *runs, size_t n)
{
    if (s->json != NULL)
        fprintf(s->json,
                "{\n  \"rate_times\": %u, \"attack_ms\": %" PRId64 ", \"after_ms\": %" PRId64
                ", \"seed\": %" PRIu64 ",\n  \"cases\": [",
                s->o->set.times, s->o->set.attack_for / AGW_MS(1), s->o->set.after / AGW_MS(1),
                s->o->set.seed);
    for (size_t i = 0; i < n; i++)
        play(s, &runs[i]);
    if (s->json != NULL)
        fprintf(s->json, "\n  ]\n}\n");
}

static int run_set(const options *o, const run *runs, size_t n)
{
    static set s;
    const char *why = NULL;
    s.o = o;
    if (kit_world_open(&s.world, &o->set.world, &why) != AGW_OK) {
        fprintf(stderr, "attack: %s\n", why);
        return 2;
    }
    if (!attack_bystander_open(&s.bystander, &s.world)) {
        fprintf(stderr, "attack: no call comes up: %s %s\n", s.bystander.call.failure,
                s.bystander.call.error_reason);
        return 2;
    }
    s.json = o->json != NULL ? fopen(o->json, "we") : NULL;
    if (o->json != NULL && s.json == NULL) {
        perror(o->json);
        return 2;
    }
    printf("attack: %zu cases, seed %" PRIu64 "\n", n, o->set.seed);
    play_all(&s, runs, n);
    attack_bystander_close(&s.bystander, &s.world);
    if (s.json != NULL)
        fclose(s.json);
    kit_world_close(&s.world);
    printf("%u passed, %u failed, 0 skipped\n", s.passed, s.failed);
    return s.failed != 0 || s.passed == 0;
}

/* --- options -----------------------------------------------------------------------------------
 */

static bool value_of(const char *arg, const char *name, const char **value)
{
    const size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0 || arg[len] != '=')
        return false;
    *value = arg + len + 1;
    return true;
}

static agw_ns seconds(const char *text)
{
    return (agw_ns)(strtod(text, NULL) * (double)AGW_S(1));
}

static bool take_option(options *o, const char *arg)
{
    const char *value = "";
    const kit_option taken = kit_world_option(&o->set.world, arg);
    if (taken != KIT_OPTION_OTHER)
        return taken == KIT_OPTION_TAKEN;
    if (strcmp(arg, "--list") == 0)
        o->list = true;
    else if (strcmp(arg, "--short") == 0)
        o->set.attack_for = o->set.after = AGW_MS(150);
    else if (value_of(arg, "--only", &value))
        o->only = value;
    else if (value_of(arg, "--skip", &value))
        o->skip = value;
    else if (value_of(arg, "--json", &value))
        o->json = value;
    else if (value_of(arg, "--seconds", &value))
        o->set.attack_for = seconds(value);
    else if (value_of(arg, "--after", &value))
        o->set.after = seconds(value);
    else if (value_of(arg, "--rate", &value))
        o->set.times = (unsigned)strtoul(value, NULL, 10);
    else if (value_of(arg, "--seed", &value))
        o->set.seed = strtoull(value, NULL, 10);
    else
        return value_of(arg, "--gateway-pid", &value); /* of no use here */
    return true;
}

int main(int argc, char **argv)
{
    static run runs[RUNS_MAX];
    filter f;
    options o = {.set = {.attack_for = AGW_S(2), .after = AGW_S(1), .times = TIMES, .seed = 1},
                 .only = ".",
                 .skip = "^$"};
    for (int i = 1; i < argc; i++) {
        if (!take_option(&o, argv[i])) {
            fprintf(stderr, "attack: %s\n%s", argv[i], HELP);
            return 2;
        }
    }
    if (regcomp(&f.only, o.only, REG_EXTENDED | REG_NOSUB) != 0 ||
        regcomp(&f.skip, o.skip, REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "attack: --only and --skip want regular expressions\n");
        return 2;
    }
    const size_t n = all_runs(&f, runs);
    regfree(&f.only);
    regfree(&f.skip);
    if (o.list) {
        for (size_t i = 0; i < n; i++)
            printf("%s  %s\n", runs[i].name, runs[i].c->what);
        return 0;
    }
    if (!kit_world_config_complete(&o.set.world)) {
        fputs(HELP, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    return run_set(&o, runs, n);
}
