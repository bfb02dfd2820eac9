// SPDX-License-Identifier: Apache-2.0
/* The bytes of a segment (docs/format/segment.md). All numbers are little-endian; nothing lies
 * between the parts.
 *
 *     header      16 bytes     magic "weftsegm", version u32, 0 u32
 *     groups                   row groups, one after the other
 *     tables                   what concerns the whole: processes, losses, names …
 *     footer                   summary, an entry for each group, an entry for each table
 *     trailer     32 bytes     footer's length u64, version u32, 0 u32, magic, checksum u64
 *
 * A group is a directory, 24 bytes for each of its sections, and these sections in the same
 * order. Checksums are XXH3-64: the trailer's is over the footer and the trailer before it, the
 * footer has those of the groups' directories and of the tables, a directory those of its
 * sections. So every byte of the file is covered, and a part can be checked without the rest.
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_LAYOUT_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_LAYOUT_H

#include "collector/traces/segment/segment.h"
#include "lib/base/little_endian.h"

#define SEGMENT_MAGIC "weftsegm"

enum {
    SEGMENT_HEADER_BYTES = 16,
    SEGMENT_TRAILER_BYTES = 32,
    SEGMENT_SUMMARY_BYTES = 128,
    SEGMENT_GROUP_ENTRY_BYTES = 104,
    SEGMENT_TABLE_ENTRY_BYTES = 32,
    SEGMENT_SECTION_ENTRY_BYTES = 24,
};

/* What a group may hold besides rows: attributes' values, events and links of all kinds together,
 * and strings. The writer ends a group before it has more. */
enum { SEGMENT_GROUP_ITEMS_MAX = 1 << 22, SEGMENT_GROUP_STRINGS_MAX = 1 << 22 };
/* Rows of one part of a table. */
enum { SEGMENT_TABLE_ROWS_MAX = 1 << 16, SEGMENT_PROCESSES_A_PART = 64 };
/* Losses that a segment tells one by one, and rows for the sums of what is more, by reason. */
enum { SEGMENT_LOSSES_MAX = 1 << 18, SEGMENT_LOSS_SUMS_MAX = 256 };
/* Distinct services and operations that a segment's names tell. */
enum { SEGMENT_NAMES_MAX = 1 << 16 };

/* Columns of a group. Where a comment says nothing else, there is one number for each row. */
enum section_kind {
    SECTION_STRINGS = 1,
    SECTION_TRACE_HI,       /* a trace */
    SECTION_TRACE_LO,       /* a trace; absent if the next two are there */
    SECTION_TRACE_LO_BLOCK, /* a trace: span_id_unmix(lo) / 2^20 */
    SECTION_TRACE_LO_COUNT, /* a trace: the rest of it */
    SECTION_TRACE_ROWS,     /* a trace: its rows in this group, less one */
    SECTION_TRACE_START,    /* a trace: the start of its first row; or the next */
    SECTION_TRACE_START_HI, /* a trace: the same less the id's left half */
    SECTION_PROCESS,        /* a process of the group: its number in the segment, ascending */
    SECTION_ORIGIN_PROCESS, /* an origin: a process of the group */
    SECTION_ORIGIN_FIRST,   /* an origin: its first span id, unmixed; 0: ids are whole */
    SECTION_ORIGIN,         /* which origin */
    SECTION_SPAN_DELTA,     /* a row whose origin counts: zigzag difference to its last id */
    SECTION_SPAN_ID,        /* a row whose origin does not */
    SECTION_PARENT_LEVELS,  /* a row that is not its trace's first: levels up from the row before */
    SECTION_PARENT_DISTANCE, /* instead: rows back to the parent, 0: none */
    SECTION_PARENT_GAP,      /* a row whose parent id is not its parent's id: rows between */
    SECTION_PARENT_ID,       /* the same: the parent id */
    SECTION_START,           /* a row that is not its trace's first */
    SECTION_DURATION,
    SECTION_CLASS,       /* which class */
    SECTION_CLASS_NAME,  /* a class: a string */
    SECTION_CLASS_KIND,  /* a class */
    SECTION_CLASS_FLAGS, /* a class */
    SECTION_CLASS_SHAPE, /* a class: a span shape; absent if SECTION_SHAPE is there for spans */
    SECTION_STATUS,
    SECTION_STATUS_MESSAGE, /* a string */
    SECTION_TRACESTATE,     /* a string */
    SECTION_DROPPED,
    SECTION_SHAPE,         /* in a scope, an item: a shape */
    SECTION_SHAPE_SIZE,    /* in a scope, a shape: how many attributes */
    SECTION_SHAPE_VALUE,   /* in a scope, an attribute of a shape: which of the scope's VALUES */
    SECTION_EVENTS,        /* how many */
    SECTION_EVENT_NAME,    /* an event: a string */
    SECTION_EVENT_TIME,    /* an event: less the span's start */
    SECTION_LINKS,         /* how many */
    SECTION_LINK_TRACE_HI, /* a link */
    SECTION_LINK_TRACE_LO, /* a link */
    SECTION_LINK_SPAN_ID,  /* a link */
    SECTION_VALUES,        /* in a scope, under a key, of a type: a value */
    SECTION_KINDS
};

/* A directory's entry: kind u8, scope u8, type u8, 0 u8, key u32, count u32, length u32,
 * checksum u64. Scope, type and key are 0 where they mean nothing. */
struct section {
    uint8_t kind, scope, type;
    uint32_t key, count, length;
    uint64_t checksum;
    uint64_t offset; /* from the group's begin: not in the bytes */
};

static inline void section_write(uint8_t bytes[SEGMENT_SECTION_ENTRY_BYTES],
                                 const struct section *s)
{
    bytes[0] = s->kind;
    bytes[1] = s->scope;
    bytes[2] = s->type;
    bytes[3] = 0;
    put_u32(bytes + 4, s->key);
    put_u32(bytes + 8, s->count);
    put_u32(bytes + 12, s->length);
    put_u64(bytes + 16, s->checksum);
}

static inline struct section section_read(const uint8_t bytes[SEGMENT_SECTION_ENTRY_BYTES])
{
    return (struct section){
        .kind = bytes[3] ? 0 : bytes[0], /* a byte that must be 0 and is not: no known kind */
        .scope = bytes[1],
        .type = bytes[2],
        .key = get_u32(bytes + 4),
        .count = get_u32(bytes + 8),
        .length = get_u32(bytes + 12),
        .checksum = get_u64(bytes + 16),
    };
}

/* "start", "event attributes": for people. */
const char *section_name(unsigned kind);

/* The footer's entry for a group. */
struct group_entry {
    uint64_t offset;
    uint32_t directory_length; /* bytes.bounds.bytes is all of it */
    uint64_t directory_checksum;
    struct trace_id first;
    uint64_t cut_rows; /* of the first trace, in the groups before */
    struct block_bounds bounds;
    uint32_t filter_line; /* where its lines begin in the filter: not in the bytes */
};

enum table_kind {
    TABLE_FILTER = 1,    /* lines of 64 bytes: those of group 0, of group 1 … */
    TABLE_PROCESSES = 2, /* parts of 64 processes */
    TABLE_CONTINUED = 3,
    TABLE_LOSSES = 4,
    TABLE_SERVICES = 5,
    TABLE_OPERATIONS = 6,
    TABLE_KINDS
};

/* A part of a table; the parts of one follow each other. */
struct table_entry {
    uint32_t kind, count; /* rows */
    uint64_t offset, length, checksum;
};

const char *table_name(unsigned kind);

#endif
