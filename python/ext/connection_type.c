/* Connection: see connection_type.h. What delegates, slow handlers and users do with `request.connection` ends here. */
#include "connection_type.h"

#include <time.h>

#include "handler_type.h"
#include "http/http1_parts.h"
#include "request_type.h"
#include "tls_bio.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

tnpy_connection *tnpy_connection_new(tnpy_server *server, tn__exchange *x)
{
    PyTypeObject *type = server->core->state->connection_type;
    tnpy_connection *c = (tnpy_connection *)type->tp_alloc(type, 0);
    if (!c) return NULL;
    c->context = PyContext_Copy(server->context);
    if (!c->context) {
        Py_DECREF(c);
        return NULL;
    }
    c->server = (tnpy_server *)Py_NewRef(server);
    c->x = x;
    c->started = now();
    x->user = Py_NewRef(c); /* given up in let_go */
    return c;
}

int tnpy_connection_enter(tnpy_connection *c)
{
    if (PyContext_Enter(c->context) < 0) return -1;
    c->busy++;
    return 0;
}

void tnpy_connection_leave(tnpy_connection *c)
{
    c->busy--;
    PyContext_Exit(c->context);
}

/* What is left of this exchange for those who keep the handler or the request. */
static int retain(tnpy_connection *c)
{
    tnpy_handler *handler = c->native ? (tnpy_handler *)c->owner : NULL;
    bool handler_kept = handler && Py_REFCNT(handler) > 1;
    if (handler_kept && tnpy_handler_retain(handler) < 0) return -1;
    if (!c->request) return 0;
    Py_ssize_t known = 1 + (handler && handler->request == c->request);
    return handler_kept || Py_REFCNT(c->request) > known ? tnpy_request_retain(c->request) : 0;
}

static void let_go(tnpy_connection *c)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (retain(c) < 0) PyErr_WriteUnraisable((PyObject *)c);
    tn__exchange *x = c->x;
    c->x = NULL;
    x->user = NULL;
    tn__http1_done(x);
    if (c->native && c->owner) tnpy_handler_detach((tnpy_handler *)c->owner);
    Py_CLEAR(c->owner);
    Py_CLEAR(c->request);
    Py_CLEAR(c->close_callback);
    PyErr_Restore(type, value, traceback);
    Py_DECREF(c); /* the exchange's */
}

void tnpy_connection_drop(tnpy_connection *c)
{
    c->ended = true;
    if (c->drained) {
        tn__op_cancel(&c->drain);
        Py_CLEAR(c->drained);
        Py_DECREF(c); /* the operation's */
    }
    tnpy_connection_settle(c);
}

void tnpy_connection_settle(tnpy_connection *c)
{
    if (c->ended && c->busy == 0 && c->x) let_go(c);
}

void tnpy_connection_abort(tnpy_connection *c)
{
    c->ended = true;
    if (c->x && !c->x->conn->stream.closed) tn__http1_close(c->x->conn);
    tnpy_connection_settle(c);
}

int tnpy_connection_end(tnpy_connection *c)
{
    if (!c->x) return 0;
    int64_t missing = c->x->content_length - c->x->sent;
    int result = tn__http1_end(c->x);
    c->ended = true;
    if (result == TN_EINVAL) {
        PyErr_Format(c->server->core->state->py.http_output_error, "Tried to write %lld bytes less than Content-Length", missing);
        return -1;
    }
    return 0; /* a peer that is gone is no error of whoever answers */
}

/* Answer 400 if that is still possible, as for a request that the engine itself refuses. */
static void refuse(tnpy_connection *c)
{
    static const tn__response_head head = {.status = 400, .common = true, .content_length = 0};
    tn__exchange *x = c->x;
    if (!x || x->head_sent || tnpy_connection_gone(c)) {
        tnpy_connection_abort(c);
        return;
    }
    x->persist = false;
    if (tn__http1_head(x, &head) < 0 || tn__http1_end(x) < 0)
        tnpy_connection_abort(c);
    else
        c->ended = true;
    tnpy_connection_settle(c);
}

