/* Waiting for child processes: see child.h. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "turn.h"

enum { CODE_UNKNOWN = 255 }; /* somebody else has reaped it, and its status is lost */

/* A descriptor that becomes readable when the process ends; close-on-exec by itself. Negative where there is no such thing. */
static int open_process(pid_t pid)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

static void forget(tn__child *c)
{
    int fd = c->io.fd;
    if (fd >= 0) {
        tn__io_remove(c->loop, &c->io);
        close(fd);
    }
    tn__list_remove(&c->node);
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Has it ended? Then it is reaped, and its owner told, who may free it. */
static void look(tn__child *c)
{
    int status;
    pid_t pid = waitpid(c->pid, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) return;
    int code = pid < 0 ? CODE_UNKNOWN : code_of(status);
    forget(c);
    c->ended(c, code);
}

static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    (void)loop, (void)events;
    look(TN__OWNER(io, tn__child, io));
}

/*
 * Some child has ended, or several. What an owner does when told may end the watching of others, or start new ones: so those that
 * are still to be looked at are in a list of their own.
 */
static void on_signal(void *arg, int signum)
{
    (void)signum;
    tn_loop *loop = arg;
    tn__list all;
    tn__list_init(&all);
    tn__list_splice(&all, &loop->children);
    for (tn__list *node; (node = tn__list_pop(&all));) {
        tn__list_push(&loop->children, node);
        look(TN__OWNER(node, tn__child, node));
    }
}

int tn__child_watch(tn_loop *loop, tn__child *c, pid_t pid, tn__child_way way)
{
    c->loop = loop;
    c->pid = pid;
    c->io = (tn__io){.fd = way == TN__CHILD_ANY ? open_process(pid) : -1, .interest = TN_READ, .ready = on_ready};
    tn__list_init(&c->node);
    if (c->io.fd >= 0) {
        int result = tn__io_add(loop, &c->io);
        if (result < 0) {
            close(c->io.fd);
            c->io.fd = -1;
            return result;
        }
    } else if (!loop->child_signal) {
        TN_TRY(tn_signal_watch(loop, SIGCHLD, on_signal, loop));
        loop->child_signal = true;
        tn__calls_signal(loop, SIGCHLD); /* it may have ended already */
    }
    tn__list_push(&loop->children, &c->node);
    return TN_OK;
}

int tn__child_kill(tn__child *c, int signum)
{
    if (!tn__child_running(c)) return TN_ECLOSED;
    return kill(c->pid, signum) < 0 ? -errno : TN_OK;
}

void tn__children_done(tn_loop *loop)
{
    for (tn__list *node; (node = tn__list_pop(&loop->children));) {
        tn__child *c = TN__OWNER(node, tn__child, node);
        forget(c);
        if (c->dropped) c->dropped(c);
    }
}
