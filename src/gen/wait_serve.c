/*
 * tn_tcp_serve: connections as coroutines.
 *
 * Always true: the server lies in the frame of the coroutine that serves, which does not leave it before the last connection has
 * ended; a connection counts from its acceptance until its coroutine has returned.
 */
#include <unistd.h>

#include "base/alloc.h"
#include "net/iostream_ops.h"
#include "net/socket.h"
#include "net/tcp_server.h"
#include "task.h"
#include "tornado/tcpserver.h"

enum { CONNECTIONS_MAX = 50000 };
static const int64_t HANDSHAKE_NS = 60000000000;

typedef struct server {
    tn__tcp_server tcp;
    const tn_tcp_serve_opts *opts;
    tn__stream_limits limits;
    tn__list connections; /* of connection */
    tn__op *op;           /* of the coroutine that serves, once it waits for the last one */
} server;

typedef struct connection {
    tn__list node;
    server *server;
    tn__iostream *io;
    tn_task *task;  /* once it waits */
    tn__op secured; /* of its TLS handshake, before it has a coroutine */
} connection;

/* -- Connections -- */

/* Ends that are nobody's fault, or the peer's. */
static bool is_ordinary(int result)
{
    switch (result) {
    case TN_EOF:
    case TN_ECLOSED:
    case TN_ECANCELED:
    case TN_ETIMEDOUT:
    case -ECONNRESET:
    case -ECONNABORTED:
    case -EPIPE: return true;
    default: return result >= 0;
    }
}

static void forget(tn_loop *loop, connection *c)
{
    server *s = c->server;
    tn__list_remove(&c->node);
    tn__iostream_free(c->io);
    tn__free(c);
    tn__tcp_server_removed(&s->tcp);
    if (s->op && s->tcp.connections_n == 0) tn__op_end(loop, s->op, TN_OK);
}

static void on_end(tn_loop *loop, void *arg, int result)
{
    if (!is_ordinary(result))
        TN__SAY(&loop->report, TN_LOG_ERROR, TN_LOG_APPLICATION, "Error in connection callback: %s", tn_strerror(result));
    forget(loop, arg);
}

static int connection_body(void *arg)
{
    connection *c = arg;
    const tn_tcp_serve_opts *o = c->server->opts;
    return o->serve(&c->io->stream, o->arg);
}

static void begin(connection *c)
{
    int (*origin)(void *) = (int (*)(void *))(void (*)(void))c->server->opts->serve; /* for its name only */
    tn__task_spec spec = {.fn = connection_body, .arg = c, .ended = on_end, .origin = origin};
    tn_loop *loop = c->server->tcp.loop;
    int result = TN_OK;
    int begun = tn__task_call(loop, &spec, &result, &c->task);
    if (begun != TN__PENDING) on_end(loop, c, begun < 0 ? begun : result);
}

static void on_secured(tn_loop *loop, tn__op *op, int result)
{
    connection *c = TN__OWNER(op, connection, secured);
    if (result == TN_OK)
        begin(c);
    else
        forget(loop, c);
}

/* The handshake costs no stack. */
static void secure(connection *c)
{
    const tn_tcp_serve_opts *o = c->server->opts;
    int64_t timeout_ns = o->handshake_timeout > 0 ? tn__seconds_to_ns(o->handshake_timeout) : HANDSHAKE_NS;
    tn__op_init(&c->secured, on_secured);
    int result = tn__iostream_secure(c->io, o->tls, NULL, timeout_ns, NULL, &c->secured);
    if (result != TN__PENDING) forget(c->server->tcp.loop, c);
}

