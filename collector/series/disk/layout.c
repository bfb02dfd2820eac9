// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/layout.h"

#include <stdlib.h>
#include <xxhash.h>

#include "lib/base/little_endian.h"

static const char magic[8] = {'w', 'e', 'f', 't', 's', 'e', 'r', 'i'};

void block_header_put(uint8_t bytes[BLOCK_HEADER_BYTES])
{
    memcpy(bytes, magic, sizeof magic);
    put_u32(bytes + 8, BLOCK_FORMAT_VERSION);
    put_u32(bytes + 12, 0);
}

int block_header_check(const uint8_t bytes[BLOCK_HEADER_BYTES], const char **why)
{
    *why = "the header at byte 0: not a block of series";
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return BLOCK_EDAMAGED;
    if (get_u32(bytes + 8) > BLOCK_FORMAT_VERSION)
        return BLOCK_EVERSION;
    *why = "the header at byte 8: no version";
    return get_u32(bytes + 8) == BLOCK_FORMAT_VERSION && get_u32(bytes + 12) == 0 ? BLOCK_OK
                                                                                  : BLOCK_EDAMAGED;
}

/* ---- summary ----------------------------------------------------------------------------- */

struct field {
    uint16_t at;
    uint16_t offset;
};
#define FIELD(at, name)                                                                            \
    {                                                                                              \
        at, offsetof(struct block_summary, name)                                                   \
    }
static const struct field fields[] = {
    FIELD(0, first),
    FIELD(8, last),
    FIELD(16, samples),
    FIELD(24, accepted),
    FIELD(32, samples_before),
    FIELD(40, chunks),
    FIELD(48, chunk_bytes),
    FIELD(56, ledger_end.segment),
    FIELD(64, ledger_end.offset),
    FIELD(72, ledger_begun_unix_ns),
    FIELD(80, created_unix_ns),
    FIELD(88, min_ms),
    FIELD(96, max_ms),
    FIELD(104, cleaned),
};
enum { FIELDS = sizeof fields / sizeof *fields, AT_SERIES = 112, AT_NAMES = 116 };

void block_summary_put(uint8_t bytes[BLOCK_SUMMARY_BYTES], const struct block_summary *s)
{
    memset(bytes, 0, BLOCK_SUMMARY_BYTES);
    for (size_t i = 0; i < FIELDS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)s + fields[i].offset, sizeof value);
        put_u64(bytes + fields[i].at, value);
    }
    put_u32(bytes + AT_SERIES, s->series);
    put_u32(bytes + AT_NAMES, s->names);
}

static void summary_get(const uint8_t *bytes, struct block_summary *s)
{
    for (size_t i = 0; i < FIELDS; i++) {
        uint64_t value = get_u64(bytes + fields[i].at);
        memcpy((char *)s + fields[i].offset, &value, sizeof value);
    }
    s->series = get_u32(bytes + AT_SERIES);
    s->names = get_u32(bytes + AT_NAMES);
}

/* ---- trailer ----------------------------------------------------------------------------- */

void block_trailer_put(struct column *footer)
{
    size_t length = footer->length;
    column_put_fixed(footer, length, 8);
    column_put_fixed(footer, BLOCK_FORMAT_VERSION, 4);
    column_put_fixed(footer, 0, 4);
    column_put_bytes(footer, magic, sizeof magic);
    if (!footer->failed)
        column_put_fixed(footer, XXH3_64bits(footer->bytes, footer->length), 8);
}

int block_trailer_get(const uint8_t bytes[BLOCK_TRAILER_BYTES], uint64_t file_bytes,
                      uint64_t *length, const char **why)
{
    *why = "the trailer: not one";
    if (memcmp(bytes + 16, magic, sizeof magic) != 0)
        return BLOCK_EDAMAGED;
    if (get_u32(bytes + 8) > BLOCK_FORMAT_VERSION)
        return BLOCK_EVERSION;
    *length = get_u64(bytes);
    if (*length < BLOCK_SUMMARY_BYTES ||
        *length > file_bytes - BLOCK_HEADER_BYTES - BLOCK_TRAILER_BYTES)
        return BLOCK_EDAMAGED;
    return BLOCK_OK;
}

/* ---- tables ------------------------------------------------------------------------------ */

void footer_tables_fini(struct footer_tables *t)
{
    free(t->series);
    free(t->values);
    free(t->names);
    free(t->text);
}

/* Pages stand one behind the other. */
static void page_get(struct column_reader *in, struct block_page *p, uint64_t *offset, uint64_t end)
{
    p->offset = *offset;
    uint64_t length = column_get(in);
    p->checksum = column_get_fixed(in, 8);
    in->bad |= length > UINT32_MAX || length > end - *offset;
    if (in->bad)
        return;
    p->length = (uint32_t)length;
    *offset += length;
}

