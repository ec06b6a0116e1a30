/*
 * The authority of a request: Host[:port], RFC 9110 sections 4.2.3 and 7.2, with the grammar of RFC 3986 section 3.2.
 *
 * Called by the parser for Host fields and targets, and by whoever takes a host from outside. Every byte is looked at once.
 */
#include "http/parser.h"
#include "http/scan.h"

/* dec-octet "." dec-octet "." dec-octet "." dec-octet, to the end. */
static bool is_ipv4(const char *p, const char *end)
{
    for (int octets = 0; octets < 4; octets++) {
        if (octets && (p == end || *p++ != '.')) return false;
        const char *first = p;
        unsigned value = 0;
        while (p < end && p - first < 3 && *p >= '0' && *p <= '9') value = value * 10 + (unsigned)(*p++ - '0');
        if (p == first || value > 255 || (*first == '0' && p - first > 1)) return false;
    }
    return p == end;
}

/* What stands between the brackets: groups of 16 bits, one "::" for at least one group of zeros, an IPv4 address for the last two. */
static bool is_ipv6(const char *p, const char *end)
{
    int groups = 0;
    bool gap = false;
    if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
        gap = true;
        p += 2;
    }
    while (p < end) {
        const char *first = p;
        while (p < end && p - first < 4 && tn__byte_is(*p, TN__BYTE_HEX)) p++;
        if (p < end && *p == '.') {
            groups += 2;
            return is_ipv4(first, end) && (gap ? groups < 8 : groups == 8);
        }
        if (p == first) return false;
        groups++;
        if (p == end) break;
        if (*p++ != ':' || p == end) return false;
        if (*p == ':') {
            if (gap) return false;
            gap = true;
            p++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* port = *DIGIT: it may be empty (RFC 3986, 6.2.3), but when it says something it must be the number of a port. */
static bool is_port(const char *p, const char *end)
{
    unsigned port = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9) return false;
        port = port * 10 + digit;
        if (port > 65535) return false;
    }
    return true;
}

/* The end of the reg-name (or IPv4 address, which is one by its bytes) at p; NULL for a '%' that is not followed by two digits. */
static const char *reg_name_end(const char *p, const char *end)
{
    for (;;) {
        p = tn__scan_scalar(p, end, TN__BYTE_HOST);
        if (p == end || *p != '%') return p;
        if (end - p < 3 || !tn__byte_is(p[1], TN__BYTE_HEX) || !tn__byte_is(p[2], TN__BYTE_HEX)) return NULL;
        p += 3;
    }
}

/* Behind the host: nothing, or a colon and a port. */
static inline bool is_port_or_nothing(const char *p, const char *end)
{
    return p == end || (*p == ':' && is_port(p + 1, end));
}

/* Out of line, since it is rare: what it needs would make the usual way longer. */
__attribute__((noinline)) static bool is_bracketed_authority(const char *p, const char *end)
{
    const char *close = memchr(p, ']', (size_t)(end - p));
    return close && is_ipv6(p + 1, close) && is_port_or_nothing(close + 1, end);
}

bool tn__is_authority(tn_str s)
{
    if (s.n == 0) return false;
    const char *end = s.p + s.n;
    if (*s.p == '[') return is_bracketed_authority(s.p, end);
    const char *p = reg_name_end(s.p, end);
    /* RFC 9110, 4.2.1: an empty host identifies nothing. */
    return p && p > s.p && is_port_or_nothing(p, end);
}
