/* Range and If-* fields: lines of the input. A part lies inside the representation; a listed entity-tag is in the list. */
#include "lines.h"

#include "http/range.h"

static void check_range(tn_str field, int64_t size)
{
    tn__byte_range range = {-1, -1};
    int rc = tn__range_resolve(field, size, &range);
    if (rc == TN__RANGE_PART) {
        REQUIRE(0 <= range.start && range.start < range.end && range.end <= size);
        REQUIRE(range.end - range.start < size);
    } else {
        REQUIRE(rc == TN__RANGE_WHOLE || rc == TN__RANGE_UNSATISFIABLE);
        REQUIRE(range.start == -1 && range.end == -1);
    }
}

static void check_list(tn_str list, tn_str etag)
{
    bool strong = tn__etag_listed(list, etag, false), weak = tn__etag_listed(list, etag, true);
    REQUIRE(weak || !strong);
    if (!weak || tn_str_eq(tn_str_trim(list), TN_S("*"))) return;
    tn_str opaque = tn_str_starts(etag, TN_S("W/")) ? tn_str_of(etag.p + 2, etag.n - 2) : etag;
    REQUIRE(memmem(list.p, list.n, opaque.p, opaque.n));
}

static tn_str or_absent(tn_str line)
{
    return line.n ? line : tn_str_of(NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn_str rest = tn_str_of(data, n);
    static const int64_t sizes[] = {0, 1, 10, 1000, INT64_MAX - 1, INT64_MAX};
    tn_str range = fuzz_line(&rest), etag = fuzz_line(&rest), list = fuzz_line(&rest);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) check_range(range, sizes[i]);
    check_list(list, etag);

    tn__conditions c = {.if_match = or_absent(fuzz_line(&rest)),
                        .if_none_match = or_absent(fuzz_line(&rest)),
                        .if_modified_since = or_absent(fuzz_line(&rest)),
                        .if_unmodified_since = or_absent(fuzz_line(&rest))};
    tn__validators v = {.etag = etag, .modified = 784111777, .has_modified = true};
    int writing = tn__conditions_check(&c, &v, false, 1782864000), reading = tn__conditions_check(&c, &v, true, 1782864000);
    REQUIRE(writing == 0 || writing == 412);
    REQUIRE(reading == 0 || reading == 304 || reading == 412);
    REQUIRE(tn__if_range_holds(tn_str_of(NULL, 0), &v, 0));
    if (tn__if_range_holds(list, &v, 1782864000)) REQUIRE(!tn_str_starts(list, TN_S("W/")));
    return 0;
}
