/*
 * TLS connections: a transport between a stream and its descriptor.
 *
 * OpenSSL reads and writes records through a BIO of our own, which calls recv and send as plain streams do. The handshake runs
 * inside the stream's reads, on the loop's own stack; until it is over nothing is sent, and then the stream is flushed.
 */
#include "tls_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "block.h"
#include "socket.h"

enum { RECORD_BYTES = 16384 /* RFC 8446, 5.1 */ };

static tn__tls_conn *conn_of(const tn_stream *s)
{
    return s->transport_state;
}

/* -- Records to and from the descriptor -- */

static int bio_read(BIO *bio, char *p, int n)
{
    tn__tls_conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t got = recv(c->stream->io.fd, p, (size_t)n, 0);
    if (got > 0) return (int)got;
    if (got == 0) {
        c->eof = true;
        return 0;
    }
    c->system_error = -errno;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    tn__tls_conn *c = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent = send(c->stream->io.fd, p, (size_t)n, MSG_NOSIGNAL);
    if (sent >= 0) return (int)sent;
    c->system_error = -errno;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) BIO_set_retry_write(bio);
    return -1;
}

static long bio_control(BIO *bio, int command, long number, void *p)
{
    tn__tls_conn *c = BIO_get_data(bio);
    (void)number, (void)p;
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF ? c->eof : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO *new_bio(tn_tls *tls, tn__tls_conn *c)
{
    if (!tls->bio) {
        tls->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tornado stream");
        if (!tls->bio) return NULL;
        BIO_meth_set_read(tls->bio, bio_read);
        BIO_meth_set_write(tls->bio, bio_write);
        BIO_meth_set_ctrl(tls->bio, bio_control);
        BIO_meth_set_create(tls->bio, bio_create);
    }
    BIO *bio = BIO_new(tls->bio);
    if (bio) BIO_set_data(bio, c);
    return bio;
}

/* -- Errors -- */

/* Tell the log, and whoever waits for the handshake, why it failed. */
static void say_why(tn__tls_conn *c)
{
    char peer_text[TN_ADDR_TEXT_BYTES], reason[160];
    tn_addr peer = {0};
    unsigned long code = ERR_peek_error();
    const char *first = code ? ERR_reason_error_string(code) : NULL;
    long verdict = SSL_get_verify_result(c->ssl);
    bool untrusted = ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    snprintf(reason, sizeof reason, "%s%s%s", first ? first : "protocol error", untrusted ? ": " : "",
             untrusted ? X509_verify_cert_error_string(verdict) : "");
    ERR_clear_error();
    tn__socket_peer(c->stream->io.fd, &peer);
    tn_str shown = tn_addr_format(&peer, peer_text);
    TN__SAY(&c->stream->loop->report, TN_LOG_WARNING, TN_LOG_GENERAL, "SSL Error on %d " TN_FMT ": %s", c->stream->io.fd,
            TN_ARG(shown), reason);
    if (!c->err) return;
    *c->err = (tn_error){.code = TN_ETLS};
    snprintf(c->err->text, sizeof c->err->text, "%s", reason);
}

/* What a call of OpenSSL that did not succeed means for the stream: TN_EAGAIN, 0 for the end of input, or an error. */
static int judge(tn__tls_conn *c, int returned)
{
    switch (SSL_get_error(c->ssl, returned)) {
    case SSL_ERROR_WANT_READ: return TN_EAGAIN;
    case SSL_ERROR_WANT_WRITE: tn__io_drained(c->stream->loop, &c->stream->io, TN_WRITE); return TN_EAGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    case SSL_ERROR_SYSCALL:
        c->failed = true;
        ERR_clear_error();
        return c->system_error ? c->system_error : -ECONNRESET;
    default: break;
    }
    c->failed = true;
    if (c->eof && !c->done) { /* a peer that has thought better of it is nothing to warn of */
        ERR_clear_error();
        return TN_EOF;
    }
    say_why(c);
    return TN_ETLS;
}

/* -- The transport -- */

/* TN_OK once the handshake is over. */
static int shake_hands(tn__tls_conn *c)
{
    int returned = SSL_do_handshake(c->ssl);
    if (returned != 1) {
        int result = judge(c, returned);
        return result == 0 ? TN_EOF : result;
    }
    c->done = true;
    c->err = NULL;
    if (c->established) c->established(c->stream);
    return TN_OK;
}

/* As much as there is, record after record. An error behind some data is told by the next call. */
static ssize_t tls_recv(tn_stream *s, char *p, size_t n)
{
    tn__tls_conn *c = conn_of(s);
    size_t all = 0, got;
    if (c->error) return c->error;
    ERR_clear_error();
    c->system_error = 0;
    if (!c->done) TN_TRY(shake_hands(c));
    while (all < n) {
        int returned = SSL_read_ex(c->ssl, p + all, n - all, &got);
        if (returned != 1) {
            int result = judge(c, returned);
            if (all == 0 || result == 0) return all ? (ssize_t)all : result;
            c->error = result == TN_EAGAIN ? 0 : result;
            break;
        }
        all += got;
    }
    return (ssize_t)all;
}

/* Several small pieces make one record. How many bytes of it were taken. */
static ssize_t send_together(tn__tls_conn *c, const struct iovec *pieces, int n, size_t *taken)
{
    tn__block *b = tn__block_new(c->stream->loop, RECORD_BYTES / 2);
    if (!b) return TN_ENOMEM;
    for (int i = 0; i < n && b->n < b->cap; i++) {
        size_t part = pieces[i].iov_len < b->cap - b->n ? pieces[i].iov_len : b->cap - b->n;
        memcpy(b->p + b->n, pieces[i].iov_base, part);
        b->n += part;
    }
    int returned = SSL_write_ex(c->ssl, b->p, b->n, taken);
    tn__block_free(c->stream->loop, b);
    return returned;
}

static ssize_t tls_send(tn_stream *s, const struct iovec *pieces, int n)
{
    tn__tls_conn *c = conn_of(s);
    size_t taken = 0;
    if (!c->done) return 0;
    ERR_clear_error();
    c->system_error = 0;
    ssize_t returned = n > 1 && pieces[0].iov_len < RECORD_BYTES / 2
                           ? send_together(c, pieces, n, &taken)
                           : SSL_write_ex(c->ssl, pieces[0].iov_base, pieces[0].iov_len, &taken);
    if (returned == 1) return (ssize_t)taken;
    if (returned < 0) return returned;
    int result = judge(c, 0);
    return result == 0 ? -EPIPE : result;
}

/* RFC 8446, 6.1: close_notify ends one direction only. If it does not fit into the socket, the end of the connection must do. */
static void tls_shutdown_write(tn_stream *s)
{
    tn__tls_conn *c = conn_of(s);
    ERR_clear_error();
    if (c->done && !c->failed && !(SSL_get_shutdown(c->ssl) & SSL_SENT_SHUTDOWN)) SSL_shutdown(c->ssl);
    ERR_clear_error();
}

static void conn_free(tn__tls_conn *c)
{
    SSL_free(c->ssl); /* and its BIO */
    tn__tls_set_unref(c->set);
    tn_tls_free(c->tls);
    tn__free(c->host);
    tn__free(c);
}

static void tls_close(tn_stream *s)
{
    tls_shutdown_write(s);
    conn_free(conn_of(s));
    s->transport = NULL;
    s->transport_state = NULL;
}

static const tn__transport tls_transport = {
    .recv = tls_recv,
    .send = tls_send,
    .shutdown_write = tls_shutdown_write,
    .close = tls_close,
};

/* -- Beginning -- */

static bool is_address(const char *name)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Whom a client wants to reach: asked for by name, verified by name or address, an earlier session of theirs offered. */
static int set_peer(tn__tls_conn *c, const char *name)
{
    bool verifies = SSL_get_verify_mode(c->ssl) & SSL_VERIFY_PEER;
    if (!name || !*name) return verifies ? TN_EINVAL : TN_OK;
    c->host = tn_strdup(tn_z(name));
    if (!c->host) return TN_ENOMEM;
    if (is_address(name)) {
        if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), name) != 1) return TN_ECRYPTO;
    } else {
        SSL_set_hostflags(c->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        if (SSL_set1_host(c->ssl, name) != 1 || SSL_set_tlsext_host_name(c->ssl, name) != 1) return TN_ECRYPTO;
    }
    SSL_SESSION *session = tn__tls_recall(c->tls, name);
    if (session) SSL_set_session(c->ssl, session);
    return TN_OK;
}

