/*
 * Logging: Tornado's three loggers, levels and format.
 *
 * The engine never prints. Whatever it says goes through a loop's log function (tn_loop_set_log); tn_serve sets the one below,
 * which writes Tornado's coloured lines to standard error, collected and written once a turn.
 */
#ifndef TORNADO_LOG_H
#define TORNADO_LOG_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Levels: the numbers of Python's logging module. (TN_ERROR is an event of the loop.) */
enum { TN_LOG_DEBUG = 10, TN_LOG_INFO = 20, TN_LOG_WARNING = 30, TN_LOG_ERROR = 40, TN_LOG_CRITICAL = 50, TN_LOG_NONE = 100 };

/* Who speaks: tornado.access (one line a request), tornado.application (errors in your code), tornado.general (all else). */
typedef enum tn_log_domain { TN_LOG_ACCESS, TN_LOG_APPLICATION, TN_LOG_GENERAL } tn_log_domain;

/* One line to log, handed to a log function; everything in it is borrowed for the duration of the call. */
typedef struct tn_log_line {
    int level;
    tn_log_domain domain;
    const char *module; /* where it was said: a source file's stem */
    int line;           /* and the line there */
    tn_str text;        /* may hold any byte a peer sent: escape line ends before writing it anywhere */
} tn_log_line;

typedef void tn_log_fn(void *arg, const tn_log_line *line);

#ifdef __cplusplus
}
#endif

#endif
