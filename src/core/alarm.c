/*
 * The alarm of a loop that is driven from outside. Used by the Python face, whose host would pay for every call_later.
 *
 * It is set to the earliest deadline that was ever told, and looks again when it goes off: moving a deadline further away, which
 * every request does with its connection's, costs nothing.
 */
#include "alarm.h"

#include <errno.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/timerfd.h>
#endif

#include "base/alloc.h"

struct tn__alarm {
    tn__io io;
    int64_t set_ns; /* when it goes off; INT64_MAX: never */
};

#ifdef __linux__

/* It has gone off, which was all: the loop has turned. */
static void on_ready(tn_loop *loop, tn__io *io, unsigned events)
{
    (void)events;
    uint64_t times;
    if (read(io->fd, &times, sizeof times) == (ssize_t)sizeof times) loop->alarm->set_ns = INT64_MAX;
}

int tn__loop_set_alarm(tn_loop *loop)
{
    if (loop->alarm) return TN_OK;
    tn__alarm *alarm = tn__alloc(sizeof *alarm);
    if (!alarm) return TN_ENOMEM;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int result = fd < 0 ? -errno : TN_OK;
    *alarm = (tn__alarm){.io = {.fd = fd, .interest = TN_READ, .ready = on_ready}, .set_ns = INT64_MAX};
    if (result == TN_OK) result = tn__io_add(loop, &alarm->io);
    if (result == TN_OK) {
        loop->alarm = alarm;
        return TN_OK;
    }
    if (fd >= 0) close(fd);
    tn__free(alarm);
    return result;
}

void tn__alarm_set(tn_loop *loop, int64_t deadline_ns)
{
    tn__alarm *alarm = loop->alarm;
    if (deadline_ns >= alarm->set_ns) return;
    alarm->set_ns = deadline_ns;
    if (deadline_ns < 1) deadline_ns = 1; /* all zeroes would switch it off */
    struct itimerspec when = {.it_value = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000}};
    timerfd_settime(alarm->io.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

#else

int tn__loop_set_alarm(tn_loop *loop)
{
    (void)loop;
    return TN_ENOTSUP;
}

void tn__alarm_set(tn_loop *loop, int64_t deadline_ns)
{
    (void)loop, (void)deadline_ns;
}

#endif

void tn__alarm_free(tn_loop *loop)
{
    tn__alarm *alarm = loop->alarm;
    if (!alarm) return;
    int fd = alarm->io.fd;
    tn__io_remove(loop, &alarm->io);
    close(fd);
    tn__free(alarm);
    loop->alarm = NULL;
}
