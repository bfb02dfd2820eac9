// SPDX-License-Identifier: Apache-2.0
/* A full disk, interrupted and short writes, and no memory: each is an error that is told, and
 * nothing leaks (which the address sanitizer's build of this program sees). */
#include <errno.h>

#include "tests/unit/collector/traces/segment/segment_fixture.h"

/* ---- what is wrapped --------------------------------------------------------------------- */

static struct {
    bool on;
    size_t most;         /* bytes a write takes */
    unsigned interrupts; /* each so many writes one is interrupted */
    unsigned writes;
    uint64_t room; /* bytes until the disk is full */
} disk;

static struct {
    bool on;
    unsigned long left; /* allocations until there is no memory */
} memory;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    if (!disk.on)
        return __real_write(fd, bytes, length);
    if (disk.interrupts && ++disk.writes % disk.interrupts == 0) {
        errno = EINTR;
        return -1;
    }
    if (disk.room == 0) {
        errno = ENOSPC;
        return -1;
    }
    length = length < disk.most ? length : disk.most;
    length = length < disk.room ? length : disk.room;
    disk.room -= length;
    return __real_write(fd, bytes, length);
}

static bool memory_is_out(void)
{
    if (!memory.on)
        return false;
    if (memory.left == 0)
        return true;
    memory.left--;
    return false;
}

void *__wrap_malloc(size_t bytes)
{
    return memory_is_out() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return memory_is_out() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return memory_is_out() ? NULL : __real_realloc(old, bytes);
}

/* ---- the disk ---------------------------------------------------------------------------- */

static struct random_spans make_spans(void)
{
    struct random_spans r;
    random_spans_init(&r, 13,
                      &(struct random_options){.traces = 30, .spans_most = 8, .richness = 2});
    return r;
}

/* The error of the whole: of the first call that has one; from then on each call must have it. */
static int write_to(int fd, const struct random_spans *r, struct segment_summary *summary)
{
    struct segment_writer *w = segment_writer_create(fd);
    struct segment_loss loss = {.agent = {"agent", 5}, .reason = 1, .count = 2};
    if (!w)
        return -ENOMEM;
    segment_writer_limit_groups(w, 40, 80);
    int first = 0, error = 0;
    for (uint32_t i = 0; i < r->trace_count; i++) {
        error =
            segment_writer_add(w, r->traces[i].id, i == 3, r->traces[i].rows, r->traces[i].count);
        first = first ? first : error;
        assert_int_equal(error, first);
    }
    error = segment_writer_loss(w, &loss);
    first = first ? first : error;
    assert_int_equal(error, first);
    error = segment_writer_finish(w, summary);
    first = first ? first : error;
    assert_int_equal(error, first);
    segment_writer_destroy(&w);
    return first;
}

