/*
 * Names to addresses. A question is one block of memory that holds the name, room for the answer, and the operation on which the
 * pool works; the asker's own operation stands behind it.
 *
 * A question belongs to its lookup until the lookup is done with it. If a thread has it at that moment, it belongs to the executor
 * from there on, which frees it as an orphan.
 */
#include "resolver.h"

#include <netdb.h>

#include "base/alloc.h"
#include "core/executor.h"

enum { HOST_BYTES_MAX = 255 }; /* RFC 1035, 2.3.4 */

struct tn__resolver {
    tn_loop *loop;
    tn__executor *executor;
    tn__resolver_ask *ask;
    tn__override *overrides; /* their strings are ours */
    size_t override_n;
};

struct tn__question {
    tn__lookup *lookup; /* the asker's; NULL once it lost interest */
    tn__op *asker;      /* NULL once it was answered */
    tn__op work;
    tn__resolver_ask *ask;
    int family;
    uint16_t port;
    const char *reason;
    size_t n;
    tn_addr addrs[TN__RESOLVER_ADDRS_MAX];
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
    int n = q->ask(q->host, q->family, q->addrs, TN__RESOLVER_ADDRS_MAX, &q->reason);
    if (n <= 0) return n < 0 ? n : TN_ERESOLVE;
    for (int i = 0; i < n; i++) tn_addr_set_port(&q->addrs[i], q->port);
    q->n = (size_t)n;
    return TN_OK;
}

/* -- Questions -- */

/* Neither an asker nor a lookup points to it any more: free it, now or when its thread is through with it. */
static void abandon(struct tn__question *q)
{
    bool with_executor = q->work.state == TN__OP_PENDING;
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

/* Hand the answer to the lookup. */
static void show(struct tn__question *q)
{
    q->lookup->addrs = q->addrs;
    q->lookup->n = q->n;
    q->lookup->reason = q->reason;
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

tn__resolver *tn__resolver_new(tn_loop *loop, int threads_max)
{
    tn__resolver *r = tn__zalloc(sizeof(*r));
    if (!r) return NULL;
    r->loop = loop;
    r->ask = ask_system;
    r->executor = tn__executor_new(loop, threads_max);
    if (r->executor) return r;
    tn__free(r);
    return NULL;
}

void tn__resolver_set_ask(tn__resolver *r, tn__resolver_ask *ask)
{
    r->ask = ask;
}

/* An IP address needs no thread. TN_OK, or TN_ESYNTAX for a name. */
static int answer_numeric(struct tn__question *q, tn_str host)
{
    TN_TRY(tn_addr_parse_ip_s(&q->addrs[0], host, q->port));
    if (q->family != AF_UNSPEC && q->family != tn_addr_family(&q->addrs[0])) {
        q->reason = "the address is of another family";
        return TN_ERESOLVE;
    }
    q->n = 1;
    return TN_OK;
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
    if (result != TN_ESYNTAX) {
        l->question = q;
        show(q);
        return result;
    }
    result = tn__executor_submit_to(r->executor, answer, q, tn__free, &q->work);
    if (result < 0) {
        tn__free(q);
        return result;
    }
    l->question = q;
    q->asker = op;
    tn__op_begin(op, q, withdraw);
    return TN__PENDING;
}

void tn__resolver_free(tn__resolver *r)
{
    if (!r) return;
    tn__executor_free(r->executor);
    for (size_t i = 0; i < r->override_n; i++) tn__free((char *)r->overrides[i].host.p);
    tn__free(r->overrides);
    tn__free(r);
}
