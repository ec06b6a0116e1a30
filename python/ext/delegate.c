/*
 * What the HTTP floor calls for each exchange, and who answers it: a handler of the fast path, a message delegate, or a function.
 *
 * Every call into application code happens inside the context of the exchange (tnpy_connection_enter), and every function here ends by
 * letting go of the exchange if it has been answered meanwhile. Nothing may be left set as an exception on return to the engine.
 */
#include "handler_type.h"
#include "headers_type.h"
#include "tls_bio.h"

/* -- Message delegates -- */

/* RequestStartLine(method, path, version) */
static PyObject *start_line_of(tnpy_state *state, const tn__exchange *x)
{
    PyObject *method = tnpy_latin1(tn__exchange_slice(x, x->head.method)),
             *path = tnpy_latin1(tn__exchange_slice(x, x->head.target));
    PyObject *version = PyUnicode_FromFormat("HTTP/1.%d", x->head.minor), *line = NULL;
    if (method && path && version) line = PyObject_CallFunctionObjArgs(state->py.request_start_line, method, path, version, NULL);
    Py_XDECREF(method);
    Py_XDECREF(path);
    Py_XDECREF(version);
    return line;
}

/* Ask for a delegate and give it the head. As tnpy_connection_await; -1 when that has failed, which has been dealt with. */
static int begin_delegate(tnpy_connection *c)
{
    tnpy_state *state = c->server->core->state;
    PyObject *line = NULL, *headers = NULL, *result = NULL;
    c->owner = PyObject_CallMethodObjArgs(c->server->callback, state->str.start_request, c, c, NULL);
    if (c->owner) line = start_line_of(state, c->x);
    if (line) headers = tnpy_headers_from_fields(state, c->x->base, c->x->head.fields, c->x->head.n_fields);
    if (headers) result = PyObject_CallMethodObjArgs(c->owner, state->str.headers_received, line, headers, NULL);
    Py_XDECREF(line);
    Py_XDECREF(headers);
    bool failed = !result;
    int e = tnpy_connection_await(c, result);
    return failed ? -1 : e;
}

static void finish_delegate(tnpy_connection *c)
{
    PyObject *done = tnpy_call0(c->owner, c->server->core->state->str.finish);
    if (!done) tnpy_connection_failed(c);
    Py_XDECREF(done);
}

/* -- Functions -- */

static void call_function(tnpy_connection *c)
{
    PyObject *request = tnpy_connection_request(c), *done = NULL;
    if (request && c->x->body.n > 0) {
        done = tnpy_call0(request, c->server->core->state->str._parse_body);
        if (!done) Py_CLEAR(request);
        Py_XDECREF(done);
    }
    done = request ? PyObject_CallOneArg(c->server->callback, request) : NULL;
    if (!done) tnpy_connection_failed(c);
    Py_XDECREF(done);
    Py_XDECREF(request);
}

/* -- Applications -- */

/*
 * The route that the fast path can take for this request. NULL: there is none, or an exception is set. A class that wants to be called
 * to make an instance, or that runs its own steps, goes the ordinary way.
 */
static const tnpy_route *find_route(tnpy_connection *c, tnpy_class **info, PyObject **match)
{
    tnpy_server *server = c->server;
    tnpy_state *state = server->core->state;
    if (!server->application || tnpy_routes_refresh(state, &server->routes, server->application) < 0) return NULL;
    const tnpy_route *route = tnpy_routes_find(server->routes, tn__exchange_slice(c->x, c->x->head.path), match);
    if (!route) return NULL;
    *info = tnpy_class_refresh(state, (PyTypeObject *)route->handler_class);
    if (*info && (*info)->plain && !((*info)->overridden >> TNPY_HOOK__execute & 1)) return route;
    Py_CLEAR(*match);
    return NULL;
}

/* A complete request that nobody has been asked about. */
static void dispatch(tnpy_connection *c)
{
    tnpy_class *info;
    PyObject *match = NULL;
    if (!c->server->is_delegate) {
        call_function(c);
        return;
    }
    const tnpy_route *route = find_route(c, &info, &match);
    if (route)
        tnpy_handler_serve(c, route, info, match);
    else if (PyErr_Occurred())
        tnpy_connection_failed(c);
    else if (begin_delegate(c) >= 0 && c->x && !c->ended)
        finish_delegate(c);
    Py_XDECREF(match);
}

/* -- The delegate -- */

/* The connection object of an exchange, entered; NULL when there can be none, and then the exchange is over. */
static tnpy_connection *enter(tnpy_server *server, tn__exchange *x)
{
    tnpy_connection *c = x->user ? (tnpy_connection *)Py_NewRef(x->user) : tnpy_connection_new(server, x);
    if (c && tnpy_connection_enter(c) == 0) return c;
    tnpy_core_uncaught(server->core);
    if (c) {
        tnpy_connection_abort(c);
        Py_DECREF(c);
    } else {
        tn__http1_close(x->conn);
        tn__http1_done(x);
    }
    return NULL;
}

