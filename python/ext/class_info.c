/* What is known of a class of handlers: see class_info.h. */
#include "class_info.h"

static const char *const hook_names[] = {
#define TNPY_HOOK_NAME(name) #name,
    TNPY_HOOKS(TNPY_HOOK_NAME)
#undef TNPY_HOOK_NAME
};

_Static_assert((int)TNPY_HOOK_COUNT <= (int)TNPY_HOOKS_MAX, "the state has room for the hooks");

int tnpy_class_remember_originals(tnpy_state *state, PyObject *request_handler)
{
    for (int i = 0; i < TNPY_HOOK_COUNT; i++) {
        PyObject *found = _PyType_Lookup((PyTypeObject *)request_handler, state->hooks.names[i]); /* borrowed */
        Py_XINCREF(found);
        Py_XSETREF(state->hooks.originals[i], found);
    }
    return 0;
}

/* Look every hook up again. Looking up gives the type its version tag. */
static void look_up(tnpy_class *info)
{
    const tnpy_state *state = info->state;
    info->overridden = 0;
    for (int i = 0; i < TNPY_HOOK_COUNT; i++) {
        PyObject *found = _PyType_Lookup(info->type, state->hooks.names[i]); /* borrowed */
        if (found != state->hooks.originals[i]) info->overridden |= UINT64_C(1) << i;
        bool unbound = found && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR);
        PyObject *kept = unbound ? Py_NewRef(found) : NULL;
        Py_XSETREF(info->hooks[i], kept);
    }
    info->plain = info->type->tp_new == state->handler_type->tp_new && info->type->tp_init == state->handler_type->tp_init;
    PyObject *streams = _PyType_Lookup(info->type, state->str._stream_request_body); /* borrowed */
    info->streams = streams && PyObject_IsTrue(streams) == 1;
    info->version = info->type->tp_version_tag;
}

tnpy_class *tnpy_class_refresh(tnpy_state *state, PyTypeObject *type)
{
    /* Its own, not one that it inherits. */
    PyObject *kept = PyDict_GetItemWithError(type->tp_dict, state->str.__tornado_class__); /* borrowed */
    if (!kept && PyErr_Occurred()) return NULL;
    tnpy_class *info = (tnpy_class *)kept;
    if (!info) {
        info = (tnpy_class *)state->class_type->tp_alloc(state->class_type, 0);
        if (!info) return NULL;
        info->state = state;
        info->type = type;
        /* Not through the metaclass, which may have an idea of its own of what setting an attribute means. */
        int result = PyType_Type.tp_setattro((PyObject *)type, state->str.__tornado_class__, (PyObject *)info);
        Py_DECREF(info); /* the type's is left */
        if (result < 0) return NULL;
    }
    if (!tnpy_class_valid(info)) look_up(info);
    return info;
}

static int class_traverse(PyObject *self, visitproc visit, void *arg)
{
    tnpy_class *info = (tnpy_class *)self;
    Py_VISIT(Py_TYPE(self));
    for (int i = 0; i < TNPY_HOOK_COUNT; i++) Py_VISIT(info->hooks[i]);
    return 0;
}

static int class_clear(PyObject *self)
{
    tnpy_class *info = (tnpy_class *)self;
    for (int i = 0; i < TNPY_HOOK_COUNT; i++) Py_CLEAR(info->hooks[i]);
    info->version = 0;
    return 0;
}

static void class_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    class_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "What the engine knows of a class of handlers."},
    {Py_tp_dealloc, class_dealloc},
    {Py_tp_traverse, class_traverse},
    {Py_tp_clear, class_clear},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tornado._engine.HandlerClass",
    .basicsize = sizeof(tnpy_class),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int tnpy_init_class_info(PyObject *module)
{
    tnpy_state *state = tnpy_state_of(module);
    for (int i = 0; i < TNPY_HOOK_COUNT; i++) {
        state->hooks.names[i] = PyUnicode_InternFromString(hook_names[i]);
        if (!state->hooks.names[i]) return -1;
    }
    return tnpy_add_type(module, &spec, &state->class_type);
}
