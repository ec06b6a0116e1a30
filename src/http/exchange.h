/*
 * An exchange: one request and its response. Everything about it that outlives the read event lies in its arena, so it may wait as
 * long as it likes. Exchanges come from a pool of the loop: a connection that has no request in hand has none.
 */
#ifndef TN_HTTP_EXCHANGE_H
#define TN_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/loop.h"
#include "parser.h"

typedef struct tn__http1 tn__http1;

typedef struct tn__exchange {
    tn__list node; /* in the pool */
    tn__http1 *conn;
    tn__arena arena;
    tn__request_head head; /* its fields lie in the arena */
    char *base;            /* what the head's slices are offsets from; each piece is followed by a NUL */
    tn_str body;           /* the whole body, followed by a NUL; empty while streaming */
    tn_buf body_buf;       /* where it grows when it did not come in one piece */
    tn_buf out;            /* for the application: what it has written and not yet sent */
    void *user;            /* the application's */

    int64_t content_length; /* of the response; -1 unknown */
    int64_t sent;           /* body bytes of the response so far */
    int status;
    bool streaming; /* the body goes to `chunk` */
    bool body_read; /* the request is complete */
    bool persist;   /* the connection may serve another request */
    bool head_sent; /* status and fields are fixed */
    bool chunked;   /* response coding */
    bool bodiless;  /* HEAD, 1xx, 204, 304: bytes are counted and not sent */
    bool ended;     /* the response is complete, or never will be */
    bool broken;    /* the request will never be complete, or the connection is gone */
} tn__exchange;

/* From the pool, with the head copied to its arena. NULL for lack of memory. */
tn__exchange *tn__exchange_new(tn_loop *loop, tn__http1 *conn, const char *p, const tn__request_head *head, size_t arena_quota);
void tn__exchange_free(tn_loop *loop, tn__exchange *x);

static inline tn_str tn__exchange_slice(const tn__exchange *x, tn__slice s)
{
    return tn_str_of(x->base + s.at, s.n);
}

#endif
