/*
 * Streams whose input is asked for: see iostream_ops.h. How a read is satisfied is in attempt, in one switch; everything else is
 * about when to attempt it, and about the end.
 *
 * Always true: the stream is paused unless a read waits, a handshake runs, or the end is looked for; nobody waits on a stream that
 * has ended. User code never runs inside: operations end from the ready list, and the close callback is the last act of a turn.
 */
#include "iostream_ops.h"

#include <unistd.h>

#include "base/alloc.h"
#include "room.h"
#include "tls.h"

enum {
    IN_KEPT_MAX = 4096, /* an empty buffer of this size stays for the next line */
    TAKE_MIN = 16384,   /* from so many bytes on nothing is copied that need not be */
    DISCARDED_MAX = 1 << 20
};
static const int64_t LINGER_NS = 30000000000; /* how long a peer may take nothing of what is left to send */
static const int64_t DISCARD_NS = 2000000000; /* how long a peer may go on sending after that */

/* -- The input buffer -- */

static size_t unread(const tn__iostream *io)
{
    return io->in.n - io->in_at;
}

static const char *unread_at(const tn__iostream *io)
{
    return io->in.p ? io->in.p + io->in_at : "";
}

/* Give the memory back, a buffer of the loop's to the loop if it has not grown since. */
static void drop_input(tn__iostream *io)
{
    io->in_at = 0;
    if (io->in_taken && io->in.cap == TN__RECV_BYTES) {
        tn__loop_give_recv_buf(io->stream.loop, io->in.p);
        io->in = (tn_buf){0};
    }
    io->in_taken = false;
    tn__buf_done(&io->in);
}

static void forget_if_empty(tn__iostream *io)
{
    if (unread(io) > 0) return;
    io->in_at = 0;
    tn__buf_clear(&io->in);
    if (io->in.cap > IN_KEPT_MAX) drop_input(io);
}

/* What the last read gave out is the stream's again. */
static void take_back(tn__iostream *io)
{
    io->in_at += io->lent;
    io->lent = 0;
    forget_if_empty(io);
}

/* Take the loop's buffer over, with `n` bytes at `p` in it: if these are many, and nothing else is there. */
static bool take_over(tn__iostream *io, const char *p, size_t n)
{
    char *buffer = io->stream.loop->recv_buf;
    if (n < TAKE_MIN || io->in.n > 0 || p < buffer || p >= buffer + TN__RECV_BYTES || !tn__stream_hold(&io->stream)) return false;
    drop_input(io);
    io->in_at = (size_t)(p - buffer);
    io->in = (tn_buf){.p = buffer, .n = io->in_at + n, .cap = TN__RECV_BYTES};
    io->in_taken = true;
    return true;
}

/* Append what came. */
static int take_in(tn__iostream *io, const char *p, size_t n)
{
    if (io->in_at > 0) {
        tn__buf_consume(&io->in, io->in_at);
        io->in_at = 0;
    }
    return take_over(io, p, n) ? TN_OK : tn__buf_add(&io->in, p, n);
}

/* Bytes that a read has already put into its caller's memory become input again. */
static int give_back(tn__iostream *io, const tn__read *r)
{
    if (r->got == 0) return TN_OK;
    tn_buf in = {0};
    TN_TRY(tn__buf_reserve(&in, r->got + unread(io)));
    tn__buf_add(&in, r->into, r->got);
    tn__buf_add(&in, unread_at(io), unread(io));
    drop_input(io);
    io->in = in;
    return TN_OK;
}

/* -- Telling of the end -- */

static void tell_of_end(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn__iostream *io = TN__OWNER(work, tn__iostream, tell);
    if (io->told || !io->closed_fn) return;
    io->told = true;
    io->closed_fn(io->closed_arg); /* which may free the stream */
}

/* Everything that came was given out, and nothing more will come: time to say so. */
static void notice_end(tn__iostream *io)
{
    if (io->closed_fn && !io->told && io->eof && unread(io) == io->lent) tn__soon(io->stream.loop, &io->tell);
}

/* -- Reading -- */

/* Give the first `n` unread bytes out. */
static int lend(tn__iostream *io, const tn__read *r, size_t n)
{
    *r->out = tn_str_of(unread_at(io), n);
    io->lent = n;
    return TN_OK;
}

