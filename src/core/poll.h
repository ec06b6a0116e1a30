/*
 * Readiness of descriptors: what epoll, kqueue and poll have in common. Each back-end is one small file with the same functions.
 *
 * A tn__io is embedded in the object that owns the descriptor. Connections are edge-triggered: `ready` is called when something
 * changes, and whoever has read until the system had no more says so with tn__io_drained (which costs nothing but with poll, where
 * it re-arms the imitation). Listeners and foreign descriptors are level-triggered.
 *
 * TN_ERROR on an edge is the last that is heard of the descriptor: whoever reads or writes next learns what happened. For the same
 * reason a socket is added once it connects, not before: an idle one hangs up at once.
 */
#ifndef TN_CORE_POLL_H
#define TN_CORE_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "tornado/ioloop.h"

/* Who has kqueue. Tests build these files with a shim of it that works anywhere (tests/shim/kqueue). */
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || defined(__DragonFly__) ||         \
    defined(TN_KQUEUE_SHIM)
#define TN__HAVE_KQUEUE 1
#endif

/* Besides TN_READ, TN_WRITE and TN_ERROR, `ready` may report that the peer will send no more. */
enum { TN__PEER_CLOSED = 0x2000 };

typedef struct tn__io tn__io;

struct tn__io {
    int fd;            /* -1 when there is none */
    uint32_t place;    /* the back-end's own */
    uint16_t interest; /* TN_READ | TN_WRITE */
    bool edge;
    bool exclusive; /* level-triggered, and other processes may watch the same: one of them is woken, not all */
    bool harvested; /* an event for it waits in the batch of this turn */
    void (*ready)(tn_loop *loop, tn__io *io, unsigned events);
};

typedef struct tn__event {
    tn__io *io; /* NULL: withdrawn after it was harvested */
    unsigned events;
} tn__event;

typedef struct tn__poller tn__poller;

typedef struct tn__poll_backend {
    const char *name;
    int (*open)(tn__poller **out);
    void (*close)(tn__poller *p);
    int (*add)(tn__poller *p, tn__io *io);
    int (*update)(tn__poller *p, tn__io *io); /* io->interest has changed */
    void (*remove)(tn__poller *p, tn__io *io);
    void (*drained)(tn__poller *p, tn__io *io, unsigned events); /* NULL when the system keeps edges itself */
    /* Wait (nanoseconds; negative: for ever) and fill at most `max` events. Returns how many; EINTR is 0; negative is an error. */
    int (*wait)(tn__poller *p, tn__event *events, int max, int64_t timeout_ns);
    int (*fd)(const tn__poller *p); /* TN_ENOTSUP when there is none */
} tn__poll_backend;

extern const tn__poll_backend tn__poll_epoll;  /* Linux */
extern const tn__poll_backend tn__poll_kqueue; /* BSD, macOS */
extern const tn__poll_backend tn__poll_poll;   /* anywhere */

/* What the floors above call. `io->fd`, `interest`, `edge` and `ready` are set before adding. */
int tn__io_add(tn_loop *loop, tn__io *io);
int tn__io_update(tn_loop *loop, tn__io *io, unsigned interest);
void tn__io_remove(tn_loop *loop, tn__io *io); /* drops a harvested event too; harmless when not added (fd < 0) */
void tn__io_drained(tn_loop *loop, tn__io *io, unsigned events);

#endif
