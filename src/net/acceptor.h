/*
 * The acceptor: a listening descriptor on a loop that turns connections over to its owner. Servers embed one for each socket that
 * they listen on.
 *
 * It lives through a shortage of descriptors or memory: it looks away for a short time, longer each time up to half a second, and
 * says so once. Whatever the callback does to the acceptor (pause, stop, even free its memory after stop) holds at once.
 */
#ifndef TN_NET_ACCEPTOR_H
#define TN_NET_ACCEPTOR_H

#include "core/loop.h"
#include "tornado/netutil.h"

typedef struct tn__acceptor tn__acceptor;

/*
 * Takes a connection: `fd` belongs to it, does not block, is closed by exec, and has TCP_NODELAY if it is TCP. `peer` is borrowed for
 * the duration of the call.
 */
typedef void tn__accepted(tn__acceptor *acceptor, int fd, const tn_addr *peer);

struct tn__acceptor {
    tn__accepted *accepted; /* the owner's, set before start, as is `owner` */
    void *owner;

    tn_loop *loop;
    tn__io io;
    tn__timeout retry;  /* ends a rest */
    int64_t rest_ns;    /* how long the next rest is */
    int64_t said_ns;    /* when a shortage was last spoken of */
    bool *stopped;      /* where the running batch learns that it must not touch us again; NULL outside one */
    bool paused;        /* the owner wants no more for now */
    bool resting;       /* the system had no more to give */
    bool short_of_room; /* a shortage has begun, and the queue was not emptied since */
};

/*
 * Accept from `fd`, which must not block (tn__bind_sockets and tn__listen_adopt see to that) and is ours from here on if this
 * succeeds. TCP_NODELAY is set on it: connections inherit that. Fails with the system's error.
 */
int tn__acceptor_start(tn_loop *loop, tn__acceptor *a, int fd);

/* Stop for good and close the descriptor. Harmless when it was stopped, or is zeroed and was never started. */
void tn__acceptor_stop(tn__acceptor *a);

/* Leave connections in the system's queue, as long as the owner has too many; and go on. Both are harmless when done already. */
void tn__acceptor_pause(tn__acceptor *a);
void tn__acceptor_resume(tn__acceptor *a);

#endif
