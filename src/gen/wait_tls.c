/* tn_start_tls and its twin. */
#include <stdio.h>

#include "future.h"
#include "net/iostream_ops.h"
#include "net/tls.h"
#include "task.h"

static const int64_t HANDSHAKE_NS = 60000000000;

static int secure(tn_stream *stream, const tn_start_tls_opts *o, tn_error *err, tn__op *op)
{
    tn_tls *tls = o->tls ? o->tls : tn__tls_client(stream->loop, err);
    int64_t timeout_ns = o->timeout > 0 ? tn__seconds_to_ns(o->timeout) : HANDSHAKE_NS;
    return tls ? tn__iostream_secure(tn__iostream_of(stream), tls, o->server_name, timeout_ns, err, op) : TN_ETLS;
}

/* TLS gives a reason for what it refuses; the rest is the connection's. */
static int explain(tn_error *err, int code)
{
    if (!err || code == TN_ETLS) return code;
    *err = (tn_error){.code = code};
    snprintf(err->text, sizeof err->text, "%s", tn_strerror(code));
    return code;
}

int tn_start_tls_(tn_stream *stream, const tn_start_tls_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__writer w;
    const void *where = __builtin_return_address(0);
    (void)opts_size; /* nothing was added since 0.1 */
    TN_TRY(tn__task_op_at(&op, "tn_start_tls", where));
    int result = tn__iostream_drain(tn__iostream_of(stream), &w, op);
    if (result == TN__PENDING) result = tn__task_wait(op);
    TN_TRY(result);
    TN_TRY(tn__task_op_at(&op, "tn_start_tls", where));
    result = secure(stream, opts, opts->err, op);
    if (result == TN__PENDING) result = tn__task_wait(op);
    return result < 0 ? explain(opts->err, result) : TN_OK;
}

tn_future *tn_start_tls_start_(tn_stream *stream, const tn_start_tls_opts *opts, size_t opts_size)
{
    (void)opts_size;
    tn__loop_check_thread(stream->loop, "tn_start_tls_start");
    tn_future *f = tn__future_new(stream->loop, 0);
    if (!f) return NULL;
    tn__stream_flush(stream);
    tn__future_begun(f, secure(stream, opts, NULL, &f->op));
    return f;
}