static int new_file(void)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void short_and_interrupted_writes_make_the_same_file(void **state)
{
    (void)state;
    struct random_spans r = make_spans();
    struct segment_summary summary = {0}, again = {0};
    int fd = new_file(), other = new_file();
    assert_int_equal(write_to(fd, &r, &summary), 0);
    disk.on = true;
    disk.most = 7;
    disk.interrupts = 3;
    disk.room = UINT64_MAX;
    assert_int_equal(write_to(other, &r, &again), 0);
    disk.on = false;
    assert_int_equal(summary.file_bytes, again.file_bytes);
    char *bytes = malloc(summary.file_bytes), *same = malloc(summary.file_bytes);
    assert_int_equal(pread(fd, bytes, summary.file_bytes, 0), summary.file_bytes);
    assert_int_equal(pread(other, same, summary.file_bytes, 0), summary.file_bytes);
    assert_memory_equal(bytes, same, summary.file_bytes);
    free(bytes);
    free(same);
    close(fd);
    close(other);
    random_spans_fini(&r);
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct random_spans r = make_spans();
    struct segment_summary summary = {0};
    int fd = new_file();
    assert_int_equal(write_to(fd, &r, &summary), 0);
    close(fd);
    disk.on = true;
    disk.most = SIZE_MAX;
    disk.interrupts = 0;
    for (uint64_t room = 0; room < summary.file_bytes; room += 1 + summary.file_bytes / 97) {
        struct segment_summary none = {0};
        disk.room = room;
        fd = new_file();
        assert_int_equal(write_to(fd, &r, &none), -ENOSPC);
        close(fd);
    }
    disk.room = summary.file_bytes;
    fd = new_file();
    assert_int_equal(write_to(fd, &r, &summary), 0);
    close(fd);
    disk.on = false;
    random_spans_fini(&r);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void no_memory_while_writing_is_told(void **state)
{
    (void)state;
    struct random_spans r = make_spans();
    int error = -ENOMEM;
    for (unsigned long n = 0; error; n += 1 + n / 40) {
        struct segment_summary summary = {0};
        int fd = new_file();
        memory.left = n;
        memory.on = true;
        error = write_to(fd, &r, &summary);
        memory.on = false;
        if (error)
            assert_int_equal(error, -ENOMEM);
        close(fd);
    }
    random_spans_fini(&r);
}

static void touch_key(void *context, struct batch_str key)
{
    struct block *b = context;
    const struct block_attribute *a = block_attribute(b, BLOCK_SPAN, key.bytes, key.length);
    if (a)
        block_attribute_rows(b, a);
}

static int read_group(struct segment *s, uint32_t i)
{
    struct block *b = segment_group(s, i);
    if (!b)
        return SEGMENT_ENOMEM;
    for (enum block_u64 c = 0; c < BLOCK_U64S; c++)
        block_u64(b, c);
    for (enum block_u32 c = 0; c < BLOCK_U32S; c++)
        block_u32(b, c);
    for (enum block_u8 c = 0; c < BLOCK_U8S; c++)
        block_u8(b, c);
    block_keys(b, BLOCK_SPAN, touch_key, b);
    block_processes(b);
    block_events(b);
    block_links(b);
    int error = b->error;
    block_close(&b);
    return error == BLOCK_OK ? SEGMENT_OK : error == BLOCK_ENOMEM ? SEGMENT_ENOMEM : SEGMENT_EIO;
}

/* SEGMENT_OK, or SEGMENT_ENOMEM once something had no memory. */
static int read_all(struct segment *s, struct trace_id id)
{
    struct arena arena;
    struct span_run *runs;
    struct segment_loss *losses;
    struct segment_service *services;
    struct segment_operation *operations;
    struct block_processes processes;
    struct trace_id *ids = NULL;
    struct batch *batch;
    const uint32_t *parents;
    size_t count, more;
    arena_init(&arena, 256);
    int errors[] = {segment_find(s, id, true, &arena, &runs, &count),
                    segment_find(s, id, false, &arena, &runs, &count),
                    segment_group_batch(s, 0, &arena, &batch, &parents),
                    segment_losses(s, &arena, &losses, &count),
                    segment_names(s, &arena, &services, &count, &operations, &more),
                    segment_processes(s, &arena, &processes),
                    segment_continued(s, &ids, &count),
                    read_group(s, 0)};
    int error = SEGMENT_OK;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        assert_true(errors[i] == SEGMENT_OK || errors[i] == SEGMENT_ENOMEM);
        error = errors[i] ? errors[i] : error;
    }
    free(ids);
    arena_fini(&arena);
    return error;
}

static void no_memory_while_reading_is_told(void **state)
{
    (void)state;
    struct random_spans r = make_spans();
    struct segment_summary summary = {0};
    int fd = new_file(), error = SEGMENT_ENOMEM;
    assert_int_equal(write_to(fd, &r, &summary), 0);
    for (unsigned long n = 0; error; n += 1 + n / 60) {
        char why[100];
        memory.left = n;
        memory.on = true;
        struct segment *s = segment_open(dup(fd), &error, why, sizeof why);
        error = s ? read_all(s, r.traces[7].id) : error;
        memory.on = false;
        assert_true(error == SEGMENT_OK || error == SEGMENT_ENOMEM);
        assert_false(s && segment_damage(s, why, sizeof why));
        segment_close(&s);
    }
    close(fd);
    random_spans_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_interrupted_writes_make_the_same_file),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(no_memory_while_writing_is_told),
        cmocka_unit_test(no_memory_while_reading_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
