/*
 * tn_serve: from an application and a few options to a running server, and its graceful end. The only place in the library that
 * exits, changes what signals do, or prints (but for the testing tools, which tell of leaks).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "argv.h"
#include "gen/invoke.h"
#include "net/listen.h"
#include "net/socket.h"
#include "notify.h"
#include "tornado/gen.h"
#include "tornado/process.h"
#include "web/app.h"

typedef struct serving {
    tn_serve_opts opts;
    int level;
    tn_worker *worker; /* NULL in a process that serves alone */
    int fds[TN__LISTENERS_MAX];
    int fds_n; /* open, and not yet the server's */
    tn_loop *loop;
    tn_log_console *console;
    tn__http_server *server;
    tn_tls *tls; /* made of files that the options name */
    bool stopping;
} serving;

static const double standard_grace = 30;

/* One clear line, whatever went wrong. */
static int complain(const char *text)
{
    fprintf(stderr, "%s\n", text);
    return TN_EINVAL;
}

static int complain_code(const char *what, int code)
{
    fprintf(stderr, "%s: %s\n", what, tn_strerror(code));
    return code;
}

/* The command line overrides the program's own options. Returns -1 to go on, else the exit status. */
static int take_command_line(serving *s)
{
    tn_serve_opts *o = &s->opts;
    tn_http_opts *h = &o->http;
    const tn__option options[] = {
        {"port", TN__OPTION_INT, &o->port, 0, 65535, "PORT", "listen on this port; 0 chooses a free one"},
        {"address", TN__OPTION_TEXT, &o->address, 0, 0, "ADDRESS", "listen on this address only"},
        {"unix-socket", TN__OPTION_TEXT, &o->unix_socket, 0, 0, "PATH", "listen on a Unix socket; @NAME for an abstract one"},
        {"reuse-port", TN__OPTION_FLAG, &o->reuse_port, 0, 0, NULL, "let several processes listen on the same port"},
        {"workers", TN__OPTION_INT, &o->workers, -1, 1024, "N", "serve with N processes; -1: one for each CPU"},
        {"inherited-fd", TN__OPTION_INT, &o->inherited_fd, 0, 1 << 20, "FD", "listen on this inherited descriptor"},
        {"tls-cert", TN__OPTION_TEXT, &o->tls_cert, 0, 0, "PATH", "serve HTTPS with this certificate (PEM)"},
        {"tls-key", TN__OPTION_TEXT, &o->tls_key, 0, 0, "PATH", "its key, if it is not in the same file"},
        {"logging", TN__OPTION_LEVEL, &s->level, 0, 0, "LEVEL", "debug, info, warning, error or none"},
        {"grace", TN__OPTION_SECONDS, &o->grace, 0, 0, "SECONDS", "time for requests in flight after SIGTERM; 0: none"},
        {"max-head-bytes", TN__OPTION_BYTES, &h->head_bytes_max, 0, 0, "BYTES", "of a request's line and fields"},
        {"max-target-bytes", TN__OPTION_BYTES, &h->target_bytes_max, 0, 0, "BYTES", "of a request-target"},
        {"max-fields", TN__OPTION_BYTES, &h->fields_max, 0, 0, "N", "header fields of a request"},
        {"max-body-bytes", TN__OPTION_BYTES, &h->body_bytes_max, 0, 0, "BYTES", "of a request body"},
        {"max-arguments", TN__OPTION_BYTES, &h->arguments_max, 0, 0, "N", "arguments of a request"},
        {"max-connections", TN__OPTION_BYTES, &h->connections_max, 0, 0, "N", "open at the same time"},
        {"idle-timeout", TN__OPTION_SECONDS, &h->idle_timeout, 0, 0, "SECONDS", "between two requests; 0: no limit"},
        {"head-timeout", TN__OPTION_SECONDS, &h->head_timeout, 0, 0, "SECONDS", "for a complete head; 0: no limit"},
        {"body-timeout", TN__OPTION_SECONDS, &h->body_timeout, 0, 0, "SECONDS", "between two pieces of a body; 0: no limit"},
        {"send-timeout", TN__OPTION_SECONDS, &h->send_timeout, 0, 0, "SECONDS", "for a client that takes nothing; 0: no limit"},
        {0},
    };
    return o->argv ? tn__argv_take(options, o->argc, o->argv) : -1;
}

