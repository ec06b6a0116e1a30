/*
 * The console: a loop's log as Tornado's lines on a descriptor. tn_serve puts one on standard error.
 *
 * The buffer always holds whole lines, of which only the first may have been written in part (`torn`). Lines enter at the end of the
 * buffer and leave at its front, either written or, when the reader is too slow, dropped.
 */
#include "tornado/log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "core/loop.h"

enum {
    LINES_BYTES_MAX = 256 * 1024, /* what is kept for a slow reader */
    TEXT_BYTES_MAX = 16 * 1024,   /* of one line; more is cut off */
    ESCAPED_BYTES_MAX = 5,        /* what one byte of text can become: a line end and four spaces */
    BRACKET_BYTES_MAX = 192,      /* "[I 260708 12:00:00 module:line] " with colours and the longest of modules */
    MODULE_BYTES_MAX = 64,
    STAMP_BYTES = 16,     /* "260708 12:00:00" and its NUL */
    FAREWELL_TRIES = 100, /* how often the last flush tries a slow reader, */
    FAREWELL_MS = 10,     /* waiting this long in between */
};

static const int64_t RETRY_NS = 100000000; /* how soon a reader that was slow is tried again */

struct tn_log_console {
    tn_loop *loop;
    tn__work flush;    /* at the end of a turn that said something */
    tn__timeout retry; /* while a slow reader keeps us from writing */
    tn_buf lines;
    size_t lost; /* lines dropped that were not yet spoken of */
    bool torn;   /* the first line was written in part: dropping it would join two lines */

    int fd;
    bool guarded; /* ask before each write, since one could block */
    bool coloured;

    int64_t stamp_turn_ns; /* the turn and the second for which `stamp` was made */
    time_t stamp_second;
    char stamp[STAMP_BYTES];
};

/* -- What a line looks like -- */

typedef struct look {
    int level;
    char initial;
    char name[9];
    char colour[6];
} look;

/* From the highest level down; a line takes the first one that it reaches. Tornado's colours as ANSI codes. */
static const look looks[] = {
    {TN_LOG_CRITICAL, 'C', "critical", "\x1b[35m"}, {TN_LOG_ERROR, 'E', "error", "\x1b[31m"},
    {TN_LOG_WARNING, 'W', "warning", "\x1b[33m"},   {TN_LOG_INFO, 'I', "info", "\x1b[32m"},
    {TN_LOG_DEBUG, 'D', "debug", "\x1b[34m"},
};
static const tn_str colour_end = {"\x1b[0m", 4};

enum { LOOKS_N = sizeof(looks) / sizeof(*looks) };

static const look *look_of(int level)
{
    for (size_t i = 0; i < LOOKS_N; i++)
        if (level >= looks[i].level) return &looks[i];
    return &looks[LOOKS_N - 1];
}

int tn_log_level_parse_s(tn_str word)
{
    for (size_t i = 0; i < LOOKS_N; i++)
        if (tn_str_caseeq(word, tn_z(looks[i].name))) return looks[i].level;
    return tn_str_caseeq(word, TN_S("none")) ? TN_LOG_NONE : TN_EINVAL;
}

/* The wall clock is asked once a turn and put into words once a second. */
static tn_str stamp_now(tn_log_console *c)
{
    int64_t turn_ns = tn__loop_now(c->loop);
    if (turn_ns != c->stamp_turn_ns) {
        time_t second = time(NULL);
        struct tm local;
        if (second != c->stamp_second && localtime_r(&second, &local)) {
            strftime(c->stamp, sizeof(c->stamp), "%y%m%d %H:%M:%S", &local);
            c->stamp_second = second;
        }
        c->stamp_turn_ns = turn_ns;
    }
    return tn_z(c->stamp);
}

/* Visible ASCII and the blank: nearly everything that is ever logged. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* How many bytes at `p` are one character that may be shown as it is: 0 for a control or what is not UTF-8 (RFC 3629, 4). */
static size_t shown_bytes(const unsigned char *p, const unsigned char *end)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || (size_t)(end - p) < n) return 0;
    if (n == 1) return p[0] == '\t' || is_plain(p[0]);
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (p[0] == 0xc2 && p[1] < 0xa0) return 0; /* U+0080 to U+009F: terminals take U+009B for an escape sequence */
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0; /* longer than needed */
    if (p[0] == 0xed && p[1] > 0x9f) return 0; /* half of a surrogate pair */
    if (p[0] == 0xf0 && p[1] < 0x90) return 0; /* longer than needed */
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0; /* beyond U+10FFFF */
    return n;
}

