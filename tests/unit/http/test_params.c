#include "linear.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "http/params.h"
#include "tornado/error.h"

/* "first|name=value|"; "!" for a failure. */
static void check(const char *text, const char *expected)
{
    tn_buf out = {0};
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn_str rest = tn_z(text), first = tn__params_first(&rest);
    tn__buf_printf(&out, TN_FMT "|", TN_ARG(first));
    tn__param param;
    int rc;
    while ((rc = tn__params_next(&rest, &param)) > 0) {
        tn_str value = tn__param_value(&arena, &param);
        tn__buf_printf(&out, TN_FMT "=" TN_FMT "|", TN_ARG(param.name), TN_ARG(value));
    }
    if (rc < 0) tn__buf_add_char(&out, '!');
    assert_str(tn__buf_str(&out), expected);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

TEST(params, are_read_behind_the_first_element)
{
    check("form-data; name=\"a\"; filename=b.txt", "form-data|name=a|filename=b.txt|");
    check(" text/html ;charset=utf-8", "text/html|charset=utf-8|");
    check("text/html", "text/html|");
    check("", "|");
    check("; a=b", "|a=b|");
    check("x; a=\"\"", "x|a=|");
}

TEST(params, may_hold_anything_in_quotes)
{
    check("x; a=\"b; c=d\"; e=f", "x|a=b; c=d|e=f|");
    check("x; a=\"say \\\"hi\\\" \\\\ there\"", "x|a=say \"hi\" \\ there|");
    check("x; a=\"C:\\dir\\file.txt\"", "x|a=C:\\dir\\file.txt|");
    check("x; a=\"\xc3\xa9\"", "x|a=\xc3\xa9|");
    check("x; a=\"\\\\\"; b=c", "x|a=\\|b=c|");
}

TEST(params, may_hold_more_than_tokens_without_quotes)
{
    check("x; boundary=a/b:c=d", "x|boundary=a/b:c=d|");
    check("x; a=\xc3\xa9.txt", "x|a=\xc3\xa9.txt|");
}

TEST(params, may_be_empty)
{
    check("x;", "x|");
    check("x; ; ;a=b;;", "x|a=b|");
}

TEST(params, refuse_what_is_malformed)
{
    check("x; a", "x|!");
    check("x; a=", "x|!");
    check("x; =b", "x|!");
    check("x; a =b", "x|!");
    check("x; a= b", "x|!");
    check("x; a=\"b", "x|!");
    check("x; a=\"b\\\"", "x|!");
    check("x; a=\"b\"c", "x|a=b|!");
    check("x; a=\"b\" c=d", "x|a=b|!");
    check("x; a=b c", "x|a=b|!");
    check("x; a=b\"c\"", "x|a=b|!");
    check("x; (a)=b", "x|!");
}

TEST(params, say_when_there_is_no_memory_for_a_value_with_escapes)
{
    tn__arena arena;
    tn__arena_init(&arena, 0);
    tn__param param = {TN_S("a"), TN_S("\\\""), true};
    tn__alloc_fail_after(0, true);
    tn_str value = tn__param_value(&arena, &param);
    tn__alloc_fail_after(-1, true);
    assert_null(value.p);
    tn__arena_done(&arena);
}

static void walk(const char *pattern, size_t n)
{
    char *text = repeated(pattern, n);
    tn_str rest = tn_str_of(text, n);
    tn__param param;
    while (tn__params_next(&rest, &param) > 0) {
    }
    free(text);
}

static void walk_many(size_t n)
{
    walk(";a=\"\"", n);
}

static void walk_escapes(size_t n)
{
    walk(";a=\"\\\"\\", n);
}

static void walk_separators(size_t n)
{
    walk("; ", n);
}

static void walk_quotes(size_t n)
{
    walk("; a=\"; b=", n);
}

TEST(params, take_linear_time)
{
    assert_linear(walk_many, 200000);
    assert_linear(walk_escapes, 200000);
    assert_linear(walk_separators, 200000);
    assert_linear(walk_quotes, 200000);
}
