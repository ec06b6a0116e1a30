/*
 * TLS with a context of Python's: see tls_bio.h. Called by streams, and to begin with by delegate.c.
 *
 * The ssl module does the cryptography, on two ssl.MemoryBIO: what the socket brings is put into one, what is to be sent is taken
 * out of the other. So whatever can be set on a context works, its callbacks included. Calls that would only raise
 * SSLWantReadError are left out, for they cost more than a small record.
 *
 * Always true: a stream hears that output was taken only once the records with it have left; an exception that was set when the
 * stream called is set when it goes on. A callback of the context may close the stream it is called for (`orphan`).
 */
#include "tls_bio.h"

#include <sys/socket.h>

#include "base/alloc.h"
#include "http/http1_parts.h"
#include "net/socket.h"

enum {
    GATHER_BYTES = 16384, /* small pieces of output make one record */
    PIECE_BYTES = 65536,  /* and of a large one this much goes at a time */
};

static const int64_t handshake_ns = 60000000000;

typedef struct tls_conn {
    tn_stream *stream;
    tnpy_server *server; /* borrowed: it outlives its connections */
    PyObject *ssl;       /* ssl.SSLObject */
    PyObject *incoming, *outgoing;
    PyObject *unsent; /* bytes out of `outgoing`, from unsent_at on; NULL: none */
    Py_ssize_t unsent_at;
    size_t claimed; /* bytes of the stream's output that are in `unsent` */
    tn__timeout deadline;
    bool done;    /* the handshake is over */
    bool fed;     /* there may be something in `incoming`, or decrypted */
    bool failed;  /* OpenSSL must not be called any more */
    bool goodbye; /* close_notify is sent: what still comes is thrown away unread */
    bool busy;    /* inside a call of the stream's */
    bool orphan;  /* the stream was closed meanwhile */
} tls_conn;

typedef struct saved {
    PyObject *type, *value, *traceback;
} saved;

static void conn_free(tls_conn *c)
{
    tn__timeout_stop(&c->deadline);
    Py_XDECREF(c->ssl);
    Py_XDECREF(c->incoming);
    Py_XDECREF(c->outgoing);
    Py_XDECREF(c->unsent);
    tn__free(c);
}

static tls_conn *enter(tn_stream *s, saved *before)
{
    tls_conn *c = s->transport_state;
    PyErr_Fetch(&before->type, &before->value, &before->traceback);
    c->busy = true;
    return c;
}

static ssize_t leave(tls_conn *c, const saved *before, ssize_t result)
{
    c->busy = false;
    if (c->orphan) {
        conn_free(c);
        result = TN_ECLOSED;
    }
    PyErr_Restore(before->type, before->value, before->traceback);
    return result;
}

/* -- Errors -- */

static bool matches(const tls_conn *c, const char *class_name)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *class = PyObject_GetAttrString(c->server->core->state->py.ssl, class_name);
    bool result = class && PyErr_GivenExceptionMatches(type, class);
    Py_XDECREF(class);
    PyErr_Restore(type, value, traceback);
    return result;
}

/* The exception that is set becomes a line in the log. */
static void say_why(const tls_conn *c)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_addr peer = {0};
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    tn__socket_peer(c->stream->io.fd, &peer);
    tn_str shown = tn_addr_format(&peer, text);
    PyObject *done = PyObject_CallMethod(c->server->core->state->py.gen_log, "warning", "sis#O", "SSL Error on %s %s: %s",
                                         c->stream->io.fd, shown.p, (Py_ssize_t)shown.n, value);
    if (!done) PyErr_WriteUnraisable(c->ssl);
    Py_XDECREF(done);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

/* What the exception that is set means for the stream: TN_EAGAIN when OpenSSL wants to read more, or an error, which is logged. */
static int judge(tls_conn *c)
{
    if (matches(c, "SSLWantReadError")) {
        PyErr_Clear();
        return TN_EAGAIN;
    }
    c->failed = true;
    if (c->orphan)
        PyErr_Clear();
    else if (matches(c, "SSLError"))
        say_why(c);
    else
        tnpy_core_uncaught(c->server->core);
    return TN_ETLS;
}

