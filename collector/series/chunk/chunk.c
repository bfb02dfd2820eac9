// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/chunk.h"

#include <stdlib.h>
#include <xxhash.h>

#include "collector/series/chunk/histogram_columns.h"
#include "collector/series/chunk/numbers.h"
#include "collector/series/chunk/values.h"
#include "collector/series/points.h"

enum chunk_kind { CHUNK_FLOATS = 1, CHUNK_HISTOGRAMS = 2 };
enum { CHECKSUM_BYTES = 4 };

static struct histogram *histogram_of(const struct points *p, size_t i)
{
    return p->histogram ? p->histogram[i] : NULL;
}

/* How many samples from `first` on are floats. */
static size_t floats_run(const struct points *p, size_t first, size_t most)
{
    size_t count = 0;
    while (count < most && !histogram_of(p, first + count))
        count++;
    return count;
}

/* A stale marker goes with the histograms that it follows. */
static bool begins_with_histogram(const struct points *p, size_t first)
{
    return histogram_of(p, first) != NULL;
}

size_t chunk_put(const struct points *p, size_t first, struct column *out)
{
    size_t begin = out->length, count = p->count - first;
    count = count < CHUNK_SAMPLES_MAX ? count : CHUNK_SAMPLES_MAX;
    bool histograms = begins_with_histogram(p, first);
    count = histograms ? histogram_columns_run(p, first, count) : floats_run(p, first, count);
    column_put_fixed(out, histograms ? CHUNK_HISTOGRAMS : CHUNK_FLOATS, 1);
    column_put(out, count);
    chunk_numbers_put(p->unix_ms + first, count, out);
    if (!histograms)
        chunk_values_put(p->value + first, count, out);
    else if (histogram_columns_put(p, first, count, out) != 0)
        out->failed = true;
    if (!out->failed)
        column_put_fixed(out, XXH3_64bits(out->bytes + begin, out->length - begin) & UINT32_MAX,
                         CHECKSUM_BYTES);
    return count;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int get_floats(struct column_reader *in, size_t count, const int64_t *times, int64_t from_ms,
                      int64_t to_ms, struct points *out)
{
    double values[CHUNK_SAMPLES_MAX];
    size_t first = 0, end = count;
    chunk_values_get(in, count, values);
    if (in->bad)
        return CHUNK_EDAMAGED;
    while (first < end && times[first] < from_ms)
        first++;
    while (end > first && times[end - 1] > to_ms)
        end--;
    size_t taken = end - first;
    if (points_reserve(out, taken) != 0)
        return CHUNK_ENOMEM;
    memcpy(out->unix_ms + out->count, times + first, taken * sizeof *times);
    memcpy(out->value + out->count, values + first, taken * sizeof *values);
    if (out->histogram)
        memset((void *)(out->histogram + out->count), 0, taken * sizeof(struct histogram *));
    out->count += taken;
    return CHUNK_OK;
}

static bool rises(const int64_t *times, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (times[i] <= times[i - 1])
            return false;
    return true;
}

bool chunk_is_whole(const uint8_t *bytes, size_t length)
{
    if (length < CHECKSUM_BYTES)
        return false;
    struct column_reader in = {bytes + length - CHECKSUM_BYTES, bytes + length, false};
    uint64_t checksum = column_get_fixed(&in, CHECKSUM_BYTES);
    return checksum == (XXH3_64bits(bytes, length - CHECKSUM_BYTES) & UINT32_MAX);
}

int chunk_get(const uint8_t *bytes, size_t length, int64_t from_ms, int64_t to_ms,
              struct points *out)
{
    int64_t times[CHUNK_SAMPLES_MAX];
    if (!chunk_is_whole(bytes, length))
        return CHUNK_EDAMAGED;
    struct column_reader in = {bytes, bytes + length - CHECKSUM_BYTES, false};
    unsigned kind = (unsigned)column_get_fixed(&in, 1);
    size_t count = column_get_below(&in, CHUNK_SAMPLES_MAX + 1);
    if (in.bad || count == 0)
        return CHUNK_EDAMAGED;
    chunk_numbers_get(&in, count, times);
    if (in.bad || !rises(times, count))
        return CHUNK_EDAMAGED;
    int error = CHUNK_EDAMAGED;
    if (kind == CHUNK_FLOATS)
        error = get_floats(&in, count, times, from_ms, to_ms, out);
    else if (kind == CHUNK_HISTOGRAMS)
        error = histogram_columns_get(&in, count, times, from_ms, to_ms, out);
    return error == CHUNK_OK && (in.bad || in.next != in.end) ? CHUNK_EDAMAGED : error;
}
