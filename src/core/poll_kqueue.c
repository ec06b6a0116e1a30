/*
 * kqueue, for macOS and the BSDs. A connection has both its filters registered once, edge-triggered (EV_CLEAR). The two report
 * separately: what concerns one descriptor is put together into one event, because a removed descriptor may have one only. A foreign
 * descriptor that is watched for nothing has no filter, so its errors are not heard of here until it is watched for something.
 */
#include "poll.h"

#ifdef TN__HAVE_KQUEUE

#include <errno.h>
#include <fcntl.h>
#include <sys/event.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "turn.h"

struct tn__poller {
    int fd;
    struct kevent events[TN__EVENTS_MAX];
};

static int kqueue_open(tn__poller **out)
{
    tn__poller *p = tn__alloc(sizeof *p);
    if (!p) return TN_ENOMEM;
    p->fd = kqueue();
    if (p->fd < 0) {
        int error = -errno;
        tn__free(p);
        return error;
    }
    fcntl(p->fd, F_SETFD, FD_CLOEXEC);
    *out = p;
    return 0;
}

static void kqueue_close(tn__poller *p)
{
    close(p->fd);
    tn__free(p);
}

static int change(tn__poller *p, tn__io *io, short filter, unsigned short flags)
{
    struct kevent one;
    EV_SET(&one, io->fd, filter, flags, 0, 0, (void *)io);
    return kevent(p->fd, &one, 1, NULL, 0, NULL) < 0 ? -errno : 0;
}

/* Register or withdraw one filter. Withdrawing one that is not there is no failure. */
static int set_filter(tn__poller *p, tn__io *io, short filter, bool wanted)
{
    if (wanted) return change(p, io, filter, io->edge ? EV_ADD | EV_CLEAR : EV_ADD);
    int result = change(p, io, filter, EV_DELETE);
    return result == TN_ENOENT ? 0 : result;
}

static void kqueue_remove(tn__poller *p, tn__io *io)
{
    set_filter(p, io, EVFILT_READ, false);
    set_filter(p, io, EVFILT_WRITE, false);
}

static int set_filters(tn__poller *p, tn__io *io)
{
    TN_TRY(set_filter(p, io, EVFILT_READ, io->edge || io->interest & TN_READ));
    return set_filter(p, io, EVFILT_WRITE, io->edge || io->interest & TN_WRITE);
}

static int kqueue_add(tn__poller *p, tn__io *io)
{
    int result = set_filters(p, io);
    if (result < 0) kqueue_remove(p, io);
    return result;
}

static int kqueue_update(tn__poller *p, tn__io *io)
{
    return io->edge ? 0 : set_filters(p, io); /* setting the filters of an edge again would tell again what was told */
}

static unsigned events_of(const struct kevent *seen)
{
    unsigned events = seen->filter == EVFILT_READ ? TN_READ : TN_WRITE;
    if (seen->flags & EV_ERROR) events |= TN_ERROR;
    if (seen->flags & EV_EOF) {
        /* Of the reading side: the peer will send no more. Of the writing side: nobody reads. `fflags` is the socket's error. */
        events |= seen->filter == EVFILT_READ ? TN__PEER_CLOSED : TN_ERROR;
        if (seen->fflags) events |= TN_ERROR;
    }
    return events;
}

static int kqueue_wait(tn__poller *p, tn__event *events, int max, int64_t timeout_ns)
{
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    int seen = kevent(p->fd, NULL, 0, p->events, max < TN__EVENTS_MAX ? max : TN__EVENTS_MAX, timeout_ns < 0 ? NULL : &timeout);
    if (seen < 0) return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    int n = 0;
    for (int i = 0; i < seen; i++) {
        tn__io *io = (tn__io *)p->events[i].udata;
        bool known = io->place < (uint32_t)n && events[io->place].io == io;
        if (!known) {
            io->place = (uint32_t)n;
            events[n++] = (tn__event){io, 0};
        }
        events[io->place].events |= events_of(&p->events[i]);
    }
    return n;
}

static int kqueue_fd(const tn__poller *p)
{
    return p->fd;
}

const tn__poll_backend tn__poll_kqueue = {
    .name = "kqueue",
    .open = kqueue_open,
    .close = kqueue_close,
    .add = kqueue_add,
    .update = kqueue_update,
    .remove = kqueue_remove,
    .wait = kqueue_wait,
    .fd = kqueue_fd,
};

#endif
