// SPDX-License-Identifier: Apache-2.0
/* The instrument table: copied as it grows, cut into records, each judged once. A record that is
 * none ends the table for good, as nobody knows where the next one begins. */
#include <math.h>
#include <stdlib.h>

#include "lib/ring/slab_stats_internal.h"

enum { TEXTS_MAX = 1 + 2 * SLAB_LABELS_MAX, GROWTH = 64 };

/* Its texts; how many, or -1. */
static int read_texts(const char *record, const struct slab_instrument_head *head,
                      struct slab_text texts[TEXTS_MAX])
{
    const char *at = record + sizeof *head, *end = record + head->bytes;
    if (head->text_count > TEXTS_MAX)
        return -1;
    for (int i = 0; i < head->text_count; i++) {
        uint16_t length;
        if ((size_t)(end - at) < sizeof length)
            return -1;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        if (length > SLAB_STAT_TEXT_MAX || length > end - at)
            return -1;
        texts[i] = (struct slab_text){at, length};
        at += length;
    }
    return head->text_count;
}

static int compare(struct slab_text a, struct slab_text b)
{
    uint32_t length = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.bytes, b.bytes, length);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static bool are_labels(const struct slab_text *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct slab_text *label = texts + 2 * (size_t)i;
        if (label[0].length == 0 || label[1].length == 0 ||
            (i > 0 && compare(label[-2], label[0]) >= 0))
            return false;
    }
    return true;
}

/* ---- descriptions ------------------------------------------------------------------------ */

static void describe_with(struct slab_instrument *i, const struct slab_description *d)
{
    if (i->unit.length == 0 && i->help.length == 0 && compare(i->name, d->name) == 0) {
        i->unit = d->unit;
        i->help = d->help;
    }
}

/* -1: no memory. One too many is passed over: it is help for people. */
static int add_description(struct slab_stats_view *s, const struct slab_text *texts)
{
    if (!s->descriptions &&
        !(s->descriptions = calloc(SLAB_DESCRIPTIONS_MAX, sizeof *s->descriptions)))
        return -1;
    if (s->description_count == SLAB_DESCRIPTIONS_MAX)
        return 0;
    struct slab_description *d = &s->descriptions[s->description_count++];
    *d = (struct slab_description){texts[0], texts[1], texts[2]};
    for (uint32_t i = 0; i < s->instrument_count; i++)
        describe_with(s->instruments[i].is, d);
    return 0;
}

/* ---- instruments ------------------------------------------------------------------------- */

static bool grow(struct slab_stats_view *s)
{
    if (s->instrument_count < s->instrument_capacity)
        return true;
    uint32_t capacity = s->instrument_capacity ? s->instrument_capacity * 2 : GROWTH;
    struct instrument_entry *bigger = realloc(s->instruments, capacity * sizeof *bigger);
    if (!bigger)
        return false;
    s->instruments = bigger;
    s->instrument_capacity = capacity;
    return true;
}

static int add_instrument(struct slab_stats_view *s, uint8_t type, const struct slab_text *texts,
                          uint32_t label_count)
{
    struct slab_label *labels;
    struct slab_instrument *is = malloc(sizeof *is + label_count * sizeof *labels);
    if (!is || !grow(s)) {
        free(is);
        return -1;
    }
    labels = (struct slab_label *)(is + 1);
    for (uint32_t i = 0; i < label_count; i++)
        labels[i] = (struct slab_label){texts[1 + 2 * i], texts[2 + 2 * i]};
    *is = (struct slab_instrument){.number = s->instrument_count,
                                   .type = type <= SLAB_HISTOGRAM ? (enum metric_type)type
                                                                  : METRIC_UNKNOWN,
                                   .name = texts[0],
                                   .label_count = label_count,
                                   .labels = labels};
    for (uint32_t i = 0; i < s->description_count; i++)
        describe_with(is, &s->descriptions[i]);
    struct instrument_entry *entry = &s->instruments[s->instrument_count++];
    *entry = (struct instrument_entry){.is = is, .found = {.least = INFINITY, .most = -INFINITY}};
    exphist_init(&entry->found.histogram, 0);
    return 0;
}

/* ---- the table --------------------------------------------------------------------------- */

/* One record, of which `left` bytes are there. */
static enum slab_error read_record(struct slab_stats_view *s, const char *record, uint64_t left,
                                   uint32_t *bytes)
{
    struct slab_instrument_head head;
    struct slab_text texts[TEXTS_MAX];
    if (left < sizeof head)
        return SLAB_ERECORD;
    memcpy(&head, record, sizeof head);
    if (head.bytes < sizeof head || head.bytes > left || head.bytes % 8)
        return SLAB_ERECORD;
    *bytes = head.bytes;
    int count = read_texts(record, &head, texts);
    if (count < 1 || texts[0].length == 0)
        return SLAB_ERECORD;
    int failed;
    if (head.type == SLAB_DESCRIPTION) {
        if (count < 3)
            return SLAB_ERECORD;
        failed = add_description(s, texts);
    } else {
        uint32_t labels = (uint32_t)(count - 1) / 2;
        if (count % 2 == 0 || !are_labels(texts + 1, labels) ||
            s->instrument_count == SLAB_INSTRUMENTS_MAX)
            return SLAB_ERECORD;
        failed = add_instrument(s, head.type, texts, labels);
    }
    return failed ? SLAB_ESYSTEM : SLAB_OK;
}

static enum slab_error copy_table(struct slab_reader *r)
{
    struct slab_stats_view *s = r->stats;
    uint64_t used, at = s->table_copied;
    /* pairs with the release in append() of client/instruments.c */
    if (!load64(s->shared + offsetof(struct slab_stats, instruments_used), &used))
        return SLAB_ESHRUNK;
    if (used % 8 || used > s->header.instruments_bytes || used < at)
        return SLAB_ERECORD;
    if (used == at)
        return SLAB_OK;
    if (!s->table && !(s->table = malloc(s->header.instruments_bytes)))
        return SLAB_ESYSTEM;
    if (!copy_out(s->table + at, r->fixed + s->header.instruments_offset + at, used - at))
        return SLAB_ESHRUNK;
    s->table_copied = used;
    return SLAB_OK;
}

enum slab_error slab_instruments_refresh(struct slab_reader *r)
{
    struct slab_stats_view *s = r->stats;
    if (s->table_is_damaged)
        return SLAB_OK;
    enum slab_error error = copy_table(r);
    while (error == SLAB_OK && s->table_read < s->table_copied) {
        uint32_t bytes;
        error = read_record(s, s->table + s->table_read, s->table_copied - s->table_read, &bytes);
        if (error == SLAB_OK)
            s->table_read += bytes;
    }
    s->table_is_damaged = error == SLAB_ERECORD;
    return error;
}

struct instrument_entry *slab_instrument_entry(struct slab_stats_view *s, uint32_t number)
{
    return number < s->instrument_count ? &s->instruments[number] : NULL;
}

void slab_instruments_free(struct slab_stats_view *s)
{
    for (uint32_t i = 0; i < s->instrument_count; i++) {
        exphist_fini(&s->instruments[i].found.histogram);
        free(s->instruments[i].is);
    }
    free(s->instruments);
    free(s->descriptions);
    free(s->table);
}

uint32_t slab_instruments(const struct slab_reader *r)
{
    return r->stats ? r->stats->instrument_count : 0;
}

const struct slab_instrument *slab_instrument(const struct slab_reader *r, uint32_t number)
{
    return r->stats && number < r->stats->instrument_count ? r->stats->instruments[number].is
                                                           : NULL;
}
