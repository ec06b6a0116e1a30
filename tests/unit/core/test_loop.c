/* The turn and its phases, running and stopping, driving from outside, making and freeing. */
#include "core_test.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

/* -- Phases -- */

static void trace_fd(void *arg, int fd, unsigned events)
{
    (void)fd, (void)events;
    trace(arg);
}

static void trace_soon(tn_loop *loop, tn__work *work)
{
    (void)loop, (void)work;
    trace("s");
}

static void trace_late(tn_loop *loop, tn__work *work)
{
    (void)loop, (void)work;
    trace("l");
}

LOOP_TEST(loop, runs_timers_then_descriptors_then_callbacks_then_ready_work_then_late_work)
{
    int fds[2];
    tn__work soon, late;
    test_socketpair(fds);
    tn__work_init(&soon, trace_soon);
    tn__work_init(&late, trace_late);
    tn__late(loop, &late);
    tn__soon(loop, &soon);
    assert_int_equal(tn_loop_add_callback(loop, trace, "c"), 0);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_WRITE, trace_fd, "d"), 0);
    assert_true(tn_call_later(loop, 0, trace, "t"));
    test_turns(loop, 1);
    assert_string_equal(test_trace, "tdcsl");
    tn_loop_remove_handler(loop, fds[0]);
    test_close_pair(fds);
}

typedef struct chain {
    tn_loop *loop;
    tn__work work;
    int runs;
} chain;

static void add_chain(void *arg)
{
    chain *c = arg;
    c->runs++;
    assert_int_equal(tn_loop_add_callback(c->loop, add_chain, c), 0);
}

LOOP_TEST(loop, runs_a_callback_that_was_added_in_a_turn_in_the_next_one)
{
    chain c = {.loop = loop};
    tn_loop_add_callback(loop, add_chain, &c);
    for (int turns = 1; turns <= 5; turns++) {
        test_turns(loop, 1);
        assert_int_equal(c.runs, turns);
    }
}

static void again_soon(tn_loop *loop, tn__work *work)
{
    TN__OWNER(work, chain, work)->runs++;
    tn__soon(loop, work);
}

LOOP_TEST(loop, runs_ready_work_that_queues_itself_once_a_turn_and_does_not_wait_meanwhile)
{
    chain c = {.loop = loop};
    tn__work_init(&c.work, again_soon);
    tn__soon(loop, &c.work);
    for (int turns = 1; turns <= 5; turns++) {
        assert_int_equal(tn_loop_turn(loop, -1), 0); /* would wait for ever */
        assert_int_equal(c.runs, turns);
        assert_true(tn_loop_backend_timeout(loop) == 0);
    }
    tn__work_cancel(&c.work);
    assert_true(tn_loop_backend_timeout(loop) < 0);
}

static void late_then_trace(tn_loop *loop, tn__work *work)
{
    trace("1");
    tn__work_init(work, trace_late);
    tn__late(loop, work);
}

LOOP_TEST(loop, runs_late_work_of_late_work_in_the_same_turn)
{
    tn__work work;
    tn__work_init(&work, late_then_trace);
    tn__late(loop, &work);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "1l");
}

static void again_late(tn_loop *loop, tn__work *work)
{
    TN__OWNER(work, chain, work)->runs++;
    tn__late(loop, work);
}

LOOP_TEST(loop, ends_a_turn_although_late_work_queues_itself_for_ever)
{
    chain c = {.loop = loop};
    tn__work_init(&c.work, again_late);
    tn__late(loop, &c.work);
    test_turns(loop, 2);
    assert_in_range(c.runs, 2, 20);
    tn__work_cancel(&c.work);
}

LOOP_TEST(loop, queues_work_once_and_forgets_it_when_cancelled)
{
    tn__work a, b;
    tn__work_init(&a, trace_soon);
    tn__work_init(&b, trace_soon);
    tn__soon(loop, &a);
    tn__soon(loop, &a);
    tn__soon(loop, &b);
    tn__work_cancel(&b);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "s");
}

