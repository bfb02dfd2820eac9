// SPDX-License-Identifier: Apache-2.0
/* The layout of the process file is an ABI: the numbers of docs/format/slab.md are what the
 * compiler makes of lib/ring/slab.h, and both are what they were when the format was released. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/loss.h"
#include "lib/model/span.h"
#include "lib/ring/slab.h"
#include "lib/ring/slab_stats.h"

struct field {
    const char *section; /* of the page */
    size_t offset, size; /* as the compiler has them */
    size_t released;     /* the offset for good */
    const char *type, *name;
};

#define FIELD(section, type, structure, field, released)                                           \
    {                                                                                              \
        section, offsetof(struct structure, field), sizeof(((struct structure *)0)->field),        \
            released, type, #field                                                                 \
    }

static const struct field fields[] = {
    FIELD("Header", "u64", slab_file, magic, 0),
    FIELD("Header", "u32", slab_file, version, 8),
    FIELD("Header", "u32", slab_file, header_bytes, 12),
    FIELD("Header", "u32", slab_file, pid, 16),
    FIELD("Header", "u32", slab_file, clock, 20),
    FIELD("Header", "u64", slab_file, pid_namespace, 24),
    FIELD("Header", "u64", slab_file, start_time, 32),
    FIELD("Header", "16 bytes", slab_file, uuid, 40),
    FIELD("Header", "u64", slab_file, open_ticks, 56),
    FIELD("Header", "u64", slab_file, open_unix_ns, 64),
    FIELD("Header", "u32", slab_file, thread_capacity, 72),
    FIELD("Header", "u32", slab_file, slot_count, 76),
    FIELD("Header", "u32", slab_file, slot_bytes, 80),
    FIELD("Header", "u32", slab_file, ring_bytes, 84),
    FIELD("Header", "u64", slab_file, readers_offset, 88),
    FIELD("Header", "u64", slab_file, names_offset, 96),
    FIELD("Header", "u64", slab_file, names_bytes, 104),
    FIELD("Header", "u64", slab_file, resource_offset, 112),
    FIELD("Header", "u64", slab_file, resource_bytes, 120),
    FIELD("Header", "u64", slab_file, stats_offset, 128),
    FIELD("Header", "u64", slab_file, stats_bytes, 136),
    FIELD("Header", "u64", slab_file, threads_offset, 144),
    FIELD("Header", "u64", slab_file, thread_bytes, 152),
    FIELD("Header", "64 bytes", slab_file, reserved, 160),
    FIELD("Header", "u64", slab_file, names_used, 256),
    FIELD("Header", "u32", slab_file, thread_count, 264),
    FIELD("Header", "u32", slab_file, reserved2, 268),
    FIELD("Header", "16 × u64", slab_file, lost, 272),

    FIELD("Control page", "u32", slab_control, recording, 0),
    FIELD("Control page", "u64", slab_control, reaped, 8),
    FIELD("Control page", "u32", slab_control, clock_sequence, 16),
    FIELD("Control page", "u64", slab_control, base_ticks, 24),
    FIELD("Control page", "u64", slab_control, base_unix_ns, 32),
    FIELD("Control page", "u64", slab_control, ns_per_tick_q32, 40),
    FIELD("Control page", "u64", slab_control, swept_ticks, 48),
    FIELD("Control page", "16 × u64", slab_control, lost_reported, 56),
    FIELD("Control page", "3912 bytes", slab_control, reserved2, 184),

    FIELD("Reader words", "u64", slab_reader_word, tail, 0),

    FIELD("Thread slab", "u32", slab_thread, state, 0),
    FIELD("Thread slab", "u32", slab_thread, tid, 4),
    FIELD("Thread slab", "u64", slab_thread, head, 64),
    FIELD("Thread slab", "16 × u64", slab_thread, lost, 128),

    FIELD("Span", "u32", slab_span, state, 0),
    FIELD("Span", "u32", slab_span, record_bytes, 0),
    FIELD("Span", "u32", slab_span, used, 4),
    FIELD("Span", "u64", slab_span, span_id, 8),
    FIELD("Span", "u64", slab_span, trace_hi, 16),
    FIELD("Span", "u64", slab_span, trace_lo, 24),
    FIELD("Span", "u64", slab_span, parent_id, 32),
    FIELD("Span", "u64", slab_span, start_ticks, 40),
    FIELD("Span", "u64", slab_span, end_ticks, 48),
    FIELD("Span", "u32", slab_span, name, 56),
    FIELD("Span", "u8", slab_span, kind, 60),
    FIELD("Span", "u8", slab_span, status, 61),
    FIELD("Span", "u8", slab_span, flags, 62),
    FIELD("Span", "u8", slab_span, dropped, 63),

    FIELD("Slot", "64 bytes", slab_slot, span, 0),
    FIELD("Slot", "u32", slab_slot, ending_thread, 64),
    FIELD("Slot", "u32", slab_slot, index, 68),
    FIELD("Slot", "u64", slab_slot, ending_position, 72),

    FIELD("Items", "u8", slab_item, type, 0),
    FIELD("Items", "u8", slab_item, flags, 1),
    FIELD("Items", "u16", slab_item, length, 2),
    FIELD("Items", "u32", slab_item, key, 4),

    FIELD("Statistics", "u32", slab_stats, header_bytes, 0),
    FIELD("Statistics", "u32", slab_stats, chunk_capacity, 4),
    FIELD("Statistics", "u64", slab_stats, taken_offset, 8),
    FIELD("Statistics", "u64", slab_stats, images_offset, 16),
    FIELD("Statistics", "u64", slab_stats, instruments_offset, 24),
    FIELD("Statistics", "u64", slab_stats, instruments_bytes, 32),
    FIELD("Statistics", "u64", slab_stats, chunks_offset, 40),
    FIELD("Statistics", "2 × u64", slab_stats, reserved, 48),
    FIELD("Statistics", "u64", slab_stats, instruments_used, 64),
    FIELD("Statistics", "u64", slab_stats, chunk_count, 72),
    FIELD("Statistics", "u64", slab_stats_taken, generation, 0),
    FIELD("Statistics", "u32", slab_instrument_head, bytes, 0),
    FIELD("Statistics", "u8", slab_instrument_head, type, 4),
    FIELD("Statistics", "u8", slab_instrument_head, text_count, 5),
    FIELD("Statistics", "u16", slab_instrument_head, reserved, 6),
    FIELD("Statistics", "u64", slab_chunk, used, 0),
    FIELD("Statistics", "u16", slab_cell, kind, 0),
    FIELD("Statistics", "u16", slab_cell, bytes, 2),
    FIELD("Statistics", "u32", slab_cell, instrument, 4),
    FIELD("Statistics", "u64", slab_counter_cell, count, 8),
    FIELD("Statistics", "u64", slab_gauge_cell, epoch, 8),
    FIELD("Statistics", "2 × u64", slab_gauge_cell, value, 16),
    FIELD("Statistics", "2 × u64", slab_gauge_cell, added, 32),
    FIELD("Statistics", "u64", slab_gauge_add_cell, epoch, 8),
    FIELD("Statistics", "u64", slab_gauge_add_cell, sum, 16),
    FIELD("Statistics", "u64", slab_histogram_cell, zeros, 8),
    FIELD("Statistics", "u64", slab_histogram_cell, not_finite, 16),
    FIELD("Statistics", "u64", slab_histogram_cell, sum, 24),
    FIELD("Statistics", "u64", slab_histogram_cell, least, 32),
    FIELD("Statistics", "u64", slab_histogram_cell, most, 40),
    FIELD("Statistics", "i32", slab_run_cell, first, 8),
    FIELD("Statistics", "i8", slab_run_cell, scale, 12),
    FIELD("Statistics", "u8", slab_run_cell, negative, 13),
    FIELD("Statistics", "u16", slab_run_cell, reserved, 14),
    FIELD("Statistics", "64 × u64", slab_run_cell, counts, 16),
};
enum { FIELDS = sizeof fields / sizeof *fields };

