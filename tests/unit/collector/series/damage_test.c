// SPDX-License-Identifier: Apache-2.0
/* Blocks whose bytes changed: everywhere, one after the other. Whatever is read of such a block is
 * right, or is not there and named; nothing is made up. And disks that are full. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "collector/series/disk/block.h"
#include "collector/series/disk/writer.h"
#include "tests/unit/collector/series/stores.h"

static void add_series(struct block_writer *w, struct points *p, struct arena *arena, int i)
{
    struct label_texts t;
    char written[64];
    uint64_t seed = (uint64_t)i + 1;
    snprintf(written, sizeof written, "__name__=m%d job=%c host=h%d", i / 3, 'a' + i % 3, i);
    points_clear(p);
    for (int k = 0; k < 3 + i; k++) {
        struct histogram *h = i % 5 == 0 ? random_histogram(arena, &seed) : NULL;
        points_add(p, BASE_MS + k * 1000, h ? h->sum : i * 1000 + k, h);
    }
    assert_int_equal(block_writer_points(w, p), 0);
    assert_int_equal(block_writer_series(w, labels_by_hand(&t, written), i % 2), 0);
}

/* A block of some series in a file without a name. */
static int make_block(uint64_t *bytes)
{
    struct points p;
    struct arena arena;
    int fd = memfd_create("block", MFD_CLOEXEC);
    struct block_writer *w = block_writer_create(fd);
    struct series_metadata m = {text("m0"), text("help"), text("unit"), 1};
    struct block_summary summary = {.first = 3, .last = 5, .accepted = 7};
    points_init(&p);
    arena_init(&arena, 4096);
    for (int i = 0; i < 9; i++) /* sorted: m0 … m2, host before job */
        add_series(w, &p, &arena, i);
    assert_int_equal(block_writer_metadata(w, &m), 0);
    assert_int_equal(block_writer_finish(w, &summary), 0);
    block_writer_destroy(&w);
    points_fini(&p);
    arena_fini(&arena);
    *bytes = summary.file_bytes;
    return fd;
}

struct reading {
    int errors, series, samples;
};

static void read_series(struct block *b, struct block_reader *r, uint32_t number,
                        struct reading *out)
{
    const struct block_series *s;
    struct column scratch = {0};
    struct points p;
    points_init(&p);
    if (block_series(r, number, &s) != BLOCK_OK) {
        out->errors++;
    } else {
        out->series++;
        for (uint32_t i = 0; i < s->pair_count; i++) {
            struct batch_str value;
            out->errors += block_value(r, s->pairs[2 * i], s->pairs[2 * i + 1], &value) != 0;
        }
        for (uint32_t c = 0; c < s->chunk_count; c++)
            out->errors +=
                block_read_chunk(b, &s->chunks[c], INT64_MIN, INT64_MAX, &scratch, &p) != 0;
        out->samples += (int)p.count;
    }
    column_fini(&scratch);
    points_fini(&p);
}

static struct reading read_all(struct block *b)
{
    struct reading out = {0};
    struct block_reader r;
    struct arena arena;
    struct series_metadata *list;
    size_t count;
    arena_init(&arena, 4096);
    assert_int_equal(block_reader_init(&r, b, &arena), 0);
    for (uint32_t i = 0; i < block_summary(b)->series; i++)
        read_series(b, &r, i, &out);
    out.errors += block_metadata(b, &arena, &list, &count) != 0;
    roaring_bitmap_t *found = roaring_bitmap_create();
    uint32_t name = block_name(b, text("host"));
    if (name != UINT32_MAX)
        out.errors += block_value_series(&r, name, text("h7"), found) != 0;
    roaring_bitmap_free(found);
    block_reader_fini(&r);
    arena_fini(&arena);
    return out;
}

