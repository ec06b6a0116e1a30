/* The testing tools, tested with the tools of our own tests. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tornado/iostream.h"
#include "tornado/locks.h"
#include "tornado/process.h"
#include "tornado/testing.h"

static int hello(tn_req *r)
{
    TN_TRY(tn_set_header(r, "X-Kind", "greeting"));
    return tn_write(r, "Hello, world");
}

static int echo(tn_req *r)
{
    tn_str kind = tn_req_header(r, "X-Kind");
    return tn_printf(r, TN_FMT "/" TN_FMT "/" TN_FMT, TN_ARG(tn_req_method(r)), TN_ARG(kind), TN_ARG(tn_req_body(r)));
}

static int in_pieces(tn_req *r)
{
    for (int i = 0; i < 3; i++) {
        TN_TRY(tn_printf(r, "piece %d\n", i));
        TN_TRY(tn_flush(r));
        TN_TRY(tn_sleep(1));
    }
    return 0;
}

static int sleeps(tn_req *r)
{
    TN_TRY(tn_sleep(20));
    return tn_write(r, "awake");
}

static int blocks_for_a_moment(void *arg)
{
    (void)arg;
    usleep(30000);
    return 7;
}

static int in_thread(tn_req *r)
{
    int result = 0;
    TN_TIMEOUT(0.5) result = tn_run_blocking(blocks_for_a_moment, NULL);
    return tn_printf(r, "%d", result);
}

static int many_bytes(tn_req *r)
{
    static char bytes[3000000];
    memset(bytes, 'x', sizeof bytes);
    return tn_write(r, tn_str_of(bytes, sizeof bytes));
}

static const tn_handler Hello = {.get = hello, .head = hello}, Echo = {.post = echo, .put = echo}, Pieces = {.get = in_pieces};
static const tn_handler Sleeps = {.get = sleeps}, Cancels = {.get = sleeps, .cancel_on_close = true};
static const tn_handler Thread = {.get = in_thread}, Many = {.get = many_bytes};
static const tn_route routes[] = {
    {.path = "/", .handler = &Hello},          {.path = "/echo", .handler = &Echo},
    {.path = "/pieces", .handler = &Pieces},   {.path = "/sleeps", .handler = &Sleeps},
    {.path = "/cancels", .handler = &Cancels}, {.path = "/thread", .handler = &Thread},
    {.path = "/many", .handler = &Many},       {0},
};

/* What standard error would have shown. */
static char printed[4096];
static int kept_stderr = -1, printed_fd = -1;

static void hide_stderr(void)
{
    char name[] = "/tmp/tornado-testing-XXXXXX";
    fflush(stderr);
    printed_fd = mkstemp(name);
    unlink(name);
    kept_stderr = fcntl(2, F_DUPFD_CLOEXEC, 3);
    dup2(printed_fd, 2);
}

static void show_stderr(void)
{
    fflush(stderr);
    ssize_t n = pread(printed_fd, printed, sizeof printed - 1, 0);
    printed[n < 0 ? 0 : n] = 0;
    dup2(kept_stderr, 2);
    close(kept_stderr);
    close(printed_fd);
}

static double real_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static tn_app *app;

static tn_testenv *open_env(void)
{
    app = tn_app_new(routes);
    tn_testenv *t = tn_test_open(app);
    assert_non_null(t);
    return t;
}

static int close_env(tn_testenv *t)
{
    int result = tn_test_close(t);
    tn_app_free(app);
    return result;
}

TEST(testing, fetches_through_memory)
{
    tn_testenv *t = open_env();
    tn_response res;
    assert_int_equal(tn_test_fetch(t, &res, "/"), 0);
    assert_int_equal(res.code, 200);
    assert_str(res.reason, "OK");
    assert_str(res.body, "Hello, world");
    assert_str(tn_response_header(&res, "x-kind"), "greeting");
    assert_null(tn_response_header(&res, "X-None").p);
    assert_int_equal(tn_test_fetch(t, &res, "/", .method = "HEAD"), 0);
    assert_int_equal(res.body.n, 0);
    assert_str(tn_response_header(&res, "Content-Length"), "12");
    assert_int_equal(tn_test_fetch(t, &res, "/none"), 0);
    assert_int_equal(res.code, 404);
    assert_int_equal(close_env(t), 0);
}

