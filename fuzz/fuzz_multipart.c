/* multipart/form-data: the first line is the Content-Type, the rest the body. Parts are slices, in order, within their limits. */
#include "lines.h"

#include "http/multipart.h"
#include "http/parser.h"
#include "http/url.h"
#include "tornado/error.h"

enum { PARTS_MAX = 10 };

static void check_part(const tn__part *part, tn_str body, const char *last)
{
    REQUIRE(part->name.n && tn__utf8_valid(part->name) && tn__is_field_value(part->name));
    REQUIRE(tn__utf8_valid(part->filename) && tn__is_field_value(part->filename));
    REQUIRE(part->content_type.n && tn__is_field_value(part->content_type));
    REQUIRE(part->body.p > last && part->body.p + part->body.n <= body.p + body.n);
}

static void walk(tn_str type, tn_str body, bool open_start)
{
    tn__multipart_limits limits = {.parts_max = PARTS_MAX, .part_head_bytes_max = 256, .open_start = open_start};
    tn__arena arena;
    tn__arena_init(&arena, 1 << 20);
    tn__multipart m;
    tn__part part;
    const char *reason = NULL, *last = body.p;
    uint32_t parts = 0;
    int rc = tn__multipart_begin(&m, &arena, type, body, &limits, &reason);
    while (rc >= 0 && (rc = tn__multipart_next(&m, &arena, &part, &reason)) > 0) {
        check_part(&part, body, last);
        last = part.body.p + part.body.n;
        REQUIRE(++parts <= PARTS_MAX);
    }
    REQUIRE(rc == 0 || reason || rc == TN_ENOMEM);
    tn__arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn_str body = tn_str_of(data, n), type = fuzz_line(&body);
    walk(type, body, false);
    walk(type, body, true);
    return 0;
}
