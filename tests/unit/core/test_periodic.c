/* Periodic calls, on a clock driven by hand. */
#include "core/periodic.h"
#include "core_test.h"

enum { SECOND = 1000000000 };

/* Let `ns` pass and run a turn. */
static void pass(tn_loop *loop, int64_t ns)
{
    test_now_ns += ns;
    test_turns(loop, 1);
}

LOOP_TEST(periodic, calls_from_start_to_start)
{
    tn_periodic *p = NULL;
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_int_equal(tn_periodic_start(&p, loop, 1.0, trace, "a"), 0);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "");
    for (int i = 0; i < 3; i++) {
        pass(loop, SECOND - 1);
        assert_int_equal(strlen(test_trace), i);
        pass(loop, 1);
        assert_int_equal(strlen(test_trace), i + 1);
    }
    tn_periodic_stop(p);
    pass(loop, 5L * SECOND);
    assert_string_equal(test_trace, "aaa");
}

LOOP_TEST(periodic, keeps_to_its_grid_when_the_loop_is_late)
{
    tn_periodic *p = NULL;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_start(&p, loop, 1.0, trace, "a");
    pass(loop, SECOND + 300000000); /* 0.3 s late */
    assert_string_equal(test_trace, "a");
    pass(loop, 700000000); /* and yet the next one is due 2 s after the start */
    assert_string_equal(test_trace, "aa");
    pass(loop, 3L * SECOND + 1); /* three passed: one call for all of them */
    assert_string_equal(test_trace, "aaa");
    tn_periodic_stop(p);
}

static void blocks(void *seconds)
{
    trace("b");
    test_now_ns += *(int *)seconds * (int64_t)SECOND;
}

LOOP_TEST(periodic, skips_whole_periods_when_a_call_overruns)
{
    tn_periodic *p = NULL;
    int seconds = 3;
    tn_loop_set_clock(loop, test_clock, NULL);
    int64_t begun_ns = test_now_ns;
    tn_periodic_start(&p, loop, 2.0, blocks, &seconds);
    pass(loop, 2L * SECOND); /* from 2 to 5: the point at 4 is skipped */
    assert_string_equal(test_trace, "b");
    assert_int_equal(p->next_ns - begun_ns, 6L * SECOND);
    test_turns(loop, 3);
    assert_string_equal(test_trace, "b");
    pass(loop, SECOND);
    assert_string_equal(test_trace, "bb");
    tn_periodic_stop(p);
}

LOOP_TEST(periodic, puts_up_with_a_clock_that_was_set_back)
{
    tn_periodic *p = NULL;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_start(&p, loop, 1.0, trace, "a");
    int64_t due_ns = p->next_ns;
    test_now_ns = due_ns - 500000000;
    p->timer.fire(loop, &p->timer);
    assert_int_equal(p->next_ns, due_ns + SECOND);
    tn_periodic_stop(p);
}

LOOP_TEST(periodic, spreads_its_calls_within_the_jitter)
{
    tn_periodic *p = NULL;
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_int_equal(tn_periodic_start(&p, loop, 1.0, trace, "a", .jitter = 0.5), 0);
    int64_t least = INT64_MAX, most = 0, last_ns = test_now_ns;
    for (int i = 0; i < 100; i++) {
        int64_t period_ns = p->next_ns - last_ns;
        if (period_ns < least) least = period_ns;
        if (period_ns > most) most = period_ns;
        last_ns = p->next_ns;
        pass(loop, p->next_ns - test_now_ns);
        assert_int_equal(strlen(test_trace), i + 1);
    }
    assert_in_range(least, 750000000, 850000000);
    assert_in_range(most, 1150000000, 1250000000);
    tn_periodic_stop(p);
}

typedef struct stopping {
    tn_periodic *p;
    int calls;
} stopping;

static void stop_at_second(void *arg)
{
    stopping *s = arg;
    if (++s->calls == 2) tn_periodic_stop(s->p);
}

LOOP_TEST(periodic, may_be_stopped_by_its_own_function)
{
    stopping s = {0};
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_start(&s.p, loop, 1.0, stop_at_second, &s);
    for (int i = 0; i < 5; i++) pass(loop, SECOND);
    assert_int_equal(s.calls, 2);
    assert_true(tn_loop_backend_timeout(loop) < 0);
}

LOOP_TEST(periodic, goes_with_its_loop_when_nobody_stops_it)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_int_equal(tn_periodic_start(NULL, loop, 0.5, trace, "a"), 0);
    pass(loop, SECOND);
    assert_string_equal(test_trace, "a");
    tn_periodic_stop(NULL);
}

LOOP_TEST(periodic, refuses_periods_and_jitters_that_are_none)
{
    tn_periodic *p = NULL;
    assert_int_equal(tn_periodic_start(&p, loop, 0, trace, "a"), TN_EINVAL);
    assert_int_equal(tn_periodic_start(&p, loop, -1, trace, "a"), TN_EINVAL);
    assert_int_equal(tn_periodic_start(&p, loop, 1, trace, "a", .jitter = -0.1), TN_EINVAL);
    assert_int_equal(tn_periodic_start(&p, loop, 1, trace, "a", .jitter = 1.1), TN_EINVAL);
    assert_null(p);
}

static int start_and_stop(void *arg)
{
    tn_loop *loop = NULL;
    tn_periodic *p = NULL;
    (void)arg;
    int result = tn_loop_new(&loop, NULL);
    if (result == 0) result = tn_periodic_start(&p, loop, 1, trace, "a");
    if (result == 0) tn_periodic_stop(p);
    tn_loop_free(loop);
    return result;
}

TEST(periodic, says_when_there_is_no_memory)
{
    assert_true(test_each_allocation(start_and_stop, NULL) > 0);
}
