/*
 * Status and header fields of a handler's response.
 *
 * While nobody has asked for `_headers` they lie in the exchange's arena, as in the C face: Server and Date stand for themselves,
 * Content-Type has a place of its own, the rest is a list. Values are checked here, by Tornado's rules, so nothing can split a response.
 */
#include "handler_type.h"

#include "http/room.h"
#include "http/status.h"

static const tn_str html = {"text/html; charset=UTF-8", 24};

static tn__arena *arena_of(const tnpy_handler *h)
{
    return &h->connection->x->arena;
}

static bool in_arena(const tnpy_handler *h)
{
    return !h->headers && h->connection && h->connection->x;
}

/* -- `_headers` -- */

static int add_text(tnpy_handler *h, PyObject *headers, tn_str name, tn_str value)
{
    PyObject *n = tnpy_latin1(name), *v = tnpy_latin1(value);
    PyObject *done = n && v ? PyObject_CallMethodObjArgs(headers, tnpy_handler_state(h)->str.add, n, v, NULL) : NULL;
    Py_XDECREF(n);
    Py_XDECREF(v);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int add_all(tnpy_handler *h, PyObject *headers)
{
    tn_str server = {0}, date = {0};
    if (h->common && tn__http_common_values(h->connection->x->conn->stream.loop, &server, &date) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    int e = server.n ? add_text(h, headers, TN_S("Server"), server) : 0;
    if (e == 0 && h->content_type.n) e = add_text(h, headers, TN_S("Content-Type"), h->content_type);
    if (e == 0 && date.n) e = add_text(h, headers, TN_S("Date"), date);
    for (uint32_t i = 0; e == 0 && i < h->fields.n; i++)
        e = add_text(h, headers, h->fields.items[i].name, h->fields.items[i].value);
    return e;
}

PyObject *tnpy_handler_headers(tnpy_handler *h)
{
    if (h->headers) return h->headers;
    PyObject *headers = PyObject_CallNoArgs(tnpy_handler_state(h)->py.http_headers);
    if (headers && in_arena(h) && add_all(h, headers) < 0) Py_CLEAR(headers);
    h->headers = headers;
    return headers;
}

/* -- Values -- */

/* What may be set as a value, as text. */
static PyObject *to_text(const tnpy_state *state, PyObject *value)
{
    if (PyUnicode_Check(value)) return Py_NewRef(value);
    if (PyBytes_Check(value)) return tnpy_latin1(tn_str_of(PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value)));
    if (PyLong_Check(value)) return PyObject_Str(value);
    if (PyObject_TypeCheck(value, (PyTypeObject *)state->py.datetime))
        return PyObject_CallOneArg(state->py.format_timestamp, value);
    return PyErr_Format(PyExc_TypeError, "Unsupported header value %R", value);
}

static PyObject *convert(const tnpy_state *state, PyObject *value, tn_str *text)
{
    PyObject *converted = to_text(state, value);
    if (!converted) return NULL;
    if (tnpy_text(converted, text) == 0 && tn__is_field_value(*text)) return converted;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "Unsafe header value %R", converted);
    Py_DECREF(converted);
    return NULL;
}

/* -- Fields in the arena -- */

typedef enum special { NOT_SPECIAL, CONTENT_TYPE, SERVER_OR_DATE, FRAMING } special;

static special special_of(tn_str name)
{
    switch (name.n) {
    case 4: return tn_str_caseeq(name, TN_S("Date")) ? SERVER_OR_DATE : NOT_SPECIAL;
    case 6: return tn_str_caseeq(name, TN_S("Server")) ? SERVER_OR_DATE : NOT_SPECIAL;
    case 10: return tn_str_caseeq(name, TN_S("Connection")) ? FRAMING : NOT_SPECIAL;
    case 12: return tn_str_caseeq(name, TN_S("Content-Type")) ? CONTENT_TYPE : NOT_SPECIAL;
    case 14: return tn_str_caseeq(name, TN_S("Content-Length")) ? FRAMING : NOT_SPECIAL;
    case 17: return tn_str_caseeq(name, TN_S("Transfer-Encoding")) ? FRAMING : NOT_SPECIAL;
    default: return NOT_SPECIAL;
    }
}

