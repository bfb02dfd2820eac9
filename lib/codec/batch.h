// SPDX-License-Identifier: Apache-2.0
/* A batch: columns of spans and samples with a dictionary of strings; the unit that is sealed,
 * spooled, sent, acknowledged and kept. docs/format/batch.md describes the bytes (protobuf message
 * weft.Batch with packed delta columns, then zstd level 1).
 *
 * Two sides that meet only in the bytes:
 *   struct batch_builder   the agent's: spans are added one by one, then encoded.
 *   struct batch           the collector's: decoded columns, immutable, in one arena.
 *
 * Neither side is thread-safe; a decoded batch may be read by many threads.
 */
#ifndef WEFT_CODEC_BATCH_H
#define WEFT_CODEC_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buffer.h"
#include "lib/codec/batch_marks.h"
#include "lib/codec/batch_samples.h"
#include "lib/codec/batch_str.h"
#include "lib/codec/batch_windows.h"
#include "lib/model/span.h"

/* A batch that holds nothing newer says that it is of an older format. */
enum {
    BATCH_FORMAT_SPANS = 1,
    BATCH_FORMAT_SAMPLES = 2,
    BATCH_FORMAT_WINDOWS = 3,
    BATCH_FORMAT_VERSION = 3
};

enum process_state { PROCESS_ALIVE = 0, PROCESS_EXITED = 1, PROCESS_DIED = 2 };

/* Why the process is told of. Of a watched one its moments are: start, readiness, end. */
enum process_watched {
    PROCESS_RECORDS = 0,
    PROCESS_RUN = 1,
    PROCESS_FOUND = 2,
    PROCESS_WATCHED_KINDS
};

/* ---- building (agent) -------------------------------------------------------------------- */

struct batch_builder;

/* NULL only when memory is out. */
struct batch_builder *batch_builder_create(void);
void batch_builder_destroy(struct batch_builder **b);
void batch_builder_reset(struct batch_builder *b); /* empty, memory kept */

/* The dictionary index of a string (bytes, need not be UTF-8; copied). 0 is the empty string. */
uint32_t batch_string(struct batch_builder *b, const void *bytes, size_t length);

struct batch_process_info {
    uint8_t uuid[16]; /* chosen by the process file; the same process in every batch */
    const char *host; /* all strings may be NULL */
    uint32_t pid;
    uint64_t start_unix_ns;
    const char *service, *version, *instance, *cell;
    enum process_state state;
    uint64_t state_unix_ns; /* when it ended; 0 while alive */
    enum process_watched watched;
    uint64_t ready_unix_ns; /* 0: not, or nobody knows */
    const char *ready;      /* "listens on port 6379" */
    const char *ending;     /* "exited with 3": what may stand behind the service's name */
};
/* The process' index in this batch. Resource attributes follow with batch_process_attribute. */
uint32_t batch_process(struct batch_builder *b, const struct batch_process_info *info);
/* Adds a resource attribute to the process added last. `value` as in batch_attribute. */
void batch_process_attribute(struct batch_builder *b, uint32_t key, enum value_type type,
                             uint64_t value);

/* The numbers of one span; what hangs on it follows by the calls below, in this order:
 * its attributes; then each event with its attributes; then each link with its attributes. */
struct batch_span {
    uint32_t process; /* from batch_process */
    uint32_t name;    /* dictionary index */
    struct trace_id trace_id;
    uint64_t span_id, parent_id; /* parent 0: none */
    uint64_t start_unix_ns, duration_ns;
    uint8_t kind, status, flags, dropped_attributes;
    uint32_t status_message, tracestate; /* dictionary index, 0: none */
};
void batch_span_add(struct batch_builder *b, const struct batch_span *span);
/* Adds to the span, event or link that was added last.
 * `value`: STRING and BYTES a dictionary index; INT the two's complement; DOUBLE its bits;
 * BOOL 0 or 1. */
void batch_attribute(struct batch_builder *b, uint32_t key, enum value_type type, uint64_t value);
void batch_event(struct batch_builder *b, uint32_t name, uint64_t unix_ns);
void batch_link(struct batch_builder *b, struct trace_id trace_id, uint64_t span_id);

/* `process`: index in this batch, or UINT32_MAX where it concerns the agent as a whole. */
void batch_loss(struct batch_builder *b, uint32_t process, unsigned reason, uint64_t count,
                uint64_t from_unix_ns, uint64_t to_unix_ns);

