/*
 * An HTTP server: listening descriptors, the connections that came in through them, their limits, and a graceful end.
 */
#ifndef TN_HTTP_SERVER_H
#define TN_HTTP_SERVER_H

#include "http1.h"
#include "tornado/httpserver.h"

struct tn__http_server {
    tn_loop *loop;
    const tn__http_delegate *delegate;
    void *app;
    tn__dialect dialect;
    tn__head_limits limits;
    tn_http_opts opts;                          /* defaults filled in */
    tn__field *fields;                          /* where heads are parsed to */
    int64_t idle_ns, head_ns, body_ns, send_ns; /* INT64_MAX / 2: never */
    tn__list connections;
    size_t connections_n;
    tn__list acceptors;
    bool draining; /* no further requests on open connections */
    bool full;     /* acceptors are paused */
    bool freed;    /* goes with the last connection whose exchange an application still holds */
    tn__work stop_work;
    void (*stopped)(void *arg); /* called when the last connection is gone */
    void *stopped_arg;
};

/* Zeroed members of `opts` (which may be NULL) mean their defaults. NULL for lack of memory. */
tn__http_server *tn__http_server_new(tn_loop *loop, const tn__http_delegate *delegate, void *app, const tn_http_opts *opts);

/* Accept connections from a listening descriptor, which belongs to the server from here on. */
int tn__http_server_listen(tn__http_server *s, int fd);

/* Accept no more connections; those that are open go on as before. */
void tn__http_server_stop_listening(tn__http_server *s);

/*
 * `empty` is called, never inside this call, when no connection is open: for a server that has stopped to listen, and is kept until
 * then. It may free the server.
 */
void tn__http_server_when_empty(tn__http_server *s, void (*empty)(void *arg), void *arg);

/*
 * Begin a graceful end: stop listening, close idle connections (tn__http1_retire), let the others finish the request in hand.
 * `stopped` is called when the last one is gone, never inside this call.
 */
void tn__http_server_drain(tn__http_server *s, void (*stopped)(void *arg), void *arg);

/* Close every connection at once. */
void tn__http_server_close_all(tn__http_server *s);

/* Free a server: open connections are closed and their applications told. Memory goes when they have let go of the last exchange. */
void tn__http_server_free(tn__http_server *s);

/* For connections: they come and go. */
void tn__http_server_added(tn__http_server *s, tn__http1 *c);
void tn__http_server_removed(tn__http_server *s, tn__http1 *c);

#endif
