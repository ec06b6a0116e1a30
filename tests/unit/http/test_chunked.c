/* The chunked coding: what comes out of it, and what it refuses, in any slicing. */
#include "http/chunked.h"
#include "test.h"

#include <stdio.h>
#include <time.h>

typedef struct decoded {
    int outcome; /* END, BAD, or MORE when the input ended first */
    char body[4096];
    size_t body_n, rest_n;
    const char *reason;
} decoded;

/* Feed `text` in pieces of `step` bytes, each in an allocation of its own size. */
static decoded decode_in_steps(tn_str text, size_t step)
{
    decoded d = {.outcome = TN__CHUNK_MORE};
    tn__chunked c;
    tn__chunked_init(&c);
    for (size_t at = 0; at < text.n && d.outcome == TN__CHUNK_MORE; at += step) {
        size_t n = text.n - at < step ? text.n - at : step;
        char *piece = malloc(n);
        memcpy(piece, text.p + at, n);
        tn_str in = {piece, n}, data;
        while ((d.outcome = tn__chunked_next(&c, &in, &data, &d.reason)) == TN__CHUNK_DATA) {
            assert_true(data.n > 0 && data.p >= piece && data.p + data.n <= in.p);
            assert_true(d.body_n + data.n <= sizeof d.body);
            memcpy(d.body + d.body_n, data.p, data.n);
            d.body_n += data.n;
        }
        if (d.outcome == TN__CHUNK_MORE) assert_int_equal(in.n, 0);
        d.rest_n = in.n + text.n - at - n;
        free(piece);
    }
    return d;
}

/* Decode whole, and insist that every slicing gives the same. */
static decoded decode(tn_str text)
{
    decoded whole = decode_in_steps(text, text.n);
    for (size_t step = 1; step < 9; step++) {
        decoded sliced = decode_in_steps(text, step);
        assert_int_equal(sliced.outcome, whole.outcome);
        assert_int_equal(sliced.body_n, whole.body_n);
        assert_memory_equal(sliced.body, whole.body, whole.body_n);
        if (whole.outcome == TN__CHUNK_END) assert_int_equal(sliced.rest_n, whole.rest_n);
        if (whole.outcome == TN__CHUNK_BAD) assert_string_equal(sliced.reason, whole.reason);
    }
    return whole;
}

static void body_is(tn_str text, const char *body, size_t rest_n)
{
    decoded d = decode(text);
    if (d.outcome != TN__CHUNK_END) fail_msg("outcome %d (%s) for:\n" TN_FMT, d.outcome, d.reason, TN_ARG(text));
    assert_str(tn_str_of(d.body, d.body_n), body);
    assert_int_equal(d.rest_n, rest_n);
}

static void refuse(tn_str text, const char *reason)
{
    decoded d = decode(text);
    if (d.outcome != TN__CHUNK_BAD) fail_msg("outcome %d for:\n" TN_FMT, d.outcome, TN_ARG(text));
    assert_string_equal(d.reason, reason);
}

#define SIZE "invalid chunk size"
#define EXTENSION "invalid chunk extension"
#define TRAILER "invalid trailer line"
#define LINE_END "line of a chunked body not ended by CRLF"

TEST(chunked, hands_out_the_body_and_leaves_what_follows)
{
    body_is(TN_S("0\r\n\r\n"), "", 0);
    body_is(TN_S("5\r\nhello\r\n0\r\n\r\nGET /"), "hello", 5);
    body_is(TN_S("1\r\na\r\n2\r\nbc\r\n0003\r\ndef\r\n0\r\n\r\n"), "abcdef", 0);
    body_is(TN_S("A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n"), "01234567890123456789a", 0);
    body_is(TN_S("4\r\n\r\n\r\n\r\n0\r\n\r\n"), "\r\n\r\n", 0);
}

TEST(chunked, hands_the_data_out_in_place_in_one_piece)
{
    char text[] = "5\r\nhello\r\n0\r\n\r\n";
    tn__chunked c;
    tn__chunked_init(&c);
    tn_str in = TN_S(""), data;
    const char *reason;
    assert_int_equal(tn__chunked_next(&c, &in, &data, &reason), TN__CHUNK_MORE);
    in = tn_str_of(text, sizeof text - 1);
    assert_int_equal(tn__chunked_next(&c, &in, &data, &reason), TN__CHUNK_DATA);
    assert_ptr_equal(data.p, text + 3);
    assert_int_equal(data.n, 5);
    assert_int_equal(tn__chunked_next(&c, &in, &data, &reason), TN__CHUNK_END);
    assert_int_equal(in.n, 0);
    in = TN_S("more");
    assert_int_equal(tn__chunked_next(&c, &in, &data, &reason), TN__CHUNK_END);
    assert_int_equal(in.n, 4);
}

