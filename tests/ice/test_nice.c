/* SPDX-License-Identifier: BSD-3-Clause
 * The full agent against libnice's NiceAgent, full and lite, both roles, over loopback: another
 * implementation on the other side of the wire. Real time; the longest wait is a broken test's. */
#include "base/clock.h"
#include "ice/agent.h"
#include "unit.h"

#include <nice/agent.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { PORT_ID = 1, PATIENCE_S = 10 };

#define UFRAG "gateWAY1"
#define PWD   "gatewaypasswordofgeneration1"

/* Our side: an agent and its socket. */
typedef struct ours {
    agw_ice *ice;
    int fd;
    agw_addr local;
    size_t connects, selections, restarts, lost;
} ours;

typedef struct theirs {
    NiceAgent *agent;
    guint stream;
    GMainContext *context;
} theirs;

static void open_socket(ours *o)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    agw_addr any;
    CU_ASSERT_EQUAL_FATAL(agw_addr_parse(&any, "127.0.0.1:0"), AGW_OK);
    o->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const socklen_t any_len = agw_addr_to_sockaddr(&any, &ss);
    CU_ASSERT_EQUAL_FATAL(bind(o->fd, (struct sockaddr *)&ss, any_len), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(o->fd, (struct sockaddr *)&ss, &len), 0);
    CU_ASSERT_EQUAL_FATAL(agw_addr_from_sockaddr(&o->local, (struct sockaddr *)&ss), AGW_OK);
}

static void send_to(const ours *o, const agw_addr *to, const uint8_t *data, size_t len)
{
    struct sockaddr_storage ss;
    const socklen_t ss_len = agw_addr_to_sockaddr(to, &ss);
    (void)sendto(o->fd, data, len, 0, (struct sockaddr *)&ss, ss_len);
}

static void take_datagrams(ours *o)
{
    uint8_t buf[2048], reply[AGW_STUN_REPLY_MAX];
    struct sockaddr_storage ss;
    socklen_t ss_len = sizeof ss;
    ssize_t n;
    while ((n = recvfrom(o->fd, buf, sizeof buf, 0, (struct sockaddr *)&ss, &ss_len)) >= 0) {
        agw_addr from;
        agw_ice_result res;
        CU_ASSERT_EQUAL(agw_addr_from_sockaddr(&from, (struct sockaddr *)&ss), AGW_OK);
        agw_ice_on_stun(o->ice, agw_clock_now(), PORT_ID, &from, buf, (size_t)n, reply,
                        sizeof reply, &res);
        o->connects += res.connected;
        o->selections += res.selected_changed;
        o->restarts += res.restarted;
        if (res.reply_len > 0)
            send_to(o, &from, reply, res.reply_len);
        ss_len = sizeof ss;
    }
}

static void run_timers(ours *o)
{
    const agw_ns now = agw_clock_now();
    while (agw_ice_deadline(o->ice) <= now) {
        o->lost += agw_ice_on_deadline(o->ice, now) == AGW_ICE_CONSENT_LOST;
        agw_ice_check due;
        while (agw_ice_next_check(o->ice, now, &due))
            send_to(o, &due.pair.remote, due.data, due.len);
    }
}

static NiceComponentState state_of(const theirs *t)
{
    return nice_agent_get_component_state(t->agent, t->stream, 1);
}

static bool is_up(const theirs *t)
{
    const NiceComponentState s = state_of(t);
    return s == NICE_COMPONENT_STATE_CONNECTED || s == NICE_COMPONENT_STATE_READY;
}

/* Both sides live until `done`, or PATIENCE_S. */
static bool run_until(ours *o, theirs *t, bool (*done)(const ours *, const theirs *))
{
    const agw_ns end = agw_clock_now() + AGW_S(PATIENCE_S);
    while (agw_clock_now() < end && !done(o, t)) {
        struct pollfd p = {.fd = o->fd, .events = POLLIN};
        (void)poll(&p, 1, 5);
        take_datagrams(o);
        run_timers(o);
        while (g_main_context_iteration(t->context, FALSE))
            continue;
    }
    return done(o, t);
}

