/*
 * tornado._engine: the module itself. Multi-phase, with its state in the module object, so each interpreter has its own.
 *
 * Programs never import it; the modules of the package do. What its types call of Python's is handed over by `bind`.
 */
#include "class_info.h"

int tnpy_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (!type) return -1;
    int result = PyModule_AddType(module, (PyTypeObject *)type);
    if (result == 0 && out) {
        *out = (PyTypeObject *)type; /* the state's reference */
        return 0;
    }
    Py_DECREF(type);
    return result;
}

static PyObject *bind(PyObject *module, PyObject *args, PyObject *kwargs)
{
    tnpy_state *state = tnpy_state_of(module);
    const struct {
        const char *name;
        PyObject **place;
    } places[] = {
#define TNPY_PLACE(name) {#name, &state->py.name},
        TNPY_OBJECTS(TNPY_PLACE)
#undef TNPY_PLACE
    };
    Py_ssize_t at = 0;
    PyObject *name, *value;
    while (kwargs && PyDict_Next(kwargs, &at, &name, &value)) { /* borrowed */
        size_t i = 0, n = sizeof places / sizeof *places;
        while (i < n && PyUnicode_CompareWithASCIIString(name, places[i].name) != 0) i++;
        if (i == n) return PyErr_Format(PyExc_TypeError, "nothing is called %U", name);
        Py_XSETREF(*places[i].place, Py_NewRef(value));
    }
    Py_RETURN_NONE;
}

/* remember_hooks(RequestHandler): tornado.web has built the class whose methods are nobody's overrides. */
static PyObject *remember_hooks(PyObject *module, PyObject *request_handler)
{
    if (!PyType_Check(request_handler)) return PyErr_Format(PyExc_TypeError, "a class is needed");
    return tnpy_class_remember_originals(tnpy_state_of(module), request_handler) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    {"bind", (PyCFunction)(void (*)(void))bind, METH_VARARGS | METH_KEYWORDS,
     "bind(**objects)\n--\n\nHand over what the engine calls of Python's."},
    {"remember_hooks", remember_hooks, METH_O,
     "remember_hooks(request_handler)\n--\n\nTell the engine which methods of handlers are not overridden."},
    {0},
};

static int make_names(tnpy_state *state)
{
#define TNPY_INTERN(name)                                                                                                          \
    state->str.name = PyUnicode_InternFromString(#name);                                                                           \
    if (!state->str.name) return -1;
    TNPY_NAMES(TNPY_INTERN)
#undef TNPY_INTERN
#define TNPY_INTERN(name, text)                                                                                                    \
    state->str.name = PyUnicode_InternFromString(text);                                                                            \
    if (!state->str.name) return -1;
    TNPY_TEXTS(TNPY_INTERN)
#undef TNPY_INTERN
    return 0;
}

static int execute(PyObject *module)
{
    if (make_names(tnpy_state_of(module)) < 0) return -1;
    static int (*const inits[])(PyObject *) = {
        tnpy_init_httputil, tnpy_init_core,    tnpy_init_server,     tnpy_init_connection,
        tnpy_init_request,  tnpy_init_handler, tnpy_init_class_info, tnpy_init_driver,
    };
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++)
        if (inits[i](module) < 0) return -1;
    return 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    tnpy_state *state = tnpy_state_of(module);
    Py_VISIT(state->core_type);
    Py_VISIT(state->server_type);
    Py_VISIT(state->connection_type);
    Py_VISIT(state->request_type);
    Py_VISIT(state->handler_type);
    Py_VISIT(state->driver_type);
    Py_VISIT(state->class_type);
    for (int i = 0; i < TNPY_HOOKS_MAX; i++) Py_VISIT(state->hooks.originals[i]);
#define TNPY_VISIT(name) Py_VISIT(state->py.name);
    TNPY_OBJECTS(TNPY_VISIT)
#undef TNPY_VISIT
    return 0;
}

static int clear(PyObject *module)
{
    tnpy_state *state = tnpy_state_of(module);
    Py_CLEAR(state->core_type);
    Py_CLEAR(state->server_type);
    Py_CLEAR(state->connection_type);
    Py_CLEAR(state->request_type);
    Py_CLEAR(state->handler_type);
    Py_CLEAR(state->driver_type);
    Py_CLEAR(state->class_type);
#define TNPY_CLEAR(name) Py_CLEAR(state->py.name);
    TNPY_OBJECTS(TNPY_CLEAR)
#undef TNPY_CLEAR
#define TNPY_CLEAR(name) Py_CLEAR(state->str.name);
    TNPY_NAMES(TNPY_CLEAR)
#undef TNPY_CLEAR
#define TNPY_CLEAR(name, text) Py_CLEAR(state->str.name);
    TNPY_TEXTS(TNPY_CLEAR)
#undef TNPY_CLEAR
    for (int i = 0; i < TNPY_HOOKS_MAX; i++) {
        Py_CLEAR(state->hooks.names[i]);
        Py_CLEAR(state->hooks.originals[i]);
    }
    return 0;
}

static void release(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

struct PyModuleDef tnpy_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_engine",
    .m_doc = "The engine: event loop core, HTTP server and the hot types of tornado.httputil and tornado.web.",
    .m_size = sizeof(tnpy_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__engine(void)
{
    return PyModuleDef_Init(&tnpy_module);
}
