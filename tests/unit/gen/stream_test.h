/*
 * What tests of streams share: a test whose body is a coroutine on a fresh loop of every back-end, with two streams that are
 * connected with each other.
 */
#ifndef TN_TESTS_STREAM_TEST_H
#define TN_TESTS_STREAM_TEST_H

#include "core/core_test.h"
#include "gen/task.h"
#include "tornado/gen.h"
#include "tornado/iostream.h"

typedef struct ends {
    tn_loop *loop;
    tn_stream *here, *there;
    int state; /* the test's own */
} ends;

typedef struct test_run {
    tn_loop *loop;
    int result;
} test_run;

static void test_run_ended(tn_loop *loop, void *arg, int result)
{
    (void)arg;
    assert_int_equal(result, 0);
    tn_loop_stop(loop);
}

/* Run a coroutine to its end. */
static void test_run_task(tn_loop *loop, tn_task_fn *fn, void *arg)
{
    tn__task_spec spec = {.fn = fn, .arg = arg, .ended = test_run_ended};
    tn_task *task;
    int result = 0;
    tn_loop_make_current(loop);
    int begun = tn__task_call(loop, &spec, &result, &task);
    if (begun == TN__PENDING)
        assert_int_equal(tn_loop_run(loop), 0);
    else
        assert_int_equal(begun < 0 ? begun : result, 0);
}

__attribute__((unused)) static void test_with_streams(tn_loop *loop, tn_task_fn *fn)
{
    ends e = {.loop = loop};
    assert_int_equal(tn_stream_pair(loop, &e.here, &e.there), 0);
    test_run_task(loop, fn, &e);
    tn_stream_free(e.here);
    tn_stream_free(e.there);
}

/* The body has `e`, and returns 0. */
#define STREAM_TEST(subject, sentence)                                                                                             \
    static int subject##_##sentence##_task(void *arg);                                                                             \
    static int subject##_##sentence##_in(ends *e);                                                                                 \
    LOOP_TEST(subject, sentence)                                                                                                   \
    {                                                                                                                              \
        test_with_streams(loop, subject##_##sentence##_task);                                                                      \
    }                                                                                                                              \
    static int subject##_##sentence##_task(void *arg)                                                                              \
    {                                                                                                                              \
        return subject##_##sentence##_in(arg);                                                                                     \
    }                                                                                                                              \
    static int subject##_##sentence##_in(ends *e)

#endif
