#include "linear.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "http/multipart.h"
#include "tornado/error.h"

#define TYPE "multipart/form-data; boundary=1234"
#define NAMED "Content-Disposition: form-data; name=\"a\"\r\n"

static tn__arena arena;
static const char *reason;

/* The parts as "name/filename/type/body|"; for a failure, "!" and the clause. */
static void describe(tn_buf *out, tn_str type, tn_str body, const tn__multipart_limits *limits)
{
    tn__multipart m;
    tn__part part;
    int rc = tn__multipart_begin(&m, &arena, type, body, limits, &reason);
    while (rc >= 0 && (rc = tn__multipart_next(&m, &arena, &part, &reason)) > 0) {
        tn__buf_printf(out, TN_FMT "/", TN_ARG(part.name));
        if (part.filename.p) tn__buf_printf(out, TN_FMT, TN_ARG(part.filename));
        tn__buf_printf(out, "/" TN_FMT "/" TN_FMT "|", TN_ARG(part.content_type), TN_ARG(part.body));
    }
    if (rc < 0) tn__buf_printf(out, "!%s", reason);
}

static void check(const char *body, const char *expected)
{
    tn_buf out = {0};
    tn__arena_init(&arena, SIZE_MAX);
    describe(&out, TN_S(TYPE), tn_z(body), NULL);
    assert_str(tn__buf_str(&out), expected);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

/* One part with this head (without its last CRLF) and the body "x". */
static void check_head(const char *head, const char *expected)
{
    char body[2048];
    snprintf(body, sizeof body, "--1234\r\n%s\r\n\r\nx\r\n--1234--\r\n", head);
    check(body, expected);
}

TEST(multipart, is_walked_part_by_part)
{
    check("--1234\r\n" NAMED "\r\none\r\n--1234\r\n"
          "content-type: text/plain; charset=utf-8\r\nCONTENT-DISPOSITION:form-data;name=f;filename=\"b.txt\"\r\nX-Other: y\r\n\r\n"
          "two\r\nlines\r\n--1234--\r\n",
          "a//application/unknown/one|f/b.txt/text/plain; charset=utf-8/two\r\nlines|");
}

TEST(multipart, parts_may_be_empty_and_there_may_be_none)
{
    check("--1234\r\n" NAMED "\r\n\r\n--1234--", "a//application/unknown/|");
    check("--1234\r\n" NAMED "\r\n--1234--", "a//application/unknown/|"); /* the blank line is the delimiter's */
    check("--1234--", "");
    check("--1234--\r\n", "");
}

TEST(multipart, says_at_its_end_that_there_is_no_more)
{
    tn__arena_init(&arena, SIZE_MAX);
    tn__multipart m;
    tn__part part;
    tn_str body = TN_S("--1234\r\n" NAMED "\r\nx\r\n--1234--");
    assert_int_equal(tn__multipart_begin(&m, &arena, TN_S(TYPE), body, NULL, &reason), 0);
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 1);
    assert_ptr_equal(part.body.p, body.p + body.n - 11); /* a slice */
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 0);
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 0);
    tn__arena_done(&arena);
}

TEST(multipart, bodies_may_hold_any_bytes_and_lines_that_look_alike)
{
    check("--1234\r\n" NAMED "\r\n\r\r\n-\r\n--\r\n--123\r\n --1234\r\n\n--1234--\r\r\n--1234--",
          "a//application/unknown/\r\r\n-\r\n--\r\n--123\r\n --1234\r\n\n--1234--\r|");
    tn__arena_init(&arena, SIZE_MAX);
    tn__multipart m;
    tn__part part;
    tn_str body = TN_S("--1234\r\n" NAMED "\r\n\0\xff\0\r\n--1234--");
    assert_int_equal(tn__multipart_begin(&m, &arena, TN_S(TYPE), body, NULL, &reason), 0);
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 1);
    assert_int_equal(part.body.n, 3);
    assert_memory_equal(part.body.p, "\0\xff\0", 3);
    tn__arena_done(&arena);
}

TEST(multipart, ignores_what_follows_the_final_boundary)
{
    check("--1234\r\n" NAMED "\r\nx\r\n--1234--\r\nepilogue\r\n--1234\r\n" NAMED "\r\ny\r\n--1234--", "a//application/unknown/x|");
}

TEST(multipart, knows_its_media_type)
{
    assert_true(tn__is_multipart(TN_S(TYPE)));
    assert_true(tn__is_multipart(TN_S("Multipart/Form-Data ; x=y")));
    assert_true(tn__is_multipart(TN_S("multipart/form-data")));
    assert_false(tn__is_multipart(TN_S("multipart/form-data-x; boundary=1")));
    assert_false(tn__is_multipart(TN_S("multipart/mixed; boundary=1")));
    assert_false(tn__is_multipart(TN_S("")));
}

