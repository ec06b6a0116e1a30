/*
 * Operations: begun by the part of the engine that cannot answer at once, ended by it later, or withdrawn by whoever waits.
 *
 * An ended operation waits in the ready list until `done` is called; cancelled there, it is simply taken out of it.
 */
#include "op.h"

#include <assert.h>
#include <stddef.h>

static void run_done(tn_loop *loop, tn__work *work)
{
    tn__op *op = TN__OWNER(work, tn__op, work);
    op->state = TN__OP_IDLE; /* `done` may hand it over again, or free it */
    op->done(loop, op, op->result);
}

void tn__op_init(tn__op *op, tn__op_done *done)
{
    *op = (tn__op){.done = done, .state = TN__OP_IDLE};
    tn__work_init(&op->work, run_done);
}

void tn__op_begin(tn__op *op, void *holder, void (*withdraw)(tn__op *op))
{
    assert(op->state == TN__OP_IDLE);
    op->holder = holder;
    op->withdraw = withdraw;
    op->state = TN__OP_PENDING;
}

void tn__op_end(tn_loop *loop, tn__op *op, int result)
{
    if (op->state != TN__OP_PENDING) return;
    op->state = TN__OP_ENDED;
    op->result = result;
    op->holder = NULL;
    op->withdraw = NULL;
    tn__soon(loop, &op->work);
}

void tn__op_cancel(tn__op *op)
{
    if (op->state == TN__OP_PENDING) {
        void (*withdraw)(tn__op *) = op->withdraw;
        op->state = TN__OP_IDLE;
        op->withdraw = NULL;
        withdraw(op); /* finds what to forget in op->holder */
        op->holder = NULL;
    } else if (op->state == TN__OP_ENDED) {
        op->state = TN__OP_IDLE;
        tn__work_cancel(&op->work);
    }
}
