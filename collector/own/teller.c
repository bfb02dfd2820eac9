// SPDX-License-Identifier: Apache-2.0
#include "collector/own/teller.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

struct own_teller {
    struct own_teller_options options;
    char host[256];
    struct batch_builder *builder; /* the thread's */
    _Atomic uint64_t kept, dropped;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool runs;
    bool stopping; /* under the lock */
};

/* The samples of this moment, encoded; how many in *samples. -1: no memory. */
static int encode(struct own_teller *t, struct buffer *out, size_t *samples)
{
    const struct own_label collector = {"collector", t->host};
    batch_builder_reset(t->builder);
    struct own_metrics m = own_to_rows(t->builder, (int64_t)(clock_unix_ns() / 1000000), &collector,
                                       t->host[0] ? 1 : 0);
    if (t->options.list(t->options.context, &m) != 0)
        return -1;
    *samples = batch_builder_samples(t->builder);
    return batch_encode(t->builder, out);
}

/* How many samples there were. */
static size_t tell(struct own_teller *t)
{
    struct buffer batch = {0};
    size_t samples = 0;
    char why[256];
    if (encode(t, &batch, &samples) != 0) {
        buffer_fini(&batch);
        atomic_fetch_add(&t->dropped, samples);
        LOG_WARN_EVERY("no memory to keep what the collector says of itself");
    } else if (t->options.write(t->options.context, batch.data, batch.length, why, sizeof why) !=
               0) {
        atomic_fetch_add(&t->dropped, samples);
        LOG_WARN_EVERY("what the collector says of itself is not kept: %s", why);
    } else {
        atomic_fetch_add(&t->kept, samples);
    }
    return samples;
}

/* False: it is to end. */
static bool wait_until(struct own_teller *t, int64_t ms)
{
    pthread_mutex_lock(&t->lock);
    while (!t->stopping && clock_monotonic_ms() < ms)
        condition_wait(&t->changed, &t->lock, ms);
    bool goes_on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

static void *run(void *context)
{
    struct own_teller *t = context;
    int64_t every_ms = (int64_t)(t->options.every_ns / 1000000);
    if (every_ms < 1)
        every_ms = 1;
    int64_t next_ms = clock_monotonic_ms() + every_ms;
    while (wait_until(t, next_ms)) {
        size_t samples = tell(t);
        int64_t now_ms = clock_monotonic_ms();
        for (next_ms += every_ms; next_ms <= now_ms; next_ms += every_ms)
            atomic_fetch_add(&t->dropped, samples); /* moments that passed meanwhile */
    }
    return NULL;
}

struct own_teller *own_teller_create(const struct own_teller_options *options)
{
    struct own_teller *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->options = *options;
    gethostname(t->host, sizeof t->host - 1);
    pthread_mutex_init(&t->lock, NULL);
    condition_init(&t->changed);
    t->builder = batch_builder_create();
    if (!t->builder)
        own_teller_destroy(&t);
    return t;
}

int own_teller_start(struct own_teller *t)
{
    t->runs = pthread_create(&t->thread, NULL, run, t) == 0;
    return t->runs ? 0 : -1;
}

void own_teller_close(struct own_teller *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

void own_teller_destroy(struct own_teller **place)
{
    struct own_teller *t = *place;
    if (!t)
        return;
    own_teller_close(t);
    if (t->runs)
        pthread_join(t->thread, NULL);
    batch_builder_destroy(&t->builder);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
    *place = NULL;
}

void own_teller_stats(const struct own_teller *t, struct own_teller_stats *out)
{
    out->kept = atomic_load(&t->kept);
    out->dropped = atomic_load(&t->dropped);
}
