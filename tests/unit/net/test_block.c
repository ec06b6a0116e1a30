/* Blocks of output and their pool. */
#include "core/core_test.h"

#include "net/block.h"

LOOP_TEST(block, of_a_small_size_has_the_room_of_a_whole_pooled_one)
{
    tn__block *b = tn__block_new(loop, 1);
    assert_true(b->pooled);
    assert_int_equal(b->cap, TN__BLOCK_BYTES - sizeof *b);
    assert_int_equal(b->n, 0);
    memset(b->p, 'x', b->cap);
    tn__block_free(loop, b);
}

LOOP_TEST(block, given_back_is_the_next_one_taken)
{
    tn__block *first = tn__block_new(loop, 10), *second = tn__block_new(loop, 10);
    assert_ptr_not_equal(first, second);
    tn__block_free(loop, first);
    assert_ptr_equal(tn__block_new(loop, 20), first);
    tn__block_free(loop, first);
    tn__block_free(loop, second);
}

LOOP_TEST(block, too_large_for_the_pool_is_an_allocation_of_its_own)
{
    size_t largest_pooled = TN__BLOCK_BYTES - sizeof(tn__block);
    tn__block *pooled = tn__block_new(loop, largest_pooled), *own = tn__block_new(loop, largest_pooled + 1);
    assert_true(pooled->pooled);
    assert_false(own->pooled);
    assert_int_equal(own->cap, largest_pooled + 1);
    memset(own->p, 'x', own->cap);
    tn__block_free(loop, pooled);
    tn__block_free(loop, own);
}

LOOP_TEST(block, around_an_allocation_is_full_and_frees_it)
{
    char *bytes = tn__alloc(5);
    memcpy(bytes, "hello", 5);
    tn__block *b = tn__block_around(bytes, 5);
    assert_ptr_equal(b->p, bytes);
    assert_int_equal(b->n, 5);
    assert_int_equal(b->cap, 0);
    tn__block_free(loop, b); /* the leak checker sees to the rest */
}

LOOP_TEST(block, that_cannot_be_had_leaves_nothing_behind)
{
    for (long n = 0; n < 2; n++) { /* the pool, the block */
        tn__alloc_fail_after(n, false);
        assert_null(tn__block_new(loop, 10));
        tn__alloc_fail_after(-1, false);
    }
    tn__alloc_fail_after(0, false);
    assert_null(tn__block_new(loop, TN__BLOCK_BYTES));
    tn__alloc_fail_after(0, false);
    char *bytes = malloc(5);
    assert_null(tn__block_around(bytes, 5));
    tn__alloc_fail_after(-1, false);
    free(bytes); /* still the caller's */
}

LOOP_TEST(block, pool_keeps_a_bounded_number)
{
    enum { MANY = TN__BLOCKS_KEPT + 10 };
    tn__block *all[MANY];
    for (int i = 0; i < MANY; i++) assert_non_null(all[i] = tn__block_new(loop, 1));
    for (int i = 0; i < MANY; i++) tn__block_free(loop, all[i]);
    tn__alloc_fail_after(0, true);
    int had = 0;
    while (had < MANY && (all[had] = tn__block_new(loop, 1))) had++;
    tn__alloc_fail_after(-1, false);
    assert_int_equal(had, TN__BLOCKS_KEPT);
    while (had > 0) tn__block_free(loop, all[--had]);
}
