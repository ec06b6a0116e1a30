/* Listening: what is asked for, and which sockets come of it. */
#include "test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/listen.h"
#include "net/socket.h"

enum { FDS_MAX = 16 };

/* All sockets that `opts` gives; the test fails when there are none. */
static int bind_all(const tn__bind_opts *opts, int *fds)
{
    tn_error err;
    int n = tn__bind_sockets(opts, fds, FDS_MAX, &err);
    if (n <= 0) fail_msg("%s", err.text);
    for (int i = 0; i < n; i++) {
        assert_true(tn__socket_is_listening(fds[i]));
        assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
    }
    return n;
}

static void close_all(const int *fds, int n)
{
    for (int i = 0; i < n; i++) close(fds[i]);
}

static tn_addr local(int fd)
{
    tn_addr addr = {0};
    assert_int_equal(tn__socket_local(fd, &addr), TN_OK);
    return addr;
}

static void assert_connects(const tn_addr *addr)
{
    int fd = tn__socket_open(tn_addr_family(addr), SOCK_STREAM);
    int result = tn__socket_connect(fd, addr);
    if (result == -EINPROGRESS) result = tn__socket_error(fd);
    assert_int_equal(result, TN_OK);
    close(fd);
}

/* A directory of its own, and a path in it. */
static void scratch(char directory[64], char path[96])
{
    snprintf(directory, 64, "/tmp/tn-listen-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, 96, "%s/socket", directory);
}

TEST(listen, on_one_address_gives_one_socket)
{
    int fds[FDS_MAX];
    assert_int_equal(bind_all(&(tn__bind_opts){.address = "127.0.0.1"}, fds), 1);
    tn_addr addr = local(fds[0]);
    char ip[TN_ADDR_TEXT_BYTES];
    assert_str(tn_addr_ip(&addr, ip), "127.0.0.1");
    assert_true(tn_addr_port(&addr) > 0);
    assert_connects(&addr);
    close_all(fds, 1);
}

TEST(listen, on_all_interfaces_gives_both_families_one_port)
{
    static const char *const all[] = {NULL, ""};
    int probe = tn__socket_open(AF_INET6, SOCK_STREAM);
    if (probe < 0) skip(); /* a machine without IPv6 */
    close(probe);
    for (int i = 0; i < 2; i++) {
        int fds[FDS_MAX];
        int n = bind_all(&(tn__bind_opts){.address = all[i]}, fds);
        assert_int_equal(n, 2);
        tn_addr first = local(fds[0]), second = local(fds[1]);
        assert_int_equal(tn_addr_family(&first), AF_INET);
        assert_int_equal(tn_addr_family(&second), AF_INET6);
        assert_int_equal(tn_addr_port(&first), tn_addr_port(&second));
        close_all(fds, n);
    }
}

TEST(listen, on_a_name_takes_each_of_its_addresses_once)
{
    int fds[FDS_MAX];
    int n = bind_all(&(tn__bind_opts){.address = "localhost"}, fds);
    for (int i = 0; i < n; i++) {
        tn_addr a = local(fds[i]);
        assert_connects(&a);
        for (int j = 0; j < i; j++) {
            tn_addr b = local(fds[j]);
            assert_false(tn_addr_eq(&a, &b));
            assert_int_equal(tn_addr_port(&a), tn_addr_port(&b));
            assert_true(tn_addr_family(&b) <= tn_addr_family(&a));
        }
    }
    close_all(fds, n);
}

TEST(listen, on_a_port_in_use_fails_with_one_clear_sentence)
{
    int fds[FDS_MAX], more[FDS_MAX];
    char expected[100];
    tn_error err;
    bind_all(&(tn__bind_opts){.address = "127.0.0.1"}, fds);
    tn_addr addr = local(fds[0]);
    tn__bind_opts again = {.address = "127.0.0.1", .port = tn_addr_port(&addr)};
    assert_int_equal(tn__bind_sockets(&again, more, FDS_MAX, &err), -EADDRINUSE);
    snprintf(expected, sizeof(expected), "cannot listen on 127.0.0.1:%d: %s", again.port, tn_strerror(-EADDRINUSE));
    assert_string_equal(err.text, expected);
    assert_int_equal(err.code, -EADDRINUSE);
    assert_int_equal(tn__bind_sockets(&again, more, FDS_MAX, NULL), -EADDRINUSE);

    /* All interfaces: IPv6 may be free, but IPv4 is not; nothing stays open (the runner counts). */
    again.address = NULL;
    assert_int_equal(tn__bind_sockets(&again, more, FDS_MAX, &err), -EADDRINUSE);
    close_all(fds, 1);
}

TEST(listen, refuses_what_is_no_port_no_name_and_not_here)
{
    int fds[FDS_MAX];
    tn_error err;
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.port = 65536}, fds, FDS_MAX, &err), TN_EINVAL);
    assert_string_equal(err.text, "cannot listen on port 65536: not a port number");
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.port = -1}, fds, FDS_MAX, &err), TN_EINVAL);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = "not a name"}, fds, FDS_MAX, &err), TN_ERESOLVE);
    assert_memory_equal(err.text, "cannot listen on not a name: ", 29);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = "192.0.2.1"}, fds, FDS_MAX, &err), -EADDRNOTAVAIL);
    assert_memory_equal(err.text, "cannot listen on 192.0.2.1:0: ", 30);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.address = NULL}, fds, 1, &err), TN_ETOOBIG);
}

