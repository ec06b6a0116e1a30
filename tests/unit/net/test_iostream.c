/*
 * Streams over real sockets, on each back-end: what is offered and what is kept, pausing, ends and resets, output that the system
 * does not take, and closing wherever one can.
 */
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

static ear *the_ear(tn_stream *s)
{
    return TN__OWNER(s, ear, s);
}

static size_t on_bytes(tn_stream *s, char *p, size_t n)
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

static void on_eof(tn_stream *s)
{
    the_ear(s)->eofs++;
    if (the_ear(s)->close_in == IN_EOF) tn__stream_close(s, 0);
}

static void on_hangup(tn_stream *s)
{
    the_ear(s)->hangups++;
    if (the_ear(s)->close_in == IN_HANGUP) tn__stream_close(s, 0);
}

static void on_drained(tn_stream *s)
{
    the_ear(s)->drains++;
    if (the_ear(s)->close_in == IN_DRAINED) tn__stream_close(s, 0);
}

static void on_closed(tn_stream *s, int error)
{
    the_ear(s)->closes++;
    the_ear(s)->error = error;
}

static const tn__stream_user user = {on_bytes, on_eof, on_hangup, NULL, on_drained, on_closed};

/* A stream on one end of a socket pair. Its user uses all it is offered. */
static ear *listen_to(tn_loop *loop, int fds[2])
{
    ear *e = calloc(1, sizeof *e);
    assert_non_null(e);
    e->loop = loop;
    e->peer = fds[1];
    e->use = ALL;
    assert_int_equal(tn__stream_open(&e->s, loop, fds[0], &user), TN_OK);
    return e;
}

static ear *listen_on_a_pair(tn_loop *loop)
{
    int fds[2];
    test_socketpair(fds);
    return listen_to(loop, fds);
}

/* The same over TCP, where a reset can be made. */
static ear *listen_on_tcp(tn_loop *loop)
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

static void hang_up(ear *e)
{
    if (e->peer >= 0) close(e->peer);
    e->peer = -1;
}

static void reset(ear *e)
{
    struct linger at_once = {1, 0};
    assert_int_equal(setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    hang_up(e);
}

static void farewell(ear *e)
{
    tn__stream_done(&e->s);
    tn__free(e->held);
    hang_up(e);
    free(e);
}

static void say(ear *e, const char *text)
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
static const char *heard(ear *e)
{
    static char text[65536];
    ssize_t n = recv(e->peer, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = 0;
    return text;
}

LOOP_TEST(stream, offers_what_comes_and_keeps_nothing_of_what_was_used)
{
    ear *e = listen_on_a_pair(loop);
    say(e, "hello");
    assert_seen(e, "hello");
    assert_int_equal(e->offers, 1);
    assert_int_equal(tn__stream_kept(&e->s), 0);
    assert_null(e->s.kept.p);
    farewell(e);
}

LOOP_TEST(stream, offers_in_place_in_the_buffer_of_the_loop)
{
    ear *e = listen_on_a_pair(loop);
    e->hold_at = 1;
    const char *buffer = loop->recv_buf;
    say(e, "hello");
    assert_ptr_equal(e->held_at, buffer);
    farewell(e);
}

LOOP_TEST(stream, keeps_what_was_not_used_and_offers_it_together_with_what_comes_next)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 2;
    say(e, "hello");
    assert_seen(e, "he");
    assert_int_equal(tn__stream_kept(&e->s), 3);
    e->use = ALL;
    say(e, " world");
    assert_seen(e, "hello world");
    assert_int_equal(e->offered, 9);
    assert_null(e->s.kept.p);
    farewell(e);
}

LOOP_TEST(stream, offers_everything_again_as_long_as_nothing_is_used)
{
    ear *e = listen_on_a_pair(loop);
    e->use_all_at = 3;
    say(e, "a");
    say(e, "b");
    assert_int_equal(e->offered, 2);
    say(e, "c");
    assert_seen(e, "abc");
    assert_int_equal(e->offers, 3);
    farewell(e);
}

LOOP_TEST(stream, does_not_offer_kept_bytes_again_before_more_has_come)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 1;
    say(e, "hello");
    test_turns(loop, 5);
    assert_int_equal(e->offers, 1);
    farewell(e);
}

