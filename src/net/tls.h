/*
 * TLS as a transport of streams: tls_context.c knows contexts, tls.c connections.
 */
#ifndef TN_NET_TLS_H
#define TN_NET_TLS_H

#include "iostream.h"
#include "tornado/tls.h"

/*
 * Put TLS under a stream on which nothing has happened, or nothing is under way. server_name: see tn_start_tls_opts; `err` must live
 * until `established` is called or the stream is closed, and may be NULL. The handshake runs as the stream reads. TN_EINVAL,
 * TN_ENOMEM, TN_ECRYPTO: nothing has changed.
 */
int tn__tls_attach(tn_stream *s, tn_tls *tls, const char *server_name, void (*established)(tn_stream *s), tn_error *err);

/* The waiter has gone, and `err` with it. */
void tn__tls_forget_error(tn_stream *s);

/* The context that a client uses who brings none; it belongs to the loop. NULL, with the reason in `err`. */
tn_tls *tn__tls_client(tn_loop *loop, tn_error *err);

#endif
