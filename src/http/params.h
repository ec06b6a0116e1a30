/*
 * Parameters of field values: what follows the first element of `form-data; name="a"; filename="b;c"`, RFC 9110 section 5.6.6.
 *
 * Quotes are read the way browsers write them in forms: inside, \" and \\ stand for one byte, and any other backslash for itself.
 */
#ifndef TN_HTTP_PARAMS_H
#define TN_HTTP_PARAMS_H

#include "base/arena.h"

typedef struct tn__param {
    tn_str name;
    tn_str value; /* between the quotes, escapes still in it */
    bool escaped; /* there are escapes: see tn__param_value */
} tn__param;

/* Take the first element, what precedes the first ';', off the front of `rest`, without the blanks around it. */
tn_str tn__params_first(tn_str *rest);

/* Take the next parameter off the front of `rest`. Returns 1, 0 at the end, TN_ESYNTAX for anything but `; name=value`. */
int tn__params_next(tn_str *rest, tn__param *param);

/* The value without escapes: in the arena when there are some. Its `p` is NULL when there was no memory. */
tn_str tn__param_value(tn__arena *a, const tn__param *param);

#endif
