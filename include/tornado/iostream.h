/*
 * Streams: bytes over a connection, read and written in straight lines. Tornado's iostream.
 *
 *     tn_str line;
 *     TN_TRY(tn_read_until(stream, "\n", &line, .max = 8192));
 *     TN_TRY(tn_stream_write(stream, line));
 *
 * A stream comes from tn_connect (tornado/tcpclient.h), from tn_tcp_serve (tornado/tcpserver.h), which frees it, or from
 * tn_stream_new. One read at a time may wait on a stream; any number of writes may, and nobody reads from a peer while no read
 * waits, so that TCP slows down a peer who is faster than the program.
 *
 * What a read gives is borrowed: it stays valid until the next read on the same stream, or until the stream is freed. It is not
 * followed by a NUL. What came before the peer closed, or the connection broke, can still be read afterwards.
 *
 * Every call that waits belongs in a coroutine (tornado/gen.h) and has a twin `_start` that returns a future. All can fail with
 * TN_ECANCELED and TN_ETIMEDOUT as tornado/gen.h tells, and lose no input by that. Loop thread only. All calls exist since 0.1.
 */
#ifndef TORNADO_IOSTREAM_H
#define TORNADO_IOSTREAM_H

#include "error.h"
#include "ioloop.h"
#include "netutil.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_stream tn_stream;
typedef struct tn_future tn_future;

typedef struct tn_stream_opts {
    tn_loop *loop;           /* positional */
    int fd;                  /* positional: a connected socket, or one end of a pipe */
    size_t read_buffer_max;  /* most that one read may collect; default 100 MiB */
    size_t write_buffer_max; /* most that may be unsent before another write is refused; default 100 MiB */
    double idle_timeout;     /* see tn_stream_set_idle_timeout */
    char end_;
} tn_stream_opts;

/*
 * Make a stream of a descriptor, which is made non-blocking and belongs to the stream from here on, even on failure.
 *
 *     tn_stream_new(&stream, loop, fd)
 *
 * Pipes work as sockets do, each end in its one direction. Gives the stream in `out`; free it with tn_stream_free. TN_ENOMEM, or
 * the system's error for what cannot be waited for, such as a file.
 */
#ifndef __cplusplus
#define tn_stream_new(out, ...) tn_stream_new_((out), &(tn_stream_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_stream_opts, end_))
#endif
TN_API int tn_stream_new_(tn_stream **out, const tn_stream_opts *opts, size_t opts_size);

/*
 * Two streams connected with each other: a Unix socket pair, for tests and for talking to a process of one's own. TN_ENOMEM or the
 * system's error, and then there is none.
 */
TN_API int tn_stream_pair(tn_loop *loop, tn_stream **one, tn_stream **other);

typedef struct tn_read_bytes_opts {
    size_t n;     /* positional: how many */
    tn_str *data; /* positional: where to put them */
    bool partial; /* be content with one byte, and take what there is, `n` at most */
    char end_;
} tn_read_bytes_opts;

/*
 * Read `n` bytes.
 *
 *     tn_read_bytes(stream, 4, &data)
 *     tn_read_bytes(stream, 65536, &data, .partial = true)
 *
 * TN_OK; TN_EOF when the peer closes first, and then what came can still be read; TN_ETOOBIG for more than the stream's limit;
 * TN_EBUSY while another read waits; TN_ECLOSED; TN_ETIMEDOUT; or the system's error, such as -ECONNRESET.
 */
#ifndef __cplusplus
#define tn_read_bytes(stream, ...)                                                                                                 \
    tn_read_bytes_((stream), &(tn_read_bytes_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_read_bytes_opts, end_))
#endif
TN_API int tn_read_bytes_(tn_stream *stream, const tn_read_bytes_opts *opts, size_t opts_size);
TN_API tn_future *tn_read_bytes_start(tn_stream *stream, size_t n, bool partial); /* tn_await_str */

typedef struct tn_read_into_opts {
    void *into;   /* positional */
    size_t n;     /* positional: bytes at `into`, 2 GiB at most */
    bool partial; /* be content with one byte, and take what there is, `n` at most */
    char end_;
} tn_read_into_opts;

/*
 * Read `n` bytes into memory of the caller, which lives until the read has ended. Returns how many; fails as tn_read_bytes does.
 *
 *     int n = tn_read_into(stream, buffer, sizeof buffer, .partial = true);
 */
