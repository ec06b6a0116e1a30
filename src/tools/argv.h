/*
 * The command line of programs that tn_serve runs: a table of options, each with the place where its value goes. (Options that
 * programs define for themselves are the business of options.h.)
 *
 * `--port=8888`, `--port 8888` and `-port=8888` are the same, and so are dashes and underscores inside a name.
 */
#ifndef TN_TOOLS_ARGV_H
#define TN_TOOLS_ARGV_H

#include "tornado/error.h"

typedef enum tn__option_kind {
    TN__OPTION_FLAG,    /* bool: --name, --name=true, --name=false; takes no word of its own */
    TN__OPTION_TEXT,    /* const char *: borrowed from argv */
    TN__OPTION_INT,     /* int, from `min` to `max` */
    TN__OPTION_BYTES,   /* size_t, not 0: digits, with K, M or G behind them for powers of 1024 */
    TN__OPTION_SECONDS, /* double, not negative; 0 means none at all, and is given as -1 */
    TN__OPTION_LEVEL,   /* int: debug, info, warning, error, critical, none */
} tn__option_kind;

typedef struct tn__option {
    const char *name; /* with dashes; NULL ends a table */
    tn__option_kind kind;
    void *value;         /* where it goes; what is there before is the default */
    int min, max;        /* of an INT; both 0: any */
    const char *metavar; /* what the usage calls the value: "PORT" */
    const char *help;    /* one line, without a stop at its end */
} tn__option;

enum { TN__ARGV_HELP = 1 };

/*
 * Read a command line into the table's places. Returns 0, TN__ARGV_HELP if --help was there, or TN_EARGUMENT with a sentence in
 * `err`; what was read before the error stays. argv[0] is skipped. Any thread.
 */
int tn__argv_parse(const tn__option *options, int argc, char **argv, tn_error *err);

/*
 * The same for a program: for --help writes the usage to standard output, for a mistake one line to standard error. Returns -1 if
 * the program should go on, else the status with which it should exit.
 */
int tn__argv_take(const tn__option *options, int argc, char **argv);

#endif