TEST(testing, sends_method_fields_and_body)
{
    tn_testenv *t = open_env();
    tn_response res;
    const tn_header fields[] = {{TN_S("X-Kind"), TN_S("letter")}, {{0}, {0}}};
    assert_int_equal(tn_test_fetch(t, &res, "/echo", .method = "PUT", .headers = fields, .body = TN_S("dear")), 0);
    assert_str(res.body, "PUT/letter/dear");
    assert_int_equal(close_env(t), 0);
}

TEST(testing, puts_a_response_in_pieces_together_while_time_jumps)
{
    tn_testenv *t = open_env();
    tn_response res;
    double begun = real_time();
    assert_int_equal(tn_test_fetch(t, &res, "/pieces"), 0);
    assert_str(res.body, "piece 0\npiece 1\npiece 2\n");
    assert_true(res.total_time >= 3 && res.total_time < 3.1);
    assert_true(real_time() - begun < 1);
    assert_int_equal(close_env(t), 0);
}

TEST(testing, carries_more_than_a_socket_holds)
{
    tn_testenv *t = open_env();
    tn_response res;
    static char body[2000000];
    memset(body, 'y', sizeof body);
    assert_int_equal(tn_test_fetch(t, &res, "/many"), 0);
    assert_int_equal(res.body.n, 3000000);
    assert_int_equal(tn_test_fetch(t, &res, "/echo", .method = "POST", .body = tn_str_of(body, sizeof body)), 0);
    assert_int_equal(res.body.n, sizeof body + strlen("POST//"));
    assert_int_equal(close_env(t), 0);
}

TEST(testing, times_out_in_no_time)
{
    tn_testenv *t = open_env();
    tn_response res = {.code = 1};
    double begun = real_time(), loop_begun = tn_loop_time(tn_test_loop(t));
    assert_int_equal(tn_test_fetch(t, &res, "/cancels", .timeout = 10), TN_ETIMEDOUT);
    assert_int_equal(res.code, 1);
    assert_true(tn_loop_time(tn_test_loop(t)) - loop_begun == 10);
    assert_int_equal(tn_test_fetch(t, &res, "/cancels", .timeout = 30), 0);
    assert_str(res.body, "awake");
    assert_true(real_time() - begun < 1);
    assert_int_equal(close_env(t), 0);
}

