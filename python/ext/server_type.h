/*
 * Server: an HTTP server of the engine, and what answers its requests. tornado.httpserver.HTTPServer owns one.
 *
 * This is the delegate of the HTTP floor (delegate.c): each exchange gets a Connection, which is handed to a RequestHandler on the
 * fast path of an Application, to a message delegate, or to a function.
 */
#ifndef TNPY_SERVER_TYPE_H
#define TNPY_SERVER_TYPE_H

#include "core_type.h"
#include "http/server.h"
#include "routes.h"

typedef struct tnpy_server {
    PyObject_HEAD
    tnpy_core *core;
    tn__http_server *http;
    PyObject *callback;     /* a function of the request; or, when is_delegate, an HTTPServerConnectionDelegate */
    PyObject *application;  /* the callback, when it is a web.Application; borrowed */
    PyObject *adjust;       /* function called with each request that is made; NULL: none (xheaders is off) */
    PyObject *protocol;     /* str */
    PyObject *tls;          /* ssl.SSLContext; NULL: plain HTTP */
    PyObject *context;      /* of contextvars, as it was at the first listen */
    tnpy_routes *routes;    /* of the Application; NULL until the first request */
    size_t chunk_bytes_max; /* of a body, in one call of data_received */
    bool is_delegate;
    bool silent; /* being torn down: no code of the application runs any more */
} tnpy_server;

extern const tn__http_delegate tnpy_http_delegate; /* delegate.c */

#endif
