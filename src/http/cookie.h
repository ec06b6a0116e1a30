/*
 * Cookies: reading Cookie fields as browsers write them, writing Set-Cookie fields that nothing can be injected into. RFC 6265, with
 * Tornado's reading of it: values may be quoted in Python's way, with octal escapes.
 */
#ifndef TN_HTTP_COOKIE_H
#define TN_HTTP_COOKIE_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct tn__cookie {
    tn_str name, value; /* as they stand in the field; the name may be empty */
} tn__cookie;

/* Take the next cookie off the front of `rest`, which begins as the whole field value. False at the end. */
bool tn__cookie_next(tn_str *rest, tn__cookie *cookie);

/* The value of the last cookie of that name, as it stands in the field; its `p` is NULL when there is none. */
tn_str tn__cookie_find(tn_str field, tn_str name);

/* A value without its quotes and escapes: in the arena when there are escapes. Its `p` is NULL when there was no memory. */
tn_str tn__cookie_unquote(tn__arena *a, tn_str value);

/* A cookie to be set. Zeroed members say nothing. */
typedef struct tn__set_cookie {
    tn_str name, value;
    tn_str domain, path, samesite;
    int64_t expires; /* seconds since 1970; counts when has_expires */
    int64_t max_age; /* seconds; counts when has_max_age */
    bool has_expires, has_max_age;
    bool httponly, secure, partitioned;
} tn__set_cookie;

/*
 * Append the value of a Set-Cookie field. A value that needs it is quoted; attributes come in the order and the spelling of Python's
 * http.cookies.
 *
 * Fails with TN_EINVAL and a clause in `reason`: for a name that is no token; a value with a byte up to the blank; controls, blanks
 * or ';' in domain, path or samesite. TN_ENOMEM; `out` is as it was then.
 */
int tn__set_cookie_write(tn_buf *out, const tn__set_cookie *cookie, const char **reason);

#endif
