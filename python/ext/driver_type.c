/*
 * Driver: the coroutine that awaits what the steps of a request wait for, and walks on.
 *
 * It is stepped first at once, in the call that the request came in with, with a Task as the current one that is not a real one yet
 * (tornado._task.DeferredTask): most handlers never suspend, and a Task costs as much as all the rest. If the first step suspends, that
 * same object becomes the driver's Task; the future that was yielded is yielded again in the Task's own first step. (After a bare yield,
 * as of sleep(0), that first step is the resumption itself.)
 */
#include "handler_type.h"

#include <structmember.h>

typedef struct driver {
    PyObject_HEAD
    tnpy_handler *handler;
    tnpy_connection *connection; /* NULL: of a handler without one */
    PyObject *inner;             /* what is awaited: an iterator or a coroutine; NULL before the first and after the last */
    PyObject *replay;            /* yielded by the eager step, and to be yielded once more */
    bool begun;                  /* the walk has begun */
    bool done;
} driver;

/* Application code of this exchange runs. */
static void enter(driver *d)
{
    if (d->connection) d->connection->busy++;
}

static void leave(driver *d)
{
    if (d->done) Py_CLEAR(d->handler); /* which is not kept for our sake, then */
    if (!d->connection) return;
    d->connection->busy--;
    tnpy_connection_settle(d->connection);
}

/* A generator that @types.coroutine has made a coroutine of? */
static bool is_old_style(PyObject *generator)
{
    PyObject *code = PyObject_GetAttrString(generator, "gi_code");
    bool flagged = code && ((PyCodeObject *)code)->co_flags & CO_ITERABLE_COROUTINE;
    Py_XDECREF(code);
    return flagged;
}

/* What `await` makes of an object: a coroutine stands for itself. Takes the reference. */
static PyObject *iterator_of(PyObject *awaitable)
{
    if (PyCoro_CheckExact(awaitable)) return awaitable;
    PyAsyncMethods *methods = Py_TYPE(awaitable)->tp_as_async;
    if (PyGen_CheckExact(awaitable) && is_old_style(awaitable)) return awaitable;
    PyObject *iterator = NULL;
    if (methods && methods->am_await)
        iterator = methods->am_await(awaitable);
    else
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression", Py_TYPE(awaitable)->tp_name);
    Py_DECREF(awaitable);
    return iterator;
}

/* The end, with the exception that is set: nobody will complete the response. */
static PySendResult fail(driver *d)
{
    d->done = true;
    if (d->connection) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        tnpy_connection_abort(d->connection);
        PyErr_Restore(type, value, traceback);
    }
    return PYGEN_ERROR;
}

/* The inner coroutine has yielded, returned or raised; go on as far as it goes. */
static PySendResult follow(driver *d, PySendResult got, PyObject *value, PyObject **out)
{
    for (;;) {
        if (got == PYGEN_NEXT) {
            *out = value;
            return got;
        }
        Py_CLEAR(d->inner);
        if (got == PYGEN_RETURN) Py_XDECREF(value);
        PyObject *awaitable = NULL;
        if (got == PYGEN_ERROR && tnpy_handler_raised(d->handler) < 0) return fail(d);
        if (tnpy_handler_walk(d->handler, &awaitable) < 0) return fail(d);
        if (!awaitable) {
            d->done = true;
            *out = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
        d->inner = iterator_of(awaitable);
        got = d->inner ? PyIter_Send(d->inner, Py_None, &value) : PYGEN_ERROR;
    }
}

static PySendResult step(driver *d, PyObject *argument, PyObject **out)
{
    PyObject *value = NULL;
    d->begun = true;
    PySendResult got = d->inner ? PyIter_Send(d->inner, argument, &value) : PYGEN_RETURN;
    return follow(d, got, value, out);
}

/* -- The coroutine protocol -- */

static PySendResult driver_am_send(PyObject *self, PyObject *argument, PyObject **out)
{
    driver *d = (driver *)self;
    if (d->replay) {
        *out = d->replay;
        d->replay = NULL;
        return PYGEN_NEXT;
    }
    if (d->done) {
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    Py_INCREF(self);
    enter(d);
    PySendResult got = step(d, argument, out);
    leave(d);
    Py_DECREF(self);
    return got;
}

/* How a method tells what happened: the value that was yielded, or StopIteration. */
static PyObject *to_method(PySendResult got, PyObject *value)
{
    if (got == PYGEN_NEXT || got == PYGEN_ERROR) return got == PYGEN_NEXT ? value : NULL;
    if (value == Py_None)
        PyErr_SetNone(PyExc_StopIteration);
    else
        PyErr_SetObject(PyExc_StopIteration, value);
    Py_DECREF(value);
    return NULL;
}

static PyObject *driver_send(PyObject *self, PyObject *argument)
{
    PyObject *value = NULL;
    return to_method(driver_am_send(self, argument, &value), value);
}

static PyObject *driver_next(PyObject *self)
{
    return driver_send(self, Py_None);
}

/*
 * A cancellation that arrives before the future is yielded again: cancel that future, with the same message if there is one, as a Task
 * that waits for it would.
 */
static PyObject *cancel_replay(driver *d, PyObject *args)
{
    const tnpy_state *state = tnpy_handler_state(d->handler);
    PyObject *error = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL; /* borrowed */
    PyObject *given = error && PyExceptionInstance_Check(error) ? PyObject_GetAttr(error, state->str.args) : PyTuple_New(0);
    PyObject *future = d->replay, *cancel = given ? PyObject_GetAttr(future, state->str.cancel) : NULL;
    PyObject *done = cancel ? PyObject_Call(cancel, given, NULL) : NULL;
    d->replay = NULL;
    Py_XDECREF(given);
    Py_XDECREF(cancel);
    Py_XDECREF(done);
    if (!done) Py_CLEAR(future);
    return future;
}

static void raise_given(PyObject *args)
{
    PyObject *type, *value = NULL, *traceback = NULL;
    if (!PyArg_UnpackTuple(args, "throw", 1, 3, &type, &value, &traceback)) return;
    if (PyExceptionInstance_Check(type))
        PyErr_SetObject((PyObject *)Py_TYPE(type), type);
    else
        PyErr_SetObject(type, value);
}

/* Turn the StopIteration that is set into the value that was returned. */
static bool take_returned(PyObject **value)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) return false;
    PyErr_Clear();
    *value = NULL; /* what a method returns is of no interest */
    return true;
}

