/* HTTP servers: acceptors, the list of connections, their number's limit, draining. */
#include "server.h"

#include <unistd.h>

#include "base/alloc.h"
#include "net/acceptor.h"

typedef struct listener {
    tn__list node;
    tn__acceptor acceptor;
} listener;

static const int64_t never_ns = INT64_MAX / 4;

static size_t size_or(size_t value, size_t standard)
{
    return value ? value : standard;
}

static int64_t time_or(double seconds, double standard)
{
    if (seconds < 0) return never_ns;
    return tn__seconds_to_ns(seconds > 0 ? seconds : standard);
}

/* Heads and arguments are measured in 32 bits, and there must be room for the fields. */
static uint32_t at_most(size_t value, uint32_t most)
{
    return value < most ? (uint32_t)value : most;
}

static void fill_in(tn__http_server *s, const tn_http_opts *opts)
{
    tn_http_opts *o = &s->opts;
    if (opts) *o = *opts;
    o->head_bytes_max = size_or(o->head_bytes_max, 65536);
    o->target_bytes_max = size_or(o->target_bytes_max, 8192);
    o->fields_max = size_or(o->fields_max, 128);
    o->body_bytes_max = size_or(o->body_bytes_max, 104857600);
    if (o->body_bytes_max > SIZE_MAX / 2) o->body_bytes_max = SIZE_MAX / 2; /* there is room for more in the arena */
    o->arguments_max = at_most(size_or(o->arguments_max, 1000), UINT32_MAX);
    o->write_bytes_max = size_or(o->write_bytes_max, 104857600);
    o->connections_max = size_or(o->connections_max, 50000);
    s->limits = (tn__head_limits){
        .head_bytes_max = at_most(o->head_bytes_max, 1 << 30),
        .target_bytes_max = at_most(o->target_bytes_max, 1 << 30),
        .fields_max = at_most(o->fields_max, 1 << 20),
    };
    s->idle_ns = time_or(o->idle_timeout, 3600);
    s->head_ns = time_or(o->head_timeout, 60);
    s->body_ns = time_or(o->body_timeout, 60);
    s->send_ns = time_or(o->send_timeout, 60);
}

tn__http_server *tn__http_server_new(tn_loop *loop, const tn__http_delegate *delegate, void *app, const tn_http_opts *opts)
{
    tn__http_server *s = tn__zalloc(sizeof *s);
    if (!s) return NULL;
    s->loop = loop;
    s->delegate = delegate;
    s->app = app;
    fill_in(s, opts);
    tn__list_init(&s->connections);
    tn__list_init(&s->acceptors);
    tn__work_init(&s->stop_work, NULL);
    s->fields = tn__alloc(s->limits.fields_max * sizeof *s->fields);
    if (s->fields) return s;
    tn__free(s);
    return NULL;
}

static void on_accepted(tn__acceptor *acceptor, int fd, const tn_addr *peer)
{
    tn__http_server *s = acceptor->owner;
    tn__http1_open(s, fd, peer); /* closes it when it fails */
}

int tn__http_server_listen(tn__http_server *s, int fd)
{
    listener *l = tn__zalloc(sizeof *l);
    int e = TN_ENOMEM;
    if (l) {
        l->acceptor.accepted = on_accepted;
        l->acceptor.owner = s;
        e = tn__acceptor_start(s->loop, &l->acceptor, fd);
    }
    if (e < 0) {
        tn__free(l);
        close(fd);
        return e;
    }
    tn__list_push(&s->acceptors, &l->node);
    if (s->full) tn__acceptor_pause(&l->acceptor);
    return TN_OK;
}

static void set_full(tn__http_server *s, bool full)
{
    if (s->full == full) return;
    s->full = full;
    for (tn__list *at = s->acceptors.next; at != &s->acceptors; at = at->next) {
        tn__acceptor *a = &TN__OWNER(at, listener, node)->acceptor;
        if (full)
            tn__acceptor_pause(a);
        else
            tn__acceptor_resume(a);
    }
}

void tn__http_server_added(tn__http_server *s, tn__http1 *c)
{
    tn__list_push(&s->connections, &c->node);
    if (++s->connections_n >= s->opts.connections_max) set_full(s, true);
}

static void really_free(tn__http_server *s)
{
    tn__work_cancel(&s->stop_work);
    tn__free(s->fields);
    tn__free(s);
}

static void stop_now(tn_loop *loop, tn__work *work)
{
    (void)loop;
    tn__http_server *s = TN__OWNER(work, tn__http_server, stop_work);
    if (s->connections_n == 0 && s->stopped) s->stopped(s->stopped_arg);
}

void tn__http_server_removed(tn__http_server *s, tn__http1 *c)
{
    tn__list_remove(&c->node);
    s->connections_n--;
    if (s->full && !s->draining) set_full(s, false);
    if (s->connections_n > 0) return;
    if (s->freed)
        really_free(s);
    else if (s->stopped)
        tn__soon(s->loop, &s->stop_work);
}

void tn__http_server_stop_listening(tn__http_server *s)
{
    tn__list *node;
    while ((node = tn__list_pop(&s->acceptors))) {
        listener *l = TN__OWNER(node, listener, node);
        tn__acceptor_stop(&l->acceptor);
        tn__free(l);
    }
}

void tn__http_server_when_empty(tn__http_server *s, void (*empty)(void *arg), void *arg)
{
    s->stopped = empty;
    s->stopped_arg = arg;
    s->stop_work.run = stop_now;
    if (s->connections_n == 0) tn__soon(s->loop, &s->stop_work);
}

void tn__http_server_drain(tn__http_server *s, void (*stopped)(void *arg), void *arg)
{
    if (s->draining) return;
    s->draining = true;
    tn__http_server_stop_listening(s);
    for (tn__list *at = s->connections.next; at != &s->connections; at = at->next) tn__http1_retire(TN__OWNER(at, tn__http1, node));
    tn__http_server_when_empty(s, stopped, arg);
}

void tn__http_server_close_all(tn__http_server *s)
{
    for (tn__list *at = s->connections.next; at != &s->connections; at = at->next) {
        tn__http1_close(TN__OWNER(at, tn__http1, node));
    }
}

void tn__http_server_free(tn__http_server *s)
{
    if (!s) return;
    tn__http_server_stop_listening(s);
    s->draining = true;
    s->stopped = NULL;
    s->connections_n++; /* ours, so that the last connection does not free the server under this loop */
    tn__list *node;
    while ((node = tn__list_pop(&s->connections))) tn__http1_destroy(TN__OWNER(node, tn__http1, node));
    s->freed = true;
    if (--s->connections_n == 0) really_free(s);
}
