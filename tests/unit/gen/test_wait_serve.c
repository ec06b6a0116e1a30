/* tn_tcp_serve: connections as coroutines, and the end of serving. */
#include "serve_test.h"

static int echo(tn_stream *s, void *arg)
{
    ((served *)arg)->connections++;
    for (;;) {
        tn_str line;
        int e = tn_read_until(s, "\n", &line, .max = 8192);
        if (e == TN_EOF) return 0;
        TN_TRY(e);
        TN_TRY(tn_stream_write(s, line));
    }
}

static int ask(int port, const char *question)
{
    tn_stream *s;
    tn_str answer;
    TN_TRY(tn_connect(&s, "127.0.0.1", port));
    TN_TRY(tn_stream_write(s, question));
    TN_TRY(tn_read_until(s, "\n", &answer));
    assert_str(answer, question);
    tn_stream_free(s);
    return 0;
}

TASK_TEST(serve, answers_each_connection_with_a_coroutine)
{
    served s = {.serve = echo};
    tn_group g;
    TN_TRY(serve(&g, &s));
    TN_TRY(ask(s.port, "one\n"));
    TN_TRY(ask(s.port, "two\n"));
    assert_int_equal(s.connections, 2);
    return stop_serving(&g, &s);
}

TASK_TEST(serve, takes_sockets_that_were_bound_before)
{
    int fds[8];
    int n = tn_bind_sockets(fds, 8, .address = "127.0.0.1");
    TN_TRY(n);
    served s = {.serve = echo, .opts = {.sockets = fds, .sockets_n = (size_t)n}};
    tn_group g;
    TN_TRY(serve(&g, &s));
    TN_TRY(ask(s.port, "one\n"));
    assert_int_equal(s.connections, 1);
    return stop_serving(&g, &s);
}

static int writes_and_leaves(tn_stream *s, void *arg)
{
    enum { N = 1 << 20 };
    char *bytes = calloc(1, N);
    (void)arg;
    tn_future_unref(tn_stream_write_start(s, tn_str_of(bytes, N)));
    free(bytes);
    return 0;
}

TASK_TEST(serve, sends_what_a_connection_wrote_before_it_returned)
{
    served s = {.serve = writes_and_leaves};
    tn_group g;
    tn_stream *client;
    tn_str all;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_read_all(client, &all));
    assert_int_equal(all.n, 1 << 20);
    tn_stream_free(client);
    return stop_serving(&g, &s);
}

static int answers_without_reading(tn_stream *s, void *arg)
{
    (void)arg;
    TN_TRY(tn_sleep(0.01));
    return tn_stream_write(s, "go away\n");
}

TASK_TEST(serve, lets_a_client_that_is_still_sending_read_its_answer)
{
    enum { N = 300000 };
    served s = {.serve = answers_without_reading};
    char *bytes = calloc(1, N);
    tn_group g;
    tn_stream *client;
    tn_str answer;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    tn_future *sent = tn_stream_write_start(client, tn_str_of(bytes, N));
    TN_TRY(tn_sleep(0.05));
    TN_TRY(tn_read_all(client, &answer)); /* and not a reset */
    assert_str(answer, "go away\n");
    tn_future_unref(sent);
    tn_stream_free(client);
    free(bytes);
    return stop_serving(&g, &s);
}

TASK_TEST(serve, cancels_what_is_open_when_it_is_cancelled)
{
    served s = {.serve = echo};
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_stream_write(client, "x\n"));
    TN_TRY(tn_read_until(client, "\n", &data));
    TN_TRY(stop_serving(&g, &s));
    assert_int_equal(tn_read_bytes(client, 1, &data), TN_EOF);
    tn_stream_free(client);
    assert_int_equal(tn_connect(&client, "127.0.0.1", s.port), -ECONNREFUSED);
    return 0;
}

static int answers_late(tn_stream *s, void *arg)
{
    tn_str line;
    (void)arg;
    TN_TRY(tn_read_until(s, "\n", &line));
    TN_TRY(tn_sleep(0.02));
    return tn_stream_write(s, "late\n");
}

