/* Streams in coroutines and as futures. */
#include <fcntl.h>
#include <signal.h>

#include "stream_test.h"

/* -- Reading -- */

STREAM_TEST(stream, reads_as_many_bytes_as_were_asked_for)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "abcdef"));
    TN_TRY(tn_read_bytes(e->here, 4, &data));
    assert_str(data, "abcd");
    TN_TRY(tn_read_bytes(e->here, 2, &data));
    assert_str(data, "ef");
    TN_TRY(tn_read_bytes(e->here, 0, &data));
    assert_int_equal(data.n, 0);
    return 0;
}

STREAM_TEST(stream, reads_what_there_is_if_part_of_it_will_do)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "abcdef"));
    TN_TRY(tn_read_bytes(e->here, 4, &data, .partial = true));
    assert_str(data, "abcd");
    TN_TRY(tn_read_bytes(e->here, 4, &data, .partial = true));
    assert_str(data, "ef");
    return 0;
}

STREAM_TEST(stream, reads_lines_whatever_pieces_they_come_in)
{
    tn_str line;
    TN_TRY(tn_stream_write(e->there, "one\r\ntw"));
    TN_TRY(tn_read_until(e->here, "\r\n", &line));
    assert_str(line, "one\r\n");
    tn_future *next = tn_read_until_start(e->here, "\r\n", 0);
    TN_TRY(tn_stream_write(e->there, "o\r"));
    TN_TRY(tn_sleep(0.001));
    TN_TRY(tn_stream_write(e->there, "\nthree"));
    TN_TRY(tn_await_str(next, &line));
    assert_str(line, "two\r\n");
    return 0;
}

STREAM_TEST(stream, takes_nothing_when_no_delimiter_is_within_the_limit)
{
    tn_str data, untouched = TN_S("as it was");
    data = untouched;
    TN_TRY(tn_stream_write(e->there, "12345\n6"));
    assert_int_equal(tn_read_until(e->here, "\n", &data, .max = 5), TN_ETOOBIG);
    assert_ptr_equal(data.p, untouched.p);
    TN_TRY(tn_read_until(e->here, "\n", &data, .max = 6));
    assert_str(data, "12345\n");
    return 0;
}

STREAM_TEST(stream, gives_up_a_delimiter_as_soon_as_the_limit_is_full)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "1234567890"));
    assert_int_equal(tn_read_until(e->here, "\n", &data, .max = 10), TN_ETOOBIG);
    TN_TRY(tn_read_bytes(e->here, 10, &data));
    assert_str(data, "1234567890");
    return 0;
}

STREAM_TEST(stream, refuses_an_empty_delimiter)
{
    tn_str data;
    assert_int_equal(tn_read_until(e->here, "", &data), TN_EINVAL);
    return 0;
}

STREAM_TEST(stream, reads_up_to_the_end_of_a_match)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody"));
    TN_TRY(tn_read_until_regex(e->here, "\r?\n\r?\n", &data, .max = 1000));
    assert_str(data, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    TN_TRY(tn_read_until_regex(e->here, TN_S("b(o|u)d"), &data));
    assert_str(data, "bod");
    return 0;
}

STREAM_TEST(stream, finds_a_match_that_comes_byte_by_byte)
{
    static const char text[] = "noise--end+";
    tn_str data;
    tn_future *match = tn_read_until_regex_start(e->here, "(?<=e)--?e[mn]d\\+", 0);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_false(tn_future_done(match));
        TN_TRY(tn_stream_write(e->there, tn_str_of(text + i, 1)));
        TN_TRY(tn_sleep(0.0005));
    }
    TN_TRY(tn_await_str(match, &data));
    assert_str(data, text);
    return 0;
}

STREAM_TEST(stream, says_that_a_pattern_is_bad_or_found_too_late)
{
    tn_str data;
    assert_int_equal(tn_read_until_regex(e->here, "(", &data), TN_EPATTERN);
    assert_int_equal(tn_await(tn_read_until_regex_start(e->here, "(", 0)), TN_EPATTERN);
    TN_TRY(tn_stream_write(e->there, "xxxxxxxxy"));
    assert_int_equal(tn_read_until_regex(e->here, "y", &data, .max = 8), TN_ETOOBIG);
    TN_TRY(tn_read_until_regex(e->here, "y", &data, .max = 9));
    return 0;
}

