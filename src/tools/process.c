/*
 * Workers and their supervisor. The parent runs a loop of its own that waits for signals, for the workers' word that they are ready,
 * and for the time of the next restart; it serves nobody.
 *
 * A worker is in one of the states below; each way from one to the next is one function. The parent's loop is freed in the child
 * before the worker's function runs, so a worker starts as fresh as a new process.
 */
#include "tornado/process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/alloc.h"
#include "core/loop.h"
#include "notify.h"

typedef enum worker_state {
    ENDED,    /* no process, and none wanted */
    WAITING,  /* for the time of its restart */
    DUE,      /* to be started as soon as this turn is over */
    STARTING, /* running, and has not yet said that it is ready */
    READY,
    LEAVING, /* has been told to end */
} worker_state;

typedef struct supervisor supervisor;

typedef struct slot {
    supervisor *parent;
    int id;
    worker_state state;
    pid_t pid;
    pid_t successor;    /* of a rolling restart: the new process, until it is ready */
    pid_t leaving;      /* and then the old one, until it has ended */
    int ready_fd;       /* the newest process says here that it is ready; -1 when that is known */
    bool successor_due; /* to be started likewise */
    int failures;       /* in a row */
} slot;

struct supervisor {
    tn_workers_opts opts;
    tn_loop *loop;
    tn_log_console *console;
    slot *slots;
    int count;
    int restarts_left;
    int rolling;         /* the slot that is being replaced; -1: none */
    bool roll_again;     /* asked for while the last one was not over */
    tn_timeout patience; /* with the one that is to become ready */
    bool announced;      /* systemd was told that all are ready, or does not need to be any more */
    bool stopping;
    int result;
};

struct tn_worker {
    int id;
    int ready_fd;
};

static const double standard_grace = 35, standard_ready_timeout = 30;

int tn_cpu_count(void)
{
#ifdef __linux__
    cpu_set_t mine;
    if (sched_getaffinity(0, sizeof mine, &mine) == 0 && CPU_COUNT(&mine) > 0) return CPU_COUNT(&mine);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

int tn_worker_id(const tn_worker *worker)
{
    return worker->id;
}

void tn_worker_ready(tn_worker *worker)
{
    if (worker->ready_fd < 0) return;
    ssize_t said = write(worker->ready_fd, "r", 1); /* a parent that has died does not care */
    (void)said;
    close(worker->ready_fd);
    worker->ready_fd = -1;
}

#define SAY(s, level, ...) TN__SAY(&(s)->loop->report, level, TN_LOG_GENERAL, __VA_ARGS__)

/* ---- The child ---- */

/* Back to what a program expects at its start, then the worker's own function. Never returns. */
static void run_worker(supervisor *s, int id, int ready_fd, pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    if (getppid() != parent) _exit(1); /* it died before it could be asked for that */
    tn_worker worker = {.id = id, .ready_fd = ready_fd};
    tn_worker_fn *fn = s->opts.fn;
    void *arg = s->opts.arg;
    for (int i = 0; i < s->count; i++)
        if (s->slots[i].ready_fd >= 0) close(s->slots[i].ready_fd);
    tn_log_console_free(s->console);
    tn_loop_free(s->loop);
    tn__free(s->slots);
    unsetenv("NOTIFY_SOCKET"); /* the parent speaks for all */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN); /* the terminal sends it to all: the parent passes its own word on */
    signal(SIGHUP, SIG_IGN);
    exit(fn(&worker, arg));
}

/* ---- Starting ---- */

static void on_word(void *arg, int fd, unsigned events);

static void forget_ready(slot *w)
{
    if (w->ready_fd < 0) return;
    tn_loop_remove_handler(w->parent->loop, w->ready_fd);
    close(w->ready_fd);
    w->ready_fd = -1;
}

/* A new process for that slot. Returns its number, or an error. */
static pid_t spawn(slot *w)
{
    supervisor *s = w->parent;
    int ends[2];
    if (pipe(ends) < 0) return -errno;
    tn_log_console_flush(s->console); /* or the child would write it again */
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        close(ends[0]);
        run_worker(s, w->id, ends[1], parent);
    }
    int error = pid < 0 ? -errno : 0;
    close(ends[1]);
    forget_ready(w);
    w->ready_fd = ends[0];
    if (error == 0) error = tn_loop_add_handler(s->loop, ends[0], TN_READ, on_word, w);
    if (error == 0) return pid;
    close(ends[0]);
    w->ready_fd = -1;
    if (pid > 0) kill(pid, SIGKILL);
    return pid > 0 ? pid : error;
}

static void restart_now(void *arg)
{
    slot *w = arg;
    if (w->state == WAITING) w->state = DUE;
}

/* Try again: at once the first time, then later and later, so that a broken program does not burn a CPU. */
static void restart_later(slot *w)
{
    double delay = w->failures <= 1 ? 0 : w->failures < 8 ? 0.05 * (1 << w->failures) : 10;
    w->state = WAITING;
    if (!tn_call_later(w->parent->loop, delay, restart_now, w)) w->state = ENDED;
}

