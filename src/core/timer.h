/*
 * Time, twice.
 *
 * tn__timer: exact, ordered by deadline and then by creation; a heap. Behind tn_call_later and tn_sleep.
 * tn__timeout: coarse (one tick is about 17 ms, never early), for the timeouts of connections; a hierarchical wheel. Setting a
 * later deadline, what every request does, is a single store: the wheel looks again when the old deadline comes up.
 *
 * Both are embedded in their owner and stop when told so. Deadlines are nanoseconds of the loop's clock (tn__loop_now).
 */
#ifndef TN_CORE_TIMER_H
#define TN_CORE_TIMER_H

#include "base/heap.h"
#include "base/list.h"
#include "tornado/ioloop.h"

typedef struct tn__timer {
    tn__heap_node node;
    void (*fire)(tn_loop *loop, struct tn__timer *timer);
} tn__timer;

void tn__timer_init(tn__timer *t, void (*fire)(tn_loop *loop, tn__timer *timer));
int tn__timer_start(tn_loop *loop, tn__timer *t, int64_t deadline_ns); /* restarts a running one; TN_ENOMEM */
void tn__timer_stop(tn_loop *loop, tn__timer *t);                      /* harmless when not running */

enum { TN__TICK_BITS = 24 }; /* one tick of the wheel: 2^24 ns */

typedef struct tn__timeout {
    tn__list node;
    int64_t deadline_ns; /* INT64_MAX: none */
    int64_t slot_tick;   /* where the wheel will look at it again */
    void (*fire)(tn_loop *loop, struct tn__timeout *timeout);
} tn__timeout;

void tn__timeout_init(tn__timeout *t, void (*fire)(tn_loop *loop, tn__timeout *timeout));
void tn__timeout_place(tn_loop *loop, tn__timeout *t); /* the slow half of the next one: the wheel must look earlier */

/* Fire at `deadline_ns` instead of whenever it was to fire before. Cannot fail. */
static inline void tn__timeout_set(tn_loop *loop, tn__timeout *t, int64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    if (!tn__list_linked(&t->node) || deadline_ns >> TN__TICK_BITS < t->slot_tick) tn__timeout_place(loop, t);
}

/* Do not fire. Leaves the node in the wheel (a later set is then a store again): call tn__timeout_stop before freeing the owner. */
static inline void tn__timeout_clear(tn__timeout *t)
{
    t->deadline_ns = INT64_MAX;
}

static inline void tn__timeout_stop(tn__timeout *t)
{
    t->deadline_ns = INT64_MAX;
    tn__list_remove(&t->node);
}

#endif
