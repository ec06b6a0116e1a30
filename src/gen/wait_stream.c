/*
 * The calls of tornado/iostream.h: streams in coroutines and as futures, over net/iostream_ops.h. Each waiting call prepares a read
 * on the stack of its coroutine, each twin one in the room of its future.
 */
#include "future.h"
#include "net/iostream_ops.h"
#include "net/pipe.h"
#include "net/socket.h"
#include "stream_match.h"
#include "task.h"
#include "tornado/iostream.h"

/* -- Making -- */

int tn_stream_new_(tn_stream **out, const tn_stream_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    tn__loop_check_thread(opts->loop, "tn_stream_new");
    TN_TRY(tn__socket_adopt(opts->fd));
    int error;
    tn__iostream *io = tn__iostream_new(opts->loop, opts->fd, tn__transport_for(opts->fd), &error);
    if (!io) return error;
    tn__stream_limits limits = {opts->read_buffer_max, opts->write_buffer_max, tn__seconds_to_ns(opts->idle_timeout)};
    tn__iostream_limit(io, &limits);
    *out = &io->stream;
    return TN_OK;
}

int tn_stream_pair(tn_loop *loop, tn_stream **one, tn_stream **other)
{
    int fds[2], error;
    tn__loop_check_thread(loop, __func__);
    TN_TRY(tn__socket_pair(fds));
    tn__iostream *first = tn__iostream_new(loop, fds[0], NULL, &error);
    tn__iostream *second = tn__iostream_new(loop, fds[1], NULL, &error);
    if (!first || !second) {
        tn__iostream_free(first);
        tn__iostream_free(second);
        return error;
    }
    *one = &first->stream;
    *other = &second->stream;
    return TN_OK;
}

/* -- Reading -- */

static int read_and_wait(tn_stream *stream, tn__read *r, tn__op *op)
{
    int result = tn__iostream_read(tn__iostream_of(stream), r, op);
    if (result == TN__PENDING) return tn__task_wait(op);
    return r->kind == TN__READ_INTO && result == TN_OK ? (int)r->got : result;
}

/* A future with a read in its room, and behind it `extra` bytes. */
static tn_future *new_read(tn_stream *stream, tn__read_kind kind, size_t extra, tn__read **r)
{
    tn__loop_check_thread(stream->loop, "a read");
    tn_future *f = tn__future_new(stream->loop, sizeof(tn__read) + extra);
    if (!f) return NULL;
    *r = tn__future_room(f);
    (*r)->kind = kind;
    (*r)->out = &f->str;
    return f;
}

static tn_future *begin_read(tn_future *f, tn_stream *stream, tn__read *r)
{
    int result = tn__iostream_read(tn__iostream_of(stream), r, &f->op);
    if (r->kind == TN__READ_INTO && result == TN_OK)
        tn_future_set(f, (int)r->got);
    else
        tn__future_begun(f, result);
    return f;
}

int tn_read_bytes_(tn_stream *stream, const tn_read_bytes_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__read r = {.kind = TN__READ_BYTES, .n = opts->n, .partial = opts->partial, .out = opts->data};
    (void)opts_size;
    TN_TRY(tn__task_op(&op));
    return read_and_wait(stream, &r, op);
}

tn_future *tn_read_bytes_start(tn_stream *stream, size_t n, bool partial)
{
    tn__read *r;
    tn_future *f = new_read(stream, TN__READ_BYTES, 0, &r);
    if (!f) return NULL;
    r->n = n;
    r->partial = partial;
    return begin_read(f, stream, r);
}

int tn_read_into_(tn_stream *stream, const tn_read_into_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__read r = {.kind = TN__READ_INTO, .into = opts->into, .n = opts->n, .partial = opts->partial};
    (void)opts_size;
    TN_TRY(tn__task_op(&op));
    return read_and_wait(stream, &r, op);
}

tn_future *tn_read_into_start(tn_stream *stream, void *into, size_t n, bool partial)
{
    tn__read *r;
    tn_future *f = new_read(stream, TN__READ_INTO, 0, &r);
    if (!f) return NULL;
    r->into = into;
    r->n = n;
    r->partial = partial;
    return begin_read(f, stream, r);
}

int tn_read_until_(tn_stream *stream, tn_str delimiter, const tn_read_until_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__read r = {.kind = TN__READ_UNTIL, .delim = delimiter, .max = opts->max, .out = opts->data};
    (void)opts_size;
    TN_TRY(tn__task_op(&op));
    return read_and_wait(stream, &r, op);
}

tn_future *tn_read_until_start_s(tn_stream *stream, tn_str delimiter, size_t max)
{
    tn__read *r;
    tn_future *f = new_read(stream, TN__READ_UNTIL, delimiter.n, &r);
    if (!f) return NULL;
    r->delim = tn_str_of(r + 1, delimiter.n);
    if (delimiter.n) memcpy(r + 1, delimiter.p, delimiter.n);
    r->max = max;
    return begin_read(f, stream, r);
}

