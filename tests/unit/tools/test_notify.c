/* What systemd is told, over a datagram socket as systemd makes it. */
#include "test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/notify.h"
#include "tornado/error.h"

/* A manager that listens at `name`, which begins with "@" for an abstract one. */
static int open_manager(const char *name)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(sun.sun_path, name, strlen(name));
    if (name[0] == '@') sun.sun_path[0] = 0;
    assert_int_equal(bind(fd, (struct sockaddr *)&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void heard(int fd, char text[128])
{
    ssize_t n = recv(fd, text, 127, 0);
    text[n < 0 ? 0 : n] = 0;
}

static void close_manager(int fd)
{
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

TEST(notify, says_nothing_when_nobody_asks)
{
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(tn__notify(TN__NOTIFY_READY), 0);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(tn__notify(TN__NOTIFY_READY), 0);
    unsetenv("NOTIFY_SOCKET");
}

TEST(notify, says_its_words_to_an_abstract_socket)
{
    char name[64], text[128], expected[64];
    snprintf(name, sizeof name, "@tornado-test-%ld", (long)getpid());
    int fd = open_manager(name);
    assert_int_equal(tn__notify(TN__NOTIFY_READY), 0);
    heard(fd, text);
    snprintf(expected, sizeof expected, "READY=1\nMAINPID=%ld", (long)getpid());
    assert_string_equal(text, expected);
    assert_int_equal(tn__notify(TN__NOTIFY_STOPPING), 0);
    heard(fd, text);
    assert_string_equal(text, "STOPPING=1");
    close_manager(fd);
}

TEST(notify, says_when_the_reload_began_to_a_socket_with_a_path)
{
    char folder[] = "/tmp/tornado-notify-XXXXXX", name[64], text[128];
    long long usec = 0;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/socket", folder);
    int fd = open_manager(name);
    assert_int_equal(tn__notify(TN__NOTIFY_RELOADING), 0);
    heard(fd, text);
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
    assert_true(usec > 0);
    close_manager(fd);
    unlink(name);
    rmdir(folder);
}

TEST(notify, puts_up_with_a_manager_that_is_not_there)
{
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    assert_int_equal(tn__notify(TN__NOTIFY_READY), TN_ENOENT);
    setenv("NOTIFY_SOCKET", "relative", 1);
    assert_int_equal(tn__notify(TN__NOTIFY_READY), TN_EINVAL);
    unsetenv("NOTIFY_SOCKET");
}

TEST(notify, does_not_wait_for_a_manager_that_does_not_read)
{
    char name[64], text[128];
    snprintf(name, sizeof name, "@tornado-test-%ld", (long)getpid());
    int fd = open_manager(name), result = TN_OK;
    for (int i = 0; i < 10000 && result == TN_OK; i++) result = tn__notify(TN__NOTIFY_READY);
    assert_int_equal(result, TN_EAGAIN);
    heard(fd, text);
    close_manager(fd);
}
