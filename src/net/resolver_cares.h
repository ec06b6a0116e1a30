/*
 * Names to addresses with c-ares, a library that speaks DNS itself: its sockets are watched by the loop and its deadlines are the
 * loop's, so that no threads are needed and any number of questions may wait at once. Only the resolver calls this, when it was
 * told to. A build without the library has the same functions, and TN_ENOTSUP comes from the first of them. Loop thread only.
 */
#ifndef TN_NET_RESOLVER_CARES_H
#define TN_NET_RESOLVER_CARES_H

#include "core/op.h"
#include "resolver.h"

typedef struct tn__cares tn__cares;

/* An answer, whoever gives it. */
typedef struct tn__answer {
    size_t n;
    const char *reason; /* static text why there is none; or NULL */
    tn_addr addrs[TN__RESOLVER_ADDRS_MAX];
} tn__answer;

/*
 * Start c-ares for one loop, before which it is to be freed. It reads the system's configuration once, here.
 *
 * Fails with TN_ENOTSUP when the library is not built in, TN_ENOMEM, or TN_EINVAL for servers or a configuration that it does not
 * understand.
 */
int tn__cares_new(tn__cares **out, tn_loop *loop, const tn__cares_opts *opts);

/* Questions that still wait end with TN_ECANCELED. NULL is fine. */
void tn__cares_free(tn__cares *c);

/*
 * Ask for a name. The file of hosts is looked at before any server is asked, and may answer at once.
 *
 * family: AF_INET, AF_INET6, or AF_UNSPEC for both. Returns TN_OK, a failure, or TN__PENDING, and then `op` ends with one of these.
 * With TN_OK there is at least one address in `answer`; TN_ERESOLVE comes with a reason. `answer` must stay until then, or until
 * `op` is cancelled; `host` may go at once. TN_ENOMEM.
 */
int tn__cares_ask(tn__cares *c, const char *host, int family, tn__answer *answer, tn__op *op);

#endif
