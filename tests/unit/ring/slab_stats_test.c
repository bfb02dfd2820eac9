// SPDX-License-Identifier: Apache-2.0
/* Statistics of a process: taken exactly once whenever the agent is killed, and whatever a hostile
 * owner writes. A killed agent is one that closes its reader without a commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/unit/stats_fixture.h"
#include "weft/weft.h"

static char *mapped; /* the whole file, writable: what the owner might do */
static size_t mapped_bytes;
static struct slab_stats *header;
static struct slab_reader *reader;
static struct tallies *tallies;

static int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_STATS_BYTES", "131072", 1);
    weft_counter_add(WEFT_COUNTER("counted_total"), 1);
    weft_gauge_set(WEFT_GAUGE("gauge"), 1);
    weft_histogram_record(WEFT_HISTOGRAM("values", "k", "v"), 1);
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
    int fd = open(path, O_RDWR);
    struct stat st;
    struct slab_file file;
    if (fd < 0 || fstat(fd, &st) != 0 || pread(fd, &file, sizeof file, 0) != sizeof file)
        return -1;
    mapped_bytes = (size_t)st.st_size;
    mapped = mmap(NULL, mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped == MAP_FAILED)
        return -1;
    header = (struct slab_stats *)(void *)(mapped + file.stats_offset);
    tallies = tallies_create();
    return tallies ? 0 : -1;
}

static int end_all(void **state)
{
    (void)state;
    munmap(mapped, mapped_bytes);
    tallies_destroy(tallies);
    fixture_end();
    return 0;
}

static void open_reader(void)
{
    enum slab_error error;
    reader = fixture_open(fixture_file(0), &error);
    assert_non_null(reader);
}

static void kill_agent(void)
{
    slab_reader_close(&reader);
    open_reader();
}

/* A reader for which all that was counted is taken. */
static int fresh(void **state)
{
    (void)state;
    open_reader();
    enum slab_error error = tallies_take(reader, tallies);
    tallies_clear(tallies);
    return error;
}

static int done(void **state)
{
    (void)state;
    slab_reader_close(&reader);
    return 0;
}

static void count(uint64_t n)
{
    weft_counter_add(WEFT_COUNTER("counted_total"), n);
    for (uint64_t i = 0; i < n; i++)
        weft_histogram_record(WEFT_HISTOGRAM("values", "k", "v"), (double)(i + 1));
}

static void assert_taken(uint64_t n)
{
    assert_int_equal(tally_of(tallies, "counted_total")->count, n);
    struct tally *values = tally_of(tallies, "values{k=v}");
    assert_int_equal(values->histogram.count, n);
}

static void take(void)
{
    assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_OK);
}

/* ---- exactly once ------------------------------------------------------------------------ */

static void what_was_not_spooled_is_taken_again(void **state)
{
    (void)state;
    count(3);
    take();
    assert_taken(3);
    assert_true(slab_stats_held(reader));
    tallies_clear(tallies); /* it dies with its batch */
    kill_agent();
    take();
    assert_taken(3);
}

static void what_was_committed_is_not_taken_again(void **state)
{
    (void)state;
    count(3);
    take();
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    assert_false(slab_stats_held(reader));
    kill_agent();
    take();
    assert_taken(3);
    count(2);
    take();
    assert_taken(5);
}

static void what_was_spooled_but_not_committed_is_not_taken_again(void **state)
{
    (void)state;
    count(3);
    take();
    uint64_t in_spool = slab_stats_generation(reader);
    count(4); /* after the take, before the next agent */
    kill_agent();
    assert_int_equal(slab_stats_resume(reader, in_spool), SLAB_OK);
    take();
    assert_taken(7);
}

static void other_generations_resume_nothing(void **state)
{
    (void)state;
    uint64_t now = slab_stats_generation(reader);
    count(1);
    const uint64_t others[] = {0, now - 1, now, now + 2, UINT64_MAX};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(slab_stats_resume(reader, others[i]), SLAB_OK);
    assert_int_equal(slab_stats_generation(reader), now);
    take();
    assert_taken(1);
}

static void taking_again_before_the_commit_goes_on(void **state)
{
    (void)state;
    count(3);
    take();
    uint64_t generation = slab_stats_generation(reader);
    count(4); /* the spool refused */
    take();
    assert_taken(7);
    assert_int_equal(slab_stats_generation(reader), generation);
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    kill_agent();
    take();
    assert_taken(7);
}

static void nothing_new_holds_nothing(void **state)
{
    (void)state;
    uint64_t generation = slab_stats_generation(reader);
    take();
    assert_false(slab_stats_held(reader));
    assert_int_equal(slab_stats_generation(reader), generation);
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    assert_int_equal(slab_stats_generation(reader), generation);
}

/* An agent that is killed at random, a thousand times; the batches that were spooled are added up.
 */
