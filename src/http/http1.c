/*
 * The life of an HTTP/1 connection: opening, timeouts, the peer's leaving, the step from one exchange to the next, and the end.
 * What arrives is walked in http1_read.c, responses are framed in http1_write.c, refusals in http1_refuse.c.
 *
 * Always true: at most one exchange is in hand; the connection outlives it; a closed connection is freed when its stream has said
 * so and the application has let go of the exchange, whichever comes last.
 */
#include "http1.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http1_parts.h"
#include "net/tls.h"

static const int64_t linger_ns = 2000000000; /* how long the peer may take to notice our end */
static const int64_t reuse_ns = 500000000;   /* how long after a response the next request may well be on its way */

void tn__http1_wait(tn__http1 *c, int64_t at_most_ns)
{
    tn_loop *loop = tn__http1_loop(c);
    tn__timeout_set(loop, &c->timeout, tn__loop_now(loop) + at_most_ns);
}

/* Wait for the peer to take what is queued. */
static void wait_for_sending(tn__http1 *c)
{
    c->out_seen = c->stream.out_bytes;
    tn__http1_wait(c, c->server->send_ns);
}

/* Between two requests, or before the first. */
static void wait_for_request(tn__http1 *c, int64_t at_most_ns)
{
    c->idle_since_ns = tn__loop_now(tn__http1_loop(c));
    tn__http1_wait(c, at_most_ns);
}

static void free_connection(tn__http1 *c)
{
    tn__timeout_stop(&c->timeout);
    tn__stream_done(&c->stream);
    tn__free(c->held);
    tn__http_server_removed(c->server, c);
    tn__free(c);
}

void tn__http1_close(tn__http1 *c)
{
    c->state = TN__HTTP1_CLOSED;
    tn__stream_close(&c->stream, 0);
}

/* Everything is sent: close, or first let the peer come to its end so that our close does not destroy what it has not read yet. */
static void all_sent(tn__http1 *c)
{
    tn_stream *s = &c->stream;
    bool unread = c->must_linger || c->ahead || s->readable || tn__stream_kept(s) > 0;
    if (s->eof || !unread) {
        tn__http1_close(c);
        return;
    }
    if (c->linger_shut) return;
    c->linger_shut = true;
    tn__stream_shutdown_write(s);
    tn__http1_wait(c, linger_ns);
}

void tn__http1_linger(tn__http1 *c)
{
    tn_stream *s = &c->stream;
    c->state = TN__HTTP1_LINGER;
    c->body_n = 0;
    tn__stream_flush(s);
    if (s->closed) return;
    tn__stream_resume(s);
    if (s->out_bytes > 0)
        wait_for_sending(c);
    else
        all_sent(c);
}

/* The exchange is over and the connection goes on: the next request is in the buffer, on its way, or never comes. */
static void next_request(tn__http1 *c)
{
    tn_stream *s = &c->stream;
    if (s->out_bytes > TN__OUT_HIGH) {
        tn__stream_flush(s);
        if (s->closed) return;
        if (s->out_bytes > TN__OUT_HIGH) {
            c->state = TN__HTTP1_FLUSHING;
            tn__stream_pause(s);
            wait_for_sending(c);
            return;
        }
    }
    c->state = TN__HTTP1_HEAD;
    if (s->congested)
        wait_for_sending(c);
    else
        wait_for_request(c, c->server->idle_ns);
    if (!c->walking) tn__stream_resume(s);
}

/* Tell who waits for the output to go, if anybody does. */
static void end_drain(tn__http1 *c, int result)
{
    tn__op *op = c->drain;
    c->drain = NULL;
    if (op) tn__op_end(tn__http1_loop(c), op, result);
}

void tn__http1_done(tn__exchange *x)
{
    tn__http1 *c = x->conn;
    bool whole = x->ended, body_read = x->body_read;
    bool persist = x->persist && body_read && !c->server->draining;
    c->exchange = NULL;
    end_drain(c, TN_ECLOSED); /* nobody is left to write more */
    tn__exchange_free(tn__http1_loop(c), x);
    tn__free(c->held);
    c->held = NULL;

    if (c->stream.closed) {
        /* Unless its stream has yet to say so, nobody else will free it. */
        if (!tn__work_queued(&c->stream.again)) free_connection(c);
        return;
    }
    if (c->state == TN__HTTP1_LINGER) return;
    if (!whole) {
        tn__http1_close(c);
    } else if (persist) {
        next_request(c);
    } else {
        c->must_linger |= !body_read;
        tn__http1_linger(c);
    }
}

