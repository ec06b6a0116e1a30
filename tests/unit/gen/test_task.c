/* Tasks: starting, parking, cancelling, and what the end of the loop does to them. */
#include "gen/task.h"
#include "test.h"
#include "tornado/gen.h"

typedef struct record {
    int ended, result, steps;
    tn_task *task;
    void *at; /* where a local lay */
} record;

static void on_ended(tn_loop *loop, void *arg, int result)
{
    record *r = arg;
    (void)loop;
    assert_null(tn_task_current());
    r->ended++;
    r->result = result;
}

static tn_loop *new_loop(void)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_loop_make_current(loop);
    return loop;
}

static int begin(tn_loop *loop, tn_task_fn *fn, record *r)
{
    tn__task_spec spec = {.fn = fn, .arg = r, .ended = on_ended};
    int result = -1;
    int begun = tn__task_call(loop, &spec, &result, &r->task);
    return begun == TN_OK ? result : begun;
}

static int answers_at_once(void *arg)
{
    record *r = arg;
    assert_non_null(tn_task_current());
    r->at = __builtin_frame_address(0);
    return 42;
}

TEST(task, that_never_waits_returns_its_value_at_once_and_its_end_is_not_announced)
{
    tn_loop *loop = new_loop();
    record r = {0};
    assert_int_equal(begin(loop, answers_at_once, &r), 42);
    assert_null(tn_task_current());
    assert_int_equal(r.ended, 0);
    tn_loop_free(loop);
}

TEST(task, runs_on_a_stack_that_the_next_one_uses_again)
{
    tn_loop *loop = new_loop();
    record first = {0}, second = {0};
    begin(loop, answers_at_once, &first);
    begin(loop, answers_at_once, &second);
    assert_ptr_equal(first.at, second.at);
    assert_int_equal(tn__gen_of(loop)->stacks.live_n, 1);
    tn_loop_free(loop);
}

static int sleeps_twice(void *arg)
{
    record *r = arg;
    for (r->steps = 0; r->steps < 2; r->steps++) {
        int e = tn_sleep(0.001);
        if (e < 0) return e;
    }
    return 7;
}

TEST(task, that_waits_goes_on_from_the_loop_and_announces_its_end_once)
{
    tn_loop *loop = new_loop();
    record r = {0};
    assert_int_equal(begin(loop, sleeps_twice, &r), TN__PENDING);
    assert_int_equal(r.steps, 0);
    while (!r.ended) tn_loop_turn(loop, 1);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.result, 7);
    assert_int_equal(r.steps, 2);
    tn_loop_free(loop);
}

static int insists(void *arg)
{
    record *r = arg;
    for (r->steps = 0; r->steps < 3; r->steps++)
        if (tn_sleep(10) != TN_ECANCELED) return -1;
    return 3;
}

TEST(task, that_was_cancelled_is_told_so_by_every_wait)
{
    tn_loop *loop = new_loop();
    record r = {0};
    begin(loop, insists, &r);
    tn_cancel(r.task);
    assert_int_equal(r.steps, 0);
    tn_loop_turn(loop, 0);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.result, 3);
    tn_loop_free(loop);
}

TEST(task, left_over_when_the_loop_is_freed_is_cancelled_and_runs_to_its_end)
{
    tn_loop *loop = new_loop();
    record r[3] = {{0}};
    for (int i = 0; i < 3; i++) begin(loop, insists, &r[i]);
    tn_loop_free(loop);
    for (int i = 0; i < 3; i++) assert_int_equal(r[i].result, 3);
}

static int keeps_doubles(void *arg)
{
    record *r = arg;
    double a = 0.5 * r->steps, b = a * 3;
    r->steps++;
    TN_TRY(tn_sleep(0));
    r->steps++;
    return (int)(a * 2 + b * 2);
}

TEST(task, finds_its_variables_again_when_others_ran_in_between)
{
    tn_loop *loop = new_loop();
    record r[8] = {{0}};
    for (int i = 0; i < 8; i++) {
        r[i].steps = i;
        begin(loop, keeps_doubles, &r[i]);
    }
    while (!r[7].ended) tn_loop_turn(loop, 0);
    for (int i = 0; i < 8; i++) assert_int_equal(r[i].result, 4 * i);
    tn_loop_free(loop);
}

static int nests(void *arg)
{
    record *outer = arg, inner = {0};
    tn_task *me = tn_task_current();
    tn_loop *loop = tn_loop_current();
    if (begin(loop, sleeps_twice, &inner) != TN__PENDING) return -1;
    if (tn_task_current() != me) return -2;
    while (!inner.ended)
        if (tn_sleep(0.001) < 0) return -3;
    outer->steps = inner.result;
    return 1;
}

TEST(task, may_be_started_by_another_one)
{
    tn_loop *loop = new_loop();
    record r = {0};
    begin(loop, nests, &r);
    while (!r.ended) tn_loop_turn(loop, 1);
    assert_int_equal(r.result, 1);
    assert_int_equal(r.steps, 7);
    tn_loop_free(loop);
}

static int add(void *arg)
{
    return *(int *)arg + 1;
}

TEST(run, gives_what_its_function_returns)
{
    int n = 4;
    assert_int_equal(tn_run(add, &n), 5);
    assert_null(tn_loop_current());
}

static int waits(void *arg)
{
    return tn_sleep(0.002) < 0 ? -1 : *(int *)arg;
}

TEST(run, waits_for_its_function)
{
    int n = 9;
    assert_int_equal(tn_run(waits, &n), 9);
}

static int stops(void *arg)
{
    tn_loop_stop(tn_loop_current());
    *(int *)arg = tn_sleep(60);
    return TN_OK;
}

TEST(run, cancels_its_function_when_the_loop_is_stopped)
{
    int seen = 0;
    assert_int_equal(tn_run(stops, &seen), TN_OK);
    assert_int_equal(seen, TN_ECANCELED);
}

static int adds_one(void *arg)
{
    TN_TRY(tn_sleep(0));
    ++*(int *)arg;
    return TN_OK;
}

static int spawns(void *arg)
{
    for (int i = 0; i < 3; i++) TN_TRY(tn_spawn_detached(tn_loop_current(), adds_one, arg));
    if (*(int *)arg != 0) return -1;
    return tn_sleep(0.01);
}

TEST(spawn_detached, begins_later_and_runs_without_being_waited_for)
{
    int n = 0;
    assert_int_equal(tn_run(spawns, &n), TN_OK);
    assert_int_equal(n, 3);
}

#if !TN_DEBUG_CHECKS
TEST(waiting, outside_a_coroutine_is_misuse)
{
    assert_int_equal(tn_sleep(0), TN_EMISUSE);
}
#endif
