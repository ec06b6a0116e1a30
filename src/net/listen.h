/*
 * Listening sockets: from what a program asks for ("port 8888 on all interfaces") to descriptors that listen. Called by servers
 * before their loop runs; only here may a name be looked up by waiting for the answer.
 */
#ifndef TN_NET_LISTEN_H
#define TN_NET_LISTEN_H

#include "tornado/netutil.h"

enum {
    /*
     * Connections that wait to be accepted, when nothing else is said. A burst that exceeds it waits a second, until TCP tries again;
     * Linux allows 4,096 unless net.core.somaxconn says otherwise, and takes less where it says less.
     */
    TN__BACKLOG = 4096,
    TN__LISTENERS_MAX = 32 /* room for what one call can give, in any sensible configuration */
};

/* What to listen on; works when zeroed: some free port on all interfaces. */
typedef struct tn__bind_opts {
    const char *address;   /* an IP address or the name of a host; NULL or "" is all interfaces, IPv4 and IPv6 */
    int port;              /* 0: one that is free, the same for both families */
    const char *unix_path; /* a Unix socket instead: a path, or '@' and a name in Linux's abstract namespace */
    unsigned unix_mode;    /* who may connect to the path; 0 means 0600 */
    int backlog;           /* 0 means TN__BACKLOG */
    bool reuse_port;       /* SO_REUSEPORT: several processes listen on the same port, each with a queue of its own */
} tn__bind_opts;

/*
 * Open what `opts` asks for: one socket for each address, IPv4 first, each address once.
 *
 * The ::1 of "localhost", or a whole family, that this machine lacks is left out if another address remains. A Unix socket replaces a
 * dead one at the same path; a living one and a file that is no socket are refused.
 *
 * Gives the descriptors in `fds` (they belong to the caller) and returns how many. On failure nothing stays open and `err` holds one
 * sentence such as "cannot listen on 127.0.0.1:8888: address in use"; TN_ERESOLVE for a name that cannot be resolved,
 * TN_ETOOBIG when there are more than `max`.
 */
int tn__bind_sockets(const tn__bind_opts *opts, int *fds, size_t max, tn_error *err);

/* Make an inherited descriptor ours. TN_EINVAL unless it is a stream socket that listens. */
int tn__listen_adopt(int fd, tn_error *err);

/*
 * Adopt the sockets that systemd's socket activation (sd_listen_fds(3)) passed to this process: those from descriptor 3 on that the
 * environment's LISTEN_PID and LISTEN_FDS speak of. Returns how many; 0 when there are none or they are meant for another process.
 */
int tn__listen_inherited(int *fds, size_t max, tn_error *err);

#endif
