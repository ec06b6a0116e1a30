/* Routing: literals and patterns in their order, hosts, what nothing answers. */
#include "web/web_test.h"

static int say_arg(tn_req *r)
{
    const char *arg = tn_route_arg(r);
    return tn_write(r, arg ? arg : "no arg");
}

#define ROUTE(where, what)                                                                                                         \
    {                                                                                                                              \
        .path = (where), .function = say_arg, .arg = (what)                                                                        \
    }

TEST(router, matches_a_literal_path_as_a_whole)
{
    stage s;
    stage_open(&s, (tn_route[]){ROUTE("/", "root"), ROUTE("/a/b", "ab"), ROUTE("/a", "a"), {0}});
    assert_get(&s, "/", "200 root");
    assert_get(&s, "/a", "200 a");
    assert_get(&s, "/a/b", "200 ab");
    assert_get(&s, "/a/", "404 <69 bytes>");
    assert_get(&s, "/a/b/c", "404 <69 bytes>");
    assert_get(&s, "/a?x=/a/b", "200 a");
    assert_get(&s, "/%61", "404 <69 bytes>"); /* compared as it came */
    stage_close(&s);
}

TEST(router, matches_a_pattern_against_the_whole_path)
{
    stage s;
    stage_open(&s, (tn_route[]){ROUTE("/a+", "as"), ROUTE("/([0-9]{2}|x)", "two"), {0}});
    assert_get(&s, "/aaa", "200 as");
    assert_get(&s, "/aaab", "404 <69 bytes>");
    assert_get(&s, "/aaa%0A", "404 <69 bytes>");
    assert_get(&s, "/12", "200 two");
    assert_get(&s, "/123", "404 <69 bytes>");
    assert_get(&s, "/x", "200 two");
    stage_close(&s);
}

TEST(router, lets_the_first_route_win_be_it_literal_or_pattern)
{
    stage s;
    stage_open(&s, (tn_route[]){ROUTE("/a/one", "one"),
                                ROUTE("/a/.*", "any"),
                                ROUTE("/a/two", "never"),
                                ROUTE("/b", "first"),
                                ROUTE("/b", "never"),
                                {0}});
    assert_get(&s, "/a/one", "200 one");
    assert_get(&s, "/a/two", "200 any");
    assert_get(&s, "/b", "200 first");
    stage_close(&s);
}

TEST(router, finds_each_of_many_literals)
{
    enum { MANY = 500 };
    static char paths[MANY][16];
    static tn_route routes[MANY + 1];
    for (int i = 0; i < MANY; i++) {
        sprintf(paths[i], "/path/%d", i);
        routes[i] = (tn_route)ROUTE(paths[i], paths[i]);
    }
    stage s;
    stage_open(&s, routes);
    for (int i = 0; i < MANY; i += 7) {
        char expected[32];
        sprintf(expected, "200 /path/%d", i);
        assert_get(&s, paths[i], expected);
    }
    stage_close(&s);
}

static const char *get_from(stage *s, const char *host, const char *path)
{
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    return ask(s, text);
}

#define HOST_ROUTE(where, what, which)                                                                                             \
    {                                                                                                                              \
        .path = (where), .function = say_arg, .arg = (what), .host = (which)                                                       \
    }

TEST(router, asks_for_the_host_without_port_in_lower_case)
{
    stage s;
    stage_open(&s, (tn_route[]){HOST_ROUTE("/", "dot", "example\\.org"),
                                HOST_ROUTE("/", "sub", ".*\\.example\\.org"),
                                HOST_ROUTE("/six", "six", "\\[?::1\\]?"),
                                ROUTE("/", "any"),
                                {0}});
    assert_string_equal(get_from(&s, "example.org", "/"), "200 dot");
    assert_string_equal(get_from(&s, "EXAMPLE.org:8080", "/"), "200 dot");
    assert_string_equal(get_from(&s, "example.org:", "/"), "200 dot"); /* a port may be empty */
    assert_string_equal(get_from(&s, "www.example.org", "/"), "200 sub");
    assert_string_equal(get_from(&s, "www.example.org.evil", "/"), "200 any");
    assert_string_equal(get_from(&s, "[::1]:80", "/six"), "200 six");
    stage_close(&s);
}

TEST(router, goes_on_to_later_routes_when_the_host_has_none_for_the_path)
{
    stage s;
    stage_open(&s, (tn_route[]){HOST_ROUTE("/a", "host a", "h"), ROUTE("/b", "b"), HOST_ROUTE("/c", "host c", "h"), {0}});
    assert_string_equal(get_from(&s, "h", "/a"), "200 host a");
    assert_string_equal(get_from(&s, "h", "/b"), "200 b");
    assert_string_equal(get_from(&s, "h", "/c"), "200 host c");
    assert_string_equal(get_from(&s, "other", "/c"), "404 <69 bytes>");
    stage_close(&s);
}

TEST(router, without_memory_for_the_host_answers_for_no_other_one)
{
    char request[8192], host[7000];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = 0;
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    bool failed = true;
    for (long n = 0; failed; n++) {
        stage s;
        stage_open(&s, (tn_route[]){HOST_ROUTE("/", "its own", "a+"), ROUTE("/", "any"), {0}});
        tn__alloc_fail_after(n, false);
        const char *heard = ask(&s, request);
        failed = tn__alloc_count() > n;
        tn__alloc_fail_after(-1, false);
        if (strstr(heard, "any")) fail_msg("allocation %ld: \"%s\"", n, heard);
        if (!failed) assert_string_equal(heard, "200 its own");
        stage_close(&s);
    }
}

TEST(router, takes_the_host_of_an_absolute_target)
{
    stage s;
    stage_open(&s, (tn_route[]){HOST_ROUTE("/", "h", "h"), ROUTE("/", "any"), {0}});
    assert_string_equal(ask(&s, "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), "200 h");
    stage_close(&s);
}

static int not_here(tn_req *r)
{
    TN_TRY(tn_set_status(r, 404, "Not Here"));
    return tn_write(r, "not here");
}

TEST(router, leaves_what_no_route_answers_to_the_default_handler)
{
    static const tn_handler Default = {.get = not_here};
    stage s;
    stage_open_app(&s, tn_app_new((tn_route[]){ROUTE("/a", "a"), {0}}, .default_handler = &Default), NULL);
    assert_get(&s, "/a", "200 a");
    assert_get(&s, "/b", "404 not here");
    assert_string_equal(ask_for(&s, "POST", "/b"), "405 <87 bytes>");
    stage_close(&s);
}

TEST(router, answers_404_to_everything_without_routes)
{
    stage s;
    stage_open(&s, NULL);
    assert_get(&s, "/", "404 <69 bytes>");
    assert_string_equal(ask_for(&s, "DELETE", "/x"), "404 <69 bytes>");
    stage_close(&s);
}

TEST(router, finds_rules_by_name_the_last_one_of_a_name)
{
    static const tn_route routes[] = {
        {.path = "/1", .function = say_arg, .name = "n"}, {.path = "/2", .function = say_arg, .name = "n"}, {0}};
    tn_app *app = tn_app_new(routes);
    assert_ptr_equal(tn__app_named(app, TN_S("n"))->route, &routes[1]);
    assert_null(tn__app_named(app, TN_S("m")));
    tn_app_free(app);
}
