/*
 * What arrives on an HTTP/1 connection: heads and bodies, walked in place as far as the bytes reach and the application keeps up.
 *
 * tn__http1_bytes is the loop; each state takes a step and says how many bytes it used. A synchronous answer leaves the state at
 * HEAD, and the loop goes on with the next pipelined request; an answer still to come pauses the stream.
 */
#include "base/alloc.h"
#include "http1_parts.h"

enum { BODY_FIRST_ROOM = 65536 }; /* never reserve more for a body than it has proved to need, beyond this */

/* The body that grew in a buffer, or none, as the slice the application sees. */
static int settle_body(tn__exchange *x)
{
    if (x->body_buf.n > 0) {
        TN_TRY(tn__buf_terminate(&x->body_buf));
        x->body = tn__buf_str(&x->body_buf);
    } else if (!x->body.p) {
        x->body = TN_S("");
    }
    return TN_OK;
}

/* The body is complete: the application answers, now or later. */
static void complete(tn__http1 *c)
{
    tn__exchange *x = c->exchange;
    x->body_read = true;
    if (settle_body(x) < 0) {
        tn__http1_abandon(c, 503, "out of memory");
        return;
    }
    c->state = TN__HTTP1_HANDLING;
    tn__timeout_clear(&c->timeout);
    c->server->delegate->complete(c->server->app, x);
    if (c->state == TN__HTTP1_HANDLING) tn__stream_pause(&c->stream);
}

/* What follows the bytes that are being worked on. */
static void set_behind(tn__http1 *c, tn_str behind)
{
    c->behind = behind;
    c->ahead = behind.n > 0;
}

/* The body is about to be waited for: a client that asked first is told to go ahead, RFC 9110, 10.1.1. */
static void want_body(tn__http1 *c)
{
    tn__exchange *x = c->exchange;
    if (x->head.framing.expect_continue && c->body_n == 0 && !x->head_sent) {
        x->head.framing.expect_continue = false;
        if (!c->ahead && tn__stream_write(&c->stream, TN_S("HTTP/1.1 100 Continue\r\n\r\n")) < 0) {
            tn__http1_close(c); /* rather than let it wait for ever */
            return;
        }
    }
    tn__http1_wait(c, c->body_ns);
}

/* The application has seen the head. */
static void head_accepted(tn__http1 *c)
{
    if (c->body_left == 0) {
        complete(c);
        return;
    }
    c->state = TN__HTTP1_BODY;
    want_body(c);
}

static bool body_too_big(const tn__http1 *c, const tn__framing *framing)
{
    return framing->content_length > 0 && (uint64_t)framing->content_length > c->body_bytes_max;
}

/* RFC 9112, 9.3. What follows a CONNECT may be meant for the tunnel that we do not open: it is not ours to answer. */
static bool stays_open(const tn__request_head *head)
{
    bool connect = head->path.n == 0;
    return !connect && !head->framing.close && (head->minor > 0 || head->framing.keep_alive);
}

static void begin_exchange(tn__http1 *c, const char *p, const tn__request_head *head)
{
    tn__http_server *server = c->server;
    const tn__framing *framing = &head->framing;
    c->body_bytes_max = server->opts.body_bytes_max;
    c->body_ns = server->body_ns;
    if (!server->delegate->limits_bodies && body_too_big(c, framing)) {
        tn__http1_refuse(c, 413, "Content-Length too long");
        return;
    }
    size_t quota = server->opts.body_bytes_max + (1 << 20);
    tn__exchange *x = tn__exchange_new(tn__http1_loop(c), c, p, head, quota);
    if (!x) {
        tn__http1_refuse(c, 503, "out of memory");
        return;
    }
    c->exchange = x;
    c->told_closed = false;
    c->body_n = 0;
    c->body_left = framing->chunked ? -1 : framing->content_length > 0 ? framing->content_length : 0;
    if (framing->chunked) tn__chunked_init(&c->chunked);
    x->persist = stays_open(head) && !server->opts.no_keep_alive;
    x->body_read = c->body_left == 0;

    c->state = TN__HTTP1_PARKED;
    int e = server->delegate->headers(server->app, x);
    if (c->exchange != x) return; /* answered already */
    if (e == TN__PENDING) {
        tn__stream_pause(&c->stream);
        return;
    }
    if (e < 0)
        tn__http1_abandon(c, 503, "out of memory");
    else if (body_too_big(c, framing))
        tn__http1_abandon(c, 413, "Content-Length too long");
    else
        head_accepted(c);
}

/* Skip what RFC 9112, 2.2 asks to be ignored before a request line. */
static size_t skip_blank_lines(const tn__http1 *c, const char *p, size_t n)
{
    size_t at = 0;
    while (at < n) {
        if (p[at] == '\n' && c->server->dialect.bare_lf)
            at++;
        else if (p[at] == '\r' && at + 1 < n && p[at + 1] == '\n')
            at += 2;
        else
            break;
    }
    return at;
}

static size_t take_head(tn__http1 *c, char *p, size_t n)
{
    size_t skipped = c->resume ? 0 : skip_blank_lines(c, p, n);
    if (skipped) {
        /* Blank lines are no request: whoever sends them has no more time than for a head, however many come. */
        int64_t limit = tn__loop_now(tn__http1_loop(c)) + c->server->head_ns;
        if (c->timeout.deadline_ns > limit) tn__http1_wait(c, c->server->head_ns);
        return skipped;
    }
    if (n == 1 && *p == '\r') return 0; /* half of a blank line, or a defect: the next byte tells */

    tn__http_server *server = c->server;
    tn__request_head head;
    head.fields = server->fields;
    int result = tn__parse_request(p, n, &c->resume, &server->dialect, &server->limits, &head);
    if (result == TN__HEAD_MORE) {
        if (!c->head_begun) {
            c->head_begun = true;
            tn__http1_wait(c, server->head_ns);
        }
        return 0;
    }
    c->resume = 0;
    c->head_begun = false;
    if (result == TN__HEAD_REFUSED) {
        tn__http1_refuse(c, head.status, head.reason);
        return n;
    }
    set_behind(c, tn_str_of(p + head.bytes, n - head.bytes));
    begin_exchange(c, p, &head);
    return head.bytes;
}