static PyObject *driver_throw(PyObject *self, PyObject *args)
{
    driver *d = (driver *)self;
    if (d->replay) return cancel_replay(d, args);
    PyObject *method = NULL, *value = NULL;
    PySendResult got = PYGEN_ERROR;
    Py_INCREF(self);
    enter(d);
    if (d->inner) method = PyObject_GetAttr(d->inner, tnpy_handler_state(d->handler)->str.throw);
    if (method) {
        value = PyObject_Call(method, args, NULL);
        if (value)
            got = PYGEN_NEXT;
        else if (take_returned(&value))
            got = PYGEN_RETURN;
    } else {
        PyErr_Clear();
        raise_given(args);
    }
    Py_XDECREF(method);
    PyObject *out = NULL;
    if (d->begun || got != PYGEN_ERROR)
        got = follow(d, got, value, &out);
    else
        fail(d);
    leave(d);
    Py_DECREF(self);
    return to_method(got, out);
}

static PyObject *driver_close(PyObject *self, PyObject *ignored)
{
    driver *d = (driver *)self;
    PyObject *inner = d->inner;
    d->inner = NULL;
    d->done = true;
    Py_CLEAR(d->replay);
    PyObject *done =
        inner && PyObject_HasAttrString(inner, "close") ? PyObject_CallMethod(inner, "close", NULL) : Py_NewRef(Py_None);
    Py_XDECREF(inner);
    if (d->connection) tnpy_connection_abort(d->connection);
    return done;
}

static PyObject *driver_self(PyObject *self)
{
    return Py_NewRef(self);
}

/* cr_frame and its kin, for whoever prints the stack of a task: those of the coroutine that is awaited. */
static PyObject *driver_inner_attribute(PyObject *self, void *name)
{
    driver *d = (driver *)self;
    PyObject *value = d->inner ? PyObject_GetAttrString(d->inner, name) : NULL;
    if (value) return value;
    PyErr_Clear();
    Py_RETURN_NONE;
}

static PyObject *driver_name(PyObject *self, void *closure)
{
    driver *d = (driver *)self;
    return PyUnicode_FromFormat("%s._execute", d->handler ? Py_TYPE(d->handler)->tp_name : "RequestHandler");
}

/* -- Starting -- */

static driver *make(tnpy_handler *h)
{
    tnpy_state *state = tnpy_handler_state(h);
    driver *d = (driver *)state->driver_type->tp_alloc(state->driver_type, 0);
    if (!d) return NULL;
    d->handler = (tnpy_handler *)Py_NewRef(h);
    d->connection = (tnpy_connection *)Py_XNewRef(h->connection);
    return d;
}

PyObject *tnpy_driver_new(tnpy_handler *h, PyObject *awaitable)
{
    driver *d = make(h);
    if (d && awaitable) d->inner = iterator_of(awaitable);
    if (d && awaitable && !d->inner) Py_CLEAR(d);
    return (PyObject *)d;
}