#ifndef __cplusplus
#define tn_read_into(stream, ...)                                                                                                  \
    tn_read_into_((stream), &(tn_read_into_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_read_into_opts, end_))
#endif
TN_API int tn_read_into_(tn_stream *stream, const tn_read_into_opts *opts, size_t opts_size);
TN_API tn_future *tn_read_into_start(tn_stream *stream, void *into, size_t n, bool partial);

typedef struct tn_read_until_opts {
    tn_str *data; /* positional: where to put what was read */
    size_t max;   /* TN_ETOOBIG beyond so many bytes, the delimiter included; 0: the stream's limit */
    char end_;
} tn_read_until_opts;

/*
 * Read up to and with the first `delimiter`, a tn_str, a char * or a const char * that is not empty (TN_EINVAL).
 *
 *     tn_read_until(stream, "\r\n", &line, .max = 8192)
 *
 * TN_ETOOBIG when there is none within `max` bytes: nothing was taken then. Fails otherwise as tn_read_bytes does.
 */
#ifndef __cplusplus
#define tn_read_until(stream, delimiter, ...)                                                                                      \
    tn_read_until_((stream), TN_STR(delimiter), &(tn_read_until_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_read_until_opts, end_))
#endif
TN_API int tn_read_until_(tn_stream *stream, tn_str delimiter, const tn_read_until_opts *opts, size_t opts_size);
#define tn_read_until_start(stream, delimiter, max) tn_read_until_start_s((stream), TN_STR(delimiter), (max))
TN_API tn_future *tn_read_until_start_s(tn_stream *stream, tn_str delimiter, size_t max);

/*
 * Read up to the end of the first match of a regular expression (PCRE2's, without anchors to the end).
 *
 *     tn_read_until_regex(stream, "\r?\n\r?\n", &head, .max = 65536)
 *
 * TN_EPATTERN for a pattern that cannot be compiled, or whose search in what has come costs too much. TN_ETOOBIG and the others as
 * tn_read_until. The pattern is compiled at its first use in a row on this stream.
 */
#ifndef __cplusplus
#define tn_read_until_regex(stream, pattern, ...)                                                                                  \
    tn_read_until_regex_((stream), TN_STR(pattern), &(tn_read_until_opts){__VA_ARGS__, .end_ = 0},                                 \
                         offsetof(tn_read_until_opts, end_))
#endif
TN_API int tn_read_until_regex_(tn_stream *stream, tn_str pattern, const tn_read_until_opts *opts, size_t opts_size);
#define tn_read_until_regex_start(stream, pattern, max) tn_read_until_regex_start_s((stream), TN_STR(pattern), (max))
TN_API tn_future *tn_read_until_regex_start_s(tn_stream *stream, tn_str pattern, size_t max);

/*
 * Read all there is until the peer closes: Tornado's read_until_close. Nothing left is no error but an empty text.
 *
 *     tn_read_all(stream, &data, .max = 1 << 20)
 *
 * Fails as tn_read_until does, but not with TN_EOF. A connection that breaks is an error: what came can still be read.
 */
#ifndef __cplusplus
#define tn_read_all(stream, ...)                                                                                                   \
    tn_read_all_((stream), &(tn_read_until_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_read_until_opts, end_))
#endif
TN_API int tn_read_all_(tn_stream *stream, const tn_read_until_opts *opts, size_t opts_size);
TN_API tn_future *tn_read_all_start(tn_stream *stream, size_t max);

/*
 * Write. `data`: a tn_str, a char * or a const char *. It is copied, and leaves at the end of the loop's turn together with what
 * else is written until then; the call waits only while more than 64 KiB are unsent, which is the flow control. Writes of several
 * coroutines do not mix: each is queued whole, and is sent even if the waiting is cut short.
 *
 * TN_OK; TN_ECLOSED after tn_stream_close; TN_ETOOBIG when the stream's limit of unsent bytes would be exceeded; TN_ETIMEDOUT when
 * the peer takes nothing for the idle timeout; TN_ENOMEM; or the system's error, such as -EPIPE.
 */
#define tn_stream_write(stream, data) tn_stream_write_s((stream), TN_STR(data))
TN_API int tn_stream_write_s(tn_stream *stream, tn_str data);
#define tn_stream_write_start(stream, data) tn_stream_write_start_s((stream), TN_STR(data))
TN_API tn_future *tn_stream_write_start_s(tn_stream *stream, tn_str data);

