/* Servers of connections: how many there may be, and the end of accepting. */
#include "core/core_test.h"

#include "net/socket.h"
#include "net/tcp_server.h"

typedef struct counting {
    tn__tcp_server tcp;
    int fds[8];
    int n;
    bool stop_at_once;
} counting;

static void on_connected(tn__tcp_server *tcp, int fd, const tn_addr *peer)
{
    counting *c = TN__OWNER(tcp, counting, tcp);
    assert_int_equal(tn_addr_family(peer), AF_INET);
    c->fds[c->n++] = fd;
    if (c->stop_at_once) tn__tcp_server_stop(tcp);
}

static int listen_with(counting *c, tn_loop *loop, size_t connections_max)
{
    tn__bind_opts bind = {.address = "127.0.0.1"};
    *c = (counting){.tcp.connected = on_connected};
    tn__tcp_server_init(&c->tcp, loop, connections_max);
    int port = tn__tcp_server_listen(&c->tcp, &bind, NULL);
    assert_true(port > 0);
    return port;
}

static int dial(int port)
{
    tn_addr addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(tn_addr_parse_ip(&addr, "127.0.0.1", (uint16_t)port), 0);
    return connect(fd, &addr.u.sa, addr.len) == 0 ? fd : (close(fd), -errno);
}

static void finish(counting *c)
{
    tn__tcp_server_stop(&c->tcp);
    while (c->n > 0) close(c->fds[--c->n]);
}

LOOP_TEST(tcp_server, takes_no_more_connections_than_it_may_have)
{
    counting c;
    int port = listen_with(&c, loop, 2), clients[3];
    for (int i = 0; i < 3; i++) clients[i] = dial(port);
    test_turns(loop, 3);
    assert_int_equal(c.n, 2);
    tn__tcp_server_removed(&c.tcp);
    test_turns(loop, 3);
    assert_int_equal(c.n, 3);
    assert_int_equal(c.tcp.connections_n, 2);
    finish(&c);
    for (int i = 0; i < 3; i++) close(clients[i]);
}

LOOP_TEST(tcp_server, may_be_stopped_while_it_takes_a_connection)
{
    counting c;
    int port = listen_with(&c, loop, 8), first = dial(port), second = dial(port);
    c.stop_at_once = true;
    test_turns(loop, 3);
    assert_int_equal(c.n, 1);
    assert_int_equal(dial(port), -ECONNREFUSED);
    tn__tcp_server_stop(&c.tcp);
    finish(&c);
    close(first);
    close(second);
}

LOOP_TEST(tcp_server, closes_a_descriptor_that_it_cannot_listen_on)
{
    counting c = {.tcp.connected = on_connected};
    tn__tcp_server_init(&c.tcp, loop, 8);
    tn__alloc_fail_after(0, false);
    int result = tn__tcp_server_add(&c.tcp, socket(AF_INET, SOCK_STREAM, 0));
    tn__alloc_fail_after(-1, false);
    assert_int_equal(result, TN_ENOMEM);
    finish(&c);
}
