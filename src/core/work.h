/*
 * Work: a call to be made later by the loop, embedded in the object it is for. It allocates nothing and is queued at most once:
 * queueing it again while it waits changes nothing.
 *
 * tn__soon: in the ready phase (of this turn when that is still to come, else of the next, which then does not wait).
 * tn__late: at the end of this turn, when output leaves and the log is written.
 * Neither ever runs inside the call that queues it.
 */
#ifndef TN_CORE_WORK_H
#define TN_CORE_WORK_H

#include "base/list.h"
#include "tornado/ioloop.h"

typedef struct tn__work {
    tn__list node;
    void (*run)(tn_loop *loop, struct tn__work *work);
} tn__work;

static inline void tn__work_init(tn__work *w, void (*run)(tn_loop *loop, tn__work *work))
{
    tn__list_init(&w->node);
    w->run = run;
}

static inline bool tn__work_queued(const tn__work *w)
{
    return tn__list_linked(&w->node);
}

void tn__soon(tn_loop *loop, tn__work *w);
void tn__late(tn_loop *loop, tn__work *w);

/* It will not run; harmless when it is not queued. */
static inline void tn__work_cancel(tn__work *w)
{
    tn__list_remove(&w->node);
}

#endif
