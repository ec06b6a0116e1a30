/*
 * Socket calls, thin: each is one system call or two, returns -errno on failure, and gives descriptors that do not block and are
 * closed by exec. Called by the listener, the acceptor, streams and clients. Nothing here knows a loop.
 */
#ifndef TN_NET_SOCKET_H
#define TN_NET_SOCKET_H

#include "tornado/netutil.h"

/* A new socket that does not block. Returns the descriptor. type: SOCK_STREAM or SOCK_DGRAM. */
int tn__socket_open(int family, int type);

/* Two connected Unix stream sockets. */
int tn__socket_pair(int fds[2]);

/* Give a descriptor that came from elsewhere the two properties that ours have. */
int tn__socket_adopt(int fd);

/*
 * Take one connection. Returns the descriptor, and whose it is in `peer`. TN_EAGAIN when there is none; what else can happen is for
 * tn__acceptor to judge.
 */
int tn__socket_accept(int fd, tn_addr *peer);

int tn__socket_bind(int fd, const tn_addr *addr);
int tn__socket_listen(int fd, int backlog);

/* Begin to connect. 0 when it is done already, -EINPROGRESS when the socket becomes writable later (then ask tn__socket_error). */
int tn__socket_connect(int fd, const tn_addr *addr);

int tn__socket_nodelay(int fd);    /* TCP_NODELAY: what is written leaves at once */
int tn__socket_reuse_addr(int fd); /* SO_REUSEADDR: bind although old connections linger */
int tn__socket_reuse_port(int fd); /* SO_REUSEPORT: several sockets share one address */
int tn__socket_v6only(int fd);     /* IPV6_V6ONLY: leave IPv4 to a socket of its own */

/* The address of this end, or of the other one. Outputs are written on success only. */
int tn__socket_local(int fd, tn_addr *addr);
int tn__socket_peer(int fd, tn_addr *addr);

/* The error that waits on the socket, taken from it: 0 when there is none. */
int tn__socket_error(int fd);

/* True for a stream socket that listens. */
bool tn__socket_is_listening(int fd);

#endif