/* Send now, and wait until the system has taken all that was written. Fails as tn_stream_write does. */
TN_API int tn_stream_flush(tn_stream *stream);
TN_API tn_future *tn_stream_flush_start(tn_stream *stream);

/* Say that nothing more will be written, after what was: the peer reads the end of its input. Reading goes on. */
TN_API void tn_stream_shutdown_write(tn_stream *stream);

/*
 * Call fn(arg) once the stream has come to its end: the peer has closed and everything before that was read, the connection is
 * broken, or tn_stream_close was called. NULL: nobody any more. Runs from the ready phase, and may free the stream.
 */
TN_API void tn_stream_set_close_callback(tn_stream *stream, tn_callback *fn, void *arg);

/*
 * How long the peer may keep a call waiting in one go, in seconds: a read to which nothing comes, and a write of which nothing
 * leaves, then ends with TN_ETIMEDOUT, and the stream goes on. 0, as at first: for ever. For a limit on the whole of something use
 * TN_TIMEOUT (tornado/gen.h).
 */
TN_API void tn_stream_set_idle_timeout(tn_stream *stream, double seconds);

/* Has the stream ended, whether closed here or broken? A peer that has closed its direction does not count. */
TN_API bool tn_stream_closed(const tn_stream *stream);

/* Why: 0 when it was closed here or is open, or the system's error. */
TN_API int tn_stream_error(const tn_stream *stream);

/* The addresses of the peer's end and of this end; TN_ECLOSED, or the system's error for what is no socket. */
TN_API int tn_stream_peer(const tn_stream *stream, tn_addr *addr);
TN_API int tn_stream_local(const tn_stream *stream, tn_addr *addr);

/* The descriptor, which stays the stream's; -1 when it is closed. */
TN_API int tn_stream_fd(const tn_stream *stream);

/*
 * Close. Calls that wait end with TN_ECLOSED, as will later ones; what was written and is unsent still leaves, for as long as the
 * peer goes on taking it, and is not destroyed by a reset because the peer was still sending: it gets two seconds to notice. May be
 * called at any time and again; the stream remains yours, and must be freed.
 */
TN_API void tn_stream_close(tn_stream *stream);

/* Close at once, dropping what is unsent. */
TN_API void tn_stream_abort(tn_stream *stream);

/* Close as tn_stream_close does, and give the stream back. The close callback is not called any more. NULL is fine. */
TN_API void tn_stream_free(tn_stream *stream);

#ifdef __cplusplus
} /* extern "C" */

/* C++: the options as a struct behind the other arguments. */
static inline int tn_stream_new(tn_stream **out, tn_loop *loop, int fd, tn_stream_opts opts = tn_stream_opts())
{
    opts.loop = loop;
    opts.fd = fd;
    return tn_stream_new_(out, &opts, offsetof(tn_stream_opts, end_));
}
static inline int tn_read_bytes(tn_stream *stream, size_t n, tn_str *data, bool partial = false)
{
    tn_read_bytes_opts opts = {n, data, partial, 0};
    return tn_read_bytes_(stream, &opts, offsetof(tn_read_bytes_opts, end_));
}
static inline int tn_read_into(tn_stream *stream, void *into, size_t n, bool partial = false)
{
    tn_read_into_opts opts = {into, n, partial, 0};
    return tn_read_into_(stream, &opts, offsetof(tn_read_into_opts, end_));
}
template <class Text> static inline int tn_read_until(tn_stream *stream, Text delimiter, tn_str *data, size_t max = 0)
{
    tn_read_until_opts opts = {data, max, 0};
    return tn_read_until_(stream, TN_STR(delimiter), &opts, offsetof(tn_read_until_opts, end_));
}
template <class Text> static inline int tn_read_until_regex(tn_stream *stream, Text pattern, tn_str *data, size_t max = 0)
{
    tn_read_until_opts opts = {data, max, 0};
    return tn_read_until_regex_(stream, TN_STR(pattern), &opts, offsetof(tn_read_until_opts, end_));
}
static inline int tn_read_all(tn_stream *stream, tn_str *data, size_t max = 0)
{
    tn_read_until_opts opts = {data, max, 0};
    return tn_read_all_(stream, &opts, offsetof(tn_read_until_opts, end_));
}
#endif

/* What a program that speaks some protocol wants besides. */
#include "gen.h"
#include "tcpclient.h"
#include "tcpserver.h"

#endif
