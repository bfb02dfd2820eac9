// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "tests/unit/client/recording.h"

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SLOTS", "8", 1);
    setenv("WEFT_RING_BYTES", "65536", 1);
    setenv("WEFT_SERVICE", "feed", 1);
    return recording_begin();
}

static void sweep(void)
{
    assert_int_equal(gather_rings(reader, found), SLAB_OK);
    assert_int_equal(slab_release(reader), SLAB_OK);
}

static void ended_span_is_in_the_ring_with_all_that_it_says(void **state)
{
    (void)state;
    weft_span span = weft_begin(WEFT_NAME("GET /dashboard"), WEFT_SERVER);
    weft_set_int(span, WEFT_NAME("user.id"), -42);
    weft_set_string(span, WEFT_NAME("route"), "/dash");
    weft_set_double(span, WEFT_NAME("score"), 0.25);
    weft_set_bool(span, WEFT_NAME("hit"), 7);
    weft_set_bytes(span, WEFT_NAME("key"), "\0\1\2", 3);
    weft_set_status(span, WEFT_ERROR, "no such user");
    weft_end(span);
    sweep();

    assert_int_equal(found->count, 1);
    struct seen *s = &found->all[0];
    assert_false(s->open);
    assert_true(s->span.span_id == span.id);
    assert_true(s->span.parent_id == 0);
    assert_int_equal(s->span.kind, WEFT_SERVER);
    assert_int_equal(s->span.status, WEFT_ERROR);
    assert_true(s->span.end_ticks >= s->span.start_ticks);
    assert_true(name_is(reader, s->span.name, "GET /dashboard"));

    const char *keys[] = {"user.id", "route", "score", "hit", "key", NULL};
    const uint8_t types[] = {SLAB_ITEM_INT,  SLAB_ITEM_STRING, SLAB_ITEM_DOUBLE,
                             SLAB_ITEM_BOOL, SLAB_ITEM_BYTES,  SLAB_ITEM_STATUS_MESSAGE};
    struct slab_item_view item = {0};
    struct slab_walk walk = slab_walk(s->payload, s->used);
    int n = 0;
    for (; slab_item_next(&walk, &item); n++) {
        assert_int_equal(item.type, types[n]);
        assert_true(!keys[n] || name_is(reader, item.key, keys[n]));
        if (n == 0)
            assert_true(*(const int64_t *)(const void *)item.value == -42);
        if (n == 1)
            assert_memory_equal(item.value, "/dash", item.length);
        if (n == 3)
            assert_int_equal(item.value[0], 1);
        if (n == 5)
            assert_memory_equal(item.value, "no such user", item.length);
    }
    assert_int_equal(n, 6);
}

static void children_hang_under_the_current_span(void **state)
{
    (void)state;
    weft_span a = weft_begin(WEFT_NAME("a"), WEFT_SERVER);
    weft_span b = weft_begin(WEFT_NAME("b"), WEFT_INTERNAL);
    weft_end(b);
    weft_span c = weft_begin(WEFT_NAME("c"), WEFT_CLIENT);
    weft_end(c);
    weft_end(a);
    assert_null(weft_current().slot);
    sweep();
    assert_int_equal(found->count, 3);
    assert_true(found->all[0].span.parent_id == a.id);
    assert_true(found->all[1].span.parent_id == a.id);
    assert_true(found->all[2].span.parent_id == 0);
    assert_true(found->all[0].span.trace_lo == found->all[2].span.trace_lo);
    assert_true(found->all[0].span.trace_hi == found->all[2].span.trace_hi);
}

/* How many bytes of payload a server's span and its child have that came with a tracestate. */
static void record_call(const char *tracestate, uint32_t *server_used, uint32_t *child_used)
{
    struct weft_context parent;
    weft_extract_traceparent(&parent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             tracestate);
    weft_span server = weft_begin_from(WEFT_NAME("server"), WEFT_SERVER, &parent);
    weft_span child = weft_begin(WEFT_NAME("child"), WEFT_INTERNAL);
    weft_end(child);
    weft_end(server);
    found->count = 0;
    sweep();
    assert_int_equal(found->count, 2);
    *child_used = found->all[0].used;
    *server_used = found->all[1].used;
    assert_int_equal(((struct slab_item *)(void *)found->all[1].payload)->type,
                     SLAB_ITEM_TRACESTATE);
    assert_true(found->all[1].span.flags & SLAB_SPAN_MORE);
}

