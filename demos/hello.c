#include <tornado/web.h>

static int hello(tn_req *r)
{
    return tn_write(r, "Hello, world");
}

static const tn_handler Main = {.get = hello};

int main(int argc, char **argv)
{
    static const tn_route routes[] = {{.path = "/", .handler = &Main}, {0}};
    return tn_serve(tn_app_new(routes), .port = 8888, .argc = argc, .argv = argv);
}
