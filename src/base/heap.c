/*
 * The binary heap behind the timers. The node at index i is never later than those at 2i+1 and 2i+2, and nodes[i]->place is i+1.
 */
#include "heap.h"

#include "alloc.h"
#include "tornado/error.h"

enum { CAP_MIN = 16 };

static bool before(const tn__heap_node *a, const tn__heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static void put(tn__heap *h, size_t i, tn__heap_node *node)
{
    h->nodes[i] = node;
    node->place = i + 1;
}

/* Index `i` is a hole. Move it up past later parents and put `node` there. */
static void sift_up(tn__heap *h, size_t i, tn__heap_node *node)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!before(node, h->nodes[parent])) break;
        put(h, i, h->nodes[parent]);
        i = parent;
    }
    put(h, i, node);
}

/* Index `i` is a hole. Move it down past earlier children and put `node` there. */
static void sift_down(tn__heap *h, size_t i, tn__heap_node *node)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->n) break;
        if (child + 1 < h->n && before(h->nodes[child + 1], h->nodes[child])) child++;
        if (!before(h->nodes[child], node)) break;
        put(h, i, h->nodes[child]);
        i = child;
    }
    put(h, i, node);
}

static int grow(tn__heap *h)
{
    size_t cap = h->cap ? h->cap * 2 : CAP_MIN;
    if (cap > SIZE_MAX / sizeof *h->nodes) return TN_ENOMEM;
    tn__heap_node **nodes = tn__realloc(h->nodes, cap * sizeof *nodes);
    if (!nodes) return TN_ENOMEM;
    h->nodes = nodes;
    h->cap = cap;
    return TN_OK;
}

int tn__heap_add(tn__heap *h, tn__heap_node *node, int64_t key)
{
    if (h->n == h->cap) TN_TRY(grow(h));
    node->key = key;
    node->sequence = h->sequence++;
    sift_up(h, h->n++, node);
    return TN_OK;
}

void tn__heap_remove(tn__heap *h, tn__heap_node *node)
{
    if (node->place == 0) return;
    size_t i = node->place - 1;
    node->place = 0;
    tn__heap_node *last = h->nodes[--h->n];
    if (last == node) return;
    if (i > 0 && before(last, h->nodes[(i - 1) / 2]))
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

void tn__heap_done(tn__heap *h)
{
    tn__free(h->nodes);
    *h = (tn__heap){0};
}
