/* The main of every unit test program: runs the tests in the order of their registration and looks for what each leaves behind. */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { TESTS_MAX = 400 };
static struct CMUnitTest tests[TESTS_MAX];
static size_t tests_n;
static int descriptors_before;

static int open_descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return 0;
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

static int before(void **state)
{
    (void)state;
    descriptors_before = open_descriptors();
    return 0;
}

static int after(void **state)
{
    (void)state;
    int now = open_descriptors();
    if (now == descriptors_before) return 0;
    fprintf(stderr, "descriptors: %d before the test, %d after it\n", descriptors_before, now);
    return -1;
}

void test_register(const char *name, void (*function)(void **state))
{
    if (tests_n == TESTS_MAX) abort();
    char *sentence = strdup(name);
    for (char *c = sentence; *c; c++)
        if (*c == '_') *c = ' ';
    tests[tests_n++] = (struct CMUnitTest){sentence, function, before, after, NULL};
}

int main(void)
{
    if (tests_n == 0) return 1;
    int failed = _cmocka_run_group_tests("unit", tests, tests_n, NULL, NULL);
    for (size_t i = 0; i < tests_n; i++) free((void *)tests[i].name);
    return failed ? 1 : 0;
}
