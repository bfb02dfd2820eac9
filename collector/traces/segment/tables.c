// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/tables.h"

/* Strings of a part; a hostile count must not cost memory. */
enum { TABLE_STRINGS_MAX = 1 << 22, TABLE_NUMBERS_MAX = 1 << 22 };

/* ---- writing ----------------------------------------------------------------------------- */

/* The u32 at `begin` becomes the length of what follows it. */
static void set_length(struct column *out, size_t begin)
{
    if (out->failed)
        return;
    put_u32(out->bytes + begin, (uint32_t)(out->length - begin - sizeof(uint32_t)));
}

void table_put_numbers(struct encoder *e, const uint64_t *values, size_t count, struct column *out)
{
    size_t begin = out->length;
    column_put_fixed(out, 0, sizeof(uint32_t));
    encoding_put(e, values, count, out);
    set_length(out, begin);
}

void table_put_strings(struct encoder *e, const struct string_table *t, struct column *out)
{
    column_put(out, t->count);
    string_table_put(t, e, out);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* SEGMENT_OK, SEGMENT_ENOMEM or SEGMENT_EDAMAGED for one of enum ENCODING_*. */
static int error_of(int encoding_error)
{
    return encoding_error == ENCODING_OK       ? SEGMENT_OK
           : encoding_error == ENCODING_ENOMEM ? SEGMENT_ENOMEM
                                               : SEGMENT_EDAMAGED;
}

const uint64_t *table_get_numbers(struct table_reader *r, size_t count)
{
    uint64_t length = column_get_fixed(&r->in, sizeof(uint32_t));
    if (!r->error && (r->in.bad || length > column_left(&r->in) || count > TABLE_NUMBERS_MAX))
        r->error = SEGMENT_EDAMAGED;
    uint64_t *values = r->error ? NULL : arena_alloc(r->arena, count * sizeof *values);
    if (!values) {
        r->error = r->error ? r->error : SEGMENT_ENOMEM;
        return NULL;
    }
    r->error = error_of(encoding_get(r->in.next, length, count, 0, count, values));
    r->in.next += length;
    return r->error ? NULL : values;
}

const uint64_t *table_get_below(struct table_reader *r, size_t count, uint64_t limit)
{
    const uint64_t *values = table_get_numbers(r, count);
    for (size_t i = 0; values && i < count; i++) {
        if (values[i] >= limit) {
            r->error = SEGMENT_EDAMAGED;
            return NULL;
        }
    }
    return values;
}

const struct batch_str *table_get_strings(struct table_reader *r, uint32_t *count)
{
    struct batch_str *list;
    uint64_t strings = r->error ? 0 : column_get_below(&r->in, TABLE_STRINGS_MAX);
    if (!r->error && r->in.bad)
        r->error = SEGMENT_EDAMAGED;
    if (r->error)
        return NULL;
    *count = (uint32_t)strings;
    r->error = error_of(strings_get(r->in.next, column_left(&r->in), *count, r->arena, &list));
    r->in.next = r->in.end;
    return r->error ? NULL : list;
}
