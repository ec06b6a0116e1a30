/*
 * What the tests of streams share: a stream on one end of a pair of sockets, whose user behaves as the test says and counts what it is
 * told.
 */
#ifndef TN_TESTS_IOSTREAM_TEST_H
#define TN_TESTS_IOSTREAM_TEST_H

#include "core/core_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/block.h"
#include "net/iostream.h"

enum { ALL = -1, NEVER = 0, SEEN_MAX = 1 << 20 };

/* When a user is to close its stream: in which of its functions. */
typedef enum closing { IN_NONE, IN_BYTES, IN_EOF, IN_HANGUP, IN_DRAINED } closing;

/* A stream, its peer's descriptor, how its user behaves, and what it was told. */
typedef struct ear {
    tn_stream s;
    tn_loop *loop;
    int peer;

    long use;          /* bytes used of each offer, ALL or so many at most */
    size_t use_all_at; /* uses nothing before so many are offered */
    int pause_at;      /* in the offer of that number */
    int hold_at;
    closing close_in;
    const char *answer; /* written twice in each offer */

    char seen[SEEN_MAX]; /* what was used */
    size_t seen_n;
    int offers, eofs, hangups, drains, closes, error;
    size_t offered, offered_most; /* in the last offer; at most */
    void *held;
    const char *held_at; /* where the offer lay that was held */
    size_t held_n;
} ear;

__attribute__((unused)) static ear *the_ear(tn_stream *s)
{
    return TN__OWNER(s, ear, s);
}

__attribute__((unused)) static size_t on_bytes(tn_stream *s, char *p, size_t n)
{
    ear *e = the_ear(s);
    e->offers++;
    e->offered = n;
    if (n > e->offered_most) e->offered_most = n;
    if (e->answer) {
        assert_int_equal(tn__stream_write(s, tn_z(e->answer)), TN_OK);
        assert_int_equal(tn__stream_write(s, tn_z(e->answer)), TN_OK);
    }
    if (e->offers == e->pause_at) tn__stream_pause(s);
    if (e->offers == e->hold_at) {
        e->held = tn__stream_hold(s);
        e->held_at = p;
        e->held_n = n;
    }
    size_t used = n < e->use_all_at ? 0 : e->use == ALL || (size_t)e->use > n ? n : (size_t)e->use;
    assert_true(e->seen_n + used <= SEEN_MAX);
    memcpy(e->seen + e->seen_n, p, used);
    e->seen_n += used;
    if (e->close_in == IN_BYTES) tn__stream_close(s, TN_ECANCELED);
    return used;
}

__attribute__((unused)) static void on_eof(tn_stream *s)
{
    the_ear(s)->eofs++;
    if (the_ear(s)->close_in == IN_EOF) tn__stream_close(s, 0);
}

__attribute__((unused)) static void on_hangup(tn_stream *s)
{
    the_ear(s)->hangups++;
    if (the_ear(s)->close_in == IN_HANGUP) tn__stream_close(s, 0);
}

__attribute__((unused)) static void on_drained(tn_stream *s)
{
    the_ear(s)->drains++;
    if (the_ear(s)->close_in == IN_DRAINED) tn__stream_close(s, 0);
}

__attribute__((unused)) static void on_closed(tn_stream *s, int error)
{
    the_ear(s)->closes++;
    the_ear(s)->error = error;
}

__attribute__((unused)) static const tn__stream_user user = {on_bytes, on_eof, on_hangup, NULL, on_drained, on_closed};

/* A stream on one end of a socket pair. Its user uses all it is offered. */
__attribute__((unused)) static ear *listen_to(tn_loop *loop, int fds[2])
{
    ear *e = calloc(1, sizeof *e);
    assert_non_null(e);
    e->loop = loop;
    e->peer = fds[1];
    e->use = ALL;
    assert_int_equal(tn__stream_open(&e->s, loop, fds[0], &user), TN_OK);
    return e;
}

__attribute__((unused)) static ear *listen_on_a_pair(tn_loop *loop)
{
    int fds[2];
    test_socketpair(fds);
    return listen_to(loop, fds);
}

/* The same over TCP, where a reset can be made. */
__attribute__((unused)) static ear *listen_on_tcp(tn_loop *loop)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fds[2], listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fds[1], (struct sockaddr *)&at, n), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    close(listener);
    return listen_to(loop, fds);
}

__attribute__((unused)) static void hang_up(ear *e)
{
    if (e->peer >= 0) close(e->peer);
    e->peer = -1;
}

__attribute__((unused)) static void reset(ear *e)
{
    struct linger at_once = {1, 0};
    assert_int_equal(setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    hang_up(e);
}

__attribute__((unused)) static void farewell(ear *e)
{
    tn__stream_done(&e->s);
    tn__free(e->held);
    hang_up(e);
    free(e);
}

__attribute__((unused)) static void say(ear *e, const char *text)
{
    assert_int_equal(send(e->peer, text, strlen(text), 0), strlen(text));
    test_turns(e->loop, 3);
}

#define assert_seen(e, text)                                                                                                       \
    do {                                                                                                                           \
        assert_int_equal((e)->seen_n, strlen(text));                                                                               \
        assert_memory_equal((e)->seen, (text), (e)->seen_n);                                                                       \
    } while (0)

/* What has come to the peer, as text. */
__attribute__((unused)) static const char *heard(ear *e)
{
    static char text[65536];
    ssize_t n = recv(e->peer, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = 0;
    return text;
}

/* Read `n` bytes of a known pattern at the peer, a piece each turn. */
__attribute__((unused)) static void hear_pattern(ear *e, size_t n)
{
    static char piece[32768];
    size_t got = 0;
    for (int turn = 0; got < n; turn++) {
        assert_true(turn < 100000);
        ssize_t more = recv(e->peer, piece, sizeof piece, MSG_DONTWAIT);
        for (ssize_t i = 0; i < more; i++) assert_int_equal((unsigned char)piece[i], (got + (size_t)i) * 7 % 251);
        if (more > 0) got += (size_t)more;
        test_turns(e->loop, 1);
    }
    assert_int_equal(got, n);
}

__attribute__((unused)) static char *pattern(size_t from, size_t n)
{
    char *p = tn__alloc(n);
    for (size_t i = 0; i < n; i++) p[i] = (char)((from + i) * 7 % 251);
    return p;
}

#endif
