/*
 * The tools of tornado/testing.h: an environment for tests, its clock, and requests through memory.
 *
 * The test's own code stands outside the loop and drives it turn by turn. Always holds: the clock moves only in pass_time and
 * tn_test_advance, and only when the loop is at rest: when its last turn found no event and left no work.
 */
#include "tornado/testing.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answer.h"
#include "base/alloc.h"
#include "base/fault.h"
#include "gen/invoke.h"
#include "gen/task.h"
#include "leaks.h"
#include "net/socket.h"
#include "web/app.h"

enum {
    TURNS_MAX = 1000000, /* in which a loop must come to rest */
    PIECE_BYTES = 65536, /* received at once */
    GRACE_MS = 2,        /* of real time, before the clock jumps: for what comes from other processes */
    OUTSIDE_MS = 2000,   /* for threads and children of ours, without anything coming of it */
};

static const int64_t never_ns = INT64_MAX / 2;
static const double standard_timeout = 5;

struct tn_testenv {
    tn_app *app;
    tn_loop *loop, *before; /* whose turn it was when this one was opened */
    tn__http_server *server;
    tn__answer *answer; /* what the last response lies in */
    int64_t now_ns;
    tn__open_fds fds;
};

/* -- Opening -- */

static int64_t virtual_clock(void *arg)
{
    return ((tn_testenv *)arg)->now_ns;
}

static void destroy(tn_testenv *t)
{
    tn__faults_set(NULL);
    tn__http_server_free(t->server);
    tn_loop_free(t->loop);
    tn_loop_make_current(t->before);
    tn__answer_free(t->answer);
    tn__free(t);
}

static void take_faults_of_environment(void)
{
    const char *faults = getenv("TORNADO_FAULTS");
    if (tn__faults_set(faults) < 0) fprintf(stderr, "TORNADO_FAULTS is no list of faults, and nothing will fail: %s\n", faults);
}

static int furnish(tn_testenv *t)
{
    take_faults_of_environment();
    TN_TRY(tn_loop_new(&t->loop, NULL));
    tn_loop_set_clock(t->loop, virtual_clock, t);
    tn_loop_make_current(t->loop);
    if (!t->app) return TN_OK;
    t->app->invoker = &tn__coroutine_invoker;
    t->server = tn__http_server_new(t->loop, &tn__web_delegate, t->app, NULL);
    return t->server ? TN_OK : TN_ENOMEM;
}

tn_testenv *tn_test_open(tn_app *app)
{
    tn_testenv *t = tn__zalloc(sizeof *t);
    if (!t) return NULL;
    t->app = app;
    t->before = tn_loop_current();
    t->now_ns = 1000000000000; /* not so near zero that a subtraction could go below */
    tn__open_fds_now(&t->fds);
    if (furnish(t) == TN_OK) return t;
    destroy(t);
    return NULL;
}

int tn_test_faults(tn_testenv *t, const char *faults)
{
    return t ? tn__faults_set(faults) : TN_ENOMEM;
}

tn_loop *tn_test_loop(const tn_testenv *t)
{
    return t ? t->loop : NULL;
}

/* -- Time -- */

static bool at_rest(const tn_testenv *t)
{
    return t->loop->event_n == 0 && tn_loop_backend_timeout(t->loop) != 0;
}

/* Turn until there is nothing more to do at this point in time. */
static int settle(tn_testenv *t)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        TN_TRY(tn_loop_turn(t->loop, 0));
        if (at_rest(t)) return TN_OK;
    }
    return TN_EBUSY;
}

/* When something is due next, `limit_ns` at the latest. Rounded up, or a deadline might be approached for ever. */
static int64_t next_ns(const tn_testenv *t, int64_t limit_ns)
{
    double seconds = tn_loop_backend_timeout(t->loop);
    if (seconds < 0) return limit_ns;
    int64_t at_ns = t->now_ns + tn__seconds_to_ns(seconds) + 1;
    return at_ns < limit_ns ? at_ns : limit_ns;
}