int tn__http1_detach(tn__exchange *x, tn_buf *rest)
{
    tn__http1 *c = x->conn;
    tn_stream *s = &c->stream;
    if (s->closed || x->broken) return TN_ECLOSED;
    tn__stream_flush(s);
    if (s->closed) return TN_ECLOSED;
    if (s->out_bytes > 0) return TN_EBUSY;
    tn_str behind = c->walking ? c->behind : tn_str_of(s->kept.p + s->kept_at, tn__stream_kept(s));
    TN_TRY(tn__buf_add(rest, behind.p, behind.n));
    int fd = fcntl(s->io.fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0) return -errno;
    x->broken = true;
    tn__http1_close(c);
    return fd;
}

bool tn__http1_idle(const tn__http1 *c)
{
    return c->state == TN__HTTP1_HEAD && !c->head_begun && tn__stream_kept(&c->stream) == 0 && c->stream.out_bytes == 0;
}

void tn__http1_retire(tn__http1 *c)
{
    if (!tn__http1_idle(c)) return;
    int64_t until_ns = c->idle_since_ns + reuse_ns;
    if (tn__loop_now(tn__http1_loop(c)) >= until_ns)
        tn__http1_close(c);
    else if (until_ns < c->timeout.deadline_ns)
        tn__timeout_set(tn__http1_loop(c), &c->timeout, until_ns);
}

static void withdraw_drain(tn__op *op)
{
    tn__http1 *c = op->holder;
    c->drain = NULL;
}

int tn__http1_drain(tn__exchange *x, tn__op *op)
{
    tn__http1 *c = x->conn;
    if (c->stream.closed || x->broken) return TN_ECLOSED;
    tn__stream_flush(&c->stream);
    if (c->stream.closed) return TN_ECLOSED;
    if (c->stream.out_bytes == 0) return TN_OK;
    if (c->drain) return TN_EBUSY;
    c->drain = op;
    tn__op_begin(op, c, withdraw_drain);
    wait_for_sending(c);
    return TN__PENDING;
}

/* What the stream reports. */

static void on_eof(tn_stream *s)
{
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    switch ((tn__http1_state)c->state) {
    case TN__HTTP1_HEAD: tn__http1_linger(c); break; /* what is still queued may leave */
    case TN__HTTP1_BODY:
        if (c->server->dialect.terse)
            tn__http1_close(c); /* as Tornado does, which takes it for a client that went away */
        else
            tn__http1_abandon(c, 400, "connection ended inside the body");
        break;
    case TN__HTTP1_LINGER:
        if (s->out_bytes == 0) tn__http1_close(c);
        break;
    case TN__HTTP1_PARKED:
    case TN__HTTP1_HANDLING:
    case TN__HTTP1_FLUSHING:
    case TN__HTTP1_CLOSED: break;
    }
}

static void tell_peer_closed(tn__http1 *c)
{
    if (c->told_closed) return;
    c->told_closed = true;
    c->server->delegate->peer_closed(c->server->app, c->exchange);
}

/* Inside a body this says nothing: the rest may lie in the system's buffer, and if it does not, reading on will tell. */
static void on_hangup(tn_stream *s)
{
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    if (c->exchange && c->exchange->body_read) tell_peer_closed(c);
}

/* From here on the peer is watched, whatever else the connection does: what it does not take must not lie here for ever. */
static void on_congested(tn_stream *s)
{
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    if (c->state == TN__HTTP1_HEAD || c->state == TN__HTTP1_HANDLING || c->state == TN__HTTP1_PARKED) wait_for_sending(c);
}

