/*
 * Heads of requests. The first byte chooses the dialect (low half) and the slicing (high half); the rest is what is sent. Small
 * limits, so that short inputs reach them.
 */
#include "fuzz.h"
#include "http/parser_fields.h"
#include "http/scan.h"

enum { FIELDS_MAX = 8 };
static const tn__head_limits limits = {.head_bytes_max = 600, .target_bytes_max = 100, .fields_max = FIELDS_MAX};

typedef struct result {
    int outcome;
    tn__request_head head;
    tn__field fields[FIELDS_MAX];
    char *bytes;
} result;

static result parse_in_steps(tn_str text, size_t step, const tn__dialect *dialect)
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
        r.outcome = tn__parse_request(r.bytes, n, &resume, dialect, &limits, &r.head);
    }
    r.head.fields = r.fields;
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
    const tn__request_head *x = &a->head, *y = &b->head;
    REQUIRE(x->bytes == y->bytes && x->n_fields == y->n_fields);
    same_slice(a, x->method, b, y->method);
    same_slice(a, x->target, b, y->target);
    same_slice(a, x->host, b, y->host);
    same_slice(a, x->path, b, y->path);
    same_slice(a, x->query, b, y->query);
    REQUIRE(x->method_id == y->method_id && x->minor == y->minor && x->absolute == y->absolute);
    REQUIRE(x->framing.content_length == y->framing.content_length && x->framing.chunked == y->framing.chunked);
    REQUIRE(x->framing.close == y->framing.close && x->framing.keep_alive == y->framing.keep_alive);
    REQUIRE(x->framing.upgrade == y->framing.upgrade && x->framing.expect_continue == y->framing.expect_continue);
    for (uint32_t i = 0; i < x->n_fields; i++) {
        same_slice(a, a->fields[i].name, b, b->fields[i].name);
        same_slice(a, a->fields[i].value, b, b->fields[i].value);
    }
}

static bool is_trimmed(tn_str s)
{
    return s.n == 0 || (!strchr(" \t", s.p[0]) && !strchr(" \t", s.p[s.n - 1]));
}

/* What holds for every head that is accepted. */
static void is_sound(const result *r)
{
    const tn__request_head *head = &r->head;
    uint32_t hosts = 0, lengths = 0, codings = 0;
    REQUIRE(head->bytes <= limits.head_bytes_max && r->bytes[head->bytes - 1] == '\n');
    REQUIRE(tn__is_token(text_of(r, head->method)) && head->method.n <= 32);
    REQUIRE(head->target.n >= 1 && head->target.n <= limits.target_bytes_max && head->n_fields <= limits.fields_max);
    REQUIRE(head->path.n || tn_str_eq(text_of(r, head->method), TN_S("CONNECT")));
    REQUIRE(!head->path.n || text_of(r, head->path).p[0] == '/' || tn_str_eq(text_of(r, head->path), TN_S("*")));
    REQUIRE(!head->host.n || tn__is_authority(text_of(r, head->host)));
    for (uint32_t i = 0; i < head->n_fields; i++) {
        tn_str name = text_of(r, r->fields[i].name), value = text_of(r, r->fields[i].value);
        REQUIRE(tn__is_token(name) && tn__is_field_value(value) && is_trimmed(value));
        hosts += tn_str_caseeq(name, TN_S("host"));
        lengths += tn_str_caseeq(name, TN_S("content-length"));
        codings += tn_str_caseeq(name, TN_S("transfer-encoding"));
    }
    REQUIRE(hosts == 1 || (hosts == 0 && head->minor == 0));
    REQUIRE(head->framing.chunked == (codings > 0) && (lengths > 0) == (head->framing.content_length >= 0));
    REQUIRE(!(head->framing.chunked && (lengths || head->minor == 0)));
}

/* Every way of scanning gives the same end, wherever it begins. */
static void scans_agree(const char *p, size_t n)
{
    const char *end = p + n;
    for (size_t i = 0; i < n; i += 1 + i / 8) {
        const char *value = tn__scan_scalar(p + i, end, TN__BYTE_VALUE), *target = tn__scan_scalar(p + i, end, TN__BYTE_TARGET);
        REQUIRE(tn__scan_value(p + i, end) == value && tn__scan_value_long(p + i, end) == value);
        REQUIRE(tn__scan_target(p + i, end) == target && tn__scan_target_long(p + i, end) == target);
        REQUIRE(tn__scan_token(p + i, end) == tn__scan_scalar(p + i, end, TN__BYTE_TOKEN));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2) return 0;
    tn__dialect dialect = {.bare_lf = data[0] & 1, .fold = data[0] & 2, .equal_lengths = data[0] & 4, .any_target = data[0] & 8};
    tn_str text = tn_str_of(data + 1, n - 1);
    result whole = parse_in_steps(text, text.n, &dialect);
    size_t steps[] = {1, (data[0] >> 4) + 2u};
    for (int i = 0; i < 2; i++) {
        result sliced = parse_in_steps(text, steps[i], &dialect);
        /* What is refused whole may be waited for as long as neither a blank line nor a limit has come. */
        bool waits = whole.outcome == TN__HEAD_REFUSED && sliced.outcome == TN__HEAD_MORE && text.n <= limits.head_bytes_max &&
                     !tn__has_blank_line(text.p, text.p + text.n);
        REQUIRE(sliced.outcome == whole.outcome || waits);
        if (whole.outcome == TN__HEAD_DONE) same(&whole, &sliced);
        if (whole.outcome == TN__HEAD_REFUSED && !waits) {
            REQUIRE(sliced.head.status == whole.head.status && strcmp(sliced.head.reason, whole.head.reason) == 0);
        }
        free(sliced.bytes);
    }
    if (whole.outcome == TN__HEAD_DONE) is_sound(&whole);
    if (whole.outcome == TN__HEAD_MORE) REQUIRE(text.n <= limits.head_bytes_max);
    scans_agree(whole.bytes, text.n);
    free(whole.bytes);
    return 0;
}
