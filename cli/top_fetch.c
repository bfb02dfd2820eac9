// SPDX-License-Identifier: Apache-2.0
#include "cli/top_fetch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct top_fetch {
    struct top_source *source;
    pthread_t thread;
    int answered; /* an eventfd */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct top_question question;
    bool waiting, busy, has_answer, stopping;
    struct top_answer answer;
};

static void publish(struct top_fetch *f, const struct top_answer *answer)
{
    uint64_t one = 1;
    pthread_mutex_lock(&f->lock);
    if (f->has_answer)
        top_table_fini(&f->answer.table);
    f->answer = *answer;
    f->has_answer = true;
    f->busy = false;
    pthread_mutex_unlock(&f->lock);
    if (write(f->answered, &one, sizeof one) < 0) /* it is readable already */
        return;
}

static bool next_question(struct top_fetch *f, struct top_question *q)
{
    pthread_mutex_lock(&f->lock);
    while (!f->waiting && !f->stopping)
        pthread_cond_wait(&f->changed, &f->lock);
    bool goes_on = !f->stopping;
    *q = f->question;
    f->busy = goes_on;
    f->waiting = false;
    pthread_mutex_unlock(&f->lock);
    return goes_on;
}

static void *run(void *context)
{
    struct top_fetch *f = context;
    struct top_question q;
    while (next_question(f, &q)) {
        struct top_answer answer = {.result = 0};
        top_table_init(&answer.table, q.view);
        answer.result = f->source->ask(f->source->context, &q, &answer.table, answer.why);
        publish(f, &answer);
    }
    return NULL;
}

/* Signals are the main thread's. */
static bool start(struct top_fetch *f)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&f->thread, NULL, run, f) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void destroy(struct top_fetch *f)
{
    if (f->has_answer)
        top_table_fini(&f->answer.table);
    if (f->answered >= 0)
        close(f->answered);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

struct top_fetch *top_fetch_create(struct top_source *source)
{
    struct top_fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->source = source;
    f->answered = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    if (f->answered >= 0 && start(f))
        return f;
    destroy(f);
    return NULL;
}

void top_fetch_destroy(struct top_fetch **place)
{
    struct top_fetch *f = *place;
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    destroy(f);
    *place = NULL;
}

void top_fetch_ask(struct top_fetch *f, const struct top_question *q)
{
    pthread_mutex_lock(&f->lock);
    f->question = *q;
    f->waiting = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

bool top_fetch_is_busy(struct top_fetch *f)
{
    pthread_mutex_lock(&f->lock);
    bool busy = f->waiting || f->busy;
    pthread_mutex_unlock(&f->lock);
    return busy;
}

int top_fetch_descriptor(const struct top_fetch *f)
{
    return f->answered;
}

bool top_fetch_take(struct top_fetch *f, struct top_answer *out)
{
    uint64_t count;
    pthread_mutex_lock(&f->lock);
    bool found = f->has_answer && read(f->answered, &count, sizeof count) > 0;
    if (found) {
        *out = f->answer;
        f->has_answer = false;
    }
    pthread_mutex_unlock(&f->lock);
    return found;
}
