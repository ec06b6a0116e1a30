/* Waiting for several futures. */
#include "test.h"
#include "tornado/gen.h"

static tn_future *after(double seconds)
{
    return tn_sleep_start(seconds);
}

static tn_future *ended(int result)
{
    tn_future *f = tn_future_new(tn_loop_current());
    if (f) tn_future_set(f, result);
    return f;
}

static int awaits_all(void *arg)
{
    (void)arg;
    tn_future *fine[] = {after(0.002), after(0), ended(7)};
    TN_TRY(tn_await_all(fine, 3));
    TN_TRY(tn_await_all(NULL, 0));
    tn_future *bad[] = {after(0.001), ended(TN_EOF), NULL, ended(TN_ESYNTAX)};
    return tn_await_all(bad, 4);
}

TEST(await_all, waits_for_each_and_reports_the_first_that_failed)
{
    assert_int_equal(tn_run(awaits_all, NULL), TN_EOF);
}

static int gathers(void *arg)
{
    int *results = arg;
    tn_future *futures[] = {ended(7), after(0.001), ended(TN_EOF), NULL};
    TN_TRY(tn_gather(futures, 4, results));
    int late[2], e = TN_OK;
    tn_future *slow[] = {after(60), ended(1)};
    TN_TIMEOUT(0.005) e = tn_gather(slow, 2, late);
    return e == TN_ETIMEDOUT && late[0] == TN_ETIMEDOUT;
}

TEST(gather, gives_the_result_of_each)
{
    int results[4] = {-1, -1, -1, -1};
    assert_int_equal(tn_run(gathers, results), 1);
    assert_int_equal(results[0], 7);
    assert_int_equal(results[1], 0);
    assert_int_equal(results[2], TN_EOF);
    assert_int_equal(results[3], TN_ENOMEM);
}

static int awaits_any(void *arg)
{
    (void)arg;
    tn_future *futures[] = {after(60), after(0.001), after(60)};
    int first = tn_await_any(futures, 3);
    if (first != 1 || !tn_future_done(futures[1]) || tn_future_done(futures[0])) return -1;
    if (tn_await_any(futures, 3) != 1) return -2;
    for (int i = 0; i < 3; i++) tn_future_unref(futures[i]);
    return tn_await_any(NULL, 0);
}

TEST(await_any, tells_which_has_ended_and_leaves_the_references)
{
    assert_int_equal(tn_run(awaits_any, NULL), TN_EINVAL);
}

static int iterates(void *arg)
{
    int *order = arg, n = 0;
    tn_future *futures[] = {after(0.02), after(0.001), ended(0), after(0.01), NULL};
    tn_wait_iter *it = tn_wait_iter_new(futures, 5);
    int i;
    while ((i = tn_wait_iter_next(it)) >= 0) order[n++] = i;
    tn_wait_iter_free(it);
    for (i = 0; i < 5; i++) tn_future_unref(futures[i]);
    return n;
}

TEST(wait_iter, gives_futures_in_the_order_in_which_they_end)
{
    int order[5];
    assert_int_equal(tn_run(iterates, order), 5);
    int expected[] = {2, 4, 1, 3, 0};
    for (int i = 0; i < 5; i++) assert_int_equal(order[i], expected[i]);
}

static int gives_up(void *arg)
{
    int e = TN_OK;
    (void)arg;
    tn_future *futures[] = {after(60), after(0.02)};
    tn_wait_iter *it = tn_wait_iter_new(futures, 2);
    TN_TIMEOUT(0.001) e = tn_wait_iter_next(it);
    if (e != TN_ETIMEDOUT) return -1;
    if (tn_wait_iter_next(it) != 1) return -2;
    tn_wait_iter_free(it);
    tn_future_unref(futures[0]);
    tn_future_unref(futures[1]);
    return TN_OK;
}

TEST(wait_iter, goes_on_after_a_wait_that_timed_out)
{
    assert_int_equal(tn_run(gives_up, NULL), TN_OK);
}
