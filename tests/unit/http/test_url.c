#include "linear.h"

#include "base/alloc.h"
#include "http/url.h"
#include "tornado/error.h"

static tn__arena arena;

static void check_decoded(tn_str in, bool plus, tn_str expected)
{
    tn__arena_init(&arena, SIZE_MAX);
    tn_str out = tn__url_unescape(&arena, in, plus);
    assert_non_null(out.p);
    assert_int_equal(out.n, expected.n);
    assert_memory_equal(out.p, expected.p, expected.n);
    tn__arena_done(&arena);
}

TEST(url, decodes_percent_and_plus)
{
    check_decoded(TN_S("a%20b%2Fc%2fd"), true, TN_S("a b/c/d"));
    check_decoded(TN_S("a+b%2B"), true, TN_S("a b+"));
    check_decoded(TN_S("a+b%2B"), false, TN_S("a+b+"));
    check_decoded(TN_S("%c3%A9%00"), true, TN_S("\xc3\xa9\0"));
    check_decoded(TN_S(""), true, TN_S(""));
    check_decoded(tn_str_of(NULL, 0), true, TN_S(""));
}

TEST(url, leaves_a_percent_without_two_digits_as_it_is)
{
    check_decoded(TN_S("100%"), true, TN_S("100%"));
    check_decoded(TN_S("%2"), true, TN_S("%2"));
    check_decoded(TN_S("%zz%4"), true, TN_S("%zz%4"));
    check_decoded(TN_S("%%41"), true, TN_S("%A"));
    check_decoded(TN_S("%+1%-1% 1%0x"), false, TN_S("%+1%-1% 1%0x"));
    check_decoded(TN_S("%2541"), true, TN_S("%41")); /* decoded once */
}

TEST(url, decodes_in_place)
{
    char text[] = "a%20b+c";
    size_t n = tn__url_decode(text, tn_z(text), true);
    assert_str(tn_str_of(text, n), "a b c");
}

TEST(url, gives_back_what_needs_no_decoding_without_copying)
{
    tn__arena_init(&arena, 0);
    tn_str in = TN_S("/plain/path");
    assert_ptr_equal(tn__url_unescape(&arena, in, true).p, in.p);
    tn_str with_plus = TN_S("a+b");
    assert_ptr_equal(tn__url_unescape(&arena, with_plus, false).p, with_plus.p);
    tn__alloc_fail_after(0, true);
    tn_str none = tn__url_unescape(&arena, with_plus, true);
    tn__alloc_fail_after(-1, true);
    assert_null(none.p);
    tn__arena_done(&arena);
}

static void check_escaped(const char *in, bool plus, const char *expected)
{
    tn_buf out = {0};
    tn__buf_add_str(&out, TN_S("x"));
    assert_int_equal(tn__url_escape(&out, tn_z(in), plus), 0);
    assert_int_equal(out.p[0], 'x');
    assert_str(tn_str_of(out.p + 1, out.n - 1), expected);
    tn__buf_done(&out);
}

TEST(url, escapes_in_the_two_ways_of_tornado)
{
    check_escaped("a b/c?d&e=f+g~_.-", true, "a+b%2Fc%3Fd%26e%3Df%2Bg~_.-");
    check_escaped("a b/c?d&e=f+g~_.-", false, "a%20b/c%3Fd%26e%3Df%2Bg~_.-");
    check_escaped("\xc3\xa9\r\n\"", true, "%C3%A9%0D%0A%22");
    check_escaped("", true, "");
}

TEST(url, unescapes_what_it_escaped_for_every_byte)
{
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    for (int plus = 0; plus < 2; plus++) {
        tn_buf out = {0};
        assert_int_equal(tn__url_escape(&out, tn_str_of(all, 256), plus), 0);
        check_decoded(tn__buf_str(&out), plus, tn_str_of(all, 256));
        tn__buf_done(&out);
    }
}

