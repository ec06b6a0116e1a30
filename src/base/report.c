/*
 * The engine's voice: makes a tn_log_line and hands it to the log function of the loop. Lines longer than what fits on the stack
 * are formatted on the heap; when there is no memory for that, the beginning of the line has to do.
 */
#include "report.h"

#include <stdio.h>

#include "buf.h"

enum { STACK_BYTES = 512, STEM_BYTES = 64 };

/* "/a/b/http1.c" to "http1". */
static void stem_of(const char *file, char stem[STEM_BYTES])
{
    const char *slash = strrchr(file, '/');
    if (slash) file = slash + 1;
    size_t n = strcspn(file, ".");
    if (n >= STEM_BYTES) n = STEM_BYTES - 1;
    memcpy(stem, file, n);
    stem[n] = '\0';
}

void tn__report_str(const tn__report *r, int level, tn_log_domain domain, const char *file, int line, tn_str text)
{
    if (!tn__report_wants(r, level)) return;
    char stem[STEM_BYTES];
    stem_of(file, stem);
    r->fn(r->arg, &(tn_log_line){.level = level, .domain = domain, .module = stem, .line = line, .text = text});
}

void tn__report_printf(const tn__report *r, int level, tn_log_domain domain, const char *file, int line, const char *format, ...)
{
    if (!tn__report_wants(r, level)) return;
    char text[STACK_BYTES];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);

    tn_buf buf = {0};
    tn_str whole = tn_str_of(text, n < 0 ? 0 : (size_t)n);
    if (whole.n >= sizeof text) {
        whole.n = sizeof text - 1;
        if (tn__buf_vprintf(&buf, format, again) == 0) whole = tn__buf_str(&buf);
    }
    va_end(again);
    tn__report_str(r, level, domain, file, line, whole);
    tn__buf_done(&buf);
}
