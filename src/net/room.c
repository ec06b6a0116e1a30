/* The room of this floor on a loop: see room.h. */
#include "room.h"

#include "base/alloc.h"
#include "block.h"
#include "iostream_ops.h"
#include "tornado/tls.h"

static void room_free(tn_loop *loop, void *state)
{
    tn__net_room *room = state;
    /* Streams give their blocks back to the pool: they must find this room, not make another. */
    loop->rooms[TN__ROOM_NET].state = room;
    for (tn__list *node; (node = tn__list_pop(&room->orphans));) tn__iostream_destroy(TN__OWNER(node, tn__iostream, node));
    loop->rooms[TN__ROOM_NET].state = NULL;
    tn__resolver_free(room->resolver);
    tn_tls_free(room->client_tls);
    tn__pool_done(&room->blocks);
    tn__free(room);
}

tn__net_room *tn__net_room_make(tn_loop *loop)
{
    tn__net_room *room = tn__zalloc(sizeof *room);
    if (!room) return NULL;
    tn__pool_init(&room->blocks, TN__BLOCK_BYTES, TN__BLOCKS_KEPT);
    tn__list_init(&room->orphans);
    loop->rooms[TN__ROOM_NET] = (tn__room){room, room_free};
    return room;
}

tn__resolver *tn__resolver_of(tn_loop *loop)
{
    tn__net_room *room = tn__net_room_of(loop);
    if (room && !room->resolver) room->resolver = tn__resolver_new(loop, TN__RESOLVER_THREADS);
    return room ? room->resolver : NULL;
}
