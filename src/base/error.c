/*
 * The one table of error codes: name and text of each. Our own come from the list in tornado/error.h; the system's are those of
 * POSIX, with texts of ours, so that a message is the same on every system and in every locale.
 */
#include "tornado/error.h"

/* The system's: name, text. */
#define SYSTEM_ERRORS(X)                                                                                                           \
    X(ENOMEM, "out of memory")                                                                                                     \
    X(EINVAL, "invalid argument")                                                                                                  \
    X(EAGAIN, "temporarily unavailable")                                                                                           \
    X(EBUSY, "busy")                                                                                                               \
    X(ETIMEDOUT, "timed out")                                                                                                      \
    X(ECANCELED, "cancelled")                                                                                                      \
    X(ENOENT, "no such file or entry")                                                                                             \
    X(EEXIST, "exists already")                                                                                                    \
    X(ENOTSUP, "not supported")                                                                                                    \
    X(EOPNOTSUPP, "not supported on this socket")                                                                                  \
    X(ECONNREFUSED, "connection refused")                                                                                          \
    X(ECONNRESET, "connection reset by the peer")                                                                                  \
    X(ECONNABORTED, "connection aborted")                                                                                          \
    X(EPIPE, "the other end is closed")                                                                                            \
    X(ENOTCONN, "not connected")                                                                                                   \
    X(EISCONN, "connected already")                                                                                                \
    X(EINPROGRESS, "in progress")                                                                                                  \
    X(EALREADY, "in progress already")                                                                                             \
    X(EHOSTUNREACH, "no route to the host")                                                                                        \
    X(ENETUNREACH, "network unreachable")                                                                                          \
    X(ENETDOWN, "network down")                                                                                                    \
    X(ENETRESET, "connection aborted by the network")                                                                              \
    X(EADDRINUSE, "address in use")                                                                                                \
    X(EADDRNOTAVAIL, "address not available")                                                                                      \
    X(EAFNOSUPPORT, "address family not supported")                                                                                \
    X(EPROTO, "protocol error")                                                                                                    \
    X(EPROTOTYPE, "wrong protocol for this socket")                                                                                \
    X(EPROTONOSUPPORT, "protocol not supported")                                                                                   \
    X(ENOPROTOOPT, "no such protocol option")                                                                                      \
    X(EDESTADDRREQ, "destination address required")                                                                                \
    X(EMSGSIZE, "message too long")                                                                                                \
    X(ENOTSOCK, "not a socket")                                                                                                    \
    X(ENOBUFS, "no buffer space")                                                                                                  \
    X(EBADF, "bad file descriptor")                                                                                                \
    X(EMFILE, "too many open files")                                                                                               \
    X(ENFILE, "too many open files in the system")                                                                                 \
    X(EACCES, "permission denied")                                                                                                 \
    X(EPERM, "not permitted")                                                                                                      \
    X(ENOTDIR, "not a directory")                                                                                                  \
    X(EISDIR, "is a directory")                                                                                                    \
    X(ENOTEMPTY, "directory not empty")                                                                                            \
    X(ENAMETOOLONG, "name too long")                                                                                               \
    X(ELOOP, "too many symbolic links")                                                                                            \
    X(EROFS, "read-only file system")                                                                                              \
    X(ENOSPC, "no space left")                                                                                                     \
    X(EDQUOT, "quota exceeded")                                                                                                    \
    X(EFBIG, "file too large")                                                                                                     \
    X(EIO, "input/output error")                                                                                                   \
    X(ENXIO, "no such device or address")                                                                                          \
    X(ENODEV, "no such device")                                                                                                    \
    X(ESPIPE, "not seekable")                                                                                                      \
    X(EXDEV, "different file systems")                                                                                             \
    X(EMLINK, "too many links")                                                                                                    \
    X(ETXTBSY, "program file in use")                                                                                              \
    X(EINTR, "interrupted")                                                                                                        \
    X(EFAULT, "bad address")                                                                                                       \
    X(ESRCH, "no such process")                                                                                                    \
    X(ECHILD, "no child process")                                                                                                  \
    X(E2BIG, "argument list too long")                                                                                             \
    X(ENOEXEC, "not an executable file")                                                                                           \
    X(EDEADLK, "would deadlock")                                                                                                   \
    X(ENOTTY, "not a terminal, or call not for this file")                                                                         \
    X(ENOSYS, "not implemented by the system")                                                                                     \
    X(EDOM, "out of the function's domain")                                                                                        \
    X(ERANGE, "out of range")                                                                                                      \
    X(EOVERFLOW, "value too large")                                                                                                \
    X(EILSEQ, "invalid byte sequence")

typedef struct entry {
    int code;
    const char *name, *text;
} entry;

#define OWN_ENTRY(code, number, text) {number, #code, text},
#define SYSTEM_ENTRY(code, text) {-code, #code, text},

static const entry entries[] = {TN_ERRORS(OWN_ENTRY) SYSTEM_ERRORS(SYSTEM_ENTRY){TN_OK, "TN_OK", "no error"}};

static const entry *find(int code)
{
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (entries[i].code == code) return &entries[i];
    return NULL;
}

const char *tn_errname(int code)
{
    const entry *e = find(code);
    return e ? e->name : "unknown error";
}

const char *tn_strerror(int code)
{
    const entry *e = find(code);
    return e ? e->text : "unknown error";
}
