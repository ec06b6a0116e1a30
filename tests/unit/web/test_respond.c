/* Responses: status, fields and body as handlers make them, Etags, and that nothing can split a response. */
#include "web/web_test.h"

static tn_method *under_test; /* what the route of each test does */

static int run_it(tn_req *r)
{
    return under_test(r);
}

static void open_with(stage *s, tn_method *function)
{
    under_test = function;
    stage_open_function(s, run_it);
}

static int hello(tn_req *r)
{
    return tn_write(r, "hello");
}

TEST(respond, begins_with_the_default_fields_and_ends_with_length_and_etag)
{
    stage s;
    open_with(&s, hello);
    char *raw = (char *)get_raw(&s, "/"), *date = strstr(raw, "\r\nDate: ");
    assert_non_null(date);
    memmove(date, date + 37, strlen(date + 37) + 1);
    assert_string_equal(raw, "HTTP/1.1 200 OK\r\nServer: TornadoServer/" TN_VERSION "\r\nContent-Type: text/html; charset=UTF-8\r\n"
                             "Etag: \"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\"\r\nContent-Length: 5\r\n\r\nhello");
    stage_close(&s);
}

static int set_status(tn_req *r)
{
    assert_int_equal(tn_get_status(r), 200);
    assert_int_equal(tn_set_status(r, 99, NULL), TN_EINVAL);
    assert_int_equal(tn_set_status(r, 600, NULL), TN_EINVAL);
    assert_int_equal(tn_set_status(r, -1, NULL), TN_EINVAL);
    assert_int_equal(tn_get_status(r), 200);
    assert_int_equal(tn_set_status(r, 599, "Caf\xc3\xa9 Closed"), TN_OK);
    assert_int_equal(tn_get_status(r), 599);
    return 0;
}

TEST(respond, has_the_status_and_reason_that_were_set)
{
    stage s;
    open_with(&s, set_status);
    assert_has(get_raw(&s, "/"), "HTTP/1.1 599 Caf\xc3\xa9 Closed\r\n");
    stage_close(&s);
}

static const char *bad_reason;

static int set_bad_reason(tn_req *r)
{
    return tn_set_status(r, 400, bad_reason);
}

TEST(respond, replaces_a_reason_that_http_does_not_allow)
{
    static const char *const bad[] = {"a\r\nX: y", "a\nb", "a\rb", "\x01", "\x7f", "<script>"};
    stage s;
    open_with(&s, set_bad_reason);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bad_reason = bad[i];
        assert_has(get_raw(&s, "/"), "HTTP/1.1 400 Unknown\r\nServer");
    }
    stage_close(&s);
}

static int set_unknown_status(tn_req *r)
{
    return tn_set_status(r, 299, NULL);
}

TEST(respond, has_a_reason_for_a_status_that_nobody_knows)
{
    stage s;
    open_with(&s, set_unknown_status);
    assert_has(get_raw(&s, "/"), "HTTP/1.1 299 Unknown\r\n");
    stage_close(&s);
}

static int set_fields(tn_req *r)
{
    TN_TRY(tn_set_header(r, "X-One", "1"));
    TN_TRY(tn_add_header(r, "x-one", "2"));
    TN_TRY(tn_set_header(r, "X-Two", "1"));
    TN_TRY(tn_set_header(r, "x-two", "2"));
    TN_TRY(tn_set_header(r, "X-Gone", "1"));
    TN_TRY(tn_clear_header(r, "x-gone"));
    TN_TRY(tn_clear_header(r, "never-was"));
    TN_TRY(tn_set_header(r, "content-type", "text/plain"));
    TN_TRY(tn_set_header(r, "X-Empty", ""));
    return 0;
}

TEST(respond, has_the_fields_that_were_set_added_and_not_cleared)
{
    stage s;
    open_with(&s, set_fields);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nX-One: 1\r\nx-one: 2\r\n");
    assert_has(raw, "\r\nx-two: 2\r\n");
    assert_has(raw, "\r\nX-Empty: \r\n");
    assert_has_not(raw, "X-Two");
    assert_has_not(raw, "X-Gone");
    assert_has(raw, "\r\nContent-Type: text/plain\r\n");
    assert_has_not(raw, "text/html");
    stage_close(&s);
}

