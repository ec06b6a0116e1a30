/* The console on pipes, files and a terminal: what the lines look like, when they leave, and what a bad reader can do. */
#include "test.h"

#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "core/loop.h"
#include "tornado/ioloop.h"

/* A loop whose log goes through a console into a pipe. */
typedef struct setting {
    tn_loop *loop;
    tn_log_console *console;
    int out, in;
    char text[600000]; /* what was read from the pipe */
    size_t n;
} setting;

static setting *open_pipe(int level)
{
    static setting s;
    int fds[2];
    memset(&s, 0, sizeof(s));
    assert_int_equal(tn_loop_new(&s.loop, NULL), TN_OK);
    assert_int_equal(pipe(fds), 0);
    s.in = fds[0];
    s.out = fds[1];
    fcntl(s.in, F_SETFL, O_NONBLOCK);
    s.console = tn_log_console_new(s.loop, s.out, level);
    assert_non_null(s.console);
    return &s;
}

/* Add what lies in the pipe to s->text. */
static void read_pipe(setting *s)
{
    ssize_t n;
    while ((n = read(s->in, s->text + s->n, sizeof(s->text) - 1 - s->n)) > 0) s->n += (size_t)n;
    s->text[s->n] = 0;
}

static void close_pipe(setting *s)
{
    tn_log_console_free(s->console);
    tn_loop_free(s->loop);
    if (s->in >= 0) close(s->in);
    close(s->out);
}

/* One line with fixed origin. */
static void say(setting *s, int level, tn_str text)
{
    tn__report_str(&s->loop->report, level, TN_LOG_ACCESS, "src/web/web.c", 2348, text);
}

/* The texts of all lines, without their brackets, one after the other. */
static void strip_brackets(setting *s)
{
    char *from = s->text, *to = s->text;
    while (*from) {
        char *start = strstr(from, "] "), *end = strchr(from, '\n');
        assert_non_null(start);
        while (end[1] == ' ') end = strchr(end + 1, '\n');
        memmove(to, start + 2, (size_t)(end + 1 - (start + 2)));
        to += end + 1 - (start + 2);
        from = end + 1;
    }
    *to = 0;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t compiled;
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&compiled, text, 0, NULL, 0) != 0) fail_msg("\"%s\" does not match %s", text, pattern);
    regfree(&compiled);
}

TEST(log, lines_have_the_format_of_tornado)
{
    setting *s = open_pipe(TN_LOG_DEBUG);
    char stamp[20];
    time_t now = time(NULL);
    say(s, TN_LOG_INFO, TN_S("200 GET / (127.0.0.1) 0.50ms"));
    tn_loop_turn(s->loop, 0);
    read_pipe(s);
    assert_matches(s->text, "^\\[I [0-9]{6} [0-9]{2}:[0-9]{2}:[0-9]{2} web:2348\\] 200 GET / \\(127\\.0\\.0\\.1\\) 0\\.50ms\n$");

    /* The local time; a second may have passed. */
    strftime(stamp, sizeof(stamp), "%y%m%d %H:%M:%S", localtime(&now));
    if (strncmp(s->text + 3, stamp, 15) != 0) {
        now++;
        strftime(stamp, sizeof(stamp), "%y%m%d %H:%M:%S", localtime(&now));
        assert_memory_equal(s->text + 3, stamp, 15);
    }
    close_pipe(s);
}

TEST(log, lines_begin_with_the_initial_of_their_level)
{
    static const int levels[] = {TN_LOG_DEBUG, TN_LOG_INFO, TN_LOG_WARNING, TN_LOG_ERROR, TN_LOG_CRITICAL};
    setting *s = open_pipe(TN_LOG_DEBUG);
    for (int i = 0; i < 5; i++) say(s, levels[i], TN_S("x"));
    tn_log_console_flush(s->console);
    read_pipe(s);
    assert_matches(s->text, "^\\[D [^\n]*\n\\[I [^\n]*\n\\[W [^\n]*\n\\[E [^\n]*\n\\[C [^\n]*\n$");
    close_pipe(s);
}

TEST(log, lines_below_the_level_are_not_written)
{
    setting *s = open_pipe(TN_LOG_WARNING);
    say(s, TN_LOG_INFO, TN_S("quiet"));
    say(s, TN_LOG_WARNING, TN_S("loud"));
    tn_loop_turn(s->loop, 0);
    read_pipe(s);
    strip_brackets(s);
    assert_string_equal(s->text, "loud\n");
    close_pipe(s);
}

TEST(log, lines_of_one_turn_leave_together_at_its_end)
{
    setting *s = open_pipe(TN_LOG_DEBUG);
    say(s, TN_LOG_INFO, TN_S("one"));
    say(s, TN_LOG_ERROR, TN_S("two"));
    read_pipe(s);
    assert_int_equal(s->n, 0);
    tn_loop_turn(s->loop, 0);
    read_pipe(s);
    strip_brackets(s);
    assert_string_equal(s->text, "one\ntwo\n");
    close_pipe(s);
}

