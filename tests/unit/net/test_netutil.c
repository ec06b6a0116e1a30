/* Listening and accepting as programs see it. */
#include "test.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "tornado/ioloop.h"
#include "tornado/netutil.h"

typedef struct accepted {
    tn_loop *loop;
    tn_accept_handler *handler;
    int n, family;
} accepted;

static void on_accept(void *arg, int fd, const tn_addr *peer)
{
    accepted *a = arg;
    a->n++;
    a->family = tn_addr_family(peer);
    close(fd);
    tn_loop_stop(a->loop);
}

static int connect_to(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static int port_of(int fd)
{
    struct sockaddr_in at;
    socklen_t n = sizeof at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    return ntohs(at.sin_port);
}

TEST(netutil, binds_sockets_and_hands_over_what_connects)
{
    int fds[8];
    accepted a = {0};
    assert_int_equal(tn_bind_sockets(fds, 8, .address = "127.0.0.1"), 1);
    int port = port_of(fds[0]);
    assert_int_equal(tn_loop_new(&a.loop, NULL), 0);
    assert_int_equal(tn_add_accept_handler(&a.handler, a.loop, fds[0], on_accept, &a), 0);
    int client = connect_to(port);
    assert_int_equal(tn_loop_run(a.loop), 0);
    assert_int_equal(a.n, 1);
    assert_int_equal(a.family, AF_INET);
    tn_remove_accept_handler(a.handler);
    tn_loop_free(a.loop);
    close(client);
}

static void remove_inside(void *arg, int fd, const tn_addr *peer)
{
    accepted *a = arg;
    (void)peer;
    a->n++;
    close(fd);
    tn_remove_accept_handler(a->handler);
    a->handler = NULL;
    tn_loop_stop(a->loop);
}

TEST(netutil, lets_a_handler_be_removed_inside_its_own_call)
{
    int fds[8];
    accepted a = {0};
    assert_int_equal(tn_bind_sockets(fds, 8, .address = "127.0.0.1"), 1);
    int port = port_of(fds[0]);
    assert_int_equal(tn_loop_new(&a.loop, NULL), 0);
    assert_int_equal(tn_add_accept_handler(&a.handler, a.loop, fds[0], remove_inside, &a), 0);
    int one = connect_to(port), two = connect_to(port);
    assert_int_equal(tn_loop_run(a.loop), 0);
    assert_int_equal(a.n, 1);
    tn_remove_accept_handler(NULL);
    tn_loop_free(a.loop);
    close(one);
    close(two);
}

TEST(netutil, says_why_it_cannot_bind)
{
    int fds[8];
    tn_error err = {0};
    assert_true(tn_bind_sockets(fds, 8, .address = "192.0.2.1", .port = 1, .err = &err) < 0);
    assert_non_null(strstr(err.text, "192.0.2.1:1"));
}
