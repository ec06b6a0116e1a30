/*
 * Signals: tn_signal_watch. The handler only marks the signal as received and rings the loop's doorbell; the watcher is called in
 * the loop's thread, in the callback phase of its turn.
 *
 * A disposition belongs to the process, and so must the table of who watches what: it is the one mutable global of this floor.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "calls.h"
#include "turn.h"

enum { SIGNALS = 64 };

typedef struct watcher {
    _Atomic(tn_loop *) loop; /* NULL: nobody watches; what follows belongs to the thread of that loop */
    tn_signal_callback *fn;
    void *arg;
    struct sigaction before;
    pid_t pid; /* a child after fork may take over what its parent watched */
} watcher;

static watcher watchers[SIGNALS];
static atomic_int handling; /* handlers at work on any thread: while there is one, a loop must not vanish */

static void on_signal(int signum)
{
    atomic_fetch_add(&handling, 1);
    tn_loop *loop = atomic_load(&watchers[signum - 1].loop);
    if (loop) tn__calls_signal(loop, signum);
    atomic_fetch_sub(&handling, 1);
}

/* Become the watcher of that signal, or find out that somebody else is. */
static int claim(watcher *w, tn_loop *loop)
{
    tn_loop *other = NULL;
    if (atomic_compare_exchange_strong(&w->loop, &other, loop)) return 0;
    if (w->pid == getpid()) return TN_EEXIST;
    sigaction((int)(w - watchers) + 1, &w->before, NULL);
    atomic_store(&handling, 0); /* what other threads of the parent were doing is not done here */
    atomic_store(&w->loop, loop);
    return 0;
}

int tn_signal_watch(tn_loop *loop, int signum, tn_signal_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_signal_watch");
    if (signum < 1 || signum > SIGNALS) return TN_EINVAL;
    watcher *w = &watchers[signum - 1];
    TN_TRY(claim(w, loop));
    w->fn = fn;
    w->arg = arg;
    w->pid = getpid();
    struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigfillset(&ours.sa_mask);
    if (sigaction(signum, &ours, &w->before) == 0) return 0;
    int error = -errno;
    atomic_store(&w->loop, NULL);
    return error;
}

void tn_signal_unwatch(tn_loop *loop, int signum)
{
    tn__loop_check_thread(loop, "tn_signal_unwatch");
    if (signum < 1 || signum > SIGNALS) return;
    watcher *w = &watchers[signum - 1];
    if (atomic_load(&w->loop) != loop) return;
    sigaction(signum, &w->before, NULL);
    atomic_store(&w->loop, NULL);
    while (w->pid == getpid() && atomic_load(&handling)) sched_yield();
}

void tn__signals_run(tn_loop *loop, uint64_t received)
{
    for (; received; received &= received - 1) {
        int signum = __builtin_ctzll(received) + 1;
        watcher *w = &watchers[signum - 1];
        if (atomic_load(&w->loop) == loop) w->fn(w->arg, signum);
    }
}

void tn__signals_done(tn_loop *loop)
{
    for (int signum = 1; signum <= SIGNALS; signum++) tn_signal_unwatch(loop, signum);
}
