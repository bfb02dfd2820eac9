// SPDX-License-Identifier: Apache-2.0
/* The footer of a segment: what is read when it is opened. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_FOOTER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_FOOTER_H

#include "collector/traces/segment/layout.h"
#include "lib/codec/column.h"

struct footer {
    struct segment_summary summary;
    struct group_entry *groups; /* summary.groups of them */
    struct table_entry *tables;
    uint32_t table_count;
};

void header_write(uint8_t bytes[SEGMENT_HEADER_BYTES]);

/* Appends footer and trailer. */
void footer_put(const struct footer *f, struct column *out);

/* The trailer alone tells where the footer begins. SEGMENT_OK, SEGMENT_EDAMAGED (no trailer), or
 * SEGMENT_EVERSION. `file_bytes` bounds the length. */
int trailer_get(const uint8_t bytes[SEGMENT_TRAILER_BYTES], uint64_t file_bytes,
                uint64_t *footer_length);
/* Reads footer and trailer: `length` bytes at the end of a file of `file_bytes`. Everything in it
 * is checked; groups and tables lie in the file without gaps. malloc'ed lists, freed by
 * footer_fini also after an error. SEGMENT_OK, ENOMEM or EDAMAGED with *why a constant. */
int footer_get(const uint8_t *bytes, size_t length, uint64_t file_bytes, struct footer *f,
               const char **why);
void footer_fini(struct footer *f);

#endif
