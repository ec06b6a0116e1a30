/* What the two files of TLS share with each other and with nobody else: the only ones that know OpenSSL's library of TLS. */
#ifndef TN_NET_TLS_PARTS_H
#define TN_NET_TLS_PARTS_H

#include <openssl/ssl.h>

#include "tls.h"

enum { TN__TLS_SESSIONS_MAX = 32 }; /* hosts whose last session a client remembers */

/* The contexts of OpenSSL that one reading of the files has given: one for each certificate, the standard one first. */
typedef struct tn__tls_set {
    size_t refs, n;
    SSL_CTX *ctx[];
} tn__tls_set;

typedef struct tn__tls_session {
    char *host;
    SSL_SESSION *session;
} tn__tls_session;

struct tn_tls {
    size_t refs;
    tn_tls_opts opts; /* its texts are ours */
    tn_tls_cert *more;
    tn__tls_set *set;
    BIO_METHOD *bio; /* how records reach the descriptor */
    unsigned char *alpn;
    unsigned alpn_n;
    tn__tls_session sessions[TN__TLS_SESSIONS_MAX];
    size_t session_at; /* the next one to be replaced */
};

/* One connection: the transport_state of its stream. */
typedef struct tn__tls_conn {
    tn_stream *stream;
    tn_tls *tls;
    tn__tls_set *set;
    SSL *ssl;
    char *host;                        /* clients: whom we want to reach */
    void (*established)(tn_stream *s); /* the handshake is over: once, inside a recv */
    tn_error *err;                     /* for the reason, while the handshake runs; may be NULL */
    int error;                         /* to be told by the next recv, after what came before it */
    int system_error;                  /* what the descriptor said last */
    bool done;                         /* the handshake is over */
    bool failed;                       /* no goodbye is possible */
    bool eof;                          /* the peer has closed its side of the connection below us */
} tn__tls_conn;

/* A client's sessions. */
void tn__tls_remember(tn_tls *tls, const char *host, SSL_SESSION *session); /* takes the reference */
SSL_SESSION *tn__tls_recall(const tn_tls *tls, const char *host);           /* borrowed; NULL when there is none */

/* References. */
tn__tls_set *tn__tls_set_ref(tn__tls_set *set);
void tn__tls_set_unref(tn__tls_set *set);
tn_tls *tn__tls_ref(tn_tls *tls);

/* Fill `err`, if there is one, with what OpenSSL complains about, and clear its queue. Returns `code`. */
int tn__tls_explain(tn_error *err, int code, const char *what);

#endif