static tn__work *victim;

static void cancel_victim(tn_loop *loop, tn__work *work)
{
    (void)loop, (void)work;
    trace("x");
    tn__work_cancel(victim);
}

LOOP_TEST(loop, does_not_run_work_that_earlier_work_of_the_same_batch_cancelled)
{
    tn__work a, b;
    tn__work_init(&a, cancel_victim);
    tn__work_init(&b, trace_soon);
    victim = &b;
    tn__soon(loop, &a);
    tn__soon(loop, &b);
    test_turns(loop, 2);
    assert_string_equal(test_trace, "x");
}

/* -- Budget -- */

enum { BUSY = 40 };

static void spend_a_millisecond(void *arg, int fd, unsigned events)
{
    (void)fd, (void)events;
    ++*(int *)arg;
    test_now_ns += 1000000;
}

static void deliver_too_much(tn_loop *loop, int fds[BUSY][2], int *delivered)
{
    for (int i = 0; i < BUSY; i++) {
        test_socketpair(fds[i]);
        assert_int_equal(tn_loop_add_handler(loop, fds[i][0], TN_WRITE, spend_a_millisecond, delivered), 0);
    }
    test_turns(loop, 1);
}

LOOP_TEST(loop, leaves_events_for_the_next_turn_when_the_time_of_this_one_is_spent)
{
    int fds[BUSY][2], delivered = 0;
    tn__work late;
    tn_loop_set_clock(loop, test_clock, NULL);
    deliver_too_much(loop, fds, &delivered);
    assert_int_equal(delivered, 16); /* 10 ms, looked at after every 8th */

    assert_true(tn_loop_backend_timeout(loop) == 0);
    tn__work_init(&late, trace_late);
    tn__late(loop, &late);
    tn_loop_add_callback(loop, trace, "c");
    tn_call_later(loop, 0, trace, "t");
    assert_int_equal(tn_loop_turn(loop, -1), 0);
    assert_int_equal(delivered, 32);
    assert_string_equal(test_trace, "tcl"); /* nothing else starves */
    for (int i = 0; i < BUSY; i++) {
        tn_loop_remove_handler(loop, fds[i][0]);
        test_close_pair(fds[i]);
    }
    test_turns(loop, 1);
    assert_int_equal(delivered, 32); /* what was left over went with its descriptors */
}

static void count(void *arg)
{
    ++*(int *)arg;
}

LOOP_TEST(loop, wakes_its_host_for_events_that_were_left_over)
{
    int fds[BUSY][2], delivered = 0, wakes = 0;
    tn_loop_set_clock(loop, test_clock, NULL);
    tn_loop_set_wake(loop, count, &wakes);
    deliver_too_much(loop, fds, &delivered);
    assert_int_equal(wakes, 1);
    for (int i = 0; i < BUSY; i++) {
        tn_loop_remove_handler(loop, fds[i][0]);
        test_close_pair(fds[i]);
    }
}

/* -- Running and stopping -- */

static void stop_and_trace(void *arg)
{
    tn_loop_stop(arg);
    trace("x");
}

static void run_again(void *arg)
{
    assert_int_equal(tn_loop_run(arg), TN_EMISUSE);
    assert_int_equal(tn_loop_turn(arg, 0), TN_EMISUSE);
    assert_ptr_equal(tn_loop_current(), arg);
    tn_loop_stop(arg);
}

LOOP_TEST(loop, stops_at_the_end_of_the_turn_and_runs_again)
{
    tn__work late;
    tn__work_init(&late, trace_late);
    for (int i = 0; i < 3; i++) {
        tn_loop_add_callback(loop, stop_and_trace, loop);
        tn__late(loop, &late);
        assert_int_equal(tn_loop_run(loop), 0);
    }
    assert_string_equal(test_trace, "xlxlxl");
}

