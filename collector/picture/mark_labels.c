// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/mark_labels.h"

static const double margin = MARK_LABEL_GAP / 2.0; /* between a line and a text */

/* Whether the text of `l` would lie on the line of `other`, if that went up so far. Marks of one
 * moment share their line. */
static bool covers(const struct mark_label *l, const struct mark_label *other)
{
    return other->x > l->left - margin && other->x < l->left + l->width + margin;
}

static bool overlap(const struct mark_label *a, const struct mark_label *b)
{
    return a->left < b->left + b->width + MARK_LABEL_GAP &&
           b->left < a->left + a->width + MARK_LABEL_GAP;
}

/* From the right: who follows one that hangs to the left and lies on his line hangs there too, so
 * that no two lie on each other's line. */
static bool choose_sides(struct mark_label *list, size_t count, double from, double to)
{
    for (size_t i = count; i-- > 0;) {
        struct mark_label *l = &list[i], *next = i + 1 < count ? &list[i + 1] : NULL;
        bool hangs = next && next->left < next->x && covers(next, l);
        l->left = l->x + margin;
        if (hangs || l->left + l->width > to)
            l->left = l->x - l->width - margin;
        if (l->left < from)
            return false;
    }
    return true;
}

/* Raises what lies on a lower one's line, or on its text. True: something was raised. */
static bool raise(struct mark_label *list, size_t count)
{
    bool raised = false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            if (i == k)
                continue;
            bool on_line = covers(&list[i], &list[k]) && list[i].row <= list[k].row;
            bool on_text = i < k && list[i].row == list[k].row && overlap(&list[i], &list[k]) &&
                           !covers(&list[k], &list[i]);
            if (on_line || on_text) {
                list[i].row = list[k].row + 1;
                raised = true;
            }
        }
    return raised;
}

bool mark_labels_place(struct mark_label *list, size_t count, double from, double to, int rows)
{
    if (!choose_sides(list, count, from, to))
        return false;
    for (size_t i = 0; i < count; i++)
        list[i].row = 0;
    while (raise(list, count))
        for (size_t i = 0; i < count; i++)
            if (list[i].row >= rows)
                return false;
    return rows > 0 || count == 0;
}

void mark_labels_place_numbers(struct mark_label *list, size_t count, int rows)
{
    for (size_t i = 0; i < count; i++) {
        struct mark_label *l = &list[i];
        l->left = l->x - l->width / 2;
        l->row = MARK_LABEL_UNPLACED;
        for (int row = 0; row < rows && l->row == MARK_LABEL_UNPLACED; row++) {
            bool free = true;
            for (size_t k = 0; k < i && free; k++)
                free = list[k].row != row || list[k].left + list[k].width + 2 <= l->left;
            if (free)
                l->row = row;
        }
    }
}