TASK_TEST(serve, gives_open_connections_their_grace)
{
    served s = {.serve = answers_late, .opts.grace = 5};
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_stream_write(client, "x\n"));
    TN_TRY(tn_sleep(0.005));
    TN_TRY(stop_serving(&g, &s));
    TN_TRY(tn_read_until(client, "\n", &data));
    assert_str(data, "late\n");
    tn_stream_free(client);
    return 0;
}

static int never_ends(tn_stream *s, void *arg)
{
    (void)s, (void)arg;
    return tn_sleep(1000);
}

TASK_TEST(serve, ends_its_grace_in_time)
{
    served s = {.serve = never_ends, .opts.grace = 0.02};
    tn_group g;
    tn_stream *client;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_sleep(0.005));
    double began = tn_loop_time(loop);
    TN_TRY(stop_serving(&g, &s));
    assert_true(tn_loop_time(loop) - began >= 0.02);
    assert_true(tn_loop_time(loop) - began < 2);
    tn_stream_free(client);
    return 0;
}

TASK_TEST(serve, ends_connections_that_are_idle)
{
    served s = {.serve = echo, .opts.idle_timeout = 0.02};
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    assert_int_equal(tn_read_bytes(client, 1, &data), TN_EOF);
    tn_stream_free(client);
    return stop_serving(&g, &s);
}

TASK_TEST(serve, leaves_connections_waiting_beyond_its_limit)
{
    served s = {.serve = echo, .opts.connections_max = 1};
    tn_group g;
    tn_stream *first, *second;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&first, "127.0.0.1", s.port));
    TN_TRY(tn_connect(&second, "127.0.0.1", s.port));
    TN_TRY(tn_sleep(0.01));
    assert_int_equal(s.connections, 1);
    tn_stream_free(first);
    TN_TRY(tn_sleep(0.01));
    assert_int_equal(s.connections, 2);
    tn_stream_free(second);
    return stop_serving(&g, &s);
}

TASK_TEST(serve, listens_on_a_unix_socket)
{
    served s = {.serve = echo, .opts.unix_socket = "@tornado-test-serve"};
    tn_group g;
    tn_stream *client;
    tn_str data;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "unix:@tornado-test-serve", 0));
    TN_TRY(tn_stream_write(client, "x\n"));
    TN_TRY(tn_read_until(client, "\n", &data));
    assert_str(data, "x\n");
    tn_stream_free(client);
    return stop_serving(&g, &s);
}

TASK_TEST(serve, says_why_it_cannot_listen)
{
    tn_error err = {0};
    int result = tn_tcp_serve(echo, .host = "256.256.256.256", .err = &err);
    assert_int_equal(result, TN_ERESOLVE);
    assert_non_null(strstr(err.text, "256.256.256.256"));
    return 0;
}

static int fails(tn_stream *s, void *arg)
{
    (void)s, (void)arg;
    return TN_EINVAL;
}

static void keep_line(void *arg, const tn_log_line *line)
{
    snprintf(arg, 100, TN_FMT, TN_ARG(line->text));
}

TASK_TEST(serve, logs_the_error_of_a_connection)
{
    served s = {.serve = fails};
    char said[100] = "";
    tn_group g;
    tn_stream *client;
    tn_str data;
    tn_loop_set_log(loop, keep_line, said, TN_LOG_ERROR);
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_read_all(client, &data));
    tn_stream_free(client);
    assert_string_equal(said, "Error in connection callback: invalid argument");
    return stop_serving(&g, &s);
}

TASK_TEST(serve, leaves_nothing_behind_when_the_loop_is_freed)
{
    static served s = {.serve = never_ends, .opts.grace = 1000};
    tn_stream *client;
    TN_TRY(tn_spawn_detached(loop, serve_task, &s));
    TN_TRY(tn_sleep(0));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port));
    TN_TRY(tn_sleep(0.005));
    tn_stream_free(client);
    return 0;
}
