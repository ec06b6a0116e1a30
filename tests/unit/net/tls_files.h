/* Certificates for tests, made anew by OpenSSL for each program and written to a folder of its own. */
#ifndef TN_TESTS_TLS_FILES_H
#define TN_TESTS_TLS_FILES_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

typedef struct tls_party {
    X509 *cert;
    EVP_PKEY *key;
} tls_party;

/* Paths of the files; the certificate's ends in .pem, and the key is in it too. */
static char tls_folder[] = "/tmp/tornado-tls-XXXXXX";

__attribute__((unused)) static const char *tls_path(const char *name)
{
    static char paths[8][80];
    static int at;
    char *path = paths[at++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s.pem", tls_folder, name);
    return path;
}

static void tls_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

/* names: as of subjectAltName, or NULL for an authority, which signs itself if it has no issuer. */
static tls_party tls_make(const char *common_name, const char *names, const tls_party *issuer)
{
    static long serial = 1;
    tls_party p = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    X509_set_version(p.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(p.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(p.cert), 3600);
    X509_set_pubkey(p.cert, p.key);
    X509_NAME *name = X509_get_subject_name(p.cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
    X509_set_issuer_name(p.cert, issuer ? X509_get_subject_name(issuer->cert) : name);
    tls_extension(p.cert, issuer ? issuer->cert : p.cert, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names) tls_extension(p.cert, issuer->cert, NID_subject_alt_name, names);
    assert_true(X509_sign(p.cert, issuer ? issuer->key : p.key, EVP_sha256()) > 0);
    return p;
}

static void tls_write(const char *name, const tls_party *p)
{
    FILE *file = fopen(tls_path(name), "w");
    assert_non_null(file);
    PEM_write_X509(file, p->cert);
    PEM_write_PrivateKey(file, p->key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
}

static void tls_party_free(tls_party *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
}

/* An authority ("ca") that trusts "site" (localhost, 127.0.0.1), "other" (*.other.test) and "client"; and "stranger", whom it does not. */
__attribute__((unused)) static void tls_files_make(void)
{
    static const struct {
        const char *file, *names;
    } parties[] = {{"site", "DNS:localhost,IP:127.0.0.1"}, {"other", "DNS:*.other.test"}, {"client", "DNS:client.test"}};
    if (access(tls_folder, F_OK) == 0) return;
    assert_non_null(mkdtemp(tls_folder));
    tls_party ca = tls_make("Test Authority", NULL, NULL), bad = tls_make("Bad Authority", NULL, NULL);
    tls_write("ca", &ca);
    for (size_t i = 0; i < sizeof parties / sizeof *parties; i++) {
        tls_party p = tls_make(parties[i].file, parties[i].names, &ca);
        tls_write(parties[i].file, &p);
        tls_party_free(&p);
    }
    tls_party stranger = tls_make("stranger", "DNS:localhost", &bad);
    tls_write("stranger", &stranger);
    tls_party_free(&stranger);
    tls_party_free(&bad);
    tls_party_free(&ca);
}

__attribute__((destructor)) static void tls_files_remove(void)
{
    static const char *const names[] = {"ca", "site", "other", "client", "stranger", "copy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(tls_path(names[i]));
    rmdir(tls_folder);
}

#endif
