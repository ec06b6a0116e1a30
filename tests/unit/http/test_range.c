#include "linear.h"

#include "http/range.h"

static bool weakly(const char *field, const char *etag)
{
    return tn__etag_listed(tn_z(field), tn_z(etag), true);
}

static bool strongly(const char *field, const char *etag)
{
    return tn__etag_listed(tn_z(field), tn_z(etag), false);
}

TEST(etags, are_found_in_lists)
{
    assert_true(weakly("\"a\"", "\"a\""));
    assert_true(weakly("\"x\", \"a\"", "\"a\""));
    assert_true(weakly(" \"x\"\t,\"a\" , \"y\" ", "\"a\""));
    assert_true(weakly(", ,\"x\",,\"a\"", "\"a\""));
    assert_true(weakly("\"with,comma\", \"a\"", "\"a\""));
    assert_false(weakly("\"b\"", "\"a\""));
    assert_false(weakly("\"A\"", "\"a\""));
    assert_false(weakly("\"\"", "\"a\""));
    assert_true(weakly("\"\"", "\"\""));
    assert_false(weakly("", "\"a\""));
}

TEST(etags, are_all_named_by_an_asterisk_that_stands_alone)
{
    assert_true(weakly("*", "\"a\""));
    assert_true(strongly(" * ", ""));
    assert_false(weakly("*, \"b\"", "\"a\""));
    assert_false(weakly("\"*\"", "\"a\""));
    assert_true(weakly("\"*\"", "\"*\""));
}

TEST(etags, compare_as_the_table_of_the_rfc_says)
{
    /* RFC 9110, 8.8.3.2 */
    assert_false(strongly("W/\"1\"", "W/\"1\""));
    assert_true(weakly("W/\"1\"", "W/\"1\""));
    assert_false(strongly("W/\"1\"", "W/\"2\""));
    assert_false(weakly("W/\"1\"", "W/\"2\""));
    assert_false(strongly("W/\"1\"", "\"1\""));
    assert_true(weakly("W/\"1\"", "\"1\""));
    assert_true(strongly("\"1\"", "\"1\""));
    assert_true(weakly("\"1\"", "\"1\""));
}

TEST(etags, in_a_list_count_up_to_its_first_defect)
{
    static const char *bad[] = {
        "a", "\"a", "a\"", "w/\"a\"", "W\"a\"", "\"x\" \"a\"", "\"x\"\"a\"", "x, \"a\"", "\"x\n\", \"a\"", "W/", "\"b c\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (weakly(bad[i], "\"a\"")) fail_msg("found in %s", bad[i]);
    assert_true(weakly("\"a\", junk", "\"a\""));
    assert_false(weakly("\"a\"junk", "\"a\""));
}

static const int64_t modified = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
static const int64_t now = 1782864000;
static const char *const same = "Sun, 06 Nov 1994 08:49:37 GMT";
static const char *const before = "Sun, 06 Nov 1994 08:49:36 GMT";
static const char *const after = "Sun, 06 Nov 1994 08:49:38 GMT";

static int check(tn__conditions c, bool reading)
{
    tn__validators v = {.etag = TN_S("\"a\""), .modified = modified, .has_modified = true};
    return tn__conditions_check(&c, &v, reading, now);
}

TEST(conditions, go_on_when_there_are_none)
{
    assert_int_equal(check((tn__conditions){0}, true), 0);
}

TEST(conditions, if_none_match_answers_304_when_reading_and_412_otherwise)
{
    tn__conditions match = {.if_none_match = TN_S("W/\"a\"")}, other = {.if_none_match = TN_S("\"b\"")};
    assert_int_equal(check(match, true), 304);
    assert_int_equal(check(match, false), 412);
    assert_int_equal(check(other, true), 0);
}

TEST(conditions, if_none_match_wins_over_if_modified_since)
{
    assert_int_equal(check((tn__conditions){.if_none_match = TN_S("\"b\""), .if_modified_since = tn_z(same)}, true), 0);
    assert_int_equal(check((tn__conditions){.if_none_match = TN_S("\"a\""), .if_modified_since = tn_z(before)}, true), 304);
}

TEST(conditions, if_modified_since_counts_whole_seconds_when_reading)
{
    assert_int_equal(check((tn__conditions){.if_modified_since = tn_z(before)}, true), 0);
    assert_int_equal(check((tn__conditions){.if_modified_since = tn_z(same)}, true), 304);
    assert_int_equal(check((tn__conditions){.if_modified_since = tn_z(after)}, true), 304);
    assert_int_equal(check((tn__conditions){.if_modified_since = tn_z(after)}, false), 0);
    assert_int_equal(check((tn__conditions){.if_modified_since = TN_S("Fri, 01 Jan 1960 00:00:00 GMT")}, true), 0);
    assert_int_equal(check((tn__conditions){.if_modified_since = TN_S("yesterday")}, true), 0);
}

