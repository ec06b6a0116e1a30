/* What stands between a stream and a descriptor that is no socket: pipes and terminals know neither recv nor send. */
#ifndef TN_NET_PIPE_H
#define TN_NET_PIPE_H

#include "iostream.h"

extern const tn__transport tn__pipe_transport;

/* The transport that a descriptor wants: NULL for a socket. */
const tn__transport *tn__transport_for(int fd);

#endif
