/* The sd_notify protocol: see notify.h. Called by serve.c, and by process.c where there are workers. */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tornado/error.h"

/* A path, or for Linux's abstract namespace "@" and a name. Other kinds (vsock) are for guests of a virtual machine. */
static int address_of(const char *text, struct sockaddr_un *sun, socklen_t *len)
{
    size_t n = strlen(text);
    if ((text[0] != '/' && text[0] != '@') || n < 2 || n >= sizeof sun->sun_path) return TN_EINVAL;
    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sun->sun_path, text, n);
    if (text[0] == '@') sun->sun_path[0] = 0;
    *len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    return TN_OK;
}

static int compose(const char *word, char *text, size_t size)
{
    struct timespec now;
    if (strcmp(word, TN__NOTIFY_READY) == 0) return snprintf(text, size, "%s\nMAINPID=%ld", word, (long)getpid());
    if (strcmp(word, TN__NOTIFY_RELOADING) != 0) return snprintf(text, size, "%s", word);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return snprintf(text, size, "%s\nMONOTONIC_USEC=%lld", word, (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int tn__notify(const char *word)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || !*name) return TN_OK;
    struct sockaddr_un sun;
    socklen_t len;
    char text[128];
    TN_TRY(address_of(name, &sun, &len));
    int n = compose(word, text, sizeof text);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    /* It does not wait: a manager that is slow to read must not hold up the service. */
    ssize_t sent = sendto(fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&sun, len);
    int error = sent < 0 ? -errno : TN_OK;
    close(fd);
    return error;
}
