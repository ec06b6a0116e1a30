/* Periodic coroutines, on a clock driven by hand. */
#include "core/core_test.h"
#include "tornado/gen.h"

typedef struct ticking {
    double naps; /* how long each run waits */
    int begun, ended, result;
    tn_periodic *p;
} ticking;

static ticking t; /* outlives the body of a test: what waits at its end is cancelled with the loop */

static int tick(void *arg)
{
    ticking *me = arg;
    me->begun++;
    int result = me->naps > 0 ? tn_sleep(me->naps) : TN_OK;
    me->ended++;
    return result < 0 ? result : me->result;
}

/* Let half a second pass. */
static void pass(tn_loop *loop)
{
    test_now_ns += 500000000;
    test_turns(loop, 2);
}

LOOP_TEST(periodic, coroutine_runs_in_each_period)
{
    t = (ticking){.naps = 0.5};
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_int_equal(tn_periodic_spawn(&t.p, loop, 1.0, tick, &t), 0);
    for (int i = 0; i < 3; i++) {
        pass(loop);
        assert_int_equal(t.begun, i);
        pass(loop);
        assert_int_equal(t.begun, i + 1);
        assert_int_equal(t.ended, i);
    }
    tn_periodic_stop(t.p);
}

LOOP_TEST(periodic, coroutine_never_runs_twice_at_the_same_time)
{
    t = (ticking){.naps = 2.5};
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_spawn(&t.p, loop, 1.0, tick, &t);
    for (int i = 0; i < 6; i++) pass(loop); /* begun at 1, until 3.5 */
    assert_int_equal(t.begun, 1);
    pass(loop);
    assert_int_equal(t.ended, 1);
    assert_int_equal(t.begun, 1);
    pass(loop); /* 4: the next point of the grid */
    assert_int_equal(t.begun, 2);
    tn_periodic_stop(t.p);
}

LOOP_TEST(periodic, coroutine_comes_to_its_end_when_stopped)
{
    t = (ticking){.naps = 0.5};
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_spawn(&t.p, loop, 1.0, tick, &t);
    pass(loop);
    pass(loop);
    assert_int_equal(t.begun, 1);
    tn_periodic_stop(t.p);
    pass(loop);
    assert_int_equal(t.ended, 1);
    for (int i = 0; i < 4; i++) pass(loop);
    assert_int_equal(t.begun, 1);
}

static void count_line(void *arg, const tn_log_line *line)
{
    assert_int_equal(line->level, TN_LOG_ERROR);
    assert_str(line->text, "Error in periodic coroutine: limit exceeded");
    ++*(int *)arg;
}

LOOP_TEST(periodic, coroutine_that_fails_is_logged_and_runs_again)
{
    t = (ticking){.result = TN_ETOOBIG};
    int lines = 0;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_loop_set_log(loop, count_line, &lines, TN_LOG_ERROR);
    tn_periodic_spawn(&t.p, loop, 0.5, tick, &t);
    for (int i = 0; i < 3; i++) pass(loop);
    assert_int_equal(t.ended, 3);
    assert_int_equal(lines, 3);
    tn_periodic_stop(t.p);
}

LOOP_TEST(periodic, coroutine_is_cancelled_with_its_loop)
{
    t = (ticking){.naps = 10};
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_periodic_spawn(NULL, loop, 0.5, tick, &t);
    pass(loop);
    assert_int_equal(t.begun, 1);
}
