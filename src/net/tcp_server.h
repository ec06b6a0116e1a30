/*
 * A server of connections, whatever they are: listening descriptors, how many connections there may be, and the end of accepting.
 * Embedded in whoever serves.
 */
#ifndef TN_NET_TCP_SERVER_H
#define TN_NET_TCP_SERVER_H

#include "acceptor.h"
#include "listen.h"

typedef struct tn__tcp_server tn__tcp_server;

struct tn__tcp_server {
    tn_loop *loop;
    /*
     * Takes a connection, whose descriptor belongs to it. It counts as one of ours until tn__tcp_server_removed, which is to be
     * called exactly once for each, perhaps before this returns.
     */
    void (*connected)(tn__tcp_server *server, int fd, const tn_addr *peer);
    tn__list listeners;
    size_t connections_n, connections_max;
};

/* No listeners as yet. connections_max: accept no more while there are so many. */
void tn__tcp_server_init(tn__tcp_server *s, tn_loop *loop, size_t connections_max);

/* Accept from a listening descriptor, which belongs to the server from here on, even on failure. TN_ENOMEM, the system's error. */
int tn__tcp_server_add(tn__tcp_server *s, int fd);

/* Listen as `opts` asks, and say so in the log. Returns the port, 0 for a Unix socket; on failure nothing listens. */
int tn__tcp_server_listen(tn__tcp_server *s, const tn__bind_opts *opts, tn_error *err);

void tn__tcp_server_removed(tn__tcp_server *s);

/* Stop accepting, and close the listening descriptors. May be called inside `connected`. Harmless when stopped. */
void tn__tcp_server_stop(tn__tcp_server *s);

#endif