/* "u32" 4, "16 × u64" 128, "64 bytes" 64 */
static size_t bytes_of(const char *type)
{
    size_t count = strtoul(type, NULL, 10);
    const char *u = strpbrk(type, "ui");
    return (count ? count : 1) * (u ? strtoul(u + 1, NULL, 10) / 8 : 1);
}

static char *page;

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen(SLAB_PAGE_FILE, "r");
    if (!file)
        return -1;
    page = calloc(1, 1 << 20);
    size_t length = page ? fread(page, 1, (1 << 20) - 1, file) : 0;
    fclose(file);
    return length > 0 ? 0 : -1;
}

static int drop_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

/* The section's text, up to the next heading; the caller frees it. */
static char *section_of(const char *heading)
{
    char line[128];
    snprintf(line, sizeof line, "\n## %s\n", heading);
    const char *begin = strstr(page, line);
    assert_non_null(begin);
    begin += strlen(line);
    const char *end = strstr(begin, "\n## ");
    return strndup(begin, end ? (size_t)(end - begin) : strlen(begin));
}

static void every_field_is_where_it_was_released(void **state)
{
    (void)state;
    for (int i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[i];
        if (f->offset != f->released || f->size != bytes_of(f->type))
            fail_msg("%s: %s is at %zu with %zu bytes, not at %zu as %s", f->section, f->name,
                     f->offset, f->size, f->released, f->type);
    }
    assert_int_equal(sizeof(struct slab_file), 448);
    assert_int_equal(sizeof(struct slab_control), 4096);
    assert_int_equal(sizeof(struct slab_reader_word), 64);
    assert_int_equal(sizeof(struct slab_thread), 256);
    assert_int_equal(sizeof(struct slab_chunk), 64);
    assert_int_equal(sizeof(struct slab_run_cell), 528);
    assert_int_equal(offsetof(struct slab_slot, payload), 80);
    assert_int_equal(slab_slots_offset(), 256);
    assert_int_equal(slab_ring_offset(128, 2176), 282624);
}