static void sums_are_exact_however_agents_die(void **state)
{
    (void)state;
    uint64_t counted = 0, seed = 5, in_spool = 0;
    struct tallies *batch = tallies_create();
    for (int i = 0; i < 1000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint64_t n = seed >> 60;
        count(n);
        counted += n;
        assert_int_equal(slab_stats_take(reader, tally_visit, batch), SLAB_OK);
        if (seed >> 32 & 1)
            continue; /* the spool refuses: the batch goes on */
        if (seed >> 33 & 1) {
            kill_agent();
            assert_int_equal(slab_stats_resume(reader, in_spool), SLAB_OK);
            tallies_clear(batch);
            continue;
        }
        in_spool = slab_stats_generation(reader);
        tally_of(tallies, "counted_total")->count += tally_of(batch, "counted_total")->count;
        exphist_merge(&tally_of(tallies, "values{k=v}")->histogram,
                      &tally_of(batch, "values{k=v}")->histogram);
        tallies_clear(batch);
        if (seed >> 34 & 1) {
            kill_agent();
            assert_int_equal(slab_stats_resume(reader, in_spool), SLAB_OK);
        } else {
            assert_int_equal(slab_stats_commit(reader), SLAB_OK);
        }
    }
    kill_agent();
    assert_int_equal(slab_stats_resume(reader, in_spool), SLAB_OK);
    take();
    assert_taken(counted);
    tallies_destroy(batch);
}

/* ---- hostile owners ---------------------------------------------------------------------- */

static struct slab_chunk *chunk(uint64_t i)
{
    return (struct slab_chunk *)(void *)(mapped + header->chunks_offset + i * SLAB_CHUNK_BYTES);
}

/* The first cell of a kind. */
static struct slab_cell *cell(enum slab_cell_kind kind)
{
    for (uint64_t c = 0; c < atomic_load(&header->chunk_count); c++) {
        char *at = (char *)(chunk(c) + 1), *end = (char *)chunk(c) + atomic_load(&chunk(c)->used);
        for (; at < end; at += ((struct slab_cell *)(void *)at)->bytes)
            if (((struct slab_cell *)(void *)at)->kind == kind)
                return (struct slab_cell *)(void *)at;
    }
    fail();
    return NULL;
}

/* With `bytes` at `where` replaced by `value` a take has an error, and all is as before without it;
 * in the middle of a batch. */
static void assert_costs_one_error(void *where, uint64_t value, size_t bytes)
{
    char before[8];
    count(1);
    take();
    memcpy(before, where, bytes);
    memcpy(where, &value, bytes);
    count(1);
    assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_ERECORD);
    memcpy(where, before, bytes);
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    count(2);
    take();
    assert_taken(4);
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    tallies_clear(tallies);
}

static void damaged_chunks_cost_one_error(void **state)
{
    (void)state;
    struct slab_chunk *c = chunk(0);
    const uint64_t used[] = {0, 8, 63, 65, 4104, UINT64_MAX, 1u << 20, 0x8000000000000000u};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        assert_costs_one_error(c, used[i], 8);
    struct slab_cell *first = (struct slab_cell *)(void *)(c + 1);
    const uint16_t lengths[] = {0, 4, 12, 4096, 65528, 65535};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        assert_costs_one_error(&first->bytes, lengths[i], 2);
}

static void cells_of_no_instrument_or_another_type_cost_one_error(void **state)
{
    (void)state;
    struct slab_cell *counter = cell(SLAB_CELL_COUNTER);
    assert_costs_one_error(&counter->instrument, 77, 4);
    assert_costs_one_error(&counter->instrument, UINT32_MAX, 4);
    assert_costs_one_error(&counter->instrument, cell(SLAB_CELL_GAUGE)->instrument, 4);
    assert_costs_one_error(&cell(SLAB_CELL_HISTOGRAM)->instrument, counter->instrument, 4);
}

static void impossible_runs_cost_one_error(void **state)
{
    (void)state;
    struct slab_run_cell *run = (struct slab_run_cell *)(void *)cell(SLAB_CELL_RUN);
    assert_costs_one_error(&run->scale, 7, 1);
    assert_costs_one_error(&run->scale, (uint8_t)-11, 1);
    assert_costs_one_error(&run->first, 1, 4);
    assert_costs_one_error(&run->first, 1u << 30, 4);
    assert_costs_one_error(&run->first, (uint32_t)INT32_MIN, 4);
    assert_costs_one_error(&run->negative, 2, 1);
}

static void a_counter_that_goes_back_adds_nothing(void **state)
{
    (void)state;
    struct slab_counter_cell *counter = (struct slab_counter_cell *)(void *)cell(SLAB_CELL_COUNTER);
    uint64_t before = atomic_load(&counter->count);
    atomic_store(&counter->count, before - 1);
    assert_int_equal(tallies_take(reader, tallies), SLAB_ERECORD);
    assert_int_equal(tally_of(tallies, "counted_total")->count, 0);
    atomic_store(&counter->count, before);
    count(1);
    take();
    assert_taken(1);
}

static void kinds_of_later_libwefts_are_passed_over(void **state)
{
    (void)state;
    struct slab_cell *gauge = cell(SLAB_CELL_GAUGE);
    gauge->kind = 99;
    count(1);
    take();
    assert_taken(1);
    gauge->kind = SLAB_CELL_GAUGE;
}

