/* Descriptors: edges and levels, which must be the same with every back-end, and removal in the middle of a batch. */
#include "core_test.h"

#include <fcntl.h>
#include <sys/resource.h>

#include "core/turn.h"

/* A descriptor that counts what it is told. */
typedef struct probe {
    tn__io io;
    int calls;
    unsigned seen;       /* all events together */
    struct probe *other; /* removed by the first call */
} probe;

static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    probe *p = TN__OWNER(io, probe, io);
    p->calls++;
    p->seen |= events;
    if (!p->other) return;
    probe *other = p->other;
    p->other = NULL;
    other->other = NULL;
    tn__io_remove(loop, &other->io);
}

static void add(tn_loop *loop, probe *p, int fd, bool edge, unsigned interest)
{
    *p = (probe){.io = {.fd = fd, .edge = edge, .interest = (uint16_t)interest, .ready = on_ready}};
    assert_int_equal(tn__io_add(loop, &p->io), 0);
}

/* One turn; gives what the probe was told in it. */
static unsigned told(tn_loop *loop, probe *p)
{
    p->calls = 0;
    p->seen = 0;
    test_turns(loop, 1);
    assert_in_range(p->calls, 0, 1);
    return p->seen;
}

static void put(int fd, size_t n)
{
    static char bytes[1 << 16];
    while (n) {
        ssize_t sent = write(fd, bytes, n < sizeof bytes ? n : sizeof bytes);
        if (sent <= 0) break;
        n -= (size_t)sent;
    }
}

static size_t drain(int fd)
{
    char bytes[1 << 16];
    size_t all = 0;
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) all += (size_t)n;
    return all;
}

/* -- Edges -- */

LOOP_TEST(poll, tells_an_edge_once_and_again_after_it_was_drained)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    assert_int_equal(told(loop, &p), TN_WRITE);
    assert_int_equal(told(loop, &p), 0);

    put(fds[1], 1);
    assert_true(told(loop, &p) & TN_READ);
    assert_int_equal(told(loop, &p), 0); /* though it was not read */

    assert_int_equal(drain(fds[0]), 1);
    tn__io_drained(loop, &p.io, TN_READ);
    assert_int_equal(told(loop, &p), 0);
    put(fds[1], 1);
    assert_true(told(loop, &p) & TN_READ);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

LOOP_TEST(poll, tells_what_came_between_the_last_read_and_drained)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    put(fds[1], 1);
    told(loop, &p);
    drain(fds[0]);
    put(fds[1], 1); /* before the owner says that it has drained it */
    tn__io_drained(loop, &p.io, TN_READ);
    assert_true(told(loop, &p) & TN_READ);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

LOOP_TEST(poll, tells_when_a_full_socket_takes_more)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    assert_int_equal(told(loop, &p), TN_WRITE);
    put(fds[0], 1 << 26);
    tn__io_drained(loop, &p.io, TN_WRITE);
    assert_int_equal(told(loop, &p), 0);
    drain(fds[1]);
    assert_int_equal(told(loop, &p), TN_WRITE);
    assert_int_equal(told(loop, &p), 0);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

LOOP_TEST(poll, tells_once_that_the_peer_sends_no_more)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    told(loop, &p);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    assert_int_equal(told(loop, &p) & (TN_READ | TN__PEER_CLOSED | TN_ERROR), TN_READ | TN__PEER_CLOSED);
    for (int i = 0; i < 3; i++) assert_int_equal(told(loop, &p), 0);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

LOOP_TEST(poll, tells_that_the_peer_sends_no_more_even_while_input_waits_unread)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    put(fds[1], 1);
    assert_int_equal(told(loop, &p) & (TN_READ | TN__PEER_CLOSED), TN_READ);
    shutdown(fds[1], SHUT_WR);
    assert_true(told(loop, &p) & TN__PEER_CLOSED);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

LOOP_TEST(poll, tells_a_broken_connection_once_and_never_spins_on_it)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, 0);
    told(loop, &p);
    put(fds[0], 1);
    close(fds[1]); /* with unread input: a reset */
    unsigned all = TN_READ | TN_WRITE | TN_ERROR | TN__PEER_CLOSED;
    assert_int_equal(told(loop, &p), all);
    tn__io_drained(loop, &p.io, TN_READ | TN_WRITE);
    double before = tn_loop_time(loop);
    p.calls = 0;
    assert_int_equal(tn_loop_turn(loop, 0.03), 0);
    assert_int_equal(p.calls, 0);
    assert_true(tn_loop_time(loop) - before >= 0.03); /* it waited: nothing was ready */
    tn__io_remove(loop, &p.io);
    close(fds[0]);
}

LOOP_TEST(poll, sees_nothing_to_update_in_an_edge)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], true, TN_READ);
    told(loop, &p);
    assert_int_equal(tn__io_update(loop, &p.io, TN_WRITE), 0);
    assert_int_equal(told(loop, &p), 0);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

/* -- Levels -- */

