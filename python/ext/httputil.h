/*
 * What the files behind tornado.httputil and tornado.escape share. They convert, call the engine's parsers and raise; the grammar of
 * HTTP is in src/http only.
 */
#ifndef TNPY_HTTPUTIL_H
#define TNPY_HTTPUTIL_H

#include "state.h"

/* Raise tornado.httputil.HTTPInputError with a formatted text (PyUnicode_FromFormat). Always returns NULL. */
PyObject *tnpy_input_error(tnpy_state *state, const char *format, ...);

/* Add its functions to the module. Called by tnpy_init_httputil, as tnpy_init_headers is. */
int tnpy_init_escape(PyObject *module);

#endif