static int series_pages_get(struct column_reader *in, const struct block_summary *s,
                            struct footer_tables *t, uint64_t *offset, uint64_t end)
{
    t->series_pages = (s->series + BLOCK_PAGE_SERIES - 1) / BLOCK_PAGE_SERIES;
    if (t->series_pages > column_left(in) / 9)
        return BLOCK_EDAMAGED;
    t->series = calloc((size_t)t->series_pages + 1, sizeof *t->series);
    if (!t->series)
        return BLOCK_ENOMEM;
    for (uint32_t i = 0; i < t->series_pages && !in->bad; i++) {
        t->series[i].first = i * BLOCK_PAGE_SERIES;
        page_get(in, &t->series[i], offset, end);
    }
    return in->bad ? BLOCK_EDAMAGED : BLOCK_OK;
}

/* Texts first: they are copied in one piece. */
static int names_get(struct column_reader *in, const struct block_summary *s,
                     struct footer_tables *t)
{
    uint32_t length = column_get_below(in, column_left(in) + 1);
    if (in->bad || length > column_left(in) || s->names > column_left(in))
        return BLOCK_EDAMAGED;
    t->text = malloc(length + 1U);
    t->names = calloc((size_t)s->names + 1, sizeof *t->names);
    if (!t->text || !t->names)
        return BLOCK_ENOMEM;
    memcpy(t->text, in->next, length);
    in->next += length;
    uint32_t at = 0;
    for (uint32_t i = 0; i < s->names && !in->bad; i++) {
        uint32_t n = column_get_below(in, (uint64_t)length - at + 1);
        t->names[i].text = (struct batch_str){t->text + at, n};
        at += n;
        in->bad |= i > 0 && batch_str_compare(t->names[i - 1].text, t->names[i].text) >= 0;
    }
    return in->bad || at != length ? BLOCK_EDAMAGED : BLOCK_OK;
}

static int value_pages_get(struct column_reader *in, const struct block_summary *s,
                           struct footer_tables *t, uint64_t *offset, uint64_t end)
{
    t->value_pages = column_get_below(in, column_left(in) / 10 + 1);
    if (in->bad)
        return BLOCK_EDAMAGED;
    t->values = calloc((size_t)t->value_pages + 1, sizeof *t->values);
    if (!t->values)
        return BLOCK_ENOMEM;
    uint32_t next = 0;
    for (uint32_t i = 0; i < s->names && !in->bad; i++) {
        struct block_name *name = &t->names[i];
        name->first_page = next;
        name->pages = column_get_below(in, (uint64_t)t->value_pages - next + 1);
        for (uint32_t p = 0; p < name->pages && !in->bad; p++, next++) {
            t->values[next].first = name->values;
            name->values += column_get_below(in, BLOCK_PAGE_VALUES + 1);
            page_get(in, &t->values[next], offset, end);
        }
    }
    return in->bad || next != t->value_pages ? BLOCK_EDAMAGED : BLOCK_OK;
}

static int tables_get(struct column_reader *in, const struct block_summary *s,
                      struct footer_tables *t, uint64_t end, const char **why)
{
    uint64_t offset = BLOCK_HEADER_BYTES + s->chunk_bytes;
    *why = "the footer: its pages do not fill the file";
    if (s->chunk_bytes > end - BLOCK_HEADER_BYTES)
        return BLOCK_EDAMAGED;
    int error = series_pages_get(in, s, t, &offset, end);
    if (error == BLOCK_OK) {
        *why = "the footer: its names";
        error = names_get(in, s, t);
    }
    if (error == BLOCK_OK) {
        *why = "the footer: its pages of values";
        error = value_pages_get(in, s, t, &offset, end);
    }
    if (error != BLOCK_OK)
        return error;
    page_get(in, &t->metadata, &offset, end);
    *why = "the footer: it does not end where it should";
    return in->bad || in->next != in->end || offset != end ? BLOCK_EDAMAGED : BLOCK_OK;
}

int block_footer_get(const uint8_t *bytes, size_t length, uint64_t file_bytes,
                     struct block_summary *s, struct footer_tables *t, const char **why)
{
    *why = "the footer: its checksum does not hold";
    if (get_u64(bytes + length - 8) != XXH3_64bits(bytes, length - 8))
        return BLOCK_EDAMAGED;
    summary_get(bytes, s);
    s->file_bytes = file_bytes;
    *why = "the footer: its numbers contradict each other";
    if (s->first > s->last || (s->samples > 0 && s->min_ms > s->max_ms))
        return BLOCK_EDAMAGED;
    struct column_reader in = {bytes + BLOCK_SUMMARY_BYTES, bytes + length - BLOCK_TRAILER_BYTES,
                               false};
    return tables_get(&in, s, t, file_bytes - length, why);
}
