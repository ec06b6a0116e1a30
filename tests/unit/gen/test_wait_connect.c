/* tn_connect and tn_resolve, in coroutines and as futures. */
#include "serve_test.h"

static int greets(tn_stream *s, void *arg)
{
    (void)arg;
    return tn_stream_write(s, "hello\n");
}

static int read_greeting(tn_stream *s)
{
    tn_str line;
    TN_TRY(tn_read_until(s, "\n", &line));
    assert_str(line, "hello\n");
    tn_stream_free(s);
    return 0;
}

TASK_TEST(connect, reaches_a_host_by_name_and_by_address)
{
    served s = {.serve = greets};
    tn_group g;
    tn_stream *client;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "localhost", s.port, .timeout = 10)); /* perhaps by way of ::1, where nobody listens */
    TN_TRY(read_greeting(client));
    TN_TRY(tn_connect(&client, TN_S("127.0.0.1"), s.port));
    TN_TRY(read_greeting(client));
    return stop_serving(&g, &s);
}

TASK_TEST(connect, gives_a_future_of_a_stream)
{
    served s = {.serve = greets};
    tn_group g;
    void *client;
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_await_value(tn_connect_start(loop, "127.0.0.1", s.port), &client));
    TN_TRY(read_greeting(client));
    return stop_serving(&g, &s);
}

TASK_TEST(connect, frees_the_stream_of_a_future_that_nobody_wants)
{
    served s = {.serve = greets};
    tn_group g;
    TN_TRY(serve(&g, &s));
    tn_future *early = tn_connect_start(loop, "127.0.0.1", s.port), *late = tn_connect_start(loop, "127.0.0.1", s.port);
    tn_future_unref(early);
    TN_TRY(tn_sleep(0.01));
    tn_future_unref(late);
    return stop_serving(&g, &s);
}

TASK_TEST(connect, says_why_it_failed)
{
    tn_stream *client = NULL;
    tn_error err = {0};
    assert_int_equal(tn_connect(&client, "127.0.0.1", 1, .err = &err), -ECONNREFUSED);
    assert_string_equal(err.text, "cannot connect to 127.0.0.1:1: connection refused");
    assert_int_equal(tn_connect(&client, "unix:/nowhere", 0, .err = &err), -ENOENT);
    assert_string_equal(err.text, "cannot connect to unix:/nowhere: no such file or entry");
    assert_int_equal(tn_connect(&client, "", 80), TN_ERESOLVE);
    assert_int_equal(tn_connect(&client, "127.0.0.1", 65536), TN_EINVAL);
    assert_int_equal(tn_connect(&client, "127.0.0.1", 80, .source_ip = "nonsense"), TN_EINVAL);
    assert_int_equal(tn_connect(&client, "127.0.0.1", 80, .source_ip = "::1"), TN_ERESOLVE);
    assert_null(client);
    return 0;
}

TASK_TEST(connect, comes_from_the_address_that_was_asked_for)
{
    served s = {.serve = greets};
    tn_group g;
    tn_stream *client;
    tn_addr local;
    char text[TN_ADDR_TEXT_BYTES];
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_connect(&client, "127.0.0.1", s.port, .source_ip = "127.0.0.5"));
    TN_TRY(tn_stream_local(client, &local));
    assert_str(tn_addr_ip(&local, text), "127.0.0.5");
    TN_TRY(read_greeting(client));
    return stop_serving(&g, &s);
}

TASK_TEST(connect, gives_up_in_time)
{
    /* A queue of one that is full: further connections get no answer. */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    tn_addr addr;
    tn_stream *client[4] = {0};
    int result = 0, n = 0;
    TN_TRY(tn_addr_parse_ip(&addr, "127.0.0.1", 0));
    assert_int_equal(bind(fd, &addr.u.sa, addr.len), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, &addr.u.sa, &addr.len), 0);
    while (n < 4 && result == 0) result = tn_connect(&client[n++], "127.0.0.1", tn_addr_port(&addr), .timeout = 0.05);
    assert_int_equal(result, TN_ETIMEDOUT);
    for (int i = 0; i < n; i++) tn_stream_free(client[i]);
    close(fd);
    return 0;
}

TASK_TEST(connect, is_cut_short_by_a_deadline_around_it)
{
    tn_stream *client = NULL;
    int result = 0;
    TN_TIMEOUT(0) result = tn_connect(&client, "127.0.0.1", 80);
    assert_int_equal(result, TN_ETIMEDOUT);
    return 0;
}

TASK_TEST(resolve, gives_addresses_with_their_port)
{
    tn_addr addrs[8];
    void *value;
    char text[TN_ADDR_TEXT_BYTES];
    assert_int_equal(tn_resolve("127.0.0.1", 80, AF_UNSPEC, addrs, 8), 1);
    assert_str(tn_addr_format(&addrs[0], text), "127.0.0.1:80");
    assert_true(tn_resolve("localhost", 81, AF_INET, addrs, 8) >= 1);
    assert_str(tn_addr_format(&addrs[0], text), "127.0.0.1:81");
    assert_int_equal(tn_await_value(tn_resolve_start(loop, "::1", 82, AF_UNSPEC), &value), 1);
    assert_str(tn_addr_format(value, text), "[::1]:82");
    free(value);
    assert_true(tn_await_value(tn_resolve_start(loop, "localhost", 83, AF_INET), &value) >= 1);
    assert_str(tn_addr_format(value, text), "127.0.0.1:83");
    free(value);
    tn_future_unref(tn_resolve_start(loop, "localhost", 84, AF_INET));
    assert_int_equal(tn_resolve("", 80, AF_UNSPEC, addrs, 8), TN_ERESOLVE);
    return 0;
}

TASK_TEST(resolve, gives_another_place_to_who_wants_a_host_that_has_moved)
{
    served s = {.serve = greets};
    tn_group g;
    tn_stream *client;
    tn_addr addr;
    char text[TN_ADDR_TEXT_BYTES];
    TN_TRY(serve(&g, &s));
    TN_TRY(tn_resolve_override(loop, "moved.test", -1, "127.0.0.9", -1));
    TN_TRY(tn_resolve_override(loop, "moved.test", 80, "127.0.0.1", s.port));
    TN_TRY(tn_connect(&client, "moved.test", 80));
    TN_TRY(read_greeting(client));
    assert_int_equal(tn_resolve("moved.test", 81, AF_UNSPEC, &addr, 1), 1);
    assert_str(tn_addr_format(&addr, text), "127.0.0.9:81");
    return stop_serving(&g, &s);
}
