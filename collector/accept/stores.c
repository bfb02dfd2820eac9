// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/stores.h"

#include <errno.h>

#include "collector/accept/samples.h"
#include "lib/base/log.h"

enum { ARENA_BLOCK_BYTES = 256 << 10, ARENA_KEPT_BYTES = 16 << 20 };
enum { BODY_BYTES_MAX = 16 << 20, REMOTE_WRITE_BYTES_MAX = 64 << 20 };

void stores_init(struct stores *s)
{
    arena_init(&s->samples, ARENA_BLOCK_BYTES);
}

void stores_fini(struct stores *s)
{
    arena_fini(&s->samples);
}

/* ---- decoding ---------------------------------------------------------------------------- */

static int decode_batch(struct stores *s, const void *body, size_t length, struct decoded *out,
                        const char **why)
{
    int error = store_decode(s->traces, &s->samples, body, length, BODY_BYTES_MAX, &out->batch);
    *why = batch_error_text(error);
    if (error != BATCH_OK)
        return error == BATCH_ENOMEM ? -ENOMEM : -EINVAL;
    out->spans = out->batch.batch->span_count;
    out->samples = out->batch.batch->samples.count;
    return 0;
}

static int decode_remote(struct stores *s, const void *body, size_t length, struct decoded *out,
                         const char **why)
{
    int error;
    out->remote = remote_write_decode(&s->samples, body, length, REMOTE_WRITE_BYTES_MAX, &error);
    *why = remote_write_error_text(error);
    if (error != REMOTE_WRITE_OK)
        return error == REMOTE_WRITE_ENOMEM ? -ENOMEM : -EINVAL;
    out->samples = (uint64_t)out->remote->sample_count + out->remote->histogram_count;
    return 0;
}

int stores_decode(struct stores *s, enum frame_kind kind, const void *body, size_t length,
                  struct decoded *out, const char **why)
{
    *out = (struct decoded){0};
    int error = kind == FRAME_REMOTE_WRITE ? decode_remote(s, body, length, out, why)
                                           : decode_batch(s, body, length, out, why);
    if (error == 0 && out->samples > 0 && series_store_wait(s->series) != 0) {
        stores_discard(s, out);
        *why = "the collector is stopping";
        error = -ENOMEM;
    }
    return error;
}

void stores_discard(struct stores *s, struct decoded *d)
{
    if (d->batch.batch)
        store_discard(s->traces, &d->batch);
    *d = (struct decoded){0};
}

void stores_forget(struct stores *s)
{
    if (s->samples.total_bytes > ARENA_KEPT_BYTES) {
        arena_fini(&s->samples);
        arena_init(&s->samples, ARENA_BLOCK_BYTES);
    } else {
        arena_reset(&s->samples);
    }
}

/* ---- indexing ---------------------------------------------------------------------------- */

static bool has(struct journal_position reached, struct journal_position end)
{
    return !journal_is_before(reached, end);
}

static void index_samples(struct stores *s, const struct decoded *d, struct journal_position end)
{
    if (has(series_store_ledger_end(s->series), end))
        return;
    if (series_store_begin(s->series, end) != 0) {
        series_store_miss(s->series, d->samples);
        LOG_ERROR_EVERY("no memory to index %llu samples: they are in the ledger, but not visible",
                        (unsigned long long)d->samples);
        return;
    }
    if (d->remote)
        samples_append_remote(s->series, d->remote);
    else if (d->samples > 0)
        samples_append_batch(s->series, d->batch.batch, &s->samples);
    series_store_commit(s->series);
}

int stores_index(struct stores *s, struct decoded *d, const char *agent,
                 struct journal_position end)
{
    int result = 0;
    index_samples(s, d, end); /* first: the batch is given away by what follows */
    if (d->remote)
        store_pass(s->traces, end);
    else if (has(store_ledger_end(s->traces), end))
        store_discard(s->traces, &d->batch);
    else
        result = store_insert(s->traces, &d->batch, agent, end);
    *d = (struct decoded){0};
    return result;
}

/* ---- how far ----------------------------------------------------------------------------- */

static struct journal_position earlier(struct journal_position a, struct journal_position b)
{
    return journal_is_before(a, b) ? a : b;
}

struct journal_position stores_ledger_end(struct stores *s)
{
    return earlier(store_ledger_end(s->traces), series_store_ledger_end(s->series));
}

struct journal_position stores_ledger_needed(struct stores *s)
{
    return earlier(store_ledger_needed(s->traces), series_store_ledger_end(s->series));
}
