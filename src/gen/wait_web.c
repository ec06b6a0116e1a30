/* The waiting calls of a request. */
#include "future.h"
#include "task.h"
#include "web/req.h"

int tn_flush(tn_req *r)
{
    tn__op *op;
    TN_TRY(tn__task_op(&op));
    if (r->finished) return TN_EMISUSE;
    TN_TRY(tn__respond_flush(r));
    int result = tn__http1_drain(r->x, op);
    return result == TN__PENDING ? tn__task_wait(op) : result;
}

tn_future *tn_flush_start(tn_req *r)
{
    tn_future *f = tn__future_new(tn__req_loop(r), 0);
    if (!f) return NULL;
    int result = r->finished ? TN_EMISUSE : tn__respond_flush(r);
    tn__future_begun(f, result == TN_OK ? tn__http1_drain(r->x, &f->op) : result);
    return f;
}
