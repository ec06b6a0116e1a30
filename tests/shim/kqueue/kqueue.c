/*
 * kqueue over epoll: enough for one filter of each kind on a descriptor. What BSD's manual promises and our back-end relies on is
 * imitated (separate events for reading and writing, ENOENT for a filter that is not there, EV_EOF); what is left out is all else.
 *
 * EV_CLEAR becomes EPOLLET for both filters of a descriptor, so an edge of one side may show the other side again. The back-end has
 * to put up with that on BSD, too, where several changes between two waits may be told as one or as two.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sys/event.h"

enum { FDS_MAX = 4096, BATCH = 128, READ_SIDE = 0, WRITE_SIDE = 1 };

typedef struct registered {
    unsigned queue; /* which kqueue's it is; a descriptor is in one at a time here */
    bool wanted[2];
    bool clear;
    void *udata[2];
} registered;

static registered table[FDS_MAX];
static unsigned queue_of[FDS_MAX]; /* by kqueue's descriptor: its number, so that what a closed one left behind is not believed */
static atomic_uint last_queue;

int kqueue(void)
{
    int kq = epoll_create1(0);
    if (kq >= FDS_MAX) {
        close(kq);
        errno = EMFILE;
        return -1;
    }
    if (kq >= 0) queue_of[kq] = atomic_fetch_add(&last_queue, 1) + 1;
    return kq;
}

static int tell_epoll(int kq, int fd, const registered *r, bool was_there)
{
    struct epoll_event event = {.data.fd = fd};
    if (r->wanted[READ_SIDE]) event.events |= EPOLLIN | EPOLLRDHUP;
    if (r->wanted[WRITE_SIDE]) event.events |= EPOLLOUT;
    if (!event.events) {
        epoll_ctl(kq, EPOLL_CTL_DEL, fd, NULL); /* may be closed by now */
        return 0;
    }
    if (r->clear) event.events |= EPOLLET;
    if (was_there && epoll_ctl(kq, EPOLL_CTL_MOD, fd, &event) == 0) return 0;
    if (was_there && errno != ENOENT) return -1;
    return epoll_ctl(kq, EPOLL_CTL_ADD, fd, &event);
}

static int change(int kq, const struct kevent *c)
{
    int fd = (int)c->ident, side = c->filter == EVFILT_READ ? READ_SIDE : WRITE_SIDE;
    if (fd < 0 || fd >= FDS_MAX) return errno = EBADF, -1;
    registered before = table[fd];
    if (before.queue != queue_of[kq]) before = (registered){.queue = queue_of[kq]};
    bool was_there = before.wanted[READ_SIDE] || before.wanted[WRITE_SIDE];
    registered now = before;
    if (c->flags & EV_DELETE) {
        if (!before.wanted[side]) return errno = ENOENT, -1;
        now.wanted[side] = false;
    } else {
        now.wanted[side] = true;
        now.clear = c->flags & EV_CLEAR;
        now.udata[side] = c->udata;
    }
    if (tell_epoll(kq, fd, &now, was_there) < 0) return -1;
    table[fd] = now;
    return 0;
}

/* What epoll says of one descriptor, as an event for each side that is concerned. */
static int translate(const struct epoll_event *e, struct kevent *out)
{
    const registered *r = &table[e->data.fd];
    int n = 0;
    if (r->wanted[READ_SIDE] && e->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        bool eof = e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        EV_SET(&out[n++], e->data.fd, EVFILT_READ, eof ? EV_EOF : 0, e->events & EPOLLERR ? ECONNRESET : 0, 1, r->udata[READ_SIDE]);
    }
    if (r->wanted[WRITE_SIDE] && e->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
        bool eof = e->events & (EPOLLHUP | EPOLLERR);
        EV_SET(&out[n++], e->data.fd, EVFILT_WRITE, eof ? EV_EOF : 0, e->events & EPOLLERR ? ECONNRESET : 0, 1,
               r->udata[WRITE_SIDE]);
    }
    return n;
}

int kevent(int kq, const struct kevent *changes, int changes_n, struct kevent *events, int events_max,
           const struct timespec *timeout)
{
    for (int i = 0; i < changes_n; i++)
        if (change(kq, &changes[i]) < 0) return -1;
    if (events_max < 2) return 0;
    struct epoll_event seen[BATCH];
    int ms = timeout ? (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000) : -1;
    int n = epoll_wait(kq, seen, events_max / 2 < BATCH ? events_max / 2 : BATCH, ms);
    if (n < 0) return -1;
    int told = 0;
    for (int i = 0; i < n; i++) told += translate(&seen[i], &events[told]);
    return told;
}
