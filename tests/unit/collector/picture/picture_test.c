// SPDX-License-Identifier: Apache-2.0
/* Pictures: their size and kind, what an SVG says in words, foreign names, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>

#include "collector/picture/picture.h"
#include "collector/picture/text.h"

/* Fonts that were found stay until the process ends, and librrd forgets some bytes of each legend:
 * neither is ours. To see whose it is, stacks must be walked through libraries without frames. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\nleak:librrd\n";
}

/* Fonts are looked for by threads of pango's, whose locks are not seen there. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libfontconfig\nrace:libpango\nrace:libglib\nrace:libcairo\n";
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "fast_unwind_on_malloc=0";
}

enum { STEPS = 60 };
#define BASE_S INT64_C(1763761200)

static double rising[STEPS], gaps[STEPS];
static const struct picture_mark deploy = {BASE_S + 600, "web 2.1 <beta>", true};

static struct picture sound(struct picture_series *series)
{
    for (int i = 0; i < STEPS; i++) {
        rising[i] = i;
        gaps[i] = i % 7 == 0 ? NAN : 10;
    }
    series[0] = (struct picture_series){"a:b\\c\n\xff%s <x>", rising};
    series[1] = (struct picture_series){"größer", gaps};
    return (struct picture){.stack = true,
                            .width = 640,
                            .height = 300,
                            .title = "Requests: 100 % & more",
                            .start_s = BASE_S,
                            .step_s = 60,
                            .steps = STEPS,
                            .series = series,
                            .series_count = 2,
                            .marks = &deploy,
                            .mark_count = 1};
}

static void draw(const struct picture *p, struct buffer *out)
{
    char why[300] = "";
    if (picture_draw(p, out, why, sizeof why) != 0)
        fail_msg("%s", why);
}

static unsigned big_endian(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static void a_png_has_the_size_that_was_asked(void **state)
{
    (void)state;
    struct picture_series series[2];
    struct picture p = sound(series);
    for (int i = 0; i < 4; i++) {
        struct buffer out = {0};
        p.stack = i & 1;
        p.dark = i & 2;
        draw(&p, &out);
        assert_memory_equal(out.data, "\x89PNG\r\n\x1a\n", 8);
        assert_int_equal(big_endian(out.data + 16), 640);
        assert_int_equal(big_endian(out.data + 20), 300);
        buffer_fini(&out);
    }
}

static void an_svg_has_its_words_too(void **state)
{
    (void)state;
    struct picture_series series[2];
    struct picture p = sound(series);
    struct buffer out = {0};
    p.svg = true;
    draw(&p, &out);
    const char *text = buffer_cstring(&out);
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "<title>Requests: 100 % &amp; more</title>"));
    assert_non_null(strstr(text, "web 2.1 &lt;beta&gt;"));
    assert_non_null(strstr(text, "größer"));
    assert_non_null(strstr(text, "a:b?c??%s &lt;x&gt;"));
    buffer_fini(&out);
}

static void nothing_to_show_is_a_picture_too(void **state)
{
    (void)state;
    struct picture_series series[2];
    struct picture p = sound(series);
    struct buffer out = {0};
    p.series_count = p.mark_count = 0;
    draw(&p, &out);
    assert_memory_equal(out.data, "\x89PNG", 4);
    buffer_fini(&out);
}

static void parts_of_a_second_are_shown_in_milliseconds(void **state)
{
    (void)state;
    struct picture_series series[2];
    struct picture p = sound(series);
    struct buffer of_seconds = {0}, of_milliseconds = {0};
    double seconds[STEPS];
    for (int i = 0; i < STEPS; i++)
        seconds[i] = rising[i] / 1000;
    p.series_count = 1;
    p.unit = "milliseconds";
    draw(&p, &of_milliseconds);
    series[0].value = seconds;
    p.unit = "seconds";
    draw(&p, &of_seconds);
    assert_int_equal(of_seconds.length, of_milliseconds.length);
    assert_memory_equal(of_seconds.data, of_milliseconds.data, of_seconds.length);
    buffer_fini(&of_seconds);
    buffer_fini(&of_milliseconds);
}

static void what_is_beyond_the_limits_is_refused(void **state)
{
    (void)state;
    struct picture_series series[2];
    for (int i = 0; i < 5; i++) {
        struct picture p = sound(series);
        struct buffer out = {0};
        char why[300] = "";
        if (i == 0)
            p.width = PICTURE_WIDTH_MOST + 1;
        else if (i == 1)
            p.steps = PICTURE_STEPS_MOST + 1;
        else if (i == 2)
            p.start_s += 7;
        else if (i == 3)
            p.mark_count = PICTURE_MARKS_MOST + 1;
        else
            p.series_count = PICTURE_SERIES_MOST + 1;
        assert_int_equal(picture_draw(&p, &out, why, sizeof why), -1);
        assert_true(*why);
        buffer_fini(&out);
    }
}

static void *draw_some(void *context)
{
    for (int i = 0; i < 5; i++) {
        struct buffer out = {0};
        draw(context, &out);
        buffer_fini(&out);
    }
    return NULL;
}

static void several_may_be_asked_at_a_time(void **state)
{
    (void)state;
    struct picture_series series[2];
    struct picture p = sound(series);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_some, &p), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

static void long_names_are_cut_and_colons_escaped(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1024);
    assert_string_equal(text_shown(&a, "abcdef", 4, true), "abc…");
    assert_string_equal(text_shown(&a, "ab:d", 4, true), "ab\\:d");
    assert_string_equal(text_shown(&a, "ab:d", 4, false), "ab:d");
    assert_string_equal(text_padded(&a, "ä", 3), "ä  ");
    assert_string_equal(text_shown(&a, "\xe2\x82", 4, false), "??");
    assert_int_equal(text_characters("größer"), 6);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_png_has_the_size_that_was_asked),
        cmocka_unit_test(an_svg_has_its_words_too),
        cmocka_unit_test(nothing_to_show_is_a_picture_too),
        cmocka_unit_test(parts_of_a_second_are_shown_in_milliseconds),
        cmocka_unit_test(what_is_beyond_the_limits_is_refused),
        cmocka_unit_test(several_may_be_asked_at_a_time),
        cmocka_unit_test(long_names_are_cut_and_colons_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