LOOP_TEST(loop, runs_one_turn_without_waiting_when_stopped_before_it_runs)
{
    tn_loop_stop(loop);
    assert_int_equal(tn_loop_run(loop), 0);
    tn_loop_stop(loop);
    tn_loop_add_callback(loop, trace, "c");
    assert_int_equal(tn_loop_run(loop), 0);
    assert_string_equal(test_trace, "c");
}

LOOP_TEST(loop, refuses_to_run_inside_itself)
{
    tn_loop_add_callback(loop, run_again, loop);
    assert_int_equal(tn_loop_run(loop), 0);
}

static void run_the_other(void *arg)
{
    tn_loop *outer = tn_loop_current();
    assert_int_equal(tn_loop_run(arg), 0);
    assert_ptr_equal(tn_loop_current(), outer);
    tn_loop_stop(outer);
}

LOOP_TEST(loop, is_current_while_it_runs_even_inside_another_one)
{
    tn_loop *inner;
    assert_int_equal(tn_loop_new(&inner, NULL), 0);
    tn_loop_make_current(NULL);
    tn_loop_add_callback(inner, run_again, inner);
    tn_loop_add_callback(loop, run_the_other, inner);
    assert_int_equal(tn_loop_run(loop), 0);
    assert_ptr_equal(tn_loop_current(), loop);
    tn_loop_free(inner);
    tn_loop_make_current(NULL);
    assert_null(tn_loop_current());
}

TEST(loop, is_no_longer_current_once_it_was_freed)
{
    tn_loop *loop;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    tn_loop_make_current(loop);
    tn_loop_free(loop);
    assert_null(tn_loop_current());
    tn_loop_free(NULL);
}

/* -- Driving from outside -- */

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

TEST(loop, is_driven_from_outside_by_its_descriptor_and_its_timeout)
{
    tn_loop *loop;
    int fds[2];
    if (tn_loop_new(&loop, "epoll") < 0) return;
    memset(test_trace, 0, sizeof test_trace);
    test_socketpair(fds);
    int fd = tn_loop_backend_fd(loop);
    assert_true(fd >= 0);
    assert_true(tn_loop_backend_timeout(loop) < 0);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_READ, trace_fd, "d"), 0);
    assert_false(readable(fd, 0));
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(readable(fd, 1000));
    test_turns(loop, 1);
    assert_string_equal(test_trace, "d");
    tn_loop_remove_handler(loop, fds[0]);
    assert_false(readable(fd, 0));

    tn_call_later(loop, 0.01, trace, "t");
    double timeout = tn_loop_backend_timeout(loop);
    assert_true(timeout > 0 && timeout <= 0.01);
    assert_false(readable(fd, 11));
    assert_true(tn_loop_backend_timeout(loop) == 0);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "dt");
    test_close_pair(fds);
    tn_loop_free(loop);
}

TEST(loop, has_no_descriptor_with_the_poll_back_end)
{
    tn_loop *loop;
    assert_int_equal(tn_loop_new(&loop, "poll"), 0);
    assert_int_equal(tn_loop_backend_fd(loop), TN_ENOTSUP);
    tn_loop_free(loop);
}

LOOP_TEST(loop, wakes_its_host_once_between_two_turns)
{
    int wakes = 0;
    tn__work soon, late;
    tn_loop_set_wake(loop, count, &wakes);
    tn__work_init(&soon, trace_soon);
    tn__work_init(&late, trace_late);
    test_turns(loop, 1);
    assert_int_equal(wakes, 0);

    tn__soon(loop, &soon);
    tn__late(loop, &late);
    tn_loop_add_callback(loop, trace, "c");
    tn_call_later(loop, 5, trace, "t");
    assert_int_equal(wakes, 1);
    test_turns(loop, 1);
    assert_int_equal(wakes, 1);

    tn__late(loop, &late);
    assert_int_equal(wakes, 2);
    test_turns(loop, 1);
    tn_loop_add_callback(loop, trace, "c");
    assert_int_equal(wakes, 3);
    test_turns(loop, 1);
    tn_call_later(loop, 10, trace, "t"); /* not the earliest: the host knows of an earlier one */
    assert_int_equal(wakes, 3);
    tn_call_later(loop, 1, trace, "t");
    assert_int_equal(wakes, 4);
}

