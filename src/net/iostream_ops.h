/*
 * Streams whose input is asked for: the object behind the tn_stream of the public calls, for both faces.
 *
 * A tn_stream offers bytes as they come; here is a user of it that collects them until they are what somebody waits for, and
 * pauses the stream while nobody does, so that a peer who is faster than the program is stopped by TCP. Each call takes an
 * operation, as all waiting in the engine does. One read at a time; any number of writes.
 */
#ifndef TN_NET_IOSTREAM_OPS_H
#define TN_NET_IOSTREAM_OPS_H

#include "core/op.h"
#include "iostream.h"
#include "tornado/tls.h"

typedef struct tn__iostream tn__iostream;

enum {
    TN__OUT_HIGH_MARK = 65536,        /* a write waits while more than this is unsent */
    TN__STREAM_BYTES_MAX = 104857600, /* Tornado's max_buffer_size, for each direction */
};

typedef enum tn__read_kind {
    TN__READ_BYTES, /* `n` bytes */
    TN__READ_INTO,  /* `n` bytes into memory of the caller */
    TN__READ_UNTIL, /* up to and with `delim` */
    TN__READ_MATCH, /* up to the end of the first match */
    TN__READ_ALL    /* up to the end of input */
} tn__read_kind;

/*
 * Looks for a match in `data`, in which there was none before `from`. 1: found, it ends at `*at`. 0: none as yet; `*at` is where the
 * next search may begin. Or an error.
 */
typedef int tn__stream_match(void *arg, tn_str data, size_t from, size_t *at);

/* A read, owned by whoever waits: it lies there until its operation has ended or was cancelled, and so does what it points to. */
typedef struct tn__read {
    tn__read_kind kind;
    bool partial; /* BYTES, INTO: one byte is enough */
    size_t n;
    size_t max; /* UNTIL, MATCH, ALL: TN_ETOOBIG beyond; 0: the stream's own limit */
    char *into;
    tn_str delim;
    tn__stream_match *match;
    void *match_arg;
    tn_str *out; /* all but INTO: the bytes; valid until the next read, or until the stream is freed */

    tn__op *op;     /* the rest is the stream's */
    size_t scanned; /* where a search goes on */
    size_t got;     /* INTO: bytes in place */
} tn__read;

/* Somebody who waits for output to leave; owned like a read. */
typedef struct tn__writer {
    tn__list node;
    tn__op *op;
} tn__writer;

struct tn__iostream {
    tn_stream stream; /* the first member: the tn_stream that programs see is this one */
    tn_buf in;        /* what has come; [in_at, in.n) was not given out yet */
    size_t in_at;
    size_t lent;   /* so many bytes at in_at were given out by the last read; the next one lets go of them */
    bool in_taken; /* `in` is a buffer of the loop's */
    tn__read *reading;
    tn__list writers;
    size_t in_max, out_max;
    int64_t idle_ns; /* 0: a wait may be as long as it likes */
    tn__timeout idle;
    size_t out_seen; /* unsent output when `idle` was last set */
    size_t discarded;
    tn_callback *closed_fn;
    void *closed_arg;
    tn__work tell;    /* calls closed_fn after the end of input */
    tn__op *securing; /* waits for a TLS handshake */
    void *matcher;    /* kept for the floors above */
    void (*matcher_free)(void *matcher);
    tn__list node;   /* in the room's orphans */
    bool eof;        /* the peer sends no more */
    bool told;       /* closed_fn was called */
    bool closing;    /* by our own wish: closed, or as soon as all is sent */
    bool orphan;     /* freed by its owner: goes when it is closed */
    bool shut;       /* no more output will come */
    bool discarding; /* all is sent, and the peer is awaited so that it may read it */
};

static inline tn__iostream *tn__iostream_of(tn_stream *s)
{
    return (tn__iostream *)s;
}

/*
 * Make a stream of a descriptor that does not block, which belongs to it from here on, even on failure. transport: NULL for
 * sockets. NULL for lack of memory, or when the system refuses to watch the descriptor; `*error` says which.
 */
tn__iostream *tn__iostream_new(tn_loop *loop, int fd, const tn__transport *transport, int *error);

/*
 * Read. TN_OK, with the bytes in r->out, or for INTO their number in r->got; TN__PENDING, and then `op` ends with TN_OK (the number,
 * for INTO), or with
 * TN_EOF        the peer has closed before that; what came stays to be read
 * TN_ETOOBIG    the limit is reached; what came stays to be read
 * TN_ECLOSED    closed by tn__iostream_close
 * TN_ETIMEDOUT  nothing came for the idle time
 * or the system's error. TN_EBUSY while another read waits. Data that has come is given out even if the connection is broken by now.
 * Cancelling `op` loses nothing.
 */
int tn__iostream_read(tn__iostream *io, tn__read *r, tn__op *op);

/*
 * Queue `data` whole, or fail: TN_ECLOSED, TN_ETOOBIG when too much is unsent already, TN_ENOMEM, the system's error. TN__PENDING
 * when more than the high-water mark is unsent: `op` ends when all has left. It is sent whatever becomes of `op`.
 */
int tn__iostream_write(tn__iostream *io, tn_str data, tn__writer *w, tn__op *op);

/* Send now; TN_OK, or TN__PENDING until all has left. */
int tn__iostream_drain(tn__iostream *io, tn__writer *w, tn__op *op);

/*
 * Put TLS under the stream and wait for the handshake, timeout_ns at most; server_name and `err` as in tn__tls_attach. TN_EBUSY when
 * a read waits, or something is unread or unsent; TN_EINVAL, TN_ENOMEM: nothing has changed. TN__PENDING, and then `op` ends with
 * TN_OK, or with why the stream was closed: TN_ETLS, TN_EOF, TN_ETIMEDOUT, the system's error. Cancelling `op` closes it too.
 */
int tn__iostream_secure(tn__iostream *io, tn_tls *tls, const char *server_name, int64_t timeout_ns, tn_error *err, tn__op *op);

/* No more output will come; input goes on. The peer is told once all is sent. */
void tn__iostream_shutdown_write(tn__iostream *io);

/* Limits of a stream; 0 means the standard one, for idle_ns that there is none. */
typedef struct tn__stream_limits {
    size_t in_max, out_max; /* bytes that one read may collect; that may be unsent when another write comes */
    int64_t idle_ns;        /* how long the peer may keep us waiting in one go */
} tn__stream_limits;
void tn__iostream_limit(tn__iostream *io, const tn__stream_limits *limits);

/* Call fn(arg) once, when all input was read and no more can come, or when the stream is closed; never inside another call. */
void tn__iostream_on_close(tn__iostream *io, tn_callback *fn, void *arg);

/*
 * Close: who waits is told TN_ECLOSED, and what is still unsent leaves first (for as long as the peer takes some of it every 30
 * seconds). If input is unread by then, closing would be a reset, which could destroy what the peer has not read yet: so the peer gets
 * two seconds to come to its end, and what it still sends is thrown away. `abort` closes at once. Harmless when closed.
 */
void tn__iostream_close(tn__iostream *io);
void tn__iostream_abort(tn__iostream *io);

/* Close and give back; the close callback is not called any more. NULL is fine. */
void tn__iostream_free(tn__iostream *io);

/* Free at once, dropping what is unsent: the loop is going. */
void tn__iostream_destroy(tn__iostream *io);

#endif