static void leave(tnpy_connection *c)
{
    tnpy_connection_leave(c);
    tnpy_connection_settle(c);
    Py_DECREF(c);
}

/* The body is still to come. Who wants it in pieces must be asked now; for all others it is collected first. */
static int begin_with_body(tnpy_connection *c)
{
    tnpy_class *info;
    PyObject *match = NULL;
    if (!c->server->is_delegate) return TN_OK;
    const tnpy_route *route = find_route(c, &info, &match);
    int e = TN_OK;
    if (route && info->streams) {
        c->x->streaming = true;
        c->in_headers = true;
        tnpy_handler_serve(c, route, info, match);
        c->in_headers = false;
        e = c->waits_body || c->ended ? TN_OK : TN__PENDING;
    } else if (!route && PyErr_Occurred()) {
        tnpy_connection_failed(c);
    } else if (!route) {
        c->x->streaming = true;
        e = begin_delegate(c);
    }
    Py_XDECREF(match);
    return e < 0 ? TN_OK : e;
}

static int on_headers(void *app, tn__exchange *x)
{
    if (x->head.framing.content_length <= 0 && !x->head.framing.chunked) return TN_OK;
    tnpy_connection *c = enter(app, x);
    if (!c) return TN_OK;
    int e = begin_with_body(c);
    leave(c);
    return e;
}

/* Hand on a piece of the body. One that is longer than the server's chunk_size goes in several, each when the last is dealt with. */
static int deliver(tnpy_connection *c, tn_str data)
{
    if (c->native && data.n <= c->server->chunk_bytes_max) return tnpy_handler_chunk(c, data);
    const tnpy_state *state = c->server->core->state;
    PyObject *chunk = tnpy_bytes(data), *result = NULL;
    if (chunk && data.n > c->server->chunk_bytes_max)
        result = PyObject_CallFunction(state->py.in_pieces, "OOn", c->owner, chunk, (Py_ssize_t)c->server->chunk_bytes_max);
    else if (chunk)
        result = tnpy_call1(c->owner, state->str.data_received, chunk);
    Py_XDECREF(chunk);
    return tnpy_connection_await(c, result);
}

static int on_chunk(void *app, tn__exchange *x, tn_str data)
{
    tnpy_connection *c = enter(app, x);
    if (!c) return TN_OK;
    int e = deliver(c, data);
    leave(c);
    return e;
}

static void on_complete(void *app, tn__exchange *x)
{
    tnpy_connection *c = enter(app, x);
    if (!c) return;
    if (c->native)
        tnpy_handler_body_complete(c);
    else if (c->owner)
        finish_delegate(c);
    else
        dispatch(c);
    leave(c);
}

/* Tell whoever has the exchange in hand that the peer is gone. */
static void tell_closed(tnpy_connection *c, bool aborted)
{
    PyObject *done = Py_NewRef(Py_None);
    if (c->native)
        tnpy_handler_peer_closed(c, aborted);
    else if (c->close_callback)
        Py_SETREF(done, PyObject_CallNoArgs(c->close_callback));
    if (!c->native && aborted && c->owner && done)
        Py_SETREF(done, tnpy_call0(c->owner, c->server->core->state->str.on_connection_close));
    if (!done) tnpy_core_uncaught(c->server->core);
    Py_XDECREF(done);
}

static void on_gone(tnpy_server *server, tn__exchange *x, bool aborted)
{
    if (!x->user) {
        if (aborted) tn__http1_done(x);
        return;
    }
    if (server->silent) {
        tnpy_connection_drop(x->user);
        return;
    }
    tnpy_connection *c = enter(server, x);
    if (!c) return;
    c->peer_closed = true;
    tell_closed(c, aborted);
    if (aborted) c->ended = true;
    leave(c);
}

static void on_peer_closed(void *app, tn__exchange *x)
{
    on_gone(app, x, false);
}

static void on_aborted(void *app, tn__exchange *x)
{
    on_gone(app, x, true);
}

static int on_attach(void *app, tn_stream *s)
{
    tnpy_server *server = app;
    return server->tls ? tnpy_tls_attach(server, s) : TN_OK;
}

const tn__http_delegate tnpy_http_delegate = {
    .headers = on_headers,
    .chunk = on_chunk,
    .complete = on_complete,
    .peer_closed = on_peer_closed,
    .aborted = on_aborted,
    .attach = on_attach,
    .limits_bodies = true,
};
