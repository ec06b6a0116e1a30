/*
 * What this floor keeps on a loop (its room there): the pool of output blocks, the resolver, the client's standard TLS context, and
 * streams whose owners have let go of them before all was sent. Freed with the loop.
 */
#ifndef TN_NET_ROOM_H
#define TN_NET_ROOM_H

#include "base/pool.h"
#include "core/loop.h"
#include "resolver.h"

typedef struct tn_tls tn_tls;

typedef struct tn__net_room {
    tn__pool blocks;
    tn__resolver *resolver; /* made when first asked for */
    tn_tls *client_tls;     /* likewise */
    tn__list orphans;       /* tn__iostream: they free themselves once they have sent what they have */
} tn__net_room;

tn__net_room *tn__net_room_make(tn_loop *loop);

/* The room of this loop, made when first asked for; NULL for lack of memory. */
static inline tn__net_room *tn__net_room_of(tn_loop *loop)
{
    tn__net_room *room = loop->rooms[TN__ROOM_NET].state;
    return room ? room : tn__net_room_make(loop);
}

/* The resolver of this loop; NULL for lack of memory. */
tn__resolver *tn__resolver_of(tn_loop *loop);

#endif
