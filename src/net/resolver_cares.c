/*
 * Names to addresses with c-ares: see resolver_cares.h.
 *
 * One channel of c-ares serves all questions of a loop. It tells us which sockets it wants watched, and we tell it which are
 * ready and when its next deadline has come. A single question cannot be taken back from it; one whose asker lost interest stays
 * with c-ares until that is through with it, but refers to nothing of the asker's any more.
 */
#include "resolver_cares.h"

#if TN_HAVE_CARES

#include <ares.h>

#include "base/alloc.h"
#include "core/loop.h"

struct tn__cares {
    tn_loop *loop;
    ares_channel channel;
    tn__timeout timeout; /* the first deadline of all questions */
};

/* A question while c-ares has it. */
typedef struct query {
    tn__cares *cares;
    tn__answer *answer; /* NULL: the asker lost interest */
    tn__op *op;         /* NULL as long as tn__cares_ask has not returned */
    int result;         /* TN__PENDING until then */
} query;

/* -- Sockets and time -- */

/* Called whenever the next deadline of c-ares may have changed. A timeout of the wheel cannot fail to be set, and is never early. */
static void set_timeout(tn__cares *c)
{
    struct timeval left;
    if (ares_timeout(c->channel, NULL, &left))
        tn__timeout_set(c->loop, &c->timeout, tn__loop_now(c->loop) + left.tv_sec * 1000000000LL + left.tv_usec * 1000LL);
    else
        tn__timeout_clear(&c->timeout);
}

static void on_timeout(tn_loop *loop, tn__timeout *timeout)
{
    tn__cares *c = TN__OWNER(timeout, tn__cares, timeout);
    (void)loop;
    ares_process_fd(c->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timeout(c);
}

static void on_ready(void *arg, int fd, unsigned events)
{
    tn__cares *c = arg;
    bool failed = events & TN_ERROR; /* which c-ares learns by trying */
    ares_process_fd(c->channel, failed || events & TN_READ ? fd : ARES_SOCKET_BAD, events & TN_WRITE ? fd : ARES_SOCKET_BAD);
    set_timeout(c);
}

/* c-ares wants a socket watched, or is about to close it. One that we cannot watch for lack of memory runs into its deadline. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
    tn__cares *c = arg;
    unsigned events = (readable ? TN_READ : 0) | (writable ? TN_WRITE : 0);
    if (!events)
        tn_loop_remove_handler(c->loop, fd);
    else if (tn_loop_update_handler(c->loop, fd, events) == TN_ENOENT)
        tn_loop_add_handler(c->loop, fd, events, on_ready, c);
}

/* -- Questions -- */

/* What an end that c-ares reports means to the asker. */
static int result_of(int status, tn__answer *answer)
{
    switch (status) {
    case ARES_SUCCESS: return TN_OK;
    case ARES_ENOMEM: return TN_ENOMEM;
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION: return TN_ECANCELED;
    default: answer->reason = ares_strerror(status); return TN_ERESOLVE;
    }
}

static int take(tn__answer *answer, int status, const struct ares_addrinfo *found)
{
    TN_TRY(result_of(status, answer));
    const struct ares_addrinfo_node *node = found->nodes;
    for (; node && answer->n < TN__RESOLVER_ADDRS_MAX; node = node->ai_next)
        if (tn_addr_set(&answer->addrs[answer->n], node->ai_addr, node->ai_addrlen) == TN_OK) answer->n++;
    return answer->n ? TN_OK : result_of(ARES_ENODATA, answer);
}

/* Called once for each question, often before ares_getaddrinfo returns. */
static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    query *q = arg;
    (void)timeouts;
    int result = q->answer ? take(q->answer, status, found) : TN_ECANCELED;
    if (found) ares_freeaddrinfo(found);
    q->result = result;
    if (q->answer && !q->op) return; /* tn__cares_ask is still there to hand it over */
    if (q->op) tn__op_end(q->cares->loop, q->op, result);
    tn__free(q);
}

/* The asker's operation was cancelled. */
static void withdraw(tn__op *op)
{
    query *q = op->holder;
    q->answer = NULL;
    q->op = NULL;
}

int tn__cares_ask(tn__cares *c, const char *host, int family, tn__answer *answer, tn__op *op)
{
    struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    query *q = tn__alloc(sizeof(*q));
    if (!q) return TN_ENOMEM;
    *q = (query){.cares = c, .answer = answer, .result = TN__PENDING};
    ares_getaddrinfo(c->channel, host, NULL, &hints, on_answer, q);
    set_timeout(c);
    int result = q->result;
    if (result == TN__PENDING) {
        q->op = op;
        tn__op_begin(op, q, withdraw);
    } else {
        tn__free(q);
    }
    return result;
}

/* -- The channel -- */

static int start(tn__cares *c, const tn__cares_opts *opts)
{
    struct ares_options options = {
        .sock_state_cb = on_socket, .sock_state_cb_data = c, .timeout = opts->try_ms, .tries = opts->tries};
    int mask = ARES_OPT_SOCK_STATE_CB | (opts->try_ms ? ARES_OPT_TIMEOUTMS : 0) | (opts->tries ? ARES_OPT_TRIES : 0);
    int status = ares_init_options(&c->channel, &options, mask); /* only Windows needs ares_library_init before */
    if (status == ARES_SUCCESS && opts->servers) {
        status = ares_set_servers_ports_csv(c->channel, opts->servers);
        if (status != ARES_SUCCESS) ares_destroy(c->channel);
    }
    if (status == ARES_SUCCESS) return TN_OK;
    return status == ARES_ENOMEM ? TN_ENOMEM : TN_EINVAL;
}

int tn__cares_new(tn__cares **out, tn_loop *loop, const tn__cares_opts *opts)
{
    tn__cares *c = tn__zalloc(sizeof(*c));
    if (!c) return TN_ENOMEM;
    c->loop = loop;
    tn__timeout_init(&c->timeout, on_timeout);
    int result = start(c, opts);
    if (result == TN_OK)
        *out = c;
    else
        tn__free(c);
    return result;
}

void tn__cares_free(tn__cares *c)
{
    if (!c) return;
    ares_destroy(c->channel); /* which ends the questions and closes the sockets, and says so */
    tn__timeout_stop(&c->timeout);
    tn__free(c);
}

#else /* a build without the library */

int tn__cares_new(tn__cares **out, tn_loop *loop, const tn__cares_opts *opts)
{
    (void)out, (void)loop, (void)opts;
    return TN_ENOTSUP;
}

void tn__cares_free(tn__cares *c)
{
    (void)c;
}

int tn__cares_ask(tn__cares *c, const char *host, int family, tn__answer *answer, tn__op *op)
{
    (void)c, (void)host, (void)family, (void)answer, (void)op;
    return TN_ENOTSUP;
}

#endif
