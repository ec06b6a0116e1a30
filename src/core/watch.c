/* Foreign descriptors: tn_loop_add_handler and its kin. Level-triggered; a table by descriptor number finds their watchers. */
#include "base/alloc.h"
#include "turn.h"

typedef struct tn__fd_watch {
    tn__io io;
    tn_fd_callback *fn;
    void *arg;
} tn__fd_watch;

enum { CAP_MIN = 64 };

static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    (void)loop;
    tn__fd_watch *w = TN__OWNER(io, tn__fd_watch, io);
    w->fn(w->arg, io->fd, events & (TN_READ | TN_WRITE | TN_ERROR)); /* which may remove it */
}

static tn__fd_watch *find(const tn_loop *loop, int fd)
{
    return fd >= 0 && (size_t)fd < loop->watch_cap ? loop->watches[fd] : NULL;
}

static int make_room(tn_loop *loop, size_t fd)
{
    if (fd < loop->watch_cap) return 0;
    size_t cap = loop->watch_cap ? loop->watch_cap : CAP_MIN;
    while (cap <= fd) cap *= 2;
    tn__fd_watch **watches = tn__realloc(loop->watches, cap * sizeof *watches);
    if (!watches) return TN_ENOMEM;
    for (size_t i = loop->watch_cap; i < cap; i++) watches[i] = NULL;
    loop->watches = watches;
    loop->watch_cap = cap;
    return 0;
}

int tn_loop_add_handler(tn_loop *loop, int fd, unsigned events, tn_fd_callback *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_loop_add_handler");
    if (fd < 0) return -EBADF;
    if (find(loop, fd)) return TN_EEXIST;
    TN_TRY(make_room(loop, (size_t)fd));
    tn__fd_watch *w = tn__alloc(sizeof *w);
    if (!w) return TN_ENOMEM;
    *w = (tn__fd_watch){.io = {.fd = fd, .interest = events & (TN_READ | TN_WRITE), .ready = on_ready}, .fn = fn, .arg = arg};
    int result = tn__io_add(loop, &w->io);
    if (result < 0)
        tn__free(w);
    else
        loop->watches[fd] = w;
    return result;
}

int tn_loop_update_handler(tn_loop *loop, int fd, unsigned events)
{
    tn__loop_check_thread(loop, "tn_loop_update_handler");
    tn__fd_watch *w = find(loop, fd);
    return w ? tn__io_update(loop, &w->io, events & (TN_READ | TN_WRITE)) : TN_ENOENT;
}

void tn_loop_remove_handler(tn_loop *loop, int fd)
{
    tn__loop_check_thread(loop, "tn_loop_remove_handler");
    tn__fd_watch *w = find(loop, fd);
    if (!w) return;
    loop->watches[fd] = NULL;
    tn__io_remove(loop, &w->io);
    tn__free(w);
}

void tn__watches_done(tn_loop *loop)
{
    for (size_t fd = 0; fd < loop->watch_cap; fd++)
        if (loop->watches[fd]) tn_loop_remove_handler(loop, (int)fd);
    tn__free(loop->watches);
    loop->watches = NULL;
    loop->watch_cap = 0;
}
