// SPDX-License-Identifier: Apache-2.0
/* What `weft top` shows: tables of services, caches, keys, patterns of keys or clients. Where they
 * come from is in top_collector.h and top_agent.h, in which order they are shown in top_order.h,
 * and how they look in top_layout.h and top_print.h.
 *
 * One thread at a time. */
#ifndef WEFT_CLI_TOP_ROWS_H
#define WEFT_CLI_TOP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum top_view { TOP_SERVICES, TOP_CACHES, TOP_KEYS, TOP_PATTERNS, TOP_CLIENTS, TOP_VIEWS };
enum { TOP_COLUMNS = 16 };

enum top_unit {
    TOP_TEXT,
    TOP_COUNT,
    TOP_RATE,       /* a second */
    TOP_SHARE,      /* 0 to 1 */
    TOP_BYTES,      /* of one */
    TOP_BYTES_RATE, /* a second */
    TOP_SECONDS,
    TOP_RATIO
};

/* In the order in which they are shown. The first is the row's name; where a screen is narrow the
 * last go first. */
struct top_column {
    const char *name;  /* in CSV, in JSON and for --sort: stable; NULL: no further ones */
    const char *title; /* on a screen */
    const char *keys;  /* letters that sort by it */
    enum top_unit unit;
    int width;
};

struct top_view_info {
    const char *name;  /* "keys" */
    const char *title; /* on a screen */
    int sorted_by;     /* at first */
    int column_count;
    struct top_column columns[TOP_COLUMNS];
};
const struct top_view_info *top_view_info(enum top_view view);
/* TOP_VIEWS: there is no such view. */
enum top_view top_view_of(const char *name);
/* By its name, or one of its letters (of either case). -1: the view has no such column. */
int top_column_of(enum top_view view, const char *name);
int top_column_of_letter(enum top_view view, char letter);

/* A cell holds a text or a number, as its column has it. */
struct top_row {
    char *texts[TOP_COLUMNS];    /* NULL: none. UTF-8 without control characters below U+0080 */
    double numbers[TOP_COLUMNS]; /* NAN: not known */
    long long id;                /* of a cache; 0: none */
};

enum { TOP_LINE = 256 };

/* NAN where it is not known, or means nothing for the view. */
struct top_totals {
    double seconds;      /* what the rows are of */
    double per_second;   /* calls, of all keys; commands of all caches; requests of all services */
    double distinct;     /* about how many keys there are */
    double error_most;   /* a row's count is too low by this at most */
    double rest;         /* what is in no row has this at most */
    double lost_packets; /* that the taps could not read, since they began */
    double lost_reports; /* that no agent took */
    double lost_spans;
};

struct top_table {
    enum top_view view;
    struct top_row *rows;
    size_t count, room;
    bool no_memory; /* rows are missing */
    uint64_t unix_ns;
    struct top_totals totals;
    /* The key with most calls, where the view is of caches or keys. */
    char hottest[TOP_LINE], hottest_in[TOP_LINE];
    double hottest_share, hottest_per_s;
};

/* Empty, all of its totals unknown. */
void top_table_init(struct top_table *t, enum top_view view);
void top_table_fini(struct top_table *t);
/* A row of nothing, valid until the next; NULL: no memory, which the table remembers. */
struct top_row *top_table_add(struct top_table *t);
void top_set_text(struct top_table *t, struct top_row *row, const char *column, const char *text,
                  size_t length);
void top_set_number(struct top_table *t, struct top_row *row, const char *column, double value);
const char *top_text_of(const struct top_table *t, const struct top_row *row, const char *column);
double top_number_of(const struct top_table *t, const struct top_row *row, const char *column);

/* Which key has most calls: kept as far as there is room. */
void top_set_hottest(struct top_table *t, const char *key, const char *in, double share,
                     double per_second);

#endif