/* Server and Date as ordinary fields, so that one of them can be changed. */
static int write_common_out(tnpy_handler *h)
{
    if (!h->common) return TN_OK;
    tn_str server, date;
    TN_TRY(tn__http_common_values(h->connection->x->conn->stream.loop, &server, &date));
    TN_TRY(tn__headers_set(&h->fields, arena_of(h), TN_S("Server"), server));
    TN_TRY(tn__headers_set(&h->fields, arena_of(h), TN_S("Date"), date));
    h->common = false;
    return TN_OK;
}

static int put(tnpy_handler *h, tn_str name, tn_str value, bool add)
{
    special kind = special_of(name);
    if (kind == CONTENT_TYPE && (!add || !h->content_type.n)) {
        h->content_type = tn__arena_copy(arena_of(h), value.p, value.n);
        return h->content_type.p ? TN_OK : TN_ENOMEM;
    }
    if (kind == SERVER_OR_DATE) TN_TRY(write_common_out(h));
    if (kind == FRAMING) h->has_framing = true;
    return (add ? tn__headers_add : tn__headers_set)(&h->fields, arena_of(h), name, tn_str_trim(value));
}

int tnpy_handler_set_field(tnpy_handler *h, PyObject *name, PyObject *value, bool add)
{
    const tnpy_state *state = tnpy_handler_state(h);
    tn_str text, name_text;
    PyObject *converted = convert(state, value, &text);
    if (!converted) return -1;
    int e = 0;
    if (in_arena(h)) {
        e = tnpy_text(name, &name_text);
        if (e > 0) PyErr_SetString(PyExc_TypeError, "the name of a header must be str");
        if (e == 0 && (e = put(h, name_text, text, add)) == TN_EINVAL)
            PyErr_Format(PyExc_ValueError, "Unsafe header name %R", name);
        if (e == TN_ENOMEM) PyErr_NoMemory();
    } else if (!tnpy_handler_headers(h)) {
        e = -1;
    } else if (add) {
        PyObject *done = PyObject_CallMethodObjArgs(h->headers, state->str.add, name, converted, NULL);
        e = done ? 0 : -1;
        Py_XDECREF(done);
    } else {
        e = PyObject_SetItem(h->headers, name, converted);
    }
    Py_DECREF(converted);
    return e == 0 ? 0 : -1;
}

/* -- The default response -- */

static int reset_native(tnpy_handler *h)
{
    Py_CLEAR(h->headers);
    Py_CLEAR(h->buffer);
    h->content_type = html;
    h->common = true;
    h->has_framing = false;
    h->fields = (tn__headers){0};
    tn__buf_clear(&h->connection->x->out);
    return 0;
}

/* A handler without an exchange keeps its response in Python objects. */
static int reset_foreign(tnpy_handler *h)
{
    PyObject *headers = tnpy_call0((PyObject *)h, tnpy_handler_state(h)->str._default_headers);
    PyObject *buffer = PyList_New(0);
    Py_XSETREF(h->headers, headers);
    Py_XSETREF(h->buffer, buffer);
    return headers && buffer ? 0 : -1;
}

int tnpy_handler_reset(tnpy_handler *h)
{
    h->status = 200;
    Py_CLEAR(h->reason);
    int e = h->connection && h->connection->x ? reset_native(h) : reset_foreign(h);
    if (e == 0) e = tnpy_overrides(h, TNPY_HOOK_set_default_headers);
    if (e <= 0) return e;
    PyObject *args[1], *done = tnpy_call_hook(h, TNPY_HOOK_set_default_headers, args, 0);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* -- Sending -- */

/* Take the fields that the engine writes itself out of the list. */
static int sort_framing_out(tnpy_handler *h, tn__response_head *head)
{
    tn__headers *f = &h->fields;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        tn__header field = f->items[i];
        int e = tnpy_connection_framing(h->connection, field.name, field.value, head);
        if (e < 0) return -1;
        if (e > 0)
            f->bytes -= field.name.n + field.value.n + 4; /* ": " and CRLF */
        else
            f->items[kept++] = field;
    }
    f->n = kept;
    return 0;
}

