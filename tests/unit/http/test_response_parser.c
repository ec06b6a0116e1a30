/* Heads of responses: the status line, where the body ends, limits, and heads that come in pieces. */
#include "http/response_parser.h"
#include "test.h"

enum { FIELDS_MAX = 10, BYTES_MAX = 200 };

typedef struct result {
    int outcome;
    tn__response_head head;
    tn__field fields[FIELDS_MAX];
    char bytes[2 * BYTES_MAX];
} result;

/* Hand over `text` in steps of `step` bytes, each time in an allocation of exactly the size. */
static result parse_in_steps(tn_str text, size_t step, tn__answered answered)
{
    static const tn__head_limits limits = {.head_bytes_max = BYTES_MAX, .fields_max = FIELDS_MAX};
    static const tn__dialect strict;
    result r = {.outcome = TN__HEAD_MORE};
    uint32_t resume = 0;
    assert_true(text.n <= sizeof r.bytes);
    for (size_t n = 0; n < text.n && r.outcome == TN__HEAD_MORE;) {
        n = text.n - n < step ? text.n : n + step;
        char *bytes = malloc(n);
        memcpy(bytes, text.p, n);
        r.head.fields = r.fields;
        r.outcome = tn__parse_response(bytes, n, &resume, &strict, &limits, answered, &r.head);
        memcpy(r.bytes, bytes, n);
        free(bytes);
    }
    return r;
}

static tn_str text_of(const result *r, tn__slice slice)
{
    return tn_str_of(r->bytes + slice.at, slice.n);
}

/* Parse whole and byte by byte: only of a head without its blank line, what is refused whole may still be waited for. */
static result parse(tn_str text, tn__answered answered)
{
    result whole = parse_in_steps(text, text.n, answered), dripped = parse_in_steps(text, 1, answered);
    if (whole.outcome == TN__HEAD_REFUSED && dripped.outcome == TN__HEAD_MORE) return whole;
    assert_int_equal(dripped.outcome, whole.outcome);
    if (whole.outcome == TN__HEAD_REFUSED) assert_string_equal(dripped.head.reason, whole.head.reason);
    if (whole.outcome != TN__HEAD_DONE) return whole;
    assert_int_equal(dripped.head.bytes, whole.head.bytes);
    assert_int_equal(dripped.head.status, whole.head.status);
    assert_int_equal(dripped.head.body, whole.head.body);
    assert_int_equal(dripped.head.n_fields, whole.head.n_fields);
    return whole;
}

static result accept_for(tn__answered answered, tn_str text)
{
    result r = parse(text, answered);
    if (r.outcome != TN__HEAD_DONE) fail_msg("outcome %d (%s) for:\n" TN_FMT, r.outcome, r.head.reason, TN_ARG(text));
    return r;
}

static void refused(tn_str text, const char *reason)
{
    result r = parse(text, TN__ANSWERED_OTHER);
    if (r.outcome != TN__HEAD_REFUSED) fail_msg("outcome %d for:\n" TN_FMT, r.outcome, TN_ARG(text));
    assert_string_equal(r.head.reason, reason);
}

#define accept(text) accept_for(TN__ANSWERED_OTHER, TN_S(text))
#define refuse(text, reason) refused(TN_S(text), reason)
#define OK "HTTP/1.1 200 OK\r\n"

