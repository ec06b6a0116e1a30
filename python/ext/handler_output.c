/* What a handler writes: the body, flush and finish, the Etag, and the line of the access log. */
#include "handler_type.h"

#include "http/http1_parts.h"
#include "http/range.h"
#include "json_encode.h"
#include "request_type.h"

enum { ETAG_BYTES = 2 * TN__SHA1_BYTES + 2 };

/* The exchange's buffer, when that is where the body is; else NULL. */
static tn_buf *own_buffer(const tnpy_handler *h)
{
    return !h->buffer && h->connection && h->connection->x ? &h->connection->x->out : NULL;
}

PyObject *tnpy_handler_buffer(tnpy_handler *h)
{
    if (h->buffer) return h->buffer;
    PyObject *list = PyList_New(0);
    tn_buf *own = own_buffer(h);
    if (list && own && own->n > 0) {
        PyObject *chunk = tnpy_bytes(tn__buf_str(own));
        if (!chunk || PyList_Append(list, chunk) < 0) Py_CLEAR(list);
        Py_XDECREF(chunk);
        if (list) tn__buf_clear(own);
    }
    h->buffer = list;
    return list;
}

/* -- write -- */

static int append(tnpy_handler *h, tn_str data, PyObject *chunk)
{
    tn_buf *own = own_buffer(h);
    if (own) {
        if (tn__buf_add(own, data.p, data.n) == TN_OK) return 0;
        PyErr_NoMemory();
        return -1;
    }
    PyObject *bytes = PyBytes_Check(chunk) ? Py_NewRef(chunk) : tnpy_bytes(data), *buffer = tnpy_handler_buffer(h);
    int e = bytes && buffer ? PyList_Append(buffer, bytes) : -1;
    Py_XDECREF(bytes);
    return e;
}

/* A call of `set_header`, or what it does. */
static int set_header(tnpy_handler *h, PyObject *name, PyObject *value)
{
    int overridden = tnpy_overrides(h, TNPY_HOOK_set_header);
    if (overridden < 0) return -1;
    if (!overridden) return tnpy_handler_set_field(h, name, value, false);
    PyObject *args[] = {NULL, name, value}, *done = tnpy_call_hook(h, TNPY_HOOK_set_header, args, 2);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Does json_encode do what Tornado's own does, by means of json.dumps? */
static bool json_is_ordinary(const tnpy_state *state)
{
    PyObject *encode = PyDict_GetItemWithError(PyModule_GetDict(state->py.escape), state->str.json_encode); /* borrowed */
    PyObject *dumps = PyDict_GetItemWithError(PyModule_GetDict(state->py.json), state->str.dumps);          /* borrowed */
    PyErr_Clear();
    return encode == state->py.json_encode && dumps == state->py.json_dumps;
}

static int write_json_text(tnpy_handler *h, PyObject *chunk)
{
    tnpy_state *state = tnpy_handler_state(h);
    PyObject *text = tnpy_call1(state->py.escape, state->str.json_encode, chunk);
    if (!text) return -1;
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(text, &n);
    int e = p ? append(h, tn_str_of(p, (size_t)n), text) : -1;
    Py_DECREF(text);
    return e;
}

static int write_json(tnpy_handler *h, PyObject *chunk)
{
    tnpy_state *state = tnpy_handler_state(h);
    tn_buf *own = own_buffer(h);
    int done = own && json_is_ordinary(state) ? tnpy_json_encode(own, chunk) : 0;
    if (done < 0 || (done == 0 && write_json_text(h, chunk) < 0)) return -1;
    return set_header(h, state->str.content_type, state->str.json_type);
}

static int write_chunk(tnpy_handler *h, PyObject *chunk)
{
    if (h->finished) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot write() after finish()");
        return -1;
    }
    if (PyUnicode_Check(chunk)) {
        Py_ssize_t n;
        const char *p = PyUnicode_AsUTF8AndSize(chunk, &n);
        return p ? append(h, tn_str_of(p, (size_t)n), chunk) : -1;
    }
    if (PyBytes_Check(chunk)) return append(h, tn_str_of(PyBytes_AS_STRING(chunk), (size_t)PyBytes_GET_SIZE(chunk)), chunk);
    if (PyDict_Check(chunk)) return write_json(h, chunk);
    PyErr_SetString(PyExc_TypeError, PyList_Check(chunk)
                                         ? "write() only accepts bytes, unicode, and dict objects. Lists not accepted for security "
                                           "reasons: a page of another site could read what is inside of one; wrap it in a dict"
                                         : "write() only accepts bytes, unicode, and dict objects");
    return -1;
}

