/*
 * Listening sockets. Every way in ends in listen_on, which opens one socket on one address; around it stand the three sources of
 * addresses (the resolver, a path, the environment) and the rules for sets of them. Either all sockets are open at the end or none.
 */
#include "listen.h"

#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socket.h"

enum {
    SAME_PORT_TRIES = 16, /* how often a port that is free for one family only is given up for another */
    INHERITED_FIRST = 3   /* sd_listen_fds(3): SD_LISTEN_FDS_START */
};

/* Fill `err`, if there is one, and return the code. */
TN_PRINTF(3, 4) static int fail(tn_error *err, int code, const char *format, ...)
{
    if (!err) return code;
    va_list args;
    va_start(args, format);
    err->code = code;
    err->at = 0;
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return code;
}

static int fail_listen(tn_error *err, int code, const tn_addr *addr)
{
    char text[TN_ADDR_TEXT_BYTES];
    return fail(err, code, "cannot listen on %s: %s", tn_addr_format(addr, text).p, tn_strerror(code));
}

static void close_all(const int *fds, size_t n)
{
    while (n > 0) close(fds[--n]);
}

/* Everything between socket() and listen(). */
static int prepare(int fd, const tn__bind_opts *opts, const tn_addr *addr)
{
    int family = tn_addr_family(addr);
    if (family != AF_UNIX) TN_TRY(tn__socket_reuse_addr(fd));
    if (opts->reuse_port) TN_TRY(tn__socket_reuse_port(fd));
    /* With V6ONLY the socket of IPv4 can have the same port, and peers never show up as ::ffff:1.2.3.4. */
    if (family == AF_INET6) TN_TRY(tn__socket_v6only(fd));
    TN_TRY(tn__socket_bind(fd, addr));
    /* Nobody can connect before listen, so there is no moment at which the wrong ones may. */
    if (family == AF_UNIX && addr->u.un.sun_path[0] && chmod(addr->u.un.sun_path, opts->unix_mode ? opts->unix_mode : 0600) < 0)
        return -errno;
    return tn__socket_listen(fd, opts->backlog > 0 ? opts->backlog : TN__BACKLOG);
}

/* One socket on one address; the descriptor or the error. */
static int listen_on(const tn__bind_opts *opts, const tn_addr *addr)
{
    int fd = tn__socket_open(tn_addr_family(addr), SOCK_STREAM);
    if (fd < 0) return fd;
    int result = prepare(fd, opts, addr);
    if (result == TN_OK) return fd;
    close(fd);
    return result;
}

/* A machine may lack a family, or know IPv6 and have it off, while /etc/hosts still says that localhost is ::1 as well. */
static bool may_be_skipped(const tn_addr *addr, int code)
{
    if (code == -EAFNOSUPPORT) return true;
    return code == -EADDRNOTAVAIL && tn_addr_family(addr) == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&addr->u.in6.sin6_addr);
}

/*
 * Listen on each of `n` addresses; returns how many sockets there are now. When `opts` leaves the port to the system, what the first
 * socket got is wanted for all: `*port_clash` says that another family has it in use and that a new try may help.
 */
static int listen_on_each(const tn__bind_opts *opts, tn_addr *addrs, size_t n, int *fds, tn_error *err, bool *port_clash)
{
    size_t open = 0;
    uint16_t port = 0;
    int skipped = TN_OK;

    *port_clash = false;
    for (size_t i = 0; i < n; i++) {
        tn_addr addr = addrs[i];
        if (opts->port == 0 && port) tn_addr_set_port(&addr, port);
        int fd = listen_on(opts, &addr);
        if (fd >= 0) {
            fds[open++] = fd;
            if (opts->port == 0 && tn__socket_local(fd, &addr) == TN_OK) port = tn_addr_port(&addr);
        } else if (may_be_skipped(&addr, fd)) {
            skipped = fail_listen(err, fd, &addr);
        } else {
            close_all(fds, open);
            *port_clash = fd == -EADDRINUSE && opts->port == 0 && port;
            return fail_listen(err, fd, &addr);
        }
    }
    return open ? (int)open : skipped;
}

/* getaddrinfo's errors as ours, with a sentence. */
static int fail_lookup(tn_error *err, const char *address, int gai_code)
{
    if (gai_code == EAI_MEMORY) return fail(err, TN_ENOMEM, "cannot listen on %s: %s", address, tn_strerror(TN_ENOMEM));
    int code = gai_code == EAI_SYSTEM ? -errno : TN_ERESOLVE;
    return fail(err, code, "cannot listen on %s: %s", address, gai_code == EAI_SYSTEM ? tn_strerror(code) : gai_strerror(gai_code));
}

/* Put `addr` into the list: IPv4 before IPv6, otherwise in the order in which they came, each once. */
static int add_sorted(tn_addr *addrs, size_t *n, size_t max, const tn_addr *addr)
{
    size_t at = *n;
    for (size_t i = 0; i < *n; i++)
        if (tn_addr_eq(&addrs[i], addr)) return TN_OK;
    if (*n == max) return TN_ETOOBIG;
    while (at > 0 && tn_addr_family(&addrs[at - 1]) > tn_addr_family(addr)) at--;
    memmove(&addrs[at + 1], &addrs[at], (*n - at) * sizeof(*addrs));
    addrs[at] = *addr;
    ++*n;
    return TN_OK;
}

