/*
 * Connection: one exchange of the engine in Python's hands; `request.connection`.
 *
 * While the exchange is in hand, its `user` pointer owns a reference to this object. It is let go (tnpy_connection_settle) when the
 * response has ended and no code of the application is running inside of it; from then on `x` is NULL, and whoever still holds the
 * object finds a closed connection.
 */
#ifndef TNPY_CONNECTION_TYPE_H
#define TNPY_CONNECTION_TYPE_H

#include "server_type.h"

typedef struct tnpy_connection {
    PyObject_HEAD
    tn__exchange *x; /* NULL once let go */
    tnpy_server *server;
    PyObject *owner;          /* the RequestHandler or the message delegate that answers */
    PyObject *request;        /* once somebody has asked for it */
    PyObject *close_callback; /* NULL: the handler's on_connection_close */
    PyObject *context;        /* of contextvars; what is run for this exchange runs in it */
    PyObject *drained;        /* list of the futures that wait for the output to go; NULL: none */
    tn__op drain;
    double started;  /* when the head was complete, by time.time */
    int busy;        /* calls of application code for this exchange that have not returned */
    bool native;     /* the owner is a handler that the fast path made */
    bool waits_body; /* the native handler goes on when the body is complete */
    bool in_headers; /* inside the delegate's `headers` */
    bool ended;      /* the response is complete, or never will be */
    bool peer_closed;
} tnpy_connection;

/* A new one for an exchange, which it is put into. */
tnpy_connection *tnpy_connection_new(tnpy_server *server, tn__exchange *x);

/* Enter and leave the contextvars context, and count it as running application code. Leaving keeps the exception that is set. */
int tnpy_connection_enter(tnpy_connection *c);
void tnpy_connection_leave(tnpy_connection *c);

/* Let go of the exchange if the response has ended and nothing runs. */
void tnpy_connection_settle(tnpy_connection *c);

/* The response will not be completed: close the connection, and let go when nothing runs any more. */
void tnpy_connection_abort(tnpy_connection *c);

/* The server is being torn down: let go without a word to the application. */
void tnpy_connection_drop(tnpy_connection *c);

/* The response is complete. -1 with an exception when it is shorter than announced (the connection is closed then). */
int tnpy_connection_end(tnpy_connection *c);

/* The exception that is set was raised by application code that nobody calls: a malformed request is answered with 400, all else is
 * logged, and the connection closed. */
void tnpy_connection_failed(tnpy_connection *c);

/* Send what is queued; a future that is done when the system has taken it, with StreamClosedError when the peer is gone. */
PyObject *tnpy_connection_flush(tnpy_connection *c);

/* A future that is done already; with StreamClosedError if `closed`. */
PyObject *tnpy_done_future(tnpy_core *core, bool closed);

/* A future of the host loop; and complete one with StreamClosedError, which nobody needs to look at. */
PyObject *tnpy_new_future(tnpy_core *core);
int tnpy_close_future(tnpy_state *state, PyObject *future);

/*
 * What a `data_received` or `headers_received` has returned (the reference is taken; NULL: it raised): TN_OK to go on, or TN__PENDING
 * when it is to be awaited; the engine is told to go on when that is done. A failure has been dealt with.
 */
int tnpy_connection_await(tnpy_connection *c, PyObject *result);

/* A field that the engine writes itself or needs to know goes into `head`: 1. Others: 0. -1 with an exception. */
int tnpy_connection_framing(tnpy_connection *c, tn_str name, tn_str value, tn__response_head *head);

/*
 * Send the head of the response, with the fields of `headers`, an HTTPHeaders. content_length: when they do not say; -1: not known.
 * Does nothing when the peer is gone. -1 with an exception.
 */
int tnpy_connection_head(tnpy_connection *c, int status, PyObject *reason, PyObject *headers, int64_t content_length);

/* The request, made when first asked for. A new reference. */
PyObject *tnpy_connection_request(tnpy_connection *c);

static inline bool tnpy_connection_gone(const tnpy_connection *c)
{
    return !c->x || c->x->broken || c->x->conn->stream.closed;
}

#endif