/* -- Records to and from the descriptor -- */

/* How much a BIO holds; -1 with an exception. */
static Py_ssize_t pending(const tls_conn *c, PyObject *bio)
{
    PyObject *number = PyObject_GetAttr(bio, c->server->core->state->str.pending);
    Py_ssize_t n = number ? PyLong_AsSsize_t(number) : -1;
    Py_XDECREF(number);
    return n;
}

static int send_unsent(tls_conn *c)
{
    tn_stream *s = c->stream;
    char *p = PyBytes_AS_STRING(c->unsent);
    Py_ssize_t n = PyBytes_GET_SIZE(c->unsent);
    while (c->unsent_at < n) {
        ssize_t sent = send(s->io.fd, p + c->unsent_at, (size_t)(n - c->unsent_at), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return -errno;
        if (sent < 0) {
            s->writable = false;
            tn__io_drained(s->loop, &s->io, TN_WRITE);
            return TN_EAGAIN;
        }
        c->unsent_at += sent;
    }
    Py_CLEAR(c->unsent);
    return TN_OK;
}

/* Send all records that there are: TN_OK when that is done, TN_EAGAIN when some must wait. */
static int push(tls_conn *c)
{
    if (c->orphan) return TN_ECLOSED;
    if (!c->unsent) {
        Py_ssize_t n = pending(c, c->outgoing);
        if (n == 0) return TN_OK;
        c->unsent = n < 0 ? NULL : tnpy_call0(c->outgoing, c->server->core->state->str.read);
        c->unsent_at = 0;
        if (!c->unsent) return judge(c);
    }
    return send_unsent(c);
}

/* One recv, to the place at `p`, for want of a better one. As recv of tn__transport. */
static ssize_t fetch(tls_conn *c, char *p, size_t n)
{
    tn_stream *s = c->stream;
    ssize_t got;
    if (!s->readable) return TN_EAGAIN;
    do got = recv(s->io.fd, p, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0) return errno == EWOULDBLOCK ? TN_EAGAIN : -errno;
    if ((size_t)got < n && got > 0 && !s->peer_closed) { /* there is no more, and no need to ask */
        s->readable = false;
        tn__io_drained(s->loop, &s->io, TN_READ);
    }
    return got;
}

/* Fill `incoming`, with the help of the room at `p`. */
static ssize_t feed(tls_conn *c, char *p, size_t n)
{
    ssize_t got = fetch(c, p, n);
    if (got <= 0) return got;
    PyObject *view = PyMemoryView_FromMemory(p, got, PyBUF_READ);
    PyObject *done = view ? tnpy_call1(c->incoming, c->server->core->state->str.write, view) : NULL;
    Py_XDECREF(view);
    if (!done) return judge(c);
    Py_DECREF(done);
    c->fed = true;
    return got;
}

/* -- Reading -- */

/* TN_OK once the handshake is over. */
static int shake_hands(tls_conn *c)
{
    PyObject *done = tnpy_call0(c->ssl, c->server->core->state->str.do_handshake);
    int result = done ? TN_OK : judge(c);
    Py_XDECREF(done);
    int pushed = push(c); /* an alert too */
    if (result == TN_OK) {
        c->done = true;
        tn__timeout_clear(&c->deadline);
    }
    return result != TN_OK || pushed == TN_EAGAIN ? result : pushed;
}

/* One record, or the rest of one. How much that is; 0 after the peer's close_notify; TN_EAGAIN when no whole record is there. */
static ssize_t read_record(tls_conn *c, char *p, size_t n)
{
    PyObject *name = c->server->core->state->str.read, *size = PyLong_FromSize_t(n);
    PyObject *view = PyMemoryView_FromMemory(p, (Py_ssize_t)n, PyBUF_WRITE), *number = NULL;
    PyObject *args[] = {c->ssl, size, view};
    if (size && view) number = PyObject_VectorcallMethod(name, args, 3, NULL);
    Py_XDECREF(size);
    Py_XDECREF(view);
    ssize_t got = number ? PyLong_AsSsize_t(number) : -1;
    Py_XDECREF(number);
    return got < 0 ? judge(c) : got;
}

/* All records that `incoming` holds, as far as there is room. An error behind some data is told by the next call. */
static ssize_t read_records(tls_conn *c, char *p, size_t n)
{
    size_t all = 0;
    while (all < n) {
        ssize_t got = read_record(c, p + all, n - all);
        if (got <= 0) {
            c->fed = got == 0;
            return all ? (ssize_t)all : got;
        }
        all += (size_t)got;
        /* Records are read whole if there is room, so nothing is decrypted already but what has found none. */
        if (all < n && pending(c, c->incoming) <= 0) {
            c->fed = false;
            return (ssize_t)all;
        }
    }
    return (ssize_t)all;
}

static ssize_t receive(tls_conn *c, char *p, size_t n)
{
    if (c->goodbye || c->failed) return c->goodbye ? fetch(c, p, n) : TN_ETLS;
    for (;;) {
        int pushed = push(c); /* OpenSSL may have something to say of its own */
        if (pushed < 0 && pushed != TN_EAGAIN) return pushed;
        ssize_t result = c->fed ? 1 : feed(c, p, n);
        if (result <= 0) return result;
        result = c->done ? TN_OK : shake_hands(c);
        if (result == TN_OK) result = read_records(c, p, n);
        if (result != TN_EAGAIN) return result;
        c->fed = false;
    }
}

static ssize_t on_recv(tn_stream *s, char *p, size_t n)
{
    saved before;
    tls_conn *c = enter(s, &before);
    ssize_t result = receive(c, p, n);
    if (result > 0 && (c->fed || c->failed) && !c->orphan) s->readable = true; /* there is more to tell, whatever the socket says */
    return leave(c, &before, result);
}

/* -- Writing -- */

/* Several small pieces as one; else the first one, as a view. */
static PyObject *next_piece(const struct iovec *pieces, int n)
{
    size_t first = pieces[0].iov_len, all = 0;
    if (n == 1 || first >= GATHER_BYTES / 2)
        return PyMemoryView_FromMemory(pieces[0].iov_base, (Py_ssize_t)(first < PIECE_BYTES ? first : PIECE_BYTES), PyBUF_READ);
    for (int i = 0; i < n; i++) all += pieces[i].iov_len;
    if (all > GATHER_BYTES) all = GATHER_BYTES;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)all);
    char *to = bytes ? PyBytes_AS_STRING(bytes) : NULL;
    for (int i = 0; to && all > 0; i++) {
        size_t part = pieces[i].iov_len < all ? pieces[i].iov_len : all;
        memcpy(to, pieces[i].iov_base, part);
        to += part;
        all -= part;
    }
    return bytes;
}