static size_t limit_of(const tn__iostream *io, const tn__read *r)
{
    return r->max && r->max < io->in_max ? r->max : io->in_max;
}

static int attempt_into(tn__iostream *io, tn__read *r)
{
    size_t n = r->n - r->got < unread(io) ? r->n - r->got : unread(io);
    if (n > 0) memcpy(r->into + r->got, unread_at(io), n);
    r->got += n;
    io->in_at += n;
    forget_if_empty(io);
    return r->got == r->n || (r->partial && r->got > 0) ? TN_OK : TN__PENDING;
}

static int attempt_bytes(tn__iostream *io, const tn__read *r)
{
    size_t n = unread(io);
    if (n >= r->n || (r->partial && n > 0)) return lend(io, r, n < r->n ? n : r->n);
    return r->n > io->in_max ? TN_ETOOBIG : TN__PENDING;
}

/* Only what was not searched before is searched, but for a delimiter that may have begun there. */
static int attempt_until(tn__iostream *io, tn__read *r)
{
    const char *p = unread_at(io);
    size_t n = unread(io), from = r->scanned >= r->delim.n ? r->scanned - (r->delim.n - 1) : 0;
    const char *found = n > from ? memmem(p + from, n - from, r->delim.p, r->delim.n) : NULL;
    size_t end = found ? (size_t)(found - p) + r->delim.n : n + 1;
    r->scanned = n;
    if (end > limit_of(io, r)) return TN_ETOOBIG;
    return found ? lend(io, r, end) : TN__PENDING;
}

static int attempt_match(tn__iostream *io, tn__read *r)
{
    size_t at = r->scanned;
    int found = r->match(r->match_arg, tn_str_of(unread_at(io), unread(io)), r->scanned, &at);
    if (found < 0) return found;
    if ((found ? at : unread(io) + 1) > limit_of(io, r)) return TN_ETOOBIG;
    r->scanned = at;
    return found ? lend(io, r, at) : TN__PENDING;
}

static int attempt_all(tn__iostream *io, const tn__read *r)
{
    if (unread(io) > limit_of(io, r)) return TN_ETOOBIG;
    return io->eof ? lend(io, r, unread(io)) : TN__PENDING;
}

/* What the unread bytes make of this read: TN_OK, a failure, or TN__PENDING when more is needed. */
static int attempt(tn__iostream *io, tn__read *r)
{
    switch (r->kind) {
    case TN__READ_BYTES: return attempt_bytes(io, r);
    case TN__READ_INTO: return attempt_into(io, r);
    case TN__READ_UNTIL: return attempt_until(io, r);
    case TN__READ_MATCH: return attempt_match(io, r);
    case TN__READ_ALL: return attempt_all(io, r);
    }
    return TN_EINVAL;
}

/* Why nothing more will come; TN__PENDING while something may. */
static int why_ended(const tn__iostream *io)
{
    if (io->closing) return TN_ECLOSED;
    if (io->stream.closed) return io->stream.error ? io->stream.error : TN_ECLOSED;
    return io->eof ? TN_EOF : TN__PENDING;
}

/* Much that is wanted in the caller's memory is received there, unless something stands before it. */
static void aim(tn__iostream *io)
{
    const tn__read *r = io->reading;
    bool direct = r && r->kind == TN__READ_INTO && r->n - r->got >= TAKE_MIN && unread(io) == 0;
    io->stream.direct = direct ? r->into + r->got : NULL;
    io->stream.direct_n = direct ? r->n - r->got : 0;
}

static void end_reading(tn__iostream *io, int result)
{
    tn__read *r = io->reading;
    if (!r) return;
    io->reading = NULL;
    aim(io);
    tn__stream_pause(&io->stream);
    if (r->kind == TN__READ_INTO && result < 0 && give_back(io, r) < 0) tn__stream_close(&io->stream, TN_ENOMEM);
    tn__op_end(io->stream.loop, r->op, r->kind == TN__READ_INTO && result == TN_OK ? (int)r->got : result);
}

static void withdraw_reading(tn__op *op)
{
    tn__iostream *io = op->holder;
    tn__read *r = io->reading;
    io->reading = NULL;
    aim(io);
    tn__stream_pause(&io->stream);
    if (r->kind == TN__READ_INTO && give_back(io, r) < 0) tn__stream_close(&io->stream, TN_ENOMEM);
}

