/*
 * The one allocator. Everything in the library allocates through these calls, so that tests can make any of them fail.
 */
#ifndef TN_BASE_ALLOC_H
#define TN_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

void *tn__alloc(size_t n);            /* NULL for lack of memory; n > 0 */
void *tn__zalloc(size_t n);           /* the same, zeroed */
void *tn__realloc(void *p, size_t n); /* p stays valid on failure */
void tn__free(void *p);               /* NULL is fine */

/*
 * Test hook: let the next `successes` allocations succeed and make every one after that fail (`forever`) or just one fail.
 * A negative number switches the hook off.
 */
void tn__alloc_fail_after(long successes, bool forever);

/* How many allocations were asked for since the hook was switched on (with LONG_MAX successes it only counts). */
long tn__alloc_count(void);

#endif
