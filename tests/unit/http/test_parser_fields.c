/* Field lines, and the fields that frame a message. */
#include "heads.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define GET_1_0 "GET / HTTP/1.0\r\n"

static const tn__dialect bare_lf = {.bare_lf = true}, fold = {.fold = true}, equal = {.equal_lengths = true},
                         old_chunks = {.chunked_1_0 = true};

TEST(fields, trim_spaces_and_tabs_around_a_value_and_keep_those_within)
{
    heads_result *r = accept(GET "A:b\r\nB: \t c \t d \t \r\nC:\r\nD: \t\r\n\r\n");
    assert_str(heads_text(r, r->fields[1].value), "b");
    assert_str(heads_text(r, r->fields[2].value), "c \t d");
    assert_int_equal(r->fields[3].value.n, 0);
    assert_int_equal(r->fields[4].value.n, 0);
    heads_done(r);
}

TEST(fields, take_in_a_name_every_tchar_and_nothing_else)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (int i = 0; i < 256; i++) {
        bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || (i >= '0' && i <= '9');
        char text[] = GET "A-Name-That-Is-x-Long: v\r\n\r\n";
        if (i == ':') continue; /* the name just ends earlier */
        text[sizeof GET - 1 + 15] = (char)i;
        heads_result *r = heads_parse(tn_str_of(text, sizeof text - 1), &heads_strict);
        assert_int_equal(r->outcome, letter || (i && strchr(others, i)) ? TN__HEAD_DONE : TN__HEAD_REFUSED);
        heads_done(r);
    }
}

TEST(fields, take_in_a_value_every_byte_but_the_controls)
{
    for (int i = 0; i < 256; i++) {
        bool good = (i >= 0x20 && i != 0x7f) || i == '\t';
        char text[] = GET "A: a value that is quite long, with one byte in it: x, and another one here: x!\r\n\r\n";
        text[sizeof GET - 1 + 51] = (char)i;
        text[sizeof GET - 1 + 77] = (char)i;
        heads_result *r = heads_parse(tn_str_of(text, sizeof text - 1), &heads_strict);
        assert_int_equal(r->outcome, good ? TN__HEAD_DONE : TN__HEAD_REFUSED);
        heads_done(r);
    }
}

TEST(fields, are_refused_with_a_clause_that_says_why)
{
    refuse(GET "A : b\r\n\r\n", 400, "blank in a header name or before its colon");
    refuse(GET "A\t: b\r\n\r\n", 400, "blank in a header name or before its colon");
    refuse(GET "A b: c\r\n\r\n", 400, "blank in a header name or before its colon");
    refuse(GET "A\r\n\r\n", 400, "no colon in header line");
    refuse(GET ": b\r\n\r\n", 400, "empty header name");
    refuse(GET "A(: b\r\n\r\n", 400, "invalid character in a header name");
    refuse(GET "A\xe9: b\r\n\r\n", 400, "invalid character in a header name");
    refuse(GET "A\0: b\r\n\r\n", 400, "invalid character in a header name");
    refuse(GET "A: b\0c\r\n\r\n", 400, "control character in a header line");
    refuse(GET "A: b\x0b\r\n\r\n", 400, "control character in a header line");
    refuse(GET "A: b\x7f\r\n\r\n", 400, "control character in a header line");
}

