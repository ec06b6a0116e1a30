/*
 * The event loop, one turn on one screen: see tn_loop_turn.
 *
 * Called by programs through tornado/ioloop.h, by tn_serve, and by whoever drives the loop from outside. Always holds: between two
 * turns the loop dozes (another thread that adds a callback rings its doorbell); inside one, nothing that is queued needs a wake-up.
 */
#include "loop.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "alarm.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "calls.h"
#include "turn.h"

enum {
    CLOCK_EVERY = 8, /* delivered events between two looks at the clock */
    LATE_ROUNDS = 4, /* late work may cause late work (a broken connection, a log line): this often within one turn */
    RECV_SLACK = 64
};

static _Thread_local tn_loop *current;

/* -- Time -- */

int64_t tn__loop_read_clock(const tn_loop *loop)
{
    if (loop->clock) return loop->clock(loop->clock_arg);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

double tn_loop_time(const tn_loop *loop)
{
    return (double)tn__loop_now(loop) / 1e9;
}

void tn_loop_set_clock(tn_loop *loop, tn_clock *clock, void *arg)
{
    tn__loop_check_thread(loop, "tn_loop_set_clock");
    loop->clock = clock;
    loop->clock_arg = arg;
    loop->now_ns = tn__loop_read_clock(loop);
    tn__wheel_rebase(loop);
    tn__loop_wake(loop);
}

/* -- Whose loop -- */

tn_loop *tn_loop_current(void)
{
    return current;
}

void tn_loop_make_current(tn_loop *loop)
{
    current = loop;
}

/* A thread is told by the address of its own `current`. */
bool tn__loop_is_mine(const tn_loop *loop)
{
    return atomic_load_explicit(&loop->owner_thread, memory_order_relaxed) == (void *)&current;
}

#if TN_DEBUG_CHECKS
void tn__loop_check_thread(const tn_loop *loop, const char *call)
{
    void *owner = atomic_load_explicit(&loop->owner_thread, memory_order_relaxed);
    if (!owner || owner == (void *)&current) return;
    fprintf(stderr, "tornado: %s was called from a thread that is not the loop's; only tn_loop_add_callback may be\n", call);
    abort();
}
#endif

/* -- Making and freeing -- */

/* What a loop cannot be without. What was made stays in the loop, for tn_loop_free, when this fails. */
static int furnish(tn_loop *loop)
{
    loop->recv_buf = tn__alloc(TN__RECV_BYTES + RECV_SLACK);
    loop->digester = tn__digester_new();
    if (!loop->recv_buf || !loop->digester) return TN_ENOMEM;
    int result = loop->backend->open(&loop->poller);
    if (result == 0) result = tn__wheel_new(loop);
    if (result == 0) result = tn__calls_new(loop);
    return result;
}

int tn_loop_new(tn_loop **out, const char *backend)
{
    const tn__poll_backend *found = tn__poll_find(backend);
    if (!found) return TN_ENOTSUP;
    tn_loop *loop = tn__zalloc(sizeof *loop);
    if (!loop) return TN_ENOMEM;
    loop->backend = found;
    loop->pid = getpid();
    loop->report.level = TN_LOG_NONE;
    tn__list_init(&loop->soon);
    tn__list_init(&loop->late);
    tn__list_init(&loop->periodics);
    tn__list_init(&loop->children);
    loop->now_ns = tn__loop_read_clock(loop);
    int result = furnish(loop);
    if (result < 0)
        tn_loop_free(loop);
    else
        *out = loop;
    return result;
}

static void close_poller(tn_loop *loop)
{
    if (loop->poller) loop->backend->close(loop->poller);
    loop->poller = NULL;
}

static void free_rooms(tn_loop *loop)
{
    for (int i = TN__ROOM_COUNT - 1; i >= 0; i--) {
        tn__room room = loop->rooms[i];
        loop->rooms[i] = (tn__room){0};
        if (room.free) room.free(loop, room.state);
    }
}

/* What is still queued will never run; its owners, who may outlive the loop, find it queued nowhere. */
static void forget_work(tn__list *list)
{
    while (tn__list_pop(list)) {
    }
}

void tn_loop_free(tn_loop *loop)
{
    if (!loop) return;
    assert(!loop->in_turn);
    atomic_store(&loop->owner_thread, (void *)&current); /* the thread that ran it may be gone */
    /* After fork, what the child withdraws from the shared back-end would be withdrawn from its parent's loop. */
    if (loop->pid != getpid()) close_poller(loop);
    if (loop->calls) tn__calls_close(loop);
    free_rooms(loop);
    tn__children_done(loop);
    tn__signals_done(loop);
    tn__watches_done(loop);
    tn__periodics_done(loop);
    tn__timers_done(loop);
    tn__wheel_free(loop);
    tn__calls_free(loop);
    tn__alarm_free(loop);
    forget_work(&loop->soon);
    forget_work(&loop->late);
    close_poller(loop);
    tn__digester_free(loop->digester);
    tn__free(loop->recv_buf);
    tn__free(loop->recv_spare);
    if (current == loop) current = NULL;
    tn__free(loop);
}

char *tn__loop_take_recv_buf(tn_loop *loop)
{
    char *fresh = loop->recv_spare ? loop->recv_spare : tn__alloc(TN__RECV_BYTES + RECV_SLACK);
    if (!fresh) return NULL;
    char *taken = loop->recv_buf;
    loop->recv_buf = fresh;
    loop->recv_spare = NULL;
    return taken;
}

void tn__loop_give_recv_buf(tn_loop *loop, char *taken)
{
    if (loop->recv_spare)
        tn__free(taken);
    else
        loop->recv_spare = taken;
}

/* -- Waking the host -- */

void tn__loop_wake(tn_loop *loop)
{
    if (loop->in_turn || loop->wake_asked || !loop->wake) return;
    loop->wake_asked = true;
    loop->wake(loop->wake_arg);
}

void tn_loop_set_wake(tn_loop *loop, tn_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_loop_set_wake");
    loop->wake = fn;
    loop->wake_arg = arg;
}

/* -- The phases of a turn -- */

/* Is there something to do that no descriptor and no deadline will announce? */
static bool has_work(const tn_loop *loop)
{
    return loop->event_at < loop->event_n || !tn__list_empty(&loop->soon) || !tn__list_empty(&loop->late) ||
           tn__calls_waiting(loop);
}

/* When something must be done that waits for its time; INT64_MAX is never. */
static int64_t next_deadline_ns(const tn_loop *loop)
{
    int64_t exact = tn__timers_next_ns(loop), coarse = tn__wheel_next_ns(loop);
    return exact < coarse ? exact : coarse;
}

/* Nanoseconds until something must be done: 0 is now, -1 is never. */
static int64_t idle_ns(const tn_loop *loop)
{
    if (has_work(loop)) return 0;
    int64_t next = next_deadline_ns(loop);
    if (next == INT64_MAX) return -1;
    int64_t now = tn__loop_read_clock(loop);
    return next > now ? next - now : 0;
}

/* Wait for events, `most_ns` at most (negative: for ever). Events that the last turn left over are delivered first, unmixed. */
static int wait_for_events(tn_loop *loop, int64_t most_ns)
{
    int n = 0;
    if (loop->event_at == loop->event_n) {
        int64_t wait_ns = most_ns ? idle_ns(loop) : 0;
        if (wait_ns < 0 || (most_ns >= 0 && most_ns < wait_ns)) wait_ns = most_ns;
        n = loop->backend->wait(loop->poller, loop->events, TN__EVENTS_MAX, wait_ns);
        loop->event_at = 0;
        loop->event_n = n < 0 ? 0 : n;
        for (int i = 0; i < n; i++) loop->events[i].io->harvested = true;
    }
    loop->now_ns = tn__loop_read_clock(loop);
    return n < 0 ? n : 0;
}

static void fire_due_timers(tn_loop *loop)
{
    tn__timers_run(loop);
    tn__wheel_run(loop);
}

/* Deliver until the time of this turn is spent. What is left over waits for the next one, behind its timers. */
static void deliver_events(tn_loop *loop)
{
    for (unsigned n = 1; loop->event_at < loop->event_n; n++) {
        tn__event event = loop->events[loop->event_at++];
        if (!event.io) continue;
        event.io->harvested = false;
        event.io->ready(loop, event.io, event.events);
        if (n % CLOCK_EVERY == 0 && tn__loop_read_clock(loop) - loop->now_ns > TN__TURN_NS) return;
    }
}

/* Run what is in the list now; what these calls add stays in it. */
static void run_work(tn_loop *loop, tn__list *list)
{
    tn__list batch;
    tn__list_init(&batch);
    tn__list_splice(&batch, list);
    for (tn__list *node; (node = tn__list_pop(&batch));) {
        tn__work *work = TN__OWNER(node, tn__work, node);
        work->run(loop, work);
    }
}

static void run_soon(tn_loop *loop)
{
    run_work(loop, &loop->soon);
}

static void run_late(tn_loop *loop)
{
    for (int round = 0; round < LATE_ROUNDS && !tn__list_empty(&loop->late); round++) run_work(loop, &loop->late);
}

static int turn(tn_loop *loop, int64_t most_ns)
{
    loop->in_turn = true;
    loop->wake_asked = false;

    int result = wait_for_events(loop, most_ns);
    tn__calls_take(loop); /* callbacks that come from now on are for the next turn */
    fire_due_timers(loop);
    deliver_events(loop);
    tn__calls_run(loop);
    run_soon(loop);
    run_late(loop);

    if (loop->alarm) tn__alarm_set(loop, next_deadline_ns(loop));
    tn__calls_doze(loop);
    loop->in_turn = false;
    return result;
}

/* The loop is this thread's current one during its turns; whoever was so before is so again afterwards. */
static tn_loop *enter(tn_loop *loop)
{
    tn_loop *before = current;
    current = loop;
    if (!atomic_load_explicit(&loop->owner_thread, memory_order_relaxed)) atomic_store(&loop->owner_thread, (void *)&current);
    return before;
}

static void leave(tn_loop *before)
{
    if (before) current = before;
}

/* -- Running -- */

int tn_loop_run(tn_loop *loop)
{
    tn__loop_check_thread(loop, "tn_loop_run");
    if (loop->running || loop->in_turn) return TN_EMISUSE;
    tn_loop *before = enter(loop);
    loop->running = true;
    int result;
    do result = turn(loop, loop->stopping ? 0 : -1);
    while (result == 0 && !loop->stopping);
    loop->running = loop->stopping = false;
    leave(before);
    return result;
}

void tn_loop_stop(tn_loop *loop)
{
    tn__loop_check_thread(loop, "tn_loop_stop");
    loop->stopping = true;
}

int tn_loop_turn(tn_loop *loop, double seconds)
{
    tn__loop_check_thread(loop, "tn_loop_turn");
    if (loop->in_turn) return TN_EMISUSE;
    tn_loop *before = enter(loop);
    int result = turn(loop, seconds < 0 ? -1 : tn__seconds_to_ns(seconds));
    leave(before);
    /* The host's descriptor will not become readable for work that is queued here. */
    if (has_work(loop)) tn__loop_wake(loop);
    return result;
}

int tn_loop_backend_fd(const tn_loop *loop)
{
    return loop->backend->fd(loop->poller);
}

double tn_loop_backend_timeout(const tn_loop *loop)
{
    tn__loop_check_thread(loop, "tn_loop_backend_timeout");
    int64_t ns = idle_ns(loop);
    return ns < 0 ? -1.0 : (double)ns / 1e9;
}

/* -- Work -- */

static void queue(tn_loop *loop, tn__list *list, tn__work *w)
{
    if (tn__work_queued(w)) return;
    tn__list_push(list, &w->node);
    tn__loop_wake(loop);
}

void tn__soon(tn_loop *loop, tn__work *w)
{
    queue(loop, &loop->soon, w);
}

void tn__late(tn_loop *loop, tn__work *w)
{
    queue(loop, &loop->late, w);
}

/* -- Log -- */

void tn_loop_set_log(tn_loop *loop, tn_log_fn *fn, void *arg, int level)
{
    tn__loop_check_thread(loop, "tn_loop_set_log");
    loop->report = (tn__report){fn, arg, level};
}

void tn_loop_log(tn_loop *loop, int level, const char *format, ...)
{
    tn__loop_check_thread(loop, "tn_loop_log");
    if (!tn__report_wants(&loop->report, level)) return;
    tn_buf text = {0};
    va_list args;
    va_start(args, format);
    int result = tn__buf_vprintf(&text, format, args);
    va_end(args);
    /* Without memory the bare format is better than silence. */
    tn_str line = result < 0 ? tn_z(format) : tn__buf_str(&text);
    tn__report_str(&loop->report, level, TN_LOG_APPLICATION, "application", 0, line);
    tn__buf_done(&text);
}
