/* Percent coding, queries and absolute URLs: one pass over the bytes each, no tables larger than a few bits. */
#include "url.h"

#include "parser.h"
#include "tornado/error.h"

/* The three continuation-byte rules of RFC 3629, section 4, that are narrower than 80..BF, by first byte. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0: return second >= 0xa0; /* shorter forms exist */
    case 0xed: return second <= 0x9f; /* surrogates */
    case 0xf0: return second >= 0x90; /* shorter forms exist */
    case 0xf4: return second <= 0x8f; /* above U+10FFFF */
    default: return true;
    }
}

/* How many bytes a character with this first byte has; 0 when none begins so. */
static size_t character_bytes(unsigned char first)
{
    if (first < 0x80) return 1;
    if (first < 0xc2) return 0;
    if (first < 0xe0) return 2;
    if (first < 0xf0) return 3;
    return first < 0xf5 ? 4 : 0;
}

/* Skip ASCII, eight bytes a step. */
static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        if (eight & 0x8080808080808080u) break;
    }
    while (p < end && *p < 0x80) p++;
    return p;
}

bool tn__utf8_valid(tn_str s)
{
    if (s.n == 0) return true;
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    while ((p = skip_ascii(p, end)) < end) {
        size_t n = character_bytes(*p);
        if (n == 0 || (size_t)(end - p) < n || !second_byte_fits(p[0], p[1])) return false;
        for (size_t i = 1; i < n; i++)
            if ((p[i] & 0xc0) != 0x80) return false;
        p += n;
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

size_t tn__url_decode(char *out, tn_str in, bool plus)
{
    char *to = out;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%' && in.n - i > 2 && hex_value(in.p[i + 1]) >= 0 && hex_value(in.p[i + 2]) >= 0) {
            c = (char)(hex_value(in.p[i + 1]) << 4 | hex_value(in.p[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        *to++ = c;
    }
    return (size_t)(to - out);
}

tn_str tn__url_unescape(tn__arena *a, tn_str in, bool plus)
{
    bool coded = in.n && (memchr(in.p, '%', in.n) || (plus && memchr(in.p, '+', in.n)));
    if (!coded) return in.p ? in : TN_S("");
    char *out = in.n < SIZE_MAX ? tn__arena_alloc(a, in.n + 1) : NULL;
    if (!out) return tn_str_of(NULL, 0);
    size_t n = tn__url_decode(out, in, plus);
    out[n] = '\0';
    return tn_str_of(out, n);
}

static bool is_alpha(char c)
{
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3986, 2.3 */
static bool is_unreserved(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '~';
}

int tn__url_escape(tn_buf *out, tn_str in, bool plus)
{
    static const char digits[] = "0123456789ABCDEF";
    if (in.n == 0) return TN_OK;
    if (in.n > SIZE_MAX / 3) return TN_ENOMEM;
    TN_TRY(tn__buf_reserve(out, in.n * 3));
    char *to = out->p + out->n;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (is_unreserved(c) || (c == '/' && !plus)) {
            *to++ = c;
        } else if (c == ' ' && plus) {
            *to++ = '+';
        } else {
            *to++ = '%';
            *to++ = digits[(unsigned char)c >> 4];
            *to++ = digits[c & 15];
        }
    }
    out->n = (size_t)(to - out->p);
    return TN_OK;
}

/* Take what precedes the first `separator` off the front of `rest`, and the separator with it; all of it when there is none. */
static tn_str take_until(tn_str *rest, char separator)
{
    const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
    tn_str piece = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
    size_t used = piece.n + (at != NULL);
    if (used) *rest = tn_str_of(rest->p + used, rest->n - used);
    return piece;
}

tn__query tn__query_begin(tn_str text, uint32_t args_max)
{
    return (tn__query){text, args_max};
}

int tn__query_next(tn__query *q, tn__arena *a, tn_str *name, tn_str *value)
{
    tn_str raw_value = {NULL, 0};
    while (raw_value.n == 0 && q->rest.n) raw_value = take_until(&q->rest, '&');
    if (raw_value.n == 0) return 0;
    if (q->left == 0) return TN_ETOOBIG;
    q->left--;

    tn_str raw_name = take_until(&raw_value, '=');
    tn_str decoded_name = tn__url_unescape(a, raw_name, true);
    tn_str decoded_value = tn__url_unescape(a, raw_value, true);
    if (!decoded_name.p || !decoded_value.p) return TN_ENOMEM;
    *name = decoded_name;
    *value = decoded_value;
    return 1;
}

/* A number up to 65535; -1 for anything else. */
static int port_of(tn_str text)
{
    int port = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i])) return -1;
        port = port * 10 + (text.p[i] - '0');
        if (port > 65535) return -1;
    }
    return text.n ? port : -1;
}