TEST(fields, may_not_be_folded)
{
    refuse(GET "A: b\r\n c\r\n\r\n", 400, "folded header line");
    refuse(GET "A: b\r\n\tc\r\n\r\n", 400, "folded header line");
    refuse(GET "A: b\r\n \r\n\r\n", 400, "folded header line");
    refuse("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "folded header line");
    heads_refuse_as(&fold, TN_S("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400, "folded header line");
}

TEST(fields, that_are_folded_are_joined_with_one_space_in_the_dialect)
{
    heads_result *r =
        heads_accept_as(&fold, TN_S(GET "A: one \r\n \t two\r\n\tthree \r\nB: c\r\nC:\r\n first\r\nD: x\r\n  \r\n\r\n"));
    assert_str(heads_text(r, r->fields[1].value), "one two three");
    assert_str(heads_text(r, r->fields[2].value), "c");
    assert_str(heads_text(r, r->fields[3].value), "first");
    assert_str(heads_text(r, r->fields[4].value), "x");
    assert_int_equal(r->head.n_fields, 5);
    heads_done(r);
}

TEST(fields, that_are_folded_say_what_they_say_when_joined)
{
    heads_result *r = heads_accept_as(&fold, TN_S(GET "Content-Length:\r\n 12\r\nConnection: upgrade,\r\n\tclose\r\n\r\n"));
    assert_int_equal(r->head.framing.content_length, 12);
    assert_true(r->head.framing.close && r->head.framing.upgrade);
    heads_done(r);
    heads_refuse_as(&fold, TN_S(GET "Content-Length: 1\r\n 2\r\n\r\n"), 400, "Only integer Content-Length is allowed");
    heads_refuse_as(&fold, TN_S(GET "A: b\r\n c\x01\r\n\r\n"), 400, "control character in a header line");
}

TEST(fields, end_in_crlf_and_nothing_else)
{
    refuse("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "bare LF");
    refuse(GET "A: b\n\r\n", 400, "bare LF");
    refuse(GET "\n", 400, "bare LF");
    refuse("GET / HTTP/1.1\nHost: a\n\n", 400, "bare LF");
    refuse(GET "A: b\rC: d\r\n\r\n", 400, "bare CR");
    refuse(GET "A: b\r\r\n\r\n", 400, "bare CR");
    refuse(GET "\r\r\n", 400, "bare CR");
    refuse(GET "A: b\n\rC: d\r\n\r\n", 400, "bare LF");
}

TEST(fields, may_end_in_lf_in_the_dialect_but_not_in_cr)
{
    accepted_as(&bare_lf, "GET / HTTP/1.1\nHost: a\nA: b\n\n");
    accepted_as(&bare_lf, "GET / HTTP/1.1\r\nHost: a\nA: b\n\r\n");
    accepted_as(&bare_lf, "GET / HTTP/1.1\nHost: a\r\n\n");
    heads_refuse_as(&bare_lf, TN_S(GET "A: b\rC: d\r\n\r\n"), 400, "bare CR");
}

TEST(host, is_needed_exactly_once_in_http_1_1)
{
    refuse("GET / HTTP/1.1\r\n\r\n", 400, "Missing Host header");
    refuse("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "several Host headers");
    refuse("GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n", 400, "several Host headers");
    refuse("GET http://a/ HTTP/1.1\r\n\r\n", 400, "Missing Host header");
}

TEST(host, may_be_absent_but_not_doubled_in_http_1_0)
{
    heads_result *r = accept(GET_1_0 "\r\n");
    assert_int_equal(r->head.host.n, 0);
    heads_done(r);
    refuse(GET_1_0 "Host: a\r\nHost: a\r\n\r\n", 400, "several Host headers");
}

TEST(host, must_be_an_authority)
{
    refuse("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "Invalid Host header");
    refuse("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Invalid Host header");
    refuse("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "Invalid Host header");
    refuse("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "Invalid Host header");
    refuse("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400, "Invalid Host header");
    refuse(GET_1_0 "Host: a b\r\n\r\n", 400, "Invalid Host header");
    refuse("GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "Invalid Host header");
}

TEST(host, of_an_absolute_form_target_wins)
{
    heads_result *r = accept("GET http://target/ HTTP/1.1\r\nHost: field\r\n\r\n");
    assert_str(heads_text(r, r->head.host), "target");
    heads_done(r);
}

static void length_is(tn_str text, int64_t length)
{
    heads_result *r = heads_accept_as(&heads_strict, text);
    assert_int_equal(r->head.framing.content_length, length);
    heads_done(r);
}

TEST(content_length, is_read_up_to_the_largest_int64)
{
    length_is(TN_S(GET "Content-Length: 0\r\n\r\n"), 0);
    length_is(TN_S(GET "CONTENT-length:007\r\n\r\n"), 7);
    length_is(TN_S(GET "Content-Length: 2147483648\r\n\r\n"), 2147483648);
    length_is(TN_S(GET "Content-Length: 4294967296\r\n\r\n"), 4294967296);
    length_is(TN_S(GET "Content-Length: 9223372036854775807\r\n\r\n"), INT64_MAX);
    refuse(GET "Content-Length: 9223372036854775808\r\n\r\n", 400, "Content-Length too long");
    refuse(GET "Content-Length: 18446744073709551615\r\n\r\n", 400, "Content-Length too long");
    refuse(GET "Content-Length: 18446744073709551616\r\n\r\n", 400, "Content-Length too long");
    refuse(GET "Content-Length: 99999999999999999999999999999\r\n\r\n", 400, "Content-Length too long");
}

TEST(content_length, is_made_of_digits_only)
{
#define NO_INTEGER 400, "Only integer Content-Length is allowed"
    refuse(GET "Content-Length:\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: +5\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: -5\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 1_0\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 1 0\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 0x5\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 5.0\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: five\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: \xd9\xa5\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 5,5\r\n\r\n", NO_INTEGER);
    refuse(GET "Content-Length: 5;\r\n\r\n", NO_INTEGER);
}

TEST(content_length, may_not_be_repeated)
{
    refuse(GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400, "Multiple Content-Lengths");
    refuse(GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "Multiple unequal Content-Lengths");
}

TEST(content_length, may_be_repeated_in_the_dialect_when_all_are_equal)
{
    heads_result *r = heads_accept_as(&equal, TN_S(GET "Content-Length: 5, 5 ,5\r\nContent-Length: 5\r\n\r\n"));
    assert_int_equal(r->head.framing.content_length, 5);
    heads_done(r);
    heads_refuse_as(&equal, TN_S(GET "Content-Length: 5, 6\r\n\r\n"), 400, "Multiple unequal Content-Lengths");
    heads_refuse_as(&equal, TN_S(GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400, "Multiple unequal Content-Lengths");
    heads_refuse_as(&equal, TN_S(GET "Content-Length: 5,\r\n\r\n"), NO_INTEGER);
    heads_refuse_as(&equal, TN_S(GET "Content-Length: ,5\r\n\r\n"), NO_INTEGER);
    heads_refuse_as(&equal, TN_S(GET "Content-Length: \r\n\r\n"), NO_INTEGER);
}

TEST(transfer_encoding, is_chunked_in_any_case)
{
    heads_result *r = accept(GET "Transfer-Encoding: chunked\r\n\r\n");
    assert_true(r->head.framing.chunked);
    assert_int_equal(r->head.framing.content_length, -1);
    heads_done(r);
    r = accept(GET "transfer-ENCODING:\tChUnKeD \r\n\r\n");
    assert_true(r->head.framing.chunked);
    heads_done(r);
}

TEST(transfer_encoding, is_refused_in_any_other_spelling)
{
#define UNSUPPORTED "Unsupported Transfer-Encoding"
    refuse(GET "Transfer-Encoding:\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: identity\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: gzip\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: xchunked\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked-x\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: \"chunked\"\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: 'chunked'\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked;q=1\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked,\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: ,chunked\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chun ked\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: \xa0"
               "chunked\r\n\r\n",
           400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
           400, "control character in a header line");
    refuse(GET "Transfer-Encoding : chunked\r\n\r\n", 400, "blank in a header name or before its colon");
}

TEST(transfer_encoding, may_name_chunked_only_once)
{
    refuse(GET "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n", 400, UNSUPPORTED);
}

TEST(transfer_encoding, of_an_unknown_coding_under_chunked_is_answered_501)
{
    refuse(GET "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: identity, chunked\r\n\r\n", 501, UNSUPPORTED);
    refuse(GET "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501, UNSUPPORTED);
}

TEST(transfer_encoding, goes_with_neither_content_length_nor_http_1_0)
{
    static const char both[] = "Message with both Transfer-Encoding and Content-Length";
    refuse(GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, both);
    refuse(GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400, both);
    refuse(GET "Content-Length: 5\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400, both);
    refuse(GET_1_0 "Transfer-Encoding: chunked\r\n\r\n", 400, "Transfer-Encoding in an HTTP/1.0 message");
}

TEST(transfer_encoding, in_http_1_0_is_taken_where_the_dialect_says_so)
{
    heads_result *r = heads_accept_as(&old_chunks, TN_S(GET_1_0 "Transfer-Encoding: chunked\r\n\r\n"));
    assert_true(r->head.framing.chunked);
    heads_done(r);
}

static void connection_is(tn_str text, bool close, bool keep_alive, bool upgrade)
{
    heads_result *r = heads_accept_as(&heads_strict, text);
    assert_int_equal(r->head.framing.close, close);
    assert_int_equal(r->head.framing.keep_alive, keep_alive);
    assert_int_equal(r->head.framing.upgrade, upgrade);
    heads_done(r);
}

TEST(connection, is_a_list_of_options_in_any_case)
{
    connection_is(TN_S(GET "\r\n"), false, false, false);
    connection_is(TN_S(GET "Connection: Close\r\n\r\n"), true, false, false);
    connection_is(TN_S(GET "Connection: keep-ALIVE\r\n\r\n"), false, true, false);
    connection_is(TN_S(GET "Connection: keep-alive, Upgrade\r\n\r\n"), false, true, true);
    connection_is(TN_S(GET "CONNECTION: TE,\tx , close\r\nconnection: Upgrade\r\n\r\n"), true, false, true);
    connection_is(TN_S(GET "Connection:\r\nConnection: ,,\r\n\r\n"), false, false, false);
    connection_is(TN_S(GET "Connection: closed, not-close, keep-alive2, \"close\"\r\n\r\n"), false, false, false);
}

static void expects(tn_str text, bool expect_continue)
{
    heads_result *r = heads_accept_as(&heads_strict, text);
    assert_int_equal(r->head.framing.expect_continue, expect_continue);
    heads_done(r);
}

TEST(expect, is_100_continue_in_any_case)
{
    expects(TN_S(GET "\r\n"), false);
    expects(TN_S(GET "Expect: 100-continue\r\n\r\n"), true);
    expects(TN_S(GET "EXPECT: 100-CONTINUE\r\n\r\n"), true);
}

TEST(expect, of_anything_else_is_answered_417)
{
    refuse(GET "Expect: 200-ok\r\n\r\n", 417, "unknown expectation");
    refuse(GET "Expect:\r\n\r\n", 417, "unknown expectation");
    refuse(GET "Expect: 100-continue, x\r\n\r\n", 417, "unknown expectation");
    refuse(GET "Expect: 100-continue\r\nExpect: x\r\n\r\n", 417, "unknown expectation");
}

TEST(expect, is_ignored_in_http_1_0)
{
    expects(TN_S(GET_1_0 "Expect: 100-continue\r\n\r\n"), false);
    expects(TN_S(GET_1_0 "Expect: something\r\n\r\n"), false);
}

TEST(fields, of_other_names_of_the_same_lengths_say_nothing)
{
    heads_result *r = accept(GET "Hose: b\r\nExpecs: x\r\nConnectiox: close\r\nContent-Lengtx: 5\r\nTransfer-Encodinx: chunked\r\n"
                                 "Content\x2d"
                                 "Lenxth: 5\r\nTransfer-Xncoding: chunked\r\nXost: c\r\n\r\n");
    assert_int_equal(r->head.framing.content_length, -1);
    assert_false(r->head.framing.chunked || r->head.framing.close || r->head.framing.expect_continue);
    heads_done(r);
}

TEST(token, is_one_or_more_tchars)
{
    assert_true(tn__is_token(TN_S("a")));
    assert_true(tn__is_token(TN_S("X-Some-Header-Name!#$%&'*+.^_`|~0")));
    assert_false(tn__is_token(TN_S("")));
    assert_false(tn__is_token(TN_S("a b")));
    assert_false(tn__is_token(TN_S("a-rather-long-name-with-a-colon:")));
    assert_false(tn__is_token(TN_S("a\r\nb")));
    assert_false(tn__is_token(TN_S("\xc3\xa9")));
}

TEST(field_value, has_no_controls_but_tabs)
{
    assert_true(tn__is_field_value(TN_S("")));
    assert_true(tn__is_field_value((tn_str){0}));
    assert_true(tn__is_field_value(TN_S("a\tb \xff")));
    assert_false(tn__is_field_value(TN_S("a\nb")));
    assert_false(tn__is_field_value(TN_S("a\rb")));
    assert_false(tn__is_field_value(TN_S("a\0b")));
    assert_false(tn__is_field_value(TN_S("a value of more than sixteen, of more than fifty bytes even: \x7f")));
}