static int split(tn_req *r)
{
    static const char *const values[] = {"a\r\nEvil: 1", "a\nEvil: 1", "a\rEvil: 1", "a\x01", "\x7f", " a", "a ", "\ta"};
    static const char *const names[] = {"", "Evil:", "Ev il", "Evil\r\n", "Ev\xc3\xa9l", "(evil)"};
    static const char *const places[] = {"X-A", "Content-Type", "Etag", "Server", "Date", "Location"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            assert_int_equal(tn_set_header(r, places[j], values[i]), TN_EINVAL);
            assert_int_equal(tn_add_header(r, places[j], values[i]), TN_EINVAL);
        }
        assert_int_equal(tn_redirect(r, values[i], false), TN_EINVAL);
    }
    assert_int_equal(tn_set_header(r, "X-Nul", TN_S("a\0b")), TN_EINVAL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(tn_set_header(r, names[i], "x"), TN_EINVAL);
        assert_int_equal(tn_add_header(r, names[i], "x"), TN_EINVAL);
    }
    return 0;
}

TEST(respond, cannot_be_split_by_a_field)
{
    stage s;
    open_with(&s, split);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 200 OK\r\n");
    assert_has(raw, "\r\nServer: TornadoServer/");
    assert_has_not(raw, "Evil");
    assert_has_not(raw, "Location");
    stage_close(&s);
}

static int touch_framing(tn_req *r)
{
    static const char *const names[] = {"Content-Length", "transfer-encoding", "CONNECTION"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tn_set_header(r, names[i], "1"), TN_EMISUSE);
        assert_int_equal(tn_add_header(r, names[i], "1"), TN_EMISUSE);
    }
    return tn_write(r, "x");
}

TEST(respond, keeps_the_framing_to_itself)
{
    stage s;
    open_with(&s, touch_framing);
    assert_get(&s, "/", "200 x");
    stage_close(&s);
}

static int other_server(tn_req *r)
{
    TN_TRY(tn_set_header(r, "Server", "mine"));
    TN_TRY(tn_clear_header(r, "date"));
    return 0;
}

static int no_type(tn_req *r)
{
    TN_TRY(tn_clear_header(r, "Content-Type"));
    TN_TRY(tn_set_header(r, "Etag", "\"mine\""));
    return tn_write(r, "x");
}

TEST(respond, lets_the_default_fields_be_replaced_and_cleared)
{
    stage s;
    open_with(&s, other_server);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nServer: mine\r\n");
    assert_has_not(raw, "TornadoServer");
    assert_has_not(raw, "Date:");
    under_test = no_type;
    raw = get_raw(&s, "/");
    assert_has_not(raw, "Content-Type");
    assert_has(raw, "\r\nEtag: \"mine\"\r\n");
    stage_close(&s);
}

static int clear(tn_req *r)
{
    TN_TRY(tn_set_status(r, 500, "Never"));
    TN_TRY(tn_set_header(r, "X-A", "b"));
    TN_TRY(tn_set_header(r, "Server", "mine"));
    TN_TRY(tn_write(r, "never"));
    TN_TRY(tn_clear(r));
    return tn_write(r, "clean");
}

TEST(respond, cleared_is_as_new)
{
    stage s;
    open_with(&s, clear);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 200 OK\r\nServer: TornadoServer");
    assert_has_not(raw, "X-A");
    assert_has(raw, "\r\n\r\nclean");
    stage_close(&s);
}

static int write_pieces(tn_req *r)
{
    TN_TRY(tn_write(r, "a"));
    TN_TRY(tn_printf(r, "%d%s", 7, ""));
    TN_TRY(tn_write(r, TN_S("\0")));
    TN_TRY(tn_write(r, ""));
    return tn_printf(r, "%s", "z");
}

TEST(respond, collects_what_is_written)
{
    stage s;
    open_with(&s, write_pieces);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client_read(&s.c);
    assert_memory_equal(s.c.in + s.c.n - 8, "\r\n\r\na7\0z", 8);
    stage_close(&s);
}

