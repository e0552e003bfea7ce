/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/agwctl_top.h"

#include "base/clock.h"
#include "control/top.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { COLUMNS = 80 }; /* where there is no terminal to ask */

/* Somebody waits in front of an empty screen. */
static const agw_ns FIRST_LOOK = AGW_MS(500);

#define ENTER_SCREEN "\033[?1049h\033[?25l"
#define LEAVE_SCREEN "\033[?25h\033[?1049l"

typedef struct top {
    agw_client *client;
    const agw_top_options *options;
    bool tty;  /* draw in place */
    bool keys; /* the terminal gives single keys: give it back as it was */
    struct termios as_it_was;
    int signals;            /* signalfd */
    agw_doc *before, *now;  /* replies; NULL = none yet */
    agw_ns unanswered_from; /* 0 = the gateway answers */
} top;

typedef enum happening { TIME, RESIZED, QUIT } happening;

/* --- the terminal ------------------------------------------------------------------------------
 */

static void open_signals(top *t)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    AGW_ASSERT(t->signals >= 0);
}

static void open_terminal(top *t)
{
    struct termios wanted;
    if (!t->tty)
        return;
    t->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->as_it_was) == 0;
    if (t->keys) {
        wanted = t->as_it_was;
        wanted.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &wanted);
    }
    fputs(ENTER_SCREEN, stdout);
}

static void close_terminal(const top *t)
{
    if (t->tty)
        fputs(LEAVE_SCREEN, stdout);
    fflush(stdout);
    if (t->keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &t->as_it_was);
}

static happening take_signal(const top *t)
{
    struct signalfd_siginfo info;
    happening what = RESIZED;
    while (read(t->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGWINCH)
            what = QUIT;
    }
    return what;
}

static bool wants_to_quit(void)
{
    char key = 0;
    return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
}

static happening wait_until(const top *t, agw_ns deadline)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = t->signals, .events = POLLIN},
                                 {.fd = t->keys ? STDIN_FILENO : -1, .events = POLLIN}};
        const agw_ns left = deadline - agw_clock_now();
        if (left <= 0 || poll(ready, 2, (int)((left + AGW_MS(1) - 1) / AGW_MS(1))) == 0)
            return TIME;
        if (ready[0].revents != 0)
            return take_signal(t);
        if (ready[1].revents != 0 && wants_to_quit())
            return QUIT;
    }
}

/* --- drawing -----------------------------------------------------------------------------------
 */

static agw_top_style style_of(const top *t)
{
    struct winsize size;
    agw_top_style style = {.server = t->client->server, .columns = COLUMNS};
    if (!t->tty)
        return style;
    style.ansi = true;
    style.rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 && size.ws_row != 0) {
        style.columns = size.ws_col;
        style.rows = size.ws_row;
    }
    return style;
}

/* No line more than fit; what stood there before is cleared. In one piece, so that nothing
 * flickers. A line is cleared before it is written: behind one that fills it the terminal stands on
 * its end. */
static void print_in_place(const char *text, unsigned rows)
{
    GString *screen = g_string_new("\033[H");
    char **lines = g_strsplit(text, "\n", -1);
    unsigned n = 0;
    for (; n < rows && lines[n] != NULL; n++)
        g_string_append_printf(screen, "%s\033[K%s", n != 0 ? "\n" : "", lines[n]);
    if (n < rows)
        g_string_append(screen, "\033[J");
    fputs(screen->str, stdout);
    g_strfreev(lines);
    g_string_free(screen, TRUE);
}

static void write_trouble(GString *out, const top *t)
{
    if (t->unanswered_from != 0)
        g_string_append_printf(out, "no answer from %s for %d s\n", t->client->server,
                               (int)((agw_clock_now() - t->unanswered_from) / AGW_S(1)));
}

static void draw(const top *t)
{
    const agw_top_style style = style_of(t);
    GString *text = g_string_new(NULL);
    write_trouble(text, t);
    if (t->before != NULL)
        agw_top_render(text, agw_doc_get(t->before, "statistics"),
                       agw_doc_get(t->now, "statistics"), &style);
    else
        g_string_append_printf(text, "agwd at %s   the first rates come in a moment\n",
                               t->client->server);
    if (t->tty)
        print_in_place(text->str, style.rows);
    else
        printf("%s%s", text->str, t->options->once ? "" : "\n");
    fflush(stdout);
    g_string_free(text, TRUE);
}

/* --- asking ------------------------------------------------------------------------------------
 */

/* In place, a gateway that is silent for a while is only told of. */
static agw_doc *look(const top *t)
{
    agw_doc *request = agw_doc_new_dict();
    agw_doc_set_str(request, "command", "statistics");
    agw_doc_set_str(request, "flags", "histograms");
    if (!t->tty || t->now == NULL)
        return agw_client_ask(t->client, request);
    agw_doc *reply = agw_client_try(t->client, request);
    agw_doc_free(request);
    if (reply != NULL && agw_doc_get(reply, "statistics") != NULL)
        return reply;
    agw_doc_free(reply);
    return NULL;
}

/* Who was silent may be another one now. */
static void keep(top *t, agw_doc *fresh)
{
    const bool follows =
        t->now != NULL && t->unanswered_from == 0 &&
        agw_top_follows(agw_doc_get(t->now, "statistics"), agw_doc_get(fresh, "statistics"));
    agw_doc_free(t->before);
    t->before = follows ? t->now : NULL;
    if (!follows)
        agw_doc_free(t->now);
    t->now = fresh;
}

/* false: it is over. */
static bool update(top *t)
{
    agw_doc *fresh = look(t);
    if (fresh != NULL) {
        keep(t, fresh);
        t->unanswered_from = 0;
    } else if (!t->tty) {
        return false;
    } else if (t->unanswered_from == 0) {
        t->unanswered_from = agw_clock_now();
    }
    if (t->tty || t->before != NULL)
        draw(t);
    return !(t->options->once && t->before != NULL);
}

static void run(top *t)
{
    const agw_ns interval = (agw_ns)(t->options->interval * (double)AGW_S(1));
    agw_ns next = agw_clock_now() + (t->tty ? agw_earlier(interval, FIRST_LOOK) : interval);
    for (;;) {
        const happening what = wait_until(t, next);
        if (what == QUIT || (what == TIME && !update(t)))
            return;
        if (what == RESIZED)
            draw(t);
        else
            next = agw_clock_now() + interval;
    }
}

int agw_top_run(agw_client *client, const agw_top_options *options)
{
    top t = {.client = client, .options = options};
    t.now = look(&t);
    if (t.now == NULL)
        return client->status;
    t.tty = !options->once && isatty(STDOUT_FILENO);
    open_signals(&t);
    open_terminal(&t);
    if (t.tty)
        draw(&t);
    run(&t);
    close_terminal(&t);
    close(t.signals);
    agw_doc_free(t.before);
    agw_doc_free(t.now);
    return client->status;
}