LOOP_TEST(stream, reads_a_large_tail_behind_the_kept_one)
{
    ear *e = listen_on_a_pair(loop);
    enum { MUCH = 300000 };
    char *much = malloc(MUCH);
    for (int i = 0; i < MUCH; i++) much[i] = (char)(i * 31);
    e->use_all_at = MUCH;
    for (int sent = 0, turn = 0; sent < MUCH || e->seen_n < MUCH; turn++) {
        assert_true(turn < 1000);
        ssize_t n = send(e->peer, much + sent, (size_t)(MUCH - sent), MSG_DONTWAIT);
        if (n > 0) sent += (int)n;
        test_turns(loop, 1);
    }
    assert_int_equal(e->seen_n, MUCH);
    assert_memory_equal(e->seen, much, MUCH);
    free(much);
    farewell(e);
}

LOOP_TEST(stream, reads_one_buffer_at_a_time_so_that_others_have_their_turn)
{
    ear *e = listen_on_tcp(loop), *other = listen_on_a_pair(loop);
    enum { MUCH = 4 * TN__RECV_BYTES };
    char *much = calloc(1, MUCH);
    int room = 2 * MUCH;
    setsockopt(e->s.io.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    size_t sent = 0;
    for (int tries = 0; sent < MUCH && tries < 100; tries++) {
        ssize_t n = send(e->peer, much + sent, MUCH - sent, MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
    }
    assert_int_equal(send(other->peer, "x", 1, 0), 1);
    test_turns(loop, 1);
    assert_int_equal(other->seen_n, 1);
    assert_true(e->seen_n <= 2 * TN__RECV_BYTES); /* one at its event, one in the ready phase */
    for (int turn = 0; e->seen_n < sent && turn < 1000; turn++) test_turns(loop, 1);
    assert_int_equal(e->seen_n, sent);
    assert_true(e->offered_most <= TN__RECV_BYTES);
    free(much);
    farewell(e);
    farewell(other);
}

LOOP_TEST(stream, paused_offers_nothing_and_resumes_from_the_ready_list)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    say(e, "hello");
    assert_int_equal(e->offers, 0);
    tn__stream_resume(&e->s);
    assert_int_equal(e->offers, 0);
    test_turns(loop, 2);
    assert_seen(e, "hello");
    farewell(e);
}

LOOP_TEST(stream, paused_in_an_offer_keeps_the_rest_and_offers_it_first)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 3;
    e->pause_at = 1;
    say(e, "onetwo");
    say(e, "six");
    assert_seen(e, "one");
    assert_int_equal(e->offers, 1);
    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_seen(e, "onetwosix");
    assert_int_equal(e->offers, 3); /* the rest, and then what had come meanwhile */
    farewell(e);
}

LOOP_TEST(stream, paused_and_resumed_at_once_goes_on)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    tn__stream_resume(&e->s);
    tn__stream_resume(&e->s);
    say(e, "hello");
    assert_seen(e, "hello");
    farewell(e);
}

LOOP_TEST(stream, resumed_and_paused_again_offers_nothing)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    say(e, "hello");
    tn__stream_resume(&e->s);
    tn__stream_pause(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->offers, 0);
    farewell(e);
}

LOOP_TEST(stream, tells_of_the_end_once_and_after_all_that_came_before)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(send(e->peer, "last words", 10, 0), 10);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_seen(e, "last words");
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->hangups, 0);
    assert_int_equal(e->closes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("still here")), TN_OK);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "still here");
    farewell(e);
}

