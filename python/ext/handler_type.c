/* Handler, the object: its life, its attributes, and how hooks are called. See handler_type.h. */
#include "handler_type.h"

#include <structmember.h>

#include "http/status.h"
#include "request_type.h"

tnpy_state *tnpy_handler_state(const tnpy_handler *h)
{
    return h->info ? h->info->state : tnpy_state_of_type(Py_TYPE(h));
}

tnpy_class *tnpy_handler_info(tnpy_handler *h)
{
    if (h->info && tnpy_class_valid(h->info)) return h->info;
    tnpy_class *info = tnpy_class_refresh(tnpy_handler_state(h), Py_TYPE(h));
    if (info) Py_XSETREF(h->info, (tnpy_class *)Py_NewRef(info));
    return info;
}

static bool has_own(const tnpy_handler *h)
{
    return h->dict && PyDict_GET_SIZE(h->dict) > 0;
}

int tnpy_looks_overridden(tnpy_handler *h, tnpy_hook hook)
{
    const tnpy_class *info = tnpy_handler_info(h);
    if (!info) return -1;
    if (info->overridden >> hook & 1) return 1;
    return has_own(h) ? PyDict_Contains(h->dict, info->state->hooks.names[hook]) : 0;
}

PyObject *tnpy_call_hook(tnpy_handler *h, tnpy_hook hook, PyObject **args, size_t n)
{
    const tnpy_class *info = tnpy_handler_info(h);
    if (!info) return NULL;
    args[0] = (PyObject *)h;
    PyObject *name = info->state->hooks.names[hook], *function = info->hooks[hook];
    if (!function || (has_own(h) && PyDict_Contains(h->dict, name))) return PyObject_VectorcallMethod(name, args, n + 1, NULL);
    Py_INCREF(function);
    PyObject *result = PyObject_Vectorcall(function, args, n + 1, NULL);
    Py_DECREF(function);
    return result;
}

int tnpy_handler_retain(tnpy_handler *h)
{
    if (!h->request) {
        h->request = tnpy_connection_request(h->connection);
        if (!h->request) return -1;
    }
    return tnpy_handler_headers(h) ? 0 : -1;
}

void tnpy_handler_detach(tnpy_handler *h)
{
    h->fields = (tn__headers){0};
    h->content_type = (tn_str){0};
    Py_CLEAR(h->connection);
}

/* -- Attributes -- */

static PyObject *get_request(PyObject *self, void *closure)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!h->request) {
        if (!h->connection) return PyErr_Format(PyExc_AttributeError, "request");
        h->request = tnpy_connection_request(h->connection);
    }
    return Py_XNewRef(h->request);
}

/* Set or delete the member that lies at this offset. */
static int set_member(PyObject *self, PyObject *value, void *offset)
{
    PyObject **place = (PyObject **)((char *)self + (intptr_t)offset);
    Py_XINCREF(value);
    Py_XSETREF(*place, value);
    return 0;
}

static PyObject *get_headers(PyObject *self, void *closure)
{
    return Py_XNewRef(tnpy_handler_headers((tnpy_handler *)self));
}

static PyObject *get_buffer(PyObject *self, void *closure)
{
    return Py_XNewRef(tnpy_handler_buffer((tnpy_handler *)self));
}

static PyObject *get_transforms(PyObject *self, void *closure)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!h->transforms) h->transforms = PyList_New(0);
    return Py_XNewRef(h->transforms);
}

static PyObject *get_path_args(PyObject *self, void *closure)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!h->path_args) h->path_args = PyList_New(0);
    return Py_XNewRef(h->path_args);
}

static PyObject *get_path_kwargs(PyObject *self, void *closure)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (!h->path_kwargs) h->path_kwargs = PyDict_New();
    return Py_XNewRef(h->path_kwargs);
}

static PyObject *get_reason(PyObject *self, void *closure)
{
    tnpy_handler *h = (tnpy_handler *)self;
    if (h->reason) return Py_NewRef(h->reason);
    tn_str usual = tn__status_reason(h->status);
    return tnpy_latin1(usual);
}

