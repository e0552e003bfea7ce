/* SPDX-License-Identifier: BSD-3-Clause
 * agwd: reads its options, starts the gateway, then control, and ends them in reverse order. */
#include "control/calls.h"
#include "control/http_ng.h"
#include "control/links.h"
#include "control/log_sink.h"
#include "control/ng_stream.h"
#include "control/server.h"

#ifdef AGW_HAVE_DEMO
#include "demo/demo.h"
#endif

#include "base/secret.h"
#include "codecs/evs.h"
#include "dtls/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    WHY_BYTES = 400,
    FILES_WANTED = 4096,
    DEMO_PORT = 8080,
    DEMO_TLS_PORT = 8443,
    IDLE_MS = 200,
    IDLE_PAIRS = 64, /* the ports of 8,000 calls are closed within half a minute */
};

typedef struct program {
    agw_config config;
    int argc;
    char **argv;
    GMainLoop *loop;
    agw_gateway *gateway;
    agw_events *events;
    agw_links *links;
    agw_calls *calls;
    agw_control control;
    agw_server *server;
    agw_streams *streams;
    agw_http *http;
#ifdef AGW_HAVE_DEMO
    agw_demo *demo;
#endif
    GSource *timers;
    guint event_source, idle_source;
    int ready_fd; /* tells the parent that all went well; -1 = in the foreground */
    bool has_pidfile;
    char why[WHY_BYTES];
} program;

/* --- sources of the loop -----------------------------------------------------------------------
 */

typedef struct timer_source {
    GSource source;
    program *p;
} timer_source;

/* The loop calls this each time before it waits. */
static gboolean timers_prepare(GSource *source, gint *timeout_ms)
{
    const program *p = ((timer_source *)source)->p;
    agw_gateway_wake_workers(p->gateway);
    const agw_ns due = agw_calls_deadline(p->calls);
    if (due == AGW_NEVER) {
        *timeout_ms = -1;
        return FALSE;
    }
    const agw_ns left = due - agw_clock_now();
    *timeout_ms = left <= 0 ? 0 : (gint)MIN(left / AGW_MS(1) + 1, AGW_S(3600) / AGW_MS(1));
    return left <= 0;
}

static gboolean timers_check(GSource *source)
{
    return agw_calls_deadline(((timer_source *)source)->p->calls) <= agw_clock_now();
}

static gboolean timers_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)callback, (void)data;
    agw_calls_on_deadline(((timer_source *)source)->p->calls, agw_clock_now());
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_functions = {
    .prepare = timers_prepare, .check = timers_check, .dispatch = timers_dispatch};

static gboolean on_gateway_event(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd, (void)condition;
    const program *p = data;
    agw_calls_on_events(p->calls, agw_clock_now());
    return G_SOURCE_CONTINUE;
}

static gboolean on_idle(gpointer data)
{
    program *p = data;
    agw_gateway_idle(p->gateway, IDLE_PAIRS);
    agw_control_idle(&p->control, agw_clock_now());
    agw_server_idle(p->server, agw_clock_now());
    agw_streams_idle(p->streams, agw_clock_now());
    return G_SOURCE_CONTINUE;
}

static gboolean on_stop(gpointer data)
{
    program *p = data;
    agw_log(AGW_LOG_INFO, NULL, "stopping");
    g_main_loop_quit(p->loop);
    return G_SOURCE_CONTINUE;
}

/* The log level is what can change while calls stand; all else is told to need a restart. */
static gboolean on_reload(gpointer data)
{
    program *p = data;
    agw_config fresh;
    char why[WHY_BYTES];
    if (agw_config_load(&fresh, p->argc, p->argv, why, sizeof why) == AGW_CONFIG_RUN) {
        p->config.log_level = fresh.log_level;
        agw_log_sink_start(p->config.log_level, p->config.foreground);
        agw_log(AGW_LOG_INFO, NULL,
                "reloaded: log level is %s; other options are taken at the next start",
                agw_log_level_text(fresh.log_level));
    } else {
        agw_log(AGW_LOG_ERROR, NULL, "nothing is reloaded: %s", why);
    }
    agw_config_fini(&fresh);
    return G_SOURCE_CONTINUE;
}

static void add_sources(program *p)
{
    p->timers = g_source_new(&timer_functions, sizeof(timer_source));
    ((timer_source *)p->timers)->p = p;
    g_source_attach(p->timers, NULL);
    p->event_source = g_unix_fd_add(agw_gateway_event_fd(p->gateway), G_IO_IN, on_gateway_event, p);
    p->idle_source = g_timeout_add(IDLE_MS, on_idle, p);
    g_unix_signal_add(SIGTERM, on_stop, p);
    g_unix_signal_add(SIGINT, on_stop, p);
    g_unix_signal_add(SIGHUP, on_reload, p);
}

static void remove_sources(program *p)
{
    if (p->timers == NULL)
        return;
    g_source_destroy(p->timers);
    g_source_unref(p->timers);
    g_source_remove(p->event_source);
    g_source_remove(p->idle_source);
}

