#include "test.h"

#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"

TEST(pool, gives_back_the_block_that_was_returned_last)
{
    tn__pool p;
    tn__pool_init(&p, 16384, 4);
    void *a = tn__pool_take(&p), *b = tn__pool_take(&p);
    memset(a, 1, 16384);
    memset(b, 2, 16384);
    tn__pool_give(&p, a);
    tn__pool_give(&p, b);
    assert_ptr_equal(tn__pool_take(&p), b);
    assert_ptr_equal(tn__pool_take(&p), a);
    assert_int_equal(p.free_n, 0);
    tn__pool_give(&p, a);
    tn__pool_give(&p, b);
    tn__pool_give(&p, NULL);
    tn__pool_done(&p);
}

TEST(pool, keeps_no_more_free_blocks_than_it_was_told)
{
    tn__pool p;
    tn__pool_init(&p, 64, 2);
    void *blocks[5];
    for (int i = 0; i < 5; i++) blocks[i] = tn__pool_take(&p);
    for (int i = 0; i < 5; i++) tn__pool_give(&p, blocks[i]);
    assert_int_equal(p.free_n, 2);
    tn__pool_done(&p);
    assert_int_equal(p.free_n, 0);
}

TEST(pool, says_when_there_is_no_memory_and_still_gives_what_it_has)
{
    tn__pool p;
    tn__pool_init(&p, 64, 1);
    tn__pool_give(&p, tn__pool_take(&p));
    tn__alloc_fail_after(0, true);
    void *kept = tn__pool_take(&p), *none = tn__pool_take(&p);
    tn__alloc_fail_after(-1, true);
    assert_non_null(kept);
    assert_null(none);
    tn__pool_give(&p, kept);
    tn__pool_done(&p);
}
