/* The acceptor on a loop, with real connections. Where time matters the test drives the loop's clock. */
#include "test.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "net/acceptor.h"
#include "net/listen.h"
#include "net/socket.h"

enum { CLIENTS_MAX = 400 };

/* A server that keeps what it accepts, and what it is to do when it has accepted so many. */
typedef struct server {
    tn__acceptor acceptor;
    tn_addr addr;
    int taken[CLIENTS_MAX];
    int taken_n;
    int pause_at, stop_at, free_at; /* 0: never */
    tn_addr last_peer;
} server;

static void take(tn__acceptor *acceptor, int fd, const tn_addr *peer)
{
    server *s = acceptor->owner;
    s->taken[s->taken_n++] = fd;
    s->last_peer = *peer;
    if (s->taken_n == s->pause_at) tn__acceptor_pause(acceptor);
    if (s->taken_n == s->stop_at) tn__acceptor_stop(acceptor);
}

static void server_start(server *s, tn_loop *loop, const tn__bind_opts *opts)
{
    tn_error err;
    int fd;
    if (tn__bind_sockets(opts, &fd, 1, &err) != 1) fail_msg("%s", err.text);
    assert_int_equal(tn__socket_local(fd, &s->addr), TN_OK);
    s->acceptor.accepted = take;
    s->acceptor.owner = s;
    assert_int_equal(tn__acceptor_start(loop, &s->acceptor, fd), TN_OK);
}

static void server_close_taken(server *s)
{
    while (s->taken_n) close(s->taken[--s->taken_n]);
}

static void server_stop(server *s)
{
    tn__acceptor_stop(&s->acceptor);
    server_close_taken(s);
}

static const tn__bind_opts on_loopback = {.address = "127.0.0.1", .backlog = 512};

static void connect_clients(const server *s, int *clients, int n)
{
    for (int i = 0; i < n; i++) {
        clients[i] = tn__socket_open(tn_addr_family(&s->addr), SOCK_STREAM);
        assert_true(clients[i] >= 0);
        int result = tn__socket_connect(clients[i], &s->addr);
        assert_true(result == TN_OK || result == -EINPROGRESS);
    }
}

static void close_clients(int *clients, int n)
{
    while (n) close(clients[--n]);
}

static tn_loop *new_loop(void)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    return loop;
}

/* Turns until `n` connections were taken in all, or nothing happens for a while. */
static void turn_until(tn_loop *loop, const server *s, int n)
{
    for (int turns = 0; turns < 50 && s->taken_n < n; turns++) tn_loop_turn(loop, 0.02);
}

TEST(acceptor, turns_connections_over_ready_for_use)
{
    tn_loop *loop = new_loop();
    server s = {0};
    int client, on = 0;
    socklen_t len = sizeof(on);
    tn_addr mine;
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, &client, 1);
    turn_until(loop, &s, 1);
    assert_int_equal(s.taken_n, 1);
    assert_true(fcntl(s.taken[0], F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(s.taken[0], F_GETFD) & FD_CLOEXEC);
    assert_int_equal(getsockopt(s.taken[0], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_equal(on, 1);
    assert_int_equal(tn__socket_local(client, &mine), TN_OK);
    assert_true(tn_addr_eq(&mine, &s.last_peer));
    close(client);
    server_stop(&s);
    tn_loop_free(loop);
}

TEST(acceptor, serves_unix_sockets_too)
{
    char name[40];
    tn_loop *loop = new_loop();
    server s = {0};
    int client;
    snprintf(name, sizeof(name), "@tn-acceptor-%d", (int)getpid());
    server_start(&s, loop, &(tn__bind_opts){.unix_path = name});
    connect_clients(&s, &client, 1);
    turn_until(loop, &s, 1);
    assert_int_equal(s.taken_n, 1);
    assert_int_equal(tn_addr_family(&s.last_peer), AF_UNIX);
    close(client);
    server_stop(&s);
    tn_loop_free(loop);
}

TEST(acceptor, takes_at_most_128_connections_in_one_turn)
{
    static int clients[200];
    tn_loop *loop = new_loop();
    server s = {0};
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, clients, 200);
    tn_loop_turn(loop, 0.1);
    assert_int_equal(s.taken_n, 128);
    tn_loop_turn(loop, 0.1);
    assert_int_equal(s.taken_n, 200);
    close_clients(clients, 200);
    server_stop(&s);
    tn_loop_free(loop);
}

TEST(acceptor, that_is_paused_in_its_callback_takes_no_more_until_resumed)
{
    int clients[6];
    tn_loop *loop = new_loop();
    server s = {.pause_at = 2};
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, clients, 6);
    for (int i = 0; i < 5; i++) tn_loop_turn(loop, 0.01);
    assert_int_equal(s.taken_n, 2);
    tn__acceptor_resume(&s.acceptor);
    turn_until(loop, &s, 6);
    assert_int_equal(s.taken_n, 6);
    close_clients(clients, 6);
    server_stop(&s);
    tn_loop_free(loop);
}