/* All addresses of opts->address; waits for the resolver if it is a name. Returns how many. */
static int look_up(const tn__bind_opts *opts, tn_addr *addrs, size_t max, tn_error *err)
{
    const char *address = opts->address && *opts->address ? opts->address : NULL;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    size_t n = 0;
    int result = TN_OK;
    char port[8];

    snprintf(port, sizeof(port), "%u", (unsigned)opts->port & 0xffff);
    int gai_code = getaddrinfo(address, port, &hints, &found);
    if (gai_code) return fail_lookup(err, address ? address : "all interfaces", gai_code);
    for (struct addrinfo *a = found; a && result == TN_OK; a = a->ai_next) {
        tn_addr addr;
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
        if (tn_addr_set(&addr, a->ai_addr, a->ai_addrlen) == TN_OK) result = add_sorted(addrs, &n, max, &addr);
    }
    freeaddrinfo(found);
    if (result < 0) return fail(err, result, "cannot listen on %s: it has more than %zu addresses", address, max);
    return (int)n;
}

static int bind_inet(const tn__bind_opts *opts, int *fds, size_t max, tn_error *err)
{
    tn_addr addrs[TN__LISTENERS_MAX];
    bool port_clash = false;
    int result;

    if (opts->port < 0 || opts->port > 65535)
        return fail(err, TN_EINVAL, "cannot listen on port %d: not a port number", opts->port);
    int n = look_up(opts, addrs, max < TN__LISTENERS_MAX ? max : TN__LISTENERS_MAX, err);
    if (n < 0) return n;
    for (int tries = 0; tries < SAME_PORT_TRIES; tries++) {
        result = listen_on_each(opts, addrs, (size_t)n, fds, err, &port_clash);
        if (!port_clash) break;
    }
    return result;
}

/* Is somebody listening at this path? 0 for nobody, 1 for somebody, or why that cannot be told. */
static int is_alive(const tn_addr *addr)
{
    int fd = tn__socket_open(AF_UNIX, SOCK_STREAM);
    if (fd < 0) return fd;
    int result = tn__socket_connect(fd, addr);
    close(fd);
    if (result == -ECONNREFUSED || result == -ENOENT) return 0;
    /* EAGAIN: its queue is full, so it lives; EPROTOTYPE: it lives and is not of the stream kind. */
    if (result == TN_OK || result == -EAGAIN || result == -EINPROGRESS || result == -EPROTOTYPE) return 1;
    return result;
}

/* Take away the socket that a process which ended left at the path. */
static int remove_stale(const tn_addr *addr, tn_error *err)
{
    const char *path = addr->u.un.sun_path;
    struct stat info;

    if (lstat(path, &info) < 0) return errno == ENOENT ? TN_OK : fail_listen(err, -errno, addr);
    if (!S_ISSOCK(info.st_mode)) return fail(err, TN_EEXIST, "cannot listen on unix:%s: the file exists and is not a socket", path);
    int alive = is_alive(addr);
    if (alive) return fail_listen(err, alive < 0 ? alive : -EADDRINUSE, addr);
    if (unlink(path) < 0 && errno != ENOENT) return fail_listen(err, -errno, addr);
    return TN_OK;
}

static int bind_unix(const tn__bind_opts *opts, int *fds, size_t max, tn_error *err)
{
    char text[TN_ADDR_TEXT_BYTES];
    tn_addr addr;
    size_t n = strlen(opts->unix_path);

    if (max == 0) return fail(err, TN_ETOOBIG, "cannot listen on unix:%s: no room for a descriptor", opts->unix_path);
    if (n == 0 || n >= sizeof(addr.u.un.sun_path))
        return fail(err, n ? TN_ETOOBIG : TN_EINVAL, "cannot listen on unix:%s: the path is %s", opts->unix_path,
                    n ? "too long" : "empty");
    snprintf(text, sizeof(text), "unix:%s", opts->unix_path);
    if (tn_addr_parse(&addr, text) < 0) return fail(err, TN_EINVAL, "cannot listen on %s: the name is empty", text);
    if (addr.u.un.sun_path[0]) TN_TRY(remove_stale(&addr, err));
    int fd = listen_on(opts, &addr);
    if (fd < 0) return fail_listen(err, fd, &addr);
    fds[0] = fd;
    return 1;
}

int tn__bind_sockets(const tn__bind_opts *opts, int *fds, size_t max, tn_error *err)
{
    return opts->unix_path ? bind_unix(opts, fds, max, err) : bind_inet(opts, fds, max, err);
}

int tn__listen_adopt(int fd, tn_error *err)
{
    if (!tn__socket_is_listening(fd))
        return fail(err, TN_EINVAL, "cannot listen on descriptor %d: not a listening stream socket", fd);
    int result = tn__socket_adopt(fd);
    if (result < 0) return fail(err, result, "cannot listen on descriptor %d: %s", fd, tn_strerror(result));
    return TN_OK;
}

/* A number of the environment; -1 when it is absent or anything but digits. */
static long environment_number(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (!text || *text < '0' || *text > '9') return -1;
    errno = 0;
    long number = strtol(text, &end, 10);
    return *end || errno ? -1 : number;
}

int tn__listen_inherited(int *fds, size_t max, tn_error *err)
{
    long n = environment_number("LISTEN_FDS");
    if (n <= 0 || environment_number("LISTEN_PID") != (long)getpid()) return 0;
    if ((size_t)n > max || n > INT_MAX - INHERITED_FIRST)
        return fail(err, TN_ETOOBIG, "LISTEN_FDS passes %ld sockets, more than the %zu there is room for", n, max);
    for (int i = 0; i < (int)n; i++) TN_TRY(tn__listen_adopt(INHERITED_FIRST + i, err));
    for (int i = 0; i < (int)n; i++) fds[i] = INHERITED_FIRST + i;
    return (int)n;
}