static void expect_progress(tn__iostream *io)
{
    if (!io->idle_ns) return;
    io->out_seen = io->stream.out_bytes;
    tn__timeout_set(io->stream.loop, &io->idle, tn__loop_now(io->stream.loop) + io->idle_ns);
}

int tn__iostream_read(tn__iostream *io, tn__read *r, tn__op *op)
{
    if (io->reading || io->securing) return TN_EBUSY;
    if (io->closing) return TN_ECLOSED;
    if ((r->kind == TN__READ_UNTIL && r->delim.n == 0) || (r->kind == TN__READ_INTO && r->n > INT32_MAX)) return TN_EINVAL;
    take_back(io);
    r->scanned = r->got = 0;
    int result = attempt(io, r);
    if (result != TN__PENDING) {
        notice_end(io);
        return result;
    }
    result = why_ended(io);
    if (result != TN__PENDING) {
        if (r->kind == TN__READ_INTO && give_back(io, r) < 0) return TN_ENOMEM;
        return result;
    }
    r->op = op;
    io->reading = r;
    aim(io);
    tn__op_begin(op, io, withdraw_reading);
    tn__stream_resume(&io->stream);
    expect_progress(io);
    return TN__PENDING;
}

/* A read into the caller's memory is filled without a detour, if it was not received there. How many of the bytes it took. */
static size_t fill_directly(tn__iostream *io, const char *p, size_t n)
{
    tn__read *r = io->reading;
    if (!r || r->kind != TN__READ_INTO || unread(io) > 0) return 0;
    if (n > r->n - r->got) n = r->n - r->got;
    if (p != io->stream.direct) memcpy(r->into + r->got, p, n);
    r->got += n;
    return n;
}

static size_t discard(tn__iostream *io, size_t n)
{
    io->discarded += n;
    if (io->discarded > DISCARDED_MAX) tn__stream_close(&io->stream, 0);
    return n;
}

static size_t on_bytes(tn_stream *s, char *p, size_t n)
{
    tn__iostream *io = tn__iostream_of(s);
    if (io->discarding) return discard(io, n);
    if (!io->reading) { /* the end was looked for, and this stands before it; what is lent must not move */
        tn__stream_pause(s);
        return 0;
    }
    size_t taken = fill_directly(io, p, n);
    if (taken < n && take_in(io, p + taken, n - taken) < 0) {
        tn__stream_close(s, TN_ENOMEM);
        return n;
    }
    int result = attempt(io, io->reading);
    if (result != TN__PENDING) {
        end_reading(io, result);
    } else {
        aim(io);
        expect_progress(io);
    }
    return n;
}

/* -- Writing -- */

static void end_securing(tn__iostream *io, int result)
{
    tn__op *op = io->securing;
    io->securing = NULL;
    if (op) tn__op_end(io->stream.loop, op, result);
}

static void end_writers(tn__iostream *io, int result)
{
    for (tn__list *node; (node = tn__list_pop(&io->writers));)
        tn__op_end(io->stream.loop, TN__OWNER(node, tn__writer, node)->op, result);
}

static void withdraw_writer(tn__op *op)
{
    tn__list_remove(&((tn__writer *)op->holder)->node);
}

static int may_write(const tn__iostream *io)
{
    if (io->closing || io->shut) return TN_ECLOSED;
    if (io->stream.closed) return io->stream.error ? io->stream.error : TN_ECLOSED;
    return io->securing ? TN_EBUSY : TN_OK;
}

static int wait_for_output(tn__iostream *io, size_t most, tn__writer *w, tn__op *op)
{
    tn__stream_flush(&io->stream);
    if (io->stream.closed) return io->stream.error ? io->stream.error : TN_ECLOSED;
    if (io->stream.out_bytes <= most) return TN_OK;
    w->op = op;
    tn__list_init(&w->node);
    tn__list_push(&io->writers, &w->node);
    tn__op_begin(op, w, withdraw_writer);
    expect_progress(io);
    return TN__PENDING;
}

int tn__iostream_write(tn__iostream *io, tn_str data, tn__writer *w, tn__op *op)
{
    tn_stream *s = &io->stream;
    TN_TRY(may_write(io));
    if (s->out_bytes > 0 && data.n > io->out_max - (s->out_bytes < io->out_max ? s->out_bytes : io->out_max)) return TN_ETOOBIG;
    TN_TRY(tn__stream_write(s, data));
    return s->out_bytes <= TN__OUT_HIGH_MARK ? TN_OK : wait_for_output(io, TN__OUT_HIGH_MARK, w, op);
}

