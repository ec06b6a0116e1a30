/*
 * Names to addresses without holding up the loop: getaddrinfo on a small pool of threads of its own, so that slow name servers delay
 * nobody but those who ask; or c-ares, which needs no threads, where that is built in and wanted. Called by clients before they
 * connect. Loop thread only.
 */
#ifndef TN_NET_RESOLVER_H
#define TN_NET_RESOLVER_H

#include "core/op.h"
#include "tornado/netutil.h"

enum {
    TN__RESOLVER_THREADS = 4,    /* a good `threads_max` */
    TN__RESOLVER_ADDRS_MAX = 32, /* of a longer answer the rest is left out */
};

typedef struct tn__resolver tn__resolver;

/*
 * What a thread of the pool does to resolve a name: fill at most `max` addresses, whose ports are set later, and return how many, or
 * TN_ERESOLVE with a static text in `reason`, or another error.
 */
typedef int tn__resolver_ask(const char *host, int family, tn_addr *addrs, size_t max, const char **reason);

/*
 * A resolver for one loop, to be freed before it; it starts threads when it is asked. NULL for lack of memory.
 *
 * The environment variable TORNADO_RESOLVER says who answers: "threads", which is the default, or "cares". When what it says cannot
 * be had, a warning does so, and threads answer.
 */
tn__resolver *tn__resolver_new(tn_loop *loop, int threads_max);

/* Waits for the threads, which may be waiting for a name server. Lookups that still wait end with TN_ECANCELED. NULL is fine. */
void tn__resolver_free(tn__resolver *r);

/* Ask something else than the system: another library, or a test's slow and failing names. It is called on any thread. */
void tn__resolver_set_ask(tn__resolver *r, tn__resolver_ask *ask);

/*
 * Ask with c-ares from now on, until tn__resolver_set_ask. To be called once at most.
 *
 * servers: whom to ask instead of the system's name servers, as "address:port" with commas between; NULL: those. try_ms, tries: how
 * long to wait for a server, and how often to ask; 0: what the system's configuration says. TN_ENOTSUP when c-ares is not built in;
 * TN_ENOMEM; TN_EINVAL for servers that are none.
 */
typedef struct tn__cares_opts {
    const char *servers;
    int try_ms, tries;
} tn__cares_opts;
int tn__resolver_use_cares(tn__resolver *r, const tn__cares_opts *opts);

/*
 * Tornado's OverrideResolver: whoever asks for `host` gets `to_host`, a name or an IP address, instead.
 *
 * port, family: only those who ask for this port (-1: any) and this family (AF_UNSPEC: any); what says more wins over what says
 * less, and the latest of equals wins. to_port: the port they get, -1 for the one that they asked for. TN_ENOMEM.
 */
typedef struct tn__override {
    tn_str host;
    int port, family;
    tn_str to_host;
    int to_port;
} tn__override;
int tn__resolver_override(tn__resolver *r, const tn__override *override);

/* A question and its answer, embedded in what asks. Zeroed is none. */
typedef struct tn__lookup {
    const tn_addr *addrs; /* best first, as the system sorts them (RFC 6724); valid until tn__lookup_done */
    size_t n;
    const char *reason; /* static text why a name could not be resolved; NULL when there is none to tell */
    struct tn__question *question;
} tn__lookup;

/*
 * Resolve `host` for stream sockets, all addresses with the port given.
 *
 * host: a name, or an IP address, which is answered at once. family: AF_INET, AF_INET6, or AF_UNSPEC for both. Returns TN_OK or
 * TN__PENDING, and then `op` ends with TN_OK, with at least one address in `l`, or with why there is none; TN_ERESOLVE when the
 * name has none. Cancelling `op` forgets the question. In every case call tn__lookup_done at the end.
 */
int tn__resolve(tn__resolver *r, tn__lookup *l, tn_str host, uint16_t port, int family, tn__op *op);

/* Give the answer back, or lose interest in it. Harmless when there is none, and a second time. */
void tn__lookup_done(tn__lookup *l);

#endif
