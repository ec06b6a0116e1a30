#include "test.h"

#include "base/list.h"

typedef struct item {
    int number;
    tn__list node;
} item;

static int number_of(tn__list *node)
{
    return TN__OWNER(node, item, node)->number;
}

TEST(list, gives_its_nodes_in_the_order_they_were_pushed)
{
    tn__list head;
    item items[3] = {{1}, {2}, {3}};
    tn__list_init(&head);
    assert_true(tn__list_empty(&head));
    assert_null(tn__list_pop(&head));
    tn__list_push(&head, &items[1].node);
    tn__list_push(&head, &items[2].node);
    tn__list_push_front(&head, &items[0].node);
    for (int i = 1; i <= 3; i++) assert_int_equal(number_of(tn__list_pop(&head)), i);
    assert_true(tn__list_empty(&head));
}

TEST(list, forgets_a_removed_node_and_ignores_a_second_removal)
{
    tn__list head;
    item a = {1}, b = {2};
    tn__list_init(&head);
    tn__list_push(&head, &a.node);
    tn__list_push(&head, &b.node);
    assert_true(tn__list_linked(&a.node));
    tn__list_remove(&a.node);
    tn__list_remove(&a.node);
    assert_false(tn__list_linked(&a.node));
    assert_int_equal(number_of(tn__list_pop(&head)), 2);
}

TEST(list, takes_over_all_nodes_of_another)
{
    tn__list to, from;
    item a = {1}, b = {2}, c = {3};
    tn__list_init(&to);
    tn__list_init(&from);
    tn__list_splice(&to, &from);
    assert_true(tn__list_empty(&to));
    tn__list_push(&to, &a.node);
    tn__list_push(&from, &b.node);
    tn__list_push(&from, &c.node);
    tn__list_splice(&to, &from);
    assert_true(tn__list_empty(&from));
    for (int i = 1; i <= 3; i++) assert_int_equal(number_of(tn__list_pop(&to)), i);
}