/* --- the process -------------------------------------------------------------------------------
 */

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < FILES_WANTED)
        agw_log(AGW_LOG_WARN, NULL,
                "only %llu files may be open, which bounds the calls (LimitNOFILE, ulimit -n)",
                (unsigned long long)limit.rlim_max);
}

/* The parent waits until the child is ready or gone, so that a failed start has an exit status. */
static int wait_for_child(int fd)
{
    char ready = 0;
    ssize_t n;
    do
        n = read(fd, &ready, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : 1;
}

/* true: go on (in the child, or in the foreground); false: the parent, *status is for exit. */
static bool go_to_background(program *p, int *status)
{
    p->ready_fd = -1;
    if (p->config.foreground)
        return true;
    int fds[2];
    *status = 1;
    if (pipe(fds) != 0)
        return false;
    const pid_t pid = fork();
    if (pid != 0) {
        close(fds[1]);
        if (pid > 0)
            *status = wait_for_child(fds[0]);
        close(fds[0]);
        return false;
    }
    close(fds[0]);
    (void)setsid();
    p->ready_fd = fds[1];
    return true;
}

static void close_terminal(void)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(null, fd);
    if (null > 2)
        close(null);
}

static void tell_ready(program *p)
{
    if (p->ready_fd < 0)
        return;
    close_terminal();
    const char ready = 1;
    if (write(p->ready_fd, &ready, 1) != 1)
        agw_log(AGW_LOG_WARN, NULL, "the starting process is gone");
    close(p->ready_fd);
    p->ready_fd = -1;
}

static agw_err write_pidfile(program *p)
{
    if (p->config.pidfile[0] == '\0')
        return AGW_OK;
    char text[32];
    snprintf(text, sizeof text, "%ld\n", (long)getpid());
    GError *error = NULL;
    p->has_pidfile = g_file_set_contents(p->config.pidfile, text, -1, &error);
    if (p->has_pidfile)
        return AGW_OK;
    snprintf(p->why, sizeof p->why, "%s", error->message);
    g_error_free(error);
    return AGW_ERR_SYSTEM;
}

/* For people and for programs that started us. */
static void announce(const char *what, const char *where)
{
    agw_log(AGW_LOG_INFO, NULL, "%s %s", what, where);
    printf("%s %s\n", what, where);
    fflush(stdout);
}

/* --- the demo ----------------------------------------------------------------------------------
 */

#ifdef AGW_HAVE_DEMO
/* Another address than loopback needs HTTPS, or browsers give no microphone. */
static GTlsCertificate *make_certificate(void)
{
    char pem[AGW_CERT_PEM];
    agw_cert *cert = agw_cert_new();
    if (cert == NULL)
        return NULL;
    GTlsCertificate *out = NULL;
    if (agw_cert_pem(cert, pem, sizeof pem) == AGW_OK)
        out = g_tls_certificate_new_from_pem(pem, -1, NULL);
    agw_cert_free(cert);
    agw_secret_wipe(pem, sizeof pem);
    return out;
}

static agw_err start_demo(program *p)
{
    if (!p->config.demo)
        return AGW_OK;
    agw_addr addr;
    const char *where = p->config.demo_address[0] != '\0' ? p->config.demo_address : "127.0.0.1";
    AGW_ASSERT(agw_addr_parse_ip(&addr, where) == AGW_OK);
    GTlsCertificate *certificate = agw_addr_is_loopback(&addr) ? NULL : make_certificate();
    addr.port = certificate != NULL ? DEMO_TLS_PORT : DEMO_PORT;
    agw_err err = agw_demo_start(&p->demo, &p->control, &addr, certificate, p->why, sizeof p->why);
    addr.port = 0; /* taken by somebody else: any other will do */
    if (err != AGW_OK)
        err = agw_demo_start(&p->demo, &p->control, &addr, certificate, p->why, sizeof p->why);
    g_clear_object(&certificate);
    if (err == AGW_OK)
        announce("demo page:", agw_demo_url(p->demo));
    return err;
}

static void stop_demo(program *p)
{
    agw_demo_stop(p->demo);
}
#else
static agw_err start_demo(program *p)
{
    if (!p->config.demo)
        return AGW_OK;
    snprintf(p->why, sizeof p->why, "this program was built without the demo");
    return AGW_ERR_UNSUPPORTED;
}

static void stop_demo(program *p)
{
    (void)p;
}
#endif

/* --- start and stop ----------------------------------------------------------------------------
 */

static agw_err start_http(program *p)
{
    if (!agw_addr_is_set(&p->config.http_listen))
        return AGW_OK;
    const agw_err err = agw_http_new(&p->http, &p->config.http_listen, NULL, p->why, sizeof p->why);
    if (err != AGW_OK)
        return err;
    agw_http_ng_mount(p->http, p->server);
    return AGW_OK;
}

