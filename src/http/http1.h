/*
 * One HTTP/1.x connection on the server's side: bytes to requests, responses to bytes, one exchange at a time, in order.
 *
 * Above stands a delegate, which is all that an application is to this floor. Parser and application never meet.
 */
#ifndef TN_HTTP_HTTP1_H
#define TN_HTTP_HTTP1_H

#include "chunked.h"
#include "exchange.h"
#include "headers.h"
#include "net/iostream.h"
#include "tornado/netutil.h"

typedef struct tn__http_server tn__http_server;

/* Its functions are called with the server's `app`, and never after tn__http1_done for an exchange. */
typedef struct tn__http_delegate {
    /*
     * The head is complete. Sets x->streaming when the body shall go to `chunk`. TN_OK: go on. TN__PENDING: stop reading until
     * tn__http1_go_on. The application may answer and be done with the exchange right here.
     */
    int (*headers)(void *app, tn__exchange *x);

    /* A piece of a streamed body, valid until it is answered: TN_OK, or TN__PENDING and then tn__http1_go_on. */
    int (*chunk)(void *app, tn__exchange *x, tn_str data);

    /* The request is complete (its body in x->body, unless streamed): answer it, now or later. */
    void (*complete)(void *app, tn__exchange *x);

    /* The peer is gone, or will send no more, while the application has the whole request in hand. Once; nothing needs to be done. */
    void (*peer_closed)(void *app, tn__exchange *x);

    /*
     * The request will never be complete. The connection answers for itself; the application lets go of the exchange
     * (tn__http1_done), now or when what it has begun comes to an end.
     */
    void (*aborted)(void *app, tn__exchange *x);

    /*
     * A connection was accepted: put a transport under its stream, if it shall have one. A negative code: the connection is closed.
     * May be NULL.
     */
    int (*attach)(void *app, tn_stream *s);

    /* `headers` may change the connection's body_bytes_max: only then is an announced body found too large. */
    bool limits_bodies;
} tn__http_delegate;

typedef enum tn__http1_state {
    TN__HTTP1_HEAD,     /* between requests, or in a head */
    TN__HTTP1_BODY,     /* in a body */
    TN__HTTP1_PARKED,   /* in a body, and the application has asked to wait */
    TN__HTTP1_HANDLING, /* the application has the whole request */
    TN__HTTP1_FLUSHING, /* too much output waits for the peer: no further request until it has gone */
    TN__HTTP1_LINGER,   /* last response sent or on its way; what still comes is thrown away */
    TN__HTTP1_CLOSED,
} tn__http1_state;

struct tn__http1 {
    tn_stream stream;
    tn__list node; /* in the server */
    tn__timeout timeout;
    tn__http_server *server;
    tn__exchange *exchange; /* NULL between requests */
    tn__op *drain;          /* waits for the output to go */
    void *held;             /* the buffer that a parked chunk lies in */
    tn__chunked chunked;
    int64_t body_left;     /* -1: chunked */
    int64_t body_n;        /* bytes of body so far */
    size_t body_bytes_max; /* for this body; `headers` may change it, as it may body_ns */
    int64_t body_ns;       /* between two of its pieces */
    int64_t idle_since_ns; /* when the last response was done with, or the connection begun */
    size_t out_seen;       /* unsent output when the send timeout last looked */
    uint32_t resume;       /* the parser's */
    uint8_t state;         /* tn__http1_state */
    bool walking;          /* inside on_bytes: the next request is taken by its loop */
    bool ahead;            /* bytes follow the ones being worked on */
    tn_str behind;         /* these, while walking */
    bool head_begun;       /* part of a head has come */
    bool must_linger;      /* the peer may still be sending what nobody will read */
    bool linger_shut;      /* our side is shut down, the peer's is awaited */
    bool told_closed;      /* peer_closed was called for this exchange */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } peer;
};

/* Serve a connected descriptor, which belongs to the connection from here on. TN_ENOMEM or the system's error: it is closed then. */
int tn__http1_open(tn__http_server *server, int fd, const tn_addr *peer);

/* Close without ceremony. The application is told as when the peer had done it. */
void tn__http1_close(tn__http1 *c);

/*
 * For a server that is being freed: the end at once, with the stream's last word said in this call. An application that still holds
 * the exchange keeps the connection's memory until it lets go.
 */
void tn__http1_destroy(tn__http1 *c);

/* Is there no request in hand, and none begun? */
bool tn__http1_idle(const tn__http1 *c);

/*
 * The server drains: close, unless a request is in hand or begun. A connection that was in use just now gets half a second more, for
 * a peer that was told to keep it may have sent its next request already; that one is answered and told to close.
 */
void tn__http1_retire(tn__http1 *c);

/* The peer's IP address as text, "0.0.0.0" when it has none. `text` holds TN_ADDR_TEXT_BYTES. */
tn_str tn__http1_remote_ip(const tn__http1 *c, char *text);

/* What the application says. */

/* After TN__PENDING from `headers` or `chunk`. */
void tn__http1_go_on(tn__exchange *x);

typedef struct tn__response_head {
    int status;
    tn_str reason;       /* empty: the usual one */
    tn_str content_type; /* empty: none */
    tn_str etag;         /* empty: none */
    bool common;         /* begin with our Server and Date */
    const tn__headers *headers;
    int64_t content_length; /* -1: unknown, so chunked or until the end of the connection */
} tn__response_head;

/*
 * Fix status and fields. The framing fields (Content-Length, Transfer-Encoding, Connection) are added here and must not be among
 * `headers`. TN_ENOMEM, TN_ECLOSED.
 */
int tn__http1_head(tn__exchange *x, const tn__response_head *head);

/* Send body bytes. TN_ETOOBIG beyond content_length: the connection is then closed. TN_ENOMEM, TN_ECLOSED. */
int tn__http1_write(tn__exchange *x, tn_str data);
int tn__http1_write_take(tn__exchange *x, tn_buf *data); /* the same without a copy; empties `data` */

/* The response is complete. One that is shorter than its content_length closes the connection: TN_EINVAL. */
int tn__http1_end(tn__exchange *x);

/* Send now; TN_OK when all has gone, else TN__PENDING and `op` ends when it has, or with TN_ECLOSED. */
int tn__http1_drain(tn__exchange *x, tn__op *op);

/*
 * Give the connection away in the middle of an exchange: this one is closed, and what is returned is a descriptor of the caller's own,
 * with what has arrived behind the request in `rest`. The exchange is still to be let go. TN_EBUSY while output waits for the peer,
 * TN_ECLOSED, TN_ENOMEM, or the system's error.
 */
int tn__http1_detach(tn__exchange *x, tn_buf *rest);

/* Let go of the exchange: nothing of it may be touched afterwards. Without a complete response the connection is closed. */
void tn__http1_done(tn__exchange *x);

#endif