/* Open the descriptors to listen on: one that was named, those that systemd handed over, or new ones. */
static int open_listeners(serving *s)
{
    const tn_serve_opts *o = &s->opts;
    tn_error err = {0};
    tn__bind_opts bind = {
        .address = o->address,
        .port = o->port,
        .unix_path = o->unix_socket,
        .backlog = o->backlog,
        .reuse_port = o->reuse_port,
    };
    int n = 0;
    if (o->inherited_fd > 0) {
        s->fds[0] = o->inherited_fd;
        n = tn__listen_adopt(o->inherited_fd, &err) < 0 ? TN_EINVAL : 1;
    } else {
        n = tn__listen_inherited(s->fds, TN__LISTENERS_MAX, &err);
        if (n == 0) n = tn__bind_sockets(&bind, s->fds, TN__LISTENERS_MAX, &err);
    }
    if (n < 0) return complain(err.text);
    s->fds_n = n;
    return TN_OK;
}

/* Say where a descriptor listens; returns its port. */
static int announce(const serving *s, int fd)
{
    tn_addr local;
    char text[TN_ADDR_TEXT_BYTES];
    if (tn__socket_local(fd, &local) < 0) return 0;
    tn_str shown = tn_addr_format(&local, text);
    if (!s->worker || tn_worker_id(s->worker) == 0)
        TN__SAY(&s->loop->report, TN_LOG_INFO, TN_LOG_GENERAL, "Listening on " TN_FMT, TN_ARG(shown));
    return tn_addr_port(&local);
}

/* Give the descriptors to the server, and return the port; 0 for a Unix socket. */
static int listen_on(serving *s)
{
    int port = 0;
    while (s->fds_n > 0) {
        int fd = s->fds[s->fds_n - 1], on = announce(s, fd);
        int e = tn__http_server_listen(s->server, fd);
        if (e < 0) return complain_code("cannot listen", e);
        s->fds_n--;
        if (on > 0) port = on;
    }
    return port;
}

static void all_done(void *arg)
{
    tn_loop_stop(((serving *)arg)->loop);
}

static void out_of_time(void *arg)
{
    serving *s = arg;
    TN__SAY(&s->loop->report, TN_LOG_WARNING, TN_LOG_GENERAL, "Stopping with %zu connections still busy", s->server->connections_n);
    tn_loop_stop(s->loop);
}

static double grace_of(const serving *s)
{
    return s->opts.grace < 0 ? 0 : s->opts.grace > 0 ? s->opts.grace : standard_grace;
}

/* The first signal begins a graceful end; who is in a hurry sends a second one. */
static void on_signal(void *arg, int signum)
{
    (void)signum;
    serving *s = arg;
    if (s->stopping) {
        tn_log_console_flush(s->console);
        _exit(1);
    }
    s->stopping = true;
    tn__notify(TN__NOTIFY_STOPPING);
    tn_call_later(s->loop, grace_of(s), out_of_time, s);
    tn__http_server_drain(s->server, all_done, s);
}

/*
 * Descriptors 0, 1 and 2 that somebody closed before the program began would be given to the loop or to a client, and what is meant
 * for standard error would be sent to them.
 */
