/*
 * The steps of a request in the hands of a handler: Tornado's `_execute`, as a table that is walked as far as it goes without waiting.
 *
 * A step that gives an awaitable stops the walk; the driver (driver_type.c) awaits it and walks on. Whatever a step raises becomes a
 * response through `_handle_request_exception`, with the exception as the one that is being handled, as in an `except` block.
 */
#include "handler_type.h"

#include "http/http1_parts.h"

enum { CHECK, PREPARE, BODY, VERB, FINISH, END };

/* -- What comes before the application's code -- */

static int raise_http_error(tnpy_handler *h, int status)
{
    PyObject *error = PyObject_CallFunction(tnpy_handler_state(h)->py.http_error, "i", status);
    if (error) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

/* Call a method of tornado.web's own that takes care of something rare. */
static int call_rare(tnpy_handler *h, PyObject *name)
{
    PyObject *done = tnpy_call0((PyObject *)h, name);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int check_method(tnpy_handler *h)
{
    tnpy_state *state = tnpy_handler_state(h);
    int own = tnpy_overrides(h, TNPY_HOOK_SUPPORTED_METHODS);
    if (own < 0) return -1;
    if (own || !h->connection) return call_rare(h, state->str._check_method);
    return h->connection->x->head.method_id == TN__METHOD_OTHER ? raise_http_error(h, 405) : 0;
}

static int check_xsrf(tnpy_handler *h)
{
    tnpy_state *state = tnpy_handler_state(h);
    tn__method method = h->connection ? h->connection->x->head.method_id : TN__METHOD_OTHER;
    if (method == TN__GET || method == TN__HEAD || method == TN__OPTIONS) return 0;
    return call_rare(h, state->str._check_xsrf);
}

/* The groups that the route matched. A group without escapes is what its decoding would give. */
static PyObject *decode_group(tnpy_handler *h, PyObject *group, PyObject *name)
{
    if (group == Py_None) return Py_NewRef(group);
    int own = tnpy_overrides(h, TNPY_HOOK_decode_argument);
    if (own < 0) return NULL;
    bool plain = !own && PyUnicode_Check(group) && PyUnicode_IS_ASCII(group) &&
                 !memchr(PyUnicode_1BYTE_DATA(group), '%', (size_t)PyUnicode_GET_LENGTH(group));
    if (plain) return Py_NewRef(group);
    return PyObject_CallMethodObjArgs((PyObject *)h, tnpy_handler_state(h)->str._decode_group, group, name ? name : Py_None, NULL);
}

static PyObject *decode_all(tnpy_handler *h, PyObject *groups)
{
    Py_ssize_t n = PyTuple_GET_SIZE(groups);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *value = decode_group(h, PyTuple_GET_ITEM(groups, i), NULL);
        if (value)
            PyList_SET_ITEM(list, i, value);
        else
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *decode_named(tnpy_handler *h, PyObject *groups)
{
    PyObject *result = PyDict_New(), *name, *group;
    Py_ssize_t at = 0;
    while (result && PyDict_Next(groups, &at, &name, &group)) { /* borrowed */
        PyObject *value = decode_group(h, group, name);
        if (!value || PyDict_SetItem(result, name, value) < 0) Py_CLEAR(result);
        Py_XDECREF(value);
    }
    return result;
}

static int take_groups(tnpy_handler *h)
{
    if (!h->connection) return call_rare(h, tnpy_handler_state(h)->str._decode_groups);
    if (!h->match) return 0;
    const tnpy_state *state = tnpy_handler_state(h);
    PyObject *groups = tnpy_call0(h->match, h->named_groups ? state->str.groupdict : state->str.groups);
    if (groups && h->named_groups)
        h->path_kwargs = decode_named(h, groups);
    else if (groups)
        h->path_args = decode_all(h, groups);
    Py_XDECREF(groups);
    Py_CLEAR(h->match);
    return h->path_args || h->path_kwargs ? 0 : -1;
}

static PyObject *check(tnpy_handler *h)
{
    if (check_method(h) < 0) return NULL;
    bool has_body = !h->connection || h->connection->x->body.n > 0;
    if (has_body && !h->info->streams && call_rare(h, tnpy_handler_state(h)->str._parse_request_body) < 0) return NULL;
    return take_groups(h) < 0 || check_xsrf(h) < 0 ? NULL : Py_NewRef(Py_None);
}

/* -- The application's code -- */

static PyObject *prepare(tnpy_handler *h)
{
    int own = tnpy_overrides(h, TNPY_HOOK_prepare);
    if (own <= 0) return own < 0 ? NULL : Py_NewRef(Py_None);
    PyObject *args[1];
    return tnpy_call_hook(h, TNPY_HOOK_prepare, args, 0);
}

/* The body goes to data_received before the method is called. Gives a future where there is a task to wait for it. */
static PyObject *body(tnpy_handler *h)
{
    tnpy_connection *c = h->connection;
    if (!c) return h->info->streams ? tnpy_call0((PyObject *)h, tnpy_handler_state(h)->str._body_arrived) : Py_NewRef(Py_None);
    if (!c->x || c->x->body_read) return Py_NewRef(Py_None);
    c->waits_body = true;
    if (c->in_headers) return Py_NewRef(Py_None);
    h->body_arrived = tnpy_new_future(c->server->core);
    PyObject *arrived = Py_XNewRef(h->body_arrived);
    if (arrived) tn__http1_go_on(c->x); /* which may lead all the way to the end of the body */
    return arrived;
}

static PyObject *call_with_groups(tnpy_handler *h, PyObject *method)
{
    PyObject *args = h->path_args ? PyList_AsTuple(h->path_args) : PyTuple_New(0);
    PyObject *result = args ? PyObject_Call(method, args, h->path_kwargs) : NULL;
    Py_XDECREF(args);
    return result;
}

/* The attribute that answers the method: its name in lower case. */
static PyObject *bound_verb(tnpy_handler *h)
{
    PyObject *request = PyObject_GetAttr((PyObject *)h, tnpy_handler_state(h)->str.request), *method = NULL, *name = NULL;
    if (request) method = PyObject_GetAttr(request, tnpy_handler_state(h)->str.method);
    if (method) name = tnpy_call0(method, tnpy_handler_state(h)->str.lower);
    PyObject *verb = name ? PyObject_GetAttr((PyObject *)h, name) : NULL;
    Py_XDECREF(request);
    Py_XDECREF(method);
    Py_XDECREF(name);
    return verb;
}

static PyObject *verb(tnpy_handler *h)
{
    tnpy_connection *c = h->connection;
    if (c && !h->path_args && !h->path_kwargs && c->x->head.method_id != TN__METHOD_OTHER) {
        PyObject *args[1];
        return tnpy_call_hook(h, (tnpy_hook)c->x->head.method_id, args, 0);
    }
    PyObject *method = bound_verb(h);
    PyObject *result = method ? call_with_groups(h, method) : NULL;
    Py_XDECREF(method);
    return result;
}

static PyObject *finish(tnpy_handler *h)
{
    if (!h->auto_finish || h->finished) return Py_NewRef(Py_None);
    int own = tnpy_overrides(h, TNPY_HOOK_finish);
    if (own < 0) return NULL;
    if (!own) return tnpy_handler_finish(h, NULL, NULL) < 0 ? NULL : Py_NewRef(Py_None);
    PyObject *args[1], *done = tnpy_call_hook(h, TNPY_HOOK_finish, args, 0);
    if (done) Py_SETREF(done, Py_NewRef(Py_None)); /* its future is nobody's business here */
    return done;
}

/* -- The walk -- */

static PyObject *(*const steps[])(tnpy_handler *) = {
    [CHECK] = check, [PREPARE] = prepare, [BODY] = body, [VERB] = verb, [FINISH] = finish,
};

/* The walk is over, one way or another. A response that nobody has completed, and nobody will, must not leave the peer waiting. */
static int wind_up(tnpy_handler *h, bool failed)
{
    h->step = END;
    if (failed && !h->finished && h->auto_finish && h->connection) tnpy_connection_abort(h->connection);
    return 0;
}

int tnpy_handler_walk(tnpy_handler *h, PyObject **awaitable)
{
    *awaitable = NULL;
    while (h->step != END) {
        if (h->step == BODY && !h->info->streams) h->step = VERB;
        uint8_t step = h->step++;
        PyObject *result = steps[step](h);
        if (!result) {
            if (tnpy_handler_raised(h) < 0) return -1;
        } else if (result != Py_None) {
            *awaitable = result;
            return 0;
        } else {
            Py_DECREF(result);
            if (step == BODY && h->connection && h->connection->waits_body) return 0;
            if (step == PREPARE && h->finished) h->step = END;
        }
    }
    return 0;
}

/* Call `_handle_request_exception` inside of an `except` block, so to speak. */
static int handle(tnpy_handler *h, PyObject *type, PyObject *value, PyObject *traceback)
{
    tnpy_state *state = tnpy_handler_state(h);
    PyObject *before[3];
    PyErr_GetExcInfo(&before[0], &before[1], &before[2]);
    PyErr_SetExcInfo(Py_NewRef(type), Py_NewRef(value), Py_XNewRef(traceback));
    PyObject *done = tnpy_call1((PyObject *)h, state->str._handle_request_exception, value);
    if (!done && PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Clear();
        done = PyObject_CallMethod(state->py.app_log, "exception", "s", "Exception in exception handler");
    }
    PyErr_SetExcInfo(before[0], before[1], before[2]);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int tnpy_handler_raised(tnpy_handler *h)
{
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
    if (h->body_lost) { /* the body will never arrive, which on_connection_close was told */
        PyErr_Clear();
        return wind_up(h, true);
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback) PyException_SetTraceback(value, traceback);
    int e = handle(h, type, value, traceback);
    Py_DECREF(type);
    Py_DECREF(value);
    Py_XDECREF(traceback);
    if (e == 0) wind_up(h, true);
    return e;
}

/* Walk on, and leave what waits to the driver. */
static void run(tnpy_connection *c, tnpy_handler *h)
{
    PyObject *awaitable;
    Py_INCREF(h);
    if (tnpy_handler_walk(h, &awaitable) < 0) {
        tnpy_core_uncaught(c->server->core);
        tnpy_connection_abort(c);
    } else if (awaitable) {
        tnpy_drive(h, awaitable);
    }
    Py_DECREF(h);
}

/* -- From the connection -- */

static int add_transforms(tnpy_handler *h)
{
    tnpy_state *state = tnpy_handler_state(h);
    PyObject *classes = PyObject_GetAttr(h->application, state->str.transforms);
    if (!classes) return -1;
    Py_ssize_t n = PyList_Check(classes) ? PyList_GET_SIZE(classes) : 0;
    int e = 0;
    if (n > 0) {
        PyObject *request = PyObject_GetAttr((PyObject *)h, state->str.request);
        h->transforms = PyList_New(0);
        e = request && h->transforms ? 0 : -1;
        for (Py_ssize_t i = 0; e == 0 && i < n; i++) {
            PyObject *transform = PyObject_CallOneArg(PyList_GET_ITEM(classes, i), request);
            e = transform ? PyList_Append(h->transforms, transform) : -1;
            Py_XDECREF(transform);
        }
        Py_XDECREF(request);
    }
    Py_DECREF(classes);
    return e;
}

static int initialize(tnpy_handler *h, PyObject *kwargs)
{
    int own = tnpy_overrides(h, TNPY_HOOK_initialize);
    if (own <= 0 && !(own == 0 && kwargs)) return own;
    PyObject *method = PyObject_GetAttr((PyObject *)h, h->info->state->hooks.names[TNPY_HOOK_initialize]);
    PyObject *none = PyTuple_New(0), *done = method && none ? PyObject_Call(method, none, kwargs) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(none);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* As `clear`, which a class may override, does for every handler first of all. */
static int clear(tnpy_handler *h)
{
    int own = tnpy_overrides(h, TNPY_HOOK_clear);
    if (own <= 0) return own < 0 ? -1 : tnpy_handler_reset(h);
    h->status = 200;
    PyObject *args[1], *done = tnpy_call_hook(h, TNPY_HOOK_clear, args, 0);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Made without calling the class, which was found to have neither __new__ nor __init__ of its own. */
static tnpy_handler *make(tnpy_connection *c, const tnpy_route *route, tnpy_class *info, PyObject *match)
{
    PyTypeObject *type = (PyTypeObject *)route->handler_class;
    tnpy_handler *h = (tnpy_handler *)type->tp_alloc(type, 0);
    if (!h) return NULL;
    h->info = (tnpy_class *)Py_NewRef(info);
    h->auto_finish = 1;
    h->connection = (tnpy_connection *)Py_NewRef(c);
    h->application = Py_NewRef(c->server->callback);
    h->match = Py_XNewRef(match);
    h->named_groups = route->named;
    c->owner = (PyObject *)h;
    c->native = true;
    return clear(h) < 0 || add_transforms(h) < 0 || initialize(h, route->kwargs) < 0 ? NULL : h;
}

void tnpy_handler_serve(tnpy_connection *c, const tnpy_route *route, tnpy_class *info, PyObject *match)
{
    tnpy_handler *h = make(c, route, info, match);
    if (h)
        run(c, h);
    else
        tnpy_connection_failed(c);
}

void tnpy_handler_body_complete(tnpy_connection *c)
{
    tnpy_handler *h = (tnpy_handler *)c->owner;
    if (!c->waits_body) return; /* still preparing: the step finds the body complete */
    c->waits_body = false;
    if (!h->body_arrived) {
        run(c, h);
        return;
    }
    PyObject *done = tnpy_call1(h->body_arrived, h->info->state->str.set_result, Py_None);
    if (!done) PyErr_Clear(); /* cancelled meanwhile */
    Py_XDECREF(done);
}

int tnpy_handler_chunk(tnpy_connection *c, tn_str data)
{
    PyObject *chunk = tnpy_bytes(data), *args[] = {NULL, chunk};
    PyObject *result = chunk ? tnpy_call_hook((tnpy_handler *)c->owner, TNPY_HOOK_data_received, args, 1) : NULL;
    Py_XDECREF(chunk);
    return tnpy_connection_await(c, result);
}

void tnpy_handler_peer_closed(tnpy_connection *c, bool aborted)
{
    tnpy_handler *h = (tnpy_handler *)Py_NewRef(c->owner);
    int own = c->close_callback ? 0 : tnpy_overrides(h, TNPY_HOOK_on_connection_close);
    PyObject *args[1], *done = own > 0 ? tnpy_call_hook(h, TNPY_HOOK_on_connection_close, args, 0) : Py_NewRef(Py_None);
    if (c->close_callback) Py_XSETREF(done, PyObject_CallNoArgs(c->close_callback));
    if (!done || own < 0) tnpy_core_uncaught(c->server->core);
    Py_XDECREF(done);
    if (aborted) {
        h->body_lost = true;
        if (h->body_arrived && tnpy_close_future(h->info->state, h->body_arrived) < 0) PyErr_Clear();
    }
    Py_DECREF(h);
}

/* -- Methods -- */

PyObject *tnpy_handler_m_nothing(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_RETURN_NONE;
}

/* _execute(transforms, *args, **kwargs): for handlers that were made by calling their class. Returns a coroutine. */
PyObject *tnpy_handler_m_execute(PyObject *self, PyObject *args, PyObject *kwargs)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (PyTuple_GET_SIZE(args) < 1) return PyErr_Format(PyExc_TypeError, "_execute() needs the transforms");
    if (!tnpy_handler_info(h)) return NULL;
    Py_XSETREF(h->transforms, PySequence_List(PyTuple_GET_ITEM(args, 0)));
    PyObject *groups = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX);
    Py_XSETREF(h->path_args, groups ? PySequence_List(groups) : NULL);
    Py_XSETREF(h->path_kwargs, kwargs ? PyDict_Copy(kwargs) : PyDict_New());
    Py_XDECREF(groups);
    if (!h->transforms || !h->path_args || !h->path_kwargs) return NULL;
    return tnpy_driver_new(h, NULL);
}