static PyGetSetDef getset[] = {
    {"request", get_request, set_member, "The HTTPServerRequest.", (void *)offsetof(tnpy_handler, request)},
    {"path_args", get_path_args, set_member, "What the route's unnamed groups matched.", (void *)offsetof(tnpy_handler, path_args)},
    {"path_kwargs", get_path_kwargs, set_member, "What its named groups matched.", (void *)offsetof(tnpy_handler, path_kwargs)},
    {"_headers", get_headers, set_member, NULL, (void *)offsetof(tnpy_handler, headers)},
    {"_write_buffer", get_buffer, set_member, NULL, (void *)offsetof(tnpy_handler, buffer)},
    {"_transforms", get_transforms, set_member, NULL, (void *)offsetof(tnpy_handler, transforms)},
    {"_reason", get_reason, set_member, NULL, (void *)offsetof(tnpy_handler, reason)},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {0},
};

static PyMemberDef members[] = {
    {"application", T_OBJECT_EX, offsetof(tnpy_handler, application), 0, "The Application."},
    {"_status_code", T_INT, offsetof(tnpy_handler, status), 0, NULL},
    {"_headers_written", T_BOOL, offsetof(tnpy_handler, headers_written), 0, NULL},
    {"_finished", T_BOOL, offsetof(tnpy_handler, finished), 0, NULL},
    {"_auto_finish", T_BOOL, offsetof(tnpy_handler, auto_finish), 0, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(tnpy_handler, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(tnpy_handler, weakrefs), READONLY, NULL},
    {0},
};

/* -- Life -- */

static PyObject *handler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    tnpy_handler *h = (tnpy_handler *)type->tp_alloc(type, 0);
    if (!h) return NULL;
    h->status = 200;
    h->auto_finish = 1;
    return (PyObject *)h;
}