TEST(conditions, if_match_compares_strongly_and_wins_over_if_unmodified_since)
{
    assert_int_equal(check((tn__conditions){.if_match = TN_S("\"a\"")}, true), 0);
    assert_int_equal(check((tn__conditions){.if_match = TN_S("W/\"a\"")}, true), 412);
    assert_int_equal(check((tn__conditions){.if_match = TN_S("\"b\"")}, false), 412);
    assert_int_equal(check((tn__conditions){.if_match = TN_S("*")}, false), 0);
    assert_int_equal(check((tn__conditions){.if_match = TN_S("")}, false), 412);
    assert_int_equal(check((tn__conditions){.if_match = TN_S("\"a\""), .if_unmodified_since = tn_z(before)}, true), 0);
}

TEST(conditions, if_unmodified_since_answers_412_when_it_was_modified)
{
    assert_int_equal(check((tn__conditions){.if_unmodified_since = tn_z(before)}, true), 412);
    assert_int_equal(check((tn__conditions){.if_unmodified_since = tn_z(same)}, true), 0);
    assert_int_equal(check((tn__conditions){.if_unmodified_since = TN_S("junk")}, true), 0);
}

TEST(conditions, without_validators_nothing_is_known)
{
    tn__validators none = {0};
    tn__conditions c = {.if_none_match = TN_S("\"a\""), .if_modified_since = tn_z(after)};
    assert_int_equal(tn__conditions_check(&c, &none, true, now), 0);
    c = (tn__conditions){.if_modified_since = tn_z(after), .if_unmodified_since = tn_z(before)};
    assert_int_equal(tn__conditions_check(&c, &none, true, now), 0);
}

TEST(if_range, holds_for_the_same_strong_etag_or_the_very_date)
{
    tn__validators v = {.etag = TN_S("\"a\""), .modified = modified, .has_modified = true};
    assert_true(tn__if_range_holds(tn_str_of(NULL, 0), &v, now));
    assert_true(tn__if_range_holds(TN_S("\"a\""), &v, now));
    assert_true(tn__if_range_holds(tn_z(same), &v, now));
    assert_false(tn__if_range_holds(TN_S("W/\"a\""), &v, now));
    assert_false(tn__if_range_holds(TN_S("\"b\""), &v, now));
    assert_false(tn__if_range_holds(TN_S("*"), &v, now));
    assert_false(tn__if_range_holds(TN_S(""), &v, now));
    assert_false(tn__if_range_holds(tn_z(before), &v, now));
    assert_false(tn__if_range_holds(tn_z(after), &v, now));
    assert_false(tn__if_range_holds(tn_z(same), &v, modified)); /* may change again in this second */
    v.etag = TN_S("W/\"a\"");
    assert_false(tn__if_range_holds(TN_S("W/\"a\""), &v, now));
    assert_false(tn__if_range_holds(TN_S("\"a\""), &v, now));
}

static void check_range(const char *field, int64_t size, int expected, int64_t start, int64_t end)
{
    tn__byte_range range = {-1, -1};
    int got = tn__range_resolve(tn_z(field), size, &range);
    if (got != expected || (got == TN__RANGE_PART && (range.start != start || range.end != end)))
        fail_msg("%s of %lld: %d, %lld to %lld", field, (long long)size, got, (long long)range.start, (long long)range.end);
}

static void check_whole(const char *field, int64_t size)
{
    check_range(field, size, TN__RANGE_WHOLE, 0, 0);
}

static void check_unsatisfiable(const char *field, int64_t size)
{
    check_range(field, size, TN__RANGE_UNSATISFIABLE, 0, 0);
}

TEST(range, is_inclusive_on_the_wire_and_half_open_inside)
{
    check_range("bytes=0-0", 10, TN__RANGE_PART, 0, 1);
    check_range("bytes=0-4", 10, TN__RANGE_PART, 0, 5);
    check_range("bytes=5-9", 10, TN__RANGE_PART, 5, 10);
    check_range("bytes=9-", 10, TN__RANGE_PART, 9, 10);
    check_range("bytes=5-100", 10, TN__RANGE_PART, 5, 10);
    check_range(" BYTES=1-2 ", 10, TN__RANGE_PART, 1, 3);
    check_range("bytes=-3", 10, TN__RANGE_PART, 7, 10);
}