/* May steps run eagerly here? Not if somebody wants to make the tasks of this loop himself, nor on a CPython that was not tried. */
static bool may_be_eager(tnpy_core *core)
{
    if (core->eager >= 0) return core->eager;
    core->eager = 0;
    PyObject *deferred = core->state->py.deferred_task;
    if (!deferred || deferred == Py_None || !core->host_now) return false;
    PyObject *factory = tnpy_call0(core->host_now, core->state->str.get_task_factory);
    core->eager = factory == Py_None;
    if (!factory) PyErr_Clear();
    Py_XDECREF(factory);
    return core->eager;
}

/* The slot `_driver` of a deferred task: where its class has put it. NULL with an exception. */
static PyObject **driver_of(tnpy_state *state, PyObject *task)
{
    if (!state->task_driver) {
        PyObject *member = _PyType_Lookup(Py_TYPE(task), state->str._driver); /* borrowed */
        if (!member || !Py_IS_TYPE(member, &PyMemberDescr_Type)) {
            PyErr_SetString(PyExc_TypeError, "DeferredTask has no slot for its driver");
            return NULL;
        }
        state->task_driver = ((PyMemberDescrObject *)member)->d_member->offset;
    }
    return (PyObject **)((char *)task + state->task_driver);
}

/* A Task object that was not initialised, for `current_task` to be while the first step runs. */
static PyObject *take_task(tnpy_core *core, driver *d)
{
    PyObject *task = core->spare_task;
    core->spare_task = NULL;
    PyTypeObject *type = (PyTypeObject *)core->state->py.deferred_task;
    if (!task) task = type->tp_alloc(type, 0);
    PyObject **place = task ? driver_of(core->state, task) : NULL;
    if (!place) {
        Py_CLEAR(task);
    } else {
        Py_XSETREF(*place, Py_NewRef(d));
    }
    return task;
}

/* The object becomes the driver's Task, in the request's own context. If somebody has touched it, it has become that already. */
static int start_task(tnpy_core *core, PyObject *task, driver *d)
{
    tnpy_state *state = core->state;
    PyObject **place = driver_of(state, task);
    if (*place == Py_None) return 0;
    Py_XSETREF(*place, Py_NewRef(Py_None));
    PyObject *args = PyTuple_Pack(1, d), *kwargs = PyDict_New();
    int e = args && kwargs ? 0 : -1;
    if (e == 0) e = PyDict_SetItem(kwargs, state->str.loop, core->host_now);
    if (e == 0) e = PyDict_SetItem(kwargs, state->str.context, d->connection->context);
    /* The class says more than a number, and costs less than making one. */
    if (e == 0) e = PyDict_SetItem(kwargs, state->str.name, ((PyHeapTypeObject *)Py_TYPE(d->handler))->ht_name);
    if (e == 0) e = ((PyTypeObject *)state->py.task)->tp_init(task, args, kwargs);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return e;
}

/* Does anybody refer to it weakly? What libraries keep for each task must not be found by the next request. */
static bool is_referred_to(PyObject *task)
{
    PyObject **list = PyObject_GET_WEAKREFS_LISTPTR(task);
    return list && *list;
}

/* Nobody has looked at the object: keep it for the next one, unless somebody holds it and may look yet. */
static void give_task_back(tnpy_core *core, PyObject *task, driver *d)
{
    PyObject **place = driver_of(core->state, task);
    bool untouched = *place != Py_None;
    if (untouched && Py_REFCNT(task) > 1) {
        if (start_task(core, task, d) < 0) PyErr_WriteUnraisable(task);
    } else if (untouched && !core->spare_task && !is_referred_to(task)) {
        core->spare_task = Py_NewRef(task);
    }
    Py_XSETREF(*place, Py_NewRef(Py_None));
    Py_DECREF(task);
}

/* The host's way. Outside of the request's context, for a factory that starts its tasks at once enters it for them. */
static void drive_in_task(tnpy_core *core, driver *d)
{
    PyObject *context = d->connection->context, *task = NULL;
    bool left = PyContext_Exit(context) == 0;
    if (left) task = PyObject_CallFunctionObjArgs(core->state->py.make_task, core->host_now ? core->host_now : Py_None, d, NULL);
    if (!task) {
        tnpy_core_uncaught(core);
        tnpy_connection_abort(d->connection);
    }
    Py_XDECREF(task);
    if (left && PyContext_Enter(context) < 0) tnpy_core_uncaught(core);
}

