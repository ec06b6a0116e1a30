/*
 * TLS contexts: options to OpenSSL's contexts, choosing among certificates, a client's memory of sessions, reloading.
 *
 * Each reading of the files gives a set, which its connections keep alive; reloading only replaces the set that new ones use.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/alloc.h"
#include "room.h"
#include "tls_parts.h"

enum { TICKET_KEYS_BYTES = 80 };

int tn__tls_explain(tn_error *err, int code, const char *what)
{
    unsigned long first = ERR_get_error();
    const char *reason = ERR_SYSTEM_ERROR(first) ? tn_strerror(-ERR_GET_REASON(first)) : ERR_reason_error_string(first);
    ERR_clear_error();
    if (!err) return code;
    *err = (tn_error){.code = code};
    snprintf(err->text, sizeof err->text, "%s: %s", what, reason ? reason : tn_strerror(code));
    return code;
}

/* -- Sets of contexts -- */

tn__tls_set *tn__tls_set_ref(tn__tls_set *set)
{
    set->refs++;
    return set;
}

void tn__tls_set_unref(tn__tls_set *set)
{
    if (!set || --set->refs > 0) return;
    for (size_t i = 0; i < set->n; i++) SSL_CTX_free(set->ctx[i]);
    tn__free(set);
}

/* RFC 6066, section 3: the first certificate that names the host; the standard one when none does. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const tn__tls_set *set = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    for (size_t i = 0; name && i < set->n; i++) {
        X509 *cert = SSL_CTX_get0_certificate(set->ctx[i]);
        if (!cert || X509_check_host(cert, name, 0, 0, NULL) != 1) continue;
        SSL_set_SSL_CTX(ssl, set->ctx[i]);
        break;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301, 3.2: the best of ours that the client offers. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned in_n, void *arg)
{
    const tn_tls *tls = arg;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_n, tls->alpn, tls->alpn_n, in, in_n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    tn__tls_conn *c = SSL_get_app_data(ssl);
    if (!c || !c->host) return 0;
    tn__tls_remember(c->tls, c->host, session);
    return 1;
}

/* The library asks nobody: a key that needs a password and has none cannot be read. */
static int on_password(char *text, int n, int writing, void *arg)
{
    size_t length = arg ? strlen(arg) : 0;
    (void)writing;
    if (length == 0 || length > (size_t)n) return -1;
    memcpy(text, arg, length);
    return (int)length;
}

static int load_certificate(SSL_CTX *ctx, const tn_tls_cert *cert, tn_error *err)
{
    const char *key = cert->key_file ? cert->key_file : cert->cert_file;
    if (SSL_CTX_use_certificate_chain_file(ctx, cert->cert_file) != 1) return tn__tls_explain(err, TN_ETLS, cert->cert_file);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) return tn__tls_explain(err, TN_ETLS, key);
    if (SSL_CTX_check_private_key(ctx) != 1) return tn__tls_explain(err, TN_ETLS, key);
    return TN_OK;
}

static int set_trust(SSL_CTX *ctx, const tn_tls_opts *o, tn_error *err)
{
    bool asks = o->verify == TN_TLS_VERIFY_STANDARD ? !o->server : o->verify != TN_TLS_VERIFY_NONE;
    int mode = asks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    if (o->verify == TN_TLS_VERIFY_REQUIRED) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ctx, mode, NULL);
    if (!asks) return TN_OK;
    if (!o->ca_file)
        return SSL_CTX_set_default_verify_paths(ctx) == 1 ? TN_OK : tn__tls_explain(err, TN_ETLS, "trusted certificates");
    if (SSL_CTX_load_verify_locations(ctx, o->ca_file, NULL) != 1) return tn__tls_explain(err, TN_ETLS, o->ca_file);
    if (o->server) SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o->ca_file));
    return TN_OK;
}

