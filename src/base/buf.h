/*
 * tn_buf: bytes that grow, owned by whoever holds the struct. Zeroed is empty and valid.
 */
#ifndef TN_BASE_BUF_H
#define TN_BASE_BUF_H

#include <stdarg.h>

#include "tornado/str.h"

typedef struct tn_buf {
    char *p;    /* NULL while nothing was ever needed */
    size_t n;   /* bytes in use */
    size_t cap; /* bytes there is room for */
} tn_buf;

/* Make room for `extra` more bytes. Grows by doubling. TN_ENOMEM leaves the buffer as it was. */
int tn__buf_reserve(tn_buf *b, size_t extra);

/* Append. TN_ENOMEM leaves the buffer as it was. */
int tn__buf_add(tn_buf *b, const void *p, size_t n);
int tn__buf_add_str(tn_buf *b, tn_str s);
int tn__buf_add_char(tn_buf *b, char c);
int tn__buf_printf(tn_buf *b, const char *format, ...) TN_PRINTF(2, 3);
int tn__buf_vprintf(tn_buf *b, const char *format, va_list args);

/* Put a NUL behind the bytes in use without counting it. */
int tn__buf_terminate(tn_buf *b);

/* Drop the first `n` bytes in use. */
void tn__buf_consume(tn_buf *b, size_t n);

static inline tn_str tn__buf_str(const tn_buf *b)
{
    return tn_str_of(b->p, b->n);
}

/* Forget the bytes but keep the room. */
static inline void tn__buf_clear(tn_buf *b)
{
    b->n = 0;
}

/* Give the memory back; the buffer is empty and valid afterwards. */
void tn__buf_done(tn_buf *b);

#endif