static void a_tracestate_goes_to_the_children_unless_it_only_says_who_called(void **state)
{
    (void)state;
    uint32_t server, child;
    record_call("weft=web", &server, &child);
    assert_int_equal(server, 16);
    assert_int_equal(child, 0);
    record_call("weft=web,rojo=1", &server, &child);
    assert_int_equal(server, 24);
    assert_int_equal(child, 24);
}

static void spans_without_a_parent_begin_traces_of_their_own_in_order_of_time(void **state)
{
    (void)state;
    weft_end(weft_begin(WEFT_NAME("a"), WEFT_SERVER));
    weft_end(weft_begin(WEFT_NAME("b"), WEFT_SERVER));
    sweep();
    assert_true(found->all[0].span.trace_hi < found->all[1].span.trace_hi);
    assert_true(found->all[0].span.trace_lo != found->all[1].span.trace_lo);
}

static int leave_early(weft_span *seen)
{
    WEFT_SCOPE(span, WEFT_NAME("scope"), WEFT_INTERNAL);
    *seen = span;
    for (int i = 0; i < 10; i++)
        if (i == 3)
            return i;
    return -1;
}

static void scope_ends_at_every_exit(void **state)
{
    (void)state;
    weft_span span;
    assert_int_equal(leave_early(&span), 3);
    sweep();
    assert_int_equal(found->count, 1);
    assert_true(found->all[0].span.span_id == span.id);
}

static void detached_span_is_not_current(void **state)
{
    (void)state;
    struct weft_context context = {.trace_hi = 1, .trace_lo = 2, .span_id = 3};
    weft_span a = weft_begin_detached(WEFT_NAME("a"), WEFT_SERVER, &context);
    assert_null(weft_current().slot);
    assert_null(weft_activate(a).slot);
    weft_span b = weft_begin(WEFT_NAME("b"), WEFT_INTERNAL);
    weft_end(b);
    weft_end(a);
    weft_activate((weft_span){0, 0});
    sweep();
    assert_true(found->all[0].span.parent_id == a.id);
    assert_true(found->all[1].span.parent_id == 3);
    assert_true(found->all[1].span.trace_hi == 1 && found->all[1].span.trace_lo == 2);
}

static void detached_span_that_was_activated_leaves_what_was_current_at_its_begin(void **state)
{
    (void)state;
    weft_span open = weft_begin(WEFT_NAME("open"), WEFT_SERVER);
    weft_end(weft_begin(WEFT_NAME("child"), WEFT_INTERNAL)); /* leaves `open` in its slot's note */
    weft_activate((weft_span){0, 0});
    weft_span detached = weft_begin_detached(WEFT_NAME("a"), WEFT_SERVER, NULL);
    weft_activate(detached);
    weft_end(detached);
    assert_null(weft_current().slot);
    weft_end(open);
    sweep();
}

static void events_and_links_carry_their_own_attributes(void **state)
{
    (void)state;
    weft_span span = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    const struct weft_attribute attributes[] = {
        {WEFT_NAME("try"), WEFT_TYPE_INT, {.integer = 2}, 0},
        {WEFT_NAME("host"), WEFT_TYPE_STRING, {.bytes = "c2"}, 2},
    };
    weft_event(span, WEFT_NAME("retry"), attributes, 2);
    weft_link(span, &(struct weft_context){.trace_hi = 7, .trace_lo = 8, .span_id = 9}, NULL, 0);
    weft_end(span);
    sweep();

    struct slab_item_view item = {0};
    struct slab_walk walk = slab_walk(found->all[0].payload, found->all[0].used);
    assert_true(slab_item_next(&walk, &item));
    assert_int_equal(item.type, SLAB_ITEM_EVENT);
    assert_true(name_is(reader, item.key, "retry"));
    assert_true(slab_item_next(&walk, &item));
    assert_true(item.type == SLAB_ITEM_INT && item.flags == SLAB_ITEM_NESTED);
    assert_true(slab_item_next(&walk, &item));
    assert_true(item.type == SLAB_ITEM_STRING && item.flags == SLAB_ITEM_NESTED);
    assert_true(slab_item_next(&walk, &item));
    assert_int_equal(item.type, SLAB_ITEM_LINK);
    assert_true(((const uint64_t *)(const void *)item.value)[2] == 9);
    assert_false(slab_item_next(&walk, &item));
}

