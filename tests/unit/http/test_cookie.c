#include "linear.h"

#include "base/alloc.h"
#include "http/cookie.h"
#include "tornado/error.h"

/* "name=value|" of all cookies, unquoted. */
static void check_cookies(const char *field, const char *expected)
{
    tn_buf out = {0};
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn_str rest = tn_z(field);
    tn__cookie cookie;
    while (tn__cookie_next(&rest, &cookie)) {
        tn_str value = tn__cookie_unquote(&arena, cookie.value);
        tn__buf_printf(&out, TN_FMT "=" TN_FMT "|", TN_ARG(cookie.name), TN_ARG(value));
    }
    assert_str(tn__buf_str(&out), expected);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

TEST(cookie, fields_are_split_at_semicolons)
{
    check_cookies("a=b; c=d;e=f", "a=b|c=d|e=f|");
    check_cookies(" a = b ;\tc=d ", "a=b|c=d|");
    check_cookies("a=b=c; d==", "a=b=c|d==|");
    check_cookies("a=b; a=c", "a=b|a=c|");
}

TEST(cookie, without_a_name_or_a_value_is_kept_and_without_both_is_not)
{
    check_cookies("a; b=; =c", "=a|b=|=c|");
    check_cookies("", "");
    check_cookies(";; ; = ;", "");
}

TEST(cookie, is_split_even_inside_quotes_as_browsers_do)
{
    check_cookies("a=\"b;c\"; d=e", "a=\"b|=c\"|d=e|");
}

TEST(cookie, values_are_unquoted_as_python_does)
{
    check_cookies("a=\"b c\"", "a=b c|");
    check_cookies("a=\"b\\073c\\\"d\\\\e\"", "a=b;c\"d\\e|");
    check_cookies("a=\"\\351\\377\"", "a=\xe9\xff|");
    check_cookies("a=\"\\x\\08\\400\\7\"", "a=x08400"
                                           "7|"); /* no octal escapes: the next byte as it is */
    check_cookies("a=\"b\\\"", "a=b\\|");         /* a backslash at the end */
    check_cookies("a=\"; b=\"c; d=e\"; f=\"\"", "a=\"|b=\"c|d=e\"|f=|");
}

TEST(cookie, find_gives_the_last_of_a_name)
{
    tn_str field = TN_S("a=1; b=2; a=3; A=4; c");
    assert_str(tn__cookie_find(field, TN_S("a")), "3");
    assert_str(tn__cookie_find(field, TN_S("b")), "2");
    assert_str(tn__cookie_find(field, TN_S("")), "c");
    assert_null(tn__cookie_find(field, TN_S("d")).p);
    assert_null(tn__cookie_find(tn_str_of(NULL, 0), TN_S("d")).p);
}

TEST(cookie, unquoting_without_memory_says_so)
{
    tn__arena arena;
    tn__arena_init(&arena, 0);
    tn__alloc_fail_after(0, true);
    tn_str none = tn__cookie_unquote(&arena, TN_S("\"\\\"\"")), plain = tn__cookie_unquote(&arena, TN_S("\"a\""));
    tn__alloc_fail_after(-1, true);
    assert_null(none.p);
    assert_str(plain, "a");
    assert_non_null(tn__cookie_unquote(&arena, tn_str_of(NULL, 0)).p);
    tn__arena_done(&arena);
}

static void check_set(tn__set_cookie cookie, const char *expected)
{
    tn_buf out = {0};
    const char *reason = NULL;
    assert_int_equal(tn__set_cookie_write(&out, &cookie, &reason), 0);
    assert_str(tn__buf_str(&out), expected);
    tn__buf_done(&out);
}

#define COOKIE(...) ((tn__set_cookie){.name = TN_S("name"), .value = TN_S("value"), __VA_ARGS__})

TEST(set_cookie, is_written_with_its_attributes_in_the_order_of_python)
{
    check_set(COOKIE(.path = TN_S("/")), "name=value; Path=/");
    check_set(COOKIE(.domain = TN_S("example.com"), .path = TN_S("/a"), .samesite = TN_S("Lax"), .expires = 784111777,
                     .has_expires = true, .max_age = -1, .has_max_age = true, .httponly = true, .secure = true,
                     .partitioned = true),
              "name=value; Domain=example.com; expires=Sun, 06 Nov 1994 08:49:37 GMT; HttpOnly; Max-Age=-1; Partitioned; Path=/a; "
              "SameSite=Lax; Secure");
    check_set((tn__set_cookie){.name = TN_S("name")}, "name=");
}

TEST(set_cookie, values_are_quoted_as_python_does)
{
    check_set((tn__set_cookie){.name = TN_S("n"), .value = TN_S("a=b")}, "n=\"a=b\"");
    check_set((tn__set_cookie){.name = TN_S("n"), .value = TN_S("a\"b\\c")}, "n=\"a\\\"b\\\\c\"");
    check_set((tn__set_cookie){.name = TN_S("n"), .value = TN_S("a;b,c")}, "n=\"a\\073b\\054c\"");
    check_set((tn__set_cookie){.name = TN_S("n"), .value = TN_S("\xc3\xa9\x7f")}, "n=\"\\303\\251\\177\"");
    check_set((tn__set_cookie){.name = TN_S("a:b"), .value = TN_S("2|1:0|!#$%&'*+-.^_`~")}, "a:b=2|1:0|!#$%&'*+-.^_`~");
}

TEST(set_cookie, values_come_back_as_they_were)
{
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    char value[256];
    int n = 0;
    for (int c = 0x21; c < 256; c++) value[n++] = (char)c;
    tn__set_cookie cookie = {.name = TN_S("n"), .value = tn_str_of(value, (size_t)n)};
    tn_buf out = {0};
    const char *reason;
    assert_int_equal(tn__set_cookie_write(&out, &cookie, &reason), 0);
    tn_str raw = tn__cookie_find(tn__buf_str(&out), TN_S("n")), back = tn__cookie_unquote(&arena, raw);
    assert_int_equal(back.n, n);
    assert_memory_equal(back.p, value, back.n);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

static void check_refused(tn__set_cookie cookie)
{
    tn_buf out = {0};
    tn__buf_add_str(&out, TN_S("before"));
    const char *reason = NULL;
    assert_int_equal(tn__set_cookie_write(&out, &cookie, &reason), TN_EINVAL);
    assert_non_null(reason);
    assert_str(tn__buf_str(&out), "before");
    tn__buf_done(&out);
}

/* A good cookie but for one member. */
#define CHECK_REFUSED(member, text)                                                                                                \
    do {                                                                                                                           \
        tn__set_cookie cookie_ = COOKIE(.path = TN_S("/"));                                                                        \
        cookie_.member = (text);                                                                                                   \
        check_refused(cookie_);                                                                                                    \
    } while (0)

TEST(set_cookie, refuses_every_way_to_inject_an_attribute_or_a_field)
{
    static const tn_str bad[] = {{"a;b", 3}, {"a\rb", 3}, {"a\nb", 3},  {"a\0b", 3},
                                 {"a b", 3}, {"a\tb", 3}, {"a\x7f", 2}, {"a\x01", 2}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_REFUSED(name, bad[i]);
        CHECK_REFUSED(domain, bad[i]);
        CHECK_REFUSED(path, bad[i]);
        CHECK_REFUSED(samesite, bad[i]);
        if ((unsigned char)bad[i].p[1] <= ' ') CHECK_REFUSED(value, bad[i]);
    }
}

TEST(set_cookie, refuses_names_that_are_no_tokens)
{
    CHECK_REFUSED(name, TN_S(""));
    CHECK_REFUSED(name, TN_S("a=b"));
    CHECK_REFUSED(name, TN_S("\"a\""));
    CHECK_REFUSED(name, TN_S("a,b"));
    CHECK_REFUSED(name, TN_S("\xc3\xa9"));
}

TEST(set_cookie, without_memory_leaves_the_buffer_as_it_was)
{
    tn__set_cookie cookie =
        COOKIE(.path = TN_S("/a/rather/long/path/that/needs/more/than/64/bytes/in/the/buffer"), .max_age = 5, .has_max_age = true);
    cookie.value = TN_S("a=b");
    for (int i = 0;; i++) {
        tn_buf out = {0};
        const char *reason;
        tn__alloc_fail_after(i, true);
        int rc = tn__set_cookie_write(&out, &cookie, &reason);
        tn__alloc_fail_after(-1, true);
        size_t n = out.n;
        tn__buf_done(&out);
        if (rc == 0) break;
        assert_int_equal(rc, TN_ENOMEM);
        assert_int_equal(n, 0);
    }
}

static void walk(const char *pattern, size_t n)
{
    char *text = repeated(pattern, n);
    text[0] = text[n - 1] = '"';
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn__cookie_find(tn_str_of(text, n), TN_S("x"));
    tn__cookie_unquote(&arena, tn_str_of(text, n));
    tn__arena_done(&arena);
    free(text);
}

static void walk_backslashes(size_t n)
{
    walk("\\", n);
}

static void walk_octal(size_t n)
{
    walk("\\073", n);
}

static void walk_empty(size_t n)
{
    walk("; ", n);
}

static void walk_blanks(size_t n)
{
    walk(" ", n);
}

TEST(cookie, reading_takes_linear_time)
{
    assert_linear(walk_backslashes, 200000);
    assert_linear(walk_octal, 200000);
    assert_linear(walk_empty, 200000);
    assert_linear(walk_blanks, 200000);
}
