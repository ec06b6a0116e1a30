/*
 * Starting a program as a child process, with its standard descriptors as they are wanted. posix_spawn does it, so that a large
 * parent copies no page tables and the failure of exec comes back as an error of this call.
 */
#ifndef TN_NET_SPAWN_H
#define TN_NET_SPAWN_H

#include <sys/types.h>

#include "tornado/process.h"

typedef struct tn__spawn_opts {
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* ends with NULL; NULL: this process's */
    const char *cwd;         /* NULL: this process's */
    int use[3];              /* for standard input, output, error: TN_INHERIT, TN_STREAM, TN_DEVNULL, TN_STDOUT or a descriptor */
} tn__spawn_opts;

/*
 * Start it. The child has the standard signal dispositions, an empty signal mask, and no descriptor of ours.
 *
 * Gives our ends of the pipes for TN_STREAM (close-on-exec, still blocking), -1 for the others. On failure nothing is left open:
 * TN_EINVAL for a wrong `use` or an empty argv, or the system's error, that of exec (TN_ENOENT) included.
 */
int tn__spawn(const tn__spawn_opts *opts, pid_t *pid, int ends[3]);

#endif
