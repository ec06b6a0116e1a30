/*
 * Digests through libcrypto, at the price of the digest itself.
 *
 * Most of a one-shot EVP call on a few bytes goes into looking up the algorithm and building a context. A digester does both once:
 * each algorithm has its context, and a context that is started again on the same algorithm keeps its inner state's memory.
 */
#include "digest.h"

#include <endian.h>

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "alloc.h"
#include "fault.h"
#include "tornado/error.h"

typedef struct algorithm {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
} algorithm;

struct tn__digester {
    algorithm sha1, sha256, sha512;
};

static bool algorithm_open(algorithm *a, const char *name)
{
    a->md = EVP_MD_fetch(NULL, name, NULL);
    a->ctx = EVP_MD_CTX_new();
    return a->md && a->ctx && EVP_DigestInit_ex2(a->ctx, a->md, NULL) == 1;
}

static void algorithm_close(algorithm *a)
{
    EVP_MD_CTX_free(a->ctx);
    EVP_MD_free(a->md);
}

tn__digester *tn__digester_new(void)
{
    tn__digester *d = tn__zalloc(sizeof *d);
    if (!d) return NULL;
    if (algorithm_open(&d->sha1, "SHA1") && algorithm_open(&d->sha256, "SHA256") && algorithm_open(&d->sha512, "SHA512")) return d;
    tn__digester_free(d);
    return NULL;
}

void tn__digester_free(tn__digester *d)
{
    if (!d) return;
    algorithm_close(&d->sha1);
    algorithm_close(&d->sha256);
    algorithm_close(&d->sha512);
    tn__free(d);
}

static int digest(algorithm *a, tn_str data, unsigned char *out)
{
    bool ok = EVP_DigestInit_ex2(a->ctx, a->md, NULL) == 1 && EVP_DigestUpdate(a->ctx, data.p, data.n) == 1 &&
              EVP_DigestFinal_ex(a->ctx, out, NULL) == 1;
    return ok ? TN_OK : TN_ECRYPTO;
}

int tn__sha1(tn__digester *d, tn_str data, unsigned char out[TN__SHA1_BYTES])
{
    return digest(&d->sha1, data, out);
}

int tn__sha256(tn__digester *d, tn_str data, unsigned char out[TN__SHA256_BYTES])
{
    return digest(&d->sha256, data, out);
}

int tn__sha512(tn__digester *d, tn_str data, unsigned char out[TN__SHA512_BYTES])
{
    return digest(&d->sha512, data, out);
}

static int hmac(const EVP_MD *md, tn_str key, tn_str data, unsigned char *out)
{
    if (key.n > INT_MAX) return TN_EINVAL;
    const char *key_bytes = key.n ? key.p : ""; /* libcrypto takes NULL for "no key given", not for the empty one */
    return HMAC(md, key_bytes, (int)key.n, (const unsigned char *)data.p, data.n, out, NULL) ? TN_OK : TN_ECRYPTO;
}

int tn__hmac_sha1(tn_str key, tn_str data, unsigned char out[TN__SHA1_BYTES])
{
    return hmac(EVP_sha1(), key, data, out);
}

int tn__hmac_sha256(tn_str key, tn_str data, unsigned char out[TN__SHA256_BYTES])
{
    return hmac(EVP_sha256(), key, data, out);
}

bool tn__equal_const(tn_str a, tn_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

int tn__random(void *out, size_t n)
{
    if (n > INT_MAX) return TN_EINVAL;
    TN_TRY(tn__fault(TN__FAULT_RANDOM));
    return RAND_bytes(out, (int)n) == 1 ? TN_OK : TN_ECRYPTO;
}

/* Four bytes to eight digits at once: nibbles spread over the bytes of a word, then turned into ASCII all together. */
static uint64_t hex_word(uint32_t four)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t spread = four;
    spread = (spread | spread << 16) & 0x0000ffff0000ffff;
    spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
    uint64_t nibbles = (spread >> 4 & 0x0f * ones) | (spread & 0x000f000f000f000f) << 8;
    nibbles &= 0x0f * ones;
    uint64_t letters = (nibbles + 6 * ones) >> 4 & ones;
    return nibbles + '0' * ones + letters * ('a' - '0' - 10);
}

void tn__hex(char *out, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (; n >= 4; n -= 4, p += 4, out += 8) {
        uint32_t four;
        memcpy(&four, p, sizeof four);
        uint64_t digits = htole64(hex_word(le32toh(four)));
        memcpy(out, &digits, sizeof digits);
    }
    for (; n > 0; n--, p++, out += 2) {
        out[0] = "0123456789abcdef"[*p >> 4];
        out[1] = "0123456789abcdef"[*p & 15];
    }
}
