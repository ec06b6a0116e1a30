/* Core: see core_type.h. */
#include "core_type.h"

#include <unistd.h>

#include "core/alarm.h"

PyObject *tnpy_core_host(tnpy_core *core)
{
    PyObject *host = NULL;
#if PY_VERSION_HEX >= 0x030D0000
    PyWeakref_GetRef(core->host, &host);
#else
    host = PyWeakref_GetObject(core->host); /* borrowed */
    host = host == Py_None ? NULL : Py_XNewRef(host);
#endif
    if (host) return host;
    PyErr_SetString(PyExc_RuntimeError, "the event loop is gone");
    return NULL;
}

/* Ask the host for one more poll. Without one there is nobody left to tell. */
static void on_wake(void *arg)
{
    tnpy_core *core = arg;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *host = tnpy_core_host(core), *poll = NULL, *handle = NULL;
    if (host) poll = PyObject_GetAttr((PyObject *)core, core->state->str.poll);
    if (poll) handle = tnpy_call1(host, core->state->str.call_soon, poll);
    Py_XDECREF(handle);
    Py_XDECREF(poll);
    Py_XDECREF(host);
    PyErr_Restore(type, value, traceback); /* a closed host is no error: nothing will run on it */
}

/* The engine's own lines go to Tornado's loggers. */
static void on_log(void *arg, const tn_log_line *line)
{
    tnpy_core *core = arg;
    tnpy_state *state = core->state;
    PyObject *loggers[] = {
        [TN_LOG_ACCESS] = state->py.access_log, [TN_LOG_APPLICATION] = state->py.app_log, [TN_LOG_GENERAL] = state->py.gen_log};
    PyObject *logger = loggers[line->domain];
    PyObject *text = PyUnicode_DecodeUTF8(line->text.p, (Py_ssize_t)line->text.n, "backslashreplace");
    PyObject *done = logger && text ? PyObject_CallMethod(logger, "log", "isO", line->level, "%s", text) : NULL;
    if (!done) PyErr_WriteUnraisable((PyObject *)core);
    Py_XDECREF(done);
    Py_XDECREF(text);
}

void tnpy_core_uncaught(tnpy_core *core)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback) PyException_SetTraceback(value, traceback);
    if (PyErr_GivenExceptionMatches(type, PyExc_KeyboardInterrupt) || PyErr_GivenExceptionMatches(type, PyExc_SystemExit)) {
        Py_XSETREF(core->fatal, Py_NewRef(value));
    } else if (core->state->py.app_log) {
        PyObject *error = PyObject_GetAttr(core->state->py.app_log, core->state->str.error);
        PyObject *args = Py_BuildValue("(s)", "Uncaught exception"), *kwargs = Py_BuildValue("{sO}", "exc_info", value);
        PyObject *done = error && args && kwargs ? PyObject_Call(error, args, kwargs) : NULL;
        if (!done) PyErr_WriteUnraisable((PyObject *)core);
        Py_XDECREF(error);
        Py_XDECREF(args);
        Py_XDECREF(kwargs);
        Py_XDECREF(done);
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static PyObject *core_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"loop", NULL};
    PyObject *host;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Core", names, &host)) return NULL;
    tnpy_core *core = (tnpy_core *)type->tp_alloc(type, 0);
    if (!core) return NULL;
    core->state = tnpy_state_of_type(type);
    core->pid = (long)getpid();
    core->host = PyWeakref_NewRef(host, NULL);
    core->servers = PySet_New(NULL);
    if (!core->host || !core->servers) {
        Py_DECREF(core);
        return NULL;
    }
    int result = tn_loop_new(&core->loop, NULL);
    if (result == 0) result = tn__loop_set_alarm(core->loop);
    if (result < 0) {
        Py_DECREF(core);
        return tnpy_raise(result);
    }
    tn_loop_set_wake(core->loop, on_wake, core);
    tn_loop_set_log(core->loop, on_log, core, TN_LOG_INFO);
    return (PyObject *)core;
}

static PyObject *core_poll(PyObject *self, PyObject *ignored)
{
    tnpy_core *core = (tnpy_core *)self;
    if (core->pid != (long)getpid())
        return PyErr_Format(PyExc_RuntimeError, "an event loop cannot be used on both sides of a fork");
    PyObject *host = tnpy_core_host(core);
    if (!host) return NULL;
    Py_INCREF(self);
    core->host_now = host;
    core->eager = -1;
    int result = tn_loop_turn(core->loop, 0);
    core->host_now = NULL;
    PyObject *fatal = core->fatal;
    core->fatal = NULL;
    Py_DECREF(host);
    Py_DECREF(self);
    if (fatal) {
        PyErr_SetObject((PyObject *)Py_TYPE(fatal), fatal);
        Py_DECREF(fatal);
        return NULL;
    }
    if (result == TN_EMISUSE) Py_RETURN_NONE; /* a loop patched to nest: the turn outside goes on when this one is over */
    return result < 0 ? tnpy_raise(result) : Py_NewRef(Py_None);
}

static PyObject *core_fileno(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(tn_loop_backend_fd(((tnpy_core *)self)->loop));
}

static PyObject *core_pid(PyObject *self, void *closure)
{
    return PyLong_FromLong(((tnpy_core *)self)->pid);
}

static int core_traverse(PyObject *self, visitproc visit, void *arg)
{
    tnpy_core *core = (tnpy_core *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(core->servers);
    Py_VISIT(core->fatal);
    Py_VISIT(core->spare_task);
    return 0;
}

static int core_clear(PyObject *self)
{
    tnpy_core *core = (tnpy_core *)self;
    Py_CLEAR(core->servers);
    Py_CLEAR(core->fatal);
    Py_CLEAR(core->spare_task);
    return 0;
}

/* Servers hold us, so when this is called none is left. */
static void core_dealloc(PyObject *self)
{
    tnpy_core *core = (tnpy_core *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    core_clear(self);
    tn_loop_free(core->loop);
    Py_CLEAR(core->host);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"poll", core_poll, METH_NOARGS, "poll($self)\n--\n\nRun one turn of the engine's loop, without waiting."},
    {"fileno", core_fileno, METH_NOARGS, "fileno($self)\n--\n\nThe descriptor for the host to watch."},
    {0},
};

static PyGetSetDef getset[] = {
    {"pid", core_pid, NULL, "The process that made it.", NULL},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Core(loop)\n--\n\nThe engine's loop, to be polled by an asyncio loop."},
    {Py_tp_new, core_new},
    {Py_tp_dealloc, core_dealloc},
    {Py_tp_traverse, core_traverse},
    {Py_tp_clear, core_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.Core",
    .basicsize = sizeof(tnpy_core),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int tnpy_init_core(PyObject *module)
{
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->core_type);
}
