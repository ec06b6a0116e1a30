/* Programs started with their standard descriptors as wanted. */
#include "core/core_test.h"
#include "net/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Run a shell's line; what it wrote to `ends[from]` in `text`, its exit status returned. */
static int shell(const char *line, tn__spawn_opts opts, int from, const char *input, char text[512])
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    int ends[3], status;
    pid_t pid;
    opts.argv = argv;
    assert_int_equal(tn__spawn(&opts, &pid, ends), 0);
    if (ends[0] >= 0) {
        if (input) assert_int_equal(write(ends[0], input, strlen(input)), strlen(input));
        close(ends[0]);
    }
    size_t n = 0;
    for (ssize_t got; ends[from] >= 0 && (got = read(ends[from], text + n, 511 - n)) > 0;) n += (size_t)got;
    text[n] = 0;
    for (int i = 1; i < 3; i++)
        if (ends[i] >= 0) close(ends[i]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(spawn, connects_pipes)
{
    char text[512];
    tn__spawn_opts opts = {.use = {TN_STREAM, TN_STREAM, TN_DEVNULL}};
    assert_int_equal(shell("cat; echo unseen >&2; exit 4", opts, 1, "hello", text), 4);
    assert_string_equal(text, "hello");
}

TEST(spawn, sends_the_standard_error_where_the_output_goes)
{
    char text[512];
    tn__spawn_opts opts = {.use = {TN_DEVNULL, TN_STREAM, TN_STDOUT}};
    assert_int_equal(shell("echo one; echo two >&2; cat", opts, 1, NULL, text), 0);
    assert_string_equal(text, "one\ntwo\n");
}

TEST(spawn, copies_a_descriptor_of_ours)
{
    char text[512] = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    tn__spawn_opts opts = {.use = {TN_INHERIT, ends[1], TN_STREAM}};
    assert_int_equal(shell("echo out; echo err >&2", opts, 2, NULL, text), 0);
    assert_string_equal(text, "err\n");
    close(ends[1]);
    assert_int_equal(read(ends[0], text, sizeof text), 4);
    assert_memory_equal(text, "out\n", 4);
    close(ends[0]);
}

TEST(spawn, gives_directory_and_environment)
{
    char text[512];
    const char *const env[] = {"PLACE=here", NULL};
    tn__spawn_opts opts = {.env = env, .cwd = "/usr", .use = {TN_INHERIT, TN_STREAM}};
    assert_int_equal(shell("pwd; echo $PLACE$HOME", opts, 1, NULL, text), 0);
    assert_string_equal(text, "/usr\nhere\n");
}

TEST(spawn, gives_no_other_descriptor_and_standard_signals)
{
    char text[512];
    int ends[2];
    sigset_t blocked;
    assert_int_equal(pipe(ends), 0); /* which forgot to say close-on-exec */
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    tn__spawn_opts opts = {.use = {TN_STREAM, TN_STREAM, TN_STREAM}};
    /* The shell's own list of descriptors has one more, of the folder that ls reads. */
    assert_int_equal(shell("ls /proc/self/fd | tr '\\n' ' '", opts, 1, NULL, text), 0);
    assert_string_equal(text, "0 1 2 3 ");
    /* The last seven digits are the signals up to 28; the C library has some of its own above. */
    const char *line = "sed -nE 's/^Sig(Blk|Ign).*(.......)$/\\2/p' /proc/self/status";
    assert_int_equal(shell(line, opts, 1, NULL, text), 0);
    assert_string_equal(text, "0000000\n0000000\n");
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    test_close_pair(ends);
}

TEST(spawn, works_when_its_pipes_get_the_numbers_of_standard_descriptors)
{
    char text[512];
    int kept[3];
    for (int i = 0; i < 3; i++) kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++) close(i);
    tn__spawn_opts opts = {.use = {TN_STREAM, TN_STREAM, TN_STREAM}};
    const char *const argv[] = {"sh", "-c", "cat; cat >&2", NULL};
    int ends[3] = {-1, -1, -1};
    pid_t pid = 0;
    opts.argv = argv;
    int result = tn__spawn(&opts, &pid, ends);
    bool written = write(ends[0], "through", 7) == 7;
    close(ends[0]);
    ssize_t got = read(ends[1], text, sizeof text);
    close(ends[1]);
    close(ends[2]);
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_int_equal(result, 0);
    assert_true(written);
    assert_int_equal(got, 7);
    assert_memory_equal(text, "through", 7);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The descriptors are counted by the runner. */
TEST(spawn, reports_what_exec_says_and_leaves_nothing_open)
{
    if (test_is_emulated()) return;
    const char *const missing[] = {"/no/such/program", NULL}, *const folder[] = {"/usr", NULL}, *const nothing[] = {NULL};
    const char *const good[] = {"true", NULL};
    pid_t pid;
    int ends[3];
    tn__spawn_opts opts = {.argv = missing, .use = {TN_STREAM, TN_STREAM, TN_STREAM}};
    assert_int_equal(tn__spawn(&opts, &pid, ends), TN_ENOENT);
    opts.argv = folder;
    assert_int_equal(tn__spawn(&opts, &pid, ends), -EACCES);
    opts.argv = nothing;
    assert_int_equal(tn__spawn(&opts, &pid, ends), TN_EINVAL);
    opts.argv = good;
    opts.cwd = "/no/such/folder";
    assert_int_equal(tn__spawn(&opts, &pid, ends), TN_ENOENT);
    opts.cwd = NULL;
    opts.use[2] = 9999;
    assert_int_equal(tn__spawn(&opts, &pid, ends), -EBADF);
    opts.use[2] = TN_STREAM;
    opts.use[1] = TN_STDOUT; /* for the standard error only */
    assert_int_equal(tn__spawn(&opts, &pid, ends), TN_EINVAL);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}