LOOP_TEST(stream, tells_of_the_end_though_something_is_left_over)
{
    ear *e = listen_on_a_pair(loop);
    e->use = NEVER;
    say(e, "half a req");
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(tn__stream_kept(&e->s), 10);
    farewell(e);
}

LOOP_TEST(stream, paused_tells_of_the_end_only_when_it_has_gone_on)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 3;
    assert_int_equal(send(e->peer, "onetwo", 6, 0), 6);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 0);
    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 3);
    assert_seen(e, "onetwo");
    assert_int_equal(e->eofs, 1);
    farewell(e);
}

LOOP_TEST(stream, paused_notices_that_the_peer_hangs_up)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    say(e, "hello");
    assert_int_equal(e->hangups, 0);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    assert_int_equal(e->eofs, 0);
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    farewell(e);
}

LOOP_TEST(stream, paused_notices_a_peer_that_hung_up_right_behind_its_bytes)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    assert_int_equal(send(e->peer, "hello", 5, 0), 5);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_seen(e, "hello");
    assert_int_equal(e->hangups, 1);
    farewell(e);
}

LOOP_TEST(stream, tells_of_a_peer_that_hung_up_at_each_pause)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 3;
    assert_int_equal(send(e->peer, "onetwo", 6, 0), 6);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    e->pause_at = 2;
    tn__stream_resume(&e->s);
    test_turns(loop, 5);
    assert_seen(e, "onetwo");
    assert_int_equal(e->hangups, 2);
    assert_int_equal(e->eofs, 0);
    farewell(e);
}

LOOP_TEST(stream, reset_by_the_peer_closes_with_the_reason)
{
    ear *e = listen_on_tcp(loop);
    say(e, "hello");
    reset(e);
    test_turns(loop, 5);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -ECONNRESET);
    assert_int_equal(e->eofs, 0);
    farewell(e);
}

LOOP_TEST(stream, reset_by_the_peer_while_paused_closes_too)
{
    ear *e = listen_on_tcp(loop);
    e->pause_at = 1;
    say(e, "hello");
    reset(e);
    test_turns(loop, 5);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -ECONNRESET);
    farewell(e);
}

LOOP_TEST(stream, sends_what_an_offer_answered_in_one_piece_when_the_offer_is_over)
{
    ear *e = listen_on_a_pair(loop);
    e->answer = "ding";
    assert_int_equal(send(e->peer, "x", 1, 0), 1);
    tn_loop_turn(loop, 0);
    assert_string_equal(heard(e), "dingding");
    farewell(e);
}

LOOP_TEST(stream, sends_what_was_written_elsewhere_at_the_end_of_the_turn)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("one")), TN_OK);
    assert_int_equal(tn__stream_write(&e->s, TN_S("")), TN_OK);
    assert_int_equal(tn__stream_write(&e->s, TN_S("two")), TN_OK);
    assert_string_equal(heard(e), "");
    assert_int_equal(e->s.out_bytes, 6);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "onetwo");
    assert_int_equal(e->s.out_bytes, 0);
    assert_null(e->s.first);
    assert_int_equal(e->drains, 0); /* nothing ever waited */
    farewell(e);
}

LOOP_TEST(stream, flushed_sends_at_once)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("now")), TN_OK);
    tn__stream_flush(&e->s);
    assert_string_equal(heard(e), "now");
    farewell(e);
}

/* Read `n` bytes of a known pattern at the peer, a piece each turn. */
static void hear_pattern(ear *e, size_t n)
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

static char *pattern(size_t from, size_t n)
{
    char *p = tn__alloc(n);
    for (size_t i = 0; i < n; i++) p[i] = (char)((from + i) * 7 % 251);
    return p;
}

