/*
 * The probe server on a system whose calls are interrupted, come back early, and take or give less than was asked. Linked with
 * demos/probe.c and the library, whose system calls the linker sends here (--wrap). The wire tests must not see any difference.
 *
 * With the epoll back-end calls are only interrupted: an edge is told once, so a readiness that is denied here would be lost for
 * ever, as it never is by the system. The poll back-end, which asks the system again, gets everything.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int probe_main(int argc, char **argv);

ssize_t __real_recv(int fd, void *p, size_t n, int flags);
ssize_t __real_send(int fd, const void *p, size_t n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __real_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);

typedef enum fault { NONE, INTERRUPTED, NOT_NOW, SHORT } fault;

static bool everything; /* what only the poll back-end can bear, too */

/* A fixed sequence that looks random, so that a failure can be repeated. */
static unsigned dice(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 40);
}

/* What happens to this call. */
static fault next_fault(void)
{
    fault f = (fault)(dice() & 3);
    return f > INTERRUPTED && !everything ? NONE : f;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* Of `n` bytes, at least one and at most a few hundred. */
static size_t some_of(size_t n)
{
    size_t some = 1 + dice() % 400;
    return n < some ? n : some;
}

ssize_t __wrap_recv(int fd, void *p, size_t n, int flags)
{
    switch (next_fault()) {
    case INTERRUPTED: return fail(EINTR);
    case NOT_NOW: return fail(EAGAIN);
    case SHORT: return __real_recv(fd, p, some_of(n), flags);
    default: return __real_recv(fd, p, n, flags);
    }
}

ssize_t __wrap_send(int fd, const void *p, size_t n, int flags)
{
    switch (next_fault()) {
    case INTERRUPTED: return fail(EINTR);
    case NOT_NOW: return fail(EAGAIN);
    case SHORT: return __real_send(fd, p, some_of(n), flags);
    default: return __real_send(fd, p, n, flags);
    }
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    switch (next_fault()) {
    case INTERRUPTED: return fail(EINTR);
    case NOT_NOW: return fail(EAGAIN);
    case SHORT: return __real_send(fd, message->msg_iov[0].iov_base, some_of(message->msg_iov[0].iov_len), flags);
    default: return __real_sendmsg(fd, message, flags);
    }
}

/* The listening socket is watched as a level by both back-ends. */
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    switch (next_fault()) {
    case INTERRUPTED: return fail(EINTR);
    case NOT_NOW: return fail(EAGAIN);
    case SHORT: return fail(ECONNABORTED);
    default: return __real_accept4(fd, address, length, flags);
    }
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
    return next_fault() == INTERRUPTED ? fail(EINTR) : __real_epoll_wait(epoll, events, max, timeout);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    return next_fault() == INTERRUPTED ? fail(EINTR) : __real_poll(fds, n, timeout);
}

int main(int argc, char **argv)
{
    const char *backend = getenv("TORNADO_LOOP_BACKEND");
    everything = backend && strcmp(backend, "poll") == 0;
    return probe_main(argc, argv);
}
