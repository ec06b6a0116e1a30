/*
 * Intrusive doubly linked list, circular: an empty list is a head that points to itself, and so is a node that is in no list.
 * Every operation is O(1) but the count.
 */
#ifndef TN_BASE_LIST_H
#define TN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tn__list {
    struct tn__list *next, *prev;
} tn__list;

/* The object of `type` whose member `member` lies at `pointer`. */
#define TN__OWNER(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void tn__list_init(tn__list *l)
{
    l->next = l->prev = l;
}

static inline bool tn__list_empty(const tn__list *l)
{
    return l->next == l;
}

/* Is this node in a list? */
static inline bool tn__list_linked(const tn__list *node)
{
    return node->next != node;
}

static inline void tn__list_insert_before(tn__list *place, tn__list *node)
{
    node->prev = place->prev;
    node->next = place;
    place->prev->next = node;
    place->prev = node;
}

static inline void tn__list_push(tn__list *head, tn__list *node)
{
    tn__list_insert_before(head, node);
}

static inline void tn__list_push_front(tn__list *head, tn__list *node)
{
    tn__list_insert_before(head->next, node);
}

/* Take a node out of its list; harmless for a node that is in none. */
static inline void tn__list_remove(tn__list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    tn__list_init(node);
}

/* Take out and return the first node; NULL when the list is empty. */
static inline tn__list *tn__list_pop(tn__list *head)
{
    tn__list *node = head->next;
    if (node == head) return NULL;
    tn__list_remove(node);
    return node;
}

/* Move everything from `from` to the end of `to`. */
static inline void tn__list_splice(tn__list *to, tn__list *from)
{
    if (tn__list_empty(from)) return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    tn__list_init(from);
}

#endif
