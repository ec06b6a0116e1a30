/* Command lines and what is read from them. */
#include "test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/argv.h"
#include "tornado/log.h"

static struct values {
    int port, level;
    const char *address;
    bool reuse_port;
    size_t body;
    double timeout;
} got;

static const tn__option table[] = {
    {"port", TN__OPTION_INT, &got.port, 0, 65535, "PORT", "port to listen on"},
    {"address", TN__OPTION_TEXT, &got.address, 0, 0, "ADDRESS", "address to listen on"},
    {"logging", TN__OPTION_LEVEL, &got.level, 0, 0, "LEVEL", "least level that is logged"},
    {"reuse-port", TN__OPTION_FLAG, &got.reuse_port, 0, 0, NULL, "share the port"},
    {"max-body-size", TN__OPTION_BYTES, &got.body, 0, 0, "BYTES", "longest body"},
    {"timeout", TN__OPTION_SECONDS, &got.timeout, 0, 0, "SECONDS", "how long to wait"},
    {0},
};

/* Parses the words of `line`, which are separated by blanks. */
static int parse(const char *line, tn_error *err)
{
    static char copy[300];
    char *words[20] = {"program"};
    int n = 1;
    got = (struct values){.port = 8888, .level = TN_LOG_INFO};
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) words[n++] = word;
    return tn__argv_parse(table, n, words, err);
}

static void assert_refused(const char *line, const char *sentence)
{
    tn_error err = {0};
    assert_int_equal(parse(line, &err), TN_EARGUMENT);
    assert_string_equal(err.text, sentence);
    assert_int_equal(parse(line, NULL), TN_EARGUMENT);
}

TEST(argv, without_words_leaves_the_defaults)
{
    assert_int_equal(parse("", NULL), TN_OK);
    assert_int_equal(got.port, 8888);
    assert_null(got.address);
    assert_int_equal(tn__argv_parse(table, 0, NULL, NULL), TN_OK);
}

TEST(argv, takes_a_value_after_an_equals_sign_or_a_blank_and_any_dashes)
{
    static const char *const lines[] = {"--port=80", "--port 80", "-port=80", "-port 80", "---port=80", "--port=1 --port=80"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        assert_int_equal(parse(lines[i], NULL), TN_OK);
        assert_int_equal(got.port, 80);
    }
}

TEST(argv, reads_each_kind_of_value)
{
    assert_int_equal(parse("--address=::1 --logging=none --reuse-port --max-body-size=10M --timeout=2.5 --port=0", NULL), TN_OK);
    assert_string_equal(got.address, "::1");
    assert_int_equal(got.level, TN_LOG_NONE);
    assert_true(got.reuse_port);
    assert_int_equal(got.body, 10 << 20);
    assert_true(got.timeout == 2.5);
    assert_int_equal(got.port, 0);
    assert_int_equal(parse("--max-body-size=123 --reuse-port=false --address=", NULL), TN_OK);
    assert_int_equal(got.body, 123);
    assert_false(got.reuse_port);
    assert_string_equal(got.address, "");
}

TEST(argv, takes_zero_seconds_for_none_at_all)
{
    assert_int_equal(parse("--timeout=0", NULL), TN_OK);
    assert_true(got.timeout < 0);
}

TEST(argv, knows_no_difference_between_a_dash_and_an_underscore)
{
    assert_int_equal(parse("--reuse_port --max_body_size 1k", NULL), TN_OK);
    assert_true(got.reuse_port);
    assert_int_equal(got.body, 1024);
}

TEST(argv, refuses_what_it_does_not_know)
{
    assert_refused("--colour=red", "unknown option --colour (--help lists them)");
    assert_refused("--por=80", "unknown option --por (--help lists them)");
    assert_refused("--port=80 extra", "unexpected word \"extra\" (--help lists the options)");
    assert_refused("--", "unexpected word \"--\" (--help lists the options)");
    assert_refused("--=5", "unknown option -- (--help lists them)");
}

TEST(argv, refuses_values_that_make_no_sense)
{
    static const char *const bad[] = {
        "--port=",
        "--port=eighty",
        "--port=80x",
        "--port=+80",
        "--port=-1",
        "--port=65536",
        "--port=-",
        "--port=0x50",
        "--port=99999999999999999999",
        "--logging=loud",
        "--logging=",
        "--reuse-port=maybe",
        "--max-body-size=",
        "--max-body-size=K",
        "--max-body-size=-1",
        "--max-body-size=0",
        "--max-body-size=0K",
        "--max-body-size=1KB",
        "--max-body-size=99999999999999999999",
        "--max-body-size=99999999999G",
        "--timeout=-1",
        "--timeout=soon",
        "--timeout=inf",
        "--timeout=nan",
        "--timeout=1e999",
        "--timeout=",
        "--timeout=1s",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (parse(bad[i], NULL) != TN_EARGUMENT) fail_msg("%s was taken", bad[i]);
    assert_refused("--port=65536", "--port=65536: must be a whole number from 0 to 65535");
    assert_refused("--max-body-size=0", "--max-body-size=0: must be a number above 0, such as 65536, 64K or 10M");
    assert_refused("--port", "--port needs a value: a whole number from 0 to 65535");
    assert_refused("--logging loud", "--logging=loud: must be debug, info, warning, error, critical or none");
}

TEST(argv, asks_for_help_wherever_the_word_stands)
{
    assert_int_equal(parse("--help", NULL), TN__ARGV_HELP);
    assert_int_equal(parse("--port=80 -help --nonsense", NULL), TN__ARGV_HELP);
}

/* What tn__argv_take does in a child: the status it gives (or 77 to go on), and what the child wrote to `stream`. */
static int take(int stream, char *word, char *text, size_t size)
{
    char *words[] = {"/usr/bin/program", word};
    int fds[2], status = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], stream);
        int result = tn__argv_take(table, 2, words);
        _exit(result < 0 ? 77 : result);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], text, size - 1);
    text[n > 0 ? n : 0] = 0;
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

TEST(argv, tells_a_program_to_go_on_or_how_to_exit)
{
    char text[2000];
    assert_int_equal(take(STDERR_FILENO, "--port=80", text, sizeof(text)), 77);
    assert_string_equal(text, "");
    assert_int_equal(take(STDERR_FILENO, "--port=x", text, sizeof(text)), 1);
    assert_string_equal(text, "program: --port=x: must be a whole number from 0 to 65535\n");
    assert_int_equal(take(STDOUT_FILENO, "--help", text, sizeof(text)), 0);
    assert_memory_equal(text, "Usage: program [OPTIONS]\n", 25);
    assert_non_null(strstr(text, "--port=PORT"));
    assert_non_null(strstr(text, "--reuse-port  "));
    assert_non_null(strstr(text, "port to listen on\n"));
}
