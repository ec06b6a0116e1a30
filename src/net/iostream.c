/*
 * Streams: opening, what the system reports, closing. Reading is in iostream_read.c, writing in iostream_write.c.
 *
 * Always true: a stream with a descriptor is registered with the loop, edge-triggered, for its whole life; its `readable` and
 * `writable` bits say what the edges have promised and was not used up.
 */
#include "iostream.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "iostream_parts.h"

/* What is left to tell the user once the stream is closed; the last thing that happens to it. */
static void tell_closed(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn_stream *s = TN__OWNER(work, tn_stream, again);
    tn__stream_done(s);
    s->user->closed(s, s->error);
}

void tn__stream_tell_hangup(tn_stream *s)
{
    if (s->hangup_told || !s->user->hangup) return;
    s->hangup_told = true;
    s->user->hangup(s);
}

/* A paused stream reads nothing, so it would not notice that the peer is gone: an error closes it, a mere end is told. */
static void noticed_while_paused(tn_stream *s, unsigned events)
{
    int error = 0;
    socklen_t n = sizeof error;
    if ((events & TN_ERROR) && getsockopt(s->io.fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error) {
        tn__stream_close(s, -error);
        return;
    }
    tn__stream_tell_hangup(s);
}

static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    (void)loop;
    tn_stream *s = TN__OWNER(io, tn_stream, io);
    if (events & TN__PEER_CLOSED) s->peer_closed = true;
    if (events & TN_WRITE) {
        s->writable = true;
        if (s->first) tn__stream_flush(s);
    }
    /*
     * An error is found by the read that meets it; so that it does, it counts as something to read. A transport may have been
     * waiting for anything before it could go on reading.
     */
    if (events & (TN_READ | TN_ERROR | TN__PEER_CLOSED) || s->transport) s->readable = true;
    if (s->closed) return;
    if (!s->paused) {
        if (s->readable) tn__stream_read(s);
    } else if (events & (TN_ERROR | TN__PEER_CLOSED)) {
        noticed_while_paused(s, events);
    }
}

int tn__stream_open(tn_stream *s, tn_loop *loop, int fd, const tn__stream_user *user)
{
    *s = (tn_stream){.loop = loop, .user = user, .writable = true};
    s->io = (tn__io){.fd = fd, .interest = TN_READ | TN_WRITE, .edge = true, .ready = on_ready};
    tn__work_init(&s->again, tn__stream_again);
    tn__work_init(&s->flush, tn__stream_late_flush);
    int e = tn__io_add(loop, &s->io);
    if (e < 0) {
        close(fd);
        s->io.fd = -1;
        s->closed = true;
    }
    return e;
}

static void close_descriptor(tn_stream *s)
{
    int fd = s->io.fd;
    if (s->transport) s->transport->close(s);
    tn__io_remove(s->loop, &s->io);
    s->io.fd = -1;
    close(fd);
}

void tn__stream_close(tn_stream *s, int error)
{
    if (s->closed) return;
    s->closed = true;
    s->error = error;
    close_descriptor(s);
    tn__work_cancel(&s->again);
    s->again.run = tell_closed;
    tn__soon(s->loop, &s->again);
}

void tn__stream_done(tn_stream *s)
{
    if (s->io.fd >= 0) close_descriptor(s);
    s->closed = true;
    tn__work_cancel(&s->again);
    tn__work_cancel(&s->flush);
    tn__stream_drop_output(s);
    tn__buf_done(&s->kept);
    s->kept_at = 0;
}
