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

/*
 * The level that a word stands for: debug, info, warning, error, critical or none, in any case.
 *
 * word: a tn_str, a char * or a const char *. TN_EINVAL for any other word. Any thread.
 */
#define tn_log_level_parse(word) tn_log_level_parse_s(TN_STR(word))
TN_API int tn_log_level_parse_s(tn_str word);

/*
 * What writes a loop's lines to a descriptor, one line for each:
 *
 *     [I 260708 12:00:00 web:2348] 200 GET / (127.0.0.1) 0.50ms
 *
 * the bracket in the level's colour if the descriptor is a terminal with colours, the time that of the local clock. A line end in the
 * text is followed by four spaces, control bytes and what is not UTF-8 are shown as \xNN, so that no peer can forge a line.
 *
 * Lines are collected and written at the end of the turn, and the loop never waits for the reader: up to 256 KiB are kept for a slow
 * one, then the oldest are dropped and counted, and the count is logged when there is room again. A reader that has gone away is
 * not an error. (Who writes to a pipe or socket should ignore SIGPIPE, as tn_serve does.)
 */
typedef struct tn_log_console tn_log_console;

struct tn_loop;

/*
 * Make a console and put it on the loop's log (tn_loop_set_log), for lines of `level` and above.
 *
 * fd: usually STDERR_FILENO; stays yours. Returns NULL for lack of memory. Free it before the loop. Loop thread only.
 */
TN_API tn_log_console *tn_log_console_new(struct tn_loop *loop, int fd, int level);

/* Write what is collected, as far as that goes without waiting. Loop thread only. */
TN_API void tn_log_console_flush(tn_log_console *console);

/* Write what is collected, waiting a second at most for a slow reader, and silence the loop. NULL is fine. Loop thread only. */
TN_API void tn_log_console_free(tn_log_console *console);

#ifdef __cplusplus
}
#endif

#endif