static void on_drained(tn_stream *s)
{
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    end_drain(c, TN_OK);
    switch ((tn__http1_state)c->state) {
    case TN__HTTP1_HEAD: wait_for_request(c, c->head_begun ? c->server->head_ns : c->server->idle_ns); break;
    case TN__HTTP1_HANDLING:
    case TN__HTTP1_PARKED: tn__timeout_clear(&c->timeout); break;
    case TN__HTTP1_FLUSHING:
        c->state = TN__HTTP1_HEAD;
        wait_for_request(c, c->server->idle_ns);
        tn__stream_resume(s);
        break;
    case TN__HTTP1_LINGER: all_sent(c); break;
    case TN__HTTP1_BODY:
    case TN__HTTP1_CLOSED: break;
    }
    /* Had the server begun to drain while this was on its way, the connection did not count as idle; now it does. */
    if (c->server->draining) tn__http1_retire(c);
}

static void on_closed(tn_stream *s, int error)
{
    (void)error;
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    bool complete = c->state == TN__HTTP1_HANDLING || (c->exchange && c->exchange->body_read);
    c->state = TN__HTTP1_CLOSED;
    tn__timeout_stop(&c->timeout);
    end_drain(c, TN_ECLOSED);
    tn__exchange *x = c->exchange;
    if (!x) {
        free_connection(c);
        return;
    }
    x->broken = true;
    if (complete) {
        tell_peer_closed(c);
    } else if (!c->told_closed) {
        c->told_closed = true;
        c->server->delegate->aborted(c->server->app, x);
    }
}

void tn__http1_destroy(tn__http1 *c)
{
    bool said = c->stream.closed && !tn__work_queued(&c->stream.again);
    tn__stream_done(&c->stream);
    if (!said) on_closed(&c->stream, TN_ECLOSED);
}

/* The time that the present state allows is over. */
static void on_timeout(tn_loop *loop, tn__timeout *timeout)
{
    (void)loop;
    tn__http1 *c = TN__OWNER(timeout, tn__http1, timeout);
    size_t unsent = c->stream.out_bytes;
    if (unsent > 0 && unsent < c->out_seen) { /* slow, but alive */
        wait_for_sending(c);
        return;
    }
    switch ((tn__http1_state)c->state) {
    case TN__HTTP1_HEAD:
        if (c->head_begun && unsent == 0)
            tn__http1_refuse(c, 408, "timeout reading head");
        else
            tn__http1_close(c);
        break;
    case TN__HTTP1_BODY: tn__http1_abandon(c, 408, "timeout reading body"); break;
    case TN__HTTP1_PARKED:
    case TN__HTTP1_HANDLING:
        if (unsent > 0) tn__http1_close(c);
        break;
    case TN__HTTP1_FLUSHING:
    case TN__HTTP1_LINGER: tn__http1_close(c); break;
    case TN__HTTP1_CLOSED: break;
    }
}

static const tn__stream_user stream_user = {
    .bytes = tn__http1_bytes,
    .eof = on_eof,
    .hangup = on_hangup,
    .congested = on_congested,
    .drained = on_drained,
    .closed = on_closed,
};

/* What stands between the stream and its descriptor. */
static int attach(tn__http_server *server, tn_stream *s)
{
    if (server->opts.tls) return tn__tls_attach(s, server->opts.tls, NULL, NULL, NULL);
    return server->delegate->attach ? server->delegate->attach(server->app, s) : TN_OK;
}

int tn__http1_open(tn__http_server *server, int fd, const tn_addr *peer)
{
    tn__http1 *c = tn__zalloc(sizeof *c);
    if (!c) {
        close(fd);
        return TN_ENOMEM;
    }
    c->server = server;
    tn__list_init(&c->node);
    tn__timeout_init(&c->timeout, on_timeout);
    if (peer && peer->len > 0 && peer->len <= sizeof c->peer) memcpy(&c->peer, &peer->u, peer->len);
    int e = tn__stream_open(&c->stream, server->loop, fd, &stream_user);
    if (e == TN_OK) e = attach(server, &c->stream);
    if (e < 0) {
        tn__stream_done(&c->stream);
        tn__free(c);
        return e;
    }
    tn__http_server_added(server, c);
    wait_for_request(c, server->head_ns);
    return TN_OK;
}

tn_str tn__http1_remote_ip(const tn__http1 *c, char *text)
{
    tn_addr addr = {0};
    if (c->peer.sa.sa_family == AF_INET) addr.len = sizeof c->peer.in4;
    if (c->peer.sa.sa_family == AF_INET6) addr.len = sizeof c->peer.in6;
    if (addr.len) memcpy(&addr.u, &c->peer, addr.len);
    return tn_addr_ip(&addr, text);
}