size_t batch_builder_spans(const struct batch_builder *b);
size_t batch_builder_losses(const struct batch_builder *b);
/* An estimate of the encoded size before compression, cheap enough to ask after every span. */
size_t batch_builder_bytes(const struct batch_builder *b);

/* Appends the encoded (compressed) batch to `out`. 0, or -1 when memory is out; the builder
 * keeps its contents either way. Any add that ran out of memory makes this fail too. */
int batch_encode(struct batch_builder *b, struct buffer *out);

/* ---- decoding (collector, tools) --------------------------------------------------------- */

struct batch_process_view {
    uint8_t uuid[16];
    struct batch_str host, service, version, instance, cell, ready, ending;
    uint32_t pid;
    uint64_t start_unix_ns, state_unix_ns, ready_unix_ns;
    enum process_state state;
    enum process_watched watched;
    uint32_t attribute_first, attribute_count; /* in `resource_*` */
    struct batch_str agent; /* who sent it: not in the bytes, told by the reader */
};

struct batch_loss_view {
    uint32_t process; /* UINT32_MAX: the agent */
    uint32_t reason;
    uint64_t count, from_unix_ns, to_unix_ns;
};

/* Attributes of everything in one set of columns. */
struct batch_attributes {
    uint32_t count;
    const uint32_t *key;   /* dictionary index */
    const uint8_t *type;   /* enum value_type */
    const uint64_t *value; /* as in batch_attribute */
};

/* Every index in here was checked against its column when it was decoded. */
struct batch {
    struct batch_str *strings; /* [0] is empty */
    uint32_t string_count;
    struct batch_process_view *processes;
    uint32_t process_count;
    struct batch_loss_view *losses;
    uint32_t loss_count;

    uint32_t span_count; /* the columns below have so many rows */
    uint32_t *process, *name, *status_message, *tracestate;
    uint64_t *trace_hi, *trace_lo, *span_id, *parent_id, *start_unix_ns, *duration_ns;
    uint8_t *kind, *status, *flags, *dropped_attributes;
    /* Row i's attributes are [attribute_first[i], attribute_first[i] + attribute_count[i]), its
     * events and links likewise. */
    uint32_t *attribute_first, *attribute_count;
    uint32_t *event_first, *event_count;
    uint32_t *link_first, *link_count;

    struct batch_attributes attributes; /* of spans, events, links */
    struct batch_attributes resource;   /* of processes */

    uint32_t events; /* rows of the event columns */
    uint32_t *event_name, *event_attribute_first, *event_attribute_count;
    uint64_t *event_unix_ns;

    uint32_t links;
    uint64_t *link_trace_hi, *link_trace_lo, *link_span_id;
    uint32_t *link_attribute_first, *link_attribute_count;

    struct batch_samples samples;

    struct batch_mark_view *marks;
    uint32_t mark_count;

    struct batch_window *windows;
    uint32_t window_count;
};

enum batch_error {
    BATCH_OK = 0,
    BATCH_ENOMEM = -1,
    BATCH_ECOMPRESSION = -2, /* not a zstd frame, or one beyond `max_bytes` */
    BATCH_EMESSAGE = -3,     /* not the protobuf message */
    BATCH_EVERSION = -4,     /* a format newer than this program */
    BATCH_ECOLUMNS = -5,     /* columns that contradict each other */
};
const char *batch_error_text(int error);

/* Decodes `bytes` into `arena`, which then owns everything in the returned batch; `bytes` may
 * be freed at once. Hostile input costs an error, never more memory than `max_bytes` (of the
 * decompressed message) times a small constant. NULL with *error set. */
struct batch *batch_decode(struct arena *arena, const void *bytes, size_t length, size_t max_bytes,
                           int *error);
/* The same, where samples are kept elsewhere: they are decoded into `samples` (NULL: into `spans`),
 * and so is all of a batch of nothing but samples, marks and windows. Whoever keeps the batch for
 * longer than `samples` forgets them first. */
struct batch *batch_decode_apart(struct arena *spans, struct arena *samples, const void *bytes,
                                 size_t length, size_t max_bytes, int *error);
void batch_forget_samples(struct batch *b);
/* It tells of samples, marks and windows alone: not of spans, processes or losses. */
bool batch_is_samples(const struct batch *b);

#endif
