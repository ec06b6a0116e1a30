/*
 * Names to addresses. A question is one block of memory that holds the name, room for the answer, and the operation on which the
 * pool or c-ares works; the asker's own operation stands behind it.
 *
 * A question belongs to its lookup until the lookup is done with it. If a thread has it at that moment, it belongs to the executor
 * from there on, which frees it as an orphan. c-ares keeps no pointer to it.
 */
#include "resolver.h"

#include <assert.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "core/executor.h"
#include "core/loop.h"
#include "resolver_cares.h"

enum { HOST_BYTES_MAX = 255 }; /* RFC 1035, 2.3.4 */

struct tn__resolver {
    tn_loop *loop;
    tn__executor *executor;
    tn__cares *cares;
    tn__resolver_ask *ask;   /* on threads; NULL: c-ares is asked */
    tn__override *overrides; /* their strings are ours */
    size_t override_n;
};

struct tn__question {
    tn__lookup *lookup; /* the asker's; NULL once it lost interest */
    tn__op *asker;      /* NULL once it was answered */
    tn__op work;
    tn__resolver_ask *ask; /* NULL: c-ares has it */
    int family;
    uint16_t port;
    tn__answer answer;
    char host[];
};

/* -- On the threads -- */

static int ask_system(const char *host, int family, tn_addr *addrs, size_t max, const char **reason)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    size_t n = 0;

    int code = getaddrinfo(host, NULL, &hints, &found);
    if (code == EAI_SYSTEM) return errno ? -errno : TN_ERESOLVE;
    if (code == EAI_MEMORY) return TN_ENOMEM;
    if (code) {
        *reason = gai_strerror(code);
        return TN_ERESOLVE;
    }
    for (struct addrinfo *a = found; a && n < max; a = a->ai_next)
        if (tn_addr_set(&addrs[n], a->ai_addr, a->ai_addrlen) == TN_OK) n++;
    freeaddrinfo(found);
    return (int)n;
}

static int answer(void *arg)
{
    struct tn__question *q = arg;
    int n = q->ask(q->host, q->family, q->answer.addrs, TN__RESOLVER_ADDRS_MAX, &q->answer.reason);
    if (n <= 0) return n < 0 ? n : TN_ERESOLVE;
    q->answer.n = (size_t)n;
    return TN_OK;
}

/* -- Questions -- */

/* Neither an asker nor a lookup points to it any more: free it, now or when its thread is through with it. */
static void abandon(struct tn__question *q)
{
    bool with_executor = q->ask && q->work.state == TN__OP_PENDING;
    tn__op_cancel(&q->work);
    if (!with_executor) tn__free(q);
}

/* The asker's operation was cancelled. */
static void withdraw(tn__op *asker)
{
    struct tn__question *q = asker->holder;
    *q->lookup = (tn__lookup){0};
    abandon(q);
}

void tn__lookup_done(tn__lookup *l)
{
    struct tn__question *q = l->question;
    if (!q) return;
    if (q->asker) {
        tn__op_cancel(q->asker); /* withdraws */
    } else {
        *l = (tn__lookup){0};
        abandon(q);
    }
}

/* Hand the answer to the lookup, with the port that was asked for. */
static void show(struct tn__question *q)
{
    for (size_t i = 0; i < q->answer.n; i++) tn_addr_set_port(&q->answer.addrs[i], q->port);
    q->lookup->addrs = q->answer.addrs;
    q->lookup->n = q->answer.n;
    q->lookup->reason = q->answer.reason;
}

static void on_answer(tn_loop *loop, tn__op *work, int result)
{
    struct tn__question *q = TN__OWNER(work, struct tn__question, work);
    tn__op *asker = q->asker;
    q->asker = NULL;
    show(q);
    tn__op_end(loop, asker, result);
}

static struct tn__question *question_new(tn__resolver *r, tn__lookup *l, tn_str host, uint16_t port, int family)
{
    struct tn__question *q = tn__alloc(sizeof(*q) + host.n + 1);
    if (!q) return NULL;
    memset(q, 0, sizeof(*q));
    q->lookup = l;
    q->ask = r->ask;
    q->family = family;
    q->port = port;
    tn__op_init(&q->work, on_answer);
    memcpy(q->host, host.p, host.n);
    q->host[host.n] = 0;
    return q;
}

/* -- Overrides -- */

static bool applies(const tn__override *o, tn_str host, uint16_t port, int family)
{
    return tn_str_caseeq(o->host, host) && (o->port < 0 || o->port == port) && (o->family == AF_UNSPEC || o->family == family);
}

/* How much an override says beyond the host. */
static int weight(const tn__override *o)
{
    return (o->port >= 0) + (o->family != AF_UNSPEC);
}

