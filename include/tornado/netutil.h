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

#ifdef __cplusplus
}
#endif

#endif
