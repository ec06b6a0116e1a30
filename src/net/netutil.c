/* The public face of listening and accepting, for programs that serve a protocol in their own way: thin over listen.c, acceptor.c. */
#include "tornado/netutil.h"

#include "acceptor.h"
#include "base/alloc.h"
#include "listen.h"

int tn_bind_sockets_(const tn_bind_opts *opts, size_t opts_size)
{
    tn_bind_opts o = {0};
    size_t known = offsetof(tn_bind_opts, end_);
    memcpy(&o, opts, opts_size < known ? opts_size : known);
    tn__bind_opts bind = {
        .address = o.address,
        .port = o.port,
        .unix_path = o.unix_socket,
        .backlog = o.backlog,
        .reuse_port = o.reuse_port,
    };
    return tn__bind_sockets(&bind, o.fds, o.max, o.err);
}

struct tn_accept_handler {
    tn__acceptor acceptor;
    tn_accept_callback *fn;
    void *arg;
};

static void on_accepted(tn__acceptor *acceptor, int fd, const tn_addr *peer)
{
    tn_accept_handler *h = acceptor->owner;
    h->fn(h->arg, fd, peer);
}

int tn_add_accept_handler(tn_accept_handler **out, tn_loop *loop, int fd, tn_accept_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, __func__);
    tn_accept_handler *h = tn__zalloc(sizeof *h);
    if (!h) return TN_ENOMEM;
    h->acceptor.accepted = on_accepted;
    h->acceptor.owner = h;
    h->fn = fn;
    h->arg = arg;
    int e = tn__acceptor_start(loop, &h->acceptor, fd);
    if (e < 0) {
        tn__free(h);
        return e;
    }
    *out = h;
    return TN_OK;
}

void tn_remove_accept_handler(tn_accept_handler *handler)
{
    if (!handler) return;
    tn__acceptor_stop(&handler->acceptor);
    tn__free(handler);
}