static int update_without_memory(tn__poller *poller, tn__io *io)
{
    (void)poller, (void)io;
    return -ENOMEM;
}

TEST(acceptor, that_cannot_be_watched_again_tries_until_it_is)
{
    tn_loop *loop = new_loop();
    server s = {0};
    int client;
    const tn__poll_backend *healthy = loop->backend;
    tn__poll_backend failing = *healthy;
    failing.update = update_without_memory;
    server_start(&s, loop, &on_loopback);
    tn__acceptor_pause(&s.acceptor);
    loop->backend = &failing;
    tn__acceptor_resume(&s.acceptor);
    for (int i = 0; i < 10; i++) tn_loop_turn(loop, 0.02); /* the first retry fails, too */
    loop->backend = healthy;
    connect_clients(&s, &client, 1);
    turn_until(loop, &s, 1);
    assert_int_equal(s.taken_n, 1);
    close(client);
    server_stop(&s);
    tn_loop_free(loop);
}

TEST(acceptor, that_is_stopped_in_its_callback_takes_no_more)
{
    int clients[6];
    tn_loop *loop = new_loop();
    server s = {.stop_at = 2};
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, clients, 6);
    for (int i = 0; i < 5; i++) tn_loop_turn(loop, 0.01);
    assert_int_equal(s.taken_n, 2);
    close_clients(clients, 6);
    server_stop(&s); /* a second time */
    tn_loop_free(loop);
}

static void take_and_free(tn__acceptor *acceptor, int fd, const tn_addr *peer)
{
    (void)peer;
    ++*(int *)acceptor->owner;
    close(fd);
    tn__acceptor_stop(acceptor);
    tn__free(acceptor);
}

TEST(acceptor, may_be_freed_in_its_callback)
{
    tn_loop *loop = new_loop();
    tn__acceptor *a = tn__zalloc(sizeof(*a));
    int fd, clients[3], taken = 0;
    server s = {0};
    assert_int_equal(tn__bind_sockets(&on_loopback, &fd, 1, NULL), 1);
    assert_int_equal(tn__socket_local(fd, &s.addr), TN_OK);
    a->accepted = take_and_free;
    a->owner = &taken;
    assert_int_equal(tn__acceptor_start(loop, a, fd), TN_OK);
    connect_clients(&s, clients, 3);
    for (int i = 0; i < 5; i++) tn_loop_turn(loop, 0.01);
    assert_int_equal(taken, 1);
    close_clients(clients, 3);
    tn_loop_free(loop);
}

TEST(acceptor, leaves_the_descriptor_alone_when_it_cannot_start)
{
    tn_loop *loop = new_loop();
    tn__acceptor a = {.accepted = take};
    int file = open("/dev/null", O_RDONLY);
    assert_int_equal(tn__acceptor_start(loop, &a, file), -ENOTSOCK);
    assert_true(fcntl(file, F_GETFD) >= 0);
    tn__acceptor_stop(&a);
    tn__acceptor_pause(&a);
    tn__acceptor_resume(&a);
    close(file);
    tn_loop_free(loop);
}

/* -- Running out of descriptors: in a child, whose limit is its own -- */

