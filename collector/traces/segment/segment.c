// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "collector/traces/segment/filter.h"
#include "collector/traces/segment/reader.h"

const char *section_name(unsigned kind)
{
    static const char *const names[SECTION_KINDS] = {
        [SECTION_STRINGS] = "strings",
        [SECTION_TRACE_HI] = "trace ids, left half",
        [SECTION_TRACE_LO] = "trace ids, right half",
        [SECTION_TRACE_LO_BLOCK] = "trace ids, blocks",
        [SECTION_TRACE_LO_COUNT] = "trace ids, counters",
        [SECTION_TRACE_ROWS] = "trace rows",
        [SECTION_TRACE_START] = "trace starts",
        [SECTION_TRACE_START_HI] = "trace starts",
        [SECTION_PROCESS] = "processes",
        [SECTION_ORIGIN_PROCESS] = "origins, processes",
        [SECTION_ORIGIN_FIRST] = "origins, first ids",
        [SECTION_ORIGIN] = "origin",
        [SECTION_SPAN_DELTA] = "span ids, counted",
        [SECTION_SPAN_ID] = "span ids, whole",
        [SECTION_PARENT_LEVELS] = "parent",
        [SECTION_PARENT_DISTANCE] = "parent",
        [SECTION_PARENT_GAP] = "parent ids, rows",
        [SECTION_PARENT_ID] = "parent ids",
        [SECTION_START] = "start",
        [SECTION_DURATION] = "duration",
        [SECTION_CLASS] = "class",
        [SECTION_CLASS_NAME] = "classes, name",
        [SECTION_CLASS_KIND] = "classes, kind",
        [SECTION_CLASS_FLAGS] = "classes, flags",
        [SECTION_CLASS_SHAPE] = "classes, shape",
        [SECTION_STATUS] = "status",
        [SECTION_STATUS_MESSAGE] = "status message",
        [SECTION_TRACESTATE] = "tracestate",
        [SECTION_DROPPED] = "dropped attributes",
        [SECTION_SHAPE] = "shape",
        [SECTION_SHAPE_SIZE] = "shapes, sizes",
        [SECTION_SHAPE_VALUE] = "shapes, attributes",
        [SECTION_EVENTS] = "events of a span",
        [SECTION_EVENT_NAME] = "event names",
        [SECTION_EVENT_TIME] = "event times",
        [SECTION_LINKS] = "links of a span",
        [SECTION_LINK_TRACE_HI] = "linked trace ids, left half",
        [SECTION_LINK_TRACE_LO] = "linked trace ids, right half",
        [SECTION_LINK_SPAN_ID] = "linked span ids",
        [SECTION_VALUES] = "attribute",
    };
    return kind < SECTION_KINDS && names[kind] ? names[kind] : "?";
}

const char *table_name(unsigned kind)
{
    static const char *const names[TABLE_KINDS] = {
        [TABLE_FILTER] = "trace filter",        [TABLE_PROCESSES] = "process table",
        [TABLE_CONTINUED] = "continued traces", [TABLE_LOSSES] = "losses",
        [TABLE_SERVICES] = "services",          [TABLE_OPERATIONS] = "operations",
    };
    return kind < TABLE_KINDS && names[kind] ? names[kind] : "?";
}

/* ---- damage ------------------------------------------------------------------------------ */

int segment_note_damage(struct segment *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&s->lock);
    if (!atomic_load_explicit(&s->damaged, memory_order_relaxed)) {
        vsnprintf(s->damage, sizeof s->damage, format, args);
        atomic_store_explicit(&s->damaged, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&s->lock);
    va_end(args);
    return SEGMENT_EDAMAGED;
}