void tnpy_connection_failed(tnpy_connection *c)
{
    tnpy_state *state = c->server->core->state;
    if (!state->py.http_input_error || !PyErr_ExceptionMatches(state->py.http_input_error)) {
        tnpy_core_uncaught(c->server->core);
        tnpy_connection_abort(c);
        return;
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *reason = PyObject_Str(value);
    char ip[TN_ADDR_TEXT_BYTES];
    if (reason && c->x) {
        tn_str from = tn__http1_remote_ip(c->x->conn, ip);
        PyObject *said = PyObject_CallMethod(state->py.gen_log, "info", "ss#O", "Malformed HTTP message from %s: %s", from.p,
                                             (Py_ssize_t)from.n, reason);
        Py_XDECREF(said);
    }
    PyErr_Clear();
    Py_XDECREF(reason);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    refuse(c);
}

PyObject *tnpy_connection_request(tnpy_connection *c)
{
    if (!c->request) {
        c->request = tnpy_request_new(c);
        if (!c->request) return NULL;
        if (c->server->adjust) {
            PyObject *done = PyObject_CallOneArg(c->server->adjust, c->request);
            if (!done) return NULL;
            Py_DECREF(done);
        }
    }
    return Py_NewRef(c->request);
}

/* -- Futures -- */

PyObject *tnpy_new_future(tnpy_core *core)
{
    tnpy_state *state = core->state;
    PyObject *host = tnpy_core_host(core);
    if (!host) return NULL;
    PyObject *args[] = {host}, *names = PyTuple_Pack(1, state->str.loop);
    PyObject *future = names ? PyObject_Vectorcall(state->py.future, args, 0, names) : NULL;
    Py_XDECREF(names);
    Py_DECREF(host);
    return future;
}

/* Complete a future that nobody may have cancelled. The exception of one that nobody awaits shall not be complained about. */
static int complete_future(tnpy_state *state, PyObject *future, bool closed)
{
    PyObject *done;
    if (closed) {
        PyObject *error = PyObject_CallNoArgs(state->py.stream_closed_error);
        done = error ? tnpy_call1(future, state->str.set_exception, error) : NULL;
        Py_XDECREF(error);
        if (done) Py_SETREF(done, tnpy_call0(future, state->str.exception));
    } else {
        done = tnpy_call1(future, state->str.set_result, Py_None);
    }
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int tnpy_close_future(tnpy_state *state, PyObject *future)
{
    return complete_future(state, future, true);
}

PyObject *tnpy_done_future(tnpy_core *core, bool closed)
{
    PyObject *future = tnpy_new_future(core);
    if (future && complete_future(core->state, future, closed) < 0) Py_CLEAR(future);
    return future;
}

static void on_drained(tn_loop *loop, tn__op *op, int result)
{
    tnpy_connection *c = TN__OWNER(op, tnpy_connection, drain);
    tnpy_state *state = c->server->core->state;
    PyObject *futures = c->drained;
    c->drained = NULL;
    for (Py_ssize_t i = 0; futures && i < PyList_GET_SIZE(futures); i++) {
        if (complete_future(state, PyList_GET_ITEM(futures, i), result < 0) == 0) continue;
        PyErr_Clear(); /* cancelled meanwhile */
    }
    Py_XDECREF(futures);
    Py_DECREF(c); /* the operation's */
}

PyObject *tnpy_connection_flush(tnpy_connection *c)
{
    tnpy_core *core = c->server->core;
    if (tnpy_connection_gone(c)) return tnpy_done_future(core, true);
    if (!c->drained) {
        tn__op_init(&c->drain, on_drained);
        int result = tn__http1_drain(c->x, &c->drain);
        if (result != TN__PENDING) return tnpy_done_future(core, result < 0);
        Py_INCREF(c);
        c->drained = PyList_New(0);
        if (!c->drained) return NULL;
    }
    PyObject *future = tnpy_new_future(core);
    if (future && PyList_Append(c->drained, future) < 0) Py_CLEAR(future);
    return future;
}

/* -- What application code wants to be awaited -- */

/* The engine goes on with the body, if there was no failure. */
static void go_on(tnpy_connection *c, PyObject *future)
{
    PyObject *result = PyObject_CallMethod(future, "result", NULL);
    if (!result)
        tnpy_connection_failed(c);
    else if (c->x)
        tn__http1_go_on(c->x);
    Py_XDECREF(result);
}

static PyObject *connection_go_on(PyObject *self, PyObject *future)
{
    tnpy_connection *c = (tnpy_connection *)self;
    c->busy++;
    go_on(c, future);
    c->busy--;
    tnpy_connection_settle(c);
    Py_RETURN_NONE;
}

int tnpy_connection_await(tnpy_connection *c, PyObject *result)
{
    tnpy_state *state = c->server->core->state;
    if (result == Py_None) {
        Py_DECREF(result);
        return TN_OK;
    }
    PyObject *future = result ? PyObject_CallOneArg(state->py.convert_yielded, result) : NULL;
    PyObject *call = future ? PyObject_GetAttrString((PyObject *)c, "_go_on") : NULL;
    PyObject *done = call ? tnpy_call1(future, state->str.add_done_callback, call) : NULL;
    if (!done) tnpy_connection_failed(c);
    Py_XDECREF(result);
    Py_XDECREF(future);
    Py_XDECREF(call);
    Py_XDECREF(done);
    return done ? TN__PENDING : TN_OK;
}

/* -- Heads from Python -- */

int tnpy_connection_framing(tnpy_connection *c, tn_str name, tn_str value, tn__response_head *head)
{
    if (name.n == 14 && tn_str_caseeq(name, TN_S("Content-Length"))) {
        if (head->status == 304) return 0; /* the length of a body that is not sent: RFC 9110, 8.6 */
        int64_t n = 0;
        for (size_t i = 0; i < value.n; i++) {
            if (value.p[i] < '0' || value.p[i] > '9' || n > INT64_MAX / 10 - 9) {
                PyErr_SetString(PyExc_ValueError, "Content-Length is no number");
                return -1;
            }
            n = n * 10 + (value.p[i] - '0');
        }
        head->content_length = n;
        return 1;
    }
    if (name.n == 10 && tn_str_caseeq(name, TN_S("Connection"))) {
        if (!tn_str_caseeq(value, TN_S("close"))) return tn_str_caseeq(value, TN_S("keep-alive"));
        c->x->persist = false;
        return 1;
    }
    return name.n == 17 && tn_str_caseeq(name, TN_S("Transfer-Encoding"));
}

/* One field of the head. Blanks around a value mean nothing, and Tornado lets them be set. */
static int take_field(tnpy_connection *c, PyObject *name_object, PyObject *value_object, tn__headers *headers,
                      tn__response_head *head)
{
    tn_str name, value;
    int e = tnpy_text(name_object, &name);
    if (e == 0) e = tnpy_text(value_object, &value);
    if (e > 0) PyErr_SetString(PyExc_TypeError, "header names and values must be text");
    if (e != 0) return -1;
    value = tn_str_trim(value);
    int framing = tnpy_connection_framing(c, name, value, head);
    if (framing != 0) return framing < 0 ? -1 : 0;
    e = tn__headers_add(headers, &c->x->arena, name, value);
    if (e == TN_EINVAL) PyErr_Format(PyExc_ValueError, "Illegal characters (CR or LF) in header: %R", value_object);
    if (e == TN_ENOMEM) PyErr_NoMemory();
    return e < 0 ? -1 : 0;
}

static int take_fields(tnpy_connection *c, PyObject *object, tn__headers *headers, tn__response_head *head)
{
    PyObject *pairs = PyObject_CallMethod(object, "get_all", NULL);
    PyObject *iterator = pairs ? PyObject_GetIter(pairs) : NULL;
    Py_XDECREF(pairs);
    if (!iterator) return -1;
    int result = 0;
    for (PyObject *pair; result == 0 && (pair = PyIter_Next(iterator)); Py_DECREF(pair)) {
        PyObject *name, *value;
        result = PyArg_ParseTuple(pair, "OO", &name, &value) ? take_field(c, name, value, headers, head) : -1;
    }
    Py_DECREF(iterator);
    return result < 0 || PyErr_Occurred() ? -1 : 0;
}

int tnpy_connection_head(tnpy_connection *c, int status, PyObject *reason, PyObject *object, int64_t content_length)
{
    if (tnpy_connection_gone(c)) return 0; /* the future of the write says so */
    tn__headers headers = {0};
    tn__response_head head = {.status = status, .headers = &headers, .content_length = content_length};
    if (tnpy_text(reason, &head.reason) != 0) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the reason must be text");
        return -1;
    }
    if (memchr(head.reason.p, '\n', head.reason.n) || memchr(head.reason.p, '\r', head.reason.n)) {
        PyErr_Format(PyExc_ValueError, "Illegal characters (CR or LF) in header: %R", reason);
        return -1;
    }
    if (take_fields(c, object, &headers, &head) < 0) return -1;
    int e = tn__http1_head(c->x, &head);
    if (e == TN_ENOMEM) PyErr_NoMemory();
    return e == TN_ENOMEM ? -1 : 0;
}

/* -- Methods -- */

static int write_bytes(tnpy_connection *c, PyObject *chunk)
{
    Py_buffer view;
    if (!c->x || chunk == Py_None) return 0;
    if (PyObject_GetBuffer(chunk, &view, PyBUF_SIMPLE) < 0) return -1;
    int e = tn__http1_write(c->x, tn_str_of(view.buf, (size_t)view.len));
    PyBuffer_Release(&view);
    if (e == TN_ETOOBIG)
        PyErr_SetString(c->server->core->state->py.http_output_error, "Tried to write more data than Content-Length");
    if (e == TN_ENOMEM) PyErr_NoMemory();
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *connection_write_headers(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"start_line", "headers", "chunk", NULL};
    PyObject *start_line, *headers, *chunk = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O:write_headers", names, &start_line, &headers, &chunk)) return NULL;
    PyObject *version, *reason; /* borrowed */
    int status;
    if (!PyTuple_Check(start_line) || !PyArg_ParseTuple(start_line, "OiO", &version, &status, &reason)) return NULL;
    tnpy_connection *c = (tnpy_connection *)self;
    if (tnpy_connection_head(c, status, reason, headers, -1) < 0 || write_bytes(c, chunk) < 0) return NULL;
    return tnpy_connection_flush(c);
}

static PyObject *connection_write(PyObject *self, PyObject *chunk)
{
    tnpy_connection *c = (tnpy_connection *)self;
    return write_bytes(c, chunk) < 0 ? NULL : tnpy_connection_flush(c);
}

static PyObject *connection_finish(PyObject *self, PyObject *ignored)
{
    tnpy_connection *c = (tnpy_connection *)self;
    int result = tnpy_connection_end(c);
    tnpy_connection_settle(c);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *connection_close(PyObject *self, PyObject *ignored)
{
    tnpy_connection_abort((tnpy_connection *)self);
    Py_RETURN_NONE;
}

static PyObject *connection_set_close_callback(PyObject *self, PyObject *callback)
{
    tnpy_connection *c = (tnpy_connection *)self;
    Py_XSETREF(c->close_callback, callback == Py_None ? NULL : Py_NewRef(callback));
    Py_RETURN_NONE;
}

static PyObject *connection_set_max_body_size(PyObject *self, PyObject *value)
{
    tnpy_connection *c = (tnpy_connection *)self;
    size_t bytes = PyLong_AsSize_t(value);
    if (bytes == (size_t)-1 && PyErr_Occurred()) return NULL;
    if (c->x) c->x->conn->body_bytes_max = bytes;
    Py_RETURN_NONE;
}

static PyObject *connection_set_body_timeout(PyObject *self, PyObject *value)
{
    tnpy_connection *c = (tnpy_connection *)self;
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred()) return NULL;
    if (c->x) c->x->conn->body_ns = tn__seconds_to_ns(seconds);
    Py_RETURN_NONE;
}

/* The stream, out of HTTP's hands: an IOStream on a descriptor of its own. */
static PyObject *connection_detach(PyObject *self, PyObject *ignored)
{
    tnpy_connection *c = (tnpy_connection *)self;
    tn_buf rest = {0};
    PyObject *stream = NULL, *tls = NULL;
    int fd = c->x ? tnpy_tls_release(&c->x->conn->stream, &tls) : TN_ECLOSED;
    if (fd == TN_OK) fd = tn__http1_detach(c->x, &rest);
    if (fd >= 0)
        stream = PyObject_CallFunction(c->server->core->state->py.detached_stream, "iy#O", fd, rest.p ? rest.p : "",
                                       (Py_ssize_t)rest.n, tls ? tls : Py_None);
    else if (fd == TN_ECLOSED)
        PyErr_SetNone(c->server->core->state->py.stream_closed_error);
    else
        tnpy_raise(fd);
    tn__buf_done(&rest);
    if (fd < 0 && tls) tnpy_connection_abort(c); /* without its TLS it is of no use */
    Py_XDECREF(tls);
    if (fd < 0) return NULL;
    c->ended = true;
    tnpy_connection_settle(c);
    return stream;
}

/* Bytes for the peer that are none of HTTP's business, as of `connection.stream.write`. */
static PyObject *connection_write_raw(PyObject *self, PyObject *chunk)
{
    tnpy_connection *c = (tnpy_connection *)self;
    Py_buffer view;
    if (PyObject_GetBuffer(chunk, &view, PyBUF_SIMPLE) < 0) return NULL;
    int e = tnpy_connection_gone(c) ? TN_OK : tn__stream_write(&c->x->conn->stream, tn_str_of(view.buf, (size_t)view.len));
    PyBuffer_Release(&view);
    return e == TN_ENOMEM ? PyErr_NoMemory() : tnpy_connection_flush(c);
}

static PyObject *get_stream(PyObject *self, void *closure)
{
    return PyObject_CallOneArg(((tnpy_connection *)self)->server->core->state->py.connection_stream, self);
}

static PyObject *get_ssl_object(PyObject *self, void *closure)
{
    const tnpy_connection *c = (tnpy_connection *)self;
    PyObject *object = tnpy_connection_gone(c) ? NULL : tnpy_tls_object(&c->x->conn->stream);
    return Py_NewRef(object ? object : Py_None);
}

static PyObject *get_closed(PyObject *self, void *closure)
{
    return PyBool_FromLong(tnpy_connection_gone((tnpy_connection *)self));
}

/* A duplicate of the descriptor's number, for socket calls on it; -1 when it is closed. */
static PyObject *connection_fileno(PyObject *self, PyObject *ignored)
{
    tnpy_connection *c = (tnpy_connection *)self;
    return PyLong_FromLong(tnpy_connection_gone(c) ? -1 : c->x->conn->stream.io.fd);
}

static int connection_traverse(PyObject *self, visitproc visit, void *arg)
{
    tnpy_connection *c = (tnpy_connection *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(c->server);
    Py_VISIT(c->owner);
    Py_VISIT(c->request);
    Py_VISIT(c->close_callback);
    Py_VISIT(c->context);
    Py_VISIT(c->drained);
    return 0;
}

static int connection_clear(PyObject *self)
{
    tnpy_connection *c = (tnpy_connection *)self;
    Py_CLEAR(c->owner);
    Py_CLEAR(c->request);
    Py_CLEAR(c->close_callback);
    Py_CLEAR(c->context);
    Py_CLEAR(c->drained);
    return 0;
}

static void connection_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    connection_clear(self);
    Py_CLEAR(((tnpy_connection *)self)->server);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"write_headers", (PyCFunction)(void (*)(void))connection_write_headers, METH_VARARGS | METH_KEYWORDS,
     "write_headers($self, start_line, headers, chunk=None)\n--\n\nSend the head of the response and, if given, a first piece of "
     "its body."},
    {"write", connection_write, METH_O,
     "write($self, chunk)\n--\n\nSend a piece of the body; a Future that is done when it has left."},
    {"finish", connection_finish, METH_NOARGS, "finish($self)\n--\n\nThe response is complete."},
    {"close", connection_close, METH_NOARGS, "close($self)\n--\n\nClose the connection, whatever was still to be sent."},
    {"set_close_callback", connection_set_close_callback, METH_O,
     "set_close_callback($self, callback)\n--\n\nCall ``callback()`` when the peer goes away before the response is complete."},
    {"set_max_body_size", connection_set_max_body_size, METH_O,
     "set_max_body_size($self, max_body_size)\n--\n\nAnother limit for the body of this request alone."},
    {"set_body_timeout", connection_set_body_timeout, METH_O,
     "set_body_timeout($self, timeout)\n--\n\nAnother time, in seconds, for the body of this request alone."},
    {"_go_on", connection_go_on, METH_O, NULL},
    {"_write_raw", connection_write_raw, METH_O, NULL},
    {"detach", connection_detach, METH_NOARGS, "detach($self)\n--\n\nTake the stream out of HTTP's hands."},
    {"fileno", connection_fileno, METH_NOARGS, "fileno($self)\n--\n\nThe descriptor; -1 when the connection is closed."},
    {0},
};

