/* Functions that block, run on other threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "test.h"
#include "tornado/gen.h"

static void nap(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static int elsewhere(void *arg)
{
    return pthread_equal(pthread_self(), *(pthread_t *)arg) ? -1 : 17;
}

static int runs(void *arg)
{
    pthread_t self = pthread_self();
    (void)arg;
    if (tn_await(tn_run_blocking_start(elsewhere, &self)) != 17) return -1;
    return tn_run_blocking(elsewhere, &self);
}

TEST(run_blocking, gives_what_the_function_returned_on_another_thread)
{
    assert_int_equal(tn_run(runs, NULL), 17);
}

static int slow(void *arg)
{
    nap(250);
    atomic_store((atomic_int *)arg, 1);
    return 3;
}

static int gives_up(void *arg)
{
    int e = TN_OK;
    atomic_int over = 0;
    (void)arg;
    TN_TIMEOUT(0.1) e = tn_run_blocking(slow, &over);
    return e == 3 && atomic_load(&over) ? 1 : e;
}

TEST(run_blocking, past_its_deadline_waits_for_a_function_that_uses_the_callers_frame)
{
    assert_int_equal(tn_run(gives_up, NULL), 1);
}

static void stop(void *arg)
{
    tn_loop_stop(arg);
}

static int is_stopped(void *arg)
{
    atomic_int over = 0;
    tn_call_later(tn_loop_current(), 0.1, stop, tn_loop_current());
    *(int *)arg = tn_run_blocking(slow, &over);
    return atomic_load(&over);
}

TEST(run_blocking, is_waited_for_when_the_loop_is_freed)
{
    int result = 0;
    assert_int_equal(tn_run(is_stopped, &result), 1);
    assert_int_equal(result, 3);
}

static int drops(void *arg)
{
    tn_future *f = tn_run_blocking_start(slow, arg);
    TN_TRY(tn_sleep(0.1));
    tn_future_unref(f);
    return TN_OK;
}

TEST(run_blocking, that_nobody_waits_for_any_more_does_no_harm)
{
    static atomic_int over;
    assert_int_equal(tn_run(drops, &over), TN_OK);
    assert_int_equal(atomic_load(&over), 1);
}

static int64_t hand_ns = 1000000000;

static int64_t by_hand(void *arg)
{
    (void)arg;
    return hand_ns;
}

static int quick(void *arg)
{
    (void)arg;
    return 3;
}

static int asks_quick(void *arg)
{
    TN_TIMEOUT(1) * (int *)arg = tn_run_blocking(quick, NULL);
    return TN_OK;
}

TEST(run_blocking, gives_a_result_that_comes_in_the_same_turn_as_the_deadline)
{
    tn_loop *loop;
    int result = -1;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_loop_set_clock(loop, by_hand, NULL);
    assert_int_equal(tn_spawn_detached(loop, asks_quick, &result), 0);
    assert_int_equal(tn_loop_turn(loop, 0), 0);
    nap(100); /* by now the thread has posted its result, which nobody has taken */
    hand_ns += 2000000000;
    for (int i = 0; i < 4; i++) assert_int_equal(tn_loop_turn(loop, 0), 0);
    assert_int_equal(result, 3);
    tn_loop_free(loop);
}