static int64_t hand_clock(void *arg)
{
    return *(int64_t *)arg;
}

static void count_line(void *arg, const tn_log_line *line)
{
    if (line->level == TN_LOG_WARNING && line->domain == TN_LOG_GENERAL) ++*(int *)arg;
}

/* Turn by turn, as time passes in steps of 10 ms. */
static void pass(tn_loop *loop, int64_t *clock_ns, double seconds)
{
    for (int steps = (int)(seconds * 100); steps > 0; steps--) {
        *clock_ns += 10000000;
        tn_loop_turn(loop, 0);
    }
}

#define CHECK(condition)                                                                                                           \
    do {                                                                                                                           \
        if (!(condition)) {                                                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                                                \
            return 1;                                                                                                              \
        }                                                                                                                          \
    } while (0)

/* Twenty clients are in the queue and no descriptor is free; what happens is told by the returned status. */
static int live_through_a_shortage(void)
{
    int64_t clock_ns = 1000000000;
    int clients[20], lines = 0;
    tn_loop *loop = new_loop();
    server s = {0};
    tn_loop_set_clock(loop, hand_clock, &clock_ns);
    tn_loop_set_log(loop, count_line, &lines, TN_LOG_WARNING);
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, clients, 20);
    CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)clients[19] + 1 + 4, (rlim_t)clients[19] + 1 + 4}) == 0);

    /* Four fit, for the rest it rests: one line, and no event comes while it does. */
    pass(loop, &clock_ns, 0.01);
    CHECK(s.taken_n == 4);
    CHECK(lines == 1);
    CHECK(s.acceptor.resting && s.acceptor.io.interest == 0);
    double until = tn_loop_backend_timeout(loop);
    CHECK(until > 0 && until <= 0.1);

    /* However long it lasts: still one line, and it looks at most every half second. */
    pass(loop, &clock_ns, 30);
    CHECK(lines == 1);
    CHECK(s.taken_n == 4);
    CHECK(s.acceptor.rest_ns == 500000000);

    /* Within a second of the release of fourteen descriptors fourteen are served, and so on until nobody waits. */
    server_close_taken(&s);
    close_clients(clients, 10);
    pass(loop, &clock_ns, 0.6);
    CHECK(s.taken_n == 14);
    CHECK(s.acceptor.resting && lines == 1);
    server_close_taken(&s);
    pass(loop, &clock_ns, 0.6);
    CHECK(s.taken_n == 2);
    CHECK(!s.acceptor.short_of_room && s.acceptor.io.interest == TN_READ);

    close_clients(clients + 10, 10);
    server_stop(&s);
    tn_loop_free(loop);
    return 0;
}

static int stop_while_resting(void)
{
    int clients[5];
    tn_loop *loop = new_loop();
    server s = {0};
    server_start(&s, loop, &on_loopback);
    connect_clients(&s, clients, 5);
    CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)clients[4] + 1, (rlim_t)clients[4] + 1}) == 0);
    tn_loop_turn(loop, 0.1);
    CHECK(s.acceptor.resting);
    tn__acceptor_pause(&s.acceptor); /* the end of the rest must not end the pause */
    for (int i = 0; i < 8; i++) tn_loop_turn(loop, 0.02);
    CHECK(!s.acceptor.resting && s.acceptor.io.interest == 0);
    tn__acceptor_resume(&s.acceptor);
    tn_loop_turn(loop, 0.1);
    CHECK(s.acceptor.resting);
    tn__acceptor_stop(&s.acceptor);
    for (int i = 0; i < 8; i++) tn_loop_turn(loop, 0.02);
    CHECK(s.taken_n == 0);
    tn_loop_free(loop);
    return 0;
}

static void assert_child_ends_well(int (*work)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) _exit(work());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

TEST(acceptor, lives_through_a_shortage_of_descriptors_quietly)
{
    assert_child_ends_well(live_through_a_shortage);
}

TEST(acceptor, can_be_paused_and_stopped_during_a_shortage)
{
    assert_child_ends_well(stop_while_resting);
}
