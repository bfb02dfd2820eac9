// SPDX-License-Identifier: Apache-2.0
/* From libweft's calls through a slab and a batch to what the collector decodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "agent/convert.h"
#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct recording_process *process;
static struct host_clock host;
static struct arena arena;
static uint32_t serial;

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SERVICE", "cell", 1);
    setenv("WEFT_CELL", "c7", 1);
    setenv("WEFT_RESOURCE", "zone=b", 1);
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    enum slab_error error;
    const char *why;
    int directory = open(fixture_directory, O_RDONLY | O_DIRECTORY);
    process = recording_process_open(directory, fixture_file(0), &error, &why);
    close(directory);
    host_clock_init(&host, (enum slab_clock)process->file->clock);
    arena_init(&arena, 65536);
    return process ? 0 : -1;
}

static int end_all(void **state)
{
    (void)state;
    recording_process_close(&process);
    arena_fini(&arena);
    fixture_end();
    return 0;
}

static int drain(void **state)
{
    (void)state;
    struct gathered *g = gathered_create();
    gather_rings(process->reader, g);
    gathered_destroy(g);
    return 0;
}

/* Sweeps and decodes; with `look`, what is open too. */
static struct batch *through_a_batch(bool look, enum span_status open_status)
{
    struct batch_builder *b = batch_builder_create();
    struct buffer bytes = {0};
    struct conversion c = {.builder = b,
                           .serial = ++serial,
                           .clock = &host,
                           .process = process,
                           .marks = &process->batch,
                           .open_status = open_status,
                           .open_end_unix_ns = host_clock_now_unix_ns()};
    bool more;
    int error;
    assert_int_equal(slab_sweep(process->reader, convert_record, &c, SIZE_MAX, &more), SLAB_OK);
    if (look)
        assert_int_equal(slab_look(process->reader, false, convert_record, &c), SLAB_OK);
    assert_int_equal(batch_encode(b, &bytes), 0);
    struct batch *batch = batch_decode(&arena, bytes.data, bytes.length, 1 << 20, &error);
    assert_non_null(batch);
    batch_builder_destroy(&b);
    buffer_fini(&bytes);
    return batch;
}

static bool string_is(const struct batch *batch, uint32_t index, const char *text)
{
    return batch->strings[index].length == strlen(text) &&
           memcmp(batch->strings[index].bytes, text, strlen(text)) == 0;
}

static void all_that_a_span_says_arrives(void **state)
{
    (void)state;
    weft_span span = weft_begin(WEFT_NAME("deliver"), WEFT_CONSUMER);
    weft_set_int(span, WEFT_NAME("post"), -9);
    const struct weft_attribute nested = {WEFT_NAME("try"), WEFT_TYPE_INT, {.integer = 3}, 0};
    weft_event(span, WEFT_NAME("retry"), &nested, 1);
    weft_set_double(span, WEFT_NAME("score"), 1.5); /* after the event, still the span's own */
    weft_link(span, &(struct weft_context){.trace_hi = 1, .trace_lo = 2, .span_id = 3}, &nested, 1);
    weft_set_status(span, WEFT_ERROR, "no room");
    weft_end(span);
    struct batch *b = through_a_batch(false, SPAN_UNSET);

    assert_int_equal(b->span_count, 1);
    assert_true(b->span_id[0] == span.id);
    assert_true(string_is(b, b->name[0], "deliver"));
    assert_true(string_is(b, b->status_message[0], "no room"));
    assert_int_equal(b->kind[0], SPAN_CONSUMER);
    assert_int_equal(b->status[0], SPAN_ERROR);
    assert_int_equal(b->flags[0] & SLAB_SPAN_MORE, 0);
    assert_int_equal(b->attribute_count[0], 2);
    uint32_t first = b->attribute_first[0];
    assert_true(string_is(b, b->attributes.key[first], "post"));
    assert_true((int64_t)b->attributes.value[first] == -9);
    assert_true(string_is(b, b->attributes.key[first + 1], "score"));
    assert_int_equal(b->attributes.type[first + 1], VALUE_DOUBLE);
    assert_int_equal(b->event_count[0], 1);
    uint32_t event = b->event_first[0];
    assert_true(string_is(b, b->event_name[event], "retry"));
    assert_int_equal(b->event_attribute_count[event], 1);
    assert_true(b->event_unix_ns[event] >= b->start_unix_ns[0]);
    assert_int_equal(b->link_count[0], 1);
    assert_true(b->link_span_id[b->link_first[0]] == 3);
    assert_int_equal(b->link_attribute_count[b->link_first[0]], 1);
    int64_t off = (int64_t)(b->start_unix_ns[0] - host_clock_now_unix_ns());
    assert_true(off < 0 && off > -5000000000);
}

static void put_item(weft_span span, uint8_t type, const void *value, uint16_t length)
{
    struct slab_slot *slot = span.slot;
    struct slab_item item = {.type = type, .length = length};
    uint32_t used = atomic_load(&slot->span.used);
    memcpy(slot->payload + used, &item, sizeof item);
    memcpy(slot->payload + used + sizeof item, value, length);
    slot->span.flags |= SLAB_SPAN_MORE;
    atomic_store(&slot->span.used, used + (uint32_t)(sizeof item + SLAB_ROUND8(length)));
}