TEST(testing, waits_for_threads_in_real_time)
{
    tn_testenv *t = open_env();
    tn_response res;
    assert_int_equal(tn_test_fetch(t, &res, "/thread"), 0);
    assert_str(res.body, "7"); /* and not a timeout of half a virtual second */
    assert_int_equal(close_env(t), 0);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

TEST(testing, advances_the_clock_by_hand)
{
    tn_testenv *t = tn_test_open(NULL);
    int calls = 0;
    tn_periodic *p;
    assert_int_equal(tn_periodic_start(&p, tn_test_loop(t), 10, count, &calls), 0);
    assert_int_equal(tn_test_advance(t, 29.9), 0);
    assert_int_equal(calls, 2);
    assert_int_equal(tn_test_advance(t, 0.1), 0);
    assert_int_equal(calls, 3);
    tn_periodic_stop(p);
    assert_int_equal(tn_test_close(t), 0);
}

static int add_up(void *arg)
{
    TN_TRY(tn_sleep(3600));
    return *(int *)arg + 1;
}

static int wait_for_ever(void *arg)
{
    tn_event never = TN_EVENT_INIT;
    int result = tn_event_wait(&never);
    *(int *)arg = result;
    return result;
}

static int run_true(void *arg)
{
    const char *const argv[] = {"sh", "-c", "sleep 0.02; exit 3", NULL};
    tn_subprocess *p;
    int code = 0;
    (void)arg;
    TN_TRY(tn_subprocess_start(&p, tn_loop_current(), argv));
    TN_TIMEOUT(0.001) TN_TRY(tn_subprocess_wait(p, &code));
    tn_subprocess_free(p);
    return code;
}

TEST(testing, runs_coroutines)
{
    tn_testenv *t = tn_test_open(NULL);
    int number = 41;
    assert_ptr_equal(tn_loop_current(), tn_test_loop(t));
    assert_int_equal(tn_test_run(t, add_up, &number), 42);
    assert_int_equal(tn_test_run(t, run_true, NULL), 3);
    assert_int_equal(tn_test_run(t, wait_for_ever, &number), TN_ETIMEDOUT);
    assert_int_equal(number, TN_ECANCELED);
    assert_int_equal(tn_test_close(t), 0);
    assert_null(tn_loop_current());
}

TEST(testing, reports_a_handler_that_still_waits)
{
    tn_testenv *t = open_env();
    tn_response res;
    assert_int_equal(tn_test_fetch(t, &res, "/sleeps", .timeout = 1), TN_ETIMEDOUT);
    hide_stderr();
    int result = close_env(t);
    show_stderr();
    assert_int_equal(result, TN_ELEAKED);
    assert_non_null(strstr(printed, "left behind: 1 coroutines that have not ended"));
    assert_non_null(strstr(printed, "/sleeps waits in tn_sleep"));
}

TEST(testing, reports_timeouts_and_descriptors)
{
    tn_testenv *t = tn_test_open(NULL);
    int calls = 0, ends[2];
    assert_int_equal(pipe(ends), 0);
    tn_call_later(tn_test_loop(t), 1, count, &calls);
    tn_call_later(tn_test_loop(t), 2, count, &calls);
    hide_stderr();
    int result = tn_test_close(t);
    show_stderr();
    assert_int_equal(result, TN_ELEAKED);
    assert_non_null(strstr(printed, "left behind: 2 timeouts"));
    char line[64];
    snprintf(line, sizeof line, "left behind: descriptor %d\n", ends[1]);
    assert_non_null(strstr(printed, line));
    close(ends[0]);
    close(ends[1]);
}

TEST(testing, reports_a_future_that_nobody_awaited)
{
    tn_testenv *t = tn_test_open(NULL);
    tn_future *f = tn_future_new(tn_test_loop(t));
    hide_stderr();
    int result = tn_test_close(t);
    show_stderr();
    assert_int_equal(result, TN_ELEAKED);
    assert_non_null(strstr(printed, "left behind: 1 futures that are pending"));
    tn_future_unref(f);
}

TEST(testing, says_what_is_wrong_with_the_application)
{
    static const tn_route bad[] = {{.path = "/(", .handler = &Hello}, {0}};
    tn_response res;
    app = tn_app_new(bad);
    tn_testenv *t = tn_test_open(app);
    assert_int_equal(tn_test_fetch(t, &res, "/"), TN_EPATTERN);
    assert_int_equal(close_env(t), 0);
    assert_int_equal(tn_test_fetch(NULL, &res, "/"), TN_ENOMEM);
    assert_int_equal(tn_test_close(NULL), TN_ENOMEM);
}

TEST(testing, makes_reading_and_memory_fail)
{
    tn_testenv *t = open_env();
    tn_response res;
    assert_int_equal(tn_test_faults(t, "iostream.read:ECONNRESET@1"), 0);
    assert_int_equal(tn_test_fetch(t, &res, "/"), TN_EOF);
    assert_int_equal(tn_test_fetch(t, &res, "/"), 0);
    assert_int_equal(tn_test_faults(t, "rubbish"), TN_EINVAL);
    assert_int_equal(tn_test_faults(t, "alloc:1%"), 0);
    int good = 0;
    for (int i = 0; i < 300; i++) {
        int result = tn_test_fetch(t, &res, "/");
        if (result == 0 && res.code == 200) good++;
        assert_true(result == 0 || result == TN_EOF || result == TN_ENOMEM);
    }
    assert_in_range(good, 150, 299);
    assert_int_equal(tn_test_faults(t, NULL), 0);
    assert_int_equal(tn_test_fetch(t, &res, "/"), 0);
    assert_int_equal(close_env(t), 0);
}

TEST(testing, says_when_the_environment_has_no_good_list_of_faults)
{
    setenv("TORNADO_FAULTS", "iostream.raed:EPIPE", 1);
    hide_stderr();
    tn_testenv *t = tn_test_open(NULL);
    show_stderr();
    unsetenv("TORNADO_FAULTS");
    assert_string_equal(printed, "TORNADO_FAULTS is no list of faults, and nothing will fail: iostream.raed:EPIPE\n");
    assert_int_equal(tn_test_close(t), 0);
}

/* Whatever fails, a request is answered or its connection closed, and nothing is left behind. */
TEST(testing, finds_nothing_left_behind_by_faults_at_random)
{
    static const char *const paths[] = {"/", "/pieces", "/cancels", "/thread", "/many", "/none", "/echo"};
    for (int seed = 0; seed < 15; seed++) {
        char faults[128];
        tn_testenv *t = open_env();
        snprintf(faults, sizeof faults, "alloc:2%%,iostream.read:ECONNRESET@2%%,iostream.write:EPIPE@2%%,random:5%%,seed:%d", seed);
        assert_int_equal(tn_test_faults(t, faults), 0);
        for (int i = 0; i < 21; i++) {
            tn_response res;
            int result = tn_test_fetch(t, &res, paths[i % 7], .timeout = i % 2 ? 2 : 60);
            if (result == 0)
                assert_in_range(res.code, 200, 599);
            else
                assert_true(result == TN_EOF || result == TN_ENOMEM || result == TN_ETIMEDOUT);
        }
        tn_test_faults(t, NULL);
        assert_int_equal(tn_test_advance(t, 100), 0); /* those whose client went away come to their ends */
        assert_int_equal(close_env(t), 0);
    }
}

/* Answers lines until there are no more. */
static int answer_lines(tn_stream *s, void *arg)
{
    (void)arg;
    for (;;) {
        tn_str line;
        TN_TRY(tn_read_until(s, "\n", &line));
        TN_TRY(tn_stream_write(s, line));
    }
}

static void on_listening(tn_loop *loop, int port, void *arg)
{
    (void)loop;
    *(int *)arg = port;
}

static int serve_lines(void *port)
{
    return tn_tcp_serve(answer_lines, port, .host = "127.0.0.1", .on_start = on_listening);
}

static int ask_over_tcp(void *arg)
{
    tn_stream *s = NULL;
    tn_str line;
    int e = tn_connect(&s, "127.0.0.1", *(int *)arg, .timeout = 5);
    for (int i = 0; e == TN_OK && i < 5; i++) {
        e = tn_stream_write(s, "line\n");
        if (e == TN_OK) e = tn_read_until(s, "\n", &line);
    }
    tn_stream_free(s);
    return e;
}

static int ask_a_program(void *arg)
{
    const char *const argv[] = {"cat", NULL};
    tn_subprocess *p = NULL;
    tn_str data;
    int code, e = tn_subprocess_start(&p, tn_loop_current(), argv, .in = TN_STREAM, .out = TN_STREAM);
    (void)arg;
    if (e < 0) return e;
    e = tn_stream_write(tn_subprocess_in(p), "through the cat");
    tn_stream_shutdown_write(tn_subprocess_in(p));
    if (e == TN_OK) e = tn_read_all(tn_subprocess_out(p), &data);
    if (e == TN_OK) e = tn_subprocess_wait(p, &code);
    tn_subprocess_free(p);
    return e;
}

/* A server, clients of it, and programs, in one coroutine that waits for all of them. */
static int network(void *arg)
{
    int port = 0;
    (void)arg;
    TN_TRY(tn_go(NULL, serve_lines, &port)); /* until this coroutine ends */
    for (int i = 0; i < 20 && !port; i++) TN_TRY(tn_sleep(0.01));
    if (!port) return TN_EAGAIN;
    tn_group g;
    tn_group_init(&g);
    for (int i = 0; i < 4; i++) {
        tn_go(&g, ask_over_tcp, &port);
        tn_go(&g, ask_a_program, NULL);
    }
    return tn_group_join(&g);
}

TEST(testing, finds_nothing_left_behind_by_faults_in_streams_and_processes)
{
    int good = 0;
    for (int seed = 0; seed < 40; seed++) {
        char faults[160];
        tn_testenv *t = tn_test_open(NULL);
        snprintf(faults, sizeof faults,
                 "alloc:1%%,iostream.read:1%%,iostream.write:1%%,socket.open:2%%,socket.accept:2%%,socket.connect:2%%,"
                 "process.spawn:2%%,seed:%d",
                 seed);
        assert_int_equal(tn_test_faults(t, seed ? faults : NULL), 0);
        int result = tn_test_run(t, network, NULL);
        good += result == TN_OK;
        if (seed == 0) assert_int_equal(result, TN_OK);
        assert_int_equal(tn_test_faults(t, NULL), 0);
        assert_int_equal(tn_test_close(t), 0);
    }
    assert_in_range(good, 1, 39);
}

TEST(testing, takes_faults_from_the_environment)
{
    tn_response res;
    setenv("TORNADO_FAULTS", "iostream.write:EPIPE@1", 1);
    tn_testenv *t = open_env();
    unsetenv("TORNADO_FAULTS");
    assert_int_equal(tn_test_fetch(t, &res, "/"), TN_EOF);
    assert_int_equal(tn_test_fetch(t, &res, "/"), 0);
    assert_int_equal(close_env(t), 0);
}
