/* The pool of equal blocks: a stack of free ones, each of which holds the pointer to the next. */
#include "pool.h"

#include <assert.h>

#include "alloc.h"

void tn__pool_init(tn__pool *p, size_t block_bytes, size_t free_max)
{
    assert(block_bytes >= sizeof(void *));
    *p = (tn__pool){.block_bytes = block_bytes, .free_max = free_max};
}

void *tn__pool_take(tn__pool *p)
{
    void **block = p->free;
    if (!block) return tn__alloc(p->block_bytes);
    p->free = *block;
    p->free_n--;
    return block;
}

void tn__pool_give(tn__pool *p, void *block)
{
    if (!block) return;
    if (p->free_n >= p->free_max) {
        tn__free(block);
        return;
    }
    *(void **)block = p->free;
    p->free = block;
    p->free_n++;
}

void tn__pool_done(tn__pool *p)
{
    while (p->free) {
        void **block = p->free;
        p->free = *block;
        tn__free(block);
    }
    p->free_n = 0;
}