/* There is room: take_line reserved it. */
static void put(tn_log_console *c, const void *p, size_t n)
{
    memcpy(c->lines.p + c->lines.n, p, n);
    c->lines.n += n;
}

static void put_str(tn_log_console *c, tn_str s)
{
    put(c, s.p, s.n);
}

/* Text from anywhere, made harmless: it stays one line of the log and moves no cursor. */
static void put_text(tn_log_console *c, tn_str text)
{
    const unsigned char *p = (const unsigned char *)text.p, *end = text.n ? p + text.n : p;
    while (p < end) {
        const unsigned char *plain = p;
        size_t n;
        while (p < end && (n = is_plain(*p) ? 1 : shown_bytes(p, end))) p += n;
        put(c, plain, (size_t)(p - plain));
        if (p == end) break;
        if (*p == '\n') {
            put_str(c, TN_S("\n    "));
        } else {
            const char *digits = "0123456789abcdef";
            put(c, (char[]){'\\', 'x', digits[*p >> 4], digits[*p & 15]}, 4);
        }
        p++;
    }
}

static void put_number(tn_log_console *c, int number)
{
    char digits[12];
    size_t at = sizeof(digits);
    unsigned rest = number < 0 ? 0 : (unsigned)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    put(c, digits + at, sizeof(digits) - at);
}

static void put_line(tn_log_console *c, const tn_log_line *line)
{
    const look *l = look_of(line->level);
    tn_str module = tn_z(line->module), text = line->text;
    bool cut = text.n > TEXT_BYTES_MAX;

    if (module.n > MODULE_BYTES_MAX) module.n = MODULE_BYTES_MAX;
    if (cut) text.n = TEXT_BYTES_MAX;
    if (c->coloured) put_str(c, tn_z(l->colour));
    put(c, (char[]){'[', l->initial, ' '}, 3);
    put_str(c, stamp_now(c));
    put(c, " ", 1);
    put_str(c, module);
    put(c, ":", 1);
    put_number(c, line->line);
    put(c, "]", 1);
    if (c->coloured) put_str(c, colour_end);
    put(c, " ", 1);
    put_text(c, text);
    put_str(c, cut ? TN_S("...\n") : TN_S("\n"));
}

/* -- How it leaves -- */

typedef enum reader { READER_READY, READER_SLOW, READER_GONE } reader;

/* May we write without being held up? */
static reader ask_reader(const tn_log_console *c)
{
    if (c->fd < 0) return READER_GONE;
    if (!c->guarded) return READER_READY;
    struct pollfd p = {.fd = c->fd, .events = POLLOUT};
    if (poll(&p, 1, 0) <= 0) return READER_SLOW;
    return p.revents & (POLLERR | POLLHUP | POLLNVAL) ? READER_GONE : READER_READY;
}

/* Does a line of the log end here? Line ends inside a line are followed by a space. */
static bool line_ends_at(const tn_buf *lines, size_t at)
{
    return lines->p[at] == '\n' && (at + 1 == lines->n || lines->p[at + 1] != ' ');
}

/* Forget the lines between two positions, both of them where a line begins. */
static void drop(tn_log_console *c, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (line_ends_at(&c->lines, i)) c->lost++;
    memmove(c->lines.p + from, c->lines.p + to, c->lines.n - to);
    c->lines.n -= to - from;
}

/*
 * Write as much as the reader takes. A pipe or a terminal that is ready takes PIPE_BUF bytes without blocking (pipe(7)), so such a
 * one is asked before each piece. What a reader who has gone, or a full disk, does not take is lost.
 */
static reader drain(tn_log_console *c)
{
    size_t at = 0;
    reader state = READER_READY;

    while (at < c->lines.n && (state = ask_reader(c)) == READER_READY) {
        size_t piece = c->lines.n - at;
        if (c->guarded && piece > PIPE_BUF) piece = PIPE_BUF;
        ssize_t written = write(c->fd, c->lines.p + at, piece);
        if (written > 0) {
            at += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            state = written < 0 && errno == EAGAIN ? READER_SLOW : READER_GONE;
            break;
        }
    }
    if (at > 0) c->torn = at < c->lines.n && !line_ends_at(&c->lines, at - 1);
    tn__buf_consume(&c->lines, at);
    if (state == READER_GONE) {
        drop(c, 0, c->lines.n);
        c->torn = false;
    }
    return state;
}

