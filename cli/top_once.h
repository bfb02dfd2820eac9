// SPDX-License-Identifier: Apache-2.0
/* `weft top --once`, --csv and --json: asked, printed, done. */
#ifndef WEFT_CLI_TOP_ONCE_H
#define WEFT_CLI_TOP_ONCE_H

#include "cli/top_source.h"

enum top_form { TOP_FOR_PEOPLE, TOP_CSV, TOP_JSON };

struct top_once {
    enum top_form form;
    bool all_views; /* for people alone */
    enum top_view view;
    int column; /* that sorts */
    bool reversed;
    const char *filter, *cache;
    size_t count; /* of rows, at most */
    double seconds;
};

/* The exit status: 1 where the source does not answer. */
int top_once(struct top_source *source, const struct top_once *once);

#endif
