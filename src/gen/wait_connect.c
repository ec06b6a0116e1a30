/* The calls of tornado/tcpclient.h: connecting and resolving, in coroutines and as futures. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "future.h"
#include "net/room.h"
#include "net/tcp_client.h"
#include "net/tls.h"
#include "task.h"
#include "tornado/tcpclient.h"

enum { HOST_BYTES_MAX = 255 };

/* -- Connecting -- */

/*
 * Whom the certificate must name, unless that is said: the host. `room` keeps a copy of it that ends in a NUL: it must live as long
 * as the attempt to connect.
 */
static int set_tls(tn__dial_opts *d, tn_loop *loop, const tn_connect_opts *o, char *room)
{
    if (!o->tls && !o->tls_context) return TN_OK;
    tn_str name = o->server_name ? tn_z(o->server_name) : d->host;
    if (name.n > HOST_BYTES_MAX || (name.n && memchr(name.p, 0, name.n))) return TN_EINVAL;
    if (name.n) memcpy(room, name.p, name.n);
    room[name.n] = 0;
    d->server_name = room;
    d->tls = o->tls_context ? o->tls_context : tn__tls_client(loop, o->err);
    return d->tls ? TN_OK : TN_ETLS;
}

static int fill_in(tn__dial_opts *d, tn_str host, const tn_connect_opts *o)
{
    if (o->port < 0 || o->port > 65535 || o->source_port < 0 || o->source_port > 65535) return TN_EINVAL;
    *d = (tn__dial_opts){.host = host, .port = (uint16_t)o->port, .family = o->family, .source_port = (uint16_t)o->source_port};
    d->timeout_ns = o->timeout > 0 ? tn__seconds_to_ns(o->timeout) : 0;
    d->limits = (tn__stream_limits){o->read_buffer_max, o->write_buffer_max, tn__seconds_to_ns(o->idle_timeout)};
    if (!o->source_ip) return TN_OK;
    return tn_addr_parse_ip(&d->source, o->source_ip, (uint16_t)o->source_port) < 0 ? TN_EINVAL : TN_OK;
}

static int explain(const tn__dial *d, tn_str host, const tn_connect_opts *o, int code)
{
    if (!o->err || code == TN_ETLS) return code; /* TLS has said it */
    *o->err = (tn_error){.code = code};
    const char *reason = code == TN_ERESOLVE && d->reason ? d->reason : tn_strerror(code);
    bool is_unix = tn_str_starts(host, TN_S("unix:"));
    if (is_unix)
        snprintf(o->err->text, sizeof o->err->text, "cannot connect to " TN_FMT ": %s", TN_ARG(host), reason);
    else
        snprintf(o->err->text, sizeof o->err->text, "cannot connect to " TN_FMT ":%d: %s", TN_ARG(host), o->port, reason);
    return code;
}

int tn_connect_(tn_stream **out, tn_str host, const tn_connect_opts *opts, size_t opts_size)
{
    tn__op *op;
    tn__dial_opts dial_opts;
    tn__dial d = {0};
    char server_name[HOST_BYTES_MAX + 1];
    (void)opts_size; /* nothing was added since 0.1 */
    TN_TRY(tn__task_op(&op));
    tn_loop *loop = tn__task_current()->gen->loop;
    int result = fill_in(&dial_opts, host, opts);
    dial_opts.err = opts->err;
    if (result == TN_OK) result = set_tls(&dial_opts, loop, opts, server_name);
    if (result == TN_OK) result = tn__dial_begin(&d, loop, &dial_opts, out, op);
    if (result == TN__PENDING) result = tn__task_wait(op);
    return result < 0 ? explain(&d, host, opts, result) : TN_OK;
}

/* In the room of a future. */
typedef struct dialing {
    tn__dial dial;
    char server_name[HOST_BYTES_MAX + 1];
} dialing;

/* Of a future whose stream nobody has taken. */
static void destroy_stream(void *stream)
{
    tn_stream_free(stream);
}

