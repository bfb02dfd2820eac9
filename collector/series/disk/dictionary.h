// SPDX-License-Identifier: Apache-2.0
/* The labels of a block that is being written, and which series have each. Series are added by
 * rising numbers; afterwards names and values are sorted and numbered. One thread; part of
 * writer.c. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_DICTIONARY_H
#define WEFT_COLLECTOR_SERIES_DISK_DICTIONARY_H

#include "lib/codec/batch_str.h"
#include "lib/codec/column.h"

struct dictionary;

#define DICTIONARY_NONE UINT32_MAX

struct dictionary *dictionary_create(void); /* NULL: no memory */
void dictionary_destroy(struct dictionary **d);

/* The series has this label. The pair; DICTIONARY_NONE: no memory. Texts are copied. */
uint32_t dictionary_add(struct dictionary *d, struct batch_str name, struct batch_str value,
                        uint32_t series);

/* Nothing is added any more. -1: no memory. From now on what follows may be asked. */
int dictionary_finish(struct dictionary *d);
/* Name's and value's number of a pair. */
void dictionary_numbers(const struct dictionary *d, uint32_t pair, uint32_t numbers[2]);
uint32_t dictionary_names(const struct dictionary *d);
struct batch_str dictionary_name(const struct dictionary *d, uint32_t name);
uint32_t dictionary_values(const struct dictionary *d, uint32_t name);
struct batch_str dictionary_value(const struct dictionary *d, uint32_t name, uint32_t value);
/* Runs of numbers, as a page of values has them. */
struct column_reader dictionary_series(const struct dictionary *d, uint32_t name, uint32_t value);

#endif