static void counts_beyond_the_room_cost_one_error(void **state)
{
    (void)state;
    uint64_t chunks = atomic_load(&header->chunk_count);
    atomic_store(&header->chunk_count, header->chunk_capacity + 1u);
    assert_int_equal(tallies_take(reader, tallies), SLAB_ERECORD);
    atomic_store(&header->chunk_count, chunks);
    take();
}

static void damaged_instruments_cost_those_behind_them(void **state)
{
    (void)state;
    struct slab_instrument_head *first =
        (struct slab_instrument_head *)(void *)(mapped + header->instruments_offset);
    struct slab_instrument_head sound = *first;
    const struct slab_instrument_head damaged[] = {
        {0, sound.type, 1, 0},           {12, sound.type, 1, 0},
        {1u << 30, sound.type, 1, 0},    {sound.bytes, sound.type, 0, 0},
        {sound.bytes, sound.type, 2, 0}, {sound.bytes, sound.type, 255, 0},
        {sound.bytes, 255, 1, 0},        {8, sound.type, 1, 0}};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        *first = damaged[i];
        kill_agent();
        assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_ERECORD);
        assert_int_equal(slab_instruments(reader), 0);
    }
    *first = sound;
}

static void a_header_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct slab_stats sound;
    memcpy(&sound, header, sizeof sound);
    struct {
        void *field;
        uint64_t value;
        size_t bytes;
    } damage[] = {{&header->chunk_capacity, 0, 4},
                  {&header->chunk_capacity, 33, 4},
                  {&header->chunk_capacity, UINT32_MAX, 4},
                  {&header->header_bytes, 8, 4},
                  {&header->taken_offset, sound.taken_offset - SLAB_PAGE, 8},
                  {&header->taken_offset, sound.taken_offset + 8, 8},
                  {&header->images_offset, sound.taken_offset, 8},
                  {&header->images_offset, UINT64_MAX - 4095, 8},
                  {&header->instruments_offset, sound.images_offset, 8},
                  {&header->instruments_bytes, sound.instruments_bytes + SLAB_PAGE, 8},
                  {&header->instruments_bytes, UINT64_MAX, 8},
                  {&header->chunks_offset, sound.chunks_offset + SLAB_PAGE, 8}};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        enum slab_error error;
        char before[8];
        memcpy(before, damage[i].field, damage[i].bytes);
        memcpy(damage[i].field, &damage[i].value, damage[i].bytes);
        assert_null(fixture_open(fixture_file(0), &error));
        assert_int_equal(error, SLAB_ELIMITS);
        memcpy(damage[i].field, before, damage[i].bytes);
    }
}

static void a_file_of_before_statistics_is_read(void **state)
{
    (void)state;
    uint64_t *stats_bytes = (uint64_t *)(void *)(mapped + offsetof(struct slab_file, stats_bytes));
    uint64_t bytes = *stats_bytes;
    *stats_bytes = 0;
    kill_agent();
    assert_false(slab_has_stats(reader));
    assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_OK);
    assert_int_equal(slab_stats_resume(reader, 1), SLAB_OK);
    assert_int_equal(slab_stats_commit(reader), SLAB_OK);
    assert_false(slab_stats_held(reader));
    assert_int_equal(tallies->count, 0);
    *stats_bytes = mapped_bytes;
    enum slab_error error;
    assert_null(fixture_open(fixture_file(0), &error));
    assert_int_equal(error, SLAB_ELIMITS);
    *stats_bytes = bytes;
}

/* The last test: nothing is left of the file. */
static void a_file_that_shrinks_costs_one_error(void **state)
{
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* its runtime holds a lock of its own around the access that faults */
#endif
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
    count(1);
    guard_install(); /* the test runner has taken the signal */
    assert_int_equal(truncate(path, (off_t)header->chunks_offset), 0);
    assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_ESHRUNK);
    assert_int_equal(truncate(path, SLAB_PAGE), 0);
    assert_int_equal(slab_stats_take(reader, tally_visit, tallies), SLAB_ESHRUNK);
    assert_int_equal(tallies->count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_not_spooled_is_taken_again),
        TEST(what_was_committed_is_not_taken_again),
        TEST(what_was_spooled_but_not_committed_is_not_taken_again),
        TEST(other_generations_resume_nothing),
        TEST(taking_again_before_the_commit_goes_on),
        TEST(nothing_new_holds_nothing),
        TEST(sums_are_exact_however_agents_die),
        TEST(damaged_chunks_cost_one_error),
        TEST(cells_of_no_instrument_or_another_type_cost_one_error),
        TEST(impossible_runs_cost_one_error),
        TEST(a_counter_that_goes_back_adds_nothing),
        TEST(kinds_of_later_libwefts_are_passed_over),
        TEST(counts_beyond_the_room_cost_one_error),
        TEST(damaged_instruments_cost_those_behind_them),
        TEST(a_header_that_contradicts_itself_is_refused),
        TEST(a_file_of_before_statistics_is_read),
        TEST(a_file_that_shrinks_costs_one_error),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