static void on_connected(tn__tcp_server *tcp, int fd, const tn_addr *peer)
{
    server *s = TN__OWNER(tcp, server, tcp);
    connection *c = tn__zalloc(sizeof *c);
    int error;
    (void)peer;
    if (c) {
        c->server = s;
        tn__list_init(&c->node);
        tn__list_push(&s->connections, &c->node);
        c->io = tn__iostream_new(tcp->loop, fd, NULL, &error);
        if (c->io) {
            tn__iostream_limit(c->io, &s->limits);
            if (s->opts->tls)
                secure(c);
            else
                begin(c);
            return;
        }
        tn__list_remove(&c->node);
        tn__free(c);
    } else {
        close(fd);
    }
    tn__tcp_server_removed(tcp);
}

/* -- Serving -- */

/* Take listening descriptors over. Returns the port of the last one; on failure none of them stays open. */
static int add_sockets(server *s, const int *fds, size_t n)
{
    int port = 0, e = TN_OK;
    for (size_t i = 0; i < n; i++) {
        tn_addr local;
        if (tn__socket_local(fds[i], &local) == TN_OK) port = tn_addr_port(&local);
        if (e == TN_OK)
            e = tn__tcp_server_add(&s->tcp, fds[i]);
        else
            close(fds[i]);
    }
    if (e < 0) tn__tcp_server_stop(&s->tcp);
    return e < 0 ? e : port;
}

static int start(server *s)
{
    const tn_tcp_serve_opts *o = s->opts;
    tn_loop *loop = tn__task_current()->gen->loop;
    tn__bind_opts bind = {
        .address = o->host,
        .port = o->port,
        .unix_path = o->unix_socket,
        .backlog = o->backlog,
        .reuse_port = o->reuse_port,
    };
    int port = 0;
    s->tcp.connected = on_connected;
    tn__tcp_server_init(&s->tcp, loop, o->connections_max ? o->connections_max : CONNECTIONS_MAX);
    tn__list_init(&s->connections);
    s->limits = (tn__stream_limits){o->read_buffer_max, o->write_buffer_max, tn__seconds_to_ns(o->idle_timeout)};
    if (o->inherited_fd) {
        TN_TRY(tn__listen_adopt(o->inherited_fd, o->err));
        TN_TRY(port = add_sockets(s, &o->inherited_fd, 1));
    } else if (o->sockets_n > 0) {
        TN_TRY(port = add_sockets(s, o->sockets, o->sockets_n));
    } else {
        TN_TRY(port = tn__tcp_server_listen(&s->tcp, &bind, o->err));
    }
    if (o->on_start) o->on_start(loop, port, o->arg);
    return TN_OK;
}

static void withdraw(tn__op *op)
{
    ((server *)op->holder)->op = NULL;
}

/* Park until the last connection has ended, or for ever while more are accepted. */
static int wait_for_end(server *s, bool accepting, const void *where)
{
    tn__op *op;
    TN_TRY(tn__task_op_at(&op, "tn_tcp_serve", where));
    if (!accepting && s->tcp.connections_n == 0) return TN_OK;
    tn__op_begin(op, s, withdraw);
    s->op = accepting ? NULL : op;
    return tn__task_wait(op);
}

static void cancel_connections(server *s)
{
    for (tn__list *at = s->connections.next; at != &s->connections; at = at->next) tn_cancel(TN__OWNER(at, connection, node)->task);
}

int tn_tcp_serve_(const tn_tcp_serve_opts *opts, size_t opts_size)
{
    server s = {.opts = opts};
    tn__op *op;
    tn__scope hold;
    (void)opts_size;          /* nothing was added since 0.1 */
    TN_TRY(tn__task_op(&op)); /* may this coroutine wait at all? */
    TN_TRY(start(&s));
    int result = wait_for_end(&s, true, __builtin_return_address(0));
    tn__tcp_server_stop(&s.tcp);
    if (opts->grace > 0) TN_SHIELD(opts->grace) wait_for_end(&s, false, __builtin_return_address(0));
    cancel_connections(&s);
    tn__scope_hold(&hold);
    wait_for_end(&s, false, __builtin_return_address(0));
    tn__scope_release(&hold);
    return result;
}
