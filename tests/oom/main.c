/*
 * The probe server with an allocator that fails: linked with demos/probe.c, whose main is renamed. Driven by test_oom.py.
 *
 *     oom_probe SUCCESSES once|forever [options of the probe]
 *
 * So many allocations succeed; then one fails, or all do. At the end the number of allocations is printed to standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int probe_main(int argc, char **argv);

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    tn__alloc_fail_after(strtol(argv[1], NULL, 10), strcmp(argv[2], "forever") == 0);
    argv[2] = argv[0];
    int status = probe_main(argc - 2, argv + 2);
    fprintf(stderr, "allocations: %ld\n", tn__alloc_count());
    return status;
}
