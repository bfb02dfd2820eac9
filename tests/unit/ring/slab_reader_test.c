// SPDX-License-Identifier: Apache-2.0
/* A hostile owner: real files by libweft, then damaged. Each costs the reader one error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct slab_file header;
static char *mapped; /* the whole file, writable: what the owner might do */
static size_t mapped_bytes;
static struct slab_reader *reader;
static struct gathered *found;

static struct slab_thread *thread_slab(void)
{
    return (struct slab_thread *)(void *)(mapped + header.threads_offset);
}

static char *ring(void)
{
    return (char *)thread_slab() + slab_ring_offset(header.slot_count, header.slot_bytes);
}

static struct slab_slot *slot(uint32_t i)
{
    return (struct slab_slot *)(void *)((char *)thread_slab() + slab_slots_offset() +
                                        (size_t)i * header.slot_bytes);
}

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_SLOTS", "4", 1);
    setenv("WEFT_RING_BYTES", "65536", 1);
    setenv("WEFT_STATS_BYTES", "65536", 1);
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
    int fd = open(path, O_RDWR);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || pread(fd, &header, sizeof header, 0) < 0)
        return -1;
    mapped_bytes = (size_t)st.st_size;
    mapped = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    found = gathered_create();
    return mapped == MAP_FAILED ? -1 : 0;
}

static int end_all(void **state)
{
    (void)state;
    munmap(mapped, mapped_bytes);
    gathered_destroy(found);
    fixture_end();
    return 0;
}

/* A fresh reader at the ring's present end. */
static int fresh(void **state)
{
    (void)state;
    enum slab_error error;
    reader = fixture_open(fixture_file(0), &error);
    if (!reader)
        return -1;
    gather_rings(reader, found);
    found->count = 0;
    return slab_release(reader);
}

static int done(void **state)
{
    (void)state;
    slab_reader_close(&reader);
    return 0;
}

static char *record_span(void)
{
    uint64_t head = atomic_load(&thread_slab()->head);
    weft_end(weft_begin(WEFT_NAME("victim"), WEFT_INTERNAL));
    return ring() + head % header.ring_bytes;
}

static void expect_one_error_then_recovery(void)
{
    assert_int_equal(gather_rings(reader, found), SLAB_ERECORD);
    assert_int_equal(gather_rings(reader, found), SLAB_OK);
    slab_release(reader);
    found->count = 0;
    weft_end(weft_begin(WEFT_NAME("after"), WEFT_INTERNAL));
    assert_int_equal(gather_rings(reader, found), SLAB_OK);
    assert_int_equal(found->count, 1);
}

static void bad_lengths_cost_one_error(void **state)
{
    (void)state;
    const uint32_t lengths[] = {0,          1,          7,          8,          56,       63,   65,
                                0x7fffffff, 0x80000000, 0xffffffff, 0x80000001, 1u << 20, 4096, 72};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char *record = record_span();
        memcpy(record, &lengths[i], 4);
        expect_one_error_then_recovery();
    }
}

static void impossible_fields_cost_one_error(void **state)
{
    (void)state;
    struct {
        size_t offset;
        uint64_t value;
        size_t bytes;
    } damage[] = {
        {offsetof(struct slab_span, used), 8, 4},
        {offsetof(struct slab_span, used), 0xfffffff8, 4},
        {offsetof(struct slab_span, used), 3, 4},
        {offsetof(struct slab_span, span_id), 0, 8},
        {offsetof(struct slab_span, kind), 5, 1},
        {offsetof(struct slab_span, status), 3, 1},
        {offsetof(struct slab_span, start_ticks), UINT64_MAX, 8},
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        char *record = record_span();
        memcpy(record + damage[i].offset, &damage[i].value, damage[i].bytes);
        expect_one_error_then_recovery();
    }
}

static void head_that_jumps_costs_one_error(void **state)
{
    (void)state;
    uint64_t head = atomic_load(&thread_slab()->head);
    const uint64_t heads[] = {head + 3, head + 2ull * header.ring_bytes, head - 64, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        done(NULL);
        atomic_store(&thread_slab()->head, head);
        assert_int_equal(fresh(NULL), 0);
        atomic_store(&thread_slab()->head, heads[i]);
        assert_int_equal(gather_rings(reader, found), SLAB_ERECORD);
        atomic_store(&thread_slab()->head, head);
        gather_rings(reader, found);
    }
    atomic_store(&thread_slab()->head, head);
}

static void bad_slot_costs_one_error_and_the_others_are_seen(void **state)
{
    (void)state;
    weft_span good = weft_begin(WEFT_NAME("good"), WEFT_INTERNAL);
    uint32_t victim = (((struct slab_slot *)good.slot)->index + 1) % 4;
    struct slab_slot saved = *slot(victim);
    atomic_store(&slot(victim)->span.used, 0xfffffff0u);
    atomic_store(&slot(victim)->span.state, 5);
    found->count = 0;
    assert_int_equal(slab_look(reader, false, gather_visit, found), SLAB_ERECORD);
    assert_int_equal(found->count, 1);
    assert_true(found->all[0].span.span_id == good.id);
    *slot(victim) = saved;
    weft_end(good);
}

