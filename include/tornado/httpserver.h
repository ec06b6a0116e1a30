/*
 * Options of an HTTP server. tn_serve takes them as its member `http`; a member that is zero means its default.
 *
 * Every quantity that a peer controls has its limit here. What exceeds one is answered with the status named and the connection
 * closed. Sizes are bytes, times are seconds; a negative time switches a timeout off. All members exist since 0.1.
 */
#ifndef TORNADO_HTTPSERVER_H
#define TORNADO_HTTPSERVER_H

#include "error.h"
#include "tls.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_http_opts {
    size_t head_bytes_max;   /* request line and fields together: 431. Default 65,536 */
    size_t target_bytes_max; /* the request-target: 414. Default 8,192 */
    size_t fields_max;       /* number of fields: 431. Default 128 */
    size_t body_bytes_max;   /* a request body: 413. Default 104,857,600 */
    size_t arguments_max;    /* query and form arguments together: 400. Default 1,000 */
    size_t write_bytes_max;  /* output of one response not yet taken by the system: tn_write fails beyond. Default 104,857,600 */
    size_t connections_max;  /* open at once; more wait in the system's queue. Default 50,000 */

    double idle_timeout; /* from one response to the first byte of the next request: closed. Default 3,600 */
    double head_timeout; /* from a connection's start or a head's first byte to its last: 408. Default 60 */
    double body_timeout; /* between two pieces of a body: 408. Default 60 */
    double send_timeout; /* for a peer that takes nothing of what is sent: closed. Default 60 */

    bool no_keep_alive; /* close after every response */
    tn_tls *tls;        /* https: speak TLS, with this context, which stays yours and must live as long as the server */

    uint64_t reserved_[16]; /* zero: room for later members, so that the size of this struct never changes */
} tn_http_opts;

#ifdef __cplusplus
}
#endif

#endif
