// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/batch.h"

enum { MAX_BYTES = 1 << 20 };

struct fixture {
    struct batch_builder *builder;
    struct buffer bytes;
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->builder = batch_builder_create();
    arena_init(&f->arena, 4096);
    *state = f;
    return f->builder ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    batch_builder_destroy(&f->builder);
    buffer_fini(&f->bytes);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static const struct batch *recode(struct fixture *f, int expected)
{
    int error = 1;
    buffer_clear(&f->bytes);
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    const struct batch *b =
        batch_decode(&f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error);
    assert_int_equal(error, expected);
    return b;
}

static uint32_t text(struct fixture *f, const char *s)
{
    return batch_string(f->builder, s, strlen(s));
}

static void add(struct fixture *f, const char *title)
{
    batch_mark_add(f->builder, &(struct batch_mark){.kind = BATCH_MARK_NOTIFICATION,
                                                    .severity = BATCH_MARK_FAILURE,
                                                    .unix_ns = 1700000000000000001u,
                                                    .title = text(f, title),
                                                    .text = text(f, "it is full"),
                                                    .host = text(f, "box7")});
}

static void a_mark_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 40; i++)
        add(f, i == 39 ? "the last" : "disk");
    assert_int_equal(batch_builder_marks(f->builder), 40);
    const struct batch *b = recode(f, BATCH_OK);
    assert_int_equal(b->mark_count, 40);
    const struct batch_mark_view *m = &b->marks[39];
    assert_int_equal(m->kind, BATCH_MARK_NOTIFICATION);
    assert_int_equal(m->severity, BATCH_MARK_FAILURE);
    assert_true(m->unix_ns == 1700000000000000001u);
    assert_true(batch_str_is(m->title, "the last"));
    assert_true(batch_str_is(m->text, "it is full"));
    assert_true(batch_str_is(m->host, "box7"));
    assert_int_equal(m->service.length, 0);
    assert_true(batch_str_is(b->marks[0].title, "disk"));
}

static void a_batch_of_marks_is_kept_with_the_samples(void **state)
{
    struct fixture *f = *state;
    assert_false(batch_is_samples(recode(f, BATCH_OK)));
    add(f, "disk");
    assert_true(batch_is_samples(recode(f, BATCH_OK)));
    batch_process(f->builder, &(struct batch_process_info){.service = "web"});
    assert_false(batch_is_samples(recode(f, BATCH_OK)));
}

static void a_batch_of_marks_takes_no_memory_of_the_spans(void **state)
{
    struct fixture *f = *state;
    struct arena spans;
    int error;
    arena_init(&spans, 4096);
    add(f, "disk");
    assert_non_null(recode(f, BATCH_OK));
    assert_non_null(
        batch_decode_apart(&spans, &f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error));
    assert_int_equal(spans.total_bytes, 0);
    arena_fini(&spans);
}

static void what_is_reset_is_gone(void **state)
{
    struct fixture *f = *state;
    add(f, "disk");
    batch_builder_reset(f->builder);
    assert_int_equal(recode(f, BATCH_OK)->mark_count, 0);
}

static void texts_and_severities_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    batch_mark_add(f->builder, &(struct batch_mark){.title = 1});
    assert_null(recode(f, BATCH_ECOLUMNS));
    batch_builder_reset(f->builder);
    batch_mark_add(f->builder, &(struct batch_mark){.service = 9});
    assert_null(recode(f, BATCH_ECOLUMNS));
    batch_builder_reset(f->builder);
    batch_mark_add(f->builder, &(struct batch_mark){.severity = BATCH_MARK_SEVERITIES});
    assert_null(recode(f, BATCH_ECOLUMNS));
}

static void severities_have_names(void **state)
{
    (void)state;
    assert_string_equal(batch_mark_severity_name(BATCH_MARK_OKAY), "okay");
    assert_string_equal(batch_mark_severity_name(BATCH_MARK_FAILURE), "failure");
    assert_string_equal(batch_mark_severity_name(99), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mark_comes_back_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_of_marks_is_kept_with_the_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_of_marks_takes_no_memory_of_the_spans, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_reset_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_and_severities_that_are_none_are_refused, setup,
                                        teardown),
        cmocka_unit_test(severities_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
