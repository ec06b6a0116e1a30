/*
 * The reading half of a stream: one recv a time, offered to the user in place.
 *
 * A stream with nothing kept receives into the loop's buffer; one with a kept tail receives behind that tail. One call reads at
 * most one buffer, so a peer that sends without end shares the loop with everyone else: it goes on from the ready list.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "iostream.h"
#include "iostream_parts.h"

enum { KEPT_ROOM = 4096 }; /* least room to receive into behind a kept tail */

/* Move the kept bytes to the front of their buffer, so that what was used does not count as room. */
static void compact(tn_stream *s)
{
    if (s->kept_at == 0) return;
    tn__buf_consume(&s->kept, s->kept_at);
    s->kept_at = 0;
}

/* Keep what the user left of the bytes at `p`, which do not lie in `kept`. */
static int keep(tn_stream *s, const char *p, size_t n)
{
    compact(s);
    return tn__buf_add(&s->kept, p, n);
}

/* Offer `n` bytes at `p`, in the loop's buffer or in `kept`, and keep the rest. */
static void offer(tn_stream *s, char *p, size_t n, bool from_kept)
{
    s->offered = p;
    s->offered_kept = from_kept;
    s->offered_stolen = false;
    size_t used = s->user->bytes(s, p, n);
    s->offered = NULL;
    if (s->closed) return;

    if (from_kept && !s->offered_stolen) {
        s->kept_at += used;
        if (s->kept_at == s->kept.n) {
            tn__buf_done(&s->kept);
            s->kept_at = 0;
        }
    } else if (used < n && keep(s, p + used, n - used) < 0) {
        tn__stream_close(s, TN_ENOMEM);
    }
}

void *tn__stream_hold(tn_stream *s)
{
    if (!s->offered || s->offered_stolen) return NULL;
    void *held = NULL;
    if (s->offered_kept) {
        held = s->kept.p;
        s->kept = (tn_buf){0};
        s->kept_at = 0;
    } else {
        held = tn__loop_take_recv_buf(s->loop);
    }
    s->offered_stolen = held != NULL;
    return held;
}

/* What a recv that brought nothing means. */
static void nothing_came(tn_stream *s, ssize_t got)
{
    if (got == 0) {
        s->eof = true;
        s->readable = false;
        return;
    }
    int error = s->transport ? (int)got : -errno;
    if (error == TN_EAGAIN || error == -EWOULDBLOCK) {
        s->readable = false;
        tn__io_drained(s->loop, &s->io, TN_READ);
        return;
    }
    if (error != -EINTR) tn__stream_close(s, error);
}

static ssize_t receive_into(tn_stream *s, char *into, size_t room)
{
    int fault = tn__fault(TN__FAULT_READ);
    if (s->transport) return fault ? fault : s->transport->recv(s, into, room);
    if (!fault) return recv(s->io.fd, into, room, 0);
    errno = -fault;
    return -1;
}

/* One recv. Returns how many bytes came. */
static inline size_t fetch(tn_stream *s, char *into, size_t room)
{
    ssize_t got = receive_into(s, into, room);
    if (got <= 0) {
        nothing_came(s, got);
        return 0;
    }
    /* A short read means empty, unless the end is near, or records are read: then only the next recv tells. */
    if ((size_t)got < room && !s->peer_closed && !s->transport) {
        s->readable = false;
        tn__io_drained(s->loop, &s->io, TN_READ);
    }
    return (size_t)got;
}

/* The same behind what was kept. Returns how many bytes there are then. */
static size_t fetch_behind_kept(tn_stream *s)
{
    compact(s);
    if (s->kept.cap - s->kept.n < KEPT_ROOM && tn__buf_reserve(&s->kept, KEPT_ROOM) < 0) {
        tn__stream_close(s, TN_ENOMEM);
        return 0;
    }
    size_t got = fetch(s, s->kept.p + s->kept.n, s->kept.cap - s->kept.n);
    s->kept.n += got;
    return got ? s->kept.n : 0;
}

/* Receive, to where there is a reason to receive. How many bytes can be offered, and where they lie. */
static size_t receive(tn_stream *s, char **p)
{
    if (tn__stream_kept(s) > 0) {
        size_t n = fetch_behind_kept(s);
        *p = s->kept.p;
        return n;
    }
    if (s->direct) {
        *p = s->direct;
        return fetch(s, s->direct, s->direct_n);
    }
    *p = s->loop->recv_buf;
    return fetch(s, s->loop->recv_buf, TN__RECV_BYTES);
}

/* After a step: tell of the end, or arrange for the next step. */
static void carry_on(tn_stream *s)
{
    if (s->closed || s->paused) return;
    if (s->eof && !s->eof_told) {
        s->eof_told = true;
        s->user->eof(s);
        return;
    }
    if (s->readable) tn__soon(s->loop, &s->again);
}

void tn__stream_read(tn_stream *s)
{
    char *p;
    s->corked = true;
    size_t n = receive(s, &p);
    if (n > 0) offer(s, p, n, p == s->kept.p);
    if (!s->closed) carry_on(s);
    s->corked = false;
    if (s->first && !s->closed) tn__stream_flush(s);
}

void tn__stream_again(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn_stream *s = TN__OWNER(work, tn_stream, again);
    if (s->closed) return;
    if (s->paused) {
        tn__stream_tell_hangup(s);
        return;
    }
    s->corked = true;
    size_t kept = tn__stream_kept(s);
    if (kept > 0) offer(s, s->kept.p + s->kept_at, kept, true);
    s->corked = false;
    /* Only a user that wants more than it was offered is a reason to read. */
    if (!s->closed && !s->paused && s->readable) {
        tn__stream_read(s);
        return;
    }
    s->corked = true;
    if (!s->closed) carry_on(s);
    s->corked = false;
    if (s->first && !s->closed) tn__stream_flush(s);
}

void tn__stream_pause(tn_stream *s)
{
    s->paused = true;
    if (s->closed) return;
    tn__work_cancel(&s->again);
    /* The end may have been announced together with the bytes that led here: no event will tell of it again. */
    if (s->peer_closed && !s->hangup_told) tn__soon(s->loop, &s->again);
}

void tn__stream_resume(tn_stream *s)
{
    if (!s->paused) return;
    s->paused = s->hangup_told = false;
    if (!s->closed) tn__work_cancel(&s->again);
    if (!s->closed && (s->readable || s->eof || tn__stream_kept(s) > 0)) tn__soon(s->loop, &s->again);
}
