/* Where coroutines begin: a program's first one, and those that nobody waits for. */
#include "base/alloc.h"
#include "task.h"

/* -- tn_spawn_detached -- */

/* From the call until the coroutine has ended. */
typedef struct spawn {
    tn__list node; /* in gen->spawns until it begins */
    tn__work work;
    tn_task_fn *fn;
    void *arg;
} spawn;

static int spawn_body(void *arg)
{
    spawn *s = arg;
    return s->fn(s->arg);
}

static void spawn_ended(tn_loop *loop, void *arg, int result)
{
    tn__free(arg);
    if (result >= 0 || result == TN_ECANCELED) return;
    TN__SAY(&loop->report, TN_LOG_ERROR, TN_LOG_APPLICATION, "Error in spawned coroutine: %s", tn_strerror(result));
}

static void spawn_begin(tn_loop *loop, tn__work *work)
{
    spawn *s = TN__OWNER(work, spawn, work);
    tn__task_spec spec = {.fn = spawn_body, .arg = s, .ended = spawn_ended, .origin = s->fn};
    tn_task *task;
    int result = TN_OK;
    tn__list_remove(&s->node);
    int begun = tn__task_call(loop, &spec, &result, &task);
    if (begun == TN__PENDING) return;
    spawn_ended(loop, s, begun < 0 ? begun : result);
}

int tn_spawn_detached(tn_loop *loop, tn_task_fn *fn, void *arg)
{
    tn__loop_check_thread(loop, "tn_spawn_detached");
    tn__gen *gen = tn__gen_of(loop);
    if (gen && gen->closing) return TN_ECLOSED;
    spawn *s = gen ? tn__alloc(sizeof *s) : NULL;
    if (!s) return TN_ENOMEM;
    *s = (spawn){.fn = fn, .arg = arg};
    tn__list_init(&s->node);
    tn__list_push(&gen->spawns, &s->node);
    tn__work_init(&s->work, spawn_begin);
    tn__soon(loop, &s->work);
    return TN_OK;
}

void tn__spawns_close(tn__gen *gen)
{
    for (tn__list *node; (node = tn__list_pop(&gen->spawns));) {
        spawn *s = TN__OWNER(node, spawn, node);
        tn__work_cancel(&s->work);
        tn__free(s);
    }
}

/* -- tn_run -- */

typedef struct first {
    tn_task_fn *fn;
    void *arg;
    int result;
} first;

static int first_body(void *arg)
{
    first *f = arg;
    return f->fn(f->arg);
}

static void first_ended(tn_loop *loop, void *arg, int result)
{
    ((first *)arg)->result = result;
    tn_loop_stop(loop);
}

int tn_run(tn_task_fn *fn, void *arg)
{
    if (tn_loop_current()) return tn__misuse(__func__, __builtin_return_address(0), "where a loop is running already");
    tn_loop *loop = NULL;
    TN_TRY(tn_loop_new(&loop, NULL));
    tn_loop_make_current(loop);

    first f = {.fn = fn, .arg = arg, .result = TN_ECANCELED};
    tn__task_spec spec = {.fn = first_body, .arg = &f, .ended = first_ended, .origin = fn};
    tn_task *task;
    int result = tn__task_call(loop, &spec, &f.result, &task);
    if (result == TN__PENDING) result = tn_loop_run(loop);
    int broken = result < 0 ? result : 0;
    tn_loop_free(loop);
    return broken ? broken : f.result;
}