int tn__iostream_drain(tn__iostream *io, tn__writer *w, tn__op *op)
{
    TN_TRY(may_write(io));
    return wait_for_output(io, 0, w, op);
}

void tn__iostream_shutdown_write(tn__iostream *io)
{
    if (io->shut || io->closing || io->stream.closed) return;
    io->shut = true;
    tn__stream_flush(&io->stream);
    if (io->stream.out_bytes == 0) tn__stream_shutdown_write(&io->stream);
}

/* The stream is closing, and all is sent. See tn__iostream_close. */
static void all_sent(tn__iostream *io)
{
    tn_stream *s = &io->stream;
    bool unread_input = s->readable || tn__stream_kept(s) > 0;
    if (s->eof || !unread_input) {
        tn__stream_close(s, 0);
        return;
    }
    io->discarding = true;
    tn__stream_shutdown_write(s);
    if (s->closed) return;
    tn__stream_resume(s);
    tn__timeout_set(s->loop, &io->idle, tn__loop_now(s->loop) + DISCARD_NS);
}

static void on_drained(tn_stream *s)
{
    tn__iostream *io = tn__iostream_of(s);
    end_writers(io, TN_OK);
    if (io->closing)
        all_sent(io);
    else if (io->shut)
        tn__stream_shutdown_write(s);
}

/* -- TLS -- */

static void on_established(tn_stream *s)
{
    tn__iostream *io = tn__iostream_of(s);
    tn__timeout_clear(&io->idle);
    end_securing(io, TN_OK);
}

/* Half a handshake is of no use to anybody. */
static void withdraw_securing(tn__op *op)
{
    tn__iostream *io = op->holder;
    io->securing = NULL;
    tn__tls_forget_error(&io->stream);
    tn__stream_close(&io->stream, TN_ECANCELED);
}

int tn__iostream_secure(tn__iostream *io, tn_tls *tls, const char *server_name, int64_t timeout_ns, tn_error *err, tn__op *op)
{
    tn_stream *s = &io->stream;
    TN_TRY(may_write(io));
    take_back(io);
    if (io->reading || s->transport || unread(io) > 0 || tn__stream_kept(s) > 0 || s->out_bytes > 0) return TN_EBUSY;
    TN_TRY(tn__tls_attach(s, tls, server_name, on_established, err));
    io->securing = op;
    tn__op_begin(op, io, withdraw_securing);
    tn__stream_resume(s);
    tn__timeout_set(s->loop, &io->idle, tn__loop_now(s->loop) + timeout_ns);
    return TN__PENDING;
}

/* -- Waiting too long -- */

void tn__iostream_limit(tn__iostream *io, const tn__stream_limits *limits)
{
    io->in_max = limits->in_max ? limits->in_max : TN__STREAM_BYTES_MAX;
    io->out_max = limits->out_max ? limits->out_max : TN__STREAM_BYTES_MAX;
    io->idle_ns = limits->idle_ns;
    if (!io->idle_ns && !io->securing && !io->closing) tn__timeout_clear(&io->idle);
    if (io->reading || !tn__list_empty(&io->writers)) expect_progress(io);
}

static void on_idle(tn_loop *loop, tn__timeout *timeout)
{
    tn__iostream *io = TN__OWNER(timeout, tn__iostream, idle);
    size_t unsent = io->stream.out_bytes;
    bool sends = unsent > 0 && unsent < io->out_seen; /* slowly, but it does */
    io->out_seen = unsent;
    if (sends) {
        tn__timeout_set(loop, &io->idle, tn__loop_now(loop) + (io->closing ? LINGER_NS : io->idle_ns));
    } else if (io->closing || io->securing) {
        tn__stream_close(&io->stream, TN_ETIMEDOUT);
    } else {
        end_reading(io, TN_ETIMEDOUT);
        end_writers(io, TN_ETIMEDOUT);
    }
}

/* -- The end -- */

