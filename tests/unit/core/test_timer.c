/* Exact timers and tn_call_later. */
#include "core_test.h"

/* Let `ns` pass and run a turn. */
static void pass(tn_loop *loop, int64_t ns)
{
    test_now_ns += ns;
    test_turns(loop, 1);
}

LOOP_TEST(timer, fires_in_order_of_deadline_then_of_creation)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_call_later(loop, 0.3, trace, "d");
    tn_call_later(loop, 0.1, trace, "a");
    tn_call_later(loop, 0.2, trace, "b");
    tn_call_later(loop, 0.2, trace, "c");
    tn_call_at(loop, 0.5, trace, "0"); /* in the past: at once, and before the others */
    pass(loop, 1000000000);
    assert_string_equal(test_trace, "0abcd");
}

LOOP_TEST(timer, is_never_early)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_call_later(loop, 0.5, trace, "a");
    pass(loop, 499999999);
    assert_string_equal(test_trace, "");
    assert_true(tn_loop_backend_timeout(loop) > 0);
    pass(loop, 1);
    assert_string_equal(test_trace, "a");
    assert_true(tn_loop_backend_timeout(loop) < 0);
}

LOOP_TEST(timer, waits_for_the_real_clock)
{
    tn_call_later(loop, 0.02, trace, "a");
    double before = tn_loop_time(loop);
    while (!*test_trace) assert_int_equal(tn_loop_turn(loop, -1), 0);
    double waited = tn_loop_time(loop) - before;
    assert_true(waited >= 0.02 && waited < 1);
}

typedef struct again {
    tn_loop *loop;
    int fired;
} again;

static void start_again(void *arg)
{
    again *a = arg;
    a->fired++;
    assert_true(tn_call_later(a->loop, 0, start_again, a));
    assert_true(tn_call_at(a->loop, -1, trace, "p"));
}

LOOP_TEST(timer, that_a_timer_starts_fires_in_the_next_turn_however_early_its_deadline)
{
    again a = {.loop = loop};
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_call_later(loop, 0, start_again, &a);
    for (int turns = 1; turns <= 5; turns++) {
        test_turns(loop, 1);
        assert_int_equal(a.fired, turns);
        assert_int_equal(strlen(test_trace), (size_t)turns - 1);
    }
}

static tn_timeout to_remove;

static void remove_other(void *arg)
{
    trace("r");
    tn_remove_timeout(arg, to_remove);
}

LOOP_TEST(timer, does_not_fire_once_it_was_removed)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_timeout first = tn_call_later(loop, 0.1, trace, "a");
    tn_call_later(loop, 0.2, remove_other, loop);
    to_remove = tn_call_later(loop, 0.2, trace, "b"); /* due in the same turn as the one that removes it */
    tn_remove_timeout(loop, first);
    pass(loop, 1000000000);
    assert_string_equal(test_trace, "r");
}

LOOP_TEST(timer, id_is_never_mistaken_for_another)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_remove_timeout(loop, 0);
    tn_remove_timeout(loop, 12345);
    tn_timeout old = tn_call_later(loop, 0, trace, "a");
    assert_true(old);
    tn_remove_timeout(loop, 0);
    tn_remove_timeout(loop, UINT64_MAX);
    pass(loop, 0);
    for (int i = 0; i < 1000; i++) {
        tn_timeout fresh = tn_call_later(loop, 0, trace, "b");
        assert_true(fresh != old);
        tn_remove_timeout(loop, old); /* the same place by now */
        tn_remove_timeout(loop, fresh);
        tn_remove_timeout(loop, fresh);
    }
    tn_call_later(loop, 0, trace, "c");
    tn_remove_timeout(loop, old);
    pass(loop, 0);
    assert_string_equal(test_trace, "ac");
}

LOOP_TEST(timer, takes_any_number_for_a_delay)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_true(tn_call_later(loop, -5, trace, "n"));
    assert_true(tn_call_later(loop, 0.0 / 0.0, trace, "q"));
    assert_true(tn_call_later(loop, 1e300, trace, "x"));
    assert_true(tn_call_at(loop, 1e300, trace, "x"));
    assert_true(tn_call_later(loop, 49.8 * 86400, trace, "m")); /* more than 2^32 ms */
    pass(loop, 0);
    assert_string_equal(test_trace, "nq");
    pass(loop, INT64_C(50) * 86400 * 1000000000);
    assert_string_equal(test_trace, "nqm");
}

static void fire(tn_loop *loop, tn__timer *timer)
{
    (void)loop, (void)timer;
    trace("f");
}

LOOP_TEST(timer, of_the_engine_restarts_and_stops)
{
    tn__timer t;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn__timer_init(&t, fire);
    tn__timer_stop(loop, &t);
    assert_int_equal(tn__timer_start(loop, &t, test_now_ns + 10), 0);
    tn__alloc_fail_after(0, true);
    assert_int_equal(tn__timer_start(loop, &t, test_now_ns + 20), 0); /* a restart needs no memory */
    tn__alloc_fail_after(-1, false);
    pass(loop, 10);
    assert_string_equal(test_trace, "");
    pass(loop, 10);
    assert_string_equal(test_trace, "f");
    pass(loop, 100);
    assert_string_equal(test_trace, "f");
    tn__timer_start(loop, &t, test_now_ns);
    tn__timer_stop(loop, &t);
    pass(loop, 100);
    assert_string_equal(test_trace, "f");
}

enum { MANY = 10000 };

static void count(void *arg)
{
    ++*(int *)arg;
}

LOOP_TEST(timer, fires_each_of_many)
{
    static tn_timeout ids[MANY];
    int fired = 0;
    tn_loop_set_clock(loop, test_clock, NULL);
    for (int i = 0; i < MANY; i++) ids[i] = tn_call_later(loop, (i * 7919 % MANY) / 1000.0, count, &fired);
    for (int i = 0; i < MANY; i += 2) tn_remove_timeout(loop, ids[i]);
    for (int i = 0; i < 12; i++) pass(loop, 1000000000);
    assert_int_equal(fired, MANY / 2);
}

static int call_many(void *arg)
{
    for (int i = 0; i < 300; i++)
        if (!tn_call_later(arg, 1, trace, "x")) return TN_ENOMEM;
    return 0;
}

TEST(timer, is_zero_when_there_is_no_memory_for_it)
{
    for (long n = 0;; n++) {
        tn_loop *loop;
        assert_int_equal(tn_loop_new(&loop, NULL), 0);
        tn__alloc_fail_after(n, false);
        int result = call_many(loop);
        long made = tn__alloc_count();
        tn__alloc_fail_after(-1, false);
        tn_loop_free(loop);
        if (result == 0) {
            assert_in_range(made, 5, 50);
            return;
        }
    }
}