PyObject *tnpy_handler_m_write(PyObject *self, PyObject *chunk)
{
    return write_chunk((tnpy_handler *)self, chunk) < 0 ? NULL : Py_NewRef(Py_None);
}

/* -- flush -- */

/* Does the response go through Python: without an exchange, or changed on its way by transforms? */
static bool is_slow(const tnpy_handler *h)
{
    return !h->connection || !h->connection->x || (h->transforms && PyList_GET_SIZE(h->transforms) > 0);
}

static PyObject *flush_slowly(tnpy_handler *h, bool last)
{
    return tnpy_call1((PyObject *)h, tnpy_handler_state(h)->str._slow_flush, last ? Py_True : Py_False);
}

static int write_out(tnpy_connection *c, int e)
{
    if (e == TN_ETOOBIG)
        PyErr_SetString(c->server->core->state->py.http_output_error, "Tried to write more data than Content-Length");
    if (e == TN_ENOMEM) PyErr_NoMemory();
    return e == TN_ETOOBIG || e == TN_ENOMEM ? -1 : 0; /* a peer that is gone shows in the future */
}

static int send_buffer(tnpy_handler *h)
{
    tnpy_connection *c = h->connection;
    tn_buf *own = own_buffer(h);
    if (own) return write_out(c, tn__http1_write_take(c->x, own));
    PyObject *chunks = h->buffer;
    h->buffer = NULL;
    int e = 0;
    for (Py_ssize_t i = 0; e == 0 && i < PyList_GET_SIZE(chunks); i++) {
        tn_str data;
        if (tnpy_text(PyList_GET_ITEM(chunks, i), &data) == 0) e = write_out(c, tn__http1_write(c->x, data));
    }
    Py_DECREF(chunks);
    return PyErr_Occurred() ? -1 : e;
}

/* Hand over what there is to be sent, the head first. `content_length`: of the body, if it is known; else -1. */
static int hand_over(tnpy_handler *h, int64_t content_length)
{
    if (!h->headers_written) {
        tnpy_state *state = tnpy_handler_state(h);
        h->headers_written = 1;
        int cookies = h->dict ? PyDict_Contains(h->dict, state->str._new_cookie) : 0;
        PyObject *done = cookies > 0 ? tnpy_call0((PyObject *)h, state->str._emit_cookies) : Py_NewRef(Py_None);
        Py_XDECREF(done);
        if (cookies < 0 || !done || tnpy_handler_send_head(h, content_length) < 0) return -1;
    }
    return send_buffer(h);
}

PyObject *tnpy_handler_m_flush(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"include_footers", NULL};
    tnpy_handler *h = (tnpy_handler *)self;
    int last = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:flush", names, &last)) return NULL;
    if (is_slow(h)) return flush_slowly(h, last);
    return hand_over(h, -1) < 0 ? NULL : tnpy_connection_flush(h->connection);
}

/* -- Etag -- */

static int digest(tnpy_handler *h, char text[ETAG_BYTES])
{
    unsigned char sum[TN__SHA1_BYTES];
    if (tn__sha1(h->connection->x->conn->stream.loop->digester, tn__buf_str(own_buffer(h)), sum) < 0) {
        tnpy_raise(TN_ECRYPTO);
        return -1;
    }
    text[0] = text[ETAG_BYTES - 1] = '"';
    tn__hex(text + 1, sum, sizeof sum);
    return 0;
}

PyObject *tnpy_handler_m_compute_etag(PyObject *self, PyObject *ignored)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!own_buffer(h)) return tnpy_call0(self, tnpy_handler_state(h)->str._slow_etag);
    char text[ETAG_BYTES];
    return digest(h, text) < 0 ? NULL : tnpy_latin1(tn_str_of(text, sizeof text));
}

/* Put the Etag of an ordinary response straight into the list of fields. */
static int set_own_etag(tnpy_handler *h)
{
    if (tn__headers_get(&h->fields, TN_S("Etag")).p) return 0;
    char text[ETAG_BYTES];
    if (digest(h, text) < 0) return -1;
    if (tn__headers_add(&h->fields, &h->connection->x->arena, TN_S("Etag"), tn_str_of(text, sizeof text)) == TN_OK) return 0;
    PyErr_NoMemory();
    return -1;
}