/* RequestHandler(application, request, **kwargs): made by Python code, or by a class that overrides this. */
static int handler_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    tnpy_handler *h = (tnpy_handler *)self;
    PyObject *application, *request;
    if (!PyArg_ParseTuple(args, "OO:RequestHandler", &application, &request)) return -1;
    Py_XSETREF(h->application, Py_NewRef(application));
    Py_XSETREF(h->request, Py_NewRef(request));
    PyObject *done = tnpy_call0(self, tnpy_handler_state(h)->str._begin);
    if (!done) return -1;
    Py_SETREF(done, PyObject_GetAttr(self, tnpy_handler_state(h)->hooks.names[TNPY_HOOK_initialize]));
    if (!done) return -1;
    PyObject *none = PyTuple_New(0), *result = none ? PyObject_Call(done, none, kwargs) : NULL;
    Py_DECREF(done);
    Py_XDECREF(none);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int handler_traverse(PyObject *self, visitproc visit, void *arg)
{
    tnpy_handler *h = (tnpy_handler *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(h->dict);
    Py_VISIT(h->info);
    Py_VISIT(h->connection);
    Py_VISIT(h->application);
    Py_VISIT(h->request);
    Py_VISIT(h->path_args);
    Py_VISIT(h->path_kwargs);
    Py_VISIT(h->transforms);
    Py_VISIT(h->match);
    Py_VISIT(h->body_arrived);
    Py_VISIT(h->headers);
    Py_VISIT(h->buffer);
    Py_VISIT(h->reason);
    return 0;
}

static int handler_clear(PyObject *self)
{
    tnpy_handler *h = (tnpy_handler *)self;
    Py_CLEAR(h->dict);
    Py_CLEAR(h->connection);
    Py_CLEAR(h->application);
    Py_CLEAR(h->request);
    Py_CLEAR(h->path_args);
    Py_CLEAR(h->path_kwargs);
    Py_CLEAR(h->transforms);
    Py_CLEAR(h->match);
    Py_CLEAR(h->body_arrived);
    Py_CLEAR(h->headers);
    Py_CLEAR(h->buffer);
    Py_CLEAR(h->reason);
    return 0;
}

static void handler_dealloc(PyObject *self)
{
    tnpy_handler *h = (tnpy_handler *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (h->weakrefs) PyObject_ClearWeakRefs(self);
    handler_clear(self);
    Py_CLEAR(h->info);
    type->tp_free(self);
    Py_DECREF(type);
}

#define WITH_KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS
#define NOTHING WITH_KEYWORDS(tnpy_handler_m_nothing)

static PyMethodDef methods[] = {
    {"set_status", WITH_KEYWORDS(tnpy_handler_m_set_status),
     "set_status($self, status_code, reason=None)\n--\n\nSet the status of the response, and its reason phrase if it shall not be "
     "the usual one."},
    {"get_status", tnpy_handler_m_get_status, METH_NOARGS, "get_status($self)\n--\n\nReturn the status code of the response."},
    {"set_header", WITH_KEYWORDS(tnpy_handler_m_set_header),
     "set_header($self, name, value)\n--\n\nSet a header field, in place of all of that name. Integers and datetimes are "
     "formatted."},
    {"add_header", WITH_KEYWORDS(tnpy_handler_m_add_header),
     "add_header($self, name, value)\n--\n\nAdd a header field; others of that name stay."},
    {"clear_header", tnpy_handler_m_clear_header, METH_O, "clear_header($self, name)\n--\n\nTake a header field out again."},
    {"clear", tnpy_handler_m_clear, METH_NOARGS, "clear($self)\n--\n\nGo back to an empty response with the default fields."},
    {"_clear_representation_headers", tnpy_handler_m_clear_representation_headers, METH_NOARGS, NULL},
    {"write", tnpy_handler_m_write, METH_O,
     "write($self, chunk)\n--\n\nAdd bytes, text or a dict (as JSON) to the body. Nothing is sent before `flush` or `finish`."},
    {"flush", WITH_KEYWORDS(tnpy_handler_m_flush),
     "flush($self, include_footers=False)\n--\n\nSend what was written; a Future that is done when it has left."},
    {"finish", WITH_KEYWORDS(tnpy_handler_m_finish),
     "finish($self, chunk=None)\n--\n\nComplete the response, after a last piece of body if one is given; a Future as of `flush`."},
    {"compute_etag", tnpy_handler_m_compute_etag, METH_NOARGS,
     "compute_etag($self)\n--\n\nReturn the Etag of what was written, or None for a response without one."},
    {"set_etag_header", tnpy_handler_m_set_etag_header, METH_NOARGS,
     "set_etag_header($self)\n--\n\nSet the field Etag from `compute_etag`."},
    {"check_etag_header", tnpy_handler_m_check_etag_header, METH_NOARGS,
     "check_etag_header($self)\n--\n\nWhether If-None-Match of the request names the Etag of the response."},
    {"_log", tnpy_handler_m_log, METH_NOARGS, NULL},
    {"_execute", WITH_KEYWORDS(tnpy_handler_m_execute), NULL},
    {"_get_argument", (PyCFunction)(void (*)(void))tnpy_handler_m_get_argument_of, METH_FASTCALL, NULL},
    {"_get_arguments", (PyCFunction)(void (*)(void))tnpy_handler_m_get_arguments_of, METH_FASTCALL, NULL},
    {"initialize", NOTHING, "initialize($self, **kwargs)\n--\n\nTake the arguments that the route has for the handler."},
    {"prepare", NOTHING, "prepare($self)\n--\n\nCalled before the method of the request, whichever it is; may be a coroutine."},
    {"on_finish", NOTHING, "on_finish($self)\n--\n\nCalled when the response was sent."},
    {"on_connection_close", NOTHING,
     "on_connection_close($self)\n--\n\nCalled when the client goes away before the response is complete."},
    {"set_default_headers", NOTHING, "set_default_headers($self)\n--\n\nThe place to set fields that every response shall have."},
    {0},
};

int tnpy_init_handler(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "The engine's half of tornado.web.RequestHandler."},
        {Py_tp_new, handler_new},
        {Py_tp_init, handler_init},
        {Py_tp_dealloc, handler_dealloc},
        {Py_tp_traverse, handler_traverse},
        {Py_tp_clear, handler_clear},
        {Py_tp_methods, methods},
        {Py_tp_getset, getset},
        {Py_tp_members, members},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "tornado._engine.Handler",
        .basicsize = sizeof(tnpy_handler),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };
    return tnpy_add_type(module, &spec, &tnpy_state_of(module)->handler_type);
}
