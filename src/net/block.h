/*
 * Blocks of output: a queue of them hangs on every stream that has something to send. Small ones come from a pool of the loop and
 * go back to it, hottest first; a large body lies in a block of its own that merely points to it.
 */
#ifndef TN_NET_BLOCK_H
#define TN_NET_BLOCK_H

#include "core/loop.h"

typedef struct tn__block tn__block;

enum {
    TN__BLOCK_BYTES = 16384, /* a pooled block, its header included */
    TN__BLOCKS_KEPT = 64,    /* free ones the loop keeps */
};

struct tn__block {
    tn__block *next;
    char *p;        /* the bytes: behind the header, or somewhere else */
    size_t at, n;   /* sent up to; filled up to */
    size_t cap;     /* 0 when nothing may be appended */
    bool pooled;    /* came from the pool */
    bool elsewhere; /* `p` is an allocation of its own */
};

/* A block with room for `n` bytes at least. NULL for lack of memory. */
tn__block *tn__block_new(tn_loop *loop, size_t n);

/* A block around an allocation that it frees. NULL for lack of memory, and then the bytes stay the caller's. */
tn__block *tn__block_around(char *p, size_t n);

void tn__block_free(tn_loop *loop, tn__block *b);

#endif
