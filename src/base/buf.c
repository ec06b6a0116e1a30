/* Growing bytes: what output, bodies and collected lines are built in. The growing is here, the reading inline in buf.h. */
#include "buf.h"

#include <stdio.h>

#include "alloc.h"
#include "tornado/error.h"

enum { CAP_MIN = 64 };

int tn__buf_reserve(tn_buf *b, size_t extra)
{
    if (extra <= b->cap - b->n) return TN_OK;
    if (extra > SIZE_MAX / 2 - b->n) return TN_ENOMEM;
    size_t cap = b->cap ? b->cap : CAP_MIN;
    while (cap < b->n + extra) cap *= 2;
    char *p = tn__realloc(b->p, cap);
    if (!p) return TN_ENOMEM;
    b->p = p;
    b->cap = cap;
    return TN_OK;
}

int tn__buf_add(tn_buf *b, const void *p, size_t n)
{
    if (n == 0) return TN_OK;
    TN_TRY(tn__buf_reserve(b, n));
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return TN_OK;
}

int tn__buf_add_str(tn_buf *b, tn_str s)
{
    return tn__buf_add(b, s.p, s.n);
}

int tn__buf_add_char(tn_buf *b, char c)
{
    TN_TRY(tn__buf_reserve(b, 1));
    b->p[b->n++] = c;
    return TN_OK;
}

int tn__buf_printf(tn_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int rc = tn__buf_vprintf(b, format, args);
    va_end(args);
    return rc;
}

/* Formats into the room there is; only what does not fit is formatted a second time. */
int tn__buf_vprintf(tn_buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = b->cap - b->n;
    int n = vsnprintf(room ? b->p + b->n : NULL, room, format, args);
    int rc = n < 0 ? TN_EINVAL : TN_OK;
    if (n >= 0 && (size_t)n >= room) {
        rc = tn__buf_reserve(b, (size_t)n + 1); /* vsnprintf wants room for its NUL */
        if (rc == TN_OK) vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
    }
    va_end(again);
    if (rc == TN_OK) b->n += (size_t)n;
    return rc;
}

int tn__buf_terminate(tn_buf *b)
{
    TN_TRY(tn__buf_reserve(b, 1));
    b->p[b->n] = '\0';
    return TN_OK;
}

void tn__buf_consume(tn_buf *b, size_t n)
{
    if (n > b->n) n = b->n;
    if (n == 0) return;
    b->n -= n;
    memmove(b->p, b->p + n, b->n);
}

void tn__buf_done(tn_buf *b)
{
    tn__free(b->p);
    *b = (tn_buf){0};
}
