/* Workers and their supervisor: real processes, each supervisor in a child of the test. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tornado/process.h"

/* What workers say to the test: one byte each. */
typedef struct channel {
    int read_fd, write_fd;
} channel;

static channel open_channel(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    return (channel){ends[0], ends[1]};
}

static void close_channel(channel *c)
{
    close(c->read_fd);
    close(c->write_fd);
}

static void say(const channel *c, char word)
{
    if (write(c->write_fd, &word, 1) != 1) _exit(99);
}

/* The next word; 0 when none comes within the time. */
static char hear(const channel *c, int ms)
{
    struct pollfd p = {.fd = c->read_fd, .events = POLLIN};
    char word = 0;
    if (poll(&p, 1, ms) != 1 || read(c->read_fd, &word, 1) != 1) return 0;
    return word;
}

/* Run a supervisor in a child of the test; its exit status is 0, or the negated error without its sign. */
static pid_t supervise(tn_worker_fn *fn, channel *c, int count, int restarts_max)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    int e =
        tn_fork_workers(fn, .arg = c, .count = count, .restarts_max = restarts_max, .log_level = TN_LOG_NONE, .ready_timeout = 2);
    _exit(e == 0 ? 0 : e == TN_ETOOBIG ? 3 : 4);
}

static int status_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int say_number_and_end(tn_worker *worker, void *arg)
{
    say(arg, (char)('0' + tn_worker_id(worker)));
    return 0;
}

TEST(process, runs_each_worker_once_and_returns_when_all_have_ended_well)
{
    channel c = open_channel();
    pid_t pid = supervise(say_number_and_end, &c, 3, 0);
    int seen = 0;
    for (int i = 0; i < 3; i++) seen |= 1 << (hear(&c, 5000) - '0');
    assert_int_equal(seen, 7);
    assert_int_equal(status_of(pid), 0);
    assert_int_equal(hear(&c, 50), 0);
    close_channel(&c);
}

static int end_badly(tn_worker *worker, void *arg)
{
    (void)worker;
    say(arg, 'x');
    return 1;
}

TEST(process, restarts_a_failing_worker_until_the_budget_is_used_up)
{
    channel c = open_channel();
    pid_t pid = supervise(end_badly, &c, 1, 2);
    for (int i = 0; i < 3; i++) assert_int_equal(hear(&c, 5000), 'x');
    assert_int_equal(status_of(pid), 3);
    assert_int_equal(hear(&c, 50), 0);
    close_channel(&c);
}

/* Say one's number, be ready, and wait for SIGTERM. */
static int stay(tn_worker *worker, void *arg)
{
    say(arg, (char)('0' + tn_worker_id(worker)));
    tn_worker_ready(worker);
    while (pause() != 0) continue;
    return 0;
}

TEST(process, restarts_a_killed_worker_under_its_number)
{
    channel c = open_channel();
    pid_t pid = supervise(stay, &c, 1, 5);
    assert_int_equal(hear(&c, 5000), '0');
    char find[64];
    snprintf(find, sizeof find, "pkill -9 -P %d", (int)pid);
    assert_int_equal(system(find), 0);
    assert_int_equal(hear(&c, 5000), '0');
    kill(pid, SIGTERM);
    assert_int_equal(status_of(pid), 0);
    close_channel(&c);
}

TEST(process, passes_sigterm_on_and_ends_with_the_workers)
{
    channel c = open_channel();
    pid_t pid = supervise(stay, &c, 2, 5);
    assert_true(hear(&c, 5000) && hear(&c, 5000));
    kill(pid, SIGTERM);
    assert_int_equal(status_of(pid), 0);
    close_channel(&c);
}

TEST(process, replaces_all_workers_on_sighup)
{
    channel c = open_channel();
    pid_t pid = supervise(stay, &c, 2, 5);
    assert_true(hear(&c, 5000) && hear(&c, 5000));
    kill(pid, SIGHUP);
    assert_int_equal(hear(&c, 5000), '0');
    assert_int_equal(hear(&c, 5000), '1');
    kill(pid, SIGTERM);
    assert_int_equal(status_of(pid), 0);
    close_channel(&c);
}

/* What systemd is told next, without what follows the first line; "" when nothing comes. */
static const char *told(int fd, int ms)
{
    static char text[128];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n = poll(&p, 1, ms) == 1 ? recv(fd, text, sizeof text - 1, 0) : 0;
    text[n < 0 ? 0 : n] = 0;
    text[strcspn(text, "\n")] = 0;
    return text;
}

TEST(process, tells_systemd_when_all_are_ready_replaced_and_stopping)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sa_family_t)), 0); /* a name of the system's choice */
    socklen_t len = sizeof sun;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sun, &len), 0);
    char name[32];
    snprintf(name, sizeof name, "@%.*s", (int)(len - offsetof(struct sockaddr_un, sun_path) - 1), sun.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);

    channel c = open_channel();
    pid_t pid = supervise(stay, &c, 2, 5);
    unsetenv("NOTIFY_SOCKET");
    assert_string_equal(told(fd, 5000), "READY=1");
    kill(pid, SIGHUP);
    assert_string_equal(told(fd, 5000), "RELOADING=1");
    assert_string_equal(told(fd, 5000), "READY=1");
    kill(pid, SIGTERM);
    assert_string_equal(told(fd, 5000), "STOPPING=1");
    assert_int_equal(status_of(pid), 0);
    assert_string_equal(told(fd, 50), "");
    close_channel(&c);
    close(fd);
}

/* The first one is ready; whoever comes to replace it ends at once. */
static int only_the_first_is_good(tn_worker *worker, void *arg)
{
    channel *c = arg;
    char token = 0;
    int flags = fcntl(c->read_fd, F_GETFL);
    fcntl(c->read_fd, F_SETFL, flags | O_NONBLOCK);
    if (read(c->read_fd, &token, 1) != 1) return 1;
    tn_worker_ready(worker);
    while (pause() != 0) continue;
    return 0;
}

TEST(process, keeps_the_old_worker_when_the_new_one_does_not_become_ready)
{
    channel c = open_channel();
    say(&c, 't'); /* one token: for the first worker alone */
    pid_t pid = supervise(only_the_first_is_good, &c, 1, 5);
    usleep(200000);
    kill(pid, SIGHUP);
    usleep(300000);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    char count[64];
    snprintf(count, sizeof count, "test $(pgrep -P %d | wc -l) = 1", (int)pid);
    assert_int_equal(system(count), 0);
    kill(pid, SIGTERM);
    assert_int_equal(status_of(pid), 0);
    close_channel(&c);
}

#ifdef __linux__
/* A worker whose parent is killed gets SIGTERM: it ends, and the write end of the channel with it. */
TEST(process, ends_workers_whose_parent_was_killed)
{
    channel c = open_channel();
    pid_t pid = supervise(stay, &c, 1, 5);
    assert_int_equal(hear(&c, 5000), '0');
    close(c.write_fd);
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), -SIGKILL);
    struct pollfd p = {.fd = c.read_fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    char word;
    assert_int_equal(read(c.read_fd, &word, 1), 0);
    close(c.read_fd);
}
#endif

TEST(process, counts_at_least_one_cpu)
{
    assert_true(tn_cpu_count() >= 1);
}