/* Half of what is kept, the older half, makes room for new lines: half, so that the bytes behind it are not moved for each line. */
static void drop_oldest(tn_log_console *c)
{
    size_t from = 0, to;
    if (c->torn)
        while (!line_ends_at(&c->lines, from++)) continue;
    to = from;
    while (to < c->lines.n && (to < c->lines.n / 2 || to == from || !line_ends_at(&c->lines, to - 1))) to++;
    drop(c, from, to);
}

/* Room for `n` more bytes, less than half of the bound, within it; false when there is no memory. */
static bool make_room(tn_log_console *c, size_t n)
{
    if (c->lines.n + n > LINES_BYTES_MAX) drain(c);
    while (c->lines.n + n > LINES_BYTES_MAX) drop_oldest(c);
    return tn__buf_reserve(&c->lines, n) == TN_OK;
}

/* Collect a line. */
static void collect(tn_log_console *c, const tn_log_line *line)
{
    size_t text_bytes = line->text.n < TEXT_BYTES_MAX ? line->text.n : TEXT_BYTES_MAX;
    if (make_room(c, BRACKET_BYTES_MAX + ESCAPED_BYTES_MAX * text_bytes))
        put_line(c, line);
    else
        c->lost++;
}

/* Write what there is, and behind it how much is missing. */
static void flush(tn_log_console *c)
{
    if (drain(c) == READER_READY && c->lost) {
        char text[80];
        size_t lost = c->lost;
        int n = snprintf(text, sizeof(text), "%zu lines of the log could not be written", lost);
        c->lost = 0;
        collect(c, &(tn_log_line){TN_LOG_WARNING, TN_LOG_GENERAL, "log", __LINE__, tn_str_of(text, (size_t)n)});
        drain(c);
        if (c->lost) c->lost = lost; /* the note as well */
    }
    if (c->lines.n) tn__timeout_set(c->loop, &c->retry, tn__loop_now(c->loop) + RETRY_NS);
}

static void flush_late(tn_loop *loop, tn__work *work)
{
    (void)loop;
    flush(TN__OWNER(work, tn_log_console, flush));
}

static void flush_again(tn_loop *loop, tn__timeout *retry)
{
    (void)loop;
    flush(TN__OWNER(retry, tn_log_console, retry));
}

static void take_line(void *arg, const tn_log_line *line)
{
    tn_log_console *c = arg;
    collect(c, line);
    tn__late(c->loop, &c->flush);
}

/* -- Life -- */

/* Terminals know colours unless they say that they are of the kinds that do not. */
static bool has_colours(int fd)
{
    static const char *const plain[] = {"", "dumb", "unknown", "cons25-m", "vt52", "vt100", "vt102", "vt220"};
    const char *terminal = getenv("TERM");
    if (!terminal || !isatty(fd)) return false;
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        if (strcmp(terminal, plain[i]) == 0) return false;
    return true;
}

tn_log_console *tn_log_console_new(struct tn_loop *loop, int fd, int level)
{
    struct stat info;
    tn_log_console *c = tn__zalloc(sizeof(*c));
    if (!c) return NULL;
    c->loop = loop;
    /* A closed descriptor stays none: its number will come back as somebody's connection. */
    c->fd = fcntl(fd, F_GETFD) < 0 ? -1 : fd;
    c->guarded = fstat(fd, &info) < 0 || !S_ISREG(info.st_mode);
    c->coloured = has_colours(fd);
    c->stamp_turn_ns = INT64_MIN;
    tn__work_init(&c->flush, flush_late);
    tn__timeout_init(&c->retry, flush_again);
    tn_loop_set_log(loop, take_line, c, level);
    return c;
}

void tn_log_console_flush(tn_log_console *c)
{
    flush(c);
}

void tn_log_console_free(tn_log_console *c)
{
    if (!c) return;
    if (c->loop->report.arg == c) tn_loop_set_log(c->loop, NULL, NULL, TN_LOG_NONE);
    flush(c);
    for (int tries = 0; c->lines.n && tries < FAREWELL_TRIES; tries++) {
        poll(NULL, 0, FAREWELL_MS);
        flush(c);
    }
    tn__work_cancel(&c->flush);
    tn__timeout_stop(&c->retry);
    tn__buf_done(&c->lines);
    tn__free(c);
}
