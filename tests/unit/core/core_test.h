/*
 * What the tests of the core floor share: a test that runs on a fresh loop of each back-end, a clock driven by hand, and a trace of
 * letters that says what ran in which order.
 */
#ifndef TN_TESTS_CORE_TEST_H
#define TN_TESTS_CORE_TEST_H

#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "core/loop.h"

static const char *const test_backends[] = {"epoll", "kqueue", "poll"};

static int64_t test_now_ns; /* what test_clock says */
static char test_trace[256];

__attribute__((unused)) static int64_t test_clock(void *arg)
{
    (void)arg;
    return test_now_ns;
}

/* Callbacks whose argument is the letter that they leave in the trace. */
__attribute__((unused)) static void trace(void *letter)
{
    size_t n = strlen(test_trace);
    if (n < sizeof test_trace - 1) test_trace[n] = *(const char *)letter;
}

__attribute__((unused)) static void test_on_each_backend(void (*body)(tn_loop *loop))
{
    for (size_t i = 0; i < sizeof test_backends / sizeof *test_backends; i++) {
        tn_loop *loop = NULL;
        int result = tn_loop_new(&loop, test_backends[i]);
        if (result == TN_ENOTSUP) continue;
        assert_int_equal(result, 0);
        test_now_ns = 1000000000;
        memset(test_trace, 0, sizeof test_trace);
        body(loop);
        tn_loop_free(loop);
    }
}

/* A test whose body is run with a fresh `loop` of every back-end. */
#define LOOP_TEST(subject, sentence)                                                                                               \
    static void subject##_##sentence##_on(tn_loop *loop);                                                                          \
    TEST(subject, sentence)                                                                                                        \
    {                                                                                                                              \
        test_on_each_backend(subject##_##sentence##_on);                                                                           \
    }                                                                                                                              \
    static void subject##_##sentence##_on(tn_loop *loop)

/* Turns that do not wait. */
__attribute__((unused)) static void test_turns(tn_loop *loop, int n)
{
    while (n-- > 0) assert_int_equal(tn_loop_turn(loop, 0), 0);
}

__attribute__((unused)) static void test_socketpair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

__attribute__((unused)) static void test_close_pair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* Make `attempt` fail at each of its allocations in turn: it must say TN_ENOMEM each time, and 0 in the end. */
__attribute__((unused)) static long test_each_allocation(int (*attempt)(void *arg), void *arg)
{
    for (long n = 0;; n++) {
        tn__alloc_fail_after(n, false);
        int result = attempt(arg);
        long made = tn__alloc_count();
        tn__alloc_fail_after(-1, false);
        if (made <= n) {
            assert_int_equal(result, 0);
            return n;
        }
        assert_int_equal(result, TN_ENOMEM);
    }
}

#endif