TEST(log, text_can_neither_forge_a_line_nor_move_the_cursor)
{
    const struct {
        tn_str said;
        const char *written;
    } cases[] = {
        {TN_S("a\nb\n\nc\n"), "a\n    b\n    \n    c\n    \n"},
        {TN_S("\r\033[2J\0\177\b"), "\\x0d\\x1b[2J\\x00\\x7f\\x08\n"},
        {TN_S("a\tb"), "a\tb\n"},
        {TN_S("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xaa"), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xaa\n"},
        {TN_S("\xc2\x9b[31m"), "\\xc2\\x9b[31m\n"},                             /* the CSI of the C1 set */
        {TN_S("\xff\xc3"), "\\xff\\xc3\n"},                                     /* no UTF-8, and cut off */
        {TN_S("\xc0\xaf"), "\\xc0\\xaf\n"},                                     /* longer than needed */
        {TN_S("\xe0\x80\xaf\xed\xa0\x80"), "\\xe0\\x80\\xaf\\xed\\xa0\\x80\n"}, /* the same, and half of a pair */
        {TN_S("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80\n"},                   /* beyond the last character */
        {{NULL, 0}, "\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        setting *s = open_pipe(TN_LOG_DEBUG);
        say(s, TN_LOG_INFO, cases[i].said);
        tn_loop_turn(s->loop, 0);
        read_pipe(s);
        assert_string_equal(strstr(s->text, "] ") + 2, cases[i].written);
        close_pipe(s);
    }
}

TEST(log, very_long_lines_are_cut)
{
    static char text[100000];
    setting *s = open_pipe(TN_LOG_DEBUG);
    memset(text, 'x', sizeof(text));
    say(s, TN_LOG_INFO, tn_str_of(text, sizeof(text)));
    tn_loop_turn(s->loop, 0);
    read_pipe(s);
    assert_true(s->n > 16384 && s->n < 16384 + 200);
    assert_string_equal(s->text + s->n - 5, "x...\n");
    close_pipe(s);
}

TEST(log, is_flushed_when_the_console_is_freed)
{
    setting *s = open_pipe(TN_LOG_DEBUG);
    say(s, TN_LOG_INFO, TN_S("last words"));
    tn_log_console_free(s->console);
    s->console = NULL;
    read_pipe(s);
    strip_brackets(s);
    assert_string_equal(s->text, "last words\n");
    say(s, TN_LOG_ERROR, TN_S("nobody listens any more"));
    tn_log_console_free(NULL);
    close_pipe(s);
}

TEST(log, never_waits_for_a_slow_reader_and_counts_what_it_drops)
{
    enum { LINES = 20000 };
    setting *s = open_pipe(TN_LOG_DEBUG);
    char text[60], last[60];
    int seen = 0, before = -1, missing = -1;

    /* A megabyte and more, while nobody reads: the pipe is full, then the buffer. */
    for (int i = 0; i < LINES; i++) {
        int n = snprintf(text, sizeof(text), "line %05d of the log", i);
        say(s, TN_LOG_INFO, tn_str_of(text, (size_t)n));
        if (i % 64 == 0) tn_loop_turn(s->loop, 0);
    }
    for (int i = 0; i < 2000 && missing < 0; i++) {
        read_pipe(s);
        tn_loop_turn(s->loop, 0.01);
        char *note = strstr(s->text, " lines of the log could not be written");
        if (!note) continue;
        while (note[-1] >= '0' && note[-1] <= '9') note--;
        missing = atoi(note);
    }
    assert_true(s->n < 65536 + 262144 + 200);
    assert_true(missing > 0);

    /* What came is whole, in order, ends with the newest, and nothing is unaccounted for. */
    strip_brackets(s);
    for (char *line = strtok(s->text, "\n"); line; line = strtok(NULL, "\n")) {
        int number;
        if (strstr(line, "could not be written")) continue;
        if (sscanf(line, "line %5d of the log", &number) != 1) fail_msg("torn line: %s", line);
        assert_int_equal(strlen(line), 21);
        assert_true(number > before);
        before = number;
        seen++;
    }
    snprintf(last, sizeof(last), "%d", before);
    assert_int_equal(before, LINES - 1);
    assert_int_equal(seen + missing, LINES);
    close_pipe(s);
}

TEST(log, counts_the_lines_for_which_there_is_no_memory)
{
    setting *s = open_pipe(TN_LOG_DEBUG);
    tn__alloc_fail_after(0, true);
    say(s, TN_LOG_INFO, TN_S("one"));
    say(s, TN_LOG_INFO, TN_S("two"));
    tn_loop_turn(s->loop, 0);
    tn__alloc_fail_after(-1, false);
    say(s, TN_LOG_INFO, TN_S("three"));
    tn_loop_turn(s->loop, 0);
    read_pipe(s);
    strip_brackets(s);
    assert_string_equal(s->text, "three\n2 lines of the log could not be written\n");
    close_pipe(s);
}

TEST(log, does_not_mind_a_reader_that_has_gone)
{
    setting *s = open_pipe(TN_LOG_DEBUG);
    close(s->in);
    s->in = -1;
    for (int i = 0; i < 3; i++) {
        say(s, TN_LOG_ERROR, TN_S("is anybody there?")); /* SIGPIPE would end the test */
        tn_loop_turn(s->loop, 0);
    }
    close_pipe(s);
}

TEST(log, on_a_closed_descriptor_stays_silent_when_its_number_comes_back)
{
    tn_loop *loop;
    int fds[2];
    char byte;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    assert_int_equal(pipe(fds), 0);
    close(fds[0]);
    close(fds[1]);
    tn_log_console *console = tn_log_console_new(loop, fds[1], TN_LOG_DEBUG);
    assert_int_equal(pipe(fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    tn_loop_log(loop, TN_LOG_ERROR, "secret");
    tn_loop_turn(loop, 0);
    assert_int_equal(read(fds[0], &byte, 1), -1);
    tn_log_console_free(console);
    tn_loop_free(loop);
    close(fds[0]);
    close(fds[1]);
}

TEST(log, goes_on_when_the_disk_was_full)
{
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) skip();
    tn_loop *loop;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    tn_log_console *console = tn_log_console_new(loop, full, TN_LOG_DEBUG);
    for (int i = 0; i < 3; i++) {
        tn_loop_log(loop, TN_LOG_ERROR, "no space for this");
        tn_loop_turn(loop, 0);
    }
    /* Room again: a file behind the same descriptor. */
    FILE *file = tmpfile();
    char text[200] = "";
    dup2(fileno(file), full);
    tn_loop_log(loop, TN_LOG_ERROR, "but for this");
    tn_loop_turn(loop, 0);
    assert_true(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
    assert_matches(text, "^\\[E [^\n]*but for this\n\\[W [^\n]*\\] 3 lines of the log could not be written\n$");
    tn_log_console_free(console);
    tn_loop_free(loop);
    fclose(file);
    close(full);
}

/* A line of level `level` on a terminal of the kind `term`. */
static void write_to_terminal(const char *term, int level, char *text, size_t size)
{
    char *before = getenv("TERM"), *kept = before ? strdup(before) : NULL;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    setenv("TERM", term, 1);
    tn_loop *loop;
    assert_int_equal(tn_loop_new(&loop, NULL), TN_OK);
    tn_log_console *console = tn_log_console_new(loop, terminal, TN_LOG_DEBUG);
    tn_loop_log(loop, level, "hello");
    tn_log_console_free(console);
    tn_loop_free(loop);
    ssize_t n = read(master, text, size - 1);
    assert_true(n > 0);
    text[n] = 0;
    close(terminal);
    close(master);
    if (kept)
        setenv("TERM", kept, 1);
    else
        unsetenv("TERM");
    free(kept);
}

TEST(log, brackets_are_coloured_on_a_terminal_that_knows_colours)
{
    char text[200];
    write_to_terminal("xterm-256color", TN_LOG_INFO, text, sizeof(text));
    assert_matches(text, "^\033\\[32m\\[I [^]]*\\]\033\\[0m hello\r\n$");
    write_to_terminal("xterm", TN_LOG_ERROR, text, sizeof(text));
    assert_matches(text, "^\033\\[31m\\[E ");
    write_to_terminal("xterm", TN_LOG_WARNING, text, sizeof(text));
    assert_matches(text, "^\033\\[33m\\[W ");
    write_to_terminal("dumb", TN_LOG_INFO, text, sizeof(text));
    assert_matches(text, "^\\[I [^]]*\\] hello\r\n$");
}

TEST(log, level_is_read_from_its_word)
{
    assert_int_equal(tn_log_level_parse("debug"), TN_LOG_DEBUG);
    assert_int_equal(tn_log_level_parse("info"), TN_LOG_INFO);
    assert_int_equal(tn_log_level_parse("Warning"), TN_LOG_WARNING);
    assert_int_equal(tn_log_level_parse("ERROR"), TN_LOG_ERROR);
    assert_int_equal(tn_log_level_parse(TN_S("critical")), TN_LOG_CRITICAL);
    assert_int_equal(tn_log_level_parse("none"), TN_LOG_NONE);
    assert_int_equal(tn_log_level_parse(""), TN_EINVAL);
    assert_int_equal(tn_log_level_parse("loud"), TN_EINVAL);
    assert_int_equal(tn_log_level_parse("infos"), TN_EINVAL);
}
