/*
 * Addresses of sockets, as values: IPv4, IPv6 and Unix, with their texts.
 *
 * A tn_addr is plain data: copy it, compare it with tn_addr_eq, keep it as long as you like. Zeroed, it is no address at all. Nothing
 * here blocks, allocates or looks a name up; any thread may call it. All calls exist since 0.1.
 */
#ifndef TORNADO_NETUTIL_H
#define TORNADO_NETUTIL_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "error.h"
#include "ioloop.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_addr {
    socklen_t len; /* how much of the union is in use, as the system counts it; 0 is no address */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
} tn_addr;

/* Room for any address as text, with its NUL. */
enum { TN_ADDR_TEXT_BYTES = 128 };

/*
 * Read an address: "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "unix:/run/app.sock", or "unix:@name" for a name in Linux's
 * abstract namespace. Names of hosts are not looked up.
 *
 * text: a tn_str, a char * or a const char *. Fails with TN_ESYNTAX for anything else, and with TN_ETOOBIG for a path that does not
 * fit into a socket address.
 */
#define tn_addr_parse(addr, text) tn_addr_parse_s((addr), TN_STR(text))
TN_API int tn_addr_parse_s(tn_addr *addr, tn_str text);

/*
 * Read a numeric IPv4 or IPv6 address without a port or brackets ("127.0.0.1", "::1", "fe80::1%eth0") and give it the port.
 * TN_ESYNTAX for anything else.
 */
#define tn_addr_parse_ip(addr, text, port) tn_addr_parse_ip_s((addr), TN_STR(text), (port))
TN_API int tn_addr_parse_ip_s(tn_addr *addr, tn_str text, uint16_t port);

/*
 * Write an address as tn_addr_parse reads it, followed by a NUL; "unix:" for a Unix socket without a name and "-" for no address.
 * Bytes of a path that cannot be shown become '?'. Returns the text, which lies in `text`.
 */
TN_API tn_str tn_addr_format(const tn_addr *addr, char text[TN_ADDR_TEXT_BYTES]);

/*
 * Write the IP address alone, as access logs show it; "0.0.0.0" for what has none, such as a Unix socket (Tornado's remote_ip).
 * Returns the text, which lies in `text` and is followed by a NUL.
 */
TN_API tn_str tn_addr_ip(const tn_addr *addr, char text[TN_ADDR_TEXT_BYTES]);

/* Copy an address that a system call gave. TN_EINVAL when it is too long or of a family that we do not know. */
TN_API int tn_addr_set(tn_addr *addr, const struct sockaddr *sa, socklen_t len);

/* AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC for no address. */
static inline int tn_addr_family(const tn_addr *addr)
{
    return addr->len ? addr->u.sa.sa_family : AF_UNSPEC;
}

/* The port; 0 for an address that has none. */
TN_API uint16_t tn_addr_port(const tn_addr *addr);

/* Change the port of an IPv4 or IPv6 address; nothing happens to others. */
TN_API void tn_addr_set_port(tn_addr *addr, uint16_t port);

/* True when both name the same place: family, address, port and, for IPv6, scope. */
TN_API bool tn_addr_eq(const tn_addr *a, const tn_addr *b);

/*
 * True for the text of an IPv4 or IPv6 address and nothing else: no port, no brackets, no blanks, no name. An IPv6 scope ("%eth0")
 * is refused, since it means something on one machine only and this is asked about what other machines say.
 */
#define tn_is_valid_ip(text) tn_is_valid_ip_s(TN_STR(text))
TN_API bool tn_is_valid_ip_s(tn_str text);

/* What to listen on; all that is zero means: some free port on all interfaces. */
typedef struct tn_bind_opts {
    int *fds;                /* positional: where the descriptors go */
    size_t max;              /* positional: how many there is room for; eight are plenty */
    const char *address;     /* an IP address or the name of a host; NULL or "": all interfaces, IPv4 and IPv6 */
    int port;                /* 0: one that is free, the same for both families */
    const char *unix_socket; /* a Unix socket instead: a path (for the owner alone), or "@name" in Linux's abstract namespace */
    int backlog;             /* connections that wait to be accepted; default 128 */
    bool reuse_port;         /* SO_REUSEPORT: several processes listen on the same port, each with a queue of its own */
    tn_error *err;           /* filled with a sentence when it fails; may be NULL */
    char end_;
} tn_bind_opts;

/*
 * Open listening sockets, before forking for instance: int n = tn_bind_sockets(fds, 8, .port = 8888). Tornado's bind_sockets.
 *
 * They do not block and are closed by exec. Returns how many were opened; they are the caller's (see `sockets` of tn_tcp_serve, and
 * tn_add_accept_handler). On failure none stays open: TN_ERESOLVE for a name that cannot be resolved, TN_ETOOBIG for too little room,
 * or the system's error. A name of a host is looked up by waiting for the answer. Any thread.
 */
#ifndef __cplusplus
#define tn_bind_sockets(...) tn_bind_sockets_(&(tn_bind_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_bind_opts, end_))
#endif
TN_API int tn_bind_sockets_(const tn_bind_opts *opts, size_t opts_size);

/* Takes a connection: `fd` is the callee's, does not block, and has TCP_NODELAY if it is TCP; `peer` is borrowed. */
typedef void tn_accept_callback(void *arg, int fd, const tn_addr *peer);

typedef struct tn_accept_handler tn_accept_handler;

/*
 * Accept connections from a listening socket on a loop, at most 128 in one turn, and hand each to fn(arg, fd, peer). A shortage of
 * descriptors is lived through. Tornado's add_accept_handler.
 *
 * fd: belongs to the handler from here on if this succeeds, and is closed with it. Gives the handler in `out`; remove it before the
 * loop is freed. Fails with TN_ENOMEM or the system's error. Loop thread only.
 */
TN_API int tn_add_accept_handler(tn_accept_handler **out, tn_loop *loop, int fd, tn_accept_callback *fn, void *arg);

/* Stop accepting and close the socket; fn is not called again. May be called inside fn. NULL is fine. Loop thread only. */
TN_API void tn_remove_accept_handler(tn_accept_handler *handler);

#ifdef __cplusplus
} /* extern "C" */

/* C++: tn_bind_sockets(fds, 8, opts). */
static inline int tn_bind_sockets(int *fds, size_t max, tn_bind_opts opts = tn_bind_opts())
{
    opts.fds = fds;
    opts.max = max;
    return tn_bind_sockets_(&opts, offsetof(tn_bind_opts, end_));
}
#endif

#endif
