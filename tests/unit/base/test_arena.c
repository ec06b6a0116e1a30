#include "test.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/arena.h"

TEST(arena, allocates_nothing_before_the_first_piece)
{
    tn__alloc_fail_after(LONG_MAX, false);
    tn__arena a;
    tn__arena_init(&a, 1000);
    tn__arena_reset(&a);
    tn__arena_done(&a);
    long count = tn__alloc_count();
    tn__alloc_fail_after(-1, false);
    assert_int_equal(count, 0);
}

TEST(arena, gives_pieces_that_are_aligned_and_apart)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    unsigned char *pieces[300];
    for (int i = 0; i < 300; i++) {
        pieces[i] = tn__arena_alloc(&a, (size_t)i + 1);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], i & 255, (size_t)i + 1);
    }
    for (int i = 0; i < 300; i++)
        for (int j = 0; j <= i; j++) assert_int_equal(pieces[i][j], i & 255);
    tn__arena_done(&a);
}

TEST(arena, keeps_its_first_chunk_so_that_a_steady_state_allocates_nothing)
{
    tn__arena a;
    tn__arena_init(&a, 0);
    void *first = tn__arena_alloc(&a, 100);
    tn__alloc_fail_after(0, true);
    bool same = true;
    for (int i = 0; i < 1000; i++) {
        tn__arena_reset(&a);
        same = same && tn__arena_alloc(&a, 100) == first && tn__arena_alloc(&a, 3900);
    }
    tn__alloc_fail_after(-1, true);
    assert_true(same);
    tn__arena_done(&a);
}

TEST(arena, gives_a_large_piece_a_chunk_of_its_own_and_goes_on_in_the_current_one)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    char *small = tn__arena_alloc(&a, 16);
    char *large = tn__arena_alloc(&a, 1 << 20);
    memset(large, 'x', 1 << 20);
    assert_ptr_equal(tn__arena_alloc(&a, 16), small + 16);
    assert_true(a.used >= 1 << 20);
    tn__arena_reset(&a);
    assert_int_equal(a.used, 0);
    tn__arena_done(&a);
}

TEST(arena, gives_exactly_its_quota_beyond_the_first_chunk_and_says_when_it_is_used_up)
{
    tn__arena a;
    tn__arena_init(&a, 2048);
    assert_non_null(tn__arena_alloc(&a, 4080)); /* all of the first chunk */
    assert_int_equal(a.used, 0);
    assert_non_null(tn__arena_alloc(&a, 1024));
    assert_null(tn__arena_alloc(&a, 1025));
    assert_true(a.exhausted);
    assert_non_null(tn__arena_alloc(&a, 1024));
    assert_null(tn__arena_alloc(&a, 1));
    tn__arena_reset(&a);
    assert_false(a.exhausted);
    assert_non_null(tn__arena_alloc(&a, 4080));
    assert_non_null(tn__arena_alloc(&a, 2048));
    tn__arena_done(&a);
}

TEST(arena, refuses_sizes_that_overflow)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    assert_null(tn__arena_alloc(&a, SIZE_MAX));
    assert_null(tn__arena_alloc(&a, SIZE_MAX - 20));
    assert_null(tn__arena_copy(&a, "", SIZE_MAX).p);
    assert_non_null(tn__arena_alloc(&a, 1));
    tn__arena_done(&a);
}

TEST(arena, tells_lack_of_memory_from_an_exhausted_quota)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    tn__alloc_fail_after(0, true);
    void *first = tn__arena_alloc(&a, 1), *large = tn__arena_alloc(&a, 100000);
    tn__alloc_fail_after(-1, true);
    assert_null(first);
    assert_null(large);
    assert_false(a.exhausted);
    assert_int_equal(a.used, 0);
    assert_non_null(tn__arena_alloc(&a, 1));
    tn__arena_done(&a);
}

TEST(arena, copies_with_a_nul_behind_even_what_is_empty)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    tn_str copy = tn__arena_copy(&a, "abc", 3);
    assert_str(copy, "abc");
    assert_int_equal(copy.p[3], 0);
    tn_str empty = tn__arena_copy(&a, NULL, 0);
    assert_non_null(empty.p);
    assert_int_equal(empty.n, 0);
    assert_int_equal(empty.p[0], 0);
    unsigned char *zeroed = tn__arena_zalloc(&a, 100);
    for (int i = 0; i < 100; i++) assert_int_equal(zeroed[i], 0);
    tn__arena_done(&a);
}

TEST(arena, formats_text_of_any_length)
{
    tn__arena a;
    tn__arena_init(&a, SIZE_MAX);
    assert_str(tn__arena_printf(&a, "%d-%s", 7, "x"), "7-x"); /* no chunk yet */
    assert_str(tn__arena_printf(&a, "%s", ""), "");
    for (int n = 3970; n < 4100; n++) {
        tn_str text = tn__arena_printf(&a, "%*d", n, 5);
        assert_int_equal(text.n, n);
        assert_int_equal(text.p[n - 1], '5');
        assert_int_equal(text.p[n], 0);
        tn__arena_reset(&a);
    }
    tn__arena_done(&a);

    tn__arena_init(&a, 0);
    assert_null(tn__arena_printf(&a, "%*d", 5000, 5).p);
    tn__arena_done(&a);
}
