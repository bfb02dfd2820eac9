// SPDX-License-Identifier: Apache-2.0
/* The row group that is being written: rows arrive trace by trace, stay as columns of plain
 * numbers, and become the group's bytes when it is full. builder.c takes rows in,
 * builder_put.c makes the bytes of what every span has, builder_ids.c those of ids and parents,
 * builder_details.c those of attributes, events and links.
 *
 * Strings get numbers of the group on their first use; a translation keeps them for a batch, so
 * that a string mostly costs one look into an array.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_BUILDER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_BUILDER_H

#include "collector/traces/segment/layout.h"
#include "collector/traces/segment/shapes.h"
#include "collector/traces/segment/strings.h"
#include "collector/traces/segment/translations.h"

enum row_column {
    ROW_START,
    ROW_DURATION,
    ROW_SPAN_ID,
    ROW_PARENT_ID,
    ROW_DISTANCE, /* back to the parent in the trace's rows; 0: none */
    ROW_PROCESS,  /* of the group, in the order of arrival */
    ROW_NAME,
    ROW_KIND,
    ROW_FLAGS,
    ROW_STATUS,
    ROW_STATUS_MESSAGE, /* from here on: not filled in while all rows are plain */
    ROW_TRACESTATE,
    ROW_DROPPED,
    ROW_EVENTS,
    ROW_LINKS,
    ROW_COLUMNS
};

struct builder_trace {
    struct trace_id id;
    uint32_t row; /* its first in the group */
};

struct builder {
    uint32_t stamp; /* never 0 */
    bool failed;    /* memory was out */
    bool plain;     /* all rows so far are */
    uint32_t rows, row_capacity;
    uint64_t *row[ROW_COLUMNS];
    struct builder_trace *traces;
    uint32_t trace_count, trace_capacity;
    uint64_t cut_rows; /* of the first trace, in earlier groups */
    struct string_table strings;
    struct numbers processes; /* of the group: their numbers in the segment */
    struct shapes shapes[BLOCK_SCOPES];
    struct numbers event_name, event_time; /* less the span's start */
    struct numbers link_hi, link_lo, link_span_id;
    struct numbers words, values; /* of the attributes that are being added */
    struct column body;           /* the sections */
    struct section *sections;
    uint32_t section_count, section_capacity;
    struct numbers scratch[4];
};

bool builder_init(struct builder *b); /* false: no memory */
void builder_fini(struct builder *b);
void builder_clear(struct builder *b); /* for the next group; memory is kept */

/* Whether a row still fits, and the group must not be ended before it. */
bool builder_has_room(const struct builder *b, const struct translation *t, uint32_t row);
/* The rows that follow are of this trace, of which `cut_rows` are in earlier groups. */
void builder_begin_trace(struct builder *b, struct trace_id id, uint64_t cut_rows);
/* `process` is of the group; `distance` goes back to the parent's row. */
void builder_add(struct builder *b, struct translation *t, uint32_t row, uint32_t process,
                 uint64_t distance);
/* A process' number in the group, by that in the segment: called once for each. */
uint32_t builder_process(struct builder *b, uint32_t number);

/* Makes the sections: b->sections with the body behind each other. False: no memory. */
bool builder_put(struct builder *b, struct encoder *e);

/* ---- between the builder's files --------------------------------------------------------- */

enum { PUT_ALWAYS = 1 }; /* not left out if all numbers are 0 */

void builder_put_section(struct builder *b, struct encoder *e, struct section section,
                         const uint64_t *values, size_t count, unsigned how);
/* A scratch list with room for `count` numbers, and so many in it; NULL: no memory. */
uint64_t *builder_scratch(struct builder *b, unsigned which, size_t count);
void builder_put_ids(struct builder *b, struct encoder *e);
void builder_put_parents(struct builder *b, struct encoder *e);
void builder_put_details(struct builder *b, struct encoder *e);
/* The shapes of spans as the group has them: none, if every span is without attributes. */
bool builder_has_shapes(const struct builder *b, enum block_scope scope);

#endif
