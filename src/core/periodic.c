/*
 * Periodic calls: Tornado's PeriodicCallback. Called by programs through tornado/ioloop.h, and by gen/periodic.c.
 *
 * Calls are due on a grid of points in time that begins when the periodic is started, so that delays do not add up. Points that
 * pass while the function still runs are skipped, never made up for. The timer fires at each of them all the same: that keeps its
 * place in the heap, and finding the function busy is cheaper than forgetting to start again.
 */
#include "periodic.h"

#include "base/alloc.h"
#include "turn.h"

/* A number in [-0.5, 0.5). Not for secrets: it only spreads calls (a multiplicative generator modulo 2^64, with its high bits). */
static double next_random(tn_periodic *p)
{
    p->random = p->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(p->random >> 11) / 9007199254740992.0 - 0.5;
}

/* Move to the first point of the grid that lies after `now_ns`; the grid is jittered by moving each of its points. */
static void advance(tn_periodic *p, int64_t now_ns)
{
    int64_t period_ns = p->period_ns;
    if (p->jitter > 0) period_ns = (int64_t)((double)period_ns * (1 + p->jitter * next_random(p)));
    if (period_ns < 1) period_ns = 1;
    int64_t late_ns = now_ns - p->next_ns;
    /* A clock that was set back (tests may) has not reached the last point yet: one period further is as good as any. */
    p->next_ns += late_ns < 0 ? period_ns : (late_ns / period_ns + 1) * period_ns;
}

static void forget(tn_periodic *p)
{
    tn__timer_stop(p->loop, &p->timer);
    tn__list_remove(&p->node);
    tn__free(p);
}

static void on_timer(tn_loop *loop, tn__timer *timer)
{
    tn_periodic *p = TN__OWNER(timer, tn_periodic, timer);
    advance(p, tn__loop_now(loop));
    tn__timer_start(loop, timer, p->next_ns); /* it has just left its place in the heap to itself */
    if (p->busy) return;
    p->busy = true;
    p->run(p);
}

void tn__periodic_ran(tn_periodic *p)
{
    p->busy = false;
    if (p->stopped) {
        forget(p);
        return;
    }
    /* The turn's own time is that of its beginning: a function that has blocked for longer is seen by the clock only. */
    int64_t now_ns = tn__loop_read_clock(p->loop);
    if (p->next_ns > now_ns) return;
    advance(p, now_ns);
    tn__timer_start(p->loop, &p->timer, p->next_ns);
}

int tn__periodic_new(tn_periodic **out, const tn_periodic *like, double seconds)
{
    if (!(seconds > 0) || !(like->jitter >= 0 && like->jitter <= 1)) return TN_EINVAL;
    tn_periodic *p = tn__alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    *p = *like;
    int64_t now_ns = tn__loop_now(p->loop);
    p->period_ns = tn__seconds_to_ns(seconds);
    p->next_ns = now_ns;
    p->random = (uint64_t)tn__loop_read_clock(p->loop) ^ (uint64_t)(uintptr_t)p;
    tn__list_init(&p->node);
    tn__timer_init(&p->timer, on_timer);
    advance(p, now_ns);
    if (tn__timer_start(p->loop, &p->timer, p->next_ns) < 0) {
        tn__free(p);
        return TN_ENOMEM;
    }
    tn__list_push(&p->loop->periodics, &p->node);
    p->detached = !out;
    if (out) *out = p;
    return TN_OK;
}

static void run_callback(tn_periodic *p)
{
    p->fn.callback(p->arg);
    tn__periodic_ran(p);
}

int tn_periodic_start_(tn_periodic **out, const tn_periodic_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    tn__loop_check_thread(opts->loop, "tn_periodic_start");
    tn_periodic like = {.loop = opts->loop, .run = run_callback, .fn.callback = opts->fn, .arg = opts->arg, .jitter = opts->jitter};
    return tn__periodic_new(out, &like, opts->seconds);
}

void tn_periodic_stop(tn_periodic *p)
{
    if (!p) return;
    tn__loop_check_thread(p->loop, __func__);
    p->stopped = true;
    tn__timer_stop(p->loop, &p->timer);
    if (!p->busy) forget(p);
}

void tn__periodics_done(tn_loop *loop)
{
    for (tn__list *node; (node = tn__list_pop(&loop->periodics));) forget(TN__OWNER(node, tn_periodic, node));
}