static void add_trace(void *arg)
{
    tn_loop_add_callback(arg, trace, "c");
}

LOOP_TEST(loop, wakes_its_host_after_a_turn_that_left_work_behind)
{
    int wakes = 0;
    tn_loop_set_wake(loop, count, &wakes);
    tn_loop_add_callback(loop, add_trace, loop);
    test_turns(loop, 1);
    assert_int_equal(wakes, 1);
    test_turns(loop, 1);
    assert_int_equal(wakes, 1);
    assert_string_equal(test_trace, "c");
}

/* -- Time -- */

LOOP_TEST(loop, has_one_time_for_a_whole_turn_and_the_true_time_outside)
{
    tn_loop_set_clock(loop, test_clock, NULL);
    test_now_ns = 5000000000;
    assert_true(tn_loop_time(loop) == 5.0);
    loop->in_turn = true; /* as its callbacks see it */
    test_now_ns = 6000000000;
    assert_true(tn_loop_time(loop) == 1.0);
    loop->in_turn = false;
    assert_true(tn_loop_time(loop) == 6.0);
    tn_loop_set_clock(loop, NULL, NULL);
    double before = tn_loop_time(loop);
    usleep(2000);
    assert_true(tn_loop_time(loop) >= before + 0.002);
}

LOOP_TEST(loop, waits_no_longer_than_it_was_told)
{
    double before = tn_loop_time(loop);
    assert_int_equal(tn_loop_turn(loop, 0.02), 0);
    double waited = tn_loop_time(loop) - before;
    assert_true(waited >= 0.02 && waited < 1);
}

static void ignore(int signum)
{
    (void)signum;
}

LOOP_TEST(loop, ends_its_turn_without_an_error_when_a_signal_interrupts_it)
{
    struct sigaction ours = {.sa_handler = ignore}, before;
    struct itimerval soon = {.it_value.tv_usec = 10000};
    sigaction(SIGALRM, &ours, &before);
    setitimer(ITIMER_REAL, &soon, NULL);
    double begun = tn_loop_time(loop);
    assert_int_equal(tn_loop_turn(loop, 20), 0);
    assert_true(tn_loop_time(loop) - begun < 10);
    sigaction(SIGALRM, &before, NULL);
}

/* -- Making and freeing -- */

TEST(loop, refuses_a_back_end_that_does_not_exist)
{
    tn_loop *loop = (tn_loop *)&loop;
    assert_int_equal(tn_loop_new(&loop, "iocp"), TN_ENOTSUP);
    assert_ptr_equal(loop, &loop); /* outputs are written on success only */
}

TEST(loop, takes_the_back_end_that_the_environment_names)
{
    tn_loop *loop;
    char *before = getenv("TORNADO_LOOP_BACKEND");
    char *kept = before ? strdup(before) : NULL;
    setenv("TORNADO_LOOP_BACKEND", "poll", 1);
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    assert_string_equal(loop->backend->name, "poll");
    tn_loop_free(loop);
    if (kept)
        setenv("TORNADO_LOOP_BACKEND", kept, 1);
    else
        unsetenv("TORNADO_LOOP_BACKEND");
    free(kept);
}

static int make_and_free(void *backend)
{
    tn_loop *loop;
    int result = tn_loop_new(&loop, backend);
    if (result == 0) tn_loop_free(loop);
    return result;
}

TEST(loop, says_so_when_there_is_no_memory_for_it)
{
    assert_in_range(test_each_allocation(make_and_free, "poll"), 5, 50);
    assert_in_range(test_each_allocation(make_and_free, NULL), 5, 50);
}

