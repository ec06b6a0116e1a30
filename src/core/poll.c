/*
 * Descriptors on a loop: picks the back-end, and keeps the batch of harvested events free of what was removed in the meantime.
 * Called by every floor that owns a descriptor.
 */
#include "poll.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "turn.h"

/* The best one first. */
static const tn__poll_backend *const backends[] = {
#ifdef __linux__
    &tn__poll_epoll,
#endif
#ifdef TN__HAVE_KQUEUE
    &tn__poll_kqueue,
#endif
    &tn__poll_poll,
};

const tn__poll_backend *tn__poll_find(const char *name)
{
    if (!name) name = getenv("TORNADO_LOOP_BACKEND");
    if (!name || !*name) return backends[0];
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->name, name) == 0) return backends[i];
    return NULL;
}

int tn__poll_ms(int64_t timeout_ns)
{
    if (timeout_ns < 0) return -1;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

int tn__io_add(tn_loop *loop, tn__io *io)
{
    io->place = 0;
    io->harvested = false;
    return loop->backend->add(loop->poller, io);
}

int tn__io_update(tn_loop *loop, tn__io *io, unsigned interest)
{
    uint16_t before = io->interest;
    if (before == interest) return 0;
    io->interest = (uint16_t)interest;
    int result = loop->backend->update(loop->poller, io);
    if (result < 0) io->interest = before;
    return result;
}

/* An event that was harvested for `io` must not be delivered any more. */
static void withdraw_event(tn_loop *loop, const tn__io *io)
{
    for (int i = loop->event_at; i < loop->event_n; i++)
        if (loop->events[i].io == io) loop->events[i].io = NULL;
}

void tn__io_remove(tn_loop *loop, tn__io *io)
{
    if (io->fd < 0) return;
    if (loop->poller) loop->backend->remove(loop->poller, io);
    if (io->harvested) withdraw_event(loop, io);
    io->harvested = false;
    io->fd = -1;
}

void tn__io_drained(tn_loop *loop, tn__io *io, unsigned events)
{
    if (loop->backend->drained) loop->backend->drained(loop->poller, io, events);
}
