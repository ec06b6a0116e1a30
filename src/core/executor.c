/*
 * The thread pool. Jobs go to the threads through a list under a mutex, and come back by tn__calls_post, which needs no memory: a
 * result is never lost.
 *
 * `job->op` and the list of all jobs belong to the loop's thread; `queue`, `idle` and `closing` to whoever has the lock.
 */
#include "executor.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "calls.h"

enum { DEFAULT_THREADS_MAX = 32 };

typedef struct job {
    tn__list queue_node; /* linked until a thread takes it */
    tn__list all_node;
    tn__post post;
    tn__executor *executor;
    int (*fn)(void *arg);
    void *arg;
    void (*orphan)(void *arg);
    tn__op *op; /* NULL once it was withdrawn */
    int result; /* TN_ECANCELED until the function has returned */
} job;

struct tn__executor {
    tn_loop *loop;
    pid_t pid;
    tn__list all;

    pthread_mutex_t lock;
    pthread_cond_t work;
    tn__list queue;
    int queued, idle;
    bool closing;

    int thread_n, thread_max;
    pthread_t threads[];
};

/* -- On the threads -- */

/* The next job, or NULL when it is time to go. Called with the lock held. */
static job *wait_for_job(tn__executor *e)
{
    e->idle++;
    while (!e->queued && !e->closing) pthread_cond_wait(&e->work, &e->lock);
    e->idle--;
    if (e->closing) return NULL;
    e->queued--;
    return TN__OWNER(tn__list_pop(&e->queue), job, queue_node);
}

static void *thread_main(void *arg)
{
    tn__executor *e = arg;
    pthread_mutex_lock(&e->lock);
    for (job *j; (j = wait_for_job(e));) {
        pthread_mutex_unlock(&e->lock);
        j->result = j->fn(j->arg);
        tn__calls_post(e->loop, &j->post); /* refused while the loop is being freed; tn__executor_free finds the job then */
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* One more thread if the present ones are not enough. Failing matters only when there is none at all. */
static int start_thread(tn__executor *e, bool needed)
{
    if (!needed || e->thread_n == e->thread_max) return 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the threads of the program */
    int error = pthread_create(&e->threads[e->thread_n], NULL, thread_main, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) e->thread_n++;
    return e->thread_n ? 0 : -error;
}

/* -- On the loop's thread -- */

tn__executor *tn__executor_new(tn_loop *loop, int threads_max)
{
    if (threads_max < 1) threads_max = 1;
    tn__executor *e = tn__zalloc(sizeof *e + (size_t)threads_max * sizeof *e->threads);
    if (!e) return NULL;
    e->loop = loop;
    e->pid = getpid();
    e->thread_max = threads_max;
    tn__list_init(&e->all);
    tn__list_init(&e->queue);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->work, NULL);
    return e;
}

static void forget_job(job *j)
{
    j->executor->loop->jobs_n--;
    tn__list_remove(&j->all_node);
    tn__free(j);
}

/* The job is over, or was taken out of the queue. */
static void on_over(void *arg)
{
    job *j = arg;
    if (j->op)
        tn__op_end(j->executor->loop, j->op, j->result);
    else if (j->orphan)
        j->orphan(j->arg);
    forget_job(j);
}

static void withdraw(tn__op *op)
{
    job *j = op->holder;
    tn__executor *e = j->executor;
    j->op = NULL;
    pthread_mutex_lock(&e->lock);
    bool was_queued = tn__list_linked(&j->queue_node);
    if (was_queued) {
        tn__list_remove(&j->queue_node);
        e->queued--;
    }
    pthread_mutex_unlock(&e->lock);
    if (was_queued) tn__calls_post(e->loop, &j->post);
}

int tn__executor_submit_to(tn__executor *e, int (*fn)(void *arg), void *arg, void (*orphan)(void *arg), tn__op *op)
{
    job *j = tn__alloc(sizeof *j);
    if (!j) return TN_ENOMEM;
    *j = (job){
        .post = {.fn = on_over, .arg = j}, .executor = e, .fn = fn, .arg = arg, .orphan = orphan, .op = op, .result = TN_ECANCELED};
    tn__list_init(&j->queue_node);
    tn__list_init(&j->post.node);

    pthread_mutex_lock(&e->lock);
    bool more = e->queued >= e->idle;
    pthread_mutex_unlock(&e->lock);
    int result = start_thread(e, more);
    if (result < 0) {
        tn__free(j);
        return result;
    }

    tn__op_begin(op, j, withdraw);
    tn__list_push(&e->all, &j->all_node);
    e->loop->jobs_n++;
    pthread_mutex_lock(&e->lock);
    tn__list_push(&e->queue, &j->queue_node);
    e->queued++;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->lock);
    return TN__PENDING;
}

static void join_threads(tn__executor *e)
{
    if (e->pid != getpid()) return; /* threads do not survive fork: in the child there is nobody to wait for */
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    pthread_cond_broadcast(&e->work);
    pthread_mutex_unlock(&e->lock);
    for (int i = 0; i < e->thread_n; i++) pthread_join(e->threads[i], NULL);
    pthread_cond_destroy(&e->work);
    pthread_mutex_destroy(&e->lock);
}

void tn__executor_free(tn__executor *e)
{
    if (!e) return;
    join_threads(e);
    for (tn__list *node; (node = e->all.next) != &e->all;) {
        job *j = TN__OWNER(node, job, all_node);
        tn__calls_unpost(e->loop, &j->post);
        on_over(j);
    }
    tn__free(e);
}

static void free_default(tn_loop *loop, void *state)
{
    (void)loop;
    tn__executor_free(state);
}

/* The loop's own pool, made on first use. */
static tn__executor *default_of(tn_loop *loop)
{
    tn__room *room = &loop->rooms[TN__ROOM_CORE];
    if (room->state) return room->state;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long threads = processors > 0 ? processors + 4 : 4;
    room->state = tn__executor_new(loop, threads < DEFAULT_THREADS_MAX ? (int)threads : DEFAULT_THREADS_MAX);
    room->free = room->state ? free_default : NULL;
    return room->state;
}

int tn__executor_submit(tn_loop *loop, int (*fn)(void *arg), void *arg, void (*orphan)(void *arg), tn__op *op)
{
    tn__loop_check_thread(loop, "tn_run_in_executor");
    tn__executor *e = default_of(loop);
    return e ? tn__executor_submit_to(e, fn, arg, orphan, op) : TN_ENOMEM;
}
