/* tn_loop_dump: what every parked coroutine waits for, and how deep the stacks went. */
#include "dump.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

enum { MARKS_STEP = 16, MARKS_MAX = 1024 }; /* functions told apart; a program has a few dozens */

/* -- High-water marks -- */

static tn__mark *mark_of(tn__gen *gen, const tn__task_spec *spec)
{
    int (*origin)(void *) = spec->origin ? spec->origin : spec->fn;
    for (size_t i = 0; i < gen->mark_n; i++)
        if (gen->marks[i].origin == origin) return &gen->marks[i];
    if (gen->mark_n == MARKS_MAX) return NULL;
    if (gen->mark_n % MARKS_STEP == 0) {
        tn__mark *marks = tn__realloc(gen->marks, (gen->mark_n + MARKS_STEP) * sizeof *marks);
        if (!marks) return NULL;
        gen->marks = marks;
    }
    gen->marks[gen->mark_n] = (tn__mark){.origin = origin, .name = spec->name};
    return &gen->marks[gen->mark_n++];
}

void tn__mark_stack(tn__gen *gen, tn__stack *stack, const tn__task_spec *spec)
{
    size_t bytes = tn__stack_high_water(stack), all = (size_t)(stack->coro.stack_top - stack->coro.stack_low);
    tn__mark *mark = mark_of(gen, spec);
    tn__stack_clear(stack, bytes);
    if (!mark) return;
    mark->runs++;
    if (bytes <= mark->bytes_most) return;
    mark->bytes_most = bytes;
    if (bytes > all / 4 * 3)
        TN__SAY(&gen->loop->report, TN_LOG_WARNING, TN_LOG_GENERAL, "Coroutine %s used %zu of its stack's %zu bytes",
                mark->name ? mark->name : "", bytes, all);
}

/* -- Printing -- */

/* An address as the nearest name before it, or as a place in its file. */
static void print_place(FILE *out, const void *at)
{
    Dl_info info;
    if (!at || !dladdr(at, &info) || !info.dli_fname) {
        fprintf(out, "%p", at);
        return;
    }
    const char *slash = strrchr(info.dli_fname, '/'), *file = slash ? slash + 1 : info.dli_fname;
    uintptr_t base = (uintptr_t)(info.dli_sname ? info.dli_saddr : info.dli_fbase), offset = (uintptr_t)at - base;
    fprintf(out, "%s", info.dli_sname ? info.dli_sname : file);
    if (offset || !info.dli_sname) fprintf(out, "+0x%zx", (size_t)offset);
}

static void print_name(FILE *out, const char *name, int (*origin)(void *))
{
    if (name)
        fprintf(out, "%s", name);
    else
        print_place(out, (const void *)(uintptr_t)origin);
}

static void print_task(FILE *out, const tn_task *t, int64_t now_ns)
{
    fprintf(out, "  ");
    print_name(out, t->spec.name, t->spec.origin ? t->spec.origin : t->spec.fn);
    fprintf(out, " waits in %s, called at ", t->call);
    print_place(out, t->where);
    fprintf(out, ", for %.3f s%s\n", (double)(now_ns - t->since_ns) / 1e9, t->cancelled ? ", cancelled" : "");
}

void tn_loop_dump(FILE *out)
{
    tn_loop *loop = tn_loop_current();
    tn__gen *gen = loop ? loop->rooms[TN__ROOM_GEN].state : NULL;
    if (!gen) {
        fprintf(out, "no coroutine waits\n");
        return;
    }
    size_t parked_n = 0;
    for (tn__list *at = gen->tasks.next; at != &gen->tasks; at = at->next) parked_n += TN__OWNER(at, tn_task, node)->parked;
    fprintf(out, "%zu coroutines wait, %zu stacks are idle\n", parked_n, gen->stacks.idle_n + (gen->stacks.hot != NULL));
    for (tn__list *at = gen->tasks.next; at != &gen->tasks; at = at->next) {
        const tn_task *t = TN__OWNER(at, tn_task, node);
        if (t->parked) print_task(out, t, tn__loop_now(loop));
    }
    for (size_t i = 0; i < gen->mark_n; i++) {
        const tn__mark *m = &gen->marks[i];
        fprintf(out, "  ");
        print_name(out, m->name, m->origin);
        fprintf(out, " used %zu bytes of stack at most, in %zu runs\n", m->bytes_most, m->runs);
    }
}
