/*
 * The writing half of a stream: output is appended to blocks, and leaves in as few sends as possible.
 *
 * Inside a read event the end of that event sends; anywhere else the end of the turn does. What the system does not take waits
 * for its next edge.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "block.h"
#include "iostream.h"
#include "iostream_parts.h"

enum { PIECES_MAX = 32 }; /* blocks handed to the system at once */

static void schedule(tn_stream *s)
{
    if (!s->corked && s->writable) tn__late(s->loop, &s->flush);
}

static void append(tn_stream *s, tn__block *b)
{
    if (s->last)
        s->last->next = b;
    else
        s->first = b;
    s->last = b;
}

char *tn__stream_reserve(tn_stream *s, size_t n)
{
    tn__block *b = s->last;
    if (!b || b->cap - b->n < n || b->elsewhere) {
        b = tn__block_new(s->loop, n);
        if (!b) return NULL;
        append(s, b);
    }
    return b->p + b->n;
}

void tn__stream_commit(tn_stream *s, size_t n)
{
    s->last->n += n;
    s->out_bytes += n;
    schedule(s);
}

int tn__stream_write(tn_stream *s, tn_str data)
{
    if (s->closed) return TN_ECLOSED;
    if (data.n == 0) return TN_OK;
    char *out = tn__stream_reserve(s, data.n);
    if (!out) return TN_ENOMEM;
    memcpy(out, data.p, data.n);
    tn__stream_commit(s, data.n);
    return TN_OK;
}

int tn__stream_write_take(tn_stream *s, tn_buf *data)
{
    if (s->closed) return TN_ECLOSED;
    if (data->n == 0) {
        tn__buf_done(data);
        return TN_OK;
    }
    tn__block *b = tn__block_around(data->p, data->n);
    if (!b) return TN_ENOMEM;
    append(s, b);
    s->out_bytes += data->n;
    *data = (tn_buf){0};
    schedule(s);
    return TN_OK;
}

static void drop_first(tn_stream *s)
{
    tn__block *b = s->first;
    s->first = b->next;
    if (!s->first) s->last = NULL;
    tn__block_free(s->loop, b);
}

void tn__stream_drop_output(tn_stream *s)
{
    while (s->first) drop_first(s);
    s->out_bytes = 0;
}

/* Forget `n` bytes from the front: they are the system's now. */
static void advance(tn_stream *s, size_t n)
{
    s->out_bytes -= n;
    while (s->first) {
        tn__block *b = s->first;
        size_t left = b->n - b->at;
        if (n < left) {
            b->at += n;
            return;
        }
        n -= left;
        drop_first(s);
    }
}

static ssize_t send_pieces(tn_stream *s)
{
    struct iovec pieces[PIECES_MAX];
    int n = 0;
    for (tn__block *b = s->first; b && n < PIECES_MAX; b = b->next)
        if (b->n > b->at) pieces[n++] = (struct iovec){b->p + b->at, b->n - b->at};
    if (s->transport) return s->transport->send(s, pieces, n);
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)n};
    ssize_t sent = sendmsg(s->io.fd, &message, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

/* Hand over as much as one call takes. How many bytes that was, or a negative error. */
static ssize_t send_some(tn_stream *s)
{
    tn__block *b = s->first;
    int fault = tn__fault(TN__FAULT_WRITE);
    if (fault) return fault;
    if (b->next || s->transport) return send_pieces(s);
    ssize_t sent = send(s->io.fd, b->p + b->at, b->n - b->at, MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

/* Something is left over: tell so, once until all has gone. */
static void jam(tn_stream *s)
{
    if (s->congested) return;
    s->congested = true;
    if (s->user->congested) s->user->congested(s);
}

void tn__stream_flush(tn_stream *s)
{
    while (s->out_bytes > 0 && s->writable && !s->closed) {
        size_t asked = s->out_bytes;
        ssize_t sent = send_some(s);
        if (sent <= 0) {
            if (sent == -EINTR) continue;
            if (sent == 0) { /* a transport that is not ready */
                jam(s);
                return;
            }
            if (sent != TN_EAGAIN && sent != -EWOULDBLOCK) {
                tn__stream_close(s, (int)sent);
                return;
            }
            sent = 0;
        }
        advance(s, (size_t)sent);
        /* A transport takes what it likes at a time: only the next call tells whether there is more room. */
        if (sent == 0 || ((size_t)sent < asked && s->first->at > 0 && !s->transport)) {
            s->writable = false;
            tn__io_drained(s->loop, &s->io, TN_WRITE);
            jam(s);
        }
    }
    if (s->out_bytes == 0 && s->congested && !s->closed) {
        s->congested = false;
        if (s->user->drained) s->user->drained(s);
    }
}

void tn__stream_late_flush(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn__stream_flush(TN__OWNER(work, tn_stream, flush));
}

void tn__stream_shutdown_write(tn_stream *s)
{
    if (s->closed) return;
    if (s->transport)
        s->transport->shutdown_write(s);
    else
        shutdown(s->io.fd, SHUT_WR);
}
