/*
 * The acceptor. One readiness event takes a batch of connections; accept_batch is the one place that judges what accept answers.
 *
 * The descriptor is level-triggered, so what a full batch leaves behind comes up in the next turn. For the same reason it must not
 * be watched while accept cannot succeed, or the loop would spin: `paused` and `resting` are the two reasons to look away.
 */
#include "acceptor.h"

#include <unistd.h>

#include "socket.h"

enum { BATCH_MAX = 128 }; /* connections taken in one event, as Tornado does */

static const int64_t REST_NS_FIRST = 50000000;  /* 50 ms */
static const int64_t REST_NS_MAX = 500000000;   /* 0.5 s: with the coarse clock, an answer within 1 s of the end of a shortage */
static const int64_t SAY_AGAIN_NS = 1000000000; /* one line a second, however shortages come and go */

/* Watch the descriptor if there is no reason not to. Looking away cannot fail; looking again takes memory of the system. */
static int update_interest(tn__acceptor *a)
{
    unsigned wanted = a->paused || a->resting ? 0 : TN_READ;
    return a->io.interest != wanted ? tn__io_update(a->loop, &a->io, wanted) : TN_OK;
}

/*
 * accept, or watching for more, failed for a reason that will not go away by trying at once. One line for an episode, which ends with
 * an empty queue.
 */
static void rest(tn__acceptor *a, int error)
{
    int64_t now = tn__loop_now(a->loop);
    if (!a->short_of_room && now - a->said_ns >= SAY_AGAIN_NS) {
        TN__SAY(&a->loop->report, TN_LOG_WARNING, TN_LOG_GENERAL, "cannot accept connections for now: %s", tn_strerror(error));
        a->said_ns = now;
    }
    a->short_of_room = true;
    a->resting = true;
    (void)update_interest(a);
    tn__timeout_set(a->loop, &a->retry, now + a->rest_ns);
    a->rest_ns = a->rest_ns * 2 < REST_NS_MAX ? a->rest_ns * 2 : REST_NS_MAX;
}

/* One of the reasons to look away is gone. */
static void look_again(tn__acceptor *a)
{
    int result = update_interest(a);
    if (result < 0) rest(a, result);
}

static void end_rest(tn_loop *loop, tn__timeout *retry)
{
    tn__acceptor *a = TN__OWNER(retry, tn__acceptor, retry);
    (void)loop;
    a->resting = false;
    look_again(a);
}

/* Errors of the one connection that accept was about to give: it is gone, the next one may be fine (accept(2), "Error handling"). */
static bool is_of_one_connection(int error)
{
    switch (-error) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall's rule */
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH: return true;
#ifdef ENONET
    case EHOSTDOWN:
    case ENONET: return true;
#endif
    default: return false;
    }
}

static void accept_batch(tn_loop *loop, tn__io *io, unsigned events)
{
    tn__acceptor *a = TN__OWNER(io, tn__acceptor, io);
    bool stopped = false;
    (void)loop;
    (void)events;

    a->stopped = &stopped;
    for (int i = 0; i < BATCH_MAX && !a->paused && !a->resting; i++) {
        tn_addr peer;
        int fd = tn__socket_accept(a->io.fd, &peer);
        if (fd >= 0) {
            a->rest_ns = REST_NS_FIRST;
            a->accepted(a, fd, &peer);
            if (stopped) return; /* and `a` may be gone */
        } else if (fd == TN_EAGAIN) {
            a->short_of_room = false;
            break;
        } else if (!is_of_one_connection(fd)) {
            rest(a, fd);
            break;
        }
    }
    a->stopped = NULL;
}

int tn__acceptor_start(tn_loop *loop, tn__acceptor *a, int fd)
{
    tn_addr local;
    int result = tn__socket_local(fd, &local);
    if (result < 0) return result;
    /* Linux and the BSDs hand the option down to what is accepted: once here saves a system call for each connection. */
    if (tn_addr_family(&local) != AF_UNIX) TN_TRY(tn__socket_nodelay(fd));

    a->loop = loop;
    a->io = (tn__io){.fd = fd, .interest = TN_READ, .exclusive = true, .ready = accept_batch};
    tn__timeout_init(&a->retry, end_rest);
    a->rest_ns = REST_NS_FIRST;
    a->said_ns = INT64_MIN / 2;
    a->stopped = NULL;
    a->paused = a->resting = a->short_of_room = false;
    result = tn__io_add(loop, &a->io);
    if (result < 0) a->loop = NULL;
    return result;
}

void tn__acceptor_stop(tn__acceptor *a)
{
    if (!a->loop) return;
    int fd = a->io.fd;
    tn__timeout_stop(&a->retry);
    tn__io_remove(a->loop, &a->io);
    close(fd);
    a->io.fd = -1;
    a->loop = NULL;
    if (a->stopped) *a->stopped = true;
    a->stopped = NULL;
}

void tn__acceptor_pause(tn__acceptor *a)
{
    if (!a->loop) return;
    a->paused = true;
    (void)update_interest(a);
}

void tn__acceptor_resume(tn__acceptor *a)
{
    if (!a->loop) return;
    a->paused = false;
    look_again(a);
}