static void headers_beyond_belief_are_refused(void **state)
{
    (void)state;
    struct {
        size_t offset;
        uint64_t value;
        size_t bytes;
        enum slab_error error;
    } damage[] = {
        {offsetof(struct slab_file, magic), 0, 8, SLAB_EFORMAT},
        {offsetof(struct slab_file, version), 99, 4, SLAB_EVERSION},
        {offsetof(struct slab_file, ring_bytes), 0, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, ring_bytes), 65537, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, ring_bytes), 0x80000000, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, slot_count), 0xffffffff, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, slot_bytes), 1, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, thread_capacity), 0xffffffff, 4, SLAB_ELIMITS},
        {offsetof(struct slab_file, names_offset), UINT64_MAX - 4095, 8, SLAB_ELIMITS},
        {offsetof(struct slab_file, names_bytes), 1ull << 40, 8, SLAB_ELIMITS},
        {offsetof(struct slab_file, resource_offset), 0, 8, SLAB_ELIMITS},
        {offsetof(struct slab_file, threads_offset), 1ull << 29, 8, SLAB_ESHRUNK},
        {offsetof(struct slab_file, thread_bytes), 4096, 8, SLAB_ELIMITS},
    };
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        enum slab_error error = SLAB_OK;
        char saved[8];
        memcpy(saved, mapped + damage[i].offset, sizeof saved);
        memcpy(mapped + damage[i].offset, &damage[i].value, damage[i].bytes);
        struct slab_reader *r = fixture_open(fixture_file(0), &error);
        memcpy(mapped + damage[i].offset, saved, sizeof saved);
        assert_null(r);
        assert_int_equal(error, damage[i].error);
    }
}

static void link_or_device_is_no_process_file(void **state)
{
    (void)state;
    char path[512];
    enum slab_error error;
    snprintf(path, sizeof path, "%s/zz-link.slab", fixture_directory);
    assert_int_equal(symlink("/dev/zero", path), 0);
    assert_null(fixture_open("zz-link.slab", &error));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_null(fixture_open("zz-link.slab", &error));
    unlink(path);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    assert_int_equal(write(fd, "short", 5), 5);
    close(fd);
    assert_null(fixture_open("zz-link.slab", &error));
    assert_int_equal(error, SLAB_EFORMAT);
    unlink(path);
}

static void position_from_a_spool_is_believed_only_where_the_ring_can_be(void **state)
{
    (void)state;
    uint64_t position = slab_position(reader, 0);
    assert_false(slab_advance(reader, 0, position + 8));
    assert_false(slab_advance(reader, 0, position - 3));
    assert_false(slab_advance(reader, 7, position));
    assert_true(slab_advance(reader, 0, position));
    record_span();
    uint64_t head = atomic_load(&thread_slab()->head);
    assert_true(slab_advance(reader, 0, head));
    gather_rings(reader, found);
    assert_int_equal(found->count, 0);
}

/* Last: the file is no good afterwards, and libweft must not touch it any more. */
static void shrunk_file_costs_one_error_and_no_life(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* its runtime holds a lock of its own around the access that faults */
#endif
    const off_t sizes[] = {(off_t)header.threads_offset + 4096, 8192, 100, 0};
    enum slab_error error;
    char path[512];
    snprintf(path, sizeof path, "%s/copy.slab", fixture_directory);
    guard_install(); /* cmocka has put its own handler there meanwhile */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
        record_span();
        assert_int_equal(write(fd, mapped, mapped_bytes), mapped_bytes);
        struct slab_reader *r = fixture_open("copy.slab", &error);
        assert_non_null(r);
        assert_int_equal(gather_rings(r, found), SLAB_OK);
        assert_int_equal(ftruncate(fd, sizes[i]), 0);
        if (i == 0) { /* the ring is gone, its head is still there and says more */
            assert_int_equal(slab_look(r, true, gather_visit, found), SLAB_ESHRUNK);
        } else {
            assert_int_equal(gather_rings(r, found), SLAB_ESHRUNK);
            slab_look(r, true, gather_visit, found);
            slab_release(r);
            slab_set_clock(r, 1, 1, 1);
            slab_lost(r, 0);
        }
        slab_reader_close(&r);
        close(fd);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_lengths_cost_one_error, fresh, done),
        cmocka_unit_test_setup_teardown(impossible_fields_cost_one_error, fresh, done),
        cmocka_unit_test_setup_teardown(head_that_jumps_costs_one_error, fresh, done),
        cmocka_unit_test_setup_teardown(bad_slot_costs_one_error_and_the_others_are_seen, fresh,
                                        done),
        cmocka_unit_test_setup_teardown(headers_beyond_belief_are_refused, fresh, done),
        cmocka_unit_test_setup_teardown(link_or_device_is_no_process_file, fresh, done),
        cmocka_unit_test_setup_teardown(
            position_from_a_spool_is_believed_only_where_the_ring_can_be, fresh, done),
        cmocka_unit_test_setup_teardown(shrunk_file_costs_one_error_and_no_life, fresh, done),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
