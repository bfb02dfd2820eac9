// SPDX-License-Identifier: Apache-2.0
#include "collector/web/api.h"

static void put_value(struct json_writer *w, const struct batch *b, unsigned type, uint64_t value)
{
    double number;
    switch (type) {
    case VALUE_STRING:
        json_field_string(w, "value", b->strings[value].bytes, b->strings[value].length);
        return;
    case VALUE_INT:
        json_field_int(w, "value", (int64_t)value);
        return;
    case VALUE_DOUBLE:
        memcpy(&number, &value, sizeof number);
        json_field_double(w, "value", number);
        return;
    case VALUE_BOOL:
        json_field_bool(w, "value", value != 0);
        return;
    case VALUE_BYTES:
        json_key(w, "value");
        json_put_base64(w, b->strings[value].bytes, b->strings[value].length);
        return;
    default: /* batch_decode lets no other through */
        json_field_text(w, "value", "");
    }
}

static const char *type_name(unsigned type)
{
    static const char *const names[VALUE_TYPES] = {"string", "int", "double", "bool", "bytes"};
    return type < VALUE_TYPES ? names[type] : "?";
}

void api_put_attributes(struct json_writer *w, const struct batch *batch,
                        const struct batch_attributes *columns, uint32_t first, uint32_t count)
{
    json_open_array(w);
    for (uint32_t i = first; i < first + count; i++) {
        json_open_object(w);
        api_field_str(w, "key", batch->strings[columns->key[i]]);
        json_field_text(w, "type", type_name(columns->type[i]));
        put_value(w, batch, columns->type[i], columns->value[i]);
        json_close_object(w);
    }
    json_close_array(w);
}
