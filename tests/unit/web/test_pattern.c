/* Patterns: the whole of a subject, groups, and the bounds on the work of a match. */
#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "web/pattern.h"

static tn__pattern *pattern(const char *text)
{
    tn__pattern *p = NULL;
    tn_error err = {0};
    if (tn__pattern_new(&p, text, &err) < 0) fail_msg("%s", err.text);
    return p;
}

static bool matches(const char *text, const char *subject)
{
    tn__pattern *p = pattern(text);
    bool yes = tn__pattern_match(p, tn_z(subject), NULL);
    tn__pattern_free(p);
    return yes;
}

TEST(pattern, matches_the_whole_of_a_subject)
{
    assert_true(matches("/a", "/a"));
    assert_true(matches("/a|/ab", "/ab"));
    assert_false(matches("/a", "/ab"));
    assert_false(matches("/a", "x/a"));
    assert_false(matches("/a$", "/a\n"));
    assert_true(matches("", ""));
}

TEST(pattern, gives_its_groups)
{
    tn__pattern *p = pattern("/([a-z]+)(?:/([0-9]+))?(/.*)?");
    tn__groups groups;
    assert_true(tn__pattern_match(p, TN_S("/abc//x"), &groups));
    assert_int_equal(groups.n, 3);
    assert_str(groups.at[0], "abc");
    assert_null(groups.at[1].p);
    assert_str(groups.at[2], "//x");
    assert_true(tn__pattern_match(p, TN_S("/a/7"), &groups));
    assert_str(groups.at[1], "7");
    assert_null(groups.at[2].p);
    tn__pattern_free(p);
}

TEST(pattern, knows_its_groups_by_name_in_both_spellings)
{
    tn__pattern *p = pattern("/(?P<year>[0-9]+)/(x)/(?<month>[0-9]+)");
    assert_int_equal(tn__pattern_group(p, TN_S("year")), 0);
    assert_int_equal(tn__pattern_group(p, TN_S("month")), 2);
    assert_int_equal(tn__pattern_group(p, TN_S("day")), -1);
    assert_int_equal(tn__pattern_group(p, TN_S("")), -1);
    char longest[100];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(tn__pattern_group(p, tn_str_of(longest, sizeof longest)), -1);
    assert_int_equal(tn__pattern_group(NULL, TN_S("year")), -1);
    tn__pattern_free(p);
}

TEST(pattern, that_is_bad_says_where_and_why)
{
    tn__pattern *p = NULL;
    tn_error err = {0};
    assert_int_equal(tn__pattern_new(&p, "/a(b", &err), TN_EPATTERN);
    assert_int_equal(err.at, 4);
    assert_true(strlen(err.text) > 0);
    assert_int_equal(tn__pattern_new(&p, "/a(b", NULL), TN_EPATTERN);
    assert_null(p);
}

TEST(pattern, has_no_more_groups_than_there_is_room_for)
{
    char text[4 * TN__GROUPS_MAX + 8] = "";
    for (int i = 0; i < TN__GROUPS_MAX; i++) strcat(text, "(a)");
    tn__pattern *p = pattern(text);
    tn__pattern_free(p);
    strcat(text, "(a)");
    assert_int_equal(tn__pattern_new(&p, text, NULL), TN_EPATTERN);
}

TEST(pattern, that_would_take_for_ever_does_not_match)
{
    char subject[100];
    memset(subject, 'a', sizeof subject);
    subject[99] = 0;
    subject[98] = 'b';
    assert_false(matches("(a+)+", subject));
    assert_false(matches("(?:a|aa|aaa)+", subject));
}

/* As long as the longest path that the server takes. */
static void long_subject(const char *text, const char *repeated)
{
    static char subject[8193];
    size_t n = strlen(repeated);
    for (size_t i = 0; i < 8192; i++) subject[i] = repeated[i % n];
    subject[8192 / n * n] = 0;
    if (!matches(text, subject)) fail_msg("%s does not match", text);
}

TEST(pattern, matches_long_subjects_as_well_as_short_ones)
{
    long_subject(".*", "x");
    long_subject("(.*)", "/");
    long_subject("(/[^/]+)+", "/ab");
    long_subject("(?:a|b)+", "ab");
    long_subject("((?:a|b|c)*)", "abc");
    long_subject("(?:/([a-z]+))*", "/abc");
}

TEST(pattern, without_pattern_characters_is_literal)
{
    assert_true(tn__pattern_is_literal("/a-b_c/~d%20,;=:@!'&\"<>#"));
    for (const char *c = ".^$*+?()[]{}|\\"; *c; c++) assert_false(tn__pattern_is_literal((char[]){'/', *c, 0}));
}

TEST(pattern, without_memory_is_not_made_or_works_without_being_compiled_to_machine_code)
{
    bool failed = true;
    for (long n = 0; failed; n++) {
        tn__pattern *p = NULL;
        tn_error err = {0};
        tn__alloc_fail_after(n, false);
        int result = tn__pattern_new(&p, "/(?P<a>[0-9]+)(b|c)*", &err);
        failed = tn__alloc_count() > n;
        tn__alloc_fail_after(-1, false);
        assert_int_equal(err.code, result);
        if (result == TN_OK)
            assert_true(tn__pattern_match(p, TN_S("/12bcb"), NULL));
        else
            assert_int_equal(result, TN_ENOMEM);
        tn__pattern_free(p);
    }
    tn__pattern_free(NULL);
}
