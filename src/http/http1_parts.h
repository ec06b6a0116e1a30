/* What the files of the HTTP/1 connection share with each other and with nobody else. */
#ifndef TN_HTTP_HTTP1_PARTS_H
#define TN_HTTP_HTTP1_PARTS_H

#include "http1.h"
#include "server.h"

enum {
    TN__OUT_HIGH = 65536,          /* above this much unsent output no further request is begun */
    TN__TAKE_MIN = 16384,          /* a body from this size on is sent from where it lies */
    TN__LINGER_BYTES_MAX = 1 << 20 /* thrown away at most while lingering */
};

static inline tn_loop *tn__http1_loop(const tn__http1 *c)
{
    return c->stream.loop;
}

/* http1_read.c: what arrives. */
size_t tn__http1_bytes(tn_stream *s, char *p, size_t n);

/*
 * http1_refuse.c: answer what cannot be served with a complete error response and a closed connection. `refuse` is for when no
 * application has the exchange in hand; `abandon` takes the exchange away from one that has.
 */
void tn__http1_refuse(tn__http1 *c, int status, const char *reason);
void tn__http1_abandon(tn__http1 *c, int status, const char *reason);

/* http1.c: the connection's last response is queued: let it reach the peer, then close. */
void tn__http1_linger(tn__http1 *c);

/* http1.c: the present state may last that long from now on; then on_timeout ends it. */
void tn__http1_wait(tn__http1 *c, int64_t at_most_ns);

#endif
