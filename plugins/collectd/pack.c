// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/pack.h"

#include <stdlib.h>
#include <string.h>

bool pack_init(struct pack *p)
{
    *p = (struct pack){.builder = batch_builder_create()};
    return p->builder != NULL;
}

void pack_fini(struct pack *p)
{
    batch_builder_destroy(&p->builder);
    free(p->metrics);
    p->metrics = NULL;
}

void pack_begin(struct pack *p)
{
    batch_builder_reset(p->builder);
    p->entries = 0;
    if (p->metrics)
        memset(p->metrics, 0, p->metric_capacity * sizeof *p->metrics);
}

bool pack_is_full(const struct pack *p)
{
    return p->entries >= PACK_ENTRIES_MAX || batch_builder_bytes(p->builder) >= PACK_BYTES;
}

static uint32_t string(struct pack *p, const char *text)
{
    return batch_string(p->builder, text, strlen(text));
}

/* Where the string is the metric's name; NULL: no memory to remember it. */
static uint32_t *place_of(struct pack *p, uint32_t name)
{
    if (name >= p->metric_capacity) {
        uint32_t capacity = 2 * name + 64;
        uint32_t *metrics = realloc(p->metrics, capacity * sizeof *metrics);
        if (!metrics)
            return NULL;
        memset(metrics + p->metric_capacity, 0, (capacity - p->metric_capacity) * sizeof *metrics);
        p->metrics = metrics;
        p->metric_capacity = capacity;
    }
    return &p->metrics[name];
}

static uint32_t metric_of(struct pack *p, const char *metric, bool counts)
{
    uint32_t name = string(p, metric), *place = place_of(p, name);
    if (place && *place)
        return *place - 1;
    uint32_t index = batch_metric(p->builder, name, counts ? METRIC_COUNTER : METRIC_GAUGE, 0, 0);
    if (place)
        *place = index + 1;
    return index;
}

static void add_sample(struct pack *p, const struct entry *e)
{
    uint32_t pairs[2 * NAME_LABELS_MAX], metric = metric_of(p, e->text, e->counts);
    const char *text = e->text;
    for (uint32_t i = 0; i < 2 * e->label_count; i++) {
        text = entry_next_text(text);
        pairs[i] = string(p, text);
    }
    uint32_t series = batch_series(p->builder, metric, BATCH_NONE, pairs, e->label_count);
    batch_sample(p->builder, series, (int64_t)(e->unix_ns / 1000000), SAMPLE_VALUE, e->value);
}

static void add_mark(struct pack *p, const struct entry *e)
{
    const char *text = entry_next_text(e->text), *host = entry_next_text(text);
    batch_mark_add(p->builder, &(struct batch_mark){.kind = BATCH_MARK_NOTIFICATION,
                                                    .severity = e->severity,
                                                    .unix_ns = e->unix_ns,
                                                    .title = string(p, e->text),
                                                    .text = string(p, text),
                                                    .host = string(p, host)});
}

void pack_add(struct pack *p, const struct entry *e)
{
    if (e->kind == ENTRY_SAMPLE)
        add_sample(p, e);
    else
        add_mark(p, e);
    p->entries++;
}

void pack_add_dropped(struct pack *p, const char *host, uint64_t unix_ns, uint64_t dropped)
{
    uint32_t metric = metric_of(p, "weft_collectd_dropped_total", true);
    const uint32_t pairs[] = {string(p, "host"), string(p, host)};
    uint32_t series = batch_series(p->builder, metric, BATCH_NONE, pairs, 1);
    batch_sample(p->builder, series, (int64_t)(unix_ns / 1000000), SAMPLE_VALUE, (double)dropped);
}

int pack_end(struct pack *p, struct buffer *out)
{
    return batch_encode(p->builder, out);
}
