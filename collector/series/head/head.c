// SPDX-License-Identifier: Apache-2.0
#include "collector/series/head/head.h"

#include <malloc.h>

int head_init(struct head *h)
{
    *h = (struct head){.free = HEAD_NO_SERIES};
    h->pages = calloc(HEAD_PAGES, sizeof(struct head_series *));
    if (h->pages && label_index_init(&h->labels) == 0)
        return 0;
    free((void *)h->pages);
    h->pages = NULL;
    return -1;
}

static void free_histogram(struct head *h, struct head_series *series)
{
    if (!series->histogram)
        return;
    h->histogram_bytes -= running_histogram_bytes(series->histogram);
    running_histogram_fini(series->histogram);
    free(series->histogram);
    series->histogram = NULL;
}

void head_fini(struct head *h)
{
    if (!h->pages)
        return;
    for (uint32_t i = 0; i < h->numbers; i++) {
        free_histogram(h, head_series(h, i));
        free(head_series(h, i)->pairs);
    }
    for (uint32_t i = 0; i * HEAD_PAGE < h->numbers; i++)
        free(h->pages[i]);
    free((void *)h->pages);
    slots_fini(&h->by_key);
    label_index_fini(&h->labels);
    h->pages = NULL;
}

uint64_t head_bytes(const struct head *h)
{
    uint64_t pages = ((uint64_t)h->numbers + HEAD_PAGE - 1) / HEAD_PAGE;
    return label_index_bytes(&h->labels) + slots_bytes(&h->by_key) + h->pair_bytes +
           h->histogram_bytes + pages * HEAD_PAGE * sizeof(struct head_series);
}

uint32_t head_find(const struct head *h, struct series_key key)
{
    uint32_t at = slots_start(&h->by_key, key.lanes[0]), i;
    while ((i = slots_next(&h->by_key, key.lanes[0], &at)) != SLOTS_NONE)
        if (series_key_equal(head_series(h, i)->key, key))
            return i;
    return HEAD_NO_SERIES;
}

static uint32_t take_number(struct head *h)
{
    uint32_t number = h->free;
    if (number != HEAD_NO_SERIES) {
        h->free = head_series(h, number)->next_free;
        return number;
    }
    if (h->numbers % HEAD_PAGE == 0) {
        if (h->numbers / HEAD_PAGE == HEAD_PAGES)
            return HEAD_NO_SERIES;
        struct head_series *page = calloc(HEAD_PAGE, sizeof *page);
        if (!page)
            return HEAD_NO_SERIES;
        h->pages[h->numbers / HEAD_PAGE] = page;
    }
    return h->numbers++;
}

/* The first `count` labels do not have the series any more. */
static void unlink_labels(struct head *h, uint32_t number, const uint32_t *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        posting_remove(&label_pair(&h->labels, pairs[i])->series, number);
        label_index_drop(&h->labels, pairs[i]);
    }
}

static int link_labels(struct head *h, uint32_t number, const struct labels *labels,
                       uint32_t *pairs)
{
    for (uint32_t i = 0; i < labels->count; i++) {
        pairs[i] = label_index_intern(&h->labels, labels->items[i].name, labels->items[i].value);
        if (pairs[i] != LABEL_NONE &&
            posting_add(&label_pair(&h->labels, pairs[i])->series, number) == 0)
            continue;
        if (pairs[i] != LABEL_NONE)
            label_index_drop(&h->labels, pairs[i]);
        unlink_labels(h, number, pairs, i);
        return -1;
    }
    return 0;
}

static void give_number(struct head *h, uint32_t number)
{
    struct head_series *series = head_series(h, number);
    *series = (struct head_series){.version = series->version, .next_free = h->free};
    h->free = number;
}

uint32_t head_add(struct head *h, const struct labels *labels, struct series_key key)
{
    uint32_t *pairs = malloc(labels->count * sizeof *pairs);
    uint32_t number = pairs && slots_reserve(&h->by_key) == 0 ? take_number(h) : HEAD_NO_SERIES;
    if (number == HEAD_NO_SERIES || link_labels(h, number, labels, pairs) != 0) {
        if (number != HEAD_NO_SERIES)
            give_number(h, number);
        free(pairs);
        return HEAD_NO_SERIES;
    }
    struct head_series *series = head_series(h, number);
    *series = (struct head_series){
        .key = key,
        .version = series->version + 1,
        .pair_count = (uint16_t)labels->count,
        .is_used = true,
        .pairs = pairs,
        .last_ms = INT64_MIN,
    };
    h->pair_bytes += malloc_usable_size(pairs) + sizeof(size_t);
    slots_insert(&h->by_key, key.lanes[0], number);
    return number;
}

void head_drop(struct head *h, uint32_t number)
{
    struct head_series *series = head_series(h, number);
    slots_remove(&h->by_key, series->key.lanes[0], number);
    unlink_labels(h, number, series->pairs, series->pair_count);
    h->pair_bytes -= malloc_usable_size(series->pairs) + sizeof(size_t);
    free(series->pairs);
    free_histogram(h, series);
    give_number(h, number);
}

void head_labels(const struct head *h, const struct head_series *series, struct label *out,
                 struct labels *labels)
{
    for (uint32_t i = 0; i < series->pair_count; i++) {
        const struct label_pair *pair = label_pair(&h->labels, series->pairs[i]);
        out[i] = (struct label){pair->name->text, pair->value};
    }
    *labels = (struct labels){out, series->pair_count};
}