static int set_protocol(SSL_CTX *ctx, tn_tls *tls, tn_error *err)
{
    const tn_tls_opts *o = &tls->opts;
    SSL_CTX_set_min_proto_version(ctx, o->only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* Output is retried from where it lies by then, and what is not needed while idle is given back. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    if (o->ciphers && SSL_CTX_set_cipher_list(ctx, o->ciphers) != 1) return tn__tls_explain(err, TN_ETLS, o->ciphers);
    if (o->server) {
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tornado", 7);
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* clients keep their sessions themselves, in tickets */
        if (tls->alpn) SSL_CTX_set_alpn_select_cb(ctx, on_alpn, tls);
    } else {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
        if (tls->alpn && SSL_CTX_set_alpn_protos(ctx, tls->alpn, tls->alpn_n) != 0) return TN_ENOMEM;
    }
    return TN_OK;
}

static int new_context(tn_tls *tls, const tn_tls_cert *cert, SSL_CTX **out, tn_error *err)
{
    SSL_CTX *ctx = SSL_CTX_new(tls->opts.server ? TLS_server_method() : TLS_client_method());
    if (!ctx) return tn__tls_explain(err, TN_ENOMEM, "TLS");
    SSL_CTX_set_default_passwd_cb(ctx, on_password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)tls->opts.password);
    int result = set_protocol(ctx, tls, err);
    if (result == TN_OK) result = set_trust(ctx, &tls->opts, err);
    if (result == TN_OK && cert->cert_file) result = load_certificate(ctx, cert, err);
    if (result < 0)
        SSL_CTX_free(ctx);
    else
        *out = ctx;
    return result;
}

static int new_set(tn_tls *tls, tn__tls_set **out, tn_error *err)
{
    size_t n = 1;
    for (const tn_tls_cert *c = tls->more; c && c->cert_file; c++) n++;
    tn__tls_set *set = tn__zalloc(sizeof *set + n * sizeof *set->ctx);
    if (!set) return TN_ENOMEM;
    set->refs = 1;
    tn_tls_cert first = {tls->opts.cert_file, tls->opts.key_file};
    for (; set->n < n; set->n++) {
        int result = new_context(tls, set->n ? &tls->more[set->n - 1] : &first, &set->ctx[set->n], err);
        if (result < 0) {
            tn__tls_set_unref(set);
            return result;
        }
    }
    if (tls->opts.server) {
        SSL_CTX_set_tlsext_servername_callback(set->ctx[0], on_server_name);
        SSL_CTX_set_tlsext_servername_arg(set->ctx[0], set);
    }
    *out = set;
    return TN_OK;
}

/* -- Contexts -- */

/* "h2,http/1.1" as the protocol writes it: each name behind its length. */
static int encode_alpn(tn_tls *tls, const char *text)
{
    size_t n = strlen(text) + 1;
    if (n > UINT16_MAX) return TN_EINVAL;
    tls->alpn = tn__alloc(n);
    if (!tls->alpn) return TN_ENOMEM;
    size_t start = 0;
    for (size_t i = 1; i <= n; i++) {
        char c = text[i - 1];
        if (c && c != ',') {
            tls->alpn[i] = (unsigned char)c;
            continue;
        }
        size_t length = i - 1 - start;
        if (length == 0 || length > 255) return TN_EINVAL;
        tls->alpn[start] = (unsigned char)length;
        start = i;
    }
    tls->alpn_n = (unsigned)n;
    return TN_OK;
}

static int copy_text(const char **text)
{
    if (!*text) return TN_OK;
    *text = tn_strdup(tn_z(*text));
    return *text ? TN_OK : TN_ENOMEM;
}

/* Every text is copied, or NULL, whatever fails: they can all be freed. */
static int copy_texts(tn_tls *tls, const tn_tls_opts *opts)
{
    size_t n = 0;
    const char **texts[] = {&tls->opts.cert_file, &tls->opts.key_file, &tls->opts.password,
                            &tls->opts.ca_file,   &tls->opts.alpn,     &tls->opts.ciphers};
    int result = TN_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (copy_text(texts[i]) < 0) result = TN_ENOMEM;
    while (opts->more && opts->more[n].cert_file) n++;
    tls->more = n ? tn__zalloc((n + 1) * sizeof *tls->more) : NULL;
    if (n && !tls->more) return TN_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        tls->more[i] = opts->more[i];
        if (copy_text(&tls->more[i].cert_file) < 0 || copy_text(&tls->more[i].key_file) < 0) result = TN_ENOMEM;
        if (!tls->more[i].cert_file) break;
    }
    return result;
}