static int64_t real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * The clock does not move while threads or child processes of ours are at work, within reason: they take real time. 1: something has
 * happened. 0: nothing is under way, or nothing came of it.
 */
static int wait_outside(tn_testenv *t)
{
    int64_t begun_ms = real_ms();
    while (t->loop->jobs_n > 0 || !tn__list_empty(&t->loop->children)) {
        if (real_ms() - begun_ms > OUTSIDE_MS) return 0;
        /* A deadline of the virtual clock may cut this short: then it is repeated. */
        TN_TRY(tn_loop_turn(t->loop, OUTSIDE_MS / 1e3));
        if (at_rest(t)) continue;
        TN_TRY(settle(t));
        return 1;
    }
    return 0;
}

/* Until nothing of that kind is under way any more. */
static int settle_outside(tn_testenv *t)
{
    int moved;
    TN_TRY(settle(t));
    while ((moved = wait_outside(t)) > 0) continue;
    return moved;
}

/*
 * The loop is at rest, and whoever runs it waits: let something happen, or the clock jump. TN_OK when something may have happened,
 * TN_ETIMEDOUT at `limit_ns`, or when there is no limit and nothing to wait for.
 */
static int pass_time(tn_testenv *t, int64_t limit_ns)
{
    int moved = wait_outside(t);
    if (moved != 0) return moved < 0 ? moved : TN_OK;
    TN_TRY(tn_loop_turn(t->loop, GRACE_MS / 1e3));
    if (!at_rest(t)) return settle(t);
    int64_t at_ns = next_ns(t, limit_ns);
    if (t->now_ns >= limit_ns || at_ns == never_ns) return TN_ETIMEDOUT;
    t->now_ns = at_ns;
    return settle(t);
}

int tn_test_advance(tn_testenv *t, double seconds)
{
    if (!t) return TN_ENOMEM;
    int64_t end_ns = t->now_ns + tn__seconds_to_ns(seconds);
    TN_TRY(settle_outside(t));
    while (t->now_ns < end_ns) {
        t->now_ns = next_ns(t, end_ns);
        TN_TRY(settle_outside(t));
    }
    return TN_OK;
}

/* -- Coroutines -- */

typedef struct run {
    tn_task_fn *fn;
    void *arg;
    int result;
    bool ended;
} run;

static int run_body(void *arg)
{
    run *r = arg;
    return r->fn(r->arg);
}

static void run_ended(tn_loop *loop, void *arg, int result)
{
    (void)loop;
    run *r = arg;
    r->result = result;
    r->ended = true;
}

int tn_test_run(tn_testenv *t, tn_task_fn *fn, void *arg)
{
    if (!t) return TN_ENOMEM;
    run r = {.fn = fn, .arg = arg};
    tn__task_spec spec = {.fn = run_body, .arg = &r, .ended = run_ended, .origin = fn};
    tn_task *task;
    int begun = tn__task_call(t->loop, &spec, &r.result, &task);
    if (begun != TN__PENDING) return begun < 0 ? begun : r.result;
    int waited = settle(t);
    while (!r.ended && waited == TN_OK) waited = pass_time(t, never_ns);
    if (r.ended) return r.result;
    tn_cancel(task);
    /* Its argument and `r` lie in frames that go now: it must end, and does unless it waits under a shield for what never comes. */
    while (!r.ended && (settle(t) < 0 || pass_time(t, never_ns) == TN_OK)) continue;
    return waited;
}

/* -- Requests -- */

typedef struct fetch {
    tn_testenv *t;
    const tn_test_fetch_opts *opts;
    tn_buf request;
    int fd;
    bool eof, moved; /* bytes went to or fro at the last look */
} fetch;

