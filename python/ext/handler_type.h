/*
 * Handler: the engine's half of tornado.web.RequestHandler, what every request needs; the Python class adds the rest.
 *
 * A native handler was made by the engine for an exchange of its own (handler_run.c). Its response lies in the exchange until Python
 * code asks for `_headers` or `_write_buffer`; from then on those objects are the truth. A handler that was made by calling its class
 * has no exchange: it is given Python objects from the start, and writes through `request.connection`, whatever that is.
 *
 *   handler_type.c     the object and its attributes
 *   handler_head.c     status and header fields
 *   handler_output.c   write, flush, finish, Etag, the access log
 *   handler_run.c      the steps of a request
 *   handler_args.c     arguments
 *   driver_type.c      steps that wait
 */
#ifndef TNPY_HANDLER_TYPE_H
#define TNPY_HANDLER_TYPE_H

#include "class_info.h"
#include "connection_type.h"
#include "http/headers.h"
#include "routes.h"

typedef struct tnpy_handler {
    PyObject_HEAD
    PyObject *dict, *weakrefs;
    tnpy_class *info;            /* NULL until first needed */
    tnpy_connection *connection; /* of a native handler, while the exchange is in hand; else NULL */
    PyObject *application;
    PyObject *request;      /* NULL: not asked for yet */
    PyObject *path_args;    /* list */
    PyObject *path_kwargs;  /* dict; both NULL when the route has no groups */
    PyObject *transforms;   /* list; NULL: none */
    PyObject *match;        /* of the route, until its groups are decoded */
    PyObject *body_arrived; /* future that the steps wait for when the body is streamed; NULL: nobody waits */

    /* The response. */
    PyObject *headers; /* HTTPHeaders; NULL: the four members that follow */
    tn__headers fields;
    tn_str content_type;
    bool common;      /* our Server and Date */
    bool has_framing; /* Content-Length, Connection or Transfer-Encoding are among the fields */
    PyObject *buffer; /* list of bytes; NULL: the exchange's `out` */
    PyObject *reason; /* str; NULL: the usual one */
    int status;

    uint8_t step; /* handler_run.c: the next one */
    char headers_written, finished, auto_finish;
    bool named_groups; /* of `match` */
    bool body_lost;    /* the peer is gone before the end of it */
} tnpy_handler;

/* handler_type.c */
tnpy_state *tnpy_handler_state(const tnpy_handler *h);
tnpy_class *tnpy_handler_info(tnpy_handler *h); /* borrowed, up to date; NULL with an exception */
int tnpy_handler_retain(tnpy_handler *h);       /* the exchange is about to go, and somebody keeps the handler */
void tnpy_handler_detach(tnpy_handler *h);      /* it has gone */

/* The slow half of the next one. */
int tnpy_looks_overridden(tnpy_handler *h, tnpy_hook hook);

/* Does the class or the instance have a method of its own for this hook? -1 with an exception. */
static inline int tnpy_overrides(tnpy_handler *h, tnpy_hook hook)
{
    bool bare = !h->dict || PyDict_GET_SIZE(h->dict) == 0;
    if (bare && h->info && tnpy_class_valid(h->info)) return h->info->overridden >> hook & 1;
    return tnpy_looks_overridden(h, hook);
}

/* Call a hook with `n` arguments, wherever its method comes from. args[0] is overwritten: leave it free for `self`. */
PyObject *tnpy_call_hook(tnpy_handler *h, tnpy_hook hook, PyObject **args, size_t n);

/* handler_head.c */
int tnpy_handler_reset(tnpy_handler *h);         /* the default status, fields and body; then the hook */
PyObject *tnpy_handler_headers(tnpy_handler *h); /* `_headers`, made if need be; borrowed */
int tnpy_handler_set_field(tnpy_handler *h, PyObject *name, PyObject *value, bool add); /* converts and checks */
int tnpy_handler_send_head(tnpy_handler *h, int64_t content_length); /* native; what nobody has set; -1: not known */
PyObject *tnpy_handler_m_set_status(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tnpy_handler_m_get_status(PyObject *self, PyObject *ignored);
PyObject *tnpy_handler_m_set_header(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tnpy_handler_m_add_header(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tnpy_handler_m_clear_header(PyObject *self, PyObject *name);
PyObject *tnpy_handler_m_clear(PyObject *self, PyObject *ignored);
PyObject *tnpy_handler_m_clear_representation_headers(PyObject *self, PyObject *ignored);

/* handler_output.c */
int tnpy_handler_finish(tnpy_handler *h, PyObject *chunk, PyObject **future); /* either pointer may be NULL */
PyObject *tnpy_handler_buffer(tnpy_handler *h);                               /* `_write_buffer`, made if need be; borrowed */
PyObject *tnpy_handler_m_write(PyObject *self, PyObject *chunk);
PyObject *tnpy_handler_m_flush(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tnpy_handler_m_finish(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tnpy_handler_m_compute_etag(PyObject *self, PyObject *ignored);
PyObject *tnpy_handler_m_set_etag_header(PyObject *self, PyObject *ignored);
PyObject *tnpy_handler_m_check_etag_header(PyObject *self, PyObject *ignored);
PyObject *tnpy_handler_m_log(PyObject *self, PyObject *ignored);

/* handler_run.c */
/* A request whose body is there, or is streamed. `info`: of the route's class, which must be plain. */
void tnpy_handler_serve(tnpy_connection *c, const tnpy_route *route, tnpy_class *info, PyObject *match);
void tnpy_handler_body_complete(tnpy_connection *c);
int tnpy_handler_chunk(tnpy_connection *c, tn_str data); /* as tnpy_connection_await */
void tnpy_handler_peer_closed(tnpy_connection *c, bool aborted);

/* Walk on until a step is to be awaited (which is given), waits for the body, or all is done. -1 with an exception nobody handled. */
int tnpy_handler_walk(tnpy_handler *h, PyObject **awaitable);

/* The exception that is set becomes a response. -1: it remains set, for it is none of those that handlers handle. */
int tnpy_handler_raised(tnpy_handler *h);

PyObject *tnpy_handler_m_nothing(PyObject *self, PyObject *args,
                                 PyObject *kwargs); /* prepare, on_finish, ...: hooks that do nothing */
PyObject *tnpy_handler_m_execute(PyObject *self, PyObject *args, PyObject *kwargs);

/* handler_args.c */
PyObject *tnpy_handler_m_get_arguments_of(PyObject *self, PyObject *const *args, Py_ssize_t n);
PyObject *tnpy_handler_m_get_argument_of(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* driver_type.c: await it, at once as far as it goes, and go on walking; takes the reference. */
void tnpy_drive(tnpy_handler *h, PyObject *awaitable);

/* The same as a coroutine for somebody else to await; NULL for `awaitable` begins with the walk. */
PyObject *tnpy_driver_new(tnpy_handler *h, PyObject *awaitable);

#endif
