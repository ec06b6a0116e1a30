#include "test.h"

#include "base/alloc.h"
#include "tornado/str.h"

TEST(str, compares_bytes_and_lengths)
{
    assert_true(tn_str_eq(TN_S("abc"), TN_STR("abc")));
    assert_false(tn_str_eq(TN_S("abc"), TN_S("abd")));
    assert_false(tn_str_eq(TN_S("abc"), TN_S("ab")));
    assert_true(tn_str_eq(TN_S(""), TN_STR((const char *)NULL)));
    assert_false(tn_str_eq(TN_S("a\0b"), TN_S("a\0c")));
}

TEST(str, compares_without_the_case_of_ascii_letters_only)
{
    assert_true(tn_str_caseeq(TN_S("Content-TYPE"), TN_S("content-type")));
    assert_false(tn_str_caseeq(TN_S("a"), TN_S("ab")));
    assert_false(tn_str_caseeq(TN_S("@"), TN_S("`"))); /* 0x40 and 0x60 */
    assert_false(tn_str_caseeq(TN_S("["), TN_S("{")));
    assert_false(tn_str_caseeq(TN_S("\xc0"), TN_S("\xe0")));
    assert_true(tn_str_caseeq(TN_S("Zz"), TN_S("zZ")));
}

TEST(str, knows_beginnings_and_ends)
{
    assert_true(tn_str_starts(TN_S("abc"), TN_S("ab")));
    assert_false(tn_str_starts(TN_S("abc"), TN_S("abcd")));
    assert_true(tn_str_ends(TN_S("abc"), TN_S("bc")));
    assert_true(tn_str_ends(TN_S("abc"), TN_S("")));
    assert_false(tn_str_ends(TN_S("abc"), TN_S("ab")));
}

TEST(str, trims_spaces_and_tabs_and_nothing_else)
{
    assert_str(tn_str_trim(TN_S(" \t a b\t ")), "a b");
    assert_str(tn_str_trim(TN_S(" \t ")), "");
    assert_str(tn_str_trim(TN_S("")), "");
    assert_str(tn_str_trim(TN_S("\r\na\v")), "\r\na\v");
    assert_str(tn_str_trim(TN_S("\xa0x")), "\xa0x");
}

TEST(str, is_copied_with_a_nul_behind)
{
    char *copy = tn_strdup(tn_str_of("abcdef", 3));
    assert_string_equal(copy, "abc");
    free(copy);
    copy = tn_strdup(tn_str_of(NULL, 0));
    assert_string_equal(copy, "");
    free(copy);
    tn__alloc_fail_after(0, true);
    copy = tn_strdup(TN_S("abc"));
    tn__alloc_fail_after(-1, true);
    assert_null(copy);
}
