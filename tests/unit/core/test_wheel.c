/* Coarse timeouts: never early, at most a tick or two late, cheap to move. */
#include "core_test.h"

#include "core/turn.h"

static const int64_t tick_ns = INT64_C(1) << 24, second_ns = 1000000000, day_ns = INT64_C(86400) * 1000000000;

typedef struct probe {
    tn__timeout timeout;
    int64_t deadline_ns; /* when it should fire */
    int64_t again_ns;    /* how long after that it is set again; 0 is not */
    int64_t fired_ns;
    int fired;
} probe;

static void on_fire(tn_loop *loop, tn__timeout *timeout)
{
    probe *p = TN__OWNER(timeout, probe, timeout);
    p->fired++;
    p->fired_ns = tn__loop_now(loop);
    assert_true(p->fired_ns >= p->deadline_ns);
    if (!p->again_ns) return;
    p->deadline_ns = p->fired_ns + p->again_ns;
    tn__timeout_set(loop, timeout, p->deadline_ns);
}

static void start(tn_loop *loop, probe *p, int64_t after_ns)
{
    *p = (probe){.deadline_ns = tn__loop_now(loop) + after_ns};
    tn__timeout_init(&p->timeout, on_fire);
    tn__timeout_set(loop, &p->timeout, p->deadline_ns);
}

static void move(tn_loop *loop, probe *p, int64_t after_ns)
{
    p->deadline_ns = tn__loop_now(loop) + after_ns;
    tn__timeout_set(loop, &p->timeout, p->deadline_ns);
}

/* Do what a loop does: sleep until it wants to be woken. Gives the number of turns it took until the clock reached `until_ns`. */
static int sleep_until(tn_loop *loop, int64_t until_ns)
{
    int turns = 0;
    for (;; turns++) {
        test_turns(loop, 1);
        int64_t next = tn__wheel_next_ns(loop);
        assert_true(next > test_now_ns);
        if (next > until_ns) break;
        test_now_ns = next;
    }
    test_now_ns = until_ns;
    test_turns(loop, 1);
    return turns;
}

LOOP_TEST(wheel, is_never_early_and_less_than_two_ticks_late)
{
    static const int64_t delays[] = {0,
                                     1,
                                     1000,
                                     16777215,
                                     16777216,
                                     16777217,
                                     63 * (INT64_C(1) << 24),
                                     64 * (INT64_C(1) << 24),
                                     INT64_C(1) << 30,
                                     (INT64_C(1) << 30) + 1,
                                     5000000000,
                                     60000000000,
                                     INT64_C(1) << 36,
                                     INT64_C(3600) * 1000000000,
                                     INT64_C(1) << 42,
                                     INT64_C(86400) * 1000000000,
                                     INT64_C(1) << 48,
                                     INT64_C(49) * 86400 * 1000000000,
                                     INT64_C(50) * 86400 * 1000000000};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        for (int64_t begin = 0; begin < 5; begin++) {
            probe p;
            test_now_ns = begin * 987654321987 + begin;
            tn_loop_set_clock(loop, test_clock, NULL);
            start(loop, &p, delays[i]);
            int64_t due = p.deadline_ns;
            int turns = sleep_until(loop, due + 2 * tick_ns);
            assert_int_equal(p.fired, 1);
            assert_true(p.fired_ns - due < 2 * tick_ns);
            assert_in_range(turns, 0, 6); /* one look a level at most */
            assert_true(tn__wheel_next_ns(loop) == INT64_MAX);
        }
    }
}

LOOP_TEST(wheel, needs_no_work_to_move_a_deadline_later_and_fires_at_the_later_one)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, 60 * second_ns);
    int64_t slot = p.timeout.slot_tick;
    for (int i = 0; i < 100; i++) {
        test_now_ns += second_ns / 10;
        test_turns(loop, 1);
        move(loop, &p, 60 * second_ns);
        assert_int_equal(p.timeout.slot_tick, slot); /* a store, nothing else */
    }
    sleep_until(loop, p.deadline_ns - 1);
    assert_int_equal(p.fired, 0);
    sleep_until(loop, p.deadline_ns + 2 * tick_ns);
    assert_int_equal(p.fired, 1);
}

LOOP_TEST(wheel, fires_at_an_earlier_deadline_when_it_was_moved_there)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, day_ns);
    move(loop, &p, second_ns);
    sleep_until(loop, p.deadline_ns + 2 * tick_ns);
    assert_int_equal(p.fired, 1);
}

LOOP_TEST(wheel, stays_quiet_when_cleared_and_can_be_set_again)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, 60 * second_ns);
    tn__timeout_clear(&p.timeout);
    sleep_until(loop, test_now_ns + 30 * second_ns);
    move(loop, &p, 60 * second_ns);
    sleep_until(loop, p.deadline_ns + 2 * tick_ns);
    assert_int_equal(p.fired, 1);

    move(loop, &p, second_ns);
    tn__timeout_clear(&p.timeout);
    sleep_until(loop, test_now_ns + 10 * second_ns);
    assert_int_equal(p.fired, 1);
    assert_false(tn__list_linked(&p.timeout.node)); /* its slot has passed */
}

LOOP_TEST(wheel, forgets_what_was_stopped)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, second_ns);
    tn__timeout_stop(&p.timeout);
    tn__timeout_stop(&p.timeout);
    memset(&p.timeout, 0xa5, sizeof p.timeout); /* as if it were freed */
    sleep_until(loop, test_now_ns + 10 * second_ns);
    assert_int_equal(p.fired, 0);
}

