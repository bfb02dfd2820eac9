// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/losses.h"

#include <string.h>

bool loss_list_init(struct loss_list *l)
{
    *l = (struct loss_list){0};
    return string_table_init(&l->strings);
}

void loss_list_fini(struct loss_list *l)
{
    for (int i = 0; i < LOSS_COLUMNS; i++)
        numbers_fini(&l->columns[i]);
    if (l->strings.list)
        string_table_fini(&l->strings);
}

static bool add_loss(struct loss_list *l, const struct segment_loss *loss)
{
    const uint64_t values[LOSS_COLUMNS] = {
        [LOSS_AGENT] = string_table_add(&l->strings, loss->agent),
        [LOSS_SERVICE] = string_table_add(&l->strings, loss->service),
        [LOSS_PROCESS_HI] = get_u64(loss->process),
        [LOSS_PROCESS_LO] = get_u64(loss->process + 8),
        [LOSS_REASON] = loss->reason,
        [LOSS_COUNT] = loss->count,
        [LOSS_FROM] = loss->from_unix_ns,
        [LOSS_TO] = loss->to_unix_ns,
    };
    for (int i = 0; i < LOSS_COLUMNS; i++) {
        if (!numbers_reserve(&l->columns[i], 1))
            return false;
    }
    if (l->strings.failed)
        return false;
    for (int i = 0; i < LOSS_COLUMNS; i++)
        numbers_add(&l->columns[i], values[i]);
    return true;
}

/* The sum that a loss beyond the bound goes into; SIZE_MAX: a new one is needed. */
static size_t find_sum(const struct loss_list *l, uint32_t reason)
{
    size_t count = loss_list_count(l);
    for (size_t i = SEGMENT_LOSSES_MAX; i < count; i++) {
        if (l->columns[LOSS_REASON].values[i] == reason)
            return i;
    }
    return count == SEGMENT_LOSSES_MAX + SEGMENT_LOSS_SUMS_MAX ? count - 1 : SIZE_MAX;
}

static void add_to_sum(struct loss_list *l, size_t i, const struct segment_loss *loss)
{
    uint64_t *count = &l->columns[LOSS_COUNT].values[i];
    uint64_t *from = &l->columns[LOSS_FROM].values[i], *to = &l->columns[LOSS_TO].values[i];
    if (__builtin_add_overflow(*count, loss->count, count))
        *count = UINT64_MAX;
    *from = loss->from_unix_ns < *from ? loss->from_unix_ns : *from;
    *to = loss->to_unix_ns > *to ? loss->to_unix_ns : *to;
}

bool loss_list_add(struct loss_list *l, const struct segment_loss *told)
{
    struct segment_loss sum = {.reason = told->reason,
                               .count = told->count,
                               .from_unix_ns = told->from_unix_ns,
                               .to_unix_ns = told->to_unix_ns};
    if (loss_list_count(l) < SEGMENT_LOSSES_MAX)
        return add_loss(l, told);
    size_t place = find_sum(l, told->reason);
    if (place == SIZE_MAX)
        return add_loss(l, &sum);
    add_to_sum(l, place, told);
    return true;
}

void loss_list_put(const struct loss_list *l, size_t first, size_t count, struct encoder *e,
                   struct column *out)
{
    struct string_table own = {0};
    uint64_t *strings = malloc((2 * count + 1) * sizeof *strings);
    bool ready = string_table_init(&own) && strings;
    for (size_t i = 0; ready && i < 2 * count; i++) {
        const struct numbers *from = &l->columns[i < count ? LOSS_AGENT : LOSS_SERVICE];
        strings[i] = string_table_add(&own, l->strings.list[from->values[first + i % count]]);
    }
    if (!ready || own.failed || !string_table_sort(&own)) {
        out->failed = true;
    } else {
        for (size_t i = 0; i < 2 * count; i++)
            strings[i] = own.rank[strings[i]];
        table_put_numbers(e, strings, count, out);
        table_put_numbers(e, strings + count, count, out);
        for (int i = LOSS_PROCESS_HI; i < LOSS_COLUMNS; i++)
            table_put_numbers(e, l->columns[i].values + first, count, out);
        table_put_strings(e, &own, out);
    }
    free(strings);
    string_table_fini(&own);
}

int losses_get(struct table_reader *r, uint32_t count, struct segment_loss *list)
{
    const uint64_t *column[LOSS_COLUMNS];
    uint32_t string_count = 0;
    for (int i = 0; i < LOSS_COLUMNS; i++)
        column[i] = table_get_numbers(r, count);
    const struct batch_str *strings = table_get_strings(r, &string_count);
    if (!strings)
        return r->error;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t agent = column[LOSS_AGENT][i], service = column[LOSS_SERVICE][i];
        if (agent >= string_count || service >= string_count || column[LOSS_REASON][i] > UINT32_MAX)
            return r->error = SEGMENT_EDAMAGED;
        struct segment_loss *loss = &list[i];
        *loss = (struct segment_loss){
            .agent = strings[agent],
            .service = strings[service],
            .reason = (uint32_t)column[LOSS_REASON][i],
            .count = column[LOSS_COUNT][i],
            .from_unix_ns = column[LOSS_FROM][i],
            .to_unix_ns = column[LOSS_TO][i],
        };
        put_u64(loss->process, column[LOSS_PROCESS_HI][i]);
        put_u64(loss->process + 8, column[LOSS_PROCESS_LO][i]);
    }
    return SEGMENT_OK;
}
