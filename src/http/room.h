/* What this floor keeps on a loop: the pool of exchanges, and the fields that every response begins with. */
#ifndef TN_HTTP_ROOM_H
#define TN_HTTP_ROOM_H

#include "core/loop.h"

enum { TN__EXCHANGES_KEPT = 256, TN__COMMON_FIELDS_MAX = 128 };

typedef struct tn__http_room {
    tn__list free; /* exchanges, hottest first */
    int free_n;
    int64_t date_until_ns; /* loop time at which the second is over */
    size_t server_n;       /* of `common`: "Server: ...\r\n" */
    size_t common_n;       /* and behind it "Date: ...\r\n" */
    char common[TN__COMMON_FIELDS_MAX];
} tn__http_room;

/* NULL for lack of memory. */
tn__http_room *tn__http_room_of(tn_loop *loop);

void tn__http_common_refresh(tn__http_room *room, const tn_loop *loop);

/* "Server: ...\r\nDate: ...\r\n", the date never more than a second old. */
static inline tn_str tn__http_common(tn__http_room *room, const tn_loop *loop)
{
    if (loop->now_ns >= room->date_until_ns) tn__http_common_refresh(room, loop);
    return tn_str_of(room->common, room->common_n);
}

/* Another name than our own in Server: at most 40 bytes. TN_ENOMEM, TN_EINVAL. */
int tn__http_set_server_name(tn_loop *loop, tn_str name);

/* The two values alone. TN_ENOMEM. */
int tn__http_common_values(tn_loop *loop, tn_str *server, tn_str *date);

#endif
