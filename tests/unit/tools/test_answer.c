/* Responses put together from bytes, in any slicing. */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "tools/answer.h"

/* Feed `bytes` in slices of `slice`; the result at their end, with the answer kept for looking at `out`. */
static int feed(tn__answer *a, const char *bytes, size_t slice, bool eof, tn_response *out)
{
    int result = TN_EAGAIN;
    for (size_t n = strlen(bytes), at = 0; at < n && result == TN_EAGAIN; at += slice) {
        assert_int_equal(tn__buf_add(tn__answer_input(a), bytes + at, slice < n - at ? slice : n - at), 0);
        result = tn__answer_look(a, false, out);
    }
    return result == TN_EAGAIN && eof ? tn__answer_look(a, true, out) : result;
}

static const size_t slices[] = {1, 2, 3, 7, 64, 100000};

/* Every slicing gives that status and that body. */
static void gives(const char *bytes, bool head_only, bool eof, int code, const char *body)
{
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        tn__answer *a = tn__answer_new(head_only);
        tn_response res = {0};
        assert_int_equal(feed(a, bytes, slices[i], eof, &res), 0);
        assert_int_equal(res.code, code);
        assert_str(res.body, body);
        assert_int_equal(res.body.p[res.body.n], 0);
        tn__answer_free(a);
    }
}

static void fails(const char *bytes, bool eof, int error)
{
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++) {
        tn__answer *a = tn__answer_new(false);
        tn_response res = {.code = 7};
        assert_int_equal(feed(a, bytes, slices[i], eof, &res), error);
        assert_int_equal(res.code, 7);
        tn__answer_free(a);
    }
}

TEST(answer, ends_where_its_framing_says)
{
    gives("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false, 200, "hello");
    gives("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", false, false, 200, "hello");
    gives("HTTP/1.0 200 OK\r\n\r\nhello", false, true, 200, "hello");
    gives("HTTP/1.1 204 No Content\r\n\r\n", false, false, 204, "");
    gives("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, false, 200, "");
}

TEST(answer, is_the_one_behind_those_that_are_interim)
{
    gives("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: "
          "2\r\n\r\nno",
          false, false, 404, "no");
}

TEST(answer, keeps_its_fields_while_the_body_comes)
{
    tn__answer *a = tn__answer_new(false);
    tn_response res;
    assert_int_equal(feed(a, "HTTP/1.1 200 Fine\r\nA: 1\r\nB: 2\r\na: 3\r\nContent-Length: 6\r\n\r\nbody..", 1, false, &res), 0);
    assert_str(res.reason, "Fine");
    assert_int_equal(res.headers_n, 4);
    assert_str(res.headers[2].name, "a");
    assert_str(tn_response_header(&res, "a"), "1"); /* the first one */
    assert_str(tn_response_header(&res, "CONTENT-length"), "6");
    assert_null(tn_response_header(&res, "c").p);
    tn__answer_free(a);
}

TEST(answer, that_is_cut_short_or_malformed_is_an_error)
{
    fails("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true, TN_EOF);
    fails("HTTP/1.1 200 OK\r\nContent-Le", true, TN_EOF);
    fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", true, TN_EOF);
    fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, TN_ESYNTAX);
    fails("HTTP/1.1 2OO OK\r\n\r\n", false, TN_ESYNTAX);
    fails("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, TN_ESYNTAX);
    tn__answer *a = tn__answer_new(false);
    tn_response res;
    assert_int_equal(tn__answer_look(a, true, &res), TN_EOF); /* nothing at all */
    tn__answer_free(a);
}

TEST(answer, says_when_there_is_no_memory)
{
    static const char bytes[] = "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n\r\nno";
    for (long n = 0;; n++) {
        tn__alloc_fail_after(n, false);
        tn__answer *a = tn__answer_new(false);
        int result = a ? tn__buf_add(tn__answer_input(a), bytes, sizeof bytes - 1) : TN_ENOMEM;
        tn_response res;
        if (result == 0) result = tn__answer_look(a, false, &res);
        long made = tn__alloc_count();
        tn__alloc_fail_after(-1, false);
        tn__answer_free(a);
        assert_int_equal(result, made <= n ? 0 : TN_ENOMEM);
        if (made <= n) break;
    }
}
