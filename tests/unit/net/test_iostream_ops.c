/* Streams whose input is asked for, as the engine sees them: operations, buffers, ends. */
#include "core/core_test.h"

#include "net/iostream_ops.h"
#include "net/socket.h"

/* A stream, the other end as a plain descriptor, and an operation with its result. */
typedef struct fixture {
    tn_loop *loop;
    tn__iostream *io;
    int peer;
    tn__op op;
    int result;
    bool ended;
    tn_str data;
    tn__read read;
    tn__writer writer;
} fixture;

static void on_done(tn_loop *loop, tn__op *op, int result)
{
    fixture *f = TN__OWNER(op, fixture, op);
    (void)loop;
    assert_false(f->ended);
    f->ended = true;
    f->result = result;
}

static void set_up(fixture *f, tn_loop *loop)
{
    int fds[2], error;
    *f = (fixture){.loop = loop, .result = 12345};
    assert_int_equal(tn__socket_pair(fds), 0);
    f->io = tn__iostream_new(loop, fds[0], NULL, &error);
    assert_non_null(f->io);
    f->peer = fds[1];
    tn__op_init(&f->op, on_done);
}

static void tear_down(fixture *f)
{
    tn__iostream_free(f->io);
    if (f->peer >= 0) close(f->peer);
}

static int begin_read(fixture *f, tn__read read)
{
    f->read = read;
    f->read.out = &f->data;
    f->ended = false;
    return tn__iostream_read(f->io, &f->read, &f->op);
}

static void peer_sends(const fixture *f, const char *bytes, size_t n)
{
    assert_int_equal(send(f->peer, bytes, n, MSG_NOSIGNAL), n);
}

LOOP_TEST(iostream_ops, end_a_read_from_the_ready_list_and_not_inside_a_call)
{
    fixture f;
    set_up(&f, loop);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_UNTIL, .delim = TN_S("\n")}), TN__PENDING);
    peer_sends(&f, "line\nnext\n", 10);
    test_turns(loop, 3);
    assert_true(f.ended);
    assert_int_equal(f.result, TN_OK);
    assert_str(f.data, "line\n");
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_UNTIL, .delim = TN_S("\n")}), TN_OK); /* it was there */
    assert_str(f.data, "next\n");
    tear_down(&f);
}

LOOP_TEST(iostream_ops, take_over_a_well_filled_buffer_instead_of_copying_it)
{
    enum { N = 40000 };
    fixture f;
    char *bytes = calloc(1, N), *buffer = loop->recv_buf;
    set_up(&f, loop);
    peer_sends(&f, bytes, N);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = N}), TN__PENDING);
    test_turns(loop, 3);
    assert_int_equal(f.result, TN_OK);
    assert_int_equal(f.data.n, N);
    assert_ptr_equal(f.data.p, buffer);
    assert_ptr_not_equal(loop->recv_buf, buffer);
    tear_down(&f);
    free(bytes);
}

LOOP_TEST(iostream_ops, hold_no_large_buffer_between_reads)
{
    enum { N = 40000 };
    fixture f;
    char *bytes = calloc(1, N);
    set_up(&f, loop);
    peer_sends(&f, bytes, N);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = N}), TN__PENDING);
    test_turns(loop, 3);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 1}), TN__PENDING);
    assert_null(f.io->in.p);
    tear_down(&f);
    test_turns(loop, 1);
    assert_int_equal(f.result, TN_ECLOSED);
    free(bytes);
}

LOOP_TEST(iostream_ops, receive_much_where_the_caller_wants_it)
{
    enum { N = 100000 };
    fixture f;
    char *bytes = malloc(N), *into = calloc(1, N);
    size_t sent = 0;
    set_up(&f, loop);
    for (size_t i = 0; i < N; i++) bytes[i] = (char)(i % 251);
    peer_sends(&f, bytes, 100);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_INTO, .into = into, .n = N - 10}), TN__PENDING);
    test_turns(loop, 2);
    assert_ptr_equal(f.io->stream.direct, into + 100);
    for (sent = 100; sent < N; test_turns(loop, 1)) {
        ssize_t n = send(f.peer, bytes + sent, N - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
    }
    test_turns(loop, 3);
    assert_int_equal(f.result, N - 10);
    assert_memory_equal(into, bytes, N - 10);
    assert_null(f.io->stream.direct);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 10}) < 0, 0);
    test_turns(loop, 3);
    assert_memory_equal(f.data.p, bytes + N - 10, 10);
    tear_down(&f);
    free(bytes);
    free(into);
}

LOOP_TEST(iostream_ops, stop_the_peer_while_nobody_reads)
{
    enum { N = 1 << 20 };
    fixture f;
    char *bytes = calloc(1, N);
    ssize_t sent, all = 0;
    set_up(&f, loop);
    for (int i = 0; i < 50; i++) {
        while ((sent = send(f.peer, bytes, N, MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) all += sent;
        test_turns(loop, 1);
    }
    assert_true(all < N); /* no more than the system holds */
    assert_int_equal(f.io->in.n + tn__stream_kept(&f.io->stream), 0);
    tear_down(&f);
    free(bytes);
}

LOOP_TEST(iostream_ops, forget_a_read_that_is_cancelled)
{
    fixture f;
    set_up(&f, loop);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 4}), TN__PENDING);
    peer_sends(&f, "ab", 2);
    test_turns(loop, 2);
    tn__op_cancel(&f.op);
    peer_sends(&f, "cd", 2);
    test_turns(loop, 2);
    assert_false(f.ended);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 4}), TN__PENDING);
    test_turns(loop, 2);
    assert_str(f.data, "abcd");
    tear_down(&f);
}

