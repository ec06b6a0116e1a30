#include "test.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/table.h"
#include "tornado/error.h"

enum { KEYS = 1000 };
static char keys[KEYS][16];

static tn_str key(int i)
{
    snprintf(keys[i], sizeof keys[i], "/path/%d", i);
    return tn_z(keys[i]);
}

TEST(table, finds_what_was_set_and_nothing_else)
{
    tn__table t = {0};
    assert_null(tn__table_get(&t, TN_S("x")));
    for (int i = 0; i < KEYS; i++) assert_int_equal(tn__table_set(&t, key(i), keys[i]), 0);
    assert_int_equal(t.n, KEYS);
    for (int i = 0; i < KEYS; i++) assert_ptr_equal(tn__table_get(&t, key(i)), keys[i]);
    assert_null(tn__table_get(&t, TN_S("/path/1000")));
    assert_null(tn__table_get(&t, TN_S("/path/")));
    assert_null(tn__table_get(&t, TN_S("")));
    tn__table_done(&t);
}

TEST(table, replaces_the_value_of_a_key_it_has)
{
    tn__table t = {0};
    tn__table_set(&t, TN_S("a"), keys[0]);
    tn__table_set(&t, TN_S("a"), keys[1]);
    assert_int_equal(t.n, 1);
    assert_ptr_equal(tn__table_get(&t, TN_S("a")), keys[1]);
    tn__table_done(&t);
}

TEST(table, takes_the_empty_key_and_keys_with_nul_bytes)
{
    tn__table t = {0};
    tn__table_set(&t, tn_str_of(NULL, 0), keys[0]);
    tn__table_set(&t, TN_S("a\0b"), keys[1]);
    assert_ptr_equal(tn__table_get(&t, TN_S("")), keys[0]);
    assert_ptr_equal(tn__table_get(&t, TN_S("a\0b")), keys[1]);
    assert_null(tn__table_get(&t, TN_S("a\0c")));
    tn__table_done(&t);
}

TEST(table, walks_every_entry_once)
{
    tn__table t = {0};
    for (int i = 0; i < 100; i++) tn__table_set(&t, key(i), keys[i]);
    int seen = 0;
    tn__table_slot *slot;
    for (size_t at = 0; (slot = tn__table_next(&t, &at)); seen++) assert_ptr_equal(slot->key.p, slot->value);
    assert_int_equal(seen, 100);
    tn__table_done(&t);
}

TEST(table, is_as_it_was_when_there_is_no_memory)
{
    tn__table t = {0};
    for (int i = 0; i < 12; i++) tn__table_set(&t, key(i), keys[i]); /* three quarters of 16 */
    tn__alloc_fail_after(0, true);
    int added = tn__table_set(&t, key(12), keys[12]);
    int replaced = tn__table_set(&t, key(3), keys[4]);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(added, TN_ENOMEM);
    assert_int_equal(replaced, 0);
    assert_int_equal(t.n, 12);
    assert_null(tn__table_get(&t, key(12)));
    assert_ptr_equal(tn__table_get(&t, key(11)), keys[11]);
    tn__table_done(&t);
}