STREAM_TEST(stream, reads_into_memory_of_the_caller)
{
    char into[8] = {0};
    TN_TRY(tn_stream_write(e->there, "abc"));
    assert_int_equal(tn_read_into(e->here, into, 1), 1);
    assert_int_equal(tn_read_into(e->here, into + 1, 7, .partial = true), 2);
    assert_string_equal(into, "abc");
    tn_future *rest = tn_read_into_start(e->here, into, 4, false);
    TN_TRY(tn_stream_write(e->there, "de"));
    TN_TRY(tn_sleep(0.001));
    TN_TRY(tn_stream_write(e->there, "fgh"));
    assert_int_equal(tn_await(rest), 4);
    assert_memory_equal(into, "defg", 4);
    assert_int_equal(tn_await(tn_read_into_start(e->here, into, 5, true)), 1);
    assert_int_equal(into[0], 'h');
    return 0;
}

STREAM_TEST(stream, gives_back_what_a_cancelled_read_had_taken)
{
    char into[8] = {0};
    tn_str data;
    int cut_short = 0;
    TN_TRY(tn_stream_write(e->there, "abc"));
    TN_TIMEOUT(0.005) cut_short = tn_read_into(e->here, into, sizeof into);
    assert_int_equal(cut_short, TN_ETIMEDOUT);
    TN_TRY(tn_stream_write(e->there, "de"));
    TN_TRY(tn_read_bytes(e->here, 5, &data));
    assert_str(data, "abcde");
    return 0;
}

STREAM_TEST(stream, loses_no_input_by_a_read_that_is_cut_short)
{
    tn_str data;
    int cut_short = 0;
    TN_TRY(tn_stream_write(e->there, "begin"));
    TN_TIMEOUT(0.005) cut_short = tn_read_until(e->here, "\n", &data);
    assert_int_equal(cut_short, TN_ETIMEDOUT);
    tn_future_unref(tn_read_until_start(e->here, "\n", 0));
    TN_TRY(tn_stream_write(e->there, "ning\n"));
    TN_TRY(tn_read_until(e->here, "\n", &data));
    assert_str(data, "beginning\n");
    return 0;
}

STREAM_TEST(stream, refuses_a_second_read_while_one_waits)
{
    tn_str data;
    tn_future *first = tn_read_until_start(e->here, "\n", 0);
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_EBUSY);
    assert_int_equal(tn_await(tn_read_until_regex_start(e->here, "x", 0)), TN_EBUSY);
    TN_TRY(tn_stream_write(e->there, "x\n"));
    TN_TRY(tn_await_str(first, &data));
    assert_str(data, "x\n");
    return 0;
}

/* -- The end of input -- */

STREAM_TEST(stream, says_that_the_peer_has_closed_and_keeps_what_came_before)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "abc"));
    tn_stream_close(e->there);
    assert_int_equal(tn_read_bytes(e->here, 4, &data), TN_EOF);
    assert_int_equal(tn_read_until(e->here, "\n", &data), TN_EOF);
    TN_TRY(tn_read_all(e->here, &data));
    assert_str(data, "abc");
    TN_TRY(tn_read_all(e->here, &data));
    assert_str(data, "");
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_EOF);
    assert_false(tn_stream_closed(e->here));
    return 0;
}

STREAM_TEST(stream, reads_all_until_the_peer_closes)
{
    enum { N = 300000 };
    tn_str data;
    char *bytes = malloc(N);
    memset(bytes, 'x', N);
    tn_future *all = tn_read_all_start(e->here, 0);
    TN_TRY(tn_stream_write(e->there, tn_str_of(bytes, N)));
    tn_stream_close(e->there);
    TN_TRY(tn_await_str(all, &data));
    assert_int_equal(data.n, N);
    assert_memory_equal(data.p, bytes, N);
    free(bytes);
    return 0;
}

