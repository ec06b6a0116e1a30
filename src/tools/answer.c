/* From bytes to a tn_response: see answer.h. */
#include "answer.h"

#include <strings.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "http/chunked.h"
#include "http/response_parser.h"

enum { FIELDS_MAX = 256, HEAD_BYTES_MAX = 1 << 20 };

struct tn__answer {
    tn_buf input;
    size_t at; /* of it, used */
    uint32_t resume;
    tn__answered answered;
    bool headed; /* `head` is that of the final response */
    tn__response_head head;
    tn__field fields[FIELDS_MAX];
    tn__chunked chunked;
    tn_buf body;
    tn__arena arena; /* texts of the head: the input may move while the body comes */
    tn_str reason;
    tn_header *headers;
};

tn__answer *tn__answer_new(bool head_only)
{
    tn__answer *a = tn__zalloc(sizeof *a);
    if (!a) return NULL;
    a->answered = head_only ? TN__ANSWERED_HEAD : TN__ANSWERED_OTHER;
    tn__arena_init(&a->arena, SIZE_MAX / 2);
    return a;
}

tn_buf *tn__answer_input(tn__answer *a)
{
    return &a->input;
}

void tn__answer_free(tn__answer *a)
{
    if (!a) return;
    tn__buf_done(&a->input);
    tn__buf_done(&a->body);
    tn__arena_done(&a->arena);
    tn__free(a);
}

static tn_str copy(tn__answer *a, const char *head, tn__slice slice)
{
    return tn__arena_copy(&a->arena, head + slice.at, slice.n);
}

/* What the response keeps of its head. */
static int keep_head(tn__answer *a, const char *head)
{
    a->headers = tn__arena_alloc(&a->arena, (a->head.n_fields + 1) * sizeof *a->headers);
    a->reason = copy(a, head, a->head.phrase);
    if (!a->headers || !a->reason.p) return TN_ENOMEM;
    for (uint32_t i = 0; i < a->head.n_fields; i++) {
        a->headers[i] = (tn_header){copy(a, head, a->fields[i].name), copy(a, head, a->fields[i].value)};
        if (!a->headers[i].name.p || !a->headers[i].value.p) return TN_ENOMEM;
    }
    return TN_OK;
}

/* Heads, up to the one that is not 1xx. */
static int take_head(tn__answer *a)
{
    static const tn__dialect strict;
    static const tn__head_limits limits = {.head_bytes_max = HEAD_BYTES_MAX, .fields_max = FIELDS_MAX};
    while (!a->headed) {
        char *p = a->input.p + a->at;
        size_t n = a->input.n - a->at;
        if (n == 0) return TN_EAGAIN;
        a->head.fields = a->fields;
        int parsed = tn__parse_response(p, n, &a->resume, &strict, &limits, a->answered, &a->head);
        if (parsed != TN__HEAD_DONE) return parsed == TN__HEAD_MORE ? TN_EAGAIN : TN_ESYNTAX;
        a->at += a->head.bytes;
        a->resume = 0;
        a->headed = a->head.status >= 200 || a->head.status == 101;
        if (a->headed) TN_TRY(keep_head(a, p));
    }
    tn__chunked_init(&a->chunked);
    return TN_OK;
}

static int take_chunks(tn__answer *a)
{
    tn_str in = tn_str_of(a->input.p + a->at, a->input.n - a->at), data;
    const char *reason;
    for (;;) {
        int next = tn__chunked_next(&a->chunked, &in, &data, &reason);
        a->at = a->input.n - in.n;
        if (next == TN__CHUNK_END) return TN_OK;
        if (next != TN__CHUNK_DATA) return next == TN__CHUNK_MORE ? TN_EAGAIN : TN_ESYNTAX;
        TN_TRY(tn__buf_add_str(&a->body, data));
    }
}

/* The next `n` bytes, which have come. */
static int take_bytes(tn__answer *a, size_t n)
{
    TN_TRY(tn__buf_add(&a->body, a->input.p + a->at, n));
    a->at += n;
    return TN_OK;
}

static int take_body(tn__answer *a, bool eof)
{
    size_t there = a->input.n - a->at;
    switch (a->head.body) {
    case TN__BODY_NONE: return TN_OK;
    case TN__BODY_CHUNKED: return take_chunks(a);
    case TN__BODY_UNTIL_CLOSE: TN_TRY(take_bytes(a, there)); return eof ? TN_OK : TN_EAGAIN;
    case TN__BODY_LENGTH: break;
    }
    size_t length = (size_t)a->head.framing.content_length;
    return there < length ? TN_EAGAIN : take_bytes(a, length);
}

int tn__answer_look(tn__answer *a, bool eof, tn_response *out)
{
    int result = a->headed ? TN_OK : take_head(a);
    if (result == TN_OK) result = take_body(a, eof);
    if (result == TN_EAGAIN && eof) return TN_EOF;
    if (result == TN_OK) result = tn__buf_terminate(&a->body);
    if (result < 0) return result;
    *out = (tn_response){
        .code = a->head.status,
        .reason = a->reason,
        .body = tn__buf_str(&a->body),
        .headers = a->headers,
        .headers_n = a->head.n_fields,
    };
    return TN_OK;
}

tn_str tn_response_header_s(const tn_response *response, tn_str name)
{
    for (size_t i = 0; i < response->headers_n; i++) {
        tn_str other = response->headers[i].name;
        if (other.n == name.n && strncasecmp(other.p, name.p, name.n) == 0) return response->headers[i].value;
    }
    return (tn_str){0};
}
