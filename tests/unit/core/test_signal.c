/* tn_signal_watch: watchers run on the loop, one a signal in the process, and dispositions are given back. */
#include "core_test.h"

#include <signal.h>
#include <sys/wait.h>

static int last_signum;

static void on_signal(void *arg, int signum)
{
    trace(arg);
    last_signum = signum;
}

LOOP_TEST(signal, calls_its_watcher_in_the_loop_and_not_in_the_handler)
{
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0);
    raise(SIGUSR1);
    assert_string_equal(test_trace, "");
    assert_int_equal(tn_loop_turn(loop, -1), 0); /* which does not wait */
    assert_string_equal(test_trace, "u");
    assert_int_equal(last_signum, SIGUSR1);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "u");
    tn_signal_unwatch(loop, SIGUSR1);
}

LOOP_TEST(signal, wakes_a_loop_that_waits)
{
    pid_t parent = getpid();
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0);
    test_turns(loop, 1);
    pid_t child = fork();
    if (child == 0) {
        usleep(10000);
        kill(parent, SIGUSR1);
        _exit(0);
    }
    while (!*test_trace) assert_int_equal(tn_loop_turn(loop, -1), 0);
    waitpid(child, NULL, 0);
    tn_signal_unwatch(loop, SIGUSR1);
}

LOOP_TEST(signal, counts_once_when_it_arrives_several_times_before_a_turn)
{
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "1"), 0);
    assert_int_equal(tn_signal_watch(loop, SIGUSR2, on_signal, "2"), 0);
    for (int i = 0; i < 5; i++) raise(SIGUSR2), raise(SIGUSR1);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "12");
    tn_signal_unwatch(loop, SIGUSR1);
    tn_signal_unwatch(loop, SIGUSR2);
}

LOOP_TEST(signal, has_one_watcher_in_the_whole_process)
{
    tn_loop *other;
    assert_int_equal(tn_loop_new(&other, NULL), 0);
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0);
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "v"), TN_EEXIST);
    assert_int_equal(tn_signal_watch(other, SIGUSR1, on_signal, "w"), TN_EEXIST);
    tn_signal_unwatch(other, SIGUSR1); /* not its own: nothing happens */
    assert_int_equal(tn_signal_watch(other, SIGUSR1, on_signal, "w"), TN_EEXIST);
    tn_signal_unwatch(loop, SIGUSR1);
    assert_int_equal(tn_signal_watch(other, SIGUSR1, on_signal, "w"), 0);
    raise(SIGUSR1);
    test_turns(loop, 1);
    test_turns(other, 1);
    assert_string_equal(test_trace, "w");
    tn_loop_free(other);
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0); /* freeing gave it back */
    tn_signal_unwatch(loop, SIGUSR1);
    tn_signal_unwatch(loop, SIGUSR1);
}

static void theirs(int signum)
{
    (void)signum;
    trace("h");
}

LOOP_TEST(signal, gets_the_disposition_back_that_it_had)
{
    struct sigaction mine = {.sa_handler = theirs}, before, now;
    sigaction(SIGUSR1, &mine, &before);
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0);
    raise(SIGUSR1);
    test_turns(loop, 1);
    tn_signal_unwatch(loop, SIGUSR1);
    raise(SIGUSR1);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "uh");
    sigaction(SIGUSR1, &before, &now);
    assert_ptr_equal(now.sa_handler, theirs);
}

LOOP_TEST(signal, is_not_heard_of_once_it_is_not_watched_any_more)
{
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "u"), 0);
    raise(SIGUSR1);
    tn_signal_unwatch(loop, SIGUSR1);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "");
}

LOOP_TEST(signal, that_cannot_be_watched_is_refused)
{
    assert_int_equal(tn_signal_watch(loop, SIGKILL, on_signal, "k"), TN_EINVAL);
    assert_int_equal(tn_signal_watch(loop, SIGKILL, on_signal, "k"), TN_EINVAL);
    assert_int_equal(tn_signal_watch(loop, 0, on_signal, "0"), TN_EINVAL);
    assert_int_equal(tn_signal_watch(loop, -1, on_signal, "-"), TN_EINVAL);
    assert_int_equal(tn_signal_watch(loop, 65, on_signal, "+"), TN_EINVAL);
    tn_signal_unwatch(loop, 0);
    tn_signal_unwatch(loop, 1000);
}

LOOP_TEST(signal, can_be_watched_by_a_loop_of_a_forked_child)
{
    int status;
    assert_int_equal(tn_signal_watch(loop, SIGUSR1, on_signal, "p"), 0);
    pid_t child = fork();
    if (child == 0) {
        tn_loop *own;
        if (tn_loop_new(&own, NULL) < 0 || tn_signal_watch(own, SIGUSR1, on_signal, "c") < 0) _exit(1);
        raise(SIGUSR1);
        if (tn_loop_turn(own, -1) < 0) _exit(2);
        _exit(strcmp(test_trace, "c") == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "");
    raise(SIGUSR1);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "p");
    tn_signal_unwatch(loop, SIGUSR1);
}