STREAM_TEST(stream, bounds_what_is_read_until_the_end)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "12345"));
    tn_stream_close(e->there);
    assert_int_equal(tn_read_all(e->here, &data, .max = 4), TN_ETOOBIG);
    TN_TRY(tn_read_all(e->here, &data, .max = 5));
    assert_str(data, "12345");
    return 0;
}

STREAM_TEST(stream, may_be_answered_after_the_peer_has_shut_its_side_down)
{
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "question"));
    tn_stream_shutdown_write(e->there);
    assert_int_equal(tn_stream_write(e->there, "more"), TN_ECLOSED);
    TN_TRY(tn_read_all(e->here, &data));
    assert_str(data, "question");
    TN_TRY(tn_stream_write(e->here, "answer\n"));
    TN_TRY(tn_read_until(e->there, "\n", &data));
    assert_str(data, "answer\n");
    return 0;
}

/* -- Writing -- */

static int writes_a_megabyte(void *arg)
{
    ends *e = arg;
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    int result = tn_stream_write(e->there, tn_str_of(bytes, N));
    free(bytes);
    e->state = result == TN_OK ? 1 : -1;
    return 0;
}

STREAM_TEST(stream, waits_with_writing_while_the_peer_does_not_read)
{
    tn_str data;
    tn_group g;
    tn_group_init(&g);
    TN_TRY(tn_go(&g, writes_a_megabyte, e));
    TN_TRY(tn_sleep(0.005));
    assert_int_equal(e->state, 0);
    TN_TRY(tn_read_bytes(e->here, 1 << 20, &data));
    assert_int_equal(data.n, 1 << 20);
    TN_TRY(tn_group_join(&g));
    assert_int_equal(e->state, 1);
    return 0;
}

STREAM_TEST(stream, sends_whole_what_several_write_at_once)
{
    enum { N = 100000 };
    char *a = malloc(N), *b = malloc(N);
    tn_str data;
    memset(a, 'a', N);
    memset(b, 'b', N);
    tn_future *both[] = {tn_stream_write_start(e->there, tn_str_of(a, N)), tn_stream_write_start(e->there, tn_str_of(b, N))};
    TN_TRY(tn_read_bytes(e->here, N, &data));
    assert_memory_equal(data.p, a, N);
    TN_TRY(tn_read_bytes(e->here, N, &data));
    assert_memory_equal(data.p, b, N);
    TN_TRY(tn_await_all(both, 2));
    free(a);
    free(b);
    return 0;
}

STREAM_TEST(stream, refuses_more_unsent_bytes_than_its_limit)
{
    tn_stream *s;
    int fds[2];
    char many[5000] = {0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    TN_TRY(tn_stream_new(&s, e->loop, fds[0], .write_buffer_max = 8000));
    tn_future *first = tn_stream_write_start(s, tn_str_of(many, sizeof many));
    tn_future *second = tn_stream_write_start(s, tn_str_of(many, sizeof many));
    assert_int_equal(tn_future_result(first), TN_OK);
    assert_int_equal(tn_future_result(second), TN_ETOOBIG);
    tn_future_unref(first);
    tn_future_unref(second);
    TN_TRY(tn_stream_flush(s));
    TN_TRY(tn_stream_write(s, tn_str_of(many, sizeof many)));
    tn_stream_free(s);
    close(fds[1]);
    return 0;
}

STREAM_TEST(stream, learns_from_a_write_that_the_peer_is_gone)
{
    int result = TN_OK;
    tn_stream_close(e->there);
    for (int i = 0; i < 10 && result == TN_OK; i++) {
        result = tn_stream_write(e->here, "x");
        TN_TRY(tn_sleep(0.001));
    }
    assert_int_equal(result, -EPIPE);
    assert_true(tn_stream_closed(e->here));
    assert_int_equal(tn_stream_error(e->here), -EPIPE);
    return 0;
}

/* -- Closing -- */

STREAM_TEST(stream, ends_a_read_that_waits_when_it_is_closed)
{
    tn_str data;
    tn_future *read = tn_read_bytes_start(e->here, 1, false);
    tn_stream_close(e->here);
    tn_stream_close(e->here);
    assert_true(tn_stream_closed(e->here));
    assert_int_equal(tn_await(read), TN_ECLOSED);
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_ECLOSED);
    assert_int_equal(tn_stream_write(e->here, "x"), TN_ECLOSED);
    return 0;
}