static int compose(fetch *f)
{
    const tn_test_fetch_opts *o = f->opts;
    tn_buf *b = &f->request;
    const char *method = o->method ? o->method : "GET";
    TN_TRY(tn__buf_printf(b, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", method, o->path));
    for (const tn_header *h = o->headers; h && h->name.p; h++)
        TN_TRY(tn__buf_printf(b, TN_FMT ": " TN_FMT "\r\n", TN_ARG(h->name), TN_ARG(h->value)));
    if (o->body.p) TN_TRY(tn__buf_printf(b, "Content-Length: %zu\r\n", o->body.n));
    TN_TRY(tn__buf_printf(b, "\r\n"));
    return tn__buf_add_str(b, o->body);
}

static int connect_to_server(fetch *f)
{
    int fds[2];
    tn_addr peer = {.len = sizeof(sa_family_t), .u.sa.sa_family = AF_UNIX};
    TN_TRY(tn__socket_pair(fds));
    int result = tn__http1_open(f->t->server, fds[1], &peer); /* which closes it on failure */
    if (result == TN_OK)
        f->fd = fds[0];
    else
        close(fds[0]);
    return result;
}

/* A server that answers early, and closes, is not an error: its answer is what counts. */
static void send_some(fetch *f)
{
    if (f->request.n == 0) return;
    ssize_t sent = send(f->fd, f->request.p, f->request.n, MSG_NOSIGNAL);
    if (sent <= 0) return;
    tn__buf_consume(&f->request, (size_t)sent);
    f->moved = true;
}

static int receive_some(fetch *f)
{
    tn_buf *in = tn__answer_input(f->t->answer);
    while (!f->eof) {
        TN_TRY(tn__buf_reserve(in, PIECE_BYTES));
        ssize_t got = recv(f->fd, in->p + in->n, PIECE_BYTES, 0);
        if (got < 0 && errno == EAGAIN) return TN_OK;
        if (got < 0 && errno != ECONNRESET) return -errno;
        f->moved = true;
        if (got > 0)
            in->n += (size_t)got;
        else
            f->eof = true;
    }
    return TN_OK;
}

/* Until the response is there, or the limit is. */
static int converse(fetch *f)
{
    double timeout = f->opts->timeout > 0 ? f->opts->timeout : standard_timeout;
    int64_t limit_ns = f->t->now_ns + tn__seconds_to_ns(timeout);
    for (;;) {
        f->moved = false;
        send_some(f);
        TN_TRY(receive_some(f));
        int result = tn__answer_look(f->t->answer, f->eof, f->opts->res);
        if (result != TN_EAGAIN) return result;
        TN_TRY(f->moved ? settle(f->t) : pass_time(f->t, limit_ns));
    }
}

int tn_test_fetch_(const tn_test_fetch_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    tn_testenv *t = opts->t;
    if (!t) return TN_ENOMEM;
    if (!t->app) return TN_EMISUSE;
    TN_TRY(tn_app_error(t->app, NULL));
    tn__answer_free(t->answer);
    t->answer = tn__answer_new(opts->method && strcmp(opts->method, "HEAD") == 0);
    if (!t->answer) return TN_ENOMEM;

    fetch f = {.t = t, .opts = opts, .fd = -1};
    int64_t begun_ns = t->now_ns;
    int result = compose(&f);
    if (result == TN_OK) result = connect_to_server(&f);
    if (result == TN_OK) result = converse(&f);
    if (result == TN_OK) opts->res->total_time = (double)(t->now_ns - begun_ns) / 1e9;
    tn__buf_done(&f.request);
    if (f.fd >= 0) close(f.fd);
    int settled = settle(t); /* the server sees that the connection is closed */
    return result < 0 ? result : settled;
}

/* -- Closing -- */

int tn_test_close(tn_testenv *t)
{
    if (!t) return TN_ENOMEM;
    tn__open_fds before = t->fds;
    int settled = settle_outside(t);
    size_t found = tn__leaks_of_loop(t->loop, stderr);
    if (t->server && t->server->connections_n > 0) {
        fprintf(stderr, "left behind: %zu requests without a response\n", t->server->connections_n);
        found++;
    }
    destroy(t);
    found += tn__leaks_of_fds(&before, stderr);
    return found ? TN_ELEAKED : settled;
}
