/*
 * Connecting: see tcp_client.h. The steps are resolve, try (several addresses perhaps at once), win; each is begun by the end of the
 * one before it, and fail or win is the last thing that happens.
 *
 * The resolver asks the system for both families at once, so that nothing is to be done about answers that come one by one (RFC
 * 8305, section 3); the order of the addresses is the system's (RFC 6724).
 */
#include "tcp_client.h"

#include <unistd.h>

#include "room.h"
#include "socket.h"

static const int64_t NEXT_DELAY_NS = 250000000; /* RFC 8305, 5: Connection Attempt Delay */
static const int64_t HANDSHAKE_NS = 60000000000;

size_t tn__dial_order(const tn_addr *addrs, size_t n, int family, const tn_addr **order)
{
    size_t count = 0, at[2] = {0, 0};
    int first = n > 0 ? tn_addr_family(&addrs[0]) : AF_UNSPEC;
    /* Turn 0 takes the next address of the first one's family, turn 1 the next of any other. */
    for (int turn = 0; at[0] < n || at[1] < n; turn = !turn) {
        size_t i = at[turn];
        while (i < n && (tn_addr_family(&addrs[i]) == first) != (turn == 0)) i++;
        at[turn] = i + 1;
        if (i < n && (family == AF_UNSPEC || tn_addr_family(&addrs[i]) == family)) order[count++] = &addrs[i];
    }
    return count;
}

/* -- The end -- */

static void close_attempt(tn__attempt *a)
{
    int fd = a->io.fd;
    if (fd < 0) return;
    tn__io_remove(a->dial->loop, &a->io);
    a->io.fd = -1;
    close(fd);
    a->dial->open_n--;
}

/* Let go of everything. */
static void clean_up(tn__dial *d)
{
    for (size_t i = 0; i < d->attempt_n; i++) close_attempt(&d->attempts[i]);
    tn__timeout_stop(&d->next);
    tn__timeout_stop(&d->deadline);
    tn__op_cancel(&d->step);
    tn__lookup_done(&d->lookup);
    tn__iostream_free(d->io);
    d->io = NULL;
}

static void withdraw(tn__op *op)
{
    clean_up(op->holder);
}

static int finish(tn__dial *d, int result)
{
    tn__op *op = d->op;
    clean_up(d);
    tn__op_end(d->loop, op, result); /* does nothing while the call that began it has not returned */
    return result;
}

static void on_secured(tn_loop *loop, tn__op *step, int result)
{
    (void)loop;
    tn__dial *d = TN__OWNER(step, tn__dial, step);
    if (result == TN_OK) {
        *d->out = &d->io->stream;
        d->io = NULL;
    }
    finish(d, result);
}

/* Connected: nobody else is tried any more, and only TLS may still be missing. */
static int win(tn__dial *d, int fd)
{
    int error = TN_OK;
    for (size_t i = 0; i < d->attempt_n; i++) close_attempt(&d->attempts[i]);
    tn__timeout_stop(&d->next);
    tn__iostream *io = tn__iostream_new(d->loop, fd, NULL, &error);
    if (!io) return finish(d, error);
    tn__iostream_limit(io, &d->limits);
    if (!d->tls) {
        *d->out = &io->stream;
        return finish(d, TN_OK);
    }
    d->io = io;
    tn__op_init(&d->step, on_secured);
    error = tn__iostream_secure(io, d->tls, d->server_name, HANDSHAKE_NS, d->err, &d->step);
    return error == TN__PENDING ? error : finish(d, error);
}

/* -- Trying addresses -- */

static int try_next(tn__dial *d);

static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    tn__attempt *a = TN__OWNER(io, tn__attempt, io);
    tn__dial *d = a->dial;
    int error = tn__socket_error(io->fd);
    if (error == TN_OK && !(events & TN_WRITE)) return; /* not yet */
    if (error < 0) {
        d->error = error;
        close_attempt(a);
        try_next(d);
        return;
    }
    int fd = io->fd;
    tn__io_remove(loop, io);
    d->open_n--;
    win(d, fd);
}

/* The end of the connection that is ours. */
static int bind_source(const tn__dial *d, int fd, int family)
{
    if (family == AF_UNIX) return TN_OK;
    if (d->source.len) return tn__socket_bind(fd, &d->source);
    if (!d->source_port) return TN_OK;
    tn_addr any;
    TN_TRY(tn_addr_parse_ip_s(&any, family == AF_INET6 ? TN_S("::") : TN_S("0.0.0.0"), d->source_port));
    return tn__socket_bind(fd, &any);
}

