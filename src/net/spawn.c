/* posix_spawn with pipes: see spawn.h. */
#include "spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "base/fault.h"

extern char **environ;

typedef struct plan {
    int ours[3];   /* our ends of pipes; -1: none */
    int theirs[3]; /* what becomes the child's 0, 1 and 2; -1: stays what it is */
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
} plan;

static void close_all(int fds[3])
{
    for (int i = 0; i < 3; i++) {
        if (fds[i] >= 0) close(fds[i]);
        fds[i] = -1;
    }
}

/*
 * The same open file under a number above the standard ones, where putting one descriptor into its place cannot overwrite another
 * that is still to be moved.
 */
static int above_standard(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

static int open_pipe(plan *p, int i)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    int mine = i == 0 ? 1 : 0;
    int theirs = above_standard(ends[!mine]);
    close(ends[!mine]);
    if (theirs < 0) {
        close(ends[mine]);
        return theirs;
    }
    p->ours[i] = ends[mine];
    p->theirs[i] = theirs;
    return TN_OK;
}

static int open_null(plan *p, int i)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) return -errno;
    p->theirs[i] = above_standard(fd);
    close(fd);
    return p->theirs[i] < 0 ? p->theirs[i] : TN_OK;
}

static int prepare(plan *p, int i, int use)
{
    if (use == TN_INHERIT || (use == TN_STDOUT && i == 2)) return TN_OK;
    if (use == TN_STREAM) return open_pipe(p, i);
    if (use == TN_DEVNULL) return open_null(p, i);
    if (use < 0) return TN_EINVAL;
    p->theirs[i] = above_standard(use);
    return p->theirs[i] < 0 ? p->theirs[i] : TN_OK;
}

/* What others forgot to mark close-on-exec stays here as well, where the C library knows how. */
static int close_the_rest(posix_spawn_file_actions_t *a)
{
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    return posix_spawn_file_actions_addclosefrom_np(a, 3);
#endif
#endif
    (void)a;
    return 0;
}

/* What the child does between its birth and exec. dup2 clears close-on-exec of the copies. */
static int write_actions(plan *p, const tn__spawn_opts *o)
{
    posix_spawn_file_actions_t *a = &p->actions;
    int error = 0;
    for (int i = 0; i < 3 && !error; i++)
        if (p->theirs[i] >= 0) error = posix_spawn_file_actions_adddup2(a, p->theirs[i], i);
    if (!error && o->use[2] == TN_STDOUT) error = posix_spawn_file_actions_adddup2(a, STDOUT_FILENO, STDERR_FILENO);
    if (!error && o->cwd) error = posix_spawn_file_actions_addchdir_np(a, o->cwd);
    if (!error) error = close_the_rest(a);
    return -error;
}

static int write_attributes(plan *p)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(&p->attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&p->attributes, &all);
    if (!error) error = posix_spawnattr_setflags(&p->attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return -error;
}

static int run(plan *p, const tn__spawn_opts *o, pid_t *pid)
{
    TN_TRY(tn__fault(TN__FAULT_SPAWN));
    TN_TRY(write_actions(p, o));
    TN_TRY(write_attributes(p));
    char *const *env = o->env ? (char *const *)o->env : environ;
    return -posix_spawnp(pid, o->argv[0], &p->actions, &p->attributes, (char *const *)o->argv, env);
}

int tn__spawn(const tn__spawn_opts *o, pid_t *pid, int ends[3])
{
    if (!o->argv || !o->argv[0]) return TN_EINVAL;
    plan p = {.ours = {-1, -1, -1}, .theirs = {-1, -1, -1}};
    int result = TN_OK;
    for (int i = 0; i < 3 && result == TN_OK; i++) result = prepare(&p, i, o->use[i]);
    if (result == TN_OK) result = -posix_spawn_file_actions_init(&p.actions);
    if (result == TN_OK) {
        result = -posix_spawnattr_init(&p.attributes);
        if (result == TN_OK) {
            result = run(&p, o, pid);
            posix_spawnattr_destroy(&p.attributes);
        }
        posix_spawn_file_actions_destroy(&p.actions);
    }
    close_all(p.theirs);
    if (result < 0) {
        close_all(p.ours);
        return result;
    }
    memcpy(ends, p.ours, sizeof p.ours);
    return TN_OK;
}