static void fill_standard_descriptors(void)
{
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

/* Ctrl-\: who waits, and where. */
static void on_quit(void *arg, int signum)
{
    (void)arg, (void)signum;
    tn_loop_dump(stderr);
}

/* New connections are to see new certificates. Workers learn of them by being replaced. */
static void on_hangup(void *arg, int signum)
{
    serving *s = arg;
    tn_error err;
    (void)signum;
    if (tn_tls_reload(s->tls, &err) < 0)
        TN__SAY(&s->loop->report, TN_LOG_ERROR, TN_LOG_GENERAL, "Going on with the old certificate: %s", err.text);
    else
        TN__SAY(&s->loop->report, TN_LOG_INFO, TN_LOG_GENERAL, "Certificate read again");
}

/* What ends the process gracefully. Ctrl-C reaches a worker as its parent's SIGTERM, so that one signal does not count twice. */
static int watch_signals(serving *s)
{
    signal(SIGPIPE, SIG_IGN);
    int e = tn_signal_watch(s->loop, SIGTERM, on_signal, s);
    if (e == TN_OK && !s->worker) e = tn_signal_watch(s->loop, SIGINT, on_signal, s);
    if (e == TN_OK) e = tn_signal_watch(s->loop, SIGQUIT, on_quit, s);
    if (e == TN_OK && s->tls && !s->worker) e = tn_signal_watch(s->loop, SIGHUP, on_hangup, s);
    return e < 0 ? complain_code("cannot watch signals", e) : TN_OK;
}

static int make_tls(serving *s)
{
    tn_error err = {0};
    if (!s->opts.tls_cert) return TN_OK;
    int e = tn_tls_new(&s->tls, &err, .server = true, .cert_file = s->opts.tls_cert, .key_file = s->opts.tls_key);
    s->opts.http.tls = s->tls;
    return e < 0 ? complain(err.code ? err.text : tn_strerror(e)) : TN_OK;
}

static int start(serving *s)
{
    int e = tn_loop_new(&s->loop, NULL);
    if (e < 0) return complain_code("cannot make an event loop", e);
    TN_TRY(make_tls(s));
    s->console = tn_log_console_new(s->loop, STDERR_FILENO, s->level);
    s->opts.app->invoker = &tn__coroutine_invoker;
    s->server = tn__http_server_new(s->loop, &tn__web_delegate, s->opts.app, &s->opts.http);
    if (!s->console || !s->server) return complain("out of memory");

    int port = 0;
    if (s->fds_n == 0) TN_TRY(open_listeners(s));
    TN_TRY(port = listen_on(s));
    TN_TRY(watch_signals(s));
    if (s->opts.on_start) s->opts.on_start(s->loop, port, s->opts.on_start_arg);
    if (s->worker)
        tn_worker_ready(s->worker);
    else
        tn__notify(TN__NOTIFY_READY);
    return TN_OK;
}

/* Everything in the order in which it needs each other; what is unfinished runs to its end, cancelled, while the loop goes. */
static void stop(serving *s)
{
    const int watched[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    for (size_t i = 0; s->loop && i < sizeof watched / sizeof *watched; i++) tn_signal_unwatch(s->loop, watched[i]);
    tn__http_server_free(s->server);
    tn_tls_free(s->tls);
    tn_log_console_free(s->console);
    tn_loop_free(s->loop);
    tn_app_free(s->opts.app);
    while (s->fds_n > 0) close(s->fds[--s->fds_n]);
}

/* One serving process, from its loop to its exit status. */
static int serve_here(serving *s)
{
    int e = start(s);
    if (e == TN_OK) e = tn_loop_run(s->loop);
    stop(s);
    return e < 0 ? 1 : 0;
}

static int serve_as_worker(tn_worker *worker, void *arg)
{
    serving *s = arg;
    s->worker = worker;
    return serve_here(s);
}

/* The parent opens what is shared, and then only supervises. */
static int serve_with_workers(serving *s)
{
    int e = s->opts.reuse_port ? TN_OK : open_listeners(s);
    if (e == TN_OK) {
        double grace = grace_of(s) + 5; /* a worker knows best what is worth saying about its own end */
        e = tn_fork_workers(serve_as_worker, .arg = s, .count = s->opts.workers, .log_level = s->level, .grace = grace);
        if (e < 0) complain_code("workers", e);
    }
    stop(s);
    return e < 0 ? 1 : 0;
}

/* Options of the program and of the command line, and the application itself. Returns -1 to go on, else the exit status. */
static int check(serving *s)
{
    tn_error err = {0};
    fill_standard_descriptors();
    if (s->opts.logging) s->level = tn_log_level_parse(s->opts.logging);
    if (s->level < 0) return complain("logging must be debug, info, warning, error or none"), 1;
    int status = take_command_line(s);
    if (status >= 0) return status;
    return tn_app_error(s->opts.app, &err) < 0 ? (complain(err.text), 1) : -1;
}

int tn_serve_(const tn_serve_opts *opts, size_t opts_size)
{
    serving s = {.level = TN_LOG_INFO};
    size_t known = offsetof(tn_serve_opts, end_);
    memcpy(&s.opts, opts, opts_size < known ? opts_size : known);
    int status = check(&s);
    if (status < 0) return s.opts.workers ? serve_with_workers(&s) : serve_here(&s);
    stop(&s);
    return status;
}
