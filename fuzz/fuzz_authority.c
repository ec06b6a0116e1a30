/* Authorities: what is accepted is made of the right bytes, and what stands in brackets is judged as the system judges it. */
#include "fuzz.h"

#include <arpa/inet.h>

#include "http/parser.h"

static bool is_ipv6_for_the_system(const char *p, size_t n)
{
    char text[64];
    struct in6_addr address;
    if (n >= sizeof text || memchr(p, 0, n)) return false;
    memcpy(text, p, n);
    text[n] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* The same as tn__is_authority, for an address in brackets with or without a port. */
static bool is_bracketed(tn_str s)
{
    const char *close = memchr(s.p, ']', s.n), *end = s.p + s.n;
    if (!close || !is_ipv6_for_the_system(s.p + 1, (size_t)(close - s.p - 1))) return false;
    if (close + 1 == end) return true;
    unsigned long port = 0;
    for (const char *p = close + 2; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        if (port <= 65535) port = port * 10 + (unsigned long)(*p - '0');
    }
    return close[1] == ':' && port <= 65535;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = fuzz_copy(data, n);
    tn_str s = {copy, n};
    bool accepted = tn__is_authority(s);
    if (n && copy[0] == '[') {
        REQUIRE(accepted == is_bracketed(s));
    } else if (accepted) {
        REQUIRE(n > 0 && copy[0] != ':');
        for (size_t i = 0; i < n; i++) REQUIRE(copy[i] > ' ' && copy[i] != 0x7f && !strchr("/?#@[]\\\"<>^`{|}", copy[i]));
    }
    free(copy);
    return 0;
}