static int set_etag(tnpy_handler *h)
{
    int overridden = tnpy_overrides(h, TNPY_HOOK_compute_etag);
    if (overridden < 0) return -1;
    if (!overridden && !h->headers && own_buffer(h)) return set_own_etag(h);
    PyObject *args[1], *name = tnpy_handler_state(h)->str.etag;
    if (!overridden) {
        int there = tnpy_handler_headers(h) ? PySequence_Contains(h->headers, name) : -1;
        if (there != 0) return there < 0 ? -1 : 0;
    }
    PyObject *etag = tnpy_call_hook(h, TNPY_HOOK_compute_etag, args, 0);
    int e = !etag ? -1 : etag == Py_None ? 0 : set_header(h, name, etag);
    Py_XDECREF(etag);
    return e;
}

PyObject *tnpy_handler_m_set_etag_header(PyObject *self, PyObject *ignored)
{
    return set_etag((tnpy_handler *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

/* The field If-None-Match where Python code may have changed it: borrowed by `*kept`. `p` is NULL when there is none. */
static int asked_of_headers(tnpy_handler *h, tn_str *asked, PyObject **kept)
{
    const tnpy_state *state = tnpy_handler_state(h);
    PyObject *request = PyObject_GetAttr((PyObject *)h, state->str.request);
    PyObject *headers = request ? PyObject_GetAttr(request, state->str.headers) : NULL;
    *kept = headers ? PyObject_CallMethodObjArgs(headers, state->str.get, state->str.if_none_match, NULL) : NULL;
    Py_XDECREF(request);
    Py_XDECREF(headers);
    *asked = (tn_str){0};
    return *kept ? *kept == Py_None ? 0 : tnpy_text(*kept, asked) : -1;
}

/* 1: the client has what would be sent. RFC 9110, 13.1.2. */
static int etag_matches(tnpy_handler *h)
{
    if (h->headers || !h->connection || !h->connection->x) {
        PyObject *answer = tnpy_call0((PyObject *)h, tnpy_handler_state(h)->str._slow_check_etag);
        int matches = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        return matches;
    }
    tn_str asked, etag = tn__headers_get(&h->fields, TN_S("Etag"));
    PyObject *kept = NULL;
    if (!tnpy_request_raw_field(h->connection, TN_S("If-None-Match"), &asked) && asked_of_headers(h, &asked, &kept) < 0) return -1;
    int matches = asked.p && etag.p && tn__etag_listed(asked, etag, true);
    Py_XDECREF(kept);
    return matches;
}

PyObject *tnpy_handler_m_check_etag_header(PyObject *self, PyObject *ignored)
{
    int matches = etag_matches((tnpy_handler *)self);
    return matches < 0 ? NULL : PyBool_FromLong(matches);
}

/* -- finish -- */

/* Call a hook without arguments if it is overridden: its result. Py_None (new) if it is not; NULL with an exception. */
static PyObject *hook_or_none(tnpy_handler *h, tnpy_hook hook, bool *overridden)
{
    int own = tnpy_overrides(h, hook);
    *overridden = own > 0;
    if (own < 0) return NULL;
    PyObject *args[1];
    return own ? tnpy_call_hook(h, hook, args, 0) : Py_NewRef(Py_None);
}

static bool is_reading(tnpy_handler *h)
{
    if (h->connection && h->connection->x) return h->connection->x->head.method_id <= TN__HEAD;
    PyObject *method = h->request ? PyObject_GetAttr(h->request, tnpy_handler_state(h)->str.method) : NULL;
    bool reading = method && PyUnicode_Check(method) &&
                   (PyUnicode_CompareWithASCIIString(method, "GET") == 0 || PyUnicode_CompareWithASCIIString(method, "HEAD") == 0);
    Py_XDECREF(method);
    PyErr_Clear();
    return reading;
}

/* A GET or HEAD that the client's copy answers as well becomes 304. */
static int check_etag(tnpy_handler *h)
{
    if (h->status != 200 || !is_reading(h)) return 0;
    bool overridden;
    PyObject *done = hook_or_none(h, TNPY_HOOK_set_etag_header, &overridden);
    Py_XDECREF(done);
    if (!done || (!overridden && set_etag(h) < 0)) return -1;
    PyObject *answer = hook_or_none(h, TNPY_HOOK_check_etag_header, &overridden);
    int matches = !answer ? -1 : overridden ? PyObject_IsTrue(answer) : etag_matches(h);
    Py_XDECREF(answer);
    if (matches <= 0) return matches;
    tn_buf *own = own_buffer(h);
    if (own) tn__buf_clear(own);
    if (h->buffer) Py_SETREF(h->buffer, PyList_New(0));
    h->status = 304;
    Py_CLEAR(h->reason);
    return 0;
}

static int64_t body_bytes(tnpy_handler *h)
{
    const tn_buf *own = own_buffer(h);
    if (own) return (int64_t)own->n;
    int64_t n = 0;
    for (Py_ssize_t i = 0; h->buffer && i < PyList_GET_SIZE(h->buffer); i++) n += PyObject_Size(PyList_GET_ITEM(h->buffer, i));
    return n;
}

/* Content-Length as a field, where the head is not made right here. */
static int announce(tnpy_handler *h, int64_t length)
{
    int overridden = tnpy_overrides(h, TNPY_HOOK_flush);
    if (overridden < 0) return -1;
    if (!overridden && !h->headers && !is_slow(h)) return 0;
    PyObject *headers = tnpy_handler_headers(h), *name = tnpy_handler_state(h)->str.content_length;
    int there = headers ? PySequence_Contains(headers, name) : -1;
    if (there != 0) return there < 0 ? -1 : 0;
    PyObject *text = PyUnicode_FromFormat("%lld", (long long)length);
    int e = text ? PyObject_SetItem(headers, name, text) : -1;
    Py_XDECREF(text);
    return e;
}

/* The whole response is there: its Etag, and its length or that it has no body. Gives the length, -1 for none. */
static int complete(tnpy_handler *h, int64_t *length)
{
    if (check_etag(h) < 0) return -1;
    *length = body_bytes(h);
    if (h->status == 204 || h->status == 304 || (h->status >= 100 && h->status < 200)) {
        if (*length > 0) {
            PyErr_Format(PyExc_AssertionError, "Cannot send body with %d", h->status);
            return -1;
        }
        *length = -1;
        bool overridden;
        PyObject *done = hook_or_none(h, TNPY_HOOK__clear_representation_headers, &overridden);
        if (done && !overridden) Py_SETREF(done, tnpy_handler_m_clear_representation_headers((PyObject *)h, NULL));
        Py_XDECREF(done);
        return done ? 0 : -1;
    }
    return announce(h, *length);
}

/* Everything that was written leaves, through `flush` if somebody has changed it. Gives its future if there is one already. */
static int flush_last(tnpy_handler *h, int64_t length, PyObject **future)
{
    int overridden = tnpy_overrides(h, TNPY_HOOK_flush);
    if (overridden < 0) return -1;
    if (overridden) {
        PyObject *flush = PyObject_GetAttr((PyObject *)h, tnpy_handler_state(h)->hooks.names[TNPY_HOOK_flush]);
        PyObject *none = PyTuple_New(0), *kwargs = Py_BuildValue("{sO}", "include_footers", Py_True);
        *future = flush && none && kwargs ? PyObject_Call(flush, none, kwargs) : NULL;
        Py_XDECREF(flush);
        Py_XDECREF(none);
        Py_XDECREF(kwargs);
        return *future ? 0 : -1;
    }
    if (is_slow(h)) return (*future = flush_slowly(h, true)) ? 0 : -1;
    return hand_over(h, length);
}

/* The connection hears that this was all. */
static int end(tnpy_handler *h)
{
    if (h->connection && h->connection->x) return tnpy_connection_end(h->connection);
    PyObject *request = PyObject_GetAttrString((PyObject *)h, "request"), *connection = NULL, *done = NULL;
    if (request) connection = PyObject_GetAttrString(request, "connection");
    if (connection) done = tnpy_call0(connection, tnpy_handler_state(h)->str.finish);
    Py_XDECREF(request);
    Py_XDECREF(connection);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* A step that a hook may replace: call it, or our own method. */
static int run_hook(tnpy_handler *h, tnpy_hook hook, PyObject *(*own)(PyObject *, PyObject *))
{
    bool overridden;
    PyObject *done = hook_or_none(h, hook, &overridden);
    if (done && !overridden && own) Py_SETREF(done, own((PyObject *)h, NULL));
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int write_last(tnpy_handler *h, PyObject *chunk)
{
    int overridden = tnpy_overrides(h, TNPY_HOOK_write);
    if (overridden <= 0) return overridden < 0 ? -1 : write_chunk(h, chunk);
    PyObject *args[] = {NULL, chunk}, *done = tnpy_call_hook(h, TNPY_HOOK_write, args, 1);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int tnpy_handler_finish(tnpy_handler *h, PyObject *chunk, PyObject **future)
{
    if (h->finished) {
        PyErr_SetString(PyExc_RuntimeError, "finish() called twice");
        return -1;
    }
    int64_t length = -1;
    PyObject *flushed = NULL;
    if (chunk && write_last(h, chunk) < 0) return -1;
    if (!h->headers_written && complete(h, &length) < 0) return -1;
    if (flush_last(h, length, &flushed) < 0 || end(h) < 0) {
        Py_XDECREF(flushed);
        return -1;
    }
    if (future && !flushed) {
        tnpy_connection *c = h->connection;
        bool much = c->x && c->x->conn->stream.out_bytes > TN__OUT_HIGH;
        flushed = much ? tnpy_connection_flush(c) : tnpy_done_future(c->server->core, tnpy_connection_gone(c));
        if (!flushed) return -1;
    }
    if (future)
        *future = flushed;
    else
        Py_XDECREF(flushed);
    int e = run_hook(h, TNPY_HOOK__log, tnpy_handler_m_log);
    h->finished = 1;
    if (e == 0) e = run_hook(h, TNPY_HOOK_on_finish, NULL);
    if (e < 0 && future) Py_CLEAR(*future);
    return e;
}

PyObject *tnpy_handler_m_finish(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"chunk", NULL};
    tnpy_handler *h = (tnpy_handler *)self;
    PyObject *chunk = Py_None, *future = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:finish", names, &chunk)) return NULL;
    tnpy_connection *c = (tnpy_connection *)Py_XNewRef(h->connection); /* which letting go takes from the handler */
    int e = tnpy_handler_finish(h, chunk == Py_None ? NULL : chunk, &future);
    if (c) tnpy_connection_settle(c);
    Py_XDECREF(c);
    return e < 0 ? NULL : future;
}

/* -- The access log -- */

/*
 * Does the access log take lines of this level? A plain logger remembers its answers in a dict, which it empties when one may have
 * changed; reading them there costs little.
 */
static int log_enabled(const tnpy_state *state, int level_number)
{
    PyObject *cache = state->py.access_log_cache, *level = PyLong_FromLong(level_number);
    PyObject *enabled = level && PyDict_Check(cache) ? Py_XNewRef(PyDict_GetItemWithError(cache, level)) : NULL;
    if (!enabled && level) enabled = tnpy_call1(state->py.access_log, state->str.isEnabledFor, level);
    int answer = enabled ? PyObject_IsTrue(enabled) : -1;
    Py_XDECREF(level);
    Py_XDECREF(enabled);
    return answer;
}

/* Is log_request Tornado's own, and nobody listening? Then nothing needs to be made ready for it. */
static int is_silent(tnpy_handler *h, PyObject *log_request)
{
    const tnpy_state *state = tnpy_handler_state(h);
    if (!PyMethod_Check(log_request) || PyMethod_GET_FUNCTION(log_request) != state->py.log_request) return 0;
    PyObject *settings = PyObject_GetAttr(h->application, state->str.settings);
    int own = settings ? PySequence_Contains(settings, state->str.log_function) : -1;
    Py_XDECREF(settings);
    if (own != 0) return own < 0 ? -1 : 0;
    int enabled = log_enabled(state, h->status < 400 ? TN_LOG_INFO : h->status < 500 ? TN_LOG_WARNING : TN_LOG_ERROR);
    return enabled < 0 ? -1 : !enabled;
}

PyObject *tnpy_handler_m_log(PyObject *self, PyObject *ignored)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!h->application) Py_RETURN_NONE;
    PyObject *log_request = PyObject_GetAttr(h->application, tnpy_handler_state(h)->str.log_request);
    if (!log_request) return NULL;
    int silent = is_silent(h, log_request);
    PyObject *done = silent < 0 ? NULL : silent ? Py_NewRef(Py_None) : PyObject_CallOneArg(log_request, self);
    Py_DECREF(log_request);
    return done;
}