static PyObject *get_remote_ip(PyObject *self, void *closure)
{
    tnpy_connection *c = (tnpy_connection *)self;
    char text[TN_ADDR_TEXT_BYTES];
    return c->x ? tnpy_latin1(tn__http1_remote_ip(c->x->conn, text)) : PyUnicode_FromString("0.0.0.0");
}

static PyObject *get_protocol(PyObject *self, void *closure)
{
    return Py_NewRef(((tnpy_connection *)self)->server->protocol);
}

/* Tornado keeps what is known of the peer in an object of its own; here that is the connection itself. */
static PyObject *get_context(PyObject *self, void *closure)
{
    return Py_NewRef(self);
}

static PyGetSetDef getset[] = {
    {"stream", get_stream, NULL, "What can be done with the stream without taking it out of HTTP's hands.", NULL},
    {"context", get_context, NULL, "Where `remote_ip` and `protocol` are.", NULL},
    {"remote_ip", get_remote_ip, NULL, "The address of the peer.", NULL},
    {"protocol", get_protocol, NULL, "\"http\" or \"https\".", NULL},
    {"ssl_object", get_ssl_object, NULL, "The `ssl.SSLObject`; None without TLS, or when the connection is closed.", NULL},
    {"closed", get_closed, NULL, "Whether the peer is gone, or the response complete.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The connection that a request came in through, for the time of that request."},
    {Py_tp_dealloc, connection_dealloc},
    {Py_tp_traverse, connection_traverse},
    {Py_tp_clear, connection_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.Connection",
    .basicsize = sizeof(tnpy_connection),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int tnpy_init_connection(PyObject *module)
{
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->connection_type);
}
