/*
 * The single hook through which the engine speaks. It never prints: what it has to say goes to the `log` slot of its loop, under
 * one of Tornado's three loggers. No function set: nothing is said and nothing is formatted.
 */
#ifndef TN_BASE_REPORT_H
#define TN_BASE_REPORT_H

#include "tornado/log.h"
#include "tornado/str.h"

typedef struct tn__report {
    tn_log_fn *fn; /* NULL: silence */
    void *arg;
    int level; /* least level that is wanted */
} tn__report;

static inline bool tn__report_wants(const tn__report *r, int level)
{
    return r->fn && level >= r->level;
}

/* Say a line that is ready. `file` may be a path (__FILE__); only its stem is passed on. */
void tn__report_str(const tn__report *r, int level, tn_log_domain domain, const char *file, int line, tn_str text);
void tn__report_printf(const tn__report *r, int level, tn_log_domain domain, const char *file, int line, const char *format, ...)
    TN_PRINTF(6, 7);

/* Nothing of the arguments is evaluated unless the line is wanted. */
#define TN__SAY(report, level, domain, ...)                                                                                        \
    do {                                                                                                                           \
        const tn__report *tn_r_ = (report);                                                                                        \
        if (tn__report_wants(tn_r_, (level))) tn__report_printf(tn_r_, (level), (domain), __FILE__, __LINE__, __VA_ARGS__);        \
    } while (0)

#endif