bool segment_damage(const struct segment *segment, char *why, size_t why_size)
{
    struct segment *s = (struct segment *)segment; /* the lock is what changes */
    if (!atomic_load_explicit(&s->damaged, memory_order_relaxed))
        return false;
    pthread_mutex_lock(&s->lock);
    if (why_size)
        snprintf(why, why_size, "%s", s->damage);
    pthread_mutex_unlock(&s->lock);
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------- */

int segment_read(const struct segment *s, uint64_t offset, void *to, size_t length)
{
    for (char *at = to; length > 0;) {
        ssize_t n = pread(s->fd, at, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SEGMENT_EIO;
        if (n == 0)
            return SEGMENT_EDAMAGED;
        at += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return SEGMENT_OK;
}

const uint8_t *segment_table(struct segment *s, const struct table_entry *t, struct arena *arena,
                             int *error)
{
    uint8_t *bytes = arena_alloc(arena, t->length + BITS_PADDING);
    *error = SEGMENT_ENOMEM;
    if (!bytes)
        return NULL;
    memset(bytes + t->length, 0, BITS_PADDING);
    *error = segment_read(s, t->offset, bytes, t->length);
    if (!*error && XXH3_64bits(bytes, t->length) != t->checksum)
        *error = SEGMENT_EDAMAGED;
    if (*error == SEGMENT_EDAMAGED)
        segment_note_damage(s, "the %s at byte %llu: its checksum does not hold",
                            table_name(t->kind), (unsigned long long)t->offset);
    return *error ? NULL : bytes;
}

int segment_table_error(struct segment *s, const struct table_entry *t, int error)
{
    if (error == SEGMENT_EDAMAGED)
        segment_note_damage(s, "the %s at byte %llu: it contradicts itself", table_name(t->kind),
                            (unsigned long long)t->offset);
    return error;
}

/* ---- open -------------------------------------------------------------------------------- */

struct opening {
    struct segment *s;
    uint64_t file_bytes;
    char *why;
    size_t why_size;
};

static int fail(struct opening *o, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct opening *o, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (o->why_size)
        vsnprintf(o->why, o->why_size, format, args);
    va_end(args);
    return error;
}

static int read_or_fail(struct opening *o, uint64_t offset, void *to, size_t length)
{
    int error = segment_read(o->s, offset, to, length);
    if (error == SEGMENT_EIO)
        return fail(o, error, "cannot read %zu bytes at byte %llu: %s", length,
                    (unsigned long long)offset, strerror(errno));
    if (error)
        return fail(o, error, "it ends before byte %llu", (unsigned long long)(offset + length));
    return SEGMENT_OK;
}

static int check_header(struct opening *o)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES], expected[SEGMENT_HEADER_BYTES];
    struct stat st;
    if (fstat(o->s->fd, &st) != 0)
        return fail(o, SEGMENT_EIO, "cannot tell its size: %s", strerror(errno));
    o->file_bytes = (uint64_t)st.st_size;
    int error = read_or_fail(o, 0, bytes, sizeof bytes);
    if (error)
        return error;
    header_write(expected);
    if (memcmp(bytes, expected, 8) != 0)
        return fail(o, SEGMENT_EDAMAGED, "the header at byte 0: not a segment");
    if (get_u32(bytes + 8) > SEGMENT_FORMAT_VERSION)
        return fail(o, SEGMENT_EVERSION, "format %u, this program knows %u", get_u32(bytes + 8),
                    (unsigned)SEGMENT_FORMAT_VERSION);
    if (memcmp(bytes, expected, sizeof bytes) != 0)
        return fail(o, SEGMENT_EDAMAGED, "the header at byte 8: no version");
    return SEGMENT_OK;
}

static int read_footer(struct opening *o)
{
    uint8_t trailer[SEGMENT_TRAILER_BYTES];
    uint64_t length;
    const char *why = "";
    if (o->file_bytes < SEGMENT_HEADER_BYTES + SEGMENT_TRAILER_BYTES)
        return fail(o, SEGMENT_EDAMAGED, "%llu bytes are too few",
                    (unsigned long long)o->file_bytes);
    uint64_t at = o->file_bytes - SEGMENT_TRAILER_BYTES;
    int error = read_or_fail(o, at, trailer, sizeof trailer);
    if (error)
        return error;
    error = trailer_get(trailer, o->file_bytes, &length);
    if (error)
        return fail(o, error, "the trailer at byte %llu: %s", (unsigned long long)at,
                    error == SEGMENT_EVERSION ? "a newer format" : "not one");
    uint64_t begin = at - length;
    uint8_t *bytes = malloc(length + SEGMENT_TRAILER_BYTES);
    if (!bytes)
        return fail(o, SEGMENT_ENOMEM, "no memory");
    error = read_or_fail(o, begin, bytes, length + SEGMENT_TRAILER_BYTES);
    if (!error) {
        error =
            footer_get(bytes, length + SEGMENT_TRAILER_BYTES, o->file_bytes, &o->s->footer, &why);
        if (error)
            fail(o, error, "the footer at byte %llu: %s", (unsigned long long)begin,
                 error == SEGMENT_ENOMEM ? "no memory" : why);
    }
    free(bytes);
    return error;
}

static int read_filter(struct opening *o)
{
    struct segment *s = o->s;
    if (s->footer.summary.groups == 0)
        return SEGMENT_OK;
    const struct table_entry *t = &s->footer.tables[0];
    s->filter = malloc(t->length);
    if (!s->filter)
        return fail(o, SEGMENT_ENOMEM, "no memory");
    int error = read_or_fail(o, t->offset, s->filter, t->length);
    if (!error && XXH3_64bits(s->filter, t->length) != t->checksum)
        error =
            fail(o, SEGMENT_EDAMAGED, "the trace filter at byte %llu: its checksum does not hold",
                 (unsigned long long)t->offset);
    return error;
}

/* Parts of 64 follow each other, the last may have fewer. */
static int find_processes(struct opening *o)
{
    struct footer *f = &o->s->footer;
    for (uint32_t i = 0; i < f->table_count; i++) {
        if (f->tables[i].kind != TABLE_PROCESSES)
            continue;
        if (o->s->process_parts++ == 0)
            o->s->first_processes = i;
        bool is_last = i + 1 == f->table_count || f->tables[i + 1].kind != TABLE_PROCESSES;
        if (i - o->s->first_processes + 1 != o->s->process_parts ||
            f->tables[i].count > SEGMENT_PROCESSES_A_PART ||
            (!is_last && f->tables[i].count != SEGMENT_PROCESSES_A_PART))
            return fail(o, SEGMENT_EDAMAGED, "the footer: parts of processes are out of order");
    }
    return SEGMENT_OK;
}

struct segment *segment_open(int fd, int *error, char *why, size_t why_size)
{
    struct segment *s = calloc(1, sizeof *s);
    struct opening o = {s, 0, why, why_size};
    if (!s) {
        *error = fail(&o, SEGMENT_ENOMEM, "no memory");
        return NULL;
    }
    s->fd = fd;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->cache_lock, NULL);
    if ((*error = check_header(&o)) || (*error = read_footer(&o)) || (*error = read_filter(&o)) ||
        (*error = find_processes(&o))) {
        s->fd = -1; /* stays the caller's */
        segment_close(&s);
    }
    return s;
}

void segment_close(struct segment **segment)
{
    struct segment *s = *segment;
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    segment_trim(s);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->cache_lock);
    footer_fini(&s->footer);
    free(s->filter);
    free(s);
    *segment = NULL;
}

/* ---- what is known at once --------------------------------------------------------------- */

const struct segment_summary *segment_summary(const struct segment *s)
{
    return &s->footer.summary;
}

const struct block_bounds *segment_group_bounds(const struct segment *s, uint32_t i)
{
    return &s->footer.groups[i].bounds;
}

struct trace_id segment_group_first(const struct segment *s, uint32_t i)
{
    return s->footer.groups[i].first;
}

bool segment_group_is_cut(const struct segment *s, uint32_t i)
{
    return s->footer.groups[i].cut_rows > 0;
}
