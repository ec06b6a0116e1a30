/*
 * Digests, HMAC, constant-time comparison and random bytes: thin over libcrypto.
 *
 * A tn__digester holds fetched algorithms and one context, so that a digest of a few bytes does not pay for looking them up; one
 * per loop, used by its thread only.
 */
#ifndef TN_BASE_DIGEST_H
#define TN_BASE_DIGEST_H

#include "tornado/str.h"

enum { TN__SHA1_BYTES = 20, TN__SHA256_BYTES = 32, TN__SHA512_BYTES = 64 };

typedef struct tn__digester tn__digester;

tn__digester *tn__digester_new(void); /* NULL for lack of memory or a libcrypto without these algorithms */
void tn__digester_free(tn__digester *d);

/* One-shot digests; TN_ECRYPTO when libcrypto fails. */
int tn__sha1(tn__digester *d, tn_str data, unsigned char out[TN__SHA1_BYTES]);
int tn__sha256(tn__digester *d, tn_str data, unsigned char out[TN__SHA256_BYTES]);
int tn__sha512(tn__digester *d, tn_str data, unsigned char out[TN__SHA512_BYTES]);
int tn__hmac_sha1(tn_str key, tn_str data, unsigned char out[TN__SHA1_BYTES]);
int tn__hmac_sha256(tn_str key, tn_str data, unsigned char out[TN__SHA256_BYTES]);

/* Equal? In a time that depends on the lengths only. */
bool tn__equal_const(tn_str a, tn_str b);

/* Cryptographic random bytes. TN_ECRYPTO when the system has none to give: never weak ones. */
int tn__random(void *out, size_t n);

/* `n` bytes as 2n lower-case hexadecimal digits; no NUL. */
void tn__hex(char *out, const void *bytes, size_t n);

#endif