static void start(slot *w)
{
    pid_t pid = spawn(w);
    if (pid > 0) {
        w->pid = pid;
        w->state = STARTING;
        return;
    }
    SAY(w->parent, TN_LOG_ERROR, "cannot start worker %d: %s", w->id, tn_strerror((int)pid));
    w->failures++;
    restart_later(w);
}

/* ---- The word to systemd ---- */

/* Once all workers are ready for the first time; and again when those of a reload are. */
static void announce_if_ready(supervisor *s)
{
    if (s->announced || s->stopping || s->rolling >= 0) return;
    for (int i = 0; i < s->count; i++)
        if (s->slots[i].state != READY) return;
    tn__notify(TN__NOTIFY_READY);
    s->announced = true;
}

/* ---- Rolling restarts ---- */

static void roll_on(supervisor *s);

static void tell_to_leave(slot *w)
{
    w->state = LEAVING;
    if (w->pid > 0) kill(w->pid, SIGTERM);
}

/* The new process is ready, or the old one has ended before: it takes the slot. */
static void replace(slot *w)
{
    if (w->pid > 0) kill(w->pid, SIGTERM);
    w->leaving = w->pid;
    w->pid = w->successor;
    w->successor = 0;
    w->state = READY;
    roll_on(w->parent);
}

static void out_of_patience(void *arg)
{
    supervisor *s = arg;
    s->patience = 0;
    slot *w = &s->slots[s->rolling];
    SAY(s, TN_LOG_ERROR, "worker %d did not become ready: the old ones stay", w->id);
    kill(w->successor, SIGKILL); /* its end puts an end to the rest */
}

/* The next slot, or the end of it. */
static void roll_on(supervisor *s)
{
    tn_remove_timeout(s->loop, s->patience);
    s->patience = 0;
    for (s->rolling++; s->rolling < s->count && !s->stopping; s->rolling++) {
        slot *w = &s->slots[s->rolling];
        w->successor_due = w->state == READY || w->state == STARTING;
        if (w->successor_due) return;
    }
    s->rolling = -1;
    announce_if_ready(s);
}

static void start_successor(slot *w)
{
    supervisor *s = w->parent;
    w->successor_due = false;
    pid_t pid = spawn(w);
    if (pid < 0) {
        SAY(s, TN_LOG_ERROR, "cannot start a new worker %d: %s", w->id, tn_strerror((int)pid));
        s->rolling = -1;
        announce_if_ready(s);
        return;
    }
    w->successor = pid;
    double limit = s->opts.ready_timeout > 0 ? s->opts.ready_timeout : standard_ready_timeout;
    s->patience = tn_call_later(s->loop, limit, out_of_patience, s);
}

/* Begin once the last round is over and its old processes are gone. */
static void roll_if_due(supervisor *s)
{
    bool busy = s->rolling >= 0;
    for (int i = 0; i < s->count; i++) busy |= s->slots[i].leaving > 0;
    if (busy || !s->roll_again || s->stopping) return;
    s->roll_again = false;
    SAY(s, TN_LOG_INFO, "replacing %d workers", s->count);
    tn__notify(TN__NOTIFY_RELOADING);
    s->announced = false;
    roll_on(s);
}

static void on_hangup(void *arg, int signum)
{
    (void)signum;
    supervisor *s = arg;
    s->roll_again = true;
    roll_if_due(s);
}

/* A process says that it is ready, or has ended without a word. */
static void on_word(void *arg, int fd, unsigned events)
{
    (void)events;
    slot *w = arg;
    char word;
    bool ready = read(fd, &word, 1) == 1;
    forget_ready(w);
    if (!ready) return;
    w->failures = 0;
    if (w->successor > 0)
        replace(w);
    else if (w->state == STARTING)
        w->state = READY;
    announce_if_ready(w->parent);
}

/* ---- The end ---- */

static void kill_all(supervisor *s)
{
    for (int i = 0; i < s->count; i++) {
        if (s->slots[i].pid > 0) kill(s->slots[i].pid, SIGKILL);
        if (s->slots[i].successor > 0) kill(s->slots[i].successor, SIGKILL);
        if (s->slots[i].leaving > 0) kill(s->slots[i].leaving, SIGKILL);
    }
}

static void out_of_time(void *arg)
{
    supervisor *s = arg;
    SAY(s, TN_LOG_WARNING, "workers are killed that did not end in time");
    kill_all(s);
}

/* All shall end: gracefully the first time, at once the second. */
static void stop_all(supervisor *s)
{
    if (s->stopping) {
        kill_all(s);
        return;
    }
    s->stopping = true;
    tn__notify(TN__NOTIFY_STOPPING);
    for (int i = 0; i < s->count; i++) {
        slot *w = &s->slots[i];
        if (w->successor > 0) kill(w->successor, SIGTERM);
        if (w->state == WAITING)
            w->state = ENDED;
        else if (w->state != ENDED)
            tell_to_leave(w);
    }
    double grace = s->opts.grace < 0 ? 0 : s->opts.grace > 0 ? s->opts.grace : standard_grace;
    tn_call_later(s->loop, grace, out_of_time, s);
}

