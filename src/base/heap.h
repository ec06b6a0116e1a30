/*
 * Binary heap of pointers to nodes, ordered by (key, order of insertion). Each node knows its place, so that removing one that is
 * not on top costs O(log n) too.
 */
#ifndef TN_BASE_HEAP_H
#define TN_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

typedef struct tn__heap_node {
    int64_t key;
    uint64_t sequence; /* set by tn__heap_add: first come, first out among equal keys */
    size_t place;      /* index + 1; 0 when in no heap */
} tn__heap_node;

typedef struct tn__heap {
    tn__heap_node **nodes;
    size_t n, cap;
    uint64_t sequence;
} tn__heap;

int tn__heap_add(tn__heap *h, tn__heap_node *node, int64_t key); /* TN_ENOMEM */
void tn__heap_remove(tn__heap *h, tn__heap_node *node);          /* harmless when in no heap */
void tn__heap_done(tn__heap *h);                                 /* frees the array, not the nodes */

/* The node with the least key; NULL when empty. */
static inline tn__heap_node *tn__heap_top(const tn__heap *h)
{
    return h->n ? h->nodes[0] : NULL;
}

#endif
