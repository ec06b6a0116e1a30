/* Blocks of output, from a pool that lives in the loop's room for this floor. */
#include "block.h"

#include "base/alloc.h"
#include "room.h"

tn__block *tn__block_new(tn_loop *loop, size_t n)
{
    bool pooled = n <= TN__BLOCK_BYTES - sizeof(tn__block);
    tn__net_room *room = pooled ? tn__net_room_of(loop) : NULL;
    if (pooled && !room) return NULL;
    tn__block *b = pooled ? tn__pool_take(&room->blocks) : tn__alloc(sizeof *b + n);
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
        tn__pool_give(&tn__net_room_of(loop)->blocks, b);
        return;
    }
    if (b->elsewhere) tn__free(b->p);
    tn__free(b);
}