static void on_stop_signal(void *arg, int signum)
{
    (void)signum;
    stop_all(arg);
}

/* The process of a slot has ended: by itself, or not. */
static void worker_ended(slot *w, int status)
{
    supervisor *s = w->parent;
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    w->pid = 0;
    if (w->successor > 0) {
        replace(w);
        return;
    }
    if (s->stopping || well) {
        if (!s->stopping) SAY(s, TN_LOG_INFO, "worker %d exited normally", w->id);
        w->state = ENDED;
        return;
    }
    if (WIFSIGNALED(status))
        SAY(s, TN_LOG_WARNING, "worker %d killed by signal %d, restarting", w->id, WTERMSIG(status));
    else
        SAY(s, TN_LOG_WARNING, "worker %d exited with status %d, restarting", w->id, WEXITSTATUS(status));
    if (s->restarts_left-- > 0) {
        w->failures++;
        restart_later(w);
        return;
    }
    SAY(s, TN_LOG_ERROR, "too many restarts of workers, giving up");
    w->state = ENDED;
    s->result = TN_ETOOBIG;
    stop_all(s);
}

static void reaped(supervisor *s, pid_t pid, int status)
{
    for (int i = 0; i < s->count; i++) {
        slot *w = &s->slots[i];
        if (w->pid == pid) {
            worker_ended(w, status);
        } else if (w->leaving == pid) {
            w->leaving = 0;
        } else if (w->successor == pid) {
            SAY(s, TN_LOG_ERROR, "the new worker %d ended before it was ready: the old ones stay", w->id);
            w->successor = 0;
            s->rolling = s->count;
            roll_on(s);
        }
    }
}

static bool all_ended(const supervisor *s)
{
    for (int i = 0; i < s->count; i++)
        if (s->slots[i].state != ENDED || s->slots[i].successor > 0 || s->slots[i].leaving > 0) return false;
    return true;
}

static void on_child(void *arg, int signum)
{
    (void)signum;
    supervisor *s = arg;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) reaped(s, pid, status);
    roll_if_due(s);
}

/* Processes begin between two turns, when nothing of the loop is under way that a child would inherit half done. */
static void start_due(supervisor *s)
{
    for (int i = 0; i < s->count; i++) {
        slot *w = &s->slots[i];
        if (w->state == DUE) start(w);
        if (w->successor_due) start_successor(w);
    }
}

static int supervise(supervisor *s)
{
    int e = TN_OK;
    SAY(s, TN_LOG_INFO, "Starting %d processes", s->count);
    while (e == TN_OK && !all_ended(s)) {
        start_due(s);
        e = tn_loop_turn(s->loop, -1);
    }
    for (int i = 0; i < s->count; i++) forget_ready(&s->slots[i]);
    return e;
}

static int prepare(supervisor *s)
{
    TN_TRY(tn_loop_new(&s->loop, NULL));
    s->console = tn_log_console_new(s->loop, STDERR_FILENO, s->opts.log_level ? s->opts.log_level : TN_LOG_INFO);
    if (!s->console) return TN_ENOMEM;
    TN_TRY(tn_signal_watch(s->loop, SIGCHLD, on_child, s));
    TN_TRY(tn_signal_watch(s->loop, SIGTERM, on_stop_signal, s));
    TN_TRY(tn_signal_watch(s->loop, SIGINT, on_stop_signal, s));
    TN_TRY(tn_signal_watch(s->loop, SIGHUP, on_hangup, s));
    s->slots = tn__zalloc((size_t)s->count * sizeof *s->slots);
    if (!s->slots) return TN_ENOMEM;
    for (int i = 0; i < s->count; i++) s->slots[i] = (slot){.parent = s, .id = i, .state = DUE, .ready_fd = -1};
    return TN_OK;
}

int tn_fork_workers_(const tn_workers_opts *opts, size_t opts_size)
{
    supervisor s = {.rolling = -1};
    size_t known = offsetof(tn_workers_opts, end_);
    memcpy(&s.opts, opts, opts_size < known ? opts_size : known);
    const tn_loop *current = tn_loop_current();
    if (current && current->in_turn) return TN_EMISUSE;
    s.count = s.opts.count > 0 ? s.opts.count : tn_cpu_count();
    s.restarts_left = s.opts.restarts_max < 0 ? 0 : s.opts.restarts_max > 0 ? s.opts.restarts_max : 100;

    int e = prepare(&s);
    if (e == TN_OK) e = supervise(&s);
    tn_log_console_free(s.console);
    tn_loop_free(s.loop);
    tn__free(s.slots);
    return e < 0 ? e : s.result;
}
