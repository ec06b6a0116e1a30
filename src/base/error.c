/*
 * The one table of error codes: name and text of each. Our own come from the list in tornado/error.h; the system's are those of
 * POSIX, with texts of ours, so that a message is the same on every system and in every locale.
 */
#include "tornado/error.h"

typedef struct entry {
    int code;
    const char *name, *text;
} entry;

#define OWN(code, number, text) {number, #code, text},
#define SYSTEM(code, text)                                                                                                         \
    {                                                                                                                              \
        -code, #code, text                                                                                                         \
    }

static const entry entries[] = {
    {TN_OK, "TN_OK", "no error"},
    TN_ERRORS(OWN) SYSTEM(ENOMEM, "out of memory"),
    SYSTEM(EINVAL, "invalid argument"),
    SYSTEM(EAGAIN, "temporarily unavailable"),
    SYSTEM(EBUSY, "busy"),
    SYSTEM(ETIMEDOUT, "timed out"),
    SYSTEM(ECANCELED, "cancelled"),
    SYSTEM(ENOENT, "no such file or entry"),
    SYSTEM(EEXIST, "exists already"),
    SYSTEM(ENOTSUP, "not supported"),
    SYSTEM(EOPNOTSUPP, "not supported on this socket"),

    SYSTEM(ECONNREFUSED, "connection refused"),
    SYSTEM(ECONNRESET, "connection reset by the peer"),
    SYSTEM(ECONNABORTED, "connection aborted"),
    SYSTEM(EPIPE, "the other end is closed"),
    SYSTEM(ENOTCONN, "not connected"),
    SYSTEM(EISCONN, "connected already"),
    SYSTEM(EINPROGRESS, "in progress"),
    SYSTEM(EALREADY, "in progress already"),
    SYSTEM(EHOSTUNREACH, "no route to the host"),
    SYSTEM(ENETUNREACH, "network unreachable"),
    SYSTEM(ENETDOWN, "network down"),
    SYSTEM(ENETRESET, "connection aborted by the network"),
    SYSTEM(EADDRINUSE, "address in use"),
    SYSTEM(EADDRNOTAVAIL, "address not available"),
    SYSTEM(EAFNOSUPPORT, "address family not supported"),
    SYSTEM(EPROTO, "protocol error"),
    SYSTEM(EPROTOTYPE, "wrong protocol for this socket"),
    SYSTEM(EPROTONOSUPPORT, "protocol not supported"),
    SYSTEM(ENOPROTOOPT, "no such protocol option"),
    SYSTEM(EDESTADDRREQ, "destination address required"),
    SYSTEM(EMSGSIZE, "message too long"),
    SYSTEM(ENOTSOCK, "not a socket"),
    SYSTEM(ENOBUFS, "no buffer space"),

    SYSTEM(EBADF, "bad file descriptor"),
    SYSTEM(EMFILE, "too many open files"),
    SYSTEM(ENFILE, "too many open files in the system"),
    SYSTEM(EACCES, "permission denied"),
    SYSTEM(EPERM, "not permitted"),
    SYSTEM(ENOTDIR, "not a directory"),
    SYSTEM(EISDIR, "is a directory"),
    SYSTEM(ENOTEMPTY, "directory not empty"),
    SYSTEM(ENAMETOOLONG, "name too long"),
    SYSTEM(ELOOP, "too many symbolic links"),
    SYSTEM(EROFS, "read-only file system"),
    SYSTEM(ENOSPC, "no space left"),
    SYSTEM(EDQUOT, "quota exceeded"),
    SYSTEM(EFBIG, "file too large"),
    SYSTEM(EIO, "input/output error"),
    SYSTEM(ENXIO, "no such device or address"),
    SYSTEM(ENODEV, "no such device"),
    SYSTEM(ESPIPE, "not seekable"),
    SYSTEM(EXDEV, "different file systems"),
    SYSTEM(EMLINK, "too many links"),
    SYSTEM(ETXTBSY, "program file in use"),
    SYSTEM(EINTR, "interrupted"),
    SYSTEM(EFAULT, "bad address"),
    SYSTEM(ESRCH, "no such process"),
    SYSTEM(ECHILD, "no child process"),
    SYSTEM(E2BIG, "argument list too long"),
    SYSTEM(ENOEXEC, "not an executable file"),
    SYSTEM(EDEADLK, "would deadlock"),
    SYSTEM(ENOTTY, "not a terminal, or call not for this file"),
    SYSTEM(ENOSYS, "not implemented by the system"),
    SYSTEM(EDOM, "out of the function's domain"),
    SYSTEM(ERANGE, "out of range"),
    SYSTEM(EOVERFLOW, "value too large"),
    SYSTEM(EILSEQ, "invalid byte sequence"),
};

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
