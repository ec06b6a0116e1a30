/* The ends of child processes, told by a descriptor and by SIGCHLD. */
#include "core/child.h"
#include "core_test.h"

#include <signal.h>
#include <sys/wait.h>

typedef struct watched {
    tn__child child;
    int code, told, dropped;
} watched;

static void on_ended(tn__child *child, int code)
{
    watched *w = TN__OWNER(child, watched, child);
    w->code = code;
    w->told++;
}

static void on_dropped(tn__child *child)
{
    TN__OWNER(child, watched, child)->dropped++;
}

/* A child that ends with `code`, or waits to be killed. */
static pid_t start(int code)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    signal(SIGTERM, SIG_DFL);
    while (code < 0) pause();
    _exit(code);
}

static void watch(tn_loop *loop, watched *w, int code, tn__child_way way)
{
    *w = (watched){.child = {.ended = on_ended, .dropped = on_dropped}};
    assert_int_equal(tn__child_watch(loop, &w->child, start(code), way), 0);
    assert_true(tn__child_running(&w->child));
}

static void wait_for(tn_loop *loop, watched *w)
{
    while (!w->told) assert_int_equal(tn_loop_turn(loop, 5), 0);
    assert_false(tn__child_running(&w->child));
}

static const tn__child_way ways[] = {TN__CHILD_ANY, TN__CHILD_SIGNAL};

LOOP_TEST(child, that_exits_gives_its_status)
{
    for (int i = 0; i < 2; i++) {
        watched w;
        watch(loop, &w, 7, ways[i]);
        wait_for(loop, &w);
        assert_int_equal(w.code, 7);
        assert_int_equal(waitpid(w.child.pid, NULL, WNOHANG), -1); /* reaped */
    }
}

LOOP_TEST(child, that_is_killed_gives_the_negated_number_of_the_signal)
{
    for (int i = 0; i < 2; i++) {
        watched w;
        watch(loop, &w, -1, ways[i]);
        assert_int_equal(tn__child_kill(&w.child, SIGTERM), 0);
        wait_for(loop, &w);
        assert_int_equal(w.code, -SIGTERM);
        assert_int_equal(tn__child_kill(&w.child, SIGTERM), TN_ECLOSED);
    }
}

LOOP_TEST(child, that_has_ended_before_it_was_watched_is_told_too)
{
    for (int i = 0; i < 2; i++) {
        watched w = {.child = {.ended = on_ended}};
        pid_t pid = start(3);
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        assert_int_equal(tn__child_watch(loop, &w.child, pid, ways[i]), 0);
        wait_for(loop, &w);
        assert_int_equal(w.code, 3);
    }
}

LOOP_TEST(child, is_told_from_its_siblings_by_one_signal_for_all)
{
    watched w[8];
    for (int i = 0; i < 8; i++) watch(loop, &w[i], i, TN__CHILD_SIGNAL);
    for (int i = 0; i < 8; i++) wait_for(loop, &w[i]);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(w[i].code, i);
        assert_int_equal(w[i].told, 1);
    }
}

LOOP_TEST(child, that_somebody_else_has_reaped_gives_255)
{
    watched w;
    watch(loop, &w, 0, TN__CHILD_ANY);
    assert_int_equal(waitpid(w.child.pid, NULL, 0), w.child.pid);
    wait_for(loop, &w);
    assert_int_equal(w.code, 255);
}

LOOP_TEST(child, of_the_program_itself_is_left_alone)
{
    watched w;
    int status;
    pid_t other = start(5);
    watch(loop, &w, 0, TN__CHILD_SIGNAL);
    wait_for(loop, &w);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 5);
}

TEST(child, is_dropped_with_its_loop)
{
    tn_loop *loop;
    watched w;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    watch(loop, &w, -1, TN__CHILD_ANY);
    tn_loop_free(loop);
    assert_int_equal(w.dropped, 1);
    assert_int_equal(w.told, 0);
    kill(w.child.pid, SIGKILL);
    waitpid(w.child.pid, NULL, 0);
}

static void no_signal(void *arg, int signum)
{
    (void)arg, (void)signum;
}

LOOP_TEST(child, cannot_be_watched_by_a_signal_that_the_program_watches)
{
    watched w = {.child = {.ended = on_ended}};
    pid_t pid = start(0);
    assert_int_equal(tn_signal_watch(loop, SIGCHLD, no_signal, NULL), 0);
    assert_int_equal(tn__child_watch(loop, &w.child, pid, TN__CHILD_SIGNAL), TN_EEXIST);
    assert_false(tn__child_running(&w.child));
    waitpid(pid, NULL, 0);
}
