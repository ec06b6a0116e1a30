/* The thread pool: results reach the loop, withdrawn work is orphaned, and freeing it waits for what runs. */
#include "core_test.h"

#include <pthread.h>
#include <sys/wait.h>

#include "core/executor.h"

typedef struct task {
    tn__op op;
    tn_loop *loop;
    int input, result, done, orphaned;
    pthread_t ran_on;
    int *left;
} task;

/* A gate that blocks the threads of a pool until the test opens it. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_open;
static int at_gate;

static void set_gate(bool open)
{
    pthread_mutex_lock(&gate_lock);
    gate_open = open;
    if (!open) at_gate = 0;
    pthread_cond_broadcast(&gate_changed);
    pthread_mutex_unlock(&gate_lock);
}

static void wait_for_threads(int n)
{
    pthread_mutex_lock(&gate_lock);
    while (at_gate < n) pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

static int pass_gate(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&gate_lock);
    at_gate++;
    pthread_cond_broadcast(&gate_changed);
    while (!gate_open) pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
    return 1;
}

static int square(void *arg)
{
    task *t = arg;
    t->ran_on = pthread_self();
    return t->input * t->input;
}

static void on_done(tn_loop *loop, tn__op *op, int result)
{
    task *t = TN__OWNER(op, task, op);
    t->done++;
    t->result = result;
    if (t->left && --*t->left == 0) tn_loop_stop(loop);
}

static void on_orphaned(void *arg)
{
    task *t = arg;
    t->orphaned++;
    if (t->left && --*t->left == 0) tn_loop_stop(t->loop);
}

static void prepare(task *t, tn_loop *loop, int input, int *left)
{
    *t = (task){.loop = loop, .input = input, .left = left};
    tn__op_init(&t->op, on_done);
}

enum { TASKS = 500 };

LOOP_TEST(executor, ends_operations_with_what_their_functions_return)
{
    static task tasks[TASKS];
    int left = TASKS;
    for (int i = 0; i < TASKS; i++) {
        prepare(&tasks[i], loop, i, &left);
        assert_int_equal(tn__executor_submit(loop, square, &tasks[i], NULL, &tasks[i].op), TN__PENDING);
    }
    assert_int_equal(tn_loop_run(loop), 0);
    for (int i = 0; i < TASKS; i++) {
        assert_int_equal(tasks[i].done, 1);
        assert_int_equal(tasks[i].result, i * i);
        assert_false(pthread_equal(tasks[i].ran_on, pthread_self()));
    }
}

LOOP_TEST(executor, runs_as_many_at_once_as_it_has_threads)
{
    task tasks[3];
    int left = 3;
    tn__executor *e = tn__executor_new(loop, 2);
    set_gate(false);
    for (int i = 0; i < 3; i++) {
        prepare(&tasks[i], loop, i, &left);
        assert_int_equal(tn__executor_submit_to(e, pass_gate, &tasks[i], NULL, &tasks[i].op), TN__PENDING);
    }
    wait_for_threads(2);
    usleep(5000);
    assert_int_equal(at_gate, 2);
    set_gate(true);
    assert_int_equal(tn_loop_run(loop), 0);
    tn__executor_free(e);
}

LOOP_TEST(executor, orphans_withdrawn_work_whether_it_runs_or_waits)
{
    task runs, waits;
    int left = 2;
    tn__executor *e = tn__executor_new(loop, 1);
    set_gate(false);
    prepare(&runs, loop, 1, &left);
    prepare(&waits, loop, 2, &left);
    assert_int_equal(tn__executor_submit_to(e, pass_gate, &runs, on_orphaned, &runs.op), TN__PENDING);
    wait_for_threads(1);
    assert_int_equal(tn__executor_submit_to(e, square, &waits, on_orphaned, &waits.op), TN__PENDING);
    tn__op_cancel(&waits.op);
    tn__op_cancel(&runs.op);
    assert_int_equal(waits.orphaned + runs.orphaned, 0); /* never inside the withdrawing call */
    test_turns(loop, 1);
    assert_int_equal(waits.orphaned, 1); /* it need not wait for a thread */
    assert_int_equal(runs.orphaned, 0);
    set_gate(true);
    assert_int_equal(tn_loop_run(loop), 0);
    assert_int_equal(runs.orphaned, 1);
    assert_int_equal(runs.done + waits.done, 0);
    tn__executor_free(e);
}

LOOP_TEST(executor, waits_for_what_runs_and_drops_the_rest_when_freed)
{
    task runs, waits, withdrawn;
    tn__executor *e = tn__executor_new(loop, 1);
    set_gate(false);
    prepare(&runs, loop, 1, NULL);
    prepare(&waits, loop, 2, NULL);
    prepare(&withdrawn, loop, 3, NULL);
    tn__executor_submit_to(e, pass_gate, &runs, on_orphaned, &runs.op);
    wait_for_threads(1);
    tn__executor_submit_to(e, square, &waits, on_orphaned, &waits.op);
    tn__executor_submit_to(e, square, &withdrawn, on_orphaned, &withdrawn.op);
    tn__op_cancel(&withdrawn.op);
    set_gate(true);
    tn__executor_free(e);
    assert_int_equal(withdrawn.orphaned, 1);
    test_turns(loop, 1);
    assert_int_equal(runs.result, 1);
    assert_true(waits.result == TN_ECANCELED || waits.result == 4); /* the thread may have been quicker */
    assert_int_equal(runs.done + waits.done + withdrawn.done, 2);
    assert_int_equal(runs.orphaned + waits.orphaned, 0);
}

TEST(executor, goes_with_its_loop)
{
    tn_loop *loop;
    task t;
    assert_int_equal(tn_loop_new(&loop, NULL), 0);
    set_gate(true);
    prepare(&t, loop, 1, NULL);
    assert_int_equal(tn__executor_submit(loop, pass_gate, &t, NULL, &t.op), TN__PENDING);
    tn_loop_free(loop);
    assert_int_equal(t.done, 0);
    tn__op_cancel(&t.op); /* harmless */
}

LOOP_TEST(executor, of_a_parent_can_be_freed_by_a_forked_child)
{
    task t;
    int left = 1, status;
    set_gate(true);
    prepare(&t, loop, 1, &left);
    tn__executor_submit(loop, pass_gate, &t, NULL, &t.op);
    assert_int_equal(tn_loop_run(loop), 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(10);
        tn_loop_free(loop);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int submit_one(void *arg)
{
    tn_loop *loop = arg;
    task t;
    int left = 1;
    prepare(&t, loop, 3, &left);
    tn__executor *e = tn__executor_new(loop, 1);
    if (!e) return TN_ENOMEM;
    int result = tn__executor_submit_to(e, square, &t, NULL, &t.op);
    if (result == TN__PENDING) assert_int_equal(tn_loop_run(loop), 0);
    tn__executor_free(e);
    return result == TN__PENDING ? 0 : result;
}

LOOP_TEST(executor, says_so_when_there_is_no_memory_for_it)
{
    assert_int_equal(test_each_allocation(submit_one, loop), 2);
}