LOOP_TEST(wheel, fires_again_and_again_when_set_from_its_own_call)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, second_ns);
    p.again_ns = second_ns;
    sleep_until(loop, test_now_ns + 100 * second_ns);
    assert_in_range(p.fired, 95, 100);
    tn__timeout_stop(&p.timeout);
}

static probe *victim;

static void stop_victim(tn_loop *loop, tn__timeout *timeout)
{
    (void)loop, (void)timeout;
    tn__timeout_stop(&victim->timeout);
}

LOOP_TEST(wheel, does_not_fire_what_another_one_of_the_same_slot_stopped)
{
    probe p;
    tn__timeout killer;
    tn_loop_set_clock(loop, test_clock, NULL);
    victim = &p;
    tn__timeout_init(&killer, stop_victim);
    tn__timeout_set(loop, &killer, test_now_ns + second_ns);
    start(loop, &p, second_ns);
    sleep_until(loop, test_now_ns + 5 * second_ns);
    assert_int_equal(p.fired, 0);
}

LOOP_TEST(wheel, catches_up_in_one_turn_after_a_long_sleep)
{
    enum { N = 1000 };
    static probe p[N];
    tn_loop_set_clock(loop, test_clock, NULL);
    for (int i = 0; i < N; i++) start(loop, &p[i], i * (day_ns / 100));
    test_now_ns += 11 * day_ns;
    test_turns(loop, 1);
    for (int i = 0; i < N; i++) assert_int_equal(p[i].fired, 1);
}

enum { MANY = 100000 };

LOOP_TEST(wheel, holds_a_hundred_thousand_that_are_moved_at_random_and_fires_each_in_time)
{
    static probe p[MANY];
    uint64_t seed = 88172645463325252u;
    tn_loop_set_clock(loop, test_clock, NULL);
    for (int i = 0; i < MANY; i++) start(loop, &p[i], (int64_t)(i % 6000) * second_ns / 100);
    for (int step = 0; step < 200; step++) {
        for (int i = 0; i < 1000; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            probe *q = &p[seed % MANY];
            if (!q->fired) move(loop, q, (int64_t)(seed >> 32) * 30);
        }
        test_now_ns += second_ns / 7;
        test_turns(loop, 1);
        for (int i = 0; i < MANY; i += 97) assert_true(p[i].fired || p[i].deadline_ns > test_now_ns - 2 * tick_ns);
    }
    sleep_until(loop, test_now_ns + 200 * second_ns);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(p[i].fired, 1);
        assert_true(p[i].fired_ns - p[i].deadline_ns <= second_ns / 7 + 2 * tick_ns);
    }
}

LOOP_TEST(wheel, bears_a_clock_that_is_replaced_in_either_direction)
{
    probe p;
    start(loop, &p, 60 * second_ns); /* by the system's clock */
    test_now_ns = 0;
    tn_loop_set_clock(loop, test_clock, NULL);
    probe q;
    start(loop, &q, second_ns);
    sleep_until(loop, 2 * second_ns);
    assert_int_equal(q.fired, 1);
    assert_int_equal(p.fired, 0);
    test_now_ns = p.deadline_ns + 2 * tick_ns;
    test_turns(loop, 1);
    assert_int_equal(p.fired, 1);

    test_now_ns = -100 * second_ns; /* before the epoch of a clock */
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, second_ns);
    sleep_until(loop, test_now_ns + 200 * second_ns);
    assert_int_equal(p.fired, 1);
}

LOOP_TEST(wheel, looks_again_at_what_lies_beyond_its_horizon)
{
    probe p;
    tn_loop_set_clock(loop, test_clock, NULL);
    start(loop, &p, 1000 * day_ns);
    assert_in_range(sleep_until(loop, p.deadline_ns - 1), 1, 20);
    assert_int_equal(p.fired, 0);
    sleep_until(loop, p.deadline_ns + 2 * tick_ns);
    assert_int_equal(p.fired, 1);
}

LOOP_TEST(wheel, wakes_a_loop_that_waits)
{
    probe p;
    start(loop, &p, 40000000);
    while (!p.fired) assert_int_equal(tn_loop_turn(loop, -1), 0);
    assert_true(p.fired_ns - p.deadline_ns < 20 * tick_ns); /* leaves room for a busy machine */
}

static void count(void *arg)
{
    ++*(int *)arg;
}

LOOP_TEST(wheel, tells_the_host_of_an_earlier_deadline_only)
{
    int wakes = 0;
    probe p, q;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_loop_set_wake(loop, count, &wakes);
    test_turns(loop, 1);
    wakes = 0;
    start(loop, &p, 10 * second_ns);
    assert_int_equal(wakes, 1);
    test_turns(loop, 1);
    move(loop, &p, 20 * second_ns);
    start(loop, &q, 30 * second_ns);
    assert_int_equal(wakes, 1);
    move(loop, &q, second_ns);
    assert_int_equal(wakes, 2);
    tn__timeout_stop(&p.timeout);
    tn__timeout_stop(&q.timeout);
}

TEST(wheel, lets_go_of_timeouts_whose_owners_outlive_the_loop)
{
    tn_loop *loop;
    probe p;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    start(loop, &p, 10 * second_ns);
    tn_loop_free(loop);
    tn__timeout_stop(&p.timeout);
    assert_int_equal(p.fired, 0);
}