static bool enter_task(tnpy_core *core, PyObject *task)
{
    PyObject *args[] = {core->host_now, task};
    PyObject *done = task ? PyObject_Vectorcall(core->state->py.enter_task, args, 2, NULL) : NULL;
    Py_XDECREF(done);
    if (!done) PyErr_Clear(); /* a loop patched to nest, within a task: this one has to wait for its turn */
    return done;
}

static void leave_task(tnpy_core *core, PyObject *task)
{
    PyObject *args[] = {core->host_now, task}, *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *done = PyObject_Vectorcall(core->state->py.leave_task, args, 2, NULL);
    if (!done) PyErr_WriteUnraisable(task);
    Py_XDECREF(done);
    PyErr_Restore(type, value, traceback);
}

static void drive_eagerly(tnpy_core *core, driver *d, PyObject *task)
{
    PyObject *yielded = NULL;
    PySendResult got = step(d, Py_None, &yielded);
    leave_task(core, task);
    if (got == PYGEN_NEXT) {
        if (yielded == Py_None)
            Py_DECREF(yielded);
        else
            d->replay = yielded;
        if (start_task(core, task, d) == 0) return;
        got = PYGEN_ERROR;
    } else if (got == PYGEN_RETURN) {
        Py_XDECREF(yielded);
    }
    if (got == PYGEN_ERROR) {
        PyObject *cancelled = core->state->py.cancelled_error;
        if (cancelled && PyErr_ExceptionMatches(cancelled))
            PyErr_Clear();
        else
            tnpy_core_uncaught(core);
        tnpy_connection_abort(d->connection);
    }
}

void tnpy_drive(tnpy_handler *h, PyObject *awaitable)
{
    driver *d = make(h);
    tnpy_connection *c = h->connection;
    tnpy_core *core = c->server->core;
    if (d) d->inner = iterator_of(awaitable);
    if (!d) {
        Py_DECREF(awaitable);
        tnpy_core_uncaught(core);
        tnpy_connection_abort(c);
        return;
    }
    if (!d->inner) { /* not awaitable: an error of the handler like any other */
        PyObject *out = NULL;
        if (follow(d, PYGEN_ERROR, NULL, &out) == PYGEN_ERROR) tnpy_core_uncaught(core);
        Py_XDECREF(out);
        Py_DECREF(d);
        return;
    }
    PyObject *task = may_be_eager(core) ? take_task(core, d) : NULL;
    if (enter_task(core, task)) {
        drive_eagerly(core, d, task);
        give_task_back(core, task, d);
    } else {
        Py_XDECREF(task);
        drive_in_task(core, d);
    }
    Py_DECREF(d);
}

/* -- The type -- */

static int driver_traverse(PyObject *self, visitproc visit, void *arg)
{
    driver *d = (driver *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(d->handler);
    Py_VISIT(d->connection);
    Py_VISIT(d->inner);
    Py_VISIT(d->replay);
    return 0;
}

static int driver_clear(PyObject *self)
{
    driver *d = (driver *)self;
    Py_CLEAR(d->inner);
    Py_CLEAR(d->replay);
    Py_CLEAR(d->connection);
    return 0;
}

static void driver_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    driver_clear(self);
    Py_CLEAR(((driver *)self)->handler);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"send", driver_send, METH_O, "send($self, value)\n--\n\nAs of any coroutine."},
    {"throw", driver_throw, METH_VARARGS, "throw($self, *exception)\n--\n\nAs of any coroutine."},
    {"close", driver_close, METH_NOARGS, "close($self)\n--\n\nAs of any coroutine."},
    {0},
};

static PyObject *driver_context(PyObject *self, void *closure)
{
    tnpy_connection *c = ((driver *)self)->connection;
    return Py_NewRef(c && c->context ? c->context : Py_None);
}

static PyGetSetDef getset[] = {
    {"context", driver_context, NULL, "The contextvars context that the request is handled in.", NULL},
    {"cr_frame", driver_inner_attribute, NULL, NULL, "cr_frame"},
    {"cr_code", driver_inner_attribute, NULL, NULL, "cr_code"},
    {"cr_running", driver_inner_attribute, NULL, NULL, "cr_running"},
    {"cr_await", driver_inner_attribute, NULL, NULL, "cr_await"},
    {"__name__", driver_name, NULL, NULL, NULL},
    {"__qualname__", driver_name, NULL, NULL, NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The coroutine of a request."},
    {Py_tp_dealloc, driver_dealloc},
    {Py_tp_traverse, driver_traverse},
    {Py_tp_clear, driver_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_iter, driver_self},
    {Py_tp_iternext, driver_next},
    {Py_am_await, driver_self},
    {Py_am_send, driver_am_send},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.Driver",
    .basicsize = sizeof(driver),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int tnpy_init_driver(PyObject *module)
{
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->driver_type);
}
