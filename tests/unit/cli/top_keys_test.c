// SPDX-License-Identifier: Apache-2.0
#include "cli/top_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <string.h>

static const struct top_extent nothing = {0};

static enum top_action press(struct top_state *s, int key)
{
    return top_key(s, key, &nothing);
}

static const char *sorted_by(const struct top_state *s)
{
    return top_view_info(s->view)->columns[s->column[s->view]].name;
}

static void letters_sort_toggle_and_quit_as_in_memkeys(void **state)
{
    struct top_state s;
    static const struct {
        int key;
        const char *column;
    } keys[] = {{'S', "size_bytes"}, {'r', "requests_per_s"}, {'B', "bytes_per_s"}, {'M', "misses"},
                {'N', "key"},        {'c', "calls"}};
    (void)state;
    top_state_init(&s, TOP_KEYS);
    assert_string_equal(sorted_by(&s), "calls");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        assert_int_equal(press(&s, keys[i].key), TOP_ASK);
        assert_string_equal(sorted_by(&s), keys[i].column);
    }
    assert_int_equal(press(&s, 'T'), TOP_DRAW);
    assert_true(s.reversed[TOP_KEYS]);
    press(&s, 'S'); /* another column begins with the largest */
    assert_false(s.reversed[TOP_KEYS]);
    assert_int_equal(press(&s, 'Q'), TOP_QUIT);
    assert_int_equal(press(&s, 'q'), TOP_QUIT);
    assert_int_equal(press(&s, 'Z'), TOP_NOTHING);
}

static void each_view_remembers_how_it_is_sorted(void **state)
{
    struct top_state s;
    (void)state;
    top_state_init(&s, TOP_SERVICES);
    assert_int_equal(press(&s, 'L'), TOP_ASK);
    assert_int_equal(press(&s, '3'), TOP_ASK);
    assert_int_equal(s.view, TOP_KEYS);
    assert_string_equal(sorted_by(&s), "calls");
    assert_int_equal(press(&s, 'B'), TOP_ASK);
    press(&s, '\t');
    press(&s, '\t');
    assert_int_equal(s.view, TOP_CLIENTS);
    press(&s, '\t');
    assert_int_equal(s.view, TOP_SERVICES);
    assert_string_equal(sorted_by(&s), "p99_seconds");
    press(&s, KEY_BTAB);
    assert_int_equal(s.view, TOP_CLIENTS);
}

static void what_is_selected_stays_in_sight(void **state)
{
    struct top_state s;
    const struct top_extent e = {.rows = 25, .page = 10};
    (void)state;
    top_state_init(&s, TOP_KEYS);
    for (int i = 0; i < 12; i++)
        assert_int_equal(top_key(&s, KEY_DOWN, &e), TOP_DRAW);
    assert_int_equal(s.selected, 12);
    assert_int_equal(s.first, 3);
    top_key(&s, KEY_END, &e);
    assert_int_equal(s.selected, 24);
    assert_int_equal(s.first, 15);
    top_key(&s, KEY_NPAGE, &e);
    assert_int_equal(s.selected, 24);
    top_key(&s, KEY_PPAGE, &e);
    top_key(&s, KEY_UP, &e);
    assert_int_equal(s.selected, 13);
    assert_int_equal(s.first, 13);
    top_state_fit(&s, 5, 10); /* rows went */
    assert_int_equal(s.selected, 4);
    assert_int_equal(s.first, 0);
    top_state_fit(&s, 0, 0);
    assert_int_equal(s.selected, 0);
    top_key(&s, KEY_HOME, &nothing);
    top_key(&s, KEY_DOWN, &nothing);
    assert_int_equal(s.selected, 0);
}

static void a_filter_is_typed_and_its_letters_command_nothing(void **state)
{
    struct top_state s;
    (void)state;
    top_state_init(&s, TOP_KEYS);
    press(&s, '/');
    for (const char *c = "qT\xc3\xa9"; *c; c++)
        assert_int_equal(press(&s, (unsigned char)*c), TOP_DRAW);
    assert_string_equal(s.filter, "qT\xc3\xa9");
    press(&s, KEY_BACKSPACE);
    assert_string_equal(s.filter, "qT");
    assert_int_equal(press(&s, 3), TOP_NOTHING);
    press(&s, '\n');
    assert_false(s.typing);
    assert_string_equal(s.filter, "qT");
    assert_int_equal(press(&s, TOP_KEY_ESCAPE), TOP_DRAW);
    assert_string_equal(s.filter, "");
    press(&s, '/');
    for (int i = 0; i < 200; i++)
        press(&s, 'x');
    assert_int_equal(strlen(s.filter), TOP_FILTER - 1);
    press(&s, TOP_KEY_ESCAPE);
    assert_string_equal(s.filter, "");
}

static void enter_goes_into_a_cache_and_escape_out_of_it(void **state)
{
    struct top_state s;
    struct top_row row = {.texts = {(char *)(uintptr_t) "10.0.0.5:6379"}, .id = 7};
    struct top_extent e = {.rows = 1, .page = 5, .selected = &row};
    (void)state;
    top_state_init(&s, TOP_CACHES);
    strcpy(s.filter, "10.0"); /* it is about caches */
    assert_int_equal(top_key(&s, '\n', &e), TOP_ASK);
    assert_string_equal(s.filter, "");
    assert_int_equal(s.view, TOP_KEYS);
    assert_string_equal(s.cache, "7");
    assert_string_equal(s.cache_title, "10.0.0.5:6379");
    assert_int_equal(top_key(&s, '\n', &e), TOP_NOTHING); /* of a key there is no more */
    assert_int_equal(top_key(&s, TOP_KEY_ESCAPE, &e), TOP_ASK);
    assert_int_equal(s.view, TOP_CACHES);
    assert_string_equal(s.cache, "");
    row.id = 0; /* an agent's have no numbers */
    top_key(&s, KEY_ENTER, &e);
    assert_string_equal(s.cache, "10.0.0.5:6379");
}

static void pause_help_and_interval(void **state)
{
    struct top_state s;
    (void)state;
    top_state_init(&s, TOP_KEYS);
    assert_int_equal(press(&s, 'P'), TOP_DRAW);
    assert_true(s.paused);
    assert_int_equal(press(&s, 'P'), TOP_ASK);
    press(&s, '?');
    assert_true(s.help);
    press(&s, TOP_KEY_ESCAPE);
    assert_false(s.help);
    assert_int_equal(press(&s, '+'), TOP_DRAW);
    assert_true(s.interval_s == 5);
    for (int i = 0; i < 9; i++)
        press(&s, '-');
    assert_true(s.interval_s == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_sort_toggle_and_quit_as_in_memkeys),
        cmocka_unit_test(each_view_remembers_how_it_is_sorted),
        cmocka_unit_test(what_is_selected_stays_in_sight),
        cmocka_unit_test(a_filter_is_typed_and_its_letters_command_nothing),
        cmocka_unit_test(enter_goes_into_a_cache_and_escape_out_of_it),
        cmocka_unit_test(pause_help_and_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