TEST(chunked, waits_while_the_body_is_incomplete)
{
    static const char text[] = "5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n";
    for (size_t n = 1; n < sizeof text - 1; n++) assert_int_equal(decode(tn_str_of(text, n)).outcome, TN__CHUNK_MORE);
}

TEST(chunked, refuses_a_size_that_is_not_hexadecimal_digits)
{
    refuse(TN_S("\r\n"), SIZE);
    refuse(TN_S("g\r\n"), SIZE);
    refuse(TN_S("+5\r\nhello\r\n0\r\n\r\n"), SIZE);
    refuse(TN_S("-5\r\n"), SIZE);
    refuse(TN_S("0x5\r\nhello\r\n"), SIZE);
    refuse(TN_S(" 5\r\nhello\r\n"), SIZE);
    refuse(TN_S("5_0\r\n"), SIZE);
    refuse(TN_S("5.0\r\n"), SIZE);
    refuse(TN_S(";a\r\n"), SIZE);
    refuse(TN_S("5\0\r\n"), SIZE);
    refuse(TN_S("\xd9\xa5\r\n"), SIZE);
    refuse(TN_S("5\r\nhello\r\n\r\n"), SIZE);
}

TEST(chunked, refuses_a_size_beyond_an_int64_or_of_more_than_16_digits)
{
    decoded d = decode(TN_S("7fffffffffffffff\r\nabc"));
    assert_int_equal(d.outcome, TN__CHUNK_MORE);
    assert_str(tn_str_of(d.body, d.body_n), "abc");
    d = decode(TN_S("100000000\r\nabc"));
    assert_int_equal(d.body_n, 3);
    refuse(TN_S("8000000000000000\r\n"), SIZE);
    refuse(TN_S("ffffffffffffffff\r\n"), SIZE);
    refuse(TN_S("10000000000000000\r\n"), SIZE);
    body_is(TN_S("0000000000000001\r\na\r\n0000000000000000\r\n\r\n"), "a", 0);
    refuse(TN_S("00000000000000001\r\n"), SIZE);
}

TEST(chunked, refuses_anything_but_crlf_behind_a_chunk)
{
    refuse(TN_S("5\r\nhello0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\nhelloXX0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\nhello\r0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\nhello\n0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\nhello\n\r0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\nhello!\r\n0\r\n\r\n"), LINE_END);
}

TEST(chunked, refuses_bare_cr_and_bare_lf_in_every_line)
{
    refuse(TN_S("5\nhello\r\n0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\rhello\r\n0\r\n\r\n"), LINE_END);
    refuse(TN_S("5\r\r\nhello\r\n0\r\n\r\n"), LINE_END);
    refuse(TN_S("5;a\nhello\r\n0\r\n\r\n"), LINE_END);
    refuse(TN_S("0\n\r\n"), LINE_END);
    refuse(TN_S("0\r\n\n"), LINE_END);
    refuse(TN_S("0\r\n\rX"), LINE_END);
    refuse(TN_S("0\r\nA: b\n\r\n"), LINE_END);
    refuse(TN_S("0\r\nA: b\rC: d\r\n\r\n"), LINE_END);
}

TEST(chunked, drops_extensions_that_follow_the_grammar)
{
    body_is(TN_S("1;a\r\nx\r\n0;b;c=d\r\n\r\n"), "x", 0);
    body_is(TN_S("1 ;a\r\nx\r\n0\t; \tb \t= \tc ; d = \"e\"\r\n\r\n"), "x", 0);
    body_is(TN_S("1;a=\"b c;\\\"\\\\\t\xff\";d\r\nx\r\n0;a=\"\"\r\n\r\n"), "x", 0);
    body_is(TN_S("1;a ;b\r\nx\r\n0;a=b ;c\r\n\r\n"), "x", 0);
}