TEST(range, that_covers_all_is_no_range)
{
    check_whole("bytes=0-", 10);
    check_whole("bytes=0-9", 10);
    check_whole("bytes=0-100", 10);
    check_whole("bytes=-10", 10);
    check_whole("bytes=-100", 10);
    check_whole("bytes=-5", 0);
}

TEST(range, outside_the_representation_cannot_be_satisfied)
{
    check_unsatisfiable("bytes=10-", 10);
    check_unsatisfiable("bytes=10-20", 10);
    check_unsatisfiable("bytes=5-4", 10);
    check_unsatisfiable("bytes=-0", 10);
    check_unsatisfiable("bytes=0-", 0);
    check_unsatisfiable("bytes=0-0", 0);
}

TEST(range, is_ignored_when_malformed_multiple_or_of_another_unit)
{
    static const char *others[] = {
        "",           "bytes",       "bytes=",      "bytes=-",      "bytes=a-b", "bytes=1",   "bytes=1-2,4-5", "bytes=-1,",
        "bytes= 1-2", "bytes=1 -2",  "bytes=+1-2",  "bytes=1-+2",   "bytes=-+1", "bytes=--1", "bytes=1--",     "bytes =1-2",
        "items=1-2",  "bytes=0x1-2", "bytes=1_0-2", "bytes=1-2\n3", "byte=1-2",  "bytes:1-2", "bytes=1.0-2",   "bytes=,1-2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) check_whole(others[i], 10);
    assert_int_equal(tn__range_resolve(tn_str_of(NULL, 0), 10, NULL), TN__RANGE_WHOLE);
}

TEST(range, is_safe_at_the_edges_of_64_bits)
{
    int64_t big = INT64_MAX;
    check_range("bytes=9223372036854775806-", big, TN__RANGE_PART, big - 1, big);
    check_range("bytes=1-9223372036854775807", big, TN__RANGE_PART, 1, big);
    check_range("bytes=1-9223372036854775806", big, TN__RANGE_PART, 1, big);
    check_range("bytes=1-99999999999999999999999999", 10, TN__RANGE_PART, 1, 10);
    check_range("bytes=1-18446744073709551615", 10, TN__RANGE_PART, 1, 10);
    check_range("bytes=1-18446744073709551616", 10, TN__RANGE_PART, 1, 10);
    check_range("bytes=-4294967297", big, TN__RANGE_PART, big - 4294967297, big);
    check_whole("bytes=0-9223372036854775807", big);
    check_whole("bytes=-99999999999999999999", 10);
    check_unsatisfiable("bytes=9223372036854775807-", big);
    check_unsatisfiable("bytes=99999999999999999999-", 10);
    check_unsatisfiable("bytes=18446744073709551616-18446744073709551617", 10);
}

static void check_numbers(const char *field, int64_t first, int64_t last)
{
    int64_t a = 7, b = 7;
    if (!tn__range_parse(tn_z(field), &a, &b)) fail_msg("ignored: %s", field);
    assert_true(a == first && b == last);
}

TEST(range, gives_its_numbers_as_they_stand)
{
    check_numbers("bytes=1-2", 1, 2);
    check_numbers("bytes=6-", 6, -1);
    check_numbers("bytes=-6", -1, 6);
    check_numbers("bytes=-0", -1, 0);
    check_numbers("bytes=5-2", 5, 2);
    check_numbers("bytes=99999999999999999999-", INT64_MAX, -1);
    int64_t a = 7, b = 7;
    static const char *const ignored[] = {"", "bytes", "bytes=", "bytes=-", "foo=1-2", "bytes=1-2,4-5", "bytes=+1-2", "bytes=1--2"};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (tn__range_parse(tn_z(ignored[i]), &a, &b)) fail_msg("taken: %s", ignored[i]);
    assert_true(a == 7 && b == 7);
}

static void many_etags(size_t n)
{
    char *text = repeated("\"x\", ", n);
    tn__etag_listed(tn_str_of(text, n), TN_S("\"y\""), true);
    free(text);
}

static void many_ranges(size_t n)
{
    char *text = repeated("bytes=0-0,1-1,2-2,", n);
    tn__byte_range range;
    tn__range_resolve(tn_str_of(text, n), 100, &range);
    free(text);
}

TEST(range, and_lists_of_etags_take_linear_time)
{
    assert_linear(many_etags, 200000);
    assert_linear(many_ranges, 200000);
}
