/* Exchanges and their pool, and the rest of what this floor keeps on a loop. */
#include "exchange.h"

#include <time.h>

#include "base/alloc.h"
#include "date.h"
#include "room.h"

enum { BUF_KEPT = 65536 }; /* buffers up to this size stay with a pooled exchange */

static void really_free(tn__exchange *x)
{
    tn__arena_done(&x->arena);
    tn__buf_done(&x->body_buf);
    tn__buf_done(&x->out);
    tn__free(x);
}

static void room_free(tn_loop *loop, void *state)
{
    (void)loop;
    tn__http_room *room = state;
    tn__list *node;
    while ((node = tn__list_pop(&room->free))) really_free(TN__OWNER(node, tn__exchange, node));
    tn__free(room);
}

static void put_server_name(tn__http_room *room, tn_str name)
{
    char *out = room->common;
    memcpy(out, "Server: ", 8);
    memcpy(out + 8, name.p, name.n);
    memcpy(out + 8 + name.n, "\r\n", 2);
    room->server_n = 8 + name.n + 2;
    room->date_until_ns = INT64_MIN; /* the date follows, and has moved */
}

tn__http_room *tn__http_room_of(tn_loop *loop)
{
    tn__room *place = &loop->rooms[TN__ROOM_HTTP];
    if (place->state) return place->state;
    tn__http_room *room = tn__zalloc(sizeof *room);
    if (!room) return NULL;
    tn__list_init(&room->free);
    put_server_name(room, TN_S("TornadoServer/" TN_VERSION));
    place->state = room;
    place->free = room_free;
    return room;
}

void tn__http_common_refresh(tn__http_room *room, const tn_loop *loop)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    char *out = room->common + room->server_n;
    memcpy(out, "Date: ", 6);
    tn__date_format(out + 6, wall.tv_sec);
    memcpy(out + 6 + TN__DATE_BYTES, "\r\n", 2);
    room->common_n = room->server_n + 6 + TN__DATE_BYTES + 2;
    room->date_until_ns = loop->now_ns + 1000000000 - wall.tv_nsec;
}

int tn__http_set_server_name(tn_loop *loop, tn_str name)
{
    if (name.n > 40 || !tn__is_field_value(name)) return TN_EINVAL;
    tn__http_room *room = tn__http_room_of(loop);
    if (!room) return TN_ENOMEM;
    put_server_name(room, name);
    return TN_OK;
}

int tn__http_common_values(tn_loop *loop, tn_str *server, tn_str *date)
{
    enum { SERVER_NAME = 8, DATE_NAME = 6 }; /* "Server: " and "Date: " */
    tn__http_room *room = tn__http_room_of(loop);
    if (!room) return TN_ENOMEM;
    tn_str common = tn__http_common(room, loop);
    *server = tn_str_of(common.p + SERVER_NAME, room->server_n - SERVER_NAME - 2);
    *date = tn_str_of(common.p + room->server_n + DATE_NAME, TN__DATE_BYTES);
    return TN_OK;
}

/* Put a NUL behind each piece that the application will see, in the blanks and line ends that the grammar leaves there. */
static void terminate(tn__exchange *x)
{
    const tn__request_head *head = &x->head;
    x->base[head->method.at + head->method.n] = 0;
    x->base[head->target.at + head->target.n] = 0;
    for (uint32_t i = 0; i < head->n_fields; i++) {
        const tn__field *f = &head->fields[i];
        x->base[f->name.at + f->name.n] = 0;
        x->base[f->value.at + f->value.n] = 0;
    }
}

/* The head and its fields in one piece of the arena, so that they survive the receive buffer. */
static bool copy_head(tn__exchange *x, const char *p, const tn__request_head *head)
{
    size_t fields = head->n_fields * sizeof *head->fields;
    char *memory = tn__arena_alloc(&x->arena, fields + head->bytes + 1);
    if (!memory) return false;
    x->head = *head;
    if (fields) memcpy(memory, head->fields, fields);
    x->head.fields = (tn__field *)memory;
    x->base = memory + fields;
    memcpy(x->base, p, head->bytes);
    x->base[head->bytes] = 0;
    terminate(x);
    return true;
}

tn__exchange *tn__exchange_new(tn_loop *loop, tn__http1 *conn, const char *p, const tn__request_head *head, size_t arena_quota)
{
    tn__http_room *room = tn__http_room_of(loop);
    if (!room) return NULL;
    tn__list *node = tn__list_pop(&room->free);
    tn__exchange *x;
    if (node) {
        room->free_n--;
        x = TN__OWNER(node, tn__exchange, node);
        x->arena.quota = arena_quota;
    } else {
        x = tn__zalloc(sizeof *x);
        if (!x) return NULL;
        tn__list_init(&x->node);
        tn__arena_init(&x->arena, arena_quota);
    }
    x->conn = conn;
    x->content_length = -1;
    if (copy_head(x, p, head)) return x;
    tn__exchange_free(loop, x);
    return NULL;
}

/* Forget the content; a buffer of unusual size is given back. */
static void empty(tn_buf *b)
{
    if (b->cap > BUF_KEPT) tn__buf_done(b);
    b->n = 0;
}

void tn__exchange_free(tn_loop *loop, tn__exchange *x)
{
    tn__http_room *room = tn__http_room_of(loop);
    if (room->free_n >= TN__EXCHANGES_KEPT) {
        really_free(x);
        return;
    }
    tn__arena_reset(&x->arena);
    empty(&x->body_buf);
    empty(&x->out);
    size_t facts = offsetof(tn__exchange, user);
    memset((char *)x + facts, 0, sizeof *x - facts);
    x->body = (tn_str){0};
    tn__list_push_front(&room->free, &x->node);
    room->free_n++;
}
