// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/cursors.h"
#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct gathered *found;

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_RING_BYTES", "65536", 1);
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    found = gathered_create();
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    gathered_destroy(found);
    fixture_end();
    return 0;
}

static struct recording_process *open_process(void)
{
    enum slab_error error;
    const char *why;
    int directory = open(fixture_directory, O_RDONLY | O_DIRECTORY);
    struct recording_process *p = recording_process_open(directory, fixture_file(0), &error, &why);
    close(directory);
    assert_non_null(p);
    return p;
}

/* What the agent that was killed had read, and spooled, but not given back. */
static void the_next_agent_goes_on_where_the_spool_says(void **state)
{
    (void)state;
    struct buffer table = {0};
    struct recording_process *p = open_process();
    found->count = 0;
    gather_rings(p->reader, found);
    assert_true(found->count >= 1);
    p->lost_reported[1] = 7;
    cursors_write(&table, p);
    recording_process_close(&p);

    weft_end(weft_begin(WEFT_NAME("second"), WEFT_INTERNAL));
    struct cursors *c = cursors_create();
    cursors_read(c, table.data, table.length);
    p = open_process();
    cursors_apply(c, p);
    assert_true(p->lost_reported[1] == 7);
    found->count = 0;
    gather_rings(p->reader, found);
    assert_int_equal(found->count, 1);
    assert_true(name_is(p->reader, found->all[0].span.name, "second"));
    recording_process_close(&p);
    cursors_destroy(&c);
    buffer_fini(&table);
}

static void the_latest_table_counts_and_torn_ones_are_passed_over(void **state)
{
    (void)state;
    struct buffer early = {0}, late = {0};
    struct recording_process *p = open_process();
    cursors_write(&early, p);
    gather_rings(p->reader, found);
    p->reaped = true;
    cursors_write(&late, p);
    uint64_t position = slab_position(p->reader, 0);
    recording_process_close(&p);

    for (size_t cut = 0; cut <= late.length; cut++) {
        struct cursors *c = cursors_create();
        cursors_read(c, early.data, early.length);
        cursors_read(c, late.data, cut);
        p = open_process();
        cursors_apply(c, p);
        assert_int_equal(p->reaped, cut == late.length);
        assert_true(cut < late.length || slab_position(p->reader, 0) == position);
        recording_process_close(&p);
        cursors_destroy(&c);
    }
    buffer_fini(&early);
    buffer_fini(&late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_agent_goes_on_where_the_spool_says),
        cmocka_unit_test(the_latest_table_counts_and_torn_ones_are_passed_over),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
