/*
 * HTTPHeaders: the fields of a message as a mapping. The base of tornado.httputil.HTTPHeaders, which adds what mappings inherit.
 */
#ifndef TNPY_HEADERS_TYPE_H
#define TNPY_HEADERS_TYPE_H

#include "http/parser.h"
#include "state.h"

/*
 * A tornado.httputil.HTTPHeaders of the fields of a head that the engine has parsed; nothing is checked again.
 *
 * base: what the slices are offsets from. A new reference.
 */
PyObject *tnpy_headers_from_fields(tnpy_state *state, const char *base, const tn__field *fields, uint32_t n);

/* `name` the way the mapping spells it: Http-Header-Case. A new reference; TypeError for what is no str. */
PyObject *tnpy_header_name(PyObject *name);

/* Add the type to the module. */
int tnpy_init_headers(PyObject *module);

#endif
