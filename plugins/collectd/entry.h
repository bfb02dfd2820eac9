// SPDX-License-Identifier: Apache-2.0
/* What waits for the agent: a sample, or a mark; one piece of memory each, some 200 bytes.
 *
 * An entry belongs to who has it; making one needs no lock. */
#ifndef WEFT_PLUGINS_COLLECTD_ENTRY_H
#define WEFT_PLUGINS_COLLECTD_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/codec/batch_marks.h"
#include "plugins/collectd/names.h"

enum entry_kind { ENTRY_SAMPLE, ENTRY_MARK };

struct entry {
    struct entry *next; /* whose has it may use this */
    enum entry_kind kind;
    bool counts;                       /* sample: a counter */
    enum batch_mark_severity severity; /* mark */
    uint32_t label_count;              /* sample */
    uint32_t text_bytes;
    uint64_t unix_ns; /* samples are told in milliseconds */
    double value;     /* sample */
    /* Each ended by NUL: of a sample its metric, then each label's name and value; of a mark its
     * title, text and host. */
    char text[];
};

/* NULL: no memory. Texts are copied. */
struct entry *entry_sample(const struct series_name *name, bool counts, uint64_t unix_ns,
                           double value);
struct entry *entry_mark(enum batch_mark_severity severity, uint64_t unix_ns, const char *title,
                         const char *text, const char *host);

/* The text behind this one. */
const char *entry_next_text(const char *text);

#endif