static int set_up(tn__tls_conn *c, const char *server_name)
{
    c->ssl = SSL_new(c->set->ctx[0]);
    BIO *bio = c->ssl ? new_bio(c->tls, c) : NULL;
    if (!bio) return TN_ENOMEM;
    SSL_set_bio(c->ssl, bio, bio);
    SSL_set_app_data(c->ssl, c);
    if (c->tls->opts.server) {
        SSL_set_accept_state(c->ssl);
        return TN_OK;
    }
    SSL_set_connect_state(c->ssl);
    return set_peer(c, server_name);
}

int tn__tls_attach(tn_stream *s, tn_tls *tls, const char *server_name, void (*established)(tn_stream *s), tn_error *err)
{
    tn__tls_conn *c = tn__zalloc(sizeof *c);
    if (!c) return TN_ENOMEM;
    c->stream = s;
    c->tls = tn__tls_ref(tls);
    c->set = tn__tls_set_ref(tls->set);
    c->established = established;
    c->err = err;
    int result = set_up(c, server_name);
    ERR_clear_error();
    if (result < 0) {
        conn_free(c);
        return result;
    }
    s->transport = &tls_transport;
    s->transport_state = c;
    s->readable = true; /* a client speaks first, and it does so when it is read from */
    return TN_OK;
}

void tn__tls_forget_error(tn_stream *s)
{
    if (s->transport == &tls_transport) conn_of(s)->err = NULL;
}

int tn_stream_tls_info(const tn_stream *s, tn_tls_info *info)
{
    if (s->transport != &tls_transport || !conn_of(s)->done) return TN_ENOTSUP;
    SSL *ssl = conn_of(s)->ssl;
    const unsigned char *alpn;
    unsigned alpn_n;
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_n);
    X509 *peer = SSL_get0_peer_certificate(ssl);
    *info = (tn_tls_info){
        .version = SSL_get_version(ssl),
        .cipher = SSL_get_cipher_name(ssl),
        .server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
        .alpn = tn_str_of(alpn, alpn_n),
        .resumed = SSL_session_reused(ssl) == 1,
        .verified = peer && SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER && SSL_get_verify_result(ssl) == X509_V_OK,
    };
    if (peer) X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, info->peer, sizeof info->peer);
    return TN_OK;
}
