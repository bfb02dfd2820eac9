// SPDX-License-Identifier: Apache-2.0
/* Where the labels of marks stand above a plot, so that none lies on another or on the line of
 * another mark. A label begins at its mark's line like a flag; where there is no room to the right
 * of it, it hangs to the left. Rows are counted from the plot, 0 the lowest: a line reaches up to
 * its label's row.
 *
 *     cell 1.5.0            row 1: its text passes over the line of the next
 *     │    web 2.0          row 0
 *     │    │
 *
 * Pure geometry, in pixels. */
#ifndef WEFT_COLLECTOR_PICTURE_MARK_LABELS_H
#define WEFT_COLLECTOR_PICTURE_MARK_LABELS_H

#include <stdbool.h>
#include <stddef.h>

enum { MARK_LABEL_UNPLACED = -1, MARK_LABEL_GAP = 7 };

struct mark_label {
    double x, width; /* of its mark's line; of the text */
    double left;     /* set: where the text begins */
    int row;         /* set */
};

/* Flags, of marks rising in x, within [from, to]. False: they need more rows. */
bool mark_labels_place(struct mark_label *list, size_t count, double from, double to, int rows);
/* Short ones, each upon its line; who has no place in any row is MARK_LABEL_UNPLACED. */
void mark_labels_place_numbers(struct mark_label *list, size_t count, int rows);

#endif