static const tn__override *find_override(const tn__resolver *r, tn_str host, uint16_t port, int family)
{
    const tn__override *best = NULL;
    for (size_t i = 0; i < r->override_n; i++) {
        const tn__override *o = &r->overrides[i];
        if (applies(o, host, port, family) && (!best || weight(o) >= weight(best))) best = o;
    }
    return best;
}

/* Both strings in one block, to which o->host points. */
static int copy_strings(tn__override *o)
{
    char *text = tn__alloc(o->host.n + o->to_host.n + 1);
    if (!text) return TN_ENOMEM;
    memcpy(text, o->host.p, o->host.n);
    memcpy(text + o->host.n, o->to_host.p, o->to_host.n);
    o->host.p = text;
    o->to_host.p = text + o->host.n;
    return TN_OK;
}

int tn__resolver_override(tn__resolver *r, const tn__override *override)
{
    tn__override o = *override;
    tn__override *grown = tn__realloc(r->overrides, (r->override_n + 1) * sizeof(*grown));
    if (!grown) return TN_ENOMEM;
    r->overrides = grown;
    TN_TRY(copy_strings(&o));
    r->overrides[r->override_n++] = o;
    return TN_OK;
}

/* -- The resolver -- */

int tn__resolver_use_cares(tn__resolver *r, const tn__cares_opts *opts)
{
    assert(!r->cares);
    TN_TRY(tn__cares_new(&r->cares, r->loop, opts));
    r->ask = NULL;
    return TN_OK;
}

static void obey_environment(tn__resolver *r)
{
    const char *wanted = getenv("TORNADO_RESOLVER");
    if (!wanted || !*wanted || strcmp(wanted, "threads") == 0) return;
    int result = strcmp(wanted, "cares") == 0 ? tn__resolver_use_cares(r, &(tn__cares_opts){0}) : TN_EINVAL;
    if (result < 0)
        TN__SAY(&r->loop->report, TN_LOG_WARNING, TN_LOG_GENERAL, "TORNADO_RESOLVER=%s: %s; names are resolved on threads", wanted,
                tn_strerror(result));
}

tn__resolver *tn__resolver_new(tn_loop *loop, int threads_max)
{
    tn__resolver *r = tn__zalloc(sizeof(*r));
    if (!r) return NULL;
    r->loop = loop;
    r->ask = ask_system;
    r->executor = tn__executor_new(loop, threads_max);
    if (!r->executor) {
        tn__free(r);
        return NULL;
    }
    obey_environment(r);
    return r;
}

void tn__resolver_set_ask(tn__resolver *r, tn__resolver_ask *ask)
{
    r->ask = ask;
}

/* An IP address needs nobody's help. TN_OK, or TN_ESYNTAX for a name. */
static int answer_numeric(struct tn__question *q, tn_str host)
{
    TN_TRY(tn_addr_parse_ip_s(&q->answer.addrs[0], host, q->port));
    if (q->family != AF_UNSPEC && q->family != tn_addr_family(&q->answer.addrs[0])) {
        q->answer.reason = "the address is of another family";
        return TN_ERESOLVE;
    }
    q->answer.n = 1;
    return TN_OK;
}

/* Give the question to whoever answers it. TN__PENDING, or the end of it when there is no need to wait. */
static int hand_over(tn__resolver *r, struct tn__question *q)
{
    if (!q->ask) return tn__cares_ask(r->cares, q->host, q->family, &q->answer, &q->work);
    return tn__executor_submit_to(r->executor, answer, q, tn__free, &q->work);
}

int tn__resolve(tn__resolver *r, tn__lookup *l, tn_str host, uint16_t port, int family, tn__op *op)
{
    const tn__override *o = find_override(r, host, port, family);
    if (o) {
        host = o->to_host;
        if (o->to_port >= 0) port = (uint16_t)o->to_port;
    }
    *l = (tn__lookup){0};
    if (host.n == 0 || host.n > HOST_BYTES_MAX || memchr(host.p, 0, host.n)) return TN_ERESOLVE;
    struct tn__question *q = question_new(r, l, host, port, family);
    if (!q) return TN_ENOMEM;

    int result = answer_numeric(q, host);
    if (result == TN_ESYNTAX) result = hand_over(r, q);
    l->question = q;
    if (result != TN__PENDING) {
        show(q);
        return result;
    }
    q->asker = op;
    tn__op_begin(op, q, withdraw);
    return TN__PENDING;
}

void tn__resolver_free(tn__resolver *r)
{
    if (!r) return;
    tn__executor_free(r->executor);
    tn__cares_free(r->cares);
    for (size_t i = 0; i < r->override_n; i++) tn__free((char *)r->overrides[i].host.p);
    tn__free(r->overrides);
    tn__free(r);
}
