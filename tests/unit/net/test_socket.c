/* Socket calls against the system itself. */
#include "test.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "net/socket.h"

static void assert_ours(int fd)
{
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* A socket that listens on a free port of 127.0.0.1. */
static int listener(tn_addr *addr)
{
    int fd = tn__socket_open(AF_INET, SOCK_STREAM);
    assert_true(fd >= 0);
    assert_int_equal(tn_addr_parse(addr, "127.0.0.1:0"), TN_OK);
    assert_int_equal(tn__socket_bind(fd, addr), TN_OK);
    assert_int_equal(tn__socket_listen(fd, 5), TN_OK);
    assert_int_equal(tn__socket_local(fd, addr), TN_OK);
    assert_true(tn_addr_port(addr) > 0);
    return fd;
}

TEST(socket, opens_without_blocking_and_closed_by_exec)
{
    int fds[2], fd = tn__socket_open(AF_INET6, SOCK_STREAM);
    assert_ours(fd);
    close(fd);
    assert_int_equal(tn__socket_pair(fds), TN_OK);
    assert_ours(fds[0]);
    assert_ours(fds[1]);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(tn__socket_open(12345, SOCK_STREAM), -EAFNOSUPPORT);
}

TEST(socket, from_elsewhere_is_given_the_same_properties)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(tn__socket_adopt(fd), TN_OK);
    assert_ours(fd);
    close(fd);
    assert_int_equal(tn__socket_adopt(fd), -EBADF);
}

TEST(socket, accepts_a_connection_and_says_whose_it_is)
{
    tn_addr addr, mine, peer = {.len = 77};
    int listening = listener(&addr);
    assert_int_equal(tn__socket_accept(listening, &peer), TN_EAGAIN);
    assert_int_equal(peer.len, 77);

    int client = tn__socket_open(AF_INET, SOCK_STREAM);
    int result = tn__socket_connect(client, &addr);
    assert_true(result == TN_OK || result == -EINPROGRESS);
    int fd = tn__socket_accept(listening, &peer);
    assert_ours(fd);
    assert_int_equal(tn__socket_local(client, &mine), TN_OK);
    assert_true(tn_addr_eq(&mine, &peer));
    assert_int_equal(tn__socket_peer(fd, &peer), TN_OK);
    assert_true(tn_addr_eq(&mine, &peer));
    assert_int_equal(tn__socket_error(client), TN_OK);
    close(fd);
    close(client);
    close(listening);
}

TEST(socket, tells_the_error_of_a_connection_that_failed_and_forgets_it)
{
    tn_addr addr, peer;
    close(listener(&addr)); /* nobody is there any more */
    int fd = tn__socket_open(AF_INET, SOCK_STREAM);
    int result = tn__socket_connect(fd, &addr);
    if (result == -EINPROGRESS) result = tn__socket_error(fd);
    assert_int_equal(result, -ECONNREFUSED);
    assert_int_equal(tn__socket_error(fd), TN_OK);
    assert_int_equal(tn__socket_peer(fd, &peer), -ENOTCONN);
    close(fd);
    assert_int_equal(tn__socket_error(fd), -EBADF);
}

TEST(socket, sets_its_options)
{
    int fd = tn__socket_open(AF_INET6, SOCK_STREAM);
    assert_int_equal(tn__socket_nodelay(fd), TN_OK);
    assert_int_equal(tn__socket_reuse_addr(fd), TN_OK);
    assert_int_equal(tn__socket_reuse_port(fd), TN_OK);
    assert_int_equal(tn__socket_v6only(fd), TN_OK);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    close(fd);
    assert_int_equal(tn__socket_nodelay(fd), -EBADF);
}

TEST(socket, knows_whether_it_listens)
{
    tn_addr addr;
    int fd = listener(&addr), other = tn__socket_open(AF_INET, SOCK_STREAM), file = open("/dev/null", O_RDONLY);
    assert_true(tn__socket_is_listening(fd));
    assert_false(tn__socket_is_listening(other));
    assert_false(tn__socket_is_listening(file));
    close(fd);
    close(other);
    close(file);
    assert_false(tn__socket_is_listening(fd));
}