tn_future *tn_connect_start_(tn_loop *loop, tn_str host, const tn_connect_opts *opts, size_t opts_size)
{
    (void)opts_size;
    tn__loop_check_thread(loop, "tn_connect_start");
    tn_future *f = tn__future_new(loop, sizeof(dialing));
    tn__dial_opts dial_opts;
    if (!f) return NULL;
    dialing *d = tn__future_room(f);
    int result = fill_in(&dial_opts, host, opts);
    f->destroy = destroy_stream;
    if (result == TN_OK) result = set_tls(&dial_opts, loop, opts, d->server_name);
    if (result == TN_OK) result = tn__dial_begin(&d->dial, loop, &dial_opts, (tn_stream **)&f->value, &f->op);
    tn__future_begun(f, result);
    return f;
}

/* -- Resolving -- */

static size_t copy_addrs(tn_addr *addrs, size_t n, const tn__lookup *l)
{
    if (n > l->n) n = l->n;
    memcpy(addrs, l->addrs, n * sizeof *addrs);
    return n;
}

int tn_resolve_s(tn_str host, uint16_t port, int family, tn_addr *addrs, size_t n)
{
    tn__op *op;
    tn__lookup l = {0};
    TN_TRY(tn__task_op(&op));
    tn__resolver *resolver = tn__resolver_of(tn__task_current()->gen->loop);
    int result = resolver ? tn__resolve(resolver, &l, host, port, family, op) : TN_ENOMEM;
    if (result == TN__PENDING) result = tn__task_wait(op);
    if (result == TN_OK) result = (int)copy_addrs(addrs, n, &l);
    tn__lookup_done(&l);
    return result;
}

/* In the room of a future: its operation is pending until the resolver's has ended and the answer is copied. */
typedef struct resolving {
    tn_future *future;
    tn__lookup lookup;
    tn__op step;
} resolving;

static void withdraw(tn__op *op)
{
    resolving *r = op->holder;
    tn__op_cancel(&r->step);
    tn__lookup_done(&r->lookup);
}

static int answer(resolving *r, int result)
{
    size_t n = r->lookup.n;
    tn_addr *addrs = result == TN_OK ? tn__alloc(n * sizeof *addrs) : NULL;
    if (addrs) {
        r->future->value = addrs;
        r->future->destroy = free;
        result = (int)copy_addrs(addrs, n, &r->lookup);
    } else if (result == TN_OK) {
        result = TN_ENOMEM;
    }
    tn__lookup_done(&r->lookup);
    return result;
}

static void on_answer(tn_loop *loop, tn__op *step, int result)
{
    resolving *r = TN__OWNER(step, resolving, step);
    tn__op_end(loop, &r->future->op, answer(r, result));
}

tn_future *tn_resolve_start_s(tn_loop *loop, tn_str host, uint16_t port, int family)
{
    tn__loop_check_thread(loop, "tn_resolve_start");
    tn_future *f = tn__future_new(loop, sizeof(resolving));
    tn__resolver *resolver = tn__resolver_of(loop);
    if (!f || !resolver) {
        tn_future_unref(f);
        return NULL;
    }
    resolving *r = tn__future_room(f);
    r->future = f;
    tn__op_init(&r->step, on_answer);
    int result = tn__resolve(resolver, &r->lookup, host, port, family, &r->step);
    if (result == TN__PENDING)
        tn__op_begin(&f->op, r, withdraw);
    else
        tn_future_set(f, answer(r, result)); /* which may be 1: an address */
    return f;
}

int tn_resolve_override_s(tn_loop *loop, tn_str host, int port, tn_str to_host, int to_port)
{
    tn__loop_check_thread(loop, "tn_resolve_override");
    tn__resolver *resolver = tn__resolver_of(loop);
    tn__override override = {.host = host, .port = port, .family = AF_UNSPEC, .to_host = to_host, .to_port = to_port};
    return resolver ? tn__resolver_override(resolver, &override) : TN_ENOMEM;
}