STREAM_TEST(stream, sends_what_was_written_before_it_closes)
{
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    tn_str data;
    tn_future *write = tn_stream_write_start(e->there, tn_str_of(bytes, N));
    tn_stream_free(e->there);
    e->there = NULL;
    assert_int_equal(tn_await(write), TN_ECLOSED);
    TN_TRY(tn_read_all(e->here, &data));
    assert_int_equal(data.n, N);
    free(bytes);
    return 0;
}

STREAM_TEST(stream, drops_what_is_unsent_when_it_is_aborted)
{
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    tn_str data;
    tn_future *write = tn_stream_write_start(e->there, tn_str_of(bytes, N));
    tn_stream_abort(e->there);
    assert_int_equal(tn_await(write), TN_ECLOSED);
    TN_TRY(tn_read_all(e->here, &data));
    assert_true(data.n < N);
    free(bytes);
    return 0;
}

STREAM_TEST(stream, that_still_sends_when_its_loop_is_freed_leaves_nothing_behind)
{
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    tn_future_unref(tn_stream_write_start(e->there, tn_str_of(bytes, N)));
    tn_stream_free(e->there);
    e->there = NULL;
    free(bytes);
    return 0;
}

static void count(void *arg)
{
    ((ends *)arg)->state++;
}

STREAM_TEST(stream, tells_of_its_end_once_everything_was_read)
{
    tn_str data;
    tn_stream_set_close_callback(e->here, count, e);
    TN_TRY(tn_stream_write(e->there, "last"));
    tn_stream_close(e->there);
    TN_TRY(tn_sleep(0.005));
    assert_int_equal(e->state, 0);
    TN_TRY(tn_read_bytes(e->here, 4, &data));
    assert_str(data, "last");
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_EOF);
    TN_TRY(tn_sleep(0));
    assert_int_equal(e->state, 1);
    tn_stream_close(e->here);
    TN_TRY(tn_sleep(0));
    assert_int_equal(e->state, 1);
    return 0;
}

STREAM_TEST(stream, tells_of_its_end_while_nobody_reads)
{
    tn_stream_set_close_callback(e->here, count, e);
    tn_stream_close(e->there);
    TN_TRY(tn_sleep(0.005));
    assert_int_equal(e->state, 1);
    return 0;
}

STREAM_TEST(stream, tells_of_an_end_that_came_before_anybody_asked)
{
    tn_stream_close(e->there);
    TN_TRY(tn_sleep(0.005));
    tn_stream_set_close_callback(e->here, count, e);
    TN_TRY(tn_sleep(0.005));
    assert_int_equal(e->state, 1);
    return 0;
}

STREAM_TEST(stream, keeps_what_it_lent_while_it_looks_for_its_end)
{
    tn_str line, rest;
    TN_TRY(tn_stream_write(e->there, "line\n"));
    TN_TRY(tn_read_until(e->here, "\n", &line));
    tn_stream_set_close_callback(e->here, count, e);
    TN_TRY(tn_stream_write(e->there, "unexpected"));
    tn_stream_close(e->there);
    TN_TRY(tn_sleep(0.005));
    assert_str(line, "line\n");
    assert_int_equal(e->state, 0);
    TN_TRY(tn_read_all(e->here, &rest));
    assert_str(rest, "unexpected");
    return 0;
}

/* -- Time -- */