/* Collect a piece of a body that the application wants whole. */
static int collect(tn__http1 *c, tn_str piece)
{
    tn__exchange *x = c->exchange;
    if (c->body_left == (int64_t)piece.n && x->body_buf.n == 0) {
        x->body = tn__arena_copy(&x->arena, piece.p, piece.n);
        return x->body.p ? TN_OK : TN_ENOMEM;
    }
    if (x->body_buf.n == 0 && c->body_left > 0) {
        size_t room = c->body_left < BODY_FIRST_ROOM ? (size_t)c->body_left : BODY_FIRST_ROOM;
        TN_TRY(tn__buf_reserve(&x->body_buf, room + 1));
    }
    return tn__buf_add(&x->body_buf, piece.p, piece.n);
}

/* Hand a piece of body on. False when the walk must stop here: the application waits, or all is over. */
static bool deliver(tn__http1 *c, tn_str piece)
{
    tn__exchange *x = c->exchange;
    c->body_n += (int64_t)piece.n;
    uint64_t announced = c->body_left < 0 ? c->chunked.left : 0, max = c->body_bytes_max;
    if ((uint64_t)c->body_n > max || announced > max - (uint64_t)c->body_n) {
        tn__http1_abandon(c, 413, "chunked body too large");
        return false;
    }
    if (!x->streaming) {
        int e = collect(c, piece);
        if (e < 0) tn__http1_abandon(c, 503, "out of memory");
        return e == TN_OK;
    }
    c->state = TN__HTTP1_PARKED;
    int e = c->server->delegate->chunk(c->server->app, x, piece);
    if (c->exchange != x) return false;
    if (e != TN__PENDING) {
        c->state = TN__HTTP1_BODY;
        return true;
    }
    c->held = tn__stream_hold(&c->stream);
    tn__stream_pause(&c->stream);
    if (!c->held) tn__http1_close(c);
    return false;
}

/* A body of known length. */
static size_t take_sized(tn__http1 *c, const char *p, size_t n)
{
    size_t piece = (uint64_t)c->body_left < n ? (size_t)c->body_left : n;
    set_behind(c, tn_str_of(p + piece, n - piece));
    bool more = deliver(c, tn_str_of(p, piece));
    c->body_left -= (int64_t)piece;
    if (more && c->body_left == 0)
        complete(c);
    else if (more)
        tn__http1_wait(c, c->body_ns);
    return piece;
}

static size_t take_chunked(tn__http1 *c, const char *p, size_t n)
{
    tn_str in = {p, n}, data;
    const char *reason;
    int result = tn__chunked_next(&c->chunked, &in, &data, &reason);
    set_behind(c, in);
    switch (result) {
    case TN__CHUNK_DATA:
        if (deliver(c, data)) tn__http1_wait(c, c->body_ns);
        break;
    case TN__CHUNK_END:
        c->body_left = 0;
        complete(c);
        break;
    case TN__CHUNK_BAD: tn__http1_abandon(c, 400, reason); return n;
    default: tn__http1_wait(c, c->body_ns);
    }
    return n - in.n;
}

static size_t take_body(tn__http1 *c, const char *p, size_t n)
{
    return c->body_left < 0 ? take_chunked(c, p, n) : take_sized(c, p, n);
}

/* The last response is on its way: what still comes is only read so that closing does not destroy it (RFC 9112, 9.6). */
static size_t throw_away(tn__http1 *c, size_t n)
{
    c->body_n += (int64_t)n;
    if (c->body_n > TN__LINGER_BYTES_MAX) tn__http1_close(c);
    return n;
}

/* One state's step. Returns how many bytes it used; 0 when it needs more than there is. */
static size_t step(tn__http1 *c, char *p, size_t n)
{
    switch ((tn__http1_state)c->state) {
    case TN__HTTP1_HEAD: return take_head(c, p, n);
    case TN__HTTP1_BODY: return take_body(c, p, n);
    case TN__HTTP1_LINGER: return throw_away(c, n);
    case TN__HTTP1_PARKED:
    case TN__HTTP1_HANDLING:
    case TN__HTTP1_FLUSHING:
    case TN__HTTP1_CLOSED: break;
    }
    return 0;
}

size_t tn__http1_bytes(tn_stream *s, char *p, size_t n)
{
    tn__http1 *c = TN__OWNER(s, tn__http1, stream);
    size_t used = 0;
    c->walking = true;
    while (used < n) {
        size_t piece = step(c, p + used, n - used);
        if (piece == 0) break;
        used += piece;
    }
    c->walking = false;
    set_behind(c, (tn_str){0});
    return used;
}

/*
 * After TN__PENDING from `headers` or `chunk`. What follows in the buffer is walked from the ready list, outside of the application's
 * call; the end of the body may have been reached already.
 */
void tn__http1_go_on(tn__exchange *x)
{
    tn__http1 *c = x->conn;
    tn__free(c->held);
    c->held = NULL;
    if (c->state != TN__HTTP1_PARKED || x->broken) return;
    c->state = TN__HTTP1_BODY;
    if (c->body_left != 0) {
        c->ahead = tn__stream_kept(&c->stream) > 0;
        want_body(c);
        tn__stream_resume(&c->stream);
        return;
    }
    complete(c);
}