static ssize_t transmit(tls_conn *c, const struct iovec *pieces, int n)
{
    if (c->failed || c->goodbye) return -EPIPE;
    TN_TRY(push(c));
    if (c->claimed == 0) {
        PyObject *piece = next_piece(pieces, n);
        PyObject *number = piece ? tnpy_call1(c->ssl, c->server->core->state->str.write, piece) : NULL;
        ssize_t taken = number ? PyLong_AsSsize_t(number) : -1;
        Py_XDECREF(piece);
        Py_XDECREF(number);
        if (taken < 0) {
            int result = judge(c);
            return result == TN_EAGAIN ? 0 : result; /* what it waits for is read first; then the stream flushes */
        }
        c->claimed = (size_t)taken;
        TN_TRY(push(c));
    }
    size_t taken = c->claimed;
    c->claimed = 0;
    return (ssize_t)taken;
}

static ssize_t on_send(tn_stream *s, const struct iovec *pieces, int n)
{
    saved before;
    tls_conn *c = s->transport_state;
    if (!c->done) return 0; /* reading goes on with the handshake, and then the stream flushes */
    enter(s, &before);
    return leave(c, &before, transmit(c, pieces, n));
}

/* -- The end -- */

/* RFC 8446, 6.1: close_notify ends one direction only. If it does not fit into the socket, the end of the connection must do. */
static void say_goodbye(tls_conn *c)
{
    if (!c->done || c->failed || c->goodbye) return;
    c->goodbye = true;
    if (c->unsent) return; /* a record is cut off */
    PyObject *done = tnpy_call0(c->ssl, c->server->core->state->str.unwrap);
    if (!done) PyErr_Clear(); /* the peer has not said goodbye yet */
    Py_XDECREF(done);
    if (push(c) < 0) PyErr_Clear();
}

