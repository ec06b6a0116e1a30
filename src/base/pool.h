/*
 * A pool of blocks of one size, last in first out, so that the block taken is the one that is warmest in the cache. Used for the
 * blocks of output queues and the like. One thread.
 */
#ifndef TN_BASE_POOL_H
#define TN_BASE_POOL_H

#include <stddef.h>

typedef struct tn__pool {
    void *free;         /* given back, linked through their first bytes */
    size_t block_bytes; /* at least a pointer's */
    size_t free_n, free_max;
} tn__pool;

/* Allocates nothing yet. Beyond `free_max` free blocks, what is given back goes to the allocator. */
void tn__pool_init(tn__pool *p, size_t block_bytes, size_t free_max);

/* A block with whatever bytes it holds; NULL for lack of memory. */
void *tn__pool_take(tn__pool *p);

/* NULL is fine. */
void tn__pool_give(tn__pool *p, void *block);

/* Frees the free blocks. Those still out are the caller's: tn__free them, or give them back and be done again. */
void tn__pool_done(tn__pool *p);

#endif
