/* The invoker: functions of handlers on coroutines, which cost nothing while they do not wait. */
#include "web/web_test.h"

#include "gen/task.h"

static int look_around(tn_req *r)
{
    leave("%s", tn_task_current() ? "coroutine" : "loop");
    return tn_write(r, "x");
}

static int initialize(tn_req *r)
{
    (void)r;
    leave("%s", tn_task_current() ? "coroutine" : "loop");
    return 0;
}

TEST(invoke, runs_what_may_wait_on_a_coroutine_and_the_rest_on_the_loop)
{
    static const tn_handler Looking = {.initialize = initialize, .prepare = look_around, .get = look_around};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Looking}, {0}});
    assert_get(&s, "/", "200 xx");
    assert_trail("loop coroutine coroutine");
    stage_close(&s);
}

static int use_arena(tn_req *r)
{
    assert_non_null(tn__task_arena());
    tn_str kept = tn_sprintf(r, "kept %d", 1);
    TN_TRY(wait_at_gate(r));
    return tn_write(r, kept);
}

TEST(invoke, gives_the_coroutine_the_memory_of_its_request)
{
    stage s;
    stage_open_function(&s, use_arena);
    get(&s, "/");
    open_gate(&s, 0);
    assert_heard(&s.c, "200 kept 1");
    stage_close(&s);
}

static int use_stack(tn_req *r)
{
    volatile char big[1 << 20];
    for (size_t i = 0; i < sizeof big; i += 4096) big[i] = 'x';
    return tn_write(r, tn_str_of((const char *)&big[4096], 1));
}

TEST(invoke, gives_a_handler_the_stack_that_it_asks_for)
{
    static const tn_handler Hungry = {.get = use_stack, .stack_size = 4 << 20};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Hungry}, {0}});
    assert_get(&s, "/", "200 x");
    stage_close(&s);
}

TEST(invoke, answers_503_when_there_is_no_such_stack)
{
    static const tn_handler Greedy = {.get = look_around, .stack_size = (size_t)1 << 30};
    stage s;
    stage_open(&s, (tn_route[]){{.path = "/", .handler = &Greedy}, {.path = "/modest", .function = look_around}, {0}});
    assert_get(&s, "/", "503 <89 bytes>");
    assert_get(&s, "/modest", "200 x");
    stage_close(&s);
}

static int wait_twice(tn_req *r)
{
    TN_TRY(wait_at_gate(r));
    return wait_at_gate(r);
}

TEST(invoke, cancelling_makes_every_wait_that_follows_fail)
{
    stage s;
    stage_open_function(&s, wait_twice);
    get(&s, "/");
    tn_req *r = TN__OWNER(s.server->connections.next, tn__http1, node)->exchange->user;
    tn__coroutine_invoker.cancel(r);
    test_turns(s.loop, STAGE_TURNS);
    assert_heard(&s.c, "500 <93 bytes>");
    tn_future_unref(gate);
    gate = NULL;
    stage_close(&s);
}
