/*
 * As much of <sys/event.h> as src/core/poll_kqueue.c uses, for testing that file on Linux. The functions are in ../kqueue.c.
 */
#ifndef TN_TESTS_SHIM_EVENT_H
#define TN_TESTS_SHIM_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    intptr_t data;
    void *udata;
};

enum { EVFILT_READ = -1, EVFILT_WRITE = -2 };
enum { EV_ADD = 0x1, EV_DELETE = 0x2, EV_CLEAR = 0x20, EV_ERROR = 0x4000, EV_EOF = 0x8000 };

#define EV_SET(event, ident_, filter_, flags_, fflags_, data_, udata_)                                                             \
    (*(event) = (struct kevent){(uintptr_t)(ident_), (filter_), (flags_), (fflags_), (data_), (udata_)})

int kqueue(void);
int kevent(int kq, const struct kevent *changes, int changes_n, struct kevent *events, int events_max,
           const struct timespec *timeout);

#endif
