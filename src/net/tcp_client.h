/*
 * Connecting: from a name to a stream. Resolves it, tries its addresses in the manner of RFC 8305 ("Happy Eyeballs"), keeps the
 * first connection that succeeds, and closes the others.
 */
#ifndef TN_NET_TCP_CLIENT_H
#define TN_NET_TCP_CLIENT_H

#include "iostream_ops.h"
#include "resolver.h"

typedef struct tn__dial_opts {
    tn_str host; /* a name, an IP address, or "unix:" and a path */
    uint16_t port;
    int family;            /* AF_UNSPEC: any */
    tn_addr source;        /* bind to this first; zeroed: the system chooses. Only addresses of its family are tried */
    uint16_t source_port;  /* without a source: bind to this port first; 0: the system chooses */
    int64_t timeout_ns;    /* for everything together; 0: none */
    int64_t next_delay_ns; /* after so long the next address is tried as well; 0: 250 ms (RFC 8305, 5) */
    tn__stream_limits limits;
    tn_tls *tls;             /* NULL: none */
    const char *server_name; /* for TLS; borrowed until the end */
    tn_error *err;           /* likewise; for what TLS has to say; may be NULL */
} tn__dial_opts;

typedef struct tn__dial tn__dial;

/* One address that is being tried. */
typedef struct tn__attempt {
    tn__io io; /* fd is -1 when it is over */
    tn__dial *dial;
} tn__attempt;

/* Lies with whoever waits until the operation has ended or was cancelled. */
struct tn__dial {
    tn_loop *loop;
    tn__op *op;
    tn_stream **out;
    tn_addr source;
    uint16_t source_port;
    tn__lookup lookup;
    tn__op step;      /* the resolver's, then that of TLS */
    tn__iostream *io; /* during the handshake */
    tn_tls *tls;
    const char *server_name;
    tn_error *err;
    tn__timeout next; /* tries one more address */
    tn__timeout deadline;
    int64_t next_delay_ns;
    tn__stream_limits limits;
    int error;          /* the last one */
    const char *reason; /* why a name could not be resolved: static text, or NULL */
    tn_addr only;       /* the address, where there was nothing to resolve */
    const tn_addr *addrs[TN__RESOLVER_ADDRS_MAX];
    tn__attempt attempts[TN__RESOLVER_ADDRS_MAX];
    size_t addr_n, attempt_n, open_n;
};

/*
 * Connect. TN_OK, with the stream in `*out`, which the caller frees; TN__PENDING, and then `op` ends so; TN_ERESOLVE, TN_ETIMEDOUT,
 * TN_EINVAL, TN_ENOMEM, or the system's error for the last address that was tried. `host` is not needed any more after the call.
 */
int tn__dial_begin(tn__dial *d, tn_loop *loop, const tn__dial_opts *opts, tn_stream **out, tn__op *op);

/*
 * The order in which addresses are tried: as they are, but the families take turns, beginning with the first address's (RFC 8305,
 * section 4). Those of another family than `family` are left out, unless it is AF_UNSPEC. Returns how many.
 */
size_t tn__dial_order(const tn_addr *addrs, size_t n, int family, const tn_addr **order);

#endif