static void put_peer(weft_span span, const char *local, const char *peer, uint16_t ports)
{
    struct slab_peer p = {.local_port = ports, .peer_port = (uint16_t)(ports + 1)};
    assert_int_equal(inet_pton(AF_INET6, local, p.local_ip), 1);
    assert_int_equal(inet_pton(AF_INET6, peer, p.peer_ip), 1);
    put_item(span, SLAB_ITEM_PEER, &p, sizeof p);
}

static void assert_attribute(const struct batch *b, uint32_t at, const char *key, const char *text,
                             uint64_t number)
{
    assert_true(string_is(b, b->attributes.key[at], key));
    assert_int_equal(b->attributes.type[at], text ? VALUE_STRING : VALUE_INT);
    if (text)
        assert_true(string_is(b, (uint32_t)b->attributes.value[at], text));
    else
        assert_true(b->attributes.value[at] == number);
}

static void items_of_a_later_libweft_are_passed_over(void **state)
{
    (void)state;
    weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
    weft_set_int(span, WEFT_NAME("before"), 1);
    put_item(span, SLAB_ITEM_PEER + 1, "whatever", 8);
    put_item(span, SLAB_ITEM_PEER, "too short", 9);
    put_item(span, UINT8_MAX, "whatever", 8);
    weft_set_int(span, WEFT_NAME("behind"), 2);
    weft_end(span);
    struct batch *b = through_a_batch(false, SPAN_UNSET);
    assert_int_equal(b->span_count, 1);
    assert_int_equal(b->attribute_count[0], 2);
    assert_int_equal(b->event_count[0] + b->link_count[0], 0);
}

/* The last one counts. */
static void the_connection_of_a_span_is_four_attributes(void **state)
{
    (void)state;
    for (int batch = 0; batch < 2; batch++) {
        for (uint16_t i = 0; i < 200; i++) {
            char peer[64];
            weft_span span = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
            weft_event(span, WEFT_NAME("sent"), NULL, 0);
            snprintf(peer, sizeof peer, "fd00::%x", 1 + i % 100);
            put_peer(span, "::1", "::2", 7);
            put_peer(span, "::ffff:10.0.0.1", peer, (uint16_t)(40000 + i));
            weft_set_int(span, WEFT_NAME("user"), i);
            weft_end(span);
        }
        struct batch *b = through_a_batch(false, SPAN_UNSET);
        assert_int_equal(b->span_count, 200);
        for (uint32_t i = 0; i < 200; i++) {
            char peer[64];
            uint32_t at = b->attribute_first[i];
            snprintf(peer, sizeof peer, "fd00::%x", 1 + i % 100);
            assert_int_equal(b->attribute_count[i], 5);
            assert_int_equal(b->event_count[i], 1);
            assert_attribute(b, at, "user", NULL, i);
            assert_attribute(b, at + 1, "network.local.address", "10.0.0.1", 0);
            assert_attribute(b, at + 2, "network.local.port", NULL, 40000 + i);
            assert_attribute(b, at + 3, "network.peer.address", peer, 0);
            assert_attribute(b, at + 4, "network.peer.port", NULL, 40001 + i);
        }
    }
}

static void the_process_is_described_once_with_its_resource(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        weft_end(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
    struct batch *b = through_a_batch(false, SPAN_UNSET);
    assert_int_equal(b->process_count, 1);
    const struct batch_process_view *p = &b->processes[0];
    assert_memory_equal(p->service.bytes, "cell", 4);
    assert_memory_equal(p->cell.bytes, "c7", 2);
    assert_int_equal(p->pid, getpid());
    assert_int_equal(p->state, PROCESS_ALIVE);
    assert_int_equal(p->attribute_count, 1);
    assert_true(string_is(b, b->resource.key[p->attribute_first], "zone"));
}

static void an_open_span_lasts_until_the_moment_it_is_given(void **state)
{
    (void)state;
    weft_span open = weft_begin(WEFT_NAME("open"), WEFT_SERVER);
    struct batch *b = through_a_batch(true, SPAN_DIED);
    assert_int_equal(b->span_count, 1);
    assert_int_equal(b->status[0], SPAN_DIED);
    assert_int_equal(b->processes[0].state, PROCESS_DIED);
    assert_true(b->start_unix_ns[0] + b->duration_ns[0] <= host_clock_now_unix_ns());
    weft_end(open);
}

static void names_are_looked_up_anew_in_each_batch(void **state)
{
    (void)state;
    weft_end(weft_begin(WEFT_NAME("one"), WEFT_INTERNAL));
    through_a_batch(false, SPAN_UNSET);
    weft_end(weft_begin(WEFT_NAME("two"), WEFT_INTERNAL));
    weft_end(weft_begin(WEFT_NAME("one"), WEFT_INTERNAL));
    struct batch *b = through_a_batch(false, SPAN_UNSET);
    assert_true(string_is(b, b->name[0], "two"));
    assert_true(string_is(b, b->name[1], "one"));
}

int main(void)
{
    guard_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_that_a_span_says_arrives, drain),
        cmocka_unit_test_setup(items_of_a_later_libweft_are_passed_over, drain),
        cmocka_unit_test_setup(the_connection_of_a_span_is_four_attributes, drain),
        cmocka_unit_test_setup(the_process_is_described_once_with_its_resource, drain),
        cmocka_unit_test_setup(an_open_span_lasts_until_the_moment_it_is_given, drain),
        cmocka_unit_test_setup(names_are_looked_up_anew_in_each_batch, drain),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
