/*
 * Connecting by name: Tornado's TCPClient and Resolver.
 *
 *     tn_stream *stream;
 *     TN_TRY(tn_connect(&stream, "example.com", 80, .timeout = 5));
 *     ...
 *     tn_stream_free(stream);
 *
 * Names are resolved on threads of the loop's own, so that a slow name server holds up nobody else. Loop thread only. All calls exist
 * since 0.1.
 */
#ifndef TORNADO_TCPCLIENT_H
#define TORNADO_TCPCLIENT_H

#include "iostream.h"
#include "tls.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_connect_opts {
    int port;              /* positional */
    double timeout;        /* seconds for resolving and connecting together; 0: as long as it takes */
    int family;            /* AF_INET or AF_INET6 only; 0: any */
    const char *source_ip; /* connect from this address; NULL: the system chooses */
    int source_port;       /* and from this port; 0: any */
    bool tls;              /* over TLS; `timeout` includes the handshake */
    tn_tls *tls_context;   /* and with this context; NULL: the standard client, which verifies and trusts whom the system trusts */
    const char *server_name; /* whom the certificate must name; NULL: the host */
    size_t read_buffer_max;  /* as of tn_stream_new */
    size_t write_buffer_max;
    double idle_timeout;
    tn_error *err; /* filled with a sentence on failure, but not by the twin; may be NULL */
    char end_;
} tn_connect_opts;

/*
 * Connect to a host, whichever of its addresses answers first: they are tried one after the other, IPv6 and IPv4 taking turns, the
 * next one a quarter of a second after the one before or as soon as that fails (RFC 8305).
 *
 * host: a name or an IP address, or "unix:" followed by the path of a Unix socket (or "@name"); a tn_str, a char * or a const char *.
 * Gives the stream in `out`; free it with tn_stream_free. TN_ERESOLVE for a name without addresses; TN_ETIMEDOUT; TN_EINVAL for a bad
 * source; TN_ETLS; or the system's error for the address tried last, such as -ECONNREFUSED. With the twin, tn_await_value gives the stream.
 */
#ifndef __cplusplus
#define tn_connect(out, host, ...)                                                                                                 \
    tn_connect_((out), TN_STR(host), &(tn_connect_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_connect_opts, end_))
#define tn_connect_start(loop, host, ...)                                                                                          \
    tn_connect_start_((loop), TN_STR(host), &(tn_connect_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_connect_opts, end_))
#endif
TN_API int tn_connect_(tn_stream **out, tn_str host, const tn_connect_opts *opts, size_t opts_size);
TN_API tn_future *tn_connect_start_(tn_loop *loop, tn_str host, const tn_connect_opts *opts, size_t opts_size);

/*
 * Resolve a name, or read an IP address: at most `n` addresses into `addrs`, best first, with this port.
 *
 * host: a tn_str, a char * or a const char *. family: AF_INET, AF_INET6, or AF_UNSPEC for both. Returns how many, at least one; TN_ERESOLVE; TN_ENOMEM. The future of the twin
 * holds an array of so many addresses: tn_future_value, or tn_await_value and free().
 *
 * The system is asked on threads, or, if the environment variable TORNADO_RESOLVER is "cares" and c-ares is built in, name servers are
 * asked without threads; here and in tn_connect.
 */
#define tn_resolve(host, port, family, addrs, n) tn_resolve_s(TN_STR(host), (port), (family), (addrs), (n))
TN_API int tn_resolve_s(tn_str host, uint16_t port, int family, tn_addr *addrs, size_t n);
#define tn_resolve_start(loop, host, port, family) tn_resolve_start_s((loop), TN_STR(host), (port), (family))
TN_API tn_future *tn_resolve_start_s(tn_loop *loop, tn_str host, uint16_t port, int family);

/*
 * From now on, on this loop, whoever wants `host` gets `to_host`, a name or an IP address, instead: Tornado's OverrideResolver, for
 * tests and for services that have moved. The name that TLS verifies stays what it was.
 *
 * port: only who wants this port; -1: any. to_port: the port they get; -1: the one that they wanted. What says more wins over what says
 * less, and the latest of equals wins. TN_ENOMEM.
 */
#define tn_resolve_override(loop, host, port, to_host, to_port)                                                                    \
    tn_resolve_override_s((loop), TN_STR(host), (port), TN_STR(to_host), (to_port))
TN_API int tn_resolve_override_s(tn_loop *loop, tn_str host, int port, tn_str to_host, int to_port);

#ifdef __cplusplus
} /* extern "C" */

/* C++: tn_connect(&stream, "example.com", 80, opts). */
template <class Text> static inline int tn_connect(tn_stream **out, Text host, int port, tn_connect_opts opts = tn_connect_opts())
{
    opts.port = port;
    return tn_connect_(out, TN_STR(host), &opts, offsetof(tn_connect_opts, end_));
}
template <class Text>
static inline tn_future *tn_connect_start(tn_loop *loop, Text host, int port, tn_connect_opts opts = tn_connect_opts())
{
    opts.port = port;
    return tn_connect_start_(loop, TN_STR(host), &opts, offsetof(tn_connect_opts, end_));
}
#endif

#endif
