/*
 * Telling systemd (or whoever speaks its sd_notify protocol) how this process is: ready, reloading, stopping. One datagram to the
 * socket that the environment names; nothing at all when there is none, which is the ordinary case.
 */
#ifndef TN_TOOLS_NOTIFY_H
#define TN_TOOLS_NOTIFY_H

/* The words of the protocol: sd_notify(3). */
#define TN__NOTIFY_READY "READY=1"
#define TN__NOTIFY_RELOADING "RELOADING=1"
#define TN__NOTIFY_STOPPING "STOPPING=1"

/*
 * Send one of them. READY carries the number of this process as MAINPID, for services that are started through a wrapper, and
 * RELOADING the time, which systemd wants there. TN_OK when it was sent or nobody asked for it; or the system's error, which
 * callers have no use for but tests.
 */
int tn__notify(const char *word);

#endif
