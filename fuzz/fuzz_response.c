/*
 * Heads of responses. The first byte chooses the dialect (low half), the slicing and what was answered (high half); the rest is what
 * the server sends.
 */
#include "fuzz.h"
#include "http/parser_fields.h"
#include "http/response_parser.h"

enum { FIELDS_MAX = 8 };
static const tn__head_limits limits = {.head_bytes_max = 400, .fields_max = FIELDS_MAX};

typedef struct result {
    int outcome;
    tn__response_head head;
    tn__field fields[FIELDS_MAX];
    char *bytes;
} result;

static result parse_in_steps(tn_str text, size_t step, const tn__dialect *dialect, tn__answered answered)
{
    result r = {.outcome = TN__HEAD_MORE, .bytes = fuzz_copy("", 0)};
    uint32_t resume = 0;
    for (size_t n = 0; n < text.n && r.outcome == TN__HEAD_MORE;) {
        size_t before = n;
        n = text.n - n < step ? text.n : n + step;
        char *bytes = fuzz_copy(text.p, n);
        memcpy(bytes, r.bytes, before); /* with the folds that are joined already */
        free(r.bytes);
        r.bytes = bytes;
        r.head.fields = r.fields;
        r.outcome = tn__parse_response(r.bytes, n, &resume, dialect, &limits, answered, &r.head);
    }
    return r;
}

static tn_str text_of(const result *r, tn__slice s)
{
    REQUIRE(s.at <= r->head.bytes && s.n <= r->head.bytes - s.at);
    return tn_str_of(r->bytes + s.at, s.n);
}

static void same_slice(const result *a, tn__slice x, const result *b, tn__slice y)
{
    REQUIRE(x.at == y.at && tn_str_eq(text_of(a, x), text_of(b, y)));
}

static void same(const result *a, const result *b)
{
    REQUIRE(a->head.bytes == b->head.bytes && a->head.n_fields == b->head.n_fields && a->head.status == b->head.status);
    REQUIRE(a->head.minor == b->head.minor && a->head.body == b->head.body);
    REQUIRE(a->head.framing.content_length == b->head.framing.content_length);
    same_slice(a, a->head.phrase, b, b->head.phrase);
    for (uint32_t i = 0; i < a->head.n_fields; i++) {
        same_slice(a, a->fields[i].name, b, b->fields[i].name);
        same_slice(a, a->fields[i].value, b, b->fields[i].value);
    }
}

static void is_sound(const result *r)
{
    const tn__response_head *head = &r->head;
    REQUIRE(head->status >= 100 && head->status <= 999 && tn__is_field_value(text_of(r, head->phrase)));
    REQUIRE(head->bytes <= limits.head_bytes_max && head->n_fields <= limits.fields_max);
    REQUIRE(head->body != TN__BODY_LENGTH || head->framing.content_length >= 0);
    REQUIRE(head->body != TN__BODY_CHUNKED || (head->framing.chunked && head->minor == 1));
    REQUIRE(!(head->framing.chunked && head->framing.content_length >= 0));
    for (uint32_t i = 0; i < head->n_fields; i++) {
        REQUIRE(tn__is_token(text_of(r, r->fields[i].name)) && tn__is_field_value(text_of(r, r->fields[i].value)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2) return 0;
    tn__dialect dialect = {.bare_lf = data[0] & 1, .fold = data[0] & 2, .equal_lengths = data[0] & 4};
    tn__answered answered = (tn__answered)((data[0] >> 4) % 3);
    tn_str text = tn_str_of(data + 1, n - 1);
    result whole = parse_in_steps(text, text.n, &dialect, answered);
    size_t steps[] = {1, (data[0] >> 4) + 2u};
    for (int i = 0; i < 2; i++) {
        result sliced = parse_in_steps(text, steps[i], &dialect, answered);
        bool waits = whole.outcome == TN__HEAD_REFUSED && sliced.outcome == TN__HEAD_MORE && text.n <= limits.head_bytes_max &&
                     !tn__has_blank_line(text.p, text.p + text.n);
        REQUIRE(sliced.outcome == whole.outcome || waits);
        if (whole.outcome == TN__HEAD_DONE) same(&whole, &sliced);
        if (whole.outcome == TN__HEAD_REFUSED && !waits) REQUIRE(strcmp(sliced.head.reason, whole.head.reason) == 0);
        free(sliced.bytes);
    }
    if (whole.outcome == TN__HEAD_DONE) is_sound(&whole);
    free(whole.bytes);
    return 0;
}
