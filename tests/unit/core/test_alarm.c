/* The alarm, through which a host learns of deadlines from the loop's descriptor alone. */
#include <poll.h>

#include "core/alarm.h"
#include "core_test.h"

/* Does the loop's descriptor become readable within `ms`? */
static bool rings_within(tn_loop *loop, int ms)
{
    struct pollfd p = {.fd = tn_loop_backend_fd(loop), .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

/* Can this loop have one, and has it now? */
static bool give_alarm(tn_loop *loop)
{
    return tn_loop_backend_fd(loop) >= 0 && tn__loop_set_alarm(loop) == 0;
}

LOOP_TEST(alarm, makes_the_descriptor_readable_when_a_deadline_comes)
{
    if (!give_alarm(loop)) return;
    tn_call_later(loop, 0.02, trace, "a");
    test_turns(loop, 1);
    assert_true(rings_within(loop, 2000));
    test_turns(loop, 1);
    assert_string_equal(test_trace, "a");
    test_turns(loop, 1);
    assert_false(rings_within(loop, 30));
}

LOOP_TEST(alarm, is_given_once)
{
    if (!give_alarm(loop)) return;
    assert_true(give_alarm(loop));
    test_turns(loop, 1);
    assert_false(rings_within(loop, 0));
}