static void each_flipped_byte_is_met(void **state)
{
    uint64_t bytes;
    char why[200];
    int error, opened = 0, fd = make_block(&bytes);
    (void)state;
    struct block *b = block_open(fd, &error, why, sizeof why);
    assert_non_null(b);
    struct reading whole = read_all(b);
    assert_int_equal(whole.errors, 0);
    assert_int_equal(whole.series, 9);
    assert_int_equal(whole.samples, block_summary(b)->samples);
    for (uint64_t at = 0; at < bytes; at++) {
        uint8_t byte;
        assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
        byte ^= 0x21;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
        int copy = dup(fd);
        struct block *changed = block_open(copy, &error, why, sizeof why);
        if (changed) {
            struct reading r = read_all(changed);
            if (r.errors == 0 || r.samples > whole.samples)
                fail_msg("byte %llu of %llu can change", (unsigned long long)at,
                         (unsigned long long)bytes);
            assert_true(block_damage(changed, why, sizeof why));
            block_close(&changed);
            opened++;
        } else {
            assert_true(error == BLOCK_EDAMAGED || error == BLOCK_EVERSION);
            close(copy);
        }
        byte ^= 0x21;
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    }
    assert_true(opened > 100);
    block_close(&b);
}

static void a_torn_block_is_not_opened(void **state)
{
    uint64_t bytes;
    char why[200];
    int error, fd = make_block(&bytes);
    (void)state;
    for (uint64_t length = bytes; length-- > 0;) {
        assert_int_equal(ftruncate(fd, (off_t)length), 0);
        assert_null(block_open(fd, &error, why, sizeof why));
        assert_int_equal(error, BLOCK_EDAMAGED);
    }
    close(fd);
}

/* ---- in a store -------------------------------------------------------------------------- */

static void fill(struct world *w, int from, int to)
{
    for (int i = from; i < to; i++) {
        world_begin(w);
        for (int k = 0; k < 50; k++) {
            char name[64];
            snprintf(name, sizeof name, "__name__=m%d", k);
            world_append(w, name, SAMPLE_VALUE, BASE_MS + i * 3600000, i, NULL);
        }
        series_store_commit(w->store);
        series_store_seal(w->store);
        world_cut(w);
    }
}

static void flip(const struct world *w, const char *name, int64_t at)
{
    char path[200];
    struct stat st;
    uint8_t byte;
    snprintf(path, sizeof path, "%s/%s", w->directory, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    off_t offset = at < 0 ? st.st_size + at : at;
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0xff;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* The name of the block that was written last. */
static void newest_file(const struct world *w, char name[80])
{
    DIR *d = opendir(w->directory);
    struct dirent *e;
    name[0] = '\0';
    while ((e = readdir(d)) != NULL)
        if (strstr(e->d_name, ".series") && strcmp(e->d_name, name) > 0)
            snprintf(name, 80, "%.79s", e->d_name);
    closedir(d);
}

static void a_damaged_footer_sets_the_block_aside(void **state)
{
    struct world w;
    struct series_stats stats;
    char name[80];
    size_t count;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20});
    fill(&w, 0, 2);
    newest_file(&w, name);
    struct journal_position whole = series_store_ledger_end(w.store);
    flip(&w, name, -20);
    world_reopen(&w);
    series_store_stats(w.store, &stats);
    assert_int_equal(stats.blocks, 1);
    assert_int_equal(world_files(&w, ".damaged", false), 1);
    struct files_damage *damaged = series_store_damaged(w.store, &count);
    assert_int_equal(count, 1);
    assert_non_null(strstr(damaged[0].name, name));
    free(damaged);
    /* What only that block had is told by the ledger again. */
    assert_true(series_store_ledger_end(w.store).offset < whole.offset);
    assert_reads(&w, "m1", 1, (const int64_t[]){BASE_MS}, (const double[]){0});
    world_reopen(&w);
    damaged = series_store_damaged(w.store, &count);
    assert_int_equal(count, 1);
    free(damaged);
    world_fini(&w);
}

static void a_damaged_chunk_is_passed_over_and_named(void **state)
{
    struct world w;
    char name[80];
    size_t count;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20});
    fill(&w, 0, 1); /* one block: two could be merged while we look */
    newest_file(&w, name);
    flip(&w, name, 20); /* the chunk of the first series, m0 */
    assert_reads(&w, "m0", 0, NULL, NULL);
    assert_reads(&w, "m1", 1, (const int64_t[]){BASE_MS}, (const double[]){0});
    struct files_damage *damaged = series_store_damaged(w.store, &count);
    assert_int_equal(count, 1);
    assert_string_equal(damaged[0].name, name);
    assert_non_null(strstr(damaged[0].why, "chunk"));
    free(damaged);
    world_fini(&w);
}

