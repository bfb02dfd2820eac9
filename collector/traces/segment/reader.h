// SPDX-License-Identifier: Apache-2.0
/* An open segment and its groups, as the reader's files share them.
 *
 *   segment.c        open, damage, reading of bytes with their checksums
 *   segment_*.c      a trace by its id, processes, the other tables
 *   group.c          a group: its directory, its traces, any column of it
 *   group_ids.c      parents, ids and starts: columns that depend on each other
 *   group_shapes.c   which attributes which row has
 *   group_block*.c   the group as a block (collector/traces/block.h)
 *   group_batch*.c   rows of the group as a batch
 */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_READER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_READER_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/traces/segment/footer.h"
#include "collector/traces/segment/processes.h"
#include "collector/traces/segment/tables.h"

enum { DAMAGE_TEXT_MAX = 160 };

struct process_cache;

struct segment {
    int fd;
    struct footer footer;
    uint8_t *filter;
    uint32_t first_processes, process_parts; /* which tables they are */
    pthread_mutex_t lock;                    /* of `damage` */
    pthread_mutex_t cache_lock;
    struct process_cache *cache; /* or NULL */
    atomic_bool damaged;
    char damage[DAMAGE_TEXT_MAX];
};

/* Reads exactly so many bytes. SEGMENT_OK, SEGMENT_EIO, or SEGMENT_EDAMAGED: the file is shorter.
 */
int segment_read(const struct segment *s, uint64_t offset, void *to, size_t length);
/* Keeps the first damage. Returns SEGMENT_EDAMAGED. */
int segment_note_damage(struct segment *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The bytes of a part of a table, checked, in the arena, ready to be read from. NULL with
 * *error. */
const uint8_t *segment_table(struct segment *s, const struct table_entry *t, struct arena *arena,
                             int *error);
/* What became of decoding it: notes the damage. */
int segment_table_error(struct segment *s, const struct table_entry *t, int error);

/* Processes by their numbers, ascending, with everything in the arena. SEGMENT_OK or another. */
struct process_set {
    struct batch_process_view *list; /* attribute_first: in `resource` */
    uint32_t count, string_count;
    struct batch_attributes resource;
    struct batch_str *strings;
};
int segment_load_processes(struct segment *s, const uint64_t *numbers, uint32_t count,
                           struct arena *arena, struct process_set *set);

/* All processes, read once for all blocks and kept until segment_trim; each call needs one of
 * segment_release_processes. NULL: they cannot be read (*error). */
const struct block_processes *segment_hold_processes(struct segment *s, int *error);
void segment_release_processes(struct segment *s);

/* ---- a group ----------------------------------------------------------------------------- */

#define SECTION_NONE UINT32_MAX

struct group_classes {
    uint32_t count;
    const uint32_t *name, *shape; /* shape: NULL if they stand alone */
    const uint8_t *kind, *flags;
};

struct group_shapes {
    uint32_t count;         /* 0: nothing has attributes */
    const uint32_t *first;  /* in `column`, of each shape and of the end */
    const uint32_t *column; /* of the scope's VALUES */
};

struct group {
    struct block block; /* first: a block is a group */
    struct segment *segment;
    uint32_t number;
    const struct group_entry *entry;
    int error; /* SEGMENT_OK; the first error stays */
    struct arena arena, scratch;
    struct section *sections;
    const uint8_t **bytes; /* of a section, once it was read */
    uint32_t section_count;
    uint32_t one[SECTION_KINDS];     /* the section, where a kind has but one */
    uint32_t shape[BLOCK_SCOPES][3]; /* SHAPE, SHAPE_SIZE, SHAPE_VALUE */
    uint32_t values[BLOCK_SCOPES], value_count[BLOCK_SCOPES]; /* VALUES follow each other */
    uint32_t string_count, event_count, link_count, process_count, origin_count;
    struct block_trace *traces;

    /* made when they are asked for */
    struct batch_str *strings;
    struct group_classes *classes;
    struct group_shapes *shapes[BLOCK_SCOPES];
};

/* Rows of whole traces. */
struct group_part {
    uint32_t trace, traces, row, rows;
};

/* SEGMENT_OK or another; group_close is right in any case. `whole`: reads all of it at once. */
int group_open(struct group *g, struct segment *s, uint32_t number, bool whole);
void group_close(struct group *g);
struct group_part group_all(const struct group *g);

/* Notes the damage of a section (SECTION_NONE: of the whole) and keeps the error; returns NULL. */
void *group_damaged(struct group *g, uint32_t section, const char *what);
void *group_no_memory(struct group *g);

/* Values [first, first + count) of a section in the arena; zeros where there is no section. Of
 * the smaller types only if all are below `limit`. NULL: the group has an error then. */
uint64_t *group_u64(struct group *g, uint32_t section, uint32_t first, uint32_t count,
                    struct arena *arena);
uint32_t *group_u32(struct group *g, uint32_t section, uint32_t first, uint32_t count,
                    uint64_t limit, struct arena *arena);
uint8_t *group_u8(struct group *g, uint32_t section, uint32_t first, uint32_t count, uint64_t limit,
                  struct arena *arena);

/* The dictionary; into `arena` (and not kept) if it is not the group's. */
const struct batch_str *group_strings(struct group *g, struct arena *arena);
const struct group_classes *group_classes(struct group *g);
/* The numbers of the group's processes in the segment. */
uint64_t *group_processes(struct group *g, struct arena *arena);

/* ---- ids (group_ids.c) ------------------------------------------------------------------- */

/* Each row's process: of the group. */
uint32_t *group_row_process(struct group *g, struct group_part part, struct arena *arena);
uint64_t *group_span_ids(struct group *g, struct group_part part, struct arena *arena);
/* Each row's distance back to its parent, 0: none. Those of a cut trace's rest may go back beyond
 * the group's beginning: these are as far as the trace goes. */
uint32_t *group_distances(struct group *g, struct group_part part, struct arena *arena);
uint64_t *group_parent_ids(struct group *g, struct group_part part, const uint32_t *distances,
                           const uint64_t *span_ids, struct arena *arena);
uint64_t *group_starts(struct group *g, struct group_part part, const uint32_t *distances,
                       struct arena *arena);

/* ---- shapes (group_shapes.c) ------------------------------------------------------------- */

const struct group_shapes *group_shapes(struct group *g, enum block_scope scope);
/* How many items a scope has: rows, events or links. */
uint32_t group_items(const struct group *g, enum block_scope scope);
/* Shapes of items [first, first + count). */
uint32_t *group_item_shapes(struct group *g, enum block_scope scope, uint32_t first, uint32_t count,
                            struct arena *arena);

/* ---- as a batch (group_batch.c) ---------------------------------------------------------- */

/* The part's rows, with everything that they refer to: with `all`, with all of the group's
 * strings and processes; else with those alone that are used. SEGMENT_OK or another. */
int group_to_batch(struct group *g, struct group_part part, bool details, bool all,
                   struct arena *arena, struct batch **batch, const uint32_t **parents);

#endif
