/*
 * poll, which every system has. Always compiled, so that the tests cover it everywhere.
 *
 * It knows levels only; edges are imitated. What was delivered is no longer asked for until tn__io_drained says that the owner has
 * used it up. The system reports POLLHUP and POLLERR without being asked, so a descriptor that has one of them is ignored once it
 * was told; whatever its owner tries next answers at once. Such a descriptor comes back only by being removed and added again.
 */
#include "poll.h"

#include <errno.h>
#include <poll.h>

#include "base/alloc.h"
#include "turn.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

enum { CAP_MIN = 16 };

struct tn__poller {
    struct pollfd *fds; /* those of ignored descriptors are ~fd, which poll passes over */
    tn__io **ios;       /* beside them; ios[i]->place == i */
    size_t n, cap;
    size_t from; /* where the next look begins, so that the first ones cannot starve the last */
};

static int poll_open(tn__poller **out)
{
    *out = tn__zalloc(sizeof **out);
    return *out ? 0 : TN_ENOMEM;
}

static void poll_close(tn__poller *p)
{
    tn__free(p->fds);
    tn__free(p->ios);
    tn__free(p);
}

static int grow(tn__poller *p)
{
    size_t cap = p->cap ? p->cap * 2 : CAP_MIN;
    struct pollfd *fds = tn__realloc(p->fds, cap * sizeof *fds);
    if (!fds) return TN_ENOMEM;
    p->fds = fds;
    tn__io **ios = tn__realloc(p->ios, cap * sizeof *ios);
    if (!ios) return TN_ENOMEM;
    p->ios = ios;
    p->cap = cap;
    return 0;
}

static short wanted_by(const tn__io *io)
{
    if (io->edge) return POLLIN | POLLOUT | POLLRDHUP;
    return (short)((io->interest & TN_READ ? POLLIN : 0) | (io->interest & TN_WRITE ? POLLOUT : 0));
}

static int poll_add(tn__poller *p, tn__io *io)
{
    if (p->n == p->cap) TN_TRY(grow(p));
    io->place = (uint32_t)p->n;
    p->ios[p->n] = io;
    p->fds[p->n] = (struct pollfd){.fd = io->fd, .events = wanted_by(io)};
    p->n++;
    return 0;
}

static int poll_update(tn__poller *p, tn__io *io)
{
    if (!io->edge) p->fds[io->place].events = wanted_by(io);
    return 0;
}

static void poll_remove(tn__poller *p, tn__io *io)
{
    size_t last = --p->n;
    p->fds[io->place] = p->fds[last];
    p->ios[io->place] = p->ios[last];
    p->ios[io->place]->place = io->place;
}

static void poll_drained(tn__poller *p, tn__io *io, unsigned events)
{
    if (io->edge) p->fds[io->place].events |= (short)((events & TN_READ ? POLLIN : 0) | (events & TN_WRITE ? POLLOUT : 0));
}

/* What happened to one descriptor; stops asking for what must be told only once. */
static unsigned told(struct pollfd *fd, bool edge)
{
    short seen = fd->revents;
    unsigned events = 0;
    if (seen & POLLIN) events |= TN_READ;
    if (seen & POLLOUT) events |= TN_WRITE;
    if (POLLRDHUP && seen & POLLRDHUP) events |= TN__PEER_CLOSED;
    if (seen & (POLLERR | POLLHUP | POLLNVAL)) events |= TN_ERROR;
    if (edge) {
        fd->events &= (short)~(seen & (POLLIN | POLLOUT | POLLRDHUP));
        /* Reading and writing were perhaps not asked for at the moment, and nothing more will be told. */
        if (seen & (POLLHUP | POLLERR)) events |= TN_READ | TN_WRITE;
        if (seen & POLLHUP) events |= TN__PEER_CLOSED;
    }
    if (seen & POLLNVAL || (edge && seen & (POLLERR | POLLHUP))) fd->fd = ~fd->fd;
    return events;
}

static int poll_wait_for(tn__poller *p, tn__event *events, int max, int64_t timeout_ns)
{
    int left = poll(p->fds, p->n, tn__poll_ms(timeout_ns));
    if (left < 0) return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    int n = 0;
    size_t at = p->from < p->n ? p->from : 0;
    for (size_t seen = 0; seen < p->n && left > 0 && n < max; seen++) {
        if (p->fds[at].revents && p->fds[at].fd >= 0) {
            events[n++] = (tn__event){p->ios[at], told(&p->fds[at], p->ios[at]->edge)};
            left--;
        }
        if (++at == p->n) at = 0;
    }
    p->from = at;
    return n;
}

static int poll_fd(const tn__poller *p)
{
    (void)p;
    return TN_ENOTSUP;
}

const tn__poll_backend tn__poll_poll = {
    .name = "poll",
    .open = poll_open,
    .close = poll_close,
    .add = poll_add,
    .update = poll_update,
    .remove = poll_remove,
    .drained = poll_drained,
    .wait = poll_wait_for,
    .fd = poll_fd,
};
