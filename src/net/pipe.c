/*
 * Streams over pipes: see pipe.h. Writing to a pipe that nobody reads raises SIGPIPE, and there is no flag against it; since the
 * library leaves the dispositions of signals alone, the signal is held back during the call and taken away if the call raised it.
 */
#include "pipe.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* The writing end of a pipe has nothing to read: that is an end, not an error. */
static ssize_t pipe_recv(tn_stream *s, char *p, size_t n)
{
    ssize_t got = read(s->io.fd, p, n);
    if (got >= 0) return got;
    /* A terminal whose other side is gone says EIO (pty(7)). */
    return errno == EBADF || errno == EIO ? 0 : -errno;
}

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static ssize_t pipe_send(tn_stream *s, const struct iovec *pieces, int n)
{
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    bool not_ours = is_pending();
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t sent = writev(s->io.fd, pieces, n);
    int error = sent < 0 ? errno : 0;
    if (error == EPIPE && !not_ours && is_pending()) {
        int number;
        sigwait(&pipe_signal, &number);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? -error : sent;
}

/* A pipe has one direction: its end is told by closing it. */
static void pipe_shutdown_write(tn_stream *s)
{
    tn__stream_close(s, 0);
}

static void pipe_close(tn_stream *s)
{
    (void)s;
}

const tn__transport tn__pipe_transport = {
    .recv = pipe_recv,
    .send = pipe_send,
    .shutdown_write = pipe_shutdown_write,
    .close = pipe_close,
};

const tn__transport *tn__transport_for(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && !S_ISSOCK(status.st_mode) ? &tn__pipe_transport : NULL;
}