LOOP_TEST(poll, tells_a_level_every_turn_as_long_as_it_lasts)
{
    int fds[2];
    probe p;
    test_socketpair(fds);
    add(loop, &p, fds[0], false, TN_READ);
    assert_int_equal(told(loop, &p), 0);
    put(fds[1], 1);
    assert_int_equal(told(loop, &p), TN_READ);
    assert_int_equal(told(loop, &p), TN_READ);
    assert_int_equal(tn__io_update(loop, &p.io, TN_READ | TN_WRITE), 0);
    assert_int_equal(told(loop, &p), TN_READ | TN_WRITE);
    assert_int_equal(tn__io_update(loop, &p.io, 0), 0);
    assert_int_equal(told(loop, &p), 0);
    assert_int_equal(tn__io_update(loop, &p.io, TN_READ), 0);
    drain(fds[0]);
    assert_int_equal(told(loop, &p), 0);
    tn__io_remove(loop, &p.io);
    test_close_pair(fds);
}

/* -- Removal -- */

LOOP_TEST(poll, does_not_deliver_to_what_another_event_of_the_batch_removed)
{
    int fds[2][2];
    probe p[2];
    for (int i = 0; i < 2; i++) {
        test_socketpair(fds[i]);
        add(loop, &p[i], fds[i][0], i == 0, TN_WRITE);
    }
    p[0].other = &p[1];
    p[1].other = &p[0];
    test_turns(loop, 1);
    assert_int_equal(p[0].calls + p[1].calls, 1);
    int left = p[0].calls ? 0 : 1;
    assert_int_equal(p[1 - left].io.fd, -1);
    tn__io_remove(loop, &p[1 - left].io); /* harmless */
    tn__io_remove(loop, &p[left].io);
    test_close_pair(fds[0]);
    test_close_pair(fds[1]);
}

enum { MANY = 300 };

LOOP_TEST(poll, finds_each_of_many_descriptors_after_others_were_removed)
{
    static int fds[MANY][2];
    static probe p[MANY];
    for (int i = 0; i < MANY; i++) {
        test_socketpair(fds[i]);
        add(loop, &p[i], fds[i][0], i % 2, TN_READ);
    }
    for (int i = 0; i < MANY; i += 3) tn__io_remove(loop, &p[i].io);
    for (int i = 0; i < 5; i++) test_turns(loop, 1); /* first edges: writable */
    for (int i = 0; i < MANY; i++) {
        p[i].calls = 0;
        p[i].seen = 0;
        put(fds[i][1], 1);
    }
    test_turns(loop, 3); /* more than fit into one batch */
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(p[i].seen & TN_READ, i % 3 ? TN_READ : 0);
        tn__io_remove(loop, &p[i].io);
        test_close_pair(fds[i]);
    }
}

TEST(poll, does_not_starve_the_last_descriptor_while_many_are_ready)
{
    tn_loop *loop;
    static int fds[MANY][2];
    static probe p[MANY];
    assert_int_equal(tn_loop_new(&loop, "poll"), 0);
    for (int i = 0; i < MANY; i++) {
        test_socketpair(fds[i]);
        add(loop, &p[i], fds[i][0], false, TN_WRITE);
    }
    test_turns(loop, 2);
    for (int i = 0; i < MANY; i++) {
        assert_in_range(p[i].calls, 1, 2);
        tn__io_remove(loop, &p[i].io);
        test_close_pair(fds[i]);
    }
    tn_loop_free(loop);
}

/* -- Failure -- */

LOOP_TEST(poll, refuses_a_descriptor_that_it_cannot_watch_or_has_no_memory_for)
{
    if (strcmp(loop->backend->name, "poll") == 0) {
        int fds[20][2];
        probe p[20];
        for (int i = 0; i < 20; i++) test_socketpair(fds[i]);
        int added = 0;
        for (; added < 20; added++) {
            p[added] = (probe){.io = {.fd = fds[added][0], .edge = true, .ready = on_ready}};
            tn__alloc_fail_after(0, false);
            int result = tn__io_add(loop, &p[added].io);
            tn__alloc_fail_after(-1, false);
            if (result == TN_ENOMEM) break;
        }
        assert_in_range(added, 10, 19); /* the array had to grow here */
        assert_int_equal(tn__io_add(loop, &p[added].io), 0);
        for (int i = 0; i <= added; i++) tn__io_remove(loop, &p[i].io);
        for (int i = 0; i < 20; i++) test_close_pair(fds[i]);
    } else {
        probe p = {.io = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), .interest = TN_READ, .ready = on_ready}};
        int fd = p.io.fd;
        assert_int_equal(tn__io_add(loop, &p.io), -EPERM);
        close(fd);
    }
}

TEST(poll, says_which_limit_was_hit_when_there_is_no_descriptor_for_a_loop)
{
    struct rlimit before, none;
    tn_loop *loop;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    int epoll = tn_loop_new(&loop, "epoll"), poll = tn_loop_new(&loop, "poll");
    setrlimit(RLIMIT_NOFILE, &before);
    assert_true(epoll == -EMFILE || epoll == TN_ENOTSUP);
    assert_int_equal(poll, -EMFILE);
}

TEST(poll, rounds_a_waiting_time_up_so_that_no_timer_is_early)
{
    assert_int_equal(tn__poll_ms(-1), -1);
    assert_int_equal(tn__poll_ms(0), 0);
    assert_int_equal(tn__poll_ms(1), 1);
    assert_int_equal(tn__poll_ms(1000000), 1);
    assert_int_equal(tn__poll_ms(1000001), 2);
    assert_int_equal(tn__poll_ms(INT64_MAX), INT32_MAX);
}