static void the_page_has_every_field_at_its_offset(void **state)
{
    (void)state;
    for (int i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[i];
        char row[128], *section = section_of(f->section);
        snprintf(row, sizeof row, "| %zu | %s | `%s` |", f->offset, f->type, f->name);
        if (!strstr(section, row))
            fail_msg("docs/format/slab.md, %s: expected a row \"%s\"", f->section, row);
        free(section);
    }
}

static void the_page_has_no_field_that_is_none(void **state)
{
    (void)state;
    size_t rows = 0, header = strlen("| offset | type | field |");
    for (const char *at = page; (at = strstr(at, "| offset | type | field |")); at += header) {
        const char *line = strchr(strchr(at, '\n') + 1, '\n') + 1; /* behind the rule */
        for (; *line == '|'; line = strchr(line, '\n') + 1)
            rows++;
    }
    assert_int_equal(rows, FIELDS);
}

static void numbers_are_as_released(void **state)
{
    (void)state;
    assert_memory_equal(&(uint64_t){SLAB_MAGIC}, "WEFTSLB1", 8);
    assert_int_equal(SLAB_VERSION, 1);
    assert_int_equal(SLAB_CLOCK_TSC, 1);
    assert_int_equal(SLAB_CLOCK_CNTVCT, 2);
    assert_int_equal(SLAB_RECORDING_OFF, 1);
    assert_int_equal(SLAB_RECORDING_RETIRED, 2);
    assert_int_equal(SLAB_SLOT_OPEN, 1);
    assert_int_equal(SLAB_SLOT_ENDING, 2);
    assert_int_equal(SLAB_ITEM_BYTES, 4);
    assert_int_equal(SLAB_ITEM_EVENT, 16);
    assert_int_equal(SLAB_ITEM_LINK, 17);
    assert_int_equal(SLAB_ITEM_STATUS_MESSAGE, 18);
    assert_int_equal(SLAB_ITEM_TRACESTATE, 19);
    assert_int_equal(SLAB_ITEM_PEER, 20);
    assert_int_equal(offsetof(struct slab_peer, peer_ip), 16);
    assert_int_equal(offsetof(struct slab_peer, local_port), 32);
    assert_int_equal(offsetof(struct slab_peer, peer_port), 34);
    assert_int_equal(SLAB_SPAN_MORE, 0x40);
    assert_int_equal(SPAN_FLAG_REMOTE_PARENT, 0x10);
    assert_int_equal(SPAN_FLAG_TRACESTATE, 0x20);
    assert_int_equal(SPAN_CONSUMER, 4);
    assert_int_equal(SPAN_ERROR, 2);
    assert_int_equal(SLAB_CHUNK_BYTES, 4096);
    assert_int_equal(SLAB_RUN_BUCKETS, 64);
    assert_int_equal(SLAB_COUNTER, 1);
    assert_int_equal(SLAB_HISTOGRAM, 3);
    assert_int_equal(SLAB_DESCRIPTION, 255);
    assert_int_equal(SLAB_CELL_COUNTER, 1);
    assert_int_equal(SLAB_CELL_GAUGE, 2);
    assert_int_equal(SLAB_CELL_GAUGE_ADD, 3);
    assert_int_equal(SLAB_CELL_HISTOGRAM, 4);
    assert_int_equal(SLAB_CELL_RUN, 5);
}

static void the_page_has_every_reason_of_a_service(void **state)
{
    (void)state;
    char *section = section_of("Losses");
    for (unsigned reason = 0; reason < SLAB_LOSS_REASONS; reason++) {
        char row[64];
        snprintf(row, sizeof row, "| %u | `%s` |", reason, loss_reason_name(reason));
        assert_int_equal(strstr(section, row) != NULL, loss_reason_name(reason)[0] != '?');
    }
    free(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_where_it_was_released),
        cmocka_unit_test(numbers_are_as_released),
        cmocka_unit_test(the_page_has_every_field_at_its_offset),
        cmocka_unit_test(the_page_has_no_field_that_is_none),
        cmocka_unit_test(the_page_has_every_reason_of_a_service),
    };
    return cmocka_run_group_tests(tests, read_page, drop_page);
}
