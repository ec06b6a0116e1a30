/*
 * Addresses as values: text to tn_addr and back. The text of an IPv4 address is written by hand, since the access log needs one for
 * each request. Nothing here makes a system call but the look-up of an interface named in an IPv6 scope.
 */
#include "tornado/netutil.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

/* RFC 4007, 11: the part behind '%' is the name of an interface or its number. 0 when it is neither. */
static uint32_t parse_scope(tn_str text)
{
    char name[IF_NAMESIZE];
    uint32_t number = 0;
    bool digits = true;

    if (text.n == 0 || text.n >= sizeof(name) || memchr(text.p, 0, text.n)) return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') digits = false;
        if (digits) number = number * 10 + (uint32_t)(text.p[i] - '0');
    }
    if (digits) return text.n <= 9 ? number : 0;
    memcpy(name, text.p, text.n);
    name[text.n] = 0;
    return if_nametoindex(name);
}

/* inet_pton takes a C string: copy `text` if it can be an address at all. */
static bool copy_numeric(char numeric[INET6_ADDRSTRLEN], tn_str text)
{
    if (text.n == 0 || text.n >= INET6_ADDRSTRLEN || memchr(text.p, 0, text.n)) return false;
    memcpy(numeric, text.p, text.n);
    numeric[text.n] = 0;
    return true;
}

int tn_addr_parse_ip_s(tn_addr *addr, tn_str text, uint16_t port)
{
    char numeric[INET6_ADDRSTRLEN];
    tn_addr a = {0};
    const char *percent = text.n ? memchr(text.p, '%', text.n) : NULL;
    tn_str host = percent ? tn_str_of(text.p, (size_t)(percent - text.p)) : text;

    if (!copy_numeric(numeric, host)) return TN_ESYNTAX;
    if (!percent && inet_pton(AF_INET, numeric, &a.u.in4.sin_addr) == 1) {
        a.u.in4.sin_family = AF_INET;
        a.u.in4.sin_port = htons(port);
        a.len = sizeof(a.u.in4);
    } else if (inet_pton(AF_INET6, numeric, &a.u.in6.sin6_addr) == 1) {
        a.u.in6.sin6_family = AF_INET6;
        a.u.in6.sin6_port = htons(port);
        a.len = sizeof(a.u.in6);
        if (percent) {
            a.u.in6.sin6_scope_id = parse_scope(tn_str_of(percent + 1, text.n - host.n - 1));
            if (a.u.in6.sin6_scope_id == 0) return TN_ESYNTAX;
        }
    } else {
        return TN_ESYNTAX;
    }
    *addr = a;
    return TN_OK;
}

/* Decimal digits only, at most 65535; -1 for anything else. */
static int parse_port(tn_str text)
{
    int port = 0;
    if (text.n == 0 || text.n > 5) return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return -1;
        port = port * 10 + (text.p[i] - '0');
    }
    return port <= 65535 ? port : -1;
}

/* A path, or '@' and a name of the abstract namespace, which the system marks by a leading NUL and ends by the length alone. */
static int parse_unix(tn_addr *addr, tn_str path)
{
    tn_addr a = {0};
    bool abstract = path.n && path.p[0] == '@';

    if (path.n == 0 || (abstract && path.n == 1) || memchr(path.p, 0, path.n)) return TN_ESYNTAX;
    if (path.n >= sizeof(a.u.un.sun_path)) return TN_ETOOBIG;
    a.u.un.sun_family = AF_UNIX;
    memcpy(a.u.un.sun_path, path.p, path.n);
    if (abstract) a.u.un.sun_path[0] = 0;
    a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + (abstract ? 0 : 1));
    *addr = a;
    return TN_OK;
}

int tn_addr_parse_s(tn_addr *addr, tn_str text)
{
    if (tn_str_starts(text, TN_S("unix:"))) return parse_unix(addr, tn_str_of(text.p + 5, text.n - 5));

    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':') colon--;
    if (colon == 0) return TN_ESYNTAX;
    int port = parse_port(tn_str_of(text.p + colon, text.n - colon));
    tn_str host = tn_str_of(text.p, colon - 1);
    if (port < 0) return TN_ESYNTAX;

    /* Brackets belong to IPv6 and only to it: "::1:80" is an address without a port, "[127.0.0.1]:80" is nothing. */
    bool brackets = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    bool colons = host.n && memchr(host.p, ':', host.n);
    if (brackets != colons) return TN_ESYNTAX;
    if (brackets) host = tn_str_of(host.p + 1, host.n - 2);
    return tn_addr_parse_ip_s(addr, host, (uint16_t)port);
}

int tn_addr_set(tn_addr *addr, const struct sockaddr *sa, socklen_t len)
{
    if (len < sizeof(sa->sa_family) || len > sizeof(addr->u)) return TN_EINVAL;
    switch (sa->sa_family) {
    case AF_INET:
        if (len < sizeof(struct sockaddr_in)) return TN_EINVAL;
        break;
    case AF_INET6:
        if (len < sizeof(struct sockaddr_in6)) return TN_EINVAL;
        break;
    case AF_UNIX: break;
    default: return TN_EINVAL;
    }
    *addr = (tn_addr){.len = len};
    memcpy(&addr->u, sa, len);
    return TN_OK;
}