LOOP_TEST(stream, keeps_what_the_system_does_not_take_and_tells_when_all_has_gone)
{
    ear *e = listen_on_a_pair(loop);
    enum { MUCH = 3000000 };
    char *much = pattern(0, MUCH);
    assert_int_equal(tn__stream_write(&e->s, tn_str_of(much, MUCH)), TN_OK);
    test_turns(loop, 3);
    assert_true(e->s.out_bytes > 0 && e->s.out_bytes < MUCH);
    assert_int_equal(e->drains, 0);
    hear_pattern(e, MUCH);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(e->drains, 1);
    tn__free(much);
    farewell(e);
}

LOOP_TEST(stream, sends_memory_that_it_has_taken_in_order_with_what_was_copied)
{
    ear *e = listen_on_a_pair(loop);
    enum { PIECES = 100, LEN = 20000 };
    for (size_t i = 0; i < PIECES; i++) {
        tn_buf piece = {.p = pattern(i * LEN, LEN), .n = LEN, .cap = LEN};
        if (i % 3 == 2) {
            assert_int_equal(tn__stream_write(&e->s, tn__buf_str(&piece)), TN_OK);
            tn__buf_done(&piece);
        } else {
            assert_int_equal(tn__stream_write_take(&e->s, &piece), TN_OK);
            assert_null(piece.p);
        }
    }
    assert_int_equal(e->s.out_bytes, PIECES * LEN);
    hear_pattern(e, PIECES * LEN);
    assert_int_equal(e->drains, 1);
    farewell(e);
}

LOOP_TEST(stream, sends_more_pieces_than_the_system_takes_at_once)
{
    ear *e = listen_on_a_pair(loop);
    enum { PIECES = 100, LEN = 10 };
    for (size_t i = 0; i < PIECES; i++) {
        tn_buf piece = {.p = pattern(i * LEN, LEN), .n = LEN, .cap = LEN};
        assert_int_equal(tn__stream_write_take(&e->s, &piece), TN_OK);
    }
    test_turns(loop, 1);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(e->drains, 0);
    hear_pattern(e, PIECES * LEN);
    farewell(e);
}

LOOP_TEST(stream, that_takes_an_empty_buffer_frees_it_and_sends_nothing)
{
    ear *e = listen_on_a_pair(loop);
    tn_buf empty = {.p = tn__alloc(10), .cap = 10};
    assert_int_equal(tn__stream_write_take(&e->s, &empty), TN_OK);
    assert_null(empty.p);
    assert_null(e->s.first);
    farewell(e);
}

LOOP_TEST(stream, room_that_was_reserved_and_not_used_is_not_sent)
{
    ear *e = listen_on_a_pair(loop);
    assert_non_null(tn__stream_reserve(&e->s, 100));
    assert_non_null(tn__stream_reserve(&e->s, 100000)); /* a second block; the first one stays empty */
    test_turns(loop, 1);
    char *out = tn__stream_reserve(&e->s, 2);
    memcpy(out, "hi", 2);
    tn__stream_commit(&e->s, 2);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "hi");
    assert_null(e->s.first);
    farewell(e);
}

LOOP_TEST(stream, whose_peer_is_gone_closes_when_it_writes)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_pause(&e->s);
    hang_up(e);
    assert_int_equal(tn__stream_write(&e->s, TN_S("too late")), TN_OK);
    tn__stream_flush(&e->s);
    assert_true(e->s.closed);
    assert_int_equal(e->closes, 0);
    test_turns(loop, 2);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, -EPIPE);
    farewell(e);
}

LOOP_TEST(stream, shut_down_for_writing_still_reads)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_shutdown_write(&e->s);
    char c;
    assert_int_equal(recv(e->peer, &c, 1, 0), 0);
    say(e, "more");
    assert_seen(e, "more");
    farewell(e);
}

