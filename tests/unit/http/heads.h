/*
 * For tests of the parsers of heads: parse a text whole and byte by byte, insist on the same verdict, and compare what comes out.
 * Every text lies in an allocation of exactly its size, so that the address sanitizer sees a read behind it.
 */
#ifndef TN_TESTS_HTTP_HEADS_H
#define TN_TESTS_HTTP_HEADS_H

#include <stdio.h>

#include "http/parser.h"
#include "test.h"

enum { HEADS_FIELDS_MAX = 100, HEADS_TARGET_MAX = 1000, HEADS_BYTES_MAX = 4000 };

static const tn__head_limits heads_limits = {
    .head_bytes_max = HEADS_BYTES_MAX, .target_bytes_max = HEADS_TARGET_MAX, .fields_max = HEADS_FIELDS_MAX};
static const tn__dialect heads_strict;

/* A head and the bytes its slices point into. */
typedef struct heads_result {
    int outcome;
    tn__request_head head;
    tn__field fields[HEADS_FIELDS_MAX];
    char *bytes;
} heads_result;

static inline void heads_done(heads_result *r)
{
    free(r->bytes);
    free(r);
}

/* Hand over `text` in steps of `step` bytes until the parser has a verdict. */
static inline heads_result *heads_parse_in_steps(tn_str text, size_t step, const tn__dialect *dialect)
{
    heads_result *r = calloc(1, sizeof *r);
    uint32_t resume = 0;
    r->outcome = TN__HEAD_MORE;
    for (size_t n = 0; n < text.n && r->outcome == TN__HEAD_MORE;) {
        size_t before = n;
        n = text.n - n < step ? text.n : n + step;
        char *bytes = malloc(n);
        if (r->bytes) memcpy(bytes, r->bytes, before); /* what the parser may have changed */
        memcpy(bytes + before, text.p + before, n - before);
        free(r->bytes);
        r->bytes = bytes;
        r->head.fields = r->fields;
        r->outcome = tn__parse_request(r->bytes, n, &resume, dialect, &heads_limits, &r->head);
    }
    return r;
}

static inline tn_str heads_text(const heads_result *r, tn__slice slice)
{
    return tn_str_of(r->bytes + slice.at, slice.n);
}

static inline bool heads_same_slice(const heads_result *a, tn__slice x, const heads_result *b, tn__slice y)
{
    return x.at == y.at && tn_str_eq(heads_text(a, x), heads_text(b, y));
}

static inline bool heads_same_framing(const tn__framing *a, const tn__framing *b)
{
    return a->content_length == b->content_length && a->chunked == b->chunked && a->close == b->close &&
           a->keep_alive == b->keep_alive && a->upgrade == b->upgrade && a->expect_continue == b->expect_continue;
}

/* Same verdict and same results? */
static inline bool heads_same(const heads_result *a, const heads_result *b)
{
    const tn__request_head *x = &a->head, *y = &b->head;
    if (a->outcome != b->outcome) return false;
    if (a->outcome == TN__HEAD_REFUSED) return x->status == y->status && strcmp(x->reason, y->reason) == 0;
    if (a->outcome == TN__HEAD_MORE) return true;
    bool same = x->n_fields == y->n_fields && x->bytes == y->bytes && heads_same_slice(a, x->method, b, y->method) &&
                heads_same_slice(a, x->target, b, y->target) && heads_same_slice(a, x->host, b, y->host) &&
                heads_same_slice(a, x->path, b, y->path) && heads_same_slice(a, x->query, b, y->query) &&
                x->method_id == y->method_id && x->minor == y->minor && x->absolute == y->absolute &&
                heads_same_framing(&x->framing, &y->framing);
    for (uint32_t i = 0; same && i < x->n_fields; i++) {
        same = heads_same_slice(a, x->fields[i].name, b, y->fields[i].name) &&
               heads_same_slice(a, x->fields[i].value, b, y->fields[i].value);
    }
    return same;
}

static inline bool heads_has_blank_line(tn_str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        size_t next = i + 1 + (text.p[i + 1] == '\r');
        if (text.p[i] == '\n' && next < text.n && text.p[next] == '\n') return true;
    }
    return false;
}

/*
 * Parse whole; the verdict on any slicing must be the same. Only of a head whose blank line has not come, what would be refused whole
 * may still be waited for: an incomplete line is not read again with every byte of it.
 */
static inline heads_result *heads_parse(tn_str text, const tn__dialect *dialect)
{
    heads_result *whole = heads_parse_in_steps(text, text.n, dialect);
    static const size_t steps[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        heads_result *sliced = heads_parse_in_steps(text, steps[i], dialect);
        bool waits = whole->outcome == TN__HEAD_REFUSED && sliced->outcome == TN__HEAD_MORE;
        if (!heads_same(whole, sliced) && !(waits && !heads_has_blank_line(text))) {
            fail_msg("in steps of %zu: outcome %d (%d %s), whole: %d (%d %s), for:\n" TN_FMT, steps[i], sliced->outcome,
                     sliced->head.status, sliced->head.reason, whole->outcome, whole->head.status, whole->head.reason,
                     TN_ARG(text));
        }
        heads_done(sliced);
    }
    return whole;
}

static inline heads_result *heads_accept_as(const tn__dialect *dialect, tn_str text)
{
    heads_result *r = heads_parse(text, dialect);
    if (r->outcome != TN__HEAD_DONE) {
        fail_msg("outcome %d (%d %s) for:\n" TN_FMT, r->outcome, r->head.status, r->head.reason, TN_ARG(text));
    }
    return r;
}

static inline void heads_refuse_as(const tn__dialect *dialect, tn_str text, int status, const char *reason)
{
    heads_result *r = heads_parse(text, dialect);
    if (r->outcome != TN__HEAD_REFUSED || r->head.status != status || strcmp(r->head.reason, reason) != 0) {
        fail_msg("outcome %d (%d %s) instead of %d %s for:\n" TN_FMT, r->outcome, r->head.status, r->head.reason, status, reason,
                 TN_ARG(text));
    }
    heads_done(r);
}

static inline void heads_more(tn_str text)
{
    heads_result *r = heads_parse(text, &heads_strict);
    assert_int_equal(r->outcome, TN__HEAD_MORE);
    heads_done(r);
}

#define accept(text) heads_accept_as(&heads_strict, TN_S(text))
#define refuse(text, ...) heads_refuse_as(&heads_strict, TN_S(text), __VA_ARGS__) /* status, reason */

/* Accepted, and nothing more to say about it. */
#define accepted(text) heads_done(accept(text))
#define accepted_as(dialect, text) heads_done(heads_accept_as(dialect, TN_S(text)))

#endif
