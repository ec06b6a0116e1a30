/* What a handler may ask about its request. */
#include "web/web_test.h"

/* A slice and the NUL behind it. */
#define assert_text(actual, expected)                                                                                              \
    do {                                                                                                                           \
        tn_str text_ = (actual);                                                                                                   \
        assert_non_null(text_.p);                                                                                                  \
        assert_int_equal(text_.n, strlen(expected));                                                                               \
        assert_string_equal(text_.p, (expected));                                                                                  \
    } while (0)

static int ask_basics(tn_req *r)
{
    assert_text(tn_req_method(r), "POST");
    assert_text(tn_req_uri(r), "/a%20b?c=d&e");
    assert_text(tn_req_path(r), "/a%20b");
    assert_text(tn_req_query(r), "c=d&e");
    assert_text(tn_req_version(r), "HTTP/1.1");
    assert_text(tn_req_host(r), "Example.ORG:81");
    assert_text(tn_req_host_name(r), "example.org");
    assert_text(tn_req_protocol(r), "http");
    assert_text(tn_req_remote_ip(r), "0.0.0.0");
    assert_text(tn_req_body(r), "body");
    assert_true(tn_req_time(r) >= 0 && tn_req_time(r) < 10);
    assert_non_null(tn_req_app(r));
    assert_ptr_equal(tn_req_loop(r), tn_loop_current());
    leave("asked");
    return 0;
}

TEST(request, tells_its_parts_followed_by_a_nul)
{
    stage s;
    stage_open_function(&s, ask_basics);
    assert_string_equal(ask(&s, "POST /a%20b?c=d&e HTTP/1.1\r\nHost: Example.ORG:81\r\nContent-Length: 4\r\n\r\nbody"), "200");
    assert_trail("asked");
    stage_close(&s);
}

static int ask_bare(tn_req *r)
{
    assert_text(tn_req_query(r), "");
    assert_text(tn_req_version(r), "HTTP/1.0");
    assert_text(tn_req_host(r), "127.0.0.1");
    assert_text(tn_req_host_name(r), "127.0.0.1");
    assert_text(tn_req_path(r), "/");
    assert_text(tn_req_body(r), "");
    assert_null(tn_self(r));
    leave("asked");
    return 0;
}

TEST(request, of_http_1_0_may_be_quite_bare)
{
    stage s;
    stage_open_function(&s, ask_bare);
    assert_string_equal(ask(&s, "GET / HTTP/1.0\r\n\r\n"), "200 (close)|end");
    assert_trail("asked");
    stage_close(&s);
}

static int ask_absolute(tn_req *r)
{
    assert_text(tn_req_uri(r), "http://h:8/p?q");
    assert_text(tn_req_path(r), "/p");
    assert_text(tn_req_query(r), "q");
    assert_text(tn_req_host(r), "h:8");
    leave("asked");
    return 0;
}

TEST(request, with_an_absolute_target_has_its_path_and_host)
{
    stage s;
    stage_open_function(&s, ask_absolute);
    ask(&s, "GET http://h:8/p?q HTTP/1.1\r\nHost: h:8\r\n\r\n");
    assert_trail("asked");
    stage_close(&s);
}

static int ask_headers(tn_req *r)
{
    tn_str name, value;
    assert_text(tn_req_header(r, "X-TWO"), "first");
    assert_text(tn_req_header(r, "x-empty"), "");
    assert_null(tn_req_header(r, "X-Tw").p);
    assert_null(tn_req_header(r, "").p);
    assert_int_equal(tn_req_header_count(r), 4);
    assert_true(tn_req_header_at(r, 3, &name, &value));
    assert_text(name, "x-two");
    assert_text(value, "second");
    assert_false(tn_req_header_at(r, 4, &name, &value));
    leave("asked");
    return 0;
}

TEST(request, finds_header_fields_in_any_case_the_first_of_a_name)
{
    stage s;
    stage_open_function(&s, ask_headers);
    ask(&s, "GET / HTTP/1.1\r\nHost: x\r\nX-Two: first\r\nX-Empty:\r\nx-two: second\r\n\r\n");
    assert_trail("asked");
    stage_close(&s);
}

static int show_cookies(tn_req *r)
{
    tn_str name, value;
    leave("%zu:", tn_req_cookie_count(r));
    for (size_t i = 0; tn_req_cookie_at(r, i, &name, &value); i++) {
        assert_int_equal(name.p[name.n] | value.p[value.n], 0);
        leave(TN_FMT "=" TN_FMT, TN_ARG(name), TN_ARG(value));
        assert_text(tn_req_cookie_s(r, name), value.p);
    }
    assert_null(tn_req_cookie(r, "absent").p);
    return 0;
}

TEST(request, gives_each_cookie_once_with_its_last_value)
{
    stage s;
    stage_open_function(&s, show_cookies);
    get(&s, "/");
    assert_trail("0:");
    ask(&s, "GET / HTTP/1.1\r\nHost: x\r\nCookie: a=1; b=\"two \\\"2\\\"\"; a=3;; c\r\nX: y\r\nCookie: d=4; b=5\r\n\r\n");
    assert_trail("4: a=3 b=5 =c d=4");
    stage_close(&s);
}

static int show_path_args(tn_req *r)
{
    for (size_t i = 0; i < 3; i++) {
        tn_str arg = tn_path_arg(r, i);
        leave("[%s]", arg.p ? arg.p : "none");
    }
    tn_str named = tn_path_arg_named(r, "name");
    leave("%s", named.p ? named.p : "unnamed");
    return 0;
}

TEST(request, gives_the_groups_of_its_route_decoded)
{
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/a/([^/]*)(?:/(?P<name>.*))?", .function = show_path_args},
                                {.path = "/literal", .function = show_path_args},
                                {0}});
    get(&s, "/a/x%2Fy+z/%C3%A9%00q");
    assert_trail("[x/y+z] [\xc3\xa9] [none] \xc3\xa9");
    get(&s, "/a/");
    assert_trail("[] [none] [none] unnamed");
    get(&s, "/literal");
    assert_trail("[none] [none] [none] unnamed");
    assert_get(&s, "/a/%FF", "400 <73 bytes>");
    assert_trail("");
    stage_close(&s);
}

static int use_memory(tn_req *r)
{
    char *some = tn_req_alloc(r, 1000), *much = tn_req_alloc(r, 1 << 20);
    assert_non_null(some);
    assert_int_equal((uintptr_t)some % 16, 0);
    memset(some, 1, 1000);
    memset(much, 1, 1 << 20);
    if (!tn_req_alloc(r, 1 << 20)) return TN_ENOMEM; /* beyond the body limit and a mebibyte */
    return 0;
}

TEST(request, answers_413_when_its_memory_is_used_up)
{
    stage s;
    stage_open_function(&s, use_memory);
    assert_get(&s, "/", "200");
    stage_close(&s);
    stage_open_app(&s, tn_app_new((tn_route[]){{.path = "/", .function = use_memory}, {0}}),
                   &(tn_http_opts){.body_bytes_max = 1000});
    assert_get(&s, "/", "413 <85 bytes>");
    stage_close(&s);
}

TEST(request, with_many_cookies_takes_time_linear_in_them)
{
    stage s;
    static char text[65536];
    char *at = text + sprintf(text, "GET / HTTP/1.1\r\nHost: x\r\nCookie: ");
    while (at < text + 60000) at += sprintf(at, "a=b; ");
    strcpy(at, "c=d\r\n\r\n");
    stage_open_function(&s, show_cookies);
    ask(&s, text);
    assert_trail("2: a=b c=d");
    stage_close(&s);
}
