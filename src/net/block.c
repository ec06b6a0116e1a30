/* Blocks of output and their pool, which lives in the loop's room for this floor. */
#include "block.h"

#include "base/alloc.h"
#include "base/pool.h"

static void pool_free(tn_loop *loop, void *state)
{
    (void)loop;
    tn__pool_done(state);
    tn__free(state);
}

static tn__pool *pool_of(tn_loop *loop)
{
    tn__room *room = &loop->rooms[TN__ROOM_NET];
    if (room->state) return room->state;
    tn__pool *pool = tn__alloc(sizeof *pool);
    if (!pool) return NULL;
    tn__pool_init(pool, TN__BLOCK_BYTES, TN__BLOCKS_KEPT);
    room->state = pool;
    room->free = pool_free;
    return pool;
}

tn__block *tn__block_new(tn_loop *loop, size_t n)
{
    bool pooled = n <= TN__BLOCK_BYTES - sizeof(tn__block);
    tn__pool *pool = pooled ? pool_of(loop) : NULL;
    if (pooled && !pool) return NULL;
    tn__block *b = pooled ? tn__pool_take(pool) : tn__alloc(sizeof *b + n);
    if (!b) return NULL;
    size_t cap = pooled ? TN__BLOCK_BYTES - sizeof *b : n;
    *b = (tn__block){.p = (char *)(b + 1), .cap = cap, .pooled = pooled};
    return b;
}

tn__block *tn__block_around(char *p, size_t n)
{
    tn__block *b = tn__alloc(sizeof *b);
    if (!b) return NULL;
    *b = (tn__block){.p = p, .n = n, .elsewhere = true};
    return b;
}

void tn__block_free(tn_loop *loop, tn__block *b)
{
    if (b->pooled) {
        tn__pool_give(pool_of(loop), b);
        return;
    }
    if (b->elsewhere) tn__free(b->p);
    tn__free(b);
}