LOOP_TEST(iostream_ops, give_out_what_came_wherever_the_connection_is_cut)
{
    static const char text[] = "one\ntwo\nthree\n";
    static const size_t line_ends[] = {0, 4, 8, 14};
    static const int lines_within[] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3};
    for (size_t cut = 0; cut < sizeof text; cut++) {
        fixture f;
        int lines = 0, result;
        set_up(&f, loop);
        if (cut) peer_sends(&f, text, cut);
        close(f.peer);
        f.peer = -1;
        for (;; lines++) {
            result = begin_read(&f, (tn__read){.kind = TN__READ_UNTIL, .delim = TN_S("\n")});
            if (result == TN__PENDING) test_turns(loop, 4);
            if (result == TN__PENDING) result = f.result;
            if (result != TN_OK) break;
        }
        assert_int_equal(result, TN_EOF);
        assert_int_equal(lines, lines_within[cut]);
        assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_ALL}), TN_OK);
        assert_int_equal(f.data.n, cut - line_ends[lines]);
        tear_down(&f);
    }
}

LOOP_TEST(iostream_ops, tell_a_reset_as_the_system_does)
{
    fixture f;
    set_up(&f, loop);
    assert_int_equal(tn__iostream_write(f.io, TN_S("never read"), &f.writer, &f.op), TN_OK);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 1}), TN__PENDING);
    test_turns(loop, 2);
    close(f.peer); /* with unread bytes: a reset */
    f.peer = -1;
    test_turns(loop, 3);
    assert_int_equal(f.result, -ECONNRESET);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 1}), -ECONNRESET);
    assert_int_equal(tn__iostream_write(f.io, TN_S("x"), &f.writer, &f.op), -ECONNRESET);
    tear_down(&f);
}

static void count(void *arg)
{
    ++*(int *)arg;
}

LOOP_TEST(iostream_ops, rest_while_unread_bytes_stand_before_the_end)
{
    fixture f;
    int told = 0;
    set_up(&f, loop);
    tn__iostream_on_close(f.io, count, &told);
    peer_sends(&f, "unread", 6);
    close(f.peer);
    f.peer = -1;
    test_turns(loop, 5);
    assert_true(tn_loop_backend_timeout(loop) != 0); /* nothing is left to do */
    assert_int_equal(told, 0);
    if (begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 6}) == TN__PENDING) test_turns(loop, 5);
    assert_str(f.data, "unread");
    test_turns(loop, 5);
    assert_int_equal(told, 1);
    assert_int_equal(begin_read(&f, (tn__read){.kind = TN__READ_BYTES, .n = 1}), TN_EOF);
    test_turns(loop, 5);
    assert_int_equal(told, 1);
    assert_true(tn_loop_backend_timeout(loop) != 0);
    tear_down(&f);
}

LOOP_TEST(iostream_ops, send_what_is_left_after_the_stream_was_freed)
{
    enum { N = 1 << 20 };
    fixture f;
    char *bytes = calloc(1, N), *got = malloc(N);
    ssize_t n = 1;
    size_t all = 0;
    set_up(&f, loop);
    assert_int_equal(tn__iostream_write(f.io, tn_str_of(bytes, N), &f.writer, &f.op), TN__PENDING);
    tn__iostream_free(f.io);
    f.io = NULL;
    while (n > 0) {
        test_turns(loop, 1);
        n = recv(f.peer, got, N, MSG_DONTWAIT);
        if (n > 0) all += (size_t)n;
    }
    assert_int_equal(n, 0); /* and then it was closed */
    assert_int_equal(all, N);
    assert_int_equal(f.result, TN_ECLOSED);
    tear_down(&f);
    free(bytes);
    free(got);
}

LOOP_TEST(iostream_ops, give_up_sending_to_a_peer_who_takes_nothing_more)
{
    enum { N = 1 << 20 };
    fixture f;
    char *bytes = calloc(1, N), byte;
    set_up(&f, loop);
    tn_loop_set_clock(loop, test_clock, NULL);
    assert_int_equal(tn__iostream_write(f.io, tn_str_of(bytes, N), &f.writer, &f.op), TN__PENDING);
    tn__iostream_free(f.io);
    f.io = NULL;
    for (int i = 0; i < 4; i++) {
        test_now_ns += 20000000000;
        test_turns(loop, 3);
    }
    while (recv(f.peer, bytes, N, MSG_DONTWAIT) > 0) continue;
    assert_int_equal(recv(f.peer, &byte, 1, MSG_DONTWAIT), 0);
    tear_down(&f);
    free(bytes);
}
