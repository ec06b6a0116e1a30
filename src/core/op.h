/*
 * The operation: the one primitive that waits.
 *
 * A small struct embedded in what waits (a parked coroutine, a future, the binding's future). A call of the engine that may have
 * to wait takes one and answers TN_OK, a failure, or TN__PENDING. A pending operation is ended exactly once, from the ready list,
 * never inside the call that took it; one that was cancelled is never ended at all, and ending one that is not pending does
 * nothing.
 */
#ifndef TN_CORE_OP_H
#define TN_CORE_OP_H

#include "work.h"

enum { TN__PENDING = 1 };

typedef struct tn__op tn__op;

typedef void tn__op_done(tn_loop *loop, tn__op *op, int result);

struct tn__op {
    tn__work work;
    tn__op_done *done;            /* the waiter's: called once, from the ready list */
    void (*withdraw)(tn__op *op); /* the engine's: takes the operation out of `holder`; set while pending */
    void *holder;                 /* the engine's: what it waits for */
    int result;
    enum { TN__OP_IDLE, TN__OP_PENDING, TN__OP_ENDED } state;
};

/* The waiter prepares the operation before handing it over. */
void tn__op_init(tn__op *op, tn__op_done *done);

/* The engine takes it: pending from here on. `withdraw` must leave no pointer to `op` behind in `holder`. */
void tn__op_begin(tn__op *op, void *holder, void (*withdraw)(tn__op *op));

/* The engine ends it, having dropped its own pointer to it: `done` runs from the ready list. Does nothing unless pending. */
void tn__op_end(tn_loop *loop, tn__op *op, int result);

/* The waiter loses interest: `done` will not be called. Harmless in any state. */
void tn__op_cancel(tn__op *op);

#endif