static int write_too_much(tn_req *r)
{
    assert_int_equal(tn_write(r, "0123456789"), TN_OK);
    assert_int_equal(tn_write(r, "x"), TN_ETOOBIG);
    assert_int_equal(tn_printf(r, "%d", 12345), TN_ETOOBIG);
    assert_int_equal(tn_write(r, ""), TN_OK);
    return 0;
}

TEST(respond, is_bounded)
{
    stage s;
    static const tn_route routes[] = {{.path = "/", .function = write_too_much}, {0}};
    stage_open_app(&s, tn_app_new(routes), &(tn_http_opts){.write_bytes_max = 10});
    assert_get(&s, "/", "200 0123456789");
    stage_close(&s);
}

static int after_the_end(tn_req *r)
{
    TN_TRY(tn_write(r, "done"));
    TN_TRY(tn_finish(r));
    assert_int_equal(tn_write(r, "x"), TN_EMISUSE);
    assert_int_equal(tn_printf(r, "x"), TN_EMISUSE);
    assert_int_equal(tn_finish(r), TN_EMISUSE);
    assert_int_equal(tn_set_header(r, "X-A", "b"), TN_EHEADERS);
    assert_int_equal(tn_clear_header(r, "Server"), TN_EHEADERS);
    assert_int_equal(tn_set_status(r, 200, NULL), TN_EHEADERS);
    assert_int_equal(tn_clear(r), TN_EHEADERS);
    assert_int_equal(tn_set_content_length(r, 1), TN_EHEADERS);
    assert_int_equal(tn_redirect(r, "/", false), TN_EHEADERS);
    assert_int_equal(tn_finish_now(r), TN_EFINISH);
    leave("checked");
    return 0;
}

TEST(respond, finished_cannot_be_changed)
{
    stage s;
    open_with(&s, after_the_end);
    assert_get(&s, "/", "200 done");
    assert_trail("checked");
    assert_has_not(logged(&s), "error");
    stage_close(&s);
}

/* -- Etags -- */

static const char *get_with(stage *s, const char *method, const char *field)
{
    char text[1024];
    snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", method, field);
    s->c.head = strcmp(method, "HEAD") == 0;
    return ask(s, text);
}

#define HELLO_TAG "\"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d\""

TEST(respond, is_304_when_the_client_has_it)
{
    stage s;
    open_with(&s, hello);
    assert_string_equal(get_with(&s, "GET", "If-None-Match: " HELLO_TAG), "304");
    assert_string_equal(get_with(&s, "HEAD", "If-None-Match: " HELLO_TAG), "304");
    assert_string_equal(get_with(&s, "GET", "If-None-Match: W/" HELLO_TAG), "304");
    assert_string_equal(get_with(&s, "GET", "If-None-Match: \"other\", " HELLO_TAG), "304");
    assert_string_equal(get_with(&s, "GET", "If-None-Match: *"), "304");
    assert_string_equal(get_with(&s, "GET", "If-None-Match: \"other\""), "200 hello");
    assert_string_equal(get_with(&s, "POST", "If-None-Match: " HELLO_TAG), "200 hello");
    stage_close(&s);
}

TEST(respond, of_304_has_its_etag_and_nothing_about_a_body)
{
    stage s;
    open_with(&s, hello);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n");
    const char *raw = client_raw(&s.c);
    assert_has(raw, "HTTP/1.1 304 Not Modified\r\n");
    assert_has(raw, "\r\nEtag: " HELLO_TAG "\r\n");
    assert_has_not(raw, "Content-");
    assert_has_not(logged(&s), "left out");
    stage_close(&s);
}

static int fine_reason(tn_req *r)
{
    TN_TRY(tn_set_status(r, 200, "Fine"));
    return tn_write(r, "hello");
}

TEST(respond, of_304_does_not_keep_the_reason_of_the_200_it_replaces)
{
    stage s;
    open_with(&s, fine_reason);
    client_say(&s.c, "GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n");
    assert_has(client_raw(&s.c), "HTTP/1.1 304 Not Modified\r\n");
    stage_close(&s);
}