static void start_events(program *p)
{
    const agw_config *config = &p->config;
    p->events = agw_events_new();
    agw_events_set_dtmf(p->events, &config->dtmf_log_dest, config->dtmf_log_ng_tcp);
    for (guint i = 0; i < config->notify->len; i++)
        AGW_ASSERT(agw_events_add(p->events, g_ptr_array_index(config->notify, i)) == AGW_OK);
    p->links = agw_links_new(config, p->events);
}

/* Before there are threads. Without a plug-in EVS is not converted, whatever --transcode says. */
static agw_err load_evs(program *p)
{
    const char *path = p->config.evs_plugin;
    const agw_err err = path[0] != '\0' ? agw_evs_load(path) : AGW_OK;
    if (err == AGW_ERR_UNSUPPORTED)
        snprintf(p->why, sizeof p->why, "evs-plugin: %s is of another version", path);
    else if (err != AGW_OK)
        snprintf(p->why, sizeof p->why, "evs-plugin: %s is no plug-in", path);
    else if (path[0] != '\0')
        agw_log(AGW_LOG_INFO, NULL, "EVS is coded by %s", path);
    if (!agw_codec_can_encode(AGW_CODEC_EVS))
        p->config.transcode &= ~(UINT32_C(1) << AGW_CODEC_EVS);
    return err;
}

/* The control ports first: the gateway takes core ports at random, and a port of ours may lie in
 * their range. */
static agw_err start(program *p)
{
    agw_err err = load_evs(p);
    if (err == AGW_OK)
        err = agw_server_new(&p->server, &p->config, &p->control, p->why, sizeof p->why);
    if (err == AGW_OK)
        err = agw_streams_new(&p->streams, &p->config, p->server, p->why, sizeof p->why);
    if (err == AGW_OK)
        err = start_http(p);
    if (err == AGW_OK)
        err = agw_gateway_new(&p->gateway, &p->config.gateway, p->why, sizeof p->why);
    if (err != AGW_OK)
        return err;
    start_events(p);
    p->calls = agw_calls_new(&p->config, p->gateway, p->events);
    agw_control_init(&p->control, &p->config, p->gateway, p->calls, p->events);
    add_sources(p);
    err = start_demo(p);
    if (err == AGW_OK)
        err = write_pidfile(p);
    return err;
}

static void announce_listeners(const program *p)
{
    char text[AGW_ADDR_TEXT];
    if (p->http != NULL)
        announce("listening for http on", agw_http_url(p->http));
    for (size_t i = 0; i < agw_streams_listeners(p->streams); i++)
        announce("listening for ng on tcp",
                 agw_addr_text(agw_streams_addr(p->streams, i), text, sizeof text));
    if (p->config.unix_listen[0] != '\0')
        announce("listening for ng on unix", p->config.unix_listen);
    for (size_t i = 0; i < agw_server_listeners(p->server); i++)
        announce("listening for ng on udp",
                 agw_addr_text(agw_server_addr(p->server, i), text, sizeof text));
}

static void stop(program *p)
{
    stop_demo(p);
    agw_http_free(p->http);
    agw_streams_free(p->streams);
    agw_server_free(p->server);
    remove_sources(p);
    if (p->calls != NULL)
        agw_control_fini(&p->control);
    agw_calls_free(p->calls);
    agw_links_free(p->links);
    agw_events_free(p->events);
    agw_gateway_free(p->gateway);
    if (p->has_pidfile) /* else it is another process's */
        (void)unlink(p->config.pidfile);
}

static int run(program *p)
{
    raise_file_limit();
    p->loop = g_main_loop_new(NULL, FALSE);
    const agw_err err = start(p);
    if (err == AGW_OK) {
        announce_listeners(p);
        tell_ready(p);
        g_main_loop_run(p->loop);
    } else {
        agw_log(AGW_LOG_ERROR, NULL, "cannot start: %s", p->why);
        if (p->ready_fd >= 0)
            fprintf(stderr, "agwd: %s\n", p->why);
    }
    stop(p);
    g_main_loop_unref(p->loop);
    agw_log(AGW_LOG_INFO, NULL, "stopped");
    return err == AGW_OK ? 0 : 1;
}

static int configured(program *p)
{
    int status = 0;
    if (!go_to_background(p, &status))
        return status;
    agw_log_sink_start(p->config.log_level, p->config.foreground);
    for (guint i = 0; i < p->config.warnings->len; i++)
        agw_log(AGW_LOG_WARN, NULL, "%s", (const char *)g_ptr_array_index(p->config.warnings, i));
    signal(SIGPIPE, SIG_IGN);
    status = run(p);
    if (p->ready_fd >= 0)
        close(p->ready_fd);
    return status;
}

int main(int argc, char **argv)
{
    program p = {.argc = argc, .argv = argv, .ready_fd = -1};
    int status = 0;
    const agw_config_result result = agw_config_load(&p.config, argc, argv, p.why, sizeof p.why);
    if (result == AGW_CONFIG_REFUSED) {
        fprintf(stderr, "agwd: %s\n", p.why);
        status = 1;
    } else if (result == AGW_CONFIG_RUN) {
        status = configured(&p);
    }
    agw_config_fini(&p.config);
    return status;
}