LOOP_TEST(loop, gives_its_receive_buffer_away_and_takes_another)
{
    char *first = loop->recv_buf;
    tn__alloc_fail_after(0, false);
    assert_null(tn__loop_take_recv_buf(loop));
    tn__alloc_fail_after(-1, false);
    assert_ptr_equal(loop->recv_buf, first);
    char *taken = tn__loop_take_recv_buf(loop);
    assert_ptr_equal(taken, first);
    assert_ptr_not_equal(loop->recv_buf, first);
    memset(taken, 1, TN__RECV_BYTES + 64);
    tn__free(taken);
}

static void free_room(tn_loop *loop, void *state)
{
    trace(state);
    assert_int_equal(tn_loop_add_callback(loop, trace, "c"), TN_ECLOSED);
}

TEST(loop, frees_the_rooms_of_the_highest_floor_first_and_drops_what_is_queued)
{
    tn_loop *loop;
    tn__work soon, late;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    memset(test_trace, 0, sizeof test_trace);
    loop->rooms[TN__ROOM_NET] = (tn__room){"n", free_room};
    loop->rooms[TN__ROOM_TOOLS] = (tn__room){"t", free_room};
    loop->rooms[TN__ROOM_WEB] = (tn__room){"w", free_room};
    tn__work_init(&soon, trace_soon);
    tn__work_init(&late, trace_late);
    tn__soon(loop, &soon);
    tn__late(loop, &late);
    tn_loop_add_callback(loop, trace, "c");
    tn_call_later(loop, 0, trace, "x");
    tn_loop_free(loop);
    assert_string_equal(test_trace, "twn");
    assert_false(tn__work_queued(&soon) || tn__work_queued(&late)); /* whose owners may live on */
}

TEST(loop, can_be_freed_by_a_forked_child_without_harm_to_its_parent)
{
    tn_loop *loop;
    int fds[2], status;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    memset(test_trace, 0, sizeof test_trace);
    test_socketpair(fds);
    assert_int_equal(tn_loop_add_handler(loop, fds[0], TN_WRITE, trace_fd, "d"), 0);
    pid_t child = fork();
    if (child == 0) {
        tn_loop_free(loop);
        tn_loop *own;
        int result = tn_loop_new(&own, NULL);
        if (result == 0) result = tn_loop_turn(own, 0);
        _exit(result == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    test_turns(loop, 1);
    assert_string_equal(test_trace, "d");
    tn_loop_remove_handler(loop, fds[0]);
    tn_loop_free(loop);
    test_close_pair(fds);
}

#if TN_DEBUG_CHECKS
static void *call_from_elsewhere(void *loop)
{
    tn_call_later(loop, 1, trace, "t");
    return NULL;
}

TEST(loop, aborts_in_debug_builds_when_a_wrong_thread_calls_it)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        tn_loop *loop;
        pthread_t thread;
        if (!freopen("/dev/null", "w", stderr) || tn_loop_new(&loop, NULL) < 0 || tn_loop_turn(loop, 0) < 0) _exit(1);
        signal(SIGABRT, SIG_DFL);
        pthread_create(&thread, NULL, call_from_elsewhere, loop);
        pthread_join(thread, NULL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

/* -- Log -- */

static void keep_line(void *arg, const tn_log_line *line)
{
    snprintf(arg, 64, "%d %d %.*s", line->level, (int)line->domain, TN_ARG(line->text));
}

LOOP_TEST(loop, logs_nothing_until_somebody_listens_and_then_what_is_grave_enough)
{
    char kept[64] = "";
    tn_loop_log(loop, TN_LOG_ERROR, "%d", 1);
    tn_loop_set_log(loop, keep_line, kept, TN_LOG_WARNING);
    tn_loop_log(loop, TN_LOG_INFO, "%d", 2);
    assert_string_equal(kept, "");
    tn_loop_log(loop, TN_LOG_WARNING, "three: %d", 3);
    assert_string_equal(kept, "30 1 three: 3");
    tn_loop_set_log(loop, NULL, NULL, 0);
    tn_loop_log(loop, TN_LOG_ERROR, "%d", 4);
    assert_string_equal(kept, "30 1 three: 3");
}