static void on_shutdown_write(tn_stream *s)
{
    saved before;
    tls_conn *c = enter(s, &before);
    say_goodbye(c);
    leave(c, &before, 0);
}

static void on_close(tn_stream *s)
{
    saved before;
    tls_conn *c = s->transport_state;
    s->transport = NULL;
    s->transport_state = NULL;
    if (c->busy) { /* the call that is under way frees it */
        c->orphan = true;
        return;
    }
    PyErr_Fetch(&before.type, &before.value, &before.traceback);
    if (!c->server->silent) say_goodbye(c);
    conn_free(c);
    PyErr_Restore(before.type, before.value, before.traceback);
}

static const tn__transport transport = {
    .recv = on_recv,
    .send = on_send,
    .shutdown_write = on_shutdown_write,
    .close = on_close,
};

/* -- The beginning -- */

static void on_deadline(tn_loop *loop, tn__timeout *timeout)
{
    tn__stream_close(TN__OWNER(timeout, tls_conn, deadline)->stream, TN_ETIMEDOUT);
}

static int wrap(tls_conn *c)
{
    PyObject *ssl = c->server->core->state->py.ssl;
    c->incoming = PyObject_CallMethod(ssl, "MemoryBIO", NULL);
    c->outgoing = c->incoming ? PyObject_CallMethod(ssl, "MemoryBIO", NULL) : NULL;
    if (c->outgoing) c->ssl = PyObject_CallMethod(c->server->tls, "wrap_bio", "OOO", c->incoming, c->outgoing, Py_True);
    return c->ssl ? 0 : -1;
}

int tnpy_tls_attach(tnpy_server *server, tn_stream *s)
{
    tls_conn *c = tn__zalloc(sizeof *c);
    if (!c) return TN_ENOMEM;
    c->server = server;
    c->stream = s;
    tn__timeout_init(&c->deadline, on_deadline);
    if (wrap(c) < 0) {
        tnpy_core_uncaught(server->core);
        conn_free(c);
        return TN_ETLS;
    }
    s->transport = &transport;
    s->transport_state = c;
    int64_t limit_ns = server->http->head_ns < handshake_ns ? server->http->head_ns : handshake_ns;
    tn__timeout_set(s->loop, &c->deadline, tn__loop_now(s->loop) + limit_ns);
    return TN_OK;
}

PyObject *tnpy_tls_object(const tn_stream *s)
{
    return s->transport == &transport ? ((tls_conn *)s->transport_state)->ssl : NULL;
}

int tnpy_tls_release(tn_stream *s, PyObject **out)
{
    if (s->transport != &transport) return TN_OK;
    tn__stream_flush(s);
    if (s->closed) return TN_ECLOSED;
    tls_conn *c = s->transport_state;
    if (s->out_bytes > 0 || c->unsent || c->busy || !c->done) return TN_EBUSY;
    *out = PyTuple_Pack(3, c->ssl, c->incoming, c->outgoing);
    if (!*out) {
        PyErr_Clear();
        return TN_ENOMEM;
    }
    s->transport = NULL;
    s->transport_state = NULL;
    conn_free(c);
    return TN_OK;
}
