/* Base64: whole input to whole output, no state. Decoding accepts one spelling of each value and nothing else. */
#include "base64.h"

#include "tornado/error.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t tn__base64_encode(char *out, tn_str in)
{
    const unsigned char *p = (const unsigned char *)in.p;
    char *to = out;
    size_t left = in.n;
    for (; left >= 3; left -= 3, p += 3) {
        *to++ = alphabet[p[0] >> 2];
        *to++ = alphabet[(p[0] & 3) << 4 | p[1] >> 4];
        *to++ = alphabet[(p[1] & 15) << 2 | p[2] >> 6];
        *to++ = alphabet[p[2] & 63];
    }
    if (left) {
        unsigned second = left == 2 ? p[1] : 0;
        *to++ = alphabet[p[0] >> 2];
        *to++ = alphabet[(p[0] & 3) << 4 | second >> 4];
        *to++ = left == 2 ? alphabet[(second & 15) << 2] : '=';
        *to++ = '=';
    }
    return (size_t)(to - out);
}

/* The value of a digit; -1 for what is none. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits that stand for three bytes; negative when one of them is none. */
static int32_t quad(const char *p)
{
    int a = value_of(p[0]), b = value_of(p[1]), c = value_of(p[2]), d = value_of(p[3]);
    if ((a | b | c | d) < 0) return -1;
    return a << 18 | b << 12 | c << 6 | d;
}

long tn__base64_decode(void *out, tn_str in)
{
    if (in.n % 4 != 0) return TN_ESYNTAX;
    if (in.n == 0) return 0;
    unsigned char *to = out;
    for (size_t i = 0; i + 4 < in.n; i += 4) {
        int32_t bits = quad(in.p + i);
        if (bits < 0) return TN_ESYNTAX;
        *to++ = (unsigned char)(bits >> 16);
        *to++ = (unsigned char)(bits >> 8);
        *to++ = (unsigned char)bits;
    }

    char last[4];
    memcpy(last, in.p + in.n - 4, 4);
    int padding = last[3] != '=' ? 0 : last[2] != '=' ? 1 : 2;
    for (int i = 0; i < padding; i++) last[3 - i] = 'A';
    int32_t bits = quad(last);
    if (bits < 0) return TN_ESYNTAX;
    if (bits & ((1 << 8 * padding) - 1)) return TN_ESYNTAX; /* RFC 4648, 3.5: unused bits must be zero */
    for (int i = 0; i < 3 - padding; i++) *to++ = (unsigned char)(bits >> (16 - 8 * i));
    return (long)(to - (unsigned char *)out);
}
