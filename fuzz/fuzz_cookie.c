/* Cookie fields; and Set-Cookie, made of the input's lines: nothing gets out that was not meant to, and the value comes back. */
#include "lines.h"

#include "http/cookie.h"
#include "http/parser.h"

/* Is `part` empty, or does it lie inside `whole`? */
static bool is_inside(tn_str part, tn_str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void read_field(tn_str field, tn__arena *a)
{
    tn_str rest = field;
    tn__cookie cookie;
    size_t seen = 0;
    while (tn__cookie_next(&rest, &cookie)) {
        REQUIRE(is_inside(cookie.name, field) && is_inside(cookie.value, field));
        REQUIRE(cookie.name.n || cookie.value.n);
        REQUIRE(cookie.name.n == 0 || !memchr(cookie.name.p, ';', cookie.name.n));
        tn_str value = tn__cookie_unquote(a, cookie.value);
        REQUIRE(value.p && value.n <= cookie.value.n);
        seen += cookie.name.n + cookie.value.n;
        if (seen < 1000) REQUIRE(tn__cookie_find(field, cookie.name).p);
    }
    REQUIRE(seen <= field.n);
}

static size_t semicolons(tn_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] == ';';
    return n;
}

static void write_cookie(tn_str lines, tn__arena *a)
{
    tn__set_cookie c = {.httponly = lines.n & 1, .secure = lines.n & 2, .has_max_age = lines.n & 4, .max_age = (int64_t)lines.n};
    c.name = fuzz_line(&lines);
    c.value = fuzz_line(&lines);
    c.domain = fuzz_line(&lines);
    c.path = fuzz_line(&lines);
    c.samesite = fuzz_line(&lines);
    tn_buf out = {0};
    const char *reason = NULL;
    if (tn__set_cookie_write(&out, &c, &reason) < 0) {
        REQUIRE(reason && out.n == 0);
        return;
    }
    tn_str field = tn__buf_str(&out);
    REQUIRE(tn__is_field_value(field));
    size_t attributes = (c.domain.n > 0) + (c.path.n > 0) + (c.samesite.n > 0) + c.httponly + c.secure + c.has_max_age;
    REQUIRE(semicolons(field) == attributes);
    tn__cookie first;
    REQUIRE(tn__cookie_next(&field, &first));
    REQUIRE(tn_str_eq(first.name, c.name));
    REQUIRE(tn_str_eq(tn__cookie_unquote(a, first.value), c.value));
    tn__buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    tn__arena arena;
    tn__arena_init(&arena, SIZE_MAX);
    read_field(tn_str_of(data, n), &arena);
    write_cookie(tn_str_of(data, n), &arena);
    tn__arena_done(&arena);
    return 0;
}