int tnpy_handler_send_head(tnpy_handler *h, int64_t content_length)
{
    tnpy_connection *c = h->connection;
    tn_str reason = {0};
    if (h->reason && tnpy_text(h->reason, &reason) != 0) return -1;
    if (h->headers) {
        PyObject *text = reason.n ? Py_NewRef(h->reason) : tnpy_latin1(tn__status_reason(h->status));
        int e = text ? tnpy_connection_head(c, h->status, text, h->headers, content_length) : -1;
        Py_XDECREF(text);
        return e;
    }
    if (tnpy_connection_gone(c)) return 0;
    tn__response_head head = {
        .status = h->status,
        .reason = reason,
        .content_type = h->content_type,
        .common = h->common,
        .headers = &h->fields,
        .content_length = content_length,
    };
    if (h->has_framing && sort_framing_out(h, &head) < 0) return -1;
    if (tn__http1_head(c->x, &head) != TN_ENOMEM) return 0;
    PyErr_NoMemory();
    return -1;
}

/* -- Methods -- */

/* A reason phrase of RFC 9112, 4; and no '<', so that no error page shows markup. */
static bool valid_reason(tn_str reason)
{
    return tn__is_field_value(reason) && !memchr(reason.p, '<', reason.n);
}

PyObject *tnpy_handler_m_set_status(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"status_code", "reason", NULL};
    tnpy_handler *h = (tnpy_handler *)self;
    PyObject *reason = Py_None;
    int status;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|O:set_status", names, &status, &reason)) return NULL;
    h->status = status;
    Py_CLEAR(h->reason);
    if (reason == Py_None) Py_RETURN_NONE;
    tn_str text;
    int e = tnpy_text(reason, &text);
    if (e > 0) return PyErr_Format(PyExc_TypeError, "the reason must be str, not %s", Py_TYPE(reason)->tp_name);
    if (e < 0) PyErr_Clear();
    h->reason = e == 0 && valid_reason(text) ? tnpy_latin1(text) : PyUnicode_FromString("Unknown");
    return h->reason ? Py_NewRef(Py_None) : NULL;
}

PyObject *tnpy_handler_m_get_status(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(((tnpy_handler *)self)->status);
}

static PyObject *set_or_add(PyObject *self, PyObject *args, PyObject *kwargs, bool add)
{
    static char *names[] = {"name", "value", NULL};
    PyObject *name, *value;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO", names, &name, &value)) return NULL;
    return tnpy_handler_set_field((tnpy_handler *)self, name, value, add) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *tnpy_handler_m_set_header(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return set_or_add(self, args, kwargs, false);
}

PyObject *tnpy_handler_m_add_header(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return set_or_add(self, args, kwargs, true);
}

static int clear_field(tnpy_handler *h, tn_str name)
{
    if (!in_arena(h)) {
        PyObject *text = tnpy_latin1(name);
        int there = text && tnpy_handler_headers(h) ? PySequence_Contains(h->headers, text) : -1;
        if (there > 0) there = PyObject_DelItem(h->headers, text);
        Py_XDECREF(text);
        return there;
    }
    special kind = special_of(name);
    if (kind == CONTENT_TYPE) h->content_type = (tn_str){0};
    if (kind == SERVER_OR_DATE && write_common_out(h) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    tn__headers_remove(&h->fields, name);
    return 0;
}

PyObject *tnpy_handler_m_clear_header(PyObject *self, PyObject *name)
{
    tn_str text;
    int e = tnpy_text(name, &text);
    if (e > 0) PyErr_SetString(PyExc_TypeError, "the name of a header must be str");
    return e != 0 || clear_field((tnpy_handler *)self, text) < 0 ? NULL : Py_NewRef(Py_None);
}

PyObject *tnpy_handler_m_clear(PyObject *self, PyObject *ignored)
{
    return tnpy_handler_reset((tnpy_handler *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

/* What must not describe a body that is not there (204, 304); Allow, Etag and the rest stay. */
PyObject *tnpy_handler_m_clear_representation_headers(PyObject *self, PyObject *ignored)
{
    static const char *const names[] = {"Content-Encoding", "Content-Language", "Content-Type"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (clear_field((tnpy_handler *)self, tn_z(names[i])) < 0) return NULL;
    Py_RETURN_NONE;
}