static int own_tag(tn_req *r)
{
    TN_TRY(tn_set_header(r, "ETag", "\"v1\""));
    return tn_write(r, "hello");
}

static int created(tn_req *r)
{
    TN_TRY(tn_set_status(r, 201, NULL));
    return tn_write(r, "hello");
}

TEST(respond, compares_the_etag_of_the_handler_where_it_has_set_one)
{
    stage s;
    open_with(&s, own_tag);
    assert_string_equal(get_with(&s, "GET", "If-None-Match: \"v1\""), "304");
    assert_string_equal(get_with(&s, "GET", "If-None-Match: " HELLO_TAG), "200 hello");
    stage_close(&s);
}

TEST(respond, has_an_etag_only_for_200_to_get_and_head)
{
    stage s;
    open_with(&s, created);
    assert_has_not(get_raw(&s, "/"), "Etag");
    under_test = hello;
    client_say(&s.c, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has_not(client_raw(&s.c), "Etag");
    stage_close(&s);
}

/* -- No body -- */

TEST(respond, to_head_is_that_to_get_without_its_body)
{
    stage s;
    open_with(&s, hello);
    client_say(&s.c, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *raw = client_raw(&s.c);
    assert_has(raw, "\r\nEtag: " HELLO_TAG "\r\nContent-Length: 5\r\n\r\n");
    assert_has_not(raw, "hello");
    stage_close(&s);
}

static int head_with_length(tn_req *r)
{
    return tn_set_content_length(r, 1000000);
}

TEST(respond, to_head_may_tell_the_length_of_a_body_that_was_not_made)
{
    static const tn_handler Heads = {.head = head_with_length};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Heads}, {0}});
    client_say(&s.c, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(client_raw(&s.c), "\r\nContent-Length: 1000000\r\n\r\n");
    assert_int_equal(s.c.n, 0);
    stage_close(&s);
}

static int no_content(tn_req *r)
{
    TN_TRY(tn_set_status(r, 204, NULL));
    TN_TRY(tn_set_header(r, "X-Kept", "1"));
    return tn_write(r, "not allowed");
}

TEST(respond, of_204_leaves_a_body_out_and_says_so_in_the_log)
{
    stage s;
    open_with(&s, no_content);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 204 No Content\r\n");
    assert_has(raw, "\r\nX-Kept: 1\r\n\r\n");
    assert_has_not(raw, "Content-");
    assert_has_not(raw, "not allowed");
    assert_has(logged(&s), "W application: Body of a 204 response left out\n");
    assert_get(&s, "/", "204");
    stage_close(&s);
}

static int redirect(tn_req *r)
{
    return tn_redirect(r, "/else?a=b", tn_req_query(r).n > 0);
}

TEST(respond, redirects)
{
    stage s;
    open_with(&s, redirect);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "HTTP/1.1 302 Found\r\n");
    assert_has(raw, "\r\nLocation: /else?a=b\r\n");
    assert_has(raw, "\r\nContent-Length: 0\r\n\r\n");
    assert_has(get_raw(&s, "/?p"), "HTTP/1.1 301 Moved Permanently\r\n");
    stage_close(&s);
}

static int huge_length(tn_req *r)
{
    assert_int_equal(tn_set_content_length(r, (uint64_t)INT64_MAX + 1), TN_EINVAL);
    return tn_set_content_length(r, INT64_MAX);
}

TEST(respond, measures_a_body_made_in_one_piece_whatever_length_was_told)
{
    stage s;
    open_with(&s, huge_length);
    assert_get(&s, "/", "200");
    stage_close(&s);
}

static int many_fields(tn_req *r)
{
    char name[32], value[2000];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < 100; i++) {
        sprintf(name, "X-%d", i);
        TN_TRY(tn_set_header(r, name, tn_str_of(value, sizeof value)));
    }
    return tn_write(r, "x");
}

TEST(respond, has_room_for_fields_beyond_any_buffer)
{
    stage s;
    open_with(&s, many_fields);
    const char *raw = get_raw(&s, "/");
    assert_has(raw, "\r\nX-99: vvv");
    assert_true(strlen(raw) > 200000);
    stage_close(&s);
}