LOOP_TEST(stream, closed_says_so_once_from_the_ready_list_and_takes_nothing_more)
{
    ear *e = listen_on_a_pair(loop);
    assert_int_equal(tn__stream_write(&e->s, TN_S("never sent")), TN_OK);
    tn__stream_close(&e->s, TN_ECANCELED);
    tn__stream_close(&e->s, TN_ENOMEM);
    assert_int_equal(e->closes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("x")), TN_ECLOSED);
    tn_buf buf = {0};
    assert_int_equal(tn__buf_add(&buf, "x", 1), TN_OK);
    assert_int_equal(tn__stream_write_take(&e->s, &buf), TN_ECLOSED);
    assert_int_equal(buf.n, 1);
    tn__buf_done(&buf);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, TN_ECANCELED);
    assert_string_equal(heard(e), "");
    assert_int_equal(recv(e->peer, &buf, 1, 0), 0);
    farewell(e);
}

LOOP_TEST(stream, closed_ignores_pause_resume_flush_and_shutdown)
{
    ear *e = listen_on_a_pair(loop);
    tn__stream_close(&e->s, 0);
    tn__stream_pause(&e->s);
    tn__stream_resume(&e->s);
    tn__stream_flush(&e->s);
    tn__stream_shutdown_write(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->offers, 0);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_inside_an_offer)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_BYTES;
    e->use = 1;
    e->answer = "never sent";
    assert_int_equal(send(e->peer, "hello", 5, 0), 5);
    shutdown(e->peer, SHUT_WR);
    test_turns(loop, 5);
    assert_int_equal(e->offers, 1);
    assert_int_equal(e->eofs, 0);
    assert_int_equal(e->closes, 1);
    assert_string_equal(heard(e), "");
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_inside_the_offer_of_what_was_kept)
{
    ear *e = listen_on_a_pair(loop);
    e->pause_at = 1;
    e->use = 1;
    say(e, "hello");
    e->close_in = IN_BYTES;
    tn__stream_resume(&e->s);
    test_turns(loop, 3);
    assert_seen(e, "he");
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_of_the_end)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_EOF;
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->eofs, 1);
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_that_the_peer_hung_up)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_HANGUP;
    tn__stream_pause(&e->s);
    hang_up(e);
    test_turns(loop, 5);
    assert_int_equal(e->hangups, 1);
    assert_int_equal(e->closes, 1);
    farewell(e);
}

LOOP_TEST(stream, may_be_closed_when_told_that_all_was_sent)
{
    ear *e = listen_on_a_pair(loop);
    e->close_in = IN_DRAINED;
    enum { MUCH = 1000000 };
    char *much = pattern(0, MUCH);
    assert_int_equal(tn__stream_write(&e->s, tn_str_of(much, MUCH)), TN_OK);
    hear_pattern(e, MUCH);
    test_turns(loop, 2);
    assert_int_equal(e->drains, 1);
    assert_int_equal(e->closes, 1);
    tn__free(much);
    farewell(e);
}

LOOP_TEST(stream, done_frees_everything_and_calls_nobody)
{
    ear *e = listen_on_a_pair(loop);
    e->use = NEVER;
    say(e, "kept");
    assert_int_equal(tn__stream_write(&e->s, TN_S("never sent")), TN_OK);
    tn__stream_close(&e->s, 0);
    tn__stream_done(&e->s);
    tn__stream_done(&e->s);
    test_turns(loop, 3);
    assert_int_equal(e->closes, 0);
    assert_null(e->s.first);
    assert_null(e->s.kept.p);
    farewell(e);
}

static void free_owner(tn_stream *s, int error)
{
    (void)error;
    close(the_ear(s)->peer);
    free(the_ear(s));
}

LOOP_TEST(stream, owner_may_free_itself_when_told_of_the_close)
{
    static const tn__stream_user freeing = {.bytes = on_bytes, .eof = on_eof, .closed = free_owner};
    ear *e = listen_on_a_pair(loop);
    e->s.user = &freeing;
    tn__stream_close(&e->s, 0);
    test_turns(loop, 3); /* the address sanitizer watches */
}

