/* The doorbell: rung any number of times, heard once, and errno is left alone. */
#include "core_test.h"

#include <errno.h>

#include "core/wakeup.h"

LOOP_TEST(wakeup, ends_one_wait_however_often_it_was_rung)
{
    tn__wakeup bell;
    assert_int_equal(tn__wakeup_open(loop, &bell), 0);
    for (int i = 0; i < 100000; i++) tn__wakeup_ring(&bell); /* more than a pipe holds */
    double before = tn_loop_time(loop);
    assert_int_equal(tn_loop_turn(loop, 10), 0);
    assert_true(tn_loop_time(loop) - before < 5);
    before = tn_loop_time(loop);
    assert_int_equal(tn_loop_turn(loop, 0.02), 0);
    assert_true(tn_loop_time(loop) - before >= 0.02);
    tn__wakeup_close(loop, &bell);
    tn__wakeup_close(loop, &bell);
}

LOOP_TEST(wakeup, leaves_errno_as_it_was)
{
    tn__wakeup bell;
    assert_int_equal(tn__wakeup_open(loop, &bell), 0);
    tn__wakeup broken = {.ring_fd = -1};
    errno = 77;
    tn__wakeup_ring(&bell);
    tn__wakeup_ring(&broken);
    assert_int_equal(errno, 77);
    tn__wakeup_close(loop, &bell);
}
