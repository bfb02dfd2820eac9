// SPDX-License-Identifier: Apache-2.0
/* The bytes of a block that stand at fixed places (docs/format/series.md), both ways. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_LAYOUT_H
#define WEFT_COLLECTOR_SERIES_DISK_LAYOUT_H

#include "collector/series/disk/block.h"

enum {
    BLOCK_HEADER_BYTES = 16,
    BLOCK_TRAILER_BYTES = 32,
    BLOCK_SUMMARY_BYTES = 160,
    BLOCK_PAGE_SERIES = 128,
    BLOCK_PAGE_VALUES = 64,
    BLOCK_PAGE_BYTES = 16 << 10, /* a page of values ends beyond */
    BLOCK_SERIES_COUNTS = 1      /* a series' flag */
};

struct block_page {
    uint64_t offset, checksum;
    uint32_t length;
    uint32_t first; /* number of its first series or value */
};

struct block_name {
    struct batch_str text;
    uint32_t values, first_page, pages;
};

struct footer_tables {
    struct block_page *series; /* pages */
    uint32_t series_pages;
    struct block_page *values; /* of all names, one name after the other */
    uint32_t value_pages;
    struct block_name *names; /* sorted */
    struct block_page metadata;
    char *text; /* of the names */
};

void block_header_put(uint8_t bytes[BLOCK_HEADER_BYTES]);
void block_summary_put(uint8_t bytes[BLOCK_SUMMARY_BYTES], const struct block_summary *s);
void block_trailer_put(struct column *footer);

/* BLOCK_OK, BLOCK_EDAMAGED with *why, BLOCK_EVERSION. */
int block_header_check(const uint8_t bytes[BLOCK_HEADER_BYTES], const char **why);
/* The footer's length. */
int block_trailer_get(const uint8_t bytes[BLOCK_TRAILER_BYTES], uint64_t file_bytes,
                      uint64_t *length, const char **why);
/* Footer and trailer, `length` bytes. */
int block_footer_get(const uint8_t *bytes, size_t length, uint64_t file_bytes,
                     struct block_summary *s, struct footer_tables *t, const char **why);
void footer_tables_fini(struct footer_tables *t);

#endif
