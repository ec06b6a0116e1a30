/* The invoker of the C face. Its handle on a request is the task that runs for it. */
#include "invoke.h"

#include "task.h"
#include "web/req.h"

static void ended(tn_loop *loop, void *arg, int result)
{
    (void)loop;
    tn_req *r = arg;
    r->running = NULL;
    tn__req_resume(r, result);
}

static int call(tn_req *r, int (*fn)(void *r))
{
    tn__task_spec spec = {
        .fn = fn,
        .arg = r,
        .ended = ended,
        .arena = tn__req_arena(r),
        .stack_size = r->slots->stack_size,
        .name = r->rule ? r->rule->route->path : NULL,
    };
    int result = 0;
    tn_task *task = NULL;
    int e = tn__task_call(tn__req_loop(r), &spec, &result, &task);
    if (e == TN__PENDING) r->running = task;
    if (e != TN_OK) return e;
    return result < 0 ? result : TN_OK; /* a handler may well return a count */
}

static void cancel(tn_req *r)
{
    tn_cancel(r->running);
}

const tn__invoker tn__coroutine_invoker = {.call = call, .cancel = cancel};