STREAM_TEST(stream, gives_up_waiting_for_a_peer_that_is_idle)
{
    tn_str data;
    tn_stream_set_idle_timeout(e->here, 0.02);
    double began = tn_loop_time(e->loop);
    assert_int_equal(tn_read_bytes(e->here, 1, &data), TN_ETIMEDOUT);
    assert_true(tn_loop_time(e->loop) - began >= 0.02);
    TN_TRY(tn_stream_write(e->there, "x"));
    TN_TRY(tn_read_bytes(e->here, 1, &data));
    assert_str(data, "x");
    return 0;
}

STREAM_TEST(stream, gives_up_writing_to_a_peer_that_takes_nothing)
{
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    tn_stream_set_idle_timeout(e->here, 0.02);
    assert_int_equal(tn_stream_write(e->here, tn_str_of(bytes, N)), TN_ETIMEDOUT);
    tn_stream_abort(e->here);
    free(bytes);
    return 0;
}

/* -- Descriptors of other kinds -- */

STREAM_TEST(stream, works_over_a_pipe)
{
    tn_stream *in, *out;
    tn_str data;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    TN_TRY(tn_stream_new(&in, e->loop, fds[0]));
    TN_TRY(tn_stream_new(&out, e->loop, fds[1]));
    tn_future *line = tn_read_until_start(in, "\n", 0);
    TN_TRY(tn_stream_write(out, "through the pipe\nend"));
    TN_TRY(tn_await_str(line, &data));
    assert_str(data, "through the pipe\n");
    tn_stream_shutdown_write(out);
    TN_TRY(tn_read_all(in, &data));
    assert_str(data, "end");
    tn_stream_free(in);
    tn_stream_free(out);
    return 0;
}

STREAM_TEST(stream, survives_a_pipe_that_nobody_reads)
{
    tn_stream *out;
    int fds[2], result = TN_OK;
    assert_int_equal(pipe(fds), 0);
    TN_TRY(tn_stream_new(&out, e->loop, fds[1]));
    TN_TRY(tn_sleep(0.001));
    TN_TRY(tn_stream_write(out, "into the void"));
    close(fds[0]);
    for (int i = 0; i < 10 && result == TN_OK; i++) {
        TN_TRY(tn_sleep(0.001));
        result = tn_stream_write(out, "x");
    }
    assert_true(result == -EPIPE || result == TN_ECLOSED);
    tn_stream_free(out);
    return 0;
}

STREAM_TEST(stream, refuses_a_file)
{
    tn_stream *s = NULL;
    int fd = open("/proc/self/exe", O_RDONLY);
    if (tn_stream_new(&s, e->loop, fd) == TN_OK) /* poll takes files: they are always ready */
        tn_stream_free(s);
    else
        assert_null(s);
    return 0;
}

/* -- Lack of memory -- */

static int converses(void *arg)
{
    ends *e = arg;
    tn_str data;
    TN_TRY(tn_stream_write(e->there, "question\n"));
    TN_TRY(tn_read_until_regex(e->here, "\n", &data));
    TN_TRY(tn_stream_write(e->here, "answer"));
    tn_stream_close(e->here);
    TN_TRY(tn_read_all(e->there, &data));
    return 0;
}

typedef struct attempt {
    ends *e;
    long successes; /* allocations that succeed before one fails */
    int result;
} attempt;

static int attempts(void *arg)
{
    attempt *a = arg;
    tn__alloc_fail_after(a->successes, false);
    a->result = tn_stream_pair(a->e->loop, &a->e->here, &a->e->there);
    if (a->result == TN_OK) a->result = converses(a->e);
    tn__alloc_fail_after(-1, false);
    tn_stream_free(a->e->here);
    tn_stream_free(a->e->there);
    return 0;
}

LOOP_TEST(stream, answers_every_lack_of_memory_with_an_error)
{
    int result = TN_ENOMEM, failures = 0;
    for (long n = 0; n < 200 && result < 0; n++) {
        ends e = {.loop = loop};
        attempt a = {.e = &e, .successes = n};
        test_run_task(loop, attempts, &a);
        result = a.result;
        failures += result < 0;
    }
    assert_int_equal(result, 0);
    assert_true(failures > 3);
}
