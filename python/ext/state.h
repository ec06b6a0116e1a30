/*
 * What the files of the extension share: the state of the module (there are no globals), its types and names, and small helpers.
 *
 * Conventions: functions shared between files begin with tnpy_; those that return int give 0, or -1 with an exception set; those that
 * return PyObject * give a new reference, or NULL with an exception set, unless their comment says otherwise.
 */
#ifndef TNPY_STATE_H
#define TNPY_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "tornado/error.h"
#include "tornado/str.h"

/* clang-format off */

/* Names that are looked up often: made once, interned. */
#define TNPY_NAMES(X)                                                                                                            \
    X(__tornado_class__) X(_begin) X(_body_arrived) X(_check_method) X(_check_xsrf) X(_clean_argument) X(_decode_group)          \
    X(_decode_groups) X(_default_headers) X(_driver) X(_emit_cookies) X(_handle_request_exception) X(_new_cookie)                \
    X(_parse_body) X(_parse_request_body) X(_slow_check_etag) X(_slow_etag) X(_slow_flush) X(_stream_request_body) X(add)        \
    X(add_done_callback) X(args) X(call_soon) X(cancel) X(context) X(data_received) X(do_handshake) X(dumps) X(error)            \
    X(exception) X(finish) X(get) X(get_task_factory) X(groupdict) X(groups) X(headers) X(headers_received) X(host)              \
    X(isEnabledFor) X(json_encode) X(log_function) X(log_request) X(loop) X(lower) X(method) X(name) X(on_connection_close)      \
    X(pending) X(poll) X(read) X(request) X(set_exception) X(set_result) X(settings) X(start_request) X(throw)                   \
    X(transforms) X(unwrap) X(write)

/* Other texts of that kind. */
#define TNPY_TEXTS(X)                                                                                                             \
    X(content_length, "Content-Length") X(content_type, "Content-Type") X(etag, "Etag") X(if_none_match, "If-None-Match")         \
    X(json_type, "application/json; charset=UTF-8")

/*
 * Things of Python's that the C code calls. They are handed over by the modules of the package that own them, when these are imported,
 * through `_engine.bind(name=object, ...)`.
 */
#define TNPY_OBJECTS(X)                                                                                                           \
    X(access_log) X(app_log) X(gen_log) X(access_log_cache) /* tornado.log */                                                     \
    X(future) X(task) X(cancelled_error) /* asyncio */                                                                            \
    X(deferred_task) X(enter_task) X(leave_task) X(make_task) /* tornado._task */                                                 \
    X(convert_yielded) X(in_pieces) X(detached_stream) X(connection_stream) X(ssl) /* tornado.gen, httpserver; the module ssl */  \
    X(escape) X(json) /* the modules tornado.escape and json */ X(json_encode) X(json_dumps) /* in them */                        \
    X(request_start_line) X(http_headers) X(http_input_error) X(http_output_error) /* tornado.httputil */                         \
    X(request_class) X(parse_query) X(make_cookies) X(format_timestamp) X(datetime) /* the same */                                \
    X(stream_closed_error) /* tornado.iostream */                                                                                 \
    X(http_error) X(missing_argument_error) X(no_default) X(log_request) X(compile_routes) /* tornado.web */

/* clang-format on */

enum { TNPY_HOOKS_MAX = 40 };

typedef struct tnpy_state {
    PyTypeObject *core_type;
    PyTypeObject *server_type;
    PyTypeObject *connection_type;
    PyTypeObject *request_type;
    PyTypeObject *handler_type;
    PyTypeObject *driver_type;
    PyTypeObject *class_type;
    Py_ssize_t task_driver; /* where a deferred task has its driver; 0: not looked up yet */
#define TNPY_DECLARE(name) PyObject *name;
#define TNPY_DECLARE_TEXT(name, text) PyObject *name;
    struct {
        TNPY_NAMES(TNPY_DECLARE)
        TNPY_TEXTS(TNPY_DECLARE_TEXT)
    } str;
#undef TNPY_DECLARE_TEXT
    struct {
        TNPY_OBJECTS(TNPY_DECLARE)
    } py;
#undef TNPY_DECLARE
    struct {
        PyObject *names[TNPY_HOOKS_MAX];
        PyObject
            *originals[TNPY_HOOKS_MAX]; /* what tornado.web.RequestHandler has of its own; a patched one counts as overridden */
    } hooks;
} tnpy_state;

extern struct PyModuleDef tnpy_module;

static inline tnpy_state *tnpy_state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* The state, from a type of this module or one derived from it. */
static inline tnpy_state *tnpy_state_of_type(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030B0000
    return PyModule_GetState(PyType_GetModuleByDef(type, &tnpy_module));
#else
    PyObject *_PyType_GetModuleByDef(PyTypeObject *, PyModuleDef *);
    return PyModule_GetState(_PyType_GetModuleByDef(type, &tnpy_module));
#endif
}

/*
 * Each file with a type has such a function: it makes the type and adds it to the module. In the order of module.c's table, so a later
 * one finds the earlier ones' work.
 */
int tnpy_init_core(PyObject *module);
int tnpy_init_server(PyObject *module);
int tnpy_init_connection(PyObject *module);
int tnpy_init_request(PyObject *module);
int tnpy_init_class_info(PyObject *module);
int tnpy_init_handler(PyObject *module);
int tnpy_init_driver(PyObject *module);
int tnpy_init_httputil(PyObject *module); /* HTTPHeaders and the parsing functions of tornado.httputil */

/* module.c: make a type from its spec, add it to the module under its short name, and keep it in `*out` if not NULL. */
int tnpy_add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out);

/* errors.c: raise what a negative result of the engine stands for. Always returns NULL. */
PyObject *tnpy_raise(int code);

/* convert.c: text and bytes. Latin-1 is what HTTP heads are read as. */
PyObject *tnpy_latin1(tn_str s);
PyObject *tnpy_bytes(tn_str s);

/*
 * The bytes of a str in latin-1 or of a bytes object, borrowed from `object`. Returns 0; 1 when the object is neither (no exception
 * set); -1 with an exception when a str does not fit.
 */
int tnpy_text(PyObject *object, tn_str *out);

/* A call of a method without arguments or with one; `self` is borrowed. */
static inline PyObject *tnpy_call0(PyObject *self, PyObject *name)
{
    return PyObject_CallMethodNoArgs(self, name);
}

static inline PyObject *tnpy_call1(PyObject *self, PyObject *name, PyObject *argument)
{
    return PyObject_CallMethodOneArg(self, name, argument);
}

#endif
