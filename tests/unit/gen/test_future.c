/* Futures, and waiting for one. */
#include "gen/future.h"
#include "test.h"
#include "tornado/gen.h"

static int with_loop(tn_task_fn *fn)
{
    return tn_run(fn, NULL);
}

static void set_later(void *arg)
{
    tn_future_set(arg, 5);
    tn_future_unref(arg);
}

static int awaits_a_callback(void *arg)
{
    (void)arg;
    tn_future *f = tn_future_new(tn_loop_current());
    tn_call_later(tn_loop_current(), 0.001, set_later, tn_future_ref(f));
    return tn_await(f);
}

TEST(future, gives_its_result_to_whoever_waits)
{
    assert_int_equal(with_loop(awaits_a_callback), 5);
}

static int awaits_null(void *arg)
{
    (void)arg;
    return tn_await(NULL);
}

TEST(future, that_could_not_be_made_is_lack_of_memory)
{
    assert_int_equal(with_loop(awaits_null), TN_ENOMEM);
}

static int awaits_sleep(void *arg)
{
    (void)arg;
    double before = tn_loop_time(tn_loop_current());
    TN_TRY(tn_await(tn_sleep_start(0.01)));
    return tn_loop_time(tn_loop_current()) - before >= 0.01 ? 1 : 0;
}

TEST(future, of_a_started_sleep_ends_when_the_time_has_come)
{
    assert_int_equal(with_loop(awaits_sleep), 1);
}

static int abandons(void *arg)
{
    (void)arg;
    tn_future_unref(tn_sleep_start(3600));
    return (int)tn_loop_current()->timers.n;
}

TEST(future, whose_last_reference_is_given_back_withdraws_what_it_stands_for)
{
    assert_int_equal(with_loop(abandons), 0);
}

static int awaits_text(void *arg)
{
    (void)arg;
    tn_future *f = tn_future_new(tn_loop_current());
    tn_future_set_str(f, 0, TN_S("a line"));
    tn_str text;
    TN_TRY(tn_await_str(f, &text));
    return tn_str_eq(text, TN_S("a line"));
}

TEST(future, delivers_a_piece_of_text)
{
    assert_int_equal(with_loop(awaits_text), 1);
}

static int destroyed;
static void destroy(void *value)
{
    (void)value;
    destroyed++;
}

static int awaits_value(void *arg)
{
    int here = 8;
    tn_future *f = tn_future_new(tn_loop_current());
    (void)arg;
    tn_future_set_value(f, 0, &here, destroy);
    void *value = NULL;
    TN_TRY(tn_await_value(f, &value));
    return *(int *)value;
}

TEST(future, hands_its_value_over_to_whoever_awaits_it)
{
    destroyed = 0;
    assert_int_equal(with_loop(awaits_value), 8);
    assert_int_equal(destroyed, 0);
}

TEST(future, destroys_a_value_that_nobody_took)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_future *f = tn_future_new(loop);
    int value;
    destroyed = 0;
    assert_int_equal(tn_future_set_value(f, 0, &value, destroy), TN_OK);
    assert_int_equal(tn_future_set_value(f, 0, &value, destroy), TN_EBUSY);
    assert_int_equal(destroyed, 1);
    tn_future_unref(f);
    assert_int_equal(destroyed, 2);
    tn_loop_free(loop);
}

static void count(void *arg, tn_future *f)
{
    assert_true(tn_future_done(f));
    ++*(int *)arg;
}

TEST(future, calls_back_from_the_ready_phase_whether_it_ended_before_or_after)
{
    tn_loop *loop = NULL;
    int calls = 0;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_future *f = tn_future_new(loop);
    assert_int_equal(tn_future_on_done(f, count, &calls), TN_OK);
    tn_future_fail(f, TN_EOF);
    assert_int_equal(tn_future_on_done(f, count, &calls), TN_OK);
    assert_int_equal(tn_future_result(f), TN_EOF);
    tn_future_unref(f);
    assert_int_equal(calls, 0);
    tn_loop_turn(loop, 0);
    assert_int_equal(calls, 2);
    tn_loop_free(loop);
}

TEST(future, outlives_its_loop_and_is_cancelled_by_then)
{
    tn_loop *loop = NULL;
    int calls = 0;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_loop_make_current(loop);
    tn_future *f = tn_sleep_start(100);
    tn_future_on_done(f, count, &calls);
    tn_loop_free(loop);
    assert_int_equal(tn_future_result(f), TN_ECANCELED);
    tn_future_unref(f);
    assert_int_equal(calls, 0);
}

static int cancelled_while_waiting(void *arg)
{
    tn_future *f = tn_sleep_start(3600);
    *(tn_task **)arg = tn_task_current();
    int result = tn_await(f);
    return result == TN_ECANCELED ? (int)tn_loop_current()->timers.n : -1;
}

static int cancels(void *arg)
{
    (void)arg;
    tn_task *other = NULL;
    TN_TRY(tn_spawn_detached(tn_loop_current(), cancelled_while_waiting, &other));
    TN_TRY(tn_sleep(0));
    tn_cancel(other);
    TN_TRY(tn_sleep(0));
    return (int)tn_loop_current()->timers.n;
}

TEST(await, that_is_cancelled_gives_its_reference_back)
{
    assert_int_equal(with_loop(cancels), 0);
}