TEST(response, is_taken_apart)
{
    result r = accept("HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    assert_int_equal(r.head.status, 404);
    assert_str(text_of(&r, r.head.phrase), "Not Found");
    assert_int_equal(r.head.minor, 1);
    assert_int_equal(r.head.n_fields, 3);
    assert_str(text_of(&r, r.fields[0].name), "Server");
    assert_str(text_of(&r, r.fields[0].value), "x");
    assert_int_equal(r.head.body, TN__BODY_LENGTH);
    assert_int_equal(r.head.framing.content_length, 5);
    assert_true(r.head.framing.close);
    assert_int_equal(r.head.bytes, 75);
}

TEST(response, may_lack_a_phrase_and_the_space_before_it)
{
    result r = accept("HTTP/1.1 200 \r\n\r\n");
    assert_int_equal(r.head.phrase.n, 0);
    r = accept("HTTP/1.0 200\r\n\r\n");
    assert_int_equal(r.head.phrase.n, 0);
    assert_int_equal(r.head.minor, 0);
    r = accept("HTTP/1.2 999 tr\xe8s\tbien \r\n\r\n");
    assert_int_equal(r.head.status, 999);
    assert_str(text_of(&r, r.head.phrase), "tr\xe8s\tbien ");
    assert_int_equal(r.head.minor, 1);
}

TEST(response, with_another_status_line_is_refused)
{
#define MALFORMED "Malformed HTTP status line"
    refuse("HTTP/1.1 20 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1 2000 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1 099 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1 +20 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1  200 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1\t200 OK\r\n\r\n", MALFORMED);
    refuse("HTTP/1.1 200\tOK\r\n\r\n", MALFORMED);
    refuse("HTTP/11 200 OK\r\n\r\n", MALFORMED);
    refuse("http/1.1 200 OK\r\n\r\n", MALFORMED);
    refuse("HTTPS/1.1 200 OK\r\n\r\n", MALFORMED);
    refuse(" HTTP/1.1 200 OK\r\n\r\n", MALFORMED);
    refuse("200 OK\r\n\r\n", MALFORMED);
    refuse("HTTP\r\n\r\n", MALFORMED);
    refuse("HTTP/2.0 200 OK\r\n\r\n", "unsupported HTTP version");
    refuse("HTTP/1.1 200 OK\n\r\n", "bare LF");
    refuse("HTTP/1.1 200 O\rK\r\n\r\n", "bare CR");
    refuse("HTTP/1.1 200 O\0K\r\n\r\n", "control character in a header line");
}

static void body_is(tn__body body, tn__answered answered, tn_str text)
{
    assert_int_equal(accept_for(answered, text).head.body, body);
}

TEST(response, has_a_body_of_the_kind_that_its_fields_say)
{
    body_is(TN__BODY_UNTIL_CLOSE, TN__ANSWERED_OTHER, TN_S(OK "\r\n"));
    body_is(TN__BODY_LENGTH, TN__ANSWERED_OTHER, TN_S(OK "Content-Length: 0\r\n\r\n"));
    body_is(TN__BODY_CHUNKED, TN__ANSWERED_OTHER, TN_S(OK "Transfer-Encoding: chunked\r\n\r\n"));
}

TEST(response, has_no_body_where_none_can_be)
{
    body_is(TN__BODY_NONE, TN__ANSWERED_HEAD, TN_S(OK "Content-Length: 5\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_HEAD, TN_S(OK "Transfer-Encoding: chunked\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_OTHER, TN_S("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_OTHER, TN_S("HTTP/1.1 204 No Content\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_OTHER, TN_S("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_OTHER, TN_S("HTTP/1.1 100 Continue\r\n\r\n"));
    body_is(TN__BODY_NONE, TN__ANSWERED_CONNECT, TN_S(OK "\r\n"));
    body_is(TN__BODY_UNTIL_CLOSE, TN__ANSWERED_CONNECT, TN_S("HTTP/1.1 400 Bad\r\n\r\n"));
}

TEST(response, that_must_not_have_a_body_but_says_so_is_refused)
{
    refuse("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "Response with code 204 should not have body");
    refuse("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", "Response with code 204 should not have body");
    refuse("HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", "Response with code 1xx should not have body");
    refuse("HTTP/1.1 101 X\r\nTransfer-Encoding: chunked\r\n\r\n", "Response with code 1xx should not have body");
}

TEST(response, is_framed_by_the_same_rules_as_a_request)
{
    refuse(OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "Multiple unequal Content-Lengths");
    refuse(OK "Content-Length: +5\r\n\r\n", "Only integer Content-Length is allowed");
    refuse(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "Message with both Transfer-Encoding and Content-Length");
    refuse(OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "Unsupported Transfer-Encoding");
    refuse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding in an HTTP/1.0 message");
    refuse(OK "A : b\r\n\r\n", "blank in a header name or before its colon");
    refuse(OK "A: b\r\n c\r\n\r\n", "folded header line");
}

TEST(response, does_not_care_about_fields_of_requests)
{
    accept(OK "Host: a b\r\nHost: c d\r\nExpect: x\r\n\r\n");
}

TEST(response, head_has_a_limit_of_bytes_and_of_fields)
{
    char text[BYTES_MAX + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, OK "X: ", sizeof OK + 2);
    memcpy(text + BYTES_MAX - 4, "\r\n\r\n", 4);
    accept_for(TN__ANSWERED_OTHER, tn_str_of(text, BYTES_MAX));
    memcpy(text + BYTES_MAX - 4, "x\r\n\r\n", 5);
    refused(tn_str_of(text, BYTES_MAX + 1), "header lines too long");
    accept(OK "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n10:\r\n\r\n");
    refuse(OK "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n10:\r\n11:\r\n\r\n", "too many header lines");
}

TEST(response, is_waited_for_while_incomplete)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n";
    for (size_t n = 1; n < sizeof text - 1; n++) {
        assert_int_equal(parse(tn_str_of(text, n), TN__ANSWERED_OTHER).outcome, TN__HEAD_MORE);
    }
}