TEST(multipart, takes_a_boundary_of_its_own_of_any_length_and_bytes)
{
    tn__arena_init(&arena, SIZE_MAX);
    tn__multipart m;
    tn__part part;
    tn_str body = TN_S("--\xff*\r\n" NAMED "\r\nx\r\n--\xff*--");
    assert_int_equal(tn__multipart_begin_at(&m, &arena, TN_S("\xff*"), body, NULL, &reason), 0);
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 1);
    assert_str(part.body, "x");
    assert_int_equal(tn__multipart_next(&m, &arena, &part, &reason), 0);
    assert_int_equal(tn__multipart_begin_at(&m, &arena, TN_S(""), TN_S("----"), NULL, &reason), TN_ESYNTAX);
    assert_int_equal(tn__multipart_begin_at(&m, &arena, TN_S("a\rb"), TN_S("--a\rb--"), NULL, &reason), TN_ESYNTAX);
    tn__arena_done(&arena);
}

static int begin(const char *type, const char *boundary)
{
    char body[300];
    snprintf(body, sizeof body, "--%s--", boundary);
    tn__multipart m;
    tn__arena_init(&arena, SIZE_MAX);
    int rc = tn__multipart_begin(&m, &arena, tn_z(type), tn_z(body), NULL, &reason);
    tn__arena_done(&arena);
    return rc;
}

TEST(multipart, takes_boundaries_quoted_or_not)
{
    assert_int_equal(begin("multipart/form-data; boundary=\"1234\"", "1234"), 0);
    assert_int_equal(begin("multipart/form-data; charset=utf-8; Boundary=\"a b'()+_,-./:=?\"; x=y", "a b'()+_,-./:=?"), 0);
    assert_int_equal(begin("multipart/form-data; boundary=----=_Part_1", "----=_Part_1"), 0);
    char longest[71], type[200];
    memset(longest, 'x', 70);
    longest[70] = 0;
    snprintf(type, sizeof type, "multipart/form-data; boundary=%s", longest);
    assert_int_equal(begin(type, longest), 0);
    snprintf(type, sizeof type, "multipart/form-data; boundary=%sx", longest);
    assert_int_equal(begin(type, "x"), TN_ESYNTAX);
}

