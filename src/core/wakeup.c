/* The doorbell: called by calls.c only. Whoever listens to it empties it, so that it can be watched level-triggered. */
#include "wakeup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

static void on_rung(tn_loop *loop, tn__io *io, unsigned events)
{
    (void)loop, (void)events;
    uint64_t sink[8];
    while (read(io->fd, sink, sizeof sink) == (ssize_t)sizeof sink) {
    }
}

#ifdef __linux__

static int open_pair(int fds[2])
{
    fds[0] = fds[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fds[0] < 0 ? -errno : 0;
}

#else

static int open_pair(int fds[2])
{
    if (pipe(fds)) return -errno;
    for (int i = 0; i < 2; i++) {
        if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) == 0 && fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0) continue;
        int error = -errno;
        close(fds[0]);
        close(fds[1]);
        return error;
    }
    return 0;
}

#endif

static void close_both(int read_fd, int write_fd)
{
    close(read_fd);
    if (write_fd != read_fd) close(write_fd);
}

int tn__wakeup_open(tn_loop *loop, tn__wakeup *w)
{
    int fds[2];
    int result = open_pair(fds);
    if (result < 0) return result;
    w->io = (tn__io){.fd = fds[0], .interest = TN_READ, .ready = on_rung};
    w->ring_fd = fds[1];
    result = tn__io_add(loop, &w->io);
    if (result < 0) {
        close_both(fds[0], fds[1]);
        w->io.fd = -1;
    }
    return result;
}

void tn__wakeup_close(tn_loop *loop, tn__wakeup *w)
{
    if (w->io.fd < 0) return;
    int fd = w->io.fd;
    tn__io_remove(loop, &w->io);
    close_both(fd, w->ring_fd);
}

void tn__wakeup_ring(const tn__wakeup *w)
{
    int before = errno;
    uint64_t one = 1;
    /* When there is no room the bell is ringing already, which is all that we want. */
    ssize_t written = write(w->ring_fd, &one, sizeof one);
    (void)written;
    errno = before;
}
