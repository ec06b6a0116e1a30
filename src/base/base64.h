/* Base64 of RFC 4648, section 4: the standard alphabet, padded. Used by signed values and the WebSocket handshake. */
#ifndef TN_BASE_BASE64_H
#define TN_BASE_BASE64_H

#include "tornado/str.h"

#define TN__BASE64_BYTES(n) (((n) + 2) / 3 * 4)

/* Writes TN__BASE64_BYTES(in.n) characters, no NUL. Returns how many. */
size_t tn__base64_encode(char *out, tn_str in);

/*
 * Strict: padding required, no blanks, unused bits zero. `out` holds in.n / 4 * 3 bytes. Returns the count, or TN_ESYNTAX
 * (and then `out` may have been written to).
 */
long tn__base64_decode(void *out, tn_str in);

#endif
