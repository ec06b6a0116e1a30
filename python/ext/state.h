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

/* Names that are looked up often: made once, interned. */
#define TNPY_NAMES(X)                                                                                                              \
    X(__await__) X(_asyncio_future_blocking) X(_) X(_execute) X(_handle_request_exception) X(_headers) X(_log)          \
    X(_on_native_error) X(_parse_body) X(_path_decoded) X(_slow_finish) X(_slow_flush) X(_transforms) X(_ui_module)                \
    X(_write_buffer) X(add) X(add_done_callback) X(all) X(application) X(call_soon) X(cancel) X(close) X(context) X(data_received) \
    X(error) X(exc_info) X(execute) X(exception) X(finish) X(groupdict) X(groups) X(headers_received) X(isEnabledFor) X(log)       \
    X(log_request) X(loop) X(match) X(on_close) X(on_connection_close) X(on_finish) X(request) X(send) X(set_exception)            \
    X(set_result) X(settings) X(start_request) X(throw) X(transforms)

/*
 * Types of this module, and things of Python's that the C code calls. The latter are handed over by the Python modules of the package
 * that own them, through `_engine.bind(name=object, ...)`, when they are imported.
 */
#define TNPY_OBJECTS(X)                                                                                                            \
    X(access_log) X(app_log) X(gen_log)            /* tornado.log */                                                              \
    X(future)                                      /* asyncio.Future */                                                           \
    X(get_loop)                                    /* asyncio.get_running_loop */                                                 \
    X(deferred_task) X(enter_task) X(leave_task)   /* tornado._task; the last two asyncio's */                                    \
    X(make_task)                                   /* tornado._task: for loops and versions that want a Task always */            \
    X(convert_yielded)                             /* tornado.gen */                                                              \
    X(escape)                                      /* the module tornado.escape */                                                           \
    X(request_start_line) X(http_headers) X(http_input_error) /* tornado.httputil */                                              \
    X(request_class) X(parse_query) X(make_cookies) /* the same */                                                               \
    X(stream_closed_error) X(http_output_error)                                                                                   \
    X(request_handler) X(web_application) X(rule_type) X(url_spec) X(path_matches) X(any_matches) /* tornado.web, routing */       \
    X(format_timestamp) X(datetime)

typedef struct tnpy_state {
    PyTypeObject *core_type;
    PyTypeObject *server_type;
    PyTypeObject *connection_type;
    PyTypeObject *request_type;
    PyTypeObject *handler_type;
    PyTypeObject *driver_type;
#define TNPY_DECLARE(name) PyObject *name;
    struct {
        TNPY_NAMES(TNPY_DECLARE)
    } str;
    struct {
        TNPY_OBJECTS(TNPY_DECLARE)
    } py;
#undef TNPY_DECLARE
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
