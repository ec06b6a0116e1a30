/* tn_run_blocking: functions that block, run on the threads of core/executor. */
#include <limits.h>

#include "core/executor.h"
#include "future.h"
#include "task.h"

/* What the executor's operation ends with when the function has returned; its own result may be any number. */
enum { RETURNED = INT_MAX };

/* Lies on the stack of the coroutine that waits, which therefore waits until no thread uses it any more. */
typedef struct job {
    int (*fn)(void *arg);
    void *arg;
    tn_loop *loop;
    tn__op *op; /* of the second wait, once it has begun */
    bool over;  /* no thread uses this any more */
    int result;
    bool returned;
} job;

/* On a thread of the pool. */
static int run(void *arg)
{
    job *j = arg;
    j->result = j->fn(j->arg);
    j->returned = true;
    return RETURNED;
}

/*
 * The first wait was cut short, and now the function is over, or was dropped without being run: perhaps in the same turn, before the
 * coroutine has begun its second wait.
 */
static void orphan(void *arg)
{
    job *j = arg;
    j->over = true;
    if (j->op) tn__op_end(j->loop, j->op, TN_OK);
}

static void withdraw_nothing(tn__op *op)
{
    (void)op;
}

static int wait_for_thread(job *j, const char *call, const void *where)
{
    tn__scope hold;
    tn__scope_hold(&hold);
    int result = tn__task_op_at(&j->op, call, where);
    if (result == TN_OK) {
        tn__op_begin(j->op, j, withdraw_nothing);
        result = tn__task_wait(j->op);
    }
    tn__scope_release(&hold);
    return result;
}

int tn_run_blocking(int (*fn)(void *arg), void *arg)
{
    tn__op *op;
    TN_TRY(tn__task_op(&op));
    job j = {.fn = fn, .arg = arg, .loop = tn__task_current()->gen->loop};
    TN_TRY(tn__executor_submit(j.loop, run, &j, orphan, op));
    int result = tn__task_wait(op);
    if (result != RETURNED && !j.over) wait_for_thread(&j, __func__, __builtin_return_address(0));
    return j.returned ? j.result : result;
}

tn_future *tn_run_blocking_start(int (*fn)(void *arg), void *arg)
{
    tn_loop *loop = tn_loop_current();
    tn_future *f = tn__future_new(loop, 0);
    if (f) tn__future_begun(f, tn__executor_submit(loop, fn, arg, NULL, &f->op));
    return f;
}
