/* tn_sleep and its twin. */
#include "future.h"
#include "task.h"

/* Lies on the stack of the coroutine that sleeps, or in the room of the future. */
typedef struct sleeper {
    tn__timer timer;
    tn__op *op;
    tn_loop *loop;
} sleeper;

static void on_timer(tn_loop *loop, tn__timer *timer)
{
    tn__op_end(loop, TN__OWNER(timer, sleeper, timer)->op, TN_OK);
}

static void withdraw(tn__op *op)
{
    sleeper *s = op->holder;
    tn__timer_stop(s->loop, &s->timer);
}

static void withdraw_nothing(tn__op *op)
{
    (void)op;
}

static int sleep_op(tn_loop *loop, sleeper *s, double seconds, tn__op *op)
{
    if (!(seconds > 0)) {
        /* No time to wait for, only a turn in the ready list. */
        tn__op_begin(op, s, withdraw_nothing);
        tn__op_end(loop, op, TN_OK);
        return TN__PENDING;
    }
    s->op = op;
    s->loop = loop;
    tn__timer_init(&s->timer, on_timer);
    TN_TRY(tn__timer_start(loop, &s->timer, tn__loop_now(loop) + tn__seconds_to_ns(seconds)));
    tn__op_begin(op, s, withdraw);
    return TN__PENDING;
}

int tn_sleep(double seconds)
{
    tn__op *op;
    sleeper s;
    TN_TRY(tn__task_op(&op));
    int result = sleep_op(tn__task_current()->gen->loop, &s, seconds, op);
    return result == TN__PENDING ? tn__task_wait(op) : result;
}

tn_future *tn_sleep_start(double seconds)
{
    tn_loop *loop = tn_loop_current();
    tn_future *f = tn__future_new(loop, sizeof(sleeper));
    if (f) tn__future_begun(f, sleep_op(loop, tn__future_room(f), seconds, &f->op));
    return f;
}
