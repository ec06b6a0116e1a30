/*
 * Socket calls, thin. The one place that knows how a descriptor is made non-blocking and close-on-exec, at best in the call that
 * makes it, so that no thread can fork in between.
 */
#include "socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "base/fault.h"

static int check(int result)
{
    return result < 0 ? -errno : result;
}

int tn__socket_open(int family, int type)
{
    TN_TRY(tn__fault(TN__FAULT_SOCKET));
    return check(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

int tn__socket_pair(int fds[2])
{
    TN_TRY(tn__fault(TN__FAULT_SOCKET));
    return check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
}

int tn__socket_adopt(int fd)
{
    int status = fcntl(fd, F_GETFL);
    if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0) return -errno;
    int descriptor = fcntl(fd, F_GETFD);
    if (descriptor < 0 || fcntl(fd, F_SETFD, descriptor | FD_CLOEXEC) < 0) return -errno;
    return TN_OK;
}

int tn__socket_accept(int fd, tn_addr *peer)
{
    socklen_t len;
    int accepted;
    TN_TRY(tn__fault(TN__FAULT_ACCEPT)); /* the connection stays in the queue, as when the system has no descriptor for it */
    do {
        len = sizeof(peer->u);
        accepted = accept4(fd, &peer->u.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && errno == EINTR);
    if (accepted < 0) return -errno;
    peer->len = len < sizeof(peer->u) ? len : (socklen_t)sizeof(peer->u); /* the system reports what it would have liked */
    return accepted;
}

int tn__socket_bind(int fd, const tn_addr *addr)
{
    return check(bind(fd, &addr->u.sa, addr->len));
}

int tn__socket_listen(int fd, int backlog)
{
    return check(listen(fd, backlog));
}

int tn__socket_connect(int fd, const tn_addr *addr)
{
    TN_TRY(tn__fault(TN__FAULT_CONNECT));
    int result = check(connect(fd, &addr->u.sa, addr->len));
    return result == -EINTR ? -EINPROGRESS : result; /* POSIX: an interrupted connect goes on by itself */
}

static int switch_on(int fd, int level, int name)
{
    int on = 1;
    return check(setsockopt(fd, level, name, &on, sizeof(on)));
}

int tn__socket_nodelay(int fd)
{
    return switch_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

int tn__socket_reuse_addr(int fd)
{
    return switch_on(fd, SOL_SOCKET, SO_REUSEADDR);
}

int tn__socket_reuse_port(int fd)
{
    return switch_on(fd, SOL_SOCKET, SO_REUSEPORT);
}

int tn__socket_v6only(int fd)
{
    return switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY);
}

typedef int name_call(int fd, struct sockaddr *sa, socklen_t *len);

static int get_name(int fd, name_call *call, tn_addr *addr)
{
    tn_addr a = {.len = sizeof(a.u)};
    if (call(fd, &a.u.sa, &a.len) < 0) return -errno;
    return tn_addr_set(addr, &a.u.sa, a.len);
}

int tn__socket_local(int fd, tn_addr *addr)
{
    return get_name(fd, getsockname, addr);
}

int tn__socket_peer(int fd, tn_addr *addr)
{
    return get_name(fd, getpeername, addr);
}

/* An integer option, or a negative errno. */
static int get_option(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

int tn__socket_error(int fd)
{
    int waiting = get_option(fd, SO_ERROR);
    return waiting > 0 ? -waiting : waiting;
}

bool tn__socket_is_listening(int fd)
{
    return get_option(fd, SO_TYPE) == SOCK_STREAM && get_option(fd, SO_ACCEPTCONN) > 0;
}