LOOP_TEST(stream, held_buffer_stays_as_it_was_while_others_read)
{
    ear *e = listen_on_a_pair(loop), *other = listen_on_a_pair(loop);
    e->hold_at = 1;
    say(e, "hello");
    say(other, "XXXXX");
    assert_non_null(e->held);
    assert_ptr_not_equal(e->held, loop->recv_buf);
    assert_memory_equal(e->held_at, "hello", 5);
    farewell(e);
    farewell(other);
}

LOOP_TEST(stream, holding_a_buffer_loses_nothing_of_what_was_not_used)
{
    ear *e = listen_on_a_pair(loop);
    e->hold_at = 1;
    e->pause_at = 1;
    e->use = 3;
    say(e, "onetwosix");
    assert_memory_equal(e->held_at, "onetwosix", 9);
    tn__free(e->held);

    e->hold_at = 2; /* now it is the kept tail that is held */
    e->pause_at = 2;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_int_equal(e->held_n, 6);
    assert_memory_equal(e->held_at, "twosix", 6);
    assert_int_equal(tn__stream_kept(&e->s), 3);

    e->use = ALL;
    tn__stream_resume(&e->s);
    test_turns(loop, 2);
    assert_seen(e, "onetwosix");
    farewell(e);
}

LOOP_TEST(stream, offered_nothing_has_nothing_to_hold)
{
    ear *e = listen_on_a_pair(loop);
    assert_null(tn__stream_hold(&e->s));
    farewell(e);
}

LOOP_TEST(stream, without_memory_for_the_rest_closes)
{
    ear *e = listen_on_a_pair(loop);
    e->use = 1;
    tn__alloc_fail_after(0, false);
    say(e, "hello");
    tn__alloc_fail_after(-1, false);
    assert_int_equal(e->closes, 1);
    assert_int_equal(e->error, TN_ENOMEM);
    farewell(e);
}

LOOP_TEST(stream, without_memory_for_output_says_so_and_stays_open)
{
    ear *e = listen_on_a_pair(loop);
    tn__alloc_fail_after(0, true);
    int result = tn__stream_write(&e->s, TN_S("x"));
    tn_buf buf = {.p = malloc(1), .n = 1, .cap = 1};
    int taken = tn__stream_write_take(&e->s, &buf);
    tn__alloc_fail_after(-1, false);
    assert_int_equal(result, TN_ENOMEM);
    assert_int_equal(taken, TN_ENOMEM);
    assert_int_equal(buf.n, 1);
    free(buf.p);
    assert_int_equal(e->s.out_bytes, 0);
    assert_int_equal(tn__stream_write(&e->s, TN_S("y")), TN_OK);
    test_turns(loop, 1);
    assert_string_equal(heard(e), "y");
    farewell(e);
}

LOOP_TEST(stream, without_memory_to_hold_a_buffer_leaves_it_to_the_loop)
{
    ear *e = listen_on_a_pair(loop);
    const char *buffer = loop->recv_buf;
    e->hold_at = 1;
    tn__alloc_fail_after(0, false);
    say(e, "hello");
    tn__alloc_fail_after(-1, false);
    assert_null(e->held);
    assert_ptr_equal(loop->recv_buf, buffer);
    assert_seen(e, "hello");
    farewell(e);
}

TEST(stream, that_cannot_be_opened_closes_the_descriptor)
{
    tn_loop *loop = NULL;
    assert_int_equal(tn_loop_new(&loop, "epoll"), TN_OK);
    FILE *file = tmpfile(); /* which epoll does not watch */
    int fd = dup(fileno(file));
    tn_stream s;
    assert_int_equal(tn__stream_open(&s, loop, fd, &user), -EPERM);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(tn__stream_write(&s, TN_S("x")), TN_ECLOSED);
    tn__stream_done(&s);
    fclose(file);
    tn_loop_free(loop);
}