/* Four numbers and three dots; returns where the text ends. */
static char *write_ipv4(char *at, const struct in_addr *ip)
{
    const uint8_t *part = (const uint8_t *)ip;
    for (int i = 0; i < 4; i++) {
        unsigned number = part[i];
        if (number >= 100) *at++ = (char)('0' + number / 100);
        if (number >= 10) *at++ = (char)('0' + number / 10 % 10);
        *at++ = (char)('0' + number % 10);
        *at++ = '.';
    }
    *--at = 0;
    return at;
}

/* The address without its port, for IPv4 and IPv6; returns where the text ends. */
static char *write_ip(char *at, char *end, const tn_addr *addr)
{
    if (tn_addr_family(addr) == AF_INET) return write_ipv4(at, &addr->u.in4.sin_addr);
    if (!inet_ntop(AF_INET6, &addr->u.in6.sin6_addr, at, (socklen_t)(end - at))) *at = 0;
    at += strlen(at);
    /* The interface is shown by its number: finding its name would take system calls. */
    if (addr->u.in6.sin6_scope_id) at += snprintf(at, (size_t)(end - at), "%%%u", addr->u.in6.sin6_scope_id);
    return at;
}

/* "unix:" and the path, or '@' and the abstract name. */
static char *write_unix(char *at, const tn_addr *addr)
{
    const char *path = addr->u.un.sun_path;
    size_t used = addr->len - offsetof(struct sockaddr_un, sun_path);
    bool abstract;

    memcpy(at, "unix:", 6);
    at += 5;
    if (addr->len <= offsetof(struct sockaddr_un, sun_path)) return at; /* a socket that was never bound */
    abstract = path[0] == 0;
    if (!abstract) used = strnlen(path, used);
    for (size_t i = 0; i < used; i++) {
        bool shown = path[i] >= 0x20 && path[i] != 0x7f;
        *at++ = (abstract && i == 0) ? '@' : shown ? path[i] : '?';
    }
    *at = 0;
    return at;
}

tn_str tn_addr_format(const tn_addr *addr, char text[TN_ADDR_TEXT_BYTES])
{
    char *end = text + TN_ADDR_TEXT_BYTES, *at = text;

    switch (tn_addr_family(addr)) {
    case AF_INET:
    case AF_INET6: {
        bool brackets = tn_addr_family(addr) == AF_INET6;
        if (brackets) *at++ = '[';
        at = write_ip(at, end, addr);
        at += snprintf(at, (size_t)(end - at), "%s:%u", brackets ? "]" : "", tn_addr_port(addr));
        break;
    }
    case AF_UNIX: at = write_unix(at, addr); break;
    default: *at++ = '-'; *at = 0;
    }
    return tn_str_of(text, (size_t)(at - text));
}

tn_str tn_addr_ip(const tn_addr *addr, char text[TN_ADDR_TEXT_BYTES])
{
    int family = tn_addr_family(addr);
    if (family == AF_INET || family == AF_INET6)
        return tn_str_of(text, (size_t)(write_ip(text, text + TN_ADDR_TEXT_BYTES, addr) - text));
    memcpy(text, "0.0.0.0", 8);
    return tn_str_of(text, 7);
}

uint16_t tn_addr_port(const tn_addr *addr)
{
    switch (tn_addr_family(addr)) {
    case AF_INET: return ntohs(addr->u.in4.sin_port);
    case AF_INET6: return ntohs(addr->u.in6.sin6_port);
    default: return 0;
    }
}

void tn_addr_set_port(tn_addr *addr, uint16_t port)
{
    switch (tn_addr_family(addr)) {
    case AF_INET: addr->u.in4.sin_port = htons(port); break;
    case AF_INET6: addr->u.in6.sin6_port = htons(port); break;
    default: break;
    }
}

bool tn_addr_eq(const tn_addr *a, const tn_addr *b)
{
    if (tn_addr_family(a) != tn_addr_family(b)) return false;
    switch (tn_addr_family(a)) {
    case AF_INET: return a->u.in4.sin_port == b->u.in4.sin_port && a->u.in4.sin_addr.s_addr == b->u.in4.sin_addr.s_addr;
    case AF_INET6:
        return a->u.in6.sin6_port == b->u.in6.sin6_port && a->u.in6.sin6_scope_id == b->u.in6.sin6_scope_id &&
               memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, sizeof(a->u.in6.sin6_addr)) == 0;
    default: return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
    }
}

bool tn_is_valid_ip_s(tn_str text)
{
    char numeric[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    return copy_numeric(numeric, text) &&
           (inet_pton(AF_INET, numeric, &ignored) == 1 || inet_pton(AF_INET6, numeric, &ignored) == 1);
}