static bool both_are_up(const ours *o, const theirs *t)
{
    return agw_ice_may_send(o->ice) && is_up(t);
}

static bool has_restarted(const ours *o, const theirs *t)
{
    return o->restarts == 1 && both_are_up(o, t);
}

static void ignore_data(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf,
                        gpointer data)
{
    (void)agent, (void)stream, (void)component, (void)len, (void)buf, (void)data;
}

static void open_theirs(theirs *t, bool full, bool controls)
{
    t->context = g_main_context_new();
    t->agent = nice_agent_new_full(t->context, NICE_COMPATIBILITY_RFC5245,
                                   NICE_AGENT_OPTION_REGULAR_NOMINATION |
                                       NICE_AGENT_OPTION_CONSENT_FRESHNESS |
                                       (full ? 0 : NICE_AGENT_OPTION_LITE_MODE));
    g_object_set(t->agent, "controlling-mode", controls, "upnp", FALSE, "ice-tcp", FALSE, NULL);
    NiceAddress loopback;
    nice_address_init(&loopback);
    CU_ASSERT_TRUE_FATAL(nice_address_set_from_string(&loopback, "127.0.0.1"));
    CU_ASSERT_TRUE_FATAL(nice_agent_add_local_address(t->agent, &loopback));
    t->stream = nice_agent_add_stream(t->agent, 1);
    nice_agent_attach_recv(t->agent, t->stream, 1, t->context, ignore_data, NULL);
    CU_ASSERT_TRUE_FATAL(nice_agent_gather_candidates(t->agent, t->stream));
}

static void tell_theirs(const ours *o, const theirs *t, const char *ufrag, const char *pwd)
{
    CU_ASSERT_TRUE(nice_agent_set_remote_credentials(t->agent, t->stream, ufrag, pwd));
    NiceCandidate *c = nice_candidate_new(NICE_CANDIDATE_TYPE_HOST);
    c->component_id = 1;
    c->stream_id = t->stream;
    c->transport = NICE_CANDIDATE_TRANSPORT_UDP;
    c->priority = 2130706175;
    g_strlcpy(c->foundation, "1", sizeof c->foundation);
    nice_address_set_from_string(&c->addr, "127.0.0.1");
    nice_address_set_port(&c->addr, o->local.port);
    GSList list = {.data = c};
    CU_ASSERT_EQUAL(nice_agent_set_remote_candidates(t->agent, t->stream, 1, &list), 1);
    nice_candidate_free(c);
}

