/*
 * epoll, for Linux. A connection is registered once, edge-triggered, for everything that can happen to it, and never touched again
 * until it is removed. Removing is a system call of its own even where closing follows: a child process may hold a copy of the
 * descriptor, and then closing alone would leave events behind that point to freed memory.
 */
#include "poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "turn.h"

struct tn__poller {
    int fd;
    struct epoll_event events[TN__EVENTS_MAX];
};

static int epoll_open(tn__poller **out)
{
    tn__poller *p = tn__alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->fd < 0) {
        int error = -errno;
        tn__free(p);
        return error;
    }
    *out = p;
    return 0;
}

static void epoll_close(tn__poller *p)
{
    close(p->fd);
    tn__free(p);
}

static int control(tn__poller *p, int verb, tn__io *io)
{
    struct epoll_event event = {.data.ptr = io};
    if (io->edge) {
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    } else {
        if (io->interest & TN_READ) event.events |= EPOLLIN;
        if (io->interest & TN_WRITE) event.events |= EPOLLOUT;
        if (io->exclusive) event.events |= EPOLLEXCLUSIVE;
    }
    return epoll_ctl(p->fd, verb, io->fd, &event) ? -errno : 0;
}

static int epoll_add(tn__poller *p, tn__io *io)
{
    return control(p, EPOLL_CTL_ADD, io);
}

static int epoll_update(tn__poller *p, tn__io *io)
{
    if (io->edge) return 0;
    if (!io->exclusive) return control(p, EPOLL_CTL_MOD, io);
    control(p, EPOLL_CTL_DEL, io); /* what is exclusive cannot be modified */
    return io->interest ? control(p, EPOLL_CTL_ADD, io) : 0;
}

static void epoll_remove(tn__poller *p, tn__io *io)
{
    control(p, EPOLL_CTL_DEL, io);
}

static unsigned events_of(uint32_t seen)
{
    unsigned events = 0;
    if (seen & EPOLLIN) events |= TN_READ;
    if (seen & EPOLLOUT) events |= TN_WRITE;
    if (seen & (EPOLLERR | EPOLLHUP)) events |= TN_ERROR;
    if (seen & EPOLLRDHUP) events |= TN__PEER_CLOSED;
    return events;
}

static int epoll_wait_for(tn__poller *p, tn__event *events, int max, int64_t timeout_ns)
{
    int n = epoll_wait(p->fd, p->events, max < TN__EVENTS_MAX ? max : TN__EVENTS_MAX, tn__poll_ms(timeout_ns));
    if (n < 0) return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    for (int i = 0; i < n; i++) events[i] = (tn__event){p->events[i].data.ptr, events_of(p->events[i].events)};
    return n;
}

static int epoll_fd(const tn__poller *p)
{
    return p->fd;
}

const tn__poll_backend tn__poll_epoll = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .add = epoll_add,
    .update = epoll_update,
    .remove = epoll_remove,
    .wait = epoll_wait_for,
    .fd = epoll_fd,
};
