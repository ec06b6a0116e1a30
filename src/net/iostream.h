/*
 * A stream: one connected descriptor, edge-triggered, with what has arrived and was not yet used, and what is still to be sent.
 *
 * The stream is embedded in its user's object (an HTTP connection, say) and speaks to it through four functions. It holds no memory
 * while idle: bytes are received into the loop's buffer and offered in place; only what the user leaves is kept. Output is
 * appended to blocks from a pool of the loop and leaves in one send when the read event that caused it has been worked off, or at
 * the end of the turn.
 */
#ifndef TN_NET_IOSTREAM_H
#define TN_NET_IOSTREAM_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "core/loop.h"

typedef struct tn_stream tn_stream;
typedef struct tn__block tn__block;

/*
 * What stands between a stream and its descriptor, where that is not a plain socket: TLS, or the calls that pipes want. Streams
 * without one call recv and send themselves.
 */
typedef struct tn__transport {
    /* As recv: how many bytes, 0 at the end of input, TN_EAGAIN when no more can come before the next event, or another error. */
    ssize_t (*recv)(tn_stream *s, char *p, size_t n);

    /*
     * As sendmsg, with `n` > 0 pieces that are not empty: how many bytes were taken, TN_EAGAIN when no more can leave before the
     * next event, or another error. 0: nothing can leave yet for reasons of its own, and it will call tn__stream_flush itself.
     */
    ssize_t (*send)(tn_stream *s, const struct iovec *pieces, int n);

    /* No more output will come. */
    void (*shutdown_write)(tn_stream *s);

    /* The descriptor is about to be closed: say goodbye if there is something to say, and free what is the transport's. */
    void (*close)(tn_stream *s);
} tn__transport;

typedef struct tn__stream_user {
    /*
     * `n` bytes are there. Returns how many were used; the rest is kept and offered again together with what comes next. Using none
     * means that more is needed. After tn__stream_pause nothing is offered, nor read, until tn__stream_resume.
     */
    size_t (*bytes)(tn_stream *s, char *p, size_t n);

    /* The peer sends no more. Called once, when all that came before has been offered. The stream can still be written to. */
    void (*eof)(tn_stream *s);

    /*
     * The peer sends no more, or is gone, noticed while the stream is paused and cannot say so by `eof`. Once for each pause. May be
     * NULL.
     */
    void (*hangup)(tn_stream *s);

    /* The system has not taken all output, and later it has. NULL when nobody cares. */
    void (*congested)(tn_stream *s);
    void (*drained)(tn_stream *s);

    /* The stream is closed, `error` says why (0: by our own wish). Called once, from the ready list; may free the stream's owner. */
    void (*closed)(tn_stream *s, int error);
} tn__stream_user;

struct tn_stream {
    tn__io io;
    tn_loop *loop;
    const tn__stream_user *user;
    const tn__transport *transport; /* NULL: a plain socket */
    void *transport_state;
    tn__work again;          /* ready phase: go on reading, or report the end */
    tn__work flush;          /* end of the turn: send */
    tn__block *first, *last; /* output not yet taken by the system */
    size_t out_bytes;        /* and how much it is */
    char *direct; /* the user's: where to receive to instead of the loop's buffer, while nothing is kept; NULL: nowhere */
    size_t direct_n;
    tn_buf kept;      /* input offered and not used */
    uint32_t kept_at; /* the part of `kept` in front that has been used since */
    int error;
    bool readable, writable; /* edges not yet used up */
    bool peer_closed;        /* the system said that no more will come */
    bool eof, eof_told;      /* recv has returned 0; the user knows */
    bool hangup_told;
    bool paused;
    bool corked;         /* inside a read event: output waits for its end */
    bool closed;         /* no descriptor any more */
    bool congested;      /* a send left something over */
    char *offered;       /* the buffer being offered right now, if any */
    bool offered_kept;   /* it is `kept` and not the loop's */
    bool offered_stolen; /* the user has taken it (tn__stream_hold) */
};

/* Take the descriptor over; it is non-blocking and belongs to the stream from here on, even on failure. */
int tn__stream_open(tn_stream *s, tn_loop *loop, int fd, const tn__stream_user *user);

/*
 * Close at once: input and unsent output are dropped, `closed` follows from the ready list. Harmless when closed already.
 */
void tn__stream_close(tn_stream *s, int error);

/* Give back what a closed stream still holds, without any call to the user: for owners that free themselves. */
void tn__stream_done(tn_stream *s);

/* Stop and go on offering input. Resuming offers what was kept from the ready list, never inside this call. */
void tn__stream_pause(tn_stream *s);
void tn__stream_resume(tn_stream *s);

/* Bytes that have arrived and not been used. */
static inline size_t tn__stream_kept(const tn_stream *s)
{
    return s->kept.n - s->kept_at;
}

/*
 * Inside `bytes`: keep the buffer that is being offered, so that what was handed on stays valid after the return. The caller owns
 * it (tn__free). NULL for lack of memory.
 */
void *tn__stream_hold(tn_stream *s);

/* Room for `n` more bytes of output in one piece; NULL for lack of memory. The bytes written are added by tn__stream_commit. */
char *tn__stream_reserve(tn_stream *s, size_t n);
void tn__stream_commit(tn_stream *s, size_t n);

/* Append output. TN_ENOMEM; TN_ECLOSED. It leaves when the present read event, or else the turn, ends. */
int tn__stream_write(tn_stream *s, tn_str data);

/* The same without a copy: `data` is emptied and its memory freed once sent. */
int tn__stream_write_take(tn_stream *s, tn_buf *data);

/* Send now what can be sent. */
void tn__stream_flush(tn_stream *s);

/* No more output will come: tell the peer (after what is queued was sent). */
void tn__stream_shutdown_write(tn_stream *s);

#endif
