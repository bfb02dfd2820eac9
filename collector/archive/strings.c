// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/strings.h"

#include <stdlib.h>

static int by_text(const void *left, const void *right)
{
    return batch_str_compare(*(const struct batch_str *)left, *(const struct batch_str *)right);
}

static void add_names(const struct labels *labels, struct series_strings *out)
{
    for (uint32_t i = 0; i < labels->count; i++)
        out->items[out->count++] = labels->items[i].name;
}

static void keep_distinct(struct series_strings *s)
{
    size_t kept = 0;
    if (s->count > 1)
        qsort(s->items, s->count, sizeof *s->items, by_text);
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || !batch_str_equal(s->items[kept - 1], s->items[i]))
            s->items[kept++] = s->items[i];
    s->count = kept;
}

int archive_strings(const struct merged_source *m, struct batch_str name,
                    const struct matcher *matchers, size_t count, int64_t from_ms, int64_t to_ms,
                    struct series_strings *out)
{
    struct archive_entry **entries;
    size_t found, room = 1;
    int64_t oldest_ms = merged_source_oldest_ms(m);
    *out = (struct series_strings){0};
    if (archive_entries_select(m->entries, matchers, count, from_ms, to_ms, from_ms < oldest_ms,
                               &entries, &found) != 0)
        return SERIES_ENOMEM;
    for (size_t i = 0; i < found; i++)
        room += name.length ? 1 : entries[i]->labels.count;
    out->items = calloc(room, sizeof *out->items);
    for (size_t i = 0; out->items && i < found; i++) {
        struct batch_str value =
            name.length ? labels_get(&entries[i]->labels, name) : (struct batch_str){"", 0};
        if (value.length)
            out->items[out->count++] = value;
        else if (!name.length)
            add_names(&entries[i]->labels, out);
    }
    free((void *)entries);
    if (!out->items)
        return SERIES_ENOMEM;
    keep_distinct(out);
    return SERIES_OK;
}