TEST(multipart, refuses_boundaries_that_are_missing_repeated_or_malformed)
{
    static const char *bad[] = {
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=\"1234 \"",
        "multipart/form-data; boundary=\"12\xc3\xa9\"",
        "multipart/form-data; boundary=1234; boundary=1234",
        "multipart/form-data; boundary=\"1234",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=\"12\r34\"",
        "multipart/form-data; boundary=12*34",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (begin(bad[i], "1234") != TN_ESYNTAX) fail_msg("accepted: %s", bad[i]);
    assert_int_equal(begin("multipart/form-data; boundary=1234", "5678"), TN_ESYNTAX);
}

TEST(multipart, refuses_a_body_without_its_delimiters)
{
    check("", "!multipart body does not begin with its boundary");
    check("--123", "!multipart body does not begin with its boundary");
    check("\r\n--1234--", "!multipart body does not begin with its boundary");
    check("preamble\r\n--1234--", "!multipart body does not begin with its boundary");
    check("--1234", "!multipart body without its final boundary");
    check("--1234-", "!multipart body without its final boundary");
    check("--1234\r\n" NAMED "\r\nx", "!multipart body without its final boundary");
    check("--1234\r\n" NAMED "\r\nx--1234--", "!multipart body without its final boundary");
    check("--1234\r\n" NAMED "\r\nx\n--1234--", "!multipart body without its final boundary");
    check("--1234\r\n" NAMED "\r\nx\r\n--1234\r\n", "a//application/unknown/x|!multipart body without its final boundary");
    check("--12345\r\n" NAMED "\r\nx\r\n--1234--", "!text behind a multipart boundary");
    check("--1234 \r\n" NAMED "\r\nx\r\n--1234--", "!text behind a multipart boundary");
    check("--1234\n" NAMED "\r\nx\r\n--1234--", "!text behind a multipart boundary");
    check("--1234\r\n" NAMED "\r\nx\r\n--1234x\r\n--1234--", "a//application/unknown/x|!text behind a multipart boundary");
}

TEST(multipart, may_be_let_begin_without_a_boundary)
{
    static const struct {
        const char *body, *expected;
    } cases[] = {
        {NAMED "\r\nx\r\n--1234\r\n" NAMED "\r\ny\r\n--1234--", "a//application/unknown/x|a//application/unknown/y|"},
        {"--1234\r\n" NAMED "\r\nx\r\n--1234--", "a//application/unknown/x|"},
        {"--1234--", ""},
        {"", "!multipart body without its final boundary"},
        {"--12", "!multipart body without its final boundary"},
        {"\r\n--1234--", "!multipart part without a blank line behind its headers"},
        {"preamble\r\n--1234--", "!multipart part without a blank line behind its headers"},
        {"--\r\n\r\n\r\n--1234--", "!malformed header line in a multipart part"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tn_buf out = {0};
        tn__arena_init(&arena, SIZE_MAX);
        describe(&out, TN_S(TYPE), tn_z(cases[i].body), &(tn__multipart_limits){.open_start = true});
        assert_str(tn__buf_str(&out), cases[i].expected);
        tn__buf_done(&out);
        tn__arena_done(&arena);
    }
}

TEST(multipart, refuses_parts_without_a_blank_line_a_disposition_or_a_name)
{
    check("--1234\r\n" NAMED "x\r\n--1234--", "!multipart part without a blank line behind its headers");
    check("--1234\r\n\r\nx\r\n--1234--", "!multipart part without a blank line behind its headers");
    check("--1234\r\n\r\n\r\nx\r\n--1234--", "!malformed header line in a multipart part");
    check_head("Content-Type: text/plain", "!multipart part without a disposition");
    check_head("Content-Disposition: attachment; name=\"a\"", "!disposition of a multipart part is not form-data");
    check_head("Content-Disposition: form-data", "!multipart part without a name");
    check_head("Content-Disposition: form-data; name=\"\"", "!multipart part without a name");
    check_head("Content-Disposition: form-data; filename=\"a\"", "!multipart part without a name");
    check_head("Content-Disposition: form-data; name=\"a", "!malformed disposition of a multipart part");
    check_head("Content-Disposition: form-data; name=\"a\" x", "!malformed disposition of a multipart part");
}

TEST(multipart, refuses_what_could_be_read_in_two_ways)
{
    check_head(NAMED "Content-Disposition: form-data; name=\"b\"", "!repeated header in a multipart part");
    check_head(NAMED "Content-Type: a/b\r\nContent-type: c/d", "!repeated header in a multipart part");
    check_head("Content-Disposition: form-data; name=\"a\"; name=\"b\"", "!repeated parameter in a multipart part");
    check_head("Content-Disposition: form-data; name=\"a\"; filename=b; FileName=c", "!repeated parameter in a multipart part");
    check_head("Content-Disposition: form-data;\r\n name=\"a\"", "!malformed header line in a multipart part");
    check_head(NAMED "no colon", "!malformed header line in a multipart part");
    check_head(NAMED "Name : x", "!malformed header line in a multipart part");
    check_head(NAMED ": x", "!malformed header line in a multipart part");
}

TEST(multipart, refuses_controls_in_the_headers_of_a_part)
{
    static const char *clause = "!Invalid header value in a multipart part";
    check_head("Content-Disposition: form-data; name=\"a\rb\"", clause);
    check_head("Content-Disposition: form-data; name=\"a\nb\"", clause);
    check_head("Content-Disposition: form-data; name=\"a\x01\"", clause);
    check_head("Content-Disposition: form-data; name=\"a\x7f\"", clause);
    check_head(NAMED "X: \x1b[0m", clause);
    tn_buf out = {0};
    tn__arena_init(&arena, SIZE_MAX);
    describe(&out, TN_S(TYPE), TN_S("--1234\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\nx\r\n--1234--"), NULL);
    assert_str(tn__buf_str(&out), clause);
    tn__buf_done(&out);
    tn__arena_done(&arena);
}

TEST(multipart, reads_file_names_as_browsers_write_them)
{
    check_head("Content-Disposition: form-data; name=a; filename=\"\xc3\xa9.txt\"", "a/\xc3\xa9.txt/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename=\"b;c\\\"d\\\\e.txt\"", "a/b;c\"d\\e.txt/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename=\"C:\\dir\\b.txt\"", "a/C:\\dir\\b.txt/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename=\"\"", "a//application/unknown/x|");
    check_head("Content-Disposition: form-data; name=\"\\\"a\\\"\"", "\"a\"//application/unknown/x|");
    check_head("Content-Disposition: form-data; name=\"\xc3\x28\"", "!headers of a multipart part are not UTF-8");
}

TEST(multipart, reads_extended_file_names_and_prefers_them)
{
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-8''%c3%a9%20b.txt",
               "a/\xc3\xa9 b.txt/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename*=utf-8'en'b+c", "a/b+c/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename*=\"iso-8859-1'de'%e9\"", "a/\xc3\xa9/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-8''b; filename=c", "a/b/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename=c; filename*=UTF-8''b", "a/b/application/unknown/x|");
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-8''%ff", "!invalid file name in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-8''b%00c", "!invalid file name in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-8''b%0d%0ac", "!invalid file name in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*=UTF-7''b", "!unknown character set in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*=b", "!malformed filename* in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*=utf-8'b", "!malformed filename* in a multipart part");
    check_head("Content-Disposition: form-data; name=a; filename*0=b; filename*1=c", "!file name in pieces in a multipart part");
}

static int walk_all(tn_str body, const tn__multipart_limits *limits)
{
    tn__multipart m;
    tn__part part;
    tn__arena_init(&arena, SIZE_MAX);
    int rc = tn__multipart_begin(&m, &arena, TN_S(TYPE), body, limits, &reason);
    if (rc == 0)
        while ((rc = tn__multipart_next(&m, &arena, &part, &reason)) > 0) {
        }
    tn__arena_done(&arena);
    return rc;
}

static int walk_parts(int parts, const tn__multipart_limits *limits)
{
    tn_buf body = {0};
    for (int i = 0; i < parts; i++) tn__buf_add_str(&body, TN_S("--1234\r\n" NAMED "\r\nx\r\n"));
    tn__buf_add_str(&body, TN_S("--1234--"));
    int rc = walk_all(tn__buf_str(&body), limits);
    tn__buf_done(&body);
    return rc;
}

TEST(multipart, has_a_limit_to_the_number_of_parts)
{
    assert_int_equal(walk_parts(100, NULL), 0);
    assert_int_equal(walk_parts(101, NULL), TN_ETOOBIG);
    assert_int_equal(walk_parts(3, &(tn__multipart_limits){.parts_max = 3}), 0);
    assert_int_equal(walk_parts(4, &(tn__multipart_limits){.parts_max = 3}), TN_ETOOBIG);
    assert_string_equal(reason, "too many multipart parts");
}

/* A part whose head has `bytes` bytes, the CRLF of its last line not counted. */
static int walk_head(size_t bytes, const tn__multipart_limits *limits)
{
    tn_buf body = {0};
    tn_str named = TN_S(NAMED "X: ");
    tn__buf_printf(&body, "--1234\r\n" TN_FMT "%0*d\r\n\r\nx\r\n--1234--", TN_ARG(named), (int)(bytes - named.n), 0);
    int rc = walk_all(tn__buf_str(&body), limits);
    tn__buf_done(&body);
    return rc;
}

TEST(multipart, has_a_limit_to_the_headers_of_a_part)
{
    assert_int_equal(walk_head(10 * 1024, NULL), 0);
    assert_int_equal(walk_head(10 * 1024 + 1, NULL), TN_ETOOBIG);
    assert_int_equal(walk_head(100, &(tn__multipart_limits){.part_head_bytes_max = 100}), 0);
    assert_int_equal(walk_head(101, &(tn__multipart_limits){.part_head_bytes_max = 100}), TN_ETOOBIG);
    assert_string_equal(reason, "multipart part header too large");
}

TEST(multipart, says_when_there_is_no_memory)
{
    tn_str body = TN_S("--1234\r\nContent-Disposition: form-data; name=\"\\\"\"; filename*=iso-8859-1''%e9\r\n\r\nx\r\n--1234--");
    tn__alloc_fail_after(0, true);
    int rc = walk_all(body, NULL);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(rc, TN_ENOMEM);
    assert_int_equal(walk_all(body, NULL), 0);
}

static void walk_pattern(const char *begin_with, const char *pattern, size_t n)
{
    char *text = repeated(pattern, n);
    tn_buf body = {0};
    tn__buf_add_str(&body, tn_z(begin_with));
    tn__buf_add(&body, text, n);
    walk_all(tn__buf_str(&body), &(tn__multipart_limits){.parts_max = UINT32_MAX, .part_head_bytes_max = UINT32_MAX});
    tn__buf_done(&body);
    free(text);
}

static void walk_near_delimiters(size_t n)
{
    walk_pattern("--1234\r\n" NAMED "\r\n", "\r\n--123", n);
}

static void walk_carriage_returns(size_t n)
{
    walk_pattern("--1234\r\n" NAMED "\r\n", "\r", n);
}

static void walk_many_parts(size_t n)
{
    walk_pattern("", "--1234\r\n" NAMED "\r\n\r\n", n);
}

static void walk_many_header_lines(size_t n)
{
    walk_pattern("--1234\r\n" NAMED, "A:b\r\n", n);
}

static void walk_quotes(size_t n)
{
    walk_pattern("--1234\r\nContent-Disposition: form-data", "; a=\"\\\"", n);
}

TEST(multipart, takes_linear_time)
{
    assert_linear(walk_near_delimiters, 300000);
    assert_linear(walk_carriage_returns, 300000);
    assert_linear(walk_many_parts, 300000);
    assert_linear(walk_many_header_lines, 300000);
    assert_linear(walk_quotes, 300000);
}