static void damaged_deletions_stop_the_start(void **state)
{
    struct world w;
    char why[300];
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20});
    fill(&w, 0, 1);
    world_add(&w, "__name__=m0", SAMPLE_VALUE, BASE_MS + 1, 1);
    struct matcher m = matcher_by_hand(MATCH_EQUAL, LABEL_METRIC, "m0");
    assert_int_equal(series_store_delete(w.store, &m, 1, BASE_MS, BASE_MS), 0);
    series_store_close(&w.store);
    flip(&w, "tombstones", 30);
    assert_null(series_store_open(&w.options, why, sizeof why));
    assert_non_null(strstr(why, "deletions"));
    flip(&w, "tombstones", 30);
    world_open(&w);
    world_fini(&w);
}

/* ---- a disk that takes nothing ----------------------------------------------------------- */

static atomic_int write_error; /* what write(2) says; 0: it works */

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    int error = atomic_load(&write_error);
    if (error && fd > 2) {
        errno = error;
        return -1;
    }
    return __real_write(fd, bytes, length);
}

static bool is_full(const struct series_stats *s, uint64_t number)
{
    (void)number;
    return s->keeping.health == KEEPER_FULL;
}

static bool is_well(const struct series_stats *s, uint64_t number)
{
    (void)number;
    return s->keeping.health == KEEPER_OK && s->head_samples == 0;
}

static void a_full_disk_loses_nothing_and_is_told(void **state)
{
    struct world w;
    struct series_stats stats;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20});
    fill(&w, 0, 1);
    atomic_store(&write_error, ENOSPC);
    world_add(&w, "__name__=m0", SAMPLE_VALUE, BASE_MS + 5, 5);
    series_store_seal(w.store);
    world_until(&w, is_full, 0, "the full disk is told");
    world_add(&w, "__name__=m0", SAMPLE_VALUE, BASE_MS + 6, 6);
    struct matcher m = matcher_by_hand(MATCH_EQUAL, LABEL_METRIC, "m0");
    assert_int_equal(series_store_delete(w.store, &m, 1, BASE_MS, BASE_MS), SERIES_EDISK);
    assert_reads(&w, "m0", 3, (const int64_t[]){BASE_MS, BASE_MS + 5, BASE_MS + 6},
                 (const double[]){0, 5, 6});
    assert_int_equal(world_files(&w, ".series", false), 1);
    atomic_store(&write_error, 0);
    series_store_seal(w.store);
    world_until(&w, is_well, 0, "blocks are written again");
    assert_reads(&w, "m0", 3, (const int64_t[]){BASE_MS, BASE_MS + 5, BASE_MS + 6},
                 (const double[]){0, 5, 6});
    series_store_stats(w.store, &stats);
    assert_int_equal(stats.keeping.error, 0);
    world_fini(&w);
}

static void *wait_for_room(void *context)
{
    struct world *w = context;
    int result = series_store_wait(w->store);
    return (void *)(intptr_t)(result + 10);
}

static void a_full_head_waits_until_it_is_interrupted(void **state)
{
    struct world w;
    struct series_stats stats;
    pthread_t thread;
    void *result;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 256 << 10});
    atomic_store(&write_error, ENOSPC);
    do { /* it is not asked to wait: so it grows beyond its bound */
        assert_int_equal(series_store_begin(w.store, world_position(++w.step)), 0);
        for (int k = 0; k < 200; k++) {
            char name[64];
            snprintf(name, sizeof name, "__name__=m%d", k);
            world_append(&w, name, SAMPLE_VALUE, BASE_MS + (int64_t)w.step, 1, NULL);
        }
        series_store_commit(w.store);
        series_store_stats(w.store, &stats);
    } while (stats.head_chunk_bytes < stats.head_limit_bytes || stats.generations < 2);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_room, &w), 0);
    series_store_interrupt(w.store);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 9);
    atomic_store(&write_error, 0);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flipped_byte_is_met),
        cmocka_unit_test(a_torn_block_is_not_opened),
        cmocka_unit_test(a_damaged_footer_sets_the_block_aside),
        cmocka_unit_test(a_damaged_chunk_is_passed_over_and_named),
        cmocka_unit_test(damaged_deletions_stop_the_start),
        cmocka_unit_test(a_full_disk_loses_nothing_and_is_told),
        cmocka_unit_test(a_full_head_waits_until_it_is_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
