// SPDX-License-Identifier: Apache-2.0
/* Labels of marks: none lies on another or on another mark's line, none leaves the picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "collector/picture/mark_labels.h"

enum { WIDTH = 1000, MOST = 12 };

static double right(const struct mark_label *l)
{
    return l->left + l->width;
}

static void assert_readable(const struct mark_label *list, size_t count, int rows)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(list[i].row >= 0 && list[i].row < rows);
        assert_true(list[i].left >= 0 && right(&list[i]) <= WIDTH);
        for (size_t k = 0; k < count; k++) {
            if (k == i)
                continue;
            bool beside = right(&list[i]) <= list[k].left || right(&list[k]) <= list[i].left;
            assert_true(beside || list[i].row != list[k].row);
            bool on_line = list[k].x > list[i].left && list[k].x < right(&list[i]);
            assert_false(on_line && list[k].row >= list[i].row);
        }
    }
}

static void a_label_stands_right_of_its_line(void **state)
{
    (void)state;
    struct mark_label l = {.x = 300, .width = 80};
    assert_true(mark_labels_place(&l, 1, 0, WIDTH, 1));
    assert_int_equal(l.row, 0);
    assert_true(l.left > 300 && l.left < 310);
}

static void a_label_at_the_edge_hangs_to_the_left(void **state)
{
    (void)state;
    struct mark_label list[3] = {
        {.x = 940, .width = 80}, {.x = 970, .width = 80}, {.x = 995, .width = 80}};
    assert_true(mark_labels_place(list, 3, 0, WIDTH, 3));
    assert_readable(list, 3, 3);
    assert_true(right(&list[0]) < 940 && right(&list[2]) < 995);
}

static void neighbours_become_a_staircase(void **state)
{
    (void)state;
    struct mark_label list[3] = {
        {.x = 300, .width = 80}, {.x = 320, .width = 80}, {.x = 340, .width = 80}};
    assert_true(mark_labels_place(list, 3, 0, WIDTH, 3));
    assert_readable(list, 3, 3);
    assert_int_equal(list[0].row, 2);
    assert_int_equal(list[2].row, 0);
    assert_false(mark_labels_place(list, 3, 0, WIDTH, 2));
}

static void marks_of_one_moment_stand_on_one_line(void **state)
{
    (void)state;
    struct mark_label list[2] = {{.x = 300, .width = 80}, {.x = 300, .width = 60}};
    assert_true(mark_labels_place(list, 2, 0, WIDTH, 2));
    assert_readable(list, 2, 2);
}

static int by_x(const void *a, const void *b)
{
    const struct mark_label *l = a, *r = b;
    return l->x < r->x ? -1 : l->x > r->x;
}

static void whatever_has_room_can_be_read(void **state)
{
    (void)state;
    size_t placed = 0;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct mark_label list[MOST];
        size_t count = 1 + (size_t)rand() % MOST;
        int rows = 1 + rand() % 3;
        for (size_t i = 0; i < count; i++)
            list[i] = (struct mark_label){.x = rand() % WIDTH, .width = 20 + rand() % 150};
        qsort(list, count, sizeof *list, by_x);
        if (!mark_labels_place(list, count, 0, WIDTH, rows))
            continue;
        placed++;
        assert_readable(list, count, rows);
    }
    assert_true(placed > 4000);
}

static void numbers_without_room_are_left_out(void **state)
{
    (void)state;
    struct mark_label list[4] = {{.x = 300, .width = 16},
                                 {.x = 303, .width = 16},
                                 {.x = 306, .width = 16},
                                 {.x = 400, .width = 16}};
    mark_labels_place_numbers(list, 4, 2);
    assert_int_equal(list[0].row, 0);
    assert_int_equal(list[1].row, 1);
    assert_int_equal(list[2].row, MARK_LABEL_UNPLACED);
    assert_int_equal(list[3].row, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_stands_right_of_its_line),
        cmocka_unit_test(a_label_at_the_edge_hangs_to_the_left),
        cmocka_unit_test(neighbours_become_a_staircase),
        cmocka_unit_test(marks_of_one_moment_stand_on_one_line),
        cmocka_unit_test(whatever_has_room_can_be_read),
        cmocka_unit_test(numbers_without_room_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
