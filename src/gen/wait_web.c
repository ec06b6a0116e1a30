/* The waiting calls of a request. */
#include "future.h"
#include "task.h"
#include "web/req.h"

/* Has this turn of the loop used up its time? */
static bool turn_is_spent(const tn_loop *loop)
{
    return tn__loop_read_clock(loop) - loop->now_ns > TN__TURN_NS;
}

int tn_flush(tn_req *r)
{
    tn__op *op;
    TN_TRY(tn__task_op(&op));
    if (r->finished) return TN_EMISUSE;
    TN_TRY(tn__respond_flush(r));
    int result = tn__http1_drain(r->x, op);
    if (result == TN__PENDING) return tn__task_wait(op);
    /* A peer that takes everything at once would keep a long response going, and the loop from everybody else. */
    return result == TN_OK && turn_is_spent(tn__req_loop(r)) ? tn_sleep(0) : result;
}

tn_future *tn_flush_start(tn_req *r)
{
    tn_future *f = tn__future_new(tn__req_loop(r), 0);
    if (!f) return NULL;
    int result = r->finished ? TN_EMISUSE : tn__respond_flush(r);
    tn__future_begun(f, result == TN_OK ? tn__http1_drain(r->x, &f->op) : result);
    return f;
}
