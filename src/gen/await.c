/* Waiting in a coroutine for futures. */
#include "future.h"
#include "task.h"

/* The task that waits for one future; lies on its stack. */
typedef struct awaiting {
    tn__watch watch;
    tn__op *op;
} awaiting;

static void on_end(tn__watch *watch, tn_future *future)
{
    tn__op_end(future->loop, TN__OWNER(watch, awaiting, watch)->op, future->result);
}

static void withdraw(tn__op *op)
{
    tn__watch_remove(&((awaiting *)op->holder)->watch);
}

static int wait_for(tn_future *f, const char *call, const void *where)
{
    tn__op *op;
    if (!f) return TN_ENOMEM;
    TN_TRY(tn__task_op_at(&op, call, where));
    if (f->done) return f->result;
    awaiting a = {.op = op};
    tn__watch_add(&a.watch, f, on_end);
    tn__op_begin(op, &a, withdraw);
    return tn__task_wait(op);
}

int tn_await(tn_future *f)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    tn_future_unref(f);
    return result;
}

int tn_await_value(tn_future *f, void **value)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    if (result >= 0) {
        *value = f->value;
        f->destroy = NULL;
    }
    tn_future_unref(f);
    return result;
}

int tn_await_str(tn_future *f, tn_str *text)
{
    int result = wait_for(f, __func__, __builtin_return_address(0));
    if (result >= 0) *text = f->str;
    tn_future_unref(f);
    return result;
}
