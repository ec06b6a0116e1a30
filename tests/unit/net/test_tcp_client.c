/* The order in which addresses are tried, and trying them. */
#include "core/core_test.h"
#include "net/room.h"
#include "net/socket.h"
#include "net/tcp_client.h"

static tn_addr address(const char *text)
{
    tn_addr addr = {0};
    assert_int_equal(tn_addr_parse(&addr, text), 0);
    return addr;
}

TEST(dial, lets_the_families_take_turns_beginning_with_the_first)
{
    tn_addr addrs[] = {address("[::1]:1"), address("[::2]:1"), address("[::3]:1"), address("1.1.1.1:1"), address("2.2.2.2:1")};
    const tn_addr *order[5];
    assert_int_equal(tn__dial_order(addrs, 5, AF_UNSPEC, order), 5);
    static const int expected[] = {0, 3, 1, 4, 2};
    for (int i = 0; i < 5; i++) assert_ptr_equal(order[i], &addrs[expected[i]]);
}

TEST(dial, leaves_out_other_families_than_the_one_asked_for)
{
    tn_addr addrs[] = {address("[::1]:1"), address("1.1.1.1:1"), address("[::2]:1")};
    const tn_addr *order[3];
    assert_int_equal(tn__dial_order(addrs, 3, AF_INET, order), 1);
    assert_ptr_equal(order[0], &addrs[1]);
    assert_int_equal(tn__dial_order(addrs, 3, AF_INET6, order), 2);
    assert_int_equal(tn__dial_order(addrs, 0, AF_UNSPEC, order), 0);
}

static int listen_on(const char *ip, tn_addr *addr)
{
    int fd = tn__socket_open(AF_INET, SOCK_STREAM);
    assert_int_equal(tn_addr_parse_ip(addr, ip, 0), 0);
    assert_int_equal(tn__socket_bind(fd, addr), 0);
    assert_int_equal(tn__socket_listen(fd, 8), 0);
    assert_int_equal(tn__socket_local(fd, addr), 0);
    return fd;
}

/* What the names of these tests stand for; read by a thread of the resolver. */
static const char *const *answers;

static int answer(const char *host, int family, tn_addr *addrs, size_t max, const char **reason)
{
    (void)host, (void)family, (void)max, (void)reason;
    int n = 0;
    for (; answers[n]; n++) assert_int_equal(tn_addr_parse_ip(&addrs[n], answers[n], 0), 0);
    return n;
}

static int outcome;

static void on_done(tn_loop *loop, tn__op *op, int result)
{
    (void)op;
    outcome = result;
    tn_loop_stop(loop);
}

/* Dial a name that has these addresses. */
static int dial(tn_loop *loop, const char *const *addresses, const tn__dial_opts *opts, tn_stream **out)
{
    static tn__dial d;
    tn__op op;
    answers = addresses;
    tn__resolver_set_ask(tn__resolver_of(loop), answer);
    tn__op_init(&op, on_done);
    int result = tn__dial_begin(&d, loop, opts, out, &op);
    if (result != TN__PENDING) return result;
    outcome = 1;
    assert_int_equal(tn_loop_run(loop), 0);
    return outcome;
}

static void assert_peer(tn_stream *s, const char *ip)
{
    tn_addr peer;
    char text[TN_ADDR_TEXT_BYTES];
    assert_int_equal(tn__socket_peer(s->io.fd, &peer), 0);
    assert_string_equal(tn_addr_ip(&peer, text).p, ip);
    tn__iostream_free(tn__iostream_of(s));
}

LOOP_TEST(dial, goes_on_to_the_next_address_as_soon_as_one_refuses)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", "127.0.0.4", NULL};
    tn_addr addr;
    tn_stream *s = NULL;
    int fd = listen_on("127.0.0.4", &addr);
    tn__dial_opts opts = {.host = TN_S("name"), .port = tn_addr_port(&addr), .next_delay_ns = 1000000000000};
    assert_int_equal(dial(loop, addresses, &opts, &s), 0);
    assert_peer(s, "127.0.0.4");
    close(fd);
}

LOOP_TEST(dial, tells_the_last_error_when_all_refuse)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", NULL};
    tn_stream *s = NULL;
    tn__dial_opts opts = {.host = TN_S("name"), .port = 1};
    assert_int_equal(dial(loop, addresses, &opts, &s), -ECONNREFUSED);
    assert_null(s);
}

/* Fill the queue of a listener, so that nobody else gets an answer. Returns how many descriptors that took. */
static int fill_queue(const tn_addr *addr, int *fds, int max)
{
    int n = 0;
    while (n < max) {
        fds[n] = tn__socket_open(AF_INET, SOCK_STREAM);
        tn__socket_connect(fds[n++], addr);
        usleep(2000);
    }
    return n;
}

LOOP_TEST(dial, tries_the_next_address_too_when_one_says_nothing)
{
    static const char *const addresses[] = {"127.0.0.2", "127.0.0.3", NULL};
    tn_addr mute, good;
    tn_stream *s = NULL;
    int fds[4];
    int mute_fd = tn__socket_open(AF_INET, SOCK_STREAM), good_fd = listen_on("127.0.0.3", &good);
    assert_int_equal(tn_addr_parse_ip(&mute, "127.0.0.2", tn_addr_port(&good)), 0);
    assert_int_equal(tn__socket_bind(mute_fd, &mute), 0);
    assert_int_equal(tn__socket_listen(mute_fd, 0), 0);
    int n = fill_queue(&mute, fds, 4);
    tn__dial_opts opts = {.host = TN_S("name"), .port = tn_addr_port(&good), .next_delay_ns = 20000000};
    assert_int_equal(dial(loop, addresses, &opts, &s), 0);
    assert_peer(s, "127.0.0.3");
    while (n > 0) close(fds[--n]);
    close(mute_fd);
    close(good_fd);
}

LOOP_TEST(dial, leaves_nothing_open_when_it_is_cancelled)
{
    static tn__dial d;
    tn_addr mute;
    tn_stream *s = NULL;
    tn__op op;
    int fds[4], mute_fd = listen_on("127.0.0.1", &mute);
    assert_int_equal(listen(mute_fd, 0), 0);
    int n = fill_queue(&mute, fds, 4);
    tn__dial_opts opts = {.host = TN_S("127.0.0.1"), .port = tn_addr_port(&mute)};
    tn__op_init(&op, on_done);
    assert_int_equal(tn__dial_begin(&d, loop, &opts, &s, &op), TN__PENDING);
    tn__op_cancel(&op);
    assert_null(s);
    while (n > 0) close(fds[--n]);
    close(mute_fd);
}
