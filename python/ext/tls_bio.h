/*
 * TLS with a context of Python's: a transport between a stream and its descriptor, for servers that were given an ssl.SSLContext.
 */
#ifndef TNPY_TLS_BIO_H
#define TNPY_TLS_BIO_H

#include "server_type.h"

/* Put TLS under the stream of a connection that was just accepted. A negative code when that fails, which has been logged. */
int tnpy_tls_attach(tnpy_server *server, tn_stream *s);

/* The ssl.SSLObject of such a stream, borrowed; NULL for all others. */
PyObject *tnpy_tls_object(const tn_stream *s);

/*
 * Take TLS off a stream whose output has all left, for another one: `*out` is the SSLObject with its MemoryBIOs for what comes in and
 * what goes out, a new tuple. A plain stream has none, and `*out` stays. TN_EBUSY, TN_ECLOSED, TN_ENOMEM.
 */
int tnpy_tls_release(tn_stream *s, PyObject **out);

#endif
