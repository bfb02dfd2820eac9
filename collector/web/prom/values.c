// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/web/prom/prom.h"
#include "lib/base/number.h"

void prom_number(double value, char out[32])
{
    if (!isfinite(value)) {
        strcpy(out, isnan(value) ? "NaN" : value < 0 ? "-Inf" : "+Inf");
        return;
    }
    if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
        snprintf(out, 32, signbit(value) && value == 0 ? "-0" : "%lld", (long long)value);
        return;
    }
    number_text(value, out);
}

void prom_put_labels(struct json_writer *w, const struct labels *l)
{
    char key[LABEL_NAME_BYTES_MAX + 1];
    json_open_object(w);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct label *label = &l->items[i];
        size_t length = label->name.length < sizeof key ? label->name.length : sizeof key - 1;
        memcpy(key, label->name.bytes, length);
        key[length] = '\0';
        json_field_string(w, key, label->value.bytes, label->value.length);
    }
    json_close_object(w);
}

void prom_put_time(struct json_writer *w, int64_t unix_ms)
{
    if (unix_ms % 1000 == 0)
        json_put_int(w, unix_ms / 1000);
    else
        json_put_double(w, (double)unix_ms / 1000);
}

void prom_put_sample(struct json_writer *w, int64_t unix_ms, double value)
{
    char text[32];
    prom_number(value, text);
    json_open_array(w);
    prom_put_time(w, unix_ms);
    json_put_text(w, text);
    json_close_array(w);
}

static void put_number(struct json_writer *w, double value)
{
    char text[32];
    prom_number(value, text);
    json_put_text(w, text);
}

/* Which bounds belong to the bucket: 0 the upper one, 1 the lower one, 3 both. */
static int bounds_of(const struct histogram_bucket *b, bool custom)
{
    if (b->zero || (custom && isinf(b->lower)))
        return 3;
    return !custom && b->lower < 0 && b->upper <= 0 ? 1 : 0;
}

static void put_bucket(struct json_writer *w, const struct histogram_bucket *b, bool custom)
{
    json_open_array(w);
    json_put_int(w, bounds_of(b, custom));
    put_number(w, b->lower);
    put_number(w, b->upper);
    put_number(w, b->count);
    json_close_array(w);
}

int prom_put_histogram(struct json_writer *w, int64_t unix_ms, const struct histogram *h)
{
    char text[32];
    struct histogram_bucket *list = malloc((histogram_list_most(h) + 1) * sizeof *list);
    if (!list)
        return -1;
    size_t count = histogram_list(h, list);
    json_open_array(w);
    prom_put_time(w, unix_ms);
    json_open_object(w);
    prom_number(h->count, text);
    json_field_text(w, "count", text);
    prom_number(h->sum, text);
    json_field_text(w, "sum", text);
    if (count > 0) {
        json_field_array(w, "buckets");
        for (size_t i = 0; i < count; i++)
            put_bucket(w, &list[i], histogram_is_custom(h));
        json_close_array(w);
    }
    json_close_object(w);
    json_close_array(w);
    free(list);
    return 0;
}
