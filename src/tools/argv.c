/*
 * The command line of programs that tn_serve runs. One function reads a value by its kind; the others find the option it is for.
 */
#include "argv.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tornado/log.h"

enum { HELP_COLUMN = 32 };

TN_PRINTF(2, 3) static int refuse(tn_error *err, const char *format, ...)
{
    if (!err) return TN_EARGUMENT;
    va_list args;
    va_start(args, format);
    err->code = TN_EARGUMENT;
    err->at = 0;
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return TN_EARGUMENT;
}

/* -- Values -- */

static int read_flag(bool *value, const char *text)
{
    bool on = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!on && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) return TN_EARGUMENT;
    *value = on;
    return TN_OK;
}

static int read_int(const tn__option *option, const char *text)
{
    bool bounded = option->min || option->max;
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    /* strtol would pass over blanks and a plus. */
    if ((*text != '-' && (*text < '0' || *text > '9')) || *end || end[-1] == '-' || errno) return TN_EARGUMENT;
    if (number < (bounded ? option->min : INT_MIN) || number > (bounded ? option->max : INT_MAX)) return TN_EARGUMENT;
    *(int *)option->value = (int)number;
    return TN_OK;
}

static int read_bytes(size_t *value, const char *text)
{
    size_t number = 0;
    const char *at = text;
    int shift = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        size_t digit = (size_t)(*at - '0');
        if (number > (SIZE_MAX - digit) / 10) return TN_EARGUMENT;
        number = number * 10 + digit;
    }
    if (number == 0) return TN_EARGUMENT; /* no digits, or none that say anything: in options, zero means the default */
    switch (*at) {
    case 'k':
    case 'K': shift = 10; break;
    case 'm':
    case 'M': shift = 20; break;
    case 'g':
    case 'G': shift = 30; break;
    default: break;
    }
    if (shift) at++;
    if (*at || number > SIZE_MAX >> shift) return TN_EARGUMENT;
    *value = number << shift;
    return TN_OK;
}

static int read_seconds(double *value, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if ((*text < '0' || *text > '9') && *text != '.') return TN_EARGUMENT;
    if (end == text || *end || !isfinite(seconds)) return TN_EARGUMENT;
    *value = seconds > 0 ? seconds : -1; /* in options, zero means the default and what is negative means none */
    return TN_OK;
}

static int read_level(int *value, const char *text)
{
    int level = tn_log_level_parse(text);
    if (level < 0) return TN_EARGUMENT;
    *value = level;
    return TN_OK;
}

static int read_value(const tn__option *option, const char *text)
{
    switch (option->kind) {
    case TN__OPTION_FLAG: return read_flag(option->value, text);
    case TN__OPTION_TEXT: *(const char **)option->value = text; return TN_OK;
    case TN__OPTION_INT: return read_int(option, text);
    case TN__OPTION_BYTES: return read_bytes(option->value, text);
    case TN__OPTION_SECONDS: return read_seconds(option->value, text);
    case TN__OPTION_LEVEL: return read_level(option->value, text);
    }
    return TN_EARGUMENT;
}

/* What a value of the option must be, for a person who gave another. */
static const char *wanted(const tn__option *option, char text[64])
{
    switch (option->kind) {
    case TN__OPTION_FLAG: return "true or false";
    case TN__OPTION_INT:
        if (!option->min && !option->max) return "a whole number";
        snprintf(text, 64, "a whole number from %d to %d", option->min, option->max);
        return text;
    case TN__OPTION_BYTES: return "a number above 0, such as 65536, 64K or 10M";
    case TN__OPTION_SECONDS: return "a number of seconds";
    case TN__OPTION_LEVEL: return "debug, info, warning, error, critical or none";
    default: return "some text";
    }
}

/* -- Words -- */

/* A dash and an underscore are the same. */
static bool same_name(const char *name, tn_str word)
{
    if (strlen(name) != word.n) return false;
    for (size_t i = 0; i < word.n; i++)
        if (name[i] != (word.p[i] == '_' ? '-' : word.p[i])) return false;
    return true;
}

static const tn__option *find(const tn__option *options, tn_str word)
{
    for (; options->name; options++)
        if (same_name(options->name, word)) return options;
    return NULL;
}

/* One option, whose word without its dashes is `word`; `next` is the word behind it. Returns how many words it took. */
static int take_option(const tn__option *options, const char *word, const char *next, tn_error *err)
{
    size_t n = strcspn(word, "=");
    const char *text = word[n] ? word + n + 1 : NULL;
    const tn__option *option = find(options, tn_str_of(word, n));
    char range[64];
    int words = 1;

    if (!option) return refuse(err, "unknown option --%.*s (--help lists them)", (int)n, word);
    if (!text && option->kind == TN__OPTION_FLAG) text = "true";
    if (!text) {
        if (!next) return refuse(err, "--%s needs a value: %s", option->name, wanted(option, range));
        text = next;
        words = 2;
    }
    if (read_value(option, text) < 0) return refuse(err, "--%s=%s: must be %s", option->name, text, wanted(option, range));
    return words;
}

int tn__argv_parse(const tn__option *options, int argc, char **argv, tn_error *err)
{
    int at = 1;
    while (at < argc) {
        const char *word = argv[at];
        word += strspn(word, "-");
        if (word == argv[at] || *word == 0) return refuse(err, "unexpected word \"%s\" (--help lists the options)", argv[at]);
        if (strcmp(word, "help") == 0) return TN__ARGV_HELP;
        int words = take_option(options, word, at + 1 < argc ? argv[at + 1] : NULL, err);
        if (words < 0) return words;
        at += words;
    }
    return TN_OK;
}

/* -- For people -- */

/* Tornado's layout: names, then the help from a fixed column on. */
static void print_usage(FILE *out, const tn__option *options, const char *program)
{
    fprintf(out, "Usage: %s [OPTIONS]\n\nOptions:\n\n", program);
    fprintf(out, "  %-*s %s\n", HELP_COLUMN, "--help", "show this help information");
    for (; options->name; options++) {
        char name[80];
        if (options->metavar)
            snprintf(name, sizeof(name), "--%s=%s", options->name, options->metavar);
        else
            snprintf(name, sizeof(name), "--%s", options->name);
        fprintf(out, "  %-*s %s\n", HELP_COLUMN, name, options->help);
    }
}

int tn__argv_take(const tn__option *options, int argc, char **argv)
{
    const char *program = argc > 0 && argv[0] ? argv[0] : "program";
    const char *slash = strrchr(program, '/');
    tn_error err;
    int result = tn__argv_parse(options, argc, argv, &err);

    if (result == TN_OK) return -1;
    if (slash) program = slash + 1;
    if (result == TN__ARGV_HELP) {
        print_usage(stdout, options, program);
        return fflush(stdout) == 0 ? 0 : 1;
    }
    fprintf(stderr, "%s: %s\n", program, err.text);
    return 1;
}
