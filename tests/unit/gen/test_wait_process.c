/* Programs run beside this one, with streams. */
#include "stream_test.h"
#include "tornado/process.h"

#include <signal.h>
#include <sys/wait.h>

static const char *const cat[] = {"cat", NULL}, *const sleeper[] = {"sleep", "100", NULL};

STREAM_TEST(subprocess, answers_over_its_streams)
{
    tn_subprocess *p;
    tn_str data;
    int code = -1;
    TN_TRY(tn_subprocess_start(&p, e->loop, cat, .in = TN_STREAM, .out = TN_STREAM));
    assert_null(tn_subprocess_err(p));
    TN_TRY(tn_stream_write(tn_subprocess_in(p), "one\ntwo"));
    TN_TRY(tn_read_until(tn_subprocess_out(p), "\n", &data));
    assert_str(data, "one\n");
    assert_int_equal(tn_subprocess_code(p, &code), TN_EBUSY);
    tn_stream_shutdown_write(tn_subprocess_in(p));
    TN_TRY(tn_read_all(tn_subprocess_out(p), &data));
    assert_str(data, "two");
    TN_TRY(tn_subprocess_wait(p, &code));
    assert_int_equal(code, 0);
    TN_TRY(tn_subprocess_wait(p, NULL)); /* once more, at once */
    tn_subprocess_free(p);
    return 0;
}

STREAM_TEST(subprocess, carries_a_mebibyte_both_ways_at_once)
{
    tn_subprocess *p;
    tn_str data;
    enum { MEBIBYTE = 1 << 20 };
    char *sent = malloc(MEBIBYTE);
    for (int i = 0; i < MEBIBYTE; i++) sent[i] = (char)(i * 7 + i / 251);
    TN_TRY(tn_subprocess_start(&p, e->loop, cat, .in = TN_STREAM, .out = TN_STREAM));
    tn_future *writing = tn_stream_write_start(tn_subprocess_in(p), tn_str_of(sent, MEBIBYTE));
    TN_TRY(tn_read_bytes(tn_subprocess_out(p), MEBIBYTE, &data));
    assert_memory_equal(data.p, sent, MEBIBYTE);
    TN_TRY(tn_await(writing));
    free(sent);
    tn_subprocess_free(p);
    return 0;
}

STREAM_TEST(subprocess, that_is_killed_has_a_negative_code)
{
    tn_subprocess *p;
    int code = 0;
    TN_TRY(tn_subprocess_start(&p, e->loop, sleeper));
    tn_future *end = tn_subprocess_wait_start(p);
    TN_TRY(tn_subprocess_kill(p, SIGKILL));
    TN_TRY(tn_await(end));
    TN_TRY(tn_subprocess_code(p, &code));
    assert_int_equal(code, -SIGKILL);
    assert_int_equal(tn_subprocess_kill(p, SIGKILL), TN_ECLOSED);
    tn_subprocess_free(p);
    return 0;
}

STREAM_TEST(subprocess, may_be_waited_for_with_a_deadline)
{
    tn_subprocess *p;
    int code = 77, result = 0;
    TN_TRY(tn_subprocess_start(&p, e->loop, sleeper));
    TN_TIMEOUT(0.01) result = tn_subprocess_wait(p, &code);
    assert_int_equal(result, TN_ETIMEDOUT);
    assert_int_equal(code, 77);
    tn_subprocess_kill(p, SIGTERM);
    TN_TRY(tn_subprocess_wait(p, &code));
    assert_int_equal(code, -SIGTERM);
    tn_subprocess_free(p);
    return 0;
}

static void remember(void *arg, int code)
{
    *(int *)arg = code;
}

STREAM_TEST(subprocess, calls_back_when_it_has_ended_and_afterwards)
{
    const char *const argv[] = {"sh", "-c", "exit 9", NULL};
    tn_subprocess *p;
    int code = 0;
    TN_TRY(tn_subprocess_start(&p, e->loop, argv));
    tn_subprocess_on_exit(p, remember, &code);
    TN_TRY(tn_subprocess_wait(p, NULL));
    TN_TRY(tn_sleep(0));
    assert_int_equal(code, 9);
    code = 0;
    tn_subprocess_on_exit(p, remember, &code);
    assert_int_equal(code, 0); /* never inside the call */
    TN_TRY(tn_sleep(0));
    assert_int_equal(code, 9);
    tn_subprocess_free(p);
    return 0;
}

STREAM_TEST(subprocess, says_why_it_cannot_be_started)
{
    if (test_is_emulated()) return 0;
    const char *const argv[] = {"no-such-program-anywhere", NULL};
    tn_subprocess *p = NULL;
    assert_int_equal(tn_subprocess_start(&p, e->loop, argv, .in = TN_STREAM, .out = TN_STREAM, .err = TN_STREAM), TN_ENOENT);
    assert_null(p);
    return 0;
}

STREAM_TEST(subprocess, that_is_freed_is_reaped_when_it_ends)
{
    tn_subprocess *p;
    TN_TRY(tn_subprocess_start(&p, e->loop, cat, .in = TN_STREAM));
    int pid = tn_subprocess_pid(p);
    tn_subprocess_free(p); /* which ends its input */
    for (int i = 0; i < 500 && kill(pid, 0) == 0; i++) TN_TRY(tn_sleep(0.01));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    return 0;
}

STREAM_TEST(subprocess, that_is_freed_lets_go_of_those_who_wait)
{
    tn_subprocess *p;
    TN_TRY(tn_subprocess_start(&p, e->loop, cat, .in = TN_STREAM));
    tn_future *end = tn_subprocess_wait_start(p);
    tn_subprocess_free(p);
    assert_int_equal(tn_await(end), TN_ECLOSED);
    return 0;
}

/* Freed and still running when the loop goes: the object goes with it. */
STREAM_TEST(subprocess, that_outlives_the_loop_is_let_go)
{
    tn_subprocess *p;
    const char *const argv[] = {"sleep", "0.2", NULL};
    TN_TRY(tn_subprocess_start(&p, e->loop, argv));
    tn_subprocess_free(p);
    return 0;
}

static int start_cat(void *arg)
{
    tn_subprocess *p = NULL;
    int result = tn_subprocess_start(&p, arg, cat, .in = TN_STREAM, .out = TN_STREAM);
    if (result < 0) return result;
    tn_subprocess_free(p);
    return 0;
}

LOOP_TEST(subprocess, that_cannot_have_its_streams_is_killed)
{
    tn_stream *one, *other;
    assert_int_equal(tn_stream_pair(loop, &one, &other), 0); /* so that the room of streams is there */
    assert_true(test_each_allocation(start_cat, loop) > 0);
    tn_stream_free(one);
    tn_stream_free(other);
}
