// SPDX-License-Identifier: Apache-2.0
#include "collector/losses.h"

#include <pthread.h>
#include <stdlib.h>

/* Rows are few (reasons that happen times services that lose): they are kept sorted and found
 * by bisection. */
struct losses {
    pthread_mutex_t lock;
    struct loss_row *rows;
    size_t count, capacity;
    struct loss_row rest[LOSS_REASONS]; /* what had no room */
};

struct losses *losses_create(void)
{
    struct losses *l = calloc(1, sizeof *l);
    if (l)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

void losses_destroy(struct losses **place)
{
    struct losses *l = *place;
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l->rows);
    free(l);
    *place = NULL;
}

static int compare(const struct loss_row *a, const struct loss_row *b)
{
    if (a->reason != b->reason)
        return a->reason < b->reason ? -1 : 1;
    int order = strcmp(a->agent, b->agent);
    return order ? order : strcmp(a->service, b->service);
}

/* Where the key is, or where it belongs. */
static size_t place_of(const struct losses *l, const struct loss_row *key, bool *found)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&l->rows[middle], key);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

static void sum(struct loss_row *row, const struct loss_row *more)
{
    if (row->count == 0 || more->first_unix_ns < row->first_unix_ns)
        row->first_unix_ns = more->first_unix_ns;
    if (more->last_unix_ns > row->last_unix_ns)
        row->last_unix_ns = more->last_unix_ns;
    if (__builtin_add_overflow(row->count, more->count, &row->count))
        row->count = UINT64_MAX;
}

static bool grow(struct losses *l)
{
    if (l->count == LOSSES_ROWS_MAX)
        return false;
    if (l->count < l->capacity)
        return true;
    size_t more = l->capacity ? l->capacity * 2 : 32;
    struct loss_row *bigger = realloc(l->rows, more * sizeof *bigger);
    if (!bigger)
        return false;
    l->rows = bigger;
    l->capacity = more;
    return true;
}

static bool put(struct losses *l, const struct loss_row *row)
{
    bool found;
    size_t at = place_of(l, row, &found);
    if (!found) {
        if (!grow(l))
            return false;
        memmove(&l->rows[at + 1], &l->rows[at], (l->count - at) * sizeof *l->rows);
        l->rows[at] = *row;
        l->rows[at].count = 0;
        l->count++;
    }
    sum(&l->rows[at], row);
    return true;
}

static void put_or_fold(struct losses *l, struct loss_row row)
{
    if (put(l, &row))
        return;
    memset(row.service, 0, sizeof row.service);
    if (put(l, &row))
        return;
    memset(row.agent, 0, sizeof row.agent);
    if (!put(l, &row)) {
        unsigned reason = row.reason < LOSS_REASONS ? row.reason : 0;
        l->rest[reason].reason = row.reason;
        sum(&l->rest[reason], &row);
    }
}

void losses_add(struct losses *l, unsigned reason, const char *agent, const void *service,
                size_t service_length, uint64_t count, uint64_t from_unix_ns, uint64_t to_unix_ns)
{
    if (count == 0)
        return;
    struct loss_row row = {
        .reason = reason,
        .count = count,
        .first_unix_ns = from_unix_ns,
        .last_unix_ns = to_unix_ns,
    };
    if (agent)
        strncpy(row.agent, agent, LINK_AGENT_ID_MAX);
    if (service_length > LOSS_SERVICE_MAX)
        service_length = LOSS_SERVICE_MAX;
    if (service_length > 0)
        memcpy(row.service, service, service_length);
    pthread_mutex_lock(&l->lock);
    put_or_fold(l, row);
    pthread_mutex_unlock(&l->lock);
}

uint64_t losses_total(struct losses *l, unsigned reason)
{
    pthread_mutex_lock(&l->lock);
    uint64_t total = reason < LOSS_REASONS ? l->rest[reason].count : 0;
    for (size_t i = 0; i < l->count; i++)
        total += l->rows[i].reason == reason ? l->rows[i].count : 0;
    pthread_mutex_unlock(&l->lock);
    return total;
}

struct loss_row *losses_copy(struct losses *l, size_t *count)
{
    pthread_mutex_lock(&l->lock);
    *count = 0;
    struct loss_row *rows = malloc((l->count + LOSS_REASONS) * sizeof *rows);
    if (rows && l->count)
        memcpy(rows, l->rows, l->count * sizeof *rows);
    if (rows)
        *count = l->count;
    for (unsigned i = 0; rows && i < LOSS_REASONS; i++) {
        if (l->rest[i].count)
            rows[(*count)++] = l->rest[i];
    }
    pthread_mutex_unlock(&l->lock);
    return rows;
}

void losses_write(struct losses *l, struct buffer *out)
{
    size_t count;
    struct loss_row *rows = losses_copy(l, &count);
    if (!rows)
        out->failed = true;
    bytes_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const struct loss_row *row = &rows[i];
        size_t agent = strlen(row->agent), service = strlen(row->service);
        bytes_put_u32(out, row->reason);
        bytes_put_u16(out, (uint16_t)agent);
        bytes_put_u16(out, (uint16_t)service);
        bytes_put_u64(out, row->count);
        bytes_put_u64(out, row->first_unix_ns);
        bytes_put_u64(out, row->last_unix_ns);
        buffer_append(out, row->agent, agent);
        buffer_append(out, row->service, service);
    }
    free(rows);
}

static int read_row(struct bytes_reader *in, struct loss_row *row)
{
    *row = (struct loss_row){.reason = bytes_get_u32(in)};
    uint16_t agent = bytes_get_u16(in), service = bytes_get_u16(in);
    row->count = bytes_get_u64(in);
    row->first_unix_ns = bytes_get_u64(in);
    row->last_unix_ns = bytes_get_u64(in);
    const void *agent_bytes = bytes_take(in, agent), *service_bytes = bytes_take(in, service);
    if (in->failed || agent > LINK_AGENT_ID_MAX || service > LOSS_SERVICE_MAX)
        return -1;
    memcpy(row->agent, agent_bytes, agent);
    memcpy(row->service, service_bytes, service);
    return 0;
}

int losses_read(struct losses *l, struct bytes_reader *in)
{
    pthread_mutex_lock(&l->lock);
    l->count = 0;
    memset(l->rest, 0, sizeof l->rest);
    uint32_t count = bytes_get_u32(in);
    int result = in->failed ? -1 : 0;
    for (uint32_t i = 0; i < count && result == 0; i++) {
        struct loss_row row;
        result = read_row(in, &row);
        if (result == 0)
            put_or_fold(l, row);
    }
    if (result != 0)
        l->count = 0;
    pthread_mutex_unlock(&l->lock);
    return result;
}
