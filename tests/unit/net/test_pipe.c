/* Streams over pipes, and the signal that pipes raise. */
#include <signal.h>

#include "core/core_test.h"

#include "net/iostream_ops.h"
#include "net/pipe.h"
#include "net/socket.h"

static tn__iostream *stream_of(tn_loop *loop, int fd)
{
    int error;
    assert_int_equal(tn__socket_adopt(fd), 0);
    tn__iostream *io = tn__iostream_new(loop, fd, tn__transport_for(fd), &error);
    assert_non_null(io);
    return io;
}

TEST(pipe, is_told_from_a_socket)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_ptr_equal(tn__transport_for(fds[0]), &tn__pipe_transport);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(tn__socket_pair(fds), 0);
    assert_null(tn__transport_for(fds[0]));
    close(fds[0]);
    close(fds[1]);
}

static void ignore_op(tn_loop *loop, tn__op *op, int result)
{
    (void)loop, (void)op, (void)result;
}

static int signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

/* Write to a pipe that nobody reads; what the stream says of it. */
static int write_into_the_void(tn_loop *loop)
{
    int fds[2];
    tn__writer w;
    tn__op op;
    assert_int_equal(pipe(fds), 0);
    tn__iostream *io = stream_of(loop, fds[1]);
    close(fds[0]);
    tn__op_init(&op, ignore_op);
    assert_int_equal(tn__iostream_write(io, TN_S("x"), &w, &op), TN_OK);
    tn__stream_flush(&io->stream);
    int error = io->stream.error;
    tn__iostream_free(io);
    return error;
}

LOOP_TEST(pipe, that_nobody_reads_is_an_error_and_no_signal)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigaction(SIGPIPE, &action, &before);
    signals = 0;
    assert_int_equal(write_into_the_void(loop), -EPIPE);
    assert_int_equal(signals, 0);
    sigaction(SIGPIPE, &before, NULL);
}

LOOP_TEST(pipe, leaves_a_signal_alone_that_was_waiting_already)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigset_t pipe_signal, mask;
    sigaction(SIGPIPE, &action, &before);
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, &mask);
    signals = 0;
    raise(SIGPIPE);
    assert_int_equal(write_into_the_void(loop), -EPIPE);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    assert_int_equal(signals, 1);
    sigaction(SIGPIPE, &before, NULL);
}
