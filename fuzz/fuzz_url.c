/* Absolute URLs, and host with port: what was split is put together again and must be the same. */
#include "fuzz.h"

#include "base/buf.h"
#include "http/parser.h"
#include "http/url.h"

static void add(tn_buf *out, const char *before, tn_str part, const char *behind)
{
    if (!part.p) return;
    tn__buf_add_str(out, tn_z(before));
    tn__buf_add_str(out, part);
    tn__buf_add_str(out, tn_z(behind));
}

/* All of it but the port, whose digits may have had zeros in front. */
static void check_parts(tn_str text, const tn__url *u)
{
    tn_buf head = {0}, tail = {0};
    add(&head, "", u->scheme, "://");
    add(&head, "", u->userinfo, "@");
    add(&head, "", u->host, "");
    add(&tail, "", u->path, "");
    add(&tail, "?", u->query, "");
    add(&tail, "#", u->fragment, "");
    REQUIRE(tn_str_starts(text, tn__buf_str(&head)));
    REQUIRE(tn_str_ends(text, tn__buf_str(&tail)));
    tn_str port = {text.p + head.n, text.n - head.n - tail.n};
    REQUIRE(port.n == 0 ? u->port < 0 : port.p[0] == ':');
    REQUIRE(u->port >= -1 && u->port <= 65535);
    tn__buf_done(&head);
    tn__buf_done(&tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn_str text = tn_str_of(data, n), host;
    tn__url u;
    const char *reason = NULL;
    int port;
    if (tn__url_parse(text, &u, &reason) == 0) {
        REQUIRE(u.scheme.n && u.host.n && tn__is_authority(u.host));
        REQUIRE(u.path.n == 0 || u.path.p[0] == '/');
        for (size_t i = 0; i < n; i++) REQUIRE(data[i] > ' ' && data[i] < 0x7f);
        check_parts(text, &u);
    } else {
        REQUIRE(reason);
    }
    if (tn__split_host_and_port(text, &host, &port) == 0) {
        REQUIRE(host.n && host.p == text.p && host.n <= n);
        REQUIRE(port >= -1 && port <= 65535);
    }
    return 0;
}