static void on_eof(tn_stream *s)
{
    tn__iostream *io = tn__iostream_of(s);
    io->eof = true;
    if (io->securing || io->discarding) { /* a goodbye before there was a hello; the one that was awaited */
        tn__stream_close(s, io->securing ? TN_EOF : 0);
        return;
    }
    if (io->reading) {
        int result = attempt(io, io->reading);
        end_reading(io, result == TN__PENDING ? TN_EOF : result);
    }
    tn__stream_pause(s);
    notice_end(io);
}

/* Nobody reads, the peer is gone, and somebody wants to be told: read on until the end, or until bytes stand before it. */
static void look_for_end(tn__iostream *io)
{
    if (io->closed_fn && !io->told && !io->eof && tn__stream_kept(&io->stream) == 0) tn__stream_resume(&io->stream);
}

static void on_hangup(tn_stream *s)
{
    look_for_end(tn__iostream_of(s));
}

/* Whoever waits is told at once, and not only when the stream has said that it is closed: it may be freed before that. */
static void end_all(tn__iostream *io, int result)
{
    end_securing(io, result);
    end_reading(io, result);
    end_writers(io, result);
}

static void on_closed(tn_stream *s, int error)
{
    tn__iostream *io = tn__iostream_of(s);
    int why = io->closing || !error ? TN_ECLOSED : error;
    tn__timeout_stop(&io->idle);
    end_all(io, why);
    if (io->orphan)
        tn__iostream_destroy(io);
    else
        tell_of_end(s->loop, &io->tell);
}

void tn__iostream_on_close(tn__iostream *io, tn_callback *fn, void *arg)
{
    io->closed_fn = fn;
    io->closed_arg = arg;
    if (!fn) return;
    notice_end(io);
    if (io->stream.hangup_told) look_for_end(io);
    if (io->stream.closed && !io->told && !tn__work_queued(&io->stream.again)) tn__soon(io->stream.loop, &io->tell);
}

void tn__iostream_abort(tn__iostream *io)
{
    io->closing = true;
    tn__stream_close(&io->stream, 0);
    end_all(io, TN_ECLOSED);
}

void tn__iostream_close(tn__iostream *io)
{
    tn_stream *s = &io->stream;
    if (io->closing) return;
    bool half_secured = io->securing;
    end_all(io, TN_ECLOSED);
    io->closing = true;
    if (s->closed) return;
    io->out_seen = s->out_bytes;
    tn__timeout_set(s->loop, &io->idle, tn__loop_now(s->loop) + LINGER_NS);
    tn__stream_flush(s);
    if (half_secured)
        tn__stream_close(s, 0);
    else if (s->out_bytes == 0 && !s->closed && !io->discarding)
        all_sent(io);
}

void tn__iostream_free(tn__iostream *io)
{
    if (!io) return;
    tn__iostream_close(io);
    tn__net_room *room = tn__net_room_of(io->stream.loop);
    if (io->stream.closed || !room) {
        tn__iostream_destroy(io);
        return;
    }
    io->orphan = true;
    tn__list_push(&room->orphans, &io->node);
}

void tn__iostream_destroy(tn__iostream *io)
{
    tn__stream_done(&io->stream);
    tn__timeout_stop(&io->idle);
    tn__work_cancel(&io->tell);
    tn__list_remove(&io->node);
    if (io->matcher) io->matcher_free(io->matcher);
    drop_input(io);
    tn__free(io);
}

/* -- The beginning -- */

static const tn__stream_user stream_user = {
    .bytes = on_bytes,
    .eof = on_eof,
    .hangup = on_hangup,
    .drained = on_drained,
    .closed = on_closed,
};

tn__iostream *tn__iostream_new(tn_loop *loop, int fd, const tn__transport *transport, int *error)
{
    tn__iostream *io = tn__zalloc(sizeof *io);
    if (!io) {
        close(fd);
        *error = TN_ENOMEM;
        return NULL;
    }
    int result = tn__stream_open(&io->stream, loop, fd, &stream_user);
    if (result < 0) {
        tn__free(io);
        *error = result;
        return NULL;
    }
    io->stream.transport = transport;
    tn__list_init(&io->writers);
    tn__list_init(&io->node);
    tn__timeout_init(&io->idle, on_idle);
    tn__work_init(&io->tell, tell_of_end);
    tn__iostream_limit(io, &(tn__stream_limits){0});
    tn__stream_pause(&io->stream);
    return io;
}