TEST(chunked, refuses_extensions_that_do_not)
{
    refuse(TN_S("1;\r\n"), EXTENSION);
    refuse(TN_S("1; \r\n"), EXTENSION);
    refuse(TN_S("1 \r\n"), EXTENSION);
    refuse(TN_S("1 a\r\n"), EXTENSION);
    refuse(TN_S("1;;a\r\n"), EXTENSION);
    refuse(TN_S("1;=a\r\n"), EXTENSION);
    refuse(TN_S("1;a=\r\n"), EXTENSION);
    refuse(TN_S("1;a==b\r\n"), EXTENSION);
    refuse(TN_S("1;a b\r\n"), EXTENSION);
    refuse(TN_S("1;a \r\n"), EXTENSION);
    refuse(TN_S("1;a=b c\r\n"), EXTENSION);
    refuse(TN_S("1;a=b \r\n"), EXTENSION);
    refuse(TN_S("1;a=\"b\"c\r\n"), EXTENSION);
    refuse(TN_S("1;a=\"b\r\n"), EXTENSION);
    refuse(TN_S("1;a=\"b\nc\"\r\n"), EXTENSION);
    refuse(TN_S("1;a=\"\\\r\n"), EXTENSION);
    refuse(TN_S("1;a=\"\x01\"\r\n"), EXTENSION);
    refuse(TN_S("1;a=\"\x7f\"\r\n"), EXTENSION);
    refuse(TN_S("1;a\x01\r\n"), EXTENSION);
    refuse(TN_S("1;a=\xff\r\n"), EXTENSION);
    refuse(TN_S("1;(=a\r\n"), EXTENSION);
}

/* A size line of n bytes, the CRLF included, and a chunk of one byte. */
static tn_str size_line(char *out, size_t n)
{
    memset(out, 'e', n);
    memcpy(out, "1;", 2);
    memcpy(out + n - 2, "\r\nx", 3);
    return tn_str_of(out, n + 1);
}

TEST(chunked, bounds_the_size_line)
{
    char text[TN__CHUNK_LINE_MAX + 10];
    assert_int_equal(decode(size_line(text, TN__CHUNK_LINE_MAX)).body_n, 1);
    refuse(size_line(text, TN__CHUNK_LINE_MAX + 1), "chunk size line too long");
}

TEST(chunked, drops_trailers_that_are_field_lines)
{
    body_is(TN_S("0\r\nA: b\r\nContent-Length:\t5 \r\nC:\r\n\r\nrest"), "", 4);
    body_is(TN_S("1\r\nx\r\n0\r\nA:\xff\t\r\n\r\n"), "x", 0);
}

TEST(chunked, refuses_trailers_that_are_not)
{
    refuse(TN_S("0\r\nA\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\n: b\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\nA : b\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\n A: b\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\nA: b\r\n c\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\nA: b\0\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\nA: b\x7f\r\n\r\n"), TRAILER);
    refuse(TN_S("0\r\nA(: b\r\n\r\n"), TRAILER);
}

/* "0", and a trailer section of n bytes, its blank line included. */
static tn_str trailers(char *out, size_t n)
{
    memcpy(out, "0\r\nA:", 5);
    memset(out + 5, 'b', n);
    memcpy(out + 3 + n - 4, "\r\n\r\n", 4);
    return tn_str_of(out, 3 + n);
}

TEST(chunked, bounds_the_trailer_section)
{
    char text[TN__TRAILER_BYTES_MAX + 10];
    assert_int_equal(decode(trailers(text, TN__TRAILER_BYTES_MAX)).outcome, TN__CHUNK_END);
    refuse(trailers(text, TN__TRAILER_BYTES_MAX + 1), "trailers too long");
}

TEST(chunked, stays_malformed)
{
    tn__chunked c;
    tn__chunked_init(&c);
    tn_str in = TN_S("x5\r\nhello\r\n0\r\n\r\n"), data;
    const char *reason = NULL;
    for (int i = 0; i < 3; i++) assert_int_equal(tn__chunked_next(&c, &in, &data, &reason), TN__CHUNK_BAD);
    assert_non_null(reason);
}

static double time_of_small_chunks(size_t chunks)
{
    char *text = malloc(chunks * 6);
    for (size_t i = 0; i < chunks; i++) memcpy(text + i * 6, "1\r\nx\r\n", 6);
    tn__chunked c;
    tn__chunked_init(&c);
    tn_str in = {text, chunks * 6}, data;
    const char *reason;
    size_t n = 0;
    clock_t begin = clock();
    while (tn__chunked_next(&c, &in, &data, &reason) == TN__CHUNK_DATA) n++;
    clock_t end = clock();
    free(text);
    assert_int_equal(n, chunks);
    return (double)(end - begin) / CLOCKS_PER_SEC;
}

/* Quadratic, it would take 256 times as long. */
TEST(chunked, takes_linear_time_for_a_million_small_chunks)
{
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        double once = time_of_small_chunks(62500);
        if (once < least) least = once;
    }
    assert_true(time_of_small_chunks(1000000) < 100 * least + 0.05);
}