int tn__split_host_and_port(tn_str text, tn_str *host, int *port)
{
    const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
    if (text.n && text.p[0] == '[') {
        const char *bracket = memchr(text.p, ']', text.n);
        if (!bracket) return TN_ESYNTAX;
        colon = bracket + 1 < text.p + text.n ? bracket + 1 : NULL;
        if (colon && *colon != ':') return TN_ESYNTAX;
    } else if (colon && memchr(colon + 1, ':', (size_t)(text.p + text.n - colon - 1))) {
        colon = NULL; /* an IPv6 address without brackets */
    }
    size_t host_n = colon ? (size_t)(colon - text.p) : text.n;
    int number = colon ? port_of(tn_str_of(colon + 1, text.n - host_n - 1)) : -1;
    if (host_n == 0 || (colon && number < 0)) return TN_ESYNTAX;
    *host = tn_str_of(text.p, host_n);
    *port = number;
    return TN_OK;
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), RFC 3986, 3.1 */
static bool is_scheme(tn_str s)
{
    if (s.n == 0 || !is_alpha(s.p[0])) return false;
    for (size_t i = 1; i < s.n; i++)
        if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '+' && s.p[i] != '-' && s.p[i] != '.') return false;
    return true;
}

static bool is_visible_ascii(tn_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f) return false;
    return true;
}

/* Take what begins with `mark` off the end of `rest`: "?query", "#fragment". Gives it without the mark; absent when there is none. */
static tn_str cut_behind(tn_str *rest, char mark)
{
    const char *at = rest->n ? memchr(rest->p, mark, rest->n) : NULL;
    if (!at) return tn_str_of(NULL, 0);
    tn_str part = {at + 1, (size_t)(rest->p + rest->n - at - 1)};
    rest->n = (size_t)(at - rest->p);
    return part;
}

static int refuse(const char **reason, const char *clause)
{
    *reason = clause;
    return TN_ESYNTAX;
}

int tn__url_parse(tn_str text, tn__url *url, const char **reason)
{
    tn__url u = {.port = -1};
    if (!is_visible_ascii(text)) return refuse(reason, "blank, control or non-ASCII byte in the URL");
    tn_str rest = text;
    u.fragment = cut_behind(&rest, '#');
    u.query = cut_behind(&rest, '?');

    tn_str scheme = take_until(&rest, ':');
    if (!is_scheme(scheme) || !tn_str_starts(rest, TN_S("//"))) return refuse(reason, "no scheme followed by ://");
    u.scheme = scheme;

    tn_str authority = {rest.p + 2, rest.n - 2};
    tn_str path = cut_behind(&authority, '/');
    u.path = path.p ? tn_str_of(path.p - 1, path.n + 1) : tn_str_of(authority.p + authority.n, 0);

    /* A second '@' ends up in the host and is refused with it: others might take what is before it for the host. */
    if (authority.n && memchr(authority.p, '@', authority.n)) u.userinfo = take_until(&authority, '@');
    if (!tn__is_authority(authority)) return refuse(reason, "malformed host or port");
    if (authority.p[authority.n - 1] == ':') authority.n--; /* RFC 3986, 6.2.3: an empty port is none */
    if (tn__split_host_and_port(authority, &u.host, &u.port) < 0) return refuse(reason, "malformed host or port");
    *url = u;
    return TN_OK;
}