static void what_does_not_fit_is_counted_in_the_span_and_the_process(void **state)
{
    (void)state;
    static char large[4000];
    struct weft_losses before, after;
    weft_get_losses(&before);
    memset(large, 'x', sizeof large - 1);
    weft_span span = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    weft_set_string(span, WEFT_NAME("large"), large);
    weft_set_int(span, WEFT_NAME("small"), 1);
    weft_end(span);
    weft_get_losses(&after);
    sweep();
    assert_int_equal(found->all[0].span.dropped, 1);
    assert_int_equal(found->all[0].used, 16);
    assert_true(after.attribute_no_room == before.attribute_no_room + 1);
}

static void more_open_spans_than_slots_are_counted_and_harmless(void **state)
{
    (void)state;
    struct weft_losses before, after;
    weft_span spans[10];
    weft_get_losses(&before);
    for (int i = 0; i < 10; i++)
        spans[i] = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    assert_non_null(spans[7].slot);
    assert_null(spans[8].slot);
    weft_set_int(spans[8], WEFT_NAME("k"), 1);
    for (int i = 10; i-- > 0;)
        weft_end(spans[i]);
    weft_get_losses(&after);
    sweep();
    assert_int_equal(found->count, 8);
    assert_true(after.no_slot == before.no_slot + 2);
}

