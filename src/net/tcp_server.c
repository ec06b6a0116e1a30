/* Servers of connections: see tcp_server.h. */
#include "tcp_server.h"

#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "socket.h"

typedef struct listener {
    tn__list node;
    tn__acceptor acceptor;
} listener;

void tn__tcp_server_init(tn__tcp_server *s, tn_loop *loop, size_t connections_max)
{
    s->loop = loop;
    s->connections_n = 0;
    s->connections_max = connections_max;
    tn__list_init(&s->listeners);
}

/* Leave further connections in the system's queue, or take them again. */
static void set_full(tn__tcp_server *s, bool full)
{
    for (tn__list *at = s->listeners.next; at != &s->listeners; at = at->next) {
        tn__acceptor *a = &TN__OWNER(at, listener, node)->acceptor;
        if (full)
            tn__acceptor_pause(a);
        else
            tn__acceptor_resume(a);
    }
}

static void on_accepted(tn__acceptor *acceptor, int fd, const tn_addr *peer)
{
    tn__tcp_server *s = acceptor->owner;
    if (++s->connections_n >= s->connections_max) set_full(s, true);
    s->connected(s, fd, peer);
}

void tn__tcp_server_removed(tn__tcp_server *s)
{
    if (s->connections_n-- >= s->connections_max) set_full(s, false);
}

int tn__tcp_server_add(tn__tcp_server *s, int fd)
{
    listener *l = tn__zalloc(sizeof *l);
    int result = l ? TN_OK : TN_ENOMEM;
    if (l) {
        l->acceptor.accepted = on_accepted;
        l->acceptor.owner = s;
        result = tn__acceptor_start(s->loop, &l->acceptor, fd);
    }
    if (result < 0) {
        tn__free(l);
        close(fd);
        return result;
    }
    tn__list_push(&s->listeners, &l->node);
    return TN_OK;
}

int tn__tcp_server_listen(tn__tcp_server *s, const tn__bind_opts *opts, tn_error *err)
{
    int fds[TN__LISTENERS_MAX], port = 0, n, result = TN_OK;
    TN_TRY(n = tn__bind_sockets(opts, fds, TN__LISTENERS_MAX, err));
    for (int i = 0; i < n; i++) {
        tn_addr local;
        char text[TN_ADDR_TEXT_BYTES];
        if (tn__socket_local(fds[i], &local) == TN_OK) {
            port = tn_addr_port(&local);
            tn_str shown = tn_addr_format(&local, text);
            TN__SAY(&s->loop->report, TN_LOG_INFO, TN_LOG_GENERAL, "Listening on " TN_FMT, TN_ARG(shown));
        }
        if (result == TN_OK)
            result = tn__tcp_server_add(s, fds[i]);
        else
            close(fds[i]);
    }
    if (result == TN_OK) return port;
    tn__tcp_server_stop(s);
    if (err) {
        *err = (tn_error){.code = result};
        snprintf(err->text, sizeof err->text, "cannot listen: %s", tn_strerror(result));
    }
    return result;
}

void tn__tcp_server_stop(tn__tcp_server *s)
{
    for (tn__list *node; (node = tn__list_pop(&s->listeners));) {
        listener *l = TN__OWNER(node, listener, node);
        tn__acceptor_stop(&l->acceptor);
        tn__free(l);
    }
}
