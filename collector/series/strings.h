// SPDX-License-Identifier: Apache-2.0
/* Collects distinct strings, for lists of names and values. One thread. */
#ifndef WEFT_COLLECTOR_SERIES_STRINGS_H
#define WEFT_COLLECTOR_SERIES_STRINGS_H

#include "collector/series/head/slots.h"
#include "collector/series/store.h"

struct string_set {
    struct arena arena;
    struct slots slots;
    struct batch_str *list;
    uint32_t count, capacity;
    bool failed; /* memory was out */
};

void string_set_init(struct string_set *s);
void string_set_fini(struct string_set *s);
bool string_set_has(const struct string_set *s, struct batch_str text);
/* Copied. */
void string_set_add(struct string_set *s, struct batch_str text);
/* Sorted, in one piece of malloc'ed memory. SERIES_OK or SERIES_ENOMEM. */
int string_set_list(struct string_set *s, struct series_strings *out);

#endif