int tn_tls_new_(tn_tls **out, const tn_tls_opts *opts, size_t opts_size)
{
    (void)opts_size; /* nothing was added since 0.1 */
    if (opts->server && !opts->cert_file) {
        if (opts->err) *opts->err = (tn_error){.code = TN_EINVAL, .text = "a server needs a certificate"};
        return TN_EINVAL;
    }
    tn_tls *tls = tn__zalloc(sizeof *tls);
    if (!tls) return TN_ENOMEM;
    tls->refs = 1;
    tls->opts = *opts;
    tls->opts.err = NULL; /* the caller's */
    int result = copy_texts(tls, opts);
    if (result == TN_OK && opts->alpn) result = encode_alpn(tls, opts->alpn);
    if (result == TN_OK) result = new_set(tls, &tls->set, opts->err);
    if (result < 0)
        tn_tls_free(tls);
    else
        *out = tls;
    return result;
}

int tn_tls_reload(tn_tls *tls, tn_error *err)
{
    tn__tls_set *set;
    unsigned char keys[TICKET_KEYS_BYTES];
    TN_TRY(new_set(tls, &set, err));
    if (tls->opts.server && SSL_CTX_get_tlsext_ticket_keys(tls->set->ctx[0], keys, sizeof keys) == 1)
        SSL_CTX_set_tlsext_ticket_keys(set->ctx[0], keys, sizeof keys);
    OPENSSL_cleanse(keys, sizeof keys);
    tn__tls_set_unref(tls->set);
    tls->set = set;
    return TN_OK;
}

tn_tls *tn__tls_ref(tn_tls *tls)
{
    tls->refs++;
    return tls;
}

void tn_tls_free(tn_tls *tls)
{
    if (!tls || --tls->refs > 0) return;
    tn__tls_set_unref(tls->set);
    for (size_t i = 0; i < TN__TLS_SESSIONS_MAX; i++) {
        SSL_SESSION_free(tls->sessions[i].session);
        tn__free(tls->sessions[i].host);
    }
    const char *texts[] = {tls->opts.cert_file, tls->opts.key_file, tls->opts.password,
                           tls->opts.ca_file,   tls->opts.alpn,     tls->opts.ciphers};
    if (tls->opts.password) OPENSSL_cleanse((char *)tls->opts.password, strlen(tls->opts.password));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) tn__free((char *)texts[i]);
    for (tn_tls_cert *c = tls->more; c && c->cert_file; c++) {
        tn__free((char *)c->cert_file);
        tn__free((char *)c->key_file);
    }
    tn__free(tls->more);
    tn__free(tls->alpn);
    BIO_meth_free(tls->bio);
    tn__free(tls);
}

tn_tls *tn__tls_client(tn_loop *loop, tn_error *err)
{
    tn__net_room *room = tn__net_room_of(loop);
    if (!room) return NULL;
    if (!room->client_tls) {
        tn_tls_opts opts = {.err = err};
        tn_tls_new_(&room->client_tls, &opts, offsetof(tn_tls_opts, end_));
    }
    return room->client_tls;
}

/* -- Sessions of a client -- */

static tn__tls_session *find_session(const tn_tls *tls, const char *host)
{
    for (size_t i = 0; i < TN__TLS_SESSIONS_MAX; i++)
        if (tls->sessions[i].host && strcmp(tls->sessions[i].host, host) == 0) return (tn__tls_session *)&tls->sessions[i];
    return NULL;
}

void tn__tls_remember(tn_tls *tls, const char *host, SSL_SESSION *session)
{
    tn__tls_session *s = find_session(tls, host);
    if (!s) {
        char *copy = tn_strdup(tn_z(host));
        if (!copy) {
            SSL_SESSION_free(session);
            return;
        }
        s = &tls->sessions[tls->session_at++ % TN__TLS_SESSIONS_MAX];
        tn__free(s->host);
        s->host = copy;
    }
    SSL_SESSION_free(s->session);
    s->session = session;
}

SSL_SESSION *tn__tls_recall(const tn_tls *tls, const char *host)
{
    const tn__tls_session *s = find_session(tls, host);
    return s ? s->session : NULL;
}
