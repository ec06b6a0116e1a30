/* The walk through a query or a form: its limit, and that what was decoded comes back after escaping. */
#include "fuzz.h"

#include "http/url.h"
#include "tornado/error.h"

enum { ARGS_MAX = 64 };

static void check_round_trip(tn__arena *a, tn_str text)
{
    tn_buf escaped = {0};
    REQUIRE(tn__url_escape(&escaped, text, true) == 0);
    tn_str back = tn__url_unescape(a, tn__buf_str(&escaped), true);
    REQUIRE(tn_str_eq(back, text));
    tn__buf_done(&escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn_str text = tn_str_of(data, n), name, value;
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    tn__query q = tn__query_begin(text, ARGS_MAX);
    int rc, args = 0;
    while ((rc = tn__query_next(&q, &arena, &name, &value)) > 0) {
        args++;
        REQUIRE(name.p && value.p && name.n + value.n <= n);
        check_round_trip(&arena, name);
        check_round_trip(&arena, value);
    }
    REQUIRE(args <= ARGS_MAX);
    REQUIRE(rc == 0 || (rc == TN_ETOOBIG && args == ARGS_MAX));
    tn__arena_done(&arena);
    return 0;
}
