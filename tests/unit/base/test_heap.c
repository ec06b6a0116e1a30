#include "test.h"

#include "base/alloc.h"
#include "base/heap.h"
#include "tornado/error.h"

enum { NODES = 2000 };
static tn__heap_node nodes[NODES];

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static tn__heap_node *pop(tn__heap *h)
{
    tn__heap_node *top = tn__heap_top(h);
    if (top) tn__heap_remove(h, top);
    return top;
}

TEST(heap, gives_its_nodes_in_the_order_of_their_keys)
{
    tn__heap h = {0};
    uint32_t seed = 1;
    for (int i = 0; i < NODES; i++) assert_int_equal(tn__heap_add(&h, &nodes[i], (int64_t)draw(&seed) - (1 << 23)), 0);
    int64_t last = INT64_MIN;
    for (int i = 0; i < NODES; i++) {
        tn__heap_node *node = pop(&h);
        assert_true(node->key >= last);
        assert_int_equal(node->place, 0);
        last = node->key;
    }
    assert_null(tn__heap_top(&h));
    tn__heap_done(&h);
}

TEST(heap, gives_equal_keys_in_the_order_of_insertion)
{
    tn__heap h = {0};
    for (int i = 0; i < 100; i++) tn__heap_add(&h, &nodes[i], i % 2);
    for (int i = 0; i < 100; i += 2) assert_ptr_equal(pop(&h), &nodes[i]);
    for (int i = 1; i < 100; i += 2) assert_ptr_equal(pop(&h), &nodes[i]);
    tn__heap_done(&h);
}

TEST(heap, stays_ordered_when_nodes_are_removed_from_the_middle)
{
    tn__heap h = {0};
    uint32_t seed = 7;
    for (int i = 0; i < NODES; i++) tn__heap_add(&h, &nodes[i], draw(&seed) % 500);
    size_t removed = 0;
    for (int i = 0; i < NODES; i += 3, removed++) tn__heap_remove(&h, &nodes[i]);
    assert_int_equal(h.n, NODES - removed);
    int64_t last = -1;
    for (tn__heap_node *node; (node = pop(&h)); last = node->key) {
        assert_true(node->key >= last);
        assert_true((node - nodes) % 3 != 0);
    }
    tn__heap_done(&h);
}

TEST(heap, ignores_the_removal_of_a_node_that_is_in_none)
{
    tn__heap h = {0};
    tn__heap_node node = {0};
    tn__heap_remove(&h, &node);
    tn__heap_add(&h, &node, 1);
    tn__heap_remove(&h, &node);
    tn__heap_remove(&h, &node);
    assert_int_equal(h.n, 0);
    tn__heap_done(&h);
}

TEST(heap, is_as_it_was_when_there_is_no_memory)
{
    tn__heap h = {0};
    tn__heap_node node = {0};
    tn__alloc_fail_after(0, true);
    int rc = tn__heap_add(&h, &node, 1);
    tn__alloc_fail_after(-1, true);
    assert_int_equal(rc, TN_ENOMEM);
    assert_int_equal(node.place, 0);
    assert_int_equal(h.n, 0);
    tn__heap_done(&h);
}
