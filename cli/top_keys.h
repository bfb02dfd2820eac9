// SPDX-License-Identifier: Apache-2.0
/* What the keyboard does to `weft top`: a state that changes by keys, as curses numbers them. It
 * draws nothing and asks nobody. */
#ifndef WEFT_CLI_TOP_KEYS_H
#define WEFT_CLI_TOP_KEYS_H

#include "cli/top_rows.h"

enum { TOP_FILTER = 64, TOP_KEY_ESCAPE = 27 };

struct top_state {
    enum top_view view;
    int column[TOP_VIEWS]; /* that sorts */
    bool reversed[TOP_VIEWS];
    char filter[TOP_FILTER];
    bool typing;            /* the filter */
    char cache[128];        /* as top_question has it */
    char cache_title[128];  /* the same for people */
    size_t first, selected; /* of the rows in their order */
    bool paused, help;
    double interval_s;
};

enum top_action {
    TOP_NOTHING,
    TOP_DRAW, /* it looks different */
    TOP_ASK,  /* other rows are wanted, now */
    TOP_QUIT
};

/* What there is to move in. */
struct top_extent {
    size_t rows, page;              /* all; that are seen at a time */
    const struct top_row *selected; /* NULL: none */
};

void top_state_init(struct top_state *s, enum top_view view);
enum top_action top_key(struct top_state *s, int key, const struct top_extent *extent);
/* There are so many rows now: what is selected stays among them, and in sight. */
void top_state_fit(struct top_state *s, size_t rows, size_t page);

#endif
