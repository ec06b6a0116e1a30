/*
 * Futures as the rest of this floor sees them: the struct, how a `_start` call makes one, and how to be told of its end.
 *
 * How the twin of a waiting call is written (see task.h for the call itself):
 *
 *     tn_future *tn_thing_wait_start(tn_thing *thing)
 *     {
 *         tn_future *f = tn__future_new(loop, 0);
 *         if (f) tn__future_begun(f, tn__thing_wait(thing, &f->op));
 *         return f;
 *     }
 *
 * A call that gives a tn_str writes it to &f->str, and what else it needs while it waits lies in tn__future_room(f).
 */
#ifndef TN_GEN_FUTURE_H
#define TN_GEN_FUTURE_H

#include "core/op.h"
#include "room.h"
#include "tornado/concurrent.h"

/* Somebody to be told when a future ends, embedded in whoever that is. Told once, inside the call that ends it. */
typedef struct tn__watch {
    tn__list node;
    void (*fire)(struct tn__watch *watch, tn_future *future);
} tn__watch;

struct tn_future {
    tn_loop *loop;
    size_t refs;
    bool done;
    bool destroying; /* its value belongs to it */
    int result;
    void *value;
    void (*destroy)(void *value);
    tn_str str;
    void (*released)(tn_future *future,
                     bool unclaimed); /* when it is freed: it ended well, and nobody was told. NULL: nothing to do */
    bool claimed;                     /* somebody was told its result */
    tn__op op;                        /* what the engine ends; idle for futures that programs end */
    tn__list node;                    /* in gen->futures while pending */
    tn__list watches;                 /* of tn__watch, while pending */
};

/* A pending future with `room` zeroed bytes of its own. NULL for lack of memory, and while the loop is being freed. */
tn_future *tn__future_new(tn_loop *loop, size_t room);

static inline void *tn__future_room(tn_future *f)
{
    return (char *)f + ((sizeof *f + 15) & ~(size_t)15);
}

/* What the engine answered to the call that took f->op: TN__PENDING, or how it ended at once. */
void tn__future_begun(tn_future *f, int result);

/* Be told of the end of a pending future; and forget it, which is harmless in any state. */
void tn__watch_add(tn__watch *w, tn_future *f, void (*fire)(tn__watch *watch, tn_future *future));
static inline void tn__watch_remove(tn__watch *w)
{
    tn__list_remove(&w->node);
}

/* The loop is being freed: end all pending futures, telling nobody. */
void tn__futures_close(tn__gen *gen);

#endif
