// SPDX-License-Identifier: Apache-2.0
/* The screen of `weft top`, by curses: whatever its size, as much as there is room for, from the
 * most important on. One thread. */
#ifndef WEFT_CLI_TOP_SCREEN_H
#define WEFT_CLI_TOP_SCREEN_H

#include "cli/top_keys.h"
#include "cli/top_layout.h"

struct top_picture {
    const char *source;
    const struct top_state *state;
    const struct top_table *table; /* NULL: nothing came yet */
    const struct top_order *order;
    const uint32_t *rows;
    size_t count;
    const char *trouble; /* "": none */
};

/* Whether standard output and input are a terminal that can be drawn on; where not, a sentence. */
bool top_screen_open(char *why, size_t why_size);
void top_screen_close(void);
/* The next key; -1: none waits. */
int top_screen_key(void);
/* How many rows are seen at a time. */
size_t top_screen_page(void);
void top_screen_draw(const struct top_picture *p);

#endif