int tn_read_until_regex_(tn_stream *stream, tn_str pattern, const tn_read_until_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__read r = {.kind = TN__READ_MATCH, .max = opts->max, .out = opts->data};
    (void)opts_size;
    TN_TRY(tn__task_op(&op));
    TN_TRY(tn__stream_matcher(tn__iostream_of(stream), pattern, &r));
    return read_and_wait(stream, &r, op);
}

tn_future *tn_read_until_regex_start_s(tn_stream *stream, tn_str pattern, size_t max)
{
    tn__read *r;
    tn_future *f = new_read(stream, TN__READ_MATCH, 0, &r);
    if (!f) return NULL;
    int result = tn__stream_matcher(tn__iostream_of(stream), pattern, r);
    if (result < 0) {
        tn__future_begun(f, result);
        return f;
    }
    r->max = max;
    return begin_read(f, stream, r);
}

int tn_read_all_(tn_stream *stream, const tn_read_until_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__read r = {.kind = TN__READ_ALL, .max = opts->max, .out = opts->data};
    (void)opts_size;
    TN_TRY(tn__task_op(&op));
    return read_and_wait(stream, &r, op);
}

tn_future *tn_read_all_start(tn_stream *stream, size_t max)
{
    tn__read *r;
    tn_future *f = new_read(stream, TN__READ_ALL, 0, &r);
    if (!f) return NULL;
    r->max = max;
    return begin_read(f, stream, r);
}

/* -- Writing -- */

int tn_stream_write_s(tn_stream *stream, tn_str data)
{
    tn__op *op;
    tn__writer w;
    TN_TRY(tn__task_op(&op));
    int result = tn__iostream_write(tn__iostream_of(stream), data, &w, op);
    return result == TN__PENDING ? tn__task_wait(op) : result;
}

tn_future *tn_stream_write_start_s(tn_stream *stream, tn_str data)
{
    tn__loop_check_thread(stream->loop, "tn_stream_write_start");
    tn_future *f = tn__future_new(stream->loop, sizeof(tn__writer));
    if (f) tn__future_begun(f, tn__iostream_write(tn__iostream_of(stream), data, tn__future_room(f), &f->op));
    return f;
}

int tn_stream_flush(tn_stream *stream)
{
    tn__op *op;
    tn__writer w;
    TN_TRY(tn__task_op(&op));
    int result = tn__iostream_drain(tn__iostream_of(stream), &w, op);
    return result == TN__PENDING ? tn__task_wait(op) : result;
}

tn_future *tn_stream_flush_start(tn_stream *stream)
{
    tn__loop_check_thread(stream->loop, __func__);
    tn_future *f = tn__future_new(stream->loop, sizeof(tn__writer));
    if (f) tn__future_begun(f, tn__iostream_drain(tn__iostream_of(stream), tn__future_room(f), &f->op));
    return f;
}

void tn_stream_shutdown_write(tn_stream *stream)
{
    tn__iostream_shutdown_write(tn__iostream_of(stream));
}

/* -- Asking and setting -- */

void tn_stream_set_close_callback(tn_stream *stream, tn_callback *fn, void *arg)
{
    tn__iostream_on_close(tn__iostream_of(stream), fn, arg);
}

void tn_stream_set_idle_timeout(tn_stream *stream, double seconds)
{
    tn__iostream *io = tn__iostream_of(stream);
    tn__iostream_limit(io, &(tn__stream_limits){io->in_max, io->out_max, tn__seconds_to_ns(seconds)});
}

bool tn_stream_closed(const tn_stream *stream)
{
    return stream->closed || ((const tn__iostream *)stream)->closing;
}

int tn_stream_error(const tn_stream *stream)
{
    return stream->closed ? stream->error : TN_OK;
}

int tn_stream_peer(const tn_stream *stream, tn_addr *addr)
{
    return stream->closed ? TN_ECLOSED : tn__socket_peer(stream->io.fd, addr);
}

int tn_stream_local(const tn_stream *stream, tn_addr *addr)
{
    return stream->closed ? TN_ECLOSED : tn__socket_local(stream->io.fd, addr);
}

int tn_stream_fd(const tn_stream *stream)
{
    return stream->io.fd;
}

/* -- Closing -- */

void tn_stream_close(tn_stream *stream)
{
    tn__iostream_close(tn__iostream_of(stream));
}

void tn_stream_abort(tn_stream *stream)
{
    tn__iostream_abort(tn__iostream_of(stream));
}

void tn_stream_free(tn_stream *stream)
{
    tn__iostream_free(stream ? tn__iostream_of(stream) : NULL);
}
