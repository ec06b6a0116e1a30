/*
 * TLS: who we are and whom we trust, as a context that many connections share. Tornado's ssl_options.
 *
 *     tn_tls *tls;
 *     TN_TRY(tn_tls_new(&tls, &err, .server = true, .cert_file = "site.pem", .key_file = "site.key"));
 *     tn_tcp_serve(echo, NULL, .port = 9443, .tls = tls);
 *
 * Programs that only connect need no context: tn_connect(..., .tls = true) trusts what the system trusts. TLS 1.2 and 1.3 only;
 * no compression, no renegotiation. Certificates and host names are verified unless a program says otherwise. Contexts belong to one
 * thread. All calls exist since 0.1.
 */
#ifndef TORNADO_TLS_H
#define TORNADO_TLS_H

#include "error.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tn_tls tn_tls;
typedef struct tn_stream tn_stream;
typedef struct tn_future tn_future;

/* Whether the peer must show a certificate that we trust. */
typedef enum tn_tls_verify {
    TN_TLS_VERIFY_STANDARD, /* clients require it of servers, servers do not ask */
    TN_TLS_VERIFY_NONE,     /* anyone may pretend to be the peer: for tests */
    TN_TLS_VERIFY_OPTIONAL, /* servers: ask, and refuse a bad one, but go on without */
    TN_TLS_VERIFY_REQUIRED
} tn_tls_verify;

/* A certificate with those that vouch for it, and its key: PEM files. */
typedef struct tn_tls_cert {
    const char *cert_file;
    const char *key_file; /* NULL: in cert_file too */
} tn_tls_cert;

typedef struct tn_tls_opts {
    tn_error *err;           /* positional; filled with a sentence on failure; may be NULL */
    bool server;             /* for accepting, not for connecting */
    const char *cert_file;   /* who we are; required of servers, optional for clients */
    const char *key_file;    /* NULL: in cert_file too */
    const char *password;    /* of the keys; NULL: they have none */
    const tn_tls_cert *more; /* further certificates, ended by a zeroed one: the client's wish (SNI) chooses by the names in them */
    const char *ca_file;     /* whom we trust: a PEM file; NULL: whom the system trusts */
    tn_tls_verify verify;
    const char *alpn;    /* protocols, best first: "h2,http/1.1"; a server refuses clients that offer none of them */
    const char *ciphers; /* of TLS 1.2, as OpenSSL writes them; NULL: its standard */
    bool only_tls13;
    char end_;
} tn_tls_opts;

/*
 * Make a context. Everything is read and copied now. Gives it in `out`; free it with tn_tls_free. TN_ETLS with the reason in `err`
 * when a file cannot be read or key and certificate do not belong together; TN_EINVAL; TN_ENOMEM.
 */
#ifndef __cplusplus
#define tn_tls_new(out, ...) tn_tls_new_((out), &(tn_tls_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_tls_opts, end_))
#endif
TN_API int tn_tls_new_(tn_tls **out, const tn_tls_opts *opts, size_t opts_size);

/*
 * Read all files again, for new connections: those that are open go on as they are, and clients may resume earlier sessions. On
 * failure, with the reason in `err` (may be NULL), everything stays as it was.
 */
TN_API int tn_tls_reload(tn_tls *tls, tn_error *err);

/* Give a context back; it goes with the last connection that uses it. NULL is fine. */
TN_API void tn_tls_free(tn_tls *tls);

typedef struct tn_start_tls_opts {
    tn_tls *tls;             /* positional; says whether we are the server; NULL: the standard client */
    const char *server_name; /* clients: whom the certificate must name, a host name or an IP address */
    double timeout;          /* seconds for the handshake; default 60 */
    tn_error *err;           /* filled with a sentence on failure; may be NULL; not by the twin */
    char end_;
} tn_start_tls_opts;

/*
 * Turn a connected stream into one over TLS, and wait for the handshake.
 *
 *     tn_start_tls(stream, NULL, .server_name = "example.com")
 *
 * What was written leaves first. TN_EBUSY when a read waits, or when something came that was not read: it came unprotected, and must
 * not be taken for protected. TN_EINVAL for a client that verifies and has no server_name. TN_ETLS when the peer is not trusted or
 * speaks no TLS that we speak, TN_ETIMEDOUT, TN_EOF or the system's error: then the stream is closed.
 */
#ifndef __cplusplus
#define tn_start_tls(stream, ...)                                                                                                  \
    tn_start_tls_((stream), &(tn_start_tls_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_start_tls_opts, end_))
#define tn_start_tls_start(stream, ...)                                                                                            \
    tn_start_tls_start_((stream), &(tn_start_tls_opts){__VA_ARGS__, .end_ = 0}, offsetof(tn_start_tls_opts, end_))
#endif
TN_API int tn_start_tls_(tn_stream *stream, const tn_start_tls_opts *opts, size_t opts_size);
TN_API tn_future *tn_start_tls_start_(tn_stream *stream, const tn_start_tls_opts *opts, size_t opts_size);

/* What was agreed on. Texts are valid as long as the stream is open, and NULL where there is nothing to tell. */
typedef struct tn_tls_info {
    const char *version;     /* "TLSv1.3" */
    const char *cipher;      /* "TLS_AES_256_GCM_SHA384" */
    const char *server_name; /* that the client asked for */
    tn_str alpn;             /* the protocol chosen; empty when none was */
    bool resumed;            /* an earlier session */
    bool verified;           /* the peer has shown a certificate that we trust */
    char peer[256];          /* its subject's common name; "" when it has shown none */
} tn_tls_info;

/* Tell about a stream; TN_ENOTSUP when it is not over TLS. */
TN_API int tn_stream_tls_info(const tn_stream *stream, tn_tls_info *info);

#ifdef __cplusplus
} /* extern "C" */

/* C++: the options as a struct. */
static inline int tn_tls_new(tn_tls **out, tn_tls_opts opts)
{
    return tn_tls_new_(out, &opts, offsetof(tn_tls_opts, end_));
}
static inline int tn_start_tls(tn_stream *stream, tn_start_tls_opts opts)
{
    return tn_start_tls_(stream, &opts, offsetof(tn_start_tls_opts, end_));
}
#endif

#endif
