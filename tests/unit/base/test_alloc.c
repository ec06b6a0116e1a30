#include "test.h"

#include <limits.h>

#include "base/alloc.h"

static bool alloc_works(void)
{
    void *p = tn__alloc(8);
    tn__free(p);
    return p;
}

TEST(alloc, gives_memory_while_the_hook_is_off)
{
    assert_true(alloc_works());
    unsigned char *p = tn__zalloc(64);
    for (int i = 0; i < 64; i++) assert_int_equal(p[i], 0);
    p[0] = 7;
    p = tn__realloc(p, 4096);
    assert_int_equal(p[0], 7);
    tn__free(p);
    tn__free(NULL);
}

TEST(alloc, fails_once_after_the_successes_it_was_told)
{
    tn__alloc_fail_after(2, false);
    bool worked[5];
    for (int i = 0; i < 5; i++) worked[i] = alloc_works();
    tn__alloc_fail_after(-1, false);
    assert_true(worked[0] && worked[1]);
    assert_false(worked[2]);
    assert_true(worked[3] && worked[4]);
}

TEST(alloc, fails_for_ever_when_told_and_works_again_when_switched_off)
{
    tn__alloc_fail_after(1, true);
    bool worked[4];
    for (int i = 0; i < 4; i++) worked[i] = alloc_works();
    tn__alloc_fail_after(-1, true);
    assert_true(worked[0]);
    assert_false(worked[1] || worked[2] || worked[3]);
    assert_true(alloc_works());
}

TEST(alloc, makes_each_of_its_calls_fail_and_leaves_the_old_piece_alone)
{
    char *p = tn__alloc(8);
    p[0] = 'x';
    tn__alloc_fail_after(0, true);
    void *none[3] = {tn__alloc(1), tn__zalloc(1), tn__realloc(p, 100)};
    tn__alloc_fail_after(-1, true);
    assert_null(none[0]);
    assert_null(none[1]);
    assert_null(none[2]);
    assert_int_equal(p[0], 'x');
    tn__free(p);
}

TEST(alloc, counts_what_was_asked_for_while_the_hook_is_on)
{
    tn__alloc_fail_after(LONG_MAX, false);
    for (int i = 0; i < 3; i++) alloc_works();
    long count = tn__alloc_count();
    tn__alloc_fail_after(-1, false);
    assert_int_equal(count, 3);
    alloc_works();
    assert_int_equal(tn__alloc_count(), 0);
}
