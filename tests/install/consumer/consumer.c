/*
 * The smallest program that uses an installed libtornado: it is built and run through pkg-config and through find_package, shared and
 * static. It makes a loop, lets a callback stop it, and looks an error up.
 */
#include <stdio.h>
#include <string.h>

#include <tornado/error.h>
#include <tornado/ioloop.h>

static void stop(void *arg)
{
    tn_loop_stop(arg);
}

int main(void)
{
    tn_loop *loop = NULL;
    if (tn_loop_new(&loop, NULL) < 0) return 1;
    if (tn_loop_add_callback(loop, stop, loop) < 0) return 2;
    if (tn_loop_run(loop) != 0) return 3;
    tn_loop_free(loop);
    if (strcmp(tn_errname(TN_EOF), "TN_EOF") != 0) return 4;
    puts("good");
    return 0;
}
