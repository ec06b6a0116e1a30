/* Operations end once, from the ready list, and not at all once they were cancelled. */
#include "core_test.h"

typedef struct waiter {
    tn__op op;
    int calls, result;
    bool again;
} waiter;

typedef struct holder {
    tn__op *waiting;
} holder;

static void withdraw(tn__op *op)
{
    holder *h = op->holder;
    assert_ptr_equal(h->waiting, op);
    h->waiting = NULL;
}

static void on_done(tn_loop *loop, tn__op *op, int result)
{
    (void)loop;
    waiter *w = TN__OWNER(op, waiter, op);
    w->calls++;
    w->result = result;
    if (!w->again) return;
    static holder second;
    w->again = false;
    second.waiting = op;
    tn__op_begin(op, &second, withdraw);
    tn__op_end(loop, op, 7);
}

static void begin(waiter *w, holder *h)
{
    *w = (waiter){0};
    tn__op_init(&w->op, on_done);
    h->waiting = &w->op;
    tn__op_begin(&w->op, h, withdraw);
}

LOOP_TEST(op, ends_once_and_never_inside_the_call_that_ends_it)
{
    waiter w;
    holder h;
    begin(&w, &h);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 0);
    tn__op_end(loop, &w.op, 5);
    tn__op_end(loop, &w.op, 6);
    assert_int_equal(w.calls, 0);
    test_turns(loop, 2);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.result, 5);
    tn__op_end(loop, &w.op, 8);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 1);
}

LOOP_TEST(op, leaves_its_holder_when_cancelled)
{
    waiter w;
    holder h;
    begin(&w, &h);
    tn__op_cancel(&w.op);
    assert_null(h.waiting);
    tn__op_cancel(&w.op);
    tn__op_end(loop, &w.op, 1);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 0);
}

LOOP_TEST(op, is_not_heard_of_when_cancelled_after_its_end)
{
    waiter w;
    holder h;
    begin(&w, &h);
    tn__op_end(loop, &w.op, 1);
    tn__op_cancel(&w.op);
    test_turns(loop, 2);
    assert_int_equal(w.calls, 0);
}

LOOP_TEST(op, can_be_handed_over_again_by_the_call_that_ends_it)
{
    waiter w;
    holder h;
    begin(&w, &h);
    w.again = true;
    tn__op_end(loop, &w.op, 1);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 1);
    test_turns(loop, 1);
    assert_int_equal(w.calls, 2);
    assert_int_equal(w.result, 7);
}