TEST(listen, shares_a_port_between_sockets_that_all_ask_for_it)
{
    int fds[FDS_MAX], more[FDS_MAX];
    bind_all(&(tn__bind_opts){.address = "127.0.0.1", .reuse_port = true}, fds);
    tn_addr addr = local(fds[0]);
    tn__bind_opts again = {.address = "127.0.0.1", .port = tn_addr_port(&addr), .reuse_port = true};
    assert_int_equal(bind_all(&again, more), 1);
    close_all(more, 1);
    close_all(fds, 1);
}

TEST(listen, on_a_path_lets_only_its_owner_connect)
{
    char directory[64], path[96];
    int fds[FDS_MAX];
    struct stat info;
    scratch(directory, path);
    assert_int_equal(bind_all(&(tn__bind_opts){.unix_path = path}, fds), 1);
    assert_int_equal(stat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
    tn_addr addr = local(fds[0]);
    assert_connects(&addr);
    close_all(fds, 1);
    unlink(path);

    assert_int_equal(bind_all(&(tn__bind_opts){.unix_path = path, .unix_mode = 0666}, fds), 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666);
    close_all(fds, 1);
    unlink(path);
    rmdir(directory);
}

TEST(listen, on_a_path_replaces_a_dead_socket_but_no_living_one)
{
    char directory[64], path[96];
    int fds[FDS_MAX], more[FDS_MAX];
    tn_error err;
    scratch(directory, path);
    bind_all(&(tn__bind_opts){.unix_path = path}, fds);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = path}, more, FDS_MAX, &err), -EADDRINUSE);
    assert_memory_equal(err.text, "cannot listen on unix:/tmp/", 27);
    tn_addr addr = local(fds[0]);
    assert_connects(&addr); /* it still lives */
    close_all(fds, 1);

    bind_all(&(tn__bind_opts){.unix_path = path}, fds);
    assert_connects(&addr);
    close_all(fds, 1);
    unlink(path);
    rmdir(directory);
}

TEST(listen, on_a_path_leaves_files_of_other_kinds_alone)
{
    char directory[64], path[96], long_path[150];
    int fds[FDS_MAX];
    tn_error err;
    scratch(directory, path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = path}, fds, FDS_MAX, &err), TN_EEXIST);
    assert_non_null(strstr(err.text, "not a socket"));
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);

    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = path}, fds, FDS_MAX, &err), TN_EEXIST);
    unlink(path);
    rmdir(directory);

    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = path}, fds, FDS_MAX, &err), TN_ENOENT); /* no such directory */
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = ""}, fds, FDS_MAX, &err), TN_EINVAL);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = "@"}, fds, FDS_MAX, &err), TN_EINVAL);
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = 0;
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = long_path}, fds, FDS_MAX, &err), TN_ETOOBIG);
}

