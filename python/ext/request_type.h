/*
 * Request: what tornado.httputil.HTTPServerRequest is made of. Its attributes are computed from the exchange when they are first
 * looked at, and can be set like those of any object. A request that outlives its exchange takes a copy of the head along.
 */
#ifndef TNPY_REQUEST_TYPE_H
#define TNPY_REQUEST_TYPE_H

#include "connection_type.h"

/* The request of a connection's exchange. */
PyObject *tnpy_request_new(tnpy_connection *c);

/* The exchange is about to go: take along what has not been looked at yet. */
int tnpy_request_retain(PyObject *request);

/* The value of a field as the peer sent it, if nobody can have changed it: `p` is NULL when there is none. False: ask the headers. */
bool tnpy_request_raw_field(const tnpy_connection *c, tn_str name, tn_str *value);

#endif
