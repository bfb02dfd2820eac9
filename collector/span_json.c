// SPDX-License-Identifier: Apache-2.0
#include "collector/span_json.h"

#include <string.h>

#include "lib/base/number.h"

static void put_value(struct json_writer *w, const struct batch *b, unsigned type, uint64_t value)
{
    json_key(w, "value");
    switch (type) {
    case VALUE_STRING:
        json_put_string(w, b->strings[value].bytes, b->strings[value].length);
        return;
    case VALUE_INT:
        json_put_int(w, (int64_t)value);
        return;
    case VALUE_DOUBLE:
        json_put_double(w, number_of_bits(value));
        return;
    case VALUE_BOOL:
        json_put_bool(w, value != 0);
        return;
    default: /* VALUE_BYTES: batch_decode lets no other through */
        json_put_base64(w, b->strings[value].bytes, b->strings[value].length);
    }
}

void span_json_attributes(struct json_writer *w, const char *key, const struct batch *b,
                          const struct batch_attributes *columns, uint32_t first, uint32_t count)
{
    static const char *const types[VALUE_TYPES] = {"string", "int", "double", "bool", "bytes"};
    json_field_array(w, key);
    for (uint32_t i = first; i < first + count; i++) {
        json_open_object(w);
        span_json_str(w, "key", b->strings[columns->key[i]]);
        json_field_text(w, "type", types[columns->type[i]]);
        put_value(w, b, columns->type[i], columns->value[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_events(struct json_writer *w, const struct batch *b, uint32_t row)
{
    json_field_array(w, "events");
    for (uint32_t i = b->event_first[row]; i < b->event_first[row] + b->event_count[row]; i++) {
        json_open_object(w);
        span_json_str(w, "name", b->strings[b->event_name[i]]);
        json_field_int(w, "offset_ns", (int64_t)(b->event_unix_ns[i] - b->start_unix_ns[row]));
        span_json_attributes(w, "attributes", b, &b->attributes, b->event_attribute_first[i],
                             b->event_attribute_count[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_links(struct json_writer *w, const struct batch *b, uint32_t row)
{
    json_field_array(w, "links");
    for (uint32_t i = b->link_first[row]; i < b->link_first[row] + b->link_count[row]; i++) {
        json_open_object(w);
        json_field_hex128(w, "trace_id", b->link_trace_hi[i], b->link_trace_lo[i]);
        json_field_hex64(w, "span_id", b->link_span_id[i]);
        span_json_attributes(w, "attributes", b, &b->attributes, b->link_attribute_first[i],
                             b->link_attribute_count[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

void span_json_details(struct json_writer *w, const struct batch *b, uint32_t row)
{
    span_json_attributes(w, "attributes", b, &b->attributes, b->attribute_first[row],
                         b->attribute_count[row]);
    put_events(w, b, row);
    put_links(w, b, row);
}

void span_json_parent(struct json_writer *w, uint64_t parent_id)
{
    if (parent_id)
        json_field_hex64(w, "parent_id", parent_id);
    else
        json_field_text(w, "parent_id", "");
}
