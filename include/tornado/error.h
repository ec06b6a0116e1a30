/*
 * Errors. What can fail returns an int: zero or a count when it went well, a negative TN_E... code when it did not.
 *
 * Errors of the operating system are the negative errno (TN_ENOMEM == -ENOMEM); our own lie below -4000. There is no hidden
 * "last error": where a reason helps, a call fills a tn_error given by the caller.
 */
#ifndef TORNADO_ERROR_H
#define TORNADO_ERROR_H

#include <errno.h>

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names for the system's errors that our own documentation speaks of. Any other negative errno may be returned as well. */
#define TN_OK 0
#define TN_ENOMEM (-ENOMEM)
#define TN_EINVAL (-EINVAL)
#define TN_EBUSY (-EBUSY)
#define TN_EAGAIN (-EAGAIN)
#define TN_EEXIST (-EEXIST)
#define TN_ENOENT (-ENOENT)
#define TN_ETIMEDOUT (-ETIMEDOUT)
#define TN_ECANCELED (-ECANCELED)
#define TN_ENOTSUP (-ENOTSUP)

/* Our own: name, number, text. */
#define TN_ERRORS(X)                                                                                                               \
    X(TN_EOF, -4001, "end of input")                                                                                               \
    X(TN_ECLOSED, -4002, "object is closed")                                                                                       \
    X(TN_ETOOBIG, -4003, "limit exceeded")                                                                                         \
    X(TN_EMISUSE, -4004, "call not allowed here")                                                                                  \
    X(TN_ESYNTAX, -4005, "malformed input")                                                                                        \
    X(TN_ERAISED, -4006, "error response raised")                                                                                  \
    X(TN_EFINISH, -4007, "request finished early")                                                                                 \
    X(TN_EHEADERS, -4008, "headers already sent")                                                                                  \
    X(TN_EARGUMENT, -4009, "missing or invalid argument")                                                                          \
    X(TN_ERESOLVE, -4010, "name could not be resolved")                                                                            \
    X(TN_ETLS, -4011, "TLS error")                                                                                                 \
    X(TN_ECRYPTO, -4012, "error in the cryptographic library")                                                                     \
    X(TN_EPATTERN, -4013, "bad regular expression")                                                                                \
    X(TN_EJSON, -4014, "bad JSON")                                                                                                 \
    X(TN_ELEAKED, -4015, "something was left behind")

enum {
#define TN_ERROR_ENUM(name, number, text) name = number,
    TN_ERRORS(TN_ERROR_ENUM)
#undef TN_ERROR_ENUM
};

/* Why something failed: filled by calls that take one; all of it is copied text, nothing to free. */
typedef struct tn_error {
    int code;       /* a TN_E... code */
    size_t at;      /* position in the input, where there is one */
    char text[200]; /* one sentence, NUL-terminated */
} tn_error;

/* The name of a code, such as "TN_EOF" or "ENOMEM"; "unknown error" when there is none. Static text. Any thread. */
TN_API const char *tn_errname(int code);

/* The text of a code, such as "end of input". Static text. Any thread. */
TN_API const char *tn_strerror(int code);

/* Return a negative result to the caller: TN_TRY(tn_arg_str(r, "text", &text)). */
#define TN_TRY(expression)                                                                                                         \
    do {                                                                                                                           \
        int tn_try_ = (expression);                                                                                                \
        if (tn_try_ < 0) return tn_try_;                                                                                           \
    } while (0)

#ifdef __cplusplus
}
#endif

#endif