static void full_ring_drops_and_counts_and_recovers(void **state)
{
    (void)state;
    struct weft_losses before, after;
    weft_get_losses(&before);
    for (int i = 0; i < 2000; i++)
        weft_end(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
    weft_get_losses(&after);
    sweep();
    assert_in_range(found->count, 65536 / 64 - 1, 65536 / 64); /* less one where padding stands */
    assert_true(after.ring_full - before.ring_full == 2000 - found->count);
    found->count = 0;
    weft_end(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
    sweep();
    assert_int_equal(found->count, 1);
}

static void records_of_all_sizes_wrap_around_the_ring(void **state)
{
    (void)state;
    static const char text[] =
        "0123456789012345678901234567890123456789012345678901234567890123456";
    for (int round = 0; round < 200; round++) {
        found->count = 0;
        for (int i = 0; i < 67; i++) {
            weft_span span = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
            weft_set_string_n(span, WEFT_NAME("text"), text, (size_t)(i + round) % 67);
            weft_end(span);
        }
        sweep();
        assert_int_equal(found->count, 67);
        for (int i = 0; i < 67; i++) {
            struct slab_item_view item = {0};
            struct slab_walk walk = slab_walk(found->all[i].payload, found->all[i].used);
            assert_true(slab_item_next(&walk, &item));
            assert_int_equal(item.length, (i + round) % 67);
            assert_memory_equal(item.value, text, item.length);
        }
    }
}

static void calls_on_an_ended_span_do_nothing_but_count(void **state)
{
    (void)state;
    struct weft_losses before, after;
    weft_span a = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    weft_end(a);
    weft_span b = weft_begin(WEFT_NAME("b"), WEFT_INTERNAL); /* takes the same slot */
    assert_ptr_equal(a.slot, b.slot);
    weft_get_losses(&before);
    weft_set_int(a, WEFT_NAME("k"), 1);
    weft_end(a);
    weft_get_losses(&after);
    assert_true(after.stale_handle == before.stale_handle + 2);
    weft_end(b);
    sweep();
    assert_int_equal(found->count, 2);
    assert_int_equal(found->all[1].used, 0);
}

static void open_span_can_be_seen_with_what_it_says_so_far(void **state)
{
    (void)state;
    weft_span span = weft_begin(WEFT_NAME("open"), WEFT_CONSUMER);
    weft_set_int(span, WEFT_NAME("k"), 5);
    assert_int_equal(slab_look(reader, false, gather_visit, found), SLAB_OK);
    assert_int_equal(found->count, 1);
    assert_true(found->all[0].open);
    assert_true(found->all[0].span.span_id == span.id);
    assert_int_equal(found->all[0].used, 16);
    weft_end(span);
    found->count = 0;
    assert_int_equal(slab_look(reader, false, gather_visit, found), SLAB_OK);
    assert_int_equal(found->count, 0);
}

static void recording_off_is_obeyed_and_an_open_span_still_ends(void **state)
{
    (void)state;
    weft_span open = weft_begin(WEFT_NAME("open"), WEFT_INTERNAL);
    slab_set_recording(reader, SLAB_RECORDING_OFF);
    assert_false(weft_recording());
    assert_null(weft_begin(WEFT_NAME("off"), WEFT_INTERNAL).slot);
    weft_end(open);
    slab_set_recording(reader, SLAB_RECORDING_ON);
    assert_true(weft_recording());
    sweep();
    assert_int_equal(found->count, 1);
}

static void names_are_interned_once_whatever_the_handle(void **state)
{
    (void)state;
    char text[] = "made at run time";
    struct weft_name *name = weft_intern(text);
    memset(text, 'x', sizeof text - 1);
    assert_ptr_equal(name, weft_intern("made at run time"));
    weft_end(weft_begin(name, WEFT_INTERNAL));
    weft_end(weft_begin(WEFT_NAME("made at run time"), WEFT_INTERNAL));
    sweep();
    assert_int_equal(found->all[0].span.name, found->all[1].span.name);
    assert_true(name_is(reader, found->all[0].span.name, "made at run time"));
}

static void null_arguments_are_accepted(void **state)
{
    (void)state;
    weft_span span = weft_begin(NULL, WEFT_INTERNAL);
    weft_set_string(span, NULL, NULL);
    weft_set_int(span, NULL, 1);
    weft_set_status(span, WEFT_OK, NULL);
    weft_event(span, NULL, NULL, 0);
    weft_link(span, NULL, NULL, 0);
    weft_end(span);
    weft_end((weft_span){0, 0});
    assert_null(weft_intern(NULL));
    sweep();
    assert_int_equal(found->count, 1);
}

static void errno_is_left_alone(void **state)
{
    (void)state;
    errno = EXDEV;
    weft_span span = weft_begin(weft_intern("errno"), WEFT_INTERNAL);
    weft_set_int(span, weft_intern("another"), 1);
    weft_end(span);
    struct weft_losses losses;
    weft_get_losses(&losses);
    assert_int_equal(errno, EXDEV);
}

static void identity_is_in_the_resource(void **state)
{
    (void)state;
    uint32_t used;
    struct slab_item_view item = {0};
    const char *resource = slab_resource(reader, &used);
    struct slab_walk walk = slab_walk(resource, used);
    assert_true(slab_item_next(&walk, &item));
    assert_true(name_is(reader, item.key, "service.name"));
    assert_memory_equal(item.value, "feed", item.length);
    assert_int_equal(weft_identify("late", NULL, NULL, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ended_span_is_in_the_ring_with_all_that_it_says, drain),
        cmocka_unit_test_setup(children_hang_under_the_current_span, drain),
        cmocka_unit_test_setup(a_tracestate_goes_to_the_children_unless_it_only_says_who_called,
                               drain),
        cmocka_unit_test_setup(spans_without_a_parent_begin_traces_of_their_own_in_order_of_time,
                               drain),
        cmocka_unit_test_setup(scope_ends_at_every_exit, drain),
        cmocka_unit_test_setup(detached_span_is_not_current, drain),
        cmocka_unit_test_setup(
            detached_span_that_was_activated_leaves_what_was_current_at_its_begin, drain),
        cmocka_unit_test_setup(events_and_links_carry_their_own_attributes, drain),
        cmocka_unit_test_setup(what_does_not_fit_is_counted_in_the_span_and_the_process, drain),
        cmocka_unit_test_setup(more_open_spans_than_slots_are_counted_and_harmless, drain),
        cmocka_unit_test_setup(full_ring_drops_and_counts_and_recovers, drain),
        cmocka_unit_test_setup(records_of_all_sizes_wrap_around_the_ring, drain),
        cmocka_unit_test_setup(calls_on_an_ended_span_do_nothing_but_count, drain),
        cmocka_unit_test_setup(open_span_can_be_seen_with_what_it_says_so_far, drain),
        cmocka_unit_test_setup(recording_off_is_obeyed_and_an_open_span_still_ends, drain),
        cmocka_unit_test_setup(names_are_interned_once_whatever_the_handle, drain),
        cmocka_unit_test_setup(null_arguments_are_accepted, drain),
        cmocka_unit_test_setup(errno_is_left_alone, drain),
        cmocka_unit_test_setup(identity_is_in_the_resource, drain),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