/* Begin with one address: 0 when it is connected already, TN__PENDING, or an error. The descriptor is in a->io.fd unless it failed. */
static int begin_attempt(tn__attempt *a, const tn_addr *addr)
{
    tn__dial *d = a->dial;
    int fd = tn__socket_open(tn_addr_family(addr), SOCK_STREAM);
    if (fd < 0) return fd;
    int result = tn_addr_family(addr) == AF_UNIX ? TN_OK : tn__socket_nodelay(fd);
    if (result == TN_OK) result = bind_source(d, fd, tn_addr_family(addr));
    if (result == TN_OK) result = tn__socket_connect(fd, addr);
    a->io = (tn__io){.fd = fd, .interest = TN_READ | TN_WRITE, .edge = true, .ready = on_ready};
    if (result == -EINPROGRESS) {
        result = tn__io_add(d->loop, &a->io);
        if (result == TN_OK) {
            d->open_n++;
            return TN__PENDING;
        }
    }
    if (result < 0) {
        close(fd);
        a->io.fd = -1;
    }
    return result;
}

/* Try one address more: TN_OK when that ended the matter, TN__PENDING, or the error after the last one. */
static int try_next(tn__dial *d)
{
    while (d->attempt_n < d->addr_n) {
        tn__attempt *a = &d->attempts[d->attempt_n];
        *a = (tn__attempt){.io = {.fd = -1}, .dial = d};
        int result = begin_attempt(a, d->addrs[d->attempt_n++]);
        if (result == TN_OK) {
            int fd = a->io.fd;
            a->io.fd = -1; /* it was never watched */
            return win(d, fd);
        }
        if (result == TN__PENDING) break;
        d->error = result;
    }
    if (d->attempt_n < d->addr_n) {
        tn__timeout_set(d->loop, &d->next, tn__loop_now(d->loop) + d->next_delay_ns);
        return TN__PENDING;
    }
    return d->open_n > 0 ? TN__PENDING : finish(d, d->error);
}

static void on_next(tn_loop *loop, tn__timeout *timeout)
{
    (void)loop;
    try_next(TN__OWNER(timeout, tn__dial, next));
}

static void on_deadline(tn_loop *loop, tn__timeout *timeout)
{
    (void)loop;
    finish(TN__OWNER(timeout, tn__dial, deadline), TN_ETIMEDOUT);
}

/* -- Resolving -- */

static int on_addresses(tn__dial *d, const tn_addr *addrs, size_t n)
{
    d->addr_n = tn__dial_order(addrs, n, tn_addr_family(&d->source), d->addrs);
    d->error = TN_ERESOLVE;
    return try_next(d);
}

static void on_resolved(tn_loop *loop, tn__op *step, int result)
{
    (void)loop;
    tn__dial *d = TN__OWNER(step, tn__dial, step);
    d->reason = d->lookup.reason;
    if (result < 0)
        finish(d, result);
    else
        on_addresses(d, d->lookup.addrs, d->lookup.n);
}

static int resolve(tn__dial *d, const tn__dial_opts *opts)
{
    tn__resolver *resolver = tn__resolver_of(d->loop);
    if (!resolver) return TN_ENOMEM;
    int result = tn__resolve(resolver, &d->lookup, opts->host, opts->port, opts->family, &d->step);
    d->reason = d->lookup.reason;
    return result == TN_OK ? on_addresses(d, d->lookup.addrs, d->lookup.n) : result;
}

int tn__dial_begin(tn__dial *d, tn_loop *loop, const tn__dial_opts *opts, tn_stream **out, tn__op *op)
{
    *d = (tn__dial){.loop = loop, .op = op, .out = out, .source = opts->source, .source_port = opts->source_port};
    d->limits = opts->limits;
    d->tls = opts->tls;
    d->server_name = opts->server_name;
    d->err = opts->err;
    d->next_delay_ns = opts->next_delay_ns ? opts->next_delay_ns : NEXT_DELAY_NS;
    tn__op_init(&d->step, on_resolved);
    tn__timeout_init(&d->next, on_next);
    tn__timeout_init(&d->deadline, on_deadline);

    int result;
    if (tn_str_starts(opts->host, TN_S("unix:"))) {
        result = tn_addr_parse_s(&d->only, opts->host);
        if (result == TN_OK) result = on_addresses(d, &d->only, 1);
    } else {
        result = resolve(d, opts);
    }
    if (result != TN__PENDING) {
        clean_up(d);
        return result;
    }
    tn__op_begin(op, d, withdraw);
    if (opts->timeout_ns) tn__timeout_set(loop, &d->deadline, tn__loop_now(loop) + opts->timeout_ns);
    return TN__PENDING;
}
