/* The default error page. Called for refusals below the application and for errors that the application does not render. */
#include "error_page.h"

#include <stdio.h>

#include "base/html.h"

enum { REASON_MAX = 60, ESCAPED_MAX = REASON_MAX * TN__HTML_ENTITY_MAX };

static size_t escape(char *out, tn_str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *as = tn__html_entity((unsigned char)text.p[i]);
        size_t as_n = as ? strlen(as) : 1;
        memcpy(out + n, as ? as : &text.p[i], as_n);
        n += as_n;
    }
    return n;
}

size_t tn__error_page(char out[TN__ERROR_PAGE_MAX], int status, tn_str reason)
{
    char escaped[ESCAPED_MAX];
    if (reason.n > REASON_MAX) reason.n = REASON_MAX;
    int n = (int)escape(escaped, reason);
    int total = snprintf(out, TN__ERROR_PAGE_MAX, "<html><title>%d: %.*s</title><body>%d: %.*s</body></html>", status, n, escaped,
                         status, n, escaped);
    return (size_t)total;
}
