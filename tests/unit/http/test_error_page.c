/* The default error page. */
#include "test.h"

#include <string.h>

#include "http/error_page.h"

static tn_str page_of(int status, tn_str reason)
{
    static char page[TN__ERROR_PAGE_MAX];
    return tn_str_of(page, tn__error_page(page, status, reason));
}

TEST(error_page, shows_status_and_reason)
{
    assert_str(page_of(404, TN_S("Not Found")), "<html><title>404: Not Found</title><body>404: Not Found</body></html>");
}

TEST(error_page, escapes_what_has_a_meaning_in_html)
{
    assert_str(page_of(400, TN_S("<a&\"b'>")),
               "<html><title>400: &lt;a&amp;&quot;b&#x27;&gt;</title><body>400: &lt;a&amp;&quot;b&#x27;&gt;</body></html>");
}

TEST(error_page, cuts_a_long_reason_and_never_outgrows_its_room)
{
    char reason[1000];
    memset(reason, '"', sizeof reason);
    tn_str page = page_of(500, tn_str_of(reason, sizeof reason));
    assert_true(page.n < TN__ERROR_PAGE_MAX);
    assert_memory_equal(page.p + page.n - 14, "</body></html>", 14);
}
