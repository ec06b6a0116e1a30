/*
 * What the fuzz targets share. A target is one function over bytes that must not crash, and that checks with REQUIRE what must hold
 * for every input: above all that a stream parser gives the same results however its input is sliced.
 */
#ifndef TN_FUZZ_FUZZ_H
#define TN_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tornado/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define REQUIRE(condition)                                                                                                         \
    do {                                                                                                                           \
        if (!(condition)) {                                                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                                         \
            abort();                                                                                                               \
        }                                                                                                                          \
    } while (0)

/* A copy in an allocation of exactly its size, so that the address sanitizer sees every read behind it. */
static inline char *fuzz_copy(const void *p, size_t n)
{
    char *copy = malloc(n ? n : 1);
    if (!copy) abort();
    if (n) memcpy(copy, p, n);
    return copy;
}

#endif