static void tell_ours(const ours *o, const theirs *t)
{
    GSList *list = nice_agent_get_local_candidates(t->agent, t->stream, 1);
    for (GSList *i = list; i != NULL; i = i->next) {
        const NiceCandidate *c = i->data;
        agw_addr a = o->local;
        a.port = (uint16_t)nice_address_get_port(&c->addr);
        if (c->transport == NICE_CANDIDATE_TRANSPORT_UDP)
            CU_ASSERT_TRUE(agw_ice_add_remote(o->ice, &a, c->priority));
    }
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

static void open_ours(ours *o, const theirs *t, bool controls)
{
    gchar *ufrag, *pwd;
    memset(o, 0, sizeof *o);
    CU_ASSERT_TRUE(nice_agent_get_local_credentials(t->agent, t->stream, &ufrag, &pwd));
    open_socket(o);
    o->ice = agw_ice_new(&(agw_ice_config){.controlling = controls,
                                           .id_prefix = 7,
                                           .seed = {(uint8_t)o->local.port, 1, 2},
                                           .local_ufrag = UFRAG,
                                           .local_pwd = PWD,
                                           .remote_ufrag = ufrag,
                                           .remote_pwd = pwd,
                                           .now = agw_clock_now()});
    CU_ASSERT_PTR_NOT_NULL_FATAL(o->ice);
    CU_ASSERT_EQUAL(agw_ice_add_local(o->ice, PORT_ID, AGW_FAMILY_IP4, 2130706175, 1862270719),
                    AGW_OK);
    g_free(ufrag);
    g_free(pwd);
}

static void close_both(ours *o, theirs *t)
{
    agw_ice_free(o->ice);
    close(o->fd);
    g_object_unref(t->agent);
    while (g_main_context_iteration(t->context, FALSE))
        continue;
    g_main_context_unref(t->context);
}

static void connect_to(ours *o, theirs *t, bool full, bool we_control)
{
    open_theirs(t, full, !we_control);
    open_ours(o, t, we_control);
    tell_theirs(o, t, UFRAG, PWD);
    tell_ours(o, t);
    CU_ASSERT_TRUE(run_until(o, t, both_are_up));
    CU_ASSERT_EQUAL(o->connects, 1);
    CU_ASSERT_EQUAL(agw_ice_is_controlling(o->ice), we_control);
}

static void test_nice_full_peer_controlled(void)
{
    ours o;
    theirs t;
    connect_to(&o, &t, true, true);
    close_both(&o, &t);
}

static void test_nice_full_peer_controlling(void)
{
    ours o;
    theirs t;
    connect_to(&o, &t, true, false);
    close_both(&o, &t);
}

static void test_nice_lite_peer_is_nominated_to(void)
{
    ours o;
    theirs t;
    connect_to(&o, &t, false, true);
    close_both(&o, &t);
}

/* Either may win; libnice's property goes on saying what it was told. */
static void test_nice_rfc8445_7_3_1_1_both_claim_the_same_role(void)
{
    for (int controlling = 0; controlling < 2; controlling++) {
        ours o;
        theirs t;
        open_theirs(&t, true, controlling != 0);
        open_ours(&o, &t, controlling != 0);
        tell_theirs(&o, &t, UFRAG, PWD);
        tell_ours(&o, &t);
        CU_ASSERT_TRUE(run_until(&o, &t, both_are_up));
        close_both(&o, &t);
    }
}

static void test_nice_rfc8838_its_candidates_are_never_told(void)
{
    ours o;
    theirs t;
    open_theirs(&t, true, false);
    open_ours(&o, &t, true);
    tell_theirs(&o, &t, UFRAG, PWD);
    CU_ASSERT_TRUE(run_until(&o, &t, both_are_up)); /* peer-reflexive */
    close_both(&o, &t);
}

static void test_nice_rfc8445_9_restart(void)
{
    for (int we_control = 0; we_control < 2; we_control++) {
        ours o;
        theirs t;
        gchar *ufrag, *pwd;
        connect_to(&o, &t, true, we_control != 0);
        CU_ASSERT_TRUE(nice_agent_restart_stream(t.agent, t.stream));
        CU_ASSERT_TRUE(nice_agent_get_local_credentials(t.agent, t.stream, &ufrag, &pwd));
        CU_ASSERT_EQUAL(agw_ice_restart(o.ice, agw_clock_now(), "gateWAY2",
                                        "gatewaypasswordofgeneration2", ufrag, pwd),
                        AGW_OK);
        g_free(ufrag);
        g_free(pwd);
        CU_ASSERT_TRUE(agw_ice_may_send(o.ice));
        tell_theirs(&o, &t, "gateWAY2", "gatewaypasswordofgeneration2");
        tell_ours(&o, &t);
        CU_ASSERT_TRUE(run_until(&o, &t, has_restarted));
        CU_ASSERT_EQUAL(o.lost, 0);
        close_both(&o, &t);
    }
}

static const agw_unit_case CASES[] = {
    AGW_CASE(test_nice_full_peer_controlled),
    AGW_CASE(test_nice_full_peer_controlling),
    AGW_CASE(test_nice_lite_peer_is_nominated_to),
    AGW_CASE(test_nice_rfc8445_7_3_1_1_both_claim_the_same_role),
    AGW_CASE(test_nice_rfc8838_its_candidates_are_never_told),
    AGW_CASE(test_nice_rfc8445_9_restart),
};
AGW_UNIT_MAIN("nice", CASES)