TEST(url, escaping_without_memory_leaves_the_buffer_as_it_was)
{
    tn_buf out = {0};
    tn__alloc_fail_after(0, true);
    int rc = tn__url_escape(&out, TN_S("abc"), true);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(rc, TN_ENOMEM);
    assert_int_equal(out.n, 0);
    assert_int_equal(tn__url_escape(&out, tn_str_of("", SIZE_MAX / 2), true), TN_ENOMEM);
}

TEST(url, knows_well_formed_utf8)
{
    assert_true(tn__utf8_valid(TN_S("")));
    assert_true(tn__utf8_valid(TN_S("plain ASCII, longer than eight bytes\0\x7f")));
    assert_true(tn__utf8_valid(TN_S("\xc2\x80\xdf\xbf")));
    assert_true(tn__utf8_valid(TN_S("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")));
    assert_true(tn__utf8_valid(TN_S("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}

TEST(url, refuses_utf8_that_is_cut_overlong_surrogate_or_too_high)
{
    static const char *bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xc2\xc2",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xe1\x80",
        "\xe1\x80\x41",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf1\x80\x80",
        "\xfe",
        "\xff",
        "eight by\xffte",
        "12345678\xe2\x82",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tn__utf8_valid(tn_z(bad[i]))) fail_msg("number %zu is valid", i);
}

/* "name=value|name=value|" of all arguments; "!" and the code of a failure. */
static void check_query(const char *text, uint32_t args_max, const char *expected)
{
    tn_buf out = {0};
    tn__arena_init(&arena, SIZE_MAX);
    tn__query q = tn__query_begin(tn_z(text), args_max);
    tn_str name, value;
    int rc;
    while ((rc = tn__query_next(&q, &arena, &name, &value)) > 0)
        tn__buf_printf(&out, TN_FMT "=" TN_FMT "|", TN_ARG(name), TN_ARG(value));
    if (rc < 0) tn__buf_printf(&out, "!%s", tn_errname(rc));
    assert_str(tn__buf_str(&out), expected);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

TEST(query, is_split_and_decoded)
{
    check_query("a=1&b=2", 10, "a=1|b=2|");
    check_query("a=1&a=2&a=1", 10, "a=1|a=2|a=1|");
    check_query("a%20b=c+d%26e", 10, "a b=c d&e|");
    check_query("a=b=c", 10, "a=b=c|");
}

TEST(query, keeps_blank_values_and_skips_empty_pieces)
{
    check_query("", 10, "");
    check_query("&&&", 10, "");
    check_query("a", 10, "a=|");
    check_query("a=&b&=c&=", 10, "a=|b=|=c|=|");
    check_query("&a=1&&b=2&", 10, "a=1|b=2|");
    check_query("a;b=1", 10, "a;b=1|");
}

TEST(query, has_a_limit_to_the_number_of_its_arguments)
{
    check_query("a&b&c", 3, "a=|b=|c=|");
    check_query("a&b&c&", 3, "a=|b=|c=|");
    check_query("a&b&c&d", 3, "a=|b=|c=|!TN_ETOOBIG");
    check_query("", 0, "");
    check_query("a", 0, "!TN_ETOOBIG");
}

TEST(query, says_when_there_is_no_memory)
{
    tn__arena_init(&arena, 0);
    tn__query q = tn__query_begin(TN_S("a=%41"), 10);
    tn_str name = TN_S("untouched"), value;
    tn__alloc_fail_after(0, true);
    int rc = tn__query_next(&q, &arena, &name, &value);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(rc, TN_ENOMEM);
    assert_str(name, "untouched");
    tn__arena_done(&arena);
}

static void walk_query(const char *pattern, size_t n)
{
    char *text = repeated(pattern, n);
    tn__arena_init(&arena, SIZE_MAX);
    tn__query q = tn__query_begin(tn_str_of(text, n), UINT32_MAX);
    tn_str name, value;
    while (tn__query_next(&q, &arena, &name, &value) > 0) {
    }
    tn__arena_done(&arena);
    free(text);
}

static void walk_query_of_small_arguments(size_t n)
{
    walk_query("a=%41&", n);
}

static void walk_query_of_separators(size_t n)
{
    walk_query("&", n);
}

static void walk_query_of_one_argument(size_t n)
{
    walk_query("=%", n);
}

TEST(query, takes_linear_time)
{
    assert_linear(walk_query_of_small_arguments, 100000);
    assert_linear(walk_query_of_separators, 200000);
    assert_linear(walk_query_of_one_argument, 200000);
}

static void check_split(const char *text, const char *host, int port)
{
    tn_str h = {0};
    int p = -2;
    if (tn__split_host_and_port(tn_z(text), &h, &p) != 0) fail_msg("refused: %s", text);
    assert_str(h, host);
    assert_int_equal(p, port);
}

TEST(url, splits_host_and_port)
{
    check_split("www.example.com:8000", "www.example.com", 8000);
    check_split("www.example.com", "www.example.com", -1);
    check_split("[::1]:443", "[::1]", 443);
    check_split("[::1]", "[::1]", -1);
    check_split("::1", "::1", -1);
    check_split("localhost:0", "localhost", 0);
    check_split("localhost:65535", "localhost", 65535);
}

TEST(url, refuses_to_split_what_has_no_host_or_no_real_port)
{
    static const char *bad[] = {"",     ":80",    "a:",     "a:x",    "a:-1", "a:+1", "a: 1", "a:65536", "a:99999999999999999999",
                                "[::1", "[::1]x", "[::1]:", "[::1]80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tn_str host;
        int port;
        if (tn__split_host_and_port(tn_z(bad[i]), &host, &port) != TN_ESYNTAX) fail_msg("accepted: %s", bad[i]);
    }
}

TEST(url, is_parsed_into_its_parts)
{
    tn__url u;
    const char *reason;
    assert_int_equal(tn__url_parse(TN_S("http://user:pw@example.com:8080/a/b?c=d?e#f?g#"), &u, &reason), 0);
    assert_str(u.scheme, "http");
    assert_str(u.userinfo, "user:pw");
    assert_str(u.host, "example.com");
    assert_int_equal(u.port, 8080);
    assert_str(u.path, "/a/b");
    assert_str(u.query, "c=d?e");
    assert_str(u.fragment, "f?g#");
}

TEST(url, tells_absent_parts_from_empty_ones)
{
    tn__url u;
    const char *reason;
    assert_int_equal(tn__url_parse(TN_S("HTTPS://[::1]"), &u, &reason), 0);
    assert_str(u.scheme, "HTTPS");
    assert_str(u.host, "[::1]");
    assert_int_equal(u.port, -1);
    assert_int_equal(u.path.n, 0);
    assert_null(u.userinfo.p);
    assert_null(u.query.p);
    assert_null(u.fragment.p);
    assert_int_equal(tn__url_parse(TN_S("ws://@a:?#"), &u, &reason), 0);
    assert_non_null(u.userinfo.p);
    assert_non_null(u.query.p);
    assert_non_null(u.fragment.p);
    assert_str(u.host, "a");
    assert_int_equal(u.port, -1);
}

TEST(url, refuses_what_could_be_read_in_two_ways)
{
    static const char *bad[] = {
        "",
        "/",
        "example.com",
        "//example.com/",
        "http:/example.com",
        "http:example.com",
        "://a",
        "1http://a",
        "ht tp://a",
        "http://",
        "http:///path",
        "http://:80",
        "http://user@",
        "http://a@b@c",
        "http://a:b",
        "http://a:65536/",
        "http://a b/",
        "http://a/\r\nX: y",
        "http://a/ b",
        "http://a/\t",
        "http://a/\x7f",
        "http://a/\xc3\xa9",
        "http://a\\b/",
        "http://[::1",
        "http://[::1]x",
        "http://[]",
        "http://a%zz/",
        "http://a<b/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tn__url u;
        const char *reason = NULL;
        if (tn__url_parse(tn_z(bad[i]), &u, &reason) != TN_ESYNTAX) fail_msg("accepted: %s", bad[i]);
        assert_non_null(reason);
    }
    tn__url u;
    const char *reason;
    assert_int_equal(tn__url_parse(TN_S("http://a/\0"), &u, &reason), TN_ESYNTAX);
}