TEST(listen, lets_a_burst_of_connections_wait)
{
    enum { BURST = 300 };
    char directory[64], path[96];
    int fds[FDS_MAX], clients[BURST];
    scratch(directory, path);
    bind_all(&(tn__bind_opts){.unix_path = path}, fds);
    tn_addr addr = local(fds[0]);
    for (int i = 0; i < BURST; i++) {
        clients[i] = tn__socket_open(AF_UNIX, SOCK_STREAM);
        assert_int_equal(tn__socket_connect(clients[i], &addr), TN_OK);
    }
    close_all(clients, BURST);
    close_all(fds, 1);
    unlink(path);
    rmdir(directory);
}

TEST(listen, on_an_abstract_name_leaves_no_file)
{
    char name[40];
    int fds[FDS_MAX], more[FDS_MAX];
    snprintf(name, sizeof(name), "@tn-listen-%d", (int)getpid());
    assert_int_equal(bind_all(&(tn__bind_opts){.unix_path = name}, fds), 1);
    assert_int_not_equal(access(name, F_OK), 0);
    tn_addr addr = local(fds[0]);
    assert_int_equal(addr.u.un.sun_path[0], 0);
    assert_connects(&addr);
    assert_int_equal(tn__bind_sockets(&(tn__bind_opts){.unix_path = name}, more, FDS_MAX, NULL), -EADDRINUSE);
    close_all(fds, 1);
}

TEST(listen, adopts_a_listening_socket_and_nothing_else)
{
    tn_error err;
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0), datagram = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(tn__listen_adopt(fd, &err), TN_EINVAL);
    assert_non_null(strstr(err.text, "not a listening stream socket"));
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(tn__listen_adopt(fd, &err), TN_OK);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(tn__listen_adopt(datagram, &err), TN_EINVAL);
    assert_int_equal(tn__listen_adopt(-1, NULL), TN_EINVAL);
    close(fd);
    close(datagram);
}

/* What socket activation gives to a child that runs `check`, which answers with the status of the child. */
static int in_child_with_sockets(int sockets, const char *pid, const char *fds_said, int (*check)(void))
{
    pid_t child = fork();
    if (child == 0) {
        char me[16];
        snprintf(me, sizeof(me), "%d", (int)getpid());
        setenv("LISTEN_PID", pid ? pid : me, 1);
        setenv("LISTEN_FDS", fds_said, 1);
        int fds[FDS_MAX];
        for (int i = 0; i < sockets; i++) {
            bind_all(&(tn__bind_opts){.address = "127.0.0.1"}, fds);
            if (fds[0] == 3 + i) continue;
            dup2(fds[0], 3 + i);
            close(fds[0]);
        }
        _exit(check());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int inherits_two(void)
{
    int fds[FDS_MAX];
    if (tn__listen_inherited(fds, FDS_MAX, NULL) != 2 || fds[0] != 3 || fds[1] != 4) return 1;
    return fcntl(4, F_GETFD) & FD_CLOEXEC ? 0 : 2;
}

static int inherits_nothing(void)
{
    int fds[FDS_MAX];
    return tn__listen_inherited(fds, FDS_MAX, NULL) != 0;
}

static int fails_with_a_sentence(void)
{
    int fds[1];
    tn_error err = {0};
    int result = tn__listen_inherited(fds, 1, &err);
    return !(result < 0 && err.code == result && err.text[0]);
}

TEST(listen, takes_the_sockets_of_systemd_when_they_are_meant_for_this_process)
{
    assert_int_equal(in_child_with_sockets(2, NULL, "2", inherits_two), 0);
    assert_int_equal(in_child_with_sockets(2, "1", "2", inherits_nothing), 0);
    assert_int_equal(in_child_with_sockets(1, NULL, "0", inherits_nothing), 0);
    assert_int_equal(in_child_with_sockets(1, NULL, "1x", inherits_nothing), 0);
    assert_int_equal(in_child_with_sockets(1, NULL, "-1", inherits_nothing), 0);
    assert_int_equal(in_child_with_sockets(2, NULL, "2", fails_with_a_sentence), 0); /* more than there is room for */
    assert_int_equal(in_child_with_sockets(0, NULL, "1", fails_with_a_sentence), 0); /* nothing there */
    assert_int_equal(in_child_with_sockets(2, NULL, "99999999999", fails_with_a_sentence), 0);
}
